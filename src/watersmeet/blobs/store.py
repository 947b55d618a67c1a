"""The blob store: what every place for bytes can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from watersmeet.clock import Instant
from watersmeet.errors import ServiceUnavailable, WatersmeetError

PIECE = 256 * 1024  # bytes that are held, written or read at a time


class BlobMissing(WatersmeetError):
    """Bytes that the database names are not where they were put."""

    status = 500
    description = "The file is lost: its bytes are not in the store of this server."


class StoreUnavailable(ServiceUnavailable):
    """The place for bytes cannot take or give them now: it is full, read-only or away."""

    description = "Files cannot be stored now. Nothing was changed; try again later."


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are kept: the SHA-256 of them in hexadecimal, and how many they are."""

    digest: str
    size: int


class Upload(Protocol):
    """Bytes on their way in."""

    async def write(self, data: bytes) -> None:
        """The next bytes. Raises ``StoreUnavailable``."""
        ...

    async def flush(self) -> None:
        """Hold nothing in memory, while others come before this is finished. Raises ``StoreUnavailable``."""
        ...

    async def finish(self) -> Blob:
        """Keep what was written: durable when this returns. Raises ``StoreUnavailable``."""
        ...


class BlobStore(Protocol):
    """A place for bytes."""

    def upload(self) -> AbstractAsyncContextManager[Upload]:
        """A new upload; leaving it before it is finished forgets what was written."""
        ...

    def read(self, digest: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to ``stop``, in pieces. Raises ``BlobMissing``."""
        ...

    def digests_before(self, before: Instant) -> Iterator[str]:
        """What was last uploaded before an instant. It may take long, and runs on a thread of its own."""
        ...

    def discard(self, digest: str, before: Instant) -> bool:
        """Forget bytes that nobody names, unless they were uploaded again since ``before``; whether they went."""
        ...
