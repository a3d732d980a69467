"""Write many rows in few statements, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert


def insert_rows(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; every row names the same columns. None is nothing to do.

    PostgreSQL's driver would send a statement for each row, and with it fire the statement's triggers;
    asking for the keys makes SQLAlchemy write a thousand rows in one statement instead.
    """
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        conn.execute(insert(table), list(rows))
    else:
        conn.execute(insert(table).returning(*table.primary_key), list(rows)).close()
