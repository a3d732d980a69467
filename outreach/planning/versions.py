"""The strategies, packs and templates that decisions are made by, with the hashes that name their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from consent.packs import Pack, shipped_packs
from outreach.correspondence.log import keep_artefact
from outreach.dunning import strategy
from outreach.planning.decide import Rules
from outreach.planning.facts import UnitFacts
from templates.catalogue import Catalogue, Template

CODE_VERSION = "0.1.0"


@dataclass(frozen=True)
class Versions:
    """What is in force: packs by country, templates by name; strategies are looked up by name."""

    packs: Mapping[str, Pack]
    catalogue: Catalogue

    @classmethod
    def shipped(cls) -> Versions:
        """Return what comes with the service."""
        return cls(packs=shipped_packs(), catalogue=Catalogue.shipped())

    def rules(self, facts: UnitFacts) -> Rules:
        """Return the strategy and pack for one party of a dossier."""
        return _rules(facts.creditor.strategy, self.packs.get(facts.party.country))

    def template(self, name: str) -> Template:
        """Return the current version of a message folder."""
        return self.catalogue.get(name)

    def keep(self, conn: Connection, at: datetime) -> None:
        """Keep every version that a decision may name, once for each database."""
        for pack in self.packs.values():
            keep_artefact(conn, "pack", pack.country, pack.bytes, at)
        for template in self.catalogue.templates.values():
            keep_artefact(conn, "template", template.name, template.bytes, at)
        for name in strategy.shipped_names():
            version = strategy.shipped(name)
            keep_artefact(conn, "strategy", name, version.body, at)


@cache
def _rules(name: str, pack: Pack | None) -> Rules:
    version = strategy.shipped(name)
    return Rules(
        strategy=version.strategy,
        strategy_hash=version.hash,
        pack=pack,
        pack_hash=pack.hash if pack is not None else "",
    )
