"""Drafts: what is wrong with an incoming link while it is being typed, by the rules that register it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from watersmeet.clock import Instant
from watersmeet.database import clients
from watersmeet.database.transaction import Transaction
from watersmeet.errors import WatersmeetError
from watersmeet.links.register import (
    end_of_day,
    refuse_bad_name,
    refuse_bad_number,
    refuse_past,
)
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.redirect import RedirectUri


@dataclass(frozen=True, slots=True)
class Draft:
    """A link as it stands in the form, right or wrong; ``link`` is the one that is being edited."""

    name: str
    redirect_uris: list[str]
    last_day: str
    link: Client | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a field; ``line`` is the redirect URL it is about, if it is about one."""

    error: WatersmeetError
    line: str = ""


Problems: TypeAlias = Mapping[str, list[Problem]]
"""By the name of the field; a field that is right has none."""

NO_PROBLEMS: Problems = {"name": [], "redirect_uris": [], "last_day": []}


def find_problems(tx: Transaction, draft: Draft, now: Instant, *, allow_http: bool) -> Problems:
    """Everything that would keep the link from being saved, and that a person types."""
    own = draft.link.id if draft.link else None
    found: dict[str, list[Problem]] = {field: [] for field in NO_PROBLEMS}

    def check(field: str, rule: Callable[[], object], line: str = "") -> None:
        try:
            rule()
        except WatersmeetError as error:
            found[field].append(Problem(error, line))

    check("name", lambda: refuse_bad_name(draft.name))
    check("name", lambda: clients.refuse_taken_name(tx, draft.name, but=own))
    check("redirect_uris", lambda: refuse_bad_number(draft.redirect_uris))
    for line in dict.fromkeys(draft.redirect_uris):
        check("redirect_uris", lambda line=line: RedirectUri.register(line, allow_http=allow_http), line)  # type: ignore[misc]
    check("last_day", lambda: _refuse_past_end(draft, now))
    return found


def _refuse_past_end(draft: Draft, now: Instant) -> None:
    """A link that has expired keeps its end while something else about it is edited."""
    end = end_of_day(draft.last_day)
    if draft.link is None or end != draft.link.expires_at:
        refuse_past(end, now)
