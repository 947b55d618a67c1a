"""Macros in a version of a content, by their ids or the hashes of their bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from watersmeet.confluence.errors import MacroNotFound, MalformedStorage
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.storage_format.document import Element, parse, written
from watersmeet.content import read
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_MACROS = frozenset(("ac:structured-macro", "ac:macro"))
_BODIES = ("ac:rich-text-body", "ac:plain-text-body")
_BODY = Expansion.parse(["body"])


@dataclass(frozen=True, slots=True)
class MacroInstance:
    """A macro as it stands in a body: ``body`` is storage format, or the text of a macro that holds text."""

    name: str
    body: str
    parameters: dict[str, str]


def find_by_id(tx: Transaction, caller: User, content_id: int, number: int, macro_id: str) -> MacroInstance:
    """The macro with that ``ac:macro-id``. Raises ``ContentNotFound`` or ``MacroNotFound``."""
    return _find(tx, caller, content_id, number, lambda macro: macro.get("ac:macro-id") == macro_id, macro_id)


def find_by_hash(tx: Transaction, caller: User, content_id: int, number: int, digest: str) -> MacroInstance:
    """The first macro whose body has that MD5. Raises ``ContentNotFound`` or ``MacroNotFound``."""

    def matches(macro: Element) -> bool:
        return hashlib.md5(_body_of(macro).encode(), usedforsecurity=False).hexdigest() == digest.lower()

    return _find(tx, caller, content_id, number, matches, digest)


def _find(
    tx: Transaction, caller: User, content_id: int, number: int, matches: Callable[[Element], bool], called: str
) -> MacroInstance:
    content = read.find_version(tx, caller, content_id, number, _BODY)
    try:
        root = parse(content.storage or "")
    except MalformedStorage as error:
        raise MacroNotFound(called) from error
    for macro in root.walk():
        if macro.name in _MACROS and matches(macro):
            parameters = {one.get("ac:name"): one.text() for one in macro.elements() if one.name == "ac:parameter"}
            return MacroInstance(macro.get("ac:name"), _body_of(macro), parameters)
    raise MacroNotFound(called)


def _body_of(macro: Element) -> str:
    body = macro.child(*_BODIES)
    if body is None:
        return ""
    return body.text() if body.name == "ac:plain-text-body" else "".join(map(written, body.children))
