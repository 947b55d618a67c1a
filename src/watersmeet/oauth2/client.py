"""Clients: who asks, and how they prove it (RFC 6749 §2)."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import unquote_plus

from watersmeet.clock import SECOND, Instant
from watersmeet.oauth2.errors import InvalidClient, MissingParameter, TwoClientAuthentications
from watersmeet.oauth2.family import Lifetimes, RotationPolicy
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.oauth2.scope import ScopeSet

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # RFC 7617 §2 forbids them, and PostgreSQL cannot compare a NUL


class AuthenticationMethod(StrEnum):
    """How a client sends its secret, in the words of RFC 7591 §2."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What is kept of a client secret: its digest, when it stops working (``None``: not planned), and its last use.

    ``salt`` is what the server's own secret makes it from again; ``None``: it cannot be made again.
    """

    digest: str = field(repr=False)
    created_at: Instant
    expires_at: Instant | None
    salt: str | None = field(default=None, repr=False)
    last_used_at: Instant | None = None

    def is_live(self, now: Instant) -> bool:
        """Whether the secret authenticates at that moment."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client (Confluence: the application of an incoming link).

    ``refuses`` is what an ``atlassian-dc`` client may no longer do: the ratchet. ``pkce_seen_at`` is when it
    was first seen using PKCE, kept so that requiring it can be offered. ``authentication`` pins one method
    (``None``: either). ``plain_answers`` leaves out of the answers what the original does not send.
    ``refresh_grace_seconds`` is its own grace (``None``: the server's). From ``expires_at`` on it is refused.
    """

    id: int
    client_id: str
    name: str
    confidential: bool
    scope: ScopeSet
    redirect_uris: tuple[RedirectUri, ...]
    secrets: tuple[ClientSecret, ...]
    created_at: Instant
    created_by: str
    disabled_at: Instant | None = None
    last_used_at: Instant | None = None
    profile: Profile = Profile.STRICT
    refuses: frozenset[Legacy] = frozenset()
    pkce_seen_at: Instant | None = None
    authentication: AuthenticationMethod | None = None
    may_introspect: bool = False
    plain_answers: bool = False
    refresh_grace_seconds: int | None = None
    expires_at: Instant | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the client is served at all."""
        return self.disabled_at is None

    def has_expired(self, now: Instant) -> bool:
        """Whether the time an administrator gave the client is over."""
        return self.expires_at is not None and self.expires_at <= now

    def accepts(self, legacy: Legacy) -> bool:
        """Whether this client may do something that is only accepted for compatibility.

        A public client has nothing but PKCE to prove itself by, so it never goes without (S080).
        """
        if legacy is Legacy.NO_PKCE and not self.confidential:
            return False
        return self.profile is Profile.ATLASSIAN_DC and legacy not in self.refuses

    def refuse_unaccepted(self, done: Collection[Legacy]) -> None:
        """Raises the ``OAuthError`` of the first thing in ``done`` that this client may not do."""
        if not done:
            return
        for legacy in Legacy:
            if legacy in done and not self.accepts(legacy):
                raise legacy.refusal

    def held_to(self, *, legacy_allowed: bool) -> Client:
        """The client as the operator sees it: ``strict`` where the operator allows no legacy at all."""
        return self if legacy_allowed else replace(self, profile=Profile.STRICT)

    @property
    def token_id_length(self) -> int:
        """How many random bytes are in each of its tokens: the seed's 16, or today's 32 (N7)."""
        return 32 if self.profile is Profile.STRICT else 16

    def rotation(self, policy: RotationPolicy) -> RotationPolicy:
        """What happens to its refresh tokens that come again, where the server's rule is ``policy`` (N10)."""
        if self.refresh_grace_seconds is None:
            return policy
        return RotationPolicy(self.refresh_grace_seconds * SECOND)

    def lifetimes(self, lifetimes: Lifetimes) -> Lifetimes:
        """How long its tokens live, where the server's rule is ``lifetimes`` (N9)."""
        return lifetimes.legacy or lifetimes if self.profile is Profile.ATLASSIAN_DC else lifetimes

    def answer_url(self, to: RedirectUri, answer: Mapping[str, str | None], issuer: str | None) -> str:
        """The URL that carries an answer of the authorization endpoint to this client (N12).

        It says who answers (RFC 9207), and ends in an empty fragment, so that the browser does not carry over
        one of ours (RFC 9700 §4.1.3); old parsers stumble over the latter, so legacy clients do not get it.
        """
        if self.plain_answers:
            return to.with_answer(answer)
        return to.with_answer({**answer, "iss": issuer}, "#_" if self.profile is Profile.STRICT else "")

    def is_proven_by(self, secret_digest: str | None, now: Instant) -> bool:
        """Whether credentials with that secret authenticate this client (S089).

        A confidential client needs a live secret; a public one has none and must not send any. Compared in
        constant time.
        """
        if secret_digest is None:
            return not self.confidential
        matches = [hmac.compare_digest(secret_digest, secret.digest) for secret in self.secrets if secret.is_live(now)]
        return self.confidential and any(matches)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a token request says of its client, and what it did that only some clients may do."""

    client_id: str
    client_secret: str | None = field(repr=False)
    from_basic: bool
    legacy: frozenset[Legacy] = frozenset()

    @property
    def method(self) -> AuthenticationMethod | None:
        """How the secret came; ``None`` when there is none."""
        if self.client_secret is None:
            return None
        return AuthenticationMethod.BASIC if self.from_basic else AuthenticationMethod.POST

    @classmethod
    def parse(cls, authorization: str | None, parameters: Parameters) -> ClientCredentials:
        """Credentials from HTTP Basic or from parameters (RFC 6749 §2.3.1).

        Both with the same identifier and secret count as HTTP Basic, and as a legacy (N11); both with different
        ones are refused. Raises ``TwoClientAuthentications``, ``MissingParameter`` or, for a malformed header,
        ``InvalidClient``.
        """
        client_id, client_secret = parameters.get("client_id"), parameters.get("client_secret")
        if "client_assertion" in parameters or "client_assertion_type" in parameters:
            # Whoever sends one relies on it; beside a secret it is a second way (RFC 7521 §4.2).
            if client_secret is None and authorization is None:
                raise InvalidClient(detail="client assertions are not supported")
            raise TwoClientAuthentications
        if authorization is None or authorization.partition(" ")[0].lower() != "basic":
            if client_id is None:
                raise MissingParameter("client_id")
            return cls(client_id, client_secret, from_basic=False)
        basic_id, basic_secret = _decode_basic(authorization)
        if client_id not in (None, basic_id):
            raise TwoClientAuthentications
        if client_secret is None:
            return cls(basic_id, basic_secret, from_basic=True)
        if client_id is None or basic_secret is None:
            raise TwoClientAuthentications
        if not hmac.compare_digest(client_secret.encode(), basic_secret.encode()):
            raise TwoClientAuthentications
        return cls(basic_id, basic_secret, from_basic=True, legacy=frozenset({Legacy.TWO_AUTHENTICATIONS}))


def _decode_basic(authorization: str) -> tuple[str, str | None]:
    try:
        decoded = base64.b64decode(authorization.partition(" ")[2].strip(), validate=True).decode()
        # RFC 6749 §2.3.1: both are form-encoded before they are joined.
        client_id, colon, secret = (unquote_plus(part, errors="strict") for part in decoded.partition(":"))
    except ValueError as error:
        raise InvalidClient(detail="malformed HTTP Basic credentials") from error
    if not colon or not client_id or _CONTROL.search(client_id + secret):
        raise InvalidClient(detail="malformed HTTP Basic credentials")
    return client_id, secret or None
