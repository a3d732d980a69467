"""One path to the database: commits shared by many, and a copy of the database that is known as one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from outreach.bootstrap import confirm_copy, initialise, opened
from outreach.casework.switches import switch_sending
from outreach.config import Settings
from outreach.correspondence.tables import LogEntry
from outreach.delivery.dispatch import Lease
from outreach.store.writer import Store
from tests import builders as make

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def add(code: str, conn: Connection) -> int:
    """Add a creditor under a code; the same code again breaks a unique constraint."""
    return make.a_creditor(conn, code)


def refuse(conn: Connection) -> None:
    """Write something and then fail."""
    make.a_creditor(conn, "HALF")
    raise LookupError("half done")


def codes(conn: Connection) -> list[str]:
    return list(conn.execute(select(make.creditor.c.code).order_by(make.creditor.c.code)).scalars())


async def together(store: Store, *works: Callable[[Connection], object]) -> list[object]:
    """Queue works behind one that is being done, so that they share a group."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    go_on = asyncio.Event()

    def hold(_conn: Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()

    first = asyncio.create_task(store.write(hold))
    await begun.wait()
    rest = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)  # each has put its work in the queue
    go_on.set()
    await first
    return list(await asyncio.gather(*rest, return_exceptions=True))


async def test_a_group_with_bad_items_is_split_and_the_others_commit(settings: Settings) -> None:
    """Each caller gets its own result or its own error, and only what failed is not kept."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    works = [
        partial(add, "A"),
        refuse,
        partial(add, "B"),
        partial(add, "A"),
        codes,
    ]
    first, broken, second, twice, seen = await together(store, *works)
    assert isinstance(broken, LookupError)
    assert isinstance(twice, IntegrityError)
    with store.reading() as conn:
        keys = {row.code: row.id for row in conn.execute(select(make.creditor))}
    assert keys == {"A": first, "B": second}
    assert seen == ["A", "B"], "a work sees what was done before it"
    assert await store.write(partial(add, "C"))
    store.close()


async def test_a_good_group_shares_one_commit(settings: Settings) -> None:
    """What waits together is committed together: nobody else sees a part of it."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    seen: list[list[str]] = []

    def look(_conn: Connection) -> None:
        with store.reading() as other:
            seen.append(codes(other))

    await together(store, partial(add, "A"), look, partial(add, "B"), look)
    assert seen == [[], []]
    with store.reading() as conn:
        assert codes(conn) == ["A", "B"]
    store.close()


def test_a_transaction_that_fails_leaves_nothing(settings: Settings) -> None:
    """An error in the middle takes back all of it."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    with pytest.raises(LookupError), store.transaction() as conn:
        refuse(conn)
    with pytest.raises(LookupError):
        store.run(refuse)
    with store.reading() as conn:
        assert codes(conn) == []
    store.close()


def tick(settings: Settings) -> int:
    """Plan and send at one moment; return how many were sent."""

    async def run() -> int:
        with opened(settings, for_sending=True) as app:
            channels = app.channels()
            async with Lease(app.store, lambda: MONDAY) as lease:
                return (await app.ticker(channels).tick(MONDAY, lease)).sent

    return asyncio.run(run())


def head(settings: Settings) -> int:
    store = Store(settings.url)
    with store.reading() as conn:
        seq = max(conn.execute(select(LogEntry.seq)).scalars())  # type: ignore[call-overload]
    store.close()
    return int(seq)


def test_an_older_copy_sends_nothing_until_a_person_confirms_it(tmp_path: Path) -> None:
    """A restored copy has forgotten what was sent: sending is off at its start, and on again only by hand."""
    settings = Settings(data_dir=tmp_path / "data")
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        jan = make.a_debtor(conn, make.a_creditor(conn))
        make.a_claim(conn, jan, due=date(2026, 11, 20))
    copy = tmp_path / "copy.db"
    database = settings.data_dir / "outreach.db"
    with opened(settings, for_sending=True) as app:
        assert not app.installed.copy_suspected
    shutil.copy(database, copy)
    assert tick(settings) == 1
    sent = list(settings.outbox.rglob("*.eml"))
    assert len(sent) == 1
    for left in settings.data_dir.glob("outreach.db-*"):
        left.unlink()
    shutil.copy(copy, database)

    for _ in range(2):
        with opened(settings, for_sending=True) as app:
            assert app.installed.copy_suspected
            assert not app.installed.sending
        assert tick(settings) == 0
    assert list(settings.outbox.rglob("*.eml")) == sent, "nothing was sent twice"

    with opened(settings) as app:
        confirm_copy(app)
        with app.store.transaction() as conn:
            switch_sending(conn, on=True, actor="staff:test", now=MONDAY)
    with opened(settings, for_sending=True) as app:
        assert app.installed.sending
        assert not app.installed.copy_suspected
    assert tick(settings) == 1
    with opened(settings, for_sending=True) as app:
        assert not app.installed.copy_suspected, "what was written since is known"
