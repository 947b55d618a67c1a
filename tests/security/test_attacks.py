"""Classes of published attacks that no single row tries: V17, V19, V31, V32, V39, V40, V42, V44, V48."""

from __future__ import annotations

import ast
import os
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import watersmeet
from tests.security.harness.browser import new_address
from tests.security.harness.client import Client, Server, answer_of, is_refused
from tests.security.harness.crawl import ADMINISTRATOR, STRANGER, USER, Seen, address_of, routes_of
from tests.security.harness.target import LEGACY
from tests.security.harness.wire import get_request, send
from tests.security.requirements import ATTACKS, REQUIREMENTS
from tests.security.test_consent import is_signed_in, sign_in_form, try_password
from watersmeet.settings import all_settings


@pytest.fixture
def source() -> Path:
    """The program of the server under test, for what only reading it shows."""
    if os.environ.get("WATERSMEET_TEST_TARGET"):
        pytest.skip("the program of another server is not here to be read")
    return Path(watersmeet.__file__).parent


def test_v17_nothing_is_forgotten_when_the_server_is_killed(server: Server, client: Client) -> None:
    """Grants at every step of their life while all processes are killed: each goes on from just there.

    An orderly restart is in S112, killing under load in S104.
    """
    browser = server.signed_in(client.user)
    answered, open_question = (browser.question(client.ask(browser=browser)) for _ in range(2))
    assert answered
    assert open_question
    assert "code" in answer_of(browser.answer(answered).headers["location"])
    issued, spent, rotated, revoked = client.code(), client.code(), client.tokens(), client.tokens()
    of_spent, renewed = client.exchange(spent).json(), client.refresh(rotated["refresh_token"]).json()
    assert client.revoke(revoked["refresh_token"]).status_code == 200
    replayed = client.tokens()
    after_replay = client.refresh(replayed["refresh_token"]).json()
    assert is_refused(client.refresh(replayed["refresh_token"]), "invalid_grant")
    server.hooks.restart(kill=True)
    assert is_signed_in(server, browser), "people need not sign in again"
    assert not browser.answer(answered).is_redirect, "an answered question stays answered"
    assert "code" in answer_of(browser.answer(open_question).headers["location"]), "an open one stays open"
    assert server.works(of_spent["access_token"])
    assert client.exchange(issued).status_code == 200, "a code that was not spent is good"
    assert is_refused(client.exchange(issued), "invalid_grant")
    assert is_refused(client.exchange(spent), "invalid_grant"), "a spent one stays spent"
    assert not server.works_somewhere(of_spent["access_token"]), "and its replay is noticed"
    assert server.works(renewed["access_token"])
    assert not server.works_somewhere(rotated["access_token"]), "a superseded token stays so"
    assert is_refused(client.refresh(rotated["refresh_token"]), "invalid_grant"), "a rotated one stays spent"
    assert not server.works_somewhere(renewed["access_token"]), "and its replay is noticed"
    for pair in (revoked, replayed, after_replay):
        assert not server.works_somewhere(pair["access_token"])
        assert is_refused(client.refresh(pair["refresh_token"]), "invalid_grant"), "what ended does not come back"


def test_v19_the_end_of_a_long_family_is_cheap(server: Server, client: Client, measures_time: bool) -> None:
    """A replay is answered as fast when thousands of generations die of it as when few do.

    That the same rows are touched is counted in tests/database/test_refresh_policy.py; here the growth is measured.
    """

    def replay_of_a_family(generations: int) -> float:
        first = tokens = client.tokens()
        for _ in range(generations):
            tokens = client.refresh(tokens["refresh_token"]).json()
        began = time.perf_counter()
        answer = client.refresh(first["refresh_token"])
        took = time.perf_counter() - began
        assert is_refused(answer, "invalid_grant")
        assert not server.works(tokens["access_token"])
        return took

    long = replay_of_a_family(10_000 if measures_time else 200)
    if measures_time:
        short = statistics.median(replay_of_a_family(2) for _ in range(9))
        assert long < 20 * short, f"{long:.4f} s after 10,000 generations, {short:.4f} s after two"


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
    client, address = server.new_client(), new_address()
    guess = client.refresh_fields("x", client_secret="wrong")
    statuses = [
        server.http(address)
        .post(server.target.token, data=guess, headers={name: f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"})
        .status_code
        for n in range(30)
        for name in ("X-Forwarded-For", "Forwarded")
    ]
    assert statuses[-1] == 429, statuses


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


# What opens connections of its own: clients of ours, never the server for somebody who asks it.
FETCHING = {"httpx", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "ftplib", "smtplib", "obstore"}
CLIENTS = ("testing/", "cli/", "dev/", "blobs/s3.py")


def test_v32_nothing_is_fetched_for_a_request(source: Path) -> None:
    """Static: whoever would make the server fetch something (keys, pictures, documents) needs a decision first."""
    sources = {str(file.relative_to(source)): set(_imports(file)) for file in source.rglob("*.py")}
    assert [name for name, modules in sources.items() if modules & FETCHING and not name.startswith(CLIENTS)] == []
    assert "blobs/s3.py" in [name for name, modules in sources.items() if modules & FETCHING], "it does look"


def _patterns(file: Path) -> Iterator[str]:
    """The regular expressions that a module gives to ``re``; what is put in for a name stands for one letter."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
            pattern = node.args[0]
            if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str):
                yield pattern.value
            elif isinstance(pattern, ast.JoinedStr):
                parts = (str(part.value) if isinstance(part, ast.Constant) else "x" for part in pattern.values)
                yield "".join(parts)


def _repeats_a_repetition(parsed: Any, inside: bool = False) -> bool:
    """Whether an unlimited repetition stands inside another, or two that begin alike follow each other."""
    for operation, argument in parsed:
        repeats = str(operation) in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > 64
        if repeats and inside and not _begins_with_a_separator(parsed):
            return True
        parts = argument if isinstance(argument, list | tuple) else (argument,)
        for part in parts:
            for each in part if isinstance(part, list) else (part,):
                if hasattr(each, "data") and _repeats_a_repetition(each.data, inside or repeats):
                    return True
    return False


def _begins_with_a_separator(parsed: Any) -> bool:
    """Whether each turn of a repetition begins with one fixed letter, so that there is one way to take turns."""
    return str(parsed[0][0]) == "LITERAL"


def test_v39_no_regular_expression_takes_turns_in_two_ways(source: Path) -> None:
    """Static: a repetition of a repetition is what makes matching exponential; there is none in the source."""
    patterns = [(file.name, pattern) for file in source.rglob("*.py") for pattern in _patterns(file)]
    assert len(patterns) > 20
    assert _repeats_a_repetition(re._parser.parse("(a+)+b").data)
    assert _repeats_a_repetition(re._parser.parse("(x|a*)*").data)
    bad = [each for each in patterns if _repeats_a_repetition(re._parser.parse(each[1]).data)]
    assert bad == []


def test_v40_randomness_comes_from_one_place(source: Path) -> None:
    sources = {str(file.relative_to(source)): set(_imports(file)) for file in source.rglob("*.py")}
    assert [name for name, modules in sources.items() if modules & {"random", "numpy"}] == []
    # UUIDs may be written, of what comes from there or as names of something, but none drawn.
    assert not [file for file in source.rglob("*.py") if re.search(r"\buuid[14]\b|getnode", file.read_text())]
    assert [name for name, modules in sources.items() if "secrets" in modules] == ["entropy.py"]
    assert not any("urandom" in file.read_text() for file in source.rglob("*.py") if file.name != "entropy.py")


EVERY_VALUE = ("/rest/api/content", "/rest/api/content/search", "/rest/oauth2/latest/audit")


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
    # Every list there is, those of tomorrow among them; what is not there has no list.
    paths = [route.path for route in routes_of(server) if "GET" in route.methods and route.path.startswith("/rest/")]
    assert len(paths) > 10
    http = server.http()
    for path in paths:
        for name in ("start", "limit", "cursor", "before", "cql", "expand", "spaceKey", "title"):
            # Each way to be no number where it is likely to be read as one, else what would be a statement.
            for value in nasty if path in EVERY_VALUE else nasty[3:4]:
                answer = http.get(server.url(address_of(path)), params={name: value}, headers=header)
                assert answer.status_code in (200, 302, 303, 400, 401, 403, 404, 405, 501), (path, name, value)
                assert "SELECT" not in answer.text
    # The one cursor that is more than a number: where the audit trail goes on. Forged, it shows nothing but events.
    page = http.get(server.url("/rest/oauth2/latest/audit"), headers=header).json()
    for forged in ("0-0", "9" * 15 + "-" + "9" * 18, "1-1 OR 1=1", "1-1;--", "1--1", f"{page['next']}'", "a-b", "1-"):
        answer = http.get(server.url("/rest/oauth2/latest/audit"), params={"before": forged}, headers=header)
        assert answer.status_code in (200, 400), forged
        if answer.status_code == 200:
            assert answer.json().keys() == {"results", "next"}
    admin = server.user("administrator")
    browser = server.signed_in(admin)
    server.open(browser, server.page("audit"), admin)
    for path in (server.page("audit"), f"{server.page('audit')}/export", server.page("links")):
        for name in ("before", "user", "client", "event", "since", "search", "q", "page"):
            for value in nasty:
                answer = browser.http.get(server.url(path), params={name: value})
                assert answer.status_code in (200, 400), (path, name, value)


# Where it is shown that the running server obeys a setting: a row, a function of this file, or a test elsewhere. A new
# setting without an entry fails V44.
OBEYED = {
    "base_url": "S137", "host": "tests/cli/test_commands.py", "port": "S137", "database_url": "S112", "secret": "S149",
    "workers": "tests/reliability/test_serve.py", "blob_store": "tests/http/content/test_attachments.py",
    "upload_limit_mib": "tests/http/content/test_attachments.py", "trusted_proxies": "V44", "proxy_header": "V44",
    "secrets_viewable": "tests/http/links/test_viewable_secrets.py",
    "personal_token_days": "tests/http/pat/test_personal_tokens.py",
    "personal_token_max_days": "tests/http/pat/test_personal_tokens.py", "remember_consent_days": "S057",
    "search_timeout_seconds": "tests/http/content/test_search.py",
    "session_hours": "V44", "throttle_attempts": "V44", "throttle_minutes": "V44",
    "audit_retention_days": "tests/database/test_audit.py", "log_format": "V44", "legacy_profile": "V44",
    "legacy_profile_until": "V44", "refresh_grace_seconds": "V44",
    "refresh_idle_days": "S115", "legacy_refresh_idle_days": "V44", "admin_token_minutes": "V44",
    "atlassian.oauth2.provider.enable.access.tokens": "V44",
    "atlassian.oauth2.provider.skip.base.url.https.requirement": "S001",
    "atlassian.oauth2.provider.skip.redirect.url.https.requirement": "S002",
    "atlassian.oauth2.provider.max.lock.timeout.seconds": "S105",
    "atlassian.oauth2.provider.max.client.delay.seconds": "V44",
    "atlassian.oauth2.provider.prune.expired.authorizations.schedule": "tests/unit/test_schedule.py",
    "atlassian.oauth2.provider.access.token.expiration.seconds": "V44",
    "atlassian.oauth2.provider.prune.expired.tokens.schedule": "tests/unit/test_schedule.py",
    "atlassian.oauth2.provider.refresh.token.expiration.seconds": "S115",
    "atlassian.oauth2.provider.invalidate.session.enabled": "V44",
    "atlassian.oauth2.provider.validate.client.secret": "V44",
}  # fmt: skip


def test_v44_settings_are_obeyed_or_refused(server: Server, staging: Server) -> None:
    wrong = ("no.such.setting=1", "base_url=http://[", "session_hours=0", "log_format=xml", "secret=short",
             "throttle_attempts=-1", "refresh_grace_seconds=3", "refresh_idle_days=-1", "admin_token_minutes=61",
             "legacy_refresh_idle_days=4000", "trusted_proxies=everybody", "workers=0",
             "legacy_profile_until=some day", "proxy_header=x-real-ip", "audit_retention_days=-1",
             "atlassian.oauth2.provider.access.token.expiration.seconds=-1",
             "atlassian.oauth2.provider.access.tokens.expiration.seconds=5",
             "atlassian.oauth2.provider.enable.access.tokens=perhaps")  # fmt: skip
    for setting in wrong:
        code, output = server.hooks.command("serve", "-D", setting, "--port", "1")
        assert code == 1, (setting, output)
    assert {setting.name for setting in all_settings()} == OBEYED.keys(), "a setting, and nothing shows it is obeyed"
    root, rows = Path(__file__).parents[2], {row.id for row in (*REQUIREMENTS, *ATTACKS)}
    assert [where for where in OBEYED.values() if where not in rows and not (root / where).exists()] == []
    _tokens_and_codes(staging)
    _signing_in(staging)
    _whom_the_proxy_names(staging)
    client = staging.new_client(profile=LEGACY)
    switches = 'legacy_profile = false\n"atlassian.oauth2.provider.enable.access.tokens" = false\n'
    token = client.tokens()["access_token"]
    assert staging.works(token)
    assert "code" in client.outcome(pkce=False)
    with staging.hooks.restarted_with(switches):
        assert not staging.works(token)
        assert client.outcome(pkce=False)["error"] == "invalid_request"
    assert staging.works(token)


def _tokens_and_codes(server: Server) -> None:
    """Lifetimes, grace, revocation without a secret, the end of the dialect, the session beside a call."""
    client = server.new_client(profile=LEGACY)
    with server.hooks.standing_clock():
        early, late = client.code(), client.code()
        server.hooks.advance(19.999)
        tokens = client.exchange(early).json()
        server.hooks.advance(0.001)
        assert is_refused(client.exchange(late), "invalid_grant"), "codes live for 20 seconds"
        second = client.refresh(tokens["refresh_token"]).json()
        again = client.refresh(tokens["refresh_token"]).json()
        assert again["access_token"] == second["access_token"], "a grace of two seconds"
        server.hooks.advance(7199.999)
        assert server.works(second["access_token"]), "two hours"
        server.hooks.advance(0.001)
        assert not server.works(second["access_token"])
        unused = client.tokens()
        server.hooks.advance(86_400)
        assert is_refused(client.refresh(unused["refresh_token"]), "invalid_grant"), "a day without use"
    admin = server.new_client(scope="ADMIN").acting_for(server.user("administrator"))
    assert admin.tokens(scope="ADMIN")["expires_in"] == 7200, "as others, of a strict client too"
    revoked = client.tokens()
    assert client.revoke(revoked["refresh_token"], client_secret=None).status_code == 200
    assert not server.works(revoked["access_token"]), "whoever has the token may take it back"
    browser = server.browser()
    server.open(browser, server.page("authorized"), client.user)
    location = browser.get(client.url(pkce=False))
    assert location.headers["sunset"] == "Fri, 01 Jan 2100 00:00:00 GMT"
    header = {"Authorization": f"Bearer {client.tokens()['access_token']}"}
    assert browser.get(server.resource().path, headers=header).status_code == 200
    assert is_signed_in(server, browser), "the session that came along goes on"
    assert not server.hooks.logs().lstrip().startswith("{"), "a log in text"


def _signing_in(server: Server) -> None:
    """An hour of a session; three wrong passwords in two minutes."""
    browser, user, address = server.browser(), server.user("reader"), new_address()
    with server.hooks.standing_clock():
        server.open(browser, server.page("authorized"), user)
        server.hooks.advance(3599.999)
        assert is_signed_in(server, browser)
        server.hooks.advance(0.001)
        assert not is_signed_in(server, browser)
        for _ in range(3):
            assert try_password(server, server.browser(address), user.username, "wrong").status_code == 401
        assert try_password(server, server.browser(address), user.username, "wrong").status_code == 429
        server.hooks.advance(121)
        assert try_password(server, server.browser(address), user.username, user.password).status_code == 303


def _whom_the_proxy_names(server: Server) -> None:
    """The header that was chosen counts, of a listed proxy: not the other one, and not of anybody else."""
    user = server.new_user()
    forged = {"Forwarded": "for=203.0.113.7", "X-Forwarded-For": "203.0.113.8"}
    try_password(server, server.browser(headers=forged), user.username, "wrong")
    assert server.hooks.audit()[-1]["address"] == "203.0.113.7"
    direct = send(server.target.behind, get_request("http://staging.example.com/login.action", forged), new_address())
    assert direct.status_code == 200
    assert "203.0.113.7" not in [
        line.split("address=")[-1].split()[0] for line in server.hooks.logs().splitlines()[-1:]
    ]


# What a stranger may open: everything else must ask who is there. A new route is not here.
OPEN_TO_ALL = {
    "/", "/login.action", "/login", "/rest/oauth2/latest/openapi.json", "/rest/oauth2/1.0/openapi.json",
    "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/rest/api",
    "/static/watersmeet.css", "/images/icons/profilepics/{name}", "/images/logo/{name}",  # drawings of ours
    "/status",  # for load balancers: that it runs, and nothing else
    "/rest/applinks/1.0/manifest", "/rest/applinks/latest/manifest",  # by which clients recognise the original
    "/plugins/personalaccesstokens/usertokens.action",  # the vendor's address, which only leads to another page
}  # fmt: skip
# Pages of administrators; whatever begins so is one.
ADMINISTRATION = ("/admin/", "/plugins/servlet/applinks/")


def _side_door(seen: Seen) -> str:
    """What is wrong with an answer; nothing, if whoever got it was turned away, or may have it."""
    is_safe, is_api = seen.method in ("GET", "HEAD"), seen.path.startswith("/rest/")
    if not seen.is_served or seen.method == "OPTIONS" or (seen.path in OPEN_TO_ALL and is_safe):
        return ""
    status, location = seen.answer.status_code, seen.answer.headers.get("location", "")
    turned_away = status in (400, 401, 403)
    if seen.who == STRANGER:
        return "" if turned_away or location.startswith("/login.action?") else "open to strangers"
    if seen.who in (USER, ADMINISTRATOR):
        if is_api and seen.needs and status != 401:
            return "a session is no token"
        if seen.who == USER and seen.path.startswith(ADMINISTRATION) and status not in (403, 404):
            return "open to users"
        return "" if is_safe or turned_away or status in (404, 413) else "a form without its token"
    return "" if seen.needs or not is_api or turned_away else "it takes an application's token undeclared"


def test_v48_no_side_door(server: Server, crawled: list[Seen]) -> None:
    """Every route of the router by everybody: a new one that nothing protects fails here.

    What a route needs of a token is tried in S127, with a token of each scope; that it declares anything, here.
    """
    if not crawled:
        pytest.skip("the target does not list its addresses")
    assert len(crawled) > 1000
    undeclared = [
        route.path
        for route in routes_of(server)
        if route.path.startswith(("/rest/api/", "/rest/experimental/")) and not all(route.methods.values())
    ]
    assert undeclared == []
    assert [f"{seen}: {why}" for seen in crawled if (why := _side_door(seen))] == []
    node = server.target.nodes[0]
    for trick in (
        "/rest/api/../api/user/current",
        "//rest/api/user/current",
        "/rest/api/user/current;x",
        "/REST/API/user/current",
    ):
        assert send(node, get_request(f"http://{node}{trick}")).status_code in (400, 401, 404), trick
    server.close()
