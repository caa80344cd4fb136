"""The gateway in this process, without sockets: to count its calls, and to see which of its lines take the time."""

from __future__ import annotations

import asyncio
import cProfile
import io
import json
import pstats
from collections import Counter
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop
from starlette.types import ASGIApp

from gateway.app import create_app, settings_from
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.bench.answers import check
from tests.bench.dialects import answer
from tests.bench.questions import Question
from tests.bench.stacks import Plan, gateway_tables

_URL: Final = "http://upstream.example"
_JSON: Final = {"content-type": "application/json; charset=utf-8"}


class StaticWire:
    """Answers at once, as the bench's upstream does, and counts by operation."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._made: dict[str, tuple[str, Response]] = {}

    async def send(self, request: WireRequest) -> Response:
        """Answer a request; 404 for what is not there."""
        operation, response = self._made.get(request.url) or self._make(request.url)
        self.calls[operation] += 1
        return response

    def _make(self, url: str) -> tuple[str, Response]:
        parts = urlsplit(url)
        operation, body = answer(f"{parts.path}?{parts.query}") or ("unknown", b"null")
        made = self._made[url] = operation, Response(404 if operation == "unknown" else 200, _JSON, body)
        return made

    async def aclose(self) -> None:
        """Close nothing."""


@asynccontextmanager
async def in_process(wire: StaticWire, plan: Plan) -> AsyncIterator[ASGIApp]:
    """Open a gateway over the wire."""
    app = create_app(settings_from(_nested(gateway_tables(_URL, "sqlite://", plan))), wire=wire)
    async with app.router.lifespan_context(app):
        yield app


def _nested(tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Put tables with dotted names where TOML would have them."""
    root: dict[str, Any] = {}
    for name, table in tables.items():
        at = root
        for part in name.split("."):
            at = at.setdefault(part, {})
        at.update(table)
    return root


async def ask(app: ASGIApp, question: Question, block: int = 0) -> bytes:
    """Ask through ASGI, and give the body of the answer."""
    body = json.dumps({"query": question.document, "variables": question.variables(block)}).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
    }
    received = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return received.pop() if received else await asyncio.get_running_loop().create_future()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(sent)


def profile(question: Question, plan: Plan, requests: int, lines: int) -> str:
    """Ask so often, one after the other, and give the lines that took the most time of their own, with the milliseconds a request."""
    profiler = cProfile.Profile()

    async def run() -> None:
        async with in_process(StaticWire(), plan) as app:
            check(await ask(app, question), question.expected(0))
            await ask(app, question)
            profiler.enable()
            for _ in range(requests):
                await ask(app, question)
            profiler.disable()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    text = io.StringIO()
    stats = pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime")
    stats.print_stats(lines)
    milliseconds = stats.total_tt * 1000 / requests  # type: ignore[attr-defined]  # it is there, and not in the stubs
    return f"{question.name}: {milliseconds:.2f} ms a request under the profiler, {requests} requests\n{text.getvalue().strip()}"
