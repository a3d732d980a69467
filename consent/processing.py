"""The register of processing activities: what each message and disclosure is done for, and on which legal basis.

Data in `activities/`, checked when it is read. Nothing is sent for a purpose that no activity names.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec

from consent.facts import Struct
from consent.packs import PackError

SenderKind = Literal["creditor", "agency"]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class Activity(Struct, frozen=True):
    """One row of the record of processing (GDPR art. 30(1)).

    `needs_assessment`: nothing is sent without an assessment (art. 35). `needs_notice`: the data came from somebody
    else, so that the first message must come with the notice of art. 14.
    """

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,39}$")]
    title: Text
    purposes: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    sender: Literal["creditor", "agency", "any"]
    basis: Literal["6(1)(a)", "6(1)(b)", "6(1)(c)", "6(1)(f)"]
    why: Text
    people: tuple[Text, ...]
    data: tuple[Text, ...]
    recipients: tuple[Text, ...]
    retention: Text
    safeguards: tuple[Text, ...]
    needs_assessment: bool = False
    needs_notice: bool = False


class Register(Struct, frozen=True):
    """The activities of an installation, in one version."""

    version: Text
    controller: Text
    source: Text
    activities: tuple[Activity, ...]

    def activity(self, purpose: str, sender: SenderKind) -> Activity | None:
        """Return the one that a purpose belongs to; None where nobody declared it."""
        found = (one for one in self.activities if purpose in one.purposes and sender in _senders(one))
        return next(found, None)

    def cite(self, purpose: str, sender: SenderKind) -> str:
        """Return how a message or a disclosure names its activity, with the version; empty where there is none."""
        found = self.activity(purpose, sender)
        return f"{found.code}@{self.version}" if found is not None else ""


class Declared(Struct, frozen=True):
    """A document that the operator declared: half-open, from a day until a day."""

    kind: str
    subject: str
    from_on: date
    until_on: date | None = None

    def holds_on(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.from_on <= on and (self.until_on is None or on < self.until_on)


def lacking(
    activity: Activity, declared: Iterable[Declared], processors: Iterable[str], on: date
) -> tuple[str, ...]:
    """Return what must be there before anything is sent for an activity on a day, and is not; as codes.

    `processors` are those that the message would go through. One whose contract was declared and has run out
    blocks; one that was never declared is for the checklist, since the operator may run it themselves.
    """
    known = list(declared)
    found = []
    if activity.needs_assessment and not _holds(known, "assessment", activity.code, on):
        found.append("assessment_missing")
    if activity.needs_notice and not _holds(known, "privacy_notice", activity.code, on):
        found.append("notice_missing")
    for name in processors:
        mine = [one for one in known if one.kind == "processor_contract" and one.subject == name]
        if mine and not any(one.holds_on(on) for one in mine):
            found.append("processor_contract_expired")
    return tuple(dict.fromkeys(found))


def _holds(declared: Iterable[Declared], kind: str, subject: str, on: date) -> bool:
    return any(one.kind == kind and one.subject == subject and one.holds_on(on) for one in declared)


def read(body: bytes, source: str) -> Register:
    """Read and check a register; raises PackError naming file, activity, field and what was expected."""
    try:
        register = msgspec.toml.decode(body, type=Register)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"{source}: {error}"
        raise PackError(msg) from error
    seen: dict[tuple[str, str], str] = {}
    for one in register.activities:
        for purpose in one.purposes:
            for sender in _senders(one):
                if (other := seen.setdefault((purpose, sender), one.code)) != one.code:
                    msg = f"{source}: activity {one.code}: purposes: {purpose!r} is {other}'s already"
                    raise PackError(msg)
    return register


@cache
def shipped_register() -> Register:
    """Return the register that comes with this version of the code."""
    file = files("consent") / "activities" / "nl.toml"
    return read(file.read_bytes(), file.name)


@cache
def shipped_activity(purpose: str, sender: SenderKind) -> tuple[Activity | None, str]:
    """Return the activity of the shipped register for a purpose, and how it is cited."""
    register = shipped_register()
    return register.activity(purpose, sender), register.cite(purpose, sender)


def _senders(activity: Activity) -> tuple[str, ...]:
    return ("creditor", "agency") if activity.sender == "any" else (activity.sender,)
