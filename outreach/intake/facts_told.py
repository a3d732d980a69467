"""What one row of a facts file comes to: the stops at their scopes, and since and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from outreach.intake.load_dossiers import DUE_NOW
from outreach.intake.load_stops import start_of
from outreach.intake.rows import OF_A_DEBT, FactKind, FactRow
from outreach.parties.addresses import AddressKeys

FACT = "fact:"
"""How the reason code of a stop begins that a facts file told; what follows tells that fact from another."""

FULL_AGE = 18
_CODE_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Address:
    """A contact point in use."""

    point_id: int
    kind: str
    address_key: str


@dataclass(frozen=True, slots=True)
class About:
    """Whom and what a row is about. `places` are the dossiers, or the one claim, with the dossiers' random ids."""

    person_id: int
    person: str
    date_of_birth: date | None
    places: tuple[tuple[int, str], ...] = ()
    claim_id: int | None = None
    addresses: Sequence[Address] = ()


@dataclass(frozen=True, slots=True)
class ToldFact:
    """A stop as a row tells it. `code` is the fact's own; `person` and `dossier` are pseudonyms for the log."""

    line: int
    kind: FactKind
    scope: str
    code: str
    from_at: datetime
    until_at: datetime | None
    text: str
    on: date | None
    person_id: int | None = None
    dossier_id: int | None = None
    claim_id: int | None = None
    address_key: str | None = None
    person: str | None = None
    dossier: str | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """What there is one stop of."""
        return (
            self.code,
            self.scope,
            self.person_id,
            self.dossier_id,
            self.claim_id,
            self.address_key,
        )


def code_of(keys: AddressKeys, creditor_id: int, row: FactRow) -> str:
    """Return the code that tells this fact from another: keyed, since a reference may say more than it should."""
    parts = (
        str(creditor_id),
        row.debtor_id,
        row.claim_id or "",
        row.kind.value,
        row.from_on.isoformat() if row.from_on else "",
        row.reference or "",
    )
    return FACT + keys.of("fact", "\0".join(parts))[:_CODE_LENGTH]


def stops_of(
    line: int, row: FactRow, code: str, about: About, now: datetime, *, is_trial: bool
) -> list[ToldFact]:
    """Return the stops that a row comes to; none where there is nothing to close."""
    # A trial plays days before the import: what has no day of its own holds on all of them.
    since = start_of(row.from_on) if row.from_on else DUE_NOW if is_trial else now
    text = "\n".join(part for part in (row.reference, row.note) if part)

    def told(scope: str, **keys: object) -> ToldFact:
        until = _until(row, about.date_of_birth)
        return ToldFact(
            line,
            row.kind,
            scope,
            code,
            since,
            start_of(until) if until else None,
            text,
            row.from_on,
            **keys,  # type: ignore[arg-type]
        )

    if row.kind is FactKind.ADDRESS_PROTECTED:
        return []
    if row.kind is FactKind.WRONG_PERSON:
        # Not of this person alone: whoever else has the address is not to be reached there either.
        return [told("contact_point", address_key=one.address_key) for one in about.addresses]
    if row.kind is FactKind.MOVED:
        return [
            told("contact_point", person_id=about.person_id, person=about.person, address_key=one.address_key)
            for one in about.addresses
            if one.kind == "letter"
        ]
    if row.kind not in OF_A_DEBT:
        return [told("person", person_id=about.person_id, person=about.person)]
    if about.claim_id is not None:
        return [told("claim", claim_id=about.claim_id, dossier=name) for _, name in about.places]
    return [told("dossier", dossier_id=key, dossier=name) for key, name in about.places]


def _until(row: FactRow, born: date | None) -> date | None:
    """Return the first day on which it is no longer so: of a minor the eighteenth birthday, where it is known."""
    return of_age_on(born) if row.kind is FactKind.MINOR and born is not None else row.until_on


def of_age_on(born: date) -> date:
    """Return the day on which somebody comes of age; who was born on 29 February does so on 1 March."""
    if (born.month, born.day) == (2, 29):
        return date(born.year + FULL_AGE, 3, 1)
    return born.replace(year=born.year + FULL_AGE)
