"""Customers. No published call reads one: the changed-since list is swept into an index, which answers keys and lists alike.

The first sweep reads from a configured day on, later ones what has changed since the day before the last. Once a day all is
read again, so that customers who are gone leave.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from gateway.errors import AbsenceUnproven, GatewayError, InvalidCursor
from gateway.model import Criteria, Customer, Ref, SourcePage
from gateway.sources.base import Answer, SourceParts
from gateway.sources.compilator import endpoints
from gateway.sources.compilator.answers import NO_CHANGES, NO_ROWS, Absence, reading
from gateway.sources.compilator.mapping import Sent, to_customer, to_number
from gateway.sources.compilator.payloads import CustomerKeyPayload, CustomerPage, CustomerPayload
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.decode import Malformed, Reading, decode
from gateway.sources.index import IndexState, Sharing, Snapshot, Window, WindowIndex
from gateway.transport import Request, Scope

_MAX_PAGES: Final = 10_000
_PAGES_AT_ONCE: Final = 8
_WHOLE_AFTER_SECONDS: Final = 86_400.0
_FROM_ZERO: Final = re.compile(r"[?&]pageNumber=1(?:&|$)", re.IGNORECASE)
_NOT_WHOLE: Final = "the list of customers came empty, or could not be read whole"


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One row of the list. `customer` None: it has a number and cannot be read. `search_code` has no field in the graph."""

    number: int
    customer: Customer | None
    search_code: str | None = None
    changed_at: datetime | None = None

    @property
    def place(self) -> tuple[int]:
        """Where it stands in lists."""
        return (self.number,)


_Snapshot: TypeAlias = Snapshot[CustomerRow]


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of rows; `unreadable` ones do not even have a number, and are left out. `second`: the number of the second page."""

    rows: tuple[CustomerRow, ...]
    unreadable: int
    total_pages: int
    second: int = 2


@dataclass(frozen=True, slots=True)
class _Guids:
    """The customers of a snapshot by GUID. Not `is_whole`: a row cannot be read, and a GUID that is missing may be its."""

    snapshot: _Snapshot
    customers: Mapping[str, Customer]
    is_whole: bool


class CustomerList:
    """The customers of one site; shared by all requests."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: CompilatorOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._index = WindowIndex[CustomerRow](
            self._sweep,
            order=lambda row: row.place,
            clock=parts.clock,
            source=parts.profile.key,
            operation=endpoints.CUSTOMERS,
            ttl_seconds=self._options.sweep_ttl_seconds,
            overlap=timedelta(days=1),  # the path takes days only
            full_after_seconds=_WHOLE_AFTER_SECONDS,
            sharing=self._sharing(parts),
        )
        self._guids: _Guids | None = None

    def _sharing(self, parts: SourceParts) -> Sharing[CustomerRow] | None:
        if parts.windows is None or not self._options.share_windows:
            return None
        return Sharing(window=parts.windows.of(endpoints.CUSTOMERS), write=_to_line, read=self._from_line)

    def _from_line(self, line: bytes) -> tuple[str, CustomerRow]:
        number, _, sent = line.partition(b" ")
        read_at, _, raw = sent.partition(b" ")
        row = self._row(raw, datetime.fromisoformat(read_at.decode())) if raw else None
        return number.decode(), row or CustomerRow(int(number), None)

    @property
    def index(self) -> IndexState:
        """How the sweep stands; calls nobody."""
        return self._index.state

    async def answers(self, scope: Scope) -> Callable[[Ref], Answer]:
        """Sweep where it is time to, and give what answers keys: numbers or GUIDs. Raises upstream errors."""
        snapshot = await self._index.current(scope)
        return lambda ref: self._answer(snapshot, ref.native_id)

    def _answer(self, snapshot: _Snapshot, key: str) -> Answer:
        is_whole = snapshot.complete
        if to_number(key) is not None:
            row = snapshot.get(key)
            if row is not None:
                return row.customer or self._unreadable()
        else:
            guids = self._guids_of(snapshot)
            if key in guids.customers:
                return guids.customers[key]
            is_whole = is_whole and guids.is_whole
        return None if is_whole else self._unproven()

    def _guids_of(self, snapshot: _Snapshot) -> _Guids:
        if self._guids is None or self._guids.snapshot is not snapshot:
            customers = [row.customer for row in snapshot.rows if row.customer is not None]
            by_guid = {guid: customer for customer in customers if (guid := customer.ref.hint) is not None}
            self._guids = _Guids(snapshot, by_guid, is_whole=len(customers) == len(snapshot.rows))
        return self._guids

    def _unreadable(self) -> GatewayError:
        return self._upstream.malformed(self._request(self._options.sweep_start), "the row of this customer cannot be read")

    def _unproven(self) -> GatewayError:
        return AbsenceUnproven(f"not found, and {_NOT_WHOLE}", source=self._profile.key, operation=endpoints.CUSTOMERS)

    async def page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List by number, from behind the number `position` on. Raises `InvalidCursor` and upstream errors.

        `search` and `updated_since` are applied here, to fields of the rows that the graph does not have.
        """
        place = None if position is None else _place(position)
        snapshot = await self._index.current(scope)
        matching = [row for row in snapshot.rows if row.customer is None or _meets(row, criteria)]
        behind = [row for row in matching if place is None or row.place > place]
        shown = _up_to(behind, size)
        records = {str(row.number): row.customer for row in shown if row.customer is not None}
        applied = criteria.asked & {"search", "updated_since"}
        is_whole = snapshot.complete and applied == criteria.asked and all(row.customer is not None for row in matching)
        return SourcePage(
            records=tuple(records.values()),
            positions=tuple(records),
            next_position=str(shown[-1].number) if len(shown) < len(behind) else None,
            applied=applied,
            total=len(matching) if is_whole else None,
            unreadable=len(shown) - len(records),
            left_out=tuple(_left_out(snapshot, criteria)),
        )

    async def _sweep(self, since: datetime | None, scope: Scope) -> Window[CustomerRow]:
        """Read all pages since a day, the first one alone: it says how many there are. The first one's failure is raised."""
        asked_at = self._clock.now()
        day = self._options.sweep_start if since is None else since.astimezone(self._profile.time_zone).date()
        first = await self.read_page(self._request(day), scope, NO_ROWS if since is None else NO_CHANGES)
        slots = asyncio.Semaphore(_PAGES_AT_ONCE)

        async def later(number: int) -> _Page | None:
            async with slots:
                try:
                    return await self.read_page(self._request(day, number), scope)
                except GatewayError:  # the rows of the others still answer; what is missing proves nothing
                    return None

        others = await asyncio.gather(*(later(number) for number in range(first.second, first.second + first.total_pages - 1)))
        rows = {str(row.number): row for page in (first, *others) if page is not None for row in page.rows}
        return Window(rows=rows, until=asked_at, complete=_is_whole(first, others))

    def _request(self, day: date, page: int | None = None) -> Request:
        return endpoints.customers_since(day, self._options.page_size, page)

    async def read_page(self, request: Request, scope: Scope, absence: Absence = NO_ROWS) -> _Page:
        """Read one page of the list; raises upstream errors. No page says how a list without rows is answered."""
        response = await self._upstream.read(request, scope, answers=absence.statuses | {200})
        if absence.is_said_by(response):
            return _Page((), 0, 0)
        with reading(self._upstream, request):
            page = decode(response.body, CustomerPage)
            if page.total_pages is None or page.total_pages > _MAX_PAGES:
                raise Malformed("TotalPages is missing or beyond reason")
            rows = [self._row(bytes(raw), self._clock.now()) for raw in page.rows or ()]
        found = tuple(row for row in rows if row is not None)
        return _Page(found, len(rows) - len(found), page.total_pages, _second(page.next_page))

    def _row(self, raw: bytes, read_at: datetime) -> CustomerRow | None:
        """Read one row; None when not even its number can be read."""
        try:
            payload = decode(raw, CustomerPayload)
            customer = to_customer(payload, Sent(raw, read_at), self._profile)
        except Malformed:
            number = _number_in(raw)
            return None if number is None else CustomerRow(number, None)
        changed_at = _changed_at(payload, self._profile.time_zone)
        return CustomerRow(int(customer.ref.native_id), customer, payload.search_code, changed_at)


def _to_line(row: CustomerRow) -> bytes:
    number, customer = b"%d" % row.number, row.customer
    if customer is None or customer.fetched_at is None or customer.raw is None:
        return number
    # JSON has line ends between its tokens only.
    return b" ".join((number, customer.fetched_at.isoformat().encode(), customer.raw.replace(b"\n", b" ")))


def _second(next_page: str | None) -> int:
    """Give the number of the page behind the first, which no page of the documentation says: 2, or what the link names."""
    return 1 if next_page and _FROM_ZERO.search(next_page) else 2


def _place(position: str) -> tuple[int]:
    if to_number(position) != position:
        raise InvalidCursor("after: this is no place in a list of this source's customers")
    return (int(position),)


def _up_to(rows: Sequence[CustomerRow], size: int) -> Sequence[CustomerRow]:
    """Give the rows up to the last of `size` readable ones; with fewer of them, all rows."""
    readable = [index for index, row in enumerate(rows) if row.customer is not None]
    return rows if len(readable) <= size else rows[: readable[size]]


def _meets(row: CustomerRow, criteria: Criteria) -> bool:
    if criteria.updated_since is not None and (row.changed_at is None or row.changed_at < criteria.updated_since):
        return False
    return criteria.search is None or _contains(row, criteria.search.casefold())


def _contains(row: CustomerRow, wanted: str) -> bool:
    name = row.customer.name if row.customer else None
    return any(wanted in text.casefold() for text in (name, row.search_code, str(row.number)) if text)


def _left_out(snapshot: _Snapshot, criteria: Criteria) -> Iterable[str]:
    if not snapshot.complete:
        yield _NOT_WHOLE
    if criteria.updated_since is not None and any(row.customer and row.changed_at is None for row in snapshot.rows):
        yield "customers that do not say when they changed"


def _is_whole(first: _Page, others: Sequence[_Page | None]) -> bool:
    """Say whether no row is missing. With several pages, one that is empty or counts them otherwise shows that the list moved."""
    if first.unreadable:
        return False
    return not others or all(
        page is not None and page.rows and not page.unreadable and page.total_pages == first.total_pages for page in (first, *others)
    )


def _number_in(raw: bytes) -> int | None:
    try:
        number = decode(raw, CustomerKeyPayload).customer_no
    except Malformed:
        return None
    return number if number is not None and to_number(str(number)) else None


def _changed_at(payload: CustomerPayload, zone: ZoneInfo) -> datetime | None:
    """Give when the row changed, or was made; None: it does not say so in a way that can be read."""
    for text in (payload.changed, payload.created):
        try:
            instant = Reading(zone).instant(text)
        except Malformed:
            continue
        if instant is not None:
            return instant
    return None
