"""The environment: what ``app.py`` builds once and hands to every slice."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.blobs.store import BlobStore
from watersmeet.clock import Clock
from watersmeet.database.engine import Database
from watersmeet.entropy import Entropy
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

    @property
    def allows_plain_http(self) -> bool:
        """Whether answers may go to http elsewhere: as the operator says, and in `dev`, whose data are public."""
        return self.settings.provider.skip_redirect_url_https_requirement or self.is_dev
