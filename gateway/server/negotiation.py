"""In which form an answer goes out: GraphQL over HTTP has two media types, and they differ in what a status means.

https://graphql.github.io/graphql-over-http/draft/ : with `application/json` an operation that cannot be executed is answered 200,
since a proxy may have made any other status; with `application/graphql-response+json` it is answered 400.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidInput

_MAX_LENGTH: Final = 1000
_WILDCARDS: Final = {"application": 1, "*": 0}


class NotAcceptable(InvalidInput):
    """The client takes no form in which there is an answer."""


class Form(StrEnum):
    """A media type of answers."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"

    def status_of(self, *, is_executed: bool) -> int:
        """Give the status of a well-formed request, whether its operation was executed or could not be."""
        return 200 if is_executed or self is Form.JSON else 400

    @property
    def content_type(self) -> str:
        """The header's value."""
        return f"{self.value}; charset=utf-8"


def choose_form(accept: str | None) -> Form:
    """Choose by the Accept header (RFC 9110, 12.5.1) what the client likes best; JSON where it does not say. Raises `NotAcceptable`."""
    if accept is None or not accept.strip():
        return Form.JSON
    if len(accept) <= _MAX_LENGTH:
        ranges = [_range(part) for part in accept.split(",")]
        liked = [(_liking(form, ranges), form) for form in (Form.JSON, Form.RESPONSE)]
        best, form = max(liked, key=lambda item: item[0])
        if best > 0:
            return form
    raise NotAcceptable(f"accept: there is an answer as {Form.RESPONSE.value} or {Form.JSON.value}")


def _range(text: str) -> tuple[str, float]:
    """Read a media range and how much it is liked, from 0 to 1; one that cannot be read is not liked at all."""
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = next((value for name, _, value in (item.partition("=") for item in parameters) if name.strip() == "q"), "1")
    try:
        return kind, min(1.0, max(0.0, float(weight)))
    except ValueError:
        return kind, 0.0


def _liking(form: Form, ranges: list[tuple[str, float]]) -> float:
    """Say how much a form is liked: the most exact range that it is in counts. Of two liked alike the client's first is a little better."""
    found = [(_exactness(form, kind), weight, -place) for place, (kind, weight) in enumerate(ranges)]
    exactness, weight, place = max(found)
    return 0.0 if exactness < 0 or weight == 0 else weight + place / 1e6


def _exactness(form: Form, kind: str) -> int:
    if kind == form.value:
        return 2
    main, _, sub = kind.partition("/")
    return _WILDCARDS.get(main, -1) if sub == "*" else -1
