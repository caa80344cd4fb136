"""How each kind of fault is carried out on one request.

Faults that make up an answer do not run the emulator's handler; those that spoil or lose the real answer do.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.sandbox.faults import Fault, Kind

DROP_EXTENSION: Final = "sandbox.drop"
"""`scope["extensions"]` has here an async callable that ends the connection; `reset=True` ends it by a TCP reset."""

_JSON: Final = "application/json; charset=utf-8"
_HUGE_BYTES: Final = 20_000_000
_BOMB_BYTES: Final = 50_000_000
_CHUNK: Final = b"x" * 50_000
_TRICKLE_PIECES: Final = 100


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to an emulator, and the ways to answer it or not."""

    scope: Scope
    receive: Receive
    send: Send
    handler: ASGIApp
    """Answers as the emulator does when nothing is wrong."""
    sleep: Callable[[float], Awaitable[object]]

    async def answer(self) -> None:
        """Let the emulator answer."""
        await self.handler(self.scope, self.receive, self.send)

    async def respond(self, response: Response) -> None:
        """Send `response` in the emulator's stead."""
        await response(self.scope, self.receive, self.send)

    async def collect(self) -> tuple[Message, bytes]:
        """Run the emulator's handler and keep its answer: the message with status and headers, and the body."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.handler(self.scope, self.receive, keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def drop(self, *, reset: bool = False) -> None:
        """End the connection; raises `RuntimeError` when no connection of the sandbox's own server is below."""
        extensions = self.scope.get("extensions") or {}
        if DROP_EXTENSION not in extensions:
            raise RuntimeError("a fault that closes connections needs gateway.sandbox.server; this request came in process")
        await extensions[DROP_EXTENSION](reset=reset)

    async def wait(self, seconds: float | None) -> bool:
        """Wait for `seconds`, or with None without end; False when the client has left before."""
        left = asyncio.ensure_future(self._client_leaves())
        waits = [left] if seconds is None else [left, asyncio.ensure_future(self.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return not left.done()
        finally:
            for wait in waits:
                wait.cancel()

    async def _client_leaves(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def misbehave(fault: Fault, exchange: Exchange) -> None:
    """Answer, or fail to answer, as `fault` wants it."""
    await _ACTIONS[fault.kind](fault, exchange)


async def _latency(fault: Fault, exchange: Exchange) -> None:
    # A client that gives up is not looked for: as upstreams do, the handler still runs, late.
    await exchange.sleep(fault.seconds or 0)
    await exchange.answer()


async def _status(fault: Fault, exchange: Exchange) -> None:
    content, media_type = _body_of(fault)
    await exchange.respond(Response(content, fault.status or 500, fault.headers, media_type))


def _body_of(fault: Fault) -> tuple[bytes, str | None]:
    if fault.body is None:
        return b"", None
    if isinstance(fault.body, str):
        return fault.body.encode(), "text/plain"
    return json.dumps(fault.body, ensure_ascii=False).encode(), _JSON


async def _malformed(fault: Fault, exchange: Exchange) -> None:
    await exchange.respond(Response(b'{"items": [{"id": 1, "name": "Kring', 200, fault.headers, _JSON))


async def _empty(fault: Fault, exchange: Exchange) -> None:
    await exchange.respond(Response(b"", 200, fault.headers, _JSON))


async def _wrong_type(fault: Fault, exchange: Exchange) -> None:
    await exchange.respond(Response(b'"a text where an object is promised"', 200, fault.headers, _JSON))


async def _huge(fault: Fault, exchange: Exchange) -> None:
    await exchange.respond(StreamingResponse(_huge_chunks(), 200, fault.headers, _JSON))


async def _huge_chunks() -> AsyncIterator[bytes]:
    yield b'{"filler": "'
    for _ in range(_HUGE_BYTES // len(_CHUNK)):
        yield _CHUNK
    yield b'"}'


async def _redirect(fault: Fault, exchange: Exchange) -> None:
    headers = {"location": "/"} | {name.lower(): value for name, value in fault.headers.items()}
    await exchange.respond(Response(b"", 302, headers))


async def _gzip_bomb(fault: Fault, exchange: Exchange) -> None:
    await exchange.respond(Response(_bomb(), 200, {**fault.headers, "content-encoding": "gzip"}, _JSON))


@cache
def _bomb() -> bytes:
    """Make a gzip member (not several: many clients inflate only the first) of `_BOMB_BYTES` of valid JSON."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    plain = (b'"', *itertools.repeat(_CHUNK, _BOMB_BYTES // len(_CHUNK)), b'"')
    return b"".join(map(packer.compress, plain)) + packer.flush()


async def _drop(_: Fault, exchange: Exchange) -> None:
    await exchange.drop()


async def _stall(fault: Fault, exchange: Exchange) -> None:
    if await exchange.wait(fault.seconds):
        await exchange.drop()


async def _reset_mid_body(_: Fault, exchange: Exchange) -> None:
    start, body = await exchange.collect()
    await exchange.send(start)
    await exchange.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await exchange.drop(reset=True)


async def _trickle(fault: Fault, exchange: Exchange) -> None:
    start, body = await exchange.collect()
    await exchange.send(start)
    size = max(1, -(-len(body) // _TRICKLE_PIECES))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    for piece in pieces:
        if not await exchange.wait((fault.seconds or 0) / len(pieces)):
            return
        await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b""})


async def _lost_answer(_: Fault, exchange: Exchange) -> None:
    await exchange.collect()
    await exchange.drop()


async def _lost_answer_late(fault: Fault, exchange: Exchange) -> None:
    await exchange.collect()
    if await exchange.wait(fault.seconds):
        await exchange.drop()


_ACTIONS: Final[Mapping[Kind, Callable[[Fault, Exchange], Awaitable[None]]]] = {
    "latency": _latency,
    "status": _status,
    "malformed": _malformed,
    "empty": _empty,
    "wrong_type": _wrong_type,
    "huge": _huge,
    "drop": _drop,
    "reset_mid_body": _reset_mid_body,
    "stall": _stall,
    "trickle": _trickle,
    "redirect": _redirect,
    "gzip_bomb": _gzip_bomb,
    "lost_answer": _lost_answer,
    "lost_answer_late": _lost_answer_late,
}
