"""Which faults are asked for, and which of them strikes a request. How each is carried out is in `misbehaviour.py`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gateway.sandbox.recording import RecordedRequest

Kind = Literal[
    "latency",
    "status",
    "malformed",
    "empty",
    "wrong_type",
    "huge",
    "drop",
    "reset_mid_body",
    "stall",
    "trickle",
    "redirect",
    "gzip_bomb",
    "lost_answer",
    "lost_answer_late",
]
EVERY_OPERATION: Final = "*"
_NEEDS_SECONDS: Final = frozenset({"latency", "trickle", "lost_answer_late"})


class Refused(ValueError):
    """What was asked of the sandbox cannot be done; the message is one line that says why."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to misbehave, and the requests that meet it."""

    system: str
    operation: str = EVERY_OPERATION
    match: str | None = None
    """Text that must be in `path?query` or in the body; None takes every request."""
    kind: Kind
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How many requests it strikes; None has no end."""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many requests it lets pass first."""
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    body: Any = None
    """For `status`: text is sent as it is, another value as JSON, None as nothing."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `Refused` when what the kind needs is missing."""
        if self.kind in _NEEDS_SECONDS and self.seconds is None:
            raise Refused(f"a fault of kind {self.kind!r} needs `seconds`")
        if self.kind == "status" and self.status is None:
            raise Refused("a fault of kind 'status' needs `status`")
        if not all(_is_header_text(text) for pair in self.headers.items() for text in pair):
            raise Refused("`headers` has a character that HTTP headers cannot carry")


@dataclass(slots=True)
class PlacedFault:
    """A fault that waits for its requests."""

    id: int
    fault: Fault
    passed: int = 0
    """Matching requests that `after` let pass."""
    fired: int = 0
    """Requests that it struck."""

    def strikes(self) -> bool:
        """Take one matching request, and say if the fault strikes it."""
        if self.passed < self.fault.after:
            self.passed += 1
            return False
        if self.fault.times is not None and self.fired >= self.fault.times:
            return False
        self.fired += 1
        return True


class Faults:
    """The faults asked for, oldest first."""

    def __init__(self, operations: Mapping[str, Collection[str]]) -> None:
        self._operations = operations
        self._placed: dict[int, PlacedFault] = {}
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> PlacedFault:
        """Place `fault`; raises `Refused` when its system or operation is not here."""
        self._check(fault)
        placed = PlacedFault(next(self._ids), fault)
        self._placed[placed.id] = placed
        return placed

    def placed(self) -> list[PlacedFault]:
        """Give all, those included whose `times` are used up."""
        return list(self._placed.values())

    def remove(self, fault_id: int) -> None:
        """Take one away; raises `Refused` when there is none with this id."""
        if self._placed.pop(fault_id, None) is None:
            raise Refused(f"there is no fault {fault_id}")

    def clear(self) -> None:
        """Take all away."""
        self._placed.clear()

    def take(self, request: RecordedRequest) -> Fault | None:
        """Give the fault that strikes `request`: the oldest that is due. The younger ones then do not see this request."""
        due = (placed for placed in self._placed.values() if _matches(placed.fault, request) and placed.strikes())
        return next((placed.fault for placed in due), None)

    def _check(self, fault: Fault) -> None:
        if fault.system not in self._operations:
            raise Refused(f"unknown system {fault.system!r}; here are: {', '.join(self._operations) or 'none'}")
        known = self._operations[fault.system]
        if fault.operation != EVERY_OPERATION and fault.operation not in known:
            raise Refused(f"{fault.system} has no operation {fault.operation!r}; it has: {', '.join(sorted(known))}")


def _matches(fault: Fault, request: RecordedRequest) -> bool:
    if fault.system != request.system or fault.operation not in (EVERY_OPERATION, request.operation):
        return False
    return fault.match is None or fault.match in f"{request.path}?{request.query}" or fault.match in request.body


def _is_header_text(text: str) -> bool:
    return all(" " <= character <= "\xff" and character != "\x7f" for character in text)
