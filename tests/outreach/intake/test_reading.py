"""Reading whole files: columns, separators, broken rows, batches."""

import csv
import os
import tracemalloc
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.intake.errors import FileError, IntakeError
from outreach.intake.mapping import FileMapping, Formats
from outreach.intake.portfolio import write
from outreach.intake.reading import read_claims, read_payments
from outreach.intake.rejects import Reject, RejectFile, safe_cell
from outreach.intake.tables import CLAIMS
from tests.outreach.intake.files import CLAIM, PAYMENT, claims_file, csv_text, gather, write_csv

ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _refusal(path: Path, **more: str) -> str:
    with pytest.raises(FileError) as caught:
        read_claims(path, creditor=more.get("creditor"))
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("prefix", ["", "\ufeff", "\n\n"])
def test_separator_and_byte_order_mark_are_found_by_themselves(
    tmp_path: Path, separator: str, prefix: str
) -> None:
    """A file needs no settings to say which separator it uses, or that it starts with a mark."""
    text = prefix + csv_text([CLAIM | {"principal": "12,50"}], separator)
    rows, rejects = gather(list(read_claims(write_csv(tmp_path, text))))
    assert [row.principal for row in rows] == [1250]
    assert not rejects


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "called"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("cp1252", "Windows-1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
def test_the_encoding_is_found_by_itself(tmp_path: Path, encoding: str, called: str, separator: str) -> None:
    """What spreadsheets and bookkeeping programs write here is read as it was meant, whatever the separator."""
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    text = f"{mark}sep={separator}\r\n" + csv_text(
        [CLAIM | {"claim_id": str(number), "description": "€ – één"} for number in range(300)], separator
    ).replace("\n", "\r\n")
    batches = list(read_claims(write_csv(tmp_path, text.encode(encoding)), size=100))
    rows, rejects = gather(batches)
    assert (len(rows), rejects, {batch.encoding for batch in batches}) == (300, [], {called})
    assert {(row.debtor_name, row.description) for row in rows} == {("Zoë van 't Hof", "€ – één")}


def test_a_byte_that_is_no_text_costs_its_own_row_only(tmp_path: Path) -> None:
    """In Windows-1252 and in UTF-16 too, what cannot be read refuses the row it stands in."""
    good = [CLAIM | {"claim_id": str(number)} for number in range(3)]
    windows = csv_text(good).encode("cp1252").replace(b'Hof","1"', b'H\x81f","1"')
    (batch,) = read_claims(write_csv(tmp_path, windows))
    assert (batch.encoding, [(one.row, one.field) for one in batch.rejects]) == (
        "Windows-1252",
        [(3, "debtor_name")],
    )
    wide = (
        csv_text(good)
        .encode("utf-16")
        .replace(
            'Hof","1'.encode("utf-16-le"), "H".encode("utf-16-le") + b"\x00\xd8" + 'f","1'.encode("utf-16-le")
        )
    )
    (batch,) = read_claims(write_csv(tmp_path, wide + b"x"))
    assert (batch.encoding, [one.row for one in batch.rejects], len(batch.rows)) == ("UTF-16", [3, 5], 2)


def test_a_stated_encoding_goes_before_a_guess(tmp_path: Path) -> None:
    """A mapping that states the encoding is believed, but a byte order mark says what the file is."""
    stated = FileMapping(formats=Formats(encoding="iso-8859-15"))
    text = csv_text([CLAIM | {"description": "€ 5"}])
    for encoding, called in (("iso-8859-15", "ISO-8859-15"), ("utf-16", "UTF-16")):
        (batch,) = read_claims(write_csv(tmp_path, text.encode(encoding)), mapping=stated)
        assert (batch.encoding, batch.rows[0][1].description) == (called, "€ 5")


def test_a_refused_row_still_names_its_claim(tmp_path: Path) -> None:
    """A list of open items must know which claims its refused rows are about; a broken line names none."""
    rows = [CLAIM | {"claim_id": number, "due_on": "x"} for number in ("0010", "1,2E+11")]
    path = write_csv(tmp_path, csv_text(rows) + '"only one cell"\n')
    (batch,) = read_claims(path)
    assert batch.claims == [(2, "0010"), (3, ""), (4, "")]


def test_the_separator_line_of_a_spreadsheet_is_passed_over(tmp_path: Path) -> None:
    """`sep=;` states the separator; rows are still numbered as an editor numbers lines."""
    path = write_csv(tmp_path, "sep=;\n" + csv_text([CLAIM, CLAIM | {"currency": "x"}], ";"))
    (batch,) = read_claims(path)
    assert [number for number, _ in batch.rows] == [3]
    assert [reject.row for reject in batch.rejects] == [4]


def test_all_that_is_wrong_with_the_columns_is_said_before_any_row(tmp_path: Path) -> None:
    """Unknown columns come with a suggestion, missing ones are listed together, double ones are named."""
    message = _refusal(
        write_csv(tmp_path, "debtor_nmae,claim_id,claim_id,factuurnummer,booked_on,colour\n1,2,3,4,5,6\n")
    )
    assert "`debtor_nmae` is not known, did you mean `debtor_name`?" in message
    assert "`factuurnummer` is not known, did you mean `invoice_number`?" in message
    assert "`booked_on` belongs in a payments file" in message
    assert "`colour` is not known" in message
    assert "`claim_id` stands there 2 times" in message
    assert (
        "missing: creditor, debtor_id, debtor_name, invoice_number, invoice_on, due_on, principal" in message
    )


def test_the_creditor_can_be_given_for_the_whole_file(tmp_path: Path) -> None:
    """A file without the column takes the creditor given; with the column that would be said twice."""
    path = write_csv(tmp_path, csv_text([{k: v for k, v in CLAIM.items() if k != "creditor"}]))
    assert "creditor" in _refusal(path)
    assert [row.creditor for row in gather(list(read_claims(path, creditor="WONEN")))[0]] == ["WONEN"]
    assert "given more than once" in _refusal(claims_file(tmp_path, {}), creditor="WONEN")


def test_payments_need_a_column_that_names_something(tmp_path: Path) -> None:
    """A payments file in which no payment could ever be placed is refused as a whole."""
    path = write_csv(tmp_path, csv_text([{k: v for k, v in PAYMENT.items() if k != "claim_id"}]))
    with pytest.raises(FileError, match="claim_id, invoice_number, debtor_id, reference"):
        read_payments(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("creditor".encode("utf-16-le"), "not text"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"cr\xe9diteur,x\n", "`créditeur` is not known"),
        (b"cr\x81diteur,x\n", "CSV UTF-8"),
        (b'"creditor,debtor_id\n', "cannot be read"),
        (b"\0\0\0\n", "not text"),
    ],
)
def test_what_is_no_csv_file_is_refused_with_a_reason(tmp_path: Path, content: bytes, said: str) -> None:
    """Other kinds of file give one clear message and no crash."""
    assert said in _refusal(write_csv(tmp_path, content))


def test_a_file_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    """A path that cannot be opened is named in the message."""
    with pytest.raises(FileError, match=r"nothing\.csv"):
        read_claims(tmp_path / "nothing.csv")
    assert "cannot be read" in _refusal(tmp_path)


def test_good_rows_go_on_past_bad_ones(tmp_path: Path) -> None:
    """Ragged, undecodable and binary rows are refused one by one, and every other row is taken."""
    good = csv_text([CLAIM]).encode()
    row = good.split(b"\n")[1]
    bad = [row + b",extra", b"a,b", row.replace("Zoë".encode(), b"Zo\xeb"), row.replace(b"007", b"0\x007")]
    path = write_csv(tmp_path, b"\n".join([good.split(b"\n")[0], row, *bad, b"", b",,,,,,,,", row]) + b"\n")
    rows, rejects = gather(list(read_claims(path)))
    assert len(rows) == 2
    assert [(r.row, r.field) for r in rejects] == [(3, ""), (4, ""), (5, "debtor_name"), (6, "debtor_id")]
    assert "UTF-8" in rejects[2].expected


@pytest.mark.parametrize("broken", ['"ACME,never closed', 'ACME,"a"b,c'])
def test_a_quotation_mark_that_is_not_closed_costs_its_own_row_only(tmp_path: Path, broken: str) -> None:
    """The rows after a broken one are read again, so that an open quotation mark swallows none of them."""
    lines = csv_text([CLAIM | {"claim_id": str(n)} for n in range(200)]).splitlines()
    plain = [line.replace('"', "") for line in lines]
    for tail in (lines[1:], plain[1:]):
        path = write_csv(tmp_path, "\n".join([lines[0], tail[0], broken, *tail[1:]]))
        rows, rejects = gather(list(read_claims(path)))
        assert [row.claim_id for row in rows] == [str(n) for n in range(200)]
        assert [(reject.row, reject.value) for reject in rejects] == [(3, broken)]


def test_text_over_more_lines_is_one_row(tmp_path: Path) -> None:
    """A description may have line ends; the rows after it keep the number of the line they stand on."""
    path = claims_file(tmp_path, {"description": "one\r\ntwo\nthree"}, {"description": "x"})
    (batch,) = read_claims(path)
    assert [(number, row.description) for number, row in batch.rows] == [(2, "one two three"), (5, "x")]


@pytest.mark.parametrize("length", [140_000, 300_000, 900_000])
def test_a_huge_cell_costs_its_own_row_only(tmp_path: Path, length: int) -> None:
    """Cells and lines have a largest size; beyond it the row is refused and reading goes on."""
    header, row, _ = csv_text([CLAIM]).split("\n")
    for huge in (row.replace("007", "7" * length), "a," * (length // 2), '"' + "b\n" * (length // 2000)):
        rows, rejects = gather(list(read_claims(write_csv(tmp_path, f"{header}\n{row}\n{huge}\n{row}"))))
        assert len(rows) == 2
        assert rejects[0].row == 3


def test_columns_without_a_name_must_be_empty(tmp_path: Path) -> None:
    """A separator too many at each line end is harmless; a value below it is never dropped silently."""
    header, row, _ = csv_text([CLAIM]).split("\n")
    rows, rejects = gather(list(read_claims(write_csv(tmp_path, f"{header},\n{row},\n{row},stray\n"))))
    assert len(rows) == 1
    assert [(r.row, r.value) for r in rejects] == [(3, "stray")]


def test_batches_have_the_asked_size_and_lose_nothing(tmp_path: Path) -> None:
    """Each batch accounts for at most that many records, good and bad together."""
    changes = [{"claim_id": str(n), "currency": "x" if n % 3 == 0 else "EUR"} for n in range(25)]
    batches = list(read_claims(claims_file(tmp_path, *changes), size=10))
    assert [batch.read for batch in batches] == [10, 10, 5]
    assert [len(batch.rows) + batch.refused for batch in batches] == [10, 10, 5]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Reading four times as many rows needs no more memory at its peak."""
    peaks = []
    for size in (2_000, 8_000):
        path = write(tmp_path / str(size), size, 1, date(2026, 1, 1)).claims_file
        for _ in read_claims(path, size=200):
            pass  # the first pass fills the bounded caches
        tracemalloc.start()
        for _ in read_claims(path, size=200):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 1_000_000


@ANY_FOLDER
@given(content=st.binary(max_size=400))
def test_no_bytes_crash_the_reader(tmp_path: Path, content: bytes) -> None:
    """Any file is read, or refused with problems; nothing else happens."""
    try:
        gather(list(read_claims(write_csv(tmp_path, content))))
    except IntakeError as refused:
        assert refused.problems


@ANY_FOLDER
@given(tail=st.one_of(st.binary(max_size=300), st.text('",;\n\r\0\ufeffa1é', max_size=300).map(str.encode)))
def test_no_rows_crash_the_reader(tmp_path: Path, tail: bytes) -> None:
    """Below a right header every line is taken, refused with a reason, or blank; good rows before stay."""
    rows, rejects = gather(list(read_claims(write_csv(tmp_path, csv_text([CLAIM]).encode() + tail))))
    assert rows[0].claim_id == "C1"
    assert all(reject.expected and reject.row > 2 for reject in rejects)


@ANY_FOLDER
@given(cells=st.dictionaries(st.sampled_from(list(CLAIMS.columns)), st.text(max_size=40)))
def test_any_cell_is_taken_or_refused_by_name(tmp_path: Path, cells: dict[str, str]) -> None:
    """Whatever stands in a cell, the row is taken or the reject names a column that exists."""
    path = write_csv(tmp_path, csv_text([CLAIM | cells]).encode("utf-8", "surrogatepass"))
    rows, rejects = gather(list(read_claims(path)))
    assert bool(rows) != bool(rejects)
    assert all(reject.field in CLAIMS.columns for reject in rejects)


def test_rejects_are_written_only_when_there_are_any(tmp_path: Path) -> None:
    """No reject, no file; one from an earlier run does not stay; the file is for its owner's eyes only."""
    source = claims_file(tmp_path, {})
    with RejectFile(source) as out:
        out.add([Reject("claims.csv", 2, "a", "=1+1", "x"), Reject("claims.csv", 2, "b", "é", "x")])
        out.add([Reject("claims.csv", 3, "a", "\ud8ff", "x")])
    assert out.path.name == "claims.csv.rejects.csv"
    assert out.rows == 2
    with out.path.open(encoding="utf-8-sig", newline="") as handle:
        lines = list(csv.reader(handle))
    assert lines[0] == ["file", "row", "field", "value", "expected"]
    assert [line[3] for line in lines[1:]] == ["'=1+1", "é", "\\ud8ff"]
    if os.name == "posix":
        assert out.path.stat().st_mode & 0o077 == 0
    with RejectFile(source) as out:
        out.add([])
    assert not out.path.exists()


@given(st.text())
def test_no_cell_of_the_rejects_is_a_formula(text: str) -> None:
    """A spreadsheet that opens the rejects runs nothing that somebody put into a file."""
    assert safe_cell(text).lstrip(" ")[:1] not in tuple("=+-@\t\r\n")
    safe_cell(text).encode()
