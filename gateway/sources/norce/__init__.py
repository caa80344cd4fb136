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
| `GetInvoiceByNo` | an invoice by number, a list by number; before and after a write |
| `ListInvoices` | the invoices of an order, a customer or a company; its rows have no lines and no total with VAT |
| `GetOrderByNo` | an order by number; by id what Query does not say of it: totals, payment method, a currency without a configured id |
| `GetOrderByBasket` | an order that has no number yet |
| `ListOrders3` | without Query: the orders of a customer or company, or of a range of dates |
| `ListOrders2`, `SearchOrder` | left out: their parameters are not published |
| `ListOrderStatuses` | left out: its parameters and answer are not published |
| Query `Orders/Orders` | orders by id, 50 a call, `$expand` for lines and buyers; lists of orders |
| Query `Orders/$metadata` | whether there is a set of invoices, looked up once an hour |
| Query `Orders/Invoices` | where `$metadata` shows it: invoices by id, 50 a call, and lists, without totals and type |
| Query `Customers/Customers` | number, e-mail and phone of persons, 50 a call; lists; it knows no companies, and guests are not in it |
| `GetCustomer` | a customer by id |
| `GetCustomerByCode` | a customer by number; without Query a list by number |
| `SearchCustomer2` | a list of customers by a text, at most 500 hits |
| `ListCompaniesByOrgNo` | a list of companies by organisation number |
| `GetCustomerByEmail`, `GetCustomerByKey` | left out: the names of their parameters are not published; Query finds by e-mail |
| `GetCustomerByAccountId`, `GetCustomerByLoginName` | left out: the graph has no such lookup |
| `ListCompaniesByParent` | left out: its parameters are not published |
"""

from gateway.sources.base import SourceSpec
from gateway.sources.norce.settings import NAME, SYSTEM, NorceOptions
from gateway.sources.norce.source import NorceSource

SPEC = SourceSpec(name=NAME, system=SYSTEM, options=NorceOptions, build=NorceSource)

__all__ = ["SPEC", "NorceOptions", "NorceSource"]
