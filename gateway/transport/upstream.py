"""One upstream as a source sees it: send a request, get an answer or a typed error."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from gateway.errors import MalformedAnswer
from gateway.transport.clock import Scope
from gateway.transport.health import Health
from gateway.transport.message import Request, Response
from gateway.transport.state import UpstreamState


class Upstream(Protocol):
    """Signed-in access to one upstream, with its bulkhead."""

    @property
    def source(self) -> str:
        """The configuration key, for errors."""

    @property
    def health(self) -> Health:
        """How its calls went lately."""

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so; None before the first call."""

    @property
    def max_in_flight(self) -> int:
        """How many calls it has at once, at most."""

    @property
    def state(self) -> UpstreamState:
        """How things stand with it, for operators."""

    async def read(self, request: Request, scope: Scope, *, answers: Collection[int] = (200,)) -> Response:
        """Send a read, or share one under way, again where that may help, and give the answer when its status is one of `answers`.

        Any other status is an error: 401 (after one renewal of the credentials) and 403 `UpstreamAuthFailed`, 429
        `UpstreamRateLimited`, other 4xx `UpstreamRejected`, 5xx `UpstreamUnavailable`, anything else `MalformedAnswer`.
        Raises `UpstreamTimeout` and `UpstreamUnavailable` where no answer came; where nothing was sent, `CircuitOpen`,
        `UpstreamOverloaded`, and `UpstreamRateLimited` while a pause that was asked for is not over.
        """

    async def write(self, request: Request, scope: Scope) -> Response:
        """Send a write once, and give the answer whatever its status.

        Raises what `read` raises where no answer came, and for credentials that are not to be had; `nothing_sent` says whether it
        is proven that nothing left.
        """

    def malformed(self, request: Request, message: str) -> MalformedAnswer:
        """Make the error for an answer that cannot be read."""
