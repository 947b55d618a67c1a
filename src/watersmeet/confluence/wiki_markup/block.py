"""Lines of wiki markup: paragraphs, headings, lists, tables, quotations, and macros with a body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from watersmeet.confluence.wiki_markup.inline import inline
from watersmeet.confluence.wiki_markup.macro import BARE, MACRO, VERBATIM, Macro, plain, rich

_MAX_DEPTH = 12  # macros within macros; what is deeper is text

_HEADING = re.compile(r"\s*h([1-6])\.\s*(.*)")
_QUOTED = re.compile(r"\s*bq\.\s*(.*)")
_RULE = re.compile(r"\s*-{4,}\s*")
_ITEM = re.compile(r"\s*([*#-]{1,12})\s+(.*)")
_ROW = re.compile(r"\s*\|.*")
_CELL = re.compile(r"(\|\|?)((?:\\.|\[[^\[\]]{0,2000}\]|\{[^{}]{0,1000}\}|![^!|\s][^!]{0,500}!|[^|\\])*)")


def storage_of(wiki: str) -> str:
    """A body in wiki markup as storage format."""
    return _Reader(wiki.replace("\r\n", "\n").replace("\r", "\n"), 0).read()


@dataclass(slots=True)
class _Reader:
    """One reading of one text, and of the bodies of the macros in it."""

    text: str
    depth: int
    position: int = 0
    written: list[str] = field(default_factory=list)
    paragraph: list[str] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)

    def read(self) -> str:
        while self.position < len(self.text):
            if not self._macro():
                self._line()
        self._end_paragraph()
        return "".join(self.written)

    def _line(self) -> None:
        line = self._take()
        if not line.strip():
            self._end_paragraph()
            return
        for pattern, write in self._LINES:
            if found := pattern.fullmatch(line):
                self._end_paragraph()
                write(self, found)
                return
        self.paragraph.append(line.strip())

    def _take(self) -> str:
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        line, self.position = self.text[self.position : end], end + 1
        return line

    def _peek(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        end = self.text.find("\n", self.position)
        return pattern.fullmatch(self.text, self.position, len(self.text) if end < 0 else end)

    def _end_paragraph(self) -> None:
        if self.paragraph:
            self.written.append(f"<p>{'<br />'.join(map(inline, self.paragraph))}</p>")
            self.paragraph = []

    # ---- macros with a body -----------------------------------------------------------------------------

    def _macro(self) -> bool:
        """Read a macro with a body that begins here, if one does."""
        start = self.position
        while start < len(self.text) and self.text[start] in " \t":
            start += 1
        found = MACRO.match(self.text, start)
        if not found or found[1] in BARE or found[1] == "color" or self.depth >= _MAX_DEPTH:
            return False
        closing = f"{{{found[1]}}}"
        if self._last(closing) < found.end():
            return False
        end = self.text.find(closing, found.end())
        if "\n" not in self.text[found.end() : end] and found[1] not in _BLOCKS | VERBATIM:
            return False  # within a line
        self._end_paragraph()
        self._write_macro(Macro.of(found), self.text[found.end() : end])
        self.position = end + len(closing)
        if self.text.startswith("\n", self.position):
            self.position += 1
        return True

    def _last(self, closing: str) -> int:
        """Where a macro is closed for the last time: looked for once, however many of them are opened."""
        if closing not in self.last:
            self.last[closing] = self.text.rfind(closing)
        return self.last[closing]

    def _write_macro(self, macro: Macro, body: str) -> None:
        if macro.name in VERBATIM:
            self.written.append(macro.storage(plain(body.removeprefix("\n").removesuffix("\n"))))
            return
        inner = _Reader(body.strip("\n"), self.depth + 1).read()
        self.written.append(
            f"<blockquote>{inner}</blockquote>" if macro.name == "quote" else macro.storage(rich(inner))
        )

    # ---- lines ------------------------------------------------------------------------------------------

    def _heading(self, found: re.Match[str]) -> None:
        self.written.append(f"<h{found[1]}>{inline(found[2].strip())}</h{found[1]}>")

    def _quoted(self, found: re.Match[str]) -> None:
        self.written.append(f"<blockquote><p>{inline(found[1].strip())}</p></blockquote>")

    def _rule(self, _: re.Match[str]) -> None:
        self.written.append("<hr />")

    def _list(self, found: re.Match[str]) -> None:
        """Items as long as they follow one another; the signs in front of one say in which lists it is."""
        opened = ""
        item: re.Match[str] | None = found
        while item:
            signs, words = item[1], item[2].strip()
            kept = len(_common(opened, signs))
            self.written.append("".join(_END[sign] for sign in reversed(opened[kept:])))
            if kept == len(signs):
                self.written.append("</li><li>")
            self.written.append("".join(_BEGIN[sign] for sign in signs[kept:]))
            self.written.append(inline(words))
            opened = signs
            item = self._peek(_ITEM)
            if item and not _RULE.fullmatch(item[0]):
                self._take()
            else:
                item = None
        self.written.append("".join(_END[sign] for sign in reversed(opened)))

    def _table(self, found: re.Match[str]) -> None:
        rows = [found[0]]
        while self._peek(_ROW):
            rows.append(self._take())
        self.written.append(f"<table><tbody>{''.join(map(_row, rows))}</tbody></table>")

    _LINES: ClassVar = (
        (_HEADING, _heading),
        (_QUOTED, _quoted),
        (_RULE, _rule),
        (_ITEM, _list),
        (_ROW, _table),
    )


_BLOCKS = frozenset(("panel", "info", "note", "tip", "warning", "quote", "expand", "section", "column", "excerpt"))
_BEGIN = {"*": "<ul><li>", "-": '<ul class="alternate"><li>', "#": "<ol><li>"}
_END = {"*": "</li></ul>", "-": "</li></ul>", "#": "</li></ol>"}


def _common(left: str, right: str) -> str:
    for length in range(min(len(left), len(right)), 0, -1):
        if left[:length] == right[:length]:
            return left[:length]
    return ""


def _row(line: str) -> str:
    cells = []
    for sign, words in _CELL.findall(line.strip()):
        name = "th" if sign == "||" else "td"
        cells.append((name, words.strip()))
    if cells and not cells[-1][1]:
        cells.pop()  # the sign at the end of a row opens no cell
    return f"<tr>{''.join(f'<{name}><p>{inline(words)}</p></{name}>' for name, words in cells)}</tr>"
