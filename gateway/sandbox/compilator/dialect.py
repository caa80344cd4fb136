"""How an answer is written: PascalCase JSON with naive local dates, or XML of the data-contract serializer.

The JSON date text differs by installation; the XML text is ISO with the offset of Swedish time on all of them
(page "GET api/invoice/{invoiceNo}/{includeInternal}" of the pilot host, "GET api/customers/{date}" of the other).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET  # nosec B405  # writes, and reads nothing
from zoneinfo import ZoneInfo

from starlette.responses import Response

from gateway.sandbox.emulator import json_response

if TYPE_CHECKING:
    from gateway.sandbox.compilator.samples import Record

NAMESPACE: Final = "http://schemas.datacontract.org/2004/07/Compilator.DDAPI.DTO.Business"
INSTANCE_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_ARRAYS_NAMESPACE: Final = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"

_SWEDEN: Final = ZoneInfo("Europe/Stockholm")
_JSON: Final = frozenset({"application/json", "text/json"})
_XML: Final = frozenset({"application/xml", "text/xml"})

_ITEM_NAMES: Final = {
    "Agreements": "AgreementResponseLite",
    "CustomerReponse": "CustomerResponse",
    "DeliveryAddresses": "DeliveryAddressResponse",
    "OrderLines": "OrderLineResponse",
}
_ERROR_NAMES: Final = {
    "CustomerInvoicePostResponse": "PostCustomerInvoiceError",
    "CustomerInvoicePutResponse": "PutCustomerInvoiceError",
    "CustomerInvoiceDeleteResponse": "DeleteCustomerInvoiceError",
    "CustomerDeliveryAddressPostResponse": "PostCustomerDeliveryAddressError",
    "CustomerDeliveryAddressDeleteResponse": "DeleteCustomerDeliveryAddressError",
    "OrderPostResponse": "PostOrderError",
}
_ERROR_CODES: Final = {1: "InternalServerError"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation gives back, before it is written."""

    value: Any
    type_name: str
    """Name of the response model: the root element in XML. Empty for the framework's own `Error`."""
    status: int = 200
    has_body: bool = True


class Refused(Exception):
    """The request is answered by the framework, before or instead of the operation."""

    def __init__(self, answer: Answer, headers: dict[str, str] | None = None) -> None:
        super().__init__(answer.value)
        self.answer = answer
        self.headers = headers or {}


def empty(status: int) -> Answer:
    """Answer nothing at all: zero-length and without a media type."""
    return Answer(None, "", status, has_body=False)


def error(status: int, message: str, detail: str = "") -> Answer:
    """Answer as ASP.NET does when it refuses a request itself."""
    return Answer({"Message": message, "MessageDetail": detail} if detail else {"Message": message}, "", status)


def write(answer: Answer, accept: str, json_dates: str, headers: dict[str, str] | None = None) -> Response:
    """Write an answer in the media type that `accept` prefers; JSON when it names none that is known."""
    if not answer.has_body:
        return Response(status_code=answer.status, headers=headers)
    media_type = _preferred(accept)
    content_type = f"{media_type}; charset=utf-8"
    if media_type in _XML:
        return Response(to_xml(answer.value, answer.type_name), answer.status, headers, content_type)
    return json_response(to_json(answer.value, json_dates), answer.status, headers, content_type)


def _preferred(accept: str) -> str:
    ranges = [_quality(part) for part in accept.split(",")]
    wanted = sorted((entry for entry in ranges if entry[1] > 0), key=lambda entry: -entry[1])
    return next((name for name, _ in wanted if name in _JSON or name in _XML), "application/json")


def _quality(part: str) -> tuple[str, Decimal]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    text = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    return name, Decimal(text) if text.replace(".", "", 1).isdecimal() else Decimal(0)


def to_json(value: Any, json_dates: str) -> Any:  # noqa: ANN401  (any record)
    """Turn the dates in `value` into this installation's text, and leave decimals to the encoder."""
    if isinstance(value, dict):
        return {name: to_json(part, json_dates) for name, part in value.items()}
    if isinstance(value, list):
        return [to_json(part, json_dates) for part in value]
    return _DATE_TEXTS[json_dates](value) if isinstance(value, datetime) else value


def _iso_text(date: datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M:%S}"


def _us_text(date: datetime) -> str:
    return f"{date.month}/{date.day}/{date.year} {date.hour % 12 or 12}:{date:%M:%S} {'AM' if date.hour < 12 else 'PM'}"  # noqa: PLR2004  (noon)


_DATE_TEXTS: Final = {"iso": _iso_text, "us": _us_text}


def to_xml(value: Any, type_name: str) -> bytes:  # noqa: ANN401  (any record)
    """Write a record, or an array of them, as the data-contract serializer does: elements in alphabetical order."""
    if not type_name:
        root = ET.Element("Error")
    else:
        root = ET.Element(f"ArrayOf{type_name}" if isinstance(value, list) else type_name)
        root.attrib = {"xmlns:i": INSTANCE_NAMESPACE, "xmlns": NAMESPACE}
    _fill(root, value, item_name=type_name, error_name=_ERROR_NAMES.get(type_name, "Error"))
    return ET.tostring(root, encoding="unicode").encode()


def _fill(element: ET.Element, value: Any, *, item_name: str, error_name: str) -> None:  # noqa: ANN401  (any value of a record)
    if value is None:
        element.set("i:nil", "true")
    elif isinstance(value, dict):
        _fill_members(element, value, error_name)
    elif isinstance(value, list):
        for item in value:
            _fill(ET.SubElement(element, item_name), item, item_name="", error_name=error_name)
    else:
        element.text = _xml_text(value)


def _fill_members(element: ET.Element, record: Record, error_name: str) -> None:
    for name in sorted(record):
        value = record[name]
        child = ET.SubElement(element, name)
        if name == "Waybill" and value is not None:
            # Plain strings have a namespace of their own in the serializer's arrays.
            child.set("xmlns:d", _ARRAYS_NAMESPACE)
            _fill(child, value, item_name="d:string", error_name=error_name)
        elif name == "ErrorCode":
            child.text = _ERROR_CODES[value]
        else:
            _fill(child, value, item_name=error_name if name == "Errors" else _ITEM_NAMES.get(name, ""), error_name=error_name)


def _xml_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _xml_date(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _xml_date(date: datetime) -> str:
    """Write e.g. `2026-01-21T22:53:31.4889+01:00`: no trailing zeros in the fraction, and none of it when it is zero."""
    fraction = f".{date.microsecond:06d}".rstrip("0") if date.microsecond else ""
    offset = date.replace(tzinfo=_SWEDEN).isoformat(timespec="seconds")[19:]
    return f"{date:%Y-%m-%dT%H:%M:%S}{fraction}{offset}"
