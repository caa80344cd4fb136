"""What the sandbox knows while it runs: its emulators, the requests that they had, the faults that wait for them.

Tests in the same process use the `Sandbox` object; `control.py` gives the same over HTTP.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.sandbox.faults import Faults, Refused
from gateway.sandbox.recording import UNMATCHED, Calls, Requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping

    from gateway.sandbox.emulator import Emulator
    from gateway.sandbox.recording import RecordedRequest


class Sandbox:
    """The emulators and all that can be asked of them and done to them while they run."""

    def __init__(self, emulators: Iterable[Emulator], base_url: str | None = None) -> None:
        self.emulators: Mapping[str, Emulator] = {emulator.name: emulator for emulator in emulators}
        self.base_url = base_url
        """Where the sandbox is reached; None when only the requests tell."""
        self.calls = Calls(self.emulators)
        self.requests = Requests()
        self.faults = Faults({name: _operations(emulator) for name, emulator in self.emulators.items()})
        self.sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
        """How a fault waits; a test puts a clock of its own here."""

    def switches(self, system: str) -> MutableMapping[str, Any]:
        """Give the switches of `system` themselves: what is set here, it sees at its next request."""
        return self._emulator(system).switches

    def change_switches(self, system: str, changes: Mapping[str, object]) -> None:
        """Set some switches of `system`; raises `Refused`, and changes none, when it lacks one of them."""
        switches = self.switches(system)
        if unknown := sorted(changes.keys() - switches.keys()):
            raise Refused(f"{system} has no switch {unknown[0]!r}; it has: {', '.join(sorted(switches)) or 'none'}")
        switches.update(changes)

    def requests_to(self, system: str | None = None, operation: str | None = None) -> list[RecordedRequest]:
        """Give the recorded requests as `Requests.of` does; raises `Refused` for a system that is not here."""
        if system is not None:
            self._emulator(system)
        return self.requests.of(system, operation)

    def reset_calls(self) -> None:
        """Forget counts and recorded requests."""
        self.calls.reset()
        self.requests.reset()

    def reset(self) -> None:
        """Bring data, tokens and switches of every system back to the seed's, and forget faults, counts and requests."""
        for emulator in self.emulators.values():
            emulator.reset()
        self.faults.clear()
        self.reset_calls()

    def source_tables(self, base_url: str) -> dict[str, dict[str, Any]]:
        """Give the `[sources.*]` tables of a gateway that reads this sandbox at `base_url`."""
        return {emulator.config_key: _source_table(emulator, f"{base_url.rstrip('/')}/{name}") for name, emulator in self.emulators.items()}

    def _emulator(self, system: str) -> Emulator:
        if system not in self.emulators:
            raise Refused(f"unknown system {system!r}; here are: {', '.join(self.emulators) or 'none'}")
        return self.emulators[system]


def _operations(emulator: Emulator) -> set[str]:
    return {route.name for route in emulator.routes} | {UNMATCHED}


def _source_table(emulator: Emulator, address: str) -> dict[str, Any]:
    return {**{key: _with_address(value, address) for key, value in emulator.config.items()}, "base_url": address}


def _with_address(value: Any, address: str) -> Any:  # noqa: ANN401  (any value of a configuration)
    """Put `address` where the texts in `value` say `{base_url}`."""
    match value:
        case str():
            return value.replace("{base_url}", address)
        case dict():
            return {key: _with_address(inner, address) for key, inner in value.items()}
        case list() | tuple():
            return [_with_address(inner, address) for inner in value]
        case _:
            return value
