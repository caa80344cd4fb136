"""Windows that replicas have in common: who reads, what is kept of it, and for how long."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from gateway.journal import Journal, keep_clean
from gateway.journal.windows import StoredWindow
from tests.fakes import FakeClock
from tests.journal.postgres import PostgresServer
from tests.journal.stage import Opener

pytestmark = pytest.mark.anyio


@pytest.fixture
def state(tmp_path: object) -> str:
    """Over SQLite, whose clock the tests have in hand; PostgreSQL has its own, see below."""
    return f"sqlite:///{tmp_path}/journal.db"


async def begin(
    journal: Journal, *, is_forced: bool = False, source: str = "pos", name: str = "window", fresh_seconds: float = 60
) -> datetime | None:
    return await journal.windows.begin(name, source, fresh_seconds=fresh_seconds, lease_seconds=30, is_forced=is_forced)


async def begun(journal: Journal, *, is_forced: bool = False, source: str = "pos", name: str = "window") -> datetime:
    ticket = await begin(journal, is_forced=is_forced, source=source, name=name)
    assert ticket is not None
    return ticket


async def keep(journal: Journal, ticket: datetime, sealed: bytes | None = b"sealed", *, name: str = "window") -> bool:
    return await journal.windows.keep(name, ticket, sealed, keep_seconds=60)


async def look(journal: Journal, known: datetime | None = None) -> StoredWindow | None:
    return await journal.windows.look("window", known=known)


async def test_one_reads_and_the_others_take_what_it_has_stored(journal: Journal, other: Journal, clock: FakeClock) -> None:
    ticket = await begun(journal)
    assert await look(other) is None
    assert await begin(other) is None
    clock.advance(2)

    assert await keep(journal, ticket)

    assert await look(other) == StoredWindow(read_at=ticket, age_seconds=2, sealed=b"sealed")
    assert await begin(other) is None


async def test_what_is_known_is_not_sent_again(journal: Journal, other: Journal) -> None:
    ticket = await begun(journal)
    await keep(journal, ticket)

    assert await look(other, known=ticket) == StoredWindow(read_at=ticket, age_seconds=0, sealed=None)


async def test_what_is_no_longer_fresh_is_read_by_one_again(journal: Journal, other: Journal, clock: FakeClock) -> None:
    await keep(journal, await begun(journal))
    clock.advance(59.9)
    assert await begin(other) is None
    clock.advance(0.1)

    assert await begin(other) == clock.now()
    assert await begin(journal) is None


async def test_one_that_dies_while_it_reads_holds_the_others_up_for_no_longer_than_its_lease(
    journal: Journal, other: Journal, clock: FakeClock
) -> None:
    await begun(journal)

    clock.advance(29.9)
    assert await begin(other) is None
    clock.advance(0.1)
    assert await begin(other) == clock.now()


async def test_one_that_gave_up_lets_another_one_read(journal: Journal, other: Journal) -> None:
    ticket = await begun(journal)

    await journal.windows.give_up("window", ticket)

    assert await begin(other) is not None


async def test_of_two_that_read_the_window_of_the_later_one_stays(journal: Journal, other: Journal, clock: FakeClock) -> None:
    early = await begun(journal)
    clock.advance(1)
    late = await begun(other, is_forced=True)

    assert await keep(other, late, b"late")
    assert not await keep(journal, early, b"early")

    assert await look(journal) == StoredWindow(read_at=late, age_seconds=0, sealed=b"late")


@pytest.mark.parametrize("is_read", [False, True])
async def test_who_stores_or_gives_up_leaves_the_lease_of_another_one_alone(
    journal: Journal, other: Journal, clock: FakeClock, *, is_read: bool
) -> None:
    early = await begun(journal)
    clock.advance(1)
    await begun(other, is_forced=True)

    if is_read:
        await keep(journal, early)
    else:
        await journal.windows.give_up("window", early)

    clock.advance(29.9)
    assert await begin(journal, fresh_seconds=1) is None
    clock.advance(0.1)
    assert await begin(journal, fresh_seconds=1) == clock.now()


async def test_nobody_waits_for_a_window_whose_content_is_not_kept(journal: Journal, other: Journal) -> None:
    await keep(journal, await begun(journal), None)

    assert await begin(journal) is not None
    assert await begin(other) is not None


async def test_what_nobody_takes_any_more_is_dropped_by_the_clean_up(journal: Journal, clock: FakeClock) -> None:
    ticket = await begun(journal)
    clock.advance(10)
    await keep(journal, ticket)

    async def pause(_seconds: float) -> None:
        raise _Enough

    for seconds, is_there in ((60, True), (0.1, False)):
        clock.advance(seconds)
        with pytest.raises(_Enough):
            await keep_clean(journal, keep_days=1, audit_days=1, pause=pause)
        assert (await look(journal) is not None) == is_there


async def test_the_windows_of_a_source_are_dropped_when_something_of_it_is_to_be_forgotten(journal: Journal) -> None:
    await keep(journal, await begun(journal))
    await keep(journal, await begun(journal, source="other", name="of another"), name="of another")
    under_way = await begun(journal, name="under way")

    await journal.forget("pos", "17")

    assert await look(journal) is None
    assert await journal.windows.look("of another", known=None) is not None
    assert not await keep(journal, under_way, name="under way")


class _Enough(Exception):
    pass


@pytest.mark.postgres
async def test_over_postgresql_one_of_many_reads_by_the_clock_of_the_database(postgres: PostgresServer) -> None:
    state = postgres.empty()
    openers = [Opener(state, FakeClock()) for _ in range(3)]
    try:
        journals = [await opener.open() for opener in openers]
        tickets = [ticket for ticket in await asyncio.gather(*(begin(journal) for journal in journals for _ in range(4))) if ticket]
        assert len(tickets) == 1
        assert await keep(journals[0], tickets[0])
        found = await look(journals[1])
        known = await look(journals[2], known=tickets[0])
        assert found is not None
        assert known is not None
        assert (found.read_at, found.sealed, known.read_at, known.sealed) == (tickets[0], b"sealed", tickets[0], None)
        assert 0 <= found.age_seconds < 30
        assert [await begin(journal) for journal in journals] == [None, None, None]
        assert await journals[0].windows.forget() == 0
        assert await journals[0].windows.forget("pos") == 1
    finally:
        for opener in openers:
            await opener.aclose()
