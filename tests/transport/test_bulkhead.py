from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.transport.bulkhead import FIRST_WAIT_SECONDS, Bulkhead, OutOfTime, QueueFull, WaitedTooLong
from tests.transport.stepping import FakeSleep, SteppedLoop


@asynccontextmanager
async def holding(
    bulkhead: Bulkhead, request: str, *, wait_seconds: float, first_wait_seconds: float = FIRST_WAIT_SECONDS
) -> AsyncIterator[None]:
    """Hold a slot, as the upstream does for a call."""
    if not bulkhead.take(request):
        await bulkhead.wait(request, first_wait_seconds=first_wait_seconds, wait_seconds=wait_seconds)
    try:
        yield
    finally:
        bulkhead.leave(request)


class Call:
    """One call, from the outside."""

    def __init__(self, stage: Stage, request: str, first_wait: float, wait: float) -> None:
        self.request = request
        self._stage = stage
        self._state = "waiting"
        self._answer = stage.loop.future()
        self._task = stage.loop.spawn(self._run(first_wait, wait))

    async def _run(self, first_wait: float, wait: float) -> None:
        try:
            async with holding(self._stage.bulkhead, self.request, first_wait_seconds=first_wait, wait_seconds=wait):
                self._state = "inside"
                self._stage.entered.append(self)
                await self._answer
            self._state = "left"
        except (QueueFull, WaitedTooLong, OutOfTime) as refusal:
            self._state = type(refusal).__name__

    @property
    def state(self) -> str:
        """`waiting`, `inside`, `left`, `cancelled`, or the name of its refusal."""
        return "cancelled" if self._task.cancelled() else self._state

    def leave(self) -> None:
        if not self._answer.done():
            self._answer.set_result(None)

    def cancel(self) -> None:
        self._task.cancel()


class Stage:
    """A bulkhead on a stepped loop, and all calls ever made."""

    def __init__(self, max_in_flight: int, max_queue: int) -> None:
        self.loop = SteppedLoop()
        self.sleep = FakeSleep()
        self.bulkhead = Bulkhead(max_in_flight=max_in_flight, max_queue=max_queue, sleep=self.sleep)
        self.calls: list[Call] = []
        self.entered: list[Call] = []

    def enter(self, request: str, *, first_wait: float = 0.5, wait: float = 9.0) -> Call:
        """Begin a call; it asks for its slot when the loop goes on."""
        self.calls.append(Call(self, request, first_wait, wait))
        return self.calls[-1]

    def call(self, request: str, *, first_wait: float = 0.5, wait: float = 9.0) -> Call:
        """Begin a call and see how far it comes."""
        made = self.enter(request, first_wait=first_wait, wait=wait)
        self.loop.settle()
        return made

    def leave(self, *calls: Call) -> None:
        for call in calls:
            call.leave()
            self.loop.settle()

    def cancel(self, call: Call) -> None:
        call.cancel()
        self.loop.settle()

    def advance(self, seconds: float) -> None:
        self.sleep.advance(seconds)
        self.loop.settle()

    def those(self, state: str) -> list[Call]:
        return [call for call in self.calls if call.state == state]

    @property
    def order(self) -> str:
        """The requests of the calls that got a slot, in that order."""
        return "".join(call.request for call in self.entered)

    def empty(self) -> None:
        """End all calls; there must be nothing left of them."""
        for call in self.calls:
            call.cancel()
        self.loop.settle()
        assert (self.bulkhead.in_flight, self.bulkhead.waiting_requests) == (0, 0)
        assert (len(self.sleep.dues), self.loop.tasks) == (0, 0)
        self.loop.close()


@contextmanager
def a_stage(max_in_flight: int = 1, max_queue: int = 2) -> Iterator[Stage]:
    stage = Stage(max_in_flight, max_queue)
    yield stage
    stage.empty()


# Slots


def test_as_many_calls_as_there_are_slots_get_one_at_once() -> None:
    with a_stage(max_in_flight=3) as stage:
        calls = [stage.call(request) for request in "aab"]
        assert [call.state for call in calls] == ["inside"] * 3
        assert (stage.bulkhead.in_flight, stage.bulkhead.waiting_requests) == (3, 0)
        assert len(stage.sleep.dues) == 0


def test_a_free_slot_is_taken_without_giving_way_to_anyone() -> None:
    with a_stage() as stage:
        stage.enter("a")
        stage.loop.step()
        assert stage.order == "a"


def test_a_slot_that_frees_goes_to_who_waits() -> None:
    with a_stage() as stage:
        first, second = stage.call("a"), stage.call("b")
        assert (second.state, stage.bulkhead.waiting_requests) == ("waiting", 1)
        stage.leave(first)
        assert (second.state, stage.bulkhead.in_flight, stage.bulkhead.waiting_requests) == ("inside", 1, 0)


def test_thirty_two_are_in_flight_and_sixty_four_requests_wait_unless_told_otherwise() -> None:
    stage = Stage(1, 1)
    stage.bulkhead = Bulkhead(sleep=stage.sleep)
    for number in range(97):
        stage.call(f"request {number}")
    assert [len(stage.those(state)) for state in ("inside", "waiting", "QueueFull")] == [32, 64, 1]
    stage.empty()


# Turns


def test_slots_go_round_the_requests_that_wait() -> None:
    with a_stage(max_queue=3) as stage:
        stage.call("x")
        for request in "aaaabbc":
            stage.call(request)
        for _ in range(7):
            stage.leave(stage.those("inside")[0])
        assert stage.order == "xabcabaa"


def test_a_small_request_waits_for_one_call_of_a_large_one() -> None:
    with a_stage() as stage:
        first = stage.call("x")
        for _ in range(50):
            stage.call("a")
        stage.call("b")
        stage.leave(first, *stage.those("inside"))
        stage.leave(stage.those("inside")[0])
        assert stage.order == "xab"


def test_the_calls_of_a_request_are_served_in_the_order_they_came() -> None:
    with a_stage() as stage:
        calls = [stage.call("a") for _ in range(5)]
        for call in calls:
            stage.leave(call)
        assert stage.entered == calls


def test_a_request_whose_first_call_is_cancelled_keeps_its_turn() -> None:
    with a_stage() as stage:
        holder = stage.call("x")
        cancelled, second, third = (stage.call(request) for request in "aab")
        holder.leave()
        cancelled.cancel()  # before it runs again, the slot is given away
        stage.loop.settle()
        assert (cancelled.state, second.state, third.state) == ("cancelled", "inside", "waiting")


# The queue


def test_one_request_more_than_may_wait_is_refused_at_once() -> None:
    with a_stage(max_queue=2) as stage:
        states = [stage.call(request).state for request in "xabc"]
        assert states == ["inside", "waiting", "waiting", "QueueFull"]
        assert stage.bulkhead.waiting_requests == 2


def test_calls_of_a_request_that_waits_already_join_it_without_bound() -> None:
    with a_stage(max_queue=1) as stage:
        states = Counter(stage.call(request).state for request in "x" + "a" * 300)
        assert states == {"inside": 1, "waiting": 300}
        assert stage.bulkhead.waiting_requests == 1


def test_a_place_in_the_queue_is_free_again_when_the_last_call_of_a_request_gets_its_slot() -> None:
    with a_stage(max_queue=1) as stage:
        holder = stage.call("x")
        stage.call("a")
        stage.leave(holder)
        assert stage.call("b").state == "waiting"


# Waiting


def test_all_calls_of_a_request_that_got_no_slot_in_its_first_wait_are_refused() -> None:
    with a_stage() as stage:
        stage.call("x")
        first = stage.call("a")
        stage.advance(0.375)
        second, other = stage.call("a"), stage.call("b")
        stage.advance(0.125)
        assert [call.state for call in (first, second, other)] == ["WaitedTooLong", "WaitedTooLong", "waiting"]
        assert stage.bulkhead.waiting_requests == 1


def test_a_request_that_got_a_slot_waits_on_with_its_other_calls() -> None:
    with a_stage() as stage:
        holder = stage.call("x")
        calls = [stage.call("a") for _ in range(3)]
        stage.leave(holder)
        stage.advance(8.9)
        assert [call.state for call in calls] == ["inside", "waiting", "waiting"]


def test_calls_behind_those_of_their_own_request_that_are_inside_wait_on() -> None:
    with a_stage() as stage:
        holder, second = stage.call("a"), stage.call("a")
        stage.advance(0.5)
        stage.leave(holder)
        assert second.state == "inside"


def test_a_request_that_is_done_and_comes_back_has_its_first_wait_again() -> None:
    with a_stage() as stage:
        stage.leave(stage.call("a"))
        stage.call("x")
        again = stage.call("a")
        stage.advance(0.5)
        assert again.state == "WaitedTooLong"


def test_the_first_wait_counts_from_the_first_call_also_when_that_has_left() -> None:
    with a_stage() as stage:
        stage.call("x")
        first = stage.call("a")
        stage.advance(0.25)
        second = stage.call("a")
        stage.cancel(first)
        stage.advance(0.25)
        assert second.state == "WaitedTooLong"


def test_the_first_wait_begins_anew_when_nobody_of_the_request_is_left() -> None:
    with a_stage() as stage:
        stage.call("x")
        stage.cancel(stage.call("a"))
        stage.advance(0.25)
        again = stage.call("a")
        stage.advance(0.25)
        assert again.state == "waiting"
        stage.advance(0.25)
        assert again.state == "WaitedTooLong"


def test_a_call_waits_no_longer_than_its_own_time_and_the_others_of_its_request_wait_on() -> None:
    with a_stage() as stage:
        stage.call("a")
        short, long = stage.call("a", wait=2.0), stage.call("a", wait=3.0)
        stage.advance(2.0)
        assert (short.state, long.state) == ("OutOfTime", "waiting")
        stage.advance(1.0)
        assert (long.state, stage.bulkhead.waiting_requests) == ("OutOfTime", 0)


def test_a_call_whose_own_time_is_shorter_than_the_first_wait_is_out_of_time() -> None:
    with a_stage() as stage:
        stage.call("x")
        call = stage.call("a", wait=0.25)
        stage.advance(0.25)
        assert call.state == "OutOfTime"


def test_the_first_wait_is_half_a_second_unless_told_otherwise() -> None:
    with a_stage() as stage:

        async def wait() -> None:
            async with holding(stage.bulkhead, "a", wait_seconds=9):
                pass

        stage.call("x")
        waiter = stage.loop.spawn(wait())
        stage.loop.settle()
        assert stage.sleep.dues == [0.5, 9]
        waiter.cancel()


# Cancellation


def test_who_is_cancelled_while_waiting_frees_its_place_in_the_queue() -> None:
    with a_stage(max_queue=1) as stage:
        stage.call("x")
        stage.cancel(stage.call("a"))
        assert stage.bulkhead.waiting_requests == 0
        assert stage.call("b").state == "waiting"


def test_who_is_cancelled_inside_frees_its_slot_for_the_next() -> None:
    with a_stage() as stage:
        holder, waiter = stage.call("x"), stage.call("a")
        stage.cancel(holder)
        assert (holder.state, waiter.state) == ("cancelled", "inside")


def test_a_slot_given_to_who_is_cancelled_in_that_moment_goes_to_the_next() -> None:
    with a_stage() as stage:
        holder, given, behind = (stage.call(request) for request in "xab")
        holder.leave()
        stage.loop.step()  # the slot is given, and who got it has not run since
        assert stage.bulkhead.waiting_requests == 1
        given.cancel()
        stage.loop.settle()
        assert (given.state, behind.state, stage.bulkhead.in_flight) == ("cancelled", "inside", 1)


def test_a_turn_that_a_cancelled_call_did_not_use_is_still_its_requests() -> None:
    with a_stage() as stage:
        holder, given, same, other = (stage.call(request) for request in "xaab")
        holder.leave()
        stage.loop.step()
        stage.cancel(given)
        assert (same.state, other.state) == ("inside", "waiting")


def test_a_slot_given_in_the_moment_the_time_is_up_is_kept() -> None:
    with a_stage() as stage:
        holder, waiter = stage.call("x"), stage.call("a", first_wait=0.5, wait=0.5)
        holder.leave()
        stage.sleep.advance(0.5)
        stage.loop.settle()
        assert (waiter.state, stage.bulkhead.in_flight) == ("inside", 1)


def test_who_is_refused_and_cancelled_in_one_moment_takes_nothing_along() -> None:
    with a_stage() as stage:
        holder, waiter = stage.call("x"), stage.call("a")
        stage.sleep.advance(0.5)
        stage.loop.step()
        waiter.cancel()
        stage.loop.settle()
        assert (waiter.state, stage.bulkhead.in_flight, stage.bulkhead.waiting_requests) == ("cancelled", 1, 0)
        stage.leave(holder)
        assert stage.bulkhead.in_flight == 0


def test_all_others_are_refused_when_one_is_cancelled_in_the_moment_the_first_wait_is_over() -> None:
    with a_stage() as stage:
        stage.call("x")
        cancelled, other = stage.call("a"), stage.call("a")
        stage.sleep.advance(0.5)
        stage.cancel(cancelled)
        assert (cancelled.state, other.state, stage.bulkhead.waiting_requests) == ("cancelled", "WaitedTooLong", 0)


def test_timers_run_only_while_somebody_waits() -> None:
    with a_stage() as stage:
        holder = stage.call("x")
        assert len(stage.sleep.dues) == 0
        waiter = stage.call("a")
        assert len(stage.sleep.dues) == 2
        stage.leave(holder)
        assert (len(stage.sleep.dues), stage.loop.tasks) == (0, 1)
        stage.leave(waiter)
        assert stage.loop.tasks == 0


# The law: a plain model of it, and any sequence of what may happen

REQUESTS = st.sampled_from("abcde")
FIRST_WAITS = st.sampled_from([0.25, 0.5, 1.0])
WAITS = st.sampled_from([0.125, 0.375, 1.0, 4.0])
SECONDS = st.sampled_from([0.125, 0.25, 0.5, 1.0, 3.0])
ANY = st.integers(0, 99)
MAX_IN_FLIGHT = st.integers(1, 3)
MAX_QUEUE = st.integers(1, 3)


@dataclass
class ExpectedCall:
    request: str
    due: float
    state: str = "waiting"


@dataclass
class ExpectedLine:
    request: str
    due: float
    """When the first wait is over; infinite once served."""
    calls: list[ExpectedCall] = field(default_factory=list)


class Expected:
    """What the rules say, in lists."""

    def __init__(self, max_in_flight: int, max_queue: int) -> None:
        self._max = (max_in_flight, max_queue)
        self.now = 0.0
        self.calls: list[ExpectedCall] = []
        self.lines: list[ExpectedLine] = []

    @property
    def inside(self) -> list[ExpectedCall]:
        return [call for call in self.calls if call.state == "inside"]

    @property
    def timers(self) -> int:
        return sum(len(line.calls) + (line.due != float("inf")) for line in self.lines)

    def enter(self, request: str, first_wait: float, wait: float) -> None:
        call = ExpectedCall(request, self.now + wait)
        self.calls.append(call)
        line = next((line for line in self.lines if line.request == request), None)
        if len(self.inside) < self._max[0]:
            call.state = "inside"
        elif line is not None:
            line.calls.append(call)
        elif len(self.lines) == self._max[1]:
            call.state = "QueueFull"
        else:
            has_slot = any(other.request == request for other in self.inside)
            self.lines.append(ExpectedLine(request, float("inf") if has_slot else self.now + first_wait, [call]))

    def end(self, number: int, state: str) -> None:
        """End a call that is inside or waits."""
        call = self.calls[number]
        was_inside, call.state = call.state == "inside", state
        self._tidy()
        if was_inside and self.lines:
            line = self.lines.pop(0)
            line.calls[0].state, line.due = "inside", float("inf")
            self.lines.append(line)
            self._tidy()

    def first_again(self, number: int) -> None:
        """Put the line of a call that will not use the slot it was given before the others."""
        self.lines.sort(key=lambda line: line.request != self.calls[number].request)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for due, line, call in self._timers():
            if due <= self.now:
                refused = line.calls if call is None else [call]
                for each in refused:
                    if each.state == "waiting":
                        each.state = "WaitedTooLong" if call is None else "OutOfTime"
        self._tidy()

    def _timers(self) -> list[tuple[float, ExpectedLine, ExpectedCall | None]]:
        own = [(call.due, line, call) for line in self.lines for call in line.calls]
        first = [(line.due, line, None) for line in self.lines]
        return sorted([*own, *first], key=lambda timer: timer[0])

    def _tidy(self) -> None:
        for line in self.lines:
            line.calls = [call for call in line.calls if call.state == "waiting"]
        self.lines = [line for line in self.lines if line.calls]


class SettledBulkhead(RuleBasedStateMachine):
    """Does one thing at a time and compares every call with the model."""

    stage: Stage
    expected: Expected

    @initialize(max_in_flight=MAX_IN_FLIGHT, max_queue=MAX_QUEUE)
    def begin(self, max_in_flight: int, max_queue: int) -> None:
        self.stage = Stage(max_in_flight, max_queue)
        self.expected = Expected(max_in_flight, max_queue)
        self.passed_over: Counter[tuple[str, str]] = Counter()

    @rule(request=REQUESTS, first_wait=FIRST_WAITS, wait=WAITS)
    def enter(self, request: str, first_wait: float, wait: float) -> None:
        own = wait + (1 + len(self.stage.calls)) * 2**-20  # no two waits end in one moment, so the model need not say which is first
        self.stage.call(request, first_wait=first_wait, wait=own)
        self.expected.enter(request, first_wait, own)

    @precondition(lambda self: self.open("inside"))
    @rule(which=ANY)
    def leave(self, which: int) -> None:
        number = self.pick(which, "inside")
        self.stage.leave(self.stage.calls[number])
        self.expected.end(number, "left")

    @precondition(lambda self: self.open("inside", "waiting"))
    @rule(which=ANY)
    def cancel(self, which: int) -> None:
        number = self.pick(which, "inside", "waiting")
        self.stage.cancel(self.stage.calls[number])
        self.expected.end(number, "cancelled")

    @precondition(lambda self: self.open("waiting"))
    @rule(which=ANY)
    def leave_and_cancel_who_is_given_the_slot(self, which: int) -> None:
        number = self.pick(which, "inside")
        given = self.expected.calls.index(self.expected.lines[0].calls[0])
        self.stage.calls[number].leave()
        self.stage.loop.step()
        self.stage.cancel(self.stage.calls[given])
        self.expected.end(number, "left")
        self.expected.first_again(given)
        self.expected.end(given, "cancelled")

    @rule(seconds=SECONDS)
    def advance(self, seconds: float) -> None:
        self.stage.advance(seconds)
        self.expected.advance(seconds)

    @invariant()
    def every_call_is_where_the_model_has_it(self) -> None:
        assert [call.state for call in self.stage.calls] == [call.state for call in self.expected.calls]
        assert self.stage.bulkhead.in_flight == len(self.expected.inside)
        assert self.stage.bulkhead.waiting_requests == len(self.expected.lines)

    @invariant()
    def nothing_runs_but_the_calls_and_the_timers_of_those_who_wait(self) -> None:
        assert len(self.stage.sleep.dues) == self.expected.timers
        assert self.stage.loop.tasks == len(self.open("inside", "waiting")) + self.expected.timers

    @invariant()
    def no_request_is_passed_over_twice_by_another(self) -> None:
        waiting = {call.request for call in self.stage.those("waiting")}
        for call in self.stage.entered:
            for other in [pair for pair in self.passed_over if pair[0] == call.request]:
                del self.passed_over[other]
            self.passed_over.update((request, call.request) for request in waiting - {call.request})
        self.stage.entered.clear()
        for pair in [pair for pair in self.passed_over if pair[0] not in waiting]:
            del self.passed_over[pair]
        assert set(self.passed_over.values()) <= {1}

    def open(self, *states: str) -> list[int]:
        return [number for number, call in enumerate(self.stage.calls) if call.state in states]

    def pick(self, which: int, *states: str) -> int:
        numbers = self.open(*states)
        return numbers[which % len(numbers)]

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            self.stage.empty()


class UnsettledBulkhead(RuleBasedStateMachine):
    """Does the next thing while what was done before is only half done, and holds it to what must be so in every moment."""

    stage: Stage

    @initialize(max_in_flight=MAX_IN_FLIGHT, max_queue=MAX_QUEUE)
    def begin(self, max_in_flight: int, max_queue: int) -> None:
        self.stage = Stage(max_in_flight, max_queue)
        self.max = (max_in_flight, max_queue)

    @rule(request=REQUESTS, first_wait=FIRST_WAITS, wait=WAITS)
    def enter(self, request: str, first_wait: float, wait: float) -> None:
        self.stage.enter(request, first_wait=first_wait, wait=wait)

    @precondition(lambda self: self.stage.those("inside"))
    @rule(which=ANY)
    def leave(self, which: int) -> None:
        inside = self.stage.those("inside")
        inside[which % len(inside)].leave()

    @precondition(lambda self: self.open)
    @rule(which=ANY)
    def cancel(self, which: int) -> None:
        self.open[which % len(self.open)].cancel()

    @rule(seconds=SECONDS)
    def advance(self, seconds: float) -> None:
        self.stage.sleep.advance(seconds)

    @rule(turns=st.integers(1, 3))
    def step(self, turns: int) -> None:
        self.stage.loop.step(turns)

    @rule()
    def settle(self) -> None:
        self.stage.loop.settle()
        waiting = self.stage.those("waiting")
        assert self.stage.bulkhead.in_flight == len(self.stage.those("inside"))
        assert self.stage.bulkhead.waiting_requests == len({call.request for call in waiting})
        assert not waiting or self.stage.bulkhead.in_flight == self.max[0]
        assert self.stage.loop.tasks == len(self.open) + len(self.stage.sleep.dues)

    @invariant()
    def no_more_are_inside_or_wait_than_may(self) -> None:
        assert len(self.stage.those("inside")) <= self.stage.bulkhead.in_flight <= self.max[0]
        assert self.stage.bulkhead.waiting_requests <= self.max[1]

    @property
    def open(self) -> list[Call]:
        return [call for call in self.stage.calls if call.state in {"inside", "waiting"}]

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            self.stage.empty()


TestSettledBulkhead = SettledBulkhead.TestCase
TestUnsettledBulkhead = UnsettledBulkhead.TestCase
