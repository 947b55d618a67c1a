"""The decision: the question as it is shown, and the user's answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.database import audit, authorizations, clients, consents, legacy, tokens, users
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.authorization import Authorization
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.consent import Consent, may_be_remembered
from watersmeet.oauth2.errors import AccessDenied, OAuthError
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.redirect import find_match
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.users.session import Session


class NoOpenQuestion(WatersmeetError):
    """A consent page was opened or answered that belongs to no open question of this browser."""

    description = (
        "This request has been answered, has expired, was changed, or belongs to another sign-in. "
        "Go back to the application and start again."
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What the consent page shows; ``held`` is the client as the operator's switch over all profiles leaves it."""

    authorization: Authorization
    client: Client
    held: Client
    is_first_time: bool

    @property
    def may_be_remembered(self) -> bool:
        """Whether an answer may stand for later questions; never one that gives administration away."""
        return may_be_remembered(self.authorization, self.held) and not self.authorization.scope.is_administrative


class PasswordNeeded(WatersmeetError):
    """Administration is only given away by somebody who has just typed their password (S068)."""

    description = "To allow administration, type your password. To go on without it, allow less."


class WrongPassword(WatersmeetError):
    """The password typed on the consent page is not the user's."""

    description = "The password is wrong. Nothing was allowed."


@dataclass(frozen=True, slots=True)
class Leniency:
    """What the operator lets applications do at present: redirect to plain http, use the legacy profile."""

    plain_http: bool = False
    legacy: bool = True


AS_SHIPPED = Leniency()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Who answers, when, from where, and by which rules: the same whatever the answer is.

    ``code_lifetime`` is in milliseconds; ``issuer`` is told to the client (RFC 9207), unless it is ``None``.
    """

    session: Session
    now: Instant
    keys: Keys
    entropy: Entropy
    code_lifetime: Instant
    origin: Origin = INTERNAL
    issuer: str | None = None
    leniency: Leniency = AS_SHIPPED


def find_question(
    tx: Transaction, session: Session, request_digest: str, now: Instant, *, leniency: Leniency = AS_SHIPPED
) -> Question:
    """The open question with these parameters that this browser was sent to answer.

    Raises ``NoOpenQuestion``, also when a parameter of the URL was changed on the way (S046).
    """
    authorization = authorizations.find_by_request(tx, session.digest, request_digest)
    return _open_question(tx, authorization, session, now, leniency)


def reopen_question(
    tx: Transaction, authorization_id: str, session: Session, now: Instant, *, leniency: Leniency = AS_SHIPPED
) -> Question:
    """The open question with that identifier, to be shown again. Raises ``NoOpenQuestion``."""
    return _open_question(tx, authorizations.find(tx, authorization_id), session, now, leniency)


def approve(
    tx: Transaction,
    authorization_id: str,
    answering: Answering,
    *,
    scope: ScopeSet | None = None,
    has_typed_password: bool = False,
    remember: Instant = 0,
) -> str:
    """Allow: the URL that carries the code to the client. Raises ``NoOpenQuestion`` or ``PasswordNeeded``.

    ``scope`` gives less than was asked for (S060); more raises ``ScopeAboveGrant``. ``remember`` is for how long the
    user need not be asked as much again, in milliseconds, where that may be (S057).
    """
    question = _question_to_answer(tx, authorization_id, answering)
    asked = question.authorization
    granted = asked.narrowed_to(scope) if scope is not None else asked
    if not has_typed_password and granted.scope.is_administrative:
        raise PasswordNeeded
    url = _give_code(tx, question, granted, answering)
    remembered = {}
    if remember and question.may_be_remembered:
        consent = Consent.to(granted, question.held, answering.now, remember)
        consents.add(tx, consent)
        remembered = {"remembered_until": consent.expires_at}
    _record_allowed(tx, Event.CONSENT_ALLOWED, question, answering, granted.scope, **remembered)
    return url


def approve_again(tx: Transaction, authorization_id: str, answering: Answering, *, longest: Instant) -> str | None:
    """``approve`` without asking, if the user allowed as much before and wanted it remembered; ``None``: ask.

    ``longest`` is how long the operator lets consent be remembered, in milliseconds. Raises ``NoOpenQuestion``.
    """
    question = _question_to_answer(tx, authorization_id, answering)
    asked = question.authorization
    if not question.may_be_remembered:
        return None
    known = consents.hold(tx, asked.client, asked.user_id, asked.redirect_uri.value)
    if not any(consent.covers(asked, question.held, answering.now, longest) for consent in known):
        return None
    url = _give_code(tx, question, asked, answering)
    _record_allowed(tx, Event.CONSENT_REUSED, question, answering, asked.scope)
    return url


def deny(tx: Transaction, authorization_id: str, answering: Answering) -> str:
    """Deny: the URL that tells the client so. Raises ``NoOpenQuestion``.

    Whoever denies is asked again the next time, whatever they allowed before.
    """
    question = _question_to_answer(tx, authorization_id, answering)
    asked, client = question.authorization, question.client
    _move(tx, asked, asked.deny(answering.now))
    consents.forget(tx, user_id=answering.session.user.id, client=client.id)
    _record(tx, Event.CONSENT_DENIED, question, answering, asked.scope)
    answer = {"error": AccessDenied.code.value, "state": asked.state}
    return client.answer_url(asked.redirect_uri, answer, answering.issuer)


def _give_code(tx: Transaction, question: Question, granted: Authorization, answering: Answering) -> str:
    """The URL with a code for what was granted. The code has 256 random bits; only its digest is kept (S071)."""
    asked, now, code = question.authorization, answering.now, answering.entropy.hex(32)
    _move(tx, asked, granted.approve(now, answering.keys.digest(code), now + answering.code_lifetime))
    return question.client.answer_url(asked.redirect_uri, {"code": code, "state": asked.state}, answering.issuer)


def _question_to_answer(tx: Transaction, authorization_id: str, answering: Answering) -> Question:
    # The session was looked up in another transaction; since then its user may have signed out, been disabled, or
    # got another password, and what that withdrew must not come into being afterwards (S067, S117).
    session, now = answering.session, answering.now
    if users.hold_session(tx, session.digest, now) is None:
        raise NoOpenQuestion(detail="the session ended")
    return _open_question(tx, authorizations.find(tx, authorization_id), session, now, answering.leniency)


def _open_question(
    tx: Transaction, authorization: Authorization | None, session: Session, now: Instant, leniency: Leniency
) -> Question:
    # Only the browser and the user that were asked may see or answer the question (S055).
    if authorization is None or not authorization.is_open(now) or not _is_asked_of(authorization, session):
        raise NoOpenQuestion
    client = clients.find_by_id(tx, authorization.client)
    # The registration, or what may be registered, may have changed since the question was asked (S041).
    if (
        client is None
        or not client.is_enabled
        or client.has_expired(now)
        or not client.scope.covers(authorization.scope)
        or find_match(client.redirect_uris, authorization.redirect_uri.value) is None
        or (authorization.redirect_uri.is_plain_http and not leniency.plain_http)
    ):
        raise NoOpenQuestion(detail="the client's registration changed")
    held = client.held_to(legacy_allowed=leniency.legacy)
    try:
        held.refuse_unaccepted(authorization.legacy)
    except OAuthError as error:
        raise NoOpenQuestion(detail=f"no longer accepted of the client: {type(error).__name__}") from error
    first_time = not tokens.has_been_given(tx, client.id, session.user.id)
    return Question(authorization, client, held, first_time)


def _is_asked_of(authorization: Authorization, session: Session) -> bool:
    return authorization.session_digest == session.digest and authorization.user_id == session.user.id


def _move(tx: Transaction, before: Authorization, after: Authorization) -> None:
    if not authorizations.move(tx, before, after):
        raise NoOpenQuestion(detail="two answers raced")


def _record_allowed(
    tx: Transaction, event: Event, question: Question, answering: Answering, scope: ScopeSet, **more: object
) -> None:
    """What only the profile of the client allows is accepted with the answer and not before, so it is counted here.

    So it counts once for a question (N1), however often that was asked or looked at. So does PKCE that was used (N2).
    Last, because others who answer the same client wait for these rows until the transaction ends.
    """
    asked, client = question.authorization, question.client
    if asked.challenge is not None and client.pkce_seen_at is None:
        clients.note_pkce(tx, client.id, answering.now)
    legacy.record(tx, client, asked.legacy, answering.now, answering.origin)
    _record(tx, event, question, answering, scope, **more)


def _record(
    tx: Transaction, event: Event, question: Question, answering: Answering, scope: ScopeSet, **more: object
) -> None:
    asked = question.authorization
    narrowed = {"asked": str(asked.scope)} if scope != asked.scope else {}
    audit.record(
        tx,
        event,
        answering.origin,
        answering.now,
        user_id=answering.session.user.id,
        client_id=question.client.client_id,
        detail={"scope": str(scope), **narrowed, "redirect_host": asked.redirect_uri.host, **more},
    )
