"""Document: storage format as a tree, or the place where it is malformed.

A body is a sequence of XHTML nodes without a root. The prefixes ``ac:``, ``ri:`` and ``at:`` are implied, and the
named entities of XHTML 1.0 are known. Nothing else of a document type can be said: declarations, external entities
and expansion of entities by their author are all malformed. Reading never changes a body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from html.entities import name2codepoint
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from watersmeet.confluence.errors import MalformedStorage

if TYPE_CHECKING:
    from pyexpat import XMLParserType

# Generous for people, and small enough that walking a tree recursively stays within Python's own bound.
MAX_DEPTH = 150
MAX_ELEMENTS = 200_000

IMPLIED_PREFIXES = frozenset(("ac", "ri", "at", "xml", "xmlns"))

_PREDEFINED = frozenset(("amp", "lt", "gt", "quot", "apos"))
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_ROOT = "storage"
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Element:
    """An element by its name as written (``p``, ``ac:link``), its attributes, and what it holds in order."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES)
    children: list[Node] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The value of an attribute; empty where there is none."""
        return self.attributes.get(name, "")

    def elements(self) -> Iterator[Element]:
        """The elements directly inside."""
        return (child for child in self.children if isinstance(child, Element))

    def child(self, *names: str) -> Element | None:
        """The first element directly inside that has one of the names."""
        return next((child for child in self.elements() if child.name in names), None)

    def walk(self) -> Iterator[Element]:
        """The element and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed([child for child in element.children if isinstance(child, Element)]))

    def text(self) -> str:
        """All characters inside, one after the other."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


Node: TypeAlias = Element | str


def parse(storage: str) -> Element:
    """The tree of a body, under a root that is not part of it. Raises ``MalformedStorage``."""
    return _Reader(storage).read()


def validate(storage: str) -> None:
    """Hold a body against the rules of this module. Raises ``MalformedStorage``."""
    parse(storage)


def written(node: Node) -> str:
    """A node as storage format again: the same tree, not the same characters."""
    if isinstance(node, str):
        return escape(node, quote=False)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    if not node.children:
        return f"<{node.name}{attributes} />"
    return f"<{node.name}{attributes}>{''.join(map(written, node.children))}</{node.name}>"


class _Reader:
    """One reading of one body. Lines and columns count from 1, in the text as it was submitted."""

    def __init__(self, storage: str) -> None:
        self.storage = storage
        self.count = 0
        self.open: list[tuple[Element, int, int]] = []
        self.root = Element(_ROOT)

    def read(self) -> Element:
        from xml.parsers import expat  # 0.3 MB that a process without bodies does not need

        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self.parser: XMLParserType = parser
        try:
            # The text starts on a line of its own: its columns are as they were submitted.
            parser.Parse(_prologue(self.storage), False)
            parser.Parse(self.storage, False)
            parser.Parse(f"</{_ROOT}>", True)
        except expat.ExpatError as error:
            raise self._malformed(error) from error
        except UnicodeEncodeError as error:
            line, column = _position(self.storage, error.start)
            raise MalformedStorage("a lone surrogate is no character", line, column) from error
        self.root.children[0] = str(self.root.children[0])[1:]  # the line break of the prologue
        return self.root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.open:
            self.open.append((self.root, 0, 0))
            return
        line, column = self._here()
        self.count += 1
        if len(self.open) > MAX_DEPTH:
            raise MalformedStorage(f"elements are nested deeper than {MAX_DEPTH}", line, column)
        if self.count > MAX_ELEMENTS:
            raise MalformedStorage(f"there are more than {MAX_ELEMENTS} elements", line, column)
        element = Element(name, attributes or _NO_ATTRIBUTES)
        self._check_prefixes(element, line, column)
        self.open[-1][0].children.append(element)
        self.open.append((element, line, column))

    def _end(self, _: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        self.open[-1][0].children.append(text)

    def _check_prefixes(self, element: Element, line: int, column: int) -> None:
        for name in (element.name, *element.attributes):
            prefix, colon, _ = name.partition(":")
            if colon and prefix not in IMPLIED_PREFIXES and not self._declares(element, prefix):
                raise MalformedStorage(f'the prefix "{prefix}" of "{name}" is not declared', line, column)

    def _declares(self, element: Element, prefix: str) -> bool:
        declaration = f"xmlns:{prefix}"
        return declaration in element.attributes or any(declaration in above.attributes for above, _, _ in self.open)

    def _here(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber - 1, self.parser.CurrentColumnNumber + 1

    def _malformed(self, error: Exception) -> MalformedStorage:
        from xml.parsers.expat import errors

        line, column = error.lineno - 1, error.offset + 1  # type: ignore[attr-defined]
        cause = errors.messages.get(error.code, "not well-formed")  # type: ignore[attr-defined]
        element, opened_line, opened_column = self.open[-1] if self.open else (self.root, 0, 0)
        if cause == errors.XML_ERROR_TAG_MISMATCH and element is not self.root:
            cause = f"<{element.name}> at [{opened_line},{opened_column}] is not closed before the next closing tag"
        elif cause == errors.XML_ERROR_TAG_MISMATCH or not self.open:
            cause = "a closing tag closes nothing"
        elif cause == errors.XML_ERROR_UNDEFINED_ENTITY and (found := _ENTITY.match(self._line(line), column - 1)):
            cause = f"the entity &{found[1]}; is not known"
        return MalformedStorage(cause, line, column)

    def _line(self, number: int) -> str:
        lines = re.split(r"\r\n|\r|\n", self.storage)
        return lines[number - 1] if 0 < number <= len(lines) else ""


def _prologue(storage: str) -> str:
    """Declarations of the known entities that the body names, and the start of its root."""
    named = {name for name in _ENTITY.findall(storage) if name in name2codepoint} - _PREDEFINED
    declared = "".join(f'<!ENTITY {name} "&#{name2codepoint[name]};">' for name in sorted(named))
    return f"<!DOCTYPE {_ROOT} [{declared}]><{_ROOT}>\n"


def _position(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")
