"""Checks and body of Connect `Order/CreateInvoice`, what an answer that refuses says, and what a look proves. Pure.

Page below https://docs.norce.io/: `api-reference/connect/orderservice/openapi/invoice/createinvoice`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gateway.model import CreateInvoice, CurrencyOrigin, Invoice, LineDraft, Order, UpstreamRefusal, UserError, UserErrorCode
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, convert, decode_tree, is_writable, local_midnight
from gateway.sources.norce.settings import NAME, NorceOptions
from gateway.transport import Request, Response

NUMBER_LENGTH: Final = 50
COMMENT_LENGTH: Final = 250
_INT32_MAX: Final = 2**31 - 1
_SAID_LENGTH: Final = 500
_MOST_MESSAGES: Final = 50


class PaymentInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`norce.payment` of the input."""

    payment_code: int | None = None
    payment_reference: str | None = None
    payment_method_code: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


class OwnInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`norce` of the input."""

    client_order_ref: int | None = None
    erp_order_number: str | None = None
    capture_payment: bool | None = None
    is_last_invoice_for_order: bool | None = None
    payment: PaymentInput | None = None
    payment_method_code: str | None = None
    group_key: str | None = None
    insert_invoice: object = None


@dataclass(frozen=True, slots=True)
class OrderKeys:
    """What the order that an invoice is for adds to it; `basket_id` is its quotation id."""

    basket_id: int | None
    number: str | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Filled:
    """An input with what its order and the configuration fill in."""

    draft: CreateInvoice
    own: OwnInput
    client_order_ref: int | None
    erp_order_number: str | None
    currency: str | None


def to_own_input(draft: CreateInvoice) -> OwnInput:
    """Read the part of the input that this system alone takes. Raises `Malformed`."""
    return convert(dict(draft.system.get(NAME, {})), OwnInput)


def to_order_keys(order: Order) -> OrderKeys:
    """Read what an order adds to an invoice; its quotation id is in its own JSON only."""
    tree = decode_tree(order.raw or b"{}")
    basket = str(tree.get("QuotationId", tree.get("quotationId")))
    says_currency = order.currency and order.currency.origin is CurrencyOrigin.RECORD
    return OrderKeys(
        basket_id=(int(basket) or None) if basket.isascii() and basket.isdigit() else None,
        number=(order.number or "").strip() or None,
        currency=order.currency.code if order.currency and says_currency else None,
    )


def fill(draft: CreateInvoice, own: OwnInput, order: OrderKeys | None, profile: SourceProfile) -> Filled:
    """Fill in what was not given: from the order, and the currency from the configuration last."""
    keys = order or OrderKeys(None, None, None)
    given = None if draft.total is None else draft.total.currency
    return Filled(
        draft=draft,
        own=own,
        client_order_ref=keys.basket_id if own.client_order_ref is None else own.client_order_ref,
        erp_order_number=(own.erp_order_number or "").strip() or keys.number,
        currency=given or keys.currency or profile.default_currency,
    )


def connect_mistakes(filled: Filled, order: OrderKeys | None, zone: ZoneInfo) -> list[UserError]:
    """Name everything that keeps Connect `Order/CreateInvoice` from taking this input."""
    draft, own = filled.draft, filled.own
    return [
        *unaccepted(draft),
        *([] if own.insert_invoice is None else [refused("norce", "insertInvoice")]),
        *(refused("orders", str(index)) for index in range(1, len(draft.orders))),
        *_missing(filled),
        *_too_long(draft, own),
        *_too_old(draft, zone),
        *number_mistakes(draft.number or "", "number"),
        *_contradictions(filled, order),
        *_line_mistakes(draft.lines),
        *_payment_mistakes(draft, own),
    ]


def connect_body(filled: Filled, options: NorceOptions, zone: ZoneInfo) -> dict[str, object]:
    """Build the body of Connect `Order/CreateInvoice`, in the order of its page; what was not given is left out.

    `SuppressPspCall` is always said, since its absence lets Norce capture the payment.
    """
    draft, own = filled.draft, filled.own
    body = {
        "ClientOrderRef": filled.client_order_ref,
        "CurrencyCode": filled.currency,
        "ErpOrderNo": filled.erp_order_number,
        "InvoiceDate": None if draft.issue_date is None else local_midnight(draft.issue_date, zone).isoformat(),
        "InoviceNo" if options.create_spelling == "storm" else "InvoiceNo": draft.number,
        "Comment": draft.note,
        "GroupCode": own.group_key,
        "CreditedInvoiceNo": draft.credited_invoice_number,
        "InvoiceDueDate": None if draft.due_date is None else local_midnight(draft.due_date, zone).isoformat(),
        "TotalAmount": None if draft.total is None else draft.total.amount,
        "Vat": None if draft.vat is None else draft.vat.amount,
        "IsLastInvoiceForOrder": own.is_last_invoice_for_order,
        "Items": [_item(line) for line in draft.lines] or None,
        "Payment": None if own.payment is None else _payment(own.payment),
        "PaymentMethodCode": own.payment_method_code,
        "SuppressPspCall": not own.capture_payment,
    }
    return _given(body)


def may_capture(request: Request) -> bool:
    """Say whether a write lets Norce capture the payment."""
    return isinstance(request.json, Mapping) and request.json.get("SuppressPspCall") is False


def is_another(request: Request, invoice: Invoice) -> bool:
    """Say whether an invoice that has the number of a write is of another order than the write."""
    sent = request.json if isinstance(request.json, Mapping) else {}
    order = sent.get("ErpOrderNo", sent.get("OrderNo"))
    numbers = {found.number.strip().casefold() for found in invoice.orders or () if isinstance(found.number, str)}
    return isinstance(order, str) and bool(numbers) and order.strip().casefold() not in numbers


def to_refusals(response: Response) -> tuple[UpstreamRefusal, ...]:
    """Read what an answer that refuses says. No error body is published; the older API has a `Messages` dictionary of texts."""
    try:
        said = decode_tree(response.body)
    except Malformed:
        said = None
    messages = _messages(said)
    if messages:
        return tuple(UpstreamRefusal(status=response.status, code=code, message=text) for code, text in messages)
    return (UpstreamRefusal(status=response.status, message=_message(said)),)


def mistake(code: UserErrorCode, message: str, *path: str) -> UserError:
    """Make an error of the input; the path is below `input`."""
    return UserError(code, message, ("input", *path))


def refused(*path: str) -> UserError:
    """Make an error for what the source does not take."""
    return mistake(UserErrorCode.NOT_ACCEPTED_BY_SOURCE, "this source does not take this", *path)


def required(message: str, *path: str) -> UserError:
    """Make an error for what is missing."""
    return mistake(UserErrorCode.REQUIRED, message, *path)


def number_mistakes(number: str, *path: str) -> Iterable[UserError]:
    """Refuse a number with blanks around it: the source may keep it without, and not find it with them."""
    if number.strip() and number != number.strip():
        yield mistake(UserErrorCode.INVALID, "a number has no blanks around it", *path)


def unaccepted(draft: CreateInvoice) -> Iterable[UserError]:
    """Refuse what neither of the two writes takes."""
    given = {"nativeId": draft.native_id_given, "customer": draft.customer is not None, "createdAt": draft.created_at is not None}
    yield from (refused(name) for name, is_given in given.items() if is_given)
    yield from (refused(name) for name in draft.system if name != NAME)


def _missing(filled: Filled) -> Iterable[UserError]:
    draft = filled.draft
    if filled.client_order_ref is None:
        yield required("the basket (quotation) id of the order is needed: give it, or an order that has one", "norce", "clientOrderRef")
    if filled.erp_order_number is None:
        yield required("the ERP's order number is needed: give it, or an order that has one", "norce", "erpOrderNumber")
    if draft.number is None or not draft.number.strip():
        yield required("an invoice number is needed", "number")
    if draft.issue_date is None:
        yield required("an issue date is needed", "issueDate")
    if draft.total is None:
        yield required("a total is needed", "total")
    if filled.currency is None:
        yield required("neither the order nor the configuration says the currency", "total", "currency")


def _too_long(draft: CreateInvoice, own: OwnInput) -> Iterable[UserError]:
    limits = (
        (draft.number, NUMBER_LENGTH, ("number",)),
        (draft.note, COMMENT_LENGTH, ("note",)),
        (draft.credited_invoice_number, NUMBER_LENGTH, ("creditedInvoiceNumber",)),
        (own.group_key, NUMBER_LENGTH, ("norce", "groupKey")),
    )
    for value, limit, path in limits:
        if value is not None and len(value) > limit:
            yield mistake(UserErrorCode.TOO_LONG, f"at most {limit} characters", *path)


def _too_old(draft: CreateInvoice, zone: ZoneInfo) -> Iterable[UserError]:
    for name, day in (("issueDate", draft.issue_date), ("dueDate", draft.due_date)):
        if day is not None and not is_writable(local_midnight(day, zone)):
            yield mistake(UserErrorCode.INVALID, "this date is too old to be written with its offset", name)


def _contradictions(filled: Filled, order: OrderKeys | None) -> Iterable[UserError]:
    draft, basket = filled.draft, filled.client_order_ref
    if basket is not None and not 0 < basket <= _INT32_MAX:
        yield mistake(UserErrorCode.INVALID, "a basket id is a positive 32-bit integer", "norce", "clientOrderRef")
    elif order is not None and order.basket_id is not None and basket != order.basket_id:
        yield mistake(UserErrorCode.INVALID, "this is not the basket of the order that is given", "norce", "clientOrderRef")
    if order is not None and order.number is not None and filled.erp_order_number != order.number:
        yield mistake(UserErrorCode.INVALID, "this is not the number of the order that is given", "norce", "erpOrderNumber")
    if order is not None and order.currency is not None and filled.currency != order.currency:
        yield mistake(UserErrorCode.CURRENCY_MISMATCH, f"the order is in {order.currency}", "total", "currency")
    if draft.vat is not None and draft.vat.currency not in {None, filled.currency}:
        yield mistake(UserErrorCode.CURRENCY_MISMATCH, "VAT and total are in one currency", "vat", "currency")


def _line_mistakes(lines: Iterable[LineDraft]) -> Iterable[UserError]:
    for index, line in enumerate(lines):
        if line.unit_price_excl_vat is None:
            yield required("each line needs a unit price", "lines", str(index), "unitPriceExclVat")


def _payment_mistakes(draft: CreateInvoice, own: OwnInput) -> Iterable[UserError]:
    payment = own.payment
    if own.capture_payment and payment is None:
        yield required("capturing needs the payment", "norce", "payment")
    if payment is not None and payment.payment_code is None and not (payment.payment_reference or "").strip():
        yield required("a payment needs its code or its reference", "norce", "payment", "paymentCode")
    if own.capture_payment and not draft.lines:
        yield required("capturing needs the lines", "lines")


def _item(line: LineDraft) -> dict[str, object]:
    """Build a Connect `InvoiceItem`. `VatRate` is taken for percent, as the page's fee has it."""
    return _given(
        {
            "PartNo": line.item_number,
            "Quantity": line.quantity,
            "UnitPrice": line.unit_price_excl_vat,
            "Description": line.description,
            "Discount": line.discount,
            "LineAmount": line.net_amount,
            "LineNo": line.position,
            "ProductName": line.name,
            "VatRate": line.vat_percent,
        }
    )


def _payment(payment: PaymentInput) -> dict[str, object]:
    return _given(
        {
            "PaymentCode": payment.payment_code,
            "PaymentMethodCode": payment.payment_method_code,
            "PaymentRef": payment.payment_reference,
            "Amount": payment.amount,
            "CurrencyCode": payment.currency,
        }
    )


def _given(body: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in body.items() if value is not None}


def _messages(said: object) -> list[tuple[str, str]]:
    if not isinstance(said, dict):
        return []
    for holder in (said, said.get("Detail"), said.get("detail")):
        messages = holder.get("Messages") if isinstance(holder, dict) else None
        if isinstance(messages, dict):
            texts = [(str(code)[:_SAID_LENGTH], text[:_SAID_LENGTH]) for code, text in messages.items() if isinstance(text, str)]
            return texts[:_MOST_MESSAGES]
    return []


def _message(said: object) -> str | None:
    texts = [said.get(name) for name in ("Message", "message", "detail", "title")] if isinstance(said, dict) else [said]
    return next((text[:_SAID_LENGTH] for text in texts if isinstance(text, str) and text.strip()), None)
