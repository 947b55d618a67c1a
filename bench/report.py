"""The report: rounds become medians, medians become tables, tables become docs/performance.md."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.costs import Costs
from bench.growth import FEW_ROWS, STEADY_PER_SECOND, Grown, Swept
from bench.load import Load
from bench.pages import FEW_PAGES, MANY_PAGES, VERSIONS, PagesRead, Wiki
from bench.workloads import CONNECTIONS, CONSENTS_PER_SECOND, Grants, Protection

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass(slots=True)
class Found:
    """All that one run found; what was left out stays empty."""

    rounds: int
    seconds: float
    rows: int
    """Tokens in the big stores."""
    grants: dict[str, list[Grants]] = field(default_factory=dict)
    """By the subject's name, a record a round."""
    starts: dict[str, list[float]] = field(default_factory=dict)
    protection: dict[str, list[Protection]] = field(default_factory=dict)
    """By the engine's name."""
    consent: list[Load] = field(default_factory=list)
    pgbench: list[float] = field(default_factory=list)
    bare_sqlite: list[float] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    startup: str = ""
    costs: Costs | None = None
    growth: list[Grown] = field(default_factory=list)
    sweeps: list[Swept] = field(default_factory=list)
    pages: dict[str, list[PagesRead]] = field(default_factory=dict)
    """By the engine's name, a record a round."""


def median(values: Iterable[float | None]) -> float | None:
    """The median of what was measured; ``None`` when nothing was."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _exchanges(found: Found, name: str) -> float | None:
    return median(each.exchange.rate for each in _rounds(found, name))


def _refreshes(found: Found, name: str) -> float | None:
    return median(each.refresh.rate for each in _rounds(found, name))


def _rounds(found: Found, name: str) -> Sequence[Grants]:
    return next((rounds for known, rounds in found.grants.items() if known.startswith(name)), ())


# ---- goals ------------------------------------------------------------------------------------------------

_SQLITE, _POSTGRESQL, _LIMIT = "Watersmeet, SQLite, 1", "Watersmeet, PostgreSQL, 1", "limit"


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing to reach, and how it is read from what was found."""

    number: str
    what: str
    at_least: float | None
    at_most: float | None
    unit: str
    read: Callable[[Found], float | None]

    def row(self, found: Found) -> str:
        """The goal's row of the table: what was wanted, what was found, and by how much it was missed."""
        value = self.read(found)
        wanted = f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"
        what = self.what.replace("ROWS", f"{found.rows:,}")
        if value is None:
            return f"| {self.number} | {what} | {wanted} {self.unit} | | not measured in this run |"
        return f"| {self.number} | {what} | {wanted} {self.unit} | {value:.3g} {self.unit} | {self._verdict(value)} |"

    def _verdict(self, value: float) -> str:
        if self.at_least is not None:
            return "met" if value >= self.at_least else f"missed: {value / self.at_least:.0%} of it"
        assert self.at_most is not None
        return "met" if value <= self.at_most else f"missed: {value / self.at_most:.1f} times it"


def _against(read: Callable[[Found, str], float | None], name: str, other: str) -> Callable[[Found], float | None]:
    def ratio(found: Found) -> float | None:
        mine, theirs = read(found, name), read(found, other)
        return mine / theirs if mine and theirs else None

    return ratio


def _goals_of_grants(
    on_sqlite: str, on_postgresql: str, what: str, read: Callable[[Found, str], float | None]
) -> list[Goal]:
    wanted = [
        (_SQLITE, _LIMIT, 0.40, "the limit"),
        (_SQLITE, "oidc-provider, in memory", 2.5, "oidc-provider in memory"),
        (_SQLITE, "oidc-provider, PostgreSQL", 8, "oidc-provider on PostgreSQL"),
        (_SQLITE, "Authlib", 25, "Authlib on Flask"),
        (_SQLITE, "django-oauth-toolkit", 40, "django-oauth-toolkit"),
        (_POSTGRESQL, _LIMIT, 0.45, "the limit"),
        (_POSTGRESQL, "oidc-provider, PostgreSQL", 10, "oidc-provider on PostgreSQL"),
    ]
    return [
        Goal(
            on_sqlite if name == _SQLITE else on_postgresql,
            f"{what}, {name.split(', ')[1]}, against {whom}",
            least,
            None,
            "",
            _against(read, name, other),
        )
        for name, other, least, whom in wanted
    ]


def _share_of_pgbench(found: Found) -> float | None:
    mine, theirs = _exchanges(found, _POSTGRESQL), median(found.pgbench)
    return mine / theirs if mine and theirs else None


def _share_unprotected(engine: str) -> Callable[[Found], float | None]:
    return lambda found: median(
        each.protected.rate / each.unprotected.rate for each in found.protection.get(engine, ())
    )


def _milliseconds(part: float, loads: Callable[[Found], Iterable[Load]]) -> Callable[[Found], float | None]:
    return lambda found: median(load.percentile(part) * 1000 for load in loads(found))


def _ratio_of_rates(pairs: Callable[[Found], Iterable[tuple[Load, Load]]]) -> Callable[[Found], float | None]:
    return lambda found: median(one.rate / other.rate for one, other in pairs(found))


def _ratio_of_latencies(
    part: float, pairs: Callable[[Found], Iterable[tuple[Load, Load]]]
) -> Callable[[Found], float | None]:
    return lambda found: median(one.percentile(part) / other.percentile(part) for one, other in pairs(found))


def _pages(engine: str, read: Callable[[Wiki], Load]) -> Callable[[Found], Iterable[tuple[Load, Load]]]:
    """Of each round, the load among many pages and the same among few."""
    return lambda found: ((read(each.many), read(each.few)) for each in found.pages.get(engine, ()))


_SEARCHES: list[tuple[str, Callable[[Wiki], Load]]] = [
    ("a word on one page in a hundred", lambda wiki: wiki.rare),
    ("on one in ten", lambda wiki: wiki.usual),
    ("on most", lambda wiki: wiki.broad),
    ("on most, of a type, in a space, in an order", lambda wiki: wiki.narrowed),
]


def _goals_of_pages(engine: str) -> list[Goal]:
    def many(read: Callable[[Wiki], Load]) -> Callable[[Found], Iterable[Load]]:
        return lambda found: (read(each.many) for each in found.pages.get(engine, ()))

    def against_limit(found: Found) -> Iterable[tuple[Load, Load]]:
        return ((each.many.page, each.limit) for each in found.pages.get(engine, ()))

    goals = [
        Goal("P9", f"GET of a page with `expand`, {engine}, median at {MANY_PAGES:,} pages against {FEW_PAGES:,}",
             None, 1.3, "", _ratio_of_latencies(0.5, _pages(engine, lambda wiki: wiki.page))),
        Goal("P9", f"the same at {MANY_PAGES:,} pages, against the limit", 0.25, None, "",
             _ratio_of_rates(against_limit)),
    ]  # fmt: skip
    for what, read in _SEARCHES:
        goals += [
            Goal("P10", f"CQL search, {engine}, first 25 of {MANY_PAGES:,} pages, median; {what}", None, 20, "ms",
                 _milliseconds(0.5, many(read))),
            Goal("P10", f"the same against {FEW_PAGES:,} pages", None, 3, "",
                 _ratio_of_latencies(0.5, _pages(engine, read))),
        ]  # fmt: skip
    return goals


GOALS = [
    *_goals_of_grants("P1", "P2", "code exchange", _exchanges),
    Goal("P2", "code exchange, PostgreSQL, against pgbench", 0.6, None, "", _share_of_pgbench),
    *_goals_of_grants("P3", "P3", "refresh", _refreshes),
    Goal("P4", "Bearer-protected GET against an open one, SQLite", 0.85, None, "", _share_unprotected("SQLite")),
    Goal("P4", "the same, PostgreSQL", 0.60, None, "", _share_unprotected("PostgreSQL")),
    Goal(
        "P5", f"99th percentile of an exchange, SQLite, {CONNECTIONS} connections", None, 25, "ms",
        _milliseconds(0.99, lambda found: (each.exchange for each in _rounds(found, _SQLITE))),
    ),
    Goal("P6", "`dev`, start to ready", None, 0.6, "s", lambda found: median(found.starts.get("dev", ()))),
    Goal("P6", "`serve`, start to first answer", None, 0.8, "s",
         lambda found: median(found.starts.get("serve", ()))),
    Goal("P7", "memory of an idle worker", None, 90, "MB",
         lambda found: median(each.idle_megabytes for each in _rounds(found, _SQLITE))),
    Goal("P7", "memory of a worker after the load, ROWS live tokens", None, 150, "MB",
         lambda found: median(each.many.busy_megabytes for each in found.growth)),
    Goal("P8", f"code exchange, ROWS tokens against {FEW_ROWS:,}", 0.85, None, "",
         _ratio_of_rates(lambda found: ((each.many.exchange, each.few.exchange) for each in found.growth))),
    Goal("P8", f"refresh, ROWS tokens against {FEW_ROWS:,}", 0.85, None, "",
         _ratio_of_rates(lambda found: ((each.many.refresh, each.few.refresh) for each in found.growth))),
    Goal("P8", "99th percentile while ROWS expired tokens are swept against before, as fast as it goes", None, 1.2, "",
         _ratio_of_latencies(0.99, lambda found: ((each.sweeping, each.resting) for each in found.sweeps))),
    Goal("P8", f"the same at {STEADY_PER_SECOND:g} exchanges a second", None, 1.2, "",
         _ratio_of_latencies(
             0.99, lambda found: ((each.sweeping_steadily, each.resting_steadily) for each in found.sweeps))),
    *_goals_of_pages("SQLite"),
    *_goals_of_pages("PostgreSQL"),
    Goal("P11", f"consent page at {CONSENTS_PER_SECOND:g} a second, 95th percentile", None, 50, "ms",
         _milliseconds(0.95, lambda found: found.consent)),
]  # fmt: skip


# ---- tables -----------------------------------------------------------------------------------------------


def _number(value: float | None, form: str = ",.0f") -> str:
    return "" if value is None else format(value, form)


def _grants_table(found: Found) -> list[str]:
    lines = [
        "| | exchanges/s | of the limit | p50 ms | p99 ms | refreshes/s | µs of processor an exchange | MB idle "
        "| MB after the load | s to first answer |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    limit = _exchanges(found, _LIMIT)
    for name, rounds in found.grants.items():
        loads = [each.exchange for each in rounds]
        rate = median(load.rate for load in loads)
        cells = [
            _number(rate),
            _number(rate / limit if rate and limit else None, ".3f"),
            _number(median(load.percentile(0.5) * 1000 for load in loads), ".1f"),
            _number(median(load.percentile(0.99) * 1000 for load in loads), ".1f"),
            _number(median(each.refresh.rate for each in rounds)),
            _number(median(load.server_microseconds for load in loads)),
            _number(median(each.idle_megabytes for each in rounds)),
            _number(median(each.busy_megabytes for each in rounds)),
            _number(median(found.starts.get(name, ())), ".2f"),
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _limits(found: Found) -> list[str]:
    lines = []
    if found.pgbench:
        lines.append(
            f"- pgbench, the statements of one exchange once a transaction: {_number(median(found.pgbench))} a second."
        )
    if found.bare_sqlite:
        lines.append(
            "- The bare SQLite driver, the very statements the server sends, 64 exchanges in a commit: "
            f"{_number(median(found.bare_sqlite))} a second."
        )
    drivers = [each.exchange for rounds in found.grants.values() for each in rounds]
    if drivers:
        busiest = max(load.driver_share for load in drivers)
        own = median(load.driver_seconds / len(load.bodies) * 1e6 for load in drivers)
        lines.append(f"- The load driver itself: {_number(own)} µs a request, at most {busiest:.0%} of a processor.")
    return lines


# What no Bearer check goes without: whoever kept it from one request to the next would honour revoked tokens.
_CHECKED = {
    "SQLite": (
        "the token is signed anew and compared, its digest computed, SQLite asked whether anything changed, and the "
        "scope capped by client and user"
    ),
    "PostgreSQL": "the same and a statement, which goes to another process and comes back through a thread",
}


def _budget(found: Found) -> str:
    """What an exchange on SQLite costs the server, part by part, from the profile and the load of this run."""

    def cost(name: str) -> float | None:
        return median(each.exchange.server_microseconds for each in _rounds(found, name))

    whole, http = cost(_SQLITE), cost(_LIMIT)
    if found.costs is None or whole is None or http is None:
        return ""
    edge, batch = found.costs.edge, found.costs.batch
    rest = whole - http - edge - batch
    lines = [
        f"What stands between P1 and its goal: an exchange on SQLite costs the server {whole:.0f} µs of processor. "
        f"Of these the HTTP server and the framework take {http:.0f} (which is all the limit does), checking, "
        f"deciding, answering and logging {edge:.0f}, deciding and writing as part of a batch, commit included, "
        f"{batch:.0f}, and {rest:.0f} are what is left over: telling the writing thread when to flush and being told "
        "that it has, smaller batches than the profile's, and caches that the load driver on the same cores empties. "
        "SQLite's share is in the table under “Where the time goes”: it searches indexes of digests, which are random "
        "and so touch a page each. The rest is Python's own, spread over many small steps.",
    ]
    server = median(each.exchange.server_microseconds for each in _rounds(found, _POSTGRESQL))
    if server is not None:
        lines.append(
            f"On PostgreSQL (P2) Watersmeet itself spends {server:.0f} µs on an exchange, and PostgreSQL's own "
            "processes come on top, on the same cores."
        )
    lines.append(
        "Refreshing (P3) is the same path with one row more to read and one to spend. The latency of P5 follows from "
        f"the rate: {CONNECTIONS} requests wait at once, each for the processor time of the others."
    )
    for engine, rounds in found.protection.items():
        plain = median(each.unprotected.server_microseconds for each in rounds)
        checked = median(each.protected.server_microseconds for each in rounds)
        if plain is not None and checked is not None:
            lines.append(
                f"A Bearer check on {engine} (P4) adds {checked - plain:.0f} µs to the {plain:.0f} µs of a GET of "
                f"Watersmeet's: {_CHECKED[engine]}."
            )
    for engine, read in found.pages.items():
        page = median(each.many.page.rate for each in read)
        lines.append(
            f"A page with `expand` (P9) is read {_number(page)} times a second on {engine}: two statements that join "
            "spaces and people and check the right to see each row, ancestors included, and the assembly of the "
            "answer; none of it is kept between requests."
        )
    return " ".join(lines)


def _growth_tables(found: Found) -> list[str]:
    rows, few = f"{found.rows:,}", f"{FEW_ROWS:,}"
    lines: list[str] = []
    if found.growth:
        lines += ["| | exchanges/s | p99 ms | refreshes/s | MB after the load |", "|---|---:|---:|---:|---:|"]
        for name, rounds in (
            (f"{few} tokens", [each.few for each in found.growth]),
            (f"{rows} tokens", [each.many for each in found.growth]),
        ):
            cells = [
                _number(median(each.exchange.rate for each in rounds)),
                _number(median(each.exchange.percentile(0.99) * 1000 for each in rounds), ".1f"),
                _number(median(each.refresh.rate for each in rounds)),
                _number(median(each.busy_megabytes for each in rounds)),
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    if found.sweeps:
        lines += ["", f"| on {rows} expired tokens | exchanges/s | p50 ms | p99 ms |", "|---|---:|---:|---:|"]
        loads = [
            ("no sweep", [each.resting for each in found.sweeps]),
            ("sweep at work", [each.sweeping for each in found.sweeps]),
            (f"{STEADY_PER_SECOND:g} a second, no sweep", [each.resting_steadily for each in found.sweeps]),
            (f"{STEADY_PER_SECOND:g} a second, sweep at work", [each.sweeping_steadily for each in found.sweeps]),
        ]
        lines += [f"| {name} | {_load_cells(some)} |" for name, some in loads]
        pruned = _number(median(each.pruned_per_second for each in found.sweeps))
        lines += ["", f"Meanwhile the sweep deleted {pruned} grants a second beside the exchanges at full speed."]
    for engine, read in found.pages.items():
        heading = f"GET of a page with `expand`, {engine}, {CONNECTIONS} connections"
        lines += ["", f"| {heading} | requests/s | p50 ms | p99 ms |", "|---|---:|---:|---:|"]
        reads = [
            (f"{FEW_PAGES:,} pages", [each.few.page for each in read]),
            (f"{MANY_PAGES:,} pages", [each.many.page for each in read]),
            ("limit: as many bytes, no work", [each.limit for each in read]),
        ]
        lines += [f"| {name} | {_load_cells(some)} |" for name, some in reads]
        lines += ["", *_wiki_table(engine, read)]
    return lines


def _wiki_table(engine: str, rounds: Sequence[PagesRead]) -> list[str]:
    lines = [
        f"One request after the other on {engine}, of a space whose pages have {VERSIONS} versions each "
        f"({MANY_PAGES * VERSIONS:,} in the big one):",
        "",
        f"| | p50 ms, {FEW_PAGES:,} pages | p99 ms | p50 ms, {MANY_PAGES:,} pages | p99 ms | p50, many against few |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    kinds: list[tuple[str, Callable[[Wiki], Load]]] = [
        ("GET of a page with `expand`", lambda wiki: wiki.page_alone),
        ("list of 100", lambda wiki: wiki.listed),
        *((f"CQL search, {what}", read) for what, read in _SEARCHES),
    ]
    for name, read in kinds:
        few, many = [read(each.few) for each in rounds], [read(each.many) for each in rounds]
        cells = [
            _number(median(load.percentile(part) * 1000 for load in loads), ".2f")
            for loads in (few, many)
            for part in (0.5, 0.99)
        ]
        growth = median(one.percentile(0.5) / other.percentile(0.5) for one, other in zip(many, few, strict=True))
        lines.append(f"| {name} | {' | '.join(cells)} | {_number(growth, '.2f')} |")
    return lines


def _load_cells(loads: Sequence[Load]) -> str:
    return " | ".join(
        [
            _number(median(load.rate for load in loads)),
            _number(median(load.percentile(0.5) * 1000 for load in loads), ".1f"),
            _number(median(load.percentile(0.99) * 1000 for load in loads), ".1f"),
        ]
    )


def _protection_table(found: Found) -> list[str]:
    lines = ["| | unprotected GET/s | Bearer-protected GET/s | ratio |", "|---|---:|---:|---:|"]
    for engine, rounds in found.protection.items():
        unprotected, protected = (
            median(each.unprotected.rate for each in rounds), median(each.protected.rate for each in rounds),
        )  # fmt: skip
        ratio = _share_unprotected(engine)(found)
        lines.append(f"| {engine} | {_number(unprotected)} | {_number(protected)} | {_number(ratio, '.2f')} |")
    return lines


def as_markdown(found: Found) -> str:
    """The whole document."""
    sections = [
        "# Performance",
        "What was measured, by which command. No number here is typed by hand: `make bench ARGS=--write` makes this "
        "document. Machines differ, and so do runs on one machine: compare only numbers of one run, and rather the "
        "ratios than the numbers.",
        _circumstances(found),
        "## Goals",
        "The limit is the same HTTP server and framework (uvicorn, Starlette), answering as many bytes without doing "
        "the work. A goal that is missed says by how much; what the time goes on is under “Where the time goes”.",
        "\n".join(["| | what | goal | found | |", "|---|---|---:|---:|---|", *(goal.row(found) for goal in GOALS)]),
        *filter(None, [_budget(found)]),
        "## Exchanging codes and refreshing tokens",
        f"A code with PKCE and a client secret, {CONNECTIONS} connections, each request answered before the next is "
        "sent; then every refresh token that came of it. Commits are flushed to the disk before the answer: SQLite "
        "with `synchronous=FULL`, PostgreSQL with `fsync` and `synchronous_commit` on, for every subject but the one "
        "in memory. The peers were given no OpenID scope, so none signs an ID token, and django-oauth-toolkit keeps "
        "the client's secret unhashed.",
        "\n".join(_grants_table(found)),
        "\n".join(_limits(found)),
    ]
    if found.missing:
        sections.append("Not measured: " + " ".join(found.missing))
    if found.protection:
        sections += ["## Bearer-protected requests", "\n".join(_protection_table(found))]
    if found.consent:
        worst = _number(median(load.percentile(0.95) * 1000 for load in found.consent), ".1f")
        sections += [
            "## The consent page",
            f"{CONSENTS_PER_SECOND:g} a second to a signed-in browser, 95th percentile: {worst} ms.",
        ]
    if found.growth or found.sweeps or found.pages:
        sections += [
            "## Growth",
            f"One worker, SQLite where nothing else is said, medians of {min(2, found.rounds)} rounds. Big stores are "
            "filled in bulk, digests spread evenly over their range; `make bench "
            'ARGS="--only-growth --rows 10000000"` measures on ten million tokens.',
            "\n".join(_growth_tables(found)).strip(),
        ]
    if found.costs:
        sections += ["## Where the time goes", found.costs.tables]
    if found.startup:
        sections += [
            "## Start-up",
            "In an environment that has Watersmeet and what it needs to run, and nothing else: what it needs imports "
            "more where it finds more.",
            found.startup,
        ]
    return "\n\n".join(sections) + "\n"


def _circumstances(found: Found) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = [python, f"SQLite {sqlite3.sqlite_version}", *_versions("uvicorn", "starlette", "sqlalchemy", "psycopg")]
    if any("oidc" in name for name in found.grants):
        versions.append(f"Node {_output('node', '--version')}")
    return (
        f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: {os.cpu_count()} cores, {processor()}, "
        f"{platform.system()} {platform.release()}; server, load driver and database share them. "
        f"{', '.join(versions)}. Medians of {found.rounds} rounds, {found.seconds:g} s a workload, every subject in "
        "every round."
    )


def _versions(*packages: str) -> list[str]:
    from importlib.metadata import version

    return [f"{package} {version(package)}" for package in packages]


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def processor() -> str:
    """The processor's name, as well as it can be known."""
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
