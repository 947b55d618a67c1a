"""What the original does and this server does not: answered 501, and why, lest anybody look for a mistake of theirs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import NotServed
from watersmeet.confluence.scopes import Scope
from watersmeet.content.http.api import SPACE, Answering, Api
from watersmeet.web.bearer import Caller
from watersmeet.web.route import Route

_REST = "/rest/api"
REFUSED = {
    SPACE + "/{key}/color-scheme{rest:path}": "Colours cannot be changed.",
    _REST + "/user/settings": "There are no settings of a person.",
    _REST + "/cluster{rest:path}": "There are no nodes to list: processes share nothing but the database.",
    _REST + "/audit{rest:path}": "The audit log is at /rest/oauth2/latest/audit, for a token that has ADMIN.",
    _REST + "/color-scheme{rest:path}": "Colours cannot be changed.",
    _REST + "/webhooks{rest:path}": "There are no webhooks.",
    _REST + "/index{rest:path}": "The index follows the content by itself: there is nothing to start or to stop.",
    _REST + "/backup-restore{rest:path}": "Backups are made and restored on the server: 'watersmeet database backup'.",
}


def routes(api: Api) -> list[Route]:
    """The routes of what is refused, whatever the method; strangers are told nothing."""
    return [_route(api, path, why) for path, why in REFUSED.items()]


def _route(api: Api, path: str, why: str) -> Route:
    async def refuse(_request: Request, _caller: Caller) -> Response:
        raise NotServed(why)

    answer: tuple[Scope, Answering] = (Scope.READ, refuse)
    return api.route(path, GET=answer, POST=answer, PUT=answer, DELETE=answer)
