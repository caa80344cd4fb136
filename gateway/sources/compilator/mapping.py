"""What DDAPI sends, as the model has it: pure. Amounts stay exact; what the source does not say is None."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from gateway.model import (
    UNREAD,
    Address,
    Charge,
    ChargeKind,
    Currency,
    CurrencyOrigin,
    CurrencyRow,
    Customer,
    CustomerKind,
    DataWarningCode,
    Details,
    Invoice,
    InvoiceSettings,
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
    check_totals,
)
from gateway.sources.base import SourceProfile
from gateway.sources.compilator.payloads import (
    CurrencyPayload,
    CustomerPayload,
    InvoicePayload,
    InvoiceTypePayload,
    OrderLineArticlePayload,
    OrderLinePayload,
    OrderPayload,
    SettingsPayload,
)
from gateway.sources.decode import Malformed, Reading, exact, organization_number, text_or_none

_CUSTOMER_TYPE: Final = "Customer"
_ORDER_STATUS: Final = MappingProxyType({1: OrderStatus.OPEN, 2: OrderStatus.CLOSED, 3: OrderStatus.DELETED})
"""OrderStatusId as the order pages of the demo and TeamSignature sites list it."""


_PERSONAL: Final = re.compile(r"(?:1[89]|20)?\d{2}[01]\d{3}\+?\d{4}|SE\d{2}[01]\d{9}", re.ASCII | re.IGNORECASE)
_INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Sent:
    """One object as it came: its JSON, and when it was read."""

    raw: bytes
    at: datetime


def to_number(text: str) -> str | None:
    """Give a number of the source (customer, order, branch, invoice, currency: integers above 0) in its one spelling.

    None: it can be none.
    """
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(_INT32_MAX)) or int(digits) > _INT32_MAX:
        return None
    return digits


def to_customer(payload: CustomerPayload, sent: Sent, profile: SourceProfile) -> Customer:
    """Read a row of `GET-api-customers-date`. The hint of its ref is the GUID that invoices carry. Raises `Malformed`.

    The organisation and VAT number of a person are, or hold, a personal identity number: they are left out, also where the row
    does not say what the customer is and the number can be one.
    """
    if not payload.customer_no:
        raise Malformed("CustomerNo is missing")
    reading = Reading(profile.time_zone)
    guid = reading.guid(payload.id)
    number = str(payload.customer_no)
    kind = _customer_kind(payload.is_company)
    is_person = kind is CustomerKind.PERSON or (kind is CustomerKind.UNKNOWN and _is_personal(payload))
    return Customer(
        ref=Ref(profile.key, Kind.CUSTOMER, number, hint=guid),
        native_type=_CUSTOMER_TYPE,
        number=number,
        name=text_or_none(payload.name),
        kind=kind,
        organization_number=None if is_person else organization_number(payload.org_no),
        vat_number=None if is_person else text_or_none(payload.vat_registration_number),
        email=text_or_none(payload.email),
        phone=text_or_none(payload.phone1) or text_or_none(payload.phone2),
        billing_address=_to_address(payload, reading),
        fetched_at=sent.at,
        raw=sent.raw,
        warnings=reading.warnings,
    )


def _customer_kind(is_company: bool | None) -> CustomerKind:  # noqa: FBT001  (the field itself)
    if is_company is None:
        return CustomerKind.UNKNOWN
    return CustomerKind.ORGANIZATION if is_company else CustomerKind.PERSON


def _is_personal(payload: CustomerPayload) -> bool:
    """Say whether a number can be, or hold, a Swedish personal identity number: its third digit begins a month.

    That of an organisation is 2 or more.
    """
    numbers = (payload.org_no, payload.vat_registration_number)
    return any(_PERSONAL.fullmatch(organization_number(number) or "") for number in numbers)


def _to_address(payload: CustomerPayload, reading: Reading) -> Address | None:
    second, third = text_or_none(payload.address2), text_or_none(payload.address3)
    if second and third:
        reading.warn(DataWarningCode.DERIVED, "Address2 and Address3, joined", "billingAddress", "line2")
    address = Address(
        line1=text_or_none(payload.address1),
        line2=", ".join(line for line in (second, third) if line) or None,
        postal_code=text_or_none(payload.postal_code),
        city=text_or_none(payload.town),
        country_code=text_or_none(payload.country_id),
        country_name=text_or_none(payload.country_name),
        gln=text_or_none(payload.global_location_number),
    )
    return None if address == Address() else address


def to_order(payload: OrderPayload, ref: Ref, sent: Sent, profile: SourceProfile) -> Order:
    """Read the answer of `GET-api-orders-id-branchId` to the key `ref`. Raises `Malformed`.

    The record keeps the key that it was asked by. Lines None: the answer has none of them.
    """
    expect(payload.id, ref.native_id.partition("/")[0], "Id")
    reading = Reading(profile.time_zone)
    currency = _order_currency(payload.currency_id, profile, reading)
    customer_number = reading.number(payload.customer_number, "customer")
    return Order(
        ref=ref,
        native_type="OrderHead",
        number=reading.number(payload.id, "number"),
        ordered_at=reading.instant(payload.order_date, "orderedAt"),
        status=_order_status(payload.order_status_id, profile, reading),
        source_statuses=_order_statuses(payload, profile),
        currency=currency,
        totals=_order_totals(payload, currency),
        lines=None if payload.order_lines is None else tuple(_to_line(line, currency, reading) for line in payload.order_lines),
        customer=None if customer_number is None else _customer_reference(customer_number, profile),
        delivery_method=text_or_none(payload.carrier_name),
        payment_method=None,
        fetched_at=sent.at,
        raw=sent.raw,
        warnings=reading.warnings,
    )


def to_listed_order(payload: OrderPayload, sent: Sent, profile: SourceProfile) -> Order:
    """Read a row of a list of orders. Raises `Malformed`, also where it does not say its key.

    The lists' pages send the reader to the single order for details: where a row has no lines, the order may have some.
    """
    parts = [to_number(str(part)) for part in (payload.id, payload.seller_branch_id)]
    match parts:
        case [str(order_id), str(branch_id)]:
            order = to_order(payload, Ref(profile.key, Kind.ORDER, f"{order_id}/{branch_id}"), sent, profile)
        case _:
            raise Malformed("Id or SellerBranchId is missing")
    return order if order.lines else replace(order, lines=UNREAD)


def _order_status(code: int | None, profile: SourceProfile, reading: Reading) -> OrderStatus:
    if code is None:
        return OrderStatus.UNKNOWN
    status = profile.order_status.get(str(code)) or _ORDER_STATUS.get(code)
    if status is None:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, f"OrderStatusId {code} has no published meaning", "status")
        return OrderStatus.UNKNOWN
    return status


def _order_statuses(payload: OrderPayload, profile: SourceProfile) -> tuple[SourceCode, ...]:
    codes = (
        ("OrderStatusId", payload.order_status_id, payload.order_status_name),
        ("WMSStatusId", payload.wms_status_id, payload.wms_status_name),
        ("CloseOrderTypeId", payload.close_order_type_id, payload.close_order_type_name),
    )
    return tuple(_source_code(field, str(code), name, profile) for field, code, name in codes if code is not None)


def _source_code(field: str, code: str, name: str | None, profile: SourceProfile) -> SourceCode:
    return SourceCode(field, code, text_or_none(name) or profile.label(field, code))


def _order_totals(payload: OrderPayload, currency: Currency) -> Totals:
    including = _money(payload.total_amount_including_vat, currency)
    return Totals(
        vat_basis=VatBasis.INCLUDING_VAT,
        total=including,
        excl_vat=_money(payload.total_amount_excluding_vat, currency),
        incl_vat=including,
        rounding=_money(payload.rounding_amount, currency),
        signed_total=including,
    )


def _to_line(payload: OrderLinePayload, currency: Currency, reading: Reading) -> Line:
    """Read one line. A text line has a description and its position, nothing else.

    That `Price` and `Amount` exclude VAT is read from their neighbours (`VatAmount` beside `Amount`); no page says so.
    """
    article = payload.order_line_article or OrderLineArticlePayload()
    return Line(
        position=reading.number(payload.line_number, "lines", "position"),
        item_number=reading.number(article.article_number, "lines", "itemNumber"),
        name=text_or_none(article.description),
        description=None if payload.order_line_text is None else text_or_none(payload.order_line_text.text),
        quantity=exact(article.quantity),
        unit_price_excl_vat=_money(article.price, currency),
        net_amount=_money(article.amount, currency),
        vat_amount=_money(article.vat_amount, currency),
        vat_percent=exact(article.vat_percent),
    )


def to_invoice(payload: InvoicePayload, ref: Ref, sent: Sent, profile: SourceProfile) -> Invoice:
    """Read the answer of `GET-api-invoice-invoiceNo-includeInternal` to the key `ref`. Raises `Malformed`.

    The page has no order, no rows, no paid state and no type in the sense of BT-3. It requires no field: the key is the number.
    """
    expect(payload.no, ref.native_id, "No")
    reading = Reading(profile.time_zone)
    currency = _invoice_currency(payload.currency_code, profile, reading)
    totals = _invoice_totals(payload, currency)
    reading.add(check_totals(totals, rounding_in_total=True))
    recipient_id = reading.guid(payload.invoice_recipient_id, "customer")
    return Invoice(
        ref=ref,
        native_type="InvoiceHead",
        type=_invoice_type(payload.invoice_type, reading),
        is_credit=None if totals.total is None else totals.total.amount < 0,
        number=ref.native_id,
        external_numbers=None,
        issue_date=reading.day(payload.invoice_date, "issueDate"),
        due_date=reading.day(payload.balance_due, "dueDate"),
        created_at=reading.instant(payload.created, "createdAt"),
        updated_at=None,
        currency=currency,
        totals=totals,
        charges=_charges(payload.invoice_fee, currency, reading),
        payment_status=PaymentStatus.UNKNOWN,
        paid_at=None,
        source_statuses=_invoice_statuses(payload.invoice_type, profile),
        is_deleted=None,
        email_sent=None,
        sent_at=None,
        delivery_date=None,
        notes=_notes(payload.invoice_text),
        customer=_recipient(recipient_id, payload.invoice_recipient_name, profile),
        orders=None,
        credited_invoice_number=None,
        group_key=None,
        lines=None,
        document=None,
        custom_fields=None,
        details=_details(payload, recipient_id, profile, reading),
        fetched_at=sent.at,
        raw=sent.raw,
        warnings=reading.warnings,
    )


def _invoice_type(row: InvoiceTypePayload | None, reading: Reading) -> InvoiceType:
    if row is not None:
        reading.warn(DataWarningCode.UNMAPPED_VALUE, "InvoiceType is a row of the installation and says nothing of BT-3", "type")
    return InvoiceType.UNKNOWN


def _invoice_statuses(row: InvoiceTypePayload | None, profile: SourceProfile) -> tuple[SourceCode, ...]:
    if row is None or row.id is None:
        return ()
    return (_source_code("InvoiceType", str(row.id), row.name, profile),)


def _invoice_totals(payload: InvoicePayload, currency: Currency) -> Totals:
    total = _money(payload.total_amount, currency)
    return Totals(
        vat_basis=VatBasis.INCLUDING_VAT,
        total=total,
        excl_vat=_money(payload.amount, currency),
        vat=_money(payload.vat_amount, currency),
        incl_vat=total,
        rounding=_money(payload.rounding_amount, currency),
        signed_total=total,
    )


def _charges(fee: Decimal | None, currency: Currency, reading: Reading) -> tuple[Charge, ...] | None:
    amount = _money(fee, currency)
    if amount is None:
        return None
    if amount.amount == 0:
        return ()
    reading.warn(DataWarningCode.VAT_BASIS_UNKNOWN, "no page says whether InvoiceFee includes VAT", "charges", "vatBasis")
    return (Charge(ChargeKind.INVOICE_FEE, amount, VatBasis.UNKNOWN),)


def _notes(text: str | None) -> tuple[Note, ...]:
    kept = text_or_none(text)
    return () if kept is None else (Note(NoteRole.INVOICE_TEXT, kept),)


def _recipient(guid: str | None, name: str | None, profile: SourceProfile) -> Customer | None:
    """Refer to a customer by its GUID, which is not the key that customers have in the graph."""
    if guid is None:
        return None
    return Customer(ref=Ref(profile.key, Kind.CUSTOMER, guid), native_type=_CUSTOMER_TYPE, is_alias=True, name=text_or_none(name))


def _details(payload: InvoicePayload, recipient_id: str | None, profile: SourceProfile, reading: Reading) -> Details:
    fields = {
        "journal_number": reading.number(payload.journal_number, "details", "journalNumber"),
        "currency_rate": exact(payload.currency_rate),
        "invoice_reference_code": text_or_none(payload.invoice_reference_code),
        "invoice_recipient_id": recipient_id,
        "invoice_recipient_name": text_or_none(payload.invoice_recipient_name),
        "sender_name": text_or_none(payload.sender_name),
        "default_vat_percent": exact(payload.default_vat_percent),
    }
    return Details(system=profile.system, fields=fields)


def to_currency_row(payload: CurrencyPayload, ref: Ref, sent: Sent, profile: SourceProfile) -> CurrencyRow:
    """Read the answer of `GET-api-Currencies-id` to the key `ref`. Raises `Malformed`."""
    expect(payload.id, ref.native_id, "Id")
    reading = Reading(profile.time_zone)
    return CurrencyRow(
        ref=ref,
        native_type="Currency",
        code=reading.currency_code(payload.currency_code, "code"),
        name=text_or_none(payload.name),
        fetched_at=sent.at,
        raw=sent.raw,
        warnings=reading.warnings,
    )


def to_settings(payload: SettingsPayload, ref: Ref, profile: SourceProfile, sent: Sent | None = None) -> InvoiceSettings:
    """Read the answer of `GET-api-customers-invoice_customerNumber` to the key `ref`; `sent` None: it is about to be written."""
    reading = Reading(profile.time_zone)
    return InvoiceSettings(
        ref=ref,
        native_type="CustomerInvoice",
        version=version_of(payload),
        customer=_customer_reference(ref.native_id, profile),
        invoice_recipient=_settings_recipient(payload, ref, profile, reading),
        currency=_settings_currency(payload.currency_id, profile),
        source_currency=_lookup(("CurrencyId", payload.currency_id), profile, reading, "sourceCurrency"),
        payment_terms=_lookup(("TermsOfPaymentId", payload.terms_of_payment_id), profile, reading, "paymentTerms"),
        invoice_type=_lookup(("InvoiceTypeId", payload.invoice_type_id), profile, reading, "invoiceType"),
        interest_type=_lookup(("InterestTypeId", payload.interest_type_id), profile, reading, "interestType"),
        invoice_cycle=_lookup(("InvoiceCycleId", payload.invoice_cycle_id), profile, reading, "invoiceCycle"),
        credit_account=_lookup(("CreditAccountId", payload.credit_account_id), profile, reading, "creditAccount"),
        retains_invoice_type=payload.retains_invoice_type,
        pays_invoice_fee=payload.pays_invoice_fee,
        allow_invoice_payment_from_order=payload.allow_invoice_payment_from_order,
        send_invoice_from_order_as_email=payload.send_invoice_from_order_as_email,
        invoice_email=text_or_none(payload.invoice_order_payment_email_address),
        reverse_tax=_reverse_tax(payload, reading),
        fetched_at=None if sent is None else sent.at,
        raw=None if sent is None else sent.raw,
        warnings=reading.warnings,
    )


def version_of(payload: SettingsPayload) -> str:
    """Hash the fields as read; a field that is missing and one that is null give different versions."""
    return hashlib.sha256(msgspec.json.encode(payload, order="sorted")).hexdigest()[:32]


def _settings_recipient(payload: SettingsPayload, ref: Ref, profile: SourceProfile, reading: Reading) -> Customer | None:
    number = reading.number(payload.invoice_recipient_customer_number, "invoiceRecipient")
    return None if number is None or number == ref.native_id else _customer_reference(number, profile)


def _settings_currency(currency_id: int | None, profile: SourceProfile) -> Currency | None:
    return _currency_by_id(currency_id, profile) if currency_id else None


def _lookup(sent: tuple[str, int | None], profile: SourceProfile, reading: Reading, path: str) -> SourceCode | None:
    field, value = sent
    code = reading.number(value, path)
    return None if code is None else _source_code(field, code, None, profile)


def _reverse_tax(payload: SettingsPayload, reading: Reading) -> bool | None:
    if isinstance(payload.reverse_tax, msgspec.UnsetType):
        reading.warn(DataWarningCode.WRITE_ONLY_FIELD, "this installation takes ReverseTax and does not return it", "reverseTax")
        return None
    return payload.reverse_tax


def _customer_reference(number: str, profile: SourceProfile) -> Customer:
    return Customer(ref=Ref(profile.key, Kind.CUSTOMER, number), native_type=_CUSTOMER_TYPE, number=number)


def _order_currency(currency_id: int | None, profile: SourceProfile, reading: Reading) -> Currency:
    """Take the currency of the id; 0 is the framework's "none"."""
    code = reading.number(currency_id, "currency")
    return _default_currency(profile, reading) if code is None else _currency_by_id(int(code), profile)


def _currency_by_id(currency_id: int, profile: SourceProfile) -> Currency:
    configured = profile.currencies.get(str(currency_id))
    if configured is not None:
        return Currency(configured, CurrencyOrigin.RECORD)
    origin = CurrencyOrigin.SOURCE_DEFAULT if profile.default_currency else CurrencyOrigin.UNKNOWN
    return Currency(profile.default_currency, origin, ask=Ref(profile.key, Kind.CURRENCY, str(currency_id)))


def _invoice_currency(text: str | None, profile: SourceProfile, reading: Reading) -> Currency:
    code = reading.currency_code(text, "currency")
    return _default_currency(profile, reading) if code is None else Currency(code, CurrencyOrigin.RECORD)


def _default_currency(profile: SourceProfile, reading: Reading) -> Currency:
    if profile.default_currency:
        return Currency(profile.default_currency, CurrencyOrigin.SOURCE_DEFAULT)
    reading.warn(DataWarningCode.CURRENCY_UNKNOWN, "neither the record nor the configuration says the currency", "currency")
    return Currency(None, CurrencyOrigin.UNKNOWN)


def _money(value: Decimal | None, currency: Currency) -> Money | None:
    amount = exact(value)
    return None if amount is None else Money(amount, currency)


def expect(found: int | None, asked: str, field: str) -> None:
    """Refuse the answer to another question, raising `Malformed`; a key that is left out is tolerated."""
    if found is not None and str(found) != asked:
        raise Malformed(f"{field} is not the one that was asked for")
