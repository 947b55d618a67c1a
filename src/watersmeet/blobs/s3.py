"""The bucket: blobs as objects of a store that speaks S3, named by their digests."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from watersmeet.blobs.held import HeldUpload
from watersmeet.blobs.store import PIECE, Blob, BlobMissing, StoreUnavailable
from watersmeet.clock import SECOND, Instant, SystemClock

if TYPE_CHECKING:
    from obstore.store import S3Store

_PART = 5 * 1024 * 1024  # bytes that are sent or asked for at once: the least that S3 allows of a part
_AT_ONCE = 2  # parts on their way
_PATIENCE = 60  # seconds for a request, and in which it is tried again
_YOUNG: Instant = 3600 * SECOND
_OWNER = "owner"
_OPTIONS = {"endpoint": "endpoint", "region": "region"}


class BucketStore:
    """Blobs in ``s3://BUCKET/PREFIX?endpoint=…&region=…``.

    Who we are is in the environment: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and their kin. Bytes wait in a
    nameless temporary file until all have come: an object has its name from the beginning. Whose the bucket is says an
    object in it, as in a folder.
    """

    def __init__(self, url: str, owner: str = "") -> None:
        """Raises ``ModuleNotFoundError`` without the extra ``s3``, and ``ValueError`` for what is no such URL."""
        import obstore
        from obstore.store import S3Store

        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        if not parts.hostname or not query.keys() <= _OPTIONS.keys():
            raise ValueError("it is like s3://BUCKET/PREFIX, and may have the parameters endpoint and region")
        config: Any = {_OPTIONS[name]: values[-1] for name, values in query.items()}
        plain = config.get("endpoint", "").startswith("http://")
        self._client = obstore
        self._bucket: S3Store = S3Store.from_url(
            f"s3://{parts.netloc}{parts.path}",
            config=config,
            client_options={"allow_http": plain, "timeout": timedelta(seconds=_PATIENCE)},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=_PATIENCE)},
        )
        self._owner = owner
        self._is_ours = not owner

    @asynccontextmanager
    async def upload(self) -> AsyncIterator[BucketUpload]:
        """A new upload; leaving it before it is finished forgets what was written. Raises ``StoreUnavailable``."""
        if not self._is_ours:
            await asyncio.to_thread(self._claim)
        with tempfile.TemporaryFile() as file:
            yield BucketUpload(self, file)

    async def read(self, digest: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to ``stop``, in pieces. Raises ``BlobMissing`` or ``StoreUnavailable``.

        Asked for part by part: whoever reads slowly holds no connection, and no more than one part.
        """
        for begin in range(start, stop, _PART):
            end = min(begin + _PART, stop)
            with _told(digest):
                found = memoryview(await self._client.get_range_async(self._bucket, digest, start=begin, end=end))
            if len(found) < end - begin:
                raise BlobMissing(detail=f"{digest} is shorter than it was")
            for offset in range(0, len(found), PIECE):
                yield bytes(found[offset : offset + PIECE])

    def digests_before(self, before: Instant) -> Iterator[str]:
        """What was last uploaded before an instant, by the bucket's clock; nothing, where it is another instance's."""
        with _told(""):
            if not self._is_ours and not self._is_marked_ours():
                return
            for objects in self._client.list(self._bucket):
                for each in objects:
                    if each["path"] != _OWNER and _is_older(each["last_modified"], before):
                        yield each["path"]

    def discard(self, digest: str, before: Instant) -> bool:
        """Forget bytes that nobody names, unless they were uploaded again since ``before``; whether they went."""
        try:
            with _told(digest):
                if not _is_older(self._client.head(self._bucket, digest)["last_modified"], before):
                    return False
                self._client.delete(self._bucket, digest)
        except BlobMissing:  # another process was quicker
            return False
        return True

    async def keep(self, digest: str, file: Any, size: int) -> None:
        """Store an object; it is there as a whole or not at all. Raises ``StoreUnavailable``."""
        try:
            with _told(digest):
                await self._client.put_async(
                    self._bucket, digest, file, use_multipart=size > _PART, chunk_size=_PART, max_concurrency=_AT_ONCE
                )
        except (BlobMissing, StoreUnavailable) as error:
            # The answer to the last step may be lost, and trying it again then fails: what counts is what is there.
            if not await self._is_there(digest, size):
                raise StoreUnavailable(detail=error.detail) from error

    async def _is_there(self, digest: str, size: int) -> bool:
        """Whether an object is there as a whole, and so young that no sweep takes it."""
        try:
            with _told(digest):
                found = await self._client.head_async(self._bucket, digest)
        except (BlobMissing, StoreUnavailable):
            return False
        return found["size"] == size and not _is_older(found["last_modified"], SystemClock().now() - _YOUNG)

    def _claim(self) -> None:
        from obstore.exceptions import AlreadyExistsError

        with _told(_OWNER):
            try:
                self._client.put(self._bucket, _OWNER, self._owner.encode(), mode="create")
                self._is_ours = True
            except AlreadyExistsError:
                self._is_ours = self._is_marked_ours()
        if not self._is_ours:
            raise StoreUnavailable(detail="the bucket belongs to another instance")

    def _is_marked_ours(self) -> bool:
        try:
            with _told(_OWNER):
                return bytes(self._client.get(self._bucket, _OWNER).bytes()) == self._owner.encode()
        except BlobMissing:
            return False


class BucketUpload(HeldUpload):
    """Bytes on their way into a bucket."""

    def __init__(self, store: BucketStore, file: Any) -> None:
        super().__init__()
        self._store = store
        self._file = file

    async def finish(self) -> Blob:
        """Send the file. Raises ``StoreUnavailable``."""
        await asyncio.to_thread(self._write_held)
        self._file.seek(0)
        digest = self._digest.hexdigest()
        await self._store.keep(digest, self._file, self._size)
        return Blob(digest, self._size)

    def _put(self, data: bytes) -> None:
        self._file.write(data)


@contextmanager
def _told(digest: str) -> Iterator[None]:
    """The errors of the client as ours. What is there already is told as it is."""
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

    try:
        yield
    except AlreadyExistsError:
        raise
    except (NotFoundError, FileNotFoundError) as error:
        raise BlobMissing(detail=digest) from error
    except (BaseError, OSError) as error:
        raise StoreUnavailable(detail=str(error)) from error


def _is_older(modified: Any, before: Instant) -> bool:
    return int(modified.timestamp() * SECOND) < before
