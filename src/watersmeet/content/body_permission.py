"""Request bodies of space permissions."""

from __future__ import annotations

from msgspec import Struct

from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.permission import SpacePermission, space_permission
from watersmeet.content.grant import Change, Subject


class SentOperation(Struct):
    """An operation that is granted or revoked."""

    targetType: str = ""  # noqa: N815 - the name on the wire
    operationKey: str = ""  # noqa: N815

    def permission(self) -> SpacePermission:
        """The permission that is meant. Raises ``BadBody``."""
        found = space_permission(self.operationKey, self.targetType)
        if not found:
            raise BadBody(f"There is no permission to {self.operationKey!r} a {self.targetType!r}.")
        return found


class SentGrants(Struct):
    """What one subject is granted; without a key and a name it is everybody, strangers included."""

    userKey: str | None = None  # noqa: N815
    groupName: str | None = None  # noqa: N815
    operations: list[SentOperation] = []

    def change(self) -> Change:
        """The grant that is asked for. Raises ``BadBody``."""
        if self.userKey and self.groupName:
            raise BadBody("A subject is a user or a group, not both.")
        subject = Subject(self.userKey or None, self.groupName or None)
        return Change(subject, [each.permission() for each in self.operations])
