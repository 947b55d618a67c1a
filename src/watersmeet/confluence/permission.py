"""Permissions: what may be granted on the instance and in a space, and who needs no grant.

Their names are those of the original's export format; on the wire an operation is a key and a target type (S1.4).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from watersmeet.confluence.content import Person
from watersmeet.confluence.scopes import Role

# The groups that are there from the start. Clients and their test suites know them by these names.
USERS_GROUP = "confluence-users"
ADMINISTRATORS_GROUP = "confluence-administrators"


class GlobalPermission(StrEnum):
    """What somebody may do on the instance. Administering it is a matter of their role instead."""

    USE = "USECONFLUENCE"
    PERSONAL_SPACE = "PERSONALSPACE"
    CREATE_SPACE = "CREATESPACE"

    @property
    def operation(self) -> tuple[str, str]:
        """The operation's key and target type on the wire: ``("use", "application")``."""
        return _GLOBAL_OPERATIONS[self]


class SpacePermission(StrEnum):
    """What somebody may do in a space. None implies another, but without ``VIEW`` the space is not there."""

    VIEW = "VIEWSPACE"
    EDIT_PAGE = "EDITSPACE"
    EDIT_BLOG = "EDITBLOG"
    COMMENT = "COMMENT"
    CREATE_ATTACHMENT = "CREATEATTACHMENT"
    REMOVE_PAGE = "REMOVEPAGE"
    REMOVE_BLOG = "REMOVEBLOG"
    REMOVE_COMMENT = "REMOVECOMMENT"
    REMOVE_ATTACHMENT = "REMOVEATTACHMENT"
    REMOVE_OWN = "REMOVEOWNCONTENT"
    RESTRICT = "SETPAGEPERMISSIONS"
    EXPORT = "EXPORTSPACE"
    ARCHIVE = "ARCHIVEPAGE"
    ADMINISTER = "SETSPACEPERMISSIONS"

    @property
    def operation(self) -> tuple[str, str]:
        """The operation's key and target type on the wire: ``("create", "page")``."""
        return _OPERATIONS[self]

    @property
    def in_words(self) -> str:
        """What it permits, as a sentence says it."""
        return _IN_WORDS[self]


Permission: TypeAlias = GlobalPermission | SpacePermission


@dataclass(frozen=True, slots=True)
class GlobalGrant:
    """One permission on the instance; whose it is as in ``SpaceGrant``."""

    permission: GlobalPermission
    person: Person | None
    group: str | None


@dataclass(frozen=True, slots=True)
class SpaceGrant:
    """One permission in a space, of a person or of a group; of neither: of everybody, strangers included."""

    permission: SpacePermission
    person: Person | None
    group: str | None


_OPERATIONS = {
    SpacePermission.VIEW: ("read", "space"),
    SpacePermission.EDIT_PAGE: ("create", "page"),
    SpacePermission.EDIT_BLOG: ("create", "blogpost"),
    SpacePermission.COMMENT: ("create", "comment"),
    SpacePermission.CREATE_ATTACHMENT: ("create", "attachment"),
    SpacePermission.REMOVE_PAGE: ("delete", "page"),
    SpacePermission.REMOVE_BLOG: ("delete", "blogpost"),
    SpacePermission.REMOVE_COMMENT: ("delete", "comment"),
    SpacePermission.REMOVE_ATTACHMENT: ("delete", "attachment"),
    SpacePermission.REMOVE_OWN: ("delete_own", "space"),
    SpacePermission.RESTRICT: ("restrict", "space"),
    SpacePermission.EXPORT: ("export", "space"),
    SpacePermission.ARCHIVE: ("archive", "page"),
    SpacePermission.ADMINISTER: ("administer", "space"),
}
_IN_WORDS = {
    SpacePermission.VIEW: "see anything",
    SpacePermission.EDIT_PAGE: "create or change pages",
    SpacePermission.EDIT_BLOG: "create or change blog posts",
    SpacePermission.COMMENT: "comment",
    SpacePermission.CREATE_ATTACHMENT: "attach files",
    SpacePermission.REMOVE_PAGE: "delete pages",
    SpacePermission.REMOVE_BLOG: "delete blog posts",
    SpacePermission.REMOVE_COMMENT: "delete comments",
    SpacePermission.REMOVE_ATTACHMENT: "delete attachments",
    SpacePermission.REMOVE_OWN: "delete what you have made",
    SpacePermission.RESTRICT: "restrict pages",
    SpacePermission.EXPORT: "export anything",
    SpacePermission.ARCHIVE: "archive pages",
    SpacePermission.ADMINISTER: "administer anything",
}
_BY_OPERATION = {operation: permission for permission, operation in _OPERATIONS.items()}
_GLOBAL_OPERATIONS = {
    GlobalPermission.USE: ("use", "application"),
    GlobalPermission.PERSONAL_SPACE: ("create", "personal_space"),
    GlobalPermission.CREATE_SPACE: ("create", "space"),
}
_GLOBAL_BY_OPERATION = {operation: permission for permission, operation in _GLOBAL_OPERATIONS.items()}

READER = frozenset({SpacePermission.VIEW})
WRITER = frozenset(SpacePermission) - {SpacePermission.ADMINISTER}
SPACE_ADMINISTRATOR = frozenset(SpacePermission)


def space_permission(operation: str, target: str) -> SpacePermission | None:
    """The permission that an operation on the wire means; ``None`` if it means none."""
    if (operation, target) == ("restrict_content", "space"):  # as the exports of newer versions call it
        return SpacePermission.RESTRICT
    return _BY_OPERATION.get((operation, target))


def global_permission(operation: str, target: str) -> GlobalPermission | None:
    """The permission on the instance that an operation on the wire means; ``None`` if it means none."""
    return _GLOBAL_BY_OPERATION.get((operation, target))


def bypasses_spaces(role: Role) -> bool:
    """Whether a person of that role may do everything in every space, restricted pages included."""
    return role in (Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR)


def allows(role: Role, granted: Collection[SpacePermission], needed: SpacePermission) -> bool:
    """Whether a person of that role, granted these permissions in a space, may do what is needed."""
    return bypasses_spaces(role) or needed in granted
