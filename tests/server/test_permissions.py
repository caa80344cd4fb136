"""What each kind of caller may: every way into the graph, every field of it, and that a source it may not see does not exist for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_leaf_type,
    parse,
    visit,
)

from gateway.model import Kind, MutationOutcome, Ref
from gateway.sandbox.server import RunningSandbox
from tests.graph import SERVER, Graph, open_graph
from tests.schema.ids import (
    COMMERCE_CUSTOMER,
    COMMERCE_INVOICE,
    COMMERCE_ORDER,
    POS_CUSTOMER,
    POS_INVOICE,
    POS_ORDER,
    SHOP_CUSTOMER,
    SHOP_INVOICE,
    SHOP_ORDER,
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
from tests.trail import Story, take_down

pytestmark = pytest.mark.anyio

SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))
EVERYTHING = ["read", "write", "raw", "explorer", "audit"]
KINDS: Final[Mapping[str, list[str]]] = {
    "nothing": [],
    "reader": ["read"],
    "writer": ["write"],
    "raw": ["raw"],
    "explorer": ["explorer"],
    "auditor": ["audit"],
    "reader and writer": ["read", "write"],
    "reader of raw": ["read", "raw"],
    "reader and explorer": ["read", "explorer"],
    "reader and auditor": ["read", "audit"],
    "everything": EVERYTHING,
}
ONE, SOME = "of the shop", "of shop and till"
"""Callers that may do everything, in one source of the four, and in two."""
LINES_OF_LINKS = "source,native_id,party\nshop,20400,fjord\npos,3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01,fjord\nsubscriptions,40001,fjord\n"


def story(key: str, caller: str, source: str, native_id: str) -> Story:
    return Story(key=key, caller=caller, source=source, subject=native_id, result=Ref(source, Kind.INVOICE, native_id))


TILL_INVOICE = "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6"
STORIES = [
    *(story(f"SHOP {name}", name, "shop", "88121") for name in (*KINDS, ONE)),
    *(story(f"POS {name}", name, "pos", TILL_INVOICE) for name in (ONE, SOME, "everything")),
    Story(key="UNKNOWN-POS", caller=ONE, source="pos", outcome=MutationOutcome.UNKNOWN, subject="17"),
]


def as_(caller: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key of {caller}"}


def table(name: str, permissions: list[str], *sources: str) -> dict[str, object]:
    digest = hashlib.sha256(f"key of {name}".encode()).hexdigest()
    limits = {"requests_per_minute": 1_000_000, "max_in_flight": 1000}
    return {"name": name, "key_sha256": digest, "permissions": permissions, "sources": list(sources), **limits}


CALLERS = [
    *(table(name, permissions, "*") for name, permissions in KINDS.items()),
    table(ONE, EVERYTHING, "shop"),
    table(SOME, EVERYTHING, "shop", "pos"),
]


@pytest.fixture(scope="module")
async def shared(shared_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Graph]:
    folder = tmp_path_factory.mktemp("permissions")
    (folder / "links.csv").write_text(LINES_OF_LINKS, encoding="utf-8")
    state = f"sqlite:///{folder / 'journal.db'}"
    await take_down(state, *STORIES)
    async with open_graph(
        shared_sandbox,
        callers=CALLERS,
        server={**SERVER, "state": state, "introspection": False, "signing_key": "a key of sixteen bytes and more"},
        journal={"keep_days": 36500, "audit_days": 36500},
        links={"rules": ["organization_number", "email"], "file": str(folder / "links.csv")},
    ) as opened:
        yield opened


@pytest.fixture
def graph(shared: Graph, sandbox: RunningSandbox) -> Graph:
    """A gateway with callers of every kind, and a trail in which each of them has written."""
    del sandbox
    return shared


def codes(answer: Mapping[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


# ------------------------------------------------------------------ the ways in

INVOICE = {"number": "F-1", "total": {"amount": "1.00"}}
WAYS: Final[Mapping[str, tuple[str, list[str]]]] = {
    "node": (f'{{ node(id: "{SHOP_INVOICE}") {{ id }} }}', ["read"]),
    "nodes": (f'{{ nodes(ids: ["{SHOP_INVOICE}"]) {{ id }} }}', ["read"]),
    "customer": (f'{{ customer(by: {{id: "{SHOP_CUSTOMER}"}}) {{ id }} }}', ["read"]),
    "order": (f'{{ order(by: {{id: "{SHOP_ORDER}"}}) {{ id }} }}', ["read"]),
    "invoice": (f'{{ invoice(by: {{id: "{SHOP_INVOICE}"}}) {{ id }} }}', ["read"]),
    "customers": ('{ customers(filter: {sources: ["pos"]}, first: 1) { nodes { id } } }', ["read"]),
    "orders": ('{ orders(filter: {sources: ["shop"]}, first: 1) { nodes { id } } }', ["read"]),
    "invoices": ('{ invoices(filter: {sources: ["shop"]}, first: 1) { nodes { id } } }', ["read"]),
    "sources": ("{ sources { key } }", []),
    "source": ('{ source(key: "shop") { key } }', []),
    "caller": ("{ caller { name permissions sources } }", []),
    "attempt": ('{ attempt(idempotencyKey: "SHOP x") { outcome } }', ["read", "write", "audit"]),
    "attempts": ("{ attempts(first: 1) { nodes { outcome } } }", ["read", "write", "audit"]),
    "createInvoice": (
        'mutation { createInvoice(source: "pos", input: {number: "1"}, dryRun: true) { outcome } }',
        ["write"],
    ),
    "createInvoiceFromOrder": (
        f'mutation {{ createInvoiceFromOrder(order: {{id: "{SHOP_ORDER}"}}, dryRun: true) {{ outcome }} }}',
        ["write"],
    ),
    "setInvoiceSettings": (
        f'mutation {{ setInvoiceSettings(customer: {{id: "{SUBSCRIPTIONS_CUSTOMER}"}}, settings: {{}}, dryRun: true) {{ outcome }} }}',
        ["write"],
    ),
}
"""Each field of the roots, and the permissions of which one opens it; none: whoever is known may ask."""


def roots() -> Iterator[str]:
    for root in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type):
        yield from () if root is None else root.fields


def test_every_way_in_is_walked() -> None:
    assert set(WAYS) == set(roots())


@pytest.mark.parametrize("way", WAYS)
async def test_a_way_in_is_open_to_those_who_have_the_permission_and_to_nobody_else(graph: Graph, way: str) -> None:
    query, needed = WAYS[way]
    for kind, permissions in KINDS.items():
        graph.running.sandbox.reset_calls()
        answer = await graph.ask(query, None, **as_(kind))

        if not needed or set(needed) & set(permissions):
            assert (kind, codes(answer)) == (kind, [])
        else:
            data = answer["data"] if answer["data"] is None else answer["data"][way]
            assert (kind, data, codes(answer)) == (kind, None, ["FORBIDDEN"])
            assert graph.calls() == {}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("authorization", [None, "Bearer of nobody", "Basic a2V5"])
async def test_no_way_in_is_open_to_who_is_not_known(graph: Graph, way: str, authorization: str | None) -> None:
    response = await graph.send(WAYS[way][0], None, **({} if authorization is None else {"Authorization": authorization}))

    assert (response.status_code, list(response.json()), codes(response.json())) == (401, ["errors"], ["UNAUTHENTICATED"])
    assert graph.calls() == {}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_file_of_an_invoice_is_for_readers(graph: Graph, kind: str) -> None:
    response = await graph.client.get(f"/documents/{invoice_id('shop', 88010)}", headers=as_(kind))

    assert response.status_code == (200 if "read" in KINDS[kind] else 403)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_schema_and_what_a_query_costs_are_told_to_explorers(graph: Graph, kind: str) -> None:
    schema = await graph.send("{ __schema { queryType { name } } }", None, **as_(kind))
    explained = await graph.ask("{ caller { name } }", None, **as_(kind), X_Gateway_Explain="1")

    may = "explorer" in KINDS[kind]
    assert (schema.status_code == 200, "explain" in explained.get("extensions", {})) == (may, may)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_caller_is_told_what_it_may(graph: Graph, kind: str) -> None:
    told = (await graph.data(WAYS["caller"][0], None, **as_(kind)))["caller"]

    sources = ["commerce", "pos", "shop", "subscriptions"]
    assert {**told, "sources": sorted(told["sources"])} == {"name": kind, "permissions": sorted(KINDS[kind]), "sources": sources}


# ------------------------------------------------------------------ every field

_RECORDS: Final = {"Invoice", "Order", "Customer", "InvoiceSettings", "Node", "Record"}
_OF_THE_MOMENT: Final = ("raw", "fetchedAt", "healthSince", "requestId", "temporaryUrl")
"""What differs between two answers to one question, or is looked at by itself."""
_BRIEF: Final = "{ id ... on Record { origin { raw nativeId source { key } } } }"


def selection(type_: GraphQLOutputType, depth: int = 6) -> str:
    """Select every field of a type and of the values in it; of other records only what they are."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLUnionType):
        return "{ " + " ".join(f"... on {part.name} {selection(part, depth)}" for part in named.types) + " }"
    assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
    return "{ " + " ".join(_selected(name, field.type, dict(field.args), depth) for name, field in named.fields.items()) + " }"


def _selected(name: str, type_: GraphQLOutputType, arguments: Mapping[str, object], depth: int) -> str:
    asked = f"{name}(first: 2)" if "first" in arguments else name
    return f"{asked} {_BRIEF if get_named_type(type_).name in _RECORDS else selection(type_, depth - 1)}"


def of_type(name: str) -> str:
    type_ = SCHEMA.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return selection(type_)


def read_all(kind: str, *ids: str) -> str:
    return f"{{ nodes(ids: {json.dumps(ids)}) {{ id ... on {kind} {of_type(kind)} }} }}"


READS: Final[Mapping[str, str]] = {
    "invoices": read_all("Invoice", POS_INVOICE, SHOP_INVOICE, COMMERCE_INVOICE, SUBSCRIPTIONS_INVOICE),
    "orders": read_all("Order", POS_ORDER, SHOP_ORDER, COMMERCE_ORDER, SUBSCRIPTIONS_ORDER),
    "customers": read_all("Customer", POS_CUSTOMER, SHOP_CUSTOMER, COMMERCE_CUSTOMER, SUBSCRIPTIONS_CUSTOMER),
    "terms": read_all("InvoiceSettings", SUBSCRIPTIONS_SETTINGS),
    "listed invoices": f"{{ invoices(first: 5) {of_type('InvoiceConnection')} }}",
    "listed orders": f'{{ orders(filter: {{sources: ["shop", "pos"]}}, first: 5) {of_type("OrderConnection")} }}',
    "listed customers": f"{{ customers(first: 5) {of_type('CustomerConnection')} }}",
    "sources": f"{{ sources {of_type('Source')} }}",
    "of roots": f"""{{ node(id: "{SHOP_INVOICE}") {_BRIEF} invoice(by: {{id: "{SHOP_INVOICE}"}}) {_BRIEF}
      order(by: {{id: "{SHOP_ORDER}"}}) {_BRIEF} customer(by: {{id: "{SHOP_CUSTOMER}"}}) {_BRIEF}
      source(key: "shop") {{ key }} }}""",
}
OTHERS: Final = [
    f"{{ caller {of_type('Caller')} }}",
    f'{{ attempt(idempotencyKey: "x") {of_type("MutationAttempt")} attempts {of_type("MutationAttemptConnection")} }}',
    f"""mutation {{ createInvoice(source: "shop", input: {{number: "1"}}, dryRun: true) {of_type("CreateInvoicePayload")}
      createInvoiceFromOrder(order: {{id: "{SHOP_ORDER}"}}, dryRun: true) {of_type("CreateInvoicePayload")}
      setInvoiceSettings(customer: {{id: "x"}}, settings: {{}}, dryRun: true) {of_type("SetInvoiceSettingsPayload")} }}""",
]


def coordinates(query: str) -> set[str]:
    """Name the fields that a query asks, as `Type.field`."""
    found: set[str] = set()
    types = TypeInfo(SCHEMA)

    class Names(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = types.get_parent_type()
            assert parent is not None, node
            found.add(f"{parent.name}.{node.name.value}")

    visit(parse(query), TypeInfoVisitor(types, Names()))
    return found


def test_every_field_of_every_type_is_walked() -> None:
    there = {
        f"{type_.name}.{field}"
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for field in type_.fields
    }

    assert there - set().union(*map(coordinates, [*READS.values(), *OTHERS])) == set()


def raws(value: Any) -> Iterator[object]:  # noqa: ANN401  (any JSON value; so below)
    """Give every `raw` in an answer."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from [inner] if name == "raw" else raws(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from raws(inner)


def without(value: Any, *names: str) -> Any:  # noqa: ANN401
    """Give an answer without fields of these names, wherever they are."""
    if isinstance(value, Mapping):
        return {name: without(inner, *names) for name, inner in value.items() if name not in names}
    return [without(inner, *names) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("read", READS)
async def test_whoever_may_read_reads_the_same_but_for_what_is_raw(graph: Graph, read: str) -> None:
    answers = {kind: await graph.ask(READS[read], None, **as_(kind)) for kind, may in KINDS.items() if "read" in may}

    assert any(value for value in answers["reader"]["data"].values())
    plain = without(answers["reader"], *_OF_THE_MOMENT)
    assert "FORBIDDEN" not in codes(answers["reader"])
    for kind, answer in answers.items():
        assert without(answer, *_OF_THE_MOMENT) == plain, kind
        if "raw" in KINDS[kind]:
            assert None not in raws(answer["data"]), kind
        else:
            assert all(raw is None for raw in raws(answer["data"])), kind


@pytest.mark.parametrize("read", [name for name in READS if name != "sources"])
@pytest.mark.parametrize("kind", [kind for kind, may in KINDS.items() if "read" not in may])
async def test_whoever_may_not_read_gets_no_field_of_any_record_and_asks_no_source(graph: Graph, kind: str, read: str) -> None:
    answer = await graph.ask(READS[read], None, **as_(kind))

    assert set(codes(answer)) == {"FORBIDDEN"}
    assert {name: value for name, value in (answer["data"] or {}).items() if value is not None} in ({}, {"source": {"key": "shop"}})
    assert graph.calls() == {}


@pytest.mark.parametrize("kind", KINDS)
async def test_everybody_who_is_known_sees_the_sources(graph: Graph, kind: str) -> None:
    answer = await graph.ask(READS["sources"], None, **as_(kind))

    assert (codes(answer), len(answer["data"]["sources"])) == ([], 4)


TRAIL = "{ attempts { nodes { idempotencyKey caller result { id } } } }"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_trail_is_ones_own_and_everybodys_for_auditors(graph: Graph, kind: str) -> None:
    answer, may = await graph.ask(TRAIL, None, **as_(kind)), set(KINDS[kind])

    if not may & {"read", "write", "audit"}:
        assert (answer["data"]["attempts"], codes(answer)) == (None, ["FORBIDDEN"])
        return
    attempts = answer["data"]["attempts"]["nodes"]
    assert {attempt["caller"] for attempt in attempts} == ({*KINDS, ONE, SOME} if "audit" in may else {kind})
    made = [attempt for attempt in attempts if attempt["idempotencyKey"] != "UNKNOWN-POS"]
    shown = [attempt["caller"] for attempt in made if attempt["result"] is not None]
    if "read" in may:
        assert len(shown) == len(made)
    else:
        assert (shown, set(codes(answer))) == (([kind], set()) if may == {"write"} else ([], {"FORBIDDEN"}))


@pytest.mark.parametrize("kind", [kind for kind, may in KINDS.items() if "audit" not in may and {"read", "write"} & set(may)])
async def test_nobody_but_auditors_asks_for_the_trail_of_another(graph: Graph, kind: str) -> None:
    answer = await graph.ask('{ attempts(filter: {caller: "everything"}) { nodes { caller } } }', None, **as_(kind))

    assert (answer["data"]["attempts"], codes(answer)) == (None, ["FORBIDDEN"])


# ------------------------------------------------------------------ sources that do not exist

Asked = Callable[[str], str]
"""Asks about a source by its key."""


def ids(key: str) -> list[str]:
    return [
        invoice_id(key, TILL_INVOICE),
        order_id(key, "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"),
        customer_id(key, "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"),
        settings_id(key, "40017"),
        source_id(key),
    ]


def lookups(key: str, of: int) -> list[str]:
    native = Ref.from_global_id(ids(key)[of]).native_id
    return [
        f'{{id: "{ids(key)[of]}"}}',
        f'{{native: {{source: "{key}", id: "{native}"}}}}',
        f'{{number: {{source: "{key}", number: "1042"}}}}',
    ]


def _lookup(field: str, of: int, form: int) -> Asked:
    return lambda key: f"{{ {field}(by: {lookups(key, of)[form]}) {{ id number }} }}"


def _filtered(field: str, by: str, of: int, form: int) -> Asked:
    return lambda key: (
        f"{{ {field}(filter: {{{by}: {lookups(key, of)[form]}}}) {{ nodes {{ id }} sourceResults {{ source {{ key }} status }} }} }}"
    )


def _write(way: str, form: int) -> Asked:
    answered = "{ outcome userErrors { code message field } request { path body } attempt { idempotencyKey } }"
    of, argument, rest = (1, "order", "") if way == "createInvoiceFromOrder" else (2, "customer", ", settings: {invoiceEmail: null}")
    return lambda key: f"mutation {{ {way}({argument}: {lookups(key, of)[form]}{rest}, dryRun: true) {answered} }}"


def _create(arguments: Callable[[str], str]) -> Asked:
    answered = "{ outcome userErrors { code message field } request { body } }"
    return lambda key: f"mutation {{ createInvoice({arguments(key)}, dryRun: true) {answered} }}"


def _create_with(kind: str, of: int, form: int) -> Asked:
    named = "[{}]" if kind == "orders" else "{}"
    return _create(lambda key: f'source: "shop", input: {{{kind}: {named.format(lookups(key, of)[form])}}}')


def _node(number: int) -> Asked:
    return lambda key: f'{{ node(id: "{ids(key)[number]}") {{ __typename }} }}'


def _of_source(field: str) -> Asked:
    return lambda key: f'{{ {field}(filter: {{sources: ["shop", "{key}"]}}) {{ nodes {{ id }} }} }}'


HIDDEN: Final[Mapping[str, Asked]] = {
    **{f"node {number}": _node(number) for number in range(5)},
    "nodes": lambda key: f"{{ nodes(ids: {json.dumps([*ids(key), SHOP_INVOICE])}) {{ __typename }} }}",
    **{f"invoice {form}": _lookup("invoice", 0, form) for form in range(3)},
    **{f"order {form}": _lookup("order", 1, form) for form in range(3)},
    **{f"customer {form}": _lookup("customer", 2, form) for form in range(3)},
    **{f"invoices of customer {form}": _filtered("invoices", "customer", 2, form) for form in range(3)},
    **{f"invoices of order {form}": _filtered("invoices", "order", 1, form) for form in range(3)},
    **{f"orders of customer {form}": _filtered("orders", "customer", 2, form) for form in range(3)},
    **{f"{field} of source": _of_source(field) for field in ("invoices", "orders", "customers")},
    "source": lambda key: f'{{ source(key: "{key}") {{ key }} }}',
    "attempts of source": lambda key: f'{{ attempts(filter: {{source: "{key}"}}) {{ nodes {{ subject }} }} }}',
    "attempts of result": lambda key: f'{{ attempts(filter: {{result: "{ids(key)[0]}"}}) {{ nodes {{ subject }} }} }}',
    "attempt": lambda key: f'{{ attempt(idempotencyKey: "{key.upper()} {ONE}") {{ subject }} }}',
    **{f"createInvoiceFromOrder {form}": _write("createInvoiceFromOrder", form) for form in range(3)},
    **{f"setInvoiceSettings {form}": _write("setInvoiceSettings", form) for form in range(3)},
    "createInvoice": _create(lambda key: f'source: "{key}", input: {{number: "1"}}'),
    **{f"customer of createInvoice {form}": _create_with("customer", 2, form) for form in range(3)},
    **{f"orders of createInvoice {form}": _create_with("orders", 1, form) for form in range(3)},
}


def comparable(response: httpx.Response, key: str) -> tuple[int, str]:
    """Give status and text of an answer, with the key of the source left open."""
    body = without(response.json(), "requestId")
    return response.status_code, json.dumps(body).replace(f'\\"{key}\\"', "KEY").replace(f'"{key}"', "KEY").replace(f" {key}", " KEY")


@pytest.mark.parametrize("way", HIDDEN)
async def test_a_source_one_may_not_see_is_answered_as_one_that_does_not_exist(graph: Graph, way: str) -> None:
    ask = HIDDEN[way]
    hidden = await graph.send(ask("pos"), None, **as_(ONE))
    calls = graph.calls()
    missing = await graph.send(ask("nowhere"), None, **as_(ONE))

    assert comparable(hidden, "pos") == comparable(missing, "nowhere")
    assert hidden.status_code == 200
    assert {operation.partition(".")[0] for operation in calls} <= {"shopctrl"}


@pytest.mark.parametrize("way", HIDDEN)
async def test_to_whom_sees_it_the_same_source_is_answered_as_one_that_exists(graph: Graph, way: str) -> None:
    ask = HIDDEN[way]
    seen = await graph.send(ask("pos"), None, **as_("everything"))
    missing = await graph.send(ask("nowhere"), None, **as_("everything"))

    if way in {"attempt", "node 3"}:  # another's attempt; terms, which the till has not
        return
    assert comparable(seen, "pos") != comparable(missing, "nowhere")


@pytest.mark.parametrize("key", ["pos", "nowhere"])
async def test_a_file_of_a_source_one_may_not_see_is_not_there(graph: Graph, key: str) -> None:
    response = await graph.client.get(f"/documents/{invoice_id(key, TILL_INVOICE)}", headers=as_(ONE))

    assert (response.status_code, codes(response.json()), graph.calls()) == (404, ["NOT_FOUND"], {})


@pytest.mark.parametrize("field", ["invoices", "orders", "customers"])
async def test_a_list_is_of_the_sources_one_may_see(graph: Graph, field: str) -> None:
    query = f"{{ {field}(first: 100) {{ nodes {{ origin {{ source {{ key }} }} }} sourceResults {{ source {{ key }} }} }} }}"

    page = (await graph.ask(query, None, **as_(ONE)))["data"][field]

    assert {result["source"]["key"] for result in page["sourceResults"]} == {"shop"}
    assert {node["origin"]["source"]["key"] for node in page["nodes"]} <= {"shop"}
    assert {operation.partition(".")[0] for operation in graph.calls()} <= {"shopctrl"}


PAGES = """query ($first: Int!, $after: String) { invoices(first: $first, after: $after) {
  nodes { origin { source { key } } } pageInfo { endCursor } sourceResults { resumeCursor } } }"""


async def test_a_cursor_of_who_sees_more_opens_nothing_to_who_sees_less(graph: Graph) -> None:
    cursors: set[str] = set()
    after: str | None = None
    for _ in range(4):
        page = (await graph.ask(PAGES, {"first": 20, "after": after}, **as_("everything")))["data"]["invoices"]
        after = page["pageInfo"]["endCursor"]
        cursors |= {cursor for cursor in [after, *(result["resumeCursor"] for result in page["sourceResults"])] if cursor}
    graph.running.sandbox.reset_calls()

    for cursor in cursors:
        answer = await graph.ask(PAGES, {"first": 20, "after": cursor}, **as_(ONE))
        nodes = ((answer["data"] or {}).get("invoices") or {"nodes": []})["nodes"]
        assert {node["origin"]["source"]["key"] for node in nodes} <= {"shop"}
    assert len(cursors) > 1
    assert {operation.partition(".")[0] for operation in graph.calls()} <= {"shopctrl"}


LINKS = """{ customer(by: {native: {source: "shop", id: "20400"}}) { links {
  nodes { customer { origin { source { key } } } } sourceResults { source { key } } } } }"""


@pytest.mark.parametrize(("caller", "others"), [(ONE, set()), (SOME, {"pos"}), ("everything", {"pos", "subscriptions"})])
async def test_links_lead_to_the_sources_one_may_see(graph: Graph, caller: str, others: set[str]) -> None:
    links = (await graph.ask(LINKS, None, **as_(caller)))["data"]["customer"]["links"]

    assert {node["customer"]["origin"]["source"]["key"] for node in links["nodes"]} - {"commerce"} == others
    if caller != "everything":
        assert {result["source"]["key"] for result in links["sourceResults"]} <= others
        asked = {operation.partition(".")[0] for operation in graph.calls()}
        assert asked <= {"shopctrl", *({"nimpos"} if "pos" in others else ())}


@pytest.mark.parametrize(("caller", "keys"), [(ONE, ["shop"]), (SOME, ["pos", "shop"])])
async def test_the_sources_are_those_one_may_see(graph: Graph, caller: str, keys: list[str]) -> None:
    data = await graph.data("{ caller { sources } sources { key } }", None, **as_(caller))

    assert (sorted(data["caller"]["sources"]), sorted(source["key"] for source in data["sources"])) == (keys, keys)


async def test_what_a_query_costs_is_told_of_the_sources_one_may_see(graph: Graph) -> None:
    query = f'{{ invoices {{ nodes {{ id }} }} nodes(ids: ["{POS_INVOICE}"]) {{ id }} }}'

    answer = await graph.ask(query, None, **as_(ONE), X_Gateway_Explain="1")

    assert not [name for name in ("pos", "commerce", "subscriptions") if name in json.dumps(answer)]


@pytest.mark.parametrize(("caller", "sources"), [(ONE, {"shop"}), (SOME, {"shop", "pos"}), ("everything", {"shop", "pos"})])
async def test_auditors_see_the_trail_of_the_sources_they_may_see(graph: Graph, caller: str, sources: set[str]) -> None:
    answer = await graph.data("{ attempts(first: 100) { nodes { source { key } } } }", None, **as_(caller))

    assert {attempt["source"]["key"] for attempt in answer["attempts"]["nodes"]} == sources


async def test_what_became_of_a_write_to_a_source_one_may_no_longer_see_is_not_told_nor_looked_for(graph: Graph) -> None:
    data = await graph.data('{ attempt(idempotencyKey: "UNKNOWN-POS") { outcome } }', None, **as_(ONE))

    assert (data, graph.calls()) == ({"attempt": None}, {})


# ------------------------------------------------------------------ what a writer is answered

FROM_ORDER = """mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}, idempotencyKey: "INV-1") {
  outcome request { path } order { number } invoice { number } attempt { outcome } } }"""
BEYOND = """mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}, idempotencyKey: "INV-1") {
  outcome invoice { number customer { orders { nodes { number } } } } } }"""


async def write(sandbox: RunningSandbox, folder: Path, query: str, *sources: str) -> dict[str, Any]:
    """Ask as a caller that may write, and see these sources, over a journal in a folder."""
    server = {**SERVER, "state": f"sqlite:///{folder / 'journal.db'}"}
    async with open_graph(sandbox, callers=[table("writer", ["write"], *sources)], server=server) as opened:
        return await opened.ask(query, None, **as_("writer"))


async def test_the_stored_answer_of_a_source_one_may_no_longer_see_is_not_given(sandbox: RunningSandbox, tmp_path: Path) -> None:
    made = (await write(sandbox, tmp_path, FROM_ORDER, "shop"))["data"]["createInvoiceFromOrder"]
    again = (await write(sandbox, tmp_path, FROM_ORDER, "pos"))["data"]["createInvoiceFromOrder"]

    assert (made["outcome"], made["order"]) == ("APPLIED", {"number": "UTR-2025-00131"})
    assert [again[name] for name in ("request", "order", "invoice", "attempt")] == [None] * 4


async def test_who_may_only_write_is_told_what_it_made_and_not_what_else_there_is(sandbox: RunningSandbox, tmp_path: Path) -> None:
    answer = await write(sandbox, tmp_path, BEYOND, "shop")

    made = answer["data"]["createInvoiceFromOrder"]
    assert (made["outcome"], codes(answer)) == ("APPLIED", ["FORBIDDEN"])
