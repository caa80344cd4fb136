"""What callers took in all replicas together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.journal import Journal, keep_clean
from gateway.journal.takings import Taken
from tests.fakes import FakeClock
from tests.journal.postgres import PostgresServer
from tests.journal.stage import Opener

pytestmark = pytest.mark.anyio

SECOND = 10**9


@pytest.fixture
def state(tmp_path: object) -> str:
    """Over SQLite, whose clock the tests have in hand; PostgreSQL has its own, see below."""
    return f"sqlite:///{tmp_path}/journal.db"


async def take(journal: Journal, wanted: int, caller: str = "script") -> Taken:
    """Take requests of which one comes in every second, and six at once."""
    return await journal.takings.take(caller, wanted=wanted, interval=SECOND, burst=6)


async def test_all_of_them_together_take_a_burst_and_then_one_at_a_time(journal: Journal, other: Journal, clock: FakeClock) -> None:
    assert await take(journal, 4) == Taken(4, 0)
    assert await take(other, 4) == Taken(2, SECOND)
    assert await take(journal, 4) == Taken(0, SECOND)
    clock.advance(0.25)
    assert await take(other, 1) == Taken(0, SECOND * 3 // 4)
    clock.advance(0.75)
    assert await take(other, 4) == Taken(1, SECOND)


async def test_after_a_rest_there_is_a_burst_again_and_no_more(journal: Journal, clock: FakeClock) -> None:
    await take(journal, 6)
    clock.advance(3600)

    assert await take(journal, 100) == Taken(6, SECOND)


async def test_callers_take_nothing_from_each_other(journal: Journal) -> None:
    await take(journal, 6)

    assert await take(journal, 6, "another") == Taken(6, SECOND)


async def test_who_owes_nothing_is_forgotten_after_an_hour(journal: Journal, clock: FakeClock) -> None:
    await take(journal, 6)
    clock.advance(3605)
    kept = await journal.takings.forget()
    clock.advance(2)

    assert (kept, await journal.takings.forget()) == (0, 1)
    assert await take(journal, 1) == Taken(1, 0)


async def test_the_clean_up_of_the_journal_forgets_them(journal: Journal, clock: FakeClock) -> None:
    await take(journal, 6)
    clock.advance(3607)

    async def pause(_seconds: float) -> None:
        raise _Enough

    with pytest.raises(_Enough):
        await keep_clean(journal, keep_days=1, audit_days=1, pause=pause)

    assert await journal.takings.forget() == 0


async def test_the_database_does_not_say_who_the_callers_are(journal: Journal, tmp_path: Path) -> None:
    await take(journal, 6, "jwt:https://login.example#anna")
    await journal.aclose()

    assert b"anna" not in b"".join(path.read_bytes() for path in tmp_path.glob("journal.db*"))


class _Enough(Exception):
    pass


@pytest.mark.postgres
async def test_over_postgresql_replicas_at_once_take_no_more_than_there_is(postgres: PostgresServer) -> None:
    state = postgres.empty()
    openers = [Opener(state, FakeClock()) for _ in range(3)]
    try:
        journals = [await opener.open() for opener in openers]
        takings = await asyncio.gather(
            *(journal.takings.take("script", wanted=2, interval=3600 * SECOND, burst=20) for journal in journals for _ in range(8))
        )
        forgotten = await journals[0].takings.forget()
    finally:
        for opener in openers:
            await opener.aclose()

    assert (sum(taken.count for taken in takings), forgotten) == (20, 0)
