"""What loaders tell a trace of: which batch a call is for, how many keys that has, and which fields asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.loaders import Loaders
from gateway.model import Invoice, Kind, Record, Ref
from gateway.sources.base import Answer, Fetch, SourceSet
from gateway.transport import Scope, Trace
from tests.fakes import FakeClock
from tests.loaders.memory_source import MemorySource

pytestmark = pytest.mark.anyio

Cause = tuple[str, int | None, int | None, list[str]]


class TracedSource(MemorySource):
    """Makes a call of the trace of each batch and each search."""

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        del fields
        assert scope.trace is not None
        scope.trace.kept(self.key, fetch)
        return [Invoice(ref=ref, native_type="Invoice") for ref in refs]

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        assert scope.trace is not None
        scope.trace.kept(self.key, number)
        return (Invoice(ref=Ref(self.key, kind, number), native_type="Invoice"),)


class Request:
    """A request to two sources whose calls are traced."""

    def __init__(self) -> None:
        self.trace = Trace.start(FakeClock())
        self.sources = [TracedSource("one"), TracedSource("two")]
        self.loaders = Loaders(SourceSet(self.sources), Scope("traced", 1010.0, trace=self.trace))

    async def load(self, path: str, *keys: str, source: str = "one", kind: Kind = Kind.INVOICE) -> None:
        with self.trace.reading(path):
            await self.loaders.load_records([Ref(source, kind, key) for key in keys])

    async def find(self, path: str, number: str, source: int = 0) -> None:
        with self.trace.reading(path):
            await self.loaders.load_by_number(self.sources[source], Kind.INVOICE, number)

    @property
    def causes(self) -> list[Cause]:
        calls: list[dict[str, Any]] = self.trace.to_plain()
        return [(f"{call['source']} {call['operation']}", call["batch"], call["keys"], call["fields"]) for call in calls]


async def test_a_batch_names_all_fields_that_ask_for_its_keys_once_each() -> None:
    request = Request()

    await asyncio.gather(request.load("a.invoice", "1", "2", "1"), request.load("b.invoice", "2", "3"), request.load("a.invoice", "4"))

    assert request.causes == [("one invoice", 1, 4, ["a.invoice", "b.invoice"])]


async def test_each_source_and_each_kind_is_asked_in_a_batch_of_its_own() -> None:
    request = Request()

    await asyncio.gather(
        request.load("a", "1"), request.load("b", "1", "2", source="two"), request.load("c", "1", "2", "3", kind=Kind.ORDER)
    )

    assert request.causes == [("one invoice", 1, 1, ["a"]), ("two invoice", 2, 2, ["b"]), ("one order", 3, 3, ["c"])]


async def test_a_field_that_comes_when_a_key_was_read_already_is_not_its_cause() -> None:
    request = Request()

    await request.load("early", "1")
    await request.load("late", "1", "2")

    assert request.causes == [("one invoice", 1, 1, ["early"]), ("one invoice", 2, 1, ["late"])]


async def test_numbers_asked_at_once_of_one_source_are_a_batch() -> None:
    request = Request()

    await asyncio.gather(request.find("a", "N-1"), request.find("b", "N-2"), request.find("c", "N-1"), request.find("d", "N-1", source=1))

    together = ["a", "c", "b"]
    assert request.causes == [("one N-1", 1, 2, together), ("one N-2", 1, 2, together), ("two N-1", 2, 1, ["d"])]


async def test_what_is_asked_past_the_loaders_has_the_field_that_is_waited_for_and_no_batch() -> None:
    request = Request()

    with request.trace.reading("orders"):
        trace = request.loaders.scope.trace
    assert trace is not None
    trace.kept("one", "list")

    assert request.causes == [("one list", None, None, ["orders"])]


async def test_without_a_trace_all_share_the_scope_as_it_is() -> None:
    scope = Scope("untraced", 1010.0)

    assert Loaders(SourceSet([]), scope).scope is scope
