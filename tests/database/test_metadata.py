"""Labels and properties under races, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.support.grants import together
from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import PropertyTaken, VersionConflict
from watersmeet.confluence.metadata import Property
from watersmeet.content import label
from watersmeet.content import property as properties
from watersmeet.content.label import Word
from watersmeet.database.schema import content_labels, labels

from .test_content import NOW, Wiki, wiki

__all__ = ["wiki"]

THREADS = 8


@pytest.fixture
def page(wiki: Wiki) -> Content:
    return wiki.create("A page")


def _won(results: list[Property | Exception]) -> list[Property]:
    return [result for result in results if isinstance(result, Property)]


def test_of_racing_creations_of_a_property_exactly_one_wins(wiki: Wiki, page: Content) -> None:
    added = together(THREADS, lambda n: wiki.run(properties.add_property, "alice", page.id, "k", f"{n}", NOW))
    assert len(_won(added)) == 1
    assert sum(isinstance(result, PropertyTaken) for result in added) == THREADS - 1
    put = together(THREADS, lambda n: wiki.run(properties.put_property, "alice", page.id, "other", f"{n}", 1, NOW))
    assert len(_won(put)) == 1
    assert sum(isinstance(result, VersionConflict) for result in put) == THREADS - 1


def test_of_racing_changes_of_a_property_exactly_one_wins(wiki: Wiki, page: Content) -> None:
    wiki.run(properties.add_property, "alice", page.id, "k", "0", NOW)
    put = together(THREADS, lambda n: wiki.run(properties.put_property, "alice", page.id, "k", f"{n}", 2, NOW))
    assert len(_won(put)) == 1
    assert sum(isinstance(result, VersionConflict) for result in put) == THREADS - 1
    assert wiki.run(properties.find_property, "alice", page.id, "k") == _won(put)[0]


def test_racing_labels_make_one_label(wiki: Wiki) -> None:
    pages = [wiki.create(title).id for title in ("One", "Two")]
    word = Word.of("new")
    results = together(
        THREADS, lambda n: wiki.run(label.add_labels, "alice", pages[n % 2], [word, Word.of(f"own-{n}")], NOW)
    )
    assert results == [None] * THREADS
    named = select(func.count()).select_from(labels).where(labels.c.name == "new")
    assert wiki.database.write_now(lambda tx: tx.execute(named).scalar_one()) == 1
    assert wiki.count(content_labels) == THREADS + 2
