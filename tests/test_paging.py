"""Lists over the sandbox: every object once while new ones are added, what a page costs, and each filter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from gateway.model import Kind, Ref
from gateway.sandbox.norce.data import APPLICATION_ID, make_data
from gateway.sandbox.parties import make_parties
from gateway.sandbox.server import RunningSandbox, serving
from gateway.sandbox.shopctrl.data import build_store
from tests.additions import Additions
from tests.graph import Graph, open_graph

pytestmark = pytest.mark.anyio

Node = dict[str, Any]
Filter = Mapping[str, object]
Between = Callable[[int], Awaitable[None]]

FILTERS = {"customers": "CustomerFilter", "orders": "OrderFilter", "invoices": "InvoiceFilter"}
TILL_CUSTOMERS = 122
TILL_INVOICES = 320
SHOPS = (3, 7)
LOOSE_ORDER = "07c01dba-3aba-5ba8-8592-fc6f329e5648"
SIGN_IN = """{
  till: order(by: {native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}}) { status }
  web: invoice(by: {native: {source: "commerce", id: "50911"}}) { number } }"""
FRESH = {"pos": {"window_ttl_seconds": 0}}
"""Has every page ask the windows again, so that what was added meanwhile shows."""


def native(source: str, key: str) -> Node:
    return {"native": {"source": source, "id": key}}


async def page(graph: Graph, kind: str, given: Filter, first: int, after: str | None = None, *, selection: str = "") -> Node:
    query = f"""query ($filter: {FILTERS[kind]}, $first: Int!, $after: String) {{
      {kind}(filter: $filter, first: $first, after: $after) {{
        nodes {{ origin {{ nativeId }} {selection} }}
        pageInfo {{ hasNextPage endCursor }}
        sourceResults {{ source {{ key }} status code message count total undecided }} }} }}"""
    data = await graph.data(query, {"filter": given, "first": first, "after": after})
    found: Node = data[kind]
    return found


async def walk(
    graph: Graph, kind: str, given: Filter, first: int = 100, *, selection: str = "", between: Between | None = None
) -> list[Node]:
    """Read all pages; `between` is awaited after each, with its number from 1 on."""
    nodes: list[Node] = []
    after: str | None = None
    for number in range(1, 200):
        found = await page(graph, kind, given, first, after, selection=selection)
        nodes += found["nodes"]
        if not found["pageInfo"]["hasNextPage"]:
            return nodes
        after = found["pageInfo"]["endCursor"]
        if between is not None:
            await between(number)
    raise AssertionError("the list does not end")


def keys(nodes: list[Node]) -> list[str]:
    return [node["origin"]["nativeId"] for node in nodes]


def statuses(found: Node) -> dict[str, str]:
    return {result["source"]["key"]: result["status"] for result in found["sourceResults"]}


@pytest.fixture(scope="module")
async def shared_graph() -> AsyncIterator[Graph]:
    async with serving(port=0, seed=1) as running, open_graph(running) as opened:
        await opened.data(SIGN_IN)
        yield opened


@pytest.fixture
def lists(shared_graph: Graph) -> Graph:
    """One gateway over one sandbox of its own, signed in, for the tests that add and change nothing."""
    shared_graph.running.sandbox.reset_calls()
    return shared_graph


# ------------------------------------------------------------------ every object once


async def test_nimpos_customers_come_once_each_while_others_are_added(sandbox: RunningSandbox) -> None:
    additions, added = Additions(sandbox), []

    async def add(number: int) -> None:
        added.append(await additions.till_customer(number, updated=datetime.now(UTC).isoformat()))

    async with open_graph(sandbox, sources=FRESH) as graph:
        before = keys(await walk(graph, "customers", {"sources": ["pos"]}))
        found = keys(await walk(graph, "customers", {"sources": ["pos"]}, 50, between=add))

    assert len(before) == TILL_CUSTOMERS
    assert len(added) == 2
    assert sorted(found) == sorted([*before, *added])


async def test_nimpos_invoices_come_once_each_while_another_is_added(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("nimpos", {"posted_invoices_listed": True})
    additions, added = Additions(sandbox), []

    async def add(number: int) -> None:
        if number == 1:
            created = datetime.now(UTC).isoformat()
            added.append(await additions.till_invoice(90_001, created=created, order=LOOSE_ORDER))

    async with open_graph(sandbox, sources=FRESH) as graph:
        before = keys(await walk(graph, "invoices", {"sources": ["pos"], "includeDeleted": True}))
        found = keys(await walk(graph, "invoices", {"sources": ["pos"], "includeDeleted": True}, between=add))

    assert len(before) == TILL_INVOICES
    assert len(added) == 1
    assert sorted(found) == sorted([*before, *added])


async def test_shopctrl_orders_come_once_each_while_both_shops_get_new_ones(graph: Graph, sandbox: RunningSandbox) -> None:
    additions, added = Additions(sandbox), []
    there = [str(order) for order in build_store(make_parties(1), 1).orders]

    async def add(number: int) -> None:
        if number == 1:
            added.extend([await additions.shop_order(shop, f"NY-{shop}") for shop in SHOPS])

    found = keys(await walk(graph, "orders", {"sources": ["shop"]}, between=add))

    assert len(added) == 2
    assert sorted(found) == sorted([*there, *added])


async def test_shopctrl_invoices_come_once_each_while_both_shops_make_new_ones(graph: Graph, sandbox: RunningSandbox) -> None:
    additions, added = Additions(sandbox), []
    there = [str(key) for key, invoice in build_store(make_parties(1), 1).invoices.items() if not invoice["Deleted"]]

    async def add(number: int) -> None:
        if number == 1:
            orders = [await additions.shop_order(shop, f"NY-{shop}") for shop in SHOPS]
            added.extend([await additions.shop_invoice(order) for order in orders])

    found = keys(await walk(graph, "invoices", {"sources": ["shop"]}, between=add))

    assert len(added) == 2
    assert sorted(found) == sorted([*there, *added])


@pytest.mark.parametrize("first", [33, 100])
async def test_norce_orders_come_once_each_through_query(lists: Graph, first: int) -> None:
    orders = make_data(make_parties(1), 1).orders
    there = [order.payload["Id"] for order in orders if order.application_id == APPLICATION_ID]

    assert keys(await walk(lists, "orders", {"sources": ["commerce"]}, first)) == there


CREATE = """mutation ($number: String!) { createInvoice(source: "commerce", idempotencyKey: $number, input: {
  orders: [{number: {source: "commerce", number: "N-100381"}}], number: $number, issueDate: "2026-11-20", total: {amount: "100.00"} }) {
  outcome invoice { origin { nativeId } } userErrors { message } } }"""


async def invoice_a_norce_order(graph: Graph, number: str) -> str:
    made = (await graph.data(CREATE, {"number": number}))["createInvoice"]
    assert made["outcome"] == "APPLIED", made
    key: str = made["invoice"]["origin"]["nativeId"]
    return key


@pytest.mark.parametrize(
    "parent", [{"customer": native("commerce", "company/1008")}, {"order": native("commerce", "70253")}], ids=["customer", "order"]
)
async def test_norce_invoices_of_a_parent_come_once_each_while_others_are_added(graph: Graph, parent: Node) -> None:
    added: list[str] = []

    async def add(number: int) -> None:
        if number <= 2:
            added.append(await invoice_a_norce_order(graph, f"NY-{number}"))

    before = keys(await walk(graph, "invoices", parent))
    found = keys(await walk(graph, "invoices", parent, 1, between=add))

    assert len(before) > 2
    assert len(added) == 2
    assert found == [*before, *added]


async def test_norce_invoices_come_once_each_through_query_where_it_has_them(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("norce", {"invoice_set": True})
    there = [invoice["Id"] for invoice in make_data(make_parties(1), 1).invoices]
    added: list[str] = []
    async with open_graph(sandbox) as graph:

        async def add(number: int) -> None:
            added.append(await invoice_a_norce_order(graph, f"NY-{number}"))

        found = keys(await walk(graph, "invoices", {"sources": ["commerce"]}, between=add))

    assert len(added) == 3
    assert found == [*there, *added]


async def test_compilator_customers_come_once_each(lists: Graph) -> None:
    assert keys(await walk(lists, "customers", {"sources": ["subscriptions"]}, 50)) == [str(number) for number in range(40001, 40121)]


async def test_what_a_source_does_not_list_is_unsupported_on_every_page(lists: Graph) -> None:
    given = {"sources": ["subscriptions", "pos"]}
    first = await page(lists, "invoices", given, 10)
    second = await page(lists, "invoices", given, 10, first["pageInfo"]["endCursor"])

    for found in (first, second):
        assert len(found["nodes"]) == 10
        (result,) = [result for result in found["sourceResults"] if result["source"]["key"] == "subscriptions"]
        assert (result["status"], result["code"], result["count"]) == ("UNSUPPORTED", "LIST_UNSUPPORTED", 0)
    assert not {name for name in lists.calls() if name.startswith("compilator")}


# ------------------------------------------------------------------ sizes, cursors, costs


@pytest.mark.parametrize("kind", ["customers", "orders", "invoices"])
async def test_a_page_of_more_than_a_hundred_is_refused_by_name(lists: Graph, kind: str) -> None:
    answer = await lists.ask(f"{{ {kind}(first: 101) {{ nodes {{ id }} }} }}")

    assert [(error["extensions"]["code"], error["message"].partition(":")[0], error["path"]) for error in answer["errors"]] == [
        ("FIRST_LIMIT", "first", [kind])
    ]
    assert lists.calls() == {}


async def test_a_nested_page_of_more_than_a_hundred_is_refused_by_name(lists: Graph) -> None:
    answer = await lists.ask('{ customer(by: {native: {source: "shop", id: "20400"}}) { id invoices(first: 101) { nodes { id } } } }')

    assert [(error["extensions"]["code"], error["path"]) for error in answer["errors"]] == [("FIRST_LIMIT", ["customer", "invoices"])]
    assert answer["data"]["customer"]["invoices"] is None


@pytest.mark.parametrize(("asked", "calls"), [("edges { cursor }", 1), ("pageInfo { hasNextPage }", 2), ("sourceResults { count }", 2)])
async def test_a_page_as_long_as_the_upstreams_costs_one_call_unless_it_is_asked_what_follows(lists: Graph, asked: str, calls: int) -> None:
    before = sum(lists.calls().values())

    await lists.data(f'{{ orders(filter: {{sources: ["shop"]}}, first: 100) {{ nodes {{ number }} {asked} }} }}')

    assert sum(lists.calls().values()) - before == calls


@pytest.mark.parametrize(
    "other",
    [
        {"sources": ["pos"], "isCredit": True},
        {"sources": ["pos", "shop"]},
        {"sources": ["pos"], "includeDeleted": True},
        {},
    ],
    ids=str,
)
async def test_a_cursor_of_another_filter_is_invalid(lists: Graph, other: Node) -> None:
    cursor = (await page(lists, "invoices", {"sources": ["pos"]}, 5))["pageInfo"]["endCursor"]
    query = "query ($filter: InvoiceFilter, $after: String) { invoices(filter: $filter, after: $after) { nodes { id } } }"

    answer = await lists.ask(query, {"filter": other, "after": cursor})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]
    assert answer["data"] == {"invoices": None}


async def test_a_cursor_of_another_kind_or_order_is_invalid(lists: Graph) -> None:
    cursor = (await page(lists, "invoices", {"sources": ["pos"]}, 5))["pageInfo"]["endCursor"]
    for asked in ('orders(filter: {sources: ["pos"]}', 'invoices(filter: {sources: ["pos"]}, orderBy: ISSUE_DATE_DESC'):
        answer = await lists.ask(f'{{ {asked}, after: "{cursor}") {{ nodes {{ id }} }} }}')
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]


async def test_a_cursor_holds_for_another_page_size(lists: Graph) -> None:
    given = {"sources": ["commerce"]}
    whole = keys((await page(lists, "orders", given, 30))["nodes"])
    cursor = (await page(lists, "orders", given, 7))["pageInfo"]["endCursor"]

    assert keys((await page(lists, "orders", given, 23, cursor))["nodes"]) == whole[7:]


@pytest.mark.parametrize(
    ("kind", "source", "first", "at_most"),
    [
        ("customers", "pos", 5, 0),
        ("customers", "subscriptions", 5, 0),
        ("customers", "commerce", 5, 1),
        ("orders", "shop", 15, 2),
        ("orders", "commerce", 14, 1),
        ("invoices", "pos", 15, 0),
        ("invoices", "shop", 10, 24),
    ],
)
async def test_page_twenty_costs_what_page_two_costs(lists: Graph, kind: str, source: str, first: int, at_most: int) -> None:
    costs: dict[int, int] = {}

    async def note(number: int) -> None:
        costs[number] = sum(lists.calls().values())
        lists.running.sandbox.reset_calls()

    await walk(lists, kind, {"sources": [source]}, first, between=note)

    assert costs[2] <= at_most
    assert costs[20] <= at_most
    assert max(cost for number, cost in costs.items() if number > 1) <= at_most


# ------------------------------------------------------------------ windows that are empty

KRINGLAN = "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"
NOBODY = "77700000-0000-4000-8000-000000000000"
CUSTOMER = "query ($id: ID!) { node(id: $id) { ... on Customer { name } } }"


async def till_customer(graph: Graph, key: str) -> tuple[Node | None, list[str]]:
    """Give a NIMPOS customer, and the codes of the errors."""
    answer = await graph.ask(CUSTOMER, {"id": Ref("pos", Kind.CUSTOMER, key).global_id})
    return answer["data"]["node"], [error["extensions"]["code"] for error in answer.get("errors", [])]


def empty_windows(sandbox: RunningSandbox, *, are: bool) -> None:
    sandbox.sandbox.change_switches("nimpos", {"reads_fail_empty": are})


async def test_an_empty_window_proves_nothing_and_is_asked_again(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, sources=FRESH) as graph:
        empty_windows(sandbox, are=True)

        assert await till_customer(graph, KRINGLAN) == (None, ["ABSENCE_UNPROVEN"])
        listed = await page(graph, "customers", {"sources": ["pos"]}, 10)
        assert (listed["nodes"], statuses(listed)) == ([], {"pos": "PARTIAL"})

        empty_windows(sandbox, are=False)
        assert await till_customer(graph, KRINGLAN) == ({"name": "Bageri Kringlan AB"}, [])
        assert await till_customer(graph, NOBODY) == (None, [])


async def test_an_empty_window_takes_nothing_away_and_never_advances_what_is_asked_next(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, sources=FRESH) as graph:
        for is_empty in (False, False, True, True, True):
            empty_windows(sandbox, are=is_empty)
            assert await till_customer(graph, KRINGLAN) == ({"name": "Bageri Kringlan AB"}, [])
        assert len((await page(graph, "customers", {"sources": ["pos"]}, 100))["nodes"]) == 100

    asked = [parse_qs(request.query)["LastExecutedDate"][0] for request in sandbox.sandbox.requests.of("nimpos", "GetCustomers")]
    assert asked[0].startswith("2020-01-01")
    assert len(asked) == 6
    assert set(asked[2:]) == {asked[1]}


async def test_an_empty_window_of_a_warm_index_never_says_that_there_is_no_such_customer(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, sources=FRESH) as graph:
        assert await till_customer(graph, NOBODY) == (None, [])
        assert await till_customer(graph, NOBODY) == (None, [])
        empty_windows(sandbox, are=True)
        assert await till_customer(graph, NOBODY) == (None, ["ABSENCE_UNPROVEN"])
        assert statuses(await page(graph, "customers", {"sources": ["pos"]}, 5)) == {"pos": "PARTIAL"}
        empty_windows(sandbox, are=False)
        assert await till_customer(graph, NOBODY) == (None, [])


async def test_an_empty_window_of_invoices_is_said_in_lists(graph: Graph, sandbox: RunningSandbox) -> None:
    empty_windows(sandbox, are=True)
    listed = await page(graph, "invoices", {"sources": ["pos"]}, 10)

    assert (listed["nodes"], statuses(listed)) == ([], {"pos": "PARTIAL"})
    assert "empty" in listed["sourceResults"][0]["message"]


# ------------------------------------------------------------------ filters


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """A filter over one source.

    `selection`: the field that it asks about; `keeps`: whether a node meets it, by that field. `sent`: what of it reaches the source;
    None: the gateway alone applies it. `base`: the list that it is laid over, where the source has no list of all.
    """

    kind: str
    source: str
    given: Filter
    selection: str
    keeps: Callable[[Node], bool]
    sent: str | None = None
    base: Filter = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} of {self.source}: {', '.join(self.given)}"

    @property
    def whole(self) -> Filter:
        return {"sources": [self.source], **self.base}


def _equals(name: str, value: object) -> Callable[[Node], bool]:
    return lambda node: node[name] == value


def _has_code(name: str, code: str) -> Callable[[Node], bool]:
    return lambda node: {"field": name, "code": code} in node["sourceStatuses"]


def _is_between(name: str, first: str, last: str) -> Callable[[Node], bool]:
    def keeps(node: Node) -> bool:
        value = node[name]
        return value is not None and datetime.fromisoformat(first) <= datetime.fromisoformat(value) <= datetime.fromisoformat(last)

    return keeps


def _is_day_between(name: str, first: str, last: str) -> Callable[[Node], bool]:
    return lambda node: node[name] is not None and first <= node[name] <= last


def _is_of(name: str, source: str, kind: Kind, key: str) -> Callable[[Node], bool]:
    wanted = Ref(source, kind, key).global_id
    return lambda node: wanted in [other["id"] for other in (node[name] if isinstance(node[name], list) else [node[name]]) if other]


_CODES = "sourceStatuses { field code }"
_JUNE = ("2025-06-01T00:00:00+00:00", "2025-06-30T00:00:00+00:00")
_TILL_CUSTOMER = "94be2e52-23b1-520e-a576-58360a531e0f"
_GROUP = {"customer": native("commerce", "company/1008")}
_SHOP_CUSTOMER = {"customer": native("shop", "20400")}
_TYRE_CUSTOMER = {"customer": native("subscriptions", "40001")}

FILTERED = (
    Filtered(
        kind="customers",
        source="commerce",
        given={"number": "C-31001"},
        selection="number",
        keeps=_equals("number", "C-31001"),
        sent="CustomerCode eq 'C-31001'",
    ),
    Filtered(kind="customers", source="pos", given={"number": "2020"}, selection="number", keeps=_equals("number", "2020")),
    Filtered(
        kind="customers",
        source="commerce",
        given={"email": "faktura20@fjordtaxi.example"},
        selection="email",
        keeps=_equals("email", "faktura20@fjordtaxi.example"),
        sent="EmailAddress eq 'faktura20@fjordtaxi.example'",
    ),
    Filtered(
        kind="customers",
        source="subscriptions",
        given={"email": "FAKTURA20@fjordtaxi.example"},
        selection="email",
        keeps=_equals("email", "faktura20@fjordtaxi.example"),
    ),
    Filtered(
        kind="customers",
        source="pos",
        given={"organizationNumber": "556764-7986"},
        selection="organizationNumber",
        keeps=_equals("organizationNumber", "5567647986"),
    ),
    Filtered(
        kind="orders",
        source="commerce",
        given={"number": "N-100342"},
        selection="number",
        keeps=_equals("number", "N-100342"),
        sent="OrderNo eq 'N-100342'",
    ),
    Filtered(
        kind="orders",
        source="subscriptions",
        given={"number": "7129"},
        selection="number",
        keeps=_equals("number", "7129"),
        base=_TYRE_CUSTOMER,
    ),
    Filtered(
        kind="orders", source="commerce", given={"status": "OPEN"}, selection="status", keeps=_equals("status", "OPEN"), sent="StatusId eq"
    ),
    Filtered(
        kind="orders",
        source="subscriptions",
        given={"status": "CLOSED"},
        selection="status",
        keeps=_equals("status", "CLOSED"),
        base=_TYRE_CUSTOMER,
    ),
    Filtered(
        kind="orders",
        source="shop",
        given={"sourceStatus": {"field": "MainStatusId", "code": "15"}},
        selection=_CODES,
        keeps=_has_code("MainStatusId", "15"),
        sent="mainStatusId=15",
    ),
    Filtered(
        kind="orders",
        source="subscriptions",
        given={"sourceStatus": {"field": "OrderStatusId", "code": "2"}},
        selection=_CODES,
        keeps=_has_code("OrderStatusId", "2"),
        base=_TYRE_CUSTOMER,
    ),
    Filtered(
        kind="orders",
        source="commerce",
        given={"orderedFrom": _JUNE[0], "orderedTo": _JUNE[1]},
        selection="orderedAt",
        keeps=_is_between("orderedAt", *_JUNE),
        sent="OrderDate ge",
    ),
    Filtered(
        kind="orders",
        source="shop",
        given={"orderedFrom": _JUNE[0], "orderedTo": _JUNE[1]},
        selection="orderedAt",
        keeps=_is_between("orderedAt", *_JUNE),
    ),
    Filtered(
        kind="orders",
        source="commerce",
        given={"customer": native("commerce", "customer/31001")},
        selection="customer { id }",
        keeps=_is_of("customer", "commerce", Kind.CUSTOMER, "customer/31001"),
        sent="BuyerCustomerId eq 31001",
    ),
    Filtered(
        kind="orders",
        source="pos",
        given={"customer": native("pos", _TILL_CUSTOMER)},
        selection="customer { id }",
        keeps=_is_of("customer", "pos", Kind.CUSTOMER, _TILL_CUSTOMER),
    ),
    Filtered(kind="invoices", source="pos", given={"number": "20118"}, selection="number", keeps=_equals("number", "20118")),
    Filtered(
        kind="invoices",
        source="pos",
        given={"customer": native("pos", _TILL_CUSTOMER)},
        selection="customer { id }",
        keeps=_is_of("customer", "pos", Kind.CUSTOMER, _TILL_CUSTOMER),
    ),
    Filtered(
        kind="invoices",
        source="shop",
        given={"order": native("shop", "54900")},
        selection="orders { id }",
        keeps=_is_of("orders", "shop", Kind.ORDER, "54900"),
        sent="/v1/Orders/54900/Invoices",
        base=_SHOP_CUSTOMER,
    ),
    Filtered(
        kind="invoices",
        source="pos",
        given={"issuedFrom": "2025-06-01", "issuedTo": "2025-06-30"},
        selection="issueDate",
        keeps=_is_day_between("issueDate", "2025-06-01", "2025-06-30"),
    ),
    Filtered(
        kind="invoices",
        source="commerce",
        given={"issuedFrom": "2025-06-01", "issuedTo": "2025-12-31"},
        selection="issueDate",
        keeps=_is_day_between("issueDate", "2025-06-01", "2025-12-31"),
        sent="fromDate=2025-05-30T22",
        base=_GROUP,
    ),
    Filtered(
        kind="invoices",
        source="pos",
        given={"dueFrom": "2025-06-01", "dueTo": "2025-06-30"},
        selection="dueDate",
        keeps=_is_day_between("dueDate", "2025-06-01", "2025-06-30"),
    ),
    Filtered(
        kind="invoices",
        source="commerce",
        given={"type": "CREDIT_NOTE"},
        selection="type",
        keeps=_equals("type", "CREDIT_NOTE"),
        base={"customer": native("commerce", "company/1004")},
    ),
    Filtered(kind="invoices", source="pos", given={"isCredit": True}, selection="isCredit", keeps=lambda node: node["isCredit"] is True),
    Filtered(
        kind="invoices",
        source="shop",
        given={"isCredit": False},
        selection="isCredit",
        keeps=lambda node: node["isCredit"] is False,
        base={"order": native("shop", "54717")},
    ),
    Filtered(
        kind="invoices",
        source="pos",
        given={"paymentStatus": ["PAID", "PARTIALLY_PAID"]},
        selection="paymentStatus",
        keeps=lambda node: node["paymentStatus"] in {"PAID", "PARTIALLY_PAID"},
    ),
    Filtered(
        kind="invoices",
        source="commerce",
        given={"groupKey": "SAM-2026-01"},
        selection="groupKey",
        keeps=_equals("groupKey", "SAM-2026-01"),
        base=_GROUP,
    ),
    Filtered(
        kind="invoices",
        source="shop",
        given={"updatedSince": "2025-10-01T00:00:00+00:00"},
        selection="updatedAt",
        keeps=_is_between("updatedAt", "2025-10-01T00:00:00+00:00", "9999-01-01T00:00:00+00:00"),
        base=_SHOP_CUSTOMER,
    ),
)


def asked(graph: Graph) -> str:
    return "\n".join(unquote_plus(f"{request.path}?{request.query}") for request in graph.running.sandbox.requests.of())


@pytest.mark.parametrize("filtered", FILTERED, ids=str)
async def test_a_filter_gives_what_meets_it_and_nothing_else(lists: Graph, filtered: Filtered) -> None:
    whole = await walk(lists, filtered.kind, filtered.whole, selection=filtered.selection)
    lists.running.sandbox.reset_calls()

    found = await walk(lists, filtered.kind, {**filtered.whole, **filtered.given}, selection=filtered.selection)

    expected = [node for node in whole if filtered.keeps(node)]
    assert 0 < len(expected) < len(whole)
    assert found == expected
    if filtered.sent is not None:
        assert filtered.sent in asked(lists)


@pytest.mark.parametrize(
    ("kind", "source", "given", "sent", "count"),
    [
        ("customers", "commerce", {"organizationNumber": "556764-7986"}, "ListCompaniesByOrgNo", 1),
        ("customers", "commerce", {"search": "Fjord"}, "SearchCustomer2", 8),
        ("customers", "subscriptions", {"search": "Fjord"}, "", 7),
        ("customers", "subscriptions", {"updatedSince": "2025-06-01T00:00:00Z"}, "", None),
        ("customers", "pos", {"updatedSince": "2026-03-01T00:00:00Z"}, "", None),
        ("orders", "shop", {"updatedSince": "2026-01-10T00:00:00Z"}, "fromDateChanged=2026-01-10", None),
        ("orders", "shop", {"email": "faktura40@norrskenel.example"}, "emailAddress=faktura40@norrskenel.example", None),
        ("invoices", "commerce", {"number": "F-2026-0090"}, "invoiceNo=F-2026-0090", 1),
        ("invoices", "commerce", {"customer": native("commerce", "company/1008")}, "companyId=1008", 9),
        ("invoices", "shop", {"customer": native("shop", "20400")}, "emailAddress=", 5),
        ("invoices", "subscriptions", {"number": "910001"}, "invoice/910001", 1),
    ],
    ids=str,
)
async def test_a_filter_that_only_the_source_can_apply_is_its_business(
    lists: Graph, kind: str, source: str, given: Node, sent: str, count: int | None
) -> None:
    found = await page(lists, kind, {"sources": [source], **given}, 100)

    (result,) = found["sourceResults"]
    assert 0 < len(found["nodes"]) < 100
    assert count in {None, len(found["nodes"])}
    assert "cannot be applied" not in (result["message"] or "")
    assert sent in asked(lists)


@pytest.mark.parametrize(
    ("kind", "source", "given", "name"),
    [
        ("customers", "pos", {"search": "Fjord"}, "search"),
        ("customers", "commerce", {"updatedSince": "2026-03-01T00:00:00Z"}, "updated_since"),
        ("orders", "pos", {"email": "faktura20@fjordtaxi.example"}, "email"),
        ("orders", "commerce", {"updatedSince": "2026-03-01T00:00:00Z"}, "updated_since"),
    ],
)
async def test_a_filter_that_nobody_can_apply_makes_its_source_partial_and_is_named(
    lists: Graph, kind: str, source: str, given: Node, name: str
) -> None:
    (result,) = (await page(lists, kind, {"sources": [source], **given}, 10))["sourceResults"]

    assert (result["status"], result["message"]) == ("PARTIAL", f"{name} cannot be applied to this source")


async def test_what_does_not_say_what_is_asked_is_left_out_and_counted(lists: Graph) -> None:
    given = {"customer": native("shop", "20400")}
    whole = await page(lists, "invoices", given, 100)
    (result,) = (found := await page(lists, "invoices", {**given, "groupKey": "SAM-2026-01"}, 100))["sourceResults"]

    assert found["nodes"] == []
    assert (result["count"], result["undecided"]) == (0, len(whole["nodes"]))


async def test_deleted_invoices_are_listed_only_where_they_are_asked_for(lists: Graph) -> None:
    (deleted,) = [
        node
        for node in await walk(lists, "invoices", {"sources": ["pos"], "includeDeleted": True}, selection="isDeleted")
        if node["isDeleted"]
    ]
    without = await walk(lists, "invoices", {"sources": ["pos"]})

    assert len(without) == TILL_INVOICES - 1
    assert deleted["origin"] not in [node["origin"] for node in without]


async def test_deleted_invoices_of_a_source_that_shows_them_are_left_out_by_the_gateway(graph: Graph, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("shopctrl", {"list_deleted_invoices": True})
    order = {"order": native("shop", "54721")}

    assert keys(await walk(graph, "invoices", order)) == []
    assert keys(await walk(graph, "invoices", {**order, "includeDeleted": True})) == ["88019"]


# ------------------------------------------------------------------ merged by date


async def test_two_sources_merged_by_date_give_each_invoice_once_the_newest_first(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("norce", {"invoice_set": True})
    query = """query ($filter: InvoiceFilter, $first: Int!, $after: String) {
      invoices(filter: $filter, orderBy: ISSUE_DATE_DESC, first: $first, after: $after) {
        nodes { id issueDate origin { source { key } } } pageInfo { hasNextPage endCursor }
        sourceResults { source { key } status count } } }"""
    given = {"sources": ["pos", "commerce"], "issuedFrom": "2025-06-01", "issuedTo": "2025-06-30"}
    nodes: list[Node] = []
    after: str | None = None
    async with open_graph(sandbox) as graph:
        for _ in range(10):
            found = (await graph.data(query, {"filter": given, "first": 15, "after": after}))["invoices"]
            nodes += found["nodes"]
            after = found["pageInfo"]["endCursor"]
            if not found["pageInfo"]["hasNextPage"]:
                break
        listed = {key: await walk(graph, "invoices", {**given, "sources": [key]}, selection="id") for key in ("pos", "commerce")}

    days = [node["issueDate"] for node in nodes]
    assert days == sorted(days, reverse=True)
    assert len({node["id"] for node in nodes}) == len(nodes) > 15
    for key, of_source in listed.items():
        merged = [node["id"] for node in nodes if node["origin"]["source"]["key"] == key]
        assert sorted(merged) == sorted(node["id"] for node in of_source)
        assert len(merged) > 5
