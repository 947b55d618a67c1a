"""Who may do what with which scope: every route, as everybody, and what is refused (tools/operations.txt)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Template
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from tools import coverage
from tools.coverage import OPERATIONS, ROOT, Operation

from watersmeet.confluence.scopes import Role, Scope
from watersmeet.content.http.refused import REFUSED
from watersmeet.web.bearer import ProtectedRoute

from .conftest import ADMIN, OUTSIDER, READER, SCOPES, SPACE_ADMIN, WRITER, Wiki

EVERY = coverage.read()
SERVED = [each for each in EVERY if each.is_served]
UNASKED = ("none", "password")
ASKED = [each for each in SERVED if each.right not in UNASKED]
EVERYBODY = {READER, WRITER, SPACE_ADMIN, ADMIN, OUTSIDER}
INSIDERS = EVERYBODY - {OUTSIDER}
# Who may; what the others are told; what an outsider is told, who does not see the space; what strangers are told who
# are let in.
ALLOWED: dict[str, tuple[set[str], int, int, int]] = {
    "anybody": (EVERYBODY, 403, 200, 200),
    "anybody-session": (EVERYBODY, 403, 200, 200),
    "known": (EVERYBODY, 403, 200, 403),
    "own": (EVERYBODY, 403, 200, 403),
    "draft": ({WRITER}, 404, 404, 404),
    "task": ({READER, ADMIN}, 404, 404, 404),
    "view": (INSIDERS, 403, 404, 200),
    "view-session": (INSIDERS, 403, 404, 200),
    "view-known": (INSIDERS, 403, 404, 403),
    "edit": ({WRITER, SPACE_ADMIN, ADMIN}, 403, 404, 403),
    "space": ({SPACE_ADMIN, ADMIN}, 403, 404, 403),
    "create-space": ({ADMIN}, 403, 403, 403),
    "admin": ({ADMIN}, 403, 403, 403),
}


def send(wiki: Wiki, client: TestClient, operation: Operation, me: str, token: str | None) -> httpx.Response:
    """The operation's sample request."""
    request = Template(operation.request).safe_substitute(wiki.names, me=me)
    words, brace, body = re.fullmatch(r"([^\[{]*)([\[{])?(.*)", request, re.DOTALL).groups()  # type: ignore[union-attr]
    values, query, options = dict(wiki.names), "", dict[str, Any]()
    for word in words.split():
        if word.startswith("?"):
            query = word
        elif word == "@file":
            options["files"] = {"file": ("sample.txt", b"sample", "text/plain")}
        else:
            name, _, value = word.partition("=")
            values[name] = value
    if brace:
        options["content"] = brace + body
    path = re.sub(r"\{(\w+)(:\w+)?\}", lambda match: values.get(match[1], "0"), operation.path)
    headers = {"X-Atlassian-Token": "no-check"} | ({"content-type": "application/json"} if brace else {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    answer: httpx.Response = client.request(operation.method, path + query, headers=headers, **options)
    return answer


def is_refusal(answer: httpx.Response, status: int) -> bool:
    """Whether an answer refuses in the envelope."""
    told = answer.json()
    return answer.status_code == told["statusCode"] == status and bool(told["message"])


def expected(operation: Operation, user: str) -> int:
    """The status that somebody gets with the scope; 200 stands for every success."""
    allowed, others, outsider, _ = ALLOWED[operation.right]
    if user in allowed:
        return 200
    return outsider if user == OUTSIDER else others


def told(answer: httpx.Response) -> int:
    """A short link leads on to its page: that is a success, and the sign-in is only shown to browsers."""
    return 200 if answer.is_success or answer.is_redirect else answer.status_code


# ---- the table is complete --------------------------------------------------------------------------------


def served(wiki: Wiki) -> Iterator[tuple[str, str, str]]:
    """Method, path and scope of everything that needs a token."""
    for route in wiki.client.app.routes:  # type: ignore[attr-defined]
        if isinstance(route, ProtectedRoute) and route.path not in REFUSED:
            for method, protected in route.protected.items():
                yield method, route.path, protected.scope.value


def test_every_route_has_its_line(wiki: Wiki) -> None:
    known = {(each.method, each.path): each for each in EVERY if each.is_served or each.request}
    missing = [
        f"content | {method} {path.removeprefix('/rest/api/')} | yes | {scope} | RIGHT | REQUEST | TEST |"
        for method, path, scope in served(wiki)
        if (method, path) not in known
    ]
    assert not missing, f"{OPERATIONS.name} lacks these lines; fill them in:\n" + "\n".join(missing)
    wrong = [
        f"{method} {path}: the route needs {scope}, the line says {known[method, path].scope}"
        for method, path, scope in served(wiki)
        if known[method, path].is_served and known[method, path].scope != scope
    ]
    assert not wrong, "\n".join(wrong)


def test_every_line_has_its_route(wiki: Wiki) -> None:
    routes = {(method, path) for method, path, _ in served(wiki)}
    gone = [each.name for each in ASKED if (each.method, each.path) not in routes]
    assert not gone, f"{OPERATIONS.name} calls these served, and no route is: {gone}"
    names = [each.name for each in EVERY]
    assert len(set(names)) == len(names), "an operation has two lines"


@pytest.mark.parametrize("operation", SERVED, ids=lambda each: each.name)
def test_the_test_that_shows_it_exists(operation: Operation) -> None:
    file, _, function = operation.test.partition("::")
    assert f"def {function}" in (ROOT / "tests" / file).read_text(), operation.test


# ---- everybody, with every scope --------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ASKED, ids=lambda each: each.name)
def test_with_a_token(wiki: Wiki, operation: Operation) -> None:
    for (user, scope), token in wiki.tokens.items():
        answer = send(wiki, wiki.client, operation, user, token)
        role = Role.SYSTEM_ADMINISTRATOR if user == ADMIN else Role.USER
        held = Scope(scope).as_set.implied & role.ceiling.implied
        who = f"{user} with {scope}: {answer.status_code} {answer.text[:300]}"
        if Scope(operation.scope) not in held:
            assert is_refusal(answer, 403), who
            assert "insufficient_scope" in answer.headers["www-authenticate"], who
            continue
        assert told(answer) == expected(operation, user), who
        if told(answer) != 200:
            assert is_refusal(answer, expected(operation, user)), who
            assert "www-authenticate" not in answer.headers, who


@pytest.mark.parametrize("operation", SERVED, ids=lambda each: each.name)
def test_without_a_token(wiki: Wiki, operation: Operation) -> None:
    """A browser in which somebody is signed in is a stranger to the API: a cookie is no token, but for downloads."""
    for client, rights in ((wiki.client, {"none"}), (wiki.signed_in, {"none", "view-session", "anybody-session"})):
        answer = send(wiki, client, operation, "", None)
        assert told(answer) == (200 if operation.right in rights else 401), answer.text[:300]


@pytest.fixture(scope="module")
def opened(wiki: Wiki) -> Iterator[Wiki]:
    """Strangers may use the instance and see ENG."""
    wiki.open_up(opened=True)
    yield wiki
    wiki.open_up(opened=False)


@pytest.mark.parametrize("operation", ASKED, ids=lambda each: each.name)
def test_strangers_who_are_let_in(opened: Wiki, operation: Operation) -> None:
    answer = send(opened, opened.client, operation, "", None)
    assert told(answer) == (ALLOWED[operation.right][3] if operation.scope == "READ" else 401), answer.text[:300]


@pytest.mark.parametrize("operation", [each for each in SERVED if each.right == "password"], ids=lambda each: each.name)
def test_applications_may_not(wiki: Wiki, operation: Operation) -> None:
    assert is_refusal(send(wiki, wiki.client, operation, ADMIN, wiki.tokens[ADMIN, SCOPES[-1]]), 403)


# ---- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [each for each in EVERY if not each.is_served], ids=lambda each: each.name)
def test_what_is_not_served_is_refused_in_words(wiki: Wiki, operation: Operation) -> None:
    answer = send(wiki, wiki.client, operation, ADMIN, wiki.tokens[ADMIN, SCOPES[-1]])
    as_told = is_refusal(answer, int(operation.state)) or (operation.state == "404" and is_refusal(answer, 405))
    assert as_told, (
        f"{operation.name} answers {answer.status_code}. If it is served now, change its line in {OPERATIONS.name}: "
        "yes or partial, scope, right, request, test"
    )
