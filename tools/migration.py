"""Writes the next migration: what Alembic finds between the last one and ``schema.py``.

``python tools/migration.py "What it is for"``. A first draft, to be read and made right.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from watersmeet.database import dialect, migrations
from watersmeet.database.engine import Database
from watersmeet.database.schema import SCHEMA_VERSION, metadata

_DRAFT = '''"""Schema {number}: {purpose}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{before}"


def upgrade() -> None:
    """{purpose}."""
{operations}
'''


def _operations() -> str:
    """The lines that lead from the last migration to schema.py."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/draft.db")
        try:
            with dialect.alone(database.engine) as tx:
                migrations.migrate(tx, None)
                options = {"compare_type": True, "render_as_batch": True}
                found = produce_migrations(MigrationContext.configure(tx, opts=options), metadata).upgrade_ops
                assert found is not None
                return render_python_code(found, render_as_batch=True)
        finally:
            database.close()


def main() -> None:
    """Write the file and say where it is."""
    before, purpose = migrations.head(), " ".join(sys.argv[1:]).strip().rstrip(".")
    if not purpose:
        sys.exit('migration: say what it is for: make migration M="What it is for"')
    if before == SCHEMA_VERSION:
        sys.exit(f"migration: SCHEMA_VERSION in schema.py is still {before}: add one.")
    text = _DRAFT.format(number=SCHEMA_VERSION, before=before, purpose=purpose, operations=_operations())
    file = Path(migrations.__file__).parent / "versions" / f"schema_{int(SCHEMA_VERSION):04}.py"
    file.write_text(text)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(file)], check=True)
    print(f"migration: wrote {file}: read it, and make it right.")


if __name__ == "__main__":
    main()
