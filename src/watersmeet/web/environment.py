"""The environment: what ``app.py`` builds once and hands to every slice."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Clock
from watersmeet.database.engine import Database
from watersmeet.entropy import Entropy
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings
from watersmeet.web.bearer import TokenVerifier
from watersmeet.web.throttle import Throttle


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
