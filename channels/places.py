"""A number of places, each lent for one message: the slots of channels that need no connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from channels.protocol import Outcome, Prepared, Slot


class Places:
    """At most `count` slots at once, each of which hands one message to `hand_over`."""

    def __init__(self, count: int, hand_over: Callable[[Prepared], Awaitable[Outcome]]) -> None:
        """ValueError for fewer than one place."""
        if count < 1:
            raise ValueError("places: expected at least 1")
        self.count = count
        self._hand_over = hand_over
        self._room = asyncio.Semaphore(count)
        self._closed = False

    def slot(self) -> AbstractAsyncContextManager[Slot]:
        """Wait for a free place; RuntimeError after `close`."""
        return self._slot()

    def close(self) -> None:
        """Lend no more places."""
        self._closed = True

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        if self._closed:
            raise RuntimeError("the channel has been closed")
        async with self._room:
            yield _Place(self._hand_over)


class _Place:
    __slots__ = ("_hand_over", "_used")

    def __init__(self, hand_over: Callable[[Prepared], Awaitable[Outcome]]) -> None:
        self._hand_over = hand_over
        self._used = False

    async def send(self, prepared: Prepared) -> Outcome:
        """Hand over one message; RuntimeError the second time."""
        if self._used:
            raise RuntimeError("a slot is for one message")
        self._used = True
        return await self._hand_over(prepared)
