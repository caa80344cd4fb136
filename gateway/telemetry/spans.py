"""Traces as the W3C has them (https://www.w3.org/TR/trace-context/): who continues which, and the spans that are written of a request.

Spans are made when their request has ended. Names and attributes are ours: operations, codes and counts, nothing that was asked for.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class SpanContext:
    """A span of a trace that is written: ids in lower case hexadecimal. `parent_id` None: it begins the trace.

    `is_remote`: the parent is somebody else's. `is_passed_on`: upstreams are told of it.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    is_remote: bool = False
    is_passed_on: bool = True

    def traceparent(self, span_id: str) -> str | None:
        """Give the header that a call has whose span is this; None: it has none."""
        return f"00-{self.trace_id}-{span_id}-01" if self.is_passed_on else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What took from one moment to another, in nanoseconds since 1970."""

    name: str
    kind: Literal["server", "client", "internal"]
    context: SpanContext
    began_at: int
    ended_at: int
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str | None = None
    """The code of what went wrong; None: nothing did."""


class SpanWriter(Protocol):
    """Takes spans to who collects them."""

    def write(self, spans: Sequence[Span]) -> None:
        """Take the spans of one request; never waits."""

    async def aclose(self) -> None:
        """Send what was not sent yet, and wait for it, some seconds at the most."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Says which requests are traced, and where their spans go. `share`: of those that begin a trace here, from 0 to 1."""

    writer: SpanWriter
    share: float
    random: Callable[[], float]
    is_passed_on: bool = True

    def begin(self, traceparent: str | None) -> SpanContext | None:
        """Begin the span of a request, in the trace that its caller has begun if it says so; None: it is not traced."""
        theirs = continued(traceparent)
        if theirs is not None:
            trace_id, parent_id, is_sampled = theirs
            return SpanContext(trace_id, new_span_id(), parent_id, is_remote=True, is_passed_on=self.is_passed_on) if is_sampled else None
        if self.random() >= self.share:
            return None
        return SpanContext(_new_id(16), new_span_id(), is_passed_on=self.is_passed_on)


def continued(traceparent: str | None) -> tuple[str, str, bool] | None:
    """Read the header: trace, span, and whether it is written; None: there is none that can be read, so a new trace begins."""
    found = None if traceparent is None else _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return trace_id, span_id, bool(int(flags, 16) & _SAMPLED)


def new_span_id() -> str:
    """Make the id of a span."""
    return _new_id(8)


def _new_id(size: int) -> str:
    while not any(made := secrets.token_bytes(size)):
        pass  # all zeros means that there is none
    return made.hex()
