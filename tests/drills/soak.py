"""The soak: a gateway at 80 % of its capacity while one call in twenty meets a fault. Its memory must stay as it is.

Memory and sockets of the gateway's process are read from /proc, which only Linux has; elsewhere they are not judged.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from tests.drills.load import LEFT_OUT, Answers, Load, mixture, open_stand

SHARE: Final = 0.8
FAULT_SHARE: Final = 0.05
GROWTH_PERCENT: Final = 5.0
"""In ten minutes, after the first."""
_PROC: Final = Path("/proc")
_CAPACITY_SECONDS: Final = 8.0
_CAPACITY_AT_ONCE: Final = 16
_AT_MOST: Final = 32
"""Questions under way at once: where the machine gets slower meanwhile, the rest is left out, and the report says how much."""
_SAMPLE_SECONDS: Final = 2.0
_FAULTS_SECONDS: Final = 0.5
_FIRST_SECONDS: Final = 60.0
_NEAR_SECONDS: Final = 20.0
"""How much of the samples is taken together, at both ends, as collections of garbage move single ones."""
_CALLS_AT_ONCE: Final = 4 * 32
"""Of four sources, `max_in_flight` each."""
_SPARE_SOCKETS: Final = 8

_KINDS: Final[tuple[Mapping[str, Any], ...]] = (
    {"kind": "latency", "seconds": 0.3},
    {"kind": "stall"},
    {"kind": "drop"},
    {"kind": "reset_mid_body"},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "malformed"},
    {"kind": "empty"},
    {"kind": "wrong_type"},
    {"kind": "redirect"},
    {"kind": "trickle", "seconds": 1.0},
)
"""Without 401: of systems whose tokens may be asked for three times a minute it says more than one call. Without bombs: they cost the
sandbox, which shares the machine."""
EXPLAINED: Final = frozenset({
    "ok",
    "UPSTREAM_TIMEOUT",
    "UPSTREAM_UNAVAILABLE",
    "UPSTREAM_RATE_LIMITED",
    "UPSTREAM_AUTH",
    "UPSTREAM_REJECTED",
    "UPSTREAM_BAD_RESPONSE",
    "ABSENCE_UNPROVEN",  # a window that came empty
    "NOT_APPLIED",
    "UNKNOWN",
    "REJECTED",
})  # fmt: skip
"""What the faults explain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to soak."""

    minutes: float = 10.0
    rate: float | None = None
    """Questions a second; None: 80 % of what the gateway shows to be able to."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """What the gateway's process had at a time: seconds since the start, bytes of memory, and sockets."""

    at: float
    memory: int
    sockets: int


@dataclass(slots=True)
class Report:
    """What came of a soak."""

    plan: Plan
    capacity: float | None = None
    rate: float = 0.0
    calls: int = 0
    faults: int = 0
    seconds: float = 0.0
    answers: Answers = field(default_factory=Answers)
    samples: list[Sample] = field(default_factory=list)

    @property
    def ends(self) -> tuple[int, int] | None:
        """Give the memory after the first minute and at the end, in bytes; None: it was not measured, or there was no second minute."""
        first = [sample.memory for sample in self.samples if _FIRST_SECONDS <= sample.at < _FIRST_SECONDS + _NEAR_SECONDS]
        last = [sample.memory for sample in self.samples if sample.at >= max(self.seconds - _NEAR_SECONDS, _FIRST_SECONDS + _NEAR_SECONDS)]
        return (int(median(first)), int(median(last))) if first and last else None

    @property
    def growth_percent(self) -> float | None:
        """Give by how much the memory grew after the first minute."""
        return None if self.ends is None else (self.ends[1] / self.ends[0] - 1) * 100

    @property
    def most_growth_percent(self) -> float:
        """Give by how much it may grow: no more in a soak that is shorter than ten minutes."""
        return GROWTH_PERCENT * max(1.0, (self.plan.minutes - 1) / 10)

    @property
    def most_sockets(self) -> int:
        """Give the most that were open at a time."""
        return max((sample.sockets for sample in self.samples), default=0)

    @property
    def socket_bound(self) -> int:
        """Give how many there may be: those of clients, and a call each that may be in flight."""
        return max(_AT_MOST, _CAPACITY_AT_ONCE) + _CALLS_AT_ONCE + _SPARE_SOCKETS

    @property
    def unexpected(self) -> dict[str, int]:
        """Give what no fault explains."""
        return {code: number for code, number in self.answers.codes.items() if code not in EXPLAINED and code != LEFT_OUT}

    @property
    def violations(self) -> list[str]:
        """Name every broken promise."""
        growth = self.growth_percent
        found = [f"unexpected: {number} {code}" for code, number in self.unexpected.items()]
        if growth is not None and growth >= self.most_growth_percent:
            found.append(f"memory grew by {growth:.1f} %, and may by less than {self.most_growth_percent:.1f} %")
        if self.most_sockets > self.socket_bound:
            found.append(f"{self.most_sockets} sockets open, and there may be {self.socket_bound}")
        return found


async def soak(plan: Plan, folder: Path, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """Carry out a plan, with all files in `folder`. Raises `NeverUp`."""
    report = Report(plan)
    async with open_stand(folder, {}, seed=plan.seed) as stand:
        load = Load(stand.client, mixture(), random.Random(plan.seed))  # noqa: S311  (questions that can be repeated)
        report.rate = plan.rate or await _capacity(load, report) * SHARE
        tell(f"{report.rate:.0f} questions a second for {plan.minutes:g} minutes")
        troubling = _Troubling(stand.control, random.Random(plan.seed), report)  # noqa: S311
        beside = [asyncio.create_task(troubling.run()), asyncio.create_task(_measure(stand.gateway.pid, report, tell))]
        started = time.monotonic()
        try:
            await load.at_rate(plan.minutes * 60, report.rate, _AT_MOST, report.answers)
        finally:
            report.seconds = time.monotonic() - started
            await _cancel(beside)
    return report


async def _capacity(load: Load, report: Report) -> float:
    await load.flat_out(_CAPACITY_SECONDS / 2, _CAPACITY_AT_ONCE)  # which warms up
    answers = await load.flat_out(_CAPACITY_SECONDS, _CAPACITY_AT_ONCE)
    report.capacity = len(answers.seconds) / _CAPACITY_SECONDS
    return report.capacity


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def _measure(pid: int | None, report: Report, tell: Callable[[str], None]) -> None:
    if not (_PROC / str(pid) / "status").exists():
        tell("memory and sockets are not measured: that needs Linux")
        return
    started = time.monotonic()
    for number in count(1):
        await asyncio.sleep(_SAMPLE_SECONDS)
        sample = Sample(time.monotonic() - started, _memory_of(pid), _sockets_of(pid))
        report.samples.append(sample)
        if number % 15 == 0:
            answered = len(report.answers.seconds)
            tell(f"{sample.at:4.0f} s: {sample.memory / 2**20:.1f} MB, {sample.sockets} sockets, {answered} answers")


def _memory_of(pid: int | None) -> int:
    status = (_PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def _sockets_of(pid: int | None) -> int:
    found = 0
    for link in (_PROC / str(pid) / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found += str(link.readlink()).startswith("socket:")
    return found


class _Troubling:
    """Places faults for one call in twenty: for as many of the next calls to each system as it had lately."""

    def __init__(self, control: httpx.AsyncClient, chance: random.Random, report: Report) -> None:
        self._control = control
        self._chance = chance
        self._report = report

    async def run(self) -> None:
        """Go on until cancelled."""
        await self._take_calls()
        while True:
            await asyncio.sleep(_FAULTS_SECONDS)
            calls = await self._take_calls()
            await self._take_away_fired()
            for system, number in calls.items():
                for _ in range(self._about(number * FAULT_SHARE)):
                    await self._place(system, number)

    async def _take_calls(self) -> dict[str, int]:
        """Give how many calls each system had since this was asked last."""
        counted = (await self._control.get("/calls")).json()["calls"]
        (await self._control.delete("/calls")).raise_for_status()
        by_system: dict[str, int] = {}
        for operation, number in counted.items():
            system, _, name = operation.partition(".")
            by_system[system] = by_system.get(system, 0) + (0 if name == "Token" else number)
        self._report.calls += sum(by_system.values())
        return by_system

    def _about(self, share: float) -> int:
        return int(share) + (self._chance.random() < share % 1)

    async def _take_away_fired(self) -> None:
        """Take away the faults that have struck; the others go on waiting for their call."""
        for fault in (await self._control.get("/faults")).json():
            if fault["fired"]:
                self._report.faults += 1
                (await self._control.delete(f"/faults/{fault['id']}")).raise_for_status()

    async def _place(self, system: str, calls: int) -> None:
        fault = {"system": system, "times": 1, "after": self._chance.randrange(max(1, calls)), **self._chance.choice(_KINDS)}
        (await self._control.post("/faults", json=fault)).raise_for_status()


def to_text(report: Report) -> str:
    """Write the report."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> list[str]:
    answers = report.answers
    times = "  ".join(f"p{percent} {answers.p(percent) * 1000:.0f} ms" for percent in (50, 90, 99)) if answers.seconds else "none"
    capacity = "not measured" if report.capacity is None else f"{report.capacity:.0f} a second"
    share = report.faults / report.calls * 100 if report.calls else 0
    memory = "not measured, or less than two minutes"
    if report.ends is not None:
        first, last = (size / 2**20 for size in report.ends)
        grown = (last / first - 1) * 100
        memory = f"{first:.1f} MB after the first minute, {last:.1f} MB at the end: {grown:+.2f} %"
    return [
        f"capacity {capacity}; asked {report.rate:.0f} a second for {report.seconds:.0f} s",
        f"upstream calls: {report.calls}, {share:.1f} % met a fault",
        f"answers: {times}",
        "by code: " + ", ".join(f"{number} {code}" for code, number in answers.codes.most_common()),
        f"memory: {memory} (less than {report.most_growth_percent:.1f} %)",
        f"sockets: at most {report.most_sockets} (bound {report.socket_bound})",
        f"violations: {len(report.violations)}",
        *(f"  {what}" for what in report.violations),
    ]
