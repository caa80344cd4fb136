"""Where the rows of an answer are: in its one connection, else in its one list, else it is a row itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.client.columns import Path, value_at
from gateway.client.document import Field
from gateway.client.mistake import Mistake


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are in `data`, and what is selected of each."""

    path: Path
    fields: tuple[Field, ...]
    within: Path = ()
    """What of each item is the row: `node` of an edge."""

    def rows_of(self, data: object) -> list[Any]:
        """Give the rows of an answer; none where it is null. Those that are null are left out: they are in `errors`."""
        found = value_at(data, self.path)
        items = found if isinstance(found, list) else [found]
        return [row for item in items if (row := value_at(item, self.within)) is not None]


@dataclass(frozen=True, slots=True)
class Connection:
    """A field that pages, and where it is."""

    path: Path
    field: Field

    @property
    def title(self) -> str:
        """Give its dotted path."""
        return ".".join(self.path)

    @property
    def place(self) -> Place:
        """Give where its rows are: the nodes, or the edges where more than their nodes is asked."""
        nodes = self.field.named("nodes")
        if nodes is not None:
            return Place((*self.path, nodes.key), nodes.fields)
        edges = self.field.named("edges")
        assert edges is not None  # noqa: S101  (else it would be no connection)  # nosec B101
        path = (*self.path, edges.key)
        if len(edges.fields) == 1 and edges.fields[0].name == "node":
            return Place(path, edges.fields[0].fields, (edges.fields[0].key,))
        return Place(path, edges.fields)


def connections(fields: Iterable[Field], above: Path = ()) -> Iterator[Connection]:
    """Give the connections that are in no other one."""
    for field in fields:
        path = (*above, field.key)
        if field.named("nodes") is not None or field.named("edges") is not None:
            yield Connection(path, field)
        else:
            yield from connections(field.fields, path)


def connections_everywhere(fields: Iterable[Field], above: Path = ()) -> Iterator[Connection]:
    """Give all connections, those in rows of others too."""
    for connection in connections(fields, above):
        yield connection
        yield from connections_everywhere(connection.field.fields, connection.path)


def find_rows(fields: tuple[Field, ...], data: object) -> Place:
    """Find where the rows of an answer are. Raises `Mistake` when several lists could be meant."""
    places = [connection.place for connection in connections(fields)] or list(_lists(fields, data, ()))
    if len(places) > 1:
        names = ", ".join(".".join(place.path) for place in places)
        raise Mistake(f"--format: rows are those of one list, and here are several: {names}; ask for one, or take --format json")
    return places[0] if places else Place((), fields)


def _lists(fields: Iterable[Field], value: object, above: Path) -> Iterator[Place]:
    if not isinstance(value, dict):
        return
    for field in fields:
        found, path = value.get(field.key), (*above, field.key)
        if isinstance(found, list) and field.fields:
            yield Place(path, field.fields)
        else:
            yield from _lists(field.fields, found, path)
