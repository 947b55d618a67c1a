"""TLS before a server that speaks plain HTTP, for clients that insist on https."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

_HOST = re.compile(rb"\r\nhost: [^\r]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TlsFront:
    """Where it listens, and the certificate to trust."""

    address: str
    certificate: Path


@contextmanager
def tls_before(port: int, folder: Path) -> Iterator[TlsFront]:
    """Accept TLS connections for 127.0.0.1 and pass what they carry on to a port of this computer."""
    authority = trustme.CA()
    certificate = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    loop, started, listening = asyncio.new_event_loop(), threading.Event(), []
    stop = asyncio.Event()

    # As reverse proxies do unless told otherwise, it asks the server by the server's own name.
    host = b"\r\nHost: 127.0.0.1:%d" % port

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, onward: bool) -> None:
        with suppress(OSError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(_HOST.sub(host, data) if onward else data)
                await writer.drain()
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, onward_writer, onward=True), copy(onward_reader, writer, onward=False))

    async def serve() -> None:
        async with await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context) as server:
            listening.append(server.sockets[0].getsockname()[1])
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert started.wait(30)
        yield TlsFront(f"127.0.0.1:{listening[0]}", certificate)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
