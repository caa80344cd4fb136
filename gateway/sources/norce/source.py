"""A Norce source: endpoints -> upstream -> mapping."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Final, TypeVar

from gateway.errors import GatewayError, InvalidInput, LookupUnsupported
from gateway.model import (
    UNREAD,
    Batching,
    Capability,
    Confirmation,
    CreateInvoice,
    Criteria,
    Customer,
    Invoice,
    Kind,
    MutationOutcome,
    Operation,
    Order,
    Record,
    Ref,
    SourcePage,
    SupportLevel,
    Unread,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    Write,
)
from gateway.sources.base import (
    Answer,
    Calls,
    Claims,
    Demand,
    Fetch,
    OverUpstream,
    Prepared,
    Refused,
    Settled,
    SourceParts,
    SourceProfile,
    each,
)
from gateway.sources.decode import Malformed, decode, is_nothing, is_null
from gateway.sources.norce import endpoints, writes
from gateway.sources.norce.costs import Rows, worst_case
from gateway.sources.norce.endpoints import CUSTOMERS, INVOICES, ORDERS
from gateway.sources.norce.insert import insert_body, insert_mistakes, inserted_number
from gateway.sources.norce.lists import Lists
from gateway.sources.norce.mapping import (
    BILL_TO,
    PARTY,
    to_bill_to,
    to_customer,
    to_customer_from_row,
    to_final,
    to_invoice,
    to_invoice_from_row,
    to_order,
    to_order_from_row,
)
from gateway.sources.norce.payloads import CustomerPayload, CustomerRow, InvoicePayload, InvoiceRow, OrderPayload, OrderRow, R
from gateway.sources.norce.query import Looked, Query
from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request, Response, Scope

T = TypeVar("T")

_PERSONAL: Final = frozenset({"SSN", "ssn", "socialSecurityNumber", "SocialSecurityNumber"})
_ANY_ROW: Final = frozenset({"ref", "native_type", "fetched_at", "warnings", "number"})
_STATUS_FIELDS: Final = frozenset({"status", "source_statuses"})
_ORDER_ROW: Final = _ANY_ROW | _STATUS_FIELDS | {"ordered_at", "currency", "lines", "customer", "delivery_method"}
_CUSTOMER_ROW: Final = _ANY_ROW | {"email", "phone", "vat_number", "billing_address"}
_INVOICE_ROW: Final = _ANY_ROW | {
    "issue_date", "due_date", "orders", "customer", "group_key", "lines", "currency", "created_at", "updated_at", "payment_status",
    "paid_at", "source_statuses", "is_deleted", "email_sent", "sent_at", "document",
}  # fmt: skip
"""Of each kind: the fields that a row of Query can answer as the Services would."""

_PARTY_FIELDS: Final = frozenset({"customer", "payment_method"})
"""What is asked of an order for the sake of its parties: something that only OrderService has, so that it is read there."""
_KEY_FIELDS: Final = frozenset({"number", "currency", "payment_method"})
"""What is asked of an order for the sake of an invoice for it: its status, which would need Query too, is not."""


class NorceSource(OverUpstream):
    """One configured Norce. Shared by all requests."""

    def __init__(self, parts: SourceParts) -> None:
        self._profile = parts.profile
        self._options: NorceOptions = parts.options
        self._upstream = parts.upstream
        self._clock = parts.clock
        self._query = Query(parts.options, parts.upstream, parts.clock)
        self._lister = Lists(parts, self._query)
        known = {Kind.CUSTOMER: _CUSTOMER_ROW, Kind.ORDER: _ORDER_ROW, Kind.INVOICE: _INVOICE_ROW}
        unsaid = frozenset() if parts.profile.currencies else frozenset({"currency"})
        self._rows = Rows({kind: names - unsaid for kind, names in known.items()}, self._query.is_off, self._options.create_via)

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do."""
        lines_note = "They come with the invoice, or with its row of Query."
        return (
            Capability(
                Operation.READ_CUSTOMER,
                SupportLevel.PARTIAL,
                "GET GetCustomer",
                Batching.EACH,
                "A company alone and a guest are known from orders and invoices; no published read gives a company by id. "
                "Where number, e-mail and phone are all that is asked, Query gives 50 a call.",
            ),
            self._read_order(),
            Capability(
                Operation.READ_INVOICE,
                SupportLevel.SUPPORTED,
                "GET GetInvoice",
                Batching.EACH,
                "Where $metadata of Query shows invoices, 50 a call of what is there: no totals, no type.",
            ),
            Capability(Operation.READ_INVOICE_LINES, SupportLevel.SUPPORTED, "GET GetInvoice", Batching.EACH, lines_note),
            *self._lists(),
            self._create_invoice(),
            Capability(Operation.READ_INVOICE_DOCUMENT, SupportLevel.NOT_OFFERED),
            Capability(Operation.READ_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
            Capability(Operation.CREATE_INVOICE_FROM_ORDER, SupportLevel.NOT_OFFERED),
            Capability(Operation.SET_INVOICE_SETTINGS, SupportLevel.NOT_OFFERED),
        )

    @property
    def personal_fields(self) -> frozenset[str]:
        """Names under which Services and Query send a social security number."""
        return _PERSONAL

    @property
    def orders_per_invoice(self) -> int:
        """An invoice is of one order."""
        return 1

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        """Say which calls a demand costs at most; see `costs`."""
        return worst_case(demand, self._rows)

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the one spelling of a key; raises `InvalidInput` when no such key can exist."""
        text = native_id.strip()
        match kind:
            case Kind.INVOICE | Kind.ORDER if text.isprintable() and text and " " not in text:
                return text
            case Kind.INVOICE | Kind.ORDER:
                raise InvalidInput(f"id: the key of an {kind.name.lower()} is its OrderService Id")
            case Kind.CUSTOMER if party := PARTY.fullmatch(text):
                return f"{party[1]}/{party[2]}"
            case Kind.CUSTOMER if BILL_TO.fullmatch(text):
                return text
            case Kind.CUSTOMER:
                raise InvalidInput("id: the key of a customer is customer/<id>, company/<id> or order/<order id>/billto")
            case _:
                raise InvalidInput("id: this source has no such objects")

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        """Answer each key, in the order asked; a failure is a value. `fields` decide whether rows of Query are enough."""
        match fetch:
            case Fetch.INVOICE:
                return await self._invoices(refs, scope, _attributes(Invoice, fields))
            case Fetch.ORDER:
                return await self._orders(refs, scope, _attributes(Order, fields))
            case Fetch.CUSTOMER:
                return await self._customers(refs, scope, _attributes(Customer, fields))
            case Fetch.ORDER_LINES:
                return [_lines_of(answer) for answer in await self._orders(refs, scope, frozenset({"lines"}))]
            case Fetch.INVOICE_LINES:
                return [_lines_of(answer) for answer in await self._invoices(refs, scope, frozenset({"lines"}))]
            case _:
                return [None] * len(refs)

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List customers, orders or invoices; see `Lists`."""
        return await self._lister.page(criteria, position, size, scope)

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find by outside number or code: one, or none."""
        found: Record | None
        match kind:
            case Kind.CUSTOMER:
                found = await self._ask(endpoints.get_customer_by_code(self._options, number), scope, self._to_customer)
            case Kind.ORDER:
                found = await self._order_by_number(number, scope)
            case Kind.INVOICE:
                found = await self._invoice_by_number(number, scope)
            case _:
                raise self._unsupported("this source has no such objects", "find")
        return () if found is None else (found,)

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Validate, look whether the number is taken, and say what would be sent."""
        if not isinstance(write, CreateInvoice):
            message = "this source has no such operation"
            return Refused((UserError(UserErrorCode.UNSUPPORTED_OPERATION, message),), unsupported=True)
        try:
            own = writes.to_own_input(write)
        except Malformed:
            return Refused((writes.mistake(UserErrorCode.INVALID, "a field is unknown or has not its type", "norce"),))
        if self._options.create_via == "connect":
            return await self._prepare_connect(write, own, scope)
        return await self._prepare_insert(write, own, scope)

    def claims(self, write: Write) -> Claims:
        """Say what a write is about; the number of an invoice that is inserted is inside its body."""
        claims = super().claims(write)
        number = inserted_number(write) if isinstance(write, CreateInvoice) else None
        if number is None or number == claims.number:
            return claims
        return Claims(targets=claims.targets | {f"number/{number}"}, number=claims.number or number)

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        """Say what keeps the source from taking a write that it has refused; None: nothing that can be seen. Raises nothing."""
        try:
            invoice = await self._invoice_by_number(prepared.subject or "", scope)
        except GatewayError:
            return None
        return None if invoice is None else Refused((_taken_by(invoice),), existing=invoice)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Send the write, once."""
        return await self._upstream.write(prepared.request, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        """Take the invoice that `InsertInvoice` echoes; else read back by number.

        Connect publishes no answer body, so its status is the proof. `InsertInvoice` is published as doing nothing: without an
        echo only a look proves anything.
        """
        if prepared.request.operation == "InsertInvoice":
            echoed = self._echoed(response, prepared.subject)
            return await self.look(prepared, scope) if echoed is None else _applied(Confirmation.ECHO, echoed)
        try:
            invoice = await self._invoice_by_number(prepared.subject or "", scope)
        except GatewayError:
            invoice = None
        return _applied(Confirmation.STATUS_ONLY if invoice is None else Confirmation.READ_BACK, invoice)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Find out by `GetInvoiceByNo`; `prepare` saw that the number was free. Its absence proves nothing of a payment."""
        number = prepared.subject or ""
        try:
            invoice = await self._invoice_by_number(number, scope)
        except GatewayError:
            return _unknown(f"look in Norce whether there is an invoice {number} (OrderService GetInvoiceByNo) before sending it again")
        if invoice is None and writes.may_capture(prepared.request):
            return _unknown(
                f"Norce has no invoice {number}, which does not prove that no payment was captured: look at the payment provider"
            )
        if invoice is not None and writes.is_another(prepared.request, invoice):
            found = f"the invoice {number} that Norce has (id {invoice.ref.native_id}) is of another order than the one that was sent"
            return _unknown(f"{found}: look there whether it is the one")
        if invoice is None:
            message = f"the source has no invoice {number}"
            return Settled(outcome=MutationOutcome.REJECTED, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, message),))
        return _applied(Confirmation.READ_BACK, invoice)

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read what the source itself says in an answer that refuses."""
        return writes.to_refusals(response)

    async def probe(self, scope: Scope) -> str:
        """Ask for invoice 0, which is null: proves the token and the Services."""
        await self._ask(endpoints.get_invoice(self._options, "0"), scope, lambda body: decode(body, InvoicePayload))
        query = "is off" if self._query.is_off else f"{self._options.query_version} is configured"
        return f"signed in; OrderService answers; Query {query}"

    def _read_order(self) -> Capability:
        if self._query.is_off:
            note = "By number, or by id where an invoice names the number; Query, which knows ids, is off."
            return Capability(Operation.READ_ORDER, SupportLevel.PARTIAL, "GET GetOrderByNo", Batching.EACH, note)
        note = (
            f"{endpoints.CHUNK_SIZE} a call with lines and customers; totals, payment method and a currency that is not configured "
            "need GetOrderByNo, one each."
        )
        return Capability(Operation.READ_ORDER, SupportLevel.SUPPORTED, "GET Orders/Orders, GET GetOrderByNo", Batching.CHUNK, note)

    def _lists(self) -> tuple[Capability, ...]:
        by_parent = Capability(
            Operation.LIST_INVOICES,
            SupportLevel.PARTIAL,
            "GET ListInvoices",
            Batching.PARENT,
            "Those of a customer or an order, or with a number; all of them where $metadata of Query shows invoices.",
        )
        companies = "a text searches persons, an organisation number finds companies"
        if self._query.is_off:
            note = f"Query is off: {companies}, a number finds a person."
            orders = "Query is off: those of a customer or company, or of a range of dates, or with a number."
            return (
                Capability(Operation.LIST_CUSTOMERS, SupportLevel.PARTIAL, "GET SearchCustomer2, GET ListCompaniesByOrgNo", note=note),
                Capability(Operation.LIST_ORDERS, SupportLevel.PARTIAL, "GET ListOrders3", Batching.PARENT, orders),
                by_parent,
            )
        return (
            Capability(
                Operation.LIST_CUSTOMERS,
                SupportLevel.PARTIAL,
                "GET Customers/Customers",
                Batching.CHUNK,
                f"Persons, without guests; {companies}. The name needs GetCustomer, one each, since a company's comes first.",
            ),
            Capability(Operation.LIST_ORDERS, SupportLevel.SUPPORTED, "GET Orders/Orders", Batching.CHUNK, "Of this application."),
            by_parent,
        )

    def _create_invoice(self) -> Capability:
        if self._options.create_via == "connect":
            return Capability(Operation.CREATE_INVOICE, SupportLevel.SUPPORTED, "POST Order/CreateInvoice", Batching.EACH)
        note = "Published as obsolete and not implemented; the source is configured to use it all the same."
        return Capability(Operation.CREATE_INVOICE, SupportLevel.NOT_IMPLEMENTED_UPSTREAM, "POST InsertInvoice", note=note)

    async def _ask(self, request: Request, scope: Scope, read: Callable[[bytes], T]) -> T | None:
        """Send a read; None: it answered null."""
        response = await self._upstream.read(request, scope)
        return None if is_null(response.body) else self._read(request, response.body, read)

    def _read(self, request: Request, body: bytes, read: Callable[[bytes], T]) -> T:
        try:
            return read(body)
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None

    def _to_invoice(self, body: bytes) -> Invoice:
        return to_invoice(decode(body, InvoicePayload), body, self._profile, self._clock.now())

    def _to_customer(self, body: bytes) -> Customer:
        return to_customer(decode(body, CustomerPayload), body, self._profile, self._clock.now())

    def _to_order(self, body: bytes, row: OrderRow | Unread | None) -> Order:
        return to_order(decode(body, OrderPayload), body, row, self._profile, self._clock.now())

    async def _invoices(self, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None) -> Sequence[Answer]:
        """Read invoices in chunks where Query has them and rows are enough, else each."""
        rows: dict[str, Looked[InvoiceRow]] = {}
        if len(refs) > 1 and self._is_enough(fields, _INVOICE_ROW) and await self._query.has_invoices(scope):
            expand = ("Items",) if fields is not None and "lines" in fields else ()
            rows = await self._query.by_id(INVOICES, InvoiceRow, [ref.native_id for ref in refs], scope, expand)
        known = self._known([rows.get(ref.native_id) for ref in refs], to_invoice_from_row, fields)
        return await self._known_or_each(refs, known, lambda ref: self._invoice(ref, scope))

    async def _invoice(self, ref: Ref, scope: Scope) -> Answer:
        request = endpoints.get_invoice(self._options, ref.native_id)
        return self._same(request, ref, await self._ask(request, scope, self._to_invoice))

    def _is_enough(self, fields: frozenset[str] | None, known: frozenset[str]) -> bool:
        """Say whether rows of Query can answer the fields; a currency only by the configured table."""
        return fields is not None and fields <= (known if self._profile.currencies else known - {"currency"})

    def _known(
        self,
        looked: Sequence[Looked[R]],
        to_record: Callable[[R, bytes, SourceProfile, datetime], Record],
        fields: frozenset[str] | None,
    ) -> list[Record | None]:
        """Read what Query found; None where it found nothing that can be read, or not all that is asked (None: all there is)."""
        if fields is None:
            return [None] * len(looked)
        now = self._clock.now()
        records = [self._of_row(found, to_record, now) for found in looked]
        return [record if record is not None and _answers(record, fields) else None for record in records]

    def _of_row(self, found: Looked[R], to_record: Callable[[R, bytes, SourceProfile, datetime], T], now: datetime) -> T | None:
        if not isinstance(found, tuple):
            return None
        try:
            return to_record(*found, self._profile, now)
        except Malformed:
            return None

    async def _invoice_by_number(self, number: str, scope: Scope) -> Invoice | None:
        request = endpoints.get_invoice_by_no(self._options, number)
        invoice = await self._ask(request, scope, self._to_invoice)
        if invoice is not None and str(invoice.number or "").strip().casefold() != number.strip().casefold():
            raise self._upstream.malformed(request, "it answered with another invoice than the one asked for")
        return invoice

    def _same(self, request: Request, ref: Ref, record: Record | None) -> Record | None:
        if record is not None and record.ref != ref:
            raise self._upstream.malformed(request, "it answered with another object than the one asked for")
        return record

    async def _customers(self, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None) -> Sequence[Answer]:
        bill_tos = {ref: self._order_of(ref) for ref in refs if ref.native_id.startswith("order/")}
        persons = [ref.native_id.removeprefix("customer/") for ref in refs if ref.native_id.startswith("customer/")]
        orders = dict(zip(bill_tos, await self._orders(tuple(bill_tos.values()), scope, _PARTY_FIELDS), strict=True)) if bill_tos else {}
        use_rows = len(persons) > 1 and self._is_enough(fields, _CUSTOMER_ROW)
        rows = await self._query.by_id(CUSTOMERS, CustomerRow, persons, scope) if use_rows else {}
        looked = [rows.get(ref.native_id.removeprefix("customer/")) for ref in refs]
        known = self._known(looked, to_customer_from_row, fields)
        return await self._known_or_each(refs, known, lambda ref: self._customer(ref, orders, scope))

    async def _customer(self, ref: Ref, orders: Mapping[Ref, Answer], scope: Scope) -> Answer:
        form, _, key = ref.native_id.partition("/")
        if form == "company":
            raise self._unsupported("no published read gives a company by its id", "GetCustomer")
        if form == "order":
            return self._bill_to(ref, orders[ref])
        request = endpoints.get_customer(self._options, key)
        return self._same(request, ref, await self._ask(request, scope, self._to_customer))

    def _order_of(self, ref: Ref) -> Ref:
        return Ref(ref.source, Kind.ORDER, ref.native_id.removeprefix("order/").removesuffix("/billto"), hint=ref.hint)

    def _bill_to(self, ref: Ref, order: Answer) -> Answer:
        if isinstance(order, GatewayError):
            return order
        if not isinstance(order, Order) or order.raw is None:
            return None
        return to_bill_to(decode(order.raw, OrderPayload), ref, self._profile, self._clock.now())

    async def _orders(self, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None) -> Sequence[Answer]:
        """Read orders by what costs least: rows of Query, the number that came along, or both."""
        if fields is None or self._query.is_off or fields & _STATUS_FIELDS or self._is_enough(fields, _ORDER_ROW):
            return await self._orders_by_id(refs, scope, fields)
        numbered = [ref for ref in refs if ref.hint is not None]
        answers = dict(
            zip(
                numbered,
                await each(numbered, lambda ref: self._order_by_hint(ref, scope), at_once=self._upstream.max_in_flight),
                strict=True,
            )
        )
        others = [ref for ref in refs if answers.get(ref) is None]
        answers.update(zip(others, await self._orders_by_id(others, scope, fields), strict=True))
        return [answers[ref] for ref in refs]

    async def _order_by_hint(self, ref: Ref, scope: Scope) -> Answer:
        """Read an order by the number that came along, its status UNREAD; None: nothing has this number."""
        return await self._order_whole(endpoints.get_order_by_no(self._options, ref.hint or ""), ref, UNREAD, scope)

    async def _orders_by_id(self, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None) -> Sequence[Answer]:
        expand: tuple[str, ...] = ()
        if fields is not None and self._is_enough(fields, _ORDER_ROW):
            expand = tuple(name for name, field in (("Items", "lines"), ("Buyer", "customer")) if field in fields)
        rows = await self._query.by_id(ORDERS, OrderRow, [ref.native_id for ref in refs], scope, expand)
        known = self._known([rows.get(ref.native_id) for ref in refs], to_order_from_row, fields)
        return await self._known_or_each(refs, known, lambda ref: self._order(ref, rows, scope))

    async def _order(self, ref: Ref, rows: Mapping[str, Looked[OrderRow]], scope: Scope) -> Answer:
        """Read one order whose row is not enough; `rows` has what Query said of it, or why it said nothing."""
        found = rows.get(ref.native_id, self._unsupported("no published read gives an order by this id", "GetOrderByNo"))
        if found is None:
            return None
        if isinstance(found, GatewayError):
            if ref.hint is None:
                raise found
            return await self._order_whole(endpoints.get_order_by_no(self._options, ref.hint), ref, None, scope)
        row, _ = found
        known = self._of_row(found, to_order_from_row, self._clock.now())
        request = self._read_of(row, ref.hint)
        whole = None if request is None else await self._order_whole(request, ref, row, scope)
        if whole is None and known is None:
            raise self._upstream.malformed(endpoints.query_by_id(self._options, ORDERS, [ref.native_id]), "a row cannot be read")
        return to_final(known, self._profile) if whole is None and known is not None else whole

    def _read_of(self, row: OrderRow, number: str | None) -> Request | None:
        """Choose the read that gives the whole order; None: it has neither a number nor a basket."""
        if row.order_no or number:
            return endpoints.get_order_by_no(self._options, str(row.order_no or number))
        return endpoints.get_order_by_basket(self._options, str(row.quotation_id)) if row.quotation_id else None

    async def _order_whole(self, request: Request, ref: Ref, row: OrderRow | Unread | None, scope: Scope) -> Record | None:
        return self._same(request, ref, await self._ask(request, scope, lambda body: self._to_order(body, row)))

    async def _order_by_number(self, number: str, scope: Scope) -> Order | None:
        """Read an order by its number, then its status; a Query that fails leaves the status UNKNOWN."""
        request = endpoints.get_order_by_no(self._options, number)
        response = await self._upstream.read(request, scope)
        if is_null(response.body):
            return None
        order = self._read(request, response.body, lambda body: self._to_order(body, None))
        found = (await self._query.by_id(ORDERS, OrderRow, [order.ref.native_id], scope)).get(order.ref.native_id)
        return self._to_order(response.body, found[0]) if isinstance(found, tuple) else order

    async def _prepare_connect(self, draft: CreateInvoice, own: writes.OwnInput, scope: Scope) -> Prepared | Refused:
        keys, order_mistakes = await self._order_keys(draft, scope)
        filled = writes.fill(draft, own, keys, self._profile)
        mistakes = (*order_mistakes, *writes.connect_mistakes(filled, keys, self._profile.time_zone))
        refused = await self._refused(mistakes, draft.number, scope, "number")
        if refused is not None:
            return refused
        body = writes.connect_body(filled, self._options, self._profile.time_zone)
        return _prepared(endpoints.create_invoice(self._options, body), draft.number)

    async def _prepare_insert(self, draft: CreateInvoice, own: writes.OwnInput, scope: Scope) -> Prepared | Refused:
        number = inserted_number(draft)
        refused = await self._refused(insert_mistakes(draft, own), number, scope, "norce", "insertInvoice", "InvoiceNo")
        return refused or _prepared(endpoints.insert_invoice(self._options, insert_body(own)), number)

    async def _order_keys(self, draft: CreateInvoice, scope: Scope) -> tuple[writes.OrderKeys | None, tuple[UserError, ...]]:
        """Read what the first order adds to the invoice; raises when it cannot be read."""
        if not draft.orders:
            return None, ()
        order = (await self._orders(draft.orders[:1], scope, _KEY_FIELDS))[0]
        match order:
            case Order():
                return writes.to_order_keys(order), ()
            case LookupUnsupported():
                message = "this source cannot look up this order; give clientOrderRef and erpOrderNumber instead"
                return None, (writes.mistake(UserErrorCode.NOT_ACCEPTED_BY_SOURCE, message, "orders", "0"),)
            case GatewayError():
                raise order
            case _:
                return None, (writes.mistake(UserErrorCode.NOT_FOUND, "the source has no such order", "orders", "0"),)

    async def _refused(self, mistakes: Sequence[UserError], number: str | None, scope: Scope, *path: str) -> Refused | None:
        """Refuse a write with mistakes, or with a number that the source has already; None: there is nothing against it."""
        if number is None or not number.strip() or len(number) > writes.NUMBER_LENGTH:
            return Refused(tuple(mistakes)) if mistakes else None
        invoice = await self._invoice_by_number(number, scope)
        if invoice is not None:
            return Refused((*mistakes, _taken_by(invoice, "input", *path)), existing=invoice)
        return Refused(tuple(mistakes)) if mistakes else None

    def _echoed(self, response: Response, number: str | None) -> Invoice | None:
        """Read the invoice in an answer; None where there is none, or none with the number that was sent."""
        try:
            invoice = None if is_nothing(response.body) else self._to_invoice(response.body)
        except Malformed:
            return None
        return invoice if invoice is not None and invoice.number == number else None

    async def _known_or_each(
        self, refs: Sequence[Ref], known: Sequence[Record | None], fetch_one: Callable[[Ref], Awaitable[Answer]]
    ) -> list[Answer]:
        """Answer with what is known; the other keys one call each. A task for each known one would cost more than reading its row did."""
        answers: list[Answer] = list(known)
        asked = [at for at, record in enumerate(known) if record is None]
        if asked:
            fetched = await each([refs[at] for at in asked], fetch_one, at_once=self._upstream.max_in_flight)
            for at, answer in zip(asked, fetched, strict=True):
                answers[at] = answer
        return answers

    def _unsupported(self, message: str, operation: str) -> LookupUnsupported:
        return LookupUnsupported(message, source=self._profile.key, operation=operation)


def _answers(record: Record, fields: frozenset[str]) -> bool:
    """Say whether a record has all that is asked."""
    for name in fields:  # noqa: SIM110  (a generator costs as much as the whole of it)
        if getattr(record, name) is UNREAD:
            return False
    return True


def _attributes(record_type: type[Record], asked: frozenset[str] | None) -> frozenset[str] | None:
    """Leave out names that no record of the type has: no read can answer them."""
    return None if asked is None else asked & {attribute.name for attribute in dataclass_fields(record_type)}


def _lines_of(answer: Answer) -> Answer:
    """Give the lines of what was read for their sake; a failure stays one."""
    if isinstance(answer, Order | Invoice):
        return None if answer.lines is UNREAD else answer.lines
    return answer if isinstance(answer, GatewayError) else None


def _prepared(request: Request, number: str | None) -> Prepared:
    return Prepared(operation=Operation.CREATE_INVOICE, request=request, subject=number)


def _taken_by(invoice: Invoice, *path: str) -> UserError:
    message = f"the source has an invoice with this number already: its id is {invoice.ref.native_id}"
    return UserError(UserErrorCode.DUPLICATE_NUMBER, message, path or None)


def _unknown(message: str) -> Settled:
    return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))


def _applied(confirmation: Confirmation, invoice: Invoice | None) -> Settled:
    orders = () if invoice is None else invoice.orders or ()
    return Settled(outcome=MutationOutcome.APPLIED, confirmation=confirmation, record=invoice, order=next(iter(orders), None))
