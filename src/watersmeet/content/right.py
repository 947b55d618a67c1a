"""Rights: what a caller may do to content they see. Whoever may not is told so with ``Forbidden``.

What they do not see is not here: reading it already answered that there is no such content.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from watersmeet.confluence.content import TITLED, Content, ContentType, Space
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
        raise Forbidden(f"You are not permitted to {needed.in_words} in the space with key {space.key}.")


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
    return _changes(caller, content, granted) and (
        content.type == ContentType.COMMENT or _unrestricted(tx, caller, content)
    )


def _changes(caller: User, content: Content, granted: Collection[SpacePermission]) -> bool:
    """Whether the caller may, with these permissions in its space, as long as no restriction says otherwise."""
    if content.type == ContentType.COMMENT:
        own = content.created_by.user_key == caller.user_key and SpacePermission.COMMENT in granted
        return own or allows(caller.role, granted, SpacePermission.ADMINISTER)
    return allows(caller.role, granted, _for(content.type, _CREATE, SpacePermission.EDIT_PAGE))


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
    return _removes(caller, content, granted) and _unrestricted(tx, caller, content)


def _removes(caller: User, content: Content, granted: Collection[SpacePermission]) -> bool:
    """Whether the caller may, with these permissions in its space, as long as no restriction says otherwise."""
    own = content.created_by.user_key == caller.user_key and SpacePermission.REMOVE_OWN in granted
    return own or allows(caller.role, granted, _for(content.type, _REMOVE, SpacePermission.REMOVE_PAGE))


def _unrestricted(tx: Transaction, caller: User, content: Content) -> bool:
    """Whether no restriction keeps the caller from changing a content, or what it is part of."""
    if bypasses_spaces(caller.role):
        return True
    holder = content.container_id
    return permissions.may_update(tx, content.id, caller) and (
        content.type == ContentType.COMMENT or holder is None or permissions.may_update(tx, holder, caller)
    )


def operations_on(tx: Transaction, caller: User, items: Sequence[Content]) -> list[tuple[tuple[str, str], ...]]:
    """What the caller may do to each of these contents they see, as operations and target types (S3.3).

    Two statements for all of them.
    """
    granted = permissions.permissions_in(tx, {item.space.id for item in items}, caller)
    concerned = {number for item in items for number in (item.id, item.container_id or 0)}
    closed = permissions.closed_to(tx, concerned, caller)
    return [tuple(_operations(caller, item, granted[item.space.id], closed)) for item in items]


def _operations(
    caller: User, item: Content, granted: Collection[SpacePermission], closed: Collection[int]
) -> list[tuple[str, str]]:
    is_comment = item.type == ContentType.COMMENT
    is_open = item.id not in closed and (is_comment or item.container_id not in closed)
    may_change = _changes(caller, item, granted) and (is_comment or is_open)
    found = [("read", item.type)]
    if may_change:
        found.append(("update", item.type))
    if is_open and _removes(caller, item, granted):
        found.append(("delete", item.type))
    if item.type in TITLED:
        found += [
            ("create", kind)
            for kind, needed in _CREATE.items()
            if kind != ContentType.BLOGPOST and allows(caller.role, granted, needed)
        ]
        if may_change and allows(caller.role, granted, SpacePermission.RESTRICT):
            found.append(("restrict_content", item.type))
    return [(name, str(target)) for name, target in found]


def _for(content_type: str, table: dict[ContentType, SpacePermission], otherwise: SpacePermission) -> SpacePermission:
    return next((permission for name, permission in table.items() if name == content_type), otherwise)
