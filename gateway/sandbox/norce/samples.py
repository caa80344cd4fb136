"""One customer, one order and one invoice that belong together, letter by letter as a vendor's sample would show them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

CUSTOMER_TEXT: Final = """
{"Id": 31877, "Key": "b0f1c2d3-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "Code": "C-31877", "Email": "inkop@nordvik.example", "SSN": null,
 "FirstName": "Linnea", "LastName": "Nordvik", "Phone": "+46 31 555 020", "CellPhone": null, "ReferId": null, "ReferUrl": null,
 "Account": null,
 "Companies": [
  {"Id": 902, "Key": "5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a", "Code": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "5590123456",
   "Phone": null, "ReferId": null, "ReferUrl": null, "DeliveryAddresses": []}]}
"""

ORDER_TEXT: Final = """
{"Id": "70213", "QuotationId": 448120, "OrderNo": "N-100341", "OrderDate": "2026-01-15T08:41:12Z", "Status": "Levererad",
 "Source": "WEB", "Currency": "SEK",
 "Items": [
  {"RowNumber": 1, "PartNo": "STOL-09", "Name": "Pinnstol ek", "QtyOrdered": 4, "UnitPrice": 1200.0, "UnitDiscount": 0.0,
   "RowAmount": 4800.0, "VatRate": 1.25, "ImageKey": null, "Type": 1}],
 "SellTo": {
  "Company": {"Id": 902, "No": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "5590123456"},
  "Customer": {"Id": 31877, "No": "C-31877", "FirstName": "Linnea", "LastName": "Nordvik", "SSN": null,
   "Email": "inkop@nordvik.example", "Phone": null, "CellPhone": null},
  "Address": {"Line1": "Kungsportsavenyen 21", "Line2": null, "CareOf": null, "City": "Göteborg", "ZipCode": "411 36",
   "Country": "Sverige", "CountryCode": "SE", "Region": null, "ShippingPhoneNumber": null, "GlobalLocationNo": null},
  "DropPointCode": null},
 "BillTo": null, "ShipTo": null, "OrderTotalIncVat": 6000.0, "OrderTotalExVat": 4800.0, "PaymentMethod": "Faktura",
 "DeliveryMethod": "Hemleverans", "TypeId": 1, "DeliveryMark": null, "DropPoint": null, "Info": []}
"""

INVOICE_TEXT: Final = """
{"Id": "50911", "InvoiceNo": "F-2026-0088", "InvoiceDate": "2026-01-17T00:00:00Z", "InvoiceDueDate": "2026-02-16T00:00:00Z",
 "InvoiceText": "Märke: butik 4", "OrderId": "70213", "OrderNo": "N-100341", "OrderDate": "2026-01-15T08:41:12Z", "Source": "WEB",
 "DeliveryDate": "2026-01-17T00:00:00Z", "DeliveryMethod": "Hemleverans", "PaymentMethod": "Faktura",
 "BillTo": {
  "Company": {"Id": 902, "No": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "5590123456"},
  "Customer": {"Id": 31877, "No": "C-31877", "FirstName": "Linnea", "LastName": "Nordvik", "SSN": null,
   "Email": "faktura@nordvik.example", "Phone": null, "CellPhone": null},
  "Address": {"Line1": "Kungsportsavenyen 21", "Line2": null, "CareOf": null, "City": "Göteborg", "ZipCode": "411 36",
   "Country": "Sverige", "CountryCode": "SE", "Region": null, "ShippingPhoneNumber": null, "GlobalLocationNo": "7350098765432"},
  "DropPointCode": null},
 "OrderFreight": 0.0, "InvoiceCharge": 0.0, "InvoiceAmountExVat": 4800.0, "VatAmount": 1200.0,
 "Items": [
  {"RowNumber": 1, "ItemNo": "STOL-09", "ItemDescription": "Pinnstol ek", "Quantity": 4, "UnitPrice": 1200.0, "UnitDiscount": 0.0,
   "RowAmount": 4800.0, "RowAmountVat": 1200.0, "DeliveryDate": null, "VatRate": 1.25, "UnitPriceIncVat": 1500.0}],
 "Info": [{"Code": "CC", "Name": "Kostnadsställe", "Description": "Bokföring", "Value": "4100"}], "InvoiceNoPsp": null,
 "CreditedInvoiceNo": null, "IsDebit": true, "GroupByKey": null, "Comment": null, "InvoiceAmountIncVat": 6000.0}
"""


def read_sample(text: str) -> dict[str, Any]:
    """Read one of the texts above with its amounts as `Decimal`."""
    sample: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return sample
