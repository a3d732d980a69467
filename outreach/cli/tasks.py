"""Commands about work for people: list, assign, close, reopen, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import typer
from sqlalchemy import Connection, select

from outreach import bootstrap
from outreach.casework import approvals, doubts, results, tasks
from outreach.casework.days import civil_today, closing_of, start_of
from outreach.casework.targets import person_by_id
from outreach.cli.named import As, Note, done
from outreach.cli.output import day, shown, table
from outreach.correspondence import log
from outreach.errors import UsageError
from outreach.store.types import AnyRow

task_app = typer.Typer(help="Work for people: each with an owner and a due time.", no_args_is_help=True)

Task = typer.Argument(help="The task's id, or the beginning of it.")


@task_app.command("list")
def list_tasks(
    ctx: typer.Context,
    owner: str = typer.Option(None, "--owner"),
    kind: str = typer.Option(None, "--kind"),
    due_by: str = typer.Option(None, "--due-by", help="Due on this day or before."),
    limit: int = typer.Option(200, "--limit"),
) -> None:
    """List open work, the longest overdue first."""
    last = day(due_by, "--due-by")
    by = start_of(last + timedelta(days=1)) if last is not None else None
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        rows = tasks.open_tasks(conn, owner=owner, kind=kind, due_by=by, limit=limit)
        now = app.now()
    head = ("task", "kind", "due", "late", "owner", "creditor", "debtor", "step", "reason")
    cells = [
        (
            row.pseudonym[:8],
            row.kind,
            shown(row.due_at),
            _late(row.due_at, now),
            row.owner,
            row.creditor or "",
            row.debtor or "",
            row.step,
            row.reason_code,
        )
        for row in rows
    ]
    ctx.obj.value([_task(row, now) for row in rows], table(head, cells))


def _late(due_at: datetime, now: datetime) -> str:
    if due_at > now:
        return ""
    days = (civil_today(now) - civil_today(due_at)).days
    return f"{days} days" if days else "today"


def _task(row: AnyRow, now: datetime) -> dict[str, Any]:
    names = ["pseudonym", "kind", "creditor", "debtor", "person", "currency", "step", "department"]
    names += ["reason_code", "owner", "opened_at", "due_at"]
    return {name: getattr(row, name) for name in names} | {"overdue": row.due_at <= now}


@task_app.command("show")
def show(ctx: typer.Context, task: str = Task) -> None:
    """Show one task, with what was noted when it was opened."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        query = select(tasks.task).where(tasks.task.c.pseudonym.startswith(task, autoescape=True)).limit(2)
        rows = conn.execute(query).all()
        if len(rows) != 1:
            msg = f"there is no single task {task!r} (outreach task list shows them)"
            raise UsageError(msg)
        text = log.content_of(conn, rows[0].content_id) if rows[0].content_id else None
    facts = {name: value for name, value in rows[0]._mapping.items() if value not in (None, "")}
    said = text.decode("utf-8", "replace") if text is not None else ""
    lines = [f"{name}: {value}" for name, value in facts.items()]
    ctx.obj.value(facts | {"content": said}, [*lines, *(["", said] if said else [])])


@task_app.command("assign")
def assign(
    ctx: typer.Context,
    task: str = Task,
    owner: str = typer.Argument(help="staff, staff:NAME or department:NAME"),
    due: str = typer.Option(None, "--due", help="Another last day."),
    actor: str = As,
) -> None:
    """Give work to somebody."""
    on = day(due, "--due")

    def work(conn: Connection, row: AnyRow, now: datetime) -> None:
        tasks.assign(conn, row, owner, actor, now, closing_of(on) if on is not None else None)

    _on(ctx, task, work, f"is {owner}'s now")


@task_app.command("close")
def close(
    ctx: typer.Context,
    task: str = Task,
    code: str = typer.Option("done", "--code", help="How it ended, as a code."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Close work that has no outcome of its own."""
    _on(ctx, task, lambda conn, row, now: tasks.close(conn, row, code, note, actor, now), "is closed")


@task_app.command("reopen")
def reopen(
    ctx: typer.Context,
    task: str = Task,
    due: str = typer.Option(None, "--due", help="Another last day."),
    actor: str = As,
) -> None:
    """Open closed work again; overdue work is due on the next working day."""
    on = day(due, "--due")

    def work(conn: Connection, row: AnyRow, now: datetime) -> None:
        tasks.reopen(conn, row, actor, now, closing_of(on) if on is not None else None)

    _on(ctx, task, work, "is open again", closed=True)


@task_app.command("approve")
def approve(ctx: typer.Context, task: str = Task, note: str = Note, actor: str = As) -> None:
    """Approve the step that waits for a person; the yes holds for two weeks."""

    def work(conn: Connection, row: AnyRow, now: datetime) -> None:
        approvals.answer(conn, row, approved=True, reason="", note=note, actor=actor, now=now)

    _on(ctx, task, work, "is approved")


@task_app.command("refuse")
def refuse(
    ctx: typer.Context,
    task: str = Task,
    reason: str = typer.Option(..., "--reason", help="A code, as in vulnerable."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Refuse the step that waits for a person; the no holds for a year."""

    def work(conn: Connection, row: AnyRow, now: datetime) -> None:
        approvals.answer(conn, row, approved=False, reason=reason, note=note, actor=actor, now=now)

    _on(ctx, task, work, "is refused")


@task_app.command("resolve")
def resolve(
    ctx: typer.Context,
    task: str = Task,
    delivered: bool = typer.Option(..., "--delivered/--not-delivered", help="What you found out."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Say what became of a message in doubt: it counts as told, or it is planned anew."""

    def work(conn: Connection, row: AnyRow, now: datetime) -> None:
        doubts.resolve(conn, row, delivered=delivered, note=note, actor=actor, now=now)

    _on(ctx, task, work, "is settled: it was " + ("delivered" if delivered else "not delivered"))


@task_app.command("guide")
def guide(ctx: typer.Context, task: str = Task) -> None:
    """Print the questions of a call or visit in the debtor's language, with the answers there are."""

    def work(conn: Connection, _: bootstrap.App) -> tuple[str, list[dict[str, Any]]]:
        row = tasks.task_of(conn, task)
        step = results.step_of_task(conn, row)
        dutch = person_by_id(conn, row.person_id).language == "nl"
        asked = [
            {"id": one.id, "question": one.nl if dutch else one.en, "answers": one.answers}
            for one in step.guide
        ]
        return step.id, asked

    step, asked = done(work)
    lines = [f"{one['question']}\n  --answer {one['id']}={'|'.join(one['answers'])}" for one in asked]
    ctx.obj.value({"step": step, "questions": asked}, lines or ["This step asks no questions."])


@task_app.command("result")
def result(
    ctx: typer.Context,
    task: str = Task,
    answer: list[str] = typer.Option([], "--answer", help="question=answer, once for each question."),
    reached: bool = typer.Option(..., "--reached/--not-reached", help="Whether you spoke the debtor."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Record what came of a call or visit; the ladder counts it, and the answers lead on."""
    answers = dict(_pair(one) for one in answer)

    def work(conn: Connection, app: bootstrap.App) -> results.Result:
        row = tasks.task_of(conn, task)
        return results.record(conn, row, answers, reached=reached, note=note, actor=actor, now=app.now())

    one = done(work)
    lines = [f"Counted for {one.claims} claims."]
    if one.triage:
        lines.append(f"The answers lead to: {one.triage}.")
    if one.again_at is not None:
        lines.append(f"Try again by {shown(one.again_at)}; tries left: {one.tries_left}.")
    data = {
        "claims": one.claims,
        "triage": one.triage,
        "again_at": one.again_at,
        "tries_left": one.tries_left,
    }
    ctx.obj.value(data, lines)


def _pair(text: str) -> tuple[str, str]:
    question, sign, answer = text.partition("=")
    if not sign or not question or not answer:
        msg = f"--answer: {text!r}; expected question=answer (outreach task guide shows both)"
        raise UsageError(msg)
    return question.strip(), answer.strip()


def _on(
    ctx: typer.Context,
    task: str,
    work: Callable[[Connection, AnyRow, datetime], None],
    said: str,
    *,
    closed: bool = False,
) -> None:
    """Do something with one task."""

    def doing(conn: Connection, app: bootstrap.App) -> str:
        row = tasks.task_of(conn, task, closed=closed)
        work(conn, row, app.now())
        return str(row.pseudonym)

    pseudonym = done(doing)
    ctx.obj.value({"task": pseudonym}, [f"Task {pseudonym[:8]} {said}."])
