"""Costs: what one exchange spends its processor time on, by layer, measured in this process.

The application is called without a socket and with a database that answers at once; the batch operation is called
without an application. A profiler counts each layer's own time; it slows Python down more than it slows C, so the
shares are rough, while the totals beside them are measured without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.client import REDIRECT_URI, VERIFIER
from bench.store import Store
from watersmeet import settings as settings_module
from watersmeet.app import create_app
from watersmeet.clock import SECOND, SystemClock
from watersmeet.confluence.scopes import Scope
from watersmeet.entropy import SystemEntropy
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.family import Lifetimes, PairState, TokenPair
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.batch import Asked
from watersmeet.tokens.exchange import ExchangeRequest, exchange_all
from watersmeet.web import log

_REQUESTS = 2000
_BATCH = 32
_LIFETIMES = Lifetimes(3600 * SECOND, 90 * 86_400 * SECOND)
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of processor time of an exchange on SQLite, and where they go."""

    edge: float
    """Between the HTTP server and the database."""
    batch: float
    """In the batch: statements, decisions, commit."""
    tables: str


def measure_costs() -> Costs:
    """The part of an exchange on SQLite that is its own, and the part that a batch shares."""
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder:
        store = Store.create(f"sqlite:///{folder}/watersmeet.db")
        try:
            edge, edge_layers = _profiled(_edge(store), _REQUESTS)
            batch, batch_layers = _profiled(_batch(store), _REQUESTS)
        finally:
            store.close()
    lines = [
        f"One exchange on SQLite: {edge:.0f} µs between the HTTP server and the database (parsing, decisions about "
        f"the request, answer, headers, log), {batch:.0f} µs in a batch of {_BATCH}, commit "
        "included. "
        "Own time by layer, as a profiler sees it:",
        "",
        "| between server and database | share | in the batch | share |",
        "|---|---:|---|---:|",
    ]
    for (one, share), (other, other_share) in zip(edge_layers[:_ROWS], batch_layers[:_ROWS], strict=False):
        lines.append(f"| {one} | {share:.0%} | {other} | {other_share:.0%} |")
    return Costs(edge, batch, "\n".join(lines))


def _profiled(serve: Callable[[int], None], requests: int) -> tuple[float, list[tuple[str, float]]]:
    """Microseconds of processor time a request, and each layer's share of the profiled time."""
    serve(_BATCH * 4)  # statements and routes are compiled once
    began = time.thread_time()
    serve(requests)
    microseconds = (time.thread_time() - began) / requests * 1e6
    profile = cProfile.Profile()
    profile.runcall(serve, requests)
    spent: Counter[str] = Counter()
    statistics: dict[tuple[str, int, str], Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, _line, function), (_calls, _all_calls, own, _cumulative, _callers) in statistics.items():
        spent[_layer(file, function)] += own
    total = spent.total()
    return microseconds, [(layer, own / total) for layer, own in spent.most_common()]


def _layer(file: str, function: str) -> str:
    parts = Path(file).parts
    if file == "~":
        if "sqlite3" in function:
            return "SQLite itself"
        return "hashing" if any(word in function for word in ("hmac", "sha256", "hash")) else "Python's built-ins"
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    if "watersmeet" in parts and "bench" not in parts:
        within = parts[parts.index("watersmeet") + 1 :]
        return f"watersmeet.{within[0].removesuffix('.py')}"
    return "bench" if "bench" in parts else "standard library"


@contextlib.contextmanager
def _standard_error_elsewhere() -> Iterator[None]:
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _batch(store: Store) -> Callable[[int], None]:
    client = store.client
    credentials = ClientCredentials(client.client_id, client.client_secret, from_basic=False)
    codes = iter(store.add_codes(3 * _REQUESTS + _BATCH * 8))
    connection, entropy = store.database.engine.connect(), SystemEntropy()

    def serve(requests: int) -> None:
        for _ in range(requests // _BATCH):
            now = SystemClock().now()
            asked = [
                Asked(credentials, ExchangeRequest(next(codes), REDIRECT_URI, VERIFIER), now) for _ in range(_BATCH)
            ]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            exchange_all(connection, asked, lifetimes=_LIFETIMES, keys=store.keys, entropy=entropy)
            connection.exec_driver_sql("COMMIT")

    return serve


def _edge(store: Store) -> Callable[[int], None]:
    settings = settings_module.load(flags={}, environment=dict(store.environment))
    pair = TokenPair(0, Scope.WRITE.as_set, PairState.ACTIVE, 0, 3600 * SECOND)
    issued = IssuedTokens(pair, "x" * 120, "x" * 120)

    class AnsweringAtOnce:
        """The database as the token endpoint sees it, without its work."""

        async def write_together(self, _operation: Any, _request: Any, **_how: Any) -> IssuedTokens:
            return issued

    log.configure(settings.log_format)
    app = create_app(settings, database=AnsweringAtOnce())  # type: ignore[arg-type]
    head, body = store.client.exchange("0" * 64).split(b"\r\n\r\n", 1)
    headers = [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:])]
    path = store.client.token_path

    async def ask() -> None:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "", "path": path,
            "raw_path": path.encode(), "query_string": b"", "headers": headers, "state": {},
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message.get("status", 200) != 200:
                raise RuntimeError(f"the token endpoint answered {message['status']}")

        await app(scope, receive, send)

    async def ask_all(requests: int) -> None:
        for _ in range(requests):
            await ask()

    def serve(requests: int) -> None:
        # The log is part of what a request costs; where it goes is not.
        with _standard_error_elsewhere():
            asyncio.run(ask_all(requests))

    return serve
