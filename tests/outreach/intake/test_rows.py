"""What one row may say, and how its fields must fit together."""

from datetime import date
from pathlib import Path

import pytest

from channels.kinds import Kind
from outreach.intake.reading import read_payments
from outreach.intake.rows import (
    ClaimKind,
    ClaimRow,
    CoDebtor,
    Notice,
    PaymentKind,
    PaymentRow,
    Representative,
    Tone,
)
from outreach.intake.tables import CLAIMS, PAYMENTS
from tests.outreach.intake.files import PAYMENT, csv_text, gather, read_one, write_csv


def test_every_column_has_a_field_and_every_field_a_column() -> None:
    """The table of columns and the typed row name the same things in the same order, but for the notices."""
    assert [*CLAIMS.columns, "notices"] == list(ClaimRow.__struct_fields__)
    assert [*PAYMENTS.columns, "notices"] == list(PaymentRow.__struct_fields__)


def test_identifiers_keep_their_leading_zeros(tmp_path: Path) -> None:
    """A number of somebody else's is text: not a character of it changes."""
    (row,), _ = read_one(tmp_path, {"debtor_id": "0000611365", "contract_id": "1E5"})
    assert (row.debtor_id, row.contract_id) == ("0000611365", "1E5")


def test_a_full_row_is_typed(tmp_path: Path) -> None:
    """Words become enums, dates dates, amounts cents, and entries of people parties."""
    (row,), rejects = read_one(
        tmp_path,
        {
            "principal": "1.250,00",
            "preferred_channel": "SMS",
            "kind": "recurring",
            "address_protected": "ja",
            "direct_debit": "false",
            "co_debtors": "8: Łukasz <l@example.com>| 9: Ann de Wit",
            "representative": "B1: Bewind B.V. <b@example.org>",
            "postcode": "1234ab",
            "country": "nl",
            "date_of_birth": "1980-02-29",
        },
    )
    assert not rejects
    assert (row.principal, row.preferred_channel, row.kind) == (125_000, Kind.SMS, ClaimKind.RECURRING)
    assert (row.address_protected, row.direct_debit, row.due_is_agreed) == (True, False, None)
    assert row.co_debtors == (CoDebtor("8", "Łukasz", "l@example.com"), CoDebtor("9", "Ann de Wit"))
    assert row.representative == Representative("B1", "Bewind B.V.", "b@example.org")
    assert (row.postcode, row.country, row.date_of_birth) == ("1234 AB", "NL", date(1980, 2, 29))


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        ({"email": "nobody at example.com"}, Notice.EMAIL_MALFORMED),
        ({"email": "a@@example.com"}, Notice.EMAIL_MALFORMED),
        ({"email": "a@example.com\nBcc: all@example.com"}, Notice.EMAIL_MALFORMED),
        ({"phone": "ask reception"}, Notice.PHONE_MALFORMED),
        ({"postcode": "12 AB", "country": "NL"}, Notice.POSTCODE_MALFORMED),
        ({"kvk_number": "123"}, Notice.KVK_NUMBER_MALFORMED),
        ({"co_debtors": "8: Ann <ann>"}, Notice.CO_DEBTOR_EMAIL_MALFORMED),
        ({"representative": "8: Ann <ann>"}, Notice.REPRESENTATIVE_EMAIL_MALFORMED),
        ({"debtor_name": "Ren\ufffd"}, Notice.NAME_DAMAGED),
    ],
)
def test_a_wrong_contact_detail_is_kept_and_marked(
    tmp_path: Path, change: dict[str, str], notice: Notice
) -> None:
    """A claim is not lost for a wrong address: the address is kept as given and the row says so."""
    (row,), rejects = read_one(tmp_path, change)
    assert not rejects
    assert row.notices == (notice,)
    assert "\n" not in (row.email or "")


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("friendly", Tone.FRIENDLY),
        ("Herinnering", Tone.FRIENDLY),
        ("tweede  herinnering", Tone.FIRM),
        ("2nd reminder", Tone.FIRM),
        ("AANMANING", Tone.FORMAL),
        ("laatste_aanmaning", Tone.FINAL),
    ],
)
def test_what_was_sent_before_is_told_in_the_usual_words(tmp_path: Path, text: str, tone: Tone) -> None:
    """The names that bookkeeping programs give to their reminders become a tone."""
    (row,), _ = read_one(tmp_path, {"last_step": text, "last_step_on": "2026-02-10"})
    assert (row.last_step, row.last_step_on) == (tone, date(2026, 2, 10))


@pytest.mark.parametrize(
    "phone", ["0612345678", "+31 (0)6 1234 5678", "06-12345678", "0031612345678", "010 123 45 67"]
)
def test_a_right_phone_number_has_no_mark(tmp_path: Path, phone: str) -> None:
    """Phone numbers come in many notations; none of the usual ones is called wrong."""
    (row,), _ = read_one(tmp_path, {"phone": phone})
    assert (row.phone, row.notices) == (phone, ())


def test_a_foreign_postcode_is_kept(tmp_path: Path) -> None:
    """Only Dutch postcodes are rewritten."""
    (row,), _ = read_one(tmp_path, {"postcode": "1234ab", "country": "BE"})
    assert (row.postcode, row.notices) == ("1234ab", ())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"principal": "-1.00"}, "principal"),
        ({"principal": "0"}, "principal"),
        ({"principal": "1.5", "currency": "JPY"}, "principal"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "EUU"}, "currency"),
        ({"preferred_channel": "fax"}, "preferred_channel"),
        ({"due_on": "2037-01-01"}, "due_on"),
        ({"due_on": "31-01-2026"}, "due_on"),
        ({"kind": "credit_note"}, "credits_invoice"),
        ({"credits_invoice": "0002"}, "credits_invoice"),
        ({"debtor_name": ""}, "debtor_name"),
        ({"debtor_name": "Jan\nPiet"}, "debtor_name"),
        ({"debtor_name": "Jan \u202egnp"}, "debtor_name"),
        ({"claim_id": "6,11365E+05"}, "claim_id"),
        ({"claim_id": "x" * 129}, "claim_id"),
        ({"vat": "99.00"}, "vat"),
        ({"dispute_amount": "5.00"}, "disputed_on"),
        ({"last_step": "firm"}, "last_step_on"),
        ({"last_step_on": "2026-02-10"}, "last_step"),
        ({"last_step": "second", "last_step_on": "2026-02-10"}, "last_step"),
        ({"last_step": "firm", "last_step_on": "2026-01-01"}, "last_step_on"),
        ({"representative": "007: Me again"}, "representative"),
        ({"co_debtors": "8 Ann"}, "co_debtors"),
        ({"co_debtors": "8: Ann|"}, "co_debtors"),
        ({"co_debtors": "8: Ann|8: Bob"}, "co_debtors"),
        ({"co_debtors": "007: Me again"}, "co_debtors"),
        ({"time_zone": "Europe/Verzinselen"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"country": "Nederland"}, "country"),
        ({"insolvency": "no"}, "insolvency"),
        ({"address_protected": "perhaps"}, "address_protected"),
        ({"payment_url": "javascript:alert(1)"}, "payment_url"),
        ({"payment_url": "http://example.com"}, "payment_url"),
        ({"document_file": "../secret.pdf"}, "document_file"),
        ({"document_file": "/etc/passwd"}, "document_file"),
        ({"document_file": "C:secret.pdf"}, "document_file"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_right_is_refused(tmp_path: Path, change: dict[str, str], field: str) -> None:
    """The reject names the file, the line, the field and what was expected; the row is not taken."""
    rows, rejects = read_one(tmp_path, change)
    assert not rows
    assert [(r.file, r.row, r.field) for r in rejects] == [("claims.csv", 2, field)]
    assert rejects[0].expected


def test_everything_wrong_with_a_row_is_said_at_once(tmp_path: Path) -> None:
    """A clerk corrects a row once, not once for each fault."""
    _, rejects = read_one(tmp_path, {"principal": "x", "due_on": "x", "currency": "x", "debtor_name": ""})
    assert sorted(r.field for r in rejects) == ["currency", "debtor_name", "due_on", "principal"]


def test_minor_units_follow_the_currency(tmp_path: Path) -> None:
    """Yen have no decimals and Kuwaiti dinars have three."""
    rows = [
        read_one(tmp_path, {"principal": p, "currency": c})[0][0]
        for p, c in (("12", "JPY"), ("1234.5", "KWD"))
    ]
    assert [row.principal for row in rows] == [12, 1_234_500]


def _payment(folder: Path, change: dict[str, str]) -> tuple[list[PaymentRow], list[str]]:
    path = write_csv(folder, csv_text([PAYMENT | change]))
    rows, rejects = gather(list(read_payments(path)))
    return rows, [reject.field for reject in rejects]


def test_a_payment_that_names_nobody_is_taken_and_marked(tmp_path: Path) -> None:
    """Money that came in is never refused for want of a name: it becomes somebody's task."""
    (row,), _ = _payment(tmp_path, {"claim_id": ""})
    assert row.notices == (Notice.NAMES_NOBODY,)


def test_payments_are_typed_and_checked(tmp_path: Path) -> None:
    """Zero and negative payments are refused; a reversal names what it reverses, and nothing else may."""
    (row,), _ = _payment(tmp_path, {"kind": "reversal", "reverses_id": "P0"})
    assert (row.kind, row.reverses_id, row.creditor, row.amount) == (PaymentKind.REVERSAL, "P0", None, 1250)
    assert _payment(tmp_path, {"amount": "0.00"}) == ([], ["amount"])
    assert _payment(tmp_path, {"amount": "-5"}) == ([], ["amount"])
    assert _payment(tmp_path, {"reverses_id": "P0"}) == ([], ["reverses_id"])
    assert _payment(tmp_path, {"kind": "reversal", "reverses_id": "P1"}) == ([], ["reverses_id"])
