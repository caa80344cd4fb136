"""Payload -> model, pure. `key` is the canonical id, `raw` the JSON of that one object."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from gateway.model import (
    UNREAD,
    Address,
    Charge,
    ChargeKind,
    Currency,
    CurrencyOrigin,
    Customer,
    CustomerKind,
    DataWarning,
    DataWarningCode,
    Details,
    Document,
    Invoice,
    InvoiceType,
    Kind,
    LabelRow,
    Line,
    Money,
    Order,
    OrderStatus,
    PaymentStatus,
    Ref,
    SourceCode,
    Totals,
    Unread,
    VatBasis,
    check_totals,
)
from gateway.sources.base import SourceProfile
from gateway.sources.decode import EXACTLY, Malformed, Reading, decode, exact, organization_number, text_or_none
from gateway.sources.shopctrl.bill import Bill
from gateway.sources.shopctrl.payloads import (
    ContactPayload,
    CustomerPayload,
    Id,
    InvoicePayload,
    LaterId,
    OrderPayload,
    PricedPayload,
    RowPayload,
    StatusPayload,
)

_KEY: Final = re.compile(r"0*[1-9][0-9]{0,18}")
_BEYOND_KEYS: Final = 10**19
_UNSAFE_IN_FILE_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]|^\.")
INVOICE_STATUS: Final = "invoice-status"
ORDER_STATUS: Final = "order-status"
_NO_ROWS: Final = (b"[]", b"null", b"")
_USUAL_CURRENCIES: Final = {
    code: Currency(code, CurrencyOrigin.RECORD) for code in ("EUR", "SEK", "DKK", "NOK", "GBP", "USD", "CHF", "PLN", "CZK")
}
"""What a code in its published spelling is read as, made once: saves 0.4 of 7 µs a row. Any other code is read as such."""
_VAT_IS_DERIVED: Final = (DataWarning(DataWarningCode.DERIVED, "the total including VAT less the total without", ("totals", "vat")),)
T = TypeVar("T")


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One object as it came: its key, its own JSON, and when."""

    key: str
    raw: bytes
    at: datetime


def key_of(value: Id) -> str | None:
    """Give the one spelling of an id, a positive integer; None for null, 0 and blank. Raises `Malformed` for anything else."""
    if type(value) is int and 0 < value < _BEYOND_KEYS:  # as all known installations send it
        return str(value)
    text = str(value).strip() if value is not None else ""
    if not text.strip("0"):
        return None
    if not _KEY.fullmatch(text):
        raise Malformed("an id is no positive integer")
    return text.lstrip("0")


def to_customer(payload: CustomerPayload, profile: SourceProfile, sent: Sent) -> Customer:
    """Map a customer. The e-mail address that its orders are listed by goes along with the ref: its own, else the one it is billed at."""
    contact = payload.bill_to_address or ContactPayload()
    email = text_or_none(payload.e_mail)
    return Customer(
        ref=Ref(profile.key, Kind.CUSTOMER, sent.key, hint=email or text_or_none(contact.e_mail)),
        native_type="Customer",
        fetched_at=sent.at,
        raw=sent.raw,
        warnings=(),
        number=text_or_none(payload.customer_code),
        name=text_or_none(payload.company_name) or text_or_none(payload.full_name),
        kind=CustomerKind.UNKNOWN,
        organization_number=organization_number(contact.coc_number),
        vat_number=text_or_none(contact.vat_number),
        email=email,
        phone=text_or_none(contact.phone),
        billing_address=None if payload.bill_to_address is None else _to_address(contact),
    )


def _to_address(contact: ContactPayload) -> Address:
    street = (contact.street_address, contact.street_address_number, contact.street_address_extension)
    return Address(
        line1=" ".join([part.strip() for part in street if part and not part.isspace()]) or text_or_none(contact.address),
        line2=text_or_none(contact.address2),
        postal_code=text_or_none(contact.postal_code),
        city=text_or_none(contact.city),
        region=text_or_none(contact.state_province),
        country_code=text_or_none(contact.country_code),
        phone=text_or_none(contact.phone),
    )


def to_order(payload: OrderPayload, profile: SourceProfile, sent: Sent) -> Order:
    """Map an order; `lines` stays UNREAD where the order came without rows."""
    reading = Reading(profile.time_zone)
    currency = to_currency(payload, profile, reading)
    statuses = _order_statuses(payload, _Statuses(profile, reading, ORDER_STATUS))
    main = statuses[0].code if statuses and statuses[0].field == "MainStatusId" else None
    code = text_or_none(payload.order_code)
    return Order(
        ref=Ref(profile.key, Kind.ORDER, sent.key, _hint(payload.shop_id, code)),
        native_type="Order",
        fetched_at=sent.at,
        raw=sent.raw,
        number=code,
        ordered_at=reading.instant(payload.date, "orderedAt"),
        status=_to_order_status(payload, main, profile, reading),
        source_statuses=statuses,
        currency=currency,
        totals=_to_totals(payload.order_total_inc_vat, payload.order_total_ex_vat, currency, reading),
        lines=_lines_along(payload.order_rows, currency),
        customer=_customer_reference(payload, profile, reading),
        delivery_method=None,
        payment_method=None,
        warnings=reading.warnings,
    )


def to_order_row(payload: OrderPayload, profile: SourceProfile, sent: Sent, shop_id: int) -> Order:
    """Map an OrderBasicInfo, the row of a shop's list: what it lacks stays UNREAD, as the order itself may say it."""
    reading = Reading(profile.time_zone)
    code = text_or_none(payload.order_code)
    has_currency = text_or_none(payload.currency_code) is not None or key_of(payload.currency_id) in profile.currencies
    currency = to_currency(payload, profile, reading) if has_currency else None
    totals = None if currency is None else _to_totals(payload.order_total_inc_vat, payload.order_total_ex_vat, currency, reading)
    return Order(
        ref=Ref(profile.key, Kind.ORDER, sent.key, None if code is None else f"{shop_id}/{code}"),
        native_type="OrderBasicInfo",
        fetched_at=sent.at,
        raw=sent.raw,
        number=_or_unread(code),
        ordered_at=_or_unread(reading.instant(payload.date, "orderedAt")),
        status=_to_row_status(payload, profile, reading),
        currency=_or_unread(currency),
        totals=UNREAD if totals is None or totals.total is None else totals,
        delivery_method=None,
        payment_method=None,
        warnings=reading.warnings,
    )


def _or_unread(value: T | None) -> T | Unread:
    return UNREAD if value is None else value


def _to_row_status(payload: OrderPayload, profile: SourceProfile, reading: Reading) -> OrderStatus | Unread:
    code = _status_key(payload.main_status_id, payload.main_status, reading)
    if code is None and not payload.deleted:
        return UNREAD
    return _to_order_status(payload, code, profile, reading)


def customer_reference(profile: SourceProfile, key: str) -> Customer:
    """Make a customer of which only the key is known."""
    return Customer(ref=Ref(profile.key, Kind.CUSTOMER, key), native_type="Customer")


def order_reference(profile: SourceProfile, key: str, number: str | None, hint: str | None) -> Order:
    """Make an order of which only key and number are known."""
    return Order(ref=Ref(profile.key, Kind.ORDER, key, hint=hint), native_type="Order", number=UNREAD if number is None else number)


def _hint(shop_id: Id, code: str | None) -> str | None:
    shop = key_of(shop_id)
    return None if shop is None or code is None else f"{shop}/{code}"


def _order_statuses(payload: OrderPayload, statuses: _Statuses) -> tuple[SourceCode, ...]:
    # Of an order only the main status has a flat id; the others are objects alone.
    found = (
        statuses.read("MainStatusId", payload.main_status_id, payload.main_status),
        None if payload.payment_status is None else statuses.read("PaymentStatus", None, payload.payment_status),
        None if payload.stock_status is None else statuses.read("StockStatus", None, payload.stock_status),
        None if payload.fulfilment_status is None else statuses.read("FulfilmentStatus", None, payload.fulfilment_status),
        None if payload.shipment_status is None else statuses.read("ShipmentStatus", None, payload.shipment_status),
        None if payload.custom_status is None else statuses.read("CustomStatus", None, payload.custom_status),
    )
    return tuple([status for status in found if status is not None])


def _to_order_status(payload: OrderPayload, main: str | None, profile: SourceProfile, reading: Reading) -> OrderStatus:
    if payload.deleted:
        return OrderStatus.DELETED
    if main is None:
        return OrderStatus.UNKNOWN
    if main not in profile.order_status:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, f"MainStatusId {main} has no configured meaning", "status")
    return profile.order_status.get(main, OrderStatus.UNKNOWN)


def _customer_reference(payload: OrderPayload, profile: SourceProfile, reading: Reading) -> Customer | None:
    key = _referred(payload.customer_id, reading, "customer")
    if key is None:
        return None
    number = text_or_none(payload.customer_code)
    return Customer(ref=Ref(profile.key, Kind.CUSTOMER, key), native_type="Customer", number=UNREAD if number is None else number)


def _known(value: LaterId) -> Id:
    return None if value is msgspec.UNSET else value


def to_invoice(payload: InvoicePayload, profile: SourceProfile, sent: Sent, *, is_whole: bool, order: Order | None = None) -> Invoice:
    """Map an invoice; not `is_whole`: it is an InvoiceBase (list and create), whose charges another read gives.

    `order`: the one whose invoices were read, and what is known of it. Older installations have no payment, sent and custom status
    in an InvoiceBase: what needs them stays UNREAD.
    """
    reading = Reading(profile.time_zone)
    currency = to_currency(payload, profile, reading)
    totals = _to_totals(payload.invoice_total_inc_vat, payload.invoice_total_ex_vat, currency, reading)
    statuses = _invoice_statuses(payload, _Statuses(profile, reading, INVOICE_STATUS))
    orders = _to_orders(payload, profile, reading, order)
    number = text_or_none(payload.invoice_code)
    lacks_statuses = not is_whole and msgspec.UNSET in {payload.payment_status_id, payload.sent_status_id, payload.custom_status_id}
    lacks_details = lacks_statuses or (not is_whole and payload.shop_id is msgspec.UNSET)
    payment_status = _to_payment_status(statuses, profile, reading)
    return Invoice(
        ref=Ref(profile.key, Kind.INVOICE, sent.key, hint=Bill(orders[0].ref.native_id, totals.total).to_hint() if orders else None),
        native_type="Invoice" if is_whole else "InvoiceBase",
        fetched_at=sent.at,
        raw=sent.raw,
        type=InvoiceType.INVOICE,
        is_credit=None if totals.total is None else totals.total.amount < 0,
        number=number,
        external_numbers=None,
        issue_date=reading.day(payload.invoice_date, "issueDate"),
        due_date=None,
        created_at=None,
        updated_at=reading.instant(text_or_none(payload.changed_timestamp) or payload.change_timestamp, "updatedAt"),
        currency=currency,
        totals=totals,
        charges=_to_charges(payload, currency) if is_whole else UNREAD,
        payment_status=UNREAD if lacks_statuses and payment_status is PaymentStatus.UNKNOWN else payment_status,
        paid_at=None,
        source_statuses=UNREAD if lacks_statuses else tuple(statuses.values()),
        is_deleted=payload.deleted,
        email_sent=None,
        sent_at=None,
        delivery_date=None,
        notes=None,
        customer=UNREAD if orders else None,
        orders=orders,
        credited_invoice_number=None,
        group_key=None,
        lines=UNREAD,
        document=_to_document(payload, number or sent.key, reading),
        custom_fields=None,
        details=UNREAD if lacks_details else _to_details(payload, statuses, reading),
        warnings=reading.warnings,
    )


def _to_orders(payload: InvoicePayload, profile: SourceProfile, reading: Reading, known: Order | None) -> tuple[Order, ...] | None:
    key = _referred(payload.order_id, reading, "orders")
    if known is None or key not in {None, known.ref.native_id}:
        known = None
    elif key is None or known.fetched_at is not None:
        return (known,)
    if key is None:
        return None if payload.order_id is None else ()
    code = text_or_none(payload.order_code)
    hint = _hint(_known(payload.shop_id), code) or (None if known is None else known.ref.hint)
    return (order_reference(profile, key, code, hint),)


def _invoice_statuses(payload: InvoicePayload, statuses: _Statuses) -> dict[str, SourceCode]:
    found = (
        statuses.read("MainStatusId", payload.main_status_id, payload.main_status),
        statuses.read("PaymentStatusId", _known(payload.payment_status_id), payload.payment_status),
        statuses.read("SentStatusId", _known(payload.sent_status_id), payload.sent_status),
        statuses.read("CustomStatusId", _known(payload.custom_status_id), payload.custom_status),
    )
    return {status.field: status for status in found if status is not None}


def _to_payment_status(statuses: dict[str, SourceCode], profile: SourceProfile, reading: Reading) -> PaymentStatus:
    status = statuses.get("PaymentStatusId") or statuses.get("MainStatusId")
    if status is None:
        return PaymentStatus.UNKNOWN
    if status.field == "PaymentStatusId" and status.code not in profile.payment_status:
        message = f"PaymentStatusId {status.code} has no configured meaning"
        reading.warn(DataWarningCode.UNMAPPED_VALUE, message, "paymentStatus")
    return profile.payment_status.get(status.code, PaymentStatus.UNKNOWN)


def _to_charges(payload: InvoicePayload, currency: Currency) -> tuple[Charge, ...] | None:
    freight, freight_incl = exact(payload.shipping_costs_ex_vat), exact(payload.shipping_costs_inc_vat)
    fee, fee_incl = exact(payload.payment_fee_ex_vat), exact(payload.payment_fee_inc_vat)
    if freight is None and freight_incl is None and fee is None and fee_incl is None:
        return None
    charges = (
        _to_charge(ChargeKind.FREIGHT, freight, freight_incl, currency),
        _to_charge(ChargeKind.PAYMENT_FEE, fee, fee_incl, currency),
    )
    return tuple([charge for charge in charges if charge is not None])


def _to_charge(kind: ChargeKind, excl: Decimal | None, incl: Decimal | None, currency: Currency) -> Charge | None:
    if excl:
        return Charge(kind, Money(excl, currency), VatBasis.EXCLUDING_VAT)
    if excl is None and incl:
        return Charge(kind, Money(incl, currency), VatBasis.INCLUDING_VAT)
    return None


def _to_document(payload: InvoicePayload, name: str, reading: Reading) -> Document | None:
    file_id = _referred(payload.document_file_id, reading, "document")
    if file_id is None:
        return None
    return Document(file_id, "application/pdf", safe_file_name(f"{name}.pdf"))


def safe_file_name(name: str) -> str:
    """Replace all but letters, digits, `.`, `_` and `-`, and a leading point, by `_`."""
    return _UNSAFE_IN_FILE_NAMES.sub("_", name)


def _to_details(payload: InvoicePayload, statuses: dict[str, SourceCode], reading: Reading) -> Details:
    return Details(
        "SHOPCTRL",
        {
            "currency_id": _number(_referred(payload.currency_id, reading, "details", "currencyId")),
            "main_status_id": _number_of(statuses.get("MainStatusId")),
            "payment_status_id": _number_of(statuses.get("PaymentStatusId")),
            "sent_status_id": _number_of(statuses.get("SentStatusId")),
            "custom_status_id": _number_of(statuses.get("CustomStatusId")),
            "shop_id": _number(_referred(_known(payload.shop_id), reading, "details", "shopId")),
        },
    )


def _number(key: str | None) -> int | None:
    return None if key is None else int(key)


def _number_of(status: SourceCode | None) -> int | None:
    return None if status is None else int(status.code)


def to_label(payload: StatusPayload, ref: Ref, sent: Sent) -> LabelRow:
    """Map the definition of a status: what the tenant calls it."""
    native_type = "InvoiceStatusDefinition" if ref.native_id.startswith(INVOICE_STATUS) else "OrderStatusDefinition"
    return LabelRow(ref=ref, native_type=native_type, fetched_at=sent.at, raw=sent.raw, warnings=(), label=text_or_none(payload.name))


def to_lines(rows: Iterable[RowPayload], currency: Currency) -> tuple[Line, ...]:
    """Map the rows of an order or an invoice, which carry no currency of their own."""
    return tuple([_to_line(row, currency) for row in rows])


def _to_line(row: RowPayload, currency: Currency) -> Line:
    net, gross = exact(row.row_total_ex_vat), exact(row.row_total_inc_vat)
    return Line(
        position=key_of(row.id),
        item_number=text_or_none(row.product_code),
        name=text_or_none(row.product_name),
        description=text_or_none(row.product_description),
        quantity=exact(row.item_quantity),
        unit_price_excl_vat=_to_money(exact(row.item_price_ex_vat), currency),
        unit_price_incl_vat=_to_money(exact(row.item_price_inc_vat), currency),
        net_amount=_to_money(net, currency),
        vat_amount=_to_money(_difference(gross, net), currency),
        gross_amount=_to_money(gross, currency),
        vat_percent=exact(row.vat_percentage if row.vat_percentage is not None else row.vatperc),
    )


def _lines_along(rows: msgspec.Raw, currency: Currency) -> tuple[Line, ...] | Unread:
    # Orders come with an empty list of rows too when they have some: only rows that are there, and readable, say anything.
    if bytes(rows) in _NO_ROWS:
        return UNREAD
    try:
        return to_lines(decode(rows, list[RowPayload]), currency) or UNREAD
    except Malformed:
        return UNREAD


def asked_of(ref: Ref, profile: SourceProfile) -> Currency:
    """Give the currency of rows that were read alone: what their order or invoice says, else the source's default.

    An invoice that was read says it along with its ref; anything else is asked, where it matters.
    """
    bill = Bill.from_hint(ref.hint)
    if bill is not None and bill.total is not None and bill.total.currency.origin is CurrencyOrigin.RECORD:
        return bill.total.currency
    origin = CurrencyOrigin.UNKNOWN if profile.default_currency is None else CurrencyOrigin.SOURCE_DEFAULT
    return Currency(profile.default_currency, origin, ask=ref)


def to_currency(payload: PricedPayload, profile: SourceProfile, reading: Reading) -> Currency:
    """Read the currency that a record says, else the source's default."""
    configured = profile.currencies.get(key_of(payload.currency_id) or "")
    usual = _USUAL_CURRENCIES.get(payload.currency_code or "")
    if usual is not None:
        return usual
    code = reading.currency_code(payload.currency_code, "currency") or configured
    if code is not None:
        return Currency(code, CurrencyOrigin.RECORD)
    if text_or_none(payload.currency_code) is not None:
        # The record names a currency that is none: the source's default would be a guess.
        return Currency(None, CurrencyOrigin.UNKNOWN)
    if profile.default_currency is not None:
        return Currency(profile.default_currency, CurrencyOrigin.SOURCE_DEFAULT)
    reading.warn(DataWarningCode.CURRENCY_UNKNOWN, "neither the record nor the configuration says the currency", "currency")
    return Currency(None, CurrencyOrigin.UNKNOWN)


def _to_totals(incl: Decimal | None, excl: Decimal | None, currency: Currency, reading: Reading) -> Totals:
    gross, net = exact(incl), exact(excl)
    total = None if gross is None else Money(gross, currency)
    excl_vat = None if net is None else Money(net, currency)
    if gross is None or net is None:
        return Totals(vat_basis=VatBasis.INCLUDING_VAT, total=total, excl_vat=excl_vat, incl_vat=total, signed_total=total)
    vat = Money(EXACTLY.subtract(gross, net), currency)
    totals = Totals(vat_basis=VatBasis.INCLUDING_VAT, total=total, excl_vat=excl_vat, vat=vat, incl_vat=total, signed_total=total)
    reading.add(_VAT_IS_DERIVED)
    reading.add(check_totals(totals, vat_is_derived=True))
    return totals


def _to_money(amount: Decimal | None, currency: Currency) -> Money | None:
    return None if amount is None else Money(amount, currency)


def _difference(gross: Decimal | None, net: Decimal | None) -> Decimal | None:
    if gross is None or net is None:
        return None
    return EXACTLY.subtract(gross, net)


class _Statuses(msgspec.Struct, frozen=True):
    """Reads statuses from their flat ids, their objects, or both, as the installation has them."""

    profile: SourceProfile
    reading: Reading
    family: str
    """Which of the tenant's definitions has their names."""

    def read(self, field: str, flat: Id, described: object) -> SourceCode | None:
        """Give the status; None when neither is there."""
        if flat is None and described is None:
            return None
        code = _status_key(flat, described, self.reading)
        if code is None:
            return None
        name = described.get("Name") if isinstance(described, dict) else None
        label = (text_or_none(name) if isinstance(name, str) else None) or self.profile.label(field, code)
        return SourceCode(field, code, label, None if label is not None else Ref(self.profile.key, Kind.LABEL, f"{self.family}/{code}"))


def _status_key(flat: Id, described: object, reading: Reading) -> str | None:
    key = _referred(flat, reading, "sourceStatuses")
    return _key_if_any(described.get("Id")) if key is None and isinstance(described, dict) else key


def _key_if_any(value: object) -> str | None:
    """Give the key that a field of an unpublished type holds; None when it is none."""
    try:
        return key_of(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except Malformed:
        return None


def _referred(value: Id, reading: Reading, *path: str) -> str | None:
    if value is None:
        return None
    key = key_of(value)
    if key is None:
        reading.warn(DataWarningCode.DEFAULT_READ_AS_NULL, "0 stands for none", *path)
    return key
