"""The breaker's laws, against a log of all that happened, and its edges by name."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.transport.breaker import PROBE_SECONDS, Breaker, BreakerOpen, Permit
from tests.fakes import FakeClock

HOWS = ("succeeded", "failed", "abandoned")


def end(permit: Permit, how: str) -> None:
    match how:
        case "succeeded":
            permit.succeeded()
        case "failed":
            permit.failed()
        case _:
            permit.abandoned()


def call(breaker: Breaker, outcomes: str) -> None:
    """Make calls, one after the other: `+` goes well, `-` fails, `.` is abandoned."""
    for outcome in outcomes:
        end(breaker.admit(), {"+": "succeeded", "-": "failed", ".": "abandoned"}[outcome])


def refusal(breaker: Breaker) -> float:
    with pytest.raises(BreakerOpen) as raised:
        breaker.admit()
    return raised.value.seconds_until_probe


def opened(clock: FakeClock, *, open_seconds: float = 5) -> Breaker:
    breaker = Breaker(clock, calls=2, open_seconds=open_seconds)
    call(breaker, "--")
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "is_open"),
    [
        ("", False),
        ("-" * 19, False),
        ("-" * 20, True),
        ("+" * 11 + "-" * 9, False),
        ("+" * 10 + "-" * 10, True),
        ("-" * 10 + "+" * 10, True),
        ("-" * 19 + "." * 100, False),
    ],
)
def test_it_opens_when_half_of_at_least_twenty_calls_failed(outcomes: str, *, is_open: bool) -> None:
    breaker = Breaker(FakeClock())
    call(breaker, outcomes)
    assert breaker.is_open is is_open


def test_failures_older_than_the_window_do_not_open_it() -> None:
    clock = FakeClock()
    breaker = Breaker(clock)
    call(breaker, "-" * 19)
    clock.advance(10)
    call(breaker, "-")
    assert not breaker.is_open


def test_while_open_it_refuses_and_says_how_long() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    assert refusal(breaker) == 5
    clock.advance(4.5)
    assert refusal(breaker) == 0.5
    assert breaker.seconds_until_probe == 0.5


def test_when_the_time_is_over_one_probe_passes_and_the_others_are_refused_for_a_second() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(5)
    assert (breaker.is_open, breaker.seconds_until_probe) == (True, 0)
    breaker.admit()
    assert refusal(breaker) == PROBE_SECONDS == 1


def test_a_good_probe_closes_it_with_an_empty_window() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(5)
    call(breaker, "+")
    assert (breaker.is_open, breaker.seconds_until_probe) == (False, 0)
    call(breaker, "-")
    assert not breaker.is_open
    call(breaker, "-")
    assert breaker.is_open


def test_what_went_well_before_an_opening_does_not_count_after_it() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, calls=4, open_seconds=1)
    call(breaker, "++--")
    clock.advance(1)
    call(breaker, "+")
    call(breaker, "---")
    assert not breaker.is_open
    call(breaker, "-")
    assert breaker.is_open


def test_each_failed_probe_doubles_the_time_up_to_a_minute() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    waits = []
    for _ in range(6):
        clock.advance(breaker.seconds_until_probe)
        call(breaker, "-")
        waits.append(breaker.seconds_until_probe)
    assert waits == [10, 20, 40, 60, 60, 60]


def test_a_time_longer_than_a_minute_is_kept_and_not_doubled() -> None:
    clock = FakeClock()
    breaker = opened(clock, open_seconds=90)
    clock.advance(90)
    call(breaker, "-")
    assert breaker.seconds_until_probe == 90


@pytest.mark.parametrize(("seconds_closed", "expected"), [(9.5, 10), (10, 5)])
def test_the_time_is_the_first_again_when_it_stayed_closed_for_a_window(seconds_closed: float, expected: float) -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(5)
    call(breaker, "-")
    clock.advance(10)
    call(breaker, "+")
    clock.advance(seconds_closed)
    call(breaker, "--")
    assert breaker.seconds_until_probe == expected


def test_a_probe_that_was_abandoned_gives_its_place_to_the_next() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(5)
    call(breaker, ".")
    assert (breaker.is_open, breaker.seconds_until_probe) == (True, 0)
    breaker.admit()
    assert refusal(breaker) == 1


@pytest.mark.parametrize("how", HOWS)
def test_a_call_from_before_the_opening_neither_closes_it_nor_opens_it_for_longer(how: str) -> None:
    clock = FakeClock()
    breaker = Breaker(clock, calls=1)
    late = [breaker.admit() for _ in range(3)]
    call(breaker, "-")
    clock.advance(1)
    end(late[0], how)
    assert breaker.seconds_until_probe == 4

    clock.advance(4)
    probe = breaker.admit()
    end(late[1], how)
    assert refusal(breaker) == 1

    probe.succeeded()
    end(late[2], how)
    assert not breaker.is_open


@pytest.mark.parametrize("first", HOWS)
@pytest.mark.parametrize("second", HOWS)
def test_of_what_is_said_of_a_call_the_first_word_counts(first: str, second: str) -> None:
    breaker = Breaker(FakeClock(), calls=1)
    permit = breaker.admit()
    end(permit, first)
    end(permit, second)
    assert breaker.is_open is (first == "failed")


@dataclass
class Call:
    """A call in the model: which permit, and how many openings the log had when it was admitted."""

    permit: Permit
    openings: int
    is_probe: bool


class BreakerLaws(RuleBasedStateMachine):
    """The model keeps a log of `(time, what)` and reads everything off it; times are whole slices, so the window is exact."""

    @initialize(calls=st.integers(1, 6), percent=st.sampled_from([1, 34, 50, 100]), open_seconds=st.sampled_from([0.5, 5, 25, 100]))
    def make(self, calls: int, percent: int, open_seconds: float) -> None:
        self.clock = FakeClock()
        self.calls, self.percent, self.open_seconds = calls, percent, open_seconds
        self.breaker = Breaker(self.clock, calls=calls, failure_percent=percent, open_seconds=open_seconds)
        self.log: list[tuple[float, str]] = []
        self.running: list[Call] = []
        self.ended: list[Call] = []

    def note(self, what: str) -> None:
        self.log.append((self.clock.monotonic(), what))

    def openings(self) -> int:
        return sum(what in {"opened", "probe failed"} for _, what in self.log)

    def opened_at(self) -> float | None:
        """When it opened, or opened again; None: it is closed."""
        at = None
        for time, what in self.log:
            at = time if what in {"opened", "probe failed"} else None if what == "closed" else at
        return at

    def open_time(self) -> float:
        """For how long the last opening is."""
        seconds, closed_at = self.open_seconds, self.log[0][0]
        for time, what in self.log:
            if what == "closed":
                closed_at = time
            elif what == "opened" and time - closed_at >= 10:
                seconds = self.open_seconds
            elif what == "probe failed":
                seconds = min(max(60, self.open_seconds), seconds * 2)
        return seconds

    def wait(self) -> float:
        opened_at = self.opened_at()
        return 0 if opened_at is None else max(0, opened_at + self.open_time() - self.clock.monotonic())

    def window(self) -> list[bool]:
        """Whether each of the calls that count failed: those of the last 10 s, after the last closing."""
        last_closing = max((number for number, (_, what) in enumerate(self.log) if what == "closed"), default=-1)
        recent = [what for time, what in self.log[last_closing + 1 :] if self.clock.monotonic() - time < 10]
        return [what == "failed" for what in recent if what in {"succeeded", "failed"}]

    @rule(halves=st.integers(1, 12))
    def wait_a_little(self, halves: int) -> None:
        self.clock.advance(halves / 2)

    @rule(seconds=st.sampled_from([10, 30, 60, 100]))
    def wait_long(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.breaker.is_open)
    @rule()
    def wait_for_the_probe(self) -> None:
        self.clock.advance(self.breaker.seconds_until_probe)

    @rule()
    def admit(self) -> None:
        is_closed = self.opened_at() is None
        if any(call.is_probe for call in self.running):
            assert refusal(self.breaker) == 1
        elif self.wait() > 0:
            assert refusal(self.breaker) == self.wait()
        else:
            self.running.append(Call(self.breaker.admit(), self.openings(), is_probe=not is_closed))

    @precondition(lambda self: self.running)
    @rule(number=st.integers(0), how=st.sampled_from([*HOWS, "failed"]))
    def end_one(self, number: int, how: str) -> None:
        call = self.running.pop(number % len(self.running))
        end(call.permit, how)
        self.ended.append(call)
        if how == "abandoned":
            return
        if call.is_probe:
            self.note("closed" if how == "succeeded" else "probe failed")
        elif call.openings == self.openings():
            self.note(how)
            self.open_if_enough_failed()

    def open_if_enough_failed(self) -> None:
        failed = self.window()
        if len(failed) >= self.calls and sum(failed) / len(failed) >= self.percent / 100:
            self.note("opened")

    @precondition(lambda self: self.ended)
    @rule(number=st.integers(0), how=st.sampled_from(HOWS))
    def say_again(self, number: int, how: str) -> None:
        end(self.ended[number % len(self.ended)].permit, how)

    @invariant()
    def it_is_open_as_the_log_says(self) -> None:
        assert self.breaker.is_open is (self.opened_at() is not None)
        assert self.breaker.seconds_until_probe == self.wait()

    @invariant()
    def at_most_one_probe_is_on_its_way(self) -> None:
        assert sum(call.is_probe for call in self.running) <= 1


TestBreakerLaws = BreakerLaws.TestCase
