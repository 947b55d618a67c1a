"""The flow against servers that are not as they should be, and ``watersmeet authorize`` with a wrong URL."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from tests.cli.test_commands import run
from tests.support.server import RunningServer
from watersmeet import demo
from watersmeet.cli import main
from watersmeet.testing import flow


@pytest.mark.parametrize("tail", ["", "-elsewhere", "/more", ".evil.test"])
def test_an_answer_is_let_out_at_the_redirection_uri_only(tail: str) -> None:
    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self.send_response(302)
            self.send_header("location", f"{query['redirect_uri'][0]}{tail}?code=c&state={query['state'][0]}")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    uri = "http://client.example" if tail == ".evil.test" else "http://client.example/cb"
    application = flow.Application("id", None, uri)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            base_url = f"http://127.0.0.1:{server.server_port}"
            if tail:
                with pytest.raises(flow.FlowFailed, match="another site"):
                    flow.ask(base_url, application, "alice", "alice", "READ", pkce=True)
            else:
                assert flow.ask(base_url, application, "alice", "alice", "READ", pkce=True).code == "c"
        finally:
            server.shutdown()


_WORDS = ("authorize", "--client", demo.CLIENT_ID, "--user", "alice", "--scope", "READ", "--url")


@pytest.mark.parametrize(
    "url",
    ["foo", "127.0.0.1:8090", "ftp://127.0.0.1", "http://", "http://[::1", "http://a b", "http://h:x", "http://h?q"],
)
def test_a_url_that_is_none_is_wrong_usage(url: str) -> None:
    done = CliRunner().invoke(main, [*_WORDS, url])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the base URL that the server printed" in done.stderr


def test_another_name_of_the_server_is_told_from_its_base_url(dev_server: RunningServer, tmp_path: Path) -> None:
    other = dev_server.base_url.replace("127.0.0.1", "localhost")
    done = run(*_WORDS, other, cwd=tmp_path)
    assert done.returncode == 1
    assert f"The server's base URL is {dev_server.base_url}" in done.stderr
    assert run(*_WORDS, dev_server.base_url, cwd=tmp_path).returncode == 0


def test_something_else_that_listens_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        done = run(*_WORDS, f"http://127.0.0.1:{listener.getsockname()[1]}", cwd=tmp_path)
        answering.join()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "does not speak HTTP" in done.stderr
