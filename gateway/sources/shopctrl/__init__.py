"""ShopCtrl, Dutch order management: REST, `v1`, in the 2021 and the 2026 shape of its models at once.

Docs: https://www.shopctrl.com/docs/api/subs/ (2021), https://api.demo.shopctrl.com/Help and https://api.salesupply.com/Help (2026).

Quirks in brief:
- Invoices are made by a command without a body, `POST v1/Orders/{orderId}/Invoices`: what is left of an order is invoiced; `null`
  means that nothing was left. Neither content nor number can be passed.
- An invoice names its order and not its customer: the customer is two hops away. It has no due date and no paid amount.
- Status ids are rows that the tenant makes: they mean something by configuration only.
- Credits are invoices with negative amounts. Amounts come including and without VAT, never the VAT itself.
- `ChangeTimestamp` (2021) is `ChangedTimestamp` (2026); 2021 answers lack `ShopId` and all status ids but the main one.
- A customer code is not unique, and the orders of a customer are listed by e-mail address alone.
- No list of invoices is published: they are listed through the orders. Lists are bare arrays, paged by number, without a total.
- Payments are kept under the order and name their invoice in one of two shapes, or not at all.

Reads about customers, orders and invoices; published unless marked "seen" (in a public client only):

| read | used by, or why not |
|---|---|
| `GET v1/Customers/{id}` | Fetch.CUSTOMER |
| `GET v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}` | find CUSTOMER; list of customers by number |
| `GET v1/Customers` (seen) | left out: not published; without a number, customers are not listed |
| `GET v1/CustomerContracts/...`, `GET v1/Shops/{shopId}/CustomerContracts` | left out: fields not published, and no field of the graph |
| `GET v1/Shops/{shopId}/Orders/{orderCode}` | find ORDER; list of orders by number; Fetch.ORDER where shop and code came along |
| `GET v1/Orders/{id}` (seen) | Fetch.ORDER otherwise |
| `GET v1/Orders/{orderId}/Rows` | Fetch.ORDER_LINES, where the order came without rows; before a write, where no order is shown |
| `GET v1/Shops/{shopId}/Orders` | list of orders and, through it, of invoices; the probe |
| its `fromDateChanged`, `emailAddress`, `mainStatusId` | filters of the list of orders; `emailAddress` for those of a customer |
| its `untilDateChanged`, `mainStatusBaseStatusId` | left out: no filter of the graph |
| `GET v1/Orders/{orderId}/Payments` | Fetch.PAYMENTS, after the invoice where its order or total is not known |
| `GET v1/OrderRows/{id}/Parameters/{key}` | left out: no field of the graph |
| `GET v1/Orders/{orderId}/Invoices` | list of invoices, one call an order; before and after a write |
| `GET v1/Invoices/{invoiceId}` | Fetch.INVOICE |
| `GET v1/Invoices/{invoiceId}/Rows` | Fetch.INVOICE_LINES |
| `GET v1/Files/{fileId}` | Fetch.DOCUMENT, after the invoice, which names the file |
| `GET v1/InvoiceStatuses/{id}`, `GET v1/OrderStatuses/{id}` | Fetch.LABEL, where nothing else has the name |
| `GET v1/Shops/{shopId}/PaymentTerms` | left out: no invoice or order names its terms |
"""

from typing import Final

from gateway.sources.base import SourceSpec
from gateway.sources.shopctrl.settings import ShopctrlOptions
from gateway.sources.shopctrl.source import ShopctrlSource

SPEC: Final = SourceSpec(name="shopctrl", system="SHOPCTRL", options=ShopctrlOptions, build=ShopctrlSource)

__all__ = ["SPEC"]
