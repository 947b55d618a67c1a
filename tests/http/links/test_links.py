"""The pages of incoming links and of a user's authorized applications."""

from __future__ import annotations

import asyncio
import html
import json
import re
import shlex
from typing import Any

import pytest
from sqlalchemy import select

from tests.http.conftest import Site, form_of
from watersmeet import demo
from watersmeet.clock import SECOND, as_datetime
from watersmeet.database import clients
from watersmeet.database.schema import token_families

LINKS = "/plugins/servlet/applinks/listApplicationLinks"
NEW_LINK = "/plugins/servlet/applinks/incoming"
DAY = 86_400 * SECOND
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


def _form(site: Site, browser: Any, path: str) -> dict[str, str]:
    tokens = re.findall(r'name="form_token" value="(\w+)"', browser.get(path).text)
    return {"form_token": tokens[-1]}


def _create(site: Site, browser: Any, **fields: str) -> Any:
    right = {"name": "Sync", "redirect_uris": "https://sync.example.com/cb", "scope": "READ", "type": "confidential"}
    return browser.post(NEW_LINK, data=_form(site, browser, NEW_LINK) | right | fields)


def test_only_administrators_manage_links(site: Site) -> None:
    assert site.new_browser().get(LINKS).headers["location"].startswith("/login.action?")
    alice = site.signed_in("alice")
    for path in (LINKS, NEW_LINK, f"{NEW_LINK}/{demo.CLIENT_ID}"):
        assert alice.get(path).status_code == 403
    assert alice.post(f"{NEW_LINK}/{demo.CLIENT_ID}/delete", data={"name": demo.CLIENT_NAME}).status_code == 403


def test_an_administrator_finds_links_and_audit_log_at_home(site: Site) -> None:
    for user, shown in (("admin", 2), ("alice", 0)):
        home = site.signed_in(user).get("/").text
        doors = home[home.index('<ul class="doors">') :]
        assert doors.count(f'href="{LINKS}"') + doors.count('href="/admin/audit"') == shown, user


def test_links_do_not_speak_of_the_administrator_s_own_content(site: Site) -> None:
    admin = site.signed_in("admin")
    for path in (NEW_LINK, f"{NEW_LINK}/{demo.CLIENT_ID}"):
        page = admin.get(path).text
        assert "View content" in page, path
        assert "your content" not in page, path
        assert "your profile" not in page, path


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "1 to 80"),
        ({"name": "demo APPLICATION"}, "already"),
        ({"name": "evil\u202e"}, "invisible"),
        ({"redirect_uris": ""}, "at least one"),
        ({"redirect_uris": "http://sync.example.com/cb"}, "Use https"),
        ({"redirect_uris": "https://sync.example.com/cb#x"}, "fragment"),
        ({"scope": "EVERYTHING"}, "permissions"),
    ],
)
def test_a_wrong_link_is_explained_and_nothing_typed_is_lost(site: Site, fields: dict[str, str], says: str) -> None:
    answer = _create(site, site.signed_in("admin"), **fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert fields.get("redirect_uris", "https://sync.example.com/cb") in answer.text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, {"name": ["1 to 80"]}),
        ({"name": "demo APPLICATION"}, {"name": ["already"]}),
        ({"redirect_uris": " "}, {"redirect_uris": ["at least one"]}),
        (
            {"redirect_uris": "http://a.example/cb\nhttps://a.example/cb\nhttps://b.example/cb#x"},
            {"redirect_uris": ["Use https", "fragment"]},
        ),
        ({"last_day": "2001-01-01", "name": "x" * 81}, {"name": ["1 to 80"], "last_day": ["must not be over"]}),
        ({"last_day": "soon"}, {"last_day": ["like 2027-12-31"]}),
        ({"scope": "WRITE"}, {}),
    ],
)
def test_a_draft_is_told_what_saving_would_say_and_nothing_is_saved(
    site: Site, fields: dict[str, str], says: dict[str, list[str]]
) -> None:
    admin = site.signed_in("admin")
    right = {"name": "Sync", "redirect_uris": "https://sync.example.com/cb", "scope": "READ"}
    sent = _form(site, admin, NEW_LINK) | right | fields
    answer = admin.post(f"{NEW_LINK}/check", data=sent)
    assert answer.status_code == 200
    found = {field: problems for field, problems in answer.json().items() if problems}
    assert found.keys() == says.keys()
    for field, sentences in says.items():
        assert len(found[field]) == len(sentences)
        for problem, words in zip(found[field], sentences, strict=True):
            assert words in problem["text"]
            assert problem["line"] == "" or problem["line"] in sent[field]
    assert "Sync" not in admin.get(LINKS).text

    saved = admin.post(NEW_LINK, data=sent)  # the two never differ
    assert saved.status_code == (400 if says else 200)
    for field, problems in found.items():
        assert f'id="{field}-findings"' in saved.text
        for problem in problems:
            assert html.escape(problem["text"], quote=False) in saved.text


def test_a_draft_of_an_existing_link_is_judged_as_that_link(site: Site) -> None:
    admin, link = site.signed_in("admin"), f"{NEW_LINK}/{demo.CLIENT_ID}"
    sent = {"name": demo.CLIENT_NAME, "redirect_uris": "https://a.example/cb", "scope": "READ"}
    sent |= _form(site, admin, f"{link}/edit")
    assert not any(admin.post(f"{link}/check", data=sent).json().values())
    told = admin.post(f"{NEW_LINK}/check", data=sent, headers={"Accept-Language": "de"}).json()
    assert told["name"] == [
        {"line": "", "text": f"Es gibt schon eine eingehende Verknüpfung namens {demo.CLIENT_NAME}."}
    ]

    # Its end may stay where it is, though that is over by now.
    until = {"last_day": f"{as_datetime(site.clock.now()):%Y-%m-%d}"}
    assert admin.post(f"{link}/edit", data=sent | until).status_code == 303
    site.clock.advance(DAY // SECOND)
    admin = site.signed_in("admin")
    sent |= _form(site, admin, f"{link}/edit") | until
    assert not any(admin.post(f"{link}/check", data=sent).json().values())
    assert admin.post(f"{NEW_LINK}/check", data=sent).json()["last_day"]


def test_a_draft_is_an_administrator_s_and_comes_from_our_own_page(site: Site) -> None:
    fields = {"name": "Sync", "redirect_uris": "https://a.example/cb"}
    assert site.new_browser().post(f"{NEW_LINK}/check", data=fields).status_code == 303
    assert site.signed_in("alice").post(f"{NEW_LINK}/check", data=fields).status_code == 403
    admin = site.signed_in("admin")
    assert admin.post(f"{NEW_LINK}/check", data=fields).status_code == 403
    right = fields | _form(site, admin, NEW_LINK)
    assert admin.post(f"{NEW_LINK}/check", data=right).status_code == 200
    assert admin.post(f"{NEW_LINK}/check", data=right, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert admin.post(f"{NEW_LINK}/unknown/check", data=right).status_code == 404


def test_s097_rotating_a_secret_with_overlap(site: Site) -> None:
    admin = site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    answer = admin.post(f"{path}/rotate-secret", data=_form(site, admin, path) | {"overlap_hours": "1"})
    new = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", answer.text)
    assert new
    tokens = site.tokens()  # with the old secret
    tokens = site.refresh(tokens["refresh_token"], client_secret=new[1]).json()
    site.clock.advance(3600)
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert site.refresh(tokens["refresh_token"], client_secret=new[1]).status_code == 200


def _told_of_secrets(page: str) -> list[str]:
    """What a link's page says of its secrets."""
    found = re.findall(r"<dt>(?:An old|The) secret</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", "", each).split()) for each in found]


def test_s097_each_secret_has_a_last_use_of_its_own_and_the_old_one_can_be_ended_at_once(site: Site) -> None:
    admin, path = site.signed_in("admin"), f"{NEW_LINK}/{demo.CLIENT_ID}"
    assert _told_of_secrets(admin.get(path).text) == ["made on 15 January 2027, not used yet"]
    assert "End the old secret now" not in admin.get(path).text
    made = admin.post(f"{path}/rotate-secret", data=_form(site, admin, path) | {"overlap_hours": "24"})
    new = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", made.text)
    assert new
    tokens = site.tokens()
    # What is refused is no use of a secret, whether it was right or wrong.
    assert site.refresh("nonsense", client_secret=new[1]).status_code == 400
    assert site.refresh(tokens["refresh_token"], client_secret="wrong").status_code == 401
    asyncio.run(_write_uses(site))
    old_told, new_told = _told_of_secrets(admin.get(path).text)
    assert old_told.startswith("made on 15 January 2027, last used on 15 January 2027")
    assert "; works until 16 January 2027" in old_told
    assert new_told == "made on 15 January 2027, not used yet"
    site.clock.advance(3600)
    used_at = site.clock.now()
    tokens = site.refresh(tokens["refresh_token"], client_secret=new[1]).json()
    uses = site.environment.uses
    assert list(uses.secrets.values()) == [used_at]
    asyncio.run(_write_uses(site))
    assert uses.secrets == {}
    [shown] = site.get("/rest/oauth2/latest/client", user="admin", scope="ADMIN").json()
    secrets = shown["secrets"]
    assert [secret["last_used_at"] for secret in secrets] == [secrets[0]["created_at"], used_at // 1000]
    assert [secret["expires_at"] for secret in secrets] == [secrets[0]["created_at"] + 86_400, None]
    uses.secrets[next(iter(_digests(site)))] = 1  # from a process whose write comes late
    asyncio.run(_write_uses(site))
    assert not re.search(r"\b1970\b", admin.get(path).text)
    ended = admin.post(f"{path}/end-old-secrets", data=_form(site, admin, path))
    assert ended.status_code == 303
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert site.refresh(tokens["refresh_token"], client_secret=new[1]).status_code == 200
    assert len(_told_of_secrets(admin.get(path).text)) == 1


def _digests(site: Site) -> list[str]:
    client = site.environment.database.read_now(lambda tx: clients.find(tx, demo.CLIENT_ID))
    assert client is not None
    return [secret.digest for secret in client.secrets]


def test_s099_deleting_a_link_kills_its_codes_and_tokens(site: Site) -> None:
    tokens, code, admin = site.tokens(), site.code(), site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    form = _form(site, admin, path)
    assert admin.post(f"{path}/delete", data=form | {"name": "wrong"}).status_code == 400
    assert admin.post(f"{path}/delete", data=form | {"name": demo.CLIENT_NAME}).status_code == 303
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.exchange(code).json()["error"] == "invalid_client"


def test_s093_a_secret_is_shown_once(site: Site) -> None:
    admin = site.signed_in("admin")
    secret = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", _create(site, admin).text)
    assert secret
    listed = site.get("/rest/oauth2/latest/client", user="admin", scope="ADMIN")
    assert {link["name"] for link in listed.json()} == {demo.CLIENT_NAME, "Sync"}
    assert secret[1] not in listed.text + admin.get(LINKS).text


def test_narrowing_a_link_narrows_its_tokens_at_once(site: Site) -> None:
    admin = site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}/edit"
    site.post("/rest/api/content", json={})  # a WRITE token is in use
    fields = {"name": "Demo", "redirect_uris": site.callback, "scope": "READ"}
    assert admin.post(path, data=_form(site, admin, path) | fields).status_code == 303
    assert site.post("/rest/api/content", json={}).status_code == 403


def test_s070_taking_access_back(site: Site) -> None:
    tokens, bystander, browser = site.tokens("bob"), site.tokens("alice"), site.signed_in("bob")
    assert "Demo application" in browser.get(AUTHORIZED).text
    browser.post(AUTHORIZED, data=_form(site, browser, AUTHORIZED) | {"client_id": demo.CLIENT_ID})
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(bystander["access_token"]).status_code == 200
    assert "No application can act for you." in browser.get(AUTHORIZED).text


def test_s099_disabling_a_link_refuses_it_everywhere(site: Site) -> None:
    tokens, code, admin, alice = site.tokens(), site.code(), site.signed_in("admin"), site.signed_in("alice")
    question = site.ask(alice)
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    assert admin.post(f"{path}/disable", data=_form(site, admin, path)).status_code == 303

    asked = alice.get(site.authorize_path())
    assert asked.status_code == 400
    assert "An administrator has disabled this application." in asked.text
    answered = alice.post("/plugins/servlet/oauth2/consent", data={**form_of(question), "decision": "allow"})
    assert answered.status_code == 400
    assert site.exchange(code).json()["error"] == "invalid_client"
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert site.bearer(tokens["access_token"]).status_code == 401

    assert admin.post(f"{path}/enable", data=_form(site, admin, path)).status_code == 303
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(site.tokens()["access_token"]).status_code == 200


def test_the_list_says_how_much_a_link_is_in_use_and_can_be_searched(site: Site) -> None:
    site.register("Sync", ["https://sync.example.com/cb"])
    for user in ("alice", "bob", "bob"):
        site.tokens(user)
    admin = site.signed_in("admin")
    page = admin.get(LINKS).text
    numbers = re.findall(r'class="number">(\d+)<', page)
    assert numbers == ["2", "6", "0", "0"]  # people and tokens, of the demo link and of Sync
    assert "2 people, through 3 grants, with 6 tokens that work" in admin.get(f"{NEW_LINK}/{demo.CLIENT_ID}").text
    for search, found in (("SYNC.example", ["Sync"]), (demo.CLIENT_ID, ["Demo application"]), ("nothing", [])):
        rows = re.findall(r'<th scope="row"><a [^>]*>([^<]*)<', admin.get(LINKS, params={"q": search}).text)
        assert rows == found
    assert "No link fits “&lt;b&gt;”" in admin.get(LINKS, params={"q": "<b>"}).text


def test_whoever_loses_access_is_named_before_a_link_is_deleted(site: Site) -> None:
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    admin = site.signed_in("admin")
    assert "Nobody uses it at present." in admin.get(path).text
    site.tokens("alice")
    site.tokens("bob")
    page = admin.get(path).text
    assert "Alice Example (alice)" in page
    assert "Bob Example (bob)" in page


@pytest.mark.parametrize(
    ("action", "fields", "wrong"),
    [
        ("delete", {"name": "demo"}, "name"),
        ("rotate-secret", {"overlap_hours": "many"}, "overlap_hours"),
        ("rules", {"refresh_grace": "long"}, "refresh_grace"),
    ],
)
def test_the_field_that_is_wrong_names_the_message(site: Site, action: str, fields: dict[str, str], wrong: str) -> None:
    """WCAG 3.3.1."""
    admin, path = site.signed_in("admin"), f"{NEW_LINK}/{demo.CLIENT_ID}"
    answer = admin.post(f"{path}/{action}", data=_form(site, admin, path) | fields)
    assert answer.status_code == 400
    assert 'id="problem"' in answer.text
    assert re.findall(r'name="(\w+)"[^>]* aria-describedby="problem" aria-invalid="true"', answer.text) == [wrong]


def test_an_mcp_server_that_sends_no_pkce_needs_another_profile(site: Site) -> None:
    admin = site.signed_in("admin")
    assert "choose the profile Compatible" in _create(site, admin).text
    compatible = _create(site, admin, name="Compatible", profile="atlassian-dc").text
    assert "mcpServers" in compatible
    assert "choose the profile Compatible" not in compatible


def test_the_result_page_gives_what_to_paste(site: Site) -> None:
    made = _create(
        site, site.signed_in("admin"), redirect_uris="https://sync.example.com/c'b?x=1", profile="atlassian-dc"
    )
    page = html.unescape(made.text)
    blocks = re.findall(r"<pre [^>]*>(.*?)</pre>", page, re.DOTALL)
    client_id, secret, environment, by_hand, mcp = blocks
    assert f"CLIENT_ID={client_id}\nCLIENT_SECRET={secret}\n" in environment
    words = shlex.split(by_hand.split("\n\n")[1])
    assert words[1] == f"{site.base_url}/rest/oauth2/latest/token"
    assert "redirect_uri=https://sync.example.com/c'b?x=1" in words
    assert json.loads(mcp)["mcpServers"]["confluence"]["env"]["ATLASSIAN_OAUTH_CLIENT_SECRET"] == secret


def test_all_access_is_taken_back_at_once(site: Site) -> None:
    other = site.register("Other", [site.callback], scope="READ")
    first, bystander, browser = site.tokens("bob"), site.tokens("alice"), site.signed_in("bob")
    code = site.code("bob", client_id=other.client.client_id)
    second = site.exchange(code, client_id=other.client.client_id, client_secret=other.client_secret).json()
    assert browser.get(AUTHORIZED).text.count("Remove access of") == 2
    browser.post(AUTHORIZED, data=_form(site, browser, AUTHORIZED) | {"all": "yes"})
    assert [site.bearer(each["access_token"]).status_code for each in (first, second, bystander)] == [401, 401, 200]


async def _write_uses(site: Site) -> None:
    await site.environment.uses.write(site.environment.database)


def test_last_used_is_written_once_for_many_calls(site: Site) -> None:
    tokens, browser = site.tokens("alice"), site.signed_in("alice")
    assert "not yet" in browser.get(AUTHORIZED).text
    for _ in range(3):
        site.clock.advance(1)
        site.bearer(tokens["access_token"])
    uses = site.environment.uses
    assert list(uses.families.values()) == [site.clock.now()]
    asyncio.run(_write_uses(site))
    assert uses.families == {}
    assert "not yet" not in browser.get(AUTHORIZED).text
    admin = site.signed_in("admin")
    assert "not yet" not in admin.get(LINKS).text
    assert "from 127.0.0.1" in browser.get(AUTHORIZED).text
    uses.families[next(iter(_families(site)))] = 1  # from a process whose write comes late
    asyncio.run(_write_uses(site))
    assert not re.search(r"\b1970\b", admin.get(LINKS).text)


def test_a_link_with_a_last_day(site: Site) -> None:
    admin = site.signed_in("admin")
    for wrong, says in (("soon", "like 2027-12-31"), ("2001-01-01", "not be over")):
        answer = _create(site, admin, last_day=wrong)
        assert answer.status_code == 400
        assert says in answer.text
        assert f'value="{wrong}"' in answer.text
    tomorrow = f"{as_datetime(site.clock.now() + DAY):%Y-%m-%d}"
    made = _create(site, admin, last_day=tomorrow)
    assert made.status_code == 200
    [client_id] = re.findall(r"incoming/(\w+)/edit", made.text)
    assert "until" in admin.get(LINKS).text
    edit = f"{NEW_LINK}/{client_id}/edit"
    assert f'value="{tomorrow}"' in admin.get(edit).text
    asked = site.authorize_path(client_id=client_id, redirect_uri="https://sync.example.com/cb")
    site.clock.advance(2 * DAY / SECOND)
    refused = site.new_browser().get(asked)
    assert refused.status_code == 400
    assert "is over" in refused.text
    admin = site.signed_in("admin")
    assert "Expired" in admin.get(LINKS).text
    admin.post(f"{NEW_LINK}/{client_id}/disable", data=_form(site, admin, f"{NEW_LINK}/{client_id}"))
    enabled = admin.post(f"{NEW_LINK}/{client_id}/enable", data=_form(site, admin, f"{NEW_LINK}/{client_id}"))
    assert enabled.status_code == 400
    assert "later last day" in enabled.text
    right = {"name": "Sync", "redirect_uris": "https://sync.example.com/cb", "scope": "READ", "last_day": ""}
    assert admin.post(edit, data=_form(site, admin, edit) | right).status_code == 303
    assert "Expired" not in admin.get(LINKS).text


def _families(site: Site) -> list[str]:
    statement = select(token_families.c.id)
    return list(site.environment.database.read_now(lambda tx: tx.execute(statement).scalars()))
