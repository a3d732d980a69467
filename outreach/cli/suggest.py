"""The command that writes a mapping for a file of another program."""

from __future__ import annotations

from pathlib import Path

import typer

from outreach.errors import Refused
from outreach.intake.suggest import suggest_mapping


def register(import_app: typer.Typer) -> None:
    """Add this command."""
    import_app.command("mapping")(mapping)


def mapping(
    ctx: typer.Context,
    file: Path,
    out: Path = typer.Option(None, "--out", help="Where to write it; without, it is printed."),
) -> None:
    """Write a mapping for a claims file of another program, to check and then import with."""
    text = suggest_mapping(file)
    if out is None:
        ctx.obj.value({"mapping": text}, text.splitlines())
        return
    try:
        with out.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError as error:
        msg = f"{out} is there already: choose another name for --out"
        raise Refused(msg) from error
    doubts = [line[2:] for line in text.splitlines()[1:] if line.startswith("# ")]
    lines = [
        f"Written to {out}. Check it, then:",
        *(f"  check {doubt}" for doubt in doubts),
        f"  outreach import claims {file} --mapping {out} --creditor CODE --dry-run",
    ]
    ctx.obj.value({"out": str(out), "doubts": doubts}, lines)
