"""Norce Commerce, formerly Storm: a Swedish e-commerce platform, emulated after its pages at docs.norce.io.

Four families below one mount: Services (`/commerce/order/1.1`, `/commerce/customer/1.1` and the older Storm paths), Query (OData v4,
`/commerce/query/2.0` and `3.0`), Connect (`.../Order/CreateInvoice`) and the token endpoint.

Switches:

| switch | first value | meaning |
|---|---|---|
| `duplicate_invoice_no` | `"400"` | an invoice number that is taken: `"400"`, `"409"`, or `"stored"` beside the first |
| `connect_profile` | `"commerce"` | `"storm"` reads `InoviceNo` (required there) and `ContryCode`, as the Storm page spells them |
| `connect_answer` | `"empty"` | body of a CreateInvoice that went well: `"empty"`, `"null"`, `"id"` or `"invoice"` |
| `connect_stores` | `True` | `False`: CreateInvoice answers 200 and the invoice can never be read |
| `insert_invoice` | `False` | `True`: InsertInvoice stores and echoes, as its page prints, in place of 500 |
| `invoice_set` | `False` | `True`: this installation has the Query set `Orders/Invoices` |
| `guest_buyers_only` | `False` | `True`: no order in Query has a buyer's customer id or code |
| `query_page_cap` | `500` | most rows on a page of Query; a larger `$top` is lowered to it silently |
| `query_next_link` | `True` | `False`: a page of Query that is not the last has no `@odata.nextLink` |
| `query_rate_limit` | `None` | so many Query calls a minute, then 429; `0` refuses all |
| `query_max_length` | `4096` | most characters in a query string of Query, then 414 |
| `services_need_application_id` | `False` | `True`: Services without an `application-id` answer 500 |
| `parameter_names` | id, code, email | the parameter of GetCustomer, GetCustomerByCode and GetCustomerByEmail; the pages name none |
| `scopes` | `"prod"` | what the client may ask the token endpoint for, space separated |
| `token_limit` | `True` | `False`: no 429 from the token endpoint |
| `revoke_tokens` | `False` | `True`: every token dies at the next request, then it is `False` again |
| `captures` | `[]` | read only: payments that CreateInvoice captured, oldest first |

The data is described in `data.py`, which also lists the odd invoices by number.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.emulator import Emulator
from gateway.sandbox.norce.connect import Connect
from gateway.sandbox.norce.customer_service import CustomerService
from gateway.sandbox.norce.data import APPLICATION_ID, make_data
from gateway.sandbox.norce.identity import CLIENT_ID, CLIENT_SECRET, TOKEN_PATH, Identity
from gateway.sandbox.norce.order_service import OrderService
from gateway.sandbox.norce.parameters import ServiceRoutes
from gateway.sandbox.norce.query import Query
from gateway.sandbox.norce.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.parties import Party

__all__ = ["create"]

_CONFIG: Final = {
    "system": "norce",
    "application_id": APPLICATION_ID,
    "query_version": "2.0",
    "create_via": "connect",
    "default_currency": "SEK",
    "time_zone": "Europe/Stockholm",
    "auth": {
        "kind": "client_credentials",
        "token_url": f"{{base_url}}{TOKEN_PATH}",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": "prod",
    },
}


def create(parties: tuple[Party, ...], seed: int, clock: Callable[[], float] = time.time) -> Emulator:
    """Make the emulator with the data that `seed` gives; `clock` tells seconds, for tokens and limits only."""
    store = Store(make_data(parties, seed))
    switches = _first_switches(store)
    identity = Identity(switches, clock)
    query = Query(store, identity, switches, clock)

    def reset() -> None:
        store.reset()
        identity.reset()
        query.reset()
        switches.clear()
        switches.update(_first_switches(store))

    service_routes = ServiceRoutes(identity, switches)
    routes = [
        *identity.routes(),
        *OrderService(store, switches).routes(service_routes),
        *CustomerService(store, switches).routes(service_routes),
        *query.routes(),
        *Connect(store, identity, switches).routes(),
    ]
    return Emulator(name="norce", routes=routes, switches=switches, reset=reset, config_key="commerce", config=_CONFIG)


def _first_switches(store: Store) -> dict[str, Any]:
    return {
        "duplicate_invoice_no": "400",
        "connect_profile": "commerce",
        "connect_answer": "empty",
        "connect_stores": True,
        "insert_invoice": False,
        "invoice_set": False,
        "guest_buyers_only": False,
        "query_page_cap": 500,
        "query_next_link": True,
        "query_rate_limit": None,
        "query_max_length": 4096,
        "services_need_application_id": False,
        "parameter_names": {"GetCustomer": "id", "GetCustomerByCode": "code", "GetCustomerByEmail": "email"},
        "scopes": "prod",
        "token_limit": True,  # nosec B105  # a switch
        "revoke_tokens": False,
        "captures": store.captures,
    }
