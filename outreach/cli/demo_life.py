"""What people do in the demo: debtors answer messages, staff do their work; the same seed, the same lives.

Everything goes through the functions that the commands use. Nobody is written to who would not have been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import Connection, select

from outreach import bootstrap
from outreach.casework import approvals, arrangements, disputes, endings, results, tasks
from outreach.casework.days import civil_today, start_of
from outreach.casework.grounds import Whose, arrangement
from outreach.casework.owed import claims_of
from outreach.casework.targets import Named, claim, debtor, dossier
from outreach.claims.amounts import asked_cents
from outreach.cli.demo_bank import Bank
from outreach.errors import NotFound, Refused, UsageError
from outreach.planning import queries as q
from outreach.store.types import AnyRow

ACTOR = "staff:demo"
SATURDAY = 5
DECIDED_AFTER = timedelta(days=7)

REACTIONS = {"promise": 16, "plan": 9, "deferral": 5, "dispute": 7, "": 63}
"""What people do after a reminder, beside paying when they would have; in percent."""
KEPT_SHARE = {"promise": 0.7, "plan": 0.7, "deferral": 0.6}
ANSWERS = {
    "will": {"yes": 80, "no": 8, "disagrees": 12},
    "means": {"all": 35, "part": 45, "nothing": 20},
    "self_direction": {"self": 80, "with_help": 20},
    "room": {"yes": 55, "no": 20, "unknown": 25},
}


def chosen(rng: Random, weights: dict[str, int]) -> str:
    """Choose one of these words by its weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


class Life:
    """The people of the demo: what they do each morning, by seed. `done` counts it."""

    def __init__(self, app: bootstrap.App, bank: Bank, creditor: str, seed: int) -> None:
        self.app = app
        self.bank = bank
        self.creditor = creditor
        self.seed = seed
        self.done: Counter[str] = Counter()

    def morning(self, now: datetime) -> None:
        """Book yesterday's payments; then staff take what debtors tell, and do the work that waits."""
        today = civil_today(now)
        self.bank.import_until(self.app, today - timedelta(days=1), now)
        if today.weekday() >= SATURDAY:
            return
        since = start_of(today - timedelta(days=3 if today.weekday() == 0 else 1))
        with self.app.store.reading() as conn:
            told = self._told(conn, since, start_of(today))
            work = sorted(tasks.open_tasks(conn, limit=5000), key=_order)
        for number, dossier_id, person_id, currency in told:
            self._answer(number, Whose(dossier_id, person_id, currency), now)
        for row in work:
            if row.opened_at < start_of(today) and row.debtor is not None:
                self._work(row, now)

    def _rng(self, what: str, debtor_number: str, on: date) -> Random:
        return Random(f"life:{self.seed}:{what}:{debtor_number}:{on}")

    def _told(self, conn: Connection, since: datetime, until: datetime) -> list[tuple[str, int, int, str]]:
        """Return who was reminded since, by the creditor's own numbers, which the seed knows."""
        query = (
            select(debtor.c.external_id, q.message.c.dossier_id, q.message.c.person_id, q.message.c.currency)
            .join(q.message, q.message.c.id == q.attempt.c.message_id)
            .join(dossier, dossier.c.id == q.message.c.dossier_id)
            .join(debtor, debtor.c.id == dossier.c.debtor_id)
            .where(
                q.attempt.c.handed_over_at >= since,
                q.attempt.c.handed_over_at < until,
                q.message.c.purpose == "dunning",
                debtor.c.person_id == q.message.c.person_id,
            )
            .distinct()
            .order_by(debtor.c.external_id, q.message.c.dossier_id)
        )
        return [(row[0], row[1], row[2], row[3]) for row in conn.execute(query)]

    def _answer(self, number: str, whose: Whose, now: datetime) -> None:
        """Let somebody who was reminded call or write."""
        rng = self._rng("told", number, civil_today(now))
        what = chosen(rng, REACTIONS)
        if what == "dispute":
            self._try("dispute", lambda conn: self._dispute(conn, number, whose, rng, now))
        elif what:
            self._try(what, lambda conn: self._arrange(conn, what, number, whose, rng, now))

    def _try(self, what: str, work: Callable[[Connection], object]) -> bool:
        """Do one thing; what is not possible, because it was settled or arranged meanwhile, is counted as that."""
        try:
            self.app.store.run(work)
        except (NotFound, Refused, UsageError):
            self.done["not possible any more"] += 1
            return False
        self.done[what] += 1
        return True

    def _arrange(
        self, conn: Connection, kind: str, number: str, whose: Whose, rng: Random, now: datetime
    ) -> None:
        """Agree on something, and settle by seed whether the money comes."""
        today = civil_today(now)
        kept = rng.random() < KEPT_SHARE[kind]
        claims = self._asked(conn, whose, now)
        total = sum(claims.values())
        later = today + timedelta(days=rng.randrange(4, 13))
        if kind == "deferral":
            made = arrangements.defer(conn, whose, today + timedelta(days=14), ACTOR, now)
            dues = [(made.ends_on + timedelta(days=2), total)]
        elif kind == "promise":
            made = arrangements.promise(conn, whose, later, ACTOR, now)
            dues = [(part.due_on, part.cents) for part in made.parts]
        else:
            made = arrangements.plan(
                conn, whose, ACTOR, now, parts=rng.choice((2, 2, 3)), start_on=today + timedelta(days=5)
            )
            dues = [(part.due_on, part.cents) for part in made.parts]
        self.bank.cancel(claims, today - timedelta(days=1))
        if not kept:
            # Of a plan that is not kept the first instalment still comes; some pay all of it much later.
            late = made.ends_on + timedelta(days=rng.randrange(12, 25))
            paid = dues[:1] if kind == "plan" else [(late, total)] if rng.random() < 0.4 else []
        else:
            paid = dues
        for on, cents in paid:
            self.bank.pay(number, on - timedelta(days=rng.randrange(0, 2)), cents)

    def _asked(self, conn: Connection, whose: Whose, now: datetime) -> dict[str, int]:
        """Return what is asked of each claim, by the creditor's number."""
        facts = claims_of(conn, [whose.dossier_id], now)[whose.dossier_id, whose.currency]
        asked = {fact.id: asked_cents(fact) for fact in facts if fact.due_on < civil_today(now)}
        named = select(claim.c.id, claim.c.external_id).where(claim.c.id.in_(asked)).order_by(claim.c.id)
        return {row[1]: asked[row[0]] for row in conn.execute(named) if asked[row[0]] > 0}

    def _dispute(self, conn: Connection, number: str, whose: Whose, rng: Random, now: datetime) -> None:
        asked = self._asked(conn, whose, now)
        if not asked:
            raise Refused("nothing is open, so there is nothing to dispute")
        which, cents = next(iter(asked.items()))
        new = disputes.Dispute(
            named=Named(debtor=number, creditor=self.creditor, claim=which),
            cause=rng.choice(("repairs", "amount", "paid_already")),
            department="wonen",
            amount_cents=cents // 3 if rng.random() < 0.4 else None,
        )
        disputes.add(conn, new, ACTOR, now)

    def _work(self, row: AnyRow, now: datetime) -> None:
        rng = self._rng(row.kind, row.debtor, civil_today(now))
        if row.kind in {"call", "visit"}:
            self._call(row, rng, now)
        elif row.kind in {"approve", "handover"}:
            yes = rng.random() < (0.9 if row.kind == "approve" else 0.5)
            word = "yes" if yes else "no"
            self._try(f"{row.kind}, {word}", lambda conn: self._approve(conn, row, yes=yes, now=now))
        elif row.kind == "dispute" and row.reason_code == tasks.TRIAGED:
            whose = Whose(row.dossier_id, row.person_id, row.currency)
            if not self._try("dispute", lambda conn: self._dispute(conn, row.debtor, whose, rng, now)):
                self._try("nothing to dispute", lambda conn: self._close(conn, row, now))
        elif row.kind == "dispute" and row.opened_at <= now - DECIDED_AFTER:
            word = chosen(rng, {disputes.REJECTED: 50, disputes.UPHELD: 25, disputes.PARTLY: 25})
            if not self._try(f"dispute {word}", lambda conn: self._decide(conn, row, word, rng, now)):
                # What was paid meanwhile can't be credited.
                self._try(
                    "dispute rejected", lambda conn: self._decide(conn, row, disputes.REJECTED, rng, now)
                )
        elif row.kind == endings.MISSED and rng.random() < 0.5:
            self._try("plan ended", lambda conn: self._end(conn, row, now))

    def _call(self, row: AnyRow, rng: Random, now: datetime) -> None:
        """Call or visit somebody; who is reached answers, and may arrange something at once."""
        reached = rng.random() < 0.6
        leads: list[str] = []

        def work(conn: Connection) -> None:
            task = tasks.task_of(conn, row.pseudonym)
            guide = results.step_of_task(conn, task).guide
            answers = {one.id: chosen(rng, ANSWERS[one.id]) for one in guide} if reached else {}
            found = results.record(conn, task, answers, reached=reached, note=None, actor=ACTOR, now=now)
            leads.append(found.triage)

        if self._try(f"{row.kind}, {'reached' if reached else 'not reached'}", work) and leads[-1] == "plan":
            whose, kind = Whose(row.dossier_id, row.person_id, row.currency), rng.choice(("plan", "promise"))
            self._try(kind, lambda conn: self._arrange(conn, kind, row.debtor, whose, rng, now))

    def _close(self, conn: Connection, row: AnyRow, now: datetime) -> None:
        tasks.close(conn, tasks.task_of(conn, row.pseudonym), "nothing_open", None, ACTOR, now)

    def _approve(self, conn: Connection, row: AnyRow, *, yes: bool, now: datetime) -> None:
        task = tasks.task_of(conn, row.pseudonym)
        reason = "" if yes else "visit_first"
        approvals.answer(conn, task, approved=yes, reason=reason, note=None, actor=ACTOR, now=now)

    def _decide(self, conn: Connection, row: AnyRow, word: str, rng: Random, now: datetime) -> None:
        """Answer a dispute; whoever was wrong mostly pays."""
        which = disputes.dispute_of(conn, row.subject, Named())
        cents = which.amount_cents or 10_000
        part = cents // 2 if word == disputes.PARTLY else None
        ended = disputes.decide(conn, which, word, part, None, ACTOR, now)
        number = conn.execute(select(claim.c.external_id).where(claim.c.id == which.claim_id)).scalar_one()
        self.bank.cancel({number}, civil_today(now) - timedelta(days=1))
        if ended.open_cents > 0 and rng.random() < 0.7:
            self.bank.pay(
                row.debtor, civil_today(now) + timedelta(days=rng.randrange(3, 10)), ended.open_cents
            )

    def _end(self, conn: Connection, row: AnyRow, now: datetime) -> None:
        key = int(row.subject.removeprefix("arrangement:"))
        found = conn.execute(select(arrangement.c.pseudonym).where(arrangement.c.id == key)).scalar_one()
        endings.end(conn, found, ACTOR, now, "missed_twice")


def _order(row: AnyRow) -> tuple[str, str, datetime]:
    """Order work by what does not differ between two runs: a random id would."""
    return row.kind, row.debtor or "", row.opened_at
