"""Representation: from records to the JSON of the REST API, as far as an expansion asks for (S3.2, 3.5, 3.6).

What could be expanded and is not appears in ``_expandable``: a resource of its own, or the empty string.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from watersmeet.confluence.content import Content, ContentType, ContentVersion, Person, Space
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice
from watersmeet.confluence.representation_attachment import extensions_json, file_links
from watersmeet.confluence.representation_comment import comment_extensions_json
from watersmeet.confluence.representation_metadata import metadata_json, space_metadata_json
from watersmeet.confluence.representation_person import Json, friendly_text, instant_text, person_json
from watersmeet.confluence.representation_restriction import by_operation_json
from watersmeet.confluence.representation_tree import relatives_json
from watersmeet.confluence.site import (
    Site,
    content_page,
    content_path,
    space_page,
    space_path,
    tiny_link,
)
from watersmeet.confluence.storage_format import render
from watersmeet.confluence.storage_format.naming import Place

__all__ = ["Json", "content_json", "history_json", "instant_text", "person_json", "space_json", "version_json"]

PUBLIC = "anonymous_export_view"
RENDERED = ("editor", "view", "export_view", "styled_view", PUBLIC)


# ---- spaces -----------------------------------------------------------------------------------------------


def space_json(space: Space, expansion: Expansion, site: Site, *, outermost: bool = False) -> Json:
    """A space. Its number is a number, where that of a content is a string."""
    path = space_path(space.key)
    shown: Json = {
        "id": space.id,
        "key": space.key,
        "name": space.name,
        "status": space.status,
        "type": space.type,
    }
    expandable = {"retentionPolicy": ""}
    if "metadata" in expansion:
        shown["metadata"] = space_metadata_json(space, site)
    else:
        expandable["metadata"] = ""
    if "icon" in expansion:
        shown["icon"] = {
            "path": site.context_path + "/images/logo/default-space-logo.svg",
            "width": 48,
            "height": 48,
            "isDefault": True,
        }
    else:
        expandable["icon"] = ""
    if "description" in expansion:
        shown["description"] = _description_json(space.description, expansion.within("description"))
    else:
        expandable["description"] = ""
    if "homepage" in expansion and space.homepage:
        shown["homepage"] = content_json(space.homepage, expansion.within("homepage"), site)
    elif space.homepage_id is not None:
        expandable["homepage"] = content_path(space.homepage_id)
    links = {"webui": space_page(space.key), "self": site.absolute(path)}
    if outermost:
        links |= {"collection": "/rest/api/space"} | site.outermost
    return {**shown, "_links": links, "_expandable": expandable}


def _description_json(description: str, expansion: Expansion) -> Json:
    forms = {"plain": description, "view": escape(description)}
    shown: Json = {
        name: {"value": value, "representation": name, "_expandable": {}}
        for name, value in forms.items()
        if name in expansion
    }
    return {**shown, "_expandable": {name: "" for name in forms if name not in expansion}}


# ---- content ----------------------------------------------------------------------------------------------


def content_json(content: Content, expansion: Expansion, site: Site, *, outermost: bool = False) -> Json:
    """A content."""
    shown: Json = {
        "id": str(content.id),
        "type": content.type,
        "status": content.status,
        "title": content.title,
        "position": -1 if content.position is None else content.position,
    }
    parts = _parts(content, expansion, site) if expansion.names or _brings_parts(content) else {}
    shown |= {name: part for name, part in parts.items() if part is not None}
    shown["extensions"] = _extensions_json(content, expansion.within("extensions"), site)
    shown["_links"] = _content_links(content, site, outermost=outermost) | file_links(content)
    shown["_expandable"] = {name: path for name, path in _expandable_paths(content).items() if parts.get(name) is None}
    return shown


def _parts(content: Content, expansion: Expansion, site: Site) -> dict[str, Json | list[Json] | None]:
    """The expandable parts of a content; ``None`` for those not asked for, or not at hand."""
    space, ancestors = content.space, content.ancestors

    def inner(name: str) -> Expansion:
        return expansion.within(name)

    return {
        "space": space_json(space, inner("space"), site) if "space" in expansion else None,
        "history": history_json(content, inner("history"), site) if "history" in expansion else None,
        "version": version_json(content, inner("version"), site) if "version" in expansion else None,
        "ancestors": [content_json(ancestor, inner("ancestors"), site) for ancestor in ancestors]
        if "ancestors" in expansion and ancestors is not None
        else None,
        "container": _container_json(content, inner("container"), site) if "container" in expansion else None,
        "body": _body_json(content, content.storage, inner("body"), site)
        if "body" in expansion and content.storage is not None
        else None,
        "restrictions": by_operation_json(content.id, content.restrictions, site, asked=inner("restrictions").names)
        if content.restrictions is not None
        else None,
        "operations": [{"operation": name, "targetType": target} for name, target in content.operations]
        if content.operations is not None
        else None,
        "children": _relatives_json(content, content.children, "child", inner("children"), site),
        "descendants": _relatives_json(content, content.descendants, "descendant", inner("descendants"), site),
        # That of an attachment says what it is, which clients read without asking for it (S3.7).
        "metadata": metadata_json(content, inner("metadata"), site)
        if "metadata" in expansion or content.file is not None
        else None,
    }


def _brings_parts(content: Content) -> bool:
    """Whether it has parts to show without being asked for them. Most contents of most lists have none."""
    found = (content.file, content.restrictions, content.operations, content.children, content.descendants)
    return any(part is not None for part in found)


def _extensions_json(content: Content, expansion: Expansion, site: Site) -> Json:
    if content.file is not None:
        return extensions_json(content, content.file)
    if content.type == ContentType.COMMENT:
        return comment_extensions_json(content, expansion, site)
    return {"position": "none" if content.position is None else content.position}


def _container_json(content: Content, expansion: Expansion, site: Site) -> Json | None:
    if content.container_id is None:
        return space_json(content.space, expansion, site)
    return content_json(content.container, expansion, site) if content.container else None


def _relatives_json(
    content: Content, lists: Mapping[str, Slice[Content]] | None, relation: str, expansion: Expansion, site: Site
) -> Json | None:
    def one(item: Content, inner: Expansion) -> Json:
        return content_json(item, inner, site)

    path = f"{content_path(content.id)}/{relation}"
    return None if lists is None else relatives_json(path, lists, one, expansion, site)


def _expandable_paths(content: Content) -> dict[str, str]:
    path, space = content_path(content.id), space_path(content.space.key)
    return {
        "space": space,
        "history": path + "/history",
        "version": "",
        "ancestors": "",
        "container": space if content.container_id is None else content_path(content.container_id),
        "body": "",
        "metadata": "",
        "operations": "",
        "children": path + "/child",
        "restrictions": path + "/restriction/byOperation",
        "descendants": path + "/descendant",
    }


def _content_links(content: Content, site: Site, *, outermost: bool) -> Json:
    path = content_path(content.id)
    version = "" if content.latest else f"?status=historical&version={content.version.number}"
    links = {
        "webui": content_page(content),
        "edit": f"/pages/resumedraft.action?draftId={content.id}",
        "tinyui": tiny_link(content.id),
        "self": site.absolute(path + version),
    }
    if outermost:
        links |= {"collection": "/rest/api/content"} | site.outermost
    return links


def version_json(content: Content, expansion: Expansion, site: Site) -> Json:
    """The version of a content."""
    version: ContentVersion = content.version
    path = f"/rest/experimental/content/{content.id}/version/{version.number}"
    shown: Json = {
        "by": person_json(version.by, site),
        "when": instant_text(version.when),
        "friendlyWhen": friendly_text(version.when),
        "message": version.message,
        "number": version.number,
        "minorEdit": version.minor_edit,
        "hidden": content.file is not None and content.file.hidden,
        "_links": {"self": site.absolute(path)},
        "_expandable": {},
    }
    if "content" in expansion:
        shown["content"] = content_json(content, NOTHING, site)
    else:
        shown["_expandable"] = {"content": content_path(content.id)}
    return shown


def history_json(content: Content, expansion: Expansion, site: Site, *, outermost: bool = False) -> Json:
    """The history of a content: who made it when, and its newest version."""
    links = {"self": site.absolute(content_path(content.id) + "/history")}
    shown: Json = {
        "latest": content.latest,
        "createdBy": person_json(content.created_by, site),
        "createdDate": instant_text(content.created_at),
        "_links": links | site.outermost if outermost else links,
    }
    parts = _history_parts(content, expansion, site)
    shown |= {name: part for name, part in parts.items() if part is not None}
    return {**shown, "_expandable": {name: "" for name, part in parts.items() if part is None}}


def _history_parts(content: Content, expansion: Expansion, site: Site) -> dict[str, Json | None]:
    """The expandable parts of a history; ``None`` for those not asked for, not at hand, or of which there is none."""
    past = content.past

    def version(name: str, of: Content | None) -> Json | None:
        return version_json(of, expansion.within(name), site) if name in expansion and of else None

    return {
        # Without its past, an old version does not know the newest one, so it cannot say who wrote that.
        "lastUpdated": version("lastUpdated", past.latest if past else content if content.latest else None),
        "previousVersion": version("previousVersion", past.previous if past else None),
        "nextVersion": version("nextVersion", past.following if past else None),
        "contributors": _contributors_json(past.contributors, expansion.within("contributors"), site)
        if past and "contributors" in expansion
        else None,
    }


def _contributors_json(people: Sequence[Person], expansion: Expansion, site: Site) -> Json:
    if "publishers" not in expansion:
        return {"_expandable": {"publishers": ""}}
    users = [person_json(person, site) for person in people]
    publishers = {"users": users, "userKeys": [person.user_key for person in people], "_expandable": {}}
    return {"publishers": publishers, "_expandable": {}}


def _body_json(content: Content, storage: str, expansion: Expansion, site: Site) -> Json:
    if content.representation == "raw":
        return _raw_json(content, storage, expansion)
    values: dict[str, str] = {}
    if "storage" in expansion:
        values["storage"] = storage
    place = Place(content.space.key, content.id)
    for name in RENDERED:
        if name in expansion:
            named = content.named_publicly if name == PUBLIC else content.named
            values[name] = render(storage, name, named, site.base_url, place, site.context_path)
    shown: Json = {
        name: {
            "value": value,
            "representation": name,
            "_expandable": {"content": content_path(content.id)},
        }
        for name, value in values.items()
    }
    return {**shown, "_expandable": {name: "" for name in ("storage", *RENDERED) if name not in expansion}}


def _raw_json(content: Content, value: str, expansion: Expansion) -> Json:
    """The body of a custom content that only its plug-in can read; it is not rendered."""
    if not ("raw" in expansion or "storage" in expansion):
        return {"_expandable": {"raw": ""}}
    raw = {"value": value, "representation": "raw", "_expandable": {"content": content_path(content.id)}}
    return {"raw": raw, "_expandable": {}}
