"""What a person sees of a long command on stderr: one line that changes, and lines that stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TextIO

from gateway.client.printable import printable
from gateway.transport import Clock

_SECONDS_BETWEEN_ON_TERMINALS: Final = 0.2
_SECONDS_BETWEEN_LINES: Final = 5.0
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Shows how far a command is, where somebody wants to see it; `say` is always shown."""

    def __init__(self, stream: TextIO, clock: Clock, *, is_shown: bool) -> None:
        self._stream = stream
        self._clock = clock
        self._is_shown = is_shown
        self._is_terminal = stream.isatty()
        self._began = clock.monotonic()
        self._next_at = self._began
        self._has_line = False

    @property
    def seconds(self) -> float:
        """Give the seconds since the beginning."""
        return self._clock.monotonic() - self._began

    def rate_of(self, count: int) -> str:
        """Give how many a second that is."""
        return f"{count / self.seconds:.0f}/s" if self.seconds > 0 else "-/s"

    def show(self, make: Callable[[], str], *, is_last: bool = False) -> None:
        """Show how far it is, not more often than one can read."""
        now = self._clock.monotonic()
        if not self._is_shown or (now < self._next_at and not is_last):
            return
        self._next_at = now + (_SECONDS_BETWEEN_ON_TERMINALS if self._is_terminal else _SECONDS_BETWEEN_LINES)
        self._has_line = self._is_terminal and not is_last
        self._write(f"{_CLEAR if self._is_terminal else ''}{printable(make())}{'' if self._has_line else chr(10)}")

    def say(self, line: str) -> None:
        """Say a line that stays."""
        before = _CLEAR if self._has_line else ""
        self._has_line = False
        self._write(f"{before}{printable(line)}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
