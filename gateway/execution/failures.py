"""Fields that failed: their errors in the order of the answer, and what their nulls take with them."""

from __future__ import annotations

from typing import NamedTuple

from graphql import located_error
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from gateway.execution.plan import FieldPlan
from gateway.execution.rows import Rows


class Position(NamedTuple):
    """A place of the answer: a field of an object, or an item of its list."""

    rows: Rows
    row: int
    field: FieldPlan
    place: tuple[int, ...]

    @property
    def path(self) -> Path:
        """Its path."""
        return self.rows.path(self.row, self.field, self.place)

    @property
    def order(self) -> tuple[int, ...]:
        """What sorts positions as the answer has them."""
        return self.rows.order(self.row, self.field, self.place)

    @property
    def is_required(self) -> bool:
        """Whether it may not be null."""
        return self.field.required[len(self.place)]

    def outer(self) -> Position | None:
        """Give the position around it: the list, or the object's; None when that is the whole answer."""
        if self.place:
            return self._replace(place=self.place[:-1])
        rows = self.rows
        if rows.parent is None or rows.field is None:
            return None
        return Position(rows.parent, rows.owners[self.row], rows.field, rows.places[self.row])

    def nulled(self) -> Position | None:
        """Give the innermost position that may be null, from here outwards; None: nothing of the answer may."""
        position: Position | None = self
        while position is not None and position.is_required:
            position = position.outer()
        return position

    def clear(self) -> None:
        """Make it null."""
        out = self.rows.outs[self.row]
        if not self.place:
            setattr(out, self.field.attribute, None)
            return
        items = getattr(out, self.field.attribute)
        for index in self.place[:-1]:
            items = items[index]
        items[self.place[-1]] = None


class Failures:
    """Collects the failures of one execution. They are dealt with at its end, when everything stands at its place."""

    def __init__(self) -> None:
        self._found: list[tuple[Position, Exception]] = []

    def add(self, position: Position, error: Exception) -> None:
        """Note that a position failed."""
        self._found.append((position, error))

    def takes_all(self, *, propagates: bool) -> bool:
        """Say whether something has failed that leaves nothing of the answer."""
        return propagates and any(position.nulled() is None for position, _ in self._found)

    def settle(self, errors: CollectedErrors, *, propagates: bool) -> bool:
        """Make null what failed, as far out as it must be, and tell the errors; False: nothing is left of the answer.

        What failed below a position that is null by then is not told: as if fields were completed one after another.
        """
        for position, error in sorted(self._found, key=lambda each: each[0].order):
            nulled = position.nulled() if propagates else position
            path = None if nulled is None else nulled.path
            if errors.has_nulled_position(path):
                continue
            errors.add(located_error(error, position.field.nodes, position.path.as_list()), path)
            if nulled is None:
                return False
            nulled.clear()
        return True
