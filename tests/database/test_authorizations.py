"""Consent questions on both engines: one answer each, bound to the browser, pruned late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.grants import CODE_LIFETIME, NOW, Grants, answering, together
from watersmeet.authorize.begin import QUESTION_LIFETIME
from watersmeet.authorize.decide import NoOpenQuestion, approve, deny, find_question
from watersmeet.confluence.scopes import Scope
from watersmeet.database import authorizations
from watersmeet.database.engine import Database
from watersmeet.links.register import Registration, edit
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus, CodeReplay
from watersmeet.oauth2.errors import CodeUnknown
from watersmeet.settings import Settings
from watersmeet.tokens.sweep import CODE_RETENTION, sweeps
from watersmeet.users.session import Session


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def allow(grants: Grants, question: Authorization, session: Session | None = None, now: int = NOW) -> str:
    return grants.database.write_now(
        lambda tx: approve(tx, question.id, answering(session or grants.session, now)),
    )


@pytest.mark.parametrize("pkce", [True, False])
def test_what_is_stored_is_read_back_the_same(grants: Grants, pkce: bool) -> None:
    question = grants.ask(pkce=pkce, state="s 🦆 &=#%+" * 200)
    assert grants.database.read_now(lambda tx: authorizations.find(tx, question.id)) == question
    assert grants.database.read_now(lambda tx: authorizations.find(tx, "0" * 32)) is None


def test_s046_a_question_is_found_by_its_browser_and_its_parameters(grants: Grants) -> None:
    question = grants.ask()
    digest = question.request_digest
    found = grants.database.read_now(lambda tx: find_question(tx, grants.session, digest, NOW))
    assert found.authorization == question
    elsewhere = replace(grants.session, digest="0" * 64)
    for session, wanted in ((grants.session, "0" * 64), (elsewhere, digest)):
        with pytest.raises(NoOpenQuestion):
            grants.database.read_now(lambda tx, s=session, w=wanted: find_question(tx, s, w, NOW))  # type: ignore[misc]


def test_s049_of_20_answers_at_once_exactly_one_counts(grants: Grants) -> None:
    question = grants.ask()
    outcomes = together(
        20,
        lambda number: (
            allow(grants, question)
            if number % 2
            else grants.database.write_now(lambda tx: deny(tx, question.id, answering(grants.session)))
        ),
    )
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, NoOpenQuestion) for outcome in outcomes) == 19


def test_s055_only_the_browser_and_user_that_were_asked_may_answer(grants: Grants) -> None:
    question = grants.ask()
    other = Grants.prepare(grants.database, "Other")
    for session in (other.session, replace(grants.session, user=other.session.user),
                    replace(grants.session, digest=other.session.digest)):  # fmt: skip
        with pytest.raises(NoOpenQuestion):
            allow(grants, question, session)
    assert "code=" in allow(grants, question)


def test_a_question_stays_open_for_ten_minutes(grants: Grants) -> None:
    in_time, late = grants.ask(state="1"), grants.ask(state="2")
    assert "state=1" in allow(grants, in_time, now=NOW + QUESTION_LIFETIME - 1)
    with pytest.raises(NoOpenQuestion):
        allow(grants, late, now=NOW + QUESTION_LIFETIME)


@pytest.mark.parametrize(
    ("uri", "scope"), [("https://app.example/moved", Scope.WRITE), ("https://app.example/cb", Scope.READ)]
)
def test_s041_the_registration_is_looked_at_again_when_the_user_answers(grants: Grants, uri: str, scope: Scope) -> None:
    question = grants.ask()
    changed = Registration.check(name="App", redirect_uris=[uri], scope=scope, allow_http=False)
    grants.database.write_now(lambda tx: edit(tx, grants.registered.client.client_id, changed, NOW))
    with pytest.raises(NoOpenQuestion):
        allow(grants, question)


def test_denying_says_so_and_gives_no_code(grants: Grants) -> None:
    question = grants.ask(state="xyz")
    url = grants.database.write_now(lambda tx: deny(tx, question.id, answering(grants.session)))
    assert url == "https://app.example/cb?error=access_denied&state=xyz"
    stored = grants.database.read_now(lambda tx: authorizations.find(tx, question.id))
    assert stored is not None
    assert (stored.status, stored.code_digest) == (AuthorizationStatus.DENIED, None)


def test_a_transition_from_a_state_that_has_passed_changes_nothing(grants: Grants) -> None:
    question = grants.ask()
    denied = question.deny(NOW)
    assert grants.database.write_now(lambda tx: authorizations.move(tx, question, denied))
    approved = question.approve(NOW, "c" * 64, NOW + 1)
    assert not grants.database.write_now(lambda tx: authorizations.move(tx, question, approved))
    assert grants.database.read_now(lambda tx: authorizations.find(tx, question.id)) == denied


def test_s079_used_codes_are_pruned_a_day_late_so_that_replay_is_seen(grants: Grants) -> None:
    code = grants.code()
    grants.exchange(code)
    codes, *_ = sweeps(Settings())
    before_end = NOW + CODE_LIFETIME + CODE_RETENTION - codes.retention
    assert grants.database.write_now(lambda tx: authorizations.prune(tx, before_end, 10)) == 0
    assert isinstance(grants.exchange(code, now=before_end + CODE_RETENTION), CodeReplay)
    assert grants.database.write_now(lambda tx: authorizations.prune(tx, before_end + 1, 10)) == 1
    with pytest.raises(CodeUnknown):
        grants.exchange(code)


def test_pruning_is_bounded(grants: Grants) -> None:
    for number in range(5):
        grants.ask(state=str(number))
    before = NOW + QUESTION_LIFETIME + 1
    assert grants.database.read_now(lambda tx: authorizations.any_expired(tx, before))
    assert [grants.database.write_now(lambda tx: authorizations.prune(tx, before, 2)) for _ in range(4)] == [2, 2, 1, 0]
    assert not grants.database.read_now(lambda tx: authorizations.any_expired(tx, before))
