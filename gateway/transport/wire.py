"""The seam to an HTTP client: one request on the wire, one answer, three ways to fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.transport.message import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """A request as it goes over the wire: absolute URL, bytes, and what it may cost."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    timeout_seconds: float
    """For the whole exchange, until the last byte of the answer."""
    connect_timeout_seconds: float
    max_answer_bytes: int
    """Of the answer's body, also when inflated."""


class WireError(Exception):
    """No usable answer. `nothing_sent`: it is proven that no byte of the request left."""

    def __init__(self, message: str, *, nothing_sent: bool = False) -> None:
        super().__init__(message)
        self.nothing_sent = nothing_sent


class WireTimeout(WireError):
    """The time was up."""


class WireFailed(WireError):
    """No connection, or it was lost."""


class AnswerUnreadable(WireError):
    """An answer came and is too large, or not encoded as it says."""


class Wire(Protocol):
    """Carries requests. Follows no redirect, retries nothing, keeps connections for reuse."""

    async def send(self, request: WireRequest) -> Response:
        """Exchange one request for its answer; raises `WireError`. When cancelled, the connection is closed."""

    async def aclose(self) -> None:
        """Close all connections."""
