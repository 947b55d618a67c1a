BEGIN TRANSACTION;
CREATE TABLE authorizations (
	id VARCHAR(32) NOT NULL, 
	client INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	session_digest VARCHAR(64) NOT NULL, 
	request_digest VARCHAR(64) NOT NULL, 
	redirect_uri TEXT NOT NULL, 
	scope VARCHAR(255) NOT NULL, 
	state TEXT, 
	code_challenge VARCHAR(128), 
	code_challenge_method VARCHAR(16), 
	status VARCHAR(16) NOT NULL, 
	code_digest VARCHAR(64), 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	family_id VARCHAR(32), 
	CONSTRAINT pk_authorizations PRIMARY KEY (id), 
	CONSTRAINT fk_authorizations_client FOREIGN KEY(client) REFERENCES clients (id) ON DELETE CASCADE, 
	CONSTRAINT fk_authorizations_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_authorizations_code_digest UNIQUE (code_digest)
);
INSERT INTO "authorizations" VALUES('530af8d2676f1dc10f2e42298140f4be',1,2,'3fda3993cf0288e92d16e35046070f2f551052b01f5634dc57ed23863f06ffa3','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'exchanged','5978db49fb2cedbb9eefb44745291e3fa32cf47f139eed318dd30a5db600f8b8',1800000000000,1800000060000,'4c7bdaf6ef42b508dbdfabd66ad79514');
INSERT INTO "authorizations" VALUES('a92f978d34c5a14f870d892622a13af2',1,4,'de34150ab36411fd4e6ddf4355118cee7afb58a89b8a396f77f3ecedbd1832b7','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'exchanged','7275e305e54473579c5765f5b3e13e46b0cca7a91dd5ad9902df8d03632bfda6',1807776001000,1807776061000,'6f2d1181577d18c9b919d4e334d6d634');
INSERT INTO "authorizations" VALUES('d55b8b8d4e2276136ebc700505019689',1,1,'40c0eaf698b54ee0db90c64d722ef4aa3d468ab05c94294e3ab978149286c6fb','2426d59b4fcfaa9f72dc94afea481fd9f73cfd4c1631f21283ffe2a1ef86cbdf','http://127.0.0.1:8090/_dev/callback','SYSTEM_ADMIN','xyz',NULL,NULL,'exchanged','b82770a308cf9dc561358598c29bdd520b48e43ec282d1365058e646dc82f168',1807776001000,1807776061000,'d67ecc5254773eadff94300dbafe9c6f');
INSERT INTO "authorizations" VALUES('7735653cdffd7dcd7e8b462e5bbe8e1a',1,3,'458ec318eb9bd49786a2478fd22f681c5851ca5da7bcd650163c04ff91c1fa68','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'exchanged','81b3ff6b5dee6a37a4609f15345253d014abf58ea92dfb49d6d765228366305f',1807776001000,1807776061000,'064079df3af4ae53365a298959471a5c');
INSERT INTO "authorizations" VALUES('6e28b3334efe04d2ee596600fad70a7c',1,3,'3c49d1e613e5b30c08f1d8b60d229128c62e68ba9cb18c86a00c5ecbcf049a15','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'exchanged','4bab6d36ef592abb8d0ebb4b7d5b0e6949a82f52f548334f625d66f831b53fa0',1807776001000,1807776061000,'bcf4b794d7d7a00c6d790ae4d4bc1728');
INSERT INTO "authorizations" VALUES('6983387bc3b68be2613ba5d53b1e9e1b',1,2,'26e947c662499e764608c2b42e878270f3358221c6ed61993b16366df988cb0b','c31fb6666e49526fae7487d8fbee29451dcf2f2d2952f567837035d2a3a926b7','http://127.0.0.1:8090/_dev/callback','WRITE','xyz',NULL,NULL,'exchanged','e7ca62610af6d5b02d9a75535ed0ebc24899bb8fddbd68045fdf5cce6fa61fd0',1807776001000,1807776061000,'3986754f7c753f30763bdb3db63520b6');
INSERT INTO "authorizations" VALUES('0c38e498ea76a9e356e506b0ffdb508e',1,2,'d16526440809f634610f2715152b3c7ea8a346cad2084dc7ae2585fba5966634','c31fb6666e49526fae7487d8fbee29451dcf2f2d2952f567837035d2a3a926b7','http://127.0.0.1:8090/_dev/callback','WRITE','xyz',NULL,NULL,'exchanged','9cec9a27b7827740ebbb061673df99ff60a2c48f71a1d84e33c39d10c3dfe552',1807776001000,1807776061000,'cdb59fe7445a892ebffbbbc588cddd4a');
INSERT INTO "authorizations" VALUES('446619cd2efc3dfc877f9cd8ed46bf50',1,2,'a62db1bf7a3e0dde8396340bcac920047a8ed5232bea935d81b2ab82dc753560','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'exchanged','806573ce28084999672781fb1527e4e4be2fe8505b055ee24c5acf4b5018b96c',1807776001000,1807776061000,'ef36a49ef731403494fa239028547c17');
INSERT INTO "authorizations" VALUES('6e94bcdceb9734cc15022d07cd0d03cc',1,3,'cbbd4323a6cdd55aa024f9e5d3a5ed90f94ee28a4b50ad1a1f8f7e5e334fea68','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'denied',NULL,1807776001000,1807776601000,NULL);
INSERT INTO "authorizations" VALUES('9e995cfb881d77ebc499728966d2a194',1,3,'cbbd4323a6cdd55aa024f9e5d3a5ed90f94ee28a4b50ad1a1f8f7e5e334fea68','e9134d99fe8e66002679df9ab92496fdb1836a85e09159c4c057f663c0c04245','http://127.0.0.1:8090/_dev/callback','READ','still open',NULL,NULL,'pending',NULL,1807776001000,1807776601000,NULL);
INSERT INTO "authorizations" VALUES('a0b0518659b1cbd9477bd4a56a95558b',1,2,'7ca683f9dde06ff0750ca5340d77c50109b16785463caebddf378a4a37fa23f4','335bf5b0a74581318d71cc3ef3dd6b31de1f560ef4e2284a2a04f4e9250e55ed','http://127.0.0.1:8090/_dev/callback','READ','xyz',NULL,NULL,'approved','737302e5a1c399a9586c75dd9182333a049bf11f95e351aa1f46d775b740630f',1807776001000,1807776061000,NULL);
CREATE TABLE client_secrets (
	digest VARCHAR(64) NOT NULL, 
	client INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	CONSTRAINT pk_client_secrets PRIMARY KEY (digest), 
	CONSTRAINT fk_client_secrets_client FOREIGN KEY(client) REFERENCES clients (id) ON DELETE CASCADE
);
INSERT INTO "client_secrets" VALUES('6be48bc8ddcc76d9c5dc8b8b2e1752aa7f1d52d36af105e5ab9cc390f5df5e78',1,1800000000000,NULL);
CREATE TABLE clients (
	id INTEGER NOT NULL, 
	client_id VARCHAR(64) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	name_key VARCHAR(255) NOT NULL, 
	confidential BOOLEAN NOT NULL, 
	scope VARCHAR(255) NOT NULL, 
	created_at BIGINT NOT NULL, 
	created_by VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_clients PRIMARY KEY (id), 
	CONSTRAINT uq_clients_client_id UNIQUE (client_id), 
	CONSTRAINT uq_clients_name_key UNIQUE (name_key)
);
INSERT INTO "clients" VALUES(1,'0d3a0c11e47de3000000000000000001','Demo application','demo application',1,'SYSTEM_ADMIN',1800000000000,'admin');
INSERT INTO "clients" VALUES(2,'65c3b5267cbdcd1186d71e858681a3bb','A public client','a public client',0,'WRITE',1807776001000,'admin');
CREATE TABLE content (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	type VARCHAR(255) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	space_id INTEGER NOT NULL, 
	parent_id INTEGER, 
	position INTEGER, 
	title VARCHAR(255) NOT NULL, 
	title_key VARCHAR(255) NOT NULL, 
	storage TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	version_message TEXT NOT NULL, 
	minor_edit BOOLEAN NOT NULL, 
	created_by INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_by INTEGER NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT fk_content_space_id FOREIGN KEY(space_id) REFERENCES spaces (id), 
	CONSTRAINT fk_content_parent_id FOREIGN KEY(parent_id) REFERENCES content (id), 
	CONSTRAINT fk_content_created_by FOREIGN KEY(created_by) REFERENCES users (id), 
	CONSTRAINT fk_content_updated_by FOREIGN KEY(updated_by) REFERENCES users (id)
);
INSERT INTO "content" VALUES(1,'page','current',1,NULL,NULL,'Demonstration Home','demonstration home','<p>Welcome to your new space.</p>',1,'',0,1,1794816000000,1,1794816000000);
INSERT INTO "content" VALUES(2,'page','current',1,1,NULL,'Getting started','getting started','<p>This server answers the same requests as <em>Confluence Data Center</em>: it is an OAuth 2.0 provider and the content REST API that its tokens open. The pages of this space are real content, so read them, change them and delete them.</p><ol><li><p>Register your application as an <strong>incoming link</strong>.</p></li><li><p>Send the browser to the authorization endpoint and let somebody allow the access.</p></li><li><p>Exchange the code for a token pair.</p></li><li><p>Ask for <code>/rest/api/content</code> with the access token in the header.</p></li></ol>',1,'',0,1,1796544000000,1,1796544000000);
INSERT INTO "content" VALUES(3,'page','current',1,2,NULL,'Registering an incoming link','registering an incoming link','<p>An incoming link has a name, a redirect URL and the application permissions it may ask for. You are given a <strong>client ID</strong> and a <strong>client secret</strong>; the secret is shown once.</p><ac:structured-macro ac:name="info"><ac:rich-text-body><p>The redirect URL must match exactly. Only the port of a loopback address may differ.</p></ac:rich-text-body></ac:structured-macro>',1,'',0,1,1796630400000,1,1796630400000);
INSERT INTO "content" VALUES(4,'page','current',1,2,NULL,'Asking for a token','asking for a token','<p>The code you were sent is good for one exchange, and for a short time. Bring the code verifier if you sent a code challenge.</p><table><tbody><tr><th><p>Parameter</p></th><th><p>Value</p></th></tr><tr><td><p>grant_type</p></td><td><p>authorization_code</p></td></tr><tr><td><p>redirect_uri</p></td><td><p>as in the authorization request</p></td></tr></tbody></table><p>What next? See <ac:link><ri:page ri:content-title="Keeping a token fresh" /></ac:link>.</p>',1,'',0,1,1796716800000,1,1796716800000);
INSERT INTO "content" VALUES(5,'page','current',1,2,NULL,'Keeping a token fresh','keeping a token fresh','<p>Every refresh hands out a new pair and spends the old refresh token. Somebody who presents a spent one has either copied it or lost an answer; the provider tells the two apart and ends the whole family in the first case.</p>',1,'',0,1,1797321600000,1,1797321600000);
INSERT INTO "content" VALUES(6,'page','current',1,1,NULL,'Permissions','permissions','<p>Two things decide what a request may do: the <strong>scope</strong> of its token, and what <strong>the person</strong> behind it may do. The smaller one counts.</p><table><tbody><tr><th><p>Scope</p></th><th><p>Allows</p></th></tr><tr><td><p>READ</p></td><td><p>seeing what the person sees</p></td></tr><tr><td><p>WRITE</p></td><td><p>changing what the person can change</p></td></tr><tr><td><p>ADMIN</p></td><td><p>administering the site, for administrators</p></td></tr></tbody></table>',1,'',0,1,1798099200000,1,1798099200000);
INSERT INTO "content" VALUES(7,'page','current',1,6,NULL,'Why a page seems to be missing','why a page seems to be missing','<p>Content that you may not see answers exactly like content that does not exist. If you expected a page, ask somebody who administers its space.</p>',1,'',0,1,1798272000000,1,1798272000000);
INSERT INTO "content" VALUES(8,'blogpost','current',1,NULL,NULL,'Welcome to Watersmeet','welcome to watersmeet','<p>Where two rivers meet, both keep their water and share one bed. This is the place where your applications meet your pages.</p>',1,'',0,1,1797408000000,1,1797408000000);
INSERT INTO "content" VALUES(9,'blogpost','current',1,NULL,NULL,'What we learned from lost answers','what we learned from lost answers','<p>Networks drop answers, laptops fall asleep, and two tabs refresh at once. None of that is an attack, so for a short while the same refresh gets the same pair again.</p><blockquote><p>Answered means durable; not answered means you may ask again.</p></blockquote>',1,'',0,1,1799222400000,1,1799222400000);
INSERT INTO "content" VALUES(10,'page','current',2,NULL,NULL,'Engineering Home','engineering home','<p>Welcome to your new space.</p>',1,'',0,1,1794816000000,1,1794816000000);
INSERT INTO "content" VALUES(11,'page','current',2,10,NULL,'Runbook','runbook','<p>The server is one process and one database. Before you change anything, look at the log: it names the cause of every refusal.</p>',1,'',0,1,1797580800000,1,1797580800000);
INSERT INTO "content" VALUES(12,'page','current',2,11,NULL,'Rotating the secret of a client','rotating the secret of a client','<p>Make a new secret, hand it to the owner of the application, and let the old one expire. Both work in the meantime.</p>',1,'',0,1,1797667200000,1,1797667200000);
INSERT INTO "content" VALUES(13,'page','current',2,10,NULL,'Release plan','release plan','<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status><ac:task-body>Serve the ten requests that clients send most</ac:task-body></ac:task><ac:task><ac:task-id>2</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Serve the rest</ac:task-body></ac:task></ac:task-list>',1,'',0,1,1799481600000,1,1799481600000);
INSERT INTO "content" VALUES(14,'page','current',1,NULL,NULL,'Written before the upgrade','written before the upgrade','<p>second</p>',2,'',0,2,1807776001000,2,1807776001000);
INSERT INTO "content" VALUES(15,'page','trashed',1,NULL,NULL,'Trashed before the upgrade','trashed before the upgrade','<p>gone</p>',1,'',0,2,1807776001000,2,1807776001000);
CREATE TABLE content_versions (
	content_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	title VARCHAR(255) NOT NULL, 
	storage TEXT NOT NULL, 
	message TEXT NOT NULL, 
	minor_edit BOOLEAN NOT NULL, 
	updated_by INTEGER NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_content_versions PRIMARY KEY (content_id, number), 
	CONSTRAINT fk_content_versions_content_id FOREIGN KEY(content_id) REFERENCES content (id) ON DELETE CASCADE, 
	CONSTRAINT fk_content_versions_updated_by FOREIGN KEY(updated_by) REFERENCES users (id)
);
INSERT INTO "content_versions" VALUES(14,1,'Written before the upgrade','<p>first</p>','',0,2,1807776001000);
CREATE TABLE properties (
	name VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_properties PRIMARY KEY (name)
);
INSERT INTO "properties" VALUES('schema','1');
INSERT INTO "properties" VALUES('purpose','serve');
INSERT INTO "properties" VALUES('secret','037b7dddacec2ab6f48ecaf8a5368d472ad45b4889d518db47d1f9df6f3af1de');
CREATE TABLE redirect_uris (
	client INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	uri TEXT NOT NULL, 
	CONSTRAINT pk_redirect_uris PRIMARY KEY (client, position), 
	CONSTRAINT fk_redirect_uris_client FOREIGN KEY(client) REFERENCES clients (id) ON DELETE CASCADE
);
INSERT INTO "redirect_uris" VALUES(1,0,'http://127.0.0.1:8090/_dev/callback');
INSERT INTO "redirect_uris" VALUES(1,1,'http://127.0.0.1:8091/callback');
INSERT INTO "redirect_uris" VALUES(1,2,'http://localhost:8091/callback');
INSERT INTO "redirect_uris" VALUES(2,0,'https://app.example/cb');
CREATE TABLE sessions (
	digest VARCHAR(64) NOT NULL, 
	user_id INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (digest), 
	CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES('458ec318eb9bd49786a2478fd22f681c5851ca5da7bcd650163c04ff91c1fa68',3,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('3c49d1e613e5b30c08f1d8b60d229128c62e68ba9cb18c86a00c5ecbcf049a15',3,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('26e947c662499e764608c2b42e878270f3358221c6ed61993b16366df988cb0b',2,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('d16526440809f634610f2715152b3c7ea8a346cad2084dc7ae2585fba5966634',2,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('a62db1bf7a3e0dde8396340bcac920047a8ed5232bea935d81b2ab82dc753560',2,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('cbbd4323a6cdd55aa024f9e5d3a5ed90f94ee28a4b50ad1a1f8f7e5e334fea68',3,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('618f67646bd002c21681956c27d2ce0582742deb1ae734f27bbc83137eaed67c',2,1807776001000,1807819201000);
INSERT INTO "sessions" VALUES('7ca683f9dde06ff0750ca5340d77c50109b16785463caebddf378a4a37fa23f4',2,1807776001000,1807819201000);
CREATE TABLE space_permissions (
	id INTEGER NOT NULL, 
	space_id INTEGER NOT NULL, 
	user_id INTEGER, 
	permission VARCHAR(16) NOT NULL, 
	CONSTRAINT pk_space_permissions PRIMARY KEY (id), 
	CONSTRAINT fk_space_permissions_space_id FOREIGN KEY(space_id) REFERENCES spaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_space_permissions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "space_permissions" VALUES(1,1,1,'admin');
INSERT INTO "space_permissions" VALUES(2,1,NULL,'read');
INSERT INTO "space_permissions" VALUES(3,1,2,'write');
INSERT INTO "space_permissions" VALUES(4,2,1,'admin');
INSERT INTO "space_permissions" VALUES(5,2,2,'write');
INSERT INTO "space_permissions" VALUES(6,2,4,'read');
CREATE TABLE spaces (
	id INTEGER NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	key_lower VARCHAR(255) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	description TEXT NOT NULL, 
	homepage_id BIGINT, 
	creator_id INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_spaces PRIMARY KEY (id), 
	CONSTRAINT uq_spaces_key UNIQUE ("key"), 
	CONSTRAINT uq_spaces_key_lower UNIQUE (key_lower), 
	CONSTRAINT fk_spaces_creator_id FOREIGN KEY(creator_id) REFERENCES users (id)
);
INSERT INTO "spaces" VALUES(1,'DEMO','demo','Demonstration','global','current','A space to try things out in.',1,1,1794816000000);
INSERT INTO "spaces" VALUES(2,'ENG','eng','Engineering','global','current','How this server is run.',10,1,1794816000000);
CREATE TABLE token_families (
	id VARCHAR(32) NOT NULL, 
	client INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	scope VARCHAR(255) NOT NULL, 
	authorized_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	revoked_because VARCHAR(32), 
	CONSTRAINT pk_token_families PRIMARY KEY (id), 
	CONSTRAINT fk_token_families_client FOREIGN KEY(client) REFERENCES clients (id) ON DELETE CASCADE, 
	CONSTRAINT fk_token_families_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "token_families" VALUES('4c7bdaf6ef42b508dbdfabd66ad79514',1,2,'READ',1800000000000,1807776000000,NULL,NULL);
INSERT INTO "token_families" VALUES('6f2d1181577d18c9b919d4e334d6d634',1,4,'READ',1807776001000,1815552001000,1807776001000,'by administrator');
INSERT INTO "token_families" VALUES('d67ecc5254773eadff94300dbafe9c6f',1,1,'SYSTEM_ADMIN',1807776001000,1815552001000,1807776001000,'password changed');
INSERT INTO "token_families" VALUES('064079df3af4ae53365a298959471a5c',1,3,'READ',1807776001000,1815552001000,1807776001000,'by client');
INSERT INTO "token_families" VALUES('bcf4b794d7d7a00c6d790ae4d4bc1728',1,3,'READ',1807776001000,1815552001000,1807776001000,'replayed');
INSERT INTO "token_families" VALUES('3986754f7c753f30763bdb3db63520b6',1,2,'WRITE',1807776001000,1815552001000,NULL,NULL);
INSERT INTO "token_families" VALUES('cdb59fe7445a892ebffbbbc588cddd4a',1,2,'WRITE',1807776001000,1815552001000,NULL,NULL);
INSERT INTO "token_families" VALUES('ef36a49ef731403494fa239028547c17',1,2,'READ',1807776001000,1815552001000,NULL,NULL);
CREATE TABLE token_pairs (
	id INTEGER NOT NULL, 
	family_id VARCHAR(32) NOT NULL, 
	generation INTEGER NOT NULL, 
	access_digest VARCHAR(64) NOT NULL, 
	refresh_digest VARCHAR(64) NOT NULL, 
	scope VARCHAR(255) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	created_at BIGINT NOT NULL, 
	access_expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_token_pairs PRIMARY KEY (id), 
	CONSTRAINT uq_token_pairs_family_id_generation UNIQUE (family_id, generation), 
	CONSTRAINT ck_token_pairs_state CHECK (state IN ('active', 'spent')), 
	CONSTRAINT fk_token_pairs_family_id FOREIGN KEY(family_id) REFERENCES token_families (id) ON DELETE CASCADE, 
	CONSTRAINT uq_token_pairs_access_digest UNIQUE (access_digest), 
	CONSTRAINT uq_token_pairs_refresh_digest UNIQUE (refresh_digest)
);
INSERT INTO "token_pairs" VALUES(1,'4c7bdaf6ef42b508dbdfabd66ad79514',0,'0562eb006b9c1c2d508dc1aa6f663147bed45927564e7c4ff2efb6b54823c65a','61125915715e21e962f6580604313606a565aec71d0e1217cd6b1bbcaff9e9eb','READ','active',1800000000000,1800003600000);
INSERT INTO "token_pairs" VALUES(2,'6f2d1181577d18c9b919d4e334d6d634',0,'d8ae5c93412d69319c3b29fe167b82cb0cd7f51bd03235ae6ac1fdd0cf3637df','b495709635600a8a57b56070c37dcf442d7fb286d9731bb0ab6b488662c4263e','READ','active',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(3,'d67ecc5254773eadff94300dbafe9c6f',0,'2e8313ab54b0970180e9b127eff92980c897bb6aee0bc14824291a68d7abbaa5','c15660abe8bc99ab5a25f8eac58edeb8117121f7ecad6bd7ec59b6655605b971','SYSTEM_ADMIN','active',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(4,'064079df3af4ae53365a298959471a5c',0,'13aa8a1d953518986117a2bb96db5926985be586ee411935efaa27631c6967e6','453f2c146b1870102696827e020a6b96ff3f0231c50dd8c74ed8378bfed9bcfd','READ','active',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(5,'bcf4b794d7d7a00c6d790ae4d4bc1728',0,'04a6efac2025c2db4f0cc1fde586fd355887bda58f664d190ac52a11cb8369ce','6accd562e32882573a178b6ed9b2ad085bb04c283f1d346835aa8cddc952312b','READ','spent',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(6,'bcf4b794d7d7a00c6d790ae4d4bc1728',1,'bd07338145a6d647d816839195567da083a974bc40868aa957b24459a606de41','4afad090ad59ee357d2816822419bdbffb73f3116c8c60d77be10d58ab9e83a9','READ','active',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(7,'3986754f7c753f30763bdb3db63520b6',0,'24f113377177fa074d763510baf7c9dd59b36bf2e5282d1ee2719babf64ff731','7fd330a88e7d0da0b3b92f93da7541883d3e0ffc2f577d95167c9e9b35ca1b8b','WRITE','spent',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(8,'3986754f7c753f30763bdb3db63520b6',1,'1afa36287f83c04c1e979b508d8ae3809892994d872c2b04d53831830376f521','a50158dc386a43a19bf49ab63a1eede0f624f740c6ebfdf67b8cec34d6874fac','WRITE','active',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(9,'cdb59fe7445a892ebffbbbc588cddd4a',0,'2ffa39c7ab5d2ef2179f6e21e4f69ea4f094b310c09a1fb44e2d1556e51c053f','62fc3bce392032b9b51f17df6291596d406acb9f6ae5bd87d84363078d4ef247','WRITE','active',1807776001000,1807779601000);
INSERT INTO "token_pairs" VALUES(10,'ef36a49ef731403494fa239028547c17',0,'380288a2456a430d294fd95b106b943407f1e26ef1140a65277c767b5232a4f7','264da2f3b46357ac1a5559ed43f73a90310679f8e43c582b0e21389811e4fb73','READ','active',1807776001000,1807779601000);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	username VARCHAR(255) NOT NULL, 
	user_key VARCHAR(32) NOT NULL, 
	display_name VARCHAR(255) NOT NULL, 
	email VARCHAR(255) NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	password_hash VARCHAR(255) NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_username UNIQUE (username), 
	CONSTRAINT uq_users_user_key UNIQUE (user_key)
);
INSERT INTO "users" VALUES(1,'admin','9a9879d8966cce8d60beed3957a4239f','Ada Admin','admin@example.com','system-administrator','$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',1,1800000000000);
INSERT INTO "users" VALUES(2,'alice','58e2e6e430c2db22e0bdbf64e23331e6','Alice Example','alice@example.com','user','$argon2id$v=19$m=64,t=1,p=1$fF39VT9TRQwd9EJarpgp3g$MXq90vlZJNRY1I5/WTEkdUUqcJzXa/zS0PjoPvkAuQY',1,1800000000000);
INSERT INTO "users" VALUES(3,'bob','467640e320224366d53bef975797a286','Bob Example','bob@example.com','user','$argon2id$v=19$m=64,t=1,p=1$In/isK62jiykbMbu/jsGEw$51rpzlOX9Pe36eiVcCLpU1XRjJExHq1lWyAo09BBXgk',1,1800000000000);
INSERT INTO "users" VALUES(4,'viewer','c1513398d6bc2135b97e1276a9873f4f','Vera Viewer','viewer@example.com','user','$argon2id$v=19$m=64,t=1,p=1$FgXVvOoPSKLhT8LOVMI2CA$3z7FDPhPF9/MQznD2Ty/t9yQYmKcRtV72cBhSH5RSuI',0,1800000000000);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
CREATE INDEX ix_client_secrets_client ON client_secrets (client);
CREATE INDEX ix_authorizations_session_request ON authorizations (session_digest, request_digest);
CREATE INDEX ix_authorizations_expires_at ON authorizations (expires_at);
CREATE INDEX ix_authorizations_client ON authorizations (client);
CREATE INDEX ix_authorizations_user_id ON authorizations (user_id);
CREATE INDEX ix_token_families_expires_at ON token_families (expires_at);
CREATE INDEX ix_token_families_client ON token_families (client);
CREATE INDEX ix_token_families_user_id ON token_families (user_id);
CREATE INDEX ix_space_permissions_user_id ON space_permissions (user_id);
CREATE INDEX ix_space_permissions_space_id ON space_permissions (space_id);
CREATE INDEX ix_content_space_id ON content (space_id);
CREATE INDEX ix_content_parent_id ON content (parent_id);
CREATE UNIQUE INDEX uq_content_current_title ON content (space_id, type, title_key) WHERE status = 'current';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('content',15);
COMMIT;
