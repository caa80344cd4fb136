"""Positions in lists and the pages that have them, pure.

ShopCtrl pages by number (`pageSize`, `pageNumber` from 1). A position is an offset from the start of a shop's list, so that any page
size goes on from it, and the fiftieth page costs what the second does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from gateway.errors import InvalidCursor
from gateway.model import Record, SourcePage

LARGEST_PAGE: Final = 100
"""The default of `pageSize`; what more an installation gives is not published."""
_NUMBER: Final = r"(0|[1-9][0-9]{0,18})"
_ONE: Final = re.compile(_NUMBER)
_TWO: Final = re.compile(rf"{_NUMBER}/{_NUMBER}")
_THREE: Final = re.compile(rf"{_NUMBER}/{_NUMBER}/{_NUMBER}")


class Page(msgspec.Struct, frozen=True):
    """A page of an upstream list; the first `skip` rows are before the wanted ones."""

    number: int
    size: int
    skip: int


def page_from(offset: int, wanted: int) -> Page:
    """Give the smallest page that has all `wanted` rows (at most `LARGEST_PAGE`) from `offset` on; where none has, the first of two."""
    for size in range(wanted, LARGEST_PAGE + 1):
        if offset // size == (offset + wanted - 1) // size:
            return Page(offset // size + 1, size, offset % size)
    return Page(offset // wanted + 1, wanted, offset % wanted)


class OrderPosition(msgspec.Struct, frozen=True):
    """Before an order: `offset` of them in the list of its shop come earlier."""

    shop: int
    offset: int = 0

    def to_text(self) -> str:
        """Give it as text."""
        return f"{self.shop}/{self.offset}"

    @classmethod
    def from_text(cls, text: str | None, shops: Collection[int]) -> OrderPosition:
        """Read it; None is the start. Raises `InvalidCursor` for any other text, and where the shop is none of `shops`."""
        if text is None:
            return cls(next(iter(shops)))
        shop, offset = _numbers(_TWO, text)
        return cls(_known(shop, shops), offset)


class InvoicePosition(msgspec.Struct, frozen=True):
    """Before an invoice of the order at `order`, or of a later one: those with ids up to `after` come earlier."""

    order: OrderPosition
    after: int = 0

    def to_text(self) -> str:
        """Give it as text."""
        return f"{self.order.to_text()}/{self.after}"

    @classmethod
    def from_text(cls, text: str | None, shops: Collection[int]) -> InvoicePosition:
        """Read it; None is the start. Raises `InvalidCursor` for any other text, and where the shop is none of `shops`."""
        if text is None:
            return cls(OrderPosition.from_text(None, shops))
        shop, offset, after = _numbers(_THREE, text)
        return cls(OrderPosition(_known(shop, shops), offset), after)


def number_from(text: str | None) -> int:
    """Read a position that is one number; None is 0, the start. Raises `InvalidCursor`."""
    return 0 if text is None else _numbers(_ONE, text)[0]


def _numbers(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise InvalidCursor("after: this is no position in this list")
    return tuple(int(number) for number in match.groups())


def _known(shop: int, shops: Collection[int]) -> int:
    if shop not in shops:
        raise InvalidCursor("after: this position is in a shop that is not configured any more")
    return shop


class Found(msgspec.Struct):
    """A page while it is filled."""

    size: int
    records: list[Record] = []  # of its own for each page, as the others are
    positions: list[str] = []
    unreadable: int = 0
    left_out: list[str] = []

    @property
    def missing(self) -> int:
        """How many records there is room for."""
        return self.size - len(self.records)

    def add(self, record: Record | None, position: str) -> None:
        """Add a record with the position behind it; None: it cannot be read."""
        if record is None:
            self.unreadable += 1
            return
        self.records.append(record)
        self.positions.append(position)

    def to_page(self, next_position: str | None, applied: frozenset[str]) -> SourcePage:
        """Close the page."""
        return SourcePage(
            records=tuple(self.records),
            positions=tuple(self.positions),
            next_position=next_position,
            applied=applied,
            unreadable=self.unreadable,
            left_out=tuple(self.left_out),
        )


def part_of(all_found: Sequence[Record], position: str | None, size: int, applied: frozenset[str]) -> SourcePage:
    """Give a page of what came at once; records of which only the key can be read count as unreadable. Raises `InvalidCursor`."""
    start = number_from(position)
    found = Found(size)
    for number, record in enumerate(all_found[start : start + size], start + 1):
        found.add(record if record.fetched_at is not None else None, str(number))
    return found.to_page(str(start + size) if start + size < len(all_found) else None, applied)
