"""Passwords: argon2id (RFC 9106), verified in time that does not tell whether the user exists."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from watersmeet.errors import WatersmeetError

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from argon2 import PasswordHasher

MINIMUM_LENGTH = 8
MAXIMUM_BYTES = 1024  # hashing more would let anybody buy server time with bandwidth (S069)


T = TypeVar("T")


async def in_a_thread(work: Callable[[], T]) -> T:
    """Hash or verify without holding up the event loop."""
    from anyio import to_thread

    return await to_thread.run_sync(work, limiter=_limiter())


@lru_cache(maxsize=1)
def _limiter() -> CapacityLimiter:
    from anyio import CapacityLimiter

    # Each verification costs 19 MiB and 30 ms of a core; two at a time leave the server responsive (S069).
    return CapacityLimiter(2)


class UnacceptablePassword(WatersmeetError):
    """A new password is too short or too long."""


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    # Imported when the first password is met: half of all processes never meet one.
    from argon2 import PasswordHasher

    # OWASP's recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """The PHC string to store. Raises ``UnacceptablePassword``."""
    if len(password) < MINIMUM_LENGTH:
        raise UnacceptablePassword("A password needs at least {minimum} characters.", minimum=MINIMUM_LENGTH)
    if len(password.encode()) > MAXIMUM_BYTES:
        raise UnacceptablePassword("A password may have at most {maximum} bytes.", maximum=MAXIMUM_BYTES)
    return _hasher().hash(password)


def hash_public_password(password: str) -> str:
    """The PHC string of a password everybody knows, made quickly: for the demo users of `dev` only."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; pass ``None`` for a user that does not exist, to take as long (S065)."""
    from argon2.exceptions import VerificationError

    if len(password.encode()) > MAXIMUM_BYTES:
        return False
    try:
        _hasher().verify(password_hash or _hash_of_nobody(), password)
    except VerificationError:
        return False
    return password_hash is not None
