"""Write many rows in one statement, on both databases, from one array for each column.

PostgreSQL's driver would send a statement for each row of an `executemany`, and each would fire the statement's
triggers: there the arrays are unnested by one short statement, parsed once, whatever their number. On SQLite
the driver is given rows of its own values; naming each value on its way costs more than writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
_SQLITE = sqlite.dialect()

Rows = Sequence[Mapping[str, Any]]
Columns = tuple[str, ...]


def insert_rows(conn: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; every row names the same columns. None is nothing to do."""
    if not rows:
        return
    columns = tuple(rows[0])
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(_sqlite_insert(table, columns), _tuples(table, rows, columns))
    else:
        conn.exec_driver_sql(_postgresql_insert(table, columns), _arrays(rows, columns))


def update_rows(conn: Connection, table: Table, keys: Columns, rows: Rows) -> None:
    """Set the other columns of the rows that `keys` name; every row names the same columns."""
    if not rows:
        return
    columns = (*(name for name in rows[0] if name not in keys), *keys)
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(_sqlite_update(table, keys, columns), _tuples(table, rows, columns))
    else:
        conn.exec_driver_sql(_postgresql_update(table, keys, columns), _arrays(rows, columns))


def _arrays(rows: Rows, columns: Columns) -> tuple[list[Any], ...]:
    return tuple([row[name] for row in rows] for name in columns)


def _tuples(table: Table, rows: Rows, columns: Columns) -> list[tuple[Any, ...]]:
    """Return rows as the driver stores them: SQLite knows no times, dates or truth values."""
    arrays = [
        [row[name] for row in rows] if convert is None else [convert(row[name]) for row in rows]
        for name, convert in zip(columns, _converters(table, columns), strict=True)
    ]
    return list(zip(*arrays, strict=True))


@cache
def _converters(table: Table, columns: Columns) -> tuple[Callable[[Any], Any] | None, ...]:
    types = (table.c[name].type.dialect_impl(_SQLITE) for name in columns)
    return tuple(kind.bind_processor(_SQLITE) for kind in types)


@cache
def _sqlite_insert(table: Table, columns: Columns) -> str:
    places = ", ".join("?" for _ in columns)
    return f'INSERT INTO "{table.name}" ({", ".join(columns)}) VALUES ({places})'


@cache
def _sqlite_update(table: Table, keys: Columns, columns: Columns) -> str:
    changes = ", ".join(f"{name} = ?" for name in columns if name not in keys)
    return f'UPDATE "{table.name}" SET {changes} WHERE ' + " AND ".join(f"{name} = ?" for name in keys)


def _unnested(table: Table, columns: Columns) -> str:
    types = (table.c[name].type.compile(_POSTGRESQL) for name in columns)
    # Binary: a text array would escape every byte of a mail.
    return ", ".join(f"%b::{word}[]" for word in types)


@cache
def _postgresql_insert(table: Table, columns: Columns) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({_unnested(table, columns)})"


@cache
def _postgresql_update(table: Table, keys: Columns, columns: Columns) -> str:
    changes = ", ".join(f"{name} = v.{name}" for name in columns if name not in keys)
    where = " AND ".join(f"t.{name} = v.{name}" for name in keys)
    values = f"unnest({_unnested(table, columns)}) AS v({', '.join(columns)})"
    return f"UPDATE {table.name} AS t SET {changes} FROM {values} WHERE {where}"
