"""JSON of what a search found (S3.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from watersmeet.confluence.content import Content, Person, Space
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.representation import content_json, space_json
from watersmeet.confluence.representation_person import Json, friendly_text, instant_text, person_json
from watersmeet.confluence.site import Site, content_page, space_page


@dataclass(frozen=True, slots=True)
class Hit:
    """Something a search found: its title and the piece of its text to show, marked where that was asked for."""

    item: Content | Space | Person
    title: str
    excerpt: str


def hit_json(hit: Hit, expansion: Expansion, site: Site) -> Json:
    """A result of ``/rest/api/search``."""
    item = hit.item
    if isinstance(item, Content):
        return _content_json(item, hit, expansion, site)
    if isinstance(item, Space):
        shown = space_json(item, expansion.within("space"), site)
        container = {"title": item.name, "displayUrl": space_page(item.key)}
        return _result("space", shown, hit, space_page(item.key), "aui-icon content-type-space", container)
    url = f"/display/~{item.username}"
    container = {"title": item.display_name, "displayUrl": url}
    return _result("user", person_json(item, site), hit, url, "aui-icon content-type-profile", container)


def _content_json(item: Content, hit: Hit, expansion: Expansion, site: Site) -> Json:
    container = {"title": item.space.name, "displayUrl": space_page(item.space.key)}
    shown = content_json(item, expansion.within("content"), site)
    icon = f"aui-icon content-type-{item.type}"
    result = _result("content", shown, hit, content_page(item), icon, container)
    when = item.version.when
    if item.container is not None:
        result["resultParentContainer"] = {"title": item.container.title, "displayUrl": content_page(item.container)}
    return result | {
        "lastModified": instant_text(when),
        "friendlyLastModified": friendly_text(when),
        "timestamp": when,
    }


_Container: TypeAlias = dict[str, str]


def _result(kind: str, shown: Json, hit: Hit, url: str, icon: str, container: _Container) -> Json:
    return {
        kind: shown,
        "title": hit.title,
        "excerpt": hit.excerpt,
        "url": url,
        "resultGlobalContainer": container,
        "entityType": kind,
        "iconCssClass": icon,
    }
