"""Positions and pages: laws of going on from anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidCursor
from gateway.sources.shopctrl.paging import LARGEST_PAGE, InvoicePosition, OrderPosition, Page, number_from, page_from

SHOPS = (3, 4)


@pytest.mark.parametrize(
    ("offset", "wanted", "expected"),
    [
        (0, 20, Page(1, 20, 0)),
        (20, 20, Page(2, 20, 0)),
        (1000, 20, Page(51, 20, 0)),
        (10, 20, Page(1, 30, 10)),
        (0, 100, Page(1, 100, 0)),
        (50, 100, Page(1, 100, 50)),
        (99, 2, Page(34, 3, 0)),
    ],
)
def test_rows_from_an_offset_are_the_smallest_page_that_has_them_all(offset: int, wanted: int, expected: Page) -> None:
    assert page_from(offset, wanted) == expected


@given(st.integers(0, 10**6), st.integers(1, LARGEST_PAGE))
def test_any_rows_cost_at_most_two_pages_of_at_most_a_hundred(offset: int, wanted: int) -> None:
    first = page_from(offset, wanted)
    assert (first.number - 1) * first.size + first.skip == offset
    assert first.size <= LARGEST_PAGE
    left = wanted - (first.size - first.skip)
    if left > 0:
        second = page_from(first.number * first.size, left)
        assert second.skip + left <= second.size <= LARGEST_PAGE


@given(st.sampled_from(SHOPS), st.integers(0, 10**9), st.integers(0, 2**63 - 1))
def test_a_position_survives_being_text(shop: int, offset: int, after: int) -> None:
    order = OrderPosition(shop, offset)
    assert OrderPosition.from_text(order.to_text(), SHOPS) == order
    invoice = InvoicePosition(order, after)
    assert InvoicePosition.from_text(invoice.to_text(), SHOPS) == invoice
    assert number_from(str(after)) == after


def test_no_position_is_the_start() -> None:
    assert OrderPosition.from_text(None, SHOPS) == OrderPosition(3, 0)
    assert InvoicePosition.from_text(None, SHOPS) == InvoicePosition(OrderPosition(3, 0), 0)
    assert number_from(None) == 0


@pytest.mark.parametrize("text", ["", "3", "3/", "3/-1", "3/1/", "3/01", "3/1/1/1", "x/1", "5/1", "5/1/1", " 3/1", "٣/1", f"3/{'1' * 20}"])
def test_a_position_that_was_not_made_here_is_an_invalid_cursor(text: str) -> None:
    for read in (OrderPosition.from_text, InvoicePosition.from_text):
        with pytest.raises(InvalidCursor):
            read(text, SHOPS)
    if text != "3":
        with pytest.raises(InvalidCursor):
            number_from(text)
