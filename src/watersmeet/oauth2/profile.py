"""Profiles: how strictly a client is held to today's rules.

``strict`` is RFC 9700. ``atlassian-dc`` also accepts what the vendor's guide prints and its clients in the field
send; each such thing is a ``Legacy``, which is counted, told to the client by a ``Deprecation`` header, and can
be switched off for one client at a time (the ratchet) or for the whole instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from watersmeet.oauth2.errors import (
    CodeChallengeRequired,
    CredentialInQuery,
    NeitherStateNorChallenge,
    OAuthError,
    ScopeRequired,
    TwoClientAuthentications,
    WeakCodeChallenge,
)


class Profile(StrEnum):
    """The two profiles of a client."""

    STRICT = "strict"
    ATLASSIAN_DC = "atlassian-dc"


class Legacy(StrEnum):
    """What is accepted of ``atlassian-dc`` clients only, in the order in which it is refused elsewhere."""

    CREDENTIAL_IN_QUERY = "credential-in-query"
    TWO_AUTHENTICATIONS = "two-authentications"
    NO_PKCE = "no-pkce"
    NEITHER_STATE_NOR_PKCE = "neither-state-nor-pkce"
    PLAIN_CHALLENGE = "plain-challenge"
    METHOD_SPELLING = "method-spelling"
    NO_SCOPE = "no-scope"

    @property
    def refusal(self) -> OAuthError:
        """What a client is told that may not do it."""
        return _REFUSALS[self]()


_REFUSALS: Final[Mapping[Legacy, type[OAuthError]]] = {
    Legacy.CREDENTIAL_IN_QUERY: CredentialInQuery,
    Legacy.TWO_AUTHENTICATIONS: TwoClientAuthentications,
    Legacy.NO_PKCE: CodeChallengeRequired,
    Legacy.NEITHER_STATE_NOR_PKCE: NeitherStateNorChallenge,
    Legacy.PLAIN_CHALLENGE: WeakCodeChallenge,
    Legacy.METHOD_SPELLING: WeakCodeChallenge,
    Legacy.NO_SCOPE: ScopeRequired,
}

# What must never be in a URL, because URLs end in logs and histories (S023).
CREDENTIAL_PARAMETERS: Final = ("client_secret", "code", "code_verifier", "refresh_token", "token")
