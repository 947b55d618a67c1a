"""Unnamed blobs: bytes that no row names any more, or never did. Discarded once they are old (docs/decisions/0066)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import islice

from watersmeet.blobs.store import BlobStore
from watersmeet.clock import DAY, Instant, SystemClock
from watersmeet.database import attachments, thumbnails
from watersmeet.database.engine import Database
from watersmeet.database.expiry import Backlog
from watersmeet.web.log import log

GRACE: Instant = DAY
"""What came later may be about to be named. It outlasts every transaction: the files of a body are kept at its end."""

BATCH = 100
_FIRST_SECONDS = 300  # after the start
_REST_SECONDS = 6 * 3600


async def run(store: BlobStore, database: Database) -> None:
    """Sweep for ever. By the machine's clock, whatever the server's: it is the one that blobs are dated by."""
    await asyncio.sleep(_FIRST_SECONDS)
    while True:
        try:
            await sweep_once(store, database, SystemClock().now())
        except Exception as error:  # whatever it was, the next round may fare better
            log.warning("sweep postponed", what="blobs", cause=type(error).__name__, detail=str(error))
        await asyncio.sleep(_REST_SECONDS)


async def sweep_once(store: BlobStore, database: Database, now: Instant) -> int:
    """Discard what is old and what no row names; how much went. It rests after each batch for as long as that took."""
    clock, before, total = asyncio.get_running_loop().time, now - GRACE, 0
    began = clock()
    await database.write(thumbnails.forget_sourceless)
    async for digests in _unnamed(store, database, before):
        for digest in digests:
            total += await asyncio.to_thread(store.discard, digest, before)
        await asyncio.sleep(clock() - began)
        began = clock()
    if total:
        log.info("pruned", what="blobs", count=total)
    return total


async def backlog(store: BlobStore, database: Database, now: Instant) -> Backlog:
    """How many blobs there are, and how many of them wait to be discarded."""
    kept = await asyncio.to_thread(lambda: sum(1 for _ in store.digests_before(now)))
    waiting = sum([len(digests) async for digests in _unnamed(store, database, now - GRACE)])
    return Backlog(kept, waiting, None)


async def _unnamed(store: BlobStore, database: Database, before: Instant) -> AsyncIterator[list[str]]:
    """What of the blobs that came before an instant no row names, from a bounded number of them at a time."""
    found = store.digests_before(before)
    while digests := await asyncio.to_thread(lambda: list(islice(found, BATCH))):
        named = await database.read(lambda tx: attachments.named_of(tx, digests) | thumbnails.named_of(tx, digests))
        yield [digest for digest in digests if digest not in named]
