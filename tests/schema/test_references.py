"""A foreign key is an object that answers from what came along with it, and is fetched only when more is asked of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.sandbox.nimpos.data import Odd, make_id
from tests.graph import Graph
from tests.schema.ids import (
    COMMERCE_CUSTOMER,
    COMMERCE_INVOICE,
    COMMERCE_INVOICE_OF_NO_ORDER,
    COMMERCE_ORDER,
    POS,
    POS_CUSTOMER,
    POS_INVOICE,
    SHOP_CUSTOMER,
    SHOP_INVOICE,
    SHOP_ORDER,
    SUBSCRIPTIONS_CUSTOMER,
    SUBSCRIPTIONS_INVOICE,
    invoice_id,
    order_id,
)

pytestmark = pytest.mark.anyio

INVOICE_ONLY = {"shopctrl.GetInvoice": 1}
AND_ITS_ORDER = {"shopctrl.GetInvoice": 1, "shopctrl.GetOrderByCode": 1}


async def invoice(reader: Graph, global_id: str, selection: str, more: str = "", **variables: object) -> Any:  # noqa: ANN401  (any JSON value)
    """Ask fields of an invoice; `more` are fragments and, after `$id: ID!`, variables."""
    declared, _, fragments = more.partition(" fragment")
    query = f"query ($id: ID!{declared}) {{ invoice(by: {{id: $id}}) {{ {selection} }} }}" + (f" fragment{fragments}" if fragments else "")
    return (await reader.data(query, {"id": global_id, **variables}))["invoice"]


# ------------------------------------------------------------------ what a reference carries


async def test_id_and_number_of_an_order_that_the_invoice_names_need_no_call(reader: Graph) -> None:
    shop = await invoice(reader, SHOP_INVOICE, "orders { __typename id number }")
    web = await invoice(reader, COMMERCE_INVOICE, "orders { __typename id number orderedAt }")

    assert shop == {"orders": [{"__typename": "Order", "id": SHOP_ORDER, "number": "UTR-2026-00431"}]}
    assert web == {
        "orders": [{"__typename": "Order", "id": COMMERCE_ORDER, "number": "N-100341", "orderedAt": "2026-01-15T08:41:12+00:00"}]
    }
    assert reader.calls() == {"shopctrl.GetInvoice": 1, "norce.GetInvoice": 1}


async def test_where_a_reference_comes_from_needs_no_call_and_it_was_not_fetched(reader: Graph) -> None:
    found = await invoice(reader, SHOP_INVOICE, "orders { origin { source { key } nativeType nativeId fetchedAt } }")

    assert found["orders"] == [{"origin": {"source": {"key": "shop"}, "nativeType": "Order", "nativeId": "55012", "fetchedAt": None}}]
    assert reader.calls() == INVOICE_ONLY


async def test_an_object_that_was_fetched_says_when(reader: Graph) -> None:
    found = await invoice(reader, SHOP_INVOICE, "origin { fetchedAt } orders { status origin { fetchedAt } }")

    times = [found["origin"]["fetchedAt"], found["orders"][0]["origin"]["fetchedAt"]]
    assert [datetime.fromisoformat(time).utcoffset() is not None for time in times] == [True, True]
    assert times[0] < times[1]


async def test_a_field_that_this_source_does_not_name_along_is_fetched(reader: Graph) -> None:
    assert await invoice(reader, SHOP_INVOICE, "orders { number orderedAt }") == {
        "orders": [{"number": "UTR-2026-00431", "orderedAt": "2026-01-10T09:31:00+01:00"}]
    }
    assert reader.calls() == AND_ITS_ORDER


async def test_a_customer_is_a_reference_too(graph: Graph) -> None:
    assert await invoice(graph, POS_INVOICE, "customer { id }") == {"customer": {"id": POS_CUSTOMER}}
    assert "nimpos.GetCustomers" not in graph.calls()

    assert await invoice(graph, POS_INVOICE, "customer { id name }") == {"customer": {"id": POS_CUSTOMER, "name": "Bageri Kringlan AB"}}
    assert graph.calls()["nimpos.GetCustomers"] == 1


async def test_a_party_that_the_invoice_does_not_name_is_the_one_of_its_order(reader: Graph) -> None:
    assert await invoice(reader, SHOP_INVOICE, "customer { id number }") == {"customer": {"id": SHOP_CUSTOMER, "number": "K-20411"}}
    assert reader.calls() == AND_ITS_ORDER

    assert await invoice(reader, SHOP_INVOICE, "customer { name } orders { status }") == {
        "customer": {"name": "De Vries Fietsen B.V."},
        "orders": [{"status": "UNKNOWN"}],
    }
    assert reader.calls() == {"shopctrl.GetInvoice": 2, "shopctrl.GetOrderByCode": 2, "shopctrl.GetCustomer": 1}


async def test_a_party_that_came_whole_with_the_invoice_is_not_fetched(reader: Graph) -> None:
    found = await invoice(
        reader, COMMERCE_INVOICE, "customer { id name kind organizationNumber billingAddress { city } warnings { code } }"
    )

    assert found["customer"]["id"] == COMMERCE_CUSTOMER
    assert found["customer"]["name"] == "Nordvik Möbler AB"
    assert reader.calls() == {"norce.GetInvoice": 1}


async def test_a_reference_with_a_key_that_is_not_the_objects_own_gets_the_objects_id(reader: Graph) -> None:
    # This source's invoices name their recipient by a GUID; the key of its customers is the number.
    assert await invoice(reader, SUBSCRIPTIONS_INVOICE, "customer { id }") == {"customer": {"id": SUBSCRIPTIONS_CUSTOMER}}


async def test_lines_are_a_call_of_their_own_only_when_they_are_asked(reader: Graph) -> None:
    await invoice(reader, SHOP_INVOICE, "number totals { total { amount } } document { fileId }")
    assert reader.calls() == INVOICE_ONLY

    found = await invoice(reader, SHOP_INVOICE, "lines { quantity netAmount { amount currency currencyOrigin } }")
    assert [line["quantity"] for line in found["lines"]] == ["3.0", "-1.0"]
    assert [line["netAmount"] for line in found["lines"]] == [
        {"amount": amount, "currency": "EUR", "currencyOrigin": "RECORD"} for amount in ("300.0", "-100.0")
    ]
    assert reader.calls() == {"shopctrl.GetInvoice": 2, "shopctrl.GetInvoiceRows": 1}


async def test_lines_of_an_object_that_was_just_read_are_no_reason_to_read_it_again(reader: Graph) -> None:
    query = '{ order(by: {number: {source: "shop", number: "UTR-2026-00431"}}) { number lines { itemNumber } } }'

    assert (await reader.data(query))["order"]["lines"]
    assert reader.calls() == {"shopctrl.GetOrderByCode": 2, "shopctrl.GetOrderRows": 1}  # one try a shop


async def test_the_number_of_a_credited_invoice_needs_no_call_and_the_invoice_one(reader: Graph) -> None:
    credit = invoice_id("commerce", 50911 + 5)

    assert await invoice(reader, credit, "creditedInvoice { number }") == {"creditedInvoice": {"number": "F-2026-0092"}}
    assert reader.calls() == {"norce.GetInvoice": 1}

    assert await invoice(reader, credit, "creditedInvoice { number invoice { id } }") == {
        "creditedInvoice": {"number": "F-2026-0092", "invoice": {"id": invoice_id("commerce", 50911 + 4)}}
    }
    assert reader.calls() == {"norce.GetInvoice": 2, "norce.GetInvoiceByNo": 1}


async def test_terms_are_asked_of_sources_that_have_them_only(reader: Graph) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id invoiceSettings { invoiceEmail } } } }"

    data = await reader.data(query, {"ids": [SHOP_CUSTOMER, SUBSCRIPTIONS_CUSTOMER]})

    assert [node["invoiceSettings"] for node in data["nodes"]] == [None, {"invoiceEmail": "faktura@malarakeri.example"}]
    assert reader.calls()["compilator.GetCustomerInvoice"] == 1


# ------------------------------------------------------------------ however it is written


@pytest.mark.parametrize(
    ("selection", "more", "is_fetched"),
    [
        ("orders { id number }", "", False),
        ("orders { key: id called: number }", "", False),
        ("orders { ... on Order { number } }", "", False),
        ("orders { ... { number } }", "", False),
        ("orders { ... on Node { id } }", "", False),
        ("orders { ... on Record { origin { nativeId } } }", "", False),
        ("orders { ...F }", " fragment F on Order { id ...G } fragment G on Order { number }", False),
        ("orders { ... on Node { id ... on Invoice { totals { total { amount } } } } }", "", False),
        ("orders { id status @skip(if: true) }", "", False),
        ("orders { id status @include(if: false) }", "", False),
        ("orders { id ... @include(if: false) { status } }", "", False),
        ("orders { id ...F @skip(if: true) }", " fragment F on Order { status }", False),
        ("orders { id status @include(if: true) @skip(if: true) }", "", False),
        ("orders { status }", "", True),
        ("orders { id number: status }", "", True),
        ("orders { id warnings { code } }", "", True),
        ("orders { ... on Order { status } }", "", True),
        ("orders { ... { ... { status } } }", "", True),
        ("orders { ... on Record { warnings { code } } }", "", True),
        ("orders { ...F }", " fragment F on Order { id ...G } fragment G on Order { status }", True),
        ("orders { id } orders { status }", "", True),
        ("orders { id } ...F", " fragment F on Invoice { orders { ...G } } fragment G on Record { ... on Order { status } }", True),
        ("light: orders { id } full: orders { id status }", "", True),
        ("orders { id status @skip(if: false) @include(if: true) }", "", True),
        ("orders { id ... @include(if: true) { status } }", "", True),
    ],
)
async def test_an_order_is_fetched_exactly_when_more_is_asked_of_it(reader: Graph, selection: str, more: str, *, is_fetched: bool) -> None:
    await invoice(reader, SHOP_INVOICE, selection, more)

    assert reader.calls() == (AND_ITS_ORDER if is_fetched else INVOICE_ONLY)


@pytest.mark.parametrize(
    ("directive", "flag", "is_fetched"),
    [
        ("@include(if: $flag)", True, True),
        ("@include(if: $flag)", False, False),
        ("@skip(if: $flag)", True, False),
        ("@skip(if: $flag)", False, True),
    ],
)
@pytest.mark.parametrize("selection", ["status {0}", "... {0} {{ status }}", "...F {0}"])
async def test_variables_decide_what_is_asked(reader: Graph, selection: str, directive: str, *, flag: bool, is_fetched: bool) -> None:
    fragment = " fragment F on Order { status }" if "...F" in selection else ""

    found = await invoice(reader, SHOP_INVOICE, f"orders {{ id {selection.format(directive)} }}", f", $flag: Boolean!{fragment}", flag=flag)

    assert ("status" in found["orders"][0]) is is_fetched
    assert reader.calls() == (AND_ITS_ORDER if is_fetched else INVOICE_ONLY)


async def test_a_default_of_a_variable_decides_too(reader: Graph) -> None:
    await invoice(reader, SHOP_INVOICE, "orders { id status @include(if: $flag) }", ", $flag: Boolean = false")

    assert reader.calls() == INVOICE_ONLY


async def test_a_fragment_for_another_type_asks_nothing_of_this_one(reader: Graph) -> None:
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
        ... on Order { customer { name } }
        ... on Invoice { orders { id } } } }"""

    await reader.data(query, {"ids": [SHOP_INVOICE]})

    assert reader.calls() == INVOICE_ONLY


async def test_the_same_place_in_two_aliases_is_decided_for_each(reader: Graph) -> None:
    query = "query ($id: ID!) { a: invoice(by: {id: $id}) { orders { id } } b: invoice(by: {id: $id}) { orders { id status } } }"

    data = await reader.data(query, {"id": SHOP_INVOICE})

    assert data == {"a": {"orders": [{"id": SHOP_ORDER}]}, "b": {"orders": [{"id": SHOP_ORDER, "status": "UNKNOWN"}]}}
    assert reader.calls() == AND_ITS_ORDER


# ------------------------------------------------------------------ references to nothing


async def test_a_reference_to_nothing_keeps_what_it_carried_and_says_so(reader: Graph) -> None:
    found = await invoice(
        reader,
        COMMERCE_INVOICE_OF_NO_ORDER,
        "orders { id number status currency totals { total { amount } } lines { name }"
        " customer { id } warnings { code } origin { fetchedAt } }",
    )

    assert found["orders"] == [
        {
            "id": order_id("commerce", 99_999_999),
            "number": "N-999999",
            "status": None,
            "currency": None,
            "totals": None,
            "lines": None,
            "customer": None,
            "warnings": [{"code": "REFERENCE_NOT_FOUND"}],
            "origin": {"fetchedAt": None},
        }
    ]


async def test_one_order_of_several_may_be_gone(reader: Graph) -> None:
    found = await invoice(reader, invoice_id(POS, make_id("demo", "invoice", Odd.ARCHIVED_ORDER)), "orders { id status warnings { code } }")

    gone = [order for order in found["orders"] if {"code": "REFERENCE_NOT_FOUND"} in order["warnings"]]
    assert (len(found["orders"]), gone) == (
        2,
        [
            {
                "id": order_id(POS, make_id("demo", "order", f"{Odd.ARCHIVED_ORDER:d}/1")),
                "status": None,
                "warnings": [{"code": "REFERENCE_NOT_FOUND"}],
            }
        ],
    )
