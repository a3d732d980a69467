"""Commands about creditors: who is owed, how they may be written to, and what their staff may agree to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outreach import bootstrap
from outreach.casework import creditors
from outreach.cli.named import read_cents
from outreach.cli.output import table
from outreach.clock import machine_clock

creditor_app = typer.Typer(help="Creditors: add, set, show.", no_args_is_help=True)

Text = Annotated[str | None, typer.Option()]
As = Annotated[str, typer.Option("--as", help="Who does this.")]
Type = Annotated[str | None, typer.Option("--type", help="What sort of organisation.")]
Agency = Annotated[bool | None, typer.Option("--agency/--own-claims")]
Office = Annotated[bool | None, typer.Option("--small-office/--large-office")]
Freshness = Annotated[int | None, typer.Option("--freshness", help="Hours that known payments stay fresh.")]
Interval = Annotated[int | None, typer.Option("--interval", help="Days between two messages to one person.")]
Tolerance = Annotated[
    str | None,
    typer.Option("--tolerance", help="An amount: for less than this in one message nothing is asked."),
]
Notice = Annotated[
    int | None,
    typer.Option("--notice-days", help="Days before the due date that a notice may go; 0 is none."),
]
Confirm = Annotated[
    bool | None,
    typer.Option("--confirm-payments/--no-confirm-payments", help="Thank for a payment that was asked for."),
]
Handover = Annotated[
    str | None, typer.Option("--handover-to", help="Whom a final notice names as the one who takes over.")
]
Floor = Annotated[
    str | None,
    typer.Option("--plan-floor", help="An amount: the smallest instalment that staff may agree to."),
]
Parts = Annotated[int | None, typer.Option("--plan-most-parts", help="The most instalments of a plan.")]
Promise = Annotated[
    int | None, typer.Option("--promise-most-days", help="The most days ahead that a promise may be for.")
]
Deferral = Annotated[
    int | None, typer.Option("--deferral-most-days", help="The most days ahead that a deferral may be for.")
]

Sector = Annotated[
    str | None, typer.Option("--sector", help=f"{', '.join(creditors.SECTORS)} or {creditors.NO_SECTOR}.")
]

_AS_GIVEN = (
    "name",
    "iban",
    "phone",
    "email",
    "kind",
    "register_number",
    "strategy",
    "is_agency",
    "is_small_office",
    "freshness_hours",
    "interval_days",
    "notice_days",
    "confirm_payments",
    "handover_to",
    "plan_most_parts",
    "promise_most_days",
    "deferral_most_days",
    "sector",
)


def _values(options: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that the options set; amounts become cents."""
    return {name: options[name] for name in _AS_GIVEN} | {
        "tolerance_cents": _cents(options["tolerance"], "--tolerance"),
        "plan_floor_cents": _cents(options["plan_floor"], "--plan-floor"),
    }


def _cents(text: str | None, option: str) -> int | None:
    return None if text is None else read_cents(text.strip(), "EUR", option)


@creditor_app.command("add")
def add(
    ctx: typer.Context,
    code: str,
    name: Annotated[str, typer.Option()],
    iban: Text = None,
    phone: Text = None,
    email: Text = None,
    kind: Type = None,
    register_number: Text = None,
    is_agency: Agency = None,
    is_small_office: Office = None,
    freshness_hours: Freshness = None,
    interval_days: Interval = None,
    strategy: Text = None,
    tolerance: Tolerance = None,
    notice_days: Notice = None,
    confirm_payments: Confirm = None,
    handover_to: Handover = None,
    plan_floor: Floor = None,
    plan_most_parts: Parts = None,
    promise_most_days: Promise = None,
    deferral_most_days: Deferral = None,
    sector: Sector = None,
    actor: As = "staff:cli",
) -> None:
    """Add a creditor; sending for it starts off."""
    values = _values(locals()) | {"code": code}
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.transaction() as conn:
        creditors.add_creditor(conn, values, actor, machine_clock())
    ctx.obj.value(
        {"added": code}, [f"Added {code}. Sending for it is off (outreach sending on --creditor {code})."]
    )


@creditor_app.command("set")
def change(
    ctx: typer.Context,
    code: str,
    name: Text = None,
    iban: Text = None,
    phone: Text = None,
    email: Text = None,
    kind: Type = None,
    register_number: Text = None,
    is_agency: Agency = None,
    is_small_office: Office = None,
    freshness_hours: Freshness = None,
    interval_days: Interval = None,
    strategy: Text = None,
    tolerance: Tolerance = None,
    notice_days: Notice = None,
    confirm_payments: Confirm = None,
    handover_to: Handover = None,
    plan_floor: Floor = None,
    plan_most_parts: Parts = None,
    promise_most_days: Promise = None,
    deferral_most_days: Deferral = None,
    sector: Sector = None,
    actor: As = "staff:cli",
) -> None:
    """Change what is known of a creditor; queued messages are planned anew."""
    values = _values(locals())
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.transaction() as conn:
        creditors.change_creditor(conn, code, values, actor, machine_clock())
    ctx.obj.value({"changed": code}, [f"Changed {code}."])


@creditor_app.command("show")
def show(ctx: typer.Context) -> None:
    """Show all creditors."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        rows = [dict(row._mapping) for row in creditors.creditors(conn)]
    head = ("code", "name", "iban", "phone", "sending", "strategy", "payments known until")
    lines = table(
        head,
        [
            (
                row["code"],
                row["name"],
                row["iban"],
                row["phone"],
                "on" if row["sending"] else "off",
                row["strategy"],
                row["payments_until_on"] or "unknown",
            )
            for row in rows
        ],
    )
    ctx.obj.value(rows, lines)
