"""Searches for words find and count exactly what a look at every content finds, whoever asks and whatever the plan."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.plan import explained
from watersmeet.confluence import cql, cql_fields
from watersmeet.confluence.content import Content, ContentType, SpaceStatus
from watersmeet.confluence.errors import ContentNotFound
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Window
from watersmeet.confluence.permission import READER
from watersmeet.confluence.restriction import Restricted
from watersmeet.content import read, restriction, space, tree, write
from watersmeet.content.restriction import Wanted
from watersmeet.content.tree import Place
from watersmeet.content.write import Draft
from watersmeet.database import content as contents
from watersmeet.database import permissions, search, search_words, spaces
from watersmeet.database.audit import INTERNAL
from watersmeet.database.content import ContentFilter
from watersmeet.database.question import Found, Question
from watersmeet.database.schema import content as content_table
from watersmeet.database.schema import search_facts

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]

WORDS = ("amber", "birch", "cedar", "fjord")
"""None is another's stem or beginning."""
BODY = Expansion.parse(["body.storage"])


@dataclass(frozen=True)
class Filled:
    """A wiki full of pages and comments, and what each of them says."""

    wiki: Wiki
    everything: list[Content]

    def seen_by(self, name: str) -> set[int]:
        """One by one, by another way than the search's."""
        return {item.id for item in self.everything if self._sees(name, item.id)}

    def _sees(self, name: str, content_id: int) -> bool:
        try:
            self.wiki.run(read.find, name, content_id, ("current", "trashed", "draft"), Expansion())
        except ContentNotFound:
            return False
        return True


@pytest.fixture
def filled(wiki: Wiki) -> Filled:
    """Three spaces, one archived and one that few see; pages in the trash, drafts, restricted trees, comments."""
    chance = random.Random(7)
    admin = wiki.people["admin"]
    old = wiki.run(space.create, "admin", key="OLD", name="Old", description="", now=NOW)
    wiki.database.write_now(lambda tx: permissions.grant(tx, old.id, READER, user_id=wiki.people["alice"].id))
    pages: list[Content] = []
    for number in range(60):
        key = chance.choice(("OPEN", "OPEN", "SHUT", "OLD"))
        parents = [page for page in pages if page.space.key == key]
        parent = chance.choice(parents).id if parents and chance.random() < 0.5 else None
        page = _add_page(wiki, chance, number, key, parent)
        pages.append(page)
        if chance.random() < 0.5:
            _add_comment(wiki, page, _text(chance), NOW + chance.randrange(50))
    for page in pages:
        fate = chance.random()
        if fate < 0.15:
            wiki.trash(page.id, by="admin")
        elif fate < 0.35:
            wanted = [Wanted(Restricted.READ, usernames=(chance.choice(("alice", "bob")),))]
            wiki.run(restriction.restrict, "admin", page.id, wanted, NOW, INTERNAL, anew=True)
    for number in range(5):
        wiki.run(write.create, "alice", Draft("page", "OPEN", f"Draft {number} amber", status="draft"), NOW)
    archive = partial(spaces.change, space_id=old.id, by=admin, now=NOW, status=SpaceStatus.ARCHIVED)
    wiki.database.write_now(archive)
    wanted_all = ContentFilter(statuses=["current", "trashed"])
    everything = list(wiki.load(wanted_all, Window(0, 500), BODY, by="admin").items)
    return Filled(wiki, everything)


def _text(chance: random.Random) -> str:
    return " ".join(chance.sample(WORDS, chance.randrange(1, 4)))


def _add_page(wiki: Wiki, chance: random.Random, number: int, key: str, parent_id: int | None) -> Content:
    storage = f"<p>{_text(chance)}</p>"
    wanted = Draft("page", key, f"Page {number} {chance.choice(WORDS)}", storage=storage, parent_id=parent_id)
    return wiki.run(write.create, "admin", wanted, NOW + chance.randrange(50))


def _add_comment(wiki: Wiki, page: Content, text: str, now: int) -> None:
    wiki.database.write_now(
        lambda tx: contents.add(
            tx, content_type=ContentType.COMMENT, space_id=page.space.id, parent_id=None, container_id=page.id,
            title="Re: Page", storage=f"<p>{text}</p>", creator=wiki.people["bob"], now=now,
        )
    )  # fmt: skip


def _ask(wiki: Wiki, text: str, by: str, start: int, limit: int, *, archived: bool = True) -> Found:
    query = cql.parse(text)
    cql_fields.check(text, query)
    question = Question(text, query, wiki.people[by], NOW, archived=archived)
    return wiki.database.read_now(lambda tx: search.find_contents(tx, question, start, limit))


# ---- the reference ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A part of a query, and what it means."""

    cql: str
    holds: Callable[[Content], bool]


def _says(word: str, item: Content, *, title_only: bool = False) -> bool:
    return word in (item.title if title_only else f"{item.title} {item.storage}").lower()


_TEXTS = [
    *(Asked(f"text ~ {word}", partial(_says, word)) for word in WORDS),
    *(Asked(f"title ~ {word}", partial(_says, word, title_only=True)) for word in WORDS),
    Asked("siteSearch ~ cedar", partial(_says, "cedar")),
    Asked('text ~ "amber birch"', lambda item: _says("amber", item) and _says("birch", item)),
    Asked("text ~ ced*", partial(_says, "cedar")),
    Asked("text ~ page", partial(_says, "page")),
]
_OTHERS = [
    Asked("type = page", lambda item: item.type == "page"),
    Asked("type != page", lambda item: item.type != "page"),
    Asked("space = OPEN", lambda item: item.space.key == "OPEN"),
    Asked("space in (SHUT, OLD)", lambda item: item.space.key in ("SHUT", "OLD")),
    Asked("creator = bob", lambda item: item.created_by.username == "bob"),
    Asked("text !~ fjord", lambda item: not _says("fjord", item)),
    Asked("(text ~ amber or text ~ fjord)", lambda item: _says("amber", item) or _says("fjord", item)),
    Asked("not (title ~ birch and type = page)", lambda item: not (_says("birch", item, title_only=True))),
    Asked("container = OPEN", lambda item: item.container_id is None and item.space.key == "OPEN"),
]
_ORDERS: dict[str, Callable[[Content], tuple[int, ...]]] = {
    "": lambda item: (-item.version.when, -item.id),
    " order by lastmodified desc": lambda item: (-item.version.when, -item.id),
    " order by lastmodified": lambda item: (item.version.when, -item.id),
    " order by created desc": lambda item: (-item.created_at, -item.id),
    " order by id": lambda item: (item.id,),
}
_queries = st.tuples(
    st.lists(st.sampled_from(_TEXTS), min_size=1, max_size=2, unique_by=lambda asked: asked.cql),
    st.lists(st.sampled_from(_OTHERS), max_size=2, unique_by=lambda asked: asked.cql),
    st.sampled_from(sorted(_ORDERS)),
)
_windows = st.sampled_from([(0, 5), (3, 7), (0, 500), (500, 5)])
_plans = st.sampled_from([(1, 2_000), (10**6, 2_000), (1, 3)])
"""How dear asking one content is thought to be, and how many are asked at most: they decide the way that is taken."""


def test_whatever_is_asked_whoever_asks_and_whatever_the_plan(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {name: filled.seen_by(name) for name in ("admin", "alice", "bob", "viewer")}
    assert len({frozenset(ids) for ids in seen.values()}) == len(seen)
    totals: set[int] = set()

    @settings(
        max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(query=_queries, by=st.sampled_from(sorted(seen)), archived=st.booleans(), window=_windows, plan=_plans)
    def check(
        query: tuple[list[Asked], list[Asked], str],
        by: str,
        archived: bool,
        window: tuple[int, int],
        plan: tuple[int, int],
    ) -> None:
        monkeypatch.setattr(search_words, "A_PROBE", dict.fromkeys(search_words.A_PROBE, plan[0]))
        monkeypatch.setattr(search_words, "MOST_PASSED", plan[1])
        texts, others, order = query
        parts = [*texts, *others]
        matching = [
            item
            for item in filled.everything
            if item.id in seen[by]
            and item.status == "current"
            and (archived or item.space.key != "OLD")
            and all(part.holds(item) for part in parts)
        ]
        start, limit = window
        expected = [item.id for item in sorted(matching, key=_ORDERS[order])][start : start + limit]
        found = _ask(filled.wiki, " and ".join(part.cql for part in parts) + order, by, start, limit, archived=archived)
        assert (found.total, list(found.ids)) == (len(matching), expected)
        totals.add(found.total)

    check()
    assert len(totals) > 10


def test_what_was_written_is_found_by_the_next_search(wiki: Wiki) -> None:
    pages = [wiki.create(f"Page {number}", by="admin", storage="<p>amber</p>") for number in range(3)]
    newest = wiki.update(pages[1].id, 2, by="admin", storage="<p>cedar amber</p>")
    for text in ("text ~ amber", "text ~ amber and type = page order by lastmodified desc"):
        assert _ask(wiki, text, "bob", 0, 5).total == 3
    assert _ask(wiki, "text ~ cedar and text ~ amber", "bob", 0, 5) == Found(1, [newest.id])
    wiki.trash(newest.id, by="admin")
    assert _ask(wiki, "text ~ cedar", "bob", 0, 5).total == 0
    assert _ask(wiki, "text ~ amber and space = OPEN", "bob", 0, 5).total == 2


def test_facts_are_what_the_contents_are(wiki: Wiki) -> None:
    """Whatever changed them: moves, the trash, new versions, purges."""
    shut = wiki.run(space.find, "admin", "SHUT", Expansion())
    moved, changed, purged = (wiki.create(f"Page {number}", by="admin") for number in range(3))
    assert shut.homepage_id is not None
    wiki.run(tree.move, "admin", moved.id, Place.APPEND, shut.homepage_id)
    wiki.update(changed.id, 2, by="alice", storage="<p>cedar</p>")
    wiki.trash(purged.id, by="admin")
    wiki.run(write.purge, "admin", purged.id)
    names = [column.name for column in search_facts.columns]
    rows = [select(*(table.c[name] for name in names)).order_by(table.c.id) for table in (content_table, search_facts)]
    contents_now, facts_now = wiki.database.read_now(lambda tx: [tx.execute(query).all() for query in rows])
    assert contents_now == facts_now
    by_id = {row.id: row for row in facts_now}
    assert by_id[moved.id].space_id == shut.id
    assert by_id[changed.id].updated_by == wiki.people["alice"].id
    assert purged.id not in by_id


@pytest.mark.parametrize("probe", [1, 10**6], ids=["walked", "sorted"])
def test_no_body_is_read_to_count_and_to_sort(wiki: Wiki, monkeypatch: pytest.MonkeyPatch, probe: int) -> None:
    if wiki.database.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by what it knows of the rows")
    monkeypatch.setattr(search_words, "A_PROBE", dict.fromkeys(search_words.A_PROBE, probe))
    for number in range(8):
        wiki.create(f"Page {number}", by="admin", storage="<p>amber</p>")
    narrowed = "type = page and space = OPEN and text ~ amber"
    with explained(wiki.database.engine) as plans:
        for order in ("", " order by lastmodified desc", " order by created"):
            assert _ask(wiki, narrowed + order, "bob", 0, 2).total == 8
        for text in ("text ~ amber", "title ~ page"):
            assert _ask(wiki, text, "bob", 0, 2).total == 8
    of_words = [plan for plan in plans if "VIRTUAL TABLE" in plan]
    assert len(of_words) >= 8
    assert not [plan for plan in of_words if "SCAN content " in plan or "SCAN search_facts" in plan]
    looked_up = [plan for plan in of_words if plan.startswith("SCAN search_index") and "search_facts" in plan]
    assert looked_up
    assert all("SEARCH search_facts USING INTEGER PRIMARY KEY" in plan for plan in looked_up)
    walked = [plan for plan in of_words if "ix_search_facts_newest" in plan]
    assert bool(walked) == (probe == 1)
    assert not [plan for plan in walked if "TEMP B-TREE" in plan]
