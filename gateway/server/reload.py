"""Reading the configuration again while the gateway serves: what was asked for several times meanwhile is done once.

A configuration that cannot be used changes nothing. Whatever comes of it is said in lines; nobody gets a traceback.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, NoReturn

from gateway.errors import GatewayError, SettingsError
from gateway.settings import Settings, SourceSettings

_LOG: Final = logging.getLogger("gateway")
_FIXED: Final = ("host", "port", "state", "workers", "unready_seconds", "drain_seconds")
"""What a process has taken hold of for good."""

Read = Callable[[], Settings]
"""Reads the configuration. Raises `SettingsError` with lines that name the file."""
Take = Callable[[Settings], Awaitable[Iterable[str]]]
"""Puts a configuration to use; gives what there is to say. Raises `SettingsError`, or another `GatewayError`, with nothing changed."""
Say = Callable[[str], None]


class Reloads:
    """Takes the configuration called `name` again each time it is asked to; one time serves all who ask while another is under way."""

    def __init__(self, name: str, read: Read, take: Take, say: Say) -> None:
        self._name = name
        self._read = read
        self._take = take
        self._say = say
        self._is_asked = asyncio.Event()
        self._running: asyncio.Task[NoReturn] | None = None

    def ask(self) -> None:
        """Have the configuration read again soon."""
        self._is_asked.set()

    def begin(self) -> None:
        """Do from now on what is asked, and was asked before."""
        self._running = asyncio.ensure_future(self.run())

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Ask at each SIGHUP while the block runs, where the system has it, and do nothing more at its end."""
        with _hearing(self.ask):
            try:
                yield
            finally:
                if self._running is not None:
                    self._running.cancel()

    async def run(self) -> NoReturn:
        """Do what is asked, until cancelled."""
        while True:
            await self._is_asked.wait()
            self._is_asked.clear()
            await self.once()

    async def once(self) -> bool:
        """Read the configuration again and say what came of it; False: nothing was changed."""
        try:
            return await self._read_and_take()
        except Exception as error:  # noqa: BLE001  (a bug of ours must end neither what serves nor the reading)
            _LOG.error("the configuration was not taken again: %s", type(error).__name__)
            return self._told_why(self._named(["it cannot be taken again"]))

    async def _read_and_take(self) -> bool:
        try:
            settings = await asyncio.to_thread(self._read)
        except SettingsError as error:
            return self._told_why(error.lines)
        try:
            self._tell(await self._take(settings))
        except SettingsError as error:
            return self._told_why(self._named(error.lines))
        except GatewayError as error:
            return self._told_why(self._named([error.message]))
        return True

    def _tell(self, lines: Iterable[str]) -> None:
        for line in self._named(lines):
            self._say(line)

    def _told_why(self, whole_lines: Iterable[str]) -> Literal[False]:
        for line in whole_lines:
            self._say(line)
        self._tell(["nothing was changed, the gateway goes on with what it has"])
        return False

    def _named(self, lines: Iterable[str]) -> list[str]:
        return [f"{self._name}: {line}" for line in lines]


@contextmanager
def _hearing(ask: Callable[[], None]) -> Iterator[None]:
    if not hasattr(signal, "SIGHUP") or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGHUP)
    loop.add_signal_handler(signal.SIGHUP, ask)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


def with_what_is_fixed(read: Settings, running: Settings) -> tuple[Settings, list[str]]:
    """Give a configuration with what cannot change in a process as it is, and a line for each such key that was to be something else."""
    kept = {name: getattr(running.server, name) for name in _FIXED}
    lines = [
        f"server.{name}: stays as it is until the gateway is started again" for name in _FIXED if getattr(read.server, name) != kept[name]
    ]
    return read.model_copy(update={"server": read.server.model_copy(update=kept)}), lines


def differences(before: Settings, now: Settings) -> Iterator[str]:
    """Say which sources and callers are others than before: what was read again is in use."""
    yield "read again, and in use from now on"
    yield from _changes("sources", _enabled(before), _enabled(now))
    yield from _changes("callers", {caller.name: caller for caller in before.callers}, {caller.name: caller for caller in now.callers})


def _enabled(settings: Settings) -> dict[str, SourceSettings]:
    return {key: source for key, source in settings.sources.items() if source.enabled}


def _changes(what: str, before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    found = {
        "added": [key for key in now if key not in before],
        "changed": [key for key in now if key in before and now[key] != before[key]],
        "removed": [key for key in before if key not in now],
    }
    told = [f"{how} {', '.join(keys)}" for how, keys in found.items() if keys]
    if told:
        yield f"{what}: {'; '.join(told)}"
