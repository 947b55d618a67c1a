"""Compatibility: what an administrator is told of a link's legacy, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from watersmeet.clock import epoch_seconds
from watersmeet.database import legacy
from watersmeet.database.legacy import Acceptances
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.web.language import translatable

WORDS: Final[Mapping[Legacy, str]] = dict(
    zip(
        (
            Legacy.CREDENTIAL_IN_QUERY,
            Legacy.TWO_AUTHENTICATIONS,
            Legacy.NO_PKCE,
            Legacy.NEITHER_STATE_NOR_PKCE,
            Legacy.PLAIN_CHALLENGE,
            Legacy.METHOD_SPELLING,
            Legacy.NO_SCOPE,
        ),
        translatable(
            "Secret, code or token in the URL",
            "The same credentials as HTTP Basic and as parameters",
            "No PKCE",
            "Neither state nor PKCE: nothing protects it against a forged answer",
            "PKCE with the method plain",
            "S256 in another spelling",
            "No scope: it got READ",
        ),
        strict=True,
    )
)
_BADGES: Final[Mapping[Legacy, str]] = dict(
    zip(
        (Legacy.CREDENTIAL_IN_QUERY, Legacy.NEITHER_STATE_NOR_PKCE, Legacy.PLAIN_CHALLENGE),
        translatable("secret in URL", "unprotected", "weak"),
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """What was accepted of a link for compatibility since it was registered."""

    link: Client
    accepted: Mapping[Legacy, Acceptances]

    @property
    def badges(self) -> list[str]:
        """What deserves attention, in a word each; nothing that the link can no longer do."""
        return [badge for kind, badge in _BADGES.items() if kind in self.accepted and self.link.accepts(kind)]

    @property
    def can_require_pkce(self) -> bool:
        """Whether the client was seen using PKCE and is still free not to: time to turn the ratchet (N2)."""
        return self.link.pkce_seen_at is not None and self.link.accepts(Legacy.NO_PKCE)

    @property
    def is_strict(self) -> bool:
        """Whether nothing is accepted for compatibility."""
        return self.link.profile is Profile.STRICT

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {
            "badges": self.badges,
            "can_require_pkce": self.can_require_pkce,
            "legacy": {
                kind.value: {
                    "count": of.count,
                    "first_at": epoch_seconds(of.first_at),
                    "last_at": epoch_seconds(of.last_at),
                }
                for kind, of in self.accepted.items()
            },
        }


def compatibility_of(tx: Transaction, link: Client) -> Compatibility:
    """What is known of a link's legacy."""
    return Compatibility(link, legacy.of_client(tx, link.id))
