"""Where comments are, as rows."""

from __future__ import annotations

from sqlalchemy import insert

from watersmeet.database.schema import comment_places
from watersmeet.database.transaction import Transaction


def place_in_footer(tx: Transaction, content_id: int) -> None:
    """Note that a comment is about its page as a whole."""
    tx.execute(insert(comment_places), {"content_id": content_id, "location": "footer"})
