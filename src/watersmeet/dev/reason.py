"""Reasons: who sent a request, which rule it met, and why it was refused, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database import clients, users
from watersmeet.database.transaction import Transaction
from watersmeet.dev.credential import Credential, State, find_access_token, find_code, find_refresh_token
from watersmeet.dev.fault import Deed, Standing
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import (
    BearerRefused,
    CodeExpired,
    CodeUnknown,
    GrantRevoked,
    InsufficientScope,
    OAuthError,
    RefreshTokenExpired,
    RefreshTokenUnknown,
    Replayed,
    TokenInvalid,
    TokenMissing,
)
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Seen:
    """A request and its outcome, as far as they tell who sent it and why it was refused.

    ``path`` is below the context path; ``rule`` names the protected route, ``needed`` the scope it needs;
    ``allow`` is that header of the answer.
    """

    method: str
    path: str
    query: bytes
    authorization: str
    session: str | None
    form: bytes
    status: int | None
    cause: Exception | None
    allow: str
    struck: Sequence[Standing]
    rule: str | None
    needed: Scope | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out. ``detail`` is the private part of the cause, which the log has as well."""

    user: str | None = None
    client_id: str | None = None
    client_name: str | None = None
    scope: str | None = None
    rule: str | None = None
    why: str | None = None
    cause: str | None = None
    detail: str = ""
    credential: Credential | None = None


def examine(tx: Transaction, seen: Seen, keys: Keys, now: Instant) -> Finding:
    """Everything the database knows about a request that has just been answered."""
    parameters = dict(parse_qsl(f"{seen.query.decode('latin-1')}&{seen.form.decode('latin-1')}"))
    credential = _credential(tx, seen, parameters, keys, now)
    client_id = _named_client(seen, parameters)
    client = clients.find(tx, client_id) if client_id else credential.client if credential else None
    user = credential.user if credential else None
    if user is None and seen.session:
        signed_in = users.find_by_session(tx, keys.digest(seen.session), now)
        user = signed_in.username if signed_in else None
    return Finding(
        user=user,
        client_id=client.client_id if client else client_id,
        client_name=client.name if client else None,
        scope=credential.scope if credential else parameters.get("scope"),
        rule=f"{seen.rule} needs {seen.needed}" if seen.needed else None,
        why=_why(seen, credential),
        cause=type(seen.cause).__name__ if seen.cause else None,
        detail=getattr(seen.cause, "detail", "") if isinstance(seen.cause, WatersmeetError) else str(seen.cause or ""),
        credential=credential,
    )


def _credential(tx: Transaction, seen: Seen, parameters: dict[str, str], keys: Keys, now: Instant) -> Credential | None:
    scheme, _, token = seen.authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        return find_access_token(tx, token, keys, now)
    if seen.path.rstrip("/").endswith("/token"):
        if parameters.get("grant_type") == "refresh_token" and "refresh_token" in parameters:
            return _as_it_came(seen, find_refresh_token(tx, parameters["refresh_token"], keys, now))
        if "code" in parameters:
            return _as_it_came(seen, find_code(tx, parameters["code"], keys, now))
    return None


def _as_it_came(seen: Seen, credential: Credential) -> Credential:
    """Before the request was carried out, that is: if it succeeded, it was itself what spent the credential."""
    succeeded = seen.status is None or seen.status < 400
    if succeeded and credential.state is State.SPENT:
        return replace(credential, state=State.LIVE, story="was good, for this once")
    return credential


def _named_client(seen: Seen, parameters: dict[str, str]) -> str | None:
    """Whom a request names as its client, in a parameter or by HTTP Basic."""
    if "client_id" in parameters:
        return parameters["client_id"]
    try:
        return ClientCredentials.parse(seen.authorization or None, Parameters(())).client_id
    except OAuthError:
        return None


def _why(seen: Seen, credential: Credential | None) -> str | None:
    """The sentence, beginning with status and code; ``None`` when the request was not refused."""
    for standing in seen.struck:
        if standing.fault.do in _BY_FAULT:
            return f"{_status(seen)}: fault {standing.number} {_BY_FAULT[standing.fault.do]}"
    if seen.cause is None:
        if seen.status is not None and seen.status < 400:
            return None
        return f"{_status(seen)}: {_without_cause(seen)}"
    code = f" {seen.cause.code}" if isinstance(seen.cause, OAuthError) else ""
    code = "" if isinstance(seen.cause, BearerRefused) else code
    return f"{_status(seen)}{code}: {_sentence(seen, seen.cause, credential)}"


_BY_FAULT = {
    Deed.STATUS: "answered in its place; the request was not carried out",
    Deed.DROP_BEFORE: "cut the connection; the request was not carried out",
    Deed.DROP_AFTER: "cut the connection; the request was carried out, its answer was lost",
    Deed.CUT_BODY: "cut the connection half-way through the body; the request was carried out",
}


def _status(seen: Seen) -> str:
    return str(seen.status) if seen.status is not None else "No answer"


def _without_cause(seen: Seen) -> str:
    if seen.status == 405 and seen.allow:
        methods = {method.strip() for method in seen.allow.split(",")}
        return f"this path takes {' or '.join(sorted(methods - {'HEAD'}))}"
    if seen.path.rstrip("/").endswith("/login.action"):
        return "the user name or the password is wrong"
    if seen.status is None:
        return "the connection ended first"
    words = {404: "nothing is at this path", 421: "this server does not answer to that Host"}
    return words.get(seen.status, HTTPStatus(seen.status).phrase)


def _sentence(seen: Seen, cause: Exception, credential: Credential | None) -> str:
    match cause:
        case InsufficientScope():
            return _scope_sentence(cause, credential)
        case TokenMissing() if seen.authorization:
            return f"the header Authorization says {seen.authorization.split(' ')[0][:20]!r}, not Bearer"
        case TokenMissing():
            return "no access token came in the header Authorization: Bearer"
        case Replayed() if credential:
            return f"the {credential.kind} was used before, so everything that came of it has been revoked"
        case (
            TokenInvalid()
            | CodeUnknown()
            | CodeExpired()
            | RefreshTokenUnknown()
            | RefreshTokenExpired()
            | GrantRevoked()
        ):
            if credential and credential.state is not State.LIVE:
                return f"the {credential.kind} {credential.story}"
            if credential and isinstance(cause, CodeUnknown | RefreshTokenUnknown):
                return f"the {credential.kind} was given to another client"
    if isinstance(cause, WatersmeetError):
        return cause.description.rstrip(".") + (f" ({cause.detail})" if cause.detail else "")
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def _scope_sentence(cause: InsufficientScope, credential: Credential | None) -> str:
    needed = cause.needed
    if credential is None or credential.scope is None:
        return cause.description.rstrip(".")
    granted = Scope(credential.scope.split()[-1]).as_set
    held = f"this route needs {needed}; the token has {credential.scope}"
    if needed not in granted.implied:
        return held
    if credential.role and needed not in Role(credential.role).ceiling.implied:
        return f"{held}, but {credential.user} may not do that, and an application never more than its user"
    return f"{held}, but the client is registered for less by now"
