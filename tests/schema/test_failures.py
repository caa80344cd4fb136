"""One failed call takes away what depended on it and nothing else; each such field says why."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.nimpos.data import Odd, make_id
from tests.graph import Graph
from tests.schema.ids import (
    COMMERCE_INVOICE,
    COMMERCE_ORDER,
    POS,
    POS_CUSTOMER,
    POS_INVOICE,
    SHOP_INVOICE,
    SHOP_ORDER,
    SUBSCRIPTIONS_SETTINGS,
    invoice_id,
    order_id,
)

pytestmark = pytest.mark.anyio

SHOP_ORDER_READ = "GET v1/Shops/{shopId}/Orders/{orderCode}"


def break_(graph: Graph, system: str, operation: str, *, status: int = 503, **more: Any) -> None:  # noqa: ANN401  (fields of a fault)
    graph.running.sandbox.faults.add(Fault(system=system, operation=operation, kind="status", status=status, **more))


def places(answer: dict[str, Any]) -> list[list[str | int]]:
    return sorted((error["path"] for error in answer["errors"]), key=str)


async def ask(graph: Graph, ids: list[str], selection: str) -> dict[str, Any]:
    return await graph.ask(f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Invoice {{ {selection} }} }} }}", {"ids": ids})


async def test_an_order_that_cannot_be_read_keeps_its_id_and_number_and_the_rest_says_why(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetOrderByCode")

    answer = await ask(
        breakable, [SHOP_INVOICE, COMMERCE_INVOICE], "number orders { id number status totals { total { amount } } lines { name } }"
    )

    assert answer["data"]["nodes"][0] == {
        "number": "F2026-0117",
        "orders": [{"id": SHOP_ORDER, "number": "UTR-2026-00431", "status": None, "totals": None, "lines": None}],
    }
    order_of_the_other = answer["data"]["nodes"][1]["orders"][0]
    assert (order_of_the_other["id"], order_of_the_other["status"], order_of_the_other["totals"]) == (
        COMMERCE_ORDER,
        "INVOICED",
        {"total": {"amount": "6000.0"}},
    )
    assert places(answer) == [["nodes", 0, "orders", 0, field] for field in ("lines", "status", "totals")]


async def test_an_error_tells_code_source_operation_and_whether_to_ask_again(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetOrderByCode")

    answer = await ask(breakable, [SHOP_INVOICE], "orders { status }")

    (error,) = answer["errors"]
    request_id = error["extensions"].pop("requestId")
    assert error == {
        "message": f"{SHOP_ORDER_READ}: it answered 503",
        "locations": [{"line": 1, "column": 69}],
        "path": ["nodes", 0, "orders", 0, "status"],
        "extensions": {"code": "UPSTREAM_UNAVAILABLE", "source": "shop", "operation": SHOP_ORDER_READ, "retryable": True},
    }
    assert len(request_id) == 16
    assert set(request_id) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("fault", "code", "retryable"),
    [
        (Fault(system="shopctrl", operation="GetInvoice", kind="status", status=500), "UPSTREAM_UNAVAILABLE", True),
        (Fault(system="shopctrl", operation="GetInvoice", kind="status", status=429), "UPSTREAM_RATE_LIMITED", True),
        (Fault(system="shopctrl", operation="GetInvoice", kind="status", status=403), "UPSTREAM_AUTH", False),
        (Fault(system="shopctrl", operation="GetInvoice", kind="status", status=418), "UPSTREAM_REJECTED", False),
        (Fault(system="shopctrl", operation="GetInvoice", kind="malformed"), "UPSTREAM_BAD_RESPONSE", False),
        (Fault(system="shopctrl", operation="GetInvoice", kind="wrong_type"), "UPSTREAM_BAD_RESPONSE", False),
        (Fault(system="shopctrl", operation="GetInvoice", kind="redirect"), "UPSTREAM_BAD_RESPONSE", False),
        (Fault(system="shopctrl", operation="GetInvoice", kind="drop"), "UPSTREAM_UNAVAILABLE", True),
    ],
    ids=lambda value: value.kind + str(value.status or "") if isinstance(value, Fault) else str(value),
)
async def test_each_way_to_fail_has_its_code_and_leaves_the_others_alone(
    breakable: Graph, fault: Fault, code: str, *, retryable: bool
) -> None:
    breakable.running.sandbox.faults.add(fault)

    answer = await ask(breakable, [SHOP_INVOICE, COMMERCE_INVOICE], "number")

    assert answer["data"] == {"nodes": [None, {"number": "F-2026-0088"}]}
    extensions = answer["errors"][0]["extensions"]
    assert places(answer) == [["nodes", 0]]
    assert (extensions["code"], extensions["retryable"], extensions["source"]) == (code, retryable, "shop")


async def test_the_wait_that_a_source_asks_for_is_told(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetInvoice", status=429, headers={"Retry-After": "7"})

    answer = await ask(breakable, [SHOP_INVOICE], "number")

    assert answer["errors"][0]["extensions"]["retryAfter"] == 7


async def test_what_a_source_says_in_its_failure_is_not_passed_on(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetInvoice", status=500, body="SqlException: login failed for user 'sa' with password 'hunter2'")

    assert "hunter2" not in str(await ask(breakable, [SHOP_INVOICE], "number"))


async def test_all_errors_of_one_request_have_the_same_id_and_another_request_another(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "*")

    first = await ask(breakable, [SHOP_INVOICE, invoice_id("shop", 88011)], "number")
    second = await ask(breakable, [SHOP_INVOICE], "number")

    ids = [{error["extensions"]["requestId"] for error in answer["errors"]} for answer in (first, second)]
    assert [len(group) for group in ids] == [1, 1]
    assert ids[0] != ids[1]


async def test_raw_json_that_could_not_be_read_is_an_error_and_not_just_null(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetOrderByCode")

    answer = await ask(breakable, [SHOP_INVOICE], "orders { id origin { nativeId fetchedAt raw } }")

    assert answer["data"]["nodes"][0]["orders"] == [{"id": SHOP_ORDER, "origin": {"nativeId": "55012", "fetchedAt": None, "raw": None}}]
    assert places(answer) == [["nodes", 0, "orders", 0, "origin", "raw"]]


async def test_a_party_that_only_the_failed_order_names_is_missing_with_the_reason(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetOrderByCode")

    answer = await ask(breakable, [SHOP_INVOICE], "number customer { id } orders { number }")

    assert answer["data"]["nodes"] == [{"number": "F2026-0117", "customer": None, "orders": [{"number": "UTR-2026-00431"}]}]
    assert places(answer) == [["nodes", 0, "customer"]]


async def test_a_customer_that_cannot_be_read_keeps_its_id(breakable: Graph) -> None:
    break_(breakable, "nimpos", "GetCustomers")

    answer = await ask(breakable, [POS_INVOICE], "number customer { id name email }")

    assert answer["data"]["nodes"] == [{"number": "20117", "customer": {"id": POS_CUSTOMER, "name": None, "email": None}}]
    assert places(answer) == [["nodes", 0, "customer", "email"], ["nodes", 0, "customer", "name"]]


async def test_terms_whose_customer_cannot_be_read_keep_both(breakable: Graph) -> None:
    break_(breakable, "compilator", "GetCustomersChangedSince")

    answer = await breakable.ask(
        "query ($id: ID!) { node(id: $id) { ... on InvoiceSettings { invoiceEmail customer { number name } } } }",
        {"id": SUBSCRIPTIONS_SETTINGS},
    )

    settings = answer["data"]["node"]
    assert (settings["invoiceEmail"], settings["customer"]["name"]) == ("faktura@malarakeri.example", None)
    assert ["node", "customer", "name"] in places(answer)


async def test_of_several_orders_one_that_fails_is_missed_alone(breakable: Graph) -> None:
    orders = [make_id("demo", "order", f"{Odd.MANY_ORDERS:d}/{place}") for place in range(4)]
    break_(breakable, "nimpos", "GetOrderById", match=orders[2])

    answer = await ask(breakable, [invoice_id(POS, make_id("demo", "invoice", Odd.MANY_ORDERS))], "orders { id status }")

    statuses = {order["id"]: order["status"] for order in answer["data"]["nodes"][0]["orders"]}
    assert statuses == {order_id(POS, key): None if key == orders[2] else "CLOSED" for key in orders}
    assert len(answer["errors"]) == 1


async def test_a_rounding_that_only_the_orders_know_is_missing_alone(breakable: Graph) -> None:
    break_(breakable, "nimpos", "GetOrderById")

    answer = await ask(breakable, [POS_INVOICE], "totals { total { amount } rounding { amount } }")

    assert answer["data"]["nodes"] == [{"totals": {"total": {"amount": "1250.0"}, "rounding": None}}]
    assert places(answer) == [["nodes", 0, "totals", "rounding"]]


async def test_a_currency_that_only_the_order_knows_is_missing_and_the_amount_stays(breakable: Graph) -> None:
    break_(breakable, "norce", "GetOrderByNo")

    answer = await ask(breakable, [COMMERCE_INVOICE], "currency totals { total { amount currency } }")

    assert answer["data"]["nodes"] == [{"currency": None, "totals": {"total": {"amount": "6000.0", "currency": None}}}]
    assert places(answer) == [["nodes", 0, "currency"], ["nodes", 0, "totals", "total", "currency"]]


async def test_lines_that_fail_are_missing_alone(breakable: Graph) -> None:
    break_(breakable, "shopctrl", "GetInvoiceRows")

    answer = await ask(breakable, [SHOP_INVOICE], "number lines { name }")

    assert answer["data"]["nodes"] == [{"number": "F2026-0117", "lines": None}]
    assert places(answer) == [["nodes", 0, "lines"]]


async def test_a_failed_lookup_is_null_with_the_reason_beside_one_that_worked(breakable: Graph) -> None:
    break_(breakable, "norce", "*")
    query = """{ web: invoice(by: {number: {source: "commerce", number: "F-2026-0088"}}) { id }
                 shop: invoice(by: {native: {source: "shop", id: "88121"}}) { id } }"""

    answer = await breakable.ask(query)

    assert answer["data"] == {"web": None, "shop": {"id": SHOP_INVOICE}}
    assert places(answer) == [["web"]]
