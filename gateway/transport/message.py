"""A request to an upstream and its answer, as plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from urllib.parse import quote

import msgspec

from gateway.errors import InvalidInput

JsonBody = object
"""A JSON value whose amounts are `Decimal`; they are written as numbers with the scale they have."""


class NoBody:
    """Stands for "no body at all", which is not the same as JSON null."""


NO_BODY: Final = NoBody()

_SLASHES: Final = re.compile(r"[/\\]")
_DOTS: Final = re.compile(r"\s*\.+\s*(;.*)?", re.DOTALL)
"""A segment that a server may resolve, with what some cut off before they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, below the source's `base_url`.

    `path` starts with `/` and is made with `path_of`; `operation` is the vendor's name for it, for errors, logs and counts.
    Only a POST that writes goes through `Upstream.write`.
    """

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: JsonBody | NoBody = field(default=NO_BODY, repr=False)
    target: str = field(init=False, repr=False, compare=False)
    """Path and query as they go over the wire. Made once: whoever shares reads, sends and retries looks at it."""

    def __post_init__(self) -> None:
        """Write path and query as they go over the wire."""
        query = "&".join([f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query])
        object.__setattr__(self, "target", f"{self.path}?{query}" if query else self.path)

    @property
    def body(self) -> JsonBody:
        """The JSON body as it will be written; None when there is none."""
        return None if isinstance(self.json, NoBody) else plain(self.json)

    @property
    def content(self) -> bytes | None:
        """The body as it goes over the wire; None when there is none."""
        return None if isinstance(self.json, NoBody) else msgspec.json.encode(_with_amounts(self.json, _number))


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Say whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004  (HTTP's own classes)


def path_of(template: str, **parts: str | int) -> str:
    """Fill `{names}` of a path with values, each escaped so that it stays one segment.

    Raises `InvalidInput` for one that has `.` or `..` between slashes: servers resolve these also where they are escaped.
    """
    return template.format(**{name: _segment(name, str(value)) for name, value in parts.items()})


def _segment(name: str, value: str) -> str:
    if value.isascii() and value.isalnum():  # as most keys are
        return value
    if any(_DOTS.fullmatch(part) for part in _SLASHES.split(value)):
        raise InvalidInput(f"{name}: dots alone, or between slashes, cannot be asked for")
    return quote(value, safe="")


def plain(value: object) -> object:
    """Copy a JSON value with each decimal in plain notation: `1E+2` becomes `100`."""
    return _with_amounts(value, lambda amount: Decimal(format(amount, "f")))


def _number(amount: Decimal) -> msgspec.Raw:
    return msgspec.Raw(format(amount, "f").encode())  # as text: a Decimal below 0.000001 would be written as 1E-7


def _with_amounts(value: object, write: Callable[[Decimal], object]) -> object:
    match value:
        case Decimal():
            return write(value)
        case dict():
            return {key: _with_amounts(item, write) for key, item in value.items()}
        case list() | tuple():
            return [_with_amounts(item, write) for item in value]
        case _:
            return value
