"""`GET /metrics`: the numbers of the gateway as Prometheus' text. Reading it asks no upstream."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import NotPermitted
from gateway.loaders import SourceSet
from gateway.model import Permission
from gateway.server.callers import Admission
from gateway.server.door import guarded
from gateway.server.numbers import Numbers
from gateway.telemetry import CONTENT_TYPE, exposition


class MetricsPage:
    """Answers scrapes. `admission` None: anybody who can reach it may read it."""

    def __init__(self, numbers: Numbers, sources: SourceSet, admission: Admission | None) -> None:
        self._numbers = numbers
        self._sources = sources
        self._admission = admission

    async def answer(self, request: Request) -> Response:
        """Answer a scrape, or say in JSON why not. A caller is told of its own sources."""
        return await guarded(secrets.token_hex(8), lambda: self._answer(request))

    async def _answer(self, request: Request) -> Response:
        if self._admission is None:
            return await self._respond(None)
        async with self._admission.admitted(request.headers.get("authorization")) as caller:
            if not caller.may(Permission.METRICS):
                raise NotPermitted(f"this page needs the permission {Permission.METRICS.value}")
            return await self._respond(caller.sources)

    async def _respond(self, seen: frozenset[str] | None) -> Response:
        """Write what is of no source, and of those that may be seen; None: all of them."""

        def is_shown(labels: Mapping[str, str]) -> bool:
            return seen is None or "source" not in labels or labels["source"] in seen

        text = exposition(await self._numbers.families(self._sources), is_shown)
        return Response(text, headers={"content-type": CONTENT_TYPE})
