"""Commands that show: preview, explain, log."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer

from channels.kinds import Kind
from consent.facts import Reason
from outreach import bootstrap
from outreach.claims.amounts import open_cents
from outreach.cli.named import Creditor, Debtor, Person
from outreach.cli.output import Output, moment, shown, table
from outreach.correspondence import log
from outreach.errors import NotFound, Refused
from outreach.insight import entries, explain, find, pages
from outreach.insight.explain import Explanation
from outreach.insight.preview import Preview, preview

log_app = typer.Typer(help="The correspondence log.", no_args_is_help=True)

At = typer.Option(None, "--at", help="At which time.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("preview")(preview_command)
    app.command("explain")(explain_command)
    app.add_typer(log_app, name="log")


def preview_command(
    ctx: typer.Context,
    debtor: str = Debtor,
    person: str = Person,
    creditor: str = Creditor,
    step: str = typer.Option(None, "--step", help="As if this step were due."),
    channel: Kind = typer.Option(None, "--channel", help="As if it went over this channel."),
    at: str = At,
    out: Path = typer.Option(Path("preview"), "--out", help="The folder for the files."),
    actor: str = typer.Option("staff:cli", "--as", help="Who looks."),
) -> None:
    """Write a message as it would be sent, exact to the byte, with the decision about it."""
    with bootstrap.opened(bootstrap.read_settings()) as app:
        now = moment(at, "--at") or app.now()
        with app.store.reading() as conn:
            found = find.dossiers_of(conn, debtor=debtor, creditor=creditor, person=person)
            units = find.units_of(conn, found, now, tuple(bootstrap.BUILDERS))
        written = []
        for number, facts in enumerate(units, start=1):
            try:
                one = preview(facts, app.versions, app.composer, now, step=step, channel=channel)
            except Refused as refusal:
                ctx.obj.note(f"{facts.party.name} ({facts.party.role}): {refusal}")
                continue
            written.append(_write(out, number, one))
            _log_preview(app, one, actor, now)
    if not written:
        msg = "there is nothing to preview"
        raise Refused(msg)
    ctx.obj.value([item[0] for item in written], [line for item in written for line in item[1]])


def _write(folder: Path, number: int, one: Preview) -> tuple[dict[str, Any], list[str]]:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{number:02d}-{one.facts.party.role}-{one.plan.channel}"
    payload, codec = one.composed.payload, one.composed.codec
    message = folder / f"{stem}{pages.SUFFIXES.get(codec, '.txt')}"
    decision = folder / f"{stem}.decision.json"
    message.with_suffix(".html").write_text(pages.page(payload, codec), encoding="utf-8")
    message.write_bytes(payload)
    facts = {
        "may_go": one.may_go,
        "outcome": one.answer.outcome,
        "code": one.answer.code,
        "look_at": one.answer.look_at,
        "reasons": msgspec.to_builtins(one.answer.reasons),
        "skipped_channels": msgspec.to_builtins(one.answer.skips),
    }
    decision.write_text(json.dumps(facts, indent=2, default=str, ensure_ascii=False) + "\n", encoding="utf-8")
    verdict = "would go" if one.may_go else f"would NOT go: {one.answer.outcome} ({one.answer.code})"
    lines = [f"{message}  {verdict}", f"{decision}"]
    lines += [f"  {skip.channel} skipped: {skip.code}" for skip in one.answer.skips]
    return facts | {"message": str(message)}, lines


def _log_preview(app: bootstrap.App, one: Preview, actor: str, now: datetime) -> None:
    with app.store.transaction() as conn:
        log.append(
            conn,
            [
                log.Entry(
                    type="previewed",
                    at=now,
                    actor=actor,
                    person=one.facts.party.pseudonym,
                    dossier=one.facts.dossier,
                    creditor=one.facts.creditor.code,
                    channel=one.plan.channel.value,
                )
            ],
        )


def explain_command(
    ctx: typer.Context,
    debtor: str = Debtor,
    person: str = Person,
    creditor: str = Creditor,
    at: str = At,
) -> None:
    """Tell every rule, its verdict and the channel; in the past from the recorded facts."""
    with bootstrap.opened(bootstrap.read_settings()) as app:
        present = app.now()
        when = moment(at, "--at")
        with app.store.reading() as conn:
            found = find.dossiers_of(conn, debtor=debtor, creditor=creditor, person=person)
            explained: list[Explanation] = []
            if when is not None and when <= present:
                explained = explain.from_record(conn, found, when)
                if not explained:
                    msg = f"nothing had been decided about this debtor by {shown(when)}"
                    raise NotFound(msg)
            else:
                units = find.units_of(conn, found, when or present, tuple(bootstrap.BUILDERS))
                explained = explain.from_today(units, app.versions, when or present)
    lines = [line for one in explained for line in _explained(one)]
    ctx.obj.value([msgspec.to_builtins(_data(one)) for one in explained], lines)
    if any(one.again == "different" for one in explained):
        raise typer.Exit(1)


def _data(one: Explanation) -> dict[str, Any]:
    return {
        "at": one.at,
        "decision": one.decision,
        "run_again": one.again,
        "answer": one.answer,
        "facts": one.facts,
        "redone": one.redone,
    }


def _explained(one: Explanation) -> list[str]:
    facts, answer = one.facts, one.answer
    head = [""]
    if facts is not None:
        head.append(
            f"{facts.party.name} ({facts.party.role}), debtor {facts.debtor_external_id} of "
            f"{facts.creditor.code}, {facts.currency}"
        )
    head.append(f"at {shown(one.at)} — {_recorded(one)}")
    until = f", look again {shown(answer.look_at)}" if answer.look_at else ""
    head.append(f"→ {answer.outcome}: {answer.code}{until}")
    lines = head
    if facts is not None:
        lines += ["", *_claims(one)]
    if answer.reasons:
        rows = [_reason(reason) for reason in answer.reasons]
        lines += ["", *table(("verdict", "rule", "reason", "until", "certainty", "source"), rows)]
    lines += ["", *_channels(one)]
    if one.redone is not None:
        lines += ["", f"run again it would be {one.redone.outcome}: {one.redone.code}"]
    return lines


def _recorded(one: Explanation) -> str:
    if not one.decision:
        return one.again
    return f"recorded decision {one.decision[:12]}, run again from its facts: {one.again}"


def _claims(one: Explanation) -> list[str]:
    assert one.facts is not None
    outlooks = {outlook.claim_id: outlook for outlook in one.answer.outlooks}
    rows = []
    for claim in one.facts.claims:
        outlook = outlooks.get(claim.id)
        told = ", ".join(f"{past.step} {past.on}" for past in claim.told) or "nothing yet"
        amount = f"{claim.currency} {open_cents(claim) / 100:.2f}"
        stand = f"{outlook.stand} {outlook.step} {outlook.on or ''}".strip() if outlook else ""
        rows.append((claim.invoice_number, claim.due_on, amount, told, stand))
    if not rows:
        return ["no open claims"]
    return table(("invoice", "due", "open", "told", "stands"), rows)


def _reason(reason: Reason) -> tuple[str, ...]:
    until = shown(reason.until) if reason.until else ""
    return reason.kind, reason.rule, reason.code, until, reason.certainty, reason.source


def _channels(one: Explanation) -> list[str]:
    lines = [
        f"channel {skip.channel}: skipped, {skip.code}{' (preferred)' if skip.preferred else ''}"
        for skip in one.answer.skips
    ]
    plan = one.answer.plan
    if plan is not None:
        preferred = one.facts is not None and one.facts.party.preferred_channel is plan.channel
        why = "preferred by the debtor" if preferred else "first usable in the default order"
        lines.append(f"channel {plan.channel}: chosen, {why}")
    elif not lines:
        lines.append("no channel was chosen: there is nothing to send now")
    return lines


@log_app.command("show")
def log_show(
    ctx: typer.Context,
    debtor: str = Debtor,
    person: str = Person,
    creditor: str = Creditor,
    type_: str = typer.Option(None, "--type", help="Only entries of this type."),
    entry: str = typer.Option(None, "--entry", help="One entry, with what was said."),
    limit: int = typer.Option(50, "--limit", help="At most so many, the newest."),
) -> None:
    """Show the correspondence log, of one debtor or of all."""
    out: Output = ctx.obj
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        if entry is not None:
            _show_entry(out, conn, entry)
            return
        dossiers = None
        if debtor is not None:
            found = find.dossiers_of(conn, debtor=debtor, creditor=creditor, person=None)
            dossiers = entries.dossier_pseudonyms(conn, found)
        persons = [person] if person is not None else None
        rows = entries.entries(conn, persons=persons, dossiers=dossiers, type_=type_, limit=limit)
    cells = [
        (
            row.seq,
            shown(row.at),
            row.type,
            row.channel or "",
            row.actor,
            (row.dossier or "")[:8],
            row.id[:8],
            " ".join(json.loads(row.reasons)),
        )
        for row in rows
    ]
    head = ("seq", "at", "type", "channel", "actor", "dossier", "entry", "reasons")
    data = [dict(row._mapping) for row in rows]
    out.value(data, table(head, cells))


def _show_entry(out: Output, conn: Any, entry_id: str) -> None:
    row = entries.entry_of(conn, entry_id)
    if row is None:
        msg = f"there is no single entry {entry_id!r}"
        raise NotFound(msg)
    facts = dict(row._mapping)
    said = entries.said(conn, row.content_id)
    text = None if said is None else pages.text(said.body, said.codec)
    lines = [f"{name}: {value}" for name, value in facts.items() if value is not None]
    out.value(facts | {"content": text}, [*lines, "", text or "(no content, or it was erased)"])
