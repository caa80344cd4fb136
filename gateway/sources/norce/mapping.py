"""Norce payloads -> the unified model, pure. Amounts of the Services are in the currency of the order, which only the order names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

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
    Read,
    Ref,
    SourceCode,
    Totals,
    Unread,
    VatBasis,
    check_lines,
    check_totals,
)
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, Reading, decode, decode_tree, exact, is_nothing, organization_number, text_or_none
from gateway.sources.norce.payloads import (
    AddressPayload,
    BillToCompanyPayload,
    BuyerRow,
    CompanyPayload,
    CustomerDataPayload,
    CustomerPayload,
    CustomerRow,
    InfoPayload,
    InvoiceItemPayload,
    InvoicePayload,
    InvoiceRow,
    ItemRow,
    OrderItemPayload,
    OrderPayload,
    OrderRow,
    PartiesRow,
    to_buyer,
    to_items,
    to_names,
)
from gateway.sources.norce.settings import SYSTEM

PARTY: Final = re.compile(r"(customer|company)/0*([1-9]\d{0,18})", re.ASCII)
BILL_TO: Final = re.compile(r"order/(\S+)/billto")
"""The keys of customers: a person's or a company's own, or the party that an order is billed to."""

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
        customer=_bill_to_of(bill_to, payload.bill_to, payload.order_id, payload.order_no, profile, now),
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


def to_order(payload: OrderPayload, raw: bytes, row: OrderRow | Unread | None, profile: SourceProfile, now: datetime) -> Order:
    """Read an OrderService order; its status comes from `row`: None, nobody could ask Query; UNREAD, nobody did.

    Raises `Malformed` when it has no id.
    """
    reading = Reading(profile.time_zone)
    native_id = _key(reading, payload.id)
    if native_id is None:
        raise Malformed("an order without Id")
    currency = _order_currency(reading, payload.currency, profile)
    statuses = UNREAD if row is UNREAD else _status_codes(profile, None if row is None else row.status_id, payload.status)
    return Order(
        ref=Ref(profile.key, Kind.ORDER, native_id, hint=_text(payload.order_no)),
        native_type="Order",
        fetched_at=now,
        raw=raw,
        number=reading.number(payload.order_no, "number"),
        ordered_at=reading.instant(payload.order_date, "orderedAt"),
        status=UNREAD if statuses is UNREAD else _status(reading, statuses, profile),
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
    """Read an order as Query shows it; UNREAD is what OrderService alone can tell: totals, payment method, an unmapped currency."""
    reading = Reading(profile.time_zone)
    statuses = _status_codes(profile, row.status_id, None)
    ref = Ref(profile.key, Kind.ORDER, str(row.id), hint=_text(row.order_no))
    return Order(
        ref=ref,
        native_type="Order",
        fetched_at=now,
        raw=raw,
        number=reading.number(row.order_no, "number"),
        ordered_at=reading.instant(row.order_date, "orderedAt"),
        status=_status_of_row(reading, statuses, profile),
        source_statuses=statuses,
        currency=_row_currency(row.currency_id, profile) or UNREAD,
        lines=UNREAD if row.items is None else _row_lines(reading, row.items, _currency_or_ask(row.currency_id, ref, profile)),
        customer=_customer_of_row(row, ref, to_buyer(row.buyer), profile, guest_is_known=row.buyer is not msgspec.UNSET),
        delivery_method=text_or_none(row.delivery_mode),
        warnings=reading.warnings,
    )


def to_final(order: Order, profile: SourceProfile) -> Order:
    """Make an order whole that Query alone shows: what is UNREAD will never be told."""
    reading = Reading(profile.time_zone)
    told: dict[str, Any] = {field.name: None for field in fields(order) if getattr(order, field.name) is UNREAD}
    if "currency" in told:
        told["currency"] = _default_currency(reading, profile)
    if "status" in told:
        told["status"] = _status(reading, order.source_statuses or (), profile)
    return replace(order, **told, warnings=(*(order.warnings or ()), *reading.warnings))


def to_listed_order(raw: bytes, profile: SourceProfile, now: datetime) -> Order:
    """Read a row of `ListOrders3`; UNREAD is what it does not have. Raises `Malformed`."""
    order = to_order(decode(raw, OrderPayload), raw, None, profile, now)
    return replace(order, **_untold(raw, _ORDER_NAMES), customer=UNREAD)


def to_invoice_from_row(row: InvoiceRow, raw: bytes, profile: SourceProfile, now: datetime) -> Invoice:
    """Read an invoice as Query shows it; UNREAD is what OrderService alone can tell."""
    reading = Reading(profile.time_zone)
    ref = Ref(profile.key, Kind.INVOICE, str(row.id))
    order_id = _key(reading, row.reference_order_id, "orders")
    order = None if order_id is None else Ref(profile.key, Kind.ORDER, order_id)
    return Invoice(
        ref=ref,
        native_type="Invoice",
        fetched_at=now,
        raw=raw,
        number=reading.number(row.invoice_no, "number"),
        issue_date=reading.day(row.invoice_date, "issueDate"),
        due_date=reading.day(row.invoice_due_date, "dueDate"),
        created_at=None,
        updated_at=None,
        currency=_row_currency(row.currency_id, profile) or UNREAD,
        payment_status=PaymentStatus.UNKNOWN,
        paid_at=None,
        source_statuses=None,
        is_deleted=None,
        email_sent=None,
        sent_at=None,
        customer=_customer_of_row(row, order, None, profile, guest_is_known=order is not None),
        orders=UNREAD if order is None else (Order(ref=order, native_type="Order"),),
        group_key=text_or_none(row.group_code),
        lines=UNREAD if row.items is None else _row_lines(reading, row.items, _currency_or_ask(row.currency_id, order or ref, profile)),
        document=None,
        warnings=reading.warnings,
    )


def to_listed_invoice(raw: bytes, order: Ref | None, customer: Ref | None, profile: SourceProfile, now: datetime) -> Invoice:
    """Read a row of `ListInvoices` under the order or the customer it was listed for; UNREAD is what it does not have.

    The row's own party may be cut short (the sample names no person), so the customer is the one asked for. Raises `Malformed`.
    """
    payload = decode(raw, InvoicePayload)
    known = payload if order is None else msgspec.structs.replace(payload, order_id=order.native_id)
    invoice = to_invoice(known, raw, profile, now)
    light: dict[str, Any] = {
        **_untold(raw, _INVOICE_NAMES),
        "is_credit": _is_credit_of_row(payload),
        "customer": UNREAD if customer is None else _listed_party(payload.bill_to, customer),
        "details": UNREAD,
    }
    if order is None:
        said = tuple([warning for warning in invoice.warnings or () if warning.code is not DataWarningCode.CURRENCY_UNKNOWN])
        return replace(invoice, **light, currency=UNREAD, orders=UNREAD, warnings=said)
    return replace(invoice, **light)


_ORDER_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "totals": frozenset({"OrderTotalIncVat", "OrderTotalExVat"}),
    "currency": frozenset({"Currency"}),
    "source_statuses": frozenset({"Status"}),
    "status": frozenset({"Status"}),
    "lines": frozenset({"Items"}),
    "delivery_method": frozenset({"DeliveryMethod"}),
    "payment_method": frozenset({"PaymentMethod"}),
}
_INVOICE_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "type": frozenset({"IsDebit"}),
    "external_numbers": frozenset({"InvoiceNoPsp"}),
    "due_date": frozenset({"InvoiceDueDate"}),
    "totals": frozenset({"InvoiceAmountIncVat", "InvoiceAmountExVat", "VatAmount"}),
    "charges": frozenset({"OrderFreight", "InvoiceCharge"}),
    "delivery_date": frozenset({"DeliveryDate"}),
    "notes": frozenset({"InvoiceText", "Comment"}),
    "credited_invoice_number": frozenset({"CreditedInvoiceNo"}),
    "group_key": frozenset({"GroupByKey"}),
    "lines": frozenset({"Items"}),
    "custom_fields": frozenset({"Info"}),
}
"""The names that a light row must have for a field to be known."""
_NEVER_LISTED: Final = frozenset({"Items", "Info", "OrderFreight", "InvoiceCharge", "CreditedInvoiceNo", "Comment", "InvoiceAmountIncVat"})
"""What light rows are not known to have: null there is no answer, the whole record may have one."""


def _untold(raw: bytes, names: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """Give UNREAD for each field that a light row does not tell."""
    row = to_names(raw)
    nulls = [name for name in _NEVER_LISTED if name in row and is_nothing(bytes(row[name]))]
    told = row.keys() - nulls if nulls else row.keys()
    return {field: UNREAD for field, needed in names.items() if not needed <= told}


def _is_credit_of_row(payload: InvoicePayload) -> bool | Unread:
    """Say it by the flag; a debit with a negative total is a credit too, and a light row has the total in two parts."""
    if payload.is_debit is False:
        return True
    parts = (exact(payload.invoice_amount_ex_vat), exact(payload.vat_amount))
    if payload.is_debit is None or parts[0] is None or parts[1] is None:
        return UNREAD
    return parts[0] + parts[1] < 0


def _listed_party(raw: msgspec.Raw, ref: Ref) -> Customer:
    party = _customer_data(raw)
    company = None if party is None else party.company
    if company is None or not _says_something(company):
        return Customer(ref=ref, native_type="CustomerData")
    return Customer(
        ref=ref,
        native_type="CustomerData",
        number=_text(company.no) or UNREAD,
        name=text_or_none(company.name) or UNREAD,
        kind=CustomerKind.ORGANIZATION,
        organization_number=_organization_number(company.org_no),
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


def to_company(payload: CompanyPayload, raw: bytes, profile: SourceProfile, now: datetime) -> Customer:
    """Read a CustomerService company. Raises `Malformed` without an id."""
    reading = Reading(profile.time_zone)
    native_id = _key(reading, payload.id)
    if native_id is None:
        raise Malformed("a company without Id")
    return Customer(
        ref=Ref(profile.key, Kind.CUSTOMER, f"company/{native_id}"),
        native_type="Company",
        fetched_at=now,
        raw=raw,
        number=_text(payload.code),
        name=text_or_none(payload.name),
        kind=CustomerKind.ORGANIZATION,
        organization_number=_organization_number(payload.org_no),
        vat_number=None,
        email=None,
        phone=text_or_none(payload.phone),
        billing_address=None,
        warnings=reading.warnings,
    )


def to_listed_customer(raw: bytes, profile: SourceProfile, now: datetime) -> Customer:
    """Read a hit of `SearchCustomer2`. Without its companies, name and kind are UNREAD: the default company's name comes first."""
    payload = decode(raw, CustomerPayload)
    customer = to_customer(payload, raw, profile, now)
    if payload.companies is not None:
        return customer
    row = to_names(raw)
    has_phones = "Phone" in row and "CellPhone" in row
    return replace(
        customer,
        number=customer.number or UNREAD,
        name=UNREAD,
        kind=UNREAD,
        organization_number=UNREAD,
        email=customer.email if "Email" in row else UNREAD,
        phone=customer.phone or (None if has_phones else UNREAD),
    )


def to_customer_from_row(row: CustomerRow, raw: bytes, profile: SourceProfile, now: datetime) -> Customer:
    """Read a person as Query shows it; UNREAD is what depends on its companies, which are not there."""
    return Customer(
        ref=Ref(profile.key, Kind.CUSTOMER, f"customer/{row.id}"),
        native_type="Customer",
        fetched_at=now,
        raw=raw,
        number=_text(row.customer_code) or UNREAD,
        vat_number=None,
        email=text_or_none(row.email_address),
        phone=text_or_none(row.phone_number) or text_or_none(row.cell_phone_number),
        billing_address=None,
        warnings=(),
    )


def to_bill_to(order: OrderPayload, ref: Ref, profile: SourceProfile, now: datetime) -> Customer | None:
    """Read who an order is billed to, else its buyer, under the key that was asked; None when the order names neither."""
    for raw in (order.bill_to, order.sell_to):
        party = _customer_data(raw)
        if party is not None:
            return _to_party(party, ref, bytes(raw), Reading(profile.time_zone), now)
    return None


def _bill_to_of(
    party: CustomerDataPayload | None,
    raw: msgspec.Raw,
    order_id: int | str | None,
    order_no: int | str | None,
    profile: SourceProfile,
    now: datetime,
) -> Customer | None:
    """Read a snapshot of the bill-to party: whole, no further call. None: no party, or nothing to know it by."""
    if party is None:
        return None
    reading = Reading(profile.time_zone)
    own = _party_id(reading, party)
    order_key = None if own is not None else _own_id(order_id)
    native_id = own if order_key is None else f"order/{order_key}/billto"
    if native_id is None:
        return None
    ref = Ref(profile.key, Kind.CUSTOMER, native_id, hint=None if own else _text(order_no))
    return _to_party(party, ref, bytes(raw), reading, now)


def _customer_of_order(payload: OrderPayload, profile: SourceProfile, now: datetime) -> Customer | None:
    """Give the bill-to party, else the buyer."""
    for raw in (payload.bill_to, payload.sell_to):
        customer = _bill_to_of(_customer_data(raw), raw, payload.id, payload.order_no, profile, now)
        if customer is not None:
            return customer
    return None


def _customer_of_row(
    row: PartiesRow, order: Ref | None, buyer: BuyerRow | None, profile: SourceProfile, *, guest_is_known: bool
) -> Read[Customer]:
    """Refer to the payer, else to the buyer, with what is known of it; a guest is the bill-to party of its order.

    UNREAD: there is a guest perhaps. None: it is known that there is none.
    """
    person, company = _own_id(row.payer_customer_id), _own_id(row.payer_company_id)
    if person is not None or company is not None:
        ref = _party_ref(profile, person, company)
        return _party_of_row(ref, person, company, row.payer_customer_code, row.payer_company_code, None)
    person, company = _own_id(row.buyer_customer_id), _own_id(row.buyer_company_id)
    if person is not None or company is not None:
        ref = _party_ref(profile, person, company)
        return _party_of_row(ref, person, company, row.buyer_customer_code, row.buyer_company_code, buyer)
    if order is None or not guest_is_known:
        return UNREAD
    if buyer is None and not isinstance(row, InvoiceRow):
        return None
    ref = Ref(profile.key, Kind.CUSTOMER, f"order/{order.native_id}/billto", hint=order.hint)
    return _party_of_row(ref, None, None, row.buyer_customer_code, row.buyer_company_code, buyer)


def _own_id(value: int | str | None) -> str | None:
    text = None if value is None else _text(value)
    return None if text == "0" else text


def _party_ref(profile: SourceProfile, person: str | None, company: str | None) -> Ref:
    return Ref(profile.key, Kind.CUSTOMER, f"company/{company}" if person is None else f"customer/{person}")


def _party_of_row(
    ref: Ref,
    person: str | None,
    company: str | None,
    customer_code: int | str | None,
    company_code: int | str | None,
    buyer: BuyerRow | None,
) -> Customer:
    number = _text(company_code)
    is_company = company is not None or number is not None
    number = number or _text(customer_code)
    if buyer is not None:
        return _party_of_buyer(ref, number, buyer, is_company=is_company, is_person=person is not None)
    return Customer(
        ref=ref,
        native_type="Customer",
        number=number or UNREAD,
        kind=CustomerKind.ORGANIZATION if is_company else CustomerKind.PERSON if person is not None else UNREAD,
    )


def _party_of_buyer(ref: Ref, number: str | None, buyer: BuyerRow, *, is_company: bool, is_person: bool) -> Customer:
    company_name = text_or_none(buyer.company_name)
    person_name = _full_name(buyer.first_name, buyer.last_name)
    is_guest = ref.native_id.startswith("order/")
    is_organization = is_company or company_name is not None
    return Customer(
        ref=ref,
        native_type="Customer",
        number=number or (None if is_guest else UNREAD),
        name=company_name or (None if is_organization else person_name) or UNREAD,
        kind=CustomerKind.ORGANIZATION if is_organization else CustomerKind.PERSON if is_person or person_name is not None else UNREAD,
        email=_said(buyer.email_address, buyer.email),
        phone=_said(buyer.phone_number, buyer.phone, buyer.cell_phone_number, buyer.cell_phone),
    )


def _said(*texts: str | msgspec.UnsetType | None) -> Read[str]:
    """Give the first text; None: there is none in any of these names; UNREAD: none of these names came."""
    said: Read[str] = UNREAD
    for text in texts:
        if text is not msgspec.UNSET:
            said = text_or_none(text)
            if said is not None:
                return said
    return said


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
    for value in (company.name, company.no, company.id, company.org_no):  # noqa: SIM110  (a generator costs more than the first look)
        if _text(value) is not None and value != 0:
            return True
    return False


_NO_ADDRESS: Final = Address()


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
    return None if address == _NO_ADDRESS else address


def _full_name(first: str | None, last: str | None) -> str | None:
    return text_or_none(" ".join(part.strip() for part in (first, last) if part is not None and part.strip()))


def _organization_number(value: int | str | None) -> str | None:
    return organization_number(_text(value))


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
    freight, fee = exact(payload.order_freight), exact(payload.invoice_charge)
    if not freight and not fee:
        return ()
    reading.warn(DataWarningCode.VAT_BASIS_UNKNOWN, "the source does not say whether charges include VAT", "charges")
    amounts = ((ChargeKind.FREIGHT, freight), (ChargeKind.INVOICE_FEE, fee))
    return tuple(Charge(kind, Money(amount, currency), VatBasis.UNKNOWN) for kind, amount in amounts if amount)


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


def _row_lines(reading: Reading, items: object, currency: Currency) -> tuple[Line, ...] | Unread:
    known = to_items(items)
    return UNREAD if known is None else tuple(_row_line(reading, item, currency, str(index)) for index, item in enumerate(known))


def _row_line(reading: Reading, item: ItemRow, currency: Currency, index: str) -> Line:
    price = exact(item.unit_price if item.price_sale is None else item.price_sale)
    net = exact(item.row_amount if item.line_amount is None else item.line_amount)
    ordered = item.qty_ordered if item.quantity is None else item.quantity
    quantity = exact(ordered if item.quantity2 is None else item.quantity2)
    return Line(
        position=_position(item.row_number if item.line_number is None else item.line_number),
        item_number=_text(item.item_no if item.part_no is None else item.part_no),
        name=text_or_none(item.product_name) or text_or_none(item.name),
        quantity=quantity,
        unit_price_excl_vat=_money(price, currency),
        unit_discount_excl_vat=_money(_unit_discount(item, quantity, price, net), currency),
        net_amount=_money(net, currency),
        vat_percent=_plain_percent(reading, item.vat_rate, "lines", index, "vatPercent"),
    )


def _unit_discount(item: ItemRow, quantity: Decimal | None, price: Decimal | None, net: Decimal | None) -> Decimal | None:
    """Give the discount of a unit; whether `discountAmount` is that is not published, so only where the sum of the line proves it."""
    discount = exact(item.discount_amount)
    if item.unit_discount is not None or discount is None:
        return exact(item.unit_discount)
    if not discount:
        return discount
    if quantity is None or price is None or net is None:
        return None
    return discount if quantity * (price - discount) == net else None


def _plain_percent(reading: Reading, rate: Decimal | None, *path: str) -> Decimal | None:
    """Read a VAT rate of Query, which is percent there, without zeros behind the point: 25.00 is 25."""
    percent = exact(rate)
    if percent is None:
        return None
    if percent < 0:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "a VAT rate below 0 has no meaning", *path)
        return None
    text = format(percent, "f")
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else percent


def _row_currency(currency_id: int | str | None, profile: SourceProfile) -> Currency | None:
    """Read the currency of a row of Query by the configured table; None: no published read says what the id means."""
    code = profile.currencies.get(str(currency_id))
    return None if code is None else Currency(code, CurrencyOrigin.RECORD)


def _currency_or_ask(currency_id: int | str | None, ask: Ref, profile: SourceProfile) -> Currency:
    origin = CurrencyOrigin.UNKNOWN if profile.default_currency is None else CurrencyOrigin.SOURCE_DEFAULT
    return _row_currency(currency_id, profile) or Currency(profile.default_currency, origin, ask=ask)


def status_ids(status: OrderStatus, profile: SourceProfile) -> tuple[str, ...] | None:
    """Give the `statusId`s that mean a status; None: a configured text may mean it too, or it is UNKNOWN, which no id is."""
    if status is OrderStatus.UNKNOWN or _has_text_statuses(profile):
        return None
    meanings = {**_STATUSES, **profile.order_status}
    return tuple(code for code, meaning in meanings.items() if meaning is status)


def _has_text_statuses(profile: SourceProfile) -> bool:
    return any(not code.isdigit() for code in profile.order_status)


def _status_of_row(reading: Reading, codes: Sequence[SourceCode], profile: SourceProfile) -> OrderStatus | Unread:
    """Read the status by its id; UNREAD where the text, which OrderService has, may say more."""
    meaning = _meaning(codes, profile)
    if meaning is not None and meaning is not OrderStatus.UNKNOWN:
        return meaning
    return UNREAD if _has_text_statuses(profile) else _status(reading, codes, profile)


def _status_codes(profile: SourceProfile, status_id: int | str | None, text: str | None) -> tuple[SourceCode, ...]:
    code, said = _text(status_id), text_or_none(text)
    by_id = () if code is None else (SourceCode("StatusId", code, profile.label("StatusId", code)),)
    return by_id if said is None else (*by_id, SourceCode("Status", said, profile.label("Status", said)))


def _status(reading: Reading, codes: Sequence[SourceCode], profile: SourceProfile) -> OrderStatus:
    meaning = _meaning(codes, profile)
    if meaning is not None:
        return meaning
    if codes:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "the status has no documented or configured meaning", "status")
    return OrderStatus.UNKNOWN


def _meaning(codes: Sequence[SourceCode], profile: SourceProfile) -> OrderStatus | None:
    """Take the first code with a meaning: a configured one, or a documented one of `statusId`."""
    for code in codes:
        documented = _STATUSES.get(code.code) if code.field == "StatusId" else None
        meaning = profile.order_status.get(code.code, documented)
        if meaning is not None:
            return meaning
    return None


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
    return text_or_none(value) if value is None or isinstance(value, str) else str(value)
