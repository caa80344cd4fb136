"""The scalars of the graph. Amounts are text on the way out and never a float on the way in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NewType
from uuid import UUID

import msgspec
import strawberry
from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)
from strawberry.types.scalar import ScalarDefinition

MAX_EXPONENT: Final = 30
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_NUMBER: Final = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

CurrencyCode = NewType("CurrencyCode", str)
JSON = NewType("JSON", object)


def _decimal(text: str, scalar: str = "Decimal") -> Decimal:
    try:
        value = Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise GraphQLError(f'{scalar} takes an exact number of sensible size, such as "29.90"')
    return value


def _parse_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise GraphQLError('Decimal takes text or an integer; quote a number with a point: "29.90"')
    return _decimal(str(value))


def _parse_decimal_literal(node: ValueNode, _variables: object = None) -> Decimal:
    if isinstance(node, (StringValueNode, IntValueNode, FloatValueNode)):
        return _decimal(node.value)
    raise GraphQLError('Decimal takes text, an integer or a decimal literal, such as "29.90"', node)


def _show_decimal(value: Decimal) -> str:
    return format(value, "f")


def _parse_date(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise GraphQLError("Date takes YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("Date takes a day of the calendar, as YYYY-MM-DD") from None


def _parse_date_time(value: object) -> datetime:
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise GraphQLError("DateTime takes an RFC 3339 instant with its offset, such as 2026-06-21T22:48:27+02:00")
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))
    except ValueError:
        raise GraphQLError("DateTime takes an instant of the calendar, such as 2026-06-21T22:48:27+02:00") from None


def _show_date_time(value: datetime) -> str:
    # Before standard time, zones had offsets with seconds, which RFC 3339 cannot say: shown in whole minutes, the same instant.
    offset = value.utcoffset() or timedelta()
    odd = offset % timedelta(minutes=1)
    return (value.astimezone(timezone(offset - odd)) if odd else value).isoformat()


def _parse_uuid(value: object) -> UUID:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise GraphQLError("UUID takes 8-4-4-4-12 hexadecimal digits")
    return UUID(value)


def _parse_currency_code(value: object) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise GraphQLError("CurrencyCode takes three upper-case letters, such as SEK")
    return value


def _json_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(node, ListValueNode):
        return [_json_literal(item, variables) for item in node.values]
    if isinstance(node, ObjectValueNode):
        return {item.name.value: _json_literal(item.value, variables) for item in node.fields}
    if isinstance(node, VariableNode):
        return (variables or {}).get(node.name.value)
    return _json_leaf(node)


def _json_leaf(node: ValueNode) -> object:
    match node:
        case IntValueNode() if len(node.value) <= MAX_EXPONENT:
            return int(node.value)
        case IntValueNode() | FloatValueNode():
            return _decimal(node.value, "JSON")
        case StringValueNode() | BooleanValueNode():
            return node.value
        case NullValueNode():
            return None
        case _:
            raise GraphQLError("JSON takes a JSON value", node)


def _show_json(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Show a JSON value; a decimal that Python would write with an exponent is written out: an encoder writes the others right."""
    match value:
        case Decimal():
            text = str(value)
            return msgspec.Raw(format(value, "f").encode()) if "E" in text else value
        case dict():
            return {key: _show_json(item) for key, item in value.items()}
        case list() | tuple():
            return [_show_json(item) for item in value]
        case _:
            return value


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description=(
            'Exact decimal as a string (`"29.90"`), scale kept as sent. Input: string, integer, or a decimal literal in the '
            "document (read from its text); a JSON float in variables is refused: quote it."
        ),
        serialize=_show_decimal,
        parse_value=_parse_decimal,
        parse_literal=_parse_decimal_literal,
    ),
    date: strawberry.scalar(
        name="Date",
        description=(
            "Calendar date `YYYY-MM-DD`: the day in the offset that the source sent (a `Z` instant: the day in the source's time zone)."
        ),
        serialize=date.isoformat,
        parse_value=_parse_date,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 instant with offset. Keeps the offset the source sent; more than 6 fractional digits are cut.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=_show_date_time,
        parse_value=_parse_date_time,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="RFC 9562 UUID, lower case, hyphens.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
        serialize=str,
        parse_value=_parse_uuid,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="ISO 4217 code, upper case (EN 16931 BT-5).",
        serialize=str,
        parse_value=_parse_currency_code,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. Only for `Origin.raw` and `UpstreamRequest.body`.",
        serialize=_show_json,
        parse_value=lambda value: value,
        parse_literal=_json_literal,
    ),
}
