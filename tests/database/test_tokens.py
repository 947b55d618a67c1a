"""Codes and tokens on both engines: races, replay, revocation, pruning, and nothing in clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from tests.support.grants import (
    CODE_LIFETIME,
    KEYS,
    LIFETIMES,
    NOW,
    PASSWORD,
    VERIFIER,
    Grants,
    register_client,
    together,
)
from watersmeet.clock import SECOND
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database import authorizations, schema, tokens
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata, token_families, token_pairs
from watersmeet.database.transaction import Transaction
from watersmeet.links.authorized import revoke_access
from watersmeet.links.register import Registration, edit
from watersmeet.oauth2.authorization import AuthorizationStatus, CodeReplay
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import (
    CodeExpired,
    CodeUnknown,
    GrantRevoked,
    InvalidClient,
    InvalidGrant,
    OAuthError,
    RedirectUriMismatch,
    RefreshTokenExpired,
    RefreshTokenUnknown,
    ScopeAboveGrant,
    TokenInvalid,
    VerifierMismatch,
)
from watersmeet.oauth2.family import RefreshReplay, Revocation
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.users.signin import change_password, disable_user, enable_user

THREADS = 20


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def reasons(database: Database) -> list[str | None]:
    return database.read_now(lambda tx: list(tx.execute(select(token_families.c.revoked_because)).scalars()))


def assert_dead(grants: Grants, *issued: IssuedTokens, now: int = NOW) -> None:
    for pair in issued:
        with pytest.raises(TokenInvalid):
            grants.verify(pair.access_token, now=now)
        with pytest.raises(InvalidGrant):
            grants.refresh(pair.refresh_token, now=now)


def refreshed(grants: Grants, refresh_token: str, *, now: int = NOW) -> IssuedTokens:
    issued = grants.refresh(refresh_token, now=now)
    assert isinstance(issued, IssuedTokens)
    return issued


# ---- single use ---------------------------------------------------------------------------------------------


def test_s073_s075_of_20_threads_with_one_code_exactly_one_gets_tokens_and_the_family_is_then_revoked(
    grants: Grants,
) -> None:
    code = grants.code()
    outcomes = together(THREADS, lambda _: grants.exchange(code))
    issued = [outcome for outcome in outcomes if isinstance(outcome, IssuedTokens)]
    replays = [outcome for outcome in outcomes if isinstance(outcome, CodeReplay)]
    assert (len(issued), len(replays)) == (1, THREADS - 1)
    assert len({replay.family_id for replay in replays}) == 1
    assert_dead(grants, *issued)
    assert reasons(grants.database) == ["replayed"]


def test_s111_s112_of_20_threads_with_one_refresh_token_at_most_one_gets_a_pair(grants: Grants) -> None:
    first = grants.tokens()
    outcomes = together(THREADS, lambda _: grants.refresh(first.refresh_token))
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds[IssuedTokens] == 1
    assert kinds[RefreshReplay] >= 1
    assert set(kinds) <= {IssuedTokens, RefreshReplay, GrantRevoked}
    assert_dead(grants, first, *(outcome for outcome in outcomes if isinstance(outcome, IssuedTokens)))
    count = grants.database.read_now(lambda tx: tx.execute(select(func.count()).select_from(token_pairs)).scalar())
    assert count == 2


def test_s120_refresh_racing_revocation_never_leaves_a_live_token(grants: Grants) -> None:
    for _ in range(50):
        first = grants.tokens()
        race: list[Callable[[], object]] = [
            lambda token=first.refresh_token: grants.refresh(token),  # type: ignore[misc]
            lambda token=first.refresh_token: grants.revoke(token),  # type: ignore[misc]
        ]
        refreshing, revoked = together(2, lambda number: race[number]())  # noqa: B023 - run before the next round
        assert revoked is True
        assert isinstance(refreshing, IssuedTokens | GrantRevoked)
        assert_dead(grants, first)
        if isinstance(refreshing, IssuedTokens):
            assert_dead(grants, refreshing)


def test_s070_refresh_racing_the_users_revocation_never_leaves_a_live_token(grants: Grants) -> None:
    first = grants.tokens()
    outcomes = together(
        THREADS,
        lambda number: (
            grants.refresh(first.refresh_token)
            if number == 0
            else grants.database.write_now(
                lambda tx: revoke_access(tx, grants.session.user, grants.registered.client.client_id, NOW)
            )
        ),
    )
    assert sum(outcome for outcome in outcomes if isinstance(outcome, int)) == 1
    assert_dead(grants, first, *(outcome for outcome in outcomes if isinstance(outcome, IssuedTokens)))


# ---- codes --------------------------------------------------------------------------------------------------


def test_s072_a_code_works_until_the_last_millisecond_of_its_life(grants: Grants) -> None:
    late, too_late = grants.code(), grants.code()
    assert isinstance(grants.exchange(late, now=NOW + CODE_LIFETIME - 1), IssuedTokens)
    with pytest.raises(CodeExpired):
        grants.exchange(too_late, now=NOW + CODE_LIFETIME)


def test_s073_a_replayed_code_kills_every_generation(grants: Grants) -> None:
    code = grants.code()
    first = grants.exchange(code)
    assert isinstance(first, IssuedTokens)
    second = refreshed(grants, first.refresh_token)
    assert isinstance(grants.exchange(code, now=NOW + CODE_LIFETIME), CodeReplay)
    assert_dead(grants, first, second)


def test_s074_s103_a_refused_exchange_consumes_nothing_and_revokes_nothing(grants: Grants) -> None:
    other = Grants.prepare(grants.database, "Other")
    code = grants.code()
    wrong_secret = replace(grants.credentials, client_secret="wrong")

    def refuse_all() -> None:
        with pytest.raises(VerifierMismatch):
            grants.exchange(code, verifier=VERIFIER + "x")
        with pytest.raises(VerifierMismatch):
            grants.exchange(code, verifier=None)
        with pytest.raises(RedirectUriMismatch):
            grants.exchange(code, redirect_uri="https://app.example/other")
        with pytest.raises(InvalidClient):
            grants.exchange(code, credentials=wrong_secret)
        with pytest.raises(CodeUnknown):  # S076
            grants.exchange(code, credentials=other.credentials)

    refuse_all()
    issued = grants.exchange(code)
    assert isinstance(issued, IssuedTokens)
    refuse_all()
    assert grants.verify(issued.access_token).user.username == "app"


def test_s078_tokens_and_digests_are_no_codes(grants: Grants) -> None:
    code = grants.code()
    issued = grants.tokens()
    for other in (issued.access_token, issued.refresh_token, KEYS.digest(code), grants.session_id, "", "x" * 9000):
        with pytest.raises(CodeUnknown):
            grants.exchange(other)


def test_s067_a_disabled_user_gets_no_tokens_and_the_code_is_not_consumed(grants: Grants) -> None:
    code = grants.code()
    # As when the exchange comes between the two; whoever disables a user withdraws the codes in the same transaction.
    grants.database.write_now(lambda tx: tx.execute(update(schema.users).values(enabled=False)))
    with pytest.raises(GrantRevoked):
        grants.exchange(code)
    stored = grants.database.read_now(lambda tx: authorizations.find_by_code(tx, KEYS.digest(code)))
    assert stored is not None
    assert stored.status is AuthorizationStatus.APPROVED


# ---- refresh tokens -----------------------------------------------------------------------------------------


def test_s109_a_refresh_replaces_both_tokens(grants: Grants) -> None:
    first = grants.tokens()
    second = refreshed(grants, first.refresh_token)
    assert len({first.access_token, first.refresh_token, second.access_token, second.refresh_token}) == 4
    with pytest.raises(TokenInvalid):
        grants.verify(first.access_token)
    assert grants.verify(second.access_token).user.username == "app"


def test_s110_a_spent_refresh_token_kills_the_family(grants: Grants) -> None:
    first = grants.tokens()
    second = refreshed(grants, first.refresh_token)
    third = refreshed(grants, second.refresh_token)
    untouched = grants.tokens()
    assert isinstance(grants.refresh(first.refresh_token), RefreshReplay)
    assert_dead(grants, first, second, third)
    assert grants.verify(untouched.access_token).user.username == "app"


def test_s113_a_refresh_token_is_bound_to_its_client(grants: Grants) -> None:
    other = Grants.prepare(grants.database, "Other")
    first = grants.tokens()
    with pytest.raises(RefreshTokenUnknown):
        grants.refresh(first.refresh_token, credentials=other.credentials)
    with pytest.raises(InvalidClient):
        grants.refresh(first.refresh_token, credentials=replace(grants.credentials, client_secret=None))
    refreshed(grants, first.refresh_token)


def test_s114_a_refresh_may_narrow_the_scope_for_once(grants: Grants) -> None:
    first = grants.tokens()
    narrow = grants.refresh(first.refresh_token, scope=Scope.READ.as_set)
    assert isinstance(narrow, IssuedTokens)
    assert str(grants.verify(narrow.access_token).scope) == "READ"
    with pytest.raises(ScopeAboveGrant):
        grants.refresh(narrow.refresh_token, scope=Scope.ADMIN.as_set)
    assert str(grants.verify(refreshed(grants, narrow.refresh_token).access_token).scope) == "WRITE"


def test_s115_refreshing_every_day_does_not_move_the_end(grants: Grants) -> None:
    issued = grants.tokens()
    end = NOW + LIFETIMES.refresh_token
    for now in range(NOW + 86_400 * SECOND, end, 10 * 86_400 * SECOND):
        issued = refreshed(grants, issued.refresh_token, now=now)
    issued = refreshed(grants, issued.refresh_token, now=end - SECOND)
    assert issued.body()["expires_in"] == 1
    with pytest.raises(RefreshTokenExpired):
        grants.refresh(issued.refresh_token, now=end)
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token, now=end)


def test_s118_neither_kind_of_token_is_accepted_as_the_other(grants: Grants) -> None:
    issued = grants.tokens()
    with pytest.raises(RefreshTokenUnknown):
        grants.refresh(issued.access_token)
    with pytest.raises(TokenInvalid):
        grants.verify(issued.refresh_token)
    refreshed(grants, issued.refresh_token)


def test_a_redirect_uri_sent_with_a_refresh_must_be_registered(grants: Grants) -> None:
    issued = grants.tokens()
    with pytest.raises(RedirectUriMismatch) as refused:
        grants.refresh(issued.refresh_token, redirect_uri="https://evil.test/")
    assert refused.value.description == "redirect_uri is not registered for this client."
    assert isinstance(grants.refresh(issued.refresh_token, redirect_uri="https://app.example/cb"), IssuedTokens)


# ---- access tokens ------------------------------------------------------------------------------------------


def test_s122_an_access_token_works_until_the_last_millisecond_of_its_life(grants: Grants) -> None:
    issued = grants.tokens()
    grants.verify(issued.access_token, now=NOW + LIFETIMES.access_token - 1)
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token, now=NOW + LIFETIMES.access_token)


def test_s127_a_scope_is_capped_by_what_client_and_user_may_do_now(grants: Grants) -> None:
    issued = grants.tokens()
    assert str(grants.verify(issued.access_token).scope) == "WRITE"
    weaker = Registration.check(
        name="App", redirect_uris=["https://app.example/cb"], scope=Scope.READ, allow_http=False
    )
    grants.database.write_now(lambda tx: edit(tx, grants.registered.client.client_id, weaker, NOW))
    assert str(grants.verify(issued.access_token).scope) == "READ"


def test_s127_the_users_role_caps_what_a_powerful_client_was_given(database: Database) -> None:
    everything = Registration.check(
        name="Admin", redirect_uris=["https://app.example/cb"], scope=Scope.SYSTEM_ADMIN, allow_http=False
    )
    grants = Grants.prepare(database, "Admin", role=Role.ADMINISTRATOR)
    database.write_now(lambda tx: edit(tx, grants.registered.client.client_id, everything, NOW))
    question = grants.ask(scope="SYSTEM_ADMIN")
    assert str(question.scope) == "SYSTEM_ADMIN"
    assert str(question.scope.capped_by(Role.ADMINISTRATOR.ceiling)) == "ADMIN"


@pytest.mark.parametrize(
    "event",
    [
        lambda tx: change_password(tx, "app", "$argon2id$other", NOW),
        lambda tx: disable_user(tx, "app", NOW),
        lambda tx: (disable_user(tx, "app", NOW), enable_user(tx, "app", NOW)),
    ],
    ids=["password changed", "disabled", "disabled and enabled"],
)
def test_s067_s117_tokens_and_sessions_end_with_password_and_user(
    grants: Grants, event: Callable[[Transaction], object]
) -> None:
    issued, code = grants.tokens(), grants.code()
    grants.database.write_now(event)
    assert_dead(grants, issued)
    with pytest.raises(CodeUnknown):
        grants.exchange(code)


# ---- revocation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_s133_either_token_takes_the_other_with_it(grants: Grants, kind: str) -> None:
    issued = grants.tokens()
    assert grants.revoke(getattr(issued, kind))
    assert_dead(grants, issued)
    assert not grants.revoke(getattr(issued, kind))
    assert reasons(grants.database) == ["by client"]


def test_s131_s132_only_its_own_client_can_revoke_a_token_and_nobody_learns_more(grants: Grants) -> None:
    other = Grants.prepare(grants.database, "Other")
    issued = grants.tokens()
    assert not grants.revoke(issued.refresh_token, credentials=other.credentials)
    assert not grants.revoke("unknown")
    wrong = replace(grants.credentials, client_secret="wrong")
    with pytest.raises(InvalidClient):
        grants.revoke(issued.refresh_token, credentials=wrong)
    grants.verify(issued.access_token)
    assert grants.revoke(issued.refresh_token, credentials=wrong, validate=False)
    with pytest.raises(InvalidClient):
        grants.revoke("x", credentials=ClientCredentials("nobody", None, from_basic=False), validate=False)


def test_revoking_everything_of_nobody_in_particular_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="name a client"):
        database.write_now(lambda tx: tokens.revoke_all(tx, because=Revocation.BY_USER, now=NOW))


def test_s070_a_user_sees_and_ends_what_applications_were_given(grants: Grants) -> None:
    client, user = grants.registered.client, grants.session.user
    first, second, code = grants.tokens(), grants.tokens(now=NOW + 5), grants.code()
    [shown] = grants.database.read_now(lambda tx: tokens.list_grants(tx, user.id, NOW))
    assert (shown.client_id, shown.families, shown.first_authorized_at) == (client.client_id, 2, NOW)
    assert shown.expires_at == NOW + 5 + LIFETIMES.refresh_token
    assert grants.database.read_now(lambda tx: tokens.count_users_of(tx, client.id, NOW)) == 1
    assert grants.database.write_now(lambda tx: revoke_access(tx, user, client.client_id, NOW)) == 2
    assert grants.database.write_now(lambda tx: revoke_access(tx, user, "nobody", NOW)) == 0
    assert grants.database.read_now(lambda tx: tokens.list_grants(tx, user.id, NOW)) == []
    assert grants.database.read_now(lambda tx: tokens.count_users_of(tx, client.id, NOW)) == 0
    assert_dead(grants, first, second)
    with pytest.raises(CodeUnknown):
        grants.exchange(code)


def test_s070_exchange_racing_the_users_revocation_never_leaves_a_live_token(grants: Grants) -> None:
    user, client_id = grants.session.user, grants.registered.client.client_id
    for _ in range(30):
        code = grants.code()
        race: list[Callable[[], object]] = [
            lambda code=code: grants.exchange(code),  # type: ignore[misc]
            lambda: grants.database.write_now(lambda tx: revoke_access(tx, user, client_id, NOW)),
        ]
        exchanged, _revoked = together(2, lambda number: race[number]())  # noqa: B023 - run before the next round
        assert isinstance(exchanged, IssuedTokens | CodeUnknown)
        if isinstance(exchanged, IssuedTokens):
            assert_dead(grants, exchanged)


# ---- pruning ------------------------------------------------------------------------------------------------


def test_pruning_takes_what_has_expired_in_bounded_numbers(grants: Grants) -> None:
    for _ in range(5):
        grants.tokens()
    kept = grants.tokens(now=NOW + 1000)
    end = NOW + LIFETIMES.refresh_token
    database = grants.database
    assert not database.read_now(lambda tx: tokens.any_expired(tx, end))
    assert database.read_now(lambda tx: tokens.any_expired(tx, end + 1))
    counts = [database.write_now(lambda tx: tokens.prune(tx, end + 1, 2)) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    left = database.read_now(lambda tx: tx.execute(select(func.count()).select_from(token_pairs)).scalar())
    assert left == 1  # pairs went with their families
    refreshed(grants, kept.refresh_token, now=NOW + 1000)


# ---- what is stored -----------------------------------------------------------------------------------------


def everything(tx: Transaction) -> str:
    return "\n".join(repr(tuple(row)) for table in metadata.sorted_tables for row in tx.execute(select(table)))


def test_s071_s094_s116_s121_nothing_usable_is_stored_in_clear(grants: Grants) -> None:
    code = grants.code()
    issued = grants.exchange(code)
    assert isinstance(issued, IssuedTokens)
    second = refreshed(grants, issued.refresh_token)
    waiting = grants.code()
    stored = grants.database.read_now(everything)
    secret = grants.registered.client_secret
    assert secret is not None
    for pair in (issued, second):
        for token in (pair.access_token, pair.refresh_token):
            assert KEYS.digest(token) in stored
            for part in (token, *token.split(".")[1:]):
                assert part not in stored
    for credential in (code, waiting, secret, grants.session_id):
        assert KEYS.digest(credential) in stored
        assert credential not in stored
    assert PASSWORD not in stored
    assert VERIFIER not in stored
    for key in (KEYS.access, KEYS.refresh, KEYS.lookup, KEYS.form):
        assert key.hex() not in stored


def test_s094_what_is_stored_cannot_be_used(grants: Grants) -> None:
    issued = grants.tokens()
    secret = grants.registered.client_secret
    assert secret is not None
    with pytest.raises(InvalidClient):
        grants.exchange(grants.code(), credentials=replace(grants.credentials, client_secret=KEYS.digest(secret)))
    for stored in (KEYS.digest(issued.access_token), KEYS.digest(issued.refresh_token)):
        with pytest.raises(TokenInvalid):
            grants.verify(stored)
        with pytest.raises(RefreshTokenUnknown):
            grants.refresh(stored)


def test_s089_a_public_client_lives_by_its_identifier_and_pkce(database: Database) -> None:
    private = Grants.prepare(database)
    public = replace(
        private, registered=database.write_now(lambda tx: register_client(tx, "Public", confidential=False))
    )
    assert public.registered.client_secret is None
    code = public.code()
    with pytest.raises(OAuthError):
        public.exchange(code, credentials=replace(public.credentials, client_secret="something"))
    issued = public.exchange(code)
    assert isinstance(issued, IssuedTokens)
    refreshed(public, issued.refresh_token)
