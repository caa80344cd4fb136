"""`CompilatorSource`: endpoints -> upstream -> mapping, and what is particular to reading and writing over DDAPI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

from gateway.errors import AbsenceUnproven, GatewayError, InvalidInput, LookupUnsupported, UpstreamError
from gateway.model import (
    Batching,
    Capability,
    Confirmation,
    CurrencyRow,
    Customer,
    InvoiceSettings,
    Kind,
    MutationOutcome,
    Operation,
    Record,
    Ref,
    SetInvoiceSettings,
    SourceHealth,
    SupportLevel,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    Write,
)
from gateway.sources.base import Answer, Fetch, Prepared, Refused, Settled, SourceParts, SourceProfile, each, one_for_all
from gateway.sources.compilator import endpoints
from gateway.sources.compilator.mapping import (
    Sent,
    expect,
    to_currency_row,
    to_customer,
    to_invoice,
    to_number,
    to_order,
    to_settings,
)
from gateway.sources.compilator.payloads import (
    CurrencyPayload,
    CustomerPage,
    CustomerPayload,
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
from gateway.sources.decode import Malformed, convert, decode
from gateway.transport import Clock, Request, Response, Scope

T = TypeVar("T")

_MAX_PAGES: Final = 10_000
_CURRENCIES_KEPT: Final = 256
_CURRENCY_SECONDS: Final = 3600.0

_CAPABILITIES: Final = (
    Capability(
        Operation.READ_CUSTOMER,
        SupportLevel.PARTIAL,
        "GET api/customers/{date}",
        Batching.WINDOW,
        "no read of one customer is published: those changed since a configured day are read page by page, once for all keys",
    ),
    Capability(Operation.READ_ORDER, SupportLevel.SUPPORTED, "GET api/orders/{id}/{branchId}", Batching.EACH),
    Capability(Operation.READ_INVOICE, SupportLevel.SUPPORTED, "GET api/invoice/{invoiceNo}/{includeInternal}", Batching.EACH),
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


@dataclass(frozen=True, slots=True)
class _Absence:
    """How a read says that there is no such object."""

    statuses: frozenset[int]
    bodies: frozenset[bytes] = frozenset()

    def is_said_by(self, response: Response) -> bool:
        return response.status in self.statuses or response.body.strip() in self.bodies


_NO_INVOICE: Final = _Absence(frozenset({204}))
_NO_CURRENCY: Final = _Absence(frozenset({404}))
# The pages of orders and settings are silent. An empty 200 is not taken for absence: it may be anything.
_NOT_PUBLISHED: Final = _Absence(frozenset({204, 404}), frozenset({b"null", b"[]"}))


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of customers; `unreadable` rows are left out."""

    customers: tuple[Customer, ...]
    unreadable: int
    total_pages: int


@dataclass(frozen=True, slots=True)
class _Sweep:
    """All customers, by number and by GUID; `absence` is the answer to a key that is not among them."""

    by_key: Mapping[str, Customer]
    absence: GatewayError | None

    def answer(self, ref: Ref) -> Answer:
        return self.by_key.get(ref.native_id, self.absence)


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


class CompilatorSource:
    """One DDAPI site."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: CompilatorOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._currency_rows = _CurrencyRows(parts.clock)

    @property
    def profile(self) -> SourceProfile:
        """What it is."""
        return self._profile

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do. Lists of customers and orders are published and not used yet, so they have no entry."""
        return _CAPABILITIES

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""
        return SourceHealth(self._upstream.health.value)

    @property
    def personal_fields(self) -> frozenset[str]:
        """A sole trader's organisation number is a personal identity number, and the VAT number holds it."""
        return frozenset({"OrgNo", "VatRegistrationNumber"})

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

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope) -> Sequence[Answer]:
        """Answer each key. A customer may be asked by number or by GUID; lines come with the order, invoices have none."""
        if fetch is Fetch.CUSTOMER:
            return await self._customers(refs, scope)
        readers: dict[Fetch, Callable[[Ref, Scope], Awaitable[Answer]]] = {
            Fetch.ORDER: self._order,
            Fetch.INVOICE: self._invoice,
            Fetch.INVOICE_SETTINGS: self._settings,
            Fetch.CURRENCY: self._currency,
        }
        reader = readers.get(fetch)
        if reader is None:
            return [None] * len(refs)
        return await each(refs, lambda ref: reader(ref, scope))

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
        return Refused(tuple(mistakes)) if mistakes else self._prepared(write, ref, current)

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
        if answer is None or answer.success is None:
            return await self.look(prepared, scope)
        if not answer.success:
            return Settled(outcome=MutationOutcome.REJECTED, errors=self._rejections(response))
        if answer.errors:
            settled = await self.look(prepared, scope)
            is_applied = settled.outcome is MutationOutcome.APPLIED
            return settled if is_applied else replace(settled, errors=settled.errors + self._rejections(response))
        return await self._confirm(prepared, scope)

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
        page = await self._page(endpoints.customers_since(today, page_size=1), scope)
        return f"customers can be read; changed since {today.isoformat()}: {page.total_pages}"

    def _ref(self, kind: Kind, native_id: str) -> Ref:
        return Ref(self._profile.key, kind, native_id)

    async def _customers(self, refs: Sequence[Ref], scope: Scope) -> list[Answer]:
        async def sweep() -> Callable[[Ref], Answer]:
            return (await self._sweep(scope)).answer

        return await one_for_all(refs, sweep)

    async def _sweep(self, scope: Scope) -> _Sweep:
        """Read all pages, the first one alone: it says how many there are. The first one's failure is raised."""
        since, size = self._options.sweep_start, self._options.page_size
        first = await self._page(endpoints.customers_since(since, size), scope)
        others = (self._page(endpoints.customers_since(since, size, page), scope) for page in range(2, first.total_pages + 1))
        outcomes = (first, *await asyncio.gather(*(_as_value(page) for page in others)))
        by_key = {key: customer for page in outcomes if isinstance(page, _Page) for customer in page.customers for key in _keys(customer)}
        return _Sweep(by_key, self._absence(outcomes))

    def _absence(self, outcomes: Sequence[_Page | GatewayError]) -> GatewayError | None:
        """Say what is answered to a key that no page shows; None: there is no such customer."""
        failure = next((page for page in outcomes if isinstance(page, GatewayError)), None)
        if failure is not None:
            return failure
        pages = [page for page in outcomes if isinstance(page, _Page)]
        unreadable = sum(page.unreadable for page in pages)
        request = endpoints.customers_since(self._options.sweep_start, self._options.page_size)
        if unreadable:
            return self._upstream.malformed(request, f"{unreadable} of the customers cannot be read")
        # Pages that are empty or change in number: the list is not what it seems, or moved while it was read.
        if any(not page.customers or page.total_pages != pages[0].total_pages for page in pages):
            return AbsenceUnproven(
                "the list of changed customers does not show it, and may not be whole",
                source=self._profile.key,
                operation=request.operation,
            )
        return None

    async def _page(self, request: Request, scope: Scope) -> _Page:
        response = await self._upstream.read(request, scope)
        with self._reading(request):
            page = decode(response.body, CustomerPage)
            if page.total_pages is None or page.total_pages > _MAX_PAGES:
                raise Malformed("TotalPages is missing or beyond reason")
            rows = [self._customer(row) for row in page.rows or ()]
        customers = tuple(row for row in rows if row is not None)
        return _Page(customers, len(rows) - len(customers), page.total_pages)

    def _customer(self, row: bytes) -> Customer | None:
        """Read one row; None when it cannot be read."""
        raw = bytes(row)
        try:
            return to_customer(decode(raw, CustomerPayload), Sent(raw, self._clock.now()), self._profile)
        except Malformed:
            return None

    async def _order(self, ref: Ref, scope: Scope) -> Answer:
        order_id, _, branch_id = ref.native_id.partition("/")
        return await self._one(
            endpoints.order(order_id, branch_id),
            scope,
            _NOT_PUBLISHED,
            lambda sent: to_order(decode(sent.raw, OrderPayload), ref, sent, self._profile),
        )

    async def _invoice(self, ref: Ref, scope: Scope) -> Answer:
        return await self._one(
            endpoints.invoice(ref.native_id, include_internal=self._options.include_internal),
            scope,
            _NO_INVOICE,
            lambda sent: to_invoice(decode(sent.raw, InvoicePayload), ref, sent, self._profile),
        )

    async def _currency(self, ref: Ref, scope: Scope) -> Answer:
        kept = self._currency_rows.get(ref.native_id)
        if kept is not None:
            return kept
        row = await self._one(
            endpoints.currency(ref.native_id),
            scope,
            _NO_CURRENCY,
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

        return await self._one(endpoints.customer_invoice(ref.native_id), scope, _NOT_PUBLISHED, to_read)

    async def _one(self, request: Request, scope: Scope, absence: _Absence, to_result: Callable[[Sent], T]) -> T | None:
        """Read one object; None when the source says that there is none."""
        response = await self._upstream.read(request, scope, answers=absence.statuses | {200})
        if absence.is_said_by(response):
            return None
        with self._reading(request):
            return to_result(Sent(response.body, self._clock.now()))

    @contextmanager
    def _reading(self, request: Request) -> Iterator[None]:
        try:
            yield
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None


def _order_key(native_id: str) -> str:
    parts = [to_number(part) for part in native_id.split("/")]
    match parts:
        case [str(order_id), str(branch_id)]:
            return f"{order_id}/{branch_id}"
        case _:
            raise InvalidInput("order: the key is its id and its branch, e.g. 5512/12")


def _keys(customer: Customer) -> tuple[str, ...]:
    guid = customer.ref.hint
    return (customer.ref.native_id,) if guid is None else (customer.ref.native_id, guid)


async def _as_value(page: Awaitable[_Page]) -> _Page | GatewayError:
    try:
        return await page
    except GatewayError as error:
        return error


def _unknown(prepared: Prepared, why: str) -> Settled:
    message = (
        f"{why}; compare `GET api/customers/invoice?customerNumber={prepared.subject}` with what was sent, or look at the invoicing "
        f"settings of customer {prepared.subject} in the source"
    )
    return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))
