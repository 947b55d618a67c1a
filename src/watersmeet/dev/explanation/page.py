"""Pages: explanations of refusals that a person meets."""

from __future__ import annotations

from watersmeet.authorize.decide import NoOpenQuestion
from watersmeet.database import authorizations, users
from watersmeet.dev.case import Case, Explainers
from watersmeet.dev.credential import in_words
from watersmeet.oauth2 import errors
from watersmeet.oauth2.authorization import AuthorizationStatus
from watersmeet.users.http import NotAnAdministrator
from watersmeet.web.csrf import CrossSitePost
from watersmeet.web.forms import UnreadableForm
from watersmeet.web.language import Sentence


def _denied(case: Case, _cause: errors.AccessDenied) -> Sentence:
    return Sentence("{user} pressed Deny", user=case.user or Sentence("the user"))


def _not_open(case: Case, cause: NoOpenQuestion) -> Sentence:
    """Which of the four that the page names: it says the same for each, so that nobody learns of others' questions."""
    if case.user is None:
        return Sentence("nobody is signed in in this browser any more")
    if case.seen.method == "GET":
        return _never_asked(cause)
    asked = authorizations.find(case.tx, case.values.get("authorization", ""))
    if asked is None:
        return Sentence("there is no such question: everything was reset, or it is long over")
    if asked.status is not AuthorizationStatus.PENDING:
        denied = asked.status is AuthorizationStatus.DENIED
        return Sentence("this question was denied before") if denied else Sentence("this question was allowed before")
    if case.now >= asked.expires_at:
        return Sentence("this question was open until {span} ago", span=in_words(case.now - asked.expires_at))
    if case.seen.session and asked.session_digest != case.keys.digest(case.seen.session):
        owner = users.find_by_id(case.tx, asked.user_id)
        name = owner.username if owner else "?"
        return Sentence("{owner} was asked, in another sign-in; {user} answered", owner=name, user=case.user)
    return _changed(cause)


def _never_asked(cause: NoOpenQuestion) -> Sentence:
    if cause.detail:
        return _changed(cause)
    return Sentence(
        "no open question of this sign-in has these parameters: it was answered, has expired, or the address was "
        "changed; start at the authorization endpoint"
    )


def _changed(cause: NoOpenQuestion) -> Sentence:
    said = Sentence("the question cannot be answered any more")
    return Sentence("{said} ({detail})", said=said, detail=cause.detail) if cause.detail else said


def _forged(case: Case, _cause: CrossSitePost) -> Sentence:
    if case.seen.origin:
        return Sentence("the browser says that another site's page sent it: {origin}", origin=case.seen.origin)
    if "form_token" not in case.values:
        return Sentence("form_token is missing: only this server's own pages can send this form")
    return Sentence("form_token is not this browser's: it was signed in or out since, or the server started anew")


def _no_administrator(case: Case, _cause: NotAnAdministrator) -> Sentence | None:
    return Sentence("this page is for administrators; {user} is none", user=case.user) if case.user else None


def _unreadable(case: Case, cause: UnreadableForm) -> Sentence:
    came = case.seen.content_type or Sentence("(none)")
    said = Sentence("the form could not be read; its Content-Type is {came}", came=came)
    return Sentence("{said} ({detail})", said=said, detail=cause.detail) if cause.detail else said


EXPLAINERS: Explainers = {
    errors.AccessDenied: _denied,
    NoOpenQuestion: _not_open,
    CrossSitePost: _forged,
    NotAnAdministrator: _no_administrator,
    UnreadableForm: _unreadable,
}
