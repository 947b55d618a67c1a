"""Request bodies of labels and properties."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from watersmeet.confluence.errors import BadBody, PropertyTooLong
from watersmeet.confluence.metadata import MAX_KEY, MAX_VALUE
from watersmeet.content.label import Word
from watersmeet.content.property import SentAlong

# JSON's way to write the character NUL, which PostgreSQL's own JSON cannot hold.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ABSENT = msgspec.Raw()


class SentLabel(Struct):
    """A label as clients send it."""

    name: str = ""
    prefix: str | None = None

    def word(self) -> Word:
        """The label that is meant. Raises ``BadBody``."""
        return Word.of(self.name, self.prefix)


class PropertyVersion(Struct):
    """The version that a change of a property makes."""

    number: int | None = None


class SentProperty(Struct):
    """A property as clients send it."""

    key: str | None = None
    value: msgspec.Raw = _ABSENT
    version: PropertyVersion | None = None

    @property
    def number(self) -> int:
        """The number of the new version. Raises ``BadBody``."""
        if not self.version or self.version.number is None:
            raise BadBody("The body must carry the number of the new version: 'version': {'number': …}.")
        return self.version.number

    def key_at(self, key: str) -> str:
        """The key in the path of a change, which the body may only repeat. Raises ``BadBody``."""
        if self.key not in (None, key):
            raise BadBody(f"A property keeps its key: the address names {key!r}, the body {self.key!r}.")
        return checked_key(key)

    def text(self) -> str:
        """The value, as the JSON that was sent. Raises ``BadBody`` or ``PropertyTooLong``."""
        value = bytes(self.value)
        if not value:
            raise BadBody("The body must carry the 'value' of the property.")
        if len(value) > MAX_VALUE:
            raise PropertyTooLong(MAX_VALUE)
        try:
            msgspec.json.decode(value)  # what was only skipped over is read: it must be JSON through and through
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadBody(f"The value of the property could not be read: {error}") from error
        if _NUL.search(value):
            raise BadBody("Text must not contain the character NUL.")
        return value.decode()


class Metadata(Struct):
    """What is sent along with a content about it. Only properties are kept."""

    properties: dict[str, SentProperty] | None = None

    def values(self) -> dict[str, SentAlong]:
        """The properties by key. Raises ``BadBody`` or ``PropertyTooLong``."""
        # Clients send back what they were given: _expandable, for one, has no value.
        sent = self.properties or {}
        return {
            checked_key(key): SentAlong(each.text(), each.version.number if each.version else None)
            for key, each in sent.items()
            if bytes(each.value)
        }


def checked_key(key: str | None) -> str:
    """The key of a property. Raises ``BadBody``."""
    if not key or len(key) > MAX_KEY or "\0" in key:
        raise BadBody(f"The key of a property has 1 to {MAX_KEY} characters.")
    return key
