"""The dialect: every difference between SQLite and PostgreSQL, in one place."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal
from urllib.parse import urlencode

from sqlalchemy import (
    DDL,
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Index,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    literal_column,
    make_url,
    select,
    text,
)
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from watersmeet.errors import ServiceUnavailable, StorageFailed, TookTooLong

DialectName = Literal["sqlite", "postgresql"]

# The server that was the primary is one no longer, or its operator made it read-only.
_READ_ONLY = "25006"
# PostgreSQL's codes for "run the same transaction again": serialization failure, deadlock, and a unique violation,
# because then somebody came between a check and its insert, and the check will see it the second time. A read-only
# server is left, and the second time another one is asked.
_TRY_AGAIN = frozenset({"40001", "40P01", "23505", _READ_ONLY})
# PostgreSQL's codes and classes of codes for "not now": a lock that somebody keeps, connection trouble, no disk,
# memory or connection left, starting, stopping.
_NOT_NOW = ("55P03", _READ_ONLY, "08", "53", "57P")
_RAISED = "P0001"  # by a trigger of ours
_SQLITE_SIGNS = (
    "database is locked",
    "database or disk is full",
    "disk i/o error",
    "readonly database",
    "unable to open database",
)

_ASK_AGAIN_SECONDS = 0.001  # a busy process leaves the database alone for a few of these between two batches

_CONNECT_SECONDS = 3  # for each host of the URL
# A server that vanishes without a word is given up after about ten seconds.
_VANISHED = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}

_MIGRATION_LOCK = 0x57617465  # any number will do, as long as nobody else takes it


def dialect_name(url: str) -> DialectName:
    """Which engine a database URL names.

    Raises ``ValueError`` for a URL that is neither ``sqlite:///…`` nor ``postgresql://…``.
    """
    backend = _parse(url).get_backend_name()
    if backend in ("sqlite", "postgresql"):
        return "sqlite" if backend == "sqlite" else "postgresql"
    raise ValueError(f"unsupported database {backend!r}: use sqlite:///FILE or postgresql://…")


def _parse(url: str) -> URL:
    """The URL as SQLAlchemy spells it, which for several hosts differs from PostgreSQL's own spelling.

    ``postgresql://user@one:5432,two:5432/name`` becomes ``postgresql://user@/name?host=one:5432&host=two:5432``.
    """
    found = re.fullmatch(r"(postgresql://)([^/?#]*@)?([^/?#@]*,[^/?#@]*)([^?#]*)(?:\?(.*))?", url)
    if found is None:
        return make_url(url)
    scheme, user, hosts, path, query = (part or "" for part in found.groups())
    several = urlencode([("host", host) for host in hosts.split(",")])
    return make_url(f"{scheme}{user}{path}?{several}" + (f"&{query}" if query else ""))


def open_engine(url: str, *, lock_timeout_seconds: float, pool_size: int) -> Engine:
    """An engine whose connections carry the durability and time-outs that the runner relies on."""
    if dialect_name(url) == "sqlite":
        return _open_sqlite(url, lock_timeout_seconds)
    return _open_postgresql(url, lock_timeout_seconds, pool_size)


def _open_sqlite(url: str, lock_timeout_seconds: float) -> Engine:
    _create_private_file(_parse(url).database)
    # The runner holds one connection for writing and one for reading, each used by one thread at a time, so
    # there is nothing to pool. AUTOCOMMIT: the runner says BEGIN IMMEDIATE itself, because the driver's
    # implicit BEGIN takes the write lock too late and then cannot wait for it.
    engine = create_engine(
        _parse(url).set(drivername="sqlite+pysqlite"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error's text may end in the log (S016)
        connect_args={"check_same_thread": False, "timeout": lock_timeout_seconds},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an answered token survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    return engine


def _create_private_file(path: str | None) -> None:
    """Make a new database readable by its owner alone; SQLite gives its side files the same rights.

    One that is there is not even opened: closing it again would let go of every lock that other connections of this
    process have on it (POSIX has it so), and SQLite would not know.
    """
    if path and path != ":memory:":
        with suppress(OSError):  # it is there, or whoever opens it next says what is wrong
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _open_postgresql(url: str, lock_timeout_seconds: float, pool_size: int) -> Engine:
    milliseconds = int(lock_timeout_seconds * 1000)
    address = _parse(url)
    engine = create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=lock_timeout_seconds,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            **_VANISHED,
            # What the operator wrote into the URL wins.
            **{name: value for name, value in address.query.items() if name in ("connect_timeout", *_VANISHED)},
            # Ours come last and win: what "answered" means is not the operator's to weaken.
            "options": f"{address.query.get('options', '')} -c lock_timeout={milliseconds} -c synchronous_commit=on",
        },
    )

    @event.listens_for(engine, "handle_error")
    def _leave_a_standby(context: Any) -> None:
        # After a failover the old primary may still answer; the pool then looks for the new one.
        if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
            context.is_disconnect = True

    return engine


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """One transaction for changing the schema, which nobody else does at the same time.

    Committed at the end, rolled back when anything is raised.
    """
    if engine.dialect.name == "sqlite":
        yield from _alone_on_sqlite(engine)
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        yield connection


def _alone_on_sqlite(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        # SQLite changes a column by making the table anew, and dropping the old one must not take along the rows
        # that refer to it. The switch works outside a transaction only.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            _refuse_broken_references(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            roll_back(connection)
            raise


def _refuse_broken_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"{len(broken)} rows would refer to nothing, the first in {broken[0][0]}")


def roll_back(connection: Connection) -> None:
    """End a transaction on SQLite that may have ended by itself."""
    raw = connection.connection.dbapi_connection
    if raw is not None and raw.in_transaction:
        run(connection, "ROLLBACK")


ROWS = "rows"
"""The name of the parameter that ``rows_parameter`` reads."""


def rows_parameter(name: str, columns: Sequence[Column[Any]]) -> FromClause:
    """Something to select from: the records of a JSON array of arrays, under the names of ``columns``."""
    value = bindparam(ROWS, type_=Text)
    if name == "sqlite":
        record = func.json_each(value).table_valued("value", name="record").c.value
        fields: list[ColumnElement[Any]] = [
            func.json_extract(record, literal_column(f"'$[{place}]'")) for place in range(len(columns))
        ]
    else:
        from sqlalchemy.dialects.postgresql import JSONB

        record = func.jsonb_array_elements(cast(value, JSONB)).table_valued("value", name="record").c.value
        fields = [
            cast(record.op("->>")(literal_column(str(place))), column.type) for place, column in enumerate(columns)
        ]
    return select(*(field.label(column.name) for field, column in zip(fields, columns, strict=True))).subquery(ROWS)


def run(connection: Connection, statement: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
    """What the driver's own statement selects or returns, without SQLAlchemy's ceremony (SQLite only).

    Where somebody listens to the engine's statements, it goes SQLAlchemy's way, and is heard.
    """
    heard = connection.engine.dispatch
    if heard.before_cursor_execute or heard.after_cursor_execute:
        result = connection.exec_driver_sql(statement, tuple(parameters))
        return result.all() if result.returns_rows else ()
    raw: Any = connection.connection.dbapi_connection
    try:
        found: list[tuple[Any, ...]] = raw.execute(statement, parameters).fetchall()
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            statement, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    return found


def data_version(connection: Connection) -> int:
    """A number that changes when another connection changes the database (SQLite only); cheaper than a read."""
    raw: Any = connection.connection.dbapi_connection
    try:
        found: tuple[int] = raw.execute("PRAGMA data_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise DatabaseError("PRAGMA data_version", None, error) from error
    return found[0]


def begin_writing(connection: Connection, patience: float) -> None:
    """Begin a transaction on SQLite as its only writer; who else writes is waited for, so many seconds at most.

    SQLite's own waiting asks less and less often, ten times a second in the end, and a process that asks so seldom
    hardly ever meets the moments between the batches of another one that is busy (docs/decisions/0071).
    """
    run(connection, "PRAGMA busy_timeout=0")
    deadline = time.monotonic() + patience
    while True:
        try:
            run(connection, "BEGIN IMMEDIATE")
        except DBAPIError as error:
            if not _is_locked(error) or time.monotonic() >= deadline:
                raise
            time.sleep(_ASK_AGAIN_SECONDS)
        else:
            return


def _is_locked(error: DBAPIError) -> bool:
    cause = error.orig
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def can_try_again(error: DBAPIError) -> bool:
    """Whether the same transaction may simply be run again (PostgreSQL only)."""
    return getattr(error.orig, "sqlstate", None) in _TRY_AGAIN


def is_busy(error: DBAPIError) -> bool:
    """Whether the database could not be reached or locked in time: nothing happened, so try later."""
    if error.connection_invalidated or _is_unreachable(error):
        return True
    text = str(error.orig).lower()
    return any(sign in text for sign in _SQLITE_SIGNS)


def translated(error: Exception) -> Exception:
    """What a failure is to the caller.

    ``ServiceUnavailable`` if the database was busy, ``TookTooLong`` after the time that ``limit_time`` gave,
    ``StorageFailed`` if it failed otherwise; or itself if it was not the database that failed.
    """
    if isinstance(error, DBAPIError) and _is_time_over(error):
        return TookTooLong(detail=str(error.orig))
    if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and is_busy(error)):
        return ServiceUnavailable(detail=str(error.__cause__ or error))
    if isinstance(error, DBAPIError) and not _is_refusal(error):
        failure = StorageFailed(detail=str(error.orig))
        failure.__cause__ = error
        return failure
    return error


def _is_refusal(error: DBAPIError) -> bool:
    """Whether the database works, and refused what one operation wrote: by a constraint, a trigger, or as no value."""
    return isinstance(error, IntegrityError | DataError) or getattr(error.orig, "sqlstate", None) == _RAISED


def _is_time_over(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "57014" or str(error.orig) == "interrupted"


@contextmanager
def limit_time(connection: Connection, seconds: float) -> Iterator[None]:
    """End whatever statement of a transaction is under way when that time is over; 0 is no limit."""
    if not seconds:
        yield
    elif dialect_of(connection) == "postgresql":
        # Of this transaction alone, which only reads: a commit that was cut short would be called done. With too little
        # memory for the places of all that say a word, PostgreSQL would find the words of whole pages of rows anew.
        connection.exec_driver_sql(
            f"SELECT set_config('statement_timeout', '{max(1, round(seconds * 1000))}', true), "
            "set_config('work_mem', '32MB', true)"
        )
        yield
    else:
        raw: Any = connection.connection.dbapi_connection
        end = time.monotonic() + seconds
        raw.set_progress_handler(lambda: time.monotonic() > end, _INSTRUCTIONS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)


_INSTRUCTIONS = 10_000  # of SQLite's machine, some hundred microseconds


def _is_unreachable(error: DBAPIError) -> bool:
    """Whether PostgreSQL could not be reached or could not take the work now."""
    if type(error.orig).__module__.partition(".")[0] != "psycopg":
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # it never came to a conversation
        return isinstance(error, OperationalError)
    return str(state).startswith(_NOT_NOW)


_APPEND_ONLY_SQLITE = (
    """CREATE TRIGGER {table}_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    """CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}
WHEN OLD.at >= COALESCE((SELECT CAST(value AS INTEGER) FROM properties WHERE name = '{horizon}'), 0)
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
)
_APPEND_ONLY_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < COALESCE((SELECT CAST(value AS BIGINT) FROM properties WHERE name = '{horizon}'), 0) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '{table} is append-only';
END $$""",
    """CREATE TRIGGER {table}_row BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_append_only()""",
    """CREATE TRIGGER {table}_all BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()""",
)


def append_only_statements(name: DialectName, table: str, horizon: str) -> list[str]:
    """What makes the engine itself refuse to change a table's rows, and to delete those it must still keep.

    Rows whose ``at`` lies before the property named ``horizon`` may be deleted; without that property, none.
    """
    templates = _APPEND_ONLY_SQLITE if name == "sqlite" else _APPEND_ONLY_POSTGRESQL
    return [template.format(table=table, horizon=horizon) for template in templates]


def append_only(table: Table, *, deletable_before: str) -> None:
    """Whenever the table is created, create its triggers too."""
    names: tuple[DialectName, ...] = ("sqlite", "postgresql")
    for name in names:
        for statement in append_only_statements(name, table.name, deletable_before):
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=name))  # type: ignore[no-untyped-call]


def born_with(table: Table, *statements: str) -> None:
    """Whenever the table is created, create these rows too."""
    for statement in statements:
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]


def only_where(condition: str, index: Index) -> Index:
    """The index, of those rows only for which the condition holds.

    SQLAlchemy imports the whole dialect whose option is named, and one of the two is never needed: so the option is
    named when the table is created, and an engine is there.
    """

    def name_option(_table: Table, connection: Connection, **_: Any) -> None:
        index.dialect_options[connection.dialect.name]["where"] = text(condition)

    def listen(_index: Index, table: Table) -> None:
        event.listen(table, "before_create", name_option)

    event.listen(index, "after_parent_attach", listen)
    return index


# ---- copies ----------------------------------------------------------------------------------------------------

_COPYING_SQLITE = (
    """CREATE TRIGGER {copy}_insert AFTER INSERT ON {table}
BEGIN INSERT INTO {copy} ({columns}) VALUES ({values}); END""",
    """CREATE TRIGGER {copy}_update AFTER UPDATE OF {columns} ON {table}
BEGIN UPDATE {copy} SET {changes} WHERE id = NEW.id; END""",
)
_COPYING_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION {copy}_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO {copy} ({columns}) VALUES ({values});
  ELSE
    UPDATE {copy} SET {changes} WHERE id = NEW.id;
  END IF;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER {copy}_row AFTER INSERT OR UPDATE OF {columns} ON {table}
FOR EACH ROW EXECUTE FUNCTION {copy}_follow()""",
)


def copying_statements(name: DialectName, table: str, copy: str, columns: Sequence[str]) -> list[str]:
    """What makes the engine itself keep these columns of a table's rows in another table too, under the same ``id``.

    Deletions are the business of a foreign key. A migration that makes the table anew must make these anew.
    """
    templates = _COPYING_SQLITE if name == "sqlite" else _COPYING_POSTGRESQL
    filled = {
        "table": table,
        "copy": copy,
        "columns": ", ".join(columns),
        "values": ", ".join(f"NEW.{column}" for column in columns),
        "changes": ", ".join(f"{column} = NEW.{column}" for column in columns if column != "id"),
    }
    return [template.format(**filled) for template in templates]


def copied_from(table: Table, copy: Table) -> None:
    """Whenever ``copy`` is created, let it follow the table from which it has its columns."""
    names: tuple[DialectName, ...] = ("sqlite", "postgresql")
    for name in names:
        for statement in copying_statements(name, table.name, copy.name, [column.name for column in copy.columns]):
            event.listen(copy, "after_create", DDL(statement).execute_if(dialect=name))  # type: ignore[no-untyped-call]


# ---- full text -------------------------------------------------------------------------------------------------

# Whatever FTS5 keeps follows from the rows of ``search_texts``, triggers see to it; deletions by cascade included.
_FULL_TEXT_SQLITE = (
    """CREATE VIRTUAL TABLE search_index USING fts5(title, body, content='search_texts', content_rowid='content_id',
tokenize='porter unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER search_texts_insert AFTER INSERT ON search_texts
BEGIN INSERT INTO search_index(rowid, title, body) VALUES (NEW.content_id, NEW.title, NEW.body); END""",
    """CREATE TRIGGER search_texts_delete AFTER DELETE ON search_texts
BEGIN INSERT INTO search_index(search_index, rowid, title, body)
VALUES ('delete', OLD.content_id, OLD.title, OLD.body); END""",
)
_TITLE_VECTOR = "to_tsvector('english'::regconfig, search_texts.title)"
_WHOLE_VECTOR = "to_tsvector('english'::regconfig, search_texts.title || ' ' || search_texts.body)"
_FULL_TEXT_POSTGRESQL = (
    # Every row that says a word is visited to be counted: bodies of more than 2 kB lie elsewhere.
    "ALTER TABLE search_texts SET (toast_tuple_target = 128)",
    f"CREATE INDEX ix_search_texts_title_words ON search_texts USING gin ({_TITLE_VECTOR})",
    f"CREATE INDEX ix_search_texts_words ON search_texts USING gin ({_WHOLE_VECTOR})",
)


def full_text_statements(name: DialectName) -> tuple[str, ...]:
    """What lets an engine find the rows of ``search_texts`` by their words. Rows are never updated, but replaced."""
    return _FULL_TEXT_SQLITE if name == "sqlite" else _FULL_TEXT_POSTGRESQL


def full_text_index(table: Table) -> None:
    """Whenever the table is created, create its index of words too; whenever it is dropped, drop it."""
    drop = DDL("DROP TABLE IF EXISTS search_index")  # type: ignore[no-untyped-call]
    event.listen(table, "after_drop", drop.execute_if(dialect="sqlite"))
    names: tuple[DialectName, ...] = ("sqlite", "postgresql")
    for name in names:
        for statement in full_text_statements(name):
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=name))  # type: ignore[no-untyped-call]


def dialect_of(connection: Connection) -> DialectName:
    """The engine a transaction speaks to."""
    return "sqlite" if connection.dialect.name == "sqlite" else "postgresql"


def full_text(name: DialectName, phrases: Sequence[tuple[str, bool]], *, title_only: bool) -> Select[Any]:
    """The numbers of the contents that say all these phrases. ``True`` beside one: its last word may go on.

    A phrase is letters, digits and single spaces: nothing in it is a sign of an engine's own language.
    """
    if name == "sqlite":
        said = " AND ".join(f'"{phrase}"' + (" *" if goes_on else "") for phrase, goes_on in phrases)
        words = f"{{title}} : ({said})" if title_only else said
        index = sql_table("search_index", sql_column("rowid"), sql_column("search_index"))
        return select(index.c.rowid).where(index.c.search_index.op("MATCH")(words))
    english: ColumnElement[Any] = literal_column("'english'::regconfig")
    queries = [
        func.to_tsquery(english, f"{phrase}:*") if goes_on else func.phraseto_tsquery(english, phrase)
        for phrase, goes_on in phrases
    ]
    wanted: ColumnElement[Any] = queries[0]
    for query in queries[1:]:
        wanted = wanted.op("&&")(query)
    vector: ColumnElement[Any] = literal_column(_TITLE_VECTOR if title_only else _WHOLE_VECTOR)
    return (
        select(literal_column("search_texts.content_id"))
        .select_from(text("search_texts"))
        .where(vector.op("@@")(wanted))
    )


def is_among(name: DialectName, number: ColumnElement[int], said: Select[Any]) -> ColumnElement[bool]:
    """Whether a number is among those of ``full_text``, where every one of these is to be looked up.

    SQLite would make a list of them first, unless its index of words is joined; "+ 0" keeps it from asking that index
    once for each number instead. PostgreSQL would do the same, reading each text: the offset keeps the two apart.
    """
    if name == "sqlite":
        assert said.whereclause is not None  # noqa: S101 - it selects by words
        return and_(said.whereclause, number == said.selected_columns[0] + 0)
    return number.in_(said.offset(0))


def find_words_by_index(connection: Connection) -> None:
    """For the rest of a transaction, keep PostgreSQL from reading all texts to find those that say some words.

    It does not know that to find the words of one takes longer than to read a thousand numbers, and would for any word
    that most of them say.
    """
    if dialect_of(connection) == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
