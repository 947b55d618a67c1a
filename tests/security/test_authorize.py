"""The authorization endpoint: S042 to S053."""

from __future__ import annotations

import secrets
import socket
from typing import Any

import httpx
import pytest

from tests.security.harness.client import Client, Code, Server, answer_of, s256
from tests.security.harness.target import both_profiles
from tests.security.harness.verdict import Row
from tests.security.harness.wire import post_form, race
from tests.security.test_redirect import is_stopped

# Changes to a good request that its client must be told about, and how.
WRONG: dict[str, dict[str, Any]] = {
    "invalid_scope": {"scope": "NO_SUCH_SCOPE"},
    "unsupported_response_type": {"response_type": "token"},
    "invalid_request": {"response_type": None},
    "invalid_target": {"resource": "https://elsewhere.example/"},
    "request_not_supported": {"request": "eyJhbGciOiJub25lIn0.e30."},
    "request_uri_not_supported": {"request_uri": "https://evil.test/request"},
}
# More ways to be wrong: each has its own branch, and none may redirect before it is known where to (V06).
MORE_WRONG: list[dict[str, Any]] = [
    {"response_type": "none"}, {"response_type": "id_token"}, {"response_type": "code token"}, {"response_type": ""},
    {"response_mode": "fragment"}, {"response_mode": "form_post"}, {"scope": None}, {"scope": "openid"},
    {"code_challenge": "short"}, {"code_challenge": None}, {"code_challenge_method": "plain"},
    {"code_challenge_method": "S512"}, {"code_challenge_method": None}, {"claims": "{}"}, {"state": "s" * 20_000},
    {"prompt": "none"}, {"prompt": "login"}, {"max_age": "x"}, {"id_token_hint": "x"}, {"nonce": "n"},
    {"state": "\r\nX: y"}, {"scope": "READ\0"}, {"resource": "relative#x"},
]  # fmt: skip


def leaves(page: httpx.Response, server: Server) -> bool:
    """Whether an answer sends the browser away from the server."""
    return page.is_redirect and not page.headers["location"].startswith(("/", server.target.origin))


def test_s042_get_works_without_a_session_and_post_is_no_way_around(server: Server, client: Client) -> None:
    page = client.authorize(browser=server.browser())
    assert "code" in answer_of(page.headers["location"]), "signing in continues the request"
    browser = server.browser()
    for changed in ({}, {"redirect_uri": "https://evil.test/cb"}, {"client_id": "nobody"}):
        answer = browser.http.post(server.target.authorize, data=client.parameters("v" * 43, **changed))
        assert answer.status_code in (400, 404, 405) or browser.form(
            browser.follow(answer), server.target.forms.password
        )
        assert not leaves(answer, server)


@both_profiles
def test_s043_only_response_type_code(client: Client) -> None:
    for kind in ("token", "id_token", "code token", "code id_token", "none", "CODE", "Code", "implicit"):
        told = client.outcome(response_type=kind)
        assert told["error"] in ("unsupported_response_type", "invalid_request"), kind
        assert client.authorize(response_type=kind, redirect_uri="https://evil.test/cb").status_code == 400
        # Nor at a later step (V47): what the form of the question says of it is not asked.
        browser = client.server.signed_in(client.user)
        question = browser.question(client.ask(browser=browser))
        assert question
        location = browser.answer({**question, "response_type": kind, "response_mode": "fragment"}).headers["location"]
        assert "code=" in location.partition("#")[0]
        assert "access_token" not in location
    assert client.outcome(response_type=None)["error"] == "invalid_request"


def test_s044_strangers_are_not_redirected(server: Server, client: Client) -> None:
    for error, changed in WRONG.items():
        silently: dict[str, Any] = {"prompt": "none"}
        for more in ({}, silently):
            browser = server.browser()
            page = browser.follow(browser.get(client.url(**changed, **more)))
            assert not leaves(page, server), (error, more)
            assert page.status_code in (200, 400)
    assert {error: client.outcome(**changed)["error"] for error, changed in WRONG.items()} == {k: k for k in WRONG}
    signed_in = server.signed_in(client.user)
    for changed in (*WRONG.values(), *MORE_WRONG):
        stranger = server.browser()
        page = stranger.follow(stranger.get(client.url(**changed)))
        assert not leaves(page, server), changed
        for elsewhere in (
            {"redirect_uri": "https://evil.test/cb"},
            {"redirect_uri": client.redirect_uri + "/x"},
            {"redirect_uri": None},
            {"client_id": "nobody"},
            {"client_id": None},
        ):
            for browser in (stranger, signed_in):
                assert is_stopped(browser.get(client.url(**(changed | elsewhere)))), (changed, elsewhere)
        server.close()


def test_s045_response_mode_is_query(client: Client) -> None:
    assert "code" in client.outcome(response_mode="query")
    for mode in ("fragment", "form_post", "form_post.jwt", "query.jwt", "jwt", "web_message", "QUERY"):
        page = client.authorize(response_mode=mode)
        assert page.is_redirect, mode
        assert answer_of(page.headers["location"]).get("error") == "invalid_request", mode


def test_s046_what_was_approved_is_what_the_code_is_for(server: Server, client: Client) -> None:
    changes = {
        "scope": "WRITE", "redirect_uri": client.registration.redirect_uris[1], "client_id": server.client("other").id,
        "state": "changed", "code_challenge": "A" * 43,
    }  # fmt: skip
    browser = server.signed_in(client.user)
    verifier = secrets.token_hex(32)
    challenge: dict[str, Any] = {"code_challenge": s256(verifier), "code_challenge_method": "S256"}
    for name, value in changes.items():
        page = client.ask(browser=browser, state="mine", scope="READ", pkce=False, **challenge)
        question = browser.question(page)
        assert question
        # In the address of the question, which repeats them all: it is not asked then.
        assert name in page.url.params or not server.is_ours
        moved = browser.get(str(page.url.copy_set_param(name, value)))
        assert moved.status_code == 400 or name not in page.url.params, name
        # In the form: it changes nothing.
        told = browser.answer({**question, name: value})
        assert told.is_redirect
        location = told.headers["location"]
        assert location.startswith(client.redirect_uri + "?"), name
        assert answer_of(location)["state"] == "mine"
        code = Code(answer_of(location)["code"], client.redirect_uri, verifier, location)
        assert client.exchange(code).json()["scope"] == "READ", name
        # And in the address that the form posts to.
        question = browser.question(client.ask(browser=browser, state="mine", scope="READ", pkce=False, **challenge))
        assert question
        told = browser.answer({**question, "": str(httpx.URL(question[""]).copy_set_param(name, value))})
        assert told.status_code == 400 or told.headers["location"].startswith(client.redirect_uri + "?")
        if told.is_redirect:
            code = Code(answer_of(told.headers["location"])["code"], client.redirect_uri, verifier, "")
            assert client.exchange(code).json()["scope"] == "READ", name
    code = client.code(scope="READ")
    assert client.exchange(code, scope="WRITE").json()["scope"] == "READ"


@both_profiles
def test_s047_the_answer_names_its_issuer(server: Server, client: Client) -> None:
    metadata = server.metadata()
    issuer = metadata["issuer"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert client.outcome()["iss"] == issuer
    assert client.outcome(scope="NO_SUCH_SCOPE")["iss"] == issuer
    assert client.outcome(allow=False)["iss"] == issuer


@both_profiles
def test_s048_nothing_in_the_fragment(client: Client, row: Row) -> None:
    for changed in ({}, {"scope": "NO_SUCH_SCOPE"}, {"allow": False}):
        location = client.authorize(**changed).headers["location"]
        fragment = location.partition("#")[2]
        if client.is_strict:
            assert fragment == "_", "an inert fragment keeps the browser from handing on an inherited one"
        else:
            assert fragment in ("", "_")
            row.legacy_accepted("no inert fragment: parsers in the field stumble over it")


def test_s049_a_question_is_answered_once(server: Server, client: Client) -> None:
    browser = server.signed_in(client.user)
    page = client.ask(browser=browser)
    question = browser.question(page)
    assert question
    assert "code" in answer_of(browser.answer(question).headers["location"])
    for again in (browser.answer(question), browser.answer(question, allow=False), browser.get(str(page.url))):
        assert 400 <= again.status_code < 500
        assert "location" not in again.headers
        assert again.headers["content-type"].startswith("text/html")
    # Of many answers at the same moment, to both processes, one is taken.
    question = browser.question(client.ask(browser=browser))
    assert question
    url = question.pop("")
    cookie = browser.cookies_for(url)
    allow, deny = (post_form(url, {**question, "decision": each}, cookie) for each in ("allow", "deny"))
    answers = race(server.target.nodes, [allow, deny] * 10)
    locations = [answer.headers["location"] for answer in answers if "location" in answer.headers]
    assert len(locations) == 1, [answer.status_code for answer in answers]


def test_s050_tabs_do_not_disturb_each_other(server: Server, client: Client, other: Client) -> None:
    browser = server.browser()
    first, second = client.ask(browser=browser, state="first"), other.ask(browser=browser, state="second")
    questions = browser.question(first), browser.question(second)
    assert all(questions)
    answers = [answer_of(browser.answer(question).headers["location"]) for question in questions if question]
    assert [answer["state"] for answer in answers] == ["first", "second"]
    assert all("code" in answer for answer in answers)


def test_s051_one_answer_each_parameter_once(client: Client) -> None:
    for changed in (
        {},
        {"scope": "NO_SUCH_SCOPE"},
        {"allow": False},
        {"redirect_uri": "https://app.example/other?x=1"},
    ):
        told = client.outcome(**changed)  # fails when a parameter comes twice
        assert ("code" in told) != ("error" in told)
        assert {"state", "iss"} <= told.keys()


def test_s052_prompt_and_max_age_are_honoured_or_not_advertised(server: Server, client: Client, row: Row) -> None:
    server.must_not_advertise("prompt_values_supported", "acr_values_supported")
    if not server.is_ours:
        pytest.skip("not advertised; whether another server honours or ignores them it must say itself")
    row.not_supported("prompt, max_age and acr_values are not advertised, and ignored")
    extras: list[dict[str, Any]] = [{"prompt": "none"}, {"prompt": "consent"}, {"max_age": "0"}, {"acr_values": "x"}]
    for extra in extras:
        browser = server.browser()
        page = browser.follow(browser.get(client.url(**extra)))
        assert browser.form(page, server.target.forms.password), "a stranger has to sign in, whatever prompt says"
        assert browser.question(client.ask(**extra)), "and everybody is asked"


def test_s053_request_objects_are_refused_and_never_fetched(server: Server, client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/request"
        assert client.outcome(request_uri=address).get("error") == "request_uri_not_supported"
        assert client.outcome(request="eyJhbGciOiJub25lIn0.e30.").get("error") == "request_not_supported"
        told = client.outcome(claims=f'{{"x":"{address}"}}')
        assert told.get("error") == "invalid_request" or not server.is_ours  # elsewhere they may be ignored
        anonymous = server.browser()
        anonymous.follow(anonymous.get(client.url(request_uri=address)))
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert not server.metadata().get("request_uri_parameter_supported", False)
    assert not server.metadata().get("request_parameter_supported", False)
