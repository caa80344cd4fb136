"""Who wants to know is told which field is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace

import pytest

from tests.execution.small import Answer, awaiting, by_plan, item, later

pytestmark = pytest.mark.anyio

HERE: ContextVar[str | None] = ContextVar("here", default=None)


@contextmanager
def reading(path: str) -> Iterator[None]:
    mark = HERE.set(path)
    yield
    HERE.reset(mark)


async def where(turns: int = 1) -> str | None:
    """Give the field that is waited for, after some turns of the loop."""
    await later(None, turns)
    return HERE.get()


async def test_a_field_that_is_waited_for_is_told_by_its_names_in_the_answer_without_places_in_lists() -> None:
    root = SimpleNamespace(items=[item(own=where), item(own=where)], item=item(inner=item(own=where)))

    answer = await by_plan("{ all: items { mine: own } item { inner { own } } }", root, reading=reading)

    assert answer == Answer({"all": [{"mine": "all.mine"}] * 2, "item": {"inner": {"own": "item.inner.own"}}}, [])


async def test_fields_that_are_waited_for_at_the_same_time_are_told_apart() -> None:
    root = SimpleNamespace(item=item(own=where))

    answer = await by_plan("{ item { a: own b: own c: own } }", root, reading=reading)

    assert answer.data == {"item": {"a": "item.a", "b": "item.b", "c": "item.c"}}


async def test_items_of_lists_that_are_waited_for_are_told_as_their_list() -> None:
    async def named() -> object:
        return item(await where())

    answer = await by_plan("{ items { name } }", SimpleNamespace(items=[named(), named()]), reading=reading)

    assert answer.data == {"items": [{"name": "items"}] * 2}


async def test_each_field_of_a_mutation_is_told_and_nothing_once_it_is_done() -> None:
    root = SimpleNamespace(first=lambda: later(item(own=where)), second=lambda: later(item(own=where)))

    answer = await by_plan("mutation { first { own } second { own } }", root, reading=reading)

    assert answer.data == {"first": {"own": "first.own"}, "second": {"own": "second.own"}}
    assert HERE.get() is None


async def test_what_fails_while_it_is_waited_for_is_told_and_fails_as_ever() -> None:
    told: list[str] = []

    @contextmanager
    def noting(path: str) -> Iterator[None]:
        told.append(path)
        yield

    answer = await by_plan("{ item { own } }", SimpleNamespace(item=item(own=awaiting(ValueError("no")))), reading=noting)

    assert (answer, told) == (Answer({"item": {"own": None}}, [(["item", "own"], "no")]), ["item.own"])
