"""An office that shares: a landlord, a tenant in arrears, agreements with a municipality and a bailiff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from outreach import tables
from outreach.casework import conversations
from outreach.casework.targets import DossierRef, Named, dossier_by_id, dossier_of
from outreach.config import Settings
from outreach.sharing import agreements, signals
from outreach.sharing.arrears import Case, cases_of
from outreach.sharing.ledger import Shared, Wish, share
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.installations import initialise
from tests.outreach.casework.office import DAY, JAN, Office, a_task

DUE = date(2026, 11, 5)
OFFERED = datetime(2026, 11, 17, 9, tzinfo=UTC)
"""The Tuesday on which the help offer goes out: ten days after the due date have passed."""
NOW = OFFERED + 15 * DAY
ANNA, BEA = "staff:anna", "staff:bea"
ADDRESS = "Lindelaan 12\n1234 AB Voorbeeldstad"

Disclosure = tables.sharing.Disclosure
Agreement = tables.sharing.Agreement
EarlySignal = tables.sharing.EarlySignal
RecipientNotice = tables.sharing.RecipientNotice
LogEntry = tables.correspondence.LogEntry
Content = tables.correspondence.Content


def a_landlord(settings: Settings) -> Office:
    """Jan rents at Lindelaan 12 and is in arrears; the help offer to him went out, and nothing more."""
    initialise(settings, is_trial=True)
    office = Office(settings)
    office.run(_fill)
    office.live(OFFERED)
    return office


def _fill(conn: Connection) -> None:
    who = make.a_creditor(conn, strategy="early_signal", sector="rent")
    jan = make.a_debtor(conn, who, "JAN", contract="HUUR-1")
    make.a_point(conn, jan.person_id, ADDRESS, kind="letter")
    make.a_claim(conn, jan, "F1", due=DUE, cents=60_000)
    make.a_claim(conn, jan, "F2", due=DUE + 3 * DAY, cents=5_000)


def jan(conn: Connection) -> DossierRef:
    """Jan's dossier."""
    return dossier_of(conn, JAN)


def agreed(conn: Connection, example: str, *, approved: bool = True, now: datetime = NOW) -> str:
    """Make the agreement that comes with the service, and approve it; return its code."""
    made = agreements.read(agreements.example(example).encode(), example)
    agreements.add(conn, made, ANNA, now)
    if approved:
        agreements.approve(conn, made.code, BEA, now)
    return made.code


def spoke(conn: Connection, at: datetime = OFFERED + 5 * DAY) -> None:
    """Somebody spoke to Jan, who rang or was rung."""
    said = conversations.Said(JAN, "conversation", is_in=False, at=at, body=b"We spoke of help.")
    conversations.record(conn, said, ANNA, NOW)


def restricted(conn: Connection, kind: str = "restriction", **scope: Any) -> int:
    """Jan restricted the use of his data, or objected."""
    where = {"scope": "person", "person_id": jan(conn).person_id} | scope
    return make.a_stop(conn, kind, where.pop("scope"), **where)


def the_case(office: Office, now: datetime = NOW) -> Case:
    """Jan's contract as the list of signals sees it."""

    def look(conn: Connection) -> Case:
        [case] = cases_of(conn, [jan(conn).id], now)
        return case

    return office.run(look)


def signalled(office: Office, now: datetime = NOW, actor: str = ANNA, **options: Any) -> signals.Sent:
    """Send the early signal about Jan, as the command does."""
    return office.run(lambda conn: signals.send(conn, JAN, make.KEYS, actor, now, **options))


def approved_handover(
    conn: Connection, where: DossierRef | None = None, *, approved: bool = True, at: datetime = NOW
) -> None:
    """Somebody decided whether a dossier, Jan's unless told otherwise, is handed over."""
    where = where or jan(conn)
    a_task(conn, "handover", where.id, where.person_id, step="handover")
    values = {
        "dossier_id": where.id,
        "person_id": where.person_id,
        "currency": "EUR",
        "step": "handover",
        "approved": approved,
        "at": at,
        "until_at": at + timedelta(days=365),
        "actor": BEA,
    }
    make.insert_row(conn, table_of(tables.claims.Approval), **values)


PAYLOAD: Mapping[str, Any] = {"contact": [{"name": "Jan de Vries", "phone": "+31612345678"}]}


def shared(conn: Connection, code: str, payload: Mapping[str, Any] = PAYLOAD, now: datetime = NOW) -> Shared:
    """Share something about Jan under an agreement."""
    where = jan(conn)
    wish = Wish(code, "early_signal", "early_signal", where, [where.person_id], payload, {"format": "test/1"})
    return share(conn, wish, make.KEYS, ANNA, now)


def changed(conn: Connection, **values: Any) -> None:
    """Change the agreements there are, as time or a person would."""
    conn.execute(update(table_of(Agreement)).values(**values))


@dataclass(frozen=True)
class Neighbour:
    """Another debtor of the same creditor, with what must be found nowhere else."""

    dossier: DossierRef
    words: tuple[str, ...]


def a_neighbour(conn: Connection, creditor_id: int, number: str, name: str, **values: Any) -> Neighbour:
    """A debtor whose every word can be looked for."""
    mark = new_id()[:10]
    street = f"Dwarsstraat {mark}"
    email = f"{mark}@example.net"
    who = make.a_debtor(conn, creditor_id, number, email=email, name=name, contract=f"C-{mark}", **values)
    make.a_point(conn, who.person_id, f"{street}\n1234 AB Voorbeeldstad", kind="letter")
    make.a_claim(conn, who, f"F-{mark}", due=DUE, description=f"Huur {mark}")
    return Neighbour(
        dossier_by_id(conn, who.dossier_id), (number, street, email, f"F-{mark}", f"Huur {mark}")
    )


def creditor_id(conn: Connection) -> int:
    """The landlord."""
    return int(conn.execute(select(make.creditor.c.id).where(make.creditor.c.code == "WOON")).scalar_one())


__all__ = ["DAY", "JAN", "Named", "Office"]
