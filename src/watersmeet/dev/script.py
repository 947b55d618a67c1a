"""Scripts: a test under construction, from what comes before a request to what is expected of it."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from watersmeet import demo
from watersmeet.dev.credential import Credential, Kind, State
from watersmeet.dev.curl import context_path, copied_headers
from watersmeet.dev.fault import Deed
from watersmeet.dev.literal import call, json_literal, pairs, quoted, written
from watersmeet.dev.record import Record
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Profile

_FORM = "application/x-www-form-urlencoded"

# What a test writes in place of a recorded value.
_MADE = {
    "refresh_token": "tokens.refresh_token",
    "code": "granted.code",
    "code_verifier": "granted.verifier",
    "client_id": "client.client_id",
    "client_secret": "client.client_secret",
}


def parties(record: Record) -> list[Client]:
    """The clients that a test needs: the one that asked, and the one that the credential was given to."""
    finding = record.finding
    both = [finding.client, finding.credential.client if finding.credential else None]
    return [client for client in both if client is not None]


@dataclass
class RequestScript:
    """The test under construction: what comes before the request, the request, what is expected."""

    record: Record
    base_url: str

    def text(self) -> str:
        """The whole module."""
        record, body = self.record, [*self._clients(), *self._credential(), *self._time(), *self._faults()]
        expected = self._expected()
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
        lines = ["import http.client"] if "http.client." in body else []
        lines += ["from datetime import timedelta"] if "timedelta(" in body else []
        if names := [name for name in ("parse_qs", "urlencode", "urlsplit") if f"{name}(" in body]:
            lines += [f"from urllib.parse import {', '.join(names)}"]
        lines = ["", *lines] if lines else []
        if "pytest." in body:
            lines += ["", "import pytest"]
        return lines

    def _name(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "_", f"{self.record.method} {self.record.path}".lower()).strip("_")
        return f"{words[:60]}_is_answered_{self.record.status or 'not_at_all'}"

    # ---- what comes before --------------------------------------------------------------------------------

    @property
    def _client(self) -> Client | None:
        """The client that asked, unless it is the demo's own, which needs no word."""
        return _unless_demo(self.record.finding.client)

    @property
    def _owner(self) -> Client | None:
        """The client that the credential was given to, if that is a third one."""
        credential, client = self.record.finding.credential, self.record.finding.client
        owner = credential.client if credential else None
        return None if owner and client and owner.id == client.id else _unless_demo(owner)

    def _clients(self) -> list[str]:
        named = (("client", self._client), ("owner", self._owner))
        return [f"{name} = {self._registering(client)}" for name, client in named if client is not None]

    def _registering(self, client: Client) -> str:
        uris = ", ".join(self._own(uri.value) for uri in client.redirect_uris)
        arguments = [quoted(client.name), f"[{uris}]", f"scope={quoted(str(client.scope))}"]
        arguments += [] if client.confidential else ["public=True"]
        arguments += [f"profile={quoted(client.profile.value)}"] if client.profile is Profile.STRICT else []
        if client.has_expired(self.record.at):
            arguments.append("last_day=(watersmeet_server.now() + timedelta(days=1)).date()")
        return call("watersmeet_server.register", arguments)

    def _time(self) -> list[str]:
        """The last day of a client passes."""
        if any(client.has_expired(self.record.at) for client in parties(self.record)):
            return ["watersmeet_server.advance(timedelta(days=2))"]
        return []

    def _credential(self) -> list[str]:
        credential = self.record.finding.credential
        if credential is None or credential.user is None:
            return []
        who = f"user={quoted(credential.user)}, scope={quoted(credential.scope or '')}"
        if credential.kind is Kind.PERSONAL_TOKEN:
            return self._personal_token(credential)
        owner = "owner" if self._owner else "client" if _unless_demo(credential.client) else ""
        who, also = (f"{owner}, {who}", f", {owner}") if owner else (who, "")
        if credential.kind is Kind.CODE:
            return self._code(credential, who)
        lines = [f"tokens = watersmeet_server.authorize({who})"]
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

    def _personal_token(self, credential: Credential) -> list[str]:
        """A token that the user makes, by the password; expired after a day."""
        user, wanted = credential.user or "", f'"name": "recorded", "scope": {quoted(credential.scope or "")}'
        proof = base64.b64encode(f"{user}:{user}".encode()).decode()
        arguments = [
            '"POST"',
            '"/rest/pat/latest/tokens"',
            f'json={{{wanted}, "expirationDuration": 1}}',
            f'headers={{"Authorization": "Basic {proof}"}}',
        ]
        lines = [
            f"made = {call('watersmeet_server.request', arguments)}",
            'bearer = {"Authorization": "Bearer " + made.json()["rawToken"]}',
        ]
        return [*lines, "watersmeet_server.advance(86_401)"] if credential.state is State.EXPIRED else lines

    def _code(self, credential: Credential, who: str) -> list[str]:
        asked = credential.authorization
        where = self._own(asked.redirect_uri.value if asked else "")
        lines = [f"granted = watersmeet_server.code({who}, redirect_uri={where}, pkce={_has_challenge(credential)})"]
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
        if body.body and body.header("content-type").startswith(_FORM) and self._is_plain_form(body.text):
            arguments.append(f"form={self._fields(body.text)}")
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
            made = "bearer" if credential.kind is Kind.PERSONAL_TOKEN else "tokens.headers"
            return f"{{**{made}, {pairs(plain)}}}" if plain else made
        return f"{{{pairs(plain)}}}" if plain else ""

    def _is_plain_form(self, text: str) -> bool:
        """Whether a form can be written as a dictionary, and comes out the same."""
        fields = parse_qsl(text, keep_blank_values=True)
        return not self._is_malformed and len(dict(fields)) == len(fields)

    @property
    def _is_malformed(self) -> bool:
        """Whether the parameters must stay as they came, letter by letter: what is wrong is how they are written."""
        return self.record.finding.cause == "MalformedParameters"

    def _fields(self, encoded: str) -> str:
        """The fields of a query or form: a dictionary, or pairs where a name comes twice."""
        fields = parse_qsl(encoded, keep_blank_values=True)
        if len(dict(fields)) == len(fields):
            return "{" + ", ".join(f"{quoted(name)}: {self._value(name, value)}" for name, value in fields) + "}"
        return "[" + ", ".join(f"({quoted(name)}, {self._value(name, value)})" for name, value in fields) + "]"

    def _with_secrets(self, target: str) -> str:
        """A path whose query may carry credentials, as an expression."""
        path, mark, query = target.partition("?")
        fields = parse_qsl(query, keep_blank_values=True)
        if self._is_malformed or all(self._value(name, value) == quoted(value) for name, value in fields):
            return quoted(target)
        return f"{quoted(path + mark)} + urlencode({self._fields(query)})"

    def _value(self, name: str, value: str) -> str:
        """The expression for a parameter: what the test has made itself, or the text that was sent."""
        return _MADE[name] if name in self._made() else self._own(value)

    def _made(self) -> set[str]:
        """The parameters whose values the test makes itself; what was wrong with the request stays wrong."""
        made, finding = set(), self.record.finding
        credential = finding.credential
        if credential is not None and credential.user is not None:
            if credential.kind is Kind.REFRESH_TOKEN:
                made.add("refresh_token")
            elif credential.kind is Kind.CODE:
                made.add("code")
                if _has_challenge(credential) and finding.cause != "VerifierMismatch":
                    made.add("code_verifier")
        if self._client:
            made.add("client_id")
            if finding.cause != "InvalidClient" or self._client.has_expired(self.record.at):
                made.add("client_secret")
        return made

    def _own(self, value: str) -> str:
        """A text in which this server's address becomes that of the server under test."""
        if value.startswith(self.base_url):
            return f"watersmeet_server.base_url + {quoted(value.removeprefix(self.base_url))}"
        return quoted(value)

    # ---- what is expected ---------------------------------------------------------------------------------

    def _expected(self) -> list[str]:
        """The request, and what becomes of it."""
        sending = self._sending()
        if self.record.status is None or any(fault.do is Deed.CUT_BODY for fault in self.record.faults):
            sending = textwrap.indent(sending.removeprefix("answer = "), "    ")
            return ["with pytest.raises((ConnectionError, http.client.IncompleteRead)):", sending]
        return [sending, f"assert answer.status == {self.record.status}", *self._expected_error()]

    def _expected_error(self) -> list[str]:
        if self.record.status == 200 or "json" not in self.record.response.header("content-type"):
            return []
        try:
            error = json.loads(self.record.response.body).get("error")
        except (ValueError, AttributeError):
            return []
        return [f'assert answer.json()["error"] == {quoted(error)}'] if error else []


class AnswerScript(RequestScript):
    """The test of an authorization whose answer reached the client: somebody signs in, and presses a button."""

    def _name(self) -> str:
        told = self._answer().get("error", "a code")
        return f"authorize_is_answered_with_{re.sub(r'[^a-z]+', '_', told)}"

    def _expected(self) -> list[str]:
        path = self._path if self._path.rstrip("/").endswith("/authorize") else "/rest/oauth2/latest/authorize"
        button = "deny" if self.record.finding.cause == "AccessDenied" else "allow"
        answer = self._answer()
        lines = [
            f"asked = {self._fields(self.record.query)}",
            f"url = watersmeet_server.base_url + {quoted(path + '?')} + urlencode(asked)",
            f"callback = watersmeet_server.{button}(url, user={quoted(self.record.finding.user or '')})",
            "answer = parse_qs(urlsplit(callback).query)",
        ]
        if "error" not in answer:
            return [*lines, 'assert "code" in answer']
        return [*lines, f'assert answer["error"] == [{quoted(answer["error"])}]']

    def _answer(self) -> dict[str, str]:
        """The parameters that the client was sent."""
        return dict(parse_qsl(urlsplit(self.record.response.header("location")).query))


def _unless_demo(client: Client | None) -> Client | None:
    return None if client is None or client.client_id == demo.CLIENT_ID else client


def _has_challenge(credential: Credential) -> bool:
    return credential.authorization is not None and credential.authorization.challenge is not None
