"""Columns of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def to_columns(rows: Sequence[Sequence[str]], *, texts: int = 1) -> Iterator[str]:
    """Write rows below each other: the first `texts` columns and the last to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row[:-1], widths, strict=False)
        shown = [cell.ljust(width) if column < texts else cell.rjust(width) for column, (cell, width) in enumerate(cells)]
        yield "  ".join([*shown, row[-1]]).rstrip()
