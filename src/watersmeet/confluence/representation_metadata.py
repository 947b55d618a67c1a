"""Representation of labels and properties (S3.3, S3.11)."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from watersmeet.confluence.content import Content, Space
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.metadata import Label, Property, Regard
from watersmeet.confluence.representation_person import Json, friendly_text, instant_text, person_json
from watersmeet.confluence.site import Site, content_path, space_path

LABELS_SHOWN = 200


def label_json(label: Label) -> Json:
    """A label."""
    return {"prefix": label.prefix, "name": label.name, "id": str(label.id), "label": label.name}


def property_json(found: Property, owner: str, kind: str, expansion: Expansion, site: Site) -> Json:
    """A property; ``owner`` is the path of the content or space it belongs to, ``kind`` the word for that."""
    path = f"{owner}/property/{quote(found.key, safe='')}"
    shown: Json = {
        "id": str(found.id),
        "key": found.key,
        "value": msgspec.Raw(found.value.encode()),
        "_links": {"self": site.absolute(path)},
        "_expandable": {kind: owner},
    }
    if "version" in expansion:
        shown["version"] = {
            "by": person_json(found.by, site),
            "when": instant_text(found.when),
            "message": "",
            "number": found.version,
            "minorEdit": False,
            "hidden": False,
        }
    else:
        shown["_expandable"] = {kind: owner, "version": ""}
    return shown


def metadata_json(content: Content, expansion: Expansion, site: Site) -> Json:
    """What is said of a content."""
    path = content_path(content.id)
    shown: Json = {}
    if content.file is not None:
        shown = {"mediaType": content.file.media_type, "comment": content.version.message}
    expandable = {"currentuser": "", "frontend": "", "editorHtml": ""}
    if content.regard is not None:
        shown["currentuser"] = _regard_json(content.regard, expansion.within("currentuser"))
        del expandable["currentuser"]
    if content.labels is not None:
        shown["labels"] = {
            "results": [label_json(label) for label in content.labels[:LABELS_SHOWN]],
            "start": 0,
            "limit": LABELS_SHOWN,
            "size": len(content.labels[:LABELS_SHOWN]),
            "_links": {"self": site.absolute(path + "/label")},
        }
    else:
        expandable["labels"] = ""
    if content.properties is not None:
        with_version = Expansion.parse(["version"])
        shown["properties"] = {
            **{
                key: property_json(found, path, "content", with_version, site)
                for key, found in content.properties.items()
            },
            "_expandable": {
                key: f"{path}/property/{quote(key, safe='')}"
                for key in expansion.within("properties").names
                if key not in content.properties
            },
        }
    else:
        expandable["properties"] = ""
    return {**shown, "_expandable": expandable}


def space_metadata_json(space: Space, site: Site) -> Json:
    """What is said of a space: the categories it is in, if they were asked for."""
    if space.categories is None:
        return {"_expandable": {"labels": ""}}
    results = [label_json(label) for label in space.categories]
    links = {"self": site.absolute(space_path(space.key) + "/labels")}
    labels = {"results": results, "start": 0, "limit": LABELS_SHOWN, "size": len(results), "_links": links}
    return {"labels": labels, "_expandable": {}}


def _regard_json(regard: Regard, expansion: Expansion) -> Json:
    """What the reader has to do with a content."""
    favourite, viewed, contributed = regard.favourite_since, regard.viewed_at, regard.contributed_at
    parts: dict[str, Json] = {"favourited": {"isFavourite": favourite is not None}}
    if favourite is not None:
        parts["favourited"]["favouritedDate"] = instant_text(favourite)
    if viewed is not None:
        parts["viewed"] = {"lastSeen": instant_text(viewed), "friendlyLastSeen": friendly_text(viewed)}
    if contributed is not None:
        parts["lastcontributed"] = {"status": "EDITOR", "when": instant_text(contributed)}
    shown = {name: part for name, part in parts.items() if name in expansion}
    return {**shown, "_expandable": {name: "" for name in parts if name not in expansion}}
