"""The sandbox's application in process: mounting, counting, recording, switches, and the control endpoints."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import gateway.sandbox
from gateway.sandbox.app import create_sandbox
from gateway.sandbox.emulator import Emulator
from gateway.sandbox.faults import Fault, Refused
from gateway.sandbox.parties import make_parties
from gateway.sandbox.recording import REMEMBERED_REQUESTS, RecordedRequest, Requests
from gateway.sandbox.state import Sandbox

pytestmark = pytest.mark.anyio


def make_library(gate: asyncio.Event | None = None) -> Emulator:
    """An emulator with one book to read and a shelf to put more on; with a gate, readers wait until it opens."""
    switches: MutableMapping[str, Any] = {"shouting": False}

    async def get_book(request: Request) -> Response:
        if gate is not None:
            await gate.wait()
        title = f"Book {request.path_params['id']}"
        return PlainTextResponse(title.upper() if switches["shouting"] else title)

    async def add_book(request: Request) -> Response:
        return PlainTextResponse(await request.body(), 201)

    return Emulator(
        name="library",
        routes=[Route("/api/books/{id}", get_book, name="GetBook"), Route("/api/books", add_book, methods=["POST"], name="AddBook")],
        switches=switches,
        reset=lambda: switches.update(shouting=False),
        config_key="books",
        config={"type": "library", "token_url": "{base_url}/token", "scopes": ["{base_url}/read"], "nested": {"url": "{base_url}"}, "n": 3},
    )


def make_app(gate: asyncio.Event | None = None, base_url: str | None = None) -> tuple[Starlette, Sandbox]:
    app = create_sandbox(base_url=base_url, emulators=[make_library(gate)])
    sandbox = app.state.sandbox
    assert isinstance(sandbox, Sandbox)
    return app, sandbox


@asynccontextmanager
async def client_of(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as client:
        yield client


async def test_an_emulator_answers_below_its_name() -> None:
    app, _ = make_app()
    async with client_of(app) as client:
        assert (await client.get("/library/api/books/7")).text == "Book 7"
        assert (await client.post("/library/api/books", content="Emil")).text == "Emil"


async def test_the_emulators_that_ship_are_found_and_each_has_its_source_table() -> None:
    app = create_sandbox(seed=1)
    sandbox = app.state.sandbox
    tables = sandbox.source_tables("http://sandbox.test")
    assert len(sandbox.emulators) >= 4
    assert sorted(sandbox.emulators) == list(sandbox.emulators)
    assert {f"http://sandbox.test/{name}" for name in sandbox.emulators} == {table["base_url"] for table in tables.values()}


async def test_each_sub_package_is_an_emulator_made_from_the_seed_and_a_module_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("core_test_b", "core_test_a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            "from gateway.sandbox.emulator import Emulator\n"
            f"def create(parties, seed): return Emulator({name!r}, [], {{'seed': seed, 'first': parties[0]}}, print, {name!r}, {{}})\n"
        )
    (tmp_path / "core_test_c.py").touch()
    monkeypatch.setattr(gateway.sandbox, "__path__", [str(tmp_path)])
    emulators = create_sandbox(seed=5).state.sandbox.emulators
    assert list(emulators) == ["core_test_a", "core_test_b"]
    assert emulators["core_test_a"].switches == {"seed": 5, "first": make_parties(5)[0]}


async def test_the_index_says_in_plain_text_what_is_here() -> None:
    app, _ = make_app()
    async with client_of(app) as client:
        answer = await client.get("/")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "http://sandbox.test/library" in answer.text
    assert "http://sandbox.test/_control" in answer.text


async def test_source_tables_carry_the_address_that_the_emulator_is_mounted_at() -> None:
    app, sandbox = make_app()
    expected = {
        "books": {
            "type": "library",
            "token_url": "http://h:1/library/token",
            "scopes": ["http://h:1/library/read"],
            "nested": {"url": "http://h:1/library"},
            "n": 3,
            "base_url": "http://h:1/library",
        }
    }
    assert expected == sandbox.source_tables("http://h:1")
    async with client_of(app) as client:
        assert expected == (await client.get("/_control/sources", headers={"host": "h:1"})).json()


async def test_source_tables_over_http_carry_the_address_that_the_sandbox_was_told() -> None:
    app, _ = make_app(base_url="https://sandbox.example")
    async with client_of(app) as client:
        assert (await client.get("/_control/sources")).json()["books"]["base_url"] == "https://sandbox.example/library"


async def test_requests_are_counted_by_operation_and_those_without_a_route_as_unmatched() -> None:
    app, sandbox = make_app()
    async with client_of(app) as client:
        await client.get("/library/api/books/1")
        await client.get("/library/api/books/2")
        assert (await client.get("/library/nowhere")).status_code == 404
        assert (await client.delete("/library/api/books/1")).status_code == 405
        counted = (await client.get("/_control/calls")).json()
    assert counted == {
        "total": 4,
        "calls": {"library.GetBook": 2, "library.unmatched": 2},
        "peak_in_flight": {"library": 1},
        "in_flight": {"library": 0},
    }
    assert sandbox.calls.total == 4
    assert sandbox.calls.by_operation["library.GetBook"] == 2
    assert sandbox.calls.by_operation["library.AddBook"] == 0


async def test_requests_that_are_open_at_the_same_time_are_counted_as_a_peak() -> None:
    gate = asyncio.Event()
    app, sandbox = make_app(gate)
    async with client_of(app) as client, asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(client.get("/library/api/books/1"))
        while sandbox.calls.total < 3:  # noqa: ASYNC110  (one turn of the loop at a time)
            await asyncio.sleep(0)
        assert sandbox.calls.in_flight == {"library": 3}
        gate.set()
    assert sandbox.calls.in_flight == {"library": 0}
    assert sandbox.calls.peak_in_flight == {"library": 3}
    sandbox.reset_calls()
    assert sandbox.calls.peak_in_flight == {"library": 0}


async def test_a_request_is_recorded_as_it_came() -> None:
    app, sandbox = make_app()
    async with client_of(app) as client:
        headers = [("Authorization", "Bearer t"), ("X-Twice", "a"), ("X-Twice", "b")]
        await client.post("/library/api/books?a=%20b&c", content="Åsa", headers=headers)
        over_http = (await client.get("/_control/requests")).json()
    (request,) = sandbox.requests.of()
    assert (request.system, request.operation, request.method) == ("library", "AddBook", "POST")
    assert (request.path, request.query, request.body) == ("/api/books", "a=%20b&c", "Åsa")
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["x-twice"] == "a, b"
    assert [entry["headers"]["authorization"] for entry in over_http] == ["Bearer t"]
    assert [(entry["path"], entry["body"]) for entry in over_http] == [("/api/books", "Åsa")]


async def test_recorded_requests_are_narrowed_to_a_system_and_an_operation() -> None:
    app, sandbox = make_app()
    async with client_of(app) as client:
        for path in ("/library/api/books/1", "/library/nowhere", "/library/api/books/2"):
            await client.get(path)
        answer = await client.get("/_control/requests", params={"system": "library", "operation": "GetBook"})
        refused = await client.get("/_control/requests", params={"system": "archive"})
    assert [entry["path"] for entry in answer.json()] == ["/api/books/1", "/api/books/2"]
    assert [request.path for request in sandbox.requests.of(operation="unmatched")] == ["/nowhere"]
    assert (refused.status_code, refused.text) == (400, "unknown system 'archive'; here are: library\n")


async def test_only_the_last_requests_are_remembered() -> None:
    requests = Requests()
    for number in range(REMEMBERED_REQUESTS + 5):
        requests.record(RecordedRequest("library", "GetBook", "GET", f"/{number}", "", {}, ""))
    assert len(requests.of()) == REMEMBERED_REQUESTS
    assert requests.of()[0].path == "/5"


async def test_deleting_calls_forgets_counts_and_requests() -> None:
    app, sandbox = make_app()
    async with client_of(app) as client:
        await client.get("/library/api/books/1")
        assert (await client.delete("/_control/calls")).status_code == 204
        assert (await client.get("/_control/calls")).json()["total"] == 0
    assert sandbox.requests.of() == []


async def test_switches_are_shown_and_changed_while_it_runs() -> None:
    app, sandbox = make_app()
    async with client_of(app) as client:
        assert (await client.get("/_control/switches")).json() == {"library": {"shouting": False}}
        assert (await client.put("/_control/switches/library", json={"shouting": True})).json() == {"shouting": True}
        assert (await client.get("/library/api/books/1")).text == "BOOK 1"
        sandbox.switches("library")["shouting"] = False
        assert (await client.get("/_control/switches/library")).json() == {"shouting": False}


async def test_a_switch_that_a_system_lacks_is_refused_and_changes_nothing() -> None:
    app, sandbox = make_app()
    async with client_of(app) as client:
        unknown = await client.put("/_control/switches/library", json={"shouting": True, "whispering": True})
        no_object = await client.put("/_control/switches/library", json=["shouting"])
        no_system = await client.get("/_control/switches/archive")
    assert (unknown.status_code, unknown.text) == (400, "library has no switch 'whispering'; it has: shouting\n")
    assert (no_object.status_code, no_system.status_code) == (400, 400)
    assert sandbox.switches("library") == {"shouting": False}
    with pytest.raises(Refused, match="no switch 'whispering'"):
        sandbox.change_switches("library", {"whispering": True})


async def test_reset_brings_all_back_to_the_start() -> None:
    app, sandbox = make_app()
    sandbox.faults.add(Fault(system="library", kind="empty"))
    sandbox.change_switches("library", {"shouting": True})
    async with client_of(app) as client:
        await client.get("/library/api/books/1")
        assert (await client.post("/_control/reset")).status_code == 204
        assert (await client.get("/library/api/books/1")).text == "Book 1"
    assert sandbox.switches("library") == {"shouting": False}
    assert sandbox.faults.placed() == []
    assert sandbox.calls.total == 1


async def test_a_value_error_of_an_emulator_is_not_told_as_a_refusal_of_the_control() -> None:
    async def fail(_: Request) -> Response:
        raise ValueError("a bug of the emulator")

    emulator = Emulator("broken", [Route("/", fail)], {}, lambda: None, "broken", {})
    async with client_of(create_sandbox(emulators=[emulator])) as client:
        with pytest.raises(ValueError, match="a bug of the emulator"):
            await client.get("/broken/")
