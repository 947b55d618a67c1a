"""Rights: what a caller may do to content they see. Whoever may not is told so with ``Forbidden``.

What they do not see is not here: reading it already answered that there is no such content.
"""

from __future__ import annotations

from watersmeet.confluence.content import Content, ContentType, Space
from watersmeet.confluence.errors import Forbidden
from watersmeet.confluence.permission import SpacePermission, allows, bypasses_spaces
from watersmeet.database import permissions
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

# Custom content is a page to the permissions of a space.
_CREATE = {
    ContentType.BLOGPOST: SpacePermission.EDIT_BLOG,
    ContentType.COMMENT: SpacePermission.COMMENT,
    ContentType.ATTACHMENT: SpacePermission.CREATE_ATTACHMENT,
}
_REMOVE = {
    ContentType.BLOGPOST: SpacePermission.REMOVE_BLOG,
    ContentType.COMMENT: SpacePermission.REMOVE_COMMENT,
    ContentType.ATTACHMENT: SpacePermission.REMOVE_ATTACHMENT,
}


def require(tx: Transaction, caller: User, space: Space, needed: SpacePermission) -> None:
    """Raises ``Forbidden`` unless the caller may do that in a space they see."""
    if not allows(caller.role, permissions.permissions_of(tx, space.id, caller), needed):
        operation, target = needed.operation
        raise Forbidden(f"You are not permitted to {operation} {target} in the space with key {space.key}.")


def require_create(tx: Transaction, caller: User, space: Space, content_type: str) -> None:
    """Raises ``Forbidden`` unless the caller may create content of that type in a space they see."""
    require(tx, caller, space, _for(content_type, _CREATE, SpacePermission.EDIT_PAGE))


def require_change(tx: Transaction, caller: User, content: Content) -> None:
    """Raises ``Forbidden`` unless the caller may change a content they see, its parts, labels and properties included.

    Comments are their authors' own and the space administrators'. The restrictions of a page hold for its attachments.
    """
    if not may_change(tx, caller, content):
        raise Forbidden(f"You are not permitted to change the content with id {content.id}.")


def may_change(tx: Transaction, caller: User, content: Content) -> bool:
    """Whether the caller may change a content they see."""
    granted = permissions.permissions_of(tx, content.space.id, caller)
    if content.type == ContentType.COMMENT:
        own = content.created_by.user_key == caller.user_key and SpacePermission.COMMENT in granted
        return own or allows(caller.role, granted, SpacePermission.ADMINISTER)
    return allows(caller.role, granted, _for(content.type, _CREATE, SpacePermission.EDIT_PAGE)) and _unrestricted(
        tx, caller, content
    )


def require_unrestricted(tx: Transaction, caller: User, content: Content) -> None:
    """Raises ``Forbidden`` if a restriction keeps the caller from changing a content, and so from adding to it."""
    if not _unrestricted(tx, caller, content):
        raise Forbidden(f"You are not permitted to change the content with id {content.id}.")


def require_removal(tx: Transaction, caller: User, content: Content) -> None:
    """Raises ``Forbidden`` unless the caller may trash, restore or purge a content they see."""
    if not may_remove(tx, caller, content):
        raise Forbidden(f"You are not permitted to delete the content with id {content.id}.")


def may_remove(tx: Transaction, caller: User, content: Content) -> bool:
    """Whether the caller may remove a content they see."""
    granted = permissions.permissions_of(tx, content.space.id, caller)
    own = content.created_by.user_key == caller.user_key and SpacePermission.REMOVE_OWN in granted
    needed = _for(content.type, _REMOVE, SpacePermission.REMOVE_PAGE)
    return (own or allows(caller.role, granted, needed)) and _unrestricted(tx, caller, content)


def _unrestricted(tx: Transaction, caller: User, content: Content) -> bool:
    """Whether no restriction keeps the caller from changing a content, or what it is part of."""
    if bypasses_spaces(caller.role):
        return True
    holder = content.container_id
    return permissions.may_update(tx, content.id, caller) and (
        content.type == ContentType.COMMENT or holder is None or permissions.may_update(tx, holder, caller)
    )


def _for(content_type: str, table: dict[ContentType, SpacePermission], otherwise: SpacePermission) -> SpacePermission:
    return next((permission for name, permission in table.items() if name == content_type), otherwise)
