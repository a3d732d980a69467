"""What bookkeeping programs call their columns: only to suggest ours, never taken as ours by themselves."""

from __future__ import annotations

import re
import unicodedata

_CLAIMS = {
    "creditor": "schuldeiser",
    "debtor_id": "debiteurnummer debiteurnr debiteur_nr debiteurcode klantnummer klantnr klant_nr klantcode"
    " relatienummer relatienr relatiecode debtor_number customer_number customer_no customer_id customerid"
    " client_number account_number",
    "debtor_name": "debiteurnaam debiteur_naam naam_debiteur klantnaam klant_naam naam_klant relatienaam bedrijfsnaam"
    " naam klant relatie debiteur contact contactnaam bedrijf organisatie customer_name client_name company_name"
    " company name customer client",
    "claim_id": "vorderingnummer vordering",
    "invoice_number": "factuurnummer factuurnr factuur_nr factuur_nummer factuur boekstuknummer boekstuk invoice_number"
    " invoice_no invoice_id invoice document_number",
    "invoice_on": "factuurdatum datum_factuur factuur_datum datum boekdatum invoice_date issue_date date",
    "due_on": "vervaldatum vervaldag verval_datum uiterste_betaaldatum uiterlijk_betalen betalen_voor due_date due",
    # What is left comes before what it was: asking more than is open would be wrong, asking less is not.
    "principal": "openstaand_bedrag bedrag_openstaand openstaand openstaand_saldo nog_te_betalen open_bedrag restbedrag"
    " saldo openstaande_bedrag outstanding outstanding_amount amount_due balance_due balance open_amount"
    " factuurbedrag totaalbedrag totaal_incl_btw totaal_inclusief_btw bedrag_incl_btw bedrag_inclusief_btw"
    " factuurtotaal totaal bedrag hoofdsom total_incl_tax invoice_amount invoice_total total amount",
    "currency": "valuta munt muntsoort valutacode currency_code",
    "email": "e_mail e_mailadres emailadres mailadres mail email_address e_mail_address",
    "phone": "telefoon telefoonnummer telefoonnr tel mobiel mobiele_telefoon phone_number telephone mobile",
    "street": "straat straatnaam adres adresregel_1 adres_1 address address_1 address_line_1",
    "house_number": "huisnummer huisnr",
    "house_number_suffix": "toevoeging huisnummertoevoeging huisnummer_toevoeging",
    "postcode": "pc postal_code zip zip_code zipcode post_code",
    "city": "plaats woonplaats stad plaatsnaam town",
    "country": "land landcode country_code",
    "language": "taal taalcode",
    "date_of_birth": "geboortedatum",
    "contract_id": "contractnummer contractnr contract contract_number",
    "kvk_number": "kvk kvk_nummer kvknummer kvk_nr",
    "description": "omschrijving beschrijving onderwerp subject",
    "payment_url": "betaallink betaalpagina payment_link",
    "vat": "btw btw_bedrag bedrag_btw",
    "direct_debit": "incasso automatische_incasso",
}
_PAYMENTS = {
    "payment_id": "betaling_id transactie_id transactienummer",
    "booked_on": "boekdatum boekingsdatum betaaldatum datum",
    "amount": "bedrag",
    "currency": "valuta munt",
    "debtor_id": "debiteurnummer debiteurnr klantnummer klantnr relatiecode",
    "invoice_number": "factuurnummer factuurnr",
    "reference": "betalingskenmerk kenmerk omschrijving mededeling",
}
PREFERRED = {
    table: {ours: tuple(theirs.split()) for ours, theirs in names.items()}
    for table, names in (("claims", _CLAIMS), ("payments", _PAYMENTS))
}
"""By kind of file and our column: their names for it, the likeliest first."""

_OURS = {
    table: {theirs: ours for ours, names in columns.items() for theirs in names}
    for table, columns in PREFERRED.items()
}


def key_of(name: str) -> str:
    """Return the name of a column as the lists here have it: plain small letters and digits, joined by `_`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "_".join(re.findall(r"[a-z0-9]+", plain[:200]))


def ours_of(table: str, name: str) -> str | None:
    """Return which of our columns somebody else's most likely is, None where nobody can tell."""
    return _OURS.get(table, {}).get(key_of(name))
