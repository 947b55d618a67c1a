"""Where bodies are looked up and rendered: small ones at once, others in threads, so that nobody waits for them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from tests.http.conftest import Site
from tests.http.content.support import CONTENT, create, path_of
from watersmeet.confluence.storage_format import render
from watersmeet.confluence.storage_format.naming import Named
from watersmeet.content.http.rendering import limiter

_BIG = '<p><ac:link><ri:page ri:content-title="Home" /></ac:link></p>' * 2000
_PLAIN = "<p>small</p>"


@pytest.fixture
def on_loop(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each body that is rendered, or whose names are read through: whether an event loop waited for it."""
    seen: list[bool] = []

    def is_on_loop() -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    def rendered(*arguments: Any, **named: Any) -> str:
        seen.append(is_on_loop())
        return render(*arguments, **named)

    read = Named.read

    def named(self: Named, *arguments: Any) -> None:
        seen.append(is_on_loop())
        read(self, *arguments)

    for module in ("confluence.representation", "content.http.reading_page", "content.http.inline", "content.convert"):
        monkeypatch.setattr(f"watersmeet.{module}.render", rendered)
    monkeypatch.setattr(Named, "read", named)
    return seen


@pytest.mark.parametrize(
    "address",
    [
        "{path}?expand=body.view",
        "{path}?expand=body.export_view,version",
        "/pages/viewpage.action?pageId={id}",
        CONTENT + "?spaceKey=DEMO&title=Big&expand=body.view",
        CONTENT + "?spaceKey=DEMO&title=Big&expand=children.comment.body.view",
        CONTENT + "/search?cql=title=Big&expand=body.styled_view",
        "/rest/api/space/DEMO/content/page?limit=100&expand=body.view",
        "{path}/child?expand=comment.body.view",
    ],
)
def test_nobody_waits_for_big_bodies(site: Site, on_loop: list[bool], address: str) -> None:
    made = create(site, "Big", storage=_BIG)
    said = {"container": {"id": made["id"], "type": "page"}, "body": {"storage": {"value": _BIG}}, "type": "comment"}
    said["body"]["storage"]["representation"] = "storage"  # type: ignore[index]
    assert site.post(CONTENT, json=said).status_code == 200
    on_loop.clear()
    assert site.get(address.format(path=path_of(made), id=made["id"])).status_code == 200
    assert on_loop
    assert not any(on_loop)


def test_nobody_waits_for_conversions(site: Site, on_loop: list[bool]) -> None:
    sent = {"value": _PLAIN, "representation": "storage"}
    assert site.post("/rest/api/contentbody/convert/view", json=sent, scope="READ").status_code == 200
    assert on_loop == [False, False]


def test_small_bodies_need_no_thread(site: Site, on_loop: list[bool]) -> None:
    made = create(site, "Small", storage=_PLAIN)
    before = threading.active_count()
    on_loop.clear()
    assert site.get(f"{path_of(made)}?expand=body.view").json()["body"]["view"]["value"] == _PLAIN
    assert on_loop == [True, True]
    assert threading.active_count() <= before


def test_no_more_than_two_are_rendered_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, gate = threading.Lock(), threading.Event()
    at_work: list[int] = []
    most: list[int] = []

    def held(*arguments: Any, **named: Any) -> str:
        with lock:
            at_work.append(threading.get_ident())
            most.append(len(at_work))
        try:
            assert gate.wait(60)
            return render(*arguments, **named)
        finally:
            with lock:
                at_work.remove(threading.get_ident())

    monkeypatch.setattr("watersmeet.content.convert.render", held)
    sent = {"value": _PLAIN, "representation": "storage"}

    headers = {"Authorization": f"Bearer {site.tokens()['access_token']}"}

    async def ask_five_times() -> list[int]:
        transport = httpx.ASGITransport(site.new_browser().app)
        async with httpx.AsyncClient(transport=transport, base_url=site.base_url, headers=headers) as client:
            path = "/rest/api/contentbody/convert/view"
            asking = [asyncio.create_task(client.post(site.path(path), json=sent)) for _ in range(5)]
            try:
                async with asyncio.timeout(60):
                    while len(at_work) < 2 or limiter().statistics().tasks_waiting < 3:  # noqa: ASYNC110 - it tells nobody
                        await asyncio.sleep(0.001)
                # The threads that files go through are free, and so is the loop.
                assert await asyncio.to_thread(lambda: len(at_work)) == 2
                assert (await client.get(site.path(f"{CONTENT}?spaceKey=DEMO"))).status_code == 200
            finally:
                gate.set()
            return [answer.status_code for answer in await asyncio.gather(*asking)]

    assert asyncio.run(ask_five_times()) == [200] * 5
    assert max(most) == 2
