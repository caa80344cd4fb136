"""Results as text, as Markdown for the README, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.bench.figures import ratios
from tests.bench.measure import Result
from tests.bench.stacks import GATEWAY
from tests.bench.startup import Startup
from tests.drills.table import to_columns

_MEGABYTE: Final = 1_000_000
_HEADS: Final = ("stack", "question", "objects", "connections", "workers", "CPU ms", "req/s", "p50 ms", "p99 ms", "calls", "peak MB")


def to_text(results: Sequence[Result]) -> str:
    """Write a table of the medians, then what failed, then the ratios."""
    rows = [_row(result) for result in results if result.figures is not None]
    return "\n".join([*to_columns([_HEADS, *rows], texts=2), *failures_of(results), *_ratios(results)])


def _row(result: Result) -> tuple[str, ...]:
    figures = result.figures
    assert figures is not None
    return (
        result.stack,
        result.question,
        str(result.objects),
        str(result.connections),
        str(result.workers),
        f"{figures.cpu_milliseconds:.2f}",
        f"{figures.requests_a_second:.0f}",
        f"{figures.p50_milliseconds:.1f}",
        f"{figures.p99_milliseconds:.1f}",
        f"{figures.upstream_calls:.1f}",
        f"{figures.peak_bytes / _MEGABYTE:.0f}",
    )


def failures_of(results: Sequence[Result]) -> Iterator[str]:
    """Say of each that was not measured why."""
    for result in results:
        if result.failure is not None:
            yield f"not measured: {result.stack}, {result.question}, {result.connections} connections: {result.failure}"


def _ratios(results: Sequence[Result]) -> Iterator[str]:
    for case, cpu in _by_case(results).items():
        if GATEWAY in cpu and len(cpu) > 1:
            compared = sorted(ratios(cpu, GATEWAY).items(), key=lambda pair: -pair[1])
            yield f"{case}: CPU of the gateway in multiples of: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in compared)


def _by_case(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Group the CPU of all stacks by what they were asked."""
    cases: dict[str, dict[str, float]] = {}
    for result in results:
        if result.figures is not None:
            case = f"{result.question}, {result.objects} objects, {result.connections} connections, {result.workers} workers"
            cases.setdefault(case, {})[result.stack] = result.figures.cpu_milliseconds
    return cases


def to_markdown(results: Sequence[Result], command: str) -> str:
    """Write the README's table: CPU ms a request (and upstream calls) of each stack, a column a question; the command below it."""
    questions = list(dict.fromkeys(_title(result) for result in results))
    cells: dict[str, dict[str, str]] = {}
    for result in results:
        cells.setdefault(result.stack, {})[_title(result)] = _cell(result)
    lines = [
        "| CPU ms a request (upstream calls) | " + " | ".join(questions) + " |",
        "|---|" + "---|" * len(questions),
        *(f"| {stack} | " + " | ".join(row.get(question, "") for question in questions) + " |" for stack, row in cells.items()),
        "",
        f"Made by `{command}`.",
    ]
    return "\n".join(lines)


def _title(result: Result) -> str:
    return f"{result.question}, {result.objects} objects, {result.connections} connections"


def _cell(result: Result) -> str:
    figures = result.figures
    return "-" if figures is None else f"{figures.cpu_milliseconds:.2f} ({figures.upstream_calls:.0f})"


def to_json(
    results: Sequence[Result], raised: Mapping[str, Mapping[str, float]], failures: Mapping[str, str], startup: Startup | None
) -> str:
    """Write everything, each round too."""
    plain: dict[str, Any] = {
        "raisedLimits": raised,
        "results": [result.to_plain() for result in results],
        "peersNotMeasured": failures,
        "startup": None if startup is None else {"helpSeconds": startup.help_seconds, "firstAnswerSeconds": startup.first_answer_seconds},
    }
    return json.dumps(plain, indent=2)
