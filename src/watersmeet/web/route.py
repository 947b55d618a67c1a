"""Routes: found with and without a slash at the end, and never by a redirect.

Clients of the original send both. Starlette would redirect one to the other, to a URL made of the request's ``Host``
and scheme, with the whole query in it: behind a proxy a secret would go out over plain http (S003).
"""

from __future__ import annotations

import re
from typing import Any

from starlette import routing


class Route(routing.Route):
    """A route that is served with a slash at the end too, unless its path ends with one anyway."""

    def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if not path.endswith("/"):
            self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + r"/?\Z")


class Mount(routing.Mount):
    """Routes below a path."""

    def __init__(self, path: str, routes: list[routing.BaseRoute]) -> None:
        super().__init__(path, routing.Router(routes, redirect_slashes=False))
