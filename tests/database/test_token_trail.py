"""What exchanges, refreshes and revocations leave behind: events and counts, each with its own origin (S150, N1).

Decisions of a batch are written together, so every event must say of whom, when and from where *it* came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.event import listen, remove

from tests.support.grants import (
    CODE_LIFETIME,
    ENTROPY,
    KEYS,
    LIFETIMES,
    NOW,
    REDIRECT_URI,
    VERIFIER,
    Grants,
    register_client,
)
from watersmeet.clock import SECOND, Instant
from watersmeet.confluence.scopes import Scope
from watersmeet.database import authorizations, legacy, personal_tokens, tokens
from watersmeet.database.audit import INTERNAL, Entry, Origin, Query, search
from watersmeet.database.engine import Database
from watersmeet.database.legacy import Acceptances
from watersmeet.database.schema import client_secrets, clients
from watersmeet.database.tokens import StoredPair
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.authorization import Authorization, CodeReplay
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import (
    CodeChallengeRequired,
    CodeExpired,
    CodeUnknown,
    CredentialInQuery,
    GrantRevoked,
    IntrospectionNotAllowed,
    InvalidClient,
    OAuthError,
)
from watersmeet.oauth2.family import STRICT_ROTATION, RefreshReplay, RotationPolicy
from watersmeet.oauth2.keys import Generation, Keys
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.batch import Asked
from watersmeet.tokens.exchange import ExchangeRequest, exchange, exchange_all
from watersmeet.tokens.introspect import ActiveToken, introspect
from watersmeet.tokens.issue import TokenIds
from watersmeet.tokens.refresh import RefreshRequest, refresh, refresh_all
from watersmeet.tokens.revoke import Ended, end_everything, revoke
from watersmeet.users.personal_token import Wanted, create_token

HERE = Origin(None, "203.0.113.1", "request 1")
THERE = Origin(None, "198.51.100.7", "request 2")
IN_QUERY = frozenset({Legacy.CREDENTIAL_IN_QUERY})
GRACE = RotationPolicy(grace=2 * SECOND)


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def credentials(grants: Grants, kinds: frozenset[Legacy] = frozenset()) -> ClientCredentials:
    return replace(grants.credentials, legacy=kinds)


def trail(grants: Grants, event: str) -> list[Entry]:
    """The events of a name, the oldest first."""
    return list(reversed(grants.database.read_now(lambda tx: search(tx, Query(event=event)))))


def entry(grants: Grants, found: Entry, at: Instant, origin: Origin, family: str, detail: dict[str, object]) -> Entry:
    """What an event of the one user and the one client must look like."""
    return Entry(
        found.id, at, found.event, origin.actor, "app", grants.registered.client.client_id, "App", family,
        origin.address, origin.request_id, detail,
    )  # fmt: skip


def counts(grants: Grants) -> dict[Legacy, Acceptances]:
    return dict(grants.database.read_now(lambda tx: legacy.of_client(tx, grants.client)))


def family_of(grants: Grants, issued: IssuedTokens) -> str:
    digest = KEYS.digest(issued.refresh_token)
    stored = grants.database.read_now(lambda tx: tokens.find_by_refresh_token(tx, digest))
    assert stored is not None
    return stored.family.id


def exchange_batch(
    grants: Grants, *asked: Asked[ExchangeRequest], allows_legacy: Callable[[Instant], bool] = lambda _now: True
) -> list[IssuedTokens | CodeReplay | OAuthError]:
    return grants.database.write_now(
        lambda tx: exchange_all(tx, asked, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY, allows_legacy=allows_legacy)
    )


def refresh_batch(
    grants: Grants, *asked: Asked[RefreshRequest], policy: RotationPolicy = STRICT_ROTATION
) -> list[IssuedTokens | RefreshReplay | OAuthError]:
    return grants.database.write_now(
        lambda tx: refresh_all(tx, asked, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY, policy=policy)
    )


def coming_back(code: str, verifier: str | None = VERIFIER) -> ExchangeRequest:
    return ExchangeRequest(code, REDIRECT_URI, verifier)


def again(issued: IssuedTokens) -> RefreshRequest:
    return RefreshRequest(issued.refresh_token, None, None)


def issued_by(outcome: object) -> IssuedTokens:
    assert isinstance(outcome, IssuedTokens), outcome
    return outcome


# ---- exchanges ----------------------------------------------------------------------------------------------


def test_s150_each_exchange_of_a_batch_is_in_the_trail_as_it_came(grants: Grants) -> None:
    codes = [grants.code(), grants.code()]
    outcomes = exchange_batch(
        grants,
        Asked(credentials(grants), coming_back(codes[0]), NOW + 1, HERE),
        Asked(credentials(grants), coming_back(codes[1]), NOW + 2, THERE),
    )
    first, second = (family_of(grants, issued_by(outcome)) for outcome in outcomes)
    found = trail(grants, "tokens.issued")
    assert found == [
        entry(grants, found[0], NOW + 1, HERE, first, {"scope": "WRITE"}),
        entry(grants, found[1], NOW + 2, THERE, second, {"scope": "WRITE"}),
    ]


def test_s073_s150_a_replayed_code_is_in_the_trail_once_with_whom_and_what_it_concerns(grants: Grants) -> None:
    code = grants.code()
    family = family_of(grants, issued_by(grants.exchange(code)))
    replay = Asked(credentials(grants), coming_back(code), NOW + 5, HERE)
    for later in (replay, replace(replay, now=NOW + 6, origin=THERE)):
        assert exchange_batch(grants, later) == [CodeReplay(family)]
    found = trail(grants, "code.replayed")
    assert found == [entry(grants, found[0], NOW + 5, HERE, family, {})]


@pytest.mark.parametrize("origin", [HERE, INTERNAL])
def test_a_single_exchange_and_a_single_refresh_keep_where_they_came_from(grants: Grants, origin: Origin) -> None:
    asked, code = credentials(grants), grants.code()

    def run(tx: Transaction) -> tuple[IssuedTokens, IssuedTokens]:
        issued = issued_by(
            exchange(
                tx, asked, coming_back(code), now=NOW, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY, origin=origin
            )
        )
        request = again(issued)
        following = refresh(
            tx, asked, request, now=NOW + 1, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY, origin=origin
        )
        return issued, issued_by(following)

    issued, _ = grants.database.write_now(run)
    for event in ("tokens.issued", "tokens.refreshed"):
        [found] = trail(grants, event)
        assert (found.address, found.request_id) == (origin.address, origin.request_id)
        assert found.family_id == family_of(grants, issued)


def test_a_refusal_in_the_middle_of_a_batch_keeps_nobody_behind_it_from_their_tokens(grants: Grants) -> None:
    good = [grants.code(), grants.code()]
    stranger = ClientCredentials("nobody", "x", from_basic=False)
    first, refused, unknown, second = exchange_batch(
        grants,
        Asked(credentials(grants), coming_back(good[0]), NOW),
        Asked(stranger, coming_back("c" * 64), NOW),
        Asked(credentials(grants), coming_back("d" * 64), NOW),
        Asked(credentials(grants), coming_back(good[1]), NOW),
    )
    assert [type(refused), type(unknown)] == [InvalidClient, CodeUnknown]
    grants.verify(issued_by(first).access_token)
    grants.verify(issued_by(second).access_token)


def test_s075_who_is_overtaken_between_look_and_move_is_a_replay_and_the_next_in_the_batch_is_not(
    grants: Grants, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, overtaken = [grants.code(), grants.code()], list[Authorization]()
    move = authorizations.exchange

    def somebody_is_quicker(tx: Transaction, moving: list[Authorization]) -> set[str]:
        if not overtaken:
            overtaken.append(replace(moving[0], family_id="f" * 32))
            move(tx, overtaken)
        return move(tx, moving)

    monkeypatch.setattr(authorizations, "exchange", somebody_is_quicker)
    lost, won = exchange_batch(grants, *(Asked(credentials(grants), coming_back(code), NOW, HERE) for code in codes))
    assert lost == CodeReplay("f" * 32)
    grants.verify(issued_by(won).access_token)
    assert len(trail(grants, "tokens.issued")) == 1


def test_n1_what_an_exchange_was_allowed_is_counted_told_and_in_the_trail(grants: Grants) -> None:
    codes = [grants.code(), grants.code()]
    first, second = exchange_batch(
        grants,
        Asked(credentials(grants, IN_QUERY), coming_back(codes[0]), NOW + 1, HERE),
        Asked(credentials(grants), coming_back(codes[1]), NOW + 2, THERE),
    )
    assert (issued_by(first).legacy, issued_by(second).legacy) == (IN_QUERY, frozenset())
    assert counts(grants) == {Legacy.CREDENTIAL_IN_QUERY: Acceptances(1, NOW + 1, NOW + 1)}
    [found] = trail(grants, "legacy.accepted")
    assert (found.at, found.client_id, found.address) == (NOW + 1, grants.registered.client.client_id, HERE.address)
    assert found.detail == {"kinds": ["credential-in-query"]}
    # A replay was allowed the same.
    exchange_batch(grants, Asked(credentials(grants, IN_QUERY), coming_back(codes[0]), NOW + 3, THERE))
    assert counts(grants) == {Legacy.CREDENTIAL_IN_QUERY: Acceptances(2, NOW + 1, NOW + 3)}
    assert trail(grants, "legacy.accepted")[1].address == THERE.address


def test_n1_what_the_authorization_lacked_is_told_with_what_the_exchange_did(grants: Grants) -> None:
    code = grants.code(pkce=False)
    [outcome] = exchange_batch(grants, Asked(credentials(grants, IN_QUERY), coming_back(code, None), NOW))
    without_pkce = {Legacy.NO_PKCE, Legacy.NEITHER_STATE_NOR_PKCE}
    assert issued_by(outcome).legacy == IN_QUERY | without_pkce
    counted = {kind: of.count for kind, of in counts(grants).items()}
    assert counted == {Legacy.CREDENTIAL_IN_QUERY: 1} | dict.fromkeys(without_pkce, 1), "once, when it was asked for"


@pytest.mark.parametrize("allowed", [True, False])
def test_s041_the_operator_s_rule_is_asked_for_the_moment_of_the_exchange(grants: Grants, allowed: bool) -> None:
    moments = list[Instant]()

    def allows_legacy(now: Instant) -> bool:
        moments.append(now)
        return allowed

    asked = Asked(credentials(grants), coming_back(grants.code(pkce=False), None), NOW + 7)
    [outcome] = exchange_batch(grants, asked, allows_legacy=allows_legacy)
    assert type(outcome) is (IssuedTokens if allowed else CodeChallengeRequired)
    assert moments == [NOW + 7]


def test_s097_a_secret_whose_time_is_over_exchanges_and_refreshes_nothing(grants: Grants) -> None:
    issued, code = grants.tokens(), grants.code()
    grants.database.write_now(
        lambda tx: tx.execute(client_secrets.update().values(expires_at=NOW + 10))  # of the one client there is
    )
    asked = credentials(grants)
    assert type(exchange_batch(grants, Asked(asked, coming_back(code), NOW + 10))[0]) is InvalidClient
    assert type(refresh_batch(grants, Asked(asked, again(issued), NOW + 10))[0]) is InvalidClient
    assert isinstance(exchange_batch(grants, Asked(asked, coming_back(code), NOW + 9))[0], IssuedTokens)
    assert isinstance(refresh_batch(grants, Asked(asked, again(issued), NOW + 9))[0], IssuedTokens)


def test_a_family_s_name_has_16_bytes_and_nobody_chose_it(grants: Grants) -> None:
    one, other = (family_of(grants, grants.tokens()) for _ in range(2))
    assert (len(one), len(other), one == other) == (32, 32, False)


# ---- refreshes ----------------------------------------------------------------------------------------------


def test_s150_each_refresh_of_a_batch_is_in_the_trail_as_it_came(grants: Grants) -> None:
    first, second = grants.tokens(), grants.tokens()
    refresh_batch(
        grants,
        Asked(credentials(grants), again(first), NOW + 1, HERE),
        Asked(credentials(grants), again(second), NOW + 2, THERE),
    )
    found = trail(grants, "tokens.refreshed")
    assert found == [
        entry(grants, found[0], NOW + 1, HERE, family_of(grants, first), {}),
        entry(grants, found[1], NOW + 2, THERE, family_of(grants, second), {}),
    ]


def test_s111_s150_what_is_sent_again_is_in_the_trail_and_told_what_it_was_allowed(grants: Grants) -> None:
    first = grants.tokens()
    [following] = refresh_batch(grants, Asked(credentials(grants), again(first), NOW, HERE), policy=GRACE)
    [resent] = refresh_batch(grants, Asked(credentials(grants, IN_QUERY), again(first), NOW + 9, THERE), policy=GRACE)
    assert resent == replace(issued_by(following), resent=True, legacy=IN_QUERY)
    found = trail(grants, "tokens.resent")
    assert found == [entry(grants, found[0], NOW + 9, THERE, family_of(grants, first), {})]
    assert counts(grants) == {Legacy.CREDENTIAL_IN_QUERY: Acceptances(1, NOW + 9, NOW + 9)}


@pytest.mark.parametrize(
    ("used", "because"), [(False, "reuse after lost response?"), (True, "replayed")], ids=["unused", "used"]
)
def test_s110_n10_a_replayed_refresh_token_is_in_the_trail_once_with_generation_and_cause(
    grants: Grants, used: bool, because: str
) -> None:
    first = grants.tokens()
    second = issued_by(grants.refresh(first.refresh_token))
    if used:
        grants.refresh(second.refresh_token)
    family = family_of(grants, first)
    replay = Asked(credentials(grants, IN_QUERY), again(first), NOW + 5, HERE)
    assert refresh_batch(grants, replay) == [RefreshReplay(family, 0, after_lost_response=not used)]
    [refused] = refresh_batch(grants, replay)
    assert type(refused) is GrantRevoked
    found = trail(grants, "refresh.replayed")
    assert found == [entry(grants, found[0], NOW + 5, HERE, family, {"generation": 0, "because": because})]
    assert counts(grants) == {Legacy.CREDENTIAL_IN_QUERY: Acceptances(1, NOW + 5, NOW + 5)}


def test_n1_what_a_refresh_was_allowed_is_counted_told_and_in_the_trail(grants: Grants) -> None:
    [outcome] = refresh_batch(grants, Asked(credentials(grants, IN_QUERY), again(grants.tokens()), NOW + 4, HERE))
    assert issued_by(outcome).legacy == IN_QUERY
    assert counts(grants) == {Legacy.CREDENTIAL_IN_QUERY: Acceptances(1, NOW + 4, NOW + 4)}
    [found] = trail(grants, "legacy.accepted")
    assert (found.at, found.client_id, found.address) == (NOW + 4, grants.registered.client.client_id, HERE.address)


def test_a_refusal_in_the_middle_of_a_batch_of_refreshes_keeps_nobody_behind_it(grants: Grants) -> None:
    first, second = grants.tokens(), grants.tokens()
    stranger = ClientCredentials("nobody", "x", from_basic=False)
    one, refused, other = refresh_batch(
        grants,
        Asked(credentials(grants), again(first), NOW),
        Asked(stranger, again(grants.tokens()), NOW),
        Asked(credentials(grants), again(second), NOW),
    )
    assert type(refused) is InvalidClient
    grants.verify(issued_by(one).access_token)
    grants.verify(issued_by(other).access_token)


def test_s112_who_is_overtaken_between_look_and_move_looks_again_and_the_next_in_the_batch_wins(
    grants: Grants, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = grants.tokens(), grants.tokens()
    overtaken, move = list[StoredPair](), tokens.spend

    def somebody_is_quicker(tx: Transaction, spending: list[StoredPair]) -> set[int]:
        if not overtaken:
            overtaken.append(spending[0])
            move(tx, overtaken)
        return move(tx, spending)

    monkeypatch.setattr(tokens, "spend", somebody_is_quicker)
    lost, won = refresh_batch(
        grants, *(Asked(credentials(grants), again(issued), NOW, HERE) for issued in (first, second))
    )
    assert lost == RefreshReplay(family_of(grants, first), 0)
    grants.verify(issued_by(won).access_token)


def test_s112_two_generations_of_a_family_in_one_batch_are_decided_one_after_the_other(grants: Grants) -> None:
    first = grants.tokens()
    second = issued_by(grants.refresh(first.refresh_token))
    batch = [Asked(credentials(grants), again(each), NOW, HERE) for each in (second, first)]
    third, replay = refresh_batch(grants, *batch)
    # The newest was refreshed before the spent one came: it is not the last but one any more.
    assert replay == RefreshReplay(family_of(grants, first), 0)
    with pytest.raises(GrantRevoked):
        grants.refresh(issued_by(third).refresh_token)


def test_families_of_one_batch_are_moved_at_once(grants: Grants, monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement however many callers it serves; a second one only where a family comes twice."""
    one, other = grants.tokens(), grants.tokens()
    moved, move = list[int](), tokens.spend

    def noting(tx: Transaction, spending: list[StoredPair]) -> set[int]:
        moved.append(len(spending))
        return move(tx, spending)

    monkeypatch.setattr(tokens, "spend", noting)
    outcomes = refresh_batch(grants, *(Asked(credentials(grants), again(issued), NOW) for issued in (one, other)))
    assert [type(outcome) for outcome in outcomes] == [IssuedTokens] * 2
    assert moved == [2]


@pytest.mark.parametrize(("profile", "length"), [(Profile.STRICT, 163), (Profile.ATLASSIAN_DC, 120)])
@pytest.mark.parametrize("policy", [STRICT_ROTATION, GRACE], ids=["no grace", "grace"])
def test_n7_n10_a_successor_is_as_long_as_its_client_s_tokens_and_follows_only_where_there_is_a_grace(
    grants: Grants, profile: Profile, length: int, policy: RotationPolicy
) -> None:
    grants.database.write_now(lambda tx: tx.execute(clients.update().values(profile=profile.value)))
    first = grants.tokens()
    [outcome] = refresh_batch(grants, Asked(credentials(grants), again(first), NOW), policy=policy)
    issued = issued_by(outcome)
    assert [len(token) for token in (first.access_token, issued.access_token, issued.refresh_token)] == [length] * 3
    size = 16 if length == 120 else 32
    follows = TokenIds.following(first.refresh_token, 1, KEYS, size).seal(issued.pair, KEYS)
    assert (issued.body() == follows.body()) == (policy is GRACE)


# ---- revocation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validate", [True, False])
def test_s131_s150_a_revocation_is_in_the_trail_and_so_is_what_it_was_allowed(grants: Grants, validate: bool) -> None:
    issued = grants.tokens()
    family = family_of(grants, issued)

    def run(tx: Transaction) -> bool:
        return revoke(
            tx,
            credentials(grants, IN_QUERY),
            issued.access_token,
            validate_secret=validate,
            now=NOW + 3,
            keys=KEYS,
            origin=HERE,
        )

    assert grants.database.write_now(run)
    assert not grants.database.write_now(run), "there is nothing left to end"
    found = trail(grants, "tokens.revoked")
    assert found == [entry(grants, found[0], NOW + 3, HERE, family, {})]
    noted = trail(grants, "legacy.accepted")
    assert [(each.at, each.address, each.detail) for each in noted] == [
        (NOW + 3, HERE.address, {"kinds": ["credential-in-query"]})
    ] * 2


@pytest.mark.parametrize("validate", [True, False])
def test_s023_a_strict_client_s_token_in_the_url_is_not_revoked_whether_its_secret_is_looked_at_or_not(
    grants: Grants, validate: bool
) -> None:
    issued = grants.tokens()
    grants.database.write_now(lambda tx: tx.execute(clients.update().values(profile=Profile.STRICT.value)))
    with pytest.raises(CredentialInQuery):
        grants.revoke(issued.access_token, credentials=credentials(grants, IN_QUERY), validate=validate)
    grants.verify(issued.access_token)


def test_s150_everything_that_ends_at_once_is_one_event_that_counts(grants: Grants) -> None:
    issued = [grants.tokens(), grants.tokens()]
    code = grants.code()
    assert grants.database.write_now(lambda tx: end_everything(tx, NOW + 8, HERE)) == Ended(2, 1, 0)
    [found] = trail(grants, "access.removed")
    assert (found.at, found.address, found.username, found.client_id) == (NOW + 8, HERE.address, None, None)
    assert found.detail == {"grants_ended": 2, "sessions_ended": 1}
    for each in issued:
        stored = grants.database.read_now(
            lambda tx, each=each: tokens.find_by_refresh_token(tx, KEYS.digest(each.refresh_token))  # type: ignore[misc]
        )
        assert stored is not None
        assert stored.family.revoked_at == NOW + 8
    assert type(exchange_batch(grants, Asked(credentials(grants), coming_back(code), NOW + 8))[0]) is CodeUnknown


def test_s150_personal_tokens_that_end_with_everything_are_counted_where_there_were_any(grants: Grants) -> None:
    wanted = Wanted("A script", Scope.READ, 1)
    made = grants.database.write_now(
        lambda tx: create_token(tx, grants.session.user, wanted, maker=None, now=NOW, keys=KEYS, entropy=ENTROPY)
    )
    assert grants.database.write_now(lambda tx: end_everything(tx, NOW + 8)) == Ended(0, 1, 1)
    [found] = trail(grants, "access.removed")
    assert found.detail == {"grants_ended": 0, "sessions_ended": 1, "personal_tokens_ended": 1}
    [live] = grants.database.read_now(lambda tx: personal_tokens.find_live(tx, [KEYS.digest(made.raw)]))
    assert live is None


# ---- introspection ------------------------------------------------------------------------------------------


def test_s134_a_secret_whose_time_is_over_introspects_nothing(grants: Grants) -> None:
    token = grants.tokens().access_token
    grants.database.write_now(lambda tx: tx.execute(client_secrets.update().values(expires_at=NOW + 10)))

    def ask(now: Instant) -> object:
        return grants.database.read_now(lambda tx: introspect(tx, credentials(grants), token, now=now, keys=KEYS))

    assert ask(NOW + 9) is not None
    with pytest.raises(InvalidClient):
        ask(NOW + 10)


def test_s072_a_code_s_time_is_that_of_the_request_not_of_the_batch(grants: Grants) -> None:
    codes = [grants.code(), grants.code()]
    in_time, late = exchange_batch(
        grants,
        Asked(credentials(grants), coming_back(codes[0]), NOW + CODE_LIFETIME - 1),
        Asked(credentials(grants), coming_back(codes[1]), NOW + CODE_LIFETIME),
    )
    assert isinstance(in_time, IssuedTokens)
    assert type(late) is CodeExpired


@pytest.mark.parametrize(
    ("own", "may", "told"), [(True, False, True), (True, True, True), (False, False, False), (False, True, True)]
)
def test_s134_a_client_hears_of_its_own_tokens_and_of_others_where_an_administrator_allowed_it(
    grants: Grants, own: bool, may: bool, told: bool
) -> None:
    other = grants.database.write_now(lambda tx: register_client(tx, "Other"))
    issued = grants.tokens(now=NOW + 5)
    asking = grants.registered if own else other
    rule = clients.update().where(clients.c.id == asking.client.id).values(may_introspect=may)
    grants.database.write_now(lambda tx: tx.execute(rule))
    asks = ClientCredentials(asking.client.client_id, asking.client_secret, from_basic=False)

    def ask(token: str, now: Instant = NOW + 6) -> ActiveToken | None:
        return grants.database.read_now(lambda tx: introspect(tx, asks, token, now=now, keys=KEYS))

    found = ask(issued.access_token)
    assert (found is not None) is told
    if found is not None:
        assert (found.client_id, found.caller.user.username) == (grants.registered.client.client_id, "app")
        assert (found.issued_at, found.expires_at) == (NOW + 5, NOW + 5 + LIFETIMES.access_token)
        assert str(found.caller.scope) == "WRITE"
    assert ask(issued.refresh_token) is None
    assert ask("noise") is None
    assert ask(issued.access_token, NOW + 5 + LIFETIMES.access_token) is None


def test_s134_the_same_is_looked_up_whatever_is_asked_about(grants: Grants) -> None:
    other = grants.database.write_now(lambda tx: register_client(tx, "Other"))
    asks = ClientCredentials(other.client.client_id, other.client_secret, from_basic=False)
    revoked, expired, foreign = (grants.tokens().access_token for _ in range(3))
    grants.revoke(revoked)
    statements: list[str] = []

    def note(*args: object) -> None:
        statements.append(str(args[2]))

    def look_ups(token: str, now: Instant = NOW) -> list[str]:
        statements.clear()
        listen(grants.database.engine, "before_cursor_execute", note)
        try:
            assert grants.database.read_now(lambda tx: introspect(tx, asks, token, now=now, keys=KEYS)) is None
        finally:
            remove(grants.database.engine, "before_cursor_execute", note)
        return list(statements)

    made = look_ups(foreign)
    assert made
    unknown = foreign[:-10] + foreign[-10:].swapcase()
    assert [look_ups(token) for token in (unknown, revoked, "malformed", "")] == [made] * 4
    assert look_ups(expired, NOW + LIFETIMES.access_token) == made


def test_s135_a_token_is_said_to_end_with_its_link(grants: Grants) -> None:
    token = grants.tokens().access_token
    grants.database.write_now(lambda tx: tx.execute(clients.update().values(expires_at=NOW + 10)))

    def ask(now: Instant) -> ActiveToken | None:
        return grants.database.read_now(lambda tx: introspect(tx, credentials(grants), token, now=now, keys=KEYS))

    found = ask(NOW + 9)
    assert found is not None
    assert found.expires_at == NOW + 10
    with pytest.raises(InvalidClient):
        ask(NOW + 10)


def test_s149_a_token_of_a_key_that_is_gone_is_inactive(grants: Grants) -> None:
    token, present = grants.tokens().access_token, Keys.derive("the secret of these tests, long enough to be one")
    present.adopt([Generation("later", "salt", 0, 0, None)], NOW)

    def ask(keys: Keys) -> ActiveToken | None:
        return grants.database.read_now(lambda tx: introspect(tx, credentials(grants), token, now=NOW, keys=keys))

    assert ask(KEYS) is not None
    assert ask(present) is None


def test_s134_a_public_client_hears_nothing(grants: Grants) -> None:
    public = grants.database.write_now(lambda tx: register_client(tx, "Public", confidential=False)).client
    asks = ClientCredentials(public.client_id, None, from_basic=False)
    token = grants.tokens().access_token
    with pytest.raises(IntrospectionNotAllowed) as refused:
        grants.database.read_now(lambda tx: introspect(tx, asks, token, now=NOW, keys=KEYS))
    assert refused.value.detail == f"client {public.client_id}"
