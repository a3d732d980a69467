"""The strategies, packs and templates that decisions are made by, with the hashes that name their versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, insert, select, update

from consent.packs import Pack, packs_with, shipped_packs, shipped_parts
from outreach.casework.confirmations import confirmed
from outreach.correspondence.log import artefact_of, keep_artefact
from outreach.dunning import strategy
from outreach.dunning.strategy import Strategy
from outreach.planning import queries as q
from outreach.planning.answer import Rules
from outreach.planning.facts import UnitFacts
from templates.catalogue import Catalogue, Template

CODE_VERSION = "0.1.0"
OWN_RULES = "OUTREACH_OWN_RULES"
SHIPPED = "job:shipped"
"""Who put a strategy in force that comes with the service: its next version follows by itself."""


@dataclass(frozen=True)
class Versions:
    """What is in force: packs by country, templates by name, and every version of a strategy seen so far by hash.

    `own` are the operator's rules as a file has them; `confirmed` who confirmed which unverified rule.
    """

    packs: dict[str, Pack]
    catalogue: Catalogue
    strategies: dict[str, Strategy] = field(default_factory=dict)
    own: bytes | None = None
    confirmed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def shipped(cls, own: bytes | None = None) -> Versions:
        """Return what comes with the service, tightened by the operator's own rules; raises PackError for these."""
        versions = (strategy.shipped(name) for name in strategy.shipped_names())
        known = {version.hash: version.strategy for version in versions}
        packs = dict(shipped_packs() if own is None else packs_with(own, OWN_RULES))
        return cls(packs=packs, catalogue=Catalogue.shipped(), strategies=known, own=own)

    def take_confirmed(self, conn: Connection, at: datetime) -> None:
        """Take in which rules people have confirmed since, so that a running service follows at its next tick."""
        now = {rule: who for rule, who in confirmed(conn).items() if rule in _doubtful()}
        if now == self.confirmed:
            return
        self.confirmed.clear()
        self.confirmed.update(now)
        self.packs.update(packs_with(self.own, OWN_RULES, now))
        self._keep_packs(conn, at)

    def rules(self, facts: UnitFacts) -> Rules:
        """Return the strategies and the pack for one party of a dossier."""
        pack = self.packs.get(facts.party.country)
        return Rules(
            strategies=self.strategies,
            strategy_hash=facts.strategy_hash,
            pack=pack,
            pack_hash=pack.hash if pack is not None else "",
        )

    def learn(self, conn: Connection, units: Iterable[UnitFacts]) -> None:
        """Read the versions that these facts name and that this process has not seen yet."""
        for hash_ in {name for facts in units for name in facts.versions} - self.strategies.keys():
            if (body := artefact_of(conn, hash_)) is not None:
                self.strategies[hash_] = strategy.read(body, "a kept strategy").strategy

    def template(self, name: str) -> Template:
        """Return the current version of a message folder."""
        return self.catalogue.get(name)

    def keep(self, conn: Connection, at: datetime) -> None:
        """Keep every version that a decision may name, and put the shipped strategies in force."""
        self._keep_packs(conn, at)
        for template in self.catalogue.templates.values():
            keep_artefact(conn, "template", template.name, template.bytes, at)
        known = {row.name: row for row in conn.execute(select(q.strategy))}
        for name in strategy.shipped_names():
            version = strategy.shipped(name)
            keep_artefact(conn, "strategy", name, version.body, at)
            row = known.get(name)
            values = {"hash": version.hash, "at": at, "actor": SHIPPED}
            if row is None:
                conn.execute(insert(q.strategy).values(name=name, **values))
            elif row.actor == SHIPPED and row.hash != version.hash:
                conn.execute(update(q.strategy).where(q.strategy.c.id == row.id).values(**values))

    def _keep_packs(self, conn: Connection, at: datetime) -> None:
        for pack in self.packs.values():
            keep_artefact(conn, "pack", pack.country, pack.bytes, at)


@cache
def _doubtful() -> frozenset[str]:
    """Return the rules that can be confirmed; one that was verified since needs it no more."""
    return frozenset(
        rule.id for one in shipped_parts() for rule in one.part.rules if rule.certainty == "unverified"
    )
