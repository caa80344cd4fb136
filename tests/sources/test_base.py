"""How the keys of a batch become calls."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.model import Kind, LabelRow, Ref
from gateway.sources.base import each

pytestmark = pytest.mark.anyio

REFS = [Ref("a", Kind.LABEL, str(number)) for number in range(5)]


def row_of(ref: Ref) -> LabelRow:
    return LabelRow(ref=ref, native_type="Label", label=ref.native_id)


async def test_no_more_keys_are_begun_than_may_be_and_the_next_as_soon_as_one_is_done() -> None:
    begun: asyncio.Queue[str] = asyncio.Queue()
    held = {ref.native_id: asyncio.Event() for ref in REFS}

    async def fetch(ref: Ref) -> LabelRow:
        begun.put_nowait(ref.native_id)
        await held[ref.native_id].wait()
        return row_of(ref)

    fetching = asyncio.ensure_future(each(REFS, fetch, at_once=2))
    assert [await begun.get(), await begun.get()] == ["0", "1"]
    held["1"].set()
    assert await begun.get() == "2"
    assert begun.empty()
    for event in held.values():
        event.set()
    assert await fetching == [row_of(ref) for ref in REFS]


async def test_a_key_that_fails_is_its_own_answer_and_keeps_no_other_from_its() -> None:
    failure = UpstreamUnavailable("gone", source="a", operation="GET")

    async def fetch(ref: Ref) -> LabelRow:
        if ref.native_id == "0":
            raise failure
        return row_of(ref)

    assert await each(REFS, fetch, at_once=1) == [failure, *(row_of(ref) for ref in REFS[1:])]
