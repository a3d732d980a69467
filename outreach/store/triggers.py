"""What the database itself guarantees, declared once for SQLite and PostgreSQL.

Two promises live here because no code path may forget them: a change of anything the gate reads raises
`person.facts_version` and makes the person's dossiers due, and a log entry is never changed or deleted.
A declaration tells which persons a changed row concerns; the query reads from `changed`, which is a row on
SQLite and a transition table on PostgreSQL. Triggers are reinstalled after every upgrade and compared with
the database's catalogue at start-up.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

AT_ONCE = "1970-01-01 00:00:00.000000"
"""`next_look_at` of a dossier that a change made due, whatever the business clock says."""

_PARTIES = "SELECT p.person_id FROM changed c JOIN dossier_party p ON p.dossier_id = c.{column}"


@dataclass(frozen=True)
class Watch:
    """Columns whose change concerns persons. `look_when` limits which new rows make dossiers due."""

    table: str
    columns: tuple[str, ...]
    persons: tuple[str, ...]
    events: tuple[str, ...] = ("insert", "update", "delete")
    look_when: str = ""
    needs: tuple[str, ...] = ()

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that the persons' queries may name."""
        return tuple(dict.fromkeys(("id", *self.needs, *self.columns)))


WATCHES = (
    Watch(
        "person",
        (
            "kind",
            "name",
            "language",
            "form_of_address",
            "preferred_channel",
            "country",
            "time_zone",
            "date_of_birth",
            "deceased_on",
            "address_protected",
            "pseudonym",
        ),
        ("SELECT c.id AS person_id FROM changed c",),
        events=("update",),
    ),
    Watch(
        "debtor",
        ("creditor_id", "person_id", "external_id"),
        (
            "SELECT c.person_id FROM changed c",
            # The creditor's number stands in the messages to a co-debtor too.
            "SELECT p.person_id FROM changed c JOIN dossier d ON d.debtor_id = c.id "
            "JOIN dossier_party p ON p.dossier_id = d.id",
        ),
    ),
    Watch(
        "dossier",
        ("creditor_id", "debtor_id", "contract_id", "pseudonym", "segment", "strategy", "moved_at"),
        (_PARTIES.format(column="id"),),
        events=("update",),
    ),
    Watch(
        "dossier_party",
        ("dossier_id", "person_id", "role", "from_at", "until_at", "triage"),
        ("SELECT c.person_id FROM changed c",),
    ),
    Watch(
        "contact_point",
        ("person_id", "kind", "value", "address_key", "certainty", "until_at"),
        (
            "SELECT c.person_id FROM changed c",
            "SELECT o.person_id FROM changed c JOIN contact_point o ON o.address_key = c.address_key",
        ),
    ),
    Watch(
        "claim",
        (
            "dossier_id",
            "creditor_id",
            "external_id",
            "invoice_number",
            "kind",
            "invoice_on",
            "due_on",
            "principal_cents",
            "currency",
            "description",
            "payment_url",
            "pseudonym",
            "last_step",
            "last_step_on",
        ),
        (_PARTIES.format(column="dossier_id"),),
    ),
    Watch(
        "payment",
        ("debtor_id", "unplaced_cents", "currency"),
        (
            "SELECT p.person_id FROM changed c JOIN dossier d ON d.debtor_id = c.debtor_id "
            "JOIN dossier_party p ON p.dossier_id = d.id",
        ),
    ),
    Watch(
        "allocation",
        ("claim_id", "booked_on", "amount_cents"),
        (
            "SELECT p.person_id FROM changed c JOIN claim k ON k.id = c.claim_id "
            "JOIN dossier_party p ON p.dossier_id = k.dossier_id",
        ),
    ),
    Watch(
        "stop",
        (
            "kind",
            "scope",
            "person_id",
            "dossier_id",
            "claim_id",
            "address_key",
            "channel",
            "from_at",
            "until_at",
            "lifted_at",
            "amount_cents",
            "arrangement_id",
            "department",
            "answer_by_on",
        ),
        (
            "SELECT c.person_id FROM changed c WHERE c.person_id IS NOT NULL",
            _PARTIES.format(column="dossier_id"),
            "SELECT p.person_id FROM changed c JOIN claim k ON k.id = c.claim_id "
            "JOIN dossier_party p ON p.dossier_id = k.dossier_id",
            "SELECT o.person_id FROM changed c JOIN contact_point o ON o.address_key = c.address_key",
        ),
    ),
    Watch("signal", ("kind", "dossier_id", "claim_id", "on_date"), (_PARTIES.format(column="dossier_id"),)),
    Watch(
        "arrangement",
        ("kind", "state", "dossier_id", "currency", "total_cents", "starts_on", "ends_on"),
        (_PARTIES.format(column="dossier_id"),),
    ),
    Watch(
        "instalment",
        ("arrangement_id", "number", "due_on", "amount_cents", "state"),
        (
            "SELECT p.person_id FROM changed c JOIN arrangement a ON a.id = c.arrangement_id "
            "JOIN dossier_party p ON p.dossier_id = a.dossier_id",
        ),
    ),
    Watch(
        "step_done",
        ("claim_id", "person_id", "step", "strategy_hash", "tone", "reached", "counts", "at"),
        ("SELECT c.person_id FROM changed c",),
    ),
    Watch(
        "approval",
        ("dossier_id", "person_id", "currency", "step", "approved", "at", "until_at"),
        ("SELECT c.person_id FROM changed c",),
    ),
    Watch(
        "service_message",
        (
            "template",
            "purpose",
            "dossier_id",
            "person_id",
            "currency",
            "arrangement_id",
            "instalment_id",
            "stop_id",
            "payment_id",
            "until_at",
            "closed_at",
        ),
        ("SELECT c.person_id FROM changed c",),
    ),
    Watch(
        "attempt",
        ("state",),
        ("SELECT c.person_id FROM changed c",),
        events=("update",),
        look_when="c.state IN ('in_doubt', 'bounced', 'returned', 'refused', 'expired', 'withdrawn')",
        needs=("person_id",),
    ),
    Watch(
        "message_claim",
        ("counts",),
        ("SELECT c.person_id FROM changed c",),
        events=("update",),
        needs=("person_id",),
    ),
)

POLICY_COLUMNS = (
    "code",
    "name",
    "iban",
    "phone",
    "email",
    "kind",
    "register_number",
    "is_agency",
    "is_small_office",
    "sending",
    "strategy",
    "interval_days",
    "freshness_hours",
    "tolerance_cents",
    "notice_days",
    "handover_to",
)
"""A change of one of these raises the creditor's policy epoch and makes all its dossiers due."""

_FEWER_PAYMENTS = (
    "coalesce({new}.payments_until_on < {old}.payments_until_on, {old}.payments_until_on IS NOT NULL "
    "AND {new}.payments_until_on IS NULL)"
)
"""A day of processed payments that is taken back raises the epoch too: queued messages rest on it."""

_CREDITOR_STOP = (
    "creditor_id",
    *next(watch.columns for watch in WATCHES if watch.table == "stop"),
)
"""A change of one of these of a stop on a creditor raises the creditor's policy epoch."""

EVERYBODYS = ("declaration", "rule_confirmation")
"""Tables of what holds for every creditor: a change of one makes everything be looked at again."""

KEPT = {
    "log_entry": ("update", "delete"),
    "artefact": ("update", "delete"),
    "decision": ("update", "delete"),
    "content": ("update",),
    "consent_event": ("update", "delete"),
    "disclosure": ("update", "delete"),
}
"""Tables whose rows stay as they were written; content may be erased, never rewritten."""


def declared(dialect: str) -> dict[str, tuple[str, ...]]:
    """Return, by trigger name, the statements that make it; the last one is the trigger itself."""
    make = _sqlite if dialect == "sqlite" else _postgresql
    return make()


def install(conn: Connection) -> None:
    """Drop whatever triggers of ours there are and create the declared ones."""
    dialect = conn.dialect.name
    for name, (table, _) in catalogue(conn).items():
        on = "" if dialect == "sqlite" else f" ON {table}"
        conn.execute(text(f"DROP TRIGGER {name}{on}"))
    for statements in declared(dialect).values():
        for statement in statements:
            conn.exec_driver_sql(statement)


def differences(conn: Connection) -> list[str]:
    """Compare the declared triggers with the catalogue; an empty list means they are the same."""
    dialect = conn.dialect.name
    found = catalogue(conn)
    wanted = declared(dialect)
    missing = [f"trigger {name} is missing" for name in wanted if name not in found]
    extra = [f"trigger {name} is not declared" for name in found if name not in wanted]
    changed = [
        f"trigger {name} differs from its declaration"
        for name, statements in wanted.items()
        if name in found and found[name][1] != _essence(dialect, statements)
    ]
    return missing + extra + changed


def catalogue(conn: Connection) -> dict[str, tuple[str, str]]:
    """Return our triggers as the database knows them: name to (table, text that can be compared)."""
    if conn.dialect.name == "sqlite":
        rows = conn.execute(
            text(
                "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' "
                "AND (name LIKE 'facts\\_%' ESCAPE '\\' OR name LIKE 'keep\\_%' ESCAPE '\\')"
            )
        )
        return {row.name: (row.tbl_name, row.sql) for row in rows}
    rows = conn.execute(
        text(
            "SELECT t.tgname AS name, r.relname AS tbl_name, "
            "t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid, true) || p.prosrc AS sql "
            "FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "JOIN pg_namespace n ON n.oid = r.relnamespace "
            "WHERE NOT t.tgisinternal AND n.nspname = current_schema() "
            "AND (t.tgname LIKE 'facts\\_%' OR t.tgname LIKE 'keep\\_%')"
        )
    )
    return {row.name: (row.tbl_name, row.sql) for row in rows}


def _essence(dialect: str, statements: tuple[str, ...]) -> str:
    """Return what the catalogue keeps of a declaration."""
    if dialect == "sqlite":
        return statements[-1]
    return f"O {statements[-1]}{statements[0].split('$body$')[1]}"


# SQLite: one trigger per table and event, for each row.


def _sqlite() -> dict[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}
    for watch in WATCHES:
        for event in watch.events:
            name = f"facts_{watch.table}_{event}"
            made[name] = (_sqlite_watch(name, watch, event),)
            made[f"{name}_look"] = (_sqlite_watch(f"{name}_look", watch, event, look=True),)
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in POLICY_COLUMNS)
    changed += f" OR {_FEWER_PAYMENTS.format(old='OLD', new='NEW')}"
    made["facts_creditor_policy"] = (
        "CREATE TRIGGER facts_creditor_policy "
        f"AFTER UPDATE OF {', '.join(POLICY_COLUMNS)}, payments_until_on ON creditor "
        f"WHEN {changed} BEGIN "
        "UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE id = NEW.id; "
        f"UPDATE dossier SET next_look_at = '{AT_ONCE}' WHERE creditor_id = NEW.id; END",
    )
    made["facts_creditor_payments"] = (
        "CREATE TRIGGER facts_creditor_payments AFTER UPDATE OF payments_until_on ON creditor "
        "WHEN OLD.payments_until_on IS NOT NEW.payments_until_on BEGIN "
        f"UPDATE dossier SET next_look_at = '{AT_ONCE}' "
        "WHERE creditor_id = NEW.id AND waits_on_payments; END",
    )
    differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _CREDITOR_STOP)
    for name, event, rows, when in (
        ("facts_creditor_stop", "INSERT", "(NEW.creditor_id)", "NEW.creditor_id IS NOT NULL"),
        ("facts_creditor_stop_change", "UPDATE", "(OLD.creditor_id, NEW.creditor_id)", differs),
        ("facts_creditor_stop_delete", "DELETE", "(OLD.creditor_id)", "OLD.creditor_id IS NOT NULL"),
    ):
        made[name] = (
            f"CREATE TRIGGER {name} AFTER {event} ON stop WHEN {when} BEGIN "
            f"UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE id IN {rows}; "
            f"UPDATE dossier SET next_look_at = '{AT_ONCE}' WHERE creditor_id IN {rows}; END",
        )
    for event in ("INSERT", "UPDATE", "DELETE"):
        row = "OLD" if event == "DELETE" else "NEW"
        name = f"facts_segment_strategy_{event.lower()}"
        made[name] = (
            f"CREATE TRIGGER {name} AFTER {event} ON segment_strategy BEGIN "
            f"UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE id = {row}.creditor_id; "
            f"UPDATE dossier SET next_look_at = '{AT_ONCE}' WHERE creditor_id = {row}.creditor_id; END",
        )
    made["facts_strategy"] = (
        "CREATE TRIGGER facts_strategy AFTER UPDATE OF hash ON strategy WHEN OLD.hash IS NOT NEW.hash BEGIN "
        "UPDATE creditor SET policy_epoch = policy_epoch + 1; "
        f"UPDATE dossier SET next_look_at = '{AT_ONCE}'; END",
    )
    for table in EVERYBODYS:
        for event in ("INSERT", "UPDATE"):
            name = f"facts_{table}_{event.lower()}"
            made[name] = (
                f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN "
                "UPDATE creditor SET policy_epoch = policy_epoch + 1; "
                f"UPDATE dossier SET next_look_at = '{AT_ONCE}'; END",
            )
    made["facts_installation"] = (
        "CREATE TRIGGER facts_installation AFTER UPDATE OF sending ON installation "
        f"WHEN NEW.sending AND NOT OLD.sending BEGIN UPDATE dossier SET next_look_at = '{AT_ONCE}'; END",
    )
    for table, events in KEPT.items():
        for event in events:
            name = f"keep_{table}_{event}"
            made[name] = (
                f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END",
            )
    return made


def _sqlite_watch(name: str, watch: Watch, event: str, *, look: bool = False) -> str:
    """Raise the persons' versions, or (`look`) make their dossiers due."""
    rows = {"insert": ("NEW",), "delete": ("OLD",), "update": ("NEW", "OLD")}[event]
    selects = [_sqlite_rows(query, watch, row) for query in watch.persons for row in rows]
    persons = " UNION ".join(dict.fromkeys(selects))
    when, of = "", ""
    if event == "update":
        of = f" OF {', '.join(watch.columns)}"
        when = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in watch.columns)
    if look and watch.look_when:
        look_when = " OR ".join(watch.look_when.replace("c.", f"{row}.") for row in rows)
        when = f"({when}) AND ({look_when})"
    body = (
        f"UPDATE dossier SET next_look_at = '{AT_ONCE}' WHERE (next_look_at IS NULL OR next_look_at > '{AT_ONCE}') "
        f"AND id IN (SELECT dp.dossier_id FROM dossier_party dp WHERE dp.person_id IN ({persons}))"
        if look
        else f"UPDATE person SET facts_version = facts_version + 1 WHERE id IN ({persons})"
    )
    condition = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} AFTER {event.upper()}{of} ON {watch.table}{condition} BEGIN {body}; END"


def _sqlite_rows(query: str, watch: Watch, row: str) -> str:
    columns = ", ".join(f"{row}.{column} AS {column}" for column in watch.read)
    return query.replace("FROM changed c", f"FROM (SELECT {columns}) c")


# PostgreSQL: one trigger per table and event, for each statement, over transition tables.


def _postgresql() -> dict[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}
    for watch in WATCHES:
        for event in watch.events:
            name = f"facts_{watch.table}_{event}"
            made[name] = _pg_statement(name, watch.table, event, _pg_watch(watch, event))
    changed = " OR ".join(f"o.{column} IS DISTINCT FROM n.{column}" for column in POLICY_COLUMNS)
    changed += f" OR {_FEWER_PAYMENTS.format(old='o', new='n')}"
    look = f"UPDATE dossier SET next_look_at = '{AT_ONCE}+00'"
    pair = "new_rows n JOIN old_rows o ON o.id = n.id"
    made["facts_creditor_policy"] = _pg_statement(
        "facts_creditor_policy",
        "creditor",
        "update",
        f"UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE id IN (SELECT n.id FROM {pair} WHERE {changed}); "
        f"{look} WHERE creditor_id IN (SELECT n.id FROM {pair} WHERE {changed});",
    )
    made["facts_creditor_payments"] = _pg_statement(
        "facts_creditor_payments",
        "creditor",
        "update",
        f"{look} WHERE waits_on_payments AND creditor_id IN "
        f"(SELECT n.id FROM {pair} WHERE o.payments_until_on IS DISTINCT FROM n.payments_until_on);",
    )
    differs = " OR ".join(f"o.{column} IS DISTINCT FROM n.{column}" for column in _CREDITOR_STOP)
    for name, event, stopped in (
        ("facts_creditor_stop", "insert", "SELECT creditor_id FROM new_rows"),
        (
            "facts_creditor_stop_change",
            "update",
            f"SELECT unnest(ARRAY[o.creditor_id, n.creditor_id]) FROM {pair} WHERE {differs}",
        ),
        ("facts_creditor_stop_delete", "delete", "SELECT creditor_id FROM old_rows"),
    ):
        made[name] = _pg_statement(
            name,
            "stop",
            event,
            f"UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE id IN ({stopped}); "
            f"{look} WHERE creditor_id IN ({stopped});",
        )
    for event in ("insert", "update", "delete"):
        rows = "old_rows" if event == "delete" else "new_rows"
        stopped = f"SELECT creditor_id FROM {rows}"
        made[f"facts_segment_strategy_{event}"] = _pg_statement(
            f"facts_segment_strategy_{event}",
            "segment_strategy",
            event,
            f"UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE id IN ({stopped}); "
            f"{look} WHERE creditor_id IN ({stopped});",
        )
    new_version = f"EXISTS (SELECT 1 FROM {pair} WHERE o.hash IS DISTINCT FROM n.hash)"
    made["facts_strategy"] = _pg_statement(
        "facts_strategy",
        "strategy",
        "update",
        f"UPDATE creditor SET policy_epoch = policy_epoch + 1 WHERE {new_version}; "
        f"{look} WHERE {new_version};",
    )
    for table in EVERYBODYS:
        for event in ("insert", "update"):
            made[f"facts_{table}_{event}"] = _pg_statement(
                f"facts_{table}_{event}",
                table,
                event,
                f"UPDATE creditor SET policy_epoch = policy_epoch + 1; {look};",
            )
    made["facts_installation"] = _pg_statement(
        "facts_installation",
        "installation",
        "update",
        f"{look} WHERE EXISTS (SELECT 1 FROM {pair} WHERE n.sending AND NOT o.sending);",
    )
    for table, events in KEPT.items():
        # Emptying a table fires no DELETE trigger on PostgreSQL; SQLite knows no TRUNCATE.
        for event in (*events, "truncate") if "delete" in events else events:
            name = f"keep_{table}_{event}"
            body = f"BEGIN RAISE EXCEPTION 'rows of {table} are only ever added'; END"
            made[name] = (
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ {body} $body$",
                f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
            )
    return made


def _pg_statement(name: str, table: str, event: str, statements: str) -> tuple[str, ...]:
    body = f"BEGIN {statements} RETURN NULL; END"
    tables = {
        "insert": "REFERENCING NEW TABLE AS new_rows",
        "delete": "REFERENCING OLD TABLE AS old_rows",
        "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    }[event]
    # Our own triggers update person, creditor and dossier, never a watched column: nested calls need not look.
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ {body} $body$",
        f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} {tables} "
        f"FOR EACH STATEMENT WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION {name}()",
    )


def _pg_watch(watch: Watch, event: str) -> str:
    columns = ", ".join(watch.read)
    if event == "update":
        differ = " OR ".join(f"o.{column} IS DISTINCT FROM n.{column}" for column in watch.columns)
        new = ", ".join(f"n.{column}" for column in watch.read)
        old = ", ".join(f"o.{column}" for column in watch.read)
        pair = f"FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE {differ}"
        changed = f"SELECT {new} {pair} UNION ALL SELECT {old} {pair}"
    else:
        changed = f"SELECT {columns} FROM {'new_rows' if event == 'insert' else 'old_rows'}"
    persons = " UNION ".join(watch.persons)
    look = watch.persons
    if watch.look_when:
        changed_looks = "changed c WHERE " + watch.look_when
        look = tuple(query.replace("changed c", changed_looks) for query in look)
    # Rows are locked in the order of their ids, as everyone else does, so that no two writers wait on each other.
    return (
        f"WITH changed AS ({changed}), ids AS ({persons}), locked AS (SELECT p.id FROM person p "
        "WHERE p.id IN (SELECT person_id FROM ids) ORDER BY p.id FOR NO KEY UPDATE) "
        "UPDATE person SET facts_version = facts_version + 1 FROM locked WHERE person.id = locked.id; "
        f"WITH changed AS ({changed}), ids AS ({' UNION '.join(look)}) "
        f"UPDATE dossier SET next_look_at = '{AT_ONCE}+00' "
        f"WHERE (next_look_at IS NULL OR next_look_at > '{AT_ONCE}+00') AND id IN "
        "(SELECT dp.dossier_id FROM dossier_party dp WHERE dp.person_id IN (SELECT person_id FROM ids));"
    )
