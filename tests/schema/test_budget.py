"""The budget of upstream calls: a hundred objects cost no more calls than there are objects to fetch, and never too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.nimpos.data import make_id
from tests.graph import Graph
from tests.schema.ids import COMMERCE, POS, SHOP, SUBSCRIPTIONS, invoice_id

pytestmark = pytest.mark.anyio

PLACES = range(100, 200)
POS_INVOICES = tuple(invoice_id(POS, make_id("demo", "invoice", place)) for place in PLACES)
SHOP_INVOICES = tuple(invoice_id(SHOP, 88010 + place) for place in PLACES)
COMMERCE_INVOICES = tuple(invoice_id(COMMERCE, 50911 + place) for place in PLACES)
SUBSCRIPTIONS_INVOICES = tuple(invoice_id(SUBSCRIPTIONS, 910234 + place) for place in range(-34, 66))

FULL = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice {
  number
  currency
  totals { total { amount currency currencyOrigin } rounding { amount } }
  customer { id number name email }
  orders { id number status currency totals { total { amount currency } } customer { id number name email } }
  warnings { code }
} } }"""
LIGHT = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice { number totals { total { amount } } orders { id number } } } }"


async def found(reader: Graph, query: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Ask for a hundred and give those that there are."""
    assert len(set(ids)) == 100
    return [node for node in (await reader.data(query, {"ids": ids}))["nodes"] if node is not None]


def orders(invoices: Sequence[dict[str, Any]]) -> set[str]:
    return {order["id"] for invoice in invoices for order in invoice["orders"] or []}


def customers(invoices: Sequence[dict[str, Any]]) -> set[str]:
    own = [invoice["customer"] for invoice in invoices]
    of_orders = [order["customer"] for invoice in invoices for order in invoice["orders"] or []]
    return {customer["id"] for customer in (*own, *of_orders) if customer is not None}


async def test_a_till_costs_a_window_a_till_a_window_of_customers_and_a_call_an_order(graph: Graph) -> None:
    invoices = await found(graph, FULL, POS_INVOICES)

    assert len(invoices) == 100
    assert len(orders(invoices)) > 100
    assert graph.calls() == {
        "nimpos.GetCustomerInvoice": 3,
        "nimpos.GetOrderById": len(orders(invoices)),
        "nimpos.GetCustomers": 1,
    }


async def test_a_shop_costs_a_call_an_invoice_a_call_an_order_and_a_call_a_customer(reader: Graph) -> None:
    invoices = await found(reader, FULL, SHOP_INVOICES)

    assert len(invoices) == 100
    assert len(orders(invoices)) < 100, "some invoices share an order"
    assert len(customers(invoices)) < len(orders(invoices)), "some orders share a customer"
    assert reader.calls() == {
        "shopctrl.GetInvoice": 100,
        "shopctrl.GetOrderByCode": len(orders(invoices)),
        "shopctrl.GetCustomer": len(customers(invoices)),
    }


async def test_a_web_shop_costs_a_call_an_invoice_a_call_an_order_and_a_query_for_fifty_orders(reader: Graph) -> None:
    invoices = await found(reader, FULL, COMMERCE_INVOICES)

    assert len(invoices) == 100
    assert 50 < len(orders(invoices)) < 100
    assert reader.calls() == {
        "norce.GetInvoice": 100,
        "norce.QueryOrders": 2,
        "norce.GetOrderByNo": len(orders(invoices)),
    }


async def test_a_system_without_orders_costs_a_call_an_invoice_and_one_sweep_of_customers(graph: Graph) -> None:
    invoices = await found(graph, FULL, SUBSCRIPTIONS_INVOICES)

    assert 90 < len(invoices) <= 100
    assert orders(invoices) == set()
    assert graph.calls() == {"compilator.GetInvoice": 100, "compilator.GetCustomersChangedSince": 5}


@pytest.mark.parametrize(
    ("ids", "calls"),
    [(SHOP_INVOICES, {"shopctrl.GetInvoice": 100}), (COMMERCE_INVOICES, {"norce.GetInvoice": 100})],
    ids=["shop", "web shop"],
)
async def test_what_the_invoices_carry_costs_no_call_more(reader: Graph, ids: Sequence[str], calls: dict[str, int]) -> None:
    await found(reader, LIGHT, ids)

    assert reader.calls() == calls


async def test_a_hundred_of_four_sources_cost_what_they_cost_alone(graph: Graph) -> None:
    mixed = (*POS_INVOICES[:25], *SHOP_INVOICES[:25], *COMMERCE_INVOICES[:25], *SUBSCRIPTIONS_INVOICES[:25])

    invoices = await found(graph, LIGHT, mixed)

    assert graph.calls() == {
        "nimpos.GetCustomerInvoice": 3,
        "nimpos.GetOrderById": len(orders(invoices[:25])),  # orders of a till have no number on the invoice
        "shopctrl.GetInvoice": 25,
        "norce.GetInvoice": 25,
        "compilator.GetInvoice": 25,
    }


@pytest.mark.parametrize(("system", "ids"), [("shopctrl", SHOP_INVOICES), ("norce", COMMERCE_INVOICES)])
async def test_no_more_than_32_calls_are_in_flight_at_once(
    graph: Graph, system: str, ids: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = graph.running.sandbox
    sandbox.faults.add(Fault(system=system, operation="GetInvoice", kind="latency", seconds=0))
    full_house = asyncio.Event()

    async def wait_for_32(_seconds: float) -> None:
        if sandbox.calls.in_flight[system] >= 32:
            for _ in range(100):  # turns of the loop in which one more would come, if it were let through
                await asyncio.sleep(0)
            full_house.set()
        await full_house.wait()

    monkeypatch.setattr(sandbox, "sleep", wait_for_32)

    invoices = await found(graph, LIGHT, ids)

    assert len(invoices) == 100
    assert sandbox.calls.peak_in_flight[system] == 32
