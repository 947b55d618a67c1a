"""Versions: what a content was before, who wrote it, and forgetting an old one."""

from __future__ import annotations

from dataclasses import replace

from watersmeet.confluence.content import Content, ContentType, Past
from watersmeet.confluence.errors import BadParameter, ContentNotFound
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read
from watersmeet.content.hold import hold
from watersmeet.content.part import authors_of
from watersmeet.content.right import require_change
from watersmeet.database import attachments
from watersmeet.database import content as contents
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_PAST = ("previousVersion", "nextVersion", "lastUpdated", "contributors")


def list_versions(tx: Transaction, caller: User, content_id: int, window: Window) -> Slice[Content]:
    """Every version of a current content, newest first. Raises ``ContentNotFound``."""
    present = read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    if window.start == 0:
        past = contents.list_past(tx, content_id, caller, window)
        return Slice.of([present, *past][: window.reach], window)
    past = contents.list_past(tx, content_id, caller, replace(window, start=window.start - 1))
    return Slice.of(past, window)


def with_past(tx: Transaction, caller: User, content: Content, asked: Expansion) -> Content:
    """The same version of a content, with what is asked for of what came before and after it (S3.2)."""
    if content.past is not None or not any(name in asked for name in _PAST):
        return content
    number, present, older, newer = content.version.number, content, None, None
    if not content.latest:
        present = read.find(tx, caller, content.id, read.ANY, NOTHING)
    # Numbers may have gaps: old versions can be forgotten.
    if "previousVersion" in asked:
        older = contents.find_neighbour(tx, content.id, number, caller, older=True)
    if "nextVersion" in asked and not content.latest:
        newer = contents.find_neighbour(tx, content.id, number, caller, older=False) or present
    authors = authors_of(contents.contributors(tx, [present.id]), present) if "contributors" in asked else ()
    return replace(content, past=Past(older, newer, present, authors))


def delete_version(tx: Transaction, caller: User, content_id: int, number: int) -> None:
    """Forget an old version of a content; nothing is numbered anew.

    Raises ``ContentNotFound``, ``Forbidden``, or ``BadParameter`` for the present version, which cannot be forgotten.
    """
    present = hold(tx, caller, content_id, read.CURRENT)
    require_change(tx, caller, present)
    if number == present.version.number:
        raise BadParameter(f"Version {number} is the current version, which cannot be deleted.")
    if not contents.delete_version(tx, content_id, number):
        raise ContentNotFound(content_id, number)
    if present.type == ContentType.ATTACHMENT:
        attachments.forget_unneeded(tx, content_id)
