"""ShopCtrl as a `Source`: endpoints -> upstream -> mapping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import msgspec

from gateway.errors import GatewayError, InvalidInput, LookupUnsupported
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    CreateInvoiceFromOrder,
    Customer,
    Invoice,
    Kind,
    Operation,
    Order,
    Record,
    Ref,
    SourceHealth,
    SupportLevel,
    UpstreamRefusal,
    Write,
)
from gateway.sources.base import Answer, Fetch, Lines, Prepared, Refused, Settled, SourceParts, SourceProfile, each
from gateway.sources.decode import Malformed, decode, is_nothing
from gateway.sources.shopctrl import endpoints, mapping, writes
from gateway.sources.shopctrl.payloads import CustomerPayload, Id, IdPayload, InvoicePayload, OrderPayload, RowPayload
from gateway.sources.shopctrl.settings import ShopctrlOptions
from gateway.transport import Request, Response, Scope

T = TypeVar("T")

_FOUND: Final = 200
_NOTHING: Final = 204
_ABSENT: Final = 404
_BAD_REQUEST: Final = 400
# Absence is a 404, an empty 200, a 200 `null` or a 204: the pages do not say which.
_ANSWERS: Final = (_FOUND, _NOTHING, _ABSENT)
_LARGEST_KEY: Final = 2**63 - 1
_KINDS: Final = frozenset({Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE})

_CAPABILITIES: Final = (
    Capability(
        Operation.READ_CUSTOMER,
        SupportLevel.SUPPORTED,
        "GET v1/Customers/{id}",
        Batching.EACH,
        "several customers may share one number",
    ),
    Capability(
        Operation.READ_ORDER,
        SupportLevel.SUPPORTED,
        "GET v1/Shops/{shopId}/Orders/{orderCode}",
        Batching.EACH,
        "by id through GET v1/Orders/{id}, which is not published",
    ),
    Capability(
        Operation.READ_INVOICE,
        SupportLevel.SUPPORTED,
        "GET v1/Invoices/{invoiceId}",
        Batching.EACH,
        "by id; no lookup by number is published",
    ),
    Capability(Operation.LIST_CUSTOMERS, SupportLevel.NOT_OFFERED, note="no list of customers is published"),
    Capability(Operation.READ_INVOICE_LINES, SupportLevel.SUPPORTED, "GET v1/Invoices/{invoiceId}/Rows", Batching.EACH),
    Capability(Operation.READ_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
    Capability(Operation.CREATE_INVOICE, SupportLevel.NOT_OFFERED, note="the content of an invoice cannot be passed"),
    Capability(
        Operation.CREATE_INVOICE_FROM_ORDER,
        SupportLevel.SUPPORTED,
        "POST v1/Orders/{orderId}/Invoices",
        Batching.EACH,
        note="invoices every row that is not invoiced yet",
    ),
    Capability(Operation.SET_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
)


class ShopctrlSource:
    """One ShopCtrl installation, as one API user sees it."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: ShopctrlOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock

    @property
    def profile(self) -> SourceProfile:
        """What it is."""
        return self._profile

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do; lists of orders and invoices and the bytes of documents are published, and not used yet."""
        return _CAPABILITIES

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""
        return SourceHealth(self._upstream.health.value)

    @property
    def personal_fields(self) -> frozenset[str]:
        """Name the field of a customer that holds a personal identity number."""
        return frozenset({"PersonalNumber"})

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give an integer without leading zeros; raises `InvalidInput` for what is no positive 64-bit integer."""
        if kind not in _KINDS:
            raise InvalidInput("id: ShopCtrl has customers, orders and invoices only")
        try:
            key = mapping.key_of(native_id)
        except Malformed:
            key = None
        if key is None or int(key) > _LARGEST_KEY:
            raise InvalidInput("id: a ShopCtrl id is a positive integer")
        return key

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope) -> Sequence[Answer]:
        """Make one call a key; None for what ShopCtrl does not have."""
        fetch_one: Callable[[Ref, Scope], Awaitable[Answer]]
        match fetch:
            case Fetch.CUSTOMER:
                fetch_one = self._fetch_customer
            case Fetch.ORDER:
                fetch_one = self._fetch_order
            case Fetch.INVOICE:
                fetch_one = self._fetch_invoice
            case Fetch.ORDER_LINES:
                fetch_one = self._fetch_order_lines
            case Fetch.INVOICE_LINES:
                fetch_one = self._fetch_invoice_lines
            case _:
                return [None] * len(refs)
        return await each(refs, lambda ref: fetch_one(ref, scope))

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find customers by code and orders by code, in every configured shop; an invoice has no published lookup by number."""
        match kind:
            case Kind.CUSTOMER:
                return await self._find_customers(number, scope) if number.strip() else ()
            case Kind.ORDER:
                return await self._find_orders(number, scope) if number.strip() else ()
            case _:
                message = "ShopCtrl publishes no way to find this by number: ask by id"
                raise LookupUnsupported(message, source=self._profile.key, operation="find by number")

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Check that the order is there and remember its invoices."""
        if not isinstance(write, CreateInvoiceFromOrder):
            return writes.refuse(write)
        order = await self._fetch_order(write.order, scope)
        if order is None:
            return writes.refuse_unknown_order()
        shown = await self._fetch_invoices_of(order.ref.native_id, scope)
        before = writes.Before(
            order=order.ref.native_id,
            number=order.number or None,
            hint=order.ref.hint,
            invoices=None if shown is None else tuple(shown),
        )
        return Prepared(
            operation=Operation.CREATE_INVOICE_FROM_ORDER,
            request=endpoints.invoice_what_is_left(before.order),
            subject=before.number or before.order,
            before=before.to_plain(),
        )

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Send the command, once."""
        return await self._upstream.write(prepared.request, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        """Take an invoice as made, `null` as nothing left to invoice; anything else 2xx says nothing, so look."""
        before = writes.Before.from_plain(prepared.before)
        if response.status in {_FOUND, _NOTHING} and is_nothing(response.body):
            return writes.nothing_to_do(self._order_reference(before))
        try:
            invoice = self._to_created(response.body, before)
        except Malformed:
            return await self.look(prepared, scope)
        return writes.applied(invoice, self._order_reference(before), Confirmation.ECHO)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Compare the order's invoices with those before: one more is ours, none more proves that there was no write."""
        before = writes.Before.from_plain(prepared.before)
        order = self._order_reference(before)
        try:
            shown = await self._fetch_invoices_of(before.order, scope)
        except GatewayError:
            return writes.unknown(order, "the invoices of the order could not be read")
        new = writes.new_invoices(before, shown)
        if shown is None or new is None:
            return writes.unknown(order, "the source does not show the invoices of the order before and after")
        if not new:
            return writes.absent(order)
        if len(new) > 1:
            return writes.unknown(order, f"the order has several new invoices (ids {', '.join(new)})")
        return writes.applied(self._to_read_back(new[0], shown[new[0]]), order, Confirmation.READ_BACK)

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read the texts of an error answer."""
        return writes.to_refusals(response)

    async def probe(self, scope: Scope) -> str:
        """Ask which shops the API user sees; where that read is missing, ask for one order of a configured shop."""
        shops = await self._read(endpoints.shop_status(), scope, _to_keys)
        if shops is None:
            shop = self._options.shop_ids[0]
            await self._upstream.read(endpoints.first_order(shop), scope)
            return f"signed in; orders of shop {shop} can be read"
        hidden = [str(shop) for shop in self._options.shop_ids if str(shop) not in shops]
        if hidden:
            return f"signed in; sees shops {', '.join(shops) or 'none'}; NOT the configured {', '.join(hidden)}"
        return f"signed in; sees shops {', '.join(shops)}"

    async def _read(self, request: Request, scope: Scope, to: Callable[[bytes], T], *, answers: Sequence[int] = _ANSWERS) -> T | None:
        """Send a read and map its answer; None when there is no such thing. The one place that names an unreadable answer."""
        response = await self._upstream.read(request, scope, answers=answers)
        if response.status != _FOUND or is_nothing(response.body):
            return None
        try:
            return to(response.body)
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None

    async def _fetch_customer(self, ref: Ref, scope: Scope) -> Customer | None:
        def to(body: bytes) -> Customer:
            payload = decode(body, CustomerPayload)
            _check_key(payload.id, ref)
            return mapping.to_customer(payload, self._profile, self._sent(ref.native_id, body))

        return await self._read(endpoints.customer(ref.native_id), scope, to)

    async def _fetch_order(self, ref: Ref, scope: Scope) -> Order | None:
        """Read by shop and code where they came along: that read is published."""
        order = None if ref.hint is None else await self._fetch_hinted_order(ref, ref.hint, scope)
        if order is not None:
            return order

        def to(body: bytes) -> Order:
            payload = decode(body, OrderPayload)
            _check_key(payload.id, ref)
            return mapping.to_order(payload, self._profile, self._sent(ref.native_id, body))

        return await self._read(endpoints.order(ref.native_id), scope, to)

    async def _fetch_hinted_order(self, ref: Ref, hint: str, scope: Scope) -> Order | None:
        """Give None too where the shop has another order under that code, or its server takes no such code in a path."""

        def to(body: bytes) -> Order | None:
            payload = decode(body, OrderPayload)
            if mapping.key_of(payload.id) != ref.native_id:
                return None
            return mapping.to_order(payload, self._profile, self._sent(ref.native_id, body))

        shop, _, code = hint.partition("/")
        return await self._read(endpoints.order_by_code(shop, code), scope, to, answers=(*_ANSWERS, _BAD_REQUEST))

    async def _fetch_invoice(self, ref: Ref, scope: Scope) -> Invoice | None:
        def to(body: bytes) -> Invoice:
            payload = decode(body, InvoicePayload)
            _check_key(payload.id, ref)
            return mapping.to_invoice(payload, self._profile, self._sent(ref.native_id, body), is_whole=True)

        return await self._read(endpoints.invoice(ref.native_id), scope, to)

    async def _fetch_order_lines(self, ref: Ref, scope: Scope) -> Lines | None:
        return await self._read(endpoints.order_rows(ref.native_id), scope, lambda body: self._to_lines(body, ref))

    async def _fetch_invoice_lines(self, ref: Ref, scope: Scope) -> Lines | None:
        return await self._read(endpoints.invoice_rows(ref.native_id), scope, lambda body: self._to_lines(body, ref))

    def _to_lines(self, body: bytes, ref: Ref) -> Lines:
        return mapping.to_lines(decode(body, list[RowPayload]), mapping.asked_of(ref, self._profile))

    async def _fetch_invoices_of(self, order_id: str, scope: Scope) -> dict[str, bytes] | None:
        """Read every invoice of an order by key, as JSON; None: the source does not show them, which proves nothing."""
        return await self._read(endpoints.order_invoices(order_id), scope, _by_key)

    async def _find_customers(self, code: str, scope: Scope) -> tuple[Customer, ...]:
        def to(body: bytes) -> tuple[Customer, ...]:
            return tuple(self._to_customer_row(bytes(row)) for row in decode(body, list[msgspec.Raw]))

        return await self._read(endpoints.customers_by_code(self._options.shop_owner_id, code), scope, to) or ()

    def _to_customer_row(self, row: bytes) -> Customer:
        """Map one of the customers that share a code: a reference when only its key can be read, as none may seem to be the only one."""
        key = _own_key(decode(row, IdPayload).id)
        try:
            return mapping.to_customer(decode(row, CustomerPayload), self._profile, self._sent(key, row))
        except Malformed:
            return Customer(ref=Ref(self._profile.key, Kind.CUSTOMER, key), native_type="Customer")

    async def _find_orders(self, code: str, scope: Scope) -> tuple[Order, ...]:
        def to(body: bytes) -> Order:
            payload = decode(body, OrderPayload)
            return mapping.to_order(payload, self._profile, self._sent(_own_key(payload.id), body))

        reads = (self._read(endpoints.order_by_code(shop, code), scope, to) for shop in self._options.shop_ids)
        found = await asyncio.gather(*reads, return_exceptions=True)  # none is left running when another fails
        orders: dict[Ref, Order] = {}
        for order in found:
            if isinstance(order, BaseException):
                raise order
            if order is not None:
                orders[order.ref] = order
        return tuple(orders.values())

    def _to_created(self, body: bytes, before: writes.Before) -> Invoice:
        """Map what the command made; raises `Malformed` where it is no invoice, or not one that this write can have made."""
        payload = decode(body, InvoicePayload)
        key = _own_key(payload.id)
        if key in (before.invoices or ()) or mapping.key_of(payload.order_id) not in {None, before.order}:
            raise Malformed("the invoice was there before, or is of another order")
        return mapping.to_invoice(payload, self._profile, self._sent(key, body), is_whole=False)

    def _to_read_back(self, key: str, row: bytes) -> Invoice:
        """Map a row of the order's invoices; a reference when it has a key and nothing else that can be read."""
        try:
            return mapping.to_invoice(decode(row, InvoicePayload), self._profile, self._sent(key, row), is_whole=False)
        except Malformed:
            return Invoice(ref=Ref(self._profile.key, Kind.INVOICE, key), native_type="InvoiceBase")

    def _order_reference(self, before: writes.Before) -> Order:
        return mapping.order_reference(self._profile, before.order, before.number, before.hint)

    def _sent(self, key: str, raw: bytes) -> mapping.Sent:
        return mapping.Sent(key, raw, self._clock.now())


def _check_key(sent: Id, ref: Ref) -> None:
    # An id of 0 in an answer is let pass: the pages' "must be 0" says nothing about answers, either way.
    if sent is None or mapping.key_of(sent) not in {None, ref.native_id}:
        raise Malformed("Id: this is not the object that was asked for")


def _own_key(sent: Id) -> str:
    key = mapping.key_of(sent)
    if key is None:
        raise Malformed("Id: there is none")
    return key


def _by_key(body: bytes) -> dict[str, bytes]:
    return {_own_key(decode(bytes(row), IdPayload).id): bytes(row) for row in decode(body, list[msgspec.Raw])}


def _to_keys(body: bytes) -> tuple[str, ...]:
    return tuple(_own_key(row.id) for row in decode(body, list[IdPayload]))
