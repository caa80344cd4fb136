"""The window index: when it asks, what it believes, and how it pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, UpstreamTimeout, UpstreamUnavailable
from gateway.sources.index import IndexState, Snapshot, SortKey, Window, WindowIndex
from gateway.transport import Scope, Trace
from tests.fakes import FakeClock, make_scope

pytestmark = pytest.mark.anyio

OVERLAP = timedelta(minutes=5)
Row = tuple[int, str]


def by_place(row: Row) -> SortKey:
    return row


@dataclass
class Upstream:
    """Answers reads from `answers`, the last one again and again; an error is raised. Keeps from when each was asked."""

    clock: FakeClock
    answers: list[Window[Row] | GatewayError | Exception | dict[str, Row]]
    asked: list[datetime | None] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def read(self, since: datetime | None, scope: Scope) -> Window[Row]:
        self.asked.append(since)
        self.scopes.append(scope)
        asked_at = self.clock.now()
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Window) else Window(rows=answer, until=asked_at)


def make_index(
    *answers: Window[Row] | Exception | dict[str, Row],
    overlap: timedelta | None = OVERLAP,
    ttl_seconds: float = 60,
    full_after_seconds: float | None = None,
    max_rows: int = 1000,
) -> tuple[WindowIndex[Row], Upstream, FakeClock]:
    clock = FakeClock()
    upstream = Upstream(clock, [*answers])
    index = WindowIndex(
        upstream.read,
        order=by_place,
        clock=clock,
        source="src",
        operation="ListThings",
        ttl_seconds=ttl_seconds,
        overlap=overlap,
        full_after_seconds=full_after_seconds,
        max_rows=max_rows,
    )
    return index, upstream, clock


def down() -> UpstreamUnavailable:
    return UpstreamUnavailable("down", source="src", operation="ListThings")


A: Row = (1, "a")
B: Row = (2, "b")
C: Row = (3, "c")


async def test_however_many_wait_there_is_one_read() -> None:
    index, upstream, clock = make_index({"b": B, "a": A})
    upstream.gate = asyncio.Event()
    waiting = [asyncio.create_task(index.current(make_scope())) for _ in range(50)]
    await asyncio.sleep(0)
    upstream.gate.set()
    snapshots = await asyncio.gather(*waiting)
    assert upstream.asked == [None]
    assert {id(snapshot) for snapshot in snapshots} == {id(snapshots[0])}
    assert (snapshots[0].rows, snapshots[0].complete, snapshots[0].as_of) == ((A, B), True, clock.now())
    assert (snapshots[0].get("a"), snapshots[0].get("c")) == (A, None)


async def test_within_the_ttl_nothing_is_asked_and_then_what_has_changed_since() -> None:
    index, upstream, clock = make_index({"a": A, "b": B}, {"b": C})
    first_read_at = clock.now()
    await index.current(make_scope())
    clock.advance(59)
    await index.current(make_scope())
    assert upstream.asked == [None]
    clock.advance(1)
    snapshot = await index.current(make_scope(100))
    assert upstream.asked == [None, first_read_at - OVERLAP]
    assert (snapshot.rows, snapshot.get("b"), snapshot.as_of) == ((A, C), C, clock.now())


async def test_a_ttl_of_nothing_asks_each_time() -> None:
    index, upstream, _ = make_index({"a": A}, ttl_seconds=0)
    await index.current(make_scope())
    await index.current(make_scope())
    assert len(upstream.asked) == 2


async def test_where_increments_cannot_show_changes_everything_is_read_and_what_is_gone_is_gone() -> None:
    index, upstream, clock = make_index({"a": A, "b": B}, {"b": B}, overlap=None)
    await index.current(make_scope())
    clock.advance(60)
    snapshot = await index.current(make_scope(100))
    assert upstream.asked == [None, None]
    assert (snapshot.rows, snapshot.get("a"), snapshot.complete) == ((B,), None, True)


async def test_increments_are_given_up_for_a_read_of_everything_in_time() -> None:
    index, upstream, clock = make_index({"a": A}, {"b": B}, {"c": C}, full_after_seconds=100)
    start = clock.now()
    for _ in range(3):
        snapshot = await index.current(make_scope(1000))
        clock.advance(60)
    assert upstream.asked == [None, start - OVERLAP, None]
    assert snapshot.rows == (C,)


async def test_a_failed_refresh_fails_for_all_who_waited_and_advances_nothing() -> None:
    index, upstream, clock = make_index({"a": A}, down(), {"b": B})
    start = clock.now()
    await index.current(make_scope())
    clock.advance(60)
    failures = await asyncio.gather(*(index.current(make_scope(100)) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [UpstreamUnavailable] * 3
    snapshot = await index.current(make_scope(100))
    assert upstream.asked == [None, start - OVERLAP, start - OVERLAP]
    assert snapshot.rows == (A, B)


async def test_a_bug_in_a_read_is_raised_and_the_next_one_is_asked() -> None:
    index, _, _ = make_index(ValueError("bug"), {"a": A})
    with pytest.raises(ValueError, match="bug"):
        await index.current(make_scope())
    assert (await index.current(make_scope())).rows == (A,)


async def test_a_first_empty_window_leaves_the_index_cold() -> None:
    index, upstream, clock = make_index({}, {"a": A})
    snapshot = await index.current(make_scope())
    assert (snapshot.rows, snapshot.complete, snapshot.as_of) == ((), False, None)
    await index.current(make_scope())
    assert len(upstream.asked) == 1
    clock.advance(60)
    snapshot = await index.current(make_scope(100))
    assert upstream.asked == [None, None]
    assert (snapshot.rows, snapshot.complete) == ((A,), True)


async def test_an_empty_increment_never_advances_the_index_and_takes_nothing_from_it() -> None:
    index, upstream, clock = make_index({"a": A}, {}, {}, {"b": B})
    start = clock.now()
    snapshots = []
    for _ in range(4):
        snapshots.append(await index.current(make_scope(1000)))
        clock.advance(60)
    assert upstream.asked == [None, start - OVERLAP, start - OVERLAP, start - OVERLAP]
    assert [snapshot.rows for snapshot in snapshots] == [(A,), (A,), (A,), (A, B)]
    assert [snapshot.complete for snapshot in snapshots] == [True] * 4
    assert [snapshot.as_of for snapshot in snapshots] == [start, start, start, start + timedelta(seconds=180)]


async def test_an_empty_answer_to_a_read_of_everything_keeps_the_rows_and_proves_no_absence_any_more() -> None:
    index, _, clock = make_index({"a": A}, {}, {"b": B}, overlap=None)
    await index.current(make_scope())
    clock.advance(60)
    snapshot = await index.current(make_scope(100))
    assert (snapshot.rows, snapshot.complete) == ((A,), False)
    clock.advance(60)
    snapshot = await index.current(make_scope(1000))
    assert (snapshot.rows, snapshot.complete) == ((B,), True)


async def test_an_incomplete_window_adds_its_rows_and_is_asked_again_from_the_same_point() -> None:
    half = Window(rows={"b": B}, until=FakeClock().now(), complete=False)
    index, upstream, clock = make_index({"a": A}, half, {"c": C})
    start = clock.now()
    await index.current(make_scope())
    clock.advance(60)
    snapshot = await index.current(make_scope(100))
    assert (snapshot.rows, snapshot.complete) == ((A, B), False)
    clock.advance(60)
    snapshot = await index.current(make_scope(1000))
    assert upstream.asked == [None, start - OVERLAP, start - OVERLAP]
    assert (snapshot.rows, snapshot.complete) == ((A, B, C), True)


async def test_beyond_its_bound_the_newest_rows_stay_and_the_index_is_not_complete() -> None:
    index, _, clock = make_index({"a": A, "b": B, "c": C}, {"c": C}, max_rows=2)
    snapshot = await index.current(make_scope())
    assert (snapshot.rows, snapshot.get("a"), snapshot.complete) == ((B, C), None, False)
    assert len(snapshot.by_key) == 2
    clock.advance(60)
    assert not (await index.current(make_scope(100))).complete  # an increment does not bring back what was dropped


async def test_a_caller_who_leaves_does_not_stop_the_refresh_for_the_others() -> None:
    index, upstream, _ = make_index({"a": A})
    upstream.gate = asyncio.Event()
    leaving, staying = (asyncio.create_task(index.current(make_scope())) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    upstream.gate.set()
    assert (await staying).rows == (A,)
    assert len(upstream.asked) == 1


async def test_a_caller_waits_until_its_own_deadline_only() -> None:
    index, upstream, _ = make_index({"a": A})
    upstream.gate = asyncio.Event()
    patient = asyncio.create_task(index.current(make_scope()))
    await asyncio.sleep(0)
    with pytest.raises(UpstreamTimeout) as late:
        await index.current(make_scope(0))
    assert (late.value.source, late.value.operation) == ("src", "ListThings")
    upstream.gate.set()
    assert (await patient).rows == (A,)
    assert (await index.current(make_scope(0))).rows == (A,)  # what is fresh needs no time
    assert len(upstream.asked) == 1


async def test_a_refresh_has_a_deadline_of_its_own() -> None:
    index, upstream, _ = make_index({"a": A})
    await index.current(make_scope(5))
    assert upstream.scopes == [Scope("test", 1060.0, is_fresh=True, waits_until=1005.0)]  # a pause that is asked for is its caller's


def traced(clock: FakeClock) -> tuple[Scope, Trace]:
    trace = Trace.start(clock)
    return replace(make_scope(), trace=trace), trace


async def test_what_is_known_from_earlier_is_told_as_a_call_that_was_not_made() -> None:
    index, _, clock = make_index({"a": A})
    await index.current(make_scope())
    scope, trace = traced(clock)
    await index.current(scope)
    (call,) = trace.to_plain()
    assert (call["source"], call["operation"], call["cached"], call["made"], call["durationMs"]) == ("src", "ListThings", True, False, 0)


async def test_who_waits_for_a_refresh_that_another_began_is_told_so_and_how_it_failed() -> None:
    index, upstream, clock = make_index(down())
    upstream.gate = asyncio.Event()
    first = asyncio.create_task(index.current(make_scope()))
    await asyncio.sleep(0)
    scope, trace = traced(clock)
    second = asyncio.create_task(index.current(scope))
    await asyncio.sleep(0)
    clock.advance(2)
    upstream.gate.set()
    await asyncio.gather(first, second, return_exceptions=True)
    (call,) = trace.to_plain()
    assert (call["coalesced"], call["made"], call["durationMs"], call["code"]) == (True, False, 2000, "UPSTREAM_UNAVAILABLE")


async def test_the_calls_of_a_refresh_are_of_the_trace_of_whoever_began_it() -> None:
    index, upstream, clock = make_index({"a": A})
    scope, trace = traced(clock)
    await index.current(scope)
    (own,) = upstream.scopes
    assert own.trace is trace
    assert trace.to_plain() == []  # of itself it is no call: those it makes are


async def test_after_it_was_expired_the_next_reader_gets_what_is_read_from_then_on_and_others_share_it() -> None:
    index, upstream, clock = make_index({"a": A}, {"a": A, "b": B}, overlap=None)
    await index.current(make_scope())
    index.expire()
    assert len(upstream.asked) == 1
    assert (await index.current(make_scope())).rows == (A, B)
    clock.advance(59)
    assert (await index.current(make_scope(100))).rows == (A, B)
    assert len(upstream.asked) == 2


async def test_a_read_that_was_under_way_when_it_was_expired_is_not_taken_for_news() -> None:
    index, upstream, _ = make_index({"a": A}, {"a": A, "b": B}, overlap=None)
    upstream.gate = asyncio.Event()
    early = asyncio.create_task(index.current(make_scope()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(upstream.asked) == 1
    index.expire()
    late = [asyncio.create_task(index.current(make_scope())) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    index.expire()  # nothing was asked for since the first time: who waits for that waits for this as well
    later = asyncio.create_task(index.current(make_scope()))
    await asyncio.sleep(0)
    assert len(upstream.asked) == 1
    upstream.gate.set()
    assert (await early).rows == (A,)
    assert [(await waiting).rows for waiting in (*late, later)] == [(A, B)] * 4
    assert len(upstream.asked) == 2
    assert (await index.current(make_scope())).rows == (A, B)
    assert len(upstream.asked) == 2


async def test_an_expired_index_that_cannot_be_read_again_fails_and_keeps_what_it_knows_for_increments() -> None:
    index, upstream, clock = make_index({"a": A}, down(), {"b": B})
    read_at = clock.now()
    await index.current(make_scope())
    index.expire()
    with pytest.raises(UpstreamUnavailable):
        await index.current(make_scope())
    assert (await index.current(make_scope())).rows == (A, B)
    assert upstream.asked == [None, read_at - OVERLAP, read_at - OVERLAP]


@st.composite
def _histories(draw: st.DrawFn) -> list[dict[str, Row]]:
    """Steps of an upstream that only adds and changes: each gives the rows changed in it, placed behind all before."""
    keys = st.sets(st.sampled_from("abcdefgh"))
    return [{key: (number, key) for key in draw(keys)} for number in range(draw(st.integers(1, 6)))]


@given(_histories())
async def test_increments_know_what_a_read_of_everything_knows(history: list[dict[str, Row]]) -> None:
    index, _, clock = make_index(*history)
    whole: dict[str, Row] = {}
    for step in history:
        snapshot = await index.current(make_scope(10_000))
        whole.update(step)
        clock.advance(60)
        assert dict(snapshot.by_key) == whole
        assert snapshot.rows == tuple(sorted(whole.values()))


@given(st.sets(st.integers(0, 50)), st.lists(st.integers(1, 7), min_size=1), st.sets(st.integers(51, 60)))
def test_any_page_sizes_give_each_row_once_and_in_order_while_new_ones_come(old: set[int], sizes: list[int], new: set[int]) -> None:
    def snapshot_of(numbers: set[int]) -> Snapshot[Row]:
        return Snapshot(rows=tuple((number, "") for number in sorted(numbers)), order=by_place)

    seen: list[Row] = []
    place: SortKey | None = None
    for number in range(100):
        snapshot = snapshot_of(old if number == 0 else old | new)
        page = list(islice(snapshot.after(place), sizes[number % len(sizes)]))
        seen += page
        place = page[-1] if page else place
    assert seen == [(number, "") for number in sorted(old | new)]


def test_a_place_where_no_row_stands_is_as_good_as_any() -> None:
    order: Callable[[Row], SortKey] = by_place
    snapshot = Snapshot(rows=(A, C), order=order)
    assert (list(snapshot.after((2, "x"))), list(snapshot.after((9,)))) == ([C], [])


# ------------------------------------------------------------------ how it stands


async def test_an_index_that_was_never_asked_for_is_empty_and_asks_nobody_to_say_so() -> None:
    index, upstream, _ = make_index({"a": A})

    assert index.state == IndexState(
        operation="ListThings", rows=0, complete=False, as_of=None, fresh_seconds=0, is_refreshing=False, failure=None
    )
    assert upstream.asked == []


async def test_an_index_tells_its_rows_its_age_and_for_how_long_it_is_fresh() -> None:
    index, _, clock = make_index({"a": A, "b": B})
    asked_at = clock.now()
    await index.current(make_scope())
    clock.advance(45)
    fresh = index.state
    clock.advance(45)

    assert (fresh.rows, fresh.complete, fresh.as_of, fresh.fresh_seconds) == (2, True, asked_at, 15)
    assert (index.state.as_of, index.state.fresh_seconds) == (asked_at, 0)


async def test_an_index_tells_that_it_is_being_read() -> None:
    index, upstream, _ = make_index({"a": A})
    upstream.gate = asyncio.Event()
    waiting = asyncio.create_task(index.current(make_scope()))
    await asyncio.sleep(0)
    during = index.state.is_refreshing
    upstream.gate.set()
    await waiting

    assert (during, index.state.is_refreshing) == (True, False)


async def test_an_index_tells_why_the_last_read_failed_until_one_goes_well() -> None:
    index, _, clock = make_index({"a": A}, down(), {"a": A})
    await index.current(make_scope())
    clock.advance(60)
    with pytest.raises(UpstreamUnavailable):
        await index.current(make_scope(100))
    failed = index.state
    await index.current(make_scope(100))

    assert (failed.failure, failed.rows, failed.complete) == ("UPSTREAM_UNAVAILABLE", 1, True)
    assert index.state.failure is None


async def test_an_index_whose_read_has_a_bug_still_tells_how_it_stands() -> None:
    index, _, _ = make_index(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        await index.current(make_scope())

    assert (index.state.failure, index.state.rows) == ("INTERNAL", 0)
