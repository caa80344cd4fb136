"""What DDAPI sends, as far as the gateway reads it; anything more is ignored, anything may be missing.

Names are the Help pages' in snake case.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import UNSET, UnsetType


class _Payload(msgspec.Struct, frozen=True, rename="pascal"):
    """JSON names are PascalCase."""


class CustomerPage(_Payload, frozen=True):
    """PagedCustomerResponse. The list's name lacks an `s` on the page and on the wire (`GET-api-customers-date`)."""

    rows: list[msgspec.Raw] | None = msgspec.field(default=None, name="CustomerReponse")
    total_pages: int | None = None
    next_page: str | None = None


class CustomerKeyPayload(_Payload, frozen=True):
    """The number of a CustomerResponse, which may be readable where the rest is not."""

    customer_no: int | None = None


class CustomerPayload(_Payload, frozen=True):
    """CustomerResponse."""

    id: str | None = None
    customer_no: int | None = None
    search_code: str | None = None
    name: str | None = None
    is_company: bool | None = None
    org_no: str | None = None
    vat_registration_number: str | None = None
    email: str | None = None
    phone1: str | None = None
    phone2: str | None = None
    address1: str | None = None
    address2: str | None = None
    address3: str | None = None
    postal_code: str | None = None
    town: str | None = None
    country_id: str | None = None
    country_name: str | None = None
    global_location_number: str | None = None
    created: str | None = None
    changed: str | None = None


class OrderLineArticlePayload(_Payload, frozen=True):
    """The article part of an order line."""

    article_number: int | str | None = None
    description: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    vat_percent: Decimal | None = None
    vat_amount: Decimal | None = None


class OrderLineTextPayload(_Payload, frozen=True):
    """The text part of an order line."""

    text: str | None = None


class OrderLinePayload(_Payload, frozen=True):
    """One order line: an article part, a text part, or both (page of the request; that of the answer is not published)."""

    line_number: int | str | None = None
    order_line_article: OrderLineArticlePayload | None = None
    order_line_text: OrderLineTextPayload | None = None


class OrderPayload(_Payload, frozen=True):
    """OrderHeadResponse."""

    id: int | None = None
    seller_branch_id: int | None = None
    order_date: str | None = None
    order_status_id: int | None = None
    order_status_name: str | None = None
    wms_status_id: int | None = msgspec.field(default=None, name="WMSStatusId")
    wms_status_name: str | None = msgspec.field(default=None, name="WMSStatusName")
    close_order_type_id: int | None = None
    close_order_type_name: str | None = None
    currency_id: int | None = None
    total_amount_including_vat: Decimal | None = None
    total_amount_excluding_vat: Decimal | None = None
    rounding_amount: Decimal | None = None
    customer_number: int | None = None
    carrier_name: str | None = None
    order_lines: list[OrderLinePayload] | None = None


class InvoiceTypePayload(_Payload, frozen=True):
    """InvoiceTypeResponse: a row of the installation, no BT-3."""

    id: int | str | None = None
    name: str | None = None


class InvoicePayload(_Payload, frozen=True):
    """InvoiceHeadResponse. `balance_due` is a date."""

    no: int | None = None
    invoice_type: InvoiceTypePayload | None = None
    invoice_date: str | None = None
    journal_number: int | str | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    balance_due: str | None = None
    invoice_fee: Decimal | None = None
    amount: Decimal | None = None
    vat_amount: Decimal | None = None
    rounding_amount: Decimal | None = None
    total_amount: Decimal | None = None
    invoice_reference_code: str | None = None
    invoice_text: str | None = None
    invoice_recipient_id: str | None = None
    invoice_recipient_name: str | None = None
    sender_name: str | None = None
    default_vat_percent: Decimal | None = None
    created: str | None = None


class CurrencyPayload(_Payload, frozen=True):
    """A row of `api/Currencies`."""

    id: int | None = None
    name: str | None = None
    currency_code: str | None = None


class SettingsPayload(_Payload, frozen=True):
    """CustomerInvoiceResponse, in the order of the page. `reverse_tax` is missing on some hosts, which is not the same as null."""

    customer_number: int | None = None
    retains_invoice_type: bool | None = None
    currency_id: int | None = None
    terms_of_payment_id: int | None = None
    pays_invoice_fee: bool | None = None
    invoice_type_id: int | None = None
    interest_type_id: int | None = None
    invoice_cycle_id: int | None = None
    invoice_recipient_customer_number: int | None = None
    credit_account_id: int | None = None
    allow_invoice_payment_from_order: bool | None = None
    send_invoice_from_order_as_email: bool | None = None
    invoice_order_payment_email_address: str | None = None
    reverse_tax: bool | UnsetType | None = UNSET


class WriteErrorPayload(_Payload, frozen=True):
    """PostCustomerInvoiceError. The code is a number in JSON and a name in XML."""

    error_code: int | str | None = None
    error_message: str | None = None


class WriteAnswerPayload(_Payload, frozen=True):
    """CustomerInvoicePostResponse."""

    errors: list[WriteErrorPayload] | None = None
    success: bool | None = None
