"""Signing in, sessions, consent: S054 to S070."""

from __future__ import annotations

import secrets
import select
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from lxml import html

from tests.security.harness.browser import Browser, new_address
from tests.security.harness.client import Client, Code, Server, answer_of, is_refused, s256
from tests.security.harness.target import User
from tests.security.harness.timing import differing_medians
from tests.security.harness.verdict import Row
from tests.security.harness.wire import connect, get_request, post_form, race, send
from tests.security.test_redirect import link_form

REMEMBERING = ["https://app.example/cb", "https://app.example/other"]
MANY_WRONG_PASSWORDS = 200
PASSWORDS_EVALUATED = 10  # of one user from one address, as the setting throttle_attempts says
MANY_ACCOUNTS = 32


def sign_in_form(server: Server, browser: Browser) -> dict[str, str]:
    form = browser.form(browser.get(server.page("sign_in")), server.target.forms.password)
    assert form
    return form


def try_password(server: Server, browser: Browser, username: str, password: str) -> httpx.Response:
    """One attempt to sign in."""
    names = server.target.forms
    return browser.post({**sign_in_form(server, browser), names.username: username, names.password: password})


def is_signed_in(server: Server, browser: Browser) -> bool:
    page = browser.get(server.page("authorized"))
    assert page.status_code in (200, 302)
    return page.status_code == 200


def test_s054_posts_carry_a_token_of_this_session_and_this_question(server: Server, client: Client) -> None:
    browser, stranger = server.signed_in(client.user), server.signed_in(server.user("reader"))
    question = browser.question(client.ask(browser=browser))
    theirs = stranger.question(client.acting_for(server.user("reader")).ask(browser=stranger))
    second = browser.question(client.ask(browser=browser))
    assert question
    assert theirs
    assert second
    if "form_token" not in question:
        pytest.skip("the target's description names no form token")
    without = {name: value for name, value in question.items() if name != "form_token"}
    attempts = [
        browser.answer(without),
        browser.answer({**question, "form_token": ""}),
        browser.answer({**question, "form_token": theirs["form_token"]}),
        browser.answer({**question, "form_token": second["form_token"]}),
        *(
            browser.post({**question, "decision": "allow"}, headers=headers)
            for headers in (
                {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test", "X-Atlassian-Token": "no-check"},
            )
        ),
        browser.post({**without, "decision": "allow"}, headers={"X-Atlassian-Token": "no-check"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in attempts] == [403] * len(attempts)
    assert "code" in answer_of(browser.answer(question).headers["location"]), "and none of it used the question up"
    fresh, elsewhere = server.browser(), server.browser()
    form, foreign = sign_in_form(server, fresh), sign_in_form(server, elsewhere)
    names, user = server.target.forms, client.user
    filled = {names.username: user.username, names.password: user.password}
    for changed in ({"form_token": ""}, {"form_token": foreign["form_token"]}):
        assert fresh.post({**form, **filled, **changed}).status_code == 403
    assert fresh.post({**form, **filled}, headers={"Origin": "https://evil.test"}).status_code == 403


def test_s055_only_the_browser_that_was_asked_may_answer(server: Server, client: Client) -> None:
    attacker, victim = server.signed_in(server.user("reader")), server.signed_in(server.user("writer"))
    asked = client.acting_for(server.user("reader")).ask(browser=attacker)
    question = attacker.question(asked)
    assert question
    opened = victim.get(str(asked.url))
    assert not victim.question(opened) or victim.question(opened) != question
    assert opened.status_code in (302, 400, 403)
    answered = victim.answer(question)
    assert answered.status_code in (400, 403)
    assert "location" not in answered.headers
    second_browser = server.browser()
    server.open(second_browser, server.page("authorized"), server.user("reader"))
    assert second_browser.answer(question).status_code in (400, 403), "another browser of the same person"
    assert "code" in answer_of(attacker.answer(question).headers["location"])


def test_s056_public_clients_are_asked_about_every_time(server: Server) -> None:
    loopback = server.new_client(redirect_uris=["http://127.0.0.1:7000/cb"])
    private = server.new_client(redirect_uris=["com.example.app:/cb"], public=True)
    for client in (server.client("public"), loopback, private):
        assert client.code().value
        browser = server.signed_in(client.user)
        extras: tuple[dict[str, Any], ...] = ({}, {"prompt": "none"}, {"approval_prompt": "auto"})
        for extra in extras:
            assert browser.question(client.ask(browser=browser, **extra)), "asked again"
    box = server.target.forms.remember
    if box is not None:
        scheme = server.new_client(redirect_uris=["com.example.app:/cb"])
        administration = server.new_client(scope=server.target.scopes[-1], redirect_uris=REMEMBERING)  # S068
        administration = administration.acting_for(server.user("system-administrator"))
        for client in (server.client("public"), loopback, scheme, administration):
            _never_remembers(server, client, box)


def _never_remembers(server: Server, client: Client, box: tuple[str, str]) -> None:
    """The box is not offered, and a forged tick is ignored."""
    browser, scope = server.browser(), client.registration.scope
    for _ in range(2):
        page = client.ask(browser=browser, scope=scope)
        question = browser.question(page)
        assert question, client.registration
        assert f'name="{box[0]}"' not in page.text
        answer = browser.answer({**question, **dict([box])}, password=client.user.password)
        assert "code" in answer_of(answer.headers["location"])


def test_s057_remembered_consent(server: Server, client: Client, row: Row) -> None:
    box = server.target.forms.remember
    if box is None:
        row.not_supported("consent is asked every time and never remembered")
        browser = server.signed_in(client.user)
        asked: tuple[dict[str, Any], ...] = ({}, {"scope": "WRITE"})
        for changed in (*asked, {"redirect_uri": client.registration.redirect_uris[1]}):
            assert client.code(**changed).value
            assert browser.question(client.ask(browser=browser, **changed)), changed
        return
    remembering = _Remembering(server, box)
    remembering.allow(remember=False)
    assert remembering.is_asked(), "only who chose it is not asked again"
    remembering.allow()
    others: tuple[dict[str, Any], ...] = (
        {"scope": server.target.scopes[1]}, {"redirect_uri": REMEMBERING[1]}, {"prompt": "consent"},
    )  # fmt: skip
    for changed in others:
        assert remembering.is_asked(**changed), changed
    assert not remembering.is_asked(), "and none of that changed what is remembered"
    new_name, new_order = f"Changed {secrets.token_hex(4)}", "\n".join(reversed(REMEMBERING))
    for field, value in (("name", new_name), ("redirect_uris", new_order)):
        admin, form = link_form(server, "edit_link", remembering.client.id)
        assert admin.post({**form, field: value}).status_code == 303
        assert remembering.is_asked(), f"the client changed its {field}"
        remembering.allow()
    remembering.take_back()
    assert remembering.is_asked(), "taken back with the access"
    remembering.allow()
    server.hooks.advance(30 * 86_400)
    assert remembering.is_asked(), "not for ever"


@dataclass
class _Remembering:
    """Somebody who has an application's questions remembered, and that application."""

    server: Server
    box: tuple[str, str]

    def __post_init__(self) -> None:
        made = self.server.new_client(scope=self.server.target.scopes[1], redirect_uris=REMEMBERING)
        self.client, self.browser = made.acting_for(self.server.new_user()), self.server.browser()

    def is_asked(self, **changed: Any) -> bool:
        page = self.client.ask(browser=self.browser, **changed)
        if self.browser.question(page):
            return True
        assert "code" in answer_of(page.headers["location"])
        return False

    def allow(self, *, remember: bool = True) -> None:
        question = self.browser.question(self.client.ask(browser=self.browser))
        assert question
        assert self.box[0] not in question, "not chosen for anybody"
        answer = self.browser.answer({**question, **(dict([self.box]) if remember else {})})
        assert "code" in answer_of(answer.headers["location"])
        assert self.is_asked() != remember

    def take_back(self) -> None:
        page = self.server.open(self.browser, self.server.page("authorized"), self.client.user)
        form = self.browser.form(page, "client_id", self.client.id)
        assert form, "it is listed although no token was ever taken"
        assert self.browser.post(form).status_code == 303
        assert self.client.id not in self.browser.get(self.server.page("authorized")).text


def test_s058_the_question_says_who_what_where_and_how_long(server: Server) -> None:
    client = server.new_client(name="Quarterly Reports", scope="ADMIN")
    text = " ".join(html.fromstring(client.ask(scope="ADMIN").content).text_content().split())
    shown = ("Quarterly Reports", "app.example", client.user.username, "ADMIN", "WRITE", "READ", "day")
    assert [word for word in shown if word not in text] == []
    assert "registered by" in text.lower(), "whoever vouches for the client is named"
    words = ("Administer this site", "Create, change and delete content", "View your content", "at most 30 days")
    assert [each for each in words if each not in text] == [], "each scope in words, implied ones too, and the end"
    loopback = server.new_client(redirect_uris=["http://127.0.0.1:7000/cb"])
    assert "on this computer" in loopback.ask().text
    native = server.new_client(redirect_uris=["com.example.app:/cb"], public=True)
    assert "com.example.app" in native.ask().text


POLYGLOT = "\"'><img src=x onerror=alert(1)><svg onload=alert(1)>{{7*7}}</title></script>"


def test_s059_names_are_inert(server: Server) -> None:
    """What somebody else wrote, stored or in the address, is text on every page that shows it."""
    admin = server.user("system-administrator")
    client = server.new_client(name=POLYGLOT).acting_for(admin)
    client.tokens()
    browser, query = server.browser(), quote(POLYGLOT, safe="")
    sign_in = browser.get(server.page("sign_in"))
    pages = [try_password(server, server.browser(), POLYGLOT, POLYGLOT), browser.sign_in(sign_in, admin)]
    account = browser.form(browser.get(server.page("account")), "display_name")
    assert account
    pages.append(browser.post({**account, "display_name": POLYGLOT}))
    names = ("since", "user", "client", "event", "before", "search", "q", "done", "os_destination", "name", "start")
    asked = "&".join(f"{name}={query}" for name in names)
    for name, path in server.target.pages.items():
        address = path.format(client_id=client.id)
        pages += [browser.get(f"{address}?{asked}"), browser.get(address)] if name != "sign_out" else []
    pages += [client.ask(browser=browser), browser.get(f"/{query}"), browser.get(f"{server.page('new_link')}/{query}")]
    shown = 0
    for page in pages:
        if not page.headers.get("content-type", "").startswith("text/html") or not page.content:
            continue
        tree = html.fromstring(page.content)
        assert not tree.xpath("//*[@onerror or @onload] | //img[@src='x'] | //svg[@onload]"), page.url
        assert "49" not in tree.text_content().partition("{{")[2][:5], page.url
        shown += "onerror=alert(1)" in tree.text_content() or "onerror=alert(1)" in str(tree.xpath("//@value"))
    assert shown >= 6, "and pages do show it"
    for invisible in ("\u202e", "\u200b", "\u2066", "\ufeff", "\u00ad", "\n", "\x07"):
        code, output = server.hooks.command(
            "link", "add", f"Pay{invisible}Pal", "--redirect-uri", "https://a.example/cb"
        )
        assert code == 1, (invisible, output)
    # Links and logos of a client are not offered, so none can be hot-linked.
    form = browser.form(browser.get(server.page("new_link")), "redirect_uris")
    assert form
    assert not {"logo_uri", "client_uri", "policy_uri", "tos_uri"} & set(form)


def test_s060_scopes_can_be_unticked(server: Server, client: Client, row: Row) -> None:
    browser = server.signed_in(client.user)
    wide, weakest = server.target.scopes[1], server.target.scopes[0]
    verifier = secrets.token_hex(32)
    parameters: dict[str, Any] = {"scope": wide, "code_challenge": s256(verifier), "code_challenge_method": "S256"}
    narrow = server.target.forms.narrow
    question = browser.question(client.ask(browser=browser, pkce=False, **parameters))
    assert question
    if narrow is None or narrow[0] not in question:
        row.not_supported("the question is answered as a whole")
        return
    told = answer_of(browser.answer({**question, **dict([narrow])}).headers["location"])
    answer = client.exchange(Code(told["code"], client.redirect_uri, verifier, ""))
    assert answer.json()["scope"] == weakest
    assert server.call(answer.json()["access_token"], wide).status_code == 403
    question = browser.question(client.ask(browser=browser, scope=weakest))
    assert question
    for wider in (wide, server.target.scopes[-1], "NO_SUCH_SCOPE"):
        assert not browser.answer({**question, narrow[0]: wider}).is_redirect, "never more than was asked"


def test_s061_a_refusal_is_told_and_leaves_nothing(server: Server, client: Client) -> None:
    told = client.outcome(allow=False, state="unchanged")
    assert (told["error"], told["state"]) == ("access_denied", "unchanged")
    assert "code" not in told
    user = server.new_user()
    mine = client.acting_for(user)
    assert mine.outcome(allow=False)["error"] == "access_denied"
    page = server.open(server.signed_in(user), server.page("authorized"), user)
    assert client.id not in page.text


def test_s062_sessions_are_renewed_and_end_on_the_server(server: Server, client: Client) -> None:
    browser = server.browser()
    browser.get(server.page("sign_in"))
    before = set(browser.http.cookies.values())
    server.open(browser, server.page("authorized"), client.user)
    jar = dict(browser.http.cookies)
    assert is_signed_in(server, browser)
    assert not before & set(jar.values()), "no cookie from before signing in is good afterwards"
    fixed = server.browser()
    for name in jar:
        fixed.http.cookies.set(name, "0" * 64, domain=httpx.URL(server.target.issuer).host)
    server.open(fixed, server.page("authorized"), client.user)
    assert "0" * 64 not in dict(fixed.http.cookies).values(), "a planted identifier is not adopted"
    form = browser.form(browser.get(server.page("home")), "form_token")
    assert form
    assert browser.post(form).status_code == 303
    replay = server.browser()
    for name, value in jar.items():
        replay.http.cookies.set(name, value, domain=httpx.URL(server.target.issuer).host)
    assert not is_signed_in(server, replay)


def _morsels(answer: httpx.Response) -> list[tuple[str, dict[str, str]]]:
    found = []
    for line in answer.headers.get_list("set-cookie"):
        cookie = SimpleCookie(line)
        found += [(name, {k: str(v) for k, v in morsel.items()}) for name, morsel in cookie.items()]
    return found


def test_s063_cookies(server: Server, https_node: str, client: Client) -> None:
    browser = server.browser()
    page = browser.get(server.page("sign_in"))
    done = try_password(server, browser, client.user.username, client.user.password)
    set_by_http = _morsels(page) + [each for each in _morsels(done) if each[1]["max-age"] != "0"]
    assert set_by_http
    for name, attributes in set_by_http:
        assert not name.startswith("__")
        assert attributes["httponly"]
        assert (attributes["samesite"].lower(), attributes["path"], attributes["domain"]) == ("lax", "/", "")
    page = send(
        https_node, get_request(f"http://{https_node}/confluence/login.action", _https_host(server)), "127.0.0.1"
    )
    assert page.status_code == 200, page.text
    assert _morsels(page)
    for name, attributes in _morsels(page):
        assert name.startswith("__Host-")
        assert attributes["secure"]
        assert attributes["httponly"]
        assert (attributes["samesite"].lower(), attributes["path"], attributes["domain"]) == ("lax", "/", "")


def _https_host(server: Server) -> dict[str, str]:
    return {"Host": "wiki.example.com", "X-Forwarded-Proto": "https"}


def test_s064_guessing_passwords_is_throttled(server: Server, staging: Server) -> None:
    user = server.new_user()
    browser = server.browser()
    form, names = sign_in_form(server, browser), server.target.forms
    url = form.pop("")
    cookie = browser.cookies_for(url)
    guesses = [
        post_form(url, {**form, names.username: user.username, names.password: f"wrong-{number}"}, cookie)
        for number in range(MANY_WRONG_PASSWORDS)
    ]
    with server.hooks.standing_clock():
        answers = race(server.target.nodes, guesses)
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {401, 429}, set(statuses)
        assert 0 < statuses.count(401) <= PASSWORDS_EVALUATED, f"{statuses.count(401)} guesses were evaluated"
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 429)
        owner = server.browser()
        assert try_password(server, owner, user.username, user.password).status_code == 303, "the owner, elsewhere"
        # Nor is anything locked: from the same address it goes on after the wait that was announced.
        address = new_address()
        for _ in range(PASSWORDS_EVALUATED):
            try_password(server, server.browser(address), user.username, "wrong")
        refused = try_password(server, server.browser(address), user.username, user.password)
        assert refused.status_code == 429
        server.hooks.advance(int(refused.headers["retry-after"]))
        assert try_password(server, server.browser(address), user.username, user.password).status_code == 303
    # A source that tries many accounts is slowed down, too: here after thirty, which is cheaper to try than a hundred.
    source = staging.browser()
    many = [try_password(staging, source, f"nobody{number}", "x" * 12).status_code for number in range(MANY_ACCOUNTS)]
    assert set(many[:30]) == {401}
    assert set(many[30:]) == {429}, "one source, many accounts"


def test_s065_nobody_learns_who_exists(server: Server, measures_time: bool) -> None:
    user = server.new_user()

    def shown(username: str) -> tuple[int, str]:
        answer = try_password(server, server.browser(), username, "not the password")
        text = html.fromstring(answer.content).xpath("//main")[0].text_content()
        return answer.status_code, " ".join(text.split()).replace(username, "")

    assert shown(user.username) == shown("nobody-" + secrets.token_hex(4))
    disabled = server.new_user()
    server.hooks.disable_user(disabled.username)
    assert shown(disabled.username) == shown(user.username)
    if measures_time:

        def attempt(kind: str) -> Callable[[], object]:
            # Every attempt from an address and at an account that has not been throttled yet. What was written
            # just before is read anew, so the same is written before either.
            server.close()
            made = server.new_user().username
            name = made if kind == "exists" else f"n{secrets.token_hex(6)}"
            browser = server.browser()
            form = {**sign_in_form(server, browser), "username": name, "password": "not the password"}
            return partial(browser.post, form)

        kinds = ("exists", "absent")
        assert differing_medians({kind: partial(attempt, kind) for kind in kinds}, times=200) == {}


def test_s066_after_signing_in_one_stays_here(server: Server, client: Client) -> None:
    targets = (
        "//evil.test", "/\\evil.test", "/%5cevil.test", "https:evil.test", "https://evil.test", "/\t/evil.test",
        "/%09/evil.test", "\\\\evil.test", "javascript:alert(1)", " //evil.test", "/\n/evil.test", "http:///evil.test",
        "@evil.test", ".evil.test", "///evil.test", "/..//evil.test",
    )  # fmt: skip
    for target in targets:
        for spelled in {target, quote(target, safe="/:%")}:
            browser = server.browser()
            page = browser.get(f"{server.page('sign_in')}?os_destination={quote(spelled, safe='')}")
            done = browser.sign_in(page, client.user)
            assert done.status_code == 303, spelled
            location = done.headers["location"]
            assert location.startswith("/"), spelled
            assert httpx.URL(server.target.issuer).join(location).host in ("127.0.0.1", "localhost"), spelled
            assert "\\" not in location
            assert not location.startswith("//")
            assert browser.follow(done).status_code in (200, 404)


def test_s067_a_disabled_or_deleted_user_is_out_everywhere(server: Server, client: Client) -> None:
    for end in (server.hooks.disable_user, server.hooks.delete_user):
        _ended_between_each_pair_of_steps(server, client, end)
    _nothing_is_inherited(server, client)


def _ended_between_each_pair_of_steps(server: Server, client: Client, end: Callable[[str], None]) -> None:
    def person() -> Client:
        return client.acting_for(server.new_user())

    signed_in = person()
    browser = server.signed_in(signed_in.user)
    end(signed_in.user.username)
    assert not is_signed_in(server, browser)
    assert not browser.question(signed_in.ask(browser=browser)), "not asked any more"
    again = try_password(server, server.browser(), signed_in.user.username, signed_in.user.password)
    assert again.status_code == 401

    asked = person()
    browser = server.signed_in(asked.user)
    question = browser.question(asked.ask(browser=browser))
    assert question
    end(asked.user.username)
    assert not browser.answer(question).is_redirect

    approved = person()
    code = approved.code()
    end(approved.user.username)
    assert is_refused(approved.exchange(code), "invalid_grant")

    holding = person()
    tokens = holding.tokens()
    end(holding.user.username)
    assert not server.works_somewhere(tokens["access_token"])
    assert is_refused(holding.refresh(tokens["refresh_token"]), "invalid_grant")

    refreshed = person()
    tokens = refreshed.refresh(refreshed.tokens()["refresh_token"]).json()
    end(refreshed.user.username)
    assert not server.works_somewhere(tokens["access_token"])
    assert is_refused(refreshed.refresh(tokens["refresh_token"]), "invalid_grant")


def _nothing_is_inherited(server: Server, client: Client) -> None:
    """Somebody new gets the name of a deleted user: nothing that was the old one's comes to life again."""
    former = client.acting_for(server.new_user())
    browser, tokens, code = server.signed_in(former.user), former.tokens(), former.code()
    server.hooks.delete_user(former.user.username)
    server.hooks.command("user", "add", former.user.username, "--password-stdin", stdin="quite another password\n")
    assert try_password(server, server.browser(), former.user.username, former.user.password).status_code == 401
    assert not is_signed_in(server, browser)
    assert not server.works_somewhere(tokens["access_token"])
    assert is_refused(former.refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_refused(former.exchange(code), "invalid_grant")


def test_s068_administration_needs_a_fresh_sign_in(server: Server) -> None:
    client = server.client("administration").acting_for(server.user("system-administrator"))
    browser = server.browser()
    server.open(browser, server.page("authorized"), client.user)
    server.hooks.advance(31 * 60)
    assert is_signed_in(server, browser), "the session itself is still good"
    for scope in ("ADMIN", "SYSTEM_ADMIN"):
        page = browser.follow(browser.get(client.url(scope=scope)))
        question = browser.question(page)
        if question is None:
            assert browser.form(page, server.target.forms.password), "sign in again first"
            page = client.ask(browser=browser, scope=scope)
            assert browser.question(page)
            continue
        # The question itself asks for the password: the fresh sign-in and the answer are one.
        for password in ("", "not the password", server.user("reader").password):
            refused = browser.answer(question, password=password)
            assert not refused.is_redirect, f"{scope} allowed with {password!r}"
            assert refused.status_code in (400, 401, 403)
        question = browser.question(client.ask(browser=browser, scope=scope))
        assert question
        assert "code" in answer_of(browser.answer(question, password=client.user.password).headers["location"])


def test_s069_passwords_are_capped_and_hashing_leaves_room(server: Server, client: Client) -> None:
    browser = server.browser()
    form, names = sign_in_form(server, browser), server.target.forms
    for length in (2_000, 60_000, 10_000_000):
        answer = browser.post({**form, names.username: client.user.username, names.password: "x" * length})
        assert answer.status_code in (400, 401, 413), length
    code = client.code()
    url = form.pop("")
    cookie = browser.cookies_for(url)
    node = server.target.nodes[0]
    connections = [connect(node, new_address()) for _ in range(50)]
    try:
        for connection in connections:
            fields = {**form, names.username: f"n{secrets.token_hex(6)}", names.password: "x" * 20}
            connection.sendall(post_form(url, fields, cookie))
        assert client.exchange(code).status_code == 200
        answered, _, _ = select.select(connections, [], [], 0)
        assert len(answered) < len(connections), "the exchange did not wait for all those passwords"
    finally:
        for connection in connections:
            connection.close()


def test_s070_grants_are_listed_and_taken_back_at_once(server: Server, client: Client) -> None:
    mine = client.acting_for(server.new_user())
    first, pending = mine.tokens(), mine.code()
    second = mine.refresh(mine.tokens()["refresh_token"]).json()
    browser = server.signed_in(mine.user)
    page = server.open(browser, server.page("authorized"), mine.user)
    form = browser.form(page, "client_id", client.id)
    assert form, "the grant is listed"
    assert browser.post(form).status_code == 303
    for tokens in (first, second):
        assert not any(server.works(tokens["access_token"], node) for node in server.target.nodes)
        assert is_refused(mine.refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_refused(mine.exchange(pending), "invalid_grant"), "a code on its way is taken back, too"
    assert client.id not in browser.get(server.page("authorized")).text
    _tokens_made_meanwhile(server, mine, browser)
    _sessions(server, mine.user)
    _by_an_administrator(server, client)


def _tokens_made_meanwhile(server: Server, mine: Client, browser: Browser) -> None:
    """Refreshing while the user takes the grant back: whatever was answered, nothing of it works afterwards."""
    tokens = mine.tokens()
    form = browser.form(browser.get(server.page("authorized")), "client_id", mine.id)
    assert form
    url = form.pop("")
    refresh = mine.raw(mine.refresh_fields(tokens["refresh_token"]))
    answers = race(server.target.nodes, [refresh, post_form(url, form, browser.cookies_for(url)), refresh, refresh])
    pairs = [tokens] + [each.json() for each in answers if each.status_code == 200]
    assert 303 in [answer.status_code for answer in answers]
    for pair in pairs:
        assert not server.works_somewhere(pair["access_token"])
        assert is_refused(mine.refresh(pair["refresh_token"]), "invalid_grant")


def _sessions(server: Server, user: User) -> None:
    """A user sees where they are signed in, and signs out one browser, or all others."""
    here, there, elsewhere = (server.browser() for _ in range(3))
    for browser in (here, there, elsewhere):
        server.open(browser, server.page("authorized"), user)
    page = html.fromstring(here.get(server.page("account")).content)
    listed = page.xpath("//form//*[@name='session' and @value!='others']/@value")
    assert len(listed) >= 2
    form = here.form(here.get(server.page("account")), "session", "others")
    assert form
    assert here.post({**form, "session": listed[0]}).status_code == 303
    assert len([each for each in (there, elsewhere) if is_signed_in(server, each)]) < 2 or len(listed) > 2
    assert here.post({**form, "session": "others"}).status_code == 303
    assert [is_signed_in(server, each) for each in (here, there, elsewhere)] == [True, False, False]


def _by_an_administrator(server: Server, client: Client) -> None:
    """An administrator ends what a user gave and where they are signed in, without keeping the user out."""
    theirs = client.acting_for(server.new_user())
    tokens, code, browser = theirs.tokens(), theirs.code(), server.signed_in(theirs.user)
    status, output = server.hooks.command("user", "end-access", theirs.user.username)
    assert status == 0, output
    assert not server.works_somewhere(tokens["access_token"])
    assert is_refused(theirs.refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_refused(theirs.exchange(code), "invalid_grant")
    assert not is_signed_in(server, browser)
    assert server.works(theirs.tokens()["access_token"]), "and they may start anew"
