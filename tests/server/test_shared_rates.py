"""One budget for a caller in all replicas: no more than is allowed, however many there are and whichever of them is asked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from gateway.errors import JournalUnavailable
from gateway.journal import Journal
from gateway.model import Caller, Permission
from gateway.server.rates import Allowance, RateLimited, Rates
from gateway.server.share import LAPSE_SECONDS, Taken
from gateway.server.shared_rates import SharedRates
from tests.fakes import FakeClock
from tests.server.conftest import open_gateway

pytestmark = pytest.mark.anyio

SCRIPT = Caller("script", frozenset({Permission.READ}))


class CountedTakings:
    """The table of a journal, and how often it was asked."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.asked = 0

    async def take(self, caller: str, *, wanted: int, interval: int, burst: int) -> Taken:
        self.asked += 1
        return await self.journal.takings.take(caller, wanted=wanted, interval=interval, burst=burst)


class Replica:
    """The rates of one process."""

    def __init__(self, journal: Journal, clock: FakeClock, requests_per_minute: int, max_in_flight: int) -> None:
        allowance = Allowance(requests_per_minute, max_in_flight)
        self.rates = Rates(clock, {"script": allowance}, None)
        self.takings = CountedTakings(journal)
        self.shared = SharedRates(self.takings, clock)

    async def ask(self) -> float | None:
        """Make a request that ends at once; give None, or the seconds after which to ask again."""
        try:
            with self.rates.in_hand(SCRIPT) as account:
                assert account is not None
                await self.shared.pay(SCRIPT, account)
        except RateLimited as refused:
            return refused.retry_after
        return None

    async def how_many(self) -> int:
        """Ask until it is refused; give how many requests were taken."""
        for taken in count():
            if await self.ask() is not None:
                return taken
        raise AssertionError


class Replicas:
    """Replicas over one journal."""

    def __init__(self, stack: AsyncExitStack, path: Path) -> None:
        self.clock = FakeClock()
        self._stack = stack
        self._path = path

    async def several(self, number: int, requests_per_minute: int = 600, max_in_flight: int = 1000) -> list[Replica]:
        return [Replica(await self._journal(), self.clock, requests_per_minute, max_in_flight) for _ in range(number)]

    async def _journal(self) -> Journal:
        journal = Journal(f"sqlite:///{self._path}", now=self.clock.now)
        await journal.open()
        self._stack.push_async_callback(journal.aclose)
        return journal


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        yield Replicas(stack, tmp_path / "journal.db")


@pytest.mark.parametrize(("requests_per_minute", "burst"), [(600, 60), (60, 6), (10, 1), (1, 1)])
async def test_a_burst_is_there_once_for_all_of_them(replicas: Replicas, requests_per_minute: int, burst: int) -> None:
    several = await replicas.several(3, requests_per_minute)

    answers = [await one.ask() for _ in range(60) for one in several]

    assert answers.count(None) == burst


async def test_after_that_all_of_them_keep_one_pace(replicas: Replicas) -> None:
    first, second = await replicas.several(2, 60)
    await first.how_many()

    for one in (second, first, first, second):
        assert await one.ask() == 1
        replicas.clock.advance(1)
        assert await one.how_many() == 1


@pytest.mark.parametrize("number", [1, 2, 5])
async def test_no_minute_has_more_than_a_minutes_requests_a_burst_and_what_lapses(replicas: Replicas, number: int) -> None:
    several = await replicas.several(number)
    taken: list[float] = []
    for tick in range(130):
        for one in several:
            taken += [replicas.clock.monotonic()] * [await one.ask() for _ in range(12)].count(None)
        replicas.clock.advance(0.75 if tick % 40 < 30 else 2.5)

    most = max(sum(start <= moment < start + 60 for moment in taken) for start in set(taken))
    assert 600 * 0.9 < most <= 600 + 60 + 600 * LAPSE_SECONDS / 60


async def test_the_table_is_not_asked_for_each_request(replicas: Replicas) -> None:
    several = await replicas.several(2, 6000)
    for _ in range(600):
        for one in several:
            assert await one.ask() is None
        replicas.clock.advance(0.0201)

    assert sum(one.takings.asked for one in several) < 1200 / 20


async def test_who_is_refused_is_not_asked_about_again_before_there_is_something(replicas: Replicas) -> None:
    (one,) = await replicas.several(1, 60)
    await one.how_many()
    asked = one.takings.asked

    assert [await one.ask() for _ in range(100)] == [1] * 100
    assert one.takings.asked == asked
    replicas.clock.advance(1)
    assert await one.ask() is None


async def test_requests_that_come_at_once_take_one_share_together(replicas: Replicas) -> None:
    (one,) = await replicas.several(1)

    assert await asyncio.gather(*(one.ask() for _ in range(15))) == [None] * 15
    assert one.takings.asked == 4  # of 1, 2, 4 and 8


async def test_a_client_that_leaves_takes_nothing_from_the_others(replicas: Replicas) -> None:
    (one,) = await replicas.several(1)
    leaving, staying = (asyncio.ensure_future(one.ask()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying is None
    assert leaving.cancelled()


async def test_a_share_that_is_not_used_lapses(replicas: Replicas) -> None:
    first, second = await replicas.several(2, 60)
    for _ in range(3):
        assert await first.ask() is None
    replicas.clock.advance(0.5)
    assert await first.ask() is None
    replicas.clock.advance(LAPSE_SECONDS)

    assert await second.how_many() + await first.how_many() <= 6


async def test_without_the_database_each_counts_by_itself_and_soon_together_again(replicas: Replicas, tmp_path: Path) -> None:
    first, second = await replicas.several(2, 60)
    away = (tmp_path / "journal.db").rename(tmp_path / "away.db")
    with pytest.raises(JournalUnavailable):
        await first.takings.journal.takings.take("script", wanted=1, interval=1, burst=1)

    assert [await first.how_many(), await second.how_many()] == [6, 6]
    assert first.takings.asked == 1
    away.rename(tmp_path / "journal.db")
    replicas.clock.advance(1)
    assert await first.how_many() + await second.how_many() == 6


async def test_those_in_hand_are_counted_before_anything_is_taken(replicas: Replicas) -> None:
    (one,) = await replicas.several(1, max_in_flight=1)

    with one.rates.in_hand(SCRIPT):
        assert await one.ask() == 1

    assert one.takings.asked == 0
    assert await one.ask() is None


async def test_callers_without_limits_have_none(replicas: Replicas) -> None:
    (one,) = await replicas.several(1)

    with one.rates.in_hand(Caller("anybody", frozenset())) as account:
        assert account is None


@pytest.mark.parametrize(("workers", "answered"), [(1, 12), (2, 6)])
async def test_workers_over_one_file_count_together_and_single_processes_do_not(tmp_path: Path, workers: int, answered: int) -> None:
    caller = {
        "name": "script",
        "key_sha256": hashlib.sha256(b"key").hexdigest(),
        "permissions": ["read"],
        "sources": ["*"],
        "requests_per_minute": 60,
    }
    server, clock = {"state": f"sqlite:///{tmp_path / 'journal.db'}", "workers": workers}, FakeClock()
    async with (
        open_gateway(server=server, clock=clock, callers=[caller]) as first,
        open_gateway(server=server, clock=clock, callers=[caller]) as second,
    ):
        headers = {"authorization": "Bearer key"}
        answers = [await client.post("/graphql", json={"query": "{ caller { name } }"}, headers=headers) for client in (first, second) * 8]

    assert [answer.status_code for answer in answers].count(200) == answered
    assert {answer.status_code for answer in answers} == {200, 429}
