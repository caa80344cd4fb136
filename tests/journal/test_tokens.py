"""Tokens that replicas have in common: one asks, the others take; and all of them together ask no more than thrice a minute."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.journal import Journal
from gateway.journal.tokens import TokenTurn
from tests.fakes import FakeClock
from tests.journal.postgres import PostgresServer
from tests.journal.stage import Opener

pytestmark = pytest.mark.anyio

ASK = TokenTurn(may_ask=True)


@pytest.fixture
def state(tmp_path: object) -> str:
    """Over SQLite, whose clock the tests have in hand; PostgreSQL has its own, see below."""
    return f"sqlite:///{tmp_path}/journal.db"


async def turn(journal: Journal, *, known: int = 0, name: str = "token", endpoint: str = "here", spare: int = 0) -> TokenTurn:
    return await journal.tokens.turn(name, endpoint, known=known, spare=spare)


async def kept(journal: Journal, sealed: bytes = b"sealed", *, due: float = 3300, life: float = 3600, endpoint: str = "here") -> int:
    return await journal.tokens.keep("token", endpoint, sealed, due_seconds=due, life_seconds=life)


async def test_one_asks_and_the_others_wait_for_it(journal: Journal, other: Journal, clock: FakeClock) -> None:
    assert await turn(journal) == ASK
    assert await turn(other) == TokenTurn(is_being_asked=True, wait_seconds=5)
    clock.advance(1)
    assert await turn(other) == TokenTurn(is_being_asked=True, wait_seconds=4)

    assert await kept(journal) == 1

    assert await turn(other) == TokenTurn(sealed=b"sealed", revision=1, life_seconds=3600)


async def test_of_many_that_come_at_once_one_asks(opener: Opener) -> None:
    journals = [await opener.open() for _ in range(4)]

    turns = await asyncio.gather(*(turn(journal) for journal in journals for _ in range(3)))

    assert sorted(turn.may_ask for turn in turns) == [False] * 11 + [True]


async def test_one_that_dies_while_it_asks_holds_the_others_up_for_five_seconds(journal: Journal, other: Journal, clock: FakeClock) -> None:
    await turn(journal)

    clock.advance(4.9)
    assert (await turn(other)).may_ask is False
    clock.advance(0.1)
    assert await turn(other) == ASK


async def test_a_token_that_is_due_is_renewed_by_one_and_used_by_the_others(journal: Journal, other: Journal, clock: FakeClock) -> None:
    await turn(journal)
    await kept(journal)
    clock.advance(3300)

    assert await turn(journal, known=1) == ASK
    assert await turn(other) == TokenTurn(sealed=b"sealed", revision=1, life_seconds=300, is_being_asked=True, wait_seconds=5)
    assert await turn(other, known=1) == TokenTurn(is_being_asked=True, wait_seconds=5)
    assert await kept(journal, b"newer") == 2
    assert await turn(other, known=1) == TokenTurn(sealed=b"newer", revision=2, life_seconds=3600)


async def test_who_had_one_refused_takes_the_next_one_or_asks(journal: Journal, other: Journal) -> None:
    await turn(journal)
    await kept(journal)

    assert (await turn(other, known=1)).may_ask is True
    await kept(other, b"newer")
    assert (await turn(journal, known=1)).sealed == b"newer"


async def test_a_token_that_has_expired_is_nobodys(journal: Journal, clock: FakeClock) -> None:
    await turn(journal)
    await kept(journal)
    clock.advance(3600)

    assert await turn(journal) == ASK


async def test_an_endpoint_is_asked_three_times_in_any_minute_by_all_of_them(journal: Journal, other: Journal, clock: FakeClock) -> None:
    asked = []
    for second in range(240):
        for replica in (journal, other):
            if (await turn(replica, known=1, name=f"token {second % 7}")).may_ask:
                asked.append(second)
                await replica.tokens.give_up(f"token {second % 7}", "here", hold_seconds=0)
        clock.advance(1)

    assert asked == [0, 0, 1, 60, 60, 61, 120, 120, 121, 180, 180, 181]


async def test_who_comes_too_soon_is_told_when_to_come_again(journal: Journal, clock: FakeClock) -> None:
    for name in ("a", "b", "c"):
        await turn(journal, name=name)
        clock.advance(10)

    assert await turn(journal, name="d") == TokenTurn(wait_seconds=30)
    assert await turn(journal, name="d", endpoint="there") == ASK


async def test_the_last_request_of_a_minute_may_be_left_to_others(journal: Journal) -> None:
    for name in ("a", "b"):
        await turn(journal, name=name)

    assert await turn(journal, name="d", spare=1) == TokenTurn(wait_seconds=60)
    assert await turn(journal, name="d") == ASK


async def test_while_it_may_not_be_asked_a_token_that_is_due_still_does(journal: Journal, other: Journal, clock: FakeClock) -> None:
    await turn(journal)
    await kept(journal, due=5, life=100)
    for name in ("a", "b"):
        await turn(journal, name=name)
    clock.advance(10)

    assert await turn(other) == TokenTurn(sealed=b"sealed", revision=1, life_seconds=90, wait_seconds=50)


async def test_an_endpoint_that_asks_for_a_pause_gets_it_from_all_of_them(journal: Journal, other: Journal, clock: FakeClock) -> None:
    await turn(journal)
    await journal.tokens.give_up("token", "here", hold_seconds=90)

    assert await turn(other) == TokenTurn(wait_seconds=90)
    clock.advance(90)
    assert await turn(other) == ASK


async def test_who_gives_up_lets_the_next_one_ask_at_once(journal: Journal, other: Journal) -> None:
    await turn(journal)
    await journal.tokens.give_up("token", "here", hold_seconds=0)

    assert await turn(other) == ASK


async def test_tokens_that_nobody_uses_any_more_are_dropped(journal: Journal, clock: FakeClock) -> None:
    await journal.tokens.keep("old", "here", b"old", due_seconds=1, life_seconds=3600)
    clock.advance(timedelta(days=1, hours=1, seconds=1).total_seconds())
    await kept(journal)

    assert await kept(journal) == 2
    assert await journal.tokens.keep("old", "here", b"new", due_seconds=1, life_seconds=3600) == 1


@pytest.mark.postgres
async def test_over_postgresql_the_servers_clock_counts(postgres: PostgresServer, clock: FakeClock) -> None:
    opener = Opener(postgres.empty(), clock)
    fast = Opener(opener.state, FakeClock(clock.now() + timedelta(days=1)))
    try:
        journal, other = await opener.open(), await fast.open()
        turns = await asyncio.gather(turn(journal), turn(other))
        revision = await kept(journal)
        taken = await turn(other)
        for name in ("a", "b", "c"):
            await turn(other, name=name)
        refused = await turn(journal, name="c")
    finally:
        await opener.aclose()
        await fast.aclose()

    assert sorted(turn.may_ask for turn in turns) == [False, True]
    assert (revision, taken.sealed, taken.revision) == (1, b"sealed", 1)
    assert 3590 < taken.life_seconds <= 3600
    assert refused.may_ask is False
    assert 50 < refused.wait_seconds <= 60
