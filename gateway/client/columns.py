"""Rows of a table from objects of an answer: one column a leaf of the query, named by its dotted path, in the query's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.client.document import Field

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A leaf: where it is in a row, and its name in the graph."""

    path: Path
    name: str

    @property
    def title(self) -> str:
        """Give its dotted path."""
        return ".".join(self.path)

    def value_in(self, row: object) -> object:
        """Give its value in a row; where lists are on the way a list of the values in them. None: it is null, or not there."""
        return value_at(row, self.path)


def columns_of(fields: Iterable[Field], above: Path = ()) -> Iterator[Column]:
    """Give the leaves below fields."""
    for field in fields:
        path = (*above, field.key)
        if field.fields:
            yield from columns_of(field.fields, path)
        else:
            yield Column(path, field.name)


def value_at(value: object, path: Path) -> object:
    """Follow a path, into each item of a list; None where it ends early."""
    if isinstance(value, list):
        return [value_at(item, path) for item in value] if path else value
    if not path:
        return value
    return value_at(value.get(path[0]), path[1:]) if isinstance(value, dict) else None
