"""A server that has the explorer's routes and a `/graphql` that answers what a test wants: introspection comes from the real graph."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.explorer import BUNDLE, Journey, explorer_routes
from gateway.schema import build_schema

JOURNEYS = (
    Journey(
        "An invoice by its number",
        "Header, totals and lines, from whichever system keeps it.",
        "query InvoiceByNumber($by: Lookup!) {\n  invoice(by: $by) {\n    number\n  }\n}\n",
        {"by": {"number": {"source": "shop", "number": "1002"}}},
    ),
    Journey("Who am I?", "The caller as the gateway sees it: Åsa, for one.", "query WhoAmI {\n  caller { name permissions }\n}\n"),
)
ANSWER = b'{"data":{"invoice":{"number":"1002","raw":{"total":5.00,"rate":1E+2,"id":12345678901234567890}}}}'


@dataclass(slots=True)
class Stage:
    """What the next answers are, and what was asked."""

    journeys: Sequence[Journey] = JOURNEYS
    bundle: Path = BUNDLE
    answer: bytes = ANSWER
    bodies: list[dict[str, object]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    introspection_headers: list[Mapping[str, str]] = field(default_factory=list)

    async def graphql(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if "__schema" in body["query"]:
            self.introspection_headers.append(request.headers)
            result = await build_schema().execute(body["query"])
            assert not result.errors
            return Response(json.dumps({"data": result.data}), 200, media_type="application/json")
        self.bodies.append(body)
        self.headers.append(request.headers)
        return Response(self.answer, 200, media_type="application/json")

    def app(self) -> Starlette:
        return Starlette(routes=[*explorer_routes(self.journeys, self.bundle), Route("/graphql", self.graphql, methods=["POST"])])


@asynccontextmanager
async def serving(stage: Stage | Starlette) -> AsyncIterator[str]:
    """Serve a stage, or a whole gateway, on a free loopback port until the block ends; gives its address."""
    app = stage.app() if isinstance(stage, Stage) else stage
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
