"""The shared decoding, by law where one holds for every input."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import DataWarning, DataWarningCode
from gateway.sources.decode import (
    Malformed,
    Reading,
    convert,
    decode,
    decode_tree,
    encode_tree,
    exact,
    is_default_guid,
    is_nothing,
    is_null,
    is_writable,
    local_midnight,
    organization_number,
    text_or_none,
    to_day,
    to_instant,
)

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from([STOCKHOLM, NEW_YORK, ZoneInfo("UTC"), ZoneInfo("Pacific/Kiritimati")])
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"))
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | AMOUNTS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text().filter(lambda key: key not in {"$id", "$ref"}), inner, max_size=4)
    ),
    max_leaves=20,
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(min_value=datetime(2, 1, 2), max_value=datetime(9999, 12, 30), timezones=OFFSETS)  # noqa: DTZ001  (as hypothesis wants)


class Payload(msgspec.Struct, frozen=True):
    name: str | None = None
    amount: Decimal | None = None


def canonical_json(tree: object) -> object:
    """Make decimals that differ in scale differ."""
    match tree:
        case Decimal():
            return ("decimal", tree.as_tuple())
        case dict():
            return {key: canonical_json(item) for key, item in tree.items()}
        case list():
            return [canonical_json(item) for item in tree]
        case _:
            return (type(tree).__name__, tree)


# ------------------------------------------------------------------ JSON


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_an_amount_arrives_with_the_digits_and_the_scale_that_were_sent(amount: Decimal) -> None:
    body = f'{{"amount": {amount:f}}}'.encode()
    assert decode(body, Payload).amount == amount
    assert str(decode(body, Payload).amount) == f"{amount:f}"
    assert str(decode_tree(body)["amount"]) == f"{amount:f}"


def test_no_amount_goes_through_a_float() -> None:
    assert decode_tree(b"[0.1, 5.0, 100000000000000000.01, 1e2]") == [
        Decimal("0.1"),
        Decimal("5.0"),
        Decimal("100000000000000000.01"),
        Decimal("1E+2"),
    ]
    assert str(decode_tree(b"5.0")) == "5.0"


def test_integers_stay_integers_however_long() -> None:
    assert decode_tree(b"123456789012345678901234567890") == 123456789012345678901234567890
    assert type(decode_tree(b"7")) is int


@given(TREES)
def test_a_tree_survives_being_encoded_and_decoded(tree: object) -> None:
    assert canonical_json(_without_integral_decimals(decode_tree(encode_tree(tree)))) == canonical_json(_without_integral_decimals(tree))


def _without_integral_decimals(tree: object) -> object:
    # JSON has one kind of number: a decimal without a point comes back as an integer.
    match tree:
        case Decimal() if re.fullmatch(r"-?\d+", str(tree)):
            return int(tree)
        case dict():
            return {key: _without_integral_decimals(item) for key, item in tree.items()}
        case list():
            return [_without_integral_decimals(item) for item in tree]
        case _:
            return tree


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_malformed(body: bytes) -> None:
    for read in (decode_tree, lambda content: decode(content, Payload), lambda content: decode(content, list[msgspec.Raw])):
        with suppress(Malformed):
            read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"amount": 1',
        b'{"amount": NaN}',
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"amount": 1e99999999999999999999}',
        b'{"name": "\\ud800"}',
    ],
)
def test_what_is_no_json_is_malformed_and_never_crashes(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body, Payload)
    with pytest.raises(Malformed):
        decode_tree(body)


@pytest.mark.parametrize("body", [b'{"name": 40017}', b'["40017"]', b'"40017"', b'{"amount": "x40017"}'])
def test_a_malformed_answer_is_described_without_its_content(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        decode(body, Payload)
    assert "40017" not in str(caught.value)


def test_of_a_key_that_comes_twice_the_last_one_wins() -> None:
    assert decode(b'{"name": "a", "name": "b"}', Payload) == Payload(name="b")
    assert decode_tree(b'{"name": "a", "name": "b"}') == {"name": "b"}


def test_unknown_fields_are_ignored() -> None:
    assert decode(b'{"name": "a", "other": {"deep": [1]}}', Payload) == Payload(name="a")


def test_a_decoded_tree_becomes_a_payload_with_its_decimals() -> None:
    assert convert({"name": "a", "amount": Decimal("5.0")}, Payload) == Payload("a", Decimal("5.0"))
    assert convert({"amount": 5}, Payload) == Payload(amount=Decimal(5))


@pytest.mark.parametrize("tree", [{"name": 1}, [], "text", {"amount": []}])
def test_a_tree_of_another_shape_is_malformed(tree: object) -> None:
    with pytest.raises(Malformed):
        convert(tree, Payload)


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", True), (b"  \r\n", True), (b"null", True), (b" null\n", True), (b"{}", False), (b"[]", False), (b'""', False), (b"0", False)],
)
def test_nothing_is_an_empty_body_or_the_json_null(body: bytes, *, expected: bool) -> None:
    assert is_nothing(body) is expected


# ------------------------------------------------------------------ amounts


@given(AMOUNTS)
def test_an_amount_of_sensible_size_is_taken_as_sent(amount: Decimal) -> None:
    if abs(amount.adjusted()) <= 30:
        taken = exact(amount)
        assert taken is not None
        assert taken.as_tuple() == amount.as_tuple()


def test_no_amount_is_no_amount() -> None:
    assert exact(None) is None
    assert exact(12) == Decimal(12)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+31", "1E-31", "-9e99"])
def test_an_amount_that_is_no_finite_number_of_sensible_size_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        exact(Decimal(text))


# ------------------------------------------------------------------ instants


@given(INSTANTS, st.sampled_from(["T", "t", " "]), st.integers(0, 7))
def test_an_instant_with_an_offset_is_read_with_any_number_of_fractional_digits(instant: datetime, separator: str, digits: int) -> None:
    fraction = f"{instant.microsecond:06d}9"[:digits]
    text = _with_offset(instant, separator, fraction)
    cut = instant.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)
    assert to_instant(text, STOCKHOLM) == cut
    assert to_instant(text, STOCKHOLM).utcoffset() == instant.utcoffset()
    assert to_day(to_instant(text, STOCKHOLM), text, STOCKHOLM) == instant.date()


def _with_offset(instant: datetime, separator: str, fraction: str) -> str:
    whole = instant.replace(microsecond=0).isoformat(sep=separator)
    return f"{whole[:19]}.{fraction}{whole[19:]}" if fraction else whole


@given(INSTANTS, ZONES)
def test_of_a_z_text_the_day_is_the_one_in_the_zone_of_the_source(instant: datetime, zone: ZoneInfo) -> None:
    utc = instant.astimezone(UTC).replace(microsecond=0)
    for text in (utc.isoformat()[:19] + "Z", utc.isoformat()[:19] + "z", f" {utc.isoformat()[:19]}Z "):
        assert to_instant(text, zone) == utc
        assert to_day(to_instant(text, zone), text, zone) == utc.astimezone(zone).date()


@given(st.datetimes(min_value=datetime(2, 1, 1)), ZONES)  # noqa: DTZ001  (as hypothesis wants)
def test_a_text_without_an_offset_is_local_in_the_zone_of_the_source(local: datetime, zone: ZoneInfo) -> None:
    text = local.isoformat(sep=" ")
    assert to_instant(text, zone) == local.replace(tzinfo=zone)
    assert to_day(to_instant(text, zone), text, zone) == local.date()


@given(INSTANTS, st.integers(0, 999))
def test_a_wcf_date_is_utc_milliseconds_shown_in_its_offset(instant: datetime, millis: int) -> None:
    instant = instant.replace(microsecond=millis * 1000)
    since = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    offset = instant.strftime("%z")[:5]
    text = f"/Date({since}{offset})/"
    assert to_instant(text, STOCKHOLM) == instant
    assert to_day(to_instant(text, STOCKHOLM), text, STOCKHOLM) == instant.date()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/Date(1566511200000)/", date(2019, 8, 23)),  # 22:00 UTC is midnight in Stockholm
        (" /Date(-7200000)/ ", date(1969, 12, 31)),
        ("/Date(-1800000)/", date(1970, 1, 1)),  # 23:30 UTC, before 1970
        ("/Date(1566511200000+0000)/", date(2019, 8, 22)),
    ],
)
def test_the_day_of_a_wcf_date_without_an_offset_is_the_one_in_the_zone(text: str, expected: date) -> None:
    assert to_day(to_instant(text, STOCKHOLM), text, STOCKHOLM) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12/21/2025 1:04:33 PM", datetime(2025, 12, 21, 13, 4, 33, tzinfo=STOCKHOLM)),
        ("2026-01-21 22:50:59", datetime(2026, 1, 21, 22, 50, 59, tzinfo=STOCKHOLM)),
        ("2026-01-21", datetime(2026, 1, 21, tzinfo=STOCKHOLM)),
        ("2026-01-11T16:17:35.0304578+01:00", datetime(2026, 1, 11, 16, 17, 35, 30457, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_the_forms_that_the_vendors_pages_show_are_read(text: str, expected: datetime) -> None:
    assert to_instant(text, STOCKHOLM) == expected


LIKE_INSTANTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["2026-01-11T16:17:35", "2026-13-11T16:17:35", "2026-W02-7T16:17:35", "20260111T161735", "٢026-01-11T16:17:35"])
    | st.from_regex(r"\A[0-9W+-]{3,5}[-0-9][0-9:W]{2}-[0-9]{2}[T ][0-9:+-]{8}\Z"),
    st.sampled_from(["", ".", ",", ".0", ".0304578", ".03045789123", ",03", ".+1", ".٣", ".1:2"]),
    st.sampled_from(
        ["", "Z", "z", "+01:00", "-09:30", "+0100", "+01", "+01:00:30", "+25:00", "+01:0Z", "-Z", "+1:00", "+-1:00", "\n", "Z\n"]
    ),
)


def _instant_or_none(text: str) -> tuple[datetime, timedelta | None] | None:
    try:
        instant = to_instant(text, STOCKHOLM)
    except Malformed:
        return None
    return instant, instant.utcoffset()


@given(LIKE_INSTANTS)
def test_the_form_that_frameworks_write_is_read_the_same_as_by_the_patterns_that_read_the_others(text: str) -> None:
    assert _instant_or_none(text) == _instant_or_none(f" {text}")  # a blank in front is for the patterns


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-11T16:17:35.+01:00",
        "2026-01-11T16:17:35.Z",
        "2026-01-11T16:17:35,03Z",
        "2026-01-11T16:17:35+01",
        "2026-01-11T16:17:35+01:00:30",
        "2026-01-11T16:17:35-010030",
        "2026-01-11T16:17:35.03+01",
        "2026-01-11T16:17:35.03+01:00:30",
        "2026-01-11T16:17+01:00:30",
        "20260111T161735Z",
    ],
)
def test_what_the_language_takes_for_an_instant_and_no_framework_writes_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        to_instant(text, STOCKHOLM)


@given(
    st.text() | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{0,18}(Z|[+-][0-9:]{4,5})?)?\Z") | st.from_regex(r"/Date\(.*\)/")
)
def test_any_text_is_an_instant_or_malformed(text: str) -> None:
    try:
        instant = to_instant(text, STOCKHOLM)
    except Malformed:
        return
    assert instant.tzinfo is not None
    assert isinstance(to_day(instant, text, STOCKHOLM), date)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "2026-W01-1", "20260101", "/Date(x)/", "/Date(999999999999999)/", "2026-01-11T10:00+25:00"]
)
def test_what_is_no_date_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        to_instant(text, STOCKHOLM)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z"])
def test_the_first_and_the_last_instant_there_is_have_a_day_in_every_zone(text: str) -> None:
    for zone in (STOCKHOLM, NEW_YORK):
        assert to_day(to_instant(text, zone), text, zone).isoformat() == text[:10]


@given(st.dates(min_value=date(1900, 1, 1)), ZONES)
def test_a_day_written_as_local_midnight_is_read_back_as_the_same_day(day: date, zone: ZoneInfo) -> None:
    text = local_midnight(day, zone).isoformat()
    assert text.startswith(f"{day.isoformat()}T00:00:00")
    assert Reading(zone).day(text) == day


def test_local_midnight_has_the_offset_of_its_day() -> None:
    assert local_midnight(date(2026, 1, 11), STOCKHOLM).isoformat() == "2026-01-11T00:00:00+01:00"
    assert local_midnight(date(2026, 7, 11), STOCKHOLM).isoformat() == "2026-07-11T00:00:00+02:00"


def test_a_day_that_begins_at_one_o_clock_is_written_as_the_midnight_that_is_the_same_instant() -> None:
    midnight = local_midnight(date(2026, 9, 6), ZoneInfo("America/Santiago"))
    assert midnight.isoformat() == "2026-09-06T00:00:00-04:00"
    assert midnight.astimezone(UTC) == datetime.fromisoformat("2026-09-06T01:00:00-03:00")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), True),
        (datetime(2, 1, 1, tzinfo=UTC), True),
        (datetime(1, 1, 1, tzinfo=UTC), False),
        (datetime(1800, 1, 1, tzinfo=STOCKHOLM), False),
    ],
)
def test_what_json_cannot_say_of_an_instant_is_not_written(moment: datetime, *, expected: bool) -> None:
    assert is_writable(moment) is expected


# ------------------------------------------------------------------ small things


def test_the_default_guid_is_the_one_of_zeros() -> None:
    assert is_default_guid(UUID(int=0))
    assert not is_default_guid(UUID(int=1))


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), (" \t", None), ("a", "a"), (" a ", " a ")])
def test_a_blank_text_is_none_and_any_other_is_kept(value: str | None, expected: str | None) -> None:
    assert text_or_none(value) == expected


# ------------------------------------------------------------------ Reading


def reading() -> Reading:
    return Reading(STOCKHOLM)


def defaulted(message: str, *path: str) -> tuple[DataWarning, ...]:
    return (DataWarning(DataWarningCode.DEFAULT_READ_AS_NULL, message, path or None),)


def test_what_one_reading_finds_is_not_in_the_next() -> None:
    reading().warn(DataWarningCode.DERIVED, "first")
    assert reading().warnings == ()


def test_warnings_are_kept_in_the_order_they_were_found() -> None:
    found = reading()
    found.warn(DataWarningCode.DERIVED, "first", "totals", "vat")
    found.add([DataWarning(DataWarningCode.CURRENCY_UNKNOWN, "second")])
    found.warn(DataWarningCode.VAT_BASIS_UNKNOWN, "third")
    assert found.warnings == (
        DataWarning(DataWarningCode.DERIVED, "first", ("totals", "vat")),
        DataWarning(DataWarningCode.CURRENCY_UNKNOWN, "second", None),
        DataWarning(DataWarningCode.VAT_BASIS_UNKNOWN, "third", None),
    )


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "1/1/0001 12:00:00 AM", "/Date(-62135596800000)/"]
)
def test_the_first_of_january_of_year_one_is_no_date_and_says_so(text: str) -> None:
    found = reading()
    assert found.instant(text, "paidAt") is None
    assert found.warnings == defaulted("0001-01-01 stands for no date", "paidAt")


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_text_is_no_date_and_no_warning(text: str | None) -> None:
    found = reading()
    assert found.instant(text, "paidAt") is None
    assert found.day(text, "dueDate") is None
    assert found.guid(text, "customer") is None
    assert found.number(text, "number") is None
    assert found.currency_code(text, "currency") is None
    assert found.warnings == ()


def test_a_day_is_the_one_in_the_offset_that_was_sent() -> None:
    assert reading().day("2026-01-31T23:30:00+01:00") == date(2026, 1, 31)
    assert reading().day("2019-08-23T22:00:00Z") == date(2019, 8, 24)
    assert reading().day("0001-01-01T00:00:00") is None


@given(st.uuids(), st.sampled_from([str, lambda value: str(value).upper(), lambda value: value.hex, lambda value: f" {{{value}}} "]))
def test_a_guid_is_lower_case_text_in_one_form(value: UUID, spell: Any) -> None:  # noqa: ANN401  (a function of the sample)
    assert reading().guid(spell(value)) == str(value)


def test_the_guid_of_zeros_is_none_and_says_so() -> None:
    found = reading()
    assert found.guid("00000000-0000-0000-0000-000000000000", "customer") is None
    assert found.warnings == defaulted("the all-zero GUID stands for none", "customer")


@pytest.mark.parametrize(
    "text", ["c7cf3ff9", "c7cf3ff9-453b-4c07-8f57-3274a1f0437x", "+7cf3ff9453b4c078f573274a1f04373", "c7cf3ff9_453b4c078f573274a1f0437"]
)
def test_what_is_no_guid_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        reading().guid(text)


@given(st.integers().filter(bool))
def test_a_number_is_its_digits_without_grouping(value: int) -> None:
    found = reading()
    assert found.number(value) == str(value)
    assert found.number(str(value)) == str(value)
    assert found.warnings == ()


@pytest.mark.parametrize("value", [0, "0", " 0 "])
def test_the_number_zero_is_none_and_says_so_as_number_and_as_text(value: int | str) -> None:
    found = reading()
    assert found.number(value, "number") is None
    assert found.warnings == defaulted("0 stands for no number", "number")


@pytest.mark.parametrize(("text", "expected"), [("EUR", "EUR"), (" sek ", "SEK")])
def test_a_currency_code_is_upper_case(text: str, expected: str) -> None:
    assert reading().currency_code(text) == expected


@pytest.mark.parametrize("text", ["sample string 8", "EU", "€", "752", "ÅÄÖ"])
def test_what_is_no_currency_code_is_none_and_says_so_without_repeating_it(text: str) -> None:
    found = reading()
    assert found.currency_code(text, "currency") is None
    assert found.warnings == (DataWarning(DataWarningCode.UNMAPPED_VALUE, "the currency is not an ISO 4217 code", ("currency",)),)


@pytest.mark.parametrize(
    ("rate", "expected"), [("1.25", "25"), ("1.06", "6"), ("1", "0"), ("1.00", "0"), ("1.125", "12.5"), ("2", "100"), ("11", "1000")]
)
def test_a_vat_multiplier_is_read_as_percent(rate: str, expected: str) -> None:
    assert str(reading().multiplier_percent(Decimal(rate))) == expected


@given(st.integers(0, 10**28), st.integers(0, 10**30 - 1))
def test_the_percent_of_a_multiplier_is_exact_however_many_digits_it_has(whole: int, fraction: int) -> None:
    found = reading().multiplier_percent(Decimal(f"{whole + 1}.{fraction:030d}"))
    assert found is not None
    assert Fraction(found) == (whole + Fraction(fraction, 10**30)) * 100
    assert int(found.as_tuple().exponent) <= 0


def test_a_vat_multiplier_below_one_is_none_and_says_so() -> None:
    found = reading()
    assert found.multiplier_percent(0, "lines", "vatPercent") is None
    assert found.multiplier_percent(None) is None
    assert found.warnings == (
        DataWarning(DataWarningCode.UNMAPPED_VALUE, "a VAT multiplier below 1 has no meaning", ("lines", "vatPercent")),
    )


@pytest.mark.parametrize(
    ("sent", "read"),
    [("556812-3342", "5568123342"), ("556812 3342", "5568123342"), ("5568123342", "5568123342"), (" - ", None), ("", None), (None, None)],
)
def test_an_organisation_number_has_no_hyphens_and_blanks(sent: str | None, read: str | None) -> None:
    assert organization_number(sent) == read


@pytest.mark.parametrize(("body", "expected"), [(b"null", True), (b" null\n", True), (b"", False), (b"  ", False), (b"{}", False)])
def test_only_the_json_null_is_null(body: bytes, *, expected: bool) -> None:
    assert is_null(body) is expected
