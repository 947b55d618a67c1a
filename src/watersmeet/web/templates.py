"""Templates: pages as frozen dataclasses, one for each template, rendered by Jinja2.

A page names its template and carries exactly what the template shows; an undefined name is an error, and
everything is escaped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from watersmeet.clock import Instant, as_datetime
from watersmeet.errors import WatersmeetError
from watersmeet.web import static
from watersmeet.web.cause import cause_of, note_cause
from watersmeet.web.headers import content_security_policy
from watersmeet.web.language import LANGUAGES, catalogue, preferred, told, translatable

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page: what the header of every page shows."""

    display_name: str
    username: str
    is_administrator: bool
    sign_out_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page has. ``context_path`` goes in front of every link; ``problem_found`` is why it is shown again."""

    template: ClassVar[str]
    context_path: str
    visitor: Visitor | None = None
    problem_found: WatersmeetError | None = None


# ---- rendering --------------------------------------------------------------------------------------------

_MONTHS = translatable(
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@lru_cache(maxsize=len(LANGUAGES))
def _environment(language: str) -> jinja2.Environment:
    # Imported with the first page: an API-only process never needs it.
    import jinja2
    import jinja2.ext

    texts = catalogue(language)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("watersmeet"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=[jinja2.ext.i18n],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["language"] = language
    environment.globals["static"] = static.address
    environment.filters["told"] = lambda error: told(error, language)
    environment.filters["day"] = lambda instant: _day(instant, texts.gettext)
    environment.filters["machine_time"] = _machine_time
    environment.filters["date"] = lambda instant: _time(instant, _day(instant, texts.gettext), "date")
    environment.filters["short_date"] = lambda instant: _time(instant, _day(instant, texts.gettext), "short-date")
    environment.filters["second"] = _second
    environment.filters["exact"] = lambda instant: _time(instant, f"{_second(instant)} UTC", "second")
    environment.filters["clock"] = lambda instant: _time(instant, f"{_second(instant)[11:]} UTC", "clock")
    environment.filters["capitalized"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["moment"] = lambda instant: _time(instant, _minute(instant, texts.gettext), "moment")
    return environment


def _day(instant: Instant, translate: Callable[[str], str]) -> str:
    """``2 March 2026``, in UTC."""
    moment = as_datetime(instant)
    # Translators: the order and punctuation of a date, like 2 March 2026
    written = translate(translatable("{day} {month} {year}")[0])
    return written.format(day=moment.day, month=translate(_MONTHS[moment.month - 1]), year=moment.year)


def _minute(instant: Instant, translate: Callable[[str], str]) -> str:
    """``2 March 2026, 14:05 UTC``."""
    return f"{_day(instant, translate)}, {as_datetime(instant):%H:%M} UTC"


def _second(instant: Instant) -> str:
    """``2026-03-02 14:05:09`` in UTC: as logs have it, in every language."""
    return f"{as_datetime(instant):%Y-%m-%d %H:%M:%S}"


def _machine_time(instant: Instant) -> str:
    return as_datetime(instant).isoformat(timespec="seconds")


def _time(instant: Instant, text: str, shown: str) -> Markup:
    """A ``time`` element; static/page.js writes it in the reader's own zone."""
    from markupsafe import Markup

    return Markup('<time datetime="{}" data-shown="{}">{}</time>').format(_machine_time(instant), shown, text)


class PageResponse(HTMLResponse):
    """A page, rendered when it is sent: only then is it known which language its reader asked for."""

    def __init__(self, page: Page, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(b"", status, headers)
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Render the page and send it."""
        if self.page.problem_found and cause_of(scope) is None:
            note_cause(Request(scope), self.page.problem_found)
        language = preferred(Headers(scope=scope).get("accept-language"))
        fields = {item.name: getattr(self.page, item.name) for item in dataclasses.fields(self.page)}
        self.body = _environment(language).get_template(self.page.template).render(**fields).encode()
        self.headers["content-length"] = str(len(self.body))
        self.headers["content-language"] = language
        self.headers.add_vary_header("Accept-Language")
        await super().__call__(scope, receive, send)


def render(
    page: Page, status: int = 200, headers: Mapping[str, str] | None = None, *, form_action: str = ""
) -> PageResponse:
    """The HTML answer of a page; ``form_action`` names the schemes its form may end up at."""
    policy = {"content-security-policy": content_security_policy(form_action)} if form_action else {}
    return PageResponse(page, status, {**policy, **(headers or {})})
