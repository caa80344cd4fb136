"""Lists: everything once and in order whatever the page sizes, what the upstream is asked, what is left out and said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidCursor, ListUnsupported, MalformedAnswer, UpstreamUnavailable
from gateway.model import UNREAD, Criteria, Invoice, Kind, Order, OrderStatus, PaymentStatus, Ref, SourcePage
from gateway.sources.base import Source
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import answer, make_parts, make_scope
from tests.sources.shopctrl.installation import Installation, invoice, order
from tests.sources.shopctrl.samples import AT, CUSTOMER, OPTIONS, ORDER

pytestmark = pytest.mark.anyio

ORDERS = Criteria(kind=Kind.ORDER)
INVOICES = Criteria(kind=Kind.INVOICE)
ORDER_REF = Ref("shop", Kind.ORDER, "55012", hint="3/UTR-2026-00431")
CUSTOMER_REF = Ref("shop", Kind.CUSTOMER, "20411")
EMAIL = "facturen@devriesfietsen.example"
OF_CUSTOMER = (
    "orders of this customer under another e-mail address",
    "whether an order under this e-mail address is another customer's",
)
SMALL = settings(max_examples=30, deadline=None)


def ids(page: SourcePage) -> list[int]:
    return [int(record.ref.native_id) for record in page.records]


async def page_of(source: Source, criteria: Criteria, position: str | None = None, size: int = 20) -> SourcePage:
    return await source.fetch_page(criteria, position, size, make_scope())


async def walk(source: Source, criteria: Criteria, sizes: list[int], changes: Any = None) -> list[int]:  # noqa: ANN401  (a callable)
    """Read a list to its end with these page sizes, over and over; `changes` happens after the first page."""
    found: list[int] = []
    position, turn = None, 0
    while turn == 0 or position is not None:
        size = sizes[turn % len(sizes)]
        page = await page_of(source, criteria, position, size)
        assert len(page.records) == len(page.positions)
        assert len(page.records) == size or page.next_position is None
        found += ids(page)
        position, turn = page.next_position, turn + 1
        if turn == 1 and changes is not None:
            changes()
    return found


# ------------------------------------------------------------------ laws

counts = st.lists(st.integers(0, 25), min_size=1, max_size=3)
page_sizes = st.lists(st.integers(1, 30), min_size=1, max_size=4)


def shops_of(lengths: list[int]) -> dict[int, list[dict[str, Any]]]:
    return {shop: [order(shop * 1000 + number) for number in range(length)] for shop, length in enumerate(lengths, 3)}


@SMALL
@given(counts, page_sizes)
async def test_any_page_sizes_give_each_order_once_in_the_order_of_the_shops(lengths: list[int], sizes: list[int]) -> None:
    there = Installation(shops_of(lengths))
    expected = [row["Id"] for rows in there.shops.values() for row in rows]
    source, _ = there.source()
    assert await walk(source, ORDERS, sizes) == expected


@SMALL
@given(st.integers(0, 40), page_sizes, st.integers(1, 10))
async def test_orders_that_are_added_at_the_end_meanwhile_come_once_and_disturb_none(length: int, sizes: list[int], added: int) -> None:
    there = Installation(shops_of([length]))
    source, _ = there.source()

    def add() -> None:
        there.shops[3] += [order(9000 + number) for number in range(added)]

    found = await walk(source, ORDERS, sizes, add)
    whole = [row["Id"] for row in there.shops[3]]
    assert found == whole or found == whole[:length]  # the first page may have been the last
    assert found == whole or length < sizes[0]


invoices_of_orders = st.lists(st.lists(st.integers(0, 3), max_size=15), min_size=1, max_size=3)


def with_invoices(numbers: list[list[int]]) -> Installation:
    """Make shops of orders that have so many invoices, the newest first."""
    there = Installation(shops_of([len(of_shop) for of_shop in numbers]))
    for shop, of_shop in enumerate(numbers, 3):
        for number, count in enumerate(of_shop):
            key = shop * 1000 + number
            there.invoices[key] = [invoice(key * 10 + one, key) for one in reversed(range(count))]
    return there


@SMALL
@given(invoices_of_orders, page_sizes)
async def test_any_page_sizes_give_each_invoice_once_by_its_order_and_id(numbers: list[list[int]], sizes: list[int]) -> None:
    there = with_invoices(numbers)
    expected = [row["Id"] for rows in there.shops.values() for one in rows for row in reversed(there.invoices[one["Id"]])]
    source, _ = there.source()
    assert await walk(source, INVOICES, sizes) == expected


@SMALL
@given(st.lists(st.integers(1, 3), min_size=2, max_size=15), page_sizes)
async def test_invoices_that_are_added_at_the_end_meanwhile_come_once_and_disturb_none(numbers: list[int], sizes: list[int]) -> None:
    there = with_invoices([numbers])
    before = [row["Id"] for one in there.shops[3] for row in reversed(there.invoices[one["Id"]])]
    source, _ = there.source()

    def add() -> None:
        last = there.shops[3][-1]["Id"]
        there.invoices[last].insert(0, invoice(99990, last))
        there.shops[3].append(order(9500))
        there.invoices[9500] = [invoice(99995, 9500)]

    found = await walk(source, INVOICES, sizes, add)
    assert found[: len(before)] == before
    assert found[len(before) :] in ([], [99995], [99990, 99995])
    assert len(before) <= sizes[0] or found[len(before) :] == [99990, 99995] or len(before) == sum(numbers[:-1]) + sizes[0]


@SMALL
@given(st.integers(0, 30), st.integers(1, 10), st.integers(1, 10))
async def test_every_position_goes_on_behind_its_record_with_any_size(length: int, first: int, second: int) -> None:
    there = with_invoices([[1] * length])
    source, _ = there.source()

    for criteria in (ORDERS, INVOICES):
        page = await page_of(source, criteria, None, first)
        whole = ids(await page_of(source, criteria, None, 100))
        for number, position in enumerate(page.positions, 1):
            assert ids(await page_of(source, criteria, position, second)) == whole[number : number + second]


# ------------------------------------------------------------------ orders: what is asked


async def test_a_page_of_orders_is_one_call_and_the_fiftieth_costs_what_the_second_does() -> None:
    there = Installation(shops_of([1000]))
    source, _ = there.source()
    position = None
    for _ in range(50):
        position = (await page_of(source, ORDERS, position, 20)).next_position
    assert len(there.asked) == 50
    assert there.asked[1] == "/v1/Shops/3/Orders?pageSize=20&pageNumber=2"
    assert there.asked[49] == "/v1/Shops/3/Orders?pageSize=20&pageNumber=50"


async def test_a_page_of_another_size_goes_on_with_one_call_where_one_upstream_page_has_it_and_with_two_otherwise() -> None:
    there = Installation(shops_of([300]))
    source, _ = there.source()
    assert ids(await page_of(source, ORDERS, "3/10", 20)) == [3010 + number for number in range(20)]
    assert there.asked == ["/v1/Shops/3/Orders?pageSize=30&pageNumber=1"]
    there.asked.clear()
    assert ids(await page_of(source, ORDERS, "3/50", 100)) == [3050 + number for number in range(100)]
    assert there.asked == ["/v1/Shops/3/Orders?pageSize=100&pageNumber=1", "/v1/Shops/3/Orders?pageSize=50&pageNumber=3"]


async def test_a_row_of_an_order_is_what_the_list_gives_and_costs_no_call() -> None:
    there = Installation({3: [order(1)]})
    source, _ = there.source(order_status={"12": OrderStatus.OPEN})
    (record,) = (await page_of(source, ORDERS)).records
    assert isinstance(record, Order)
    assert (record.number, record.status, record.fetched_at) == ("O-1", OrderStatus.OPEN, AT)
    assert record.raw == json.dumps(order(1)).encode()
    assert (record.customer, record.lines, record.source_statuses) == (UNREAD, UNREAD, UNREAD)
    assert len(there.asked) == 1


async def test_the_filters_that_the_list_has_are_passed_on_and_named() -> None:
    there = Installation({3: []})
    source, _ = there.source()
    since = datetime(2026, 1, 11, 15, 0, tzinfo=UTC)
    page = await page_of(
        source,
        Criteria(
            kind=Kind.ORDER,
            updated_since=since,
            email="a@example.se",
            source_status=("MainStatusId", "12"),
            ordered_from=since,
            number="O-1",
        ),
    )
    assert page.applied == {"updated_since", "email", "source_status"}
    assert there.asked == [
        (
            "/v1/Shops/3/Orders?fromDateChanged=2026-01-11T16%3A00%3A00%2B01%3A00&mainStatusId=12&emailAddress=a%40example.se"
            "&pageSize=20&pageNumber=1"
        )
    ]


@pytest.mark.parametrize(
    "source_status", [("PaymentStatus", "21"), ("MainStatusId", "open"), ("MainStatusId", "012"), ("MainStatusId", "0")]
)
async def test_a_status_that_the_list_cannot_be_narrowed_by_is_left_to_the_gateway(source_status: tuple[str, str]) -> None:
    there = Installation({3: []})
    source, _ = there.source()
    page = await page_of(source, Criteria(kind=Kind.ORDER, source_status=source_status, email=" "))
    assert page.applied == frozenset()
    assert there.asked == ["/v1/Shops/3/Orders?pageSize=20&pageNumber=1"]


async def test_a_row_that_cannot_be_read_is_counted_and_the_page_is_filled_all_the_same() -> None:
    there = Installation({3: [order(1), {"Id": 2, "Date": "soon"}, {"OrderCode": "x"}, order(4), order(5)]})
    source, _ = there.source()
    page = await page_of(source, ORDERS, None, 2)
    assert (ids(page), page.unreadable, page.positions, page.next_position) == ([1, 4], 2, ("3/1", "3/4"), "3/4")


async def test_a_shop_that_is_not_shown_is_named_and_the_next_one_is_listed() -> None:
    source_there = Installation({3: [], 4: [order(1)]}, others={"/v1/Shops/3/Orders?pageSize=20&pageNumber=1": "null"})
    source, _ = source_there.source()
    page = await page_of(source, ORDERS)
    assert (ids(page), page.left_out, page.next_position) == ([1], ("orders of shop 3, which the source does not show",), None)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (answer("", 503), UpstreamUnavailable),
        (answer("{}"), MalformedAnswer),
        (answer(json.dumps([order(number) for number in range(21)])), MalformedAnswer),
    ],
)
@pytest.mark.parametrize("criteria", [ORDERS, Criteria(kind=Kind.ORDER, email="a@b.c")])
async def test_a_list_that_cannot_be_read_is_a_failure(failure: Response, expected: type[Exception], criteria: Criteria) -> None:
    parts, _ = make_parts(OPTIONS, lambda _: failure, key="shop", system="SHOPCTRL")
    with pytest.raises(expected):
        await page_of(ShopctrlSource(parts), criteria)


@pytest.mark.parametrize(
    ("criteria", "position"),
    [
        (ORDERS, "5/1"),
        (ORDERS, "3/1/1"),
        (ORDERS, "7"),
        (INVOICES, "3/1"),
        (INVOICES, "9/1/1"),
        (Criteria(kind=Kind.INVOICE, order=ORDER_REF), "3/1/1"),
        (Criteria(kind=Kind.ORDER, number="O-1"), "3/1"),
        (Criteria(kind=Kind.CUSTOMER, number="K-1"), "x"),
    ],
)
async def test_a_position_of_another_list_is_an_invalid_cursor(criteria: Criteria, position: str) -> None:
    source, _ = Installation({3: [], 4: []}).source()
    with pytest.raises(InvalidCursor):
        await page_of(source, criteria, position)


# ------------------------------------------------------------------ by number


async def test_an_order_by_number_is_one_call_a_shop_and_comes_whole() -> None:
    there = Installation({3: [], 4: []}, others={"/v1/Shops/3/Orders/UTR-2026-00431": ORDER})
    source, _ = there.source()
    page = await page_of(source, Criteria(kind=Kind.ORDER, number="UTR-2026-00431", customer=CUSTOMER_REF))
    assert (ids(page), page.applied, page.next_position) == ([55012], frozenset({"number"}), None)
    assert sorted(there.asked) == ["/v1/Shops/3/Orders/UTR-2026-00431", "/v1/Shops/4/Orders/UTR-2026-00431"]


async def test_customers_that_share_a_number_are_paged_and_one_that_cannot_be_read_is_counted() -> None:
    rows = f'[{CUSTOMER}, {{"Id": 20412, "FullName": 7}}, {CUSTOMER.replace("20411", "20413")}]'
    there = Installation({3: []}, others={"/v1/ShopOwners/1/Customers/CustomerCode/K-1": rows})
    source, _ = there.source()
    criteria = Criteria(kind=Kind.CUSTOMER, number="K-1")
    first = await page_of(source, criteria, None, 2)
    assert (ids(first), first.unreadable, first.next_position, first.applied) == ([20411], 1, "2", frozenset({"number"}))
    assert ids(await page_of(source, criteria, first.next_position, 2)) == [20413]


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CUSTOMER])
async def test_a_blank_number_lists_nothing_and_asks_nobody(kind: Kind) -> None:
    there = Installation({3: [order(1)]})
    source, _ = there.source()
    assert (await page_of(source, Criteria(kind=kind, number=" "))).records == ()
    assert there.asked == []


@pytest.mark.parametrize(
    "criteria", [Criteria(kind=Kind.CUSTOMER), Criteria(kind=Kind.CUSTOMER, email="a@b.c"), Criteria(kind=Kind.CURRENCY)]
)
async def test_customers_are_not_listed_but_by_number(criteria: Criteria) -> None:
    there = Installation({3: []})
    source, _ = there.source()
    with pytest.raises(ListUnsupported):
        await page_of(source, criteria)
    assert there.asked == []


# ------------------------------------------------------------------ of a customer


def two_customers(customer: str = CUSTOMER) -> Installation:
    there = Installation({3: [order(1, _email="x@y.z"), order(2, _email=EMAIL), order(3, _email=EMAIL)]})
    there.invoices = {1: [invoice(10, 1)], 2: [invoice(20, 2)], 3: [invoice(30, 3)]}
    there.others["/v1/Customers/20411"] = customer
    return there


@pytest.mark.parametrize(("kind", "expected"), [(Kind.ORDER, [2, 3]), (Kind.INVOICE, [20, 30])])
async def test_what_a_customer_has_goes_by_its_e_mail_address_which_is_said(kind: Kind, expected: list[int]) -> None:
    there = two_customers()
    source, _ = there.source()
    page = await page_of(source, Criteria(kind=kind, customer=CUSTOMER_REF))
    assert (ids(page), page.applied, page.left_out) == (expected, frozenset({"customer"}), OF_CUSTOMER)
    assert there.asked[0] == "/v1/Customers/20411"
    assert there.counted() == {"20411": 1, "Orders": 1} | ({"Invoices": 2} if kind is Kind.INVOICE else {})


async def test_a_customer_that_was_read_before_is_not_read_again() -> None:
    there = two_customers()
    source, _ = there.source()
    page = await page_of(source, Criteria(kind=Kind.ORDER, customer=Ref("shop", Kind.CUSTOMER, "20411", hint=EMAIL)))
    assert ids(page) == [2, 3]
    assert there.counted() == {"Orders": 1}


async def test_a_customer_without_an_e_mail_address_of_its_own_is_listed_by_the_one_it_is_billed_at() -> None:
    source, _ = two_customers(f'{{"Id": 20411, "BillToAddress": {{"EMail": "{EMAIL}"}}}}').source()
    assert ids(await page_of(source, Criteria(kind=Kind.ORDER, customer=CUSTOMER_REF))) == [2, 3]


async def test_a_customer_without_an_e_mail_address_cannot_be_listed_by() -> None:
    there = two_customers('{"Id": 20411, "EMail": " "}')
    source, _ = there.source()
    for kind in (Kind.ORDER, Kind.INVOICE):
        with pytest.raises(ListUnsupported):
            await page_of(source, Criteria(kind=kind, customer=CUSTOMER_REF))


async def test_a_customer_that_is_not_there_has_nothing() -> None:
    there = Installation({3: [order(1)]})
    source, _ = there.source()
    assert await page_of(source, Criteria(kind=Kind.ORDER, customer=CUSTOMER_REF)) == SourcePage(applied=frozenset({"customer"}))
    assert there.counted() == {"20411": 1}


async def test_a_customer_under_another_e_mail_address_than_is_asked_has_nothing_that_can_be_listed() -> None:
    there = two_customers()
    source, _ = there.source()
    page = await page_of(source, Criteria(kind=Kind.ORDER, customer=CUSTOMER_REF, email="x@y.z"))
    assert (page.records, page.applied, page.left_out) == ((), frozenset({"customer", "email"}), OF_CUSTOMER)
    assert ids(await page_of(source, Criteria(kind=Kind.ORDER, customer=CUSTOMER_REF, email=EMAIL.upper()))) == [2, 3]


# ------------------------------------------------------------------ invoices


async def test_the_invoices_of_an_order_are_one_call_and_go_by_id() -> None:
    there = Installation({3: []}, {55012: [invoice(30, 55012), invoice(9, 55012), {"InvoiceCode": "x"}, {"Id": 10, "Deleted": 7}]})
    source, _ = there.source()
    criteria = Criteria(kind=Kind.INVOICE, order=ORDER_REF)
    first = await page_of(source, criteria, None, 1)
    assert (ids(first), first.positions, first.next_position, first.applied) == ([9], ("9",), "9", frozenset({"order"}))
    assert first.unreadable == 1
    second = await page_of(source, criteria, first.next_position, 1)
    assert (ids(second), second.next_position, second.unreadable) == ([30], None, 1)
    assert there.counted() == {"Invoices": 2}
    (record,) = second.records
    assert isinstance(record, Invoice)
    assert (record.charges, record.lines, record.customer) == (UNREAD, UNREAD, UNREAD)
    (known,) = record.orders or ()
    assert (known.number, known.ref.hint) == ("O-55012", "3/UTR-2026-00431")


async def test_the_invoices_of_an_order_and_a_customer_take_the_order_that_says_whose_it_is() -> None:
    there = Installation({3: []}, {55012: [invoice(9, 55012)]}, others={"/v1/Shops/3/Orders/UTR-2026-00431": ORDER})
    source, _ = there.source()
    page = await page_of(source, Criteria(kind=Kind.INVOICE, order=ORDER_REF, customer=CUSTOMER_REF))
    assert (ids(page), page.applied, page.left_out) == ([9], frozenset({"order", "customer"}), ())
    assert there.counted() == {"UTR-2026-00431": 1, "Invoices": 1}
    other = Criteria(kind=Kind.INVOICE, order=ORDER_REF, customer=Ref("shop", Kind.CUSTOMER, "7"))
    assert await page_of(source, other) == SourcePage(applied=frozenset({"order", "customer"}))


async def test_invoices_are_read_through_the_orders_one_call_each_and_no_more_than_fill_the_page() -> None:
    there = with_invoices([[1] * 150])
    source, _ = there.source()
    first = await page_of(source, INVOICES, None, 20)
    assert len(first.records) == 20
    assert there.counted() == {"Orders": 1, "Invoices": 20}
    there.asked.clear()
    small = await page_of(source, INVOICES, first.next_position, 2)
    assert there.counted() == {"Orders": 1, "Invoices": 2}
    assert ids(small) == [30200, 30210]


async def test_the_fiftieth_page_of_invoices_costs_what_the_second_does() -> None:
    there = with_invoices([[1] * 500])
    source, _ = there.source()
    position, costs = None, []
    for _ in range(50):
        there.asked.clear()
        position = (await page_of(source, INVOICES, position, 8)).next_position
        costs.append(len(there.asked))
    assert costs[49] <= costs[1]


async def test_orders_without_invoices_are_passed_by_eight_at_a_time() -> None:
    there = with_invoices([[0] * 99 + [1]])
    source, _ = there.source()
    page = await page_of(source, INVOICES, None, 1)
    assert (ids(page), page.next_position) == ([30990], "3/100/0")
    assert there.counted() == {"Orders": 1, "Invoices": 100}


async def test_an_invoice_of_the_list_carries_the_row_of_its_order_so_that_the_order_costs_no_call() -> None:
    there = with_invoices([[1]])
    source, _ = there.source(order_status={"12": OrderStatus.OPEN})
    (record,) = (await page_of(source, INVOICES)).records
    assert isinstance(record, Invoice)
    (known,) = record.orders or ()
    assert (known.number, known.status, known.fetched_at, known.ref.hint) == ("O-3000", OrderStatus.OPEN, AT, "3/O-3000")


async def test_an_order_of_which_only_the_id_can_be_read_has_its_invoices_listed() -> None:
    there = Installation({3: [{"Id": 1, "Date": "soon"}, {"OrderCode": "x"}, order(2)]}, {1: [invoice(10, 1)], 2: [invoice(20, 2)]})
    source, _ = there.source()
    page = await page_of(source, INVOICES)
    assert (ids(page), page.unreadable, page.next_position) == ([10, 20], 1, None)


async def test_an_invoice_that_cannot_be_read_is_counted_once() -> None:
    there = Installation({3: [order(1)]}, {1: [invoice(10, 1), invoice(11, 1, InvoiceDate="soon"), {"InvoiceCode": "x"}, invoice(12, 1)]})
    source, _ = there.source()
    first = await page_of(source, INVOICES, None, 1)
    second = await page_of(source, INVOICES, first.next_position, 5)
    assert (ids(first), ids(second), first.unreadable, second.unreadable) == ([10], [12], 1, 1)


async def test_criteria_that_rows_of_invoices_can_answer_are_left_to_the_gateway_and_narrow_no_orders() -> None:
    there = with_invoices([[1]])
    source, _ = there.source(payment_status={"41": PaymentStatus.PAID})
    criteria = Criteria(kind=Kind.INVOICE, number="F-1", updated_since=datetime(2026, 1, 1, tzinfo=UTC), is_credit=True)
    page = await page_of(source, criteria)
    assert (ids(page), page.applied) == ([30000], frozenset())
    assert there.asked[0] == "/v1/Shops/3/Orders?pageSize=100&pageNumber=1"


async def test_an_order_whose_invoices_cannot_be_read_fails_the_page_and_leaves_no_call_running() -> None:
    there = with_invoices([[1] * 5])

    def handle(request: WireRequest) -> Response:
        return answer("", 503) if "/Orders/3002/" in request.url else there.handle(request)

    parts, wire = make_parts(OPTIONS, handle, key="shop", system="SHOPCTRL")
    with pytest.raises(UpstreamUnavailable):
        await page_of(ShopctrlSource(parts), INVOICES, None, 5)
    assert sum("/Invoices" in request.url for request in wire.requests) >= 5
