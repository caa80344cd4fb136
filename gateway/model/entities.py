"""The unified objects. Field by field they are the graph's types; None and UNREAD mean what `record.Read` says."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from gateway.model.record import UNREAD, Read, Record
from gateway.model.value import value
from gateway.model.values import (
    Address,
    Charge,
    Currency,
    CustomField,
    Details,
    Document,
    ExternalNumber,
    Line,
    Note,
    SourceCode,
    Totals,
)


class CustomerKind(StrEnum):
    """Company or person, where the source says."""

    ORGANIZATION = "ORGANIZATION"
    PERSON = "PERSON"
    UNKNOWN = "UNKNOWN"


class OrderStatus(StrEnum):
    """Where an order stands."""

    OPEN = "OPEN"
    CONFIRMED = "CONFIRMED"
    DELIVERED = "DELIVERED"
    INVOICED = "INVOICED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


class InvoiceType(StrEnum):
    """BT-3 as the source says it: 380 or 381."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    UNKNOWN = "UNKNOWN"


class PaymentStatus(StrEnum):
    """Whether it is paid; UNKNOWN when the source does not say so in a way that has a documented meaning."""

    PAID = "PAID"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    UNPAID = "UNPAID"
    UNKNOWN = "UNKNOWN"


@value(frozen=True, slots=True, kw_only=True)
class Customer(Record):
    """BG-7."""

    number: Read[str] = UNREAD
    name: Read[str] = UNREAD
    kind: Read[CustomerKind] = UNREAD
    organization_number: Read[str] = UNREAD
    vat_number: Read[str] = UNREAD
    email: Read[str] = UNREAD
    phone: Read[str] = UNREAD
    billing_address: Read[Address] = UNREAD


@value(frozen=True, slots=True, kw_only=True)
class Order(Record):
    """A sales order. `lines` stays UNREAD where another call gives them."""

    number: Read[str] = UNREAD
    ordered_at: Read[datetime] = UNREAD
    status: Read[OrderStatus] = UNREAD
    source_statuses: Read[tuple[SourceCode, ...]] = UNREAD
    currency: Read[Currency] = UNREAD
    totals: Read[Totals] = UNREAD
    lines: Read[tuple[Line, ...]] = UNREAD
    customer: Read[Customer] = UNREAD
    delivery_method: Read[str] = UNREAD
    payment_method: Read[str] = UNREAD


@value(frozen=True, slots=True, kw_only=True)
class Invoice(Record):
    """An invoice or credit note. `lines` stays UNREAD where another call gives them, `customer` where the order has it."""

    type: Read[InvoiceType] = UNREAD
    is_credit: Read[bool] = UNREAD
    number: Read[str] = UNREAD
    external_numbers: Read[tuple[ExternalNumber, ...]] = UNREAD
    issue_date: Read[date] = UNREAD
    due_date: Read[date] = UNREAD
    created_at: Read[datetime] = UNREAD
    updated_at: Read[datetime] = UNREAD
    currency: Read[Currency] = UNREAD
    totals: Read[Totals] = UNREAD
    charges: Read[tuple[Charge, ...]] = UNREAD
    payment_status: Read[PaymentStatus] = UNREAD
    paid_at: Read[datetime] = UNREAD
    source_statuses: Read[tuple[SourceCode, ...]] = UNREAD
    is_deleted: Read[bool] = UNREAD
    email_sent: Read[bool] = UNREAD
    sent_at: Read[datetime] = UNREAD
    delivery_date: Read[date] = UNREAD
    notes: Read[tuple[Note, ...]] = UNREAD
    customer: Read[Customer] = UNREAD
    orders: Read[tuple[Order, ...]] = UNREAD
    credited_invoice_number: Read[str] = UNREAD
    group_key: Read[str] = UNREAD
    lines: Read[tuple[Line, ...]] = UNREAD
    document: Read[Document] = UNREAD
    custom_fields: Read[tuple[CustomField, ...]] = UNREAD
    details: Read[Details] = UNREAD


@value(frozen=True, slots=True, kw_only=True)
class InvoiceSettings(Record):
    """Invoicing terms kept on a customer; `version` is a hash of what was read."""

    version: str
    customer: Customer
    invoice_recipient: Read[Customer] = UNREAD
    currency: Read[Currency] = UNREAD
    source_currency: Read[SourceCode] = UNREAD
    payment_terms: Read[SourceCode] = UNREAD
    invoice_type: Read[SourceCode] = UNREAD
    interest_type: Read[SourceCode] = UNREAD
    invoice_cycle: Read[SourceCode] = UNREAD
    credit_account: Read[SourceCode] = UNREAD
    retains_invoice_type: Read[bool] = UNREAD
    pays_invoice_fee: Read[bool] = UNREAD
    allow_invoice_payment_from_order: Read[bool] = UNREAD
    send_invoice_from_order_as_email: Read[bool] = UNREAD
    invoice_email: Read[str] = UNREAD
    reverse_tax: Read[bool] = UNREAD


@value(frozen=True, slots=True, kw_only=True)
class CurrencyRow(Record):
    """A source's own row for a currency; `code` is ISO 4217."""

    code: str | None
    name: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class LabelRow(Record):
    """What an installation calls one of its codes."""

    label: str | None
