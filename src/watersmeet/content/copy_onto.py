"""Copies onto pages that are there: the next version of one page says what another one says.

Such a page keeps its place, its history and, unless another one is given, its title. What is copied along is added to
what it has; restrictions take the place of its own.
"""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.errors import BadParent, ContentNotFound
from watersmeet.confluence.expansion import WRITTEN_CONTENT, Expansion
from watersmeet.confluence.page import Window
from watersmeet.confluence.permission import SpacePermission
from watersmeet.content import read
from watersmeet.content.copy import Along, Copying
from watersmeet.content.hold import hold_all
from watersmeet.content.property import SentAlong, keep_properties
from watersmeet.content.restriction import copy_restrictions, require_not_locked_out
from watersmeet.content.right import require, require_create
from watersmeet.content.write import Revision, update
from watersmeet.database import copies
from watersmeet.database.application_properties import OF_CONTENT
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_AT_ONCE = 100


def copy_onto(
    tx: Transaction,
    caller: User,
    page_id: int,
    onto_id: int,
    along: Along,
    now: Instant,
    origin: Origin,
    *,
    title: str | None = None,
    storage: str | None = None,
    expansion: Expansion = WRITTEN_CONTENT,
) -> Content:
    """The next version of a page, with the body of another one; or with the title or body that is given.

    Raises ``ContentNotFound``, ``Forbidden``, ``BadBody`` (of too much at once, too), ``BadParent``, ``LocksOut``,
    ``MalformedStorage`` or ``TitleTaken``.
    """
    source, target = hold_all(tx, caller, (page_id, onto_id), read.CURRENT)
    if source.type != ContentType.PAGE:
        raise ContentNotFound(page_id)
    if target.type != ContentType.PAGE or target.id == source.id:
        raise BadParent("A page is copied onto another page.")
    _require(tx, caller, target, along)
    copying = Copying(tx, caller, target.space, along, now, origin, replaces=True)
    said = copying.said_by(source) if storage is None else storage
    update(tx, caller, target.id, Revision(target.version.number + 1, title=title, storage=said), now)
    _along(copying, source, target)
    return read.find(tx, caller, target.id, read.CURRENT, expansion)


def _require(tx: Transaction, caller: User, target: Content, along: Along) -> None:
    """Raises ``Forbidden``. Whether the caller may change the page is looked at when it is changed."""
    if along.custom_contents:
        require_create(tx, caller, target.space, ContentType.PAGE)
    if along.attachments:
        require_create(tx, caller, target.space, ContentType.ATTACHMENT)
    if along.permissions:
        require(tx, caller, target.space, SpacePermission.RESTRICT)


def _along(copying: Copying, source: Content, target: Content) -> None:
    tx, along = copying.tx, copying.along
    if along.labels:
        copies.copy_labels(tx, source.id, target.id, copying.now)
    if along.properties:
        _properties(copying, source.id, target.id)
    copying.in_it(source.id, target.id)
    if along.permissions:
        copy_restrictions(tx, source.id, target.id, copying.now, copying.origin)
        require_not_locked_out(tx, copying.caller, target)


def _properties(copying: Copying, source_id: int, target_id: int) -> None:
    window, more = Window(0, _AT_ONCE), True
    while more:
        some = OF_CONTENT.list_of(copying.tx, source_id, window)
        for each in some.items:
            copying.count_part()
            sent = {each.key: SentAlong(each.value)}
            keep_properties(copying.tx, copying.caller, target_id, sent, copying.now)
        window, more = Window(window.start + _AT_ONCE, _AT_ONCE), some.more
