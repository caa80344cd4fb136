from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    Address,
    Charge,
    ChargeKind,
    Currency,
    CurrencyOrigin,
    Customer,
    CustomerKind,
    DataWarning,
    DataWarningCode,
    Invoice,
    InvoiceSettings,
    InvoiceType,
    Kind,
    Line,
    Money,
    Note,
    NoteRole,
    Order,
    OrderStatus,
    PaymentStatus,
    Ref,
    SourceCode,
    Totals,
    Unread,
    VatBasis,
)
from gateway.sources.compilator.mapping import Sent, to_currency_row, to_customer, to_invoice, to_number, to_order, to_settings
from gateway.sources.compilator.payloads import CurrencyPayload, CustomerPayload, InvoicePayload, OrderPayload, SettingsPayload
from gateway.sources.decode import Malformed, decode
from tests.sources.compilator.samples import CURRENCY, CUSTOMER, GUID, INVOICE, NOW, ORDER, PILOT_SETTINGS, SETTINGS, make_profile

SEK = Currency("SEK", CurrencyOrigin.RECORD)
STOCKHOLM = ZoneInfo("Europe/Stockholm")


def changed(text: str, **fields: object) -> str:
    return msgspec.json.encode({**msgspec.json.decode(text), **fields}).decode()


def without(text: str, name: str) -> str:
    tree = msgspec.json.decode(text)
    del tree[name]
    return msgspec.json.encode(tree).decode()


def read_customer(text: str = CUSTOMER) -> Customer:
    raw = text.encode()
    return to_customer(decode(raw, CustomerPayload), Sent(raw, NOW), make_profile())


def read_order(text: str = ORDER, key: str = "5512/12", **profile: Any) -> Order:  # noqa: ANN401  (fields of SourceProfile)
    raw = text.encode()
    return to_order(decode(raw, OrderPayload), Ref("src", Kind.ORDER, key), Sent(raw, NOW), make_profile(**profile))


def read_invoice(text: str = INVOICE, **profile: Any) -> Invoice:  # noqa: ANN401  (fields of SourceProfile)
    raw = text.encode()
    return to_invoice(decode(raw, InvoicePayload), Ref("src", Kind.INVOICE, "910234"), Sent(raw, NOW), make_profile(**profile))


def read_settings(text: str = SETTINGS, **profile: Any) -> InvoiceSettings:  # noqa: ANN401  (fields of SourceProfile)
    raw = text.encode()
    ref = Ref("src", Kind.INVOICE_SETTINGS, "40017")
    return to_settings(decode(raw, SettingsPayload), ref, make_profile(**profile), Sent(raw, NOW))


def kr(amount: str, currency: Currency = SEK) -> Money:
    return Money(Decimal(amount), currency)


def codes(warnings: tuple[DataWarning, ...] | Unread | None) -> list[tuple[DataWarningCode, tuple[str, ...] | None]]:
    assert isinstance(warnings, tuple)
    return [(warning.code, warning.field) for warning in warnings]


def test_a_customer_is_keyed_by_its_number_and_hints_at_its_guid() -> None:
    customer = read_customer()
    assert customer == Customer(
        ref=Ref("src", Kind.CUSTOMER, "40017"),
        native_type="Customer",
        number="40017",
        name="Mälaråkeriet AB",
        kind=CustomerKind.ORGANIZATION,
        organization_number="5567012231",
        vat_number="SE556701223101",
        email="faktura@malarakeri.example",
        phone="+46 21 555 100",
        billing_address=Address(
            line1="Stenbygatan 4",
            postal_code="721 36",
            city="Västerås",
            country_code="SE",
            country_name="Sverige",
            gln="7350012345678",
        ),
        fetched_at=NOW,
        raw=CUSTOMER.encode(),
        warnings=(),
    )
    assert customer.ref.hint == GUID


def test_the_numbers_of_a_person_are_left_out_because_they_are_personal_identity_numbers() -> None:
    customer = read_customer(changed(CUSTOMER, IsCompany=False))
    assert (customer.kind, customer.organization_number, customer.vat_number) == (CustomerKind.PERSON, None, None)


@pytest.mark.parametrize(
    ("org_no", "vat_number", "is_personal"),
    [
        ("800101-1234", None, True),
        ("19800161-1234", "SE800161123401", True),
        ("230101+1234", "", True),
        (None, "se800101123401", True),
        ("556701-2231", "SE556701223101", False),
        ("912345678", "NO912345678MVA", False),
        (None, None, False),
    ],
)
def test_where_the_kind_is_not_said_numbers_that_can_be_personal_are_left_out(
    org_no: str | None, vat_number: str | None, *, is_personal: bool
) -> None:
    customer = read_customer(changed(CUSTOMER, IsCompany=None, OrgNo=org_no, VatRegistrationNumber=vat_number))
    shown = (None, None) if is_personal else (org_no and org_no.replace("-", ""), vat_number)
    assert (customer.kind, customer.organization_number, customer.vat_number) == (CustomerKind.UNKNOWN, *shown)


def test_a_customer_that_is_not_said_to_be_a_company_is_of_unknown_kind() -> None:
    customer = read_customer('{"CustomerNo": 7}')
    assert (customer.kind, customer.billing_address, customer.ref.hint) == (CustomerKind.UNKNOWN, None, None)


def test_two_further_address_lines_are_joined_and_said_to_be() -> None:
    customer = read_customer(changed(CUSTOMER, Address2="Port 3", Address3="Plan 2", Phone1=""))
    assert isinstance(customer.billing_address, Address)
    assert customer.billing_address.line2 == "Port 3, Plan 2"
    assert customer.phone is None
    assert codes(customer.warnings) == [(DataWarningCode.DERIVED, ("billingAddress", "line2"))]


@pytest.mark.parametrize("number", [None, 0])
def test_a_customer_without_a_number_cannot_be_read(number: int | None) -> None:
    with pytest.raises(Malformed, match="CustomerNo"):
        read_customer(changed(CUSTOMER, CustomerNo=number))


def test_an_order_is_read_whole() -> None:
    asked = Currency(None, CurrencyOrigin.UNKNOWN, ask=Ref("src", Kind.CURRENCY, "1"))
    assert read_order() == Order(
        ref=Ref("src", Kind.ORDER, "5512/12"),
        native_type="OrderHead",
        number="5512",
        ordered_at=datetime(2026, 1, 19, tzinfo=STOCKHOLM),
        status=OrderStatus.OPEN,
        source_statuses=(SourceCode("OrderStatusId", "1", "Öppen"), SourceCode("WMSStatusId", "1", "Ej skickad")),
        currency=asked,
        totals=Totals(
            vat_basis=VatBasis.INCLUDING_VAT,
            total=kr("13275.0", asked),
            excl_vat=kr("10620.0", asked),
            incl_vat=kr("13275.0", asked),
            rounding=kr("0.0", asked),
            signed_total=kr("13275.0", asked),
        ),
        lines=(
            Line(
                position="1",
                item_number="810045",
                name="Vinterdäck 315/70R22.5",
                quantity=Decimal("4.0"),
                unit_price_excl_vat=kr("2950.0", asked),
                net_amount=kr("10620.0", asked),
                vat_amount=kr("2655.0", asked),
                vat_percent=Decimal("25.0"),
            ),
            Line(position="2", description="Monteras innan kl. 07"),
        ),
        customer=Customer(ref=Ref("src", Kind.CUSTOMER, "40017"), native_type="Customer", number="40017"),
        delivery_method=None,
        payment_method=None,
        fetched_at=NOW,
        raw=ORDER.encode(),
        warnings=(),
    )


def test_amounts_keep_the_scale_that_was_sent() -> None:
    order = read_order(ORDER.replace("13275.0", "13275.00"))
    assert isinstance(order.totals, Totals)
    assert order.totals.total is not None
    assert str(order.totals.total.amount) == "13275.00"


def test_an_order_without_lines_and_one_that_does_not_give_them_differ() -> None:
    assert read_order(changed(ORDER, OrderLines=[])).lines == ()
    assert read_order(changed(ORDER, OrderLines=None)).lines is None


@pytest.mark.parametrize(("code", "status"), [(2, OrderStatus.CLOSED), (3, OrderStatus.DELETED), (None, OrderStatus.UNKNOWN)])
def test_published_order_statuses_are_mapped(code: int | None, status: OrderStatus) -> None:
    order = read_order(changed(ORDER, OrderStatusId=code))
    assert (order.status, order.warnings) == (status, ())


def test_an_order_status_of_no_published_meaning_is_unknown_unless_configured() -> None:
    order = read_order(changed(ORDER, OrderStatusId=9))
    assert order.status is OrderStatus.UNKNOWN
    assert codes(order.warnings) == [(DataWarningCode.UNMAPPED_VALUE, ("status",))]
    configured = read_order(changed(ORDER, OrderStatusId=9), order_status={"9": OrderStatus.DELIVERED})
    assert (configured.status, configured.warnings) == (OrderStatus.DELIVERED, ())


def test_a_configured_currency_id_needs_no_question() -> None:
    assert read_order(currencies={"1": "SEK"}).currency == SEK


def test_a_default_currency_stands_in_until_the_row_is_asked() -> None:
    expected = Currency("NOK", CurrencyOrigin.SOURCE_DEFAULT, ask=Ref("src", Kind.CURRENCY, "1"))
    assert read_order(default_currency="NOK").currency == expected


def test_an_order_without_a_currency_says_that_it_is_unknown() -> None:
    order = read_order(changed(ORDER, CurrencyId=0))
    assert order.currency == Currency(None, CurrencyOrigin.UNKNOWN)
    assert codes(order.warnings) == [
        (DataWarningCode.DEFAULT_READ_AS_NULL, ("currency",)),
        (DataWarningCode.CURRENCY_UNKNOWN, ("currency",)),
    ]


def test_an_order_without_a_customer_number_refers_to_no_customer() -> None:
    assert read_order(without(ORDER, "CustomerNumber")).customer is None


def test_the_answer_to_another_order_is_refused() -> None:
    with pytest.raises(Malformed, match="Id is not the one"):
        read_order(key="5513/12")


def test_an_invoice_is_read_whole() -> None:
    invoice = read_invoice()
    assert invoice == Invoice(
        ref=Ref("src", Kind.INVOICE, "910234"),
        native_type="InvoiceHead",
        type=InvoiceType.UNKNOWN,
        is_credit=False,
        number="910234",
        external_numbers=None,
        issue_date=date(2026, 1, 21),
        due_date=date(2026, 2, 20),
        created_at=datetime(2026, 1, 21, 22, 50, 59, tzinfo=STOCKHOLM),
        updated_at=None,
        currency=SEK,
        totals=Totals(
            vat_basis=VatBasis.INCLUDING_VAT,
            total=kr("13311.0"),
            excl_vat=kr("10649.0"),
            vat=kr("2662.25"),
            incl_vat=kr("13311.0"),
            rounding=kr("-0.25"),
            signed_total=kr("13311.0"),
        ),
        charges=(Charge(ChargeKind.INVOICE_FEE, kr("29.0"), VatBasis.UNKNOWN),),
        payment_status=PaymentStatus.UNKNOWN,
        paid_at=None,
        source_statuses=(SourceCode("InvoiceType", "1", "Kontofaktura"),),
        is_deleted=None,
        email_sent=None,
        sent_at=None,
        delivery_date=None,
        notes=(Note(NoteRole.INVOICE_TEXT, "Ordernr 5512"),),
        customer=Customer(ref=Ref("src", Kind.CUSTOMER, GUID), native_type="Customer", is_alias=True, name="Mälaråkeriet AB"),
        orders=None,
        credited_invoice_number=None,
        group_key=None,
        lines=None,
        document=None,
        custom_fields=None,
        details=invoice.details,
        fetched_at=NOW,
        raw=INVOICE.encode(),
        warnings=invoice.warnings,
    )
    assert codes(invoice.warnings) == [
        (DataWarningCode.UNMAPPED_VALUE, ("type",)),
        (DataWarningCode.VAT_BASIS_UNKNOWN, ("charges", "vatBasis")),
    ]


def test_the_fields_that_this_system_alone_has_are_details() -> None:
    details = read_invoice().details
    assert details is not None
    assert not isinstance(details, Unread)
    assert details.system == "COMPILATOR"
    assert details.fields == {
        "journal_number": "4411",
        "currency_rate": Decimal("1.0"),
        "invoice_reference_code": "9102341",
        "invoice_recipient_id": GUID,
        "invoice_recipient_name": "Mälaråkeriet AB",
        "sender_name": "Däckcenter Västerås",
        "default_vat_percent": Decimal("25.0"),
    }


def test_no_field_of_an_invoice_stays_unread() -> None:
    invoice = read_invoice("{}")
    assert [name for name in Invoice.__dataclass_fields__ if isinstance(getattr(invoice, name), Unread)] == []


def test_us_dates_are_read_as_well() -> None:
    invoice = read_invoice(changed(INVOICE, InvoiceDate="12/21/2025 12:00:00 AM", Created="12/21/2025 1:04:33 PM"))
    assert invoice.issue_date == date(2025, 12, 21)
    assert invoice.created_at == datetime(2025, 12, 21, 13, 4, 33, tzinfo=STOCKHOLM)


def test_totals_that_do_not_add_up_are_a_warning() -> None:
    invoice = read_invoice(changed(INVOICE, RoundingAmount=0, InvoiceFee=0, InvoiceType=None))
    assert codes(invoice.warnings) == [(DataWarningCode.ARITHMETIC_MISMATCH, ("totals", "inclVat"))]
    assert invoice.charges == ()


def test_a_negative_total_is_a_credit_and_keeps_its_sign() -> None:
    invoice = read_invoice(changed(INVOICE, TotalAmount=-100))
    assert invoice.is_credit is True
    assert isinstance(invoice.totals, Totals)
    assert invoice.totals.signed_total == kr("-100")


def test_framework_defaults_are_read_as_none_with_a_warning() -> None:
    zero = "00000000-0000-0000-0000-000000000000"
    invoice = read_invoice(changed(INVOICE, BalanceDue="0001-01-01 00:00:00", InvoiceRecipientId=zero, JournalNumber=0))
    assert (invoice.due_date, invoice.customer) == (None, None)
    defaults = [field for code, field in codes(invoice.warnings) if code is DataWarningCode.DEFAULT_READ_AS_NULL]
    assert sorted(field for field in defaults if field) == [("customer",), ("details", "journalNumber"), ("dueDate",)]


def test_an_invoice_without_a_currency_takes_the_configured_one() -> None:
    invoice = read_invoice(without(INVOICE, "CurrencyCode"), default_currency="SEK")
    assert invoice.currency == Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT)


@pytest.mark.parametrize("amount", ['"NaN"', '"Infinity"', "1e400", '"1e31"'])
def test_an_amount_that_is_no_sensible_number_makes_the_invoice_unreadable(amount: str) -> None:
    with pytest.raises(Malformed):
        read_invoice(INVOICE.replace("13311.0", amount))


def test_an_invoice_that_does_not_repeat_its_number_has_the_one_it_was_asked_by() -> None:
    assert read_invoice(without(INVOICE, "No")).number == "910234"


def test_the_answer_to_another_invoice_is_refused() -> None:
    with pytest.raises(Malformed, match="No is not the one"):
        read_invoice(changed(INVOICE, No=910235))


def test_settings_give_each_lookup_id_with_the_label_that_this_installation_has() -> None:
    settings = read_settings(PILOT_SETTINGS, labels={"TermsOfPaymentId": {"30": "30 dagar netto"}})
    assert settings == InvoiceSettings(
        ref=Ref("src", Kind.INVOICE_SETTINGS, "40017"),
        native_type="CustomerInvoice",
        version=settings.version,
        customer=Customer(ref=Ref("src", Kind.CUSTOMER, "40017"), native_type="Customer", number="40017"),
        invoice_recipient=None,
        currency=Currency(None, CurrencyOrigin.UNKNOWN, ask=Ref("src", Kind.CURRENCY, "1")),
        source_currency=SourceCode("CurrencyId", "1"),
        payment_terms=SourceCode("TermsOfPaymentId", "30", "30 dagar netto"),
        invoice_type=SourceCode("InvoiceTypeId", "2"),
        interest_type=SourceCode("InterestTypeId", "1"),
        invoice_cycle=SourceCode("InvoiceCycleId", "1"),
        credit_account=SourceCode("CreditAccountId", "1"),
        retains_invoice_type=True,
        pays_invoice_fee=True,
        allow_invoice_payment_from_order=True,
        send_invoice_from_order_as_email=True,
        invoice_email="faktura@malarakeri.example",
        reverse_tax=False,
        fetched_at=NOW,
        raw=PILOT_SETTINGS.encode(),
        warnings=(),
    )


def test_reverse_tax_that_is_not_returned_is_none_with_a_warning_and_null_is_just_none() -> None:
    absent, null = read_settings(SETTINGS), read_settings(changed(SETTINGS, ReverseTax=None))
    assert (absent.reverse_tax, codes(absent.warnings)) == (None, [(DataWarningCode.WRITE_ONLY_FIELD, ("reverseTax",))])
    assert (null.reverse_tax, null.warnings) == (None, ())


def test_another_recipient_is_a_customer_and_zero_is_none() -> None:
    recipient = read_settings(changed(PILOT_SETTINGS, InvoiceRecipientCustomerNumber=40001)).invoice_recipient
    assert recipient == Customer(ref=Ref("src", Kind.CUSTOMER, "40001"), native_type="Customer", number="40001")
    assert read_settings(changed(PILOT_SETTINGS, InvoiceRecipientCustomerNumber=0)).invoice_recipient is None


def test_a_lookup_id_of_zero_is_none_with_a_warning() -> None:
    settings = read_settings(changed(PILOT_SETTINGS, InvoiceCycleId=0, CurrencyId=None))
    assert (settings.invoice_cycle, settings.currency, settings.source_currency) == (None, None, None)
    assert codes(settings.warnings) == [(DataWarningCode.DEFAULT_READ_AS_NULL, ("invoiceCycle",))]


def test_the_version_is_of_the_content_not_of_the_spelling() -> None:
    tree = msgspec.json.decode(PILOT_SETTINGS)
    reordered = msgspec.json.encode({"Extra": 1, **dict(reversed(tree.items()))}).decode()
    assert read_settings(reordered).version == read_settings(PILOT_SETTINGS).version
    assert len(read_settings().version) == 32


@given(
    field=st.sampled_from(["TermsOfPaymentId", "InvoiceTypeId", "CreditAccountId"]),
    value=st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
)
def test_the_version_changes_exactly_when_a_field_does(field: str, value: int | None) -> None:
    is_same = msgspec.json.decode(PILOT_SETTINGS)[field] == value
    assert (read_settings(changed(PILOT_SETTINGS, **{field: value})).version == read_settings(PILOT_SETTINGS).version) is is_same


def test_a_missing_field_and_a_null_give_different_versions() -> None:
    assert read_settings(SETTINGS).version != read_settings(changed(SETTINGS, ReverseTax=None)).version


def test_a_currency_row_gives_its_iso_code() -> None:
    ref = Ref("src", Kind.CURRENCY, "1")
    row = to_currency_row(decode(CURRENCY.encode(), CurrencyPayload), ref, Sent(CURRENCY.encode(), NOW), make_profile())
    assert (row.code, row.name, row.warnings) == ("SEK", "Svenska kronor", ())


@given(st.integers(1, 2**31 - 1), st.integers(0, 20))
def test_a_number_has_one_spelling(number: int, zeros: int) -> None:
    assert to_number("0" * zeros + str(number)) == str(number)


@pytest.mark.parametrize("text", ["", "0", "-1", "+1", " 1", "1.0", "1e3", "\N{FULLWIDTH DIGIT TWO}", "2147483648", "9" * 5000, GUID])
def test_what_is_no_number_has_no_spelling(text: str) -> None:
    assert to_number(text) is None
