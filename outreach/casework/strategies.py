"""Strategies of one's own: put a version in force, choose whom it is for, and move what runs on an older one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from outreach.casework.targets import DossierRef, creditor, creditor_of, dossier
from outreach.correspondence import log
from outreach.dunning import strategy
from outreach.dunning.strategy import Version
from outreach.errors import NotFound, UsageError
from outreach.store.tables.operations import SegmentStrategy, StrategyInForce
from outreach.store.types import AnyRow, table_of
from templates.catalogue import Catalogue

in_force = table_of(StrategyInForce)
segment_strategy = table_of(SegmentStrategy)

DUNNING = "dunning"


def add(conn: Connection, body: bytes, source: str, actor: str, now: datetime) -> Version:
    """Put a version of one's own strategy in force; what runs stays on the version that told it last.

    Raises UsageError for a fault in it, for the name of a shipped one, and for a template that can't be sent.
    """
    version = strategy.read(body, source)
    name = version.strategy.name
    if name in strategy.shipped_names():
        msg = f"{source}: name: {name!r} comes with the service; expected a name of your own"
        raise UsageError(msg)
    _check_templates(version, source)
    log.keep_artefact(conn, "strategy", name, body, now)
    current = conn.execute(select(in_force.c.hash).where(in_force.c.name == name)).scalar()
    if current != version.hash:
        row = {"name": name, "hash": version.hash, "at": now, "actor": actor}
        _upsert(conn, in_force, ("name",), row)
        reasons = (name, version.hash[:16])
        log.append(conn, [log.Entry(type="strategy_changed", at=now, actor=actor, reasons=reasons)])
    return version


def use(
    conn: Connection,
    name: str,
    creditor_code: str,
    actor: str,
    now: datetime,
    *,
    segment: str | None = None,
    dossiers: Sequence[DossierRef] = (),
) -> None:
    """Choose a strategy for dossiers, else for a creditor's segment, else for the creditor; the narrowest wins.

    New trajectories follow it; running ones stay on the version that told them last. Raises NotFound, UsageError.
    """
    _check_name(conn, name)
    whose = creditor_of(conn, creditor_code)
    if dossiers and segment is not None:
        raise UsageError("expected --segment or --debtor, not both")
    if dossiers:
        keys = [one.id for one in dossiers]
        conn.execute(update(dossier).where(dossier.c.id.in_(keys)).values(strategy=name))
    elif segment is not None:
        _check_segment(conn, whose, segment)
        row = {"creditor_id": whose.id, "segment": segment, "strategy": name}
        _upsert(conn, segment_strategy, ("creditor_id", "segment"), row)
    else:
        conn.execute(update(creditor).where(creditor.c.id == whose.id).values(strategy=name))
    scope = "dossier" if dossiers else "creditor" if segment is None else "segment"
    log.append(
        conn,
        [
            log.Entry(
                type="strategy_changed",
                at=now,
                actor=actor,
                creditor=creditor_code,
                dossier=one.pseudonym if one is not None else None,
                person=one.person if one is not None else None,
                reasons=(name, scope),
            )
            for one in (dossiers or (None,))
        ],
    )


def move(conn: Connection, dossiers: Sequence[DossierRef], actor: str, now: datetime) -> None:
    """Let running trajectories follow what is in force from now on; each goes on from where it stands."""
    keys = [one.id for one in dossiers]
    conn.execute(update(dossier).where(dossier.c.id.in_(keys)).values(moved_at=now))
    log.append(
        conn,
        [
            log.Entry(
                type="trajectory_moved",
                at=now,
                actor=actor,
                creditor=one.creditor,
                dossier=one.pseudonym,
                person=one.person,
            )
            for one in dossiers
        ],
    )


def own(conn: Connection) -> list[AnyRow]:
    """Return the strategies that were added here, by name."""
    query = select(in_force).where(in_force.c.name.not_in(strategy.shipped_names()))
    return list(conn.execute(query.order_by(in_force.c.name)))


def names(conn: Connection) -> tuple[str, ...]:
    """Return what a strategy may be chosen from: those that come with the service, and those added here."""
    return (*strategy.shipped_names(), *(row.name for row in own(conn)))


def version_in_force(conn: Connection, name: str) -> Version:
    """Return the version of a strategy that new trajectories follow; raises NotFound for an unknown name."""
    if name in strategy.shipped_names():
        return strategy.shipped(name)
    _check_name(conn, name)
    digest = conn.execute(select(in_force.c.hash).where(in_force.c.name == name)).scalar_one()
    body = log.artefact_of(conn, digest)
    if body is None:
        msg = f"the version of strategy {name!r} that is in force was not kept: add it again"
        raise NotFound(msg)
    return strategy.read(body, name)


def _check_name(conn: Connection, name: str) -> None:
    known = names(conn)
    if name not in known:
        msg = f"there is no strategy {name!r}; expected one of: {', '.join(known)}"
        raise NotFound(msg)


def _check_segment(conn: Connection, whose: AnyRow, segment: str) -> None:
    """Refuse a segment that no dossier has: by a typing error a choice would silently be for nobody."""
    query = select(dossier.c.segment).where(dossier.c.creditor_id == whose.id, dossier.c.segment != "")
    known = sorted(conn.execute(query.distinct()).scalars())
    if segment not in known:
        msg = f"--segment: no dossier of {whose.code!r} is in {segment!r}; imported were: {', '.join(known) or 'none'}"
        raise UsageError(msg)


def _check_templates(version: Version, source: str) -> None:
    known = Catalogue.shipped().templates
    sendable = sorted(name for name, one in known.items() if one.enabled and one.purpose == DUNNING)
    for step in version.strategy.steps:
        if step.template and step.template not in sendable:
            msg = f"{source}: step {step.id!r}: template: {step.template!r}: expected one of {', '.join(sendable)}"
            raise UsageError(msg)


def _upsert(conn: Connection, table: Any, unique: tuple[str, ...], row: dict[str, Any]) -> None:
    build: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    values = {name: value for name, value in row.items() if name not in unique}
    conn.execute(build(table).values(**row).on_conflict_do_update(index_elements=list(unique), set_=values))
