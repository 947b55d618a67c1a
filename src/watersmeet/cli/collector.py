"""The garbage collector, which rests while a server starts."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 20_000  # of which it looks for rings: some megabytes at most


@contextmanager
def resting() -> Iterator[None]:
    """Until ``resume``, or the end, nothing is collected.

    Start-up makes some eighty thousand objects, nearly all of which stay, and the collector would look at them again
    and again, for a tenth of the whole time (docs/decisions/0074).
    """
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()


def resume() -> None:
    """Collect what is made from now on; what there is stays for good, and is never looked at.

    What requests make is nearly all gone when they end; Python's own threshold, 700 new objects, is two or three of
    them.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    gc.enable()
