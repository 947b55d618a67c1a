"""Remembered consent: what it answers, and whose answers may be remembered at all (S056, S057)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.oauth2.test_client import a_client
from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus
from watersmeet.oauth2.consent import Consent, asks_to_be_shown, may_be_remembered, registration_digest
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.redirect import RedirectUri

URI, DAY, NOW = "https://app.example/cb", 86_400_000, 1_000_000
CLIENT = a_client()
ASKED = Authorization(
    id="a" * 32,
    client=CLIENT.id,
    user_id=7,
    session_digest="s",
    request_digest="r",
    redirect_uri=RedirectUri(URI),
    scope=Scope.READ.as_set,
    state="x",
    challenge=None,
    status=AuthorizationStatus.PENDING,
    created_at=NOW,
    expires_at=NOW + 1,
)


def remembered(lifetime: int = DAY, **changed: Any) -> Consent:
    return Consent.to(replace(ASKED, **changed), CLIENT, NOW, lifetime)


def test_it_answers_the_same_question_until_it_ends() -> None:
    consent = remembered()
    assert consent.covers(ASKED, CLIENT, NOW + DAY - 1, DAY)
    assert not consent.covers(ASKED, CLIENT, NOW + DAY, DAY)


def test_it_ends_earlier_where_the_operator_thinks_better_of_it() -> None:
    consent = remembered(30 * DAY)
    assert not consent.covers(ASKED, CLIENT, NOW + DAY, DAY)
    assert not consent.covers(ASKED, CLIENT, NOW, 0)
    assert consent.end(90 * DAY) == NOW + 30 * DAY, "and never later than was said"


@given(st.sampled_from(Scope), st.sampled_from(Scope))
def test_it_answers_the_same_or_less(given_scope: Scope, asked: Scope) -> None:
    consent = remembered(scope=given_scope.as_set)
    covers = consent.covers(replace(ASKED, scope=asked.as_set), CLIENT, NOW, DAY)
    assert covers == (list(Scope).index(asked) <= list(Scope).index(given_scope))


@pytest.mark.parametrize(
    "asked",
    [
        {"client": 2},
        {"user_id": 8},
        {"redirect_uri": RedirectUri(URI + "/")},
        {"redirect_uri": RedirectUri(URI + "?x=1")},
    ],
    ids=str,
)
def test_it_answers_nobody_else(asked: dict[str, Any]) -> None:
    assert not remembered().covers(replace(ASKED, **asked), CLIENT, NOW, DAY)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "app"}, {"scope": Scope.WRITE.as_set}, {"profile": Profile.ATLASSIAN_DC}, {"confidential": False},
        {"redirect_uris": (RedirectUri(URI), RedirectUri(URI + "2"))}, {"redirect_uris": ()},
    ],
    ids=str,
)  # fmt: skip
def test_a_client_that_changed_is_another(changed: dict[str, Any]) -> None:
    assert not remembered().covers(ASKED, replace(CLIENT, **changed), NOW, DAY)


def test_a_client_that_is_merely_in_use_is_the_same() -> None:
    used = replace(CLIENT, last_used_at=NOW, pkce_seen_at=NOW, secrets=())
    assert registration_digest(used) == registration_digest(CLIENT)


def test_the_digest_never_changes_or_everybody_would_be_asked_again() -> None:
    facts = ["App", "READ", "strict", "True", "https://app.example/cb"]
    assert registration_digest(CLIENT) == hashlib.sha256("\0".join(facts).encode()).hexdigest()


def test_fields_do_not_run_into_each_other() -> None:
    one = replace(CLIENT, redirect_uris=(RedirectUri("https://a.example/"), RedirectUri("https://b.example/")))
    other = replace(CLIENT, redirect_uris=(RedirectUri("https://a.example/https://b.example/"),))
    assert registration_digest(one) != registration_digest(other)


@pytest.mark.parametrize(
    ("uri", "fits"),
    [
        (URI, True), ("https://app.example:8443/cb", True),
        ("http://app.example/cb", False), ("http://127.0.0.1:1/cb", False), ("https://127.0.0.1/cb", False),
        ("https://localhost/cb", False), ("https://[::1]:9/cb", False), ("com.example.app:/cb", False),
    ],
)  # fmt: skip
def test_s056_answers_go_to_servers_only(uri: str, fits: bool) -> None:
    assert may_be_remembered(replace(ASKED, redirect_uri=RedirectUri(uri)), CLIENT) == fits


def test_s056_only_who_can_prove_itself() -> None:
    assert not may_be_remembered(ASKED, a_client(confidential=False))


@pytest.mark.parametrize("legacy", list(Legacy))
def test_a_request_that_may_be_forged_is_asked_about(legacy: Legacy) -> None:
    asked = replace(ASKED, legacy=frozenset({legacy}))
    assert may_be_remembered(asked, CLIENT) == (legacy is not Legacy.NEITHER_STATE_NOR_PKCE)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", False),
        ("prompt=", False),
        ("prompt=none", False),
        ("prompt=consent", True),
        ("prompt=login%20consent", True),
    ],
)
def test_a_client_can_ask_for_the_question(query: str, shown: bool) -> None:
    assert asks_to_be_shown(Parameters.parse(query.encode())) == shown
