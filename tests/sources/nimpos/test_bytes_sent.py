"""The bytes of `PostCustomerInvoice`, to the last one, and that what is kept of it outlives the process."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gateway.model import CreateInvoice, Invoice, Kind, MoneyDraft, MutationOutcome, Ref
from gateway.mutations.stored import dump, load
from gateway.sources.base import Claims, Prepared
from gateway.sources.nimpos import NimposSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, FakeWire, answer, make_scope
from tests.sources.nimpos.samples import CUSTOMER, INVOICE, ORDER, OTHER_ORDER, OUTLET, TILL, an_order, make_source

pytestmark = pytest.mark.anyio

OWN: dict[str, object] = {"outlet_id": UUID(OUTLET), "terminal_id": UUID(TILL)}
MINIMAL = CreateInvoice(
    native_id=UUID(INVOICE),
    native_id_given=False,
    customer=Ref("pos", Kind.CUSTOMER, CUSTOMER),
    orders=(Ref("pos", Kind.ORDER, ORDER),),
    number="20117",
    total=MoneyDraft(Decimal("1250.00")),
    system={"nimpos": OWN},
)
FULL = dataclasses.replace(
    MINIMAL,
    native_id_given=True,
    orders=(Ref("pos", Kind.ORDER, ORDER), Ref("pos", Kind.ORDER, OTHER_ORDER)),
    due_date=date(2026, 7, 21),
    created_at=datetime(2026, 6, 21, 20, 48, 27, 974544, tzinfo=UTC),
    total=MoneyDraft(Decimal("29.90"), "SEK"),
    note='Åäö "citerat"',
    system={
        "nimpos": {
            **OWN,
            "payment_status_code": 0,
            "paid_at": datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
            "email_sent": False,
            "sent_at": datetime(2026, 6, 23, 9, 30, tzinfo=UTC),
            "foreign_invoice_number": "9007199254740993",
            "deleted": False,
            "synced": True,
            "export_status_code": 12,
            "export_error": "",
            "paid_status_label": "Okänd",
        }
    },
)


def a_till_system(invoices: dict[str, str | None]) -> tuple[NimposSource, FakeWire]:
    """Open a source with orders that carry these invoices; all posts are answered with an empty 200."""

    def handle(request: WireRequest) -> Response:
        order_id = request.url.rpartition("=")[2]
        return answer("") if request.method == "POST" else answer(an_order(order_id, invoices[order_id]))

    return make_source(handle)


async def prepared_by(source: NimposSource, write: CreateInvoice) -> Prepared:
    prepared = await source.prepare(write, make_scope())
    assert isinstance(prepared, Prepared)
    return prepared


async def sent(write: CreateInvoice, **profile: Any) -> WireRequest:  # noqa: ANN401  (fields of SourceProfile)
    """Send a write and give what went over the wire."""
    source, wire = make_source(
        lambda request: answer("" if request.method == "POST" else an_order(request.url.rpartition("=")[2])), **profile
    )
    prepared = await prepared_by(source, write)
    await source.send(prepared, make_scope())
    posts = [request for request in wire.requests if request.method == "POST"]
    assert len(posts) == 1
    return posts[0]


async def body_of(write: CreateInvoice, **profile: Any) -> bytes:  # noqa: ANN401  (fields of SourceProfile)
    return (await sent(write, **profile)).content or b""


async def test_a_full_invoice_is_these_bytes() -> None:
    request = await sent(FULL)
    assert (request.method, request.url) == ("POST", f"{BASE_URL}/api/Order/PostCustomerInvoice")
    assert (request.headers["content-type"], request.headers["accept"]) == ("application/json; charset=utf-8", "application/json")
    assert (
        request.content
        == (
            '{"Id":"6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6","InvoiceNumber":20117,"CustomerId":"3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01",'
            '"Remarks":"Åäö \\"citerat\\"","InvoiceTotal":29.90,"PaymentStatus":0,"PaidDate":"2026-01-01T13:00:00+01:00",'
            '"DueDate":"2026-07-21T00:00:00+02:00","EmailSent":false,"SentDate":"2026-06-23T11:30:00+02:00",'
            '"OutletId":"5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11","TerminalId":"9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20",'
            '"ForeignInvoiceNumber":9007199254740993,"Deleted":false,"ExportStatus":12,"ExportError":"",'
            '"CreationDate":"2026-06-21T22:48:27.974544+02:00","Synced":true,'
            '"OrdersGuid":["1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6","8c7b6a59-4837-4261-9504-f3e2d1c0b9a8"],"PaidStatus":"Okänd"}'
        ).encode()
    )


async def test_a_minimal_invoice_has_no_key_beyond_what_nimpos_needs_and_when_it_was_made() -> None:
    request = await sent(MINIMAL)
    assert request.content == (
        b'{"Id":"6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6","InvoiceNumber":20117,"CustomerId":"3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01",'
        b'"InvoiceTotal":1250.00,'
        b'"OutletId":"5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11","TerminalId":"9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20",'
        b'"CreationDate":"2026-11-22T13:00:00+01:00","OrdersGuid":["1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"]}'
    )


async def test_null_in_an_own_field_is_as_good_as_nothing() -> None:
    nulls = dict.fromkeys(("payment_status_code", "paid_at", "email_sent", "foreign_invoice_number", "export_error", "synced"))
    assert await body_of(dataclasses.replace(MINIMAL, system={"nimpos": {**OWN, **nulls}})) == await body_of(MINIMAL)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("1e2", b"100"),
        ("1250", b"1250"),
        ("29.90", b"29.90"),
        ("5.0", b"5.0"),
        ("0.00", b"0.00"),
        ("-0.50", b"-0.50"),
        ("0.0000001", b"0.0000001"),
        ("12345678901234567890.12", b"12345678901234567890.12"),
    ],
)
async def test_an_amount_is_a_number_with_the_scale_it_was_given(given: str, written: bytes) -> None:
    body = await body_of(dataclasses.replace(MINIMAL, total=MoneyDraft(Decimal(given))))
    assert b'"InvoiceTotal":' + written + b',"OutletId"' in body


@pytest.mark.parametrize(
    ("day", "zone", "written"),
    [
        (date(2026, 7, 21), "Europe/Stockholm", b"2026-07-21T00:00:00+02:00"),
        (date(2026, 12, 1), "Europe/Stockholm", b"2026-12-01T00:00:00+01:00"),
        (date(2026, 3, 29), "Europe/Stockholm", b"2026-03-29T00:00:00+01:00"),
        (date(2026, 9, 6), "America/Santiago", b"2026-09-06T00:00:00-04:00"),  # begins at 01:00-03:00, which is that instant
        (date(2026, 7, 21), "UTC", b"2026-07-21T00:00:00+00:00"),
    ],
)
async def test_a_due_date_is_local_midnight_with_the_offset_of_its_day(day: date, zone: str, written: bytes) -> None:
    body = await body_of(dataclasses.replace(MINIMAL, due_date=day), time_zone=ZoneInfo(zone))
    assert b'"DueDate":"' + written + b'"' in body


async def test_a_look_from_the_journal_finds_what_a_look_of_this_process_finds() -> None:
    invoices: dict[str, str | None] = {ORDER: None, OTHER_ORDER: None}
    source, _ = a_till_system(invoices)
    prepared = await prepared_by(source, FULL)
    kept = load(dump(prepared), Prepared)
    assert kept == prepared
    assert kept.request.content == prepared.request.content
    assert await source.look(kept, make_scope()) == await source.look(prepared, make_scope())
    invoices[OTHER_ORDER] = INVOICE
    found = await source.look(kept, make_scope())
    assert found == await source.look(prepared, make_scope())
    assert (found.outcome, found.record) == (MutationOutcome.APPLIED, prepared.submitted)
    assert isinstance(found.record, Invoice)
    assert await source.settle(kept, answer(""), make_scope()) == found


def test_a_write_is_about_its_orders_and_its_number_and_an_id_that_the_caller_chose() -> None:
    source, _ = a_till_system({})
    assert source.claims(MINIMAL) == Claims(targets=frozenset({f"order/{ORDER}", "number/20117"}), number="20117")
    assert source.claims(FULL) == Claims(
        targets=frozenset({f"order/{ORDER}", f"order/{OTHER_ORDER}", "number/20117", f"invoice/{INVOICE}"}), number="20117"
    )
