"""Alembic's environment: it migrates on the connection that ``upgrade`` hands it, in the transaction open there."""

from __future__ import annotations

from alembic import context

from watersmeet.database.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
