"""``make mutate``: break every check of the protocol in turn and see whether a test notices.

mutmut changes one expression at a time in ``oauth2`` and the token slice and runs the tests that come there: a choice
of them first, as different as possible, and all of them for what survives that. What survives both is listed in
docs/security/mutants.md with a reason. A run goes on where the last one ended: ``--again`` gives the survivors another
trial, after tests were added; ``--list`` only renews the document.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_DOCUMENT = _ROOT / "docs" / "security" / "mutants.md"
_SURVIVED = (0, 33)  # mutmut's codes: every test passed; no test came there


@dataclass(frozen=True)
class Mutant:
    """One change that no test noticed."""

    name: str
    removed: str
    added: str


@dataclass(frozen=True)
class Reason:
    """Why a kind of change may survive."""

    words: str
    applies: Callable[[Mutant], bool]


def _differs_only_in_text(mutant: Mutant) -> bool:
    without = [re.sub(r"""f?("[^"]*"|'[^']*')""", '""', line) for line in (mutant.removed, mutant.added)]
    is_text = bool(re.match(r"(raise \w+|super\(\)\.__init__)\(None\)$", mutant.added))
    return is_text or without[0] == without[1] or "detail=" in mutant.removed or "description" in mutant.removed


def _is_encoding_name(mutant: Mutant) -> bool:
    return bool(re.search(r"\.(encode|decode)\(", mutant.removed)) and (
        "None" in mutant.added or mutant.added.lower() == mutant.removed.lower()
        or re.sub(r"\((.*?)\)", "()", mutant.added) == re.sub(r"\((.*?)\)", "()", mutant.removed)
    )  # fmt: skip


_OVER_HTTP = (
    r"\.metadata\.|answer_url|held_to|legacy|bearer_challenge|successor|Keysǁderive|Clientǁaccepts|"
    r"AuthorizationRequestǁparse|requested_client_id"
)


def _is_seen_over_http(mutant: Mutant) -> bool:
    return bool(re.search(_OVER_HTTP, mutant.name))


def _is_equivalent(mutant: Mutant) -> bool:
    """An exchanged authorization has a family; no scopes are more than all; UTF-8 is the default; padding is free."""
    known = ("EXCHANGED and self.family_id", "implied <= closed.keys()", "keep_blank_values=True", "(-len(text) % 4)")
    return any(text in mutant.removed for text in known)


# The first that applies is given; whatever none explains is listed as unexplained, and wants a test.
_REASONS = (
    Reason("a text for people or for the log; the class of the error and its code are tested", _differs_only_in_text),
    Reason("the same encoding by another spelling", _is_encoding_name),
    Reason("no other behaviour can come of it", _is_equivalent),
    Reason("unit tests do not come there: tests/http and tests/security do", _is_seen_over_http),
)


def _mutants() -> tuple[int, list[Mutant]]:
    """How many mutants were tried, and those that survived: read from what mutmut keeps beside each mutated file."""
    tried, survivors = 0, []
    for record in sorted((_ROOT / "mutants" / "src").rglob("*.meta")):
        codes: dict[str, int | None] = json.loads(record.read_text())["exit_code_by_key"]
        functions = _functions(record.with_suffix("").read_text())
        for name, code in codes.items():
            tried += code is not None
            if code in _SURVIVED:
                survivors.append(Mutant(name, *_change(functions, name.rpartition(".")[2])))
    return tried, survivors


def _functions(source: str) -> dict[str, list[str]]:
    """The lines of every variant of every function, by name."""
    lines = source.splitlines()
    return {
        node.name: lines[node.lineno - 1 : node.end_lineno]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _change(functions: dict[str, list[str]], name: str) -> tuple[str, str]:
    original = functions[re.sub(r"__mutmut_\d+$", "__mutmut_orig", name)]
    diff = list(difflib.ndiff(original[1:], functions[name][1:]))
    return _joined(diff, "- "), _joined(diff, "+ ")


def _joined(diff: list[str], mark: str) -> str:
    return " ".join(" ".join(line[2:] for line in diff if line.startswith(mark)).split())


def _reason(mutant: Mutant) -> str | None:
    return next((each.words for each in _REASONS if each.applies(mutant)), None)


def _table(survivors: list[Mutant]) -> list[str]:
    rows = ["| Where | Was | Became | Reason |", "|---|---|---|---|"]
    for mutant in survivors:
        reason = _reason(mutant) or "**unexplained**"
        where = re.sub(r"^watersmeet\.|x_|xǁ|__mutmut_\d+$", "", mutant.name).replace("ǁ", ".")
        rows.append(f"| `{where}` | `{_cell(mutant.removed)}` | `{_cell(mutant.added)}` | {reason} |")
    return rows


def _cell(text: str) -> str:
    return (text[:90] + "…" if len(text) > 90 else text).replace("|", "\\|").replace("`", "'")


def _named(setting: str) -> str:
    settings = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    return ", ".join(f"`{value}`" for value in settings[setting])


def _document(tried: int, survivors: list[Mutant]) -> str:
    texts = [mutant for mutant in survivors if _REASONS[0].applies(mutant)]
    others = [mutant for mutant in survivors if mutant not in texts]
    return "\n".join(
        [
            "# Mutation testing",
            "",
            f"Written on {datetime.now(tz=UTC).date()} by `make mutate`: {tried} mutants of",
            f"{_named('source_paths')}, tried with {_named('pytest_add_cli_args_test_selection')}.",
            f"{tried - len(survivors)} were caught; {len(survivors)} survived, {len(texts)} of them changes of a text",
            "for people or for the log (the error's class and code are tested, its wording is not): they are not",
            "listed one by one.",
            "",
            *_table(others),
            "",
        ]
    )


# ---- running ----------------------------------------------------------------------------------------------

_FIRST_SECONDS = 3.0  # what the choice of tests for a function may take; thousands of mutants wait


def _choose(tests: Iterable[str], duration: Mapping[str, float], seconds: float) -> list[str]:
    """Some of the tests that come to a function, as different from one another as the time allows.

    One case of each test function in turn, those with the fewest cases first: they are about something in particular.
    """
    cases = defaultdict(list)
    for test in sorted(tests, key=lambda test: duration[test]):
        cases[test.partition("[")[0]].append(test)
    turns = sorted(
        ((turn, len(group), test) for group in cases.values() for turn, test in enumerate(group)),
    )
    chosen: list[str] = []
    used = 0.0
    for _, _, test in turns:
        if used + duration[test] <= seconds or not chosen:
            chosen.append(test)
            used += duration[test]
    return chosen


def _run(names: list[str], seconds: float | None) -> None:
    """Try every mutant that has not been tried, with tests for so many seconds each."""
    import mutmut.__main__ as mutmut
    from mutmut.state import state

    collect = mutmut.collect_or_load_stats

    def collect_and_choose(*arguments: object, **named: object) -> None:
        collect(*arguments, **named)
        if seconds is not None:
            found = state()
            for function, tests in found.tests_by_mangled_function_name.items():
                found.tests_by_mangled_function_name[function] = _choose(tests, found.duration_by_test, seconds)

    mutmut.collect_or_load_stats = collect_and_choose
    mutmut._run(tuple(names), 2)  # noqa: SLF001 - there is no public way in


def _retry(is_wanted: Callable[[Mutant], bool]) -> None:
    """Forget that some mutants survived."""
    wanted = {mutant.name for mutant in _mutants()[1] if is_wanted(mutant)}
    for record in (_ROOT / "mutants" / "src").rglob("*.meta"):
        kept = json.loads(record.read_text())
        codes = kept["exit_code_by_key"]
        kept["exit_code_by_key"] = {name: None if name in wanted else codes[name] for name in codes}
        record.write_text(json.dumps(kept, indent=4))


def main() -> None:
    """Run mutmut, or with ``--list`` only read its last results, and write the document."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--list", action="store_true", help="renew the document from the last run")
    parser.add_argument("--again", action="store_true", help="try once more what survived and is no mere text")
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)  # one pass, in a process of its own
    parser.add_argument("names", nargs="*", help="mutants to run, like watersmeet.oauth2.pkce*")
    given = parser.parse_args()
    os.chdir(_ROOT)
    if given.seconds is not None:
        _run(given.names, given.seconds or None)
        return
    if given.again:
        _retry(lambda mutant: not _differs_only_in_text(mutant))
    if not given.list:
        for seconds in (_FIRST_SECONDS, 0.0):
            _pass(seconds, given.names)
            if seconds:
                _retry(lambda mutant: _reason(mutant) is None)
    _DOCUMENT.write_text(_document(*_mutants()))
    print(f"mutate: {_DOCUMENT.relative_to(_ROOT)} written")


def _pass(seconds: float, names: list[str]) -> None:
    # Engines differ in SQL, not in what the protocol decides, and a server for each mutant would take days.
    environment = {**os.environ, "WATERSMEET_TEST_WITHOUT": "postgresql"}
    command = [sys.executable, __file__, "--seconds", str(seconds), *names]
    subprocess.run(command, cwd=_ROOT, env=environment, check=True)


if __name__ == "__main__":
    main()
