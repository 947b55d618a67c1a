"""Throttling of guesses: passwords, client secrets and codes (S064, S096).

What is counted, where, and against which limit:

- a password: for this user from this address (``throttle_attempts``), for anyone from this address and for this user
  from anywhere (ten times as many). A browser in which this user has signed in before is counted by itself and alone,
  so no flood from elsewhere keeps its user out. Counted *before* the password is looked at: of any number of
  parallel attempts no more than the limit are evaluated.
- a client secret: for this client from this address, and for any client from this address (ten times as many; a right
  secret is accepted all the same, or one neighbour behind an address could keep all others out). Never for the client
  from anywhere: its secret has 256 random bits, and anybody could lock it out.
- a code that this server never gave this client, or a verifier that does not fit it: for this client from this
  address, ten times as many. No refresh token: nobody guesses one, and a client that comes late with one whose row
  is deleted by now is no attacker.

Secrets and codes are counted when they turn out wrong. A request that succeeds costs nothing: each process keeps in
memory which sources are to be refused, and learns of it from the shared counter with the first failure of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from types import TracebackType

from watersmeet.clock import SECOND, Clock, Instant
from watersmeet.database import attempts, audit, clients
from watersmeet.database.audit import Event, Origin
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.errors import Throttled
from watersmeet.oauth2.errors import (
    CodeUnknown,
    CredentialInQuery,
    IntrospectionNotAllowed,
    InvalidClient,
    InvalidGrant,
    OAuthError,
    OtherClientAuthentication,
    Replayed,
    TwoClientAuthentications,
    VerifierMismatch,
)
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings

_WIDE = 10  # how much more a whole address, or a whole account, may get wrong
_REMEMBERED = 4096  # sources a process keeps in mind
_FAILURES_A_MINUTE = 120  # that a process writes down one by one: some 40 MB of audit log a day at worst


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that was counted in advance; to be taken back if it succeeds."""

    own: Sequence[str]
    shared: Sequence[str]

    def take_back(self, tx: Transaction) -> None:
        """It succeeded: the failures of the same person from the same place are forgotten."""
        attempts.forget(tx, self.own)
        attempts.take_back(tx, self.shared)


class Throttle:
    """The limits of the settings over counters in the database."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, keys: Keys) -> None:
        self._limit = settings.throttle_attempts
        self._window = settings.throttle_window
        self._database = database
        self._clock = clock
        self._keys = keys
        self._refused: dict[str, Instant] = {}
        self._budget = _Budget()

    # ---- passwords ----------------------------------------------------------------------------------------

    async def reserve(self, username: str, origin: Origin, device: str | None) -> Reservation:
        """Count an attempt to sign in before it is looked at. Raises ``Throttled``.

        ``device`` identifies a browser in which this user has signed in before.
        """
        if not self._limit:
            return Reservation((), ())
        name, place, now = username.lower(), _place(origin), self._clock.now()
        if device is not None:
            own, shared = [self._key("device", name, device)], list[str]()
        else:
            own = [self._key("password", name, place)]
            shared = sorted([self._key("password from", place), self._key("password of", name)])

        def count(tx: Transaction) -> Throttled | None:
            # What is refused by the narrow limit must not use up the wide ones.
            for limit, sources in ((self._limit, own), (self._limit * _WIDE, shared)):
                for source in sources:
                    counted = attempts.count(tx, source, now, self._window)
                    if counted.failures > limit:
                        if counted.failures == limit + 1:  # the first refusal of the window speaks for all
                            audit.record(tx, Event.SIGN_IN_THROTTLED, origin, now)
                        return Throttled(counted.ends_at - now)
            return None

        refusal = await self._database.write(count)
        if refusal is not None:
            raise refusal
        return Reservation(own, shared)

    async def password_failed(self, user_id: int | None, origin: Origin, event: Event) -> None:
        """Write a wrong password down. What was typed as a name is not: it may be a password."""
        now = self._clock.now()
        missed = self._budget.take(now)
        if missed is None:
            return

        def note(tx: Transaction) -> None:
            _record_missed(tx, missed, now)
            audit.record(tx, event, origin, now, user_id=user_id)

        await self._database.write(note)

    # ---- client secrets and codes -------------------------------------------------------------------------

    def attempt(self, client_id: str, origin: Origin) -> _ClientAttempt:
        """An ``async with`` block in which a client proves itself and presents what it was given.

        Entering and leaving it raise ``Throttled``.
        """
        return _ClientAttempt(self, client_id, origin)

    def refuse_remembered(self, client_id: str, origin: Origin) -> None:
        """Raises ``Throttled`` for a source that this process knows to be over its limit."""
        if not self._refused:
            return
        now, place = self._clock.now(), _place(origin)
        own, _, code = self._client_sources(client_id, place)
        for source in (own, code):
            until = self._refused.get(source)
            if until is not None and until > now:
                raise Throttled(until - now)

    async def stranger_refused(self, origin: Origin, error: OAuthError) -> None:
        """Write down that a request was refused before it named a client, if that is a security decision.

        Nothing was guessed at, so nothing is counted.
        """
        now, event = self._clock.now(), _event_of(error)
        missed = self._budget.take(now) if event else None
        if event is None or missed is None:
            return

        def note(tx: Transaction) -> None:
            _record_missed(tx, missed, now)
            audit.record(tx, event, origin, now, detail={"cause": type(error).__name__})

        await self._database.write(note)

    async def client_failed(self, client_id: str, origin: Origin, error: OAuthError, refused: Event) -> None:
        """Count a failure if it was a guess, and write it down. Raises ``Throttled`` beyond the limit."""
        now = self._clock.now()
        limits = self._client_limits(client_id, origin, error) if self._limit else {}
        missed = self._budget.take(now)
        if not limits and missed is None:
            return

        def note(tx: Transaction) -> tuple[str, Instant] | None:
            event = refused
            over = None
            for source, limit in limits.items():
                counted = attempts.count(tx, source, now, self._window)
                if counted.failures > limit:
                    over = (source, counted.ends_at)
                    event = Event.CLIENT_THROTTLED
                    break
            if missed is not None:
                _record_missed(tx, missed, now)
                client = clients.find(tx, client_id)  # what nobody registered may be anything, a secret even
                known = client.client_id if client else None
                audit.record(tx, event, origin, now, client_id=known, detail={"cause": type(error).__name__})
            return over

        over = await self._database.write(note)
        if over is not None:
            self._remember(*over, now)
            raise Throttled(over[1] - now) from error

    def _client_limits(self, client_id: str, origin: Origin, error: Exception) -> dict[str, int]:
        secret, anywhere, code = self._client_sources(client_id, _place(origin))
        if isinstance(error, InvalidClient) and not isinstance(error, OtherClientAuthentication):
            return {secret: self._limit, anywhere: self._limit * _WIDE}
        return {code: self._limit * _WIDE} if is_guess(error) else {}

    def _client_sources(self, client_id: str, place: str) -> tuple[str, str, str]:
        return (
            self._key("secret", client_id, place),
            self._key("secret from", place),
            self._key("code", client_id, place),
        )

    def _remember(self, source: str, until: Instant, now: Instant) -> None:
        if len(self._refused) >= _REMEMBERED:
            self._refused = {key: end for key, end in self._refused.items() if end > now}
        if len(self._refused) < _REMEMBERED:
            self._refused[source] = until

    def _key(self, *parts: str) -> str:
        return self._keys.digest("\0".join(("failed attempt", *parts)))


@dataclass(frozen=True, slots=True)
class _ClientAttempt:
    throttle: Throttle
    client_id: str
    origin: Origin

    async def __aenter__(self) -> None:
        self.throttle.refuse_remembered(self.client_id, self.origin)

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, OAuthError) and (refused := _event_of(error)):
            await self.throttle.client_failed(self.client_id, self.origin, error, refused)


def _event_of(error: OAuthError) -> Event | None:
    """What a refusal is written down as; ``None`` for a request that is merely wrong."""
    match error:
        case Replayed():  # it has left its own event, in the transaction that revoked the family
            return None
        case InvalidGrant():
            return Event.GRANT_REFUSED
        case InvalidClient() | CredentialInQuery() | TwoClientAuthentications():  # S023
            return Event.CLIENT_REFUSED
        case IntrospectionNotAllowed():
            return Event.INTROSPECTION_REFUSED
    return None


def is_guess(error: Exception) -> bool:
    """Whether a refused grant looks like somebody trying, not like a client that came late."""
    return isinstance(error, CodeUnknown | VerifierMismatch)


def _place(origin: Origin) -> str:
    """The source that is counted: an IPv4 address, or the /64 of an IPv6 address, which one subscriber holds."""
    text = origin.address or ""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return text


class _Budget:
    """How many failures may still be written down this minute."""

    def __init__(self) -> None:
        self._minute: Instant = -1
        self._left = 0
        self._missed = 0

    def take(self, now: Instant) -> int | None:
        """``None`` when the minute's are used up; otherwise how many were missed before."""
        minute = now // (60 * SECOND)
        if minute != self._minute:
            self._minute, self._left = minute, _FAILURES_A_MINUTE
        if not self._left:
            self._missed += 1
            return None
        self._left -= 1
        missed, self._missed = self._missed, 0
        return missed


def _record_missed(tx: Transaction, missed: int, now: Instant) -> None:
    if missed:
        audit.record(tx, Event.AUDIT_SUPPRESSED, audit.INTERNAL, now, detail={"failures": missed})
