"""Grants: explanations of what became of a code or token, and of what it does not reach."""

from __future__ import annotations

from watersmeet.confluence.scopes import Role, Scope
from watersmeet.dev.case import Case, Explainers, clipped
from watersmeet.dev.credential import NAMES, State
from watersmeet.oauth2 import errors
from watersmeet.oauth2.pkce import CodeChallengeMethod, is_well_formed_verifier, s256
from watersmeet.web.language import Sentence

# ---- codes and refresh tokens -----------------------------------------------------------------------------


def _story(case: Case, _cause: errors.OAuthError) -> Sentence | None:
    found = case.credential
    return found.story if found and found.state is not State.LIVE else None


def _unknown(case: Case, cause: errors.OAuthError) -> Sentence | None:
    found = case.credential
    if found is None or found.client is None or case.client is None or found.client.id == case.client.id:
        return _story(case, cause)
    return Sentence(
        "{name} was given to another client: to {owner}, not to {client}",
        name=NAMES[found.kind], owner=found.client.name, client=case.client.name,
    )  # fmt: skip


def _replayed(case: Case, _cause: errors.Replayed) -> Sentence | None:
    if case.credential is None:
        return None
    name = NAMES[case.credential.kind]
    return Sentence("{name} was used before, so everything that came of it has been revoked", name=name)


def _other_redirect(case: Case, _cause: errors.RedirectUriMismatch) -> Sentence | None:
    came, asked = case.shown("redirect_uri"), case.credential.authorization if case.credential else None
    if asked is not None:
        wanted = asked.redirect_uri.value
        return Sentence("redirect_uri is {came}; the code was issued for {wanted}", came=came, wanted=wanted)
    if case.client is None:
        return None
    return Sentence("redirect_uri is {came}, which {client} did not register", came=came, client=case.client.name)


def _other_verifier(case: Case, _cause: errors.VerifierMismatch) -> Sentence | None:
    asked, verifier = case.credential.authorization if case.credential else None, case.values.get("code_verifier")
    if asked is None or asked.challenge is None:
        return None
    if verifier is None:
        return Sentence("code_verifier is missing, and the code was asked for with a code_challenge")
    if verifier == asked.challenge.value and asked.challenge.method is CodeChallengeMethod.S256:
        return Sentence("code_verifier is the code_challenge; the text it was made from is wanted")
    if not is_well_formed_verifier(verifier):
        return Sentence(
            "code_verifier has {length} characters; 43 to 128 of A-Z a-z 0-9 - . _ ~ are wanted", length=len(verifier)
        )
    return Sentence(
        "code_verifier does not match: its S256 is {digest}, and the code_challenge was {challenge}",
        digest=s256(verifier), challenge=clipped(asked.challenge.value),
    )  # fmt: skip


def _stripped(_case: Case, _cause: errors.VerifierWithoutChallenge) -> Sentence:
    return Sentence("a code_verifier came, and the code was asked for without a code_challenge")


# ---- access tokens ----------------------------------------------------------------------------------------


def _no_token(case: Case, _cause: errors.TokenMissing) -> Sentence:
    if case.seen.authorization:
        scheme = case.seen.authorization.split(" ")[0][:20]
        return Sentence("the header Authorization says '{scheme}', not Bearer", scheme=scheme)
    if "access_token" in case.values:
        return Sentence("the access token came as a parameter, which is not read: send Authorization: Bearer")
    return Sentence("no access token came in the header Authorization: Bearer")


def _two_tokens(case: Case, _cause: errors.TokenAmbiguous) -> Sentence:
    if "access_token" in case.values:
        return Sentence("an access token came as a parameter, besides the header Authorization")
    return Sentence("more than one header Authorization came")


def _no_good(case: Case, cause: errors.TokenInvalid) -> Sentence | None:
    if cause.message != errors.TokenInvalid.description:
        return None  # it says something of its own
    return _story(case, cause)


def _too_little(case: Case, cause: errors.InsufficientScope) -> Sentence:
    found, needed = case.credential, cause.needed
    if found is None or found.scope is None:
        return Sentence(cause.message.rstrip("."))
    held = Sentence("this route needs {needed}; the token has {scope}", needed=needed, scope=found.scope)
    if needed not in Scope(found.scope.split()[-1]).as_set.implied:
        return held
    if found.role and needed not in Role(found.role).ceiling.implied:
        return Sentence(
            "{held}, but {user} may not do that, and an application never more than its user",
            held=held,
            user=found.user,
        )
    return Sentence("{held}, but the client is registered for less by now", held=held)


EXPLAINERS: Explainers = {
    errors.Replayed: _replayed,
    errors.CodeUnknown: _unknown,
    errors.CodeExpired: _story,
    errors.RefreshTokenUnknown: _unknown,
    errors.RefreshTokenExpired: _story,
    errors.GrantRevoked: _story,
    errors.RedirectUriMismatch: _other_redirect,
    errors.VerifierMismatch: _other_verifier,
    errors.VerifierWithoutChallenge: _stripped,
    errors.TokenMissing: _no_token,
    errors.TokenAmbiguous: _two_tokens,
    errors.TokenInvalid: _no_good,
    errors.InsufficientScope: _too_little,
}
