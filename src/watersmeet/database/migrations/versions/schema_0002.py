"""Schema 2: audit log, throttling, rotating keys, two profiles, disabled links, sessions and uses to recognise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

# SQLite numbers rows by itself only for a column of type INTEGER.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# The engine itself keeps audit_events append-only. Written out here as they were made: a migration is history.
TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_events_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END""",
        """CREATE TRIGGER audit_events_delete BEFORE DELETE ON audit_events
WHEN OLD.at >= COALESCE((SELECT CAST(value AS INTEGER) FROM properties WHERE name = 'audit_kept_since'), 0)
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < COALESCE((SELECT CAST(value AS BIGINT) FROM properties WHERE name = 'audit_kept_since'), 0) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'audit_events is append-only';
END $$""",
        """CREATE TRIGGER audit_events_row BEFORE UPDATE OR DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_append_only()""",
        """CREATE TRIGGER audit_events_all BEFORE TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only()""",
    ),
}


def upgrade() -> None:
    """Add three tables, and columns that are null in the rows there are."""
    op.create_table(
        "audit_events",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("client_id", sa.String(length=64), nullable=True),
        sa.Column("family_id", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_at_id", "audit_events", ["at", "id"])
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)

    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("signs_from", sa.BigInteger(), nullable=False),
        sa.Column("retires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )

    op.create_table(
        "failed_attempts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_failed_attempts")),
    )
    op.create_index(op.f("ix_failed_attempts_ends_at"), "failed_attempts", ["ends_at"])

    op.add_column("clients", sa.Column("disabled_at", sa.BigInteger(), nullable=True))
    op.add_column("clients", sa.Column("last_used_at", sa.BigInteger(), nullable=True))
    # Clients of version 0.1.0 were served as atlassian-dc clients are now.
    op.add_column("clients", sa.Column("profile", sa.String(length=16), server_default="atlassian-dc", nullable=False))
    op.add_column("clients", sa.Column("refuses", sa.String(length=255), server_default="", nullable=False))
    op.add_column("clients", sa.Column("pkce_seen_at", sa.BigInteger(), nullable=True))
    op.add_column("clients", sa.Column("authentication", sa.String(length=32), nullable=True))
    op.add_column("clients", sa.Column("may_introspect", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("clients", sa.Column("plain_answers", sa.Boolean(), server_default=sa.false(), nullable=False))

    op.create_table(
        "legacy_acceptances",
        sa.Column("client", NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"], ["clients.id"], name=op.f("fk_legacy_acceptances_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client", "kind", name=op.f("pk_legacy_acceptances")),
    )

    op.add_column("sessions", sa.Column("user_agent", sa.String(length=64), nullable=True))
    op.add_column("sessions", sa.Column("address", sa.String(length=64), nullable=True))
    op.add_column("sessions", sa.Column("last_seen_at", sa.BigInteger(), nullable=True))

    op.add_column("token_families", sa.Column("last_used_at", sa.BigInteger(), nullable=True))
