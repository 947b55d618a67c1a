"""Thumbnails are drawn once, kept with the files of attachments, and go with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.http.conftest import Site
from watersmeet.blobs.folder import FolderStore
from watersmeet.blobs.store import StoreUnavailable
from watersmeet.clock import SystemClock
from watersmeet.content import kept_thumbnail, unnamed
from watersmeet.content.thumbnail import Thumbnail, draw

from .support import create, path_of
from .test_attachments import attached
from .test_thumbnails import picture


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of each picture that is drawn."""
    sizes: list[int] = []

    def note(data: bytes) -> Thumbnail | None:
        sizes.append(len(data))
        return draw(data)

    monkeypatch.setattr(kept_thumbnail, "draw", note)
    return sizes


def _files(site: Site) -> set[str]:
    blobs = site.environment.blobs
    assert isinstance(blobs, FolderStore)
    return set(blobs.digests_before(SystemClock().now() + 1_000))


def test_a_picture_is_drawn_once_whatever_holds_it(site: Site, drawn: list[int]) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    made = attached(site, page, "a.png", picture("PNG"), type="image/png")
    first = site.get(made["_links"]["thumbnail"])
    again = site.get(made["_links"]["thumbnail"])
    same = attached(site, other, "b.png", picture("PNG"), type="image/png")
    elsewhere = site.get(same["_links"]["thumbnail"])
    assert first.content == again.content == elsewhere.content != b""
    assert {answer.headers["content-type"] for answer in (first, again, elsewhere)} == {"image/png"}
    assert len(drawn) == 1
    assert len(_files(site)) == 2


def test_nobody_draws_what_they_may_not_see(site: Site, drawn: list[int]) -> None:
    made = attached(site, create(site, "Plan"), "a.png", picture("PNG"), type="image/png")
    assert site.client.get(made["_links"]["thumbnail"]).status_code == 401
    unread = site.get(made["_links"]["thumbnail"], headers={"If-None-Match": "*"})
    assert (unread.status_code, drawn, len(_files(site))) == (304, [], 1)


def test_what_has_none_is_looked_at_once(site: Site, drawn: list[int]) -> None:
    page = create(site, "Plan")
    attached(site, page, "broken.png", picture("PNG")[:200], type="image/png")
    for _ in range(3):
        assert site.get(f"/download/thumbnails/{page['id']}/broken.png").status_code == 404
    assert len(drawn) == 1
    assert len(_files(site)) == 1


def test_a_thumbnail_that_is_lost_or_cannot_be_kept_is_drawn_again(
    site: Site, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = attached(site, create(site, "Plan"), "a.png", picture("PNG"), type="image/png")
    original = _files(site)
    first = site.get(made["_links"]["thumbnail"])
    (kept,) = _files(site) - original
    blobs = site.environment.blobs
    assert isinstance(blobs, FolderStore)

    @asynccontextmanager
    async def full(_store: FolderStore) -> AsyncIterator[None]:
        raise StoreUnavailable(detail="no space left")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "upload", full)
        blobs.path_of(kept).unlink()
        for _ in range(2):
            assert site.get(made["_links"]["thumbnail"]).content == first.content
    assert len(drawn) == 3
    assert site.get(made["_links"]["thumbnail"]).content == first.content
    assert site.get(made["_links"]["thumbnail"]).content == first.content
    assert (len(drawn), _files(site)) == (4, original | {kept})


def test_it_goes_with_the_last_file_it_was_made_of(site: Site, drawn: list[int]) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    made = attached(site, page, "a.png", picture("PNG"), type="image/png")
    same = attached(site, other, "b.png", picture("PNG"), type="image/png")
    assert site.get(made["_links"]["thumbnail"]).status_code == 200
    database, later = site.environment.database, SystemClock().now() + 2 * unnamed.GRACE

    def sweep() -> int:
        return asyncio.run(unnamed.sweep_once(site.environment.blobs, database, later))

    assert sweep() == 0
    for item, left in ((made, 2), (same, 0)):
        path = path_of(item)
        for address in (path, f"{path}?status=trashed"):
            assert site.request("DELETE", address, user="admin", scope="WRITE").status_code == 204
        sweep()
        assert len(_files(site)) == left
    attached(site, page, "again.png", picture("PNG"), type="image/png")
    assert site.get(f"/download/thumbnails/{page['id']}/again.png").status_code == 200
    assert len(drawn) == 2
