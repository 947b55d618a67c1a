"""Schema 3: a grace for each client, and what a question was let do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add columns that are null, or empty, in the rows there are."""
    op.add_column("clients", sa.Column("refresh_grace_seconds", sa.Integer(), nullable=True))
    op.add_column(
        "authorizations", sa.Column("legacy", sa.String(length=255), server_default=sa.text("''"), nullable=False)
    )
    # Questions that are open, and codes that are unused, are held to the rules of the moment as before.
    op.execute("UPDATE authorizations SET legacy = 'no-pkce' WHERE code_challenge IS NULL")
    op.execute("UPDATE authorizations SET legacy = 'plain-challenge' WHERE code_challenge_method = 'plain'")
