"""Payloads of the Help pages' shape, and the profile of a site."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.sources.base import SourceProfile

NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GUID: Final = "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21"

CUSTOMER: Final = """{"Id": "7C1D0E5A-91b4-4c39-8a77-2f6b5f0d1e21", "BranchName": "Däckcenter Västerås", "CountryName": "Sverige",
 "Agreements": [{"ZoneId": 1, "Number": 301, "FixedProductRange": false}],
 "Created": "2019-05-02 09:00:00", "Changed": "2026-01-14 13:22:05",
 "DeliveryAddresses": [], "CurrentClaim": 12840.00, "CreditLimit": 50000.00, "CustomerNo": 40017, "BranchId": 12,
 "SearchCode": "MALARAKERI",
 "Name": "Mälaråkeriet AB", "OrgNo": "556701-2231", "Address1": "Stenbygatan 4", "Address2": null, "Address3": null, "PostalCode": "721 36",
 "Town": "Västerås", "CountryId": "SE", "BoardHome": null, "Phone1": "+46 21 555 100", "Phone2": null,
 "Email": "faktura@malarakeri.example", "VatRegistrationNumber": "SE556701223101", "IsCompany": true,
 "GlobalLocationNumber": "7350012345678"}"""

ORDER: Final = """{"Id": 5512, "CurrencyName": "Svenska kronor", "IsWebOrder": false, "OrderStatusId": 1, "OrderStatusName": "Öppen",
 "WMSStatusId": 1, "WMSStatusName": "Ej skickad", "CloseOrderTypeId": null, "CloseOrderTypeName": null,
 "CarrierId": null, "CarrierName": null,
 "OrderLines": [{"OrderLineArticle": {"SalesAccount": 3041, "StockNumber": 12, "CostPrice": 1890.0, "ArticleNumber": 810045, "Quantity":
   4.0,
   "Description": "Vinterdäck 315/70R22.5", "Price": 2950.0, "DiscountFactor": 0.9, "Amount": 10620.0, "VatPercent": 25.0, "VatAmount":
   2655.0},
   "OrderLineText": null, "LineNumber": 1},
  {"OrderLineArticle": null, "OrderLineText": {"Text": "Monteras innan kl. 07"}, "LineNumber": 2}],
 "OrderType": 0, "SellerBranchId": 12, "CustomerNumber": 40017, "OrderDate": "2026-01-19 00:00:00", "CurrencyId": 1, "CurrencyRate": 1.0,
 "TotalAmountIncludingVat": 13275.0, "TotalAmountExcludingVat": 10620.0, "RoundingAmount": 0.0}"""

INVOICE: Final = """{"No": 910234, "InvoiceType": {"Id": 1, "Name": "Kontofaktura"}, "InvoiceDate": "2026-01-21 00:00:00",
 "JournalNumber": 4411,
 "CurrencyCode": "SEK", "CurrencyRate": 1.0, "BalanceDue": "2026-02-20 00:00:00", "InvoiceFee": 29.0, "Amount": 10649.0,
 "VatAmount": 2662.25,
 "RoundingAmount": -0.25, "TotalAmount": 13311.0, "DiscountBalanceDue": null, "InvoiceReferenceCode": "9102341",
 "InvoiceText": "Ordernr 5512",
 "InvoiceRecipientId": "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21", "InvoiceRecipientName": "Mälaråkeriet AB",
 "SenderName": "Däckcenter Västerås", "DefaultVatPercent": 25.0, "Created": "2026-01-21 22:50:59"}"""

CURRENCY: Final = '{"Id": 1, "Name": "Svenska kronor", "Rate": 1.0000000000, "RoundingAmount": 1.00, "CurrencyCode": "SEK"}'

# As a host without ReverseTax answers; the pilot host adds it.
SETTINGS: Final = """{"CustomerNumber": 40017, "RetainsInvoiceType": true, "CurrencyId": 1, "TermsOfPaymentId": 30, "PaysInvoiceFee": true,
 "InvoiceTypeId": 2, "InterestTypeId": 1, "InvoiceCycleId": 1, "InvoiceRecipientCustomerNumber": 40017, "CreditAccountId": 1,
 "AllowInvoicePaymentFromOrder": true, "SendInvoiceFromOrderAsEmail": true,
 "InvoiceOrderPaymentEmailAddress": "faktura@malarakeri.example"}"""
PILOT_SETTINGS: Final = SETTINGS.replace("\n", "")[:-1] + ', "ReverseTax": false}'

APPLIED: Final = '{"Errors": [], "Success": true}'
REFUSED: Final = '{"Errors": [{"ErrorCode": 1, "ErrorMessage": "Kundnummer 40017 saknas"}], "Success": false}'


def page(*rows: str, total: int = 1) -> str:
    """Make a page of customers; the list is spelt as on the wire."""
    return f'{{"CustomerReponse": [{", ".join(rows)}], "TotalPages": {total}, "NextPage": null, "PreviousPage": null}}'


def customer_row(number: int, guid: str = "00000000-0000-0000-0000-000000000000") -> str:
    """Make a short customer row."""
    return f'{{"Id": "{guid}", "CustomerNo": {number}, "Name": "Kund {number}"}}'


def make_profile(**fields: Any) -> SourceProfile:  # noqa: ANN401  (fields of SourceProfile)
    """Make the profile of a site in Sweden."""
    base: dict[str, Any] = {"key": "src", "system": "COMPILATOR", "display_name": "Site", "time_zone": ZoneInfo("Europe/Stockholm")}
    return SourceProfile(**{**base, **fields})
