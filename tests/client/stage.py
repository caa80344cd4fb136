"""A client's endpoint over a gateway in this process, or over a wire that answers by a function; and what it wrote."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.client import query
from gateway.client.batch import Batch
from gateway.client.document import read_document
from gateway.client.endpoint import Endpoint, Sleep
from gateway.client.exits import Exit
from gateway.client.mutation import find_mutation
from gateway.client.progress import Progress
from gateway.client.results import ResultFile, read_results
from gateway.client.run import Run, Stop
from gateway.transport import Response
from gateway.transport.wire import Wire, WireRequest
from tests.fakes import FakeClock, FakeWire, answer
from tests.transport.upstreams import Pauses

URL = "http://gateway.example/graphql"
Before = Callable[[WireRequest], None]


class GatewayWire:
    """Carries requests to a gateway in this process; `before` sees each of them first."""

    def __init__(self, client: httpx.AsyncClient, before: Before = lambda _request: None) -> None:
        self._client = client
        self._before = before
        self.requests: list[WireRequest] = []

    async def send(self, request: WireRequest) -> Response:
        self._before(request)
        self.requests.append(request)
        told = await self._client.request(request.method, request.url, headers=dict(request.headers), content=request.content)
        return Response(told.status_code, {name.lower(): value for name, value in told.headers.items()}, told.content)

    async def aclose(self) -> None:
        pass


def body_of(request: WireRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content or b"")
    return body


def telling(*bodies: object) -> FakeWire:
    """Make a wire that answers with these, one after another."""
    waiting = iter(bodies)
    return FakeWire(lambda _request: answer(json.dumps(next(waiting))))


@dataclass
class Desk:
    """One user at one wire, on a clock that only pauses move."""

    wire: Wire
    clock: FakeClock = field(default_factory=FakeClock)
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)
    is_shown: bool = False

    def __post_init__(self) -> None:
        self.pauses = Pauses(self.clock)
        self.progress = Progress(self.err, self.clock, is_shown=self.is_shown)

    @property
    def said(self) -> list[str]:
        """Give what was said on stderr."""
        return self.err.getvalue().splitlines()

    def endpoint(self, key: str | None = None) -> Endpoint:
        return Endpoint(URL, self.wire, self.clock, self.pauses, self.progress.say, key)

    async def ask(self, text: str, variables: Mapping[str, object] | None = None, **options: Any) -> Exit:  # noqa: ANN401  (of Question)
        document = read_document(text, "q.graphql")
        question = query.Question(document=document, variables=variables or {}, **options)
        return await query.ask(question, self.endpoint(), self.out, self.progress)

    async def run(
        self,
        text: str,
        rows: Path,
        *,
        stop: Stop | None = None,
        sleep: Sleep | None = None,
        at_once: int = 2,
        **options: Any,  # noqa: ANN401  (of Batch)
    ) -> Exit:
        """Run a batch; `options`: `is_dry_run`, and those of Batch. Its results stand beside the rows."""
        mutation = find_mutation(read_document(text, "m.graphql"), "m.graphql", is_dry_run=options.pop("is_dry_run", False))
        batch = Batch(mutation=mutation, path=rows, **{"url": URL, "key_field": "key", "sdl": _no_sdl, **options})
        count, path = batch.check(), results_of(rows)
        earlier = read_results(path)
        with ResultFile(path) as results:
            endpoint = self.endpoint()
            endpoint.sleep = sleep or self.pauses
            return await Run(batch, endpoint, results, earlier, self.progress, stop or Stop(), count, at_once).go()


def _no_sdl() -> str:
    raise AssertionError("the graph's types were asked for")


def results_of(rows: Path) -> Path:
    return rows.with_suffix(".results.ndjson")


def told_in(rows: Path) -> list[dict[str, Any]]:
    """Give the results that stand beside rows."""
    return [json.loads(line) for line in results_of(rows).read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path
