"""What people see of links, grants and sessions, and disabling a link: on both engines."""

from __future__ import annotations

import pytest

from tests.support.grants import ENTROPY, KEYS, LIFETIMES, NOW, Grants, answering, register_client, together
from watersmeet.authorize.begin import begin
from watersmeet.authorize.decide import NoOpenQuestion, PasswordNeeded, approve, find_question, reopen_question
from watersmeet.clock import SECOND
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database import audit, clients, tokens, users, uses
from watersmeet.database.engine import Database
from watersmeet.database.tokens import Usage
from watersmeet.database.transaction import Transaction
from watersmeet.links.credentials import TimeOver, any_expired, disable_link, enable_link, end_expired
from watersmeet.links.register import UnacceptableLink, change_rules, require_link
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.errors import (
    ClientDisabled,
    ClientExpired,
    CodeUnknown,
    GrantRevoked,
    InvalidClient,
    ScopeAboveGrant,
    TokenInvalid,
)
from watersmeet.oauth2.family import TokenPair
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.users import session as sessions


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def _approve(grants: Grants, question: Authorization, scope: Scope | None = None, *, typed: bool = False) -> str:
    return grants.database.write_now(
        lambda tx: approve(
            tx,
            question.id,
            answering(grants.session),
            scope=scope.as_set if scope else None,
            has_typed_password=typed,
        )
    )


def test_s060_the_smaller_scope_is_what_the_code_is_worth(grants: Grants) -> None:
    question = grants.ask(scope="WRITE")
    code = _approve(grants, question, Scope.READ).partition("code=")[2].partition("&")[0]
    issued = grants.exchange(code)
    assert isinstance(issued, IssuedTokens)
    assert str(issued.pair.scope) == "READ"
    with pytest.raises(ScopeAboveGrant):
        grants.refresh(issued.refresh_token, scope=Scope.WRITE.as_set)


def test_s060_s068_a_refused_answer_leaves_the_question_open(database: Database) -> None:
    grants = Grants.prepare(database, role=Role.ADMINISTRATOR)
    database.write_now(
        lambda tx: clients.change(
            tx, grants.client, name="App", scope=Scope.ADMIN.as_set, uris=grants.registered.client.redirect_uris
        )
    )
    question = grants.ask(scope="ADMIN")
    with pytest.raises(PasswordNeeded):
        _approve(grants, question)
    with pytest.raises(ScopeAboveGrant):
        _approve(grants, question, Scope.SYSTEM_ADMIN, typed=True)
    assert database.read_now(lambda tx: reopen_question(tx, question.id, grants.session, NOW)).authorization == question
    assert "code=" in _approve(grants, question, typed=True)
    with pytest.raises(NoOpenQuestion):
        database.read_now(lambda tx: reopen_question(tx, question.id, grants.session, NOW))


def test_the_first_time_is_over_once_something_was_given(grants: Grants) -> None:
    def is_first_time() -> bool:
        question = grants.ask()
        return grants.database.read_now(
            lambda tx: find_question(tx, grants.session, question.request_digest, NOW)
        ).is_first_time

    assert is_first_time()
    grants.tokens()
    assert not is_first_time()


def test_usage_counts_people_grants_and_tokens_that_work(grants: Grants) -> None:
    database = grants.database
    other = database.write_now(lambda tx: register_client(tx, "Other"))
    first, second = grants.tokens(), grants.tokens()
    assert database.read_now(lambda tx: tokens.usage_by_client(tx, NOW)) == {grants.client: Usage(1, 2, 4)}
    assert database.read_now(lambda tx: tokens.list_users_of(tx, grants.client, NOW)) == [grants.session.user]
    assert database.read_now(lambda tx: tokens.list_users_of(tx, other.client.id, NOW)) == []
    grants.revoke(first.refresh_token)
    assert database.read_now(lambda tx: tokens.usage_by_client(tx, NOW)) == {grants.client: Usage(1, 1, 2)}
    grants.refresh(second.refresh_token)
    assert database.read_now(lambda tx: tokens.usage_by_client(tx, NOW)) == {grants.client: Usage(1, 1, 2)}
    assert database.read_now(lambda tx: tokens.usage_of(tx, grants.client, NOW)) == Usage(1, 1, 2)
    assert database.read_now(lambda tx: tokens.usage_of(tx, other.client.id, NOW)) == Usage()
    # The access token has expired, and can be renewed.
    later = NOW + LIFETIMES.access_token
    assert database.read_now(lambda tx: tokens.usage_by_client(tx, later)) == {grants.client: Usage(1, 1, 1)}
    assert database.read_now(lambda tx: tokens.usage_by_client(tx, NOW + 91 * 86_400 * SECOND)) == {}


def test_the_latest_use_is_kept_whatever_is_written_last(grants: Grants) -> None:
    database, issued = grants.database, grants.tokens()
    family = grants.verify(issued.access_token).family_id
    for at in (NOW + 5, NOW + 9, NOW + 7):
        database.write_now(
            lambda tx, at=at: uses.write(  # type: ignore[misc]
                tx, families={family: at, "gone": at}, session_digests={grants.session.digest: at, "gone": at}
            )
        )
    [grant] = database.read_now(lambda tx: tokens.list_grants(tx, grants.session.user.id, NOW))
    [session] = database.read_now(lambda tx: users.list_sessions(tx, grants.session.user.id, NOW))
    client = database.read_now(lambda tx: clients.find_by_id(tx, grants.client))
    assert client is not None
    assert (grant.last_used_at, session.last_seen_at, client.last_used_at) == (NOW + 9,) * 3


def test_sessions_are_named_by_the_beginning_of_their_digest(grants: Grants) -> None:
    database, user = grants.database, grants.session.user

    def sign_in(tx: Transaction) -> str | None:
        return sessions.start(tx, user, KEYS, ENTROPY, NOW, 60 * SECOND)

    for _ in range(3):
        database.write_now(sign_in)
    found = database.read_now(lambda tx: users.list_sessions(tx, user.id, NOW))
    assert len(found) == 4
    name = next(row.digest for row in found if row.digest != grants.session.digest)[: users.SESSION_NAME_LENGTH]
    assert database.write_now(lambda tx: users.end_session_of(tx, user.id + 1, name)) == 0
    assert database.write_now(lambda tx: users.end_session_of(tx, user.id, name)) == 1
    assert database.write_now(lambda tx: users.end_session_of(tx, user.id, "%" * users.SESSION_NAME_LENGTH)) == 0
    assert database.write_now(lambda tx: users.end_other_sessions(tx, user.id, grants.session.digest)) == 2
    assert [row.digest for row in database.read_now(lambda tx: users.list_sessions(tx, user.id, NOW))] == [
        grants.session.digest
    ]


def test_s099_a_disabled_client_has_nothing_left(grants: Grants) -> None:
    database, client = grants.database, grants.registered.client
    issued, code, question = grants.tokens(), grants.code(), grants.ask()
    assert database.write_now(lambda tx: disable_link(tx, client, NOW)) == 1
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token)
    for refused in (lambda: grants.exchange(code), lambda: grants.refresh(issued.refresh_token)):
        with pytest.raises(InvalidClient):
            refused()
    with pytest.raises(NoOpenQuestion):
        _approve(grants, question)
    with pytest.raises(ClientDisabled):
        database.write_now(
            lambda tx: begin(
                tx,
                Parameters((("client_id", client.client_id), ("redirect_uri", client.redirect_uris[0].value))),
                grants.session,
                NOW,
                ENTROPY,
            )
        )
    database.write_now(lambda tx: enable_link(tx, client, NOW))
    with pytest.raises(GrantRevoked):
        grants.refresh(issued.refresh_token)
    with pytest.raises(CodeUnknown):
        grants.exchange(code)
    with pytest.raises(NoOpenQuestion):
        _approve(grants, question)
    assert isinstance(grants.tokens().pair, TokenPair)
    assert question.status is AuthorizationStatus.PENDING


def test_s099_disabling_while_codes_are_exchanged_leaves_no_live_token(grants: Grants) -> None:
    database, client = grants.database, grants.registered.client
    codes = [grants.code() for _ in range(7)]

    def work(number: int) -> object:
        if number == len(codes):
            return database.write_now(lambda tx: disable_link(tx, client, NOW))
        return grants.exchange(codes[number])

    outcomes = together(len(codes) + 1, work)
    for outcome in outcomes:
        assert isinstance(outcome, IssuedTokens | int | InvalidClient | CodeUnknown), outcome
    database.write_now(lambda tx: enable_link(tx, client, NOW))  # were any family alive, it would show now
    for outcome in outcomes:
        if isinstance(outcome, IssuedTokens):
            with pytest.raises(TokenInvalid):
                grants.verify(outcome.access_token)


def test_a_link_whose_time_is_over_is_refused_at_once_and_ended_by_the_sweep(grants: Grants) -> None:
    database, client, later = grants.database, grants.registered.client, NOW + SECOND
    issued, code, question = grants.tokens(), grants.code(), grants.ask()
    database.write_now(lambda tx: change_rules(tx, client, NOW, expires_at=later))
    assert grants.verify(issued.access_token).user.username
    assert not database.read_now(lambda tx: any_expired(tx, NOW))
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token, now=later)
    for refused in (lambda: grants.exchange(code, now=later), lambda: grants.refresh(issued.refresh_token, now=later)):
        with pytest.raises(InvalidClient):
            refused()
    with pytest.raises(NoOpenQuestion):
        database.read_now(lambda tx: reopen_question(tx, question.id, grants.session, later))
    asked = Parameters((("client_id", client.client_id), ("redirect_uri", client.redirect_uris[0].value)))
    with pytest.raises(ClientExpired):
        database.write_now(lambda tx: begin(tx, asked, grants.session, later, ENTROPY))

    assert database.read_now(lambda tx: any_expired(tx, later))
    assert database.write_now(lambda tx: end_expired(tx, later, 20)) == 1
    assert not database.read_now(lambda tx: any_expired(tx, later))
    [newest] = database.read_now(lambda tx: audit.search(tx, audit.Query(event="link.expired")))
    assert (newest.client_id, newest.detail["grants_ended"]) == (client.client_id, 1)

    def present(tx: Transaction) -> Client:
        return require_link(tx, client.client_id)

    with pytest.raises(TimeOver):
        database.write_now(lambda tx: enable_link(tx, present(tx), later))
    with pytest.raises(UnacceptableLink):
        database.write_now(lambda tx: change_rules(tx, present(tx), later, expires_at=NOW))
    database.write_now(lambda tx: change_rules(tx, present(tx), later, expires_at="never"))
    database.write_now(lambda tx: enable_link(tx, present(tx), later))
    with pytest.raises(GrantRevoked):
        grants.refresh(issued.refresh_token, now=later)


def test_the_latest_use_counts_with_the_network_it_came_from(grants: Grants) -> None:
    database = grants.database
    issued = [grants.tokens(), grants.tokens()]
    families = [grants.verify(tokens_.access_token).family_id for tokens_ in issued]

    def use(family: str, at: int, network: str | None) -> None:
        database.write_now(
            lambda tx: uses.write(tx, families={family: at}, networks={family: network}, session_digests={})
        )

    def last() -> tuple[int | None, str | None]:
        [grant] = database.read_now(lambda tx: tokens.list_grants(tx, grants.session.user.id, NOW))
        return grant.last_used_at, grant.last_used_from

    assert last() == (None, None)
    use(families[0], NOW + 2, "192.0.2.0/24")
    use(families[1], NOW + 1, "2001:db8::/48")
    assert last() == (NOW + 2, "192.0.2.0/24")
    use(families[0], NOW, "198.51.100.0/24")  # from a process whose write comes late
    assert last() == (NOW + 2, "192.0.2.0/24")
    use(families[1], NOW + 3, None)
    assert last() == (NOW + 3, None)
