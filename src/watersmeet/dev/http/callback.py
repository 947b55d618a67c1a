"""The callback: where the demo link's answers end up when no application is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet import demo
from watersmeet.database import authorizations
from watersmeet.dev.workshop import Workshop
from watersmeet.users.http import path_and_query
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, render


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPage(Page):
    """Stands for the application at the end of the redirect: it shows the code and what to do with it."""

    template: ClassVar[str] = "dev-callback.html"
    code: str | None
    state: str | None
    error: str | None
    exchange: str
    needs_verifier: bool


def routes(workshop: Workshop) -> list[Route]:
    """The one route of this module."""
    environment = workshop.environment
    base_url, context_path = environment.settings.base_url, environment.settings.context_path

    async def show(request: Request) -> Response:
        query = request.query_params
        run = workshop.runs.find_by_state(query.get("state", ""))
        if run is not None:
            target = path_and_query(request)
            sent_by = workshop.records.find_redirect_to(base_url.removesuffix(context_path) + target)
            run.come_back(target, query.get("code"), query.get("error"), sent_by.number if sent_by else None)
            return RedirectResponse(f"{context_path}/_dev/playground/{run.id}#step-2", 302)
        digest = environment.keys.digest(query.get("code", ""))
        authorization = await environment.database.read(lambda tx: authorizations.find_by_code(tx, digest))
        challenge = authorization.challenge if authorization else None
        parameters = {
            "client_id": demo.CLIENT_ID,
            "client_secret": demo.CLIENT_SECRET,
            "code": query.get("code", ""),
            "grant_type": "authorization_code",
            "redirect_uri": base_url + demo.CALLBACK_PATH,
        }
        if challenge and challenge.value == demo.CHALLENGE:
            parameters["code_verifier"] = demo.VERIFIER
        page = CallbackPage(
            context_path=context_path,
            code=query.get("code"),
            state=query.get("state"),
            error=query.get("error"),
            exchange=f"curl -X POST '{base_url}/rest/oauth2/latest/token?{urlencode(parameters)}'",
            needs_verifier=challenge is not None and "code_verifier" not in parameters,
        )
        return render(page)

    return [Route(demo.CALLBACK_PATH, show, methods=["GET"])]
