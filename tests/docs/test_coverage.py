"""docs/coverage.md says what tools/operations.txt says."""

from __future__ import annotations

import pytest
from tools import coverage


def test_it_is_current() -> None:
    assert coverage.main(["--check"]) == 0, "make coverage"


def test_a_line_that_says_nothing_is_refused(tmp_path: object) -> None:
    with pytest.raises(ValueError, match="8"):
        coverage._operation(1, "content | GET content | yes")
    with pytest.raises(ValueError, match="no test"):
        coverage._operation(1, "content | GET content | yes | READ | view | | | ")
    with pytest.raises(ValueError, match="unknown"):
        coverage._operation(1, "content | GET content | maybe | READ | view | | x | ")
