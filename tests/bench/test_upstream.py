"""The upstream answers as the sandbox does, in the shapes that the vendors publish, and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from gateway.sandbox.server import RunningSandbox
from tests.bench import dataset
from tests.bench.dialects import answer
from tests.bench.upstream import COUNTS, Answers

_WEB = "/commerce/query/2.0"


def _json(target: str) -> Any:  # noqa: ANN401  (any JSON)
    found = answer(target)
    assert found is not None
    return json.loads(found[1])


async def _of_sandbox(running: RunningSandbox, source: str, path: str, **query: str) -> Any:  # noqa: ANN401  (any JSON)
    table: Mapping[str, Any] = running.sandbox.source_tables(running.base_url)[source]
    auth = table["auth"]
    async with httpx.AsyncClient(base_url=table["base_url"], trust_env=False) as client:
        if auth["kind"] == "basic":
            return (await client.get(path, params=query, auth=(auth["username"], auth["password"]))).json()
        form = {"grant_type": "client_credentials", **{name: auth[name] for name in ("client_id", "client_secret", "scope")}}
        token = (await client.post(auth["token_url"], data=form)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}", "application-id": str(table["application_id"])}
        return (await client.get(path, params=query, headers=headers)).json()


def _shape(value: object) -> object:
    """Give the names in an object, and what is below them; a list by its first item, null as anything."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return [_shape(item) for item in value[:1]] if isinstance(value, list) else None


def _fits(ours: object, theirs: object) -> bool:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_fits(ours[name], theirs[name]) for name in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return not ours or not theirs or _fits(ours[0], theirs[0])
    return ours is None or theirs is None


@pytest.mark.anyio
async def test_the_shapes_are_those_of_the_sandbox(sandbox: RunningSandbox) -> None:
    rows = await _of_sandbox(sandbox, "shop", "/v1/Shops/3/Orders", pageSize="1")
    order = await _of_sandbox(sandbox, "shop", f"/v1/Shops/3/Orders/{rows[0]['OrderCode']}")
    customer = await _of_sandbox(sandbox, "shop", f"/v1/Customers/{order['CustomerId']}")
    web_orders = await _of_sandbox(sandbox, "commerce", f"{_WEB}/Orders/Orders", **{"$top": "1", "$expand": "Buyer"})
    web_customers = await _of_sandbox(sandbox, "commerce", f"{_WEB}/Customers/Customers", **{"$top": "1"})
    pairs = [
        (_json("/v1/Shops/1/Orders?pageSize=1"), rows),
        (_json(f"/v1/Shops/1/Orders/{dataset.shop_code(7)}"), order),
        (_json(f"/v1/Customers/{dataset.FIRST_SHOP_CUSTOMER}"), customer),
        (_json(f"{_WEB}/Orders/Orders?$top=1&$expand=Buyer"), web_orders),
        (_json(f"{_WEB}/Customers/Customers?$filter={quote(f'Id eq {dataset.FIRST_WEB_CUSTOMER}')}"), web_customers),
    ]
    for ours, theirs in pairs:
        assert _fits(_shape(ours), _shape(theirs)), (_shape(ours), _shape(theirs))


def test_a_list_of_a_shop_has_the_orders_billed_to_an_address_page_by_page() -> None:
    target = f"/v1/Shops/1/Orders?emailAddress={quote(dataset.email_of_block(2))}&pageSize=30&pageNumber="
    pages = [[row["Id"] - dataset.FIRST_SHOP_ORDER for row in _json(f"{target}{number}")] for number in (1, 4, 5)]
    assert pages == [list(range(200, 230)), list(range(290, 300)), []]


def test_an_address_that_nobody_has_has_no_orders() -> None:
    assert _json("/v1/Shops/1/Orders?emailAddress=nobody%40example.com") == []


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("ApplicationId eq 2210 and OrderDate ge 2026-01-01T01:40:00Z and Id gt 0", [100, 101, 102]),
        (f"OrderDate ge 2026-01-01T00:00:00Z and Id gt {dataset.FIRST_WEB_ORDER + 9}", [10, 11, 12]),
        (f"Id eq {dataset.FIRST_WEB_ORDER + 5} or Id eq {dataset.FIRST_WEB_ORDER + 2}", [2, 5]),
    ],
)
def test_a_filter_of_query_chooses_orders_in_the_order_of_their_ids(where: str, expected: list[int]) -> None:
    rows = _json(f"{_WEB}/Orders/Orders?$filter={quote(where)}&$select=Id&$orderby=Id&$top=3")["value"]
    assert rows == [{"Id": dataset.FIRST_WEB_ORDER + order} for order in expected]


def test_query_gives_what_is_selected_and_no_more_than_its_page() -> None:
    page = _json(f"{_WEB}/Orders/Orders?$select=Id,OrderNo&$expand=Buyer&$top=1000")["value"]
    assert (len(page), list(page[0])) == (500, ["Id", "OrderNo", "Buyer"])


def test_one_customer_of_query_comes_bare() -> None:
    key = dataset.FIRST_WEB_CUSTOMER + 3
    assert _json(f"{_WEB}/Customers/Customers({key})?$select=Id,CustomerCode") == {"Id": key, "CustomerCode": f"C-{key}"}


def test_calls_are_counted_by_operation_and_what_is_not_there_is_named() -> None:
    answers = Answers()
    for target in (b"/v1/Customers/200000", b"/v1/Customers/200000", b"/v1/Customers/200001", b"/v1/Nothing", COUNTS.encode()):
        answers.get(target)
    assert answers.to_plain() == {"counts": {"GET v1/Customers/{id}": 3}, "unknown": {"/v1/Nothing": 1}}
    assert answers.get(b"/v1/Nothing").startswith(b"HTTP/1.1 404 Not Found\r\n")
