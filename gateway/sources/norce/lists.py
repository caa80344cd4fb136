"""What Norce publishes as listable: by Query, else by the lists of the Services, which need a parent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Final, Literal, TypeVar

import msgspec

from gateway.errors import ListUnsupported
from gateway.model import Criteria, Customer, Invoice, Kind, Order, Record, Ref, SourcePage
from gateway.sources.base import SourceParts, SourceProfile
from gateway.sources.decode import Malformed, decode, is_null, local_midnight
from gateway.sources.norce import endpoints
from gateway.sources.norce.endpoints import CUSTOMERS, INVOICES, ORDERS, Dates, QuerySet, Term
from gateway.sources.norce.mapping import (
    BILL_TO,
    PARTY,
    status_ids,
    to_company,
    to_customer,
    to_customer_from_row,
    to_invoice,
    to_invoice_from_row,
    to_listed_customer,
    to_listed_invoice,
    to_listed_order,
    to_order,
    to_order_from_row,
)
from gateway.sources.norce.payloads import (
    CompanyPayload,
    CustomerPayload,
    CustomerRow,
    Entry,
    InvoicePayload,
    InvoiceRow,
    ListPayload,
    OrderPayload,
    OrderRow,
    R,
)
from gateway.sources.norce.query import Position, Query, Slice, is_int64, to_position
from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request, Response, Scope

T = TypeVar("T")

_SEARCH_CAP: Final = 500
"""Hits asked of `SearchCustomer2`, which has no page number."""
_SEARCH_LENGTH: Final = 2
_CODE: Final = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)


class Lists:
    """What is published as listable, and where: Query, else the Services by a parent."""

    def __init__(self, parts: SourceParts, query: Query) -> None:
        self._profile = parts.profile
        self._options: NorceOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._query = query

    async def page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List a kind of object. Raises `ListUnsupported`, `InvalidCursor` and upstream errors."""
        match criteria.kind:
            case Kind.CUSTOMER:
                return await self._customers(criteria, position, size, scope)
            case Kind.ORDER if self._query.is_off:
                return await self._orders_by_parent(criteria, position, size, scope)
            case Kind.ORDER:
                return await self._orders_by_query(criteria, position, size, scope)
            case Kind.INVOICE:
                return await self._invoices(criteria, position, size, scope)
            case _:
                raise self._unsupported("this source has no such objects", "list")

    async def _customers(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        if criteria.search is not None:
            return await self._searched(criteria, criteria.search.strip(), position, size, scope)
        if criteria.organization_number is not None:
            request = endpoints.list_companies_by_org_no(self._options, criteria.organization_number)
            rows = _slice(await self._all(request, scope), position, size)
            return self._page(criteria, rows, self._to_company, frozenset({"organization_number"}))
        if not self._query.is_off:
            return await self._persons(criteria, position, size, scope)
        if criteria.number is not None:
            rows = await self._one(endpoints.get_customer_by_code(self._options, criteria.number), position, size, scope)
            return self._page(criteria, rows, self._to_customer, frozenset({"number"}))
        message = "Query is off: customers are listed for a text, a number or an organisation number"
        raise self._unsupported(message, "Customers/Customers")

    async def _persons(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        terms = (("CustomerCode", criteria.number), ("EmailAddress", criteria.email))
        where: list[list[Term]] = [[(name, "eq", endpoints.quoted(value))] for name, value in terms if value is not None]
        found = await self._query.page(CUSTOMERS, CustomerRow, where, position, size, scope)
        return self._page(criteria, found, self._from_row(to_customer_from_row), frozenset({"number", "email"}))

    async def _searched(self, criteria: Criteria, text: str, position: str | None, size: int, scope: Scope) -> SourcePage:
        if len(text) < _SEARCH_LENGTH:
            raise self._unsupported(f"this source searches for at least {_SEARCH_LENGTH} characters", "SearchCustomer2")
        end = to_position(position, "row").at + size
        asked = min(end + 1, _SEARCH_CAP)
        hits = await self._all(endpoints.search_customers(self._options, text, asked), scope)
        page = self._page(criteria, _slice(hits, position, size), self._to_hit, frozenset({"search"}))
        if len(hits) < asked:
            return page
        is_cut = end >= _SEARCH_CAP
        return replace(page, total=None, left_out=(f"the search gives its first {_SEARCH_CAP} hits",) if is_cut else ())

    async def _orders_by_query(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        if criteria.source_status is not None and criteria.source_status[0] == "Status":
            raise self._unsupported("Query knows no texts of statuses: ask for StatusId", ORDERS.operation)
        seeds = self._status_seeds(criteria)
        if seeds == ():
            return SourcePage(applied=criteria.asked, total=0)
        where: list[list[Term]] = [[("ApplicationId", "eq", str(self._options.application_id))]]
        if criteria.number is not None:
            where.append([("OrderNo", "eq", endpoints.quoted(criteria.number))])
        if criteria.customer is not None:
            where.append(self._party_terms(criteria.customer, "Id", ORDERS))
        if seeds is not None:
            where.append([("StatusId", "eq", code) for code in seeds])
        where += _between("OrderDate", (criteria.ordered_from, criteria.ordered_to))
        found = await self._query.page(ORDERS, OrderRow, where, position, size, scope, ("Buyer",))
        applied = {"number", "customer", "ordered_from", "ordered_to", *self._seeded(criteria)}
        return self._page(criteria, found, self._from_row(to_order_from_row), frozenset(applied))

    def _status_seeds(self, criteria: Criteria) -> tuple[str, ...] | None:
        """Give the `statusId`s that the criteria ask for, none when there can be none; None: they ask for none, or not by id."""
        seeds = None if criteria.status is None else status_ids(criteria.status, self._profile)
        if criteria.source_status is None or criteria.source_status[0] == "Status":
            return seeds
        field, code = criteria.source_status
        own = (code,) if field == "StatusId" and _CODE.fullmatch(code) else ()
        return own if seeds is None else tuple(seed for seed in seeds if seed in own)

    def _seeded(self, criteria: Criteria) -> frozenset[str]:
        """Give the criteria that `_status_seeds` honours."""
        by_status = criteria.status is not None and status_ids(criteria.status, self._profile) is not None
        by_code = criteria.source_status is not None and criteria.source_status[0] != "Status"
        return frozenset(name for name, is_honoured in (("status", by_status), ("source_status", by_code)) if is_honoured)

    async def _orders_by_parent(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        if criteria.number is not None:
            rows = await self._one(endpoints.get_order_by_no(self._options, criteria.number), position, size, scope)
            return self._page(criteria, rows, self._to_order, frozenset({"number"}))
        seeds = self._status_seeds(criteria)
        if seeds == ():
            return SourcePage(applied=criteria.asked, total=0)
        dates = (criteria.ordered_from, criteria.ordered_to)
        chosen = () if criteria.customer is None else (self._parent_of(criteria.customer, "ListOrders3"),)
        if not chosen and dates == (None, None):
            raise self._unsupported("Query is off: orders are listed for a customer, a range of dates or a number", "ListOrders3")
        if any(name == "orderId" for name, _ in chosen):
            raise self._unsupported("Query is off: a guest's orders cannot be listed", "ListOrders3")
        seeded = () if seeds is None else (("statusSeed", ",".join(seeds)),)

        def ask(page_no: int, page_size: int) -> Request:
            return endpoints.list_orders(self._options, (*chosen, *seeded), page_no=page_no, page_size=page_size, dates=dates)

        rows = await self._counted(ask, position, size, scope)
        return self._page(criteria, rows, self._to_listed_order, frozenset({"customer", *self._seeded(criteria)}))

    async def _invoices(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        if criteria.number is not None:
            rows = await self._one(endpoints.get_invoice_by_no(self._options, criteria.number), position, size, scope)
            return self._page(criteria, rows, self._to_invoice, frozenset({"number"}))
        is_row = position is not None and position.startswith("row:")
        asks_type = criteria.type is not None or criteria.is_credit is not None
        has_parent = criteria.order is not None or criteria.customer is not None
        is_better = not (asks_type and has_parent)  # `ListInvoices` says what is a credit, rows of Query do not
        can_query = not (self._query.is_off or is_row) and is_better and (criteria.order is None or is_int64(criteria.order.native_id))
        if can_query and (position is not None or await self._query.has_invoices(scope)):
            return await self._invoices_by_query(criteria, position, size, scope)
        return await self._invoices_by_parent(criteria, position, size, scope)

    async def _invoices_by_query(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        where: list[list[Term]] = []
        if criteria.order is not None:
            where.append([("ReferenceOrderId", "eq", criteria.order.native_id)])
        if criteria.customer is not None:
            where.append(self._party_terms(criteria.customer, "ReferenceOrderId", INVOICES))
        where += _between("InvoiceDate", self._issued(criteria))
        found = await self._query.page(INVOICES, InvoiceRow, where, position, size, scope)
        return self._page(criteria, found, self._from_row(to_invoice_from_row), frozenset({"order", "customer"}))

    async def _invoices_by_parent(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        order, customer = criteria.order, criteria.customer
        if order is None and customer is None:
            raise self._unsupported("invoices are listed for a customer or an order, or with a number", "ListInvoices")
        parent = ("orderId", order.native_id) if order is not None else self._parent_of(customer, "ListInvoices")
        if order is None and customer is not None and parent[0] == "orderId":
            order = Ref(customer.source, Kind.ORDER, parent[1], hint=customer.hint)
        dates = self._issued(criteria)

        def ask(page_no: int, page_size: int) -> Request:
            return endpoints.list_invoices(self._options, parent, page_no=page_no, page_size=page_size, dates=dates)

        def read(raw: bytes) -> Invoice:
            known = customer if criteria.order is None else None
            return to_listed_invoice(raw, order, known, self._profile, self._clock.now())

        rows = await self._counted(ask, position, size, scope)
        return self._page(criteria, rows, read, frozenset({"customer" if criteria.order is None else "order"}))

    def _issued(self, criteria: Criteria) -> Dates:
        """Give instants around the days asked for, a day wider on each side: which day an instant is in depends on its offset."""
        return _midnight(criteria.issued_from, -1, self._profile), _midnight(criteria.issued_to, 2, self._profile)

    def _party_terms(self, ref: Ref, order_id: str, of: QuerySet) -> list[Term]:
        name, key = self._parent_of(ref, of.operation)
        if name == "orderId":
            if not is_int64(key):
                raise self._unsupported("Query knows no such order", of.operation)
            return [(order_id, "eq", key)]
        role = name[:1].upper() + name[1:]
        return [(f"Buyer{role}", "eq", key), (f"Payer{role}", "eq", key)]

    def _parent_of(self, ref: Ref | None, operation: str) -> tuple[str, str]:
        """Give the parameter that names a customer, as `ListInvoices` spells it."""
        key = "" if ref is None else ref.native_id
        if party := PARTY.fullmatch(key):
            return f"{party[1]}Id", party[2]
        if bill_to := BILL_TO.fullmatch(key):
            return "orderId", bill_to[1]
        raise self._unsupported("there is no such customer", operation)

    async def _one(self, request: Request, position: str | None, size: int, scope: Scope) -> Slice[bytes]:
        """Read what one key gives as a list of one, or of none."""
        response = await self._upstream.read(request, scope)
        return _slice([] if is_null(response.body) else [response.body], position, size)

    async def _all(self, request: Request, scope: Scope) -> list[bytes]:
        """Read a plain array, which has no pages."""
        response = await self._upstream.read(request, scope)
        return [] if is_null(response.body) else [bytes(raw) for raw in self._decode(request, response, list[msgspec.Raw])]

    async def _counted(self, ask: Callable[[int, int], Request], position: str | None, size: int, scope: Scope) -> Slice[bytes]:
        """Read the one page of the Services that holds the rows wanted; `ItemCount` says where the end is."""
        offset = to_position(position, "row").at
        page_no, page_size = _covering(offset, size)
        request = ask(page_no, page_size)
        response = await self._upstream.read(request, scope)
        answer = ListPayload(item_count=0) if is_null(response.body) else self._decode(request, response, ListPayload)
        items = [bytes(raw) for raw in answer.items or ()]
        before = (page_no - 1) * page_size
        total = before + len(items) + (len(items) == page_size) if answer.item_count is None else answer.item_count
        if len(items) < min(page_size, total - before) and answer.item_count is not None:
            raise self._upstream.malformed(request, "a page has fewer rows than its count promises")
        rows = _slice(items, f"row:{offset - before}", size)
        placed = tuple((raw, Position("row", before + place.at)) for raw, place in rows.rows)
        end = offset + len(placed)
        return Slice(placed, Position("row", end) if placed and end < total else None, answer.item_count)

    def _decode(self, request: Request, response: Response, type_: type[T]) -> T:
        try:
            return decode(response.body, type_)
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None

    def _page(self, criteria: Criteria, rows: Slice[T], to_record: Callable[[T], Record], honoured: frozenset[str]) -> SourcePage:
        """Make the page: rows that cannot be read are left out and counted."""
        records: list[Record] = []
        positions: list[str] = []
        for row, place in rows.rows:
            try:
                if row is not None:
                    records.append(to_record(row))
                    positions.append(str(place))
            except Malformed:
                continue
        applied = honoured & criteria.asked
        return SourcePage(
            records=tuple(records),
            positions=tuple(positions),
            next_position=None if rows.next_position is None else str(rows.next_position),
            applied=applied,
            total=rows.total if applied == criteria.asked else None,
            unreadable=len(rows.rows) - len(records),
        )

    def _from_row(self, to_record: Callable[[R, bytes, SourceProfile, datetime], Record]) -> Callable[[Entry[R]], Record]:
        now = self._clock.now()

        def read(entry: Entry[R]) -> Record:
            if entry.row is None:
                raise Malformed("a row cannot be read")
            return to_record(entry.row, entry.raw, self._profile, now)

        return read

    def _to_company(self, raw: bytes) -> Customer:
        return to_company(decode(raw, CompanyPayload), raw, self._profile, self._clock.now())

    def _to_customer(self, raw: bytes) -> Customer:
        return to_customer(decode(raw, CustomerPayload), raw, self._profile, self._clock.now())

    def _to_hit(self, raw: bytes) -> Customer:
        return to_listed_customer(raw, self._profile, self._clock.now())

    def _to_order(self, raw: bytes) -> Order:
        return to_order(decode(raw, OrderPayload), raw, None, self._profile, self._clock.now())

    def _to_listed_order(self, raw: bytes) -> Order:
        return to_listed_order(raw, self._profile, self._clock.now())

    def _to_invoice(self, raw: bytes) -> Invoice:
        return to_invoice(decode(raw, InvoicePayload), raw, self._profile, self._clock.now())

    def _unsupported(self, message: str, operation: str) -> ListUnsupported:
        return ListUnsupported(message, source=self._profile.key, operation=operation)


def _covering(offset: int, size: int) -> tuple[int, int]:
    """Give number and size of the smallest page that holds `size` rows from an offset on: positions hold for any page size."""
    page_size = next(page_size for page_size in count(size) if offset % page_size + size <= page_size)
    return offset // page_size + 1, page_size


def _slice(raws: Sequence[bytes], position: str | None, size: int) -> Slice[bytes]:
    """Cut a page from a list that is all there."""
    at = to_position(position, "row").at
    rows = tuple((raw, Position("row", at + index + 1)) for index, raw in enumerate(raws[at : at + size]))
    return Slice(rows, Position("row", at + size) if at + size < len(raws) else None, len(raws))


def _between(name: str, dates: Dates) -> list[list[Term]]:
    bounds: tuple[tuple[Literal["ge", "le"], datetime | None], ...] = (("ge", dates[0]), ("le", dates[1]))
    return [[(name, operator, endpoints.instant(moment))] for operator, moment in bounds if moment is not None]


def _midnight(day: date | None, days: int, profile: SourceProfile) -> datetime | None:
    try:
        return None if day is None else local_midnight(day + timedelta(days=days), profile.time_zone)
    except OverflowError:  # the first or last day there is: no bound
        return None
