"""Templates: the bodies that pages begin with, of one space or of all, and making a page from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.confluence.content import MAX_TITLE, Content, ContentType
from watersmeet.confluence.errors import BadBody, Forbidden, TemplateNotFound
from watersmeet.confluence.expansion import NOTHING, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import SpacePermission, bypasses_spaces
from watersmeet.confluence.storage_format import filled_in, options, validate
from watersmeet.confluence.template import MAX_DESCRIPTION, Template
from watersmeet.content import read, space, write
from watersmeet.content.label import Word, attach
from watersmeet.content.right import require
from watersmeet.content.text import check_text
from watersmeet.content.write import Draft
from watersmeet.database import templates
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """What a template is to be; ``None`` leaves a thing as it is. A new one without a space is of all spaces."""

    name: str | None = None
    description: str | None = None
    storage: str | None = None
    labels: tuple[str, ...] | None = None
    space_key: str | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """The page that is to be made from a template: its body comes from there, with these values of variables."""

    title: str
    space_key: str | None = None
    parent_id: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def list_templates(tx: Transaction, caller: User, space_key: str | None, window: Window) -> Slice[Template]:
    """The templates of a space, or of all spaces where none is named. Raises ``SpaceNotFound``."""
    space_id = space.find(tx, caller, space_key, NOTHING).id if space_key else None
    return templates.list_of(tx, space_id, window, caller)


def find_template(tx: Transaction, caller: User, template_id: int) -> Template:
    """A template. Raises ``TemplateNotFound``."""
    found = templates.find_visible(tx, template_id, caller)
    if not found:
        raise TemplateNotFound(template_id)
    return found


def create_template(tx: Transaction, caller: User, draft: TemplateDraft, now: Instant) -> Template:
    """A new template: that of a space is its administrators' to make, one of all spaces those of the instance.

    Raises ``BadBody``, ``MalformedStorage``, ``SpaceNotFound`` or ``Forbidden``.
    """
    if not draft.name or draft.storage is None:
        raise BadBody("A template needs a 'name' and a 'body': {'storage': {'value': …}}.")
    _check(draft)
    owner = space.find_administered(tx, caller, draft.space_key) if draft.space_key else None
    if not owner:
        _require_administrator(caller)
    template_id = templates.add(
        tx,
        space_id=owner.id if owner else None,
        name=draft.name,
        description=draft.description or "",
        storage=draft.storage,
        labels=draft.labels or (),
        creator=caller,
        now=now,
    )
    return find_template(tx, caller, template_id)


def change_template(tx: Transaction, caller: User, template_id: int, into: TemplateDraft, now: Instant) -> Template:
    """The next version of a template.

    Raises ``TemplateNotFound``, ``Forbidden``, ``BadBody`` or ``MalformedStorage``.
    """
    present = _find_administered(tx, caller, template_id)
    _check(into)
    if into.space_key and (not present.space or present.space.key.lower() != into.space_key.lower()):
        raise BadBody("A template cannot change its space.")
    templates.change(
        tx,
        template_id,
        caller,
        now,
        name=into.name or None,
        description=into.description,
        storage=into.storage,
        labels=into.labels,
    )
    return find_template(tx, caller, template_id)


def remove_template(tx: Transaction, caller: User, template_id: int) -> None:
    """Forget a template; the pages made from it stay. Raises ``TemplateNotFound`` or ``Forbidden``."""
    _find_administered(tx, caller, template_id)
    templates.remove(tx, template_id)


def make_page(
    tx: Transaction,
    caller: User,
    template_id: int,
    instance: Instance,
    now: Instant,
    expansion: Expansion = WRITTEN_CONTENT,
) -> Content:
    """A new page with the body and the labels of a template. Raises as ``write.create``, or ``TemplateNotFound``."""
    template = find_template(tx, caller, template_id)
    for name, allowed in options(template.storage).items():
        if instance.values.get(name, "") not in ("", *allowed):
            raise BadBody(f"The variable {name!r} is one of {', '.join(allowed)}.")
    key = instance.space_key or (template.space.key if template.space else "")
    if not key:
        raise BadBody("The body must name the space: 'space': {'key': …}.")
    if template.space and template.space.key.lower() != key.lower():
        raise BadBody(f"This template is one of the space {template.space.key}: pages are made from it there only.")
    storage = filled_in(template.storage, instance.values)
    draft = Draft(ContentType.PAGE, key, instance.title, storage, instance.parent_id)
    page = write.create(tx, caller, draft, now, NOTHING)
    attach(tx, caller, page, [Word.of(name) for name in template.labels], now)
    return read.find(tx, caller, page.id, read.CURRENT, expansion)


def _find_administered(tx: Transaction, caller: User, template_id: int) -> Template:
    found = find_template(tx, caller, template_id)
    if found.space:
        require(tx, caller, found.space, SpacePermission.ADMINISTER)
    else:
        _require_administrator(caller)
    return found


def _require_administrator(caller: User) -> None:
    if not bypasses_spaces(caller.role):
        raise Forbidden("The templates of all spaces are administrators' to change.")


def _check(draft: TemplateDraft) -> None:
    name, description, storage = draft.name or "", draft.description or "", draft.storage or ""
    check_text(name + description + (draft.space_key or ""))
    if len(name) > MAX_TITLE or len(description) > MAX_DESCRIPTION:
        raise BadBody(f"The name and the description of a template have at most {MAX_DESCRIPTION} characters.")
    validate(check_text(storage))
