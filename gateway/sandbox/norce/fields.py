"""The checks of a body's fields that a typed server makes while it reads: every field may be null, none may be of another type."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INT32: Final = 2**31
_LARGEST_NUMBER: Final = 10**9
"""Exclusive; the product of three such amounts still has its cents in a `Decimal`."""


def to_instant(text: str) -> datetime:
    """Read an ISO 8601 date-time; without a zone it is UTC. Raises `ValueError`."""
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("The date-time is out of range.") from error


def to_text(moment: datetime) -> str:
    """Write an instant the way Services and Query do: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def wrong_fields(body: Mapping[str, Any], kinds: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    """Name the fields of `body` whose value is not of its kind, each with a message; fields without a kind are ignored."""
    return {
        f"{prefix}{name}": f"The value is not a valid {kind}."
        for name, kind in kinds.items()
        if body.get(name) is not None and not _IS_KIND[kind](body[name])
    }


def _is_int32(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT32 <= value < _INT32


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return abs(Decimal(value)) < _LARGEST_NUMBER


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and _can(to_instant, value)


def _is_guid(value: object) -> bool:
    return isinstance(value, str) and _can(uuid.UUID, value)


def _can(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


_IS_KIND: Final[Mapping[str, Callable[[object], bool]]] = {
    "string": lambda value: isinstance(value, str) and _can(str.encode, value),
    "bool": lambda value: isinstance(value, bool),
    "int32": _is_int32,
    "number": _is_number,
    "moment": _is_moment,
    "guid": _is_guid,
    "object": lambda value: isinstance(value, dict),
    "objects": lambda value: isinstance(value, list) and all(isinstance(entry, dict) for entry in value),
}
