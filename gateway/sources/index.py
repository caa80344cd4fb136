"""An index over reads that take a window of time instead of a key; one for all requests of a process.

The source gives the read and says what a row's key and place are; the index decides when to ask: one refresh at a time, nothing
within the ttl, then what has changed since, or everything again where changes do not show. It never takes an empty window for
news: some systems answer so when they fail. It knows no system. Where replicas share it, one of them reads, and the others take all
that it knows then.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

from gateway.errors import GatewayError, UpstreamTimeout
from gateway.sources.decode import decode_tree, encode_tree
from gateway.transport import Clock, Scope, Way
from gateway.transport.shared_window import Found, SharedWindow, Turn

T = TypeVar("T")

SortKey: TypeAlias = tuple[str | int, ...]
"""Where a row stands among the others; no two rows have the same."""
MAX_ROWS: Final = 200_000
REFRESH_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Generic[T]):
    """What one read gave: its rows by key, up to which instant, and whether none of them is missing.

    `until` is the instant from which the next read has to ask: the moment of asking, not an end that lies in the future.
    Not `complete`: a part could not be read, or a row has no readable key.
    """

    rows: Mapping[str, T]
    until: datetime
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Generic[T]):
    """What was known at one moment; never changes.

    Not `complete`: something may be missing, so that a key which is not in it is not proven absent. `as_of`: when the newest
    window that had rows was read; None: there was none yet.
    """

    rows: tuple[T, ...] = ()
    """In the order of their sort keys."""
    complete: bool = False
    as_of: datetime | None = None
    by_key: Mapping[str, T] = field(default_factory=dict, repr=False)
    order: Callable[[T], SortKey] = field(repr=False)

    def get(self, key: str) -> T | None:
        """Give the row with this key; None: it is not there, which proves nothing unless the snapshot is `complete`."""
        return self.by_key.get(key)

    def after(self, place: SortKey | None) -> Iterator[T]:
        """Give the rows behind a place (None: all of them), whether or not a row stands there; costs what is taken."""
        start = 0 if place is None else bisect_right(self.rows, place, key=self.order)
        return (self.rows[number] for number in range(start, len(self.rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """How an index stands at a moment, without its rows.

    `part`: which part of the source it covers, where it has several. `as_of`: as `Snapshot.as_of`. `fresh_seconds`: for how long what
    is known is taken as it is; 0: who asks next has it read again. `failure`: the code of the last refresh, where it failed.
    """

    operation: str
    part: str | None = None
    rows: int
    complete: bool
    as_of: datetime | None
    fresh_seconds: float
    is_refreshing: bool
    failure: str | None


ReadWindow: TypeAlias = Callable[[datetime | None, Scope], Awaitable[Window[T]]]
"""Reads what has changed since an instant; None: everything. Raises upstream errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing(Generic[T]):
    """How an index is shared with other replicas, and how its rows are written there: each in a line, which is read with its key."""

    window: SharedWindow
    write: Callable[[T], bytes]
    read: Callable[[bytes], tuple[str, T]]


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    """A snapshot, from when to ask next, and how long before it everything was read. None: everything is to be read."""

    snapshot: Snapshot[T]
    until: datetime | None
    full_before_seconds: float | None


class WindowIndex(Generic[T]):
    """Keeps what windows have shown. Shared by all requests; holds no state of any.

    `overlap`: how far before the end of the newest window the next one begins; None: changes do not show in an increment, so
    everything is read each time. `full_after_seconds`: when increments are given up for one read of everything.
    `refresh_seconds`: how long a refresh may take, whoever waits for it. `sharing`: with other replicas; None: it is this process's own.
    """

    def __init__(  # noqa: PLR0913  (all but the first by name; each is a promise of its own)
        self,
        read: ReadWindow[T],
        *,
        order: Callable[[T], SortKey],
        clock: Clock,
        source: str,
        operation: str,
        ttl_seconds: float,
        overlap: timedelta | None,
        full_after_seconds: float | None = None,
        max_rows: int = MAX_ROWS,
        refresh_seconds: float = REFRESH_SECONDS,
        sharing: Sharing[T] | None = None,
    ) -> None:
        self._read = read
        self._clock = clock
        self._source = source
        self._operation = operation
        self._ttl_seconds = ttl_seconds
        self._overlap = overlap
        self._full_after_seconds = full_after_seconds
        self._max_rows = max_rows
        self._refresh_seconds = refresh_seconds
        self._sharing = sharing
        self._known: Snapshot[T] = Snapshot(order=order)
        self._until: datetime | None = None
        self._read_at: float | None = None
        self._full_at: float | None = None
        self._has_dropped = False
        self._refresh: asyncio.Task[Snapshot[T] | GatewayError] | None = None
        self._expiries = 0
        self._expired_at: float | None = None
        self._asked_after: int | None = None
        """So many expiries had been when the refresh that is under way was asked for; None: it waits for the one before it."""

    @property
    def state(self) -> IndexState:
        """Say how it stands; calls nobody."""
        passed = None if self._read_at is None else self._clock.monotonic() - self._read_at
        return IndexState(
            operation=self._operation,
            rows=len(self._known.rows),
            complete=self._known.complete,
            as_of=self._known.as_of,
            fresh_seconds=0.0 if passed is None else max(0.0, self._ttl_seconds - passed),
            is_refreshing=self._refresh is not None and not self._refresh.done(),
            failure=self._failure,
        )

    @property
    def known(self) -> Snapshot[T]:
        """What is known, however old; calls nobody."""
        return self._known

    @property
    def _failure(self) -> str | None:
        refresh = self._refresh
        if refresh is None or not refresh.done() or refresh.cancelled():
            return None
        outcome = refresh.result() if refresh.exception() is None else GatewayError("a bug of ours")
        return outcome.code if isinstance(outcome, GatewayError) else None

    async def current(self, scope: Scope) -> Snapshot[T]:
        """Give what is known, refreshed where it is older than the ttl.

        Waits for a refresh that is under way, whoever began it, until the scope's deadline: then raises `UpstreamTimeout` and
        leaves the refresh to the others. Raises what the read raised; what was known then stays for the next try.
        """
        if self._is_fresh():
            if scope.trace is not None:
                scope.trace.kept(self._source, self._operation)
            return self._known
        if self._refresh is None or self._refresh.done() or self._is_too_early():
            before = None if self._refresh is None or self._refresh.done() else self._refresh
            self._asked_after = None
            self._refresh = asyncio.create_task(self._refreshed(scope, before))
        elif scope.trace is not None:
            with scope.trace.anew().calling(self._source, self._operation, Way.SHARED):
                return await self._outcome(self._refresh, scope)
        return await self._outcome(self._refresh, scope)

    def expire(self) -> None:
        """Take nothing that was asked for before now for news: who asks from now on gets a window that is read from now on.

        What is known stays known, and who waits already is not kept waiting.
        """
        self._expiries += 1
        self._expired_at = self._clock.monotonic()
        self._read_at = None

    def _is_too_early(self) -> bool:
        return self._asked_after is not None and self._asked_after != self._expiries

    async def _outcome(self, refresh: asyncio.Task[Snapshot[T] | GatewayError], scope: Scope) -> Snapshot[T]:
        scope.calls.begin_wait(self._clock)
        try:
            done, _ = await asyncio.wait({refresh}, timeout=max(0.0, scope.seconds_left(self._clock)))
        finally:
            scope.calls.end_wait(self._clock)
        if not done:
            raise UpstreamTimeout(f"{self._operation}: the window was not read in time", source=self._source, operation=self._operation)
        outcome = refresh.result()
        if isinstance(outcome, GatewayError):
            raise outcome.with_traceback(None)  # one error for all who waited: none adds its way to it
        return outcome

    def _is_fresh(self) -> bool:
        return self._read_at is not None and self._clock.monotonic() - self._read_at < self._ttl_seconds

    async def _refreshed(self, scope: Scope, before: asyncio.Task[Snapshot[T] | GatewayError] | None) -> Snapshot[T] | GatewayError:
        if before is not None:
            await asyncio.wait({before})
        asked_after = self._asked_after = self._expiries
        sharing = self._sharing if self._ttl_seconds > 0 else None
        if sharing is None:
            return await self._read_here(scope, asked_after)
        turn = await self._turn(sharing, scope)
        if isinstance(turn, Found):
            await self._take(sharing, turn, asked_after)
            return self._known
        outcome = await self._read_here(scope, asked_after)
        if isinstance(outcome, GatewayError):
            await sharing.window.give_up(turn)
        else:
            await self._share(sharing, turn)
        return outcome

    async def _turn(self, sharing: Sharing[T], scope: Scope) -> Found | Turn:
        """Find what another replica has read, or be the one who reads: at once where what was written before has to show."""
        if scope.is_fresh:
            return await sharing.window.own_turn(fresh_seconds=self._ttl_seconds)
        # Half of the request's time is left for reading, should whoever reads now be slow, or gone.
        patience = max(0.0, scope.seconds_left(self._clock)) / 2
        return await sharing.window.turn(fresh_seconds=self._ttl_seconds, after=self._expired_at, patience_seconds=patience)

    async def _take(self, sharing: Sharing[T], found: Found, asked_after: int) -> None:
        if found.content is not None:
            known = await asyncio.to_thread(_read_known, sharing, found.content, self._known.order)
            self._known, self._until = known.snapshot, known.until
            self._full_at = None if known.full_before_seconds is None else found.began_at - known.full_before_seconds
            self._has_dropped = False
        self._read_at = found.began_at if asked_after == self._expiries else None

    async def _share(self, sharing: Sharing[T], turn: Turn) -> None:
        """Give the others what is known; one from which something may be missing is no news to them."""
        whole = self._known if self._known.rows and self._known.complete else None
        passed = None if self._full_at is None or self._read_at is None else self._read_at - self._full_at
        known = None if whole is None else _Known(whole, self._until, passed)
        content = None if known is None else partial(_write_known, sharing, known)
        await sharing.window.keep(turn, content, fresh_seconds=self._ttl_seconds)

    async def _read_here(self, scope: Scope, asked_after: int) -> Snapshot[T] | GatewayError:
        asked_at, as_of, since = self._clock.monotonic(), self._clock.now(), self._since()
        try:
            # It may take longer than the request that began it, for others who come; but that one is told at once of a long pause.
            own = replace(scope, deadline=asked_at + self._refresh_seconds, is_fresh=True, waits_until=scope.deadline)
            window = await self._read(since, own)
        except GatewayError as error:  # a value: nobody may be waiting any more
            return error
        self._read_at = asked_at if asked_after == self._expiries else None
        self._known = self._with(window, as_of, is_full=since is None)
        if window.rows and window.complete:
            self._until = window.until
            self._full_at = asked_at if since is None else self._full_at
        return self._known

    def _since(self) -> datetime | None:
        """Say from when to ask; None: everything."""
        if self._until is None or self._full_at is None or self._overlap is None:
            return None
        if self._full_after_seconds is not None and self._clock.monotonic() - self._full_at >= self._full_after_seconds:
            return None
        return self._until - self._overlap

    def _with(self, window: Window[T], as_of: datetime, *, is_full: bool) -> Snapshot[T]:
        known = self._known
        if not window.rows:
            return Snapshot(
                rows=known.rows,
                complete=known.complete and window.complete and not is_full,
                as_of=known.as_of,
                by_key=known.by_key,
                order=known.order,
            )
        replaces = is_full and window.complete
        by_key = dict(window.rows) if replaces else {**known.by_key, **window.rows}
        rows = tuple(sorted(by_key.values(), key=known.order))
        self._has_dropped = len(rows) > self._max_rows or (self._has_dropped and not replaces)
        if len(rows) > self._max_rows:  # the newest stay
            rows = rows[-self._max_rows :]
            first = known.order(rows[0])
            by_key = {key: row for key, row in by_key.items() if known.order(row) >= first}
        return Snapshot(rows=rows, complete=window.complete and not self._has_dropped, as_of=as_of, by_key=by_key, order=known.order)


def _write_known(sharing: Sharing[T], known: _Known[T]) -> bytes:
    as_of, until = known.snapshot.as_of, known.until
    head = {
        "asOf": None if as_of is None else as_of.isoformat(),
        "until": None if until is None else until.isoformat(),
        "fullBefore": known.full_before_seconds,
    }
    return b"\n".join([encode_tree(head), *map(sharing.write, known.snapshot.rows)])


def _read_known(sharing: Sharing[T], content: bytes, order: Callable[[T], SortKey]) -> _Known[T]:
    first, *lines = content.split(b"\n")
    head = decode_tree(first)
    as_of, until, full_before = head["asOf"], head["until"], head["fullBefore"]
    by_key = dict(map(sharing.read, lines))
    snapshot = Snapshot(
        rows=tuple(by_key.values()),
        complete=True,
        as_of=None if as_of is None else datetime.fromisoformat(as_of),
        by_key=by_key,
        order=order,
    )
    return _Known(snapshot, None if until is None else datetime.fromisoformat(until), None if full_before is None else float(full_before))
