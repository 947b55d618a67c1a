"""``python -m tests.security.harness.shifted FILE …``: Watersmeet's command line under a clock that can be moved.

The file says how far it is ahead, or at which moment it stands. Everything else is the real program.
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watersmeet.clock import Instant, SystemClock

_WORD = struct.Struct("<q")
_SHIFT, _STANDING = slice(0, 8), slice(8, 16)


class Shift:
    """How far the clocks of some processes are ahead of the machine's, or the moment at which they stand.

    Each of the two is one machine word in a shared page, and every change is a change of one: no process reads half.
    """

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(16))
        with file.open("r+b") as stream:
            self._map = mmap.mmap(stream.fileno(), 16)

    def _read(self, word: slice) -> Instant:
        milliseconds: int = _WORD.unpack(self._map[word])[0]
        return milliseconds

    def of(self, machine: Instant) -> Instant:
        """What those clocks say when the machine's says that."""
        return self._read(_STANDING) or machine + self._read(_SHIFT)

    def advance(self, seconds: float) -> None:
        """Move all those clocks."""
        word = _STANDING if self._read(_STANDING) else _SHIFT
        self._map[word] = _WORD.pack(self._read(word) + round(seconds * 1000))

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Let all those clocks stand still, but for ``advance``; then they go on from there."""
        clock = SystemClock()
        self._map[_STANDING] = _WORD.pack(self.of(clock.now()))
        try:
            yield
        finally:
            self._map[_SHIFT] = _WORD.pack(self._read(_STANDING) - clock.now())
            self._map[_STANDING] = _WORD.pack(0)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Move the clock of this process, too, for a while."""
        original = SystemClock.now
        SystemClock.now = lambda clock: self.of(original(clock))  # type: ignore[method-assign, assignment]
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
