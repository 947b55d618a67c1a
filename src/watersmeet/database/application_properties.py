"""What applications keep with a content or a space, as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, delete, insert, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.content import Person
from watersmeet.confluence.metadata import Property
from watersmeet.confluence.page import Slice, Window
from watersmeet.database.schema import content_properties, space_properties, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class Properties:
    """The properties of one kind of owner; ``owner`` is the column that names it."""

    table: Table
    owner: str

    def _query(self) -> Select[Any]:
        row = self.table.c
        columns = (row[self.owner], row.id, row.key, row.value, row.version)
        people = (users.c.username, users.c.user_key, users.c.display_name)
        return select(*columns, *people, row.updated_at).join_from(self.table, users, users.c.id == row.updated_by)

    def _of(self, owner_id: int, key: str) -> tuple[ColumnElement[bool], ...]:
        return self.table.c[self.owner] == owner_id, self.table.c.key == key

    def find(self, tx: Transaction, owner_id: int, key: str) -> Property | None:
        """The property of that key."""
        row = tx.execute(self._query().where(*self._of(owner_id, key))).first()
        return _as_property(row) if row else None

    def list_of(self, tx: Transaction, owner_id: int, window: Window) -> Slice[Property]:
        """The properties of one owner, oldest first."""
        query = self._query().where(self.table.c[self.owner] == owner_id).order_by(self.table.c.id)
        rows = tx.execute(query.limit(window.reach).offset(window.start))
        return Slice.of([_as_property(row) for row in rows], window)

    def of_owners(self, tx: Transaction, ids: Sequence[int], keys: Collection[str]) -> dict[int, dict[str, Property]]:
        """The properties of these keys, by owner and key, from one query; without keys all."""
        query = self._query().where(self.table.c[self.owner].in_(ids)).order_by(self.table.c.id)
        if keys:
            query = query.where(self.table.c.key.in_(keys))
        found: dict[int, dict[str, Property]] = {}
        for row in tx.execute(query):
            found.setdefault(row[0], {})[row.key] = _as_property(row)
        return found

    def add(self, tx: Transaction, owner_id: int, key: str, value: str, by: User, now: Instant) -> None:
        """A new property in its first version. Should another come first, the runner starts again and finds it."""
        values = {self.owner: owner_id, "key": key, "value": value, "version": 1}
        tx.execute(insert(self.table), values | {"updated_by": by.id, "updated_at": now})

    def change(
        self, tx: Transaction, owner_id: int, key: str, value: str, version: int, by: User, now: Instant
    ) -> bool:
        """Make ``version`` of the one before; ``False`` if that is not what is there."""
        values = {"value": value, "version": version, "updated_by": by.id, "updated_at": now}
        expected = (*self._of(owner_id, key), self.table.c.version == version - 1)
        return tx.execute(update(self.table).where(*expected).values(values)).rowcount == 1

    def remove(self, tx: Transaction, owner_id: int, key: str) -> bool:
        """Forget a property; ``False`` if there was none."""
        return tx.execute(delete(self.table).where(*self._of(owner_id, key))).rowcount == 1


def _as_property(row: Sequence[Any]) -> Property:
    _, number, key, value, version, username, user_key, display_name, when = row
    return Property(number, key, value, version, Person(username, user_key, display_name), when)


OF_CONTENT = Properties(content_properties, "content_id")
OF_SPACE = Properties(space_properties, "space_id")
