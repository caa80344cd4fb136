"""Numbers that are kept while requests run. Counting one is a look into a dict: no locks, as all of it happens on one loop."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, TypeAlias

Labels: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One number; `suffix` follows the name of its family."""

    labels: Labels
    value: float
    suffix: str = ""


class Family(Protocol):
    """Samples that have a name in common, and a line that says what it means."""

    @property
    def name(self) -> str:
        """Its name, with the unit at its end."""

    @property
    def kind(self) -> str:
        """One of counter, gauge and histogram."""

    @property
    def meaning(self) -> str:
        """What it counts or measures."""

    def samples(self) -> Iterator[Sample]:
        """Give its numbers as they are now."""


class Counter:
    """A number that only grows, for each combination of labels. Whoever counts has to see to it that these are few."""

    kind = "counter"

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name = name
        self.meaning = meaning
        self._labels = labels
        self._values: dict[tuple[str, ...], int] = {}

    def add(self, *values: str) -> None:
        """Count one more, under the values of the labels in their order."""
        self._values[values] = self._values.get(values, 0) + 1

    def samples(self) -> Iterator[Sample]:
        """Give a number for each combination that came."""
        for values, count in self._values.items():
            yield Sample(dict(zip(self._labels, values, strict=True)), count)


class _Distribution:
    """How often each bucket was hit, and the sum of all values."""

    __slots__ = ("buckets", "total")

    def __init__(self, size: int) -> None:
        self.buckets = [0] * size
        self.total = 0.0


class Histogram:
    """How values are distributed, for each combination of labels."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, *labels: str, bounds: Sequence[float]) -> None:
        self.name = name
        self.meaning = meaning
        self._labels = labels
        self._bounds = tuple(bounds)
        self._values: dict[tuple[str, ...], _Distribution] = {}

    def observe(self, value: float, *values: str) -> None:
        """Take down one value."""
        found = self._values.get(values)
        if found is None:
            found = self._values[values] = _Distribution(len(self._bounds) + 1)
        found.buckets[bisect_left(self._bounds, value)] += 1
        found.total += value

    def samples(self) -> Iterator[Sample]:
        """Give how many values are at most each bound, how many there are, and their sum."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        for values, found in self._values.items():
            labels = dict(zip(self._labels, values, strict=True))
            counts = list(accumulate(found.buckets))
            for name, count in zip(names, counts, strict=True):
                yield Sample({**labels, "le": name}, count, "_bucket")
            yield Sample(labels, found.total, "_sum")
            yield Sample(labels, counts[-1], "_count")


class Gauge:
    """How things stand at one moment; made for one scrape, and filled by who looks."""

    def __init__(self, name: str, meaning: str, *labels: str, kind: str = "gauge") -> None:
        self.name = name
        self.meaning = meaning
        self.kind = kind
        self._labels = labels
        self._samples: list[Sample] = []

    def put(self, value: float, *values: str) -> None:
        """Take down how it stands, under the values of the labels in their order."""
        self._samples.append(Sample(dict(zip(self._labels, values, strict=True)), value))

    def samples(self) -> Iterator[Sample]:
        """Give what was put in."""
        return iter(self._samples)
