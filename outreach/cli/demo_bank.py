"""The bank account of the demo's creditor: what comes in day by day, imported each morning as a bank's file is."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from outreach import bootstrap
from outreach.intake.amounts import write_amount
from outreach.intake.load import load_payments
from outreach.intake.portfolio import Portfolio
from outreach.intake.portfolio_claims import Row
from outreach.intake.tables import PAYMENTS

# The creditor is told for the whole file, so that a day without bookings also counts as known.
COLUMNS = tuple(name for name in PAYMENTS.columns if name != "creditor")

REVERSED_SHARE = 0.012
"""How many payments were direct debits that the debtor's bank takes back."""
PAID_AGAIN = 0.6


class Bank:
    """Bookings by the day on which they come in, each with the claim it is meant for; what was planned may change."""

    def __init__(self, portfolio: Portfolio, folder: Path) -> None:
        self._folder = folder
        self._coming: dict[date, list[tuple[str, Row]]] = defaultdict(list)
        self._creditor = portfolio.creditors[0].code
        self._numbers = 0
        self.reversed = 0
        for entry in portfolio.entries():
            claim = entry.claims[0]["claim_id"]
            taken_back = {row["reverses_id"] for row in entry.payments if row.get("reverses_id")}
            for row in entry.payments:
                self._expect(claim, row)
                rng = Random(f"bank:{portfolio.seed}:{row['payment_id']}")
                if row["kind"] == "payment" and not taken_back and rng.random() < REVERSED_SHARE:
                    self._reverse(claim, row, rng)

    def pay(self, debtor: str, on: date, cents: int) -> None:
        """Expect a payment that names the debtor alone, as people write it: it goes to the oldest claims."""
        self._numbers += 1
        row = {"payment_id": f"OWN-{self._numbers:06d}", "debtor_id": debtor}
        booking = {"booked_on": on.isoformat(), "amount": write_amount(cents), "currency": "EUR"}
        self._expect("", row | booking | {"kind": "payment"})

    def cancel(self, claims: Collection[str], after: date) -> None:
        """Forget what was still to come for these claims: their debtor has arranged it otherwise, or owes less."""
        for on in [on for on in self._coming if on > after]:
            self._coming[on] = [one for one in self._coming[on] if one[0] not in claims]

    def import_until(self, app: bootstrap.App, on: date, now: datetime) -> None:
        """Import everything booked up to and including a day that is over."""
        rows = [row for day in sorted(self._coming) if day <= on for _, row in self._coming.pop(day)]
        self.reversed += sum(row["kind"] == "reversal" for row in rows)
        path = self._folder / f"payments-{on.isoformat()}.csv"
        with path.open("w", encoding="utf-8", newline="") as handle:
            lines = csv.writer(handle)
            lines.writerow(COLUMNS)
            lines.writerows(map(row.get, COLUMNS) for row in rows)
        load_payments(
            app.store,
            app.address_keys,
            path,
            creditor_code=self._creditor,
            now=now,
            as_of=on,
            is_trial=True,
            actor="job:demo",
        )

    def _expect(self, claim: str, row: Row) -> None:
        self._coming[date.fromisoformat(row["booked_on"])].append((claim, row))

    def _reverse(self, claim: str, row: Row, rng: Random) -> None:
        """Take a direct debit back some days later; most people then pay by themselves."""
        back_on = date.fromisoformat(row["booked_on"]) + timedelta(rng.randrange(2, 6))
        number = row["payment_id"]
        back = {"payment_id": f"{number}R", "kind": "reversal", "reverses_id": number, "reason_code": "AM04"}
        self._expect(claim, row | back | {"booked_on": back_on.isoformat()})
        if rng.random() < PAID_AGAIN:
            again_on = back_on + timedelta(rng.randrange(4, 25))
            again = {"payment_id": f"{number}N", "booked_on": again_on.isoformat()}
            self._expect(claim, row | again)
