"""ShopCtrl, emulated: Dutch order management with orders, invoices made from their rows, payments and PDF files.

It follows the help pages of shopctrl.com/docs/api/subs (2021), api.demo.shopctrl.com and api.salesupply.com (2026); what they
leave open is a switch. Users: `demo` (shops 3 and 7), `utrecht` (shop 3), `gent` (shop 11 of another owner, without orders);
a password is the name of its user.

| switch | values (first: default) | what it turns |
|---|---|---|
| `profile` | "demo", "2021", "sales" | fields of invoices: 2021 has 13, demo and sales the 2026 model; sales adds source and read-only |
| `payments` | "profile", "flat", "allocations" | payment with `InvoiceId`, or with `PaymentAllocations` (what the 2021 profile has) |
| `customer_model` | "full", "feed" | `feed` has neither `ReceiveNewsLetter` nor `CustomerGroupId` |
| `time_digits` | 7, 6 ... 0 | most fractional digits of an instant |
| `default_format` | "json", "xml" | what a caller gets that accepts anything |
| `nothing_left` | "null", "204", "empty" | the create's answer when all rows are invoiced: the text null, 204, an empty 200 |
| `post_answer` | "entity", "id", "empty" | the answer to a posted customer or payment |
| `deleted_invoice` | "404", "null" | a deleted invoice without `includeDeleted` |
| `list_deleted_invoices` | false, true | whether an order's list shows deleted invoices |
| `unknown_parent` | "404", "empty" | rows, payments and invoices of something that is not there |
| `order_rows_in_order` | false, true | whether an order detail carries its `OrderRows` |
| `order_sort` | "id", "newest" | the order of the orders list |
| `max_page_size` | null, a number | a larger `pageSize` is cut to it |
| `get_order_by_id` | true, false | whether `GET v1/Orders/{id}` is there |
| `seen_routes` | true, false | whether the other unpublished reads are there (customers, shops, payment types, base statuses) |
| `document_upload` | true, false | whether `POST v1/InvoiceDocuments/{id}/Create` is there |
| `wrong_checksum` | false, true | a file's checksum is not that of its content |
| `now` | null, an ISO 8601 text | the instant that writes happen at; null is the clock |
"""

from __future__ import annotations

from typing import Any, Final

from gateway.sandbox.emulator import Emulator
from gateway.sandbox.parties import Party
from gateway.sandbox.shopctrl.routes import Installation

_CONFIG: Final[dict[str, Any]] = {
    "system": "shopctrl",
    "shop_ids": [3, 7],
    "shop_owner_id": 1,
    "default_currency": "EUR",
    "time_zone": "Europe/Amsterdam",
    "auth": {"kind": "basic", "username": "demo", "password": "demo"},  # nosec B105  # the sandbox's own
}


def create(parties: tuple[Party, ...], seed: int) -> Emulator:
    """Make an installation with the data of this seed."""
    installation = Installation(parties, seed, _first_switches())
    return Emulator(
        name="shopctrl",
        routes=installation.routes,
        switches=installation.switches,
        reset=installation.reset,
        config_key="shop",
        config=_CONFIG,
    )


def _first_switches() -> dict[str, Any]:
    return {
        "profile": "demo",
        "payments": "profile",
        "customer_model": "full",
        "time_digits": 7,
        "default_format": "json",
        "nothing_left": "null",
        "post_answer": "entity",
        "deleted_invoice": "404",
        "list_deleted_invoices": False,
        "unknown_parent": "404",
        "order_rows_in_order": False,
        "order_sort": "id",
        "max_page_size": None,
        "get_order_by_id": True,
        "seen_routes": True,
        "document_upload": True,
        "wrong_checksum": False,
        "now": None,
    }
