"""What may be written, and how it looks."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamTimeout
from gateway.model import (
    CreateInvoice,
    Kind,
    LineDraft,
    MoneyDraft,
    Operation,
    Ref,
    UpstreamRefusal,
    UserErrorCode,
)
from gateway.sources.base import Prepared, SourceProfile
from gateway.sources.nimpos import endpoints, writes
from gateway.sources.nimpos.payloads import OrderPayload
from gateway.transport import Response
from tests.sources.nimpos.samples import CUSTOMER, INVOICE, NOBODY, ORDER, OTHER_ORDER, OUTLET, TILL

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOW = datetime(2026, 6, 22, 10, 0, tzinfo=UTC)
PROFILE = SourceProfile(key="pos", system="NIMPOS", display_name="Pos", time_zone=STOCKHOLM, default_currency="SEK")
OWN = {"outlet_id": UUID(OUTLET), "terminal_id": UUID(TILL)}
WRITE = CreateInvoice(
    native_id=UUID(INVOICE),
    native_id_given=False,
    customer=Ref("pos", Kind.CUSTOMER, CUSTOMER),
    orders=(Ref("pos", Kind.ORDER, ORDER),),
    number="20117",
    total=MoneyDraft(Decimal("1250.00")),
    system={"nimpos": OWN},
)


def changed(own: dict[str, object] | None = None, **fields: Any) -> CreateInvoice:  # noqa: ANN401  (fields of CreateInvoice)
    extra = {} if own is None else {"system": {"nimpos": {**OWN, **own}}}
    return dataclasses.replace(WRITE, **{**fields, **extra})


def found_in(write: CreateInvoice, *, remarks_max_length: int | None = None) -> list[tuple[UserErrorCode, tuple[str, ...] | None]]:
    return [(error.code, error.field) for error in writes.mistakes(write, PROFILE, remarks_max_length=remarks_max_length)]


def prepared(before: object) -> Prepared:
    request = endpoints.post_customer_invoice({})
    return Prepared(operation=Operation.CREATE_INVOICE, request=request, result=Ref("pos", Kind.INVOICE, INVOICE), before=before)


def test_an_invoice_with_what_nimpos_needs_has_no_mistakes() -> None:
    assert found_in(WRITE) == []


def test_everything_that_is_missing_is_named_at_once() -> None:
    write = CreateInvoice(native_id=UUID(INVOICE), native_id_given=False)
    assert found_in(write) == [
        (UserErrorCode.REQUIRED, ("input", "customer")),
        (UserErrorCode.REQUIRED, ("input", "orders")),
        (UserErrorCode.REQUIRED, ("input", "number")),
        (UserErrorCode.REQUIRED, ("input", "total")),
        (UserErrorCode.REQUIRED, ("input", "nimpos", "outletId")),
        (UserErrorCode.REQUIRED, ("input", "nimpos", "terminalId")),
    ]


def test_everything_that_nimpos_does_not_take_is_refused_by_name() -> None:
    write = changed(
        issue_date=date(2026, 6, 22),
        vat=MoneyDraft(Decimal(250)),
        credited_invoice_number="20116",
        lines=(LineDraft(item_number="1", quantity=Decimal(1)),),
        system={"nimpos": {**OWN, "colour": "red"}, "other": {}},
    )
    assert found_in(write) == [
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "issueDate")),
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "vat")),
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "creditedInvoiceNumber")),
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "lines")),
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "other")),
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "nimpos", "colour")),
    ]


@pytest.mark.parametrize("number", ["1", "9223372036854775807"])
def test_an_invoice_number_is_an_integer_of_64_bits(number: str) -> None:
    assert found_in(changed(number=number)) == []


@pytest.mark.parametrize("number", ["0", "-1", "007", "1.0", "A1", "", " 1", "٣", "9223372036854775808"])
def test_any_other_invoice_number_is_refused(number: str) -> None:
    assert found_in(changed(number=number)) == [(UserErrorCode.INVALID, ("input", "number"))]


def test_the_ledger_number_may_be_zero_and_must_be_an_integer() -> None:
    assert found_in(changed({"foreign_invoice_number": "0"})) == []
    assert found_in(changed({"foreign_invoice_number": "K-1"})) == [(UserErrorCode.INVALID, ("input", "nimpos", "foreignInvoiceNumber"))]


def test_another_currency_than_the_sources_is_refused() -> None:
    assert found_in(changed(total=MoneyDraft(Decimal(1), "SEK"))) == []
    assert found_in(changed(total=MoneyDraft(Decimal(1), "EUR"))) == [(UserErrorCode.CURRENCY_MISMATCH, ("input", "total", "currency"))]


def test_a_currency_is_refused_where_the_sources_own_is_not_known_rather_than_dropped() -> None:
    no_default = dataclasses.replace(PROFILE, default_currency=None)
    (error,) = writes.mistakes(changed(total=MoneyDraft(Decimal(1), "EUR")), no_default)
    assert (error.code, error.field) == (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("input", "total", "currency"))
    assert writes.mistakes(WRITE, no_default) == []


def test_an_export_error_of_500_characters_fits_and_one_more_does_not() -> None:
    assert found_in(changed({"export_error": "x" * 500})) == []
    assert found_in(changed({"export_error": "x" * 501})) == [(UserErrorCode.TOO_LONG, ("input", "nimpos", "exportError"))]


def test_a_note_is_too_long_only_where_a_limit_is_configured() -> None:
    write = changed(note="x" * 251)
    assert found_in(write) == []
    assert found_in(write, remarks_max_length=250) == [(UserErrorCode.TOO_LONG, ("input", "note"))]


def test_references_to_another_source_are_refused() -> None:
    write = changed(customer=Ref("shop", Kind.CUSTOMER, "1"), orders=(*WRITE.orders, Ref("shop", Kind.ORDER, "2")))
    assert found_in(write) == [
        (UserErrorCode.CROSS_SOURCE_REFERENCE, ("input", "customer")),
        (UserErrorCode.CROSS_SOURCE_REFERENCE, ("input", "orders", "1")),
    ]


def test_the_all_zero_uuid_is_no_key() -> None:
    assert found_in(changed({"outlet_id": UUID(NOBODY), "terminal_id": UUID(NOBODY)}, native_id=UUID(NOBODY))) == [
        (UserErrorCode.INVALID, ("input", "nativeId")),
        (UserErrorCode.INVALID, ("input", "nimpos", "outletId")),
        (UserErrorCode.INVALID, ("input", "nimpos", "terminalId")),
    ]


def test_a_body_has_only_what_was_given_and_what_nimpos_needs() -> None:
    assert writes.to_body(WRITE, STOCKHOLM, NOW) == {
        "Id": INVOICE,
        "InvoiceNumber": 20117,
        "CustomerId": CUSTOMER,
        "InvoiceTotal": Decimal("1250.00"),
        "OutletId": OUTLET,
        "TerminalId": TILL,
        "CreationDate": "2026-06-22T12:00:00+02:00",
        "OrdersGuid": [ORDER],
    }


def test_a_full_body_has_every_field_in_the_documented_order() -> None:
    write = changed(
        {
            "payment_status_code": 1,
            "paid_at": datetime(2026, 7, 1, 8, 0, tzinfo=UTC),
            "email_sent": True,
            "sent_at": datetime(2026, 6, 23, 9, 30, tzinfo=STOCKHOLM),
            "foreign_invoice_number": "10",
            "deleted": False,
            "synced": False,
            "export_status_code": 0,
            "export_error": "",
            "paid_status_label": "Betald",
        },
        note="Juni",
        due_date=date(2026, 12, 1),
        created_at=datetime(2026, 6, 21, 22, 48, 27, 974544, tzinfo=STOCKHOLM),
        orders=(Ref("pos", Kind.ORDER, ORDER), Ref("pos", Kind.ORDER, OTHER_ORDER), Ref("pos", Kind.ORDER, ORDER)),
    )
    assert list(writes.to_body(write, STOCKHOLM, NOW).items()) == [
        ("Id", INVOICE),
        ("InvoiceNumber", 20117),
        ("CustomerId", CUSTOMER),
        ("Remarks", "Juni"),
        ("InvoiceTotal", Decimal("1250.00")),
        ("PaymentStatus", 1),
        ("PaidDate", "2026-07-01T10:00:00+02:00"),
        ("DueDate", "2026-12-01T00:00:00+01:00"),
        ("EmailSent", True),
        ("SentDate", "2026-06-23T09:30:00+02:00"),
        ("OutletId", OUTLET),
        ("TerminalId", TILL),
        ("ForeignInvoiceNumber", 10),
        ("Deleted", False),
        ("ExportStatus", 0),
        ("ExportError", ""),
        ("CreationDate", "2026-06-21T22:48:27.974544+02:00"),
        ("Synced", False),
        ("OrdersGuid", [ORDER, OTHER_ORDER]),
        ("PaidStatus", "Betald"),
    ]


def test_an_instant_is_written_in_local_time_so_that_its_day_is_the_one_that_nimpos_will_show() -> None:
    body = writes.to_body(changed(created_at=datetime(2026, 6, 30, 22, 30, tzinfo=UTC)), STOCKHOLM, NOW)
    assert body["CreationDate"] == "2026-07-01T00:30:00+02:00"


@pytest.mark.parametrize("year", [1, 1800, 1899])
def test_a_date_from_before_whole_offsets_is_refused_by_name(year: int) -> None:
    instant = datetime(year, 6, 1, tzinfo=UTC)
    write = changed({"paid_at": instant, "sent_at": instant}, due_date=instant.date(), created_at=instant)
    assert found_in(write) == [
        (UserErrorCode.INVALID, ("input", "dueDate")),
        (UserErrorCode.INVALID, ("input", "createdAt")),
        (UserErrorCode.INVALID, ("input", "nimpos", "paidAt")),
        (UserErrorCode.INVALID, ("input", "nimpos", "sentAt")),
    ]
    assert found_in(changed(due_date=date(1900, 1, 1))) == []


def test_the_date_that_stands_for_none_is_refused_in_every_zone() -> None:
    in_utc = dataclasses.replace(PROFILE, time_zone=ZoneInfo("UTC"))
    assert [error.field for error in writes.mistakes(changed(due_date=date(1, 1, 1)), in_utc)] == [("input", "dueDate")]
    assert writes.mistakes(changed(due_date=date(2, 1, 1)), in_utc) == []


def test_the_last_instant_there_is_is_written_as_given() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert writes.to_body(changed(created_at=last), STOCKHOLM, NOW)["CreationDate"] == last.isoformat()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3))
def test_every_amount_is_written_with_the_scale_it_was_given(amount: Decimal) -> None:
    body = writes.to_body(changed(total=MoneyDraft(amount)), STOCKHOLM, NOW)
    assert f'"InvoiceTotal":{amount:f},'.encode() in (endpoints.post_customer_invoice(body).content or b"")


def test_orders_that_nimpos_does_not_have_are_named_by_their_place() -> None:
    known, unknown = Ref("pos", Kind.ORDER, ORDER), Ref("pos", Kind.ORDER, OTHER_ORDER)
    errors = writes.unknown_orders([known, unknown, unknown], {known: OrderPayload(id=ORDER), unknown: None})
    assert [(error.code, error.field) for error in errors] == [
        (UserErrorCode.NOT_FOUND, ("input", "orders", "1")),
        (UserErrorCode.NOT_FOUND, ("input", "orders", "2")),
    ]


CARRIES = OrderPayload(id=ORDER, customer_invoice_id=INVOICE.upper())
OTHER_INVOICE = "11111111-2222-4333-8444-555555555555"
CARRIES_ANOTHER = OrderPayload(id=ORDER, customer_invoice_id=OTHER_INVOICE)
CARRIES_NOT = OrderPayload(id=ORDER, customer_invoice_id=NOBODY)
SILENT = OrderPayload(id=ORDER)
UNREADABLE = UpstreamTimeout("late", source="pos", operation="GetOrderById")


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([(None, CARRIES_NOT), (None, CARRIES)], True),
        ([(None, UNREADABLE), (None, CARRIES)], True),
        ([(OTHER_INVOICE, CARRIES_NOT), (None, CARRIES)], True),
        ([(None, CARRIES_NOT), (OTHER_INVOICE, CARRIES_ANOTHER)], False),
        ([(None, CARRIES_NOT), (None, UNREADABLE)], None),
        ([(None, CARRIES_NOT), (None, None)], None),
        ([(None, OrderPayload(id=ORDER, customer_invoice_id=None))], False),
        ([(None, CARRIES_NOT), (None, SILENT)], None),
        ([], None),
    ],
)
def test_an_order_that_carries_the_invoice_proves_it_and_only_all_that_are_as_before_disprove_it(
    orders: list[tuple[str | None, writes.OrderAnswer]], *, expected: bool | None
) -> None:
    assert writes.is_written(INVOICE, orders) is expected


def test_an_order_that_meanwhile_carries_yet_another_invoice_proves_nothing() -> None:
    assert writes.is_written(INVOICE, [(None, CARRIES_ANOTHER)]) is None
    assert writes.is_written(INVOICE, [(None, CARRIES_NOT), (None, CARRIES_ANOTHER)]) is None


def test_only_orders_that_did_not_carry_the_invoice_before_can_tell() -> None:
    assert writes.telling_orders(prepared({ORDER: INVOICE, OTHER_ORDER: None})) == {OTHER_ORDER: None}
    assert writes.telling_orders(prepared(None)) == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", None),
        (b"<html>", None),
        (b"[1]", None),
        (b'{"Message": 5}', None),
        (b'{"Message": "The request is invalid."}', "The request is invalid."),
        (b'{"Message": "' + b"x" * 5000 + b'"}', "x" * 1000),
    ],
)
def test_a_refusal_has_the_status_and_the_message_where_there_is_one(body: bytes, message: str | None) -> None:
    assert writes.refusals(Response(417, {}, body)) == (UpstreamRefusal(status=417, message=message),)
