"""Answers of Norce as its pages describe them; all content is ours."""

from __future__ import annotations

import json
from typing import Any

COMPANY: dict[str, Any] = {"Id": 902, "No": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "559012-3456"}
PERSON: dict[str, Any] = {
    "Id": 31877,
    "No": "C-31877",
    "FirstName": "Linnea",
    "LastName": "Nordvik",
    "SSN": "19800101-1234",
    "Email": "faktura@nordvik.example",
    "Phone": None,
    "CellPhone": "+46 70 555 01 02",
}
ADDRESS: dict[str, Any] = {
    "Line1": "Kungsportsavenyen 21",
    "Line2": None,
    "CareOf": "",
    "City": "Göteborg",
    "ZipCode": "411 36",
    "Country": "Sverige",
    "CountryCode": "SE",
    "Region": None,
    "ShippingPhoneNumber": None,
    "GlobalLocationNo": "7350098765432",
}
BILL_TO: dict[str, Any] = {"Company": COMPANY, "Customer": PERSON, "Address": ADDRESS, "DropPointCode": "DP-1"}

INVOICE = (
    """
{"Id": "50911", "InvoiceNo": "F-2026-0088", "InvoiceDate": "2026-01-16T23:30:00Z", "InvoiceDueDate": "2026-02-16T00:00:00Z",
 "InvoiceText": "Märke: butik 4", "OrderId": "70213", "OrderNo": "N-100341", "OrderDate": "2026-01-15T08:41:12Z", "Source": "WEB",
 "DeliveryDate": "2026-01-17T00:00:00Z", "DeliveryMethod": "Hemleverans", "PaymentMethod": "Faktura", "BillTo": %s,
 "OrderFreight": 0.0, "InvoiceCharge": 0.0, "InvoiceAmountExVat": 4800.0, "VatAmount": 1200.0,
 "Items": [{"RowNumber": 1, "ItemNo": "STOL-09", "ItemDescription": "Pinnstol ek", "Quantity": 4, "UnitPrice": 1200.0,
   "UnitDiscount": 0.0, "RowAmount": 4800.0, "RowAmountVat": 1200.0, "DeliveryDate": null, "VatRate": 1.25, "UnitPriceIncVat": 1500.0}],
 "Info": [{"Code": "CC", "Name": "Kostnadsställe", "Description": "Bokföring", "Value": "4100"}], "InvoiceNoPsp": null,
 "CreditedInvoiceNo": null, "IsDebit": true, "GroupByKey": null, "Comment": null, "InvoiceAmountIncVat": 6000.0, "NewField": {}}
""".strip()
    % json.dumps(BILL_TO)
)

ORDER = (
    """
{"Id": "70213", "QuotationId": 448120, "OrderNo": "N-100341", "OrderDate": "2026-01-15T08:41:12Z", "Status": "Levererad",
 "Source": "WEB", "Currency": "sek",
 "Items": [{"RowNumber": 1, "PartNo": "STOL-09", "Name": "Pinnstol ek", "QtyOrdered": 4, "UnitPrice": 1200.0, "UnitDiscount": 0.0,
   "RowAmount": 4800.0, "VatRate": 1.25, "ImageKey": null, "Type": 1}],
 "SellTo": %s, "BillTo": null, "ShipTo": null, "OrderTotalIncVat": 6000.0, "OrderTotalExVat": 4800.0, "PaymentMethod": "Faktura",
 "DeliveryMethod": "Hemleverans", "TypeId": 1, "DeliveryMark": null, "DropPoint": null, "Info": []}
""".strip()
    % json.dumps(BILL_TO)
)

CUSTOMER = """
{"Id": 31877, "Key": "b0f1c2d3-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "Code": "C-31877", "Email": "inkop@nordvik.example", "SSN": null,
 "FirstName": "Linnea", "LastName": "Nordvik", "Phone": "+46 31 555 020", "CellPhone": null, "ReferId": null, "ReferUrl": null,
 "Account": null, "Companies": [{"Id": 902, "Key": "5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a", "Code": "F-902", "Name": "Nordvik Möbler AB",
   "OrgNo": "5590123456", "Phone": null, "ReferId": null, "ReferUrl": null, "DeliveryAddresses": []}]}
""".strip()

ROW_3 = (
    '{"id": 70213, "orderNo": "N-100341", "quotationId": 448120, "statusId": 5, "orderDate": "2026-01-15T08:41:12Z", '
    '"currencyId": 2, "deliveryMode": "Hemleverans", "payerCustomerId": null, "payerCompanyId": null, "buyerCustomerId": 31877, '
    '"buyerCompanyId": 902}'
)
ROW_2 = '{"Id": 70213, "OrderNo": "N-100341", "QuotationId": 448120, "StatusId": 5, "OrderDate": "2026-01-15T08:41:12Z"}'

ITEM_ROW = (
    '{"id": 81, "lineNumber": 1, "partNo": "STOL-09", "productName": "Pinnstol ek", "quantity": 4, "quantity2": 4.0, "currencyId": 2, '
    '"vatRate": 25.0, "priceSale": 1200.0, "discountPercentage": 0.0, "discountAmount": 0.0, "lineAmount": 4800.0}'
)
BUYER_ROW = (
    '{"id": 600000, "companyName": "Nordvik Möbler AB", "firstName": "Linnea", "lastName": "Nordvik", '
    '"emailAddress": "inkop@nordvik.example", "phoneNumber": null, "cellPhoneNumber": null}'
)
INVOICE_ROW = (
    '{"id": 50911, "invoiceNo": "F-2026-0088", "typeId": 1, "referenceOrderId": 70213, "buyerCompanyId": 902, "buyerCustomerId": 31877, '
    '"payerCompanyId": null, "payerCustomerId": null, "groupCode": "G-1", "invoiceDate": "2026-01-16T23:30:00Z", '
    '"invoiceDueDate": "2026-02-16T00:00:00Z", "currencyId": 2}'
)
CUSTOMER_ROW = (
    '{"id": 31877, "customerCode": "C-31877", "typeId": 1, "emailAddress": "inkop@nordvik.example", "socialSecurityNumber": "1", '
    '"firstName": "Linnea", "lastName": "Nordvik", "phoneNumber": "+46 31 555 020", "cellPhoneNumber": null}'
)
LISTED_INVOICE = """
{"Id": "50911", "InvoiceNo": "F-2026-0088", "InvoiceDate": "2026-01-16T23:30:00Z", "InvoiceDueDate": "2026-02-16T00:00:00Z",
 "InvoiceText": "Märke: butik 4", "OrderNo": "N-100341", "OrderDate": "2026-01-15T08:41:12Z", "Source": "WEB",
 "DeliveryDate": "2026-01-17T00:00:00Z", "DeliveryMethod": "Hemleverans", "PaymentMethod": "Faktura",
 "BillTo": {"Company": {"Id": 902, "No": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "5590123456"}, "Customer": null,
  "Address": null, "DropPointCode": null},
 "InvoiceAmountExVat": 4800.0, "VatAmount": 1200.0, "InvoiceNoPsp": null, "IsDebit": true, "GroupByKey": null}
""".strip()
LISTED_ORDER = """
{"Id": "70213", "QuotationId": 448120, "OrderNo": "N-100341", "OrderDate": "2026-01-15T08:41:12Z", "Status": "Levererad",
 "Source": "WEB", "Currency": "SEK", "OrderTotalIncVat": 6000.0, "OrderTotalExVat": 4800.0, "TypeId": 1}
""".strip()
COMPANY_ROW = '{"Id": 902, "Code": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "559012-3456", "Phone": null, "DeliveryAddresses": []}'
HIT = '{"Id": 31877, "Key": "b0f1", "Code": "C-31877", "Email": "inkop@nordvik.example", "FirstName": "Linnea", "LastName": "Nordvik"}'


def with_more(body: str, **fragments: str) -> str:
    """Add JSON texts to a sample, keeping its numbers as they are spelled."""
    return body[:-1] + "".join(f', "{name}": {text}' for name, text in fragments.items()) + "}"


def edited(body: str, **changes: object) -> str:
    """Copy a sample with other top-level values."""
    return json.dumps({**json.loads(body), **changes})


def page_of(*rows: str, next_link: str | None = None) -> str:
    """Make a Query answer."""
    link = "" if next_link is None else f', "@odata.nextLink": {json.dumps(next_link)}'
    return f'{{"@odata.context": "c", "value": [{", ".join(rows)}]{link}}}'
