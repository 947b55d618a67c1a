"""Templates: pages as frozen dataclasses, one for each template, rendered by Jinja2.

A page names its template and carries exactly what the template shows; an undefined name is an error, and
everything is escaped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from starlette.responses import HTMLResponse

from watersmeet.clock import Instant, as_datetime
from watersmeet.web.headers import content_security_policy

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page: what the header of every page shows."""

    display_name: str
    username: str
    is_administrator: bool
    sign_out_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page has. ``context_path`` goes in front of every link."""

    template: ClassVar[str]
    context_path: str
    visitor: Visitor | None = None


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    # Imported with the first page: an API-only process never needs it.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("watersmeet"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["day"] = _day
    environment.filters["machine_time"] = _machine_time
    return environment


def _day(instant: Instant) -> str:
    """``2 March 2026``, in UTC."""
    moment = as_datetime(instant)
    return f"{moment.day} {moment:%B %Y}"


def _machine_time(instant: Instant) -> str:
    return as_datetime(instant).isoformat(timespec="seconds")


def render(
    page: Page, status: int = 200, headers: Mapping[str, str] | None = None, *, form_action: str = ""
) -> HTMLResponse:
    """The HTML answer of a page; ``form_action`` names a foreign origin its form may end up at."""
    fields = {item.name: getattr(page, item.name) for item in dataclasses.fields(page)}
    html = _environment().get_template(page.template).render(**fields)
    policy = {"content-security-policy": content_security_policy(form_action)} if form_action else {}
    return HTMLResponse(html, status, {**policy, **(headers or {})})
