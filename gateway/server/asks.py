"""What a request asks, out of its body or, for queries over GET, out of its address.

https://graphql.github.io/graphql-over-http/draft/ , sections "Request" and "GET".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from starlette.datastructures import Headers
from starlette.requests import Request

from gateway.errors import InvalidInput, NotPermitted
from gateway.execution import Ask
from gateway.server.negotiation import Form

_MAX_EXPONENT: Final = 30
_CHARSETS: Final = frozenset({"", "utf-8", "utf8"})
_PARAMETERS: Final = frozenset({"query", "documentId", "operationName", "variables", "extensions"})
_NO_SIMPLE_REQUEST: Final = "x-requested-with"
NO_QUERY: Final = "the body needs a query, as text"


class UnsupportedMediaType(InvalidInput):
    """The body is not in a media type that is taken."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, before it is known which document it means; `query` None: it does not send the text."""

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    document_id: str | None
    extensions: Mapping[str, Any]

    def of(self, query: str) -> Ask:
        """Give what is asked, of the document that is meant."""
        return Ask(query, self.variables, self.operation_name)


def read_body(content_type: str, body: bytes) -> Asked:
    """Read the body of a POST; numbers with a point stay exact, so that a float in variables can be refused by name.

    Raises `InvalidInput`.
    """
    kind, _, parameters = content_type.partition(";")
    charset = next((value for name, _, value in (item.partition("=") for item in parameters.split(";")) if name.strip() == "charset"), "")
    if kind.strip().lower() != "application/json" or charset.strip(' "').lower() not in _CHARSETS:
        raise UnsupportedMediaType("send application/json in UTF-8")
    value = _parse(body, "the body")
    if not isinstance(value, dict):
        raise InvalidInput(NO_QUERY)
    named = value.get("documentId")
    return _to_asked(value, value.get("doc_id") if named is None else named)  # `doc_id`: as Relay's pages have it


def read_address(request: Request) -> Asked:
    """Read the parameters of a GET. Raises `InvalidInput`, and `NotPermitted` for one that any page could have sent."""
    if not _is_meant(request.headers):
        raise NotPermitted(f"a GET needs accept: {Form.RESPONSE.value} or a header {_NO_SIMPLE_REQUEST}, so that no other page can send it")
    given = request.query_params
    for name in given:
        if name in _PARAMETERS and len(given.getlist(name)) > 1:
            raise InvalidInput(f"{name} is there more than once")
    value: dict[str, Any] = {name: given[name] for name in ("query", "documentId", "operationName") if name in given}
    for name in ("variables", "extensions"):
        if given.get(name):
            value[name] = _parse(given[name].encode(), name)
    return _to_asked(value, value.get("documentId"))


def _is_meant(headers: Headers) -> bool:
    """Say whether somebody meant to send a GET, and no page elsewhere had a browser follow a link or load an image.

    What a link cannot have says so: a GraphQL `accept`, a header of one's own. Else a browser says where it comes from
    (https://www.w3.org/TR/fetch-metadata/); what does not say, and so is none of today's, must have something else that a link has not.
    """
    accept = headers.get("accept", "").lower()
    if any(form.value in accept for form in Form) or _NO_SIMPLE_REQUEST in headers:
        return True
    site = headers.get("sec-fetch-site")
    if site is None:
        return "content-type" in headers or headers.get("sec-fetch-mode") == "cors"
    return site in {"same-origin", "none"}


def _parse(text: bytes, what: str) -> Any:  # noqa: ANN401  (any JSON value)
    try:
        value = json.loads(text.decode("utf-8-sig"), parse_float=_exact, parse_constant=_refuse)
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False, default=str).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise InvalidInput(f"{what} is not JSON in UTF-8, or has a number beyond reason") from None
    return value


def _to_asked(value: Mapping[str, Any], document_id: object) -> Asked:
    query, variables, name, extensions = (value.get(part) for part in ("query", "variables", "operationName", "extensions"))
    if not isinstance(query, str | None) or query == "":
        raise InvalidInput(NO_QUERY)
    if not isinstance(document_id, str | None) or document_id == "":
        raise InvalidInput("documentId must be text")
    if not isinstance(variables, dict | None):
        raise InvalidInput("variables must be an object")
    if not isinstance(name, str | None):
        raise InvalidInput("operationName must be text")
    if not isinstance(extensions, dict | None):
        raise InvalidInput("extensions must be an object")
    return Asked(query, variables, name, document_id, extensions or {})


def _exact(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent that has itself too many digits
        return _refuse(text)
    return value if abs(value.adjusted()) <= _MAX_EXPONENT else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
