"""The playground, as a browser without scripts uses it: links and forms over HTTP."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from lxml import html

from watersmeet.testing import Server


@dataclass
class Player:
    """A browser on the developer pages."""

    server: Server
    browser: httpx.Client
    page: httpx.Response = field(init=False)

    def open(self, path: str) -> None:
        self.page = self.browser.get(self.server.base_url + path)

    @property
    def document(self) -> html.HtmlElement:
        return html.fromstring(self.page.content)

    @property
    def text(self) -> str:
        return " ".join(self.document.text_content().split())

    @property
    def buttons(self) -> list[str]:
        return [button.text_content().strip() for button in self.document.xpath("//main//button")]

    def press(self, label: str, **values: str | list[str]) -> None:
        """A button of the page's main part, its form filled in."""
        [button] = self.document.xpath(f"//main//button[normalize-space()='{label}']")
        form = next(button.iterancestors("form"))
        fields = {name: value or "" for name, value in form.form_values()} | values
        if button.get("name"):
            fields[button.get("name")] = button.get("value")
        target = urljoin(str(self.page.url), button.get("formaction") or form.get("action"))
        self.page = self.browser.post(target, data=fields)

    def follow(self, label: str) -> None:
        [link] = self.document.xpath(f"//main//a[normalize-space()='{label}']")
        self.page = self.browser.get(urljoin(str(self.page.url), link.get("href")))

    def consent(self, user: str = "alice", decision: str = "Allow") -> None:
        self.follow("Go to sign-in and consent")
        if "password" in self.page.text:
            self.press("Sign in", username=user, password=user)
        self.press(decision)

    def last_step(self) -> html.HtmlElement:
        return self.document.xpath("//li[@id][last()]")[0]

    def wires(self) -> list[str]:
        """Request and answer of the last step, and its curl line."""
        return [pre.text_content() for pre in self.last_step().xpath(".//figure/pre")]


@pytest.fixture
def player(watersmeet_server: Server) -> Iterator[Player]:
    with httpx.Client(follow_redirects=True) as browser:
        player = Player(watersmeet_server, browser)
        player.open("/_dev/playground")
        yield player


def test_the_whole_flow_with_every_button(player: Player, watersmeet_server: Server) -> None:
    player.press("Start", scope="WRITE", pkce="S256")
    assert "Ask for authorization" in player.text
    player.consent()
    assert "The browser comes back with a code" in player.text
    assert player.buttons == ["Exchange the code"]

    player.press("Exchange the code")
    sent, answered, _ = player.wires()
    assert sent.startswith("POST /rest/oauth2/latest/token HTTP/1.1\nHost: 127.0.0.1:")
    assert "code_verifier=" in sent
    assert answered.startswith("HTTP/1.1 200 OK")
    assert '"access_token": "eyJ' in answered
    assert '{"alg":"HS256"}.{"id":"' in player.text
    assert "To a client a token is opaque" in player.text

    for button, status in [
        ("Read content", 200),
        ("Write a page", 200),
        ("Ask who I am", 200),
        ("Refresh", 200),
        ("Use the old refresh token again", 400),
        ("Read content", 401),
        ("Refresh", 400),
        ("Use the code again", 400),
        ("Revoke", 200),
    ]:
        player.press(button)
        assert player.wires()[1].startswith(f"HTTP/1.1 {status} "), button
    assert "used before, so everything that came of it has been revoked" in player.text

    # What was shown is what happened: the inspector saw the same requests.
    seen = [record["status"] for record in watersmeet_server.requests(client="Demo") if record["method"] == "POST"]
    assert seen[:4] == [200, 400, 400, 400]
    player.page = player.browser.get(
        urljoin(str(player.page.url), player.last_step().xpath(".//a[contains(., 'What the server made')]/@href")[0])
    )
    assert "/rest/oauth2/latest/revoke" in player.text


def test_each_step_s_curl_does_the_same(player: Player) -> None:
    player.press("Start")
    player.consent()
    player.press("Exchange the code")
    player.press("Ask who I am")
    _, answered, curl = player.wires()
    done = subprocess.run(
        [*shlex.split(curl.replace("\\\n", " ")), "--silent"], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[0].startswith("HTTP/1.1 200")
    assert '"username":"alice"' in done.stdout
    assert '"username": "alice"' in answered


@pytest.mark.parametrize("method", ["S256", "plain", "none"])
def test_every_way_of_pkce(player: Player, method: str) -> None:
    player.press("Start", pkce=method)
    query = parse_qs(urlsplit(player.document.xpath("//a[@class='button primary']")[0].get("href")).query)
    assert query.get("code_challenge_method") == (None if method == "none" else [method])
    player.consent("bob")
    player.press("Exchange the code")
    assert player.wires()[1].startswith("HTTP/1.1 200")
    assert ("code_verifier=" in player.wires()[0]) == (method != "none")


def test_a_scope_that_is_too_small_and_a_user_who_may_not(player: Player) -> None:
    player.press("Start", scope="READ")
    player.consent()
    player.press("Exchange the code")
    player.press("Write a page")
    assert player.wires()[1].startswith("HTTP/1.1 403")
    assert "403: this route needs WRITE; the token has READ" in player.text


@pytest.mark.parametrize(
    ("chosen", "asked", "title"),
    [
        (["SYSTEM_ADMIN", "READ"], ["READ SYSTEM_ADMIN"], "Demo application asks for READ, SYSTEM_ADMIN, with"),
        (["READ", "WRITE"], ["READ WRITE"], "Demo application asks for READ, WRITE, with PKCE S256"),
        ([], None, "Demo application asks without a scope, with PKCE S256"),
    ],
)
def test_several_scopes_or_none(player: Player, chosen: list[str], asked: list[str] | None, title: str) -> None:
    player.press("Start", scope=chosen)
    query = parse_qs(urlsplit(player.document.xpath("//a[@class='button primary']")[0].get("href")).query)
    assert query.get("scope") == asked
    assert title in player.text
    if "SYSTEM_ADMIN" not in chosen:  # which needs the password
        player.consent()
        player.press("Exchange the code")
        assert f'"scope": "{" ".join(chosen) or "READ"}"' in player.wires()[1]


def test_deny(player: Player) -> None:
    player.press("Start")
    player.consent(decision="Deny")
    assert "The client was told access_denied" in player.text
    assert "Exchange the code" not in player.buttons
    player.follow("Start another run")
    assert "Playground" in player.text


def test_a_public_client_is_registered_and_plays(player: Player) -> None:
    player.press("Register one for the playground")
    assert "Register one for the playground" not in player.buttons
    [option] = [
        choice for choice in player.document.xpath("//select[@id='client_id']/option") if "public" in choice.text
    ]
    player.press("Start", client_id=option.get("value"))
    player.consent()
    player.press("Exchange the code")
    assert player.wires()[1].startswith("HTTP/1.1 200")
    assert "client_secret" not in player.wires()[0]

    player.open("/_dev/playground")
    player.press("Start", client_id=option.get("value"), pkce="none")
    player.follow("Go to sign-in and consent")
    assert "The client was told invalid_request" in player.text


def test_a_wrong_secret_is_refused_and_the_code_stays_good(player: Player) -> None:
    player.press("Start", client_secret="wrong")
    player.consent()
    player.press("Exchange the code")
    assert "401 invalid_client" in player.text


def test_a_lost_answer_is_shown_as_one(player: Player, watersmeet_server: Server) -> None:
    player.press("Start")
    player.consent()
    watersmeet_server.fault("drop-after", path="/rest/oauth2/latest/token")
    player.press("Exchange the code")
    assert "(no answer: RemoteDisconnected" in player.wires()[1]
    assert "the request was carried out, its answer was lost" in player.text


def test_what_was_forgotten_and_what_makes_no_sense(player: Player, watersmeet_server: Server) -> None:
    player.press("Start")
    run = urlsplit(str(player.page.url)).path
    token = player.document.xpath("//input[@name='form_token']/@value")
    player.open("/_dev/playground")
    token = player.document.xpath("//input[@name='form_token']/@value")[0]
    for action in ("exchange", "refresh", "nonsense"):
        answer = player.browser.post(f"{watersmeet_server.base_url}{run}/{action}", data={"form_token": token})
        assert answer.status_code == 400, action
    assert (
        player.browser.post(f"{watersmeet_server.base_url}{run}/exchange", data={"form_token": "x"}).status_code == 403
    )
    assert player.browser.post(f"{watersmeet_server.base_url}/_dev/playground", data={}).status_code == 400
    player.press("Start", client_id="unknown")
    assert player.page.status_code == 400
    assert "Choose a client" in player.text
    watersmeet_server.reset()
    assert player.browser.get(watersmeet_server.base_url + run).status_code == 400


def test_the_callback_of_others_still_shows_the_code(player: Player, watersmeet_server: Server) -> None:
    player.open("/_dev/callback?code=abc&state=somebody-else-s")
    assert "The code is here" in player.text


def test_under_a_context_path() -> None:
    from watersmeet.testing import running_server

    with running_server(["--context-path", "/confluence"]) as server, httpx.Client(follow_redirects=True) as browser:
        player = Player(server, browser)
        player.open("/_dev/playground")
        player.press("Start", scope="WRITE")
        player.consent()
        for button in ("Exchange the code", "Write a page", "Refresh"):
            player.press(button)
            assert player.wires()[1].startswith("HTTP/1.1 200"), button
        record = server.requests()[0]
        assert record["path"] == "/confluence/rest/oauth2/latest/token"
        curl = server.request("GET", f"/_dev/requests/{record['id']}/curl").text
        assert f"{server.base_url}/rest/oauth2/latest/token" in curl
        server.fault("status", path="/rest/api/*")
        assert server.request("GET", "/rest/api/content").status == 503
