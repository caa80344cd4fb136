"""Measuring: rounds of each question, stack after stack, so that what a machine does meanwhile falls on all alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import uvloop

from tests.bench import usage
from tests.bench.answers import WrongAnswer, check
from tests.bench.figures import Figures, medians, percentile
from tests.bench.load import NoAnswer, Request, connected, load, request_bytes
from tests.bench.questions import Question
from tests.bench.stacks import Stack, Upstream

Tell = Callable[[str], None]
_HIGHEST_PERCENT: Final = 99


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often: `warm_seconds` once before `rounds` of `seconds`."""

    seconds: float = 3.0
    rounds: int = 5
    warm_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a question cost a stack. `figures` None: it was not measured, and `failure` says why."""

    stack: str
    question: str
    objects: int
    connections: int
    workers: int
    figures: Figures | None
    rounds: Sequence[Figures] = ()
    failure: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)


class Bench:
    """Measures stacks over one upstream."""

    def __init__(self, upstream: Upstream, effort: Effort, tell: Tell) -> None:
        self._upstream = upstream
        self._effort = effort
        self._tell = tell

    async def measure(self, question: Question, stacks: Sequence[Stack], connections: int, workers: int = 1) -> list[Result]:
        """Measure one question; a stack that has no way to be asked it, or answers wrongly, has a failure instead of figures."""
        rounds: dict[str, list[Figures]] = {stack.name: [] for stack in stacks}
        failures: dict[str, str] = {}
        for number in range(self._effort.rounds + 1):
            for stack in stacks:
                if stack.name not in failures:
                    await self._try(stack, question, connections, rounds[stack.name], failures, is_warm=number > 0)
            if number:
                self._tell(f"  {question.name}, {question.objects} objects, {connections} connections: round {number}")
        return [_result(stack.name, question, connections, workers, rounds[stack.name], failures.get(stack.name)) for stack in stacks]

    async def _try(
        self, stack: Stack, question: Question, connections: int, rounds: list[Figures], failures: dict[str, str], *, is_warm: bool
    ) -> None:
        document = stack.document_of(question)
        if document is None:
            failures[stack.name] = "there is no way to ask it this"
            return
        requests = [_prepared(stack, document, question, number) for number in range(connections)]
        try:
            if is_warm:
                rounds.append(await self._round(stack, requests))
            else:
                await self._warm(stack, requests)
        except (NoAnswer, WrongAnswer, TimeoutError, OSError) as error:
            failures[stack.name] = f"{type(error).__name__}: {error}"

    async def _warm(self, stack: Stack, requests: Sequence[Request]) -> None:
        async with connected(stack.port, requests) as opened:
            await load(opened, self._effort.warm_seconds)
        with suppress(OSError):  # the kernel may not let us: the peak is then that of the whole run
            usage.reset_peak(stack.pid)

    async def _round(self, stack: Stack, requests: Sequence[Request]) -> Figures:
        async with connected(stack.port, requests) as opened:
            await load(opened, 0)  # each connection's first answer is read and compared, the others with that one
            calls, cpu = self._calls(), usage.cpu_seconds(stack.pid)
            sample = await load(opened, self._effort.seconds)
            used, calls = usage.cpu_seconds(stack.pid) - cpu, self._calls() - calls
        count = len(sample.latencies)
        return Figures(
            cpu_milliseconds=used * 1000 / count,
            requests_a_second=count / sample.seconds,
            p50_milliseconds=percentile(sample.latencies, 50) * 1000,
            p99_milliseconds=percentile(sample.latencies, _HIGHEST_PERCENT) * 1000,
            upstream_calls=calls / count,
            peak_bytes=usage.peak_bytes(stack.pid),
        )

    def _calls(self) -> int:
        return sum(self._upstream.counts().values())


def _prepared(stack: Stack, document: str, question: Question, connection: int) -> Request:
    block = question.block_of(connection)
    request = request_bytes(f"127.0.0.1:{stack.port}", stack.path, document, question.variables(block))
    return request, partial(_check, question=question, block=block)


def _check(body: bytes, *, question: Question, block: int) -> None:
    check(body, question.expected(block))


def _result(stack: str, question: Question, connections: int, workers: int, rounds: Sequence[Figures], failure: str | None) -> Result:
    figures = medians(rounds) if rounds and failure is None else None
    return Result(stack, question.name, question.objects, connections, workers, figures, rounds, failure)


def measure_all(
    bench: Bench, questions: Sequence[Question], stacks: Sequence[Stack], connections: Sequence[int], workers: int
) -> list[Result]:
    """Measure every question with every number of connections."""

    async def run() -> list[Result]:
        return [
            result for question in questions for number in connections for result in await bench.measure(question, stacks, number, workers)
        ]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())
