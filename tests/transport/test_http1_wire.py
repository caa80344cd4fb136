"""What the wire of the gateway does beyond what any wire must: how it reads what is doubtful, and which connections it keeps."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.transport import Response
from gateway.transport.http1_connection import MAX_OVERHEAD_BYTES
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.idle import MOST_KEPT
from gateway.transport.wire import AnswerUnreadable, WireError, WireFailed, WireRequest
from tests.transport.raw_server import Connection, Script, always, free_port, once, raw_server, reply, stalling

pytestmark = pytest.mark.anyio

TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
SHORT = 0.05
MANY_STEPS = 12
"""Of the loop: more than a call takes that needs a connection."""


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def wire() -> AsyncIterator[Http1Wire]:
    made = Http1Wire(tls=TRUSTING_NOBODY)
    yield made
    await made.aclose()


def ask(url: str, **fields: Any) -> WireRequest:  # noqa: ANN401  (fields of WireRequest)
    usual: dict[str, Any] = {"method": "GET", "timeout_seconds": 10, "connect_timeout_seconds": 5, "max_answer_bytes": 1_000_000}
    return WireRequest(url=url, **(usual | fields))


async def failure(wire: Http1Wire, request: WireRequest) -> tuple[type[WireError], bool]:
    with pytest.raises(WireError) as caught:
        await wire.send(request)
    return type(caught.value), caught.value.nothing_sent


# Answers that can be read in two ways


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nname : value\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    ],
    ids=["length and chunks", "chunks and length", "two lengths", "a list", "below zero", "blank in a name", "bare LF", "other protocol"],
)
async def test_an_answer_of_doubtful_length_is_a_lost_connection(wire: Http1Wire, content: bytes) -> None:
    async with raw_server(stalling(content)) as server:
        assert await failure(wire, ask(server.url)) == (WireFailed, False)
        async with asyncio.timeout(1):
            await server.left.wait()


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"chunked, chunked"])
async def test_a_transfer_coding_that_was_not_asked_for_is_unreadable(wire: Http1Wire, coding: bytes) -> None:
    async with raw_server(stalling(b"HTTP/1.1 200 OK\r\ntransfer-encoding: " + coding + b"\r\n\r\n0\r\n\r\n")) as server:
        assert await failure(wire, ask(server.url)) == (AnswerUnreadable, False)


SECOND = reply(b"second")
BEHIND = {"another answer": SECOND, "its first byte": SECOND[:1], "noise": b"\x00", "more of the body": b"more"}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
async def test_what_comes_behind_an_answer_is_nobodys_answer(wire: Http1Wire, behind: bytes) -> None:
    async def script(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(reply(f"only {connection.number}".encode()) + behind)
        await connection.until_client_leaves()

    async with raw_server(script) as server:
        assert [(await wire.send(ask(server.url))).body for _ in range(2)] == [b"only 1", b"only 2"]


async def test_what_is_said_on_a_kept_connection_is_nobodys_answer(wire: Http1Wire) -> None:
    async def script(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(reply(f"only {connection.number}".encode()))
        await asyncio.sleep(0)
        await connection.send(SECOND)
        await connection.until_client_leaves()

    async with raw_server(script) as server:
        assert (await wire.send(ask(server.url))).body == b"only 1"
        async with asyncio.timeout(1):
            await server.left.wait()
        assert (await wire.send(ask(server.url))).body == b"only 2"


async def test_a_kept_connection_that_closes_after_the_next_request_gives_no_answer_of_the_last(wire: Http1Wire) -> None:
    async def script(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        await connection.next_request()

    async with raw_server(script) as server:
        assert (await wire.send(ask(server.url))).status == 204
        assert await failure(wire, ask(server.url)) == (WireFailed, False)


def flooding(begin: bytes, piece: bytes) -> Script:
    async def script(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(begin)
        while True:
            await connection.send(piece)

    return script


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
FLOODS = {
    "interim answers": flooding(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 30),
    "one header": flooding(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 1000),
    "a reason": flooding(b"HTTP/1.1 200 ", b"x" * 1000),
    "a trailer": flooding(CHUNKED + b"1\r\nx\r\n0\r\n", b"x-more: " + b"x" * 1000 + b"\r\n"),
    "what describes a chunk": flooding(CHUNKED + b"1;", b"x" * 1000),
}


@pytest.mark.parametrize("script", FLOODS.values(), ids=FLOODS)
async def test_nothing_but_the_body_may_be_without_end(wire: Http1Wire, script: Script) -> None:
    async with raw_server(script) as server:
        assert await failure(wire, ask(server.url)) == (WireFailed, False)
        async with asyncio.timeout(1):
            await server.closed.wait()


async def test_a_header_may_be_as_large_as_that(wire: Http1Wire) -> None:
    value = "x" * (MAX_OVERHEAD_BYTES // 2)
    async with raw_server(always(reply(b"yes", x_long=value))) as server:
        answer = await wire.send(ask(server.url))
        assert (answer.headers["x-long"], answer.body) == (value, b"yes")


async def test_blanks_around_a_header_are_not_part_of_it(wire: Http1Wire) -> None:
    async with raw_server(always(b"HTTP/1.1 200 OK\r\nX-Note: \t a b \t \r\ncontent-length: 0\r\n\r\n")) as server:
        assert await wire.send(ask(server.url)) == Response(200, {"x-note": "a b", "content-length": "0"}, b"")


async def test_a_trailer_is_no_header(wire: Http1Wire) -> None:
    async with raw_server(always(CHUNKED + b"1\r\nx\r\n0\r\nx-sum: 1\r\ncontent-encoding: gzip\r\n\r\n")) as server:
        for _ in range(2):
            assert await wire.send(ask(server.url)) == Response(200, {"transfer-encoding": "chunked"}, b"x")
        assert server.connections == 1


# Requests


@pytest.mark.parametrize("name", ["content-length", "Content-Length", "transfer-encoding"])
async def test_the_length_of_a_request_is_not_for_others_to_say(wire: Http1Wire, name: str) -> None:
    async with raw_server(always(reply())) as server:
        assert await failure(wire, ask(server.url, method="POST", headers={name: "5"}, content=b"12345")) == (WireFailed, True)
        assert server.lines == []


@pytest.mark.parametrize("method", ["", "GET /x", "G\r\nET", "GËT"])
async def test_a_method_that_cannot_be_one_is_not_sent(wire: Http1Wire, method: str) -> None:
    async with raw_server(always(reply())) as server:
        assert await failure(wire, ask(server.url, method=method)) == (WireFailed, True)
        assert server.lines == []


async def test_headers_that_change_from_call_to_call_are_sent_as_they_are(wire: Http1Wire) -> None:
    async with raw_server(always(reply())) as server:
        for number in range(3):
            await wire.send(ask(server.url, headers={"authorization": f"Bearer {number}"}))
        assert [request.headers["authorization"] for request in server.requests] == ["Bearer 0", "Bearer 1", "Bearer 2"]


async def test_a_header_of_the_configuration_takes_the_place_of_the_usual_one(wire: Http1Wire) -> None:
    async with raw_server(always(reply())) as server:
        await wire.send(ask(server.url, headers={"Host": "other.example", "Accept-Encoding": "identity"}))
        [request] = server.requests
        assert (request.headers["host"], request.headers["accept-encoding"]) == ("other.example", "identity")


# Connections


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # uvloop asks the resolver of the machine itself
async def test_an_address_that_refuses_is_passed_over_for_the_next(wire: Http1Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(always(reply(b"yes"))) as server:
        ports = [free_port(), server.port]

        def two_addresses(*_args: object, **_options: object) -> list[tuple[Any, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)) for port in ports]

        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        assert (await wire.send(ask("http://two.example/"))).body == b"yes"


async def test_a_connection_that_nobody_needs_is_closed_after_a_while() -> None:
    wire = Http1Wire(tls=TRUSTING_NOBODY, kept_seconds=SHORT)
    async with raw_server(stalling(reply())) as server:
        await wire.send(ask(server.url))
        async with asyncio.timeout(2):
            await server.left.wait()
    await wire.aclose()


async def test_no_more_connections_are_kept_than_may_be(wire: Http1Wire) -> None:
    together = MOST_KEPT + 6
    all_are_there, enough_have_gone = asyncio.Event(), asyncio.Event()
    gone = 0

    async def meet(connection: Connection) -> None:
        nonlocal gone
        await connection.next_request()
        if connection.number == together:
            all_are_there.set()
        await all_are_there.wait()
        await connection.send(reply())
        await connection.until_client_leaves()
        gone += 1
        if gone == together - MOST_KEPT:
            enough_have_gone.set()

    async with raw_server(meet) as server:
        await asyncio.gather(*(wire.send(ask(server.url)) for _ in range(together)))
        async with asyncio.timeout(1):
            await enough_have_gone.wait()
        for _ in range(MANY_STEPS):
            await asyncio.sleep(0)
        assert (gone, wire.open_connections, wire.kept_connections) == (6, MOST_KEPT, MOST_KEPT)


async def test_a_connection_is_not_used_again_while_a_request_is_still_being_sent(wire: Http1Wire) -> None:
    async def answer_early(connection: Connection) -> None:
        await connection.first_byte()
        await connection.send(reply(b"too large", "413 Content Too Large"))
        if connection.number == 1:
            await connection.until_client_leaves()

    async with raw_server(answer_early) as server:
        answer = await wire.send(ask(server.url, method="POST", content=b"x" * 20_000_000))
        assert (answer.status, answer.body) == (413, b"too large")
        assert (await wire.send(ask(server.url))).status == 413
        assert server.connections == 2


@pytest.mark.parametrize("is_warm", [False, True], ids=["a new connection", "a kept connection"])
@pytest.mark.parametrize("steps", range(MANY_STEPS))
async def test_whenever_a_request_is_cancelled_its_connection_is_closed_or_can_be_used(steps: int, *, is_warm: bool) -> None:
    wire = Http1Wire(tls=TRUSTING_NOBODY)
    tasks = len(asyncio.all_tasks())
    async with raw_server(always(reply(b"yes"))) as server:
        if is_warm:
            await wire.send(ask(server.url))
        call = asyncio.ensure_future(wire.send(ask(server.url)))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        for _ in range(MANY_STEPS):
            await asyncio.sleep(0)
        assert wire.open_connections == wire.kept_connections
        answers = await asyncio.gather(*(wire.send(ask(f"{server.url}/{number}")) for number in range(3)))
        assert [answer.body for answer in answers] == [b"yes"] * 3
        await wire.aclose()
    assert len(asyncio.all_tasks()) == tasks


async def test_a_request_under_way_is_lost_when_the_wire_is_closed(wire: Http1Wire) -> None:
    arrived = asyncio.Event()

    async def announce(connection: Connection) -> None:
        await connection.next_request()
        arrived.set()
        await connection.until_client_leaves()

    async with raw_server(announce) as server:
        call = asyncio.ensure_future(failure(wire, ask(server.url)))
        await arrived.wait()
        await wire.aclose()
        assert await call == (WireFailed, False)
        async with asyncio.timeout(1):
            await server.left.wait()


async def test_a_kept_connection_keeps_no_answer(wire: Http1Wire) -> None:
    async with raw_server(always(reply(b"this very answer"))) as server:
        await wire.send(ask(server.url))
        await asyncio.sleep(0)  # the loop itself holds what it is at
        assert wire.kept_connections == 1
        assert [each for each in gc.get_objects() if isinstance(each, Response) and each.body == b"this very answer"] == []


async def test_two_servers_do_not_share_connections(wire: Http1Wire) -> None:
    async with raw_server(always(reply(b"one"))) as one, raw_server(always(reply(b"two"))) as two:
        bodies = [(await wire.send(ask(server.url))).body for server in (one, two, one, two)]
        assert bodies == [b"one", b"two", b"one", b"two"]
        assert (one.connections, two.connections) == (1, 1)


async def test_a_connection_that_is_closed_while_it_is_kept_is_forgotten(wire: Http1Wire) -> None:
    async with raw_server(once(reply(b"yes"))) as server:
        await wire.send(ask(server.url))
        async with asyncio.timeout(1):
            await server.closed.wait()
        for _ in range(MANY_STEPS):
            await asyncio.sleep(0)
        assert (wire.open_connections, wire.kept_connections) == (0, 0)
