"""Write many rows in one statement, on both databases.

PostgreSQL's driver sends a statement for each row of an `executemany`, and each fires the statement's triggers.
There the rows go as one array for each column instead: one short statement, parsed once, whatever their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update
from sqlalchemy.dialects import postgresql

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]

Rows = Sequence[Mapping[str, Any]]


def insert_rows(conn: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; every row names the same columns. None is nothing to do."""
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        conn.execute(insert(table), list(rows))
        return
    columns = tuple(rows[0])
    conn.exec_driver_sql(_insert_sql(table, columns), _arrays(rows, columns))


def update_rows(conn: Connection, table: Table, keys: tuple[str, ...], rows: Rows) -> None:
    """Set the other columns of the rows that `keys` name; every row names the same columns."""
    if not rows:
        return
    columns = tuple(rows[0])
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(_update_sql(table, keys, columns), _arrays(rows, columns))
        return
    renamed = [{f"new_{name}": value for name, value in row.items()} for row in rows]
    conn.execute(_update(table, keys, columns), renamed)


def _arrays(rows: Rows, columns: tuple[str, ...]) -> tuple[list[Any], ...]:
    return tuple([row[name] for row in rows] for name in columns)


def _unnested(table: Table, columns: tuple[str, ...]) -> str:
    types = (table.c[name].type.compile(_POSTGRESQL) for name in columns)
    # Binary: a text array escapes every byte of a mail.
    return ", ".join(f"%b::{word}[]" for word in types)


@cache
def _insert_sql(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({_unnested(table, columns)})"


@cache
def _update_sql(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = v.{name}" for name in columns if name not in keys)
    where = " AND ".join(f"t.{name} = v.{name}" for name in keys)
    values = f"unnest({_unnested(table, columns)}) AS v({', '.join(columns)})"
    return f"UPDATE {table.name} AS t SET {changes} FROM {values} WHERE {where}"


@cache
def _update(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns if name not in keys}
    return update(table).where(*(table.c[name] == bindparam(f"new_{name}") for name in keys)).values(values)
