"""The suite is complete: every requirement has one test, every class of attack is tried."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from tests.security.requirements import ATTACKS, NOTES, REQUIREMENTS, ROW_NAME


@cache
def rows_tried() -> dict[str, list[str]]:
    """The tests of the suite by the row they are named for."""
    found: dict[str, list[str]] = {}
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            match = ROW_NAME.match(node.name) if isinstance(node, ast.FunctionDef) else None
            if match and isinstance(node, ast.FunctionDef):
                found.setdefault(match[1].upper(), []).append(f"{file.name}::{node.name}")
    return found


def test_every_identifier_is_there_once() -> None:
    assert [row.id for row in REQUIREMENTS] == [f"S{number:03}" for number in range(1, 151)]
    assert [attack.id for attack in ATTACKS] == [f"V{number:02}" for number in range(1, 49)]
    assert [note.id for note in NOTES] == [f"N{number:02}" for number in range(1, 17)]
    assert Counter(row.level for row in REQUIREMENTS) == {"M": 94, "S": 21, "P": 35}
    assert all(row.words.endswith(".") and len(row.words) > 15 for row in (*REQUIREMENTS, *ATTACKS))


def test_every_requirement_has_one_test() -> None:
    tests = rows_tried()
    wanted = [row.id for row in (*REQUIREMENTS, *NOTES)]
    assert {name: len(tests.get(name, [])) for name in wanted} == dict.fromkeys(wanted, 1)


def test_every_class_of_attack_is_tried() -> None:
    tests, known = rows_tried(), {row.id for row in REQUIREMENTS}
    untried = [attack.id for attack in ATTACKS if not attack.tried_by and attack.id not in tests]
    assert untried == []
    assert {name for attack in ATTACKS for name in attack.tried_by} <= known
    assert {name for name in tests if name.startswith("V")} <= {attack.id for attack in ATTACKS}
