"""Several workers, workers that die, and an end that loses nothing that was started."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.grants import REDIRECT_URI
from tests.support.lock import locked
from tests.support.production import PATIENCE, Production, running, wait_until


def is_listening(production: Production) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", production.port)) == 0


@contextmanager
def started_exchange(production: Production, code: str) -> Iterator[HTTPConnection]:
    """A connection whose request a worker has taken up, and whose answer can be waited for."""
    registered = production.grants.registered
    form = {
        "client_id": registered.client.client_id,
        "client_secret": registered.client_secret,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
    }
    connection = HTTPConnection("127.0.0.1", production.port, timeout=PATIENCE)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/rest/oauth2/latest/token", urlencode(form), headers)
        wait_until(lambda: is_taken_up(connection), "the request is taken up")
        yield connection
    finally:
        connection.close()


def is_taken_up(connection: HTTPConnection) -> bool:
    """Whether the server has read what was sent: its side of the connection is there and has nothing waiting."""
    ours, theirs = (f"{address[1]:04X}" for address in (connection.sock.getsockname(), connection.sock.getpeername()))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if (local.partition(":")[2], remote.partition(":")[2]) == (theirs, ours):
            return queues.endswith(":00000000")
    return False


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_started_is_finished_and_lasts(empty_url: str, tmp_path: Path, workers: int) -> None:
    production = Production(empty_url, tmp_path, workers)
    (code,) = production.codes(1)
    production.start()
    try:
        with ExitStack() as lock:
            lock.enter_context(locked(empty_url, "token_pairs"))
            with started_exchange(production, code) as connection:
                assert production.process is not None
                production.process.terminate()
                wait_until(lambda: not is_listening(production), "the server stops accepting")
                assert production.process.poll() is None, "it waits for the request"
                lock.close()
                answer = connection.getresponse()
                assert answer.status == 200, answer.read()
                access_token = json.loads(answer.read())["access_token"]
        assert production.wait() == 0, production.log_text()
    finally:
        production.kill()
    with running(production) as again, again.client() as client:
        assert client.read(access_token) == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_the_end_comes_even_if_a_request_never_gets_its_lock(tmp_path: Path, workers: int) -> None:
    url = f"sqlite:///{tmp_path}/watersmeet.db"
    production = Production(url, tmp_path, workers)
    production.settings["ATLASSIAN_OAUTH2_PROVIDER_MAX_LOCK_TIMEOUT_SECONDS"] = "1"
    (code,) = production.codes(1)
    production.start()
    try:
        with locked(url, "token_pairs"), started_exchange(production, code) as connection:
            assert production.process is not None
            production.process.terminate()
            answer = connection.getresponse()
            assert answer.status == 503
            assert answer.headers["retry-after"]
            assert production.wait() == 0, production.log_text()
    finally:
        production.kill()
    with running(production) as again, again.client() as client:
        assert client.exchange(code).status_code == 200, "nothing had been consumed"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_request_that_never_arrives_is_cut_off_without_a_traceback(tmp_path: Path, workers: int) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path, workers)
    production.settings["ATLASSIAN_OAUTH2_PROVIDER_MAX_LOCK_TIMEOUT_SECONDS"] = "1"
    production.codes(1)
    production.start()
    connection = HTTPConnection("127.0.0.1", production.port, timeout=PATIENCE)
    try:
        connection.putrequest("POST", "/rest/oauth2/latest/token")
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Content-Length", "100")
        connection.endheaders(b"grant_type=")
        wait_until(lambda: is_taken_up(connection), "the request is taken up")
        assert production.process is not None
        production.process.terminate()
        assert connection.getresponse().status == 503
        assert production.wait() == 0, production.log_text()
    finally:
        connection.close()
        production.kill()
    assert "cut off at the end" in production.log_text()
    assert "Traceback" not in production.log_text()
    assert "CancelledError" not in production.log_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_0_on_either_signal_with_idle_connections_open(tmp_path: Path, number: signal.Signals) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path, workers=3)
    production.start()
    try:
        with production.client() as client:
            client.http.get("/login.action")
            pids = production.worker_pids()
            assert len(pids) == 3
            assert production.process is not None
            production.process.send_signal(number)
            assert production.wait() == 0, production.log_text()
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    finally:
        production.kill()


def test_a_worker_that_dies_is_replaced_while_the_others_serve(tmp_path: Path) -> None:
    with running(Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path, workers=2)) as production:
        before = production.worker_pids()
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: "worker died" in production.log_text(), "the death is noticed")
        with production.client() as client:
            assert client.http.get("/login.action").status_code == 200
        wait_until(lambda: len(production.worker_pids()) == 2, "the worker is replaced")
        assert len(production.worker_pids() - before) == 1
        (code,) = production.codes(1)
        with production.client() as client:
            assert client.exchange(code).status_code == 200


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path, workers=2)
    production.start()
    try:
        assert production.process is not None
        production.process.kill()  # it alone, not its group
        wait_until(lambda: not is_listening(production), "the workers end")
    finally:
        production.kill()


def test_a_worker_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path, workers=2)
    production.settings["ATLASSIAN_OAUTH2_PROVIDER_PRUNE_EXPIRED_TOKENS_SCHEDULE"] = "never"
    with pytest.raises(AssertionError, match="A worker could not start"):
        production.start()
    production.kill()
