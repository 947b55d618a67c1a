"""The seed: what the demo begins with, as JSON for other tests' fixtures. Digests and hashes stay here."""

from __future__ import annotations

from typing import Any

from watersmeet.clock import as_datetime
from watersmeet.database.dev import Snapshot

# By table: which columns somebody else has a use for.
_SHOWN = {
    "users": ("username", "user_key", "display_name", "email", "role"),
    "clients": ("client_id", "name", "confidential", "scope", "created_at"),
    "redirect_uris": ("client", "uri"),
    "spaces": ("id", "key", "name", "type", "status", "description", "homepage_id", "created_at"),
    "space_permissions": ("space_id", "user_id", "group_id", "permission"),
    "user_groups": ("id", "name"),
    "group_members": ("group_id", "user_id"),
    "content": ("id", "type", "status", "space_id", "parent_id", "title", "storage", "version", "created_at"),
}


def as_json(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """The rows of the tables that make the demo; instants as ISO 8601."""
    return {
        table: [{name: _shown(name, row[name]) for name in columns} for row in snapshot.tables[table]]
        for table, columns in _SHOWN.items()
    }


def _shown(name: str, value: Any) -> Any:
    return as_datetime(value).isoformat() if name.endswith("_at") and value is not None else value
