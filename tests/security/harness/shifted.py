"""``python -m tests.security.harness.shifted FILE …``: Watersmeet's command line under a clock that can be moved.

The file holds the shift in milliseconds, eight bytes. Everything else is the real program.
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watersmeet.clock import Instant, SystemClock

_FORMAT = struct.Struct("<q")


class Shift:
    """How far the clocks of some processes are ahead of the machine's."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(_FORMAT.pack(0))
        with file.open("r+b") as stream:
            self._map = mmap.mmap(stream.fileno(), _FORMAT.size)

    @property
    def milliseconds(self) -> Instant:
        milliseconds: int = _FORMAT.unpack(self._map)[0]
        return milliseconds

    def advance(self, seconds: float) -> None:
        """Move all those clocks."""
        self._map[:] = _FORMAT.pack(self.milliseconds + round(seconds * 1000))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Move the clock of this process, too, for a while."""
        original = SystemClock.now
        SystemClock.now = lambda clock: original(clock) + self.milliseconds  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            SystemClock.now = original  # type: ignore[method-assign]


if __name__ == "__main__":
    shift = Shift(Path(sys.argv[1]))
    del sys.argv[1]
    from watersmeet.cli import main

    with shift.applied():
        main(prog_name="watersmeet")
