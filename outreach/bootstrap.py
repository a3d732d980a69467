"""Put the service together: the one place that names concrete channels, stores and clocks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, inspect, select, update

from channels.email import mime, relay
from channels.email.outbox import OutboxChannel
from channels.email.smtp import SmtpChannel
from channels.kinds import Kind
from channels.letter import page
from channels.letter.outbox import OutboxLetters
from channels.protocol import Builder, Channel
from consent.packs import PackError
from outreach import tables
from outreach.clock import machine_clock
from outreach.config import Settings
from outreach.correspondence import log
from outreach.correspondence.tables import LogEntry
from outreach.errors import Refused, UsageError
from outreach.parties.addresses import AddressKeys
from outreach.planning.compose import Composer, Sender
from outreach.planning.plan import Planner
from outreach.planning.versions import Versions
from outreach.schedule.tick import Ticker, reporting
from outreach.secrets import secret
from outreach.store import schema
from outreach.store.marker import Marker
from outreach.store.types import new_id, table_of
from outreach.store.writer import Store

installation = table_of(tables.operations.Installation)
entry = table_of(LogEntry)

BUILDERS: Mapping[Kind, Builder] = {Kind.EMAIL: mime.build, Kind.LETTER: page.build}

TRIAL_RETURNS = {"returned_per_mille": 30, "seed": 7}
"""How many letters of a trial database come back, and which: the same ones in every trial."""


@dataclass(frozen=True)
class Installed:
    """What a database says of itself."""

    database_id: str
    is_trial: bool
    sending: bool
    copy_suspected: bool
    trial_now: datetime | None


@dataclass(frozen=True)
class App:
    """An opened installation."""

    settings: Settings
    store: Store
    installed: Installed
    versions: Versions
    composer: Composer
    address_keys: AddressKeys

    def now(self) -> datetime:
        """Return the business clock: where a trial's clock stands, else the machine's."""
        return self.installed.trial_now or machine_clock()

    def planner(self) -> Planner:
        """Return a planner that composes for the channels this installation can send over."""
        return Planner(self.store, self.versions, self.composer, tuple(BUILDERS))

    def channels(self) -> list[Channel]:
        """Open the channels; a trial sends to loopback only. Raises Refused or UsageError with the reason."""
        returns = TRIAL_RETURNS if self.installed.is_trial else {}
        return [self._mail(), OutboxLetters(self.settings.outbox / "letters", **returns)]

    def _mail(self) -> Channel:
        if not self.settings.smtp_url:
            return OutboxChannel(self.settings.outbox)
        there = read_relay(self.settings)
        if self.installed.is_trial and not there.loopback:
            msg = f"a trial database sends to this machine only, and {there} is another (OUTREACH_SMTP_URL)"
            raise Refused(msg)
        return SmtpChannel(there)

    def ticker(self, channels: list[Channel]) -> Ticker:
        """Return what runs ticks over these channels."""
        return Ticker(self.store, self.planner(), channels, reporting(channels))


def read_relay(settings: Settings) -> relay.Relay:
    """Read the mail relay's settings."""
    try:
        return relay.parse(settings.smtp_url)
    except ValueError as error:
        msg = f"OUTREACH_SMTP_URL: {error}"
        raise UsageError(msg) from error


def _versions(settings: Settings) -> Versions:
    """Return what is in force, with the operator's own rules; raises UsageError where these can't be read."""
    try:
        return Versions.shipped(settings.own_rules.read_bytes() if settings.own_rules is not None else None)
    except OSError as error:
        msg = f"OUTREACH_OWN_RULES: expected a readable file ({error.strerror})"
        raise UsageError(msg) from error
    except PackError as error:
        raise UsageError(str(error)) from error


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment."""
    return Settings.read(os.environ if environ is None else environ)


def initialise(settings: Settings, *, is_trial: bool) -> None:
    """Make a new database with its schema; raises Refused where there is one already."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            _expect_none(conn)
            schema.upgrade(conn)
            now = machine_clock()
            conn.execute(
                insert(installation).values(
                    id=1,
                    database_id=new_id(),
                    is_trial=is_trial,
                    sending=is_trial,
                    sending_changed_by="job:init",
                    copy_suspected=False,
                    created_at=now,
                )
            )
            Versions.shipped().keep(conn, now)
            log.append(conn, [log.Entry(type="database_started", at=now, actor="job:init")])
    finally:
        store.close()


def expect_no_database(settings: Settings) -> None:
    """Raise Refused where there is a database already: before anybody is asked anything."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            _expect_none(conn)
    finally:
        store.close()


def migrate(settings: Settings) -> None:
    """Bring an existing database to the newest schema and reinstall its triggers."""
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            _expect_database(conn)
            schema.upgrade(conn)
            Versions.shipped().keep(conn, machine_clock())
    finally:
        store.close()


@contextmanager
def opened(settings: Settings, *, for_sending: bool = False) -> Iterator[App]:
    """Open an installation; `for_sending` refuses a schema or triggers that differ from the code's.

    An older copy of the database, known by the marker outside it, has its sending switched off first.
    """
    probe = Store(settings.url)
    try:
        with probe.reading() as conn:
            _expect_database(conn)
            problems = schema.problems(conn)
            if problems and (for_sending or problems[0].startswith("the schema")):
                raise Refused("; ".join(problems))
            installed = _installed(conn)
    finally:
        probe.close()
    marker = Marker(settings.data_dir, installed.database_id)
    store = Store(settings.url, marker)
    try:
        installed = _guard_against_copies(store, marker)
        versions = _versions(settings)
        with store.transaction() as conn:
            versions.keep(conn, machine_clock())
            versions.take_confirmed(conn, machine_clock())
        yield App(
            settings=settings,
            store=store,
            installed=installed,
            versions=versions,
            composer=Composer(Sender(settings.mail_from, settings.mail_domain), BUILDERS),
            address_keys=AddressKeys(secret(settings.data_dir / "keys", "address")),
        )
    finally:
        store.close()
        marker.close()


def _guard_against_copies(store: Store, marker: Marker) -> Installed:
    with store.transaction() as conn:
        head = conn.execute(select(func.max(entry.c.seq))).scalar() or 0
        if head < marker.read() and not _installed(conn).copy_suspected:
            conn.execute(update(installation).values(sending=False, copy_suspected=True))
            log.append(conn, [log.Entry(type="copy_detected", at=machine_clock(), actor="job:start")])
        return _installed(conn)


def confirm_copy(app: App) -> None:
    """Take the database as it is: a person has judged what an older copy does not know."""
    marker = app.store.marker
    assert marker is not None
    with app.store.reading() as conn:
        head = conn.execute(select(func.max(entry.c.seq))).scalar() or 0
    marker.accept(head)
    with app.store.transaction() as conn:
        conn.execute(update(installation).values(copy_suspected=False))


def _expect_none(conn: Connection) -> None:
    if inspect(conn).has_table("installation"):
        msg = "there is a database already; choose another OUTREACH_DATA_DIR or OUTREACH_DATABASE_URL"
        raise Refused(msg)


def _expect_database(conn: Connection) -> None:
    if not inspect(conn).has_table("installation"):
        msg = "there is no database yet (run: outreach init --trial, or outreach init)"
        raise UsageError(msg)


def _installed(conn: Connection) -> Installed:
    row = conn.execute(
        select(
            installation.c.database_id,
            installation.c.is_trial,
            installation.c.sending,
            installation.c.copy_suspected,
            installation.c.trial_now,
        )
    ).one()
    return Installed(*row)


def schema_state(app: App) -> str:
    """Return 'as declared', or the first thing that differs."""
    with app.store.reading() as conn:
        problems = schema.problems(conn)
    return problems[0] if problems else "as declared"


def unsafe(app: App) -> list[str]:
    """Return what makes this installation unsafe for real use."""
    found = []
    if app.installed.copy_suspected:
        found.append("this database is an older copy; what was sent or objected to since is not in it")
    state = schema_state(app)
    if state != "as declared":
        found.append(state)
    if app.installed.is_trial:
        return found
    if not app.settings.smtp_url:
        found.append("no mail relay is set (OUTREACH_SMTP_URL): mails become files only")
    found.append("no print house is set: letters become files, and count as posted the next working day")
    if app.settings.mail_domain.endswith("example"):
        found.append("OUTREACH_MAIL_FROM is an example address")
    if app.settings.public_url.startswith("http://"):
        found.append("OUTREACH_PUBLIC_URL is not https")
    return found
