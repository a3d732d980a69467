"""The demo's outbox as pages that one can open in a browser."""

from __future__ import annotations

import html
from pathlib import Path

from outreach.insight import pages

MOST_PAGES = 400


def messages(outbox: Path) -> list[tuple[str, str, Path]]:
    """Return the messages below the outbox, oldest first: day, codec and file of each."""
    mails = [(path.parent.name, "rfc822", path) for path in outbox.glob("*/*.eml")]
    return sorted([*mails, *((path.parent.name, "html", path) for path in outbox.glob("letters/*/*.html"))])


def write_pages(outbox: Path) -> Path:
    """Write a page that lists the messages; a mail has a page beside its bytes, and a letter is one."""
    rows = []
    for on, codec, path in messages(outbox)[:MOST_PAGES]:
        payload = path.read_bytes()
        page = path.with_suffix(".html")
        if page != path:
            page.write_text(pages.page(payload, codec), encoding="utf-8")
        cells = (on, "letter" if codec == "html" else "mail", *pages.heads(payload, codec))
        link = html.escape(page.relative_to(outbox).as_posix())
        shown = "</td><td>".join(html.escape(cell) for cell in cells)
        rows.append(f'<tr><td>{shown}</td><td><a href="{link}">open</a></td></tr>')
    index = outbox / "index.html"
    outbox.mkdir(parents=True, exist_ok=True)
    index.write_text(_PAGE.format(rows="\n".join(rows), count=len(rows)), encoding="utf-8")
    return index


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Outbox of the demo</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; }}
td:first-child {{ white-space: nowrap; }}
</style></head><body>
<h1>Outbox of the demo</h1>
<p>The first {count} messages. Nobody named here exists, and nothing was sent.</p>
<table><thead><tr><th>Day</th><th>By</th><th>To</th><th>Subject</th><th></th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""
