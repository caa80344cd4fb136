"""Written-out rows that never change with the seed, for documentation, queries and tests to name.

Values are invented; their form is that of the samples on the vendor's help pages.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final

from gateway.sandbox.nimpos.json_net import Row
from gateway.sandbox.nimpos.models import CUSTOMER, CUSTOMER_DEBT, CUSTOMER_INVOICE, ORDER, Model, read_model

OUTLET: Final = "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11"
TERMINAL: Final = "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20"

_CUSTOMERS: Final = """[
{"Id": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "ParentId": "00000000-0000-0000-0000-000000000000",
 "Name": "Bageri Kringlan AB", "OrgNo": "556812-3344", "Address1": "Hornsgatan 42", "Address2": null, "FloorNo": 0,
 "PortCode": null, "CustomerNo": "1042", "City": "Stockholm", "Phone": "+46 8 555 010 20", "Email": "ekonomi@kringlan.example",
 "ZipCode": "118 21", "Reference": "Åsa Öberg", "DirectPrint": false, "VehicleId": 0, "CommunicationTypeId": 0,
 "Active": true, "Synced": true, "EnableRUT": false, "RUTDisallowedUntil": null, "CustomerType": 1,
 "PrimaryName": "Åsa Öberg", "PrimaryPhone": "+46 70 555 01 02", "PrimaryEmail": "asa@kringlan.example", "SendReceipt": true,
 "InstructionAlert": false, "Instructions": null, "PaymentMethod": 0, "DeliveryMethod": 0,
 "Created": "2026-02-03T09:12:44.1180231+01:00", "Updated": "2026-06-18T14:02:10.5523117+02:00",
 "UpdatedBy": "00000000-0000-0000-0000-000000000000", "PriceListId": "00000000-0000-0000-0000-000000000000",
 "Customer_CustomField": [{"Id": "e4d7b1a0-5f0e-4a55-9b36-5a2f4dd1c0a1", "FieldId": "a2b9c0d4-18f3-4d44-b1f7-3f3c0cf2a9b7",
  "CustomerId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "Caption": "Kostnadsställe", "Text": "210", "SortOrder": 1,
  "Updated": "2026-02-03T09:12:44.1180231+01:00"}],
 "DiscountGroupId": null, "OrgNumber": "556812-3344", "CustomerName": "Bageri Kringlan AB", "Address": "Hornsgatan 42",
 "ContactReference": "Åsa Öberg", "PrimaryContacts": [], "DiscountGroup": null, "Parent": null, "ShowEdit": false},
{"Id": "7b8a1ce9-4b3e-4c0d-8f6b-1d2e3f405162", "ParentId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01",
 "Name": "Bageri Kringlan Uppsala", "CustomerNo": "1043", "City": "Uppsala", "ZipCode": "753 20", "Active": true,
 "Updated": "2026-06-18T14:05:31.002914+02:00", "PrimaryContacts": []}
]"""

_ORDERS: Final = """[
{"Id": "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6", "CreationDate": "2026-06-21T12:03:09.4410027+02:00",
 "OrderNoOfDay": "17", "TableId": 0, "TableName": null, "CustomerId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "Status": 13, "Type": 0,
 "PaymentStatus": 2, "Comments": null, "OrderComments": "Leverans bakdörren", "InvoiceNumber": 20117,
 "InvoiceDate": "2026-06-21T12:10:00+02:00", "InvoiceGenerated": true, "UserId": "ad0f7b6e-8f0b-4f38-8a1a-b1f6d7d5e001",
 "CheckOutUserId": "ad0f7b6e-8f0b-4f38-8a1a-b1f6d7d5e001", "Bong": 31, "TrainingMode": false,
 "TerminalId": "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20", "OutletId": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "SourceTerminalId": null,
 "CustomerInvoiceId": "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6", "RoundedAmount": 0.0, "OrderTotal": 1250.0,
 "ServeFlowId": 0, "ServeFlowStatus": 0, "CategoryId": 0, "DeliveryDate": null, "EnableRUT": false, "CustomerReferenceId": null,
 "ExternalStatus": 0, "PerformaCount": 0, "DeleteReason": null, "DiscountReason": null, "WaitForCourse": false,
 "TableRecreated": false, "ReturnRecreated": false, "Updated": "2026-06-21T12:10:02.7719300+02:00", "OrderState": null,
 "OrderLines": [{"Id": "c0a8f3d1-26b4-4f6e-9d53-40a7b8c9d001", "Quantity": 25.0, "UnitPrice": 50.0}],
 "Receipts": [], "Payments": [], "RUTDiscount": 0.0, "CustomerName": "Bageri Kringlan AB", "CustomerPhone": "+46 8 555 010 20",
 "PrimaryContact": "Åsa Öberg", "PrimaryPhone": null, "PrimaryEmail": null, "CustomerNo": "1042", "Email": "ekonomi@kringlan.example",
 "CustomerAddress": "Hornsgatan 42", "CreatedBy": "Kassa 1", "IsSelected": false, "EmailSent": false, "SentDate": null,
 "DueDate": "2026-07-21T00:00:00+02:00", "BalanceAmount": 1250.0, "ServiceTypeCode": "STD", "IsGiftCardSale": false,
 "OpenSynced": true, "Synced": true}
]"""

_INVOICES: Final = """[
{"Id": "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6", "InvoiceNumber": 20117, "CustomerId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01",
 "Remarks": "Juni, bröd och kaffe", "InvoiceTotal": 1250.0, "PaymentStatus": 0, "PaidDate": null,
 "DueDate": "2026-07-21T00:00:00+02:00", "EmailSent": false, "SentDate": null,
 "OutletId": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "TerminalId": "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20",
 "ForeignInvoiceNumber": 0, "Deleted": false, "ExportStatus": 0, "ExportError": null,
 "CreationDate": "2026-06-21T22:48:27.9745441+02:00", "Synced": false,
 "OrdersGuid": ["1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"], "PaidStatus": "Ej betald"}
]"""

_DEBTS: Final = """[
{"Id": "0d7a4f1b-3e55-4e0b-9bb3-2b1c6a7d8e90", "OrderId": "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6",
 "CustomerId": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "InvoiceDate": "2026-06-01T00:00:00+02:00", "Status": 0,
 "TotalAmount": 1250.0, "RUTAmount": 0.0, "Balance": 1250.0, "PayNow": false, "PaymentType": 2, "Synced": true,
 "Updated": "2026-06-21T22:48:27.9745441+02:00", "InvoiceNumber": 20117, "BtnColor": "#FFD3D3D3", "PaidBy": null}
]"""


def customers() -> list[Row]:
    """Give a company and its branch; the branch names its parent by ParentId only."""
    return _rows(CUSTOMER, _CUSTOMERS)


def orders() -> list[Row]:
    """Give the one order that the sample invoice covers."""
    return _rows(ORDER, _ORDERS)


def invoices() -> list[Row]:
    """Give the sample invoice, unpaid."""
    return _rows(CUSTOMER_INVOICE, _INVOICES)


def debts() -> list[Row]:
    """Give the open balance of the sample invoice."""
    return _rows(CUSTOMER_DEBT, _DEBTS)


def _rows(model: Model, text: str) -> list[Row]:
    return [read_model(model, item) for item in json.loads(text, parse_float=Decimal)]
