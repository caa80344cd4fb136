"""The entity types of Query and the rows behind them, in the PascalCase that Query 2.0 shows.

docs.norce.io, Query reference: order, orderitem, customers, invoiceitem. Two differences from Services matter: ids are numbers, and a VAT
rate is a percentage where Services give a multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.norce.data import FIRST_INVOICE_ID, FIRST_ORDER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.norce.data import OrderRecord, Payload

CLIENT_ID: Final = 1044
CURRENCY_IDS: Final = {"SEK": 2, "EUR": 3, "NOK": 4}

_ZERO: Final = Decimal("0.0")
_STANDARD_VAT_PERCENT: Final = Decimal("25.0")
_FIRST_ITEM_ID: Final = 81
_FIRST_CUSTOMER_INFO_ID: Final = 600_000


@dataclass(frozen=True, slots=True)
class EntityType:
    """A name, its properties with their Edm types, and the types that its navigation properties lead to."""

    name: str
    properties: Mapping[str, str]
    navigations: Mapping[str, EntityType] = field(default_factory=dict)
    collections: frozenset[str] = frozenset()
    """The navigation properties that lead to many."""


def _properties(**names_by_type: str) -> dict[str, str]:
    return {name: f"Edm.{edm}" for edm, names in names_by_type.items() for name in names.split()}


_PARTY_PROPERTIES: Final = {
    f"{role}{suffix}": edm
    for role in ("Buyer", "Payer", "Reseller")
    for suffix, edm in (
        ("CompanyCode", "Edm.String"),
        ("CompanyId", "Edm.Int32"),
        ("CustomerCode", "Edm.String"),
        ("CustomerId", "Edm.Int32"),
    )
}

ORDER_ITEM: Final = EntityType(
    "OrderItem",
    _properties(
        Int64="Id OrderId",
        Int32="StatusId Quantity CurrencyId",
        Decimal="LineNumber Quantity2 VatRate PriceSale DiscountPercentage DiscountAmount LineAmount",
        String="PartNo ProductName",
    ),
)
CUSTOMER_INFO: Final = EntityType(
    "CustomerInfo",
    _properties(
        Int64="Id",
        String="CustomerCode CompanyName FirstName LastName EmailAddress PhoneNumber CellPhoneNumber AddressLine1 ZipCode City CountryCode",
    ),
)
ORDER: Final = EntityType(
    "Order",
    {
        **_properties(
            Int64="Id BuyerCustomerInfoId",
            Int32="ClientId ApplicationId QuotationId StatusId CurrencyId",
            String="OrderNo GroupCode Source DeliveryTerms DeliveryMode PaymentTerms DeliveryAttention",
            DateTimeOffset="OrderDate DeliveryDate",
            Boolean="IsPartDelivery",
            Decimal="VatRate CashDiscount LineDiscount FreightCost OrderFee",
        ),
        **_PARTY_PROPERTIES,
    },
    {"Items": ORDER_ITEM, "Buyer": CUSTOMER_INFO},
    frozenset({"Items"}),
)
CUSTOMER: Final = EntityType(
    "Customer",
    _properties(
        Int32="Id ClientId TypeId",
        Guid="Key",
        String="CustomerCode CustomerCodePrefix EmailAddress SocialSecurityNumber Title FirstName MiddleName LastName Suffix PhoneNumber "
        "CellPhoneNumber",
        Boolean="UseBillingAddressAsShippingAddress",
    ),
)
INVOICE_ITEM: Final = EntityType(
    "InvoiceItem", {"InvoiceId" if name == "OrderId" else name: edm for name, edm in ORDER_ITEM.properties.items()}
)
INVOICE: Final = EntityType(
    "Invoice",
    {
        **_properties(
            Int64="Id ReferenceOrderId",
            Int32="ClientId TypeId CurrencyId",
            String="InvoiceNo ReferenceNoPsp GroupCode Source",
            DateTimeOffset="DeliveryDate InvoiceDate InvoiceDueDate",
            Decimal="Quantity CurrencyRate CashDiscount",
        ),
        **{name: edm for name, edm in _PARTY_PROPERTIES.items() if name.endswith("Id")},
    },
    {"Items": INVOICE_ITEM},
    frozenset({"Items"}),
)


def order_row(record: OrderRecord, place: int, *, is_guest_buyer: bool) -> Payload:
    """Give an order as Query holds it; `is_guest_buyer` leaves out who the customer is."""
    order = record.payload
    order_id = int(order["Id"])
    currency_id = CURRENCY_IDS[order["Currency"]]
    row: Payload = dict.fromkeys(ORDER.properties)
    row |= {
        "Id": order_id,
        "ClientId": CLIENT_ID,
        "ApplicationId": record.application_id,
        "QuotationId": order["QuotationId"],
        "OrderNo": order["OrderNo"],
        "OrderDate": order["OrderDate"],
        **_buyer_keys(order["SellTo"], is_guest_buyer=is_guest_buyer),
        "BuyerCustomerInfoId": _FIRST_CUSTOMER_INFO_ID + place,
        "StatusId": record.status_id,
        "Source": order["Source"],
        "DeliveryMode": order["DeliveryMethod"],
        "DeliveryDate": "2026-01-17T00:00:00Z" if place == 0 else None,
        "IsPartDelivery": False,
        "PaymentTerms": "30",
        "CurrencyId": currency_id,
        "VatRate": _STANDARD_VAT_PERCENT,
        **dict.fromkeys(("CashDiscount", "LineDiscount", "FreightCost", "OrderFee"), _ZERO),
        "Items": [_order_item_row(order_id, place, currency_id, item) for place, item in enumerate(order["Items"])],
        "Buyer": _customer_info_row(_FIRST_CUSTOMER_INFO_ID + place, order["SellTo"]),
    }
    return row


def customer_row(customer: Payload) -> Payload:
    """Give a customer as Query holds it."""
    row: Payload = dict.fromkeys(CUSTOMER.properties)
    return row | {
        "Id": customer["Id"],
        "Key": customer["Key"],
        "ClientId": CLIENT_ID,
        "CustomerCode": customer["Code"],
        "TypeId": 1,
        "EmailAddress": customer["Email"],
        "SocialSecurityNumber": customer["SSN"],
        "FirstName": customer["FirstName"],
        "LastName": customer["LastName"],
        "PhoneNumber": customer["Phone"],
        "CellPhoneNumber": customer["CellPhone"],
        "UseBillingAddressAsShippingAddress": True,
    }


def invoice_row(invoice: Payload, order: OrderRecord | None) -> Payload:
    """Give an invoice as Query holds it; `order` is None when the order that it names does not exist."""
    invoice_id = int(invoice["Id"])
    currency_id = CURRENCY_IDS[order.payload["Currency"] if order else "SEK"]
    items = invoice["Items"] or []
    keys = _buyer_keys(invoice["BillTo"] or {}, is_guest_buyer=False)
    row: Payload = dict.fromkeys(INVOICE.properties)
    row |= {
        "Id": invoice_id,
        "ClientId": CLIENT_ID,
        "InvoiceNo": invoice["InvoiceNo"],
        "TypeId": 1,
        "ReferenceOrderId": int(invoice["OrderId"]) if (invoice["OrderId"] or "").isdecimal() else None,
        "ReferenceNoPsp": invoice["InvoiceNoPsp"],
        "BuyerCompanyId": keys["BuyerCompanyId"],
        "BuyerCustomerId": keys["BuyerCustomerId"],
        "InvoiceDate": invoice["InvoiceDate"],
        "InvoiceDueDate": invoice["InvoiceDueDate"],
        "Source": invoice["Source"],
        "Quantity": sum((_quantity(item["Quantity"]) for item in items), _ZERO),
        "CurrencyId": currency_id,
        "CurrencyRate": Decimal("1.0"),
        "Items": [_invoice_item_row(invoice_id, place, currency_id, item) for place, item in enumerate(items)],
    }
    return row


def _buyer_keys(party: Mapping[str, Any], *, is_guest_buyer: bool) -> Payload:
    company = party.get("Company") or {}
    customer = {} if is_guest_buyer else party.get("Customer") or {}
    return {
        "BuyerCompanyCode": company.get("No"),
        "BuyerCompanyId": company.get("Id"),
        "BuyerCustomerCode": customer.get("No"),
        "BuyerCustomerId": customer.get("Id"),
    }


def _customer_info_row(info_id: int, party: Payload) -> Payload:
    company, customer, address = party["Company"] or {}, party["Customer"], party["Address"]
    return {
        "Id": info_id,
        "CustomerCode": customer["No"],
        "CompanyName": company.get("Name"),
        "FirstName": customer["FirstName"],
        "LastName": customer["LastName"],
        "EmailAddress": customer["Email"],
        "PhoneNumber": customer["Phone"],
        "CellPhoneNumber": customer["CellPhone"],
        "AddressLine1": address["Line1"],
        "ZipCode": address["ZipCode"],
        "City": address["City"],
        "CountryCode": address["CountryCode"],
    }


def _order_item_row(order_id: int, place: int, currency_id: int, item: Payload) -> Payload:
    keys = {"Id": _item_id(order_id - FIRST_ORDER_ID, place), "OrderId": order_id, "PartNo": item["PartNo"], "ProductName": item["Name"]}
    return keys | _item_amounts(item, item["QtyOrdered"], currency_id)


def _invoice_item_row(invoice_id: int, place: int, currency_id: int, item: Payload) -> Payload:
    keys = {
        "Id": _item_id(invoice_id - FIRST_INVOICE_ID, place),
        "InvoiceId": invoice_id,
        "PartNo": item["ItemNo"],
        "ProductName": item["ItemDescription"],
    }
    return keys | _item_amounts(item, item["Quantity"], currency_id)


def _item_id(owner_place: int, place: int) -> int:
    return _FIRST_ITEM_ID + owner_place * 100 + place


def _item_amounts(item: Payload, quantity: Decimal | int, currency_id: int) -> Payload:
    return {
        "LineNumber": item["RowNumber"],
        "StatusId": 5,
        "Quantity": int(quantity),
        "Quantity2": _quantity(quantity),
        "CurrencyId": currency_id,
        "VatRate": _percent(item["VatRate"]),
        "PriceSale": item["UnitPrice"],
        "DiscountPercentage": _ZERO,
        "DiscountAmount": item["UnitDiscount"],
        "LineAmount": item["RowAmount"],
    }


def _quantity(value: Decimal | int) -> Decimal:
    """Write a quantity with at least one decimal."""
    return Decimal(value) + _ZERO


def _percent(multiplier: Decimal) -> Decimal:
    """Turn 1.25 into 25.0; a multiplier of 0 stays 0.0."""
    return ((multiplier - 1) * 100).quantize(_ZERO) if multiplier else _ZERO
