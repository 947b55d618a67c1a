"""Replays: a recorded request as a pytest module that is complete and runs.

The test carries no credentials: it makes its own, brings them into the state they were in (expired, spent, revoked),
and expects the answer that was seen.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from urllib.parse import parse_qsl

from watersmeet import demo
from watersmeet.dev.credential import Credential, Kind, State
from watersmeet.dev.curl import context_path, copied_headers
from watersmeet.dev.fault import Deed
from watersmeet.dev.literal import call, json_literal, pairs, quoted, written
from watersmeet.dev.record import Record
from watersmeet.oauth2.client import Client

_FORM = "application/x-www-form-urlencoded"

# What a test writes in place of a recorded value.
_MADE = {
    "refresh_token": "tokens.refresh_token",
    "code": "granted.code",
    "code_verifier": "granted.verifier",
    "client_id": "client.client_id",
    "client_secret": "client.client_secret",
}


def as_test(record: Record, base_url: str) -> str | None:
    """A module of one test for the fixture ``watersmeet_server``; ``None`` for what only a browser can do."""
    if record.request.is_truncated or (record.request.header("cookie") and record.finding.credential is None):
        return None
    return _Test(record, base_url).text()


@dataclass
class _Test:
    """The test under construction: what comes before the request, the request, what is expected."""

    record: Record
    base_url: str

    def text(self) -> str:
        """The whole module."""
        record, body = self.record, [*self._clients(), *self._credential(), *self._faults()]
        sending = self._sending()
        if record.status is None or any(fault.do is Deed.CUT_BODY for fault in record.faults):
            sending = textwrap.indent(sending.removeprefix("answer = "), "    ")
            expected = ["with pytest.raises((ConnectionError, http.client.IncompleteRead)):", sending]
        else:
            expected = [sending, f"assert answer.status == {record.status}", *self._expected_error()]
        escaped = quoted(record.path)[1:-1]
        lines = [
            f'"""{record.method} {escaped}, as the inspector of `watersmeet dev` recorded it."""',
            *self._imports("\n".join([*body, *expected])),
            "",
            "",
            f"def test_{self._name()}(watersmeet_server):",
            textwrap.indent("\n".join([*body, *expected]), "    "),
        ]
        return "\n".join(lines) + "\n"

    @staticmethod
    def _imports(body: str) -> list[str]:
        lines = []
        if "http.client." in body:
            lines += ["", "import http.client"]
        if "urlencode(" in body:
            lines += [*([] if lines else [""]), "from urllib.parse import urlencode"]
        if "pytest." in body:
            lines += ["", "import pytest"]
        return lines

    def _name(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "_", f"{self.record.method} {self.record.path}".lower()).strip("_")
        return f"{words[:60]}_is_answered_{self.record.status or 'not_at_all'}"

    # ---- what comes before --------------------------------------------------------------------------------

    @property
    def _own_client(self) -> Client | None:
        """The client whose credential was presented, unless it is the demo's own, which needs no word."""
        client = self.record.finding.credential.client if self.record.finding.credential else None
        return None if client is None or client.client_id == demo.CLIENT_ID else client

    def _clients(self) -> list[str]:
        client = self._own_client
        if client is None:
            return []
        uris = ", ".join(quoted(uri.value) for uri in client.redirect_uris)
        arguments = [quoted(client.name), f"[{uris}]", f"scope={quoted(str(client.scope))}"]
        arguments += [] if client.confidential else ["public=True"]
        return [f"client = {call('watersmeet_server.register', arguments)}"]

    def _credential(self) -> list[str]:
        credential = self.record.finding.credential
        if credential is None or credential.user is None:
            return []
        who = f"user={quoted(credential.user)}, scope={quoted(credential.scope or '')}"
        who = f"client, {who}" if self._own_client else who
        if credential.kind is Kind.CODE:
            return self._code(credential, who)
        lines = [f"tokens = watersmeet_server.authorize({who})"]
        also = ", client" if self._own_client else ""
        match credential.state:
            case State.EXPIRED if credential.kind is Kind.ACCESS_TOKEN:
                lines.append("watersmeet_server.advance(tokens.expires_in + 1)")
            case State.EXPIRED:
                lines.append("watersmeet_server.advance(91 * 86_400)")
            case State.SPENT:
                lines.append(f"watersmeet_server.refresh(tokens{also})")
            case State.REVOKED if credential.kind is Kind.REFRESH_TOKEN and self.record.finding.cause == "Replayed":
                lines.append(f"watersmeet_server.refresh(tokens{also})")
            case State.REVOKED:
                lines.append(f"watersmeet_server.revoke(tokens{also})")
        return lines

    def _code(self, credential: Credential, who: str) -> list[str]:
        where = self._own(credential.redirect_uri or "")
        lines = [
            f"granted = watersmeet_server.code({who}, redirect_uri={where}, pkce={credential.has_challenge})",
        ]
        if credential.state is State.EXPIRED:
            lines.append("watersmeet_server.advance(3600)")
        if credential.state is State.SPENT:
            lines.append(f"{self._sending().removeprefix('answer = ')}  # the first time it works")
        return lines

    def _faults(self) -> list[str]:
        lines = []
        for fault in self.record.faults:
            rule: dict[str, str | int | None] = {"path": self._path, "times": 1}
            if fault.do is Deed.STATUS:
                rule |= {"status": fault.status, "retry_after": fault.retry_after, "body": fault.body}
                rule |= {"content_type": fault.content_type} if fault.body is not None else {}
            fields = [f"{name}={written(value)}" for name, value in rule.items() if value is not None]
            lines.append(call("watersmeet_server.fault", [quoted(fault.do), *fields]))
        return lines

    # ---- the request --------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return self.record.path.removeprefix(context_path(self.base_url))

    def _sending(self) -> str:
        target = self.record.target.removeprefix(context_path(self.base_url))
        arguments = [quoted(self.record.method), self._with_secrets(target)]
        headers = [(name, value) for name, value in copied_headers(self.record) if name != "accept" or value != "*/*"]
        body = self.record.request
        if body.body and body.header("content-type").startswith(_FORM):
            arguments.append(f"form={self._form(body.text)}")
            headers = [(name, value) for name, value in headers if name != "content-type"]
        elif body.body and (literal := json_literal(body.text)) and body.header("content-type") == "application/json":
            arguments.append(f"json={literal}")
            headers = [(name, value) for name, value in headers if name != "content-type"]
        elif body.body:
            arguments.append(f"body={quoted(body.text)}")
        if written := self._written_headers(headers):
            arguments.append(f"headers={written}")
        return f"answer = {call('watersmeet_server.request', arguments)}"

    def _written_headers(self, headers: list[tuple[str, str]]) -> str:
        credential, plain = self.record.finding.credential, dict(headers)
        is_bearer = plain.get("authorization", "").lower().startswith("bearer ")
        if is_bearer and credential is not None and credential.user is not None:
            del plain["authorization"]
            if not plain:
                return "tokens.headers"
            return f"{{**tokens.headers, {pairs(plain)}}}"
        return f"{{{pairs(plain)}}}" if plain else ""

    def _form(self, text: str) -> str:
        fields = parse_qsl(text, keep_blank_values=True)
        return "{" + ", ".join(f"{quoted(name)}: {self._value(name, value)}" for name, value in fields) + "}"

    def _with_secrets(self, target: str) -> str:
        """A path whose query may carry credentials, as an expression."""
        path, mark, query = target.partition("?")
        fields = parse_qsl(query, keep_blank_values=True)
        if not any(self._value(name, value) != quoted(value) for name, value in fields):
            return quoted(target)
        pairs = ", ".join(f"{quoted(name)}: {self._value(name, value)}" for name, value in fields)
        return f"{quoted(path + mark)} + urlencode({{{pairs}}})"

    def _value(self, name: str, value: str) -> str:
        """The expression for a parameter: what the test has made itself, or the text that was sent."""
        credential = self.record.finding.credential
        if credential is not None and credential.user is not None and name in self._made(credential):
            return _MADE[name]
        return self._own(value)

    def _made(self, credential: Credential) -> set[str]:
        """The parameters whose values the test makes itself; what was wrong with the request stays wrong."""
        made, cause = set(), self.record.finding.cause
        if credential.kind is Kind.REFRESH_TOKEN:
            made.add("refresh_token")
        elif credential.kind is Kind.CODE:
            made.add("code")
            if credential.has_challenge and cause != "VerifierMismatch":
                made.add("code_verifier")
        if self._own_client and self.record.finding.client_id == self._own_client.client_id:
            made.add("client_id")
            if cause != "InvalidClient":
                made.add("client_secret")
        return made

    def _own(self, value: str) -> str:
        """A text in which this server's address becomes that of the server under test."""
        if value.startswith(self.base_url):
            return f"watersmeet_server.base_url + {quoted(value.removeprefix(self.base_url))}"
        return quoted(value)

    # ---- what is expected ---------------------------------------------------------------------------------

    def _expected_error(self) -> list[str]:
        if self.record.status == 200 or "json" not in self.record.response.header("content-type"):
            return []
        try:
            error = json.loads(self.record.response.body).get("error")
        except (ValueError, AttributeError):
            return []
        return [f'assert answer.json()["error"] == {quoted(error)}'] if error else []
