"""A Norce source: endpoints -> upstream -> mapping."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from gateway.errors import GatewayError, InvalidInput, LookupUnsupported
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
    Write,
)
from gateway.sources.base import Answer, Fetch, Prepared, Refused, Settled, SourceParts, SourceProfile, each
from gateway.sources.decode import Malformed, decode, is_nothing
from gateway.sources.norce import endpoints, writes
from gateway.sources.norce.mapping import to_bill_to, to_customer, to_invoice, to_order, to_order_from_row
from gateway.sources.norce.payloads import CustomerPayload, InvoicePayload, OrderPayload, OrderRow, to_order_page
from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request, Response, Scope

T = TypeVar("T")

_PERSONAL: Final = frozenset({"SSN", "socialSecurityNumber", "SocialSecurityNumber"})
_INT64: Final = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_INT64_MAX: Final = 2**63 - 1
_PARTY: Final = re.compile(r"(customer|company)/0*([1-9]\d{0,18})", re.ASCII)
_BILL_TO: Final = re.compile(r"order/(\S+)/billto")

Looked = tuple[OrderRow, bytes] | GatewayError | None
"""What Query said of an order: its row with the row's own JSON; why it could not say; None, that there is none."""


class NorceSource:
    """One configured Norce. Shared by all requests."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: NorceOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock

    @property
    def profile(self) -> SourceProfile:
        """What it is."""
        return self._profile

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do; lists are published and not used yet, so they are not mentioned."""
        return (
            Capability(
                Operation.READ_CUSTOMER,
                SupportLevel.PARTIAL,
                "GET GetCustomer",
                Batching.EACH,
                "A company alone and a guest are known from orders and invoices; no published read gives a company by id.",
            ),
            self._read_order(),
            Capability(Operation.READ_INVOICE, SupportLevel.SUPPORTED, "GET GetInvoice", Batching.EACH),
            Capability(Operation.READ_INVOICE_LINES, SupportLevel.SUPPORTED, "GET GetInvoice", note="They come with the invoice."),
            self._create_invoice(),
            Capability(Operation.READ_INVOICE_DOCUMENT, SupportLevel.NOT_OFFERED),
            Capability(Operation.READ_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
            Capability(Operation.CREATE_INVOICE_FROM_ORDER, SupportLevel.NOT_OFFERED),
            Capability(Operation.SET_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
        )

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""
        return SourceHealth(self._upstream.health.value)

    @property
    def personal_fields(self) -> frozenset[str]:
        """Names under which Services and Query send a social security number."""
        return _PERSONAL

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the one spelling of a key; raises `InvalidInput` when no such key can exist."""
        text = native_id.strip()
        match kind:
            case Kind.INVOICE | Kind.ORDER if text.isprintable() and text and " " not in text:
                return text
            case Kind.INVOICE | Kind.ORDER:
                raise InvalidInput(f"id: the key of an {kind.name.lower()} is its OrderService Id")
            case Kind.CUSTOMER if party := _PARTY.fullmatch(text):
                return f"{party[1]}/{party[2]}"
            case Kind.CUSTOMER if _BILL_TO.fullmatch(text):
                return text
            case Kind.CUSTOMER:
                raise InvalidInput("id: the key of a customer is customer/<id>, company/<id> or order/<order id>/billto")
            case _:
                raise InvalidInput("id: this source has no such objects")

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope) -> Sequence[Answer]:
        """Answer each key, in the order asked; a failure is a value."""
        match fetch:
            case Fetch.INVOICE:
                return await each(refs, lambda ref: self._invoice(ref, scope))
            case Fetch.ORDER:
                return await self._orders(refs, scope)
            case Fetch.CUSTOMER:
                return await self._customers(refs, scope)
            case _:
                return [None] * len(refs)

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find by outside number or code: one, or none."""
        found: Record | None
        match kind:
            case Kind.CUSTOMER:
                found = await self._ask(endpoints.get_customer_by_code(self._options, number), scope, self._to_customer)
            case Kind.ORDER:
                found = await self._order_by_number(number, scope)
            case Kind.INVOICE:
                found = await self._invoice_by_number(number, scope)
            case _:
                raise self._unsupported("this source has no such objects", "find")
        return () if found is None else (found,)

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Validate, look whether the number is taken, and say what would be sent."""
        if not isinstance(write, CreateInvoice):
            message = "this source has no such operation"
            return Refused((UserError(UserErrorCode.UNSUPPORTED_OPERATION, message),), unsupported=True)
        try:
            own = writes.to_own_input(write)
        except Malformed:
            return Refused((writes.mistake(UserErrorCode.INVALID, "a field is unknown or has not its type", "norce"),))
        if self._options.create_via == "connect":
            return await self._prepare_connect(write, own, scope)
        return await self._prepare_insert(write, own, scope)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Send the write, once."""
        return await self._upstream.write(prepared.request, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        """Take the invoice that `InsertInvoice` echoes; else read back by number.

        Connect publishes no answer body, so its status is the proof. `InsertInvoice` is published as doing nothing: without an
        echo only a look proves anything.
        """
        if prepared.request.operation == "InsertInvoice":
            echoed = self._echoed(response)
            return await self.look(prepared, scope) if echoed is None else _applied(Confirmation.ECHO, echoed)
        try:
            invoice = await self._invoice_by_number(prepared.subject or "", scope)
        except GatewayError:
            invoice = None
        return _applied(Confirmation.STATUS_ONLY if invoice is None else Confirmation.READ_BACK, invoice)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Find out by `GetInvoiceByNo`; `prepare` saw that the number was free."""
        number = prepared.subject or ""
        try:
            invoice = await self._invoice_by_number(number, scope)
        except GatewayError:
            message = f"look in Norce whether there is an invoice {number} (OrderService GetInvoiceByNo) before sending it again"
            return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))
        if invoice is None:
            message = f"the source has no invoice {number}"
            return Settled(outcome=MutationOutcome.REJECTED, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, message),))
        return _applied(Confirmation.READ_BACK, invoice)

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read what the source itself says in an answer that refuses."""
        return writes.to_refusals(response)

    async def probe(self, scope: Scope) -> str:
        """Ask for invoice 0, which is null: proves the token and the Services."""
        await self._ask(endpoints.get_invoice(self._options, "0"), scope, lambda body: decode(body, InvoicePayload))
        query = "is off" if self._is_query_off else f"{self._options.query_version} is configured"
        return f"signed in; OrderService answers; Query {query}"

    @property
    def _is_query_off(self) -> bool:
        return self._options.query_version == "off"

    def _read_order(self) -> Capability:
        if self._is_query_off:
            note = "By number, or by id where an invoice names the number; Query, which knows ids, is off."
            return Capability(Operation.READ_ORDER, SupportLevel.PARTIAL, "GET GetOrderByNo", Batching.EACH, note)
        note = f"Query gives numbers and statuses, {endpoints.CHUNK_SIZE} orders a call; GetOrderByNo the rest, one each."
        return Capability(Operation.READ_ORDER, SupportLevel.SUPPORTED, "GET Orders/Orders, GET GetOrderByNo", Batching.EACH, note)

    def _create_invoice(self) -> Capability:
        if self._options.create_via == "connect":
            return Capability(Operation.CREATE_INVOICE, SupportLevel.SUPPORTED, "POST Order/CreateInvoice", Batching.EACH)
        note = "Published as obsolete and not implemented; the source is configured to use it all the same."
        return Capability(Operation.CREATE_INVOICE, SupportLevel.NOT_IMPLEMENTED_UPSTREAM, "POST InsertInvoice", note=note)

    async def _ask(self, request: Request, scope: Scope, read: Callable[[bytes], T]) -> T | None:
        """Send a read; None: it answered null."""
        response = await self._upstream.read(request, scope)
        return None if is_nothing(response.body) else self._read(request, response.body, read)

    def _read(self, request: Request, body: bytes, read: Callable[[bytes], T]) -> T:
        try:
            return read(body)
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None

    def _to_invoice(self, body: bytes) -> Invoice:
        return to_invoice(decode(body, InvoicePayload), body, self._profile, self._clock.now())

    def _to_customer(self, body: bytes) -> Customer:
        return to_customer(decode(body, CustomerPayload), body, self._profile, self._clock.now())

    def _to_order(self, body: bytes, row: OrderRow | None) -> Order:
        return to_order(decode(body, OrderPayload), body, row, self._profile, self._clock.now())

    async def _invoice(self, ref: Ref, scope: Scope) -> Answer:
        request = endpoints.get_invoice(self._options, ref.native_id)
        return self._same(request, ref, await self._ask(request, scope, self._to_invoice))

    async def _invoice_by_number(self, number: str, scope: Scope) -> Invoice | None:
        return await self._ask(endpoints.get_invoice_by_no(self._options, number), scope, self._to_invoice)

    def _same(self, request: Request, ref: Ref, record: Record | None) -> Record | None:
        if record is not None and record.ref != ref:
            raise self._upstream.malformed(request, "it answered with another object than the one asked for")
        return record

    async def _customers(self, refs: Sequence[Ref], scope: Scope) -> Sequence[Answer]:
        bill_tos = {ref: self._order_of(ref) for ref in refs if ref.native_id.startswith("order/")}
        orders = dict(zip(bill_tos, await self._orders(tuple(bill_tos.values()), scope), strict=True)) if bill_tos else {}
        return await each(refs, lambda ref: self._customer(ref, orders, scope))

    async def _customer(self, ref: Ref, orders: Mapping[Ref, Answer], scope: Scope) -> Answer:
        form, _, key = ref.native_id.partition("/")
        if form == "company":
            raise self._unsupported("no published read gives a company by its id", "GetCustomer")
        if form == "order":
            return self._bill_to(ref, orders[ref])
        request = endpoints.get_customer(self._options, key)
        return self._same(request, ref, await self._ask(request, scope, self._to_customer))

    def _order_of(self, ref: Ref) -> Ref:
        return Ref(ref.source, Kind.ORDER, ref.native_id.removeprefix("order/").removesuffix("/billto"), hint=ref.hint)

    def _bill_to(self, ref: Ref, order: Answer) -> Answer:
        if isinstance(order, GatewayError):
            return order
        if not isinstance(order, Order) or order.native_type != "Order" or order.raw is None:
            return None  # a row of Query names no party
        return to_bill_to(decode(order.raw, OrderPayload), ref, self._profile, self._clock.now())

    async def _orders(self, refs: Sequence[Ref], scope: Scope) -> Sequence[Answer]:
        rows = await self._rows([ref.native_id for ref in refs], scope)
        return await each(refs, lambda ref: self._order(ref, rows, scope))

    async def _order(self, ref: Ref, rows: Mapping[str, Looked], scope: Scope) -> Answer:
        """Read one order; `rows` has what Query said of it, or why it said nothing."""
        found = rows.get(ref.native_id, self._unsupported("no published read gives an order by this id", "GetOrderByNo"))
        if found is None:
            return None
        if isinstance(found, GatewayError):
            if ref.hint is None:
                raise found
            return await self._order_whole(endpoints.get_order_by_no(self._options, ref.hint), ref, None, scope)
        row, raw = found
        request = self._read_of(row, ref.hint)
        whole = None if request is None else await self._order_whole(request, ref, row, scope)
        return whole or to_order_from_row(row, raw, self._profile, self._clock.now())

    def _read_of(self, row: OrderRow, number: str | None) -> Request | None:
        """Choose the read that gives the whole order; None: it has neither a number nor a basket."""
        if row.order_no or number:
            return endpoints.get_order_by_no(self._options, str(row.order_no or number))
        return endpoints.get_order_by_basket(self._options, str(row.quotation_id)) if row.quotation_id else None

    async def _order_whole(self, request: Request, ref: Ref, row: OrderRow | None, scope: Scope) -> Record | None:
        return self._same(request, ref, await self._ask(request, scope, lambda body: self._to_order(body, row)))

    async def _order_by_number(self, number: str, scope: Scope) -> Order | None:
        """Read an order by its number, then its status; a Query that fails leaves the status UNKNOWN."""
        request = endpoints.get_order_by_no(self._options, number)
        response = await self._upstream.read(request, scope)
        if is_nothing(response.body):
            return None
        order = self._read(request, response.body, lambda body: self._to_order(body, None))
        found = (await self._rows([order.ref.native_id], scope)).get(order.ref.native_id)
        return self._to_order(response.body, found[0]) if isinstance(found, tuple) else order

    async def _rows(self, ids: Sequence[str], scope: Scope) -> dict[str, Looked]:
        """Ask Query for orders, in chunks; an id that Query cannot be asked for is not in the answer."""
        askable = [] if self._is_query_off else [order_id for order_id in ids if _is_int64(order_id)]
        size = endpoints.CHUNK_SIZE
        chunks = [askable[start : start + size] for start in range(0, len(askable), size)]
        answers = await asyncio.gather(*(self._chunk(chunk, scope) for chunk in chunks))
        return {order_id: found for answer in answers for order_id, found in answer.items()}

    async def _chunk(self, ids: Sequence[str], scope: Scope) -> dict[str, Looked]:
        try:
            return await self._query(ids, scope)
        except GatewayError as error:
            return dict.fromkeys(ids, error)

    async def _query(self, ids: Sequence[str], scope: Scope) -> dict[str, Looked]:
        """Read pages until every id is found or there are no more; absence counts only where every row could be read."""
        request = endpoints.query_orders(self._options, ids)
        found: dict[str, tuple[OrderRow, bytes]] = {}
        unreadable: GatewayError | None = None
        for _ in range(len(ids) + 1):
            response = await self._upstream.read(request, scope)
            page = self._read(request, response.body, to_order_page)
            found.update((str(row.id), (row, raw)) for row, raw in page.rows)
            if not page.all_readable:
                unreadable = self._upstream.malformed(request, "a row cannot be read")
            if page.next_link is None or found.keys() >= set(ids):
                return {order_id: found.get(order_id, unreadable) for order_id in ids}
            request = endpoints.next_page(request, page.next_link)
        raise self._upstream.malformed(request, "its pages have no end")

    async def _prepare_connect(self, draft: CreateInvoice, own: writes.OwnInput, scope: Scope) -> Prepared | Refused:
        keys, order_mistakes = await self._order_keys(draft, scope)
        filled = writes.fill(draft, own, keys, self._profile)
        mistakes = (*order_mistakes, *writes.connect_mistakes(filled, keys), *await self._taken(draft.number, scope, "number"))
        if mistakes:
            return Refused(mistakes)
        body = writes.connect_body(filled, self._options, self._profile.time_zone)
        return _prepared(endpoints.create_invoice(self._options, body), draft.number)

    async def _prepare_insert(self, draft: CreateInvoice, own: writes.OwnInput, scope: Scope) -> Prepared | Refused:
        body = writes.insert_body(own)
        number = body.get("InvoiceNo")
        subject = number if isinstance(number, str) else None
        mistakes = (*writes.insert_mistakes(draft, own), *await self._taken(subject, scope, "norce", "insertInvoice", "InvoiceNo"))
        return Refused(mistakes) if mistakes else _prepared(endpoints.insert_invoice(self._options, body), subject)

    async def _order_keys(self, draft: CreateInvoice, scope: Scope) -> tuple[writes.OrderKeys | None, tuple[UserError, ...]]:
        """Read what the first order adds to the invoice; raises when it cannot be read."""
        if not draft.orders:
            return None, ()
        order = (await self._orders(draft.orders[:1], scope))[0]
        match order:
            case Order():
                return writes.to_order_keys(order), ()
            case LookupUnsupported():
                message = "this source cannot look up this order; give clientOrderRef and erpOrderNumber instead"
                return None, (writes.mistake(UserErrorCode.NOT_ACCEPTED_BY_SOURCE, message, "orders", "0"),)
            case GatewayError():
                raise order
            case _:
                return None, (writes.mistake(UserErrorCode.NOT_FOUND, "the source has no such order", "orders", "0"),)

    async def _taken(self, number: str | None, scope: Scope, *path: str) -> tuple[UserError, ...]:
        """Say whether the source has an invoice with this number already."""
        if number is None or not number.strip() or len(number) > writes.NUMBER_LENGTH:
            return ()
        if await self._invoice_by_number(number, scope) is None:
            return ()
        return (writes.mistake(UserErrorCode.DUPLICATE_NUMBER, "the source has an invoice with this number already", *path),)

    def _echoed(self, response: Response) -> Invoice | None:
        try:
            return None if is_nothing(response.body) else self._to_invoice(response.body)
        except Malformed:
            return None

    def _unsupported(self, message: str, operation: str) -> LookupUnsupported:
        return LookupUnsupported(message, source=self._profile.key, operation=operation)


def _is_int64(text: str) -> bool:
    return bool(_INT64.fullmatch(text)) and int(text) <= _INT64_MAX


def _prepared(request: Request, number: str | None) -> Prepared:
    return Prepared(operation=Operation.CREATE_INVOICE, request=request, subject=number)


def _applied(confirmation: Confirmation, invoice: Invoice | None) -> Settled:
    orders = () if invoice is None else invoice.orders or ()
    return Settled(outcome=MutationOutcome.APPLIED, confirmation=confirmation, record=invoice, order=next(iter(orders), None))
