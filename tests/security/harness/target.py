"""The target: what the suite must be told of a server to judge it.

For Watersmeet the suite makes one itself. For any other server ``WATERSMEET_TEST_TARGET`` names a JSON or TOML
file with these fields; ``tests/security/peers`` has examples. What a server cannot do is left out: the rows that
need it then report ``not supported``.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

_REAL_WAIT_SECONDS = 5
STRICT, LEGACY = "strict", "atlassian-dc"
both_profiles = pytest.mark.parametrize("profile", [STRICT, LEGACY])


class User(msgspec.Struct, frozen=True):
    """Somebody who can sign in."""

    username: str
    password: str


class Registration(msgspec.Struct, frozen=True):
    """A registered client. ``scope`` is the most it may ask for; ``extra`` goes with every authorization request."""

    client_id: str
    redirect_uris: list[str]
    client_secret: str | None = None
    scope: str = ""
    profile: str = STRICT
    name: str = ""
    extra: dict[str, str] = {}


class Resource(msgspec.Struct, frozen=True):
    """A protected call and the scope it needs."""

    path: str
    method: str = "GET"
    json: Any = None


class Forms(msgspec.Struct, frozen=True):
    """How the pages are filled in: names of fields, and the name and value that mean yes and no."""

    username: str = "username"
    password: str = "password"
    allow: tuple[str, str] = ("decision", "allow")
    deny: tuple[str, str] | None = None
    narrow: tuple[str, str] | None = None  # the field of the consent form that allows less: the weakest scope
    remember: tuple[str, str] | None = None  # the box of the consent form that has the answer remembered


class Target(msgspec.Struct, frozen=True):
    """A running server. URLs are absolute, paths begin after ``issuer``; ``scopes`` come weakest first."""

    name: str
    version: str
    issuer: str
    authorize: str
    token: str
    clients: dict[str, Registration]  # confidential, other, public, legacy
    users: dict[str, User]  # reader, writer, administrator, system-administrator
    scopes: list[str]
    resources: dict[str, Resource]  # by the scope that each needs
    revoke: str | None = None
    introspect: str | None = None
    metadata: list[str] = []
    forms: Forms = Forms()
    nodes: list[str] = []  # host:port of every process that serves this store, the issuer's first
    pages: dict[
        str, str
    ] = {}  # pages for people: home, sign_in, authorized, account, links, new_link, link, edit_link, …
    behind: str = ""  # host:port of the server, where the suite is the proxy before it that ends TLS

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer."""
        return "/".join(self.issuer.split("/")[:3])


def read_target(file: Path) -> Target:
    """A target from its description. Raises ``msgspec.ValidationError``."""
    decoder = msgspec.toml if file.suffix == ".toml" else msgspec.json
    target: Target = decoder.decode(file.read_bytes(), type=Target)
    return target


class Route(msgspec.Struct, frozen=True):
    """One address of a server, and the scope that each method needs of a token; ``None`` where it takes none."""

    path: str  # {name} stands for a part
    methods: dict[str, str | None]


class Hooks:
    """What only whoever runs a server can do: each method is a hook a target may have.

    A row that needs a hook which is missing is left out, and reported as not supported for that reason.
    """

    def _missing(self, hook: str) -> NoReturn:
        pytest.skip(f"the target offers no hook to {hook}")

    def new_client(self, **wanted: Any) -> Registration:
        """Register a client: ``scope``, ``redirect_uris``, ``profile``, ``public``, ``name``."""
        self._missing("register a client")

    def new_user(self, role: str = "user") -> User:
        """Add a user."""
        self._missing("add a user")

    def delete_client(self, client_id: str) -> None:
        """Delete a client."""
        self._missing("delete a client")

    def rotate_secret(self, client_id: str, overlap_hours: int) -> str:
        """Give a client a second secret."""
        self._missing("rotate a secret")

    def disable_user(self, username: str) -> None:
        """Keep a user out."""
        self._missing("disable a user")

    def delete_user(self, username: str) -> None:
        """Delete a user."""
        self._missing("delete a user")

    def set_password(self, username: str, password: str) -> None:
        """Change a password."""
        self._missing("change a password")

    def advance(self, seconds: float) -> None:
        """Move the server's clock; where that cannot be done, short waits are real ones."""
        if seconds > _REAL_WAIT_SECONDS:
            self._missing("move the clock")
        time.sleep(seconds)

    def standing_clock(self) -> AbstractContextManager[None]:
        """A context in which the server's clock moves by ``advance`` alone."""
        self._missing("stop the clock")

    def routes(self) -> list[Route]:
        """Every address that the server answers; where it cannot tell, the pages and endpoints of the target are it."""
        return []

    def memory(self) -> int:
        """How many bytes of memory the processes of the server use."""
        self._missing("measure its memory")

    def dump(self) -> str:
        """Everything in the store, as text."""
        self._missing("read the store")

    def logs(self) -> str:
        """Everything the server wrote."""
        self._missing("read the log")

    def audit(self, newest: int | None = None) -> list[dict[str, Any]]:
        """The audit trail, oldest first; all of it, or the newest events."""
        self._missing("read the audit trail")

    def restart(self, *, kill: bool = False) -> None:
        """Stop and start every process."""
        self._missing("restart the server")

    def restarted_with(self, settings: str) -> AbstractContextManager[None]:
        """A context in which every process runs with more settings, lines of TOML."""
        self._missing("restart the server with other settings")

    def command(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Run the server's command line: exit code and output."""
        self._missing("run its command line")

    def refusal(self, statement: str) -> str:
        """What the store says to a statement that it must refuse; empty if it does not."""
        self._missing("write to the store")

    def broken_store(self) -> Any:
        """A context in which whatever touches tokens in the store fails."""
        self._missing("break the store")

    def hold_store(self) -> Any:
        """A context in which nobody else can write to the store."""
        self._missing("lock the store")
