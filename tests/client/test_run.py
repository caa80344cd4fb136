"""A batch: one mutation a row under a key of its own, resumable, and never twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.client.exits import Exit
from gateway.client.mistake import Mistake
from gateway.client.run import Stop
from gateway.transport import Response
from gateway.transport.wire import WireFailed, WireRequest, WireTimeout
from tests.client.stage import Desk, GatewayWire, body_of, results_of, told_in, write_rows
from tests.drills.intents import NORCE
from tests.drills.stage import intents_of
from tests.fakes import FakeWire, answer
from tests.graph import Graph

pytestmark = pytest.mark.anyio

SHORT = (
    "mutation ($key: String!, $n: Int) { made: createInvoice(n: $n, idempotencyKey: $key) { outcome userErrors { code message field } } }"
)
HEADER = "mutation ($n: Int) { made: createInvoice(n: $n) { result: outcome errors: userErrors { what: code message } invoice { id } } }"
CREATE = """
mutation ($source: String!, $input: CreateInvoiceInput!) {
  createInvoice(source: $source, input: $input) { outcome userErrors { code message field } invoice { id number } }
}"""


def told(outcome: str, *errors: dict[str, Any]) -> Response:
    return answer(json.dumps({"data": {"made": {"outcome": outcome, "userErrors": errors}}}))


def by_row(handle: Callable[[int, int], Response]) -> FakeWire:
    """Answer by the row's `n`, and how often it was asked."""
    asked: dict[int, int] = {}

    def answer_to(request: WireRequest) -> Response:
        number = body_of(request)["variables"]["n"]
        asked[number] = asked.get(number, 0) + 1
        return handle(number, asked[number])

    return FakeWire(answer_to)


def short_rows(tmp_path: Path, count: int = 3) -> Path:
    return write_rows(tmp_path / "rows.ndjson", [{"key": f"k{number}", "n": number} for number in range(1, count + 1)])


def real_rows(tmp_path: Path, count: int) -> Path:
    return write_rows(
        tmp_path / "rows.ndjson", [{"source": i.variables["source"], "input": i.variables["input"]} for i in intents_of(NORCE, count)]
    )


async def test_each_row_is_written_once_and_the_same_command_again_asks_nothing(graph: Graph, tmp_path: Path) -> None:
    rows = real_rows(tmp_path, 5)
    first, again = Desk(GatewayWire(graph.client)), Desk(GatewayWire(graph.client))

    assert await first.run(CREATE, rows, key_field="input.number", key_prefix="invoice-") is Exit.FINE
    assert await again.run(CREATE, rows, key_field="input.number", key_prefix="invoice-") is Exit.FINE

    results = told_in(rows)
    assert sorted(result["key"] for result in results) == [f"invoice-DRILL-1-{place:04d}" for place in range(5)]
    assert {result["outcome"] for result in results} == {"APPLIED"}
    assert all(list(result["ids"]) == ["invoice"] and result["payload"]["invoice"]["id"] == result["ids"]["invoice"] for result in results)
    assert graph.calls()["norce.CreateInvoice"] == 5
    assert again.said == ["5 of 5 rows (5 earlier), -/s: 5 APPLIED"]
    assert len(told_in(rows)) == 5


async def test_a_dry_run_sends_nothing_and_settles_nothing(graph: Graph, tmp_path: Path) -> None:
    rows = real_rows(tmp_path, 2)

    assert await Desk(GatewayWire(graph.client)).run(CREATE, rows, key_field="input.number", is_dry_run=True) is Exit.FINE
    assert "norce.CreateInvoice" not in graph.calls()
    assert [(result["outcome"], result["dryRun"]) for result in told_in(rows)] == [("VALIDATED", True)] * 2

    assert await Desk(GatewayWire(graph.client)).run(CREATE, rows, key_field="input.number") is Exit.FINE
    assert graph.calls()["norce.CreateInvoice"] == 2


async def test_a_changed_row_under_a_used_key_is_shown_by_its_row(graph: Graph, tmp_path: Path) -> None:
    rows = real_rows(tmp_path, 2)
    await Desk(GatewayWire(graph.client)).run(CREATE, rows, key_field="input.number")
    first, second = (json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines())
    write_rows(rows, [first, {**second, "input": {**second["input"], "total": {"amount": "1.00"}}}])
    desk = Desk(GatewayWire(graph.client))

    assert await desk.run(CREATE, rows, key_field="input.number") is Exit.FAILED

    assert desk.said[0].startswith("row 2: key DRILL-1-0001: REJECTED: IDEMPOTENCY_KEY_REUSED: ")
    assert graph.calls()["norce.CreateInvoice"] == 2


@pytest.mark.parametrize("edit", ["mutation { a: m(x: 1) {S} }", "mutation { a: m {S} }", "mutation { m(dryRun: false, x: 1) {S} }"])
async def test_a_dry_run_lays_its_argument_into_the_document(edit: str, tmp_path: Path) -> None:
    text = edit.replace("{S}", "{ outcome userErrors { code } }")
    wire = FakeWire(lambda _request: answer('{"data": {"a": {"outcome": "VALIDATED"}, "m": {"outcome": "VALIDATED"}}}'))

    await Desk(wire).run(text, write_rows(tmp_path / "rows.ndjson", [{"key": "k"}]), is_dry_run=True)

    sent = body_of(wire.requests[0])["query"]
    assert sent.count("dryRun: true") == 1
    assert "dryRun: false" not in sent
    assert sent.replace("dryRun: true, ", "").replace("(dryRun: true)", "") in {text, text.replace("dryRun: false, ", "")}


async def test_a_dry_run_goes_by_the_variable_where_the_document_has_one(tmp_path: Path) -> None:
    text = "mutation ($d: Boolean!) { made: m(dryRun: $d) { outcome userErrors { code } } }"
    wire = FakeWire(lambda _request: told("VALIDATED"))
    rows = write_rows(tmp_path / "rows.ndjson", [{"key": "k"}])

    await Desk(wire).run(text, rows, is_dry_run=True)
    await Desk(wire).run(text, rows)

    assert [body_of(request) for request in wire.requests] == [
        {"query": text, "variables": {"d": True}},
        {"query": text, "variables": {"d": False}},
    ]


async def test_the_key_goes_into_the_variable_of_the_document_else_into_the_header(tmp_path: Path) -> None:
    wire = FakeWire(lambda _request: told("APPLIED"))

    await Desk(wire).run(SHORT, short_rows(tmp_path, 1))
    results_of(tmp_path / "rows.ndjson").unlink()
    await Desk(wire).run(HEADER, short_rows(tmp_path, 1))

    assert [(body_of(request)["variables"], request.headers.get("idempotency-key")) for request in wire.requests] == [
        ({"n": 1, "key": "k1"}, None),
        ({"n": 1}, "k1"),
    ]


async def test_what_the_document_calls_otherwise_is_taken_down_by_the_names_of_the_graph(tmp_path: Path) -> None:
    body = {"result": "REJECTED", "errors": [{"what": "INVALID", "message": "m"}], "invoice": {"id": "I1"}}
    rows = short_rows(tmp_path, 1)

    await Desk(FakeWire(lambda _request: answer(json.dumps({"data": {"made": body}})))).run(HEADER, rows)

    result = told_in(rows)[0]
    assert (result["outcome"], result["userErrors"], result["ids"]) == (
        "REJECTED",
        [{"code": "INVALID", "message": "m"}],
        {"invoice": "I1"},
    )


async def test_what_is_settled_is_skipped_and_what_is_not_is_asked_again_by_the_same_key(tmp_path: Path) -> None:
    outcomes = {1: "APPLIED", 2: "REJECTED", 3: "UNKNOWN", 4: "NOT_APPLIED", 5: "NOTHING_TO_DO", 6: "UNSUPPORTED"}
    rows = short_rows(tmp_path, 6)
    first = Desk(by_row(lambda number, _times: told(outcomes[number])))
    second = Desk(by_row(lambda _number, _times: told("APPLIED")))

    assert await first.run(SHORT, rows) is Exit.UNKNOWN
    assert await second.run(SHORT, rows) is Exit.FAILED

    assert isinstance(second.wire, FakeWire)
    assert sorted(body_of(request)["variables"]["key"] for request in second.wire.requests) == ["k3", "k4"]
    assert second.said[-1] == "6 of 6 rows (4 earlier), -/s: 3 APPLIED, 1 NOTHING_TO_DO, 1 REJECTED, 1 UNSUPPORTED"


@pytest.mark.parametrize(
    ("outcome", "errors"),
    [("NOT_APPLIED", ()), ("UNKNOWN", ({"code": "IDEMPOTENCY_KEY_IN_FLIGHT", "message": "m"},))],
)
async def test_a_row_of_which_nothing_was_done_is_asked_again_after_a_pause(outcome: str, errors: Any, tmp_path: Path) -> None:  # noqa: ANN401
    desk = Desk(by_row(lambda _number, times: told(outcome, *errors) if times < 3 else told("APPLIED")))

    assert await desk.run(SHORT, short_rows(tmp_path, 1)) is Exit.FINE
    assert desk.pauses.seconds == [1.0, 2.0]


async def test_a_row_without_an_answer_is_unknown_and_the_others_go_on(tmp_path: Path) -> None:
    def handle(number: int, _times: int) -> Response:
        if number == 2:
            raise WireTimeout("no answer in time")
        return told("APPLIED")

    rows = short_rows(tmp_path)
    desk = Desk(by_row(handle))

    assert await desk.run(SHORT, rows) is Exit.UNKNOWN
    assert {result["key"]: result["outcome"] for result in told_in(rows)} == {"k1": "APPLIED", "k2": "UNKNOWN", "k3": "APPLIED"}
    assert desk.said[-1] == "the same command goes on with 1 rows; what is settled is not asked again, and nothing is sent twice"


@pytest.mark.parametrize(
    "response",
    [
        answer('{"errors": [{"message": "m", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]}', 400),
        answer('{"errors": [{"message": "m", "extensions": {"code": "UNAUTHENTICATED"}}]}', 401),
        answer("nobody here", 404),
    ],
)
async def test_what_refuses_one_row_and_would_refuse_all_ends_the_run(response: Response, tmp_path: Path) -> None:
    desk = Desk(by_row(lambda _number, _times: response))

    assert await desk.run(SHORT, short_rows(tmp_path, 20), at_once=1) is Exit.FAILED

    assert isinstance(desk.wire, FakeWire)
    assert len(desk.wire.requests) == 1
    assert desk.said[-3].startswith("stopped: ")


async def test_a_row_that_is_refused_for_what_is_in_it_ends_nothing(tmp_path: Path) -> None:
    refused = answer('{"errors": [{"message": "n: no", "extensions": {"code": "BAD_USER_INPUT"}}]}', 400)
    desk = Desk(by_row(lambda number, _times: refused if number == 1 else told("APPLIED")))

    assert await desk.run(SHORT, short_rows(tmp_path), at_once=1) is Exit.FAILED
    assert desk.said[0] == "row 1: key k1: NOT_APPLIED: request: BAD_USER_INPUT: n: no"
    assert desk.said[1] == "3 of 3 rows, -/s: 2 APPLIED, 1 NOT_APPLIED"


async def test_data_that_is_null_leaves_a_row_unknown(tmp_path: Path) -> None:
    lost = answer('{"data": null, "errors": [{"message": "m", "path": ["made"], "extensions": {"code": "INTERNAL"}}]}')

    assert await Desk(by_row(lambda _number, _times: lost)).run(SHORT, short_rows(tmp_path, 1)) is Exit.UNKNOWN


async def test_a_stop_waits_for_what_is_under_way_and_says_how_to_go_on(tmp_path: Path) -> None:
    stop = Stop()
    in_hand = asyncio.Event()

    async def held(_request: WireRequest) -> Response:
        in_hand.set()
        await stop.event.wait()
        return told("APPLIED")

    desk, rows = Desk(FakeWire(held)), short_rows(tmp_path, 10)
    running = asyncio.create_task(desk.run(SHORT, rows, stop=stop, at_once=1))
    await in_hand.wait()
    stop.event.set()

    assert await running is Exit.FAILED
    assert [result["key"] for result in told_in(rows)] == ["k1"]
    assert desk.said == [
        "1 of 10 rows, -/s: 1 APPLIED",
        "the same command goes on with 9 rows; what is settled is not asked again, and nothing is sent twice",
    ]


async def test_a_stop_ends_the_wait_of_a_row_that_was_not_taken(tmp_path: Path) -> None:
    stop = Stop()

    def busy(_request: WireRequest) -> Response:
        stop.event.set()
        return answer("{}", 503, **{"retry-after": "100"})

    desk, rows = Desk(FakeWire(busy)), short_rows(tmp_path)

    assert await desk.run(SHORT, rows, stop=stop, sleep=stop.sleep, at_once=1) is Exit.FAILED
    assert told_in(rows) == []
    assert desk.said[-1] == "the same command goes on with 3 rows; what is settled is not asked again, and nothing is sent twice"


async def test_a_stop_ends_the_wait_before_a_row_is_asked_again_and_what_is_known_is_taken_down(tmp_path: Path) -> None:
    stop = Stop()

    async def stopped(_seconds: float) -> None:
        stop.event.set()
        await stop.sleep(100)

    rows = short_rows(tmp_path, 2)

    assert await Desk(by_row(lambda _n, _t: told("NOT_APPLIED"))).run(SHORT, rows, stop=stop, sleep=stopped, at_once=1) is Exit.FAILED
    assert [(result["key"], result["outcome"]) for result in told_in(rows)] == [("k1", "NOT_APPLIED")]


async def test_without_a_stop_a_wait_ends_by_itself() -> None:
    await Stop().sleep(0)


async def test_rows_that_are_not_answered_one_after_another_end_the_run(tmp_path: Path) -> None:
    def handle(number: int, _times: int) -> Response:
        if number != 3:
            raise WireTimeout("no answer in time")
        return told("APPLIED")

    rows = short_rows(tmp_path, 20)

    assert await Desk(by_row(handle)).run(SHORT, rows, at_once=1) is Exit.UNKNOWN
    assert [result["key"] for result in told_in(rows)] == [f"k{number}" for number in range(1, 9)]


async def test_what_was_settled_behind_a_stop_still_counts(tmp_path: Path) -> None:
    rows = short_rows(tmp_path, 3)
    await Desk(by_row(lambda number, _times: told("UNKNOWN" if number == 1 else "APPLIED"))).run(SHORT, rows)
    stop = Stop()
    stop.event.set()
    desk = Desk(by_row(lambda _number, _times: told("APPLIED")))

    assert await desk.run(SHORT, rows, stop=stop) is Exit.FAILED
    assert desk.said[0] == "2 of 3 rows (2 earlier), -/s: 2 APPLIED"


async def test_as_many_rows_as_allowed_are_under_way_at_once(tmp_path: Path) -> None:
    inside = most = 0

    async def handle(_request: WireRequest) -> Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        return told("APPLIED")

    await Desk(FakeWire(handle)).run(SHORT, short_rows(tmp_path, 20), at_once=3)

    assert most == 3


async def test_a_line_that_a_kill_cut_off_is_none_and_the_next_begins_a_line(tmp_path: Path) -> None:
    rows = short_rows(tmp_path, 2)
    await Desk(by_row(lambda _number, _times: told("APPLIED"))).run(SHORT, rows)
    results = results_of(rows)
    results.write_bytes(results.read_bytes()[:-30])
    desk = Desk(by_row(lambda _number, _times: told("APPLIED")))

    assert await desk.run(SHORT, rows) is Exit.FINE
    assert await Desk(FakeWire(lambda _request: told("REJECTED"))).run(SHORT, rows) is Exit.FINE

    assert isinstance(desk.wire, FakeWire)
    assert [body_of(request)["variables"]["key"] for request in desk.wire.requests] == ["k2"]


async def test_a_file_of_another_kind_is_not_added_to(tmp_path: Path) -> None:
    rows = short_rows(tmp_path, 1)
    results_of(rows).write_text("minutes of a meeting", encoding="utf-8")

    with pytest.raises(Mistake) as caught:
        await Desk(FakeWire(lambda _request: told("APPLIED"))).run(SHORT, rows)

    assert str(caught.value) == f"--results {results_of(rows)}: line 1 is no result of a run; choose another file"
    assert results_of(rows).read_text(encoding="utf-8") == "minutes of a meeting"


async def test_another_gateway_is_another_question(tmp_path: Path) -> None:
    rows = short_rows(tmp_path, 1)
    wire = FakeWire(lambda _request: told("APPLIED"))

    await Desk(wire).run(SHORT, rows)
    await Desk(wire).run(SHORT, rows, url="http://production.example/graphql")

    assert len(wire.requests) == 2


async def test_a_connection_that_is_lost_before_anything_left_ends_the_run(tmp_path: Path) -> None:
    def handle(_number: int, _times: int) -> Response:
        raise WireFailed("no connection", nothing_sent=True)

    rows = short_rows(tmp_path)

    assert await Desk(by_row(handle)).run(SHORT, rows, at_once=1) is Exit.FAILED
    assert [result["outcome"] for result in told_in(rows)] == ["NOT_APPLIED"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{ caller { name } }", "run needs a mutation with one field, so that each row is one write"),
        ("mutation { a { outcome } b { outcome } }", "run needs a mutation with one field, so that each row is one write"),
        ("mutation { a { id } }", "a: it lacks outcome and userErrors: nobody would know what became of a row"),
        (
            'mutation { a(idempotencyKey: "x") { outcome userErrors { code } } }',
            "a: idempotencyKey must be a variable, or left out: each row has a key of its own",
        ),
    ],
)
async def test_what_a_document_lacks_is_said(text: str, mistake: str, tmp_path: Path) -> None:
    with pytest.raises(Mistake) as caught:
        await Desk(FakeWire(lambda _request: told("APPLIED"))).run(text, short_rows(tmp_path))

    assert str(caught.value) == f"m.graphql: {mistake}"


@pytest.mark.parametrize(
    ("row", "mistake"),
    [
        ({"n": 1}, "--key-field key: there is no text or number"),
        ({"key": "", "n": 1}, "--key-field key: there is no text or number"),
        ({"key": {"a": 1}}, "--key-field key: there is no text or number"),
        ({"key": True}, "--key-field key: there is no text or number"),
        ({"key": "ö"}, "--key-field key: a key has 1 to 255 printable ASCII characters"),
        ({"key": "k" * 256}, "--key-field key: a key has 1 to 255 printable ASCII characters"),
        ({"key": "k1"}, "its key k1 is that of row 1; a key is one write"),
        ({"key": "k2", "m": 1}, "the column m: no variable takes it"),
    ],
)
async def test_a_mistake_in_any_row_is_said_before_the_first_is_sent(row: dict[str, Any], mistake: str, tmp_path: Path) -> None:
    wire = FakeWire(lambda _request: told("APPLIED"))
    rows = write_rows(tmp_path / "rows.ndjson", [{"key": "k1", "n": 1}, row])

    with pytest.raises(Mistake) as caught:
        await Desk(wire).run(SHORT, rows)

    assert str(caught.value) == f"{rows}: row 2: {mistake}"
    assert wire.requests == []


async def test_a_number_is_a_key_by_its_text(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.ndjson", [{"n": 17}])
    wire = FakeWire(lambda _request: told("APPLIED"))

    await Desk(wire).run(HEADER, rows, key_field="n", key_prefix="invoice-")

    assert wire.requests[0].headers["idempotency-key"] == "invoice-17"


async def test_a_variable_that_is_required_must_be_in_each_row(tmp_path: Path) -> None:
    text = "mutation ($a: String!) { made: m(a: $a) { outcome userErrors { code } } }"

    with pytest.raises(Mistake, match=r"row 1: \$a is required, and the row does not give it$"):
        await Desk(FakeWire(lambda _request: told("APPLIED"))).run(text, write_rows(tmp_path / "rows.ndjson", [{"key": "k"}]))


@pytest.mark.parametrize(
    ("name", "content", "mistake"),
    [
        ("rows.txt", "", "its name must end in .ndjson or .csv, so that it is clear how to read it"),
        ("rows.ndjson", "[1]\n", "row 1: it is not a JSON object"),
        ("rows.ndjson", "\n{", "row 2: it is not a JSON object"),
        ("rows.csv", "key,n,n\n", "several columns are called n"),
        ("rows.csv", "key,n\nk1,1\nk2\n", "row 2: it has 1 cells, and the header has 2"),
        ("rows.csv", 'key,n\n"k1,1\n', "line 2: unexpected end of data"),
    ],
)
async def test_a_file_that_cannot_be_read_as_rows_is_one_line(name: str, content: str, mistake: str, tmp_path: Path) -> None:
    rows = tmp_path / name
    rows.write_text(content, encoding="utf-8")

    with pytest.raises(Mistake) as caught:
        await Desk(FakeWire(lambda _request: told("APPLIED"))).run(SHORT, rows)

    assert str(caught.value).endswith(f"{rows}: {mistake}")


async def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    gone, binary = tmp_path / "gone.ndjson", tmp_path / "binary.ndjson"
    binary.write_bytes(b'{"key": "\xff"}\n')

    for path, why in ((gone, "No such file or directory"), (binary, "it is not text in UTF-8")):
        with pytest.raises(Mistake) as caught:
            await Desk(FakeWire(lambda _request: told("APPLIED"))).run(SHORT, path)
        assert str(caught.value) == f"{path}: {why}"


async def test_results_that_are_no_file_are_said_before_anything_is_sent(tmp_path: Path) -> None:
    rows = short_rows(tmp_path, 1)
    results_of(rows).mkdir()
    wire = FakeWire(lambda _request: told("APPLIED"))

    with pytest.raises(Mistake) as caught:
        await Desk(wire).run(SHORT, rows)

    assert str(caught.value) == f"--results {results_of(rows)}: it is no file"
    assert wire.requests == []


async def test_a_table_gives_typed_variables_and_its_key_column_alone_is_none(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("﻿no,n\n0017,3\n", encoding="utf-8")
    wire = FakeWire(lambda _request: told("APPLIED"))

    await Desk(wire).run(SHORT, rows, key_field="no")

    assert body_of(wire.requests[0])["variables"] == {"n": 3, "key": "0017"}
