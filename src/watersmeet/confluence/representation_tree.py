"""Representation of what is below a content and in it (S3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from watersmeet.confluence.content import Content, ContentType, is_custom
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, list_json
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.site import Site

KINDS = (ContentType.ATTACHMENT, ContentType.COMMENT, ContentType.PAGE)
"""What may be below any content or in it, and is offered; lists of custom content are for those who ask by type."""
MOST_CUSTOM = 5
"""Types of custom content whose lists are shown at once; further names are as good as unknown."""

One: TypeAlias = Callable[[Content, Expansion], Json]


def relatives_json(path: str, lists: Mapping[str, Slice[Content]], one: One, expansion: Expansion, site: Site) -> Json:
    """The map of types: the lists that were asked for, the addresses of the others.

    ``path`` is where the map is; ``one`` represents one content.
    """
    asked = kinds_of(expansion)
    shown: Json = {
        name: list_json([one(item, asked[name]) for item in part.items], part, site, f"{path}/{name}", ())
        for name, part in lists.items()
    }
    expandable = {name.value: f"{path}/{name}" for name in KINDS if name not in lists}
    return shown | {"_links": {"self": site.absolute(path)}, "_expandable": expandable}


def kinds_of(expansion: Expansion) -> dict[str, Expansion]:
    """The types whose lists are asked for, and what inside each.

    The dots in ``com.acme.plugin:module`` were taken for levels; the colon says where such a name ends.
    """
    found = {kind.value: expansion.within(kind) for kind in KINDS if kind in expansion}
    custom = 0
    waiting = [("", expansion)]
    while waiting and custom < MOST_CUSTOM:
        before, level = waiting.pop()
        for name in level.names:
            if ":" in name and is_custom(before + name) and custom < MOST_CUSTOM:
                found[before + name] = level.within(name)
                custom += 1
            elif ":" not in name and before + name not in found:
                waiting.append((f"{before}{name}.", level.within(name)))
    return found
