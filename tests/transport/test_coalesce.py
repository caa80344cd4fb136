from __future__ import annotations

import asyncio
import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import ref

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.transport.coalesce import Coalescer
from tests.transport.stepping import SteppedLoop


class Failed(Exception):
    """How a run fails here."""


class Run:
    """A run, from the inside: `under way`, `finished`, `failed`, `ending` (cancelled, and not yet done with it) or `cancelled`."""

    def __init__(self, stage: Stage, key: str) -> None:
        self.key = key
        self.state = "under way"
        self.failure = Failed()
        self._stage = stage
        self._answer = stage.loop.future()
        self._end = stage.loop.future()
        if not stage.ends_slowly:
            self.end()

    async def __call__(self) -> Run:
        try:
            await self._answer
        except Failed:
            self.state = "failed"
            raise
        except asyncio.CancelledError:
            self.state = "ending"
            try:
                await self._end
            finally:
                self.state = "cancelled"
            raise
        self.state = "finished"
        return self

    def finish(self) -> None:
        if not self._answer.done():
            self._answer.set_result(None)

    def fail(self) -> None:
        if not self._answer.done():
            self._answer.set_exception(self.failure)

    def end(self) -> None:
        if not self._end.done():
            self._end.set_result(None)


class Caller:
    """One caller, from the outside: `waiting`, `cancelled`, or the run that it had the outcome of."""

    def __init__(self, stage: Stage, key: str) -> None:
        self.key = key
        self.outcome: Run | Failed | None = None
        self._stage = stage
        self._task = stage.loop.spawn(self._run())

    async def _run(self) -> None:
        self._stage.asked += 1
        try:
            self.outcome = await self._stage.coalescer.share(self.key, self._start)
        except Failed as failure:
            self.outcome = failure

    async def _start(self) -> Run:
        return await self._stage.start(self.key)()

    @property
    def state(self) -> str:
        if self._task.cancelled():
            return "cancelled"
        match self.outcome:
            case None:
                return "waiting"
            case Run():
                return "finished"
            case Failed():
                return "failed"

    def cancel(self) -> None:
        self._task.cancel()


class Stage:
    """A coalescer on a stepped loop, all runs and all callers ever."""

    def __init__(self) -> None:
        self.loop = SteppedLoop()
        self.coalescer: Coalescer[str, Run] = Coalescer()
        self.runs: list[Run] = []
        self.callers: list[Caller] = []
        self.asked = 0
        self.ends_slowly = False

    def start(self, key: str) -> Run:
        self.runs.append(Run(self, key))
        return self.runs[-1]

    def join(self, key: str = "k") -> Caller:
        """Begin a caller; it asks when the loop goes on."""
        self.callers.append(Caller(self, key))
        return self.callers[-1]

    def joined(self, key: str = "k", times: int = 1) -> list[Caller]:
        """Begin callers and see how far they come."""
        callers = [self.join(key) for _ in range(times)]
        self.loop.settle()
        return callers

    def cancel(self, *callers: Caller) -> None:
        for caller in callers:
            caller.cancel()
        self.loop.settle()

    @property
    def states(self) -> list[str]:
        """Where the runs are."""
        return [run.state for run in self.runs]

    def waiting(self, key: str) -> list[Caller]:
        return [caller for caller in self.callers if caller.key == key and caller.state == "waiting"]

    def under_way(self, key: str) -> list[Run]:
        return [run for run in self.runs if run.key == key and run.state == "under way"]

    def empty(self) -> None:
        """Let everyone leave; there must be nothing left of them."""
        for caller in self.callers:
            caller.cancel()
        self.loop.settle()
        for run in self.runs:
            run.end()
        self.loop.settle()
        assert {caller.state for caller in self.callers} <= {"finished", "failed", "cancelled"}
        assert self.loop.tasks == 0
        self.runs.clear()
        self.callers.clear()
        self.loop.close()


@contextmanager
def a_stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.empty()


# One run for all


def test_callers_of_a_key_share_one_run_and_its_result() -> None:
    with a_stage() as stage:
        callers = stage.joined(times=500)
        stage.runs[0].finish()
        stage.loop.settle()
        assert len(stage.runs) == 1
        assert [caller.outcome for caller in callers] == [stage.runs[0]] * 500


def test_callers_of_a_key_share_its_failure() -> None:
    with a_stage() as stage:
        callers = stage.joined(times=3)
        stage.runs[0].fail()
        stage.loop.settle()
        assert [caller.outcome for caller in callers] == [stage.runs[0].failure] * 3


def test_callers_of_other_keys_have_runs_of_their_own() -> None:
    with a_stage() as stage:
        [one], [other] = stage.joined("a"), stage.joined("b")
        stage.runs[1].finish()
        stage.loop.settle()
        assert (one.state, other.outcome) == ("waiting", stage.runs[1])


@pytest.mark.parametrize("how", [Run.finish, Run.fail])
def test_who_comes_after_the_end_starts_anew(how: object) -> None:
    with a_stage() as stage:
        stage.joined()
        assert callable(how)
        how(stage.runs[0])
        stage.loop.settle()
        stage.joined()
        assert stage.states[1:] == ["under way"]


def test_who_comes_in_the_moment_of_the_end_starts_anew() -> None:
    with a_stage() as stage:
        stage.joined()
        stage.runs[0].finish()
        late = stage.join()  # asks right after the run has ended, before anybody was told
        stage.loop.settle()
        assert (stage.states, late.state) == (["finished", "under way"], "waiting")


def test_those_who_found_a_run_are_counted() -> None:
    with a_stage() as stage:
        stage.joined("a", times=3)
        stage.joined("b")
        assert stage.coalescer.shared == 2
        stage.runs[0].finish()
        stage.loop.settle()
        stage.joined("a")
        assert stage.coalescer.shared == 2


def test_a_result_is_kept_by_none_but_its_callers() -> None:
    with a_stage() as stage:
        stage.joined()
        result = ref(stage.runs[0])
        stage.runs[0].finish()
        stage.loop.settle()
        stage.runs.clear()
        stage.callers.clear()
        gc.collect()
        assert result() is None


def test_a_start_that_fails_before_it_waits_fails_all_and_is_tried_again() -> None:
    async def start() -> int:
        raise Failed

    async def ask() -> None:
        coalescer: Coalescer[str, int] = Coalescer()
        outcomes = await asyncio.gather(*(coalescer.share("k", start) for _ in range(2)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Failed, Failed]
        assert outcomes[0] is outcomes[1]
        with pytest.raises(Failed):
            await coalescer.share("k", start)

    asyncio.run(ask())


def test_the_traceback_of_a_shared_failure_does_not_grow_with_its_callers() -> None:
    async def start() -> int:
        await asyncio.sleep(0)
        raise Failed

    async def ask(coalescer: Coalescer[str, int]) -> int:
        try:
            return await coalescer.share("k", start)
        except Failed as failure:
            return len(traceback.extract_tb(failure.__traceback__))

    async def lengths(callers: int) -> list[int]:
        coalescer: Coalescer[str, int] = Coalescer()
        return await asyncio.gather(*(ask(coalescer) for _ in range(callers)))

    [alone] = asyncio.run(lengths(1))
    assert asyncio.run(lengths(20)) == [alone] * 20


def test_a_run_has_the_context_of_who_made_the_coalescer_and_of_none_of_its_callers() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="nobody")
    seen: list[str] = []

    async def start() -> None:
        await asyncio.sleep(0)
        seen.append(variable.get())
        variable.set("an earlier run")

    async def ask(coalescer: Coalescer[str, None], name: str) -> str:
        variable.set(name)
        await coalescer.share("k", start)
        return variable.get()

    async def play() -> None:
        variable.set("maker")
        coalescer: Coalescer[str, None] = Coalescer()
        assert list(await asyncio.gather(ask(coalescer, "first"), ask(coalescer, "second"))) == ["first", "second"]
        await ask(coalescer, "third")

    asyncio.run(play())
    assert seen == ["maker", "maker"]


# Leaving


def test_a_run_goes_on_while_another_waits() -> None:
    with a_stage() as stage:
        first, second, third = stage.joined(times=3)
        stage.cancel(first, third)
        stage.runs[0].finish()
        stage.loop.settle()
        assert (first.state, second.outcome, third.state) == ("cancelled", stage.runs[0], "cancelled")


def test_the_last_to_leave_cancels_the_run_and_waits_for_its_end() -> None:
    with a_stage() as stage:
        stage.ends_slowly = True
        first, last = stage.joined(times=2)
        stage.cancel(first, last)
        assert (first.state, last.state, stage.states) == ("cancelled", "waiting", ["ending"])
        stage.runs[0].end()
        stage.loop.settle()
        assert (last.state, stage.states, stage.loop.tasks) == ("cancelled", ["cancelled"], 0)


def test_who_comes_while_the_run_is_being_cancelled_starts_anew() -> None:
    with a_stage() as stage:
        stage.ends_slowly = True
        stage.cancel(*stage.joined())
        [late] = stage.joined()
        assert stage.states == ["ending", "under way"]
        stage.runs[0].end()
        stage.loop.settle()
        assert stage.joined()[0].state == "waiting"  # the end of the first run does not hide the second
        stage.runs[1].finish()
        stage.loop.settle()
        assert (late.outcome, len(stage.runs)) == (stage.runs[1], 2)


def test_who_comes_in_the_moment_the_last_is_cancelled_keeps_the_run() -> None:
    with a_stage() as stage:
        [first] = stage.joined()
        late = stage.join()
        first.cancel()
        stage.loop.settle()
        assert (first.state, late.state, stage.states) == ("cancelled", "waiting", ["under way"])


def test_who_is_cancelled_in_the_moment_of_the_end_is_cancelled() -> None:
    with a_stage() as stage:
        [caller] = stage.joined()
        stage.runs[0].fail()
        stage.loop.step()
        assert stage.states == ["failed"]
        stage.cancel(caller)
        assert caller.state == "cancelled"


def test_a_caller_that_is_cancelled_again_cancels_the_run_again() -> None:
    with a_stage() as stage:
        stage.ends_slowly = True
        [caller] = stage.joined()
        stage.cancel(caller)
        stage.cancel(caller)  # breaks off the end as well
        assert (caller.state, stage.states, stage.loop.tasks) == ("cancelled", ["cancelled"], 0)


def test_a_run_that_fails_when_it_is_cancelled_leaves_its_caller_cancelled() -> None:
    async def start() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise Failed

    async def ask() -> None:
        coalescer: Coalescer[str, None] = Coalescer()
        caller = asyncio.create_task(coalescer.share("k", start))
        await running.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller

    running = asyncio.Event()
    asyncio.run(ask())


def test_the_deadline_of_one_caller_is_not_that_of_another() -> None:
    async def play() -> None:
        coalescer: Coalescer[str, int] = Coalescer()
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def start() -> int:
            return await answer

        async def hurried() -> int:
            async with asyncio.timeout(0):
                return await coalescer.share("k", start)

        patient = asyncio.create_task(coalescer.share("k", start))
        with pytest.raises(TimeoutError):
            await hurried()
        answer.set_result(7)
        assert (await patient, coalescer.shared) == (7, 1)

    asyncio.run(play())


# The law: any interleaving of joining, leaving, finishing and failing

KEYS = st.sampled_from("ab")
ANY = st.integers(0, 99)


class Sharing(RuleBasedStateMachine):
    """Does the next thing however much of what was done before is still to come."""

    stage: Stage

    @initialize(ends_slowly=st.booleans())
    def begin(self, *, ends_slowly: bool) -> None:
        self.stage = Stage()
        self.stage.ends_slowly = ends_slowly

    @rule(key=KEYS)
    def join(self, key: str) -> None:
        self.stage.join(key)

    @precondition(lambda self: self.stage.waiting("a") or self.stage.waiting("b"))
    @rule(which=ANY)
    def cancel(self, which: int) -> None:
        waiting = self.stage.waiting("a") + self.stage.waiting("b")
        waiting[which % len(waiting)].cancel()

    @precondition(lambda self: self.stage.runs)
    @rule(which=ANY, how=st.sampled_from([Run.finish, Run.fail, Run.end]))
    def go_on(self, which: int, how: object) -> None:
        assert callable(how)
        how(self.stage.runs[which % len(self.stage.runs)])

    @rule(turns=st.integers(1, 4))
    def step(self, turns: int) -> None:
        self.stage.loop.step(turns)

    @rule()
    def settle(self) -> None:
        self.stage.loop.settle()
        ending = [run for run in self.stage.runs if run.state == "ending"]
        waiting = self.stage.waiting("a") + self.stage.waiting("b")
        assert self.stage.coalescer.shared == self.stage.asked - len(self.stage.runs)
        assert self.stage.loop.tasks == len(waiting) + len(self.open) + len(ending)
        for key in "ab":
            leaving = sum(run.key == key for run in ending)  # the last caller of each waits for its end
            others = len(self.stage.waiting(key)) - leaving
            assert others > 0 if self.stage.under_way(key) else others == 0

    @property
    def open(self) -> list[Run]:
        return self.stage.under_way("a") + self.stage.under_way("b")

    @invariant()
    def a_key_has_one_run_under_way_at_the_most(self) -> None:
        assert max(len(self.stage.under_way(key)) for key in "ab") <= 1

    @invariant()
    def everyone_gets_what_a_run_of_its_key_came_to(self) -> None:
        for caller in self.stage.callers:
            if caller.outcome is not None:
                runs = [run for run in self.stage.runs if caller.outcome in (run, run.failure)]
                assert [(run.key, run.state) for run in runs] == [(caller.key, caller.state)]

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            self.stage.empty()


TestSharing = Sharing.TestCase
