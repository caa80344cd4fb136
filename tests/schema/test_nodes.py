"""`node` and `nodes`: any object by its id, many at once, in the order asked."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gateway.model import Kind, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph
from tests.schema.ids import (
    COMMERCE,
    COMMERCE_CUSTOMER,
    COMMERCE_INVOICE,
    COMMERCE_ORDER,
    POS,
    POS_CUSTOMER,
    POS_INVOICE,
    POS_ORDER,
    SHOP,
    SHOP_CUSTOMER,
    SHOP_INVOICE,
    SHOP_ORDER,
    SUBSCRIPTIONS,
    SUBSCRIPTIONS_CUSTOMER,
    SUBSCRIPTIONS_INVOICE,
    SUBSCRIPTIONS_ORDER,
    SUBSCRIPTIONS_SETTINGS,
    customer_id,
    invoice_id,
    order_id,
    settings_id,
    source_id,
)

pytestmark = pytest.mark.anyio

OBJECT = """
  __typename
  id
  ... on Record { origin { source { key } nativeType nativeId } }
  ... on Invoice { number }
  ... on Order { number totals { total { amount } } }
  ... on Customer { number }
"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ {OBJECT} }} }}"
IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


@pytest.mark.parametrize(
    ("global_id", "type_name", "source", "native_type", "native_id", "number"),
    [
        (POS_INVOICE, "Invoice", POS, "CustomerInvoice", "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6", "20117"),
        (POS_ORDER, "Order", POS, "Order", "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6", "17"),
        (POS_CUSTOMER, "Customer", POS, "Customer", "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "1042"),
        (SHOP_INVOICE, "Invoice", SHOP, "Invoice", "88121", "F2026-0117"),
        (SHOP_ORDER, "Order", SHOP, "Order", "55012", "UTR-2026-00431"),
        (SHOP_CUSTOMER, "Customer", SHOP, "Customer", "20411", "K-20411"),
        (COMMERCE_INVOICE, "Invoice", COMMERCE, "Invoice", "50911", "F-2026-0088"),
        (COMMERCE_ORDER, "Order", COMMERCE, "Order", "70213", "N-100341"),
        (COMMERCE_CUSTOMER, "Customer", COMMERCE, "Customer", "customer/31877", "C-31877"),
        (SUBSCRIPTIONS_INVOICE, "Invoice", SUBSCRIPTIONS, "InvoiceHead", "910234", "910234"),
        (SUBSCRIPTIONS_ORDER, "Order", SUBSCRIPTIONS, "OrderHead", "5512/12", "5512"),
        (SUBSCRIPTIONS_CUSTOMER, "Customer", SUBSCRIPTIONS, "Customer", "40017", "40017"),
    ],
)
async def test_an_object_is_found_by_its_id_and_has_that_id(
    reader: Graph, global_id: str, type_name: str, source: str, native_type: str, native_id: str, number: str
) -> None:
    data = await reader.data(NODE, {"id": global_id})

    data["node"].pop("totals", None)  # asked so that an order is read whole
    assert data["node"] == {
        "__typename": type_name,
        "id": global_id,
        "origin": {"source": {"key": source}, "nativeType": native_type, "nativeId": native_id},
        "number": number,
    }


async def test_invoicing_terms_are_found_by_their_id(reader: Graph) -> None:
    data = await reader.data(
        "query ($id: ID!) { node(id: $id) { __typename id ... on InvoiceSettings { invoiceEmail customer { id name } } } }",
        {"id": SUBSCRIPTIONS_SETTINGS},
    )

    assert data["node"] == {
        "__typename": "InvoiceSettings",
        "id": SUBSCRIPTIONS_SETTINGS,
        "invoiceEmail": "faktura@malarakeri.example",
        "customer": {"id": SUBSCRIPTIONS_CUSTOMER, "name": "Mälaråkeriet AB"},
    }


async def test_a_source_is_found_by_its_id_without_a_call(reader: Graph) -> None:
    data = await reader.data("query ($id: ID!) { node(id: $id) { __typename id ... on Source { key system } } }", {"id": source_id(SHOP)})

    assert data["node"] == {"__typename": "Source", "id": source_id(SHOP), "key": "shop", "system": "SHOPCTRL"}
    assert reader.calls() == {}


@pytest.mark.parametrize("extra", ["88121", " "])
async def test_a_source_has_no_other_id_than_its_own(reader: Graph, extra: str) -> None:
    answer = await reader.ask(NODE, {"id": Ref(SHOP, Kind.SOURCE, extra).global_id})

    assert answer["data"] == {"node": None}
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_nodes_come_in_the_order_asked_with_null_where_there_is_none(reader: Graph) -> None:
    absent = invoice_id(SHOP, 999_999)
    asked = [SHOP_INVOICE, COMMERCE_ORDER, absent, POS_INVOICE, source_id(POS), SHOP_INVOICE]

    data = await reader.data(IDS, {"ids": asked})

    assert data["nodes"] == [None if global_id == absent else {"id": global_id} for global_id in asked]


async def test_an_id_asked_twice_is_read_once(reader: Graph) -> None:
    data = await reader.data(IDS, {"ids": [SHOP_INVOICE] * 3})

    assert data["nodes"] == [{"id": SHOP_INVOICE}] * 3
    assert reader.calls() == {"shopctrl.GetInvoice": 1}


async def test_no_ids_are_no_objects(reader: Graph) -> None:
    assert await reader.data(IDS, {"ids": []}) == {"nodes": []}
    assert reader.calls() == {}


async def test_what_is_wrong_with_one_id_is_told_at_its_place_and_the_others_answer(reader: Graph) -> None:
    answer = await reader.ask(IDS, {"ids": [SHOP_INVOICE, "junk", COMMERCE_INVOICE, settings_id(SHOP, 1)]})

    assert answer["data"]["nodes"] == [{"id": SHOP_INVOICE}, None, {"id": COMMERCE_INVOICE}, None]
    assert [(error["path"], error["message"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["nodes", 1], "id: this is no id of this gateway", "BAD_USER_INPUT"),
        (["nodes", 3], "id: ShopCtrl has customers, orders and invoices only", "BAD_USER_INPUT"),
    ]


async def test_a_failed_source_fails_at_its_ids_only(graph: Graph) -> None:
    graph.running.sandbox.faults.add(Fault(system="shopctrl", operation="GetInvoice", kind="status", status=500))

    answer = await graph.ask(IDS, {"ids": [SHOP_INVOICE, COMMERCE_INVOICE, SHOP_ORDER]})

    assert answer["data"]["nodes"] == [None, {"id": COMMERCE_INVOICE}, {"id": SHOP_ORDER}]
    assert [(error["path"], error["extensions"]["code"], error["extensions"]["source"]) for error in answer["errors"]] == [
        (["nodes", 0], "UPSTREAM_UNAVAILABLE", "shop")
    ]


async def test_where_absence_cannot_be_proven_null_comes_with_an_error(reader: Graph) -> None:
    answer = await reader.ask(NODE, {"id": invoice_id(POS, "00000000-0000-4000-8000-000000000001")})

    assert answer["data"] == {"node": None}
    extensions = answer["errors"][0]["extensions"]
    assert extensions.pop("requestId")
    assert extensions == {"code": "ABSENCE_UNPROVEN", "source": "pos", "operation": "GetCustomerInvoice", "retryable": False}
    assert answer["errors"][0]["path"] == ["node"]


async def test_200_ids_are_taken_and_one_more_is_refused_by_name(reader: Graph) -> None:
    fine = await reader.ask(IDS, {"ids": [source_id(SHOP)] * 200})
    refused = await reader.ask(IDS, {"ids": [source_id(SHOP)] * 201})

    assert len(fine["data"]["nodes"]) == 200
    assert refused["data"] is None
    assert refused["errors"][0]["message"] == "ids: 201 are asked for, 200 is the most"
    assert refused["errors"][0]["path"] == ["nodes"]
    assert refused["errors"][0]["extensions"]["code"] == "NODES_LIMIT"


async def test_how_many_ids_are_taken_can_be_configured(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, limits={"max_nodes": 1}) as graph:
        answer = await graph.ask(IDS, {"ids": [source_id(SHOP)] * 2})

    assert answer["errors"][0]["message"] == "ids: 2 are asked for, 1 is the most"


# ------------------------------------------------------------------ who may see what


async def test_an_object_of_a_source_that_the_caller_may_not_see_is_not_there(sandbox: RunningSandbox) -> None:
    caller = {"name": "shop frontend", "key_sha256": sha256(b"key").hexdigest(), "permissions": ["read"], "sources": ["shop"]}
    async with open_graph(sandbox, callers=[caller]) as graph:
        data = await graph.data(
            IDS, {"ids": [COMMERCE_INVOICE, SHOP_INVOICE, source_id(COMMERCE), source_id(SHOP)]}, authorization="Bearer key"
        )

        assert data["nodes"] == [None, {"id": SHOP_INVOICE}, None, {"id": source_id(SHOP)}]
        assert graph.calls() == {"shopctrl.GetInvoice": 1}


async def test_an_id_of_a_source_that_is_not_configured_is_not_there(reader: Graph) -> None:
    assert await reader.data(IDS, {"ids": [invoice_id("elsewhere", 1)]}) == {"nodes": [None]}
    assert reader.calls() == {}


async def test_an_id_from_before_a_source_got_another_key_is_still_good_and_answered_with_the_present_one(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, sources={"shop": {"former_keys": ["old-shop"]}}) as graph:
        data = await graph.data(IDS, {"ids": [invoice_id("old-shop", 88121), source_id("old-shop")]})

    assert data["nodes"] == [{"id": SHOP_INVOICE}, {"id": source_id(SHOP)}]


# ------------------------------------------------------------------ keys


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        (invoice_id(POS, "6A1D2F3E-4B5C-4D6E-8F70-8192A3B4C5D6"), POS_INVOICE),
        (invoice_id(POS, "{6a1d2f3e4b5c4d6e8f708192a3b4c5d6}"), POS_INVOICE),
        (invoice_id(SHOP, "0088121"), SHOP_INVOICE),
        (order_id(SUBSCRIPTIONS, "05512/012"), SUBSCRIPTIONS_ORDER),
        (customer_id(COMMERCE, "customer/031877"), COMMERCE_CUSTOMER),
    ],
)
async def test_another_spelling_of_a_key_leads_to_the_object_with_its_one_id(reader: Graph, asked: str, canonical: str) -> None:
    assert asked != canonical
    assert await reader.data(IDS, {"ids": [asked, canonical]}) == {"nodes": [{"id": canonical}] * 2}
