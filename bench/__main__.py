"""``python -m bench``: measure, print, and with ``--write`` make docs/performance.md."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.support.postgresql import PostgresqlMissingError, PostgresqlServer, running_postgresql

from bench import growth, pages, physical, workloads
from bench.costs import measure_costs
from bench.peer import installed_peers
from bench.report import DOCUMENT, Found, as_markdown
from bench.runtime import make_runtime
from bench.startup import measure_startup
from bench.subjects import DatabaseUrl, Limit, Subject, Watersmeet, database_of, sqlite_file


def main() -> None:
    """Measure what the options ask for."""
    arguments = _arguments()
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"bench {time.monotonic() - began:4.0f} s  {what}", file=sys.stderr, flush=True)

    found = Found(rounds=arguments.runs, seconds=arguments.seconds, rows=arguments.rows)
    if not arguments.only_growth:
        with _postgresql(found) as postgresql:
            _measure(found, arguments, postgresql, say)
    _measure_growth(found, arguments, say)
    report = as_markdown(found)
    print(report)
    if arguments.write:
        DOCUMENT.write_text(report, encoding="utf-8")
    say("done")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, help="rounds, each with every subject (default: 3; with --quick 1)")
    parser.add_argument("--seconds", type=float, help="length of one workload (default: 3; with --quick 0.5)")
    parser.add_argument(
        "--starts", type=int, help="starts of `watersmeet dev` to measure (default: 15; with --quick 3)"
    )
    parser.add_argument(
        "--rows", type=int, help="tokens in the big store (default: 1000000; with --quick 100000; 10000000 takes 12 GB)"
    )
    parser.add_argument("--only-growth", action="store_true", help="nothing but small stores against big ones")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of twelve: no peers, short workloads")
    parser.add_argument("--write", action="store_true", help="write the result into docs/performance.md")
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.runs = max(1, arguments.runs or (1 if quick else 3))
    arguments.seconds = arguments.seconds or (0.5 if quick else 3.0)
    arguments.starts = max(1, arguments.starts or (3 if quick else 15))
    arguments.rows = max(growth.FEW_ROWS, arguments.rows or (100_000 if quick else 1_000_000))
    return arguments


@contextlib.contextmanager
def _postgresql(found: Found) -> Iterator[PostgresqlServer | None]:
    try:
        with running_postgresql() as server:
            yield server
    except PostgresqlMissingError as error:
        found.missing.append(f"everything on PostgreSQL: {error}.")
        yield None


def _measure(
    found: Found, arguments: argparse.Namespace, postgresql: PostgresqlServer | None, say: Callable[[str], None]
) -> None:
    say("start-up")
    _attempt(found, "start-up", partial(_measure_startup, found, arguments.starts))
    say("where the time goes")
    _attempt(found, "where the time goes", partial(_measure_costs, found))
    subjects = _subjects(found, arguments, postgresql, say)
    ours = [each for each in subjects if isinstance(each, Watersmeet) and each.workers == 1]
    for number in range(1, arguments.runs + 1):
        for subject in subjects:
            say(f"round {number} of {arguments.runs}: {subject.name}")
            _attempt(found, subject.name, partial(_measure_subject, found, subject, arguments.seconds))
        for subject in ours:
            say(f"round {number} of {arguments.runs}: Bearer-protected GET, {subject.engine}")
            _attempt(found, "Bearer-protected GET", partial(_measure_protection, found, subject, arguments.seconds))
        say(f"round {number} of {arguments.runs}: consent page and physical limits")
        _attempt(found, "consent page", partial(_measure_consent, found, ours[0], max(2, arguments.seconds)))
        _attempt(found, "physical limits", partial(_measure_physical, found, postgresql, arguments.seconds))


def _measure_startup(found: Found, starts: int) -> None:
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder:
        python = make_runtime(Path(folder))
        startup = measure_startup(python, starts)
        found.startup, found.starts["dev"] = startup.as_markdown(), startup.seconds
        subject = replace(Watersmeet("SQLite", 1, sqlite_file), python=str(python))
        found.starts["serve"] = [workloads.measure_start(subject) for _ in range(starts + 1)][1:]


def _measure_costs(found: Found) -> None:
    found.costs = measure_costs()


def _measure_physical(found: Found, postgresql: PostgresqlServer | None, seconds: float) -> None:
    found.bare_sqlite.append(physical.bare_sqlite_rate(batches=60, batch=64))
    if postgresql is not None:
        found.pgbench.append(physical.pgbench_rate(postgresql, seconds))


def _measure_growth(found: Found, arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    # Two rounds suffice: each compares two of its own loads, and filling and starting take longer than they do.
    runs = min(2, arguments.runs)
    rows, rounds, seconds = arguments.rows, range(1, runs + 1), arguments.seconds

    def on_tokens() -> None:
        with growth.filled(growth.tokens(rows, live=True), growth.megabytes_of(rows)) as big:
            for number in rounds:
                say(f"round {number} of {runs}: {rows:,} tokens")
                found.growth.append(growth.measure_growth(big, seconds))

    def under_sweep() -> None:
        with growth.filled(growth.tokens(rows, live=False), growth.megabytes_of(rows)) as ended:
            for number in rounds:
                say(f"round {number} of {runs}: sweeping expired tokens")
                found.sweeps.append(growth.measure_sweep(ended, seconds))

    for name, measure in (("growth", on_tokens), ("sweep under load", under_sweep)):
        say(f"filling: {name}")
        _attempt(found, name, measure)
    _measure_pages(found, runs, seconds, say)


def _measure_pages(found: Found, runs: int, seconds: float, say: Callable[[str], None]) -> None:
    def measure(engine: str, few: growth.Filled, many: growth.Filled) -> None:
        for number in range(1, runs + 1):
            say(f"round {number} of {runs}: {pages.MANY_PAGES:,} pages, {engine}")
            found.pages.setdefault(engine, []).append(pages.measure_pages(few, many, seconds))

    def on_sqlite() -> None:
        few, many = pages.pages(pages.FEW_PAGES), pages.pages(pages.MANY_PAGES)
        with growth.filled(few) as small, growth.filled(many, pages.MEGABYTES) as big:
            measure("SQLite", small, big)

    def on_postgresql() -> None:
        with _postgresql(found) as server:
            if server is None:
                return
            fill = partial(pages.filled_on_postgresql, server)
            with fill(pages.FEW_PAGES) as small, fill(pages.MANY_PAGES) as big:
                measure("PostgreSQL", small, big)

    for name, run in (("pages, SQLite", on_sqlite), ("pages, PostgreSQL", on_postgresql)):
        say(f"filling: {name}")
        _attempt(found, name, run)


def _subjects(
    found: Found, arguments: argparse.Namespace, postgresql: PostgresqlServer | None, say: Callable[[str], None]
) -> list[Subject]:
    engines: list[tuple[str, DatabaseUrl]] = [("SQLite", sqlite_file)]
    if postgresql is not None:
        engines.append(("PostgreSQL", database_of(postgresql)))
    workers = (1, 2) if _has_workers() else (1,)
    subjects: list[Subject] = [
        Limit(),
        *(Watersmeet(engine, count, url) for engine, url in engines for count in workers),
    ]
    if len(workers) == 1:
        found.missing.append("two workers: this `serve` has no --workers.")
    if arguments.quick:
        found.missing.append("the peers: left out by --quick.")
    elif postgresql is not None:
        peers, missing = installed_peers(postgresql, say)
        subjects += peers
        found.missing += missing
    return subjects


def _has_workers() -> bool:
    from watersmeet.cli.serve import command

    return any(parameter.name == "workers" for parameter in command.params)


def _measure_subject(found: Found, subject: Subject, seconds: float) -> None:
    rounds = found.grants.setdefault(subject.name, [])
    found.starts.setdefault(subject.name, []).append(workloads.measure_start(subject))
    rounds.append(workloads.measure_grants(subject, seconds))


def _measure_protection(found: Found, subject: Watersmeet, seconds: float) -> None:
    found.protection.setdefault(subject.engine, []).append(workloads.measure_protection(subject, seconds))


def _measure_consent(found: Found, subject: Watersmeet, seconds: float) -> None:
    found.consent.append(workloads.measure_consent(subject, seconds))


def _attempt(found: Found, name: str, measure: Callable[[], None]) -> None:
    """Measure; a subject that fails, however it does, is named, and the others still count."""
    try:
        measure()
    except Exception as error:
        sentence = f"{name} failed: {' '.join(str(error).split())[:300] or type(error).__name__}."
        print(f"bench: {sentence}\n{traceback.format_exc()}", file=sys.stderr)
        if sentence not in found.missing:
            found.missing.append(sentence)


if __name__ == "__main__":
    main()
