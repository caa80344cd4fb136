"""The bytes of `Order/CreateInvoice` and `InsertInvoice`, to the last one, and that what is kept of them outlives the process."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gateway.model import CreateInvoice, Kind, LineDraft, MoneyDraft, MutationOutcome, Ref
from gateway.mutations.stored import dump, load
from gateway.sources.base import Prepared
from gateway.sources.decode import decode_tree
from gateway.sources.norce import NorceOptions, NorceSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, FakeWire, answer, make_parts, make_scope
from tests.sources.norce.samples import INVOICE, ORDER, edited

pytestmark = pytest.mark.anyio

OWN: dict[str, object] = {"client_order_ref": 448120, "erp_order_number": "N-100341", "capture_payment": False}
LINE = LineDraft(item_number="STOL-09", quantity=Decimal(4), unit_price_excl_vat=Decimal("1200.0"))
PAYMENT: dict[str, object] = {
    "payment_code": 7781,
    "payment_reference": "res-55AA",
    "payment_method_code": "INV",
    "amount": Decimal("6000.00"),
    "currency": "SEK",
}
INSERT: dict[str, object] = {"create_via": "insert-invoice"}
FOUND = answer(INVOICE)
NULL = answer("null")


def make_source(
    *found: Response,
    options: dict[str, object] | None = None,
    order: str = ORDER,
    **profile: Any,  # noqa: ANN401  (fields of SourceProfile)
) -> tuple[NorceSource, FakeWire]:
    """Make a source that finds these by invoice number, one call after the other, the last again and again; all writes answer 200."""
    left = list(found)

    def handle(request: WireRequest) -> Response:
        if request.method == "POST":
            return answer("")
        if urlsplit(request.url).path.endswith("/GetOrderByNo"):
            return answer(order)
        return left.pop(0) if len(left) > 1 else left[0]

    parts, wire = make_parts(
        NorceOptions.model_validate({"application_id": 7, **(options or {})}), handle, **{"key": "commerce", "system": "NORCE", **profile}
    )
    return NorceSource(parts), wire


def create(norce: dict[str, object], **fields: Any) -> CreateInvoice:  # noqa: ANN401  (fields of CreateInvoice)
    return CreateInvoice(native_id=UUID(int=1), native_id_given=False, system={"norce": norce}, **fields)


def minimal(**fields: Any) -> CreateInvoice:  # noqa: ANN401  (fields of CreateInvoice)
    given = {"number": "F-1", "issue_date": date(2026, 1, 17), "total": MoneyDraft(Decimal("6000.00"), "SEK"), **fields}
    return create(given.pop("norce", OWN), **given)


FULL = minimal(
    number="F-2026-0088",
    due_date=date(2026, 7, 1),
    vat=MoneyDraft(Decimal("1200.00"), "SEK"),
    note="Åäö",
    credited_invoice_number="F-1",
    norce={
        **OWN,
        "capture_payment": True,
        "is_last_invoice_for_order": False,
        "payment": PAYMENT,
        "payment_method_code": "INV",
        "group_key": "G1",
    },
    lines=(
        LineDraft(
            item_number="STOL-09",
            quantity=Decimal("4.000"),
            position=1,
            name="Pinnstol",
            description="ek",
            unit_price_excl_vat=Decimal("1200.0"),
            discount=Decimal(0),
            net_amount=Decimal("4800.00"),
            vat_percent=Decimal(25),
        ),
        LINE,
    ),
)


async def prepared_by(source: NorceSource, write: CreateInvoice) -> Prepared:
    prepared = await source.prepare(write, make_scope())
    assert isinstance(prepared, Prepared), prepared
    return prepared


async def sent(write: CreateInvoice, options: dict[str, object] | None = None, **others: Any) -> WireRequest:  # noqa: ANN401
    """Send a write and give what went over the wire."""
    source, wire = make_source(NULL, options=options, **others)
    await source.send(await prepared_by(source, write), make_scope())
    posts = [request for request in wire.requests if request.method == "POST"]
    assert len(posts) == 1
    return posts[0]


async def body_of(write: CreateInvoice, options: dict[str, object] | None = None, **others: Any) -> bytes:  # noqa: ANN401
    return (await sent(write, options, **others)).content or b""


async def test_a_full_invoice_is_these_bytes() -> None:
    request = await sent(FULL)
    assert (request.method, request.url) == ("POST", f"{BASE_URL}/commerce/connect/4.0/Order/CreateInvoice")
    assert (request.headers["content-type"], request.headers["accept"]) == ("application/json; charset=utf-8", "application/json")
    assert (
        request.content
        == (
            '{"ClientOrderRef":448120,"CurrencyCode":"SEK","ErpOrderNo":"N-100341","InvoiceDate":"2026-01-17T00:00:00+01:00",'
            '"InvoiceNo":"F-2026-0088","Comment":"Åäö","GroupCode":"G1","CreditedInvoiceNo":"F-1",'
            '"InvoiceDueDate":"2026-07-01T00:00:00+02:00","TotalAmount":6000.00,"Vat":1200.00,"IsLastInvoiceForOrder":false,'
            '"Items":[{"PartNo":"STOL-09","Quantity":4.000,"UnitPrice":1200.0,"Description":"ek","Discount":0,"LineAmount":4800.00,'
            '"LineNo":1,"ProductName":"Pinnstol","VatRate":25},{"PartNo":"STOL-09","Quantity":4,"UnitPrice":1200.0}],'
            '"Payment":{"PaymentCode":7781,"PaymentMethodCode":"INV","PaymentRef":"res-55AA","Amount":6000.00,"CurrencyCode":"SEK"},'
            '"PaymentMethodCode":"INV","SuppressPspCall":false}'
        ).encode()
    )


async def test_a_minimal_invoice_has_no_key_beyond_what_norce_needs_and_keeps_it_from_capturing() -> None:
    assert await body_of(minimal()) == (
        b'{"ClientOrderRef":448120,"CurrencyCode":"SEK","ErpOrderNo":"N-100341","InvoiceDate":"2026-01-17T00:00:00+01:00",'
        b'"InvoiceNo":"F-1","TotalAmount":6000.00,"SuppressPspCall":true}'
    )


async def test_the_other_paths_and_the_other_spelling_are_the_same_invoice() -> None:
    request = await sent(minimal(), {"paths": "storm", "create_spelling": "storm"})
    assert request.url == f"{BASE_URL}/4.0/api/Order/CreateInvoice"
    assert request.content == (await body_of(minimal())).replace(b'"InvoiceNo"', b'"InoviceNo"')


async def test_basket_number_and_currency_come_from_the_order_where_they_are_not_given() -> None:
    write = minimal(
        norce={"capture_payment": False}, orders=(Ref("commerce", Kind.ORDER, "70213", hint="N-100341"),), total=MoneyDraft(Decimal(1))
    )
    assert await body_of(write, order=edited(ORDER, Currency="NOK"), default_currency="SEK") == (
        b'{"ClientOrderRef":448120,"CurrencyCode":"NOK","ErpOrderNo":"N-100341","InvoiceDate":"2026-01-17T00:00:00+01:00",'
        b'"InvoiceNo":"F-1","TotalAmount":1,"SuppressPspCall":true}'
    )


@pytest.mark.parametrize(("given", "default", "written"), [("EUR", "SEK", b"EUR"), (None, "SEK", b"SEK"), ("EUR", None, b"EUR")])
async def test_a_currency_that_is_given_goes_before_the_configured_one(given: str | None, default: str | None, written: bytes) -> None:
    body = await body_of(minimal(total=MoneyDraft(Decimal(1), given)), default_currency=default)
    assert b'"CurrencyCode":"' + written + b'"' in body


async def test_null_in_an_own_field_is_as_good_as_nothing() -> None:
    names = ("is_last_invoice_for_order", "payment", "payment_method_code", "group_key", "insert_invoice", "capture_payment")
    assert await body_of(minimal(norce={**OWN, **dict.fromkeys(names)})) == await body_of(minimal())


@pytest.mark.parametrize(
    ("given", "written"),
    [("1e2", b"100"), ("29.90", b"29.90"), ("5.0", b"5.0"), ("-0.50", b"-0.50"), ("0.0000001", b"0.0000001"), ("1E+3", b"1000")],
)
async def test_amounts_are_numbers_with_the_scale_they_were_given(given: str, written: bytes) -> None:
    amount = Decimal(given)
    line = LineDraft(item_number="A", quantity=amount, unit_price_excl_vat=amount, discount=amount, net_amount=amount, vat_percent=amount)
    payment = {"payment_code": 1, "amount": amount}
    body = await body_of(minimal(total=MoneyDraft(amount, "SEK"), vat=MoneyDraft(amount), lines=(line,), norce={**OWN, "payment": payment}))
    assert body.partition(b'"TotalAmount":')[2] == (
        b'%b,"Vat":%b,"Items":[{"PartNo":"A","Quantity":%b,"UnitPrice":%b,"Discount":%b,"LineAmount":%b,"VatRate":%b}],'
        b'"Payment":{"PaymentCode":1,"Amount":%b},"SuppressPspCall":true}'
    ) % ((written,) * 8)


@pytest.mark.parametrize(
    ("day", "zone", "written"),
    [
        (date(2026, 7, 21), "Europe/Stockholm", b"2026-07-21T00:00:00+02:00"),
        (date(2026, 12, 1), "Europe/Stockholm", b"2026-12-01T00:00:00+01:00"),
        (date(2026, 9, 6), "America/Santiago", b"2026-09-06T00:00:00-04:00"),  # begins at 01:00-03:00, which is that instant
    ],
)
async def test_dates_are_local_midnight_with_the_offset_of_their_day(day: date, zone: str, written: bytes) -> None:
    body = await body_of(minimal(issue_date=day, due_date=day), time_zone=ZoneInfo(zone))
    assert b'"InvoiceDate":"' + written + b'"' in body
    assert b'"InvoiceDueDate":"' + written + b'"' in body


async def test_an_inserted_invoice_is_the_callers_own_in_the_order_of_the_page_with_its_nulls_and_its_scale() -> None:
    body = {
        "InvoiceAmountIncVat": Decimal("29.90"),
        "IsDebit": True,
        "Info": [],
        "Items": [{"VatRate": Decimal("1.250"), "ItemNo": "STOL-09", "RowNumber": 1, "DeliveryDate": None}],
        "OrderFreight": Decimal("1e2"),
        "InvoiceDueDate": None,
        "InvoiceDate": "2026-01-17T00:00:00+01:00",
        "InvoiceNo": "F-1",
    }
    request = await sent(create({"insert_invoice": body, "capture_payment": False}), INSERT)
    assert (request.method, request.url) == ("POST", f"{BASE_URL}/commerce/order/1.1/InsertInvoice")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.content == (
        b'{"InvoiceNo":"F-1","InvoiceDate":"2026-01-17T00:00:00+01:00","InvoiceDueDate":null,"OrderFreight":100,'
        b'"Items":[{"VatRate":1.250,"ItemNo":"STOL-09","RowNumber":1,"DeliveryDate":null}],"Info":[],"IsDebit":true,'
        b'"InvoiceAmountIncVat":29.90}'
    )


async def test_the_whole_documented_body_is_inserted_whatever_order_the_caller_wrote_it_in() -> None:
    whole = decode_tree(INVOICE.encode())
    del whole["NewField"]
    request = await sent(create({"insert_invoice": dict(reversed(whole.items()))}), {**INSERT, "paths": "storm"})
    assert request.url == f"{BASE_URL}/api/1.1/OrderService.svc/rest/InsertInvoice"
    assert list(decode_tree(request.content or b"").items()) == list(whole.items())


@pytest.mark.parametrize("after", [FOUND, NULL, answer(status=500), answer(edited(INVOICE, OrderNo="N-5"))])
@pytest.mark.parametrize(
    ("write", "options"),
    [
        (minimal(number="F-2026-0088"), {}),
        (FULL, {}),
        (create({"insert_invoice": {"InvoiceNo": "F-2026-0088", "OrderNo": "N-100341", "VatAmount": Decimal("5.0")}}), INSERT),
    ],
    ids=["minimal", "full", "insert"],
)
async def test_a_look_from_the_journal_finds_what_a_look_of_this_process_finds(
    write: CreateInvoice, options: dict[str, object], after: Response
) -> None:
    source, _ = make_source(NULL, after, options=options)
    prepared = await prepared_by(source, write)
    kept = load(dump(prepared), Prepared)
    assert kept == prepared
    assert kept.request.content == prepared.request.content
    assert await source.look(kept, make_scope()) == await source.look(prepared, make_scope())
    assert await source.settle(kept, answer(""), make_scope()) == await source.settle(prepared, answer(""), make_scope())
    assert await source.conflict(kept, make_scope()) == await source.conflict(prepared, make_scope())


@pytest.mark.parametrize(
    ("write", "after", "message"),
    [
        (
            minimal(number="F-2026-0088"),
            answer(status=500),
            "look in Norce whether there is an invoice F-2026-0088 (OrderService GetInvoiceByNo) before sending it again",
        ),
        (
            FULL,
            NULL,
            "Norce has no invoice F-2026-0088, which does not prove that no payment was captured: look at the payment provider",
        ),
    ],
)
async def test_an_unknown_outcome_says_what_to_look_at(write: CreateInvoice, after: Response, message: str) -> None:
    source, _ = make_source(NULL, after)
    settled = await source.look(await prepared_by(source, write), make_scope())
    assert (settled.outcome, [error.message for error in settled.errors]) == (MutationOutcome.UNKNOWN, [message])
