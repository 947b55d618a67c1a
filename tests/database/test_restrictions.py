"""Restrictions and the guards worked out from them, on both engines, under races."""

from __future__ import annotations

from tests.support.grants import together
from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.errors import ContentNotFound
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Window
from watersmeet.confluence.restriction import Restricted
from watersmeet.content import restriction
from watersmeet.content.restriction import Wanted
from watersmeet.database import content as contents
from watersmeet.database.audit import INTERNAL
from watersmeet.database.content import ContentFilter

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]

MINE = Wanted(Restricted.READ, usernames=("alice",))


def _restrict(wiki: Wiki, page: Content, *wanted: Wanted) -> object:
    return wiki.run(restriction.restrict, "alice", page.id, wanted, NOW, INTERNAL, anew=True)


def _sees(wiki: Wiki, content_id: int) -> bool:
    try:
        wiki.find(content_id, NOTHING, by="bob")
    except ContentNotFound:
        return False
    return True


def test_what_is_in_a_restricted_page_is_restricted_with_it(wiki: Wiki) -> None:
    page = wiki.create("A page")

    def add(content_type: ContentType, container_id: int, parent_id: int | None = None) -> int:
        return wiki.database.write_now(
            lambda tx: contents.add(
                tx,
                content_type=content_type,
                space_id=page.space.id,
                parent_id=parent_id,
                container_id=container_id,
                title=content_type.value,
                storage="",
                creator=wiki.people["alice"],
                now=NOW,
            )
        )

    before = add(ContentType.COMMENT, page.id)
    _restrict(wiki, page, MINE)
    parts = [before, add(ContentType.COMMENT, page.id, before), add(ContentType.ATTACHMENT, page.id)]
    assert not any(_sees(wiki, part) for part in parts)
    wanted = ContentFilter(types=[ContentType.COMMENT, ContentType.ATTACHMENT])
    assert len(wiki.load(wanted, Window(0, 10)).items) == 3
    assert len(wiki.load(wanted, Window(0, 10), by="bob").items) == 0
    _restrict(wiki, page)
    assert all(_sees(wiki, part) for part in parts)


def test_a_page_created_while_its_parent_is_restricted_is_restricted_too(wiki: Wiki) -> None:
    for turn in range(6):
        page = wiki.create(f"Top {turn}")

        def act(number: int, page: Content = page, turn: int = turn) -> object:
            if number:
                return wiki.create(f"Child {turn}", parent_id=page.id)
            return _restrict(wiki, page, MINE)

        _, child = together(2, act)
        assert isinstance(child, Content), child
        assert not _sees(wiki, child.id)


def test_a_page_moved_while_it_is_restricted_carries_both_guards(wiki: Wiki) -> None:
    for turn in range(6):
        top, middle = wiki.create(f"Top {turn}"), wiki.create(f"Middle {turn}")
        leaf = wiki.create(f"Leaf {turn}", parent_id=middle.id)
        _restrict(wiki, top, MINE)

        def act(number: int, top: Content = top, middle: Content = middle) -> object:
            if number:
                return wiki.update(middle.id, 2, parent_id=top.id)
            return _restrict(wiki, middle, MINE)

        assert not [result for result in together(2, act) if isinstance(result, Exception)]
        relevant = wiki.run(restriction.list_relevant, "alice", leaf.id)
        assert {each.content_id for each in relevant} == {top.id, middle.id}


def test_restrictions_of_a_list_come_with_it(wiki: Wiki) -> None:
    open_page, kept = wiki.create("Open"), wiki.create("Kept")
    _restrict(wiki, kept, MINE)
    found = wiki.load(
        ContentFilter(ids=[open_page.id, kept.id]), Window(0, 10), Expansion.parse(["restrictions"])
    ).items
    names = [[person.username for person in item.restrictions["read"].people] for item in found]
    assert names == [[], ["alice"]]
