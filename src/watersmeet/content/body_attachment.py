"""Request bodies of attachments."""

from __future__ import annotations

from msgspec import Struct

from watersmeet.confluence.attachment import media_type_of
from watersmeet.confluence.content import ContentStatus, ContentType
from watersmeet.confluence.errors import BadBody
from watersmeet.content.attachment import Properties
from watersmeet.content.body import ContainerReference, VersionFields, content_number


class FileFields(Struct):
    """What is said of the file of an attachment: clients send it as ``metadata``, as ``extensions``, or as both."""

    mediaType: str | None = None  # noqa: N815 - the name on the wire
    comment: str | None = None


class AttachmentUpdate(Struct):
    """``PUT /rest/api/content/{id}/child/attachment/{attachment}``."""

    id: int | str | None = None
    type: str | None = None
    title: str | None = None
    status: str | None = None
    version: VersionFields | None = None
    container: ContainerReference | None = None
    metadata: FileFields | None = None
    extensions: FileFields | None = None

    def properties(self, attachment_id: int) -> Properties:
        """What is asked for. Raises ``BadBody``."""
        if not self.version or self.version.number is None:
            raise BadBody("The body must carry the number of the new version: 'version': {'number': …}.")
        if self.id is not None and content_number(str(self.id)) != attachment_id:
            raise BadBody("The body speaks of another attachment than the address.")
        if self.type not in (None, ContentType.ATTACHMENT) or self.status not in (None, ContentStatus.CURRENT):
            raise BadBody("An attachment stays of type 'attachment' and of status 'current'.")
        said = [fields for fields in (self.metadata, self.extensions) if fields]
        media_type = next((fields.mediaType for fields in said if fields.mediaType), None)
        comments = [fields.comment for fields in said if fields.comment is not None]
        return Properties(
            version=self.version.number,
            name=self.title,
            media_type=media_type_of(media_type, None) if media_type else None,
            comment=next(iter(comments), self.version.message),
            holder_id=self._holder_id,
            minor_edit=bool(self.version.minorEdit),
        )

    @property
    def _holder_id(self) -> int | None:
        if not self.container or self.container.id is None:
            return None
        number = content_number(str(self.container.id))
        if number is None:
            raise BadBody("The container of an attachment is named by its number: 'container': {'id': …}.")
        return number
