"""Verdicts: what a row found, for whoever reads the table, the JSON file or the document."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What a row found. ``NOT_SUPPORTED``: nothing advertises the feature and it is refused, or it cannot be tried."""

    PASS = "pass"
    FAIL = "fail"
    NOT_SUPPORTED = "not supported"
    LEGACY_ACCEPTED = "legacy-accepted"


@dataclass
class Row:
    """One row as it is being tried, under one client profile."""

    id: str
    test: str
    profile: str
    verdict: Verdict = Verdict.PASS
    note: str = ""
    notes: list[str] = field(default_factory=list)

    def not_supported(self, why: str) -> None:
        """Nothing advertises the feature and its endpoints refuse; the test goes on to show both."""
        self.verdict, self.note = Verdict.NOT_SUPPORTED, why

    def legacy_accepted(self, what: str) -> None:
        """Accepted, because the client is registered for the vendor's dialect."""
        self.verdict, self.note = Verdict.LEGACY_ACCEPTED, what


def table(rows: list[Row]) -> list[str]:
    """The rows as lines of text, in order."""
    ordered = sorted(rows, key=lambda row: (row.id, row.profile != "strict"))
    return [f"{row.id}  {row.profile:<13} {row.verdict.value:<15} {row.note}".rstrip() for row in ordered]
