"""SQLite behind a web server: one writer at a time, many readers, write-ahead log."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.server.jsontext import dumps
from airflow_sv_versioning.server.schema import SCHEMA, SCHEMA_VERSION

Parameters = Sequence[Any]
FIRST_ID = 101


class Reader:
    """One consistent view of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row, ``None`` where there is none."""
        row: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
        return row

    def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows."""
        return self._connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, ``None`` where there is no row."""
        row = self.find(sql, parameters)
        return None if row is None else row[0]

    def pairs(self, sql: str, parameters: Parameters = ()) -> dict[Any, Any]:
        """First column -> second column."""
        return {row[0]: row[1] for row in self.all(sql, parameters)}

    def among(self, table: str, column: str, values: Collection[Any], wanted: str = "*") -> list[sqlite3.Row]:
        """The rows of a table whose column has one of these values, however many they are, by id."""
        sql = f"SELECT {wanted} FROM {table} WHERE {in_list(column)} ORDER BY id"  # noqa: S608
        return self.all(sql, (json_list(values),))


class Writer(Reader):
    """The one transaction that may write.

    Ids come from one sequence for all kinds of entities and are never used twice, so that a mixed-up
    id is an error and not somebody else's entity.

    :param stamped_types: types of the projects whose items are stamped when their annotation changes.
    """

    def __init__(
        self, connection: sqlite3.Connection, clock: Callable[[], datetime], stamped_types: Collection[str]
    ) -> None:
        super().__init__(connection)
        self.stamped_types = stamped_types
        self._clock = clock
        self._stamp: str | None = None

    @property
    def stamp(self) -> str:
        """The transaction's time: ISO 8601, milliseconds, later than that of every transaction before."""
        if self._stamp is None:
            last: int = self.value("SELECT last_stamp FROM state")
            milliseconds = max(_milliseconds(self._clock()), last + 1)
            self.run("UPDATE state SET last_stamp = ?", (milliseconds,))
            self._stamp = iso_stamp(milliseconds)
        return self._stamp

    def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Execute one statement; return how many rows it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Execute one statement for many rows."""
        self._connection.executemany(sql, rows)

    def new_ids(self, count: int) -> range:
        """Take ids that no entity has ever had."""
        first: int = self.value("SELECT next_id FROM state")
        self.run("UPDATE state SET next_id = ?", (first + count,))
        return range(first, first + count)

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row with a new id and return the id."""
        new_id = self.new_ids(1)[0]
        columns = {"id": new_id, **values}
        self.run(insert_statement(table, columns), list(columns.values()))
        return new_id

    def delete_among(self, table: str, column: str, values: Collection[Any]) -> None:
        """Delete the rows of a table whose column has one of these values."""
        self.run(f"DELETE FROM {table} WHERE {in_list(column)}", (json_list(values),))  # noqa: S608

    def update(self, table: str, row_id: int, **values: Any) -> None:
        """Set columns of the row with this id."""
        assignments = ", ".join(f"{column} = ?" for column in values)
        self.run(f"UPDATE {table} SET {assignments} WHERE id = ?", [*values.values(), row_id])  # noqa: S608


class Database:
    """A pool of read connections and one write connection on one file.

    :param path: the database file; created with its schema where it is missing.
    :param clock: where the stamps of the transactions come from.
    :param stamped_types: as :class:`Writer` has them.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime], stamped_types: Collection[str]) -> None:
        self._path = path
        self._clock = clock
        self._stamped_types = stamped_types
        self._write_lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._idle_readers: list[sqlite3.Connection] = []
        self._is_closed = False
        self._writer = self._connect()
        try:
            _prepare(self._writer, path)
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read one consistent state; writers are not held up."""
        connection = self._borrow()
        try:
            connection.execute("BEGIN")
            yield Reader(connection)
        finally:
            connection.rollback()
            self._give_back(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Change the database: all of the block or nothing of it."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield Writer(self._writer, self._clock, self._stamped_types)
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    def close(self) -> None:
        """Close every connection; a reader that is still out is closed when it comes back."""
        with self._write_lock, self._pool_lock:
            self._is_closed = True
            for connection in [*self._idle_readers, self._writer]:
                connection.close()
            self._idle_readers.clear()

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._idle_readers:
                return self._idle_readers.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            if self._is_closed:
                connection.close()
            else:
                self._idle_readers.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;"
        )
        return connection


def in_list(column: str) -> str:
    """A condition on one parameter, a :func:`json_list`: any number of values, each found by index."""
    return f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608


def json_list(values: Collection[Any]) -> str:
    """Values as the parameter of :func:`in_list`."""
    return dumps(list(values))


def insert_statement(table: str, columns: Iterable[str]) -> str:
    """Build an INSERT with one placeholder a column."""
    names = list(columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608


def iso_stamp(milliseconds: int) -> str:
    """Milliseconds since the epoch as the platform writes them; such stamps sort as text."""
    moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def stamp_of(moment: datetime) -> str:
    """A moment as a stamp, for comparison with stored ones."""
    return iso_stamp(_milliseconds(moment))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    elif found != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path} was written by another version of this server (schema {found}, known {SCHEMA_VERSION}); "
            "use another data folder or the matching version"
        )
