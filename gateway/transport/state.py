"""How things stand with one upstream at a moment, as its operators are shown; asking for it calls nobody."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.transport.breaker import BreakerState
from gateway.transport.failures import Failure
from gateway.transport.latency import Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamState:
    """What lets calls pass, how many there are, how long they took and what went wrong.

    `pause_seconds`: how long nobody calls, as the upstream asked. `retries` were spent in the last 10 s, of `max_retries`.
    `latency` None: there was no call yet. `failures`: the latest first.
    """

    breaker: BreakerState
    pause_seconds: float
    in_flight: int
    max_in_flight: int
    waiting_requests: int
    max_waiting_requests: int
    retries: int
    max_retries: int
    latency: Latency | None
    failures: tuple[Failure, ...]
