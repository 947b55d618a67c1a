"""Permissions in a space: each for itself; administrators need none."""

from __future__ import annotations

import itertools

import pytest

from watersmeet.confluence.permission import READER, WRITER, SpacePermission, allows, space_permission
from watersmeet.confluence.scopes import Role


@pytest.mark.parametrize(("granted", "needed"), list(itertools.product(SpacePermission, repeat=2)))
def test_no_permission_implies_another(granted: SpacePermission, needed: SpacePermission) -> None:
    assert allows(Role.USER, {granted}, needed) == (granted is needed)


@pytest.mark.parametrize("needed", list(SpacePermission))
def test_without_a_permission_only_administrators_may(needed: SpacePermission) -> None:
    assert not allows(Role.USER, set(), needed)
    assert allows(Role.ADMINISTRATOR, set(), needed)
    assert allows(Role.SYSTEM_ADMINISTRATOR, set(), needed)


def test_readers_read_and_writers_do_all_but_administer() -> None:
    assert {SpacePermission.VIEW} == READER
    assert set(SpacePermission) - WRITER == {SpacePermission.ADMINISTER}


@pytest.mark.parametrize("permission", list(SpacePermission))
def test_each_is_one_operation_on_the_wire(permission: SpacePermission) -> None:
    assert space_permission(*permission.operation) is permission


def test_other_operations_mean_no_permission() -> None:
    assert space_permission("use", "application") is None
