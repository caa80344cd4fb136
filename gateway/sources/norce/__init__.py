"""Norce Commerce and its older form, Norce [Storm]: OrderService and CustomerService 1.1, Query 2.0 or 3.0, Connect 4.0.

Docs: https://docs.norce.io/ (`api-reference/services/orderservice`, `.../customerservice`, `api-reference/query`,
`api-reference/connect/orderservice`, `api-reference-storm`).

Quirks: reads and writes are different APIs; nothing found is 200 with null; `VatRate` is a multiplier (1.25 is 25 %) in the
Services and taken for percent in Connect; an invoice names no currency, its order does; no published read gives an order by its
id, so Query translates ids to numbers; the order's status has a documented meaning in Query only; `IsDebit` false is a credit and
the sign of its amounts is not published; `Order/CreateInvoice` captures the payment unless `SuppressPspCall` is true; the Storm page
spells `InoviceNo`; customer data may hold a social security number, which is never read.

| published read | used by |
|---|---|
| `GetInvoice` | an invoice by id, with its lines; the probe |
| `GetInvoiceByNo` | an invoice by number; before and after a write |
| `ListInvoices` | left out: lists come in a later version |
| `GetOrderByNo` | an order by number, or by id once Query has said the number |
| `GetOrderByBasket` | an order that has no number yet |
| `ListOrders2`, `ListOrders3`, `SearchOrder` | left out: lists come in a later version |
| `ListOrderStatuses` | left out: its parameters and answer are not published |
| Query `Orders/Orders` | number, basket and status of orders by id, 50 a call |
| Query `Customers/Customers` | left out: it knows no companies, and guests are not in it |
| Query invoices | left out: only the schemas are published, no path of the set |
| `GetCustomer` | a customer by id |
| `GetCustomerByCode` | a customer by number |
| `GetCustomerByEmail`, `GetCustomerByKey` | left out: the names of their parameters are not published |
| `GetCustomerByAccountId`, `GetCustomerByLoginName` | left out: the graph has no such lookup |
| `SearchCustomer2`, `ListCompaniesByOrgNo`, `ListCompaniesByParent` | left out: lists come in a later version |
"""

from gateway.sources.base import SourceSpec
from gateway.sources.norce.settings import NAME, SYSTEM, NorceOptions
from gateway.sources.norce.source import NorceSource

SPEC = SourceSpec(name=NAME, system=SYSTEM, options=NorceOptions, build=NorceSource)

__all__ = ["SPEC", "NorceOptions", "NorceSource"]
