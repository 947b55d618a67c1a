"""Classes of published attacks that no single row tries: V19, V31, V40, V42, V44, V48."""

from __future__ import annotations

import ast
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount, Route

import watersmeet
from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.wire import get_request, send
from tests.security.test_consent import sign_in_form
from tests.security.test_refresh import DAY, GRANT_DAYS
from watersmeet.app import create_app
from watersmeet.settings import Settings

SOURCE = Path(watersmeet.__file__).parent


def test_v19_the_end_of_a_long_family_is_cheap(server: Server, client: Client, measures_time: bool) -> None:
    first = tokens = client.tokens()
    for _ in range(10_000 if measures_time else 200):
        tokens = client.refresh(tokens["refresh_token"]).json()
    began = time.perf_counter()
    answer = client.refresh(first["refresh_token"])
    took = time.perf_counter() - began
    assert is_refused(answer, "invalid_grant")
    assert not server.works(tokens["access_token"])
    assert not measures_time or took < 0.1, f"{took:.3f} s for the replay"


def test_v31_forged_addresses_do_not_reset_a_throttle(server: Server) -> None:
    user, browser = server.new_user(), server.browser()
    form, names = sign_in_form(server, browser), server.target.forms
    filled = {**form, names.username: user.username, names.password: "not the password"}
    statuses = [
        browser.post(
            filled, headers={"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": f"for=203.0.113.{n}"}
        ).status_code
        for n in range(60)
    ]
    assert statuses[-1] == 429, statuses


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_v40_randomness_comes_from_one_place() -> None:
    sources = {str(file.relative_to(SOURCE)): set(_imports(file)) for file in SOURCE.rglob("*.py")}
    assert [name for name, modules in sources.items() if modules & {"random", "numpy", "uuid"}] == []
    assert [name for name, modules in sources.items() if "secrets" in modules] == ["entropy.py"]
    assert not any("urandom" in file.read_text() for file in SOURCE.rglob("*.py") if file.name != "entropy.py")


def test_v42_paging_is_plain_numbers(server: Server) -> None:
    client = server.client("administration").acting_for(server.user("system-administrator"))
    header = {"Authorization": f"Bearer {client.tokens(scope='ADMIN')['access_token']}"}
    nasty = (
        "-1",
        "1e9",
        "0x10",
        "1;DROP TABLE users",
        "' OR '1'='1",
        "9" * 40,
        "\u0661",
        "NaN",
        "1 1",
        "1,2",
        "%00",
        "",
    )
    paths = ("/rest/api/content", "/rest/api/space", "/rest/oauth2/latest/client")
    for path in paths:
        plain = server.http().get(server.url(path), headers=header)
        assert plain.status_code == 200
        for name in ("start", "limit", "cursor", "page_token", "expand", "spaceKey", "title"):
            for value in nasty:
                answer = server.http().get(server.url(path), params={name: value}, headers=header)
                assert answer.status_code in (200, 400, 404), (path, name, value)
                assert "SELECT" not in answer.text
        server.close()


def test_v44_settings_are_obeyed_or_refused(server: Server) -> None:
    wrong = ("no.such.setting=1", "base_url=http://[", "session_hours=0", "log_format=xml", "secret=short",
             "atlassian.oauth2.provider.access.token.expiration.seconds=-1",
             "atlassian.oauth2.provider.access.tokens.expiration.seconds=5",
             "atlassian.oauth2.provider.enable.access.tokens=perhaps")  # fmt: skip
    for setting in wrong:
        code, output = server.hooks.command("serve", "-D", setting, "--port", "1")
        assert code == 1, (setting, output)
    # And one that the running server was started with: grants end after 30 days instead of 90.
    client = server.client()
    tokens = client.tokens()
    server.hooks.advance(GRANT_DAYS * DAY + 1)
    assert is_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")


def _routes(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _routes(route.routes or [])
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in sorted(route.methods or ()))


# What a stranger may do: everything else must ask who is there.
OPEN_TO_ALL = {
    ("GET", "/"),
    ("GET", "/login.action"),
    ("GET", "/rest/oauth2/latest/openapi.json"),
    ("GET", "/rest/oauth2/1.0/openapi.json"),
}


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("router")
    app = create_app(Settings(database_url=f"sqlite:///{folder}/x.db", secret=secrets.token_hex(32)))
    return sorted(set(_routes(app.routes)))


def test_v48_no_side_door(server: Server, router: list[tuple[str, str]]) -> None:
    """Every route of the router as a stranger and as an ordinary user: a new one without a rule fails here."""
    assert len(router) > 20
    user, browser = server.user("reader"), server.browser()
    server.open(browser, server.page("authorized"), user)
    form = browser.form(browser.get(server.page("home")), "form_token")
    assert form
    for method, template in router:
        if (method, template) in OPEN_TO_ALL or template.startswith("/.well-known/") or method == "HEAD":
            continue
        path = template.replace("{client_id}", server.client().id)
        path = re.sub(r"\{\w+\}", "1", path)
        assert "{" not in path, f"{template}: tell this test what to put there"
        stranger = server.http().request(
            method, server.url(path), data={"form_token": "x"} if method == "POST" else None
        )
        turned_away = stranger.status_code in (400, 401, 403, 405) or (
            stranger.status_code in (302, 303) and stranger.headers["location"].startswith(("/login.action", "/"))
        )
        assert turned_away, f"{method} {template} gave a stranger {stranger.status_code}"
        if "applinks" in template or "audit" in template:
            answer = browser.http.request(method, server.url(path), data={"form_token": form["form_token"]})
            # The API knows no browser sessions: to it, an ordinary user without a token is a stranger.
            turned_away = answer.status_code in ((401,) if template.startswith("/rest/") else (403, 404))
            assert turned_away, f"{method} {template} gave an ordinary user {answer.status_code}"
    node = server.target.nodes[0]
    for trick in (
        "/rest/api/../api/user/current",
        "//rest/api/user/current",
        "/rest/api/user/current;x",
        "/REST/API/user/current",
    ):
        assert send(node, get_request(f"http://{node}{trick}")).status_code in (400, 401, 404), trick
    server.close()
