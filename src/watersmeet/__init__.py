"""Watersmeet: an OAuth 2.0 provider, wire-compatible with Confluence Data Center's, and the API it protects.

``create_app(settings)`` builds the ASGI application; everything else is reached through the ``watersmeet``
command. The package is lazy: importing it costs nothing until a name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watersmeet.app import create_app
    from watersmeet.settings import Settings

__version__ = "0.2.0"
__all__ = ["Settings", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    if name == "create_app":
        from watersmeet.app import create_app

        return create_app
    if name == "Settings":
        from watersmeet.settings import Settings

        return Settings
    raise AttributeError(f"module 'watersmeet' has no attribute {name!r}")
