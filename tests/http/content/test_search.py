"""Searching over HTTP: what clients really send, shapes, paging, errors, and what nobody may learn (S3.9, S4)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text as sql

from tests.http.conftest import Site, SiteFactory
from tests.http.content.support import CONTENT, SPACE, create, draft, path_of
from watersmeet.database import search

SEARCH = "/rest/api/search"


def titles(site: Site, cql: str, path: str = CONTENT + "/search", **query: Any) -> list[str]:
    found = site.get(path, params={"cql": cql, **query})
    assert found.status_code == 200, found.text
    return [each["title"] for each in found.json()["results"]]


@pytest.fixture
def tree(site: Site) -> dict[str, Any]:
    top = create(site, "Harbour", storage="<p>Boats that are sailing</p>")
    inner = create(
        site, "Quay", ancestors=[{"id": top["id"]}], storage='<p>Stones</p><ac:structured-macro ac:name="toc"/>'
    )
    leaf = create(
        site,
        "Bollard",
        ancestors=[{"id": inner["id"]}],
        storage='<p>Iron rope 100%</p><p><ac:link><ri:user ri:username="bob"/></ac:link></p>',
    )
    assert site.post(path_of(leaf) + "/label", json=[{"prefix": "global", "name": "mooring"}]).status_code == 200
    return {"top": top["id"], "inner": inner["id"], "leaf": leaf["id"]}


@pytest.mark.parametrize(
    ("cql", "expected"),
    [
        ("ancestor={top}", {"Quay", "Bollard"}),
        ('space="DEMO" and type=page and title ~ "harbour"', {"Harbour"}),
        ('title ~ "Quay"', {"Quay"}),
        ("type=page AND ancestor={top}", {"Quay", "Bollard"}),
        ("id in ({top},{leaf})", {"Harbour", "Bollard"}),
        ('parent={top} AND space="DEMO"', {"Quay"}),
        ('type=page AND label="mooring"', {"Bollard"}),
        ('text ~ "sail"', {"Harbour"}),
        ('(siteSearch ~ "iron") and (space = "DEMO" OR space = "ENG")', {"Bollard"}),
        ('siteSearch ~ "mooring"', {"Bollard"}),
        ('space = "~ada" or text ~ "stones"', {"Quay"}),
        ('label="mooring" AND type != attachment AND space.type=global', {"Bollard"}),
        ("ancestor IN ({inner},{leaf})", {"Bollard"}),
        ('space in ("DEMO","ENG") AND (text ~ "rope") and lastmodified >= "2020-01-01"', {"Bollard"}),
        ('creator = currentUser() and text ~ "boats"', {"Harbour"}),
        ('creator = currentUser() and lastmodified > startOfMonth("-1M") and ancestor = {top}', {"Quay", "Bollard"}),
        ("macro = toc and ancestor = {top}", {"Quay"}),
        ("mention = bob", {"Bollard"}),
        ("ancestor = {top} and not (label = mooring)", {"Quay"}),
        ("ancestor = {top} and title !~ quay", {"Bollard"}),
        ("ancestor = {top} and id not in ({leaf})", {"Quay"}),
        ('text ~ "\\"iron rope\\""', {"Bollard"}),
        ('text ~ "\\"rope iron\\""', set()),
        ('title ~ "boll*"', {"Bollard"}),
        ('title ~ "b?llard"', {"Bollard"}),
        ('text ~ "iron OR boats"', {"Bollard", "Harbour"}),
        ('ancestor = {top} and text ~ "stones OR iron NOT rope"', {"Quay"}),
        ("contributor = alice and title = HARBOUR", {"Harbour"}),
        ('created > now("-1d") and ancestor = {top} and space.title ~ demonstr', {"Quay", "Bollard"}),
        ("id = currentContent()", {"Quay"}),
        ("space = currentSpace() and title = quay", {"Quay"}),
        ("title = quay and space not in favouriteSpaces()", {"Quay"}),
        ("id in recentlyViewedContent(5,0) and space in recentlyViewedSpaces(5)", set()),
        ("watcher = nobody or favourite = nobody or container = {top}", set()),
        ('created = "2026/11/25" and title = nothing', set()),
    ],
)
def test_the_queries_of_clients(site: Site, tree: dict[str, Any], cql: str, expected: set[str]) -> None:
    context = json.dumps({"spaceKey": "DEMO", "contentId": tree["inner"]})
    query = cql
    for name, number in tree.items():
        query = query.replace("{" + name + "}", number)
    assert set(titles(site, query, cqlcontext=context)) == expected
    assert set(titles(site, query, SEARCH, cqlcontext=context, excerpt="none")) == expected


def test_people_find_what_they_watch_and_not_what_others_watch(site: Site, tree: dict[str, Any]) -> None:
    assert site.post(f"/rest/api/user/watch/content/{tree['leaf']}", user="bob").status_code == 204
    asked = {"cql": "watcher = bob"}
    found = {who: site.get(SEARCH, params=asked, user=who).json()["totalSize"] for who in ("bob", "alice", "admin")}
    assert found == {"bob": 1, "alice": 0, "admin": 1}


def test_results_are_sorted_as_the_query_says(site: Site, tree: dict[str, Any]) -> None:
    below = f"ancestor={tree['top']} or id={tree['top']}"
    assert titles(site, below + " order by title desc") == ["Quay", "Harbour", "Bollard"]
    assert titles(site, below + " order by created asc, id asc") == ["Harbour", "Quay", "Bollard"]
    assert titles(site, below + " order by creator, space, type, lastmodified, contributor, id desc")[0] == "Bollard"


def test_a_search_sees_every_write_at_once(site: Site) -> None:
    page = create(site, "Weather", storage="<p>fog</p>")
    assert titles(site, "text ~ fog") == ["Weather"]
    changed = {**draft("Weather report", storage="<p>sunshine</p>"), "version": {"number": 2}}
    assert site.put(path_of(page), json=changed).status_code == 200
    assert titles(site, "text ~ fog") == []
    assert titles(site, "text ~ sunshine and title ~ report") == ["Weather report"]
    assert site.delete(path_of(page)).status_code in (200, 204)
    assert titles(site, "text ~ sunshine") == []


def test_a_page_of_contents_says_how_many_there_are(site: Site) -> None:
    ancestor = create(site, "Shelf")["id"]
    for number in range(5):
        create(site, f"Book {number}", ancestors=[{"id": ancestor}])
    cql = f"ancestor={ancestor} order by title"
    first = site.get(CONTENT + "/search", params={"cql": cql, "limit": 2}).json()
    assert (first["totalSize"], first["size"], first["limit"], first["start"]) == (5, 2, 2, 0)
    assert first["cqlQuery"] == cql
    assert isinstance(first["searchDuration"], int)
    seen = [each["title"] for each in first["results"]]
    while following := first["_links"].get("next"):
        first = site.get(following).json()
        seen += [each["title"] for each in first["results"]]
    assert seen == [f"Book {number}" for number in range(5)]
    none = site.get(SEARCH, params={"cql": cql, "limit": 0}).json()
    assert (none["totalSize"], none["results"]) == (5, [])
    assert "next" not in none["_links"]


def test_a_result_of_the_search(site: Site) -> None:
    made = create(site, "Release plan", key="DEMO", storage="<p>When the <b>release</b> is planned &amp; done</p>")
    [hit] = site.get(SEARCH, params={"cql": f"text ~ release and id = {made['id']}", "expand": "content.space"}).json()[
        "results"
    ]
    assert hit["content"]["id"] == made["id"]
    assert hit["content"]["space"]["key"] == "DEMO"
    assert hit["title"] == "@@@hl@@@Release@@@endhl@@@ plan"
    assert hit["excerpt"] == "When the @@@hl@@@release@@@endhl@@@ is planned & done"
    assert hit["resultGlobalContainer"] == {"title": "Demonstration", "displayUrl": "/display/DEMO"}
    assert hit["entityType"] == "content"
    assert hit["url"] == made["_links"]["webui"]
    assert {"lastModified", "friendlyLastModified", "timestamp", "iconCssClass"} <= set(hit)
    plain = site.get(SEARCH, params={"cql": f"text ~ release and id = {made['id']}", "excerpt": "indexed"}).json()
    assert plain["results"][0]["title"] == "Release plan"
    assert site.get(SEARCH, params={"cql": "type=page", "excerpt": "loud"}).status_code == 400


def test_spaces_and_people_are_found(site: Site) -> None:
    [space] = site.get(SEARCH, params={"cql": 'type=space and siteSearch ~ "demonstration"'}).json()["results"]
    assert space["space"]["key"] == "DEMO"
    assert space["entityType"] == "space"
    for path, cql in (
        (SEARCH, 'user.fullname ~ "alice"'),
        (SEARCH, "type=user AND siteSearch ~ alice"),
        (SEARCH + "/user", "user.fullname~alice"),
        (SEARCH + "/user", "user = currentUser()"),
    ):
        [person] = site.get(path, params={"cql": cql}).json()["results"]
        assert person["user"]["username"] == "alice"
        assert person["entityType"] == "user"


def test_nobody_finds_or_counts_what_they_may_not_see(site: Site) -> None:
    engineering = site.get(CONTENT + "/search", params={"cql": "space=ENG"}, user="alice").json()
    assert engineering["totalSize"] > 0
    hidden = site.get(CONTENT + "/search", params={"cql": "space=ENG or text ~ rotating"}, user="bob").json()
    assert (hidden["totalSize"], hidden["results"]) == (0, [])
    page = create(site, "Locked away", storage="<p>treasure</p>")
    restriction = [
        {"operation": "read", "restrictions": {"user": [{"type": "known", "username": "alice"}], "group": []}}
    ]
    assert site.put(path_of(page) + "/restriction", json=restriction).status_code == 200
    assert site.get(SEARCH, params={"cql": "text ~ treasure"}, user="bob").json()["totalSize"] == 0
    assert site.get(SEARCH, params={"cql": "text ~ treasure"}).json()["totalSize"] == 1


@pytest.mark.parametrize(
    ("cql", "told"),
    [
        ("type = ", "expected a value, but the query ends (at character 7)"),
        ("type page", "expected an operator"),
        ("colour = red", "there is no field 'colour' (at character 1)"),
        ("type ~ page", "does not take the operator '~'"),
        ('title ~ "open', 'the quotation that begins with " is not closed (at character 9)'),
        ("(type = page", "expected ), but the query ends"),
        ("type = page order by colour", "cannot be sorted by 'colour' (at character 22)"),
        ("type != page", "a term that is not a negative one"),
        ("created > yesterday", "expected a date"),
        ('created > now("soon")', "is no increment"),
        ("id = seven", "'seven' is no number of a content"),
        ("space = nonsense()", "nonsense() has no meaning here"),
        ("(" * 60 + "type=page" + ")" * 60, "at most 40 deep"),
    ],
)
def test_a_bad_query_is_told_where_it_is_bad(site: Site, cql: str, told: str) -> None:
    for path in (SEARCH, CONTENT + "/search"):
        refused = site.get(path, params={"cql": cql})
        assert refused.status_code == 400
        assert refused.json()["message"].startswith(f"Could not parse cql : {cql}")
        assert told in refused.json()["message"]


def test_signs_of_the_engines_are_only_text(site: Site) -> None:
    for text in (
        "'",
        '\\"',
        "a) OR (b",
        "NEAR(a b)",
        "title:x",
        "^x",
        "a:*",
        "!a",
        "x & y | z",
        "%",
        "*",
        "a~2",
        "-",
        "日本",
    ):
        found = site.get(CONTENT + "/search", params={"cql": f'text ~ "{text}" and title = nothing'})
        assert found.status_code == 200, found.text
    assert site.get(CONTENT + "/search").status_code == 400
    assert site.get(CONTENT + "/search", params={"cql": "type=page", "cqlcontext": "{"}).status_code == 400


def test_a_scan_walks_through_everything_once(site: Site) -> None:
    seen: list[str] = []
    following: str | None = CONTENT + "/scan?spaceKey=DEMO&limit=2"
    while following:
        part = site.get(following).json()
        seen += [each["id"] for each in part["results"]]
        following = part["_links"].get("next")
    expected = site.get(CONTENT, params={"spaceKey": "DEMO", "limit": 100}).json()["results"]
    assert seen == [each["id"] for each in expected]
    assert site.get(CONTENT + "/scan?cursor=x").status_code == 400
    assert site.get(CONTENT + "/scan?spaceKey=NONE").status_code == 404
    assert site.get(SPACE).status_code == 200


def test_what_one_looked_at_last(site: Site) -> None:
    """Pages that people read note it; it is written down once a minute (web/uses.py)."""
    old, new = create(site, "Seen first"), create(site, "Seen last", key="ENG")
    alice, uses = site.signed_in("alice"), site.environment.uses
    for page in (old, new):
        assert alice.get(f"/pages/viewpage.action?pageId={page['id']}").status_code == 200
        assert site.get(f"/pages/viewpage.action?pageId={page['id']}", user="viewer").status_code == 200
        site.clock.advance(1)
    assert len(uses.views) == 2
    asyncio.run(uses.write(site.environment.database))
    assert uses.views == {}

    def found(cql: str, user: str = "alice") -> list[str]:
        answer = site.get(f"{CONTENT}/search", params={"cql": cql}, user=user).json()
        return [item["title"] for item in answer["results"]]

    assert found("id in recentlyViewedContent(1)") == ["Seen last"]
    assert set(found("id in recentlyViewedContent(5)")) == {"Seen first", "Seen last"}
    assert found("space in recentlyViewedSpaces(1) and title ~ seen") == ["Seen last"]
    assert found("id in recentlyViewedContent(5)", "viewer") == []  # a token is no person's eyes


def test_a_search_that_takes_too_long_says_so(site_under: SiteFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_under(search_timeout_seconds=1)
    endless = sql("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
    monkeypatch.setattr(search, "find_contents", lambda tx, *_: tx.execute(endless).scalar_one())
    answer = site.get(f"{CONTENT}/search?cql=type=page")
    assert (answer.status_code, answer.json()["statusCode"]) == (400, 400)
    assert answer.json()["message"].startswith("This took too long")
