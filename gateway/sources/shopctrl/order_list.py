"""The list of orders, shop after shop in the order of the configuration, each in the upstream's order. A row costs no call of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.errors import ListUnsupported
from gateway.model import Criteria, Order, Ref, SourcePage
from gateway.sources.base import Scope, SourceProfile
from gateway.sources.decode import Malformed, decode
from gateway.sources.shopctrl import endpoints, mapping
from gateway.sources.shopctrl.endpoints import OrderFilters
from gateway.sources.shopctrl.paging import LARGEST_PAGE, Found, OrderPosition, page_from
from gateway.sources.shopctrl.payloads import OrderPayload
from gateway.sources.shopctrl.reads import Reads, own_key, to_rows

BY_LIST_ALONE: Final = frozenset({"email", "updated_since"})
"""Criteria that the list honours and a whole order does not say."""
_OF_CUSTOMER: Final = (
    "orders of this customer under another e-mail address",
    "whether an order under this e-mail address is another customer's",
)


@dataclass(frozen=True, slots=True)
class Filters:
    """How the list is narrowed; `applied`: the criteria that this honours. `nothing`: no order can meet them."""

    query: OrderFilters
    applied: frozenset[str]
    left_out: tuple[str, ...] = ()
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class OrderRows:
    """Rows of a shop's list; `is_last`: the list ends with them."""

    rows: list[bytes]
    is_last: bool


class OrderList:
    """The orders of the configured shops."""

    def __init__(self, reads: Reads, profile: SourceProfile, shops: tuple[int, ...]) -> None:
        self._reads = reads
        self._profile = profile
        self._shops = shops

    async def page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """Give a page; of each row what the list says."""
        start = OrderPosition.from_text(position, self._shops)
        filters = await self.filters_of(criteria, scope)
        found = Found(size, left_out=[*filters.left_out])
        at = None if filters.nothing else start
        while at is not None and found.missing:
            part = await self.rows_from(at, found.missing, filters.query, found, scope)
            came_at = self._reads.now()
            for row in part.rows:
                order = self.to_order(row, at.shop, came_at)
                at = OrderPosition(at.shop, at.offset + 1)
                found.add(order, at.to_text())
            at = self.shop_after(at) if part.is_last else at
        return found.to_page(None if at is None else at.to_text(), filters.applied)

    async def filters_of(self, criteria: Criteria, scope: Scope) -> Filters:
        """Say how the list is narrowed. The orders of a customer go by e-mail address, as no other way is published."""
        since = None if criteria.updated_since is None else criteria.updated_since.astimezone(self._profile.time_zone)
        query = OrderFilters(since, _main_status(criteria.source_status), (criteria.email or "").strip() or None)
        given = {"updated_since": query.changed_from, "source_status": query.main_status_id, "email": query.email}
        applied = frozenset(name for name, value in given.items() if value is not None)
        if criteria.customer is None:
            return Filters(query, applied)
        email = await self._email_of(criteria.customer, scope)
        is_other = email is None or (query.email is not None and query.email.casefold() != email.casefold())
        own = OrderFilters(since, query.main_status_id, email)
        return Filters(own, applied | {"customer"}, () if email is None else _OF_CUSTOMER, nothing=is_other)

    async def _email_of(self, ref: Ref, scope: Scope) -> str | None:
        """Give the e-mail address of a customer; None when there is no such customer. Raises `ListUnsupported` for one without."""
        if ref.hint is not None:
            return ref.hint
        customer = await self._reads.customer(ref, scope)
        if customer is None:
            return None
        if customer.ref.hint is None:
            message = "ShopCtrl lists the orders of a customer by e-mail address alone, and this one has none"
            raise ListUnsupported(message, source=self._profile.key, operation=endpoints.ORDERS)
        return customer.ref.hint.strip()

    async def rows_from(self, at: OrderPosition, wanted: int, query: OrderFilters, found: Found, scope: Scope) -> OrderRows:
        """Read at most `wanted` rows in one call: fewer at the end of the shop, and where the upstream's page ends."""
        page = page_from(at.offset, min(wanted, LARGEST_PAGE))

        def to(body: bytes) -> list[bytes]:
            rows = to_rows(body)
            if len(rows) > page.size:  # which offsets they have cannot be said
                raise Malformed("there are more rows than pageSize")
            return rows

        rows = await self._reads.read(endpoints.orders(at.shop, query, page.number, page.size), scope, to)
        if rows is None:
            found.left_out.append(f"orders of shop {at.shop}, which the source does not show")
            return OrderRows([], is_last=True)
        is_last = len(rows) < page.size and len(rows) - page.skip <= wanted  # a page that is not full is the last
        return OrderRows(rows[page.skip : page.skip + wanted], is_last)

    def to_order(self, row: bytes, shop: int, came_at: datetime) -> Order | None:
        """Map a row; None when it cannot be read."""
        try:
            payload = decode(row, OrderPayload)
            return mapping.to_order_row(payload, self._profile, mapping.Sent(own_key(payload.id), row, came_at), shop)
        except Malformed:
            return None

    def shop_after(self, at: OrderPosition) -> OrderPosition | None:
        """Give the start of the next shop; None after the last."""
        following = self._shops.index(at.shop) + 1
        return OrderPosition(self._shops[following]) if following < len(self._shops) else None


def _main_status(source_status: tuple[str, str] | None) -> str | None:
    """Give the id of a main status, where it is asked for one that can exist; the list knows no other status."""
    field, code = source_status or ("", "")
    try:
        return code if field == "MainStatusId" and mapping.key_of(code) == code else None
    except Malformed:
        return None
