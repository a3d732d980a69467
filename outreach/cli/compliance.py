"""The day's compliance on one command: a checklist of what is not lawful, or could not be proved, today."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import typer

from outreach import bootstrap
from outreach.cli.output import Output
from outreach.insight.compliance import DUTIES, Finding, compliance


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("compliance")(show)


def show(
    ctx: typer.Context,
    creditor: str = typer.Option(None, "--creditor", help="Of one creditor, and of the whole installation."),
) -> None:
    """What is not lawful or not provable today, per creditor; exits 1 where something is wrong."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        now = app.now()
        found = compliance(conn, app.versions.packs, now, creditor)
    out: Output = ctx.obj
    data = {"at": now, "checked": list(DUTIES), "found": [_finding(one) for one in found]}
    out.value(data, _lines(found))
    if found:
        raise typer.Exit(1)


def _finding(one: Finding) -> dict[str, Any]:
    duty = one.duty
    return {
        "creditor": one.creditor or None,
        "code": duty.code,
        "what": duty.what,
        "about": one.about,
        "count": one.count,
        "since": one.since,
        "rule": duty.rule,
        "source": duty.source,
        "mend": duty.mend,
    }


def _lines(found: list[Finding]) -> list[str]:
    if not found:
        return [f"Nothing is wrong today: {len(DUTIES)} duties looked at."]
    lines = []
    for creditor, group in groupby(found, key=lambda one: one.creditor):
        lines.append(creditor or "the whole installation")
        for one in group:
            about = f" ({one.about})" if one.about else ""
            since = f", since {one.since}" if one.since else ""
            lines.append(f"  {one.count:>5}  {one.duty.what}{about}{since}")
            lines.append(f"         {one.duty.rule}, {one.duty.source} → {one.duty.mend}")
    return lines
