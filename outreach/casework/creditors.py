"""Add and change creditors: what the gate reads of them raises their policy epoch by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from outreach.casework import strategies
from outreach.correspondence import log
from outreach.errors import NotFound, UsageError
from outreach.store.tables.parties import Creditor
from outreach.store.types import AnyRow, table_of

creditor = table_of(Creditor)

SECTORS = ("rent", "electricity", "gas", "heat", "water", "health_insurance")
"""Whose arrears the law wants told to the municipality (Wgs art. 2 lid 4 c, 3 lid 1 b)."""
NO_SECTOR = "none"

LIMITS = {
    "tolerance_cents": (0, 100_00),
    "notice_days": (0, 30),
    "plan_floor_cents": (1, 10_000_00),
    "plan_most_parts": (1, 60),
    "promise_most_days": (1, 90),
    "deferral_most_days": (1, 365),
}
"""From and to which value a creditor's policy may be set: beyond it a typing error is likelier than a wish."""


def add_creditor(conn: Connection, values: Mapping[str, Any], actor: str, now: datetime) -> None:
    """Add a creditor; sending stays off until it is switched on."""
    row = _checked(conn, values)
    code = row["code"]
    if conn.execute(select(creditor.c.id).where(creditor.c.code == code)).scalar() is not None:
        msg = f"there is a creditor {code!r} already (use: outreach creditor set)"
        raise UsageError(msg)
    defaults = Creditor(code=code, name=row.get("name", code)).model_dump(exclude={"id"})
    conn.execute(insert(creditor).values(**(defaults | row)))
    log.append(
        conn,
        [log.Entry(type="creditor_changed", at=now, actor=actor, creditor=code, reasons=("added",))],
    )


def change_creditor(
    conn: Connection, code: str, values: Mapping[str, Any], actor: str, now: datetime
) -> None:
    """Change what is known of a creditor; the log tells which fields, never their values."""
    row = _checked(conn, values)
    if not row:
        msg = "nothing to change: expected at least one option such as --name or --iban"
        raise UsageError(msg)
    done = conn.execute(update(creditor).where(creditor.c.code == code).values(**row))
    if not done.rowcount:
        msg = f"there is no creditor {code!r} (outreach creditor show lists them)"
        raise NotFound(msg)
    log.append(
        conn,
        [log.Entry(type="creditor_changed", at=now, actor=actor, creditor=code, reasons=sorted(row))],
    )


def creditors(conn: Connection) -> list[AnyRow]:
    """Return all creditors by code."""
    return list(conn.execute(select(creditor).order_by(creditor.c.code)))


def _checked(conn: Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in values.items() if value is not None}
    if "iban" in row:
        row["iban"] = checked_iban(row["iban"])
    if "strategy" in row:
        _check_strategy(conn, row["strategy"])
    if "sector" in row:
        row["sector"] = _sector(row["sector"])
    for name, (least, most) in LIMITS.items():
        if name in row and not least <= row[name] <= most:
            msg = f"--{name.removesuffix('_cents').replace('_', '-')}: {_between(name, least, most)}"
            raise UsageError(msg)
    return row


def _sector(word: str) -> str:
    if word not in {*SECTORS, NO_SECTOR}:
        msg = f"--sector: {word!r}; expected one of {', '.join((*SECTORS, NO_SECTOR))}"
        raise UsageError(msg)
    return "" if word == NO_SECTOR else word


def _between(name: str, least: int, most: int) -> str:
    if name.endswith("_cents"):
        return f"expected an amount from {least / 100:.2f} to {most / 100:.2f}"
    return f"expected a number from {least} to {most}"


def _check_strategy(conn: Connection, name: str) -> None:
    """Refuse a strategy that neither comes with the service nor was added here."""
    known = strategies.names(conn)
    if name not in known:
        msg = f"--strategy: there is no strategy {name!r}; expected one of: {', '.join(known)}"
        raise UsageError(msg)


def checked_iban(text: str) -> str:
    """Return an IBAN without spaces; raises UsageError when its check digits are wrong (ISO 7064 mod 97-10)."""
    iban = "".join(text.split()).upper()
    shape = iban.isalnum() and iban.isascii() and 15 <= len(iban) <= 34
    if not shape or int("".join(str(int(mark, 36)) for mark in iban[4:] + iban[:4])) % 97 != 1:
        msg = "--iban: expected an IBAN with right check digits, as in NL91 ABNA 0417 1643 00"
        raise UsageError(msg)
    return iban
