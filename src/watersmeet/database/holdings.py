"""How much the whole instance holds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from watersmeet.confluence.content import ContentStatus, ContentType
from watersmeet.database.schema import content, spaces, users
from watersmeet.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Holdings:
    """Current pages, spaces, and people who may sign in."""

    pages: int
    spaces: int
    users: int


_COUNTS = select(
    select(func.count())
    .select_from(content)
    .where(content.c.type == ContentType.PAGE.value, content.c.status == ContentStatus.CURRENT.value)
    .scalar_subquery(),
    select(func.count()).select_from(spaces).scalar_subquery(),
    select(func.count()).select_from(users).where(users.c.enabled).scalar_subquery(),
)


def count(tx: Transaction) -> Holdings:
    """What there is, whoever may see it."""
    return Holdings(*tx.execute(_COUNTS).one())
