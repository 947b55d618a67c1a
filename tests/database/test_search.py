"""Every field, operator and function of CQL runs on both engines and finds the same."""

from __future__ import annotations

import pytest

from watersmeet.clock import Instant
from watersmeet.confluence import cql, cql_fields
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.page import Window
from watersmeet.confluence.scopes import Role
from watersmeet.content import search, space, write
from watersmeet.content.write import Draft, Revision
from watersmeet.database import users
from watersmeet.database.engine import Database
from watersmeet.database.question import Question
from watersmeet.database.schema import content, search_texts
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

NOW: Instant = 1_800_000_000_000

_VALUES = {
    cql_fields.Kind.NUMBER: ("5", "currentContent()"),
    cql_fields.Kind.NAME: ("some",),
    cql_fields.Kind.USER: ("ann", "currentUser()"),
    cql_fields.Kind.TEXT: ('"the running boats"', '"run* b?at"', '"boats OR NOT (x)"', '"-x \\"the boat\\""'),
    cql_fields.Kind.INSTANT: ("2026-01-02", '"2026/01/02 10:30"', 'startOfWeek("-1w")', 'endOfMonth("+1M")', "now()"),
}


def _every_term() -> list[str]:
    terms = [
        "space in favouriteSpaces()",
        "space = currentSpace()",
        "space not in recentlyViewedSpaces(3)",
        "id in recentlyViewedContent(10, 2)",
        "container = KEY",
    ]
    for field in {each.name: each for each in cql_fields.FIELDS.values()}.values():
        for operator in sorted(field.operators):
            form = "({})" if operator.endswith("in") else "{}"
            terms += [f"{field.name} {operator} {form.format(value)}" for value in _VALUES[field.kind]]
    return terms


@pytest.fixture
def ann(database: Database) -> User:
    def make(tx: Transaction) -> User:
        found = users.add(
            tx,
            username="ann",
            user_key="annkey",
            display_name="Ann Example",
            email="ann@example.com",
            role=Role.ADMINISTRATOR,
            password_hash="-",
            now=NOW,
        )
        space.create(tx, found, key="KEY", name="Keys", description="", now=NOW)
        pieces = (("Boats", "<p>The running of a boat</p>"), ("Cars", "<p>They run, they are quick</p>"))
        for title, storage in pieces:
            write.create(tx, found, Draft("page", "KEY", title, storage), NOW)
        return found

    return database.write_now(make)


def ask(database: Database, by: User, text: str) -> list[str]:
    query = cql.parse(text)
    cql_fields.check(text, query)
    question = Question(text, query, by, NOW)
    page = database.read_now(lambda tx: search.search_all(tx, question, Window(0, 50), NOTHING, "highlight"))
    assert page.total == len(page.part.items)
    return sorted(
        getattr(hit, "title", "").replace("@@@hl@@@", "").replace("@@@endhl@@@", "") for hit in page.part.items
    )


def test_every_field_operator_and_function_runs(database: Database, ann: User) -> None:
    for term in _every_term():
        for kinds in ("page, space, user", "page"):
            ask(database, ann, f"type in ({kinds}) and {term} order by title, creator desc")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("text ~ runs and type = page", ["Boats", "Cars"]),
        ('text ~ "the boat"', ["Boats"]),
        ('text ~ "\\"running of a boat\\""', ["Boats"]),
        ('text ~ "\\"boat running\\""', []),
        ("title ~ car", ["Cars"]),
        ("text ~ boat or title ~ car", ["Boats", "Cars"]),
        ("text ~ run and text !~ quick and type = page", ["Boats"]),
        ('text ~ "run NOT quick"', ["Boats"]),
        ("title ~ bo*", ["Boats"]),
        ("title ~ b?ats", ["Boats"]),
        ("type = space and title ~ keys", ["Keys"]),
        ("user.fullname ~ example", ["Ann Example"]),
        ("type in (space, user, page) and space.title ~ key", ["Boats", "Cars", "Keys", "Keys Home"]),
    ],
)
def test_both_engines_find_the_same(database: Database, ann: User, text: str, found: list[str]) -> None:
    assert ask(database, ann, text) == found


def test_the_index_follows_every_write(database: Database, ann: User) -> None:
    made = database.write_now(lambda tx: write.create(tx, ann, Draft("page", "KEY", "One", "<p>alpha</p>"), NOW))
    assert ask(database, ann, "text ~ alpha") == ["One"]
    revision = Revision(2, title="Two", storage="<p>beta</p>")
    database.write_now(lambda tx: write.update(tx, ann, made.id, revision, NOW))
    assert ask(database, ann, "text ~ alpha") == []
    assert ask(database, ann, "text ~ beta") == ["Two"]
    database.write_now(lambda tx: write.trash(tx, ann, made.id))
    assert ask(database, ann, "text ~ beta") == []
    database.write_now(lambda tx: write.purge(tx, ann, made.id))
    left = database.read_now(lambda tx: (set(tx.scalars(content.select())), set(tx.scalars(search_texts.select()))))
    assert left[0] == left[1]


def test_a_body_of_any_size_can_be_indexed(database: Database, ann: User) -> None:
    words = " ".join(f"w{number}ö" for number in range(150_000))
    database.write_now(lambda tx: write.create(tx, ann, Draft("page", "KEY", "Long", f"<p>{words}</p>"), NOW))
    assert ask(database, ann, "text ~ w7ö") == ["Long"]
