"""Representation of long tasks (S3.12)."""

from __future__ import annotations

from watersmeet.confluence.long_task import LongTask
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.site import Site


def long_task_path(task_id: str) -> str:
    """The REST resource of a long task."""
    return f"/rest/api/longtask/{task_id}"


def submitted_json(task: LongTask) -> Json:
    """The answer to the request that began a task."""
    return {"id": task.id, "links": {"status": long_task_path(task.id)}}


def long_task_json(task: LongTask, now: int, site: Site, *, outermost: bool = False) -> Json:
    """A task, and how far it is; ``elapsedTime`` is in milliseconds."""
    links = {"self": site.absolute(long_task_path(task.id))}
    until = now if task.finished_at is None else task.finished_at
    return {
        "id": task.id,
        "name": {"key": _key(task.name), "args": [], "translation": task.name},
        "elapsedTime": max(0, until - task.started_at),
        "percentageComplete": task.percentage,
        "successful": bool(task.successful),
        "messages": [{"translation": task.message, "args": []}] if task.message else [],
        "_links": links | site.outermost if outermost else links,
        "_expandable": {},
    }


def _key(name: str) -> str:
    """What programs know a kind of task by: ``watersmeet.deleting.a.space``."""
    return ".".join(["watersmeet", *name.lower().split()])
