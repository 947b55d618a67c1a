"""Names of attachments: any title that can be the name of a file, once in each content."""

from __future__ import annotations

from watersmeet.confluence.attachment import base_name
from watersmeet.confluence.content import MAX_TITLE, title_key
from watersmeet.confluence.errors import BadBody, ContentNotFound, FileNameTaken
from watersmeet.content.text import check_text
from watersmeet.database import attachments
from watersmeet.database import content as contents
from watersmeet.database.transaction import Transaction


def checked_name(sent: str) -> str:
    """The name of a file as it is kept: without folders. Raises ``BadBody``."""
    name = base_name(check_text(sent))
    if not name:
        raise BadBody("An attachment needs a file name.")
    if max(len(name), len(title_key(name))) > MAX_TITLE:
        raise BadBody(f"The name of a file may have at most {MAX_TITLE} characters.")
    if not name.isprintable():
        raise BadBody("The name of a file must not contain control characters.")
    return name


def require_free_name(tx: Transaction, holder_id: int | None, name: str) -> None:
    """Raises ``FileNameTaken`` if a content has a current attachment of that name.

    Raises ``ContentNotFound`` where that content is not current itself: nothing comes back from the trash into it.
    Hold the lock of its space.
    """
    state = contents.present_state(tx, holder_id or 0)
    if holder_id is None or state is None or state[1] != "current":
        raise ContentNotFound(holder_id or 0)
    if attachments.find_named(tx, holder_id, name) is not None:
        raise FileNameTaken(name)
