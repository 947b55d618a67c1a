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
from watersmeet.content.picture_head import MAX_HEAD, is_of_a_picture
from watersmeet.web.multipart import MultipartReader, Part

_FILE = "file"  # the name of the parts that are files


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came whole and is not kept yet."""

    name: str
    media_type: str
    head: bytes
    """Its first bytes, by which a picture is known."""
    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that was read to its end: its files and its fields."""

    files: Sequence[SentFile]
    fields: dict[str, list[str]]

    @property
    def names(self) -> list[str]:
        """What the files are called."""
        return [file.name for file in self.files]

    async def keep(self) -> list[Upload]:
        """The same files, kept. Raises ``StoreUnavailable``.

        All at the end, so that none is old, and a sweep takes it, while the others are still on their way.
        """
        return [await self._keep(position, sent) for position, sent in enumerate(self.files)]

    async def _keep(self, position: int, sent: SentFile) -> Upload:
        blob = await sent.incoming.finish()
        hidden, minor = (self._field(name, position) == "true" for name in ("hidden", "minorEdit"))
        pictorial = is_of_a_picture(sent.head, blob.size)
        file = File(blob.digest, blob.size, sent.media_type, hidden=hidden, pictorial=pictorial)
        return Upload(sent.name, file, self._field("comment", position), minor)

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
        files: list[SentFile] = []
        fields: dict[str, list[str]] = {}
        left = limit
        async for part in MultipartReader(request):
            if part.name != _FILE or part.filename is None:
                # A comment may have a file name: some clients write all parts as files.
                fields.setdefault(part.name, []).append(await part.text())
                continue
            incoming = await stack.enter_async_context(store.upload())
            head = b""
            async for piece in part.pieces():
                left -= len(piece)
                if left < 0:
                    raise UploadTooLarge(limit)
                if len(head) < MAX_HEAD:
                    head += piece[: MAX_HEAD - len(head)]
                await incoming.write(piece)
            await incoming.flush()
            files.append(SentFile(part.filename, _media_type(part), head, incoming))
        yield Sent(files, fields)


_ROOM_FOR_FIELDS = 1024 * 1024


def _media_type(part: Part) -> str:
    guessed, encoding = mimetypes.guess_type(base_name(part.filename or ""), strict=False)
    if encoding is not None:  # plan.tar.gz is no tar
        guessed = "application/gzip" if encoding == "gzip" else None
    return media_type_of(part.media_type, guessed)
