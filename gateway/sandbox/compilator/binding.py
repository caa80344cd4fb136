"""How a request is read: ASP.NET's binding of paths, queries and bodies, with its refusals.

Body properties are matched by their exact PascalCase names; unknown ones are passed over, as the framework does.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET  # nosec B405  # a sandbox; expat bounds entities itself

from gateway.sandbox.compilator.dialect import INSTANCE_NAMESPACE, NAMESPACE, Refused, error
from gateway.sandbox.emulator import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.datastructures import URL
    from starlette.requests import Request

    from gateway.sandbox.compilator.samples import Record

_Value = TypeVar("_Value")
_INVALID: Final = "The request is invalid."
_INT32: Final = range(-(2**31), 2**31)
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DATE_FORMS: Final = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"),
    re.compile(r"(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{4})"),
    re.compile(r"(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{2})"),
)
_LIST_ELEMENTS: Final = frozenset({"OrderLines"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: its operation asks for what it needs, and a wrong value is refused with 400."""

    url: URL
    parts: Mapping[str, str]
    """Parts of the path and of the query by lower-case name: the framework binds both alike, whatever their case."""
    body: Record

    def has(self, name: str) -> bool:
        """Say whether the path or query gives a value for `name`."""
        return bool(self.parts.get(name.lower()))

    def text(self, name: str) -> str:
        """Give a part that must be there."""
        if not self.has(name):
            raise _unbound(name, "a value")
        return self.parts[name.lower()]

    def number(self, name: str, default: int | None = None) -> int:
        """Give a 32-bit integer; `default` stands in for an absent one."""
        if default is not None and not self.has(name):
            return default
        return _bound(name, "System.Int32", to_int, self.text(name))

    def flag(self, name: str) -> bool:
        """Give a boolean; False when it was left out."""
        return self.has(name) and _bound(name, "System.Boolean", to_bool, self.text(name))

    def guid(self, name: str) -> str:
        """Give a GUID in its lower-case spelling with hyphens."""
        return _bound(name, "System.Guid", to_guid, self.text(name))

    def date(self, name: str) -> datetime:
        """Give a day written YYYY-MM-DD."""
        return _bound(name, "System.DateTime", _to_day, self.text(name))


def _bound(name: str, type_name: str, convert: Callable[[Any], _Value], text: str) -> _Value:
    try:
        return convert(text)
    except ValueError:
        raise _unbound(name, f"type '{type_name}'") from None


def _unbound(name: str, wanted: str) -> Refused:
    return Refused(error(400, _INVALID, f"The parameter '{name}' needs {wanted}."))


def any_date(text: str) -> datetime | None:
    """Read one of the three forms of `GET api/customers/{date}`; None when it is none of them."""
    for form in _DATE_FORMS:
        match = form.fullmatch(text)
        if match:
            year = int(match["year"])
            try:
                # Two-digit years: .NET's calendar ends at 2049.
                return datetime.fromisoformat(f"{year + 2000 if year < 50 else year:04d}-{int(match['month']):02d}-{int(match['day']):02d}")  # noqa: PLR2004  (see above)
            except ValueError:
                return None
    return None


def _to_day(text: str) -> datetime:
    day = any_date(text) if text[:4].isdecimal() else None
    if day is None:
        raise ValueError(text)
    return day


async def read_body(request: Request) -> Record:
    """Read a body of one of the listed media types as an object.

    Raises `Refused` with 415 for another media type and 400 for what is not an object.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if media_type in {"application/json", "text/json"}:
            body = await read_json(request)
        elif media_type in {"application/xml", "text/xml"}:
            body = _xml_value(ET.fromstring(await request.body()))  # noqa: S314  (as at the import)  # nosec B314
        elif media_type == "application/x-www-form-urlencoded":
            body = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        else:
            raise Refused(error(415, f"The request entity's media type '{media_type}' is not supported for this resource."))
    except (ValueError, ET.ParseError):
        raise Refused(error(400, _INVALID)) from None
    if not isinstance(body, dict):
        raise Refused(error(400, _INVALID))
    return body


def _xml_value(element: ET.Element) -> Any:  # noqa: ANN401  (any value of a body)
    """Read the elements of the data-contract namespace; those of another are passed over."""
    prefix = f"{{{NAMESPACE}}}"
    if not element.tag.startswith(prefix):
        raise ValueError(element.tag)
    children = [child for child in element if child.tag.startswith(prefix)]
    if element.tag.removeprefix(prefix) in _LIST_ELEMENTS:
        return [_xml_value(child) for child in children]
    if children:
        return {child.tag.removeprefix(prefix): _xml_value(child) for child in children}
    return None if element.get(f"{{{INSTANCE_NAMESPACE}}}nil") == "true" else element.text or ""


def typed(body: Record, converters: Mapping[str, Callable[[Any], Any]]) -> Record:
    """Read the known properties that `body` gives; raises `Refused` with 400 when one has the wrong type."""
    record: Record = {}
    for name, convert in converters.items():
        if name in body:
            try:
                record[name] = None if body[name] is None else convert(body[name])
            except (ValueError, InvalidOperation):
                raise Refused(error(400, _INVALID, f"The property '{name}' has the wrong type.")) from None
    return record


def to_int(value: Any) -> int:  # noqa: ANN401  (any value of a body)
    """Read a 32-bit integer or its digits; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)) or int(value) not in _INT32:
        raise ValueError(value)
    return int(value)


def to_bool(value: Any) -> bool:  # noqa: ANN401  (any value of a body)
    """Read a boolean or its name; raises `ValueError` for anything else."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in {"true", "false"}:
        raise ValueError(value)
    return value.lower() == "true"


def to_text(value: Any) -> str:  # noqa: ANN401  (any value of a body)
    """Read a string; raises `ValueError` for anything else."""
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004  (one kind of refusal)
    return value


def to_decimal(value: Any) -> Decimal:  # noqa: ANN401  (any value of a body)
    """Read a number with the scale it was written in, at least one decimal; raises `ValueError` or `InvalidOperation` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(value)  # noqa: TRY004  (one kind of refusal)
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return number if int(number.as_tuple().exponent) < 0 else number.quantize(Decimal("0.0"))


def to_date(value: Any) -> datetime:  # noqa: ANN401  (any value of a body)
    """Read an ISO date, with or without a time; raises `ValueError` for anything else."""
    return datetime.fromisoformat(to_text(value)).replace(tzinfo=None)


def to_guid(value: Any) -> str:  # noqa: ANN401  (any value of a body)
    """Read a GUID; raises `ValueError` for anything else."""
    return str(uuid.UUID(to_text(value)))
