"""How what a file tells of contact points changes those that are there: nothing, an addition, or a succession.

What a person or a bounce learned of a point stands: it has another source, or a certainty that no file gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from outreach.intake.contact_values import PointValue
from outreach.parties.addresses import AddressKeys
from outreach.store.tables.parties import ContactPoint
from outreach.store.types import table_of

point = table_of(ContactPoint)

SOURCE = "import"
_FROM_FILES = ("unverified", "verified")
"""Certainties that a file may set and replace; a dead, suspect or wrong one was learned and stays."""


class PointChange(NamedTuple):
    """One change of one point: of the row `point_id`, or a new row where there is none (`value` with its key)."""

    point_id: int | None
    value: str = ""
    certainty: str = ""
    address_key: str = ""
    ends: bool = False


def points_by_person(conn: Connection, persons: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """Return the contact points of these persons, ended ones too."""
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    if persons:
        query = select(point).where(point.c.person_id.in_(persons)).order_by(point.c.id)
        for row in conn.execute(query):
            found[row.person_id].append(row)
    return found


def point_changes(
    points: Sequence[Row[Any]], kind: str, told: PointValue, keys: AddressKeys, *, is_linked: bool = False
) -> list[PointChange]:
    """Return what must change so that the point told is the imported one of its kind; mostly nothing.

    A person linked to several debtors is told of by several files: a point one of them does not know is then no
    old one, and certainty only rises.
    """
    same_kind = [row for row in points if row.kind == kind]
    match = next((row for row in same_kind if row.value == told.value), None)
    if match is None:
        key = keys.of(kind, told.value)
        match = next((row for row in same_kind if row.address_key == key), None)
    changes: list[PointChange] = []
    if match is None:
        changes.append(PointChange(None, told.value, told.certainty, key))
    elif match.source == SOURCE:
        certainty = _certainty(match.certainty, told.certainty, is_linked=is_linked)
        if match.until_at is not None or match.value != told.value or certainty != match.certainty:
            changes.append(PointChange(match.id, told.value, certainty))
    if not is_linked:
        changes += [
            PointChange(row.id, row.value, row.certainty, ends=True)
            for row in same_kind
            if row is not match and row.source == SOURCE and row.until_at is None
        ]
    return changes


def new_point(person_id: int, kind: str, told: PointValue, address_key: str) -> dict[str, Any]:
    """Return the row of a new contact point."""
    return {
        "person_id": person_id,
        "kind": kind,
        "value": told.value,
        "address_key": address_key,
        "certainty": told.certainty or "unverified",
        "source": SOURCE,
    }


def changed_point(change: PointChange, now: datetime) -> dict[str, Any]:
    """Return the values of an update by `row_id`: an ended point ends now, any other is in use again."""
    return {
        "row_id": change.point_id,
        "new_value": change.value,
        "new_certainty": change.certainty,
        "new_until_at": now if change.ends else None,
    }


def _certainty(known: str, told: str, *, is_linked: bool) -> str:
    if known not in _FROM_FILES or told not in _FROM_FILES or (is_linked and told == "unverified"):
        return known
    return told
