"""Sources that keep a small world in memory: objects of all kinds, references, things that fail and things that are not there.

Which keys fail and how, what the records leave out and in how many turns of the loop a source answers is for the test to choose.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gateway.errors import AbsenceUnproven, InvalidInput, ListUnsupported, UpstreamRateLimited, UpstreamRejected, UpstreamTimeout
from gateway.loaders import LinkRule, LinkRules
from gateway.model import (
    UNREAD,
    Address,
    Batching,
    Capability,
    Charge,
    ChargeKind,
    Confirmation,
    CreateInvoice,
    CreateInvoiceFromOrder,
    Criteria,
    Currency,
    CurrencyOrigin,
    CurrencyRow,
    Customer,
    CustomerKind,
    CustomField,
    DataWarning,
    DataWarningCode,
    Details,
    Document,
    DocumentContent,
    ExternalNumber,
    ExternalNumberRole,
    Invoice,
    InvoicePayments,
    InvoiceSettings,
    InvoiceType,
    Kind,
    LabelRow,
    Line,
    Money,
    MutationOutcome,
    Note,
    NoteRole,
    Operation,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Permission,
    Record,
    Ref,
    SourceCode,
    SourceHealth,
    SourcePage,
    SupportLevel,
    Totals,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    VatBasis,
    Write,
)
from gateway.sources.base import Answer, Calls, Claims, Demand, Fetch, Prepared, Refused, Settled, SourceProfile, claims_of
from gateway.transport import Request, Response, Scope, UpstreamState

AT: Final = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SEK: Final = Currency("SEK", CurrencyOrigin.RECORD)
_LEFT_OUT: Final[Any] = None


def ref(source: str, kind: Kind, native_id: str) -> Ref:
    """Make a key."""
    return Ref(source, kind, native_id)


def _money(amount: str, currency: Currency = SEK) -> Money:
    return Money(Decimal(amount), currency)


_ROW = Currency(None, CurrencyOrigin.UNKNOWN, ask=ref("a", Kind.CURRENCY, "m1"))
_NO_ROW = Currency("EUR", CurrencyOrigin.SOURCE_DEFAULT, ask=ref("a", Kind.CURRENCY, "m2"))
_OF_ORDER = Currency(None, CurrencyOrigin.UNKNOWN, ask=ref("a", Kind.ORDER, "o1"))
_ADDRESS = Address(line1="Storgatan 1", city="Umeå", country_code="SE")
_WARNING = DataWarning(DataWarningCode.DERIVED, "computed", ("totals", "vat"))


def _customer(source: str, native_id: str, number: str, **more: Any) -> Customer:  # noqa: ANN401  (fields of the record)
    return Customer(
        ref=ref(source, Kind.CUSTOMER, native_id),
        native_type="Customer",
        **{
            "fetched_at": AT,
            "raw": b'{"Id": 1.50, "SSN": "19121212-1212"}',
            "warnings": None,
            "number": number,
            "name": f"Customer {number}",
            "kind": CustomerKind.ORGANIZATION,
            "organization_number": "5566778899",
            "vat_number": None,
            "email": "a@b.example",
            "phone": None,
            "billing_address": _ADDRESS,
            **more,
        },
    )


def _customer_ref(source: str, native_id: str, **known: Any) -> Customer:  # noqa: ANN401  (as above)
    return Customer(ref=ref(source, Kind.CUSTOMER, native_id), native_type="Customer", **known)


def _order_ref(source: str, native_id: str, **known: Any) -> Order:  # noqa: ANN401  (as above)
    return Order(ref=ref(source, Kind.ORDER, native_id), native_type="Order", **known)


_LINES: Final = (
    Line(position="1", item_number="A-1", name="Stol", quantity=Decimal("2.0"), net_amount=_money("10.50"), vat_percent=Decimal(25)),
    Line(position="2", unit_price_excl_vat=_money("1", _ROW), gross_amount=_money("2", _OF_ORDER), delivery_date=date(2026, 1, 2)),
    Line(name="Broken", net_amount=Money(_LEFT_OUT, SEK), vat_amount=_money("0.01", _NO_ROW)),
)


def _order(source: str, native_id: str, number: str, **more: Any) -> Order:  # noqa: ANN401  (as above)
    return Order(
        ref=ref(source, Kind.ORDER, native_id),
        native_type="Order",
        **{
            "fetched_at": AT,
            "raw": b'{"Total": 1e3}',
            "warnings": (_WARNING,),
            "number": number,
            "ordered_at": AT,
            "status": OrderStatus.OPEN,
            "source_statuses": (SourceCode("Status", "1", "Ny"), SourceCode("Status", "2", ask=ref("a", Kind.LABEL, "l1"))),
            "currency": SEK,
            "totals": Totals(vat_basis=VatBasis.INCLUDING_VAT, total=_money("100"), rounding=_money("0.25")),
            "customer": _customer_ref("a", "c1", number="1"),
            "delivery_method": None,
            "payment_method": "card",
            **more,
        },
    )


def _invoice(source: str, native_id: str, number: str, **more: Any) -> Invoice:  # noqa: ANN401  (as above)
    return Invoice(
        ref=ref(source, Kind.INVOICE, native_id),
        native_type="Invoice",
        **{
            "fetched_at": AT,
            "raw": b"{}",
            "warnings": None,
            "type": InvoiceType.INVOICE,
            "is_credit": False,
            "number": number,
            "external_numbers": (ExternalNumber(ExternalNumberRole.PSP, "77"),),
            "issue_date": date(2026, 2, 3),
            "due_date": None,
            "created_at": AT,
            "updated_at": None,
            "currency": SEK,
            "totals": Totals(
                vat_basis=VatBasis.EXCLUDING_VAT,
                total=_money("80"),
                vat=_money("20", _ROW),
                rounding_of=(ref("a", Kind.ORDER, "o1"), ref("a", Kind.ORDER, "o2")),
            ),
            "charges": (Charge(ChargeKind.FREIGHT, _money("49"), VatBasis.UNKNOWN),),
            "payment_status": PaymentStatus.UNPAID,
            "paid_at": None,
            "source_statuses": (),
            "is_deleted": False,
            "email_sent": None,
            "sent_at": None,
            "delivery_date": date(2026, 2, 1),
            "notes": (Note(NoteRole.COMMENT, "Tack"), Note(NoteRole.REMARKS, "Hej")),
            "customer": _customer_ref("a", "c2"),
            "orders": (_order_ref("a", "o1", number="2001"), _order_ref("a", "o2")),
            "credited_invoice_number": None,
            "group_key": None,
            "document": Document("f1", "application/pdf", "1.pdf"),
            "custom_fields": (CustomField("x", value="1"),),
            "details": Details("NORCE", {"created_by_source": "WEB"}),
            **more,
        },
    )


def _settings(native_id: str, **more: Any) -> InvoiceSettings:  # noqa: ANN401  (as above)
    return InvoiceSettings(
        ref=ref("a", Kind.INVOICE_SETTINGS, native_id),
        native_type="Settings",
        fetched_at=AT,
        **{
            "version": "v1",
            "customer": _customer_ref("a", native_id),
            "invoice_recipient": _customer_ref("a", "c2", name="Recipient"),
            "currency": _ROW,
            "source_currency": SourceCode("CurrencyId", "1", ask=ref("a", Kind.LABEL, "l2")),
            "payment_terms": None,
            "retains_invoice_type": True,
            **more,
        },
    )


_CREDIT = {"type": InvoiceType.CREDIT_NOTE, "is_credit": True, "credited_invoice_number": "1001"}
_BROKEN = {
    "totals": Totals(vat_basis=cast("Any", None), total=_money("1")),
    "charges": (
        Charge(ChargeKind.FREIGHT, Money(_LEFT_OUT, SEK), VatBasis.UNKNOWN),
        Charge(cast("Any", "odd"), _money("1"), VatBasis.UNKNOWN),
    ),
    "notes": (Note(NoteRole.COMMENT, "Tack"), Note(NoteRole.REMARKS, _LEFT_OUT), cast("Any", None)),
    "orders": cast("Any", (_order_ref("a", "o1"), _order_ref("a", "none", is_alias=True))),
    "external_numbers": cast("Any", "no list"),
    "raw": b"{",
}
_RECORDS: Final[tuple[Record, ...]] = (
    _customer("a", "c1", "1"),
    _customer("a", "c2", "2", name=None, billing_address=None, email=UNREAD, raw=None),
    _customer("b", "c1", "1", organization_number="556677-8899", kind=CustomerKind.UNKNOWN),
    _customer("b", "c2", "3", billing_address=replace(_ADDRESS, line1=cast("Any", 7))),
    _order("a", "o1", "2001"),
    _order("a", "o2", "2002", currency=_ROW, customer=_customer_ref("a", "alias", is_alias=True), lines=_LINES[:2]),
    _order("b", "o1", "2001", customer=_customer_ref("gone", "c1"), lines=None, currency=None),
    _invoice("a", "i1", "1001", customer=UNREAD, currency=_OF_ORDER),
    _invoice("a", "i2", "1002", **_CREDIT, lines=_LINES[:1], details=Details("NORCE", {})),
    _invoice("a", "i3", "1003", **_BROKEN),
    _invoice("b", "i1", "1001", orders=UNREAD, details=Details("SHOPCTRL", {"currency_id": 1, "shop_id": 2**40})),
    _invoice("b", "i2", "1001", customer=None, orders=(), details=Details("ELSE", {}), lines=_LINES, document=None),
    _settings("c1"),
    _settings("c2", customer=_customer_ref("a", "nobody", is_alias=True), currency=_NO_ROW, reverse_tax=None),
    CurrencyRow(ref=ref("a", Kind.CURRENCY, "m1"), native_type="Currency", code="NOK"),
    CurrencyRow(ref=ref("a", Kind.CURRENCY, "m2"), native_type="Currency", code=None),
    LabelRow(ref=ref("a", Kind.LABEL, "l1"), native_type="Label", label="Klar"),
    LabelRow(ref=ref("a", Kind.LABEL, "l2"), native_type="Label", label=None),
)
RECORDS: Final[Mapping[Ref, Record]] = {record.ref: record for record in _RECORDS} | {
    ref("a", Kind.CUSTOMER, "alias"): _customer("a", "c1", "1"),
}
_PAYMENTS: Final = {
    ref("a", Kind.INVOICE, "i1"): InvoicePayments(_money("5", _OF_ORDER), (Payment(_money("95"), date(2026, 2, 9)), Payment(_money("1")))),
    ref("a", Kind.INVOICE, "i2"): InvoicePayments(None, (Payment(Money(_LEFT_OUT, SEK)), Payment(_money("1"), None, "ref"))),
    ref("b", Kind.INVOICE, "i1"): InvoicePayments(_money("0"), ()),
}
_OWN_LINES: Final = {
    ref("a", Kind.ORDER, "o1"): _LINES,
    ref("a", Kind.INVOICE, "i1"): _LINES[:2],
    ref("b", Kind.INVOICE, "i1"): (),
}
_FETCHES: Final = {
    Kind.CUSTOMER: (Fetch.CUSTOMER,),
    Kind.ORDER: (Fetch.ORDER, Fetch.ORDER_LINES),
    Kind.INVOICE: (Fetch.INVOICE, Fetch.INVOICE_LINES, Fetch.PAYMENTS),
    Kind.INVOICE_SETTINGS: (Fetch.INVOICE_SETTINGS,),
    Kind.CURRENCY: (Fetch.CURRENCY,),
    Kind.LABEL: (Fetch.LABEL,),
}
KEYS: Final = tuple((fetch, key) for key in RECORDS for fetch in _FETCHES[key.kind])
"""All that can be fetched."""
ATTRIBUTES: Final = tuple(
    (key, each.name) for key, record in RECORDS.items() for each in fields(record) if each.name not in {"ref", "is_alias", "fetched_at"}
)
"""All that can be left out of a record, or be wrong in it."""

# ------------------------------------------------------------------ what goes wrong

FAILURES: Final[Mapping[str, Callable[[str], Answer | Exception]]] = {
    "absent": lambda _source: None,
    "timeout": lambda source: UpstreamTimeout("no answer in time", source=source, operation="Read"),
    "rejected": lambda source: UpstreamRejected("answered 400", source=source, operation="Read"),
    "rate limited": lambda source: UpstreamRateLimited("answered 429", source=source, operation="Read", retry_after=2.5),
    "unproven": lambda source: AbsenceUnproven("that proves nothing", source=source, operation="Read"),
    "bug": lambda _source: RuntimeError("a bug in a source"),
    "another": lambda source: _customer(source, "another", "9"),
}
VALUES: Final[Mapping[str, Callable[[], object]]] = {
    "null": lambda: None,
    "unread": lambda: UNREAD,
    "error": lambda: ValueError("a value that is an error"),
    "wrong": lambda: 5,
    "text": lambda: "text",
    "list": lambda: (None, "text", ValueError("an item that is an error")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What holds in one case."""

    failing: Mapping[tuple[Fetch, Ref], str] = field(default_factory=dict)
    """By what is fetched: which of the failures it is instead."""
    changed: Mapping[tuple[Ref, str], str] = field(default_factory=dict)
    """By record and attribute: which of the values it has instead."""
    broken: frozenset[str] = frozenset()
    """Sources whose batches, lists and searches raise."""
    unlisted: frozenset[Kind] = frozenset()
    """What no source lists."""
    turns: tuple[int, ...] = (0,)
    """In how many turns of the loop a call is answered, one call after the other, over and over."""
    is_narrow: bool = False
    """Records have only what is asked of them."""
    hidden: frozenset[str] = frozenset()
    """Sources that the caller may not see."""
    permissions: frozenset[Permission] = frozenset(Permission)
    link_rules: LinkRules = field(default_factory=LinkRules)
    idempotency_header: str | None = None


_MOSTLY_ALL = st.one_of(st.just(frozenset(Permission)), st.just(frozenset(Permission)), st.frozensets(st.sampled_from(Permission)))
_SELDOM = st.sampled_from([False, False, False, False, True])
_SOURCES = st.sampled_from(["a", "b"])


def _seldom(some: st.SearchStrategy[frozenset[Any]]) -> st.SearchStrategy[frozenset[Any]]:
    return _SELDOM.flatmap(lambda is_so: some if is_so else st.just(frozenset()))


worlds: Final[st.SearchStrategy[World]] = st.builds(
    World,
    failing=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(sorted(FAILURES)), max_size=6),
    changed=st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(sorted(VALUES)), max_size=8),
    broken=_seldom(st.frozensets(_SOURCES)),
    unlisted=_seldom(st.frozensets(st.sampled_from([Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE]))),
    turns=st.lists(st.integers(0, 4), min_size=1, max_size=5).map(tuple),
    is_narrow=st.booleans(),
    hidden=_seldom(st.frozensets(_SOURCES)),
    permissions=_MOSTLY_ALL,
    link_rules=st.sampled_from(
        [
            LinkRules(),
            LinkRules(frozenset({LinkRule.ORGANIZATION_NUMBER})),
            LinkRules(frozenset({LinkRule.EMAIL}), {("a", "c1"): "p", ("b", "c2"): "p"}),
        ]
    ),
    idempotency_header=st.sampled_from([None, None, "H-1"]),
)

# ------------------------------------------------------------------ the sources


@dataclass(slots=True)
class WorldSource:
    """One source of a world. `calls` counts each key that was read, each page and each search; `batches` the calls themselves."""

    key: str
    system: str
    world: World
    calls: Counter[tuple[object, ...]] = field(default_factory=Counter)
    batches: Counter[str] = field(default_factory=Counter)

    @property
    def profile(self) -> SourceProfile:
        return SourceProfile(key=self.key, system=self.system, display_name=self.key.upper(), time_zone=ZoneInfo("Europe/Stockholm"))

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        support = SupportLevel.SUPPORTED if self.key == "a" else SupportLevel.NOT_OFFERED
        return (
            Capability(Operation.READ_INVOICE_SETTINGS, support, "GET settings", Batching.EACH),
            Capability(Operation.READ_INVOICE, SupportLevel.PARTIAL, note="slowly"),
        )

    @property
    def health(self) -> SourceHealth:
        return SourceHealth.UP

    @property
    def health_since(self) -> datetime:
        return AT

    @property
    def upstream_state(self) -> UpstreamState:
        raise NotImplementedError  # it has none

    @property
    def indexes(self) -> tuple[()]:
        return ()

    @property
    def personal_fields(self) -> frozenset[str]:
        return frozenset({"SSN"})

    @property
    def orders_per_invoice(self) -> int:
        return 2

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        return (Calls("Read", demand.count),)

    def claims(self, write: Write) -> Claims:
        return claims_of(write)

    def canonical(self, kind: Kind, native_id: str) -> str:
        del kind
        if not native_id:
            raise InvalidInput("id: the key is empty")
        return native_id.lower()

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        del scope
        self.batches[fetch] += 1
        for each in refs:
            self.calls[fetch, each] += 1
        await self._answer(fetch)
        return [cast("Answer", self._one(fetch, each, fields)) for each in refs]

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        del scope
        self.calls["page", criteria.kind, position, size] += 1
        await self._answer("page")
        if criteria.kind in self.world.unlisted:
            raise ListUnsupported("it lists none", source=self.key, operation="List")
        known = [key for key, record in RECORDS.items() if record.ref == key and (key.source, key.kind) == (self.key, criteria.kind)]
        start = int(position or 0)
        rows = tuple(self._record(key, None) for key in known[start : start + size])
        end = start + len(rows)
        return SourcePage(
            records=rows,
            positions=tuple(str(start + index + 1) for index in range(len(rows))),
            next_position=None if end >= len(known) else str(end),
            applied=criteria.asked - {"number"},
            total=len(known),
        )

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        del scope
        self.calls["find", kind, repr(number)] += 1
        await self._answer("find")
        return tuple(
            self._record(key, None)
            for key, record in RECORDS.items()
            if (key.source, key.kind, getattr(record, "number", None)) == (self.key, kind, number)
        )

    async def _answer(self, what: str) -> None:
        turns = self.world.turns
        for _ in range(turns[len(what) % len(turns)]):
            await asyncio.sleep(0)
        if self.key in self.world.broken:
            raise UpstreamTimeout("no answer in time", source=self.key, operation=what)

    def _one(self, fetch: Fetch, key: Ref, wanted: frozenset[str] | None) -> object:
        failure = self.world.failing.get((fetch, key))
        if failure is not None:
            return FAILURES[failure](self.key)
        match fetch:
            case Fetch.PAYMENTS:
                return _PAYMENTS.get(key)
            case Fetch.ORDER_LINES | Fetch.INVOICE_LINES:
                return _OWN_LINES.get(key)
            case Fetch.DOCUMENT:
                return DocumentContent(b"", "application/pdf", "1.pdf")
            case _:
                return self._record(key, wanted) if key in RECORDS else None

    def _record(self, key: Ref, wanted: frozenset[str] | None) -> Record:
        record = RECORDS[key]
        changes = {name: VALUES[value]() for (of, name), value in self.world.changed.items() if of == key}
        if self.world.is_narrow and wanted is not None:
            changes |= {each.name: UNREAD for each in fields(record) if each.default is UNREAD and each.name not in wanted}
        return replace(record, **cast("Any", changes))

    # ------------------------------------------------------------------ writes

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        del scope
        await self._answer("prepare")
        request = Request(operation="Make", method="POST", path="/make", json={"Id": 88, "SSN": "1"})
        match write:
            case CreateInvoice(number="1001"):
                return Refused((UserError(UserErrorCode.DUPLICATE_NUMBER, "it is there", ("input", "number")),), existing=self._invoice())
            case CreateInvoice():
                return Prepared(operation=Operation.CREATE_INVOICE, request=request, subject=write.number, submitted=self._invoice())
            case CreateInvoiceFromOrder():
                return Prepared(operation=Operation.CREATE_INVOICE_FROM_ORDER, request=request, subject=write.order.native_id)
            case _:
                previous = _settings("c1")
                return Prepared(operation=Operation.SET_INVOICE_SETTINGS, request=request, submitted=previous, previous=previous)

    def _invoice(self) -> Record:
        return Invoice(ref=ref(self.key, Kind.INVOICE, "i1"), native_type="Invoice", number="1001")

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        del scope
        self.calls["write", prepared.operation] += 1
        await self._answer("send")
        if self.world.turns[0] == 3:
            raise UpstreamTimeout("no answer in time", source=self.key, operation="Make")
        return Response(200, {}, b"")

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        del response, scope
        if prepared.operation is Operation.SET_INVOICE_SETTINGS:
            return Settled(outcome=MutationOutcome.APPLIED, confirmation=Confirmation.READ_BACK, record=_settings("c1"))
        order = _order_ref(self.key, "o1")
        return Settled(outcome=MutationOutcome.APPLIED, confirmation=Confirmation.ECHO, record=self._invoice(), order=order)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        del prepared, scope
        return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, "look at it"),))

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        del prepared, scope
        return None

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        return (UpstreamRefusal(status=response.status),)

    async def probe(self, scope: Scope) -> str:
        del scope
        return "fine"


def sources_of(world: World) -> tuple[WorldSource, ...]:
    """Make the sources that the caller may see; each remembers what it is asked."""
    known = (WorldSource("a", "NORCE", world), WorldSource("b", "SHOPCTRL", world))
    return tuple(source for source in known if source.key not in world.hidden)
