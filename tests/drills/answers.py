"""What every answer of the graph is like, whatever was asked: GraphQL over HTTP, told by code, without a word of the inside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

OK: Final = 200
_SERVER_ERROR: Final = 500
_JSON: Final = "application/json; charset=utf-8"
_RESPONSE: Final = "application/graphql-response+json; charset=utf-8"
_MEMBERS: Final = frozenset({"data", "errors", "extensions"})
_CODE: Final = re.compile(r"[A-Z][A-Z_]+")
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{16}")
_OF_THE_INSIDE: Final = (b"Traceback (most recent call last)", b"site-packages", b'.py\\", line ')


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer as it came."""

    status: int
    content_type: str
    body: bytes


def complaints(heard: Heard) -> list[str]:
    """Name every rule that an answer of `/graphql` breaks."""
    return list(_complaints(heard))


def codes(answer: Mapping[str, Any]) -> list[str]:
    """Give the codes of the errors of an answer."""
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


def _complaints(heard: Heard) -> Iterator[str]:
    if heard.status >= _SERVER_ERROR:
        yield f"status {heard.status}"
    if heard.content_type not in {_JSON, _RESPONSE}:
        yield f"content-type {heard.content_type!r}"
    yield from (f"the answer says {text.decode()!r}" for text in _OF_THE_INSIDE if text in heard.body)
    try:
        answer = json.loads(heard.body)
    except ValueError as error:
        yield f"the answer is not JSON: {error}"
        return
    if not isinstance(answer, dict) or not answer.keys() <= _MEMBERS or answer.keys().isdisjoint({"data", "errors"}):
        yield "the answer is no object with data or errors"
        return
    if "data" in answer and heard.status != OK:
        yield f"status {heard.status} with data"
    if "data" not in answer and heard.status == OK and heard.content_type == _RESPONSE:
        yield "status 200 without data"
    yield from _complaints_of_errors(answer)


def _complaints_of_errors(answer: Mapping[str, Any]) -> Iterator[str]:
    errors = answer.get("errors")
    if "errors" in answer and not (isinstance(errors, list) and errors):
        yield "errors is no list, or empty"
        return
    for error in errors or ():
        extensions = error.get("extensions", {})
        if not (isinstance(error.get("message"), str) and error["message"]):
            yield f"an error without a message: {error}"
        if not _CODE.fullmatch(extensions.get("code", "")) or extensions["code"] == "INTERNAL":
            yield f"an error of the gateway's own: {error}"
        if not _REQUEST_ID.fullmatch(extensions.get("requestId", "")):
            yield f"an error without the id of its request: {error}"
