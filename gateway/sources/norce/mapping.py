"""Norce payloads -> the unified model, pure. Amounts of the Services are in the currency of the order, which only the order names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

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
    CustomField,
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
    PaymentStatus,
    Ref,
    SourceCode,
    Totals,
    VatBasis,
    check_lines,
    check_totals,
)
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, Reading, decode, decode_tree, exact, is_nothing, text_or_none
from gateway.sources.norce.payloads import (
    AddressPayload,
    BillToCompanyPayload,
    CustomerDataPayload,
    CustomerPayload,
    InfoPayload,
    InvoiceItemPayload,
    InvoicePayload,
    OrderItemPayload,
    OrderPayload,
    OrderRow,
)
from gateway.sources.norce.settings import SYSTEM

_STATUSES: Final = {
    "0": OrderStatus.OPEN,  # Created
    "1": OrderStatus.OPEN,  # Allocation
    "2": OrderStatus.CONFIRMED,
    "4": OrderStatus.DELIVERED,
    "5": OrderStatus.INVOICED,
    "6": OrderStatus.CANCELLED,
    "8": OrderStatus.DELIVERED,  # Partly delivered
}
"""`statusId` of Query `Orders/Orders`; the text that OrderService sends has no documented meaning."""


def to_invoice(payload: InvoicePayload, raw: bytes, profile: SourceProfile, now: datetime) -> Invoice:
    """Read an OrderService invoice. Raises `Malformed` when it has no id."""
    reading = Reading(profile.time_zone)
    native_id = _key(reading, payload.id)
    if native_id is None:
        raise Malformed("an invoice without Id")
    orders = _orders_of(reading, payload, profile)
    currency = _invoice_currency(reading, orders, profile)
    is_credit = _is_credit(payload)
    totals = _totals(payload.invoice_amount_inc_vat, payload.invoice_amount_ex_vat, payload.vat_amount, currency, is_credit=is_credit)
    lines = _invoice_lines(reading, payload.items, currency)
    charges = _charges(reading, payload, currency)
    reading.add(_sums(totals, lines, charges))
    bill_to = _customer_data(payload.bill_to)
    return Invoice(
        ref=Ref(profile.key, Kind.INVOICE, native_id),
        native_type="Invoice",
        fetched_at=now,
        raw=raw,
        type=_invoice_type(payload.is_debit),
        is_credit=is_credit,
        number=reading.number(payload.invoice_no, "number"),
        external_numbers=_external_numbers(reading, payload),
        issue_date=reading.day(payload.invoice_date, "issueDate"),
        due_date=reading.day(payload.invoice_due_date, "dueDate"),
        created_at=None,
        updated_at=None,
        currency=currency,
        totals=totals,
        charges=charges,
        payment_status=PaymentStatus.UNKNOWN,
        paid_at=None,
        source_statuses=None,
        is_deleted=None,
        email_sent=None,
        sent_at=None,
        delivery_date=reading.day(payload.delivery_date, "deliveryDate"),
        notes=_notes(payload),
        customer=_bill_to_of(payload.bill_to, payload.order_id, payload.order_no, profile, now),
        orders=orders,
        credited_invoice_number=reading.number(payload.credited_invoice_no, "creditedInvoice", "number"),
        group_key=text_or_none(payload.group_by_key),
        lines=lines,
        document=None,
        custom_fields=tuple(_custom_field(info) for info in payload.info or ()),
        details=Details(
            system=SYSTEM,
            fields={
                "created_by_source": text_or_none(payload.source),
                "delivery_method": text_or_none(payload.delivery_method),
                "payment_method": text_or_none(payload.payment_method),
                "drop_point_code": None if bill_to is None else text_or_none(bill_to.drop_point_code),
            },
        ),
        warnings=reading.warnings,
    )


def to_order(payload: OrderPayload, raw: bytes, row: OrderRow | None, profile: SourceProfile, now: datetime) -> Order:
    """Read an OrderService order; its status comes from `row`, None: nobody could ask Query. Raises `Malformed` when it has no id."""
    reading = Reading(profile.time_zone)
    native_id = _key(reading, payload.id)
    if native_id is None:
        raise Malformed("an order without Id")
    currency = _order_currency(reading, payload.currency, profile)
    statuses = _status_codes(profile, None if row is None else row.status_id, payload.status)
    return Order(
        ref=Ref(profile.key, Kind.ORDER, native_id, hint=_text(payload.order_no)),
        native_type="Order",
        fetched_at=now,
        raw=raw,
        number=reading.number(payload.order_no, "number"),
        ordered_at=reading.instant(payload.order_date, "orderedAt"),
        status=_status(reading, statuses, profile),
        source_statuses=statuses,
        currency=currency,
        totals=_totals(payload.order_total_inc_vat, payload.order_total_ex_vat, None, currency, is_credit=False),
        lines=_order_lines(reading, payload.items, currency),
        customer=_customer_of_order(payload, profile, now),
        delivery_method=text_or_none(payload.delivery_method),
        payment_method=text_or_none(payload.payment_method),
        warnings=reading.warnings,
    )


def to_order_from_row(row: OrderRow, raw: bytes, profile: SourceProfile, now: datetime) -> Order:
    """Read an order that Query alone shows: it has no totals and no lines there."""
    reading = Reading(profile.time_zone)
    statuses = _status_codes(profile, row.status_id, None)
    return Order(
        ref=Ref(profile.key, Kind.ORDER, str(row.id), hint=_text(row.order_no)),
        native_type="Orders/Orders",
        fetched_at=now,
        raw=raw,
        number=reading.number(row.order_no, "number"),
        ordered_at=reading.instant(row.order_date, "orderedAt"),
        status=_status(reading, statuses, profile),
        source_statuses=statuses,
        currency=_order_currency(reading, profile.currencies.get(str(row.currency_id)), profile),
        totals=None,
        lines=None,
        customer=_customer_of_row(row, profile),
        delivery_method=text_or_none(row.delivery_mode),
        payment_method=None,
        warnings=reading.warnings,
    )


def to_customer(payload: CustomerPayload, raw: bytes, profile: SourceProfile, now: datetime) -> Customer:
    """Read a CustomerService customer; name and organisation come from its default company. Raises `Malformed` without an id."""
    reading = Reading(profile.time_zone)
    native_id = _key(reading, payload.id)
    if native_id is None:
        raise Malformed("a customer without Id")
    company = next(iter(payload.companies or ()), None)
    return Customer(
        ref=Ref(profile.key, Kind.CUSTOMER, f"customer/{native_id}"),
        native_type="Customer",
        fetched_at=now,
        raw=raw,
        number=_text(payload.code) or (None if company is None else _text(company.code)),
        name=(None if company is None else text_or_none(company.name)) or _full_name(payload.first_name, payload.last_name),
        kind=CustomerKind.PERSON if company is None else CustomerKind.ORGANIZATION,
        organization_number=None if company is None else _organization_number(company.org_no),
        vat_number=None,
        email=text_or_none(payload.email),
        phone=text_or_none(payload.phone) or text_or_none(payload.cell_phone),
        billing_address=None,
        warnings=reading.warnings,
    )


def to_bill_to(order: OrderPayload, ref: Ref, profile: SourceProfile, now: datetime) -> Customer | None:
    """Read the bill-to party of an order under the key that was asked; None when the order has none."""
    party = _customer_data(order.bill_to)
    return None if party is None else _to_party(party, ref, bytes(order.bill_to), Reading(profile.time_zone), now)


def _bill_to_of(
    raw: msgspec.Raw, order_id: int | str | None, order_no: int | str | None, profile: SourceProfile, now: datetime
) -> Customer | None:
    """Read a snapshot of the bill-to party: whole, no further call. None: no party, or nothing to know it by."""
    party = _customer_data(raw)
    if party is None:
        return None
    reading = Reading(profile.time_zone)
    order_key = _text(order_id)
    own = _party_id(reading, party)
    native_id = own or (f"order/{order_key}/billto" if order_key not in {None, "0"} else None)
    if native_id is None:
        return None
    ref = Ref(profile.key, Kind.CUSTOMER, native_id, hint=None if own else _text(order_no))
    return _to_party(party, ref, bytes(raw), reading, now)


def _customer_of_order(payload: OrderPayload, profile: SourceProfile, now: datetime) -> Customer | None:
    """Give the bill-to party, else the buyer where it has an id of its own."""
    bill_to = _bill_to_of(payload.bill_to, payload.id, payload.order_no, profile, now)
    return bill_to or _bill_to_of(payload.sell_to, None, None, profile, now)


def _customer_of_row(row: OrderRow, profile: SourceProfile) -> Customer | None:
    """Refer to the payer of an order, else to its buyer; a guest has no id."""
    ids = (
        ("customer", row.payer_customer_id),
        ("company", row.payer_company_id),
        ("customer", row.buyer_customer_id),
        ("company", row.buyer_company_id),
    )
    native_id = next((f"{kind}/{value}" for kind, value in ids if value not in {None, 0, ""}), None)
    return None if native_id is None else Customer(ref=Ref(profile.key, Kind.CUSTOMER, native_id), native_type="Customer")


def _customer_data(raw: msgspec.Raw) -> CustomerDataPayload | None:
    body = bytes(raw)
    if is_nothing(body):
        return None
    party = decode(body, CustomerDataPayload)
    return None if party.company is None and party.customer is None and party.address is None else party


def _party_id(reading: Reading, party: CustomerDataPayload) -> str | None:
    person = None if party.customer is None else _key(reading, party.customer.id)
    if person is not None:
        return f"customer/{person}"
    company = None if party.company is None else _key(reading, party.company.id)
    return None if company is None else f"company/{company}"


def _to_party(party: CustomerDataPayload, ref: Ref, raw: bytes, reading: Reading, now: datetime) -> Customer:
    company, person = party.company, party.customer
    if company is not None and not _says_something(company):
        company = None
    person_name = None if person is None else _full_name(person.first_name, person.last_name)
    return Customer(
        ref=ref,
        native_type="CustomerData",
        fetched_at=now,
        raw=raw,
        number=(None if company is None else _text(company.no)) or (None if person is None else _text(person.no)),
        name=(None if company is None else text_or_none(company.name)) or person_name,
        kind=_kind_of(party, is_company=company is not None),
        organization_number=None if company is None else _organization_number(company.org_no),
        vat_number=None,
        email=None if person is None else text_or_none(person.email),
        phone=None if person is None else text_or_none(person.phone) or text_or_none(person.cell_phone),
        billing_address=_address(party.address),
        warnings=reading.warnings,
    )


def _kind_of(party: CustomerDataPayload, *, is_company: bool) -> CustomerKind:
    if is_company:
        return CustomerKind.ORGANIZATION
    return CustomerKind.UNKNOWN if party.customer is None else CustomerKind.PERSON


def _says_something(company: BillToCompanyPayload) -> bool:
    """Tell a company from the object of nulls that a framework may write for "none"."""
    return any(_text(value) is not None and value != 0 for value in (company.id, company.no, company.name, company.org_no))


def _address(payload: AddressPayload | None) -> Address | None:
    if payload is None:
        return None
    address = Address(
        line1=text_or_none(payload.line1),
        line2=text_or_none(payload.line2),
        care_of=text_or_none(payload.care_of),
        postal_code=text_or_none(payload.zip_code),
        city=text_or_none(payload.city),
        region=text_or_none(payload.region),
        country_code=text_or_none(payload.country_code),
        country_name=text_or_none(payload.country),
        gln=text_or_none(payload.global_location_no),
        phone=text_or_none(payload.shipping_phone_number),
    )
    return None if address == Address() else address


def _full_name(first: str | None, last: str | None) -> str | None:
    return text_or_none(" ".join(part.strip() for part in (first, last) if part is not None and part.strip()))


def _organization_number(value: int | str | None) -> str | None:
    text = _text(value)
    return None if text is None else text.replace("-", "").strip()


def _orders_of(reading: Reading, payload: InvoicePayload, profile: SourceProfile) -> tuple[Order, ...] | None:
    """Refer to the order of an invoice. None: a number alone is no key of an order."""
    native_id = _key(reading, payload.order_id, "orders")
    number = _text(payload.order_no)
    if native_id is None:
        return () if number is None else None
    order = Order(
        ref=Ref(profile.key, Kind.ORDER, native_id, hint=number),
        native_type="Order",
        number=number or UNREAD,
        ordered_at=reading.instant(payload.order_date, "orders", "0", "orderedAt") or UNREAD,
        delivery_method=text_or_none(payload.delivery_method) or UNREAD,
        payment_method=text_or_none(payload.payment_method) or UNREAD,
    )
    return (order,)


def _invoice_currency(reading: Reading, orders: Sequence[Order] | None, profile: SourceProfile) -> Currency:
    """No invoice names its currency: its order does."""
    if not orders:
        return _default_currency(reading, profile)
    origin = CurrencyOrigin.UNKNOWN if profile.default_currency is None else CurrencyOrigin.SOURCE_DEFAULT
    return Currency(profile.default_currency, origin, ask=orders[0].ref)


def _order_currency(reading: Reading, text: str | None, profile: SourceProfile) -> Currency:
    code = reading.currency_code(text, "currency")
    return _default_currency(reading, profile) if code is None else Currency(code, CurrencyOrigin.RECORD)


def _default_currency(reading: Reading, profile: SourceProfile) -> Currency:
    if profile.default_currency is not None:
        return Currency(profile.default_currency, CurrencyOrigin.SOURCE_DEFAULT)
    reading.warn(DataWarningCode.CURRENCY_UNKNOWN, "neither the record nor the configuration says the currency", "currency")
    return Currency(None, CurrencyOrigin.UNKNOWN)


def _invoice_type(is_debit: bool | None) -> InvoiceType:  # noqa: FBT001  (the vendor's flag is the value)
    if is_debit is None:
        return InvoiceType.UNKNOWN
    return InvoiceType.INVOICE if is_debit else InvoiceType.CREDIT_NOTE


def _is_credit(payload: InvoicePayload) -> bool | None:
    """None: without the flag a positive total says nothing, since the sign of a credit's amounts is not published."""
    total = exact(payload.invoice_amount_inc_vat)
    if payload.is_debit is False or (total is not None and total < 0):
        return True
    return None if payload.is_debit is None else False


def _totals(
    incl_vat: Decimal | None, excl_vat: Decimal | None, vat: Decimal | None, currency: Currency, *, is_credit: bool | None
) -> Totals | None:
    """Build totals around the amount with VAT, else the one without; None when no amount came."""
    incl, excl, tax = _money(incl_vat, currency), _money(excl_vat, currency), _money(vat, currency)
    if incl is None and excl is None and tax is None:
        return None
    total = excl if incl is None else incl
    return Totals(
        vat_basis=VatBasis.EXCLUDING_VAT if incl is None else VatBasis.INCLUDING_VAT,
        total=total,
        excl_vat=excl,
        vat=tax,
        incl_vat=incl,
        signed_total=None if total is None or is_credit is None else Money(_signed(total.amount, is_credit=is_credit), currency),
    )


def _signed(amount: Decimal, *, is_credit: bool) -> Decimal:
    """Make a credit negative, whatever sign it was sent with."""
    return amount.copy_negate() if is_credit and amount > 0 else amount


def _sums(totals: Totals | None, lines: Sequence[Line] | None, charges: Sequence[Charge]) -> Iterable[DataWarning]:
    """Check the sums; with a charge the lines cannot be checked, since its VAT basis is unknown."""
    if totals is None:
        return ()
    return (*check_totals(totals), *(() if charges else check_lines(totals, lines or ())))


def _charges(reading: Reading, payload: InvoicePayload, currency: Currency) -> tuple[Charge, ...]:
    """Read freight and invoice fee; 0 is none."""
    amounts = ((ChargeKind.FREIGHT, payload.order_freight), (ChargeKind.INVOICE_FEE, payload.invoice_charge))
    charges = tuple(
        Charge(kind, money, VatBasis.UNKNOWN)
        for kind, amount in amounts
        if (money := _money(amount, currency)) is not None and money.amount
    )
    if charges:
        reading.warn(DataWarningCode.VAT_BASIS_UNKNOWN, "the source does not say whether charges include VAT", "charges")
    return charges


def _invoice_lines(reading: Reading, items: Sequence[InvoiceItemPayload] | None, currency: Currency) -> tuple[Line, ...] | None:
    if items is None:
        return None
    lines = tuple(_invoice_line(reading, item, currency, str(index)) for index, item in enumerate(items))
    if any(line.gross_amount is not None for line in lines):
        reading.warn(DataWarningCode.DERIVED, "gross is net + VAT of the line", "lines", "grossAmount")
    return lines


def _invoice_line(reading: Reading, item: InvoiceItemPayload, currency: Currency, index: str) -> Line:
    net, vat = _money(item.row_amount, currency), _money(item.row_amount_vat, currency)
    return Line(
        position=_position(item.row_number),
        item_number=_text(item.item_no),
        name=text_or_none(item.item_description),
        quantity=exact(item.quantity),
        unit_price_excl_vat=_money(item.unit_price, currency),
        unit_price_incl_vat=_money(item.unit_price_inc_vat, currency),
        unit_discount_excl_vat=_money(item.unit_discount, currency),
        net_amount=net,
        vat_amount=vat,
        gross_amount=None if net is None or vat is None else Money(net.amount + vat.amount, currency),
        vat_percent=reading.multiplier_percent(item.vat_rate, "lines", index, "vatPercent"),
        delivery_date=reading.day(item.delivery_date, "lines", index, "deliveryDate"),
    )


def _order_lines(reading: Reading, items: Sequence[OrderItemPayload] | None, currency: Currency) -> tuple[Line, ...] | None:
    return None if items is None else tuple(_order_line(reading, item, currency, str(index)) for index, item in enumerate(items))


def _order_line(reading: Reading, item: OrderItemPayload, currency: Currency, index: str) -> Line:
    return Line(
        position=_position(item.row_number),
        item_number=_text(item.part_no),
        name=text_or_none(item.name),
        quantity=exact(item.qty_ordered),
        unit_price_excl_vat=_money(item.unit_price, currency),
        unit_discount_excl_vat=_money(item.unit_discount, currency),
        net_amount=_money(item.row_amount, currency),
        vat_percent=reading.multiplier_percent(item.vat_rate, "lines", index, "vatPercent"),
    )


def _status_codes(profile: SourceProfile, status_id: int | str | None, text: str | None) -> tuple[SourceCode, ...]:
    codes = (("StatusId", _text(status_id)), ("Status", text_or_none(text)))
    return tuple(SourceCode(field, code, profile.label(field, code)) for field, code in codes if code is not None)


def _status(reading: Reading, codes: Sequence[SourceCode], profile: SourceProfile) -> OrderStatus:
    """Take the first code with a meaning: a configured one, or a documented one of `statusId`."""
    for code in codes:
        documented = _STATUSES.get(code.code) if code.field == "StatusId" else None
        meaning = profile.order_status.get(code.code, documented)
        if meaning is not None:
            return meaning
    if codes:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "the status has no documented or configured meaning", "status")
    return OrderStatus.UNKNOWN


def _external_numbers(reading: Reading, payload: InvoicePayload) -> tuple[ExternalNumber, ...]:
    number = reading.number(payload.invoice_no_psp, "externalNumbers")
    return () if number is None else (ExternalNumber(ExternalNumberRole.PSP, number),)


def _notes(payload: InvoicePayload) -> tuple[Note, ...]:
    texts = ((NoteRole.INVOICE_TEXT, payload.invoice_text), (NoteRole.COMMENT, payload.comment))
    return tuple(Note(role, text) for role, value in texts if (text := text_or_none(value)) is not None)


def _custom_field(info: InfoPayload) -> CustomField:
    return CustomField(info.code or "", text_or_none(info.name), text_or_none(info.description), _value_text(bytes(info.value)))


def _value_text(raw: bytes) -> str | None:
    """Give a JSON text as it is, null as None, any other value as its JSON."""
    if is_nothing(raw):
        return None
    value = decode_tree(raw)
    return value if isinstance(value, str) else raw.decode()


def _money(amount: Decimal | None, currency: Currency) -> Money | None:
    value = exact(amount)
    return None if value is None else Money(value, currency)


def _position(value: Decimal | None) -> str | None:
    """Give a row number as text: 1.0 is 1."""
    number = exact(value)
    if number is None:
        return None
    return str(int(number)) if number == number.to_integral_value() else format(number, "f")


def _key(reading: Reading, value: int | str | None, *path: str) -> str | None:
    """Read an id; 0, as a number or as text, stands for none."""
    return reading.number(0 if value == "0" else value, *path)


def _text(value: int | str | None) -> str | None:
    return None if value is None else text_or_none(str(value))
