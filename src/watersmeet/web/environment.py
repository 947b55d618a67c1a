"""The environment: what ``app.py`` builds once and hands to every slice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from watersmeet.blobs.store import BlobStore
from watersmeet.clock import SECOND, Clock, Instant
from watersmeet.database.engine import Database
from watersmeet.entropy import Entropy
from watersmeet.oauth2.family import Lifetimes
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings
from watersmeet.web.bearer import TokenVerifier
from watersmeet.web.throttle import Throttle
from watersmeet.web.uses import Uses


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A user whose password everybody knows, offered on the sign-in page of `dev`."""

    username: str
    display_name: str
    rights: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Environment:
    """Everything a slice needs from outside: it reads no global and imports no other slice."""

    settings: Settings
    database: Database
    clock: Clock
    entropy: Entropy
    keys: Keys
    throttle: Throttle
    verify_token: TokenVerifier
    blobs: BlobStore
    uses: Uses = field(default_factory=Uses)
    demo_accounts: tuple[DemoAccount, ...] = ()

    @property
    def is_dev(self) -> bool:
        """Whether this is `watersmeet dev`, where pages may explain more than they should elsewhere."""
        return bool(self.demo_accounts)

    @cached_property
    def lifetimes(self) -> Lifetimes:
        """How long tokens live, while the operator allows the profile ``atlassian-dc``."""
        settings, provider = self.settings, self.settings.provider
        usual = Lifetimes(
            provider.access_token_expiration_seconds * SECOND, provider.refresh_token_expiration_seconds * SECOND
        )
        return replace(
            usual,
            idle=settings.refresh_idle,
            administrative=settings.admin_token_lifetime,
            legacy=replace(usual, idle=settings.legacy_refresh_idle),
        )

    def lifetimes_at(self, now: Instant) -> Lifetimes:
        """``lifetimes``, or those of strict clients for everybody, if the operator allows no other by then."""
        return self.lifetimes if self.settings.allows_legacy(now) else replace(self.lifetimes, legacy=None)

    @property
    def allows_plain_http(self) -> bool:
        """Whether answers may go to http elsewhere: as the operator says, and in `dev`, whose data are public."""
        return self.settings.provider.skip_redirect_url_https_requirement or self.is_dev
