"""How much and how slowly a client may speak, over real sockets (S013, S014)."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from tests.http.conftest import Site
from watersmeet.app import create_app
from watersmeet.cli import connection, server
from watersmeet.cli.connection import MAX_HEAD, MAX_HEADERS, Connection

PATIENCE = 60.0  # far beyond any time-out under test: only a bug lets a test wait that long
FORM = b"Content-Type: application/x-www-form-urlencoded"
TOKEN = b"POST /rest/oauth2/latest/token HTTP/1.1\r\n"


Serving = Callable[..., int]


@pytest.fixture
def serving(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """``serving(seconds=1)``: the port of the application behind a real server, with time-outs as short as that."""
    with ExitStack() as stack:

        def start(seconds: float | None = None) -> int:
            if seconds is not None:
                monkeypatch.setattr(connection, "HEAD_SECONDS", seconds)
                monkeypatch.setattr(connection, "BODY_SECONDS", seconds)
            return stack.enter_context(running(create_app(site.environment.settings, clock=site.clock)))

        yield start


@contextmanager
def running(app: Starlette) -> Iterator[int]:
    listener = server.bind("127.0.0.1", 0)
    config = uvicorn.Config(
        app, http=Connection, ws="none", lifespan="off", access_log=False, log_level="error", server_header=False
    )
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    serving.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()
    listener.close()


@pytest.fixture
def port(serving: Serving) -> int:
    """A server with the time-outs of production."""
    return serving()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def rest_of(open_socket: socket.socket) -> bytes:
    """Everything the server still sends until it closes; a reset counts as closing."""
    received = b""
    try:
        while chunk := open_socket.recv(65_536):
            received += chunk
    except ConnectionError:
        pass
    return received


def head(*lines: bytes, first: bytes = b"GET /login.action HTTP/1.1\r\n") -> bytes:
    return first + b"Host: 127.0.0.1:8090\r\n" + b"".join(line + b"\r\n" for line in lines)


def spoken(port: int, data: bytes) -> bytes:
    with connect(port) as talking:
        talking.sendall(data)
        return rest_of(talking)


def test_an_ordinary_request_is_answered(port: int) -> None:
    assert spoken(port, head(b"Connection: close") + b"\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "data",
    [
        head(b"X: " + b"a" * 64 * 1024) + b"\r\n",
        head(b"X: " + b"a" * MAX_HEAD),  # and never an end
        head(*[b"X: a"] * MAX_HEADERS) + b"\r\n",
        head(first=b"GET /?state=" + b"a" * 1_000_000 + b" HTTP/1.1\r\n") + b"\r\n",
        head(b"a" * 100_000 + b": x") + b"\r\n",
    ],
    ids=["one header", "no end", "many headers", "request line", "header name"],
)
def test_s013_a_head_that_is_too_large_is_refused_before_anything_is_done(port: int, data: bytes) -> None:
    answer = spoken(port, data)
    # The kernel may reset a connection that is closed with input unread; then there is no answer at all.
    assert answer.startswith(b"HTTP/1.1 431 ") or not answer
    assert b"200 OK" not in answer


def test_s013_the_limit_holds_on_every_request_of_a_connection(port: int) -> None:
    with connect(port) as talking:
        for _ in range(3):
            talking.sendall(head() + b"\r\n")
            assert talking.recv(65_536).startswith(b"HTTP/1.1 200 ")
        talking.sendall(head(b"X: " + b"a" * 40_000) + b"\r\n")
        assert b"HTTP/1.1 431 " in rest_of(talking)


def test_s013_a_head_just_within_the_limits_passes(port: int) -> None:
    lines = [b"X: " + b"a" * 16_000, *[b"X: a"] * (MAX_HEADERS - 3), b"Connection: close"]
    assert spoken(port, head(*lines) + b"\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("size", [64 * 1024 + 1, 10_000_000])
def test_s013_s069_a_body_that_is_too_large_is_refused(port: int, size: int) -> None:
    lines = [FORM, b"Content-Length: %d" % size, b"Connection: close"]
    for first in (TOKEN, b"POST /login.action HTTP/1.1\r\n"):
        assert spoken(port, head(*lines, first=first) + b"\r\n" + b"password=aaaa").startswith(b"HTTP/1.1 413 ")


def test_s013_ten_thousand_parameters_are_refused(port: int) -> None:
    body = b"&".join(b"p%d=x" % number for number in range(10_000))[: 64 * 1024]
    lines = [
        FORM,
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    answer = spoken(port, head(*lines, first=TOKEN) + b"\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"invalid_request" in answer


@pytest.mark.parametrize("begun", [b"", b"GET / HT", head(), b"\r\n"], ids=["nothing", "line", "headers", "blank"])
def test_s014_a_head_that_does_not_come_in_time_is_cut_off(serving: Serving, begun: bytes) -> None:
    port = serving(seconds=0.5)
    answer = spoken(port, begun)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"x-content-type-options: nosniff" in answer


def test_s014_a_body_that_does_not_come_in_time_is_cut_off_and_nothing_is_logged_as_our_failure(
    serving: Serving, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    port = serving(seconds=1)
    lines = [FORM, b"Content-Length: 1000"]
    with caplog.at_level(logging.ERROR):
        answer = spoken(port, head(*lines, first=TOKEN) + b"\r\n" + b"grant_type=")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "Traceback" not in "".join(capfd.readouterr())
    assert not caplog.records


def test_s014_a_body_that_dribbles_does_not_win_time_with_every_byte(serving: Serving) -> None:
    port = serving(seconds=1)
    lines = [FORM, b"Content-Length: 100000"]
    with connect(port) as talking:
        talking.sendall(head(*lines, first=TOKEN) + b"\r\n")
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            try:
                talking.sendall(b"a")
            except ConnectionError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("the server listened to the end")


def test_s014_a_body_that_flows_is_heard_to_its_end_however_long_it_takes(serving: Serving) -> None:
    port = serving(seconds=1)
    body = b"grant_type=refresh_token&x=" + b"a" * 60_000
    lines = [
        FORM,
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    with connect(port) as talking:
        talking.sendall(head(*lines, first=TOKEN) + b"\r\n")
        for start in range(0, len(body), 10_000):  # 33 KiB a second, for two seconds; the time-out is one
            talking.sendall(body[start : start + 10_000])
            time.sleep(0.3)
        assert rest_of(talking).startswith(b"HTTP/1.1 400 ")


def test_s014_a_flood_of_slow_sockets_does_not_block_others_and_ends(serving: Serving) -> None:
    port = serving(seconds=4)
    with ExitStack() as stack:
        flood = [stack.enter_context(connect(port)) for _ in range(200)]
        for dribbling in flood:
            dribbling.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert spoken(port, head(b"Connection: close") + b"\r\n").startswith(b"HTTP/1.1 200 ")
        assert all(rest_of(dribbling).startswith(b"HTTP/1.1 408 ") for dribbling in flood)
        assert spoken(port, head(b"Connection: close") + b"\r\n").startswith(b"HTTP/1.1 200 ")
