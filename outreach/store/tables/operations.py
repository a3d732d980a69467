"""The service itself: the database's own facts, its workers, people's tasks, and imports."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.store.types import PUBLIC_ID, key, moment, public_id, ref, word


class Installation(SQLModel, table=True):
    """One row: which database this is, whether it is a trial, and whether anything may leave."""

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: int = Field(default=1, primary_key=True)
    database_id: str = public_id()
    is_trial: bool = False
    trial_now: datetime | None = moment(default=None)
    sending: bool = False
    sending_changed_by: str = Field(default="job:init", max_length=80)
    copy_suspected: bool = False
    created_at: datetime = moment()


class Worker(SQLModel, table=True):
    """A process that hands over; alive while its lease runs. All times are the machine's."""

    id: str = Field(primary_key=True, sa_type=PUBLIC_ID)
    host: str = Field(max_length=200)
    pid: int
    started_at: datetime = moment()
    lease_until: datetime = moment()
    stopped_at: datetime | None = moment(default=None)
    declared_dead_at: datetime | None = moment(default=None)


class Task(SQLModel, table=True):
    """Something a person must do, with an owner and a due time; one open task per kind and subject."""

    __table_args__ = (
        Index(
            "uq_task_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("closed_at is null"),
            postgresql_where=text("closed_at is null"),
        ),
    )
    id: int | None = key()
    pseudonym: str = public_id()
    kind: str = word("task_kind")
    subject: str = Field(max_length=100)
    dossier_id: int | None = ref("dossier.id", default=None, nullable=True, index=True)
    person_id: int | None = ref("person.id", default=None, nullable=True)
    attempt_id: int | None = ref("attempt.id", default=None, nullable=True)
    payment_id: int | None = ref("payment.id", default=None, nullable=True)
    reason_code: str = Field(default="", max_length=60)
    currency: str = Field(default="", max_length=3)
    step: str = Field(default="", max_length=40)
    strategy_hash: str = Field(default="", max_length=64)
    department: str = Field(default="", max_length=60)
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)
    opened_at: datetime = moment()
    due_at: datetime = moment()
    owner: str = Field(default="staff", max_length=80)
    closed_at: datetime | None = moment(default=None)
    closed_by: str | None = Field(default=None, max_length=80)
    closed_code: str = Field(default="", max_length=40)


class ImportRun(SQLModel, table=True):
    """One file that was read: what it was, up to which day, and how its rows fared."""

    __tablename__ = "import_run"
    id: int | None = key()
    kind: str = Field(max_length=20)
    file_name: str
    at: datetime = moment()
    as_of_on: date | None = None
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    put_aside: str = Field(default="", max_length=40)
    """Why a list of open items was not used; empty where it was."""


class StrategyInForce(SQLModel, table=True):
    """Which version of a strategy is in force under its name; every version is kept as an artefact."""

    __tablename__ = "strategy"
    id: int | None = key()
    name: str = Field(max_length=40, unique=True)
    hash: str = Field(max_length=64)
    at: datetime = moment()
    actor: str = Field(max_length=80)


class SegmentStrategy(SQLModel, table=True):
    """The strategy of a creditor for a segment, an imported word."""

    __tablename__ = "segment_strategy"
    __table_args__ = (UniqueConstraint("creditor_id", "segment"),)
    id: int | None = key()
    creditor_id: int = ref("creditor.id")
    segment: str = Field(max_length=60)
    strategy: str = Field(max_length=40)
