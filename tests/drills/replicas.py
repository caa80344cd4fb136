"""The drill of replicas: two gateways over one PostgreSQL, one of them killed every few seconds, while clients read, write and retry.

The sandbox runs in the drill's own process, which nobody kills, so that its books are exact. Its tokens are short-lived, and once all
are revoked: the replicas have to agree on who asks for others.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Final, TypeVar

import httpx

from gateway.sandbox.server import RunningSandbox, serving
from tests.drills.books import take_down_writes
from tests.drills.gateways import GatewayProcess, RequestRefused, ask_for_attempt, ask_to_write, make_client, write_config
from tests.drills.intents import WAYS, Intent, make_intents
from tests.drills.load import TILL_INVOICE, Answers, Question, codes_in, mixture
from tests.drills.stories import Story, violations
from tests.drills.truth import Truth
from tests.journal.postgres import running_postgres

T = TypeVar("T")

REQUESTS_A_MINUTE: Final = 3
"""That a token endpoint may see."""
_MINUTE: Final = 60.0
_READ_SECONDS: Final = 10.0
_WRITE_SECONDS: Final = 30.0
"""The deadlines of the gateway."""
_READERS: Final = 4
_WRITERS: Final = 3
_READ_PAUSE_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 0.05
_TOKEN_SECONDS: Final = 60
"""The life of the till's tokens, which are renewed in the middle of it."""
_QUIET_SECONDS: Final = 2.0
_SETTLE_SECONDS: Final = 45.0
_ENDPOINTS: Final = ("nimpos.Token", "norce.Token")
_AGAIN_CHANCE: Final = 0.2
"""How often a write that is over is asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to drill."""

    minutes: float = 3.0
    kill_every_seconds: float = 10.0
    seed: int = 1


@dataclass(slots=True)
class Report:
    """What came of a drill. `reads` and `writes` have the time of each question from its first attempt to its answer."""

    plan: Plan
    seconds: float = 0.0
    kills: int = 0
    reads: Answers = field(default_factory=Answers)
    writes: Answers = field(default_factory=Answers)
    lost_in_flight: int = 0
    """Requests without an answer from a gateway that was killed meanwhile, or was not there."""
    lost_otherwise: list[str] = field(default_factory=list)
    tokens: dict[str, list[float]] = field(default_factory=dict)
    """By token endpoint, when it was asked, in seconds."""
    stories: list[Story] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """Name every promise that was broken."""
        return list(_violations(self))


def _violations(report: Report) -> Iterator[str]:
    for story in report.stories:
        yield from violations(story)
    yield from (f"no answer from a gateway that nobody had killed: {error}" for error in report.lost_otherwise)
    yield from (f"reads: {count} x {code}" for code, count in report.reads.codes.items() if code != "ok")
    for name, answers, deadline in (("reads", report.reads, _READ_SECONDS), ("writes", report.writes, _WRITE_SECONDS)):
        if not answers.seconds:
            yield f"{name}: none was answered"
        elif answers.p(99) > deadline:
            yield f"{name}: p99 {answers.p(99):.1f} s, more than {deadline:g} s"
    for endpoint, asked in report.tokens.items():
        if (most := busiest_minute(asked)) > REQUESTS_A_MINUTE:
            yield f"{endpoint}: asked {most} times in a minute"


def busiest_minute(moments: Sequence[float]) -> int:
    """Count the most that lie in any minute."""
    return max((sum(start <= moment < start + _MINUTE for moment in moments) for start in moments), default=0)


def to_text(report: Report) -> str:
    """Write a report, with its verdict in the last line."""
    outcomes = Counter(story.outcome for story in report.stories)
    replays = sum(answer.replayed for story in report.stories for answer in story.answers)
    broken = report.violations
    return "\n".join(
        [
            f"two gateways over one PostgreSQL, {report.seconds:.0f} s, {report.kills} kills",
            f"reads: {_timed(report.reads)}; {dict(report.reads.codes)}",
            f"writes: {len(report.stories)} keys, {dict(outcomes)}, {replays} replays; {_timed(report.writes)}",
            f"requests of killed gateways, made again: {report.lost_in_flight}",
            *(
                f"{endpoint}: asked {len(asked)} times, at most {busiest_minute(asked)} in a minute"
                for endpoint, asked in report.tokens.items()
            ),
            *broken,
            f"violations: {len(broken)}",
        ]
    )


def _timed(answers: Answers) -> str:
    if not answers.seconds:
        return "none"
    return f"{len(answers.seconds)} answered, p50 {answers.p(50) * 1000:.0f} ms, p99 {answers.p(99) * 1000:.0f} ms"


@dataclass(slots=True)
class _Door:
    """One gateway. `kills` is how often it was killed; `is_up`: it was seen to listen since."""

    process: GatewayProcess
    client: httpx.AsyncClient
    kills: int = 0
    is_up: bool = True


async def drill(plan: Plan, folder: Path, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """Carry out a plan, with all files in `folder`; `tell` takes a line for whoever waits. Raises `NeverUp`."""
    with running_postgres() as server:
        async with serving(port=0, seed=plan.seed) as sandbox, _open_doors(folder, sandbox, server.address) as doors:
            return await _Drill(plan, sandbox, doors, tell).run()


@asynccontextmanager
async def _open_doors(folder: Path, sandbox: RunningSandbox, state: str) -> AsyncIterator[list[_Door]]:
    config = folder / "gateway.toml"
    write_config(config, sandbox.sandbox.source_tables(sandbox.base_url), state)
    async with AsyncExitStack() as stack:
        doors = []
        for number in range(2):
            process = GatewayProcess(config, folder / f"gateway-{number}.log")
            stack.push_async_callback(process.kill)
            await process.start()
            doors.append(_Door(process, await stack.enter_async_context(make_client(process.url))))
        for door in doors:
            await door.process.wait_until_up()
        yield doors


class _Drill:
    def __init__(self, plan: Plan, sandbox: RunningSandbox, doors: Sequence[_Door], tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._running = sandbox
        self._doors = doors
        self._tell = tell
        self._report = Report(plan, tokens={endpoint: [] for endpoint in _ENDPOINTS})
        self._waiting = deque(self._intents())
        self._free: list[Story] = []
        """Stories that no writer has in hand."""
        self._is_over = False

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self._plan.seed}/{what}")  # noqa: S311  (a drill that can be repeated)

    def _intents(self) -> list[Intent]:
        by_way = make_intents(self._plan.seed, 1)
        # Without the one whose order would carry another invoice than the one that is read, which the till then shows no longer.
        intents = [intent for way in WAYS for intent in by_way[way] if intent.before != TILL_INVOICE]
        self._random("intents").shuffle(intents)
        return intents

    async def run(self) -> Report:
        """Read, write and kill for so long, then let all settle, and look what the sandbox has."""
        started = time.monotonic()
        sandbox = self._running.sandbox
        sandbox.change_switches("nimpos", {"token_life_seconds": _TOKEN_SECONDS})
        sandbox.change_switches("norce", {"duplicate_invoice_no": "stored"})  # no help from the system
        async with asyncio.TaskGroup() as tasks:
            counting = tasks.create_task(self._count_for_ever())
            working = [tasks.create_task(self._read(self._random(f"reader {number}"))) for number in range(_READERS)]
            await asyncio.sleep(_QUIET_SECONDS)
            sandbox.change_switches("norce", {"revoke_tokens": True})  # before there are writes, which a 401 turns away
            await asyncio.sleep(_QUIET_SECONDS)
            working += [tasks.create_task(self._write(self._random(f"writer {number}"))) for number in range(_WRITERS)]
            await self._kill_often(started + self._plan.minutes * _MINUTE)
            self._is_over = True
            await asyncio.gather(*working)
            await self._settle()
            counting.cancel()
        await self._look_up()
        self._report.seconds = time.monotonic() - started
        return self._report

    # Killing

    async def _kill_often(self, end: float) -> None:
        for number, door in enumerate(cycle(self._doors)):
            left = end - time.monotonic()
            await asyncio.sleep(max(0.0, min(left, self._plan.kill_every_seconds)))
            if left <= self._plan.kill_every_seconds:
                return
            door.kills, door.is_up = door.kills + 1, False
            await door.process.kill()
            await door.process.start()
            await door.process.wait_until_up()
            door.is_up = True
            self._report.kills = number + 1
            self._tell(f"{number + 1} kills, {len(self._report.reads.seconds)} reads, {len(self._report.stories)} keys")

    # Reading

    async def _read(self, chance: random.Random) -> None:
        asks = mixture()[:-1]  # without the writes
        while not self._is_over:
            await self._ask_until_answered(chance.choice(asks)(chance), chance)
            await asyncio.sleep(_READ_PAUSE_SECONDS)

    async def _ask_until_answered(self, question: Question, chance: random.Random) -> None:
        started, body = time.monotonic(), {"query": question[0], "variables": question[1]}
        while True:
            door = chance.choice(self._doors)
            response = await self._sent(door, partial(door.client.post, "/graphql", json=body))
            if response is not None:
                self._report.reads.seconds.append(time.monotonic() - started)
                self._report.reads.codes.update(codes_in(response) or ["ok"])
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    # Writing

    async def _write(self, chance: random.Random) -> None:
        seconds_each = self._plan.minutes * _MINUTE * _WRITERS / (len(self._waiting) + 1)
        while not self._is_over:
            story = self._take(chance)
            await self._pursue(story, chance)
            self._free.append(story)
            await asyncio.sleep(chance.uniform(0, 2 * seconds_each * (1 - _AGAIN_CHANCE)))

    def _take(self, chance: random.Random) -> Story:
        if self._free and (not self._waiting or chance.random() < _AGAIN_CHANCE):
            story = chance.choice(self._free)
            self._free.remove(story)
            return story
        story = Story(self._waiting.popleft())
        self._report.stories.append(story)
        return story

    async def _pursue(self, story: Story, chance: random.Random) -> None:
        """Send the same key until it is settled, or all is over."""
        started = time.monotonic()
        while True:
            await self._tell_story(story, chance.choice(self._doors))
            if story.is_over or self._is_over:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        if story.is_over:
            self._report.writes.seconds.append(time.monotonic() - started)

    async def _tell_story(self, story: Story, door: _Door, *, is_looking: bool = False) -> None:
        ask = ask_for_attempt if is_looking else ask_to_write
        try:
            answer = await self._sent(door, lambda: ask(door.client, story.intent))
        except RequestRefused as refusal:
            story.refusals.append(str(refusal))
            return
        if answer is not None:
            story.answers.append(answer)

    async def _sent(self, door: _Door, send: Callable[[], Awaitable[T]]) -> T | None:
        """Give the answer; None: there was none."""
        kills, was_up = door.kills, door.is_up
        try:
            return await send()
        except httpx.TransportError as error:
            if was_up and kills == door.kills:
                self._report.lost_otherwise.append(f"{type(error).__name__}: {error}")
            else:
                self._report.lost_in_flight += 1
            return None

    # The end

    async def _settle(self) -> None:
        """Ask for what is not settled until all is or the patience is over, and once more for everything."""
        end = time.monotonic() + _SETTLE_SECONDS
        doors = cycle(self._doors)
        while time.monotonic() < end and (unsettled := [story for story in self._report.stories if not story.is_over]):
            for story in unsettled:
                await self._tell_story(story, next(doors))
            await asyncio.sleep(_PAUSE_SECONDS)
        for story in self._report.stories:
            await self._tell_story(story, next(doors), is_looking=True)
            await self._tell_story(story, next(doors))

    async def _look_up(self) -> None:
        self._count()
        async with httpx.AsyncClient(base_url=self._running.base_url, trust_env=False) as client:
            truth = await Truth.open(client)
            for story in self._report.stories:
                story.changes = await truth.changes(story.intent)

    # The sandbox's books

    async def _count_for_ever(self) -> None:
        while True:
            self._count()
            await asyncio.sleep(_PAUSE_SECONDS)

    def _count(self) -> None:
        for endpoint, asked in self._report.tokens.items():
            more = self._running.sandbox.calls.by_operation[endpoint] - len(asked)
            asked.extend([time.monotonic()] * more)
        take_down_writes(self._running, self._report.stories)
