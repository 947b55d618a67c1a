"""Content and spaces on both engines: versions, titles and the tree under races, permissions, paging."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import event, func, select

from tests.support.grants import together
from tests.support.plan import explained
from watersmeet.clock import Instant
from watersmeet.confluence.content import Content, ContentStatus, Space
from watersmeet.confluence.errors import (
    BadBody,
    BadParent,
    ContentNotFound,
    Forbidden,
    RestError,
    SpaceKeyTaken,
    SpaceNotFound,
    TitleTaken,
    VersionConflict,
)
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Window
from watersmeet.confluence.permission import READER, USERS_GROUP, WRITER
from watersmeet.confluence.scopes import Role
from watersmeet.content import read, space, write
from watersmeet.content.demo import add_demo_content
from watersmeet.content.write import Draft, Revision
from watersmeet.database import groups, permissions, spaces, users, uses
from watersmeet.database.content import ContentFilter
from watersmeet.database.engine import Database
from watersmeet.database.schema import content as content_table
from watersmeet.database.schema import content_versions, content_views
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

NOW: Instant = 1_800_000_000_000
THREADS = 20
WITH_ANCESTORS = Expansion.parse(["ancestors"])
WITH_BODY = Expansion.parse(["body.storage"])

T = TypeVar("T")


def _add_user(tx: Transaction, name: str) -> User:
    return users.add(
        tx,
        username=name,
        user_key=name * 3,
        display_name=name.title(),
        email=f"{name}@example.com",
        role=Role.ADMINISTRATOR if name == "admin" else Role.USER,
        password_hash="-",
        now=NOW,
    )


@dataclass(frozen=True)
class Wiki:
    """A database with the spaces OPEN (everyone reads, alice writes) and SHUT (admin's own)."""

    database: Database
    people: dict[str, User]

    def run(self, operation: Callable[..., T], by: str, *values: Any, **named: Any) -> T:
        user = self.people[by]
        return self.database.write_now(lambda tx: operation(tx, user, *values, **named))

    def create(self, title: str, *, by: str = "alice", key: str = "OPEN", **more: Any) -> Content:
        return self.run(write.create, by, Draft("page", key, title, **more), NOW)

    def update(self, content_id: int, version: int, *, by: str = "alice", **more: Any) -> Content:
        return self.run(write.update, by, content_id, Revision(version, **more), NOW)

    def trash(self, content_id: int, *, by: str = "alice") -> None:
        self.run(write.trash, by, content_id)

    def find(self, content_id: int, expansion: Expansion = WITH_ANCESTORS, *, by: str = "alice") -> Content:
        return self.run(read.find, by, content_id, read.ANY, expansion)

    def parent_title(self, content_id: int) -> str | None:
        ancestors = self.find(content_id).ancestors or ()
        return ancestors[-1].title if ancestors else None

    def load(self, wanted: ContentFilter, window: Window, expansion: Expansion = NOTHING, *, by: str = "alice") -> Any:
        return self.run(read.load, by, wanted, window, expansion)

    def titles(self, *, by: str, **criteria: Any) -> list[str]:
        wanted = ContentFilter(statuses=["current"], **criteria)
        return [item.title for item in self.load(wanted, Window(0, 100), by=by).items]

    def count(self, table: Any) -> int:
        return self.database.read_now(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def wiki(database: Database) -> Wiki:
    def make(tx: Transaction) -> dict[str, User]:
        people = {name: _add_user(tx, name) for name in ("admin", "alice", "bob", "viewer")}
        for key in ("OPEN", "SHUT"):
            space.create(tx, people["admin"], key=key, name=key.title(), description="", now=NOW)
        opened = space.find(tx, people["admin"], "OPEN", NOTHING)
        permissions.grant(tx, opened.id, READER, group_id=groups.find_id(tx, USERS_GROUP))
        permissions.grant(tx, opened.id, WRITER, user_id=people["alice"].id)
        return people

    return Wiki(database, database.write_now(make))


def test_views_are_the_latest_of_what_is_still_there(wiki: Wiki) -> None:
    page, other, alice = wiki.create("Seen"), wiki.create("Seen too"), wiki.people["alice"].id
    nowhere = 10**9
    for at in (NOW + 5, NOW + 9, NOW + 2):
        views = {(alice, page.id): at, (alice, nowhere): at, (nowhere, page.id): at}
        wiki.database.write_now(partial(uses.write_views, views=views))
    wiki.database.write_now(partial(uses.write_views, views={(alice, other.id): NOW + 7}))
    rows = wiki.database.read_now(
        lambda tx: tx.execute(select(content_views.c.content_id, content_views.c.viewed_at)).all()
    )
    assert sorted(rows) == [(page.id, NOW + 9), (other.id, NOW + 7)]


def _outcomes(results: list[Any]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


# ---- versions ---------------------------------------------------------------------------------------------


def test_of_racing_updates_exactly_one_wins(wiki: Wiki) -> None:
    page = wiki.create("Plan", storage="<p>0</p>")
    results = together(THREADS, lambda n: wiki.update(page.id, 2, storage=f"<p>by {n}</p>"))
    assert _outcomes(results) == {"Content": 1, "VersionConflict": THREADS - 1}
    lost = [str(result) for result in results if isinstance(result, VersionConflict)]
    assert set(lost) == {"Version must be incremented on update. Current version is: 2"}
    assert wiki.count(content_versions) == 1


def test_writers_who_try_again_lose_no_update(wiki: Wiki) -> None:
    page = wiki.create("Counter")

    def add_one(_: int) -> None:
        while True:
            try:
                wiki.update(page.id, wiki.find(page.id).version.number + 1)
            except VersionConflict:
                continue
            return

    assert _outcomes(together(8, add_one)) == {"NoneType": 8}
    assert wiki.find(page.id).version.number == 9
    assert wiki.count(content_versions) == 8


def test_old_versions_stay_as_they_were(wiki: Wiki) -> None:
    page = wiki.create("First", storage="<p>1</p>")
    wiki.update(page.id, 2, title="Second", storage="<p>2</p>", message="better", minor_edit=True)
    wiki.update(page.id, 3, by="admin")
    versions = [wiki.run(read.find_version, "bob", page.id, number, WITH_BODY) for number in (1, 2, 3)]
    assert [(item.title, item.storage) for item in versions] == [
        ("First", "<p>1</p>"),
        ("Second", "<p>2</p>"),
        ("Second", "<p>2</p>"),
    ]
    assert [item.status for item in versions] == ["historical", "historical", "current"]
    assert [item.version.by.username for item in versions] == ["alice", "alice", "admin"]
    assert (versions[1].version.message, versions[1].version.minor_edit) == ("better", True)
    with pytest.raises(ContentNotFound):
        wiki.run(read.find_version, "bob", page.id, 4, NOTHING)


@pytest.mark.parametrize("number", [0, 1, 3, 10**30])
def test_only_the_next_version_can_be_written(wiki: Wiki, number: int) -> None:
    page = wiki.create("Plan")
    with pytest.raises(VersionConflict):
        wiki.update(page.id, number)


# ---- titles -----------------------------------------------------------------------------------------------


def test_of_racing_creations_with_one_title_exactly_one_wins(wiki: Wiki) -> None:
    titles = ["Straße", "STRASSE", "strasse", " Straße "]
    results = together(THREADS, lambda n: wiki.create(titles[n % 4]))
    assert _outcomes(results) == {"Content": 1, "TitleTaken": THREADS - 1}


def test_of_racing_renames_to_one_title_exactly_one_wins(wiki: Wiki) -> None:
    pages = [wiki.create(f"Page {number}") for number in range(8)]
    results = together(8, lambda n: wiki.update(pages[n].id, 2, title="Best"))
    assert _outcomes(results) == {"Content": 1, "TitleTaken": 7}


def test_of_racing_spaces_with_one_key_exactly_one_wins(wiki: Wiki) -> None:
    def make(number: int) -> Space:
        key = "new" if number % 2 else "NEW"
        return wiki.run(space.create, "admin", key=key, name="N", description="", now=NOW)

    results = together(8, make)
    assert _outcomes(results) == {"Space": 1, "SpaceKeyTaken": 7}
    assert any(str(result).startswith("A space already exists") for result in results)
    assert SpaceKeyTaken.status == 400


def test_a_title_is_free_in_another_space_and_for_another_type(wiki: Wiki) -> None:
    wiki.create("Plan")
    wiki.create("Plan", by="admin", key="SHUT")
    wiki.run(write.create, "alice", Draft("blogpost", "OPEN", "Plan"), NOW)


def test_a_page_may_change_the_case_of_its_own_title(wiki: Wiki) -> None:
    page = wiki.create("plan")
    assert wiki.update(page.id, 2, title="PLAN").title == "PLAN"


@pytest.mark.parametrize("title", ["", "  ", "x" * 256, "ß" * 200, "a\0b"])
def test_impossible_titles(wiki: Wiki, title: str) -> None:
    with pytest.raises(BadBody):
        wiki.create(title)


# ---- the tree ---------------------------------------------------------------------------------------------


def _tree(wiki: Wiki) -> tuple[int, int, int]:
    top = wiki.create("Top")
    middle = wiki.create("Middle", parent_id=top.id)
    return top.id, middle.id, wiki.create("Leaf", parent_id=middle.id).id


def test_ancestors_come_from_the_root_down(wiki: Wiki) -> None:
    *_, leaf = _tree(wiki)
    assert [item.title for item in wiki.find(leaf).ancestors or ()] == ["Top", "Middle"]


def test_ancestors_of_a_list_take_one_query(wiki: Wiki) -> None:
    _tree(wiki)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append(statement)

    event.listen(wiki.database.engine, "before_cursor_execute", note)
    part = wiki.load(ContentFilter(), Window(0, 100), WITH_ANCESTORS)
    assert len(statements) == 2
    assert {item.title: len(item.ancestors) for item in part.items} == {
        "Open Home": 0, "Top": 0, "Middle": 1, "Leaf": 2
    }  # fmt: skip


def test_a_page_cannot_move_under_itself(wiki: Wiki) -> None:
    top, middle, leaf = _tree(wiki)
    for below in (top, middle, leaf):
        with pytest.raises(BadParent):
            wiki.update(top, 2, parent_id=below)
    wiki.update(leaf, 2, parent_id=top)
    assert wiki.parent_title(leaf) == "Top"
    wiki.update(leaf, 3, title="Still there")
    assert wiki.parent_title(leaf) == "Top"


def test_racing_moves_close_no_circle(wiki: Wiki) -> None:
    for turn in range(5):
        left, right = (wiki.create(f"{side} {turn}") for side in ("Left", "Right"))
        pairs = [(left.id, right.id), (right.id, left.id)]

        def move(number: int, pairs: list[tuple[int, int]] = pairs) -> Content:
            page, parent = pairs[number]
            return wiki.update(page, 2, parent_id=parent)

        results = together(2, move)
        assert _outcomes(results) == {"Content": 1, "BadParent": 1}


def test_children_of_a_trashed_page_move_up(wiki: Wiki) -> None:
    top, middle, leaf = _tree(wiki)
    wiki.trash(middle)
    assert wiki.parent_title(leaf) == "Top"
    wiki.update(middle, 2, status="current", title="Ignored")
    assert wiki.find(middle).title == "Middle"
    assert wiki.parent_title(middle) == "Top"
    assert wiki.parent_title(leaf) == "Top"
    assert wiki.find(top).status == "current"


def test_a_page_created_while_its_parent_is_trashed_is_not_lost(wiki: Wiki) -> None:
    for turn in range(5):
        top = wiki.create(f"Top {turn}")
        parent = wiki.create(f"Parent {turn}", parent_id=top.id)

        def act(number: int, parent: Content = parent, turn: int = turn) -> Any:
            return wiki.create(f"Child {turn}", parent_id=parent.id) if number else wiki.trash(parent.id)

        trashed, child = together(2, act)
        assert trashed is None
        if isinstance(child, Content):
            assert wiki.parent_title(child.id) == f"Top {turn}"
        else:
            assert isinstance(child, ContentNotFound)


def test_a_page_trashed_while_it_is_updated_stays_in_the_trash(wiki: Wiki) -> None:
    for turn in range(5):
        page = wiki.create(f"Page {turn}")

        def act(number: int, page: Content = page) -> Any:
            return wiki.update(page.id, 2, storage="<p>new</p>") if number else wiki.trash(page.id)

        trashed, updated = together(2, act)
        assert trashed is None
        assert isinstance(updated, Content | ContentNotFound)
        assert wiki.find(page.id).status == "trashed"


def test_a_parent_must_be_a_current_page_of_the_same_space(wiki: Wiki) -> None:
    gone = wiki.create("Gone")
    wiki.trash(gone.id)
    post = wiki.run(write.create, "alice", Draft("blogpost", "OPEN", "News"), NOW)
    elsewhere = wiki.create("Elsewhere", by="admin", key="SHUT")
    refused: list[tuple[str, int, type[RestError]]] = [
        ("alice", 999_999, ContentNotFound),
        ("alice", gone.id, ContentNotFound),
        ("alice", elsewhere.id, ContentNotFound),
        ("admin", elsewhere.id, BadParent),
        ("alice", post.id, BadParent),
    ]
    for by, parent_id, error in refused:
        with pytest.raises(error):
            wiki.create("Child", by=by, parent_id=parent_id)
    with pytest.raises(BadParent):
        wiki.run(write.create, "alice", Draft("blogpost", "OPEN", "More", parent_id=post.id), NOW)


# ---- the trash --------------------------------------------------------------------------------------------


def test_restoring_makes_a_version_and_needs_the_title(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    wiki.trash(page.id)
    with pytest.raises(ContentNotFound):
        wiki.update(page.id, 2)
    other = wiki.create("PLAN")
    with pytest.raises(TitleTaken):
        wiki.update(page.id, 2, status="current")
    wiki.trash(other.id)
    restored = wiki.update(page.id, 2, status="current")
    assert (restored.status, restored.version.number) == (ContentStatus.CURRENT, 2)


def test_only_what_is_trashed_can_be_purged(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    wiki.update(page.id, 2)
    with pytest.raises(ContentNotFound):
        wiki.run(write.purge, "alice", page.id)
    wiki.trash(page.id)
    with pytest.raises(ContentNotFound):
        wiki.trash(page.id)
    wiki.run(write.purge, "alice", page.id)
    with pytest.raises(ContentNotFound):
        wiki.find(page.id)
    assert wiki.count(content_versions) == 0


def test_a_space_forgets_a_trashed_homepage(wiki: Wiki) -> None:
    home = wiki.run(space.find, "alice", "OPEN", NOTHING).homepage_id
    assert home is not None
    wiki.trash(home)
    assert wiki.run(space.find, "alice", "OPEN", Expansion.parse(["homepage"])).homepage_id is None


# ---- permissions ------------------------------------------------------------------------------------------


def test_what_one_may_not_see_does_not_exist(wiki: Wiki) -> None:
    secret = wiki.create("Secret", by="admin", key="SHUT")
    for operation in (
        lambda: wiki.find(secret.id, by="bob"),
        lambda: wiki.run(read.find_version, "bob", secret.id, 1, NOTHING),
        lambda: wiki.update(secret.id, 2, by="bob"),
        lambda: wiki.trash(secret.id, by="bob"),
    ):
        with pytest.raises(ContentNotFound):
            operation()
    with pytest.raises(SpaceNotFound):
        wiki.create("Mine", by="bob", key="SHUT")
    with pytest.raises(SpaceNotFound):
        wiki.run(space.find, "bob", "SHUT", NOTHING)
    assert wiki.titles(by="bob", ids=[secret.id]) == []


def test_reading_is_not_writing(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    assert wiki.find(page.id, by="bob").title == "Plan"
    for operation in (
        lambda: wiki.create("Mine", by="bob"),
        lambda: wiki.update(page.id, 2, by="bob"),
        lambda: wiki.trash(page.id, by="bob"),
        lambda: wiki.run(space.create, "alice", key="NEW", name="New", description="", now=NOW),
    ):
        with pytest.raises(Forbidden):
            operation()


def test_a_permission_of_one_s_own_opens_a_space(wiki: Wiki) -> None:
    shut = wiki.run(space.find, "admin", "SHUT", NOTHING)
    wiki.database.write_now(lambda tx: permissions.grant(tx, shut.id, READER, user_id=wiki.people["viewer"].id))
    assert wiki.run(space.find, "viewer", "shut", NOTHING).key == "SHUT"
    with pytest.raises(Forbidden):
        wiki.create("Mine", by="viewer", key="SHUT")


# ---- lists ------------------------------------------------------------------------------------------------


def test_pages_are_filled_with_what_one_may_see(wiki: Wiki) -> None:
    for number in range(6):
        wiki.create(f"Open {number}")
        wiki.create(f"Shut {number}", by="admin", key="SHUT")
    seen: list[str] = []
    for start, size, more in ((0, 3, True), (3, 3, True), (6, 1, False), (9, 0, False)):
        part = wiki.load(ContentFilter(), Window(start, 3), by="bob")
        assert (len(part.items), part.more) == (size, more)
        seen += [item.title for item in part.items]
    assert seen == ["Open Home", *(f"Open {number}" for number in range(6))]


def test_criteria_narrow_a_list(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    wiki.create("Plan", by="admin", key="SHUT")
    assert wiki.titles(by="admin", title="pLAN") == ["Plan", "Plan"]
    assert wiki.titles(by="admin", title="Plan", space_id=page.space.id) == ["Plan"]
    assert wiki.titles(by="admin", types=["blogpost"]) == []
    assert wiki.titles(by="admin", ids=[page.id, 0]) == ["Plan"]
    assert wiki.titles(by="admin", created_before=NOW) == []
    assert len(wiki.titles(by="admin", created_from=NOW)) == 4


def test_bodies_are_fetched_only_where_asked_for(wiki: Wiki) -> None:
    page = wiki.create("Plan", storage="<p>x</p>")
    assert wiki.find(page.id, NOTHING).storage is None
    assert wiki.find(page.id, WITH_BODY).storage == "<p>x</p>"
    assert wiki.load(ContentFilter(ids=[page.id]), Window(), WITH_BODY).items[0].storage == "<p>x</p>"


def test_the_demo_content(wiki: Wiki) -> None:
    wiki.database.write_now(lambda tx: add_demo_content(tx, wiki.people, NOW))
    keys = [item.key for item in wiki.run(space.list_spaces, "bob", spaces.SpaceFilter(), Window(), NOTHING).items]
    assert keys == ["DEMO", "OPEN"]
    keys = [item.key for item in wiki.run(space.list_spaces, "viewer", spaces.SpaceFilter(), Window(), NOTHING).items]
    assert keys == ["DEMO", "ENG", "OPEN"]
    assert wiki.count(content_table) > 10
    part = wiki.load(ContentFilter(types=["page"], title="Asking for a token"), Window(), WITH_ANCESTORS, by="bob")
    assert [item.title for item in part.items[0].ancestors] == ["Demonstration Home", "Getting started"]


def test_a_number_is_never_given_twice(wiki: Wiki) -> None:
    first = wiki.create("First")
    wiki.trash(first.id)
    wiki.run(write.purge, "alice", first.id)
    assert wiki.create("Second").id != first.id


# ---- what a list costs ------------------------------------------------------------------------------------


def _statements(wiki: Wiki, read_list: Callable[[], Any]) -> tuple[int, int]:
    """How many statements it takes to read a list, and how many items that shows."""
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            executed.append(statement)

    event.listen(wiki.database.engine, "before_cursor_execute", note)
    try:
        found = len(read_list().items)
    finally:
        event.remove(wiki.database.engine, "before_cursor_execute", note)
    return len(executed), found


@pytest.mark.parametrize(
    ("expand", "cost"),
    [
        ("", 1),
        ("space,history,version,container,body.storage", 1),
        ("ancestors.ancestors,body", 2),
        ("ancestors.metadata.labels,ancestors.children.page,ancestors.body.storage", 3),
        ("history.previousVersion,history.contributors.publishers,history.lastUpdated", 3),
        ("operations", 3),
        ("metadata.labels,metadata.properties,metadata.currentuser,restrictions", 5),
        ("children.page", 3),
        ("children.page.children.page.version,children.comment,children.attachment", 7),
        ("descendants.page.operations", 5),
        ("space.homepage.operations,space.homepage.children.page", 4),
    ],
)
def test_a_list_of_contents_costs_the_same_whatever_its_length(wiki: Wiki, expand: str, cost: int) -> None:
    expansion, parent_id = Expansion.parse([expand]), None
    for number in range(20):
        parent_id = wiki.create(f"Page {number}", parent_id=parent_id).id
    for limit in (5, 20):
        window = Window(0, limit)
        assert _statements(wiki, partial(wiki.load, ContentFilter(), window, expansion)) == (cost, limit)


@pytest.mark.parametrize(("expand", "cost"), [("", 1), ("homepage.space", 2)])
def test_a_list_of_spaces_costs_the_same_whatever_its_length(wiki: Wiki, expand: str, cost: int) -> None:
    expansion = Expansion.parse([expand])
    for number in range(10):
        wiki.run(space.create, "admin", key=f"S{number}", name=f"S{number}", description="", now=NOW)
    for limit in (2, 10):
        wanted, window = spaces.SpaceFilter(), Window(0, limit)
        read_list = partial(wiki.run, space.list_spaces, "admin", wanted, window, expansion)
        assert _statements(wiki, read_list) == (cost, limit)


def test_a_title_is_found_by_its_index(wiki: Wiki) -> None:
    """It is what every program that keeps a wiki up to date asks for, page by page."""
    page = wiki.create("Plan")
    wanted = ContentFilter(statuses=read.CURRENT, space_id=page.space.id, title="plan")
    with explained(wiki.database.engine) as plans:
        assert [item.id for item in wiki.load(wanted, Window(0, 25), NOTHING).items] == [page.id]
    if wiki.database.engine.dialect.name == "sqlite":
        assert "USING INDEX ix_content_title_key_space_id" in " ".join(plans), plans


def test_the_greatest_numbers_a_client_can_send_find_nothing(wiki: Wiki) -> None:
    greatest = 10**18 - 1
    page = wiki.create("Plan")
    assert wiki.titles(by="alice", ids=[greatest]) == []
    assert not wiki.load(ContentFilter(), Window(2**31 - 1, 1000)).items
    operations: list[Callable[[], Content]] = [
        lambda: wiki.find(greatest),
        lambda: wiki.run(read.find_version, "alice", page.id, 999_999_999, NOTHING),
        lambda: wiki.create("Child", parent_id=greatest),
        lambda: wiki.update(page.id, 2, parent_id=greatest),
    ]
    for operation in operations:
        with pytest.raises(ContentNotFound):
            operation()
