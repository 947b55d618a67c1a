"""Answers: the JSON bodies and challenge headers of RFC 6749 §5 and RFC 6750 §3."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import epoch_seconds
from watersmeet.oauth2.errors import InsufficientScope, OAuthError, TokenMissing
from watersmeet.oauth2.family import TokenPair
from watersmeet.oauth2.profile import Legacy


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """A pair together with its two token strings, which exist nowhere but in the answer.

    ``legacy`` is what was accepted for compatibility on the way to them; ``resent`` says that the same answer was
    given before.
    """

    pair: TokenPair
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    legacy: frozenset[Legacy] = frozenset()
    resent: bool = False

    def body(self) -> dict[str, str | int]:
        """The seed's success body, with ``scope`` added (RFC 6749 §5.1)."""
        lifetime = epoch_seconds(self.pair.access_expires_at) - epoch_seconds(self.pair.created_at)
        return {
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": lifetime,
            "refresh_token": self.refresh_token,
            "created_at": epoch_seconds(self.pair.created_at),
            "scope": str(self.pair.scope),
        }


def error_body(error: OAuthError) -> dict[str, str]:
    """The JSON of a refused token request (RFC 6749 §5.2)."""
    return {"error": error.code.value, "error_description": error.description}


def bearer_challenge(error: OAuthError, resource_metadata: str | None = None) -> str:
    """The ``WWW-Authenticate`` value of a refused protected request.

    Without credentials there is no error code (RFC 6750 §3.1). ``resource_metadata`` is where a client learns
    whose tokens it needs (RFC 9728 §5.1).
    """
    parts = ['realm="watersmeet"']
    if not isinstance(error, TokenMissing):
        parts += [f'error="{error.code.value}"', f'error_description="{error.description}"']
    if isinstance(error, InsufficientScope):
        parts.append(f'scope="{error.needed}"')
    if resource_metadata is not None:
        parts.append(f'resource_metadata="{resource_metadata}"')
    return "Bearer " + ", ".join(parts)
