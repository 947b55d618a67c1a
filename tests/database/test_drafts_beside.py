"""Drafts beside pages on both engines: of several who publish at once one does, and saving is never torn."""

from __future__ import annotations

from tests.support.grants import together
from watersmeet.confluence.content import Content
from watersmeet.confluence.expansion import WRITTEN_CONTENT
from watersmeet.content import draft, write
from watersmeet.content.write import Revision
from watersmeet.database.schema import content_drafts, content_versions

from .test_content import NOW, THREADS, Wiki, _outcomes, wiki

__all__ = ["wiki"]


def _write(wiki: Wiki, page: Content, version: int, by: str = "alice", **more: str) -> Content:
    return wiki.run(draft.write_draft, by, page.id, Revision(version, **more), NOW, WRITTEN_CONTENT)  # type: ignore[arg-type]


def test_of_racing_publications_exactly_one_is_the_next_version(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    _write(wiki, page, 1, storage="<p>draft</p>")
    results = together(THREADS, lambda _: _write(wiki, page, 2, status="current"))
    assert _outcomes(results) == {"Content": 1, "ContentNotFound": THREADS - 1}
    assert wiki.find(page.id, WRITTEN_CONTENT).storage == "<p>draft</p>"
    assert (wiki.count(content_versions), wiki.count(content_drafts)) == (1, 0)


def test_whoever_saves_last_is_what_the_draft_says(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    results = together(THREADS, lambda n: _write(wiki, page, 1, "admin" if n % 2 else "alice", title=str(n)))
    assert _outcomes(results) == {"Content": THREADS}
    assert wiki.count(content_drafts) == 1
    found = wiki.run(draft.find, "admin", page.id, ("draft",), WRITTEN_CONTENT)
    assert found.version.by.username == ("admin" if int(found.title) % 2 else "alice")


def test_a_purged_page_takes_its_draft_along(wiki: Wiki) -> None:
    page = wiki.create("Plan")
    _write(wiki, page, 1, title="Draft")
    wiki.trash(page.id)
    wiki.run(write.purge, "alice", page.id)
    assert wiki.count(content_drafts) == 0
