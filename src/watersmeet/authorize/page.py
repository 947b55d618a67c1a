"""The consent page: what a person sees who is asked, and what they may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from watersmeet.authorize.decide import Question
from watersmeet.clock import DAY, Instant
from watersmeet.confluence.scopes import WORDS, Scope, ScopeWords
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.parameters import Parameters
from watersmeet.users.http import visitor
from watersmeet.users.session import Session
from watersmeet.web.csrf import form_token
from watersmeet.web.environment import Environment
from watersmeet.web.templates import Page

AUTHORIZE_PATHS = ("/rest/oauth2/latest/authorize", "/rest/oauth2/1.0/authorize")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPage(Page):
    """The question whether an application may do something for the user."""

    template: ClassVar[str] = "consent.html"
    client_name: str
    registered_by: str
    registered_at: Instant
    is_first_time: bool
    display_name: str
    username: str
    granted: ScopeWords
    implied: list[ScopeWords]
    chosen: str
    is_administrative: bool
    is_beyond_user: bool
    redirect_host: str
    redirect_path: str
    readable_host: str | None
    is_loopback: bool
    refresh_days: int
    idle_days: int  # 0: it lasts without use
    remember_days: int | None
    problem_found: WatersmeetError | None
    authorization_id: str
    form_token: str
    sign_out_token: str
    switch_destination: str
    query: str


def authorize_again(environment: Environment, parameters: Parameters) -> str:
    """Where the same question begins anew: with another session, or for somebody else."""
    return f"{environment.settings.context_path}{AUTHORIZE_PATHS[0]}?{parameters.encode()}"


def consent_token(environment: Environment, session: Session, authorization_id: str) -> str:
    """The form token of one question, asked of one browser."""
    return form_token(environment.keys, session.digest, "consent", authorization_id)


def consent_page(
    environment: Environment,
    session: Session,
    question: Question,
    parameters: Parameters,
    *,
    chosen: Scope | None = None,
    problem: WatersmeetError | None = None,
) -> ConsentPage:
    """The page of a question; ``chosen`` and ``problem`` when an answer could not be accepted.

    ``parameters`` are the authorization request's, to ask the same of somebody else.
    """
    authorization, client, user = question.authorization, question.client, session.user
    lifetimes = question.held.lifetimes(environment.lifetimes)
    implied = [WORDS[scope] for scope in Scope if scope in authorization.scope.implied]
    granted = implied.pop()
    target = authorization.redirect_uri
    parts = urlsplit(target.value)
    return ConsentPage(
        context_path=environment.settings.context_path,
        visitor=None,  # no navigation here: the question comes first
        client_name=client.name,
        registered_by=client.created_by,
        registered_at=client.created_at,
        is_first_time=question.is_first_time,
        display_name=user.display_name,
        username=user.username,
        granted=granted,
        implied=implied,
        chosen=chosen or granted.scope,
        is_administrative=granted.scope.is_administrative,
        is_beyond_user=not user.role.ceiling.covers(authorization.scope),
        redirect_host=target.host,
        redirect_path=parts.path + (f"?{parts.query}" if parts.query else ""),
        readable_host=target.readable_host,
        is_loopback=target.is_loopback,
        refresh_days=max(1, lifetimes.refresh_token // DAY),
        idle_days=(lifetimes.idle or 0) // DAY if (lifetimes.idle or 0) < lifetimes.refresh_token else 0,
        remember_days=environment.settings.remember_consent_days if question.may_be_remembered else None,
        problem_found=problem,
        authorization_id=authorization.id,
        form_token=consent_token(environment, session, authorization.id),
        sign_out_token=visitor(environment, session).sign_out_token,
        switch_destination=authorize_again(environment, parameters),
        query=parameters.encode(),
    )
