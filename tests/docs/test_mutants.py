"""docs/security/mutants.md: every survivor has a reason, and a reason excuses nothing but what it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tools.mutate import Mutant, changes_only_the_log

ROOT = Path(__file__).parents[2]
MUTANTS = (ROOT / "docs" / "security" / "mutants.md").read_text()


def test_every_mutant_of_every_module_was_tried_and_no_survivor_is_without_a_reason() -> None:
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \|(.*)\|$", MUTANTS, re.MULTILINE)
    counted = {(part, module): [int(number) for number in counts.split("|")] for part, module, counts in rows}
    for part in ("oauth2", "tokens"):
        modules = {path.stem for path in (ROOT / "src" / "watersmeet" / part).glob("*.py")}
        assert modules - {module for found, module in counted if found == part} <= {"__init__", "profile", "vocabulary"}
    for mutants, caught, log_only, equivalent, unexplained, not_tried in counted.values():
        assert (unexplained, not_tried) == (0, 0)
        assert mutants == caught + log_only + equivalent
    assert "unexplained**" not in MUTANTS


def test_every_proof_is_of_a_survivor() -> None:
    reasons = tomllib.loads((ROOT / "tools" / "equivalent_mutants.toml").read_text())["mutant"]
    for each in reasons:
        assert each.keys() == {"where", "became", "because"}
        listed = [line for line in MUTANTS.splitlines() if line.endswith(f" {each['because']} |")]
        assert len([line for line in listed if line.startswith(f"| `{each['where']}` |")]) >= len(each["became"]), each


@pytest.mark.parametrize(
    ("before", "after", "only_the_log"),
    [
        ('raise InvalidClient(detail="disabled")', "raise InvalidClient(detail=None)", True),
        ('raise InvalidClient(detail="disabled")', "raise InvalidClient()", True),
        ("raise InvalidClient(detail=str(error))", "raise InvalidClient(detail=str(None))", True),
        ('error = InvalidClient(detail="x")', 'error = InvalidClient(detail="XXxXX")', True),
        ('log.info("asked", client=client)', 'log.info("ASKED", client=None)', True),
        ('raise InvalidClient(detail="disabled")', "pass", False),
        ('raise InvalidClient(detail="disabled")', 'raise InvalidGrant(detail="disabled")', False),
        ('raise InvalidRequest("Send one.", detail="x")', 'raise InvalidRequest(None, detail="x")', False),
        ('raise InvalidRequest("Send one.")', 'raise InvalidRequest("send one.")', False),
        ('log.info("asked")', "pass", False),
        ("record(tx, detail=detail)", "record(tx, detail=None)", False),
        ("Record(event, detail=detail)", "Record(event)", False),
        ('return {"detail": detail}', 'return {"DETAIL": detail}', False),
        ('if x and log("x"): pass', 'if x or log("x"): pass', False),
    ],
)
def test_a_change_counts_as_one_of_the_log_only_if_nothing_else_changes(
    before: str, after: str, only_the_log: bool
) -> None:
    def function(statement: str) -> str:
        return f"    def it(self):\n        {statement}"

    assert changes_only_the_log(Mutant("m", caught=False, before=function(before), after=function(after))) is (
        only_the_log
    )
