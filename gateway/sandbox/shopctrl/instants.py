"""Instants as the API writes them: ISO 8601 with the offset of Amsterdam and up to seven fractional digits."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")

_FRACTION: Final = re.compile(r"\.(\d{1,7})")
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d:\d\d)")


def to_stamp(text: str) -> str:
    """Write an instant as the API does; a text without an offset is Amsterdam time, slashes are accepted.

    Raises `ValueError` when the text is no date.
    """
    fraction = _FRACTION.search(text)
    return _written(to_moment(text), fraction.group(1) if fraction else "")


def stamp_of(moment: datetime, tick: int = 0) -> str:
    """Write an aware moment; `tick` is the seventh digit, which Python's clock does not have."""
    return _written(moment, f"{moment.microsecond:06d}{tick}")


def to_moment(text: str) -> datetime:
    """Read an instant, to the microsecond; raises `ValueError` when the text is no date."""
    moment = datetime.fromisoformat(text.replace("/", "-"))
    return moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)


def with_digits(text: str, digits: int) -> str:
    """Cut the fraction of an instant to so many digits; any other text comes back as it is."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return text
    fraction = (found.group(2) or "")[: digits + 1].rstrip(".")
    return f"{found.group(1)}{fraction}{found.group(3)}"


def _written(moment: datetime, digits: str) -> str:
    # Trailing zeros are dropped, as the vendor's serialiser drops them.
    local = moment.astimezone(AMSTERDAM).replace(microsecond=0)
    fraction = digits.rstrip("0")
    seconds, offset = local.isoformat()[:19], local.isoformat()[19:]
    return f"{seconds}.{fraction}{offset}" if fraction else f"{seconds}{offset}"
