"""The trail of writes in the graph: whose attempts, which, in what order, and what of them is read from a source."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.model import Kind, MutationOutcome, Ref, UpstreamRefusal, UserError, UserErrorCode
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import SERVER, Graph, open_graph
from tests.schema.ids import COMMERCE_ORDER, POS_INVOICE, SHOP_INVOICE, SHOP_ORDER
from tests.trail import Story, take_down

pytestmark = pytest.mark.anyio

CALLERS: dict[str, tuple[list[str], list[str]]] = {
    "billing": (["read", "write"], ["*"]),
    "frontend": (["read", "write"], ["pos", "shop"]),
    "script": (["write"], ["*"]),
    "viewer": (["read"], ["*"]),
    "auditor": (["audit"], ["*"]),
    "revisor": (["audit", "read"], ["pos", "shop"]),
    "curious": (["raw"], ["*"]),
}
KEYS = "{ attempts(filter: %s) { nodes { idempotencyKey } } }"
PAGE = """query ($first: Int!, $after: String, $filter: AttemptFilter) { attempts(first: $first, after: $after, filter: $filter) {
  nodes { idempotencyKey } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
RESULTS = "{ attempts { nodes { idempotencyKey result { id } } } }"
CREATE = """mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}, idempotencyKey: "INV-1") {
  outcome confirmation userErrors { code } invoice { id }
  attempt { idempotencyKey outcome subject upstreamStatus requestId sentAt settledAt result { id } } } }"""


def shop_invoice(native_id: str) -> Ref:
    return Ref("shop", Kind.INVOICE, native_id)


def state_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'journal.db'}"


def as_(caller: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key of {caller}"}


def keys_in(answer: dict[str, Any]) -> list[str]:
    return [node["idempotencyKey"] for node in answer["attempts"]["nodes"]]


@asynccontextmanager
async def open_over(sandbox: RunningSandbox, folder: Path, *stories: Story) -> AsyncIterator[Graph]:
    """Open a gateway with all callers over a journal that has these stories."""
    await take_down(state_in(folder), *stories)
    callers = [
        {
            "name": name,
            "key_sha256": hashlib.sha256(as_(name)["Authorization"][7:].encode()).hexdigest(),
            "permissions": may,
            "sources": sources,
        }
        for name, (may, sources) in CALLERS.items()
    ]
    server, forever = {**SERVER, "state": state_in(folder)}, {"keep_days": 36500, "audit_days": 36500}
    async with open_graph(sandbox, server=server, callers=callers, journal=forever) as graph:
        yield graph


async def keys_of(graph: Graph, caller: str, filter_: str = "{}") -> list[str]:
    return keys_in(await graph.data(KEYS % filter_, None, **as_(caller)))


async def refused(graph: Graph, caller: str, query: str, variables: dict[str, object] | None = None) -> str:
    """Ask what must be refused, and give the code."""
    answer = await graph.ask(query, variables, **as_(caller))
    assert [list(answer["data"].values()), len(answer["errors"])] == [[None], 1]
    code: str = answer["errors"][0]["extensions"]["code"]
    return code


def lose(graph: Graph, *reads_that_fail: str) -> None:
    """Have ShopCtrl write the next invoice and drop its answer; the next of each of these reads fails."""
    faults = graph.running.sandbox.faults
    faults.add(Fault(system="shopctrl", operation="CreateOrderInvoice", kind="lost_answer", times=1))
    for operation in reads_that_fail:
        faults.add(Fault(system="shopctrl", operation=operation, kind="status", status=503, after=1, times=1))


# ------------------------------------------------------------------ one attempt


async def test_an_attempt_tells_its_story(sandbox: RunningSandbox, tmp_path: Path) -> None:
    error = UserError(
        UserErrorCode.UPSTREAM_REJECTED, "the source refused; see upstream", None, UpstreamRefusal(status=400, code="7", message="Nej")
    )
    story = Story(key="INV-1", outcome=MutationOutcome.REJECTED, status=400, subject="54712", errors=(error,))
    query = """{ attempt(idempotencyKey: "INV-1") { idempotencyKey caller mutation source { key } outcome requestId subject
      receivedAt sentAt settledAt upstreamStatus result { id } userErrors { code message field upstream { status code message } } } }"""
    async with open_over(sandbox, tmp_path, story) as graph:
        assert (await graph.data(query, None, **as_("billing")))["attempt"] == {
            "idempotencyKey": "INV-1",
            "caller": "billing",
            "mutation": "createInvoiceFromOrder",
            "source": {"key": "shop"},
            "outcome": "REJECTED",
            "requestId": "request-INV-1",
            "subject": "54712",
            "receivedAt": "2026-11-22T12:00:00+00:00",
            "sentAt": "2026-11-22T12:00:00+00:00",
            "settledAt": "2026-11-22T12:00:00+00:00",
            "upstreamStatus": 400,
            "result": None,
            "userErrors": [
                {
                    "code": "UPSTREAM_REJECTED",
                    "message": "the source refused; see upstream",
                    "field": None,
                    "upstream": {"status": 400, "code": "7", "message": "Nej"},
                }
            ],
        }
        assert graph.calls() == {}


async def test_the_answer_of_a_write_has_its_attempt_and_so_has_the_trail(graph: Graph) -> None:
    made = (await graph.data(CREATE))["createInvoiceFromOrder"]
    attempt = made["attempt"]

    assert (made["outcome"], attempt["idempotencyKey"], attempt["outcome"], attempt["upstreamStatus"]) == (
        "APPLIED",
        "INV-1",
        "APPLIED",
        200,
    )
    assert attempt["result"] == made["invoice"]
    assert attempt["sentAt"] <= attempt["settledAt"]
    fields = "idempotencyKey outcome subject upstreamStatus requestId sentAt settledAt result { id }"
    assert (await graph.data(f'{{ attempt(idempotencyKey: "INV-1") {{ {fields} }} }}'))["attempt"] == attempt
    assert (await graph.data(f"{{ attempts {{ edges {{ node {{ {fields} }} }} }} }}"))["attempts"]["edges"] == [{"node": attempt}]


async def test_a_write_that_is_refused_before_it_has_a_key_has_no_attempt(graph: Graph) -> None:
    query = 'mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}) { outcome attempt { requestId } } }'
    assert (await graph.data(query))["createInvoiceFromOrder"] == {"outcome": "REJECTED", "attempt": None}
    assert (await graph.data(query.replace("}})", "}}, dryRun: true)")))["createInvoiceFromOrder"] == {
        "outcome": "VALIDATED",
        "attempt": None,
    }
    assert (await graph.data("{ attempts { nodes { idempotencyKey } } }"))["attempts"]["nodes"] == []


async def test_an_unknown_outcome_is_settled_by_looking_and_never_by_sending(graph: Graph) -> None:
    lose(graph, "GetOrderInvoices")
    made = (await graph.data(CREATE))["createInvoiceFromOrder"]
    assert (made["outcome"], made["attempt"]["outcome"], made["attempt"]["result"]) == ("UNKNOWN", "UNKNOWN", None)
    graph.running.sandbox.faults.clear()

    asked = 'query { attempt(idempotencyKey: "INV-1") { outcome userErrors { code } result { ... on Invoice { orders { id } } } } }'
    found = (await graph.data(asked))["attempt"]

    assert found == {"outcome": "APPLIED", "userErrors": [], "result": {"orders": [{"id": Ref("shop", Kind.ORDER, "54712").global_id}]}}
    assert graph.calls()["shopctrl.CreateOrderInvoice"] == 1


async def test_the_list_asks_no_source_and_leaves_an_unknown_outcome_as_it_is(graph: Graph) -> None:
    lose(graph, "GetOrderInvoices")
    await graph.data(CREATE)
    graph.running.sandbox.reset_calls()

    (found,) = (await graph.data("{ attempts { nodes { outcome result { id } userErrors { code } } } }"))["attempts"]["nodes"]

    assert (found["outcome"], found["result"], [error["code"] for error in found["userErrors"]]) == ("UNKNOWN", None, ["OUTCOME_UNKNOWN"])
    assert graph.calls() == {}


async def test_a_key_that_was_never_used_has_no_attempt(graph: Graph) -> None:
    for key in ("INV-2", "", "å", "nul\\u0000", "x" * 300):
        assert await graph.data(f'{{ attempt(idempotencyKey: "{key}") {{ outcome }} }}') == {"attempt": None}


async def test_the_attempt_of_another_caller_is_not_there(sandbox: RunningSandbox, tmp_path: Path) -> None:
    query = '{ attempt(idempotencyKey: "INV-1") { caller } }'
    async with open_over(sandbox, tmp_path, Story(key="INV-1"), Story(key="INV-1", caller="script")) as graph:
        found = {name: (await graph.data(query, None, **as_(name)))["attempt"] for name in ("billing", "script", "frontend", "auditor")}
    assert found == {"billing": {"caller": "billing"}, "script": {"caller": "script"}, "frontend": None, "auditor": None}


async def test_an_attempt_in_flight_has_no_outcome_yet(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="INV-1", outcome=None, was_sent=False)) as graph:
        found = await graph.data(
            "{ attempts { nodes { outcome sentAt settledAt upstreamStatus userErrors { code } } } }", None, **as_("billing")
        )
    assert found["attempts"]["nodes"] == [{"outcome": None, "sentAt": None, "settledAt": None, "upstreamStatus": None, "userErrors": []}]


# ------------------------------------------------------------------ whose


async def test_each_caller_sees_its_own_attempts_and_an_auditor_those_of_all_newest_first(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stories = [Story(key="1"), Story(key="2", caller="script"), Story(key="3"), Story(key="4", caller="frontend", source="pos")]
    async with open_over(sandbox, tmp_path, *stories) as graph:
        assert {name: await keys_of(graph, name) for name in ("billing", "script", "frontend", "viewer", "auditor")} == {
            "billing": ["3", "1"],
            "script": ["2"],
            "frontend": ["4"],
            "viewer": [],
            "auditor": ["4", "3", "2", "1"],
        }


async def test_only_an_auditor_may_name_another_caller(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1"), Story(key="2", caller="script")) as graph:
        assert await keys_of(graph, "auditor", '{caller: "script"}') == ["2"]
        assert await keys_of(graph, "script", '{caller: "script"}') == ["2"]
        assert await keys_of(graph, "script", "{caller: null}") == ["2"]
        assert await refused(graph, "script", KEYS % '{caller: "billing"}') == "FORBIDDEN"


async def test_the_trail_needs_one_of_the_permissions_read_write_and_audit(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1", caller="curious")) as graph:
        assert await refused(graph, "curious", KEYS % "{}") == "FORBIDDEN"
        assert await refused(graph, "curious", '{ attempt(idempotencyKey: "1") { outcome } }') == "FORBIDDEN"


async def test_attempts_at_a_source_that_the_caller_may_not_see_do_not_exist(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stories = [Story(key="1", caller="frontend", source="commerce"), Story(key="2", caller="frontend"), Story(key="3", source="commerce")]
    async with open_over(sandbox, tmp_path, *stories) as graph:
        assert await keys_of(graph, "frontend") == ["2"]
        assert await keys_of(graph, "revisor") == ["2"]
        assert await graph.data('{ attempt(idempotencyKey: "1") { outcome } }', None, **as_("frontend")) == {"attempt": None}
        assert await refused(graph, "frontend", KEYS % '{source: "commerce"}') == "BAD_USER_INPUT"
        assert await keys_of(graph, "frontend", f'{{result: "{COMMERCE_ORDER}"}}') == []


async def test_attempts_at_a_source_that_is_gone_are_left_out_of_the_graph(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1", source="closed-shop"), Story(key="2")) as graph:
        assert await keys_of(graph, "auditor") == ["2"]
        assert await graph.data('{ attempt(idempotencyKey: "1") { outcome } }', None, **as_("billing")) == {"attempt": None}


async def test_a_source_that_was_renamed_keeps_its_trail(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(
        state_in(tmp_path), Story(key="1", caller="anybody", source="store"), Story(key="2", caller="anybody"), Story(key="3", source="pos")
    )
    server = {**SERVER, "state": state_in(tmp_path)}
    async with open_graph(sandbox, sources={"shop": {"former_keys": ["store"]}}, server=server) as graph:
        for filter_ in ('{source: "shop"}', '{source: "store"}', '{caller: "anybody"}'):
            assert keys_in(await graph.data(KEYS % filter_)) == ["2", "1"]
        assert await graph.data('{ attempt(idempotencyKey: "1") { source { key } } }') == {"attempt": {"source": {"key": "shop"}}}


async def test_a_write_under_a_key_of_a_source_that_is_hidden_now_shows_no_attempt(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="INV-1", caller="frontend", source="commerce")) as graph:
        query = CREATE.partition("outcome")[0] + "outcome userErrors { code } attempt { outcome } } }"
        assert (await graph.data(query, None, **as_("frontend")))["createInvoiceFromOrder"] == {
            "outcome": "REJECTED",
            "userErrors": [{"code": "IDEMPOTENCY_KEY_REUSED"}],
            "attempt": None,
        }


# ------------------------------------------------------------------ which


CHOSEN = {
    "{}": ["5", "4", "3", "2", "1"],
    "{outcome: [APPLIED]}": ["1"],
    "{outcome: [UNKNOWN, REJECTED]}": ["3", "2"],
    "{outcome: []}": [],
    "{outcome: null}": ["5", "4", "3", "2", "1"],
    "{inFlight: true}": ["5"],
    "{inFlight: false}": ["4", "3", "2", "1"],
    "{inFlight: true, outcome: [APPLIED]}": [],
    '{source: "pos"}': ["4"],
    f'{{result: "{SHOP_INVOICE}"}}': ["1"],
    f'{{result: "{SHOP_ORDER}"}}': [],
    f'{{result: "{SHOP_INVOICE}", source: "pos"}}': [],
    '{since: "2026-11-22T12:03:00Z"}': ["5", "4"],
    '{since: "2026-11-22T13:03:00.000001+01:00"}': ["5"],
    '{until: "2026-11-22T12:01:00Z"}': ["1"],
    '{since: "2026-11-22T12:01:00Z", until: "2026-11-22T12:03:00Z"}': ["3", "2"],
}


async def test_a_filter_chooses(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stories = [
        Story(key="1", result=shop_invoice("88121")),
        Story(key="2", outcome=MutationOutcome.UNKNOWN),
        Story(key="3", outcome=MutationOutcome.REJECTED),
        Story(key="4", outcome=MutationOutcome.NOT_APPLIED, source="pos"),
        Story(key="5", outcome=None),
    ]
    async with open_over(sandbox, tmp_path, *stories) as graph:
        assert {filter_: await keys_of(graph, "billing", filter_) for filter_ in CHOSEN} == CHOSEN


async def test_a_filter_by_what_is_no_id_is_refused(graph: Graph) -> None:
    assert await refused(graph, "billing", KEYS % '{result: "nothing"}') == "BAD_USER_INPUT"


async def test_a_time_that_has_none_in_utc_is_refused(graph: Graph) -> None:
    for filter_ in ('{since: "0001-01-01T00:00:00+14:00"}', '{until: "9999-12-31T23:59:59-14:00"}'):
        assert await refused(graph, "billing", KEYS % filter_) == "BAD_USER_INPUT"


# ------------------------------------------------------------------ pages


async def test_pages_go_on_behind_their_cursor_also_when_newer_attempts_come(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, *(Story(key=str(n)) for n in range(1, 6))) as graph:
        first = (await graph.data(PAGE, {"first": 2}, **as_("billing")))["attempts"]
        await take_down(state_in(tmp_path), Story(key="newer"))
        second = (await graph.data(PAGE, {"first": 2, "after": first["pageInfo"]["endCursor"]}, **as_("billing")))["attempts"]
        last = (await graph.data(PAGE, {"first": 3, "after": second["pageInfo"]["endCursor"]}, **as_("billing")))["attempts"]
        none = (await graph.data(PAGE, {"first": 3, "after": last["pageInfo"]["endCursor"]}, **as_("billing")))["attempts"]

    pages = [first, second, last, none]
    assert [[node["idempotencyKey"] for node in page["nodes"]] for page in pages] == [["5", "4"], ["3", "2"], ["1"], []]
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [True, True, False, False]
    assert [page["pageInfo"]["hasPreviousPage"] for page in pages] == [False, True, True, True]
    assert first["pageInfo"]["startCursor"] != first["pageInfo"]["endCursor"]
    assert (none["pageInfo"]["startCursor"], none["pageInfo"]["endCursor"]) == (None, last["pageInfo"]["endCursor"])


async def test_the_cursor_of_an_edge_stands_behind_it(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, *(Story(key=str(n)) for n in range(1, 4))) as graph:
        edges = (await graph.data("{ attempts { edges { cursor node { idempotencyKey } } } }", None, **as_("billing")))["attempts"]["edges"]
        rest = await graph.data(PAGE, {"first": 9, "after": edges[0]["cursor"]}, **as_("billing"))
    assert [edge["node"]["idempotencyKey"] for edge in edges] == ["3", "2", "1"]
    assert keys_in(rest) == ["2", "1"]


async def test_a_cursor_is_of_one_filter_only(sandbox: RunningSandbox, tmp_path: Path) -> None:
    filters: list[dict[str, object]] = [
        {"source": "shop"},
        {"outcome": ["APPLIED"]},
        {"inFlight": False},
        {"until": "2027-01-01T00:00:00Z"},
    ]
    async with open_over(sandbox, tmp_path, Story(key="1"), Story(key="2")) as graph:
        plain = (await graph.data(PAGE, {"first": 1}, **as_("billing")))["attempts"]["pageInfo"]["endCursor"]
        for filter_ in filters:
            other = (await graph.data(PAGE, {"first": 1, "filter": filter_}, **as_("billing")))["attempts"]["pageInfo"]["endCursor"]
            same = {"first": 1, "after": other, "filter": {**filter_, "caller": None}}
            assert keys_in(await graph.data(PAGE, same, **as_("billing"))) == ["1"]
            assert await refused(graph, "billing", PAGE, {"first": 1, "after": plain, "filter": filter_}) == "INVALID_CURSOR"
            assert await refused(graph, "billing", PAGE, {"first": 1, "after": other}) == "INVALID_CURSOR"


async def test_a_cursor_holds_when_outcomes_are_named_in_another_order(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1"), Story(key="2")) as graph:
        there = {"first": 1, "filter": {"outcome": ["APPLIED", "UNKNOWN"]}}
        cursor = (await graph.data(PAGE, there, **as_("billing")))["attempts"]["pageInfo"]["endCursor"]
        back = {"first": 1, "filter": {"outcome": ["UNKNOWN", "APPLIED"]}, "after": cursor}
        assert keys_in(await graph.data(PAGE, back, **as_("billing"))) == ["1"]


async def test_a_cursor_of_one_caller_is_none_of_another(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1"), Story(key="2")) as graph:
        cursor = (await graph.data(PAGE, {"first": 1}, **as_("billing")))["attempts"]["pageInfo"]["endCursor"]
        assert await refused(graph, "auditor", PAGE, {"first": 1, "after": cursor}) == "INVALID_CURSOR"


async def test_what_is_no_cursor_of_this_list_is_refused(graph: Graph) -> None:
    orders = await graph.data('{ orders(first: 1, filter: {sources: ["shop"]}) { pageInfo { endCursor } } }')
    for after in ("", "x", "W10", orders["orders"]["pageInfo"]["endCursor"]):
        answer = await graph.ask(PAGE, {"first": 1, "after": after})
        assert (answer["data"], answer["errors"][0]["extensions"]["code"]) == ({"attempts": None}, "INVALID_CURSOR")


@pytest.mark.parametrize(("first", "code"), [(101, "FIRST_LIMIT"), (-1, "BAD_USER_INPUT")])
async def test_a_page_has_bounds(graph: Graph, first: int, code: str) -> None:
    answer = await graph.ask(PAGE, {"first": first})
    assert answer["errors"][0]["extensions"]["code"] == code


# ------------------------------------------------------------------ what was made


async def test_what_many_attempts_made_is_read_in_one_batch_and_each_object_once(sandbox: RunningSandbox, tmp_path: Path) -> None:
    orders = [Ref("commerce", Kind.ORDER, str(number)) for number in range(70213, 70218)]
    stories = [Story(key=f"{turn}-{ref.native_id}", source="commerce", result=ref) for turn in (1, 2) for ref in orders]
    query = "{ attempts { nodes { result { id ... on Order { status } } } } }"
    async with open_over(sandbox, tmp_path, *stories) as graph:
        found = (await graph.data(query, None, **as_("billing")))["attempts"]["nodes"]

        assert [node["result"]["id"] for node in found] == [ref.global_id for ref in reversed(orders)] * 2
        assert graph.calls() == {"norce.QueryOrders": 1}


async def test_of_what_was_not_done_nothing_is_read(sandbox: RunningSandbox, tmp_path: Path) -> None:
    outcomes = [MutationOutcome.REJECTED, MutationOutcome.UNKNOWN, MutationOutcome.NOT_APPLIED, None]
    stories = [Story(key=str(number), outcome=outcome, result=shop_invoice("88121")) for number, outcome in enumerate(outcomes)]
    async with open_over(sandbox, tmp_path, *stories) as graph:
        found = (await graph.data(RESULTS, None, **as_("billing")))["attempts"]["nodes"]
        assert ([node["result"] for node in found], graph.calls()) == ([None] * 4, {})


async def test_what_cannot_be_read_takes_no_other_attempt_away(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stories = [Story(key="1", result=shop_invoice("88121")), Story(key="2", source="pos", result=Ref.from_global_id(POS_INVOICE))]
    async with open_over(sandbox, tmp_path, *stories) as graph:
        sandbox.sandbox.faults.add(Fault(system="shopctrl", operation="GetInvoice", kind="status", status=503))
        answer = await graph.ask(
            "{ attempts { nodes { result { ... on Invoice { totals { total { amount } } } } } } }", None, **as_("billing")
        )
    assert [(error["path"][:4], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["attempts", "nodes", 1, "result"], "UPSTREAM_UNAVAILABLE")
    ]
    assert answer["data"]["attempts"]["nodes"][0]["result"]["totals"] is not None
    assert answer["data"]["attempts"]["nodes"][1] == {"result": None}


async def test_an_auditor_without_read_sees_the_trail_and_not_the_objects(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1", result=shop_invoice("88121"))) as graph:
        answer = await graph.ask(RESULTS, None, **as_("auditor"))
        assert answer["data"]["attempts"]["nodes"] == [{"idempotencyKey": "1", "result": None}]
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert graph.calls() == {}
        assert (await graph.data(RESULTS, None, **as_("revisor")))["attempts"]["nodes"][0]["result"] == {"id": SHOP_INVOICE}


async def test_who_may_only_write_sees_what_it_made_itself(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1", caller="script", result=shop_invoice("88121"))) as graph:
        assert (await graph.data(RESULTS, None, **as_("script")))["attempts"]["nodes"][0]["result"] == {"id": SHOP_INVOICE}


# ------------------------------------------------------------------ a journal that is not there


async def test_a_journal_that_cannot_be_read_is_an_error_that_says_why(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with open_over(sandbox, tmp_path, Story(key="1")) as graph:
        shutil.rmtree(tmp_path)
        for query in (KEYS % "{}", '{ attempt(idempotencyKey: "1") { outcome } }'):
            assert await refused(graph, "billing", query) == "JOURNAL_UNAVAILABLE"
