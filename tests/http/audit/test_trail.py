"""The trail: every security decision leaves one event, in the transaction that made it (S150)."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.http.app import App
from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet import demo
from watersmeet.database.audit import COMMAND_LINE, Entry, Event, Query, search
from watersmeet.oauth2.profile import Profile
from watersmeet.tokens.revoke import end_everything
from watersmeet.users.signin import change_password, disable_user, enable_user

LINK = "/plugins/servlet/applinks/incoming"


def trail(site: Site) -> list[Entry]:
    """What happened since the demo data was made, the oldest first."""
    entries = site.environment.database.read_now(lambda tx: search(tx, Query(limit=10_000)))
    # The demo's client is a legacy client without PKCE; what that leaves has a test of its own.
    beside = (Event.USER_CREATED, Event.LEGACY_ACCEPTED)
    return [entry for entry in reversed(entries) if entry.event not in beside]


def test_s150_what_is_accepted_for_compatibility_is_there_with_its_kinds(site: Site) -> None:
    site.tokens("alice")
    entries = site.environment.database.read_now(lambda tx: search(tx, Query(event=Event.LEGACY_ACCEPTED, limit=10)))
    assert [(entry.actor, entry.client_id, entry.detail) for entry in entries] == [
        ("alice", demo.CLIENT_ID, {"kinds": ["no-pkce"]})
    ]


def form_token(browser: TestClient, path: str) -> str:
    """The token of the last form of a page."""
    found: str = re.findall(r'name="form_token" value="(\w+)"', browser.get(path).text)[-1]
    return found


def kinds(site: Site) -> list[str]:
    return [entry.event for entry in trail(site)]


def test_s150_the_main_job_from_sign_in_to_revocation(site: Site) -> None:
    issued = site.tokens("alice", "WRITE")
    again = site.refresh(issued["refresh_token"]).json()
    form = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET, "token": again["access_token"]}
    for _ in range(2):  # the second time there is nothing left to revoke
        assert site.new_browser().post("/rest/oauth2/latest/revoke", data=form).status_code == 200
    assert kinds(site) == [
        "sign-in.succeeded", "consent.allowed", "tokens.issued", "tokens.refreshed", "tokens.revoked",
    ]  # fmt: skip
    signed_in, allowed, first, second, revoked = trail(site)
    assert (signed_in.actor, allowed.actor) == ("alice", "alice")
    assert allowed.detail == {"scope": "WRITE", "redirect_host": "127.0.0.1:8090"}
    assert {entry.username for entry in trail(site)} == {"alice"}
    assert {entry.client_id for entry in (allowed, first, second, revoked)} == {demo.CLIENT_ID}
    assert first.family_id == second.family_id == revoked.family_id != None  # noqa: E711
    assert all(re.fullmatch(r"[0-9a-f]{16}", entry.request_id or "") for entry in trail(site))
    assert len({entry.request_id for entry in trail(site)}) == 5
    assert {entry.address for entry in trail(site)} == {"127.0.0.1"}
    assert {entry.at for entry in trail(site)} == {site.clock.now()}


def test_s150_a_denied_consent_and_a_sign_out(site: Site) -> None:
    browser = site.signed_in("bob")
    site.answer(browser, site.ask(browser), "deny")
    browser.post("/logout.action", data={"form_token": form_token(browser, "/")})
    assert kinds(site) == ["sign-in.succeeded", "consent.denied", "sign-out"]


def test_s150_a_replayed_code_is_written_down_once_with_the_family_it_ended(site: Site) -> None:
    code = site.code()
    site.exchange(code)
    for _ in range(3):
        assert site.exchange(code).status_code == 400
    assert Counter(kinds(site))["code.replayed"] == 1
    issued, replayed = trail(site)[-2:]
    assert replayed.family_id == issued.family_id


def test_s150_a_replayed_refresh_token_and_what_is_refused_afterwards(site: Site) -> None:
    first = site.tokens()
    site.refresh(first["refresh_token"])
    assert site.refresh(first["refresh_token"]).status_code == 400
    assert site.refresh(first["refresh_token"]).status_code == 400
    assert kinds(site)[-3:] == ["tokens.refreshed", "refresh.replayed", "grant.refused"]
    assert trail(site)[-2].detail == {"generation": 0, "because": "reuse after lost response?"}
    assert trail(site)[-1].detail == {"cause": "GrantRevoked"}


def test_s150_refused_attempts_name_their_cause(site: Site) -> None:
    site.exchange("f" * 64)
    site.exchange("f" * 64, client_secret="wrong")
    browser = site.new_browser()
    browser.post("/login.action", data=form_of(browser.get("/login.action")) | {"username": "alice", "password": "x"})
    assert [(entry.event, entry.detail.get("cause")) for entry in trail(site)] == [
        ("grant.refused", "CodeUnknown"),
        ("client.refused", "InvalidClient"),
        ("sign-in.failed", None),
    ]
    assert trail(site)[-1].username == "alice"


STRANGERS: list[tuple[str, dict[str, str], dict[str, str], str | None]] = [
    ("introspect", {}, {}, "InvalidClient"),
    ("introspect", {"client_secret": "x"}, {}, "InvalidClient"),
    ("introspect", {}, {"authorization": "Bearer x"}, "InvalidClient"),
    ("token", {}, {}, None),  # merely incomplete
    ("revoke", {}, {}, None),
    *((endpoint, {}, {"authorization": "Basic !"}, "InvalidClient") for endpoint in ("token", "revoke", "introspect")),
    *(
        (endpoint, {"client_id": "b"}, {"authorization": "Basic YTpi"}, "TwoClientAuthentications")
        for endpoint in ("token", "revoke", "introspect")
    ),
]


@pytest.mark.parametrize(("endpoint", "form", "headers", "cause"), STRANGERS)
def test_s150_who_names_no_client_is_written_down_and_counted_against_nobody(
    site: Site, endpoint: str, form: dict[str, str], headers: dict[str, str], cause: str | None
) -> None:
    for _ in range(12):  # more than the limit of wrong secrets
        answer = site.new_browser().post(
            f"/rest/oauth2/latest/{endpoint}", data={"token": "f" * 64, **form}, headers=headers
        )
        assert answer.status_code in (400, 401)
    refused = [(entry.event, entry.client_id, entry.detail) for entry in trail(site)]
    assert refused == ([("client.refused", None, {"cause": cause})] * 12 if cause else [])
    assert site.tokens()


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_s023_a_credential_in_the_address_is_written_down_and_counted_against_nobody(site: Site, endpoint: str) -> None:
    app = App(site, Profile.STRICT)
    body = app.parameters("f" * 64, client_secret=None, token="f" * 64)
    for _ in range(12):  # more than the limit of wrong secrets
        answer = site.new_browser().post(f"/rest/oauth2/latest/{endpoint}?client_secret={app.secret}", data=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    refused = [entry for entry in trail(site) if entry.event == "client.refused"]
    assert [entry.detail for entry in refused] == [{"cause": "CredentialInQuery"}] * 12
    assert {entry.client_id for entry in refused} == {app.client_id}


def test_s023_it_is_written_down_too_where_the_operator_accepts_it_of_nobody(site_under: SiteFactory) -> None:
    site = site_under(legacy_profile=False)
    form = {"grant_type": "authorization_code", "code": "f" * 64, "client_id": demo.CLIENT_ID}
    answer = site.new_browser().post(f"/rest/oauth2/latest/token?client_secret={demo.CLIENT_SECRET}", data=form)
    assert answer.status_code == 400
    assert [(entry.event, entry.client_id, entry.detail) for entry in trail(site)] == [
        ("client.refused", demo.CLIENT_ID, {"cause": "CredentialInQuery"})
    ]


def test_s150_a_public_client_that_introspects_is_written_down(site: Site) -> None:
    app = App(site, Profile.STRICT, confidential=False)
    form = {"token": "f" * 64, "client_id": app.client_id}
    assert site.new_browser().post("/rest/oauth2/latest/introspect", data=form).status_code == 400
    refused = trail(site)[-1]
    assert (refused.event, refused.client_id) == ("introspection.refused", app.client_id)
    assert refused.detail == {"cause": "IntrospectionNotAllowed"}


def test_s150_what_the_command_line_ends_for_everybody_is_one_event(site: Site) -> None:
    site.tokens("alice")
    site.tokens("bob")
    now = site.clock.now()
    site.environment.database.write_now(lambda tx: end_everything(tx, now, COMMAND_LINE))
    ended = trail(site)[-1]
    assert (ended.event, ended.actor, ended.username) == ("access.removed", "the command line", None)
    assert ended.detail == {"grants_ended": 2, "sessions_ended": 2}


def test_s150_what_administrators_change_is_there_with_before_and_after(site: Site) -> None:
    browser = site.signed_in("admin")
    form = {"form_token": form_token(browser, LINK), "name": "Wiki robot", "redirect_uris": "https://app.example/cb"}
    browser.post(LINK, data=form | {"scope": "READ", "type": "confidential"})
    client_id = str(trail(site)[-1].client_id)
    browser.post(f"{LINK}/{client_id}/edit", data=form | {"scope": "WRITE"})
    browser.post(f"{LINK}/{client_id}/rotate-secret", data=form | {"overlap_hours": "1"})
    browser.post(f"{LINK}/{client_id}/delete", data=form)
    created, changed, rotated, deleted = trail(site)[1:]
    after = {"name": "Wiki robot", "type": "confidential", "redirect_uris": ["https://app.example/cb"]}
    rules = {
        "profile": "strict", "refuses": [], "authentication": "either", "may_introspect": False, "plain_answers": False,
        "refresh_grace_seconds": None,
        "expires_at": None,
    }  # fmt: skip
    assert (created.event, created.detail) == ("link.created", {"after": {**after, "scope": "READ", **rules}})
    assert changed.detail == {"before": {"scope": "READ"}, "after": {"scope": "WRITE"}}
    assert (rotated.event, rotated.detail) == ("secret.rotated", {"old_secrets_end_at": site.clock.now() + 3_600_000})
    assert (deleted.event, deleted.detail) == ("link.deleted", {"name": "Wiki robot"})
    assert {entry.actor for entry in trail(site)} == {"admin"}
    assert {entry.client_id for entry in (created, changed, rotated, deleted)} == {client_id}


def test_s150_what_a_user_takes_back_and_what_ends_with_a_password(site: Site) -> None:
    site.tokens("alice")
    browser = site.signed_in("alice")
    path = "/plugins/servlet/oauth2/authorized-applications"
    browser.post(path, data={"form_token": form_token(browser, path), "client_id": demo.CLIENT_ID})
    removed = trail(site)[-1]
    assert (removed.event, removed.detail) == ("access.removed", {"grants_ended": 1})

    now = site.clock.now()
    for operation in (
        lambda tx: change_password(tx, "alice", "$argon2id$other", now),
        lambda tx: disable_user(tx, "alice", now),
        lambda tx: enable_user(tx, "alice", now),
    ):
        site.environment.database.write_now(operation)
    assert kinds(site)[-3:] == ["password.changed", "user.disabled", "user.enabled"]
    assert browser.get(path).status_code == 302, "S117: the password's change ended the session"


def test_s150_disabling_a_link_and_enabling_it(site: Site) -> None:
    site.tokens("alice")
    browser = site.signed_in("admin")
    form = {"form_token": form_token(browser, f"{LINK}/{demo.CLIENT_ID}")}
    for what in ("disable", "enable"):
        assert browser.post(f"{LINK}/{demo.CLIENT_ID}/{what}", data=form).status_code == 303
    disabled, enabled = trail(site)[-2:]
    assert (disabled.event, disabled.detail, disabled.actor) == ("link.disabled", {"grants_ended": 1}, "admin")
    assert (enabled.event, enabled.client_id, enabled.actor) == ("link.enabled", demo.CLIENT_ID, "admin")


def test_s150_all_access_removed_is_one_event_for_each_application(site: Site) -> None:
    other = site.register("Another", ["https://app.example/cb"])
    site.tokens("alice")
    site.tokens("alice")
    browser = site.signed_in("alice")
    sent = {"client_id": other.client.client_id, "redirect_uri": "https://app.example/cb"}
    fields = form_of(site.ask(browser, **sent)) | {"decision": "allow"}
    code = browser.post("/plugins/servlet/oauth2/consent", data=fields).headers["location"].split("code=")[1][:64]
    assert site.exchange(code, client_secret=other.client_secret, **sent).status_code == 200
    path = "/plugins/servlet/oauth2/authorized-applications"
    browser.post(path, data={"form_token": form_token(browser, path), "all": "yes"})
    removed = [(entry.client_id, entry.detail) for entry in trail(site) if entry.event == "access.removed"]
    assert removed == [(other.client.client_id, {"grants_ended": 1}), (demo.CLIENT_ID, {"grants_ended": 2})]


def test_s150_what_people_change_of_themselves(site: Site) -> None:
    elsewhere, browser = site.signed_in("alice"), site.signed_in("alice")
    token = form_token(browser, "/account")
    browser.post("/account/sessions", data={"form_token": token, "session": "0" * 16})  # nothing ends
    browser.post("/account/sessions", data={"form_token": token, "session": "others"})
    browser.post("/account", data={"form_token": token, "display_name": "Canary Name", "email": "alice@example.com"})
    typed = {"form_token": token, "current_password": "wrong", "new_password": "long enough"}
    browser.post("/account/password", data=typed)
    browser.post("/account/password", data=typed | {"current_password": "alice"})
    assert elsewhere.get("/account").status_code == 302
    ended, changed, refused, password = trail(site)[2:]
    assert (ended.event, ended.detail) == ("session.ended", {"sessions_ended": 1})
    assert (changed.event, changed.detail) == ("user.changed", {"changed": ["display_name"]})
    assert (refused.event, password.event) == ("password.refused", "password.changed")
    assert {entry.actor for entry in trail(site)} == {entry.username for entry in trail(site)} == {"alice"}


def test_s150_a_consent_to_less_says_what_was_given_and_what_was_asked(site: Site) -> None:
    browser = site.signed_in("alice")
    fields = form_of(site.ask(browser, scope="WRITE")) | {"decision": "allow", "granted_scope": "READ"}
    browser.post("/plugins/servlet/oauth2/consent", data=fields)
    detail = {"scope": "READ", "asked": "WRITE", "redirect_host": "127.0.0.1:8090"}
    assert (trail(site)[-1].event, trail(site)[-1].detail) == ("consent.allowed", detail)


@pytest.mark.parametrize("refused", ["raised", "lost"])
def test_s150_what_did_not_happen_left_no_event(site: Site, refused: str) -> None:
    issued = site.tokens()
    before = len(trail(site))
    if refused == "raised":
        site.refresh(issued["refresh_token"], scope="SYSTEM_ADMIN")
    else:
        site.new_browser().post("/rest/oauth2/latest/token", data={"grant_type": "refresh_token"})
    assert len(trail(site)) == before


def test_s150_no_event_holds_a_credential(site: Site) -> None:
    code = site.code(pkce=True)
    issued = site.exchange(code).json()  # without the verifier
    pair = site.tokens()
    later = site.refresh(pair["refresh_token"]).json()
    site.refresh(pair["refresh_token"])
    browser = site.new_browser()
    browser.post(
        "/login.action", data=form_of(browser.get("/login.action")) | {"username": "alice", "password": "canary-pw"}
    )
    assert "error" in issued
    written = repr(trail(site))
    secrets = (code, pair["access_token"], pair["refresh_token"], later["refresh_token"], demo.CLIENT_SECRET)
    assert not any(secret in written for secret in (*secrets, "canary-pw"))


@pytest.mark.parametrize("event", list(Event))
def test_every_event_is_documented(event: Event) -> None:
    assert f"`{event}`" in (Path(__file__).parents[3] / "docs" / "security-operations.md").read_text()
