"""What can be shared at all, by purpose: closed sets of `record.field` names that no agreement widens."""

from __future__ import annotations

from collections.abc import Mapping

EARLY_SIGNAL, HANDOVER = "early_signal", "handover"

SIGNAL_WORDS: Mapping[str, str] = {
    "contact.name": "name",
    "contact.address": "address",
    "contact.phone": "phone",
    "contact.email": "email",
    "arrears.amount": "arrears_amount",
    "creditor.reference": "creditor_ref",
}
"""The fields of an early signal, with the words that its gate knows them by (Besluit gemeentelijke
schuldhulpverlening art. 2: contact details and the arrears)."""

HANDOVER_RECORDS: Mapping[str, tuple[str, ...]] = {
    "creditor": ("name", "iban", "phone", "email", "register_number", "contract"),
    "party": ("id", "role", "number", "name", "kind", "language", "email", "phone", "address"),
    "claim": (
        "number",
        "invoice_number",
        "kind",
        "description",
        "invoice_on",
        "due_on",
        "currency",
        "principal",
        "reduced",
        "open",
    ),
    "payment": ("number", "kind", "booked_on", "currency", "amount", "invoice_number"),
    "message": (
        "party",
        "purpose",
        "template",
        "tone",
        "told",
        "channel",
        "address",
        "at",
        "state",
        "code",
        "proof",
        "receipts",
        "file",
        "sha256",
    ),
    "said": ("party", "at", "type", "how", "entry", "file", "sha256"),
    "decision": ("party", "at", "outcome", "code", "currency", "strategy", "pack", "template"),
    "approval": ("party", "step", "approved", "at", "by"),
    "dispute": ("invoice_number", "amount", "cause", "from", "until", "ended"),
    "stop": ("kind", "scope", "party", "from", "until", "ended"),
    "signal": ("at", "municipality", "sector", "arrears", "withdrawn", "entry"),
}
"""What a handover dossier has of each record: no flags about health, no notes, nothing of anybody else."""

KNOWN: Mapping[str, frozenset[str]] = {
    EARLY_SIGNAL: frozenset(SIGNAL_WORDS),
    HANDOVER: frozenset(f"{record}.{name}" for record, names in HANDOVER_RECORDS.items() for name in names),
}
"""Every field that may be named in an agreement, by its purpose."""

CORRECTED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("person", "name"): ("contact.name", "party.name"),
    ("person", "email"): ("contact.email", "party.email"),
    ("person", "phone"): ("contact.phone", "party.phone"),
    ("person", "address"): ("contact.address", "party.address"),
    ("person", "language"): ("party.language",),
    ("claim", "due_on"): ("claim.due_on",),
    ("claim", "description"): ("claim.description",),
}
"""Which shared fields a correction changes, by what was corrected."""

PAID = ("arrears.amount", "claim.open", "claim.reduced")
"""Which shared fields a payment changes."""
