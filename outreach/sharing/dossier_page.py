"""A handover dossier as a page that people read: the same records as the file to import, in Dutch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import Any

from outreach.casework.days import OPERATOR_ZONE

_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "creditor": (
        "Schuldeiser",
        {
            "name": "Naam",
            "iban": "IBAN",
            "phone": "Telefoon",
            "email": "E-mail",
            "register_number": "KvK-nummer",
            "contract": "Contract",
        },
    ),
    "party": (
        "Partijen en vertegenwoordiging",
        {
            "id": "Partij",
            "role": "Rol",
            "number": "Debiteurnummer",
            "name": "Naam",
            "address": "Adres",
            "phone": "Telefoon",
            "email": "E-mail",
            "language": "Taal",
        },
    ),
    "claim": (
        "Vorderingen",
        {
            "invoice_number": "Factuur",
            "description": "Waarvoor",
            "invoice_on": "Factuurdatum",
            "due_on": "Te betalen op",
            "currency": "Munt",
            "principal": "Hoofdsom",
            "reduced": "Betaald of verrekend",
            "open": "Open",
        },
    ),
    "payment": (
        "Betalingen en verrekeningen",
        {
            "booked_on": "Geboekt op",
            "kind": "Soort",
            "number": "Nummer",
            "invoice_number": "Op factuur",
            "currency": "Munt",
            "amount": "Bedrag",
        },
    ),
    "message": (
        "Berichten die wij stuurden",
        {
            "at": "Wanneer",
            "party": "Aan partij",
            "channel": "Langs",
            "address": "Adres",
            "template": "Bericht",
            "told": "Over",
            "state": "Stand",
            "proof": "Bewijs",
            "receipts": "Ontvangstberichten",
            "file": "Bestand",
        },
    ),
    "said": (
        "Wat verder is gezegd en geschreven",
        {"at": "Wanneer", "party": "Partij", "type": "Soort", "how": "Hoe", "file": "Bestand"},
    ),
    "dispute": (
        "Betwistingen",
        {
            "invoice_number": "Factuur",
            "amount": "Bedrag",
            "cause": "Reden",
            "from": "Vanaf",
            "until": "Tot",
            "ended": "Beantwoord op",
        },
    ),
    "stop": (
        "Pauzes en andere feiten",
        {
            "kind": "Soort",
            "scope": "Waarop",
            "party": "Partij",
            "from": "Vanaf",
            "until": "Tot",
            "ended": "Opgeheven op",
        },
    ),
    "signal": (
        "Vroegsignalen",
        {
            "at": "Wanneer",
            "municipality": "Gemeente",
            "sector": "Sector",
            "arrears": "Achterstand",
            "withdrawn": "Ingetrokken op",
            "entry": "Bewijs",
        },
    ),
    "approval": (
        "Wie wat goedkeurde",
        {"at": "Wanneer", "party": "Partij", "step": "Stap", "approved": "Goedgekeurd", "by": "Door"},
    ),
    "decision": (
        "Beslissingen",
        {"at": "Wanneer", "party": "Partij", "outcome": "Uitkomst", "code": "Reden", "currency": "Munt"},
    ),
}
"""The sections in the order in which they are read: title, and the heading of each field that is shown."""

_STYLE = """body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
color: #1d2a2b; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid #d5dddb; padding: .3rem .5rem;
text-align: left; vertical-align: top; } @media print { body { margin: 0; font-size: 11px; } }"""


def page(head: Mapping[str, Any], records: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the dossier as one page without anything from elsewhere."""
    sections = [_section(title, fields, records.get(name, ())) for name, (title, fields) in _TABLES.items()]
    title = f"Dossier voor {escape(str(head['recipient']))}"
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="nl">\n<head>\n<meta charset="utf-8">',
            f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>",
            f"<p>Gemaakt op {escape(_shown(head['made_at']))}. Nummer: {escape(str(head['id']))}.</p>",
            "<p>Dezelfde gegevens staan in <code>dossier.json</code>. In <code>manifest.json</code> staat van elk "
            "bestand een controlegetal (SHA-256).</p>",
            *sections,
            "</body>\n</html>\n",
        ]
    )


def _section(title: str, fields: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"<h2>{title}</h2>\n<p>Geen.</p>"
    head = "".join(f'<th scope="col">{label}</th>' for label in fields.values())
    body = "\n".join(
        "<tr>" + "".join(f"<td>{_cell(name, row.get(name))}</td>" for name in fields) + "</tr>"
        for row in rows
    )
    return f"<h2>{title}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _cell(name: str, value: Any) -> str:
    if name == "file" and value:
        return f'<a href="{escape(value)}">{escape(value)}</a>'
    if isinstance(value, list):
        return "<br>".join(escape(", ".join(_shown(part) for part in one.values())) for one in value)
    return escape(_shown(value)).replace("\n", "<br>")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, datetime):
        return value.astimezone(OPERATOR_ZONE).strftime("%d-%m-%Y %H:%M")
    return value.strftime("%d-%m-%Y") if isinstance(value, date) else str(value)
