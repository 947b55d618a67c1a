"""Variables: what a template asks for, and filling it in (``at:var``, ``at:declarations``)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from watersmeet.confluence.content import MAX_BODY
from watersmeet.confluence.errors import BodyTooLarge
from watersmeet.confluence.storage_format.document import Element, parse
from watersmeet.confluence.storage_format.source import Tag, tokens

_DECLARATIONS, _VARIABLE = "at:declarations", "at:var"


def options(storage: str) -> dict[str, tuple[str, ...]]:
    """The values that the variables of a template may have, by their names; only of those that may not have any."""
    if _DECLARATIONS not in storage:
        return {}
    lists = [each for each in parse(storage).walk() if each.name == "at:list"]
    return {each.get("at:name"): _options(each) for each in lists}


def _options(choice: Element) -> tuple[str, ...]:
    return tuple(option.get("at:value") for option in choice.elements() if option.name == "at:option")


def filled_in(storage: str, values: Mapping[str, str]) -> str:
    """The body of a page: without declarations, each variable replaced with its value, or with nothing.

    Values are text: what they hold is no markup. Everything else stays byte for byte. Raises ``BodyTooLarge`` beyond
    ``MAX_BODY``, before anything is joined: one value may be asked for many times.
    """
    kept, position, inside = [], 0, ""
    left = MAX_BODY - len(storage)
    for token in tokens(storage):
        if not isinstance(token, Tag):
            continue
        if inside:
            if token.closes and token.name == inside:
                position, inside = token.end, ""
        elif token.name in (_DECLARATIONS, _VARIABLE):
            kept.append(storage[position : token.start])
            if token.name == _VARIABLE:
                value = _text(values.get(token.get("at:name"), ""))
                kept.append(value)
                left -= len(value)
                if left < 0:
                    raise BodyTooLarge(MAX_BODY)
            position, inside = token.end, "" if token.empty else token.name
    return "".join(kept) + storage[position:]


def _text(value: str) -> str:
    return "<br />".join(escape(line, quote=False) for line in value.splitlines())
