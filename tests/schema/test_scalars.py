"""The scalars, in and out: a schema that gives back what it was given, as Python saw it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import strawberry
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.config import StrawberryConfig

from gateway.schema.scalars import JSON, SCALARS, CurrencyCode

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e25"), max_value=Decimal("1e25"), places=4)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@strawberry.type
class Query:
    @strawberry.field
    def decimal(self, value: Decimal) -> Decimal:
        assert type(value) is Decimal
        return value

    @strawberry.field
    def day(self, value: date) -> date:
        assert type(value) is date
        return value

    @strawberry.field
    def instant(self, value: datetime) -> datetime:
        assert value.tzinfo is not None
        return value

    @strawberry.field
    def local_midnight(self, value: date) -> datetime:
        return datetime(value.year, value.month, value.day, tzinfo=ZoneInfo("Europe/Stockholm"))

    @strawberry.field
    def uuid(self, value: UUID) -> UUID:
        return value

    @strawberry.field
    def currency(self, value: CurrencyCode) -> CurrencyCode:
        return value

    @strawberry.field
    def json(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def seen(self, value: JSON) -> str:
        return repr(value)


SCHEMA = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))
TYPES = {
    "seen": "JSON",
    "decimal": "Decimal",
    "day": "Date",
    "instant": "DateTime",
    "uuid": "UUID",
    "currency": "CurrencyCode",
    "json": "JSON",
}


def by_variable(name: str, value: object) -> Any:  # noqa: ANN401  (whatever the scalar gives)
    result = SCHEMA.execute_sync(f"query ($value: {TYPES[name]}!) {{ {name}(value: $value) }}", {"value": value})
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data[name]


def by_literal(name: str, literal: str) -> Any:  # noqa: ANN401  (whatever the scalar gives)
    result = SCHEMA.execute_sync(f"{{ {name}(value: {literal}) }}")
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data[name]


def refusal_of_variable(name: str, value: object) -> str:
    result = SCHEMA.execute_sync(f"query ($value: {TYPES[name]}!) {{ {name}(value: $value) }}", {"value": value})
    assert result.errors is not None
    return result.errors[0].message


def refusal_of_literal(name: str, literal: str) -> str:
    result = SCHEMA.execute_sync(f"{{ {name}(value: {literal}) }}")
    assert result.errors is not None
    return result.errors[0].message


# ------------------------------------------------------------------ Decimal


@given(DECIMALS)
def test_a_decimal_given_as_text_comes_back_digit_by_digit(value: Decimal) -> None:
    assert by_variable("decimal", format(value, "f")) == format(value, "f")


@pytest.mark.parametrize(
    ("given_value", "shown"),
    [
        ("29.90", "29.90"),
        ("5.0", "5.0"),
        ("-0.00", "-0.00"),
        ("0", "0"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("12.5e-3", "0.0125"),
        ("9" * 31, "9" * 31),
        (29, "29"),
        (-1, "-1"),
        (2**63, "9223372036854775808"),
    ],
)
def test_a_decimal_takes_text_and_integers_and_keeps_their_scale(given_value: str | int, shown: str) -> None:
    assert by_variable("decimal", given_value) == shown


@pytest.mark.parametrize(
    ("literal", "shown"),
    [
        ('"29.90"', "29.90"),
        ("29.90", "29.90"),
        ("29", "29"),
        ("-5.0", "-5.0"),
        ("0.10000000000000000000000001", "0.10000000000000000000000001"),
        ("1e2", "100"),
    ],
)
def test_a_decimal_literal_is_read_from_its_text(literal: str, shown: str) -> None:
    assert by_literal("decimal", literal) == shown


@pytest.mark.parametrize("value", [29.9, 29.0, Decimal("29.9"), True, False])
def test_a_number_that_was_a_float_or_a_boolean_is_refused_in_variables(value: object) -> None:
    assert refusal_of_variable("decimal", value) == (
        "Variable '$value' has invalid value: Decimal takes text or an integer; quote a number with a point: \"29.90\""
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1,5",
        "1 000",
        "1_000",
        "0x1F",
        "٣",
        "12kr",
        "--1",
        "+1",
        "1e",
        "e5",
        ".",
        "1.2.3",
        " 1",
        "1\n",
    ],
)
def test_text_that_is_no_plain_number_is_no_decimal(text: str) -> None:
    assert refusal_of_variable("decimal", text) == (
        "Variable '$value' has invalid value: Decimal takes an exact number of sensible size, such as \"29.90\""
    )


@pytest.mark.parametrize("text", ["1e31", "1e-31", "1e999999", "1e-999999999", "0e99", "9" * 32, "1e99999999999999999999999"])
def test_an_exponent_over_30_is_refused(text: str) -> None:
    assert "sensible size" in refusal_of_variable("decimal", text)
    assert "sensible size" in refusal_of_literal("decimal", f'"{text}"')
    assert "sensible size" in refusal_of_literal("decimal", text)


@pytest.mark.parametrize("literal", ["true", "NaN", "[1]", "{a: 1}", "RED"])
def test_a_literal_that_is_no_number_is_no_decimal(literal: str) -> None:
    assert "Decimal takes text, an integer or a decimal literal" in refusal_of_literal("decimal", literal)


# ------------------------------------------------------------------ Date and DateTime


@given(st.dates())
def test_a_date_comes_back(day: date) -> None:
    assert by_variable("day", day.isoformat()) == day.isoformat()


@pytest.mark.parametrize(
    "value",
    [
        "2026-2-1",
        "20260201",
        "2026-02-30",
        "2026-02-01T00:00:00Z",
        "2026-W05-7",
        " 2026-02-01",
        "",
        "\u0662\u0660\u0662\u0666-02-01",
        20260201,
        True,
    ],
)
def test_what_is_no_calendar_day_is_no_date(value: object) -> None:
    assert refusal_of_variable("day", value).startswith("Variable '$value' has invalid value: Date takes ")


@given(st.datetimes(timezones=OFFSETS))
def test_an_instant_comes_back_with_its_offset(moment: datetime) -> None:
    assert by_variable("instant", moment.isoformat()) == moment.isoformat()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-06-21T22:48:27+02:00", "2026-06-21T22:48:27+02:00"),
        ("2026-06-21T22:48:27Z", "2026-06-21T22:48:27+00:00"),
        ("2026-06-21t22:48:27z", "2026-06-21T22:48:27+00:00"),
        ("2026-06-21T22:48:27.5-03:30", "2026-06-21T22:48:27.500000-03:30"),
        ("2026-06-21T22:48:27.9745441+02:00", "2026-06-21T22:48:27.974544+02:00"),
        ("2026-06-21T22:48:27.999999999999Z", "2026-06-21T22:48:27.999999+00:00"),
    ],
)
def test_digits_beyond_the_sixth_are_cut_and_never_rounded(sent: str, shown: str) -> None:
    assert by_variable("instant", sent) == shown


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ("2026-01-01", "2026-01-01T00:00:00+01:00"),
        ("2026-07-01", "2026-07-01T00:00:00+02:00"),
        ("1753-01-01", "1752-12-31T23:59:48+01:12"),
    ],
)
def test_an_instant_is_shown_with_an_offset_in_whole_minutes(day: str, shown: str) -> None:
    assert by_literal("localMidnight", f'"{day}"') == shown


@pytest.mark.parametrize(
    "value",
    [
        "2026-06-21",
        "2026-06-21T22:48:27",
        "2026-06-21 22:48:27+02:00",
        "2026-06-21T22:48+02:00",
        "2026-06-21T22:48:27+0200",
        "2026-06-21T25:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-06-21T22:48:27+24:00",
        "2026-06-21T22:48:27,5Z",
        "",
        1782000000,
        True,
    ],
)
def test_what_is_no_instant_with_an_offset_is_no_date_time(value: object) -> None:
    assert refusal_of_variable("instant", value).startswith("Variable '$value' has invalid value: DateTime takes an ")


# ------------------------------------------------------------------ UUID and CurrencyCode


@given(st.uuids())
def test_a_uuid_is_shown_in_lower_case_whatever_case_it_had(value: UUID) -> None:
    assert by_variable("uuid", str(value).upper()) == str(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "6a1d2f3e4b5c4d6e8f708192a3b4c5d6",
        "{6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6}",
        "urn:uuid:6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6",
        "6a1d2f3e",
        1,
    ],
)
def test_a_uuid_has_one_form(value: object) -> None:
    assert refusal_of_variable("uuid", value) == "Variable '$value' has invalid value: UUID takes 8-4-4-4-12 hexadecimal digits"


def test_a_currency_is_three_capitals() -> None:
    assert by_variable("currency", "SEK") == "SEK"


@pytest.mark.parametrize("value", ["sek", "Sek", "SE", "SEKR", "€", "", "SEK ", "ÅÄÖ", 752])
def test_anything_else_is_no_currency(value: object) -> None:
    assert (
        refusal_of_variable("currency", value)
        == "Variable '$value' has invalid value: CurrencyCode takes three upper-case letters, such as SEK"
    )


# ------------------------------------------------------------------ JSON


@pytest.mark.parametrize("value", [None, True, 1, "text", [], {}, {"a": [1, {"b": Decimal("1.50")}]}])
def test_json_in_variables_is_taken_as_it_is(value: object) -> None:
    result = SCHEMA.execute_sync("query ($value: JSON) { json(value: {inside: $value}) }", {"value": value})

    assert result.errors is None
    assert result.data == {"json": {"inside": value}}


def test_a_json_literal_keeps_the_text_of_its_numbers() -> None:
    shown = by_literal("seen", '{a: 1.50, b: 5.0, c: 12345678901234567890, d: -0.10, e: [true, null, "t"]}')

    assert shown == (
        "{'a': Decimal('1.50'), 'b': Decimal('5.0'), 'c': 12345678901234567890, 'd': Decimal('-0.10'), 'e': [True, None, 't']}"
    )


def test_a_long_integer_in_a_json_literal_is_kept_and_a_longer_one_refused() -> None:
    assert by_literal("json", "9" * 31) == Decimal("9" * 31)
    assert refusal_of_literal("json", "9" * 5000).startswith("JSON takes an exact number of sensible size")
    assert refusal_of_literal("json", "{a: 1e31}").startswith("JSON takes an exact number of sensible size")


def test_an_enum_is_no_json() -> None:
    assert refusal_of_literal("json", "{a: RED}").startswith("JSON takes a JSON value")


def test_variables_inside_a_json_literal_are_filled_in() -> None:
    result = SCHEMA.execute_sync("query ($x: JSON, $y: JSON) { json(value: [$x, {y: $y}, $x]) }", {"x": 1, "y": {"z": [None]}})

    assert result.errors is None
    assert result.data == {"json": [1, {"y": {"z": [None]}}, 1]}
