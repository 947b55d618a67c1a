"""Literals: Python as people write it, in double quotes and short lines."""

from __future__ import annotations

import json

_WIDTH = 100


def quoted(text: str) -> str:
    """A string, with an escape for whatever cannot be seen or turns the text around."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def json_literal(text: str) -> str | None:
    """The Python for a JSON document; ``None`` if it is none."""
    try:
        return literal(json.loads(text))
    except ValueError:
        return None


def literal(value: object) -> str:
    """A value of JSON as Python."""
    match value:
        case dict():
            return "{" + ", ".join(f"{quoted(name)}: {literal(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case str():
            return quoted(value)
    return repr(value)


def written(value: str | int | None) -> str:
    """A string or a number."""
    return quoted(value) if isinstance(value, str) else repr(value)


def pairs(items: dict[str, str]) -> str:
    """What stands between the braces of a dictionary of strings."""
    return ", ".join(f"{quoted(name)}: {quoted(value)}" for name, value in items.items())


def call(function: str, arguments: list[str]) -> str:
    """A call on one line, or one line an argument when that gets too long."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return f"{function}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"
