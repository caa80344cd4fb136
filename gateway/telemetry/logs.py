"""Log lines on stderr, as text or as JSON, one line each.

What may be secret is not redacted: it never gets here. A line of ours has a message of ours and the keys named below, no others. Of a
library's line only the constant part of its message is told, as what is filled into it may be an address or an answer; of an exception
its type and where it was raised, as its text may hold anything.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

OURS: Final = "gateway"
REQUEST_LOG: Final = "gateway.requests"
KEYS: Final = (
    "requestId",
    "type",
    "operation",
    "outcome",
    "codes",
    "status",
    "durationMs",
    "overheadMs",
    "upstreamCalls",
    "traceId",
)
"""What a line of ours may say beside its message, as `extra` of its logger."""


class _Lines(logging.Formatter):
    """What both formats have in common."""

    def message(self, record: logging.LogRecord) -> str:
        """Give the message, as far as it is ours."""
        if _is_ours(record):
            return record.getMessage()
        return record.msg if isinstance(record.msg, str) else type(record.msg).__name__

    def raised(self, record: logging.LogRecord) -> str | None:
        """Say which exception goes with it, and where it was raised; None: there is none."""
        if not record.exc_info or record.exc_info[0] is None:
            return None
        place = "".join(traceback.format_tb(record.exc_info[2])).rstrip()
        return f"{record.exc_info[0].__name__}\n{place}".rstrip()

    def known(self, record: logging.LogRecord) -> dict[str, object]:
        """Give the keys that it has, of those that there are."""
        return {key: getattr(record, key) for key in KEYS if getattr(record, key, None) is not None}


class JsonLines(_Lines):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
            **self.known(record),
        }
        raised = self.raised(record)
        return json.dumps(line if raised is None else {**line, "exception": raised}, ensure_ascii=False)


class TextLines(_Lines):
    """For people: the message, then what is known as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        known = "".join(f" {key}={_plain(value)}" for key, value in self.known(record).items())
        raised = self.raised(record)
        return f"{record.levelname.lower()}: {self.message(record)}{known}" + ("" if raised is None else f"\n{raised}")


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def _is_heard(record: logging.LogRecord) -> bool:
    """Say whether a line is written that its logger lets pass; libraries, and who uses them, set levels of their own."""
    return _is_ours(record) or record.levelno >= logging.WARNING


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def write_logs(form: Literal["text", "json"], level: Literal["debug", "info", "warning", "error"], stream: TextIO | None = None) -> None:
    """Have all loggers of the process write to `stream` (None: stderr) from a level on; those of libraries from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    handler.addFilter(_is_heard)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
