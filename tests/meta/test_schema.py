"""The migrated schema is that of the tables, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, MetaData, insert, inspect, select

from outreach.bootstrap import initialise
from outreach.config import Settings
from outreach.store import schema
from outreach.store.tables.vocabulary import TABLES, VOCABULARIES
from outreach.store.writer import Store
from outreach.tables import metadata
from tests import builders as make


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


DAY, AT = date(2026, 11, 20), datetime(2026, 11, 20, 9, tzinfo=UTC)
OLD_CREDITOR = {
    "code": "WOON",
    "name": "De Linde",
    "iban": "",
    "phone": "",
    "email": "",
    "kind": "company",
    "register_number": "",
    "is_agency": False,
    "is_small_office": False,
    "is_example": True,
    "sending": False,
    "strategy": "friendly_pair",
    "interval_days": 5,
    "freshness_hours": 72,
    "policy_epoch": 0,
}
OLD_PERSON = {
    "pseudonym": "a" * 32,
    "kind": "person",
    "name": "Jan",
    "language": "nl",
    "form_of_address": "formal",
    "country": "NL",
    "time_zone": "Europe/Amsterdam",
    "address_protected": False,
    "facts_version": 1,
}
OLD_CLAIM = {
    "pseudonym": "c" * 32,
    "creditor_id": 1,
    "dossier_id": 1,
    "external_id": "F1",
    "invoice_number": "F1",
    "kind": "single",
    "invoice_on": DAY,
    "due_on": DAY,
    "principal_cents": 100,
    "currency": "EUR",
    "description": "",
    "payment_url": "",
    "details": "{}",
}
OLD_STOP = {
    "pseudonym": "s" * 32,
    "kind": "hold",
    "scope": "claim",
    "claim_id": 1,
    "from_at": AT,
    "reason_code": "",
    "set_by": "staff:test",
}
A_BOOK_OF_THE_FIRST_VERSION: dict[str, dict[str, Any]] = {
    "creditor": OLD_CREDITOR,
    "person": OLD_PERSON,
    "debtor": {"creditor_id": 1, "person_id": 1, "external_id": "D1"},
    "dossier": {
        "pseudonym": "d" * 32,
        "creditor_id": 1,
        "debtor_id": 1,
        "contract_id": "C1",
        "waits_on_payments": False,
    },
    "dossier_party": {"dossier_id": 1, "person_id": 1, "role": "debtor"},
    "claim": OLD_CLAIM,
    "stop": OLD_STOP,
}


def test_an_upgrade_keeps_the_rows_of_an_older_database(settings: Settings) -> None:
    """A database of the first version, with somebody's book in it, is brought to this one with every row."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            config = schema.config()
            config.attributes["connection"] = conn
            command.upgrade(config, "0001")
            there = set(inspect(conn).get_table_names())
            for name, table in TABLES.items():
                if name in there:
                    conn.execute(insert(table), [{"word": word} for word in VOCABULARIES[name]])
            old = MetaData()
            old.reflect(conn)
            for name, row in A_BOOK_OF_THE_FIRST_VERSION.items():
                conn.execute(insert(old.tables[name]).values(id=1, **row))
        with store.transaction() as conn:
            schema.upgrade(conn)
        with store.reading() as conn:
            assert schema.problems(conn) == []
            assert conn.execute(select(make.claim.c.id, make.claim.c.direct_debit)).all() == [(1, False)]
            assert conn.execute(select(make.party.c.triage)).scalars().all() == ["open"]
            assert conn.execute(select(make.creditor.c.plan_floor_cents)).scalars().all() == [2500]
            assert conn.execute(select(make.stop.c.claim_id)).scalars().all() == [1]
    finally:
        store.close()
