"""Bodies that were sent in another notation than they are kept in."""

from __future__ import annotations

from watersmeet.confluence.content import MAX_BODY
from watersmeet.confluence.errors import BodyTooLarge
from watersmeet.content.body import Body, BodyValue
from watersmeet.content.convert import read_storage
from watersmeet.content.http.rendering import in_a_thread


async def kept(body: Body | None) -> Body | None:
    """The same body as it is to be kept: wiki markup and an editor's XHTML as storage format.

    Raises ``BadBody``, ``BodyTooLarge``, ``MalformedStorage`` or ``NotServed``.
    """
    sent = body.convertible() if body else None
    if not sent:
        return body
    # The longest takes a second, which others need not wait for.
    value = await in_a_thread(lambda: read_storage(sent.value or "", sent.representation or ""))
    if len(value) > MAX_BODY:  # markup becomes many times as long
        raise BodyTooLarge(MAX_BODY)
    return Body(storage=BodyValue(value))
