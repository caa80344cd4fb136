"""The POST, PUT and DELETE operations. Failing business rules are said in the body: `Success` false and one error."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.compilator.binding import to_bool, to_date, to_decimal, to_guid, to_int, to_text, typed
from gateway.sandbox.compilator.dialect import Answer, Refused, empty, error
from gateway.sandbox.compilator.documents import BRANCHES, ORDER_STATUSES, order_totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.compilator.binding import Call
    from gateway.sandbox.compilator.samples import Record
    from gateway.sandbox.compilator.state import State

_SETTINGS: Final = {
    "CustomerNumber": to_int,
    "RetainsInvoiceType": to_bool,
    "CurrencyId": to_int,
    "TermsOfPaymentId": to_int,
    "PaysInvoiceFee": to_bool,
    "InvoiceTypeId": to_int,
    "InterestTypeId": to_int,
    "InvoiceCycleId": to_int,
    "InvoiceRecipientCustomerNumber": to_int,
    "CreditAccountId": to_int,
    "AllowInvoicePaymentFromOrder": to_bool,
    "SendInvoiceFromOrderAsEmail": to_bool,
    "InvoiceOrderPaymentEmailAddress": to_text,
    "ReverseTax": to_bool,
}
_UNSENT: Final[Mapping[Any, Any]] = {to_int: 0, to_bool: False, to_text: None}
"""Values that a .NET model has for what a body left out."""
_MAX_EMAIL: Final = 50

_ADDRESS: Final = {
    "Name": to_text,
    "Address1": to_text,
    "Address2": to_text,
    "Address3": to_text,
    "PostalCode": to_text,
    "Town": to_text,
    "CountryId": to_text,
    "Phone1": to_text,
    "Phone2": to_text,
}
_MAX_ADDRESS_TEXT: Final = {**dict.fromkeys(_ADDRESS, 50), "CountryId": 2}
_COUNTRY_NAMES: Final = {"SE": "Sverige", "NO": "Norge", "NL": "Nederland", "DK": "Danmark", "FI": "Finland"}
_EMPTY_GUID: Final = "00000000-0000-0000-0000-000000000000"

_ORDER: Final = {
    "SellerBranchId": to_int,
    "CustomerNumber": to_int,
    "OrderType": to_int,
    "OrderDate": to_date,
    "DeliveryDate": to_date,
    "LicensePlate": to_text,
    "Odometer": to_int,
    "WorkOrderNumber": to_text,
    "SalesPerson": to_text,
    "CurrencyId": to_int,
    "CurrencyRate": to_decimal,
    "RequisitionOrderNumber": to_text,
    "CustomerReference": to_text,
    "ContactId": to_guid,
    "Note": to_text,
}
_MAX_ORDER_TEXT: Final = {
    "LicensePlate": 15,
    "WorkOrderNumber": 40,
    "SalesPerson": 50,
    "RequisitionOrderNumber": 40,
    "CustomerReference": 40,
    "Note": 4000,
}
_ARTICLE: Final = {
    "SalesAccount": to_int,
    "StockNumber": to_int,
    "CostPrice": to_decimal,
    "IsExportWithinEU": to_bool,
    "OrderType": to_int,
    "ArticleNumber": to_int,
    "Quantity": to_decimal,
    "Description": to_text,
    "Price": to_decimal,
    "DiscountFactor": to_decimal,
    "Amount": to_decimal,
    "VatPercent": to_decimal,
    "VatAmount": to_decimal,
    "HasVat": to_bool,
    "IsExport": to_bool,
}
_CENT: Final = Decimal("0.01")


def _result(state: State, type_name: str, problem: str | None, **more: object) -> Answer:
    if problem is None:
        return Answer({"Errors": [], "Success": True, **more}, type_name)
    errors = [{"ErrorCode": 1, "ErrorMessage": problem}]
    return Answer({"Errors": errors, "Success": False, **more}, type_name, int(state.switches["failures_as"]))


def _too_long(record: Record, limits: Mapping[str, int]) -> str | None:
    return next((f"{name} får vara högst {limit} tecken" for name, limit in limits.items() if len(record.get(name) or "") > limit), None)


def post_customer_invoice(state: State, call: Call) -> Answer:
    """Add a customer's invoicing settings, or write over those that are there."""
    return _result(state, "CustomerInvoicePostResponse", _upsert_settings(state, call.body))


def put_customer_invoice(state: State, call: Call) -> Answer:
    """Write over a customer's invoicing settings, or add them."""
    return _result(state, "CustomerInvoicePutResponse", _upsert_settings(state, call.body))


def _upsert_settings(state: State, body: Record) -> str | None:
    """Keep the settings; what the body leaves out is reset, or kept from before, by the switch. Gives the problem, if any."""
    sent = typed(body, _SETTINGS)
    problem = _settings_problem(state, sent)
    if problem is None:
        number = sent["CustomerNumber"]
        settings = {name: _UNSENT[convert] for name, convert in _SETTINGS.items()}
        if state.switches["unsent_settings"] == "kept":
            settings |= state.data.settings.get(number, {})
        state.data.settings[number] = settings | {
            name: _UNSENT[_SETTINGS[name]] if value is None else value for name, value in sent.items()
        }
    return problem


def _settings_problem(state: State, sent: Record) -> str | None:
    number = sent.get("CustomerNumber")
    recipient = sent.get("InvoiceRecipientCustomerNumber")
    currency_id = sent.get("CurrencyId")
    if number is None:
        return "Kundnummer saknas"
    if number not in state.data.customers:
        return f"Kundnummer {number} saknas"
    if recipient and recipient not in state.data.customers:
        return f"Kundnummer {recipient} saknas"
    if currency_id and currency_id not in state.data.currencies:
        return f"Valuta {currency_id} saknas"
    return _too_long(sent, {"InvoiceOrderPaymentEmailAddress": _MAX_EMAIL})


def delete_customer_invoice(state: State, call: Call) -> Answer:
    """Remove a customer's invoicing settings."""
    number = call.number("customerNumber")
    removed = state.data.settings.pop(number, None)
    problem = None if removed else f"Fakturainställningar för kundnummer {number} saknas"
    return _result(state, "CustomerInvoiceDeleteResponse", problem)


def post_delivery_address(state: State, call: Call) -> Answer:
    """Add a delivery address to a customer, and tell its new id."""
    type_name = "CustomerDeliveryAddressPostResponse"
    sent = typed(call.body, {"CustomerNumber": to_int, "IsDefaultAddress": to_bool, **_ADDRESS})
    number = sent.get("CustomerNumber")
    if number not in state.data.customers:
        return _result(state, type_name, f"Kundnummer {number or ''} saknas".replace("  ", " "), Id=_EMPTY_GUID)
    problem = _too_long(sent, _MAX_ADDRESS_TEXT) if sent.get("Name") else "Name saknas"
    if problem:
        return _result(state, type_name, problem, Id=_EMPTY_GUID)
    return _result(state, type_name, None, Id=_add_address(state, state.data.customers[number], sent))


def _add_address(state: State, customer: Record, sent: Record) -> str:
    customer["Changed"], customer["ChangedBy"] = state.data.next_write(), "api"
    country_id = sent.get("CountryId")
    address = {
        "Id": state.data.next_id(),
        "CountryName": _COUNTRY_NAMES.get(country_id) if country_id else None,
        **{name: sent.get(name) for name in _ADDRESS},
        "IsDefaultAddress": bool(sent.get("IsDefaultAddress")),
    }
    if address["IsDefaultAddress"]:
        for other in customer["DeliveryAddresses"]:
            other["IsDefaultAddress"] = False
    customer["DeliveryAddresses"].append(address)
    return str(address["Id"])


def delete_delivery_address(state: State, call: Call) -> Answer:
    """Remove a delivery address; 404 when there is none."""
    wanted = call.guid("id")
    for customer in state.data.customers.values():
        kept = [address for address in customer["DeliveryAddresses"] if address["Id"] != wanted]
        if len(kept) < len(customer["DeliveryAddresses"]):
            customer["DeliveryAddresses"] = kept
            customer["Changed"], customer["ChangedBy"] = state.data.next_write(), "api"
            return _result(state, "CustomerDeliveryAddressDeleteResponse", None)
    return empty(404)


def post_order(state: State, call: Call) -> Answer:
    """Add an order. Its id is not told: it is found among the customer's open orders."""
    sent = typed(call.body, _ORDER)
    lines = _lines(call.body.get("OrderLines"))
    problem = _order_problem(state, sent, lines)
    if problem is None:
        _add_order(state, sent, lines)
    return _result(state, "OrderPostResponse", problem)


def _lines(lines: object) -> list[Record]:
    """Read the lines; raises `Refused` with 400 when they are no list of objects."""
    if lines is None:
        return []
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise Refused(error(400, "The request is invalid.", "The property 'OrderLines' has the wrong type."))
    return [_line(line, position) for position, line in enumerate(lines, start=1)]


def _line(line: Record, position: int) -> Record:
    article, text = line.get("OrderLineArticle"), line.get("OrderLineText")
    if not isinstance(article, dict | None) or not isinstance(text, dict | None):
        raise Refused(error(400, "The request is invalid.", f"Line {position} has a part of the wrong type."))
    number = typed(line, {"LineNumber": to_int}).get("LineNumber")
    return {
        "OrderLineArticle": _article(typed(article, _ARTICLE)) if article else None,
        "OrderLineText": {"Text": typed(text, {"Text": to_text}).get("Text")} if text else None,
        "LineNumber": position if number is None else number,
    }


def _article(sent: Record) -> Record:
    """Fill what the body left out as a .NET model has it; an amount that was left out is worked out."""
    plain: dict[Any, Any] = {to_int: 0, to_bool: False, to_text: None, to_decimal: Decimal("0.0")}
    article: Record = {name: plain[convert] for name, convert in _ARTICLE.items()} | {"DiscountFactor": Decimal("1.0")}
    article |= {name: value for name, value in sent.items() if value is not None}
    if sent.get("Amount") is None:
        article["Amount"] = _rounded(article["Price"] * article["Quantity"] * article["DiscountFactor"])
    if sent.get("VatAmount") is None:
        article["VatAmount"] = _rounded(article["Amount"] * article["VatPercent"] / 100)
    return article


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP) + 0  # .NET knows no negative zero


def _order_problem(state: State, sent: Record, lines: list[Record]) -> str | None:
    number, contact_id = sent.get("CustomerNumber"), sent.get("ContactId")
    if not lines:
        return "Orderrader saknas"
    if sent.get("SellerBranchId") not in BRANCHES:
        return f"Filial {sent.get('SellerBranchId') or ''} saknas".replace("  ", " ")
    if number is not None and number not in state.data.customers:
        return f"Kundnummer {number} saknas"
    if sent.get("CurrencyId") is not None and sent["CurrencyId"] not in state.data.currencies:
        return f"Valuta {sent['CurrencyId']} saknas"
    if contact_id is not None and contact_id not in state.data.contacts:
        return f"Kontakt {contact_id} saknas"
    return _too_long(sent, _MAX_ORDER_TEXT)


def _add_order(state: State, sent: Record, lines: list[Record]) -> None:
    branch_id = sent["SellerBranchId"]
    order_id = 1 + max(known for known, branch in state.data.orders if branch == branch_id)
    currency = state.data.currencies[sent.get("CurrencyId") or 1]
    written = state.data.next_write()
    template = dict.fromkeys(state.data.orders[order_id - 1, branch_id])
    state.data.orders[order_id, branch_id] = template | {
        "Id": order_id,
        "CurrencyName": currency["Name"],
        "IsWebOrder": True,
        "OrderStatusId": 1,
        "OrderStatusName": ORDER_STATUSES[1],
        "IsWMSExpress": False,
        "Waybill": [],
        "OrderLines": lines,
        **{name: sent.get(name) for name in _ORDER if name != "Note"},
        "OrderType": sent.get("OrderType") or 0,
        "OrderDate": sent.get("OrderDate") or written.replace(hour=0, minute=0, second=0),
        "SalesPerson": sent.get("SalesPerson") or "api",
        "CurrencyId": currency["Id"],
        "CurrencyRate": sent.get("CurrencyRate") or currency["Rate"],
        **order_totals(lines, currency["RoundingAmount"]),
    }
