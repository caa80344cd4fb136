"""The isolation drill: one source stalls; questions that do not touch it must be answered as quickly as without that.

Two gateways, each over a sandbox of its own, are asked the same at the same moments, and one of their sandboxes has the fault: so
whatever else the machine does strikes both. They change roles with each round. The stalled source is asked all the time, of both and
more than it has slots for; its breaker is kept from opening, which would spare the gateway the waiting.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from tests.drills.load import Answers, Load, Stand, open_stand, shop_number, till_order

BOUND: Final = 1.2
_STALLED: Final = {"system": "nimpos", "kind": "stall"}
_OPTIONS: Final = {"breaker_calls": 1_000_000, "max_in_flight": 8}
"""Few slots, so that few questions fill them: two gateways must not fill the machine."""
_AT_MOST: Final = 1_000
_P: Final = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to drill. Rates are questions a second to each gateway."""

    rounds: int = 12
    round_seconds: float = 10.0
    rate: float = 20.0
    stalled_rate: float = 4.0
    """Those to the source that stalls."""
    seed: int = 1


@dataclass(slots=True)
class Report:
    """What came of a drill."""

    rounds: list[tuple[Answers, Answers]] = field(default_factory=list)
    """Of each: without the fault, and with it."""
    of_stalled: Counter[str] = field(default_factory=Counter)
    """What the questions to the stalled source were answered while it stalled."""

    @property
    def ratio(self) -> float:
        """Give how much longer the slowest in a hundred took, in the middle one of the rounds: in some the machine has other work."""
        return median(with_fault.p(_P) / without.p(_P) for without, with_fault in self.rounds)

    @property
    def violations(self) -> list[str]:
        """Name every broken promise."""
        slow = [f"p99 grew by {self.ratio:.2f}, more than {BOUND}"] if self.ratio > BOUND else []
        others = sum((answers.codes for both in self.rounds for answers in both), Counter[str]())
        failed = [f"questions to other sources: {count} {code}" for code, count in others.items() if code != "ok"]
        healed = ["the stalled source answered: the drill proves nothing"] if self.of_stalled["ok"] else []
        return slow + failed + healed


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two gateways, and what it is asked."""

    stand: Stand
    others: Load
    stalled: Load

    @classmethod
    def of(cls, stand: Stand, seed: int) -> _Side:
        chance = random.Random(seed)  # noqa: S311  (the same questions to both, and in each run)
        return cls(stand, Load(stand.client, [shop_number], chance), Load(stand.client, [till_order], chance))

    async def ask(self, plan: Plan, answers: Answers) -> Answers:
        """Ask for a round, and give what the questions to the source that may stall were answered."""
        others = self.others.at_rate(plan.round_seconds, plan.rate, _AT_MOST, answers)
        _, told = await asyncio.gather(others, self.stalled.at_rate(plan.round_seconds, plan.stalled_rate, _AT_MOST))
        return told


async def drill(plan: Plan, folder: Path, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """Carry out a plan, with all files in `folder`. Raises `NeverUp`."""
    report = Report()
    folders = [folder / name for name in ("one", "other")]
    for each in folders:
        each.mkdir()
    async with open_stand(folders[0], _OPTIONS, seed=plan.seed) as one, open_stand(folders[1], _OPTIONS, seed=plan.seed) as other:
        plain, stalled = _Side.of(one, plan.seed), _Side.of(other, plan.seed)
        await asyncio.gather(*(side.ask(plan, Answers()) for side in (plain, stalled)))  # which warms up
        for number in range(1, plan.rounds + 1):
            await _round(plan, plain, stalled, report)
            plain, stalled = stalled, plain
            tell(f"round {number}: {_p99s(*report.rounds[-1])}")
    return report


async def _round(plan: Plan, plain: _Side, stalled: _Side, report: Report) -> None:
    control, answers = stalled.stand.control, (Answers(), Answers())
    (await control.post("/faults", json=_STALLED)).raise_for_status()
    _, told = await asyncio.gather(plain.ask(plan, answers[0]), stalled.ask(plan, answers[1]))
    (await control.delete("/faults")).raise_for_status()
    report.rounds.append(answers)
    report.of_stalled += told.codes


def to_text(report: Report) -> str:
    """Write the report."""
    lines = [
        *(f"round {number:>2}: {len(both[0].seconds)} answers each, {_p99s(*both)}" for number, both in enumerate(report.rounds, 1)),
        f"ratio of the p99, the middle one of the rounds: {report.ratio:.3f} (at most {BOUND})",
        "the stalled source meanwhile: " + ", ".join(f"{count} {code}" for code, count in report.of_stalled.most_common()),
        f"violations: {len(report.violations)}",
        *(f"  {what}" for what in report.violations),
    ]
    return "\n".join(lines)


def _p99s(without: Answers, with_fault: Answers) -> str:
    ratio = with_fault.p(_P) / without.p(_P)
    return f"p99 {without.p(_P) * 1000:.1f} ms, with the fault {with_fault.p(_P) * 1000:.1f} ms, ratio {ratio:.2f}"
