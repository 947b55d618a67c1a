"""Requests: explanations of what is wrong with the parameters themselves."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from watersmeet.confluence.scopes import Scope
from watersmeet.dev.case import Case, Explainers, clipped
from watersmeet.oauth2 import errors
from watersmeet.oauth2.profile import CREDENTIAL_PARAMETERS, Legacy, Profile
from watersmeet.web.forms import FORM_TYPE
from watersmeet.web.language import Sentence

# ---- parameters -------------------------------------------------------------------------------------------


def _missing(case: Case, cause: errors.MissingParameter) -> Sentence:
    came = ", ".join(case.names) or Sentence("none")
    return Sentence("{name} is missing or empty; the parameters that came: {came}", name=cause.parameter, came=came)


def _repeated(case: Case, cause: errors.RepeatedParameter) -> Sentence | None:
    count = case.count(cause.parameter)
    return Sentence("{name} came {count} times", name=cause.parameter, count=count) if count else None


def _unusable(case: Case, cause: errors.UntrustedRequest) -> Sentence | None:
    if case.count(cause.parameter) > 1:
        return _repeated(case, errors.RepeatedParameter(cause.parameter))
    return _missing(case, errors.MissingParameter(cause.parameter))


def _content_type(case: Case, _cause: errors.WrongContentType) -> Sentence:
    came = case.seen.content_type or Sentence("(none)")
    return Sentence("the Content-Type of the body must be {wanted}; it is {came}", wanted=FORM_TYPE, came=came)


def _method(case: Case, _cause: errors.WrongMethod) -> Sentence:
    return Sentence("this endpoint takes POST only; {method} came", method=case.seen.method)


def _unsupported(name: str, supported: str) -> Callable[[Case, errors.OAuthError], Sentence]:
    def explain(case: Case, _cause: errors.OAuthError) -> Sentence:
        return Sentence(
            "{name} is {came}; supported is {supported}", name=name, came=case.shown(name), supported=supported
        )

    return explain


def _target(case: Case, _cause: errors.InvalidTarget) -> Sentence:
    return Sentence("resource is {came}, which is not the URL of this server's API", came=case.shown("resource"))


# ---- what only some clients may do ------------------------------------------------------------------------


def not_accepted(case: Case, legacy: Legacy) -> Sentence:
    """Why something that is accepted of some clients is not accepted of this one."""
    client = case.client
    if client is None:
        return Sentence("this server does not accept that")
    if legacy is Legacy.NO_PKCE and not client.confidential:
        return Sentence("{client} is public, and nothing else would prove who exchanges the code", client=client.name)
    if client.profile is Profile.STRICT:
        return Sentence("{client} has the profile strict", client=client.name)
    if legacy in client.refuses:
        return Sentence("this was switched off for {client}", client=client.name)
    return Sentence("this server accepts that of nobody")


def _in_query(case: Case, _cause: errors.CredentialInQuery) -> Sentence:
    came = dict(parse_qsl(case.seen.query.decode("latin-1")))
    names = ", ".join(name for name in CREDENTIAL_PARAMETERS if name in came)
    because = not_accepted(case, Legacy.CREDENTIAL_IN_QUERY)
    return Sentence("{names} came in the URL, not in the body; {because}", names=names, because=because)


def _unprotected(case: Case, _cause: errors.NeitherStateNorChallenge) -> Sentence:
    because = not_accepted(case, Legacy.NEITHER_STATE_NOR_PKCE)
    return Sentence("neither state nor code_challenge came; {because}", because=because)


def _no_challenge(case: Case, _cause: errors.CodeChallengeRequired) -> Sentence:
    return Sentence("code_challenge is missing; {because}", because=not_accepted(case, Legacy.NO_PKCE))


def _weak_challenge(case: Case, _cause: errors.WeakCodeChallenge) -> Sentence:
    method = case.shown("code_challenge_method")
    if not method:
        because = not_accepted(case, Legacy.PLAIN_CHALLENGE)
        return Sentence("code_challenge_method is missing, which means plain; {because}", because=because)
    kind = Legacy.PLAIN_CHALLENGE if method.lower() == "plain" else Legacy.METHOD_SPELLING
    because = not_accepted(case, kind)
    return Sentence("code_challenge_method is {method}, not S256; {because}", method=method, because=because)


def _bad_challenge(case: Case, cause: errors.InvalidCodeChallenge) -> Sentence | None:
    challenge, said = case.values.get("code_challenge", ""), Sentence(cause.message.rstrip("."))
    if not challenge:
        return said
    return Sentence(
        "{said}; {length} characters came: {challenge}", said=said, length=len(challenge), challenge=clipped(challenge)
    )


def _no_scope(case: Case, _cause: errors.ScopeRequired) -> Sentence:
    return Sentence("scope is missing; {because}", because=not_accepted(case, Legacy.NO_SCOPE))


# ---- scopes -----------------------------------------------------------------------------------------------


def _unknown_scope(case: Case, _cause: errors.InvalidScope) -> Sentence:
    scopes, asked = list(Scope), case.values.get("scope", "")
    unknown = [name for name in asked.split(" ") if name not in scopes]
    if not any(unknown):
        return Sentence("scope names nothing; there are {scopes}", scopes=", ".join(scopes))
    shown = clipped(", ".join(unknown))
    if all(name.upper() in scopes for name in unknown):
        return Sentence("there is no scope {unknown}: scopes are written in capitals", unknown=shown)
    if any(separator in asked for separator in ",;+|"):
        return Sentence("there is no scope {unknown}: scopes are separated by spaces", unknown=shown)
    return Sentence("there is no scope {unknown}; there are {scopes}", unknown=shown, scopes=", ".join(scopes))


def _above_client(case: Case, _cause: errors.ScopeAboveClient) -> Sentence | None:
    client = case.client
    if client is None:
        return None
    return Sentence(
        "{asked} was asked for; {client} is registered for {scope}",
        asked=case.shown("scope"), client=client.name, scope=str(client.scope),
    )  # fmt: skip


def _above_grant(case: Case, _cause: errors.ScopeAboveGrant) -> Sentence | None:
    asked = case.shown("scope") or case.shown("granted_scope")
    granted = case.credential.granted if case.credential else None
    return Sentence("{asked} was asked for; the user granted {scope}", asked=asked, scope=granted) if granted else None


# ---- where answers go -------------------------------------------------------------------------------------


def _unregistered(case: Case, _cause: errors.UnregisteredRedirectUri) -> Sentence | None:
    if case.client is None:
        return None
    presented = case.values.get("redirect_uri", "")
    registered = [uri.value for uri in case.client.redirect_uris]
    nearest = min(registered, key=lambda uri: len(_differences(presented, uri)))
    return Sentence(
        "redirect_uri is {presented}; {client} registered {nearest}, which differs in: {parts}",
        presented=clipped(presented), client=case.client.name, nearest=nearest, parts=_differences(presented, nearest),
    )  # fmt: skip


def _differences(presented: str, registered: str) -> list[Sentence]:
    """The parts of a URL that are not the same to the letter."""
    try:
        ours, theirs = urlsplit(registered), urlsplit(presented)
        ports = ours.port, theirs.port
    except ValueError:
        return [Sentence("everything: it is not a URL")]
    slash = ours.path.rstrip("/") == theirs.path.rstrip("/")
    parts = [
        (ours.scheme == theirs.scheme, Sentence("the scheme")),
        (ours.hostname == theirs.hostname, Sentence("the host")),
        (ports[0] == ports[1], Sentence("the port")),
        (ours.path == theirs.path, Sentence("a slash at the end of the path") if slash else Sentence("the path")),
        (ours.query == theirs.query, Sentence("the query")),
        ("#" not in presented, Sentence("the fragment")),
    ]
    return [part for is_same, part in parts if not is_same] or [Sentence("upper and lower case")]


def _plain_http(case: Case, _cause: errors.PlainHttpRedirectUri) -> Sentence:
    return Sentence(
        "redirect_uri is {came}, plain http to another computer, while {name} is false",
        came=case.shown("redirect_uri"), name="atlassian.oauth2.provider.skip.redirect.url.https.requirement",
    )  # fmt: skip


EXPLAINERS: Explainers = {
    errors.MissingParameter: _missing,
    errors.RepeatedParameter: _repeated,
    errors.UnusableClientId: _unusable,
    errors.UnusableRedirectUri: _unusable,
    errors.WrongContentType: _content_type,
    errors.WrongMethod: _method,
    errors.UnsupportedResponseType: _unsupported("response_type", "code"),
    errors.UnsupportedResponseMode: _unsupported("response_mode", "query"),
    errors.UnsupportedGrantType: _unsupported("grant_type", "authorization_code, refresh_token"),
    errors.InvalidTarget: _target,
    errors.CredentialInQuery: _in_query,
    errors.NeitherStateNorChallenge: _unprotected,
    errors.CodeChallengeRequired: _no_challenge,
    errors.WeakCodeChallenge: _weak_challenge,
    errors.InvalidCodeChallenge: _bad_challenge,
    errors.ScopeRequired: _no_scope,
    errors.InvalidScope: _unknown_scope,
    errors.ScopeAboveClient: _above_client,
    errors.ScopeAboveGrant: _above_grant,
    errors.UnregisteredRedirectUri: _unregistered,
    errors.PlainHttpRedirectUri: _plain_http,
}
