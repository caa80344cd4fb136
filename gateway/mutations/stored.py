"""What goes through the journal, as JSON text that says of each value what it is. Reading it makes nothing but what is listed here.

A value that JSON lacks stands as `{"$": <tag>, "=": <content>}`; so does an object that has the key `$` itself.
"""

from __future__ import annotations

import base64
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from gateway import model
from gateway.model import UNREAD, Record
from gateway.sources.base import Prepared, Request, Settled

T = TypeVar("T")

_TAG: Final = "$"
_CONTENT: Final = "="
_NO_BODY: Final = Request(operation="", method="", path="").json

# The name of a class is part of what is stored: one that is renamed must still be found by its old name.
CLASSES: Final[Mapping[str, type]] = {
    stored.__name__: stored
    for stored in (
        Prepared,
        Request,
        Settled,
        model.Address,
        model.Charge,
        model.Currency,
        model.CurrencyRow,
        model.CustomField,
        model.Customer,
        model.DataWarning,
        model.Details,
        model.Document,
        model.ExternalNumber,
        model.Invoice,
        model.InvoiceSettings,
        model.LabelRow,
        model.Line,
        model.Money,
        model.Note,
        model.Order,
        model.Ref,
        model.SourceCode,
        model.Totals,
        model.UpstreamRefusal,
        model.UserError,
    )
}
ENUMS: Final[Mapping[str, type[Enum]]] = {
    stored.__name__: stored
    for stored in (
        model.ChargeKind,
        model.Confirmation,
        model.CurrencyOrigin,
        model.CustomerKind,
        model.DataWarningCode,
        model.ExternalNumberRole,
        model.InvoiceType,
        model.Kind,
        model.MutationOutcome,
        model.NoteRole,
        model.Operation,
        model.OrderStatus,
        model.PaymentStatus,
        model.Unread,
        model.UserErrorCode,
        model.VatBasis,
    )
}
_HINTS: Final[Mapping[type, Mapping[str, Any]]] = {stored: get_type_hints(stored) for stored in CLASSES.values()}
_WRITERS: Final[Mapping[type, tuple[str, Callable[[Any], object]]]] = {
    Decimal: ("Decimal", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    UUID: ("UUID", str),
    bytes: ("bytes", lambda content: base64.b64encode(content).decode()),
    tuple: ("tuple", lambda items: [_to_json(item) for item in items]),
    frozenset: ("frozenset", lambda items: sorted((_to_json(item) for item in items), key=json.dumps)),
}
_READERS: Final[Mapping[str, Callable[[Any], object]]] = {
    "Decimal": lambda text: Decimal(_text(text)),
    "datetime": lambda text: datetime.fromisoformat(_text(text)),
    "date": lambda text: date.fromisoformat(_text(text)),
    "UUID": lambda text: UUID(_text(text)),
    "bytes": lambda text: base64.b64decode(_text(text), validate=True),
    "tuple": lambda items: tuple(_from_json(item) for item in _list(items)),
    "frozenset": lambda items: frozenset(_from_json(item) for item in _list(items)),
    "dict": lambda items: {key: _from_json(item) for key, item in _dict(items).items()},
}


class _Unreadable(ValueError):
    """Text that this version did not write."""


def dump(value: object) -> str:
    """Write a value as ASCII text; `load` gives an equal one.

    Records are written without `raw`, at every depth: the journal keeps no more personal data than a result needs. A field that
    was not read stays so. Raises `TypeError` for a value of a type that is not listed, a float for one.
    """
    return json.dumps(_to_json(value), ensure_ascii=True, separators=(",", ":"))


def load(text: str, expected: type[T]) -> T | None:
    """Read what `dump` wrote; None when it cannot be read, e.g. since another version wrote it. Never raises.

    Fields that are not known are passed over; one that is missing has its default.
    """
    try:
        value = _from_json(json.loads(text, parse_float=_refuse, parse_constant=_refuse))
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, expected) else None


def _to_json(value: object) -> object:
    match value:
        case Enum():
            return _tagged(_name_of(value, ENUMS), value.value)
        case None | bool() | int() | str():
            return value
        case list():
            return [_to_json(item) for item in value]
        case Mapping():
            content = {_text(key): _to_json(item) for key, item in value.items()}
            return _tagged("dict", content) if _TAG in content else content
        case _ if type(value) in _WRITERS:
            tag, write = _WRITERS[type(value)]
            return _tagged(tag, write(value))
        case _:
            return _tagged(_name_of(value, CLASSES), _fields_of(value))


def _tagged(tag: str, content: object) -> object:
    return {_TAG: tag, _CONTENT: content}


def _name_of(value: object, known: Mapping[str, type]) -> str:
    name = type(value).__name__
    if known.get(name) is not type(value):
        raise TypeError(f"a {name} is not among what the journal keeps")
    return name


def _fields_of(value: Any) -> dict[str, object]:  # noqa: ANN401  (any of CLASSES)
    """Give the fields that say something: neither what was not read nor, of a request, that it has no body."""
    private = {"raw"} if isinstance(value, Record) else set()
    content = {field.name: getattr(value, field.name) for field in fields(value) if field.init and field.name not in private}
    return {name: _to_json(item) for name, item in content.items() if item is not UNREAD and item is not _NO_BODY}


def _from_json(value: object) -> object:
    match value:
        case list():
            return [_from_json(item) for item in value]
        case dict() if _TAG not in value:
            return {key: _from_json(item) for key, item in value.items()}
        case {"$": str(tag), "=": content, **others} if not others:
            return _from_tagged(tag, content)
        case dict():
            raise _Unreadable("an object has the key of a tag, and is none")
        case _:
            return value


def _from_tagged(tag: str, content: object) -> object:
    if tag in _READERS:
        return _READERS[tag](content)
    if tag in ENUMS:
        return ENUMS[tag](content)
    if tag in CLASSES:
        return _object(CLASSES[tag], _dict(content))
    raise _Unreadable("another version wrote a value that this one does not know")


def _object(stored: type, content: Mapping[str, object]) -> object:
    """Make an object of the fields that it has; raises `TypeError` where one is missing that has no default, or has another type."""
    hints = _HINTS[stored]
    given = {name: _from_json(content[name]) for name in hints if name in content}
    wrong = [name for name, value in given.items() if not _fits(value, hints[name])]
    if wrong:
        raise TypeError(f"{stored.__name__}.{wrong[0]} has another type")
    return stored(**given)


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401  (a type as an annotation says it)
    """Say whether a value is what the annotation of a field promises."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return any(_fits(value, argument) for argument in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return isinstance(value, tuple) and len(value) == len(arguments) and all(map(_fits, value, arguments))
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, arguments[0]) for item in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(item, arguments[1]) for item in value.values())
    # A flag is an int and an instant a date to Python alone.
    return isinstance(value, hint) and (type(value), hint) not in {(bool, int), (datetime, date)}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} stands where text must be")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"a {type(value).__name__} stands where a list must be")
    return value


def _dict(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"a {type(value).__name__} stands where an object must be")
    return value


def _refuse(number: str) -> NoReturn:
    raise _Unreadable(f"{number} is a float")
