"""The pages of incoming links as they are shown: the list, the form, and one link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from watersmeet.clock import SECOND
from watersmeet.confluence.scopes import Scope, ScopeWords
from watersmeet.database.tokens import Usage
from watersmeet.database.users import User
from watersmeet.errors import WatersmeetError
from watersmeet.links.compatibility import Compatibility
from watersmeet.links.draft import Problems
from watersmeet.links.recipes import Recipe
from watersmeet.links.register import MAX_REFRESH_GRACE
from watersmeet.oauth2.client import Client, ClientSecret
from watersmeet.oauth2.family import Lifetimes, RotationPolicy
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.web.templates import Page


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A row of the list: a link and how much it is in use."""

    link: Client
    usage: Usage
    has_expired: bool

    def fits(self, search: str) -> bool:
        """Whether somebody who typed that means this link."""
        hosts = [uri.host for uri in self.link.redirect_uris]
        known = (self.link.name, self.link.client_id, self.link.created_by, *hosts)
        return any(search.casefold() in text.casefold() for text in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksPage(Page):
    """All incoming links, or those that fit a search."""

    template: ClassVar[str] = "links.html"
    rows: list[LinkRow]
    search: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkForm(Page):
    """Creating an incoming link, or editing one; nothing typed is lost when something is wrong."""

    template: ClassVar[str] = "link-form.html"
    client_id: str | None
    name: str
    redirect_uris: str
    scope: str
    confidential: bool
    profile: Profile
    last_day: str
    choices: list[ScopeWords]
    problem_found: WatersmeetError | None
    problems: Problems
    form_token: str


@dataclass(frozen=True, slots=True)
class RefreshGrace:
    """The grace of a link in seconds: what holds, its own (``None``: as the server), the server's, the choices."""

    holds: int
    own: int | None
    server: int
    choices: range = range(MAX_REFRESH_GRACE + 1)

    @classmethod
    def of(cls, link: Client, server: int) -> RefreshGrace:
        """The grace of a link of a server with that setting."""
        return cls(link.rotation(RotationPolicy(server * SECOND)).grace // SECOND, link.refresh_grace_seconds, server)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage(Page):
    """One incoming link; its secret only in the answer that made it."""

    template: ClassVar[str] = "link.html"
    link: Client
    has_expired: bool
    words: list[ScopeWords]
    users: list[User]
    usage: Usage
    secrets: list[ClientSecret]
    compatibility: Compatibility
    legacy_words: Mapping[Legacy, str]
    client_secret: str | None
    is_new: bool
    is_seen_again: bool
    is_viewable: bool
    recipes: list[Recipe]
    overlap_hours: int
    refresh_grace: RefreshGrace
    has_long_access_tokens: bool
    lifetimes: Lifetimes
    """How long this link's tokens live."""
    problem_found: WatersmeetError | None
    wrong_field: str | None
    form_token: str


def strongest(client: Client) -> Scope:
    """The strongest scope of a client: the one it was registered with."""
    return max((Scope(name) for name in client.scope.names), key=list(Scope).index)
