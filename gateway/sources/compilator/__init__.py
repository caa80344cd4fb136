"""Compilator DDAPI (DäckData API), the REST interface of a Swedish tyre-trade business system; one site a tenant, unversioned.

Documentation: https://ddapipilot.compilator.net/Help (also ddapiteamsignature and ddapiteamsignaturedemo, which differ).

Quirks, each handled where it is named:

- "Customer invoice" (`api/customers/invoice`) is a customer's invoicing settings, an upsert; it is no invoice. Fields left out of
  a write may be reset (`writes`).
- A customer has three names for two keys: `CustomerNo` = `CustomerNumber` (ours), and `Id`, a GUID that invoices carry. No
  published call reads one customer: the changed-since list is swept into an index (`customers`), its array is spelt
  `CustomerReponse` (`payloads`).
- An order's key is id and branch; lists of orders come whole, and perhaps without lines (`orders`). An absent invoice is 204;
  for orders, settings and lists without rows nothing is published (`answers`).
- No published call lists invoices, or goes from a customer or an order to its invoices.
- JSON dates have no zone, and their form differs by host. `BalanceDue` is a date (`mapping`).
- Some hosts take `ReverseTax` and do not return it (`mapping`, `writes`).
- A refusal may come with status 200: `Success` decides (`source`).
- No page says how callers sign in: the scheme is wholly a matter of configuration.

| published read | used by |
|---|---|
| `GET api/customers/{date}` | customers by number or GUID, and lists of them; the probe |
| `GET api/Customers/licensePlate/{licensePlate}` | left out: no field or filter of the graph has a licence plate |
| `GET api/customers/accountsreceivable` | left out: ledger figures have no field in the graph |
| `GET api/customers/deliveryaddress` (by customerNumber, by id) | left out: the graph has the billing address only |
| `GET api/customers/invoice` | invoicing settings; the look after a write |
| `GET api/orders/{id}/{branchId}` | orders; the lines of listed orders |
| `GET api/orders/{customerNumber}` | left out: open orders only, which the next read has too |
| `GET api/orders/{customerNumber}/{fromDate}/{toDate}` | lists of a customer's orders |
| `GET api/orders/search/{branchId}/{fromDate}/{toDate}` | lists of orders without a customer, where `branch_ids` are configured |
| `GET api/invoice/{invoiceNo}/{includeInternal}` | invoices; a list of the one with a number |
| `GET api/Currencies/{id}` | the currency of orders and settings |
| `GET api/currencies` | left out: named in the text of a field only, its shape is not published |
| `GET api/Contacts/{contactID}` | left out: contacts have no field in the graph |
"""

from gateway.sources.base import SourceSpec
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.compilator.source import CompilatorSource

__all__ = ["SPEC"]

SPEC = SourceSpec(name="compilator", system="COMPILATOR", options=CompilatorOptions, build=CompilatorSource)
