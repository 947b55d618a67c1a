"""Permissions in a space: read < write < admin; administrators need none."""

from __future__ import annotations

import itertools

import pytest

from watersmeet.confluence.permission import SpacePermission, allows, may_create_spaces
from watersmeet.confluence.scopes import Role

ORDER = list(SpacePermission)


@pytest.mark.parametrize(("granted", "needed"), list(itertools.product(SpacePermission, repeat=2)))
def test_a_permission_implies_the_weaker_ones(granted: SpacePermission, needed: SpacePermission) -> None:
    assert allows(Role.USER, [granted], needed) == (ORDER.index(granted) >= ORDER.index(needed))


@pytest.mark.parametrize("needed", list(SpacePermission))
def test_without_a_permission_only_administrators_may(needed: SpacePermission) -> None:
    assert not allows(Role.USER, [], needed)
    assert allows(Role.ADMINISTRATOR, [], needed)
    assert allows(Role.SYSTEM_ADMINISTRATOR, [], needed)


def test_only_administrators_create_spaces() -> None:
    assert [role for role in Role if may_create_spaces(role)] == [Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR]
