"""Long tasks on both engines: a space is deleted step by step, by whoever is there, and failures have an end."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from tests.support.grants import ENTROPY, together
from watersmeet.app import long_works
from watersmeet.confluence.content import ContentType
from watersmeet.confluence.errors import Forbidden, LongTaskNotFound, SpaceNotFound
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.long_task import LongTask
from watersmeet.confluence.page import Window
from watersmeet.confluence.permission import READER
from watersmeet.confluence.restriction import Restricted
from watersmeet.content import long_task, space, space_deletion
from watersmeet.content.long_task import Work
from watersmeet.content.restriction import Wanted, restrict
from watersmeet.database import content as contents
from watersmeet.database import long_tasks, permissions
from watersmeet.database.audit import INTERNAL
from watersmeet.database.schema import content, content_versions, search_texts, space_permissions, spaces

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]


class _Clock:
    def now(self) -> int:
        return NOW + 5_000


def _begin(wiki: Wiki, by: str = "admin", key: str = "OPEN") -> LongTask:
    return wiki.run(space_deletion.begin, by, key, NOW, ENTROPY, INTERNAL)


def _step(wiki: Wiki, task: LongTask) -> bool:
    return wiki.database.write_now(lambda tx: long_task.step(tx, long_works(), task.id, NOW + 5_000))


def _task(wiki: Wiki, task: LongTask, by: str = "admin") -> LongTask:
    return wiki.run(long_task.find, by, task.id)


def _fill(wiki: Wiki, pages: int) -> None:
    """A line of pages, each below the one before, with old versions, comments and something in the trash."""
    above = None
    for number in range(pages):
        page = wiki.create(f"Page {number}", parent_id=above)
        above = page.id
        wiki.update(page.id, 2, storage="<p>again</p>")
    assert above is not None
    space_id = wiki.run(space.find, "admin", "OPEN", NOTHING).id
    wiki.database.write_now(
        lambda tx: contents.add(
            tx, content_type=ContentType.COMMENT, space_id=space_id, parent_id=None, container_id=above, title="Re",
            storage="", creator=wiki.people["bob"], now=NOW,
        )
    )  # fmt: skip
    wiki.trash(wiki.create("Thrown away").id)


def test_a_space_is_gone_at_once_and_deleted_step_by_step(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_deletion, "BATCH", 3)
    _fill(wiki, 7)
    task = _begin(wiki)
    for by in ("admin", "alice"):
        with pytest.raises(SpaceNotFound):
            wiki.run(space.find, by, "OPEN", NOTHING)
    total, seen = task.detail["contents"], [task.percentage]
    assert wiki.count(content) > total > 8
    while _step(wiki, task):
        seen.append(_task(wiki, task).percentage)
    assert seen == sorted(seen)
    assert (seen[-1], len(seen)) == (100, 1 + (total + 2) // 3)
    done = _task(wiki, task)
    assert (done.successful, done.finished_at, f"{total} contents" in done.message) == (True, NOW + 5_000, True)
    assert [wiki.count(table) for table in (spaces, content, content_versions, search_texts)] == [1, 1, 0, 1]
    assert wiki.count(space_permissions) == 14  # those of the other space
    wiki.run(space.create, "admin", key="OPEN", name="Anew", description="", now=NOW)


def test_only_administrators_of_the_space_begin_and_only_they_follow(wiki: Wiki) -> None:
    with pytest.raises(Forbidden):
        _begin(wiki, by="alice")
    with pytest.raises(SpaceNotFound):
        _begin(wiki, by="bob", key="SHUT")
    open_space = wiki.run(space.find, "admin", "OPEN", NOTHING)
    administers = {"user_id": wiki.people["alice"].id}
    wiki.database.write_now(
        lambda tx: permissions.grant(tx, open_space.id, [*READER, "SETSPACEPERMISSIONS"], **administers)  # type: ignore[list-item]
    )
    task = _begin(wiki, by="alice")
    assert _task(wiki, task, by="alice").percentage == 0
    assert [each.id for each in wiki.run(long_task.list_tasks, "admin", Window()).items] == [task.id]
    assert wiki.run(long_task.list_tasks, "bob", Window()).items == []
    with pytest.raises(LongTaskNotFound):
        _task(wiki, task, by="bob")


def test_several_workers_do_no_step_twice(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_deletion, "BATCH", 2)
    _fill(wiki, 6)
    task = _begin(wiki)

    def work(_: int) -> None:
        while _task(wiki, task).successful is None:
            _step(wiki, task)

    assert [each for each in together(4, work) if each is not None] == []
    assert (_task(wiki, task).successful, wiki.count(spaces)) == (True, 1)


def test_whoever_comes_next_goes_on(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended between two steps left nothing behind but the row."""
    monkeypatch.setattr(space_deletion, "BATCH", 2)
    _fill(wiki, 3)
    task = _begin(wiki)
    _step(wiki, task)
    asyncio.run(long_task.work_off(long_works(), wiki.database, _Clock(), Counter()))
    assert _task(wiki, task).successful is True


def test_a_task_that_keeps_failing_ends_and_says_so(wiki: Wiki) -> None:
    page, task, failures = wiki.create("Stays"), _begin(wiki), Counter[str]()

    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    works = {space_deletion.NAME: Work(fail, space_deletion.WORK.give_up)}
    work_off = partial(long_task.work_off, works, wiki.database, _Clock(), failures)
    for _ in range(4):
        asyncio.run(work_off())
        assert _task(wiki, task).successful is None
    asyncio.run(work_off())
    ended = _task(wiki, task)
    assert (ended.successful, ended.finished_at, "given up" in ended.message) == (False, NOW + 5_000, True)
    left = wiki.run(space.find, "admin", "OPEN", NOTHING)
    assert (left.status, wiki.find(page.id).title) == ("archived", "Stays")
    assert _begin(wiki).id != task.id


def test_what_was_restricted_stays_so_wherever_a_deletion_is_given_up(
    wiki: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parents may be younger than what was moved under them."""
    monkeypatch.setattr(space_deletion, "BATCH", 1)
    below = [wiki.create(f"Below {number}").id for number in range(3)]
    middle, top = wiki.create("Middle").id, wiki.create("Top").id
    for page_id in (middle, top):
        kept = [Wanted(Restricted.READ, usernames=("admin",))]
        wiki.run(restrict, "admin", page_id, kept, NOW, INTERNAL, anew=True)
    for page_id, parent_id in ((middle, top), *((each, middle) for each in below)):
        wiki.update(page_id, 2, by="admin", parent_id=parent_id)
    wiki.create("Seen")
    seen = set(wiki.titles(by="bob"))
    assert "Seen" in seen
    assert not seen & {"Below 0", "Middle", "Top"}
    hide = update(spaces).where(spaces.c.key == "OPEN").values(status="deleted")
    task = _begin(wiki)
    while _step(wiki, task) and _task(wiki, task).successful is None:
        wiki.database.write_now(lambda tx: space_deletion.WORK.give_up(tx, task))
        assert set(wiki.titles(by="bob")) <= seen
        wiki.database.write_now(lambda tx: tx.execute(hide))
    assert _task(wiki, task).successful is True


def test_what_ended_long_ago_is_forgotten_and_nothing_else(wiki: Wiki) -> None:
    over, recent, going = (wiki.run(long_task.begin, "alice", "Something long", {}, NOW, ENTROPY) for _ in range(3))
    for task, at in ((over, NOW), (recent, NOW + 10)):
        wiki.database.write_now(partial(long_tasks.fail, task_id=task.id, message="", now=at))

    def waiting() -> int:
        return wiki.database.read_now(lambda tx: long_tasks.backlog(tx, NOW + 10))["long_tasks"].waiting

    assert waiting() == 1
    assert wiki.database.read_now(lambda tx: long_tasks.any_over(tx, NOW + 10))
    assert wiki.database.write_now(lambda tx: long_tasks.prune(tx, NOW + 10, 20)) == 1
    assert not wiki.database.read_now(lambda tx: long_tasks.any_over(tx, NOW + 10))
    assert waiting() == 0
    left = wiki.run(long_task.list_tasks, "alice", Window(0, 10)).items
    assert {each.id for each in left} == {recent.id, going.id}
