from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.transport.pace import Pace, Paces
from tests.fakes import FakeClock


def make_pace(*seconds: float) -> tuple[Pace, FakeClock]:
    """Make a pace by which requests were made that long after the one before."""
    clock = FakeClock()
    pace = Pace(clock)
    for passed in seconds:
        clock.advance(passed)
        pace.take()
    return pace, clock


def test_three_requests_may_be_made_at_once() -> None:
    assert [make_pace(*[0.0] * made)[0].seconds_to_wait() for made in range(3)] == [0, 0, 0]


def test_a_fourth_waits_until_the_first_is_a_minute_old() -> None:
    pace, clock = make_pace(0, 20, 1)
    assert pace.seconds_to_wait() == 39
    clock.advance(38.75)
    assert pace.seconds_to_wait() == 0.25
    clock.advance(0.25)
    assert pace.seconds_to_wait() == 0
    pace.take()
    assert pace.seconds_to_wait() == 20


def test_a_request_that_leaves_one_waits_for_the_last_but_one() -> None:
    assert make_pace(0)[0].seconds_to_wait(spare=1) == 0
    assert make_pace(0, 10)[0].seconds_to_wait(spare=1) == 50
    assert make_pace(0, 10, 10)[0].seconds_to_wait(spare=1) == 50


def test_while_it_is_held_no_request_may_be_made() -> None:
    pace, clock = make_pace()
    pace.hold(20)
    assert (pace.seconds_to_wait(), pace.seconds_to_wait(spare=1)) == (20, 20)
    clock.advance(20)
    assert pace.seconds_to_wait() == 0


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    pace, _ = make_pace()
    pace.hold(20)
    pace.hold(5)
    assert pace.seconds_to_wait() == 20


def test_the_longer_of_hold_and_minute_counts() -> None:
    pace, _ = make_pace(0, 0, 0)
    pace.hold(20)
    assert pace.seconds_to_wait() == 60
    pace.hold(90)
    assert pace.seconds_to_wait() == 90


def test_a_hold_of_years_ends_after_an_hour() -> None:
    pace, _ = make_pace()
    pace.hold(999_999_999)
    assert pace.seconds_to_wait() == 3600


def test_an_endpoint_has_one_pace_and_another_endpoint_another() -> None:
    paces = Paces(FakeClock())
    assert paces.of("https://a.example/token") is paces.of("https://a.example/token")
    assert paces.of("https://a.example/token") is not paces.of("https://b.example/token")


class PaceOfAMinute(RuleBasedStateMachine):
    """Against a plain list of when requests were made and until when each hold lasts."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.pace = Pace(self.clock)
        self.made: list[float] = []
        self.holds: list[float] = []

    @rule(eighths=st.integers(0, 800))
    def time_passes(self, eighths: int) -> None:
        self.clock.advance(eighths / 8)

    @rule(spare=st.integers(0, 2))
    def a_request_is_made_if_it_may(self, spare: int) -> None:
        if self.pace.seconds_to_wait(spare=spare) == 0:
            self.pace.take()
            self.made.append(self.clock.monotonic())

    @rule(eighths=st.integers(0, 800))
    def the_endpoint_asks_not_to_be_asked(self, eighths: int) -> None:
        self.pace.hold(eighths / 8)
        self.holds.append(self.clock.monotonic() + eighths / 8)

    @invariant()
    def no_minute_has_more_than_three(self) -> None:
        assert all(later - earlier >= 60 for earlier, later in zip(self.made, self.made[3:], strict=False))

    @invariant()
    def nobody_waits_longer_than_needed(self) -> None:
        now = self.clock.monotonic()
        for spare in range(3):
            until = max([now, *self.holds, *([self.made[spare - 3] + 60] if len(self.made) + spare >= 3 else [])])
            assert self.pace.seconds_to_wait(spare=spare) == until - now


TestPaceOfAMinute = PaceOfAMinute.TestCase
