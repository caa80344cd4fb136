"""Faults on demand: what each kind does to a client over real HTTP, and which requests a fault strikes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.app import create_sandbox
from gateway.sandbox.emulator import Emulator, json_response
from gateway.sandbox.faults import Fault, Faults, Kind, Refused
from gateway.sandbox.recording import RecordedRequest
from gateway.sandbox.server import serving
from gateway.sandbox.state import Sandbox

pytestmark = pytest.mark.anyio

BOOK = {"id": 7, "title": "Åsa och " + "x" * 3_000}


@dataclass
class World:
    """A served library, a client of it, and what its handlers did."""

    client: httpx.AsyncClient
    sandbox: Sandbox
    added: list[str]
    waits: list[float] = field(default_factory=list)

    async def do_not_wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def wait_for_ever(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.Event().wait()

    async def get(self) -> httpx.Response:
        return await self.client.get("/library/books/7")

    async def add(self) -> httpx.Response:
        return await self.client.post("/library/books", content="Emil")

    async def idle(self) -> None:
        while self.sandbox.calls.in_flight["library"]:  # noqa: ASYNC110  (one turn of the loop at a time)
            await asyncio.sleep(0)


def make_library(added: list[str]) -> Emulator:
    async def get_book(_: Request) -> Response:
        return json_response(BOOK)

    async def add_book(request: Request) -> Response:
        added.append((await request.body()).decode())
        return json_response({"added": len(added)}, 201)

    routes = [Route("/books/{id}", get_book, name="GetBook"), Route("/books", add_book, methods=["POST"], name="AddBook")]
    return Emulator("library", routes, {}, added.clear, "books", {})


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    added: list[str] = []
    async with (
        serving(emulators=[make_library(added)]) as running,
        httpx.AsyncClient(base_url=running.base_url, trust_env=False, timeout=10) as client,
    ):
        here = World(client, running.sandbox, added)
        running.sandbox.sleep = here.do_not_wait
        yield here


async def test_latency_waits_and_then_lets_the_real_answer_through() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="latency", seconds=2.5))
        assert (await here.get()).json() == BOOK
    assert here.waits == [2.5]


async def test_status_answers_as_told_and_does_not_run_the_handler() -> None:
    async with world() as here:
        limit = Fault(system="library", kind="status", status=429, body={"why": "brådska"}, headers={"Retry-After": "3"}, times=1)
        page = Fault(system="library", kind="status", status=503, body="<h1>No</h1>", headers={"Content-Type": "text/html"})
        here.sandbox.faults.add(limit)
        here.sandbox.faults.add(page)
        limited = await here.add()
        down = await here.add()
    assert (limited.status_code, limited.headers["retry-after"], limited.json()) == (429, "3", {"why": "brådska"})
    assert (down.status_code, down.headers["content-type"], down.text) == (503, "text/html", "<h1>No</h1>")
    assert here.added == []


async def test_malformed_promises_json_and_ends_before_its_end() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="malformed"))
        answer = await here.get()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_empty_answers_ok_with_nothing() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="empty"))
        answer = await here.get()
    assert (answer.status_code, answer.content) == (200, b"")


async def test_wrong_type_answers_a_text_where_an_object_is_promised() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="wrong_type"))
        assert isinstance((await here.get()).json(), str)


async def test_huge_streams_twenty_megabytes_of_valid_json_without_saying_how_much() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="huge"))
        answer = await here.get()
    assert "content-length" not in answer.headers
    assert len(answer.content) >= 20_000_000
    assert list(answer.json()) == ["filler"]


async def test_a_client_may_leave_in_the_middle_of_a_huge_answer() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="huge"))
        async with here.client.stream("GET", "/library/books/7") as answer:
            assert await anext(answer.aiter_bytes())
        await here.idle()


async def test_drop_closes_the_connection_without_an_answer_and_without_running_the_handler() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="drop"))
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await here.add()
    assert here.added == []


async def test_reset_mid_body_sends_headers_and_half_of_the_body_and_then_resets() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="reset_mid_body"))
        async with here.client.stream("GET", "/library/books/7") as answer:
            with pytest.raises(httpx.ReadError):
                await answer.aread()
    assert answer.status_code == 200
    assert answer.num_bytes_downloaded == int(answer.headers["content-length"]) // 2


async def test_stall_ends_without_an_answer_after_its_seconds() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="stall", seconds=30))
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await here.add()
    assert (here.waits, here.added) == ([30], [])


async def test_stall_ends_when_the_client_leaves() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="stall"))
        with pytest.raises(httpx.ReadTimeout):
            await here.client.get("/library/books/7", timeout=httpx.Timeout(10, read=0.01))
        await here.idle()


async def test_trickle_gives_the_real_body_in_small_pieces_spread_over_its_seconds() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="trickle", seconds=5))
        answer = await here.get()
    assert answer.json() == BOOK
    assert len(here.waits) > 50
    assert sum(here.waits) == pytest.approx(5)


async def test_trickle_ends_when_the_client_leaves() -> None:
    async with world() as here:
        here.sandbox.sleep = here.wait_for_ever
        here.sandbox.faults.add(Fault(system="library", kind="trickle", seconds=5))
        async with here.client.stream("GET", "/library/books/7") as answer:
            assert answer.status_code == 200
        await here.idle()


async def test_redirect_points_where_it_is_told_or_else_to_the_root() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="redirect", headers={"Location": "http://elsewhere.test/x"}, times=1))
        here.sandbox.faults.add(Fault(system="library", kind="redirect"))
        told = await here.get()
        root = await here.get()
    assert (told.status_code, told.headers["location"]) == (302, "http://elsewhere.test/x")
    assert (root.status_code, root.headers["location"]) == (302, "/")


async def test_a_gzip_bomb_is_small_on_the_wire_and_fifty_megabytes_inside() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="gzip_bomb"))
        async with here.client.stream("GET", "/library/books/7") as answer:
            inside = sum([len(piece) async for piece in answer.aiter_bytes()])
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 100_000
    assert inside >= 50_000_000


async def test_a_lost_answer_leaves_the_effects_of_the_handler() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="lost_answer"))
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await here.add()
    assert (here.waits, here.added) == ([], ["Emil"])


async def test_the_404_of_a_path_without_a_route_can_be_lost_too() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", operation="unmatched", kind="lost_answer"))
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await here.client.get("/library/nowhere")


async def test_an_answer_lost_late_leaves_the_effects_and_waits_before_it_closes() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="lost_answer_late", seconds=20))
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await here.add()
    assert (here.waits, here.added) == ([20], ["Emil"])


async def test_a_faulty_request_is_counted_and_recorded() -> None:
    async with world() as here:
        here.sandbox.faults.add(Fault(system="library", kind="drop"))
        with pytest.raises(httpx.RemoteProtocolError):
            await here.add()
    assert here.sandbox.calls.by_operation == {"library.AddBook": 1}
    assert [request.body for request in here.sandbox.requests.of()] == ["Emil"]


async def test_closing_a_connection_in_process_says_that_it_needs_the_server() -> None:
    app = create_sandbox(emulators=[make_library([])])
    app.state.sandbox.faults.add(Fault(system="library", kind="drop"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as client:
        with pytest.raises(RuntimeError, match=r"needs gateway\.sandbox\.server"):
            await client.get("/library/books/7")


async def test_faults_are_added_shown_and_removed_over_http() -> None:
    async with world() as here:
        added = await here.client.post("/_control/faults", json={"system": "library", "kind": "status", "status": 500, "times": 2})
        other = await here.client.post("/_control/faults", json={"system": "library", "kind": "empty", "match": "title=x"})
        assert (await here.get()).status_code == 500
        shown = (await here.client.get("/_control/faults")).json()
        assert (await here.client.delete(f"/_control/faults/{added.json()['id']}")).status_code == 204
        assert (await here.get()).json() == BOOK
        left = (await here.client.get("/_control/faults")).json()
        assert (await here.client.delete("/_control/faults")).status_code == 204
        assert (await here.client.get("/_control/faults")).json() == []
    assert [(fault["id"], fault["kind"], fault["times"], fault["fired"]) for fault in shown] == [(1, "status", 2, 1), (2, "empty", None, 0)]
    assert [fault["id"] for fault in left] == [other.json()["id"]]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"system": "archive", "kind": "drop"}, "unknown system 'archive'"),
        ({"system": "library", "kind": "explode"}, "Invalid enum value 'explode'"),
        ({"system": "library", "kind": "drop", "often": 1}, "unknown field `often`"),
        ({"system": "library", "kind": "drop", "operation": "BurnBook"}, "no operation 'BurnBook'; it has: AddBook, GetBook, unmatched"),
        ({"system": "library", "kind": "latency"}, "needs `seconds`"),
        ({"system": "library", "kind": "status"}, "needs `status`"),
        ({"system": "library", "kind": "status", "status": 99}, ">= 200"),
        ({"system": "library", "kind": "empty", "headers": {"x": "a\nb"}}, "cannot carry"),
        ({"kind": "drop"}, "missing required field `system`"),
        ([], "Expected `object`"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused_with_one_line(asked: Any, said: str) -> None:  # noqa: ANN401  (any JSON value)
    async with world() as here:
        answer = await here.client.post("/_control/faults", json=asked)
    assert answer.status_code == 400
    assert said in answer.text
    assert answer.text.count("\n") == 1


async def test_what_is_not_json_and_an_id_that_is_not_there_are_refused_with_one_line() -> None:
    async with world() as here:
        no_json = await here.client.post("/_control/faults", content="{")
        no_fault = await here.client.delete("/_control/faults/9")
    assert (no_json.status_code, no_json.text.count("\n")) == (400, 1)
    assert (no_fault.status_code, no_fault.text) == (400, "there is no fault 9\n")


def make_faults(*faults: Fault) -> Faults:
    placed = Faults({"library": {"GetBook", "AddBook"}, "archive": set()})
    for fault in faults:
        placed.add(fault)
    return placed


def struck_by(faults: Faults, operation: str = "GetBook", query: str = "", body: str = "") -> Kind | None:
    struck = faults.take(RecordedRequest("library", operation, "GET", "/books", query, {}, body))
    return struck.kind if struck else None


def test_a_fault_lets_some_requests_pass_and_then_strikes_as_often_as_told() -> None:
    faults = make_faults(Fault(system="library", kind="drop", after=1, times=2))
    assert [struck_by(faults) for _ in range(4)] == [None, "drop", "drop", None]


def test_the_oldest_fault_that_is_due_strikes_and_hides_the_request_from_the_younger() -> None:
    faults = make_faults(
        Fault(system="library", kind="empty", after=1, times=1),
        Fault(system="library", kind="drop", times=2),
        Fault(system="library", kind="stall"),
    )
    assert [struck_by(faults) for _ in range(4)] == ["drop", "empty", "drop", "stall"]


def test_a_fault_strikes_only_its_system_and_operation() -> None:
    faults = make_faults(Fault(system="archive", kind="empty"), Fault(system="library", operation="AddBook", kind="drop"))
    assert (struck_by(faults, "GetBook"), struck_by(faults, "AddBook")) == (None, "drop")


def test_a_match_looks_into_path_query_and_body() -> None:
    assert struck_by(make_faults(Fault(system="library", kind="drop", match="books?id=7")), query="id=7") == "drop"
    assert struck_by(make_faults(Fault(system="library", kind="drop", match='"id": 7')), body='{"id": 7}') == "drop"
    assert struck_by(make_faults(Fault(system="library", kind="drop", match="id=8")), query="id=7", body="id") is None


def test_python_refuses_what_http_refuses() -> None:
    with pytest.raises(Refused, match="needs `seconds`"):
        Fault(system="library", kind="trickle")
    with pytest.raises(Refused, match="unknown system"):
        make_faults(Fault(system="museum", kind="drop"))
