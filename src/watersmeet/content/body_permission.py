"""Request bodies of permissions on the instance and in a space."""

from __future__ import annotations

from msgspec import Struct

from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.permission import GlobalPermission, SpacePermission, global_permission, space_permission
from watersmeet.content.body import decode
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

    def global_permission(self) -> GlobalPermission:
        """The permission on the instance that is meant. Raises ``BadBody``."""
        found = global_permission(self.operationKey, self.targetType)
        if not found and self.operationKey == "administer":
            raise BadBody("Administering is a matter of a user's role, not of a permission: see 'watersmeet user'.")
        if not found:
            raise BadBody(f"There is no global permission to {self.operationKey!r} a {self.targetType!r}.")
        return found


class SentOperations(Struct):
    """Operations as a well-known client wraps them, where the API wants their list alone."""

    operations: list[SentOperation] = []


class SentGrants(Struct):
    """What one subject is granted; without a key and a name it is everybody, strangers included."""

    userKey: str | None = None  # noqa: N815
    groupName: str | None = None  # noqa: N815
    operations: list[SentOperation] = []

    def change(self) -> Change:
        """The grant in a space that is asked for. Raises ``BadBody``."""
        return Change(self._subject(), [each.permission() for each in self.operations])

    def global_change(self) -> Change:
        """The grant on the instance that is asked for. Raises ``BadBody``."""
        return Change(self._subject(), [each.global_permission() for each in self.operations])

    def _subject(self) -> Subject:
        if self.userKey and self.groupName:
            raise BadBody("A subject is a user or a group, not both.")
        return Subject(self.userKey or None, self.groupName or None)


def sent_operations(data: bytes) -> list[SentOperation]:
    """The operations of a body: a list, or the list in an object. Raises ``BadBody``."""
    wrapped = data.lstrip().startswith(b"{")
    return decode(data, SentOperations).operations if wrapped else decode(data, list[SentOperation])


def sent_grants(data: bytes) -> list[SentGrants]:
    """The grants of a body: a list, or its JSON as one string, as the same client sends it. Raises ``BadBody``."""
    wrapped = data.lstrip().startswith(b'"')
    return decode(decode(data, str).encode() if wrapped else data, list[SentGrants])
