"""NIMPOS, a Swedish point of sale: `https://api.adm.nimpos.com/Help/` (its help pages carry no version; as of 2026).

Quirks in brief: reads of customers and invoices are windows of time for one till, without any key; an error answers 200 `[]`, so
that an empty window proves nothing; an invoice posted through the API is never listed again; a write answers no body; no record
says its currency or VAT basis; `PaidStatus` is Swedish text; objects that come twice are `{"$ref": "n"}`; unset values come as
0001-01-01, the all-zero GUID and 0; `PaymentStatus` means one thing on an invoice and another on an order.

| published read | used |
|---|---|
| `Customer/GetCustomers` | customers by id and by `CustomerNo`, and their list: one window kept for all requests, then increments |
| `Customer/GetCustomerDebts` | `amountDue`: a window kept for all requests |
| `Order/GetOrderById` | orders by id, their lines, payments and invoice, and the proof that a write happened |
| `Order/GetOrders` | the list of orders: one call a page |
| `Order/GetUpdatedOrders` | not: which change counts is not published, and `GetOrders` lists the same orders by their range |
| `Order/GetOpenOrder` | not: a part of `GetOrders`, and known to have ignored its dates |
| `Order/GetCustomerInvoice` | invoices by id and by `InvoiceNumber`, and their list: a window a till, kept for all requests |
| `Setting/GetSettings` | the probe |
"""

from gateway.sources.base import SourceSpec
from gateway.sources.nimpos.settings import NimposOptions
from gateway.sources.nimpos.source import NimposSource

SPEC = SourceSpec(name="nimpos", system="NIMPOS", options=NimposOptions, build=NimposSource)

__all__ = ["SPEC", "NimposOptions", "NimposSource"]
