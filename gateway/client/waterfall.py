"""The upstream calls of an answer as text: when each began, how long it took, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.client import json_text

_BAR: Final = 40
_MOST_NAMES: Final = 3
_TITLES: Final = ("source", "operation", "start", "ms", "status", "bytes")


def to_lines(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Draw calls, in the order in which they began."""
    ordered = sorted(calls, key=lambda call: _number(call, "startMs"))
    end = max((_number(call, "startMs") + _number(call, "durationMs") for call in ordered), default=0.0)
    yield f"upstream calls: {len(ordered)}, the last ended after {end:.0f} ms" if ordered else "upstream calls: none"
    if not ordered:
        return
    table = [_TITLES, *(_cells(call) for call in ordered)]
    widths = [max(len(row[place]) for row in table) for place in range(len(_TITLES))]
    rest = [("", ""), *((_bar(call, end), _notes(call)) for call in ordered)]
    for row, (bar, notes) in zip(table, rest, strict=True):
        left = (cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False))
        right = (cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
        yield "  ".join((*left, *right, bar.ljust(_BAR + 2), notes)).rstrip()


def _cells(call: Mapping[str, Any]) -> tuple[str, ...]:
    status = call.get("status") if call.get("code") is None else call["code"]
    size = call.get("bytes")
    return (
        str(call.get("source", "-")),
        str(call.get("operation", "-")),
        f"{_number(call, 'startMs'):.0f}",
        "-" if call.get("durationMs") is None else f"{_number(call, 'durationMs'):.0f}",
        "-" if status is None else str(status),
        "-" if size is None else str(size),
    )


def _bar(call: Mapping[str, Any], end: float) -> str:
    scale = _BAR / end if end > 0 else 0.0
    start = min(_BAR - 1, int(_number(call, "startMs") * scale))
    length = max(1, min(_BAR - start, round(_number(call, "durationMs") * scale)))
    return f"|{' ' * start}{'=' * length}{' ' * (_BAR - start - length)}|"


def _notes(call: Mapping[str, Any]) -> str:
    attempt, batch, keys, fields = call.get("attempt"), call.get("batch"), call.get("keys"), call.get("fields")
    notes = [
        f"attempt {attempt}" if isinstance(attempt, int) and attempt > 1 else "",
        *(name for name in ("cached", "coalesced") if call.get(name)),
        "" if batch is None else f"batch {batch}",
        "" if keys is None else f"keys {len(keys) if isinstance(keys, list) else keys}",
        _few(fields) if isinstance(fields, list) else "",
    ]
    return "  ".join(note for note in notes if note)


def _few(names: Sequence[object]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join((*map(str, names[:_MOST_NAMES]), *([f"{more} more"] if more > 0 else [])))


def _number(call: Mapping[str, Any], name: str) -> float:
    return float(json_text.cell(call.get(name)) or 0)
