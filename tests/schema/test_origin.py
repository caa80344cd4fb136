"""Where an object comes from, and its own JSON for those who may see it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph
from tests.schema.ids import (
    COMMERCE_INVOICE,
    POS_INVOICE,
    SHOP_INVOICE,
    SUBSCRIPTIONS_CUSTOMER,
    customer_id,
    invoice_id,
)

pytestmark = pytest.mark.anyio

RAW = "query ($id: ID!) { node(id: $id) { ... on Record { origin { raw } } } }"


async def raw_of(graph: Graph, global_id: str, **headers: str) -> Any:  # noqa: ANN401  (any JSON value)
    return (await graph.data(RAW, {"id": global_id}, **headers))["node"]["origin"]["raw"]


async def test_amounts_in_raw_json_are_numbers_with_the_scale_that_the_source_sent(reader: Graph) -> None:
    response = await reader.send(RAW, {"id": SHOP_INVOICE})

    assert '"InvoiceTotalIncVat":242.0,' in response.text
    assert '"InvoiceTotalExVat":200.0,' in response.text
    assert '"Id":88121,' in response.text


async def test_raw_json_is_the_sources_own(reader: Graph) -> None:
    raw = await raw_of(reader, POS_INVOICE)

    assert raw["InvoiceNumber"] == 20117
    assert raw["PaidStatus"] == "Ej betald"
    assert raw["CreationDate"] == "2026-06-21T22:48:27.9745441+02:00"


def _keys(tree: object) -> set[str]:
    match tree:
        case dict():
            return {*tree, *(key for value in tree.values() for key in _keys(value))}
        case list():
            return {key for item in tree for key in _keys(item)}
        case _:
            return set()


async def test_personal_identity_numbers_are_removed(reader: Graph) -> None:
    # Party 3 is a person with a social security number, which the service sends.
    raw = await raw_of(reader, customer_id("commerce", "customer/31003"))

    assert raw["FirstName"]
    assert "SSN" not in _keys(raw)
    assert "SSN" not in _keys(await raw_of(reader, COMMERCE_INVOICE))


async def test_a_number_that_may_be_personal_is_removed_for_companies_too(reader: Graph) -> None:
    raw = await raw_of(reader, SUBSCRIPTIONS_CUSTOMER)

    assert raw["Name"] == "Mälaråkeriet AB"
    assert {"OrgNo", "VatRegistrationNumber"} & _keys(raw) == set()


async def test_raw_json_needs_its_permission_and_is_null_without(sandbox: RunningSandbox) -> None:
    callers = [
        {"name": "frontend", "key_sha256": sha256(b"front").hexdigest(), "permissions": ["read"], "sources": ["*"]},
        {"name": "auditor", "key_sha256": sha256(b"audit").hexdigest(), "permissions": ["read", "raw"], "sources": ["*"]},
    ]
    async with open_graph(sandbox, callers=callers) as graph:
        assert await raw_of(graph, SHOP_INVOICE, authorization="Bearer front") is None
        assert (await raw_of(graph, SHOP_INVOICE, authorization="Bearer audit"))["Id"] == 88121


async def test_raw_json_that_no_answer_can_carry_is_shown_all_the_same(graph: Graph) -> None:
    body = '{"Id": 88010, "Deleted": false, "Unknown": {"a": 1e99999999999999999999, "b": 1e31, "c": 99999999999999999999}}'
    headers = {"content-type": "application/json"}
    graph.running.sandbox.faults.add(
        Fault(system="shopctrl", operation="GetInvoice", kind="status", status=200, body=body, headers=headers)
    )

    raw = await raw_of(graph, invoice_id("shop", 88010))

    assert raw["Unknown"] == {"a": "1e99999999999999999999", "b": "1e31", "c": 99999999999999999999}
