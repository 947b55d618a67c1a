"""Uses: when grants, tokens, client secrets and sessions were last used, kept in memory and written once a minute.

A request costs one assignment; a process that is killed forgets a minute at most.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import uses as database_uses
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable, StorageFailed
from watersmeet.network import network_of
from watersmeet.web.log import log

INTERVAL_SECONDS = 60


@dataclass
class Uses:
    """The latest uses since they were last written.

    By token family, with addresses; by number of the personal access token, with its address; by digest of the session
    and of the client secret; and by user and content, when a person looked at it.
    """

    families: dict[str, Instant] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    personal: dict[int, tuple[Instant, str | None]] = field(default_factory=dict)
    sessions: dict[str, Instant] = field(default_factory=dict)
    secrets: dict[str, Instant] = field(default_factory=dict)
    views: dict[tuple[int, int], Instant] = field(default_factory=dict)

    async def write(self, database: Database) -> None:
        """Write what was noted since the last time; nothing is written when nothing was used."""
        noted = Uses(self.families, self.addresses, self.personal, self.sessions, self.secrets, self.views)
        if noted == Uses():
            return
        self.families, self.addresses, self.personal, self.sessions, self.secrets, self.views = {}, {}, {}, {}, {}, {}
        networks = {family: network_of(address) for family, address in noted.addresses.items()}
        personal = {number: (at, network_of(address)) for number, (at, address) in noted.personal.items()}

        def operation(tx: Transaction) -> None:
            database_uses.write(
                tx,
                families=noted.families,
                networks=networks,
                personal=personal,
                session_digests=noted.sessions,
                secret_digests=noted.secrets,
            )
            database_uses.write_views(tx, noted.views)

        try:
            await database.write(operation)
        except (ServiceUnavailable, StorageFailed) as error:
            self.families, self.sessions = noted.families | self.families, noted.sessions | self.sessions
            self.addresses, self.personal = noted.addresses | self.addresses, noted.personal | self.personal
            self.secrets, self.views = noted.secrets | self.secrets, noted.views | self.views
            log.warning("last uses not written yet", detail=error.detail)


async def run(uses: Uses, database: Database) -> None:
    """Write once a minute, for ever."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        await uses.write(database)
