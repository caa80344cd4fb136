from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidInput
from gateway.transport import NO_BODY, Request, Response, path_of
from gateway.transport.message import plain

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
AWKWARD = st.sampled_from(["/", "//", "?", "#", "%", "%2F", "%2e%2e", "\r\n", "a..b", " ", "", "å", ";x=1", "\x00", "{x}", "\\"])
DOTS = (".", "..", "...", "../a", "a/..", "a/../b", "a\\..\\b", "..;", "..;x=1/a", " .. ", "a/.", "./", "..\x1f")
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**25), max_value=10**25)


def make_request(**fields: object) -> Request:
    return Request(**{"operation": "Op", "method": "GET", "path": "/a", **fields})  # type: ignore[arg-type]  # fields by name


# Paths


@pytest.mark.parametrize("text", DOTS)
def test_what_a_server_would_resolve_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^key: dots alone, or between slashes, cannot be asked for$"):
        path_of("/a/{key}/b", key=text)


@given(TEXT.filter(lambda text: "." not in text) | AWKWARD)
def test_any_text_stays_one_segment_of_a_path(text: str) -> None:
    path = path_of("/a/{key}/b", key=text)
    before, segment, after = path.removeprefix("/").split("/")
    assert (before, unquote(segment, errors="strict"), after) == ("a", text, "b")
    assert path.isascii()
    assert path.isprintable()
    assert not set(path) & set('?#\\ "<>^`{|}')


@given(TEXT.filter(lambda text: "." not in text) | AWKWARD)
def test_no_text_is_resolved_away_or_ends_the_path(text: str) -> None:
    path = path_of("/a/b/{key}", key=text)
    address = urljoin("https://upstream.example/base", path)
    assert address == f"https://upstream.example{path}"
    assert (urlsplit(address).path, urlsplit(address).query, urlsplit(address).fragment) == (path, "", "")


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("a.b", "a.b"),
        ("1/2", "1%2F2"),
        ("a b", "a%20b"),
        ("100%", "100%25"),
        ("Å", "%C3%85"),
        ("x?y#z", "x%3Fy%23z"),
        ("\r\n", "%0D%0A"),
        (17, "17"),
    ],
)
def test_a_segment_is_escaped(text: str | int, segment: str) -> None:
    assert path_of("/orders/{key}", key=text) == f"/orders/{segment}"


def test_each_name_of_a_path_is_filled() -> None:
    assert path_of("/orders/{order}/rows/{row}", order="a/b", row=2) == "/orders/a%2Fb/rows/2"


# Targets


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1).map(tuple))
def test_any_query_arrives_as_it_was_meant(query: tuple[tuple[str, str], ...]) -> None:
    target = make_request(query=query).target
    assert target.startswith("/a?")
    assert target.isascii()
    assert "#" not in target
    assert tuple(parse_qsl(target.removeprefix("/a?"), keep_blank_values=True, strict_parsing=True, errors="strict")) == query


def test_a_query_keeps_its_order_and_writes_a_blank_as_percent_20() -> None:
    assert make_request(query=(("b", "x y"), ("a", "1"), ("b", "+&="))).target == "/a?b=x%20y&a=1&b=%2B%26%3D"


def test_a_request_without_query_has_no_question_mark() -> None:
    assert make_request().target == "/a"


# Bodies


def test_no_body_is_not_the_json_null() -> None:
    assert (make_request(json=NO_BODY).content, make_request(json=NO_BODY).body) == (None, None)
    assert make_request(json=None).content == b"null"


def test_a_body_is_written_in_the_order_given_with_amounts_as_numbers_of_their_scale() -> None:
    body = {"b": Decimal("10.00"), "a": [Decimal("1E+2"), (Decimal("-0.5"),)], "c": {"d": None, "e": "å", "f": True, "g": 3}}
    written = '{"b":10.00,"a":[100,[-0.5]],"c":{"d":null,"e":"å","f":true,"g":3}}'
    assert make_request(json=body).content == written.encode()


@given(AMOUNTS)
def test_an_amount_is_written_without_exponent_and_read_back_as_the_same_number(amount: Decimal) -> None:
    content = make_request(json={"amount": amount}).content
    assert content is not None
    assert b"E" not in content.removeprefix(b'{"amount":')
    assert json.loads(content, parse_float=Decimal, parse_int=Decimal) == {"amount": amount}


def test_making_a_value_plain_leaves_the_one_given_alone() -> None:
    given_value = {"a": [Decimal("1E+2")]}
    assert str(plain(given_value)) == "{'a': [Decimal('100')]}"
    assert str(given_value) == "{'a': [Decimal('1E+2')]}"


# Answers


def test_every_status_of_the_two_hundreds_is_a_success_and_no_other() -> None:
    assert [status for status in range(100, 600) if Response(status, {}, b"").is_success] == list(range(200, 300))
