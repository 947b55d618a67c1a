"""Representation of people, and of instants (S3.2, S3.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from watersmeet.confluence.content import Person
from watersmeet.confluence.site import Site

Json = dict[str, Any]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def instant_text(instant: int) -> str:
    """An instant as the API writes it: ISO 8601 with milliseconds and offset."""
    return datetime.fromtimestamp(instant / 1000, tz=UTC).isoformat(timespec="milliseconds")


def friendly_text(instant: int) -> str:
    """The day of an instant as the API writes it beside the instant: ``Mar 02, 2026``."""
    day = datetime.fromtimestamp(instant / 1000, tz=UTC)
    return f"{_MONTHS[day.month - 1]} {day.day:02}, {day.year:04}"  # strftime would ask the locale, slowly


def person_json(person: Person, site: Site, *, outermost: bool = False) -> Json:
    """A user."""
    links = {"self": site.absolute(f"/rest/api/user?key={person.user_key}")}
    return {
        "type": "known",
        "username": person.username,
        "userKey": person.user_key,
        "displayName": person.display_name,
        "profilePicture": {
            "path": site.context_path + "/images/icons/profilepics/default.svg",
            "width": 48,
            "height": 48,
            "isDefault": True,
        },
        "_links": links | site.outermost if outermost else links,
        "_expandable": {"status": ""},
    }


def anonymous_json(site: Site) -> Json:
    """Whoever is not signed in."""
    return {
        "type": "anonymous",
        "profilePicture": {
            "path": site.context_path + "/images/icons/profilepics/anonymous.svg",
            "width": 48,
            "height": 48,
            "isDefault": True,
        },
        "displayName": "Anonymous",
        "_links": {"self": site.absolute("/rest/api/user/anonymous")} | site.outermost,
        "_expandable": {"status": ""},
    }


def group_json(name: str, site: Site, *, outermost: bool = False) -> Json:
    """A group."""
    links = {"self": site.absolute("/rest/api/group/" + quote(name, safe=""))}
    return {"type": "group", "name": name, "_links": links | site.outermost if outermost else links}
