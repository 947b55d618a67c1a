"""Verification: the caller behind an access token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database.personal_tokens import LivePersonalToken
from watersmeet.database.tokens import LiveAccess
from watersmeet.database.users import User
from watersmeet.oauth2.envelope import seal
from watersmeet.oauth2.errors import TokenInvalid
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens.verify import caller_of, caller_of_personal, digest_of_genuine
from watersmeet.web.bearer import Caller

KEYS = Keys.derive("the secret of these tests, long enough to be one")
USER = User(7, "ada", "key", "Ada", "ada@example.com", Role.USER, "", enabled=True)
LIVE = LiveAccess(USER, Scope.WRITE.as_set, Scope.WRITE.as_set, 500, 1_000, "f" * 32, "c" * 32)


def test_s122_a_token_acts_for_its_user_until_the_last_millisecond_of_its_life() -> None:
    assert caller_of(LIVE, 999) == Caller(USER, Scope.WRITE.as_set, "f" * 32)
    for now in (1_000, 1_001):
        with pytest.raises(TokenInvalid):
            caller_of(LIVE, now)


def test_s135_whatever_does_not_live_acts_for_nobody_and_is_told_alike() -> None:
    for live in (None, LIVE):
        with pytest.raises(TokenInvalid) as refused:
            caller_of(live, 1_000)
        assert refused.value.detail == "expired, spent, revoked, or of a disabled user or client"
        assert refused.value.description == "The access token is invalid, expired or revoked."


@pytest.mark.parametrize(
    ("token", "client", "role", "allowed"),
    [
        (Scope.WRITE, Scope.WRITE, Role.USER, "WRITE"),
        (Scope.READ, Scope.WRITE, Role.SYSTEM_ADMINISTRATOR, "READ"),
        (Scope.WRITE, Scope.READ, Role.SYSTEM_ADMINISTRATOR, "READ"),
        (Scope.SYSTEM_ADMIN, Scope.SYSTEM_ADMIN, Role.USER, "WRITE"),
        (Scope.SYSTEM_ADMIN, Scope.SYSTEM_ADMIN, Role.ADMINISTRATOR, "ADMIN"),
        (Scope.SYSTEM_ADMIN, Scope.SYSTEM_ADMIN, Role.SYSTEM_ADMINISTRATOR, "SYSTEM_ADMIN"),
        (Scope.ADMIN, Scope.SYSTEM_ADMIN, Role.SYSTEM_ADMINISTRATOR, "ADMIN"),
    ],
)
def test_s127_token_client_and_user_each_cap_the_scope(token: Scope, client: Scope, role: Role, allowed: str) -> None:
    live = replace(LIVE, user=replace(USER, role=role), scope=token.as_set, client_scope=client.as_set)
    assert str(caller_of(live, 0).scope) == allowed


PERSONAL = LivePersonalToken(7, USER, Scope.SYSTEM_ADMIN.as_set, 1_000)


def test_a_personal_token_acts_for_its_user_until_its_end_and_for_nobody_else() -> None:
    assert caller_of_personal(PERSONAL, 999) == Caller(USER, Scope.WRITE.as_set, "", 7)
    for live, now in ((None, 0), (PERSONAL, 1_000), (PERSONAL, 1_001)):
        with pytest.raises(TokenInvalid) as refused:
            caller_of_personal(live, now)
        assert refused.value.description == "The access token is invalid, expired or revoked."


@pytest.mark.parametrize(
    ("scope", "role", "allowed"),
    [
        (Scope.READ, Role.SYSTEM_ADMINISTRATOR, "READ"),
        (Scope.WRITE, Role.USER, "WRITE"),
        (Scope.SYSTEM_ADMIN, Role.USER, "WRITE"),
        (Scope.SYSTEM_ADMIN, Role.ADMINISTRATOR, "ADMIN"),
        (Scope.ADMIN, Role.SYSTEM_ADMINISTRATOR, "ADMIN"),
    ],
)
def test_s127_a_personal_token_does_what_its_user_may_or_less(scope: Scope, role: Role, allowed: str) -> None:
    live = replace(PERSONAL, user=replace(USER, role=role), scope=scope.as_set)
    assert str(caller_of_personal(live, 0).scope) == allowed


def test_s118_s123_only_a_genuine_access_token_is_looked_for() -> None:
    access, refresh = seal("ab" * 16, TokenKind.ACCESS, KEYS), seal("ab" * 16, TokenKind.REFRESH, KEYS)
    assert digest_of_genuine(access, KEYS) == KEYS.digest(access)
    for token in (refresh, access[:-1], "", "noise"):
        with pytest.raises(TokenInvalid) as refused:
            digest_of_genuine(token, KEYS)
        assert refused.value.detail == "not an access token of this server"
