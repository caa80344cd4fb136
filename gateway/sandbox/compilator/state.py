"""What one running emulator holds: its data, its switches, and the answers that depend on both."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.compilator.data import make_data
from gateway.sandbox.compilator.dialect import Answer, Refused, empty, error

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.compilator.data import Data
    from gateway.sandbox.parties import Party

API_KEY_HEADER: Final = "X-Api-Key"
API_KEY: Final = "demo-key"
_BASIC: Final = base64.b64encode(f"demo:{API_KEY}".encode()).decode()

FIRST_SWITCHES: Final[dict[str, Any]] = {
    "json_dates": "iso",
    "auth": "header",
    "settings_return_reverse_tax": False,
    "unsent_settings": "reset",
    "failures_as": "200",
    "list_lines": False,
    "settings_absent": "204",
    "order_absent": "404",
    "delivery_address_absent": "404",
    "ledger_absent": "204",
}


@dataclass(slots=True)
class State:
    """The data and switches that all operations share."""

    parties: tuple[Party, ...]
    seed: int
    data: Data
    switches: dict[str, Any]
    may_be_written: bool = False
    """Whether an operation that can change the data had its turn since it was made."""

    def reset(self) -> None:
        """Bring back what the seed gave."""
        if self.may_be_written:
            self.data = make_data(self.parties, self.seed)
            self.may_be_written = False
        self.switches.clear()
        self.switches.update(FIRST_SWITCHES)

    def absent(self, switch: str, type_name: str) -> Answer:
        """Say that there is none, in the way the switch names: none of them is published."""
        way = str(self.switches[switch])
        if way == "null":
            return Answer(None, type_name)
        return Answer([], type_name) if way == "empty_list" else empty(int(way))

    def check_caller(self, request: Request) -> None:
        """Raise `Refused` with 401 when the scheme in force is not satisfied."""
        scheme = self.switches["auth"]
        name, value = {
            "none": ("", None),
            "header": (API_KEY_HEADER, API_KEY),
            "basic": ("Authorization", f"Basic {_BASIC}"),
            "bearer": ("Authorization", f"Bearer {API_KEY}"),
        }[scheme]
        if value is not None and request.headers.get(name) != value:
            challenge = {"WWW-Authenticate": scheme.capitalize()} if name == "Authorization" else {}
            raise Refused(error(401, "Authorization has been denied for this request."), challenge)


def make_state(parties: tuple[Party, ...], seed: int) -> State:
    """Make the first state."""
    return State(parties, seed, make_data(parties, seed), dict(FIRST_SWITCHES))
