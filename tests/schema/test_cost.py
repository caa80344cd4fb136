"""What an operation costs as one number: worked out by hand over sources in memory, and over the sandbox's sources."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest
from graphql import parse

from gateway.app import make_explainer, make_gateway, settings_from
from gateway.errors import LimitExceeded
from gateway.execution.limits import USUAL_LIMITS, check_size, parse_within
from gateway.loaders import LinkRule, LinkRules
from gateway.model import Kind, Ref
from gateway.sandbox.app import create_sandbox
from gateway.sandbox.examples import EXAMPLES
from gateway.schema import Explainer, InvalidDocument
from gateway.schema.cost import Cost, CostModel, Weighed
from gateway.settings import LimitSettings
from gateway.sources.base import SourceSet
from tests.loaders.memory_source import MemorySource
from tests.queries.golden import GOLDEN
from tests.schema.memory import SCHEMA
from tests.schema.test_budget import COMMERCE_INVOICES, FULL, POS_INVOICES, SHOP_INVOICES, SUBSCRIPTIONS_INVOICES

ONE = 'order(by: {native: {source: "a", id: "1"}})'
ENDLESS = 10**12


def model(*, max_cost: int = ENDLESS, max_upstream_calls: int = ENDLESS, rules: LinkRules | None = None) -> CostModel:
    explainer = Explainer(SCHEMA, max_nodes=200, link_rules=rules or LinkRules())
    return CostModel(explainer, max_cost=max_cost, max_upstream_calls=max_upstream_calls)


COSTS = model()


def weigh(query: str, *keys: str, variables: dict[str, Any] | None = None, by: CostModel = COSTS) -> Weighed:
    return by.weigh(query, SourceSet([MemorySource(key) for key in keys or ("a",)]), variables=variables)


def objects(query: str, *keys: str, variables: dict[str, Any] | None = None) -> int:
    cost = weigh(query, *keys, variables=variables).cost
    return cost.estimated - cost.upstream_calls_estimated


def refusal(query: str, *keys: str, by: CostModel) -> tuple[str, str]:
    with pytest.raises(LimitExceeded) as raised:
        weigh(query, *keys, by=by)
    return raised.value.limit, raised.value.message


# ------------------------------------------------------------------ objects


def test_an_object_is_one_and_its_scalars_and_parts_are_nothing() -> None:
    assert objects(f"{{ {ONE} {{ number status totals {{ total {{ amount currency }} }} }} }}") == 1
    assert objects("{ caller { name permissions } }") == 0
    assert objects(f"{{ {ONE} {{ id customer {{ name billingAddress {{ city }} }} origin {{ source {{ key }} }} }} }}") == 3


def test_a_list_is_as_many_as_its_page() -> None:
    assert objects("{ orders(first: 10) { nodes { number } pageInfo { hasNextPage } } }") == 10
    assert objects("{ orders { nodes { number } } }") == 25
    assert objects("{ orders(first: 10) { edges { cursor node { number customer { name } } } } }") == 10 * 3
    assert objects("{ attempts(first: 7) { nodes { outcome } } }") == 7


def test_lists_in_lists_multiply() -> None:
    query = "{ customers(first: 3) { nodes { orders(first: 4) { nodes { invoices(first: 5) { nodes { number } } } } } } }"

    assert objects(query) == 3 * (1 + 4 * (1 + 5))


def test_a_list_of_unknown_length_is_assumed_to_have_five_and_an_invoice_ten_orders() -> None:
    invoice = 'invoice(by: {native: {source: "a", id: "1"}})'

    assert objects(f"{{ {ONE} {{ lines {{ name netAmount {{ amount }} }} warnings {{ code }} }} }}") == 1 + 5 + 5
    assert objects(f"{{ {invoice} {{ orders {{ number customer {{ name }} }} }} }}") == 1 + 10 * 2


def test_lists_of_sources_are_as_long_as_there_are_sources() -> None:
    assert objects("{ sources { key } }", "a", "b", "c") == 3
    assert objects("{ sources { capabilities { operation } } }", "a", "b") == 2 * (1 + 12)
    assert objects("{ orders(first: 1) { sourceResults { status source { key } } } }", "a", "b") == 2 * 2
    assert (
        objects('{ customer(by: {native: {source: "a", id: "1"}}) { links { nodes { customer { name } } } } }', "a", "b", "c") == 1 + 3 * 2
    )


def test_a_size_comes_from_the_variables_and_is_the_largest_where_they_are_not_known() -> None:
    query = "query ($first: Int! = 2) { orders(first: $first) { nodes { number } } }"

    assert objects(query) == 100
    assert objects(query, variables={}) == 2
    assert objects(query, variables={"first": 7}) == 7
    assert objects(query, variables={"first": 1000}) == 100
    assert objects(query, variables={"first": -1}) == 0


def test_ids_are_as_many_as_are_asked_and_the_most_where_they_are_not_known() -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert objects(query, variables={"ids": [Ref("a", Kind.ORDER, "1").global_id, "no id"]}) == 2
    assert objects(query) == 200


def test_of_types_the_dearest_counts() -> None:
    query = """{ node(id: "x") { id ... on Order { lines { name } } ... on Invoice { lines { name } notes { text } } } }"""

    assert objects(query) == 1 + 5 + 5


def test_fields_with_one_name_are_one_and_aliases_are_several() -> None:
    assert objects(f"{{ {ONE} {{ customer {{ name }} }} ...F }} fragment F on Query {{ {ONE} {{ customer {{ email }} }} }}") == 2
    assert objects(f"{{ x: {ONE} {{ number }} y: {ONE} {{ number }} }}") == 2


def test_what_is_skipped_costs_nothing() -> None:
    query = f"query ($with: Boolean!) {{ {ONE} {{ number customer @include(if: $with) {{ name }} }} }}"

    assert [objects(query, variables={"with": with_it}) for with_it in (True, False)] == [2, 1]


def test_asking_about_the_schema_costs_nothing() -> None:
    assert weigh('{ __schema { types { fields { name } } } __type(name: "X") { name } __typename }').cost.estimated == 0


def test_a_write_costs_its_objects_and_its_calls() -> None:
    order = '{native: {source: "a", id: "1"}}'
    weighed = weigh(f"mutation {{ createInvoiceFromOrder(order: {order}) {{ outcome invoice {{ number }} userErrors {{ code }} }} }}")

    assert weighed.cost.estimated == 1 + 5 + weighed.cost.upstream_calls_estimated
    assert weighed.cost.upstream_calls_estimated > 0


# ------------------------------------------------------------------ calls


def test_each_upstream_call_costs_as_much_as_an_object() -> None:
    weighed = weigh("{ orders(first: 10) { nodes { number lines { quantity } } } }")

    assert weighed.explanation.total == 10 + 10 + 10
    assert weighed.cost == Cost(estimated=10 + 10 * 5 + 30, limit=ENDLESS, upstream_calls_estimated=30)


def test_the_cost_is_told_with_the_calls_that_were_made() -> None:
    assert Cost(estimated=30, limit=5000, upstream_calls_estimated=4).to_plain(3) == {
        "estimated": 30,
        "limit": 5000,
        "upstreamCallsEstimated": 4,
        "upstreamCallsMade": 3,
    }


def test_only_the_sources_that_are_given_count() -> None:
    query = "{ orders(first: 1) { nodes { number } } }"

    assert [weigh(query, *keys).cost.upstream_calls_estimated for keys in (("a",), ("a", "b"))] == [2, 4]


# ------------------------------------------------------------------ limits


def test_as_much_as_the_limit_is_taken_and_one_more_is_refused_with_both_numbers() -> None:
    query = "{ orders(first: 10) { nodes { number } } }"
    cost = weigh(query).cost.estimated

    assert weigh(query, by=model(max_cost=cost)).cost.estimated == cost == 10 + 20
    assert refusal(query, by=model(max_cost=cost - 1)) == ("COST_LIMIT", "the operation may cost 30; at most 29 are taken")


def test_one_more_call_than_the_limit_is_refused_with_what_causes_most_of_them() -> None:
    query = "{ orders(first: 10) { nodes { number } } }"

    assert weigh(query, by=model(max_upstream_calls=20)).cost.upstream_calls_estimated == 20
    assert refusal(query, by=model(max_upstream_calls=19)) == (
        "UPSTREAM_CALL_LIMIT",
        "the operation may need 20 upstream calls, 10 of them for orders of a; at most 19 are taken",
    )


def test_what_has_too_many_objects_is_refused_before_its_calls_are_looked_at() -> None:
    assert refusal("{ orders(first: 10) { nodes { number } } }", by=model(max_cost=9, max_upstream_calls=1)) == (
        "COST_LIMIT",
        "the operation may cost 10; at most 9 are taken",
    )


def test_what_asks_sources_at_too_many_places_is_refused_at_the_first_of_them() -> None:
    inner = "links { nodes { customer { name " * 3 + "} } } " * 3
    roots = " ".join(f"a{n}: customers(first: 1) {{ nodes {{ {inner} }} }}" for n in range(20))
    linked = model(rules=LinkRules(frozenset({LinkRule.EMAIL, LinkRule.CUSTOMER_NUMBER})))

    assert refusal(f"{{ {roots} }}", "a", "b", "c", "d", by=linked) == (
        "COST_LIMIT",
        "the operation asks sources at 501 places or more; at most 500 are taken",
    )


def test_what_cannot_be_executed_has_no_cost() -> None:
    with pytest.raises(InvalidDocument):
        weigh("{ nothing }")


# ------------------------------------------------------------------ checked at each request

PAGE = "query ($first: Int!) { orders(first: $first) { nodes { number } } }"


def check(query: str, kept: dict[Hashable, Any], *, max_cost: int, **variables: object) -> None:
    document = parse(query)
    model(max_cost=max_cost).check(document, SourceSet([MemorySource("a")]), variables=variables, operation_name=None, kept=kept)


def test_what_may_cost_too_much_is_judged_by_its_variables_each_time() -> None:
    kept: dict[Hashable, Any] = {}

    check(PAGE, kept, max_cost=50, first=10)
    with pytest.raises(LimitExceeded, match="the operation may cost 100; at most 50 are taken"):
        check(PAGE, kept, max_cost=50, first=100)
    check(PAGE, kept, max_cost=50, first=10)


def test_what_can_never_cost_too_much_is_judged_once() -> None:
    kept: dict[Hashable, Any] = {}
    check(PAGE, kept, max_cost=1_000, first=10)

    check(PAGE, kept, max_cost=0)  # nothing is weighed: it would be refused

    assert list(kept.values()) == [True]


def test_sources_are_judged_by_themselves() -> None:
    kept: dict[Hashable, Any] = {}
    query = "{ orders(first: 100) { nodes { number } } }"
    one, two = (SourceSet([MemorySource(key) for key in keys]) for keys in ("a", "ab"))
    costs = model(max_cost=300)
    costs.check(parse(query), one, variables={}, operation_name=None, kept=kept)

    with pytest.raises(LimitExceeded, match="the operation may cost 500; at most 300"):
        costs.check(parse(query), two, variables={}, operation_name=None, kept=kept)


# ------------------------------------------------------------------ over the sandbox


class Sandbox:
    """The usual limits over the four sources of the demo, which nobody calls."""

    def __init__(self) -> None:
        settings = settings_from({"sources": create_sandbox(1).state.sandbox.source_tables("http://127.0.0.1:1")})
        limits = LimitSettings()
        self.sources = make_gateway(settings).sources
        self._model = CostModel(make_explainer(settings), max_cost=limits.max_cost, max_upstream_calls=limits.max_upstream_calls)

    def weigh(self, query: str, variables: dict[str, Any] | None = None) -> Cost:
        document = parse_within(query, USUAL_LIMITS)
        check_size(document, USUAL_LIMITS)
        return self._model.weigh(document, self.sources, variables=variables).cost


def weigh_over(sources: SourceSet, query: str, variables: dict[str, Any] | None) -> Cost:
    return COSTS.weigh(query, sources, variables=variables).cost


@pytest.fixture(scope="module")
def sandbox_costs() -> Sandbox:
    return Sandbox()


ASKED = [
    *(pytest.param(golden.query, golden.variables, id=golden.folder.name) for golden in GOLDEN),
    *(pytest.param(example.query, dict(example.variables), id=example.title) for example in EXAMPLES),
]


@pytest.mark.parametrize(("query", "variables"), ASKED)
def test_every_golden_query_and_every_tab_of_the_explorer_is_well_within_the_usual_limits(
    sandbox_costs: Sandbox, query: str, variables: dict[str, Any]
) -> None:
    cost = sandbox_costs.weigh(query, variables)

    assert cost.estimated * 10 < cost.limit


@pytest.mark.parametrize(("query", "variables"), ASKED)
def test_the_cost_where_no_variable_is_known_is_the_most_that_variables_can_ask_for(
    sandbox_costs: Sandbox, query: str, variables: dict[str, Any]
) -> None:
    sources = sandbox_costs.sources
    most, asked = weigh_over(sources, query, None), weigh_over(sources, query, variables)

    assert (most.estimated, most.upstream_calls_estimated) >= (asked.estimated, asked.upstream_calls_estimated)
    assert most.upstream_calls_estimated >= asked.upstream_calls_estimated


@pytest.mark.parametrize(
    "ids", [POS_INVOICES, SHOP_INVOICES, COMMERCE_INVOICES, SUBSCRIPTIONS_INVOICES], ids=["pos", "shop", "commerce", "subscriptions"]
)
def test_a_hundred_invoices_with_orders_and_customers_are_within_the_usual_limits(sandbox_costs: Sandbox, ids: tuple[str, ...]) -> None:
    cost = sandbox_costs.weigh(FULL, {"ids": list(ids)})

    assert cost.estimated < cost.limit


@pytest.mark.parametrize("asked", ["orderBy: ISSUE_DATE_DESC", "filter: {isCredit: true}", "first: 100"])
def test_a_page_of_invoices_of_all_sources_is_within_the_usual_limits(sandbox_costs: Sandbox, asked: str) -> None:
    query = f"{{ invoices({asked}) {{ nodes {{ number issueDate totals {{ total {{ amount }} }} customer {{ name }} }} }} }}"

    assert sandbox_costs.weigh(query).estimated < LimitSettings().max_cost


def test_pages_of_a_hundred_nested_three_times_are_not(sandbox_costs: Sandbox) -> None:
    query = "{ customers(first: 100) { nodes { orders(first: 100) { nodes { invoices(first: 100) { nodes { number } } } } } } }"

    with pytest.raises(LimitExceeded, match="the operation may cost 1010100; at most 5000 are taken") as raised:
        sandbox_costs.weigh(query)
    assert raised.value.limit == "COST_LIMIT"
