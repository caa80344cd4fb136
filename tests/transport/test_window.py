from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.window import SLICE_SECONDS, RollingCount
from tests.fakes import FakeClock


def test_a_count_has_what_happened_in_the_last_ten_seconds() -> None:
    clock = FakeClock()
    count = RollingCount(clock)
    count.add()
    clock.advance(5)
    count.add()
    count.add()
    assert count.total == 3

    clock.advance(4.5)
    assert count.total == 3
    clock.advance(0.5)
    assert count.total == 2
    clock.advance(5)
    assert count.total == 0


def test_a_count_that_was_cleared_starts_again() -> None:
    count = RollingCount(FakeClock())
    count.add()
    count.clear()
    count.add()
    assert count.total == 1


@given(pauses=st.lists(st.floats(0, 4)), seconds=st.sampled_from([0.5, 3.0, 10.0, 10.5]))
def test_nothing_as_old_as_the_window_counts_and_everything_half_a_second_younger_does(pauses: list[float], seconds: float) -> None:
    clock = FakeClock()
    count = RollingCount(clock, seconds)
    times = []
    for pause in pauses:
        clock.advance(pause)
        times.append(clock.monotonic())
        count.add()

        now = clock.monotonic()
        at_least = sum(now - time <= seconds - SLICE_SECONDS for time in times)
        at_most = sum(now - time < seconds for time in times)
        assert at_least <= count.total <= at_most


def test_a_count_keeps_as_much_after_many_as_after_few() -> None:
    clock = FakeClock()
    count = RollingCount(clock)
    for _ in range(20_000):
        clock.advance(0.01)
        count.add()

    assert len(count._slices) <= 20  # noqa: SLF001  (what is kept shows nowhere else)
    assert 950 <= count.total <= 1000
