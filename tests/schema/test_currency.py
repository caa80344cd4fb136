"""Every amount says its currency and who named it; nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph
from tests.schema.ids import (
    COMMERCE_INVOICE,
    COMMERCE_INVOICE_OF_NO_ORDER,
    POS_INVOICE,
    SHOP_INVOICE,
    SUBSCRIPTIONS_INVOICE,
    SUBSCRIPTIONS_SETTINGS,
)

pytestmark = pytest.mark.anyio

CURRENCIES = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice {
  currency totals { total { currency currencyOrigin } } warnings { code field } } } }"""


async def currencies(graph: Graph, *ids: str) -> list[tuple[Any, ...]]:
    """Give for each invoice its currency, the one of its total, who named that, and whether there is a warning."""
    nodes = (await graph.data(CURRENCIES, {"ids": ids}))["nodes"]
    return [
        (
            node["currency"],
            node["totals"]["total"]["currency"],
            node["totals"]["total"]["currencyOrigin"],
            {"code": "CURRENCY_UNKNOWN", "field": ["currency"]} in node["warnings"],
        )
        for node in nodes
    ]


async def test_each_source_says_it_in_its_own_way(reader: Graph) -> None:
    assert await currencies(reader, SHOP_INVOICE, SUBSCRIPTIONS_INVOICE, COMMERCE_INVOICE, POS_INVOICE, COMMERCE_INVOICE_OF_NO_ORDER) == [
        ("EUR", "EUR", "RECORD", False),
        ("SEK", "SEK", "RECORD", False),
        ("SEK", "SEK", "RELATED_ORDER", False),
        ("SEK", "SEK", "SOURCE_DEFAULT", False),
        ("SEK", "SEK", "SOURCE_DEFAULT", False),
    ]


async def test_where_nobody_says_it_is_null_with_a_warning(sandbox: RunningSandbox) -> None:
    no_default = {"default_currency": None}
    async with open_graph(sandbox, sources={"pos": no_default, "commerce": no_default}) as graph:
        assert await currencies(graph, POS_INVOICE, COMMERCE_INVOICE, COMMERCE_INVOICE_OF_NO_ORDER) == [
            (None, None, "UNKNOWN", True),
            ("SEK", "SEK", "RELATED_ORDER", False),
            (None, None, "UNKNOWN", True),
        ]


async def test_the_order_is_asked_for_the_currency_and_only_when_the_currency_is_asked(reader: Graph) -> None:
    query = "query ($id: ID!) {{ invoice(by: {{id: $id}}) {{ totals {{ total {{ {0} }} }} }} }}"

    await reader.data(query.format("amount"), {"id": COMMERCE_INVOICE})
    assert reader.calls() == {"norce.GetInvoice": 1}

    await reader.data(query.format("amount currency currencyOrigin"), {"id": COMMERCE_INVOICE})
    calls = reader.calls()
    assert calls.pop("norce.QueryOrders", 0) <= 1  # which of its reads names the currency is the source's business
    assert calls == {"norce.GetInvoice": 2, "norce.GetOrderByNo": 1}


async def test_nobody_is_asked_for_a_currency_to_know_that_there_is_one(reader: Graph) -> None:
    data = await reader.data("query ($id: ID!) { invoice(by: {id: $id}) { warnings { code } } }", {"id": COMMERCE_INVOICE})

    assert {"code": "CURRENCY_UNKNOWN"} not in data["invoice"]["warnings"]
    assert reader.calls() == {"norce.GetInvoice": 1}


async def test_a_currency_that_is_a_row_of_the_source_is_read_there_once(graph: Graph) -> None:
    query = "query ($id: ID!) { node(id: $id) { ... on InvoiceSettings { currency sourceCurrency { field code } } } }"

    for _ in range(2):
        data = await graph.data(query, {"id": SUBSCRIPTIONS_SETTINGS})
        assert data == {"node": {"currency": "SEK", "sourceCurrency": {"field": "CurrencyId", "code": "1"}}}

    assert graph.calls()["compilator.GetCurrency"] == 1
