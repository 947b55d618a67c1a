"""Rotation of the keys that sign tokens: with overlap, and hot (S149).

A new generation is published first and signs a little later. By then every process has seen it, so no process meets
a token whose signature it cannot check. Tokens of the old generation work until they expire; then it is forgotten.
"""

from __future__ import annotations

import asyncio

from watersmeet.clock import SECOND, Clock, Instant
from watersmeet.database import audit, signing_keys
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.errors import ServiceUnavailable, StorageFailed
from watersmeet.oauth2.family import Lifetimes
from watersmeet.oauth2.keys import Generation, Keys
from watersmeet.web.log import log

LOOK_EVERY = 1  # seconds between two looks of a process at the generations
PUBLISH_AHEAD: Instant = 10 * SECOND  # ten looks, in case some of them find the database busy


def rotate(
    tx: Transaction,
    *,
    now: Instant,
    lifetimes: Lifetimes,
    entropy: Entropy,
    ahead: Instant = PUBLISH_AHEAD,
    origin: Origin = INTERNAL,
) -> Generation:
    """A new generation, which signs in ``ahead`` milliseconds; the old ones work as long as any of their tokens."""
    signs_from = now + ahead
    last = max(signs_from + lifetimes.refresh_token, signing_keys.last_family_ends_at(tx))
    return _add(tx, now, signs_from, last, entropy, origin)


def replace(tx: Transaction, *, now: Instant, entropy: Entropy, origin: Origin = INTERNAL) -> Generation:
    """A new generation at once, and no other: every token that was ever issued stops working. For emergencies."""
    return _add(tx, now, now, now, entropy, origin)


def _add(
    tx: Transaction, now: Instant, signs_from: Instant, others_retire_at: Instant, entropy: Entropy, origin: Origin
) -> Generation:
    newest = Generation(entropy.hex(4), entropy.hex(32), now, signs_from, None)
    signing_keys.add(tx, newest, others_retire_at=others_retire_at)
    detail = {"key": newest.id, "signs_from": signs_from, "others_retire_at": others_retire_at}
    audit.record(tx, Event.KEY_ROTATED, origin, now, detail=detail)
    return newest


async def adopt(database: Database, keys: Keys, clock: Clock) -> None:
    """Take over the generations as they are in the database now."""
    keys.adopt(await database.read(signing_keys.list_all), clock.now())


async def follow(database: Database, keys: Keys, clock: Clock) -> None:
    """Take over new generations for ever, shortly after they were published."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            await adopt(database, keys, clock)
        except (ServiceUnavailable, StorageFailed) as error:
            log.warning("looking for new keys postponed", detail=error.detail)
