"""The windows of NIMPOS, kept for all requests: customers, the invoices of each till, and debts.

Customers are windowed by `Updated`, so that an increment shows what has changed. Invoices are windowed by `CreationDate`, and a
debt that is settled may no longer be listed: of both everything is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeAlias, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.errors import GatewayError
from gateway.sources.base import Clock, Request, Scope, SourceProfile
from gateway.sources.decode import Malformed, convert, decode_tree, encode_tree, local_midnight, text_or_none, to_instant
from gateway.sources.index import IndexState, ReadWindow, Sharing, Snapshot, Window, WindowIndex
from gateway.sources.nimpos import endpoints, mapping
from gateway.sources.nimpos.payloads import CustomerPayload, DebtPayload, InvoicePayload, Row, Rows, guid_of
from gateway.sources.nimpos.settings import NimposOptions
from gateway.transport.shared_window import SharedWindow, SharedWindows

P = TypeVar("P")

Place: TypeAlias = tuple[str, str]
"""Where a row stands in a list: an instant as text, which sorts, and its key."""
ReadRows: TypeAlias = Callable[[Request, Scope], Awaitable[Rows]]

# A till that was offline hands in what was changed before.
_OVERLAP: Final = timedelta(days=1)
_AHEAD: Final = timedelta(days=1)
# The start of a window may be exclusive.
_BEFORE: Final = timedelta(seconds=1)
_FULL_AFTER_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Seen(Generic[P]):
    """A row of a window as it is kept. `number`: what the business calls it, or the invoice it is about."""

    key: str
    place: Place
    number: str | None
    payload: P | Malformed
    raw: bytes
    read_at: datetime


def to_seen(key: str, row: Row, type_: type[P], *, dated: str, numbered: str, zone: ZoneInfo, read_at: datetime) -> Seen[P]:
    """Keep a row; one that cannot be read is kept as the reason."""
    payload: P | Malformed
    try:
        payload = convert(row, type_)
    except Malformed as reason:
        payload = reason
    number = row.get(numbered)
    text = text_or_none(str(number).strip()) if isinstance(number, int | str) and number != 0 else None
    return Seen(key, to_place(row.get(dated), key, zone), text, payload, encode_tree(row), read_at)


def to_place(value: object, key: str, zone: ZoneInfo) -> Place:
    """Give a row its place among the others: its instant in UTC, empty where it has none or the framework's default, then its key."""
    try:
        instant = to_instant(value, zone).astimezone(UTC) if isinstance(value, str) else None
    except (Malformed, OverflowError):  # the first and the last instant there is have no neighbour in another zone
        instant = None
    return "" if instant is None or instant.year == 1 else instant.isoformat(timespec="microseconds"), key


def to_position(place: Place) -> str:
    """Write a place as text."""
    return "|".join(place)


def from_position(position: str) -> Place | None:
    """Read what `to_position` wrote; None for anything else."""
    instant, _, key = position.partition("|")
    return (instant, key) if guid_of(key) == key and (not instant or _is_instant(instant)) else None


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds") == text
    except (ValueError, OverflowError):
        return False


@dataclass(frozen=True, slots=True)
class _Rows(Generic[P]):
    """What the rows of a list are, and which of their fields say when they changed and what they are called."""

    operation: str
    type: type[P]
    dated: str
    numbered: str

    def to_seen(self, key: str, row: Row, zone: ZoneInfo, read_at: datetime) -> Seen[P]:
        return to_seen(key, row, self.type, dated=self.dated, numbered=self.numbered, zone=zone, read_at=read_at)


_CUSTOMERS: Final = _Rows("GetCustomers", CustomerPayload, dated="Updated", numbered="CustomerNo")
_DEBTS: Final = _Rows("GetCustomerDebts", DebtPayload, dated="Updated", numbered="InvoiceNumber")
_INVOICES: Final = _Rows("GetCustomerInvoice", InvoicePayload, dated="CreationDate", numbered="InvoiceNumber")


@dataclass(frozen=True, slots=True)
class Invoices:
    """What the windows of all tills show. `failures`: of the tills that could not be read, the others take nothing from it."""

    known: Snapshot[Seen[InvoicePayload]]
    by_till: tuple[Snapshot[Seen[InvoicePayload]], ...]
    failures: tuple[GatewayError, ...]


class Windows:
    """Asks for windows as seldom as the configuration allows. Raises upstream errors."""

    def __init__(
        self, profile: SourceProfile, options: NimposOptions, clock: Clock, read_rows: ReadRows, shared: SharedWindows | None = None
    ) -> None:
        """`shared`: where to have them in common with other replicas; None: they are this process's own."""
        self._profile = profile
        self._shared = shared
        self._ttl_seconds = options.window_ttl_seconds
        self._clock = clock
        self._read_rows = read_rows
        self._terminal_ids = tuple(dict.fromkeys(options.terminal_ids))
        self.start = local_midnight(options.window_start, profile.time_zone)
        self._customers = self._index(_CUSTOMERS, self._read_customers, is_incremental=True)
        self._debts = self._index(_DEBTS, self._read_debts)
        self._tills = tuple(self._index(_INVOICES, self._reader_of(till), part=str(till)) for till in self._terminal_ids)
        self._merged: tuple[tuple[Snapshot[Seen[InvoicePayload]], ...], Snapshot[Seen[InvoicePayload]]] = ((), Snapshot(order=_place_of))

    @property
    def till_count(self) -> int:
        """How many tills there are."""
        return len(self._tills)

    @property
    def indexes(self) -> tuple[IndexState, ...]:
        """How the windows stand; calls nobody."""
        tills = (replace(till.state, part=f"till {number}") for number, till in enumerate(self._tills, 1))
        return (self._customers.state, *tills, self._debts.state)

    @property
    def are_kept(self) -> bool:
        """Say whether what a window has shown is taken as it is for a while."""
        return self._ttl_seconds > 0

    def now(self) -> datetime:
        """Give the present second in the source's zone; whole seconds, so that equal reads look equal."""
        return self._clock.now().astimezone(self._profile.time_zone).replace(microsecond=0)

    @property
    def end(self) -> datetime:
        """Where a window ends that is to show all: a little ahead, for clocks that are."""
        return self.now() + _AHEAD

    def window(self, since: datetime | None, terminal_id: UUID | None = None) -> endpoints.Window:
        """Make a window from an instant (None: from the start) to its end; the till matters to invoices only (observed)."""
        return endpoints.Window(self.start if since is None else since, self.end, terminal_id or self._terminal_ids[0])

    def expire(self) -> None:
        """Take what is known of invoices and debts for old, as one of them has been written. A customer is not changed by that."""
        for till in self._tills:
            till.expire()
        self._debts.expire()

    async def customers(self, scope: Scope) -> Snapshot[Seen[CustomerPayload]]:
        """Give the customers that are known, by `Updated`."""
        return await self._customers.current(scope)

    async def debts(self, scope: Scope) -> Snapshot[Seen[DebtPayload]]:
        """Give the debts that are known, by `Updated`."""
        return await self._debts.current(scope)

    async def invoices(self, scope: Scope) -> Invoices:
        """Give the invoices that the tills show, by `CreationDate`; a till that fails is said to, never raised."""
        outcomes = await asyncio.gather(*(_outcome(till.current(scope)) for till in self._tills))
        failures = tuple(outcome for outcome in outcomes if isinstance(outcome, GatewayError))
        by_till = tuple(outcome for outcome in outcomes if isinstance(outcome, Snapshot))
        return Invoices(self._together(by_till), by_till, failures)

    def _together(self, shown: tuple[Snapshot[Seen[InvoicePayload]], ...]) -> Snapshot[Seen[InvoicePayload]]:
        if len(shown) == 1:
            return shown[0]
        made_of, merged = self._merged
        if len(made_of) != len(shown) or any(old is not new for old, new in zip(made_of, shown, strict=True)):
            merged = _merge(shown)
            self._merged = (shown, merged)
        return merged

    def _index(self, what: _Rows[P], read: ReadWindow[Seen[P]], *, part: str = "", is_incremental: bool = False) -> WindowIndex[Seen[P]]:
        return WindowIndex(
            read,
            order=_place_of,
            clock=self._clock,
            source=self._profile.key,
            operation=what.operation,
            ttl_seconds=self._ttl_seconds,
            overlap=_OVERLAP if is_incremental else None,
            full_after_seconds=_FULL_AFTER_SECONDS,
            sharing=None if self._shared is None else self._sharing(what, self._shared.of(f"{what.operation} {part}")),
        )

    def _sharing(self, what: _Rows[P], window: SharedWindow) -> Sharing[Seen[P]]:
        def read(line: bytes) -> tuple[str, Seen[P]]:
            key, read_at, raw = line.split(b" ", 2)
            seen = what.to_seen(key.decode(), decode_tree(raw), self._profile.time_zone, datetime.fromisoformat(read_at.decode()))
            return seen.key, seen

        return Sharing(window=window, write=_to_line, read=read)

    async def _read_customers(self, since: datetime | None, scope: Scope) -> Window[Seen[CustomerPayload]]:
        """Ask for an increment from before the last known change on: it then has a row, and an empty one is an error that looks so."""
        known = self._customers.known.rows
        last = datetime.fromisoformat(known[-1].place[0]) if known and known[-1].place[0] else None
        if since is not None and last is not None and last - _BEFORE < since:
            since = (last - _BEFORE).astimezone(self._profile.time_zone)
        window = await self._read(endpoints.get_customers(self.window(since)), _CUSTOMERS, scope)
        is_empty = last is not None and not window.rows
        return replace(window, complete=window.complete and not is_empty)

    async def _read_debts(self, since: datetime | None, scope: Scope) -> Window[Seen[DebtPayload]]:
        request = endpoints.get_customer_debts(self.window(since))
        window = await self._read(request, _DEBTS, scope)
        is_readable = not any(isinstance(seen.payload, Malformed) for seen in window.rows.values())
        return replace(window, complete=window.complete and is_readable)  # what cannot be read may be owed, too

    def _reader_of(self, terminal_id: UUID) -> ReadWindow[Seen[InvoicePayload]]:
        async def read(since: datetime | None, scope: Scope) -> Window[Seen[InvoicePayload]]:
            request = endpoints.get_customer_invoice(self.window(since, terminal_id))
            return await self._read(request, _INVOICES, scope)

        return read

    async def _read(self, request: Request, what: _Rows[P], scope: Scope) -> Window[Seen[P]]:
        asked_at = self.now()
        rows = await self._read_rows(request, scope)
        read_at, zone = self._clock.now(), self._profile.time_zone
        seen = {key: what.to_seen(key, row, zone, read_at) for key, row in rows.by_id.items()}
        return Window(rows=seen, until=asked_at, complete=rows.complete)


def _place_of(seen: Seen[P]) -> Place:
    return seen.place


def _to_line(seen: Seen[P]) -> bytes:
    return b" ".join((seen.key.encode(), seen.read_at.isoformat().encode(), seen.raw))


def _merge(shown: Sequence[Snapshot[Seen[InvoicePayload]]]) -> Snapshot[Seen[InvoicePayload]]:
    by_key: dict[str, Seen[InvoicePayload]] = {}
    for snapshot in shown:
        for key, seen in snapshot.by_key.items():
            by_key[key] = _of_two_tills(by_key[key], seen) if key in by_key else seen
    return Snapshot(
        rows=tuple(sorted(by_key.values(), key=_place_of)),
        complete=all(snapshot.complete for snapshot in shown),
        as_of=min((snapshot.as_of for snapshot in shown if snapshot.as_of is not None), default=None),
        by_key=by_key,
        order=_place_of,
    )


def _of_two_tills(one: Seen[InvoicePayload], other: Seen[InvoicePayload]) -> Seen[InvoicePayload]:
    """Give an invoice with the orders that both tills list; where one of them cannot be read, neither is trusted."""
    if isinstance(one.payload, Malformed):
        return one
    if isinstance(other.payload, Malformed):
        return other
    return replace(one, payload=mapping.together([one.payload, other.payload]))


async def _outcome(snapshot: Awaitable[Snapshot[Seen[P]]]) -> Snapshot[Seen[P]] | GatewayError:
    try:
        return await snapshot
    except GatewayError as error:
        return error
