"""``make security``: the whole specification, statistics included, and the documents that say what came of it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.security.harness.verdict import Verdict
from tests.security.known_failures import KNOWN_FAILURES
from tests.security.requirements import ATTACKS, NOTES, REQUIREMENTS, Requirement
from tests.security.test_specification import rows_tried

_ROUNDS = 100
_DOCUMENTS = Path(__file__).parents[2] / "docs" / "security"


class Found(msgspec.Struct, frozen=True):
    """One verdict, as the run wrote it."""

    id: str
    test: str
    profile: str
    verdict: Verdict
    note: str = ""


class Run(msgspec.Struct, frozen=True):
    """Everything a run wrote."""

    rows: list[Found]
    target: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class _Document:
    run: Run
    today: str
    command: str

    def text(self) -> str:
        """The report in Markdown: what was judged, the counts, every row, every class of attack."""
        name = f"{self.run.target} {self.run.version}"
        counts = ", ".join(f"{self._count(verdict)} {verdict.value}" for verdict in Verdict)
        return "\n".join(
            [
                f"# Security conformance: {name}",
                "",
                f"Written on {self.today} by `{self.command}`. Verdicts: {counts}.",
                "A row that the vendor's dialect touches has one verdict for each client profile.",
                "How to read and to repeat this, and what a fail of another server means: [README.md](README.md).",
                "",
                "## Requirements",
                "",
                "M: a MUST of a standard; S: a SHOULD; P: a policy stricter than the texts.",
                "",
                "| Row | Level | Requirement | Verdict | Test | Note |",
                "|---|---|---|---|---|---|",
                *(self._row(row) for row in REQUIREMENTS),
                "",
                "## Where the vendor's dialect conflicts",
                "",
                "Accepted of clients registered for it, told to them, counted, audited, shown to the administrator.",
                "",
                "| Note | Level | What holds | Verdict | Test | Note |",
                "|---|---|---|---|---|---|",
                *(self._row(note) for note in NOTES),
                "",
                "## Classes of published attacks",
                "",
                "| Class | What is tried | Verdict | Tried by |",
                "|---|---|---|---|",
                *(self._attack(attack) for attack in ATTACKS),
                "",
            ]
        )

    def _count(self, verdict: Verdict) -> int:
        return sum(found.verdict is verdict for found in self.run.rows)

    def _of(self, identifier: str) -> list[Found]:
        """The worst verdict of each profile: a test with several values found several."""
        worst_last = sorted(self.run.rows, key=lambda each: each.verdict is Verdict.FAIL)
        found = {each.profile: each for each in worst_last if each.id == identifier}
        return sorted(found.values(), key=lambda each: each.profile != "strict")

    def _row(self, row: Requirement) -> str:
        found = self._of(row.id)
        verdicts = "; ".join(
            f"{each.profile}: {each.verdict.value}" if len(found) > 1 else each.verdict.value for each in found
        )
        test = rows_tried()[row.id][0].replace("::", "`<br>`")
        notes = dict.fromkeys(_plain(each.note) for each in found if each.note)
        return f"| {row.id} | {row.level} | {row.words} | {verdicts or 'not run'} | `{test}` | {'; '.join(notes)} |"

    def _attack(self, attack: Requirement) -> str:
        rows = (*attack.tried_by, attack.id)
        verdicts = [each.verdict for name in rows for each in self._of(name)]
        shown = Verdict.FAIL if Verdict.FAIL in verdicts else Verdict.PASS if Verdict.PASS in verdicts else None
        own = [f"`{test.partition('::')[2]}`" for test in rows_tried().get(attack.id, [])]
        tests = ", ".join([*attack.tried_by, *own])
        said = shown.value if shown else verdicts[0].value if verdicts else "not run"
        return f"| {attack.id} | {attack.words} | {said} | {tests} |"


def _plain(note: str) -> str:
    return note.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _command(given: argparse.Namespace) -> str:
    """How a document was made, so that it says what was left out; without the paths of a machine."""
    if given.target:
        return "python -m tests.security --target … --write"
    shorter = " --no-timing" * given.no_timing + f" --rounds {given.rounds}" * (given.rounds < _ROUNDS)
    return f'make security ARGS="--write{shorter}"' if shorter else "make security ARGS=--write"


def main() -> int:
    """Run, report, and with ``--write`` renew the document. The exit code is pytest's."""
    parser = argparse.ArgumentParser(prog="make security", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/security/conformance.md, or --output")
    parser.add_argument("--output", type=Path, default=_DOCUMENTS / "conformance.md", help="the document to write")
    parser.add_argument("--target", type=Path, help="the description of another server")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often races are run (default 100)")
    parser.add_argument("--no-timing", action="store_true", help="leave the statistics of time out")
    parser.add_argument("pytest", nargs="*", help="more for pytest, after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdicts = Path(folder) / "verdicts.json"
        os.environ["WATERSMEET_TEST_VERDICTS"] = str(verdicts)
        os.environ["WATERSMEET_TEST_ROUNDS"] = str(given.rounds)
        if not given.no_timing:
            os.environ["WATERSMEET_TEST_TIMING"] = "1"
        if given.target:
            os.environ["WATERSMEET_TEST_TARGET"] = str(given.target.resolve())
        code = int(pytest.main([str(Path(__file__).parent), "-q", "--tb=line", *given.pytest]))
        run = msgspec.json.decode(verdicts.read_bytes(), type=Run)
    met = {(found.id, found.profile) for found in run.rows if found.verdict is not Verdict.FAIL} & KNOWN_FAILURES.keys()
    if met and not given.target:
        print(
            "met by now, so no longer known failures:",
            *sorted(f"{row} ({profile})" for row, profile in met),
            sep="\n  ",
        )
    if given.write:
        given.output.parent.mkdir(exist_ok=True)
        given.output.write_text(_Document(run, datetime.now(tz=UTC).date().isoformat(), _command(given)).text())
    return code


if __name__ == "__main__":
    sys.exit(main())
