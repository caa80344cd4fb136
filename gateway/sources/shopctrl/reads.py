"""One read of ShopCtrl each: endpoint -> upstream -> mapping. Absence is None; what was not read raises an upstream error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from gateway.model import Customer, DocumentContent, Invoice, LabelRow, Order, Ref
from gateway.sources.base import Lines, SourceParts
from gateway.sources.decode import Malformed, decode, is_nothing
from gateway.sources.shopctrl import documents, endpoints, mapping
from gateway.sources.shopctrl.payloads import (
    CustomerPayload,
    FilePayload,
    Id,
    IdPayload,
    InvoicePayload,
    OrderPayload,
    PaymentPayload,
    RowPayload,
    StatusPayload,
)
from gateway.sources.shopctrl.payments import PaidPart, to_parts
from gateway.transport import Request, Scope

T = TypeVar("T")

FOUND: Final = 200
NOTHING: Final = 204
_ABSENT: Final = 404
_BAD_REQUEST: Final = 400
# Absence is a 404, an empty 200, a 200 `null` or a 204: the pages do not say which.
_ANSWERS: Final = (FOUND, NOTHING, _ABSENT)


class Reads:
    """The reads of one installation."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._upstream = parts.upstream
        self._clock = parts.clock

    async def read(self, request: Request, scope: Scope, to: Callable[[bytes], T], *, answers: Sequence[int] = _ANSWERS) -> T | None:
        """Send a read and map its answer; None when there is no such thing. The one place that names an unreadable answer."""
        response = await self._upstream.read(request, scope, answers=answers)
        if response.status != FOUND or is_nothing(response.body):
            return None
        try:
            return to(response.body)
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None

    def now(self) -> datetime:
        """Give the moment at which the rows of an answer came."""
        return self._clock.now()

    def sent(self, key: str, raw: bytes) -> mapping.Sent:
        """Say of an object that it came just now."""
        return mapping.Sent(key, raw, self._clock.now())

    async def customer(self, ref: Ref, scope: Scope) -> Customer | None:
        """Read a customer."""

        def to(body: bytes) -> Customer:
            payload = decode(body, CustomerPayload)
            _check_key(payload.id, ref.native_id)
            return mapping.to_customer(payload, self._profile, self.sent(ref.native_id, body))

        return await self.read(endpoints.customer(ref.native_id), scope, to)

    async def customers_by_code(self, shop_owner_id: int, code: str, scope: Scope) -> tuple[Customer, ...]:
        """Read all customers that share a code."""

        def to(body: bytes) -> tuple[Customer, ...]:
            return tuple(self._to_customer_row(bytes(row)) for row in decode(body, list[msgspec.Raw]))

        return await self.read(endpoints.customers_by_code(shop_owner_id, code), scope, to) or ()

    def _to_customer_row(self, row: bytes) -> Customer:
        """Map one of the customers that share a code: a reference when only its key can be read, as none may seem to be the only one."""
        key = own_key(decode(row, IdPayload).id)
        try:
            return mapping.to_customer(decode(row, CustomerPayload), self._profile, self.sent(key, row))
        except Malformed:
            return mapping.customer_reference(self._profile, key)

    async def order(self, ref: Ref, scope: Scope) -> Order | None:
        """Read an order, by shop and code where they came along: that read is published."""
        order = None if ref.hint is None else await self._hinted_order(ref, ref.hint, scope)
        if order is not None:
            return order

        def to(body: bytes) -> Order:
            payload = decode(body, OrderPayload)
            _check_key(payload.id, ref.native_id)
            return mapping.to_order(payload, self._profile, self.sent(ref.native_id, body))

        return await self.read(endpoints.order(ref.native_id), scope, to)

    async def _hinted_order(self, ref: Ref, hint: str, scope: Scope) -> Order | None:
        """Give None too where the shop has another order under that code, or its server takes no such code in a path."""

        def to(body: bytes) -> Order | None:
            payload = decode(body, OrderPayload)
            if mapping.key_of(payload.id) != ref.native_id:
                return None
            return mapping.to_order(payload, self._profile, self.sent(ref.native_id, body))

        shop, _, code = hint.partition("/")
        return await self.read(endpoints.order_by_code(shop, code), scope, to, answers=(*_ANSWERS, _BAD_REQUEST))

    async def order_by_code(self, shop_id: int, code: str, scope: Scope) -> Order | None:
        """Read the order that a shop has under a code."""

        def to(body: bytes) -> Order:
            payload = decode(body, OrderPayload)
            return mapping.to_order(payload, self._profile, self.sent(own_key(payload.id), body))

        return await self.read(endpoints.order_by_code(shop_id, code), scope, to)

    async def invoice(self, ref: Ref, scope: Scope) -> Invoice | None:
        """Read an invoice, a deleted one too."""

        def to(body: bytes) -> Invoice:
            payload = decode(body, InvoicePayload)
            _check_key(payload.id, ref.native_id)
            return mapping.to_invoice(payload, self._profile, self.sent(ref.native_id, body), is_whole=True)

        return await self.read(endpoints.invoice(ref.native_id), scope, to)

    async def order_lines(self, ref: Ref, scope: Scope) -> Lines | None:
        """Read the rows of an order."""
        return await self.read(endpoints.order_rows(ref.native_id), scope, lambda body: self._to_lines(body, ref))

    async def has_order_rows(self, ref: Ref, scope: Scope) -> bool:
        """Say whether the source shows any row of an order, which proves that it has the order."""
        return bool(await self.read(endpoints.order_rows(ref.native_id), scope, to_rows))

    async def invoice_lines(self, ref: Ref, scope: Scope) -> Lines | None:
        """Read the rows of an invoice."""
        return await self.read(endpoints.invoice_rows(ref.native_id), scope, lambda body: self._to_lines(body, ref))

    def _to_lines(self, body: bytes, ref: Ref) -> Lines:
        return mapping.to_lines(decode(body, list[RowPayload]), mapping.asked_of(ref, self._profile))

    async def invoices_of(self, order_id: str, scope: Scope) -> dict[str, bytes] | None:
        """Read every invoice of an order by key, as JSON; None: the source does not show them, which proves nothing."""
        return await self.read(endpoints.order_invoices(order_id), scope, _by_key)

    async def invoice_rows_of(self, order_id: str, scope: Scope) -> list[bytes]:
        """Read every invoice of an order as JSON, those without a key too; none where the source shows none."""
        return await self.read(endpoints.order_invoices(order_id), scope, to_rows) or []

    async def payments_of(self, order_id: str, scope: Scope) -> list[PaidPart] | None:
        """Read every payment of an order; None: the source does not show them."""

        def to(body: bytes) -> list[PaidPart]:
            return to_parts(decode(body, list[PaymentPayload]), order_id, self._profile)

        return await self.read(endpoints.order_payments(order_id), scope, to)

    async def document(self, ref: Ref, scope: Scope) -> DocumentContent | None:
        """Read the file of an invoice, which the invoice names; None when there is none."""
        invoice = await self.invoice(ref, scope)
        if invoice is None or not invoice.document:
            return None
        document = invoice.document

        def to(body: bytes) -> DocumentContent:
            payload = decode(body, FilePayload)
            _check_key(payload.id, document.file_id)
            return documents.to_content(payload, document)

        return await self.read(endpoints.file(document.file_id), scope, to)

    async def label(self, ref: Ref, scope: Scope) -> LabelRow | None:
        """Read the definition of a status."""
        family, _, key = ref.native_id.partition("/")

        def to(body: bytes) -> LabelRow:
            payload = decode(body, StatusPayload)
            _check_key(payload.id, key)
            return mapping.to_label(payload, ref, self.sent(key, body))

        request = endpoints.invoice_status(key) if family == mapping.INVOICE_STATUS else endpoints.order_status(key)
        return await self.read(request, scope, to)


def _check_key(sent: Id, asked: str) -> None:
    # An id of 0 in an answer is let pass: the pages' "must be 0" says nothing about answers, either way.
    if sent is None or mapping.key_of(sent) not in {None, asked}:
        raise Malformed("Id: this is not the object that was asked for")


def own_key(sent: Id) -> str:
    """Give the key of an object that was not asked for by key; raises `Malformed` when it has none."""
    key = mapping.key_of(sent)
    if key is None:
        raise Malformed("Id: there is none")
    return key


def to_rows(body: bytes) -> list[bytes]:
    """Take an array apart, each row as JSON. Raises `Malformed`."""
    return [bytes(row) for row in decode(body, list[msgspec.Raw])]


def key_of_row(row: bytes) -> str:
    """Read the key of a row; raises `Malformed` when it has none."""
    return own_key(decode(row, IdPayload).id)


def _by_key(body: bytes) -> dict[str, bytes]:
    return {key_of_row(row): row for row in to_rows(body)}
