"""A running gateway as its clients see it: one request, one answer, and patience where the gateway asks for it.

The same request may always be sent again: reads change nothing, and the gateway lets a key lead to one write at the most.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from gateway.client import json_text
from gateway.transport import Clock, Response
from gateway.transport.wire import Wire, WireError, WireRequest, WireTimeout

PATIENCE_SECONDS: Final = 300.0
"""How long one request waits in all, when the gateway asks for it."""

_CONNECT_SECONDS: Final = 5.0
_MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_TOLD_SECONDS: Final = 2.0
"""A shorter wait is not worth a word."""

_BUSY: Final = frozenset({429, 502, 503, 504})
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Before each further attempt, where nobody says how long."""

Sleep = Callable[[float], Awaitable[None]]
Tell = Callable[[str], None]


class NoAnswer(Exception):
    """There is no answer of a gateway; the message is one line. `nothing_begun`: it is proven that no gateway began the request."""

    def __init__(self, message: str, *, nothing_begun: bool) -> None:
        super().__init__(message)
        self.nothing_begun = nothing_begun


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answered."""

    status: int
    body: Mapping[str, Any]

    @property
    def data(self) -> Any:  # noqa: ANN401  (as the document has it)
        """Give the data; None when there is none."""
        return self.body.get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Give the errors; none is an empty list."""
        return self.body.get("errors") or []

    @property
    def extensions(self) -> dict[str, Any]:
        """Give what the gateway says beside the answer."""
        return self.body.get("extensions") or {}

    @property
    def was_executed(self) -> bool:
        """Say whether execution began: a request that was refused as a whole has no data at all, not even null."""
        return "data" in self.body

    @property
    def codes(self) -> set[str]:
        """Give the codes of its errors."""
        return {code_of(error) for error in self.errors}


def code_of(error: Mapping[str, Any]) -> str:
    """Give the code of an error; `-` where it has none."""
    return str((error.get("extensions") or {}).get("code", "-"))


@dataclass(slots=True)
class Endpoint:
    """Asks the gateway at `url`. `sleep` may raise, to end the patience."""

    url: str
    wire: Wire
    clock: Clock
    sleep: Sleep
    tell: Tell
    key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 60.0
    _open_at: float = float("-inf")
    _has_answered: bool = False

    async def ask(self, body: Mapping[str, object], headers: Mapping[str, str]) -> Answer:
        """Send a request until it is answered, waiting where the gateway is busy. Raises `NoAnswer`."""
        content = json_text.compact(body).encode()
        give_up_at = self.clock.monotonic() + PATIENCE_SECONDS
        pauses = iter(_PAUSES)
        while True:
            await self._wait_until_open()
            outcome = await self._send(content, headers)
            wait = self._pause_after(outcome, pauses)
            if wait is None or self.clock.monotonic() + wait > give_up_at:
                return self._read(outcome)
            self._hold(wait, outcome)

    async def _send(self, content: bytes, headers: Mapping[str, str]) -> Response | WireError:
        usual = {"content-type": "application/json", "accept": "application/graphql-response+json, application/json;q=0.9"}
        signed = {} if self.key is None else {"authorization": f"Bearer {self.key}"}
        request = WireRequest(
            method="POST",
            url=self.url,
            headers={**usual, **signed, **headers},
            content=content,
            timeout_seconds=self.timeout_seconds,
            connect_timeout_seconds=min(_CONNECT_SECONDS, self.timeout_seconds),
            max_answer_bytes=_MAX_ANSWER_BYTES,
        )
        try:
            response = await self.wire.send(request)
        except WireError as error:
            return error
        self._has_answered = True
        return response

    def _pause_after(self, outcome: Response | WireError, pauses: Any) -> float | None:  # noqa: ANN401  (an iterator of seconds)
        """Give the seconds until another attempt; None: this is the outcome."""
        if isinstance(outcome, Response):
            if outcome.status not in _BUSY:
                return None
            said = _retry_after(outcome, self.clock)
            return next(pauses, None) if said is None else said
        is_over = isinstance(outcome, WireTimeout) and not outcome.nothing_sent
        # A gateway that was never there is a mistake in the address, one that was there is being restarted.
        return next(pauses, None) if self._has_answered and not is_over else None

    def _hold(self, seconds: float, outcome: Response | WireError) -> None:
        """Let no request of this process through for so long: they share what the gateway allows."""
        self._open_at = max(self._open_at, self.clock.monotonic() + seconds)
        if seconds >= _TOLD_SECONDS:
            what = f"it answered {outcome.status}" if isinstance(outcome, Response) else str(outcome)
            self.tell(f"{self.url}: {what}; asking again in {seconds:.0f} s")

    async def _wait_until_open(self) -> None:
        while (wait := self._open_at - self.clock.monotonic()) > 0:
            await self.sleep(wait)

    def _read(self, outcome: Response | WireError) -> Answer:
        if isinstance(outcome, WireError):
            raise NoAnswer(f"{self.url}: {outcome}", nothing_begun=outcome.nothing_sent)
        try:
            body = json_text.read(outcome.body)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not ("data" in body or body.get("errors")):
            refused = 400 <= outcome.status < 500  # noqa: PLR2004  (HTTP's own classes)
            raise NoAnswer(f"{self.url}: it answered {outcome.status}, and that is no GraphQL", nothing_begun=refused)
        return Answer(outcome.status, body)


def _retry_after(response: Response, clock: Clock) -> float | None:
    """Read Retry-After, seconds or a date; None where it says nothing that can be read."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None
