"""Attachments on both engines: what each version holds, under races, and the sweep of what nothing holds."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.support.grants import together
from tests.support.plan import explained
from watersmeet.blobs.folder import FolderStore
from watersmeet.clock import SystemClock
from watersmeet.confluence.content import Content, File
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Window
from watersmeet.content import attachment, read, unnamed, version, write
from watersmeet.content.attachment import Properties, Upload
from watersmeet.database import attachments, references
from watersmeet.database.content import ContentFilter
from watersmeet.database.schema import attachment_files
from watersmeet.database.schema import content as content_table

from .test_content import NOW, THREADS, Wiki, _outcomes, wiki

__all__ = ["wiki"]


def upload(name: str = "a.txt", digest: str = "0" * 64) -> Upload:
    return Upload(name, File(digest, len(digest), "text/plain"))


def attach(wiki: Wiki, page: Content, *uploads: Upload, replaces: bool = False) -> list[Content]:
    return wiki.run(attachment.attach, "alice", page.id, uploads, NOW, NOTHING, replaces=replaces)


def other_bytes(wiki: Wiki, page: Content, made: Content, digest: str) -> Content:
    return wiki.run(attachment.replace_file, "alice", page.id, made.id, upload(digest=digest), NOW, NOTHING)


def rename(wiki: Wiki, page: Content, made: Content, number: int, name: str) -> Content:
    return wiki.run(attachment.change, "alice", page.id, made.id, Properties(number, name), NOW, NOTHING)


def digest_in(wiki: Wiki, made: Content, number: int) -> str:
    found = wiki.run(read.find_version, "alice", made.id, number, NOTHING)
    assert found.file is not None
    return found.file.digest


def test_each_version_holds_what_the_nearest_one_brought(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    (made,) = attach(wiki, page, upload(digest="a" * 64))
    rename(wiki, page, made, 2, "b.txt")
    other_bytes(wiki, page, made, "c" * 64)
    rename(wiki, page, made, 4, "d.txt")
    assert [digest_in(wiki, made, number)[0] for number in (1, 2, 3, 4)] == ["a", "a", "c", "c"]
    wiki.run(version.delete_version, "alice", made.id, 1)
    assert (digest_in(wiki, made, 2)[0], wiki.count(attachment_files)) == ("a", 2)
    wiki.run(version.delete_version, "alice", made.id, 2)
    assert wiki.count(attachment_files) == 1
    wiki.run(version.delete_version, "alice", made.id, 3)
    assert (digest_in(wiki, made, 4)[0], wiki.count(attachment_files)) == ("c", 1)


def test_of_racing_uploads_of_one_name_exactly_one_wins(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    results = together(THREADS, lambda n: attach(wiki, page, upload(digest=f"{n:064}")))
    assert _outcomes(results) == {"list": 1, "FileNameTaken": THREADS - 1}
    assert wiki.count(attachment_files) == 1


def test_racing_replacements_are_versions_one_after_the_other(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    results = together(THREADS, lambda n: attach(wiki, page, upload(digest=f"{n:064}"), replaces=True))
    assert _outcomes(results) == {"list": THREADS}
    (found,) = wiki.load(ContentFilter(types=["attachment"]), Window(0, 10)).items
    assert (found.version.number, wiki.count(attachment_files)) == (THREADS, THREADS)
    assert {digest_in(wiki, found, number) for number in range(1, THREADS + 1)} == {f"{n:064}" for n in range(THREADS)}


def test_of_racing_changes_exactly_one_wins(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    (made,) = attach(wiki, page, upload())
    results = together(THREADS, lambda n: rename(wiki, page, made, 2, f"{n}.txt"))
    assert _outcomes(results) == {"Content": 1, "VersionConflict": THREADS - 1}


def test_two_that_take_one_name_by_renaming_and_restoring(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    first, second = attach(wiki, page, upload("a.txt"), upload("b.txt"))
    wiki.trash(first.id)
    back = write.Revision(2, status="current")

    def act(number: int) -> object:
        if number % 2:
            return rename(wiki, page, second, 2, "a.txt")
        return wiki.run(write.update, "alice", first.id, back, NOW)

    results = together(2, act)
    assert sorted(_outcomes(results).items()) == [("Content", 1), ("FileNameTaken", 1)]


def test_files_and_children_of_a_list_come_with_a_constant_number_of_statements(wiki: Wiki) -> None:
    counted: list[int] = []
    for _ in range(2):
        for number in range(5):
            page = wiki.create(f"Plan {wiki.count(content_table)} {number}")
            attach(wiki, page, *(upload(f"{each}.txt") for each in range(3)))
        statements: list[str] = []

        def note(*args: object, into: list[str] = statements) -> None:
            into.append(str(args[2]))

        event.listen(wiki.database.engine, "before_cursor_execute", note)
        found = wiki.load(
            ContentFilter(types=["page"]), Window(0, 100), Expansion.parse(["children.attachment.version"])
        ).items
        event.remove(wiki.database.engine, "before_cursor_execute", note)
        held = [len(page.children["attachment"].items) for page in found if page.title.startswith("Plan")]
        assert held == [3] * len(held) != []
        counted.append(len(statements))
    assert counted[0] == counted[1]


def test_names_are_found_by_their_index_and_files_are_listed_after_a_renaming(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    engine, alice = wiki.database.engine, wiki.people["alice"]
    (made,) = attach(wiki, page, upload())
    rename(wiki, page, made, 2, "b.txt")
    (row,) = wiki.database.read_now(lambda tx: references.list_files(tx, [page.id], alice))
    assert (row[3], row[6]) == ("b.txt", 64)

    with explained(engine) as plans:
        assert wiki.database.read_now(lambda tx: attachments.find_named(tx, page.id, "b.txt")) == made.id
    if engine.dialect.name == "sqlite":
        assert "uq_content_current_attachment" in " ".join(plans), plans


# ---- the sweep ---------------------------------------------------------------------------------------------


async def keep(store: FolderStore, data: bytes) -> File:
    async with store.upload() as incoming:
        await incoming.write(data)
        blob = await incoming.finish()
    return File(blob.digest, blob.size, "text/plain")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "blobs")


def age(store: FolderStore, file: File, when: int) -> None:
    os.utime(store.path_of(file.digest), (when / 1000, when / 1000))


def test_what_no_row_names_goes_once_it_is_old(wiki: Wiki, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unnamed, "BATCH", 3)
    page = wiki.create("Plan")
    files = [asyncio.run(keep(store, b"%d" % number)) for number in range(20)]
    for number, file in enumerate(files):
        age(store, file, NOW - unnamed.GRACE - (number != 19))  # the last one is as old as it may be
    (made,) = attach(wiki, page, Upload("a.txt", files[0]))
    other_bytes(wiki, page, made, files[1].digest)  # named by an old version
    (gone,) = attach(wiki, page, Upload("b.txt", files[2]))
    wiki.trash(gone.id)  # named from the trash
    (doomed,) = attach(wiki, page, Upload("c.txt", files[3]))
    wiki.trash(doomed.id)
    wiki.run(write.purge, "alice", doomed.id)
    counted = asyncio.run(unnamed.backlog(store, wiki.database, NOW))
    assert (counted.rows, counted.waiting) == (20, 16)
    assert asyncio.run(unnamed.sweep_once(store, wiki.database, NOW)) == 16
    kept = {file.digest for file in files if store.path_of(file.digest).exists()}
    assert kept == {files[number].digest for number in (0, 1, 2, 19)}
    assert asyncio.run(unnamed.sweep_once(store, wiki.database, NOW)) == 0
    wiki.trash(page.id)
    wiki.run(write.purge, "alice", page.id)  # with everything that is in it
    assert asyncio.run(unnamed.sweep_once(store, wiki.database, NOW)) == 3


def test_bytes_that_are_uploaded_again_while_they_are_swept_are_kept(wiki: Wiki, store: FolderStore) -> None:
    """The upload comes between the look into the database and the removal, and is named after it."""
    page = wiki.create("Plan")
    file = asyncio.run(keep(store, b"same"))
    now = SystemClock().now()
    age(store, file, now - 2 * unnamed.GRACE)

    asked: list[str] = []

    class Meanwhile(FolderStore):
        def discard(self, digest: str, before: int) -> bool:
            asked.append(digest)
            asyncio.run(keep(self, b"same"))
            return super().discard(digest, before)

    assert asyncio.run(unnamed.sweep_once(Meanwhile(store.folder), wiki.database, now)) == 0
    assert asked == [file.digest]
    attach(wiki, page, Upload("a.txt", file))
    assert store.path_of(file.digest).read_bytes() == b"same"
