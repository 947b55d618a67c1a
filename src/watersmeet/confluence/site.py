"""The site: the addresses it gives to what it serves.

``self`` links are absolute; all others are relative and leave the context path out: clients join them with
``base`` (S3.2).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, quote_plus

from watersmeet.confluence.content import Content, ContentType, is_custom

# Eleven letters hold eight bytes; the number of a content has at most so many.
_TINY_LENGTH = 11
_MAX_NUMBER = 2**63 - 1  # what a database holds
_TINY = re.compile(r"[A-Za-z0-9_-]{1,11}")


@dataclass(frozen=True, slots=True)
class Site:
    """Where this instance is reached: ``base_url`` includes the context path and ends without a slash."""

    base_url: str
    context_path: str = ""

    @property
    def outermost(self) -> dict[str, str]:
        """The links that only the outermost object or list of an answer carries."""
        return {"base": self.base_url, "context": self.context_path}

    def absolute(self, path: str) -> str:
        """The full address of a path of this site."""
        return self.base_url + path


def content_path(content_id: int) -> str:
    """The REST resource of a content."""
    return f"/rest/api/content/{content_id}"


@lru_cache(maxsize=1024)
def _in_path(key: str) -> str:
    """A key of a space as a part of a path; every content names it several times."""
    return quote(key, safe="~")


def space_path(key: str) -> str:
    """The REST resource of a space."""
    return f"/rest/api/space/{_in_path(key)}"


def content_page(content: Content) -> str:
    """Where people read a content. A comment, an attachment or a custom content is found on its page."""
    if content.type == ContentType.COMMENT:
        comment = f"focusedCommentId={content.id}#comment-{content.id}"
        return f"/pages/viewpage.action?pageId={content.container_id}&{comment}"
    if content.type == ContentType.ATTACHMENT:
        preview = quote(f"/{content.container_id}/{content.id}/{content.title}", safe="")
        return f"/pages/viewpage.action?pageId={content.container_id}&preview={preview}"
    if is_custom(content.type):
        if content.container_id is None:
            return space_page(content.space.key)
        return f"/pages/viewpage.action?pageId={content.container_id}"
    return page_path(content.id, content.type, content.title, content.space.key, content.created_at)


def page_path(number: int, content_type: str, title: str, space_key: str, created_at: int) -> str:
    """Where people read a page or a blog post: the form of versions 9 and 10 of the original."""
    space, words = f"/spaces/{_in_path(space_key)}", quote_plus(title)
    if content_type == ContentType.BLOGPOST:
        day = datetime.fromtimestamp(created_at / 1000, tz=UTC)
        return f"{space}/blog/{day:%Y/%m/%d}/{number}/{words}"
    return f"{space}/pages/{number}/{words}"


def download_path(attachment: Content, kind: str = "attachments") -> str:
    """Where the bytes of an attachment are; ``kind`` thumbnails: a small picture of them."""
    return file_path(attachment.container_id, attachment.title, kind)


def file_path(holder_id: int | None, filename: str, kind: str = "attachments") -> str:
    """Where the bytes of the file of that name in a content are."""
    return f"/download/{kind}/{holder_id}/{quote(filename, safe='')}"


def space_page(key: str) -> str:
    """Where people read a space."""
    return f"/display/{_in_path(key)}"


def tiny_link(content_id: int) -> str:
    """The short address of a content: its number, little-endian, in a base64 of the original's own."""
    size = max(4, (content_id.bit_length() + 7) // 8)
    encoded = b64encode(content_id.to_bytes(size, "little"), b"_-").decode().rstrip("=").rstrip("A")
    return f"/x/{encoded}"


def tiny_number(tiny: str) -> int | None:
    """The number of a content that its short address names; ``None`` for what is no such address."""
    if not _TINY.fullmatch(tiny):
        return None
    padded = tiny.ljust(_TINY_LENGTH, "A") + "="
    number = int.from_bytes(b64decode(padded, b"_-"), "little")
    return number if number <= _MAX_NUMBER else None
