"""A mapping for a file of another program: what its columns are called decides, and a person checks it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from outreach.intake.errors import FileError
from outreach.intake.mapping import load_mapping
from outreach.intake.names import PREFERRED, key_of, ours_of
from outreach.intake.reading import read_claims
from outreach.intake.rows import ClaimRow
from outreach.intake.suggest import suggest_mapping
from outreach.intake.tables import CLAIMS, PAYMENTS
from tests.outreach.intake.files import CLAIM, csv_text, gather, write_csv

EXPORT = (
    "Debiteurnr;Naam;E-mailadres;Adres;Postcode;Plaats;Land;Factuurnr.;Factuurdatum;Vervaldatum;Factuurbedrag;"
    "Openstaand bedrag;Betalingsconditie\r\n"
    "10023;Jansen én Zn.;admin@jansen.example;Verzonnen Laan 12;1234AB;Ons Dorp;Nederland;20260412;3-10-2026;"
    "02-11-2026;1.250,00;750,00;30 dagen\r\n"
    "10031;M. de Bruin;;Kade 3;1235 CD;Havenstad;BE;20260413;05-10-2026;04-11-2026;84,50;1.084,50;30 dagen\r\n"
)


def taken(folder: Path, path: Path) -> tuple[list[ClaimRow], str]:
    """The rows of a file by the mapping that is suggested for it."""
    text = suggest_mapping(path)
    mapping = folder / "mapping.toml"
    mapping.write_text(text, encoding="utf-8")
    rows, rejects = gather(list(read_claims(path, creditor="MIJN", mapping=load_mapping(mapping))))
    assert not rejects
    return rows, text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_an_export_of_a_bookkeeping_program_is_understood(tmp_path: Path, encoding: str) -> None:
    """Dutch names, dates and amounts become claims; what is open counts, and the invoice is the claim's number."""
    rows, text = taken(tmp_path, write_csv(tmp_path, EXPORT.encode(encoding), "export.csv"))
    first, second = rows
    assert (first.debtor_id, first.debtor_name, first.email) == (
        "10023",
        "Jansen én Zn.",
        "admin@jansen.example",
    )
    assert (first.claim_id, first.invoice_number) == ("20260412", "20260412")
    assert (first.invoice_on, first.due_on) == (date(2026, 10, 3), date(2026, 11, 2))
    assert (first.principal, second.principal, first.currency) == (75_000, 108_450, "EUR")
    assert (first.country, second.country, first.postcode) == ("NL", "BE", "1234 AB")
    assert "# claim_id: the number of the invoice" in text
    assert '"Factuurbedrag"' in text.partition("[ignore]")[2]


def test_a_file_with_names_only_takes_the_name_for_the_number(tmp_path: Path) -> None:
    """Without a number the name stands in, and the mapping says what that means."""
    text = "Klant,Factuur,Datum,Vervaldag,Totaal\nEls Bakker,2026-1,2026-10-03,2026-11-02,12.50\n"
    (row,), suggested = taken(tmp_path, write_csv(tmp_path, text))
    assert (row.debtor_id, row.debtor_name, row.principal) == ("Els Bakker", "Els Bakker", 1_250)
    assert "two debtors of one name would be one" in suggested


def test_what_cannot_be_guessed_is_said(tmp_path: Path) -> None:
    """A needed column that nothing looks like, and dates that could be read in two ways, are comments to check."""
    text = "Klantnr,Klant,Factuur,Datum,Kleur\n1,Els,2026-1,03/10/2026,rood\n"
    suggested = suggest_mapping(write_csv(tmp_path, text))
    assert "# due_on: needed, and no column of this file looks like it" in suggested
    assert "# principal: needed" in suggested
    assert "# date: these dates can be read as day/month and as month/day" in suggested
    assert 'date = "D/M/YYYY"' in suggested
    assert '"Kleur"' in suggested.partition("[ignore]")[2]
    american = write_csv(tmp_path, text.replace("03/10", "10/23"))
    assert 'date = "M/D/YYYY"' in suggest_mapping(american)


def test_a_file_of_ours_needs_nothing(tmp_path: Path) -> None:
    """Columns that bear our names are taken as they are."""
    path = write_csv(tmp_path, csv_text([CLAIM]))
    text = suggest_mapping(path)
    assert text.partition("[columns]")[2].strip() == ""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(text, encoding="utf-8")
    rows, _ = gather(list(read_claims(path, mapping=load_mapping(mapping))))
    assert rows[0].debtor_id == "007"


def test_odd_names_stay_readable_toml(tmp_path: Path) -> None:
    """Quotation marks and accents in the name of a column do not break the mapping."""
    text = 'Klantnr,Klant,Factuur,Datum,Vervaldag,"Totaal",Crème "b\\d"\n'.replace('"b\\d"', "b\\d")
    row = "1,Els,2026-1,2026-10-03,2026-11-02,5.00,x\n"
    assert taken(tmp_path, write_csv(tmp_path, text + row))[0][0].principal == 500


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """An empty file and a spreadsheet are refused with the reason, as an import would."""
    with pytest.raises(FileError, match="is empty"):
        suggest_mapping(write_csv(tmp_path, ""))
    with pytest.raises(FileError, match="spreadsheet"):
        suggest_mapping(write_csv(tmp_path, b"PK\x03\x04"))


def test_every_suggestion_is_a_column_of_ours() -> None:
    """The lists of names speak of columns that exist, each name once, and in the shape that names are compared in."""
    for table in (CLAIMS, PAYMENTS):
        names = PREFERRED[table.name]
        assert names.keys() <= table.columns.keys()
        keys = [key for theirs in names.values() for key in theirs]
        assert len(keys) == len(set(keys))
        assert keys == [key_of(key) for key in keys]
    assert ours_of("claims", "E-mailadres") == "email"
    assert ours_of("facts", "naam") is None


def test_the_way_from_an_export_to_the_book(tmp_path: Path) -> None:
    """The file as it is, refused, says which command helps; with what that writes every row comes in."""
    path = write_csv(tmp_path, EXPORT, "export.csv")
    with pytest.raises(FileError, match=r"outreach import mapping export\.csv"):
        list(read_claims(path, creditor="MIJN"))
    rows, _ = taken(tmp_path, path)
    assert len(rows) == 2
