"""The protected REST API over HTTP: one module a noun. It knows operations and JSON, and no SQL."""

from __future__ import annotations

from watersmeet.content.http import (
    administration,
    attachments,
    bodies,
    categories,
    contents,
    copies,
    downloads,
    global_permissions,
    groups,
    inline,
    instance,
    label_uses,
    labels,
    likes,
    long_tasks,
    permissions,
    pictures,
    properties,
    reading,
    refused,
    restrictions,
    search,
    spaces,
    tasks,
    templates,
    trash,
    tree,
    users,
    versions,
    watches,
)
from watersmeet.content.http.api import Api
from watersmeet.web.environment import Environment
from watersmeet.web.route import Route

# In the order in which they are tried: a name in a path ("content/search") comes before a number ("content/{id}").
_GROUPS = (
    search,
    contents,
    copies,
    attachments,
    downloads,
    labels,
    likes,
    permissions,
    global_permissions,
    properties,
    restrictions,
    watches,
    spaces,
    templates,
    categories,
    label_uses,
    trash,
    long_tasks,
    tree,
    users,
    administration,
    groups,
    inline,
    tasks,
    instance,
    versions,
    bodies,
    reading,
    pictures,
    refused,
)


def routes(environment: Environment) -> list[Route]:
    """The routes of the content API, each method with the scope it needs, and of the pages that people read."""
    api = Api.of(environment)
    return [route for group in _GROUPS for route in group.routes(api)]
