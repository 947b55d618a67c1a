"""Errors of the REST API: one leaf per cause, and the envelope they travel in.

Texts that clients recognise (S3.13, marked C) are the original's, word for word; the others are our own.
"""

from __future__ import annotations

import re
from typing import Any

from watersmeet.errors import WatersmeetError


class RestError(WatersmeetError):
    """A request to the REST API that is refused, with the status and reason it is answered with."""

    status: int = 400
    reason: str = "Bad Request"
    # What the envelope says about the refusal: was the caller allowed, and was what they sent acceptable?
    authorized: bool = True
    valid: bool = False


# ---- 400: what was sent is not acceptable ------------------------------------------------------------------


class BadBody(RestError):
    """The body of the request cannot be read, or says something impossible."""


class BadParameter(RestError):
    """A query parameter has a value that means nothing."""


class TitleTaken(RestError):
    """Another current content of the same type and space has that title."""

    def __init__(self, content_type: str, title: str, space_key: str) -> None:
        noun = "blog post" if content_type == "blogpost" else content_type
        super().__init__(
            f"A {noun} with this title already exists: "
            f"A {noun} already exists with the title {title} in the space with key {space_key}"
        )


class FileNameTaken(RestError):
    """The content has a current attachment of that name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Cannot add a new attachment with same file name as an existing attachment: {name}")


class SpaceKeyTaken(RestError):
    """There is a space of that key already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"A space already exists with key {key}")


class PropertyTaken(RestError):
    """There is a property of that key already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"A property with the key {key} already exists; change it with PUT.")


class LocksOut(RestError):
    """Restrictions that would keep out whoever sets them."""

    description = "You cannot keep yourself from reading or changing the content: name yourself, or a group of yours."


class BadParent(RestError):
    """The content named as parent exists but cannot be the parent."""


class MalformedStorage(RestError):
    """A body that is no well-formed XHTML: where, as line and column from 1 in the text that was sent."""

    def __init__(self, cause: str, line: int, column: int) -> None:
        super().__init__(f"Error parsing xhtml: {cause} at [row,col]: [{line},{column}]")
        self.line = line
        self.column = column


# ---- 403, 404: who may see and do what ---------------------------------------------------------------------


class Forbidden(RestError):
    """The caller sees the thing but may not do this to it."""

    status = 403
    reason = "Forbidden"
    authorized = False
    valid = True


class UseNotPermitted(Forbidden):
    """The caller is somebody, but was not granted the use of the instance."""

    description = "You are not permitted to use this site. An administrator can let you."


class CrossSiteCheckFailed(RestError):
    """A request that a form of another site could have sent, without the header that none can."""

    status = 403
    reason = "Forbidden"
    authorized = False
    valid = True
    description = "XSRF check failed: send the header X-Atlassian-Token with the value no-check."


class NotFound(RestError):
    """Nothing of that name, or nothing the caller may know of."""

    status = 404
    reason = "Not Found"
    authorized = False
    valid = True
    description = "There is nothing here."


class ContentNotFound(NotFound):
    """No such content, or none the caller may see."""

    def __init__(self, content_id: int | str, version: int | None = None) -> None:
        in_version = "" if version is None else f" in version {version}"
        super().__init__(f"No content found with id: ContentId{{id={content_id}}}{in_version}")
        self.content_id = content_id


class UserNotFound(NotFound):
    """No user of that key or name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No user found with key or username: {name}")


class GroupNotFound(NotFound):
    """No group of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No group found with name: {name}")


class LabelNotFound(NotFound):
    """The content does not carry that label."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The content does not have the label {name}.")


class MacroNotFound(NotFound):
    """That version of the content has no such macro."""

    def __init__(self, called: str) -> None:
        super().__init__(f"There is no macro with the id or hash {called} in that version of the content.")


class TaskNotFound(NotFound):
    """The body of the content has no task of that number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"There is no task with the id {number} in that content.")


class TemplateNotFound(NotFound):
    """No such template, or none the caller may see."""

    def __init__(self, template_id: int | str) -> None:
        super().__init__(f"No template found with id: {template_id}")


class PropertyNotFound(NotFound):
    """No property of that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"No property found with key: {key}")


class LongTaskNotFound(NotFound):
    """No long task of that number, or none of the caller's."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"No long task found with id: {task_id}")


class SpaceNotFound(NotFound):
    """No such space, or none the caller may see."""

    def __init__(self, key: str) -> None:
        super().__init__(f"No space with key : {key}")
        self.key = key


# ---- the rest ----------------------------------------------------------------------------------------------


class VersionConflict(RestError):
    """An update that was not made from the current version."""

    status = 409
    reason = "Conflict"

    def __init__(self, current: int) -> None:
        super().__init__(f"Version must be incremented on update. Current version is: {current}")


class PropertyTooLong(RestError):
    """The value of a property has more bytes than are kept."""

    status = 413
    reason = "Request Entity Too Large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The value of a property may have at most {limit} bytes of JSON.")


class GroupTaken(RestError):
    """There is a group of that name already."""

    status = 409
    reason = "Conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a group named {name}.")


class GroupInUse(RestError):
    """A group that content is kept to: without it, that would be open to everybody."""

    status = 409
    reason = "Conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"Restrictions name the group {name}: take it out of them first.")


class PersonalSpaceTaken(RestError):
    """Whoever it is for has a space of their own already."""

    status = 409
    reason = "Conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"A space already exists with key {key}")


class NotServed(RestError):
    """Something the original does and this server does not."""

    status = 501
    reason = "Not Implemented"
    valid = True


class UploadTooLarge(RestError):
    """More bytes of files than one request may bring."""

    status = 413
    reason = "Request Entity Too Large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The files of one request may have at most {limit} bytes together.")


class BodyTooLarge(RestError):
    """More bytes than one request may carry."""

    status = 413
    reason = "Request Entity Too Large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body of a request may hold at most {limit} bytes.")


_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def envelope(error: RestError) -> dict[str, Any]:
    """The JSON of an error; where what was sent is not acceptable, ``errors`` says so under the name of the cause."""
    key = "watersmeet." + _WORD.sub(".", type(error).__name__).lower()
    said = {"message": {"key": key, "args": [], "translation": error.description}}
    return {
        "statusCode": error.status,
        "data": {
            "authorized": error.authorized,
            "valid": error.valid,
            "allowedInReadOnlyMode": True,
            "errors": [] if error.valid else [said],
            "successful": False,
        },
        "message": error.description,
        "reason": error.reason,
    }
