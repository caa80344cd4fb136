"""The sandbox's server: how it starts, ends, and tells where it is."""

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import time
import tomllib
from contextlib import closing

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.sandbox.emulator import Emulator
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import announcement, run, serving

pytestmark = pytest.mark.anyio


def make_library() -> Emulator:
    async def greet(_: Request) -> Response:
        return PlainTextResponse("Welcome")

    async def fail(_: Request) -> Response:
        raise LookupError("a bug of the emulator")

    config = {
        "type": "library",
        "token_url": "{base_url}/token",
        "limits": {"page size": 50, "ratio": 0.5},
        "names": ["Åsa", 'a"b'],
        "on": True,
    }
    return Emulator("library", [Route("/", greet, name="Greet"), Route("/fail", fail)], {}, lambda: None, "books", config)


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=10)


async def test_it_takes_a_free_port_and_answers_there() -> None:
    async with serving(emulators=[make_library()]) as first, serving(emulators=[make_library()]) as second, client() as http:
        assert first.base_url != second.base_url
        answer = await http.get(f"{first.base_url}/library/")
        assert (answer.text, first.sandbox.calls.total, second.sandbox.calls.total) == ("Welcome", 1, 0)
        assert "date" in answer.headers
        assert (await http.get(f"{second.base_url}/_control/sources")).json() == second.sandbox.source_tables(second.base_url)


async def test_it_does_not_answer_after_its_end() -> None:
    async with serving(emulators=[make_library()]) as running:
        pass
    async with client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(running.base_url)


async def test_its_address_is_one_that_can_be_connected_to_when_it_listens_everywhere() -> None:
    async with serving("0.0.0.0", emulators=[make_library()]) as running, client() as http:  # noqa: S104  (for the length of a test)
        assert running.base_url.startswith("http://127.0.0.1:")
        assert (await http.get(f"{running.base_url}/library/")).text == "Welcome"


async def test_it_ends_promptly_and_quietly_with_requests_that_hang(caplog: pytest.LogCaptureFixture) -> None:
    async with client() as http:
        async with serving(emulators=[make_library()]) as running:
            running.sandbox.faults.add(Fault(system="library", kind="stall", times=1))
            running.sandbox.faults.add(Fault(system="library", kind="latency", seconds=600))
            hanging = [asyncio.create_task(http.get(f"{running.base_url}/library/")) for _ in range(2)]
            while running.sandbox.calls.total < 2:  # noqa: ASYNC110  (one turn of the loop at a time)
                await asyncio.sleep(0)
            started = time.monotonic()
        assert time.monotonic() - started < 1
        answers = await asyncio.gather(*hanging, return_exceptions=True)
    assert [type(answer) for answer in answers] == [httpx.RemoteProtocolError, httpx.RemoteProtocolError]
    assert uvicorn_records(caplog) == []


async def test_it_logs_no_requests_but_what_fails_in_an_emulator(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "uvicorn.access")
    async with serving(emulators=[make_library()]) as running, client() as http:
        await http.get(f"{running.base_url}/library/")
        assert uvicorn_records(caplog) == []
        assert (await http.get(f"{running.base_url}/library/fail")).status_code == 500
    assert [record.levelname for record in uvicorn_records(caplog)] == ["ERROR"]


async def test_an_answer_that_was_dropped_is_not_logged_as_missing(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(emulators=[make_library()]) as running, client() as http:
        running.sandbox.faults.add(Fault(system="library", kind="drop"))
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(f"{running.base_url}/library/")
    assert uvicorn_records(caplog) == []


async def test_the_announcement_names_addresses_and_ends_with_tables_that_toml_reads_back() -> None:
    async with serving(emulators=[make_library()]) as running:
        said = announcement(running)
    assert f"{running.base_url}/library" in said
    assert f"{running.base_url}/_control" in said
    toml = said[said.index("[sources.books]") : said.index("Ctrl-C")]
    assert tomllib.loads(toml) == {"sources": running.sandbox.source_tables(running.base_url)}


def test_a_port_in_use_is_one_line_on_stderr_and_exit_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            run("127.0.0.1", port, 1, emulators=[])
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert f"cannot listen on 127.0.0.1:{port}" in said.err


def test_ctrl_c_ends_the_command_without_a_traceback() -> None:
    command = "from gateway.sandbox.server import run; run('127.0.0.1', 0, 1, emulators=[])"
    with subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "Ctrl-C" not in (line := process.stdout.readline()):
            assert line, "it ended before it was ready"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def uvicorn_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("uvicorn")]
