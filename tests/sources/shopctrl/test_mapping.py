"""Payload -> model, exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    UNREAD,
    Address,
    Charge,
    ChargeKind,
    Currency,
    CurrencyOrigin,
    Customer,
    CustomerKind,
    DataWarning,
    DataWarningCode,
    Details,
    Document,
    Invoice,
    InvoiceType,
    Kind,
    LabelRow,
    Line,
    Money,
    Order,
    OrderStatus,
    PaymentStatus,
    Ref,
    SourceCode,
    Totals,
    VatBasis,
)
from gateway.sources.base import SourceProfile
from gateway.sources.decode import Malformed, decode
from gateway.sources.shopctrl.bill import Bill
from gateway.sources.shopctrl.mapping import Sent, asked_of, key_of, to_customer, to_invoice, to_label, to_lines, to_order, to_order_row
from gateway.sources.shopctrl.payloads import CustomerPayload, InvoicePayload, OrderPayload, RowPayload, StatusPayload
from tests.sources.shopctrl.samples import (
    AT,
    BARE_PROFILE,
    CUSTOMER,
    INVOICE,
    INVOICE_BASE_2021,
    INVOICE_BASE_2026,
    INVOICE_ROWS,
    ORDER,
    ORDER_ROW,
    ORDER_ROWS,
    ORDER_STATUS,
    PAGE_SAMPLE,
    PROFILE,
)

EUR = Currency("EUR", CurrencyOrigin.RECORD)
CET = timezone(timedelta(hours=1))
DERIVED = DataWarning(DataWarningCode.DERIVED, "the total including VAT less the total without", ("totals", "vat"))


def money(amount: str, currency: Currency = EUR) -> Money:
    return Money(Decimal(amount), currency)


def changed(text: str, **fields: Any) -> str:  # noqa: ANN401  (any JSON)
    """Give the sample with fields replaced."""
    return json.dumps({**json.loads(text), **fields})


def invoice_of(text: str, profile: SourceProfile = PROFILE, *, is_whole: bool = True) -> Invoice:
    body = text.encode()
    return to_invoice(decode(body, InvoicePayload), profile, Sent("88121", body, AT), is_whole=is_whole)


def order_of(text: str, profile: SourceProfile = PROFILE) -> Order:
    body = text.encode()
    return to_order(decode(body, OrderPayload), profile, Sent("55012", body, AT))


def customer_of(text: str) -> Customer:
    body = text.encode()
    return to_customer(decode(body, CustomerPayload), PROFILE, Sent("20411", body, AT))


def row_of(text: str, profile: SourceProfile = PROFILE) -> Order:
    body = text.encode()
    return to_order_row(decode(body, OrderPayload), profile, Sent("55012", body, AT), 3)


def label(native_id: str) -> Ref:
    return Ref("shop", Kind.LABEL, native_id)


def codes_of(record: Invoice | Order) -> list[DataWarningCode]:
    return [warning.code for warning in record.warnings or ()]


# ------------------------------------------------------------------ ids


@given(st.integers(1, 10**19 - 1), st.integers(0, 3))
def test_an_id_has_one_spelling_as_number_as_text_and_with_leading_zeros(value: int, zeros: int) -> None:
    assert key_of(value) == key_of(str(value)) == key_of("0" * zeros + str(value)) == str(value)


@pytest.mark.parametrize("value", [None, 0, "0", "", "  "])
def test_an_id_of_null_zero_or_blank_is_none(value: int | str | None) -> None:
    assert key_of(value) is None


@pytest.mark.parametrize("value", [-1, "abc", "1.0", "1/2", "٣", "1_0", 10**19])
def test_an_id_that_is_no_positive_integer_is_malformed(value: int | str) -> None:
    with pytest.raises(Malformed):
        key_of(value)


# ------------------------------------------------------------------ customer


def test_a_customer_is_read_with_the_address_it_is_billed_at() -> None:
    assert customer_of(CUSTOMER) == Customer(
        ref=Ref("shop", Kind.CUSTOMER, "20411"),
        native_type="Customer",
        fetched_at=AT,
        raw=CUSTOMER.encode(),
        warnings=(),
        number="K-20411",
        name="De Vries Fietsen B.V.",
        kind=CustomerKind.UNKNOWN,
        organization_number="30123456",
        vat_number="NL004495445B01",
        email="facturen@devriesfietsen.example",
        phone="+31 30 555 0101",
        billing_address=Address(
            line1="Oudegracht 112 bis",
            postal_code="3511 AW",
            city="Utrecht",
            region="Utrecht",
            country_code="NL",
            phone="+31 30 555 0101",
        ),
    )


def test_a_customer_without_a_company_has_the_name_of_the_person() -> None:
    assert customer_of(changed(CUSTOMER, CompanyName="")).name == "Sanne de Vries"


def test_a_customer_without_an_address_has_none_of_what_the_address_says() -> None:
    customer = customer_of(changed(CUSTOMER, BillToAddress=None))
    assert (customer.billing_address, customer.organization_number, customer.vat_number, customer.phone) == (None, None, None, None)


def test_a_street_that_is_not_split_is_read_from_the_address_line() -> None:
    address = customer_of(changed(CUSTOMER, BillToAddress={"Address": "Kerkstraat 8", "Address2": "achter"})).billing_address
    assert address == Address(line1="Kerkstraat 8", line2="achter")


def test_a_customer_of_whom_nothing_is_known_but_the_id_is_read() -> None:
    customer = customer_of('{"Id": 20411}')
    assert (customer.number, customer.name, customer.email, customer.kind) == (None, None, None, CustomerKind.UNKNOWN)


# ------------------------------------------------------------------ order


def test_an_order_is_read_with_its_customer_as_a_reference_and_its_rows_unread() -> None:
    total = money("242.0")
    assert order_of(ORDER) == Order(
        ref=Ref("shop", Kind.ORDER, "55012"),
        native_type="Order",
        fetched_at=AT,
        raw=ORDER.encode(),
        warnings=(DERIVED,),
        number="UTR-2026-00431",
        ordered_at=datetime(2026, 1, 10, 9, 31, tzinfo=CET),
        status=OrderStatus.OPEN,
        source_statuses=(SourceCode("MainStatusId", "12", "In behandeling"), SourceCode("PaymentStatus", "21", "Open")),
        currency=EUR,
        totals=Totals(
            vat_basis=VatBasis.INCLUDING_VAT, total=total, excl_vat=money("200.0"), vat=money("42.0"), incl_vat=total, signed_total=total
        ),
        lines=UNREAD,
        customer=Customer(ref=Ref("shop", Kind.CUSTOMER, "20411"), native_type="Customer", number="K-20411"),
        delivery_method=None,
        payment_method=None,
    )


def test_an_order_carries_shop_and_code_with_which_it_can_be_read_again() -> None:
    assert order_of(ORDER).ref.hint == "3/UTR-2026-00431"
    assert order_of(changed(ORDER, ShopId=None)).ref.hint is None
    assert order_of(changed(ORDER, OrderCode=None)).ref.hint is None


def test_rows_that_came_with_the_order_are_its_lines() -> None:
    lines = order_of(changed(ORDER, OrderRows=json.loads(ORDER_ROWS))).lines
    assert lines == to_lines(decode(ORDER_ROWS.encode(), list[RowPayload]), EUR)


@pytest.mark.parametrize("rows", [None, [], [None], "rows", [{"ItemQuantity": "many"}]])
def test_rows_that_did_not_come_or_cannot_be_read_are_left_to_another_call(rows: object) -> None:
    assert order_of(changed(ORDER, OrderRows=rows)).lines is UNREAD


def test_a_deleted_order_is_deleted_whatever_its_status() -> None:
    order = order_of(changed(ORDER, Deleted=True), BARE_PROFILE)
    assert order.status is OrderStatus.DELETED
    assert codes_of(order) == [DataWarningCode.DERIVED]


def test_a_main_status_without_a_configured_meaning_is_unknown_and_says_so() -> None:
    order = order_of(ORDER, BARE_PROFILE)
    assert order.status is OrderStatus.UNKNOWN
    assert order.warnings == (
        DataWarning(DataWarningCode.UNMAPPED_VALUE, "MainStatusId 12 has no configured meaning", ("status",)),
        DERIVED,
    )


def test_a_main_status_that_came_as_an_object_alone_is_mapped_the_same() -> None:
    assert order_of(changed(ORDER, MainStatusId=None)).status is OrderStatus.OPEN


def test_an_order_without_any_main_status_is_unknown_without_a_warning() -> None:
    order = order_of(changed(ORDER, MainStatusId=None, MainStatus=None), BARE_PROFILE)
    assert order.status is OrderStatus.UNKNOWN
    assert codes_of(order) == [DataWarningCode.DERIVED]


def test_an_order_without_a_customer_has_none() -> None:
    assert order_of(changed(ORDER, CustomerId=None)).customer is None
    zero = order_of(changed(ORDER, CustomerId=0))
    assert zero.customer is None
    assert DataWarning(DataWarningCode.DEFAULT_READ_AS_NULL, "0 stands for none", ("customer",)) in (zero.warnings or ())


def test_a_customer_code_that_did_not_come_is_left_to_the_customer_itself() -> None:
    assert order_of(changed(ORDER, CustomerCode=None)).customer == Customer(
        ref=Ref("shop", Kind.CUSTOMER, "20411"), native_type="Customer", number=UNREAD
    )


# ------------------------------------------------------------------ invoice


def test_a_whole_invoice_is_read_field_by_field() -> None:
    total = money("242.0")
    assert invoice_of(INVOICE) == Invoice(
        ref=Ref("shop", Kind.INVOICE, "88121"),
        native_type="Invoice",
        fetched_at=AT,
        raw=INVOICE.encode(),
        warnings=(DERIVED,),
        type=InvoiceType.INVOICE,
        is_credit=False,
        number="F2026-0117",
        external_numbers=None,
        issue_date=date(2026, 1, 11),
        due_date=None,
        created_at=None,
        updated_at=datetime(2026, 1, 11, 16, 17, 36, 119204, tzinfo=CET),
        currency=EUR,
        totals=Totals(
            vat_basis=VatBasis.INCLUDING_VAT, total=total, excl_vat=money("200.0"), vat=money("42.0"), incl_vat=total, signed_total=total
        ),
        charges=(),
        payment_status=PaymentStatus.PARTIALLY_PAID,
        paid_at=None,
        source_statuses=(
            SourceCode("MainStatusId", "31", "Open"),
            SourceCode("PaymentStatusId", "41", "Deels betaald"),
            SourceCode("SentStatusId", "51", "Verzonden"),
        ),
        is_deleted=False,
        email_sent=None,
        sent_at=None,
        delivery_date=None,
        notes=None,
        customer=UNREAD,
        orders=(Order(ref=Ref("shop", Kind.ORDER, "55012"), native_type="Order", number="UTR-2026-00431"),),
        credited_invoice_number=None,
        group_key=None,
        lines=UNREAD,
        document=Document("990017", "application/pdf", "F2026-0117.pdf"),
        custom_fields=None,
        details=Details(
            "SHOPCTRL",
            {
                "currency_id": 1,
                "main_status_id": 31,
                "payment_status_id": 41,
                "sent_status_id": 51,
                "custom_status_id": None,
                "shop_id": 3,
            },
        ),
    )


def test_the_2021_shape_leaves_unread_what_the_whole_invoice_may_say() -> None:
    invoice = invoice_of(INVOICE_BASE_2021, is_whole=False)
    assert invoice.native_type == "InvoiceBase"
    assert invoice.updated_at == datetime(2026, 1, 11, 16, 17, 35, 30457, tzinfo=CET)
    assert (invoice.source_statuses, invoice.payment_status, invoice.details, invoice.charges) == (UNREAD, UNREAD, UNREAD, UNREAD)
    assert invoice.warnings == (DERIVED,)


def test_a_base_that_lacks_its_shop_alone_leaves_only_the_details_unread() -> None:
    fields = json.loads(INVOICE_BASE_2026)
    del fields["ShopId"]
    invoice = invoice_of(json.dumps(fields), is_whole=False)
    assert invoice.details is UNREAD
    assert invoice.payment_status is PaymentStatus.PARTIALLY_PAID
    assert invoice.source_statuses


def test_the_main_status_says_in_the_2021_shape_whether_it_is_paid_where_that_is_configured() -> None:
    profile = replace(PROFILE, payment_status={"31": PaymentStatus.PAID})
    assert invoice_of(INVOICE_BASE_2021, profile, is_whole=False).payment_status is PaymentStatus.PAID


def test_the_whole_invoice_of_an_old_installation_says_none_where_it_says_nothing() -> None:
    invoice = invoice_of(INVOICE_BASE_2021)
    assert invoice.source_statuses == (SourceCode("MainStatusId", "31", None, ask=label("invoice-status/31")),)
    assert invoice.payment_status is PaymentStatus.UNKNOWN
    assert invoice.details == Details(
        "SHOPCTRL",
        {
            "currency_id": 1,
            "main_status_id": 31,
            "payment_status_id": None,
            "sent_status_id": None,
            "custom_status_id": None,
            "shop_id": None,
        },
    )


def test_the_2026_base_says_the_same_as_the_whole_invoice_but_for_names_and_charges() -> None:
    base, whole = invoice_of(INVOICE_BASE_2026, is_whole=False), invoice_of(INVOICE)
    assert base.charges is UNREAD
    assert replace(base, native_type="Invoice", raw=whole.raw, charges=(), source_statuses=whole.source_statuses) == whole
    assert base.source_statuses == (
        SourceCode("MainStatusId", "31", ask=label("invoice-status/31")),
        SourceCode("PaymentStatusId", "41", ask=label("invoice-status/41")),
        SourceCode("SentStatusId", "51", ask=label("invoice-status/51")),
    )


def test_the_order_of_an_invoice_carries_its_shop_and_code_where_the_shop_is_known() -> None:
    assert [order.ref.hint for order in invoice_of(INVOICE_BASE_2026).orders or ()] == ["3/UTR-2026-00431"]
    assert [order.ref.hint for order in invoice_of(INVOICE_BASE_2021).orders or ()] == [None]


def test_the_sample_of_the_vendors_page_gives_a_mismatch_and_no_failure() -> None:
    invoice = invoice_of(PAGE_SAMPLE, is_whole=False)
    assert isinstance(invoice.totals, Totals)
    none = Currency(None, CurrencyOrigin.UNKNOWN)
    assert invoice.totals.incl_vat == money("5.0", none)
    assert invoice.totals.excl_vat == money("6.0", none)
    assert invoice.totals.vat == money("-1.0", none)
    assert invoice.is_deleted is True
    assert codes_of(invoice) == [DataWarningCode.UNMAPPED_VALUE, DataWarningCode.DERIVED, DataWarningCode.ARITHMETIC_MISMATCH]


def test_an_invoice_whose_every_field_is_missing_is_read_all_the_same() -> None:
    invoice = invoice_of('{"Id": 88121}')
    assert invoice.totals == Totals(vat_basis=VatBasis.INCLUDING_VAT)
    assert (invoice.number, invoice.is_credit, invoice.orders, invoice.customer, invoice.charges) == (None, None, None, None, None)
    assert invoice.source_statuses == ()
    assert codes_of(invoice) == [DataWarningCode.CURRENCY_UNKNOWN]


def test_a_credit_is_an_invoice_with_negative_totals_that_are_kept() -> None:
    invoice = invoice_of(changed(INVOICE, InvoiceTotalIncVat=-121.0, InvoiceTotalExVat=-100.0))
    assert isinstance(invoice.totals, Totals)
    assert (invoice.type, invoice.is_credit) == (InvoiceType.INVOICE, True)
    assert invoice.totals.signed_total == invoice.totals.total == money("-121.0")
    assert invoice.totals.vat == money("-21.0")
    assert codes_of(invoice) == [DataWarningCode.DERIVED]


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e28"), max_value=Decimal("1e28"), places=12)


@given(AMOUNTS, AMOUNTS)
def test_the_vat_is_exactly_the_difference_and_the_totals_keep_their_scale(incl: Decimal, excl: Decimal) -> None:
    totals = invoice_of(f'{{"Id": 1, "CurrencyCode": "EUR", "InvoiceTotalIncVat": {incl:f}, "InvoiceTotalExVat": {excl:f}}}').totals
    assert isinstance(totals, Totals)
    assert totals.incl_vat is not None
    assert totals.excl_vat is not None
    assert totals.vat is not None
    assert (str(totals.incl_vat.amount), str(totals.excl_vat.amount)) == (str(Decimal(f"{incl:f}")), str(Decimal(f"{excl:f}")))
    assert Fraction(totals.vat.amount) == Fraction(incl) - Fraction(excl)


@pytest.mark.parametrize("amount", ['"NaN"', '"Infinity"', "1e31", '"12,5"', "true", "[]"])
def test_an_amount_that_is_no_number_makes_the_invoice_malformed(amount: str) -> None:
    with pytest.raises(Malformed):
        invoice_of(f'{{"Id": 1, "InvoiceTotalIncVat": {amount}}}')


def test_the_issue_date_is_the_day_in_the_offset_that_was_sent() -> None:
    assert invoice_of(changed(INVOICE, InvoiceDate="2026-01-11T23:59:59.9999999+01:00")).issue_date == date(2026, 1, 11)
    assert invoice_of(changed(INVOICE, InvoiceDate="2026-01-11T23:30:00Z")).issue_date == date(2026, 1, 12)


def test_a_default_date_is_none_and_says_so() -> None:
    invoice = invoice_of(changed(INVOICE, InvoiceDate="0001-01-01T00:00:00"))
    assert invoice.issue_date is None
    assert DataWarning(DataWarningCode.DEFAULT_READ_AS_NULL, "0001-01-01 stands for no date", ("issueDate",)) in (invoice.warnings or ())


# ------------------------------------------------------------------ currency


@pytest.mark.parametrize(
    ("fields", "profile", "expected", "warned"),
    [
        ({"CurrencyCode": "eur"}, PROFILE, EUR, []),
        ({"CurrencyCode": None}, replace(PROFILE, currencies={"1": "SEK"}), Currency("SEK", CurrencyOrigin.RECORD), []),
        ({"CurrencyCode": ""}, replace(PROFILE, default_currency="SEK"), Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT), []),
        ({"CurrencyCode": None}, PROFILE, Currency(None, CurrencyOrigin.UNKNOWN), [DataWarningCode.CURRENCY_UNKNOWN]),
        (
            {"CurrencyCode": "euros"},
            replace(PROFILE, default_currency="SEK"),
            Currency(None, CurrencyOrigin.UNKNOWN),
            [DataWarningCode.UNMAPPED_VALUE],
        ),
    ],
)
def test_the_currency_is_what_the_record_says_else_what_is_configured_and_never_a_guess(
    fields: dict[str, object], profile: SourceProfile, expected: Currency, warned: list[DataWarningCode]
) -> None:
    invoice = invoice_of(changed(INVOICE, **fields), profile)
    assert invoice.currency == expected
    assert codes_of(invoice) == [*warned, DataWarningCode.DERIVED]


def test_rows_read_alone_take_their_currency_from_what_they_belong_to() -> None:
    ref = Ref("shop", Kind.INVOICE, "88121")
    assert asked_of(ref, PROFILE) == Currency(None, CurrencyOrigin.UNKNOWN, ask=ref)
    assert asked_of(ref, replace(PROFILE, default_currency="EUR")) == Currency("EUR", CurrencyOrigin.SOURCE_DEFAULT, ask=ref)


@pytest.mark.parametrize("hint", ["order/55012/242.0/EUR/RECORD", "order/55012/242.0//UNKNOWN", "order/55012"])
def test_rows_of_an_invoice_that_was_read_ask_no_more_when_it_said_its_currency(hint: str) -> None:
    ref = Ref("shop", Kind.INVOICE, "88121", hint=hint)
    assert asked_of(ref, PROFILE) == (EUR if "EUR" in hint else Currency(None, CurrencyOrigin.UNKNOWN, ask=ref))


# ------------------------------------------------------------------ statuses


def test_a_payment_status_without_a_configured_meaning_is_unknown_and_says_so() -> None:
    invoice = invoice_of(INVOICE, BARE_PROFILE)
    assert invoice.payment_status is PaymentStatus.UNKNOWN
    assert (invoice.warnings or ())[1:] == (
        DataWarning(DataWarningCode.UNMAPPED_VALUE, "PaymentStatusId 41 has no configured meaning", ("paymentStatus",)),
    )


def test_where_there_is_no_payment_status_the_main_status_may_say_it() -> None:
    profile = replace(PROFILE, payment_status={"31": PaymentStatus.PAID})
    assert invoice_of(INVOICE_BASE_2021, profile).payment_status is PaymentStatus.PAID
    unmapped = invoice_of(INVOICE_BASE_2026, profile)  # has a payment status of its own, which counts
    assert unmapped.payment_status is PaymentStatus.UNKNOWN


def test_a_status_that_came_as_an_object_alone_is_read_from_it() -> None:
    invoice = invoice_of(changed(INVOICE, PaymentStatusId=None))
    assert invoice.payment_status is PaymentStatus.PARTIALLY_PAID
    assert SourceCode("PaymentStatusId", "41", "Deels betaald") in (invoice.source_statuses or ())


def test_the_id_in_a_status_object_may_be_text() -> None:
    invoice = invoice_of(changed(INVOICE, PaymentStatusId=None, PaymentStatus={"Id": "41", "Name": "Deels betaald"}))
    assert SourceCode("PaymentStatusId", "41", "Deels betaald") in (invoice.source_statuses or ())


def test_a_status_without_a_name_has_the_configured_label() -> None:
    profile = replace(PROFILE, labels={"MainStatusId": {"31": "Openstaand"}})
    assert (invoice_of(INVOICE_BASE_2021, profile).source_statuses or ())[0].label == "Openstaand"
    assert (invoice_of(INVOICE, profile).source_statuses or ())[0].label == "Open"


@pytest.mark.parametrize("status", ["Open", 31, [], {}, {"Id": "x", "Name": 7}, {"Id": True, "Name": ""}, {"Id": -1}])
def test_a_status_object_of_another_shape_is_passed_over(status: object) -> None:
    invoice = invoice_of(changed(INVOICE, MainStatusId=None, MainStatus=status))
    assert [code.field for code in invoice.source_statuses or ()] == ["PaymentStatusId", "SentStatusId"]


def test_a_status_id_of_zero_is_none_and_says_so() -> None:
    invoice = invoice_of(changed(INVOICE_BASE_2026, PaymentStatusId=0), BARE_PROFILE)
    assert invoice.payment_status is PaymentStatus.UNKNOWN
    assert codes_of(invoice) == [DataWarningCode.DERIVED, DataWarningCode.DEFAULT_READ_AS_NULL]


# ------------------------------------------------------------------ charges, document, order


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"ShippingCostsExVat": 10.0, "ShippingCostsIncVat": 12.1},
            (Charge(ChargeKind.FREIGHT, money("10.0"), VatBasis.EXCLUDING_VAT),),
        ),
        (
            {"ShippingCostsExVat": None, "ShippingCostsIncVat": 12.1, "PaymentFeeExVat": 0.5, "PaymentFeeIncVat": 0.6},
            (
                Charge(ChargeKind.FREIGHT, money("12.1"), VatBasis.INCLUDING_VAT),
                Charge(ChargeKind.PAYMENT_FEE, money("0.5"), VatBasis.EXCLUDING_VAT),
            ),
        ),
        ({"ShippingCostsExVat": -4.0, "ShippingCostsIncVat": -4.84}, (Charge(ChargeKind.FREIGHT, money("-4.0"), VatBasis.EXCLUDING_VAT),)),
        ({"ShippingCostsExVat": 0.0, "ShippingCostsIncVat": None, "PaymentFeeExVat": None, "PaymentFeeIncVat": None}, ()),
        ({"ShippingCostsExVat": None, "ShippingCostsIncVat": None, "PaymentFeeExVat": None, "PaymentFeeIncVat": None}, None),
    ],
)
def test_charges_are_what_is_not_zero_of_shipping_and_payment_fee(fields: dict[str, object], expected: tuple[Charge, ...] | None) -> None:
    assert invoice_of(changed(INVOICE, **fields)).charges == expected


@pytest.mark.parametrize(
    ("number", "file_name"),
    [
        ("F2026-0117", "F2026-0117.pdf"),
        ("F2026/01 17", "F2026_01_17.pdf"),
        ("../../etc", "_._.._etc.pdf"),
        ('a"b\r\nc', "a_b__c.pdf"),
        ("", "88121.pdf"),
        (None, "88121.pdf"),
    ],
)
def test_the_file_of_the_document_is_named_after_the_invoice(number: str | None, file_name: str) -> None:
    assert invoice_of(changed(INVOICE, InvoiceCode=number)).document == Document("990017", "application/pdf", file_name)


@given(st.text())
def test_no_number_makes_a_file_name_that_leaves_its_folder_or_its_header(number: str) -> None:
    document = invoice_of(changed(INVOICE, InvoiceCode=number)).document
    assert isinstance(document, Document)
    assert document.file_name.isascii()
    assert not document.file_name.startswith(".")
    assert not set(document.file_name) & set('/\\"\r\n;\0 ')


@pytest.mark.parametrize("file_id", [None, 0])
def test_an_invoice_without_a_file_has_no_document(file_id: int | None) -> None:
    assert invoice_of(changed(INVOICE, DocumentFileId=file_id)).document is None


def test_an_invoice_of_no_order_has_neither_orders_nor_customer() -> None:
    invoice = invoice_of(changed(INVOICE, OrderId=0))
    assert (invoice.orders, invoice.customer) == ((), None)
    assert codes_of(invoice) == [DataWarningCode.DERIVED, DataWarningCode.DEFAULT_READ_AS_NULL]


# ------------------------------------------------------------------ lines


def test_order_rows_are_lines_with_the_vat_of_their_own_spelling() -> None:
    assert to_lines(decode(ORDER_ROWS.encode(), list[RowPayload]), EUR) == (
        Line(
            position="771001",
            item_number="TAS-21",
            name="Fietstas waterdicht",
            quantity=Decimal("2.0"),
            unit_price_excl_vat=money("100.0"),
            unit_price_incl_vat=money("121.0"),
            net_amount=money("200.0"),
            vat_amount=money("42.0"),
            gross_amount=money("242.0"),
            vat_percent=Decimal("21.0"),
        ),
    )


def test_a_credit_row_keeps_its_negative_quantity_and_amounts() -> None:
    lines = to_lines(decode(INVOICE_ROWS.encode(), list[RowPayload]), EUR)
    assert [line.position for line in lines] == ["1", "2"]
    assert lines[1] == Line(
        position="2",
        item_number="TAS-21",
        name="Fietstas waterdicht",
        quantity=Decimal("-1.0"),
        unit_price_excl_vat=money("100.0"),
        unit_price_incl_vat=money("121.0"),
        net_amount=money("-100.0"),
        vat_amount=money("-21.0"),
        gross_amount=money("-121.0"),
        vat_percent=Decimal("21.0"),
    )


def test_a_row_of_which_nothing_is_said_is_an_empty_line() -> None:
    assert to_lines([RowPayload()], EUR) == (Line(),)


def test_payloads_take_every_field_as_optional() -> None:
    for type_ in (CustomerPayload, OrderPayload, InvoicePayload, RowPayload):
        assert decode(b'{"Unheard": 1}', type_) == type_()
        assert all(field.default is not msgspec.NODEFAULT for field in msgspec.structs.fields(type_))


# ------------------------------------------------------------------ rows of lists


def test_the_row_of_an_order_says_what_it_has_and_leaves_the_rest_unread() -> None:
    assert row_of(ORDER_ROW) == Order(
        ref=Ref("shop", Kind.ORDER, "55012"),
        native_type="OrderBasicInfo",
        fetched_at=AT,
        raw=ORDER_ROW.encode(),
        number="UTR-2026-00431",
        ordered_at=datetime(2026, 1, 10, 9, 31, tzinfo=CET),
        status=OrderStatus.OPEN,
        source_statuses=UNREAD,
        currency=EUR,
        totals=Totals(
            vat_basis=VatBasis.INCLUDING_VAT,
            total=money("242.0"),
            excl_vat=money("200.0"),
            vat=money("42.0"),
            incl_vat=money("242.0"),
            signed_total=money("242.0"),
        ),
        lines=UNREAD,
        customer=UNREAD,
        delivery_method=None,
        payment_method=None,
        warnings=(DERIVED,),
    )


def test_the_row_of_an_order_knows_its_shop_from_the_list_so_that_the_order_is_read_by_the_published_call() -> None:
    assert row_of(ORDER_ROW).ref.hint == "3/UTR-2026-00431"


def test_what_a_row_of_an_order_lacks_is_unread_and_not_absent() -> None:
    row = row_of('{"Id": 55012}')
    assert (row.number, row.ordered_at, row.status, row.currency, row.totals) == (UNREAD, UNREAD, UNREAD, UNREAD, UNREAD)
    assert row_of('{"Id": 55012, "Deleted": true}').status is OrderStatus.DELETED


def test_a_row_of_an_order_with_a_currency_id_alone_leaves_the_currency_to_the_order_unless_the_id_is_configured() -> None:
    body = changed(ORDER_ROW, CurrencyCode=None)
    assert (row_of(body).currency, row_of(body).totals) == (UNREAD, UNREAD)
    assert row_of(body, replace(PROFILE, currencies={"1": "EUR"})).currency == EUR


def test_an_invoice_read_through_its_order_carries_what_is_known_of_the_order() -> None:
    row = row_of(ORDER_ROW)
    body = INVOICE_BASE_2021.encode()
    for known, expected in ((row, row), (replace(row, ref=Ref("shop", Kind.ORDER, "7")), None)):
        invoice = to_invoice(decode(body, InvoicePayload), PROFILE, Sent("88121", body, AT), is_whole=False, order=known)
        (order,) = invoice.orders or ()
        assert order == (expected or Order(ref=Ref("shop", Kind.ORDER, "55012"), native_type="Order", number="UTR-2026-00431"))


def test_an_invoice_read_through_a_reference_to_its_order_says_its_number_and_keeps_the_hint() -> None:
    body = INVOICE_BASE_2021.encode()
    known = Order(ref=Ref("shop", Kind.ORDER, "55012", hint="3/UTR-2026-00431"), native_type="Order")
    invoice = to_invoice(decode(body, InvoicePayload), PROFILE, Sent("88121", body, AT), is_whole=False, order=known)
    (order,) = invoice.orders or ()
    assert (order.number, order.ref.hint) == ("UTR-2026-00431", "3/UTR-2026-00431")


# ------------------------------------------------------------------ what goes along with a ref


def test_an_invoice_carries_its_order_and_total_so_that_its_payments_cost_no_other_read() -> None:
    hint = invoice_of(INVOICE).ref.hint
    assert hint == "order/55012/242.0/EUR/RECORD"
    assert Bill.from_hint(hint) == Bill("55012", money("242.0"))
    assert invoice_of(changed(INVOICE, OrderId=None)).ref.hint is None


@given(
    st.integers(1, 10**9).map(str),
    st.none()
    | st.builds(
        Money,
        st.decimals(allow_nan=False, allow_infinity=False),
        st.builds(Currency, st.sampled_from([None, "EUR"]), st.sampled_from(CurrencyOrigin)),
    ),
)
def test_a_bill_survives_being_a_hint(order: str, total: Money | None) -> None:
    bill = Bill.from_hint(Bill(order, total).to_hint())
    assert bill == Bill(order, total)
    assert bill is not None
    assert str(bill.total) == str(total)


@pytest.mark.parametrize("hint", [None, "", "order", "3/UTR-2026-00431", "order/1/2", "order/1/2/EUR"])
def test_any_other_hint_is_no_bill(hint: str | None) -> None:
    assert Bill.from_hint(hint) is None


def test_a_customer_carries_its_e_mail_address_as_its_orders_are_listed_by_that() -> None:
    assert customer_of(CUSTOMER).ref.hint == "facturen@devriesfietsen.example"


def test_a_customer_without_an_e_mail_address_of_its_own_carries_the_one_it_is_billed_at() -> None:
    customer = customer_of('{"Id": 20411, "EMail": "", "BillToAddress": {"EMail": "bill@example.nl"}}')
    assert (customer.email, customer.ref.hint) == (None, "bill@example.nl")


def test_a_label_is_the_name_in_the_definition() -> None:
    ref = label("order-status/12")
    body = ORDER_STATUS.encode()
    assert to_label(decode(body, StatusPayload), ref, Sent("12", body, AT)) == LabelRow(
        ref=ref, native_type="OrderStatusDefinition", fetched_at=AT, raw=body, warnings=(), label="In behandeling"
    )
