from __future__ import annotations

import pytest

from gateway.transport import Health
from gateway.transport.health import HealthLog


def health_after(calls: str) -> Health:
    """Note calls in order: `+` answered, `-` not."""
    log = HealthLog()
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
