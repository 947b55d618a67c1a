"""Builders for grants: a client, a user and a browser in a real database, and the operations between them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from watersmeet.authorize.begin import Refused, begin
from watersmeet.authorize.decide import Answering, approve
from watersmeet.clock import SECOND, Instant
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database import tokens, users
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import SystemEntropy
from watersmeet.links.register import Registered, Registration, register
from watersmeet.oauth2.authorization import Authorization, CodeReplay
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.family import STRICT_ROTATION, Lifetimes, RefreshReplay, RotationPolicy
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.pkce import s256
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.tokens.exchange import ExchangeRequest, exchange
from watersmeet.tokens.refresh import RefreshRequest, refresh
from watersmeet.tokens.revoke import revoke
from watersmeet.tokens.verify import caller_of, digest_of_genuine
from watersmeet.users import session as sessions
from watersmeet.users.password import hash_public_password
from watersmeet.users.session import Session
from watersmeet.users.signin import add_user
from watersmeet.web.bearer import Caller

T = TypeVar("T")

KEYS = Keys.derive("the secret of these tests, long enough to be one")
ENTROPY = SystemEntropy()
NOW: Instant = 1_800_000_000_000
LIFETIMES = Lifetimes(3600 * SECOND, 90 * 86_400 * SECOND)
CODE_LIFETIME: Instant = 60 * SECOND
REDIRECT_URI = "https://app.example/cb"
PASSWORD = "correct horse battery staple"
VERIFIER = "the-verifier.of_these~tests-0123456789-0123456789"


@dataclass(frozen=True, slots=True)
class Grants:
    """One user, signed in with one browser, and one confidential client that wants to act for them."""

    database: Database
    registered: Registered
    session: Session
    session_id: str

    @classmethod
    def prepare(cls, database: Database, name: str = "App", *, role: Role = Role.USER) -> Grants:
        """A new user and a new client of that name."""

        def make(tx: Transaction) -> Grants:
            user = add_user(
                tx,
                username=name.lower(),
                display_name=name,
                email=f"{name.lower()}@example.com",
                role=role,
                password_hash=hash_public_password(PASSWORD),
                now=NOW,
                entropy=ENTROPY,
            )
            identifier = sessions.start(tx, user, KEYS, ENTROPY, NOW, 86_400 * SECOND)
            assert identifier is not None
            session = sessions.find(tx, identifier, KEYS, NOW)
            assert session is not None
            return cls(database, register_client(tx, name), session, identifier)

        return database.write_now(make)

    def signed_in_again(self, now: Instant) -> Grants:
        """The same with a new session, as after its end."""

        def start(tx: Transaction) -> Grants:
            user = users.find_by_id(tx, self.session.user.id)
            assert user is not None
            identifier = sessions.start(tx, user, KEYS, ENTROPY, now, 86_400 * SECOND)
            assert identifier is not None
            session = sessions.find(tx, identifier, KEYS, now)
            assert session is not None
            return replace(self, session=session, session_id=identifier)

        return self.database.write_now(start)

    @property
    def client(self) -> int:
        """The number of the client's row."""
        return self.registered.client.id

    @property
    def credentials(self) -> ClientCredentials:
        """The client's genuine credentials."""
        return ClientCredentials(self.registered.client.client_id, self.registered.client_secret, from_basic=False)

    def ask(self, *, now: Instant = NOW, pkce: bool = True, **more: str) -> Authorization:
        """A consent question, asked and still open."""
        asked = {
            "client_id": self.registered.client.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "WRITE",
            **({"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"} if pkce else {}),
            **more,
        }
        parameters = Parameters.parse(urlencode(asked).encode())
        answer = self.database.write_now(lambda tx: begin(tx, parameters, self.session, now, ENTROPY))
        assert not isinstance(answer, Refused), answer
        return answer.authorization

    def code(self, *, now: Instant = NOW, pkce: bool = True) -> str:
        """An authorization code, as it arrives at the client."""
        question = self.ask(now=now, pkce=pkce)
        url = self.database.write_now(
            lambda tx: approve(tx, question.id, answering(self.session, now)),
        )
        return parse_qs(urlsplit(url).query)["code"][0]

    def exchange(
        self,
        code: str,
        *,
        now: Instant = NOW,
        verifier: str | None = VERIFIER,
        redirect_uri: str = REDIRECT_URI,
        credentials: ClientCredentials | None = None,
        lifetimes: Lifetimes = LIFETIMES,
    ) -> IssuedTokens | CodeReplay:
        """The exchange of a code."""
        request = ExchangeRequest(code, redirect_uri, verifier)
        return self.database.write_now(
            lambda tx: exchange(
                tx,
                credentials or self.credentials,
                request,
                now=now,
                lifetimes=lifetimes,
                keys=KEYS,
                entropy=ENTROPY,
            )
        )

    def tokens(self, *, now: Instant = NOW) -> IssuedTokens:
        """The first pair of a new family."""
        issued = self.exchange(self.code(now=now), now=now)
        assert isinstance(issued, IssuedTokens)
        return issued

    def refresh(
        self,
        refresh_token: str,
        *,
        now: Instant = NOW,
        scope: ScopeSet | None = None,
        redirect_uri: str | None = None,
        credentials: ClientCredentials | None = None,
        lifetimes: Lifetimes = LIFETIMES,
        policy: RotationPolicy = STRICT_ROTATION,
    ) -> IssuedTokens | RefreshReplay:
        """A refresh."""
        request = RefreshRequest(refresh_token, scope, redirect_uri)
        return self.database.write_now(
            lambda tx: refresh(
                tx,
                credentials or self.credentials,
                request,
                now=now,
                lifetimes=lifetimes,
                keys=KEYS,
                entropy=ENTROPY,
                policy=policy,
            )
        )

    def revoke(
        self, token: str, *, now: Instant = NOW, credentials: ClientCredentials | None = None, validate: bool = True
    ) -> bool:
        """The client gives a token back."""
        return self.database.write_now(
            lambda tx: revoke(tx, credentials or self.credentials, token, validate_secret=validate, now=now, keys=KEYS)
        )

    def verify(self, access_token: str, *, now: Instant = NOW) -> Caller:
        """Who an access token acts for."""
        digest = digest_of_genuine(access_token, KEYS)
        [live] = self.database.read_now(lambda tx: tokens.find_live_access(tx, [digest]))
        return caller_of(live, now)


def register_client(
    tx: Transaction,
    name: str,
    *,
    confidential: bool = True,
    scope: Scope = Scope.WRITE,
    profile: Profile = Profile.ATLASSIAN_DC,
) -> Registered:
    """A new client that answers at ``REDIRECT_URI``."""
    registration = Registration.check(
        name=name, redirect_uris=[REDIRECT_URI], scope=scope, allow_http=False, profile=profile
    )
    return register(
        tx, registration, confidential=confidential, created_by="admin", now=NOW, keys=KEYS, entropy=ENTROPY
    )


def answering(session: Session, now: Instant = NOW, code_lifetime: Instant = CODE_LIFETIME) -> Answering:
    """What somebody's answer to a question is given with."""
    return Answering(session=session, now=now, keys=KEYS, entropy=ENTROPY, code_lifetime=code_lifetime)


def together(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """What ``count`` threads, let go at the same moment, got: values and exceptions, in the threads' order."""
    start = threading.Barrier(count)

    def run(number: int) -> T | Exception:
        start.wait(timeout=30)
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
