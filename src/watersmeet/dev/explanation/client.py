"""Clients: explanations of why one was not believed, or not served at all."""

from __future__ import annotations

from watersmeet.dev.case import Case, Explainers
from watersmeet.dev.credential import in_words
from watersmeet.dev.explanation.request import not_accepted
from watersmeet.oauth2 import errors
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy
from watersmeet.web.language import Sentence


def _unknown(case: Case, _cause: errors.UnknownClient) -> Sentence:
    return Sentence("no incoming link has the client_id {client_id}", client_id=case.shown("client_id"))


def _disabled(case: Case, _cause: errors.ClientDisabled) -> Sentence | None:
    return _not_served(case, case.client) if case.client else None


def _not_served(case: Case, client: Client) -> Sentence | None:
    if client.disabled_at is not None:
        span = in_words(case.now - client.disabled_at)
        return Sentence("an administrator disabled {client} {span} ago", client=client.name, span=span)
    if client.expires_at is not None and client.has_expired(case.now):
        span = in_words(case.now - client.expires_at)
        return Sentence("the last day of {client} was over {span} ago", client=client.name, span=span)
    return None


def _not_authenticated(case: Case, _cause: errors.InvalidClient) -> Sentence | None:
    sent = _credentials(case)
    if sent is None:
        return None
    client = case.client
    if client is None:
        return Sentence("no incoming link has the client_id {client_id}", client_id=sent.client_id)
    if client.is_proven_by(_digest(case, sent), case.now):
        return _not_served(case, client)
    return _wrong_secret(case, client, sent)


def _wrong_secret(case: Case, client: Client, sent: ClientCredentials) -> Sentence:
    if not client.confidential:
        return Sentence("{client} is public and has no secret, and one came", client=client.name)
    if sent.client_secret is None:
        return Sentence("no client_secret came, and {client} has one", client=client.name)
    digest = _digest(case, sent)
    for secret in client.secrets:
        if secret.digest == digest and secret.expires_at is not None:
            span = in_words(case.now - secret.expires_at)
            return Sentence(
                "the secret of {client} that came was rotated, and ended {span} ago", client=client.name, span=span
            )
    return Sentence("the secret that came is not that of {client}", client=client.name)


def _digest(case: Case, sent: ClientCredentials) -> str | None:
    return None if sent.client_secret is None else case.keys.digest(sent.client_secret)


def _credentials(case: Case) -> ClientCredentials | None:
    try:
        return ClientCredentials.parse(case.seen.authorization or None, Parameters(tuple(case.values.items())))
    except errors.OAuthError:
        return None


def _other_method(case: Case, _cause: errors.OtherClientAuthentication) -> Sentence | None:
    client, sent = case.client, _credentials(case)
    if client is None or client.authentication is None or sent is None:
        return None
    return Sentence(
        "the secret came by {came}; {client} is registered for {wanted}",
        came=sent.method, client=client.name, wanted=client.authentication,
    )  # fmt: skip


def _two_ways(case: Case, _cause: errors.TwoClientAuthentications) -> Sentence:
    sent = _credentials(case)
    if sent is None:
        return Sentence("the client named itself by HTTP Basic and by parameters, and the two differ")
    because = not_accepted(case, Legacy.TWO_AUTHENTICATIONS)
    return Sentence("the secret came by HTTP Basic and as a parameter, too; {because}", because=because)


def _may_not_introspect(case: Case, _cause: errors.IntrospectionNotAllowed) -> Sentence | None:
    if case.client is None:
        return None
    return Sentence("{client} is public, and introspection is for confidential clients", client=case.client.name)


EXPLAINERS: Explainers = {
    errors.UnknownClient: _unknown,
    errors.ClientDisabled: _disabled,
    errors.ClientExpired: _disabled,
    errors.OtherClientAuthentication: _other_method,
    errors.InvalidClient: _not_authenticated,
    errors.TwoClientAuthentications: _two_ways,
    errors.IntrospectionNotAllowed: _may_not_introspect,
}
