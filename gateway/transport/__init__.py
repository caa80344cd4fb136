"""The only room that knows an HTTP client: one `Upstream` a source, over a `Wire`."""

from gateway.transport.clock import Clock, Scope, SystemClock
from gateway.transport.health import Health
from gateway.transport.message import NO_BODY, Request, Response, path_of
from gateway.transport.state import UpstreamState
from gateway.transport.trace import Trace, Way
from gateway.transport.upstream import Upstream

__all__ = [
    "NO_BODY",
    "Clock",
    "Health",
    "Request",
    "Response",
    "Scope",
    "SystemClock",
    "Trace",
    "Upstream",
    "UpstreamState",
    "Way",
    "path_of",
]
