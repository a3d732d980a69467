"""Lookup tables of the vocabularies that grow; the words are written anew at every upgrade."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from outreach.store.types import metadata

VOCABULARIES: dict[str, tuple[str, ...]] = {
    "channel_kind": ("email", "sms", "letter", "video"),
    "person_kind": ("person", "business"),
    "party_role": ("debtor", "co_debtor", "guarantor", "representative"),
    "certainty": ("unverified", "probable", "verified", "suspect", "wrong_person", "dead"),
    "claim_kind": ("single", "recurring", "instalment", "final_bill", "credit_note"),
    "payment_kind": ("payment", "reversal", "credit_note", "write_off"),
    "stop_kind": (
        "dispute",
        "hold",
        "deferral",
        "promise",
        "arrangement",
        "debt_help",
        "deceased",
        "minor",
        "representative",
        "objection",
        "restriction",
        "insolvent",
        "wrong_person",
        "moved",
        "address_protected",
        "breathing_space",
    ),
    "stop_scope": ("contact_point", "channel", "claim", "dossier", "person", "creditor"),
    "task_kind": (
        "no_contact_point",
        "channels_spent",
        "in_doubt",
        "refused",
        "unplaced_payment",
        "gap",
        "call",
        "visit",
        "reply",
        "returned_mail",
    ),
    "outcome": ("sent", "waiting", "stopped", "failed", "in_doubt", "task", "nothing_due"),
    "entry_type": (
        "imported",
        "composed",
        "withheld",
        "handed_over",
        "accepted",
        "refused",
        "postponed",
        "in_doubt",
        "resolved",
        "expired",
        "withdrawn",
        "delivered",
        "bounced",
        "stop_set",
        "stop_lifted",
        "sending_switched",
        "creditor_changed",
        "contact_point_changed",
        "payment_booked",
        "worker_declared_dead",
        "database_started",
        "copy_detected",
        "task_opened",
        "task_closed",
        "previewed",
    ),
    "artefact_kind": ("strategy", "pack", "template"),
}

TABLES = {
    name: Table(name, metadata, Column("word", String(40), primary_key=True)) for name in sorted(VOCABULARIES)
}
