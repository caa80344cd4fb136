"""NIMPOS as a source: endpoints -> upstream -> mapping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from gateway.errors import AbsenceUnproven, GatewayError, InvalidInput, LookupUnsupported, MalformedAnswer
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    CreateInvoice,
    Customer,
    Invoice,
    Kind,
    MutationOutcome,
    Operation,
    Order,
    Record,
    Ref,
    SourceHealth,
    SupportLevel,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    VatBasis,
    Write,
)
from gateway.sources.base import Answer, Fetch, Prepared, Refused, Settled, SourceParts, SourceProfile, each, one_for_all
from gateway.sources.decode import Malformed, convert, decode_tree, encode_tree, local_midnight
from gateway.sources.nimpos import endpoints, mapping, writes
from gateway.sources.nimpos.endpoints import Window
from gateway.sources.nimpos.mapping import Installation
from gateway.sources.nimpos.payloads import (
    CustomerPayload,
    InvoicePayload,
    OrderPayload,
    Row,
    Rows,
    followed,
    guid_of,
    to_order_row,
    to_rows,
)
from gateway.sources.nimpos.settings import NimposOptions
from gateway.transport import Request, Response, Scope

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
_CAPABILITIES: Final = (
    Capability(
        Operation.READ_CUSTOMER,
        SupportLevel.PARTIAL,
        "GET api/Customer/GetCustomers",
        Batching.WINDOW,
        "Only customers changed since window_start. An empty window proves nothing: NIMPOS answers so on errors, too.",
    ),
    Capability(Operation.READ_ORDER, SupportLevel.SUPPORTED, "GET api/Order/GetOrderById", Batching.EACH),
    Capability(
        Operation.READ_INVOICE,
        SupportLevel.PARTIAL,
        "GET api/Order/GetCustomerInvoice",
        Batching.WINDOW,
        "One window for each of terminal_ids, since window_start. NIMPOS does not list invoices that were posted to it.",
    ),
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


@dataclass(frozen=True, slots=True)
class _InvoiceRows:
    """What the windows of all tills show. `failure`: why something may be missing, where a window could not be read."""

    request: Request
    by_id: dict[str, list[Row]]
    failure: GatewayError | None
    complete: bool


class NimposSource:
    """One NIMPOS company: its credential decides which."""

    def __init__(self, parts: SourceParts) -> None:
        options: NimposOptions = parts.options
        self._profile = parts.profile
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._window_start = local_midnight(options.window_start, parts.profile.time_zone)
        self._terminal_ids = tuple(dict.fromkeys(options.terminal_ids))
        self._remarks_max_length = options.remarks_max_length
        self._installation = Installation(parts.profile, _TOTAL_BASIS[options.total_vat_basis])

    @property
    def profile(self) -> SourceProfile:
        """What it is."""
        return self._profile

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do; lists are published and not used yet, so they are not among them."""
        return _CAPABILITIES

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""
        return SourceHealth(self._upstream.health.value)

    @property
    def personal_fields(self) -> frozenset[str]:
        """No published field is said to hold a personal identity number."""
        return frozenset()

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the GUID of a customer, order or invoice in lower case with hyphens; raises `InvalidInput` for anything else."""
        if kind not in _NAMES:
            raise InvalidInput("id: NIMPOS has customers, orders and invoices only")
        key = guid_of(native_id)
        if key is None:
            raise InvalidInput(f"id: the key of a NIMPOS {_NAMES[kind]} is a GUID")
        return key

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope) -> Sequence[Answer]:
        """Answer each key: customers and invoices from windows, orders one by one; what NIMPOS has not is None."""
        match fetch:
            case Fetch.CUSTOMER:
                return await one_for_all(refs, lambda: self._customers(scope))
            case Fetch.ORDER:
                return await each(refs, lambda ref: self._fetch_order(ref, scope))
            case Fetch.INVOICE:
                return await one_for_all(refs, lambda: self._invoices(scope))
            case Fetch.ORDER_LINES:
                return await each(refs, lambda ref: self._fetch_order_lines(ref, scope))
            case _:
                return [None] * len(refs)

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
        errors += writes.unknown_orders(write.orders, found)
        failure = next((order for order in found.values() if isinstance(order, GatewayError)), None)
        if failure is not None and not errors:
            raise failure
        return Refused(tuple(errors)) if errors else self._prepared(write, found)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Post the invoice, once."""
        return await self._upstream.write(prepared.request, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:  # noqa: ARG002  (a success has no body)
        """Take a 2xx as success, and look whether an order says so, too."""
        is_written = await self._is_written(prepared, scope)
        return _applied(prepared, Confirmation.READ_BACK if is_written else Confirmation.STATUS_ONLY)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Ask the orders: one now carries the invoice, all can be read and none does, or nothing is proven."""
        is_written = await self._is_written(prepared, scope)
        if is_written:
            return _applied(prepared, Confirmation.READ_BACK)
        if is_written is False:
            message = "NIMPOS has not recorded it: none of its orders carries the invoice"
            return Settled(outcome=MutationOutcome.REJECTED, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, message),))
        native_id = "" if prepared.result is None else prepared.result.native_id
        message = f"look in NIMPOS for invoice {prepared.subject} with the Id {native_id}, or at CustomerInvoiceId of its orders"
        return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read what NIMPOS says beside the status, which is mostly nothing."""
        return writes.refusals(response)

    async def probe(self, scope: Scope) -> str:
        """Read the settings changed from now on; says whether they name the configured tills. Raises upstream errors."""
        request = endpoints.get_settings(self._window(self._terminal_ids[0], since=self._now()))
        named = await self._read(request, scope, _named_terminals)
        if not named:
            return "GetSettings answers; it names no tills"
        absent = [str(terminal) for terminal in self._terminal_ids if str(terminal) not in named]
        if absent:
            return f"GetSettings answers; it does not name the configured till {', '.join(absent)}"
        return "GetSettings answers and names every configured till"

    # customers

    async def _customers(self, scope: Scope) -> Callable[[Ref], Answer]:
        request, rows = await self._customer_rows(scope)
        return lambda ref: self._customer(ref.native_id, request, rows)

    async def _customer_rows(self, scope: Scope) -> tuple[Request, Rows]:
        # The till is asked for and has no effect on customers (observed), so one window is enough.
        request = endpoints.get_customers(self._window(self._terminal_ids[0], since=self._window_start))
        return request, await self._read(request, scope, to_rows)

    def _customer(self, native_id: str, request: Request, rows: Rows) -> Customer | GatewayError | None:
        row = rows.by_id.get(native_id)
        return self._mapped(request, self._to_customer, row) if row is not None else self._no_customer(request, rows)

    def _no_customer(self, request: Request, rows: Rows) -> GatewayError | None:
        if not rows.complete:
            return self._upstream.malformed(request, "a customer in the list has no Id")
        return None if rows.by_id else self._unproven(request, "the window is empty, and NIMPOS answers so on errors, too")

    async def _find_customers(self, number: str, scope: Scope) -> tuple[Record, ...]:
        request, rows = await self._customer_rows(scope)
        found = [self._mapped(request, self._to_customer, row) for row in rows.by_id.values() if _has_number(row, "CustomerNo", number)]
        if not found and (reason := self._no_customer(request, rows)) is not None:
            raise reason
        return tuple(_value(answer) for answer in found)

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

    # invoices

    async def _invoices(self, scope: Scope) -> Callable[[Ref], Answer]:
        rows = await self._invoice_rows(scope)
        return lambda ref: self._invoice(ref.native_id, rows)

    async def _invoice_rows(self, scope: Scope) -> _InvoiceRows:
        """Read the window of every till; one that fails takes nothing away from the others."""
        windows = [self._window(terminal, since=self._window_start) for terminal in self._terminal_ids]
        requests = [endpoints.get_customer_invoice(window) for window in windows]
        answers = await _all(self._read(request, scope, to_rows) for request in requests)
        by_id: dict[str, list[Row]] = {}
        for rows in answers:
            if isinstance(rows, Rows):
                for key, row in rows.by_id.items():
                    by_id.setdefault(key, []).append(row)
        failure = next((answer for answer in answers if isinstance(answer, GatewayError)), None)
        return _InvoiceRows(requests[0], by_id, failure, all(isinstance(rows, Rows) and rows.complete for rows in answers))

    def _invoice(self, native_id: str, rows: _InvoiceRows) -> Invoice | GatewayError:
        found = rows.by_id.get(native_id)
        return self._mapped(rows.request, self._to_invoice, found) if found is not None else self._no_invoice(rows)

    def _no_invoice(self, rows: _InvoiceRows) -> GatewayError:
        if rows.failure is not None:
            return rows.failure
        if not rows.complete:
            return self._upstream.malformed(rows.request, "an invoice in the list has no Id")
        return self._unproven(rows.request, "the window does not show it, and NIMPOS does not list invoices posted to it")

    async def _find_invoices(self, number: str, scope: Scope) -> tuple[Record, ...]:
        rows = await self._invoice_rows(scope)
        if rows.failure is not None:  # another invoice with this number may be in there
            raise rows.failure
        found = [
            self._mapped(rows.request, self._to_invoice, same)
            for same in rows.by_id.values()
            if _has_number(same[0], "InvoiceNumber", number)
        ]
        if not found:
            raise self._no_invoice(rows)
        return tuple(_value(answer) for answer in found)

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
        orders = await _all(self._order(order, scope) for order in writes.telling_orders(prepared))
        return None if prepared.result is None else writes.is_written(prepared.result.native_id, orders)

    # reading

    def _now(self) -> datetime:
        """Give the present second in the source's zone; whole seconds, so that equal reads look equal."""
        return self._clock.now().astimezone(self._profile.time_zone).replace(microsecond=0)

    def _window(self, terminal_id: UUID, *, since: datetime) -> Window:
        return Window(since, self._now() + timedelta(days=1), terminal_id)

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

    def _to_customer(self, row: Row) -> Customer:
        return mapping.to_customer(convert(row, CustomerPayload), self._installation, fetched_at=self._clock.now(), raw=encode_tree(row))

    def _to_order(self, row: Row) -> Order:
        return mapping.to_order(_to_order_payload(row), self._installation, fetched_at=self._clock.now(), raw=encode_tree(row))

    def _to_invoice(self, rows: Sequence[Row]) -> Invoice:
        payload = mapping.together([convert(row, InvoicePayload) for row in rows])
        return mapping.to_invoice(payload, self._installation, fetched_at=self._clock.now(), raw=encode_tree(rows[0]))


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


def _has_number(row: Row, field: str, number: str) -> bool:
    value = row.get(field)
    return bool(number) and value not in {None, 0} and str(value).strip() == number


def _named_terminals(body: bytes) -> frozenset[str]:
    """Read the ids of the tills, as far as there are any: what is in them is not published."""
    tree = decode_tree(body)
    terminals = tree.get("Terminals") if isinstance(tree, dict) else None
    rows = followed(terminals, tree) if isinstance(terminals, list) else []
    return frozenset(key for row in rows if (key := guid_of(row.get("Id"))) is not None)
