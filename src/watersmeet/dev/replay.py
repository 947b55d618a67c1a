"""Replays: a recorded request as a pytest module that is complete and runs.

The test carries no credentials: it makes its own, brings them into the state they were in (expired, spent, revoked),
and expects the answer that was seen.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from watersmeet import demo
from watersmeet.confluence.scopes import Scope
from watersmeet.dev.curl import copied_headers
from watersmeet.dev.record import Record
from watersmeet.dev.script import AnswerScript, RequestScript, parties
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Profile


def as_test(record: Record, base_url: str) -> str | None:
    """A module of one test for the fixture ``watersmeet_server``; ``None`` where a test cannot do the same."""
    names = [name for name, _ in copied_headers(record)]
    is_odd = record.status == HTTPStatus.MISDIRECTED_REQUEST or len(names) > len(set(names))
    if is_odd or record.request.is_truncated or not all(map(_can_be_made, parties(record))):
        return None
    if record.finding.user and record.finding.user not in {user.username for user in demo.USERS}:
        return None
    if record.request.header("cookie") and not (record.finding.credential or _needs_no_sign_in(record)):
        return AnswerScript(record, base_url).text() if _is_answered(record) else None
    return RequestScript(record, base_url).text()


def _can_be_made(client: Client) -> bool:
    """Whether a test can bring the client about: there is no lever for what administrators decide later."""
    if not client.is_enabled or client.refuses or client.authentication or client.plain_answers:
        return False
    is_demo = client.client_id == demo.CLIENT_ID
    return not is_demo or (client.profile is Profile.ATLASSIAN_DC and client.scope == Scope.SYSTEM_ADMIN.as_set)


def _needs_no_sign_in(record: Record) -> bool:
    """Whether the authorization endpoint refused before it looked for somebody who is signed in."""
    return _path(record).endswith("/authorize") and record.status == 400


def _is_answered(record: Record) -> bool:
    """Whether the browser was sent to the client with an answer."""
    location = record.response.header("location")
    is_asked = _path(record).endswith(("/authorize", "/oauth2/consent"))
    return is_asked and bool(parse_qs(urlsplit(location).query).keys() & {"code", "error"})


def _path(record: Record) -> str:
    return record.path.rstrip("/")
