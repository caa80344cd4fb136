"""What is done to an operation in the fault drill, each with the code that a read has to come back with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.sandbox.faults import Fault

OK: Final = "ok"
TIMEOUT: Final = "UPSTREAM_TIMEOUT"
UNAVAILABLE: Final = "UPSTREAM_UNAVAILABLE"
RATE_LIMITED: Final = "UPSTREAM_RATE_LIMITED"
AUTH: Final = "UPSTREAM_AUTH"
REJECTED: Final = "UPSTREAM_REJECTED"
BAD: Final = "UPSTREAM_BAD_RESPONSE"

TIMEOUT_SECONDS: Final = 0.3
_RETRY_AFTER: Final = "Retry-After"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way in which an upstream fails; `fault` None: nobody listens at its address."""

    name: str
    code: str
    """Of a read that has no other way."""
    fault: Mapping[str, Any] | None = field(default_factory=dict)
    is_late: bool = False
    """The gateway's own timeout ends it."""
    is_large: bool = False
    """So much comes that reading it may take longer than the drill's timeout."""

    @property
    def pause_seconds(self) -> int | None:
        """Give the pause that the source asks for; None: it asks for none."""
        headers = (self.fault or {}).get("headers", {})
        return int(headers[_RETRY_AFTER]) if headers else None

    def fault_of(self, system: str, operation: str) -> Fault | None:
        """Make what strikes an operation of the sandbox."""
        return None if self.fault is None else msgspec.convert({"system": system, "operation": operation, **self.fault}, Fault)


def _status(status: int, **more: object) -> Mapping[str, Any]:
    return {"kind": "status", "status": status, **more}


TROUBLES: Final = (
    Trouble("slow", TIMEOUT, {"kind": "latency", "seconds": 2 * TIMEOUT_SECONDS}, is_late=True),
    Trouble("stall", TIMEOUT, {"kind": "stall"}, is_late=True),
    Trouble("slow trickle", TIMEOUT, {"kind": "trickle", "seconds": 10 * TIMEOUT_SECONDS}, is_late=True),
    Trouble("refuse", UNAVAILABLE, None),
    Trouble("drop", UNAVAILABLE, {"kind": "drop"}),
    Trouble("reset mid-body", UNAVAILABLE, {"kind": "reset_mid_body"}),
    Trouble("401", AUTH, _status(401)),
    Trouble("403", AUTH, _status(403)),
    Trouble("404", REJECTED, _status(404)),
    Trouble("429", RATE_LIMITED, _status(429)),
    # Longer than the caller has, and shorter than what is read for all may take; then longer than anything.
    Trouble("429, wait 30 s", RATE_LIMITED, _status(429, headers={_RETRY_AFTER: "30"})),
    Trouble("429, wait 600 s", RATE_LIMITED, _status(429, headers={_RETRY_AFTER: "600"})),
    Trouble("500", UNAVAILABLE, _status(500)),
    Trouble("503", UNAVAILABLE, _status(503)),
    Trouble("empty", BAD, {"kind": "empty"}),
    Trouble("malformed", BAD, {"kind": "malformed"}),
    Trouble("wrong type", BAD, {"kind": "wrong_type"}),
    Trouble("20 MB", BAD, {"kind": "huge"}, is_large=True),
    Trouble("gzip bomb", BAD, {"kind": "gzip_bomb"}, is_large=True),
    Trouble("redirect", BAD, {"kind": "redirect"}),
    Trouble("stall once", OK, {"kind": "stall", "times": 1}, is_late=True),
    Trouble("drop once", OK, {"kind": "drop", "times": 1}),
    Trouble("401 once", OK, _status(401, times=1)),
    Trouble("429 once, wait 1 s", OK, _status(429, times=1, headers={_RETRY_AFTER: "1"})),
    Trouble("503 once", OK, _status(503, times=1)),
)
