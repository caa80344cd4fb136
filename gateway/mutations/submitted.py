"""A source together with what was written to it through this gateway and it does not show itself: given as submitted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.errors import AbsenceUnproven, InvalidCursor, JournalUnavailable
from gateway.journal import Bodies, Journal
from gateway.model import (
    Attempt,
    Capability,
    Criteria,
    Invoice,
    InvoicePayments,
    Kind,
    Operation,
    Record,
    Ref,
    SourceHealth,
    SourcePage,
    SupportLevel,
    UpstreamRefusal,
    Write,
)
from gateway.mutations.stored import load
from gateway.sources.base import (
    Answer,
    By,
    Calls,
    Claims,
    Demand,
    Fetch,
    IndexState,
    Need,
    Prepared,
    Refused,
    Response,
    Scope,
    Settled,
    Source,
    SourceProfile,
    UpstreamState,
)

_BATCH: Final = 100
_MARK: Final = "submitted:"
_MOST: Final = 2**63
_UNREADABLE: Final = "invoices that were written through this gateway and that the source does not show: the journal cannot be read"
_JUDGED_HERE: Final = frozenset({"order"})
_ANY_FIELD: Final = frozenset({"number"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind the source's row at `position` (None: it had none), and behind what the attempts up to `after` have made.

    The source comes first on every page, so that what it shows only now is not passed over.
    """

    position: str | None
    after: int = 0

    def to_text(self) -> str:
        return _MARK + json.dumps([self.after, self.position])

    @classmethod
    def from_text(cls, text: str | None) -> _Place | None:
        """Read it; None: it is a position of the source's own. Raises `InvalidCursor` for one that was made by nobody."""
        if text is None or not text.startswith(_MARK):
            return None
        with suppress(ValueError, RecursionError):
            match json.loads(text.removeprefix(_MARK)):
                case [int(after), str() | None as position] if 0 <= after < _MOST:
                    return cls(position, after)
        raise InvalidCursor("after: this position was not made by this source")


@dataclass(frozen=True, slots=True)
class _Made:
    """An invoice as it was submitted, and by which attempt."""

    attempt_id: int
    invoice: Invoice


class ShowsSubmitted:
    """Gives what its source has, and as submitted what the source cannot show although this gateway has written it.

    Only where the source itself says `AbsenceUnproven`: what it shows, denies or fails to tell stays its own answer. A journal
    that cannot be read takes nothing of that away.
    """

    def __init__(self, source: Source, journal: Journal) -> None:
        self._source = source
        self._journal = journal

    @property
    def profile(self) -> SourceProfile:
        """What it is."""
        return self._source.profile

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it can do, one entry an `Operation`; calls nobody."""
        return self._source.capabilities

    @property
    def health(self) -> SourceHealth:
        """How its calls went lately."""
        return self._source.health

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so; None before the first call."""
        return self._source.health_since

    @property
    def upstream_state(self) -> UpstreamState:
        """How things stand with its upstream; calls nobody."""
        return self._source.upstream_state

    @property
    def indexes(self) -> tuple[IndexState, ...]:
        """How the indexes stand that it keeps for all requests; calls nobody."""
        return self._source.indexes

    @property
    def personal_fields(self) -> frozenset[str]:
        """Names of upstream fields that hold personal identity numbers."""
        return self._source.personal_fields

    @property
    def orders_per_invoice(self) -> int | None:
        """The most orders that one invoice can cover; None: the system names no bound."""
        return self._source.orders_per_invoice

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        """Say which calls a demand costs at most; where submitted invoices may be given, the source is asked for these by key, too."""
        calls = self._source.worst_case(demand)
        if demand.kind is not Kind.INVOICE or not self._hides_invoices:
            return calls
        if demand.need is Need.LIST or (demand.need is Need.RECORD and demand.by is By.NUMBER):
            by_key = replace(demand, need=Need.RECORD, by=By.KEY, fields=_ANY_FIELD, criteria=frozenset())
            return calls + self._source.worst_case(by_key)
        return calls

    def canonical(self, kind: Kind, native_id: str) -> str:
        """Give the one spelling of a key; raises `InvalidInput` when no such key can exist."""
        return self._source.canonical(kind, native_id)

    # ------------------------------------------------------------------ reading

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        """Answer each key, in the order asked; invoices that the source cannot show as they were submitted.

        Of what is paid of these nothing is known, which is no failure: the warning AS_SUBMITTED says why.
        """
        answers = await self._source.fetch_many(fetch, refs, scope, fields)
        if fetch not in {Fetch.INVOICE, Fetch.PAYMENTS}:
            return answers
        hidden = [ref for ref, answer in zip(refs, answers, strict=True) if isinstance(answer, AbsenceUnproven)]
        known: Mapping[Ref, _Made] = {}
        with suppress(JournalUnavailable):
            known = await self._newest(hidden)
        given = {ref: made.invoice if fetch is Fetch.INVOICE else InvoicePayments() for ref, made in known.items()}
        return [given.get(ref, answer) for ref, answer in zip(refs, answers, strict=True)]

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        """Find objects by the number the business uses: all that match. Raises `LookupUnsupported` and upstream errors."""
        try:
            return await self._source.find(kind, number, scope)
        except AbsenceUnproven:
            found: tuple[Record, ...] = ()
            if kind is Kind.INVOICE:
                with suppress(JournalUnavailable):
                    found = tuple(made.invoice for made in await self._hidden(_BATCH, scope, number=number.strip()))
            if not found:
                raise
            return found

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        """List objects in the source's own order; behind its last invoice those that it does not show, the oldest first.

        Raises `ListUnsupported`, `InvalidCursor` and upstream errors.
        """
        if criteria.kind is not Kind.INVOICE or not self._hides_invoices:
            return await self._source.fetch_page(criteria, position, size, scope)
        place = _Place.from_text(position)
        if place is None:
            page = await self._source.fetch_page(criteria, position, size, scope)
            place = _Place(position)
        else:
            page = await self._late_rows(criteria, place, size, scope)
        page = replace(page, total=None)
        if page.next_position is not None:
            return page
        try:
            return await self._filled(page, criteria, place, size, scope)
        except JournalUnavailable:
            return replace(page, left_out=(*page.left_out, _UNREADABLE))

    async def _late_rows(self, criteria: Criteria, place: _Place, size: int, scope: Scope) -> SourcePage:
        """Give what the source shows behind the row where it ended before, but for what was given as submitted meanwhile."""
        page = await self._source.fetch_page(criteria, place.position, size, scope)
        if not page.records:
            return replace(page, unreadable=0)  # counted when it ended before
        given: set[Ref] = set()
        with suppress(JournalUnavailable):
            newest = await self._newest(record.ref for record in page.records)
            given = {ref for ref, made in newest.items() if made.attempt_id <= place.after}
        rows = [row for row in zip(page.records, page.positions, strict=True) if row[0].ref not in given]
        behind = None if page.next_position is None else _Place(page.next_position, place.after).to_text()
        return replace(
            page,
            records=tuple(record for record, _ in rows),
            positions=tuple(_Place(position, place.after).to_text() for _, position in rows),
            next_position=behind,
            unreadable=0,
        )

    async def _filled(self, page: SourcePage, criteria: Criteria, place: _Place, size: int, scope: Scope) -> SourcePage:
        """Fill the source's last page with submitted invoices, and say whether there are more."""
        room = size - len(page.records)
        end = page.positions[-1] if page.positions else None
        last = place if end is None else _Place.from_text(end) or _Place(end)
        found = await self._hidden(room + 1, scope, number=criteria.number, order=criteria.order, after=last.after)
        added = found[:room]
        positions = (*page.positions, *(replace(last, after=made.attempt_id).to_text() for made in added))
        return replace(
            page,
            records=(*page.records, *(made.invoice for made in added)),
            positions=positions,
            next_position=positions[-1] if len(found) > room else None,
            # What the source has honoured of its own rows holds for these only as far as it is looked at here.
            applied=page.applied & _JUDGED_HERE if added else page.applied,
        )

    # ------------------------------------------------------------------ the journal

    @property
    def _hides_invoices(self) -> bool:
        """Say whether there may be invoices that the source does not show; no list of another reads the journal."""
        return any(able.operation is Operation.READ_INVOICE and able.support is SupportLevel.PARTIAL for able in self.capabilities)

    async def _hidden(
        self, count: int, scope: Scope, *, number: str | None = None, order: Ref | None = None, after: int = 0
    ) -> list[_Made]:
        """Give at most so many of the invoices that were submitted and that the source does not show, oldest first."""
        size = min(count, _BATCH)
        about = None if order is None else (order.kind.value, order.native_id)
        found: list[_Made] = []
        while True:
            rows = await self._journal.made(self.profile.key, number=number, mention=about, after=after, size=size)
            found += await self._not_shown(self._invoices_of(rows), scope)
            if len(found) >= count or len(rows) < size:
                return found[:count]
            after = rows[-1][0].id

    async def _not_shown(self, submitted: Sequence[_Made], scope: Scope) -> list[_Made]:
        """Leave out what the source tells itself, and what was submitted once more later: it stands there."""
        newest = await self._newest(made.invoice.ref for made in submitted)
        last = [made for made in submitted if newest.get(made.invoice.ref) == made]
        refs = [made.invoice.ref for made in last]
        answers = await self._source.fetch_many(Fetch.INVOICE, refs, scope, _ANY_FIELD) if refs else []
        return [made for made, answer in zip(last, answers, strict=True) if isinstance(answer, AbsenceUnproven)]

    async def _newest(self, refs: Iterable[Ref]) -> Mapping[Ref, _Made]:
        """Give what was submitted of each invoice, the last time where there were several; asks nobody for none."""
        native_ids = {ref.native_id for ref in refs}
        found: dict[Ref, _Made] = {}
        after: int | None = 0 if native_ids else None
        while after is not None:
            rows = await self._journal.made(self.profile.key, native_ids=native_ids, after=after, size=_BATCH)
            found |= {made.invoice.ref: made for made in self._invoices_of(rows)}
            after = rows[-1][0].id if len(rows) == _BATCH else None
        return found

    def _invoices_of(self, rows: Iterable[tuple[Attempt, Bodies]]) -> list[_Made]:
        """Read what was submitted; what this version cannot read, and writes that submit no invoice, are passed over."""
        prepared = ((attempt.id, load(bodies.sent or "", Prepared)) for attempt, bodies in rows)
        return [
            # Submitted under a former key of the source it is the same invoice.
            _Made(key, replace(one.submitted, ref=replace(one.submitted.ref, source=self.profile.key)))
            for key, one in prepared
            if one is not None and isinstance(one.submitted, Invoice)
        ]

    # ------------------------------------------------------------------ writing

    def claims(self, write: Write) -> Claims:
        """Say what a write is about; calls nobody."""
        return self._source.claims(write)

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        """Validate by name, make the reads that the checks need, and say exactly what would be sent. Sends no write."""
        return await self._source.prepare(write, scope)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        """Send the write, once. Gives the answer whatever its status; raises `UpstreamError` when there was none."""
        return await self._source.send(prepared, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        """Say what a 2xx answer proves. May look (read back); never sends again."""
        return await self._source.settle(prepared, response, scope)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        """Find out by reading the source whether the write happened; the journal proves nothing here."""
        return await self._source.look(prepared, scope)

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        """Find what stands in the way of a write that the source has refused for good; None: nothing that can be found."""
        return await self._source.conflict(prepared, scope)

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        """Read what the source itself says in an answer that refuses; at least one entry, with the status."""
        return self._source.refusals(response)

    async def probe(self, scope: Scope) -> str:
        """Sign in and make one cheap read; gives a line for the operator, raises upstream errors."""
        return await self._source.probe(scope)
