"""Ticking a task in a body without touching another byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.storage_format import validate, with_task
from watersmeet.confluence.storage_format.task import COMPLETE, INCOMPLETE


def task(number: str, status: str, body: str = "<span>do</span>") -> str:
    return (
        f"<ac:task>\n<ac:task-id>{number}</ac:task-id>\n<ac:task-status>{status}</ac:task-status>\n"
        f"<ac:task-body>{body}</ac:task-body>\n</ac:task>"
    )


def listed(*tasks: str) -> str:
    return f"<p>&nbsp;x</p><ac:task-list>{''.join(tasks)}</ac:task-list><p/>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (listed(task("1", INCOMPLETE), task("2", INCOMPLETE)), listed(task("1", INCOMPLETE), task("2", COMPLETE))),
        (
            listed(task("1", INCOMPLETE, listed(task("2", INCOMPLETE)))),
            listed(task("1", INCOMPLETE, listed(task("2", COMPLETE)))),
        ),
        (
            listed(task("2", INCOMPLETE, listed(task("1", INCOMPLETE)))),
            listed(task("2", COMPLETE, listed(task("1", INCOMPLETE)))),
        ),
        ("<ac:task><ac:task-id>2</ac:task-id></ac:task>", None),
        ("<ac:task><ac:task-id>2</ac:task-id><ac:task-status/></ac:task>", None),
        (
            "<ac:task><ac:task-status><!-- <ac:task-status -->n</ac:task-status><ac:task-id>2</ac:task-id></ac:task>",
            None,
        ),
        (listed(task("2", COMPLETE)), listed(task("2", COMPLETE))),
    ],
)
def test_the_status_changes_and_nothing_else(before: str, after: str | None) -> None:
    ticked = with_task(before, "2", complete=True)
    assert ticked is not None
    validate(ticked)
    assert ticked.count("<ac:task-status>complete</ac:task-status>") == 1
    if after is not None:
        assert ticked == after
    unticked = with_task(ticked, "2", complete=False)
    assert unticked is not None
    assert with_task(unticked, "2", complete=True) == ticked


@pytest.mark.parametrize(
    "storage",
    [
        "",
        listed(task("1", INCOMPLETE)),
        "<ac:task><ac:task-status>incomplete</ac:task-status></ac:task>",
        "<ac:task-id>2</ac:task-id>",
        "<ac:plain-text-body><![CDATA[<ac:task><ac:task-id>2</ac:task-id></ac:task>]]></ac:plain-text-body>",
        "<ac:task/>",
    ],
)
def test_a_task_that_is_not_there(storage: str) -> None:
    assert with_task(storage, "2", complete=True) is None


@given(numbers=st.lists(st.integers(0, 99), unique=True, min_size=1), text=st.text("ab<&]é \n", max_size=20))
def test_every_task_can_be_ticked_and_unticked(numbers: list[int], text: str) -> None:
    body = f"<![CDATA[{text.replace(']]>', '')}]]>"
    storage = listed(*(task(str(number), INCOMPLETE, body) for number in numbers))
    for number in numbers:
        ticked = with_task(storage, str(number), complete=True)
        assert ticked is not None
        assert ticked != storage
        assert with_task(ticked, str(number), complete=False) == storage
