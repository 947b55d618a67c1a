"""Likes: saying that one likes a page, a blog post or a comment. It changes nothing about it."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.content import TITLED, Content, ContentType, Person
from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.expansion import NOTHING
from watersmeet.content import read
from watersmeet.database import likes
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_LIKED = (*TITLED, ContentType.COMMENT)


def list_likes(tx: Transaction, caller: User, content_id: int) -> tuple[Content, list[Person]]:
    """A content and who likes it. Raises ``ContentNotFound``."""
    return read.find(tx, caller, content_id, read.CURRENT, NOTHING), likes.list_of(tx, content_id)


def like(tx: Transaction, caller: User, content_id: int, now: Instant) -> tuple[Content, list[Person]]:
    """Like a content one sees. Raises ``ContentNotFound``, or ``BadBody`` where that cannot be, or was done before."""
    found = read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    if found.type not in _LIKED or not likes.add(tx, content_id, caller, now):
        raise BadBody(f"The content with id {content_id} cannot be liked, or you like it already.")
    return found, likes.list_of(tx, content_id)


def unlike(tx: Transaction, caller: User, content_id: int) -> None:
    """Like a content no longer. Raises ``ContentNotFound``."""
    read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    likes.remove(tx, content_id, caller)
