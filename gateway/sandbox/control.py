"""The control endpoints, below `/_control`: what `Sandbox` offers, over HTTP.

What cannot be done is answered 400 with one line of text that says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.sandbox.emulator import json_response
from gateway.sandbox.faults import Fault, PlacedFault, Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.state import Sandbox


def create_control(sandbox: Sandbox) -> Starlette:
    """Make the application that controls `sandbox`; one of its own, so that its 400s are not put on what emulators raise."""
    control = _Control(sandbox)
    routes = [
        Route("/sources", control.sources),
        Route("/calls", control.calls),
        Route("/calls", control.reset_calls, methods=["DELETE"]),
        Route("/requests", control.requests),
        Route("/faults", control.faults),
        Route("/faults", control.add_fault, methods=["POST"]),
        Route("/faults", control.clear_faults, methods=["DELETE"]),
        Route("/faults/{id:int}", control.remove_fault, methods=["DELETE"]),
        Route("/switches", control.all_switches),
        Route("/switches/{system}", control.switches),
        Route("/switches/{system}", control.change_switches, methods=["PUT"]),
        Route("/reset", control.reset, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={Refused: _refuse, msgspec.DecodeError: _refuse})


def address_of(request: Request, sandbox: Sandbox) -> str:
    """Give the sandbox's address: the one it was told, else the one that this request came to."""
    return sandbox.base_url or f"{request.url.scheme}://{request.url.netloc}"


class _Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def sources(self, request: Request) -> Response:
        return json_response(self._sandbox.source_tables(address_of(request, self._sandbox)))

    async def calls(self, _: Request) -> Response:
        calls = self._sandbox.calls
        counts = {"total": calls.total, "calls": dict(sorted(calls.by_operation.items()))}
        return json_response({**counts, "peak_in_flight": calls.peak_in_flight, "in_flight": calls.in_flight})

    async def reset_calls(self, _: Request) -> Response:
        self._sandbox.reset_calls()
        return Response(status_code=204)

    async def requests(self, request: Request) -> Response:
        query = request.query_params
        return json_response(self._sandbox.requests_to(query.get("system") or None, query.get("operation") or None))

    async def faults(self, _: Request) -> Response:
        return json_response([_shown(placed) for placed in self._sandbox.faults.placed()])

    async def add_fault(self, request: Request) -> Response:
        fault = msgspec.json.decode(await request.body(), type=Fault)
        return json_response({"id": self._sandbox.faults.add(fault).id}, 201)

    async def clear_faults(self, _: Request) -> Response:
        self._sandbox.faults.clear()
        return Response(status_code=204)

    async def remove_fault(self, request: Request) -> Response:
        self._sandbox.faults.remove(request.path_params["id"])
        return Response(status_code=204)

    async def all_switches(self, _: Request) -> Response:
        return json_response({name: dict(emulator.switches) for name, emulator in self._sandbox.emulators.items()})

    async def switches(self, request: Request) -> Response:
        return json_response(dict(self._sandbox.switches(request.path_params["system"])))

    async def change_switches(self, request: Request) -> Response:
        changes = msgspec.json.decode(await request.body(), type=dict[str, Any])
        self._sandbox.change_switches(request.path_params["system"], changes)
        return await self.switches(request)

    async def reset(self, _: Request) -> Response:
        self._sandbox.reset()
        return Response(status_code=204)


def _shown(placed: PlacedFault) -> dict[str, object]:
    return {"id": placed.id, **msgspec.to_builtins(placed.fault), "passed": placed.passed, "fired": placed.fired}


async def _refuse(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)
