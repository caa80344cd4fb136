"""Objects of one type that stand at one place of the answer, or at that place in each item of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from graphql.pyutils import Path

from gateway.execution.answer import AnswerObject
from gateway.execution.plan import FieldPlan, ObjectPlan

Places: TypeAlias = Sequence[tuple[int, ...]]
"""Of each value, its place in the list of its field, in the list in that list, and so on."""


class Rows:
    """Objects, what is asked of them, what becomes of them, and where they stand. `parent` None: the root."""

    __slots__ = ("field", "outs", "owners", "parent", "places", "plan", "sources")

    def __init__(
        self,
        plan: ObjectPlan,
        sources: Sequence[Any],
        parent: Rows | None = None,
        field: FieldPlan | None = None,
        owners: Sequence[int] = (0,),
        places: Places = ((),),
    ) -> None:
        self.plan = plan
        self.sources = sources
        self.outs: list[AnswerObject] = []
        """Of each object the answer; made once all that needs no waiting was read."""
        self.parent = parent
        self.field = field
        """Of the parent, which the objects are values of."""
        self.owners = owners
        """Of each object, its parent's row."""
        self.places = places

    def path(self, row: int, field: FieldPlan, place: tuple[int, ...] = ()) -> Path:
        """Give the path to a field of an object, or to an item of its list."""
        path = Path(self._path_to(row), field.key, field.parent_type.name)
        for index in place:
            path = Path(path, index, None)
        return path

    def path_of_all(self, field: FieldPlan) -> str:
        """Give the path to a field of all these objects: names with dots between them, without places in lists."""
        key = field.key
        return key if self.parent is None or self.field is None else f"{self.parent.path_of_all(self.field)}.{key}"

    def _path_to(self, row: int) -> Path | None:
        if self.parent is None or self.field is None:
            return None
        return self.parent.path(self.owners[row], self.field, self.places[row])

    def order(self, row: int, field: FieldPlan, place: tuple[int, ...]) -> tuple[int, ...]:
        """Give what sorts places of the answer in the order of the answer."""
        here = (field.place, *place)
        if self.parent is None or self.field is None:
            return here
        return self.parent.order(self.owners[row], self.field, self.places[row]) + here
