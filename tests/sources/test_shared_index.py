"""An index that replicas share: who reads, who takes what was read, and what is never taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.errors import GatewayError, UpstreamUnavailable
from gateway.journal import Journal
from gateway.sources.index import Sharing, Snapshot, SortKey, Window, WindowIndex
from gateway.transport import Scope
from gateway.transport.shared_window import SharedWindows
from tests.fakes import FakeClock, make_scope

pytestmark = pytest.mark.anyio

Row = tuple[int, str]
Answer = Window[Row] | GatewayError | dict[str, Row]

OVERLAP = timedelta(minutes=5)
A: Row = (1, "Anna Andersson")
B: Row = (2, "b")
C: Row = (3, "c")


def by_place(row: Row) -> SortKey:
    return row


def to_line(row: Row) -> bytes:
    return f"{row[0]} {row[1]}".encode()


def from_line(line: bytes) -> tuple[str, Row]:
    number, _, text = line.decode().partition(" ")
    return number, (int(number), text)


@dataclass
class Upstream:
    """Answers the reads of all replicas from `answers`, the last one again and again. Keeps from when each was asked."""

    clock: FakeClock
    answers: list[Answer] = field(default_factory=list)
    asked: list[datetime | None] = field(default_factory=list)
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, since: datetime | None, _scope: Scope) -> Window[Row]:
        self.asked.append(since)
        self.begun.release()
        asked_at = self.clock.now()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await self.gate.wait()
        if isinstance(answer, GatewayError):
            raise answer
        return answer if isinstance(answer, Window) else Window(rows=answer, until=asked_at)


class Stage:
    """Replicas over one file; a pause lets the clock go on."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "journal.db"
        self.clock = FakeClock()
        self.upstream = Upstream(self.clock)
        self.upstream.gate.set()
        self.journals: list[Journal] = []
        self.pauses: list[float] = []
        self.on_pause: Callable[[], object] = lambda: None

    async def replica(
        self,
        *,
        secret: bytes = b"secret",
        most_bytes: int = 1000,
        ttl_seconds: float = 60,
        overlap: timedelta | None = OVERLAP,
        full_after_seconds: float | None = None,
    ) -> WindowIndex[Row]:
        journal = Journal(f"sqlite:///{self.file}", now=self.clock.now)
        await journal.open()
        self.journals.append(journal)
        windows = SharedWindows(journal.windows, "src", secret, self.clock, sleep=self._pause, most_bytes=most_bytes)
        return WindowIndex(
            self.upstream.read,
            order=by_place,
            clock=self.clock,
            source="src",
            operation="ListThings",
            ttl_seconds=ttl_seconds,
            overlap=overlap,
            full_after_seconds=full_after_seconds,
            sharing=Sharing(window=windows.of("ListThings"), write=to_line, read=from_line),
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        self.on_pause()
        await asyncio.sleep(0)

    async def rows(self, index: WindowIndex[Row], *, is_fresh: bool = False) -> tuple[Row, ...]:
        return (await self.snapshot(index, is_fresh=is_fresh)).rows

    async def snapshot(self, index: WindowIndex[Row], *, is_fresh: bool = False) -> Snapshot[Row]:
        scope = replace(make_scope(), deadline=self.clock.monotonic() + 10, is_fresh=is_fresh)
        return await index.current(scope)

    async def begun(self, reads: int) -> None:
        for _ in range(reads):
            await self.upstream.begun.acquire()

    async def aclose(self) -> None:
        for journal in self.journals:
            await journal.aclose()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.aclose()


async def test_one_replica_reads_once_a_ttl_and_the_others_take_it(stage: Stage) -> None:
    one, two = await stage.replica(), await stage.replica()
    stage.upstream.answers = [{"1": A, "2": B}, {"3": C}]
    first_read_at = stage.clock.now()
    assert await stage.rows(one) == (A, B)
    stage.clock.advance(10)

    taken = await stage.snapshot(two)

    assert (taken.rows, taken.complete, taken.as_of, taken.get("2"), taken.get("3")) == ((A, B), True, first_read_at, B, None)
    assert stage.upstream.asked == [None]
    stage.clock.advance(50)
    assert await stage.rows(two) == (A, B, C)
    assert await stage.rows(one) == (A, B, C)
    # The increment goes on from where the other one has read to.
    assert stage.upstream.asked == [None, first_read_at - OVERLAP]


async def test_what_was_taken_is_as_old_as_it_is(stage: Stage) -> None:
    one, two = await stage.replica(), await stage.replica()
    stage.upstream.answers = [{"1": A}]
    await stage.rows(one)
    stage.clock.advance(45)

    await stage.rows(two)

    assert two.state.fresh_seconds == 15


async def test_when_all_is_to_be_read_again_counts_from_when_all_was_read(stage: Stage) -> None:
    one, two = await stage.replica(full_after_seconds=100), await stage.replica(full_after_seconds=100)
    stage.upstream.answers = [{"1": A}, {"2": B}, {"1": A}]
    start = stage.clock.now()
    await stage.rows(one)
    stage.clock.advance(60)
    await stage.rows(one)
    await stage.rows(two)
    stage.clock.advance(60)

    assert await stage.rows(two) == (A,)
    assert stage.upstream.asked == [None, start - OVERLAP, None]


async def test_while_one_reads_the_others_wait_for_it(stage: Stage) -> None:
    one, two = await stage.replica(), await stage.replica()
    stage.upstream.answers = [{"1": A}]
    stage.upstream.gate.clear()
    reading = asyncio.create_task(stage.rows(one))
    await stage.begun(1)
    stage.on_pause = lambda: stage.upstream.gate.set() if len(stage.pauses) == 3 else None

    assert await stage.rows(two) == (A,)
    assert await reading == (A,)
    assert stage.upstream.asked == [None]
    assert set(stage.pauses) == {0.1}


async def test_one_that_dies_while_it_reads_holds_a_request_up_for_half_of_its_time(stage: Stage) -> None:
    one, two, three = await stage.replica(), await stage.replica(), await stage.replica()
    stage.upstream.answers = [{"1": A}, {"2": B}]
    stage.upstream.gate.clear()
    dying = asyncio.create_task(stage.rows(one))
    await stage.begun(1)
    began = stage.clock.monotonic()
    stage.on_pause = lambda: stage.upstream.gate.set() if stage.clock.monotonic() - began > 4.9 else None

    assert await stage.rows(two) == (B,)
    assert stage.clock.monotonic() - began == pytest.approx(5, abs=0.2)
    await dying
    # What the first one has read nevertheless is older, and nobody takes it.
    assert await stage.rows(three) == (B,)
    assert len(stage.upstream.asked) == 2


async def test_one_that_fails_lets_another_one_try_at_once(stage: Stage) -> None:
    one, two = await stage.replica(), await stage.replica()
    stage.upstream.answers = [UpstreamUnavailable("down", source="src", operation="ListThings"), {"1": A}]

    with pytest.raises(UpstreamUnavailable):
        await stage.rows(one)

    assert await stage.rows(two) == (A,)
    assert stage.pauses == []


async def test_while_the_database_is_away_each_reads_for_itself(stage: Stage) -> None:
    one, two = await stage.replica(), await stage.replica()
    stage.upstream.answers = [{"1": A}]
    await stage.aclose()

    assert (await stage.rows(one), await stage.rows(two)) == ((A,), (A,))
    assert stage.upstream.asked == [None, None]


async def test_a_database_that_goes_away_during_a_read_loses_nobody_anything(stage: Stage) -> None:
    one = await stage.replica()
    stage.upstream.answers = [{"1": A}]
    stage.upstream.gate.clear()
    reading = asyncio.create_task(stage.rows(one))
    await stage.begun(1)
    await stage.aclose()
    stage.upstream.gate.set()

    assert await reading == (A,)


async def test_who_has_written_reads_for_itself_and_the_others_take_that(stage: Stage) -> None:
    one, two = await stage.replica(overlap=None), await stage.replica(overlap=None)
    stage.upstream.answers = [{"1": A}, {"1": A, "2": B}]
    await stage.rows(one)
    await stage.rows(two)
    stage.clock.advance(10)
    one.expire()

    assert await stage.rows(one) == (A, B)
    assert stage.pauses == []
    assert await stage.rows(two) == (A,)  # for the rest of its minute, as ever
    stage.clock.advance(50)
    assert await stage.rows(two) == (A, B)
    assert stage.upstream.asked == [None, None]


async def test_what_another_one_has_read_after_the_write_is_taken(stage: Stage) -> None:
    one, two = await stage.replica(overlap=None), await stage.replica(overlap=None)
    stage.upstream.answers = [{"1": A}, {"1": A, "2": B}]
    await stage.rows(one)
    stage.clock.advance(60)
    one.expire()
    stage.clock.advance(1)
    await stage.rows(two)

    assert await stage.rows(one) == (A, B)
    assert stage.upstream.asked == [None, None]


async def test_a_fresh_read_takes_nothing_and_waits_for_nobody(stage: Stage) -> None:
    one, two, three = await stage.replica(overlap=None), await stage.replica(overlap=None), await stage.replica(overlap=None)
    stage.upstream.answers = [{"1": A}, {"1": A, "2": B}]
    await stage.rows(one)
    stage.clock.advance(1)

    assert await stage.rows(two, is_fresh=True) == (A, B)

    assert await stage.rows(three) == (A, B)
    assert (len(stage.upstream.asked), stage.pauses) == (2, [])


async def test_another_configuration_finds_nothing(stage: Stage) -> None:
    one, two = await stage.replica(), await stage.replica(secret=b"another")
    stage.upstream.answers = [{"1": A}, {"2": B}]

    assert (await stage.rows(one), await stage.rows(two)) == ((A,), (B,))


async def test_what_is_stored_can_be_read_by_nobody_else(stage: Stage) -> None:
    one = await stage.replica()
    stage.upstream.answers = [{"1": A}]
    await stage.rows(one)
    found = b"".join(path.read_bytes() for path in stage.file.parent.iterdir())

    assert b"ListThings" not in found
    assert b"Anna" not in found


async def test_a_window_that_is_too_large_is_read_by_each(stage: Stage) -> None:
    one, two = await stage.replica(most_bytes=20), await stage.replica(most_bytes=20)
    stage.upstream.answers = [{"1": A}]

    assert (await stage.rows(one), await stage.rows(two)) == ((A,), (A,))
    stage.clock.advance(60)
    stage.upstream.gate.clear()
    first, second = asyncio.create_task(stage.rows(one)), asyncio.create_task(stage.rows(two))
    await stage.begun(4)
    stage.upstream.gate.set()
    assert (await first, await second) == ((A,), (A,))
    assert (len(stage.upstream.asked), stage.pauses) == (4, [])


@pytest.mark.parametrize("rows", [{}, {"1": A}])
async def test_one_from_which_something_may_be_missing_is_no_news_to_the_others(stage: Stage, rows: dict[str, Row]) -> None:
    one, two = await stage.replica(), await stage.replica()
    stage.upstream.answers = [Window(rows=rows, until=stage.clock.now(), complete=False), {"1": A, "2": B}]
    await stage.rows(one)

    assert await stage.rows(two) == (A, B)
    assert stage.pauses == []


async def test_nothing_is_shared_where_nothing_is_kept(stage: Stage) -> None:
    one, two = await stage.replica(ttl_seconds=0), await stage.replica(ttl_seconds=0)
    stage.upstream.answers = [{"1": A}]

    assert (await stage.rows(one), await stage.rows(two)) == ((A,), (A,))
    assert await stage.journals[0].windows.forget("src") == 0
