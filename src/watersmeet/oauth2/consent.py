"""Consent that is remembered: what a user allowed a client and need not be asked again for a while (S056, S057)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.oauth2.authorization import Authorization
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy
from watersmeet.oauth2.scope import ScopeSet


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user need not be asked again by one client at one redirection URI.

    ``registration`` is a digest of what the client was when the user was asked (``registration_digest``).
    """

    client: int
    user_id: int
    redirect_uri: str
    scope: ScopeSet
    registration: str
    created_at: Instant
    expires_at: Instant

    @classmethod
    def to(cls, granted: Authorization, client: Client, now: Instant, lifetime: Instant) -> Consent:
        """What is remembered of an answer; ``granted`` is what the user gave, not what was asked."""
        return cls(
            client=client.id,
            user_id=granted.user_id,
            redirect_uri=granted.redirect_uri.value,
            scope=granted.scope,
            registration=registration_digest(client),
            created_at=now,
            expires_at=now + lifetime,
        )

    def end(self, longest: Instant) -> Instant:
        """When it ends where the operator lets consent be remembered for ``longest`` milliseconds, perhaps less now."""
        return min(self.expires_at, self.created_at + longest)

    def holds(self, now: Instant, longest: Instant) -> bool:
        """Whether it has not ended."""
        return now < self.end(longest)

    def covers(self, asked: Authorization, client: Client, now: Instant, longest: Instant) -> bool:
        """Whether it answers a question: no more is asked, by the same client, for the same address, in time."""
        return (
            self.holds(now, longest)
            and (self.client, self.user_id) == (asked.client, asked.user_id)
            and self.redirect_uri == asked.redirect_uri.value
            and self.scope.covers(asked.scope)
            and self.registration == registration_digest(client)
        )


def registration_digest(client: Client) -> str:
    """What recognises a client as the one that a user knew: its name, addresses, scope, type and profile (S057)."""
    facts = [client.name, str(client.scope), client.profile.value, str(client.confidential)]
    facts += [uri.value for uri in client.redirect_uris]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def may_be_remembered(asked: Authorization, client: Client) -> bool:
    """Whether the answer to a question may stand for later ones.

    Never where somebody else could stand in for the client: it must prove itself by a secret, and the answer must go
    to a server, not to a program on the user's device (RFC 8252 §8.6, S056). And never for a request that carries
    nothing to tell it from a forged one: the user's click is all that stands between it and its effect.
    """
    return client.confidential and asked.redirect_uri.is_web and Legacy.NEITHER_STATE_NOR_PKCE not in asked.legacy


def asks_to_be_shown(parameters: Parameters) -> bool:
    """Whether a client wants the user to be asked although they need not be: ``prompt=consent`` and its kin."""
    return parameters.get("prompt") not in (None, "none")
