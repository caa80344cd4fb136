"""The gate's laws, against a list of all closings and callers with their times, and its edges by name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.transport.gate import Gate, GateClosed
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


class Sleeper:
    """Sleeps on the fake clock: whoever sleeps goes on when `advance` has reached the time."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.sleeping: list[tuple[float, asyncio.Future[None]]] = []

    async def __call__(self, seconds: float) -> None:
        entry = (self._clock.monotonic() + seconds, asyncio.get_running_loop().create_future())
        self.sleeping.append(entry)
        try:
            await entry[1]
        finally:
            self.sleeping.remove(entry)

    async def advance(self, seconds: float) -> None:
        self._clock.advance(seconds)
        for until, future in self.sleeping:
            if until <= self._clock.monotonic() and not future.done():
                future.set_result(None)
        await settle()


async def settle() -> None:
    """Let every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def make_gate() -> tuple[Gate, Sleeper, FakeClock]:
    clock = FakeClock()
    sleeper = Sleeper(clock)
    return Gate(clock, sleeper), sleeper, clock


async def test_an_open_gate_holds_nobody_not_even_who_has_no_time_left() -> None:
    gate, sleeper, _ = make_gate()
    await gate.passed(10)
    await gate.passed(0)
    assert (gate.seconds_left, sleeper.sleeping) == (0, [])


async def test_who_has_the_time_waits_until_it_opens() -> None:
    gate, sleeper, _ = make_gate()
    gate.close(5)
    callers = [asyncio.create_task(gate.passed(6)) for _ in range(3)]
    await settle()
    await sleeper.advance(4.5)
    assert [caller.done() for caller in callers] == [False] * 3
    await sleeper.advance(0.5)
    assert [caller.done() for caller in callers] == [True] * 3
    await asyncio.gather(*callers)


@pytest.mark.parametrize("seconds_left", [5, 4, 0, -1])
async def test_who_would_have_nothing_left_is_told_the_wait_at_once(seconds_left: float) -> None:
    gate, sleeper, _ = make_gate()
    gate.close(5)
    with pytest.raises(GateClosed) as raised:
        await gate.passed(seconds_left)
    assert (raised.value.seconds, sleeper.sleeping) == (5, [])


@pytest.mark.parametrize("seconds", [0, -3, float("nan")])
async def test_no_wait_and_a_date_in_the_past_close_nothing(seconds: float) -> None:
    gate, _, _ = make_gate()
    gate.close(seconds)
    assert gate.seconds_left == 0


async def test_closing_again_only_ever_extends() -> None:
    gate, _, clock = make_gate()
    gate.close(5)
    gate.close(2)
    assert gate.seconds_left == 5
    clock.advance(1)
    gate.close(5)
    assert gate.seconds_left == 5
    clock.advance(6)
    assert gate.seconds_left == 0


async def test_no_upstream_closes_it_for_more_than_an_hour() -> None:
    gate, _, _ = make_gate()
    gate.close(1e9)
    assert gate.seconds_left == 3600


async def test_who_waits_while_it_is_closed_for_longer_waits_on_if_there_is_time() -> None:
    gate, sleeper, _ = make_gate()
    gate.close(2)
    patient, hurried = asyncio.create_task(gate.passed(9)), asyncio.create_task(gate.passed(6))
    await settle()
    await sleeper.advance(1)
    gate.close(5)
    await sleeper.advance(1)
    with pytest.raises(GateClosed) as raised:
        await hurried
    assert (raised.value.seconds, patient.done()) == (4, False)
    await sleeper.advance(4)
    await patient


async def test_who_leaves_leaves_nothing_behind_and_the_others_pass() -> None:
    gate, sleeper, _ = make_gate()
    gate.close(2)
    leaver, stayer = asyncio.create_task(gate.passed(9)), asyncio.create_task(gate.passed(9))
    await settle()
    leaver.cancel()
    await settle()
    assert (leaver.cancelled(), len(sleeper.sleeping)) == (True, 1)
    await sleeper.advance(2)
    await stayer
    assert sleeper.sleeping == []


@dataclass
class Caller:
    """A caller in the model: until when it has time, and when it looks at the gate next."""

    task: asyncio.Task[None]
    deadline: float
    looks_at: float


class GateLaws(RuleBasedStateMachine):
    """The model keeps all closings as `(time, seconds)`; times are halves of seconds, so nothing is rounded."""

    @initialize()
    def make(self) -> None:
        self.runner = asyncio.Runner()
        self.gate, self.sleeper, self.clock = make_gate()
        self.closings: list[tuple[float, float]] = []
        self.waiting: list[Caller] = []

    def opens_at(self) -> float:
        return max((time + seconds for time, seconds in self.closings if seconds > 0), default=0)

    def is_open(self) -> bool:
        return self.opens_at() <= self.clock.monotonic()

    @rule(halves=st.integers(-2, 20))
    def close(self, halves: int) -> None:
        self.gate.close(halves / 2)
        self.closings.append((self.clock.monotonic(), halves / 2))

    @rule(halves=st.integers(-1, 20))
    def arrive(self, halves: int) -> None:
        async def start() -> asyncio.Task[None]:
            task = asyncio.create_task(self.gate.passed(halves / 2))
            await settle()
            return task

        caller = Caller(self.runner.run(start()), self.clock.monotonic() + halves / 2, self.opens_at())
        if not self.has_ended(caller):
            self.waiting.append(caller)

    def has_ended(self, caller: Caller) -> bool:
        """Check what became of a caller that looks at the gate now."""
        failure = caller.task.exception() if caller.task.done() else None
        if self.is_open():
            assert (caller.task.done(), failure) == (True, None)
        elif self.opens_at() >= caller.deadline:
            assert isinstance(failure, GateClosed)
            assert failure.seconds == self.opens_at() - self.clock.monotonic()
        else:
            assert not caller.task.done()
        caller.looks_at = self.opens_at()
        return caller.task.done()

    @rule(halves=st.integers(1, 12))
    def wait(self, halves: int) -> None:
        self.runner.run(self.sleeper.advance(halves / 2))
        looking = [caller for caller in self.waiting if caller.looks_at <= self.clock.monotonic()]
        ended = [caller for caller in looking if self.has_ended(caller)]
        self.waiting = [caller for caller in self.waiting if caller not in ended]

    @precondition(lambda self: self.waiting)
    @rule(number=st.integers(0))
    def leave(self, number: int) -> None:
        async def cancel(task: asyncio.Task[None]) -> None:
            task.cancel()
            await settle()
            assert task.cancelled()

        self.runner.run(cancel(self.waiting.pop(number % len(self.waiting)).task))

    @invariant()
    def it_is_closed_as_long_as_the_longest_asked_for(self) -> None:
        assert self.gate.seconds_left == max(0, self.opens_at() - self.clock.monotonic())

    @invariant()
    def nobody_waits_at_an_open_gate_and_nobody_is_forgotten(self) -> None:
        assert not (self.waiting and self.is_open())
        assert len(self.sleeper.sleeping) == len(self.waiting)
        assert not any(caller.task.done() for caller in self.waiting)

    def teardown(self) -> None:
        self.runner.close()


TestGateLaws = GateLaws.TestCase
