"""The pages on which people read: every address, every right, and nothing that runs or imitates."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from lxml import html
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.http.conftest import Site
from tests.http.content.support import CONTENT, SPACE, create, draft, path_of
from tests.http.content.test_attachments import attached
from tests.http.content.test_inline_comments import _remark
from tests.http.content.test_rendering import keep_to, macro, page_link


@pytest.fixture
def alice(site: Site) -> TestClient:
    return site.signed_in("alice")


@pytest.fixture
def bob(site: Site) -> TestClient:
    return site.signed_in("bob")


def heading(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(html.fromstring(answer.content).xpath("//main//h1")[0].text_content())


def comment(site: Site, page: dict[str, Any], storage: str, parent: dict[str, Any] | None = None) -> dict[str, Any]:
    made = site.post(
        CONTENT,
        json={
            "type": "comment",
            "container": {"id": page["id"], "type": "page"},
            "body": {"storage": {"value": storage, "representation": "storage"}},
            "ancestors": [{"id": parent["id"]}] if parent else [],
        },
    )
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


# ---- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["A page", "C++ & C/C#", "100% %2B", "Über uns / α", "a?b=c;d", "2026/11/25", "dot."])
def test_every_address_of_a_page_leads_to_it(site: Site, alice: TestClient, title: str) -> None:
    page = create(site, title)
    for address in (
        page["_links"]["webui"],
        f"/display/DEMO/{quote_plus(title)}",
        f"/display/demo/{quote(title, safe='')}",
        f"/spaces/DEMO/pages/{page['id']}",
        f"/spaces/DEMO/pages/{page['id']}/",
        f"/pages/viewpage.action?pageId={page['id']}",
        f"/pages/viewpage.action?spaceKey=DEMO&title={quote_plus(title)}",
    ):
        assert heading(alice.get(address)) == title, address
    tiny = alice.get(page["_links"]["tinyui"])
    assert (tiny.status_code, tiny.headers["location"]) == (302, page["_links"]["webui"])


def test_every_address_of_a_blog_post_leads_to_it(site: Site, alice: TestClient) -> None:
    post = create(site, "News of the day", type="blogpost")
    day = re.search(r"/blog/(\d{4}/\d\d/\d\d)/", post["_links"]["webui"])
    assert day
    for address in (
        post["_links"]["webui"],
        f"/display/DEMO/{day[1]}/News+of+the+day",
        "/display/DEMO/News+of+the+day",
    ):
        assert heading(alice.get(address)) == "News of the day"
    assert alice.get("/display/DEMO/2001/01/01/News+of+the+day").status_code == 404
    assert alice.get("/display/DEMO/2001/13/41/News").status_code == 404


def test_what_a_rest_answer_links_to_answers(site: Site, alice: TestClient) -> None:
    """``_links.webui`` of everything that has one."""
    page = create(site, "A page")
    said = comment(site, page, "<p>well</p>")
    reply = comment(site, page, "<p>yes</p>", said)
    space = site.get(f"{SPACE}/DEMO").json()
    for found in (page, said, reply, space, *site.get(f"{CONTENT}?spaceKey=DEMO&limit=100").json()["results"]):
        answer = alice.get(found["_links"]["webui"])
        assert answer.status_code == 200, found["_links"]["webui"]
    shown = html.fromstring(alice.get(reply["_links"]["webui"]).content)
    assert shown.get_element_by_id(f"comment-{reply['id']}").text_content().count("yes") == 1
    alone = alice.get(f"/pages/viewpage.action?pageId={said['id']}")
    assert alone.headers["location"].endswith(f"#comment-{said['id']}")


def test_addresses_under_a_context_path(site_under: Any) -> None:
    site: Site = site_under("/confluence")
    page = create(site, "A+B")
    alice = site.signed_in("alice")
    assert heading(alice.get(site.path("/display/DEMO/A%2BB"))) == "A+B"
    shown = alice.get(site.path(page["_links"]["webui"]))
    tiny = alice.get(site.path(page["_links"]["tinyui"]))
    assert tiny.headers["location"] == site.path(page["_links"]["webui"])
    links = [link for link in re.findall(r'href="([^"#]+)', shown.text) if "static" not in link]
    assert len(links) > 5
    assert all(link.startswith("/confluence/") for link in links), links
    for link in links:
        assert alice.get(link).status_code in (200, 302), link


_SHOWN = {"Accept": "text/html,application/xhtml+xml"}
"""What browsers send that show an answer to somebody."""


# ---- rights -----------------------------------------------------------------------------------------------


def _addresses(page: dict[str, Any]) -> list[str]:
    return [
        page["_links"]["webui"],
        page["_links"]["tinyui"],
        "/display/DEMO/Kept+back",
        f"/pages/viewpage.action?pageId={page['id']}",
        f"/pages/viewpage.action?pageId={page['id']}&version=1",
        "/pages/viewpage.action?spaceKey=DEMO&title=Kept+back",
        f"/pages/viewpreviousversions.action?pageId={page['id']}",
    ]


def _without_chance(text: str) -> str:
    return re.sub(r"request: \w+|value=\"[^\"]+\"", "", text)


def test_what_may_not_be_seen_answers_like_what_is_not_there(site: Site, alice: TestClient, bob: TestClient) -> None:
    """The same bytes before and after there is such a page, but for the number of the request."""
    number = str(int(create(site, "Before")["id"]) + 1)
    named = ["/display/DEMO/Kept+back", "/pages/viewpage.action?spaceKey=DEMO&title=Kept+back"]
    numbered = [f"/pages/viewpage.action?pageId={number}", f"/pages/viewpreviousversions.action?pageId={number}"]
    before = [_without_chance(bob.get(address).text) for address in named + numbered]
    page = create(site, "Kept back", storage="<p>the secret</p>")
    assert page["id"] == number
    keep_to(site, page, "alice")
    assert [_without_chance(bob.get(address).text) for address in named + numbered] == before
    for address in _addresses(page):
        refused = bob.get(address)
        assert refused.status_code == 404, address
        assert "the secret" not in refused.text
        assert alice.get(address).status_code in (200, 302), address
    for address in ("/display/ENG", "/spaces/ENG", "/display/NONE", "/display/ENG/Runbook", "/display/NONE/Runbook"):
        assert bob.get(address).status_code == 404
    assert alice.get("/display/ENG/Runbook").status_code == 200


def test_somebody_who_is_not_signed_in_is_asked_to_and_comes_back(site: Site) -> None:
    page = create(site, "Kept back")
    for address in [*_addresses(page), "/display/DEMO", "/display/NONE", "/pages/viewpage.action?pageId=999999"]:
        assert site.new_browser().get(address).status_code == 401, address  # a program that needs a token
        asked = site.new_browser().get(address, headers=_SHOWN)
        assert asked.status_code in (302, 303), address
        assert asked.headers["location"].startswith("/login.action?os_destination=" + quote(address, safe="")[:20])
    browser = site.new_browser()
    form = browser.get(browser.get(page["_links"]["webui"], headers=_SHOWN).headers["location"])
    fields = dict(html.fromstring(form.content).xpath("//main//form[@data-flow]")[0].form_values())
    done = browser.post("/login.action", data=fields | {"username": "alice", "password": "alice"})
    assert done.headers["location"] == page["_links"]["webui"]


def test_a_token_reads_as_far_as_its_scope_and_its_person(site: Site) -> None:
    page = create(site, "Kept back", storage="<p>the secret</p>")
    keep_to(site, page, "alice")
    for address in _addresses(page):
        assert site.get(address, user="alice").status_code in (200, 302), address
        hidden = site.get(address, user="bob")
        assert hidden.status_code == 404, address
        assert hidden.json()["statusCode"] == 404  # programs get JSON
        refused = site.client.get(address, headers={"Authorization": "Bearer nothing"})
        assert refused.status_code == 401, address
        assert "Bearer" in refused.headers["www-authenticate"]


def test_a_bad_token_is_not_helped_by_a_session(site: Site, alice: TestClient) -> None:
    page = create(site, "A page")
    assert alice.get(page["_links"]["webui"], headers={"Authorization": "Bearer nothing"}).status_code == 401


# ---- what is shown ----------------------------------------------------------------------------------------


def test_a_page_shows_what_stands_around_it(site: Site, alice: TestClient) -> None:
    top = create(site, "Top")
    storage = page_link("Top") + macro("toc") + "<h2>Part</h2>" + macro("children")
    page = create(site, "In the middle", ancestors=[{"id": top["id"]}], storage=storage)
    below = create(site, "Below", ancestors=[{"id": page["id"]}])
    site.post(f"{path_of(page)}/label", json=[{"name": "draft"}, {"prefix": "my", "name": "private"}])
    first = comment(site, page, "<p>first</p>")
    second = comment(site, page, "<p>second</p>")
    comment(site, page, "<p>answer to first</p>", first)
    shown = html.fromstring(alice.get(page["_links"]["webui"]).content)
    text = " ".join(shown.xpath("//main")[0].text_content().split())
    trail = [link.text for link in shown.xpath("//nav[contains(@class, 'trail')]//a")]
    assert trail == ["Spaces", "Demonstration", "Top"]
    assert "Alice" in text
    assert shown.xpath("//span[@class='tag']/text()") == ["draft"]
    assert shown.xpath("//section[@aria-labelledby='children']//a/@href") == [below["_links"]["webui"]]
    assert shown.xpath("//div[@class='toc-macro']//a/@href") == ["#h-1"]
    assert shown.xpath("//h2[@id='h-1']/text()") == ["Part"]
    said = shown.xpath("//article[contains(@class, 'said')]//div//p/text()")
    assert said == ["first", "answer to first", "second"]
    ids = [found.get("id") for found in shown.xpath("//article[starts-with(@id, 'comment-')]")]
    assert ids[0] == f"comment-{first['id']}"
    assert ids[2] == f"comment-{second['id']}"


def test_the_files_of_a_page_are_listed_and_come_to_whoever_reads_it(site: Site, alice: TestClient) -> None:
    page = create(site, "A page", storage='<ac:image><ri:attachment ri:filename="a b.png" /></ac:image>')
    attached(site, page, "a b.png", b"x" * 4321, comment="why")
    attached(site, page, "unlisted.txt", b"x", hidden="true")
    shown = html.fromstring(alice.get(page["_links"]["webui"]).content)
    [row] = shown.xpath("//section[@aria-labelledby='files']//tbody/tr")
    assert [" ".join(cell.text_content().split()) for cell in row] == [
        "a b.png", "4.3 kB", "15 January 2027, Alice Example", "why",
    ]  # fmt: skip
    for address in (*row.xpath(".//a/@href"), *shown.xpath("//div[@class='reading']//img/@src")):
        assert alice.get(address).content == b"x" * 4321
    file = site.get(f"{path_of(page)}/child/attachment").json()["results"][0]
    assert alice.get(f"/pages/viewpage.action?pageId={file['id']}").headers["location"] == file["_links"]["webui"]
    assert alice.get(file["_links"]["webui"]).status_code == 200


def test_old_versions_are_listed_and_shown(site: Site, alice: TestClient) -> None:
    page = create(site, "First title", storage="<p>one</p>")
    body = {"storage": {"value": "<p>two</p>", "representation": "storage"}}
    update = {"type": "page", "title": "Second title", "version": {"number": 2, "message": "why"}, "body": body}
    assert site.put(path_of(page), json=update).status_code == 200
    history = html.fromstring(alice.get(f"/pages/viewpreviousversions.action?pageId={page['id']}").content)
    ways = history.xpath("//tbody//th/a/@href")
    assert [alice.get(way).status_code for way in ways] == [200, 200]
    assert history.xpath("//tbody/tr[1]//td[last()]")[0].text_content().strip() == "why"
    present, old = (alice.get(way) for way in ways)
    assert (heading(present), heading(old)) == ("Second title", "First title")
    assert "<p>two</p>" in present.text
    assert "<p>one</p>" in old.text
    assert "not the present one" in old.text
    assert "not the present one" not in present.text
    assert alice.get(f"/pages/viewpage.action?pageId={page['id']}&version=3").status_code == 404
    assert alice.get(f"/pages/viewpage.action?pageId={page['id']}&version=x").status_code == 404


def test_a_space_lists_its_pages_and_posts(site: Site, alice: TestClient, bob: TestClient) -> None:
    hidden = create(site, "Kept back")
    keep_to(site, hidden, "alice")
    for name in ("Older news", "Newer news"):
        create(site, name, type="blogpost")
        site.clock.advance(60)
    for address in ("/display/DEMO", "/spaces/DEMO", "/spaces/demo/overview", "/display/DEMO/"):
        assert heading(alice.get(address)) == "Demonstration"
    shown = html.fromstring(alice.get("/display/DEMO").content)
    posts = shown.xpath("//section[@aria-labelledby='posts']//a/text()")
    assert posts[:2] == ["Newer news", "Older news"]
    assert "Kept back" in shown.text_content()
    assert "Kept back" not in bob.get("/display/DEMO").text


def test_spaces_are_listed_for_whoever_sees_them(site: Site, alice: TestClient, bob: TestClient) -> None:
    names = {
        browser: html.fromstring(browser.get("/spacedirectory/view.action").content).xpath("//main//li/a/text()")
        for browser in (alice, bob)
    }
    assert names == {alice: ["Demonstration", "Engineering"], bob: ["Demonstration"]}
    assert "/spacedirectory/view.action" in alice.get("/").text


def test_a_comment_on_a_part_of_the_text_says_on_which(site: Site, alice: TestClient) -> None:
    page = create(site, "A page", storage="<p>Hello there</p>")
    made = _remark(site, page, "Hello")
    address = page["_links"]["webui"]
    shown = html.fromstring(alice.get(address).content)
    assert shown.xpath("//article[contains(@class, 'said')]//q/text()") == ["Hello"]
    assert shown.xpath("//div[@class='reading']//span[@class='inline-comment-marker']/text()") == ["Hello"]
    assert "resolved" not in shown.text_content()
    resolved = site.post(f"/rest/inlinecomments/1.0/comments/{made['id']}/resolve/true/dangling/false")
    assert resolved.is_success, resolved.text
    assert "resolved" in html.fromstring(alice.get(address).content).text_content()


def test_long_lists_are_shown_in_parts(site: Site, alice: TestClient) -> None:
    for number in range(120):
        assert site.post(CONTENT, json=draft(f"Page {number:03}")).status_code == 200
    first = html.fromstring(alice.get("/display/DEMO").content)
    way = first.xpath("//p[@class='actions']/a/@href")
    assert len(way) == 1
    second = html.fromstring(alice.get(way[0]).content)
    seen = [
        title
        for page in (first, second)
        for title in page.xpath("//section[@aria-labelledby='pages']//li/a/text()")
        if title.startswith("Page ")
    ]
    assert seen == [f"Page {number:03}" for number in range(120)]


def test_a_deep_thread_is_shown(site: Site, alice: TestClient) -> None:
    page = create(site, "A page")
    parent = None
    for number in range(30):
        parent = comment(site, page, f"<p>level {number}</p>", parent)
    shown = alice.get(page["_links"]["webui"]).text
    assert re.findall(r"level (\d+)", shown) == [str(number) for number in range(30)]
    assert shown.count("under-4") == 26


# ---- nothing runs, nothing imitates -----------------------------------------------------------------------

_HOSTILE = (
    '<script>alert(1)</script><p onclick="alert(1)" style="position:fixed" class="notice problem card">x</p>'
    '<a href="javascript:alert(1)" class="button primary">y</a><form action="/logout.action"><button>z</button></form>'
    '<div id="content" class="hidden">w</div><img src="https://elsewhere.example/pixel.png" alt="pixel" />'
)


def test_what_people_wrote_neither_runs_nor_looks_like_ours(site: Site, alice: TestClient) -> None:
    create(site, "Attack", storage=_HOSTILE)
    holder = create(
        site, '"><script>alert(1)</script>', storage=_HOSTILE + macro("include", page_link("Attack")) + "<p>kept</p>"
    )
    comment(site, holder, _HOSTILE)
    answer = alice.get(holder["_links"]["webui"])
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    shown = html.fromstring(answer.content)
    bodies = shown.xpath("//div[@class='reading']")
    assert len(bodies) == 2
    for body in bodies:
        inside = body.xpath(".//*")
        assert not [one.tag for one in inside if one.tag in ("script", "form", "button", "input", "style", "iframe")]
        assert not [name for one in inside for name in one.attrib if name.startswith("on") or name == "style"]
        names = {name for one in inside for name in one.get("class", "").split()}
        assert names <= {"panel", "panelHeader", "panelContent", "external-link"}
        assert not body.xpath(".//*[@id='content']")
        assert not body.xpath(".//img")  # none from elsewhere is loaded: a link stands in its place
        assert not [way for way in body.xpath(".//a/@href") if "javascript" in way]
    assert "kept" in shown.text_content()
    assert [element.get("src") for element in shown.xpath("//script")] == [
        element.get("src") for element in html.fromstring(alice.get("/account").content).xpath("//script")
    ]


def test_a_body_that_was_kept_before_bodies_were_validated_is_shown_harmlessly(site: Site, alice: TestClient) -> None:
    page = create(site, "Old")
    body = "<p>old<script>alert(1)</script><b class='notice' onclick='x'>bold"
    site.environment.database.write_now(
        lambda tx: tx.execute(
            text("UPDATE content SET storage = :body WHERE id = :id"), {"body": body, "id": page["id"]}
        )
    )
    shown = html.fromstring(alice.get(page["_links"]["webui"]).content)
    assert shown.xpath("//div[@class='reading']//b/text()") == ["bold"]
    assert not shown.xpath("//div[@class='reading']//script | //div[@class='reading']//*[@onclick or @class]")


@pytest.mark.parametrize(
    "address",
    [
        "/x/", "/x/!", "/x/AAAAAAAAAAA", "/x/___________", "/pages/viewpage.action", "/pages/viewpage.action?pageId=x",
        "/pages/viewpage.action?pageId=" + "9" * 30, "/pages/viewpage.action?spaceKey=DEMO", "/display/DEMO/%FF%FE",
        "/display/%2e%2e/x", "/spaces/DEMO/pages/x/Title", "/pages/viewpreviousversions.action",
        "/display/DEMO/" + "x" * 3000, "/pages/viewpage.action?pageId=1&version=99999999999",
        "/display/DEMO/99999/99/99/x", "/spaces/DEMO/blog/1/2/3/999999/x",
    ],
)  # fmt: skip
def test_an_address_that_means_nothing_is_not_found(site: Site, alice: TestClient, address: str) -> None:
    assert alice.get(address).status_code in (404, 400), address


def test_comments_are_shown_as_far_as_they_are_not_too_long_together(site: Site, alice: TestClient) -> None:
    page = create(site, "Much was said")
    for text_said in ("first", "x" * 600_000, "y" * 600_000):
        comment(site, page, f"<p>{text_said}</p>")
    shown = alice.get(f"/pages/viewpage.action?pageId={page['id']}").text
    assert ("first" in shown, "xxx" in shown, "yyy" in shown) == (True, True, False)
    assert "There are more of them." in shown
