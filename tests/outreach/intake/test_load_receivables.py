"""A real accounts receivable file, imported with the mapping that comes with the service."""

from __future__ import annotations

from pathlib import Path

from outreach.intake.load import load_claims, load_payments
from outreach.intake.mapping import load_mapping
from outreach.store.tables.claims import Claim, Payment
from outreach.store.tables.operations import Task
from outreach.store.tables.parties import Debtor
from tests.outreach.intake.loads import Loading


def test_every_claim_of_the_real_file_is_paid(loading: Loading, shared: Path) -> None:
    """All 2,466 claims of 100 debtors and their payments go in, every cent finds its claim, nothing is open."""
    path = shared / "data" / "receivables" / "WA_Fn-UseC_-Accounts-Receivable.csv"
    mapping = load_mapping("receivables")
    claims = loading.load_file(load_claims, path, mapping=mapping)
    assert (claims.rows, claims.added, claims.refused) == (2_466, 2_466, 0)
    payments = loading.load_file(load_payments, path, mapping=mapping)
    assert (payments.added, payments.refused, payments.unplaced) == (2_466, 0, 0)
    assert len(loading.rows(Debtor)) == 100
    assert len(loading.rows(Claim)) == len(loading.rows(Payment)) == 2_466
    assert set(loading.open_cents().values()) == {0}
    assert loading.rows(Task) == []
    assert loading.load_file(load_claims, path, mapping=mapping).unchanged == 2_466
    assert loading.load_file(load_payments, path, mapping=mapping).unchanged == 2_466
