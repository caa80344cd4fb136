from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import AbsenceUnproven, InvalidCursor, MalformedAnswer, UpstreamRejected, UpstreamUnavailable
from gateway.model import Criteria, Customer, Kind, Ref, SourcePage
from gateway.sources.base import Fetch
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.compilator.source import CompilatorSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, FakeClock, FakeWire, answer, make_parts, make_scope
from tests.graph import Graph
from tests.sources.compilator.samples import CUSTOMER, GUID, customer_row, page

pytestmark = pytest.mark.anyio

SWEEP = "GET /api/customers/2000-01-01"
INCREMENT = "GET /api/customers/2026-11-21?pageSize=25"
FIRST = f"{SWEEP}?pageSize=25"
SECOND = f"{SWEEP}?pageNumber=2&pageSize=25"
NOT_WHOLE = ("the list of customers came empty, or could not be read whole",)
UNREADABLE_7 = '{"CustomerNo": 7, "IsCompany": "perhaps"}'

Answers = Mapping[str, Response | list[Response]]


def line_of(request: WireRequest) -> str:
    return f"{request.method} {request.url.removeprefix(BASE_URL)}"


class Site:
    """A source over a fake wire; what is not in `answers` is a failure."""

    def __init__(self, answers: Answers | Callable[[WireRequest], Any], **options: Any) -> None:  # noqa: ANN401  (of CompilatorOptions)
        def handle(request: WireRequest) -> Any:  # noqa: ANN401  (an answer, or what gives one)
            if callable(answers):
                return answers(request)
            found = answers.get(line_of(request), answer(status=599))
            return found.pop(0) if isinstance(found, list) else found

        parts, self._wire = make_parts(CompilatorOptions(**options), handle)
        self.source = CompilatorSource(parts)
        self._clock = parts.clock

    @property
    def lines(self) -> list[str]:
        return [line_of(request) for request in self.wire.requests]

    @property
    def wire(self) -> FakeWire:
        return self._wire

    def advance(self, seconds: float) -> None:
        assert isinstance(self._clock, FakeClock)
        self._clock.advance(seconds)

    async def customers(self, *keys: str) -> list[object]:
        """Give names where customers are found, else the answers."""
        refs = [Ref("src", Kind.CUSTOMER, key) for key in keys]
        answers = await self.source.fetch_many(Fetch.CUSTOMER, refs, make_scope(1e6))
        return [found.name if isinstance(found, Customer) else found for found in answers]

    async def page(self, position: str | None = None, size: int = 100, **criteria: Any) -> SourcePage:  # noqa: ANN401  (of Criteria)
        return await self.source.fetch_page(Criteria(kind=Kind.CUSTOMER, **criteria), position, size, make_scope(1e6))


def numbers(listed: SourcePage) -> list[str]:
    return [record.ref.native_id for record in listed.records]


async def test_one_sweep_answers_customers_by_number_and_by_guid() -> None:
    site = Site({FIRST: answer(page(CUSTOMER, customer_row(40018)))})
    refs = [Ref("src", Kind.CUSTOMER, key) for key in (GUID, "40018", "40017", "40019", GUID.replace("7", "8"))]
    found = await site.source.fetch_many(Fetch.CUSTOMER, refs, make_scope())
    assert [each.name if isinstance(each, Customer) else each for each in found] == [
        "Mälaråkeriet AB",
        "Kund 40018",
        "Mälaråkeriet AB",
        None,
        None,
    ]
    assert isinstance(found[0], Customer)
    assert found[0].ref == Ref("src", Kind.CUSTOMER, "40017")
    assert found[0].raw == CUSTOMER.encode()
    assert site.lines == [FIRST]


async def test_the_sweep_reads_every_page_the_later_ones_at_once() -> None:
    together = asyncio.Event()
    waiting = 0

    async def handle(request: WireRequest) -> Response:
        nonlocal waiting
        number = 1 if "pageNumber" not in request.url else int(request.url.partition("pageNumber=")[2].partition("&")[0])
        if number > 1:
            waiting += 1
            if waiting == 2:
                together.set()
            await asyncio.wait_for(together.wait(), 5)
        return answer(page(customer_row(number), total=3))

    site = Site(handle)
    assert await site.customers("1", "2", "3", "4") == ["Kund 1", "Kund 2", "Kund 3", None]
    assert sorted(site.lines) == [SECOND, SECOND.replace("Number=2", "Number=3"), FIRST]


async def test_a_long_list_is_read_a_few_pages_at_a_time() -> None:
    running = most = 0

    async def handle(_: WireRequest) -> Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return answer(page(customer_row(1), total=100))

    site = Site(handle)
    await site.customers("1")
    assert (len(site.lines), most <= 8) == (100, True)


async def test_a_hundred_customers_asked_by_fifty_requests_at_once_are_one_sweep() -> None:
    site = Site({FIRST: answer(page(*(customer_row(number) for number in range(1, 101))))})
    found = await asyncio.gather(*(site.customers(str(number), str(number + 50)) for number in range(1, 51)))
    assert found == [[f"Kund {number}", f"Kund {number + 50}"] for number in range(1, 51)]
    assert site.lines == [FIRST]


async def test_within_the_ttl_nothing_is_asked_then_what_changed_since_the_day_before() -> None:
    site = Site({FIRST: answer(page(customer_row(1), customer_row(2))), INCREMENT: answer(page(customer_row(3)))})
    assert await site.customers("1", "3") == ["Kund 1", None]
    site.advance(59)
    assert await site.customers("2") == ["Kund 2"]
    assert site.lines == [FIRST]
    site.advance(1)
    assert await site.customers("1", "3", "4") == ["Kund 1", "Kund 3", None]
    assert site.lines == [FIRST, INCREMENT]


async def test_nothing_changed_since_proves_absence_like_the_whole_list_before() -> None:
    site = Site({FIRST: answer(page(customer_row(1))), INCREMENT: answer(page(total=0))})
    await site.customers("1")
    site.advance(60)
    assert await site.customers("1", "2") == ["Kund 1", None]
    assert site.lines == [FIRST, INCREMENT]


async def test_once_a_day_all_is_read_again_and_who_is_gone_leaves() -> None:
    site = Site({FIRST: [answer(page(customer_row(1), customer_row(2))), answer(page(customer_row(2)))]})
    await site.customers("1")
    site.advance(86_400)
    assert await site.customers("1", "2") == [None, "Kund 2"]
    assert site.lines == [FIRST, FIRST]


async def test_a_ttl_of_nothing_asks_each_time() -> None:
    site = Site({FIRST: answer(page(customer_row(1))), INCREMENT: answer(page(total=0))}, sweep_ttl_seconds=0)
    await site.customers("1")
    await site.customers("1")
    assert site.lines == [FIRST, INCREMENT]


async def test_the_sweep_starts_where_the_configuration_says() -> None:
    site = Site(lambda _: answer(page(customer_row(1))), sweep_start=date(2020, 2, 1), page_size=500)
    await site.customers("1")
    assert site.lines == ["GET /api/customers/2020-02-01?pageSize=500"]


async def test_a_page_that_fails_takes_no_other_with_it_and_proves_no_absence() -> None:
    site = Site({FIRST: answer(page(customer_row(1), total=2)), SECOND: answer(status=503)})
    found = await site.customers("1", "2")
    assert found[0] == "Kund 1"
    assert isinstance(found[1], AbsenceUnproven)
    assert (await site.page()).left_out == NOT_WHOLE


async def test_a_first_page_that_fails_is_the_failure_of_all() -> None:
    site = Site({FIRST: answer(status=500)})
    assert [type(found) for found in await site.customers("1", "2")] == [UpstreamUnavailable, UpstreamUnavailable]
    with pytest.raises(UpstreamUnavailable):
        await site.page()
    assert site.lines == [FIRST, FIRST]


async def test_an_empty_sweep_proves_no_absence() -> None:
    site = Site({FIRST: answer(page(total=0))})
    (found,) = await site.customers("1")
    assert isinstance(found, AbsenceUnproven)
    assert (found.source, found.operation) == ("src", "GET api/customers/{date}")
    assert await site.page() == SourcePage(left_out=NOT_WHOLE)


async def test_a_list_that_moved_while_it_was_read_proves_no_absence() -> None:
    site = Site({FIRST: answer(page(customer_row(1), total=2)), SECOND: answer(page(customer_row(2), total=3))})
    found = await site.customers("1", "3")
    assert found[0] == "Kund 1"
    assert isinstance(found[1], AbsenceUnproven)


async def test_a_row_without_a_readable_number_takes_no_other_with_it_and_proves_no_absence() -> None:
    site = Site({FIRST: answer(page('{"CustomerNo": "x"}', "17", customer_row(1)))})
    found = await site.customers("1", "2")
    assert found[0] == "Kund 1"
    assert isinstance(found[1], AbsenceUnproven)
    assert (await site.page()).left_out == NOT_WHOLE


async def test_an_unreadable_row_with_a_number_is_the_failure_of_this_customer_alone() -> None:
    site = Site({FIRST: answer(page(UNREADABLE_7, customer_row(8)))})
    found = await site.customers("7", "8", "9", GUID)
    assert isinstance(found[0], MalformedAnswer)
    assert found[1:3] == ["Kund 8", None]
    assert isinstance(found[3], AbsenceUnproven)  # it may be the customer whose row cannot be read


@pytest.mark.parametrize("body", ["", "[]", '{"CustomerReponse": []}', page(total=10**9), page()[:-5]])
async def test_a_page_of_customers_that_is_none_is_a_bad_answer(body: str) -> None:
    site = Site({FIRST: answer(body)})
    assert [type(found) for found in await site.customers("1")] == [MalformedAnswer]
    assert site.lines == [FIRST]


@pytest.mark.parametrize("nothing", [answer(status=204), answer(status=404), answer("null"), answer("[]"), answer(page(total=0))])
async def test_however_it_is_said_that_no_customer_has_changed_the_known_ones_still_answer(nothing: Response) -> None:
    site = Site({FIRST: answer(page(customer_row(1))), INCREMENT: nothing})
    assert await site.customers("1") == ["Kund 1"]
    site.advance(60)
    assert await site.customers("1", "2") == ["Kund 1", None]
    assert site.lines == [FIRST, INCREMENT]


async def test_a_first_sweep_that_is_not_found_is_a_failure() -> None:
    site = Site({FIRST: answer(status=404)})
    assert [type(found) for found in await site.customers("1")] == [UpstreamRejected]


@pytest.mark.parametrize("nothing", [answer(status=204), answer("null")])
async def test_a_site_without_customers_proves_no_absence(nothing: Response) -> None:
    site = Site({FIRST: nothing})
    assert [type(found) for found in await site.customers("1")] == [AbsenceUnproven]
    assert (await site.page()).left_out == NOT_WHOLE


@pytest.mark.parametrize("link", ["?pageNumber=1&pageSize=25", "?pageSize=25&PageNumber=1"])
async def test_pages_that_are_counted_from_zero_are_all_read(link: str) -> None:
    numbered = "GET /api/customers/2000-01-01?pageNumber={}&pageSize=25"
    first = page(customer_row(1), total=3).replace(
        '"NextPage": null', f'"NextPage": "https://ddapi.example/api/customers/2000-01-01{link}"'
    )
    site = Site(
        {
            FIRST: answer(first),
            numbered.format(1): answer(page(customer_row(2), total=3)),
            numbered.format(2): answer(page(customer_row(3), total=3)),
        }
    )
    assert await site.customers("1", "2", "3", "4") == ["Kund 1", "Kund 2", "Kund 3", None]
    assert len(site.lines) == 3


async def test_customers_are_listed_by_number_from_the_same_sweep() -> None:
    site = Site({FIRST: answer(page(customer_row(30), customer_row(4), customer_row(200)))})
    first = await site.page(size=2)
    assert (numbers(first), first.positions, first.next_position) == (["4", "30"], ("4", "30"), "30")
    assert (first.total, first.applied, first.left_out, first.unreadable) == (3, frozenset(), (), 0)
    last = await site.page(first.next_position, size=2)
    assert (numbers(last), last.next_position, last.total) == (["200"], None, 3)
    assert await site.customers("4") == ["Kund 4"]
    assert site.lines == [FIRST]


@pytest.mark.parametrize("position", ["", "x", "0", "007", "-1", "1/2", "99999999999"])
async def test_a_position_that_is_none_of_customers_is_refused(position: str) -> None:
    with pytest.raises(InvalidCursor):
        await Site({}).page(position)


async def test_an_unreadable_row_is_counted_where_it_stands() -> None:
    site = Site({FIRST: answer(page(customer_row(6), UNREADABLE_7, customer_row(8), customer_row(9)))})
    first = await site.page(size=1)
    assert (numbers(first), first.unreadable, first.next_position, first.total) == (["6"], 1, "7", None)
    second = await site.page(first.next_position, size=2)
    assert (numbers(second), second.unreadable, second.next_position) == (["8", "9"], 0, None)


def row(number: int, name: str = "", search_code: str = "", **dates: str) -> str:
    changed = "".join(f', "{field}": "{text}"' for field, text in dates.items())
    return f'{{"CustomerNo": {number}, "Name": "{name}", "SearchCode": "{search_code}"{changed}}}'


@pytest.mark.parametrize(
    ("search", "found"), [("ÅKERI", ["1"]), ("fjord", ["2", "3"]), ("3", ["3", "34"]), ("nobody", []), ("", ["1", "2", "3", "34"])]
)
async def test_search_looks_into_name_search_code_and_number(search: str, found: list[str]) -> None:
    rows = page(row(1, "Mälaråkeriet"), row(2, "Taxi AS", "FJORDTAXI"), row(3, "Fjord Taxi"), row(34, "X"))
    listed = await Site({FIRST: answer(rows)}).page(search=search)
    assert (numbers(listed), listed.applied, listed.total) == (found, frozenset({"search"}), len(found))


async def test_updated_since_is_when_the_row_changed_or_else_was_made() -> None:
    rows = page(
        row(1, Created="2020-01-01 00:00:00", Changed="2026-06-01 12:00:00"),
        row(2, Created="2026-06-01 11:59:59"),
        row(3, Created="2026-06-01 12:00:00", Changed="0001-01-01 00:00:00"),
        row(4, Created="12/21/2026 1:04:33 PM"),
    )
    listed = await Site({FIRST: answer(rows)}).page(updated_since=datetime(2026, 6, 1, 10, 0, tzinfo=UTC))
    assert (numbers(listed), listed.applied, listed.left_out) == (["1", "3", "4"], frozenset({"updated_since"}), ())


async def test_customers_that_do_not_say_when_they_changed_are_left_out_and_said_to_be() -> None:
    rows = page(row(1), row(2, Changed="soon"), row(3, Changed="2026-06-01 12:00:00"))
    listed = await Site({FIRST: answer(rows)}).page(updated_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert numbers(listed) == ["3"]
    assert listed.left_out == ("customers that do not say when they changed",)


async def test_other_criteria_are_left_to_the_gateway() -> None:
    listed = await Site({FIRST: answer(page(CUSTOMER, customer_row(5)))}).page(email="faktura@malarakeri.example", search="kund")
    assert (numbers(listed), listed.applied, listed.total) == (["5"], frozenset({"search"}), None)


@given(kept=st.sets(st.integers(1, 2**31 - 1), min_size=1, max_size=30), sizes=st.lists(st.integers(1, 7), min_size=1, max_size=8))
async def test_any_sizes_of_pages_give_every_customer_once_and_in_order(kept: set[int], sizes: list[int]) -> None:
    site = Site({FIRST: answer(page(*(customer_row(number) for number in kept)))})
    seen: list[str] = []
    position: str | None = None
    turn = 0
    while turn == 0 or position is not None:
        listed = await site.page(position, sizes[turn % len(sizes)])
        seen += numbers(listed)
        assert listed.positions == tuple(numbers(listed))
        position = listed.next_position
        turn += 1
    assert seen == [str(number) for number in sorted(kept)]


async def test_customers_that_are_added_at_the_end_come_once_on_later_pages() -> None:
    site = Site({FIRST: answer(page(customer_row(1), customer_row(2))), INCREMENT: answer(page(customer_row(2), customer_row(3)))})
    first = await site.page(size=1)
    site.advance(60)
    assert numbers(await site.page(first.next_position)) == ["2", "3"]


async def test_over_the_sandbox_customers_cost_one_sweep_whatever_is_asked(graph: Graph) -> None:
    query = '{ a: node(id: "%s") { id } b: node(id: "%s") { ... on Customer { name number } } }'
    ids = [Ref("subscriptions", Kind.CUSTOMER, number).global_id for number in ("40016", "40017")]
    await graph.ask(query % tuple(ids))
    swept = graph.calls()
    assert set(swept) == {"compilator.GetCustomersChangedSince"}, swept
    await graph.ask(query % tuple(ids))
    assert graph.calls() == swept
