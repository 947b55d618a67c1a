"""Content: explanations of what the API says is not there, or may not be done.

The API says the same of what does not exist and of what the caller may not see; here it is told which.
"""

from __future__ import annotations

from dataclasses import replace

from watersmeet.confluence.content import ContentStatus
from watersmeet.confluence.errors import ContentNotFound, RestError, SpaceNotFound
from watersmeet.confluence.scopes import Role
from watersmeet.database import content as contents
from watersmeet.database import spaces, users
from watersmeet.database.users import User
from watersmeet.dev.case import Case, Explainers, verbatim
from watersmeet.web.language import Sentence

_ANY = (ContentStatus.CURRENT, ContentStatus.TRASHED, ContentStatus.DRAFT)


def _hidden_content(case: Case, cause: ContentNotFound) -> Sentence | None:
    caller = _caller(case)
    if caller is None:
        return None
    number = str(cause.content_id)
    found = contents.find_visible(case.tx, int(number), _who_sees_all(caller), _ANY) if _is_number(number) else None
    if found is None:
        return _told(cause, Sentence("there is none"))
    space = found.space.key
    if spaces.find_visible(case.tx, space, caller) is None:
        return _told(
            cause,
            Sentence("it exists, in the space {space}, which {user} may not view", space=space, user=caller.username),
        )
    if contents.find_visible(case.tx, found.id, caller, _ANY) is None:
        return _told(cause, Sentence("it exists, but restrictions keep {user} from reading it", user=caller.username))
    if found.status == ContentStatus.CURRENT:
        return _told(cause, Sentence("it exists, in its version {number}", number=found.version.number))
    return _told(cause, Sentence("it exists, with the status {status}", status=found.status))


def _hidden_space(case: Case, cause: SpaceNotFound) -> Sentence | None:
    caller = _caller(case)
    if caller is None:
        return None
    if spaces.find_visible(case.tx, cause.key, _who_sees_all(caller)) is None:
        return _told(cause, Sentence("there is none"))
    return _told(cause, Sentence("it exists, but {user} may not view it", user=caller.username))


def _told(cause: RestError, truth: Sentence) -> Sentence:
    return Sentence("{said} ({detail})", said=verbatim(cause.description.rstrip(".")), detail=truth)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _caller(case: Case) -> User | None:
    return users.find_by_name(case.tx, case.user) if case.user else None


def _who_sees_all(caller: User) -> User:
    return replace(caller, role=Role.SYSTEM_ADMINISTRATOR)


EXPLAINERS: Explainers = {ContentNotFound: _hidden_content, SpaceNotFound: _hidden_space}
