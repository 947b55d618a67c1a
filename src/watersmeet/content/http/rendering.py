"""Where answers with rendered bodies are built: small ones at once, others in a thread, and few of those at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from watersmeet.confluence.content import Content
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.representation import RENDERED

if TYPE_CHECKING:
    from anyio import CapacityLimiter

_SMALL = 32_000  # characters of storage format, which take some ten milliseconds
_NAMED = 500  # as much may be shown for a macro
_AT_ONCE = 2

T = TypeVar("T")


def renders(expansion: Expansion) -> bool:
    """Whether HTML is asked for, at any depth."""
    return any(name in RENDERED or renders(expansion.within(name)) for name in expansion.names)


async def built(build: Callable[[], T], contents: Iterable[Content], expansion: Expansion | None = None) -> T:
    """What ``build`` makes of contents, whose bodies are rendered as far as ``expansion`` asks; all without one."""
    if expansion is not None:
        if not renders(expansion):
            return build()
        # Whatever stands around the contents, or below them, may have bodies too.
        if renders(expansion.without("body")):
            return await in_a_thread(build)
    if _weight(contents) <= _SMALL:
        return build()
    return await in_a_thread(build)


async def in_a_thread(build: Callable[[], T]) -> T:
    """What is built while others are answered. These threads are not those that files go through."""
    from anyio import to_thread

    return await to_thread.run_sync(build, limiter=limiter())


@lru_cache(maxsize=1)
def limiter() -> CapacityLimiter:
    """How many renderings that take long run at once, those that read on their way included."""
    from anyio import CapacityLimiter

    return CapacityLimiter(_AT_ONCE)


def _weight(contents: Iterable[Content]) -> int:
    total = 0
    for content in contents:
        storage = content.storage or ""
        total += len(storage) + _NAMED * storage.count("ac:name")
        if "include" in storage:  # whose bodies are as long as they like
            return _SMALL + 1
    return total
