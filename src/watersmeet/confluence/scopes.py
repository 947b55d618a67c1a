"""Scopes and roles: READ ⊂ WRITE ⊂ ADMIN ⊂ SYSTEM_ADMIN, what they mean, and what a role may hold (seed)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from watersmeet.oauth2.scope import ScopeSet, ScopeVocabulary


class Scope(StrEnum):
    """The scope keys of the seed, weakest first."""

    READ = "READ"
    WRITE = "WRITE"
    ADMIN = "ADMIN"
    SYSTEM_ADMIN = "SYSTEM_ADMIN"

    @property
    def as_set(self) -> ScopeSet:
        """The set of this scope alone, with all it implies."""
        return VOCABULARY.parse(self)

    @property
    def is_administrative(self) -> bool:
        """Whether the scope reaches beyond content: giving it away needs the password again (S068)."""
        return self in (Scope.ADMIN, Scope.SYSTEM_ADMIN)


VOCABULARY = ScopeVocabulary.of(
    {scope: tuple(Scope)[: number + 1] for number, scope in enumerate(Scope)},
    administrative=[scope for scope in Scope if scope.is_administrative],
)


class Role(StrEnum):
    """What a person is to the whole instance; what they may do in a space is a matter of its permissions."""

    USER = "user"
    ADMINISTRATOR = "administrator"
    SYSTEM_ADMINISTRATOR = "system-administrator"

    @property
    def ceiling(self) -> ScopeSet:
        """The most that a token can do for such a person: scopes are capped by what the user may do (seed)."""
        return _CEILINGS[self]


_CEILINGS = {
    Role.USER: VOCABULARY.parse(Scope.WRITE),
    Role.ADMINISTRATOR: VOCABULARY.parse(Scope.ADMIN),
    Role.SYSTEM_ADMINISTRATOR: VOCABULARY.parse(Scope.SYSTEM_ADMIN),
}


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """How people are told about a scope: a title and a sentence."""

    scope: Scope
    title: str
    explanation: str


WORDS = {
    Scope.READ: ScopeWords(
        Scope.READ,
        "View your content",
        "See the spaces, pages, blog posts, attachments, comments and templates you can see, and your profile.",
    ),
    Scope.WRITE: ScopeWords(
        Scope.WRITE,
        "Create, change and delete content",
        "Create, change and delete what you can change: pages, blog posts, attachments, comments and "
        "templates. Change your profile.",
    ),
    Scope.ADMIN: ScopeWords(
        Scope.ADMIN,
        "Administer this site",
        "Do most of what an administrator can do on the whole site, except backups, imports and "
        "infrastructure settings.",
    ),
    Scope.SYSTEM_ADMIN: ScopeWords(
        Scope.SYSTEM_ADMIN,
        "Administer the system",
        "Do everything an administrator can do on the whole site, including backups, imports and "
        "infrastructure settings.",
    ),
}

"""To the person whose rights they are."""

LINK_WORDS = {
    **WORDS,
    Scope.READ: ScopeWords(
        Scope.READ,
        "View content",
        "See what the person who allows it can see: spaces, pages, blog posts, attachments, comments and "
        "templates, and that person's profile.",
    ),
    Scope.WRITE: ScopeWords(
        Scope.WRITE,
        "Create, change and delete content",
        "Create, change and delete what the person who allows it can change: pages, blog posts, attachments, "
        "comments and templates. Change that person's profile.",
    ),
}
"""To the administrator of an incoming link, whose own rights they are not."""


@lru_cache(maxsize=256)
def parse_scope(text: str) -> ScopeSet:
    """The scopes a stored or sent ``scope`` names. Raises ``InvalidScope``."""
    return VOCABULARY.parse(text)
