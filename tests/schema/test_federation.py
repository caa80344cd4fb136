"""The graph as a subgraph: its SDL for those who compose, and `_entities`, which is `nodes` by the keys of another subgraph."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from hashlib import sha256
from typing import Any, TypeAlias

import pytest
from graphql import build_schema, parse

from gateway.app import make_costs, make_explainer, make_gateway, settings_from
from gateway.errors import LimitExceeded
from gateway.execution import Ask, Executor
from gateway.loaders import Loaders
from gateway.model import UNREAD, Caller, Kind, Permission, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from gateway.schema import Context, Federation, Weighed, print_schema
from gateway.schema import build_schema as build_graph
from tests.fakes import make_writes
from tests.graph import SERVER, Graph, open_graph
from tests.loaders.memory_source import MemorySource, loaders_over
from tests.plain import plain
from tests.schema.ids import (
    COMMERCE,
    COMMERCE_INVOICE,
    POS,
    POS_CUSTOMER,
    SHOP,
    SHOP_CUSTOMER,
    SHOP_INVOICE,
    SHOP_ORDER,
    SUBSCRIPTIONS_SETTINGS,
    invoice_id,
    source_id,
)

pytestmark = pytest.mark.anyio

HUNDRED = 100
FIRST_INVOICE = 50911
ENABLED: Mapping[str, object] = {"enabled": True}
PREFIXED: Mapping[str, object] = {"enabled": True, "prefix": "ACME_"}
ENTITIES = "query ($keys: [_Any!]!) { _entities(representations: $keys) { __typename ... on Node { id } } }"
WHOLE = """
  __typename
  ... on Order { id number totals { total { amount currency } } customer { name } lines { itemNumber quantity } }
  ... on Invoice { id number issueDate totals { inclVat { amount } } orders { number } customer { name } }
  ... on Customer { id name email }
"""
ASK_NODES = f"query ($keys: [ID!]!) {{ found: nodes(ids: $keys) {{ {WHOLE} }} }}"
ASK_ENTITIES = f"query ($keys: [_Any!]!) {{ found: _entities(representations: $keys) {{ {WHOLE} }} }}"
TYPES = {Kind.CUSTOMER: "Customer", Kind.ORDER: "Order", Kind.INVOICE: "Invoice"}
NO_KEY = "representations: this is no object with __typename and id or origin { source { key } nativeId }"
NO_ENTITY = "representations: the __typename is none of an object with keys"


Key: TypeAlias = Callable[[str], dict[str, object]]


def by_id(global_id: str, prefix: str = "") -> dict[str, object]:
    return {"__typename": prefix + TYPES[Ref.from_global_id(global_id).kind], "id": global_id}


def by_origin(global_id: str, prefix: str = "") -> dict[str, object]:
    ref = Ref.from_global_id(global_id)
    return {"__typename": prefix + TYPES[ref.kind], "origin": {"source": {"key": ref.source}, "nativeId": ref.native_id}}


@pytest.fixture
async def subgraph(sandbox: RunningSandbox) -> AsyncIterator[Graph]:
    async with open_graph(sandbox, federation=ENABLED) as opened:
        yield opened


@pytest.fixture
async def prefixed(sandbox: RunningSandbox) -> AsyncIterator[Graph]:
    async with open_graph(sandbox, federation=PREFIXED) as opened:
        yield opened


# ------------------------------------------------------------------ the SDL


def definition(sdl: str, of: str) -> str:
    return next(line for line in sdl.splitlines() if line.startswith(of)).removesuffix(" {")


def test_the_sdl_says_which_keys_name_an_object() -> None:
    sdl = print_schema(Federation())
    keys = '@key(fields: "id") @key(fields: "origin { source { key } nativeId }")'

    assert definition(sdl, "extend") == (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])'
    )
    assert [definition(sdl, f"type {name} ") for name in ("Customer", "Order", "Invoice")] == [
        f"type {name} implements Record & Node {keys}" for name in ("Customer", "Order", "Invoice")
    ]
    assert sdl.count("@key(") == 6


def test_other_subgraphs_may_give_values_and_nothing_that_leads_to_an_object() -> None:
    marked = {line.split()[1] for line in print_schema(Federation()).splitlines() if line.endswith(" @shareable {")}

    assert marked >= {"Money", "Address", "PageInfo", "Totals", "Line", "NorceInvoiceDetails", "UserError"}
    assert marked.isdisjoint(
        {"Query", "Mutation", "Source", "Origin", "InvoiceConnection", "InvoiceEdge", "CreditedInvoice", "Document", "MutationAttempt"}
    )


def test_without_its_directives_the_sdl_is_that_of_the_graph() -> None:
    sdl = print_schema(Federation())
    for directive in ("@shareable", '@key(fields: "id")', '@key(fields: "origin { source { key } nativeId }")'):
        sdl = sdl.replace(f" {directive}", "")
    ours, plain = (build_schema("\n".join(text.splitlines()[start:])) for text, start in ((sdl, 1), (print_schema(), 0)))

    assert {name: str(named.ast_node and named.ast_node.to_dict()) for name, named in ours.type_map.items()} == {
        name: str(named.ast_node and named.ast_node.to_dict()) for name, named in plain.type_map.items()
    }


def test_a_prefix_begins_the_names_of_all_types_but_the_roots() -> None:
    def names(sdl: str) -> list[str]:
        kinds = ("type ", "interface ", "union ", "enum ", "input ", "scalar ")
        return sorted(line.split()[1] for line in sdl.splitlines() if line.startswith(kinds))

    plain, prefixed = print_schema(Federation()), print_schema(Federation("ACME_"))

    assert names(prefixed) == sorted(name if name in {"Query", "Mutation"} else f"ACME_{name}" for name in names(plain))
    assert sorted(prefixed.replace("ACME_", "").splitlines()) == sorted(plain.splitlines())


async def test_the_service_gives_the_sdl_that_the_command_prints(subgraph: Graph, prefixed: Graph) -> None:
    assert await subgraph.data("{ _service { sdl } }") == {"_service": {"sdl": print_schema(Federation())}}
    assert await prefixed.data("{ _service { __typename sdl } }") == {
        "_service": {"__typename": "_Service", "sdl": print_schema(Federation("ACME_"))}
    }


async def test_the_service_answers_where_introspection_is_off(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, server={**SERVER, "introspection": False}, federation=ENABLED) as graph:
        assert await graph.data("{ _service { sdl } }") == {"_service": {"sdl": print_schema(Federation())}}


@pytest.mark.parametrize("query", ["{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"])
async def test_without_a_word_on_federation_there_is_neither_field(reader: Graph, query: str) -> None:
    answer = await reader.ask(query)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]


# ------------------------------------------------------------------ entities


@pytest.mark.parametrize("key", [by_id, by_origin])
@pytest.mark.parametrize("global_id", [SHOP_INVOICE, SHOP_ORDER, SHOP_CUSTOMER, COMMERCE_INVOICE, POS_CUSTOMER])
async def test_an_object_is_found_by_either_key(subgraph: Graph, key: Key, global_id: str) -> None:
    by_key = await subgraph.data(ASK_ENTITIES, {"keys": [key(global_id)]})

    assert by_key == await subgraph.data(ASK_NODES, {"keys": [global_id]})
    assert by_key["found"][0]["id"] == global_id


async def test_what_a_representation_has_beside_its_keys_changes_nothing(subgraph: Graph) -> None:
    key = {**by_id(SHOP_INVOICE), "origin": None, "number": 7}

    assert await subgraph.data(ENTITIES, {"keys": [key]}) == {"_entities": [{"__typename": "Invoice", "id": SHOP_INVOICE}]}


async def test_representations_may_stand_in_the_document(subgraph: Graph) -> None:
    data = await subgraph.data(
        'query ($id: ID!) { _entities(representations: [{__typename: "Invoice", id: $id}]) { ... on Invoice { number } } }',
        {"id": SHOP_INVOICE},
    )

    assert data == {"_entities": [{"number": "F2026-0117"}]}


async def test_entities_come_in_the_order_asked_with_null_where_there_is_none(subgraph: Graph) -> None:
    keys = [by_id(SHOP_INVOICE), by_id(invoice_id(SHOP, 999_999)), by_origin(COMMERCE_INVOICE), by_origin(SHOP_INVOICE)]

    data = await subgraph.data(ENTITIES, {"keys": keys})

    assert [None if found is None else found["id"] for found in data["_entities"]] == [SHOP_INVOICE, None, COMMERCE_INVOICE, SHOP_INVOICE]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("text", NO_KEY),
        ({"__typename": "Invoice"}, NO_KEY),
        ({"id": SHOP_INVOICE}, NO_KEY),
        ({"__typename": "Invoice", "id": 5}, NO_KEY),
        ({"__typename": "Invoice", "origin": {"source": {"key": "shop"}}}, NO_KEY),
        ({"__typename": "Source", "id": source_id(SHOP)}, NO_ENTITY),
        ({"__typename": "InvoiceSettings", "id": SUBSCRIPTIONS_SETTINGS}, NO_ENTITY),
        ({"__typename": "Lookup", "id": SHOP_INVOICE}, NO_ENTITY),
        ({"__typename": "__Type", "id": SHOP_INVOICE}, NO_ENTITY),
        ({"__typename": "_Service", "id": SHOP_INVOICE}, NO_ENTITY),
        ({"__typename": "Nothing", "id": SHOP_INVOICE}, NO_ENTITY),
        ({"__typename": "ACME_Invoice", "id": SHOP_INVOICE}, NO_ENTITY),
        ({"__typename": "Invoice", "id": "junk"}, "id: this is no id of this gateway"),
        ({"__typename": "Invoice", "id": SHOP_ORDER}, "id: this is the id of an order, not of an invoice"),
        ({"__typename": "Invoice", "origin": {"source": {"key": "shop"}, "nativeId": "x" * 2000}}, "id: this is no id of this gateway"),
    ],
)
async def test_what_is_wrong_with_one_representation_is_told_at_its_place_and_the_others_answer(
    subgraph: Graph, key: object, message: str
) -> None:
    answer = await subgraph.ask(ENTITIES, {"keys": [by_id(SHOP_INVOICE), key, by_id(COMMERCE_INVOICE)]})

    assert [found and found["id"] for found in answer["data"]["_entities"]] == [SHOP_INVOICE, None, COMMERCE_INVOICE]
    assert [(error["path"], error["message"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["_entities", 1], message, "BAD_USER_INPUT")
    ]


async def test_a_failed_source_fails_at_its_representations_only(subgraph: Graph) -> None:
    subgraph.running.sandbox.faults.add(Fault(system="shopctrl", operation="GetInvoice", kind="status", status=500))

    answer = await subgraph.ask(ENTITIES, {"keys": [by_id(SHOP_INVOICE), by_origin(COMMERCE_INVOICE)]})

    assert answer["data"]["_entities"] == [None, {"__typename": "Invoice", "id": COMMERCE_INVOICE}]
    assert [(error["path"], error["extensions"]["code"], error["extensions"]["source"]) for error in answer["errors"]] == [
        (["_entities", 0], "UPSTREAM_UNAVAILABLE", "shop")
    ]


def caller(*permissions: str) -> dict[str, object]:
    return {"name": "router", "key_sha256": sha256(b"key").hexdigest(), "permissions": list(permissions), "sources": ["shop"]}


async def test_an_object_of_a_source_that_the_caller_may_not_see_is_not_there(sandbox: RunningSandbox) -> None:
    keys = [by_id(COMMERCE_INVOICE), by_origin(COMMERCE_INVOICE), by_origin(invoice_id("elsewhere", 1)), by_id(SHOP_INVOICE)]
    async with open_graph(sandbox, callers=[caller("read")], federation=ENABLED) as graph:
        data = await graph.data(ENTITIES, {"keys": keys}, authorization="Bearer key")

        assert data["_entities"] == [None, None, None, {"__typename": "Invoice", "id": SHOP_INVOICE}]
        assert graph.calls() == {"shopctrl.GetInvoice": 1}


async def test_who_may_not_read_gets_no_entities(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, callers=[caller("write")], federation=ENABLED) as graph:
        answer = await graph.ask(ENTITIES, {"keys": [by_id(SHOP_INVOICE)]}, authorization="Bearer key")

        assert (answer["data"], graph.calls()) == (None, {})
        assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [(["_entities"], "FORBIDDEN")]


# ------------------------------------------------------------------ what it costs


async def hundred(graph: Graph, kind: str, source: str) -> list[str]:
    if (kind, source) == ("invoices", COMMERCE):
        return [invoice_id(source, FIRST_INVOICE + each) for each in range(HUNDRED)]
    listed = await graph.data(f'{{ {kind}(first: 100, filter: {{sources: ["{source}"]}}) {{ nodes {{ id }} }} }}')
    return [node["id"] for node in listed[kind]["nodes"]]


@pytest.mark.parametrize("key", [by_id, by_origin])
@pytest.mark.parametrize(("kind", "source"), [("orders", COMMERCE), ("invoices", COMMERCE), ("orders", SHOP), ("customers", POS)])
async def test_a_hundred_entities_cost_what_a_hundred_nodes_cost(
    subgraph: Graph, sandbox: RunningSandbox, key: Key, kind: str, source: str
) -> None:
    ids = await hundred(subgraph, kind, source)
    answers, calls = [], []
    for query, keys in ((ASK_NODES, ids), (ASK_ENTITIES, [key(each) for each in ids])):
        sandbox.sandbox.reset_calls()
        async with open_graph(sandbox, federation=ENABLED) as fresh:  # which keeps nothing from earlier
            answers.append(await fresh.ask(query, {"keys": keys}, x_gateway_cost="1"))
            calls.append(fresh.calls())

    nodes, entities = answers
    assert len(ids) == HUNDRED
    assert calls[0] == calls[1]
    assert sum(calls[0].values()) > 0
    assert entities["data"] == nodes["data"]
    assert entities["extensions"]["cost"] == nodes["extensions"]["cost"]


async def test_200_representations_are_taken_and_one_more_is_refused_by_name(subgraph: Graph) -> None:
    fine = await subgraph.data(ENTITIES, {"keys": [by_id(SHOP_INVOICE)] * 200})
    refused = await subgraph.ask(ENTITIES, {"keys": [by_id(SHOP_INVOICE)] * 201})

    assert len(fine["_entities"]) == 200
    assert subgraph.calls() == {"shopctrl.GetInvoice": 1}
    assert refused["data"] is None
    assert [(error["path"], error["message"], error["extensions"]["code"]) for error in refused["errors"]] == [
        (["_entities"], "representations: 201 are asked for, 200 is the most", "NODES_LIMIT")
    ]


def weigh(query: str, variables: dict[str, Any] | None = None, *, prefix: str = "", **limits: int) -> Weighed:
    sources = {
        "shop": {"system": "shopctrl", "base_url": "http://127.0.0.1:1", "shop_ids": [1], "shop_owner_id": 1},
        "commerce": {"system": "norce", "base_url": "http://127.0.0.1:1", "application_id": 1},
    }
    federation = {"enabled": True, "prefix": prefix}
    settings = settings_from({"server": SERVER, "sources": sources, "federation": federation, "limits": limits})
    costs = make_costs(settings, make_explainer(settings))
    return costs.weigh(parse(query), make_gateway(settings).sources, variables=variables)


def test_representations_are_explained_as_the_ids_they_stand_for() -> None:
    ids = [invoice_id(SHOP, number) for number in range(10)] + [invoice_id(COMMERCE, number) for number in range(10)]
    nodes = weigh(ASK_NODES, {"keys": ids})

    assert weigh(ASK_ENTITIES, {"keys": [by_id(each) for each in ids]}) == nodes
    assert weigh(ASK_ENTITIES, {"keys": [by_origin(each) for each in ids]}) == nodes
    assert nodes.cost.upstream_calls_estimated > 10


def test_representations_that_nobody_knows_count_as_the_most_there_can_be() -> None:
    number = "{ ... on Invoice { number } }"
    some = weigh(f"query ($keys: [_Any!]!) {{ _entities(representations: $keys) {number} }}")
    one = weigh(f'query ($id: ID!) {{ _entities(representations: [{{__typename: "Invoice", id: $id}}]) {number} }}')

    assert some == weigh(f"query ($keys: [ID!]!) {{ _entities: nodes(ids: $keys) {number} }}")
    assert one == weigh(f"query ($id: ID!) {{ _entities: nodes(ids: [$id]) {number} }}")
    assert some.cost.estimated == 200 + some.explanation.total
    assert some.explanation.total > 200


def test_entities_that_may_cost_too_much_are_refused_before_anybody_is_asked() -> None:
    keys = [by_id(invoice_id(SHOP, number)) for number in range(10)]

    with pytest.raises(LimitExceeded, match="may need 10 upstream calls, 10 of them for _entities of shop; at most 9 are taken"):
        weigh(
            "query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on Invoice { number } } }",
            {"keys": keys},
            max_upstream_calls=9,
        )


@pytest.mark.parametrize("prefix", ["", "ACME_"])
async def test_entities_are_executed_by_a_plan(prefix: str) -> None:
    executor = Executor(build_graph(Federation(prefix)), absent=UNREAD)
    loaders: Loaders = loaders_over(MemorySource("a"))
    context = Context(caller=Caller("test", frozenset(Permission)), loaders=loaders, writes=make_writes(), request_id="test")
    query = f"query ($keys: [_Any!]!) {{ _service {{ sdl }} _entities(representations: $keys) {{ ... on {prefix}Invoice {{ number }} }} }}"
    keys = [by_id(invoice_id("a", "x"), prefix), by_origin(invoice_id("a", "y"), prefix)]

    result = await executor.run(Ask(query, {"keys": keys}), context, "test")

    assert plain(result.data)["_entities"] == [None, None]
    assert result.errors == []
    assert (executor.counts.planned, executor.counts.fallbacks) == (1, 0)


# ------------------------------------------------------------------ a prefix


async def test_with_a_prefix_types_have_one_name_everywhere(prefixed: Graph) -> None:
    keys = [by_id(SHOP_INVOICE, "ACME_"), by_origin(SHOP_ORDER, "ACME_"), by_id(SHOP_INVOICE)]

    answer = await prefixed.ask(
        """query ($keys: [_Any!]!, $by: ACME_Lookup!) {
             _entities(representations: $keys) { __typename ... on ACME_Node { id } }
             invoice(by: $by) { __typename totals { __typename } }
             __type(name: "ACME_Money") { name }
           }""",
        {"keys": keys, "by": {"id": SHOP_INVOICE}},
    )

    assert answer["data"] == {
        "_entities": [{"__typename": "ACME_Invoice", "id": SHOP_INVOICE}, {"__typename": "ACME_Order", "id": SHOP_ORDER}, None],
        "invoice": {"__typename": "ACME_Invoice", "totals": {"__typename": "ACME_Totals"}},
        "__type": {"name": "ACME_Money"},
    }
    assert [(error["path"], error["message"]) for error in answer["errors"]] == [(["_entities", 2], NO_ENTITY)]


async def test_with_a_prefix_no_more_is_asked_of_a_source_than_without(subgraph: Graph, prefixed: Graph) -> None:
    answers, calls = [], []
    for graph, prefix in ((subgraph, ""), (prefixed, "ACME_")):
        graph.running.sandbox.reset_calls()
        query = ASK_ENTITIES.replace("... on ", f"... on {prefix}")
        answers.append(await graph.ask(query, {"keys": [by_id(each, prefix) for each in (SHOP_ORDER, SHOP_INVOICE)]}, x_gateway_cost="1"))
        calls.append(graph.calls())

    plain, named = answers
    for found in named["data"]["found"]:
        found["__typename"] = found["__typename"].removeprefix("ACME_")
    assert (named, calls[1]) == (plain, calls[0])


@pytest.mark.parametrize("prefix", ["ACME_", "Query"])
def test_a_prefix_changes_no_estimate(prefix: str) -> None:
    query = """{
      orders(first: 10, filter: {sources: ["shop"]}) { nodes {
        number totals { total { currency } } customer { name } invoices(first: 5) { nodes { number lines { name } } }
        ... on Record { warnings { code } }
      } }
      nodes(ids: ["%s"]) { ... on Invoice { number orders { number } } }
    }"""
    query %= SHOP_INVOICE
    plain, prefixed = weigh(query), weigh(query.replace("... on ", f"... on {prefix}"), prefix=prefix)

    assert prefixed == plain
    assert (plain.cost.estimated, plain.cost.upstream_calls_estimated) == (476, 95)
