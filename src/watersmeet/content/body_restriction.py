"""Request bodies of restrictions: ``PUT`` and ``POST /rest/api/content/{id}/restriction``."""

from __future__ import annotations

from msgspec import Struct

from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.restriction import Restricted
from watersmeet.content.restriction import Wanted


class Subject(Struct):
    """A person or a group."""

    username: str | None = None
    userKey: str | None = None  # noqa: N815 - the name on the wire
    name: str | None = None


class Subjects(Struct):
    """A list of them in the form in which it is answered, which clients send back."""

    results: list[Subject] = []


class SentSubjects(Struct):
    """Whom a content is to be kept to."""

    user: list[Subject] | Subjects | None = None
    group: list[Subject] | Subjects | None = None


class SentRestriction(Struct):
    """Whom one operation is to be kept to."""

    operation: str = ""
    restrictions: SentSubjects | None = None

    def wanted(self) -> Wanted:
        """What is asked for. Raises ``BadBody``."""
        if self.operation not in list(Restricted):
            raise BadBody(f"The operation of a restriction is 'read' or 'update', not {self.operation!r}.")
        people = _listed(self.restrictions.user if self.restrictions else None)
        groups = _listed(self.restrictions.group if self.restrictions else None)
        if not all(each.username or each.userKey for each in people) or not all(each.name for each in groups):
            raise BadBody("A user is named by 'username' or 'userKey', a group by 'name'.")
        return Wanted(
            Restricted(self.operation),
            usernames=tuple(each.username for each in people if each.username),
            user_keys=tuple(each.userKey for each in people if each.userKey and not each.username),
            groups=tuple(each.name for each in groups if each.name),
        )


def _listed(sent: list[Subject] | Subjects | None) -> list[Subject]:
    return sent.results if isinstance(sent, Subjects) else sent or []
