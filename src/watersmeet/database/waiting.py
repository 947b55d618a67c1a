"""Waiting: units of work in a queue, who waits for them, and how they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from watersmeet.database.transaction import BatchOperation, Operation, Transaction
from watersmeet.errors import ServiceUnavailable

QUEUE_LENGTH = 2048  # units of work that may wait; beyond it the honest answer is "busy"

Work: TypeAlias = Callable[[Transaction], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Failed:
    """An outcome that is raised to the caller."""

    error: Exception


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """What to do, and who waits for it: a thread, or a task of an event loop."""

    operation: Operation[Any] | BatchOperation[Any, Any]
    request: Any
    is_one_of_many: bool
    """Whether the operation is given the requests of all units that name it and wait together."""
    is_brief: bool
    """Whether it may be run by the loop it comes from."""
    answer: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None


@dataclass(frozen=True, slots=True)
class Group:
    """Units that one call of one operation serves."""

    units: Sequence[Unit]

    def run(self, tx: Transaction) -> list[tuple[Unit, Any]]:
        """Each unit with its outcome."""
        first = self.units[0]
        if not first.is_one_of_many:
            return [(first, cast("Operation[Any]", first.operation)(tx))]
        operation = cast("BatchOperation[Any, Any]", first.operation)
        outcomes = operation(tx, [unit.request for unit in self.units])
        return [
            (unit, Failed(outcome) if isinstance(outcome, Exception) else outcome)
            for unit, outcome in zip(self.units, outcomes, strict=True)
        ]

    def fail(self, error: Exception) -> list[tuple[Unit, Any]]:
        """Each unit with the same failure."""
        return [(unit, Failed(error)) for unit in self.units]

    def apart(self) -> list[Group]:
        """A group for each unit."""
        return [Group([unit]) for unit in self.units]


def groups(units: Iterable[Unit]) -> list[Group]:
    """The units in order of arrival, those that share a batch operation together."""
    together: dict[object, list[Unit]] = {}
    for unit in units:
        together.setdefault(unit.operation if unit.is_one_of_many else unit, []).append(unit)
    return [Group(some) for some in together.values()]


def answer(outcomes: Iterable[tuple[Unit, Any]]) -> None:
    """Tell everybody who waits; each event loop is woken once for all its tasks."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Unit, Any]]] = {}
    for unit, outcome in outcomes:
        if unit.loop is None:
            _tell([(unit, outcome)])
        else:
            by_loop.setdefault(unit.loop, []).append((unit, outcome))
    for loop, some in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
            loop.call_soon_threadsafe(_tell, some)


def refuse(unit: Unit, detail: str) -> None:
    """Tell who waits that the unit is not taken on."""
    answer([(unit, Failed(ServiceUnavailable(detail=detail)))])


def _tell(outcomes: list[tuple[Unit, Any]]) -> None:
    for unit, outcome in outcomes:
        # A caller that went away cancelled its future; the work is done all the same.
        if unit.answer.done():
            continue
        if isinstance(outcome, Failed):
            unit.answer.set_exception(outcome.error)
        else:
            unit.answer.set_result(outcome)
