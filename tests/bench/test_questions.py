"""Each question is answered rightly by the gateway in this process, with the upstream calls that it says."""

from __future__ import annotations

import pytest

from tests.bench import dataset
from tests.bench.answers import check
from tests.bench.peers import tailcall_document
from tests.bench.profiling import StaticWire, ask, in_process, profile
from tests.bench.questions import NAMES, question
from tests.bench.stacks import Plan, raised_limits


@pytest.mark.anyio
@pytest.mark.parametrize("objects", [10, 100])
@pytest.mark.parametrize("name", NAMES)
async def test_the_gateway_answers_rightly_with_the_calls_that_are_said(name: str, objects: int) -> None:
    asked, wire = question(name, objects), StaticWire()
    async with in_process(wire, Plan(objects=objects)) as app:
        check(await ask(app, asked, block=3), asked.expected(3))
    assert wire.calls.total() == asked.calls
    assert wire.calls["unknown"] == 0


@pytest.mark.anyio
async def test_more_than_a_page_is_asked_as_several_lists() -> None:
    asked, wire = question("flat", 300), StaticWire()
    async with in_process(wire, Plan(objects=300)) as app:
        check(await ask(app, asked, block=6), asked.expected(6))
    assert (asked.calls, asked.blocks, list(asked.expected(6))) == (3, 3, ["p0", "p1", "p2"])


@pytest.mark.parametrize(("name", "calls"), [("join-bulk", 3), ("join-each", 151), ("flat", 1), ("one", 1), ("nodes-100", 2)])
def test_a_hundred_objects_need_so_many_calls(name: str, calls: int) -> None:
    assert question(name).calls == calls


def test_connections_ask_for_other_objects_unless_the_question_is_the_same_for_all() -> None:
    distinct, same = question("join-each", 300), question("join-each-same", 300)
    assert [distinct.block_of(connection) for connection in (0, 1, 2)] == [0, 3, 6]
    assert [same.block_of(connection) for connection in (0, 1, 2)] == [0, 0, 0]
    assert distinct.document == same.document


def test_limits_are_raised_where_the_question_needs_it_and_only_there() -> None:
    assert raised_limits(Plan()) == {"limits": {}, "server": {"deadline_seconds": 100}, "sources": {"timeout_seconds": 30}}
    assert raised_limits(Plan(objects=1000))["limits"] == {"max_cost": 8000, "max_upstream_calls": 5000, "max_nodes": 1000}


def test_a_peer_that_cannot_choose_by_an_argument_is_asked_under_an_alias() -> None:
    document = tailcall_document(question("join-each", 200))
    assert document is not None
    assert document.startswith("query ($v0: String!, $v1: String!) { p0: shopOrders(filter: {email: $v0}, first: 100) {")
    assert "p1: shopOrders(filter: {email: $v1}" in document
    single = tailcall_document(question("join-bulk"))
    assert single is not None
    assert single.startswith("query ($v0: String!) { orders: webOrders(filter: {orderedFrom: $v0}, first: 100) {")


def test_a_peer_that_reads_no_global_ids_is_not_asked_for_nodes() -> None:
    assert tailcall_document(question("nodes-100")) is None


def test_a_profile_names_the_lines_that_take_the_time() -> None:
    told = profile(question("one"), Plan(objects=dataset.BLOCK), requests=2, lines=5)
    assert told.startswith("one: ")
    assert "2 requests" in told.splitlines()[0]
    assert "tottime" in told
