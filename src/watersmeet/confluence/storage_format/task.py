"""Tasks: ticking one in a body without touching another byte.

Takes well-formed bodies: hold them against ``document.validate`` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watersmeet.confluence.storage_format.source import Tag, tokens

TASK, TASK_ID, TASK_STATUS = "ac:task", "ac:task-id", "ac:task-status"
COMPLETE, INCOMPLETE = "complete", "incomplete"


@dataclass(slots=True)
class _Task:
    """A task in a body: its number, and where what is written of its status stands, tags included."""

    number: str = ""
    number_ends: int | None = None
    status: tuple[int, int] | None = None


def with_task(storage: str, number: str, *, complete: bool) -> str | None:
    """The body with the first task of that number ticked, or not; ``None`` where there is no such task.

    What has that status already comes back as it is.
    """
    task = next((each for each in _tasks(storage) if each.number == number), None)
    if task is None or task.number_ends is None:
        return None
    start, end = task.status or (task.number_ends, task.number_ends)
    before = storage[start:end]
    is_complete = before.partition(">")[2].partition("<")[0].strip() == COMPLETE
    if task.status and is_complete is complete:
        return storage
    status = COMPLETE if complete else INCOMPLETE
    return f"{storage[:start]}<{TASK_STATUS}>{status}</{TASK_STATUS}>{storage[end:]}"


def _tasks(storage: str) -> Iterator[_Task]:
    """The tasks of a body as they end. One may be in the body of another: what is said is said of the innermost."""
    around: list[_Task] = []
    within: Tag | None = None  # the number or the status that was begun
    for token in tokens(storage):
        if not isinstance(token, Tag):
            if around and within and within.name == TASK_ID:
                around[-1].number += token.text.strip()
        elif token.name == TASK and not token.empty:
            if not token.closes:
                around.append(_Task())
            else:
                yield around.pop()
        elif around and token.name in (TASK_ID, TASK_STATUS):
            if token.closes or token.empty:
                _note(around[-1], within or token, token.end)
                within = None
            else:
                within = token


def _note(task: _Task, begun: Tag, end: int) -> None:
    if begun.name == TASK_ID and task.number_ends is None:
        task.number_ends = end
    if begun.name == TASK_STATUS and task.status is None:
        task.status = (begun.start, end)
