"""Reasons: who sent a request, which rule it met, and why it was refused, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl

from watersmeet.clock import Instant
from watersmeet.database import clients, users
from watersmeet.database.transaction import Transaction
from watersmeet.dev.case import Case, Seen, verbatim
from watersmeet.dev.credential import Credential, State, find_access_token, find_code, find_refresh_token
from watersmeet.dev.explanation import explain
from watersmeet.dev.fault import Deed
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.errors import BearerRefused, OAuthError
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters
from watersmeet.web.language import Sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out. ``detail`` is the private part of the cause, which the log has as well.

    ``client_id`` is the one that the request names, or that its credential belongs to; ``client`` is there if it is
    registered.
    """

    user: str | None = None
    client_id: str | None = None
    client: Client | None = None
    scope: str | None = None
    rule: Sentence | None = None
    why: Sentence | None = None
    cause: str | None = None
    detail: str = ""
    credential: Credential | None = None

    @property
    def client_name(self) -> str | None:
        """The client's name, if it is registered."""
        return self.client.name if self.client else None


def examine(tx: Transaction, seen: Seen, keys: Keys, now: Instant) -> Finding:
    """Everything the database knows about a request that has just been answered."""
    parameters = parse_qsl(f"{seen.query.decode('latin-1')}&{seen.form.decode('latin-1')}", keep_blank_values=True)
    values = {name: value for name, value in parameters if value}
    credential = _credential(tx, seen, values, keys, now)
    client_id = _named_client(seen, values)
    client = clients.find(tx, client_id) if client_id else credential.client if credential else None
    user = credential.user if credential else None
    if user is None and seen.session:
        signed_in = users.find_by_session(tx, keys.digest(seen.session), now)
        user = signed_in.username if signed_in else None
    case = Case(tx, keys, now, seen, parameters, values, client_id, client, credential, user)
    return Finding(
        user=user,
        client_id=client.client_id if client else client_id,
        client=client,
        scope=credential.scope if credential else values.get("scope"),
        rule=Sentence("{route} needs {scope}", route=seen.rule, scope=seen.needed) if seen.needed else None,
        why=_why(case),
        cause=type(seen.cause).__name__ if seen.cause else None,
        detail=getattr(seen.cause, "detail", "") if isinstance(seen.cause, WatersmeetError) else str(seen.cause or ""),
        credential=credential,
    )


def _credential(tx: Transaction, seen: Seen, values: dict[str, str], keys: Keys, now: Instant) -> Credential | None:
    scheme, _, token = seen.authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        return find_access_token(tx, token, keys, now)
    if seen.path.rstrip("/").endswith("/token"):
        if values.get("grant_type") == "refresh_token" and "refresh_token" in values:
            return _as_it_came(seen, find_refresh_token(tx, values["refresh_token"], keys, now))
        if "code" in values:
            return _as_it_came(seen, find_code(tx, values["code"], keys, now))
    return None


def _as_it_came(seen: Seen, credential: Credential) -> Credential:
    """Before the request was carried out, that is: if it succeeded, it was itself what spent the credential."""
    succeeded = seen.status is None or seen.status < 400
    if succeeded and credential.state is State.SPENT:
        return replace(credential, state=State.LIVE, story=Sentence("It was good, for this once"))
    return credential


def _named_client(seen: Seen, values: dict[str, str]) -> str | None:
    """Whom a request names as its client, in a parameter or by HTTP Basic."""
    if "client_id" in values:
        return values["client_id"]
    try:
        return ClientCredentials.parse(seen.authorization or None, Parameters(())).client_id
    except OAuthError:
        return None


_BY_FAULT = {
    Deed.STATUS: Sentence("answered in its place; the request was not carried out"),
    Deed.DROP_BEFORE: Sentence("cut the connection; the request was not carried out"),
    Deed.DROP_AFTER: Sentence("cut the connection; the request was carried out, its answer was lost"),
    Deed.CUT_BODY: Sentence("cut the connection half-way through the body; the request was carried out"),
}


def _why(case: Case) -> Sentence | None:
    """The sentence, beginning with status and code; ``None`` when the request was not refused."""
    seen, cause = case.seen, case.seen.cause
    status = seen.status if seen.status is not None else Sentence("No answer")
    for standing in seen.struck:
        if standing.fault.do in _BY_FAULT:
            deed = _BY_FAULT[standing.fault.do]
            return Sentence("{status}: fault {number} {deed}", status=status, number=standing.number, deed=deed)
    if cause is None:
        if seen.status is not None and seen.status < 400:
            return None
        return Sentence("{status}: {reason}", status=status, reason=_without_cause(case))
    if isinstance(cause, OAuthError) and not isinstance(cause, BearerRefused):
        return Sentence("{status} {code}: {reason}", status=status, code=cause.code, reason=explain(case, cause))
    return Sentence("{status}: {reason}", status=status, reason=explain(case, cause))


def _without_cause(case: Case) -> Sentence:
    seen = case.seen
    if seen.status == 405 and seen.allow:
        methods = sorted({method.strip() for method in seen.allow.split(",")} - {"HEAD"})
        return Sentence("this path takes {methods}", methods=", ".join(methods))
    if seen.path.rstrip("/").endswith("/login.action"):
        return _failed_sign_in(case)
    if seen.status is None:
        return Sentence("the connection ended first")
    if seen.status == 421:
        return Sentence("this server does not answer to the Host {host}", host=seen.host)
    if seen.status == 404 and seen.path.startswith("/wiki/"):
        return Sentence("nothing is at this path: /wiki is Confluence Cloud's, here it is {path}", path=seen.path[5:])
    if seen.status == 404 and seen.base_path and not seen.is_below_base:
        return Sentence("nothing is at this path: all of this server is below {path}", path=seen.base_path)
    if seen.status == 404:
        return Sentence("nothing is at this path")
    return verbatim(HTTPStatus(seen.status).phrase)


def _failed_sign_in(case: Case) -> Sentence:
    username = case.values.get("username", "")
    user = users.find_by_name(case.tx, username)
    if user is None:
        return Sentence("there is no user {name}", name=username or "''")
    return Sentence("the password of {name} is wrong, or the user is disabled", name=username)
