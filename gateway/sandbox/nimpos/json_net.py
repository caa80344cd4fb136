"""Write what Json.NET writes there: `$id` and `$ref` on objects, Swedish local times with up to 7 fractional digits.

The samples of the vendor's help pages show both, e.g. `Api/GET-api-Order-GetCustomerInvoice_...`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Row = dict[str, Any]
"""One object as the server holds it: PascalCase keys; GUIDs as text, amounts as `Decimal`, times as `Moment`."""

_STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")
_YEAR_ONE: Final = datetime(1, 1, 1, tzinfo=UTC)
_SECOND: Final = 10_000_000
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time to 100 ns, which `datetime` cannot hold."""

    ticks: int
    """100 ns steps since 0001-01-01 UTC; 0 is a time that was never set."""

    def local(self) -> datetime:
        """Give the Stockholm time, cut to whole seconds."""
        return (_YEAR_ONE + timedelta(seconds=self.ticks // _SECOND)).astimezone(_STOCKHOLM)

    def text(self) -> str:
        """Write it as the server does; a time that was never set has no offset."""
        if self.ticks == 0:
            return "0001-01-01T00:00:00"
        whole = self.local().isoformat()
        fraction = f".{self.ticks % _SECOND:07d}".rstrip("0").rstrip(".")
        return f"{whole[:19]}{fraction}{whole[19:]}"


UNSET: Final = Moment(0)


def to_moment(text: str) -> Moment:
    """Read an ISO 8601 date or time; without an offset it is Stockholm time. Raises `ValueError`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date")
    date, time, fraction, offset = match.groups()
    if date == "0001-01-01":
        return UNSET
    moment = datetime.fromisoformat(f"{date}T{time or '00:00:00'}{offset or ''}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_STOCKHOLM)
    try:
        since = moment.astimezone(_STOCKHOLM).astimezone(UTC) - _YEAR_ONE
    except OverflowError:
        raise ValueError("not a date that the server can hold") from None
    seconds = since.days * 86_400 + since.seconds
    return Moment(seconds * _SECOND + int((fraction or "0").ljust(7, "0")))


def document(value: object, instead: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401  (any JSON value)
    """Make one answer of rows: each object is numbered once, a repeat is a `$ref`.

    `instead` gives values for keys whose own value must not be shown.
    """
    return _write(value, instead or {}, {})


def _write(value: object, instead: Mapping[str, object], numbers: dict[int, str]) -> object:
    if isinstance(value, Moment):
        return value.text()
    if isinstance(value, list | tuple):
        return [_write(item, instead, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    known = numbers.get(id(value))
    if known is not None:
        return {"$ref": known}
    number = numbers[id(value)] = str(len(numbers) + 1)
    members = {key: instead[key] if key in instead else _write(member, instead, numbers) for key, member in value.items()}
    return {"$id": number, **members}
