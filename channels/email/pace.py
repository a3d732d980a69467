"""How fast a relay is offered mail: a throttle that listens to it, and a breaker that leaves it alone. Pure.

Times are seconds of one monotonic clock that the caller reads.
"""

from __future__ import annotations

_SLOWEST = 0.1
"""Mails per second below which throttling never goes: one in ten seconds still shows when it is over."""
_GROWTH = 0.5
"""Mails per second by which the rate grows each second that goes well."""
_CALM = 1.0
"""Seconds in which several complaints count as one: all connections hear the same one."""


class Throttle:
    """Additive increase, multiplicative decrease of the mails per second.

    Without `ceiling` there is no limit until the relay first complains, and none again once the rate has
    grown past twice what it was then.
    """

    __slots__ = ("_before", "_ceiling", "_complained_at", "_count", "_next_at", "_seen", "_window_at", "rate")

    def __init__(self, ceiling: float | None = None) -> None:
        self._ceiling = ceiling
        self.rate = ceiling
        self._next_at = 0.0
        self._complained_at = float("-inf")
        self._before = 0.0
        self._window_at = float("-inf")
        self._count = 0
        self._seen = 0.0

    def take(self, now: float) -> float:
        """Take a token; returns the seconds to wait before it may be used."""
        passed = now - self._window_at
        if passed >= 1.0:
            self._seen = self._count / passed if passed < 10.0 else 0.0
            self._window_at = now
            self._count = 0
        self._count += 1
        if self.rate is None:
            return 0.0
        use_at = max(now, self._next_at)
        self._next_at = use_at + 1.0 / self.rate
        return use_at - now

    def complained(self, now: float) -> None:
        """The relay asked to slow down: halve what we really did, at most once a second."""
        if now - self._complained_at < _CALM:
            return
        self._complained_at = now
        observed = max(self._seen, float(self._count))
        current = observed if self.rate is None else min(self.rate, observed)
        if self.rate is None:
            self._before = observed
        self.rate = max(_SLOWEST, current / 2)
        self._next_at = now + 1.0 / self.rate

    def went_well(self) -> None:
        """A mail was accepted: grow back slowly."""
        if self.rate is None or self.rate == self._ceiling:
            return
        self.rate += _GROWTH / max(self.rate, 1.0)
        if self._ceiling is not None:
            self.rate = min(self.rate, self._ceiling)
        elif self.rate > 2 * max(self._before, 1.0):
            self.rate = None


class Breaker:
    """Opens after a failure that concerns every mail, for a pause that doubles; then one may try.

    A failure that belongs to one recipient is never told to it.
    """

    __slots__ = ("_first", "_longest", "_pause", "open_until")

    def __init__(self, first: float = 5.0, longest: float = 300.0) -> None:
        self._first = first
        self._longest = longest
        self._pause = 0.0
        self.open_until: float | None = None

    def admit(self, now: float) -> float:
        """Seconds to wait before asking again; 0 lets the caller through.

        The one that is let through after a pause reserves the next pause for itself: if it is never heard of
        again, the following one gets its turn then.
        """
        if self.open_until is None:
            return 0.0
        if now < self.open_until:
            return self.open_until - now
        self.open_until = now + self._pause
        return 0.0

    def failed(self, now: float, *, was_probe: bool) -> None:
        """Note a failure of the relay or of our log-in; only the first and probes lengthen the pause."""
        if self.open_until is not None and not was_probe:
            return
        self._pause = min(self._longest, self._pause * 2) if self._pause else self._first
        self.open_until = now + self._pause

    def succeeded(self) -> bool:
        """Note that the relay works; True when this closes the breaker."""
        closes = self.open_until is not None
        self.open_until = None
        self._pause = 0.0
        return closes
