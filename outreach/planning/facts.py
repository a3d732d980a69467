"""Everything that a decision about one party of one dossier in one currency is made from.

Frozen, and kept as content beside the decision, so that it can be made again later and compared.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from channels.kinds import Kind
from consent.facts import ContactPointFact, GateFacts, HandedOverFact, StopFact
from consent.processing import Activity, Declared, SenderKind, lacking, shipped_activity
from outreach.claims.facts import ClaimFact, Struct


class CreditorFact(Struct, frozen=True):
    """Who is owed, as a message names them."""

    id: int
    code: str
    name: str
    iban: str
    phone: str
    email: str
    sending: bool
    interval_days: int
    freshness_hours: int
    payments_until_on: date | None
    policy_epoch: int
    tolerance_cents: int = 0
    notice_days: int = 0
    handover_to: str = ""
    is_agency: bool = False
    register_number: str = ""


class PartyFact(Struct, frozen=True):
    """Who would be written to."""

    person_id: int
    pseudonym: str
    role: str
    kind: str
    name: str
    language: str
    form_of_address: str
    preferred_channel: Kind | None
    country: str
    zone: str
    deceased: bool
    facts_version: int
    triage: str = "open"


class PointFact(Struct, frozen=True):
    """One contact point of the party."""

    id: int
    channel: Kind
    value: str
    address_key: str
    certainty: str


class AttemptFact(Struct, frozen=True):
    """One attempt of the open message."""

    id: int
    token: str
    channel: Kind
    contact_point_id: int
    state: str
    facts_version: int
    policy_epoch: int
    good_until: datetime
    tries: int


class ApprovalFact(Struct, frozen=True):
    """A person's yes or no to a step, said on the civil date `on` in the party's zone; it holds until `until_at`."""

    step: str
    approved: bool
    until_at: datetime
    on: date


class PartFact(Struct, frozen=True):
    """One instalment of an arrangement."""

    number: int
    due_on: date
    cents: int


class ServiceFact(Struct, frozen=True):
    """A wish to tell the party something that is no reminder, with what it is about.

    `parts` and `ends_on` are those of an arrangement, `part` the instalment of a nudge, `claims` those concerned;
    `cents` a payment's amount or a disputed part, `until_on` the last day on which nothing is asked.
    """

    id: int
    template: str
    purpose: str
    until_at: datetime
    claims: tuple[int, ...] = ()
    parts: tuple[PartFact, ...] = ()
    part: PartFact | None = None
    cents: int | None = None
    until_on: date | None = None
    department: str = ""
    answer_by_on: date | None = None


class OpenMessageFact(Struct, frozen=True):
    """A message that counts and was not handed over: its steps, and what was tried.

    `older` are others of the same party and currency: one opens again when its attempt bounces.
    """

    id: int
    pseudonym: str
    template: str
    tone: str
    strategy_hash: str
    steps: tuple[tuple[int, str], ...]
    attempts: tuple[AttemptFact, ...]
    older: tuple[int, ...] = ()
    service_id: int | None = None


class UnitFacts(Struct, frozen=True):
    """One party of one dossier in one currency, with all that the gate and the ladder read."""

    dossier_id: int
    dossier: str
    contract_id: str
    debtor_external_id: str
    currency: str
    creditor: CreditorFact
    party: PartyFact
    claims: tuple[ClaimFact, ...]
    unplaced_cents: int
    sending_on: bool
    stops: tuple[StopFact, ...] = ()
    handed_over: tuple[HandedOverFact, ...] = ()
    reserved_until: datetime | None = None
    points: tuple[PointFact, ...] = ()
    channels: tuple[Kind, ...] = ()
    open_message: OpenMessageFact | None = None
    strategy_hash: str = ""
    """The version in force for this dossier; a running trajectory stays on its own."""
    moved_at: datetime | None = None
    approvals: tuple[ApprovalFact, ...] = ()
    declared: tuple[Declared, ...] = ()
    """The documents that the operator declared, for this creditor or for all."""
    service: tuple[ServiceFact, ...] = ()
    settled: tuple[ClaimFact, ...] = ()
    """Claims that nothing is open of, but that a service message is about."""

    @property
    def versions(self) -> set[str]:
        """The hashes of the strategies that these facts name; the empty one stands for none."""
        told = {fact.strategy for claim in self.claims for fact in claim.told}
        return (told | {self.strategy_hash}) - {""}

    @property
    def sender_kind(self) -> SenderKind:
        """Whether the sender acts for others, which the law asks more of."""
        return "agency" if self.creditor.is_agency else "creditor"

    def today(self, now: datetime) -> date:
        """Return the civil date of `now` where the party lives."""
        return now.astimezone(ZoneInfo(self.party.zone)).date()

    def _lacking(self, activity: Activity | None, now: datetime) -> tuple[str, ...]:
        """Return what an activity needs and is not there; most need nothing, and nothing was declared."""
        if activity is None or not (self.declared or activity.needs_assessment or activity.needs_notice):
            return ()
        return lacking(activity, self.declared, (kind.value for kind in self.channels), self.today(now))

    def gate_facts(
        self, now: datetime, latest_due_on: date, purpose: str = "dunning", interval_days: int = 0
    ) -> GateFacts:
        """Return what the gate reads, for a message about claims due up to `latest_due_on`.

        A step may ask for more days of rest than the creditor does, never for fewer.
        """
        activity, cited = shipped_activity(purpose, self.sender_kind)
        return GateFacts(
            purpose=purpose,
            activity=cited,
            lacking=self._lacking(activity, now),
            country=self.party.country,
            zone=self.party.zone,
            sender_kind=self.sender_kind,
            sender_registered=bool(self.creditor.register_number) if self.creditor.is_agency else None,
            is_representative=self.party.role == "representative",
            addressee_kind=self.party.kind,
            deceased=self.party.deceased,
            sending_on=self.sending_on,
            creditor_sending_on=self.creditor.sending,
            interval_days=max(self.creditor.interval_days, interval_days),
            freshness_hours=self.creditor.freshness_hours,
            payments_until_on=self.creditor.payments_until_on,
            latest_due_on=latest_due_on,
            stops=self.stops,
            handed_over=self.handed_over,
            reserved_until=self.reserved_until,
            contact_points=tuple(
                ContactPointFact(
                    channel=point.channel,
                    address_key=point.address_key,
                    certainty=point.certainty,
                    available=point.channel in self.channels,
                )
                for point in self.points
            ),
        )
