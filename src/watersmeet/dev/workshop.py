"""The workshop: everything that ``dev`` holds beside the application, and how it is put around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import ASGIApp

from watersmeet.database import dev
from watersmeet.database.dev import Snapshot
from watersmeet.dev.clock import VirtualClock
from watersmeet.dev.connection import Connections
from watersmeet.dev.fault import Faults
from watersmeet.dev.injector import FaultInjector
from watersmeet.web.environment import Environment


@dataclass(frozen=True)
class Workshop:
    """The tools of one running ``dev``; ``clock`` is the one the environment has, too."""

    environment: Environment
    clock: VirtualClock
    first_state: Snapshot
    faults: Faults = field(default_factory=Faults)
    connections: Connections = field(default_factory=Connections)

    @classmethod
    def open(cls, environment: Environment, clock: VirtualClock) -> Workshop:
        """Tools for a database as it is now: a reset leads back here."""
        return cls(environment, clock, environment.database.read_now(dev.take_snapshot))

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application as ``dev`` serves it."""
        environment = self.environment
        return FaultInjector(
            app, self.faults, self.connections, environment.database, self.clock, environment.settings.context_path
        )

    async def reset(self) -> None:
        """Back to the first state: data, clock, faults. Every token and session is dead."""
        await self.environment.database.write(lambda tx: dev.restore(tx, self.first_state))
        self.clock.reset()
        self.faults.clear()
