"""Drafts beside what is published, as rows: at most one for each content."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select

from watersmeet.clock import Instant
from watersmeet.confluence.content import Person
from watersmeet.database.schema import content_drafts, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class Beside:
    """What the next version of a content is to be, as far as it is written."""

    base_version: int
    """The version of the content that it was made from."""
    title: str
    storage: str
    message: str


_OF = content_drafts.c.content_id == bindparam("of")
_FIND = (
    select(
        content_drafts.c.base_version,
        content_drafts.c.title,
        content_drafts.c.storage,
        content_drafts.c.message,
        users.c.username,
        users.c.user_key,
        users.c.display_name,
        content_drafts.c.updated_at,
    )
    .join(users, users.c.id == content_drafts.c.updated_by)
    .where(_OF)
)
_FORGET = delete(content_drafts).where(_OF)


def find(tx: Transaction, content_id: int) -> tuple[Beside, Person, Instant] | None:
    """The draft beside a content, who saved it, and when."""
    row = tx.execute(_FIND, {"of": content_id}).first()
    return (Beside(*row[:4]), Person(*row[4:7]), row[7]) if row else None


def save(tx: Transaction, content_id: int, draft: Beside, by: User, now: Instant) -> None:
    """Keep a draft beside a content in place of the one before. Hold the lock of its space."""
    forget(tx, content_id)
    values = {
        "content_id": content_id,
        "base_version": draft.base_version,
        "title": draft.title,
        "storage": draft.storage,
        "message": draft.message,
        "updated_by": by.id,
        "updated_at": now,
    }
    tx.execute(insert(content_drafts), values)


def forget(tx: Transaction, content_id: int) -> bool:
    """Let go of the draft beside a content; ``False`` if there is none."""
    return tx.execute(_FORGET, {"of": content_id}).rowcount == 1
