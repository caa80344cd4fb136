"""ShopCtrl as a source: calls counted, absence, failures as values, lookups, the write and the looks after it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from pydantic import ValidationError

from gateway.errors import (
    InvalidInput,
    LookupUnsupported,
    MalformedAnswer,
    UpstreamAuthFailed,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.model import (
    Confirmation,
    CreateInvoice,
    CreateInvoiceFromOrder,
    Currency,
    CurrencyOrigin,
    Customer,
    Invoice,
    Kind,
    Money,
    MutationOutcome,
    Operation,
    Order,
    Ref,
    SetInvoiceSettings,
    SourceHealth,
    UserErrorCode,
)
from gateway.sources.base import Fetch, Prepared, Refused, Settled, Source
from gateway.sources.shopctrl import SPEC
from gateway.sources.shopctrl.settings import ShopctrlOptions
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest, WireTimeout
from tests.fakes import BASE_URL, FakeWire, answer, make_parts, make_scope
from tests.sources.shopctrl.samples import (
    AMSTERDAM,
    AT,
    CUSTOMER,
    INVOICE,
    INVOICE_BASE_2021,
    INVOICE_BASE_2026,
    INVOICE_ROWS,
    OPTIONS,
    ORDER,
    ORDER_ROWS,
    SHOP_STATUS,
)

pytestmark = pytest.mark.anyio

CUSTOMER_REF = Ref("shop", Kind.CUSTOMER, "20411")
ORDER_REF = Ref("shop", Kind.ORDER, "55012")
HINTED_REF = Ref("shop", Kind.ORDER, "55012", hint="3/UTR-2026-00431")
INVOICE_REF = Ref("shop", Kind.INVOICE, "88121")

BY_ID = "GET /v1/Orders/55012"
BY_CODE = "GET /v1/Shops/3/Orders/UTR-2026-00431"
OF_ORDER = "GET /v1/Orders/55012/Invoices"
ROWS_OF_ORDER = "GET /v1/Orders/55012/Rows"
CREATE = "POST /v1/Orders/55012/Invoices"

Answers = dict[str, Response | Exception | list[Response]]


def target_of(request: WireRequest) -> str:
    url = urlsplit(request.url.removeprefix(BASE_URL))
    return f"{request.method} {url.path}" + (f"?{url.query}" if url.query else "")


def make(answers: Answers, **profile: Any) -> tuple[ShopctrlSource, FakeWire]:  # noqa: ANN401  (fields of the profile)
    """Make a source whose upstream has these answers (a list: one after the other) and 404 for all else."""

    def handler(request: WireRequest) -> Response:
        found = answers.get(target_of(request), answer('{"Message": "No HTTP resource was found"}', 404))
        if isinstance(found, list):
            found = found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    fields = {"key": "shop", "system": "SHOPCTRL", "time_zone": AMSTERDAM, **profile}
    parts, wire = make_parts(OPTIONS, handler, **fields)
    return ShopctrlSource(parts), wire


def calls(wire: FakeWire) -> list[str]:
    return [target_of(request) for request in wire.requests]


NOTHINGS = pytest.mark.parametrize("nothing", [answer('{"Message": "x"}', 404), answer("null"), answer(""), answer("", 204)])


# ------------------------------------------------------------------ what it is


def test_the_spec_builds_a_source() -> None:
    parts, _ = make_parts(OPTIONS, lambda _: answer(), key="shop", system="SHOPCTRL")
    source: Source = SPEC.build(parts)
    assert (SPEC.name, SPEC.system, SPEC.options) == ("shopctrl", "SHOPCTRL", ShopctrlOptions)
    assert source.profile.key == "shop"
    assert source.health is SourceHealth.NOT_CHECKED
    assert source.personal_fields == {"PersonalNumber"}


@pytest.mark.parametrize(
    "options",
    [
        {"shop_ids": [], "shop_owner_id": 1},
        {"shop_ids": [3, 3], "shop_owner_id": 1},
        {"shop_ids": [0], "shop_owner_id": 1},
        {"shop_ids": ["3"], "shop_owner_id": 1},
        {"shop_ids": [3]},
        {"shop_ids": [3], "shop_owner_id": 1, "shop_id": 3},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ShopctrlOptions.model_validate(options)


def test_every_operation_is_declared_once() -> None:
    source, _ = make({})
    assert sorted(capability.operation for capability in source.capabilities) == sorted(Operation)


@pytest.mark.parametrize(
    ("native_id", "expected"), [("55012", "55012"), (" 0055012 ", "55012"), ("9223372036854775807", "9223372036854775807")]
)
def test_a_key_has_one_spelling(native_id: str, expected: str) -> None:
    source, _ = make({})
    assert [source.canonical(kind, native_id) for kind in (Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE)] == [expected] * 3


@pytest.mark.parametrize("native_id", ["", "0", "-1", "abc", "1/2", "1.0", "٣", "9223372036854775808", "9" * 5000])
def test_an_impossible_key_is_the_callers_mistake(native_id: str) -> None:
    source, _ = make({})
    with pytest.raises(InvalidInput):
        source.canonical(Kind.INVOICE, native_id)


@pytest.mark.parametrize("kind", [Kind.INVOICE_SETTINGS, Kind.CURRENCY, Kind.LABEL, Kind.SOURCE])
def test_a_kind_that_it_does_not_have_has_no_keys(kind: Kind) -> None:
    source, _ = make({})
    with pytest.raises(InvalidInput):
        source.canonical(kind, "1")


# ------------------------------------------------------------------ fetch


async def test_each_key_is_one_call_and_is_answered_in_the_order_asked() -> None:
    other = Ref("shop", Kind.INVOICE, "88122")
    source, wire = make(
        {
            "GET /v1/Invoices/88121?includeDeleted=true": answer(INVOICE),
            "GET /v1/Invoices/88122?includeDeleted=true": answer(INVOICE.replace('"Id": 88121', '"Id": 88122')),
        }
    )
    found = await source.fetch_many(Fetch.INVOICE, [other, INVOICE_REF], make_scope())
    assert [record.ref for record in found if isinstance(record, Invoice)] == [other, INVOICE_REF]
    assert sorted(calls(wire)) == ["GET /v1/Invoices/88121?includeDeleted=true", "GET /v1/Invoices/88122?includeDeleted=true"]
    assert source.health is SourceHealth.UP


async def test_a_record_says_when_it_was_read_and_keeps_its_json() -> None:
    source, _ = make({"GET /v1/Customers/20411": answer(CUSTOMER)})
    (customer,) = await source.fetch_many(Fetch.CUSTOMER, [CUSTOMER_REF], make_scope())
    assert isinstance(customer, Customer)
    assert customer.fetched_at == AT
    assert customer.raw == CUSTOMER.encode()


@NOTHINGS
@pytest.mark.parametrize(
    ("fetch", "ref"),
    [
        (Fetch.CUSTOMER, CUSTOMER_REF),
        (Fetch.ORDER, ORDER_REF),
        (Fetch.ORDER, HINTED_REF),
        (Fetch.INVOICE, INVOICE_REF),
        (Fetch.ORDER_LINES, ORDER_REF),
        (Fetch.INVOICE_LINES, INVOICE_REF),
    ],
)
async def test_what_is_absent_in_any_of_the_ways_to_say_so_is_none(fetch: Fetch, ref: Ref, nothing: Response) -> None:
    parts, _ = make_parts(OPTIONS, lambda _: nothing, key="shop", system="SHOPCTRL")
    assert list(await ShopctrlSource(parts).fetch_many(fetch, [ref], make_scope())) == [None]


@pytest.mark.parametrize("fetch", [Fetch.INVOICE_SETTINGS, Fetch.CURRENCY])
async def test_what_the_system_does_not_have_is_none_without_a_call(fetch: Fetch) -> None:
    source, wire = make({})
    assert list(await source.fetch_many(fetch, [CUSTOMER_REF, CUSTOMER_REF], make_scope())) == [None, None]
    assert calls(wire) == []


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (answer("", 500), UpstreamUnavailable),
        (answer("", 401), UpstreamAuthFailed),
        (answer("", 403), UpstreamAuthFailed),
        (answer("", 400), UpstreamRejected),
        (answer("", 302), MalformedAnswer),
        (answer("<Customer/>"), MalformedAnswer),
        (answer("[]"), MalformedAnswer),
        (answer("{}"), MalformedAnswer),
        (answer('{"Id": 1}'), MalformedAnswer),
        (answer('{"Id": 20411, "CustomerCode": 7}'), MalformedAnswer),
    ],
)
async def test_one_failure_is_a_value_and_leaves_the_others_alone(failure: Response, expected: type[Exception]) -> None:
    other = Ref("shop", Kind.CUSTOMER, "7")
    source, _ = make({"GET /v1/Customers/20411": failure, "GET /v1/Customers/7": answer('{"Id": 7}')})
    failed, fine = await source.fetch_many(Fetch.CUSTOMER, [CUSTOMER_REF, other], make_scope())
    assert isinstance(failed, expected)
    assert isinstance(fine, Customer)


async def test_a_malformed_answer_names_source_and_operation_and_repeats_nothing_of_it() -> None:
    source, _ = make({"GET /v1/Customers/20411": answer('{"Id": 20411, "CustomerCode": {"secret": 1}}')})
    (error,) = await source.fetch_many(Fetch.CUSTOMER, [CUSTOMER_REF], make_scope())
    assert isinstance(error, MalformedAnswer)
    assert error.extensions == {
        "code": "UPSTREAM_BAD_RESPONSE",
        "source": "shop",
        "operation": "GET v1/Customers/{id}",
        "retryable": False,
    }
    assert "secret" not in error.message


async def test_an_order_of_which_shop_and_code_are_known_is_read_by_the_published_call_alone() -> None:
    source, wire = make({BY_CODE: answer(ORDER)})
    (order,) = await source.fetch_many(Fetch.ORDER, [HINTED_REF], make_scope())
    assert isinstance(order, Order)
    assert order.ref == ORDER_REF
    assert calls(wire) == [BY_CODE]


@pytest.mark.parametrize(
    "by_code", [answer(ORDER.replace("55012", "55013")), answer("null"), answer("", 204), answer("", 404), answer("", 400), answer("{}")]
)
async def test_where_the_code_leads_to_no_or_another_order_the_order_is_read_by_id(by_code: Response) -> None:
    source, wire = make({BY_CODE: by_code, BY_ID: answer(ORDER)})
    (order,) = await source.fetch_many(Fetch.ORDER, [HINTED_REF], make_scope())
    assert isinstance(order, Order)
    assert (order.ref, order.number) == (ORDER_REF, "UTR-2026-00431")
    assert calls(wire) == [BY_CODE, BY_ID]


async def test_an_order_of_which_only_the_id_is_known_is_one_call() -> None:
    source, wire = make({BY_ID: answer(ORDER)})
    await source.fetch_many(Fetch.ORDER, [ORDER_REF], make_scope())
    assert calls(wire) == [BY_ID]


@pytest.mark.parametrize(
    ("fetch", "ref", "target", "body", "positions"),
    [
        (Fetch.ORDER_LINES, ORDER_REF, "GET /v1/Orders/55012/Rows", ORDER_ROWS, ["771001"]),
        (Fetch.INVOICE_LINES, INVOICE_REF, "GET /v1/Invoices/88121/Rows", INVOICE_ROWS, ["1", "2"]),
    ],
)
async def test_lines_are_one_call_and_ask_what_they_belong_to_for_the_currency(
    fetch: Fetch, ref: Ref, target: str, body: str, positions: list[str]
) -> None:
    source, wire = make({target: answer(body)}, default_currency="EUR")
    (lines,) = await source.fetch_many(fetch, [ref], make_scope())
    assert isinstance(lines, tuple)
    assert [line.position for line in lines] == positions
    assert isinstance(lines[0].net_amount, Money)
    assert lines[0].net_amount.currency == Currency("EUR", CurrencyOrigin.SOURCE_DEFAULT, ask=ref)
    assert calls(wire) == [target]


async def test_an_empty_list_of_rows_is_no_lines_and_one_bad_row_makes_none_of_them_certain() -> None:
    empty, _ = make({"GET /v1/Invoices/88121/Rows": answer("[]")})
    assert list(await empty.fetch_many(Fetch.INVOICE_LINES, [INVOICE_REF], make_scope())) == [()]
    broken, _ = make({"GET /v1/Invoices/88121/Rows": answer('[{"Id": 1}, {"Id": 2, "RowTotalExVat": "NaN"}]')})
    (error,) = await broken.fetch_many(Fetch.INVOICE_LINES, [INVOICE_REF], make_scope())
    assert isinstance(error, MalformedAnswer)


# ------------------------------------------------------------------ find

CUSTOMERS_BY_CODE = "GET /v1/ShopOwners/1/Customers/CustomerCode/K-20411"


async def test_all_customers_that_share_a_code_are_found_in_one_call() -> None:
    second = CUSTOMER.replace('"Id": 20411', '"Id": 20412')
    source, wire = make({CUSTOMERS_BY_CODE: answer(f"[{CUSTOMER}, {second}]")})
    found = await source.find(Kind.CUSTOMER, "K-20411", make_scope())
    assert [record.ref.native_id for record in found] == ["20411", "20412"]
    assert [record.raw for record in found] == [CUSTOMER.encode(), second.encode()]
    assert calls(wire) == [CUSTOMERS_BY_CODE]


async def test_a_customer_that_cannot_be_read_is_found_by_its_key_so_that_the_other_does_not_seem_to_be_the_only_one() -> None:
    source, _ = make({CUSTOMERS_BY_CODE: answer(f'[{CUSTOMER}, {{"Id": 20412, "FullName": 7}}]')})
    found = await source.find(Kind.CUSTOMER, "K-20411", make_scope())
    assert [(record.ref.native_id, record.fetched_at) for record in found] == [("20411", AT), ("20412", None)]


async def test_an_order_is_looked_for_in_every_configured_shop() -> None:
    source, wire = make({BY_CODE: answer(ORDER)})
    (order,) = await source.find(Kind.ORDER, "UTR-2026-00431", make_scope())
    assert order.ref == ORDER_REF
    assert sorted(calls(wire)) == [BY_CODE, "GET /v1/Shops/4/Orders/UTR-2026-00431"]


async def test_two_shops_with_an_order_of_one_code_are_two_matches_and_one_order_seen_twice_is_one() -> None:
    other = ORDER.replace('"Id": 55012', '"Id": 55999')
    source, _ = make({BY_CODE: answer(ORDER), "GET /v1/Shops/4/Orders/UTR-2026-00431": answer(other)})
    found = await source.find(Kind.ORDER, "UTR-2026-00431", make_scope())
    assert [record.ref.native_id for record in found] == ["55012", "55999"]
    source, _ = make({BY_CODE: answer(ORDER), "GET /v1/Shops/4/Orders/UTR-2026-00431": answer(ORDER)})
    assert len(await source.find(Kind.ORDER, "UTR-2026-00431", make_scope())) == 1


async def test_a_shop_that_cannot_be_asked_fails_the_lookup_as_the_order_may_be_there() -> None:
    source, _ = make({BY_CODE: answer(ORDER), "GET /v1/Shops/4/Orders/UTR-2026-00431": answer("", 503)})
    with pytest.raises(UpstreamUnavailable):
        await source.find(Kind.ORDER, "UTR-2026-00431", make_scope())


@NOTHINGS
@pytest.mark.parametrize("kind", [Kind.CUSTOMER, Kind.ORDER])
async def test_a_number_that_nobody_has_finds_nothing(kind: Kind, nothing: Response) -> None:
    parts, _ = make_parts(OPTIONS, lambda _: nothing, key="shop", system="SHOPCTRL")
    assert await ShopctrlSource(parts).find(kind, "X", make_scope()) == ()


@pytest.mark.parametrize("kind", [Kind.CUSTOMER, Kind.ORDER])
async def test_a_blank_number_finds_nothing_and_asks_nobody(kind: Kind) -> None:
    source, wire = make({})
    assert await source.find(kind, " ", make_scope()) == ()
    assert calls(wire) == []


async def test_an_invoice_cannot_be_looked_up_by_number() -> None:
    source, wire = make({})
    with pytest.raises(LookupUnsupported) as caught:
        await source.find(Kind.INVOICE, "F2026-0117", make_scope())
    assert caught.value.source == "shop"
    assert calls(wire) == []


# ------------------------------------------------------------------ the write

OLD = '{"Id": 88000, "InvoiceCode": "F2026-0001", "OrderId": 55012}'


async def prepared_by(source: ShopctrlSource) -> Prepared:
    prepared = await source.prepare(CreateInvoiceFromOrder(order=ORDER_REF), make_scope())
    assert isinstance(prepared, Prepared)
    return prepared


async def test_preparing_reads_the_order_and_its_invoices_and_sends_nothing() -> None:
    source, wire = make({BY_ID: answer(ORDER), OF_ORDER: answer(f"[{OLD}]")})
    prepared = await prepared_by(source)
    assert calls(wire) == [BY_ID, OF_ORDER]
    assert prepared.operation is Operation.CREATE_INVOICE_FROM_ORDER
    assert (prepared.request.method, prepared.request.target, prepared.request.content) == ("POST", "/v1/Orders/55012/Invoices", None)
    assert (prepared.subject, prepared.result, prepared.submitted, prepared.previous) == ("UTR-2026-00431", None, None, None)
    assert json.loads(json.dumps(prepared.before)) == {
        "order": "55012",
        "number": "UTR-2026-00431",
        "hint": "3/UTR-2026-00431",
        "invoices": ["88000"],
    }


async def test_an_order_without_a_code_is_named_by_its_id() -> None:
    source, _ = make({BY_ID: answer('{"Id": 55012}'), OF_ORDER: answer("[]")})
    assert (await prepared_by(source)).subject == "55012"


async def test_an_order_that_is_not_there_is_refused_before_anything_is_sent() -> None:
    source, wire = make({})
    refused = await source.prepare(CreateInvoiceFromOrder(order=ORDER_REF), make_scope())
    assert isinstance(refused, Refused)
    assert [(error.code, error.field) for error in refused.errors] == [(UserErrorCode.NOT_FOUND, ("order",))]
    assert calls(wire) == [BY_ID, ROWS_OF_ORDER]


@NOTHINGS
async def test_an_order_that_is_not_shown_by_its_id_is_there_when_its_rows_are(nothing: Response) -> None:
    source, wire = make({BY_ID: nothing, ROWS_OF_ORDER: answer(ORDER_ROWS), OF_ORDER: answer("[]")})
    prepared = await prepared_by(source)
    assert calls(wire) == [BY_ID, ROWS_OF_ORDER, OF_ORDER]
    assert (prepared.subject, prepared.request.target) == ("55012", "/v1/Orders/55012/Invoices")
    assert prepared.before == {"order": "55012", "number": None, "hint": None, "invoices": ()}


async def test_an_order_that_is_shown_neither_by_code_nor_by_id_is_not_looked_for_in_its_rows() -> None:
    source, wire = make({ROWS_OF_ORDER: answer(ORDER_ROWS)})
    assert isinstance(await source.prepare(CreateInvoiceFromOrder(order=HINTED_REF), make_scope()), Refused)
    assert calls(wire) == [BY_CODE, BY_ID]


async def test_writes_that_the_system_does_not_have_are_unsupported_without_a_call() -> None:
    source, wire = make({})
    for write in (CreateInvoice(native_id=UUID(int=1), native_id_given=False), SetInvoiceSettings(customer=CUSTOMER_REF, values={})):
        refused = await source.prepare(write, make_scope())
        assert isinstance(refused, Refused)
        assert refused.unsupported
    assert calls(wire) == []


@pytest.mark.parametrize("listed", [answer("", 500), answer("{}"), answer("[{}]"), answer("[null]")])
async def test_invoices_that_cannot_be_read_beforehand_stop_the_write(listed: Response) -> None:
    source, wire = make({BY_ID: answer(ORDER), OF_ORDER: listed})
    with pytest.raises((UpstreamUnavailable, MalformedAnswer)):
        await source.prepare(CreateInvoiceFromOrder(order=ORDER_REF), make_scope())
    assert CREATE not in calls(wire)


async def test_the_command_is_sent_once_without_a_body_and_its_answer_is_given_whatever_it_is() -> None:
    source, wire = make({BY_ID: answer(ORDER), OF_ORDER: answer("[]"), CREATE: answer("", 500)})
    response = await source.send(await prepared_by(source), make_scope())
    assert response.status == 500
    assert [target_of(request) for request in wire.requests if request.method == "POST"] == [CREATE]
    assert wire.requests[-1].content is None


@pytest.mark.parametrize("echoed", [INVOICE_BASE_2021, INVOICE_BASE_2026])
async def test_an_invoice_in_the_answer_is_applied_with_it(echoed: str) -> None:
    source, wire = make({BY_ID: answer(ORDER), OF_ORDER: answer(f"[{OLD}]"), CREATE: answer(echoed)})
    prepared = await prepared_by(source)
    settled = await source.settle(prepared, await source.send(prepared, make_scope()), make_scope())
    assert (settled.outcome, settled.confirmation, settled.errors) == (MutationOutcome.APPLIED, Confirmation.ECHO, ())
    assert isinstance(settled.record, Invoice)
    assert (settled.record.ref, settled.record.number) == (INVOICE_REF, "F2026-0117")
    assert isinstance(settled.order, Order)
    assert (settled.order.ref, settled.order.ref.hint, settled.order.number) == (ORDER_REF, "3/UTR-2026-00431", "UTR-2026-00431")
    assert calls(wire) == [BY_ID, OF_ORDER, CREATE]


@pytest.mark.parametrize("nothing", [answer("null"), answer(""), answer("", 204)])
async def test_null_in_any_spelling_is_nothing_left_to_invoice(nothing: Response) -> None:
    source, wire = make({BY_ID: answer(ORDER), OF_ORDER: answer(f"[{OLD}]"), CREATE: nothing})
    prepared = await prepared_by(source)
    settled = await source.settle(prepared, await source.send(prepared, make_scope()), make_scope())
    assert (settled.outcome, settled.confirmation, settled.record) == (MutationOutcome.NOTHING_TO_DO, Confirmation.ECHO, None)
    assert settled.order is not None
    assert calls(wire) == [BY_ID, OF_ORDER, CREATE]


UNREADABLE = [
    answer("<InvoiceBase/>"),
    answer("{}"),
    answer('{"Id": 0}'),
    answer("", 202),
    answer(OLD),
    answer(INVOICE_BASE_2026.replace("55012", "55013")),
    answer('{"Id": 88121, "InvoiceTotalIncVat": "NaN"}'),
]


@pytest.mark.parametrize("echoed", UNREADABLE)
async def test_a_success_that_cannot_be_read_is_settled_by_looking(echoed: Response) -> None:
    source, _ = make({BY_ID: answer(ORDER), OF_ORDER: [answer(f"[{OLD}]"), answer(f"[{OLD}, {INVOICE_BASE_2026}]")], CREATE: echoed})
    prepared = await prepared_by(source)
    settled = await source.settle(prepared, await source.send(prepared, make_scope()), make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.READ_BACK)
    assert isinstance(settled.record, Invoice)
    assert (settled.record.ref, settled.record.raw) == (INVOICE_REF, INVOICE_BASE_2026.encode())


async def looked(before: str | Response, after: Response | Exception) -> Settled:
    answers: Answers = {BY_ID: answer(ORDER), OF_ORDER: before if isinstance(before, Response) else answer(before)}
    source, _ = make(answers)
    prepared = await prepared_by(source)
    answers[OF_ORDER] = after
    return await source.look(prepared, make_scope())


async def test_one_invoice_more_than_before_is_ours() -> None:
    settled = await looked(f"[{OLD}]", answer(f"[{INVOICE_BASE_2026}, {OLD}]"))
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.READ_BACK)
    assert settled.record is not None
    assert settled.record.ref == INVOICE_REF


async def test_one_invoice_more_of_which_only_the_key_can_be_read_is_given_by_its_key() -> None:
    settled = await looked("[]", answer('[{"Id": 88121, "InvoiceDate": "soon"}]'))
    assert settled.outcome is MutationOutcome.APPLIED
    assert settled.record == Invoice(ref=INVOICE_REF, native_type="InvoiceBase")


@pytest.mark.parametrize("before", ["[]", f"[{OLD}]"])
async def test_no_invoice_more_than_before_proves_that_there_was_no_write(before: str) -> None:
    settled = await looked(before, answer(before))
    assert (settled.outcome, settled.record) == (MutationOutcome.REJECTED, None)
    assert settled.order is not None
    assert settled.order.ref == ORDER_REF


async def test_several_new_invoices_are_unknown_and_named() -> None:
    settled = await looked("[]", answer(f"[{OLD}, {INVOICE_BASE_2026}]"))
    assert (settled.outcome, settled.record) == (MutationOutcome.UNKNOWN, None)
    (error,) = settled.errors
    assert error.code is UserErrorCode.OUTCOME_UNKNOWN
    assert "88000, 88121" in error.message
    assert "55012" in error.message


@pytest.mark.parametrize(
    "after", [answer("", 500), answer("", 401), answer("<html>"), answer("[{}]"), WireTimeout("no answer"), answer("", 404), answer("null")]
)
async def test_a_look_that_shows_nothing_is_unknown_and_raises_nothing(after: Response | Exception) -> None:
    settled = await looked(f"[{OLD}]", after)
    assert settled.outcome is MutationOutcome.UNKNOWN
    assert [error.code for error in settled.errors] == [UserErrorCode.OUTCOME_UNKNOWN]


async def test_where_the_invoices_did_not_show_before_only_their_absence_proves_anything() -> None:
    assert (await looked(answer("", 404), answer(f"[{INVOICE_BASE_2026}]"))).outcome is MutationOutcome.UNKNOWN
    assert (await looked(answer("", 404), answer("[]"))).outcome is MutationOutcome.REJECTED


async def test_a_write_that_was_prepared_by_another_process_is_looked_at_from_its_json() -> None:
    source, _ = make({BY_ID: answer(ORDER), OF_ORDER: [answer("[]"), answer(f"[{INVOICE_BASE_2026}]")]})
    prepared = await prepared_by(source)
    restored = Prepared(operation=prepared.operation, request=prepared.request, before=json.loads(json.dumps(prepared.before)))
    settled = await source.look(restored, make_scope())
    assert (settled.outcome, settled.record.ref if settled.record else None) == (MutationOutcome.APPLIED, INVOICE_REF)


def test_a_refusal_gives_what_the_source_says() -> None:
    source, _ = make({})
    (refusal,) = source.refusals(answer('{"Message": "Order is locked"}', 409))
    assert (refusal.status, refusal.message) == (409, "Order is locked")


# ------------------------------------------------------------------ probe


async def test_the_probe_says_which_of_the_configured_shops_are_hidden_from_the_user() -> None:
    source, wire = make({"GET /v1/Shops/ShopStatus": answer(SHOP_STATUS)})
    assert await source.probe(make_scope()) == "signed in; sees shops 3; NOT the configured 4"
    assert calls(wire) == ["GET /v1/Shops/ShopStatus"]


async def test_the_probe_says_which_shops_are_seen_when_all_are() -> None:
    source, _ = make({"GET /v1/Shops/ShopStatus": answer('[{"Id": 3}, {"Id": 4}, {"Id": 9}]')})
    assert await source.probe(make_scope()) == "signed in; sees shops 3, 4, 9"


async def test_the_probe_asks_for_one_order_where_the_shops_cannot_be_asked_for() -> None:
    source, wire = make({"GET /v1/Shops/3/Orders?pageSize=1&pageNumber=1": answer("[]")})
    assert await source.probe(make_scope()) == "signed in; orders of shop 3 can be read"
    assert calls(wire) == ["GET /v1/Shops/ShopStatus", "GET /v1/Shops/3/Orders?pageSize=1&pageNumber=1"]


async def test_the_probe_raises_what_keeps_it_out() -> None:
    source, _ = make({"GET /v1/Shops/ShopStatus": answer("", 401)})
    with pytest.raises(UpstreamAuthFailed):
        await source.probe(make_scope())
