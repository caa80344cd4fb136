"""Fakes at the wire, the only place where anything is faked, and a clock that stands still until it is told to go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.journal import Journal
from gateway.mutations import Writes
from gateway.settings import SourceSettings
from gateway.sources.base import SourceParts, SourceProfile
from gateway.transport import Response, Scope
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.wire import WireRequest

Handler = Callable[[WireRequest], Response | Awaitable[Response]]
BASE_URL = "https://upstream.example/base"


class FakeClock:
    """Stands still at a moment of 2026 until `advance`."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._passed = 0.0

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds


class FakeWire:
    """Answers by a function and keeps what was asked; the handler may raise a `WireError`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.requests: list[WireRequest] = []

    async def send(self, request: WireRequest) -> Response:
        self.requests.append(request)
        answer = self._handler(request)
        return answer if isinstance(answer, Response) else await answer

    async def aclose(self) -> None:
        pass


def answer(body: str | bytes = b"", status: int = 200, **headers: str) -> Response:
    """Make an answer; JSON when it has a body."""
    content = body.encode() if isinstance(body, str) else body
    return Response(status, {"content-type": "application/json; charset=utf-8", **headers}, content)


def make_scope(seconds: float = 10.0) -> Scope:
    """Make the scope of one request on the fake clock."""
    return Scope(request_id="test", deadline=1000.0 + seconds)


def make_writes(clock: FakeClock | None = None) -> Writes:
    """Make what carries out writes over a journal that nobody has opened: for those who only read."""
    used = clock or FakeClock()
    return Writes(Journal("sqlite://", now=used.now), used)


def make_parts(
    options: Any,  # noqa: ANN401  (each system's own)
    handler: Handler,
    *,
    settings: dict[str, Any] | None = None,
    **profile: Any,  # noqa: ANN401  (fields of SourceProfile)
) -> tuple[SourceParts, FakeWire]:
    """Make what a source is built from, over a fake wire; the second part keeps `requests`.

    `profile` overrides fields of `SourceProfile` (default: key "src", system "SYSTEM", zone Europe/Stockholm).
    """
    wire = FakeWire(handler)
    clock = FakeClock()
    # What fails is not tried again: tests count calls.
    source_settings = SourceSettings.model_validate({"system": "system", "base_url": BASE_URL, "retries": 0, **(settings or {})})
    fields: dict[str, Any] = {
        "key": "src",
        "system": "SYSTEM",
        "display_name": "Source",
        "time_zone": ZoneInfo("Europe/Stockholm"),
        **profile,
    }
    parts = SourceParts(
        profile=SourceProfile(**fields),
        options=options,
        upstream=HttpUpstream(str(fields["key"]), source_settings, wire, clock),
        clock=clock,
    )
    return parts, wire
