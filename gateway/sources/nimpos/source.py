"""NIMPOS as a source: endpoints -> upstream -> mapping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from gateway.errors import (
    AbsenceUnproven,
    GatewayError,
    InvalidCursor,
    InvalidInput,
    ListUnsupported,
    LookupUnsupported,
    MalformedAnswer,
    UpstreamRejected,
)
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    CreateInvoice,
    Criteria,
    Customer,
    Invoice,
    InvoicePayments,
    Kind,
    MutationOutcome,
    Operation,
    Order,
    Record,
    Ref,
    SourcePage,
    SupportLevel,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    VatBasis,
    Write,
)
from gateway.sources.base import (
    Answer,
    Calls,
    Demand,
    Fetch,
    IndexState,
    OverUpstream,
    Prepared,
    Refused,
    Settled,
    SourceParts,
    each,
    one_for_all,
)
from gateway.sources.decode import Malformed, convert, decode_tree, encode_tree
from gateway.sources.index import Snapshot
from gateway.sources.nimpos import endpoints, mapping, writes
from gateway.sources.nimpos.costs import worst_case
from gateway.sources.nimpos.mapping import Installation
from gateway.sources.nimpos.pages import PlacedOrder, as_listed, may_be_customer, may_be_invoice, may_be_order, to_page
from gateway.sources.nimpos.payloads import (
    CustomerPayload,
    DebtPayload,
    InvoicePayload,
    OrderPayload,
    Row,
    Rows,
    followed,
    guid_of,
    to_order_row,
    to_order_rows,
    to_rows,
)
from gateway.sources.nimpos.settings import NimposOptions
from gateway.sources.nimpos.windows import Invoices, Place, Seen, Windows, from_position, to_place
from gateway.transport import Request, Response, Scope

P = TypeVar("P")
S = TypeVar("S")
T = TypeVar("T")

_NAMES: Final = {Kind.CUSTOMER: "customer", Kind.ORDER: "order", Kind.INVOICE: "invoice"}
_TOTAL_BASIS: Final = {
    "unknown": VatBasis.UNKNOWN,
    "including": VatBasis.INCLUDING_VAT,
    "excluding": VatBasis.EXCLUDING_VAT,
}
_FOUND: Final = 200
# The page of GetOrderById does not say how it answers when there is none: all of these are accepted, and an empty body or null.
_ORDER_ANSWERS: Final = (_FOUND, 204, 404)
_SLACK: Final = timedelta(days=1)
_BY_ORDER: Final = frozenset({"order"})
_EMPTY: Final = "the window is empty, and NIMPOS answers so on errors, too"
_NOT_WHOLE: Final = "the window could not be completed"
_POSTED: Final = "NIMPOS does not list invoices posted to it"
_POSTED_LEFT_OUT: Final = "invoices posted to NIMPOS never list"
_WHICH_DATE: Final = "orders that lie in the range by another of their dates: NIMPOS does not say which one it goes by"
# What an error about a row that was read earlier names.
_CUSTOMERS: Final = Request(operation="GetCustomers", method="GET", path="/api/Customer/GetCustomers")
_DEBTS: Final = Request(operation="GetCustomerDebts", method="GET", path="/api/Customer/GetCustomerDebts")
_INVOICES: Final = Request(operation="GetCustomerInvoice", method="GET", path="/api/Order/GetCustomerInvoice")
_CUSTOMERS_NOTE: Final = "Only customers changed since window_start. An empty window proves nothing: NIMPOS answers so on errors, too."
_INVOICES_NOTE: Final = "One window for each of terminal_ids, since window_start. NIMPOS does not list invoices that were posted to it."
_CAPABILITIES: Final = (
    Capability(Operation.READ_CUSTOMER, SupportLevel.PARTIAL, "GET api/Customer/GetCustomers", Batching.WINDOW, _CUSTOMERS_NOTE),
    Capability(Operation.READ_ORDER, SupportLevel.SUPPORTED, "GET api/Order/GetOrderById", Batching.EACH),
    Capability(Operation.READ_INVOICE, SupportLevel.PARTIAL, "GET api/Order/GetCustomerInvoice", Batching.WINDOW, _INVOICES_NOTE),
    Capability(Operation.LIST_CUSTOMERS, SupportLevel.PARTIAL, "GET api/Customer/GetCustomers", Batching.WINDOW, _CUSTOMERS_NOTE),
    Capability(
        Operation.LIST_ORDERS,
        SupportLevel.PARTIAL,
        "GET api/Order/GetOrders",
        Batching.PARENT,
        "One call a page, since window_start where no range is asked for. NIMPOS does not say which date of an order its range means.",
    ),
    Capability(Operation.LIST_INVOICES, SupportLevel.PARTIAL, "GET api/Order/GetCustomerInvoice", Batching.WINDOW, _INVOICES_NOTE),
    Capability(Operation.READ_INVOICE_LINES, SupportLevel.NOT_OFFERED),
    Capability(Operation.READ_INVOICE_DOCUMENT, SupportLevel.NOT_OFFERED),
    Capability(Operation.READ_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
    Capability(
        Operation.CREATE_INVOICE,
        SupportLevel.SUPPORTED,
        "POST api/Order/PostCustomerInvoice",
        Batching.EACH,
        "Answers no body; confirmed by an order that carries the invoice.",
    ),
    Capability(Operation.CREATE_INVOICE_FROM_ORDER, SupportLevel.NOT_OFFERED),
    Capability(Operation.SET_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
)


class NimposSource(OverUpstream):
    """One NIMPOS company: its credential decides which."""

    def __init__(self, parts: SourceParts) -> None:
        options: NimposOptions = parts.options
        self._profile = parts.profile
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._remarks_max_length = options.remarks_max_length
        self._installation = Installation(parts.profile, _TOTAL_BASIS[options.total_vat_basis])
        shared = parts.windows if options.share_windows else None
        self._windows = Windows(parts.profile, options, parts.clock, self._read_rows, shared)
        self._terminal_ids = frozenset(str(terminal) for terminal in options.terminal_ids)

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do."""
        return _CAPABILITIES

    @property
    def indexes(self) -> tuple[IndexState, ...]:
        """How its windows stand; calls nobody."""
        return self._windows.indexes

    @property
    def personal_fields(self) -> frozenset[str]:
        """No published field is said to hold a personal identity number."""
        return frozenset()

    @property
    def orders_per_invoice(self) -> None:
        """No bound is published."""
        return None

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        """Say which calls a demand costs at most; see `costs`."""
        return worst_case(demand, tills=self._windows.till_count, is_kept=self._windows.are_kept)

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the GUID of a customer, order or invoice in lower case with hyphens; raises `InvalidInput` for anything else."""
        if kind not in _NAMES:
            raise InvalidInput("id: NIMPOS has customers, orders and invoices only")
        key = guid_of(native_id)
        if key is None:
            raise InvalidInput(f"id: the key of a NIMPOS {_NAMES[kind]} is a GUID")
        return key

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        """Answer each key: customers and invoices from windows, orders one by one; what NIMPOS has not is None.

        `fields` saves calls for payments only: `amount_due` needs the debts, `payments` each order of the invoice.
        """
        match fetch:
            case Fetch.CUSTOMER:
                return await one_for_all(refs, lambda: self._customers(scope))
            case Fetch.ORDER:
                return await each(refs, lambda ref: self._fetch_order(ref, scope), at_once=self._upstream.max_in_flight)
            case Fetch.INVOICE:
                return await one_for_all(refs, lambda: self._invoices(scope))
            case Fetch.ORDER_LINES:
                return await each(refs, lambda ref: self._fetch_order_lines(ref, scope), at_once=self._upstream.max_in_flight)
            case Fetch.PAYMENTS:
                return await one_for_all(refs, lambda: self._payments(refs, scope, fields))
            case _:
                return [None] * len(refs)

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List customers by `Updated`, orders and invoices by `CreationDate`; see `Source.fetch_page`.

        Rows that certainly fail a criterion are left out as far as that is cheap; the gateway judges all the same. A customer who is
        changed meanwhile moves to the end and comes once more.
        """
        place = None if position is None else from_position(position)
        if position is not None and place is None:
            raise InvalidCursor("after: this position was not made by this source")
        match criteria.kind:
            case Kind.CUSTOMER:
                return await self._customer_page(criteria, place, size, scope)
            case Kind.ORDER:
                return await self._order_page(criteria, place, size, scope)
            case Kind.INVOICE:
                return await self._invoice_page(criteria, place, size, scope)
            case _:
                raise ListUnsupported("NIMPOS lists customers, orders and invoices only", source=self._profile.key, operation="none")

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find customers by `CustomerNo` and invoices by `InvoiceNumber`, both through windows.

        Raises `AbsenceUnproven` where nothing is seen that proves there is none, `LookupUnsupported` for all else.
        """
        match kind:
            case Kind.CUSTOMER:
                return await self._find_customers(number.strip(), scope)
            case Kind.INVOICE:
                return await self._find_invoices(number.strip(), scope)
            case _:
                message = "NIMPOS cannot look this up by number: OrderNoOfDay is unique in a day only"
                raise LookupUnsupported(message, source=self._profile.key, operation="GetOrderById")

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Check an invoice and that each of its orders exists. Raises upstream errors."""
        if not isinstance(write, CreateInvoice):
            message = "NIMPOS only takes whole invoices: use createInvoice"
            return Refused((UserError(UserErrorCode.UNSUPPORTED_OPERATION, message),), unsupported=True)
        errors = writes.mistakes(write, self._profile, remarks_max_length=self._remarks_max_length)
        orders = [order for order in dict.fromkeys(write.orders) if order.source == self._profile.key]
        found = dict(zip(orders, await _all(self._order(order.native_id, scope) for order in orders), strict=True))
        carriers = writes.carriers(write, found)
        errors += [*writes.unknown_orders(write.orders, found), *carriers]
        failure = next((order for order in found.values() if isinstance(order, GatewayError)), None)
        if failure is not None and not errors:
            raise failure
        ref = self._installation.ref(Kind.INVOICE, str(write.native_id))
        existing = Invoice(ref=ref, native_type=mapping.INVOICE_TYPE) if carriers else None
        return Refused(tuple(errors), existing=existing) if errors else self._prepared(write, found)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Post the invoice, once; what the windows have shown is old from then on, whatever became of it."""
        try:
            return await self._upstream.write(prepared.request, scope)
        finally:
            self._windows.expire()

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:  # noqa: ARG002  (a success has no body)
        """Take a 2xx as success, and look whether an order says so, too."""
        is_written = await self._is_written(prepared, scope)
        return _applied(prepared, Confirmation.READ_BACK if is_written else Confirmation.STATUS_ONLY)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Ask the orders: one now carries the invoice, all can be read and none does, or nothing is proven."""
        is_written = await self._is_written(prepared, scope)
        if is_written:
            self._windows.expire()  # it may have come after `send` had given up
            return _applied(prepared, Confirmation.READ_BACK)
        if is_written is False:
            message = "NIMPOS has not recorded it: none of its orders carries the invoice"
            return Settled(outcome=MutationOutcome.REJECTED, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, message),))
        error = UserError(UserErrorCode.OUTCOME_UNKNOWN, writes.where_to_look(prepared))
        return Settled(outcome=MutationOutcome.UNKNOWN, errors=(error,))

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read what NIMPOS says beside the status, which is mostly nothing."""
        return writes.refusals(response)

    async def probe(self, scope: Scope) -> str:
        """Read the settings changed from now on; says whether they name the configured tills. Raises upstream errors.

        Where an installation refuses them, invoices from now on show that it answers.
        """
        window = self._windows.window(self._windows.now())
        try:
            named = await self._read(endpoints.get_settings(window), scope, _named_terminals)
        except UpstreamRejected:
            await self._read_rows(endpoints.get_customer_invoice(window), scope)
            return "GetCustomerInvoice answers; GetSettings does not, so that nothing confirms the configured tills"
        if not named:
            return "GetSettings answers; it names no tills"
        absent = sorted(self._terminal_ids - named)
        if absent:
            return f"GetSettings answers; it does not name the configured till {', '.join(absent)}"
        return "GetSettings answers and names every configured till"

    # customers

    async def _customers(self, scope: Scope) -> Callable[[Ref], Answer]:
        known = await self._windows.customers(scope)
        return lambda ref: self._customer(ref.native_id, known)

    def _customer(self, native_id: str, known: Snapshot[Seen[CustomerPayload]]) -> Customer | GatewayError | None:
        seen = known.get(native_id)
        return self._mapped(_CUSTOMERS, self._to_customer, seen) if seen is not None else self._no_customer(known)

    def _no_customer(self, known: Snapshot[Seen[CustomerPayload]]) -> GatewayError | None:
        if known.complete:
            return None
        return self._unproven(_CUSTOMERS, _NOT_WHOLE if known.rows else _EMPTY)

    async def _find_customers(self, number: str, scope: Scope) -> tuple[Record, ...]:
        known = await self._windows.customers(scope)
        found = [self._mapped(_CUSTOMERS, self._to_customer, seen) for seen in known.rows if number and seen.number == number]
        if not found and (reason := self._no_customer(known)) is not None:
            raise reason
        return tuple(_value(answer) for answer in found)

    async def _customer_page(self, criteria: Criteria, place: Place | None, size: int, scope: Scope) -> SourcePage:
        known = await self._windows.customers(scope)
        since = None if criteria.updated_since is None else to_place(criteria.updated_since.isoformat(), "", self._profile.time_zone)
        begin = max((start for start in (place, since) if start is not None), default=None)
        undated = since is not None and any(not seen.place[0] for seen in known.rows[:1])
        meant = (seen for seen in known.after(begin) if may_be_customer(seen, criteria))
        page = to_page(meant, size, lambda seen: self._mapped(_CUSTOMERS, self._to_customer, seen))
        return replace(
            page,
            applied=frozenset() if since is None else frozenset({"updated_since"}),
            left_out=(*_gaps(known), *(("customers without a date of change",) if undated else ())),
        )

    # orders

    async def _fetch_order(self, ref: Ref, scope: Scope) -> Order | None:
        request = endpoints.get_order_by_id(ref.native_id)
        row = await self._order_row(request, ref.native_id, scope)
        return None if row is None else _value(self._mapped(request, self._to_order, row))

    async def _fetch_order_lines(self, ref: Ref, scope: Scope) -> Answer:
        order = await self._fetch_order(ref, scope)
        return order.lines if order is not None and isinstance(order.lines, tuple) else None

    async def _order(self, native_id: str, scope: Scope) -> OrderPayload | None:
        request = endpoints.get_order_by_id(native_id)
        row = await self._order_row(request, native_id, scope)
        return None if row is None else _value(self._mapped(request, _to_order_payload, row))

    async def _order_row(self, request: Request, native_id: str, scope: Scope) -> Row | None:
        row = await self._read(request, scope, to_order_row, answers=_ORDER_ANSWERS)
        if row is not None and guid_of(row.get("Id")) != native_id:
            raise self._upstream.malformed(request, "this is not the order that was asked for")
        return row

    async def _order_page(self, criteria: Criteria, place: Place | None, size: int, scope: Scope) -> SourcePage:
        request = endpoints.get_orders(*self._range(criteria))
        rows = await self._read(request, scope, to_order_rows)
        placed = sorted((to_place(row.get("CreationDate"), key, self._profile.time_zone), row) for key, row in rows.by_id.items())
        orders = (PlacedOrder(where, self._mapped(request, self._to_order, row)) for where, row in placed if place is None or where > place)
        meant = (order for order in orders if isinstance(order.record, MalformedAnswer) or may_be_order(order.record, criteria))
        page = to_page(meant, size, as_listed)
        is_bounded = criteria.ordered_from is not None or criteria.ordered_to is not None
        left_out = (*((_EMPTY,) if not rows.by_id else ()), *((_WHICH_DATE,) if is_bounded else ()))
        return replace(page, unreadable=page.unreadable + (rows.unkeyed if place is None else 0), left_out=left_out)

    # invoices

    async def _invoices(self, scope: Scope) -> Callable[[Ref], Answer]:
        shown = await self._windows.invoices(scope)
        return lambda ref: self._invoice(ref.native_id, shown)

    def _invoice(self, native_id: str, shown: Invoices) -> Invoice | GatewayError:
        seen = shown.known.get(native_id)
        return self._mapped(_INVOICES, self._to_invoice, seen) if seen is not None else self._no_invoice(shown)

    def _no_invoice(self, shown: Invoices) -> GatewayError:
        return shown.failures[0] if shown.failures else self._unproven(_INVOICES, f"the window does not show it, and {_POSTED}")

    async def _find_invoices(self, number: str, scope: Scope) -> tuple[Record, ...]:
        shown = await self._windows.invoices(scope)
        if shown.failures:  # another invoice with this number may be in there
            raise shown.failures[0]
        found = [self._mapped(_INVOICES, self._to_invoice, seen) for seen in shown.known.rows if number and seen.number == number]
        if not found:
            raise self._no_invoice(shown)
        return tuple(_value(answer) for answer in found)

    async def _invoice_page(self, criteria: Criteria, place: Place | None, size: int, scope: Scope) -> SourcePage:
        if criteria.order is not None:
            return await self._invoices_of(criteria.order, place, scope)
        shown = await self._windows.invoices(scope)
        if len(shown.failures) == self._windows.till_count:
            raise shown.failures[0]
        meant = (seen for seen in shown.known.after(place) if may_be_invoice(seen, criteria))
        page = to_page(meant, size, lambda seen: self._mapped(_INVOICES, self._to_invoice, seen))
        return replace(page, left_out=(_POSTED_LEFT_OUT, *_gaps(*shown.by_till), *_failed(shown.failures)))

    async def _invoices_of(self, order_ref: Ref, place: Place | None, scope: Scope) -> SourcePage:
        """Give the one invoice that an order carries, if it is listed."""
        order = await self._order(order_ref.native_id, scope)
        invoice_id = None if order is None else guid_of(order.customer_invoice_id)
        if invoice_id is None:
            return SourcePage(applied=_BY_ORDER)
        shown = await self._windows.invoices(scope)
        seen = shown.known.get(invoice_id)
        if seen is None and shown.failures:
            raise shown.failures[0]
        behind = [seen] if seen is not None and (place is None or seen.place > place) else []
        page = to_page(behind, 1, lambda seen: self._mapped(_INVOICES, self._to_invoice, seen))
        left_out = (_POSTED_LEFT_OUT,) if seen is None else ()
        return replace(page, applied=_BY_ORDER, left_out=left_out)

    # payments

    async def _payments(self, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None) -> Callable[[Ref], Answer]:
        """Read what some invoices have in common once: the windows, and each order."""
        shown = await self._windows.invoices(scope)
        invoices = {ref: self._payload(ref.native_id, shown) for ref in refs}
        debts = await self._debts(scope) if _is_asked(fields, "amount_due") else None
        keys = _order_keys(invoices.values()) if _is_asked(fields, "payments") else []
        orders = dict(zip(keys, await _all(self._order(key, scope) for key in keys), strict=True))
        return lambda ref: self._paid(invoices[ref], debts, orders)

    def _payload(self, native_id: str, shown: Invoices) -> InvoicePayload | GatewayError:
        seen = shown.known.get(native_id)
        if seen is None:
            return self._no_invoice(shown)
        return self._upstream.malformed(_INVOICES, str(seen.payload)) if isinstance(seen.payload, Malformed) else seen.payload

    async def _debts(self, scope: Scope) -> Mapping[str, list[DebtPayload]]:
        """Give the debts by invoice number; none at all where one may be missing: a sum of the others would be wrong."""
        known = await self._windows.debts(scope)
        by_number: dict[str, list[DebtPayload]] = {}
        for seen in known.rows if known.complete else ():
            if seen.number is not None and isinstance(seen.payload, DebtPayload):
                by_number.setdefault(seen.number, []).append(seen.payload)
        return by_number

    def _paid(
        self,
        invoice: InvoicePayload | GatewayError,
        debts: Mapping[str, list[DebtPayload]] | None,
        orders: Mapping[str, OrderPayload | GatewayError | None],
    ) -> InvoicePayments | GatewayError:
        if isinstance(invoice, GatewayError):
            return invoice
        found = [orders.get(key) for key in _order_keys([invoice])]
        failure = next((order for order in found if isinstance(order, GatewayError)), None)
        if failure is not None:
            return failure
        known = [order for order in found if isinstance(order, OrderPayload)]
        owed = [debt for debt in (debts or {}).get(str(invoice.invoice_number), []) if _is_of(debt, invoice)]
        return self._mapped(
            _DEBTS,
            lambda payments: InvoicePayments(mapping.to_amount_due(owed, self._installation), payments),
            mapping.to_payments(known, self._installation) if len(known) == len(found) else None,
        )

    # writes

    def _prepared(self, write: CreateInvoice, orders: Mapping[Ref, writes.OrderAnswer]) -> Prepared:
        body = writes.to_body(write, self._profile.time_zone, self._clock.now())
        return Prepared(
            operation=Operation.CREATE_INVOICE,
            request=endpoints.post_customer_invoice(body),
            subject=write.number,
            result=self._installation.ref(Kind.INVOICE, str(write.native_id)),
            submitted=mapping.as_submitted(mapping.to_invoice(convert(body, InvoicePayload), self._installation)),
            before=writes.links(orders),
        )

    async def _is_written(self, prepared: Prepared, scope: Scope) -> bool | None:
        telling = writes.telling_orders(prepared)
        orders = await _all(self._order(order, scope) for order in telling)
        if prepared.result is None:
            return None
        return writes.is_written(prepared.result.native_id, list(zip(telling.values(), orders, strict=True)))

    # reading

    async def _read_rows(self, request: Request, scope: Scope) -> Rows:
        return await self._read(request, scope, to_rows)

    def _range(self, criteria: Criteria) -> tuple[datetime, datetime]:
        """Say from when to when orders are asked for, with a day to spare at both ends."""
        since = _shifted(criteria.ordered_from, -_SLACK, self._profile.time_zone)
        until = _shifted(criteria.ordered_to, _SLACK, self._profile.time_zone)
        return since or self._windows.start, until or self._windows.end

    async def _read(self, request: Request, scope: Scope, to: Callable[[bytes], T], *, answers: Sequence[int] = (_FOUND,)) -> T:
        response = await self._upstream.read(request, scope, answers=answers)
        return _value(self._mapped(request, to, response.body if response.status == _FOUND else b""))

    def _mapped(self, request: Request, to: Callable[[S], T], payload: S) -> T | MalformedAnswer:
        """Read a payload; the one place where what cannot be read becomes an error of the upstream."""
        try:
            return to(payload)
        except Malformed as error:
            return self._upstream.malformed(request, str(error))

    def _unproven(self, request: Request, why: str) -> AbsenceUnproven:
        return AbsenceUnproven(f"{request.operation}: {why}", source=self._profile.key, operation=request.operation)

    def _to_customer(self, seen: Seen[CustomerPayload]) -> Customer:
        return mapping.to_customer(_readable(seen), self._installation, fetched_at=seen.read_at, raw=seen.raw)

    def _to_order(self, row: Row) -> Order:
        return mapping.to_order(_to_order_payload(row), self._installation, fetched_at=self._clock.now(), raw=encode_tree(row))

    def _to_invoice(self, seen: Seen[InvoicePayload]) -> Invoice:
        return mapping.to_invoice(_readable(seen), self._installation, fetched_at=seen.read_at, raw=seen.raw)


async def _all(work: Iterable[Awaitable[T]]) -> list[T | GatewayError]:
    """Do all at once; failures become values."""
    return list(await asyncio.gather(*(_outcome(awaitable) for awaitable in work)))


async def _outcome(awaitable: Awaitable[T]) -> T | GatewayError:
    try:
        return await awaitable
    except GatewayError as error:
        return error


def _value(answer: T | GatewayError) -> T:
    if isinstance(answer, GatewayError):
        raise answer
    return answer


def _applied(prepared: Prepared, confirmation: Confirmation) -> Settled:
    return Settled(outcome=MutationOutcome.APPLIED, confirmation=confirmation, record=prepared.submitted)


def _to_order_payload(row: Row) -> OrderPayload:
    return convert(row, OrderPayload)


def _readable(seen: Seen[P]) -> P:
    if isinstance(seen.payload, Malformed):
        raise seen.payload
    return seen.payload


def _is_asked(fields: frozenset[str] | None, name: str) -> bool:
    return fields is None or name in fields


def _order_keys(invoices: Iterable[InvoicePayload | GatewayError]) -> list[str]:
    sent = (invoice.orders_guid or () for invoice in invoices if isinstance(invoice, InvoicePayload))
    return list(dict.fromkeys(key for keys in sent for text in keys if (key := guid_of(text)) is not None))


def _is_of(debt: DebtPayload, invoice: InvoicePayload) -> bool:
    """Say whether a debt with the invoice's number can be its own: numbers are given by the tills."""
    owner, customer = guid_of(debt.customer_id), guid_of(invoice.customer_id)
    return owner is None or customer is None or owner == customer


def _gaps(*windows: Snapshot[Seen[P]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_NOT_WHOLE if known.rows else _EMPTY for known in windows if not known.complete))


def _failed(failures: Sequence[GatewayError]) -> tuple[str, ...]:
    return tuple(f"a till that could not be read ({failure.code})" for failure in failures)


def _shifted(instant: datetime | None, by: timedelta, zone: ZoneInfo) -> datetime | None:
    try:
        return None if instant is None else instant.astimezone(zone) + by
    except OverflowError:  # the first or the last instant there is: no bound
        return None


def _named_terminals(body: bytes) -> frozenset[str]:
    """Read the ids of the tills, as far as there are any: what is in them is not published."""
    tree = decode_tree(body)
    terminals = tree.get("Terminals") if isinstance(tree, dict) else None
    rows = followed(terminals, tree) if isinstance(terminals, list) else []
    return frozenset(key for row in rows if (key := guid_of(row.get("Id"))) is not None)
