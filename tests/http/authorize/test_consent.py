"""What the consent page says, and what it may be answered with."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html
from starlette.testclient import TestClient

from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet import demo

CONSENT = "/plugins/servlet/oauth2/consent"


def _text(page: str) -> str:
    main = re.sub(r"<(?!/?main)[^>]*>", " ", page).split("<main>")[1].split("</main>")[0]
    return re.sub(r"\s+", " ", main)


def _allow(browser: TestClient, fields: dict[str, str], **more: str) -> dict[str, list[str]]:
    sent = browser.post(CONSENT, data={**fields, "decision": "allow", **more})
    assert sent.status_code == 303, sent.text
    return parse_qs(urlsplit(sent.headers["location"]).query)


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ("READ", "wants to read content as Alice Example (alice)"),
        ("WRITE", "wants to read and change content as Alice Example (alice)"),
        ("ADMIN", "wants to administer this site as Alice Example (alice)"),
        ("READ SYSTEM_ADMIN", "wants to administer the system as Alice Example (alice)"),
    ],
)
def test_s058_the_question_in_one_sentence_and_all_that_matters_below(site: Site, scope: str, sentence: str) -> None:
    text = _text(site.ask(site.signed_in("alice"), scope=scope).text)
    assert re.sub(r" +", " ", text).startswith(f" Demo application {sentence}")
    for said in (
        "Not you? Switch account",
        "Registered by admin on",
        "Never more than you can do yourself.",
        "127.0.0.1:8090 /_dev/callback",
        "an app on this computer",
        "at most 90 days",
    ):
        assert said in text


def test_the_badge_of_the_first_time(site: Site) -> None:
    badge = "You have not used this app before"
    assert badge in site.ask(site.signed_in("alice")).text
    site.tokens("bob")
    assert badge in site.ask(site.signed_in("alice")).text
    site.tokens("alice")
    assert badge not in site.ask(site.signed_in("alice")).text


def test_a_redirect_to_an_international_name_is_shown_raw_and_decoded(site: Site) -> None:
    link = site.register("Books", ["https://xn--bcher-kva.example/cb?x=1"]).client
    page = site.ask(
        site.signed_in("alice"), client_id=link.client_id, redirect_uri="https://xn--bcher-kva.example/cb?x=1"
    )
    text = _text(page.text)
    assert "xn--bcher-kva.example /cb?x=1" in text
    assert "The name reads bücher.example" in text
    assert "an app on this computer" not in text


@pytest.mark.parametrize(("scope", "less"), [("WRITE", "READ"), ("ADMIN", "WRITE"), ("SYSTEM_ADMIN", "READ")])
def test_s060_less_may_be_given_and_the_answer_says_so(site: Site, scope: str, less: str) -> None:
    browser = site.signed_in("alice")
    fields = form_of(site.ask(browser, scope=scope))
    assert fields["granted_scope"] == scope
    [code] = _allow(browser, fields, granted_scope=less)["code"]
    tokens = site.exchange(code).json()
    assert tokens["scope"] == less
    assert site.refresh(tokens["refresh_token"], scope=scope).json()["error"] == "invalid_scope"


def test_s060_all_of_it_is_given_in_the_words_it_was_asked_in(site: Site) -> None:
    browser = site.signed_in("alice")
    fields = form_of(site.ask(browser, scope="WRITE READ"))
    [code] = _allow(browser, fields)["code"]
    assert site.exchange(code).json()["scope"] == "READ WRITE"


@pytest.mark.parametrize("wished", ["WRITE", "SYSTEM_ADMIN", "read", "READ WRITE", "' OR 1"])
def test_s060_more_can_never_be_given(site: Site, wished: str) -> None:
    browser = site.signed_in("admin")
    fields = {**form_of(site.ask(browser, scope="READ")), "decision": "allow"}
    refused = browser.post(CONSENT, data={**fields, "granted_scope": wished, "password": "admin"})
    assert refused.status_code == 400
    assert "location" not in refused.headers
    assert site.exchange(_allow(browser, fields)["code"][0]).json()["scope"] == "READ"


@pytest.mark.parametrize("scope", ["ADMIN", "SYSTEM_ADMIN"])
def test_s068_administration_needs_the_password(site: Site, scope: str) -> None:
    browser = site.signed_in("admin")
    fields = form_of(site.ask(browser, scope=scope))
    for typed in ("", "wrong"):
        refused = browser.post(CONSENT, data={**fields, "decision": "allow", "password": typed})
        assert refused.status_code == 403
        assert "location" not in refused.headers
        assert form_of(refused) == fields  # the same question, still open
    [code] = _allow(browser, fields, password="admin")["code"]
    assert site.exchange(code).json()["scope"] == scope


def test_s068_denying_needs_nothing(site: Site) -> None:
    browser = site.signed_in("admin")
    fields = form_of(site.ask(browser, scope="ADMIN"))
    sent = browser.post(CONSENT, data={**fields, "decision": "deny", "password": ""})
    assert parse_qs(urlsplit(sent.headers["location"]).query)["error"] == ["access_denied"]


def test_a_question_shown_again_keeps_what_was_chosen_and_the_way_to_switch(site: Site) -> None:
    browser = site.signed_in("admin")
    sent = browser.get(site.authorize_path(scope="SYSTEM_ADMIN", state='a"&b'))
    page = browser.get(sent.headers["location"])
    action = re.search(r'action="([^"]*/oauth2/consent[^"]*)"', page.text)
    assert action
    address = action[1].replace("&amp;", "&")
    again = browser.post(address, data={**form_of(page), "decision": "allow", "granted_scope": "ADMIN"})
    assert form_of(again)["granted_scope"] == "ADMIN"
    destination = re.search(r'name="os_destination" value="([^"]*)"', again.text)
    assert destination
    assert parse_qs(urlsplit(destination[1].replace("&amp;", "&")).query)["state"] == ['a"&b']


def test_what_the_user_may_not_do_is_said(site: Site) -> None:
    lacking = "You do not have all of these rights yourself"
    assert lacking in site.ask(site.signed_in("alice"), scope="ADMIN").text
    assert lacking not in site.ask(site.signed_in("admin"), scope="ADMIN").text
    assert lacking not in site.ask(site.signed_in("alice"), scope="WRITE").text


def test_the_sign_in_page_says_who_waits(site: Site) -> None:
    waiting = site.client.get(site.client.get(site.authorize_path()).headers["location"])
    assert "to continue to <strong>Demo application</strong>" in waiting.text
    for destination in ("/", "/authorize", "/rest/oauth2/latest/authorize?client_id=" + "0" * 32):
        assert "to continue to" not in site.client.get("/login.action", params={"os_destination": destination}).text


def test_only_dev_offers_its_users(site: Site, site_under: SiteFactory) -> None:
    assert "demo_account" not in site.client.get("/login.action").text
    fields = form_of(site.client.get("/login.action"))
    refused = site.client.post("/login.action", data={"form_token": fields["form_token"], "demo_account": "admin"})
    assert refused.status_code == 401


def test_a_lesser_permission_has_its_icon_beside_its_words(site: Site) -> None:
    page = html.fromstring(site.ask(site.signed_in("admin"), scope="SYSTEM_ADMIN").content)
    choices = page.xpath("//details//label")
    assert [choice.xpath("string(.//strong)") for choice in choices][1:] == [
        "Administer this site",
        "Create, change and delete content",
        "View your content",
    ]
    drawn = [html.tostring(choice.xpath("./svg")[0]) for choice in choices]
    assert len(set(drawn)) == 4  # each its own


def test_an_error_page_tells_the_developer_what_to_look_for(site: Site) -> None:
    page = site.client.get(site.authorize_path(client_id="0" * 32))
    assert page.status_code == 400
    assert "parameter: client_id" in page.text
    assert re.search(r"request: [0-9a-f]{16}", page.text)
    assert "How to fix it" not in page.text  # that is for `watersmeet dev`
    assert demo.CLIENT_ID not in page.text
