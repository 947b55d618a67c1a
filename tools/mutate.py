"""``make mutate``: break every check of the protocol in turn and see whether a test notices.

mutmut changes one expression at a time in ``oauth2`` and the token slice and runs, quickest first, the tests of that
part that come there. What survives is listed in docs/security/mutants.md with a reason: the proof that it changes
nothing, from tools/equivalent_mutants.toml, or that it changes a text for the log and nothing else. A survivor without
a reason wants a test.

A run goes on where the last one ended: what was tried is not tried again until its function changes, except what is
named. ``--again`` tries the survivors without a reason once more, after tests were added; ``--list`` only renews the
document.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

_ROOT = Path(__file__).parents[1]
_RECORDS = _ROOT / "mutants" / "src"
_DOCUMENT = _ROOT / "docs" / "security" / "mutants.md"
_EQUIVALENT = _ROOT / "tools" / "equivalent_mutants.toml"

_IN_MEMORY = Path("/dev/shm")
_NOT_CAUGHT = (0, 33)  # mutmut's codes: every test passed; no test came there

# Each part is tried with the tests that pin its own decisions; that others lean on it proves little. The first fits.
_TRIED_WITH = (
    ("watersmeet.oauth2.", ("tests/unit/",)),
    ("watersmeet.tokens.http.", ("tests/unit/", "tests/database/", "tests/http/")),
    ("watersmeet.tokens.", ("tests/unit/", "tests/database/")),
)


@dataclass(frozen=True)
class Mutant:
    """One change of one function, and what the tests said: whether they caught it, ``None`` before it is tried."""

    name: str
    caught: bool | None
    before: str
    """The source of the whole function."""
    after: str

    @property
    def where(self) -> str:
        """The function, as people write it."""
        plain = re.sub(r"^watersmeet\.|__mutmut_\d+$", "", self.name)
        return re.sub(r"\.x[_ǁ]", ".", plain).replace("ǁ", ".")

    @property
    def change(self) -> tuple[str, str]:
        """The lines that went and those that came in their place, each on one line."""
        diff = list(difflib.ndiff(self.before.splitlines(), self.after.splitlines()))
        was, became = (
            " ".join(" ".join(line[2:] for line in diff if line.startswith(mark)).split()) for mark in ("- ", "+ ")
        )
        return was, became


def _mutants() -> Iterator[Mutant]:
    """Every mutant there is, from what mutmut keeps beside each mutated file."""
    for record in sorted(_RECORDS.rglob("*.meta")):
        codes: dict[str, int | None] = json.loads(record.read_text())["exit_code_by_key"]
        variants = _variants(record.with_suffix("").read_text())
        for name, code in codes.items():
            function = name.rpartition(".")[2]
            before = variants[re.sub(r"__mutmut_\d+$", "__mutmut_orig", function)]
            yield Mutant(name, None if code is None else code not in _NOT_CAUGHT, before, variants[function])


def _variants(source: str) -> dict[str, str]:
    """The source of every variant of every function by its name, without that name."""
    lines = source.splitlines()
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]).replace(node.name, "it")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


# ---- reasons ----------------------------------------------------------------------------------------------


# Read, not imported: what mutmut imports must be the mutated copy.
_ERRORS = {
    node.name
    for module in ("errors.py", "oauth2/errors.py")
    for node in ast.parse((_ROOT / "src" / "watersmeet" / module).read_text()).body
    if isinstance(node, ast.ClassDef)
}


class _LogTexts(ast.NodeTransformer):
    """Empties what only the log shows: the private ``detail`` of an error, and the words of a log call."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        called = ast.unparse(node.func)
        if called in _ERRORS:
            node.keywords = [each for each in node.keywords if each.arg != "detail"]
        if called.startswith("log."):
            node.args = []
            node.keywords = []
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        self.generic_visit(node)
        if isinstance(node.exc, ast.Call) and not node.exc.args and not node.exc.keywords:
            node.exc = node.exc.func  # `raise Error()` is `raise Error`
        return node


@cache
def _without_log_texts(function: str) -> str:
    return ast.unparse(_LogTexts().visit(ast.parse(_dedented(function))))


def _dedented(function: str) -> str:
    return re.sub(rf"(?m)^{function[: len(function) - len(function.lstrip())]}", "", function)


def changes_only_the_log(mutant: Mutant) -> bool:
    """Whether both variants are the same program but for what only the log shows."""
    return _without_log_texts(mutant.before) == _without_log_texts(mutant.after)


@cache
def _equivalent() -> Mapping[tuple[str, str], str]:
    """By the function and what it became: why that does the same."""
    entries = tomllib.loads(_EQUIVALENT.read_text()).get("mutant", [])
    return {(each["where"], became): each["because"] for each in entries for became in each["became"]}


def _reason(mutant: Mutant) -> str | None:
    return _equivalent().get((mutant.where, mutant.change[1]))


# ---- the document -----------------------------------------------------------------------------------------


def _document(mutants: Iterable[Mutant]) -> str:
    by_module: defaultdict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_module[mutant.name.rpartition(".")[0].removeprefix("watersmeet.")].append(mutant)
    everything = [mutant for group in by_module.values() for mutant in group]
    survivors = [mutant for mutant in everything if mutant.caught is False]
    to_list = [mutant for mutant in survivors if not changes_only_the_log(mutant)]
    return "\n".join(
        [
            "# Mutation testing",
            "",
            f"Written on {datetime.now(tz=UTC).date()} by `make mutate`: every expression of `oauth2/` and of the",
            "token slice was changed in turn, and the tests of that part that come there had to notice.",
            "",
            *_summary(by_module),
            "",
            "*Log only*: nothing changes but a text for the log, which is the private `detail` of an error or the",
            "words of a log line; the class of the error, its code and what the client is told are tested. They are",
            "not listed one by one. *Equivalent*: nothing changes at all, and the table says why.",
            "*Not tried*: not since the function last changed; the next `make mutate` goes on there.",
            "",
            *_table(to_list),
            "",
        ]
    )


def _summary(by_module: Mapping[str, list[Mutant]]) -> list[str]:
    rows = [
        "| Module | Mutants | Caught | Log only | Equivalent | Unexplained | Not tried |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    total = [0] * 6
    for module, mutants in by_module.items():
        counts = _counts(mutants)
        total = [one + other for one, other in zip(total, counts, strict=True)]
        rows.append(f"| `{module}` | {' | '.join(map(str, counts))} |")
    return [*rows, f"| **all** | {' | '.join(map(str, total))} |"]


def _counts(mutants: list[Mutant]) -> list[int]:
    survivors = [mutant for mutant in mutants if mutant.caught is False]
    log_only = [mutant for mutant in survivors if changes_only_the_log(mutant)]
    equivalent = [mutant for mutant in survivors if mutant not in log_only and _reason(mutant)]
    caught = sum(mutant.caught is True for mutant in mutants)
    unexplained = len(survivors) - len(log_only) - len(equivalent)
    return [
        len(mutants), caught, len(log_only), len(equivalent), unexplained, len(mutants) - caught - len(survivors)
    ]  # fmt: skip


def _table(survivors: list[Mutant]) -> list[str]:
    rows = ["| Where | Was | Became | Reason |", "|---|---|---|---|"]
    for mutant in survivors:
        was, became = mutant.change
        reason = _reason(mutant) or "**unexplained**"
        rows.append(f"| `{mutant.where}` | `{_cell(was)}` | `{_cell(became)}` | {reason} |")
    return rows


def _cell(text: str) -> str:
    return (text[:90] + "…" if len(text) > 90 else text).replace("|", "\\|").replace("`", "'")


# ---- running ----------------------------------------------------------------------------------------------


def _run(names: list[str]) -> None:
    """Try every mutant that has not been tried, or those that are named."""
    import mutmut.__main__ as mutmut
    from mutmut.state import state

    collect = mutmut.collect_or_load_stats

    def collect_and_choose(*arguments: Any, **named: Any) -> None:
        collect(*arguments, **named)
        found = state()
        for function, tests in found.tests_by_mangled_function_name.items():
            chosen = sorted(_fitting(function, tests), key=lambda test: found.duration_by_test[test])
            # mutmut asks no more of it than to be a collection; in this order the quickest comes first.
            found.tests_by_mangled_function_name[function] = cast("set[str]", chosen)

    mutmut.collect_or_load_stats = collect_and_choose
    # Engines differ in SQL, not in what the protocol decides, and a server for each mutant would take days.
    os.environ["WATERSMEET_TEST_WITHOUT"] = "postgresql"
    # Thousands of databases are made and thrown away: where there is a disk in memory, none waits for another one.
    with TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = os.environ["WATERSMEET_TEST_TEMPLATES"] = folder
        mutmut._run(tuple(names), 2)  # noqa: SLF001 - there is no public way in


def _fitting(function: str, tests: Iterable[str]) -> list[str]:
    folders = next(folders for part, folders in _TRIED_WITH if function.startswith(part))
    return [test for test in tests if test.startswith(folders)]


def _unexplained(patterns: list[str]) -> list[str]:
    """The names of the survivors without a reason, among those that one of the patterns fits."""
    return [
        mutant.name
        for mutant in _mutants()
        if mutant.caught is False
        and not (changes_only_the_log(mutant) or _reason(mutant))
        and any(fnmatch(mutant.name, pattern) for pattern in patterns or ["*"])
    ]


def main() -> None:
    """Run mutmut, or with ``--list`` only read its last results, and write the document."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--list", action="store_true", help="renew the document from the last run")
    parser.add_argument("--again", action="store_true", help="try once more what survived and has no reason")
    parser.add_argument("names", nargs="*", help="mutants to run, like 'watersmeet.oauth2.pkce.*'")
    given = parser.parse_args()
    os.chdir(_ROOT)
    names = _unexplained(given.names) if given.again else given.names
    if not given.list and (names or not given.again):
        _run(names)
    mutants = list(_mutants())
    _DOCUMENT.write_text(_document(mutants))
    unexplained = sum(_counts(mutants)[4:5])
    print(f"mutate: {_DOCUMENT.relative_to(_ROOT)} written; {unexplained} survivors without a reason")
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
