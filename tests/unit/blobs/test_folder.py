"""Blobs in a folder: whole or not at all, once, and forgotten only when nobody put them there again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from pathlib import Path

import pytest

from watersmeet.blobs.folder import FolderStore
from watersmeet.blobs.store import PIECE, Blob, BlobMissing, StoreUnavailable

NOW = 1_800_000_000_000


async def put(store: FolderStore, *pieces: bytes) -> Blob:
    async with store.upload() as upload:
        for piece in pieces:
            await upload.write(piece)
        return await upload.finish()


async def get(store: FolderStore, digest: str, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in store.read(digest, start, stop)])


def age(store: FolderStore, blob: Blob, when: int) -> None:
    os.utime(store.path_of(blob.digest), (when / 1000, when / 1000))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_written_is_read_in_any_part(tmp_path: Path) -> None:
    store, data = FolderStore(tmp_path / "new" / "blobs"), os.urandom(PIECE * 2 + 77)
    blob = asyncio.run(put(store, data[:10], data[10 : PIECE + 5], data[PIECE + 5 :]))
    assert blob == Blob(hashlib.sha256(data).hexdigest(), len(data))
    for start, stop in ((0, len(data)), (0, 0), (3, 4), (PIECE - 1, PIECE * 2 + 1), (len(data) - 5, len(data))):
        assert asyncio.run(get(store, blob.digest, start, stop)) == data[start:stop]


def test_nothing_is_held_after_a_flush(tmp_path: Path) -> None:
    async def flushed() -> tuple[int, Blob]:
        async with FolderStore(tmp_path).upload() as upload:
            await upload.write(b"abc")
            await upload.flush()
            [file] = files(tmp_path)
            await upload.write(b"d")
            return file.stat().st_size, await upload.finish()

    assert asyncio.run(flushed()) == (3, Blob(hashlib.sha256(b"abcd").hexdigest(), 4))


def test_the_same_bytes_are_kept_once_and_are_the_server_s_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert asyncio.run(put(store, b"ab", b"c")) == asyncio.run(put(store, b"abc"))
    [file] = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> None:
        async with FolderStore(tmp_path).upload() as upload:
            await upload.write(b"x" * PIECE)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(broken())
    assert files(tmp_path) == []


def test_bytes_that_are_lost_or_cut_short_are_missing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(BlobMissing):
        asyncio.run(get(store, "0" * 64, 0, 1))
    blob = asyncio.run(put(store, b"abcdef"))
    store.path_of(blob.digest).write_bytes(b"abc")
    with pytest.raises(BlobMissing):
        asyncio.run(get(store, blob.digest, 0, 6))


def test_a_place_that_is_no_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        asyncio.run(put(FolderStore(tmp_path / "file"), b"x"))


def test_only_old_blobs_are_named_and_discarded(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    old, young = asyncio.run(put(store, b"old")), asyncio.run(put(store, b"young"))
    age(store, old, NOW - 1000)
    age(store, young, NOW)
    assert list(store.digests_before(NOW)) == [old.digest]
    assert store.discard(old.digest, NOW) is True
    assert store.discard(old.digest, NOW) is False  # another process was quicker
    assert asyncio.run(get(store, young.digest, 0, 5)) == b"young"


def test_bytes_that_came_again_meanwhile_are_kept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    blob = asyncio.run(put(store, b"abc"))
    age(store, blob, NOW - 1000)
    assert list(store.digests_before(NOW)) == [blob.digest]
    asyncio.run(put(store, b"abc"))  # between the look and the removal
    age(store, blob, NOW)
    assert store.discard(blob.digest, NOW) is False
    assert asyncio.run(get(store, blob.digest, 0, 3)) == b"abc"


def test_uploads_that_a_crash_cut_off_are_removed_once_they_are_old(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (tmp_path / "incoming").mkdir()
    for name, when in (("left", NOW - 1000), ("running", NOW)):
        (tmp_path / "incoming" / name).write_bytes(b"x")
        os.utime(tmp_path / "incoming" / name, (when / 1000, when / 1000))
    assert list(store.digests_before(NOW)) == []
    assert [path.name for path in files(tmp_path)] == ["running"]


def test_a_sweep_that_was_cut_off_between_its_steps_loses_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    blob = asyncio.run(put(store, b"abc"))
    path, doomed = store.path_of(blob.digest), store.path_of(blob.digest).with_suffix(".doomed")
    path.rename(doomed)
    assert list(store.digests_before(2000)) == []
    assert asyncio.run(get(store, blob.digest, 0, 3)) == b"abc"
    path.rename(doomed)
    os.utime(doomed, (1, 1))
    asyncio.run(put(store, b"abc"))  # a younger one came: the old one is not put in its place
    assert list(store.digests_before(2000)) == []
    assert (files(tmp_path), path.stat().st_mtime > 1) == ([path], True)


def test_a_folder_is_one_instance_s(tmp_path: Path) -> None:
    ours, theirs = FolderStore(tmp_path, "ours"), FolderStore(tmp_path, "theirs")
    blob = asyncio.run(put(ours, b"abc"))
    age(ours, blob, NOW - 1000)
    with pytest.raises(StoreUnavailable):
        asyncio.run(put(theirs, b"x"))
    assert list(theirs.digests_before(NOW)) == []
    assert list(FolderStore(tmp_path, "ours").digests_before(NOW)) == [blob.digest]
    assert list(FolderStore(tmp_path / "none", "ours").digests_before(NOW)) == []


def test_what_took_long_to_come_is_young(tmp_path: Path) -> None:
    async def slow(store: FolderStore) -> Blob:
        async with store.upload() as upload:
            await upload.write(b"x" * PIECE)
            [file] = files(tmp_path)
            os.utime(file, (1, 1))
            return await upload.finish()

    blob = asyncio.run(slow(FolderStore(tmp_path)))
    assert FolderStore(tmp_path).path_of(blob.digest).stat().st_mtime > 1
