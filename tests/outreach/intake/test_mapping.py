"""Mapping files: what they may say, and the real receivables file."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kinds import Kind
from outreach.intake.derive import parse_template
from outreach.intake.errors import FileError, MappingError, RefusedValueError
from outreach.intake.mapping import SHIPPED, load_mapping
from outreach.intake.reading import read_claims, read_payments
from tests.outreach.intake.files import CLAIM, csv_text, gather, write_csv

REAL = Path(__file__).parents[4] / "shared/data/receivables/WA_Fn-UseC_-Accounts-Receivable.csv"
LOOK_ALIKE = (
    "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,"
    "PaperlessBill,DaysToSettle,DaysLate\n"
    "391,0001-AAAAA,4/6/2013,0000000042,1/2/2013,2/1/2013,55.9,No,1/15/2013,Paper,13,0\n"
    "391,0002-BBBBB,4/6/2013,0000000043,12/31/2013,1/30/2014,61.74,Yes,,Electronic,,\n"
)


def _mapping(folder: Path, text: str) -> Path:
    path = folder / "theirs.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(folder: Path, text: str) -> str:
    with pytest.raises(MappingError) as caught:
        load_mapping(_mapping(folder, text))
    return "\n".join(caught.value.problems)


def test_one_file_feeds_claims_and_payments(tmp_path: Path) -> None:
    """The shipped mapping reads invoices as claims and, where they were settled, as payments too."""
    path = write_csv(tmp_path, LOOK_ALIKE)
    mapping = load_mapping("receivables")
    (first, second), rejects = gather(list(read_claims(path, mapping=mapping)))
    assert not rejects
    assert (first.claim_id, first.invoice_number) == ("0000000042", "0000000042")
    assert (first.invoice_on, first.due_on, first.principal) == (date(2013, 1, 2), date(2013, 2, 1), 5590)
    assert (first.preferred_channel, second.preferred_channel) == (Kind.LETTER, Kind.EMAIL)
    assert (first.debtor_name, first.email) == ("Customer 0001-AAAAA", "0001-aaaaa@example.com")
    assert (first.currency, first.country, first.time_zone) == ("USD", "NL", "Europe/Amsterdam")
    (batch,) = read_payments(path, mapping=mapping)
    assert (batch.read, batch.passed_over, batch.refused) == (2, 1, 0)
    assert [(n, row.payment_id, row.booked_on) for n, row in batch.rows] == [
        (2, "P-0000000042", date(2013, 1, 15))
    ]


@pytest.mark.skipif(not REAL.exists(), reason="the public file is not part of the repository")
def test_the_real_receivables_file_is_taken_whole() -> None:
    """All 2,466 invoices and settlements of 100 customers, with the known figures of the file."""
    mapping = load_mapping(SHIPPED / "receivables.toml")
    claims, rejects = gather(list(read_claims(REAL, mapping=mapping)))
    payments, more = gather(list(read_payments(REAL, mapping=mapping)))
    assert not rejects + more
    assert len(claims) == len(payments) == 2_466
    assert len({row.debtor_id for row in claims}) == 100
    assert sum(row.claim_id.startswith("0") for row in claims) == 266
    assert {(row.due_on - row.invoice_on).days for row in claims} == {30}
    assert (min(row.principal for row in claims), max(row.principal for row in claims)) == (526, 12_828)
    assert Counter(row.preferred_channel for row in claims) == {Kind.LETTER: 1_263, Kind.EMAIL: 1_203}
    due = {row.claim_id: row.due_on for row in claims}
    assert sum(row.booked_on > due[row.claim_id or ""] for row in payments) == 877


def test_the_creditor_on_the_command_line_goes_before_a_constant(tmp_path: Path) -> None:
    """A mapping serves more than one creditor: what is asked for now decides."""
    path = write_csv(tmp_path, LOOK_ALIKE)
    rows, _ = gather(list(read_claims(path, mapping=load_mapping("receivables"), creditor="OTHER")))
    assert {row.creditor for row in rows} == {"OTHER"}


def test_a_mapping_at_the_top_serves_any_import(tmp_path: Path) -> None:
    """Columns that already bear our name need no line; formats, words and templates apply."""
    row = CLAIM | {"principal": "1.250", "due_on": "31-1-2026", "invoice_on": "1-1-2026", "taal": "Engels"}
    path = write_csv(tmp_path, csv_text([row], "|"))
    text = """
        [formats]
        date = "D-M-YYYY"
        decimal = ","
        separator = "|"
        encoding = "windows-1252"
        [columns]
        taal = "language"
        [values.language]
        Engels = "en"
        [derive]
        email = "{debtor_id}.{claim_id|lower}@example.com"
    """
    path.write_text(path.read_text(encoding="utf-8"), encoding="cp1252")
    (claim,), rejects = gather(list(read_claims(path, mapping=load_mapping(_mapping(tmp_path, text)))))
    assert not rejects
    assert (claim.principal, claim.due_on, claim.language) == (125_000, date(2026, 1, 31), "en")
    assert (claim.debtor_name, claim.email) == (CLAIM["debtor_name"], "007.c1@example.com")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[colums]\n", "did you mean `columns`?"),
        ('[columns]\nx = "debtor_nmae"\n', "did you mean `debtor_name`?"),
        ("[columns]\nx = 5\n", "a text in quotes was expected"),
        ('[columns]\nx = ["claim_id", "claim_id"]\n', "`claim_id` is given more than once"),
        ('[columns]\nx = "claim_id"\n[constants]\nclaim_id = "1"\n', "`claim_id` is given more than once"),
        ('[constants]\ncurrency = "euro"\n', "ISO 4217"),
        ('[values.preferred_channel]\nPaper = "papier"\n', "one of email, sms, letter, video"),
        ('[values.principal]\nx = "1"\n', "dates and amounts cannot"),
        ('[values.language]\n"" = "nl"\n', "an empty cell stays empty"),
        ('[formats]\ndate = "%d-%m-%Y"\n', "a date format"),
        ('[formats]\ndecimal = "point"\n', "decimal"),
        ('[formats]\nencoding = "klingon"\n', "windows-1252"),
        ('[formats]\ndates = "D-M-YYYY"\n', "did you mean `date`?"),
        ('[derive]\nemail = "{x|shout}@example.com"\n', "a filter that exists"),
        ('[derive]\nemail = "{x"\n', "columns in braces"),
        ('[derive]\nemail = "{x.__class__|lower|upper}"\n', "columns in braces"),
        ('[claims]\n[columns]\nx = "claim_id"\n', "move it into the sections"),
        ("columns = 3\n", "is a table"),
        ("[ignore]\ncolumns = [1]\n", "a text in quotes"),
        ("not toml", "is not a TOML file"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    """A mapping is checked when it is loaded, and what is wrong is said in words."""
    assert said in _problems(tmp_path, text)


def test_everything_wrong_with_a_mapping_is_said_at_once(tmp_path: Path) -> None:
    """One run shows all faults of a mapping."""
    text = '[formats]\ndecimal = "x"\n[columns]\na = "nothing_like_it"\n[constants]\ncountry = "Holland"\n'
    assert len(_problems(tmp_path, text).splitlines()) == 3


def test_a_mapping_must_fit_the_file(tmp_path: Path) -> None:
    """Columns that the mapping speaks of must be there, and columns that are there must be spoken of."""
    path = write_csv(tmp_path, csv_text([CLAIM | {"extra": "1"}]))
    mapping = load_mapping(
        _mapping(tmp_path, '[columns]\nExtraa = "segment"\n[ignore]\ncolumns = ["gone"]\n')
    )
    with pytest.raises(FileError) as caught:
        read_claims(path, mapping=mapping)
    message = "\n".join(caught.value.problems)
    assert "speaks of the column `Extraa`, which the file does not have (it has `extra`)" in message
    assert "speaks of the column `gone`" in message
    assert "`extra` is not known" in message


def test_a_mapping_without_a_section_for_the_import_is_refused(tmp_path: Path) -> None:
    """A mapping that only knows claims cannot be used for payments by accident."""
    mapping = load_mapping(_mapping(tmp_path, '[claims.columns]\nx = "claim_id"\n'))
    with pytest.raises(MappingError, match=r"no \[payments\] section"):
        read_payments(write_csv(tmp_path, LOOK_ALIKE), mapping=mapping)


@pytest.mark.parametrize(
    "text",
    ['[constants]\nkind = "reversal"\n', '[constants]\nhold_until = "soon"\n', '[values.kind]\nx = "y"\n'],
)
def test_a_fixed_value_that_does_not_suit_the_import_is_refused_before_any_row(
    tmp_path: Path, text: str
) -> None:
    """What the mapping alone cannot show to be wrong shows when the file is opened."""
    mapping = load_mapping(_mapping(tmp_path, text))
    path = write_csv(tmp_path, csv_text([CLAIM | ({"kind": "x"} if "values" in text else {})]))
    with pytest.raises(MappingError, match="was expected"):
        read_claims(path, mapping=mapping)


def test_a_reject_names_their_column_too(tmp_path: Path) -> None:
    """The clerk sees the name that stands in their own file."""
    path = write_csv(tmp_path, LOOK_ALIKE.replace("55.9", "-55.9"))
    _, rejects = gather(list(read_claims(path, mapping=load_mapping("receivables"))))
    assert [(r.row, r.field, r.value) for r in rejects] == [(2, "principal (InvoiceAmount)", "-55.9")]


def test_an_empty_cell_makes_no_value_of_its_own() -> None:
    """A template whose column is empty gives nothing, so that no two rows share a number by accident."""
    fill = parse_template("P-{a|upper}/{b}").bind({"a": 0, "b": 1})
    assert (fill(["x ", "1"]), fill([" ", "1"])) == ("P-X/1", "")


@given(st.text(max_size=30))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    """No template does anything but fill in text."""
    try:
        template = parse_template(text)
    except RefusedValueError as refused:
        assert refused.expected
    else:
        assert isinstance(template.bind(dict.fromkeys(template.columns, 0))(["x"]), str)
