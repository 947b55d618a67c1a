"""Representation of what is below a content and in it (S3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, list_json
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.site import Site

KINDS = (ContentType.ATTACHMENT, ContentType.COMMENT, ContentType.PAGE)
"""What may be below any content or in it; types of plug-ins have lists of their own."""

One: TypeAlias = Callable[[Content, Expansion], Json]


def relatives_json(path: str, lists: Mapping[str, Slice[Content]], one: One, expansion: Expansion, site: Site) -> Json:
    """The map of types: the lists that were asked for, the addresses of the others.

    ``path`` is where the map is; ``one`` represents one content.
    """
    shown: Json = {
        name: list_json([one(item, expansion.within(name)) for item in part.items], part, site, f"{path}/{name}", ())
        for name, part in lists.items()
    }
    expandable = {name.value: f"{path}/{name}" for name in KINDS if name not in lists}
    return shown | {"_links": {"self": site.absolute(path)}, "_expandable": expandable}
