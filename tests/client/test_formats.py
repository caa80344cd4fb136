"""What `query` writes, in each format, over the sandbox."""

from __future__ import annotations

import csv
import io
import json

import pytest

from gateway.client.exits import Exit
from gateway.client.mistake import Mistake
from tests.client.stage import Desk, GatewayWire, telling
from tests.fakes import FakeWire, answer
from tests.graph import Graph

pytestmark = pytest.mark.anyio

INVOICES = """
query ($after: String, $first: Int! = 2) {
  invoices(first: $first, after: $after, filter: {sources: ["shop"]}, orderBy: SOURCE) {
    nodes { no: number ...Rest }
    pageInfo { hasNextPage endCursor }
    sourceResults { source { key } status code }
  }
}
fragment Rest on Invoice { totals { total { amount currency } } orders { number } issueDate }
"""
FIRST = {"no": "F2026-0001", "totals": {"total": {"amount": "1.50", "currency": "EUR"}}, "orders": [{"number": "a"}, {"number": "b"}]}
SECOND: dict[str, object] = {"no": "7", "totals": None, "orders": []}
TWO = {"data": {"invoices": {"nodes": [{**FIRST, "issueDate": "2026-01-11"}, {**SECOND, "issueDate": None}], "sourceResults": []}}}


async def test_json_is_the_data_as_it_was_answered(graph: Graph) -> None:
    desk = Desk(GatewayWire(graph.client))

    assert await desk.ask(INVOICES) is Exit.FINE

    assert json.loads(desk.out.getvalue()) == await graph.data(INVOICES)
    assert desk.said == []


async def test_csv_has_a_column_a_leaf_in_the_order_of_the_query(graph: Graph) -> None:
    desk = Desk(GatewayWire(graph.client))

    assert await desk.ask(INVOICES, {"first": 100}, format="csv") is Exit.FINE

    header, *rows = csv.reader(io.StringIO(desk.out.getvalue()))
    assert header == ["no", "totals.total.amount", "totals.total.currency", "orders.number", "issueDate"]
    nodes = (await graph.data(INVOICES, {"first": 100}))["invoices"]["nodes"]
    assert [row[:3] for row in rows] == [
        [node["no"], node["totals"]["total"]["amount"], node["totals"]["total"]["currency"] or ""] for node in nodes
    ]
    assert [json.loads(row[3]) for row in rows] == [[order["number"] for order in node["orders"]] for node in nodes]


async def test_null_is_an_empty_cell_and_a_list_is_json() -> None:
    desk = Desk(telling(TWO))

    await desk.ask(INVOICES, format="csv")

    assert desk.out.getvalue() == (
        'no,totals.total.amount,totals.total.currency,orders.number,issueDate\nF2026-0001,1.50,EUR,"[""a"",""b""]",2026-01-11\n7,,,[],\n'
    )


async def test_ndjson_is_a_row_a_line() -> None:
    desk = Desk(telling(TWO))

    await desk.ask(INVOICES, format="ndjson")

    lines = desk.out.getvalue().splitlines()
    assert [json.loads(line)["no"] for line in lines] == ["F2026-0001", "7"]


async def test_a_table_is_aligned_with_numbers_at_the_right() -> None:
    desk = Desk(telling(TWO))

    await desk.ask(INVOICES, format="table")

    assert desk.out.getvalue() == (
        "no          totals.total.amount  totals.total.currency  orders.number  issueDate\n"
        "F2026-0001                 1.50  EUR                    a, b           2026-01-11\n"
        "7\n"
    )


async def test_a_table_without_rows_has_its_header() -> None:
    desk = Desk(telling({"data": {"orders": {"nodes": [], "pageInfo": {}}}}))

    await desk.ask(
        "query ($c: String) { orders(after: $c) { nodes { id } pageInfo { hasNextPage endCursor } sourceResults { status } } }",
        format="table",
        is_all_pages=True,
    )

    assert desk.out.getvalue() == "id\n"


async def test_a_table_takes_no_orders_for_the_terminal_from_an_answer() -> None:
    desk = Desk(telling({"data": {"sources": [{"key": "a\x1b[2J\nb"}]}}))

    await desk.ask("{ sources { key } }", format="table")

    assert desk.out.getvalue() == "key\na�[2J�b\n"


async def test_a_list_that_does_not_page_gives_its_rows() -> None:
    desk = Desk(telling({"data": {"sources": [{"key": "a", "n": {"x": 1}}, {"key": "b", "n": None}]}}))

    await desk.ask("{ sources { key n { x } } }", format="csv")

    assert desk.out.getvalue() == "key,n.x\na,1\nb,\n"


async def test_an_answer_without_a_list_is_one_row() -> None:
    desk = Desk(telling({"data": {"caller": {"name": "me", "permissions": ["read"]}}}))

    await desk.ask("{ caller { name permissions } }", format="csv")

    assert desk.out.getvalue() == 'caller.name,caller.permissions\nme,"[""read""]"\n'


async def test_edges_give_their_nodes_and_with_a_cursor_themselves() -> None:
    edges = {"data": {"orders": {"edges": [{"cursor": "c1", "node": {"number": "17"}}]}}}

    nodes, whole = Desk(telling(edges)), Desk(telling(edges))
    await nodes.ask("{ orders { edges { node { number } } } }", format="csv")
    await whole.ask("{ orders { edges { cursor node { number } } } }", format="csv")

    assert nodes.out.getvalue() == "number\n17\n"
    assert whole.out.getvalue() == "cursor,node.number\nc1,17\n"


async def test_several_lists_are_a_mistake_that_names_them() -> None:
    desk = Desk(telling({"data": {"a": {"nodes": []}, "b": {"nodes": []}}}))

    with pytest.raises(Mistake) as caught:
        await desk.ask("{ a: orders { nodes { id } } b: orders { nodes { id } } }", format="csv")

    assert (
        str(caught.value)
        == "--format: rows are those of one list, and here are several: a.nodes, b.nodes; ask for one, or take --format json"
    )


@pytest.mark.parametrize("number", ["1.50", "1E+2", "-0.0", "12345678901234567890", "0.1000000000000000000001"])
async def test_a_number_keeps_its_text(number: str) -> None:
    wire = FakeWire(lambda _request: answer(f'{{"data": {{"v": {number}}}}}'))
    as_json, as_csv = Desk(wire), Desk(wire)

    await as_json.ask("{ v }")
    await as_csv.ask("{ v }", format="csv")

    assert as_json.out.getvalue() == f'{{\n  "v": {number}\n}}\n'
    assert as_csv.out.getvalue() == f"v\n{number}\n"
