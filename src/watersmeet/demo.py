"""The demo: users, an incoming link and content that everybody knows, in a database that is thrown away."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.content.demo import add_demo_content
from watersmeet.database import clients
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.users.password import hash_public_password
from watersmeet.users.signin import add_user
from watersmeet.web.environment import DemoAccount, Environment
from watersmeet.web.language import translatable

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
        *translatable("everything, as system administrator"),
    ),
    DemoUser(
        "alice", "Alice Example", Role.USER, ("writer",), *translatable("reads and writes the spaces DEMO and ENG")
    ),
    DemoUser("bob", "Bob Example", Role.USER, ("reader",), *translatable("reads the space DEMO only")),
    DemoUser("viewer", "Vera Viewer", Role.USER, ("reader",), *translatable("reads the spaces DEMO and ENG")),
)

# Public on purpose, so that examples can be pasted; `serve` refuses a database that `dev` made.
CLIENT_NAME = "Demo application"
CLIENT_ID = "0d3a0c11e47de3000000000000000001"
CLIENT_SECRET = "5ec4e7000000000000000000000000000000000000000000000000000000d3a0"  # noqa: S105

# The verifier and challenge of RFC 7636, Appendix B: public, so good for a demonstration and nothing else.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def accounts() -> list[DemoAccount]:
    """The users as the sign-in page offers them."""
    return [DemoAccount(user.username, user.display_name, user.rights, password=user.username) for user in USERS]


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
