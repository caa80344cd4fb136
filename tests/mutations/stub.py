"""The part of a source that writes: it answers as a test wants, and keeps what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gateway.errors import GatewayError, UpstreamError
from gateway.model import (
    Confirmation,
    CreateInvoiceFromOrder,
    Invoice,
    Kind,
    MutationOutcome,
    Operation,
    Ref,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
    Write,
)
from gateway.sources.base import Claims, Prepared, Refused, Request, Response, Scope, Settled, SourceProfile, claims_of

ORDER = Ref("src", Kind.ORDER, "17")
WRITE = CreateInvoiceFromOrder(order=ORDER)
INVOICE = Invoice(ref=Ref("src", Kind.INVOICE, "88"), native_type="Invoice")
BEFORE = Invoice(ref=Ref("src", Kind.INVOICE, "7"), native_type="Invoice")
REQUEST = Request(operation="Make", method="POST", path="/make", json={"Id": 88})
PREPARED = Prepared(operation=Operation.CREATE_INVOICE_FROM_ORDER, request=REQUEST, subject="17", submitted=INVOICE, previous=BEFORE)

DONE = Settled(outcome=MutationOutcome.APPLIED, confirmation=Confirmation.READ_BACK, record=INVOICE)
ABSENT = Settled(outcome=MutationOutcome.REJECTED, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, "there is none"),))
UNPROVEN = Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, "look at order 17"),))


@dataclass
class StubSource:
    """`answer` is what `send` gives or raises, `found` what `look` gives; `asked` has every call of it, in order."""

    prepared: Prepared | Refused | GatewayError = PREPARED
    answer: Response | UpstreamError = field(default_factory=lambda: Response(200, {}, b""))
    settled: Settled = DONE
    found: Settled = UNPROVEN
    in_the_way: Refused | None = None
    said: tuple[UpstreamRefusal, ...] | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def profile(self) -> SourceProfile:
        return SourceProfile(key="src", system="SYSTEM", display_name="Source", time_zone=ZoneInfo("Europe/Stockholm"))

    @property
    def personal_fields(self) -> frozenset[str]:
        return frozenset({"SSN"})

    def claims(self, write: Write) -> Claims:
        return claims_of(write)

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        del write, scope
        self.asked.append("prepare")
        if isinstance(self.prepared, GatewayError):
            raise self.prepared
        return self.prepared

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        del prepared, scope
        self.asked.append("send")
        if isinstance(self.answer, UpstreamError):
            raise self.answer
        return self.answer

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        del prepared, response, scope
        self.asked.append("settle")
        return self.settled

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        del prepared, scope
        self.asked.append("look")
        return self.found

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        del prepared, scope
        return self.in_the_way

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        return self.said or (UpstreamRefusal(status=response.status),)
