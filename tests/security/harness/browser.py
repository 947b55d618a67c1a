"""A browser over plain HTTP: cookies, forms, redirects until one leaves the server."""

from __future__ import annotations

import itertools
import socket
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from lxml import html

from tests.security.harness.target import Target, User

_addresses = (f"127.{a}.{b}.{c}" for a, b, c in itertools.product(range(1, 255), range(1, 255), range(2, 255)))
_TIMEOUT = 60  # seconds; far above anything a healthy server needs


@lru_cache(maxsize=1)
def _has_many_addresses() -> bool:
    """Whether all of 127.0.0.0/8 is this computer, as on Linux; elsewhere only 127.0.0.1 is."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.254.254.254", 0))
        except OSError:
            return False
    return True


def new_address() -> str:
    """A loopback address nobody has used yet: to a server that throttles by address, a stranger."""
    return next(_addresses) if _has_many_addresses() else "127.0.0.1"


def http_client(target: Target, address: str | None = None, **options: Any) -> httpx.Client:
    """An HTTP client with an address of its own that follows no redirects and keeps its cookies."""
    is_local = target.origin.startswith("http://127.0.0.1")
    transport: httpx.BaseTransport
    if target.behind:
        transport = _Proxy(target, address or new_address())
    else:
        transport = httpx.HTTPTransport(verify=False, local_address=(address or new_address()) if is_local else None)
    return httpx.Client(transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=False, **options)


class _Proxy(httpx.HTTPTransport):
    """The proxy in front of a server: it ends TLS, and says who asked and how."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(local_address="127.0.0.1")
        self._behind, self._address = target.behind, address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host, _, port = self._behind.rpartition(":")
        said = {
            "X-Forwarded-For": self._address, "Forwarded": f"for={self._address}",
            "X-Forwarded-Proto": request.url.scheme,
        }  # fmt: skip
        for name, value in said.items():
            request.headers.setdefault(name, value)
        onward = httpx.Request(
            request.method,
            request.url.copy_with(scheme="http", host=host, port=int(port)),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(onward)


class Browser:
    """Somebody's browser."""

    def __init__(self, target: Target, address: str | None = None, **options: Any) -> None:
        self.target = target
        self.http = http_client(target, address, **options)

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Open an address; a path is one of the server's."""
        return self.http.get(self._absolute(url), **options)

    def cookies_for(self, url: str) -> dict[str, str]:
        """The header that carries this browser's cookies to an address."""
        request = self.http.build_request("GET", url.partition("?")[0])
        return {"Cookie": request.headers["cookie"]} if "cookie" in request.headers else {}

    def _absolute(self, url: str) -> str:
        return self.target.issuer + url if url.startswith("/") else url

    def follow(self, response: httpx.Response) -> httpx.Response:
        """The first answer that is no redirect, or that leaves the server."""
        for _ in range(20):
            if not response.is_redirect:
                return response
            onward = urljoin(str(response.url), response.headers["location"])
            if not (onward + "/").startswith(self.target.origin + "/"):
                return response
            response = self.http.get(onward)
        raise AssertionError("redirected in circles")

    def form(self, page: httpx.Response, name: str, value: str | None = None) -> dict[str, str] | None:
        """The fields of the form that has a field of that name (and value); its address is under ``""``."""
        if not page.headers.get("content-type", "").startswith("text/html") or not page.content:
            return None
        for form in html.fromstring(page.content).xpath("//form"):
            for field in form.xpath(".//*[@name=$name]", name=name):
                if value is None or field.get("value") == value:
                    empty = form.xpath(".//input[@type='password' or @type='text' or not(@type)]/@name")
                    fields = dict.fromkeys(map(str, empty), "") | {key: text or "" for key, text in form.form_values()}
                    return {"": urljoin(str(page.url), form.get("action") or str(page.url)), **fields}
        return None

    def post(self, form: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a form."""
        fields = dict(form)
        return self.http.post(fields.pop(""), data=fields, headers=headers)

    def sign_in(self, page: httpx.Response, user: User) -> httpx.Response:
        """Fill in the sign-in form of a page."""
        names = self.target.forms
        form = self.form(page, names.password)
        assert form is not None, f"no sign-in form at {page.url} ({page.status_code})"
        return self.post({**form, names.username: user.username, names.password: user.password})

    def question(self, page: httpx.Response) -> dict[str, str] | None:
        """The consent form of a page."""
        return self.form(page, *self.target.forms.allow)

    def answer(self, form: dict[str, str], *, allow: bool = True, password: str = "") -> httpx.Response:
        """Answer the consent question; some ask for the password again."""
        choice = self.target.forms.allow if allow else self.target.forms.deny
        if choice is None:
            pytest.skip("the target's description does not say how to refuse consent")
        name = self.target.forms.password
        return self.follow(self.post({**form, **dict([choice]), **({name: password} if name in form else {})}))

    def ask(self, url: str, user: User) -> httpx.Response:
        """Open an authorization request and sign in if that is asked: the consent page, or wherever it ended."""
        return self.signing_in(self.get(url), user)

    def signing_in(self, page: httpx.Response, user: User) -> httpx.Response:
        """Where a page leads, by way of the sign-in form if that comes first."""
        page = self.follow(page)
        if self.form(page, self.target.forms.password) and not self.question(page):
            page = self.follow(self.sign_in(page, user))
        return page

    def authorize(self, url: str, user: User, *, allow: bool = True) -> httpx.Response:
        """Open an authorization request, sign in, answer: the redirect to the client, or wherever it ended."""
        page = self.ask(url, user)
        form = self.question(page)
        return self.answer(form, allow=allow, password=user.password) if form else page
