"""Limits as a client meets them: refused by name before anything is asked, and what an operation costs on request."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph

pytestmark = pytest.mark.anyio

ORDER = '{ order(by: {native: {source: "shop", id: "54712"}}) { number customer { name } } }'
REFUSED = {
    "DEPTH_LIMIT": "{ order(by: {id: 1}) " + "{ customer { orders { nodes " * 5 + "{ id }" + " } } }" * 5 + " }",
    "ALIAS_LIMIT": "{ " + " ".join(f"a{number}: caller {{ name }}" for number in range(31)) + " }",
    "ROOT_FIELD_LIMIT": "{ " + "__typename " * 21 + "}",
    "DIRECTIVE_LIMIT": "{ caller { name " + "@include(if: true) " * 51 + "} }",
    "TOKEN_LIMIT": "{ caller { " + "name " * 2000 + "} }",
    "DOCUMENT_TOO_LARGE": "{ caller { name } } # " + "x" * 15_000,
    "COST_LIMIT": "{ invoices(first: 100) { nodes { orders { invoices(first: 100) { nodes { number orders { number } } } } } } }",
}


@pytest.mark.parametrize(("code", "query"), REFUSED.items(), ids=REFUSED)
async def test_what_is_over_a_limit_is_refused_by_name_and_asks_nobody(graph: Graph, code: str, query: str) -> None:
    response = await graph.send(query)

    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"], graph.calls()) == (400, code, {})


async def test_upstream_calls_have_a_limit_of_their_own(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, limits={"max_upstream_calls": 1}) as graph:
        refused = (await graph.ask(ORDER))["errors"][0]

        assert refused["extensions"]["code"] == "UPSTREAM_CALL_LIMIT"
        assert graph.calls() == {}


async def test_what_an_operation_costs_is_told_on_request(graph: Graph) -> None:
    cost: dict[str, Any] = (await graph.ask(ORDER, None, X_Gateway_Cost="1"))["extensions"]["cost"]

    assert cost.keys() == {"estimated", "limit", "upstreamCallsEstimated", "upstreamCallsMade"}
    assert (cost["limit"], cost["upstreamCallsEstimated"], cost["upstreamCallsMade"]) == (5000, 2, sum(graph.calls().values()))
    assert "extensions" not in await graph.ask(ORDER)


async def test_the_calls_of_a_window_count_for_whoever_had_it_read(graph: Graph) -> None:
    query = '{ customer(by: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}) { name } }'
    made = [(await graph.ask(query, None, X_Gateway_Cost="1"))["extensions"]["cost"]["upstreamCallsMade"] for _ in range(2)]

    by_operation = graph.running.sandbox.calls.by_operation  # signing in is a call, too
    assert (made, by_operation) == ([2, 0], {"nimpos.Token": 1, "nimpos.GetCustomers": 1})
