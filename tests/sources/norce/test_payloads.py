from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import UNREAD, OrderStatus, Record
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, decode_tree
from gateway.sources.norce import endpoints
from gateway.sources.norce.endpoints import QuerySet
from gateway.sources.norce.mapping import to_customer_from_row, to_invoice_from_row, to_order_from_row
from gateway.sources.norce.payloads import CustomerRow, InvoiceRow, OrderRow, to_row, to_row_page
from tests.sources.norce.samples import BUYER_ROW, ITEM_ROW, ROW_2, ROW_3, page_of, with_more
from tests.sources.norce.test_mapping import profile

Row = dict[str, str]
"""JSON texts by camelCase names."""

NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETS: Final[Mapping[str, tuple[QuerySet, type[Any], Callable[..., Record]]]] = {
    "orders": (endpoints.ORDERS, OrderRow, to_order_from_row),
    "customers": (endpoints.CUSTOMERS, CustomerRow, to_customer_from_row),
    "invoices": (endpoints.INVOICES, InvoiceRow, to_invoice_from_row),
}
PROFILES: Final = (
    profile(),
    profile(default_currency=None, currencies={"2": "EUR"}, labels={"StatusId": {"5": "Fakturerad"}}),
    profile(order_status={"5": OrderStatus.UNKNOWN, "Levererad": OrderStatus.DELIVERED}),
)
USUAL: Final = ("null", "1", "5", "70213", '"N-100341"', '"2026-01-15T08:41:12Z"', '"2026-01-16T23:30:00Z"')
ODD: Final = (
    *("0", "-5", "7.0", "1e2", "9999999999999999999", "123456789012345678901234567890", '"0"', '""', '"  "', '" 0 "', '"00012"', "true"),
    *("[]", "{}", "[1.50]", '{"id": 1.50}', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"', '"2026-01-15T08:41:12.1234567+02:00"'),
    *('"2026-W01-1T08:41:12Z"', '"2026-13-15T08:41:12Z"', '"2026-01-15t08:41:12z"', f"[{ITEM_ROW}]", BUYER_ROW, '{"Id": 1, "id": 2}'),
)


def pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def rows_of(of: QuerySet) -> st.SearchStrategy[Row]:
    """Make rows as `$select` and `$expand` have them, a few values odd."""
    names = [camel(name) for name in of.properties if name != "Id"]
    value = st.one_of(st.sampled_from(USUAL), st.sampled_from(USUAL), st.sampled_from(USUAL), st.sampled_from(ODD))
    expanded = {"items": st.sampled_from((*ODD, "null")), "buyer": st.sampled_from((*ODD, "null"))}
    return st.fixed_dictionaries({"id": st.just("70213"), **dict.fromkeys(names, value)}, optional=expanded)


def text_of(row: Row, spell: Callable[[str], str], *more: str) -> str:
    return "{" + ", ".join([*(f'"{spell(name)}": {value}' for name, value in row.items()), *more]) + "}"


def read(row: str, kind: str, of: SourceProfile) -> Record | str:
    """Read a row to the end, its own JSON left out; else say what of it cannot be read."""
    _, row_type, to_record = SETS[kind]
    (entry,) = to_row_page(page_of(row).encode(), row_type).entries
    assert entry.raw == row.encode()
    if entry.row is None:
        return f"no row, id {entry.id}"
    try:
        return replace(to_record(entry.row, entry.raw, of, NOW), raw=None)
    except Malformed as error:
        return str(error)


@pytest.mark.parametrize("kind", SETS)
@given(data=st.data())
def test_a_row_reads_alike_in_both_published_spellings_in_a_mix_and_with_further_fields(kind: str, data: st.DataObject) -> None:
    of = data.draw(st.sampled_from(PROFILES))
    row = data.draw(rows_of(SETS[kind][0]))
    swapped = data.draw(st.sets(st.sampled_from(sorted(row))))
    published = read(text_of(row, camel), kind, of)
    assert read(text_of(row, pascal), kind, of) == published
    assert read(text_of(row, lambda name: pascal(name) if name in swapped else name), kind, of) == published
    assert read(text_of(row, pascal, '"newField": 1.5'), kind, of) == published
    assert read(text_of(row, camel, '"newField": {"Id": 7}'), kind, of) == published


@given(id_=st.sampled_from((*USUAL, *ODD)), spell=st.sampled_from([camel, pascal]))
def test_an_id_is_known_by_the_same_rule_whether_or_not_the_row_has_further_fields(id_: str, spell: Callable[[str], str]) -> None:
    rows = (text_of({"id": id_, "orderNo": '"N-1"'}, spell, *more) for more in ((), ('"newField": 1',)))
    published, odd = (to_row_page(page_of(row).encode(), OrderRow).entries[0] for row in rows)
    assert (published.id, published.row is None) == (odd.id, odd.row is None)


@pytest.mark.parametrize("kind", SETS)
def test_rows_know_every_property_that_query_is_asked_for(kind: str) -> None:
    of, row_type, _ = SETS[kind]
    assert {camel(name) for name in of.properties} <= set(row_type.__struct_encode_fields__)


@pytest.mark.parametrize("row", [ROW_2, ROW_3])
def test_of_a_name_that_comes_twice_the_last_value_counts_in_whatever_spelling(row: str) -> None:
    for name in ("OrderNo", "orderNo"):
        entry = to_row_page(page_of(with_more(row, **{name: '"last"'})).encode(), OrderRow).entries[0]
        assert entry.row is not None
        assert entry.row.order_no == "last"


@pytest.mark.parametrize("more", [{}, {"newField": "1"}])
def test_amounts_of_expanded_lines_are_exact_as_they_are_written(more: dict[str, str]) -> None:
    item = ITEM_ROW.replace("1200.0", "0.1000000000000000055511151231257827")
    entry = to_row_page(page_of(with_more(ROW_3, items=f"[{item}]", **more)).encode(), OrderRow).entries[0]
    assert entry.row is not None
    lines = to_order_from_row(entry.row, entry.raw, profile(), NOW).lines
    assert isinstance(lines, tuple)
    price = lines[0].unit_price_excl_vat
    assert (price and price.amount) == Decimal("0.1000000000000000055511151231257827")


def test_a_row_that_cannot_be_read_leaves_those_around_it_as_they_are() -> None:
    page = to_row_page(page_of(ROW_2, '{"Id": 5, "OrderNo": []}', "7", '{"Id": 6, "buyer": null, "X": 1e400}', ROW_3).encode(), OrderRow)
    assert [(entry.id, entry.row is None) for entry in page.entries] == [
        (70213, False),
        (5, True),
        (None, True),
        (6, False),
        (70213, False),
    ]


def test_names_are_known_with_a_first_letter_of_either_case_and_in_no_other_way() -> None:
    row = to_row(decode_tree(b'{"Id": 1, "orderNo": "a", "STATUSID": 5, "statusid": 5}'), OrderRow)
    assert (row.id, row.order_no, row.status_id) == (1, "a", None)
    with pytest.raises(Malformed):
        to_row([], OrderRow)


def test_what_is_not_in_a_row_stays_unread() -> None:
    entry = to_row_page(page_of('{"id": 1}').encode(), OrderRow).entries[0]
    assert entry.row is not None
    order = to_order_from_row(entry.row, entry.raw, profile(), NOW)
    assert (order.customer, order.lines, order.currency, order.source_statuses) == (UNREAD, UNREAD, UNREAD, ())
    assert json.loads(order.raw or b"") == {"id": 1}
