"""`CompilatorSource`: endpoints -> upstream -> mapping, and what is particular to reading and writing over DDAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

from gateway.errors import GatewayError, InvalidCursor, InvalidInput, ListUnsupported, LookupUnsupported, UpstreamError
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    Criteria,
    CurrencyRow,
    Customer,
    InvoiceSettings,
    Kind,
    MutationOutcome,
    Operation,
    Order,
    Record,
    Ref,
    SetInvoiceSettings,
    SourcePage,
    SupportLevel,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    Write,
)
from gateway.sources.base import (
    Answer,
    Calls,
    Demand,
    Fetch,
    IndexState,
    OverUpstream,
    Prepared,
    Refused,
    Settled,
    SourceParts,
    each,
    one_for_all,
)
from gateway.sources.compilator import endpoints
from gateway.sources.compilator.answers import NO_CURRENCY, NO_INVOICE, NOT_PUBLISHED, Absence, reading
from gateway.sources.compilator.costs import worst_case
from gateway.sources.compilator.customers import CustomerList
from gateway.sources.compilator.mapping import (
    Sent,
    expect,
    to_currency_row,
    to_invoice,
    to_number,
    to_order,
    to_settings,
)
from gateway.sources.compilator.orders import OrderList
from gateway.sources.compilator.payloads import (
    CurrencyPayload,
    InvoicePayload,
    OrderPayload,
    SettingsPayload,
)
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.compilator.writes import (
    FIELD_COUNT,
    KEY,
    Proof,
    as_read,
    body_of,
    mistakes_against,
    mistakes_in_values,
    proof_of,
    shows,
    to_answer,
    to_refusals,
)
from gateway.sources.decode import convert, decode
from gateway.transport import Clock, Request, Response, Scope

T = TypeVar("T")

_CURRENCIES_KEPT: Final = 256
_CURRENCY_SECONDS: Final = 3600.0

_INVOICE: Final = "GET api/invoice/{invoiceNo}/{includeInternal}"
_NO_WAY_TO_INVOICES: Final = "no published call goes from an order or customer to its invoices"
_END: Final = "end"
"""The only place in a list of invoices: behind the one."""

_CAPABILITIES: Final = (
    Capability(
        Operation.READ_CUSTOMER,
        SupportLevel.PARTIAL,
        endpoints.CUSTOMERS,
        Batching.WINDOW,
        "no read of one customer is published: those changed since a configured day are read page by page, once for all keys",
    ),
    Capability(
        Operation.LIST_CUSTOMERS,
        SupportLevel.PARTIAL,
        endpoints.CUSTOMERS,
        Batching.WINDOW,
        "those changed since a configured day, from the same read as customers by key",
    ),
    Capability(Operation.READ_ORDER, SupportLevel.SUPPORTED, "GET api/orders/{id}/{branchId}", Batching.EACH),
    Capability(Operation.READ_INVOICE, SupportLevel.SUPPORTED, _INVOICE, Batching.EACH),
    Capability(Operation.LIST_INVOICES, SupportLevel.NOT_OFFERED, note="invoices are published by number only"),
    Capability(Operation.READ_INVOICE_LINES, SupportLevel.NOT_OFFERED),
    Capability(Operation.READ_INVOICE_DOCUMENT, SupportLevel.NOT_OFFERED),
    Capability(
        Operation.READ_INVOICE_SETTINGS,
        SupportLevel.SUPPORTED,
        "GET api/customers/invoice?customerNumber={customerNumber}",
        Batching.EACH,
    ),
    Capability(
        Operation.CREATE_INVOICE,
        SupportLevel.NOT_OFFERED,
        note="`POST api/customers/invoice` writes a customer's invoicing settings, it makes no invoice",
    ),
    Capability(Operation.CREATE_INVOICE_FROM_ORDER, SupportLevel.NOT_OFFERED),
    Capability(Operation.SET_INVOICE_SETTINGS, SupportLevel.SUPPORTED, "POST api/customers/invoice", Batching.EACH),
)


def _list_orders(options: CompilatorOptions) -> Capability:
    operation, note = (
        (endpoints.BRANCH_ORDERS, "one call a customer, or one a configured branch; without lines")
        if options.branch_ids
        else (
            endpoints.CUSTOMER_ORDERS,
            "one call a customer, without lines; orders of all customers need `branch_ids` in the configuration",
        )
    )
    return Capability(Operation.LIST_ORDERS, SupportLevel.PARTIAL, operation, Batching.PARENT, note)


@dataclass(frozen=True, slots=True)
class _SettingsRead:
    payload: SettingsPayload
    sent: Sent


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look after a write found; `record` is there when the settings are as they were sent."""

    proof: Proof
    record: InvoiceSettings | None


class _CurrencyRows:
    """Keeps currency rows for an hour, a bounded number of them: reference data that hardly ever changes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, CurrencyRow]] = {}

    def get(self, key: str) -> CurrencyRow | None:
        read_at, row = self._kept.get(key, (0.0, None))
        return row if row is not None and self._clock.monotonic() - read_at < _CURRENCY_SECONDS else None

    def put(self, key: str, row: CurrencyRow) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= _CURRENCIES_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._clock.monotonic(), row)


class CompilatorSource(OverUpstream):
    """One DDAPI site."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: CompilatorOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._currency_rows = _CurrencyRows(parts.clock)
        self._customers = CustomerList(parts)
        self._orders = OrderList(parts)

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do; lists of orders depend on the branches that are configured."""
        return (*_CAPABILITIES, _list_orders(self._options))

    @property
    def indexes(self) -> tuple[IndexState, ...]:
        """How the sweep of its customers stands; calls nobody."""
        return (self._customers.index,)

    @property
    def personal_fields(self) -> frozenset[str]:
        """A sole trader's organisation number is a personal identity number, and the VAT number holds it."""
        return frozenset({"OrgNo", "VatRegistrationNumber"})

    @property
    def orders_per_invoice(self) -> int:
        """An invoice names no order."""
        return 0

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        """Say which calls a demand costs at most; see `costs`."""
        return worst_case(demand, self._options)

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the one spelling of a key: whole numbers, of an order two of them; raises `InvalidInput`."""
        if kind is Kind.SOURCE:
            raise InvalidInput("a source has no key of its own")
        if kind is Kind.ORDER:
            return _order_key(native_id)
        number = to_number(native_id)
        if number is None:
            raise InvalidInput(f"{kind.name.lower().replace('_', ' ')}: the key is a whole number above 0, e.g. 40017")
        return number

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        """Answer each key, whatever `fields`: no read can be narrowed. A customer may be asked by number or by GUID."""
        del fields
        if fetch is Fetch.CUSTOMER:
            return await one_for_all(refs, lambda: self._customers.answers(scope))
        readers: dict[Fetch, Callable[[Ref, Scope], Awaitable[Answer]]] = {
            Fetch.ORDER: self._order,
            Fetch.ORDER_LINES: self._order_lines,
            Fetch.INVOICE: self._invoice,
            Fetch.INVOICE_SETTINGS: self._settings,
            Fetch.CURRENCY: self._currency,
        }
        reader = readers.get(fetch)
        if reader is None:
            return [None] * len(refs)
        return await each(refs, lambda ref: reader(ref, scope), at_once=self._upstream.max_in_flight)

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List customers by number; orders of a customer, or of the configured branches, by date; invoices only by number."""
        match criteria.kind:
            case Kind.CUSTOMER:
                return await self._customers.page(criteria, position, size, scope)
            case Kind.ORDER:
                return await self._order_page(criteria, position, size, scope)
            case Kind.INVOICE:
                return await self._invoice_page(criteria, position, scope)
            case kind:
                name = kind.name.lower().replace("_", " ")
                raise ListUnsupported(f"there is no list of {name}", source=self._profile.key, operation=f"list {name}")

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find a customer or invoice by number, which is its key. A text that can be no number finds nothing."""
        fetch = {Kind.CUSTOMER: Fetch.CUSTOMER, Kind.INVOICE: Fetch.INVOICE}.get(kind)
        if fetch is None:
            raise LookupUnsupported(
                "an order is found by its id and branch together, not by a number alone"
                if kind is Kind.ORDER
                else f"there is no lookup of {kind.name.lower()} by number",
                source=self._profile.key,
                operation=f"find {kind.name.lower()}",
            )
        key = to_number(number)
        if key is None:
            return ()
        answer = (await self.fetch_many(fetch, (self._ref(kind, key),), scope))[0]
        if isinstance(answer, GatewayError):
            raise answer
        return (answer,) if isinstance(answer, Record) else ()

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Validate a write of invoicing settings against what is there; nothing else can be written."""
        if not isinstance(write, SetInvoiceSettings):
            message = "this source publishes no way to create an invoice: its customer invoice is a customer's invoicing settings"
            return Refused((UserError(UserErrorCode.UNSUPPORTED_OPERATION, message),), unsupported=True)
        number = to_number(write.customer.native_id)
        if number is None:
            return Refused((UserError(UserErrorCode.INVALID, "the customer has no customer number", ("customer",)),))
        ref = self._ref(Kind.INVOICE_SETTINGS, number)
        mistakes = mistakes_in_values(write.values)
        try:
            current = await self._read_settings(ref, scope)
        except UpstreamError:
            if mistakes:  # refused whatever the source has
                return Refused(tuple(mistakes))
            raise
        mistakes += mistakes_against(write, None if current is None else current.payload)
        is_stale = any(mistake.code is UserErrorCode.STALE_VERSION for mistake in mistakes)
        existing = to_settings(current.payload, ref, self._profile, current.sent) if is_stale and current is not None else None
        return Refused(tuple(mistakes), existing=existing) if mistakes else self._prepared(write, ref, current)

    def _prepared(self, write: SetInvoiceSettings, ref: Ref, current: _SettingsRead | None) -> Prepared:
        body = body_of(write, None if current is None else current.payload)
        is_complete = len(body) == FIELD_COUNT
        return Prepared(
            operation=Operation.SET_INVOICE_SETTINGS,
            request=endpoints.set_customer_invoice(body),
            subject=ref.native_id,
            result=ref,
            submitted=to_settings(convert(body, SettingsPayload), ref, self._profile) if is_complete else None,
            before=None if current is None else as_read(current.payload),
            previous=None if current is None else to_settings(current.payload, ref, self._profile, current.sent),
        )

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Send the write, once."""
        return await self._upstream.write(prepared.request, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        """Read `Success`, then confirm by reading back. A body that says neither, or both, is settled by a look."""
        answer = to_answer(response.body)
        if answer is not None and answer.success is False:
            return Settled(outcome=MutationOutcome.REJECTED, errors=self._rejections(response))
        if answer is not None and answer.success and not answer.errors:
            return await self._confirm(prepared, scope)
        settled = await self.look(prepared, scope)
        if answer is None or not answer.errors or settled.outcome is MutationOutcome.APPLIED:
            return settled
        return replace(settled, errors=settled.errors + self._rejections(response))

    def _rejections(self, response: Response) -> tuple[UserError, ...]:
        return tuple(
            UserError(UserErrorCode.UPSTREAM_REJECTED, "the source refused the settings", upstream=refusal)
            for refusal in self.refusals(response)
        )

    async def _confirm(self, prepared: Prepared, scope: Scope) -> Settled:
        """Read back what the source says that it wrote."""
        try:
            seen = await self._see(prepared, scope)
        except GatewayError:
            seen = _Seen(Proof.NONE, None)
        confirmation = Confirmation.READ_BACK if seen.proof is Proof.WRITTEN else Confirmation.STATUS_ONLY
        return Settled(outcome=MutationOutcome.APPLIED, confirmation=confirmation, record=seen.record or prepared.submitted)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Read the settings and compare: as sent, as before, or neither, which proves nothing."""
        try:
            seen = await self._see(prepared, scope)
        except GatewayError:
            return _unknown(prepared, "the settings could not be read")
        if seen.proof is Proof.WRITTEN:
            return Settled(outcome=MutationOutcome.APPLIED, confirmation=Confirmation.READ_BACK, record=seen.record)
        if seen.proof is Proof.UNCHANGED:
            error = UserError(UserErrorCode.UPSTREAM_REJECTED, "the source did not write: the settings are as they were before")
            return Settled(outcome=MutationOutcome.REJECTED, errors=(error,))
        return _unknown(prepared, "the settings, as far as the source returns them, do not prove it")

    async def _see(self, prepared: Prepared, scope: Scope) -> _Seen:
        sent = cast("Mapping[str, object]", prepared.request.json)
        ref = self._ref(Kind.INVOICE_SETTINGS, str(sent[KEY]))
        found = await self._read_settings(ref, scope)
        if found is None:
            return _Seen(proof_of(sent, prepared.before, None), None)
        now = as_read(found.payload)
        record = to_settings(found.payload, ref, self._profile, found.sent) if shows(sent, now) else None
        return _Seen(proof_of(sent, prepared.before, now), record)

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read the entries of `Errors`."""
        return to_refusals(response.status, response.body)

    async def probe(self, scope: Scope) -> str:
        """Read one customer that changed today."""
        today = self._clock.now().astimezone(self._profile.time_zone).date()
        page = await self._customers.read_page(endpoints.customers_since(today, page_size=1), scope)
        return f"customers can be read; changed since {today.isoformat()}: {page.total_pages}"

    def _ref(self, kind: Kind, native_id: str) -> Ref:
        return Ref(self._profile.key, kind, native_id)

    async def _order_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        customer = criteria.customer
        if customer is None or to_number(customer.native_id) is not None:
            number = None if customer is None else customer.native_id
            return await self._orders.page(criteria, number, position, size, scope)
        match (await self._customers.answers(scope))(customer):  # a GUID, as invoices name their customer
            case Customer(ref=found):
                return await self._orders.page(criteria, found.native_id, position, size, scope)
            case GatewayError() as error:
                raise error
            case _:
                return SourcePage(applied=frozenset({"customer"}))

    async def _invoice_page(self, criteria: Criteria, position: str | None, scope: Scope) -> SourcePage:
        """Give the one invoice that has the number asked for."""
        if criteria.number is None or criteria.order is not None or criteria.customer is not None:
            raise ListUnsupported(
                "invoices are published by number only" if criteria.order is None and criteria.customer is None else _NO_WAY_TO_INVOICES,
                source=self._profile.key,
                operation=_INVOICE,
            )
        if position not in {None, _END}:
            raise InvalidCursor("after: this is no place in a list of this source's invoices")
        records = () if position else await self.find(Kind.INVOICE, criteria.number, scope)
        applied = frozenset({"number"})
        return SourcePage(
            records=records,
            positions=(_END,) * len(records),
            applied=applied,
            total=len(records) if position is None and applied == criteria.asked else None,
        )

    async def _order(self, ref: Ref, scope: Scope) -> Answer:
        order_id, _, branch_id = ref.native_id.partition("/")
        return await self._one(
            endpoints.order(order_id, branch_id),
            scope,
            NOT_PUBLISHED,
            lambda sent: to_order(decode(sent.raw, OrderPayload), ref, sent, self._profile),
        )

    async def _order_lines(self, ref: Ref, scope: Scope) -> Answer:
        """Read the whole order: lists may leave its lines out, and there is no read of lines alone."""
        order = await self._order(ref, scope)
        return order.lines if isinstance(order, Order) and isinstance(order.lines, tuple) else None

    async def _invoice(self, ref: Ref, scope: Scope) -> Answer:
        return await self._one(
            endpoints.invoice(ref.native_id, include_internal=self._options.include_internal),
            scope,
            NO_INVOICE,
            lambda sent: to_invoice(decode(sent.raw, InvoicePayload), ref, sent, self._profile),
        )

    async def _currency(self, ref: Ref, scope: Scope) -> Answer:
        kept = self._currency_rows.get(ref.native_id)
        if kept is not None:
            return kept
        row = await self._one(
            endpoints.currency(ref.native_id),
            scope,
            NO_CURRENCY,
            lambda sent: to_currency_row(decode(sent.raw, CurrencyPayload), ref, sent, self._profile),
        )
        if row is not None:
            self._currency_rows.put(ref.native_id, row)
        return row

    async def _settings(self, ref: Ref, scope: Scope) -> Answer:
        read = await self._read_settings(ref, scope)
        return None if read is None else to_settings(read.payload, ref, self._profile, read.sent)

    async def _read_settings(self, ref: Ref, scope: Scope) -> _SettingsRead | None:
        def to_read(sent: Sent) -> _SettingsRead:
            payload = decode(sent.raw, SettingsPayload)
            expect(payload.customer_number, ref.native_id, "CustomerNumber")
            return _SettingsRead(payload, sent)

        return await self._one(endpoints.customer_invoice(ref.native_id), scope, NOT_PUBLISHED, to_read)

    async def _one(self, request: Request, scope: Scope, absence: Absence, to_result: Callable[[Sent], T]) -> T | None:
        """Read one object; None when the source says that there is none."""
        response = await self._upstream.read(request, scope, answers=absence.statuses | {200})
        if absence.is_said_by(response):
            return None
        with reading(self._upstream, request):
            return to_result(Sent(response.body, self._clock.now()))


def _order_key(native_id: str) -> str:
    parts = [to_number(part) for part in native_id.split("/")]
    match parts:
        case [str(order_id), str(branch_id)]:
            return f"{order_id}/{branch_id}"
        case _:
            raise InvalidInput("order: the key is its id and its branch, e.g. 5512/12")


def _unknown(prepared: Prepared, why: str) -> Settled:
    message = (
        f"{why}; compare `GET api/customers/invoice?customerNumber={prepared.subject}` with what was sent, or look at the invoicing "
        f"settings of customer {prepared.subject} in the source"
    )
    return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))
