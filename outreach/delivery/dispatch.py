"""Hand over what is ready: as many at once as the channel has slots, each claimed only when its slot is free."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import TracebackType

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from channels.protocol import Channel, Outcome, OutcomeKind, Slot
from outreach.clock import Clock, machine_clock
from outreach.delivery import ledger, workers
from outreach.delivery.ledger import LeaseLost, Turned
from outreach.delivery.settle import Claimed, Settled
from outreach.store.writer import Store

LEASE = timedelta(seconds=20)
PATIENCE = 30.0
"""Seconds to wait for a slot before this run of the dispatcher ends."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sent:
    """What a run of the dispatcher came to, by kind of outcome."""

    outcomes: dict[OutcomeKind, int] = field(default_factory=dict)
    passed_over: int = 0

    def count(self, kind: OutcomeKind) -> None:
        """Count one outcome."""
        self.outcomes[kind] = self.outcomes.get(kind, 0) + 1

    @property
    def accepted(self) -> int:
        """How many the other side took."""
        return self.outcomes.get(OutcomeKind.ACCEPTED, 0)


class Lease:
    """This process's place among the workers: registered, renewed while it runs, given up at the end.

    Entering it also puts in doubt what dead workers left; leaving it retires the worker.
    """

    def __init__(self, store: Store, clock: Clock, lease: timedelta = LEASE) -> None:
        self.store = store
        self.clock = clock
        self.lease = lease
        self.worker_id = ""
        self.in_doubt = 0
        self.rank = 0
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Lease:
        await self.reap()
        await self.register()
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self.store.write(lambda conn: workers.retire(conn, self.worker_id, machine_clock()))

    async def register(self) -> None:
        """Register as a new worker, at the start or after this one was declared dead.

        `rank` is how many workers were there already: planners use it to look at different dossiers.
        """
        self.rank = await self.store.read(lambda conn: workers.count_alive(conn, machine_clock()))
        self.worker_id = await self.store.write(
            lambda conn: workers.register(
                conn, socket.gethostname(), os.getpid(), self.lease, machine_clock()
            )
        )

    async def reap(self) -> int:
        """Put in doubt what workers without a lease left in `sending`."""
        lost = await self.store.write(lambda conn: workers.reap(conn, self.clock(), machine_clock()))
        self.in_doubt += lost
        return lost

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 4)
            worker_id = self.worker_id
            try:
                alive = await self.store.write(partial(self._renewed, worker_id))
                if not alive and worker_id == self.worker_id:
                    await self.register()
                await self.reap()
            except SQLAlchemyError as error:
                # The next round tries again; a lease that runs out meanwhile stops this worker's claims.
                log.warning("the lease could not be renewed: %s", type(error).__name__)

    def _renewed(self, worker_id: str, conn: Connection) -> bool:
        return workers.renew(conn, worker_id, self.lease, machine_clock())


class Dispatcher:
    """Sends what is ready on one channel, by one worker."""

    def __init__(
        self, store: Store, channel: Channel, lease: Lease, clock: Clock, patience: float = PATIENCE
    ) -> None:
        self.store = store
        self.channel = channel
        self.patience = patience
        self.lease = lease
        self.clock = clock
        self.sent = Sent()
        self._settled: list[Settled] = []
        self._working = 0
        self._closing = False
        self._wishes: list[asyncio.Future[Claimed | None]] = []
        self._news = asyncio.Event()

    async def drain(self, stop: asyncio.Event | None = None) -> Sent:
        """Send until nothing is ready, or until `stop`; every slot finishes what it began."""
        self.sent = Sent()
        self._closing = False
        feeder = asyncio.create_task(self._feed())
        slots = [asyncio.create_task(self._work(stop)) for _ in range(self.channel.places)]
        try:
            await asyncio.gather(*slots)
        finally:
            for task in slots:
                task.cancel()
            await asyncio.gather(*slots, return_exceptions=True)
            # The feeder is not broken off: a claim that commits while nobody listens would be nobody's.
            self._closing = True
            self._news.set()
            await asyncio.shield(feeder)
            await asyncio.shield(self.store.write(self._abandon))
        return self.sent

    async def _work(self, stop: asyncio.Event | None) -> None:
        """Hold one place for as long as there is something to send."""
        self._working += 1
        try:
            await self._send_one_after_another(stop)
        finally:
            self._working -= 1

    async def _send_one_after_another(self, stop: asyncio.Event | None) -> None:
        """Wait for a slot, claim, send, and hand the outcome to the feeder."""
        while not (stop is not None and stop.is_set()):
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self.patience):
                        slot = await held.enter_async_context(self.channel.slot())
                except TimeoutError:
                    # The breaker is open or the relay asks for less: what is ready stays ready.
                    return
                if stop is not None and stop.is_set():
                    return
                claimed = await self._next()
                if claimed is None:
                    return
                outcome = await self._send(slot, claimed)
            self.sent.count(outcome.kind)
            # Where the next slot is free at once, its claim joins this outcome in one commit;
            # where it must wait, the outcome is not kept waiting with it.
            self._settled.append(Settled(claimed, outcome, machine_clock()))
            self._news.set()

    async def _send(self, slot: Slot, claimed: Claimed) -> Outcome:
        """Send, unless this process slept so long that its claim may have been given up for dead."""
        if machine_clock() - claimed.claimed_at > self.lease.lease / 2:
            return Outcome(OutcomeKind.RETRY_AFTER, "stalled_before_sending")
        try:
            return await slot.send(claimed.prepared)
        except ValueError:
            # A channel takes only what its builder makes; nothing of this has left.
            log.exception("a message was not fit for its channel")
            return Outcome(OutcomeKind.REFUSED_US, "unfit_for_channel")
        except BaseException as error:
            # Broken off in the middle of a hand-over: nobody knows, so a person must find out.
            word = "cancelled" if isinstance(error, asyncio.CancelledError) else "broken_off"
            self._settled.append(Settled(claimed, Outcome(OutcomeKind.IN_DOUBT, word), machine_clock()))
            raise

    async def _next(self) -> Claimed | None:
        answer: asyncio.Future[Claimed | None] = asyncio.get_running_loop().create_future()
        self._wishes.append(answer)
        self._news.set()
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                self._give_back(answer.result())
            raise

    def _give_back(self, claimed: Claimed | None) -> None:
        """Return a claim that no slot took: nothing of it has left, so it is ready again."""
        if claimed is not None:
            released = Outcome(OutcomeKind.RETRY_AFTER, "not_handed_over")
            self._settled.append(Settled(claimed, released, machine_clock()))
            self._news.set()

    async def _feed(self) -> None:
        """Answer wishes together: whatever came in while the last commit ran shares the next one."""
        took = 0.0
        while not (self._closing and not self._wishes and not self._settled):
            await self._news.wait()
            await self._gather_more(took / 2)
            self._news.clear()
            wishes, self._wishes = self._wishes, []
            settled, self._settled = self._settled, []
            if not wishes and not settled:
                continue
            began = time.perf_counter()
            try:
                turned = await self._turn(settled, len(wishes))
                took = time.perf_counter() - began
            except Exception as error:  # noqa: BLE001 - handed to every slot that waits for this turn
                log.error("a turn of the ledger failed: %s", type(error).__name__)  # noqa: TRY400
                if not self._closing:
                    self._settled = settled + self._settled
                for wish in wishes:
                    if not wish.done():
                        wish.set_exception(error)
                continue
            self.sent.passed_over += turned.passed_over
            claimed = iter(turned.claimed)
            for wish in wishes:
                if not wish.done():
                    wish.set_result(next(claimed, None))
            for left in claimed:
                self._give_back(left)

    async def _gather_more(self, longest: float) -> None:
        """Let hand-overs that are about to end join this commit, for at most half of what a commit takes.

        With a fast relay one commit then serves every slot; with a slow one the wait is lost in its replies.
        """
        deadline = time.perf_counter() + longest
        while len(self._wishes) < self._working and (left := deadline - time.perf_counter()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                return

    async def _turn(self, settled: list[Settled], places: int) -> Turned:
        """Settle and claim; empties `settled` once it is committed, so that no outcome is told twice."""
        kind = self.channel.kind.value
        whole = Turned([])
        while True:
            worker_id = self.lease.worker_id
            work = partial(self._ledger_turn, worker_id, tuple(settled), kind, places - len(whole.claimed))
            try:
                part = await self.store.write(work)
            except LeaseLost:
                log.warning("this worker had been declared dead; it registers anew")
                await self.lease.register()
                continue
            except Exception as error:
                if not whole.claimed:
                    raise
                # What is claimed already must be sent; the next turn meets the error again.
                log.warning("a second claim of one turn failed: %s", type(error).__name__)
                return whole
            settled.clear()
            whole.claimed += part.claimed
            whole.passed_over += part.passed_over
            if not part.passed_over or len(whole.claimed) >= places:
                return whole
            # What was stale or late has taken places; there may be good ones behind it, else slots would end.

    def _ledger_turn(
        self, worker_id: str, settled: Sequence[Settled], kind: str, places: int, conn: Connection
    ) -> Turned:
        return ledger.turn(conn, worker_id, settled, kind, places, self.clock(), machine_clock())

    def _abandon(self, conn: Connection) -> None:
        """Put in doubt what a turn claimed and could not tell, as when its commit was lost on the way."""
        lost = workers.abandon(conn, self.lease.worker_id, self.channel.kind.value, self.clock())
        self.lease.in_doubt += lost
