"""The folder: blobs as files, named by their digests."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from watersmeet.blobs.held import HeldUpload
from watersmeet.blobs.store import PIECE, Blob, BlobMissing, StoreUnavailable
from watersmeet.clock import Instant

_INCOMING = "incoming"
_DOOMED = ".doomed"
_OWNER = "owner"


class FolderStore:
    """Blobs in a folder, which is made when the first one comes: ``ab/abcdef…``, readable by the server alone.

    Several processes may share it, if its file system renames atomically and flushes when told to. Two instances may
    not: each would discard what the other's database names. So a file in it says whose it is, ``owner``; the empty
    string asks nobody.
    """

    def __init__(self, folder: Path, owner: str = "") -> None:
        self.folder = folder
        self.owner = owner

    @asynccontextmanager
    async def upload(self) -> AsyncIterator[FolderUpload]:
        """A new upload; leaving it before it is finished forgets what was written."""
        upload = await asyncio.to_thread(self._begin)
        try:
            yield upload
        finally:
            await asyncio.to_thread(upload.close)

    def _begin(self) -> FolderUpload:
        try:
            _make_folder(self.folder / _INCOMING)
            self._claim()
            return FolderUpload(self.folder)
        except OSError as error:
            raise StoreUnavailable(detail=str(error)) from error

    def _claim(self) -> None:
        """Write down whose folder it is, or make sure that it is ours."""
        mark = self.folder / _OWNER
        if self.owner and not mark.exists():
            descriptor, name = tempfile.mkstemp(dir=self.folder / _INCOMING)
            with os.fdopen(descriptor, "w") as file:
                file.write(self.owner)
            with suppress(FileExistsError):  # another process of ours was quicker, or another instance
                os.link(name, mark)
            Path(name).unlink()
        if not self._is_ours():
            raise StoreUnavailable(detail=f"{self.folder} belongs to another instance")

    def _is_ours(self) -> bool:
        try:
            return not self.owner or (self.folder / _OWNER).read_text() == self.owner
        except FileNotFoundError:
            return False

    async def read(self, digest: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to ``stop``, in pieces. Raises ``BlobMissing``."""
        try:
            file = await asyncio.to_thread(self.path_of(digest).open, "rb", 0)
        except FileNotFoundError as error:
            raise BlobMissing(detail=digest) from error
        try:
            await asyncio.to_thread(file.seek, start)
            left = stop - start
            while left > 0:
                piece = await asyncio.to_thread(file.read, min(PIECE, left))
                if not piece:
                    raise BlobMissing(detail=f"{digest} is shorter than it was")
                left -= len(piece)
                yield piece
        finally:
            file.close()

    def digests_before(self, before: Instant) -> Iterator[str]:
        """What was last uploaded before an instant. Uploads that broke off before it are removed on the way.

        Nothing, where the folder is another instance's.
        """
        if not self._is_ours():
            return
        for path in self._files(_INCOMING):
            if _is_older(path, before):
                path.unlink(missing_ok=True)
        for number in range(256):
            for path in self._files(f"{number:02x}"):
                if path.suffix == _DOOMED:
                    _put_back(path)  # a sweep was cut off between its two steps, or is between them just now
                elif _is_older(path, before):
                    yield path.name

    def discard(self, digest: str, before: Instant) -> bool:
        """Forget bytes that nobody names, unless they were uploaded again since ``before``; whether they went.

        The file is renamed first, and what was renamed is judged: an upload of the same bytes either came before, and
        its file is put back, or comes after, and leaves a file of its own.
        """
        path = self.path_of(digest)
        doomed = path.with_suffix(_DOOMED)
        try:
            path.rename(doomed)
            if _is_older(doomed, before):
                doomed.unlink()
                return True
        except FileNotFoundError:  # another process was quicker
            return False
        _put_back(doomed)
        return False

    def path_of(self, digest: str) -> Path:
        """The file of a digest."""
        return self.folder / digest[:2] / digest

    def _files(self, name: str) -> list[Path]:
        try:
            return list((self.folder / name).iterdir())
        except FileNotFoundError:
            return []


class FolderUpload(HeldUpload):
    """Bytes on their way into a folder: a nameless file until they are all there."""

    def __init__(self, folder: Path) -> None:
        """Raises ``OSError``."""
        super().__init__()
        self._folder = folder
        descriptor, name = tempfile.mkstemp(dir=folder / _INCOMING)  # mode 0600
        self._path = Path(name)
        self._file: BinaryIO = os.fdopen(descriptor, "wb", 0)

    async def finish(self) -> Blob:
        """Flush the file, give it its name, flush the folder. Raises ``StoreUnavailable``."""
        return await asyncio.to_thread(self._finish)

    def close(self) -> None:
        """Remove what was not finished."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _finish(self) -> Blob:
        self._write_held()
        digest = self._digest.hexdigest()
        home = self._folder / digest[:2]
        try:
            os.utime(self._file.fileno())  # young from now on, however long it took to come
            os.fsync(self._file.fileno())
            _make_folder(home)
            # Also where the bytes are kept already: the new file is young, so no sweep takes it.
            self._path.replace(home / digest)
            _flush(home)
        except OSError as error:
            raise StoreUnavailable(detail=str(error)) from error
        return Blob(digest, self._size)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _flush(folder.parent)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_back(doomed: Path) -> None:
    """Give a file its name again, unless a younger one has it."""
    with suppress(FileNotFoundError):
        with suppress(FileExistsError):
            os.link(doomed, doomed.with_suffix(""))
        doomed.unlink()


def _is_older(path: Path, before: Instant) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime_ns // 1_000_000 < before
    return False
