"""The HTTP server of a process, from its start to an orderly end."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage
from uvicorn.loops.auto import auto_loop_factory
from uvicorn.server import HANDLED_SIGNALS

from gateway.loaders import Clock
from gateway.server.load import Load
from gateway.settings import ServerSettings

STARTUP_FAILED: Final = 3
"""The exit code of a process whose application does not start."""
_OURS: Final = "gateway.errors."
_INTERRUPTED: Final = "asyncio.exceptions.CancelledError"
_CUT_SECONDS: Final = 0.1
_IDLE_SECONDS: Final = 75
"""How long a connection is kept on which nothing is asked: longer than load balancers keep theirs, 60 s as a rule. Whoever closes first
must be the one who asks, or a request goes into a connection that is just being closed."""
_COLLECTIONS: Final = (100_000, 10, 10)
"""When the collector looks for cycles. A request leaves none behind, so that it only finds what is still in use: with many requests at
once, each of thousands of objects, Python's own (700, 10, 10) cost a quarter of the time of a request."""


def run(serving: Coroutine[object, object, None]) -> None:
    """Run a process that serves, on uvloop where the platform has it."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(serving)


class _Lifespan(LifespanOn):
    """Says in a line why the application does not start, where that is no bug."""

    async def send(self, message: LifespanSendMessage) -> None:
        """Leave out where it was raised."""
        if message["type"] == "lifespan.startup.failed":
            name, _, reason = message.get("message", "").rstrip().rpartition("\n")[2].partition(": ")
            if name.startswith(_OURS) or name == _INTERRUPTED:
                message = {**message, "message": reason or "it was interrupted"}
        await super().send(message)


class _Config(uvicorn.Config):
    def load(self) -> None:
        """Put our own lifespan in the place of uvicorn's."""
        super().load()
        self.lifespan_class = _Lifespan


class Server(uvicorn.Server):
    """Serves until it is told to stop, and then ends in order: it is unready, accepts nobody, ends what is in hand.

    SIGTERM, from whoever sends it requests, leaves time for them to learn that it is unready; Ctrl-C does not. What is still in
    hand after `drain_seconds` loses its connection, which ends it as a client that leaves does. A second signal ends the process.
    """

    def __init__(self, app: ASGIApp, load: Load, settings: ServerSettings, clock: Clock, on_start: Callable[[], None]) -> None:
        super().__init__(
            _Config(app, log_config=None, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=_IDLE_SECONDS)
        )
        self._load = load
        self._settings = settings
        self._clock = clock
        self._on_start = on_start
        self._closes_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say once it answers, when a signal is quiet, too."""
        await super().startup(sockets)
        # What is there by now stays: the collector need not look through it each time, which took half the time of a request.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECTIONS)
        self._on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; uvicorn's own way would have the process killed by the signal in the end."""
        del frame
        for handled in HANDLED_SIGNALS:
            signal.signal(handled, signal.SIG_DFL)
        self.stop(sig)

    def stop(self, sig: int) -> None:
        """Begin to stop, as a signal has it."""
        self._load.stop()
        self._closes_at = self._clock.monotonic() + (self._settings.unready_seconds if sig == signal.SIGTERM else 0)
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Say whether it is time to accept nobody any more."""
        return await super().on_tick(counter) and self._clock.monotonic() >= self._closes_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody, wait for what is in hand, and cut it off when that takes too long; then for the end of the application."""
        cutting = asyncio.ensure_future(self._cut_off())
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()

    async def _cut_off(self) -> None:
        await asyncio.sleep(self._settings.drain_seconds)
        while True:  # one that was just being accepted appears late
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(_CUT_SECONDS)
