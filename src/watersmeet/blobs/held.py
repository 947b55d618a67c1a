"""Uploads that hold what comes until it is a piece: what they have in common, wherever the pieces go."""

from __future__ import annotations

import asyncio
import hashlib
from abc import ABC, abstractmethod

from watersmeet.blobs.store import PIECE, StoreUnavailable


class HeldUpload(ABC):
    """Counts and digests the bytes, and puts them away on a thread, a piece at a time."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._held = bytearray()

    async def write(self, data: bytes) -> None:
        """The next bytes, which reach the file in pieces. Raises ``StoreUnavailable``."""
        self._held += data
        if len(self._held) >= PIECE:
            await asyncio.to_thread(self._write_held)

    async def flush(self) -> None:
        """Write what is held. Raises ``StoreUnavailable``."""
        await asyncio.to_thread(self._write_held)

    def _write_held(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        self._digest.update(held)
        self._size += len(held)
        try:
            self._put(held)
        except OSError as error:
            raise StoreUnavailable(detail=str(error)) from error

    @abstractmethod
    def _put(self, data: bytes) -> None:
        """Put all of it away. Raises ``OSError``."""
