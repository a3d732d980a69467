"""The fictitious portfolio: it can be imported, repeats, holds what must be met, and nobody in it exists."""

import re
import tomllib
from collections import defaultdict
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.intake.fictitious import iban
from outreach.intake.portfolio import generate, write
from outreach.intake.portfolio_debtors import CREDITORS
from outreach.intake.reading import read_claims, read_payments
from outreach.intake.rows import ClaimKind, ClaimRow, Notice, PaymentKind, PaymentRow
from tests.outreach.intake.files import gather

START = date(2026, 1, 1)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ClaimRow], list[PaymentRow]]:
    written = write(tmp_path_factory.mktemp("portfolio"), 400, 11, START)
    claims, rejects = gather(list(read_claims(written.claims_file)))
    payments, more = gather(list(read_payments(written.payments_file)))
    assert not rejects + more
    assert (len(claims), len(payments)) == (written.claims, written.payments)
    assert written.claims == 400
    return claims, payments


def test_the_same_seed_gives_the_same_rows() -> None:
    """A portfolio repeats exactly, and another seed gives another one."""
    first, again, other = (generate(60, seed, START) for seed in (3, 3, 4))
    assert list(first.claims()) == list(again.claims()) == list(first.claims())
    assert list(first.payments()) == list(again.payments())
    assert list(first.claims()) != list(other.claims())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_any_portfolio_has_its_size_and_holds_claims_paid_on_time(size: int, seed: int, start: date) -> None:
    """The first claim of any portfolio was paid in full on or before its due date."""
    entries = list(generate(size, seed, start).entries())
    assert sum(len(entry.claims) for entry in entries) == size
    if entries:
        (claim,), (payment,) = entries[0]
        assert claim["invoice_on"] <= payment["booked_on"] <= claim["due_on"]
        assert payment["amount"] == claim["principal"]


def test_a_portfolio_of_a_million_starts_at_once() -> None:
    """Rows are made when they are asked for, not before."""
    assert len(list(islice(generate(10**9, 1, START).claims(), 5))) == 5


def test_a_portfolio_holds_everything_that_must_be_met(
    imported: tuple[list[ClaimRow], list[PaymentRow]],
) -> None:
    """A few hundred rows have every kind of claim, payment and trouble at least once."""
    claims, payments = imported
    assert {row.creditor for row in claims} == {creditor.code for creditor in CREDITORS}
    assert {row.kind for row in claims} == set(ClaimKind)
    assert {row.kind for row in payments} == set(PaymentKind)
    assert {row.debtor_kind for row in claims} == {"person", "business"}
    assert any(row.co_debtors for row in claims)
    assert any(row.representative for row in claims)
    assert any(row.disputed_on for row in claims)
    assert any(row.hold_until for row in claims)
    assert any(Notice.EMAIL_MALFORMED in row.notices for row in claims)
    assert any(row.email is None and row.street is not None for row in claims)
    assert any(row.email is None and row.street is None for row in claims)
    assert any(not row.debtor_name.isascii() for row in claims)
    assert any(re.search(r" (van|de|'t) ", row.debtor_name) for row in claims)
    assert any(row.claim_id is None for row in payments)
    per_debtor = defaultdict(set)
    for row in claims:
        per_debtor[row.creditor, row.debtor_id].add(row.claim_id)
    assert max(map(len, per_debtor.values())) > 3


def test_most_pay_on_time_some_later_and_few_never(imported: tuple[list[ClaimRow], list[PaymentRow]]) -> None:
    """Behaviour is believable, and nobody pays more than they owe."""
    claims, payments = imported
    paid: dict[str, int] = defaultdict(int)
    first: dict[str, date] = {}
    for payment in payments:
        key = payment.payment_id.rsplit("-P", 1)[0]
        paid[key] += -payment.amount if payment.kind is PaymentKind.REVERSAL else payment.amount
        first.setdefault(key, payment.booked_on)
    asked = [row for row in claims if row.kind is not ClaimKind.CREDIT_NOTE]
    assert all(0 <= paid[row.claim_id] <= row.principal for row in asked)
    on_time = sum(row.claim_id in first and first[row.claim_id] <= row.due_on for row in asked)
    never = sum(row.claim_id not in first for row in asked)
    assert 0.6 < on_time / len(asked) < 0.95
    assert 0 < never / len(asked) < 0.1


def test_numbers_are_given_once(imported: tuple[list[ClaimRow], list[PaymentRow]]) -> None:
    """Claims and payments have numbers of their own."""
    claims, payments = imported
    assert len({row.claim_id for row in claims}) == len(claims)
    assert len({row.payment_id for row in payments}) == len(payments)


def test_nobody_in_it_can_be_reached(imported: tuple[list[ClaimRow], list[PaymentRow]]) -> None:
    """Every domain is reserved for examples and every phone number lies outside what is given out."""
    claims, _ = imported
    for row in claims:
        assert row.email is None or re.search(r"(example\.(com|net|org)|\.example)$", row.email)
        assert row.phone is None or row.phone.startswith("+31600")


def test_creditors_are_written_with_accounts_that_pass_the_checksum(tmp_path: Path) -> None:
    """IBANs are right by modulus 97, and of a bank code that no bank has."""
    written = write(tmp_path, 3, 1, START)
    creditors = tomllib.loads(written.creditors_file.read_text(encoding="utf-8"))["creditor"]
    assert [creditor["code"] for creditor in creditors] == ["WONEN", "STROOM", "WINKEL"]
    for number in [creditor["iban"] for creditor in creditors] + [
        iban(n) for n in range(0, 10**10, 999_999_937)
    ]:
        assert re.fullmatch(r"NL[0-9]{2}DEMO[0-9]{10}", number)
        assert int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1


def test_a_portfolio_needs_a_size_and_a_creditor() -> None:
    """Sizes below zero and portfolios without creditors are refused."""
    with pytest.raises(ValueError, match="zero or more"):
        generate(-1, 1, START)
    with pytest.raises(ValueError, match="at least one creditor"):
        generate(1, 1, START, ())
