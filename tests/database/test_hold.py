"""A page that is moved to another space while somebody waits for the lock of the old one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.database.test_content import NOW, Wiki, wiki  # noqa: F401 - a fixture
from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import BadParent
from watersmeet.confluence.expansion import NOTHING
from watersmeet.content import comment, read, space, write
from watersmeet.content.comment import CommentDraft
from watersmeet.content.write import Revision
from watersmeet.database import spaces, tree
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import SystemEntropy


@pytest.fixture
def page_and_parent(wiki: Wiki) -> tuple[Content, Content]:  # noqa: F811
    return wiki.create("Traveller", by="admin"), wiki.create("Parent", by="admin")


@pytest.fixture
def moved_meanwhile(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> Callable[[Content], None]:  # noqa: F811
    """``moved_meanwhile(page)``: whoever waits for a lock next finds the page in SHUT when they have it."""

    def arrange(page: Content) -> None:
        lock, shut = spaces.lock, wiki.run(space.find, "admin", "SHUT", NOTHING)
        waiting = [page]

        def wait(tx: Transaction, space_id: int) -> None:
            if waiting:
                tree.change_space(tx, waiting.pop().id, shut.id)
            lock(tx, space_id)

        monkeypatch.setattr(spaces, "lock", wait)

    return arrange


def test_a_comment_is_in_the_space_of_its_page(
    wiki: Wiki,  # noqa: F811
    page_and_parent: tuple[Content, Content],
    moved_meanwhile: Callable[[Content], None],
) -> None:
    page, _ = page_and_parent
    moved_meanwhile(page)
    made = wiki.run(comment.create_comment, "admin", CommentDraft(page.id, "<p>Where am I?</p>"), NOW, SystemEntropy())
    assert made.space.key == "SHUT"


def test_no_page_has_a_parent_in_another_space(
    wiki: Wiki,  # noqa: F811
    page_and_parent: tuple[Content, Content],
    moved_meanwhile: Callable[[Content], None],
) -> None:
    page, parent = page_and_parent
    moved_meanwhile(page)
    with pytest.raises(BadParent):
        wiki.run(write.update, "admin", page.id, Revision(2, parent_id=parent.id), NOW)


def test_what_is_trashed_is_judged_by_the_space_it_is_in(
    wiki: Wiki,  # noqa: F811
    page_and_parent: tuple[Content, Content],
    moved_meanwhile: Callable[[Content], None],
) -> None:
    page, _ = page_and_parent
    moved_meanwhile(page)
    with pytest.raises(Exception, match="No content found"):  # alice sees nothing of SHUT
        wiki.trash(page.id)
    found: Any = wiki.run(read.find, "admin", page.id, read.ANY, NOTHING)
    assert found.status == "current"
