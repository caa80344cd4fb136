"""Answers of Services: JSON, or XML when the caller asks for it.

The pages publish both media types and no XML sample, so element names here are the models' names and a null is `i:nil`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET  # nosec B405  # writes, and reads nothing

from starlette.responses import Response

from gateway.sandbox.emulator import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XML_TYPES: Final = ("application/xml", "text/xml")
_JSON_TYPES: Final = ("application/json", "application/*", "*/*")
_ENTRY_NAMES: Final[Mapping[tuple[str, str], str]] = {
    ("Invoice", "Items"): "InvoiceItem",
    ("InvoicePagedList", "Items"): "InvoiceListItem",
    ("Order", "Items"): "OrderItem",
    ("OrderPagedList", "Items"): "OrderListItem",
    ("Customer", "Companies"): "Company",
    ("Company", "DeliveryAddresses"): "Address",
}


def answer(request: Request, value: object, root: str, status: int = 200) -> Response:
    """Answer `value`; `root` is its model's name, which XML needs. A list's root is `ArrayOf` its entries' name."""
    if not _wants_xml(request):
        return json_response(value, status)
    return Response(_to_xml(value, root), status, media_type="application/xml; charset=utf-8")


def _wants_xml(request: Request) -> bool:
    """Say which it is: `?format=` before the Accept header, there the first media type that is known."""
    wanted = request.query_params.get("format", "").lower()
    if wanted in {"json", "xml"}:
        return wanted == "xml"
    for part in request.headers.get("accept", "").lower().split(","):
        media_type = part.partition(";")[0].strip()
        if media_type in _XML_TYPES or media_type in _JSON_TYPES:
            return media_type in _XML_TYPES
    return False


def _to_xml(value: object, root: str) -> bytes:
    element = ET.Element(root, {"xmlns:i": _INSTANCE})
    _fill(element, value)
    return b'<?xml version="1.0" encoding="utf-8"?>' + ET.tostring(element)


def _fill(element: ET.Element, value: Any) -> None:  # noqa: ANN401  (any JSON value)
    match value:
        case None:
            element.set("i:nil", "true")
        case bool():
            element.text = "true" if value else "false"
        case dict():
            for name, part in value.items():
                _fill_member(element, name, part)
        case list():
            for entry in value:
                _fill(ET.SubElement(element, element.tag.removeprefix("ArrayOf")), entry)
        case _:
            element.text = str(value)


def _fill_member(element: ET.Element, name: str, value: object) -> None:
    member = ET.SubElement(element, name)
    if not isinstance(value, list):
        _fill(member, value)
        return
    for entry in value:
        _fill(ET.SubElement(member, _ENTRY_NAMES.get((element.tag, name), name)), entry)
