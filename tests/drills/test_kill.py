"""The kill drill in small: gateways are killed while a key is at each step of its way, for all four writes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.drills.gateways import GatewayProcess, ask_for_attempt, ask_to_write, make_client, write_config
from tests.drills.intents import WAYS, Intent
from tests.drills.kill import Plan, drill
from tests.drills.report import to_text, violations_of
from tests.drills.stage import changes_of, intents_of, open_door, requests_of
from tests.drills.stories import Answer
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 60
LEASE_SECONDS = 10
SETTLE_AFTER_SECONDS = 120
APPLIED_AGAIN = Answer("APPLIED", replayed=True, confirmation="READ_BACK")


@dataclass
class Barrier:
    """What the sandbox waits at; `everybody_waits` is set when `expected` requests do."""

    expected: int
    waiting: int = 0
    everybody_waits: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, _seconds: float) -> None:
        self.waiting += 1
        if self.waiting == self.expected:
            self.everybody_waits.set()
        await self.is_open.wait()


def hold_back(running: RunningSandbox, intent: Intent, operation: str, mark: str) -> None:
    """Let the next request of an intent wait at the barrier before it is carried out."""
    running.sandbox.faults.add(Fault(system=intent.way.system, operation=operation, match=mark, kind="latency", seconds=1, times=1))


@asynccontextmanager
async def killed_while_held(
    running: RunningSandbox, folder: Path, intents: Sequence[Intent], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Barrier]:
    """Let a gateway of its own begin the intents, and kill it when the sandbox holds a request of each."""
    barrier = Barrier(len(intents))
    held = asyncio.ensure_future(barrier.everybody_waits.wait())
    monkeypatch.setattr(running.sandbox, "sleep", barrier.wait)
    write_config(folder / "gateway.toml", running.sandbox.source_tables(running.base_url), state_in(folder))
    gateway = GatewayProcess(folder / "gateway.toml", folder / "gateway.log")
    try:
        await gateway.start()
        await gateway.wait_until_up()
        async with make_client(gateway.url) as client:
            asked = asyncio.gather(*(ask_to_write(client, intent) for intent in intents), return_exceptions=True)
            either: list[asyncio.Future[Any]] = [asked, held]
            await asyncio.wait(either, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            await gateway.kill()
            assert held.done(), await asked
            assert all(isinstance(error, httpx.TransportError) for error in await asked)
        yield barrier
    finally:
        held.cancel()
        await gateway.kill()
        barrier.is_open.set()
        await until_idle(running)


def state_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'journal.db'}"


def now(*, plus: float = 0) -> FakeClock:
    return FakeClock(datetime.now(UTC) + timedelta(seconds=plus))


async def until_idle(running: RunningSandbox) -> None:
    """Wait until the sandbox has carried out what it had been sent."""
    for _ in range(10_000):
        if not any(running.sandbox.calls.in_flight.values()):
            return
        await asyncio.sleep(0)
    raise AssertionError("the sandbox never ends")


def codes(answers: Sequence[Answer]) -> list[tuple[str | None, list[str]]]:
    return [(answer.outcome, [code for code, _ in answer.errors]) for answer in answers]


async def ask_all(client: httpx.AsyncClient, intents: Sequence[Intent]) -> list[Answer]:
    return [await ask_to_write(client, intent) for intent in intents]


async def attempts_of(client: httpx.AsyncClient, intents: Sequence[Intent]) -> list[str | None]:
    found = [await ask_for_attempt(client, intent) for intent in intents]
    return ["never heard of" if attempt is None else attempt.outcome for attempt in found]


async def counted(running: RunningSandbox, intents: Sequence[Intent]) -> list[tuple[int, int]]:
    """Give for each intent its writes, and how often it shows."""
    return [(requests_of(running, intent), await changes_of(running, intent)) for intent in intents]


async def test_writes_that_outlive_their_gateway_are_found_and_never_sent_again(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = [intents_of(way, 1)[0] for way in WAYS]
    for intent in intents:
        hold_back(sandbox, intent, intent.way.operation, intent.mark)
    at_the_start = now()
    async with killed_while_held(sandbox, tmp_path, intents, monkeypatch) as barrier:
        async with open_door(sandbox, state_in(tmp_path), at_the_start) as client:
            assert codes(await ask_all(client, intents)) == [("UNKNOWN", ["IDEMPOTENCY_KEY_IN_FLIGHT"])] * 4
        async with open_door(sandbox, state_in(tmp_path), now(plus=2 * LEASE_SECONDS)) as client:
            told = await ask_all(client, intents)
            assert codes(told) == [("UNKNOWN", ["OUTCOME_UNKNOWN"])] * 4
            assert ["may still come" in answer.errors[0][1] for answer in told] == [True] * 4
            barrier.is_open.set()
            await until_idle(sandbox)
            assert await attempts_of(client, intents) == ["APPLIED"] * 4
            assert await ask_all(client, intents) == [APPLIED_AGAIN] * 4
    assert await counted(sandbox, intents) == [(1, 1)] * 4


async def test_writes_that_died_with_their_gateway_are_rejected_when_enough_time_has_passed(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = [intents_of(way, 1)[0] for way in WAYS]
    for intent in intents:
        hold_back(sandbox, intent, intent.way.operation, intent.mark)
    async with (
        killed_while_held(sandbox, tmp_path, intents, monkeypatch),  # for good: the sandbox never carries them out
        open_door(sandbox, state_in(tmp_path), now(plus=SETTLE_AFTER_SECONDS)) as client,
    ):
        assert codes(await ask_all(client, intents)) == [("REJECTED", ["UPSTREAM_REJECTED"])] * 4
        assert await attempts_of(client, intents) == ["REJECTED"] * 4
        assert await counted(sandbox, intents) == [(1, 0)] * 4


async def test_writes_whose_gateway_died_before_it_sent_them_are_sent_under_the_same_key(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = [intents_of(way, 1)[0] for way in WAYS]
    for intent in intents:
        hold_back(sandbox, intent, intent.way.look, intent.look_mark)
    async with (
        killed_while_held(sandbox, tmp_path, intents, monkeypatch),
        open_door(sandbox, state_in(tmp_path), now(plus=2 * LEASE_SECONDS)) as client,
    ):
        assert await attempts_of(client, intents) == ["NOT_APPLIED"] * 4
        assert [answer.outcome for answer in await ask_all(client, intents)] == ["APPLIED"] * 4
        assert [(answer.outcome, answer.replayed) for answer in await ask_all(client, intents)] == [("APPLIED", True)] * 4
    assert await counted(sandbox, intents) == [(1, 1)] * 4


@pytest.mark.postgres
@pytest.mark.parametrize("gateways", [1, 2])
async def test_a_drill_over_postgresql_breaks_no_promise(tmp_path: Path, gateways: int) -> None:
    report = await drill(Plan(kills=6, seed=gateways, state="postgres", gateways=gateways), tmp_path)
    assert (report.kills.total(), violations_of(report)) == (6, []), to_text(report)
