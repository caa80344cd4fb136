"""What Norce sends, typed and tolerant of more. The social security number of a customer is left out on purpose.

Pages: OrderService `InsertInvoice` (the invoice, all 25 properties), `schemas/invoicelistitem`, `schemas/customerdata`,
`schemas/orderpagedlist`, `schemas/invoicepagedlist`; CustomerService `GetCustomer`, `ListCompaniesByOrgNo`; Query `Orders/Orders`,
`Customers/Customers`, and the schemas of its invoices. Ids of the Services are texts, those of Query numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, TypeGuard, TypeVar, cast

import msgspec
from msgspec.json import Decoder
from msgspec.structs import fields

from gateway.sources.decode import Malformed, convert, decode, decode_tree

_INT64_DIGITS: Final = 19
_ID_MAX: Final = 10**_INT64_DIGITS - 1


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

    id: int | str | None = None
    code: int | str | None = None
    name: str | None = None
    org_no: int | str | None = None
    phone: str | None = None


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


class ListPayload(_Pascal, frozen=True):
    """`ListInvoices`, `ListOrders3`: one page; `item_count` is the total."""

    item_count: int | None = None
    items: list[msgspec.Raw] | None = None


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    """A row of Query; made by `to_row`, which knows the spellings of 2.0 and 3.0."""

    id: int | str | None = None


class PartiesRow(_Row, frozen=True):
    """The parties of a row of orders or invoices; a guest has no id."""

    payer_customer_id: int | str | None = None
    payer_company_id: int | str | None = None
    buyer_customer_id: int | str | None = None
    buyer_company_id: int | str | None = None
    payer_customer_code: int | str | None = None
    payer_company_code: int | str | None = None
    buyer_customer_code: int | str | None = None
    buyer_company_code: int | str | None = None


class OrderRow(PartiesRow, frozen=True):
    """A row of Query `Orders/Orders`; what `$expand` adds is not published, so it is read on its own: `to_items`, `to_buyer`."""

    order_no: int | str | None = None
    quotation_id: int | str | None = None
    status_id: int | str | None = None
    order_date: str | None = None
    currency_id: int | str | None = None
    delivery_mode: str | None = None
    items: Any = None
    buyer: Any = msgspec.UNSET


class CustomerRow(_Row, frozen=True):
    """A row of Query `Customers/Customers`: a person; its companies are not there."""

    customer_code: int | str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    cell_phone_number: str | None = None


class InvoiceRow(PartiesRow, frozen=True):
    """A row of the invoices of Query; `reference_order_id` is the order."""

    invoice_no: int | str | None = None
    reference_order_id: int | str | None = None
    invoice_date: str | None = None
    invoice_due_date: str | None = None
    group_code: str | None = None
    currency_id: int | str | None = None
    items: Any = None


class ItemRow(_Row, frozen=True):
    """A line of Query: `vat_rate` is percent, `quantity2` has the decimals. Also the names that the Services have for the same."""

    line_number: Decimal | None = None
    row_number: Decimal | None = None
    part_no: int | str | None = None
    item_no: int | str | None = None
    product_name: str | None = None
    name: str | None = None
    quantity2: Decimal | None = None
    quantity: Decimal | None = None
    qty_ordered: Decimal | None = None
    price_sale: Decimal | None = None
    unit_price: Decimal | None = None
    unit_discount: Decimal | None = None
    discount_amount: Decimal | None = None
    line_amount: Decimal | None = None
    row_amount: Decimal | None = None
    vat_rate: Decimal | None = None


class BuyerRow(_Row, frozen=True):
    """Who bought, as `$expand=Buyer` has it; its names are not published."""

    company_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | msgspec.UnsetType | None = msgspec.UNSET
    email: str | msgspec.UnsetType | None = msgspec.UNSET
    phone_number: str | msgspec.UnsetType | None = msgspec.UNSET
    phone: str | msgspec.UnsetType | None = msgspec.UNSET
    cell_phone_number: str | msgspec.UnsetType | None = msgspec.UNSET
    cell_phone: str | msgspec.UnsetType | None = msgspec.UNSET


class _Envelope(msgspec.Struct, frozen=True):
    """An OData list; the reference of 3.0 prints a bare array and says that the envelope is left out there."""

    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


R = TypeVar("R", bound=_Row)


class Entry(NamedTuple, Generic[R]):
    """A row with its own JSON. `row` None: it cannot be read; `id` None: not even its id can."""

    id: int | None
    row: R | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class RowPage(Generic[R]):
    """One answer of Query."""

    entries: tuple[Entry[R], ...]
    next_link: str | None


def to_row_page(body: bytes, row_type: type[R]) -> RowPage[R]:
    """Read one answer of Query. Raises `Malformed` when it is no list at all."""
    page: _Envelope | list[msgspec.Raw] = decode(body, _Envelope | list[msgspec.Raw])  # type: ignore[arg-type]  # a union is a type to msgspec
    raws, next_link = (page.value, page.next_link) if isinstance(page, _Envelope) else (page, None)
    pascal, camel = _DECODERS[row_type]
    return RowPage(tuple([_to_entry(bytes(raw), row_type, pascal, camel) for raw in raws]), next_link)


def _to_entry(raw: bytes, row_type: type[R], pascal: Decoder[R], camel: Decoder[R]) -> Entry[R]:
    """Read a row by one of the published spellings, straight into its type (1.4 µs); else by the names that it has (4.6 µs)."""
    try:
        row = pascal.decode(raw) if b'"Id"' in raw else camel.decode(raw)
    except _UNDECODABLE:
        return _to_entry_by_names(raw, row_type)
    if type(row.id) is int and 0 <= row.id <= _ID_MAX:
        return Entry(row.id, row, raw)
    return _to_entry_by_names(raw, row_type)


def _to_entry_by_names(raw: bytes, row_type: type[R]) -> Entry[R]:
    try:
        tree = decode_tree(raw)
        row = _row_or_none(tree, row_type)
        key = to_row(tree, _Row).id if row is None else row.id
    except Malformed:
        return Entry(None, None, raw)
    return Entry(int(key), row, raw) if _is_id(key) else Entry(None, None, raw)


def _is_id(key: int | str | None) -> TypeGuard[int | str]:
    text = str(key)
    return text.isascii() and text.isdigit() and len(text) <= _INT64_DIGITS


def _row_or_none(tree: object, row_type: type[R]) -> R | None:
    try:
        return to_row(tree, row_type)
    except Malformed:
        return None


def to_row(tree: object, row_type: type[R]) -> R:
    """Read a row in either spelling: `OrderNo` of 2.0 (and of the Services), `orderNo` of 3.0. Raises `Malformed`."""
    if not isinstance(tree, dict):
        raise Malformed("a row is no object")
    names = _NAMES[row_type]
    return convert({names[name]: value for name, value in tree.items() if name in names}, row_type)


def to_names(raw: bytes) -> dict[str, msgspec.Raw]:
    """Give what an object of the Services has, by name, unread: tells null from what is not there. Raises `Malformed`."""
    try:
        return _BY_NAME.decode(raw)
    except _UNDECODABLE:
        raise Malformed("not JSON") from None


def to_items(items: object) -> list[ItemRow] | None:
    """Read the lines that `$expand` added; None when there are none or they are not what we know."""
    try:
        return [to_row(item, ItemRow) for item in items] if isinstance(items, list) else None
    except Malformed:
        return None


def to_buyer(buyer: object) -> BuyerRow | None:
    """Read the buyer that `$expand` added; None when there is none or it is not what we know."""
    return _row_or_none(buyer, BuyerRow) if isinstance(buyer, dict) else None


def _both_spellings(row_type: type[_Row]) -> dict[str, str]:
    """Give what a row's names are in camelCase, by both spellings; any other name is none of ours."""
    camel = row_type.__struct_encode_fields__
    return {spelled: name for name in camel for spelled in (name, _pascal(name))}


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _camel(name: str) -> str:
    return name


def _strict(row_type: type[R], spell: Callable[[str], str]) -> Decoder[R]:
    """Make a decoder for rows with known names in one spelling alone: what it reads, reading by names reads in the same way."""
    told = [(field.name, field.type, msgspec.field(default=field.default, name=spell(field.encode_name))) for field in fields(row_type)]
    strict = msgspec.defstruct(row_type.__name__, told, bases=(row_type,), frozen=True, forbid_unknown_fields=True)
    return Decoder(cast("type[R]", strict), float_hook=Decimal)


_BY_NAME: Final = Decoder(dict[str, msgspec.Raw])
_UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError)
_NAMES: Final[Mapping[type[_Row], Mapping[str, str]]] = {
    row_type: _both_spellings(row_type) for row_type in (_Row, OrderRow, CustomerRow, InvoiceRow, ItemRow, BuyerRow)
}
_DECODERS: Final[Mapping[type[_Row], tuple[Decoder[Any], Decoder[Any]]]] = {
    row_type: (_strict(row_type, _pascal), _strict(row_type, _camel)) for row_type in (OrderRow, CustomerRow, InvoiceRow)
}
"""Of each set: for 2.0 and for 3.0. `$select` asks for known names only, so that rows have no others."""
