"""Blobs in a bucket, against a server that speaks S3 and that another client looks into."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from obstore.exceptions import NotFoundError

from tests.support.s3 import CREDENTIALS, S3Server, running_s3
from watersmeet.app import open_blobs
from watersmeet.blobs.s3 import BucketStore
from watersmeet.blobs.store import PIECE, Blob, BlobMissing, StoreUnavailable
from watersmeet.clock import SystemClock
from watersmeet.errors import SettingsError
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings

MIB = 1024 * 1024
FUTURE = 4_000_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with running_s3() as running:
        yield running


@pytest.fixture
def store(server: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> BucketStore:
    """A place of its own for each test."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return BucketStore(server.url(request.node.name.partition("[")[0]), "ours")


async def put(store: BucketStore, *pieces: bytes) -> Blob:
    async with store.upload() as upload:
        for piece in pieces:
            await upload.write(piece)
        return await upload.finish()


async def get(store: BucketStore, digest: str, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in store.read(digest, start, stop)])


@pytest.mark.parametrize("size", [0, 5, 20 * MIB + 77])
def test_what_was_written_is_read_in_any_part(store: BucketStore, size: int) -> None:
    data = os.urandom(size)
    blob = asyncio.run(put(store, *(data[start : start + MIB] for start in range(0, size, MIB))))
    assert blob == Blob(hashlib.sha256(data).hexdigest(), size)
    for start, stop in {(0, size), (0, 0), (min(3, size), size), (max(0, size - 9 * MIB), size)}:
        assert asyncio.run(get(store, blob.digest, start, stop)) == data[start:stop]


def test_pieces_are_small_whatever_is_asked_for(store: BucketStore) -> None:
    async def sizes() -> set[bool]:
        blob = await put(store, bytes(9 * MIB))
        return {len(piece) <= PIECE async for piece in store.read(blob.digest, 0, blob.size)}

    assert asyncio.run(sizes()) == {True}


def test_another_client_finds_the_same(store: BucketStore, server: S3Server) -> None:
    blob = asyncio.run(put(store, b"abc"))
    assert asyncio.run(put(store, b"ab", b"c")) == blob
    prefix = "test_another_client_finds_the_same"
    found = {key: size for key, size in server.keys().items() if key.startswith(prefix)}
    assert found == {f"{prefix}/{blob.digest}": 3, f"{prefix}/owner": 4}


def test_an_upload_that_breaks_off_leaves_nothing(store: BucketStore, server: S3Server) -> None:
    async def broken() -> None:
        async with store.upload() as upload:
            await upload.write(bytes(9 * MIB))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(broken())
    prefix = "test_an_upload_that_breaks_off_leaves_nothing"
    assert [key for key in sorted(server.keys()) if key.startswith(prefix)] == [f"{prefix}/owner"]


def test_an_upload_whose_last_answer_was_lost_is_kept_if_it_is_there(
    store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = asyncio.run(put(store, b"abc"))
    client = store._client

    async def lost(*_: object, **__: object) -> None:
        raise NotFoundError("NoSuchUpload")

    class Deaf:
        put_async = staticmethod(lost)

        def __getattr__(self, name: str) -> object:
            return getattr(client, name)

    monkeypatch.setattr(store, "_client", Deaf())
    assert asyncio.run(put(store, b"abc")) == blob
    with pytest.raises(StoreUnavailable):
        asyncio.run(put(store, b"other"))
    monkeypatch.setattr("watersmeet.blobs.s3._YOUNG", -FUTURE)
    with pytest.raises(StoreUnavailable):  # there, but a sweep may take it
        asyncio.run(put(store, b"abc"))


def test_what_is_lost_is_missing(store: BucketStore) -> None:
    with pytest.raises(BlobMissing):
        asyncio.run(get(store, "0" * 64, 0, 1))
    blob = asyncio.run(put(store, b"abc"))
    with pytest.raises((BlobMissing, StoreUnavailable)):
        asyncio.run(get(store, blob.digest, 0, 6))


def test_only_old_blobs_are_named_and_discarded(store: BucketStore) -> None:
    blob, now = asyncio.run(put(store, b"abc")), SystemClock().now()
    assert list(store.digests_before(now - 3_600_000)) == []
    assert store.discard(blob.digest, now - 3_600_000) is False
    assert list(store.digests_before(FUTURE)) == [blob.digest]
    assert store.discard(blob.digest, FUTURE) is True
    assert store.discard(blob.digest, FUTURE) is False
    assert list(store.digests_before(FUTURE)) == []


def test_a_bucket_is_one_instance_s(store: BucketStore, server: S3Server) -> None:
    blob = asyncio.run(put(store, b"abc"))
    theirs = BucketStore(server.url("test_a_bucket_is_one_instance_s"), "theirs")
    with pytest.raises(StoreUnavailable):
        asyncio.run(put(theirs, b"x"))
    assert list(theirs.digests_before(FUTURE)) == []
    again = BucketStore(server.url("test_a_bucket_is_one_instance_s"), "ours")
    assert list(again.digests_before(FUTURE)) == [blob.digest]


def test_a_bucket_that_is_away_is_unavailable(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    absent = BucketStore(server.url().replace("blobs", "none"), "ours")
    with pytest.raises((StoreUnavailable, BlobMissing)):
        asyncio.run(put(absent, b"x"))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        away = BucketStore(server.url().replace(server.address, address), "ours")
        with pytest.raises(StoreUnavailable):
            asyncio.run(put(away, b"x"))


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///prefix", "s3://bucket?access_key=x", "gs://bucket", "https://bucket.example", "ftp://x"]
)
def test_what_is_no_url_of_a_bucket_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(SettingsError, match="blob_store"):
        open_blobs(Settings(blob_store=url), Keys.derive("x" * 32))


def test_the_client_is_imported_for_a_bucket_alone() -> None:
    code = "import sys, watersmeet.app; print([name for name in sys.modules if name.split('.')[0] == 'obstore'])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
