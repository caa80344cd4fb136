"""The trace of upstream calls beside an answer: for whom, and what it says of real calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.fakes import FakeClock, answer
from tests.graph import Graph, open_graph
from tests.server.conftest import Opener
from tests.server.sockets import HeldAnswers

pytestmark = pytest.mark.anyio

KEY = "secret"
TRACED = {"X_Gateway_Trace": "1", "X_Gateway_Cost": "1"}
NAMES = {
    "source",
    "operation",
    "startMs",
    "durationMs",
    "attempt",
    "made",
    "cached",
    "coalesced",
    "status",
    "code",
    "bytes",
    "batch",
    "keys",
    "fields",
}
ORDER = '{ order(by: {native: {source: "shop", id: "55012"}}) { number } }'
POS_CUSTOMER = '{ customer(by: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}) { name } }'
JOIN = """{
  orders(first: 3, filter: {sources: ["commerce"]}) { nodes { lines { name } buyer: customer { organizationNumber } } }
  invoice(by: {number: {source: "commerce", number: "F-2026-0088"}}) { number }
}"""


def caller(*permissions: str) -> dict[str, object]:
    return {"name": "c", "key_sha256": sha256(KEY.encode()).hexdigest(), "permissions": list(permissions), "sources": ["*"]}


async def traced(graph: Graph, query: str) -> list[dict[str, Any]]:
    """Give the calls of an operation, once it is sure that those made are as many as are counted."""
    extensions: Mapping[str, Any] = (await graph.ask(query, None, **TRACED))["extensions"]
    calls: list[dict[str, Any]] = extensions["upstreamCalls"]
    assert sum(call["made"] for call in calls) == extensions["cost"]["upstreamCallsMade"]
    assert all(call.keys() == NAMES for call in calls)
    return calls


def only(calls: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(call[name] for name in names) for call in calls]


@pytest.mark.parametrize(
    ("permissions", "headers", "is_told"),
    [
        (("read", "explorer"), {"x-gateway-trace": "1"}, True),
        (("read", "explorer"), {"x-gateway-trace": "0"}, False),
        (("read", "explorer"), {}, False),
        (("read", "write", "raw", "audit"), {"x-gateway-trace": "1"}, False),
    ],
    ids=["asked", "asked not to", "not asked", "not permitted"],
)
async def test_the_trace_is_for_explorers_who_ask(
    opened: Opener, permissions: tuple[str, ...], headers: dict[str, str], *, is_told: bool
) -> None:
    async with opened(callers=[caller(*permissions)]) as client:
        response = await client.post("/graphql", json={"query": ORDER}, headers={"authorization": f"Bearer {KEY}", **headers})

    assert response.json()["data"] == {"order": None}
    assert response.json().get("extensions", {}).keys() == ({"upstreamCalls"} if is_told else set())


async def test_times_are_those_of_the_clock_as_numbers(opened: Opener) -> None:
    clock = FakeClock()

    def handle(_request: object) -> Any:  # noqa: ANN401  (an answer)
        clock.advance(0.0425)
        return answer("null")

    async with opened(handle, clock=clock) as client:
        response = await client.post("/graphql", json={"query": ORDER}, headers={"x-gateway-trace": "1"})

    assert '"startMs":0.0,"durationMs":42.5,' in response.text
    assert response.json()["extensions"]["upstreamCalls"][0]["bytes"] == 4


async def test_an_operation_that_asks_nobody_has_an_empty_trace(graph: Graph) -> None:
    assert await traced(graph, "{ sources { key } }") == []


async def test_a_document_that_cannot_be_executed_has_no_trace(graph: Graph) -> None:
    assert (await graph.ask("{ nothing }", None, **TRACED)).keys() == {"errors"}


async def test_a_join_shows_its_batches_and_which_fields_asked(graph: Graph) -> None:
    calls = [call for call in await traced(graph, JOIN) if call["made"] and call["operation"] != "Token"]

    assert sorted(only(calls, "operation", "batch", "keys", "fields"), key=str) == [
        *[("GetCustomer", 3, 3, ["orders.nodes.buyer"])] * 3,
        ("GetInvoiceByNo", 1, 1, ["invoice"]),
        ("Orders/Orders", 2, 3, ["orders.nodes.lines"]),
        ("Orders/Orders", None, None, ["orders"]),
    ]


async def test_every_call_is_listed_signing_in_too(graph: Graph) -> None:
    calls = await traced(graph, JOIN)

    made = sum(call["made"] for call in calls)
    assert made == sum(graph.running.sandbox.calls.by_operation.values())
    assert only([call for call in calls if call["operation"] == "Token"], "source", "made", "coalesced", "status") == [
        ("commerce", True, False, 200),
        ("commerce", False, True, None),
    ]


async def test_a_call_that_failed_and_went_well_again_is_told_twice(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", operation="GetOrder", kind="status", status=503, times=1))
    async with open_graph(sandbox, {"shop": {"retries": 1, "timeout_seconds": 50, "connect_timeout_seconds": 50}}) as graph:
        calls = await traced(graph, ORDER)

    assert only(calls, "attempt", "made", "status", "code") == [(1, True, 503, "UPSTREAM_UNAVAILABLE"), (2, True, 200, None)]
    assert calls[0]["startMs"] + calls[0]["durationMs"] <= calls[1]["startMs"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "status", "status": 403}, 403, "UPSTREAM_AUTH"),
        ({"kind": "status", "status": 500}, 500, "UPSTREAM_UNAVAILABLE"),
        ({"kind": "drop"}, None, "UPSTREAM_UNAVAILABLE"),
    ],
)
async def test_a_call_that_failed_has_the_code_of_its_error(graph: Graph, fault: dict[str, Any], status: int | None, code: str) -> None:
    graph.running.sandbox.faults.add(Fault(system="shopctrl", **fault))

    answered = await graph.ask(ORDER, None, **TRACED)

    assert answered["errors"][0]["extensions"]["code"] == code
    assert only(answered["extensions"]["upstreamCalls"], "status", "code") == [(status, code)]


async def test_of_two_requests_at_once_one_makes_the_call_and_both_show_it(graph: Graph, held: HeldAnswers) -> None:
    graph.running.sandbox.faults.add(Fault(system="shopctrl", kind="latency", seconds=1))
    first = asyncio.create_task(traced(graph, ORDER))
    await held.begun.wait()
    second = asyncio.create_task(traced(graph, ORDER))
    for _ in range(100):  # of the loop: more than a request needs to get to the call that is under way
        await asyncio.sleep(0)
    held.release()

    names = ("made", "coalesced", "status", "bytes")
    ((*how, size),) = only(await first, *names)
    assert how == [True, False, 200]
    assert only(await second, *names) == [(False, True, 200, size)]
    assert graph.calls() == {"shopctrl.GetOrder": 1}


async def test_a_window_is_read_once_and_shown_as_kept_the_second_time(graph: Graph) -> None:
    first, second = await traced(graph, POS_CUSTOMER), await traced(graph, POS_CUSTOMER)

    names = ("operation", "made", "cached", "batch", "keys", "fields")
    assert only(first, *names) == [("Token", True, False, 1, 1, ["customer"]), ("GetCustomers", True, False, 1, 1, ["customer"])]
    assert only(second, *names) == [("GetCustomers", False, True, 1, 1, ["customer"])]
    assert only(second, "attempt", "status", "code", "bytes") == [(1, None, None, None)]


async def test_a_write_shows_its_checks_itself_and_what_is_asked_of_what_it_made(graph: Graph) -> None:
    arguments = 'order: {native: {source: "shop", id: "54712"}}, idempotencyKey: "trace-of-54712"'
    calls = await traced(graph, f"mutation {{ bill: createInvoiceFromOrder({arguments}) {{ invoice {{ customer {{ email }} }} }} }}")

    assert only(calls, "operation", "fields") == [
        ("GET v1/Orders/{id}", ["bill"]),
        ("GET v1/Orders/{orderId}/Invoices", ["bill"]),
        ("POST v1/Orders/{orderId}/Invoices", ["bill"]),
        ("GET v1/Shops/{shopId}/Orders/{orderCode}", ["bill.invoice.customer"]),
        ("GET v1/Customers/{id}", ["bill.invoice.customer"]),
    ]


async def test_numbers_are_json_numbers_with_three_decimals_at_the_most(graph: Graph) -> None:
    for call in await traced(graph, JOIN):
        for number in (call["startMs"], call["durationMs"]):
            assert isinstance(number, Decimal), number
            exponent = number.as_tuple().exponent
            assert isinstance(exponent, int)
            assert exponent >= -3


async def test_no_key_number_name_or_secret_is_in_a_trace(graph: Graph) -> None:
    told = json.dumps([await traced(graph, query) for query in (JOIN, POS_CUSTOMER, ORDER)], default=str)

    secrets = ["F-2026-0088", "3f0c8f52", "55012", "Bearer", "http", "password", "client_secret"]
    assert [secret for secret in secrets if secret in told] == []
