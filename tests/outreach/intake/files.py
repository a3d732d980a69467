"""Makes small files for the tests of intake."""

from pathlib import Path

from outreach.intake.reading import Batch, read_claims
from outreach.intake.rejects import Reject
from outreach.intake.rows import ClaimRow
from outreach.intake.tables import R

CLAIM = {
    "creditor": "ACME",
    "debtor_id": "007",
    "debtor_name": "Zoë van 't Hof",
    "claim_id": "C1",
    "invoice_number": "0001",
    "invoice_on": "2026-01-01",
    "due_on": "2026-01-31",
    "principal": "12.50",
    "currency": "EUR",
}
PAYMENT = {
    "payment_id": "P1",
    "booked_on": "2026-02-01",
    "amount": "12.50",
    "currency": "EUR",
    "claim_id": "C1",
}


def csv_text(rows: list[dict[str, str]], separator: str = ",") -> str:
    """Rows as CSV with every cell quoted."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [separator.join(names)]
    lines += [separator.join('"' + row.get(n, "").replace('"', '""') + '"' for n in names) for row in rows]
    return "\n".join(lines) + "\n"


def write_csv(folder: Path, text: str | bytes, name: str = "claims.csv") -> Path:
    """Write text (UTF-8) or bytes to a file."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def claims_file(folder: Path, *changes: dict[str, str]) -> Path:
    """A claims file with one row per argument: the plain row with these changes."""
    return write_csv(folder, csv_text([CLAIM | change for change in changes]))


def read_one(folder: Path, change: dict[str, str]) -> tuple[list[ClaimRow], list[Reject]]:
    """Read a claims file of one row."""
    return gather(list(read_claims(claims_file(folder, change))))


def gather(batches: list[Batch[R]]) -> tuple[list[R], list[Reject]]:
    """All rows and all rejects, after checking that every record is accounted for."""
    assert all(b.read == len(b.rows) + b.refused + b.passed_over for b in batches)
    return [row for b in batches for _, row in b.rows], [reject for b in batches for reject in b.rejects]
