"""Kept thumbnails: each picture is drawn once, and what was drawn lies with the files of attachments, as they do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from watersmeet.blobs.store import BlobMissing, BlobStore
from watersmeet.confluence.content import File
from watersmeet.content.thumbnail import Thumbnail, draw
from watersmeet.database import thumbnails
from watersmeet.database.engine import Database
from watersmeet.database.thumbnails import Drawn
from watersmeet.errors import ServiceUnavailable


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """The thumbnails of an instance's files."""

    database: Database
    blobs: BlobStore
    one_at_a_time: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held by the thumbnail that is drawn: pictures are large in memory."""

    async def of(self, file: File) -> Thumbnail | None:
        """The thumbnail of a file; ``None`` of what has none. Raises ``BlobMissing`` or ``StoreUnavailable``."""
        drawn = await self._find(file)
        if drawn is None:
            async with self.one_at_a_time:
                drawn = await self._find(file) or await self._draw(file)
        return drawn if drawn.data else None

    async def _find(self, file: File) -> Thumbnail | None:
        """As it was drawn before; nothing in it, if the file has none. ``None``: it is to be drawn."""
        found = await self.database.read(lambda tx: thumbnails.find_drawn(tx, file.digest))
        if found is None or found.digest is None:
            return None if found is None else Thumbnail(b"", "")
        with suppress(BlobMissing):  # swept, because nothing held the file for a while
            return Thumbnail(await self._bytes(found.digest, found.size), found.media_type)
        return None

    async def _draw(self, file: File) -> Thumbnail:
        data = await self._bytes(file.digest, file.size)
        thumbnail = await asyncio.to_thread(draw, data) or Thumbnail(b"", "")
        with suppress(ServiceUnavailable):  # there is no room to keep it: it is drawn again
            await self._keep(file, thumbnail)
        return thumbnail

    async def _keep(self, file: File, thumbnail: Thumbnail) -> None:
        drawn = Drawn(None)
        if thumbnail.data:
            async with self.blobs.upload() as upload:
                await upload.write(thumbnail.data)
                blob = await upload.finish()
            drawn = Drawn(blob.digest, blob.size, thumbnail.media_type)
        await self.database.write(lambda tx: thumbnails.keep_drawn(tx, file.digest, drawn))

    async def _bytes(self, digest: str, size: int) -> bytes:
        return b"".join([piece async for piece in self.blobs.read(digest, 0, size)])
