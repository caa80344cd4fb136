"""Payloads to the model, after the samples and tables of the help pages."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    UNREAD,
    Address,
    Currency,
    CurrencyOrigin,
    Customer,
    CustomerKind,
    DataWarningCode,
    Details,
    ExternalNumber,
    ExternalNumberRole,
    Invoice,
    InvoiceType,
    Kind,
    Line,
    Money,
    Note,
    NoteRole,
    Order,
    OrderStatus,
    PaymentStatus,
    Record,
    Ref,
    SourceCode,
    Totals,
    VatBasis,
)
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, convert, decode_tree
from gateway.sources.nimpos.mapping import Installation, as_submitted, to_customer, to_invoice, to_order, together
from gateway.sources.nimpos.payloads import CustomerPayload, InvoicePayload, OrderPayload, guid_of, to_order_row, to_rows
from tests.sources.nimpos.samples import CUSTOMER, CUSTOMERS, INVOICE, INVOICES, NOBODY, ORDER, ORDER_17, OTHER_ORDER, OUTLET, TILL

P = TypeVar("P")
SUMMER = timezone(timedelta(hours=2))
SEK = Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT)


def at(**profile: Any) -> Installation:  # noqa: ANN401  (fields of SourceProfile)
    basis = profile.pop("total_basis", VatBasis.UNKNOWN)
    fields = {"key": "pos", "system": "NIMPOS", "display_name": "Pos", "default_currency": "SEK", **profile}
    return Installation(SourceProfile(**fields, time_zone=ZoneInfo("Europe/Stockholm")), basis)


def payload_of(type_: type[P], text: str, **changed: object) -> P:
    tree = decode_tree(text.encode())
    row = tree[0] if isinstance(tree, list) else tree
    return convert({**row, **changed}, type_)


def an_invoice(installation: Installation | None = None, **changed: object) -> Invoice:
    return to_invoice(payload_of(InvoicePayload, INVOICES, **changed), installation or at())


def a_customer(**changed: object) -> Customer:
    return to_customer(payload_of(CustomerPayload, CUSTOMERS, **changed), at())


def an_order_of(installation: Installation | None = None, **changed: object) -> Order:
    return to_order(payload_of(OrderPayload, ORDER_17, **changed), installation or at())


def warned(record: Record) -> list[tuple[DataWarningCode, tuple[str, ...] | None]]:
    assert isinstance(record.warnings, tuple)
    return [(warning.code, warning.field) for warning in record.warnings]


def test_the_sample_invoice_reads_whole() -> None:
    order = Ref("pos", Kind.ORDER, ORDER)
    total = Money(Decimal("1250.0"), SEK)
    invoice = an_invoice()
    expected = Invoice(
        ref=Ref("pos", Kind.INVOICE, INVOICE),
        native_type="CustomerInvoice",
        type=InvoiceType.INVOICE,
        is_credit=False,
        number="20117",
        external_numbers=(),
        issue_date=date(2026, 6, 21),
        due_date=date(2026, 7, 21),
        created_at=datetime(2026, 6, 21, 22, 48, 27, 974544, tzinfo=SUMMER),
        updated_at=None,
        currency=SEK,
        totals=Totals(vat_basis=VatBasis.UNKNOWN, total=total, signed_total=total, rounding_of=(order,)),
        charges=None,
        payment_status=PaymentStatus.UNPAID,
        paid_at=None,
        source_statuses=(SourceCode("PaymentStatus", "0", "Ej betald"), SourceCode("ExportStatus", "0")),
        is_deleted=False,
        email_sent=False,
        sent_at=None,
        delivery_date=None,
        notes=(Note(NoteRole.REMARKS, "Juni, bröd och kaffe"),),
        customer=Customer(ref=Ref("pos", Kind.CUSTOMER, CUSTOMER), native_type="Customer"),
        orders=(Order(ref=order, native_type="Order"),),
        credited_invoice_number=None,
        group_key=None,
        lines=None,
        document=None,
        custom_fields=None,
        details=Details(
            "NIMPOS",
            {
                "outlet_id": OUTLET,
                "terminal_id": TILL,
                "payment_status_code": 0,
                "paid_status_label": "Ej betald",
                "export_status_code": 0,
                "export_error": None,
                "synced": False,
            },
        ),
        warnings=invoice.warnings,
    )
    assert invoice == expected
    assert isinstance(invoice.totals, Totals)
    assert invoice.totals.total is not None
    assert str(invoice.totals.total.amount) == "1250.0"
    assert warned(invoice) == [
        (DataWarningCode.VAT_BASIS_UNKNOWN, ("totals", "vatBasis")),
        (DataWarningCode.DEFAULT_READ_AS_NULL, ("externalNumbers",)),
        (DataWarningCode.DERIVED, ("issueDate",)),
    ]


@pytest.mark.parametrize(
    ("label", "expected", "warns"),
    [
        ("Okänd", PaymentStatus.UNKNOWN, False),
        ("Ej betald", PaymentStatus.UNPAID, False),
        ("Betald", PaymentStatus.PAID, False),
        ("Delbetald", PaymentStatus.PARTIALLY_PAID, False),
        ("på Credit", PaymentStatus.UNPAID, True),
        ("Makulerad", PaymentStatus.UNKNOWN, True),
        ("", PaymentStatus.UNKNOWN, True),
    ],
)
def test_the_swedish_text_decides_whether_an_invoice_is_paid(label: str, expected: PaymentStatus, *, warns: bool) -> None:
    invoice = an_invoice(PaidStatus=label, PaymentStatus=6)
    assert invoice.payment_status is expected
    assert ((DataWarningCode.UNMAPPED_VALUE, ("paymentStatus",)) in warned(invoice)) is warns


@pytest.mark.parametrize("label", [None, "", "Okänd", "Makulerad"])
def test_a_configured_code_decides_where_the_text_says_nothing(label: str | None) -> None:
    invoice = an_invoice(at(payment_status={"6": PaymentStatus.PAID}), PaidStatus=label, PaymentStatus=6)
    assert invoice.payment_status is PaymentStatus.PAID
    assert (DataWarningCode.UNMAPPED_VALUE, ("paymentStatus",)) not in warned(invoice)


def test_a_paid_date_alone_does_not_make_an_invoice_paid() -> None:
    invoice = an_invoice(PaidStatus=None, PaymentStatus=None, PaidDate="2026-06-30T08:00:00+02:00")
    assert invoice.payment_status is PaymentStatus.UNKNOWN
    assert invoice.paid_at == datetime(2026, 6, 30, 8, 0, tzinfo=SUMMER)


def test_framework_defaults_are_read_as_none_with_a_warning_each() -> None:
    never = "0001-01-01T00:00:00"
    invoice = an_invoice(
        InvoiceNumber=0, CustomerId=NOBODY, DueDate=never, SentDate=never, PaidDate=never, CreationDate=never, OutletId=NOBODY
    )
    assert (invoice.number, invoice.customer, invoice.due_date, invoice.sent_at) == (None, None, None, None)
    assert (invoice.paid_at, invoice.created_at, invoice.issue_date) == (None, None, None)
    fields = [field for code, field in warned(invoice) if code is DataWarningCode.DEFAULT_READ_AS_NULL]
    assert fields == [
        ("createdAt",),
        ("customer",),
        ("number",),
        ("externalNumbers",),
        ("dueDate",),
        ("paidAt",),
        ("sentAt",),
        ("details", "outletId"),
    ]


def test_days_are_those_of_the_offset_that_was_sent() -> None:
    invoice = an_invoice(CreationDate="2026-01-01T00:30:00.193187+01:00", DueDate="2026-01-31T00:00:00+01:00")
    assert (invoice.issue_date, invoice.due_date) == (date(2026, 1, 1), date(2026, 1, 31))


def test_a_number_in_the_outside_ledger_is_an_external_number() -> None:
    assert an_invoice(ForeignInvoiceNumber=10).external_numbers == (ExternalNumber(ExternalNumberRole.EXPORT_LEDGER, "10"),)


def test_a_negative_total_is_a_credit_and_stays_an_invoice() -> None:
    invoice = an_invoice(InvoiceTotal=Decimal("-29.90"))
    assert (invoice.type, invoice.is_credit) == (InvoiceType.INVOICE, True)
    assert isinstance(invoice.totals, Totals)
    assert invoice.totals.signed_total == Money(Decimal("-29.90"), SEK)


@pytest.mark.parametrize(
    ("basis", "incl_vat", "excl_vat"),
    [(VatBasis.INCLUDING_VAT, Money(Decimal("1250.0"), SEK), None), (VatBasis.EXCLUDING_VAT, None, Money(Decimal("1250.0"), SEK))],
)
def test_a_configured_basis_fills_that_total_and_warns_no_more(basis: VatBasis, incl_vat: Money | None, excl_vat: Money | None) -> None:
    invoice = an_invoice(at(total_basis=basis))
    assert isinstance(invoice.totals, Totals)
    assert (invoice.totals.vat_basis, invoice.totals.incl_vat, invoice.totals.excl_vat, invoice.totals.vat) == (
        basis,
        incl_vat,
        excl_vat,
        None,
    )
    assert DataWarningCode.VAT_BASIS_UNKNOWN not in {code for code, _ in warned(invoice)}


def test_without_a_configured_currency_none_is_guessed() -> None:
    invoice = an_invoice(at(default_currency=None))
    assert invoice.currency == Currency(None, CurrencyOrigin.UNKNOWN)
    assert (DataWarningCode.CURRENCY_UNKNOWN, ("currency",)) in warned(invoice)


def test_an_invoice_that_does_not_list_its_orders_differs_from_one_without_orders() -> None:
    assert an_invoice(OrdersGuid=None).orders is None
    assert an_invoice(OrdersGuid=[]).orders == ()


def test_an_invoice_with_nothing_but_an_id_has_every_field_read() -> None:
    invoice = to_invoice(convert({"Id": INVOICE}, InvoicePayload), at())
    assert UNREAD not in {getattr(invoice, name) for name in Invoice.__dataclass_fields__ if name != "details"}
    assert (invoice.is_credit, invoice.payment_status, invoice.notes) == (None, PaymentStatus.UNKNOWN, ())


def test_what_several_tills_show_of_an_invoice_is_one_invoice_with_all_their_orders() -> None:
    here = payload_of(InvoicePayload, INVOICES, OrdersGuid=[ORDER])
    there = payload_of(InvoicePayload, INVOICES, OrdersGuid=[OTHER_ORDER, ORDER])
    invoice = to_invoice(together([here, there]), at())
    assert isinstance(invoice.orders, tuple)
    assert [order.ref.native_id for order in invoice.orders] == [ORDER, OTHER_ORDER]


@pytest.mark.parametrize(("sent", "code"), [(6, 6), ("6", 6), (-1, -1), (10**12, None), ("Exported", None)])
def test_a_code_that_the_graph_cannot_hold_is_left_to_the_statuses(sent: int | str, code: int | None) -> None:
    invoice = an_invoice(ExportStatus=sent)
    assert isinstance(invoice.details, Details)
    assert isinstance(invoice.source_statuses, tuple)
    assert (invoice.details.fields["export_status_code"], invoice.source_statuses[1].code) == (code, str(sent))


def test_a_submitted_invoice_says_so() -> None:
    assert warned(as_submitted(an_invoice()))[-1] == (DataWarningCode.AS_SUBMITTED, None)


@pytest.mark.parametrize("changed", [{"Id": None}, {"Id": NOBODY}, {"DueDate": "tomorrow"}, {"InvoiceTotal": "NaN"}, {"CustomerId": "x"}])
def test_an_invoice_that_cannot_be_what_the_page_promises_is_malformed(changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        an_invoice(**changed)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4))
def test_every_total_comes_out_as_it_was_sent(amount: Decimal) -> None:
    row = to_rows(f'[{{"Id": "{INVOICE}", "InvoiceTotal": {amount:f}}}]'.encode()).by_id[INVOICE]
    totals = to_invoice(convert(row, InvoicePayload), at()).totals
    assert isinstance(totals, Totals)
    assert totals.total is not None
    assert str(totals.total.amount) == f"{amount:f}"


def test_the_sample_customer_reads_whole() -> None:
    customer = a_customer()
    assert customer == Customer(
        ref=Ref("pos", Kind.CUSTOMER, CUSTOMER),
        native_type="Customer",
        number="1042",
        name="Bageri Kringlan AB",
        kind=CustomerKind.UNKNOWN,
        organization_number="5568123344",
        vat_number=None,
        email="ekonomi@kringlan.example",
        phone="+46 8 555 010 20",
        billing_address=Address(line1="Hornsgatan 42", postal_code="118 21", city="Stockholm"),
        warnings=customer.warnings,
    )
    assert warned(customer) == [(DataWarningCode.UNMAPPED_VALUE, ("kind",))]


def test_a_trimmed_customer_has_none_for_what_is_missing() -> None:
    customer = to_customer(convert({"Id": CUSTOMER, "CustomerNo": 7, "Email": " "}, CustomerPayload), at())
    assert (customer.number, customer.name, customer.email, customer.organization_number) == ("7", None, None, None)
    assert (customer.billing_address, customer.warnings) == (None, ())


def test_the_sample_order_reads_whole() -> None:
    order = an_order_of()
    total = Money(Decimal("1250.0"), SEK)
    assert order == Order(
        ref=Ref("pos", Kind.ORDER, ORDER),
        native_type="Order",
        number="17",
        ordered_at=datetime(2026, 6, 21, 12, 3, 9, 441002, tzinfo=SUMMER),
        status=OrderStatus.CLOSED,
        source_statuses=(SourceCode("Status", "13"), SourceCode("PaymentStatus", "2"), SourceCode("ExternalStatus", "0")),
        currency=SEK,
        totals=Totals(vat_basis=VatBasis.UNKNOWN, total=total, signed_total=total, rounding=Money(Decimal("0.0"), SEK)),
        lines=(Line(quantity=Decimal("25.0")),),
        customer=Customer(ref=Ref("pos", Kind.CUSTOMER, CUSTOMER), native_type="Customer", number="1042", name="Bageri Kringlan AB"),
        delivery_method=None,
        payment_method=None,
        warnings=order.warnings,
    )
    assert warned(order) == [
        (DataWarningCode.VAT_BASIS_UNKNOWN, ("totals", "vatBasis")),
        (DataWarningCode.VAT_BASIS_UNKNOWN, ("lines",)),
    ]


def test_a_copy_that_the_order_lacks_stays_unread_on_its_customer() -> None:
    customer = an_order_of(CustomerName=None).customer
    assert isinstance(customer, Customer)
    assert (customer.number, customer.name, customer.email) == ("1042", UNREAD, UNREAD)


@pytest.mark.parametrize(
    ("code", "expected", "warns"),
    [
        (3, OrderStatus.OPEN, False),
        (13, OrderStatus.CLOSED, False),
        (14, OrderStatus.CANCELLED, False),
        (16, OrderStatus.DELETED, False),
        (10, OrderStatus.DELIVERED, False),
        (19, OrderStatus.UNKNOWN, True),
        (None, OrderStatus.UNKNOWN, False),
    ],
)
def test_an_order_status_is_read_by_the_known_codes_and_the_configured_ones(
    code: int | None, expected: OrderStatus, *, warns: bool
) -> None:
    order = an_order_of(at(order_status={"10": OrderStatus.DELIVERED}), Status=code)
    assert order.status is expected
    assert ((DataWarningCode.UNMAPPED_VALUE, ("status",)) in warned(order)) is warns


def test_a_configured_order_status_goes_before_the_known_one() -> None:
    assert an_order_of(at(order_status={"13": OrderStatus.INVOICED})).status is OrderStatus.INVOICED


def test_codes_carry_their_configured_labels() -> None:
    order = an_order_of(at(labels={"Status": {"13": "Klar"}}), OrderState="Packad")
    assert order.source_statuses == (
        SourceCode("Status", "13", "Klar"),
        SourceCode("PaymentStatus", "2"),
        SourceCode("ExternalStatus", "0"),
        SourceCode("OrderState", "Packad"),
    )


def test_line_prices_follow_the_configured_basis() -> None:
    order = an_order_of(at(total_basis=VatBasis.INCLUDING_VAT))
    assert order.lines == (Line(quantity=Decimal("25.0"), unit_price_incl_vat=Money(Decimal("50.0"), SEK)),)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, None),
        ("nonsense", None),
        ([], ()),
        ([{"Quantity": True, "UnitPrice": "free", "Name": {"sv": "Bulle"}}], (Line(),)),
        ([{"Quantity": Decimal("1E+99")}], (Line(),)),
        (
            [{"PLU": 4011, "ItemName": "Bulle", "Description": "Kanel", "Quantity": 2, "TaxPercent": Decimal("12.0")}],
            (Line(item_number="4011", name="Bulle", description="Kanel", quantity=Decimal(2), vat_percent=Decimal("12.0")),),
        ),
        ([{"Description": "Kanelbulle"}], (Line(name="Kanelbulle"),)),
    ],
)
def test_of_a_line_is_taken_what_is_recognised_and_none_fails_its_order(sent: object, expected: tuple[Line, ...] | None) -> None:
    assert an_order_of(OrderLines=sent).lines == expected


def test_a_row_that_is_a_reference_is_the_object_it_stands_for() -> None:
    rows = to_rows(f'[{{"$id": "1", "Id": "{ORDER}", "Parent": {{"$id": "2", "Id": "{CUSTOMER}"}}}}, {{"$ref": "2"}}]'.encode())
    assert set(rows.by_id) == {ORDER, CUSTOMER}
    assert rows.complete


@pytest.mark.parametrize("odd", ['{"$ref": "9"}', "null", "7", "{}", '{"Id": 5}', f'{{"Id": "{NOBODY}"}}'])
def test_a_row_without_an_id_takes_nothing_away_from_the_others(odd: str) -> None:
    rows = to_rows(f'[{odd}, {{"$id": "1", "Id": "{ORDER}"}}]'.encode())
    assert set(rows.by_id) == {ORDER}
    assert not rows.complete


def test_a_family_of_customers_that_refer_to_each_other_is_read_in_time() -> None:
    contacts = [{"$id": str(n), "Id": str(guid_of(f"{n:032x}")), "Parent": {"$ref": "0"}} for n in range(1, 2000)]
    parent = {"$id": "0", "Id": CUSTOMER, "PrimaryContacts": contacts}
    references = [{"$ref": str(n)} for n in range(1, 2000)]
    rows = to_rows(json.dumps([parent, *references]).encode())
    assert len(rows.by_id) == 2000


def test_lines_that_are_references_are_written_out() -> None:
    row = to_order_row(f'{{"Id": "{ORDER}", "OrderLines": [{{"$id": "2", "Quantity": 1}}, {{"$ref": "2"}}, {{"$ref": "3"}}]}}'.encode())
    assert row is not None
    assert [line["Quantity"] for line in row["OrderLines"]] == [1, 1]


def test_an_instant_in_utc_has_the_day_of_the_sources_zone() -> None:
    invoice = an_invoice(CreationDate="2026-06-21T22:30:00Z")
    assert invoice.created_at == datetime(2026, 6, 21, 22, 30, tzinfo=UTC)
    assert invoice.issue_date == date(2026, 6, 22)
