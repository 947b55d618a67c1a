"""Representation of restrictions (S3.10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

from watersmeet.confluence.page import Window
from watersmeet.confluence.representation_person import Json, group_json, person_json
from watersmeet.confluence.restriction import Restriction
from watersmeet.confluence.site import Site, content_path

SUBJECTS_SHOWN = Window(0, 200)


def restriction_json(restriction: Restriction, site: Site, window: Window = SUBJECTS_SHOWN) -> Json:
    """One operation, and the window of the people and of the groups it is kept to."""
    owner = content_path(restriction.content_id)
    return {
        "operation": restriction.operation.value,
        "restrictions": {
            "user": _part([person_json(person, site) for person in restriction.people], window),
            "group": _part([group_json(name, site) for name in restriction.groups], window),
            "_expandable": {},
        },
        "_links": {"self": site.absolute(f"{owner}/restriction/byOperation/{restriction.operation.value}")},
        "_expandable": {"content": owner},
    }


def by_operation_json(
    content_id: int,
    restrictions: Mapping[str, Restriction],
    site: Site,
    window: Window = SUBJECTS_SHOWN,
    asked: Collection[str] = (),
) -> Json:
    """The restrictions of a content by operation; of those that are asked for, or of all where none is."""
    path = content_path(content_id) + "/restriction/byOperation"
    chosen = set(asked) & set(restrictions) or set(restrictions)
    shown = {name: restriction_json(each, site, window) for name, each in restrictions.items() if name in chosen}
    expandable = {name: f"{path}/{name}" for name in restrictions if name not in chosen}
    return {**shown, "_links": {"self": site.absolute(path)}, "_expandable": expandable}


def restrictions_json(
    content_id: int, restrictions: Sequence[Restriction], site: Site, window: Window = SUBJECTS_SHOWN
) -> Json:
    """A list of restrictions, as changing those of a content is answered."""
    results = [restriction_json(restriction, site, window) for restriction in restrictions]
    links = {"byOperation": site.absolute(content_path(content_id) + "/restriction/byOperation")}
    return {
        "results": results,
        "start": 0,
        "limit": 200,
        "size": len(results),
        "restrictionsHash": _hash(restrictions),
        "_links": links | site.outermost,
    }


def _part(subjects: list[Json], window: Window) -> Json:
    shown = subjects[window.start : window.start + window.limit]
    return {"results": shown, "start": window.start, "limit": window.limit, "size": len(shown)}


def _hash(restrictions: Iterable[Restriction]) -> str:
    """The same for the same restrictions, whatever order they were sent in."""
    said = sorted(
        repr((each.content_id, each.operation.value, sorted(p.user_key for p in each.people), sorted(each.groups)))
        for each in restrictions
    )
    return sha256("\n".join(said).encode()).hexdigest()
