"""The list of invoices: no such list is published, so those of each order are read, one call an order, through the shops' orders.

Invoices of an order go by id, so that new ones come at the end.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import msgspec

from gateway.model import Criteria, Invoice, Kind, Order, Ref, SourcePage
from gateway.sources.base import Scope, SourceProfile
from gateway.sources.decode import Malformed, decode
from gateway.sources.shopctrl import mapping
from gateway.sources.shopctrl.order_list import OrderList, OrderRows
from gateway.sources.shopctrl.paging import LARGEST_PAGE, Found, InvoicePosition, OrderPosition, number_from
from gateway.sources.shopctrl.payloads import InvoicePayload
from gateway.sources.shopctrl.reads import Reads, key_of_row, own_key

_ORDERS_AT_ONCE: Final = 8


class _Row(msgspec.Struct, frozen=True):
    """A row of which at least the key can be read."""

    key: int
    json: bytes
    payload: InvoicePayload | None


class InvoiceList:
    """The invoices of the configured shops, and those of one order."""

    def __init__(self, reads: Reads, profile: SourceProfile, shops: tuple[int, ...]) -> None:
        self._reads = reads
        self._profile = profile
        self._shops = shops
        self._orders = OrderList(reads, profile, shops)

    async def page_of_order(self, ref: Ref, customer: Ref | None, position: str | None, size: int, scope: Scope) -> SourcePage:
        """Give a page of the invoices of one order, in one call; with `customer`, the order is read too, which says whose it is."""
        after = number_from(position)
        order: Order | None = mapping.order_reference(self._profile, ref.native_id, None, ref.hint)
        if customer is not None:
            order = await self._reads.order(ref, scope)
            order = order if order is not None and order.customer and order.customer.ref == customer else None
        applied = frozenset({"order"} if customer is None else {"order", "customer"})
        if order is None:
            return SourcePage(applied=applied)
        found = Found(size)
        rows = _by_id(await self._reads.invoice_rows_of(ref.native_id, scope), after, found)
        came_at = self._reads.now()
        for row in rows:
            found.add(self._to_invoice(row, order, came_at), str(row.key))
            if not found.missing:
                return found.to_page(None if row is rows[-1] else str(row.key), applied)
        return found.to_page(None, applied)

    async def page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """Give a page of the invoices of all orders, or of a customer's."""
        start = InvoicePosition.from_text(position, self._shops)
        # An invoice changes without its order: of the criteria, the customer alone narrows the orders.
        filters = await self._orders.filters_of(Criteria(kind=Kind.ORDER, customer=criteria.customer), scope)
        found = Found(size, left_out=[*filters.left_out])
        at = None if filters.nothing else start
        while at is not None and found.missing:
            rest_of_page = LARGEST_PAGE - at.order.offset % LARGEST_PAGE
            part = await self._orders.rows_from(at.order, rest_of_page, filters.query, found, scope)
            at = await self._fill(found, at, part, scope)
        return found.to_page(None if at is None else at.to_text(), filters.applied)

    async def _fill(self, found: Found, at: InvoicePosition, part: OrderRows, scope: Scope) -> InvoicePosition | None:
        """Add the invoices of these orders until the page is full; gives where to go on, None at the end of everything.

        As many orders are asked at once as invoices are missing, and twice as many as before where those had none.
        """
        rows, at_once, came_at = part.rows, min(_ORDERS_AT_ONCE, found.missing), self._reads.now()
        while rows:
            orders, missing = [self._to_order(row, at.order.shop, came_at) for row in rows[:at_once]], found.missing
            rows = rows[at_once:]
            for number, (order, invoices) in enumerate(zip(orders, await self._invoices_of(orders, scope), strict=True), 1):
                at = self._add(found, at, order, invoices)
                if not found.missing:
                    is_end = at.after == 0 and number == len(orders) and not rows and part.is_last
                    return self._shop_after(at) if is_end else at
            at_once = min(_ORDERS_AT_ONCE, found.missing if found.missing < missing else at_once * 2)
        return self._shop_after(at) if part.is_last else at

    def _add(self, found: Found, at: InvoicePosition, order: Order | None, invoices: list[bytes]) -> InvoicePosition:
        """Add the invoices of one order until the page is full; gives where to go on: behind the order when it has no more."""
        behind = InvoicePosition(OrderPosition(at.order.shop, at.order.offset + 1))
        if order is None:
            found.unreadable += 1
            return behind
        rows = _by_id(invoices, at.after, found)
        came_at = self._reads.now()
        for row in rows:
            here = InvoicePosition(at.order, row.key)
            found.add(self._to_invoice(row, order, came_at), here.to_text())
            if not found.missing:
                return behind if row is rows[-1] else here
        return behind

    async def _invoices_of(self, orders: list[Order | None], scope: Scope) -> list[list[bytes]]:
        """Read the invoices of several orders at once; none is left running when another fails, which is raised."""
        calls = (self._reads.invoice_rows_of(order.ref.native_id, scope) for order in orders if order is not None)
        answers = iter(await asyncio.gather(*calls, return_exceptions=True))
        found: list[list[bytes]] = []
        for order in orders:
            rows = [] if order is None else next(answers)
            if isinstance(rows, BaseException):
                raise rows
            found.append(rows)
        return found

    def _to_order(self, row: bytes, shop: int, came_at: datetime) -> Order | None:
        """Map the row of an order: a reference when only its key can be read, None when not even that."""
        order = self._orders.to_order(row, shop, came_at)
        if order is not None:
            return order
        try:
            return mapping.order_reference(self._profile, key_of_row(row), None, None)
        except Malformed:
            return None

    def _to_invoice(self, row: _Row, order: Order, came_at: datetime) -> Invoice | None:
        if row.payload is None:
            return None
        try:
            sent = mapping.Sent(str(row.key), row.json, came_at)
            return mapping.to_invoice(row.payload, self._profile, sent, is_whole=False, order=order)
        except Malformed:
            return None

    def _shop_after(self, at: InvoicePosition) -> InvoicePosition | None:
        order = self._orders.shop_after(at.order)
        return None if order is None else InvoicePosition(order)


def _by_id(rows: list[bytes], after: int, found: Found) -> list[_Row]:
    """Sort rows by id and leave out those up to `after`; a row without an id is counted where the order is begun."""
    by_id: dict[int, _Row] = {}
    for json in rows:
        try:
            row = _to_row(json)
        except Malformed:
            found.unreadable += after == 0
        else:
            by_id[row.key] = row
    return [by_id[key] for key in sorted(by_id) if key > after]


def _to_row(json: bytes) -> _Row:
    """Read a row, or its key alone where nothing else can be read; raises `Malformed` when it has none."""
    try:
        payload = decode(json, InvoicePayload)
    except Malformed:
        return _Row(int(key_of_row(json)), json, None)
    return _Row(int(own_key(payload.id)), json, payload)
