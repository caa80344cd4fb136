from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gateway.model import CreateInvoice, Kind, LineDraft, MoneyDraft, Ref, UpstreamRefusal, UserError
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, decode_tree, encode_tree
from gateway.sources.norce.insert import insert_body, insert_mistakes
from gateway.sources.norce.payloads import InvoicePayload
from gateway.sources.norce.settings import NorceOptions
from gateway.sources.norce.writes import (
    OrderKeys,
    OwnInput,
    connect_body,
    connect_mistakes,
    fill,
    to_own_input,
    to_refusals,
)
from gateway.transport import Response
from tests.sources.norce.samples import INVOICE

ZONE = ZoneInfo("Europe/Stockholm")
OPTIONS = NorceOptions(application_id=7)
KEYS = OrderKeys(basket_id=448120, number="N-100341", currency="SEK")
OWN: dict[str, object] = {"client_order_ref": 448120, "erp_order_number": "N-100341", "capture_payment": False}


def draft(norce: dict[str, object] | None = None, *, with_other: bool = False, **fields: object) -> CreateInvoice:
    others = {"other": {"x": 1}} if with_other else {}
    given: dict[str, Any] = {
        "native_id": UUID(int=1),
        "native_id_given": False,
        "number": "F-2026-0088",
        "issue_date": date(2026, 1, 17),
        "total": MoneyDraft(Decimal("6000.00"), "SEK"),
        "system": {"norce": OWN if norce is None else norce, **others},
        **fields,
    }
    return CreateInvoice(**given)


def mistakes_of(create: CreateInvoice, order: OrderKeys | None = None, default: str | None = None) -> list[UserError]:
    profile = SourceProfile(key="k", system="NORCE", display_name="d", time_zone=ZONE, default_currency=default)
    return connect_mistakes(fill(create, to_own_input(create), order, profile), order, ZONE)


def body_of(create: CreateInvoice, options: NorceOptions = OPTIONS, order: OrderKeys | None = None) -> dict[str, object]:
    profile = SourceProfile(key="k", system="NORCE", display_name="d", time_zone=ZONE)
    return connect_body(fill(create, to_own_input(create), order, profile), options, ZONE)


def said(errors: list[UserError]) -> list[tuple[str, tuple[str, ...] | None]]:
    return [(error.code.value, error.field) for error in errors]


def insert(body: object, **fields: object) -> list[tuple[str, tuple[str, ...] | None]]:
    cleared: dict[str, Any] = {"number": None, "issue_date": None, "total": None, **fields}
    create = draft({"insert_invoice": body, "capture_payment": False}, **cleared)
    return said(insert_mistakes(create, to_own_input(create)))


def test_the_body_has_the_vendors_names_in_the_order_of_its_page() -> None:
    payment = {
        "payment_code": 7781,
        "payment_reference": "res-55AA",
        "payment_method_code": "INV",
        "amount": Decimal("6000.00"),
        "currency": "SEK",
    }
    create = draft(
        {
            **OWN,
            "capture_payment": True,
            "is_last_invoice_for_order": True,
            "payment": payment,
            "payment_method_code": "INV",
            "group_key": "G1",
        },
        due_date=date(2026, 7, 1),
        vat=MoneyDraft(Decimal("1200.00")),
        note="Hej",
        credited_invoice_number="F-1",
        lines=(
            LineDraft(
                item_number="STOL-09",
                quantity=Decimal(4),
                position=1,
                name="Pinnstol",
                description="ek",
                unit_price_excl_vat=Decimal("1200.00"),
                discount=Decimal(0),
                net_amount=Decimal("4800.00"),
                vat_percent=Decimal(25),
            ),
        ),
    )
    assert mistakes_of(create) == []
    body = body_of(create)
    assert body == {
        "ClientOrderRef": 448120,
        "CurrencyCode": "SEK",
        "ErpOrderNo": "N-100341",
        "InvoiceDate": "2026-01-17T00:00:00+01:00",
        "InvoiceNo": "F-2026-0088",
        "Comment": "Hej",
        "GroupCode": "G1",
        "CreditedInvoiceNo": "F-1",
        "InvoiceDueDate": "2026-07-01T00:00:00+02:00",
        "TotalAmount": Decimal("6000.00"),
        "Vat": Decimal("1200.00"),
        "IsLastInvoiceForOrder": True,
        "Items": [
            {
                "PartNo": "STOL-09",
                "Quantity": Decimal(4),
                "UnitPrice": Decimal("1200.00"),
                "Description": "ek",
                "Discount": Decimal(0),
                "LineAmount": Decimal("4800.00"),
                "LineNo": 1,
                "ProductName": "Pinnstol",
                "VatRate": Decimal(25),
            }
        ],
        "Payment": {
            "PaymentCode": 7781,
            "PaymentMethodCode": "INV",
            "PaymentRef": "res-55AA",
            "Amount": Decimal("6000.00"),
            "CurrencyCode": "SEK",
        },
        "PaymentMethodCode": "INV",
        "SuppressPspCall": False,
    }
    assert list(body)[:5] == ["ClientOrderRef", "CurrencyCode", "ErpOrderNo", "InvoiceDate", "InvoiceNo"]


def test_what_was_not_given_is_left_out_but_never_the_word_that_keeps_norce_from_capturing() -> None:
    assert body_of(draft({"client_order_ref": 448120, "erp_order_number": "N-100341"})) == {
        "ClientOrderRef": 448120,
        "CurrencyCode": "SEK",
        "ErpOrderNo": "N-100341",
        "InvoiceDate": "2026-01-17T00:00:00+01:00",
        "InvoiceNo": "F-2026-0088",
        "TotalAmount": Decimal("6000.00"),
        "SuppressPspCall": True,
    }


def test_storm_gets_its_own_spelling_of_the_number_and_not_both() -> None:
    body = body_of(draft(), NorceOptions(application_id=7, create_spelling="storm"))
    assert body["InoviceNo"] == "F-2026-0088"
    assert "InvoiceNo" not in body


def test_the_order_fills_in_what_the_input_leaves_out() -> None:
    create = draft({}, total=MoneyDraft(Decimal(1)), orders=(Ref("k", Kind.ORDER, "70213"),))
    assert mistakes_of(create, KEYS) == []
    body = body_of(create, order=KEYS)
    assert (body["ClientOrderRef"], body["ErpOrderNo"], body["CurrencyCode"]) == (448120, "N-100341", "SEK")


def test_everything_that_is_missing_is_named_at_once() -> None:
    create = draft({}, number=" ", issue_date=None, total=None)
    assert said(mistakes_of(create)) == [
        ("REQUIRED", ("input", "norce", "clientOrderRef")),
        ("REQUIRED", ("input", "norce", "erpOrderNumber")),
        ("REQUIRED", ("input", "number")),
        ("REQUIRED", ("input", "issueDate")),
        ("REQUIRED", ("input", "total")),
        ("REQUIRED", ("input", "total", "currency")),
    ]


def test_the_configured_currency_is_the_last_resort() -> None:
    assert mistakes_of(draft(total=MoneyDraft(Decimal(1))), default="SEK") == []


def test_what_the_source_does_not_take_is_refused_by_name() -> None:
    create = draft(
        {**OWN, "insert_invoice": {}},
        with_other=True,
        native_id_given=True,
        customer=Ref("k", Kind.CUSTOMER, "customer/1"),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        orders=(Ref("k", Kind.ORDER, "1"), Ref("k", Kind.ORDER, "2")),
    )
    assert said(mistakes_of(create)) == [
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "nativeId")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "customer")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "createdAt")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "other")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "norce", "insertInvoice")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "orders", "1")),
    ]


def test_long_texts_are_refused_and_not_cut() -> None:
    create = draft({**OWN, "group_key": "g" * 51}, number="n" * 51, note="x" * 251, credited_invoice_number="c" * 51)
    assert said(mistakes_of(create)) == [
        ("TOO_LONG", ("input", "number")),
        ("TOO_LONG", ("input", "note")),
        ("TOO_LONG", ("input", "creditedInvoiceNumber")),
        ("TOO_LONG", ("input", "norce", "groupKey")),
    ]
    assert mistakes_of(draft({**OWN, "group_key": "g" * 50}, number="n" * 50, note="x" * 250, credited_invoice_number="c" * 50)) == []


def test_contradictions_with_the_order_are_refused() -> None:
    create = draft(
        {**OWN, "client_order_ref": 1, "erp_order_number": "N-2"}, total=MoneyDraft(Decimal(1), "EUR"), vat=MoneyDraft(Decimal(1), "SEK")
    )
    assert said(mistakes_of(create, KEYS)) == [
        ("INVALID", ("input", "norce", "clientOrderRef")),
        ("INVALID", ("input", "norce", "erpOrderNumber")),
        ("CURRENCY_MISMATCH", ("input", "total", "currency")),
        ("CURRENCY_MISMATCH", ("input", "vat", "currency")),
    ]


def test_an_order_without_a_number_takes_the_one_that_is_given() -> None:
    assert mistakes_of(draft(), OrderKeys(basket_id=448120, number=None, currency="SEK")) == []


def test_a_number_with_blanks_around_it_is_refused_since_it_may_not_be_found_again() -> None:
    assert said(mistakes_of(draft(number=" F-1"))) == [("INVALID", ("input", "number"))]
    assert mistakes_of(draft(number="F 1")) == []
    assert insert({"InvoiceNo": "F-1 "}) == [("INVALID", ("input", "norce", "insertInvoice", "InvoiceNo"))]


def test_a_date_that_json_cannot_say_with_its_offset_is_refused() -> None:
    assert said(mistakes_of(draft(issue_date=date(1800, 1, 1), due_date=date(1, 1, 1)))) == [
        ("INVALID", ("input", "issueDate")),
        ("INVALID", ("input", "dueDate")),
    ]
    assert mistakes_of(draft(issue_date=date(1900, 1, 1))) == []


@pytest.mark.parametrize("basket", [0, -1, 2**31])
def test_a_basket_id_is_a_positive_32_bit_integer(basket: int) -> None:
    assert said(mistakes_of(draft({**OWN, "client_order_ref": basket}))) == [("INVALID", ("input", "norce", "clientOrderRef"))]


def test_capturing_needs_the_payment_and_the_lines() -> None:
    assert said(mistakes_of(draft({**OWN, "capture_payment": True}))) == [
        ("REQUIRED", ("input", "norce", "payment")),
        ("REQUIRED", ("input", "lines")),
    ]


def test_a_payment_needs_its_code_or_its_reference_and_a_line_its_price() -> None:
    line = LineDraft(item_number="A", quantity=Decimal(1))
    assert said(mistakes_of(draft({**OWN, "payment": {"amount": Decimal(1)}}, lines=(line,)))) == [
        ("REQUIRED", ("input", "lines", "0", "unitPriceExclVat")),
        ("REQUIRED", ("input", "norce", "payment", "paymentCode")),
    ]


def test_a_field_that_this_input_does_not_have_is_malformed() -> None:
    with pytest.raises(Malformed):
        to_own_input(draft({"nonsense": 1}))


def test_an_invoice_of_the_vendors_page_is_inserted_as_written() -> None:
    body = decode_tree(INVOICE.encode())
    del body["NewField"]
    create = draft({"insert_invoice": dict(reversed(body.items()))})
    assert insert(body) == []
    assert insert(body, number="F-2026-0088") == []
    assert insert_body(to_own_input(create)) == body
    assert list(insert_body(to_own_input(create))) == list(body)


def test_an_inserted_invoice_has_no_name_length_or_type_but_the_documented_ones() -> None:
    assert insert({"InvoiceNo": "F-1", "Currency": "SEK", "Comment": "x" * 251, "IsDebit": "ja"}) == [
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "norce", "insertInvoice", "Currency")),
        ("TOO_LONG", ("input", "norce", "insertInvoice", "Comment")),
        ("INVALID", ("input", "norce", "insertInvoice")),
    ]


def test_the_parts_of_an_inserted_invoice_are_checked_by_their_pages_too() -> None:
    body = {
        "InvoiceNo": "F-1",
        "InvoiceDate": "tomorrow",
        "BillTo": {"Company": {"No": "9" * 51, "Vat": "SE1"}, "Shoe": 42},
        "Items": [{"ItemNo": "STOL-09"}, {"ItemDescription": "x" * 256, "DeliveryDate": "soon", "Colour": "red"}],
        "Info": [{"Code": "CC", "Value": {"any": "thing"}, "Id": 1}],
    }
    at = ("input", "norce", "insertInvoice")
    assert insert(body) == [
        ("INVALID", (*at, "InvoiceDate")),
        ("NOT_ACCEPTED_BY_SOURCE", (*at, "BillTo", "Shoe")),
        ("NOT_ACCEPTED_BY_SOURCE", (*at, "BillTo", "Company", "Vat")),
        ("TOO_LONG", (*at, "BillTo", "Company", "No")),
        ("NOT_ACCEPTED_BY_SOURCE", (*at, "Items", "1", "Colour")),
        ("TOO_LONG", (*at, "Items", "1", "ItemDescription")),
        ("INVALID", (*at, "Items", "1", "DeliveryDate")),
        ("NOT_ACCEPTED_BY_SOURCE", (*at, "Info", "0", "Id")),
    ]


def test_all_that_an_answer_can_have_may_be_inserted() -> None:
    names = InvoicePayload.__struct_encode_fields__
    assert tuple(insert_body(OwnInput(insert_invoice=dict.fromkeys(reversed(names))))) == names
    assert len(names) == 25


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (None, "REQUIRED", ("input", "norce", "insertInvoice")),
        ([], "INVALID", ("input", "norce", "insertInvoice")),
        ({"Id": "1"}, "REQUIRED", ("input", "norce", "insertInvoice", "InvoiceNo")),
    ],
)
def test_an_insert_needs_an_object_with_a_number(body: object, code: str, field: tuple[str, ...]) -> None:
    assert insert(body) == [(code, field)]


def test_beside_an_inserted_invoice_only_its_own_number_may_be_given() -> None:
    create = draft({**OWN, "insert_invoice": {"InvoiceNo": "F-1"}}, note="x")
    assert said(insert_mistakes(create, to_own_input(create))) == [
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "issueDate")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "total")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "note")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "norce", "clientOrderRef")),
        ("NOT_ACCEPTED_BY_SOURCE", ("input", "norce", "erpOrderNumber")),
        ("INVALID", ("input", "number")),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", [(None, None)]),
        (b"<html>", [(None, None)]),
        (b'"Nej"', [(None, "Nej")]),
        (b'{"Message": "Order saknas"}', [(None, "Order saknas")]),
        (b'{"Detail": {"Messages": {"QuotationMissing": "Ingen korg"}}}', [("QuotationMissing", "Ingen korg")]),
        (b'{"title": "Bad Request", "errors": {}}', [(None, "Bad Request")]),
    ],
)
def test_what_the_source_says_in_a_refusal_is_kept(body: bytes, expected: list[tuple[str | None, str | None]]) -> None:
    assert to_refusals(Response(400, {}, body)) == tuple(UpstreamRefusal(status=400, code=code, message=text) for code, text in expected)


def test_what_is_kept_of_a_refusal_is_bounded() -> None:
    said = to_refusals(Response(400, {}, encode_tree({"Messages": {f"Code{number}": "x" * 5000 for number in range(80)}})))
    assert (len(said), said[0]) == (50, UpstreamRefusal(status=400, code="Code0", message="x" * 500))
