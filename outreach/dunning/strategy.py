"""A strategy: the steps that a claim is told, in order. Data in TOML, checked, and versioned by its bytes."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec

from outreach.errors import UsageError

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to say: so many days after the due date, or after the previous step was handed over."""

    id: Word
    tone: Word
    template: Word
    after_due_days: Days | None = None
    after_previous_days: Days | None = None
    reached_after_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * 365)] = 48


class Strategy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole ladder, from friendly to formal."""

    name: Word
    title: str
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1)]

    def position(self, step_id: str) -> int:
        """Return how far along the ladder a step is; -1 for a step of another version."""
        return next((place for place, step in enumerate(self.steps) if step.id == step_id), -1)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy with the bytes it was read from and their hash (SHA-256)."""

    strategy: Strategy
    body: bytes
    hash: str


def read(body: bytes, source: str) -> Version:
    """Read and check a strategy; raises UsageError naming file, step, field and what was expected."""
    try:
        strategy = msgspec.toml.decode(body, type=Strategy)
    except msgspec.MsgspecError as error:
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


def _check(strategy: Strategy, source: str) -> None:
    seen: set[str] = set()
    for place, step in enumerate(strategy.steps):
        where = f"{source}: step {step.id!r}"
        if step.id in seen or step.id == "listed":
            msg = f"{where}: expected an id of its own (and not 'listed')"
            raise UsageError(msg)
        seen.add(step.id)
        if place == 0 and (step.after_due_days is None or step.after_previous_days is not None):
            msg = f"{where}: the first step needs after_due_days, and has no previous step"
            raise UsageError(msg)
        if step.after_due_days is None and step.after_previous_days is None:
            msg = f"{where}: expected after_due_days, after_previous_days or both"
            raise UsageError(msg)
