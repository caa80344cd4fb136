"""The command `run`: one mutation a row, some at once, and a result of each in a file, so that it can be begun again at any time."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.client.batch import Batch, Task
from gateway.client.complaints import line_of
from gateway.client.endpoint import Answer, Endpoint, NoAnswer
from gateway.client.exits import Exit, of_outcome, worse
from gateway.client.progress import Progress
from gateway.client.results import Result, ResultFile

_PAUSES: Final = (1.0, 2.0)
"""Before a row is asked again of which nothing was done."""
_OF_ONE_ROW: Final = frozenset({"BAD_USER_INPUT"})
"""Codes of requests that are refused as a whole because of what is in this row; others are refused for all rows."""

_IN_FLIGHT: Final = "IDEMPOTENCY_KEY_IN_FLIGHT"
_MOST_SILENCES: Final = 5
"""Rows without an answer, one after another, before no further one is begun."""

Told = dict[str, Any]


class Stopped(Exception):
    """Somebody wants an end, and this row is not under way."""


@dataclass(slots=True)
class Stop:
    """Set once somebody wants an end: no further row is begun, and nobody waits any more."""

    event: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        """Wait, unless somebody wants an end. Raises `Stopped`."""
        try:
            await asyncio.wait_for(self.event.wait(), seconds)
        except TimeoutError:
            return
        raise Stopped


@dataclass(slots=True)
class Run:
    """One go through the rows of a batch."""

    batch: Batch
    endpoint: Endpoint
    """Its patience ends with `stop`."""
    results: ResultFile
    earlier: Mapping[str, Result]
    progress: Progress
    stop: Stop
    count: int
    """Of all rows."""
    at_once: int
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of this go and, where they were settled, of earlier ones."""
    _asked: int = 0
    _silences: int = 0
    _earlier: int = 0
    _why: str | None = None

    async def go(self) -> Exit:
        """Ask for all rows that are not settled, and say how it went."""
        tasks = self._open_tasks()
        lanes = [asyncio.create_task(self._lane(tasks)) for _ in range(self.at_once)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
        deque(tasks, maxlen=0)  # what was settled earlier counts, also behind where it was stopped
        return self._sum_up()

    def _open_tasks(self) -> Iterator[Task]:
        for task in self.batch.tasks():
            before = self.earlier.get(task.key)
            if before is not None and before.is_settled and before.sent == task.sent and not self.batch.mutation.is_dry_run:
                self.outcomes[before.outcome] += 1
                self._earlier += 1
            else:
                yield task

    async def _lane(self, tasks: Iterator[Task]) -> None:
        for task in tasks:
            if self.stop.event.is_set():
                return
            try:
                told = await self._ask(task)
            except Stopped:
                return
            self._take(task, told)

    async def _ask(self, task: Task) -> Told:
        """Ask for a row, and again where nothing was done, or an earlier go still is about it."""
        for pause in (*_PAUSES, None):
            told = await self._ask_once(task)
            if pause is None or not _may_change_soon(told) or self.stop.event.is_set():
                break
            try:
                await self.endpoint.sleep(pause)
            except Stopped:
                break  # what became of it is known, and is taken down
        return told

    async def _ask_once(self, task: Task) -> Told:
        try:
            answer = await self.endpoint.ask(task.body, task.headers)
        except NoAnswer as error:
            self._silences += 1
            if error.nothing_begun or self._silences >= _MOST_SILENCES:
                self._end(str(error))
            return {"outcome": "NOT_APPLIED" if error.nothing_begun else "UNKNOWN", "errors": [{"message": str(error)}]}
        self._silences = 0
        return self._told_by(answer)

    def _told_by(self, answer: Answer) -> Told:
        mutation = self.batch.mutation
        payload = mutation.payload_of(answer)
        if payload is None:
            if not answer.was_executed and not answer.codes <= _OF_ONE_ROW:
                self._end(line_of(answer.errors[0]))
            return {"outcome": "UNKNOWN" if answer.was_executed else "NOT_APPLIED", "errors": answer.errors}
        return {
            "outcome": str(mutation.told_in(payload, "outcome")),
            "ids": mutation.ids_in(payload),
            "userErrors": mutation.user_errors_in(payload),
            **({"errors": answer.errors} if answer.errors else {}),
            "payload": payload,
        }

    def _end(self, why: str) -> None:
        """Begin no further row: what refused this one refuses all."""
        self._why = self._why or why
        self.stop.event.set()

    def _take(self, task: Task, told: Told) -> None:
        """Take down what became of a row, then tell it where it is not as wished."""
        is_dry_run = self.batch.mutation.is_dry_run
        self.results.add({"row": task.number, "key": task.key, **told, "dryRun": is_dry_run, "sent": task.sent})
        self.outcomes[told["outcome"]] += 1
        self._asked += 1
        if of_outcome(told["outcome"]) is not Exit.FINE:
            for reason in _reasons(told):
                self.progress.say(f"row {task.number}: key {task.key}: {told['outcome']}: {reason}")
        self.progress.show(lambda: self._shown(self._asked))

    def _shown(self, asked: int) -> str:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        before = f" ({self._earlier} earlier)" if self._earlier else ""
        return f"{self.outcomes.total()} of {self.count} rows{before}, {self.progress.rate_of(asked)}: {outcomes or 'none'}"

    def _sum_up(self) -> Exit:
        if self._why is not None:
            self.progress.say(f"stopped: {self._why}")
        self.progress.say(self._shown(self._asked))
        left = self.count - self.outcomes.total()
        again = left + self.outcomes["UNKNOWN"] + self.outcomes["NOT_APPLIED"]
        if again:
            self.progress.say(f"the same command goes on with {again} rows; what is settled is not asked again, and nothing is sent twice")
        code = Exit.FAILED if left else Exit.FINE
        for outcome in self.outcomes:
            code = worse(code, of_outcome(outcome))
        return code


def _may_change_soon(told: Told) -> bool:
    if "errors" in told:
        return False
    return told["outcome"] == "NOT_APPLIED" or any(error.get("code") == _IN_FLIGHT for error in told["userErrors"])


def _reasons(told: Told) -> list[str]:
    """Give why a row is not as wished, one line each."""
    mistakes = [f"{error.get('code', '-')}: {error.get('message', '-')}{_place(error)}" for error in told.get("userErrors", ())]
    return mistakes or [line_of(error) if "extensions" in error else str(error.get("message")) for error in told.get("errors", ())] or ["-"]


def _place(error: Mapping[str, Any]) -> str:
    return f" (at {'.'.join(error['field'])})" if error.get("field") else ""
