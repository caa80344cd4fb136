"""All pages of a list: one after another, written as they come, and what is said when some of it is missing."""

from __future__ import annotations

import gc
import json

import pytest

from gateway.client.exits import Exit
from gateway.client.mistake import Mistake
from gateway.sandbox.faults import Fault
from gateway.transport import Response
from gateway.transport.wire import WireRequest, WireTimeout
from tests.client.stage import Desk, GatewayWire, body_of, telling
from tests.fakes import FakeWire, answer
from tests.graph import Graph

pytestmark = pytest.mark.anyio

INVOICES = """
query ($after: String, $first: Int! = 50, $sources: [String!]) {
  invoices(first: $first, after: $after, filter: {sources: $sources}) {
    nodes { rowMark: id totals { total { amount } } }
    pageInfo { hasNextPage endCursor }
    sourceResults { source { key } status code }
  }
}
"""
SHOP = {"sources": ["shop"]}
PAGE = {"nodes": [{"rowMark": "1", "totals": None}], "sourceResults": []}


def page(cursor: str | None) -> dict[str, object]:
    return {"data": {"invoices": {**PAGE, "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}}}


def rows_held() -> int:
    return sum(isinstance(thing, dict) and isinstance(thing.get("rowMark"), str) for thing in gc.get_objects())


async def test_all_rows_are_there_once_and_no_more_than_a_page_of_them_in_memory(graph: Graph) -> None:
    held: list[int] = []
    wire = GatewayWire(graph.client, before=lambda _request: held.append(rows_held()))
    desk = Desk(wire, is_shown=True)

    assert await desk.ask(INVOICES, SHOP, format="csv", is_all_pages=True) is Exit.FINE

    numbers = [line.split(",")[0] for line in desk.out.getvalue().splitlines()[1:]]
    assert len(numbers) == len(set(numbers)) == 310
    assert len(wire.requests) == -(-len(numbers) // 50)
    assert max(held) <= 50
    assert desk.said[-1] == f"pages {len(wire.requests)}, rows {len(numbers)}, -/s"


async def test_json_of_all_pages_is_one_array(graph: Graph) -> None:
    desk, empty = Desk(GatewayWire(graph.client)), Desk(telling({"data": {"invoices": {**PAGE, "nodes": [], "pageInfo": {}}}}))

    await desk.ask(INVOICES, SHOP, is_all_pages=True)
    await empty.ask(INVOICES, is_all_pages=True)

    assert len(json.loads(desk.out.getvalue())) > 100
    assert json.loads(empty.out.getvalue()) == []


async def test_a_source_that_fails_is_said_once_with_its_code_and_makes_the_exit_code_partial(graph: Graph) -> None:
    graph.running.sandbox.faults.add(Fault(system="shopctrl", operation="*", kind="status", status=500))
    desk = Desk(GatewayWire(graph.client))

    code = await desk.ask(INVOICES, {"sources": ["shop", "pos"], "first": 100}, format="csv", is_all_pages=True)

    assert code is Exit.IN_PART
    assert [line for line in desk.said if line.startswith("invoices: shop")] == ["invoices: shop: FAILED: UPSTREAM_UNAVAILABLE"]
    assert len(desk.out.getvalue().splitlines()) > 1


async def test_a_source_that_fails_for_the_list_of_a_row_is_said_too() -> None:
    failed = {"sourceResults": [{"source": {"key": "shop"}, "status": "TIMED_OUT", "code": "UPSTREAM_TIMEOUT"}]}
    fine = {"sourceResults": [{"source": {"key": "shop"}, "status": "OK", "code": None}]}
    desk = Desk(telling({"data": {"customers": {"nodes": [{"orders": fine}, {"orders": failed}, {"orders": failed}, {"orders": None}]}}}))

    code = await desk.ask("{ customers { nodes { orders { nodes { id } sourceResults { source { key } status code } } } } }")

    assert code is Exit.IN_PART
    assert desk.said == ["customers.nodes.orders: shop: TIMED_OUT: UPSTREAM_TIMEOUT"]


async def test_an_error_beside_data_is_a_line_with_path_and_code() -> None:
    error = {"message": "no answer", "path": ["invoices", "nodes", 0, "totals"], "extensions": {"code": "UPSTREAM_TIMEOUT"}}
    desk = Desk(telling({**page(None), "errors": [error]}))

    assert await desk.ask(INVOICES, is_all_pages=True, format="ndjson") is Exit.IN_PART
    assert desk.said == ["invoices.nodes.0.totals: UPSTREAM_TIMEOUT: no answer"]


async def test_a_refusal_is_a_line_and_the_exit_code_says_that_it_failed() -> None:
    error = {"message": "too deep", "extensions": {"code": "DEPTH_LIMIT"}}
    desk = Desk(telling({"errors": [error]}))

    assert await desk.ask("{ caller { name } }") is Exit.FAILED
    assert desk.said == ["request: DEPTH_LIMIT: too deep"]
    assert desk.out.getvalue() == ""


async def test_a_page_that_cannot_be_had_says_how_to_go_on() -> None:
    error = {"message": "not now", "extensions": {"code": "INTERNAL"}}
    desk = Desk(telling(page("c1"), {"data": {"invoices": None}, "errors": [error]}))

    assert await desk.ask(INVOICES, SHOP, is_all_pages=True, format="ndjson") is Exit.FAILED
    assert desk.said == [
        "request: INTERNAL: not now",
        'invoices: it ends here; it goes on with --variables {"sources":["shop"],"after":"c1"}',
    ]


async def test_a_gateway_that_is_gone_between_pages_is_said_with_how_to_go_on() -> None:
    waiting = iter([answer(json.dumps(page("c1")))])

    def handle(_request: WireRequest) -> Response:
        told = next(waiting, None)
        if told is None:
            raise WireTimeout("no answer in time")
        return told

    desk = Desk(FakeWire(handle))

    assert await desk.ask(INVOICES, is_all_pages=True, format="ndjson") is Exit.FAILED
    assert desk.said == [
        'invoices: it ends here; it goes on with --variables {"after":"c1"}',
        "http://gateway.example/graphql: no answer in time",
    ]


async def test_the_same_page_again_is_no_next_page() -> None:
    desk = Desk(telling(page("c1"), page("c1")))

    assert await desk.ask(INVOICES, is_all_pages=True, format="ndjson") is Exit.FAILED
    assert desk.said == ["invoices: the answer says that there is a next page and not where it begins"]


async def test_paging_waits_as_long_as_the_gateway_says() -> None:
    busy = answer('{"errors": [{"message": "m", "extensions": {"code": "RATE_LIMITED"}}]}', 429, **{"retry-after": "7"})
    waiting = iter([busy, answer(json.dumps(page("c1"))), busy, answer(json.dumps(page(None)))])

    def handle(_request: WireRequest) -> Response:
        return next(waiting)

    desk = Desk(FakeWire(handle))

    assert await desk.ask(INVOICES, is_all_pages=True, format="ndjson") is Exit.FINE
    assert desk.pauses.seconds == [7.0, 7.0]
    assert len(desk.out.getvalue().splitlines()) == 2


async def test_variables_of_the_user_stay_on_every_page() -> None:
    wire = telling(page("c1"), page(None))

    await Desk(wire).ask(INVOICES, {"first": 1}, is_all_pages=True, format="ndjson")

    assert [body_of(request)["variables"] for request in wire.requests] == [{"first": 1}, {"first": 1, "after": "c1"}]


async def test_a_list_that_does_not_ask_for_its_sources_is_told_what_it_misses() -> None:
    text = "query ($c: String) { orders(after: $c) { nodes { id } pageInfo { hasNextPage endCursor } } }"
    desk = Desk(telling({"data": {"orders": {"nodes": [], "pageInfo": {"hasNextPage": False}}}}))

    assert await desk.ask(text, is_all_pages=True, format="ndjson") is Exit.FINE
    assert desk.said == ["orders: without sourceResults { source { key } status code } nobody sees which source failed"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{ caller { name } }", "the document has no list with nodes or edges, so there are no pages"),
        (
            "{ a: orders { nodes { id } } invoices { edges { cursor } } }",
            "the document has several lists: a, invoices; ask for one",
        ),
        (
            "{ orders(first: 1) { nodes { id } pageInfo { hasNextPage } } }",
            "orders: its argument `after` must be a variable, as in (first: 100, after: $after); it lacks pageInfo { endCursor }",
        ),
        (
            "query ($c: String!) { orders(after: $c) { nodes { id } } }",
            "orders: $c must be of type String, without `!`: the first page has no cursor; it lacks pageInfo { hasNextPage endCursor }",
        ),
    ],
)
async def test_what_paging_needs_is_said_before_anything_is_asked(text: str, mistake: str) -> None:
    wire = telling()

    with pytest.raises(Mistake) as caught:
        await Desk(wire).ask(text, is_all_pages=True)

    assert str(caught.value) == f"--all-pages: {mistake}"
    assert wire.requests == []


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("APPLIED", Exit.FINE), ("VALIDATED", Exit.FINE), ("REJECTED", Exit.FAILED), ("NOT_APPLIED", Exit.FAILED), ("UNKNOWN", Exit.UNKNOWN)],
)
async def test_the_exit_code_says_what_became_of_a_mutation(outcome: str, code: Exit) -> None:
    desk = Desk(telling({"data": {"made": {"what": outcome}}}))

    assert await desk.ask("mutation { made: createInvoice { what: outcome } }") is code
