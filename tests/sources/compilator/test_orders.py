from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidCursor, ListUnsupported, MalformedAnswer, UpstreamRejected, UpstreamUnavailable
from gateway.model import UNREAD, Criteria, Kind, Order, OrderStatus, Ref, SourcePage
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.compilator.source import CompilatorSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, answer, make_parts, make_scope
from tests.graph import Graph
from tests.sources.compilator.samples import CUSTOMER, GUID, ORDER, page

pytestmark = pytest.mark.anyio

OF_CUSTOMER = "GET /api/orders/40017/2000-01-01/2026-11-23"
CUSTOMER_REF = Ref("src", Kind.CUSTOMER, "40017")


def of_branch(number: int) -> str:
    return f"GET /api/orders/search/{number}/2000-01-01/2026-11-23"


def order_row(order_id: int, branch: int = 12, day: str = "2026-01-19", customer: int = 40017, lines: str = "null") -> str:
    return (
        f'{{"Id": {order_id}, "SellerBranchId": {branch}, "CustomerNumber": {customer}, "OrderDate": "{day} 00:00:00", '
        f'"OrderStatusId": 1, "CurrencyId": 1, "TotalAmountIncludingVat": 12.50, "OrderLines": {lines}}}'
    )


def rows(*found: str) -> Response:
    return answer(f"[{', '.join(found)}]")


class Site:
    """A source over a fake wire; what is not in `answers` is a failure."""

    def __init__(self, answers: Mapping[str, Response] | Callable[[WireRequest], Response], **options: Any) -> None:  # noqa: ANN401  (of CompilatorOptions)
        def handle(request: WireRequest) -> Response:
            return answers(request) if callable(answers) else answers.get(_line_of(request), answer(status=599))

        parts, self.wire = make_parts(CompilatorOptions(**options), handle)
        self.source = CompilatorSource(parts)

    @property
    def lines(self) -> list[str]:
        return [_line_of(request) for request in self.wire.requests]

    async def page(self, position: str | None = None, size: int = 100, **criteria: Any) -> SourcePage:  # noqa: ANN401  (of Criteria)
        return await self.source.fetch_page(Criteria(kind=Kind.ORDER, **criteria), position, size, make_scope())

    async def all(self, sizes: list[int], **criteria: Any) -> list[str]:  # noqa: ANN401  (of Criteria)
        """Read page after page, each of the next size."""
        seen: list[str] = []
        position: str | None = None
        turn = 0
        while turn == 0 or position is not None:
            size = sizes[turn % len(sizes)]
            listed = await self.page(position, size, **criteria)
            assert len(listed.records) == size or listed.next_position is None
            assert len(listed.positions) == len(listed.records)
            seen += keys(listed)
            position = listed.next_position
            turn += 1
        return seen


def _line_of(request: WireRequest) -> str:
    return f"{request.method} {request.url.removeprefix(BASE_URL)}"


def keys(listed: SourcePage) -> list[str]:
    return [record.ref.native_id for record in listed.records]


async def test_orders_of_a_customer_are_one_call_sorted_by_date_id_and_branch() -> None:
    site = Site(
        {
            OF_CUSTOMER: rows(
                order_row(9, day="2026-02-01"), order_row(8, 34), order_row(8, 12), order_row(7), order_row(11, day="2025-12-31")
            )
        }
    )
    listed = await site.page(customer=CUSTOMER_REF)
    assert keys(listed) == ["11/12", "7/12", "8/12", "8/34", "9/12"]
    assert (listed.applied, listed.total, listed.next_position, listed.unreadable) == (frozenset({"customer"}), 5, None, 0)
    assert site.lines == [OF_CUSTOMER]


async def test_a_listed_order_is_whole_but_for_its_lines() -> None:
    site = Site({OF_CUSTOMER: rows(order_row(7))})
    (order,) = (await site.page(customer=CUSTOMER_REF)).records
    assert isinstance(order, Order)
    assert order.ref == Ref("src", Kind.ORDER, "7/12")
    assert order.lines is UNREAD
    assert (order.number, order.status, order.delivery_method, order.raw) == ("7", OrderStatus.OPEN, None, order_row(7).encode())
    assert order.fetched_at == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_lines_that_come_in_a_list_are_kept_and_an_empty_list_of_them_says_nothing() -> None:
    site = Site({OF_CUSTOMER: rows(ORDER, order_row(6000, lines="[]"))})
    with_lines, without = (await site.page(customer=CUSTOMER_REF)).records
    assert isinstance(with_lines, Order)
    assert isinstance(with_lines.lines, tuple)
    assert [line.position for line in with_lines.lines] == ["1", "2"]
    assert isinstance(without, Order)
    assert without.lines is UNREAD


@pytest.mark.parametrize("nothing", [answer("[]"), answer("null"), answer(status=204)])
async def test_a_customer_without_orders_has_an_empty_list(nothing: Response) -> None:
    assert await Site({OF_CUSTOMER: nothing}).page(customer=CUSTOMER_REF) == SourcePage(applied=frozenset({"customer"}), total=0)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (answer(status=400), UpstreamRejected),
        (answer(status=500), UpstreamUnavailable),
        (answer(""), MalformedAnswer),
        (answer("{}"), MalformedAnswer),
    ],
)
async def test_a_list_that_cannot_be_read_is_no_empty_one(failure: Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        await Site({OF_CUSTOMER: failure}).page(customer=CUSTOMER_REF)


async def test_a_list_of_orders_that_is_not_found_is_empty_and_says_that_it_may_not_be_all() -> None:
    listed = await Site({OF_CUSTOMER: answer(status=404)}).page(customer=CUSTOMER_REF)
    assert (listed.records, listed.total, listed.next_position) == ((), None, None)
    assert listed.left_out == ("the source answered 404, which says that no order matches or that it has no such list",)


async def test_a_branch_whose_list_is_not_found_does_not_hide_the_others() -> None:
    site = Site({of_branch(12): answer(status=404), of_branch(34): rows(order_row(1, 34))}, branch_ids=[12, 34])
    listed = await site.page()
    assert keys(listed) == ["1/34"]
    assert len(listed.left_out) == 1


async def test_one_request_that_reads_on_in_a_list_does_not_ask_for_it_again() -> None:
    site = Site({OF_CUSTOMER: rows(*(order_row(number) for number in range(1, 10)))})
    criteria = Criteria(kind=Kind.ORDER, customer=CUSTOMER_REF)
    one, other = make_scope(), make_scope()
    first = await site.source.fetch_page(criteria, None, 4, one)
    assert keys(await site.source.fetch_page(criteria, first.next_position, 100, one)) == [f"{number}/12" for number in range(5, 10)]
    assert len(site.lines) == 1
    await site.source.fetch_page(criteria, None, 4, other)
    assert len(site.lines) == 2


@pytest.mark.parametrize(
    ("criteria", "days"),
    [
        ({}, "2000-01-01/2026-11-23"),
        ({"ordered_from": datetime(2025, 5, 31, 22, 30, tzinfo=UTC)}, "2025-06-01/2026-11-23"),
        ({"ordered_to": datetime(2025, 6, 30, 21, 59, tzinfo=UTC)}, "2000-01-01/2025-07-01"),
        ({"ordered_to": datetime(2025, 6, 30, 22, 0, tzinfo=UTC)}, "2000-01-01/2025-07-02"),
        ({"ordered_from": datetime.min.replace(tzinfo=UTC), "ordered_to": datetime.max.replace(tzinfo=UTC)}, "0001-01-01/9999-12-31"),
    ],
)
async def test_bounds_are_asked_for_as_days_of_the_site_and_left_to_the_gateway(criteria: dict[str, Any], days: str) -> None:
    site = Site({f"GET /api/orders/40017/{days}": rows(order_row(7))})
    listed = await site.page(customer=CUSTOMER_REF, **criteria)
    assert (keys(listed), listed.applied) == (["7/12"], frozenset({"customer"}))
    assert listed.total == (None if criteria else 1)


async def test_bounds_that_leave_no_day_are_no_call() -> None:
    site = Site({})
    crossed: dict[str, Any] = {"ordered_from": datetime(2025, 6, 1, tzinfo=UTC), "ordered_to": datetime(2025, 5, 1, tzinfo=UTC)}
    assert await site.page(customer=CUSTOMER_REF, **crossed) == SourcePage(applied=frozenset({"customer"}))
    before = await site.page(customer=CUSTOMER_REF, ordered_to=datetime(1999, 5, 1, tzinfo=UTC))
    assert (before.records, before.left_out) == ((), ("orders before the configured sweep_start",))
    assert site.lines == []


async def test_a_customer_may_be_named_by_guid_as_invoices_do() -> None:
    sweep = "GET /api/customers/2000-01-01?pageSize=25"
    site = Site({sweep: answer(page(CUSTOMER)), OF_CUSTOMER: rows(order_row(7))})
    assert keys(await site.page(customer=Ref("src", Kind.CUSTOMER, GUID))) == ["7/12"]
    assert site.lines == [sweep, OF_CUSTOMER]
    nobody = await site.page(customer=Ref("src", Kind.CUSTOMER, GUID.replace("7", "8")))
    assert nobody == SourcePage(applied=frozenset({"customer"}))


async def test_a_guid_that_cannot_be_resolved_fails_the_list() -> None:
    with pytest.raises(UpstreamUnavailable):
        await Site({}).page(customer=Ref("src", Kind.CUSTOMER, GUID))


async def test_rows_that_cannot_be_read_are_counted_once() -> None:
    bad = ["17", '{"Id": "x"}', '{"Id": 5}', order_row(0), order_row(5, customer=1), order_row(5, day="soon")]
    site = Site({OF_CUSTOMER: rows(*bad, order_row(7), order_row(8))})
    first = await site.page(size=1, customer=CUSTOMER_REF)
    assert (keys(first), first.unreadable, first.total) == (["7/12"], len(bad), None)
    second = await site.page(first.next_position, size=1, customer=CUSTOMER_REF)
    assert (keys(second), second.unreadable, second.next_position) == (["8/12"], 0, None)


async def test_orders_without_a_date_come_first() -> None:
    undated = order_row(9).replace('"2026-01-19 00:00:00"', "null")
    assert await Site({OF_CUSTOMER: rows(order_row(7), undated)}).all([1], customer=CUSTOMER_REF) == ["9/12", "7/12"]


async def test_without_a_customer_or_branches_there_is_no_list() -> None:
    site = Site({})
    with pytest.raises(ListUnsupported, match="branch_ids"):
        await site.page(number="7")
    assert site.lines == []


async def test_configured_branches_are_listed_one_after_the_other_as_far_as_the_page_needs() -> None:
    site = Site(
        {of_branch(12): rows(order_row(9, day="2026-03-01"), order_row(7)), of_branch(34): rows(order_row(5, 34), order_row(6, 34))},
        branch_ids=(34, 12, 34),
    )
    first = await site.page(size=2)
    assert (keys(first), first.applied, first.total) == (["7/12", "9/12"], frozenset(), None)
    assert site.lines == [of_branch(12)]
    second = await site.page(first.positions[0], size=2)
    assert (keys(second), second.next_position) == (["9/12", "5/34"], second.positions[1])
    last = await site.page(second.next_position, size=2)
    assert (keys(last), last.next_position) == (["6/34"], None)
    assert site.lines[1:] == [of_branch(12), of_branch(34), of_branch(34)]


async def test_a_list_by_branch_has_no_orders_of_another_branch() -> None:
    site = Site({of_branch(12): rows(order_row(7, 34), order_row(8, 12)), of_branch(34): rows(order_row(7, 34))}, branch_ids=(12, 34))
    listed = await site.page()
    assert (keys(listed), listed.unreadable) == (["8/12", "7/34"], 1)


@pytest.mark.parametrize("position", ["", "12", "12/x/7/12", "12/1/7", "12/1/7/12/", "99/1/7/12", "12/\u0661/7/12", f"12/{'1' * 13}/7/12"])
async def test_a_position_that_is_none_of_this_list_is_refused(position: str) -> None:
    site = Site({}, branch_ids=(12,))
    with pytest.raises(InvalidCursor):
        await site.page(position)
    with pytest.raises(InvalidCursor):
        await site.page(position or "12/1/7/12", customer=CUSTOMER_REF)
    assert site.lines == []


PLACES = st.sets(st.tuples(st.integers(1, 40), st.sampled_from([12, 34]), st.dates(date(2000, 1, 1), date(2026, 11, 23))), max_size=25)


@given(placed=PLACES, sizes=st.lists(st.integers(1, 7), min_size=1, max_size=6))
async def test_any_sizes_of_pages_give_every_order_once_and_in_order(placed: set[tuple[int, int, date]], sizes: list[int]) -> None:
    unique = {(order_id, branch): day for order_id, branch, day in placed}
    found = {key: order_row(*key, day=day.isoformat()) for key, day in unique.items()}

    def by_branch(number: int) -> Response:
        return rows(*(row for (_, branch), row in found.items() if branch == number))

    site = Site({OF_CUSTOMER: rows(*found.values()), of_branch(12): by_branch(12), of_branch(34): by_branch(34)}, branch_ids=(12, 34))
    by_date = [f"{key[0]}/{key[1]}" for key in sorted(unique, key=lambda key: (unique[key], key))]
    assert await site.all(sizes, customer=CUSTOMER_REF) == by_date
    assert await site.all(sizes) == sorted(by_date, key=lambda key: int(key.partition("/")[2]))


async def test_orders_that_are_added_at_the_end_come_once_on_later_pages() -> None:
    known = [order_row(7), order_row(8)]
    site = Site(lambda _: rows(*known))
    first = await site.page(size=1, customer=CUSTOMER_REF)
    known.insert(0, order_row(9, day="2026-11-22"))
    assert keys(await site.page(first.next_position, customer=CUSTOMER_REF)) == ["8/12", "9/12"]


async def test_over_the_sandbox_a_list_of_a_customers_orders_is_one_call_and_lines_one_an_order(graph: Graph) -> None:
    query = """query($id: ID!, $lines: Boolean!) { orders(filter: {sources: ["subscriptions"], customer: {id: $id}}, first: 50) {
        nodes { number lines @include(if: $lines) { position } } sourceResults { status total } } }"""
    variables = {"id": Ref("subscriptions", Kind.CUSTOMER, "40017").global_id}
    light = (await graph.data(query, {**variables, "lines": False}))["orders"]
    assert light["sourceResults"] == [{"status": "OK", "total": len(light["nodes"])}]
    assert graph.calls() == {"compilator.GetOrdersOfCustomer": 1}
    whole = (await graph.data(query, {**variables, "lines": True}))["orders"]
    assert all(node["lines"] for node in whole["nodes"])
    assert graph.calls() == {"compilator.GetOrdersOfCustomer": 2, "compilator.GetOrder": len(light["nodes"])}
