"""Raw JSON as it is shown: the source's own, but for personal identity numbers and what no answer can carry."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.raw import show_raw

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def plain(tree: object) -> object:
    """Write a tree the way JSON has it, decimals as numbers."""
    match tree:
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{plain(value)}" for name, value in tree.items()) + "}"
        case list():
            return "[" + ",".join(str(plain(item)) for item in tree) + "]"
        case Decimal():
            return format(tree, "f")
        case _:
            return json.dumps(tree)


@given(TREES)
def test_all_else_comes_back_as_it_was(tree: object) -> None:
    assert show_raw(str(plain(tree)).encode(), frozenset()) == tree


def test_numbers_keep_their_scale() -> None:
    shown = show_raw(b'{"a": 5.0, "b": 0.10, "c": 12345678901234567890, "d": -0.00, "e": 1E+2}', frozenset())

    assert [str(value) for value in shown.values()] == ["5.0", "0.10", "12345678901234567890", "-0.00", "1E+2"]


def test_personal_fields_are_removed_wherever_they_are() -> None:
    raw = b'{"SSN": "19000101-1234", "BillTo": {"Customer": {"SSN": null, "Id": 1}}, "Buyers": [{"SSN": 2, "SSNs": 3}]}'

    assert show_raw(raw, frozenset({"SSN"})) == {"BillTo": {"Customer": {"Id": 1}}, "Buyers": [{"SSNs": 3}]}


@pytest.mark.parametrize("number", ["1e31", "1e-31", "1e999999999", "1e99999999999999999999999", "9" * 5000])
def test_a_number_beyond_reason_is_shown_as_its_text(number: str) -> None:
    assert show_raw(f'{{"a": {number}}}'.encode(), frozenset()) == {"a": number}


def test_what_is_no_text_is_replaced() -> None:
    assert show_raw(b'{"a\\ud800": "b\\udc00", "c": "\xff", "d": "\\ud83e\\udd50"}', frozenset()) == {"a?": "b?", "c": "\ufffd", "d": "🥐"}
