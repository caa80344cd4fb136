"""What a document costs at worst: held against what was counted, and worked out by hand over sources in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

from gateway.app import make_explainer, make_gateway, settings_from
from gateway.loaders import LinkRule, LinkRules
from gateway.model import Kind, Ref
from gateway.sandbox.app import create_sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.schema import Explainer, InvalidDocument
from gateway.schema.explain import Explanation
from gateway.sources.base import SourceSet
from gateway.transport.wire import WireRequest
from tests.fakes import FakeWire
from tests.graph import Graph, open_graph
from tests.loaders.memory_source import MemorySource
from tests.queries.golden import GOLDEN, Golden
from tests.schema.memory import SCHEMA

pytestmark = pytest.mark.anyio

OPERATIONS = {
    "compilator.GetCurrency": ("subscriptions", "GET api/Currencies/{id}"),
    "compilator.GetCustomerInvoice": ("subscriptions", "GET api/customers/invoice?customerNumber={customerNumber}"),
    "compilator.GetCustomersChangedSince": ("subscriptions", "GET api/customers/{date}"),
    "compilator.GetInvoice": ("subscriptions", "GET api/invoice/{invoiceNo}/{includeInternal}"),
    "compilator.GetOrder": ("subscriptions", "GET api/orders/{id}/{branchId}"),
    "compilator.GetOrdersOfBranch": ("subscriptions", "GET api/orders/search/{branchId}/{fromDate}/{toDate}"),
    "compilator.GetOrdersOfCustomer": ("subscriptions", "GET api/orders/{customerNumber}/{fromDate}/{toDate}"),
    "norce.QueryCustomers": ("commerce", "Customers/Customers"),
    "norce.QueryInvoices": ("commerce", "Orders/Invoices"),
    "norce.QueryMetadata": ("commerce", "Orders/$metadata"),
    "norce.QueryOrders": ("commerce", "Orders/Orders"),
    "shopctrl.GetCustomer": ("shop", "GET v1/Customers/{id}"),
    "shopctrl.GetCustomersByCode": ("shop", "GET v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}"),
    "shopctrl.GetInvoice": ("shop", "GET v1/Invoices/{invoiceId}"),
    "shopctrl.GetInvoiceRows": ("shop", "GET v1/Invoices/{invoiceId}/Rows"),
    "shopctrl.GetInvoiceStatus": ("shop", "GET v1/InvoiceStatuses/{id}"),
    "shopctrl.GetOrder": ("shop", "GET v1/Orders/{id}"),
    "shopctrl.GetOrderByCode": ("shop", "GET v1/Shops/{shopId}/Orders/{orderCode}"),
    "shopctrl.GetOrderInvoices": ("shop", "GET v1/Orders/{orderId}/Invoices"),
    "shopctrl.GetOrderPayments": ("shop", "GET v1/Orders/{orderId}/Payments"),
    "shopctrl.GetOrderRows": ("shop", "GET v1/Orders/{orderId}/Rows"),
    "shopctrl.GetOrderStatus": ("shop", "GET v1/OrderStatuses/{id}"),
    "shopctrl.ListOrders": ("shop", "GET v1/Shops/{shopId}/Orders"),
}
"""The names of the sandbox that are not the vendor's own."""
SOURCE_OF = {"nimpos": "pos", "norce": "commerce"}
FACTOR = 3
"""How far above the count a total may be where nothing is open-ended and no list is less than full."""
NOT_FULL = {"shop-orders-two-pages", "web-invoices-of-an-order"}
EXACT = [
    "shop-ambiguous-customer",
    "shop-credit",
    "shop-document",
    "shop-order",
    "till-customer",
    "till-invoice-that-is-not-listed",
    "till-invoices-of-an-order",
    "web-credit-note",
    "web-day-of-a-z-time",
    "web-orders-through-query",
    "web-search-customers",
    "what-each-source-can-do",
]

Counts = dict[tuple[str, str], int]
_ALL_OF_CUSTOMER = "id number name kind email phone billingAddress { city } warnings { code }"
_ALL_OF_ORDER = """id number orderedAt status sourceStatuses { code label }
  currency totals { total { amount currency } rounding { amount } }
  lines { quantity netAmount { currency } } deliveryMethod paymentMethod warnings { code }"""
_ALL_OF_INVOICE = """id number type isCredit issueDate currency totals { total { amount currency } rounding { amount } }
  charges { amount { currency } } amountDue { amount currency } payments { amount { amount } } sourceStatuses { label } notes { text }
  creditedInvoice { number invoice { id number } } lines { quantity netAmount { currency } } document { fileId } details { __typename }
  warnings { code }"""
BROAD = {
    "customers": f"{{ customers(first: 6) {{ nodes {{ {_ALL_OF_CUSTOMER} }} sourceResults {{ status }} }} }}",
    "customers of one": f"""{{ customers(first: 3, filter: {{sources: ["commerce"]}}) {{ nodes {{ {_ALL_OF_CUSTOMER}
      orders(first: 2) {{ nodes {{ {_ALL_OF_ORDER} }} }} invoices(first: 2) {{ nodes {{ {_ALL_OF_INVOICE} }} }} }} }} }}""",
    "orders": f"{{ orders(first: 7) {{ nodes {{ {_ALL_OF_ORDER} customer {{ {_ALL_OF_CUSTOMER} }} }} sourceResults {{ status }} }} }}",
    "orders of a status": "{ orders(first: 3, filter: {status: CANCELLED}) { edges { node { number status } } } }",
    "shop orders": f"""{{ orders(first: 9, filter: {{sources: ["shop"]}}) {{ nodes {{ {_ALL_OF_ORDER} customer {{ {_ALL_OF_CUSTOMER} }}
      invoices(first: 3) {{ nodes {{ {_ALL_OF_INVOICE} customer {{ name }} }} }} }} }} }}""",
    "web orders": f"""{{ orders(first: 60, filter: {{sources: ["commerce"]}}) {{ nodes {{ {_ALL_OF_ORDER} customer {{ name }} }} }} }}""",
    "web rows": """{ orders(first: 60, filter: {sources: ["commerce"]}) { nodes {
       number status lines { quantity } customer { number } } } }""",
    "till orders": f"""{{ orders(first: 5, filter: {{sources: ["pos"]}}) {{ nodes {{ {_ALL_OF_ORDER}
      invoices(first: 3) {{ nodes {{ {_ALL_OF_INVOICE} orders {{ {_ALL_OF_ORDER} }} }} }} }} }} }}""",
    "invoices": f"{{ invoices(first: 4) {{ nodes {{ {_ALL_OF_INVOICE} customer {{ name }} orders {{ number }} }} }} }}",
    "merged": "{ invoices(first: 4, orderBy: ISSUE_DATE_DESC) { nodes { number } } }",
    "filtered": "{ invoices(first: 4, filter: {isCredit: true}) { nodes { number } } }",
    "customer with terms": f"""{{ customer(by: {{number: {{source: "subscriptions", number: "40017"}}}}) {{ {_ALL_OF_CUSTOMER}
      invoiceSettings {{ currency paymentTerms {{ label }} customer {{ name }} invoiceRecipient {{ name }} }}
      orders(first: 20) {{ nodes {{ {_ALL_OF_ORDER} customer {{ name }} }} }} }} }}""",
    "shop order by number": f"""{{ order(by: {{number: {{source: "shop", number: "UTR-2026-00431"}}}}) {{ {_ALL_OF_ORDER} }} }}""",
    "raw": '{ invoice(by: {native: {source: "shop", id: "88121"}}) { origin { raw } orders { origin { raw } } } }',
    "the same twice": """{ a: invoice(by: {native: {source: "commerce", id: "50911"}}) { number }
      b: invoice(by: {native: {source: "commerce", id: "50932"}}) { number } }""",
}


class Offline:
    """The four sources of the demo over a wire that takes no request."""

    def __init__(self, changes: Mapping[str, Mapping[str, object]] | None = None) -> None:
        tables = create_sandbox(1).state.sandbox.source_tables("http://127.0.0.1:1")
        settings = settings_from({"sources": {key: {**table, **(changes or {}).get(key, {})} for key, table in tables.items()}})
        self.sources = make_gateway(settings, wire=FakeWire(_refuse)).sources
        self._explainer = make_explainer(settings)

    def explain(self, query: str, variables: dict[str, Any] | None = None) -> Explanation:
        return self._explainer.explain(query, self.sources, variables=variables)


def _refuse(_request: WireRequest) -> NoReturn:
    raise AssertionError("explaining calls nobody")


@pytest.fixture(scope="module")
def offline() -> Offline:
    return Offline()


def counted(calls: dict[str, int]) -> Counts:
    """Give counts of the sandbox by source and the vendor's name of the operation."""
    found: Counts = {}
    for name, count in calls.items():
        system, _, operation = name.partition(".")
        found[OPERATIONS.get(name) or (SOURCE_OF[system], operation)] = count
    return found


def estimated(explanation: Explanation) -> Counts:
    return {(entry.source, entry.operation): entry.calls for entry in explanation.entries}


def missed(calls: Counts, explanation: Explanation) -> Counts:
    """Give what was counted and is above the estimate; an open-ended entry has no bound, but it has to be there."""
    bounds = estimated(explanation)
    endless = {(entry.source, entry.operation) for entry in explanation.entries if entry.open_ended}
    return {key: count for key, count in calls.items() if key not in endless and count > bounds.get(key, 0)}


# ------------------------------------------------------------------ against counts


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.folder.name)
def test_no_golden_query_costs_more_than_its_estimate(offline: Offline, golden: Golden) -> None:
    explanation = offline.explain(golden.query, golden.variables)
    calls = counted(golden.calls)

    assert missed(calls, explanation) == {}
    if not explanation.open_ended and golden.folder.name not in NOT_FULL:
        assert explanation.total <= FACTOR * sum(calls.values())


@pytest.mark.parametrize("golden", [golden for golden in GOLDEN if golden.folder.name in EXACT], ids=lambda golden: golden.folder.name)
def test_what_can_be_told_beforehand_is_told_exactly(offline: Offline, golden: Golden) -> None:
    explanation = offline.explain(golden.query, golden.variables)

    assert (estimated(explanation), explanation.open_ended) == (counted(golden.calls), False)
    assert explanation.total == sum(golden.calls.values())


@pytest.mark.parametrize("query", BROAD.values(), ids=BROAD)
async def test_whatever_is_asked_costs_no_more_than_its_estimate(offline: Offline, graph: Graph, query: str) -> None:
    await graph.ask(query)

    assert missed(counted(graph.calls()), offline.explain(query)) == {}


OTHERWISE: Mapping[str, Mapping[str, object]] = {
    "pos": {"window_ttl_seconds": 0},
    "subscriptions": {"sweep_ttl_seconds": 0, "branch_ids": [12, 3]},
    "commerce": {"query_version": "off"},
}


@pytest.mark.parametrize("query", BROAD.values(), ids=BROAD)
async def test_the_estimate_holds_where_nothing_is_kept_and_query_is_off(sandbox: RunningSandbox, query: str) -> None:
    async with open_graph(sandbox, sources=OTHERWISE) as graph:
        await graph.ask(query)

        assert missed(counted(graph.calls()), Offline(OTHERWISE).explain(query)) == {}


async def test_the_header_gives_the_estimate_and_costs_no_call(graph: Graph, offline: Offline) -> None:
    query = '{ invoice(by: {native: {source: "shop", id: "88121"}}) { number lines { quantity } } }'

    answer = await graph.ask(query, X_Gateway_Explain="1")

    assert answer["extensions"] == {"explain": offline.explain(query).to_plain()}
    assert answer["extensions"]["explain"] == {
        "total": 2,
        "openEnded": False,
        "calls": [
            {"source": "shop", "operation": "GET v1/Invoices/{invoiceId}", "calls": 1, "openEnded": False, "fields": ["invoice"]},
            {
                "source": "shop",
                "operation": "GET v1/Invoices/{invoiceId}/Rows",
                "calls": 1,
                "openEnded": False,
                "fields": ["invoice.lines"],
            },
        ],
    }
    assert graph.calls() == {"shopctrl.GetInvoice": 1, "shopctrl.GetInvoiceRows": 1}
    assert "extensions" not in await graph.ask(query)


# ------------------------------------------------------------------ by hand


EXPLAINER = Explainer(SCHEMA, max_nodes=200, link_rules=LinkRules())
ONE = 'order(by: {native: {source: "a", id: "1"}})'


def explain(query: str, *keys: str, variables: dict[str, Any] | None = None, explainer: Explainer = EXPLAINER) -> Explanation:
    return explainer.explain(query, SourceSet([MemorySource(key) for key in keys or ("a",)]), variables=variables)


def calls(query: str, *keys: str, variables: dict[str, Any] | None = None, explainer: Explainer = EXPLAINER) -> dict[str, int]:
    """Give the calls of sources in memory, whose operations are named by what is demanded."""
    several = len(keys) > 1
    entries = explain(query, *keys, variables=variables, explainer=explainer).entries
    return {f"{entry.source}: {entry.operation}" if several else entry.operation: entry.calls for entry in entries}


def test_an_object_is_one_read_of_its_source() -> None:
    assert calls(f"{{ {ONE} {{ number }} }}", "a", "b") == {"a: record order by key": 1}


def test_a_list_counts_its_rows_and_what_is_asked_of_each() -> None:
    found = calls("{ orders(first: 10) { nodes { number lines { quantity } } } }")

    assert found == {"list order by row": 10, "record order by row": 10, "lines order by row": 10}


@pytest.mark.parametrize("asked", ["pageInfo { hasNextPage }", "sourceResults { count }", "... { pageInfo { endCursor } }"])
def test_a_list_counts_one_row_more_where_it_is_asked_what_follows(asked: str) -> None:
    assert calls(f"{{ orders(first: 10) {{ nodes {{ number }} {asked} }} }}")["list order by row"] == 11


def test_nested_lists_multiply() -> None:
    query = "{ customers(first: 3) { nodes { name orders(first: 4) { nodes { number customer { name } } } } } }"

    assert calls(query) == {
        "list customer by row": 3,
        "record customer by row": 3,
        "list order by row": 3 * 4,
        "record order by row": 3 * 4,
        "record customer by reference": 3 * 4,
    }


def test_a_page_without_a_size_is_counted_as_it_will_be_read() -> None:
    assert calls("{ orders { edges { node { number } } } }")["record order by row"] == 25


def test_a_size_that_is_not_known_is_the_largest() -> None:
    query = "query ($first: Int! = 2) { orders(first: $first) { nodes { number } } }"

    assert calls(query)["record order by row"] == 100
    assert calls(query, variables={})["record order by row"] == 2
    assert calls(query, variables={"first": 7})["record order by row"] == 7


def test_ids_are_counted_by_source_and_kind_each_once() -> None:
    refs = [Ref("a", Kind.ORDER, "1"), Ref("a", Kind.ORDER, "2"), Ref("a", Kind.ORDER, "1"), Ref("b", Kind.INVOICE, "1")]
    ids = [*(ref.global_id for ref in refs), Ref("gone", Kind.ORDER, "1").global_id, "no id"]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert calls(query, "a", "b", variables={"ids": ids}) == {"a: record order by key": 2, "b: record invoice by key": 1}


def test_ids_that_are_not_known_are_as_many_as_may_be_asked_of_any_source() -> None:
    found = calls("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", "a", "b")

    kinds = ("customer", "invoice", "invoice_settings", "order")
    assert found == {f"{key}: record {kind} by key": 200 for key in ("a", "b") for kind in kinds}


def test_a_lookup_that_is_not_known_counts_for_every_source_and_way() -> None:
    found = calls("query ($by: Lookup!) { order(by: $by) { number } }", "a", "b")

    assert found == {f"{key}: record order by {way}": 1 for key in ("a", "b") for way in ("key", "number")}


def test_a_known_lookup_counts_for_its_source_alone() -> None:
    query = "query ($by: Lookup!) { order(by: $by) { number } }"

    assert calls(query, "a", "b", variables={"by": {"number": {"source": "b", "number": "7"}}}) == {"b: record order by number": 1}
    assert calls(query, "a", "b", variables={"by": {"id": Ref("a", Kind.ORDER, "1").global_id}}) == {"a: record order by key": 1}
    assert calls(query, "a", "b", variables={"by": {"id": Ref("a", Kind.INVOICE, "1").global_id}}) == {}


def test_what_is_skipped_costs_nothing_and_what_may_be_included_counts() -> None:
    query = (
        f"query ($with: Boolean!) {{ {ONE} {{ number lines @include(if: $with) {{ quantity }} customer @skip(if: $with) {{ name }} }} }}"
    )

    assert calls(query, variables={"with": True}).keys() == {"record order by key", "lines order by key"}
    assert calls(query, variables={"with": False}).keys() == {"record order by key", "record customer by reference"}
    assert len(calls(query)) == 3


def test_only_the_named_sources_are_asked_for_a_list() -> None:
    named = '{ orders(first: 1, filter: {sources: ["b"]}) { pageInfo { hasNextPage } } }'

    assert calls(named, "a", "b") == {"b: list order by row": 2}
    assert calls("query ($s: [String!]) { orders(first: 1, filter: {sources: $s}) { pageInfo { hasNextPage } } }", "a", "b").keys() == {
        "a: list order by row",
        "b: list order by row",
    }


def test_a_filter_by_a_customer_asks_the_source_of_that_customer() -> None:
    query = '{ orders(first: 1, filter: {customer: {number: {source: "b", number: "7"}}}) { pageInfo { hasNextPage } } }'

    assert calls(query, "a", "b") == {"b: list order by row": 2, "b: record customer by number": 1}


def test_the_fields_of_the_answer_that_cause_calls_are_named() -> None:
    query = f"{{ x: {ONE} {{ ...F customer {{ name }} }} }} fragment F on Order {{ rows: lines {{ netAmount {{ currency }} }} currency }}"

    assert {entry.operation: entry.fields for entry in explain(query).entries} == {
        "record order by key": ("x",),
        "lines order by key": ("x.rows",),
        "currency order by key": ("x.rows.netAmount.currency", "x.currency"),
        "record customer by reference": ("x.customer",),
    }


def test_each_hop_of_an_invoice_counts() -> None:
    query = """{ invoice(by: {native: {source: "a", id: "1"}}) {
      totals { rounding { amount } } payments { reference } amountDue { amount } sourceStatuses { label } customer { name }
      orders { status } creditedInvoice { invoice { number } } } }"""

    assert calls(query) == {
        "record invoice by key": 1,
        "rounding invoice by key": 1,
        "payments invoice by key": 1,
        "labels invoice by key": 1,
        "party invoice by key": 1,
        "record customer by reference": 1,
        "record order by reference": 1,
        "record invoice by number": 1,
    }


def test_links_count_for_each_other_source_and_rule() -> None:
    parties = {("b", "1"): "P", ("b", "2"): "P", ("a", "1"): "P"}
    rules = LinkRules(frozenset({LinkRule.EMAIL, LinkRule.ORGANIZATION_NUMBER}), parties)
    linked = Explainer(SCHEMA, max_nodes=200, link_rules=rules)
    query = '{ customer(by: {native: {source: "a", id: "1"}}) { links { nodes { customer { name } } } } }'

    assert calls(query, "a", "b", explainer=linked) == {
        "a: record customer by key": 2,
        "b: list customer by row": 2 * 101,
        "b: record customer by key": 2,
        "b: record customer by row": 4,
    }
    assert calls(query, "a", "b") == {"a: record customer by key": 1}


def test_a_write_counts_with_what_names_its_objects_and_what_is_asked_of_its_outcome() -> None:
    orders = '[{number: {source: "a", number: "7"}}, {native: {source: "a", id: "1"}}]'
    query = f'mutation {{ createInvoice(source: "a", input: {{orders: {orders}}}) {{ outcome invoice {{ number }} order {{ id }} }} }}'

    assert calls(query, "a", "b") == {
        "a: record order by number": 1,
        "a: write invoice by key": 2,
        "a: record invoice by reference": 1,
        "a: record order by reference": 1,
    }


def test_an_attempt_counts_what_is_asked_of_what_it_made_which_may_be_of_any_source() -> None:
    kinds = ("customer", "invoice", "invoice_settings", "order")
    asked = "result { id ... on Order { number } }"

    assert calls(f'{{ attempt(idempotencyKey: "k") {{ outcome {asked} }} }}') == {f"record {kind} by key": 1 for kind in kinds}
    assert calls(f"{{ attempts(first: 7) {{ nodes {{ {asked} }} }} }}", "a", "b") == {
        f"{key}: record {kind} by key": 7 for key in ("a", "b") for kind in kinds
    }
    assert calls(f"{{ attempts {{ edges {{ node {{ {asked} }} }} }} }}")["record order by key"] == 25
    assert calls('{ attempt(idempotencyKey: "k") { outcome source { key } } attempts { nodes { outcome } } }') == {}


def test_the_attempt_of_a_write_counts_what_that_write_makes() -> None:
    asked = "{ attempt { result { id } } }"
    create = f'mutation {{ createInvoiceFromOrder(order: {{native: {{source: "a", id: "1"}}}}) {asked} }}'
    settings = f'mutation {{ setInvoiceSettings(customer: {{native: {{source: "a", id: "1"}}}}, settings: {{}}) {asked} }}'

    assert calls(create) == {"record invoice by key": 1}
    assert calls(settings) == {"record invoice_settings by key": 1}


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (
            'createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}, idempotencyKey: "k")',
            {
                ("shop", "GET v1/Shops/{shopId}/Orders/{orderCode}"): 1,
                ("shop", "GET v1/Orders/{id}"): 1,
                ("shop", "GET v1/Orders/{orderId}/Invoices"): 2,
                ("shop", "POST v1/Orders/{orderId}/Invoices"): 1,
            },
        ),
        (
            'setInvoiceSettings(customer: {native: {source: "subscriptions", id: "40017"}}, settings: {}, idempotencyKey: "k")',
            {
                ("subscriptions", "GET api/customers/invoice?customerNumber={customerNumber}"): 2,
                ("subscriptions", "POST api/customers/invoice"): 1,
            },
        ),
        (
            'createInvoice(source: "commerce", input: {orders: [{native: {source: "commerce", id: "70213"}}]}, idempotencyKey: "k")',
            {
                ("commerce", "Orders/Orders"): 1,
                ("commerce", "GetOrderByNo"): 1,
                ("commerce", "GetOrderByBasket"): 1,
                ("commerce", "GetInvoiceByNo"): 2,
                ("commerce", "Order/CreateInvoice"): 1,
            },
        ),
        (
            'createInvoice(source: "pos", input: {orders: [{native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}}]})',
            {("pos", "GetOrderById"): 2, ("pos", "PostCustomerInvoice"): 1},
        ),
    ],
    ids=["from an order", "settings", "through Connect", "with an order"],
)
def test_a_write_counts_its_checks_and_its_look(offline: Offline, write: str, expected: Counts) -> None:
    assert estimated(offline.explain(f"mutation {{ {write} {{ outcome }} }}")) == expected


def test_asking_about_sources_costs_nothing() -> None:
    assert calls("{ sources { key capabilities { operation } } caller { name } __schema { types { name } } }") == {}


def test_a_total_says_that_there_may_be_more(offline: Offline) -> None:
    explanation = offline.explain('{ customer(by: {number: {source: "subscriptions", number: "40017"}}) { name } }')

    assert (explanation.total, explanation.open_ended) == (1, True)


def test_calls_in_the_place_of_others_are_not_in_the_total(offline: Offline) -> None:
    explanation = offline.explain('{ order(by: {native: {source: "commerce", id: "70213"}}) { totals { total { amount } } } }')

    assert estimated(explanation) == {
        ("commerce", "GetOrderByBasket"): 1,
        ("commerce", "GetOrderByNo"): 1,
        ("commerce", "Orders/Orders"): 1,
    }
    assert explanation.total == 2


# ------------------------------------------------------------------ mistakes


DEEP = " ".join(
    ["{ ...F0 }", *(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(3000)), "fragment F3000 on Query { __typename }"]
)
SEVERAL = "one operation of the document must be named (there are: A, B)"


@pytest.mark.parametrize(
    ("query", "variables", "mistakes"),
    [
        ("{ nothing caller { age } }", None, ["1:3: Cannot query field 'nothing'", "1:20: Cannot query field 'age'"]),
        ("{", None, ["1:2: Syntax Error"]),
        ("query ($n: Int!) { orders(first: $n) { pageInfo { endCursor } } }", {"n": "x"}, ["1:8: Variable '$n' has invalid value"]),
        (
            "query A { caller { name } } query B { caller { name } }",
            None,
            ["one operation of the document must be named (there are: A, B)"],
        ),
        (DEEP, None, ["Validation aborted"]),
    ],
    ids=["fields", "syntax", "variables", "operations", "depth"],
)
def test_every_mistake_is_a_line(query: str, variables: dict[str, Any] | None, mistakes: list[str]) -> None:
    with pytest.raises(InvalidDocument) as raised:
        explain(query, variables=variables)

    assert len(raised.value.mistakes) == len(mistakes)
    assert all(found.startswith(start) for found, start in zip(raised.value.mistakes, mistakes, strict=True))
