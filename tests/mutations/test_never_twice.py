"""One key, one write at the most: any interleaving of calls at two gateways over one journal, with deaths, lost answers and late ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamTimeout, UpstreamUnavailable
from gateway.journal import Journal
from gateway.model import (
    Confirmation,
    CreateInvoiceFromOrder,
    Intent,
    Invoice,
    Kind,
    MutationOutcome,
    Operation,
    Ref,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    Write,
)
from gateway.mutations import Story, WriteResult, Writes
from gateway.sources.base import Claims, Prepared, Refused, Request, Response, Scope, Settled, Source, SourceSet, claims_of
from tests.fakes import FakeClock

ARRIVES_WITHIN: Final = 60.0
"""Seconds after which nothing that was sent can still be applied: half of what the gateway waits."""
KEYS = ("k0", "k1", "k2")
ORDERS = ("o0", "o1")
CALL_NUMBER: ContextVar[int] = ContextVar("CALL_NUMBER")
Fate = Literal["applied", "lost", "vanished", "late", "refused", "turned away", "failed", "not connected"]
FATES: tuple[Fate, ...] = ("applied", "lost", "vanished", "late", "refused", "turned away", "failed", "not connected")


@dataclass
class Upstream:
    """What there really is: the keys whose writes were applied, by order. Late ones arrive when time has passed."""

    clock: FakeClock
    made: dict[str, list[str]] = field(default_factory=lambda: {order: [] for order in ORDERS})
    late: list[tuple[datetime, str, str]] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    """How often a write of each key came here and was not turned away."""

    def arrive(self, *, all_of_them: bool = False) -> None:
        due = self.clock.now() - timedelta(seconds=ARRIVES_WITHIN)
        for sent, order, key in [item for item in self.late if all_of_them or item[0] <= due]:
            self.late.remove((sent, order, key))
            self.made[order].append(key)

    def has(self, key: str) -> bool:
        return any(key in keys for keys in self.made.values()) or any(item[2] == key for item in self.late)


@dataclass
class Gate:
    """Where a call stands still until it is told what comes next."""

    call: int
    told: asyncio.Future[Fate]


class Stage:
    """Everything that one example plays on."""

    def __init__(self, journal: Journal, clock: FakeClock) -> None:
        self.clock = clock
        self.upstream = Upstream(clock)
        self.gates: list[Gate] = []
        self.calls: dict[int, tuple[str, asyncio.Task[WriteResult]]] = {}
        self._count = 0
        self._changed = asyncio.Event()
        self.gateways = [Writes(journal, clock, settle_after_seconds=120, pause=self._pause) for _ in range(2)]
        self.source = cast("Source", SteppedSource(self))
        self.sources = SourceSet([self.source])

    async def _pause(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def gate(self) -> Fate:
        gate = Gate(CALL_NUMBER.get(), asyncio.get_running_loop().create_future())
        self.gates.append(gate)
        self._changed.set()
        return await gate.told

    def go(self, gate: Gate, fate: Fate) -> None:
        self.gates.remove(gate)
        gate.told.set_result(fate)

    def kill(self, gate: Gate) -> None:
        """Do never what a killed process was about to do: its call stays at the gate, and nobody waits for it."""
        self.gates.remove(gate)
        del self.calls[gate.call]

    @property
    def last_call(self) -> int:
        return self._count

    def call(self, key: str, order: str, gateway: int) -> None:
        self._count += 1
        self.calls[self._count] = (key, asyncio.ensure_future(self._write(self._count, key, order, self.gateways[gateway])))

    async def _write(self, number: int, key: str, order: str, writes: Writes) -> WriteResult:
        CALL_NUMBER.set(number)
        intent = Intent(caller="c", key=key, mutation="createInvoiceFromOrder", source="src", input_hash=order, request_id="r")
        earlier = await writes.earlier(intent, self.sources, self.scope())
        if earlier is not None:
            return earlier
        return await writes.run(self.source, CreateInvoiceFromOrder(order=Ref("src", Kind.ORDER, order, key)), intent, self.scope())

    def scope(self) -> Scope:
        return Scope(request_id="r", deadline=self.clock.monotonic() + 30)

    async def still(self) -> None:
        """Wait until every call has ended or stands at a gate."""
        while running := [task for number, (_, task) in self.calls.items() if number not in {gate.call for gate in self.gates}]:
            self._changed.clear()
            changed = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait([*running, changed], return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            self.judge()

    def judge(self) -> None:
        """Hold every call that has ended against what there really is."""
        for number in [number for number, (_, task) in self.calls.items() if task.done()]:
            key, task = self.calls.pop(number)
            result = task.result()
            if UserErrorCode.IDEMPOTENCY_KEY_REUSED not in {error.code for error in result.errors}:
                self._judge(key, result.outcome)
        for key in KEYS:
            assert sum(keys.count(key) for keys in self.upstream.made.values()) <= 1, "written twice"
            assert self.upstream.reached[key] <= 1, "sent twice"

    def judge_story(self, key: str, story: Story | None) -> None:
        if story is None:
            assert not self.upstream.has(key), "nobody knows of it"
        else:
            self._judge(key, story.attempt.outcome)

    def _judge(self, key: str, outcome: MutationOutcome | None) -> None:
        if outcome is MutationOutcome.APPLIED:
            assert any(key in keys for keys in self.upstream.made.values()), "a success that the source lacks"
        elif outcome not in {None, MutationOutcome.UNKNOWN}:
            assert not self.upstream.has(key), f"{outcome} though it was written"


class SteppedSource:
    """A source over that upstream, which stands still before each step."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def profile(self) -> object:
        return _Profile()

    @property
    def personal_fields(self) -> frozenset[str]:
        return frozenset()

    def claims(self, write: Write) -> Claims:
        return claims_of(write)

    async def prepare(self, write: Write, scope: Scope) -> Prepared:
        del scope
        assert isinstance(write, CreateInvoiceFromOrder)
        order = write.order.native_id
        await self._stage.gate()
        before = list(self._stage.upstream.made[order])
        request = Request(operation="Make", method="POST", path="/make", json={"order": order, "key": write.order.hint})
        return Prepared(operation=Operation.CREATE_INVOICE_FROM_ORDER, request=request, subject=order, before=before)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        del scope
        order, key = _told(prepared)
        upstream, begun = self._stage.upstream, self._stage.clock.now()
        fate = await self._stage.gate()
        if (self._stage.clock.now() - begun).total_seconds() >= ARRIVES_WITHIN:
            fate = "vanished"
        if fate in {"applied", "lost", "late", "vanished"}:
            upstream.reached[key] += 1
        if fate in {"applied", "lost"}:
            upstream.made[order].append(key)
        if fate == "late":
            upstream.late.append((begun, order, key))
        if fate in {"lost", "late", "vanished"}:
            raise UpstreamTimeout("Make: no answer", source="src", operation="Make")
        if fate == "not connected":
            raise UpstreamUnavailable("Make: no connection", source="src", operation="Make", nothing_sent=True)
        return Response({"applied": 200, "refused": 400, "turned away": 429}.get(fate, 500), {}, b"")

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        del response, scope
        return self._applied(prepared)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        del scope
        self._stage.upstream.arrive()
        order, _ = _told(prepared)
        now, before = self._stage.upstream.made[order], cast("list[str]", prepared.before)
        new = now[len(before) :]
        if len(new) == 1:
            return self._applied(prepared)
        if not new:
            return Settled(outcome=MutationOutcome.REJECTED, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, "there is none"),))
        return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, "several"),))

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        del prepared, scope
        return None

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        return (UpstreamRefusal(status=response.status),)

    def _applied(self, prepared: Prepared) -> Settled:
        invoice = Invoice(ref=Ref("src", Kind.INVOICE, prepared.subject or ""), native_type="Invoice")
        return Settled(outcome=MutationOutcome.APPLIED, confirmation=Confirmation.READ_BACK, record=invoice)


class _Profile:
    key = "src"


def _told(prepared: Prepared) -> tuple[str, str]:
    told = cast("Mapping[str, str]", prepared.request.json)
    return told["order"], told["key"]


# ------------------------------------------------------------------ steps


Step = tuple[str, int, int, int]
# A call that nothing comes between, or only a part of one: where it then stands still others may come first.
WRITE = st.tuples(st.just("write"), st.integers(0, 2), st.integers(0, 1), st.integers(0, len(FATES) - 1))
CALL = st.tuples(st.just("call"), st.integers(0, 2), st.integers(0, 1), st.integers(0, 1))
GO = st.tuples(st.just("go"), st.integers(0, 5), st.integers(0, len(FATES) - 1), st.just(0))
KILL = st.tuples(st.just("kill"), st.integers(0, 5), st.just(0), st.just(0))
TIME = st.tuples(st.just("time"), st.sampled_from([1, 11, 40, 121]), st.just(0), st.just(0))
ASK = st.tuples(st.just("ask"), st.integers(0, 2), st.integers(0, 1), st.just(0))
ARRIVE = st.tuples(st.just("arrive"), st.just(0), st.just(0), st.just(0))


async def play(steps: list[Step]) -> None:
    clock = FakeClock()
    journal = Journal("sqlite://", now=clock.now)
    await journal.open()
    try:
        stage = Stage(journal, clock)
        for step in steps:
            await take(stage, step)
            await stage.still()
        await end(stage)
    finally:
        await journal.aclose()


async def take(stage: Stage, step: Step) -> None:
    match step:
        case ("call", key, order, gateway):
            stage.call(KEYS[key], ORDERS[order], gateway)
        case ("go", gate, fate, _) if stage.gates:
            stage.go(stage.gates[gate % len(stage.gates)], FATES[fate])
        case ("kill", gate, _, _) if stage.gates:
            stage.kill(stage.gates[gate % len(stage.gates)])
        case ("time", seconds, _, _):
            stage.clock.advance(seconds)
            stage.upstream.arrive()
        case ("write", key, order, fate):
            stage.call(KEYS[key], ORDERS[order], key % 2)
            for _ in range(2):
                await stage.still()
                if stage.gates and stage.gates[-1].call == stage.last_call:
                    stage.go(stage.gates[-1], FATES[fate])
        case ("ask", key, gateway, _):
            stage.judge_story(KEYS[key], await stage.gateways[gateway].attempt("c", KEYS[key], stage.sources, stage.scope()))
        case ("arrive", _, _, _):
            stage.upstream.arrive(all_of_them=True)
        case _:
            pass


async def end(stage: Stage) -> None:
    """Kill what is left, wait long enough, and ask for every key: each is settled, as the upstream has it."""
    stage.calls.clear()
    stage.clock.advance(121)
    stage.upstream.arrive()
    for key in KEYS:
        story = await stage.gateways[0].attempt("c", key, stage.sources, stage.scope())
        stage.judge_story(key, story)
        assert story is None or story.attempt.is_settled
    stage.judge()


@given(st.lists(st.one_of(WRITE, WRITE, CALL, GO, GO, KILL, TIME, ASK, ARRIVE), max_size=25))
def test_any_interleaving_keeps_the_rules(steps: list[Step]) -> None:
    asyncio.run(play(steps))
