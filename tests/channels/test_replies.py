from __future__ import annotations

import pytest

from channels.email.replies import Reply, Stage, classify, is_throttle, silence
from channels.protocol import OutcomeKind

ACCEPTED = OutcomeKind.ACCEPTED
THEM = OutcomeKind.REFUSED_RECIPIENT
US = OutcomeKind.REFUSED_US
LATER = OutcomeKind.RETRY_AFTER
DOUBT = OutcomeKind.IN_DOUBT


@pytest.mark.parametrize(
    ("stage", "said", "kind", "code"),
    [
        ("content", "250 2.0.0 Ok: queued as 4Xy", ACCEPTED, "250 2.0.0"),
        ("content", "250 Ok", ACCEPTED, "250"),
        ("connect", "554 5.7.1 Blocked", US, "554 5.7.1"),
        ("connect", "421 4.7.0 Too many", LATER, "421 4.7.0"),
        ("hello", "550 Bad name", US, "550"),
        ("tls", "454 4.7.0 TLS not now", LATER, "454 4.7.0"),
        ("login", "535 5.7.8 No", US, "535 5.7.8"),
        ("login", "454 4.7.0 Temporary", LATER, "454 4.7.0"),
        ("mail", "550 5.1.8 Bad sender", US, "550 5.1.8"),
        ("mail", "552 5.3.4 Too big", US, "552 5.3.4"),
        ("mail", "451 4.3.0 Busy", LATER, "451 4.3.0"),
        ("rcpt", "550 5.1.1 <jan@example.nl> unknown", THEM, "550 5.1.1"),
        ("rcpt", "550 5.1.10 Null MX", THEM, "550 5.1.10"),
        ("rcpt", "552 5.2.2 Full", THEM, "552 5.2.2"),
        ("rcpt", "550 5.4.1 Access denied", THEM, "550 5.4.1"),
        ("rcpt", "550 No such user", THEM, "550"),
        ("rcpt", "550 5.0.0 No", THEM, "550 5.0.0"),
        ("rcpt", "554 No", THEM, "554"),
        ("rcpt", "550 5.1.7 Bad sender", US, "550 5.1.7"),
        ("rcpt", "550 5.1.8 Sender's domain", US, "550 5.1.8"),
        ("rcpt", "554 5.7.1 Relay access denied", US, "554 5.7.1"),
        ("rcpt", "552 5.3.1 Full", US, "552 5.3.1"),
        ("rcpt", "501 5.5.4 Syntax", US, "501 5.5.4"),
        ("rcpt", "503 Bad sequence", US, "503"),
        ("rcpt", "530 Log in first", US, "530"),
        ("rcpt", "450 4.7.1 Greylisted", LATER, "450 4.7.1"),
        ("rcpt", "452 4.2.2 Full", LATER, "452 4.2.2"),
        ("data", "554 5.5.1 No valid recipients", US, "554 5.5.1"),
        ("data", "451 Busy", LATER, "451"),
        ("content", "550 5.1.1 Unknown", THEM, "550 5.1.1"),
        ("content", "552 5.2.2 Full", THEM, "552 5.2.2"),
        ("content", "550 5.7.1 Spam", US, "550 5.7.1"),
        ("content", "554 5.6.0 Bad content", US, "554 5.6.0"),
        ("content", "550 No", THEM, "550"),
        ("content", "553 No", THEM, "553"),
        ("content", "554 Transaction failed", US, "554"),
        ("content", "451 4.3.0 Disk", LATER, "451 4.3.0"),
        ("content", "421 4.3.2 Shutting down", LATER, "421 4.3.2"),
        ("content", "550 4.2.2 Classes that differ", THEM, "550"),
        ("content", "354 What", DOUBT, "bad_reply"),
        ("data", "250 What", LATER, "bad_reply"),
    ],
)
def test_whose_fault_a_reply_is_follows_from_stage_and_codes(
    stage: str, said: str, kind: OutcomeKind, code: str
) -> None:
    """The recipient's fault leads to the next channel; ours never does; the code names no person."""
    outcome = classify(Stage(stage), Reply(int(said[:3]), said[4:]))
    assert (outcome.kind, outcome.code) == (kind, code)
    assert (outcome.retry_after is not None) == (kind is LATER)


@pytest.mark.parametrize("stage", list(Stage))
def test_silence_is_doubt_only_after_the_final_dot(stage: Stage) -> None:
    """Before it nothing can have been accepted."""
    assert silence(stage, "timeout").kind is (DOUBT if stage is Stage.CONTENT else LATER)


def test_the_relay_s_own_number_of_the_mail_is_kept() -> None:
    """It lets a late log line or bounce settle what is in doubt."""
    assert classify(Stage.CONTENT, Reply(250, "2.0.0 Ok: queued as 4Xy-1")).provider_id == "4Xy-1"


@pytest.mark.parametrize(
    ("stage", "said", "throttles"),
    [
        ("mail", "421 4.7.0 Too fast", True),
        ("rcpt", "450 4.7.1 Later", True),
        ("rcpt", "451 4.3.0 Busy", True),
        ("content", "452 4.3.1 Disk", True),
        ("login", "454 4.7.0 Later", True),
        ("rcpt", "452 4.2.2 Mailbox full", False),
        ("rcpt", "550 5.1.1 Unknown", False),
        ("content", "250 Ok", False),
    ],
)
def test_only_a_busy_relay_slows_us_down(stage: str, said: str, throttles: bool) -> None:
    """One full mailbox is no reason to slow down for all others."""
    assert is_throttle(Stage(stage), Reply(int(said[:3]), said[4:])) is throttles
