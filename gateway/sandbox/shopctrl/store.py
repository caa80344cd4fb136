"""The records of one installation, and what the system itself makes of them: invoices from rows, payment states."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from gateway.sandbox.shopctrl.documents import make_invoice_file
from gateway.sandbox.shopctrl.reference import (
    INVOICE_NOT_SENT,
    INVOICE_OPEN,
    INVOICE_PAID,
    INVOICE_PARTLY_PAID,
    INVOICE_STATUSES,
    INVOICE_UNPAID,
    Record,
)

ZERO: Final = Decimal("0.0")
_CODE_OFFSET: Final = 88_004


def _first_free_ids() -> dict[str, int]:
    return {
        "customer": 20_600,
        "contact": 9_600,
        "order": 55_100,
        "order_row": 772_001,
        "invoice": 88_401,
        "invoice_row": 5_001,
        "payment": 5_001,
        "file": 991_001,
    }


@dataclass(slots=True)
class Store:
    """Everything that can be read or changed over the API, by id."""

    customers: dict[int, Record] = field(default_factory=dict)
    orders: dict[int, Record] = field(default_factory=dict)
    order_rows: dict[int, list[Record]] = field(default_factory=dict)
    """By order id."""
    invoices: dict[int, Record] = field(default_factory=dict)
    """Each with every field that any profile shows, under the names of 2026."""
    invoice_rows: dict[int, list[Record]] = field(default_factory=dict)
    """By invoice id."""
    invoices_of: dict[int, list[Record]] = field(default_factory=dict)
    """The invoices of an order, deleted ones too."""
    payments: dict[int, list[Record]] = field(default_factory=dict)
    """By order id; each with its allocations, whatever the shape that is shown."""
    files: dict[int, Record] = field(default_factory=dict)
    invoice_of_file: dict[int, int] = field(default_factory=dict)
    free_ids: dict[str, int] = field(default_factory=_first_free_ids)

    def take_id(self, kind: str) -> int:
        """Give an id that nothing of this kind has."""
        taken = self.free_ids[kind]
        self.free_ids[kind] = taken + 1
        return taken

    def add_order(self, order: Record, rows: list[Record]) -> None:
        """Keep an order and its rows."""
        self.orders[order["Id"]] = order
        self.order_rows[order["Id"]] = rows
        self.invoices_of[order["Id"]] = []
        self.payments[order["Id"]] = []

    def add_invoice(self, invoice: Record, rows: list[Record]) -> None:
        """Keep an invoice of an order that is here."""
        self.invoices[invoice["Id"]] = invoice
        self.invoice_rows[invoice["Id"]] = rows
        self.invoices_of[invoice["OrderId"]].append(invoice)

    def add_file(self, invoice: Record, file: Record) -> None:
        """Keep a file as the document of an invoice."""
        self.files[file["Id"]] = file
        self.invoice_of_file[file["Id"]] = invoice["Id"]
        invoice["DocumentFileId"] = file["Id"]

    def rows_to_invoice(self, order_id: int) -> list[Record]:
        """Give the rows of an order that stand on no invoice; a deleted invoice does not count."""
        invoices = (invoice for invoice in self.invoices_of[order_id] if not invoice["Deleted"])
        invoiced = {row["OrderRowId"] for invoice in invoices for row in self.invoice_rows[invoice["Id"]]}
        return [row for row in self.order_rows[order_id] if row["Id"] not in invoiced]

    def invoice_remainder(self, order: Record, now: str) -> Record | None:
        """Invoice the rows that are not invoiced yet, dated now; None when there are none."""
        rows = self.rows_to_invoice(order["Id"])
        if not rows:
            return None
        invoice_id = self.take_id("invoice")
        invoice = make_invoice(invoice_id, invoice_code(invoice_id, now), order, rows, now)
        self.add_invoice(invoice, [make_invoice_row(self.take_id("invoice_row"), row) for row in rows])
        self.add_file(invoice, make_invoice_file(self.take_id("file"), invoice, now))
        order["ChangeTimestamp"] = now
        return invoice

    def add_payment(self, order_id: int, payment: Record) -> None:
        """Keep a payment and bring the payment states of the order's invoices up to date."""
        self.payments[order_id].append(payment)
        for invoice in self.invoices_of[order_id]:
            invoice["PaymentStatusId"] = self._payment_status(invoice)
            invoice["PaymentStatus"] = status_object(invoice["PaymentStatusId"])

    def _payment_status(self, invoice: Record) -> int:
        allocations = (allocation for payment in self.payments[invoice["OrderId"]] for allocation in payment["PaymentAllocations"])
        paid = sum((a["AllocatedAmount"] for a in allocations if a["InvoiceId"] == invoice["Id"]), ZERO)
        if not paid:
            return INVOICE_UNPAID
        return INVOICE_PAID if abs(paid) >= abs(invoice["InvoiceTotalIncVat"]) else INVOICE_PARTLY_PAID


def invoice_code(invoice_id: int, date: str) -> str:
    """Give the business key of an invoice, such as `F2026-0117`."""
    return f"F{date[:4]}-{invoice_id - _CODE_OFFSET:04d}"


def status_object(status_id: int | None) -> Record | None:
    """Give an invoice status as it stands in an invoice."""
    return None if status_id is None else {"Id": status_id, "Name": INVOICE_STATUSES[status_id]["Name"]}


def total(rows: list[Record], name: str) -> Decimal:
    """Add up one field of the rows, exactly."""
    return sum((row[name] for row in rows), ZERO)


def make_invoice_row(row_id: int, row: Record) -> Record:
    """Make the invoice row of an order row."""
    return {
        "Id": row_id,
        "OrderRowId": row["Id"],
        "ProductCode": row["ProductCode"],
        "ProductName": row["ProductName"],
        "ProductDescription": row["ProductDescription"],
        "Comment": row["Comment"],
        "ProductSelectionProductId": row["ProductSelectionProductId"],
        "ItemQuantity": row["ItemQuantity"],
        "ItemPriceExVat": row["ItemPriceExVat"],
        "ItemPriceIncVat": row["ItemPriceIncVat"],
        "DiscountExVat": row["RowDiscountExVat"],
        "DiscountIncVat": row["RowDiscountIncVat"],
        "RowTotalExVat": row["RowTotalExVat"],
        "RowTotalIncVat": row["RowTotalIncVat"],
        "VatTariffId": row["VATTariffId"],
        "VatTariffCode": row["VATTariffCode"],
        "VatPercentage": row["Vatperc"],
    }


def make_invoice(invoice_id: int, code: str, order: Record, rows: list[Record], date: str) -> Record:
    """Make an open, unsent invoice over these order rows, without fees and without a document."""
    return {
        "MainStatus": status_object(INVOICE_OPEN),
        "PaymentStatus": status_object(INVOICE_UNPAID),
        "SentStatus": status_object(INVOICE_NOT_SENT),
        "CustomStatus": None,
        "MainStatusComment": None,
        "PaymentStatusComment": None,
        "SentStatusComment": None,
        "CustomStatusComment": None,
        "MainStatusActionDate": None,
        "PaymentStatusActionDate": None,
        "SentStatusActionDate": None,
        "CustomStatusActionDate": None,
        "CultureCode": order["CultureCode"],
        "CultureId": order["CultureId"],
        "ExchangeRate": order["ExchangeRate"],
        "ShopId": order["ShopId"],
        "ShippingCostsIncVat": ZERO,
        "ShippingCostsExVat": ZERO,
        "PaymentFeeIncVat": ZERO,
        "PaymentFeeExVat": ZERO,
        "Id": invoice_id,
        "InvoiceCode": code,
        "InvoiceDate": date,
        "InvoiceTotalIncVat": total(rows, "RowTotalIncVat"),
        "InvoiceTotalExVat": total(rows, "RowTotalExVat"),
        "CurrencyId": order["CurrencyId"],
        "CurrencyCode": order["CurrencyCode"],
        "Deleted": False,
        "ChangedTimestamp": date,
        "MainStatusId": INVOICE_OPEN,
        "PaymentStatusId": INVOICE_UNPAID,
        "SentStatusId": INVOICE_NOT_SENT,
        "CustomStatusId": None,
        "DocumentFileId": None,
        "OrderId": order["Id"],
        "OrderCode": order["OrderCode"],
        "InvoiceSourceType": 0,
        "IsReadOnly": False,
    }
