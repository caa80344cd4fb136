from __future__ import annotations

from datetime import UTC, timedelta

from gateway.transport import Scope, SystemClock
from tests.fakes import FakeClock


def test_a_scope_counts_down_to_its_deadline_and_past_it() -> None:
    clock = FakeClock()
    scope = Scope(request_id="r", deadline=clock.monotonic() + 10)
    assert scope.seconds_left(clock) == 10
    clock.advance(12.5)
    assert scope.seconds_left(clock) == -2.5


def test_the_clock_of_the_machine_tells_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.now() - clock.now() <= timedelta(0)
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)
