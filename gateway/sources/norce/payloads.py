"""What Norce sends, typed and tolerant of more. The social security number of a customer is left out on purpose.

Pages: OrderService `InsertInvoice` (the invoice, all 25 properties), `schemas/invoicelistitem`, `schemas/customerdata`,
`schemas/orderpagedlist`; CustomerService `GetCustomer`; Query `Orders/Orders`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from gateway.sources.decode import Malformed, convert, decode, decode_tree


class _Pascal(msgspec.Struct, frozen=True, rename="pascal"):
    """Services, Connect and Query 2.0 spell names in PascalCase."""


class InfoPayload(_Pascal, frozen=True):
    """`Info`: application data; the type of `Value` is not published."""

    code: str | None = None
    name: str | None = None
    description: str | None = None
    value: msgspec.Raw = msgspec.Raw()


class BillToCompanyPayload(_Pascal, frozen=True):
    """`CustomerData.Company`."""

    id: int | str | None = None
    no: int | str | None = None
    name: str | None = None
    org_no: int | str | None = None


class BillToPersonPayload(_Pascal, frozen=True):
    """`CustomerData.Customer`."""

    id: int | str | None = None
    no: int | str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    cell_phone: str | None = None


class AddressPayload(_Pascal, frozen=True):
    """`CustomerData.Address`."""

    line1: str | None = None
    line2: str | None = None
    care_of: str | None = None
    city: str | None = None
    zip_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    region: str | None = None
    shipping_phone_number: str | None = None
    global_location_no: str | None = None


class CustomerDataPayload(_Pascal, frozen=True):
    """`CustomerData`: a party as it was when the order was made; a guest has no ids."""

    company: BillToCompanyPayload | None = None
    customer: BillToPersonPayload | None = None
    address: AddressPayload | None = None
    drop_point_code: str | None = None


class InvoiceItemPayload(_Pascal, frozen=True):
    """`InvoiceItem`; `vat_rate` is a multiplier."""

    row_number: Decimal | None = None
    item_no: int | str | None = None
    item_description: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    unit_discount: Decimal | None = None
    row_amount: Decimal | None = None
    row_amount_vat: Decimal | None = None
    delivery_date: str | None = None
    vat_rate: Decimal | None = None
    unit_price_inc_vat: Decimal | None = None


class InvoicePayload(_Pascal, frozen=True):
    """`Invoice` of OrderService: no currency, no payment status."""

    id: int | str | None = None
    invoice_no: int | str | None = None
    invoice_date: str | None = None
    invoice_due_date: str | None = None
    invoice_text: str | None = None
    order_id: int | str | None = None
    order_no: int | str | None = None
    order_date: str | None = None
    source: str | None = None
    delivery_date: str | None = None
    delivery_method: str | None = None
    payment_method: str | None = None
    bill_to: msgspec.Raw = msgspec.Raw()
    order_freight: Decimal | None = None
    invoice_charge: Decimal | None = None
    invoice_amount_ex_vat: Decimal | None = None
    vat_amount: Decimal | None = None
    items: list[InvoiceItemPayload] | None = None
    info: list[InfoPayload] | None = None
    invoice_no_psp: int | str | None = None
    credited_invoice_no: int | str | None = None
    is_debit: bool | None = None
    group_by_key: str | None = None
    comment: str | None = None
    invoice_amount_inc_vat: Decimal | None = None


class OrderItemPayload(_Pascal, frozen=True):
    """`OrderItem`; `vat_rate` is a multiplier."""

    row_number: Decimal | None = None
    part_no: int | str | None = None
    name: str | None = None
    qty_ordered: Decimal | None = None
    unit_price: Decimal | None = None
    unit_discount: Decimal | None = None
    row_amount: Decimal | None = None
    vat_rate: Decimal | None = None


class OrderPayload(_Pascal, frozen=True):
    """`Order` of OrderService; its status is a text."""

    id: int | str | None = None
    quotation_id: int | str | None = None
    order_no: int | str | None = None
    order_date: str | None = None
    status: str | None = None
    currency: str | None = None
    items: list[OrderItemPayload] | None = None
    bill_to: msgspec.Raw = msgspec.Raw()
    sell_to: msgspec.Raw = msgspec.Raw()
    order_total_inc_vat: Decimal | None = None
    order_total_ex_vat: Decimal | None = None
    delivery_method: str | None = None
    payment_method: str | None = None


class CompanyPayload(_Pascal, frozen=True):
    """`Company` of CustomerService."""

    code: int | str | None = None
    name: str | None = None
    org_no: int | str | None = None


class CustomerPayload(_Pascal, frozen=True):
    """`Customer` of CustomerService; its first company is the default one."""

    id: int | str | None = None
    code: int | str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    cell_phone: str | None = None
    companies: list[CompanyPayload] | None = None


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """A row of Query `Orders/Orders`; ids are int64. Made by `to_order_row`, which knows both spellings."""

    id: int | str | None = None
    order_no: int | str | None = None
    quotation_id: int | str | None = None
    status_id: int | str | None = None
    order_date: str | None = None
    currency_id: int | str | None = None
    delivery_mode: str | None = None
    payer_customer_id: int | str | None = None
    payer_company_id: int | str | None = None
    buyer_customer_id: int | str | None = None
    buyer_company_id: int | str | None = None


class _Envelope(msgspec.Struct, frozen=True):
    """An OData list; the reference of 3.0 prints a bare array and says that the envelope is left out there."""

    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """The rows of one Query answer, each with its own JSON; `all_readable`: no row had to be left out."""

    rows: tuple[tuple[OrderRow, bytes], ...]
    next_link: str | None
    all_readable: bool


def to_order_page(body: bytes) -> OrderPage:
    """Read one answer of Query `Orders/Orders`. Raises `Malformed` when it is no list at all."""
    page: _Envelope | list[msgspec.Raw] = decode(body, _Envelope | list[msgspec.Raw])  # type: ignore[arg-type]  # a union is a type to msgspec
    raws, next_link = (page.value, page.next_link) if isinstance(page, _Envelope) else (page, None)
    rows = [(row, bytes(raw)) for raw in raws if (row := _row_or_none(bytes(raw))) is not None]
    return OrderPage(tuple(rows), next_link, all_readable=len(rows) == len(raws))


def _row_or_none(raw: bytes) -> OrderRow | None:
    try:
        row = to_order_row(decode_tree(raw))
    except Malformed:
        return None
    return None if row.id is None else row


def to_order_row(tree: Any) -> OrderRow:  # noqa: ANN401  (any JSON value)
    """Read a row in either spelling: `OrderNo` of 2.0 (and of OrderService), `orderNo` of 3.0. Raises `Malformed`."""
    if not isinstance(tree, dict):
        raise Malformed("a row is no object")
    return convert({name[:1].lower() + name[1:]: value for name, value in tree.items()}, OrderRow)
