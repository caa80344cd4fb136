"""The trace as text."""

from __future__ import annotations

import pytest

from gateway.client.exits import Exit
from gateway.client.waterfall import to_lines
from tests.client.stage import Desk, GatewayWire, telling
from tests.graph import Graph

NOTES = "attempt 2  coalesced  batch 2  keys 3  invoice.orders"
CALLS = [
    {"source": "shop", "operation": "GetOrder", "startMs": 50, "durationMs": 50.0, "attempt": 2, "status": 200, "code": None, "bytes": 1204,
     "cached": False, "coalesced": True, "batch": 2, "keys": 3, "fields": ["invoice.orders"]},
    {"source": "pos", "operation": "GetAll", "startMs": 0, "durationMs": 25.2, "attempt": 1, "status": None, "code": "UPSTREAM_TIMEOUT",
     "bytes": None, "cached": False, "coalesced": False, "batch": None, "keys": None, "fields": []},
]  # fmt: skip


def test_calls_are_drawn_in_the_order_of_their_beginning() -> None:
    assert list(to_lines(CALLS)) == [
        "upstream calls: 2, the last ended after 100 ms",
        "source  operation  start  ms            status  bytes",
        "pos     GetAll         0  25  UPSTREAM_TIMEOUT      -  |==========                              |",
        "shop    GetOrder      50  50               200   1204  |                    ====================|  " + NOTES,
    ]


def test_a_call_that_is_under_way_has_no_end_and_of_many_fields_a_few_are_named() -> None:
    call = {**CALLS[1], "code": None, "durationMs": None, "fields": ["a", "b", "c", "d", "e"]}

    assert list(to_lines([call]))[2] == f"pos     GetAll         0   -       -      -  |{'=' * 1}{' ' * 39}|  a, b, c, 2 more"


def test_no_call_is_said() -> None:
    assert list(to_lines([])) == ["upstream calls: none"]


@pytest.mark.anyio
async def test_a_gateway_that_tells_no_calls_is_said_to() -> None:
    wire = telling({"data": {"v": 1}})
    desk = Desk(wire)

    assert await desk.ask("{ v }", is_traced=True) is Exit.FINE

    assert wire.requests[0].headers["x-gateway-trace"] == "1"
    assert desk.said == ["--trace: the gateway does not tell its upstream calls; callers need the explorer permission"]


@pytest.mark.anyio
async def test_the_calls_of_a_gateway_are_shown(graph: Graph) -> None:
    desk = Desk(GatewayWire(graph.client))

    await desk.ask('{ invoice(by: {native: {source: "shop", id: "88121"}}) { number } }', is_traced=True)

    assert desk.said[0].startswith("upstream calls: 1, the last ended after ")
    assert desk.said[2].startswith("shop    GET v1/Invoices/{invoiceId}")
