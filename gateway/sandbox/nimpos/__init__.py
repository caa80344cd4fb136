"""NIMPOS, a Swedish point of sale, as a server to talk to: https://api.adm.nimpos.com/Help/.

Where the help pages are silent it does what an older public server with the same routes did; what may differ is a switch.

| switch                       | first value    | what it does                                                                       |
|------------------------------|----------------|------------------------------------------------------------------------------------|
| `customers_require_token`    | `True`         | `False`: without a token reads of customers answer 200 `[]` and PostCustomer 417   |
| `token_generation`           | `1`            | another number ends all tokens issued before, as if they had expired               |
| `token_life_seconds`         | `1209599`      | life of the tokens issued from now on, and their `expires_in`                      |
| `trim_email`                 | `False`        | `True`: GetCustomers answers `Email` null everywhere                               |
| `posted_invoices_listed`     | `False`        | `True`: GetCustomerInvoice answers invoices with `Synced` true too                 |
| `open_orders_ignore_dates`   | `False`        | `True`: GetOpenOrder answers every open order                                      |
| `orders_dated_by`            | `CreationDate` | the column that GetOrders selects by; else `InvoiceDate`                           |
| `orders_with_lines`          | `True`         | `False`: GetOrders and GetUpdatedOrders leave lines, payments and receipts empty   |
| `updated_orders_by_terminal` | `True`         | `False`: GetUpdatedOrders takes no notice of `TerminalId`                          |
| `order_absent`               | `null`         | GetOrderById without a match: `null` (200), `empty` (200, no body), `204` or `404` |
| `reads_fail_empty`           | `False`        | `True`: each read fails; lists answer 200 `[]`, single objects 200 `null`          |
| `post_fails_417`             | `False`        | `True`: each write fails: nothing is stored, 417 without a body                    |
| `remarks_limited`            | `False`        | `True`: PostCustomerInvoice refuses `Remarks` over 250 characters                  |
"""

from __future__ import annotations

from gateway.sandbox.emulator import Emulator
from gateway.sandbox.nimpos.company import Company
from gateway.sandbox.nimpos.data import make_demo_company, make_second_company, terminal_ids
from gateway.sandbox.nimpos.routes import Server
from gateway.sandbox.parties import Party

__all__ = ["create"]


def create(parties: tuple[Party, ...], seed: int) -> Emulator:
    """Make the emulator; the user `demo` sees the demo's company, `second` a small other one (passwords as the names)."""

    def make_companies() -> dict[str, Company]:
        return {"demo": make_demo_company(parties, seed), "second": make_second_company(parties, seed)}

    server = Server(make_companies, passwords={"demo": "demo", "second": "second"})
    return Emulator(
        name="nimpos",
        routes=server.routes(),
        switches=server.switches,
        reset=server.reset,
        config_key="pos",
        config={
            "system": "nimpos",
            "terminal_ids": terminal_ids(),
            "window_start": "2020-01-01",
            "default_currency": "SEK",
            "time_zone": "Europe/Stockholm",
            "total_vat_basis": "unknown",
            "auth": {"kind": "password", "token_path": "/Token", "username": "demo", "password": "demo"},  # nosec B105  # the sandbox's own
        },
    )
