"""Connect 4.0 `Order/CreateInvoice`: takes in an invoice from another system and captures its payment unless told not to.

docs.norce.io, Connect OrderService, createinvoice and the schema invoice. The Storm page of the same operation spells two fields
`InoviceNo` and `ContryCode`. The pages publish no answer body, no error body and nothing about a number that is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.emulator import json_response, read_json
from gateway.sandbox.norce.data import row_amounts
from gateway.sandbox.norce.fields import to_instant, to_text, wrong_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from starlette.requests import Request

    from gateway.sandbox.norce.data import Payload
    from gateway.sandbox.norce.identity import Identity
    from gateway.sandbox.norce.store import Store

_PATHS: Final = ("/commerce/connect/4.0/Order/CreateInvoice", "/4.0/api/Order/CreateInvoice")
_REQUIRED: Final = ("ClientOrderRef", "CurrencyCode", "ErpOrderNo", "InvoiceDate")
_REQUIRED_OF_ITEM: Final = ("PartNo", "Quantity", "UnitPrice")
_LONGEST_NO: Final = 50
_CURRENCY_LENGTH: Final = 3
_NOTHING: Final = Decimal(0)

_TEXTS: Final = (
    "CurrencyCode", "ErpOrderNo", "AddressLine1", "AddressLine2", "Attention", "CareOf", "City", "Region", "ZipCode", "Name", "Country",
    "Comment", "CultureCode", "Gln", "GroupCode", "CreditedInvoiceNo", "PaymentMethodCode", "PaymentMethodName",
)  # fmt: skip
_KINDS: Final = {
    **dict.fromkeys(_TEXTS, "string"),
    **dict.fromkeys(("InvoiceDate", "DeliveryDate", "InvoiceDueDate"), "moment"),
    **dict.fromkeys(("InvoiceRoundOff", "TotalAmount", "Vat", "VatRoundOff"), "number"),
    **dict.fromkeys(("IsLastInvoiceForOrder", "SuppressPspCall"), "bool"),
    "ClientOrderRef": "int32",
    "ApplicationKey": "guid",
    "Items": "objects",
    "Payment": "object",
}
_ITEM_KINDS: Final = {
    **dict.fromkeys(("PartNo", "Description", "PriceList", "ProductName"), "string"),
    **dict.fromkeys(("Quantity", "UnitPrice", "Discount", "LineAmount", "SalePrice", "UnitVat", "VatRate"), "number"),
    "LineNo": "int32",
}
_PAYMENT_KINDS: Final = {
    **dict.fromkeys(("PaymentMethodCode", "PaymentRef", "CurrencyCode", "PaymentName"), "string"),
    "PaymentCode": "int32",
    "Amount": "number",
    "AdditionalInfo": "objects",
}


@dataclass(frozen=True, slots=True)
class _Spelling:
    """What a server calls the two fields that its pages spell differently, and whether it insists on the number."""

    invoice_no: str
    country_code: str
    needs_invoice_no: bool


_SPELLINGS: Final = {
    "commerce": _Spelling("InvoiceNo", "CountryCode", needs_invoice_no=False),
    "storm": _Spelling("InoviceNo", "ContryCode", needs_invoice_no=True),
}


class Connect:
    """The one write that works."""

    def __init__(self, store: Store, identity: Identity, switches: MutableMapping[str, Any]) -> None:
        self._store: Final = store
        self._identity: Final = identity
        self._switches: Final = switches

    def routes(self) -> list[Route]:
        """Give both path forms."""
        endpoint = self._identity.signed_in(self._create_invoice)
        return [Route(path, endpoint, methods=["POST"], name="CreateInvoice") for path in _PATHS]

    async def _create_invoice(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return Response(status_code=415)
        try:
            body = await read_json(request)
        except ValueError:
            return _refused({"": "The body is not JSON."})
        if not isinstance(body, dict):
            return _refused({"": "The body is not an Invoice."})
        spelling = _SPELLINGS[self._switches["connect_profile"]]
        problems = _problems(body, spelling)
        if problems:
            return _refused(problems)
        return self._take_in(body, spelling)

    def _take_in(self, body: Payload, spelling: _Spelling) -> Response:
        record = self._store.order_by_basket(body["ClientOrderRef"])
        if record is None or record.payload["OrderNo"] != body["ErpOrderNo"]:
            return _refused({"ClientOrderRef": "There is no order with this ClientOrderRef and ErpOrderNo."})
        invoice_no = body.get(spelling.invoice_no)
        taken = self._switches["duplicate_invoice_no"]
        if taken != "stored" and invoice_no and self._store.invoice_by_no(invoice_no):
            return _refused({spelling.invoice_no: "The invoice number is taken."}, int(taken))
        invoice = _to_invoice(body, spelling, record.payload)
        if self._switches["connect_stores"]:
            invoice = self._store.add_invoice(invoice)
        if body.get("SuppressPspCall") is not True:
            self._capture(body, invoice)
        return self._answer(invoice)

    def _capture(self, body: Payload, invoice: Payload) -> None:
        self._store.captures.append(
            {
                "InvoiceNo": invoice["InvoiceNo"],
                "ClientOrderRef": body["ClientOrderRef"],
                "ErpOrderNo": body["ErpOrderNo"],
                "Amount": invoice["InvoiceAmountIncVat"],
                "CurrencyCode": body["CurrencyCode"],
                "PaymentRef": (body.get("Payment") or {}).get("PaymentRef"),
            }
        )

    def _answer(self, invoice: Payload) -> Response:
        match self._switches["connect_answer"]:
            case "null":
                return json_response(None)
            case "id":
                return json_response({"Id": invoice["Id"]})
            case "invoice":
                return json_response(invoice)
            case _:
                return Response(status_code=200)


def _problems(body: Payload, spelling: _Spelling) -> dict[str, str]:
    """Name every field that keeps this invoice from being taken in, each with a message."""
    kinds = {**_KINDS, spelling.invoice_no: "string", spelling.country_code: "string"}
    wrong = wrong_fields(body, kinds)
    required = (*_REQUIRED, spelling.invoice_no) if spelling.needs_invoice_no else _REQUIRED
    missing = {name: f"The field {name} is required." for name in required if body.get(name) in (None, "")}
    return {**missing, **wrong, **_parts_problems(body)} or _rule_problems(body, spelling)


def _rule_problems(body: Payload, spelling: _Spelling) -> dict[str, str]:
    """Check what lies between fields, once each is of its type."""
    problems = {}
    if len(body["CurrencyCode"]) != _CURRENCY_LENGTH:
        problems["CurrencyCode"] = "The currency is not three letters."
    if len(body.get(spelling.invoice_no) or "") > _LONGEST_NO:
        problems[spelling.invoice_no] = f"The invoice number is longer than {_LONGEST_NO} characters."
    if (body.get("TotalAmount") or 0) < 0 and not body.get("CreditedInvoiceNo"):
        problems["CreditedInvoiceNo"] = "The field CreditedInvoiceNo is required for credits."
    if not body.get("Items") and body.get("SuppressPspCall") is not True:
        problems["Items"] = "The field Items is required for a capture."
    return problems


def _parts_problems(body: Payload) -> dict[str, str]:
    """Check the rows and the payment, as far as they are rows and a payment."""
    problems: dict[str, str] = {}
    items = body.get("Items")
    for place, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            prefix = f"Items[{place}]."
            missing = [name for name in _REQUIRED_OF_ITEM if item.get(name) in (None, "")]
            problems |= {f"{prefix}{name}": f"The field {name} is required." for name in missing}
            problems |= wrong_fields(item, _ITEM_KINDS, prefix)
    payment = body.get("Payment")
    if isinstance(payment, dict):
        problems |= wrong_fields(payment, _PAYMENT_KINDS, "Payment.")
        if payment.get("PaymentCode") is None and not payment.get("PaymentRef"):
            problems["Payment"] = "PaymentCode or PaymentRef must be given."
    return problems


def _refused(problems: Mapping[str, str], status: int = 400) -> Response:
    """Answer with a dictionary of messages, the one error body that the older pages describe."""
    return json_response({"Message": "The request is invalid.", "Messages": dict(problems)}, status)


def _to_invoice(body: Payload, spelling: _Spelling, order: Payload) -> Payload:
    """Make the invoice that Services show: percentages become multipliers, dates get their `Z`, the order gives what the body cannot."""
    items = [_to_item(item, place) for place, item in enumerate(body.get("Items") or [], 1)]
    row_total = sum((item["RowAmount"] for item in items), _NOTHING)
    row_vat = sum((item["RowAmountVat"] for item in items), _NOTHING)
    vat = _or(body.get("Vat"), row_vat)
    total = _or(body.get("TotalAmount"), row_total + vat)
    credited = body.get("CreditedInvoiceNo") or None
    return {
        "Id": None,
        "InvoiceNo": body.get(spelling.invoice_no) or None,
        "InvoiceDate": _to_date(body["InvoiceDate"]),
        "InvoiceDueDate": _to_date(body.get("InvoiceDueDate")),
        "InvoiceText": None,
        "OrderId": order["Id"],
        "OrderNo": order["OrderNo"],
        "OrderDate": order["OrderDate"],
        "Source": order["Source"],
        "DeliveryDate": _to_date(body.get("DeliveryDate")),
        "DeliveryMethod": order["DeliveryMethod"],
        "PaymentMethod": body.get("PaymentMethodName") or order["PaymentMethod"],
        "BillTo": _to_bill_to(body, spelling, order),
        "OrderFreight": _NOTHING,
        "InvoiceCharge": _NOTHING,
        "InvoiceAmountExVat": total - vat,
        "VatAmount": vat,
        "Items": items,
        "Info": [],
        "InvoiceNoPsp": None,
        "CreditedInvoiceNo": credited,
        "IsDebit": credited is None,
        "GroupByKey": None,
        "Comment": body.get("Comment"),
        "InvoiceAmountIncVat": total,
    }


def _to_item(item: Payload, place: int) -> Payload:
    """Turn a row around; its VatRate is a percentage here and a multiplier in Services."""
    unit_price, discount = Decimal(item["UnitPrice"]), Decimal(_or(item.get("Discount"), _NOTHING))
    vat_rate = 1 + (Decimal(item["VatRate"]) / 100).normalize() if item.get("VatRate") is not None else _NOTHING
    amount, vat = row_amounts(item["Quantity"], unit_price, discount, vat_rate or Decimal(1))
    unit_vat = item.get("UnitVat")
    return {
        "RowNumber": _or(item.get("LineNo"), place),
        "ItemNo": item["PartNo"],
        "ItemDescription": item.get("Description") or item.get("ProductName"),
        "Quantity": item["Quantity"],
        "UnitPrice": item["UnitPrice"],
        "UnitDiscount": discount,
        "RowAmount": _or(item.get("LineAmount"), amount),
        "RowAmountVat": vat if unit_vat is None else unit_vat * item["Quantity"],
        "DeliveryDate": None,
        "VatRate": vat_rate,
        "UnitPriceIncVat": unit_price * (vat_rate or 1) if unit_vat is None else unit_price + unit_vat,
    }


def _to_bill_to(body: Payload, spelling: _Spelling, order: Payload) -> Payload:
    party: Payload = order["BillTo"] or order["SellTo"]
    if not body.get("AddressLine1"):
        return party
    address = {
        "Line1": body["AddressLine1"],
        "Line2": body.get("AddressLine2"),
        "CareOf": body.get("CareOf"),
        "City": body.get("City"),
        "ZipCode": body.get("ZipCode"),
        "Country": body.get("Country"),
        "CountryCode": body.get(spelling.country_code),
        "Region": body.get("Region"),
        "ShippingPhoneNumber": None,
        "GlobalLocationNo": body.get("Gln"),
    }
    return {**party, "Address": address}


def _to_date(text: str | None) -> str | None:
    return to_text(to_instant(text)) if text else None


def _or(value: Any, otherwise: Any) -> Any:  # noqa: ANN401  (amounts as they came: whole or decimal)
    return otherwise if value is None else value
