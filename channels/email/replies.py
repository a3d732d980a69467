"""What a relay's answer means for a message: from stage and reply to outcome. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from channels.protocol import Outcome, OutcomeKind


class Stage(StrEnum):
    """How far a conversation had come when the relay answered, or fell silent."""

    CONNECT = "connect"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    """The DATA command itself: no byte of the mail has left."""
    CONTENT = "content"
    """The mail and its final dot have been written: from here on silence is doubt."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the relay: status (RFC 5321 4.2) and text; several lines are joined by a line feed."""

    status: int
    text: str


RETRY_SOON = timedelta(minutes=1)
"""After a lost connection or a silence."""
RETRY_LATER = timedelta(minutes=15)
"""After a 4xx: greylisting and throttling want minutes, not seconds."""

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?![.\d])")
_QUEUE_ID = re.compile(r"\bqueued as ([A-Za-z0-9._-]{1,64})")
_OUR_STAGES = frozenset({Stage.CONNECT, Stage.HELLO, Stage.TLS, Stage.LOGIN, Stage.MAIL, Stage.DATA})
_RECIPIENT_SUBJECTS = frozenset({"1", "2", "4"})
"""Address, mailbox, network and routing (RFC 3463 3) are the recipient's; all others ours or the system's."""
_SENDER_DETAILS = frozenset({"5.1.7", "5.1.8"})
"""Bad address of the sender, although below "address" (RFC 3463 3.2)."""
_THROTTLES = frozenset({421, 450, 451, 452, 454})


def enhanced(reply: Reply) -> str:
    """The enhanced status at the start of the text (RFC 3463), such as "5.1.1"; empty when there is none."""
    match = _ENHANCED.match(reply.text)
    return match.group(1) if match and match.group(1)[0] == str(reply.status)[0] else ""


def code_of(reply: Reply) -> str:
    """The status as it may be logged, such as "550 5.1.1"; the text stays out, it may name a person."""
    return f"{reply.status} {enhanced(reply)}".rstrip()


def classify(stage: Stage, reply: Reply) -> Outcome:
    """Say what the reply at that stage means for the message.

    A reply that is no answer at all (3xx, or no SMTP) counts as silence.
    """
    kind = reply.status // 100
    if kind == 2 and stage is Stage.CONTENT:
        found = _QUEUE_ID.search(reply.text)
        provider_id = found.group(1) if found else None
        return Outcome(OutcomeKind.ACCEPTED, code_of(reply), reply.text, provider_id=provider_id)
    if kind == 4:
        return Outcome(OutcomeKind.RETRY_AFTER, code_of(reply), reply.text, retry_after=RETRY_LATER)
    if kind == 5:
        return Outcome(_refusal(stage, reply), code_of(reply), reply.text)
    return silence(stage, "bad_reply", reply.text)


def silence(stage: Stage, code: str, detail: str = "") -> Outcome:
    """What no answer (`code`: "timeout", "connection_lost", "bad_reply") means at that stage."""
    if stage is Stage.CONTENT:
        return Outcome(OutcomeKind.IN_DOUBT, code, detail)
    return Outcome(OutcomeKind.RETRY_AFTER, code, detail, retry_after=RETRY_SOON)


def is_throttle(stage: Stage, reply: Reply) -> bool:
    """Whether the relay asks us to slow down; a mailbox that is full (4.2.x) does not."""
    return reply.status in _THROTTLES and not (stage is Stage.RCPT and enhanced(reply).startswith("4.2."))


def _refusal(stage: Stage, reply: Reply) -> OutcomeKind:
    """Whose fault a 5xx is."""
    if stage in _OUR_STAGES:
        return OutcomeKind.REFUSED_US
    detail = enhanced(reply)
    subject = detail.split(".")[1] if detail else "0"
    if subject != "0":
        theirs = subject in _RECIPIENT_SUBJECTS and detail not in _SENDER_DETAILS
    elif stage is Stage.RCPT:
        # 50x: our syntax or order of commands; 53x: we should have logged in (RFC 4954 6).
        theirs = not (500 <= reply.status <= 504 or 530 <= reply.status <= 539)
    else:
        theirs = 550 <= reply.status <= 553
    return OutcomeKind.REFUSED_RECIPIENT if theirs else OutcomeKind.REFUSED_US
