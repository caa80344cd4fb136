from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

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
    CustomField,
    DataWarning,
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
from gateway.sources.decode import Malformed, decode, decode_tree
from gateway.sources.norce.mapping import (
    status_ids,
    to_bill_to,
    to_company,
    to_customer,
    to_customer_from_row,
    to_final,
    to_invoice,
    to_invoice_from_row,
    to_listed_customer,
    to_listed_invoice,
    to_listed_order,
    to_order,
    to_order_from_row,
)
from gateway.sources.norce.payloads import (
    CompanyPayload,
    CustomerPayload,
    CustomerRow,
    InvoicePayload,
    InvoiceRow,
    OrderPayload,
    OrderRow,
    to_row,
    to_row_page,
)
from tests.sources.norce.samples import (
    BILL_TO,
    BUYER_ROW,
    COMPANY,
    COMPANY_ROW,
    CUSTOMER,
    CUSTOMER_ROW,
    HIT,
    INVOICE,
    INVOICE_ROW,
    ITEM_ROW,
    LISTED_INVOICE,
    LISTED_ORDER,
    ORDER,
    PERSON,
    ROW_2,
    ROW_3,
    edited,
    page_of,
    with_more,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORDER_REF = Ref("commerce", Kind.ORDER, "70213", hint="N-100341")
SEK_OF_ORDER = Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT, ask=ORDER_REF)
SEK = Currency("SEK", CurrencyOrigin.RECORD)


def profile(**changes: object) -> SourceProfile:
    fields: dict[str, object] = {
        "key": "commerce",
        "system": "NORCE",
        "display_name": "Shop",
        "time_zone": ZoneInfo("Europe/Stockholm"),
        "default_currency": "SEK",
        **changes,
    }
    return SourceProfile(**fields)  # type: ignore[arg-type]  # spelled by the tests


def invoice(body: str = INVOICE, of: SourceProfile | None = None) -> Invoice:
    return to_invoice(decode(body.encode(), InvoicePayload), body.encode(), of or profile(), NOW)


def order(body: str = ORDER, row: OrderRow | None = None, of: SourceProfile | None = None) -> Order:
    return to_order(decode(body.encode(), OrderPayload), body.encode(), row, of or profile(), NOW)


def customer(body: str = CUSTOMER) -> Customer:
    return to_customer(decode(body.encode(), CustomerPayload), body.encode(), profile(), NOW)


def bill_to_of(party: object) -> Customer:
    found = invoice(edited(INVOICE, BillTo=party)).customer
    assert isinstance(found, Customer)
    return found


def money(amount: str, currency: Currency = SEK_OF_ORDER) -> Money:
    return Money(Decimal(amount), currency)


def codes(record: Record) -> list[tuple[DataWarningCode, tuple[str, ...] | None]]:
    assert isinstance(record.warnings, tuple)
    return [(warning.code, warning.field) for warning in record.warnings]


def row(text: str = ROW_3) -> OrderRow:
    return to_row(decode_tree(text.encode()), OrderRow)


def test_an_invoice_has_every_field_of_its_page() -> None:
    raw = INVOICE.encode()
    assert invoice() == Invoice(
        ref=Ref("commerce", Kind.INVOICE, "50911"),
        native_type="Invoice",
        fetched_at=NOW,
        raw=raw,
        type=InvoiceType.INVOICE,
        is_credit=False,
        number="F-2026-0088",
        external_numbers=(),
        issue_date=date(2026, 1, 17),
        due_date=date(2026, 2, 16),
        created_at=None,
        updated_at=None,
        currency=SEK_OF_ORDER,
        totals=Totals(
            vat_basis=VatBasis.INCLUDING_VAT,
            total=money("6000.0"),
            excl_vat=money("4800.0"),
            vat=money("1200.0"),
            incl_vat=money("6000.0"),
            signed_total=money("6000.0"),
        ),
        charges=(),
        payment_status=PaymentStatus.UNKNOWN,
        paid_at=None,
        source_statuses=None,
        is_deleted=None,
        email_sent=None,
        sent_at=None,
        delivery_date=date(2026, 1, 17),
        notes=(Note(NoteRole.INVOICE_TEXT, "Märke: butik 4"),),
        customer=Customer(
            ref=Ref("commerce", Kind.CUSTOMER, "customer/31877"),
            native_type="CustomerData",
            fetched_at=NOW,
            raw=json.dumps(BILL_TO).encode(),
            number="F-902",
            name="Nordvik Möbler AB",
            kind=CustomerKind.ORGANIZATION,
            organization_number="5590123456",
            vat_number=None,
            email="faktura@nordvik.example",
            phone="+46 70 555 01 02",
            billing_address=Address(
                line1="Kungsportsavenyen 21",
                postal_code="411 36",
                city="Göteborg",
                country_code="SE",
                country_name="Sverige",
                gln="7350098765432",
            ),
            warnings=(),
        ),
        orders=(
            Order(
                ref=ORDER_REF,
                native_type="Order",
                number="N-100341",
                ordered_at=datetime(2026, 1, 15, 8, 41, 12, tzinfo=UTC),
                delivery_method="Hemleverans",
                payment_method="Faktura",
            ),
        ),
        credited_invoice_number=None,
        group_key=None,
        lines=(
            Line(
                position="1",
                item_number="STOL-09",
                name="Pinnstol ek",
                quantity=Decimal(4),
                unit_price_excl_vat=money("1200.0"),
                unit_price_incl_vat=money("1500.0"),
                unit_discount_excl_vat=money("0.0"),
                net_amount=money("4800.0"),
                vat_amount=money("1200.0"),
                gross_amount=money("6000.0"),
                vat_percent=Decimal(25),
            ),
        ),
        document=None,
        custom_fields=(CustomField("CC", "Kostnadsställe", "Bokföring", "4100"),),
        details=Details(
            "NORCE",
            {"created_by_source": "WEB", "delivery_method": "Hemleverans", "payment_method": "Faktura", "drop_point_code": "DP-1"},
        ),
        warnings=(DataWarning(DataWarningCode.DERIVED, "gross is net + VAT of the line", ("lines", "grossAmount")),),
    )


def test_the_reference_to_the_order_carries_its_number_as_a_hint() -> None:
    orders = invoice().orders
    assert isinstance(orders, tuple)
    assert (orders[0].ref.hint, orders[0].status, orders[0].fetched_at) == ("N-100341", UNREAD, None)


def test_a_credit_note_lowers_what_the_customer_owes_whatever_sign_it_has() -> None:
    for amount in ("250.50", "-250.50"):
        record = invoice(INVOICE.replace('"IsDebit": true', '"IsDebit": false').replace("6000.0", amount))
        totals = record.totals
        assert isinstance(totals, Totals)
        assert (record.type, record.is_credit) == (InvoiceType.CREDIT_NOTE, True)
        assert (totals.total, totals.signed_total) == (money(amount), money("-250.50"))


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_the_signed_total_of_a_credit_note_is_never_positive_and_of_a_debit_as_sent(amount: Decimal) -> None:
    for is_debit, expected in ((True, amount), (False, -abs(amount))):
        totals = invoice(f'{{"Id": "1", "IsDebit": {json.dumps(is_debit)}, "InvoiceAmountIncVat": {amount:f}}}').totals
        assert isinstance(totals, Totals)
        assert totals.signed_total is not None
        assert totals.signed_total.amount == expected


def test_without_the_flag_a_positive_total_says_neither_debit_nor_credit() -> None:
    record = invoice(edited(INVOICE, IsDebit=None))
    assert (record.type, record.is_credit) == (InvoiceType.UNKNOWN, None)
    assert isinstance(record.totals, Totals)
    assert record.totals.signed_total is None


def test_an_invoice_without_an_order_takes_the_configured_currency_and_asks_nobody() -> None:
    record = invoice(edited(INVOICE, OrderId=None, OrderNo=None))
    assert (record.currency, record.orders) == (Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT), ())


def test_an_order_number_alone_is_no_order() -> None:
    assert invoice(edited(INVOICE, OrderId="0")).orders is None


def test_a_currency_that_nobody_says_is_warned_of_unless_an_order_can_be_asked() -> None:
    nobody = profile(default_currency=None)
    assert (DataWarningCode.CURRENCY_UNKNOWN, ("currency",)) in codes(invoice(edited(INVOICE, OrderId=None, OrderNo=None), nobody))
    asked = invoice(INVOICE, nobody)
    assert asked.currency == Currency(None, CurrencyOrigin.UNKNOWN, ask=ORDER_REF)
    assert DataWarningCode.CURRENCY_UNKNOWN not in [code for code, _ in codes(asked)]


def test_freight_and_fee_are_charges_of_unknown_vat_basis_and_stop_the_check_of_the_lines() -> None:
    record = invoice(edited(INVOICE, OrderFreight=49, InvoiceCharge=29, InvoiceAmountExVat=4878, VatAmount=1122))
    assert record.charges == (
        Charge(ChargeKind.FREIGHT, money("49"), VatBasis.UNKNOWN),
        Charge(ChargeKind.INVOICE_FEE, money("29"), VatBasis.UNKNOWN),
    )
    assert codes(record) == [
        (DataWarningCode.DERIVED, ("lines", "grossAmount")),
        (DataWarningCode.VAT_BASIS_UNKNOWN, ("charges",)),
    ]


def test_sums_that_do_not_hold_are_reported() -> None:
    record = invoice(edited(INVOICE, InvoiceAmountExVat=4700))
    assert codes(record)[1:] == [
        (DataWarningCode.ARITHMETIC_MISMATCH, ("totals", "inclVat")),
        (DataWarningCode.ARITHMETIC_MISMATCH, ("totals", "exclVat")),
    ]


def test_an_invoice_without_amounts_has_no_totals_and_without_items_no_lines() -> None:
    record = invoice('{"Id": 5}')
    assert (record.ref.native_id, record.totals, record.lines, record.custom_fields) == ("5", None, None, ())
    assert invoice('{"Id": "5", "Items": []}').lines == ()


def test_an_amount_without_vat_alone_is_the_total_without_vat() -> None:
    totals = invoice('{"Id": "5", "IsDebit": true, "InvoiceAmountExVat": 10.00}').totals
    assert isinstance(totals, Totals)
    assert (totals.vat_basis, totals.total) == (VatBasis.EXCLUDING_VAT, totals.excl_vat)


def test_the_vat_rate_of_the_page_s_own_sample_has_no_meaning() -> None:
    items = [{"RowNumber": 2.5, "VatRate": 0, "Quantity": 1}]
    record = invoice(edited(INVOICE, Items=items))
    assert record.lines == (Line(position="2.5", quantity=Decimal(1)),)
    assert (DataWarningCode.UNMAPPED_VALUE, ("lines", "0", "vatPercent")) in codes(record)


def test_notes_group_psp_number_and_credited_number_are_read() -> None:
    record = invoice(edited(INVOICE, Comment="Hej", GroupByKey="G1", InvoiceNoPsp="P-1", CreditedInvoiceNo="F-1"))
    assert record.notes == (Note(NoteRole.INVOICE_TEXT, "Märke: butik 4"), Note(NoteRole.COMMENT, "Hej"))
    assert record.external_numbers == (ExternalNumber(ExternalNumberRole.PSP, "P-1"),)
    assert (record.group_key, record.credited_invoice_number) == ("G1", "F-1")


def test_a_custom_field_value_that_is_no_text_is_given_as_its_json() -> None:
    record = invoice('{"Id": "5", "Info": [{"Code": "n", "Value": 4.10}, {"Code": "e", "Value": null}, {"Code": "m"}]}')
    assert record.custom_fields == (CustomField("n", value="4.10"), CustomField("e"), CustomField("m"))


def test_a_framework_date_is_read_as_none_with_a_warning() -> None:
    record = invoice(edited(INVOICE, InvoiceDueDate="0001-01-01T00:00:00"))
    assert record.due_date is None
    assert (DataWarningCode.DEFAULT_READ_AS_NULL, ("dueDate",)) in codes(record)


@pytest.mark.parametrize(
    "body", ['{"InvoiceNo": "F-1"}', '{"Id": 0}', '{"Id": "1", "InvoiceDate": "soon"}', '{"Id": "1", "VatAmount": "NaN"}']
)
def test_an_invoice_without_an_id_or_with_nonsense_is_malformed(body: str) -> None:
    with pytest.raises(Malformed):
        invoice(body)


def test_a_bill_to_party_is_known_by_customer_then_company_then_its_order() -> None:
    no_person = {**BILL_TO, "Customer": {**PERSON, "Id": None}}
    guest = {**no_person, "Company": None}
    assert [bill_to_of(party).ref for party in (BILL_TO, no_person, guest)] == [
        Ref("commerce", Kind.CUSTOMER, "customer/31877"),
        Ref("commerce", Kind.CUSTOMER, "company/902"),
        Ref("commerce", Kind.CUSTOMER, "order/70213/billto"),
    ]
    assert bill_to_of(guest).ref.hint == "N-100341"


def test_a_person_is_named_by_first_and_last_name_and_a_company_of_nulls_is_none() -> None:
    nobody: dict[str, None] = dict.fromkeys(COMPANY)
    party = bill_to_of({**BILL_TO, "Company": nobody})
    assert (party.name, party.kind, party.number, party.organization_number) == ("Linnea Nordvik", CustomerKind.PERSON, "C-31877", None)


def test_no_bill_to_or_an_empty_one_is_no_customer() -> None:
    parties: tuple[object, ...] = (None, {})
    assert [invoice(edited(INVOICE, BillTo=party)).customer for party in parties] == [None, None]


def test_a_personal_identity_number_becomes_no_field() -> None:
    party = bill_to_of({**BILL_TO, "Company": None})
    assert "19800101-1234" not in [getattr(party, name) for name in Customer.__dataclass_fields__]


def test_an_order_takes_its_status_from_query_and_the_rest_from_order_service() -> None:
    record = order(row=row())
    assert (record.status, record.source_statuses) == (
        OrderStatus.INVOICED,
        (SourceCode("StatusId", "5"), SourceCode("Status", "Levererad")),
    )
    assert record.ref == ORDER_REF
    assert (record.number, record.ordered_at, record.currency) == ("N-100341", datetime(2026, 1, 15, 8, 41, 12, tzinfo=UTC), SEK)
    assert record.totals == Totals(
        vat_basis=VatBasis.INCLUDING_VAT,
        total=money("6000.0", SEK),
        excl_vat=money("4800.0", SEK),
        incl_vat=money("6000.0", SEK),
        signed_total=money("6000.0", SEK),
    )
    assert record.lines == (
        Line(
            position="1",
            item_number="STOL-09",
            name="Pinnstol ek",
            quantity=Decimal(4),
            unit_price_excl_vat=money("1200.0", SEK),
            unit_discount_excl_vat=money("0.0", SEK),
            net_amount=money("4800.0", SEK),
            vat_percent=Decimal(25),
        ),
    )
    assert (record.delivery_method, record.payment_method, record.warnings) == ("Hemleverans", "Faktura", ())
    assert isinstance(record.customer, Customer)
    assert record.customer.ref.native_id == "customer/31877"


def test_a_guest_who_buys_is_who_the_order_is_billed_to_when_it_names_nobody_else() -> None:
    guest = order(edited(ORDER, SellTo={"Customer": {"FirstName": "Ida"}})).customer
    assert isinstance(guest, Customer)
    assert (guest.ref.native_id, guest.name) == ("order/70213/billto", "Ida")
    assert order(edited(ORDER, SellTo=None)).customer is None


def test_a_status_text_alone_is_unknown_unless_configured() -> None:
    record = order()
    assert (record.status, codes(record)) == (OrderStatus.UNKNOWN, [(DataWarningCode.UNMAPPED_VALUE, ("status",))])
    configured = profile(order_status={"Levererad": OrderStatus.DELIVERED}, labels={"Status": {"Levererad": "Delivered"}})
    known = order(of=configured)
    assert (known.status, known.source_statuses) == (OrderStatus.DELIVERED, (SourceCode("Status", "Levererad", "Delivered"),))


@pytest.mark.parametrize(
    ("status_id", "status"),
    [
        (0, OrderStatus.OPEN),
        (1, OrderStatus.OPEN),
        (2, OrderStatus.CONFIRMED),
        (3, OrderStatus.UNKNOWN),
        (4, OrderStatus.DELIVERED),
        (5, OrderStatus.INVOICED),
        (6, OrderStatus.CANCELLED),
        (8, OrderStatus.DELIVERED),
    ],
)
def test_the_documented_status_ids_are_mapped(status_id: int, status: OrderStatus) -> None:
    assert order(row=row(f'{{"id": 70213, "statusId": {status_id}}}')).status == status


def test_a_configured_status_wins_over_the_documented_one() -> None:
    assert order(row=row(), of=profile(order_status={"5": OrderStatus.CLOSED})).status == OrderStatus.CLOSED


def query_order(text: str = ROW_3, of: SourceProfile | None = None) -> Order:
    return to_order_from_row(row(text), text.encode(), of or profile(), NOW)


def test_an_order_of_query_leaves_unread_what_order_service_alone_can_tell() -> None:
    assert query_order() == Order(
        ref=ORDER_REF,
        native_type="Order",
        fetched_at=NOW,
        raw=ROW_3.encode(),
        number="N-100341",
        ordered_at=datetime(2026, 1, 15, 8, 41, 12, tzinfo=UTC),
        status=OrderStatus.INVOICED,
        source_statuses=(SourceCode("StatusId", "5"),),
        currency=UNREAD,
        totals=UNREAD,
        lines=UNREAD,
        customer=Customer(ref=Ref("commerce", Kind.CUSTOMER, "customer/31877"), native_type="Customer", kind=CustomerKind.ORGANIZATION),
        delivery_method="Hemleverans",
        payment_method=UNREAD,
        warnings=(),
    )
    assert query_order(of=profile(currencies={"2": "EUR"})).currency == Currency("EUR", CurrencyOrigin.RECORD)


def test_an_order_that_query_alone_shows_has_no_totals_no_lines_and_the_currency_of_the_source() -> None:
    whole = to_final(query_order(), profile())
    assert (whole.totals, whole.lines, whole.payment_method, whole.currency) == (
        None,
        None,
        None,
        Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT),
    )
    assert codes(to_final(query_order(), profile(default_currency=None))) == [(DataWarningCode.CURRENCY_UNKNOWN, ("currency",))]


def test_lines_of_query_are_those_of_order_service_with_the_vat_rate_as_percent() -> None:
    of = profile(currencies={"2": "SEK"})
    assert query_order(with_more(ROW_3, items=f"[{ITEM_ROW}]"), of).lines == order().lines
    other = '{"RowNumber": 1, "PartNo": "STOL-09", "Name": "Pinnstol ek", "QtyOrdered": 4, "UnitPrice": 1200.0, "UnitDiscount": 0.0'
    assert query_order(with_more(ROW_3, items=f'[{other}, "RowAmount": 4800.0, "VatRate": 25}}]'), of).lines == order().lines


def test_lines_of_query_in_an_unmapped_currency_ask_their_order_for_it() -> None:
    lines = query_order(with_more(ROW_3, items=f"[{ITEM_ROW}]")).lines
    assert isinstance(lines, tuple)
    assert lines[0].net_amount == money("4800.0")


@pytest.mark.parametrize("items", ["null", '"x"', "[7]", '[{"quantity": "four"}]'])
def test_lines_that_are_not_what_we_know_stay_unread(items: str) -> None:
    assert query_order(with_more(ROW_3, items=items)).lines is UNREAD
    assert query_order(with_more(ROW_3, items="[]")).lines == ()


@pytest.mark.parametrize(
    ("discount", "line_amount", "of_a_unit"),
    [("0.0", "4800.0", "0.0"), ("100.0", "4400.0", "100.0"), ("100.0", "4700.0", None), ("100.0", "1.0", None)],
)
def test_a_discount_of_query_is_of_a_unit_only_where_the_line_proves_it(discount: str, line_amount: str, of_a_unit: str | None) -> None:
    item = ITEM_ROW.replace('"discountAmount": 0.0', f'"discountAmount": {discount}').replace("4800.0", line_amount)
    lines = query_order(with_more(ROW_3, items=f"[{item}]")).lines
    assert isinstance(lines, tuple)
    assert lines[0].unit_discount_excl_vat == (None if of_a_unit is None else money(of_a_unit))


@given(st.decimals(min_value=0, max_value=100, places=3))
def test_a_percent_of_query_and_the_multiplier_of_the_services_read_alike(percent: Decimal) -> None:
    item = ITEM_ROW.replace('"vatRate": 25.0', f'"vatRate": {percent}')
    service = edited(ORDER).replace('"VatRate": 1.25', f'"VatRate": {1 + percent / 100}')
    ours, theirs = query_order(with_more(ROW_3, items=f"[{item}]")).lines, order(service).lines
    assert isinstance(ours, tuple)
    assert isinstance(theirs, tuple)
    assert str(ours[0].vat_percent) == str(theirs[0].vat_percent)


def test_a_negative_percent_is_no_rate() -> None:
    record = query_order(with_more(ROW_3, items="[" + ITEM_ROW.replace("25.0", "-1") + "]"))
    assert codes(record) == [(DataWarningCode.UNMAPPED_VALUE, ("lines", "0", "vatPercent"))]


def test_the_buyer_of_query_comes_along_with_the_order() -> None:
    codes_of_buyer = {"buyerCompanyCode": '"F-902"', "buyerCustomerCode": '"C-31877"'}
    assert query_order(with_more(ROW_3, **codes_of_buyer, buyer=BUYER_ROW)).customer == Customer(
        ref=Ref("commerce", Kind.CUSTOMER, "customer/31877"),
        native_type="Customer",
        number="F-902",
        name="Nordvik Möbler AB",
        kind=CustomerKind.ORGANIZATION,
        email="inkop@nordvik.example",
        phone=None,
    )


@pytest.mark.parametrize(
    ("row_text", "expected"),
    [
        (with_more(ROW_2, PayerCompanyId="7", BuyerCustomerId="9", Buyer=BUYER_ROW), ("company/7", UNREAD, UNREAD, UNREAD)),
        (with_more(ROW_2, PayerCustomerId="0", BuyerCustomerId="9"), ("customer/9", UNREAD, UNREAD, UNREAD)),
        (with_more(ROW_2, Buyer='{"FirstName": "Ida", "Email": "ida@x.example"}'), ("order/70213/billto", None, "Ida", "ida@x.example")),
        (with_more(ROW_2, Buyer='{"Id": 1}'), ("order/70213/billto", None, UNREAD, UNREAD)),
    ],
)
def test_the_payer_comes_before_the_buyer_and_a_guest_is_known_by_the_order(row_text: str, expected: tuple[object, ...]) -> None:
    party = query_order(row_text).customer
    assert isinstance(party, Customer)
    assert (party.ref.native_id, party.number, party.name, party.email) == expected


def test_without_ids_a_buyer_who_was_not_asked_for_is_unread_and_one_that_is_null_is_none() -> None:
    assert query_order(ROW_2).customer is UNREAD
    assert query_order(with_more(ROW_2, Buyer="null")).customer is None


def test_a_status_that_a_configured_text_may_tell_is_unread_in_query() -> None:
    of = profile(order_status={"Levererad": OrderStatus.DELIVERED})
    unknown = ROW_3.replace('"statusId": 5', '"statusId": 3')
    assert (query_order(unknown, of).status, query_order(unknown).status) == (UNREAD, OrderStatus.UNKNOWN)
    assert query_order(of=of).status == OrderStatus.INVOICED


def test_the_ids_of_a_status_are_the_documented_ones_as_configured() -> None:
    assert status_ids(OrderStatus.DELIVERED, profile()) == ("4", "8")
    assert status_ids(OrderStatus.DELIVERED, profile(order_status={"8": OrderStatus.OPEN, "9": OrderStatus.DELIVERED})) == ("4", "9")
    assert status_ids(OrderStatus.DELETED, profile()) == ()
    assert status_ids(OrderStatus.UNKNOWN, profile()) is None
    assert status_ids(OrderStatus.OPEN, profile(order_status={"Ny": OrderStatus.OPEN})) is None


def test_an_invoice_of_query_says_what_get_invoice_says_and_leaves_the_rest_unread() -> None:
    record = to_invoice_from_row(to_row(decode_tree(INVOICE_ROW.encode()), InvoiceRow), INVOICE_ROW.encode(), profile(), NOW)
    whole = invoice(edited(INVOICE, GroupByKey="G-1"))
    same = (
        "ref",
        "fetched_at",
        "number",
        "issue_date",
        "due_date",
        "group_key",
        "payment_status",
        "source_statuses",
        "is_deleted",
        "document",
    )
    assert [getattr(record, name) for name in same] == [getattr(whole, name) for name in same]
    assert (record.type, record.totals, record.lines, record.currency, record.details) == (UNREAD, UNREAD, UNREAD, UNREAD, UNREAD)
    assert isinstance(record.orders, tuple)
    assert isinstance(record.customer, Customer)
    assert (record.orders[0].ref, record.customer.ref.native_id) == (ORDER_REF, "customer/31877")


def test_a_listed_invoice_of_an_order_knows_its_order_and_asks_it_for_the_customer() -> None:
    record = to_listed_invoice(LISTED_INVOICE.encode(), ORDER_REF, None, profile(), NOW)
    whole = invoice()
    same = (
        "ref", "fetched_at", "type", "is_credit", "number", "external_numbers", "issue_date", "due_date", "currency", "orders", "group_key",
        "delivery_date", "payment_status",
    )  # fmt: skip
    assert [getattr(record, name) for name in same] == [getattr(whole, name) for name in same]
    light = ("totals", "charges", "notes", "customer", "credited_invoice_number", "lines", "custom_fields", "details")
    assert {getattr(record, name) for name in light} == {UNREAD}
    assert (record.native_type, record.warnings) == ("Invoice", ())


def test_null_in_a_light_row_is_no_answer_where_light_rows_have_nothing_to_say() -> None:
    nulls = dict.fromkeys(
        ("Items", "Info", "OrderId", "OrderFreight", "InvoiceCharge", "CreditedInvoiceNo", "Comment", "InvoiceAmountIncVat")
    )
    record = to_listed_invoice(edited(LISTED_INVOICE, **nulls).encode(), ORDER_REF, None, profile(), NOW)
    light = ("totals", "charges", "notes", "credited_invoice_number", "lines", "custom_fields")
    assert {getattr(record, name) for name in light} == {UNREAD}
    assert (record.group_key, record.external_numbers) == (None, ())
    assert to_listed_order(edited(LISTED_ORDER, Items=None).encode(), profile(), NOW).lines is UNREAD


def test_a_listed_invoice_of_a_customer_is_that_customers() -> None:
    ref = Ref("commerce", Kind.CUSTOMER, "customer/31877")
    record = to_listed_invoice(LISTED_INVOICE.encode(), None, ref, profile(default_currency=None), NOW)
    assert (record.orders, record.currency, record.warnings) == (UNREAD, UNREAD, ())
    assert record.customer == Customer(
        ref=ref,
        native_type="CustomerData",
        number="F-902",
        name="Nordvik Möbler AB",
        kind=CustomerKind.ORGANIZATION,
        organization_number="5590123456",
    )
    nobody = to_listed_invoice(edited(LISTED_INVOICE, BillTo=None).encode(), None, ref, profile(), NOW)
    assert nobody.customer == Customer(ref=ref, native_type="CustomerData")


@pytest.mark.parametrize(
    ("changes", "is_credit"),
    [({"IsDebit": False}, True), ({"InvoiceAmountExVat": -9000.0}, True), ({"VatAmount": None}, UNREAD), ({"IsDebit": None}, UNREAD)],
)
def test_whether_a_light_row_is_a_credit_is_said_by_the_flag_and_both_parts_of_its_total(
    changes: dict[str, object], is_credit: object
) -> None:
    assert to_listed_invoice(edited(LISTED_INVOICE, **changes).encode(), ORDER_REF, None, profile(), NOW).is_credit is is_credit


def test_a_listed_order_has_its_totals_and_leaves_the_rest_unread() -> None:
    record = to_listed_order(LISTED_ORDER.encode(), profile(), NOW)
    same = ("ref", "number", "ordered_at", "status", "source_statuses", "currency", "totals", "warnings")
    assert [getattr(record, name) for name in same] == [getattr(order(), name) for name in same]
    assert {record.lines, record.customer, record.delivery_method, record.payment_method} == {UNREAD}


def test_a_company_is_whole_and_a_hit_of_the_search_is_not() -> None:
    company = to_company(decode(COMPANY_ROW.encode(), CompanyPayload), COMPANY_ROW.encode(), profile(), NOW)
    assert (company.ref.native_id, company.number, company.name, company.organization_number, company.email) == (
        "company/902",
        "F-902",
        "Nordvik Möbler AB",
        "5590123456",
        None,
    )
    hit = to_listed_customer(HIT.encode(), profile(), NOW)
    assert (hit.ref.native_id, hit.number, hit.email) == ("customer/31877", "C-31877", "inkop@nordvik.example")
    assert {hit.name, hit.kind, hit.organization_number, hit.phone} == {UNREAD}
    assert to_listed_customer(CUSTOMER.encode(), profile(), NOW) == customer()


def test_a_person_of_query_agrees_with_get_customer_and_never_shows_the_personal_number() -> None:
    body = CUSTOMER_ROW.encode()
    person = to_customer_from_row(to_row(decode_tree(body), CustomerRow), body, profile(), NOW)
    same = ("ref", "number", "email", "phone", "vat_number", "billing_address")
    assert [getattr(person, name) for name in same] == [getattr(customer(), name) for name in same]
    assert {person.name, person.kind, person.organization_number} == {UNREAD}


def test_a_customer_has_its_own_number_and_the_name_of_its_default_company() -> None:
    assert customer() == Customer(
        ref=Ref("commerce", Kind.CUSTOMER, "customer/31877"),
        native_type="Customer",
        fetched_at=NOW,
        raw=CUSTOMER.encode(),
        number="C-31877",
        name="Nordvik Möbler AB",
        kind=CustomerKind.ORGANIZATION,
        organization_number="5590123456",
        vat_number=None,
        email="inkop@nordvik.example",
        phone="+46 31 555 020",
        billing_address=None,
        warnings=(),
    )
    person = customer(edited(CUSTOMER, Companies=[]))
    assert (person.name, person.kind, person.organization_number) == ("Linnea Nordvik", CustomerKind.PERSON, None)


def test_the_bill_to_party_of_an_order_is_given_under_the_key_asked() -> None:
    ref = Ref("commerce", Kind.CUSTOMER, "order/70213/billto")
    payload = decode(edited(ORDER, BillTo=BILL_TO).encode(), OrderPayload)
    party = to_bill_to(payload, ref, profile(), NOW)
    assert party is not None
    assert (party.ref, party.name) == (ref, "Nordvik Möbler AB")
    buyer = to_bill_to(decode(edited(ORDER, SellTo={**BILL_TO, "Company": None}).encode(), OrderPayload), ref, profile(), NOW)
    assert (buyer and buyer.name) == "Linnea Nordvik"
    assert to_bill_to(decode(edited(ORDER, SellTo=None).encode(), OrderPayload), ref, profile(), NOW) is None


def test_both_spellings_of_query_and_a_bare_list_are_read() -> None:
    for row_text in (ROW_2, ROW_3):
        page = to_row_page(page_of(row_text, next_link="https://other.example/x?$skip=500").encode(), OrderRow)
        found = page.entries[0].row
        assert found is not None
        assert (found.order_no, found.status_id, page.next_link) == ("N-100341", 5, "https://other.example/x?$skip=500")
    bare = to_row_page(f"[{ROW_3}]".encode(), OrderRow).entries[0].row
    assert (bare and bare.quotation_id) == 448120


def test_a_row_that_cannot_be_read_is_said_with_its_id_where_that_can_be() -> None:
    page = to_row_page(page_of('{"id": [1]}', "7", '{"orderNo": "x"}', '{"id": 5, "orderNo": []}', ROW_3).encode(), OrderRow)
    assert [(each.id, each.row is None) for each in page.entries] == [(None, True), (None, True), (None, True), (5, True), (70213, False)]
