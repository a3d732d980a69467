"""The migrated schema is that of the tables, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect

from outreach.bootstrap import initialise
from outreach.config import Settings
from outreach.store import schema
from outreach.store.writer import Store
from outreach.tables import metadata


def test_migrations_make_what_the_tables_declare(settings: Settings) -> None:
    """Alembic finds no table, column, type, index or key to add, change or drop after all migrations."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            context = MigrationContext.configure(conn, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
    finally:
        store.close()


def test_migrations_make_the_declared_checks(settings: Settings) -> None:
    """Checks, which Alembic does not compare, are there under their names."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            found = {
                (table, check["name"])
                for table in metadata.tables
                for check in inspect(conn).get_check_constraints(table)
            }
    finally:
        store.close()
    declared = {
        (table.name, str(check.name))
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    assert declared
    assert found == declared


def test_an_upgrade_of_a_new_database_changes_nothing(settings: Settings) -> None:
    """Migrating a database that is up to date leaves it as the code expects, triggers and words included."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            schema.upgrade(conn)
        with store.reading() as conn:
            assert schema.problems(conn) == []
    finally:
        store.close()
