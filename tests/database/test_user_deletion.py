"""Deleting users on both engines: a name is free again, and of two administrators who end each other one is left."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from watersmeet.clock import Instant
from watersmeet.confluence.errors import UserNotFound
from watersmeet.confluence.scopes import Role
from watersmeet.content import space
from watersmeet.database import users
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import SystemEntropy
from watersmeet.users.administration import NotOverThem, claim_subordinate
from watersmeet.users.deletion import delete_user
from watersmeet.users.signin import UnknownUser, add_user, disable_user, edit_profile

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
        assert database.write_now(lambda tx: delete_user(tx, "ada", NOW, ENTROPY)) == first
        former = former_of(database, first.user_key)
        assert (former.id, former.enabled, former.email, former.password_hash) == (first.id, False, "", "")
        assert former.username.startswith("user-")
        with pytest.raises(UnknownUser):
            database.write_now(partial(delete_user, username=former.username, now=NOW, entropy=ENTROPY))
        again = add(database, "ada")
        assert again.id > first.id
        assert again.user_key != first.user_key
        first = again
    assert [user.username for user in database.read_now(users.list_all)] == ["ada"]


def test_who_found_them_before_brings_nothing_back(database: Database) -> None:
    """A request of the user's own, and a command, that began before the deletion and write after it."""
    found = add(database, "ada", Role.ADMINISTRATOR)
    add(database, "root", Role.ADMINISTRATOR)
    database.write_now(lambda tx: delete_user(tx, "ada", NOW, ENTROPY))
    former = former_of(database, found.user_key)

    def write(tx: Transaction) -> bool:
        edit_profile(tx, found, display_name="Ada", email="ada@example.com", now=NOW)
        users.set_enabled(tx, found.id, enabled=True)
        users.set_role(tx, found.id, Role.SYSTEM_ADMINISTRATOR)
        users.set_password(tx, found.id, "y")
        return users.exchange_password(tx, found, "y")

    assert not database.write_now(write)
    assert former_of(database, found.user_key) == former


def test_who_found_them_before_makes_no_space_under_a_name_that_is_free(database: Database) -> None:
    """It would be a former user's for good, and whoever has the name next could have none of their own."""
    found = add(database, "ada", Role.ADMINISTRATOR)
    add(database, "root", Role.ADMINISTRATOR)
    database.write_now(lambda tx: delete_user(tx, "ada", NOW, ENTROPY))
    with pytest.raises(UserNotFound):
        database.write_now(lambda tx: space.create_personal(tx, found, name="", description="", now=NOW))
    again = add(database, "ada", Role.ADMINISTRATOR)
    made = database.write_now(lambda tx: space.create_personal(tx, again, name="", description="", now=NOW))
    assert made.key == "~ada"


def former_of(database: Database, user_key: str) -> User:
    former = database.read_now(lambda tx: users.find_former(tx, user_key))
    assert former
    return former


@pytest.mark.parametrize("end", ["disable", "delete"])
def test_two_administrators_who_end_each_other_leave_one(database: Database, end: str) -> None:
    """Both were let in by their tokens before either was done; on PostgreSQL both transactions are open at once."""

    def act(tx: Transaction, caller: User, target: str) -> None:
        found = claim_subordinate(tx, caller, Role.ADMINISTRATOR.ceiling, target)
        if end == "disable":
            disable_user(tx, found.username, NOW)
        else:
            delete_user(tx, found.username, NOW, ENTROPY)

    async def both(number: int) -> list[BaseException | None]:
        one, other = (add(database, f"{name}{number}", Role.ADMINISTRATOR) for name in ("one", "other"))
        acts = (
            database.write(lambda tx: act(tx, one, other.username)),
            database.write(lambda tx: act(tx, other, one.username)),
        )
        return list(await asyncio.gather(*acts, return_exceptions=True))

    for number in range(5):
        outcomes = asyncio.run(both(number))
        assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", NotOverThem.__name__], outcomes
        left = [user.username for user in database.read_now(users.list_all) if user.enabled and user.is_administrator]
        assert len(left) == number + 1
