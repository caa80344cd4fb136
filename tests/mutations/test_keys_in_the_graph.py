"""Idempotency keys as clients send them: as the argument of a mutation field, or as the header of the request."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gateway.mutations import native_id
from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph

pytestmark = pytest.mark.anyio

INPUT = """{
  customer: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}
  orders: [{native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}}]
  number: "30001", total: {amount: "1250.00"}
  nimpos: {outletId: "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", terminalId: "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20"}
}"""
ANSWER = "{ outcome userErrors { code field } request { body } }"


def create(*arguments: str, alias: str = "made") -> str:
    given = ", ".join(['source: "pos"', f"input: {INPUT}", *arguments])
    return f"{alias}: createInvoice({given}) {ANSWER}"


def mutation(*fields: str) -> str:
    return "mutation { " + " ".join(fields) + " }"


async def refusal(graph: Graph, query: str, **headers: str) -> tuple[str, str]:
    """Send a request that must be refused whole, before any upstream is called."""
    answer = await graph.ask(query, None, **headers)
    assert (answer["data"], graph.calls()) == (None, {})
    return answer["errors"][0]["extensions"]["code"], answer["errors"][0]["message"]


async def written_id(graph: Graph, query: str, **headers: str) -> str:
    made: dict[str, Any] = (await graph.data(query, None, **headers))["made"]
    assert made["userErrors"] == []
    written: str = made["request"]["body"]["Id"]
    return written


async def test_a_write_without_a_key_is_rejected_before_any_call(graph: Graph) -> None:
    made = (await graph.data(mutation(create())))["made"]
    assert made == {"outcome": "REJECTED", "userErrors": [{"code": "REQUIRED", "field": ["idempotencyKey"]}], "request": None}
    assert graph.calls() == {}


@pytest.mark.parametrize("arguments", [['idempotencyKey: "å"'], ['idempotencyKey: ""'], ['idempotencyKey: ""', "dryRun: true"]])
async def test_a_key_that_cannot_be_one_is_rejected_also_of_a_dry_run(graph: Graph, arguments: list[str]) -> None:
    made = (await graph.data(mutation(create(*arguments))))["made"]
    assert made == {"outcome": "REJECTED", "userErrors": [{"code": "INVALID", "field": ["idempotencyKey"]}], "request": None}
    assert graph.calls() == {}


async def test_a_dry_run_needs_no_key(graph: Graph) -> None:
    made = (await graph.data(mutation(create("dryRun: true"))))["made"]
    assert (made["outcome"], made["userErrors"]) == ("VALIDATED", [])


async def test_the_key_makes_the_native_id_whether_argument_header_or_both(graph: Graph) -> None:
    expected = str(native_id("pos", "anybody", "INV-1"))
    argument = mutation(create('idempotencyKey: "INV-1"', "dryRun: true"))
    assert await written_id(graph, argument) == expected
    assert await written_id(graph, mutation(create("dryRun: true")), Idempotency_Key="INV-1") == expected
    assert await written_id(graph, argument, Idempotency_Key="INV-1") == expected


async def test_the_header_is_a_key_of_a_real_write_too(graph: Graph) -> None:
    made = (await graph.data(mutation(create()), Idempotency_Key="INV-1"))["made"]
    assert (made["outcome"], made["request"]["body"]["Id"]) == ("APPLIED", str(native_id("pos", "anybody", "INV-1")))


async def test_two_callers_with_one_key_write_two_things(sandbox: RunningSandbox) -> None:
    keys = {"billing": "k-billing", "frontend": "k-frontend"}
    callers = [
        {"name": name, "key_sha256": hashlib.sha256(key.encode()).hexdigest(), "permissions": ["read", "write"], "sources": ["*"]}
        for name, key in keys.items()
    ]
    async with open_graph(sandbox, callers=callers) as graph:
        query = mutation(create('idempotencyKey: "INV-1"', "dryRun: true"))
        ids = {name: await written_id(graph, query, Authorization=f"Bearer {key}") for name, key in keys.items()}
    assert ids == {name: str(native_id("pos", name, "INV-1")) for name in keys}


async def test_an_argument_that_differs_from_the_header_is_refused_before_any_call(graph: Graph) -> None:
    code, message = await refusal(graph, mutation(create('idempotencyKey: "INV-1"')), Idempotency_Key="INV-2")
    assert (code, message) == ("BAD_USER_INPUT", "idempotencyKey: it differs from the header Idempotency-Key; send one of them")


@pytest.mark.parametrize(
    "query",
    [
        mutation(create(alias="one"), create(alias="two")),
        mutation(create('idempotencyKey: "INV-1"', alias="one"), create('idempotencyKey: "INV-1"', alias="two")),
        mutation("...Both") + " fragment Both on Mutation { " + create(alias="one") + " ... { " + create(alias="two") + " } }",
    ],
)
async def test_one_header_for_several_mutation_fields_is_refused_before_any_call(graph: Graph, query: str) -> None:
    code, message = await refusal(graph, query, Idempotency_Key="INV-1")
    assert code == "BAD_USER_INPUT"
    assert message == "the header Idempotency-Key is one key: give each of several mutations its own argument"


async def test_a_header_with_one_mutation_field_and_the_name_of_the_type_is_taken(graph: Graph) -> None:
    expected = str(native_id("pos", "anybody", "INV-1"))
    assert await written_id(graph, mutation("__typename", create("dryRun: true")), Idempotency_Key="INV-1") == expected


async def test_a_mutation_field_that_is_left_out_does_not_count(graph: Graph) -> None:
    skipped = create(alias="two").replace(ANSWER, f"@skip(if: true) {ANSWER}")
    expected = str(native_id("pos", "anybody", "INV-1"))
    assert await written_id(graph, mutation(create("dryRun: true"), skipped), Idempotency_Key="INV-1") == expected


async def test_several_mutation_fields_take_a_key_each(graph: Graph) -> None:
    query = mutation(*(create(f'idempotencyKey: "INV-{n}"', "dryRun: true", alias=f"m{n}") for n in (1, 2)))
    made = await graph.data(query)
    assert {alias: one["request"]["body"]["Id"] for alias, one in made.items()} == {
        "m1": str(native_id("pos", "anybody", "INV-1")),
        "m2": str(native_id("pos", "anybody", "INV-2")),
    }


# ------------------------------------------------------------------ the same input, and another one

SPELLINGS = {
    "null for what is left out": INPUT.replace('number: "30001"', 'number: "30001", note: null, lines: null'),
    "another order of the fields": INPUT.replace(
        'number: "30001", total: {amount: "1250.00"}', 'total: {amount: "1250.00"}, number: "30001"'
    ),
    "a default that is said": INPUT.replace('number: "30001"', 'number: "30001", allowDuplicateNumber: false'),
    "a decimal literal": INPUT.replace('"1250.00"', "1250.00"),
}
OTHERS = {
    "another amount": INPUT.replace("1250.00", "1250.01"),
    "another scale": INPUT.replace("1250.00", "1250.0"),
    "a note": INPUT.replace('number: "30001"', 'number: "30001", note: "n"'),
}


def keyed(given: str) -> str:
    by = 'source: "pos", idempotencyKey: "INV-1"'
    return f"mutation {{ made: createInvoice({by}, input: {given}) {{ outcome replayed userErrors {{ code }} }} }}"


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
async def test_another_spelling_of_the_same_input_is_a_repeat(graph: Graph, spelling: str) -> None:
    first = (await graph.data(keyed(INPUT)))["made"]
    again = (await graph.data(keyed(spelling)))["made"]
    assert (first["outcome"], first["replayed"]) == ("APPLIED", False)
    assert again == {"outcome": "APPLIED", "replayed": True, "userErrors": []}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_another_input_under_the_key_is_refused(graph: Graph, other: str) -> None:
    await graph.data(keyed(INPUT))
    again = (await graph.data(keyed(other)))["made"]
    assert again == {"outcome": "REJECTED", "replayed": False, "userErrors": [{"code": "IDEMPOTENCY_KEY_REUSED"}]}


async def test_to_clear_a_setting_is_not_to_leave_it_out(graph: Graph) -> None:
    def write(settings: str) -> str:
        by = 'customer: {native: {source: "subscriptions", id: "40017"}}, idempotencyKey: "T-1"'
        return f"mutation {{ made: setInvoiceSettings({by}, settings: {settings}) {{ outcome userErrors {{ code }} }} }}"

    first = (await graph.data(write("{paysInvoiceFee: true, reverseTax: false}")))["made"]
    other = (await graph.data(write("{paysInvoiceFee: true, reverseTax: false, invoiceEmail: null}")))["made"]
    assert (first["outcome"], other["userErrors"]) == ("APPLIED", [{"code": "IDEMPOTENCY_KEY_REUSED"}])
