"""Samples of what ShopCtrl sends, as text, and the values every test starts from."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.model import OrderStatus, PaymentStatus
from gateway.sources.base import SourceProfile
from gateway.sources.shopctrl.settings import ShopctrlOptions

OPTIONS = ShopctrlOptions(shop_ids=(3, 4), shop_owner_id=1)
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PROFILE = SourceProfile(
    key="shop",
    system="SHOPCTRL",
    display_name="Shop",
    time_zone=AMSTERDAM,
    payment_status={"41": PaymentStatus.PARTIALLY_PAID},
    order_status={"12": OrderStatus.OPEN},
)
BARE_PROFILE = SourceProfile(key="shop", system="SHOPCTRL", display_name="Shop", time_zone=AMSTERDAM)

CUSTOMER = """{"CustomerCode": "K-20411", "ReceiveNewsLetter": false, "CustomerGroupId": 2,
 "BillToAddress": {"Id": 9001, "CompanyName": "De Vries Fietsen B.V.", "VatNumber": "NL004495445B01", "CocNumber": "30123456",
  "FullName": "Sanne de Vries", "DateOfBirth": null, "Gender": "F", "PersonTitle": "Mevr.", "FirstName": "Sanne", "MiddleName": null,
  "LastNamePrefix": "de", "LastName": "Vries", "Address": "Oudegracht 112 bis", "Address2": null, "StreetAddress": "Oudegracht",
  "StreetAddressNumber": "112", "StreetAddressExtension": "bis", "PostalCode": "3511 AW", "City": "Utrecht", "CountryId": 150,
  "CountryCode": "NL", "EMail": "facturen@devriesfietsen.example", "Phone": "+31 30 555 0101", "Phone2": null, "StateProvince": "Utrecht"},
 "ShipToAddress": null, "ShopOwnerId": 1, "PersonTitle": "Mevr.", "FirstName": "Sanne", "MiddleName": null, "LastNamePrefix": "de",
 "LastName": "Vries", "CultureId": 19, "PersonalNumber": null, "ChangedTimestamp": "2026-01-09T11:20:31.0304578+01:00", "Id": 20411,
 "FullName": "Sanne de Vries", "CompanyName": "De Vries Fietsen B.V.",
 "EMail": "facturen@devriesfietsen.example", "ContactReference": "Sanne"}"""

ORDER = """{"OrderType": 0, "PreferredDeliveryDate": null, "MainStatus": {"Id": 12, "Name": "In behandeling"},
 "PaymentStatus": {"Id": 21, "Name": "Open"}, "StockStatus": null, "FulfilmentStatus": null, "ShipmentStatus": null, "CustomStatus": null,
 "CultureCode": "nl-NL", "CultureId": 19, "Incoterms": 0, "ExchangeRate": 1.0, "ShopId": 3, "ViewModusIncVAT": true,
 "ExternalOrderKey": "WEB-8812", "CouponCode": null, "PaymentFeeIncVat": 0.0, "PaymentFeeExVat": 0.0, "ShippingCostsIncVat": 0.0,
 "ShippingCostsExVat": 0.0, "PaymentTypeId": 4, "CarrierAccountId": null, "CustomerId": 20411, "CustomerCode": "K-20411",
 "CustomerReference": "PO 77", "CustomerNote": null, "CustomerRating": null, "ShopNote": null, "SyncSource": "web",
 "CustomerIpaddress": null, "DiscountExVat": 0.0, "DiscountIncVat": 0.0, "DownPayment": 0.0,
 "BillToContact": {"Id": 9001, "CompanyName": "De Vries Fietsen B.V.", "FullName": "Sanne de Vries", "CountryCode": "NL"},
 "ShipToContact": null, "Params": [], "OrderRows": [], "Shipments": [], "Id": 55012, "OrderCode": "UTR-2026-00431",
 "Date": "2026-01-10T09:31:00+01:00", "OrderTotalIncVat": 242.0, "OrderTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR",
 "Deleted": false, "ChangeTimestamp": "2026-01-11T16:17:35.0304578+01:00", "MainStatusId": 12, "AffiliateId": null}"""

ORDER_ROWS = """[{"Id": 771001, "ProductSelectionProductId": null, "OrderRowKey": "r1", "ItemQuantity": 2.0,
  "ProductName": "Fietstas waterdicht", "ProductCode": "TAS-21", "ProductDescription": null, "ItemPriceExVat": 100.0,
  "ItemPriceIncVat": 121.0, "RowDiscountExVat": 0.0, "RowDiscountIncVat": 0.0, "Vatperc": 21.0, "VATTariffId": 2, "VATTariffCode": "HOOG",
  "RowTotalExVat": 200.0, "RowTotalIncVat": 242.0, "Comment": null, "SupplierId": null, "ItemPurchasePrice": 61.5,
  "CreditForOrderRowId": null, "Sequence": 1, "ShopProductUrl": null, "ShopProductImageUrl": null, "Params": [], "StockStatus": null}]"""

INVOICE_BASE_2026 = """{"Id": 88121, "InvoiceCode": "F2026-0117", "InvoiceDate": "2026-01-11T16:17:35.0304578+01:00",
  "InvoiceTotalIncVat": 242.0, "InvoiceTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR", "Deleted": false,
  "ChangedTimestamp": "2026-01-11T16:17:36.119204+01:00", "MainStatusId": 31, "PaymentStatusId": 41, "SentStatusId": 51,
  "CustomStatusId": null, "DocumentFileId": 990017, "ShopId": 3, "OrderId": 55012, "OrderCode": "UTR-2026-00431", "InvoiceSourceType": 0,
  "IsReadOnly": false}"""

INVOICE_BASE_2021 = """{"Id": 88121, "InvoiceCode": "F2026-0117", "OrderId": 55012, "OrderCode": "UTR-2026-00431",
 "InvoiceDate": "2026-01-11T16:17:35.030457+01:00", "InvoiceTotalIncVat": 242.0, "InvoiceTotalExVat": 200.0, "CurrencyId": 1,
 "CurrencyCode": "EUR", "Deleted": false, "ChangeTimestamp": "2026-01-11T16:17:35.030457+01:00", "MainStatusId": 31,
 "DocumentFileId": 990017}"""

PAGE_SAMPLE = """{ "Id": 1, "InvoiceCode": "sample string 2", "OrderId": 3, "OrderCode": "sample string 4",
 "InvoiceDate": "2021-12-02T20:19:34.279104+01:00", "InvoiceTotalIncVat": 5.0, "InvoiceTotalExVat": 6.0, "CurrencyId": 7,
 "CurrencyCode": "sample string 8", "Deleted": true, "ChangeTimestamp": "2021-12-02T20:19:34.279104+01:00", "MainStatusId": 1,
 "DocumentFileId": 1 }"""

INVOICE = """{"MainStatus": {"Id": 31, "Name": "Open"}, "PaymentStatus": {"Id": 41, "Name": "Deels betaald"},
 "SentStatus": {"Id": 51, "Name": "Verzonden"}, "CustomStatus": null, "MainStatusComment": null, "PaymentStatusComment": null,
 "SentStatusComment": null, "CustomStatusComment": null, "MainStatusActionDate": null, "PaymentStatusActionDate": null,
 "SentStatusActionDate": "2026-01-11T16:20:00+01:00", "CustomStatusActionDate": null, "CultureCode": "nl-NL", "CultureId": 19,
 "ExchangeRate": 1.0, "ShopId": 3, "ShippingCostsIncVat": 0.0, "ShippingCostsExVat": 0.0, "PaymentFeeIncVat": 0.0, "PaymentFeeExVat": 0.0,
 "Id": 88121, "InvoiceCode": "F2026-0117", "InvoiceDate": "2026-01-11T16:17:35.0304578+01:00", "InvoiceTotalIncVat": 242.0,
 "InvoiceTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR", "Deleted": false,
 "ChangedTimestamp": "2026-01-11T16:17:36.119204+01:00", "MainStatusId": 31, "PaymentStatusId": 41, "SentStatusId": 51,
 "CustomStatusId": null, "DocumentFileId": 990017, "OrderId": 55012, "OrderCode": "UTR-2026-00431"}"""

INVOICE_ROWS = """[{"Id": 1, "OrderRowId": 771001, "ProductCode": "TAS-21", "ProductName": "Fietstas waterdicht",
  "ProductDescription": null, "Comment": null, "ProductSelectionProductId": null,
  "ItemQuantity": 3.0, "ItemPriceExVat": 100.0, "ItemPriceIncVat": 121.0,
  "DiscountExVat": 0.0, "DiscountIncVat": 0.0, "RowTotalExVat": 300.0, "RowTotalIncVat": 363.0, "VatTariffId": 2, "VatTariffCode": "HOOG",
  "VatPercentage": 21.0},
 {"Id": 2, "OrderRowId": 771002, "ProductCode": "TAS-21", "ProductName": "Fietstas waterdicht", "ProductDescription": null,
  "Comment": "retour", "ProductSelectionProductId": null, "ItemQuantity": -1.0, "ItemPriceExVat": 100.0, "ItemPriceIncVat": 121.0,
  "DiscountExVat": 0.0, "DiscountIncVat": 0.0, "RowTotalExVat": -100.0, "RowTotalIncVat": -121.0, "VatTariffId": 2, "VatTariffCode": "HOOG",
  "VatPercentage": 21.0}]"""

SHOP_STATUS = """[{"Id": 3, "Name": "Fietswinkel Utrecht", "Active": true, "LastMailCheck": "2026-01-11T16:10:02.1180231+01:00",
 "LastOrderSync": "2026-01-11T16:12:44.5500127+01:00"}]"""

ORDER_ROW = """{"CompanyName": "De Vries Fietsen B.V.", "FullName": "Sanne de Vries", "Id": 55012, "OrderCode": "UTR-2026-00431",
  "Date": "2026-01-10T09:31:00+01:00", "OrderTotalIncVat": 242.0, "OrderTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR",
  "Deleted": false, "ChangeTimestamp": "2026-01-11T16:17:35.0304578+01:00", "MainStatusId": 12, "AffiliateId": null}"""

PAYMENTS_FLAT = """[{"Id": 4401, "ShopId": 3, "ShopOwnerId": 1, "Amount": 100.0, "PaymentDate": "2026-01-12T00:00:00+01:00",
  "CurrencyId": 1, "CurrencyCode": "EUR", "Note": "iDEAL", "AccountNumber": "NL91ABNA0417164300", "AccountName": "De Vries Fietsen",
  "TransactionId": "tr_7Hk2", "ImportSource": "psp", "CreationDate": "2026-01-12T08:01:44.0304578+01:00", "PaymentTypeId": 4,
  "OrderId": 55012, "InvoiceId": 88121}]"""

PAYMENTS_ALLOCATED = """[{"Id": 4401, "ShopOwnerId": 1, "Amount": 100.0, "PaymentDate": "2026-01-12T00:00:00+01:00",
  "CurrencyId": 1, "CurrencyCode": "EUR", "TransactionId": "tr_7Hk2", "CreationDate": "2026-01-12T08:01:44.0304578+01:00",
  "PaymentTypeId": 4, "PaymentAllocations": [{"OrderId": 55012, "InvoiceId": 88121, "AllocatedAmount": 100.0}]}]"""

FILE = """{"CreatedTimestamp": "2026-01-11T16:17:40.0304578+01:00", "ChangedTimestamp": null, "FileLength": 8,
 "Checksum": "18284a4fd0967804c9a02cb5be86798b54509153", "Sequence": 0, "Base64Data": "JVBERi0xLjQ=", "Id": 990017,
 "Filename": "F2026-0117.pdf"}"""

INVOICE_STATUS = """{"ShopOwnerId": 1, "ShopId": null, "IsDefaultStatus": true, "HasActionDate": false, "ActionDateCaption": null,
 "ActionDateMessage": null, "Sequence": 10, "Id": 31, "BaseInvoiceStatusId": 2, "InvoiceStatusTypeId": 1, "Name": "Open"}"""

ORDER_STATUS = """{"ShopOwnerId": 1, "ShopId": 3, "IsDefaultStatusForId": null, "HasActionDate": false, "ActionDateCaption": null,
 "ActionDateMessage": null, "Sequence": 10, "Id": 12, "BaseOrderStatusId": 2, "OrderStatusTypeId": 1, "Name": "In behandeling",
 "Enabled": true}"""
