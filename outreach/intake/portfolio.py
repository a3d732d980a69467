"""Makes a fictitious Dutch portfolio of any size: claims and payments as the import files have them.

The same seed gives the same rows. Debtors are made one by one, so that memory stays flat. Most pay on time,
some after a first reminder, fewer after a second, few never. The first claims of a portfolio are always paid
on time, since a message to somebody who paid is the worst fault there is. Nobody in it exists.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import count
from pathlib import Path

from outreach.intake.portfolio_claims import MONTHS, Entry, Row, entries_of
from outreach.intake.portfolio_debtors import CREDITORS, Creditor, make_debtor
from outreach.intake.tables import CLAIMS, PAYMENTS


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A portfolio of `size` claims rows. `claims` and `payments` each make it anew, one debtor at a time.

    `segments` are dealt out over the debtors in turn; an empty one is no segment. One of every `letter_every`
    debtors wants letters besides those who do anyway; 0 is nobody.
    """

    size: int
    seed: int
    start_on: date
    creditors: tuple[Creditor, ...] = CREDITORS
    months: int = MONTHS
    segments: tuple[str, ...] = ("",)
    letter_every: int = 0

    def claims(self) -> Iterator[Row]:
        """Rows of a claims file, by its columns; an absent column is empty."""
        for entry in self.entries():
            yield from entry.claims

    def payments(self) -> Iterator[Row]:
        """Rows of a payments file, by its columns. They may be booked long after `start_on`."""
        for entry in self.entries():
            yield from entry.payments

    def entries(self) -> Iterator[Entry]:
        """Claims with what was paid on them, up to exactly `size` claims rows."""
        left = self.size
        for index in count():
            debtor = make_debtor(index, self.seed, self.creditors)
            segment = self.segments[index // len(self.creditors) % len(self.segments)]
            if segment:
                debtor.columns["segment"] = segment
            if self.letter_every and index % self.letter_every == 1:
                debtor.columns.update(preferred_channel="letter", invoice_sent_to="letter")
            for entry in entries_of(debtor, self.start_on, self.months):
                if left <= 0:
                    return
                # Where only one row is left a credit note stays away; the claim is then not paid in full.
                yield Entry(entry.claims[:left], entry.payments)
                left -= len(entry.claims)


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a portfolio and how many rows they hold."""

    claims_file: Path
    payments_file: Path
    creditors_file: Path
    claims: int
    payments: int


def generate(
    size: int,
    seed: int,
    start_on: date,
    creditors: Sequence[Creditor] = CREDITORS,
    *,
    months: int = MONTHS,
    segments: Sequence[str] = ("",),
    letter_every: int = 0,
) -> Portfolio:
    """Describe a portfolio of `size` claims rows that fall due in the `months` from `start_on`.

    Nothing is made before its rows are asked for. Raises ValueError for a negative size or no creditors.
    """
    if size < 0 or not creditors or months < 1 or not segments:
        raise ValueError(
            "a portfolio has a size of zero or more, and at least one creditor, month and segment"
        )
    return Portfolio(size, seed, start_on, tuple(creditors), months, tuple(segments), letter_every)


def write(
    folder: Path,
    size: int,
    seed: int,
    start_on: date,
    creditors: Sequence[Creditor] = CREDITORS,
    *,
    months: int = MONTHS,
    segments: Sequence[str] = ("",),
    letter_every: int = 0,
) -> Written:
    """Write claims.csv, payments.csv and creditors.toml into a folder, made if need be; older ones go.

    Raises OSError, and ValueError as `generate` does.
    """
    portfolio = generate(
        size, seed, start_on, creditors, months=months, segments=segments, letter_every=letter_every
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = (folder / "claims.csv", folder / "payments.csv", folder / "creditors.toml")
    claim_count = payment_count = 0
    with (
        files[0].open("w", encoding="utf-8", newline="") as claims_handle,
        files[1].open("w", encoding="utf-8", newline="") as payments_handle,
    ):
        claims, payments = csv.writer(claims_handle), csv.writer(payments_handle)
        claims.writerow(CLAIMS.columns)
        payments.writerow(PAYMENTS.columns)
        for entry in portfolio.entries():
            claims.writerows(map(row.get, CLAIMS.columns) for row in entry.claims)
            payments.writerows(map(row.get, PAYMENTS.columns) for row in entry.payments)
            claim_count += len(entry.claims)
            payment_count += len(entry.payments)
    files[2].write_text(creditors_toml(portfolio.creditors), encoding="utf-8")
    return Written(*files, claim_count, payment_count)


def creditors_toml(creditors: Iterable[Creditor]) -> str:
    """Write creditors as TOML: one `[[creditor]]` each, with code, name, sector, iban, phone and email."""
    blocks = []
    for creditor in creditors:
        # A JSON string is a TOML basic string, for the characters that names have.
        lines = [
            f"{name} = {json.dumps(str(text), ensure_ascii=False)}" for name, text in asdict(creditor).items()
        ]
        blocks.append("\n".join(["[[creditor]]", *lines]))
    return (
        "# Fictitious creditors: nobody has these names, numbers or accounts.\n\n"
        + "\n\n".join(blocks)
        + "\n"
    )
