"""The schema: every table, in one place.

Instants are milliseconds since the epoch (``clock.Instant``). Digests are lower-case hexadecimal; nothing
that could be presented as a credential is stored (S094, S116, S121).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from watersmeet.database.dialect import append_only, born_with, copied_from, full_text_index, only_where

SCHEMA_VERSION = "3"
"""Changed with every migration (``database.migrations``), whose ``revision`` it is; a server refuses a database that
carries another one."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _number(name: str = "id") -> Column[int]:
    # SQLite numbers rows by itself only for a column of type INTEGER.
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


# What this database is: its schema version, its purpose ("dev" or "serve"), a digest of its secret.
properties = Table(
    "properties",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# Alembic's own table, spelled out so that a new database is made without importing Alembic.
alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# ---- people -----------------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    _number(),
    Column("username", String(255), nullable=False, unique=True),  # always lower case
    Column("user_key", String(32), nullable=False, unique=True),
    Column("display_name", String(255), nullable=False),
    Column("email", String(255), nullable=False),
    Column("role", String(32), nullable=False),  # confluence.scopes.Role
    Column("password_hash", String(255), nullable=False),  # argon2id, PHC string
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Since then there is no such user: the row stays, without what was personal in it, as the author of what they
    # wrote and so that restrictions that name them keep everybody else out. Null: there is.
    Column("deleted_at", BigInteger, nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    # What lets people recognise their own sessions, coarse on purpose; null in rows of before.
    Column("user_agent", String(64), nullable=True),  # like "Firefox on Linux"
    Column("address", String(64), nullable=True),  # a network, like "192.0.2.0/24"
    Column("last_seen_at", BigInteger, nullable=True),  # written at most once a minute
)

# Names that people are granted things by. Two are born with the schema (``confluence.permission``).
user_groups = Table(
    "user_groups",
    metadata,
    _number(),
    Column("name", String(255), nullable=False, unique=True),  # always lower case
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("user_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# Who may do what on the whole instance. A row with neither user nor group speaks of everybody, strangers included;
# so do the rows of the next tables that have the same two columns.
global_permissions = Table(
    "global_permissions",
    metadata,
    _number(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("group_id", ForeignKey("user_groups.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("permission", String(32), nullable=False),  # confluence.permission.GlobalPermission
)
born_with(
    global_permissions,
    "INSERT INTO user_groups (name) VALUES ('confluence-users'), ('confluence-administrators')",
    "INSERT INTO global_permissions (group_id, permission) SELECT id, 'USECONFLUENCE' FROM user_groups",
    "INSERT INTO global_permissions (group_id, permission) SELECT id, 'PERSONALSPACE' FROM user_groups",
    "INSERT INTO global_permissions (group_id, permission) SELECT id, 'CREATESPACE' FROM user_groups "
    "WHERE name = 'confluence-administrators'",
)

# What users made for scripts of their own (confluence.personal_token).
personal_tokens = Table(
    "personal_tokens",
    metadata,
    _number(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scope", String(255), nullable=False),  # the most it may do; its user's role caps it at every use
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    # The token that made it, and that takes it along: whoever stole that one may have made this one.
    Column("made_by", ForeignKey("personal_tokens.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("last_used_at", BigInteger, nullable=True),  # written at most once a minute
    Column("last_used_from", String(64), nullable=True),  # a network, like "192.0.2.0/24"
    sqlite_autoincrement=True,  # a number that was seen never names another token
)

# ---- OAuth 2.0 --------------------------------------------------------------------------------------------

clients = Table(
    "clients",
    metadata,
    _number(),
    Column("client_id", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("name_key", String(255), nullable=False, unique=True),  # casefolded: names are unique
    Column("confidential", Boolean, nullable=False),
    Column("scope", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("expires_at", BigInteger, nullable=True),  # refused everywhere from then on; null: never
    Column("disabled_at", BigInteger, nullable=True),  # refused everywhere since then; null: enabled
    Column("last_used_at", BigInteger, nullable=True),  # of any of its tokens; written at most once a minute
    # oauth2.profile.Profile; the default is for clients of version 0.1.0, which knew no other.
    Column("profile", String(16), nullable=False, server_default="atlassian-dc"),
    Column("refuses", String(255), nullable=False, server_default=text("''")),  # oauth2.profile.Legacy, space-separated
    Column("pkce_seen_at", BigInteger, nullable=True),
    Column("authentication", String(32), nullable=True),  # oauth2.client.AuthenticationMethod; null: either
    Column("may_introspect", Boolean, nullable=False, server_default=false()),
    Column("plain_answers", Boolean, nullable=False, server_default=false()),  # no iss, no fragment
    Column("refresh_grace_seconds", Integer, nullable=True),  # 0 to 2; null: as the server's setting says
)

# How often a client did what only its profile allows, a row a kind.
legacy_acceptances = Table(
    "legacy_acceptances",
    metadata,
    Column("client", ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),  # oauth2.profile.Legacy
    Column("count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

redirect_uris = Table(
    "redirect_uris",
    metadata,
    Column("client", ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("uri", Text, nullable=False),
)

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("client", ForeignKey("clients.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=True),  # null: until it is rotated
    Column("last_used_at", BigInteger, nullable=True),  # to get tokens or ask about them; written at most once a minute
    # Of a secret that the server's own makes again (setting secrets_viewable); null: nobody sees it a second time.
    Column("salt", String(32), nullable=True),
)

# One row a consent question: asked, answered, exchanged (oauth2.authorization.Authorization).
authorizations = Table(
    "authorizations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("client", ForeignKey("clients.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("session_digest", String(64), nullable=False),  # the browser that was asked (S055)
    Column("request_digest", String(64), nullable=False),  # the parameters it was asked about (S046)
    Column("redirect_uri", Text, nullable=False),
    Column("scope", String(255), nullable=False),
    Column("state", Text, nullable=True),
    Column("code_challenge", String(128), nullable=True),
    Column("code_challenge_method", String(16), nullable=True),
    Column("status", String(16), nullable=False),
    Column("code_digest", String(64), nullable=True, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("family_id", String(32), nullable=True),
    # oauth2.profile.Legacy, space-separated: what the request did that only some clients may (S041).
    Column("legacy", String(255), nullable=False, server_default=text("''")),
    Index("ix_authorizations_session_request", "session_digest", "request_digest"),
)

# What users need not be asked again for a while (oauth2.consent.Consent), by client and redirection URI.
consents = Table(
    "consents",
    metadata,
    _number(),
    Column("client", ForeignKey("clients.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", String(255), nullable=False),
    Column("registration", String(64), nullable=False),  # a digest of what the client was when the user was asked
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# One row a grant: everything that ever came out of one authorization code.
token_families = Table(
    "token_families",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("client", ForeignKey("clients.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("scope", String(255), nullable=False),
    Column("authorized_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("revoked_at", BigInteger, nullable=True),
    Column("revoked_because", String(32), nullable=True),
    Column("last_used_at", BigInteger, nullable=True),  # of its access tokens; written at most once a minute
    Column("last_used_from", String(64), nullable=True),  # a network, like "192.0.2.0/24"
)

# One row a generation of a family: an access token and the refresh token issued with it.
token_pairs = Table(
    "token_pairs",
    metadata,
    _number(),
    Column("family_id", ForeignKey("token_families.id", ondelete="CASCADE"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("access_digest", String(64), nullable=False, unique=True),
    Column("refresh_digest", String(64), nullable=False, unique=True),
    Column("scope", String(255), nullable=False),
    Column("state", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("access_expires_at", BigInteger, nullable=False),
    # At most one successor of each generation, whatever races (S112).
    UniqueConstraint("family_id", "generation"),
    CheckConstraint("state IN ('active', 'spent')", name="state"),
)

# ---- what was decided -------------------------------------------------------------------------------------

# One row a security decision, written in the transaction of what it describes and never changed (S150). It refers
# to nothing by foreign key: an event outlives the user, the client and the family it is about.
audit_events = Table(
    "audit_events",
    metadata,
    _number(),
    Column("at", BigInteger, nullable=False),
    Column("event", String(32), nullable=False),  # database.audit.Event
    Column("actor", String(255), nullable=True),
    Column("user_id", BigInteger, nullable=True),
    Column("client_id", String(64), nullable=True),
    Column("family_id", String(32), nullable=True),
    Column("address", String(64), nullable=True),
    Column("request_id", String(32), nullable=True),
    Column("detail", Text, nullable=True),  # a JSON object
    # The only index: it grows at its end, so that recording stays cheap.
    Index("ix_audit_events_at_id", "at", "id"),
)
append_only(audit_events, deletable_before="audit_kept_since")

# The generations of the keys that sign tokens (oauth2.keys.Generation), from the first rotation on: salts from which
# only a holder of the configured secret derives keys.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("salt", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("signs_from", BigInteger, nullable=False),
    Column("retires_at", BigInteger, nullable=True),  # null: the newest
)

# Failed attempts to guess something, by a keyed digest of what was guessed at and from where.
failed_attempts = Table(
    "failed_attempts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),  # of the window in which they are counted
)

# ---- content ----------------------------------------------------------------------------------------------

spaces = Table(
    "spaces",
    metadata,
    _number(),
    Column("key", String(255), nullable=False, unique=True),
    Column("key_lower", String(255), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("type", String(16), nullable=False),  # global | personal
    Column("status", String(16), nullable=False),  # current | archived
    Column("description", Text, nullable=False),
    Column("homepage_id", BigInteger, nullable=True),
    Column("owner_id", ForeignKey("users.id"), nullable=True, unique=True),  # of a personal space
    Column("creator_id", ForeignKey("users.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=True),  # null: as it was created
    Column("updated_at", BigInteger, nullable=True),
)

# Who may do what in a space; subjects as in global_permissions.
space_permissions = Table(
    "space_permissions",
    metadata,
    _number(),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("group_id", ForeignKey("user_groups.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("permission", String(32), nullable=False),  # confluence.permission.SpacePermission
)

# Everything that has a number, versions and a body: pages, blog posts, comments, attachments, custom content.
content = Table(
    "content",
    metadata,
    _number(),
    Column("type", String(255), nullable=False),
    Column("status", String(16), nullable=False),  # confluence.content.ContentStatus, but historical
    Column("space_id", ForeignKey("spaces.id"), nullable=False, index=True),
    Column("parent_id", ForeignKey("content.id"), nullable=True, index=True),  # a page's page, a reply's comment
    # What a comment, an attachment or a custom content is part of. It goes with it.
    Column("container_id", ForeignKey("content.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("position", Integer, nullable=True),  # among its siblings; null: not ordered by hand
    Column("title", String(255), nullable=False),
    Column("title_key", String(255), nullable=False),  # casefolded: titles are unique without regard to case
    Column("storage", Text, nullable=False),
    Column("representation", String(16), nullable=False, server_default="storage"),  # of the body: storage | raw
    Column("version", Integer, nullable=False),
    Column("version_message", Text, nullable=False),
    Column("minor_edit", Boolean, nullable=False),
    Column("created_by", ForeignKey("users.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    only_where(
        "status = 'current' AND type IN ('page', 'blogpost')",
        Index("uq_content_current_title", "space_id", "type", "title_key", unique=True),
    ),
    only_where(
        "status = 'current' AND type = 'attachment'",
        Index("uq_content_current_attachment", "container_id", "title", unique=True),
    ),
    # What clients look up most: by title, in a space or anywhere, whatever the status.
    Index("ix_content_title_key_space_id", "title_key", "space_id"),
    sqlite_autoincrement=True,  # a purged page's number, which old links carry, is never given to another
)

# What a content was before its present version.
content_versions = Table(
    "content_versions",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("title", String(255), nullable=False),
    Column("storage", Text, nullable=False),
    Column("representation", String(16), nullable=False, server_default="storage"),
    Column("message", Text, nullable=False),
    Column("minor_edit", Boolean, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

# What is being written of the next version of a page or blog post, by all who may change it.
content_drafts = Table(
    "content_drafts",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("base_version", Integer, nullable=False),  # of the content, that it was made from
    Column("title", String(255), nullable=False),
    Column("storage", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

# The file of every version of an attachment. Its bytes lie elsewhere, under their digest.
attachment_files = Table(
    "attachment_files",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, index=True),  # SHA-256
    Column("file_size", BigInteger, nullable=False),  # bytes
    Column("media_type", String(255), nullable=False),
    Column("hidden", Boolean, nullable=False),
    # Whether it begins as a picture does (content.picture_head).
    Column("pictorial", Boolean, nullable=False, server_default=true()),
)

# The small pictures of files that somebody asked for, by the digest of the file: one, whatever attachments hold it.
thumbnails = Table(
    "thumbnails",
    metadata,
    Column("source", String(64), primary_key=True),  # SHA-256 of the file
    Column("digest", String(64), nullable=True, index=True),  # of the picture, whose bytes lie there too; null: none
    Column("size", Integer, nullable=False),  # bytes
    Column("media_type", String(32), nullable=False),
)

# Where in its page a comment is, and what became of it.
comment_places = Table(
    "comment_places",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("location", String(16), nullable=False),  # footer | inline
    Column("marker_ref", String(64), nullable=True, index=True),
    Column("original_selection", Text, nullable=True),
    Column("resolution", String(16), nullable=True),  # open | reopened | resolved | dangling; null in the footer
    Column("resolved_by", ForeignKey("users.id"), nullable=True),
    Column("resolved_at", BigInteger, nullable=True),
)

# Whom a content is kept to; subjects as in global_permissions. No row for an operation: everybody who has the right.
content_restrictions = Table(
    "content_restrictions",
    metadata,
    _number(),
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("operation", String(8), nullable=False),  # read | update
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("group_id", ForeignKey("user_groups.id", ondelete="CASCADE"), nullable=True, index=True),
)

# Which contents, itself or above it, restrict the reading of a content: inheritance, worked out when it changes.
content_guards = Table(
    "content_guards",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("guard_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True, index=True),
)

labels = Table(
    "labels",
    metadata,
    _number(),
    Column("prefix", String(16), nullable=False),  # global | my | team
    Column("name", String(255), nullable=False),  # always lower case
    Column("owner_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),  # of a "my" label
    Index("ix_labels_name", "name", "prefix"),
    only_where("owner_id IS NULL", Index("uq_labels_shared", "name", "prefix", unique=True)),
)

content_labels = Table(
    "content_labels",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("label_id", ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", BigInteger, nullable=False),
)

# Categories of a space.
space_labels = Table(
    "space_labels",
    metadata,
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    Column("label_id", ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", BigInteger, nullable=False),
)

content_properties = Table(
    "content_properties",
    metadata,
    _number(),
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(255), nullable=False),
    Column("value", Text, nullable=False),  # JSON
    Column("version", Integer, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("content_id", "key"),
)

space_properties = Table(
    "space_properties",
    metadata,
    _number(),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(255), nullable=False),
    Column("value", Text, nullable=False),  # JSON
    Column("version", Integer, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("space_id", "key"),
)

content_watches = Table(
    "content_watches",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", BigInteger, nullable=False),
)

space_watches = Table(
    "space_watches",
    metadata,
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("content_type", String(255), primary_key=True),  # "": of every type
    Column("created_at", BigInteger, nullable=False),
)

likes = Table(
    "likes",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", BigInteger, nullable=False),
)

favourite_content = Table(
    "favourite_content",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", BigInteger, nullable=False),
)

favourite_spaces = Table(
    "favourite_spaces",
    metadata,
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("created_at", BigInteger, nullable=False),
)

# When a person last looked at a content.
content_views = Table(
    "content_views",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("viewed_at", BigInteger, nullable=False),
)

# Of each content what searches ask, sort and count by: narrow rows, so that no body is read along (database.search).
search_facts = Table(
    "search_facts",
    metadata,
    Column("id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("type", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("space_id", BigInteger, nullable=False),
    Column("parent_id", BigInteger, nullable=True),
    Column("container_id", BigInteger, nullable=True),
    Column("created_by", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_by", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_search_facts_newest", "status", "updated_at", "id", "space_id", "type"),
)
copied_from(content, search_facts)

# What a content says, as it is searched (database.search_text).
search_texts = Table(
    "search_texts",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("title", String(255), nullable=False),
    Column("body", Text, nullable=False),  # without markup
)
full_text_index(search_texts)

# The macros and the people named in a content.
search_names = Table(
    "search_names",
    metadata,
    Column("content_id", ForeignKey("content.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(8), primary_key=True),  # macro | mention
    Column("name", String(255), primary_key=True),  # lower case, or a user key
    Index("ix_search_names_kind_name", "kind", "name"),
)

templates = Table(
    "templates",
    metadata,
    _number(),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=True, index=True),  # null: of all spaces
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("storage", Text, nullable=False),
    Column("labels", Text, nullable=False),  # JSON, a list of names
    Column("version", Integer, nullable=False),
    Column("created_by", ForeignKey("users.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

# Work that goes on after its request was answered.
long_tasks = Table(
    "long_tasks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("detail", Text, nullable=False),  # JSON: what it works on
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("percentage", Integer, nullable=False),
    Column("successful", Boolean, nullable=True),  # null: not finished
    Column("message", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger, nullable=True, index=True),
)
