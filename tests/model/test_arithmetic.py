"""The sums of EN 16931, checked on what a source sent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Currency, CurrencyOrigin, DataWarning, DataWarningCode, Line, Money, Totals, VatBasis, check_lines, check_totals

SEK = Currency("SEK", CurrencyOrigin.RECORD)
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


def money(amount: str | Decimal | None) -> Money | None:
    return None if amount is None else Money(Decimal(amount), SEK)


def totals(
    *,
    excl: str | Decimal | None = None,
    vat: str | Decimal | None = None,
    incl: str | Decimal | None = None,
    rounding: str | Decimal | None = None,
) -> Totals:
    return Totals(
        vat_basis=VatBasis.INCLUDING_VAT,
        excl_vat=money(excl),
        vat=money(vat),
        incl_vat=money(incl),
        total=money(incl),
        rounding=money(rounding),
    )


def line(net: str | None, vat: str | None = None) -> Line:
    return Line(net_amount=money(net), vat_amount=money(vat))


def mismatch(message: str, *field: str) -> DataWarning:
    return DataWarning(DataWarningCode.ARITHMETIC_MISMATCH, message, field)


# ------------------------------------------------------------------ BR-CO-15


@given(AMOUNTS, AMOUNTS)
def test_totals_that_add_up_are_not_remarked_on(excl: Decimal, vat: Decimal) -> None:
    assert check_totals(totals(excl=excl, vat=vat, incl=excl + vat)) == ()


@given(AMOUNTS, AMOUNTS, AMOUNTS.filter(bool))
def test_totals_that_are_off_by_anything_at_all_are_remarked_on(excl: Decimal, vat: Decimal, off: Decimal) -> None:
    found = check_totals(totals(excl=excl, vat=vat, incl=excl + vat + off))

    assert [(warning.code, warning.field) for warning in found] == [(DataWarningCode.ARITHMETIC_MISMATCH, ("totals", "inclVat"))]


def test_there_is_no_tolerance_and_the_message_has_the_figures() -> None:
    found = check_totals(totals(excl="100.00", vat="25.00", incl="125.01"))

    assert found == (mismatch("BR-CO-15: 100.00 + VAT 25.00 is not 125.01", "totals", "inclVat"),)


def test_the_scale_of_an_amount_means_nothing() -> None:
    assert check_totals(totals(excl="100", vat="25.0", incl="125.00")) == ()


def test_more_digits_than_a_decimal_context_has_are_added_exactly() -> None:
    excl, vat, incl = "1234567890123456789012345678901.67", "0.01", "1234567890123456789012345678901.68"

    assert check_totals(totals(excl=excl, vat=vat, incl=incl)) == ()
    assert check_lines(totals(excl=incl, vat=incl), [line(excl, excl), line(vat, vat)]) == ()


@pytest.mark.parametrize(
    "known",
    [totals(excl="1", vat="1"), totals(excl="1", incl="9"), totals(vat="1", incl="9"), totals()],
    ids=["no total", "no VAT", "no total without VAT", "nothing"],
)
def test_a_sum_with_a_side_missing_is_not_checked(known: Totals) -> None:
    assert check_totals(known) == ()


def test_rounding_counts_only_where_the_total_has_it_in_it() -> None:
    rounded = totals(excl="10649.0", vat="2662.25", incl="13311.0", rounding="-0.25")

    assert check_totals(rounded, rounding_in_total=True) == ()
    assert check_totals(rounded) == (mismatch("BR-CO-15: 10649.0 + VAT 2662.25 is not 13311.0", "totals", "inclVat"),)


def test_a_missing_rounding_is_none() -> None:
    assert check_totals(totals(excl="100", vat="25", incl="125"), rounding_in_total=True) == ()


def test_the_sample_of_the_vendors_page_with_5_including_and_6_without_vat_is_remarked_on() -> None:
    sample = totals(excl="6.0", vat="-1.0", incl="5.0")

    assert check_totals(sample, vat_is_derived=True) == (mismatch("BR-CO-15: 5.0 including VAT against 6.0 without", "totals", "vat"),)


@pytest.mark.parametrize(
    ("excl", "vat", "incl"), [("-6.0", "-1.5", "-7.5"), ("6.0", "0.0", "6.0"), ("0.0", "5.0", "5.0"), ("6.0", "1.5", "7.5")]
)
def test_derived_vat_with_the_sign_of_its_amount_is_not_remarked_on(excl: str, vat: str, incl: str) -> None:
    assert check_totals(totals(excl=excl, vat=vat, incl=incl), vat_is_derived=True) == ()


def test_a_credit_whose_derived_vat_is_positive_is_remarked_on() -> None:
    found = check_totals(totals(excl="-6.0", vat="1.0", incl="-5.0"), vat_is_derived=True)

    assert found == (mismatch("BR-CO-15: -5.0 including VAT against -6.0 without", "totals", "vat"),)


def test_large_and_small_amounts_are_shown_in_plain_notation() -> None:
    found = check_totals(totals(excl="1E+3", vat="1E-7", incl="0"))

    assert found == (mismatch("BR-CO-15: 1000 + VAT 0.0000001 is not 0", "totals", "inclVat"),)


# ------------------------------------------------------------------ BR-CO-13 and BR-CO-14


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=20), st.lists(AMOUNTS, max_size=3))
def test_lines_and_charges_that_add_up_are_not_remarked_on(amounts: list[tuple[Decimal, Decimal]], charges: list[Decimal]) -> None:
    lines = [Line(net_amount=money(net), vat_amount=money(vat)) for net, vat in amounts]
    excl = sum((net for net, _ in amounts), Decimal(0)) + sum(charges, Decimal(0))
    vat = sum((vat for _, vat in amounts), Decimal(0))

    assert check_lines(totals(excl=excl, vat=vat), lines, [Money(charge, SEK) for charge in charges]) == ()


def test_lines_that_are_not_the_total_without_vat_break_br_co_13() -> None:
    found = check_lines(totals(excl="100.00"), [line("60.00"), line("30.00")])

    assert found == (mismatch("BR-CO-13: the lines and charges are 90.00, the invoice says 100.00", "totals", "exclVat"),)


def test_charges_are_part_of_the_total_without_vat() -> None:
    assert check_lines(totals(excl="100.00"), [line("60.00"), line("30.00")], [Money(Decimal("10.00"), SEK)]) == ()


def test_vat_of_lines_that_is_not_the_vat_breaks_br_co_14() -> None:
    found = check_lines(totals(vat="25.00"), [line("60.00", "15.00"), line("40.00", "9.00")])

    assert found == (mismatch("BR-CO-14: the VAT of the lines is 24.00, the invoice says 25.00", "totals", "vat"),)


def test_both_rules_can_be_broken_at_once() -> None:
    found = check_lines(totals(excl="1", vat="1"), [line("2", "2")])

    assert [warning.field for warning in found] == [("totals", "exclVat"), ("totals", "vat")]


def test_no_lines_say_nothing_about_the_totals() -> None:
    assert check_lines(totals(excl="100", vat="25"), []) == ()


def test_one_line_without_an_amount_leaves_its_rule_unchecked_and_the_other_checked() -> None:
    found = check_lines(totals(excl="100", vat="25"), [line("1", "24"), line(None, "0")])

    assert [warning.field for warning in found] == [("totals", "vat")]


def test_lines_may_be_given_one_after_the_other() -> None:
    assert check_lines(totals(excl="3"), (line(net) for net in ("1", "2"))) == ()
