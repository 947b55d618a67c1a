"""The protected REST API over HTTP: one module a noun. It knows operations and JSON, and no SQL."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Protocol, cast

from watersmeet.web.environment import Environment
from watersmeet.web.route import Later, Route

# In the order in which they are tried: a name in a path ("content/search") comes before a number ("content/{id}").
# A module is imported when somebody asks for what begins like this (docs/decisions/0074); the paths themselves, and
# the scope that each method needs, are beside the handlers.
NOUNS = {
    "search": ("/rest/api/content/search", "/rest/api/content/scan", "/rest/api/search"),
    "contents": ("/rest/api/content",),
    "copies": ("/rest/api/content/{id}/copy", "/rest/api/content/{id}/pagehierarchy"),
    "attachments": ("/rest/api/content/{id}/child/attachment", "/json/removeattachment.action"),
    "downloads": ("/download",),
    "labels": ("/rest/api/content/{id}/label",),
    "likes": ("/rest/likes",),
    "permissions": ("/rest/api/space/{key}/permissions",),
    "global_permissions": ("/rest/api/permissions",),
    "properties": ("/rest/api/content/{id}/property", "/rest/api/space/{key}/property"),
    "restrictions": ("/rest/api/content/{id}/restriction",),
    "watches": ("/rest/api/user/watch", "/rest/api/content/{id}/watchers", "/rest/api/space/{key}/watchers"),
    "spaces": ("/rest/api/space",),
    "templates": ("/rest/experimental/template", "/rest/api/template"),
    "categories": ("/rest/api/space/{key}/category",),
    "label_uses": ("/rest/api/label", "/rest/api/space/{key}/labels"),
    "trash": ("/rest/api/space/{key}/trash",),
    "long_tasks": ("/rest/api/longtask",),
    "tree": (
        "/rest/api/content/{id}/child",
        "/rest/api/content/{id}/descendant",
        "/rest/api/content/{id}/move",
        "/pages/movepage.action",
    ),
    "users": ("/rest/api/user", "/rest/api/admin/users"),
    "administration": ("/rest/api/admin/user", "/rest/api/admin/space/personal"),
    "groups": ("/rest/api/group", "/rest/api/admin/group", "/rest/api/user/memberof", "/rest/api/user/{name}/group"),
    "inline": ("/rest/inlinecomments",),
    "tasks": ("/rest/inlinetasks",),
    "instance": (
        "/rest/api/accessmode",
        "/rest/api/instance-metrics",
        "/rest/api/server-information",
        "/status",
        "/rest/applinks",
    ),
    "versions": ("/rest/experimental/content", "/rest/api/content/{id}/version"),
    "bodies": ("/rest/api/contentbody", "/rest/api/content/{id}/history"),
    "reading": (
        "/spacedirectory",
        "/display",
        "/spaces",
        "/pages/viewpage.action",
        "/pages/viewpreviousversions.action",
        "/x",
    ),
    "pictures": ("/images",),
    "refused": ("/rest/api",),
}


class _Noun(Protocol):
    """A module of this package."""

    def routes(self, api: object, /) -> list[Route]: ...


def routes(environment: Environment) -> list[Later]:
    """The routes of the content API, each method with the scope it needs, and of the pages that people read."""
    return [Later(beginnings, partial(_routes_of, noun, environment)) for noun, beginnings in NOUNS.items()]


def _routes_of(noun: str, environment: Environment) -> list[Route]:
    from watersmeet.content.http.api import Api

    module = cast("_Noun", import_module(f"{__name__}.{noun}"))
    return module.routes(Api.of(environment))
