"""How one page leads to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import NonNullTypeNode

from gateway.client.columns import Path, value_at
from gateway.client.document import Document
from gateway.client.mistake import Mistake
from gateway.client.rows import Connection, connections


class NoEnd(Exception):
    """There is a next page, and nothing says where; the message is one line."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The one list of a document whose pages are fetched."""

    connection: Connection
    variable: str
    """Of the cursor."""
    has_next: Path
    cursor: Path

    def is_there(self, data: object) -> bool:
        """Say whether an answer has a page at all."""
        return value_at(data, self.connection.path) is not None

    def next_cursor(self, data: object, used: object) -> str | None:
        """Give the cursor of the next page; None: there is none. Raises `NoEnd` when it would be the same page again."""
        if value_at(data, self.has_next) is not True:
            return None
        cursor = value_at(data, self.cursor)
        if not isinstance(cursor, str) or cursor == used:
            raise NoEnd(f"{self.connection.title}: the answer says that there is a next page and not where it begins")
        return cursor


def find_paging(document: Document) -> Paging:
    """Find the list to page through. Raises `Mistake`, with what is missing."""
    connection = _the_one(list(connections(document.fields)))
    variable = connection.field.variable_of("after")
    mistakes = list(_missing(connection, variable, document))
    if mistakes or variable is None:
        raise Mistake(f"--all-pages: {connection.title}: {'; '.join(mistakes)}")
    page_info = connection.field.named("pageInfo")
    assert page_info is not None  # noqa: S101  (else it would be missing)  # nosec B101
    above = (*connection.path, page_info.key)
    keys = [field.key for name in ("hasNextPage", "endCursor") if (field := page_info.named(name)) is not None]
    return Paging(connection, variable, (*above, keys[0]), (*above, keys[1]))


def _the_one(found: list[Connection]) -> Connection:
    if not found:
        raise Mistake("--all-pages: the document has no list with nodes or edges, so there are no pages")
    if len(found) > 1:
        names = ", ".join(connection.title for connection in found)
        raise Mistake(f"--all-pages: the document has several lists: {names}; ask for one")
    return found[0]


def _missing(connection: Connection, variable: str | None, document: Document) -> Iterator[str]:
    if variable is None:
        yield "its argument `after` must be a variable, as in (first: 100, after: $after)"
    elif isinstance(document.variables.get(variable), NonNullTypeNode):
        yield f"${variable} must be of type String, without `!`: the first page has no cursor"
    page_info = connection.field.named("pageInfo")
    names = [name for name in ("hasNextPage", "endCursor") if page_info is None or page_info.named(name) is None]
    if names:
        yield f"it lacks pageInfo {{ {' '.join(names)} }}"
