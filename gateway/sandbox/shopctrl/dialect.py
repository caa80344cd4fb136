"""How answers look: the fields of each model profile, and writing them as JSON or XML.

Profiles: `2021` is the model of shopctrl.com/docs/api/subs (December 2021), `demo` and `sales` are those of the help pages of
api.demo.shopctrl.com and api.salesupply.com in 2026.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # nosec B405  # writes, and reads nothing
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

from gateway.sandbox.emulator import json_response
from gateway.sandbox.shopctrl.instants import with_digits
from gateway.sandbox.shopctrl.reference import Record

Switches = Mapping[str, Any]

_INVOICE_BASE_2021: Final = (
    "Id", "InvoiceCode", "OrderId", "OrderCode", "InvoiceDate", "InvoiceTotalIncVat", "InvoiceTotalExVat", "CurrencyId", "CurrencyCode",
    "Deleted", "ChangeTimestamp", "MainStatusId", "DocumentFileId",
)  # fmt: skip
_INVOICE_BASE_DEMO: Final = (
    "Id", "InvoiceCode", "InvoiceDate", "InvoiceTotalIncVat", "InvoiceTotalExVat", "CurrencyId", "CurrencyCode", "Deleted",
    "ChangedTimestamp", "MainStatusId", "PaymentStatusId", "SentStatusId", "CustomStatusId", "DocumentFileId", "ShopId", "OrderId",
    "OrderCode",
)  # fmt: skip
_INVOICE_BASE: Final = {
    "2021": _INVOICE_BASE_2021,
    "demo": _INVOICE_BASE_DEMO,
    "sales": (*_INVOICE_BASE_DEMO, "InvoiceSourceType", "IsReadOnly"),
}
_INVOICE_HEAD_2021: Final = (
    "MainStatus", "MainStatusComment", "MainStatusActionDate", "CultureCode", "CultureId", "ExchangeRate", "ShippingCostsIncVat",
    "ShippingCostsExVat", "PaymentFeeIncVat", "PaymentFeeExVat",
)  # fmt: skip
_INVOICE_HEAD_2026: Final = (
    "MainStatus", "PaymentStatus", "SentStatus", "CustomStatus", "MainStatusComment", "PaymentStatusComment", "SentStatusComment",
    "CustomStatusComment", "MainStatusActionDate", "PaymentStatusActionDate", "SentStatusActionDate", "CustomStatusActionDate",
    "CultureCode", "CultureId", "ExchangeRate", "ShopId", "ShippingCostsIncVat", "ShippingCostsExVat", "PaymentFeeIncVat",
    "PaymentFeeExVat",
)  # fmt: skip
_ORDER_BASIC: Final = (
    "CompanyName", "FullName", "Id", "OrderCode", "Date", "OrderTotalIncVat", "OrderTotalExVat", "CurrencyId", "CurrencyCode", "Deleted",
    "ChangeTimestamp", "MainStatusId", "AffiliateId",
)  # fmt: skip
CUSTOMER_BASIC: Final = ("Id", "FullName", "CompanyName", "EMail", "ContactReference")
_PAYMENT_HEAD: Final = (
    "Id", "ShopId", "ShopOwnerId", "Amount", "PaymentDate", "CurrencyId", "CurrencyCode", "Note", "AccountNumber", "AccountName",
    "TransactionId", "ImportSource", "CreationDate", "PaymentTypeId",
)  # fmt: skip
_PAYMENT_2021: Final = (
    "Id", "ShopOwnerId", "Amount", "PaymentDate", "CurrencyId", "CurrencyCode", "TransactionId", "CreationDate", "PaymentTypeId",
    "PaymentAllocations",
)  # fmt: skip
# On the 2026 pages the XML has the members of the base class first, the JSON does not.
_BASE_MEMBERS: Final = {
    "InvoiceBase": ("Id", "InvoiceCode", "OrderId", "OrderCode"),
    "Invoice": _INVOICE_BASE["sales"],
    "Order": _ORDER_BASIC,
    "OrderBasicInfo": ("Id", "OrderCode"),
    "Customer": CUSTOMER_BASIC,
    "File": ("Id", "Filename"),
    "InvoiceStatusDefinition": ("Id", "Name"),
    "OrderStatusDefinition": ("Id", "Name"),
}
_ITEM_NAMES: Final = {"OrderRows": "OrderRow", "Params": "Param", "Shipments": "Shipment", "PaymentAllocations": "PaymentAllocation"}
# XmlSerializer leaves out a null object or text, but writes xsi:nil for a null number or date.
_NULLABLE_ENDINGS: Final = ("Id", "Date", "Timestamp", "DateOfBirth", "PurchasePrice")
_NOT_NUMBERS: Final = frozenset({"TransactionId"})
_NOT_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9_.-]")
_JSON_TYPES: Final = ("application/json", "text/json")
_XML_TYPES: Final = ("application/xml", "text/xml")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers with."""

    model: str
    """The vendor's name of the resource, which the XML is written with; of the items when the value is a list."""
    value: object


def invoice_base(invoice: Record, profile: str) -> Record:
    """Give the list and create model of an invoice."""
    known = {**invoice, "ChangeTimestamp": invoice["ChangedTimestamp"]}
    return {name: known[name] for name in _INVOICE_BASE[profile]}


def invoice_detail(invoice: Record, profile: str) -> Record:
    """Give the detail model: its own fields, then all of the base."""
    head = _INVOICE_HEAD_2021 if profile == "2021" else _INVOICE_HEAD_2026
    return {name: invoice[name] for name in head} | invoice_base(invoice, profile)


def order_basic(order: Record) -> Record:
    """Give the summary that orders are listed with: no rows, no customer id."""
    contact = order["BillToContact"] or {}
    known = {**order, "CompanyName": contact.get("CompanyName"), "FullName": contact.get("FullName")}
    return {name: known[name] for name in _ORDER_BASIC}


def order_detail(order: Record, rows: list[Record], switches: Switches) -> Record:
    """Give the detail model; it carries the rows only when the installation fills them."""
    shown = {**order, "OrderRows": rows if switches["order_rows_in_order"] else []}
    if switches["profile"] == "2021":
        del shown["DownPayment"]
    return shown


def payment(record: Record, switches: Switches) -> Record:
    """Give a payment with its invoice flat on it, or in allocations; flat, a payment of several invoices names none."""
    shape = switches["payments"]
    if shape == "allocations" or (shape == "profile" and switches["profile"] == "2021"):
        return {name: record[name] for name in _PAYMENT_2021}
    allocations = record["PaymentAllocations"]
    order_id = allocations[0]["OrderId"] if allocations else None
    invoice_id = allocations[0]["InvoiceId"] if len(allocations) == 1 else None
    return {name: record[name] for name in _PAYMENT_HEAD} | {"OrderId": order_id, "InvoiceId": invoice_id}


def customer(record: Record, switches: Switches) -> Record:
    """Give a customer; the older model has neither news letter nor group."""
    hidden = {"ReceiveNewsLetter", "CustomerGroupId"} if switches["customer_model"] == "feed" else frozenset()
    return {name: value for name, value in record.items() if name not in hidden}


def write_answer(answer: Answer, status: int, accept: str | None, switches: Switches) -> Response:
    """Write an answer as the caller accepts it."""
    media_type = _negotiated(accept, switches["default_format"])
    value = _with_digits(answer.value, switches["time_digits"])
    if media_type in _JSON_TYPES:
        return json_response(value, status, media_type=f"{media_type}; charset=utf-8")
    text = to_xml(answer.model, value, is_base_first=switches["profile"] != "2021")
    return Response(text, status, media_type=f"{media_type}; charset=utf-8")


def to_xml(model: str, value: object, *, is_base_first: bool) -> str:
    """Write a value as XmlSerializer does: both schema namespaces on the root, `ArrayOf` around a list."""
    root = ET.Element(f"ArrayOf{model}" if isinstance(value, list) else model)
    root.set("xmlns:xsd", "http://www.w3.org/2001/XMLSchema")
    root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    if value is None:
        root.set("xsi:nil", "true")
    else:
        _fill(root, model, value, is_base_first=is_base_first)
    return ET.tostring(root, encoding="unicode")


def _fill(element: ET.Element, model: str, value: object, *, is_base_first: bool) -> None:
    if isinstance(value, dict):
        first = _BASE_MEMBERS.get(model, ()) if is_base_first else ()
        names = [name for name in first if name in value] + [name for name in value if name not in first]
        for name in names:
            _add_member(element, name, value[name], is_base_first=is_base_first)
    elif isinstance(value, list):
        for item in value:
            _fill(ET.SubElement(element, model), model, item, is_base_first=is_base_first)
    else:
        element.text = _xml_text(value)


def _add_member(parent: ET.Element, name: str, value: object, *, is_base_first: bool) -> None:
    if value is not None:
        # The members of a `ModelState` are paths such as `OrderRows[0].ItemQuantity`.
        tag = _NOT_IN_TAGS.sub("_", name)
        _fill(ET.SubElement(parent, tag), _ITEM_NAMES.get(name, tag), value, is_base_first=is_base_first)
    elif name.endswith(_NULLABLE_ENDINGS) and name not in _NOT_NUMBERS:
        ET.SubElement(parent, name).set("xsi:nil", "true")


def _xml_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}".removesuffix(".0")
    return str(value)


def _with_digits(value: object, digits: int) -> object:
    """Cut all instants in a value to so many fractional digits."""
    if isinstance(value, dict):
        return {name: _with_digits(item, digits) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_digits(item, digits) for item in value]
    return with_digits(value, digits) if isinstance(value, str) else value


def _negotiated(accept: str | None, default_format: str) -> str:
    default = _XML_TYPES[0] if default_format == "xml" else _JSON_TYPES[0]
    ranked = sorted((_weighed(part) for part in (accept or "*/*").split(",")), key=lambda pair: -pair[1])
    for name, weight in ranked:
        if weight and name in (*_JSON_TYPES, *_XML_TYPES):
            return name
        if weight and name in {"*/*", "application/*"}:
            return default
    return default


def _weighed(part: str) -> tuple[str, float]:
    name, _, parameters = part.partition(";")
    quality = next((p.strip()[2:] for p in parameters.split(";") if p.strip().startswith("q=")), "1")
    try:
        return name.strip().lower(), float(quality)
    except ValueError:
        return name.strip().lower(), 0.0
