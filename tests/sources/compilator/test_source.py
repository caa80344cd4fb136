from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from gateway.errors import (
    GatewayError,
    InvalidCursor,
    InvalidInput,
    ListUnsupported,
    LookupUnsupported,
    MalformedAnswer,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    CreateInvoiceFromOrder,
    Criteria,
    CurrencyRow,
    Invoice,
    InvoiceSettings,
    Kind,
    MutationOutcome,
    Operation,
    Order,
    Ref,
    SetInvoiceSettings,
    SettingsWriteMode,
    SourceHealth,
    UpstreamRefusal,
    UserErrorCode,
)
from gateway.sources.base import Fetch, Prepared, Refused, Source
from gateway.sources.compilator import SPEC
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.compilator.source import CompilatorSource
from gateway.transport import Response
from gateway.transport.wire import WireFailed, WireRequest
from tests.fakes import BASE_URL, FakeClock, FakeWire, answer, make_parts, make_scope
from tests.sources.compilator.samples import (
    APPLIED,
    CURRENCY,
    CUSTOMER,
    GUID,
    INVOICE,
    ORDER,
    PILOT_SETTINGS,
    REFUSED,
    SETTINGS,
    page,
)

pytestmark = pytest.mark.anyio

SWEEP = "GET /api/customers/2000-01-01"
SETTINGS_READ = "GET /api/customers/invoice?customerNumber=40017"
SETTINGS_WRITE = "POST /api/customers/invoice"

Answers = Mapping[str, Response | list[Response]]


def line_of(request: WireRequest) -> str:
    return f"{request.method} {request.url.removeprefix(BASE_URL)}"


def make_source(
    answers: Answers | Callable[[WireRequest], Response],
    options: CompilatorOptions | None = None,
    **profile: Any,  # noqa: ANN401
) -> tuple[CompilatorSource, FakeWire]:
    """Answer by request line; a list answers one call after the other."""

    def handle(request: WireRequest) -> Response:
        if callable(answers):
            return answers(request)
        found = answers.get(line_of(request), answer(status=599))
        return found.pop(0) if isinstance(found, list) else found

    parts, wire = make_parts(options or CompilatorOptions(), handle, **{"system": "COMPILATOR", **profile})
    return CompilatorSource(parts), wire


def ref(kind: Kind, native_id: str) -> Ref:
    return Ref("src", kind, native_id)


async def fetch(source: CompilatorSource, what: Fetch, kind: Kind, *keys: str) -> list[object]:
    return list(await source.fetch_many(what, [ref(kind, key) for key in keys], make_scope()))


def test_the_spec_names_the_system_and_builds_a_source() -> None:
    assert (SPEC.name, SPEC.system, SPEC.options) == ("compilator", "COMPILATOR", CompilatorOptions)
    source: Source = SPEC.build(make_parts(CompilatorOptions(), lambda _: answer())[0])
    assert source.health is SourceHealth.NOT_CHECKED
    assert source.profile.key == "src"


def test_options_have_defaults_and_refuse_unknown_keys() -> None:
    assert CompilatorOptions() == CompilatorOptions(json_dates="iso", sweep_start=date(2000, 1, 1), page_size=25, include_internal=False)
    assert (CompilatorOptions().sweep_ttl_seconds, CompilatorOptions().branch_ids) == (60, ())
    with pytest.raises(ValidationError):
        CompilatorOptions.model_validate({"sweepstart": "2000-01-01"})


def test_every_operation_has_one_capability() -> None:
    source, _ = make_source({})
    assert sorted(capability.operation for capability in source.capabilities) == sorted(Operation)


def test_lists_of_orders_say_whether_they_need_a_customer() -> None:
    def listed(options: CompilatorOptions) -> Capability:
        (found,) = (each for each in make_source({}, options)[0].capabilities if each.operation is Operation.LIST_ORDERS)
        return found

    by_customer, by_branch = listed(CompilatorOptions()), listed(CompilatorOptions(branch_ids=(12,)))
    assert by_customer.upstream_operation == "GET api/orders/{customerNumber}/{fromDate}/{toDate}"
    assert by_branch.upstream_operation == "GET api/orders/search/{branchId}/{fromDate}/{toDate}"
    assert by_customer.batching is by_branch.batching is Batching.PARENT
    assert "branch_ids" in (by_customer.note or "")


@pytest.mark.parametrize(
    ("kind", "native_id", "canonical"),
    [
        (Kind.CUSTOMER, "0040017", "40017"),
        (Kind.ORDER, "05512/12", "5512/12"),
        (Kind.INVOICE, "910234", "910234"),
        (Kind.INVOICE_SETTINGS, "40017", "40017"),
        (Kind.CURRENCY, "1", "1"),
    ],
)
def test_a_key_has_one_canonical_spelling(kind: Kind, native_id: str, canonical: str) -> None:
    assert make_source({})[0].canonical(kind, native_id) == canonical


@pytest.mark.parametrize(
    ("kind", "native_id"),
    [
        (Kind.CUSTOMER, GUID),
        (Kind.CUSTOMER, "-1"),
        (Kind.CUSTOMER, "0"),
        (Kind.ORDER, "5512"),
        (Kind.ORDER, "5512/12/1"),
        (Kind.ORDER, "5512/"),
        (Kind.INVOICE, "2147483648"),
        (Kind.SOURCE, ""),
    ],
)
def test_an_impossible_key_is_refused(kind: Kind, native_id: str) -> None:
    with pytest.raises(InvalidInput):
        make_source({})[0].canonical(kind, native_id)


async def test_orders_are_read_one_call_a_key() -> None:
    source, wire = make_source({"GET /api/orders/5512/12": answer(ORDER), "GET /api/orders/5512/13": answer(status=404)})
    found = await fetch(source, Fetch.ORDER, Kind.ORDER, "5512/12", "5512/13")
    assert isinstance(found[0], Order)
    assert (found[0].number, found[1]) == ("5512", None)
    assert len(wire.requests) == 2


ABSENT = [answer(status=404), answer(status=204), answer("null"), answer(" [] "), answer("[\n]\n")]


@pytest.mark.parametrize("absent", ABSENT)
async def test_an_order_or_settings_may_be_absent_in_four_ways(absent: Response) -> None:
    source, _ = make_source(lambda _: absent)
    assert await fetch(source, Fetch.ORDER, Kind.ORDER, "5512/12") == [None]
    assert await fetch(source, Fetch.INVOICE_SETTINGS, Kind.INVOICE_SETTINGS, "40017") == [None]


async def test_an_empty_answer_is_not_taken_for_absent_settings() -> None:
    source, _ = make_source({SETTINGS_READ: answer("")})
    (found,) = await fetch(source, Fetch.INVOICE_SETTINGS, Kind.INVOICE_SETTINGS, "40017")
    assert isinstance(found, MalformedAnswer)
    assert found.operation == "GET api/customers/invoice?customerNumber={customerNumber}"


async def test_invoices_are_read_one_call_a_key_and_204_is_none() -> None:
    source, _ = make_source({"GET /api/invoice/910234/false": answer(INVOICE), "GET /api/invoice/1/false": answer(status=204)})
    found = await fetch(source, Fetch.INVOICE, Kind.INVOICE, "1", "910234")
    assert found[0] is None
    assert isinstance(found[1], Invoice)
    assert found[1].number == "910234"


@pytest.mark.parametrize("body", ["", "null", "[]", "{", '{"No": "x"}', '{"No": 910234, "TotalAmount": NaN}'])
async def test_an_invoice_that_cannot_be_read_is_a_bad_answer(body: str) -> None:
    source, _ = make_source({"GET /api/invoice/910234/false": answer(body)})
    (found,) = await fetch(source, Fetch.INVOICE, Kind.INVOICE, "910234")
    assert isinstance(found, MalformedAnswer)


async def test_internal_invoices_are_found_where_the_configuration_says_so() -> None:
    source, wire = make_source(lambda _: answer(status=204), CompilatorOptions(include_internal=True))
    await fetch(source, Fetch.INVOICE, Kind.INVOICE, "1")
    assert [line_of(request) for request in wire.requests] == ["GET /api/invoice/1/true"]


async def test_one_failed_key_fails_alone() -> None:
    source, _ = make_source({"GET /api/invoice/910234/false": answer(INVOICE), "GET /api/invoice/2/false": answer(status=400)})
    found = await fetch(source, Fetch.INVOICE, Kind.INVOICE, "2", "910234")
    assert [type(item) for item in found] == [UpstreamRejected, Invoice]


async def test_a_currency_row_is_read_once_an_hour() -> None:
    parts, wire = make_parts(CompilatorOptions(), lambda _: answer(CURRENCY))
    source = CompilatorSource(parts)
    assert isinstance(parts.clock, FakeClock)
    for seconds, calls in ((0, 1), (3599, 1), (1, 2)):
        parts.clock.advance(seconds)
        scope = make_scope(100_000)
        (row,) = await source.fetch_many(Fetch.CURRENCY, [ref(Kind.CURRENCY, "1")], scope)
        assert isinstance(row, CurrencyRow)
        assert (row.code, len(wire.requests)) == ("SEK", calls)


async def test_an_absent_currency_row_is_none_and_asked_again() -> None:
    source, wire = make_source({"GET /api/Currencies/3": answer(status=404)})
    assert await fetch(source, Fetch.CURRENCY, Kind.CURRENCY, "3") == [None]
    assert await fetch(source, Fetch.CURRENCY, Kind.CURRENCY, "3") == [None]
    assert len(wire.requests) == 2


async def test_only_so_many_currency_rows_are_kept() -> None:
    source, wire = make_source(lambda request: answer(CURRENCY.replace('"Id": 1', f'"Id": {request.url.rpartition("/")[2]}')))
    await fetch(source, Fetch.CURRENCY, Kind.CURRENCY, *(str(key) for key in range(1, 258)))
    await fetch(source, Fetch.CURRENCY, Kind.CURRENCY, "257")
    assert len(wire.requests) == 257
    await fetch(source, Fetch.CURRENCY, Kind.CURRENCY, "1")
    assert len(wire.requests) == 258


async def test_lines_of_a_listed_order_come_from_the_single_order() -> None:
    source, wire = make_source(
        {
            "GET /api/orders/5512/12": answer(ORDER),
            "GET /api/orders/5513/12": answer(ORDER.replace("5512", "5513").replace('"OrderLines": [', '"Other": [')),
            "GET /api/orders/1/2": answer(status=404),
        }
    )
    found = await fetch(source, Fetch.ORDER_LINES, Kind.ORDER, "5512/12", "5513/12", "1/2")
    assert isinstance(found[0], tuple)
    assert [line.position for line in found[0]] == ["1", "2"]
    assert found[1:] == [None, None]
    assert len(wire.requests) == 3


async def test_what_the_source_does_not_have_is_none_without_a_call() -> None:
    source, wire = make_source({})
    for what in (Fetch.INVOICE_LINES, Fetch.PAYMENTS, Fetch.DOCUMENT):
        assert await fetch(source, what, Kind.INVOICE, "1", "2") == [None, None]
    assert await fetch(source, Fetch.LABEL, Kind.LABEL, "1") == [None]
    assert wire.requests == []


async def test_a_list_of_invoices_has_the_one_with_the_number() -> None:
    source, wire = make_source({"GET /api/invoice/910234/false": answer(INVOICE), "GET /api/invoice/1/false": answer(status=204)})
    wanted = Criteria(kind=Kind.INVOICE, number="910234")
    page = await source.fetch_page(wanted, None, 10, make_scope())
    assert [record.ref.native_id for record in page.records] == ["910234"]
    assert (page.applied, page.total, page.next_position) == (frozenset({"number"}), 1, None)
    behind = await source.fetch_page(wanted, page.positions[0], 10, make_scope())
    assert (behind.records, behind.next_position) == ((), None)
    assert len(wire.requests) == 1
    none = await source.fetch_page(Criteria(kind=Kind.INVOICE, number="1"), None, 10, make_scope())
    assert (none.records, none.total) == ((), 0)


async def test_a_position_that_is_none_of_invoices_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        await make_source({})[0].fetch_page(Criteria(kind=Kind.INVOICE, number="1"), "2", 10, make_scope())


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        (Criteria(kind=Kind.INVOICE), "invoices are published by number only"),
        (Criteria(kind=Kind.INVOICE, is_credit=True), "invoices are published by number only"),
        (
            Criteria(kind=Kind.INVOICE, customer=ref(Kind.CUSTOMER, "40017")),
            "no published call goes from an order or customer to its invoices",
        ),
        (
            Criteria(kind=Kind.INVOICE, number="1", order=ref(Kind.ORDER, "1/2")),
            "no published call goes from an order or customer to its invoices",
        ),
        (Criteria(kind=Kind.INVOICE_SETTINGS), "there is no list of invoice settings"),
    ],
)
async def test_lists_that_are_not_published_are_refused_without_a_call(criteria: Criteria, message: str) -> None:
    source, wire = make_source({})
    with pytest.raises(ListUnsupported) as refused:
        await source.fetch_page(criteria, None, 10, make_scope())
    assert (refused.value.message, refused.value.source) == (message, "src")
    assert wire.requests == []


async def test_a_customer_or_an_invoice_is_found_by_its_number() -> None:
    source, _ = make_source(
        {
            f"{SWEEP}?pageSize=25": answer(page(CUSTOMER)),
            "GET /api/invoice/910234/false": answer(INVOICE),
            "GET /api/invoice/1/false": answer(status=204),
        }
    )
    assert [found.ref.native_id for found in await source.find(Kind.CUSTOMER, "40017", make_scope())] == ["40017"]
    assert [found.ref.native_id for found in await source.find(Kind.INVOICE, "910234", make_scope())] == ["910234"]
    assert await source.find(Kind.INVOICE, "1", make_scope()) == ()


async def test_a_text_that_can_be_no_number_is_found_without_a_call() -> None:
    source, wire = make_source({})
    assert await source.find(Kind.CUSTOMER, "ABC", make_scope()) == ()
    assert wire.requests == []


async def test_an_order_is_not_found_by_number_because_its_key_needs_a_branch() -> None:
    with pytest.raises(LookupUnsupported):
        await make_source({})[0].find(Kind.ORDER, "5512", make_scope())


async def test_a_failed_lookup_is_raised() -> None:
    with pytest.raises(UpstreamUnavailable):
        await make_source(lambda _: answer(status=500))[0].find(Kind.INVOICE, "1", make_scope())


def write(mode: SettingsWriteMode = SettingsWriteMode.MERGE, expected: str | None = None, **values: object) -> SetInvoiceSettings:
    return SetInvoiceSettings(customer=ref(Kind.CUSTOMER, "40017"), values=values, mode=mode, expected_version=expected)


async def prepare(source: CompilatorSource, wanted: SetInvoiceSettings) -> Prepared:
    prepared = await source.prepare(wanted, make_scope())
    assert isinstance(prepared, Prepared)
    return prepared


def with_fee(text: str, *, fee: bool) -> str:
    return text.replace('"PaysInvoiceFee": true', f'"PaysInvoiceFee": {str(fee).lower()}')


async def test_a_write_is_prepared_from_what_is_there_and_nothing_is_sent() -> None:
    source, wire = make_source({SETTINGS_READ: answer(PILOT_SETTINGS)})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    assert prepared.operation is Operation.SET_INVOICE_SETTINGS
    assert prepared.request.json == {**msgspec.json.decode(PILOT_SETTINGS), "PaysInvoiceFee": False}
    assert (prepared.subject, prepared.result) == ("40017", ref(Kind.INVOICE_SETTINGS, "40017"))
    assert isinstance(prepared.submitted, InvoiceSettings)
    assert isinstance(prepared.previous, InvoiceSettings)
    assert (prepared.submitted.pays_invoice_fee, prepared.previous.pays_invoice_fee) == (False, True)
    assert prepared.submitted.fetched_at is None
    assert [line_of(request) for request in wire.requests] == [SETTINGS_READ]


async def test_a_replacement_knows_what_it_replaces() -> None:
    source, _ = make_source({SETTINGS_READ: answer(SETTINGS)})
    prepared = await prepare(source, write(SettingsWriteMode.REPLACE, currency_id=1))
    assert prepared.request.json == {"CustomerNumber": 40017, "CurrencyId": 1}
    assert isinstance(prepared.previous, InvoiceSettings)
    assert prepared.submitted is None


async def test_first_settings_replace_nothing() -> None:
    source, _ = make_source({SETTINGS_READ: answer(status=204)})
    prepared = await prepare(source, write(currency_id=1))
    assert (prepared.request.json, prepared.previous, prepared.before) == ({"CustomerNumber": 40017, "CurrencyId": 1}, None, None)


async def test_mistakes_of_the_input_and_of_the_state_are_told_together() -> None:
    source, _ = make_source({SETTINGS_READ: answer(SETTINGS)})
    refused = await source.prepare(write(expected="0" * 32, invoice_email="x" * 51), make_scope())
    assert isinstance(refused, Refused)
    assert [(error.code, error.field) for error in refused.errors] == [
        (UserErrorCode.TOO_LONG, ("settings", "invoiceEmail")),
        (UserErrorCode.STALE_VERSION, ("expectedVersion",)),
        (UserErrorCode.REQUIRED, ("settings", "reverseTax")),
    ]
    assert refused.unsupported is False
    assert isinstance(refused.existing, InvoiceSettings)
    assert refused.existing.version in refused.errors[1].message


@pytest.mark.parametrize("mode", SettingsWriteMode)
async def test_a_stale_version_is_refused_in_either_mode_with_the_settings_as_they_are(mode: SettingsWriteMode) -> None:
    source, wire = make_source({SETTINGS_READ: answer(PILOT_SETTINGS)})
    refused = await source.prepare(write(mode, expected="0" * 32, pays_invoice_fee=False), make_scope())
    assert isinstance(refused, Refused)
    assert isinstance(refused.existing, InvoiceSettings)
    assert [error.message for error in refused.errors] == [f"the settings have changed: their version is now {refused.existing.version}"]
    assert isinstance(await source.prepare(write(mode, refused.existing.version, pays_invoice_fee=False), make_scope()), Prepared)
    assert SETTINGS_WRITE not in [line_of(request) for request in wire.requests]


async def test_other_mistakes_show_no_settings() -> None:
    source, _ = make_source({SETTINGS_READ: answer(SETTINGS)})
    refused = await source.prepare(write(pays_invoice_fee=False), make_scope())
    assert isinstance(refused, Refused)
    assert (refused.existing, [error.code for error in refused.errors]) == (None, [UserErrorCode.REQUIRED])


async def test_an_upstream_that_is_down_raises_unless_the_input_is_refused_anyway() -> None:
    source, _ = make_source({SETTINGS_READ: answer(status=503)})
    with pytest.raises(UpstreamUnavailable):
        await source.prepare(write(currency_id=1), make_scope())
    refused = await source.prepare(write(currency_id=2**40), make_scope())
    assert isinstance(refused, Refused)


async def test_a_customer_without_a_number_has_no_settings() -> None:
    source, wire = make_source({})
    refused = await source.prepare(SetInvoiceSettings(customer=ref(Kind.CUSTOMER, GUID), values={}), make_scope())
    assert isinstance(refused, Refused)
    assert [(error.code, error.field) for error in refused.errors] == [(UserErrorCode.INVALID, ("customer",))]
    assert wire.requests == []


async def test_no_invoice_can_be_created() -> None:
    source, wire = make_source({})
    refused = await source.prepare(CreateInvoiceFromOrder(order=ref(Kind.ORDER, "1/2")), make_scope())
    assert isinstance(refused, Refused)
    assert refused.unsupported is True
    assert [error.code for error in refused.errors] == [UserErrorCode.UNSUPPORTED_OPERATION]
    assert wire.requests == []


NEW = with_fee(PILOT_SETTINGS, fee=False)


async def test_a_success_is_read_back() -> None:
    source, wire = make_source({SETTINGS_READ: [answer(PILOT_SETTINGS), answer(NEW)], SETTINGS_WRITE: answer(APPLIED)})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    response = await source.send(prepared, make_scope())
    settled = await source.settle(prepared, response, make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.READ_BACK)
    assert isinstance(settled.record, InvoiceSettings)
    assert settled.record.raw == NEW.encode()
    assert [line_of(request) for request in wire.requests] == [SETTINGS_READ, SETTINGS_WRITE, SETTINGS_READ]
    assert wire.requests[1].content == msgspec.json.encode(msgspec.json.decode(NEW))


@pytest.mark.parametrize("read_back", [answer(status=503), answer(PILOT_SETTINGS), answer(status=204), answer("{")])
async def test_a_success_that_cannot_be_read_back_stands_on_its_status(read_back: Response) -> None:
    source, _ = make_source({SETTINGS_READ: [answer(PILOT_SETTINGS), read_back]})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    settled = await source.settle(prepared, answer(APPLIED), make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.STATUS_ONLY)
    assert settled.record == prepared.submitted


async def test_a_success_of_which_nothing_can_be_seen_stands_on_its_status_with_the_settings_as_they_are() -> None:
    source, _ = make_source({SETTINGS_READ: answer(SETTINGS)})
    prepared = await prepare(source, write(reverse_tax=True))
    settled = await source.settle(prepared, answer(APPLIED), make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.STATUS_ONLY)
    assert isinstance(settled.record, InvoiceSettings)
    assert settled.record.raw == SETTINGS.encode()


async def test_success_false_is_a_refusal_whatever_the_status() -> None:
    source, wire = make_source({SETTINGS_READ: answer(PILOT_SETTINGS)})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    settled = await source.settle(prepared, answer(REFUSED), make_scope())
    assert settled.outcome is MutationOutcome.REJECTED
    assert [(error.code, error.upstream) for error in settled.errors] == [
        (UserErrorCode.UPSTREAM_REJECTED, UpstreamRefusal(status=200, code="1", message="Kundnummer 40017 saknas"))
    ]
    assert "saknas" not in settled.errors[0].message
    assert len(wire.requests) == 1


@pytest.mark.parametrize("body", ["", "null", "<html>", "{}", '{"Success": null}'])
@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (answer(NEW), MutationOutcome.APPLIED),
        (answer(PILOT_SETTINGS), MutationOutcome.REJECTED),
        (answer(NEW.replace('"CurrencyId": 1', '"CurrencyId": 9')), MutationOutcome.UNKNOWN),
        (answer(status=500), MutationOutcome.UNKNOWN),
    ],
)
async def test_an_answer_that_says_nothing_is_settled_by_a_look(body: str, now: Response, outcome: MutationOutcome) -> None:
    source, _ = make_source({SETTINGS_READ: [answer(PILOT_SETTINGS), now]})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    settled = await source.settle(prepared, answer(body), make_scope())
    assert settled.outcome is outcome


BOTH = REFUSED.replace('"Success": false', '"Success": true')


async def test_a_success_beside_errors_is_settled_by_a_look() -> None:
    source, _ = make_source({SETTINGS_READ: [answer(PILOT_SETTINGS), answer(NEW), answer(PILOT_SETTINGS)]})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    done = await source.settle(prepared, answer(BOTH), make_scope())
    assert (done.outcome, done.errors) == (MutationOutcome.APPLIED, ())
    undone = await source.settle(prepared, answer(BOTH), make_scope())
    assert undone.outcome is MutationOutcome.REJECTED
    assert undone.errors[-1].upstream == UpstreamRefusal(status=200, code="1", message="Kundnummer 40017 saknas")


async def test_errors_without_a_success_are_told_where_a_look_does_not_find_it_done() -> None:
    source, _ = make_source({SETTINGS_READ: answer(PILOT_SETTINGS)})
    prepared = await prepare(source, write(pays_invoice_fee=False))
    settled = await source.settle(prepared, answer(REFUSED.replace('"Success": false', '"Success": null')), make_scope())
    assert settled.outcome is MutationOutcome.REJECTED
    assert settled.errors[-1].upstream == UpstreamRefusal(status=200, code="1", message="Kundnummer 40017 saknas")


async def test_a_look_that_proves_nothing_says_where_to_look_by_hand() -> None:
    def handle(_: WireRequest) -> Response:
        if len(wire.requests) > 1:
            raise WireFailed("the connection was lost")
        return answer(PILOT_SETTINGS)

    source, wire = make_source(handle)
    prepared = await prepare(source, write(pays_invoice_fee=False))
    settled = await source.look(prepared, make_scope())
    assert settled.outcome is MutationOutcome.UNKNOWN
    (error,) = settled.errors
    assert error.code is UserErrorCode.OUTCOME_UNKNOWN
    assert error.message == (
        "the settings could not be read; compare `GET api/customers/invoice?customerNumber=40017` with what was sent, or look at the "
        "invoicing settings of customer 40017 in the source"
    )


async def test_the_probe_reads_one_customer_of_today() -> None:
    source, wire = make_source({"GET /api/customers/2026-11-22?pageSize=1": answer(page(total=0))})
    assert await source.probe(make_scope()) == "customers can be read; changed since 2026-11-22: 0"
    assert len(wire.requests) == 1


async def test_a_probe_that_fails_raises() -> None:
    with pytest.raises(GatewayError):
        await make_source(lambda _: answer(status=401))[0].probe(make_scope())


def test_numbers_that_identify_persons_are_named() -> None:
    assert make_source({})[0].personal_fields == {"OrgNo", "VatRegistrationNumber"}
