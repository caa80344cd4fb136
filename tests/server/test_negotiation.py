"""Which media type an answer has."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.negotiation import Form, NotAcceptable, choose_form

RESPONSE, JSON = "application/graphql-response+json", "application/json"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        ("Application/GraphQL-Response+JSON", RESPONSE),
        (f"{RESPONSE}; charset=utf-8", RESPONSE),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}, {RESPONSE}", JSON),
        (f"{JSON};q=0.5, {RESPONSE}", RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON}", JSON),
        (f"{RESPONSE};q=0, {JSON}", JSON),
        (f"{JSON};q=0, */*", RESPONSE),
        (f"text/html, {RESPONSE};q=0.1", RESPONSE),
        (f"text/html, {JSON};q=0.9, */*;q=0.1", JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
    ],
)
def test_the_form_is_what_the_client_likes_best(accept: str | None, expected: str) -> None:
    assert choose_form(accept).value == expected


@pytest.mark.parametrize("accept", ["text/html", "application/xml", f"{JSON};q=0", "text/*", "*/json", "a" * 1001, f"{JSON};q=x", ",", ";"])
def test_a_client_that_takes_neither_form_is_told_so(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=r"accept: there is an answer as application/graphql-response\+json or application/json"):
        choose_form(accept)


@given(st.text(max_size=60))
def test_no_header_breaks_it(accept: str) -> None:
    with contextlib.suppress(NotAcceptable):
        assert choose_form(accept) in Form


def test_what_could_not_be_executed_is_400_only_in_the_form_that_has_statuses() -> None:
    statuses = {(form, is_executed): form.status_of(is_executed=is_executed) for form in Form for is_executed in (True, False)}
    assert statuses == {(Form.RESPONSE, True): 200, (Form.RESPONSE, False): 400, (Form.JSON, True): 200, (Form.JSON, False): 200}
