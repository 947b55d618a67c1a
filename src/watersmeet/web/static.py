"""Static files: style sheet, modules and pictures, kept by browsers for as long as they stay the same.

Pages name them under a fingerprint of the whole folder (``/static/0f3a…/watersmeet.css``), so that a module's
relative imports are covered too. An address with a fingerprint never changes its content and may be kept for
ever; one without is never stored, like everything else here.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from starlette import staticfiles
from starlette.responses import Response
from starlette.types import Scope

FOLDER = Path(__file__).parents[1] / "static"
_FOR_EVER = "public, max-age=31536000, immutable"


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """What stands for the content of every static file."""
    digest = hashlib.sha256()
    for file in sorted(FOLDER.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Where a page finds a static file, below the context path."""
    return f"/static/{fingerprint()}/{name}"


class StaticFiles(staticfiles.StaticFiles):
    """The folder, under the present fingerprint and without one."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file of a path, with or without a fingerprint in front."""
        version, _, rest = path.partition("/")
        if rest and version == fingerprint():
            response = await super().get_response(rest, scope)
            response.headers["cache-control"] = _FOR_EVER
            return response
        return await super().get_response(path, scope)
