"""What a query costs ShopCtrl, over the sandbox: calls counted by the emulated system."""

from __future__ import annotations

import pytest

from tests.graph import Graph

pytestmark = pytest.mark.anyio

LIST = """query ($first: Int!, $after: String) { invoices(first: $first, after: $after, filter: {sources: ["shop"]}) {
  nodes { id } pageInfo { hasNextPage endCursor } } }"""
BY_ID = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice {
  id number charges { kind } orders { id totals { total { amount } } customer { id } } customer { id name } } } }"""


async def test_a_hundred_invoices_with_order_and_customer_cost_each_distinct_object_once(graph: Graph) -> None:
    listed = (await graph.data(LIST, {"first": 100}))["invoices"]["nodes"]
    assert len(listed) == 100
    graph.running.sandbox.reset()
    found = (await graph.data(BY_ID, {"ids": [node["id"] for node in listed]}))["nodes"]
    orders = {order["id"] for node in found for order in node["orders"]}
    customers = {node["customer"]["id"] for node in found if node["customer"] is not None}
    assert customers
    assert graph.calls() == {
        "shopctrl.GetInvoice": 100,
        "shopctrl.GetOrderByCode": len(orders),
        "shopctrl.GetCustomer": len(customers),
    }


async def test_the_number_of_a_listed_invoice_and_what_the_list_says_of_its_order_cost_no_call_of_their_own(graph: Graph) -> None:
    query = """{ invoices(first: 10, filter: {sources: ["shop"]}) {
      nodes { number totals { total { amount } } orders { number orderedAt totals { total { amount } } } } } }"""
    assert len((await graph.data(query))["invoices"]["nodes"]) == 10
    assert set(graph.calls()) == {"shopctrl.ListOrders", "shopctrl.GetOrderInvoices"}


async def test_all_invoices_of_the_sandbox_come_once_in_pages_of_any_size(graph: Graph) -> None:
    walks = []
    for first in (17, 100):
        walk: list[str] = []
        variables: dict[str, object] = {"first": first}
        while True:
            page = (await graph.data(LIST, variables))["invoices"]
            walk += [node["id"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            variables["after"] = page["pageInfo"]["endCursor"]
        walks.append(walk)
    assert len(walks[0]) == len(set(walks[0])) > 100
    assert walks[0] == walks[1]


async def test_labels_cost_one_call_a_status_and_none_the_next_time(graph: Graph) -> None:
    query = '{ invoices(first: 20, filter: {sources: ["shop"]}) { nodes { sourceStatuses { field code label } } } }'
    found = (await graph.data(query))["invoices"]["nodes"]
    codes = {status["code"] for node in found for status in node["sourceStatuses"]}
    assert all(status["label"] for node in found for status in node["sourceStatuses"])
    assert graph.calls()["shopctrl.GetInvoiceStatus"] == len(codes)
    await graph.data(query)
    assert graph.calls()["shopctrl.GetInvoiceStatus"] == len(codes)
