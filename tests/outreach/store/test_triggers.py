"""What the database itself guarantees: versions that rise, and rows that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Select, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

from outreach import bootstrap
from outreach.bootstrap import initialise, opened
from outreach.config import Settings
from outreach.correspondence import log
from outreach.errors import Refused
from outreach.planning import queries, service_queries
from outreach.store import triggers
from outreach.store.types import metadata, new_id
from outreach.store.writer import Store
from tests import builders as make
from tests.conftest import postgres_database

AT = datetime(2027, 1, 1, tzinfo=UTC)
BEFORE = datetime(2026, 12, 1, tzinfo=UTC)
PERSONAL = {
    "person",
    "debtor",
    "dossier",
    "claim",
    "contact_point",
    "dossier_party",
    "payment",
    "allocation",
    "stop",
    "signal",
    "arrangement",
    "instalment",
    "step_done",
    "approval",
    "service_message",
}

NOT_WATCHED = {
    "person.id": "a key never changes",
    "person.facts_version": "what the triggers raise",
    "debtor.id": "a key never changes",
    "dossier.id": "a key never changes",
    "dossier.next_look_at": "when to look, not what is seen",
    "claim.id": "a key never changes",
    "dossier_party.id": "a key never changes",
    "contact_point.id": "a key never changes",
    "stop.id": "a key never changes",
    "stop.creditor_id": "concerns a whole creditor: raises its policy epoch",
    "stop.reason_code": "told beside the stop, decides nothing",
    "payment.id": "a key never changes",
    "payment.amount_cents": "a booking is never edited; what it reduces is its allocation",
    "allocation.payment_id": "an allocation never moves to another booking",
    "signal.id": "a key never changes",
    "arrangement.id": "a key never changes",
    "instalment.id": "a key never changes",
    "approval.id": "a key never changes",
    "service_message.id": "a key never changes",
    "service_message.asked_at": "when it was asked never changes",
}
"""Columns that the facts queries name and no trigger watches, each with the reason."""

ANOTHER: dict[str, Any] = {
    "person.kind": "business",
    "person.language": "en",
    "person.form_of_address": "informal",
    "person.preferred_channel": "letter",
    "person.country": "BE",
    "person.time_zone": "Europe/Brussels",
    "contact_point.kind": "sms",
    "contact_point.certainty": "dead",
    "claim.kind": "recurring",
    "claim.currency": "USD",
    "payment.currency": "USD",
    "dossier_party.role": "guarantor",
    "stop.kind": "dispute",
    "stop.scope": "dossier",
    "stop.channel": "email",
    "dossier_party.triage": "help",
    "stop.amount_cents": 100,
    "signal.kind": "money_trouble",
    "arrangement.kind": "deferral",
    "arrangement.state": "kept",
    "instalment.state": "paid",
    "arrangement.currency": "USD",
    "approval.currency": "USD",
    "service_message.currency": "USD",
    "service_message.instalment_id": None,
    "service_message.stop_id": None,
    "service_message.payment_id": None,
}
"""Another value for columns whose words are those of a vocabulary."""


def columns_of(query: Select[Any]) -> Iterator[Column[Any]]:
    """Every column that a query names, anywhere in it: what it returns, joins on, filters and sorts by."""
    for element in visitors.iterate(query):
        if isinstance(element, Column) and element.table is not None:
            yield element
    for column in query.selected_columns:
        yield from (found for found in column.base_columns if isinstance(found, Column))


def read_columns() -> set[str]:
    """Every column of personal facts that a query of planning names."""
    return {
        f"{column.table.name}.{column.name}"
        for module in (queries, service_queries)
        for query in vars(module).values()
        if isinstance(query, Select)
        for column in columns_of(query)
        if column.table.name in PERSONAL
    }


def watched() -> list[str]:
    """The declared columns of personal facts."""
    return [
        f"{watch.table}.{name}"
        for watch in triggers.WATCHES
        if watch.table in PERSONAL
        for name in watch.columns
    ]


@dataclass(frozen=True)
class World:
    """Two dossiers of different creditors with a co-debtor, and a stranger who shares nothing."""

    store: Store
    jan: make.Debtor
    co_debtor: int
    namesake: int
    stranger: make.Debtor
    rows: dict[str, int]
    others: dict[str, int]

    def versions(self) -> dict[int, int]:
        """Each person's version."""
        with self.store.reading() as conn:
            return {row.id: row.facts_version for row in conn.execute(select(make.person))}

    def raised(self, work: Callable[[Connection], Any]) -> set[int]:
        """The persons whose version rises with this work."""
        before = self.versions()
        with self.store.transaction() as conn:
            work(conn)
        return {key for key, version in self.versions().items() if version != before.get(key, version)}

    def rest(self) -> None:
        """Nothing is due."""
        with self.store.transaction() as conn:
            conn.execute(update(make.dossier).values(next_look_at=AT))

    def due(self) -> set[int]:
        """The dossiers that must be looked at."""
        with self.store.reading() as conn:
            return set(
                conn.execute(select(make.dossier.c.id).where(make.dossier.c.next_look_at < AT)).scalars()
            )

    def epoch(self) -> int:
        """Jan's creditor's policy epoch."""
        with self.store.reading() as conn:
            epoch: int = conn.execute(
                select(make.creditor.c.policy_epoch).where(make.creditor.c.id == self.jan.creditor_id)
            ).scalar_one()
            return epoch


@contextmanager
def a_world(settings: Settings) -> Iterator[World]:
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            made = populate(conn, store)
        yield made
    finally:
        store.close()


def populate(conn: Connection, store: Store) -> World:
    first, second = make.a_creditor(conn, "WOON"), make.a_creditor(conn, "WATER")
    jan = make.a_debtor(conn, first, "D1", email="jan@example.net", contract="C1")
    co_debtor = make.a_person(conn, "Co Debiteur")
    role = make.insert_row(conn, make.party, dossier_id=jan.dossier_id, person_id=co_debtor, role="co_debtor")
    namesake = make.a_person(conn, "Zelfde Adres")
    make.a_point(conn, namesake, "jan@example.net")
    stranger = make.a_debtor(conn, second, "D9", email="niemand@example.net")
    claim = make.a_claim(conn, jan, "F1", due=date(2026, 11, 20))
    other_claim = make.a_claim(conn, stranger, "F9", due=date(2026, 11, 20))
    make.a_payment(conn, jan, claim, 100, date(2026, 11, 21))
    stop = make.a_stop(conn, "hold", "person", person_id=jan.person_id)
    payment = conn.execute(select(make.payment.c.id)).scalar_one()
    casework = _casework(conn, jan, claim, stop, payment)
    rows = {
        "person": jan.person_id,
        "debtor": jan.debtor_id,
        "dossier": jan.dossier_id,
        "dossier_party": role,
        "contact_point": jan.point_id or 0,
        "claim": claim,
        "payment": payment,
        "allocation": conn.execute(select(make.allocation.c.id)).scalar_one(),
        "stop": stop,
        **casework,
    }
    others = {
        "person_id": stranger.person_id,
        "dossier_id": stranger.dossier_id,
        "debtor_id": stranger.debtor_id,
        "creditor_id": second,
        "claim_id": other_claim,
        "arrangement_id": casework.pop("other_arrangement"),
    }
    rows = {name: key for name, key in rows.items() if name != "other_arrangement"}
    return World(store, jan, co_debtor, namesake, stranger, rows, others)


def _casework(conn: Connection, jan: make.Debtor, claim: int, stop: int, payment: int) -> dict[str, int]:
    """A row of everything that people do with a dossier, and a second arrangement to point at."""
    tables = metadata.tables
    day = date(2026, 11, 20)
    unit = {"dossier_id": jan.dossier_id, "person_id": jan.person_id, "currency": "EUR"}
    agreed = {"kind": "plan", "state": "running", "total_cents": 500, "agreed_at": BEFORE, "missed": 0}
    agreed |= {"starts_on": day, "ends_on": day, "set_by": "staff:test"}
    first, second = (
        make.insert_row(conn, tables["arrangement"], pseudonym=new_id(), **unit, **agreed) for _ in range(2)
    )
    part = {"arrangement_id": first, "number": 1, "due_on": day, "amount_cents": 500, "state": "open"}
    done = {"claim_id": claim, "person_id": jan.person_id, "step": "call", "how": "call", "reached": True}
    done |= {"strategy_hash": "", "tone": "", "counts": True, "at": BEFORE, "actor": "staff:test"}
    said = {"step": "final_notice", "approved": True, "at": BEFORE, "until_at": BEFORE, "actor": "staff:test"}
    signal = {"kind": "promise_broken", "dossier_id": jan.dossier_id, "claim_id": claim, "on_date": day}
    instalment = make.insert_row(conn, tables["instalment"], **part)
    wish = {"template": "instalment_soon", "purpose": "service", "subject": "s", "arrangement_id": first}
    wish |= {
        "instalment_id": instalment,
        "stop_id": stop,
        "payment_id": payment,
        "asked_at": BEFORE,
        "until_at": BEFORE,
    }
    return {
        "other_arrangement": second,
        "arrangement": first,
        "instalment": instalment,
        "signal": make.insert_row(conn, tables["signal"], set_by="staff:test", at=BEFORE, **signal),
        "step_done": make.insert_row(conn, tables["step_done"], **done),
        "approval": make.insert_row(conn, tables["approval"], **unit, **said),
        "service_message": make.insert_row(
            conn, tables["service_message"], pseudonym=new_id(), closed_code="", **unit, **wish
        ),
    }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all columns: each test changes one and rolls nothing back but what it must."""
    url = "" if request.param == "sqlite" else postgres_database(request.getfixturevalue("postgres"))
    with a_world(Settings(data_dir=tmp_path_factory.mktemp("world") / "data", database_url=url)) as made:
        yield made


def another(world: World, column: Column[Any], now: Any) -> Any:
    """A value that differs from what is there."""
    name = f"{column.table.name}.{column.name}"
    if name in ANOTHER:
        return ANOTHER[name]
    if column.name in world.others:
        return world.others[column.name]
    if column.name.endswith("_on") or column.name in {"date_of_birth", "on_date"}:
        return date(2026, 11, 19)
    if column.name.endswith("_at") or column.name == "at":
        return AT
    if isinstance(now, bool):
        return not now
    if isinstance(now, int):
        return now + 1
    return new_id()


def concerned(world: World, table: str) -> set[int]:
    """Whom a change of the world's row of a table concerns."""
    if table == "person":
        return {world.jan.person_id}
    if table in {"stop", "step_done", "approval", "service_message"}:
        return {world.jan.person_id}
    if table == "dossier_party":
        return {world.co_debtor}
    if table == "contact_point":
        return {world.jan.person_id, world.namesake}
    return {world.jan.person_id, world.co_debtor}


def test_every_column_that_the_facts_are_made_of_is_watched_or_excepted() -> None:
    """No column can be read by planning without a trigger on it, or a reason why none is needed."""
    assert read_columns() - set(watched()) == NOT_WATCHED.keys() & read_columns()
    assert not NOT_WATCHED.keys() & set(watched())
    assert {name.partition(".")[0] for name in read_columns()} == PERSONAL


def test_every_fact_of_a_creditor_that_is_read_raises_its_epoch() -> None:
    """What a message says of a creditor, and what the gate reads of it, is in its policy."""
    read = {column.name for column in columns_of(queries.DOSSIERS) if column.table is queries.creditor}
    assert read - set(triggers.POLICY_COLUMNS) == {"id", "payments_until_on", "policy_epoch"}


@pytest.mark.parametrize("name", watched())
def test_a_changed_column_raises_whom_it_concerns_and_makes_their_dossiers_due(
    world: World, name: str
) -> None:
    """A change raises the versions of exactly the persons concerned, and their dossiers are looked at at once."""
    table_name, _, column_name = name.partition(".")
    table = metadata.tables[table_name]
    column, key = table.c[column_name], world.rows[table_name]
    with world.store.reading() as conn:
        now = conn.execute(select(column).where(table.c.id == key)).scalar_one()
    other = another(world, column, now)
    assert other != now
    assert not world.raised(
        lambda conn: conn.execute(update(table).where(table.c.id == key).values({column_name: now}))
    ), "setting a column to what it is raises nobody"
    for value, back in ((other, False), (now, True)):
        world.rest()
        raised = world.raised(
            lambda conn, value=value: conn.execute(
                update(table).where(table.c.id == key).values({column_name: value})
            )
        )
        # Moved to or from another owner, both are concerned.
        extra = {world.stranger.person_id}
        assert concerned(world, table_name) <= raised | ({world.co_debtor} if back else set())
        allowed = concerned(world, table_name) | (extra if column_name in world.others else set())
        if table_name == "contact_point":
            allowed |= {world.namesake}
        assert raised <= allowed | {world.co_debtor} if column_name in world.others else raised <= allowed
        if column_name not in world.others:
            assert world.due() == {world.jan.dossier_id}


@pytest.mark.parametrize("watch", triggers.WATCHES, ids=lambda watch: watch.table)
def test_a_new_and_a_gone_row_raise_like_a_changed_one(world: World, watch: triggers.Watch) -> None:
    """Where a row may come and go, its coming and its going concern the same persons as its change."""
    if "insert" not in watch.events:
        assert watch.table in {"person", "dossier", "attempt", "message_claim"}
        return
    table = metadata.tables[watch.table]
    with world.store.reading() as conn:
        row = dict(conn.execute(select(table).where(table.c.id == world.rows[watch.table])).one()._mapping)
    del row["id"]
    for unique in ("pseudonym", "external_id", "subject"):
        if unique in row:
            row[unique] = new_id()
    if "on_date" in row:
        row["on_date"] = date(2026, 11, 18)
    if "number" in row:
        row["number"] = 2
    row |= {"dossier_party": {"role": "guarantor"}, "contact_point": {"kind": "sms"}}.get(watch.table, {})
    if watch.table == "allocation":
        with world.store.transaction() as conn:
            row["payment_id"] = _a_payment(conn, world)
    made: list[int] = []
    world.rest()
    coming = world.raised(lambda conn: made.append(make.insert_row(conn, table, **row)))
    assert world.due() >= {world.jan.dossier_id} or watch.table == "debtor"
    going = world.raised(lambda conn: conn.execute(delete(table).where(table.c.id == made[0])))
    expected = concerned(world, watch.table)
    if watch.table == "debtor":
        expected = {world.jan.person_id}
    assert coming == going == expected


def _a_payment(conn: Connection, world: World) -> int:
    return make.insert_row(
        conn,
        make.payment,
        creditor_id=world.jan.creditor_id,
        external_id=new_id(),
        kind="payment",
        booked_on=date(2026, 11, 21),
        amount_cents=100,
        unplaced_cents=0,
        currency="EUR",
        debtor_id=world.jan.debtor_id,
        reference="",
        reason_code="",
    )


@pytest.mark.parametrize("name", triggers.POLICY_COLUMNS)
def test_a_changed_creditor_raises_its_epoch_and_nobody(world: World, name: str) -> None:
    """A fact of a whole creditor raises one number and makes all its dossiers due; a person stays as it is."""
    column = make.creditor.c[name]
    mine = make.creditor.c.id == world.jan.creditor_id
    with world.store.reading() as conn:
        now = conn.execute(select(column).where(mine)).scalar_one()
    world.rest()
    before = world.epoch()
    same = update(make.creditor).where(mine).values({name: now})
    assert not world.raised(lambda conn: conn.execute(same))
    assert world.epoch() == before, "setting a column to what it is raises nothing"
    other = another(world, column, now)
    assert not world.raised(
        lambda conn: conn.execute(update(make.creditor).where(mine).values({name: other}))
    )
    assert world.epoch() == before + 1
    assert world.due() == {world.jan.dossier_id}
    with world.store.transaction() as conn:
        conn.execute(same)


def test_a_stop_on_a_creditor_raises_its_epoch_when_it_comes_changes_and_goes(world: World) -> None:
    """A stop of a whole creditor is a fact of the creditor, from its first row to its last."""
    made: list[int] = []
    works: list[Callable[[Connection], Any]] = [
        lambda conn: made.append(make.a_stop(conn, "hold", "creditor", creditor_id=world.jan.creditor_id)),
        lambda conn: conn.execute(update(make.stop).where(make.stop.c.id == made[0]).values(lifted_at=AT)),
        lambda conn: conn.execute(delete(make.stop).where(make.stop.c.id == made[0])),
    ]
    for work in works:
        world.rest()
        before = world.epoch()
        assert not world.raised(work)
        assert world.epoch() == before + 1
        assert world.due() == {world.jan.dossier_id}


def test_new_payments_of_a_creditor_make_due_what_waits_on_them(world: World) -> None:
    """A later day of processed payments is looked at by the dossiers that wait on it, and no version rises."""
    mine = make.creditor.c.id == world.jan.creditor_id
    for waits in (False, True):
        world.rest()
        with world.store.transaction() as conn:
            conn.execute(update(make.dossier).values(waits_on_payments=waits))
        on = date(2040, 1, 1 + waits)
        assert not world.raised(
            lambda conn, on=on: conn.execute(update(make.creditor).where(mine).values(payments_until_on=on))
        )
        assert world.due() == ({world.jan.dossier_id} if waits else set())


def test_fewer_known_payments_raise_the_epoch(world: World) -> None:
    """A day of processed payments that is taken back makes queued messages planned anew: they rest on it."""
    mine = make.creditor.c.id == world.jan.creditor_id
    raised = []
    for on in (date(2026, 11, 22), date(2040, 1, 3), date(2040, 1, 2), None, date(2040, 1, 3)):
        before = world.epoch()
        with world.store.transaction() as conn:
            conn.execute(update(make.creditor).where(mine).values(payments_until_on=on))
        raised.append(world.epoch() - before)
    assert raised == [1, 0, 1, 1, 0]


def kept_rows(conn: Connection) -> None:
    log.append(conn, [log.Entry(type="previewed", at=AT, actor="staff:test")])
    log.keep(conn, [("c" * 32, "text", b"said")], AT)
    log.keep_artefact(conn, "pack", "test", b"body", AT)
    dossier_id = make.a_debtor(conn, make.a_creditor(conn)).dossier_id
    conn.execute(
        insert(queries.decision).values(
            pseudonym=new_id(),
            dossier_id=dossier_id,
            currency="EUR",
            at=AT,
            outcome="waiting",
            code="",
            fingerprint="",
            answer=b"",
            facts_content_id="c" * 32,
            strategy_hash="",
            pack_hash="",
            template_hash="",
            code_version="",
        )
    )


def test_what_was_written_stays_as_it_was_written(settings: Settings) -> None:
    """Entries, decisions and artefacts are never changed or deleted; content may be erased, never rewritten."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    with store.transaction() as conn:
        kept_rows(conn)
    refused = [
        f"UPDATE {table} SET {column} = {column}"
        for table, column in (
            ("log_entry", "actor"),
            ("artefact", "name"),
            ("decision", "code"),
            ("content", "codec"),
        )
    ]
    refused += [f"DELETE FROM {table}" for table in ("log_entry", "artefact", "decision")]
    if store.dialect == "postgresql":
        refused += [f"TRUNCATE {table} CASCADE" for table in ("log_entry", "artefact", "decision")]
    else:
        refused += [
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" for table in ("log_entry", "artefact")
        ]
    for statement in refused:
        with pytest.raises(DBAPIError, match="only ever added"), store.transaction() as conn:
            conn.execute(text(statement))
    with store.transaction() as conn:
        assert conn.execute(text("DELETE FROM content WHERE id = :key"), {"key": "c" * 32}).rowcount == 1
        for table in ("log_entry", "artefact", "decision"):
            assert conn.execute(text(f"SELECT count(*) FROM {table}")).scalar()
    store.close()


TAMPERED = {
    "sqlite": {
        "dropped": ["DROP TRIGGER facts_stop_insert"],
        "altered": [
            "DROP TRIGGER keep_log_entry_delete",
            "CREATE TRIGGER keep_log_entry_delete BEFORE DELETE ON log_entry BEGIN SELECT 1; END",
        ],
        "extra": ["CREATE TRIGGER facts_more AFTER INSERT ON stop BEGIN SELECT 1; END"],
    },
    "postgresql": {
        "dropped": ["DROP TRIGGER facts_stop_insert ON stop"],
        "altered": [
            "CREATE OR REPLACE FUNCTION keep_log_entry_delete() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'"
        ],
        "altered_event": [
            "DROP TRIGGER facts_stop_insert ON stop",
            "CREATE TRIGGER facts_stop_insert AFTER INSERT ON stop REFERENCING NEW TABLE AS new_rows "
            "FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION facts_stop_insert()",
        ],
        "disabled": ["ALTER TABLE stop DISABLE TRIGGER facts_stop_insert"],
        "replica_only": ["ALTER TABLE stop ENABLE REPLICA TRIGGER facts_stop_insert"],
        "extra": [
            "CREATE TRIGGER facts_more AFTER INSERT ON stop FOR EACH STATEMENT EXECUTE FUNCTION facts_stop_insert()"
        ],
    },
}


def test_changed_triggers_are_found_and_stop_the_sending(settings: Settings) -> None:
    """A database whose triggers are not the declared ones sends nothing, says why, and migrate repairs it."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    for way, statements in TAMPERED[store.dialect].items():
        with store.transaction() as conn:
            assert triggers.differences(conn) == []
            for statement in statements:
                conn.execute(text(statement))
        with store.reading() as conn:
            (difference,) = triggers.differences(conn)
        with pytest.raises(Refused) as refused, opened(settings, for_sending=True):
            pass
        assert difference in str(refused.value), way
        with opened(settings) as app:
            assert difference in bootstrap.unsafe(app)
        bootstrap.migrate(settings)
        with opened(settings, for_sending=True) as app:
            assert app.installed.sending
    store.close()
