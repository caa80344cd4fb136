"""NIMPOS, a Swedish point of sale: `https://api.adm.nimpos.com/Help/` (its help pages carry no version; as of 2026).

Quirks in brief: reads of customers and invoices are windows of time for one till, without any key; an error answers 200 `[]`, so
that an empty window proves nothing; an invoice posted through the API is never listed again; a write answers no body; no record
says its currency or VAT basis; `PaidStatus` is Swedish text; objects that come twice are `{"$ref": "n"}`; unset values come as
0001-01-01, the all-zero GUID and 0; `PaymentStatus` means one thing on an invoice and another on an order.

| published read | used |
|---|---|
| `Customer/GetCustomers` | customers by id and by `CustomerNo`: one window a batch |
| `Customer/GetCustomerDebts` | not yet: open balances, `amountDue` |
| `Order/GetOrderById` | orders by id, their lines, and the proof that a write happened |
| `Order/GetOrders`, `Order/GetUpdatedOrders` | not yet: lists of orders |
| `Order/GetOpenOrder` | not: a part of `GetOrders`, and known to have ignored its dates |
| `Order/GetCustomerInvoice` | invoices by id and by `InvoiceNumber`: one window a till and batch |
| `Setting/GetSettings` | the probe |
"""

from gateway.sources.base import SourceSpec
from gateway.sources.nimpos.settings import NimposOptions
from gateway.sources.nimpos.source import NimposSource

SPEC = SourceSpec(name="nimpos", system="NIMPOS", options=NimposOptions, build=NimposSource)

__all__ = ["SPEC", "NimposOptions", "NimposSource"]
