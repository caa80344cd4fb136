"""The records that stand in the vendor's page formats word for word: one customer with all that belongs to it.

Tests and demos can name them by heart: customer 40017, order 5512 of branch 12, invoice 910234, currency 1.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

Record = dict[str, Any]
"""One object by its PascalCase names; dates are naive `datetime`, decimals `Decimal`, GUIDs lower-case text."""

CUSTOMER_NUMBER: Final = 40017
CUSTOMER_ID: Final = "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21"
CONTACT_ID: Final = "0b6f2b1a-6f4e-4c1c-9a7b-7d1f0b2c3d4e"
ORDER_KEY: Final = (5512, 12)
INVOICE_NUMBER: Final = 910234
LICENSE_PLATE: Final = "ABC123"

DATE_FIELDS: Final = frozenset({
    "BalanceDue", "Changed", "ChangedDate", "Created", "CreatedDate", "CreditChangeDate", "DeliveryDate", "DiscountBalanceDue",
    "GDPRConsentDate", "InvoiceDate", "OrderDate",
})  # fmt: skip

_CUSTOMER: Final = """
{"Id": "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21", "BranchName": "Däckcenter Västerås", "CountryName": "Sverige",
 "CustomerCategoryId1Name": "Åkeri", "CustomerCategoryId2Name": null, "Agreements": [{"ZoneId": 1, "Number": 301,
 "FixedProductRange": false}],
 "CreatedBy": "import", "Created": "2019-05-02 09:00:00", "ChangedBy": "anna", "Changed": "2026-01-14 13:22:05",
 "DeliveryAddresses": [{"Id": "f2a7c9b1-3d5e-4f60-8172-93a4b5c6d7e8", "CountryName": "Sverige", "Name": "Terminal Hacksta",
   "Address1": "Tunbytorpsgatan 10", "Address2": null, "Address3": null, "PostalCode": "721 37", "Town": "Västerås", "CountryId": "SE",
   "Phone1": null, "Phone2": null, "IsDefaultAddress": true}],
 "BreakdownServiceTypeName": null, "CurrentClaim": 12840.00, "CreditLimit": 50000.00, "FreezeFlag": false, "CSID": 77, "CustomerNo": 40017,
 "BranchId": 12, "SearchCode": "MALARAKERI", "Name": "Mälaråkeriet AB", "OrgNo": "556701-2231", "Address1": "Stenbygatan 4",
 "Address2": null, "Address3": null, "PostalCode": "721 36", "Town": "Västerås", "CountryId": "SE", "BoardHome": null,
 "Phone1": "+46 21 555 100", "Phone2": null, "WebSite": null, "Email": "faktura@malarakeri.example", "Note": null,
 "PreferredCultureId": "sv-SE", "VatRegistrationNumber": "SE556701223101", "CustomerCategoryId1": 3, "CustomerCategoryId2": null,
 "DistrictId": 1, "BreakdownServiceTypeId": null, "TransportationScheduleId": null, "RegionId": null, "ParentCustomerNo": null,
 "ReferencePerson": null, "ContactPerson": "Mikael Lindqvist", "PaysVAT": true, "IsCompany": true, "InterestInvoice": true,
 "IsCashCustomer": false, "Export": false, "WithinEU": false, "Inactive": false, "YourReference": "ML", "RequisitionOrderNumber": null,
 "InternalWorkingOrderNumber": null, "SalesPerson": "Anna Berg", "GDPRConsentDate": null, "CustomerType": null, "DocumentPath": null,
 "ExternalReference": null, "GlobalLocationNumber": "7350012345678"}
"""
_LEDGER: Final = """
{"BankAccount": "123-4567", "BankName": "Mälarbanken", "BankClearingNo": "6000", "IBAN": "SE3550000000054910000003", "BIC": "EXMPSESS",
 "FreezeFlag": false, "PaysReminderFee": true, "Reminders": true, "CreditLimit": 50000.0, "Turnover": 184300.0,
 "TurnoverLastYear": 162950.0,
 "CurrentClaim": 12840.0, "CreditChangeDate": "2025-11-03 00:00:00", "CustomerStatementTypeId": 1}
"""
_SETTINGS: Final = """
{"CustomerNumber": 40017, "RetainsInvoiceType": true, "CurrencyId": 1, "TermsOfPaymentId": 30, "PaysInvoiceFee": true, "InvoiceTypeId": 2,
 "InterestTypeId": 1, "InvoiceCycleId": 1, "InvoiceRecipientCustomerNumber": 40017, "CreditAccountId": 1,
 "AllowInvoicePaymentFromOrder": true,
 "SendInvoiceFromOrderAsEmail": true, "InvoiceOrderPaymentEmailAddress": "faktura@malarakeri.example", "ReverseTax": false}
"""
_CONTACT: Final = """
{"ContactId": "0b6f2b1a-6f4e-4c1c-9a7b-7d1f0b2c3d4e", "BranchId": 12, "BranchName": "Däckcenter Västerås", "Name": "Mikael Lindqvist",
 "Address1": "Stenbygatan 4", "Address2": null, "Address3": null, "PostalCode": "721 36", "Town": "Västerås", "CountryId": "SE",
 "CountryName": "Sverige", "Email": "mikael@malarakeri.example", "Phone": null, "Mobile": "+46 70 555 14 15",
 "BusinessPosition": "Fordonschef", "Note": null, "PreferredCultureId": "sv-SE", "Identification": 3, "IsDefault": true,
 "UseCustomerAddress": true, "CustomerNo": 40017, "CreatedDate": "2024-03-11 08:30:00", "CreatedBy": "import",
 "ChangedDate": "2026-01-09 10:12:45", "ChangedBy": "anna", "GDPRConsentDate": null, "MarkedForRemoval": false}
"""
_ORDER: Final = """
{"Id": 5512, "CurrencyName": "Svenska kronor", "IsWebOrder": false, "AgreementName": "Åkeriavtal", "RetailPriceListName": null,
 "OrderStatusId": 1, "OrderStatusName": "Öppen", "WMSStatusId": 1, "WMSStatusName": "Ej skickad", "IsWMSExpress": false,
 "CloseOrderTypeId": null, "CloseOrderTypeName": null, "WMSId": null, "CarrierId": null, "CarrierName": null, "Waybill": [],
 "PaymentTransactionProviderId": null, "AgreementNo": 301, "RetailPriceListId": null, "TimebookReservationId": null,
 "CalendarEventId": null,
 "SplitId": null,
 "OrderLines": [{"OrderLineArticle": {"SalesAccount": 3041, "StockNumber": 12, "CostPrice": 1890.0, "IsExportWithinEU": false,
   "OrderType": 0,
   "ArticleNumber": 810045, "Quantity": 4.0, "Description": "Vinterdäck 315/70R22.5", "Price": 2950.0, "DiscountFactor": 0.9,
   "Amount": 10620.0,
   "VatPercent": 25.0, "VatAmount": 2655.0, "HasVat": true, "IsExport": false}, "OrderLineText": null, "LineNumber": 1},
  {"OrderLineArticle": null, "OrderLineText": {"Text": "Monteras innan kl. 07"}, "LineNumber": 2}],
 "OrderType": 0, "SellerBranchId": 12, "CustomerNumber": 40017, "OrderDate": "2026-01-19 00:00:00", "LicensePlate": "ABC123",
 "Odometer": 412000,
 "WorkOrderNumber": "W-2291", "SalesPerson": "Anna Berg", "CurrencyId": 1, "CurrencyRate": 1.0, "DeliveryDate": "2026-01-21 00:00:00",
 "RequisitionOrderNumber": "R-88", "TotalAmountIncludingVat": 13275.0, "TotalAmountExcludingVat": 10620.0, "RoundingAmount": 0.0,
 "CustomerReference": "ML", "ContactId": "0b6f2b1a-6f4e-4c1c-9a7b-7d1f0b2c3d4e"}
"""
_INVOICE: Final = """
{"No": 910234, "InvoiceType": {"Id": 1, "Name": "Kontofaktura"}, "InvoiceDate": "2026-01-21 00:00:00", "JournalNumber": 4411,
 "CurrencyCode": "SEK", "CurrencyRate": 1.0, "BalanceDue": "2026-02-20 00:00:00", "InvoiceFee": 29.0, "Amount": 10649.0,
 "VatAmount": 2662.25,
 "RoundingAmount": -0.25, "TotalAmount": 13311.0, "DiscountBalanceDue": null, "DiscountVatAmount": 0.0, "DiscountRoundingAmount": 0.0,
 "DiscountTotalAmount": 0.0, "InvoiceReferenceCode": "9102341", "InvoiceText": "Ordernr 5512",
 "InvoiceRecipientId": "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21", "InvoiceRecipientName": "Mälaråkeriet AB",
 "SenderName": "Däckcenter Västerås",
 "DefaultVatPercent": 25.0, "Created": "2026-01-21 22:50:59"}
"""


def _with_dates(record: Record) -> Record:
    return {name: datetime.fromisoformat(value) if name in DATE_FIELDS and value else value for name, value in record.items()}


def _record(text: str) -> Record:
    record: Record = json.loads(text, parse_float=Decimal, object_hook=_with_dates)
    return record


def sample_customer() -> Record:
    """Give customer 40017, with its one delivery address."""
    return _record(_CUSTOMER)


def sample_ledger() -> Record:
    """Give the accounts receivable of customer 40017."""
    return _record(_LEDGER)


def sample_settings() -> Record:
    """Give the invoicing settings of customer 40017."""
    return _record(_SETTINGS)


def sample_contact() -> Record:
    """Give the contact person of customer 40017."""
    return _record(_CONTACT)


def sample_order() -> Record:
    """Give order 5512 of branch 12: one line with an article, one with a text."""
    return _record(_ORDER)


def sample_invoice() -> Record:
    """Give invoice 910234, which order 5512 is named in by its free text only."""
    return _record(_INVOICE)
