"""How objects are put together from several reads, over sources in memory: what is asked, in which batches, and what a bug takes away."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.model import (
    UNREAD,
    Capability,
    Currency,
    CurrencyOrigin,
    CurrencyRow,
    Customer,
    Invoice,
    InvoiceSettings,
    Kind,
    Money,
    Operation,
    Order,
    Permission,
    Read,
    Record,
    Ref,
    SupportLevel,
    Totals,
    VatBasis,
)
from gateway.sources.base import Answer, Fetch
from tests.loaders.memory_source import MemorySource
from tests.schema.memory import ask

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEK = Currency("SEK", CurrencyOrigin.RECORD)
INVOICE = Ref("one", Kind.INVOICE, "i")
ORDERS = tuple(Ref("one", Kind.ORDER, key) for key in ("a", "b", "c"))
BY_ID = "query ($id: ID!) { node(id: $id) { ... on Invoice { %s } } }"


def order(ref: Ref, *, rounding: str | None = None, currency: Currency = SEK) -> Order:
    money = None if rounding is None else Money(Decimal(rounding), currency)
    totals = Totals(vat_basis=VatBasis.UNKNOWN, rounding=money)
    return Order(
        ref=ref, native_type="Order", fetched_at=NOW, raw=b'{"Id": 1}', number=f"N-{ref.native_id}", totals=totals, currency=currency
    )


def invoice(*orders: Order, currency: Read[Currency] = SEK, totals: Totals | None = None) -> Invoice:
    return Invoice(
        ref=INVOICE, native_type="Invoice", fetched_at=NOW, number="F-1", orders=orders, currency=currency, totals=totals, warnings=()
    )


def reference(ref: Ref) -> Order:
    return Order(ref=ref, native_type="Order", number=f"N-{ref.native_id}")


def source(*records: Record, **failures: Exception) -> MemorySource:
    kept: dict[Ref, Record | Exception] = {record.ref: record for record in records}
    return MemorySource("one", kept | {Ref("one", Kind.ORDER, key): failure for key, failure in failures.items()})


def raises(_refs: Sequence[Ref]) -> NoReturn:
    raise KeyError("secret")


# ------------------------------------------------------------------ rounding


ROUNDED = Totals(vat_basis=VatBasis.UNKNOWN, rounding_of=ORDERS)


async def test_the_rounding_of_an_invoice_is_that_of_its_orders_which_are_asked_at_once() -> None:
    roundings = ("0.50", "-0.25", "0.10")
    kept = source(invoice(totals=ROUNDED), *(order(ref, rounding=rounding) for ref, rounding in zip(ORDERS, roundings, strict=True)))

    data, errors = await ask(BY_ID % "totals { rounding { amount currency } }", kept, id=INVOICE.global_id)

    assert (data, errors) == ({"node": {"totals": {"rounding": {"amount": "0.35", "currency": "SEK"}}}}, [])
    assert kept.batches == [(Fetch.INVOICE, ("i",)), (Fetch.ORDER, ("a", "b", "c"))]


async def test_orders_without_a_rounding_give_none() -> None:
    data, errors = await ask(
        BY_ID % "totals { rounding { amount } }", source(invoice(totals=ROUNDED), *map(order, ORDERS)), id=INVOICE.global_id
    )

    assert (data, errors) == ({"node": {"totals": {"rounding": None}}}, [])


async def test_a_rounding_of_the_invoices_own_asks_no_order() -> None:
    own = Totals(vat_basis=VatBasis.UNKNOWN, rounding=Money(Decimal("0.01"), SEK), rounding_of=ORDERS)
    kept = source(invoice(totals=own))

    data, _ = await ask(BY_ID % "totals { rounding { amount } }", kept, id=INVOICE.global_id)

    assert data == {"node": {"totals": {"rounding": {"amount": "0.01"}}}}
    assert kept.batches == [(Fetch.INVOICE, ("i",))]


# ------------------------------------------------------------------ currency


ASKED = Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT, ask=ORDERS[0])
CURRENCY = "currency totals { total { amount currency currencyOrigin } } warnings { code field }"


def with_currency(currency: Currency) -> Invoice:
    return invoice(
        reference(ORDERS[0]), currency=currency, totals=Totals(vat_basis=VatBasis.UNKNOWN, total=Money(Decimal("5.0"), currency))
    )


async def currency_of(*records: Record) -> tuple[Any, list[str]]:
    """Give currency and origin of the amount, and the codes of the warnings."""
    data, errors = await ask(BY_ID % CURRENCY, source(*records), id=INVOICE.global_id)
    assert errors == []
    total = data["node"]["totals"]["total"]
    assert data["node"]["currency"] == total["currency"]
    return (total["currency"], total["currencyOrigin"]), [warning["code"] for warning in data["node"]["warnings"]]


async def test_an_order_that_names_a_currency_names_the_invoices() -> None:
    euros = order(ORDERS[0], currency=Currency("EUR", CurrencyOrigin.RECORD))

    assert await currency_of(with_currency(ASKED), euros) == (("EUR", "RELATED_ORDER"), [])


async def test_an_order_that_has_a_default_only_says_nothing() -> None:
    default = order(ORDERS[0], currency=Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT))

    assert await currency_of(with_currency(ASKED), default) == (("SEK", "SOURCE_DEFAULT"), [])


async def test_where_the_order_is_gone_the_configuration_says() -> None:
    assert await currency_of(with_currency(ASKED)) == (("SEK", "SOURCE_DEFAULT"), [])


async def test_where_nobody_says_there_is_a_warning_and_no_guess() -> None:
    nothing = Currency(None, CurrencyOrigin.UNKNOWN, ask=ORDERS[0])
    unknown = order(ORDERS[0], currency=Currency(None, CurrencyOrigin.UNKNOWN))

    assert await currency_of(with_currency(nothing), unknown) == ((None, "UNKNOWN"), ["CURRENCY_UNKNOWN"])
    assert await currency_of(with_currency(nothing)) == ((None, "UNKNOWN"), ["CURRENCY_UNKNOWN"])


async def test_a_currency_that_could_not_be_asked_is_an_error_and_no_warning() -> None:
    nothing = Currency(None, CurrencyOrigin.UNKNOWN, ask=ORDERS[0])
    kept = source(with_currency(nothing), a=UpstreamUnavailable("503", source="one", operation="GetOrder"))

    data, errors = await ask(BY_ID % "currency warnings { code }", kept, id=INVOICE.global_id)

    assert data == {"node": {"currency": None, "warnings": []}}
    assert [error["path"] for error in errors] == [["node", "currency"]]


async def test_an_order_that_is_asked_for_its_currency_and_for_itself_is_asked_once() -> None:
    kept = source(with_currency(ASKED), order(ORDERS[0]))

    await ask(BY_ID % "currency orders { status } totals { total { currency currencyOrigin } }", kept, id=INVOICE.global_id)

    assert kept.batches == [(Fetch.INVOICE, ("i",)), (Fetch.ORDER, ("a",))]


async def test_a_row_of_the_source_names_a_currency_of_its_own() -> None:
    row = Ref("one", Kind.CURRENCY, "3")
    terms = InvoiceSettings(
        ref=Ref("one", Kind.INVOICE_SETTINGS, "t"),
        native_type="Terms",
        fetched_at=NOW,
        version="1",
        customer=Customer(ref=Ref("one", Kind.CUSTOMER, "c"), native_type="Customer"),
        currency=Currency(None, CurrencyOrigin.UNKNOWN, ask=row),
    )
    kept = source(terms, CurrencyRow(ref=row, native_type="Currency", fetched_at=NOW, code="NOK"))

    data, errors = await ask(
        "query ($id: ID!) { node(id: $id) { ... on InvoiceSettings { currency customer { id } } } }", kept, id=terms.ref.global_id
    )

    assert (data, errors) == ({"node": {"currency": "NOK", "customer": {"id": terms.customer.ref.global_id}}}, [])


# ------------------------------------------------------------------ bugs in a source


async def test_a_bug_in_one_source_takes_no_object_of_another_away_and_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    fine = source(invoice())
    broken = MemorySource("two", bug=raises)
    ids = [Ref("two", Kind.INVOICE, "i").global_id, INVOICE.global_id]

    with caplog.at_level(logging.ERROR):
        data, errors = await ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", fine, broken, ids=ids)

    assert data == {"nodes": [None, {"id": ids[1]}]}
    assert [(error["path"], error["message"], error["extensions"]) for error in errors] == [
        (["nodes", 0], "an internal error; say request test when you report it", {"code": "INTERNAL", "requestId": "test"})
    ]
    assert [(record.name, record.getMessage().splitlines()[0]) for record in caplog.records] == [("gateway", "request test: KeyError")]


async def test_a_bug_takes_from_a_reference_only_what_it_did_not_carry() -> None:
    def bug(refs: Sequence[Ref]) -> Sequence[Answer]:
        return [invoice(reference(ORDERS[0]))] if refs[0] == INVOICE else raises(refs)

    data, errors = await ask(BY_ID % "orders { id number status }", MemorySource("one", bug=bug), id=INVOICE.global_id)

    assert data == {"node": {"orders": [{"id": ORDERS[0].global_id, "number": "N-a", "status": None}]}}
    assert [(error["path"], error["extensions"]["code"]) for error in errors] == [(["node", "orders", 0, "status"], "INTERNAL")]


async def test_an_answer_too_few_is_the_problem_of_those_who_asked() -> None:
    data, errors = await ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", MemorySource("one", bug=lambda _: []), ids=[INVOICE.global_id]
    )

    assert data == {"nodes": [None]}
    assert [error["extensions"]["code"] for error in errors] == ["INTERNAL"]


async def test_what_a_caller_did_wrong_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    failed = source(invoice(reference(ORDERS[0])), a=UpstreamUnavailable("503", source="one", operation="GetOrder"))

    with caplog.at_level(logging.DEBUG):
        await ask("{ nothing }", failed)
        await ask('{ node(id: "junk") { id } }', failed)
        _, errors = await ask(BY_ID % "orders { status }", failed, id=INVOICE.global_id)

    assert len(errors) == 1
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


# ------------------------------------------------------------------ aliases and raw JSON


async def test_a_reference_by_another_key_is_resolved_before_it_has_an_id() -> None:
    alias = Ref("one", Kind.CUSTOMER, "guid")
    real = Customer(ref=Ref("one", Kind.CUSTOMER, "40017"), native_type="Customer", fetched_at=NOW, name="Åkeri")
    shown = Invoice(
        ref=INVOICE,
        native_type="Invoice",
        fetched_at=NOW,
        customer=Customer(ref=alias, native_type="Customer", name="Åkeri", is_alias=True),
    )
    kept = MemorySource("one", {INVOICE: shown, alias: real})
    query = BY_ID % "customer { id name }"

    assert await ask(query, kept, id=INVOICE.global_id) == ({"node": {"customer": {"id": real.ref.global_id, "name": "Åkeri"}}}, [])


async def test_an_alias_that_leads_nowhere_is_null_and_one_that_fails_an_error() -> None:
    alias = Ref("one", Kind.CUSTOMER, "guid")
    shown = Invoice(ref=INVOICE, native_type="Invoice", fetched_at=NOW, customer=Customer(ref=alias, native_type="Customer", is_alias=True))
    failure = UpstreamUnavailable("503", source="one", operation="GetCustomer")

    nowhere = await ask(BY_ID % "customer { id }", MemorySource("one", {INVOICE: shown}), id=INVOICE.global_id)
    failed_data, failed_errors = await ask(
        BY_ID % "customer { id }", MemorySource("one", {INVOICE: shown, alias: failure}), id=INVOICE.global_id
    )

    assert nowhere == ({"node": {"customer": None}}, [])
    assert (failed_data, failed_errors[0]["path"]) == ({"node": {"customer": None}}, ["node", "customer"])


@pytest.mark.parametrize(("permissions", "is_fetched"), [({Permission.READ}, False), ({Permission.READ, Permission.RAW}, True)])
async def test_raw_json_is_fetched_only_for_those_who_may_see_it(permissions: set[Permission], *, is_fetched: bool) -> None:
    kept = source(invoice(reference(ORDERS[0])), order(ORDERS[0]))

    data, errors = await ask(BY_ID % "orders { origin { raw } }", kept, permissions=frozenset(permissions), id=INVOICE.global_id)

    assert errors == []
    assert data["node"]["orders"] == [{"origin": {"raw": {"Id": Decimal(1)} if is_fetched else None}}]
    assert ((Fetch.ORDER, ("a",)) in kept.batches) is is_fetched


@pytest.mark.parametrize(("permissions", "wanted"), [({Permission.READ}, frozenset({"number"})), ({Permission.READ, Permission.RAW}, None)])
async def test_the_whole_of_an_object_is_wanted_only_by_those_who_see_its_raw_json(
    permissions: set[Permission], wanted: frozenset[str] | None
) -> None:
    kept = source(invoice())

    await ask(BY_ID % "number origin { raw }", kept, permissions=frozenset(permissions), id=INVOICE.global_id)

    assert kept.fields == [wanted]


@pytest.mark.parametrize(
    ("support", "is_asked"), [(SupportLevel.SUPPORTED, True), (SupportLevel.PARTIAL, True), (SupportLevel.NOT_OFFERED, False)]
)
async def test_terms_are_asked_where_the_source_offers_to_read_them(support: SupportLevel, *, is_asked: bool) -> None:
    customer = Customer(ref=Ref("one", Kind.CUSTOMER, "c"), native_type="Customer", fetched_at=NOW)
    kept = source(customer)
    kept.capabilities = (Capability(Operation.READ_INVOICE_SETTINGS, support),)

    query = "query ($id: ID!) { node(id: $id) { ... on Customer { invoiceSettings { version } } } }"
    data, errors = await ask(query, kept, id=customer.ref.global_id)

    assert (data, errors) == ({"node": {"invoiceSettings": None}}, [])
    assert ((Fetch.INVOICE_SETTINGS, ("c",)) in kept.batches) is is_asked


async def test_what_no_call_could_tell_is_null() -> None:
    bare = Invoice(ref=INVOICE, native_type="Invoice", fetched_at=NOW)
    assert bare.number is UNREAD

    data, errors = await ask(
        BY_ID % "number type totals { total { amount } } orders { id } customer { id } warnings { code }",
        source(bare),
        id=INVOICE.global_id,
    )

    nothing: dict[str, object] = {"number": None, "type": None, "totals": None, "orders": None, "customer": None, "warnings": []}
    assert (data, errors) == ({"node": nothing}, [])


# ------------------------------------------------------------------ the party of an invoice


PARTY = Customer(ref=Ref("one", Kind.CUSTOMER, "k"), native_type="Customer", fetched_at=NOW, number="7", name="Kringlan")
LISTED = "{ invoices { nodes { number customer { name } } } }"


async def test_a_listed_invoice_that_names_neither_party_nor_order_is_read_whole_for_its_party() -> None:
    whole = Invoice(ref=INVOICE, native_type="Invoice", fetched_at=NOW, number="F-1", customer=PARTY, orders=())
    listed = Invoice(ref=INVOICE, native_type="Invoice", fetched_at=NOW, number="F-1")
    one = MemorySource("one", {INVOICE: whole}, listed=[listed])

    data, errors = await ask(LISTED, one)

    assert errors == []
    assert data == {"invoices": {"nodes": [{"number": "F-1", "customer": {"name": "Kringlan"}}]}}
    assert one.batches == [(Fetch.INVOICE, ("i",))]


async def test_a_listed_invoice_whose_order_is_known_gets_its_party_from_the_order() -> None:
    listed = Invoice(ref=INVOICE, native_type="Invoice", fetched_at=NOW, number="F-1", orders=(reference(ORDERS[0]),))
    ordered = Order(ref=ORDERS[0], native_type="Order", fetched_at=NOW, customer=PARTY)
    one = MemorySource("one", {ORDERS[0]: ordered}, listed=[listed])

    data, errors = await ask(LISTED, one)

    assert errors == []
    assert data == {"invoices": {"nodes": [{"number": "F-1", "customer": {"name": "Kringlan"}}]}}
    assert one.batches == [(Fetch.ORDER, ("a",))]
