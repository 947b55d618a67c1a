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
)

from watersmeet.database.dialect import append_only

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
    Column("type", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("homepage_id", BigInteger, nullable=True),
    Column("creator_id", ForeignKey("users.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# Who may do what in a space. A row without a user speaks of everyone who is signed in.
space_permissions = Table(
    "space_permissions",
    metadata,
    _number(),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("permission", String(16), nullable=False),  # confluence.permission.SpacePermission
)

content = Table(
    "content",
    metadata,
    _number(),
    Column("type", String(255), nullable=False),
    Column("status", String(16), nullable=False),  # current | trashed
    Column("space_id", ForeignKey("spaces.id"), nullable=False, index=True),
    Column("parent_id", ForeignKey("content.id"), nullable=True, index=True),
    Column("position", Integer, nullable=True),
    Column("title", String(255), nullable=False),
    Column("title_key", String(255), nullable=False),  # casefolded: titles are unique without regard to case
    Column("storage", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_message", Text, nullable=False),
    Column("minor_edit", Boolean, nullable=False),
    Column("created_by", ForeignKey("users.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index(
        "uq_content_current_title",
        "space_id",
        "type",
        "title_key",
        unique=True,
        sqlite_where=text("status = 'current'"),
        postgresql_where=text("status = 'current'"),
    ),
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
    Column("message", Text, nullable=False),
    Column("minor_edit", Boolean, nullable=False),
    Column("updated_by", ForeignKey("users.id"), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
