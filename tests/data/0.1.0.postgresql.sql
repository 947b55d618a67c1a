SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.authorizations (
    id character varying(32) NOT NULL,
    client bigint NOT NULL,
    user_id bigint NOT NULL,
    session_digest character varying(64) NOT NULL,
    request_digest character varying(64) NOT NULL,
    redirect_uri text NOT NULL,
    scope character varying(255) NOT NULL,
    state text,
    code_challenge character varying(128),
    code_challenge_method character varying(16),
    status character varying(16) NOT NULL,
    code_digest character varying(64),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    family_id character varying(32)
);
CREATE TABLE public.client_secrets (
    digest character varying(64) NOT NULL,
    client bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint
);
CREATE TABLE public.clients (
    id bigint NOT NULL,
    client_id character varying(64) NOT NULL,
    name character varying(255) NOT NULL,
    name_key character varying(255) NOT NULL,
    confidential boolean NOT NULL,
    scope character varying(255) NOT NULL,
    created_at bigint NOT NULL,
    created_by character varying(255) NOT NULL
);
CREATE SEQUENCE public.clients_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.clients_id_seq OWNED BY public.clients.id;
CREATE TABLE public.content (
    id bigint NOT NULL,
    type character varying(255) NOT NULL,
    status character varying(16) NOT NULL,
    space_id bigint NOT NULL,
    parent_id bigint,
    "position" integer,
    title character varying(255) NOT NULL,
    title_key character varying(255) NOT NULL,
    storage text NOT NULL,
    version integer NOT NULL,
    version_message text NOT NULL,
    minor_edit boolean NOT NULL,
    created_by bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_by bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE SEQUENCE public.content_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.content_id_seq OWNED BY public.content.id;
CREATE TABLE public.content_versions (
    content_id bigint NOT NULL,
    number integer NOT NULL,
    title character varying(255) NOT NULL,
    storage text NOT NULL,
    message text NOT NULL,
    minor_edit boolean NOT NULL,
    updated_by bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.properties (
    name character varying(64) NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.redirect_uris (
    client bigint NOT NULL,
    "position" integer NOT NULL,
    uri text NOT NULL
);
CREATE TABLE public.sessions (
    digest character varying(64) NOT NULL,
    user_id bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.space_permissions (
    id bigint NOT NULL,
    space_id bigint NOT NULL,
    user_id bigint,
    permission character varying(16) NOT NULL
);
CREATE SEQUENCE public.space_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.space_permissions_id_seq OWNED BY public.space_permissions.id;
CREATE TABLE public.spaces (
    id bigint NOT NULL,
    key character varying(255) NOT NULL,
    key_lower character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    type character varying(16) NOT NULL,
    status character varying(16) NOT NULL,
    description text NOT NULL,
    homepage_id bigint,
    creator_id bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.spaces_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.spaces_id_seq OWNED BY public.spaces.id;
CREATE TABLE public.token_families (
    id character varying(32) NOT NULL,
    client bigint NOT NULL,
    user_id bigint NOT NULL,
    scope character varying(255) NOT NULL,
    authorized_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint,
    revoked_because character varying(32)
);
CREATE TABLE public.token_pairs (
    id bigint NOT NULL,
    family_id character varying(32) NOT NULL,
    generation integer NOT NULL,
    access_digest character varying(64) NOT NULL,
    refresh_digest character varying(64) NOT NULL,
    scope character varying(255) NOT NULL,
    state character varying(8) NOT NULL,
    created_at bigint NOT NULL,
    access_expires_at bigint NOT NULL,
    CONSTRAINT ck_token_pairs_state CHECK (((state)::text = ANY ((ARRAY['active'::character varying, 'spent'::character varying])::text[])))
);
CREATE SEQUENCE public.token_pairs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.token_pairs_id_seq OWNED BY public.token_pairs.id;
CREATE TABLE public.users (
    id bigint NOT NULL,
    username character varying(255) NOT NULL,
    user_key character varying(32) NOT NULL,
    display_name character varying(255) NOT NULL,
    email character varying(255) NOT NULL,
    role character varying(32) NOT NULL,
    password_hash character varying(255) NOT NULL,
    enabled boolean NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER TABLE ONLY public.clients ALTER COLUMN id SET DEFAULT nextval('public.clients_id_seq'::regclass);
ALTER TABLE ONLY public.content ALTER COLUMN id SET DEFAULT nextval('public.content_id_seq'::regclass);
ALTER TABLE ONLY public.space_permissions ALTER COLUMN id SET DEFAULT nextval('public.space_permissions_id_seq'::regclass);
ALTER TABLE ONLY public.spaces ALTER COLUMN id SET DEFAULT nextval('public.spaces_id_seq'::regclass);
ALTER TABLE ONLY public.token_pairs ALTER COLUMN id SET DEFAULT nextval('public.token_pairs_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
INSERT INTO public.authorizations VALUES ('a51f2f44810f6487af959c8702636339', 1, 2, 'edacb3255a5ef78121aa38a9841a315073b1c23233ab54e26dde52adbb60281e', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'exchanged', 'e3994591257ec795d7cc4cbe149a78766d14b071c74f920efba65c4c4e9ad424', 1800000000000, 1800000060000, '5532c6e691652717b813555d561c6759');
INSERT INTO public.authorizations VALUES ('105a7e60feae069150fc06b338b16dc4', 1, 4, '59076705431acccd9d956a1c51e8b9d8ad91d262b3fd3cb2e9beb73d2cdf8fe6', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'exchanged', 'da36929f7bf813f05056f9c6026560c735cf2b4ea135ec13b12d56d5690fc2fc', 1807776001000, 1807776061000, '47a4cbc93f8237f743b62b1880197415');
INSERT INTO public.authorizations VALUES ('52749f7e948f0671f1e471f98a9a19bc', 1, 1, '94bacac3de4f90981a67308b8fc48f0d500d2845d41abf2d4db19089b09f801b', '2426d59b4fcfaa9f72dc94afea481fd9f73cfd4c1631f21283ffe2a1ef86cbdf', 'http://127.0.0.1:8090/_dev/callback', 'SYSTEM_ADMIN', 'xyz', NULL, NULL, 'exchanged', 'e133df91ecadc88694e7aa8b2cc45364dee646ad316141a21aacc195f4313b61', 1807776001000, 1807776061000, '714b5dc9e9ecca39ded24aa155095dc9');
INSERT INTO public.authorizations VALUES ('af321eaca597a3e90575cee555736339', 1, 3, '2613b5547d0d4905e61431c9fe6583402e593ded674f814b03b167ebcbd1bb16', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'exchanged', '14b95caeb4080d5e2021690280c61064b3a1359cad47ac89954b276902d7cc37', 1807776001000, 1807776061000, 'bee399824c1196d7b53ca520dbe01f6c');
INSERT INTO public.authorizations VALUES ('32807dc4346e1c5e6f6aa30ffc7b8ed0', 1, 3, '54f744ab798215a56edb23e2a64225b2f9ce779091758b92263638ab48f95b0f', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'exchanged', '77033c25fc81e54b2d1e162db43fca3a566b28022f61956bced0c13b402968a1', 1807776001000, 1807776061000, '295e753f171b36e4b9d72d2a3dcc989a');
INSERT INTO public.authorizations VALUES ('4c46999076bc0d503331a618fed31641', 1, 2, '2c8521c1b1b8fd38b487f973890a1e3b96032e0cbfb827e228d4dcda4f8f9eb5', 'c31fb6666e49526fae7487d8fbee29451dcf2f2d2952f567837035d2a3a926b7', 'http://127.0.0.1:8090/_dev/callback', 'WRITE', 'xyz', NULL, NULL, 'exchanged', '326e24838557387bef782f7279808b769d7a66ddcb3e9b3b8cbe3dbace4e5d79', 1807776001000, 1807776061000, '9709734bd82ad379fe6d2425ceb3a93f');
INSERT INTO public.authorizations VALUES ('7f01a7b5f3db4a544d05f52824ac0c88', 1, 2, '30cc55bf4e7f60f69177943384f5e3ed53d318f701fa3497f449268112c5d734', 'c31fb6666e49526fae7487d8fbee29451dcf2f2d2952f567837035d2a3a926b7', 'http://127.0.0.1:8090/_dev/callback', 'WRITE', 'xyz', NULL, NULL, 'exchanged', '4ebca69970764ec273483cab959c34f370ed6b18c40c17a10d4ebe3e559a4d41', 1807776001000, 1807776061000, '46836473f92dde6fec11a90c9a503bd4');
INSERT INTO public.authorizations VALUES ('d8c955f8f015b638b06bf080e940890c', 1, 2, 'e736e4e6be36872cb0d2adbc53e3aef8e238180c66c8ab38c55ee8370bdc9df2', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'exchanged', '1bf37dcd85d967e05a363e6f5c5ad071a79abe855b169190eaaa5596eb2ec7d5', 1807776001000, 1807776061000, '75ea5dbb358c1dc69e2c4c4e1db50add');
INSERT INTO public.authorizations VALUES ('071563070bc734bafa65196e2f8bffc3', 1, 3, '1e29750f128c85b74a91d6018071f22a8067ec6f9b07cc441479f24400463664', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'denied', NULL, 1807776001000, 1807776601000, NULL);
INSERT INTO public.authorizations VALUES ('ffcc70a09ea242160368f5ebaa6f67e8', 1, 3, '1e29750f128c85b74a91d6018071f22a8067ec6f9b07cc441479f24400463664', 'e9134d99fe8e66002679df9ab92496fdb1836a85e09159c4c057f663c0c04245', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'still open', NULL, NULL, 'pending', NULL, 1807776001000, 1807776601000, NULL);
INSERT INTO public.authorizations VALUES ('65096265508f22de632e37ec6d199566', 1, 2, '5c7b9dd23481d0ce83f32b147a38327396534553947493cedc490a8ce92959f2', '335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed', 'http://127.0.0.1:8090/_dev/callback', 'READ', 'xyz', NULL, NULL, 'approved', 'ef68e775163d7079feb401a3a2cb1d9dc1d079d818424f33802d3a545f50dbc5', 1807776001000, 1807776061000, NULL);
INSERT INTO public.client_secrets VALUES ('6be48bc8ddcc76d9c5dc8b8b2e1752aa7f1d52d36af105e5ab9cc390f5df5e78', 1, 1800000000000, NULL);
INSERT INTO public.clients VALUES (1, '0d3a0c11e47de3000000000000000001', 'Demo application', 'demo application', true, 'SYSTEM_ADMIN', 1800000000000, 'admin');
INSERT INTO public.clients VALUES (2, 'f81e0be9c65615e2123202fc123b61f6', 'A public client', 'a public client', false, 'WRITE', 1807776001000, 'admin');
INSERT INTO public.content VALUES (1, 'page', 'current', 1, NULL, NULL, 'Demonstration Home', 'demonstration home', '<p>Welcome to your new space.</p>', 1, '', false, 1, 1794816000000, 1, 1794816000000);
INSERT INTO public.content VALUES (2, 'page', 'current', 1, 1, NULL, 'Getting started', 'getting started', '<p>This server answers the same requests as <em>Confluence Data Center</em>: it is an OAuth 2.0 provider and the content REST API that its tokens open. The pages of this space are real content, so read them, change them and delete them.</p><ol><li><p>Register your application as an <strong>incoming link</strong>.</p></li><li><p>Send the browser to the authorization endpoint and let somebody allow the access.</p></li><li><p>Exchange the code for a token pair.</p></li><li><p>Ask for <code>/rest/api/content</code> with the access token in the header.</p></li></ol>', 1, '', false, 1, 1796544000000, 1, 1796544000000);
INSERT INTO public.content VALUES (3, 'page', 'current', 1, 2, NULL, 'Registering an incoming link', 'registering an incoming link', '<p>An incoming link has a name, a redirect URL and the application permissions it may ask for. You are given a <strong>client ID</strong> and a <strong>client secret</strong>; the secret is shown once.</p><ac:structured-macro ac:name="info"><ac:rich-text-body><p>The redirect URL must match exactly. Only the port of a loopback address may differ.</p></ac:rich-text-body></ac:structured-macro>', 1, '', false, 1, 1796630400000, 1, 1796630400000);
INSERT INTO public.content VALUES (4, 'page', 'current', 1, 2, NULL, 'Asking for a token', 'asking for a token', '<p>The code you were sent is good for one exchange, and for a short time. Bring the code verifier if you sent a code challenge.</p><table><tbody><tr><th><p>Parameter</p></th><th><p>Value</p></th></tr><tr><td><p>grant_type</p></td><td><p>authorization_code</p></td></tr><tr><td><p>redirect_uri</p></td><td><p>as in the authorization request</p></td></tr></tbody></table><p>What next? See <ac:link><ri:page ri:content-title="Keeping a token fresh" /></ac:link>.</p>', 1, '', false, 1, 1796716800000, 1, 1796716800000);
INSERT INTO public.content VALUES (5, 'page', 'current', 1, 2, NULL, 'Keeping a token fresh', 'keeping a token fresh', '<p>Every refresh hands out a new pair and spends the old refresh token. Somebody who presents a spent one has either copied it or lost an answer; the provider tells the two apart and ends the whole family in the first case.</p>', 1, '', false, 1, 1797321600000, 1, 1797321600000);
INSERT INTO public.content VALUES (6, 'page', 'current', 1, 1, NULL, 'Permissions', 'permissions', '<p>Two things decide what a request may do: the <strong>scope</strong> of its token, and what <strong>the person</strong> behind it may do. The smaller one counts.</p><table><tbody><tr><th><p>Scope</p></th><th><p>Allows</p></th></tr><tr><td><p>READ</p></td><td><p>seeing what the person sees</p></td></tr><tr><td><p>WRITE</p></td><td><p>changing what the person can change</p></td></tr><tr><td><p>ADMIN</p></td><td><p>administering the site, for administrators</p></td></tr></tbody></table>', 1, '', false, 1, 1798099200000, 1, 1798099200000);
INSERT INTO public.content VALUES (7, 'page', 'current', 1, 6, NULL, 'Why a page seems to be missing', 'why a page seems to be missing', '<p>Content that you may not see answers exactly like content that does not exist. If you expected a page, ask somebody who administers its space.</p>', 1, '', false, 1, 1798272000000, 1, 1798272000000);
INSERT INTO public.content VALUES (8, 'blogpost', 'current', 1, NULL, NULL, 'Welcome to Watersmeet', 'welcome to watersmeet', '<p>Where two rivers meet, both keep their water and share one bed. This is the place where your applications meet your pages.</p>', 1, '', false, 1, 1797408000000, 1, 1797408000000);
INSERT INTO public.content VALUES (9, 'blogpost', 'current', 1, NULL, NULL, 'What we learned from lost answers', 'what we learned from lost answers', '<p>Networks drop answers, laptops fall asleep, and two tabs refresh at once. None of that is an attack, so for a short while the same refresh gets the same pair again.</p><blockquote><p>Answered means durable; not answered means you may ask again.</p></blockquote>', 1, '', false, 1, 1799222400000, 1, 1799222400000);
INSERT INTO public.content VALUES (10, 'page', 'current', 2, NULL, NULL, 'Engineering Home', 'engineering home', '<p>Welcome to your new space.</p>', 1, '', false, 1, 1794816000000, 1, 1794816000000);
INSERT INTO public.content VALUES (11, 'page', 'current', 2, 10, NULL, 'Runbook', 'runbook', '<p>The server is one process and one database. Before you change anything, look at the log: it names the cause of every refusal.</p>', 1, '', false, 1, 1797580800000, 1, 1797580800000);
INSERT INTO public.content VALUES (12, 'page', 'current', 2, 11, NULL, 'Rotating the secret of a client', 'rotating the secret of a client', '<p>Make a new secret, hand it to the owner of the application, and let the old one expire. Both work in the meantime.</p>', 1, '', false, 1, 1797667200000, 1, 1797667200000);
INSERT INTO public.content VALUES (13, 'page', 'current', 2, 10, NULL, 'Release plan', 'release plan', '<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status><ac:task-body>Serve the ten requests that clients send most</ac:task-body></ac:task><ac:task><ac:task-id>2</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Serve the rest</ac:task-body></ac:task></ac:task-list>', 1, '', false, 1, 1799481600000, 1, 1799481600000);
INSERT INTO public.content VALUES (14, 'page', 'current', 1, NULL, NULL, 'Written before the upgrade', 'written before the upgrade', '<p>second</p>', 2, '', false, 2, 1807776001000, 2, 1807776001000);
INSERT INTO public.content VALUES (15, 'page', 'trashed', 1, NULL, NULL, 'Trashed before the upgrade', 'trashed before the upgrade', '<p>gone</p>', 1, '', false, 2, 1807776001000, 2, 1807776001000);
INSERT INTO public.content_versions VALUES (14, 1, 'Written before the upgrade', '<p>first</p>', '', false, 2, 1807776001000);
INSERT INTO public.properties VALUES ('schema', '1');
INSERT INTO public.properties VALUES ('purpose', 'serve');
INSERT INTO public.properties VALUES ('secret', '037b7dddacec2ab6f48ecaf8a5368d472ad45b4889d518db47d1f9df6f3af1de');
INSERT INTO public.redirect_uris VALUES (1, 0, 'http://127.0.0.1:8090/_dev/callback');
INSERT INTO public.redirect_uris VALUES (1, 1, 'http://127.0.0.1:8091/callback');
INSERT INTO public.redirect_uris VALUES (1, 2, 'http://localhost:8091/callback');
INSERT INTO public.redirect_uris VALUES (2, 0, 'https://app.example/cb');
INSERT INTO public.sessions VALUES ('2613b5547d0d4905e61431c9fe6583402e593ded674f814b03b167ebcbd1bb16', 3, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('54f744ab798215a56edb23e2a64225b2f9ce779091758b92263638ab48f95b0f', 3, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('2c8521c1b1b8fd38b487f973890a1e3b96032e0cbfb827e228d4dcda4f8f9eb5', 2, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('30cc55bf4e7f60f69177943384f5e3ed53d318f701fa3497f449268112c5d734', 2, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('e736e4e6be36872cb0d2adbc53e3aef8e238180c66c8ab38c55ee8370bdc9df2', 2, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('1e29750f128c85b74a91d6018071f22a8067ec6f9b07cc441479f24400463664', 3, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('6004e85db94549bcb165a1f1c05c1d5d83f69883e146321e9e137878159e5aba', 2, 1807776001000, 1807819201000);
INSERT INTO public.sessions VALUES ('5c7b9dd23481d0ce83f32b147a38327396534553947493cedc490a8ce92959f2', 2, 1807776001000, 1807819201000);
INSERT INTO public.space_permissions VALUES (1, 1, 1, 'admin');
INSERT INTO public.space_permissions VALUES (2, 1, NULL, 'read');
INSERT INTO public.space_permissions VALUES (3, 1, 2, 'write');
INSERT INTO public.space_permissions VALUES (4, 2, 1, 'admin');
INSERT INTO public.space_permissions VALUES (5, 2, 2, 'write');
INSERT INTO public.space_permissions VALUES (6, 2, 4, 'read');
INSERT INTO public.spaces VALUES (1, 'DEMO', 'demo', 'Demonstration', 'global', 'current', 'A space to try things out in.', 1, 1, 1794816000000);
INSERT INTO public.spaces VALUES (2, 'ENG', 'eng', 'Engineering', 'global', 'current', 'How this server is run.', 10, 1, 1794816000000);
INSERT INTO public.token_families VALUES ('5532c6e691652717b813555d561c6759', 1, 2, 'READ', 1800000000000, 1807776000000, NULL, NULL);
INSERT INTO public.token_families VALUES ('47a4cbc93f8237f743b62b1880197415', 1, 4, 'READ', 1807776001000, 1815552001000, 1807776001000, 'by administrator');
INSERT INTO public.token_families VALUES ('714b5dc9e9ecca39ded24aa155095dc9', 1, 1, 'SYSTEM_ADMIN', 1807776001000, 1815552001000, 1807776001000, 'password changed');
INSERT INTO public.token_families VALUES ('bee399824c1196d7b53ca520dbe01f6c', 1, 3, 'READ', 1807776001000, 1815552001000, 1807776001000, 'by client');
INSERT INTO public.token_families VALUES ('295e753f171b36e4b9d72d2a3dcc989a', 1, 3, 'READ', 1807776001000, 1815552001000, 1807776001000, 'replayed');
INSERT INTO public.token_families VALUES ('9709734bd82ad379fe6d2425ceb3a93f', 1, 2, 'WRITE', 1807776001000, 1815552001000, NULL, NULL);
INSERT INTO public.token_families VALUES ('46836473f92dde6fec11a90c9a503bd4', 1, 2, 'WRITE', 1807776001000, 1815552001000, NULL, NULL);
INSERT INTO public.token_families VALUES ('75ea5dbb358c1dc69e2c4c4e1db50add', 1, 2, 'READ', 1807776001000, 1815552001000, NULL, NULL);
INSERT INTO public.token_pairs VALUES (1, '5532c6e691652717b813555d561c6759', 0, 'cf2825ee6401549beae40973412aef1971ef3a86133fb4372eeadeaef49bc980', 'ac63d1a9990c8426dd074726771ad27fb20af6c2195e8bfd7a41a9d934bb4890', 'READ', 'active', 1800000000000, 1800003600000);
INSERT INTO public.token_pairs VALUES (2, '47a4cbc93f8237f743b62b1880197415', 0, '3212c4dfabbb8cedec4c78eaff05655d3ce340f4347bdc9b41c160ef3b96df12', 'b5cd21b94997f7df2853a323c4656e6808a43668bdfb6cd03582c431e2b88b3b', 'READ', 'active', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (3, '714b5dc9e9ecca39ded24aa155095dc9', 0, '478e7b07b2cc90e8f4a65a5e7a6070b81813115e489d42d28e2739841de34884', '7229b9cee2b81a44ebbb4015ea9f4299f410cb47212b905dc05c5475ea762239', 'SYSTEM_ADMIN', 'active', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (4, 'bee399824c1196d7b53ca520dbe01f6c', 0, 'cb5bcf7b1b12ed15b417dbfeff11ca2e7cfce5777f1e8cee5526f00c5563c887', '31b796484f53a0be0370b735ac1e324597c05a5990974aaa6b296238cbd3275d', 'READ', 'active', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (5, '295e753f171b36e4b9d72d2a3dcc989a', 0, '24f4ccc79e44bee129786f34cee540729b3f557141956a6aef89f2bb949374a8', 'ef124559b220d4b0308b4d0b1d5fc776ca2fc3275cddd9dd5466dec2f973dc9d', 'READ', 'spent', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (6, '295e753f171b36e4b9d72d2a3dcc989a', 1, '5298f181a20cbfa7ab440b3c2e0dbad594e9da0119e4381a56871902c1ef01ab', '6d7bd9632002c3df3f2bd60d316ae4c74d656d8ac51bfcaa20c77deb94628104', 'READ', 'active', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (7, '9709734bd82ad379fe6d2425ceb3a93f', 0, '344310ce1c22cc80fb4444aadce66d71a82bc32a69a0f85ef1c3e38f2426d843', '55040aef3271dec71c536b8300119ac3ae6d8c912a68144d04b12d61247f8d9c', 'WRITE', 'spent', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (8, '9709734bd82ad379fe6d2425ceb3a93f', 1, 'd8ad6084562761b14e697891b34a567132788d3c1b4058dfcc5f100db6939510', 'c7f5df5fdd2c7a7117db02fb185ebc4c7d3d585ecc49261c314be4df1d363a89', 'WRITE', 'active', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (9, '46836473f92dde6fec11a90c9a503bd4', 0, '91d4bce70347874e86cecf0a0aec299936f7888eba66c4efcf8cfc39b1ed49d9', '85f6c7a39332c93464643a4bc837460045458c4c9d6f58adb934342ac6f9d10e', 'WRITE', 'active', 1807776001000, 1807779601000);
INSERT INTO public.token_pairs VALUES (10, '75ea5dbb358c1dc69e2c4c4e1db50add', 0, '95957d0d71ffca1111413425b01053245ca9874259b4f53056e714038ea2ff95', 'f1b712e792cacd42cdbf5e41c38bf1f4e8495927912397c879f3c7e122bd06cf', 'READ', 'active', 1807776001000, 1807779601000);
INSERT INTO public.users VALUES (2, 'alice', '131c956a6e68628b1731dff04fe65de0', 'Alice Example', 'alice@example.com', 'user', '$argon2id$v=19$m=64,t=1,p=1$wzl1/ZuBg4/tHrC1wTfwUA$JbDNVsAEvXMIim0aOMJsTnQE3m8v/WDeRfOKUa3CdKk', true, 1800000000000);
INSERT INTO public.users VALUES (3, 'bob', '45d18c9c66d3f2330ed28aa35817f853', 'Bob Example', 'bob@example.com', 'user', '$argon2id$v=19$m=64,t=1,p=1$UYRJTjtZjqlogMc+Odtdfg$OENeol27Vjtll+NGlDlmSuBwzh6XGHE16DmK+3odC2A', true, 1800000000000);
INSERT INTO public.users VALUES (4, 'viewer', 'e253fc1adb0c99d27d086cece22448c5', 'Vera Viewer', 'viewer@example.com', 'user', '$argon2id$v=19$m=64,t=1,p=1$e6ucOvVSNZij8eaHVN0tgA$9i/0KS/Yp+ls7qCryp43tmUQHsd8j+ems1jvArW0wQI', false, 1800000000000);
INSERT INTO public.users VALUES (1, 'admin', '0fd7d6bf2c077cc41d4ea40911c365a6', 'Ada Admin', 'admin@example.com', 'system-administrator', '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', true, 1800000000000);
SELECT pg_catalog.setval('public.clients_id_seq', 2, true);
SELECT pg_catalog.setval('public.content_id_seq', 15, true);
SELECT pg_catalog.setval('public.space_permissions_id_seq', 6, true);
SELECT pg_catalog.setval('public.spaces_id_seq', 2, true);
SELECT pg_catalog.setval('public.token_pairs_id_seq', 10, true);
SELECT pg_catalog.setval('public.users_id_seq', 4, true);
ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT pk_authorizations PRIMARY KEY (id);
ALTER TABLE ONLY public.client_secrets
    ADD CONSTRAINT pk_client_secrets PRIMARY KEY (digest);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT pk_clients PRIMARY KEY (id);
ALTER TABLE ONLY public.content
    ADD CONSTRAINT pk_content PRIMARY KEY (id);
ALTER TABLE ONLY public.content_versions
    ADD CONSTRAINT pk_content_versions PRIMARY KEY (content_id, number);
ALTER TABLE ONLY public.properties
    ADD CONSTRAINT pk_properties PRIMARY KEY (name);
ALTER TABLE ONLY public.redirect_uris
    ADD CONSTRAINT pk_redirect_uris PRIMARY KEY (client, "position");
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (digest);
ALTER TABLE ONLY public.space_permissions
    ADD CONSTRAINT pk_space_permissions PRIMARY KEY (id);
ALTER TABLE ONLY public.spaces
    ADD CONSTRAINT pk_spaces PRIMARY KEY (id);
ALTER TABLE ONLY public.token_families
    ADD CONSTRAINT pk_token_families PRIMARY KEY (id);
ALTER TABLE ONLY public.token_pairs
    ADD CONSTRAINT pk_token_pairs PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT uq_authorizations_code_digest UNIQUE (code_digest);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT uq_clients_client_id UNIQUE (client_id);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT uq_clients_name_key UNIQUE (name_key);
ALTER TABLE ONLY public.spaces
    ADD CONSTRAINT uq_spaces_key UNIQUE (key);
ALTER TABLE ONLY public.spaces
    ADD CONSTRAINT uq_spaces_key_lower UNIQUE (key_lower);
ALTER TABLE ONLY public.token_pairs
    ADD CONSTRAINT uq_token_pairs_access_digest UNIQUE (access_digest);
ALTER TABLE ONLY public.token_pairs
    ADD CONSTRAINT uq_token_pairs_family_id_generation UNIQUE (family_id, generation);
ALTER TABLE ONLY public.token_pairs
    ADD CONSTRAINT uq_token_pairs_refresh_digest UNIQUE (refresh_digest);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_user_key UNIQUE (user_key);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_username UNIQUE (username);
CREATE INDEX ix_authorizations_client ON public.authorizations USING btree (client);
CREATE INDEX ix_authorizations_expires_at ON public.authorizations USING btree (expires_at);
CREATE INDEX ix_authorizations_session_request ON public.authorizations USING btree (session_digest, request_digest);
CREATE INDEX ix_authorizations_user_id ON public.authorizations USING btree (user_id);
CREATE INDEX ix_client_secrets_client ON public.client_secrets USING btree (client);
CREATE INDEX ix_content_parent_id ON public.content USING btree (parent_id);
CREATE INDEX ix_content_space_id ON public.content USING btree (space_id);
CREATE INDEX ix_sessions_expires_at ON public.sessions USING btree (expires_at);
CREATE INDEX ix_sessions_user_id ON public.sessions USING btree (user_id);
CREATE INDEX ix_space_permissions_space_id ON public.space_permissions USING btree (space_id);
CREATE INDEX ix_space_permissions_user_id ON public.space_permissions USING btree (user_id);
CREATE INDEX ix_token_families_client ON public.token_families USING btree (client);
CREATE INDEX ix_token_families_expires_at ON public.token_families USING btree (expires_at);
CREATE INDEX ix_token_families_user_id ON public.token_families USING btree (user_id);
CREATE UNIQUE INDEX uq_content_current_title ON public.content USING btree (space_id, type, title_key) WHERE ((status)::text = 'current'::text);
ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT fk_authorizations_client FOREIGN KEY (client) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT fk_authorizations_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.client_secrets
    ADD CONSTRAINT fk_client_secrets_client FOREIGN KEY (client) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.content
    ADD CONSTRAINT fk_content_created_by FOREIGN KEY (created_by) REFERENCES public.users(id);
ALTER TABLE ONLY public.content
    ADD CONSTRAINT fk_content_parent_id FOREIGN KEY (parent_id) REFERENCES public.content(id);
ALTER TABLE ONLY public.content
    ADD CONSTRAINT fk_content_space_id FOREIGN KEY (space_id) REFERENCES public.spaces(id);
ALTER TABLE ONLY public.content
    ADD CONSTRAINT fk_content_updated_by FOREIGN KEY (updated_by) REFERENCES public.users(id);
ALTER TABLE ONLY public.content_versions
    ADD CONSTRAINT fk_content_versions_content_id FOREIGN KEY (content_id) REFERENCES public.content(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.content_versions
    ADD CONSTRAINT fk_content_versions_updated_by FOREIGN KEY (updated_by) REFERENCES public.users(id);
ALTER TABLE ONLY public.redirect_uris
    ADD CONSTRAINT fk_redirect_uris_client FOREIGN KEY (client) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.space_permissions
    ADD CONSTRAINT fk_space_permissions_space_id FOREIGN KEY (space_id) REFERENCES public.spaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.space_permissions
    ADD CONSTRAINT fk_space_permissions_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.spaces
    ADD CONSTRAINT fk_spaces_creator_id FOREIGN KEY (creator_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.token_families
    ADD CONSTRAINT fk_token_families_client FOREIGN KEY (client) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.token_families
    ADD CONSTRAINT fk_token_families_user_id FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.token_pairs
    ADD CONSTRAINT fk_token_pairs_family_id FOREIGN KEY (family_id) REFERENCES public.token_families(id) ON DELETE CASCADE;
