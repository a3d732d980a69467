"""A strategy: the steps that a claim is told, in order. Data in TOML, checked, and versioned by its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Literal

import msgspec

from channels.kinds import Kind
from outreach.errors import UsageError

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

TONES = ("notice", "help", "friendly", "firm", "formal", "final")
"""From mild to strict. From `formal` on a step has consequences."""
FORMAL = TONES.index("formal")

Tone = Literal["notice", "help", "friendly", "firm", "formal", "final"]
Triage = Literal["open", "help", "plan", "formal", "department"]
SignalKind = Literal["reminded_elsewhere", "direct_debit_reversed", "promise_broken", "money_trouble"]

NOTICE = "notice"
"""The step before the due date, which a creditor may switch on beside any strategy."""
LISTED = "listed"
"""Not a step: a claim that stands in a message for information."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a strategy; a word that is not known is refused."""


class Question(_Part, frozen=True, kw_only=True):
    """A closed question of a call's guide, in two languages, with the words that are its answers."""

    id: Word
    nl: str
    en: str
    answers: Annotated[tuple[Word, ...], msgspec.Meta(min_length=2)]


class Routing(_Part, frozen=True, kw_only=True):
    """Where answers lead: to the first whose every answer was given."""

    when: dict[Word, Word]
    to: Triage


class Start(_Part, frozen=True, kw_only=True):
    """A signal that starts a trajectory before its own day: so many days after it was seen."""

    signal: SignalKind
    days: Days = 0


class Step(_Part, frozen=True, kw_only=True):
    """One thing to do: so many days after the due date, or after the previous step was handed over.

    A message has a template; a call or visit has a guide and is a person's; a handover is a person's decision.
    `channels` are tried in order, "preferred" being the debtor's own; empty is "as preferred, then any".
    `reached` is after how many hours without a bounce or return a hand-over counts, by channel.
    """

    id: Word
    kind: Literal["message", "call", "visit", "handover"] = "message"
    tone: Tone
    template: Word = ""
    after_due_days: Days | None = None
    after_previous_days: Days | None = None
    min_interval_days: Days = 0
    pay_within_days: Days = 7
    channels: tuple[Literal["preferred", "email", "sms", "letter", "video"], ...] = ()
    reached_after_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * 365)] = 48
    reached: dict[Kind, Annotated[int, msgspec.Meta(ge=0, le=24 * 365)]] = {}
    approval: bool = False
    triage: tuple[Triage, ...] = ()
    tries: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    due_within_days: Days = 3
    guide: tuple[Question, ...] = ()
    routes: tuple[Routing, ...] = ()

    @property
    def rank(self) -> int:
        """How strict the step is, as the place of its tone."""
        return TONES.index(self.tone)

    def hours(self, channel: str) -> int:
        """Return after how many hours a hand-over on a channel counts as reached."""
        return (
            self.reached.get(Kind(channel), self.reached_after_hours) if channel else self.reached_after_hours
        )


class Strategy(_Part, frozen=True, kw_only=True):
    """The whole ladder, from friendly to formal, and the signals that may start it early."""

    name: Word
    title: str
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1)]
    starts: tuple[Start, ...] = ()

    def position(self, step_id: str) -> int:
        """Return how far along the ladder a step is; -1 for a step of another version."""
        return next((place for place, step in enumerate(self.steps) if step.id == step_id), -1)

    def place_of(self, step_id: str, tone: str) -> int:
        """Return the place of a step, or of the last one no stricter than its tone; -1 where all are stricter."""
        place = self.position(step_id)
        if place >= 0 or tone not in TONES:
            return place
        rank = TONES.index(tone)
        return max((place for place, step in enumerate(self.steps) if step.rank <= rank), default=-1)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy with the bytes it was read from and their hash (SHA-256)."""

    strategy: Strategy
    body: bytes
    hash: str


def read(body: bytes, source: str) -> Version:
    """Read and check a strategy; raises UsageError naming file, step, field and what was expected."""
    try:
        strategy = msgspec.toml.decode(body, type=Strategy)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"{source}: {error}"
        raise UsageError(msg) from error
    _check(strategy, source)
    return Version(strategy=strategy, body=body, hash=hashlib.sha256(body).hexdigest())


def shipped_names() -> tuple[str, ...]:
    """Return the names of the strategies that come with the service."""
    folder = resources.files("outreach.dunning") / "strategies"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir()))


@cache
def shipped(name: str) -> Version:
    """Return a strategy that comes with the service; raises UsageError for an unknown name."""
    if name not in shipped_names():
        msg = f"there is no strategy {name!r}; expected one of: {', '.join(shipped_names())}"
        raise UsageError(msg)
    path = resources.files("outreach.dunning") / "strategies" / f"{name}.toml"
    return read(path.read_bytes(), f"{name}.toml")


def check_answers(step: Step, answers: Mapping[str, str]) -> None:
    """Refuse answers that the guide does not know, or that lack a question; raises UsageError naming it."""
    questions = {question.id: question for question in step.guide}
    for name, answer in answers.items():
        if name not in questions:
            msg = f"{name}: no question of this step; it asks {', '.join(questions) or 'nothing'}"
            raise UsageError(msg)
        if answer not in questions[name].answers:
            msg = f"{name}={answer}: expected one of {', '.join(questions[name].answers)}"
            raise UsageError(msg)
    missing = [name for name in questions if name not in answers]
    if missing:
        msg = f"{missing[0]}: not answered; expected one of {', '.join(questions[missing[0]].answers)}"
        raise UsageError(msg)


def triage_of(step: Step, answers: Mapping[str, str]) -> Triage:
    """Return where these answers lead; 'open' where no route fits, which leaves it to a person."""
    for route in step.routes:
        if all(answers.get(question) == answer for question, answer in route.when.items()):
            return route.to
    return "open"


def _check(strategy: Strategy, source: str) -> None:
    seen: set[str] = set()
    for place, step in enumerate(strategy.steps):
        fault = _fault(step, place, strategy)
        if step.id in seen or step.id in {LISTED, NOTICE}:
            fault = f"expected an id of its own (and not {LISTED!r} or {NOTICE!r})"
        if fault:
            msg = f"{source}: step {step.id!r}: {fault}"
            raise UsageError(msg)
        seen.add(step.id)


def _fault(step: Step, place: int, strategy: Strategy) -> str:
    """Return what is wrong with a step, or nothing."""
    if place == 0 and step.after_previous_days is not None:
        return "after_previous_days: the first step has no previous one"
    if place == 0 and step.after_due_days is None and not strategy.starts:
        return "the first step needs after_due_days, or the strategy [[starts]]"
    if place and step.after_due_days is None and step.after_previous_days is None:
        return "expected after_due_days, after_previous_days or both"
    if (step.kind == "message") != bool(step.template):
        return "template: a message needs one, and only a message has one"
    if step.kind not in {"call", "visit"} and (step.guide or step.routes):
        return "guide: only a call or a visit asks questions"
    answers = {question.id: question.answers for question in step.guide}
    for route in step.routes:
        for question, answer in route.when.items():
            if answer not in answers.get(question, ()):
                return f"routes: {question} = {answer!r} is no answer of the guide"
    earlier = [one for one in strategy.steps[:place] if not one.triage or set(one.triage) & set(step.triage)]
    if step.kind == "handover" and not any(one.tone == "final" for one in earlier):
        return "a handover needs a step of tone 'final' before it that announces it"
    if step.tone == "final" and step.kind == "message":
        later = [one for one in strategy.steps[place + 1 :] if one.kind == "handover"]
        if not later:
            return "tone 'final' announces a handover, and no step of that kind follows"
    triaged = any(one.routes for one in strategy.steps)
    if triaged and step.rank >= FORMAL and not step.triage:
        return "triage: a strategy that asks first goes formal only where the answers led there"
    return ""
