"""The sandbox as one ASGI application: every emulator below its name, each request counted, recorded and open to faults.

The emulators are found, not listed: each sub-package of `gateway.sandbox` is one.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Mount, Route, Router

import gateway.sandbox
from gateway.sandbox.control import address_of, create_control
from gateway.sandbox.emulator import Emulator
from gateway.sandbox.misbehaviour import Exchange, misbehave
from gateway.sandbox.parties import make_parties
from gateway.sandbox.recording import UNMATCHED, RecordedRequest
from gateway.sandbox.state import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


_CONTROL: Final = """\
  GET    /sources            the [sources.*] tables of a gateway that reads this sandbox
  GET    /calls              how many requests each operation had; DELETE forgets them
  GET    /requests           the requests themselves; ?system= and ?operation= narrow
  GET    /faults             the faults; POST adds one, DELETE takes all away, or one below /faults/<id>
  GET    /switches/<system>  the switches of a system; PUT changes some
  POST   /reset              data, switches, faults and counts as they were at the start
"""


def create_sandbox(seed: int = 1, base_url: str | None = None, *, emulators: Sequence[Emulator] | None = None) -> Starlette:
    """Make the application; its `state.sandbox` is the `Sandbox`.

    `base_url` is where it is reached, when that is known; `emulators` stand in for those that ship.
    """
    sandbox = Sandbox(list(_shipped(seed)) if emulators is None else emulators, base_url)

    async def index(request: Request) -> Response:
        return PlainTextResponse(describe(sandbox, address_of(request, sandbox)))

    mounts = [Mount(f"/{name}", app=_WatchedEmulator(sandbox, emulator)) for name, emulator in sandbox.emulators.items()]
    app = Starlette(routes=[Route("/", index), Mount("/_control", app=create_control(sandbox)), *mounts])
    # A redirect to the same path with a slash would be an answer that no emulator gives and no count shows.
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return app


def describe(sandbox: Sandbox, base_url: str) -> str:
    """Say in plain text what is at `base_url`."""
    emulators = [f"  {base_url}/{name}  ({len(emulator.routes)} operations)" for name, emulator in sandbox.emulators.items()]
    return "\n".join(
        [
            "Sandbox of invoice systems. Sample data only; nothing leaves this process.",
            "",
            *emulators,
            "",
            f"Control, below {base_url}/_control:",
            _CONTROL,
        ]
    )


def _shipped(seed: int) -> Iterator[Emulator]:
    parties = make_parties(seed)
    names = sorted(module.name for module in pkgutil.iter_modules(gateway.sandbox.__path__) if module.ispkg)
    for name in names:
        yield importlib.import_module(f"{gateway.sandbox.__name__}.{name}").create(parties, seed)


class _WatchedEmulator:
    """ASGI application: one emulator, with what the sandbox adds to it."""

    def __init__(self, sandbox: Sandbox, emulator: Emulator) -> None:
        self._sandbox = sandbox
        self._emulator = emulator
        self._router = Router(emulator.routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation, handler = self._match(scope)
        with self._sandbox.calls.counting(self._emulator.name, operation):
            body = await _read(receive)
            if body is None:
                return
            request = self._record(scope, operation, body)
            exchange = Exchange(scope, _replay(body, receive), send, handler, self._sandbox.sleep)
            fault = self._sandbox.faults.take(request)
            await (exchange.answer() if fault is None else misbehave(fault, exchange))

    def _match(self, scope: Scope) -> tuple[str, ASGIApp]:
        """Find the route, put its path parameters into `scope`, and give its name and what answers."""
        for route in self._emulator.routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                scope.update(child_scope)
                return route.name, route.handle
        return UNMATCHED, self._answer_unmatched

    async def _answer_unmatched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404, or 405 for a path that has other methods."""
        # With `app` in the scope, Starlette would raise these past the faults that spoil or lose answers.
        alone = {key: value for key, value in scope.items() if key != "app"}
        await self._router(alone, receive, send)

    def _record(self, scope: Scope, operation: str, body: bytes) -> RecordedRequest:
        headers = Headers(scope=scope)
        request = RecordedRequest(
            system=self._emulator.name,
            operation=operation,
            method=scope["method"],
            path=scope["path"].removeprefix(scope["root_path"]),
            query=scope["query_string"].decode("latin-1"),
            headers={name: ", ".join(headers.getlist(name)) for name in headers},
            body=body.decode(errors="replace"),
        )
        self._sandbox.requests.record(request)
        return request


async def _read(receive: Receive) -> bytes | None:
    """Read the whole body; None when the client leaves before its end."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a `receive` that tells `body` again, then goes on with what comes after it."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
