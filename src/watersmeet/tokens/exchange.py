"""The exchange of an authorization code for the first pair of a family (RFC 6749 §4.1.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import audit, authorizations, tokens, users
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.oauth2.authorization import Authorization, CodeReplay
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.errors import CodeUnknown, GrantRevoked
from watersmeet.oauth2.family import Lifetimes, Revocation, TokenFamily
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.authenticate import authenticate
from watersmeet.tokens.issue import issue


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """What an exchange needs besides the client's credentials."""

    code: str = field(repr=False)
    redirect_uri: str
    code_verifier: str | None = field(repr=False)

    @classmethod
    def parse(cls, parameters: Parameters) -> ExchangeRequest:
        """From the parameters of a token request. Raises ``MissingParameter``."""
        return cls(parameters.require("code"), parameters.require("redirect_uri"), parameters.get("code_verifier"))


def exchange(
    tx: Transaction,
    credentials: ClientCredentials,
    request: ExchangeRequest,
    *,
    now: Instant,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
    origin: Origin = INTERNAL,
) -> IssuedTokens | CodeReplay:
    """The tokens of a code, or the news that it was used before.

    A replay is a value, not an exception, because the revocation of the family must be committed. Everything
    that raises consumes nothing. Raises ``InvalidClient`` or ``InvalidGrant``.
    """
    client = authenticate(tx, credentials, keys, now)
    before = authorizations.find_by_code(tx, keys.digest(request.code))
    if before is None or before.client != client.id:
        raise CodeUnknown
    after = before.exchange(now, request.redirect_uri, request.code_verifier, entropy.hex(16))
    if isinstance(after, Authorization) and not authorizations.move(tx, before, after):
        after = _lost_race(tx, before.id, request, now)
    if isinstance(after, CodeReplay):
        return _revoke_replayed(tx, after, before, client, now, origin)
    user = users.find_by_id(tx, before.user_id)
    if user is None or not user.enabled:
        raise GrantRevoked(detail="the user is disabled")
    issued = _start_family(tx, after, now, lifetimes, keys, entropy)
    audit.record(
        tx,
        Event.TOKENS_ISSUED,
        origin,
        now,
        user_id=user.id,
        client_id=client.client_id,
        family_id=after.family_id,
        detail={"scope": str(after.scope)},
    )
    return issued


def _start_family(
    tx: Transaction,
    authorization: Authorization,
    now: Instant,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
) -> IssuedTokens:
    family, pair = TokenFamily.start(
        str(authorization.family_id),
        client=authorization.client,
        user_id=authorization.user_id,
        scope=authorization.scope,
        now=now,
        lifetimes=lifetimes,
    )
    tokens.add_family(tx, family)
    return issue(tx, family.id, pair, keys, entropy)


def _lost_race(tx: Transaction, authorization_id: str, request: ExchangeRequest, now: Instant) -> CodeReplay:
    """Somebody exchanged the code between our look and our move, so ours is the replay."""
    now_there = authorizations.find(tx, authorization_id)
    if now_there is None:
        raise CodeUnknown
    outcome = now_there.exchange(now, request.redirect_uri, request.code_verifier, "")
    if not isinstance(outcome, CodeReplay):
        raise CodeUnknown
    return outcome


def _revoke_replayed(
    tx: Transaction, replay: CodeReplay, before: Authorization, client: Client, now: Instant, origin: Origin
) -> CodeReplay:
    # Whoever presents the same code again and again ends the family, and is written down, once.
    if tokens.revoke(tx, replay.family_id, Revocation.REPLAYED, now):
        audit.record(
            tx,
            Event.CODE_REPLAYED,
            origin,
            now,
            user_id=before.user_id,
            client_id=client.client_id,
            family_id=replay.family_id,
        )
    return replay
