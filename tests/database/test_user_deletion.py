"""Deleting users on both engines: a name is free again, and of two administrators who end each other one is left."""

from __future__ import annotations

import asyncio

import pytest

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Role
from watersmeet.database import users
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import SystemEntropy
from watersmeet.users.administration import NotOverThem, claim_subordinate
from watersmeet.users.deletion import delete_user
from watersmeet.users.signin import UnknownUser, add_user, disable_user

NOW: Instant = 1_800_000_000_000
ENTROPY = SystemEntropy()


def add(database: Database, username: str, role: Role = Role.USER) -> User:
    return database.write_now(
        lambda tx: add_user(
            tx, username=username, display_name=username, email="", role=role, password_hash="x", now=NOW,
            entropy=ENTROPY,
        )
    )  # fmt: skip


def test_the_name_is_free_and_number_and_key_are_not(database: Database) -> None:
    first = add(database, "ada")
    for _ in range(3):
        database.write_now(lambda tx: delete_user(tx, "ada", NOW, ENTROPY))
        again = add(database, "ada")
        assert again.id > first.id
        assert again.user_key != first.user_key
        former = database.read_now(lambda tx, key=first.user_key: users.find_former(tx, key))
        assert former
        assert (former.id, former.enabled, former.email, former.password_hash) == (first.id, False, "", "")
        assert former.username.startswith("user-")
        first = again
    assert [user.username for user in database.read_now(users.list_all)] == ["ada"]
    with pytest.raises(UnknownUser):
        database.write_now(lambda tx: delete_user(tx, former.username, NOW, ENTROPY))


@pytest.mark.parametrize("end", ["disable", "delete"])
def test_two_administrators_who_end_each_other_leave_one(database: Database, end: str) -> None:
    """Both were let in by their tokens before either was done; on PostgreSQL both transactions are open at once."""

    def act(tx: Transaction, caller: User, target: str) -> None:
        found = claim_subordinate(tx, caller, Role.ADMINISTRATOR.ceiling, target)
        if end == "disable":
            disable_user(tx, found.username, NOW)
        else:
            delete_user(tx, found.username, NOW, ENTROPY)

    async def both(number: int) -> list[object]:
        one, other = (add(database, f"{name}{number}", Role.ADMINISTRATOR) for name in ("one", "other"))
        acts = (
            database.write(lambda tx: act(tx, one, other.username)),
            database.write(lambda tx: act(tx, other, one.username)),
        )
        return await asyncio.gather(*acts, return_exceptions=True)

    for number in range(5):
        outcomes = asyncio.run(both(number))
        assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", NotOverThem.__name__], outcomes
        left = [user.username for user in database.read_now(users.list_all) if user.enabled and user.is_administrator]
        assert len(left) == number + 1
