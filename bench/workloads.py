"""Workloads: what is asked of every subject, and what one round of it found."""

from __future__ import annotations

from dataclasses import dataclass

from bench.load import Load, drive
from bench.subjects import Running, Subject

CONNECTIONS = 64
_WARM_UP = 200


@dataclass(frozen=True, slots=True)
class Grants:
    """One subject, one round: exchanges, then refreshes of what they brought."""

    exchange: Load
    refresh: Load
    idle_megabytes: float | None
    busy_megabytes: float | None
    seconds_to_ready: float


def measure_grants(subject: Subject, seconds: float) -> Grants:
    """Start the subject on a fresh store and exchange codes for ``seconds``, then refresh for as long."""
    codes = int(subject.pace * seconds * 1.1) + _WARM_UP
    with subject.running(codes) as running:
        idle = running.served.megabytes()
        requests = [running.client.exchange(code) for code in running.codes]
        _drive(running, requests[:_WARM_UP], seconds)
        exchanged = _drive(running, requests[_WARM_UP:], seconds)
        refreshed = _refresh(running, exchanged, seconds)
        return Grants(exchanged, refreshed, idle, running.served.megabytes(), running.served.seconds_to_ready)


def _refresh(running: Running, exchanged: Load, seconds: float) -> Load:
    """Rotate every family in turn until the time is over, each round with the tokens of the one before."""
    return _drive(running, [running.client.refresh(body) for body in exchanged.bodies], seconds)


def _drive(running: Running, requests: list[bytes], seconds: float) -> Load:
    before = running.served.processor_seconds()
    load = drive(running.served.port, requests, connections=CONNECTIONS, seconds=seconds)
    after = running.served.processor_seconds()
    load.server_seconds = after - before if before is not None and after is not None else None
    return load
