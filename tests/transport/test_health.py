from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.transport import Health
from gateway.transport.health import HealthLog
from tests.fakes import FakeClock


def health_after(calls: str) -> Health:
    """Note calls in order: `+` answered, `-` not."""
    log = HealthLog(FakeClock().now)
    for call in calls:
        log.note(answered=call == "+")
    return log.health


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("", Health.NOT_CHECKED),
        ("+", Health.UP),
        ("-", Health.DOWN),
        ("+-", Health.DOWN),
        ("++-", Health.DEGRADED),
        ("+" * 11 + "-" * 9, Health.DEGRADED),
        ("+" * 10 + "-" * 10, Health.DOWN),
    ],
)
def test_health_is_down_from_half_of_the_calls_unanswered_and_degraded_below(calls: str, expected: Health) -> None:
    assert health_after(calls) == expected


def test_health_forgets_all_but_the_last_twenty_calls() -> None:
    assert health_after("-" * 100 + "+" * 19) == Health.DEGRADED
    assert health_after("-" * 100 + "+" * 20) == Health.UP


def test_health_is_dated_from_the_call_that_changed_it() -> None:
    clock = FakeClock()
    log = HealthLog(clock.now)
    assert log.since is None

    log.note(answered=True)
    clock.advance(10)
    log.note(answered=True)
    up_since = log.since
    clock.advance(10)
    log.note(answered=False)

    assert up_since == clock.now() - timedelta(seconds=20)
    assert log.since == clock.now()
