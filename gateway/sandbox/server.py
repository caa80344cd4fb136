"""Serve the sandbox over HTTP: inside a test or the demo with `serving`, as a command of its own with `run`.

It is uvicorn's protocol below a listener of our own: that starts and ends within milliseconds, leaves signals and logging
to the process around it, and ends requests that hang.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.sandbox.app import create_sandbox, describe
from gateway.sandbox.misbehaviour import DROP_EXTENSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.sandbox.emulator import Emulator
    from gateway.sandbox.state import Sandbox

_KEEP_ALIVE_SECONDS: Final = 120
_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER, on, for 0 seconds: closing the socket sends RST instead of FIN."""
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared with, not bound to)  # nosec B104


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers at `base_url`."""

    base_url: str
    sandbox: Sandbox


class SandboxProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, with a way for the application to end the connection."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False
        self._lost = asyncio.Event()

    def on_message_begin(self) -> None:
        """Start the scope of a request, and put into it what ends this connection."""
        super().on_message_begin()
        self.scope["extensions"] = {DROP_EXTENSION: self.drop}  # type: ignore[dict-item]  # uvicorn types the values as dicts only
        # uvicorn's own server renews the date each second; here is none.
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell uvicorn first, then those who wait in `drop`."""
        super().connection_lost(exc)
        self._lost.set()

    async def drop(self, *, reset: bool = False) -> None:
        """End the connection, by a TCP reset if asked so, and wait until uvicorn knows: it then logs no missing answer."""
        if reset and not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self.transport.abort()
        await self._lost.wait()


@asynccontextmanager
async def serving(
    host: str = "127.0.0.1", port: int = 0, seed: int = 1, *, emulators: Sequence[Emulator] | None = None
) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox in the running event loop until the block ends; port 0 takes a free one. Raises `OSError` if it cannot listen."""
    app = create_sandbox(seed, emulators=emulators)
    config = uvicorn.Config(
        _ends_quietly(app),
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    config.load()
    state = ServerState()
    listener = await asyncio.get_running_loop().create_server(lambda: SandboxProtocol(config, state, {}), host, port)
    try:
        yield RunningSandbox(_address(listener), app.state.sandbox)
    finally:
        listener.close()
        await _end_all(state)
        await listener.wait_closed()


async def _end_all(state: ServerState) -> None:
    await asyncio.gather(*(connection.drop() for connection in list(state.connections) if isinstance(connection, SandboxProtocol)))
    tasks = list(state.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _ends_quietly(app: ASGIApp) -> ASGIApp:
    """Let a request that the end of the server cancels end without a word; uvicorn would log it as a failure."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet


def _address(listener: asyncio.Server) -> str:
    host, port = listener.sockets[0].getsockname()[:2]
    host = _WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(host: str, port: int, seed: int, *, emulators: Sequence[Emulator] | None = None) -> None:
    """Serve until Ctrl-C, having printed what is where. Raises `SystemExit(2)` when it cannot listen."""
    try:
        asyncio.run(_serve_for_ever(host, port, seed, emulators))
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    except _CannotListen as error:
        sys.stderr.write(f"sandbox: {error}\n")
        raise SystemExit(2) from None


class _CannotListen(Exception):
    """The address cannot be had; the message says which and why."""


async def _serve_for_ever(host: str, port: int, seed: int, emulators: Sequence[Emulator] | None) -> None:
    async with AsyncExitStack() as stack:
        try:
            running = await stack.enter_async_context(serving(host, port, seed, emulators=emulators))
        except OSError as error:
            raise _CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        sys.stdout.write(announcement(running))
        sys.stdout.flush()
        await asyncio.Event().wait()


def announcement(running: RunningSandbox) -> str:
    """Say what is at `running` and, as TOML to paste, how a gateway is pointed there."""
    tables = running.sandbox.source_tables(running.base_url)
    toml = "\n".join(_toml_table(f"sources.{_toml_key(key)}", table) for key, table in tables.items())
    return f"{describe(running.sandbox, running.base_url)}\nConfiguration of a gateway that reads it:\n\n{toml}\nCtrl-C ends.\n"


def _toml_table(name: str, table: Mapping[str, Any]) -> str:
    return f"[{name}]\n" + "".join(f"{_toml_key(key)} = {_toml_value(value)}\n" for key, value in table.items())


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _toml_value(value: Any) -> str:  # noqa: ANN401  (any value of a configuration)
    """Write one value; texts, numbers and booleans are in TOML as in JSON."""
    match value:
        case dict():
            pairs = ", ".join(f"{_toml_key(key)} = {_toml_value(inner)}" for key, inner in value.items())
            return "{ " + pairs + " }" if pairs else "{}"
        case list() | tuple():
            return "[" + ", ".join(map(_toml_value, value)) + "]"
        case str() | bool() | int() | float():
            return json.dumps(value, ensure_ascii=False)
        case _:
            raise TypeError(f"TOML cannot say {value!r}")
