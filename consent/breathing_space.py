"""Breathing space in England and Wales: how long creditors leave somebody alone (Debt Respite Scheme).

The days are counted with the first one as day 1; that convention is not verified, so it may end a day early or
late by law. The stop itself is of the kind "breathing_space" and ends where these functions say.
"""

from __future__ import annotations

from datetime import date, timedelta

STANDARD_DAYS = 60
AFTER_TREATMENT_DAYS = 30


def standard_resumes_on(start_on: date) -> date:
    """The first day after a standard breathing space that started on this day."""
    return start_on + timedelta(days=STANDARD_DAYS)


def crisis_last_on(treatment_end_on: date) -> date:
    """The last day of a breathing space for a mental health crisis whose treatment ended on this day."""
    return treatment_end_on + timedelta(days=AFTER_TREATMENT_DAYS)
