"""The part of OData v4 that Query answers to, read from a query string and applied to rows. Anything else is a 400, never ignored.

`$filter` with eq, ne, ge, gt, le, lt joined by and, or and parentheses; `$select`; `$expand` with `$select` and `$filter` inside;
`$orderby`; `$top`; `$skip`; `$count`. docs.norce.io, "Query general".
"""

from __future__ import annotations

import operator
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.norce.fields import to_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.sandbox.norce.data import Payload
    from gateway.sandbox.norce.entities import EntityType

    Predicate = Callable[[Mapping[str, Any]], bool]

MAX_EXPAND_DEPTH: Final = 3
"""As "Query general" has it. No set here has properties that lead so deep, so a shallower nested expand is a 400."""

_MAX_PARENTHESES: Final = 50

SET_OPTIONS: Final = frozenset({"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count"})
ENTITY_OPTIONS: Final = frozenset({"$select", "$expand"})
_INNER_OPTIONS: Final = frozenset({"$filter", "$select", "$expand"})
_TOKEN: Final = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<parenthesis>[()])|(?P<word>[^\s()',]+))")
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}
_EQUALITY: Final = frozenset({"eq", "ne"})
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?(Z|[+-][0-9]{2}:[0-9]{2})")


class BadQuery(Exception):
    """The query string is not of the part that this server answers to: 400."""


class TooHeavy(Exception):
    """The server would give up on it: 500."""


@dataclass(frozen=True, slots=True)
class Casing:
    """How a version of Query spells names: 2.0 PascalCase, 3.0 camelCase."""

    is_camel: bool

    def shown(self, name: str) -> str:
        """Spell a stored name for the answer."""
        return name[:1].lower() + name[1:] if self.is_camel else name

    def stored(self, name: str, known: Iterable[str]) -> str:
        """Find the stored name that `name` spells; raises `BadQuery` when none does."""
        for candidate in known:
            if self.shown(candidate) == name:
                return candidate
        raise BadQuery(f"Could not find a property named '{name}'.")


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation property to be shown, and what of it."""

    name: str
    entity: EntityType
    options: Options


@dataclass(frozen=True, slots=True)
class Options:
    """What a query string asks for, checked against its entity type."""

    predicate: Predicate | None = None
    select: Sequence[str] = ()
    expands: Sequence[Expand] = ()
    order: Sequence[tuple[str, bool]] = ()
    """Property and whether it descends, the most important first."""
    top: int | None = None
    skip: int = 0
    count: bool = False


def read_options(pairs: Iterable[tuple[str, str]], known: frozenset[str], entity: EntityType, casing: Casing) -> Options:
    """Read a query string's options; names without `$` are not OData's and mean nothing. Raises `BadQuery` or `TooHeavy`.

    `known` is `SET_OPTIONS`, or for one entity `ENTITY_OPTIONS`.
    """
    system = [(name, value) for name, value in pairs if name.startswith("$")]
    values = dict(system)
    if len(values) < len(system):
        raise BadQuery("A query option was given more than once.")
    _refuse_others(values, known)
    return Options(
        predicate=_read_filter(values.get("$filter"), entity, casing),
        select=_read_select(values.get("$select"), entity, casing),
        expands=_read_expand(values.get("$expand"), entity, casing),
        order=_read_order(values.get("$orderby"), entity, casing),
        top=_read_size("$top", values["$top"]) if "$top" in values else None,
        skip=_read_size("$skip", values.get("$skip", "0")),
        count=_read_flag("$count", values.get("$count", "false")),
    )


def select_rows(rows: Iterable[Payload], options: Options, entity: EntityType) -> list[Payload]:
    """Filter and order rows; paging is the caller's."""
    found = [row for row in rows if options.predicate is None or options.predicate(row)]
    for name, descending in reversed(options.order):
        found.sort(key=_sort_key(entity.properties[name], name), reverse=descending)
    return found


def shape(row: Payload, options: Options, entity: EntityType, casing: Casing) -> Payload:
    """Give the selected properties and the expanded navigation properties of a row, spelled for the version."""
    shown = {casing.shown(name): row[name] for name in options.select or entity.properties}
    for expand in options.expands:
        shown[casing.shown(expand.name)] = _shape_expanded(row[expand.name], expand, casing)
    return shown


def _shape_expanded(value: Any, expand: Expand, casing: Casing) -> Any:  # noqa: ANN401  (one row, many or none)
    if isinstance(value, list):
        found = select_rows(value, expand.options, expand.entity)
        return [shape(row, expand.options, expand.entity, casing) for row in found]
    return None if value is None else shape(value, expand.options, expand.entity, casing)


def _refuse_others(values: Iterable[str], known: frozenset[str]) -> None:
    for name in values:
        if name not in known:
            raise BadQuery(f"The query option '{name}' is not supported.")


def _read_size(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadQuery(f"The value of {name} must be a whole number that is not negative.")
    return int(text)


def _read_flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise BadQuery(f"The value of {name} must be true or false.")
    return text == "true"


def _read_select(text: str | None, entity: EntityType, casing: Casing) -> list[str]:
    if text is None:
        return []
    return [casing.stored(name.strip(), entity.properties) for name in text.split(",")]


def _read_order(text: str | None, entity: EntityType, casing: Casing) -> list[tuple[str, bool]]:
    if text is None:
        return []
    order = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        if direction.strip() not in {"", "asc", "desc"}:
            raise BadQuery(f"'{part.strip()}' is not an order.")
        order.append((casing.stored(name, entity.properties), direction.strip() == "desc"))
    return order


def _read_expand(text: str | None, entity: EntityType, casing: Casing) -> list[Expand]:
    if text is None:
        return []
    if text.count("$expand") >= MAX_EXPAND_DEPTH:
        raise TooHeavy
    parts = [part.strip() for part in _split(text, ",")]
    expands = [_read_one_expand(part, entity, casing) for part in parts]
    if len({expand.name for expand in expands}) < len(expands):
        raise BadQuery("A navigation property was expanded more than once.")
    return expands


def _read_one_expand(text: str, entity: EntityType, casing: Casing) -> Expand:
    name, parenthesis, inner = text.partition("(")
    if parenthesis and not inner.endswith(")"):
        raise BadQuery(f"'{text}' is not an expand.")
    values: dict[str, str] = {}
    for part in _split(inner.removesuffix(")"), ";") if parenthesis else ():
        option, equals, value = part.strip().partition("=")
        if not equals or option in values:
            raise BadQuery(f"'{part}' is not an option of an expand.")
        values[option] = value
    _refuse_others(values, _INNER_OPTIONS)
    navigation = casing.stored(name.strip(), entity.navigations)
    target = entity.navigations[navigation]
    options = Options(
        predicate=_read_filter(values.get("$filter"), target, casing),
        select=_read_select(values.get("$select"), target, casing),
        expands=_read_expand(values.get("$expand"), target, casing),
    )
    return Expand(navigation, target, options)


def _split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside parentheses and quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        if character == "'":
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
        if character == separator and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    if depth or quoted:
        raise BadQuery("The parentheses or quotes of an expand do not close.")
    return parts


def _sort_key(edm: str, name: str) -> Callable[[Mapping[str, Any]], tuple[bool, Any]]:
    """Order nulls before everything else."""

    def key(row: Mapping[str, Any]) -> tuple[bool, Any]:
        value = _to_comparable(edm, row[name])
        return (value is not None, value)

    return key


def _to_comparable(edm: str, value: Any) -> Any:  # noqa: ANN401  (any property's value)
    return to_instant(value) if edm == "Edm.DateTimeOffset" and value is not None else value


def _read_filter(text: str | None, entity: EntityType, casing: Casing) -> Predicate | None:
    if text is None:
        return None
    return _FilterReader(_tokens(text), entity, casing).read()


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadQuery(f"Syntax error in $filter at position {position}.")
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


class _FilterReader:
    """Recursive descent: `or` binds weaker than `and`, `and` weaker than a comparison or parentheses."""

    def __init__(self, tokens: list[str], entity: EntityType, casing: Casing) -> None:
        self._tokens: Final = tokens
        self._entity: Final = entity
        self._casing: Final = casing
        self._position = 0
        self._depth = 0

    def read(self) -> Predicate:
        """Read all of it; raises `BadQuery`."""
        predicate = self._any_of()
        if self._position < len(self._tokens):
            raise BadQuery(f"Syntax error in $filter at '{self._tokens[self._position]}'.")
        return predicate

    def _any_of(self) -> Predicate:
        parts = [self._all_of()]
        while self._take_if("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _all_of(self) -> Predicate:
        parts = [self._term()]
        while self._take_if("and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _term(self) -> Predicate:
        if not self._take_if("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _MAX_PARENTHESES:
            raise BadQuery("The $filter is nested too deeply.")
        predicate = self._any_of()
        if not self._take_if(")"):
            raise BadQuery("A parenthesis of $filter does not close.")
        self._depth -= 1
        return predicate

    def _comparison(self) -> Predicate:
        name = self._casing.stored(self._take(), self._entity.properties)
        word = self._take()
        if word not in _COMPARISONS:
            raise BadQuery(f"'{word}' is not a comparison.")
        return _to_predicate(self._entity.properties[name], name, word, self._take())

    def _take(self) -> str:
        if self._position == len(self._tokens):
            raise BadQuery("The $filter ends too early.")
        self._position += 1
        return self._tokens[self._position - 1]

    def _take_if(self, token: str) -> bool:
        if self._position < len(self._tokens) and self._tokens[self._position] == token:
            self._position += 1
            return True
        return False


def _to_predicate(edm: str, name: str, word: str, literal_text: str) -> Predicate:
    compare = _COMPARISONS[word]
    literal = None if literal_text == "null" else _read_literal(edm, literal_text)

    def predicate(row: Mapping[str, Any]) -> bool:
        value = _to_comparable(edm, row[name])
        if value is None or literal is None:
            return word in _EQUALITY and compare(value, literal)
        return compare(value, literal)

    return predicate


def _read_literal(edm: str, text: str) -> Any:  # noqa: ANN401  (of the property's type)
    """Read a literal of the property's own type; a date is unquoted and has a zone, a text is quoted."""
    try:
        match edm:
            case "Edm.Int32" | "Edm.Int64" if _WHOLE.fullmatch(text):
                return int(text)
            case "Edm.Decimal" if _DECIMAL.fullmatch(text):
                return Decimal(text)
            case "Edm.Boolean" if text in {"true", "false"}:
                return text == "true"
            case "Edm.String" if text.startswith("'"):
                return text[1:-1].replace("''", "'")
            case "Edm.DateTimeOffset" if _DATE_TIME.fullmatch(text):
                return to_instant(text)
            case "Edm.Guid":
                return str(uuid.UUID(text))
            case _:
                pass
    except ValueError as error:
        raise BadQuery(f"'{text}' is not a literal of the type {edm}.") from error
    raise BadQuery(f"'{text}' is not a literal of the type {edm}.")
