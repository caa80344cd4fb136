"""Several processes that serve at one address, and the one around them that replaces those that end.

The workers are forked from a process that has made the application and opened nothing: they share its memory, and one that takes
another's place answers within a moment. On Linux each of them listens for itself, and the kernel shares out who connects: at one
socket for all, whoever is awake already takes every connection, measured at 32 of 32. One that is gone is given none any more.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final

from starlette.types import ASGIApp

from gateway.loaders import Clock
from gateway.server.load import Load
from gateway.server.process import STARTUP_FAILED, Server, run
from gateway.server.reload import Reloads
from gateway.settings import ServerSettings

_LOG: Final = logging.getLogger("gateway")
_HANGUP: Final = getattr(signal, "SIGHUP", None)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, *([] if _HANGUP is None else [_HANGUP]))
_UP: Final = b"u"
_WORDS: Final = {signal.SIGINT: b"i", signal.SIGTERM: b"t"}
_RELOAD: Final = b"r"
_SOON_SECONDS: Final = 5.0
"""Who ends before that has done nothing worth to be called work."""
_PAUSES_SECONDS: Final = (0.0, 1.0, 5.0, 30.0)
"""After the first that ends soon in one place, the second in a row, and so on."""
_THREAD_SECONDS: Final = 1.0

_HAS_SHARES: Final = sys.platform == "linux"  # elsewhere SO_REUSEPORT shares out nothing

Work = Callable[[socket.socket, socket.socket], None]
"""Serves at a socket, in a process of its own, until it is told to stop by the line that is given first."""


class WorkerServer(Server):
    """A server that stops when its line says so or is cut off, or at SIGTERM.

    Ctrl-C reaches all processes of a terminal, and a supervisor of services may signal all that it started: the second word is not
    heeded here.
    """

    def __init__(self, app: ASGIApp, load: Load, settings: ServerSettings, clock: Clock, line: socket.socket, reloads: Reloads) -> None:
        super().__init__(app, load, settings, clock, self._is_up)
        self._line = line
        self._reloads = reloads

    def _is_up(self) -> None:
        _say(self._line, _UP)
        self._reloads.begin()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Hear the line from the start."""
        asyncio.get_running_loop().add_reader(self._line, self._hear)
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop at SIGTERM; leave Ctrl-C to the process around this one."""
        del frame
        if sig == signal.SIGTERM:
            self._stop_once(sig)

    def _hear(self) -> None:
        word = self._line.recv(1)
        if word == _RELOAD:
            self._reloads.ask()
            return
        asyncio.get_running_loop().remove_reader(self._line)
        # Cut off: nobody is around this process any more, and another may want the address.
        self._stop_once(signal.SIGTERM if word == _WORDS[signal.SIGTERM] else signal.SIGINT)

    def _stop_once(self, sig: int) -> None:
        if not self.should_exit:
            self.stop(sig)


@dataclass(slots=True)
class _Place:
    """Where a worker is, or is to be. `pid` 0: none is there."""

    pid: int = 0
    line: socket.socket | None = None
    is_up: bool = False
    began_at: float = 0.0
    ended_soon: int = 0
    """How many in a row."""
    due_at: float = 0.0
    """When the next one is to begin."""


class Workers:
    """Keeps a number of workers at work. `on_start` is called when all of them serve for the first time.

    At SIGHUP `reload` says whether there is another configuration, which it has made: workers to come begin with it, and those that
    are there are told to read it.
    """

    def __init__(self, count: int, work: Work, listener: socket.socket, on_start: Callable[[], None], reload: Callable[[], bool]) -> None:
        self._work = work
        self._listener = _reserved(listener)
        self._on_start = on_start
        self._reload = reload
        self._places = [_Place() for _ in range(count)]
        self._signals: list[int] = []
        self._is_started = self._is_stopping = self._has_failed = False

    def run(self) -> bool:
        """Serve until SIGTERM or Ctrl-C; False where a worker cannot even begin. A second signal ends all processes."""
        _wait_for_threads()
        gc.collect()
        gc.freeze()  # what is there by now is shared with the workers for as long as nobody touches it
        with self._heard() as wake:
            while not self._is_stopping or any(place.pid for place in self._places):
                self._fill(wake)
                self._wait(wake)
        return not self._has_failed

    @contextmanager
    def _heard(self) -> Iterator[socket.socket]:
        """Take signals down and wake whoever waits at the socket."""
        wake, woken = socket.socketpair()
        woken.settimeout(0)
        wake.settimeout(0)
        before = {each: signal.signal(each, self._take_down) for each in _SIGNALS}
        signal.set_wakeup_fd(woken.fileno())
        try:
            yield wake
        finally:
            signal.set_wakeup_fd(-1)
            for each, handler in before.items():
                signal.signal(each, handler)
            wake.close()
            woken.close()

    def _take_down(self, sig: int, frame: FrameType | None) -> None:
        del frame
        self._signals.append(sig)

    # ------------------------------------------------------------------ beginning

    def _fill(self, wake: socket.socket) -> None:
        now = time.monotonic()
        for place in self._places:
            if not self._is_stopping and not place.pid and place.due_at <= now:
                self._begin(place, wake)

    def _begin(self, place: _Place, wake: socket.socket) -> None:
        mine, theirs = socket.socketpair()
        place.line, place.began_at, place.is_up = mine, time.monotonic(), False
        sys.stdout.flush()  # else what waits there is said by both
        sys.stderr.flush()
        place.pid = os.fork()
        if place.pid == 0:
            self._be_a_worker(theirs, wake)
        theirs.close()

    def _be_a_worker(self, line: socket.socket, wake: socket.socket) -> None:
        """Work, and end the process: nothing of what the process around it was doing is gone on with here."""
        code = STARTUP_FAILED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for left_to_the_other in {*_SIGNALS} - {signal.SIGTERM}:
                signal.signal(left_to_the_other, signal.SIG_IGN)
            wake.close()
            for place in self._places:  # else the lines of the others would not be cut off with the process around them
                if place.line is not None:
                    place.line.close()
            self._work(line, _listener_at(self._listener))
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except Exception:  # noqa: BLE001  (a bug of ours; another worker takes this one's place)
            code = 1
            _LOG.exception("worker %d failed", os.getpid())
        finally:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    # ------------------------------------------------------------------ waiting

    def _wait(self, wake: socket.socket) -> None:
        lines = {place.line: place for place in self._places if place.line is not None}
        ready, _, _ = select.select([wake, *lines], [], [], self._seconds_to_the_next())
        for one in ready:
            if one is wake:
                _drain(wake)
            else:
                self._hear(lines[one])
        while self._signals:  # others come meanwhile
            sig = self._signals.pop(0)
            if sig == _HANGUP:
                self._read_again()
            else:
                self._stop(sig)

    def _read_again(self) -> None:
        if self._is_stopping or _HANGUP in self._signals or not self._reload():
            return
        for place in self._places:
            if place.line is not None:
                _say(place.line, _RELOAD)

    def _seconds_to_the_next(self) -> float | None:
        """Give the time until a worker is to begin; None: none is."""
        waits = [place.due_at - time.monotonic() for place in self._places if not place.pid]
        return None if self._is_stopping or not waits else max(0.0, min(waits))

    def _hear(self, place: _Place) -> None:
        if place.line is not None and _heard_at(place.line) == _UP:
            place.is_up = True
            if not self._is_started and all(place.is_up for place in self._places):
                self._is_started = True
                self._on_start()
        else:
            self._bury(place)

    def _bury(self, place: _Place) -> None:
        """Note the end of a worker, and when another is to take its place."""
        if place.line is not None:
            place.line.close()
        pid, status = os.waitpid(place.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        place.pid, place.line, place.is_up = 0, None, False
        if self._is_stopping:
            return
        if code == STARTUP_FAILED and not self._is_started:
            self._has_failed = True
            self._stop(signal.SIGINT)
            return
        now = time.monotonic()
        place.ended_soon = place.ended_soon + 1 if now - place.began_at < _SOON_SECONDS else 0
        pause = pause_after(place.ended_soon)
        place.due_at = now + pause
        _LOG.warning("worker %d ended by %s; another takes its place%s", pid, _named(code), f" in {pause:g} s" if pause else "")

    # ------------------------------------------------------------------ ending

    def _stop(self, sig: int) -> None:
        """Pass a first signal on, and accept nobody any more once the workers do not; end everything at a second."""
        is_second, self._is_stopping = self._is_stopping, True
        self._listener.close()
        for place in self._places:
            if place.pid and is_second:
                os.kill(place.pid, signal.SIGKILL)
            elif place.line is not None:
                _say(place.line, _WORDS[signal.Signals(sig)])


def run_worker(
    app: ASGIApp, load: Load, settings: ServerSettings, clock: Clock, listener: socket.socket, line: socket.socket, reloads: Reloads
) -> None:
    """Serve at an address where others serve, too, until the line says otherwise."""
    run(WorkerServer(app, load, settings, clock, line, reloads).serve(sockets=[listener]))


def pause_after(ended_soon: int) -> float:
    """Say how many seconds a place stays empty after so many workers in a row that ended soon."""
    return _PAUSES_SECONDS[max(0, min(ended_soon, len(_PAUSES_SECONDS)) - 1)]


def _reserved(listener: socket.socket) -> socket.socket:
    """Give what keeps the address of a socket for the workers, who may listen there; it does not listen itself."""
    if not _HAS_SHARES:
        return listener
    address = listener.getsockname()
    listener.close()
    return _bound(listener.family, address)


def _listener_at(reserved: socket.socket) -> socket.socket:
    """Give a worker's own socket at an address that is kept for it."""
    return _bound(reserved.family, reserved.getsockname()) if _HAS_SHARES else reserved


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(address)
    return bound


def _wait_for_threads() -> None:
    """Let threads end that are about to: a fork copies none of them, and a lock that one has would never be given back."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(_THREAD_SECONDS)


def _say(line: socket.socket, word: bytes) -> None:
    with suppress(OSError):  # whoever was there has ended, and is noticed for it
        line.send(word)


def _heard_at(line: socket.socket) -> bytes:
    """Give a word; nothing where the other end is gone."""
    try:
        return line.recv(1)
    except OSError:
        return b""


def _drain(wake: socket.socket) -> None:
    with suppress(BlockingIOError):
        while wake.recv(4096):
            pass


def _named(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
