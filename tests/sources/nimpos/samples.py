"""Answers of NIMPOS as text, made after the tables and samples of its help pages; no real data."""

from __future__ import annotations

from typing import Any

from gateway.sources.nimpos import NimposOptions
from gateway.sources.nimpos.source import NimposSource
from tests.fakes import FakeWire, Handler, make_parts

TILL = "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20"
OTHER_TILL = "0b0b0b0b-0000-4000-8000-000000000002"
OUTLET = "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11"
CUSTOMER = "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"
BRANCH = "7b8a1ce9-4b3e-4c0d-8f6b-1d2e3f405162"
ORDER = "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"
OTHER_ORDER = "8c7b6a59-4837-4261-9504-f3e2d1c0b9a8"
INVOICE = "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6"
NOBODY = "00000000-0000-0000-0000-000000000000"

INVOICES = """[{"$id": "1", "Id": "6A1D2F3E-4b5c-4d6e-8f70-8192a3b4c5d6", "InvoiceNumber": 20117,
  "CustomerId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01",
  "Remarks": "Juni, bröd och kaffe", "InvoiceTotal": 1250.0, "PaymentStatus": 0, "PaidDate": null,
  "DueDate": "2026-07-21T00:00:00+02:00", "EmailSent": false, "SentDate": null,
  "OutletId": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "TerminalId": "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20",
  "ForeignInvoiceNumber": 0, "Deleted": false, "ExportStatus": 0, "ExportError": null,
  "CreationDate": "2026-06-21T22:48:27.9745441+02:00", "Synced": false,
  "OrdersGuid": ["1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"], "PaidStatus": "Ej betald"}]"""

CUSTOMERS = """[{"$id": "1", "Id": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "ParentId": "00000000-0000-0000-0000-000000000000",
  "Name": "Bageri Kringlan AB", "OrgNo": "556812-3344", "Address1": "Hornsgatan 42", "Address2": null, "FloorNo": 0,
  "PortCode": null, "CustomerNo": "1042", "City": "Stockholm", "Phone": "+46 8 555 010 20", "Email": "ekonomi@kringlan.example",
  "ZipCode": "118 21", "Reference": "Åsa Öberg", "DirectPrint": false, "VehicleId": 0, "CommunicationTypeId": 0,
  "Active": true, "Synced": true, "EnableRUT": false, "RUTDisallowedUntil": null, "CustomerType": 1,
  "Created": "2026-02-03T09:12:44.1180231+01:00", "Updated": "2026-06-18T14:02:10.5523117+02:00",
  "Customer_CustomField": [{"$id": "2", "Caption": "Kostnadsställe", "Text": "210", "SortOrder": 1}],
  "PrimaryContacts": [], "DiscountGroup": null, "Parent": null, "ShowEdit": false},
 {"$id": "3", "Id": "7b8a1ce9-4b3e-4c0d-8f6b-1d2e3f405162", "ParentId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01",
  "Name": "Bageri Kringlan Uppsala", "CustomerNo": "1043", "City": "Uppsala", "ZipCode": "753 20", "Active": true,
  "Updated": "2026-06-18T14:05:31.002914+02:00", "PrimaryContacts": [], "Parent": {"$ref": "1"}}]"""

ORDER_17 = """{"$id": "1", "Id": "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6", "CreationDate": "2026-06-21T12:03:09.4410027+02:00",
 "OrderNoOfDay": "17", "TableId": 0, "TableName": null, "CustomerId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "Status": 13, "Type": 0,
 "PaymentStatus": 2, "OrderComments": "Leverans bakdörren", "InvoiceNumber": 20117, "InvoiceGenerated": true,
 "TerminalId": "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20", "OutletId": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "SourceTerminalId": null,
 "CustomerInvoiceId": "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6", "RoundedAmount": 0.0, "OrderTotal": 1250.0,
 "ExternalStatus": 0, "OrderState": null,
 "OrderLines": [{"$id": "2", "Id": "c0a8f3d1-26b4-4f6e-9d53-40a7b8c9d001", "Quantity": 25.0, "UnitPrice": 50.0}],
 "Receipts": [], "Payments": [], "CustomerName": "Bageri Kringlan AB", "CustomerNo": "1042", "Synced": true}"""

SETTINGS = """{"$id": "1",
 "Outlets": [{"$id": "2", "Id": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "Name": "Södermalm"}],
 "Terminals": [{"$id": "3", "Id": "9C2E61D4-77b0-4f0a-8f8e-3f1f6d5b7a20", "Name": "Kassa 1"}],
 "PaymentTypes": [], "OrderStates": [], "CashDrawers": [], "Warehouses": [], "APIEndPoints": []}"""


def an_order(order_id: str, invoice_id: str | None = None) -> str:
    """Write an order that carries an invoice, or none."""
    return f'{{"Id": "{order_id}", "CustomerInvoiceId": "{invoice_id or NOBODY}"}}'


def make_source(handler: Handler, *tills: str, **profile: Any) -> tuple[NimposSource, FakeWire]:  # noqa: ANN401  (fields of SourceProfile)
    """Make a source over a fake wire; SEK by default."""
    options = NimposOptions.model_validate({"terminal_ids": tills or (TILL,)})
    parts, wire = make_parts(options, handler, **{"key": "pos", "system": "NIMPOS", "default_currency": "SEK", **profile})
    return NimposSource(parts), wire
