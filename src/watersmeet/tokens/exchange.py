"""The exchange of an authorization code for the first pair of a family (RFC 6749 §4.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from watersmeet.clock import Instant
from watersmeet.database import authorizations, clients
from watersmeet.database.audit import INTERNAL, Event, Origin, Record
from watersmeet.database.authorizations import AnsweredAuthorization
from watersmeet.database.legacy import Accepted
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.oauth2.authorization import Authorization, CodeReplay
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.errors import CodeUnknown, GrantRevoked, OAuthError
from watersmeet.oauth2.family import Lifetimes, Revocation, TokenFamily
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.redirect import find_match
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.authenticate import prove
from watersmeet.tokens.batch import Asked, attempt, settle_in_rounds
from watersmeet.tokens.issue import TokenIds, issue
from watersmeet.tokens.writes import EndedByReplay, Writes


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


Outcome: TypeAlias = IssuedTokens | CodeReplay


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
) -> Outcome:
    """``exchange_all`` for one request. Raises ``InvalidClient``, ``InvalidGrant`` or what the profile refuses."""
    asked = [Asked(credentials, request, now, origin)]
    [outcome] = exchange_all(tx, asked, lifetimes=lifetimes, keys=keys, entropy=entropy)
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


def exchange_all(
    tx: Transaction,
    asked: Sequence[Asked[ExchangeRequest]],
    *,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
    allows_legacy: Callable[[Instant], bool] = lambda _now: True,
) -> list[Outcome | OAuthError]:
    """For each request the tokens of its code, the news that it was used before, or why it is refused.

    ``allows_legacy`` is the operator's switch over all profiles, which may have an end.
    A replay is a value, not an exception, because the revocation of the family must be committed. A refusal
    consumes nothing.
    """
    found = clients.find_all(tx, {ask.credentials.client_id for ask in asked})
    digests = [keys.digest(ask.request.code) for ask in asked]

    def settle(places: Sequence[int]) -> dict[int, Outcome | OAuthError]:
        answered = authorizations.find_by_codes(tx, [digests[place] for place in places])
        legacy = {place: allows_legacy(asked[place].now) for place in places}
        decided = {
            place: attempt(_decide, asked[place], found, answered.get(digests[place]), keys, entropy, legacy[place])
            for place in places
        }
        won = authorizations.exchange(tx, [each for each in decided.values() if isinstance(each, Authorization)])
        outcomes: dict[int, Outcome | OAuthError] = {}
        writes = Writes()
        for place, decision in decided.items():
            ask = asked[place]
            if isinstance(decision, OAuthError):
                outcomes[place] = decision
                continue
            if isinstance(decision, CodeReplay):
                user_id = answered[digests[place]].authorization.user_id
                event = _event(Event.CODE_REPLAYED, ask, user_id, decision.family_id)
                writes.ended.append(EndedByReplay(decision.family_id, Revocation.REPLAYED, event))
                outcomes[place] = decision
            elif decision.id in won:
                client = found[ask.credentials.client_id]
                theirs = client.held_to(legacy_allowed=legacy[place]).lifetimes(lifetimes)
                outcomes[place] = _start_family(ask, client, decision, theirs, keys, entropy, writes)
            else:
                continue  # somebody exchanged the code between our look and our move, so ours is the replay
            kinds = ask.credentials.legacy
            writes.accepted.append(Accepted(found[ask.credentials.client_id], kinds, ask.now, ask.origin))
        writes.write(tx)
        return outcomes

    return settle_in_rounds(digests, settle)


def _decide(
    ask: Asked[ExchangeRequest],
    found: Mapping[str, Client],
    answered: AnsweredAuthorization | None,
    keys: Keys,
    entropy: Entropy,
    legacy_allowed: bool,
) -> Authorization | CodeReplay:
    """What becomes of one request. Raises ``InvalidClient``, ``InvalidGrant`` or what the profile refuses."""
    client = prove(found.get(ask.credentials.client_id), ask.credentials, keys, ask.now)
    if answered is None or answered.authorization.client != client.id:
        raise CodeUnknown
    request = ask.request
    after = answered.authorization.exchange(ask.now, request.redirect_uri, request.code_verifier, entropy.hex(16))
    if isinstance(after, Authorization):
        if not answered.user_enabled:
            raise GrantRevoked(detail="the user is disabled")
        # The registration may have changed, and the rules become stricter, since the user answered (S041).
        if find_match(client.redirect_uris, after.redirect_uri.value) is None:
            raise GrantRevoked(detail="the code went to a redirect URL that is no longer registered")
        held = client.held_to(legacy_allowed=legacy_allowed)
        held.refuse_unaccepted(after.legacy)
    return after


def _event(
    event: Event,
    ask: Asked[ExchangeRequest],
    user_id: int,
    family_id: str | None,
    detail: Mapping[str, object] | None = None,
) -> Record:
    return Record(event, ask.origin, ask.now, user_id, ask.credentials.client_id, family_id, detail)


def _start_family(
    ask: Asked[ExchangeRequest],
    client: Client,
    authorization: Authorization,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
    writes: Writes,
) -> IssuedTokens:
    family, pair = TokenFamily.start(
        str(authorization.family_id),
        client=authorization.client,
        user_id=authorization.user_id,
        scope=authorization.scope,
        now=ask.now,
        lifetimes=lifetimes,
    )
    new, issued = issue(family.id, pair, keys, TokenIds.random(entropy, client.token_id_length))
    writes.families.append(family)
    writes.pairs.append(new)
    scope = {"scope": str(family.scope)}
    writes.events.append(_event(Event.TOKENS_ISSUED, ask, family.user_id, family.id, scope))
    # What the authorization lacked was counted when it was asked for; here the client's server hears of it.
    legacy = ask.credentials.legacy | authorization.legacy
    return replace(issued, legacy=legacy) if legacy else issued
