"""The page of what can act for a user: applications, personal access tokens, and browsers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import WORDS, Scope, ScopeWords
from watersmeet.database import consents, personal_tokens, tokens, users
from watersmeet.database.consents import RememberedClient
from watersmeet.database.personal_tokens import PersonalToken
from watersmeet.database.tokens import Grant
from watersmeet.database.transaction import Transaction
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.family import Lifetimes
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.users.http_account import SignedInBrowser
from watersmeet.users.personal_token import NewToken
from watersmeet.users.session import Session
from watersmeet.web.templates import Page

TOKEN_WORDS = {
    Scope.READ: WORDS[Scope.READ],
    Scope.WRITE: WORDS[Scope.WRITE],
    Scope.SYSTEM_ADMIN: ScopeWords(
        Scope.SYSTEM_ADMIN,
        "Everything you may do yourself",
        "Also administer, as far as you may yourself.",
    ),
}
"""What a user chooses from for a token of their own."""


@dataclass(frozen=True, slots=True)
class Application:
    """An application that can act for the user, or can begin to without asking until ``asks_again_at``."""

    client_id: str
    name: str
    since: Instant
    grant: Grant | None
    asks_again_at: Instant | None
    words: ScopeWords


@dataclass(frozen=True, slots=True)
class Script:
    """A personal access token, as its user sees it again."""

    token: PersonalToken
    words: ScopeWords


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that can act for a user now."""

    applications: list[Application]
    scripts: list[Script]
    browsers: list[SignedInBrowser]

    @property
    def is_alone(self) -> bool:
        """Whether nothing can but the browser that asks."""
        return not self.applications and not self.scripts and len(self.browsers) < 2


@dataclass(frozen=True, slots=True)
class TokenForm:
    """What was typed to make a token; nothing but the password is lost when something is wrong."""

    name: str
    scope: str
    days: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedPage(Page):
    """What can act for the user, and how it is taken back."""

    template: ClassVar[str] = "authorized.html"
    username: str
    found: Found
    choices: list[ScopeWords]
    token_form: TokenForm
    max_days: int
    new_token: NewToken | None
    done: str | None
    problem_found: WatersmeetError | None
    form_token: str


def find(tx: Transaction, session: Session, now: Instant, longest: Instant, lifetimes: Lifetimes) -> Found:
    """What can act for the user of a session; ``longest`` is how long consent may be remembered, in milliseconds."""
    user_id = session.user.id
    grants = {grant.client_id: grant for grant in tokens.list_grants(tx, user_id, now, lifetimes)}
    remembered: dict[str, list[RememberedClient]] = {}
    for each in consents.list_of(tx, user_id, now):
        if each.consent.holds(now, longest):
            remembered.setdefault(each.client_id, []).append(each)
    applications = [
        _application(grants.get(client_id), remembered.get(client_id, []), longest) for client_id in grants | remembered
    ]
    return Found(
        applications=sorted(applications, key=lambda application: application.name.casefold()),
        scripts=[Script(token, token_words(token.scope)) for token in personal_tokens.list_of(tx, user_id, now)],
        browsers=[SignedInBrowser.of(row, session) for row in users.list_sessions(tx, user_id, now)],
    )


def _application(grant: Grant | None, remembered: list[RememberedClient], longest: Instant) -> Application:
    """One application; there is a grant, or something is remembered, or both."""
    known = grant or remembered[0]
    scopes = [each.consent.scope for each in remembered] + ([grant.scope] if grant else [])
    words = max((_words(scope) for scope in scopes), key=lambda words: list(Scope).index(words.scope))
    since = min([each.consent.created_at for each in remembered] + ([grant.first_authorized_at] if grant else []))
    until = max((each.consent.end(longest) for each in remembered), default=None)
    return Application(known.client_id, known.client_name, since, grant, until, words)


def _words(scope: ScopeSet) -> ScopeWords:
    """The words of the strongest that a set holds."""
    return WORDS[[each for each in Scope if each in scope.implied][-1]]


def token_words(scope: ScopeSet) -> ScopeWords:
    """The words of what a personal access token may do at most."""
    words = _words(scope)
    return TOKEN_WORDS.get(words.scope, words)
