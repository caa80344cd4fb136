"""The bodies that writes take, with the limits of the published models; unknown members are left aside."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

import msgspec

from gateway.sandbox.shopctrl.instants import to_stamp
from gateway.sandbox.shopctrl.reference import Record

Zero = Annotated[int, msgspec.Meta(ge=0, le=0)]
"""An `Id` on insert must be 0."""
Text1 = Annotated[str, msgspec.Meta(max_length=1)]
Text20 = Annotated[str, msgspec.Meta(max_length=20)]
Text40 = Annotated[str, msgspec.Meta(max_length=40)]
Text50 = Annotated[str, msgspec.Meta(max_length=50)]
Text100 = Annotated[str, msgspec.Meta(max_length=100)]
Text200 = Annotated[str, msgspec.Meta(max_length=200)]
Text255 = Annotated[str, msgspec.Meta(max_length=255)]
Text500 = Annotated[str, msgspec.Meta(max_length=500)]
Text1000 = Annotated[str, msgspec.Meta(max_length=1000)]

_DATES = frozenset({"Date", "PaymentDate", "CreationDate", "ActionDate", "DateOfBirth", "PreferredDeliveryDate"})
_Body = TypeVar("_Body", bound=msgspec.Struct)


class InvalidBody(Exception):
    """A body that the model refuses."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member}: {problem}")
        self.member = member
        self.problem = problem


class ContactInfo(msgspec.Struct, rename="pascal", kw_only=True):
    """An address with the person or company at it."""

    id: int = 0
    company_name: Text100 | None = None
    vat_number: Text50 | None = None
    coc_number: Text100 | None = None
    full_name: Text200 | None = None
    date_of_birth: str | None = None
    gender: Text1 | None = None
    person_title: Text50 | None = None
    first_name: Text50 | None = None
    middle_name: Text50 | None = None
    last_name_prefix: Text50 | None = None
    last_name: Text50 | None = None
    address: str | None = None
    address2: str | None = None
    street_address: Text100 | None = None
    street_address_number: Text20 | None = None
    street_address_extension: Text20 | None = None
    postal_code: Text50 | None = None
    city: Text100 | None = None
    country_id: int | None = None
    country_code: str | None = None
    e_mail: str | None = None
    phone: Text50 | None = None
    phone2: Text50 | None = None
    state_province: Text100 | None = None


class CustomerChanges(msgspec.Struct, rename="pascal", kw_only=True):
    """Body of POST v1/Customers."""

    customer_code: Text50 | None = None
    receive_news_letter: bool = False
    customer_group_id: int | None = None
    bill_to_address: ContactInfo | None = None
    ship_to_address: ContactInfo | None = None
    shop_owner_id: int
    person_title: Text50 | None = None
    first_name: Text50 | None = None
    middle_name: Text50 | None = None
    last_name_prefix: Text50 | None = None
    last_name: Text50 | None = None
    culture_id: int | None = None
    personal_number: Text20 | None = None
    id: Zero = 0
    full_name: Text100 | None = None
    company_name: Text100 | None = None
    e_mail: Text200 | None = None
    contact_reference: str | None = None


class OrderRowChanges(msgspec.Struct, rename="pascal", kw_only=True):
    """A row in the body of POST v1/Shops/{shopId}/Orders."""

    id: Zero = 0
    product_selection_product_id: int | None = None
    order_row_key: Text50 | None = None
    item_quantity: Decimal
    product_name: Text500 | None = None
    product_code: Text100
    product_description: str | None = None
    item_price_ex_vat: Decimal
    item_price_inc_vat: Decimal
    row_discount_ex_vat: Decimal
    row_discount_inc_vat: Decimal
    vatperc: Decimal
    tariff_id: int | None = msgspec.field(default=None, name="VATTariffId")
    tariff_code: str | None = msgspec.field(default=None, name="VATTariffCode")
    row_total_ex_vat: Decimal
    row_total_inc_vat: Decimal
    comment: str | None = None
    supplier_id: int | None = None
    item_purchase_price: Decimal | None = None
    credit_for_order_row_id: int | None = None
    sequence: int | None = None
    shop_product_url: Text200 | None = None
    shop_product_image_url: Text200 | None = None


class OrderChanges(msgspec.Struct, rename="pascal", kw_only=True):
    """Body of POST v1/Shops/{shopId}/Orders."""

    culture_code: str = "nl-NL"
    culture_id: int = 19
    incoterms: int = 0
    exchange_rate: Decimal = Decimal("1.0")
    shop_id: int | None = None
    is_inc_vat: bool = msgspec.field(default=True, name="ViewModusIncVAT")
    external_order_key: str | None = None
    coupon_code: Text50 | None = None
    payment_fee_inc_vat: Decimal = Decimal("0.0")
    payment_fee_ex_vat: Decimal = Decimal("0.0")
    shipping_costs_inc_vat: Decimal = Decimal("0.0")
    shipping_costs_ex_vat: Decimal = Decimal("0.0")
    payment_type_id: int | None = None
    carrier_account_id: int | None = None
    customer_id: int | None = None
    customer_code: Text50 | None = None
    customer_reference: Text50 | None = None
    customer_note: str | None = None
    customer_rating: int | None = None
    shop_note: str | None = None
    sync_source: Text50 | None = None
    customer_ipaddress: Text40 | None = None
    discount_ex_vat: Decimal = Decimal("0.0")
    discount_inc_vat: Decimal = Decimal("0.0")
    down_payment: Decimal = Decimal("0.0")
    bill_to_contact: ContactInfo | None = None
    ship_to_contact: ContactInfo | None = None
    order_rows: list[OrderRowChanges] = msgspec.field(default_factory=list)
    id: Zero = 0
    order_code: Text50
    date: str
    order_total_inc_vat: Decimal
    order_total_ex_vat: Decimal
    currency_id: int
    currency_code: str | None = None
    main_status_id: int | None = None
    affiliate_id: int | None = None
    recalculate_totals_on_save: bool = False
    auto_create_customer: bool = False


class PaymentAllocation(msgspec.Struct, rename="pascal", kw_only=True):
    """The share of a payment that one invoice gets."""

    order_id: int
    invoice_id: int | None = None
    allocated_amount: Decimal


class PaymentChanges(msgspec.Struct, rename="pascal", kw_only=True):
    """Body of POST v1/Orders/{orderId}/Payments, in either shape."""

    id: Zero = 0
    shop_id: int | None = None
    shop_owner_id: int
    amount: Decimal
    payment_date: str | None = None
    currency_id: int
    currency_code: str | None = None
    note: Text1000 | None = None
    account_number: Text50 | None = None
    account_name: Text100 | None = None
    transaction_id: Text100 | None = None
    import_source: Text50 | None = None
    creation_date: str
    payment_type_id: int | None = None
    order_id: int | None = None
    invoice_id: int | None = None
    payment_allocations: list[PaymentAllocation] | None = None


class CustomStatusChanges(msgspec.Struct, rename="pascal", kw_only=True):
    """Body of PUT v1/Orders/{orderId}/CustomStatus."""

    order_status_id: int
    action_date: str | None = None
    comment: Text200 | None = None


class DocumentUpload(msgspec.Struct, rename="pascal", kw_only=True):
    """Body of POST v1/InvoiceDocuments/{invoiceId}/Create."""

    filename: Text255
    file_data_base64: str


def read_body(body: bytes, model: type[_Body]) -> _Body:
    """Read a JSON body; raises `InvalidBody` with the member at fault."""
    try:
        return msgspec.json.decode(body, type=model)
    except msgspec.DecodeError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise InvalidBody(path.strip("`.") or model.__name__, problem) from error


def to_record(body: msgspec.Struct) -> Record:
    """Give a body under its names on the wire: decimals with a scale, dates as the API writes them; raises `InvalidBody`."""
    sent: Record = msgspec.to_builtins(body, builtin_types=(Decimal,))
    return {name: _normalized(name, value) for name, value in sent.items()}


def _normalized(name: str, value: object) -> object:
    if isinstance(value, dict):
        return {key: _normalized(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normalized(name, item) for item in value]
    try:
        if isinstance(value, Decimal) and int(value.as_tuple().exponent) >= 0:
            return value.quantize(Decimal("0.1"))
        return to_stamp(value) if isinstance(value, str) and name in _DATES else value
    except (InvalidOperation, ValueError) as error:
        raise InvalidBody(name, f"The value '{value}' is not valid for {name}.") from error
