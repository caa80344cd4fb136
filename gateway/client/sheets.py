"""How rows are written: one after another, so that any number of them needs the memory of a page."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import Final, Protocol, TextIO

from gateway.client import json_text
from gateway.client.columns import Column
from gateway.client.printable import printable

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_GAP: Final = "  "


class Sheet(Protocol):
    """Takes rows, page by page."""

    def write(self, rows: Sequence[object]) -> None:
        """Write the rows of a page."""

    def end(self) -> None:
        """Write what belongs after the last one."""


class JsonSheet:
    """One array, a row a line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._before = "[\n"

    def write(self, rows: Sequence[object]) -> None:
        """Write rows, each after a comma but the first."""
        for row in rows:
            self._out.write(f"{self._before}{json_text.compact(row)}")
            self._before = ",\n"

    def end(self) -> None:
        """Close the array."""
        self._out.write("[]\n" if self._before.startswith("[") else "\n]\n")


class NdjsonSheet:
    """A row a line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, rows: Sequence[object]) -> None:
        """Write rows."""
        self._out.writelines(f"{json_text.compact(row)}\n" for row in rows)

    def end(self) -> None:
        """Write nothing."""


class CsvSheet:
    """A header, and a line a row."""

    def __init__(self, out: TextIO, columns: Sequence[Column]) -> None:
        self._writer = csv.writer(out, lineterminator="\n")
        self._columns = columns
        self._writer.writerow([column.title for column in columns])

    def write(self, rows: Sequence[object]) -> None:
        """Write rows."""
        self._writer.writerows([json_text.cell(column.value_in(row)) for column in self._columns] for row in rows)

    def end(self) -> None:
        """Write nothing."""


class TableSheet:
    """Columns for people, as wide as the first page needs; numbers stand at the right."""

    def __init__(self, out: TextIO, columns: Sequence[Column]) -> None:
        self._out = out
        self._columns = columns
        self._formats: list[str] | None = None

    def write(self, rows: Sequence[object]) -> None:
        """Write rows, below the header where they are the first."""
        lines = [[_shown(column.value_in(row)) for column in self._columns] for row in rows]
        if self._formats is None:
            titles = [column.title for column in self._columns]
            self._formats = [_format(title, [line[place] for line in lines]) for place, title in enumerate(titles)]
            lines = [titles, *lines]
        for line in lines:
            cells = (layout.format(cell) for layout, cell in zip(self._formats, line, strict=True))
            self._out.write(f"{_GAP.join(cells).rstrip()}\n")

    def end(self) -> None:
        """Write the header, if there was no row."""
        if self._formats is None:
            self.write([])


def _shown(value: object) -> str:
    return ", ".join(map(_shown, value)) if isinstance(value, list) else printable(json_text.cell(value))


def _format(title: str, cells: Sequence[str]) -> str:
    told = [cell for cell in cells if cell]
    side = ">" if told and all(_NUMBER.fullmatch(cell) for cell in told) else "<"
    return f"{{:{side}{max(map(len, (title, *told)))}}}"
