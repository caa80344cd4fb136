"""The kill drill: gateways are killed with SIGKILL at random moments while clients write, each intent under a key of its own.

The sandbox runs in the drill's own process, which nobody kills, so that its books are exact.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import httpx
import msgspec

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox, serving
from tests.drills.books import take_down_writes
from tests.drills.gateways import GatewayProcess, RequestRefused, ask_for_attempt, ask_to_write, make_client, write_config
from tests.drills.intents import WAYS, Intent, make_intents
from tests.drills.stories import Answer, Story
from tests.drills.truth import Truth
from tests.journal.postgres import running_postgres

State = Literal["sqlite", "postgres"]

_WORKERS: Final = 8
_INTENTS_A_KILL: Final = 4
_KILLS_A_ROUND: Final = 100
_PAUSE_SECONDS: Final = 0.03
_LOOK_AGAIN_SECONDS: Final = 0.5
_SETTLE_SECONDS: Final = 45.0
_UNTIL_RECEIVED_SECONDS: Final = 1.0

_FAULTS: Final = {None: 34, "latency": 32, "lost_answer": 10, "lost_answer_late": 6, "drop": 8, "status 503": 6, "status 429": 4}
"""What strikes the first write of a key, and how often in a hundred."""
_BLIND_CHANCE: Final = 0.1
"""How often the read fails that would tell what became of it."""
_TWIN_CHANCE: Final = 0.3
"""How often a key is sent to all gateways at once."""
_MOMENTS: Final = {"random": 50, "received": 40, "starting": 10}
"""When a gateway is killed: at any time, when the sandbox has just received a write, or while it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to drill."""

    kills: int = 200
    seed: int = 1
    state: State = "sqlite"
    gateways: int = 1


@dataclass(slots=True)
class Report:
    """What came of a drill."""

    plan: Plan
    stories: list[Story] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    """By the moment that was chosen."""
    hits: int = 0
    """Kills with at least one unsettled key in the hands of the gateway."""
    seconds: float = 0.0


@dataclass(slots=True)
class Door:
    """One gateway, and the keys in its hands."""

    process: GatewayProcess
    client: httpx.AsyncClient
    in_hand: list[Story] = field(default_factory=list)
    received: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the sandbox holds back a write."""


async def drill(plan: Plan, folder: Path, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """Carry out a plan, with all files in `folder`; `tell` takes a line for whoever waits. Raises `NeverUp`."""
    started = time.monotonic()
    report = Report(plan)
    with _open_state(plan, folder) as state:
        async with serving(port=0, seed=plan.seed) as sandbox, _open_doors(plan, folder, sandbox, state) as doors:
            left = plan.kills
            for number in range(1, 1 + -(-plan.kills // _KILLS_A_ROUND)):
                kills = min(left, _KILLS_A_ROUND)
                left -= kills
                tell(f"round {number}: {kills} kills")
                await _Round(report, sandbox, doors, number).run(kills)
    report.seconds = time.monotonic() - started
    return report


@contextmanager
def _open_state(plan: Plan, folder: Path) -> Iterator[str]:
    if plan.state == "sqlite":
        yield f"sqlite:///{folder / 'journal.db'}"
        return
    with running_postgres() as server:
        yield server.address


@asynccontextmanager
async def _open_doors(plan: Plan, folder: Path, sandbox: RunningSandbox, state: str) -> AsyncIterator[list[Door]]:
    config = folder / "gateway.toml"
    write_config(config, sandbox.sandbox.source_tables(sandbox.base_url), state)
    async with AsyncExitStack() as stack:
        doors = []
        for number in range(plan.gateways):
            process = GatewayProcess(config, folder / f"gateway-{number}.log")
            stack.push_async_callback(process.kill)
            client = await stack.enter_async_context(make_client(process.url))
            doors.append(Door(process, client))
        yield doors


class _Round:
    """One round over a sandbox at its seed, with keys that were never used before."""

    def __init__(self, report: Report, sandbox: RunningSandbox, doors: Sequence[Door], number: int) -> None:
        self._report = report
        self._running = sandbox
        self._doors = doors
        self._name = f"{report.plan.seed}/{number}"
        self._number = number
        self._chance = self._random("intents")
        self._waiting: deque[Intent] = deque()
        """Intents that nobody has begun."""
        self._may_begin = 0
        self._stories: list[Story] = []
        self._free: list[Story] = []
        """Stories that no worker has in hand."""
        self._is_over = False

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self._name}/{what}")  # noqa: S311  (a drill that can be repeated)

    async def run(self, kills: int) -> None:
        """Write and kill, then let all settle, and look what the sandbox has."""
        self._reset_sandbox()
        self._shuffle_intents()
        await self._restart_all()
        self._may_begin = _INTENTS_A_KILL
        async with asyncio.TaskGroup() as tasks:
            for number in range(_WORKERS):
                tasks.create_task(self._work(self._random(f"worker {number}")))
            counter = tasks.create_task(self._count_for_ever())
            await self._kill_all(kills)
            self._is_over = True
            counter.cancel()
        await self._up()
        await self._settle()
        await self._ask_once_more()
        await self._look_up()
        self._report.stories.extend(self._stories)

    def _reset_sandbox(self) -> None:
        sandbox = self._running.sandbox
        sandbox.reset()
        sandbox.change_switches("norce", {"duplicate_invoice_no": "stored", "token_limit": False})  # no help from the system
        sandbox.sleep = self._hold

    async def _hold(self, seconds: float) -> None:
        for door in self._doors:
            door.received.set()
        await asyncio.sleep(seconds)

    def _shuffle_intents(self) -> None:
        by_way = make_intents(self._report.plan.seed, self._number)
        each = min(len(intents) for intents in by_way.values())
        chosen = [intent for way in WAYS for intent in self._chance.sample(by_way[way], each)]
        self._chance.shuffle(chosen)
        self._waiting.extend(chosen)

    async def _restart_all(self) -> None:
        """Start afresh: the sandbox has forgotten the tokens that it gave out."""
        for door in self._doors:
            await door.process.kill()
            await door.process.start()
        await self._up()

    async def _up(self) -> None:
        for door in self._doors:
            await door.process.wait_until_up()

    # Killing

    async def _kill_all(self, kills: int) -> None:
        count = len(self._doors)
        shares = [kills // count + (number < kills % count) for number in range(count)]
        await asyncio.gather(
            *(
                self._kill_often(door, share, self._random(f"killer {number}"))
                for number, (door, share) in enumerate(zip(self._doors, shares, strict=True))
            )
        )

    async def _kill_often(self, door: Door, kills: int, chance: random.Random) -> None:
        for _ in range(kills):
            moment = chance.choices(list(_MOMENTS), list(_MOMENTS.values()))[0]
            await self._wait_for(moment, door, chance)
            in_hand = [story for story in door.in_hand if not story.is_over]
            await door.process.kill()
            for story in in_hand:
                story.kills += 1
            self._report.hits += bool(in_hand)
            self._report.kills[moment] += 1
            self._may_begin += _INTENTS_A_KILL
            await door.process.start()

    async def _wait_for(self, moment: str, door: Door, chance: random.Random) -> None:
        if moment == "starting":
            await asyncio.sleep(chance.uniform(0.05, 1.0))
            return
        await door.process.wait_until_up()
        if moment == "random":
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            return
        door.received.clear()
        try:
            await asyncio.wait_for(door.received.wait(), _UNTIL_RECEIVED_SECONDS)
        except TimeoutError:
            return
        await asyncio.sleep(chance.choice((0.0, 0.0, 0.01, 0.05)))

    # Writing

    async def _work(self, chance: random.Random) -> None:
        while not self._is_over:
            story = self._take(chance)
            if story is None:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            await self._pursue(story, chance)
            self._free.append(story)

    def _take(self, chance: random.Random) -> Story | None:
        """Begin an intent, or take up one that is not settled, or at times one that is; None: nothing to do now."""
        if self._may_begin > 0 and self._waiting:
            self._may_begin -= 1
            return self._begin(self._waiting.popleft(), chance)
        again = [story for story in self._free if not story.is_over] or self._free
        if not again:
            return None
        story = chance.choice(again)
        self._free.remove(story)
        return story

    def _begin(self, intent: Intent, chance: random.Random) -> Story:
        story = Story(intent, chance.choices(list(_FAULTS), list(_FAULTS.values()))[0])
        faults = self._running.sandbox.faults
        if story.fault is not None:
            faults.add(_make_fault(intent, story.fault, chance))
        if chance.random() < _BLIND_CHANCE:
            way = intent.way
            faults.add(Fault(system=way.system, operation=way.look, match=intent.look_mark, kind="status", status=503, after=1, times=1))
        self._stories.append(story)
        return story

    async def _pursue(self, story: Story, chance: random.Random) -> None:
        """Send the same key until there is an outcome, if only UNKNOWN."""
        while not self._is_over:
            doors = self._doors if chance.random() < _TWIN_CHANCE else [chance.choice(self._doors)]
            await asyncio.gather(*(self._ask(door, story, ask_to_write) for door in doors))
            await asyncio.sleep(_PAUSE_SECONDS)
            if story.is_over or (story.last is not None and story.last.outcome == "UNKNOWN"):
                return

    async def _ask(self, door: Door, story: Story, how: Callable[[httpx.AsyncClient, Intent], Awaitable[Answer | None]]) -> None:
        story.looks += story.last is not None and story.last.outcome == "UNKNOWN" and not story.last.is_in_flight
        door.in_hand.append(story)
        try:
            answer = await how(door.client, story.intent)
        except httpx.TransportError:
            return
        except RequestRefused as refusal:
            story.refusals.append(str(refusal))
            return
        finally:
            door.in_hand.remove(story)
        if answer is not None:
            story.answers.append(answer)

    # The end

    async def _settle(self) -> None:
        """Ask for what is not settled, by `attempt` and by the same key in turn, until all is or the patience is over."""
        ways = (ask_for_attempt, ask_to_write)
        for number in range(int(_SETTLE_SECONDS / _LOOK_AGAIN_SECONDS)):
            unsettled = [story for story in self._stories if not story.is_over]
            if not unsettled:
                return
            await self._ask_all(unsettled, ways[number % len(ways)])
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _ask_once_more(self) -> None:
        await self._ask_all(self._stories, ask_for_attempt)
        await self._ask_all(self._stories, ask_to_write)

    async def _ask_all(self, stories: Sequence[Story], how: Callable[[httpx.AsyncClient, Intent], Awaitable[Answer | None]]) -> None:
        slots = asyncio.Semaphore(_WORKERS)

        async def ask(number: int, story: Story) -> None:
            async with slots:
                await self._ask(self._doors[number % len(self._doors)], story, how)

        await asyncio.gather(*(ask(number, story) for number, story in enumerate(stories)))

    async def _look_up(self) -> None:
        calls = self._running.sandbox.calls
        while any(calls.in_flight.values()):  # noqa: ASYNC110  (the sandbox has no event for it)
            await asyncio.sleep(_PAUSE_SECONDS)
        self._count()
        self._running.sandbox.faults.clear()  # those that found nothing to strike
        async with httpx.AsyncClient(base_url=self._running.base_url, trust_env=False) as client:
            truth = await Truth.open(client)
            for story in self._stories:
                story.changes = await truth.changes(story.intent)

    # The sandbox's books

    async def _count_for_ever(self) -> None:
        while True:
            self._count()
            await asyncio.sleep(_PAUSE_SECONDS)

    def _count(self) -> None:
        take_down_writes(self._running, self._stories)


def _make_fault(intent: Intent, kind: str, chance: random.Random) -> Fault:
    """Make what strikes the first write of an intent."""
    name, _, status = kind.partition(" ")
    seconds = {"latency": chance.uniform(0.02, 0.7), "lost_answer_late": chance.uniform(0.05, 0.4)}.get(name)
    plain = {
        "system": intent.way.system,
        "operation": intent.way.operation,
        "match": intent.mark,
        "kind": name,
        "times": 1,
        "seconds": seconds,
        "status": int(status) if status else None,
    }
    return msgspec.convert(plain, Fault)
