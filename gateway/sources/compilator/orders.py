"""Lists of orders: which calls a list takes, and its order and places.

A list has parents, one call each: the customer that is asked for, or the configured branches one after the other. Within a
parent orders stand by date, id and branch, whatever the source's order is, so that a place is found again in a later answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.errors import InvalidCursor, ListUnsupported
from gateway.model import Criteria, Order, SourcePage
from gateway.sources.base import SourceParts
from gateway.sources.compilator import endpoints
from gateway.sources.compilator.answers import NO_ROWS, NO_ROWS_OR_LIST, reading
from gateway.sources.compilator.mapping import Sent, expect, to_listed_order
from gateway.sources.compilator.payloads import OrderPayload
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.decode import Malformed, decode
from gateway.transport import Request, Scope

_POSITION: Final = re.compile(r"(\d{1,10})/(-?\d{1,12})/(\d{1,10})/(\d{1,10})", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_PLACE: Final = "after: this is no place in this list of orders"
_NO_DATE: Final = datetime(1, 1, 1, tzinfo=UTC)
_MAYBE_NO_LIST: Final = "the source answered 404, which says that no order matches or that it has no such list"
_KEPT: Final = 8


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an order stands: its parent's number, the second of its date, id and branch."""

    parent: int
    second: int
    order_id: int
    branch_id: int

    @property
    def position(self) -> str:
        """As text."""
        return f"{self.parent}/{self.second}/{self.order_id}/{self.branch_id}"


def place_of(order: Order, parent: int) -> Place:
    """Give the place of an order; those without a date come first."""
    order_id, _, branch_id = order.ref.native_id.partition("/")
    ordered_at = order.ordered_at or _NO_DATE
    return Place(parent, (ordered_at - _EPOCH) // timedelta(seconds=1), int(order_id), int(branch_id))


def to_place(position: str) -> Place:
    """Read a position; raises `InvalidCursor`."""
    match = _POSITION.fullmatch(position)
    if match is None:
        raise InvalidCursor(_NO_PLACE)
    return Place(*(int(part) for part in match.groups()))


@dataclass(frozen=True, slots=True)
class _Parent:
    """A customer or branch, the call that lists its orders, and the field by which an order names it."""

    number: int
    request: Request
    field: str
    named_by: Callable[[OrderPayload], int | None]


def _customer(number: str, days: tuple[date, date]) -> _Parent:
    return _Parent(int(number), endpoints.customer_orders(number, *days), "CustomerNumber", lambda payload: payload.customer_number)


def _branch(number: int, days: tuple[date, date]) -> _Parent:
    return _Parent(number, endpoints.branch_orders(str(number), *days), "SellerBranchId", lambda payload: payload.seller_branch_id)


@dataclass(frozen=True, slots=True)
class _Listed:
    """The orders of a parent in their order, and how many more could not be read."""

    rows: tuple[tuple[Place, Order], ...] = ()
    unreadable: int = 0
    left_out: tuple[str, ...] = ()


class OrderList:
    """The orders of one site."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: CompilatorOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._kept: list[tuple[Scope, Request, _Listed]] = []

    async def page(self, criteria: Criteria, customer_number: str | None, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List the orders of a customer, or where none is asked for those of the configured branches.

        A row that cannot be read counts on the page with which its parent begins. Raises `ListUnsupported`, `InvalidCursor` and
        upstream errors.
        """
        first, last = self._days(criteria)
        parents = self._parents(customer_number, (first, last))
        behind = None if position is None else to_place(position)
        if behind is not None and all(parent.number != behind.parent for parent in parents):
            raise InvalidCursor(_NO_PLACE)
        applied = criteria.asked & {"customer"}
        if first > last:
            return SourcePage(applied=applied, left_out=() if criteria.ordered_from else ("orders before the configured sweep_start",))
        remaining = [parent for parent in parents if behind is None or parent.number >= behind.parent]
        rows: list[tuple[Place, Order]] = []
        unreadable = 0
        total: int | None = None
        left_out: tuple[str, ...] = ()
        while remaining and len(rows) < size:
            parent = remaining.pop(0)
            listed = await self._listed(parent, scope)
            rows += [row for row in listed.rows if behind is None or row[0] > behind]
            unreadable += listed.unreadable if behind is None or parent.number > behind.parent else 0
            total = None if listed.unreadable or listed.left_out else len(listed.rows)
            left_out = listed.left_out or left_out
        shown = rows[:size]
        return SourcePage(
            records=tuple(order for _, order in shown),
            positions=tuple(place.position for place, _ in shown),
            next_position=shown[-1][0].position if remaining or len(rows) > size else None,
            applied=applied,
            total=total if len(parents) == 1 and applied == criteria.asked else None,
            unreadable=unreadable,
            left_out=left_out,
        )

    def _parents(self, customer_number: str | None, days: tuple[date, date]) -> list[_Parent]:
        if customer_number is not None:
            return [_customer(customer_number, days)]
        if not self._options.branch_ids:
            raise ListUnsupported(
                "orders are listed by customer or by branch: a customer, or `branch_ids` in the configuration, is needed",
                source=self._profile.key,
                operation=endpoints.BRANCH_ORDERS,
            )
        return [_branch(branch_id, days) for branch_id in sorted({*self._options.branch_ids})]

    def _days(self, criteria: Criteria) -> tuple[date, date]:
        """Give the first and last day to ask for, in the source's zone; orders of the future are left to a caller who asks.

        The last has one day of slack, as `toDate` may mean its first moment. The gateway applies the exact instants.
        """
        zone = self._profile.time_zone
        first = self._options.sweep_start if criteria.ordered_from is None else _day(criteria.ordered_from, zone)
        last = _day(criteria.ordered_to or self._clock.now(), zone)
        return first, last if last == date.max else last + timedelta(days=1)

    async def _listed(self, parent: _Parent, scope: Scope) -> _Listed:
        """List a parent's orders, which come whole: a request whose filters drop rows goes on in the same answer."""
        for asked_by, request, kept in self._kept:
            if asked_by is scope and request == parent.request:
                return kept
        listed = await self._read(parent, scope)
        self._kept = [*self._kept[1 - _KEPT :], (scope, parent.request, listed)]
        return listed

    async def _read(self, parent: _Parent, scope: Scope) -> _Listed:
        response = await self._upstream.read(parent.request, scope, answers=NO_ROWS.statuses | NO_ROWS_OR_LIST.statuses | {200})
        if NO_ROWS.is_said_by(response):
            return _Listed()
        if NO_ROWS_OR_LIST.is_said_by(response):
            return _Listed(left_out=(_MAYBE_NO_LIST,))
        with reading(self._upstream, parent.request):
            raws = decode(response.body, list[msgspec.Raw])
        orders = [self._order(bytes(raw), parent) for raw in raws]
        found = {place_of(order, parent.number): order for order in orders if order is not None}
        return _Listed(tuple((place, found[place]) for place in sorted(found)), orders.count(None))

    def _order(self, raw: bytes, parent: _Parent) -> Order | None:
        """Read one row; None when it cannot be read, or is not the parent's."""
        try:
            payload = decode(raw, OrderPayload)
            expect(parent.named_by(payload), str(parent.number), parent.field)
            return to_listed_order(payload, Sent(raw, self._clock.now()), self._profile)
        except Malformed:
            return None


def _day(instant: datetime, zone: ZoneInfo) -> date:
    try:
        return instant.astimezone(zone).date()
    except OverflowError:  # the first or last day there is
        return instant.date()
