"""What every source offers to the rest of the gateway, and the strategies by which N keys become upstream calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from gateway.errors import GatewayError
from gateway.model import (
    Capability,
    Confirmation,
    CreateInvoice,
    CreateInvoiceFromOrder,
    Criteria,
    DocumentContent,
    InvoicePayments,
    Kind,
    Line,
    MutationOutcome,
    Operation,
    OrderStatus,
    PaymentStatus,
    Record,
    Ref,
    SetInvoiceSettings,
    SourceHealth,
    SourcePage,
    UpstreamRefusal,
    UserError,
    Write,
)
from gateway.sources.index import IndexState
from gateway.transport import Clock, Request, Response, Scope, Trace, Upstream, UpstreamState
from gateway.transport.shared_window import SharedWindows

__all__ = [
    "ASSUMED_ORDERS",
    "Answer",
    "By",
    "Calls",
    "Claims",
    "Clock",
    "Demand",
    "Fetch",
    "IndexState",
    "Lines",
    "Need",
    "OverUpstream",
    "Prepared",
    "Refused",
    "Request",
    "Response",
    "Scope",
    "Settled",
    "Source",
    "SourceParts",
    "SourceProfile",
    "SourceSet",
    "SourceSpec",
    "Trace",
    "UpstreamState",
    "claims_of",
    "each",
    "one_for_all",
]


class Fetch(StrEnum):
    """What can be fetched by key: records; lines, payments and the document of the record that the key names."""

    CUSTOMER = "customer"
    ORDER = "order"
    INVOICE = "invoice"
    INVOICE_SETTINGS = "invoice settings"
    CURRENCY = "currency"
    LABEL = "label"
    ORDER_LINES = "order lines"
    INVOICE_LINES = "invoice lines"
    PAYMENTS = "payments"
    DOCUMENT = "document"


Lines = tuple[Line, ...]
Answer = Record | Lines | InvoicePayments | DocumentContent | GatewayError | None
"""Of one key: what was found; None, the source says that there is none; or the failure, as a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProfile:
    """What a configured source is, without asking it."""

    key: str
    system: str
    """As its spec spells it, e.g. the member of the graph's enum."""
    display_name: str
    time_zone: ZoneInfo
    default_currency: str | None = None
    payment_status: Mapping[str, PaymentStatus] = field(default_factory=dict)
    order_status: Mapping[str, OrderStatus] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    """The source's own currency ids to ISO 4217 codes, as configured."""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By upstream field, by code: what this installation calls it, as configured."""

    def label(self, field_name: str, code: str) -> str | None:
        """Give the configured label of a code."""
        return self.labels.get(field_name, {}).get(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParts:
    """Everything a source is built from; the composition root makes it."""

    profile: SourceProfile
    options: Any
    """The system's own part of the configuration table: an instance of its `SourceSpec.options`."""
    upstream: Upstream
    clock: Clock
    windows: SharedWindows | None = None
    """Where replicas have windows in common, for a source that is configured so; None: there is no such place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a write is about, told without asking anybody.

    Writes of one source with a target in common go one after the other, so that a look can tell whose doing something was.
    `number`: of the invoice that it makes, where the caller chooses it.
    """

    targets: frozenset[str]
    number: str | None = None


def claims_of(write: Write) -> Claims:
    """Say what a write is about: its orders, its customer where it changes that, the number and the id that it chooses."""
    match write:
        case CreateInvoice():
            number = frozenset() if write.number is None else frozenset({f"number/{write.number}"})
            invoice = frozenset({f"invoice/{write.native_id}"}) if write.native_id_given else frozenset()
            orders = frozenset(f"order/{order.native_id}" for order in write.orders)
            return Claims(targets=orders | number | invoice, number=write.number)
        case CreateInvoiceFromOrder():
            return Claims(targets=frozenset({f"order/{write.order.native_id}"}))
        case SetInvoiceSettings():
            return Claims(targets=frozenset({f"customer/{write.customer.native_id}"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A write that is valid and ready to be sent once.

    `subject`: the invoice number, order or customer it is about. `result`: the key of what it makes, where that is known
    beforehand. `submitted`: the object as it is about to be written, where the input is enough to say. `before`: what a look
    found before sending, as plain JSON; only the source that made it reads it. `previous`: the settings that it replaces.
    It goes through the journal, so that a look can be taken in another process.
    """

    operation: Operation
    request: Request
    subject: str | None = None
    result: Ref | None = None
    submitted: Record | None = None
    before: object = None
    previous: Record | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that must not be sent, and why.

    `unsupported`: the source cannot do this at all. `existing`: what is there already, where that is why: the invoice that has the
    number, the settings as they are now.
    """

    errors: tuple[UserError, ...]
    unsupported: bool = False
    existing: Record | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an answer, or a look, proves about a write that was sent."""

    outcome: MutationOutcome
    confirmation: Confirmation | None = None
    record: Record | None = None
    order: Record | None = None
    errors: tuple[UserError, ...] = ()


ASSUMED_ORDERS: Final = 10
"""Of one invoice, where the system names no bound: what estimates count, open-ended."""


class Need(StrEnum):
    """What a document may ask of objects of a kind; each may be calls of its own."""

    RECORD = "record"
    LIST = "list"
    LINES = "lines"
    CURRENCY = "currency"
    """Who says it, where the record leaves that to another object; `fields`: with "lines", that of the amounts of lines too."""
    PARTY = "party"
    """Of invoices: the order that says whose they are."""
    ROUNDING = "rounding"
    """Of invoices: the orders whose roundings add up to theirs."""
    LABELS = "labels"
    PAYMENTS = "payments"
    WRITE = "write"


class By(StrEnum):
    """How objects are known before their source is asked for more of them."""

    KEY = "key"
    NUMBER = "number"
    REFERENCE = "reference"
    """Another record names them; with no `fields`, nothing is asked beyond their key."""
    ROW = "row"
    """They came in a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a document asks of a source, as far as that can be told beforehand.

    `count`: of objects that are asked at the same time; of a list, the rows asked for at once; of a write, the orders it names.
    `among`: all objects of the kind that the document asks for, as some of them may be asked at the same time too.
    `fields`: the attributes of records that are asked for; None: all.
    Of a list: `criteria` are the names of those asked; `pages` is how often it is asked where the source honours them all; where it
    leaves some to the gateway, `most_pages` is how often at most, and `most_count` for how many rows.
    """

    need: Need
    kind: Kind
    count: int = 1
    among: int = 1
    by: By = By.KEY
    fields: frozenset[str] | None = frozenset()
    criteria: frozenset[str] = frozenset()
    pages: int = 1
    most_pages: int = 1
    most_count: int = 1
    operation: Operation | None = None
    """The write."""


@dataclass(frozen=True, slots=True)
class Calls:
    """At most so many calls of one upstream operation, as `Request.operation` names it.

    `once`: at most so many a request, however often it is asked. `instead`: in the place of other calls that are named too, so that a
    total leaves it out. `open_ended`: there may be more, as the upstream's list is as long as it is.
    """

    operation: str
    count: int
    once: bool = False
    instead: bool = False
    open_ended: bool = False


class Source(Protocol):
    """One configured upstream. Built once, shared by all requests, holds no state of a request."""

    @property
    def profile(self) -> SourceProfile:
        """What it is."""

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do, one entry an `Operation`; calls nobody."""

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so; None before the first call."""

    @property
    def upstream_state(self) -> UpstreamState:
        """How things stand with its upstream; calls nobody."""

    @property
    def indexes(self) -> tuple[IndexState, ...]:
        """How the indexes stand that it keeps for all requests; calls nobody."""

    @property
    def personal_fields(self) -> frozenset[str]:
        """Names of upstream fields that hold personal identity numbers: removed from raw JSON, never a unified field."""

    @property
    def orders_per_invoice(self) -> int | None:
        """The most orders that one invoice can cover; None: the system names no bound."""

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        """Say which calls a demand costs at most, while nothing is kept from earlier; calls nobody.

        As published: what a failure or a refusal costs on top (a retry, a new token, another way to the same) is not in it.
        """

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the one spelling of a key; raises `InvalidInput` when no such key can exist."""

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        """Answer each key, in the order asked. Keys are distinct and this source's. A failure is a value, never raised.

        `fields`: the attributes of the records that are asked for; None: all. A source may read more; what it has left out to save
        calls is UNREAD.
        """

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List objects in the source's own order, at most `size` from `position` on (None: from the start); fewer only at the end.

        Every object that the source publishes as listable comes exactly once, also when new ones are added at the end meanwhile.
        `include_deleted` False: deleted ones may still be among them. Raises `ListUnsupported` when the source publishes no such
        list (for these criteria), `InvalidCursor` for a position it did not give, and upstream errors.
        """

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find objects by the number the business uses: all that match. Raises `LookupUnsupported` and upstream errors."""

    def claims(self, write: Write) -> Claims:
        """Say what a write is about; calls nobody."""

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Validate by name, make the reads that the checks need, and say exactly what would be sent. Sends no write."""

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Send the write, once. Gives the answer whatever its status; raises `UpstreamError` when there was none."""

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        """Say what a 2xx answer proves. May look (read back); never sends again."""

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Find out by reading whether the write happened: APPLIED with READ_BACK, REJECTED when proven absent, else UNKNOWN.

        An UNKNOWN says in its error what to look at by hand. Raises nothing: an unreadable upstream is UNKNOWN.
        """

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        """Find what stands in the way of a write that the source has refused for good; None: nothing that can be found. Raises nothing."""

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read what the source itself says in an answer that refuses; at least one entry, with the status."""

    async def probe(self, scope: Scope) -> str:
        """Sign in and make one cheap read; gives a line for the operator, raises upstream errors."""


class OverUpstream:
    """What every source over one upstream says of itself in the same way; it sets `_profile` and `_upstream`."""

    _profile: SourceProfile
    _upstream: Upstream

    @property
    def profile(self) -> SourceProfile:
        """What it is."""
        return self._profile

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""
        return SourceHealth(self._upstream.health.value)

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so; None before the first call."""
        return self._upstream.health_since

    @property
    def upstream_state(self) -> UpstreamState:
        """How things stand with its upstream; calls nobody."""
        return self._upstream.state

    @property
    def indexes(self) -> tuple[IndexState, ...]:
        """How the indexes stand that it keeps for all requests: none."""
        return ()

    def claims(self, write: Write) -> Claims:
        """Say what a write is about; calls nobody."""
        return claims_of(write)

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:  # noqa: ARG002  (the protocol's)
        """Find what stands in the way of a write that the source has refused for good; None: nothing that can be found."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """What one system hands to the composition root."""

    name: str
    """Value of `system = "..."` in the configuration."""
    system: str
    """Member of the graph's enum of systems."""
    options: type[Any]
    """A pydantic model of the keys that only this system has; unknown keys are refused."""
    build: Callable[[SourceParts], Source]


async def each(refs: Sequence[Ref], fetch_one: Callable[[Ref], Awaitable[Answer]], *, at_once: int) -> list[Answer]:
    """EACH: one call a key. Failures become values.

    `at_once`: of how many keys; more than the upstream has slots for would only wait, and take room meanwhile.
    """
    answers: list[Answer] = [None] * len(refs)
    left = iter(enumerate(refs))

    async def fetch_what_is_left() -> None:
        for at, ref in left:
            answers[at] = await _as_value(fetch_one(ref))

    await asyncio.gather(*(fetch_what_is_left() for _ in range(min(at_once, len(refs)))))
    return answers


async def _as_value(answer: Awaitable[Answer]) -> Answer:
    try:
        return await answer
    except GatewayError as error:
        return error


async def one_for_all(refs: Sequence[Ref], fetch_all: Callable[[], Awaitable[Callable[[Ref], Answer]]]) -> list[Answer]:
    """WINDOW, PARENT: one read answers every key; its failure is the failure of each."""
    try:
        answer = await fetch_all()
    except GatewayError as error:
        return [error] * len(refs)
    return [answer(ref) for ref in refs]


class SourceSet:
    """The sources that one caller may see. A source outside it does not exist for that caller."""

    def __init__(self, sources: Sequence[Source], former_keys: Mapping[str, str] | None = None) -> None:
        self._by_key = {source.profile.key: source for source in sources}
        self._former_keys = {old: key for old, key in (former_keys or {}).items() if key in self._by_key}

    def get(self, key: str) -> Source | None:
        """Give the source with this key, or the one that had it formerly; None when there is none."""
        return self._by_key.get(self._former_keys.get(key, key))

    def __iter__(self) -> Iterator[Source]:
        """Give the sources in the order of the configuration."""
        return iter(self._by_key.values())

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys, in the order of the configuration."""
        return tuple(self._by_key)

    def keys_ever(self, source: Source | None = None) -> frozenset[str]:
        """Give all the keys that the sources have and had formerly; with `source` those of that one."""
        known = (*self._by_key, *self._former_keys)
        return frozenset(key for key in known if source is None or self.get(key) is source)

    def seen_by(self, allowed: frozenset[str] | None) -> SourceSet:
        """Give the part that a caller may see; None: all of it."""
        if allowed is None:
            return self
        return SourceSet([source for source in self if source.profile.key in allowed], self._former_keys)
