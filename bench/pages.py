"""Pages: one of them, a list, and a search, in a small wiki and in a big one.

A space of pages in a tree, each with nine versions behind it, so that the big one holds a million versions. Words are
spread as in a language: a few stand on nearly every page, most on one in a hundred.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
import psycopg
from tests.support.postgresql import PostgresqlServer

from bench.client import Answer
from bench.growth import Filled, Filling
from bench.load import Load, drive, get
from bench.store import Store
from bench.subjects import Limit, Running, new_folder
from bench.workloads import CONNECTIONS
from watersmeet.clock import SystemClock
from watersmeet.confluence.permission import SpacePermission
from watersmeet.database.dialect import full_text_statements

FEW_PAGES, MANY_PAGES = 1_000, 100_000
VERSIONS = 10
MEGABYTES = 2_500
"""The room that ``MANY_PAGES`` need."""
EXPAND = "body.storage,version,space,ancestors"

_READERS = 64
_LOWEST_PAGES = 112  # above these every page has three ancestors
_WORDS = 5_000
_PARAGRAPHS, _WORDS_A_PARAGRAPH = 3_000, 150

_NARROWED = "type=page AND space=BENCH AND text ~ {} ORDER BY lastmodified DESC"

RARE, USUAL, BROAD = range(3_000, 4_000), range(300, 400), range(20, 40)
"""Words that stand on one page in a hundred, on one in ten, and on most; see ``_paragraphs``."""


Table = tuple[str, str, Iterator[tuple[object, ...]]]
"""The name of a table, its columns as SQL lists them, and rows."""


def pages(count: int) -> Filling:
    """A space of that many pages of 2 kB: a root, ten pages below it, a hundred below these, and all others. SQLite."""

    def fill(store: Store, connection: sqlite3.Connection) -> None:
        for table, columns, rows in _tables(store, count):
            places = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)

    return fill


@contextlib.contextmanager
def filled_on_postgresql(postgresql: PostgresqlServer, count: int) -> Iterator[Filled]:
    """The same in a database of its own on a PostgreSQL server, its statistics known."""
    with new_folder() as folder, postgresql.fresh_database() as url:
        store = Store.create(url)
        store.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP INDEX ix_search_texts_words; DROP INDEX ix_search_texts_title_words")
            for table, columns, rows in _tables(store, count):
                with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            for statement in full_text_statements("postgresql"):
                connection.execute(statement.encode())
            connection.execute("VACUUM ANALYZE")
        yield Filled(folder, store, name="Watersmeet, PostgreSQL, 1 worker, filled")


def _tables(store: Store, count: int) -> Iterator[Table]:
    now, user, no = SystemClock().now(), store.user.id, False
    columns = "id, key, key_lower, name, type, status, description, creator_id, created_at"
    yield "spaces", columns, iter([(1, "BENCH", "bench", "Bench", "global", "current", "", user, now)])
    granted = (1, user, SpacePermission.VIEW.value)
    yield "space_permissions", "space_id, user_id, permission", iter([granted])

    def changed(page: int) -> int:
        """The newest are not the last."""
        return now - page * 7919 % MANY_PAGES * 1_000

    yield (
        "content",
        "id, type, status, space_id, parent_id, title, title_key, storage, version, version_message, minor_edit, "
        "created_by, created_at, updated_by, updated_at",
        (
            (page, "page", "current", 1, _parent(page), f"Page {page}", f"page {page}", f"<p>{text}</p>", VERSIONS, "",
             no, user, now, user, changed(page))
            for page, text in _texts(count)
        ),
    )  # fmt: skip
    yield (
        "content_versions",
        "content_id, number, title, storage, message, minor_edit, updated_by, updated_at",
        (
            (page, number, f"Page {page}", f"<p>{number} {text[:500]}</p>", "", no, user, now)
            for page, text in _texts(count)
            for number in range(1, VERSIONS)
        ),
    )
    texts = ((page, f"Page {page}", text) for page, text in _texts(count))
    yield "search_texts", "content_id, title, body", texts


def _parent(page: int) -> int | None:
    if page == 1:
        return None
    if page <= 11:
        return 1
    return 2 + page % 10 if page < _LOWEST_PAGES else 12 + page % 100


def _texts(count: int) -> Iterator[tuple[int, str]]:
    paragraphs = _paragraphs()
    for page in range(1, count + 1):
        yield page, f"{page} {paragraphs[page % _PARAGRAPHS]} {paragraphs[page * 7919 // 7 % _PARAGRAPHS]}"


def _paragraphs() -> list[str]:
    """Texts in which the word number k is as frequent as 1/k."""
    chance = random.Random(_WORDS)
    return [
        " ".join(f"word{int(_WORDS ** chance.random())}" for _ in range(_WORDS_A_PARAGRAPH)) for _ in range(_PARAGRAPHS)
    ]


# ---- what is measured -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wiki:
    """What one round found in one wiki."""

    page: Load
    """A page with ``EXPAND``, ``CONNECTIONS`` at a time."""
    page_alone: Load
    """The same, one after the other, as all that follow."""
    listed: Load
    """A hundred pages, without expands."""
    rare: Load
    """The first 25 pages with a word of ``RARE``."""
    usual: Load
    broad: Load
    narrowed: Load
    """A word of ``BROAD`` in pages of a space, in the order that clients ask for."""


@dataclass(frozen=True, slots=True)
class PagesRead:
    """One round: out of few pages, out of many, and as many bytes as one page without the work."""

    few: Wiki
    many: Wiki
    limit: Load


def measure_pages(few: Filled, many: Filled, seconds: float) -> PagesRead:
    """Read random pages, lists and searches, and the limit's answer of a page's length."""
    read_few, read_many = _read(few, FEW_PAGES, seconds), _read(many, MANY_PAGES, seconds)
    length = len(read_many.page.bodies[0])
    with Limit().running(0) as running:
        bytes_of_it = [get(f"/resource/{length}")]
        drive(running.served.port, bytes_of_it * 500, connections=CONNECTIONS, seconds=seconds)
        limit = drive(
            running.served.port, bytes_of_it * int(40_000 * seconds), connections=CONNECTIONS, seconds=seconds
        )
    return PagesRead(read_few, read_many, limit)


def _read(subject: Filled, count: int, seconds: float) -> Wiki:
    with subject.running(_READERS) as running:
        chance, bearers, port = random.Random(count), _bearers(running), running.served.port

        def ask(path: str, **query: object) -> bytes:
            return get(f"{path}?{urlencode(query)}", [f"Authorization: Bearer {chance.choice(bearers)}"])

        def page() -> bytes:
            return ask(f"/rest/api/content/{chance.randint(_LOWEST_PAGES, count)}", expand=EXPAND)

        def list_of_hundred() -> bytes:
            return ask("/rest/api/content", spaceKey="BENCH", start=chance.randrange(0, 900, 100), limit=100)

        def search(words: Sequence[int], form: str = "text ~ {}") -> bytes:
            return ask("/rest/api/content/search", cql=form.format(f"word{chance.choice(words)}"), limit=25)

        def alone(requests: list[bytes]) -> Load:
            return drive(port, requests, connections=1, seconds=seconds)

        drive(port, [page() for _ in range(1_000)], connections=CONNECTIONS, seconds=30)
        many, some = range(int(6_000 * seconds)), range(int(1_500 * seconds))
        return Wiki(
            page=drive(port, [page() for _ in many], connections=CONNECTIONS, seconds=seconds),
            page_alone=alone([page() for _ in some]),
            listed=alone([list_of_hundred() for _ in some]),
            rare=alone([search(RARE) for _ in some]),
            usual=alone([search(USUAL) for _ in some]),
            broad=alone([search(BROAD) for _ in some]),
            narrowed=alone([search(BROAD, _NARROWED) for _ in some]),
        )


def _bearers(running: Running) -> list[str]:
    requests = [running.client.exchange(code) for code in running.codes]
    exchanged = drive(running.served.port, requests, connections=CONNECTIONS, seconds=60)
    return [msgspec.json.decode(body, type=Answer).access_token for body in exchanged.bodies]
