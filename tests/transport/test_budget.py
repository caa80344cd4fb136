"""The budget's law, against a list of all successes and retries with their times, and its edges by name."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from gateway.transport.budget import RetryBudget
from tests.fakes import FakeClock


def taken(budget: RetryBudget) -> int:
    """Take until there is no more."""
    count = 0
    while budget.take():
        count += 1
    return count


@pytest.mark.parametrize(("successes", "retries"), [(0, 3), (30, 3), (39, 3), (40, 4), (49, 4), (1000, 100)])
def test_retries_are_a_tenth_of_the_successes_and_three_where_that_is_less(successes: int, retries: int) -> None:
    budget = RetryBudget(FakeClock())
    for _ in range(successes):
        budget.note_success()
    assert taken(budget) == retries


def test_a_budget_of_nothing_grants_nothing() -> None:
    budget = RetryBudget(FakeClock(), percent=0, floor=0)
    budget.note_success()
    assert taken(budget) == 0


def test_successes_older_than_ten_seconds_grant_nothing() -> None:
    clock = FakeClock()
    budget = RetryBudget(clock, percent=100, floor=1)
    for _ in range(5):
        budget.note_success()
    clock.advance(10)
    assert taken(budget) == 1


def test_retries_weigh_for_ten_seconds_and_a_slice_more_at_the_most() -> None:
    clock = FakeClock()
    budget = RetryBudget(clock)
    assert taken(budget) == 3
    clock.advance(10)
    assert taken(budget) == 0
    clock.advance(0.5)
    assert taken(budget) == 3


class BudgetLaw(RuleBasedStateMachine):
    """Whatever the times: never a retry too many, and none refused that half a second more or less would not explain."""

    @initialize(percent=st.sampled_from([0, 10, 33, 100]), floor=st.integers(0, 4))
    def make(self, percent: int, floor: int) -> None:
        self.clock = FakeClock()
        self.percent, self.floor = percent, floor
        self.budget = RetryBudget(self.clock, percent=percent, floor=floor)
        self.successes: list[float] = []
        self.retries: list[float] = []

    def within(self, times: list[float], seconds: float) -> int:
        return sum(self.clock.monotonic() - time < seconds for time in times)

    def allowed(self, successes: int) -> float:
        return max(self.floor, successes * self.percent / 100)

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(count=st.integers(1, 30))
    def succeed(self, count: int) -> None:
        for _ in range(count):
            self.budget.note_success()
            self.successes.append(self.clock.monotonic())

    @rule()
    def retry(self) -> None:
        if self.budget.take():
            self.retries.append(self.clock.monotonic())
            assert self.within(self.retries, 10) <= self.allowed(self.within(self.successes, 10))
        else:
            assert self.within(self.retries, 10.5) + 1 > self.allowed(self.within(self.successes, 9.5))


TestBudgetLaw = BudgetLaw.TestCase
