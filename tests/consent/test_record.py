"""Consent as it is read off what somebody said: the last word counts, for its purpose and channel alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.record import PURPOSES, Event, EventKind, Status, receipt, status

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
NOTICE = "a" * 64


def said(kind: str, hours: int = 0, **values: object) -> Event:
    """Something that was said so many hours after nine."""
    given = {"purpose": "survey", "notice_hash": NOTICE if kind == "given" else ""} | values
    return Event(id=f"{kind}{hours}", kind=kind, at=NOW + timedelta(hours=hours), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "channel", "found"),
    [
        ([], "email", Status.UNKNOWN),
        ([said("given")], "email", Status.GIVEN),
        ([said("given", notice_hash="")], "email", Status.UNKNOWN),
        ([said("given", channel="sms")], "email", Status.UNKNOWN),
        ([said("given", purpose="debt_helper")], "email", Status.UNKNOWN),
        ([said("given"), said("withdrawn", 1)], "email", Status.WITHDRAWN),
        ([said("given"), said("withdrawn", 1, channel="sms")], "email", Status.GIVEN),
        ([said("given", channel="email"), said("withdrawn", 1)], "email", Status.WITHDRAWN),
        ([said("withdrawn"), said("given", 1)], "email", Status.GIVEN),
        ([said("given"), said("withdrawn")], "email", Status.WITHDRAWN),
        ([said("refused")], "email", Status.REFUSED),
        ([said("given", 9)], "email", Status.UNKNOWN),
        ([said("objected")], "email", Status.UNKNOWN),
    ],
)
def test_the_last_word_counts_for_its_purpose_and_channel(
    events: list[Event], channel: str, found: Status
) -> None:
    """A yes for one channel is none for another, a yes without a notice is none at all, a wide no is a no for all."""
    assert status(events, "survey", channel, NOW + timedelta(hours=8)) is found


events = st.lists(
    st.builds(
        lambda kind, hours, channel, purpose, notice: said(
            kind, hours, channel=channel, purpose=purpose, notice_hash=notice
        ),
        st.sampled_from([kind.value for kind in EventKind]),
        st.integers(0, 20),
        st.none() | st.sampled_from(["email", "sms"]),
        st.sampled_from(PURPOSES),
        st.sampled_from(["", NOTICE]),
    ),
    max_size=8,
)


@given(events, st.sampled_from(PURPOSES), st.sampled_from(["email", "sms", None]))
def test_a_no_of_today_is_never_outlived_by_an_older_yes(
    heard: list[Event], purpose: str, channel: str | None
) -> None:
    """Whatever was said before, in any order: after a withdrawal consent does not hold."""
    last = said("withdrawn", 21, purpose=purpose)
    assert status([*heard, last], purpose, channel, NOW + timedelta(days=2)) is Status.WITHDRAWN


@given(events, st.sampled_from(PURPOSES))
def test_consent_holds_only_where_it_can_be_shown(heard: list[Event], purpose: str) -> None:
    """Where consent holds, there is a yes to that purpose for which a notice was shown."""
    if status(heard, purpose, "email", NOW + timedelta(days=2)) is Status.GIVEN:
        assert any(
            one.kind == "given" and one.notice_hash and one.purpose == purpose and one.channel != "sms"
            for one in heard
        )


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_receipt_names_what_was_said_and_whom_it_is_from(kind: EventKind) -> None:
    """It has the names of ISO/IEC TS 27560, a pseudonym for the person, and no basis where consent is none."""
    made = receipt(said(kind.value), "p1", "De Linde", "the same way")
    assert (made["record_id"], made["pii_principal_id"]) == (f"{kind}0", "p1")
    (event,) = made["events"]
    assert event["event_time"] == NOW.isoformat()
    assert (made["processing"]["lawful_basis"] is not None) is (kind in {"given", "refused", "withdrawn"})
