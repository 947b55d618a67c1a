"""What may be written, and what of it is found again: bodies, the trash, old versions, permissions."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.conftest import Site, SiteFactory

from .support import CONTENT, SPACE, create, draft, path_of


def _titles(site: Site, query: str, user: str = "alice") -> list[str]:
    answer = site.get(f"{CONTENT}?limit=1000&{query}", user=user)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["results"]]


# ---- bodies -----------------------------------------------------------------------------------------------

# Well-formed in every way that a serializer would write differently: entities, CDATA, quotes, empty elements.
_pieces = st.one_of(
    st.text(st.characters(exclude_characters="&<>", exclude_categories=["Cc", "Cs", "Cn"]), max_size=40),
    st.sampled_from(
        [
            "&nbsp;",
            "&#x41;",
            "<br/>",
            "<br />",
            "<br></br>",
            "<p a='1'  b=\"2\">\r\n\t</p>",
            "<![CDATA[<&]]>",
            "<!-- -->",
        ]
    ),
)
_texts = st.lists(_pieces, max_size=8).map("".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_texts)
def test_storage_comes_back_byte_for_byte(site: Site, storage: str) -> None:
    made = create(site, storage=storage)
    found = site.get(f"{path_of(made)}?expand=body.storage").json()["body"]["storage"]["value"]
    assert found == made["body"]["storage"]["value"] == storage
    site.delete(path_of(made))  # its title is free for the next example


_ELEMENTS = (
    '<ac:structured-macro ac:name="html"><ac:plain-text-body><![CDATA[<script>go()</script>]]></ac:plain-text-body>'
    "</ac:structured-macro><script>go()</script><SCRIPT src='//x'></SCRIPT><img src='x' onerror='go()'/>"
    '<a href="javascript:go()">x</a><svg onload="go()"><script>go()</script></svg><math><style>&lt;!--</style>'
    "<img title='--&gt;&lt;script&gt;'/></math>"
)


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_malformed_body_is_refused_with_its_position(site: Site, method: str) -> None:
    made = create(site)
    malformed = draft("Another", storage="<p>one</p>\n<p><b>two</p>") | {"version": {"number": 2}}
    refused = site.post(CONTENT, json=malformed) if method == "post" else site.put(path_of(made), json=malformed)
    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "Error parsing xhtml: <b> at [2,4] is not closed before the next closing tag at [row,col]: [2,12]"
    )
    assert site.get(path_of(made)).json()["version"]["number"] == 1


def test_an_export_links_absolutely(site: Site) -> None:
    target = create(site, "A B")
    made = create(site, storage='<p><ac:link><ri:page ri:content-title="a b" /></ac:link></p>')
    body = site.get(f"{path_of(made)}?expand=body.view,body.export_view").json()["body"]
    assert f'href="/spaces/DEMO/pages/{target["id"]}/A+B"' in body["view"]["value"]
    assert f'href="{made["_links"]["base"]}/spaces/DEMO/pages/{target["id"]}/A+B"' in body["export_view"]["value"]


@pytest.mark.parametrize("form", ["view", "export_view", "styled_view", "anonymous_export_view", "editor"])
def test_nothing_in_a_rendered_body_can_run(site: Site, form: str) -> None:
    made = create(site, storage=f"<p>before</p>{_ELEMENTS}")
    assert made["body"]["storage"]["value"] == f"<p>before</p>{_ELEMENTS}"
    value = site.get(f"{path_of(made)}?expand=body.{form}").json()["body"][form]["value"].lower()
    assert "<p>before</p>" in value
    assert not any(sign in value for sign in ("<script", "<svg", "onerror", "onload", "javascript:"))


def test_an_update_keeps_what_it_does_not_name(site: Site) -> None:
    top = create(site, "Top")
    child = create(site, "Child", ancestors=[{"id": top["id"]}])
    body = {"type": "page", "title": "Renamed", "version": {"number": 2}, "ancestors": []}
    changed = site.put(path_of(child), json=body).json()
    assert (changed["title"], changed["body"]["storage"]["value"]) == ("Renamed", "<p>Hello</p>")
    assert [item["id"] for item in changed["ancestors"]] == [top["id"]]
    emptied = site.put(path_of(child), json={**draft("Renamed", storage=""), "version": {"number": 3}}).json()
    assert emptied["body"]["storage"]["value"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": {}},
        {"version": {"number": None}},
        {"version": {"number": "two"}},
        {"version": {"number": 2}, "type": "blogpost"},
        {"version": {"number": 2}, "space": {"key": "ENG"}},
        {"version": {"number": 2}, "status": "trashed"},
        {"version": {"number": 2}, "title": " "},
        {"version": {"number": 2, "message": "\0"}},
        {"version": {"number": 2}, "body": {"storage": {"value": "x", "representation": "view"}}},
        {"version": {"number": 2}, "body": {"storage": {"value": "\0"}}},
    ],
)
def test_an_update_that_cannot_be_meant_is_400_and_changes_nothing(site: Site, body: object) -> None:
    made = create(site)
    answer = site.put(path_of(made), json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"statusCode", "data", "message", "reason"}
    assert site.get(path_of(made)).json()["version"]["number"] == 1


def test_a_title_is_found_as_it_was_sent(site: Site) -> None:
    made = create(site, "  Release plan ")
    assert made["title"] == "Release plan"
    for title in ("Release plan", "RELEASE PLAN", "  Release plan "):
        found = site.get(CONTENT, params={"spaceKey": "DEMO", "title": title}).json()["results"]
        assert [item["id"] for item in found] == [made["id"]]
    assert _titles(site, "spaceKey=DEMO&title=Release") == []


def test_a_write_is_seen_at_once(site: Site) -> None:
    made = create(site, "First")
    site.put(path_of(made), json={"version": {"number": 2}, "title": "Second"})
    assert _titles(site, "spaceKey=DEMO&title=First") == []
    assert _titles(site, "spaceKey=DEMO&title=Second") == ["Second"]


# ---- the trash and old versions ---------------------------------------------------------------------------


def test_what_is_in_the_trash_is_shown_to_who_asks_for_it(site: Site) -> None:
    path = path_of(made := create(site))
    assert site.get(f"{path}?status=trashed").status_code == 404
    assert site.delete(path).status_code == 204
    for query, status in (("", 404), ("?status=current", 404), ("?status=trashed", 200), ("?status=any", 200)):
        assert site.get(path + query).status_code == status
    assert made["title"] not in _titles(site, "")
    assert _titles(site, "status=trashed") == [made["title"]]
    assert made["title"] in _titles(site, "status=any")
    assert site.delete(path).status_code == 404
    assert site.get(f"{path}/history").status_code == 404


def test_only_the_trash_can_be_purged(site: Site) -> None:
    path = path_of(create(site))
    assert site.delete(f"{path}?status=trashed").status_code == 404
    assert site.delete(f"{path}?status=nonsense").status_code == 400
    assert site.get(path).status_code == 200
    site.delete(path)
    assert site.delete(f"{path}?status=trashed").status_code == 204
    assert site.delete(f"{path}?status=trashed").status_code == 404


def test_a_trashed_page_comes_back_by_an_update_that_says_so(site: Site) -> None:
    path = path_of(create(site))
    site.delete(path)
    assert site.put(path, json={"version": {"number": 2}}).status_code == 404
    assert site.put(path, json={"version": {"number": 1}, "status": "current"}).status_code == 409
    restored = site.put(path, json={"version": {"number": 2}, "status": "current"})
    assert (restored.status_code, restored.json()["status"]) == (200, "current")
    assert site.get(path).status_code == 200


def test_old_versions(site: Site) -> None:
    made = create(site, "First")
    path = path_of(made)
    site.put(path, json={"version": {"number": 2}, "title": "Second"})
    old = site.get(f"{path}?status=historical&version=1&expand=body.storage,version,history").json()
    assert (old["id"], old["status"], old["title"]) == (made["id"], "historical", "First")
    assert (old["version"]["number"], old["history"]["latest"]) == (1, False)
    assert old["body"]["storage"]["value"] == "<p>Hello</p>"
    assert site.get(f"{path}?status=historical&version=3").status_code == 404
    assert site.get(f"{path}?status=historical").status_code == 400
    assert site.get(old["_links"]["self"].removeprefix(site.base_url)).json()["title"] == "First"
    site.delete(path)
    assert site.get(f"{path}?status=historical&version=1").status_code == 404


# ---- blog posts -------------------------------------------------------------------------------------------


def test_blog_posts_by_their_day(site_under: SiteFactory) -> None:
    site = site_under(access_token_expiration_seconds=7 * 24 * 3600)
    create(site, "First day", type="blogpost")
    site.clock.advance(16 * 3600 - 0.001)
    create(site, "Last millisecond", type="blogpost")
    site.clock.advance(0.001)
    create(site, "Midnight", type="blogpost")
    create(site, "A page of that day")
    found = {number: _titles(site, f"type=blogpost&postingDay=2027-01-{number}") for number in (14, 15, 16, 17)}
    assert found == {14: [], 15: ["First day", "Last millisecond"], 16: ["Midnight"], 17: []}


def test_a_blog_post_has_a_day_in_its_address_and_no_ancestors(site: Site) -> None:
    made = create(site, "News", type="blogpost")
    assert made["_links"]["webui"] == f"/spaces/DEMO/blog/2027/01/15/{made['id']}/News"
    assert made["ancestors"] == []
    home = site.get(f"{SPACE}/DEMO?expand=homepage").json()["homepage"]["id"]
    body = draft("More news", type="blogpost", ancestors=[{"id": home}])
    assert site.post(CONTENT, json=body).status_code == 400
    assert "News" not in _titles(site, "")
    assert "News" in _titles(site, "type=page&type=blogpost")


# ---- permissions ------------------------------------------------------------------------------------------


def test_who_sees_what(site: Site) -> None:
    everything = set(_titles(site, "", user="admin"))
    assert "Runbook" in everything
    assert set(_titles(site, "", user="alice")) == set(_titles(site, "", user="viewer")) == everything
    assert not {"Runbook", "Release plan", "Engineering Home"} & set(_titles(site, "", user="bob"))
    runbook = site.get(f"{CONTENT}?title=Runbook").json()["results"][0]["id"]
    assert _titles(site, f"ids={runbook}", user="bob") == []
    assert _titles(site, f"ids={runbook},att{runbook}") == ["Runbook"]


def test_who_writes_where(site: Site) -> None:
    allowed = {
        (user, key): site.post(CONTENT, json=draft(f"By {user}", key=key), user=user).status_code
        for user in ("admin", "alice", "bob", "viewer")
        for key in ("DEMO", "ENG")
    }
    assert allowed == {
        ("admin", "DEMO"): 200, ("admin", "ENG"): 200,
        ("alice", "DEMO"): 200, ("alice", "ENG"): 200,
        ("bob", "DEMO"): 403, ("bob", "ENG"): 404,
        ("viewer", "DEMO"): 403, ("viewer", "ENG"): 403,
    }  # fmt: skip


def test_what_one_may_not_see_answers_like_what_is_not_there(site: Site) -> None:
    home = site.get(f"{SPACE}/ENG?expand=homepage").json()["homepage"]["id"]
    for method in ("GET", "PUT", "DELETE"):
        body = {"json": {"version": {"number": 2}}} if method == "PUT" else {}
        hidden, absent = (
            site.request(method, f"{CONTENT}/{number}", user="bob", scope="WRITE", **body) for number in (home, 999_999)
        )
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace(home, "N") == absent.text.replace("999999", "N")
    hidden, absent = (site.get(f"{SPACE}/{key}", user="bob") for key in ("ENG", "NOPE"))
    assert hidden.text.replace("ENG", "NOPE") == absent.text


def test_a_parent_one_may_not_see_is_not_there(site: Site) -> None:
    home = site.get(f"{SPACE}/ENG?expand=homepage").json()["homepage"]["id"]
    made = site.post(SPACE, json={"key": "OWN", "name": "Own"}, user="admin").json()
    assert made["_expandable"]["homepage"]
    hidden = made["_expandable"]["homepage"].rsplit("/", 1)[1]
    answer = site.post(CONTENT, json=draft("Child", ancestors=[{"id": hidden}]))
    assert (answer.status_code, answer.json()["message"]) == (
        404,
        f"No content found with id: ContentId{{id={hidden}}}",
    )
    assert site.post(CONTENT, json=draft("Child", ancestors=[{"id": home}])).status_code == 400


def test_a_space_is_made_with_a_homepage(site: Site) -> None:
    description = {"plain": {"value": "Ops & more", "representation": "plain"}}
    answer = site.post(f"{SPACE}/", json={"key": "OPS", "name": "Operations", "description": description}, user="admin")
    assert answer.status_code == 200
    assert answer.json()["description"]["plain"]["value"] == "Ops & more"
    assert answer.json()["_links"]["self"] == f"{site.base_url}{SPACE}/OPS"
    home = site.get(f"{SPACE}/ops?expand=homepage", user="admin").json()["homepage"]
    assert home["title"] == "Operations Home"
    taken = site.post(SPACE, json={"key": "ops", "name": "Again"}, user="admin")
    assert (taken.status_code, taken.json()["message"]) == (400, "A space already exists with key ops")
