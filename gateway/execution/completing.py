"""From the values that were read to those of the answer: leaves shown, lists and objects opened, nulls checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo, Undefined, is_abstract_type
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import is_iterable

from gateway.execution.awaiting import Column, Waits, all_done, are_awaitable, each_awaited
from gateway.execution.compiling import plan_below
from gateway.execution.failures import Failures, Position
from gateway.execution.plan import FieldPlan, Leaf, ObjectPlan
from gateway.execution.rows import Places, Rows

if TYPE_CHECKING:
    from gateway.execution.run import PlanRun

_NOTHING: Final = frozenset({NoneType, type(Undefined)})


def _is_error_type(kind: type) -> bool:
    return issubclass(kind, BaseException)


class Completion:
    """Completes the columns of one execution. Values of the type of `absent` are shown as null, as None is."""

    def __init__(self, run: PlanRun, absent: object) -> None:
        self._run = run
        self._nothing = _NOTHING | {type(absent)}
        self.failures = Failures()

    def complete(self, field: FieldPlan, rows: Rows, raw: Column, kinds: set[type], waits: Waits) -> Sequence[object]:
        """Give what a field shows of each row, its values being of these types; what has to be waited for is added to `waits`."""
        if field.plain is not None and kinds <= field.plain and not (field.required[0] and kinds & self._nothing):
            return raw
        return self._level(_Values(field, rows, raw, range(len(raw)), [()] * len(raw), 0), waits)

    def _level(self, values: _Values, waits: Waits) -> Sequence[object]:
        field = values.field
        if values.depth < len(field.required) - 1:
            return self._lists(values, waits)
        return self._objects(values, waits) if field.leaf is None else self._leaves(values, field.leaf)

    # ------------------------------------------------------------------ leaves

    def _leaves(self, values: _Values, leaf: Leaf) -> Sequence[object]:
        kinds = set(map(type, values.raw))
        if not (values.is_required and kinds & self._nothing) and not any(map(_is_error_type, kinds)):
            if kinds <= leaf.unchanged:
                return values.raw
            shown = self._shown(values.raw, leaf, has_nothing=bool(kinds & self._nothing))
            if shown is not None:
                return shown
        return [self._leaf(values, at) for at in range(len(values.raw))]

    def _shown(self, raw: Column, leaf: Leaf, *, has_nothing: bool) -> Column | None:
        """Show a whole column; None where one of its values cannot be shown."""
        show, nothing = leaf.show, self._nothing
        try:
            shown = [None if type(value) in nothing else show(value) for value in raw] if has_nothing else list(map(show, raw))
        except Exception:  # noqa: BLE001  (whose it is, is found out one by one)
            return None
        nulls = sum(type(value) in nothing for value in raw) if has_nothing else 0
        return shown if shown.count(None) == nulls else None

    def _leaf(self, values: _Values, at: int) -> object:
        value = self._checked(values, at)
        if value is None:
            return None
        try:
            return self._run.complete_leaf_value(cast("Any", values.field.named), value)
        except Exception as error:  # noqa: BLE001  (it is this field's)
            self._fail(values, at, error)
            return None

    # ------------------------------------------------------------------ lists

    def _lists(self, values: _Values, waits: Waits) -> Sequence[object]:
        """Complete the items of all lists as one column."""
        items: Column = []
        owners: list[int] = []
        places: list[tuple[int, ...]] = []
        spans: list[slice | None] = []
        for at in range(len(values.raw)):
            opened = self._opened(values, at)
            if opened is None:
                spans.append(None)
                continue
            spans.append(slice(len(items), len(items) + len(opened)))
            items += opened
            owners += repeat(values.owners[at], len(opened))
            outer = values.places[at]
            places += [(*outer, index) for index in range(len(opened))]
        inner = _Values(values.field, values.rows, items, owners, places, values.depth + 1)
        if are_awaitable(set(map(type, items))):
            lists = [None if span is None else items[span] for span in spans]
            waits.append(self._items_later(inner, spans, lists))
            return lists
        shown = self._level(inner, waits)
        return [None if span is None else list(shown[span]) for span in spans]

    async def _items_later(self, values: _Values, spans: Sequence[slice | None], lists: Sequence[Column | None]) -> None:
        """Wait for items of lists, and put all of them where they belong."""
        waits: Waits = []
        raw = await self._run.told(values.rows, values.field, each_awaited(values.raw))
        shown = self._level(values._replace(raw=raw), waits)
        for span, items in zip(spans, lists, strict=True):
            if span is not None and items is not None:
                items[:] = shown[span]
        await all_done(waits)

    def _opened(self, values: _Values, at: int) -> Sequence[Any] | None:
        value = self._checked(values, at)
        if value is None or isinstance(value, list | tuple):
            return value
        try:
            return _items(value, values.field)
        except Exception as error:  # noqa: BLE001  (it is this list's)
            self._fail(values, at, error)
            return None

    # ------------------------------------------------------------------ objects

    def _objects(self, values: _Values, waits: Waits) -> Sequence[object]:
        kept: Sequence[int] = range(len(values.raw))
        if any(kind in self._nothing or _is_error_type(kind) for kind in set(map(type, values.raw))):
            kept = [at for at in kept if self._checked(values, at) is not None]
        shown: list[object] = [None] * len(values.raw)
        for named, members in self._by_type(values, kept).items():
            rows = values.only(plan_below(self._run, values.field, named), members)
            self._run.fill(rows, waits)
            if len(members) == len(shown):
                return rows.outs
            for at, out in zip(members, rows.outs, strict=True):
                shown[at] = out
        return shown

    def _by_type(self, values: _Values, kept: Sequence[int]) -> dict[GraphQLObjectType, Sequence[int]]:
        """Sort objects by their type, in so far as they have one."""
        named = values.field.named
        if not kept:
            return {}
        info = self._run.raw_info_of(values.field)
        if isinstance(named, GraphQLObjectType) and _are_of(named, (values.raw[at] for at in kept), info):
            return {named: kept}
        sorted_by: dict[GraphQLObjectType, list[int]] = {}
        for at in kept:
            try:
                sorted_by.setdefault(self._type_of(values.field, values.raw[at], info), []).append(at)
            except Exception as error:  # noqa: BLE001  (it is this object's)
                self._fail(values, at, error)
        return dict(sorted_by)

    def _type_of(self, field: FieldPlan, value: object, info: GraphQLResolveInfo[Any]) -> GraphQLObjectType:
        run, named = self._run, field.named
        if is_abstract_type(named):
            resolve_type = named.resolve_type or run.type_resolver
            named = run.ensure_valid_runtime_type(resolve_type(value, info, named), named, field.details, info, value)
        found = cast("GraphQLObjectType", named)
        if found.is_type_of is not None and not found.is_type_of(value, info):
            raise invalid_return_type_error(found, value, field.details)
        return found

    # ------------------------------------------------------------------ null and failure

    def _checked(self, values: _Values, at: int) -> Any:  # noqa: ANN401  (a value of the field)
        """Give a value; None where it is null, has failed, or must not be null and is."""
        value = values.raw[at]
        if isinstance(value, BaseException):
            self._fail(values, at, value)
            return None
        if type(value) not in self._nothing:
            return value
        if values.is_required:
            self._fail(values, at, _null_error(values.field))
        return None

    def _fail(self, values: _Values, at: int, error: BaseException) -> None:
        """Note that a value failed; it is null until it is known what that takes with it."""
        if not isinstance(error, Exception):
            raise error  # cancelled: nobody is left to be told
        self.failures.add(Position(values.rows, values.owners[at], values.field, values.places[at]), error)


class _Values(NamedTuple):
    """Values of one field: those of all rows, or the items of their lists. `depth`: in how many lists they stand."""

    field: FieldPlan
    rows: Rows
    raw: Column
    owners: Sequence[int]
    places: Places
    depth: int

    @property
    def is_required(self) -> bool:
        """Whether they may not be null."""
        return self.field.required[self.depth]

    def only(self, plan: ObjectPlan, members: Sequence[int]) -> Rows:
        """Make rows of some of them."""
        if len(members) == len(self.raw):
            return Rows(plan, self.raw, self.rows, self.field, self.owners, self.places)
        raw, owners, places = self.raw, self.owners, self.places
        return Rows(
            plan, [raw[at] for at in members], self.rows, self.field, [owners[at] for at in members], [places[at] for at in members]
        )


def _items(value: object, field: FieldPlan) -> Sequence[Any]:
    if is_iterable(value):
        return list(value)
    raise GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent_type}.{field.nodes[0].name.value}'.")


def _are_of(named: GraphQLObjectType, objects: Iterable[object], info: GraphQLResolveInfo[Any]) -> bool:
    """Say whether objects are of the type that their field has; of one class, one is asked for all."""
    if named.is_type_of is None:
        return True
    try:
        return all(named.is_type_of(value, info) for value in {type(value): value for value in objects}.values())
    except Exception:  # noqa: BLE001  (whose it is, is found out one by one)
        return False


def _null_error(field: FieldPlan) -> TypeError:
    return TypeError(f"Cannot return null for non-nullable field {field.parent_type}.{field.nodes[0].name.value}.")
