"""ShopCtrl as a `Source`: endpoints -> upstream -> mapping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.errors import GatewayError, InvalidInput, ListUnsupported, LookupUnsupported
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    CreateInvoiceFromOrder,
    Criteria,
    Customer,
    Invoice,
    InvoicePayments,
    Kind,
    Operation,
    Order,
    Record,
    Ref,
    SourcePage,
    SupportLevel,
    UpstreamRefusal,
    Write,
)
from gateway.sources.base import Answer, Calls, Demand, Fetch, OverUpstream, Prepared, Refused, Settled, SourceParts, each
from gateway.sources.decode import Malformed, decode, is_nothing
from gateway.sources.shopctrl import endpoints, mapping, writes
from gateway.sources.shopctrl.bill import Bill
from gateway.sources.shopctrl.costs import worst_case
from gateway.sources.shopctrl.invoice_list import InvoiceList
from gateway.sources.shopctrl.labels import Labels
from gateway.sources.shopctrl.order_list import BY_LIST_ALONE, OrderList
from gateway.sources.shopctrl.paging import part_of
from gateway.sources.shopctrl.payloads import InvoicePayload
from gateway.sources.shopctrl.payments import PaidPart, to_payments
from gateway.sources.shopctrl.reads import FOUND, NOTHING, Reads, key_of_row, own_key, to_rows
from gateway.sources.shopctrl.settings import ShopctrlOptions
from gateway.transport import Response, Scope

_LARGEST_KEY: Final = 2**63 - 1
_KINDS: Final = frozenset({Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE})
_BY_NUMBER: Final = frozenset({"number"})

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
    Capability(
        Operation.LIST_CUSTOMERS,
        SupportLevel.PARTIAL,
        "GET v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}",
        Batching.PARENT,
        "by number alone; no list of customers is published",
    ),
    Capability(
        Operation.LIST_ORDERS,
        SupportLevel.SUPPORTED,
        "GET v1/Shops/{shopId}/Orders",
        Batching.PARENT,
        "shop after shop; those of a customer by its e-mail address, as no other way is published",
    ),
    Capability(
        Operation.LIST_INVOICES,
        SupportLevel.SUPPORTED,
        "GET v1/Orders/{orderId}/Invoices",
        Batching.PARENT,
        "through the orders, one call an order; those of a customer through the orders under its e-mail address",
    ),
    Capability(Operation.READ_INVOICE_LINES, SupportLevel.SUPPORTED, "GET v1/Invoices/{invoiceId}/Rows", Batching.EACH),
    Capability(
        Operation.READ_INVOICE_DOCUMENT,
        SupportLevel.SUPPORTED,
        "GET v1/Files/{fileId}",
        Batching.EACH,
        "after the invoice, which names the file",
    ),
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


class ShopctrlSource(OverUpstream):
    """One ShopCtrl installation, as one API user sees it."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: ShopctrlOptions = parts.options
        self._upstream = parts.upstream
        self._reads = Reads(parts)
        self._labels = Labels(self._reads.label, parts.clock)
        self._order_list = OrderList(self._reads, parts.profile, self._options.shop_ids)
        self._invoice_list = InvoiceList(self._reads, parts.profile, self._options.shop_ids)

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do."""
        return _CAPABILITIES

    @property
    def personal_fields(self) -> frozenset[str]:
        """Name the field of a customer that holds a personal identity number."""
        return frozenset({"PersonalNumber"})

    @property
    def orders_per_invoice(self) -> int:
        """An invoice is of one order."""
        return 1

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        """Say which calls a demand costs at most; see `costs`."""
        return worst_case(demand, shops=len(self._options.shop_ids))

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

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        """Make one call a key; payments one an order, beside the invoices themselves where what is left is asked and not known.

        None for what ShopCtrl does not have.
        """
        fetch_one: Callable[[Ref, Scope], Awaitable[Answer]]
        match fetch:
            case Fetch.CUSTOMER:
                fetch_one = self._reads.customer
            case Fetch.ORDER:
                fetch_one = self._reads.order
            case Fetch.INVOICE:
                fetch_one = self._reads.invoice
            case Fetch.ORDER_LINES:
                fetch_one = self._reads.order_lines
            case Fetch.INVOICE_LINES:
                fetch_one = self._reads.invoice_lines
            case Fetch.PAYMENTS:
                fetch_one = _Payments(self._reads, needs_total=fields is None or "amount_due" in fields).of
            case Fetch.DOCUMENT:
                fetch_one = self._reads.document
            case Fetch.LABEL:
                fetch_one = self._labels.get
            case _:
                return [None] * len(refs)
        return await each(refs, lambda ref: fetch_one(ref, scope), at_once=self._upstream.max_in_flight)

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List customers by number, orders by shop or number, invoices by order or through the orders."""
        number = criteria.number
        match criteria.kind:
            case Kind.CUSTOMER if number is not None:
                return part_of(await self._customers_by_code(number, scope), position, size, _BY_NUMBER)
            case Kind.ORDER if number is not None and not criteria.asked & BY_LIST_ALONE:
                return part_of(await self._orders_by_code(number, scope), position, size, _BY_NUMBER)
            case Kind.ORDER:
                return await self._order_list.page(criteria, position, size, scope)
            case Kind.INVOICE if criteria.order is not None:
                return await self._invoice_list.page_of_order(criteria.order, criteria.customer, position, size, scope)
            case Kind.INVOICE:
                return await self._invoice_list.page(criteria, position, size, scope)
            case _:
                message = "ShopCtrl publishes no list of customers: ask by number"
                raise ListUnsupported(message, source=self._profile.key, operation="list customers")

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find customers by code and orders by code, in every configured shop; an invoice has no published lookup by number."""
        match kind:
            case Kind.CUSTOMER:
                return await self._customers_by_code(number, scope)
            case Kind.ORDER:
                return await self._orders_by_code(number, scope)
            case _:
                message = "ShopCtrl publishes no way to find this by number: ask by id"
                raise LookupUnsupported(message, source=self._profile.key, operation="find by number")

    async def _customers_by_code(self, code: str, scope: Scope) -> tuple[Customer, ...]:
        return await self._reads.customers_by_code(self._options.shop_owner_id, code, scope) if code.strip() else ()

    async def _orders_by_code(self, code: str, scope: Scope) -> tuple[Order, ...]:
        reads = (self._reads.order_by_code(shop, code, scope) for shop in self._options.shop_ids if code.strip())
        found = await asyncio.gather(*reads, return_exceptions=True)  # none is left running when another fails
        orders: dict[Ref, Order] = {}
        for order in found:
            if isinstance(order, BaseException):
                raise order
            if order is not None:
                orders[order.ref] = order
        return tuple(orders.values())

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Check that the order is there and remember its invoices."""
        if not isinstance(write, CreateInvoiceFromOrder):
            return writes.refuse(write)
        order = await self._reads.order(write.order, scope)
        if order is None and write.order.hint is None and await self._reads.has_order_rows(write.order, scope):
            # The read of an order by id is not published, that of its rows is.
            order = mapping.order_reference(self._profile, write.order.native_id, None, None)
        if order is None:
            return writes.refuse_unknown_order()
        shown = await self._reads.invoices_of(order.ref.native_id, scope)
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
        if response.status in {FOUND, NOTHING} and is_nothing(response.body):
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
            shown = await self._reads.invoices_of(before.order, scope)
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
        shops = await self._reads.read(endpoints.shop_status(), scope, _to_keys)
        if shops is None:
            shop = self._options.shop_ids[0]
            await self._upstream.read(endpoints.orders(shop, endpoints.OrderFilters(), 1, 1), scope)
            return f"signed in; orders of shop {shop} can be read"
        hidden = [str(shop) for shop in self._options.shop_ids if str(shop) not in shops]
        if hidden:
            return f"signed in; sees shops {', '.join(shops) or 'none'}; NOT the configured {', '.join(hidden)}"
        return f"signed in; sees shops {', '.join(shops)}"

    def _to_created(self, body: bytes, before: writes.Before) -> Invoice:
        """Map what the command made; raises `Malformed` where it is no invoice, or not one that this write can have made."""
        payload = decode(body, InvoicePayload)
        key = own_key(payload.id)
        if key in (before.invoices or ()) or mapping.key_of(payload.order_id) not in {None, before.order}:
            raise Malformed("the invoice was there before, or is of another order")
        return mapping.to_invoice(payload, self._profile, self._reads.sent(key, body), is_whole=False)

    def _to_read_back(self, key: str, row: bytes) -> Invoice:
        """Map a row of the order's invoices; a reference when it has a key and nothing else that can be read."""
        try:
            return mapping.to_invoice(decode(row, InvoicePayload), self._profile, self._reads.sent(key, row), is_whole=False)
        except Malformed:
            return Invoice(ref=Ref(self._profile.key, Kind.INVOICE, key), native_type="InvoiceBase")

    def _order_reference(self, before: writes.Before) -> Order:
        return mapping.order_reference(self._profile, before.order, before.number, before.hint)


class _Payments:
    """The payments of a batch of invoices: one call an order, however many of its invoices are asked for."""

    def __init__(self, reads: Reads, *, needs_total: bool) -> None:
        self._reads = reads
        self._needs_total = needs_total
        self._asked: dict[str, asyncio.Task[list[PaidPart] | None]] = {}

    async def of(self, ref: Ref, scope: Scope) -> InvoicePayments | None:
        """Give the payments of an invoice; None when there is no such invoice."""
        bill = Bill.from_hint(ref.hint)
        if bill is None or (bill.total is None and self._needs_total):
            invoice = await self._reads.invoice(ref, scope)
            if invoice is None:
                return None
            bill = Bill.from_hint(invoice.ref.hint)
        if bill is None:
            return InvoicePayments()
        if bill.order not in self._asked:
            self._asked[bill.order] = asyncio.ensure_future(self._reads.payments_of(bill.order, scope))
        payments = await self._asked[bill.order]
        return InvoicePayments() if payments is None else to_payments(payments, ref.native_id, bill.total)


def _to_keys(body: bytes) -> tuple[str, ...]:
    return tuple(key_of_row(row) for row in to_rows(body))
