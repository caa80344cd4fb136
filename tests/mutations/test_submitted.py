"""Invoices that were written through the gateway and that their source does not show: given as submitted, once, and nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.errors import AbsenceUnproven, GatewayError, InvalidCursor, JournalUnavailable, UpstreamTimeout
from gateway.journal import Bodies, Journal
from gateway.loaders import Lister
from gateway.model import (
    Attempt,
    Batching,
    Capability,
    CreateInvoiceFromOrder,
    Criteria,
    DataWarning,
    DataWarningCode,
    Intent,
    Invoice,
    InvoicePayments,
    Kind,
    Line,
    MutationOutcome,
    Operation,
    Order,
    Ref,
    Settlement,
    SupportLevel,
    UpstreamRefusal,
    Write,
)
from gateway.mutations.stored import dump
from gateway.mutations.submitted import ShowsSubmitted
from gateway.sources.base import (
    Answer,
    By,
    Calls,
    Claims,
    Demand,
    Fetch,
    Need,
    Prepared,
    Refused,
    Request,
    Response,
    Scope,
    Settled,
    Source,
    claims_of,
)
from tests.fakes import FakeClock
from tests.graph import Graph
from tests.loaders.memory_source import SCOPE, MemorySource

pytestmark = pytest.mark.anyio

PARTIAL = (Capability(Operation.READ_INVOICE, SupportLevel.PARTIAL, "GET invoices", Batching.WINDOW),)
WHOLE = (Capability(Operation.READ_INVOICE, SupportLevel.SUPPORTED, "GET invoice", Batching.EACH),)
ORDER = Ref("pos", Kind.ORDER, "o1")
OTHER_ORDER = Ref("pos", Kind.ORDER, "o2")
INVOICES = Criteria(kind=Kind.INVOICE)
REQUEST = Request(operation="Post", method="POST", path="/post")
WARNING = DataWarning(DataWarningCode.AS_SUBMITTED, "this is what was submitted")


def ref_of(key: str) -> Ref:
    return Ref("pos", Kind.INVOICE, key)


def an_invoice(key: str, *, number: str | None = None, order: Ref = ORDER) -> Invoice:
    orders = (Order(ref=order, native_type="Order"),)
    return Invoice(ref=ref_of(key), native_type="Invoice", number=number or key, orders=orders)


def submitted(key: str, *, number: str | None = None, order: Ref = ORDER) -> Invoice:
    return replace(an_invoice(key, number=number, order=order), warnings=(WARNING,))


def unproven() -> AbsenceUnproven:
    return AbsenceUnproven("the window does not show it", source="pos", operation="GetInvoices")


def timeout() -> UpstreamTimeout:
    return UpstreamTimeout("no answer in time", source="pos", operation="GetInvoices")


@dataclass
class Window(MemorySource):
    """Shows the invoices in `records` and in `listed`; of any other key it can only say that it does not show it."""

    capabilities: tuple[Capability, ...] = PARTIAL

    def claims(self, write: Write) -> Claims:
        return claims_of(write)

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        answers = await MemorySource.fetch_many(self, fetch, refs, scope, fields)
        listed = {record.ref: record for record in self.listed}
        return [
            listed.get(ref, unproven()) if answer is None and ref not in self.records and fetch is not Fetch.INVOICE_LINES else answer
            for ref, answer in zip(refs, answers, strict=True)
        ]

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Any, ...]:
        found = await MemorySource.find(self, kind, number, scope)
        if not found:
            raise unproven()
        return found


class Watched(Journal):
    """A journal that counts how often it is asked what was made, and can be told to fail."""

    asked = 0
    failure: JournalUnavailable | None = None

    async def made(
        self,
        source: str,
        *,
        native_ids: Collection[str] | None = None,
        number: str | None = None,
        mention: tuple[str, str] | None = None,
        after: int | None = None,
        size: int = 100,
    ) -> list[tuple[Attempt, Bodies]]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return await Journal.made(self, source, native_ids=native_ids, number=number, mention=mention, after=after, size=size)


@pytest.fixture
async def journal() -> AsyncIterator[Watched]:
    opened = Watched("sqlite://", now=FakeClock().now)
    await opened.open()
    yield opened
    await opened.aclose()


async def written(
    journal: Journal,
    invoice: Invoice,
    outcome: MutationOutcome | None = MutationOutcome.APPLIED,
    *,
    key: str | None = None,
    body: str | None = None,
) -> Attempt:
    """Write an invoice under a key, by default its own; `outcome` None: it is in flight. `body`: what is kept in place of it."""
    prepared = Prepared(operation=Operation.CREATE_INVOICE, request=REQUEST, result=invoice.ref, submitted=invoice)
    intent = Intent(
        caller="anybody", key=key or invoice.ref.native_id, mutation="createInvoice", source="pos", input_hash="h", request_id="r"
    )
    attempt, _ = await journal.receive(intent)
    orders = [(order.ref.kind.value, order.ref.native_id) for order in invoice.orders or ()]
    sending = await journal.send(
        attempt, body=body or dump(prepared), subject=None, number=invoice.number or None, result=invoice.ref, mentions=orders
    )
    assert sending is not None
    return sending if outcome is None else await journal.settle(sending, Settlement(outcome=outcome))


def over(journal: Journal, **parts: Any) -> ShowsSubmitted:  # noqa: ANN401  (of the memory source)
    return ShowsSubmitted(Window("pos", **parts), journal)


def kinds_of(answers: Sequence[Answer]) -> list[object]:
    return [type(answer) if isinstance(answer, GatewayError) else answer for answer in answers]


# ------------------------------------------------------------------ by key


async def test_an_invoice_that_the_source_cannot_show_is_given_as_submitted_and_every_other_answer_stands(journal: Watched) -> None:
    for key in ("hidden", "shown", "denied", "failed"):
        await written(journal, submitted(key))
    source = over(journal, records={ref_of("shown"): an_invoice("shown"), ref_of("denied"): None, ref_of("failed"): timeout()})
    refs = [ref_of(key) for key in ("hidden", "shown", "denied", "failed", "foreign")]

    answers = await source.fetch_many(Fetch.INVOICE, refs, SCOPE)

    assert kinds_of(answers) == [submitted("hidden"), an_invoice("shown"), None, UpstreamTimeout, AbsenceUnproven]
    assert journal.asked == 1


async def test_the_journal_is_not_asked_when_the_source_tells_everything(journal: Watched) -> None:
    source = over(journal, records={ref_of("shown"): an_invoice("shown"), ref_of("denied"): None})
    await source.fetch_many(Fetch.INVOICE, [ref_of("shown"), ref_of("denied")], SCOPE)
    await source.fetch_many(Fetch.PAYMENTS, [ref_of("shown")], SCOPE)
    await source.find(Kind.INVOICE, "shown", SCOPE)
    assert journal.asked == 0


async def test_what_was_submitted_last_is_given(journal: Watched) -> None:
    await written(journal, submitted("hidden", number="1"), key="first")
    await written(journal, submitted("hidden", number="2"), key="second")
    assert await over(journal).fetch_many(Fetch.INVOICE, [ref_of("hidden")], SCOPE) == [submitted("hidden", number="2")]


@pytest.mark.parametrize("outcome", [None, MutationOutcome.UNKNOWN, MutationOutcome.REJECTED, MutationOutcome.NOT_APPLIED])
async def test_what_is_not_known_to_be_written_is_not_shown(journal: Watched, outcome: MutationOutcome | None) -> None:
    await written(journal, submitted("hidden"), outcome)
    source = over(journal)
    assert kinds_of(await source.fetch_many(Fetch.INVOICE, [ref_of("hidden")], SCOPE)) == [AbsenceUnproven]
    assert (await source.fetch_page(INVOICES, None, 10, SCOPE)).records == ()


async def test_a_body_of_another_version_and_a_write_that_submits_no_invoice_are_passed_over(journal: Watched) -> None:
    bare = Prepared(operation=Operation.CREATE_INVOICE, request=REQUEST)
    await written(journal, submitted("older"), body="{}")
    await written(journal, submitted("bare"), body=dump(bare))
    await written(journal, submitted("hidden"))
    source = over(journal)
    answers = await source.fetch_many(Fetch.INVOICE, [ref_of("older"), ref_of("bare")], SCOPE)
    assert kinds_of(answers) == [AbsenceUnproven, AbsenceUnproven]
    assert (await source.fetch_page(INVOICES, None, 1, SCOPE)).records == (submitted("hidden"),)


async def test_nothing_is_known_of_what_is_paid_of_a_submitted_invoice_and_that_is_no_failure(journal: Watched) -> None:
    await written(journal, submitted("hidden"))
    answers = await over(journal).fetch_many(Fetch.PAYMENTS, [ref_of("hidden"), ref_of("foreign")], SCOPE)
    assert kinds_of(answers) == [InvoicePayments(), AbsenceUnproven]


async def test_lines_and_other_objects_are_as_the_source_has_them(journal: Watched) -> None:
    await written(journal, submitted("hidden"))
    lines = (Line(name="Hire"),)
    source = over(journal, lines={ref_of("hidden"): lines}, records={ORDER: unproven()})
    assert await source.fetch_many(Fetch.INVOICE_LINES, [ref_of("hidden"), ref_of("foreign")], SCOPE) == [lines, None]
    assert kinds_of(await source.fetch_many(Fetch.ORDER, [ORDER], SCOPE)) == [AbsenceUnproven]
    assert journal.asked == 0


# ------------------------------------------------------------------ by number


async def test_a_number_that_the_source_does_not_show_finds_every_invoice_submitted_with_it(journal: Watched) -> None:
    for key in ("a", "b"):
        await written(journal, submitted(key, number="30001"))
    await written(journal, submitted("c", number="30002"))
    assert await over(journal).find(Kind.INVOICE, " 30001 ", SCOPE) == (submitted("a", number="30001"), submitted("b", number="30001"))


async def test_what_the_source_finds_itself_is_all_that_is_found(journal: Watched) -> None:
    await written(journal, submitted("a", number="30001"))
    shown = an_invoice("b", number="30001")
    assert await over(journal, records={shown.ref: shown}).find(Kind.INVOICE, "30001", SCOPE) == (shown,)


async def test_an_invoice_that_now_has_another_number_is_not_found_by_the_one_it_was_submitted_with(journal: Watched) -> None:
    await written(journal, submitted("a", number="30001"))
    shown = an_invoice("a", number="30002")
    with pytest.raises(AbsenceUnproven):
        await over(journal, records={shown.ref: shown}).find(Kind.INVOICE, "30001", SCOPE)


@pytest.mark.parametrize(("kind", "number"), [(Kind.INVOICE, "30002"), (Kind.CUSTOMER, "30001")])
async def test_a_number_of_nothing_that_was_submitted_stays_unproven(journal: Watched, kind: Kind, number: str) -> None:
    await written(journal, submitted("a", number="30001"))
    with pytest.raises(AbsenceUnproven):
        await over(journal).find(kind, number, SCOPE)


# ------------------------------------------------------------------ lists


@dataclass
class Walk:
    """Goes through a list page by page, each time with a gateway that was just started."""

    journal: Journal
    window: Window
    criteria: Criteria = INVOICES
    position: str | None = None
    found: list[str] = field(default_factory=list)

    async def page(self, size: int) -> bool:
        """Take a page; says whether there is another."""
        page = await ShowsSubmitted(self.window, self.journal).fetch_page(self.criteria, self.position, size, SCOPE)
        assert len(page.records) == len(page.positions) <= size
        self.found += [record.ref.native_id for record in page.records]
        self.position = page.next_position
        return self.position is not None

    async def to_its_end(self, size: int) -> list[str]:
        while await self.page(size):
            pass
        return self.found


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 100])
async def test_submitted_invoices_come_behind_the_sources_own_each_once_whatever_the_size(journal: Watched, size: int) -> None:
    for key in ("h1", "s2", "h2", "failed", "h3"):
        await written(journal, submitted(key))
    window = Window("pos", listed=[an_invoice(key) for key in ("s1", "s2", "s3")], records={ref_of("failed"): timeout()})
    assert await Walk(journal, window).to_its_end(size) == ["s1", "s2", "s3", "h1", "h2", "h3"]


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_list_goes_on_behind_any_of_its_rows(journal: Watched, size: int) -> None:
    for key in ("h1", "h2", "h3"):
        await written(journal, submitted(key))
    window = Window("pos", listed=[an_invoice("s1"), an_invoice("s2")])
    whole = await ShowsSubmitted(window, journal).fetch_page(INVOICES, None, 100, SCOPE)
    keys = [record.ref.native_id for record in whole.records]
    for index, position in enumerate(whole.positions):
        assert await Walk(journal, window, position=position).to_its_end(size) == keys[index + 1 :]


async def test_the_last_page_is_known_to_be_the_last(journal: Watched) -> None:
    await written(journal, submitted("h1"))
    source = over(journal, listed=[an_invoice("s1")])
    assert (await source.fetch_page(INVOICES, None, 2, SCOPE)).next_position is None
    assert (await source.fetch_page(INVOICES, None, 1, SCOPE)).next_position is not None
    assert (await over(journal, listed=[an_invoice("h1")]).fetch_page(INVOICES, None, 1, SCOPE)).next_position is None


async def test_an_invoice_that_was_submitted_twice_comes_once_as_it_was_last(journal: Watched) -> None:
    await written(journal, submitted("h1", number="1"), key="first")
    await written(journal, submitted("h2"))
    await written(journal, submitted("h1", number="2"), key="second")
    page = await over(journal).fetch_page(INVOICES, None, 10, SCOPE)
    assert page.records == (submitted("h2"), submitted("h1", number="2"))


async def test_what_comes_while_a_list_is_read_comes_once_too(journal: Watched) -> None:
    for key in ("h1", "h2", "h3"):
        await written(journal, submitted(key))
    window = Window("pos", listed=[an_invoice("s1")])
    walk = Walk(journal, window)
    await walk.page(2)
    window.listed += [an_invoice("s2"), an_invoice("s3")]
    await written(journal, submitted("h4"))
    assert await walk.to_its_end(2) == ["s1", "h1", "s2", "s3", "h2", "h3", "h4"]


async def test_what_the_source_begins_to_show_while_a_list_is_read_comes_once(journal: Watched) -> None:
    for key in ("h1", "h2", "h3"):
        await written(journal, submitted(key))
    window = Window("pos", listed=[an_invoice("s1")])
    walk = Walk(journal, window)
    await walk.page(2)
    window.listed += [an_invoice("h1"), an_invoice("h2")]
    assert await walk.to_its_end(1) == ["s1", "h1", "h2", "h3"]


async def test_rows_that_cannot_be_read_are_counted_once(journal: Watched) -> None:
    for key in ("h1", "h2"):
        await written(journal, submitted(key))
    window = Window("pos", listed=[an_invoice("s1")], unreadable=3)
    source = ShowsSubmitted(window, journal)
    first = await source.fetch_page(INVOICES, None, 2, SCOPE)
    late = await source.fetch_page(INVOICES, first.next_position, 2, SCOPE)
    assert (first.unreadable, late.unreadable, late.records) == (3, 0, (submitted("h2"),))
    window.listed.append(an_invoice("s2"))
    late = await source.fetch_page(INVOICES, first.next_position, 2, SCOPE)
    assert (late.unreadable, late.records) == (0, (an_invoice("s2"), submitted("h2")))


async def test_no_total_is_given_that_leaves_out_submitted_invoices(journal: Watched) -> None:
    source = over(journal, listed=[an_invoice("s1"), an_invoice("s2")])
    assert [(await source.fetch_page(INVOICES, None, size, SCOPE)).total for size in (1, 100)] == [None, None]


async def test_more_than_the_journal_gives_at_once_are_read_to_the_end(journal: Watched) -> None:
    keys = [f"h{number:03}" for number in range(230)]
    for key in keys:
        await written(journal, submitted(key, order=ORDER if key == "h229" else OTHER_ORDER))
    assert await Walk(journal, Window("pos")).to_its_end(101) == keys
    assert await Walk(journal, Window("pos"), replace(INVOICES, order=ORDER)).to_its_end(1) == ["h229"]


async def test_of_an_order_only_its_own_are_given_and_the_source_has_honoured_that(journal: Watched) -> None:
    await written(journal, submitted("h1"))
    await written(journal, submitted("h2", order=OTHER_ORDER))
    await written(journal, submitted("h3"))
    source = over(journal, listed=[an_invoice("s1")], applied=frozenset({"order", "number"}))
    page = await source.fetch_page(replace(INVOICES, order=ORDER), None, 10, SCOPE)
    assert [record.ref.native_id for record in page.records] == ["s1", "h1", "h3"]
    assert page.applied == {"order"}


async def test_a_page_without_submitted_invoices_says_all_that_the_source_has_honoured(journal: Watched) -> None:
    await written(journal, submitted("h1"))
    source = over(journal, listed=[an_invoice("s1")], applied=frozenset({"number"}))
    assert (await source.fetch_page(INVOICES, None, 1, SCOPE)).applied == {"number"}
    assert (await source.fetch_page(INVOICES, None, 2, SCOPE)).applied == frozenset()


async def test_the_gateway_judges_submitted_invoices_by_itself(journal: Watched) -> None:
    await written(journal, submitted("h1", number="1"))
    await written(journal, submitted("h2", number="2"))
    criteria = replace(INVOICES, number="2", order=ORDER)
    source = over(journal, listed=[an_invoice("s1", number="2"), an_invoice("s2", number="1")])
    page = await Lister(criteria, [source], SCOPE, asked_for=None).page(10, None)
    assert [edge.node.ref.native_id for edge in page.edges] == ["s1", "h2"]


async def test_a_list_of_something_else_and_of_a_source_that_shows_all_it_has_reads_no_journal(journal: Watched) -> None:
    await written(journal, submitted("h1"))
    customers = await over(journal, listed=[an_invoice("s1")]).fetch_page(Criteria(kind=Kind.CUSTOMER), None, 10, SCOPE)
    whole = await over(journal, listed=[an_invoice("s1")], capabilities=WHOLE).fetch_page(INVOICES, None, 10, SCOPE)
    assert (customers.records, whole.records, whole.total) == ((an_invoice("s1"),), (an_invoice("s1"),), 1)
    assert journal.asked == 0


@pytest.mark.parametrize(
    "position",
    ["submitted:", "submitted:[]", "submitted:[-1,null]", f"submitted:[{2**63},null]", 'submitted:["1",null]', "submitted:" + "[" * 9999],
)
async def test_a_position_that_was_never_given_is_refused(journal: Watched, position: str) -> None:
    with pytest.raises(InvalidCursor):
        await over(journal).fetch_page(INVOICES, position, 10, SCOPE)


# ------------------------------------------------------------------ a journal that cannot be read


async def test_a_journal_that_cannot_be_read_takes_none_of_the_sources_answers_away(journal: Watched) -> None:
    await written(journal, submitted("h1"))
    journal.failure = JournalUnavailable("the journal cannot be read: database is locked")
    source = over(journal, listed=[an_invoice("s1")], left_out=("a gap",))
    refs = [ref_of("s1"), ref_of("h1")]
    assert kinds_of(await source.fetch_many(Fetch.INVOICE, refs, SCOPE)) == [an_invoice("s1"), AbsenceUnproven]
    assert kinds_of(await source.fetch_many(Fetch.PAYMENTS, refs, SCOPE)) == [an_invoice("s1"), AbsenceUnproven]
    with pytest.raises(AbsenceUnproven):
        await source.find(Kind.INVOICE, "h1", SCOPE)
    page = await source.fetch_page(INVOICES, None, 10, SCOPE)
    assert (page.records, page.next_position) == ((an_invoice("s1"),), None)
    assert page.left_out == (
        "a gap",
        "invoices that were written through this gateway and that the source does not show: the journal cannot be read",
    )


# ------------------------------------------------------------------ everything else is the source's own


async def test_the_cost_of_lists_and_numbers_has_the_question_what_is_shown(journal: Watched) -> None:
    listed = Demand(need=Need.LIST, kind=Kind.INVOICE, count=11, by=By.ROW, criteria=frozenset({"number"}))
    numbered = Demand(need=Need.RECORD, kind=Kind.INVOICE, by=By.NUMBER)
    source = over(journal)
    assert source.worst_case(listed) == (Calls("list invoice by row", 11), Calls("record invoice by key", 11))
    assert source.worst_case(numbered) == (Calls("record invoice by number", 1), Calls("record invoice by key", 1))
    for demand in (replace(listed, kind=Kind.ORDER), replace(numbered, by=By.KEY), replace(listed, need=Need.PAYMENTS)):
        assert source.worst_case(demand) == Window("pos").worst_case(demand)
    assert over(journal, capabilities=WHOLE).worst_case(listed) == (Calls("list invoice by row", 11),)


@dataclass
class Writer(Window):
    """Writes, and keeps what it is asked."""

    async def prepare(self, write: Write, scope: Scope) -> Prepared:
        assert scope is SCOPE
        return Prepared(operation=Operation.CREATE_INVOICE, request=REQUEST, before=write)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        assert scope is SCOPE
        return Response(201, {}, prepared.request.path.encode())

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        assert scope is SCOPE
        return Settled(outcome=MutationOutcome.APPLIED, record=an_invoice(f"{prepared.request.path}/{response.status}"))

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        assert scope is SCOPE
        return Settled(outcome=MutationOutcome.UNKNOWN, record=an_invoice(prepared.request.path))

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        assert scope is SCOPE
        return Refused((), existing=an_invoice(prepared.request.path))

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        return (UpstreamRefusal(status=response.status),)

    async def probe(self, scope: Scope) -> str:
        assert scope is SCOPE
        return "it answers"


async def test_what_it_is_and_how_it_writes_is_the_sources_own(journal: Watched) -> None:
    writer = Writer("pos")
    source: Source = ShowsSubmitted(writer, journal)
    write = CreateInvoiceFromOrder(order=ORDER)

    prepared = await source.prepare(write, SCOPE)
    assert isinstance(prepared, Prepared)
    response = await source.send(prepared, SCOPE)

    assert prepared.before is write
    assert (response.status, response.body) == (201, b"/post")
    assert (await source.settle(prepared, response, SCOPE)).record == an_invoice("/post/201")
    assert (await source.look(prepared, SCOPE)).record == an_invoice("/post")
    assert await source.conflict(prepared, SCOPE) == Refused((), existing=an_invoice("/post"))
    assert source.refusals(response) == (UpstreamRefusal(status=201),)
    assert await source.probe(SCOPE) == "it answers"
    assert source.claims(write) == claims_of(write)
    assert source.canonical(Kind.INVOICE, "A") == "a"
    assert (source.profile, source.capabilities, source.personal_fields) == (writer.profile, PARTIAL, frozenset({"SSN"}))
    assert (source.health, source.health_since, source.orders_per_invoice) == (writer.health, None, 1)


# ------------------------------------------------------------------ through the graph

CREATE = """mutation {
  createInvoice(source: "pos", idempotencyKey: "INV-1", input: {
    customer: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}
    orders: [{native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}}]
    number: "30001", total: {amount: "1250.50"}
    nimpos: {outletId: "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", terminalId: "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20"}
  }) { outcome invoice { ...Whole } }
}"""
WHOLE_INVOICE = """fragment Whole on Invoice {
  id number totals { total { amount } } warnings { code } lines { name } amountDue { amount } payments { reference }
  orders { id } customer { id } origin { fetchedAt }
}"""
READ = """query ($id: ID!) {
  node(id: $id) { ...Whole }
  invoice(by: {number: {source: "pos", number: "30001"}}) { ...Whole }
  order(by: {native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}}) { invoices { nodes { ...Whole } } }
  numbered: invoices(filter: {sources: ["pos"], number: "30001"}) { nodes { ...Whole } sourceResults { count } }
}"""


async def test_an_invoice_posted_to_nimpos_can_be_read_at_once_by_id_by_number_of_its_order_and_in_the_list(graph: Graph) -> None:
    made = (await graph.data(f"{CREATE} {WHOLE_INVOICE}"))["createInvoice"]
    assert made["outcome"] == "APPLIED"
    invoice = made["invoice"]
    assert (invoice["number"], invoice["warnings"][-1], invoice["payments"]) == ("30001", {"code": "AS_SUBMITTED"}, None)

    read = await graph.data(f"{READ} {WHOLE_INVOICE}", {"id": invoice["id"]})

    assert read["node"] == invoice
    assert read["invoice"] == invoice
    assert read["order"]["invoices"]["nodes"] == [invoice]
    assert read["numbered"] == {"nodes": [invoice], "sourceResults": [{"count": 1}]}


async def test_an_invoice_posted_to_nimpos_is_the_last_of_its_list_and_comes_once(graph: Graph) -> None:
    posted = (await graph.data(f"{CREATE} {WHOLE_INVOICE}"))["createInvoice"]["invoice"]["id"]
    walked: list[str] = []
    after = None
    while True:
        query = 'query ($after: String) { invoices(filter: {sources: ["pos"]}, first: 7, after: $after) {'
        page = (await graph.data(f"{query} nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}", {"after": after}))["invoices"]
        walked += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert walked[-1] == posted
    assert len(set(walked)) == len(walked)
