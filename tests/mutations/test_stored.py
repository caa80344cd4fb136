"""Values through the journal: what is written comes back exactly, and no text can do harm."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, is_dataclass, replace
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import model
from gateway.model import (
    UNREAD,
    Customer,
    DataWarning,
    DataWarningCode,
    Details,
    Invoice,
    InvoiceSettings,
    Kind,
    MutationOutcome,
    Operation,
    Order,
    PaymentStatus,
    Record,
    Ref,
    UserError,
    UserErrorCode,
)
from gateway.mutations.stored import CLASSES, ENUMS, dump, load
from gateway.sources.base import Prepared, Refused, Request, Settled
from gateway.transport import NO_BODY
from gateway.transport.message import NoBody

REF = Ref("pos", Kind.INVOICE, "88", hint="N-1")
INVOICE = Invoice(ref=REF, native_type="CustomerInvoice", number="88", due_date=date(2026, 3, 1))
REQUEST = Request(operation="Make", method="POST", path="/make")
PREPARED = Prepared(operation=Operation.CREATE_INVOICE, request=REQUEST)

# ------------------------------------------------------------------ values of every class, made by their annotations

OFFSETS = st.builds(timezone, st.builds(timedelta, seconds=st.integers(-80_000, 80_000)))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=5),
    int: st.integers(),
    bool: st.booleans(),
    Decimal: NUMBERS,
    datetime: st.datetimes(timezones=OFFSETS).map(lambda instant: instant.replace(fold=0)),  # an offset has no hour twice
    date: st.dates(),
    bytes: st.binary(max_size=5),
    type(None): st.none(),
    NoBody: st.just(NO_BODY),
}
KEYS = st.sampled_from(["$", "=", "Id"]) | st.text(max_size=3)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | NUMBERS
JSON_VALUES = st.recursive(SCALARS, lambda item: st.lists(item, max_size=2) | st.dictionaries(KEYS, item, max_size=2), max_leaves=5)
RECORDS = (Invoice, Order, Customer, InvoiceSettings)


@cache
def values_of(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401, PLR0911  (a type as an annotation says it; a table)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return st.one_of([values_of(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is not Ellipsis:
        return st.tuples(*map(values_of, arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=1).map(tuple)
    if origin is Mapping:
        return st.dictionaries(KEYS, values_of(arguments[1]), max_size=2)
    if hint is object:
        return JSON_VALUES
    if hint is Record:
        return st.one_of([values_of(kind) for kind in RECORDS])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return PLAIN[hint] if hint in PLAIN else objects_of(hint)


@st.composite
def objects_of(draw: st.DrawFn, made: type) -> Any:  # noqa: ANN401  (an object of that class)
    """Make an object with a few of the fields that it may have; `raw` is not kept."""
    hints = get_type_hints(made)
    optional = [field.name for field in dataclass_fields(made) if field.init and not is_required(field) and field.name != "raw"]
    chosen = draw(st.lists(st.sampled_from(optional), max_size=4, unique=True)) if optional else []
    required = [field.name for field in dataclass_fields(made) if field.init and is_required(field)]
    return made(**{name: draw(values_of(hints[name])) for name in (*required, *chosen)})


def is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


@pytest.mark.parametrize("made", [*RECORDS, UserError, Request, Settled, Prepared])
@given(data=st.data())
def test_what_is_written_comes_back_digit_by_digit(made: type[object], data: st.DataObject) -> None:
    value = data.draw(objects_of(made))
    read = load(dump(value), made)
    assert read == value
    assert repr(read) == repr(value)  # equal decimals may differ in scale, equal instants in offset


@given(JSON_VALUES)
def test_json_comes_back_as_it_was_also_where_it_looks_like_a_tag(value: object) -> None:
    read = load(dump(replace(PREPARED, before=value)), Prepared)
    assert read is not None
    assert repr(read.before) == repr(value)


# ------------------------------------------------------------------ exactness


def through(value: object) -> object:
    return load(dump(value), object)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("29.90"),
        Decimal("1E+2"),
        Decimal("-0.00"),
        10**30,
        UUID("6f1f5d1c-52a5-5c8e-9d86-3f6b1a0f6c11"),
        date(2026, 3, 29),
        datetime(2026, 3, 29, 1, 0, 0, 123456, timezone(timedelta(hours=5, minutes=45))),
        b"\x00\xff",
        (1, ("a", None)),
        [(1,), []],
        frozenset({PaymentStatus.PAID}),
        PaymentStatus.PAID,
        UNREAD,
        "a NUL \x00, half a pair \ud800, a key \u00e5",
        {"$": "Decimal", "=": "1"},
        {"$": {"$": 1}},
    ],
)
def test_a_value_keeps_its_type_and_its_digits(value: object) -> None:
    read = through(value)
    assert (type(read), repr(read)) == (type(value), repr(value))


def test_an_instant_keeps_the_offset_of_its_zone_also_in_the_hour_that_comes_twice() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    twice = [datetime(2026, 10, 25, 2, 30, tzinfo=stockholm, fold=fold) for fold in (0, 1)]
    assert [str(through(instant)) for instant in twice] == ["2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"]


def test_a_body_keeps_the_order_of_its_keys_and_the_scale_of_its_numbers() -> None:
    request = replace(REQUEST, json={"Z": Decimal("1250.00"), "A": [1, Decimal("2.0")]}, query=(("a", "1"), ("a", "2")))
    read = load(dump(request), Request)
    assert read is not None
    assert (read.content, read.target) == (b'{"Z":1250.00,"A":[1,2.0]}', "/make?a=1&a=2")


@pytest.mark.parametrize(("body", "content"), [(NO_BODY, None), (None, b"null")])
def test_no_body_is_not_null(body: object, content: bytes | None) -> None:
    read = load(dump(replace(REQUEST, json=body)), Request)
    assert read is not None
    assert read.content == content


def test_the_text_is_ascii_so_that_any_database_takes_it() -> None:
    assert dump("\u00e5\x00\ud800") == r'"\u00e5\u0000\ud800"'


# ------------------------------------------------------------------ what is kept of records


def test_the_raw_json_of_records_is_not_kept_at_any_depth() -> None:
    customer = Customer(ref=Ref("pos", Kind.CUSTOMER, "1"), native_type="Customer", raw=b"SSN")
    order = Order(ref=Ref("pos", Kind.ORDER, "2"), native_type="Order", raw=b"SSN", customer=customer)
    invoice = replace(INVOICE, raw=b"SSN", customer=customer, orders=(order,))
    settled = Settled(outcome=MutationOutcome.APPLIED, record=invoice, order=order)
    bare = replace(customer, raw=None)
    bare_order = replace(order, raw=None, customer=bare)
    expected = Settled(
        outcome=MutationOutcome.APPLIED, record=replace(invoice, raw=None, customer=bare, orders=(bare_order,)), order=bare_order
    )
    assert load(dump(settled), Settled) == expected
    assert "raw" not in dump(settled)


def test_what_was_not_read_takes_no_room_and_stays_unread() -> None:
    content = json.loads(dump(INVOICE))["="]
    assert sorted(content) == ["due_date", "fetched_at", "is_alias", "native_type", "number", "ref"]
    assert load(dump(INVOICE), Invoice) == INVOICE


def test_a_hint_of_a_reference_is_kept() -> None:
    read = load(dump(INVOICE), Invoice)
    assert read is not None
    assert read.ref.hint == "N-1"


# ------------------------------------------------------------------ other versions


def changed(value: object, **content: object) -> str:
    """Give the text of a value with some of its content written otherwise; ... leaves it out."""
    text = json.loads(dump(value))
    merged = {**text["="], **content}
    return json.dumps({**text, "=": {name: item for name, item in merged.items() if item is not ...}})


def test_a_field_that_is_not_known_is_passed_over() -> None:
    assert load(changed(INVOICE, colour="red", shade={"$": "Colour", "=": 1}), Invoice) == INVOICE


def test_a_field_that_is_missing_has_its_default() -> None:
    assert load(changed(INVOICE, number=..., is_alias=...), Invoice) == replace(INVOICE, number=UNREAD)


@pytest.mark.parametrize(
    "text",
    [
        changed(INVOICE, ref=...),
        changed(INVOICE, number=88),
        changed(INVOICE, is_alias=1),
        changed(INVOICE, orders=[]),
        changed(INVOICE, warnings={"$": "tuple", "=": ["careful"]}),
        changed(INVOICE, due_date={"$": "datetime", "=": "2026-03-01T00:00:00"}),
        changed(INVOICE, due_date={"$": "date", "=": "2026-02-30"}),
        changed(INVOICE, type={"$": "InvoiceType", "=": "PRO_FORMA"}),
        changed(INVOICE, details={"$": "Colour", "=": {}}),
        changed(replace(REQUEST), headers={"a": 1}),
        changed(replace(REQUEST), query={"$": "tuple", "=": [{"$": "tuple", "=": ["a"]}]}),
        changed(replace(REQUEST), json=1.5),
        changed(replace(REQUEST), json=float("nan")),
        '{"$": "Request"}',
        '{"$": "Request", "=": {}, "more": 1}',
        '{"$": "Request", "=": []}',
        '{"$": "tuple", "=": {}}',
        '{"$": "UUID", "=": 5}',
        '{"$": "Decimal", "=": "many"}',
        '{"$": "frozenset", "=": [[]]}',
        '{"$": ["Request"], "=": {}}',
        "[" * 100_000,
        "9" * 10_000,
        "",
    ],
)
def test_what_this_version_did_not_write_is_not_readable(text: str) -> None:
    assert load(text, object) is None


def test_a_value_of_another_class_is_not_what_was_asked_for() -> None:
    assert load(dump(PREPARED), Settled) is None
    assert load(dump(INVOICE), Record) == INVOICE


TAGS = st.sampled_from(["tuple", "frozenset", "dict", "Decimal", "datetime", "date", "UUID", "bytes", *CLASSES, *ENUMS])
NAMES = st.sampled_from(sorted({field.name for stored in CLASSES.values() for field in dataclass_fields(stored)}))
LIKE_STORED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda item: (
        st.lists(item, max_size=2)
        | st.dictionaries(KEYS | NAMES, item, max_size=3)
        | st.fixed_dictionaries({"$": TAGS, "=": item | st.dictionaries(NAMES, item, max_size=3)})
    ),
)


@given(st.text() | LIKE_STORED.map(json.dumps))
def test_no_text_makes_reading_fail(text: str) -> None:
    read = load(text, Prepared)
    assert read is None or isinstance(read, Prepared)


# ------------------------------------------------------------------ what may be written


@pytest.mark.parametrize("value", [1.5, {1: "a"}, object(), Refused(()), {"deep": [UTC]}])
def test_a_value_that_is_not_listed_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        dump(value)


def test_a_class_with_the_name_of_a_listed_one_is_not_written() -> None:
    with pytest.raises(TypeError, match="a Details is not among what the journal keeps"):
        dump(type("Details", (Details,), {})("NIMPOS", {}))


def found_in(hint: Any) -> set[type]:  # noqa: ANN401  (a type as an annotation says it)
    """Give the classes of the model that an annotation leads to."""
    if get_args(hint):
        return set().union(*map(found_in, get_args(hint)))
    if not isinstance(hint, type) or not hint.__module__.startswith("gateway."):
        return set()
    return {hint}.union(*map(found_in, get_type_hints(hint).values())) if is_dataclass(hint) else {hint}


def test_every_class_that_a_record_or_an_outcome_can_hold_is_listed() -> None:
    kinds = {kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, Record)}
    reached = set().union(*map(found_in, [*kinds, UserError, Prepared, Settled])) - {Record, NoBody}
    listed = {*CLASSES.values(), *ENUMS.values()}
    assert sorted(missing.__name__ for missing in reached - listed) == []
    assert sorted(idle.__name__ for idle in listed - reached) == []


def test_a_warning_comes_back_with_its_path() -> None:
    warned = replace(INVOICE, warnings=(DataWarning(DataWarningCode.DERIVED, "from CreationDate", ("issueDate",)),))
    assert load(dump(warned), Invoice) == warned
    error = UserError(UserErrorCode.INVALID, "no", ("input", "number"))
    assert load(dump(error), UserError) == error
