"""Uploads: the files of a multipart body, on their way into the store as they come, and what is said of them."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from watersmeet.blobs.store import BlobStore
from watersmeet.blobs.store import Upload as Incoming
from watersmeet.confluence.attachment import base_name, media_type_of
from watersmeet.confluence.content import File
from watersmeet.confluence.errors import UploadTooLarge
from watersmeet.content.attachment import Upload
from watersmeet.web.multipart import MultipartReader, Part

_FILE = "file"  # the name of the parts that are files


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that was read to its end: its files, which are not kept yet, and its fields."""

    files: Sequence[tuple[str, str, Incoming]]
    fields: dict[str, list[str]]

    @property
    def names(self) -> list[str]:
        """What the files are called."""
        return [name for name, _, _ in self.files]

    async def keep(self) -> list[Upload]:
        """The same files, kept. Raises ``StoreUnavailable``.

        All at the end, so that none is old, and a sweep takes it, while the others are still on their way.
        """
        return [
            await self._keep(position, name, media_type, incoming)
            for position, (name, media_type, incoming) in enumerate(self.files)
        ]

    async def _keep(self, position: int, name: str, media_type: str, incoming: Incoming) -> Upload:
        blob = await incoming.finish()
        file = File(blob.digest, blob.size, media_type, hidden=self._field("hidden", position) == "true")
        minor = self._field("minorEdit", position) == "true"
        return Upload(name, file, self._field("comment", position), minor)

    def _field(self, name: str, position: int) -> str:
        """What is said of one file: the fields come as often as the files, and in their order."""
        values = self.fields.get(name, [])
        return values[position] if position < len(values) else ""


@asynccontextmanager
async def reading(request: Request, store: BlobStore, limit: int) -> AsyncIterator[Sent]:
    """The files and fields of a body, of at most ``limit`` bytes of files; leaving forgets what was not kept.

    Raises ``UploadTooLarge``, ``UnreadableMultipart`` or ``StoreUnavailable``.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit + _ROOM_FOR_FIELDS:
        raise UploadTooLarge(limit)
    async with AsyncExitStack() as stack:
        files: list[tuple[str, str, Incoming]] = []
        fields: dict[str, list[str]] = {}
        left = limit
        async for part in MultipartReader(request):
            if part.name != _FILE or part.filename is None:
                # A comment may have a file name: some clients write all parts as files.
                fields.setdefault(part.name, []).append(await part.text())
                continue
            incoming = await stack.enter_async_context(store.upload())
            async for piece in part.pieces():
                left -= len(piece)
                if left < 0:
                    raise UploadTooLarge(limit)
                await incoming.write(piece)
            await incoming.flush()
            files.append((part.filename, _media_type(part), incoming))
        yield Sent(files, fields)


_ROOM_FOR_FIELDS = 1024 * 1024


def _media_type(part: Part) -> str:
    guessed, encoding = mimetypes.guess_type(base_name(part.filename or ""), strict=False)
    if encoding is not None:  # plan.tar.gz is no tar
        guessed = "application/gzip" if encoding == "gzip" else None
    return media_type_of(part.media_type, guessed)
