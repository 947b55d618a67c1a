"""The ledger: what a client was answered, and what that is worth in the end.

Several threads exchange codes and refresh tokens while somebody kills the server. What a client was answered must
be true for ever; a request without an answer may have been carried out or not, and asking again shows which.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.support.production import PATIENCE, Client, Production

_GENERATIONS = 5  # the exchange and four refreshes, then the next code


@dataclass
class Chain:
    """A code and the pairs that were answered for it, the newest last."""

    code: str
    pairs: list[dict[str, str]] = field(default_factory=list)
    replayed: bool = False
    """An answer was lost, asking again was a replay, and so the family has ended."""


@dataclass
class Ledger:
    """The books of all clients together."""

    production: Production
    codes: queue.Queue[str]
    chains: list[Chain] = field(default_factory=list)
    answers: int = 0
    lost: int = 0
    busy: int = 0
    last_answer: float = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def open(cls, production: Production, codes: int) -> Ledger:
        """Books with that many codes to begin with."""
        waiting: queue.Queue[str] = queue.Queue()
        for code in production.codes(codes):
            waiting.put(code)
        return cls(production, waiting)

    @contextmanager
    def load(self, clients: int) -> Iterator[None]:
        """While the block runs, so many clients work."""
        with ThreadPoolExecutor(clients) as pool:
            working = [pool.submit(self._work) for _ in range(clients)]
            try:
                yield
            finally:
                self._stop.set()
            for each in working:
                each.result()

    def wait_for_answers(self, count: int) -> None:
        """Return once that many more requests have been answered."""
        enough, deadline = self.answers + count, time.monotonic() + PATIENCE
        while self.answers < enough:
            assert time.monotonic() < deadline, self.production.log_text()[-4000:]
            time.sleep(0.005)

    # ---- working --------------------------------------------------------------------------------------------

    def _work(self) -> None:
        with self.production.client() as client:
            alive = False
            while not self._stop.is_set():
                with suppress(queue.Empty):  # without another code, the last chain is made longer
                    chain = Chain(self.codes.get_nowait())
                    self.chains.append(chain)
                    alive = True
                for _ in range(_GENERATIONS):
                    alive = alive and not self._stop.is_set() and self._next_pair(client, chain)
                if not alive and self.codes.empty():
                    return

    def _next_pair(self, client: Client, chain: Chain) -> bool:
        """Ask until there is an answer; ``False`` when the family has ended."""
        in_doubt, deadline = False, time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < deadline, "no answer for a minute"
            try:
                answer = (
                    client.refresh(chain.pairs[-1]["refresh_token"]) if chain.pairs else client.exchange(chain.code)
                )
            except httpx.TransportError as error:
                # Nothing was sent if there was no connection; otherwise the server may have done it.
                in_doubt = in_doubt or not isinstance(error, httpx.ConnectError)
                self.lost += 1
                time.sleep(0.02)
                continue
            if answer.status_code == 200:
                chain.pairs.append(answer.json())
                self.answers += 1
                self.last_answer = time.monotonic()
                return True
            body = answer.json()
            if answer.status_code == 503:
                assert answer.headers["retry-after"]
                in_doubt = in_doubt or "may have been done" in body["error_description"]
                self.busy += 1
                time.sleep(0.02)
                continue
            assert (answer.status_code, body["error"]) == (400, "invalid_grant"), answer.text
            assert in_doubt, "a credential was refused that nobody had used"
            chain.replayed = True
            return False

    # ---- balancing ------------------------------------------------------------------------------------------

    def balance(self) -> None:
        """Hold the books against the server: what was answered holds, and what was used stays used."""
        tokens = [
            pair[kind] for chain in self.chains for pair in chain.pairs for kind in ("access_token", "refresh_token")
        ]
        assert len(tokens) == len(set(tokens)), "a token was issued twice"
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._balance_some, (self.chains[number::4] for number in range(4))))

    def _balance_some(self, chains: list[Chain]) -> None:
        with self.production.client() as client:
            for number, chain in enumerate(chains):
                _balance(client, chain, by_code=number % 2 == 0)


def _balance(client: Client, chain: Chain, *, by_code: bool) -> None:
    if not chain.pairs and not chain.replayed:
        return  # stopped before its first answer
    statuses = [client.read(pair["access_token"]) for pair in chain.pairs]
    newest = [] if not chain.pairs else [401 if chain.replayed else 200]
    assert statuses == [401] * (len(chain.pairs) - 1) + newest, "answered, or superseded"
    if by_code or len(chain.pairs) < 2:
        again = client.exchange(chain.code)
    else:
        again = client.refresh(chain.pairs[-2]["refresh_token"])
    assert again.status_code == 400, "something used was good for another time"
    for pair in {id(pair): pair for pair in (*chain.pairs[:1], *chain.pairs[-1:])}.values():
        assert client.read(pair["access_token"]) == 401, "a replay ends the family"
        assert client.refresh(pair["refresh_token"]).status_code == 400, "a replay ends the family"
