"""The fault drill in small: each trouble, each system, and what is asked of a cell; `python -m tests.drills faults` tries all of them."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.drills.expectations import expected, violations
from tests.drills.faults import Patience, Seen, healthy, try_cell
from tests.drills.operations import NOT_DRILLED, Operation, operations
from tests.drills.troubles import TIMEOUT_SECONDS, TROUBLES
from tests.graph import Graph, open_graph
from tests.queries.golden import GOLDEN

pytestmark = pytest.mark.anyio

OPERATIONS = {operation.title: operation for operation in operations()}
BY_NAME = {trouble.name: trouble for trouble in TROUBLES}
PATIENT = Patience(timeout_seconds=60, deadline_seconds=190, mutation_deadline_seconds=190, others_timeout_seconds=60, retries=1)
UNTIL_LATE = Patience(
    timeout_seconds=TIMEOUT_SECONDS, deadline_seconds=190, mutation_deadline_seconds=190, others_timeout_seconds=60, retries=1
)

TIMEOUT = "UPSTREAM_TIMEOUT"
UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
AUTH = "UPSTREAM_AUTH"
BAD = "UPSTREAM_BAD_RESPONSE"


@pytest.mark.parametrize(
    ("title", "name", "code"),
    [
        ("shopctrl.GetInvoice", "slow", TIMEOUT),
        ("compilator.GetInvoice", "stall", TIMEOUT),
        ("norce.GetInvoiceByNo", "slow trickle", TIMEOUT),
        ("norce.GetInvoice", "refuse", UNAVAILABLE),
        ("compilator.GetOrder", "drop", UNAVAILABLE),
        ("shopctrl.GetFile", "reset mid-body", UNAVAILABLE),
        ("norce.Token", "401", AUTH),
        ("nimpos.GetOrders", "403", AUTH),
        ("compilator.GetInvoice", "404", "UPSTREAM_REJECTED"),
        ("nimpos.GetOrderById", "404", "null"),
        ("shopctrl.GetCustomer", "429", "UPSTREAM_RATE_LIMITED"),
        ("norce.ListInvoices", "429, wait 600 s", "UPSTREAM_RATE_LIMITED"),
        ("compilator.GetCustomersChangedSince", "500", UNAVAILABLE),
        ("nimpos.GetCustomerInvoice", "503", UNAVAILABLE),
        ("norce.GetInvoice", "empty", BAD),
        ("nimpos.GetCustomers", "malformed", BAD),
        ("shopctrl.GetOrderRows", "wrong type", BAD),
        ("norce.QueryOrders", "20 MB", BAD),
        ("shopctrl.GetInvoice", "gzip bomb", BAD),
        ("compilator.GetCustomerInvoice", "redirect", BAD),
        ("shopctrl.ListOrders", "drop once", "ok"),
        ("nimpos.GetOrderById", "401 once", "ok"),
        ("compilator.GetOrder", "503 once", "ok"),
        ("norce.QueryInvoices", "500", "ok"),
        ("nimpos.PostCustomerInvoice", "stall", "UNKNOWN OUTCOME_UNKNOWN"),
        ("norce.CreateInvoice", "reset mid-body", "APPLIED READ_BACK"),
        ("shopctrl.CreateOrderInvoice", "503", "REJECTED UPSTREAM_REJECTED"),
        ("compilator.PostCustomerInvoice", "429, wait 600 s", "NOT_APPLIED SOURCE_UNAVAILABLE"),
    ],
)
async def test_an_upstream_in_trouble_is_told_by_its_code_and_takes_nothing_else_away(
    sandbox: RunningSandbox, title: str, name: str, code: str
) -> None:
    operation, trouble = OPERATIONS[title], BY_NAME[name]
    known = await healthy(sandbox, operation)
    seen = await try_cell(sandbox, operation, trouble, known, UNTIL_LATE if trouble.is_late else PATIENT)
    assert (seen.code, violations(operation, trouble, seen)) == (code, [])


def test_every_operation_that_a_golden_query_needs_is_drilled() -> None:
    assert {operation for golden in GOLDEN for operation in golden.calls} <= OPERATIONS.keys()
    assert not NOT_DRILLED.keys() & OPERATIONS.keys()


# ------------------------------------------------------------------ isolation

SLOTS = 4
TILL_ORDER = 'query ($id: String!) { order(by: {native: {source: "pos", id: $id}}) { number } }'
SHOP_INVOICE = '{ invoice(by: {native: {source: "shop", id: "88121"}}) { number customer { name } } }'


async def all_slots_taken(graph: Graph) -> None:
    while graph.running.sandbox.calls.in_flight["nimpos"] < SLOTS:  # noqa: ASYNC110  (the sandbox has no event for it)
        await asyncio.sleep(0)


async def test_questions_to_another_source_are_answered_while_those_to_a_stalled_one_hang(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.faults.add(Fault(system="nimpos", operation="GetOrderById", kind="stall"))
    async with open_graph(sandbox, sources={"pos": {"max_in_flight": SLOTS}}) as graph:
        hanging = [asyncio.ensure_future(graph.ask(TILL_ORDER, {"id": str(uuid4())})) for _ in range(SLOTS)]
        await all_slots_taken(graph)
        answers = [await graph.data(SHOP_INVOICE) for _ in range(3 * SLOTS)]
        assert [task.done() for task in hanging] == [False] * SLOTS
        for task in hanging:
            task.cancel()
        await asyncio.wait(hanging)
    assert answers == [{"invoice": {"number": "F2026-0117", "customer": {"name": "De Vries Fietsen B.V."}}}] * (3 * SLOTS)


# ------------------------------------------------------------------ the judge

INVOICE: Operation = OPERATIONS["shopctrl.GetInvoice"]
STALL = BY_NAME["stall"]


def test_a_cell_that_came_out_well_is_let_pass() -> None:
    seen = Seen(code=TIMEOUT, seconds=1.1, deadline_seconds=1.5, others=True, connections=3, most_at_once=4)
    assert (expected(INVOICE, STALL).codes, violations(INVOICE, STALL, seen)) == ((TIMEOUT,), [])


def test_each_promise_that_a_cell_breaks_is_named() -> None:
    seen = Seen(
        code="INTERNAL",
        message="oh",
        seconds=2.1,
        deadline_seconds=1.5,
        tasks=2,
        busy=1,
        in_flight=3,
        connections=5,
        most_at_once=4,
        complaints=["never retrieved"],
    )
    assert [line.removeprefix("shopctrl.GetInvoice, stall: ") for line in violations(INVOICE, STALL, seen)] == [
        "INTERNAL instead of UPSTREAM_TIMEOUT (oh)",
        "answered after 2.10 s, with a deadline of 1.5 s",
        "the other sources' data is not there",
        "2 tasks left over",
        "1 busy connections left over",
        "3 requests in flight left over",
        "5 connections kept, of 4 that were needed at once",
        "never retrieved",
    ]
