"""Column types and field makers that keep the tables short and alike on SQLite and PostgreSQL."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData, Row, String, Table
from sqlmodel import Field, SQLModel

# Names that both databases and Alembic agree on; set before the first table is declared.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata: MetaData = SQLModel.metadata

Big = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; on SQLite the row id, which is 64 bits under the name INTEGER."""

PUBLIC_ID = String(32)
"""A random 128-bit id as 32 hex characters: for everything that leaves the system."""


def new_id() -> str:
    """Return a fresh random 128-bit id as 32 hex characters."""
    return secrets.token_hex(16)


def key() -> Any:
    """Return the field of a table's inner key."""
    return Field(default=None, primary_key=True, sa_type=Big)


def ref(column: str, **options: Any) -> Any:
    """Return a foreign key to `table.column`, not null unless a default is given."""
    return Field(foreign_key=column, sa_type=Big, **options)


def word(vocabulary: str, **options: Any) -> Any:
    """Return a column whose words are rows of a lookup table, so that a vocabulary can grow."""
    return Field(foreign_key=f"{vocabulary}.word", **options)


def public_id(**options: Any) -> Any:
    """Return a unique random id column."""
    return Field(sa_type=PUBLIC_ID, unique=True, **options)


def cents(**options: Any) -> Any:
    """Return a column of money in integer cents."""
    return Field(sa_type=BigInteger, **options)


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table behind a model: queries are written in Core on one path for both databases."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever columns a query selects."""
