"""The worked example that is part of every installation: customer 20411, order 55012, invoice 88121, file 990017."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from gateway.sandbox.shopctrl.documents import make_file
from gateway.sandbox.shopctrl.reference import Record
from gateway.sandbox.shopctrl.store import Store

CUSTOMER_ID: Final = 20_411
ORDER_ID: Final = 55_012
INVOICE_ID: Final = 88_121
FILE_ID: Final = 990_017
PAYMENT_ID: Final = 4_401

_CUSTOMER: Final = """
{"CustomerCode": "K-20411", "ReceiveNewsLetter": false, "CustomerGroupId": 2,
 "BillToAddress": {"Id": 9001, "CompanyName": "De Vries Fietsen B.V.", "VatNumber": "NL004495445B01", "CocNumber": "30123456",
  "FullName": "Sanne de Vries", "DateOfBirth": null, "Gender": "F", "PersonTitle": "Mevr.", "FirstName": "Sanne", "MiddleName": null,
  "LastNamePrefix": "de", "LastName": "Vries", "Address": "Oudegracht 112 bis", "Address2": null, "StreetAddress": "Oudegracht",
  "StreetAddressNumber": "112", "StreetAddressExtension": "bis", "PostalCode": "3511 AW", "City": "Utrecht", "CountryId": 150,
  "CountryCode": "NL", "EMail": "facturen@devriesfietsen.example", "Phone": "+31 30 555 0101", "Phone2": null, "StateProvince": "Utrecht"},
 "ShipToAddress": null, "ShopOwnerId": 1, "PersonTitle": "Mevr.", "FirstName": "Sanne", "MiddleName": null, "LastNamePrefix": "de",
 "LastName": "Vries", "CultureId": 19, "PersonalNumber": null, "ChangedTimestamp": "2026-01-09T11:20:31.0304578+01:00", "Id": 20411,
 "FullName": "Sanne de Vries", "CompanyName": "De Vries Fietsen B.V.", "EMail": "facturen@devriesfietsen.example",
 "ContactReference": "Sanne"}
"""
_ORDER: Final = """
{"OrderType": 0, "PreferredDeliveryDate": null, "MainStatus": {"Id": 12, "Name": "In behandeling"},
 "PaymentStatus": {"Id": 21, "Name": "Open"}, "StockStatus": null, "FulfilmentStatus": null, "ShipmentStatus": null, "CustomStatus": null,
 "CultureCode": "nl-NL", "CultureId": 19, "Incoterms": 0, "ExchangeRate": 1.0, "ShopId": 3, "ViewModusIncVAT": true,
 "ExternalOrderKey": "WEB-8812", "CouponCode": null, "PaymentFeeIncVat": 0.0, "PaymentFeeExVat": 0.0, "ShippingCostsIncVat": 0.0,
 "ShippingCostsExVat": 0.0, "PaymentTypeId": 4, "CarrierAccountId": null, "CustomerId": 20411, "CustomerCode": "K-20411",
 "CustomerReference": "PO 77", "CustomerNote": null, "CustomerRating": null, "ShopNote": null, "SyncSource": "web",
 "CustomerIpaddress": null, "DiscountExVat": 0.0, "DiscountIncVat": 0.0, "DownPayment": 0.0,
 "BillToContact": {"Id": 9001, "CompanyName": "De Vries Fietsen B.V.", "FullName": "Sanne de Vries", "StreetAddress": "Oudegracht",
  "StreetAddressNumber": "112", "StreetAddressExtension": "bis", "PostalCode": "3511 AW", "City": "Utrecht", "CountryCode": "NL",
  "EMail": "facturen@devriesfietsen.example"},
 "ShipToContact": null, "Params": [], "OrderRows": [], "Shipments": [], "Id": 55012, "OrderCode": "UTR-2026-00431",
 "Date": "2026-01-10T09:31:00+01:00", "OrderTotalIncVat": 242.0, "OrderTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR",
 "Deleted": false, "ChangeTimestamp": "2026-01-11T16:17:35.0304578+01:00", "MainStatusId": 12, "AffiliateId": null}
"""
_ORDER_ROWS: Final = """
[{"Id": 771001, "ProductSelectionProductId": null, "OrderRowKey": "r1", "ItemQuantity": 2.0, "ProductName": "Fietstas waterdicht",
  "ProductCode": "TAS-21", "ProductDescription": null, "ItemPriceExVat": 100.0, "ItemPriceIncVat": 121.0, "RowDiscountExVat": 0.0,
  "RowDiscountIncVat": 0.0, "Vatperc": 21.0, "VATTariffId": 2, "VATTariffCode": "HOOG", "RowTotalExVat": 200.0, "RowTotalIncVat": 242.0,
  "Comment": null, "SupplierId": null, "ItemPurchasePrice": 61.5, "CreditForOrderRowId": null, "Sequence": 1, "ShopProductUrl": null,
  "ShopProductImageUrl": null, "Params": [], "StockStatus": null}]
"""
_INVOICE: Final = """
{"MainStatus": {"Id": 31, "Name": "Open"}, "PaymentStatus": {"Id": 41, "Name": "Deels betaald"},
 "SentStatus": {"Id": 51, "Name": "Verzonden"}, "CustomStatus": null, "MainStatusComment": null, "PaymentStatusComment": null,
 "SentStatusComment": null, "CustomStatusComment": null, "MainStatusActionDate": null, "PaymentStatusActionDate": null,
 "SentStatusActionDate": "2026-01-11T16:20:00+01:00", "CustomStatusActionDate": null, "CultureCode": "nl-NL", "CultureId": 19,
 "ExchangeRate": 1.0, "ShopId": 3, "ShippingCostsIncVat": 0.0, "ShippingCostsExVat": 0.0, "PaymentFeeIncVat": 0.0,
 "PaymentFeeExVat": 0.0, "Id": 88121, "InvoiceCode": "F2026-0117", "InvoiceDate": "2026-01-11T16:17:35.0304578+01:00",
 "InvoiceTotalIncVat": 242.0, "InvoiceTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR", "Deleted": false,
 "ChangedTimestamp": "2026-01-11T16:17:36.119204+01:00", "MainStatusId": 31, "PaymentStatusId": 41, "SentStatusId": 51,
 "CustomStatusId": null, "DocumentFileId": 990017, "OrderId": 55012, "OrderCode": "UTR-2026-00431", "InvoiceSourceType": 0,
 "IsReadOnly": false}
"""
# The second row is a credit of an order row that the order does not list any more.
_INVOICE_ROWS: Final = """
[{"Id": 1, "OrderRowId": 771001, "ProductCode": "TAS-21", "ProductName": "Fietstas waterdicht", "ProductDescription": null,
  "Comment": null, "ProductSelectionProductId": null, "ItemQuantity": 3.0, "ItemPriceExVat": 100.0, "ItemPriceIncVat": 121.0,
  "DiscountExVat": 0.0, "DiscountIncVat": 0.0, "RowTotalExVat": 300.0, "RowTotalIncVat": 363.0, "VatTariffId": 2,
  "VatTariffCode": "HOOG", "VatPercentage": 21.0},
 {"Id": 2, "OrderRowId": 771002, "ProductCode": "TAS-21", "ProductName": "Fietstas waterdicht", "ProductDescription": null,
  "Comment": "retour", "ProductSelectionProductId": null, "ItemQuantity": -1.0, "ItemPriceExVat": 100.0, "ItemPriceIncVat": 121.0,
  "DiscountExVat": 0.0, "DiscountIncVat": 0.0, "RowTotalExVat": -100.0, "RowTotalIncVat": -121.0, "VatTariffId": 2,
  "VatTariffCode": "HOOG", "VatPercentage": 21.0}]
"""
_PAYMENT: Final = """
{"Id": 4401, "ShopId": 3, "ShopOwnerId": 1, "Amount": 100.0, "PaymentDate": "2026-01-12T00:00:00+01:00", "CurrencyId": 1,
 "CurrencyCode": "EUR", "Note": "iDEAL", "AccountNumber": "NL91ABNA0417164300", "AccountName": "De Vries Fietsen",
 "TransactionId": "tr_7Hk2", "ImportSource": "psp", "CreationDate": "2026-01-12T08:01:44.0304578+01:00", "PaymentTypeId": 4,
 "PaymentAllocations": [{"OrderId": 55012, "InvoiceId": 88121, "AllocatedAmount": 100.0}]}
"""


def sample_customer() -> Record:
    """Give the customer of the example."""
    customer: Record = _read(_CUSTOMER)
    return customer


def add_sample_order(store: Store) -> None:
    """Put in the order of the example with its row, invoice, payment and file."""
    store.add_order(_read(_ORDER), _read(_ORDER_ROWS))
    invoice = _read(_INVOICE)
    store.add_invoice(invoice, _read(_INVOICE_ROWS))
    store.add_payment(ORDER_ID, _read(_PAYMENT))
    store.add_file(invoice, make_file(FILE_ID, "F2026-0117.pdf", b"%PDF-1.4", "2026-01-11T16:17:40.0304578+01:00"))


def _read(text: str) -> Any:  # noqa: ANN401  (any JSON value)
    return json.loads(text, parse_float=Decimal)
