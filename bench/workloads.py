"""Workloads: what is asked of the subjects, and what one round of it found."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from bench.client import CHALLENGE, REDIRECT_URI, Answer
from bench.load import Load, drive, get
from bench.subjects import Running, Subject, Watersmeet

CONNECTIONS = 64
CONSENTS_PER_SECOND = 20.0
_WARM_UP = 200
_BEARERS = 500


@dataclass(frozen=True, slots=True)
class Grants:
    """One subject, one round: exchanges, then refreshes of what they brought."""

    exchange: Load
    refresh: Load
    idle_megabytes: float | None
    busy_megabytes: float | None


def measure_grants(subject: Subject, seconds: float) -> Grants:
    """Start the subject on a fresh store and exchange codes for ``seconds``, then refresh for as long."""
    codes = int(subject.pace * seconds) + _WARM_UP
    with subject.running(codes) as running:
        idle = running.served.megabytes()
        requests = [running.client.exchange(code) for code in running.codes]
        _drive(running, requests[:_WARM_UP], seconds)
        exchanged = _drive(running, requests[_WARM_UP:], seconds)
        refreshed = _drive(running, [running.client.refresh(body) for body in exchanged.bodies], seconds)
        return Grants(exchanged, refreshed, idle, running.served.megabytes())


def measure_start(subject: Subject) -> float:
    """Seconds from the start of the process to its first answer."""
    with subject.running(1) as running:  # one code: a peer cannot insert none
        return running.served.seconds_to_ready


@dataclass(frozen=True, slots=True)
class Protection:
    """The same GET without and with a Bearer check."""

    unprotected: Load
    protected: Load


def measure_protection(subject: Watersmeet, seconds: float) -> Protection:
    """Read ``/bench/open`` and ``/bench/protected`` in turn, with as many tokens as there would be clients."""
    with subject.running_with_open_route(_BEARERS) as running:
        exchanged = _drive(running, [running.client.exchange(code) for code in running.codes], 60)
        tokens = [msgspec.json.decode(body, type=Answer).access_token for body in exchanged.bodies]
        bearers = [get("/bench/protected", [f"Authorization: Bearer {token}"]) for token in tokens]
        unprotected = [get("/bench/open")]
        for requests in (unprotected * 500, bearers):
            _drive(running, requests, seconds)
        rounds = int(seconds * 40_000 / len(bearers)) + 1
        return Protection(
            _drive(running, unprotected * (rounds * len(bearers)), seconds), _drive(running, bearers * rounds, seconds)
        )


def measure_consent(subject: Watersmeet, seconds: float) -> Load:
    """Show the consent page so many times a second to a signed-in browser."""
    asked = {
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "WRITE",
        "state": "state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    with subject.running(0) as running:
        query = urlencode({"client_id": running.client.client_id, **asked})
        question = get(f"/rest/oauth2/latest/authorize?{query}", [running.cookie])
        drive(running.served.port, [question], connections=1, seconds=30, wanted_status=302)
        page = get(f"/plugins/servlet/oauth2/consent?{query}", [running.cookie])
        drive(running.served.port, [page] * 5, connections=1, seconds=30)
        pages = [page] * int(seconds * CONSENTS_PER_SECOND)
        return drive(running.served.port, pages, connections=8, seconds=seconds, per_second=CONSENTS_PER_SECOND)


def _drive(running: Running, requests: list[bytes], seconds: float) -> Load:
    before = running.served.processor_seconds()
    load = drive(running.served.port, requests, connections=CONNECTIONS, seconds=seconds)
    after = running.served.processor_seconds()
    load.server_seconds = after - before if before is not None and after is not None else None
    return load
