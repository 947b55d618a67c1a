"""The site: the addresses it gives to what it serves.

``self`` links are absolute; all others are relative and leave the context path out: clients join them with
``base`` (S3.2).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

from watersmeet.confluence.content import Content, ContentType


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


def space_path(key: str) -> str:
    """The REST resource of a space."""
    return f"/rest/api/space/{quote(key, safe='~')}"


def content_page(content: Content) -> str:
    """Where people read a content: the form of versions 9 and 10 of the original.

    A comment or an attachment is found on its page.
    """
    if content.type == ContentType.COMMENT:
        comment = f"focusedCommentId={content.id}#comment-{content.id}"
        return f"/pages/viewpage.action?pageId={content.container_id}&{comment}"
    if content.type == ContentType.ATTACHMENT:
        preview = quote(f"/{content.container_id}/{content.id}/{content.title}", safe="")
        return f"/pages/viewpage.action?pageId={content.container_id}&preview={preview}"
    space = f"/spaces/{quote(content.space.key, safe='~')}"
    title = quote_plus(content.title)
    if content.type == ContentType.BLOGPOST:
        day = datetime.fromtimestamp(content.created_at / 1000, tz=UTC)
        return f"{space}/blog/{day:%Y/%m/%d}/{content.id}/{title}"
    return f"{space}/pages/{content.id}/{title}"


def download_path(attachment: Content, kind: str = "attachments") -> str:
    """Where the bytes of an attachment are; ``kind`` thumbnails: a small picture of them."""
    return f"/download/{kind}/{attachment.container_id}/{quote(attachment.title, safe='')}"


def space_page(key: str) -> str:
    """Where people read a space."""
    return f"/display/{quote(key, safe='~')}"


def tiny_link(content_id: int) -> str:
    """The short address of a content: its number, little-endian, in a base64 of the original's own."""
    size = max(4, (content_id.bit_length() + 7) // 8)
    encoded = b64encode(content_id.to_bytes(size, "little"), b"_-").decode().rstrip("=").rstrip("A")
    return f"/x/{encoded}"
