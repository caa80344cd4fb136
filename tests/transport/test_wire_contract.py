"""What every wire must do, against servers that speak raw bytes over loopback."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from gateway.transport import Response
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.tls import tls_context
from gateway.transport.wire import AnswerUnreadable, Wire, WireError, WireFailed, WireRequest, WireTimeout
from tests.transport.httpx_wire import HttpxWire
from tests.transport.raw_server import Connection, Script, always, free_port, once, raw_server, reply, stalling

pytestmark = pytest.mark.anyio

MakeWire = Callable[[ssl.SSLContext | None], Wire]
Backend = tuple[str, dict[str, bool]]
ASYNCIO: Backend = ("asyncio", {})
UVLOOP: Backend = ("asyncio", {"use_uvloop": True})
KINDS: dict[str, tuple[MakeWire, Backend]] = {
    "http1": (lambda tls: Http1Wire(tls=tls), ASYNCIO),
    "http1 on uvloop": (lambda tls: Http1Wire(tls=tls), UVLOOP),
    "httpx": (lambda tls: HttpxWire(tls=tls), ASYNCIO),
}
SHORT = 0.08
TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reads no list of authorities, so a wire costs a test nothing


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def anyio_backend(kind: str) -> Backend:
    return KINDS[kind][1]


@pytest.fixture
def make_wire(kind: str) -> MakeWire:
    return KINDS[kind][0]


@pytest.fixture
async def wire(make_wire: MakeWire) -> AsyncIterator[Wire]:
    made = make_wire(TRUSTING_NOBODY)
    yield made
    await made.aclose()


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    content: bytes | None = None,
    timeout_seconds: float = 10,
    connect_timeout_seconds: float = 5,
    max_answer_bytes: int = 1_000_000,
) -> WireRequest:
    return WireRequest(
        method=method,
        url=url,
        headers=headers or {},
        content=content,
        timeout_seconds=timeout_seconds,
        connect_timeout_seconds=connect_timeout_seconds,
        max_answer_bytes=max_answer_bytes,
    )


async def failure(wire: Wire, request: WireRequest) -> tuple[type[WireError], bool]:
    """Give the kind of the error, and whether it proves that nothing left."""
    with pytest.raises(WireError) as caught:
        await wire.send(request)
    return type(caught.value), caught.value.nothing_sent


# What proves that nothing left


async def test_a_refused_connection_proves_that_nothing_left(wire: Wire) -> None:
    assert await failure(wire, ask(f"http://127.0.0.1:{free_port()}/")) == (WireFailed, True)


@pytest.mark.parametrize("kind", ["http1", "httpx"])  # uvloop asks the resolver of the machine itself
async def test_an_unknown_host_proves_that_nothing_left(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # a resolver that would have to ask the network
    assert await failure(wire, ask("http://unknown.example/")) == (WireFailed, True)


@pytest.mark.parametrize("url", ["http://two..dots/", f"http://{'a' * 70}.example/", "ftp://127.0.0.1/", "http://[::1/", "http:///path"])
async def test_an_address_that_cannot_be_one_proves_that_nothing_left(wire: Wire, url: str) -> None:
    assert await failure(wire, ask(url)) == (WireFailed, True)


async def test_a_path_beyond_ascii_is_not_sent(wire: Wire) -> None:
    async with raw_server(always(reply())) as server:
        assert await failure(wire, ask(f"{server.url}/å")) == (WireFailed, True)
        assert server.lines == []


@pytest.mark.parametrize("value", ["a\r\nx-other: b", "a\nb", "å", "€", " a", "a ", "\x00"])
async def test_a_header_that_cannot_be_sent_is_not_sent(wire: Wire, value: str) -> None:
    async with raw_server(always(reply())) as server:
        assert await failure(wire, ask(server.url, headers={"x-key": value})) == (WireFailed, True)
        assert server.lines == []


@pytest.mark.parametrize(("whole", "connecting"), [(10, SHORT), (SHORT, 10)], ids=["connecting", "whole"])
async def test_a_tls_handshake_that_stalls_proves_that_nothing_left(wire: Wire, whole: float, connecting: float) -> None:
    async with raw_server(Connection.until_client_leaves) as server:
        request = ask(f"https://127.0.0.1:{server.port}/", timeout_seconds=whole, connect_timeout_seconds=connecting)
        async with asyncio.timeout(5):
            assert await failure(wire, request) == (WireTimeout, True)
        async with asyncio.timeout(1):
            await server.left.wait()


async def test_a_server_that_does_not_speak_tls_proves_that_nothing_left(wire: Wire) -> None:
    async def talk_plainly(connection: Connection) -> None:
        await connection.send(reply())
        await connection.until_client_leaves()

    async with raw_server(talk_plainly) as server:
        assert await failure(wire, ask(f"https://127.0.0.1:{server.port}/")) == (WireFailed, True)


# What proves nothing, because the request may have been read


async def reset(connection: Connection) -> None:
    await connection.next_request()
    connection.reset()


LOST: dict[str, Script] = {
    "close": once(),
    "reset": reset,
    "close in the status line": once(b"HTTP/1.1 20"),
    "close in the header": once(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "not HTTP": once(b"220 smtp.example ESMTP\r\n\r\n"),
    "close in the body": once(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345"),
    "close in a chunk": once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12"),
    "close without the last chunk": once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n"),
    "close after an interim answer": once(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a length twice": once(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc"),
    "a chunk without a size": once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfive\r\n12345\r\n"),
}
STALLED: dict[str, Script] = {
    "before the header": stalling(),
    "in the header": stalling(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "in the body": stalling(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345"),
}


def after_an_answer(script: Script) -> Script:
    """Answer one request properly, and the next on the same connection by `script`."""

    async def play(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(reply(b"first"))
        await script(connection)

    return play


@pytest.mark.parametrize("script", LOST.values(), ids=LOST.keys())
async def test_a_connection_lost_after_the_request_proves_nothing_and_is_not_tried_again(wire: Wire, script: Script) -> None:
    async with raw_server(script) as server:
        assert await failure(wire, ask(server.url, method="POST", content=b"{}")) == (WireFailed, False)
        assert server.lines == ["POST / HTTP/1.1"]


@pytest.mark.parametrize("script", LOST.values(), ids=LOST.keys())
async def test_a_reused_connection_that_is_lost_proves_nothing_and_is_not_tried_again(wire: Wire, script: Script) -> None:
    async with raw_server(after_an_answer(script)) as server:
        await wire.send(ask(f"{server.url}/first"))
        assert await failure(wire, ask(f"{server.url}/second", method="POST", content=b"{}")) == (WireFailed, False)
        assert server.lines == ["GET /first HTTP/1.1", "POST /second HTTP/1.1"]
        assert server.connections == 1


@pytest.mark.parametrize("script", STALLED.values(), ids=STALLED.keys())
async def test_a_server_that_stalls_is_left_when_the_time_is_up(wire: Wire, script: Script) -> None:
    async with raw_server(script) as server:
        assert await failure(wire, ask(server.url, timeout_seconds=SHORT)) == (WireTimeout, False)
        async with asyncio.timeout(1):
            await server.left.wait()
        assert server.lines == ["GET / HTTP/1.1"]


@pytest.mark.parametrize("script", STALLED.values(), ids=STALLED.keys())
async def test_a_reused_connection_that_stalls_is_left_when_the_time_is_up(wire: Wire, script: Script) -> None:
    async with raw_server(after_an_answer(script)) as server:
        await wire.send(ask(server.url))
        assert await failure(wire, ask(server.url, timeout_seconds=SHORT)) == (WireTimeout, False)
        async with asyncio.timeout(1):
            await server.left.wait()
        assert (len(server.requests), server.connections) == (2, 1)


async def test_the_time_is_for_the_whole_answer_not_for_each_piece(wire: Wire) -> None:
    async def dribble(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await connection.send(b"1\r\nx\r\n")
            await asyncio.sleep(0)

    async with raw_server(dribble) as server:
        assert await failure(wire, ask(server.url, timeout_seconds=SHORT)) == (WireTimeout, False)


async def test_a_kept_connection_that_the_server_closed_is_replaced_before_anything_is_sent(wire: Wire) -> None:
    async with raw_server(once(reply(b"yes"))) as server:
        for _ in range(3):
            answer = await wire.send(ask(server.url, method="POST", content=b"{}"))
            assert answer.body == b"yes"
            async with asyncio.timeout(1):
                await server.closed.wait()
            server.closed.clear()
        assert [request.body for request in server.requests] == [b"{}", b"{}", b"{}"]
        assert server.connections == 3


# How large an answer may be


async def test_an_answer_may_be_as_large_as_allowed_and_not_a_byte_larger(wire: Wire) -> None:
    async with raw_server(always(reply(b"x" * 100))) as server:
        assert len((await wire.send(ask(server.url, max_answer_bytes=100))).body) == 100
        assert await failure(wire, ask(server.url, max_answer_bytes=99)) == (AnswerUnreadable, False)


async def test_an_answer_without_end_is_left_where_it_gets_too_large(wire: Wire) -> None:
    async def flood(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await connection.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")

    async with raw_server(flood) as server:
        assert await failure(wire, ask(server.url)) == (AnswerUnreadable, False)
        async with asyncio.timeout(1):
            await server.closed.wait()


async def test_a_header_without_end_is_not_read_for_ever(wire: Wire) -> None:
    async def flood(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await connection.send(b"x-more: " + b"x" * 1000 + b"\r\n")

    async with raw_server(flood) as server:
        assert await failure(wire, ask(server.url)) == (WireFailed, False)


async def test_an_answer_that_inflates_beyond_what_is_allowed_is_refused(wire: Wire) -> None:
    bomb = gzip.compress(b"\x00" * 1_000_001, mtime=0)
    assert len(bomb) < 2000
    async with raw_server(always(reply(bomb, content_encoding="gzip"))) as server:
        assert await failure(wire, ask(server.url)) == (AnswerUnreadable, False)
        assert len((await wire.send(ask(server.url, max_answer_bytes=1_000_001))).body) == 1_000_001


def bare_deflate(content: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("GZIP", gzip.compress(b'{"a":1}', mtime=0)),
        ("deflate", zlib.compress(b'{"a":1}')),
        ("deflate", bare_deflate(b'{"a":1}')),
        ("identity", b'{"a":1}'),
    ],
)
async def test_a_compressed_answer_is_inflated(wire: Wire, coding: str, body: bytes) -> None:
    async with raw_server(always(reply(body, content_encoding=coding))) as server:
        assert (await wire.send(ask(server.url))).body == b'{"a":1}'
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b'{"a":1}'),
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)[:-9]),
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)[:-8] + b"\x00" * 8),
        ("gzip", gzip.compress(b'{"a":1}', mtime=0) + b"more"),
        ("deflate", b'{"a":1}'),
        ("deflate", zlib.compress(b'{"a":1}')[:-5]),
        ("br", b'{"a":1}'),
        ("gzip, gzip", gzip.compress(gzip.compress(b'{"a":1}', mtime=0), mtime=0)),
    ],
    ids=["not gzip", "cut", "wrong checksum", "more behind it", "not deflate", "cut deflate", "not asked for", "twice"],
)
async def test_an_answer_that_is_not_encoded_as_it_says_is_unreadable(wire: Wire, coding: str, body: bytes) -> None:
    async with raw_server(always(reply(body, content_encoding=coding))) as server:
        assert await failure(wire, ask(server.url)) == (AnswerUnreadable, False)


async def test_an_empty_answer_may_call_itself_compressed(wire: Wire) -> None:
    async with raw_server(always(b"HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n")) as server:
        answer = await wire.send(ask(server.url))
        assert (answer.status, answer.body) == (204, b"")


# What an answer is


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n2;name=value\r\n67\r\n0\r\n\r\n", b"1234567"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nx-sum: 1\r\n\r\n", b"1"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", b"ok"),
    ],
    ids=["chunked", "trailer", "no length", "HTTP/1.0", "early hints", "no reason"],
)
async def test_a_body_is_read_whole_however_it_is_framed(wire: Wire, content: bytes, body: bytes) -> None:
    async with raw_server(once(content)) as server:
        answer = await wire.send(ask(server.url))
        assert (answer.status, answer.body) == (200, body)


async def test_header_names_come_in_lower_case_and_repeated_ones_as_one(wire: Wire) -> None:
    content = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nX-Note: a\r\nx-note: b\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(always(content)) as server:
        expected = {"retry-after": "7", "x-note": "a, b", "content-length": "0"}
        assert await wire.send(ask(server.url)) == Response(429, expected, b"")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_without_a_body_needs_no_length(wire: Wire, status: str) -> None:
    async with raw_server(always(f"HTTP/1.1 {status}\r\netag: x\r\n\r\n".encode())) as server:
        for _ in range(2):
            answer = await wire.send(ask(server.url))
            assert (answer.status, answer.headers, answer.body) == (int(status[:3]), {"etag": "x"}, b"")
        assert server.connections == 1


async def test_an_answer_to_head_has_no_body_whatever_length_it_tells(wire: Wire) -> None:
    async with raw_server(always(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")) as server:
        for _ in range(2):
            answer = await wire.send(ask(server.url, method="HEAD"))
            assert (answer.status, answer.headers, answer.body) == (200, {"content-length": "5"}, b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/other", "http://[", "https://elsewhere.example/"])
async def test_a_redirect_is_an_answer_and_is_not_followed(wire: Wire, status: int, location: str) -> None:
    async with raw_server(always(reply(b"", f"{status} Elsewhere", location=location))) as server:
        answer = await wire.send(ask(server.url, method="POST", content=b"{}"))
        assert (answer.status, answer.headers["location"]) == (status, location)
        assert server.lines == ["POST / HTTP/1.1"]


# What a request is


@pytest.mark.parametrize(
    "target",
    [
        "/base/a%2Fb/%2E%2E/c",
        "/base/%2e%2E/%2f",
        "/base/./a/../b//c",
        "/%C3%A5?%24filter=Number%20eq%20%27a%27%27b%27&x=%2B",
        "/a?b=c?d/e&b=&&f",
        "/$metadata('x')/(1,2);v=1:2@3!*",
        '/a|b^c`d"e<f>{g}[h]?x=|^`"<>{}[]',
        "/%zz%",
        "?only=query",
        "",
    ],
)
async def test_a_target_reaches_the_server_as_it_was_given(wire: Wire, target: str) -> None:
    async with raw_server(always(reply())) as server:
        await wire.send(ask(server.url + target))
        assert server.lines == [f"GET {target if target.startswith('/') else f'/{target}'} HTTP/1.1"]


async def test_headers_and_body_reach_the_server_as_they_were_given_and_little_else(wire: Wire) -> None:
    headers = {
        "accept": "text/x; q=0.5",
        "user-agent": "gateway",
        "x-key": "a:b, c=\t~!",
        "x-empty": "",
        "content-type": "application/json",
    }
    body = bytes(range(256)) * 400
    async with raw_server(always(reply())) as server:
        await wire.send(ask(f"{server.url}/x", method="POST", headers=headers, content=body))
        [request] = server.requests
        own = {"host": f"127.0.0.1:{server.port}", "content-length": str(len(body)), "accept-encoding": "gzip, deflate"}
        assert {name: value for name, value in request.headers.items() if name != "connection"} == headers | own
        assert request.body == body


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT"])
async def test_a_request_that_could_have_a_body_says_that_it_has_none(wire: Wire, method: str) -> None:
    async with raw_server(always(reply())) as server:
        await wire.send(ask(server.url, method=method))
        assert server.requests[0].headers["content-length"] == "0"


async def test_a_get_says_nothing_of_a_body(wire: Wire) -> None:
    async with raw_server(always(reply())) as server:
        await wire.send(ask(server.url))
        assert "content-length" not in server.requests[0].headers


async def test_cookies_are_not_kept_for_the_next_request(wire: Wire) -> None:
    async with raw_server(always(reply(set_cookie="session=1; Path=/"))) as server:
        await wire.send(ask(server.url))
        await wire.send(ask(server.url))
        assert ["cookie" in request.headers for request in server.requests] == [False, False]


async def test_proxies_of_the_environment_are_not_used(make_wire: MakeWire, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    wire = make_wire(None)
    async with raw_server(always(reply(b"yes"))) as server:
        assert (await wire.send(ask(server.url))).body == b"yes"
    await wire.aclose()


# Connections


async def test_a_connection_serves_one_request_after_another(wire: Wire) -> None:
    async with raw_server(always(reply(b"yes"))) as server:
        for number in range(3):
            await wire.send(ask(f"{server.url}/{number}"))
        assert server.lines == ["GET /0 HTTP/1.1", "GET /1 HTTP/1.1", "GET /2 HTTP/1.1"]
        assert server.connections == 1


async def test_a_connection_that_the_server_wants_closed_is_not_used_again(wire: Wire) -> None:
    async with raw_server(stalling(reply(connection="close"))) as server:
        await wire.send(ask(server.url))
        await wire.send(ask(server.url))
        assert server.connections == 2


async def test_requests_at_once_do_not_wait_for_each_other_and_get_their_own_answers(wire: Wire) -> None:
    together = 40
    all_are_there = asyncio.Event()

    async def meet(connection: Connection) -> None:
        request = await connection.next_request()
        assert request is not None
        if connection.number == together:
            all_are_there.set()
        await all_are_there.wait()
        await connection.send(reply(request.line.encode()))

    async with raw_server(meet) as server:
        answers = await asyncio.gather(*(wire.send(ask(f"{server.url}/{number}")) for number in range(together)))
        assert [answer.body.decode() for answer in answers] == [f"GET /{number} HTTP/1.1" for number in range(together)]


@pytest.mark.parametrize("script", STALLED.values(), ids=STALLED.keys())
async def test_a_cancelled_request_frees_its_socket_and_leaves_no_task(wire: Wire, script: Script) -> None:
    arrived = asyncio.Event()

    async def announce(connection: Connection) -> None:
        arrived.set()
        await script(connection)

    before = len(asyncio.all_tasks())
    async with raw_server(announce) as server:
        call = asyncio.create_task(wire.send(ask(server.url)))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(1):
            await server.left.wait()
    assert len(asyncio.all_tasks()) == before


async def test_a_request_cancelled_in_its_tls_handshake_frees_its_socket(wire: Wire) -> None:
    arrived = asyncio.Event()

    async def announce(connection: Connection) -> None:
        await connection.first_byte()
        arrived.set()
        await connection.until_client_leaves()

    async with raw_server(announce) as server:
        call = asyncio.create_task(wire.send(ask(f"https://127.0.0.1:{server.port}/")))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(1):
            await server.left.wait()


async def test_closing_the_wire_closes_the_connections_it_kept(make_wire: MakeWire) -> None:
    wire = make_wire(None)
    async with raw_server(stalling(reply())) as server:
        await wire.send(ask(server.url))
        await wire.aclose()
        async with asyncio.timeout(1):
            await server.left.wait()


# TLS


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority of the tests' own, with certificates that it signed."""

    folder: Path

    def file(self, name: str) -> Path:
        return self.folder / name

    def serving(self, *, demanding: bool = False, name: str = "server") -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.file("ca.pem")))
        context.load_cert_chain(self.file(f"{name}.pem"), self.file(f"{name}.key"))
        context.verify_mode = ssl.CERT_REQUIRED if demanding else ssl.CERT_NONE
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("certificates")
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    def make(name: str, *extra: str) -> None:
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"]
        subprocess.run(["openssl", *new, *files, *extra], cwd=folder, check=True, capture_output=True)  # noqa: S607  (found on the path)

    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    make("ca", "-addext", "keyUsage=critical,keyCertSign")
    make("server", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
    make("elsewhere", *signed, "-addext", "subjectAltName=DNS:elsewhere.example")
    make("client", *signed)
    locked = ["ec", "-in", "client.key", "-aes256", "-passout", "pass:word", "-out", "locked.key"]
    subprocess.run(["openssl", *locked], cwd=folder, check=True, capture_output=True)  # noqa: S607  (as above)
    return Authority(folder)


async def over_tls(make_wire: MakeWire, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext | None) -> list[object]:
    """Send one request; give the answer's body or the failure, and what the server saw."""
    wire = make_wire(client_tls)
    async with raw_server(always(reply(b"yes")), server_tls) as server:
        try:
            outcome: object = (await wire.send(ask(f"https://127.0.0.1:{server.port}/"))).body
        except WireError as error:
            outcome = (type(error), error.nothing_sent)
        finally:
            await wire.aclose()
        return [outcome, *(request.client_certificate for request in server.requests)]


async def test_a_configured_authority_is_trusted(make_wire: MakeWire, authority: Authority) -> None:
    tls = tls_context(ca_file=authority.file("ca.pem"), client_cert=None, client_key=None)
    assert await over_tls(make_wire, authority.serving(), tls) == [b"yes", None]


async def test_a_server_that_asks_which_protocol_is_spoken_is_told(make_wire: MakeWire, authority: Authority) -> None:
    serving = authority.serving()
    serving.set_alpn_protocols(["h2", "http/1.1"])
    wire = make_wire(tls_context(ca_file=authority.file("ca.pem"), client_cert=None, client_key=None))
    async with raw_server(always(reply()), serving) as server:
        await wire.send(ask(f"https://127.0.0.1:{server.port}/"))
        await wire.aclose()
        assert [request.agreed_protocol for request in server.requests] == ["http/1.1"]


async def test_an_unknown_authority_is_refused_before_anything_leaves(make_wire: MakeWire, authority: Authority) -> None:
    assert await over_tls(make_wire, authority.serving(), None) == [(WireFailed, True)]


async def test_a_certificate_for_another_host_is_refused_before_anything_leaves(make_wire: MakeWire, authority: Authority) -> None:
    tls = tls_context(ca_file=authority.file("ca.pem"), client_cert=None, client_key=None)
    assert await over_tls(make_wire, authority.serving(name="elsewhere"), tls) == [(WireFailed, True)]


async def test_a_client_certificate_is_shown_to_the_server(make_wire: MakeWire, authority: Authority) -> None:
    tls = tls_context(ca_file=authority.file("ca.pem"), client_cert=authority.file("client.pem"), client_key=authority.file("client.key"))
    body, certificate = await over_tls(make_wire, authority.serving(demanding=True), tls)
    assert body == b"yes"
    assert isinstance(certificate, dict)
    assert certificate["subject"] == ((("commonName", "client"),),)


async def test_a_server_that_misses_the_client_certificate_is_a_lost_connection(make_wire: MakeWire, authority: Authority) -> None:
    tls = tls_context(ca_file=authority.file("ca.pem"), client_cert=None, client_key=None)
    # TLS 1.3 refuses it only after the client's first bytes have left, so this proves nothing.
    assert await over_tls(make_wire, authority.serving(demanding=True), tls) == [(WireFailed, False)]


async def test_an_encrypted_connection_that_turns_to_noise_is_a_lost_connection(make_wire: MakeWire, authority: Authority) -> None:
    async def make_noise(connection: Connection) -> None:
        await connection.next_request()
        connection.send_below_tls(b"noise" * 10)
        await connection.until_client_leaves()

    wire = make_wire(tls_context(ca_file=authority.file("ca.pem"), client_cert=None, client_key=None))
    async with raw_server(make_noise, authority.serving()) as server:
        assert await failure(wire, ask(f"https://127.0.0.1:{server.port}/")) == (WireFailed, False)
    await wire.aclose()


def test_a_source_without_certificates_has_no_tls_settings_of_its_own() -> None:
    assert tls_context(ca_file=None, client_cert=None, client_key=None) is None


def test_a_client_certificate_alone_leaves_the_usual_authorities_trusted(authority: Authority) -> None:
    tls = tls_context(ca_file=None, client_cert=authority.file("client.pem"), client_key=authority.file("client.key"))
    assert tls is not None
    assert tls.cert_store_stats() == httpx.create_ssl_context(trust_env=False).cert_store_stats()


@pytest.mark.parametrize(("cert", "key"), [("client.key", None), ("client.pem", "server.key"), ("client.pem", "locked.key")])
def test_certificates_that_cannot_be_used_are_an_error(authority: Authority, cert: str, key: str | None) -> None:
    with pytest.raises(OSError, match=r"."):
        tls_context(ca_file=None, client_cert=authority.file(cert), client_key=None if key is None else authority.file(key))
