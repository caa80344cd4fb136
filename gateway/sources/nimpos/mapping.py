"""NIMPOS payloads to the model. Pure.

What NIMPOS calls an invoice has no lines, no VAT, no currency and no date of its own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import reduce
from typing import Final

import msgspec

from gateway.model import (
    UNREAD,
    Address,
    Currency,
    CurrencyOrigin,
    Customer,
    CustomerKind,
    DataWarning,
    DataWarningCode,
    Details,
    ExternalNumber,
    ExternalNumberRole,
    Invoice,
    InvoiceType,
    Kind,
    Line,
    Money,
    Note,
    NoteRole,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Ref,
    SourceCode,
    Totals,
    VatBasis,
)
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, Reading, exact, organization_number, text_or_none, to_day
from gateway.sources.nimpos.payloads import CustomerPayload, DebtPayload, InvoicePayload, OrderPayload

INVOICE_TYPE: Final = "CustomerInvoice"
ORDER_TYPE: Final = "Order"
CUSTOMER_TYPE: Final = "Customer"

_EXACTLY: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SHORT_INTEGER: Final = re.compile(r"-?[0-9]{1,9}")

ON_CREDIT: Final = "på credit"
# Observed in an older sibling of the server, by which PaidStatus is computed from PaymentStatus 0 to 3. The texts of an order's
# PaymentStatus belong to other codes: no order is ever read with this.
PAID_STATUS: Final[Mapping[str, PaymentStatus]] = {
    "okänd": PaymentStatus.UNKNOWN,
    "ej betald": PaymentStatus.UNPAID,
    "betald": PaymentStatus.PAID,
    "delbetald": PaymentStatus.PARTIALLY_PAID,
    ON_CREDIT: PaymentStatus.UNPAID,
}
# Observed in the same sibling: AssignedKitchenBar (its open orders), Completed, OrderCancelled, Deleted.
ORDER_STATUS: Final[Mapping[str, OrderStatus]] = {
    "3": OrderStatus.OPEN,
    "13": OrderStatus.CLOSED,
    "14": OrderStatus.CANCELLED,
    "16": OrderStatus.DELETED,
}


@dataclass(frozen=True, slots=True)
class Installation:
    """What the configuration says about the meaning of payloads."""

    profile: SourceProfile
    total_basis: VatBasis = VatBasis.UNKNOWN

    @property
    def currency(self) -> Currency:
        """The currency of every amount: NIMPOS has no field for one."""
        code = self.profile.default_currency
        return Currency(code, CurrencyOrigin.UNKNOWN if code is None else CurrencyOrigin.SOURCE_DEFAULT)

    def money(self, amount: Decimal | int | None) -> Money | None:
        """Give an amount its currency. Raises `Malformed`."""
        value = exact(amount)
        return None if value is None else Money(value, self.currency)

    def ref(self, kind: Kind, native_id: str) -> Ref:
        """Make a key of this source."""
        return Ref(self.profile.key, kind, native_id)

    def reading(self) -> Reading:
        """Begin to read a record."""
        return Reading(self.profile.time_zone)

    def code(self, field: str, value: int | str | None, label: str | None = None) -> tuple[SourceCode, ...]:
        """Give a status as sent, with the configured label before the source's own; nothing where there is none."""
        code = _text(value)
        return () if code is None else (SourceCode(field, code, self.profile.label(field, code) or label),)


def to_invoice(
    payload: InvoicePayload, installation: Installation, *, fetched_at: datetime | None = None, raw: bytes | None = None
) -> Invoice:
    """Read an invoice. Raises `Malformed`.

    `fetched_at` None: it was not fetched, but is about to be written.
    """
    reading = installation.reading()
    created_at = reading.instant(payload.creation_date, "createdAt")
    customer_id = reading.guid(payload.customer_id, "customer")
    orders = _orders_of(payload, installation, reading)
    label = text_or_none(payload.paid_status)
    total = installation.money(payload.invoice_total)
    _warn_of_amounts(installation, reading)
    return Invoice(
        ref=installation.ref(Kind.INVOICE, _own_id(payload.id, reading)),
        native_type=INVOICE_TYPE,
        fetched_at=fetched_at,
        raw=raw,
        type=InvoiceType.INVOICE,
        is_credit=None if total is None else total.amount < 0,
        number=reading.number(payload.invoice_number, "number"),
        external_numbers=_external_numbers(payload, reading),
        issue_date=_issue_date(created_at, payload.creation_date, reading),
        due_date=reading.day(payload.due_date, "dueDate"),
        created_at=created_at,
        updated_at=None,
        currency=installation.currency,
        totals=dataclasses.replace(_totals(total, installation), rounding_of=tuple(order.ref for order in orders or ())),
        charges=None,
        payment_status=_payment_status(label, payload, installation.profile, reading),
        paid_at=reading.instant(payload.paid_date, "paidAt"),
        source_statuses=(
            *installation.code("PaymentStatus", payload.payment_status, label),
            *installation.code("ExportStatus", payload.export_status),
        ),
        is_deleted=payload.deleted,
        email_sent=payload.email_sent,
        sent_at=reading.instant(payload.sent_date, "sentAt"),
        delivery_date=None,
        notes=_notes(payload),
        customer=None if customer_id is None else _customer_reference(customer_id, installation),
        orders=orders,
        credited_invoice_number=None,
        group_key=None,
        lines=None,
        document=None,
        custom_fields=None,
        details=_details(payload, reading),
        warnings=reading.warnings,
    )


def together(payloads: Sequence[InvoicePayload]) -> InvoicePayload:
    """Make one of what several tills show of an invoice: each lists its own orders only (observed)."""
    lists = [payload.orders_guid for payload in payloads if payload.orders_guid is not None]
    union = [order for orders in lists for order in orders] if lists else None
    return msgspec.structs.replace(payloads[0], orders_guid=union)


def as_submitted(invoice: Invoice) -> Invoice:
    """Say of an invoice that nobody read it back."""
    warning = DataWarning(DataWarningCode.AS_SUBMITTED, "NIMPOS does not list an invoice posted to it; this is what was submitted")
    return dataclasses.replace(invoice, warnings=(*(invoice.warnings or ()), warning))


def to_customer(
    payload: CustomerPayload, installation: Installation, *, fetched_at: datetime | None = None, raw: bytes | None = None
) -> Customer:
    """Read a customer. Raises `Malformed`."""
    reading = installation.reading()
    if payload.customer_type is not None:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "the values of CustomerType are not published", "kind")
    return Customer(
        ref=installation.ref(Kind.CUSTOMER, _own_id(payload.id, reading)),
        native_type=CUSTOMER_TYPE,
        fetched_at=fetched_at,
        raw=raw,
        number=reading.number(payload.customer_no, "number"),
        name=text_or_none(payload.name),
        kind=CustomerKind.UNKNOWN,
        organization_number=organization_number(payload.org_no),
        vat_number=None,
        email=text_or_none(payload.email),
        phone=text_or_none(payload.phone),
        billing_address=_address(payload),
        warnings=reading.warnings,
    )


def to_order(payload: OrderPayload, installation: Installation, *, fetched_at: datetime | None = None, raw: bytes | None = None) -> Order:
    """Read an order with its lines. Raises `Malformed`, but for no line."""
    reading = installation.reading()
    customer_id = reading.guid(payload.customer_id, "customer")
    total = installation.money(payload.order_total)
    _warn_of_amounts(installation, reading)
    return Order(
        ref=installation.ref(Kind.ORDER, _own_id(payload.id, reading)),
        native_type=ORDER_TYPE,
        fetched_at=fetched_at,
        raw=raw,
        number=reading.number(payload.order_no_of_day, "number"),
        ordered_at=reading.instant(payload.creation_date, "orderedAt"),
        status=_order_status(payload, installation.profile, reading),
        source_statuses=(
            *installation.code("Status", payload.status),
            *installation.code("PaymentStatus", payload.payment_status),
            *installation.code("ExternalStatus", payload.external_status),
            *installation.code("OrderState", payload.order_state),
        ),
        currency=installation.currency,
        totals=dataclasses.replace(_totals(total, installation), rounding=installation.money(payload.rounded_amount)),
        lines=_lines(payload.order_lines, installation, reading),
        customer=None if customer_id is None else _customer_of_order(customer_id, payload, installation),
        delivery_method=None,
        payment_method=None,
        warnings=reading.warnings,
    )


def as_listed(order: Order) -> Order:
    """Leave the lines of an order from a list to be asked for where it brought none: whether lists fill them is not published."""
    return order if order.lines else dataclasses.replace(order, lines=UNREAD)


def to_amount_due(debts: Sequence[DebtPayload], installation: Installation) -> Money | None:
    """Add up what is owed for an invoice; None where there is no debt, or one does not say its balance. Raises `Malformed`."""
    balances = [exact(debt.balance) for debt in debts]
    known = [balance for balance in balances if balance is not None]
    if not known or len(known) < len(balances):
        return None
    return installation.money(reduce(_EXACTLY.add, known))


def to_payments(orders: Sequence[OrderPayload], installation: Installation) -> tuple[Payment, ...] | None:
    """Read the payments of all orders of an invoice; None where any cannot be recognised: their fields are not published."""
    lists = [order.payments for order in orders]
    if not lists or not all(isinstance(sent, list) for sent in lists):
        return None
    payments = [_payment(item, installation) for sent in lists for item in sent]
    known = tuple(payment for payment in payments if payment is not None)
    return known if len(known) == len(payments) else None


def _payment(sent: object, installation: Installation) -> Payment | None:
    amount = installation.money(_decimal(sent, "PaidAmount", "Amount")) if isinstance(sent, dict) else None
    if amount is None or not isinstance(sent, dict):
        return None
    try:
        paid_on = installation.reading().day(_first_text(sent, "PaymentDate", "PaidDate"), "payments")
    except Malformed:
        paid_on = None
    return Payment(amount, paid_on, _first_text(sent, "Reference"))


def _own_id(text: str | None, reading: Reading) -> str:
    native_id = reading.guid(text)
    if native_id is None:
        raise Malformed("Id is missing")
    return native_id


def _text(value: int | str | None) -> str | None:
    return None if value is None else text_or_none(str(value))


def _warn_of_amounts(installation: Installation, reading: Reading) -> None:
    if installation.currency.code is None:
        reading.warn(DataWarningCode.CURRENCY_UNKNOWN, "NIMPOS sends no currency and no default is configured", "currency")
    if installation.total_basis is VatBasis.UNKNOWN:
        reading.warn(DataWarningCode.VAT_BASIS_UNKNOWN, "NIMPOS does not say whether totals include VAT", "totals", "vatBasis")


def _totals(total: Money | None, installation: Installation) -> Totals:
    basis = installation.total_basis
    return Totals(
        vat_basis=basis,
        total=total,
        excl_vat=total if basis is VatBasis.EXCLUDING_VAT else None,
        incl_vat=total if basis is VatBasis.INCLUDING_VAT else None,
        signed_total=total,
    )


def _orders_of(payload: InvoicePayload, installation: Installation, reading: Reading) -> tuple[Order, ...] | None:
    if payload.orders_guid is None:
        return None
    keys = dict.fromkeys(reading.guid(text, "orders") for text in payload.orders_guid)
    return tuple(Order(ref=installation.ref(Kind.ORDER, key), native_type=ORDER_TYPE) for key in keys if key is not None)


def _external_numbers(payload: InvoicePayload, reading: Reading) -> tuple[ExternalNumber, ...]:
    number = reading.number(payload.foreign_invoice_number, "externalNumbers")
    return () if number is None else (ExternalNumber(ExternalNumberRole.EXPORT_LEDGER, number),)


def _issue_date(created_at: datetime | None, text: str | None, reading: Reading) -> date | None:
    if created_at is None or text is None:
        return None
    reading.warn(DataWarningCode.DERIVED, "the day of CreationDate: NIMPOS has no invoice date", "issueDate")
    return to_day(created_at, text, reading.zone)


def _payment_status(label: str | None, payload: InvoicePayload, profile: SourceProfile, reading: Reading) -> PaymentStatus:
    """Read the text; where it says nothing, the code, if the configuration knows it."""
    text = None if label is None else label.strip().casefold()
    known = None if text is None else PAID_STATUS.get(text)
    if known is not None and known is not PaymentStatus.UNKNOWN:
        if text == ON_CREDIT:
            reading.warn(DataWarningCode.UNMAPPED_VALUE, "`på Credit` has no documented meaning; read as UNPAID", "paymentStatus")
        return known
    code = _text(payload.payment_status)
    if code is not None and code in profile.payment_status:
        return profile.payment_status[code]
    if known is None and (text or code):
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "this PaidStatus or PaymentStatus has no known meaning", "paymentStatus")
    return PaymentStatus.UNKNOWN


def _order_status(payload: OrderPayload, profile: SourceProfile, reading: Reading) -> OrderStatus:
    code = _text(payload.status)
    if code is None:
        return OrderStatus.UNKNOWN
    status = profile.order_status.get(code) or ORDER_STATUS.get(code)
    if status is None:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "this Status has no documented or configured meaning", "status")
    return status or OrderStatus.UNKNOWN


def _notes(payload: InvoicePayload) -> tuple[Note, ...]:
    text = text_or_none(payload.remarks)
    return () if text is None else (Note(NoteRole.REMARKS, text),)


def _details(payload: InvoicePayload, reading: Reading) -> Details:
    return Details(
        system="NIMPOS",
        fields={
            "outlet_id": reading.guid(payload.outlet_id, "details", "outletId"),
            "terminal_id": reading.guid(payload.terminal_id, "details", "terminalId"),
            "payment_status_code": _integer(payload.payment_status),
            "paid_status_label": text_or_none(payload.paid_status),
            "export_status_code": _integer(payload.export_status),
            "export_error": text_or_none(payload.export_error),
            "synced": payload.synced,
        },
    )


def _integer(value: int | str | None) -> int | None:
    """Read a code; one that is no integer of at most nine digits is left to `sourceStatuses`."""
    text = _text(value) or ""
    return int(text) if _SHORT_INTEGER.fullmatch(text) else None


def _customer_reference(native_id: str, installation: Installation) -> Customer:
    return Customer(ref=installation.ref(Kind.CUSTOMER, native_id), native_type=CUSTOMER_TYPE)


def _customer_of_order(native_id: str, payload: OrderPayload, installation: Installation) -> Customer:
    """Take along the copies that the order has; one that it lacks stays unread."""
    return dataclasses.replace(
        _customer_reference(native_id, installation),
        number=_text(payload.customer_no) or UNREAD,
        name=text_or_none(payload.customer_name) or UNREAD,
    )


def _address(payload: CustomerPayload) -> Address | None:
    address = Address(
        line1=text_or_none(payload.address1),
        line2=text_or_none(payload.address2),
        postal_code=text_or_none(payload.zip_code),
        city=text_or_none(payload.city),
    )
    return None if address == Address() else address


def _lines(sent: object, installation: Installation, reading: Reading) -> tuple[Line, ...] | None:
    """Take what is recognised: the fields of an order line are not published."""
    if not isinstance(sent, list):
        return None
    lines = [line for line in sent if isinstance(line, dict)]
    if installation.total_basis is VatBasis.UNKNOWN and any(_decimal(line, "UnitPrice") is not None for line in lines):
        reading.warn(DataWarningCode.VAT_BASIS_UNKNOWN, "UnitPrice is left out: NIMPOS does not say whether it includes VAT", "lines")
    return tuple(_line(line, installation) for line in lines)


def _line(sent: Mapping[str, object], installation: Installation) -> Line:
    price = installation.money(_decimal(sent, "UnitPrice"))
    name = _first_text(sent, "ItemName", "ProductName", "Name", "Description")
    description = _first_text(sent, "Description")
    return Line(
        item_number=_first_text(sent, "ItemNo", "ItemNumber", "PLU"),
        name=name,
        description=None if description == name else description,
        quantity=_decimal(sent, "Quantity"),
        unit_price_excl_vat=price if installation.total_basis is VatBasis.EXCLUDING_VAT else None,
        unit_price_incl_vat=price if installation.total_basis is VatBasis.INCLUDING_VAT else None,
        vat_percent=_decimal(sent, "TaxPercent", "VatPercent"),
    )


def _first_text(sent: Mapping[str, object], *names: str) -> str | None:
    values = (sent.get(name) for name in names)
    texts = (_text(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool))
    return next((text for text in texts if text is not None), None)


def _decimal(sent: Mapping[str, object], *names: str) -> Decimal | None:
    """Give the first number; one that cannot be read is as one that was not sent."""
    values = (sent.get(name) for name in names)
    number = next((value for value in values if isinstance(value, Decimal | int) and not isinstance(value, bool)), None)
    try:
        return exact(number)
    except Malformed:
        return None
