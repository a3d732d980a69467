"""Whatever happens in whatever order, what leaves is right: held against a ledger and a ladder of this file's own."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from outreach.bootstrap import App, opened
from outreach.casework.stops import NewStop, lift_stop, set_stop
from outreach.config import Settings
from outreach.schedule.period import live
from outreach.schedule.tick import TickReport
from tests import builders as make
from tests.installations import initialise
from tests.outreach.casework.arranged import reverse
from tests.stories.living import LEASE
from tests.stories.scenes import AMSTERDAM, ANS, DAY, MONDAY, Said, Scene

INTERVAL = 5 * DAY
REACHED = timedelta(hours=48)
LADDER = {"reminder": (5, 0), "second_reminder": (15, 7), "formal_notice": (30, 10)}
"""Days after the due date and after the step before; further steps need a person, who says nothing here."""
STEPS = tuple(LADDER)

_LINE = re.compile(r"^Factuurnummer: (\S+)$.*?^Nog te betalen: € ([\d.]+,\d\d)$", re.MULTILINE | re.DOTALL)
_TOTAL = re.compile(r"^Bedrag: € ([\d.]+,\d\d)$", re.MULTILINE)


@dataclass(frozen=True)
class Act:
    """Something that happens before a tick: which of several it concerns, and how much or how long."""

    kind: str
    which: int
    much: int


ACTS = st.builds(
    Act,
    st.sampled_from(("claim", "claim", "pay", "pay", "credit", "reverse", "stop", "dispute", "lift")),
    st.integers(0, 7),
    st.integers(0, 99),
)
ROUNDS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from((6, 8, 10, 15, 21)), st.lists(ACTS, max_size=3)),
    min_size=6,
    max_size=12,
)
"""Days that pass, the hour of the tick, and what happens before it."""
START = (1, 8, [Act("claim", 0, 60), Act("claim", 4, 90), Act("claim", 1, 40)])
"""So that there is something to ask from the first day on."""


@dataclass
class Owed:
    """A claim in this file's own ledger; what was booked after a message left could not be in it."""

    id: int
    number: str
    whose: int
    due: date
    cents: int
    recurring: bool
    booked: list[tuple[datetime, int]] = field(default_factory=list)

    def open(self, at: datetime) -> int:
        """What is open at an instant."""
        return self.cents - sum(cents for when, cents in self.booked if when <= at)


@dataclass
class Paid:
    """A payment on one claim."""

    id: int
    claim: Owed
    cents: int
    reversed: bool = False


@dataclass
class Stopped:
    """A stop on a person or on a claim, half-open."""

    pseudonym: str
    whose: int | None
    claim: str | None
    begins: datetime
    ends: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.begins <= at and (self.ends is None or at < self.ends)


class Life:
    """Two debtors, one of them with a contract, and all that happens to them."""

    def __init__(self, scene: Scene, debtors: list[make.Debtor]) -> None:
        self.scene = scene
        self.debtors = debtors
        self.owed: list[Owed] = []
        self.paid: list[Paid] = []
        self.stops: list[Stopped] = []

    def live(self, rounds: list[tuple[int, int, list[Act]]]) -> list[TickReport]:
        """Let the rounds happen one after the other, each with its tick."""
        reports: list[TickReport] = []

        async def go() -> bool:
            with opened(self.scene.settings, for_sending=True) as app:
                channels = app.channels()
                try:
                    return await live(app.ticker(channels), self._moments(app, rounds), LEASE, reports.append)
                finally:
                    for channel in channels:
                        await channel.aclose()

        assert asyncio.run(go())
        return reports

    def _moments(self, app: App, rounds: list[tuple[int, int, list[Act]]]) -> Iterator[datetime]:
        last = datetime.combine(MONDAY, time(5), AMSTERDAM)
        for days, hour, acts in rounds:
            at = datetime.combine(last.date() + days * DAY, time(hour), AMSTERDAM)
            at = max(at, last + timedelta(minutes=30))
            last = at
            for act in acts:
                app.store.run(partial(self._happen, act=act, at=at))
            yield at

    def _happen(self, conn: Connection, act: Act, at: datetime) -> None:
        today, other = at.date(), act.which % 2
        if act.kind == "claim":
            self._owe(conn, act, today)
        elif act.kind in {"pay", "credit"} and self.owed:
            claim = self.owed[act.which % len(self.owed)]
            cents = min(claim.open(at), claim.cents * (act.much + 10) // 100)
            if cents > 0:
                key = make.a_payment(conn, self.debtors[claim.whose], claim.id, cents, today)
                claim.booked.append((at, cents))
                self.paid.append(Paid(key, claim, cents))
        elif act.kind == "reverse" and (left := [one for one in self.paid if not one.reversed]):
            one = left[act.which % len(left)]
            reverse(conn, self.debtors[one.claim.whose], one.id, one.cents, today)
            one.claim.booked.append((at, -one.cents))
            one.reversed = True
        elif act.kind == "stop":
            person = self.debtors[other].person_id
            ends = at + act.much * DAY / 8 if act.much % 5 else None
            new = NewStop(kind="objection", scope="person", person_id=person, until_at=ends)
            self._stop(conn, new, Stopped("", other, None, at, ends), at)
        elif act.kind == "dispute" and self.owed:
            claim = self.owed[act.which % len(self.owed)]
            new = NewStop(kind="dispute", scope="claim", claim_id=claim.id)
            self._stop(conn, new, Stopped("", None, claim.number, at, None), at)
        elif act.kind == "lift" and (held := [one for one in self.stops if one.holds(at)]):
            lifted = held[act.which % len(held)]
            lift_stop(conn, lifted.pseudonym, ANS, at)
            lifted.ends = at

    def _owe(self, conn: Connection, act: Act, today: date) -> None:
        whose = act.which % 2
        due = today - (act.much - 10) * DAY / 2
        number = f"F{len(self.owed) + 1}"
        recurring = whose == 0 and act.which > 3
        cents = 100 + act.much * 997
        key = make.a_claim(
            conn,
            self.debtors[whose],
            number,
            cents=cents,
            due=due,
            kind="recurring" if recurring else "single",
        )
        self.owed.append(Owed(key, number, whose, due, cents, recurring))

    def _stop(self, conn: Connection, new: NewStop, mine: Stopped, at: datetime) -> None:
        mine.pseudonym = set_stop(conn, new, ANS, at)
        self.stops.append(mine)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with its schema and nobody in it, to be copied."""
    folder = tmp_path_factory.mktemp("blank") / "data"
    initialise(Settings(data_dir=folder), is_trial=True)
    return folder


def a_life(blank: Path, folder: Path) -> Life:
    """A copy of the blank installation, with one creditor and two debtors."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(blank, folder)
    scene = Scene(Settings(data_dir=folder), initialised=True, strategy="reminders_then_legal")
    return Life(scene, [scene.debtor("D1", contract="HUUR-1"), scene.debtor("D2")])


def cents_of(text: str) -> int:
    """Read 1.234,56."""
    return int(text.replace(".", "").replace(",", ""))


def check_amounts(life: Life, said: Said) -> None:
    """Every line asks exactly what is open of an overdue claim, and the sum is the sum of the lines."""
    lines = {number: cents_of(cents) for number, cents in _LINE.findall(said.text)}
    owed = {one.number: one.open(said.at) for one in life.owed if one.number in said.steps}
    assert lines == owed
    assert min(lines.values()) > 0
    assert [cents_of(total) for total in _TOTAL.findall(said.text)] == [sum(lines.values())]
    assert all(one.due < said.on for one in life.owed if one.number in lines)


def check_stops(life: Life, said: Said, whose: int) -> None:
    """No stop held on the person, and none on a claim that the message names."""
    held = [one for one in life.stops if one.holds(said.at)]
    assert whose not in {one.whose for one in held}
    assert not {one.claim for one in held} & set(said.steps)


def check_evidence(life: Life, said: Said, before: list[Said]) -> None:
    """A step follows the one before it, told long enough ago, of the claim or of a month of the same contract."""
    by_number = {one.number: one for one in life.owed}
    for number, step in said.steps.items():
        if step == "listed":
            continue
        claim = by_number[number]
        kin = {
            one.number
            for one in life.owed
            if one is claim or (claim.recurring and one.recurring and one.whose == claim.whose)
        }
        after_due, after_previous = LADDER[step]
        assert any(said.on >= by_number[one].due + after_due * DAY for one in kin)
        assert all(one.steps.get(number) != step for one in before), "a step is told once"
        place = STEPS.index(step)
        if place:
            evidence = [
                one for one in before for kin_one in kin if one.steps.get(kin_one) == STEPS[place - 1]
            ]
            assert any(
                said.at >= one.at + REACHED and said.on >= one.on + after_previous * DAY for one in evidence
            )


@pytest.mark.slow
@settings(max_examples=30)
@given(rounds=ROUNDS)
def test_whatever_happens_what_leaves_is_right(
    blank: Path, tmp_path: Path, rounds: list[tuple[int, int, list[Act]]]
) -> None:
    """Amounts are the ledger's, rest is kept, no stricter step without its evidence, nobody stopped is written to."""
    life = a_life(blank, tmp_path / "data")
    reports = life.live([START, *rounds])
    assert all(report.adds_up for report in reports)
    for whose in range(2):
        said = life.scene.asked(f"d{whose + 1}@example.net")
        for place, one in enumerate(said):
            check_amounts(life, one)
            check_stops(life, one, whose)
            check_evidence(life, one, said[:place])
            assert set(one.steps.values()) != {"listed"}
            assert not place or one.on - said[place - 1].on >= INTERVAL
