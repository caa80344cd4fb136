"""A window that several replicas use: one of them reads it, the others take it out of a store that they have in common.

What goes into the store is compressed and sealed with a key that is made of all that the source is configured with, so that only who
could read the window can read it here; its name is made of the same: another configuration has other windows. Whoever reads holds a
lease meanwhile. Where it takes longer than the others can wait, or the store is away, each reads for itself.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from gateway.errors import JournalUnavailable
from gateway.transport.clock import Clock
from gateway.transport.seal import Seal

T = TypeVar("T")

MOST_BYTES: Final = 8_000_000
"""Of a window as it is stored; a larger one is read by each replica."""
LEASE_SECONDS: Final = 30.0
_STORE_SECONDS: Final = 2.0
"""How long the store has for an answer; a request may wait meanwhile."""
_LOOK_SECONDS: Final = 0.1
_KIND: Final = "window 1"
"""With the number of the form that contents are written in: those of another one are not found."""
_QUICKLY: Final = 1


class Stored(Protocol):
    """What the store has of a window."""

    @property
    def read_at(self) -> datetime:
        """When the reading of it began, by the clock of the store: tells it from others."""

    @property
    def age_seconds(self) -> float:
        """How long ago that was."""

    @property
    def sealed(self) -> bytes | None:
        """Its content; None: it is the one that is known, or it has none, as it was not to be stored."""


class WindowStore(Protocol):
    """Keeps windows for all replicas. Every method raises `JournalUnavailable`."""

    async def look(self, name: str, *, known: datetime | None) -> Stored | None:
        """Give what there is; None: nothing yet. The content of the one that was read at `known` is not needed."""

    async def begin(self, name: str, source: str, *, fresh_seconds: float, lease_seconds: float, is_forced: bool) -> datetime | None:
        """Let a replica read; gives its ticket. None: another one reads, or has read in the last `fresh_seconds`, and it is not forced."""

    async def keep(self, name: str, ticket: datetime, sealed: bytes | None, *, keep_seconds: float) -> bool:
        """Keep what was read, for so long. False: another one began later and was faster, whose window stays."""

    async def give_up(self, name: str, ticket: datetime) -> None:
        """Note that nothing was read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A window that another replica has read. `content` None: the one that is known. `began_at`: a point of `Clock.monotonic`."""

    content: bytes | None
    began_at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Leave to read. `ticket` None: for itself alone, there is nobody to tell."""

    ticket: datetime | None


_ALONE: Final = Turn(None)


class SharedWindow:
    """One window of one source, in a store."""

    def __init__(
        self,
        store: WindowStore,
        source: str,
        name: str,
        secret: bytes,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]],
        most_bytes: int,
    ) -> None:
        self._store = store
        self._source = source
        self._about = f"{source}/{name}"
        self._secret = secret
        self._clock = clock
        self._sleep = sleep
        self._most_bytes = most_bytes
        self._made: Seal | None = None
        self._known: datetime | None = None
        """When the one was read that was given or stored last, by the clock of the store."""

    async def turn(self, *, fresh_seconds: float, after: float | None, patience_seconds: float) -> Found | Turn:
        """Give a window that was read in the last `fresh_seconds` and after a point of `Clock.monotonic`, or leave to read.

        `after` None: at any point. While another replica reads it is waited for, at most so long.
        """
        waits_until = self._clock.monotonic() + patience_seconds
        try:
            while True:
                asked_at = self._clock.monotonic()
                stored = await _in_time(self._store.look((await self._seal()).name, known=self._known))
                is_late = asked_at >= waits_until
                if stored is not None and stored.age_seconds < fresh_seconds:
                    began_at = asked_at - stored.age_seconds  # or a little later: the age is that of another moment
                    if after is None or began_at > after:
                        return await self._found(stored, began_at)
                    is_late = True
                ticket = await self._begun(fresh_seconds, is_forced=is_late)
                if ticket is not None:
                    return Turn(ticket)
                await self._sleep(_LOOK_SECONDS)
        except (JournalUnavailable, TimeoutError):
            return _ALONE

    async def own_turn(self, *, fresh_seconds: float) -> Turn:
        """Give leave to read whatever there is, and whoever reads."""
        with suppress(JournalUnavailable, TimeoutError):
            return Turn(await self._begun(fresh_seconds, is_forced=True))
        return _ALONE

    async def keep(self, turn: Turn, content: Callable[[], bytes] | None, *, fresh_seconds: float) -> None:
        """Keep what was read, unless it is too large; `content`, called in a thread, gives it. None: it is not to be shared."""
        if turn.ticket is None:
            return
        seal = await self._seal()
        sealed = None if content is None else await asyncio.to_thread(self._closed, seal, content)
        with suppress(JournalUnavailable, TimeoutError):
            kept = self._store.keep(seal.name, turn.ticket, sealed, keep_seconds=fresh_seconds)
            if await _in_time(kept):
                self._known = turn.ticket

    async def give_up(self, turn: Turn) -> None:
        """Say that nothing was read, so that another one tries."""
        if turn.ticket is not None:
            with suppress(JournalUnavailable, TimeoutError):
                await _in_time(self._store.give_up((await self._seal()).name, turn.ticket))

    async def _begun(self, fresh_seconds: float, *, is_forced: bool) -> datetime | None:
        name = (await self._seal()).name
        begun = self._store.begin(name, self._source, fresh_seconds=fresh_seconds, lease_seconds=LEASE_SECONDS, is_forced=is_forced)
        return await _in_time(begun)

    async def _found(self, stored: Stored, began_at: float) -> Found | Turn:
        if stored.read_at == self._known:
            return Found(None, began_at)
        content = None if stored.sealed is None else await asyncio.to_thread(_opened, await self._seal(), stored.sealed)
        if content is None:
            return _ALONE
        self._known = stored.read_at
        return Found(content, began_at)

    def _closed(self, seal: Seal, content: Callable[[], bytes]) -> bytes | None:
        packed = zlib.compress(content(), _QUICKLY)
        return None if len(packed) > self._most_bytes else seal.close(packed)

    async def _seal(self) -> Seal:
        if self._made is None:
            self._made = await asyncio.to_thread(Seal.of, _KIND, self._about, self._secret)
        return self._made


class SharedWindows:
    """Where the replicas of a source have its windows. `secret`: all that the source is configured with."""

    def __init__(
        self,
        store: WindowStore,
        source: str,
        secret: bytes,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._store = store
        self._source = source
        self._secret = secret
        self._clock = clock
        self._sleep = sleep
        self._most_bytes = most_bytes

    def of(self, name: str) -> SharedWindow:
        """Give one of its windows."""
        return SharedWindow(self._store, self._source, name, self._secret, self._clock, sleep=self._sleep, most_bytes=self._most_bytes)


def _opened(seal: Seal, sealed: bytes) -> bytes | None:
    packed = seal.open(sealed)
    return None if packed is None else zlib.decompress(packed)


async def _in_time(telling: Awaitable[T]) -> T:
    async with asyncio.timeout(_STORE_SECONDS):
        return await telling
