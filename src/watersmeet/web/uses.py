"""Uses: when grants and sessions were last used, kept in memory and written down once a minute.

A request costs one assignment; a process that is killed forgets a minute at most.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import uses as database_uses
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable
from watersmeet.network import network_of
from watersmeet.web.log import log

INTERVAL_SECONDS = 60


@dataclass
class Uses:
    """The latest uses since they were last written.

    By token family, with addresses, by digest of the session; and by user and content, when a person looked at it.
    """

    families: dict[str, Instant] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, Instant] = field(default_factory=dict)
    views: dict[tuple[int, int], Instant] = field(default_factory=dict)

    async def write(self, database: Database) -> None:
        """Write what was noted since the last time; nothing is written when nothing was used."""
        families, addresses, sessions, views = self.families, self.addresses, self.sessions, self.views
        if not families and not sessions and not views:
            return
        self.families, self.addresses, self.sessions, self.views = {}, {}, {}, {}
        networks = {family: network_of(address) for family, address in addresses.items()}

        def operation(tx: Transaction) -> None:
            database_uses.write(tx, families=families, networks=networks, session_digests=sessions)
            database_uses.write_views(tx, views)

        try:
            await database.write(operation)
        except ServiceUnavailable as error:
            self.families, self.sessions = families | self.families, sessions | self.sessions
            self.addresses, self.views = addresses | self.addresses, views | self.views
            log.warning("last uses not written yet", detail=error.detail)


async def run(uses: Uses, database: Database) -> None:
    """Write once a minute, for ever."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        await uses.write(database)
