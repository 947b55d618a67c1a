"""Representation of what only attachments have (S3.7)."""

from __future__ import annotations

from urllib.parse import urlencode

from watersmeet.confluence.attachment import has_thumbnail
from watersmeet.confluence.content import Content, File
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.site import download_path


def extensions_json(content: Content, file: File) -> Json:
    """What the extensions of an attachment say; its comment is the message of its version."""
    return {"mediaType": file.media_type, "fileSize": file.size, "comment": content.version.message}


def file_links(content: Content) -> dict[str, str]:
    """Where the bytes of an attachment are, and a thumbnail if it is a picture; nothing for other content."""
    if content.file is None:
        return {}
    version = content.version
    query = urlencode({"version": version.number, "modificationDate": version.when, "api": "v2"})
    links = {"download": f"{download_path(content)}?{query}"}
    if has_thumbnail(content.file):
        links["thumbnail"] = download_path(content, "thumbnails") + f"?version={version.number}&api=v2"
    return links
