"""Parsers that disagree (V45): our reading of addresses, forms and Basic against urllib's and Node's WHATWG parsers.

Whatever two of them read differently is refused, and never a failure of the server. The examples are the same on
every run.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.harness.client import Server
from tests.security.harness.wire import CLOSED, get_request, post_form, send
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import OAuthError
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.redirect import InvalidRedirectUri, RedirectUri

EXAMPLES, EXAMPLES_OVER_HTTP = 500, 120
repeatable = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class Whatwg:
    """Node's parsers."""

    process: subprocess.Popen[str]

    def read(self, kind: str, text: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([kind, text]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def whatwg() -> Iterator[Whatwg]:
    if "node" in os.environ.get("WATERSMEET_TEST_WITHOUT", "").split():
        pytest.skip("left out by choice: WATERSMEET_TEST_WITHOUT names node")
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is missing (Debian's package nodejs); tools/machine.py installs it", pytrace=False)
    script = Path(__file__).with_name("whatwg.mjs")
    with subprocess.Popen([node, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Whatwg(process)
        process.terminate()


# Pieces in which parsers are known to differ, glued together in any order.
_URL_PIECES = (
    "https", "http", "HTTPS", "javascript", "com.example.app", ":", "//", "/", "\\", "@", "#", "?", "&", "=", ".", "..",
    "%2e", "%2f", "%5c", "%00", "%0a", "%", "%zz", " ", "\t", "\n", "app.example", "127.0.0.1", "localhost", "[::1]",
    "[::ffff:127.0.0.1]", "127.1", "0x7f.1", "2130706433", "xn--pp-8cd.example", "\u0430pp.example", "app\u3002example",
    ":443", ":80", ":0", ":00443", ":65536", ":x", "user", "cb", "code=1", "x=1", ";", "+", "~", "|", "^", "\u00e9",
)  # fmt: skip
urls = st.lists(st.sampled_from(_URL_PIECES), min_size=1, max_size=9).map("".join) | st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["https", "http", "com.example.app"]),
    st.lists(st.sampled_from(_URL_PIECES), min_size=1, max_size=3).map("".join),
    st.sampled_from(["", "/", "/cb", ":8080/cb", "/a/b"]),
    st.lists(st.sampled_from(_URL_PIECES), max_size=3).map("".join),
)
_FORM_PIECES = (
    "client_id", "state", "scope", "a", "=", "==", "&", "&&", ";", "+", "%20", "%2B", "%26", "%3D", "%25", "%2525", "%",
    "%4", "%zz", "%c3%a9", "%ff", "%c0%af", "%ed%a0%80", "%ef%bb%bf", "%00", "%0d%0a", "[]", "[a]", "?", "#", " ",
    "\u00e9", "<",
)  # fmt: skip
forms = st.lists(st.sampled_from(_FORM_PIECES), max_size=10).map("".join)
_BASIC_PIECES = (
    "id",
    ":",
    "%3A",
    "%",
    "%2",
    "%zz",
    "+",
    "%2B",
    " ",
    "%20",
    "%00",
    "\u00e9",
    "%C3%A9",
    "%ff",
    "secret",
    "=",
)
basics = st.lists(st.sampled_from(_BASIC_PIECES), min_size=1, max_size=7).map("".join)


@repeatable
@given(text=urls)
def test_a_registered_uri_is_read_alike_by_everybody(whatwg: Whatwg, text: str) -> None:
    try:
        registered = RedirectUri.register(text)
    except InvalidRedirectUri:
        return
    theirs, ours = whatwg.read("url", text), urlsplit(text)
    assert theirs is not None
    assert theirs["protocol"] == ours.scheme + ":"
    assert (theirs["hash"], theirs["username"], theirs["password"]) == ("", "", "")
    assert (theirs["search"] or "?") == f"?{ours.query}"
    if ours.netloc:
        assert theirs["hostname"].strip("[]") == ours.hostname
        default = {"https": 443, "http": 80}.get(ours.scheme)
        assert (int(theirs["port"]) if theirs["port"] else default) == (ours.port or default)
        assert theirs["pathname"] == (ours.path or "/")
        # A browser goes where the string says: nothing was normalised but an explicit default port or an empty path.
        assert theirs["href"].split("/")[2].split(":")[0] == registered.value.split("/")[2].split(":")[0]


@repeatable
@given(text=urls)
def test_what_matches_a_loopback_uri_goes_to_this_computer(whatwg: Whatwg, text: str) -> None:
    for registered in ("http://127.0.0.1:5000/cb", "http://[::1]:5000/cb", "http://127.0.0.1/cb"):
        for presented in (text, f"http://127.0.0.1{text}", f"http://127.0.0.1:{text}/cb", f"http://[::1]{text}/cb"):
            if RedirectUri.register(registered).matches(presented):
                theirs = whatwg.read("url", presented)
                assert theirs is not None
                assert theirs["hostname"] == urlsplit(registered).netloc.rpartition(":5000")[0] or "127.0.0.1"
                assert theirs["pathname"] == "/cb"
                assert urlsplit(presented).hostname == urlsplit(registered).hostname


@repeatable
@given(text=forms)
def test_a_form_is_read_alike_by_everybody(whatwg: Whatwg, text: str) -> None:
    try:
        ours = list(Parameters.parse(text.encode()))
    except OAuthError:
        return
    assert ours == [tuple(pair) for pair in whatwg.read("form", text)]
    assert ours == parse_qsl(text, keep_blank_values=True)


@repeatable
@given(text=basics)
def test_basic_credentials_are_read_alike_by_everybody(whatwg: Whatwg, text: str) -> None:
    encoded = base64.b64encode(text.encode()).decode()
    try:
        ours = ClientCredentials.parse(f"Basic {encoded}", Parameters(()))
    except OAuthError:
        return
    theirs = whatwg.read("basic", encoded)
    assert theirs == [ours.client_id, ours.client_secret or ""]
    halves = text.partition(":")
    assert [unquote_plus(halves[0]), unquote_plus(halves[2])] == theirs


@settings(repeatable, max_examples=EXAMPLES_OVER_HTTP)
@given(url=urls, form=forms, basic=basics)
def test_the_running_server_never_fails_on_any_of_it(described: Server, url: str, form: str, basic: str) -> None:
    target = described.target
    encoded = base64.b64encode(basic.encode()).decode()
    body = form.encode()
    head = post_form(target.token, {}, {"Authorization": f"Basic {encoded}"})
    token = head.replace(b"Content-Length: 0", b"Content-Length: %d" % len(body)) + body
    client_id = target.clients["confidential"].client_id
    for request in (
        get_request(f"{target.authorize}?client_id={client_id}&redirect_uri={quote(url, safe='')}"),
        get_request(f"{target.authorize}?{quote(form, safe='=&%+;')}"),
        token,
    ):
        answer = send(target.nodes[0], request)
        assert answer.status_code == CLOSED or 300 <= answer.status_code < 500, request
