"""Column types and field makers that keep the tables short and alike on SQLite and PostgreSQL."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Row, String, Table, TypeDecorator
from sqlalchemy.types import TypeEngine
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


class Moment(TypeDecorator[datetime]):
    """An aware time, stored in UTC: TIMESTAMPTZ on PostgreSQL, text of a fixed width on SQLite.

    SQLModel's own type does the same; formatting by hand takes a fifth of its time, and a mail binds twenty.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use text on SQLite, which has no times; the fixed width sorts as the times do."""
        return dialect.type_descriptor(String(26) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a stored time needs a time zone"
            raise ValueError(msg)
        if dialect.name != "sqlite":
            return value
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.isoformat(" ", "microseconds")[:26]

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        moment: datetime = value.astimezone(UTC)
        return moment


def moment(**options: Any) -> Any:
    """Return a column of an aware time."""
    return Field(sa_type=Moment, **options)


def cents(**options: Any) -> Any:
    """Return a column of money in integer cents."""
    return Field(sa_type=BigInteger, **options)


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table behind a model: queries are written in Core on one path for both databases."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever columns a query selects."""
