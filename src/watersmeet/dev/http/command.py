"""Commands: what a script sends as JSON or a page as a form, from this site or from no site at all.

No other website may drive a developer's server: JSON needs a content type that browsers ask permission for, which
is never given; a form needs a token that only our own pages carry.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.errors import WatersmeetError
from watersmeet.web.csrf import CrossSitePost, check_form, check_same_origin, form_token
from watersmeet.web.environment import Environment
from watersmeet.web.forms import FORM_TYPE, Form, content_type, read_body
from watersmeet.web.json import JsonResponse

T = TypeVar("T")


class NotACommand(WatersmeetError):
    """The body is not what the address expects."""

    description = "Send JSON with the header Content-Type: application/json."


@dataclass(frozen=True, slots=True)
class Command:
    """What was sent: the fields of a form as texts, or lists of them where there are several; or a JSON value."""

    value: Any
    is_form: bool

    def to(self, shape: type[T]) -> T:
        """The value as a typed record. Raises ``NotACommand``, saying what is wrong where."""
        try:
            return msgspec.convert(self.value, shape, strict=not self.is_form)
        except msgspec.ValidationError as error:
            raise NotACommand(f"{error}.") from error


def token(environment: Environment) -> str:
    """The form token of every developer page: new with each start of the server."""
    return form_token(environment.keys, "developer pages")


async def read_command(environment: Environment, request: Request) -> Command:
    """The command of a request. Raises ``CrossSitePost``, ``NotACommand``, ``BodyTooLarge`` or ``UnreadableForm``."""
    if content_type(request) == FORM_TYPE:
        form = await Form.read(request)
        if "form_token" not in form.fields:
            raise NotACommand  # what curl --data sends unless told otherwise
        check_form(request, form.text("form_token"), token(environment), environment.settings.base_url)
        filled = {name: form.lines(name) for name in form.fields if name != "form_token"}
        fields = {name: values[0] if len(values) == 1 else values for name, values in filled.items() if values}
        return Command(fields, is_form=True)
    check_same_origin(request, environment.settings.base_url)
    body = await read_body(request)
    if not body and request.method == "DELETE":
        return Command({}, is_form=False)
    if content_type(request) != "application/json":
        raise NotACommand
    try:
        return Command(msgspec.json.decode(body), is_form=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotACommand(f"The body is not JSON: {error}.") from error


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def is_from_page(request: Request) -> bool:
    """Whether a browser shows the answer to a person."""
    return "text/html" in request.headers.get("accept", "")


def for_scripts(handler: Handler) -> Handler:
    """The handler, its refusals answered to scripts as JSON: ``{"error": "…"}``."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except WatersmeetError as error:
            if is_from_page(request):
                raise
            return JsonResponse({"error": error.description}, 403 if isinstance(error, CrossSitePost) else 400)

    return answer
