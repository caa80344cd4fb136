"""Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from gateway.telemetry.metrics import Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_IN_VALUES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_IN_HELP: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


def exposition(families: Iterable[Family], is_shown: Callable[[Mapping[str, str]], bool] = lambda _: True) -> str:
    """Write families, without the samples whose labels are not to be shown; one without samples has its two lines all the same."""
    return "".join(f"{line}\n" for family in families for line in _lines(family, is_shown))


def _lines(family: Family, is_shown: Callable[[Mapping[str, str]], bool]) -> Iterator[str]:
    yield f"# HELP {family.name} {family.meaning.translate(_IN_HELP)}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples():
        if is_shown(sample.labels):
            yield f"{family.name}{sample.suffix}{_written(sample.labels)} {sample.value!r}"


def _written(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_IN_VALUES)}"' for name, value in labels.items()) + "}"
