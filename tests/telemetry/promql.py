"""What Prometheus would say of an expression: as much of its language as our rules use, and an error for anything else.

The expressions are read by the parser of another project; what is evaluated here are scrapes of a gateway.
https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any, Final

import promql_parser as ast
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
_NOTHING: Final[Labels] = frozenset()
_AGGREGATIONS: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {"sum": sum, "max": max, "min": min}
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {">": operator.gt, "==": operator.eq}
_MATCHES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Equal": lambda value, wanted: value == wanted,
    "NotEqual": lambda value, wanted: value != wanted,
    "Re": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "NotRe": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


@dataclass
class Samples:
    """Scrapes of one target, each at a second of its own."""

    by_series: dict[tuple[str, Labels], list[tuple[float, float]]] = field(default_factory=dict)
    last_at: float = 0.0

    def scrape(self, text: str, at: float) -> None:
        """Take what a scrape gave."""
        self.last_at = at
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.by_series.setdefault((sample.name, frozenset(sample.labels.items())), []).append((at, sample.value))

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {name for name, _ in self.by_series}

    def evaluate(self, expression: str) -> Vector | float:
        """Give what an expression is at the time of the last scrape. Raises `ValueError` for what is no PromQL."""
        found: Vector | float = self._evaluate(ast.parse(expression))
        return found

    def _evaluate(self, node: Any) -> Any:  # noqa: ANN401  (of a tree that another project types)
        match node:
            case ast.NumberLiteral():
                return node.val
            case ast.VectorSelector():
                found = self._series(node)
                return {labels: points[-1][1] for labels, points in found.items() if points[-1][0] == self.last_at}
            case ast.AggregateExpr():
                return _aggregated(node, self._evaluate(node.expr))
            case ast.BinaryExpr() if node.modifier is None:
                return _combined(str(node.op), self._evaluate(node.lhs), self._evaluate(node.rhs))
            case ast.Call() if node.func.name == "rate":
                return self._rate(node.args[0])
            case ast.Call() if node.func.name == "histogram_quantile":
                return _quantile(self._evaluate(node.args[0]), self._evaluate(node.args[1]))
        raise NotImplementedError(node.prettify())

    def _series(self, node: Any) -> dict[Labels, list[tuple[float, float]]]:  # noqa: ANN401  (as above)
        return {labels: points for (name, labels), points in self.by_series.items() if name == node.name and _fits(node, dict(labels))}

    def _rate(self, node: Any) -> Vector:  # noqa: ANN401  (as above)
        """Give the growth a second between the first and the last sample in the range; Prometheus also extrapolates to its ends."""
        since = self.last_at - node.range.total_seconds()
        rates: Vector = {}
        for labels, points in self._series(node.vector_selector).items():
            inside = [point for point in points if point[0] > since]
            if len(inside) > 1:
                grown = sum(max(0.0, now - before) if now >= before else now for (_, before), (_, now) in pairwise(inside))
                rates[labels] = grown / (inside[-1][0] - inside[0][0])
        return rates


def _fits(node: Any, labels: Mapping[str, str]) -> bool:  # noqa: ANN401  (as above)
    return all(
        _MATCHES[str(matcher.op).removeprefix("MatchOp.")](labels.get(matcher.name, ""), matcher.value)
        for matcher in node.matchers.matchers
    )


def _aggregated(node: Any, vector: Vector) -> Vector:  # noqa: ANN401  (as above)
    by: Sequence[str] = [] if node.modifier is None else node.modifier.labels
    if node.modifier is not None and node.modifier.type != ast.AggModifierType.By:
        raise NotImplementedError(node.prettify())
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset(pair for pair in labels if pair[0] in by), []).append(value)
    return {labels: _AGGREGATIONS[str(node.op)](values) for labels, values in groups.items()}


def _combined(operation: str, left: Vector, right: Vector | float) -> Vector:
    if operation == "/" and isinstance(right, dict):
        return {labels: value / right[labels] for labels, value in left.items() if right.get(labels)}
    if operation in _COMPARISONS and isinstance(right, float):
        return {labels: value for labels, value in left.items() if _COMPARISONS[operation](value, right)}
    raise NotImplementedError(operation)


def _quantile(quantile: float, vector: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in vector.items():
        bound = float(dict(labels)["le"])
        groups.setdefault(frozenset(pair for pair in labels if pair[0] != "le"), []).append((bound, count))
    found = {labels: _quantile_of(quantile, sorted(buckets)) for labels, buckets in groups.items()}
    return {labels: value for labels, value in found.items() if value is not None}


def _quantile_of(quantile: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """Interpolate in the bucket that has the quantile; in the last one, give where it begins. None: there was nothing."""
    wanted = quantile * buckets[-1][1]
    below, counted = 0.0, 0.0
    for bound, count in buckets:
        if count and count >= wanted:
            return below if bound == inf else below + (bound - below) * (wanted - counted) / (count - counted)
        below, counted = bound, count
    return None


def names_in(expression: str) -> set[str]:
    """Give the names of all series that an expression asks for. Raises `ValueError` for what is no PromQL."""
    return set(_names(ast.parse(expression)))


def _names(node: Any) -> Iterable[str]:  # noqa: ANN401  (as above)
    if isinstance(node, ast.VectorSelector):
        yield str(node.name)
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        if hasattr(node, name):
            yield from _names(getattr(node, name))
    for argument in getattr(node, "args", ()):
        yield from _names(argument)
