"""Each golden query: its answer, its budget of upstream calls, and what is left of it when one of its calls fails."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import open_graph
from tests.queries.golden import GOLDEN, Golden

pytestmark = pytest.mark.anyio

Path = tuple[str | int, ...]
_BY_NAME = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.folder.name)
_CALLS = [(golden, operation) for golden in GOLDEN for operation in golden.calls]


def test_there_are_enough_of_them() -> None:
    assert len(GOLDEN) >= 25


@_BY_NAME
async def test_a_golden_query_has_its_answer_within_its_budget(
    sandbox: RunningSandbox, golden: Golden, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "gateway")
    async with open_graph(sandbox) as graph:
        answer = await golden.ask(graph)
        calls = graph.calls()

    assert answer == golden.expected
    assert calls == golden.calls
    assert [record.getMessage() for record in caplog.records if "no plan" in record.getMessage()] == []  # it was executed by a plan


@pytest.mark.parametrize(("golden", "operation"), _CALLS, ids=lambda value: value.folder.name if isinstance(value, Golden) else value)
async def test_what_did_not_depend_on_a_failed_call_is_still_there(sandbox: RunningSandbox, golden: Golden, operation: str) -> None:
    system, _, name = operation.partition(".")
    sandbox.sandbox.faults.add(Fault(system=system, operation=name, kind="status", status=500))

    async with open_graph(sandbox) as graph:
        answer = await golden.ask(graph)

    excused = _excused(answer)
    lost = _differences(golden.expected.get("data"), answer.get("data"))
    assert [path for path in lost if not any(_is_below(path, place) for place in excused)] == []
    assert "data" in answer
    assert {error["extensions"].get("source") for error in answer.get("errors", [])} <= _sources_of(system) | {None, *_named(golden)}


def _excused(answer: dict[str, Any]) -> list[Path]:
    """Give where an answer may differ: at each error, and in the lists whose sources say that they failed."""
    places = [_nulled(answer.get("data"), tuple(error["path"])) for error in answer.get("errors", []) if "path" in error]
    # A currency that could not be asked for is an error; who would have said it is then UNKNOWN, since that field is never null.
    places += [(*place[:-1], "currencyOrigin") for place in places if place and place[-1] == "currency"]
    return [*places, *_failed_lists(answer.get("data"), ())]


def _nulled(data: Any, path: Path) -> Path:  # noqa: ANN401  (any JSON value)
    """Give the place that an error made null: its own, or the nearest above that may be."""
    value = data
    for depth, step in enumerate(path):
        if value is None:
            return path[:depth]
        value = value[step]
    return path


def _failed_lists(value: Any, path: Path) -> list[Path]:  # noqa: ANN401  (any JSON value)
    if isinstance(value, list):
        return [place for index, item in enumerate(value) for place in _failed_lists(item, (*path, index))]
    if not isinstance(value, dict):
        return []
    results = value.get("sourceResults") or []
    if any(result.get("status") not in {"OK", "NOT_REACHED"} for result in results):
        return [path]
    return [place for key, item in value.items() for place in _failed_lists(item, (*path, key))]


def _differences(expected: Any, actual: Any, path: Path = ()) -> list[Path]:  # noqa: ANN401  (any JSON value)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [place for key, value in expected.items() for place in _differences(value, actual.get(key), (*path, key))]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [place for index, pair in enumerate(zip(expected, actual, strict=True)) for place in _differences(*pair, (*path, index))]
    return [] if expected == actual else [path]


def _is_below(path: Path, place: Path) -> bool:
    return path[: len(place)] == place


def _sources_of(system: str) -> set[str]:
    return {{"nimpos": "pos", "compilator": "subscriptions", "shopctrl": "shop", "norce": "commerce"}[system]}


def _named(golden: Golden) -> set[str]:
    """Give the sources whose errors belong to the expected answer itself."""
    return {error["extensions"].get("source", "") for error in golden.expected.get("errors", [])}
