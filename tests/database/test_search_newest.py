"""Searches for broad words find and count exactly what the usual way finds and counts, whoever asks."""

from __future__ import annotations

import random
from functools import partial

import pytest

from watersmeet.confluence import cql, cql_fields
from watersmeet.confluence.content import ContentType, SpaceStatus
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.permission import READER
from watersmeet.confluence.restriction import Restricted
from watersmeet.content import restriction, space
from watersmeet.content.restriction import Wanted
from watersmeet.database import content as contents
from watersmeet.database import permissions, search, search_newest, spaces
from watersmeet.database.audit import INTERNAL
from watersmeet.database.question import Found, Question

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]

QUERIES = ("text ~ common", "title ~ page", "siteSearch ~ common", 'text ~ "common words"', "text ~ comm*")


@pytest.fixture
def filled(wiki: Wiki) -> Wiki:
    """Pages in both spaces, some in the trash, some restricted, one a draft, with comments."""
    if wiki.database.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by what it knows of the rows, and has the usual way only")
    chance = random.Random(7)
    for number in range(40):
        key = chance.choice(("OPEN", "SHUT"))
        storage = f"<p>common words {number}</p>" if chance.random() < 0.8 else "<p>nothing</p>"
        page = wiki.create(f"Page {number}", by="admin", key=key, storage=storage)
        if chance.random() < 0.2:
            wiki.trash(page.id, by="admin")
        elif chance.random() < 0.2:
            wanted = [Wanted(Restricted.READ, usernames=(chance.choice(("alice", "bob")),))]
            wiki.run(restriction.restrict, "admin", page.id, wanted, NOW, INTERNAL, anew=True)
        else:
            wiki.update(page.id, 2, by="admin", storage=storage + "<p>changed</p>")
            _add_comment(wiki, page.id, page.space.id)
    return wiki


def _add_comment(wiki: Wiki, page_id: int, space_id: int) -> None:
    wiki.database.write_now(
        lambda tx: contents.add(
            tx, content_type=ContentType.COMMENT, space_id=space_id, parent_id=None, container_id=page_id,
            title="Re: Page", storage="<p>common words</p>", creator=wiki.people["bob"], now=NOW,
        )
    )  # fmt: skip


def _ask(wiki: Wiki, text: str, by: str, start: int, limit: int, *, archived: bool = True) -> Found:
    query = cql.parse(text)
    cql_fields.check(text, query)
    question = Question(text, query, wiki.people[by], NOW, archived=archived)
    return wiki.database.read_now(lambda tx: search.find_contents(tx, question, start, limit))


@pytest.mark.parametrize("text", QUERIES)
def test_both_ways_find_the_same(filled: Wiki, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    permissions_of_bob = {"user_id": filled.people["bob"].id}
    shut = filled.run(space.find, "admin", "SHUT", NOTHING)
    for step in ("as it is", "bob sees it", "archived"):
        if step == "bob sees it":
            filled.database.write_now(lambda tx: permissions.grant(tx, shut.id, READER, **permissions_of_bob))
        elif step == "archived":
            by_admin, archive = filled.people["admin"], SpaceStatus.ARCHIVED
            filled.database.write_now(partial(spaces.change, space_id=shut.id, by=by_admin, now=NOW, status=archive))
        for by in ("admin", "alice", "bob"):
            for archived in (True, False):
                for start, limit in ((0, 5), (3, 7), (0, 500), (500, 5)):
                    usual = _ask(filled, text, by, start, limit, archived=archived)
                    with monkeypatch.context() as patch:
                        patch.setattr(search_newest, "BROAD", 1)
                        newest = _ask(filled, text, by, start, limit, archived=archived)
                    assert (newest.total, list(newest.ids)) == (usual.total, list(usual.ids))
                    assert usual.total > 5 or step != "as it is"


def test_it_is_the_quick_way_that_is_taken(filled: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_newest, "BROAD", 1)
    taken = []
    find = search_newest._found

    def note(*arguments: object) -> object:
        taken.append(find(*arguments))  # type: ignore[arg-type]
        return taken[-1]

    monkeypatch.setattr(search_newest, "_found", note)
    for text in QUERIES:
        _ask(filled, text, "bob", 0, 5)
    assert len(taken) == len(QUERIES)
    assert None not in taken
    for text in (
        "text ~ common and type=page",
        "text ~ common order by title",
        "label=x",
        "not text ~ common and id=1",
    ):
        _ask(filled, text, "bob", 0, 5)
    assert len(taken) == len(QUERIES)
    monkeypatch.setattr(search_newest, "MOST_HIDDEN", 0)
    _ask(filled, QUERIES[0], "bob", 0, 5)
    monkeypatch.setattr(search_newest, "MOST_HIDDEN", 2_000)
    monkeypatch.setattr(search_newest, "MOST_PASSED", 1)
    _ask(filled, QUERIES[0], "bob", 0, 5)
    assert taken[len(QUERIES) :] == [None, None]
