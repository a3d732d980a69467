"""Channels and a planner that tell how far they are while a tick runs, and channels that close their door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from channels.kinds import Kind
from channels.protocol import Channel, Outcome, Prepared, Slot
from outreach.planning.batch import Decided
from outreach.planning.facts import UnitFacts
from outreach.planning.plan import Planner
from outreach.schedule.pulse import Pulse


@runtime_checkable
class HasBreaker(Protocol):
    """A channel that stops offering while its other side is in trouble."""

    @property
    def open_for(self) -> timedelta:
        """How long the breaker stays open; zero while it is closed."""
        ...


class WatchedChannel:
    """A channel whose hand-overs are counted as they happen, and that lends no slot once its door is closed."""

    def __init__(self, channel: Channel, pulse: Pulse) -> None:
        self._channel = channel
        self._pulse = pulse
        self._closed = False
        self._waiting: set[asyncio.Timeout] = set()

    @property
    def kind(self) -> Kind:
        """The kind of channel this carries."""
        return self._channel.kind

    @property
    def places(self) -> int:
        """How many slots may be open at once."""
        return self._channel.places

    @property
    def breaker_open(self) -> bool:
        """Whether the channel holds back because the other side is in trouble."""
        return isinstance(self._channel, HasBreaker) and self._channel.open_for > timedelta(0)

    def slot(self) -> AbstractAsyncContextManager[Slot]:
        """Wait for a slot of the channel; TimeoutError once the door is closed."""
        return self._slot()

    def close_door(self) -> None:
        """Lend no more slots, also to those who wait; slots that are lent finish what they began."""
        self._closed = True
        for limit in self._waiting:
            limit.reschedule(0)

    async def aclose(self) -> None:
        """Close the channel."""
        await self._channel.aclose()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        if self._closed:
            # What the dispatcher knows as "no slot in time": it goes without claiming anything.
            raise TimeoutError
        async with AsyncExitStack() as held:
            async with asyncio.timeout(None) as limit:
                self._waiting.add(limit)
                try:
                    slot = await held.enter_async_context(self._channel.slot())
                finally:
                    self._waiting.discard(limit)
            yield _WatchedSlot(slot, self.kind.value, self._pulse)


@dataclass(frozen=True, slots=True)
class _WatchedSlot:
    slot: Slot
    channel: str
    pulse: Pulse

    async def send(self, prepared: Prepared) -> Outcome:
        """Hand over and count what became of it."""
        outcome = await self.slot.send(prepared)
        self.pulse.handed_over(self.channel, outcome.kind.value)
        return outcome


@dataclass(frozen=True)
class WatchedPlanner(Planner):
    """A planner that tells of every batch."""

    progressed: Callable[[], None] = lambda: None

    def decide_all(self, units: list[UnitFacts], now: datetime) -> list[Decided]:
        """Decide about a batch, after telling that there is one."""
        self.progressed()
        return super().decide_all(units, now)


def watched(planner: Planner, pulse: Pulse) -> WatchedPlanner:
    """Return this planner, telling the pulse of its progress."""
    same = {field.name: getattr(planner, field.name) for field in fields(planner)}
    return WatchedPlanner(**same, progressed=pulse.progressed)
