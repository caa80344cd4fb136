"""What counts as the right answer."""

from __future__ import annotations

import json

import pytest

from tests.bench.answers import WrongAnswer, check

_EXPECTED = {"orders": {"nodes": [{"number": "7", "orderedAt": "2026-01-01T00:00:00Z", "amount": "211.0", "phone": None}]}}


def _body(**changes: object) -> bytes:
    row = {"number": "7", "orderedAt": "2026-01-01T00:00:00Z", "amount": "211.0", "phone": None, **changes}
    return json.dumps({"data": {"orders": {"nodes": [row]}}}).encode()


@pytest.mark.parametrize("changes", [{}, {"orderedAt": "2026-01-01T00:00:00+00:00"}, {"amount": "211"}, {"amount": 211.0}])
def test_another_spelling_of_the_same_instant_or_decimal_is_right(changes: dict[str, object]) -> None:
    check(_body(**changes), _EXPECTED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"orderedAt": "2026-01-01T00:00:01Z"}, "data.orders.nodes.0.orderedAt: '2026-01-01T00:00:01Z' instead of '2026-01-01T00:00:00Z'"),
        ({"amount": "211.01"}, "data.orders.nodes.0.amount: '211.01' instead of '211.0'"),
        ({"phone": "7"}, "data.orders.nodes.0.phone: '7' instead of None"),
        ({"number": None}, "data.orders.nodes.0.number: None instead of '7'"),
        ({"more": 1}, "data.orders.nodes.0: fields ['number', 'orderedAt', 'amount', 'phone', 'more']"),
    ],
)
def test_anything_else_is_wrong_and_said_where(changes: dict[str, object], message: str) -> None:
    with pytest.raises(WrongAnswer) as raised:
        check(_body(**changes), _EXPECTED)
    assert str(raised.value).startswith(message)


def test_a_row_less_is_wrong() -> None:
    with pytest.raises(WrongAnswer, match=r"data\.orders\.nodes: 0 rows instead of 1"):
        check(b'{"data": {"orders": {"nodes": []}}}', _EXPECTED)


def test_errors_beside_the_right_data_are_wrong() -> None:
    with pytest.raises(WrongAnswer, match="errors: "):
        check(_body()[:-1] + b', "errors": [{"message": "no"}]}', _EXPECTED)


def test_what_is_no_json_is_wrong() -> None:
    with pytest.raises(WrongAnswer, match="no JSON: b'<html>'"):
        check(b"<html>", _EXPECTED)
