"""Statistics of a run, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil
from statistics import median


@dataclass(frozen=True, slots=True)
class Figures:
    """One round, or the medians of several. `upstream_calls` a request; `peak_bytes` since the question was first asked."""

    cpu_milliseconds: float
    requests_a_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    upstream_calls: float
    peak_bytes: float


def percentile(values: Sequence[float], percent: float) -> float:
    """Give the smallest value that so many percent of the values do not exceed (nearest rank). Raises `ValueError` for no values."""
    if not values:
        raise ValueError("there are no values")
    ranked = sorted(values)
    return ranked[max(0, ceil(len(ranked) * percent / 100) - 1)]


def medians(rounds: Sequence[Figures]) -> Figures:
    """Take the median of each figure by itself. Raises `statistics.StatisticsError` for no rounds."""
    return Figures(**{field.name: median(getattr(figures, field.name) for figures in rounds) for field in fields(Figures)})


def ratios(cpu: dict[str, float], of: str) -> dict[str, float]:
    """Give what one stack costs in multiples of each other: 0.5 is half as much."""
    return {name: cpu[of] / milliseconds for name, milliseconds in cpu.items() if name != of and milliseconds > 0}
