"""The demo: users, an incoming link and content that everybody knows, in a database that is thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.content.demo import add_demo_content
from watersmeet.database import authorizations, clients
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.users.password import hash_public_password
from watersmeet.users.signin import add_user
from watersmeet.web.environment import Environment
from watersmeet.web.templates import Page, render

CALLBACK_PATH = "/_dev/callback"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A user of the demo; the password is the user name."""

    username: str
    display_name: str
    role: Role
    roles: tuple[str, ...]
    rights: str


USERS = (
    DemoUser(
        "admin",
        "Ada Admin",
        Role.SYSTEM_ADMINISTRATOR,
        ("system-administrator",),
        "everything, as system administrator",
    ),
    DemoUser("alice", "Alice Example", Role.USER, ("writer",), "reads and writes the spaces DEMO and ENG"),
    DemoUser("bob", "Bob Example", Role.USER, ("reader",), "reads the space DEMO only"),
    DemoUser("viewer", "Vera Viewer", Role.USER, ("reader",), "reads the spaces DEMO and ENG"),
)

# Public on purpose, so that examples can be pasted; `serve` refuses a database that `dev` made.
CLIENT_NAME = "Demo application"
CLIENT_ID = "0d3a0c11e47de3000000000000000001"
CLIENT_SECRET = "5ec4e7000000000000000000000000000000000000000000000000000000d3a0"  # noqa: S105

# The verifier and challenge of RFC 7636, Appendix B: public, so good for a demonstration and nothing else.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def redirect_uris(base_url: str) -> tuple[str, ...]:
    """Where the demo link's answers may go: the page that shows the code, and any program on this computer."""
    return (base_url + CALLBACK_PATH, "http://127.0.0.1:8091/callback", "http://localhost:8091/callback")


def add_demo(tx: Transaction, environment: Environment, now: Instant) -> None:
    """Fill an empty database."""
    people = {
        user.username: add_user(
            tx,
            username=user.username,
            display_name=user.display_name,
            email=f"{user.username}@example.com",
            role=user.role,
            password_hash=hash_public_password(user.username),
            now=now,
            entropy=environment.entropy,
        )
        for user in USERS
    }
    number = clients.add(
        tx,
        client_id=CLIENT_ID,
        name=CLIENT_NAME,
        confidential=True,
        scope=Scope.SYSTEM_ADMIN.as_set,
        uris=[RedirectUri.register(uri) for uri in redirect_uris(environment.settings.base_url)],
        now=now,
        created_by="admin",
        profile=Profile.ATLASSIAN_DC,  # so that the vendor's examples run as printed
    )
    clients.add_secret(tx, number, environment.keys.digest(CLIENT_SECRET), now)
    add_demo_content(tx, people, now)


def description(base_url: str, pid: int) -> dict[str, object]:
    """What scripts are told about a running demo: the contract of ``dev --json``."""
    return {
        "base_url": base_url,
        "users": [{"username": user.username, "password": user.username, "roles": list(user.roles)} for user in USERS],
        "clients": [
            {
                "name": CLIENT_NAME,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "redirect_uris": list(redirect_uris(base_url)),
                "scope": Scope.SYSTEM_ADMIN.value,
            }
        ],
        "pid": pid,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPage(Page):
    """Where the demo link's answers end up: it shows the code and what to do with it."""

    template: ClassVar[str] = "dev-callback.html"
    code: str | None
    state: str | None
    error: str | None
    exchange: str
    needs_verifier: bool


def routes(environment: Environment) -> list[Route]:
    """The pages that only a demo has."""
    base_url = environment.settings.base_url
    callback = base_url + CALLBACK_PATH

    async def show(request: Request) -> Response:
        query = request.query_params
        digest = environment.keys.digest(query.get("code", ""))
        authorization = await environment.database.read(lambda tx: authorizations.find_by_code(tx, digest))
        challenge = authorization.challenge if authorization else None
        parameters = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "code": query.get("code", ""),
            "grant_type": "authorization_code",
            "redirect_uri": callback,
        }
        if challenge and challenge.value == CHALLENGE:
            parameters["code_verifier"] = VERIFIER
        page = CallbackPage(
            context_path=environment.settings.context_path,
            code=query.get("code"),
            state=query.get("state"),
            error=query.get("error"),
            exchange=f"curl -X POST '{base_url}/rest/oauth2/latest/token?{urlencode(parameters)}'",
            needs_verifier=challenge is not None and "code_verifier" not in parameters,
        )
        return render(page)

    return [Route(CALLBACK_PATH, show, methods=["GET"])]
