"""How long calls took, of the last of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.transport.latency import REMEMBERED, LatencyLog
from tests.fakes import FakeClock


def noted(clock: FakeClock, *seconds: float) -> LatencyLog:
    """Make calls that take so long, one after the other."""
    log = LatencyLog(clock)
    for each in seconds:
        began_at = clock.monotonic()
        clock.advance(each)
        log.note(began_at)
    return log


def test_before_the_first_call_there_is_nothing_to_say() -> None:
    assert noted(FakeClock()).latency is None


@pytest.mark.parametrize(
    ("seconds", "p50", "p95"),
    [
        ([4.0], 4.0, 4.0),
        ([1.0, 2.0], 1.0, 2.0),
        ([3.0, 1.0, 2.0], 2.0, 3.0),
        ([float(number) for number in range(1, 21)], 10.0, 19.0),
        ([float(number) for number in range(100, 0, -1)], 50.0, 95.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(seconds: list[float], p50: float, p95: float) -> None:
    latency = noted(FakeClock(), *seconds).latency

    assert latency is not None
    assert (latency.calls, latency.p50_seconds, latency.p95_seconds) == (len(seconds), p50, p95)


def test_only_the_last_calls_count() -> None:
    latency = noted(FakeClock(), *[9.0] * 5, *[1.0] * REMEMBERED).latency

    assert latency is not None
    assert (latency.calls, latency.p50_seconds, latency.p95_seconds) == (200, 1.0, 1.0)


def test_the_last_call_ended_when_it_ended() -> None:
    clock = FakeClock()
    log = noted(clock, 1.0, 2.0)
    ended_at = clock.now()
    clock.advance(3600)

    assert log.latency is not None
    assert abs(log.latency.last_at - ended_at) < timedelta(milliseconds=1)
