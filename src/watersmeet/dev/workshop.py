"""The workshop: everything that ``dev`` holds beside the application, and how it is put around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.types import ASGIApp

from watersmeet import demo
from watersmeet.database import dev
from watersmeet.database.dev import Snapshot
from watersmeet.dev.clock import VirtualClock
from watersmeet.dev.connection import Connections
from watersmeet.dev.fault import Faults
from watersmeet.dev.injector import FaultInjector
from watersmeet.dev.record import Records
from watersmeet.dev.recorder import Recorder
from watersmeet.web.environment import Environment

if TYPE_CHECKING:
    from watersmeet.dev.run import Runs
    from watersmeet.web.route import Router


@dataclass(frozen=True)
class Workshop:
    """The tools of one running ``dev``; ``clock`` is the one the environment has, too."""

    environment: Environment
    clock: VirtualClock
    first_state: Snapshot
    faults: Faults = field(default_factory=Faults)
    records: Records = field(default_factory=Records)
    connections: Connections = field(default_factory=Connections)

    @classmethod
    def open(cls, environment: Environment, clock: VirtualClock) -> Workshop:
        """Tools for a database as it is now: a reset leads back here."""
        return cls(environment, clock, environment.database.read_now(dev.take_snapshot))

    @cached_property
    def runs(self) -> Runs:
        """The walks through the playground."""
        from watersmeet.dev.run import Runs

        base_url = self.environment.settings.base_url
        return Runs(base_url, base_url + demo.CALLBACK_PATH, self.environment.entropy)

    def around(self, app: Starlette) -> ASGIApp:
        """The application as ``dev`` serves it: recorded outermost, so that faults are recorded, too."""
        environment = self.environment
        faulty = FaultInjector(
            app, self.faults, self.connections, environment.database, self.clock, environment.settings.context_path
        )
        return Recorder(faulty, cast("Router", app.router), self.records, environment)

    async def reset(self) -> None:
        """Back to the first state: data, clock, faults, records, runs. Every token and session is dead."""
        await self.environment.database.write(lambda tx: dev.restore(tx, self.first_state))
        self.clock.reset()
        self.faults.clear()
        self.records.clear()
        self.runs.clear()
