"""Clients: who asks, and how they prove it (RFC 6749 §2)."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from watersmeet.clock import Instant
from watersmeet.oauth2.errors import InvalidClient, MissingParameter, TwoClientAuthentications
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.oauth2.scope import ScopeSet

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # RFC 7617 §2 forbids them, and PostgreSQL cannot compare a NUL


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What is kept of a client secret: its digest, and when it stops working (``None``: not planned)."""

    digest: str = field(repr=False)
    created_at: Instant
    expires_at: Instant | None

    def is_live(self, now: Instant) -> bool:
        """Whether the secret authenticates at that moment."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client (Confluence: the application of an incoming link)."""

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

    @property
    def is_enabled(self) -> bool:
        """Whether the client is served at all."""
        return self.disabled_at is None

    def is_proven_by(self, secret_digest: str | None, now: Instant) -> bool:
        """Whether credentials with that secret authenticate this client (S089).

        A confidential client needs a live secret; a public one has none and must not send any. Compared in
        constant time.
        """
        if not self.confidential:
            return secret_digest is None
        candidate = secret_digest or ""
        matches = [hmac.compare_digest(candidate, secret.digest) for secret in self.secrets if secret.is_live(now)]
        return any(matches)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a token request says of its client."""

    client_id: str
    client_secret: str | None = field(repr=False)
    from_basic: bool

    @classmethod
    def parse(cls, authorization: str | None, parameters: Parameters) -> ClientCredentials:
        """Credentials from HTTP Basic or from parameters, never from both (RFC 6749 §2.3.1).

        Raises ``TwoClientAuthentications``, ``MissingParameter`` or, for a malformed header, ``InvalidClient``.
        """
        client_id, client_secret = parameters.get("client_id"), parameters.get("client_secret")
        if authorization is None or authorization.partition(" ")[0].lower() != "basic":
            if client_id is None:
                raise MissingParameter("client_id")
            return cls(client_id, client_secret, from_basic=False)
        basic_id, basic_secret = _decode_basic(authorization)
        if client_secret is not None or client_id not in (None, basic_id):
            raise TwoClientAuthentications
        return cls(basic_id, basic_secret, from_basic=True)


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
