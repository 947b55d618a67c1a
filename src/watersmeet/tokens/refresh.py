"""Refreshing: a refresh token for the next pair of its family (RFC 6749 §6, RFC 9700 §4.14.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import clients, tokens
from watersmeet.database.audit import INTERNAL, Event, Origin, Record
from watersmeet.database.legacy import Accepted
from watersmeet.database.tokens import StoredPair
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.errors import GrantRevoked, OAuthError, RedirectUriMismatch, RefreshTokenUnknown
from watersmeet.oauth2.family import (
    STRICT_ROTATION,
    Lifetimes,
    PairState,
    RefreshReplay,
    Resent,
    Revocation,
    RotationPolicy,
    TokenPair,
)
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.redirect import find_match
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens.authenticate import prove
from watersmeet.tokens.batch import Asked, attempt, settle_in_rounds
from watersmeet.tokens.issue import TokenIds, issue
from watersmeet.tokens.writes import EndedByReplay, Writes


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What a refresh needs besides the client's credentials."""

    refresh_token: str = field(repr=False)
    scope: ScopeSet | None
    redirect_uri: str | None

    @classmethod
    def parse(cls, parameters: Parameters) -> RefreshRequest:
        """From the parameters of a token request. Raises ``MissingParameter`` or ``InvalidScope``."""
        scope = parameters.get("scope")
        return cls(
            parameters.require("refresh_token"),
            parse_scope(scope) if scope is not None else None,
            parameters.get("redirect_uri"),
        )


Outcome: TypeAlias = IssuedTokens | RefreshReplay


def refresh(
    tx: Transaction,
    credentials: ClientCredentials,
    request: RefreshRequest,
    *,
    now: Instant,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
    policy: RotationPolicy = STRICT_ROTATION,
    origin: Origin = INTERNAL,
) -> Outcome:
    """``refresh_all`` for one request. Raises ``InvalidClient``, ``InvalidGrant`` or ``InvalidScope``."""
    asked = [Asked(credentials, request, now, origin)]
    [outcome] = refresh_all(tx, asked, lifetimes=lifetimes, keys=keys, entropy=entropy, policy=policy)
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


def refresh_all(
    tx: Transaction,
    asked: Sequence[Asked[RefreshRequest]],
    *,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
    policy: RotationPolicy = STRICT_ROTATION,
    allows_legacy: Callable[[Instant], bool] = lambda _now: True,
) -> list[Outcome | OAuthError]:
    """For each request the next pair, the news that its token was spent before, or why it is refused.

    ``allows_legacy`` is the operator's switch over all profiles, which may have an end.
    A replay is a value, not an exception, because the revocation of the family must be committed. A refusal
    consumes nothing.
    """
    found = clients.find_all(tx, {ask.credentials.client_id for ask in asked})
    digests = [keys.digest(ask.request.refresh_token) for ask in asked]

    def settle(places: Sequence[int]) -> dict[int, Outcome | OAuthError]:
        stored = tokens.find_by_refresh_tokens(tx, [digests[place] for place in places])
        places = _first_of_each_family(places, digests, stored)
        successors = {
            place: _find_successor(tx, stored[digests[place]], asked[place].request, client, keys)
            for place in places
            if digests[place] in stored and (client := found.get(asked[place].credentials.client_id))
        }
        decided = {
            place: attempt(
                _decide,
                asked[place],
                found,
                stored.get(digests[place]),
                successors.get(place),
                lifetimes,
                policy,
                keys,
                allows_legacy(asked[place].now),
            )
            for place in places
        }
        spending = [stored[digests[place]] for place, each in decided.items() if isinstance(each, TokenPair)]
        won = tokens.spend(tx, spending)
        outcomes: dict[int, Outcome | OAuthError] = {}
        writes = Writes()
        for place, decision in decided.items():
            if isinstance(decision, OAuthError):
                outcomes[place] = decision
                continue
            ask, before, client = asked[place], stored[digests[place]], found[asked[place].credentials.client_id]
            if isinstance(decision, TokenPair):
                if before.id not in won:
                    continue  # somebody refreshed between our look and our move: look again, decide again
                outcomes[place] = _issue(ask, before, decision, client, policy, keys, entropy, writes)
            elif isinstance(decision, Resent):
                outcomes[place] = _send_again(ask, before, successors[place], writes)
            else:
                outcomes[place] = _end(ask, before, decision, writes)
            writes.accepted.append(Accepted(client, ask.credentials.legacy, ask.now, ask.origin))
        writes.write(tx)
        return outcomes

    return settle_in_rounds(digests, settle)


def _first_of_each_family(places: Sequence[int], digests: Sequence[str], stored: Mapping[str, StoredPair]) -> list[int]:
    """The places of one round: two generations of a family are decided one after the other, never by one look."""
    first: dict[str, int] = {}
    for place in places:
        before = stored.get(digests[place])
        first.setdefault(before.family.id if before else digests[place], place)
    return list(first.values())


# ---- what becomes of one request --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Successor:
    """The pair that a spent refresh token was exchanged for, and its tokens if they can be made again."""

    pair: TokenPair
    again: IssuedTokens | None


def _find_successor(
    tx: Transaction, stored: StoredPair, request: RefreshRequest, client: Client, keys: Keys
) -> _Successor | None:
    if stored.pair.state is not PairState.SPENT:
        return None
    successor = tokens.find_generation(tx, stored.family.id, stored.pair.generation + 1)
    if successor is None:
        return None
    ids = TokenIds.following(request.refresh_token, successor.pair.generation, keys, client.token_id_length)
    for again in ids.sealed_before(successor.pair, keys):
        found = tokens.find_by_refresh_token(tx, keys.digest(again.refresh_token))
        if found is not None and found.id == successor.id:
            return _Successor(successor.pair, again)
    return _Successor(successor.pair, None)


def _decide(
    ask: Asked[RefreshRequest],
    found: Mapping[str, Client],
    stored: StoredPair | None,
    successor: _Successor | None,
    lifetimes: Lifetimes,
    policy: RotationPolicy,
    keys: Keys,
    legacy_allowed: bool,
) -> TokenPair | Resent | RefreshReplay:
    """Raises ``InvalidClient``, ``InvalidGrant`` or ``InvalidScope``."""
    client, request = prove(found.get(ask.credentials.client_id), ask.credentials, keys, ask.now), ask.request
    # The seed sends redirect_uri with a refresh; most clients do not. Sent and wrong is refused (note N10).
    if request.redirect_uri is not None and find_match(client.redirect_uris, request.redirect_uri) is None:
        raise RedirectUriMismatch("redirect_uri is not registered for this client.")
    if not is_genuine(request.refresh_token, TokenKind.REFRESH, keys):
        raise RefreshTokenUnknown(detail="not a refresh token of this server")
    if stored is None or stored.family.client != client.id:
        raise RefreshTokenUnknown
    if not stored.user_enabled:
        raise GrantRevoked(detail="the user is disabled")
    theirs = client.held_to(legacy_allowed=legacy_allowed).lifetimes(lifetimes)
    if successor is None:
        return stored.family.rotate(stored.pair, request.scope, ask.now, theirs)
    allowed = client.rotation(policy) if successor.again else STRICT_ROTATION
    return stored.family.rotate(stored.pair, request.scope, ask.now, theirs, allowed, successor.pair)


def _issue(
    ask: Asked[RefreshRequest],
    before: StoredPair,
    pair: TokenPair,
    client: Client,
    policy: RotationPolicy,
    keys: Keys,
    entropy: Entropy,
    writes: Writes,
) -> IssuedTokens:
    # Without a grace nothing is ever sent again, so there is no reason for one token to follow from another.
    token, length = ask.request.refresh_token, client.token_id_length
    is_resendable = client.rotation(policy).grace
    ids = (
        TokenIds.following(token, pair.generation, keys, length) if is_resendable else TokenIds.random(entropy, length)
    )
    new, issued = issue(before.family.id, pair, keys, ids)
    writes.pairs.append(new)
    writes.events.append(_event(Event.TOKENS_REFRESHED, ask, before))
    return replace(issued, legacy=ask.credentials.legacy) if ask.credentials.legacy else issued


def _send_again(
    ask: Asked[RefreshRequest], before: StoredPair, successor: _Successor | None, writes: Writes
) -> IssuedTokens:
    assert successor is not None  # noqa: S101 - without one, `_decide` allows no grace
    assert successor.again is not None  # noqa: S101
    writes.events.append(_event(Event.TOKENS_RESENT, ask, before))
    return replace(successor.again, resent=True, legacy=ask.credentials.legacy)


def _end(ask: Asked[RefreshRequest], before: StoredPair, replay: RefreshReplay, writes: Writes) -> RefreshReplay:
    because = Revocation.LOST_RESPONSE if replay.after_lost_response else Revocation.REPLAYED
    detail = {"generation": replay.generation, "because": because.value}
    event = _event(Event.REFRESH_REPLAYED, ask, before, detail)
    writes.ended.append(EndedByReplay(replay.family_id, because, event))
    return replay


def _event(
    event: Event, ask: Asked[RefreshRequest], stored: StoredPair, detail: Mapping[str, object] | None = None
) -> Record:
    family = stored.family
    return Record(event, ask.origin, ask.now, family.user_id, ask.credentials.client_id, family.id, detail)
