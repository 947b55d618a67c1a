"""Watersmeet's store, filled through its own operations with what the workloads need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bench.client import CHALLENGE, REDIRECT_URI, Client
from watersmeet import settings as settings_module
from watersmeet.clock import SECOND, SystemClock
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database import authorizations
from watersmeet.database.engine import Database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import SystemEntropy
from watersmeet.links.register import Registered, Registration, register
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.pkce import CodeChallenge, CodeChallengeMethod
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.users import session as sessions
from watersmeet.users.password import hash_public_password
from watersmeet.users.signin import add_user
from watersmeet.web.cookies import Cookie

_SECRET = "the secret of the benchmarks, which guards nothing at all"
_ENTROPY = SystemEntropy()


@dataclass(frozen=True, slots=True)
class Store:
    """A database with one client and one user in it, as ``serve`` will find it."""

    database: Database
    keys: Keys
    registered: Registered
    user: User
    environment: Mapping[str, str]
    """The settings under which a server works on this store."""

    @classmethod
    def create(cls, url: str) -> Store:
        """A fresh store at that URL."""
        keys, now = Keys.derive(_SECRET), SystemClock().now()
        environment = {
            "WATERSMEET_BASE_URL": "https://bench.example",  # as behind a proxy, for which every Host is right
            "WATERSMEET_SECRET": _SECRET,
            "WATERSMEET_DATABASE_URL": url,
        }
        database = Database(url)
        prepare(database, Purpose.PRODUCTION, keys.fingerprint)

        def fill(tx: Transaction) -> Store:
            registration = Registration.check(
                name="Bench", redirect_uris=[REDIRECT_URI], scope=Scope.WRITE, allow_http=False
            )
            registered = register(
                tx, registration, confidential=True, created_by="bench", now=now, keys=keys, entropy=_ENTROPY
            )
            user = add_user(
                tx,
                username="bench",
                display_name="Bench",
                email="bench@example.com",
                role=Role.USER,
                password_hash=hash_public_password("bench"),
                now=now,
                entropy=_ENTROPY,
            )
            return cls(database, keys, registered, user, environment)

        return database.write_now(fill)

    @property
    def client(self) -> Client:
        """The client that the server will know."""
        secret = self.registered.client_secret
        assert secret is not None
        return Client("/rest/oauth2/latest/token", self.registered.client.client_id, secret)

    def add_codes(self, count: int) -> list[str]:
        """That many codes, as if the user had just allowed as many requests."""
        now, codes = SystemClock().now(), [_ENTROPY.hex(32) for _ in range(count)]

        def add(tx: Transaction) -> None:
            for code in codes:
                authorizations.add(
                    tx,
                    Authorization(
                        id=_ENTROPY.hex(16),
                        client=self.registered.client.id,
                        user_id=self.user.id,
                        session_digest=_ENTROPY.hex(32),
                        request_digest=_ENTROPY.hex(32),
                        redirect_uri=RedirectUri(REDIRECT_URI),
                        scope=Scope.WRITE.as_set,
                        state="state",
                        challenge=CodeChallenge(CHALLENGE, CodeChallengeMethod.S256),
                        status=AuthorizationStatus.APPROVED,
                        created_at=now,
                        expires_at=now + 3600 * SECOND,
                        code_digest=self.keys.digest(code),
                    ),
                )

        self.database.write_now(add)
        return codes

    def sign_in(self) -> str:
        """A ``Cookie`` header of the user's browser."""
        now = SystemClock().now()
        identifier = self.database.write_now(
            lambda tx: sessions.start(tx, self.user, self.keys, _ENTROPY, now, 3600 * SECOND)
        )
        name = Cookie.named("session", settings_module.load(flags={}, environment=dict(self.environment))).name
        return f"Cookie: {name}={identifier}"

    def reopened(self) -> Store:
        """The same store, after it was closed."""
        return replace(self, database=Database(self.environment["WATERSMEET_DATABASE_URL"]))

    def close(self) -> None:
        """Leave the database to the server."""
        self.database.close()
