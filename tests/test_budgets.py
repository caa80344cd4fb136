"""What the largest questions cost, over the sandbox: each budget is a number of upstream calls by operation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from gateway.model import Kind, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph

pytestmark = pytest.mark.anyio

HUNDRED = 100
FIRST_WEB_ORDER = 70213
FIRST_WEB_INVOICE = 50911
TERMINALS = 3
ALL_AT_ONCE = 50
CROWD = 500
TURNS = 1000

ORDERS_WITH_LINES = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order {
  id number orderedAt status deliveryMethod
  lines { position itemNumber name quantity vatPercent }
  customer { id number name kind } } } }"""
INVOICES = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice { id number } } }"
WHOLE_INVOICES = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice { id number totals { inclVat { amount } } } } }"
ROWS_OF_INVOICES = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice { id number issueDate dueDate groupKey } } }"
CUSTOMERS = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id name organizationNumber email } } }"
SHOP_INVOICES = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice {
  id number orders { id totals { total { amount } } } customer { id name } } } }"""
SHOP_ORDER = '{ order(by: { native: { source: "shop", id: "55012" } }) { number customer { name } } }'
LISTED = "query ($source: String!) {{ {kind}(first: 100, filter: {{sources: [$source]}}) {{ nodes {{ id }} }} }}"


def ids(source: str, kind: Kind, keys: Iterable[object]) -> list[str]:
    return [Ref(source, kind, str(key)).global_id for key in keys]


async def listed(graph: Graph, kind: str, source: str) -> list[str]:
    """Give a hundred ids of a source, and forget what that cost."""
    found = (await graph.data(LISTED.format(kind=kind), {"source": source}))[kind]["nodes"]
    assert len(found) == HUNDRED
    graph.running.sandbox.reset_calls()
    return [node["id"] for node in found]


async def ask_in_parts(graph: Graph, query: str, asked: list[str]) -> list[dict[str, str]]:
    """Ask for many ids in fifty requests at once, and give what came in the order asked."""
    size = len(asked) // ALL_AT_ONCE
    parts = [asked[start : start + size] for start in range(0, len(asked), size)]
    assert len(parts) == ALL_AT_ONCE
    found = await asyncio.gather(*(graph.data(query, {"ids": part}) for part in parts))
    return [node for answer in found for node in answer["nodes"]]


async def test_a_hundred_norce_orders_with_lines_and_customers_cost_two_calls_of_query(graph: Graph) -> None:
    asked = ids("commerce", Kind.ORDER, range(FIRST_WEB_ORDER, FIRST_WEB_ORDER + HUNDRED))

    found = (await graph.data(ORDERS_WITH_LINES, {"ids": asked}))["nodes"]

    assert [order["id"] for order in found] == asked
    assert all(order["number"] and order["lines"] for order in found)
    assert sum(order["customer"] is not None and order["customer"]["name"] is not None for order in found) > HUNDRED // 2
    assert graph.calls() == {"norce.QueryOrders": 2}


async def test_the_currency_of_norce_orders_costs_nothing_where_its_ids_are_configured(sandbox: RunningSandbox) -> None:
    asked = ids("commerce", Kind.ORDER, range(FIRST_WEB_ORDER, FIRST_WEB_ORDER + HUNDRED))
    currencies = {"2": "SEK", "3": "EUR", "4": "NOK"}
    async with open_graph(sandbox, sources={"commerce": {"currencies": currencies}}) as graph:
        found = (await graph.data("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id currency } } }", {"ids": asked}))["nodes"]

        assert {order["currency"] for order in found} == {"SEK", "EUR", "NOK"}
        assert graph.calls() == {"norce.QueryOrders": 2}


async def test_a_hundred_norce_invoices_by_id_cost_a_call_each(graph: Graph) -> None:
    asked = ids("commerce", Kind.INVOICE, range(FIRST_WEB_INVOICE, FIRST_WEB_INVOICE + HUNDRED))

    found = (await graph.data(WHOLE_INVOICES, {"ids": asked}))["nodes"]

    assert [invoice["id"] for invoice in found] == asked
    assert graph.calls() == {"norce.GetInvoice": HUNDRED}


async def test_a_hundred_norce_invoices_cost_two_calls_of_query_where_the_metadata_shows_an_invoice_set(
    graph: Graph, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.change_switches("norce", {"invoice_set": True})
    asked = ids("commerce", Kind.INVOICE, range(FIRST_WEB_INVOICE, FIRST_WEB_INVOICE + HUNDRED))

    found = (await graph.data(ROWS_OF_INVOICES, {"ids": asked}))["nodes"]

    assert [invoice["id"] for invoice in found] == asked
    assert all(invoice["number"] and invoice["issueDate"] for invoice in found)
    assert graph.calls() == {"norce.QueryMetadata": 1, "norce.QueryInvoices": 2}
    await graph.data(ROWS_OF_INVOICES, {"ids": asked})
    assert graph.calls() == {"norce.QueryMetadata": 1, "norce.QueryInvoices": 4}


async def test_a_hundred_nimpos_customers_in_fifty_requests_at_once_cost_one_window_and_then_none(
    graph: Graph, sandbox: RunningSandbox
) -> None:
    async with open_graph(sandbox) as other:
        asked = await listed(other, "customers", "pos")

    found = await ask_in_parts(graph, CUSTOMERS, asked)

    assert [customer["id"] for customer in found] == asked
    assert graph.calls() == {"nimpos.GetCustomers": 1}
    assert await ask_in_parts(graph, CUSTOMERS, asked) == found
    assert graph.calls() == {"nimpos.GetCustomers": 1}


async def test_a_hundred_nimpos_invoices_in_fifty_requests_at_once_cost_one_window_a_terminal_and_then_none(
    graph: Graph, sandbox: RunningSandbox
) -> None:
    async with open_graph(sandbox) as other:
        asked = await listed(other, "invoices", "pos")

    found = await ask_in_parts(graph, INVOICES, asked)

    assert [invoice["id"] for invoice in found] == asked
    assert graph.calls() == {"nimpos.GetCustomerInvoice": TERMINALS}
    assert await ask_in_parts(graph, INVOICES, asked) == found
    assert graph.calls() == {"nimpos.GetCustomerInvoice": TERMINALS}


async def test_a_hundred_compilator_customers_in_fifty_requests_at_once_cost_one_sweep_and_then_none(graph: Graph) -> None:
    asked = ids("subscriptions", Kind.CUSTOMER, range(40001, 40001 + HUNDRED))

    found = await ask_in_parts(graph, CUSTOMERS, asked)

    assert [customer["id"] for customer in found] == asked
    sweep = graph.calls()
    assert set(sweep) == {"compilator.GetCustomersChangedSince"}
    pages = {request.query for request in graph.running.sandbox.requests.of("compilator")}
    assert sweep["compilator.GetCustomersChangedSince"] == len(pages)
    await ask_in_parts(graph, CUSTOMERS, asked)
    assert graph.calls() == sweep


async def test_a_hundred_shopctrl_invoices_cost_each_distinct_invoice_order_and_customer_once(
    graph: Graph, sandbox: RunningSandbox
) -> None:
    asked = await listed(graph, "invoices", "shop")
    async with open_graph(sandbox) as cold:
        found = (await cold.data(SHOP_INVOICES, {"ids": asked}))["nodes"]

        orders = {order["id"] for invoice in found for order in invoice["orders"]}
        customers = {invoice["customer"]["id"] for invoice in found if invoice["customer"] is not None}
        assert len(customers) > 10
        assert sum(cold.calls().values()) == len(asked) + len(orders) + len(customers)


async def test_the_id_and_number_of_a_referenced_order_cost_no_call(graph: Graph) -> None:
    query = "query ($id: ID!) { node(id: $id) { ... on Invoice { number orders { id number } } } }"
    (shop_invoice,) = ids("shop", Kind.INVOICE, ["88121"])
    (web_invoice,) = ids("commerce", Kind.INVOICE, [FIRST_WEB_INVOICE])

    shop = (await graph.data(query, {"id": shop_invoice}))["node"]
    web = (await graph.data(query, {"id": web_invoice}))["node"]

    assert [order["number"] for order in (*shop["orders"], *web["orders"])] == ["UTR-2026-00431", "N-100341"]
    assert graph.calls() == {"shopctrl.GetInvoice": 1, "norce.GetInvoice": 1}


async def test_five_hundred_requests_at_once_for_one_cold_order_make_each_call_once(
    graph: Graph, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait_for_all(_seconds: float) -> None:
        for _ in range(TURNS):  # of the loop: as many as any request needs to get to the call that is under way
            await asyncio.sleep(0)

    monkeypatch.setattr(sandbox.sandbox, "sleep", wait_for_all)
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="latency", seconds=1))

    found = await asyncio.gather(*(graph.data(SHOP_ORDER) for _ in range(CROWD)))

    assert found == [{"order": {"number": "UTR-2026-00431", "customer": {"name": "De Vries Fietsen B.V."}}}] * CROWD
    assert graph.calls() == {"shopctrl.GetOrder": 1, "shopctrl.GetCustomer": 1}
