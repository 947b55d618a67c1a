"""Testing: a server of one's own in one's tests, its clock, its faults, and people who press Allow.

``running_server()`` is a context manager for any test framework; the pytest plugin (``plugin.py``) offers the
fixture ``watersmeet_server``. Speaks to ``watersmeet dev`` over HTTP only and must not import the server's insides,
so that what passes here passes for any client. Standard library; lxml and msgspec when a page is to be answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watersmeet.testing.process import running_server
    from watersmeet.testing.server import Answer, Client, Server, Tokens, User

__all__ = ["Answer", "Client", "Server", "Tokens", "User", "running_server"]


def __getattr__(name: str) -> Any:
    # pytest loads the plugin in this package in every project of the environment: it must cost nothing there.
    if name in __all__:
        from watersmeet.testing import process, server

        return getattr(process if name == "running_server" else server, name)
    raise AttributeError(name)
