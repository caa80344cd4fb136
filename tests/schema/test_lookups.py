"""An object by its id, by the source's own key, or by the number the business uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.app import create_app, settings_from
from gateway.sandbox.server import RunningSandbox
from tests.fakes import FakeWire, answer
from tests.graph import Graph, open_graph
from tests.schema.ids import (
    COMMERCE_CUSTOMER,
    COMMERCE_INVOICE,
    COMMERCE_ORDER,
    POS_CUSTOMER,
    POS_INVOICE,
    SHOP_CUSTOMER,
    SHOP_INVOICE,
    SHOP_ORDER,
    SUBSCRIPTIONS_CUSTOMER,
    SUBSCRIPTIONS_INVOICE,
    SUBSCRIPTIONS_ORDER,
    customer_id,
    order_id,
)

pytestmark = pytest.mark.anyio

FIND = {field: f"query ($by: Lookup!) {{ {field}(by: $by) {{ id }} }}" for field in ("invoice", "order", "customer")}
LINE_BREAK = "1\r\nx-injected: 1"
ODD_KEYS = (
    "../../admin",
    "1/../2",
    "..",
    ".",
    LINE_BREAK,
    "1?x=1",
    "1&x=1",
    "1#f",
    "'1' or 1 eq 1",
    '"',
    "%2e%2e%2f",
    "1\x00",
    "ü ☕",
    "a+b",
)


# ------------------------------------------------------------------ the three ways


@pytest.mark.parametrize(
    ("field", "by", "found"),
    [
        ("invoice", {"id": SHOP_INVOICE}, SHOP_INVOICE),
        ("invoice", {"native": {"source": "shop", "id": "88121"}}, SHOP_INVOICE),
        ("invoice", {"native": {"source": "pos", "id": "6A1D2F3E-4B5C-4D6E-8F70-8192A3B4C5D6"}}, POS_INVOICE),
        ("invoice", {"number": {"source": "pos", "number": "20117"}}, POS_INVOICE),
        ("invoice", {"number": {"source": "commerce", "number": "F-2026-0088"}}, COMMERCE_INVOICE),
        ("invoice", {"number": {"source": "subscriptions", "number": "910234"}}, SUBSCRIPTIONS_INVOICE),
        ("order", {"id": COMMERCE_ORDER}, COMMERCE_ORDER),
        ("order", {"native": {"source": "subscriptions", "id": "5512/12"}}, SUBSCRIPTIONS_ORDER),
        ("order", {"number": {"source": "shop", "number": "UTR-2026-00431"}}, SHOP_ORDER),
        ("order", {"number": {"source": "commerce", "number": "N-100341"}}, COMMERCE_ORDER),
        ("customer", {"id": POS_CUSTOMER}, POS_CUSTOMER),
        ("customer", {"native": {"source": "commerce", "id": "customer/31877"}}, COMMERCE_CUSTOMER),
        ("customer", {"number": {"source": "pos", "number": "1042"}}, POS_CUSTOMER),
        ("customer", {"number": {"source": "shop", "number": "K-20411"}}, SHOP_CUSTOMER),
        ("customer", {"number": {"source": "commerce", "number": "C-31877"}}, COMMERCE_CUSTOMER),
        ("customer", {"number": {"source": "subscriptions", "number": "40017"}}, SUBSCRIPTIONS_CUSTOMER),
    ],
)
async def test_an_object_is_found(reader: Graph, field: str, by: dict[str, object], found: str) -> None:
    assert await reader.data(FIND[field], {"by": by}) == {field: {"id": found}}


@pytest.mark.parametrize(
    ("field", "by"),
    [
        ("invoice", {"native": {"source": "shop", "id": "999999"}}),
        ("invoice", {"number": {"source": "commerce", "number": "F-0"}}),
        ("invoice", {"number": {"source": "subscriptions", "number": "F-1"}}),
        ("order", {"native": {"source": "subscriptions", "id": "5512/13"}}),
        ("order", {"number": {"source": "shop", "number": "UTR-0"}}),
        ("order", {"number": {"source": "shop", "number": ""}}),
        ("customer", {"number": {"source": "pos", "number": "none"}}),
        ("customer", {"id": customer_id("elsewhere", "1")}),
    ],
)
async def test_what_the_source_says_is_not_there_is_null(reader: Graph, field: str, by: dict[str, object]) -> None:
    assert await reader.data(FIND[field], {"by": by}) == {field: None}


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("field", "by", "message"),
    [
        ("order", {"id": SHOP_INVOICE}, "id: this is the id of an invoice, not of an order"),
        ("customer", {"id": SHOP_ORDER}, "id: this is the id of an order, not of a customer"),
        ("invoice", {"id": "junk"}, "id: this is no id of this gateway"),
        ("invoice", {"id": ""}, "id: this is no id of this gateway"),
        ("order", {"id": order_id("subscriptions", "5512")}, "order: the key is its id and its branch, e.g. 5512/12"),
        ("invoice", {"native": {"source": "shop", "id": "F-1"}}, "id: a ShopCtrl id is a positive integer"),
        ("order", {"native": {"source": "pos", "id": "17"}}, "id: the key of a NIMPOS order is a GUID"),
        (
            "invoice",
            {"native": {"source": "nowhere", "id": "1"}},
            'source: there is no source "nowhere" (there are: subscriptions, pos, commerce, shop)',
        ),
        (
            "customer",
            {"number": {"source": "", "number": "1"}},
            'source: there is no source "" (there are: subscriptions, pos, commerce, shop)',
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name_and_asks_nobody(
    reader: Graph, field: str, by: dict[str, object], message: str
) -> None:
    told = await reader.ask(FIND[field], {"by": by})

    assert told["data"] == {field: None}
    assert [(error["message"], error["path"], error["extensions"]["code"]) for error in told["errors"]] == [
        (message, [field], "BAD_USER_INPUT")
    ]
    assert reader.calls() == {}


@pytest.mark.parametrize(
    "by",
    [{}, {"id": SHOP_INVOICE, "native": {"source": "shop", "id": "88121"}}, {"id": None}, {"id": SHOP_INVOICE, "number": None}],
    ids=["none", "two", "null", "one and a null"],
)
async def test_a_lookup_is_exactly_one_of_the_three_ways(reader: Graph, by: dict[str, object]) -> None:
    response = await reader.send(FIND["invoice"], {"by": by}, accept="application/graphql-response+json")

    assert response.status_code == 400
    assert "data" not in response.json()
    assert reader.calls() == {}


async def test_a_number_that_two_customers_have_is_ambiguous_and_their_ids_are_told(reader: Graph) -> None:
    told = await reader.ask(FIND["customer"], {"by": {"number": {"source": "shop", "number": "K-20430"}}})

    assert told["data"] == {"customer": None}
    assert told["errors"][0]["message"] == "2 objects of shop have this number"
    extensions = told["errors"][0]["extensions"]
    assert extensions.pop("requestId")
    assert extensions == {
        "code": "AMBIGUOUS_LOOKUP",
        "source": "shop",
        "operation": "find",
        "retryable": False,
        "ids": [customer_id("shop", 20430), customer_id("shop", 20431)],
    }
    assert (await reader.data("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { number } } }", {"ids": extensions["ids"]})) == {
        "nodes": [{"number": "K-20430"}, {"number": "K-20430"}]
    }


@pytest.mark.parametrize(
    ("field", "source", "operation"),
    [("order", "pos", "GetOrderById"), ("invoice", "shop", "find by number"), ("order", "subscriptions", "find order")],
)
async def test_a_lookup_that_a_source_does_not_publish_is_unsupported_and_asks_nobody(
    reader: Graph, field: str, source: str, operation: str
) -> None:
    told = await reader.ask(FIND[field], {"by": {"number": {"source": source, "number": "17"}}})

    assert told["data"] == {field: None}
    extensions = told["errors"][0]["extensions"]
    assert extensions.pop("requestId")
    assert extensions == {"code": "LOOKUP_UNSUPPORTED", "source": source, "operation": operation, "retryable": False}
    assert reader.calls() == {}


@pytest.mark.parametrize(
    "by", [{"number": {"source": "pos", "number": "1"}}, {"native": {"source": "pos", "id": "00000000-0000-4000-8000-000000000001"}}]
)
async def test_an_invoice_that_the_tills_do_not_show_may_be_there_all_the_same(reader: Graph, by: dict[str, object]) -> None:
    told = await reader.ask(FIND["invoice"], {"by": by})

    assert told["data"] == {"invoice": None}
    assert [(error["path"], error["extensions"]["code"], error["extensions"]["source"]) for error in told["errors"]] == [
        (["invoice"], "ABSENCE_UNPROVEN", "pos")
    ]


async def test_a_caller_is_told_of_no_source_that_it_may_not_see(sandbox: RunningSandbox) -> None:
    caller = {"name": "shop frontend", "key_sha256": sha256(b"key").hexdigest(), "permissions": ["read"], "sources": ["shop"]}
    async with open_graph(sandbox, callers=[caller]) as graph:
        by_key = await graph.ask(FIND["invoice"], {"by": {"native": {"source": "commerce", "id": "50911"}}}, authorization="Bearer key")
        by_id = await graph.ask(FIND["invoice"], {"by": {"id": COMMERCE_INVOICE}}, authorization="Bearer key")

        assert by_key["errors"][0]["message"] == 'source: there is no source "commerce" (there are: shop)'
        assert by_id == {"data": {"invoice": None}}
        assert graph.calls() == {}


# ------------------------------------------------------------------ keys that try to be more than keys


@pytest.mark.parametrize("key", ["../../admin", "1/../2", "..", "."])
async def test_a_number_that_would_lead_up_a_path_is_refused_by_name(reader: Graph, key: str) -> None:
    answer = await reader.ask(FIND["order"], {"by": {"number": {"source": "shop", "number": key}}})

    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == (
        "code: dots alone, or between slashes, cannot be asked for",
        "BAD_USER_INPUT",
    )
    assert reader.calls() == {}


@pytest.mark.parametrize("key", [key for key in ODD_KEYS if key != LINE_BREAK and not set(key.split("/")) & {".", ".."}])
async def test_an_odd_number_reaches_the_server_as_one_value_and_nothing_else(reader: Graph, key: str) -> None:
    query = "query ($shop: Lookup!, $web: Lookup!) { order(by: $shop) { id } invoice(by: $web) { id } }"

    data = await reader.data(
        query, {"shop": {"number": {"source": "shop", "number": key}}, "web": {"number": {"source": "commerce", "number": key}}}
    )

    assert data == {"order": None, "invoice": None}
    requests = reader.running.sandbox.requests.of()
    assert sorted((request.system, request.path, unquote(request.query)) for request in requests) == [
        ("norce", "/commerce/order/1.1/GetInvoiceByNo", f"invoiceNo={key}"),
        ("shopctrl", f"/v1/Shops/3/Orders/{key}", ""),
        ("shopctrl", f"/v1/Shops/7/Orders/{key}", ""),
    ]


async def test_a_line_break_in_a_number_makes_no_header(reader: Graph) -> None:
    data = await reader.data(FIND["invoice"], {"by": {"number": {"source": "commerce", "number": LINE_BREAK}}})

    assert data == {"invoice": None}
    (request,) = reader.running.sandbox.requests.of()
    assert (unquote(request.query), request.headers.get("x-injected")) == (f"invoiceNo={LINE_BREAK}", None)


@pytest.mark.parametrize("source", ["pos", "shop", "subscriptions"])
@pytest.mark.parametrize("key", ODD_KEYS)
async def test_an_odd_key_of_a_source_with_strict_keys_reaches_nobody(reader: Graph, source: str, key: str) -> None:
    by = {"native": {"source": source, "id": key}}

    for field, query in FIND.items():
        told = await reader.ask(query, {"by": by})
        assert told["data"] == {field: None}
        assert told["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert reader.calls() == {}


@asynccontextmanager
async def gateway_over(wire: FakeWire) -> AsyncIterator[httpx.AsyncClient]:
    """Open a gateway whose sources all answer `null`."""
    sources = {
        "shop": {"system": "shopctrl", "base_url": "https://shop.example/api", "shop_ids": [3], "shop_owner_id": 1},
        "commerce": {"system": "norce", "base_url": "https://web.example", "application_id": 1},
    }
    app = create_app(settings_from({"server": {"state": "sqlite://"}, "sources": sources}), wire=wire)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client,
    ):
        yield client


@pytest.fixture(scope="module")
async def wired(anyio_backend: str) -> AsyncIterator[tuple[httpx.AsyncClient, FakeWire]]:
    del anyio_backend
    wire = FakeWire(lambda _: answer("null"))
    async with gateway_over(wire) as client:
        yield client, wire


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=30).filter(str.strip))
@example("..")
@example("1/../2")
async def test_whatever_a_number_is_it_stays_one_escaped_part_of_the_address(
    wired: tuple[httpx.AsyncClient, FakeWire], number: str
) -> None:
    client, wire = wired
    wire.requests.clear()
    query = "query ($shop: Lookup!, $web: Lookup!) { order(by: $shop) { id } customer(by: $web) { id } }"
    variables = {name: {"number": {"source": source, "number": number}} for name, source in (("shop", "shop"), ("web", "commerce"))}

    told = (await client.post("/graphql", json={"query": query, "variables": variables})).json()

    assert told["data"] == {"order": None, "customer": None}
    by_host = {request.url.split("/")[2]: request.url for request in wire.requests}
    if "errors" in told:
        (error,) = told["errors"]
        assert error["message"] == "code: dots alone, or between slashes, cannot be asked for"
        assert set(by_host) == {"web.example"}
        assert "." in number
        return
    in_path = by_host["shop.example"].removeprefix("https://shop.example/api/v1/Shops/3/Orders/")
    in_query = (
        by_host["web.example"]
        .removeprefix("https://web.example/commerce/customer/1.1/GetCustomerByCode?code=")
        .removesuffix("&includeCompanies=true")
    )
    for part in (in_path, in_query):
        assert unquote(part) == number
        assert set(part) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%")
    assert in_path.strip(".")
