"""The two profiles of a client: what is accepted of whom, counted, announced, and switched off (notes N1-N14)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.http.app import URI, WITH_PKCE, App
from tests.http.conftest import VERIFIER, HandClock, Site, SiteFactory, form_of
from watersmeet.database import clients
from watersmeet.oauth2.client import AuthenticationMethod
from watersmeet.oauth2.profile import Legacy, Profile


@pytest.fixture
def strict(site: Site) -> App:
    return App(site, Profile.STRICT)


@pytest.fixture
def lenient(site: Site) -> App:
    return App(site, Profile.ATLASSIAN_DC)


# ---- the token endpoint -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["client_secret", "code", "code_verifier"])
def test_s023_strict_refuses_a_credential_in_the_query_and_consumes_nothing(strict: App, name: str) -> None:
    right = strict.parameters(strict.code())
    answer = strict.post({key: right[key] for key in right if key != name}, {name: right[name]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "deprecation" not in answer.headers
    done = strict.post(right)
    assert done.status_code == 200
    assert "deprecation" not in done.headers
    refresh = {"grant_type": "refresh_token", "client_id": strict.client_id, "client_secret": str(strict.secret)}
    token = done.json()["refresh_token"]
    assert strict.post(refresh, {"refresh_token": token}).json()["error"] == "invalid_request"
    assert strict.post(refresh | {"refresh_token": token}).status_code == 200
    assert strict.counted == {}


@pytest.mark.parametrize("validate", [True, False])
def test_s023_a_token_to_be_revoked_is_no_different(site_under: SiteFactory, validate: bool) -> None:
    site = site_under(validate_client_secret=validate)
    for profile, status in ((Profile.STRICT, 400), (Profile.ATLASSIAN_DC, 200)):
        app = App(site, profile)
        token = app.post(app.parameters(app.code())).json()["access_token"]
        whose = {"client_id": app.client_id, "client_secret": str(app.secret)}
        answer = site.new_browser().post(f"/rest/oauth2/latest/revoke?token={token}", data=whose)
        assert (answer.status_code, "deprecation" in answer.headers) == (status, status == 200)
        assert site.bearer(token).status_code == (200 if status == 400 else 401)
        assert app.counted == ({Legacy.CREDENTIAL_IN_QUERY: 1} if status == 200 else {})


def test_a_strict_client_may_have_harmless_parameters_in_the_query(strict: App) -> None:
    right = strict.parameters(strict.code())
    query = {name: right.pop(name) for name in ("grant_type", "client_id", "redirect_uri")}
    assert strict.post(right, query).status_code == 200


def test_n1_a_credential_in_the_query_is_accepted_counted_and_announced(lenient: App) -> None:
    answer = lenient.post({}, lenient.parameters(lenient.code()))
    assert answer.status_code == 200
    assert answer.headers["deprecation"].startswith("@")
    assert 'rel="deprecation"' in answer.headers["link"]
    assert "sunset" not in answer.headers
    assert lenient.counted == {Legacy.CREDENTIAL_IN_QUERY: 1}


def test_s095_a_wrong_secret_in_the_query_looks_like_an_unknown_client(strict: App) -> None:
    wrong = strict.parameters("c" * 64, client_secret="wrong")
    answers = [strict.post({}, wrong | {"client_id": each}) for each in (strict.client_id, "unknown")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, answers[0].json())] * 2


def test_what_is_refused_is_not_counted(lenient: App) -> None:
    assert lenient.post({}, lenient.parameters("c" * 64)).json()["error"] == "invalid_grant"
    assert lenient.counted == {}


def test_n1_a_url_that_anybody_on_the_way_can_read_is_refused_of_everybody(site_under: SiteFactory) -> None:
    app = App(site_under(host="wiki.example", skip_base_url_https_requirement=True), Profile.ATLASSIAN_DC)
    right = app.parameters(app.code())
    assert app.post({}, right).json()["error"] == "invalid_request"
    assert app.post(right).status_code == 200


def test_n11_identical_credentials_twice_are_one_for_a_legacy_client(lenient: App) -> None:
    right = lenient.parameters(lenient.code())
    wrong = lenient.post(right, headers=lenient.basic("other"))
    assert wrong.json()["error"] == "invalid_request"
    answer = lenient.post(right, headers=lenient.basic())
    assert (answer.status_code, "deprecation" in answer.headers) == (200, True)
    assert lenient.counted == {Legacy.TWO_AUTHENTICATIONS: 1}


def test_n11_identical_credentials_twice_are_two_for_a_strict_client(strict: App) -> None:
    right = strict.parameters(strict.code())
    answer = strict.post(right, headers=strict.basic())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert strict.post(right).status_code == 200


@pytest.mark.parametrize("method", list(AuthenticationMethod))
def test_s092_a_client_may_be_held_to_one_way_of_sending_its_secret(strict: App, method: AuthenticationMethod) -> None:
    strict.change(authentication=method)
    right = strict.parameters(strict.code())
    in_header = {name: value for name, value in right.items() if name != "client_secret"}
    ways = {
        AuthenticationMethod.BASIC: lambda: strict.post(in_header, headers=strict.basic()),
        AuthenticationMethod.POST: lambda: strict.post(right),
    }
    other = next(each for each in AuthenticationMethod if each is not method)
    assert (ways[other]().status_code, ways[other]().json()["error"]) == (401, "invalid_client")
    assert ways[method]().status_code == 200


# ---- the authorization endpoint -----------------------------------------------------------------------------

LEGACY_REQUESTS: list[tuple[dict[str, str | None], str, set[Legacy]]] = [
    ({}, "invalid_request", {Legacy.NO_PKCE}),
    ({"state": None}, "invalid_request", {Legacy.NO_PKCE, Legacy.NEITHER_STATE_NOR_PKCE}),
    ({"code_challenge": VERIFIER}, "invalid_request", {Legacy.PLAIN_CHALLENGE}),
    ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request", {Legacy.PLAIN_CHALLENGE}),
    (WITH_PKCE | {"code_challenge_method": "s256"}, "invalid_request", {Legacy.METHOD_SPELLING}),
    (WITH_PKCE | {"code_challenge_method": "sha256"}, "invalid_request", {Legacy.METHOD_SPELLING}),
    (WITH_PKCE | {"scope": None}, "invalid_scope", {Legacy.NO_SCOPE}),
    (WITH_PKCE | {"scope": ""}, "invalid_scope", {Legacy.NO_SCOPE}),
]


@pytest.mark.parametrize(("parameters", "error", "kinds"), LEGACY_REQUESTS)
def test_strict_refuses_what_a_legacy_client_may_do(
    strict: App, parameters: dict[str, str | None], error: str, kinds: set[Legacy]
) -> None:
    assert strict.refusal(**parameters) == error
    assert strict.counted == {}


@pytest.mark.parametrize(("parameters", "error", "kinds"), LEGACY_REQUESTS)
def test_a_legacy_client_may_and_it_is_counted_and_announced(
    lenient: App, parameters: dict[str, str | None], error: str, kinds: set[Legacy]
) -> None:
    pages = []
    for _ in range(2):
        asked = lenient.ask(**parameters)
        assert urlsplit(asked.headers["location"]).path == "/plugins/servlet/oauth2/consent"
        assert asked.headers["deprecation"].startswith("@")
        pages.append(lenient.browser.get(asked.headers["location"]))
    assert lenient.counted == {}, "nothing was allowed yet, however often it was looked at"
    assert "code" in lenient.site.answer(lenient.browser, pages[-1])
    assert lenient.counted == dict.fromkeys(kinds, 1)


@pytest.mark.parametrize("profile", list(Profile))
def test_nothing_is_counted_of_a_client_that_follows_the_rules(site: Site, profile: Profile) -> None:
    app = App(site, profile)
    asked = app.ask(**WITH_PKCE)
    assert "deprecation" not in asked.headers
    assert "deprecation" not in app.post(app.parameters(app.code())).headers
    assert app.counted == {}


def test_the_answer_to_a_code_without_pkce_is_marked_too(lenient: App) -> None:
    code = lenient.code(code_challenge=None, code_challenge_method=None)
    answer = lenient.post(lenient.parameters(code, code_verifier=None))
    assert (answer.status_code, "deprecation" in answer.headers) == (200, True)


@pytest.mark.parametrize("profile", list(Profile))
def test_s080_a_public_client_never_goes_without_pkce(site: Site, profile: Profile) -> None:
    app = App(site, profile, confidential=False)
    assert app.refusal() == "invalid_request"
    assert app.refusal(**WITH_PKCE) is None


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message", "form_post.jwt"])
def test_s045_only_the_query_carries_answers(lenient: App, mode: str) -> None:
    assert lenient.refusal(response_mode=mode) == "invalid_request"
    assert lenient.refusal(response_mode="query") is None


def test_s047_s048_answers_say_who_answers_unless_switched_off(strict: App, lenient: App) -> None:
    issuer = strict.site.base_url
    assert parse_qs(urlsplit(strict.ask().headers["location"]).query)["iss"] == [issuer]
    page = strict.browser.get(strict.ask(**WITH_PKCE).headers["location"])
    assert strict.site.answer(strict.browser, page, "deny")["iss"] == issuer
    for app, fragment in ((strict, "_"), (lenient, "")):
        location = app.ask(**(WITH_PKCE | {"scope": "NONE"})).headers["location"]
        assert urlsplit(location).fragment == fragment
        app.change(plain_answers=True)
        location = app.ask(**(WITH_PKCE | {"scope": "NONE"})).headers["location"]
        assert ("iss" in parse_qs(urlsplit(location).query), location.endswith("#_")) == (False, False)


# ---- switching it off ---------------------------------------------------------------------------------------


def test_the_ratchet_is_offered_once_pkce_was_seen_and_holds(lenient: App) -> None:
    admin = lenient.site.signed_in("admin")
    link = f"/plugins/servlet/applinks/incoming/{lenient.client_id}"
    assert lenient.refusal() is None
    lenient.code(code_challenge=None, code_challenge_method=None)
    lenient.ask(**WITH_PKCE)
    assert "Require PKCE" not in admin.get(link).text, "anybody can make up such an address"
    lenient.code(**WITH_PKCE)
    page = admin.get(link).text
    assert "Require PKCE" in page
    tokens = [part.split('"')[0] for part in page.split('name="form_token" value="')[1:]]
    assert admin.post(f"{link}/rules", data={"require_pkce": "yes", "form_token": "x"}).status_code == 403
    pressed = admin.post(f"{link}/rules", data={"require_pkce": "yes", "form_token": tokens[-1]})
    assert pressed.status_code == 303
    assert lenient.refusal() == "invalid_request"
    assert lenient.refusal(**WITH_PKCE) is None
    page = admin.get(link).text
    assert "Require PKCE" not in page
    assert "refused now" in page


def test_each_thing_can_be_refused_and_accepted_again(lenient: App) -> None:
    lenient.change(refuse=[Legacy.NO_SCOPE])
    assert lenient.refusal(**(WITH_PKCE | {"scope": None})) == "invalid_scope"
    lenient.change(accept=[Legacy.NO_SCOPE])
    assert lenient.refusal(**(WITH_PKCE | {"scope": None})) is None


def test_the_page_shows_counts_and_badges(lenient: App) -> None:
    lenient.post({}, lenient.parameters(lenient.code()))
    code = lenient.code(code_challenge=VERIFIER, code_challenge_method=None)
    lenient.post(lenient.parameters(code))
    page = lenient.site.signed_in("admin").get(f"/plugins/servlet/applinks/incoming/{lenient.client_id}").text
    for text in ("secret in URL", "weak", "PKCE with the method plain", "once, on"):
        assert text in page
    lenient.change(refuse=[Legacy.PLAIN_CHALLENGE])
    page = lenient.site.signed_in("admin").get(f"/plugins/servlet/applinks/incoming/{lenient.client_id}").text
    assert '<span class="badge off">weak</span>' not in page


def test_a_strict_link_is_what_the_form_makes_unless_told_otherwise(site: Site) -> None:
    admin, path = site.signed_in("admin"), "/plugins/servlet/applinks/incoming"
    page = admin.get(path).text
    token = page.split('name="form_token" value="')[-1].split('"')[0]
    assert 'value="strict" checked' in page
    right = {"redirect_uris": URI, "scope": "READ", "type": "confidential", "form_token": token}
    for name, more in (("A", {}), ("B", {"profile": "atlassian-dc"})):
        assert admin.post(path, data=right | {"name": name} | more).status_code == 200
    assert admin.post(path, data=right | {"name": "C", "profile": "lax"}).status_code == 400
    found = site.environment.database.read_now(clients.list_all)
    assert {link.name: link.profile.value for link in found if len(link.name) == 1} == {
        "A": "strict",
        "B": "atlassian-dc",
    }


def test_the_kill_switch_holds_every_client_to_strict(site_under: SiteFactory) -> None:
    app = App(site_under(legacy_profile=False), Profile.ATLASSIAN_DC)
    for parameters, error, _ in LEGACY_REQUESTS:
        assert app.refusal(**parameters) == error
    right = app.parameters(app.code())
    assert app.post({}, right).json()["error"] == "invalid_request"
    twice = app.post(right, headers=app.basic())
    assert twice.json()["error"] == "invalid_request"
    assert app.post(right).status_code == 200
    assert app.counted == {}


def test_the_exception_ends_on_its_day_and_is_announced(site_under: SiteFactory) -> None:
    # The clock of these tests starts on 15 January 2027, 08:00 UTC.
    site = site_under(legacy_profile_until="2027-01-16")
    app = App(site, Profile.ATLASSIAN_DC)
    assert app.ask().headers["sunset"] == "Sat, 16 Jan 2027 00:00:00 GMT"
    clock = site.clock
    assert isinstance(clock, HandClock)
    clock.advance(16 * 3600)
    app.browser = site.signed_in("alice")
    assert app.refusal() == "invalid_request"


# ---- rules that change on the way ---------------------------------------------------------------------------


PLAIN: dict[str, str | None] = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}


ON_THE_WAY: list[tuple[Legacy, dict[str, str | None], str]] = [
    (Legacy.NO_PKCE, {}, "invalid_request"),
    (Legacy.NEITHER_STATE_NOR_PKCE, {"state": None}, "invalid_request"),
    (Legacy.PLAIN_CHALLENGE, PLAIN, "invalid_request"),
    (Legacy.METHOD_SPELLING, WITH_PKCE | {"code_challenge_method": "sha256"}, "invalid_request"),
    (Legacy.NO_SCOPE, WITH_PKCE | {"scope": None}, "invalid_scope"),
]


@pytest.mark.parametrize(("kind", "asked", "_error"), ON_THE_WAY)
def test_s041_what_is_refused_since_the_question_was_asked_is_not_allowed(
    lenient: App, kind: Legacy, asked: dict[str, str | None], _error: str
) -> None:
    location = lenient.ask(**asked).headers["location"]
    fields = form_of(lenient.browser.get(location)) | {"decision": "allow"}
    lenient.change(refuse=[kind])
    answer = lenient.browser.post(urlsplit(location).path, data=fields)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert lenient.browser.get(location).status_code == 400  # nor is it asked any more
    lenient.change(accept=[kind])
    assert lenient.browser.post(urlsplit(location).path, data=fields).status_code == 303


@pytest.mark.parametrize("by", ["administrator", "operator"])
def test_s041_what_is_refused_since_the_user_answered_is_not_exchanged(site_under: SiteFactory, by: str) -> None:
    site = site_under(legacy_profile_until="2027-01-16")
    site.clock.instant = 1_800_057_600_000 - 20_000  # twenty seconds before that day
    app = App(site, Profile.ATLASSIAN_DC)
    [with_pkce, without] = [
        app.code(**challenge) for challenge in ({}, {"code_challenge": None, "code_challenge_method": None})
    ]
    if by == "administrator":
        app.change(refuse=[Legacy.NO_PKCE])
    else:
        site.clock.advance(20)
    refused = app.post(app.parameters(without, code_verifier=None))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert app.post(app.parameters(with_pkce)).status_code == 200
    if by == "administrator":  # a refusal consumes nothing
        app.change(accept=[Legacy.NO_PKCE])
        assert app.post(app.parameters(without, code_verifier=None)).status_code == 200


@pytest.mark.parametrize(("kind", "asked", "error"), ON_THE_WAY)
def test_s041_each_thing_that_is_refused_since_is_not_exchanged(
    lenient: App, kind: Legacy, asked: dict[str, str | None], error: str
) -> None:
    location = lenient.ask(**asked).headers["location"]
    code = lenient.site.answer(lenient.browser, lenient.browser.get(location))["code"]
    right = lenient.parameters(code, code_verifier=VERIFIER if "code_challenge" in asked else None)
    lenient.change(refuse=[kind])
    assert lenient.post(right).json()["error"] == error
    lenient.change(accept=[kind])
    exchanged = lenient.post(right)
    assert (exchanged.status_code, "deprecation" in exchanged.headers) == (200, True)


def test_s041_the_operator_s_end_holds_on_the_consent_page(site_under: SiteFactory) -> None:
    site = site_under(legacy_profile_until="2027-01-16")
    site.clock.instant = 1_800_057_600_000 - 20_000
    app = App(site, Profile.ATLASSIAN_DC)
    location = app.ask().headers["location"]
    fields = form_of(app.browser.get(location)) | {"decision": "allow"}
    site.clock.advance(20)
    assert app.browser.post(urlsplit(location).path, data=fields).status_code == 400
    assert app.browser.get(location).status_code == 400
