"""A drill's report as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.drills.intents import WAYS
from tests.drills.kill import Report
from tests.drills.stories import Story, violations

_HEADS: Final = ("write", "keys", "APPLIED", "NOTHING_TO_DO", "REJECTED", "other", "replays", "looks", "requests a key", "killed in hand")
_SHOWN: Final = 40
_OUTCOMES: Final = ("APPLIED", "NOTHING_TO_DO", "REJECTED")


def violations_of(report: Report) -> list[str]:
    """Name every broken promise."""
    return [what for story in report.stories for what in violations(story)]


def to_text(report: Report) -> str:
    """Write the report: how often was killed, what became of the keys, and what is wrong."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    plan, moments = report.plan, ", ".join(f"{count} {moment}" for moment, count in sorted(report.kills.items()))
    yield f"{plan.gateways} gateway(s) over {plan.state}, seed {plan.seed}, {report.seconds:.0f} s"
    yield f"kills {report.kills.total()} ({moments}), of which with an unsettled key in hand: {report.hits}"
    yield ""
    rows = [_row(way.title, [story for story in report.stories if story.intent.way is way]) for way in WAYS]
    yield from _table([_HEADS, *rows, _row("all", report.stories)])
    yield ""
    faults = Counter(story.fault or "none" for story in report.stories)
    yield f"requests turned away with 429, after which a key may be used again: {sum(story.turned_away for story in report.stories)}"
    yield "faults: " + ", ".join(f"{count} {fault}" for fault, count in faults.most_common())
    refusals = Counter(code for story in report.stories for code in story.refusals)
    yield "requests refused whole: " + (", ".join(f"{count} {code}" for code, count in refusals.most_common()) or "none")
    for story in report.stories:
        if story.outcome == "UNKNOWN" and story.last is not None:
            yield f"left UNKNOWN: {story.intent.key}: {'; '.join(message for _, message in story.last.errors)}"
    broken = violations_of(report)
    yield f"violations: {len(broken)}"
    yield from (f"  {what}" for what in broken[:_SHOWN])


def _row(title: str, stories: Sequence[Story]) -> tuple[str, ...]:
    outcomes = Counter(story.outcome for story in stories)
    other = {outcome: count for outcome, count in outcomes.items() if outcome not in _OUTCOMES}
    return (
        title,
        str(len(stories)),
        *(str(outcomes[outcome]) for outcome in _OUTCOMES),
        ", ".join(f"{count} {outcome}" for outcome, count in other.items()) or "0",
        str(sum(answer.replayed for story in stories for answer in story.answers)),
        str(sum(story.looks for story in stories)),
        f"at most {max((story.requests - story.turned_away for story in stories), default=0)}",
        str(sum(story.kills for story in stories)),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
