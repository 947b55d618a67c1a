"""Files larger than the memory that may be used for them, in and out of a running server."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.client import token_of
from tests.support.server import RunningServer, running_server

MIB = 1024 * 1024
SIZE = 256 * MIB  # 1 GiB was tried by hand, with the same rise: docs/operations.md
MOST = 64 * MIB  # what memory may rise by
_HEAD = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="%2541 large.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
)
_TAIL = b"\r\n--x--\r\n"
_PATIENCE = 300  # seconds for what takes a few


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(["-Dupload_limit_mib=300"]) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token_of(server)}"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=_PATIENCE) as client:
        yield client


def pieces(size: int) -> Iterator[bytes]:
    """Bytes that compress to nothing and repeat nowhere."""
    for number in range(size // MIB):
        yield hashlib.sha256(b"%d" % number).digest() * (MIB // 32)


def page(client: httpx.Client, title: str) -> str:
    made = client.post("/rest/api/content", json={"type": "page", "title": title, "space": {"key": "DEMO"}})
    assert made.status_code == 200, made.text
    return f"/rest/api/content/{made.json()['id']}/child/attachment"


def upload(client: httpx.Client, path: str, data: Iterator[bytes], length: int | None = None) -> httpx.Response:
    def body() -> Iterator[bytes]:
        yield _HEAD
        yield from data
        yield _TAIL

    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Atlassian-Token": "no-check"}
    if length is not None:
        headers["Content-Length"] = str(len(_HEAD) + length + len(_TAIL))
    return client.post(path, content=body(), headers=headers)


def memory(pid: int, what: str) -> int:
    """Bytes: VmRSS, what a process holds now, or VmHWM, the most it held since it was told to forget that."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


def test_memory_does_not_grow_with_the_file(server: RunningServer, client: httpx.Client) -> None:
    path = page(client, "Large")
    assert upload(client, path, iter([b"small"])).status_code == 200  # what is imported for the first is there
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # forget the peak
    before = memory(server.pid, "VmRSS")
    made = upload(client, path + "?allowDuplicated=true", pieces(SIZE), SIZE)
    assert made.status_code == 200, made.text
    (attachment,) = made.json()["results"]
    assert attachment["extensions"]["fileSize"] == SIZE
    sent = hashlib.sha256()
    for piece in pieces(SIZE):
        sent.update(piece)
    came = hashlib.sha256()
    with client.stream("GET", attachment["_links"]["download"]) as answer:
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZE))
        for piece in answer.iter_raw(MIB):
            came.update(piece)
    assert came.digest() == sent.digest()
    assert memory(server.pid, "VmHWM") - before < MOST
    part = client.get(attachment["_links"]["download"], headers={"Range": f"bytes={SIZE - 4}-"})
    assert (part.status_code, len(part.content)) == (206, 4)


def test_a_name_with_what_looks_like_an_escape(client: httpx.Client) -> None:
    path = page(client, "Escapes")
    (attachment,) = upload(client, path, iter([b"hello"])).json()["results"]
    assert attachment["title"] == "%2541 large.bin"
    assert client.get(attachment["_links"]["download"]).content == b"hello"


def test_an_upload_on_its_way_keeps_nobody_waiting(client: httpx.Client, server: RunningServer) -> None:
    """Reads and writes are answered while the body of another request has only half come."""
    path, has_begun, go_on = page(client, "Slow"), threading.Event(), threading.Event()
    answers: list[httpx.Response] = []

    def data() -> Iterator[bytes]:
        yield bytes(2 * MIB)
        has_begun.set()
        assert go_on.wait(_PATIENCE)
        yield b"the rest"

    def send() -> None:
        with httpx.Client(base_url=server.base_url, headers=client.headers, timeout=_PATIENCE) as other:
            answers.append(upload(other, path, data()))

    sending = threading.Thread(target=send)
    sending.start()
    try:
        assert has_begun.wait(_PATIENCE)
        page(client, "Meanwhile")
        (small,) = upload(client, path, iter([b"small"])).json()["results"]
        assert client.get(small["_links"]["download"]).content == b"small"
    finally:
        go_on.set()
        sending.join(_PATIENCE)
    assert [answer.status_code for answer in answers] == [400]  # its name was taken in the meantime
    assert "same file name" in answers[0].json()["message"]


def test_too_much_is_told_before_it_is_sent(client: httpx.Client) -> None:
    path, url = page(client, "Too much"), client.base_url
    connection = http.client.HTTPConnection(url.host, url.port or 80, timeout=_PATIENCE)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", client.headers["authorization"])
    connection.putheader("X-Atlassian-Token", "no-check")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(302 * MIB))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "at most 314572800 bytes" in json.load(answer)["message"]
    connection.close()
