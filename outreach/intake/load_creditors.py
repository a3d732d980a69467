"""The creditors that a file names: known ones, and on a trial database new ones with example details."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from zlib import crc32

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from outreach.intake.errors import FileError
from outreach.intake.fictitious import iban
from outreach.store.tables.parties import Creditor
from outreach.store.types import table_of

creditor = table_of(Creditor)

CODE_LENGTH = 40
EXPECTED = "the code of a creditor that is known here (make it with: outreach creditor add)"


def resolve(
    conn: Connection, codes: Iterable[str], known: Mapping[str, int], *, is_trial: bool
) -> dict[str, int]:
    """Return the inner keys of the codes; an unknown one is made on a trial database, and absent elsewhere."""
    found = {code: known[code] for code in codes if code in known}
    missing = sorted(set(codes) - found.keys())
    if not missing:
        return found
    lookup = select(creditor.c.code, creditor.c.id).where(creditor.c.code.in_(missing))
    found |= {row.code: row.id for row in conn.execute(lookup)}
    new = [code for code in missing if code not in found and len(code) <= CODE_LENGTH]
    if new and is_trial:
        build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        conn.execute(build(creditor).on_conflict_do_nothing(), [_example(code) for code in new])
        found |= {row.code: row.id for row in conn.execute(lookup)}
    return found


def the_only_one(conn: Connection) -> str | None:
    """Return the code of the creditor where there is just one: files without the column are then its own."""
    codes = conn.execute(select(creditor.c.code).limit(2)).scalars().all()
    return codes[0] if len(codes) == 1 else None


def expect(conn: Connection, file: str, code: str) -> None:
    """Refuse the whole file when the one creditor it is for is not known. Raises FileError."""
    if conn.execute(select(creditor.c.id).where(creditor.c.code == code)).scalar() is not None:
        return
    codes = conn.execute(select(creditor.c.code).order_by(creditor.c.code).limit(1_000)).scalars().all()
    near = get_close_matches(code, codes, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise FileError(file, [f"the creditor {code!r} is not known: expected {EXPECTED}{hint}"])


def _example(code: str) -> dict[str, object]:
    """A creditor of a trial: complete enough to send from, and marked as an example."""
    # A number of its own from the code, so that a second trial gives the same details.
    number = crc32(code.encode()) % 1_000_000
    return {
        "code": code,
        "name": code.replace("_", " ").title() if code.isupper() else code,
        "iban": iban(number),
        "phone": f"+31600{number:06d}",
        "email": "",
        "kind": "company",
        "register_number": "",
        "is_agency": False,
        "is_small_office": False,
        "is_example": True,
        "sending": True,
        "strategy": "friendly_pair",
        "interval_days": 5,
        "freshness_hours": 72,
        "policy_epoch": 0,
    }
