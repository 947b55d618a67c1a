"""Copies of pages and of whole trees: new contents in their first version, by whoever copies them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from watersmeet.clock import Instant
from watersmeet.confluence.content import Content, ContentType, Space, is_custom
from watersmeet.confluence.errors import BadBody, BadParent, ContentNotFound
from watersmeet.confluence.expansion import NOTHING, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.long_task import LongTask, Progress
from watersmeet.confluence.page import Window
from watersmeet.confluence.permission import SpacePermission
from watersmeet.confluence.storage_format import validate, without_markers
from watersmeet.content import long_task, read, space
from watersmeet.content.attachment import Upload, attach
from watersmeet.content.hold import hold, hold_all
from watersmeet.content.restriction import copy_restrictions
from watersmeet.content.right import require, require_create
from watersmeet.content.text import check_text
from watersmeet.content.write import checked_title, require_free
from watersmeet.database import attachments, copies, long_tasks, spaces
from watersmeet.database import content as contents
from watersmeet.database.audit import Origin
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy

TASK = "Copying pages"
MOST_PAGES = 1_000
"""Of a tree that is copied at once: nobody else writes in the meantime."""
MOST_PARTS = 2_000
"""Attachments and custom contents that are copied along at once."""
MOST_CHARACTERS = 20_000_000
"""Of all bodies that are copied at once; each is read by itself."""
_PARTS_AT_ONCE = 100
_BODY = Expansion.parse(["body"])


@dataclass(frozen=True, slots=True)
class Along:
    """What is copied along with a page. Comments, versions and likes never are."""

    attachments: bool = False
    permissions: bool = False
    properties: bool = False
    labels: bool = False
    custom_contents: bool = False


@dataclass(frozen=True, slots=True)
class Titles:
    """How the copies in a tree are called: what is found is replaced, and the prefix comes first."""

    prefix: str = ""
    search: str = ""
    replace: str = ""

    def of(self, title: str) -> str:
        """The title of the copy of a page with that title."""
        return self.prefix + (title.replace(self.search, self.replace) if self.search else title)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a copy goes: under a page, to the root of a space, or onto a page that is there."""

    parent_id: int | None = None
    space_key: str | None = None
    page_id: int | None = None


def copy_page(
    tx: Transaction,
    caller: User,
    page_id: int,
    to: Destination,
    along: Along,
    now: Instant,
    origin: Origin,
    *,
    title: str | None = None,
    storage: str | None = None,
    expansion: Expansion = WRITTEN_CONTENT,
) -> Content:
    """A copy of one page, with another title or body where one is given.

    Raises ``ContentNotFound``, ``SpaceNotFound``, ``Forbidden``, ``BadBody`` (of too much at once, too), ``BadParent``,
    ``MalformedStorage`` or ``TitleTaken``.
    """
    validate(check_text(storage or ""))
    source, target, parent_id = _held(tx, caller, page_id, to)
    _require(tx, caller, target, along)
    named = f"Copy of {source.title}" if title is None else title
    copy_id = Copying(tx, caller, target, along, now, origin).page(source, parent_id, named, storage)
    return read.find(tx, caller, copy_id, read.CURRENT, expansion)


def copy_tree(
    tx: Transaction,
    caller: User,
    page_id: int,
    parent_id: int,
    titles: Titles,
    along: Along,
    now: Instant,
    origin: Origin,
    entropy: Entropy,
    *,
    descendants: bool = True,
) -> LongTask:
    """A copy of a page and of all pages below it that the caller sees, under another page; all of them or none.

    Clients expect a long task. This one has ended when they hear of it. Raises as ``copy_page``.
    """
    source, target, _ = _held(tx, caller, page_id, Destination(parent_id))
    _require(tx, caller, target, along)
    below = _below(tx, caller, source) if descendants else []
    copying = Copying(tx, caller, target, along, now, origin)
    copied = {source.id: copying.page(source, parent_id, titles.of(source.title))}
    for each in below:
        copied[each.id] = copying.page(each, copied[each.parent_id or 0], titles.of(each.title))
    task = long_task.begin(tx, caller, TASK, {"copy": copied[source.id]}, now, entropy)
    said = f"{len(copied)} pages were copied; the first of the copies has the id {copied[source.id]}."
    long_tasks.keep(tx, task.id, Progress(100, is_done=True, message=said), now)
    return task


# ---- steps ------------------------------------------------------------------------------------------------


def _held(tx: Transaction, caller: User, page_id: int, to: Destination) -> tuple[Content, Space, int | None]:
    """The page that is copied, the space that its copy goes to, and the page above it there.

    Both spaces are held: nobody purges what is copied, files included, before the copy names it too.
    """
    if to.parent_id is None:
        target = space.find(tx, caller, to.space_key or "", NOTHING)
        spaces.lock(tx, target.id)
        source = hold(tx, caller, page_id, read.CURRENT)
    else:
        source, parent = hold_all(tx, caller, (page_id, to.parent_id), read.CURRENT)
        if parent.type != ContentType.PAGE:
            raise BadParent("A page is copied under another page, or into a space.")
        target = parent.space
    if source.type != ContentType.PAGE:
        raise ContentNotFound(page_id)
    return source, target, to.parent_id


def _require(tx: Transaction, caller: User, target: Space, along: Along) -> None:
    require_create(tx, caller, target, ContentType.PAGE)
    if along.attachments:
        require_create(tx, caller, target, ContentType.ATTACHMENT)
    if along.permissions:
        require(tx, caller, target, SpacePermission.RESTRICT)


def _below(tx: Transaction, caller: User, root: Content) -> list[Content]:
    """The pages below one that the caller sees, parents first, siblings in their order."""
    wanted = ContentFilter(types=[ContentType.PAGE], statuses=read.CURRENT, below=root.id, in_order=True)
    found = read.load(tx, caller, wanted, Window(0, MOST_PAGES), NOTHING)
    if found.more:
        raise BadBody(f"At most {MOST_PAGES} pages are copied at once; copy the parts of the tree one by one.")
    children: dict[int, list[Content]] = {}
    for each in found.items:
        children.setdefault(each.parent_id or 0, []).append(each)

    def walk(parent_id: int) -> Iterator[Content]:
        waiting = [parent_id]
        while waiting:
            for child in children.get(waiting.pop(), ()):
                yield child
                waiting.append(child.id)

    return list(walk(root.id))


@dataclass(slots=True)
class Copying:
    """One copying into one space, which is held, and how much of it was done.

    With ``replaces``, a file whose name is taken is the next version of the attachment that has it.
    """

    tx: Transaction
    caller: User
    space: Space
    along: Along
    now: Instant
    origin: Origin
    replaces: bool = False
    parts: int = 0
    characters: int = 0

    def page(self, source: Content, parent_id: int | None, title: str, storage: str | None = None) -> int:
        """The number of the copy of a page. Comments stay behind, and so do the marks of what they are about.

        Raises ``BadBody`` or ``TitleTaken``.
        """
        title = checked_title(title, source.type)
        require_free(self.tx, self.space, source.type, title)
        body = self.said_by(source) if storage is None else storage
        copy_id = self._add(source, title, body, parent_id=parent_id)
        if self.along.permissions:
            copy_restrictions(self.tx, source.id, copy_id, self.now, self.origin)
        self.in_it(source.id, copy_id)
        return copy_id

    def said_by(self, source: Content) -> str:
        """What the copy of a page says. Raises ``BadBody``."""
        return without_markers(self._body_of(source))

    def in_it(self, holder_id: int, copy_id: int) -> None:
        """Copy what is part of a content, as far as that is copied along. Raises ``BadBody``."""
        waiting = [(holder_id, copy_id)] if self.along.attachments or self.along.custom_contents else []
        while waiting:
            holder_id, copy_id = waiting.pop()
            for part in self._parts_of(holder_id):
                if self.along.attachments and part.type == ContentType.ATTACHMENT:
                    self._attachment(part, copy_id)
                elif self.along.custom_contents and is_custom(part.type):
                    waiting.append((part.id, self._part(part, copy_id)))

    def _parts_of(self, holder_id: int) -> Iterator[Content]:
        types = () if self.along.custom_contents else (ContentType.ATTACHMENT,)
        wanted = ContentFilter(types=types, statuses=read.CURRENT, container_id=holder_id)
        while True:
            some = read.load(self.tx, self.caller, wanted, Window(0, _PARTS_AT_ONCE), NOTHING)
            yield from some.items
            if not some.more:
                return
            wanted = replace(wanted, after=some.items[-1].id)

    def _attachment(self, source: Content, container_id: int) -> None:
        taken = self.replaces and attachments.find_named(self.tx, container_id, source.title) is not None
        if taken and source.file:
            self.count_part()
            upload = Upload(source.title, source.file, source.version.message)
            attach(self.tx, self.caller, container_id, [upload], self.now, NOTHING, replaces=True)
        elif not taken:
            number = self._part(source, container_id)
            if source.file:
                attachments.keep_file(self.tx, number, 1, source.file)  # its bytes are kept once

    def count_part(self) -> None:
        """Raises ``BadBody`` once it is too much."""
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise BadBody(
                f"At most {MOST_PARTS} attachments and custom contents are copied at once; copy fewer pages, or the "
                "pages without them."
            )

    def _part(self, source: Content, container_id: int) -> int:
        self.count_part()
        return self._add(source, source.title, self._body_of(source), container_id=container_id)

    def _body_of(self, source: Content) -> str:
        storage = read.find(self.tx, self.caller, source.id, read.CURRENT, _BODY).storage or ""
        self.characters += len(storage)
        if self.characters > MOST_CHARACTERS:
            raise BadBody(
                f"Bodies of at most {MOST_CHARACTERS} characters together are copied at once; copy the parts of the "
                "tree one by one."
            )
        return storage

    def _add(
        self,
        source: Content,
        title: str,
        storage: str,
        *,
        parent_id: int | None = None,
        container_id: int | None = None,
    ) -> int:
        copy_id = contents.add(
            self.tx,
            content_type=source.type,
            space_id=self.space.id,
            parent_id=parent_id,
            container_id=container_id,
            title=title,
            storage=storage,
            representation=source.representation,
            message=source.version.message if source.type == ContentType.ATTACHMENT else "",
            creator=self.caller,
            now=self.now,
        )
        if self.along.labels:
            copies.copy_labels(self.tx, source.id, copy_id, self.now)
        if self.along.properties:
            copies.copy_properties(self.tx, source.id, copy_id, self.caller, self.now)
        return copy_id
