"""The supervisor: several worker processes on one listening socket, kept alive, and ended together.

uvicorn has one too, which starts a new interpreter for each worker, asks it every half second over a pipe whether
it lives, and ends by the signal it was sent. Forking after the imports starts quicker and shares their memory.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from watersmeet.cli import collector
from watersmeet.errors import SettingsError
from watersmeet.web.log import log

Work = Callable[[Callable[[], None]], None]
"""What a worker does until it is told to end; it calls its argument once it accepts connections."""

_PAUSE_SECONDS = 0.5  # before a worker that died is replaced, so that one that cannot live does not fill the log
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM)


@dataclass
class Supervisor:
    """A number of processes that each carry out ``work``; ``patience`` is how long they may take to end, in seconds.

    Must be used before the process has threads: it forks.
    """

    count: int
    work: Work
    listener: socket.socket
    patience: float
    _workers: set[int] = field(default_factory=set)

    def run(self, when_ready: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM. Raises ``SettingsError`` when a worker could not start, or had to be killed."""
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)  # a signal that is ignored would not be waited for everywhere
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        collector.resume()  # what is there now stays shared
        self._lifeline = os.pipe()
        ready = [self._start() for _ in range(self.count)]
        told = [_is_told(descriptor) for descriptor in ready]
        all_started = all(told)
        if all_started:
            when_ready()
            self._keep_alive()
        all_ended = self._end()
        if not all_started:
            raise SettingsError("A worker could not start; the log says why.")
        if not all_ended:
            raise SettingsError("Workers did not end in time and were killed.")

    def _keep_alive(self) -> None:
        """Replace what dies, until a signal says that all is to end."""
        while (number := signal.sigwait(_SIGNALS)) not in (signal.SIGTERM, signal.SIGINT):
            if number == signal.SIGCHLD:
                for pid, status in self._reap():
                    log.error("worker died", pid=pid, status=os.waitstatus_to_exitcode(status))
                    signal.setitimer(signal.ITIMER_REAL, _PAUSE_SECONDS)
            else:
                while len(self._workers) < self.count:
                    os.close(self._start())

    def _end(self) -> bool:
        """Stop accepting, let the workers finish what they started; whether all of them ended by themselves."""
        self.listener.close()
        self._signal_all(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, self.patience)
        self._reap()
        while self._workers:
            if signal.sigwait(_SIGNALS) == signal.SIGALRM:
                self._signal_all(signal.SIGKILL)
                return False
            self._reap()
        return True

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._workers:
            os.kill(pid, number)

    def _reap(self) -> list[tuple[int, int]]:
        """The workers that have ended since the last time, with their status."""
        ended = []
        for pid in tuple(self._workers):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._workers.remove(pid)
                ended.append((pid, status))
        return ended

    def _start(self) -> int:
        """One more worker; a descriptor from which a byte is read once it is ready, or nothing if it never will."""
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready)
            self._be_worker(tell)
        os.close(tell)
        self._workers.add(pid)
        return ready

    def _be_worker(self, tell: int) -> NoReturn:
        code = 1
        try:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            lifeline, other_end = self._lifeline
            os.close(other_end)
            threading.Thread(target=_end_with_the_supervisor, args=(lifeline,), daemon=True).start()
            self.work(lambda: _tell(tell))
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _end_with_the_supervisor(lifeline: int) -> None:
    """Nobody writes to the lifeline: it ends when the supervisor does, however that came about."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(descriptor: int) -> None:
    try:
        os.write(descriptor, b"1")
    except BrokenPipeError:
        pass  # a worker that replaces another: nobody asks
    finally:
        os.close(descriptor)


def _is_told(descriptor: int) -> bool:
    try:
        return os.read(descriptor, 1) == b"1"
    finally:
        os.close(descriptor)
