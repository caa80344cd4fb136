"""The emulator of Compilator DDAPI: a Swedish tyre-trade business system, one ASP.NET Web API site per installation.

It follows the help pages at `https://{host}/Help/Api/`. What those leave open is behind a switch:

| switch | values, the first one by default | what it turns |
|---|---|---|
| `json_dates` | `iso`, `us` | date text in JSON: `2026-01-21 22:50:59`, or `1/21/2026 10:50:59 PM` |
| `auth` | `header`, `none`, `basic`, `bearer` | what a caller shows: `X-Api-Key`, nothing, user `demo`, a token; the secret is `demo-key` |
| `settings_return_reverse_tax` | `false`, `true` | whether settings are read with `ReverseTax` (demo host: no; pilot host: yes) |
| `unsent_settings` | `reset`, `kept` | what a POST or PUT of settings does to fields that the body leaves out |
| `failures_as` | `200`, `400`, `500` | HTTP status of an answer with `Success` false |
| `list_lines` | `false`, `true` | whether lists of orders carry their lines; null otherwise |
| `settings_absent` | `204`, `404`, `null`, `empty_list` | how a customer without invoicing settings is answered |
| `order_absent` | `404`, `204`, `null`, `empty_list` | how an unknown order is answered |
| `delivery_address_absent` | `404`, `204`, `null`, `empty_list` | how an unknown delivery address is answered |
| `ledger_absent` | `204`, `404`, `null`, `empty_list` | how a customer without accounts receivable is answered |

Not emulated: the writes of customers, accounts receivable, e-invoice settings and third-party orders, and the PUT of delivery
addresses and orders. Their paths answer 404 or 405.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.compilator.routes import make_routes
from gateway.sandbox.compilator.state import API_KEY, API_KEY_HEADER, make_state
from gateway.sandbox.emulator import Emulator

if TYPE_CHECKING:
    from gateway.sandbox.parties import Party

__all__ = ["create"]


def create(parties: tuple[Party, ...], seed: int) -> Emulator:
    """Make the emulator, the same one for the same parties and seed."""
    state = make_state(parties, seed)
    return Emulator(
        name="compilator",
        routes=make_routes(state),
        switches=state.switches,
        reset=state.reset,
        config_key="subscriptions",
        config={
            "system": "compilator",
            "json_dates": "iso",
            "sweep_start": "2000-01-01",
            "time_zone": "Europe/Stockholm",
            "default_currency": "SEK",
            "auth": {"kind": "header", "name": API_KEY_HEADER, "value": API_KEY},
        },
    )
