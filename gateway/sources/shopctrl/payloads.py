"""What ShopCtrl sends, as typed structs: every field optional, unknown ones ignored, only those that are used.

The order of elements and which of them are there differs between installations; the names are PascalCase with the vendor's odd
spellings (`EMail`; `Vatperc` on order rows, `VatPercentage` on invoice rows).
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

Id = int | str | None
LaterId = Id | msgspec.UnsetType
"""Of a field that older installations leave out, which is another thing than null."""


class _Payload(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    pass


class IdPayload(_Payload, frozen=True):
    """The key of any object, whatever else it has."""

    id: Id = None


class ContactPayload(_Payload, frozen=True):
    """ContactInfo: an address with its people."""

    vat_number: str | None = None
    coc_number: str | None = None
    address: str | None = None
    address2: str | None = None
    street_address: str | None = None
    street_address_number: str | None = None
    street_address_extension: str | None = None
    postal_code: str | None = None
    city: str | None = None
    state_province: str | None = None
    country_code: str | None = None
    e_mail: str | None = None
    phone: str | None = None


class CustomerPayload(IdPayload, frozen=True):
    """Customer."""

    customer_code: str | None = None
    company_name: str | None = None
    full_name: str | None = None
    e_mail: str | None = None
    bill_to_address: ContactPayload | None = None


class PricedPayload(IdPayload, frozen=True):
    """What everything with an amount and a currency of its own shares."""

    currency_id: Id = None
    currency_code: str | None = None


class StatusedPayload(PricedPayload, frozen=True):
    """What orders and invoices share. The status objects' fields are not published, so they stay untyped."""

    deleted: bool | None = None
    order_code: str | None = None
    main_status_id: Id = None
    main_status: object = None
    payment_status: object = None
    custom_status: object = None


class OrderPayload(StatusedPayload, frozen=True):
    """Order, and OrderBasicInfo, the row of a list, which has fewer fields."""

    shop_id: Id = None
    date: str | None = None
    order_total_inc_vat: Decimal | None = None
    order_total_ex_vat: Decimal | None = None
    customer_id: Id = None
    customer_code: str | None = None
    stock_status: object = None
    fulfilment_status: object = None
    shipment_status: object = None
    order_rows: msgspec.Raw = msgspec.Raw()
    """Kept as text: an order is no less an order when one of its rows cannot be read."""


class InvoicePayload(StatusedPayload, frozen=True):
    """InvoiceBase, and Invoice, which has its fields and more."""

    invoice_code: str | None = None
    order_id: Id = None
    invoice_date: str | None = None
    invoice_total_inc_vat: Decimal | None = None
    invoice_total_ex_vat: Decimal | None = None
    change_timestamp: str | None = None
    """2021."""
    changed_timestamp: str | None = None
    """2026."""
    shop_id: LaterId = msgspec.UNSET
    payment_status_id: LaterId = msgspec.UNSET
    sent_status_id: LaterId = msgspec.UNSET
    custom_status_id: LaterId = msgspec.UNSET
    sent_status: object = None
    document_file_id: Id = None
    shipping_costs_inc_vat: Decimal | None = None
    shipping_costs_ex_vat: Decimal | None = None
    payment_fee_inc_vat: Decimal | None = None
    payment_fee_ex_vat: Decimal | None = None


class RowPayload(IdPayload, frozen=True):
    """OrderRow and InvoiceRow."""

    product_code: str | None = None
    product_name: str | None = None
    product_description: str | None = None
    item_quantity: Decimal | None = None
    item_price_ex_vat: Decimal | None = None
    item_price_inc_vat: Decimal | None = None
    row_total_ex_vat: Decimal | None = None
    row_total_inc_vat: Decimal | None = None
    vatperc: Decimal | None = None
    """On order rows."""
    vat_percentage: Decimal | None = None
    """On invoice rows."""


class AllocationPayload(_Payload, frozen=True):
    """PaymentAllocation: the part of a payment that is for one invoice."""

    order_id: Id = None
    invoice_id: Id = None
    allocated_amount: Decimal | None = None


class PaymentPayload(PricedPayload, frozen=True):
    """Payment."""

    amount: Decimal | None = None
    payment_date: str | None = None
    note: str | None = None
    transaction_id: str | None = None
    invoice_id: Id = None
    """In the flat shape."""
    payment_allocations: list[AllocationPayload] | None = None
    """In the other one."""


class StatusPayload(IdPayload, frozen=True):
    """InvoiceStatusDefinition and the definition of an order's status."""

    name: str | None = None


class FilePayload(IdPayload, frozen=True):
    """File."""

    file_length: int | None = None
    checksum: str | None = None
    base64_data: str | None = None
    filename: str | None = None
