from __future__ import annotations

from channels.email.pace import Breaker, Throttle


def test_there_is_no_limit_until_the_relay_first_complains() -> None:
    """After it, half of what we really did is offered, evenly spread."""
    throttle = Throttle()
    assert [throttle.take(now / 20) for now in range(41)] == [0.0] * 41
    throttle.complained(2.0)
    assert throttle.rate is not None
    assert 9.0 <= throttle.rate <= 11.0
    first, second = throttle.take(2.0), throttle.take(2.0)
    assert first > 0
    assert abs(second - first - 1 / throttle.rate) < 1e-9


def test_a_complaint_heard_on_all_connections_counts_once_a_second() -> None:
    """Eight connections hear one complaint; a later one halves again, down to a floor."""
    throttle = Throttle(ceiling=16.0)
    for now in range(20):
        throttle.take(now / 16)
    for _ in range(8):
        throttle.complained(2.0)
    once = throttle.rate
    throttle.complained(3.5)
    assert once is not None
    assert throttle.rate is not None
    assert 4.0 <= once <= 8.0
    assert throttle.rate <= once / 2
    for now in range(5, 50):
        throttle.complained(float(now))
    assert throttle.rate == 0.1


def test_the_rate_grows_back_slowly_to_where_it_was_set_or_without_limit() -> None:
    """One step per accepted mail; a set rate is never passed, and an own limit ends."""
    for throttle in (Throttle(ceiling=10.0), Throttle()):
        throttle.take(0.0)
        throttle.complained(0.0)
        before = throttle.rate
        throttle.went_well()
        assert before is not None
        assert throttle.rate is not None
        assert before < throttle.rate <= before + 0.5
        for _ in range(1000):
            throttle.went_well()
        assert throttle.rate in (10.0, None)
    assert throttle.rate is None


def test_a_set_rate_spreads_mails_from_the_start() -> None:
    """The first goes at once, the others each one interval later."""
    throttle = Throttle(ceiling=4.0)
    assert [throttle.take(100.0) for _ in range(3)] == [0.0, 0.25, 0.5]
    assert throttle.take(200.0) == 0.0


def test_a_breaker_opens_for_a_pause_that_doubles_up_to_a_longest() -> None:
    """Only probes lengthen it: eight connections that fail together are one failure."""
    breaker = Breaker(first=5.0, longest=15.0)
    assert breaker.admit(0.0) == 0.0
    for _ in range(8):
        breaker.failed(0.0, was_probe=False)
    assert breaker.open_until == 5.0
    now = 0.0
    for pause in (10.0, 15.0, 15.0):
        assert breaker.open_until is not None
        now = breaker.open_until
        assert breaker.admit(now) == 0.0
        breaker.failed(now, was_probe=True)
        assert breaker.open_until == now + pause


def test_after_the_pause_one_tries_and_the_others_wait_for_it() -> None:
    """A probe that is never heard of again leaves the next turn to another."""
    breaker = Breaker(first=5.0)
    breaker.failed(0.0, was_probe=False)
    assert breaker.admit(1.0) == 4.0
    assert breaker.admit(5.0) == 0.0
    assert breaker.admit(5.0) == 5.0
    assert breaker.admit(10.0) == 0.0
    assert breaker.succeeded()
    assert breaker.admit(10.0) == breaker.admit(10.0) == 0.0
    assert not breaker.succeeded()
    breaker.failed(20.0, was_probe=False)
    assert breaker.open_until == 25.0
