"""Permissions in a space: read < write < admin, and the rule of who may do what."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from watersmeet.confluence.scopes import Role


class SpacePermission(StrEnum):
    """What somebody may do in a space, weakest first; each implies those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: SpacePermission) -> bool:
        """Whether whoever has this one may do what ``needed`` asks for."""
        return _STRENGTH[self] >= _STRENGTH[needed]


_STRENGTH = {permission: number for number, permission in enumerate(SpacePermission)}


def bypasses_spaces(role: Role) -> bool:
    """Whether a person of that role may do everything in every space."""
    return role in (Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR)


def may_create_spaces(role: Role) -> bool:
    """Whether a person of that role may create a space."""
    return role in (Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR)


def allows(role: Role, granted: Iterable[SpacePermission], needed: SpacePermission) -> bool:
    """Whether a person of that role, granted these permissions in a space, may do what is needed."""
    return bypasses_spaces(role) or any(permission.covers(needed) for permission in granted)
