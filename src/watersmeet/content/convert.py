"""Converting bodies from one representation to another."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import BadBody, BadParameter, BodyTooLarge, NotServed
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.representation import PUBLIC, RENDERED
from watersmeet.confluence.site import Site
from watersmeet.confluence.storage_format import render, validate
from watersmeet.confluence.storage_format.naming import Place
from watersmeet.content import read, space
from watersmeet.content.known import look_up, place_of
from watersmeet.content.text import check_text
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import ANONYMOUS, User

_READ = ("storage", "wiki", "editor")
# What the original's editor keeps macros, links and the like in: nobody but it can tell what they were.
_EDITORS_OWN = re.compile(r'class="[^"]*(?:editor-inline-macro|wysiwyg-macro)|data-(?:linked-resource|macro)-')


@dataclass(frozen=True, slots=True)
class Conversion:
    """A body in one representation that is wanted in another.

    ``content_id`` and ``space_key`` say where it is to stand: what it names is relative to that.
    """

    value: str
    representation: str
    into: str
    content_id: int | None = None
    space_key: str | None = None


def read_storage(value: str, representation: str) -> str:
    """A body as storage format. Raises ``BadBody``, ``BodyTooLarge``, ``MalformedStorage`` or ``NotServed``."""
    check_text(value)
    if representation not in _READ:
        raise BadBody(f"Bodies are converted from {', '.join(_READ)}, not from {representation!r}.")
    if representation == "wiki":
        from watersmeet.confluence.wiki_markup import MAX_WIKI, storage_of  # its patterns take a while to compile

        if len(value) > MAX_WIKI:
            raise BodyTooLarge(MAX_WIKI)
        value = storage_of(value)
    if representation == "editor" and _EDITORS_OWN.search(value):
        raise NotServed("The editor's own way to write macros and links is not read; plain XHTML is. Send 'storage'.")
    validate(value)
    return value


def convert(tx: Transaction, caller: User, storage: str, wanted: Conversion, site: Site) -> str:
    """A body in storage format in the representation that is wanted. Raises ``BadParameter``.

    Or ``ContentNotFound`` or ``SpaceNotFound`` for where it is to stand.
    """
    if wanted.into == "storage":
        return storage
    if wanted.into not in RENDERED:
        raise BadParameter(f"Bodies are converted to storage, {', '.join(RENDERED)}, not to {wanted.into!r}.")
    place = _place(tx, caller, wanted)
    reader = ANONYMOUS if wanted.into == PUBLIC else caller
    known = look_up(tx, reader, [(storage, place)])
    return render(storage, wanted.into, known.at(place), site.base_url, place, site.context_path)


def _place(tx: Transaction, caller: User, wanted: Conversion) -> Place:
    if wanted.content_id is not None:
        found: Content = read.find(tx, caller, wanted.content_id, read.CURRENT, NOTHING)
        return place_of(found)
    if wanted.space_key:
        return Place(space.find(tx, caller, wanted.space_key, NOTHING).key, 0)
    return Place("", 0)
