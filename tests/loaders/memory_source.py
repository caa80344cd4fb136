"""A source that keeps its objects in memory and remembers what it was asked, batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn
from zoneinfo import ZoneInfo

from gateway.errors import InvalidInput
from gateway.loaders import Loaders
from gateway.model import Capability, Criteria, Kind, Record, Ref, SourceHealth, SourcePage, UpstreamRefusal, Write
from gateway.sources.base import (
    Answer,
    Calls,
    Claims,
    Demand,
    Fetch,
    Lines,
    Prepared,
    Refused,
    Settled,
    SourceProfile,
    SourceSet,
    claims_of,
)
from gateway.transport import Response, Scope, UpstreamState

SCOPE = Scope(request_id="test", deadline=1010.0)


@dataclass(slots=True)
class MemorySource:
    """Keys are lower case and not empty; a capital letter is another spelling of its small one."""

    key: str
    records: Mapping[Ref, Record | Exception] = field(default_factory=dict)
    lines: Mapping[Ref, Lines | Exception] = field(default_factory=dict)
    capabilities: tuple[Capability, ...] = ()
    bug: Callable[[Sequence[Ref]], Sequence[Answer]] | None = None
    """Answers instead of the source, in a way that no source may."""
    meeting: asyncio.Barrier | None = None
    """Where it waits for others before it answers."""
    batches: list[tuple[Fetch, tuple[str, ...]]] = field(default_factory=list)
    fields: list[frozenset[str] | None] = field(default_factory=list)
    """What was wanted of each batch."""
    searches: list[str] = field(default_factory=list)
    listed: list[Record] = field(default_factory=list)
    """What its list gives, in its order."""
    applied: frozenset[str] = frozenset()
    """The criteria that it claims to have honoured."""
    page_cap: int = 1000
    list_failure: Exception | None = None
    """Raised instead of a page, from `fails_from` on."""
    fails_from: int = 0
    unreadable: int = 0
    left_out: tuple[str, ...] = ()
    pages: list[tuple[str | None, int]] = field(default_factory=list)
    """Position and size of each page asked for."""

    @property
    def profile(self) -> SourceProfile:
        return SourceProfile(key=self.key, system="NORCE", display_name=self.key.title(), time_zone=ZoneInfo("Europe/Stockholm"))

    @property
    def health(self) -> SourceHealth:
        return SourceHealth.NOT_CHECKED

    @property
    def health_since(self) -> None:
        return None

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
        return 1

    def worst_case(self, demand: Demand) -> tuple[Calls, ...]:
        return (Calls(f"{demand.need} {demand.kind.name.lower()} by {demand.by}", demand.count),)

    def claims(self, write: Write) -> Claims:
        return claims_of(write)

    def canonical(self, kind: Kind, native_id: str) -> str:
        del kind
        if not native_id:
            raise InvalidInput("id: the key is empty")
        return native_id.lower()

    async def fetch_many(self, fetch: Fetch, refs: Sequence[Ref], scope: Scope, fields: frozenset[str] | None = None) -> Sequence[Answer]:
        assert scope is SCOPE
        self.fields.append(fields)
        self.batches.append((fetch, tuple(ref.native_id for ref in refs)))
        if self.meeting is not None:
            await self.meeting.wait()
        if self.bug is not None:
            return self.bug(refs)
        kept: Mapping[Ref, Answer | Exception] = self.lines if fetch in {Fetch.ORDER_LINES, Fetch.INVOICE_LINES} else self.records
        return [kept.get(ref) for ref in refs]  # type: ignore[misc]  # a failure that is no GatewayError is what some tests are about

    async def fetch_page(self, criteria: Criteria, position: str | None, size: int, scope: Scope) -> SourcePage:
        assert scope is SCOPE
        del criteria
        start = 0 if position is None else int(position)
        if self.list_failure is not None and start >= self.fails_from:
            raise self.list_failure
        self.pages.append((position, size))
        rows = tuple(self.listed[start : start + min(size, self.page_cap)])
        end = start + len(rows)
        if self.list_failure is not None and end > self.fails_from:
            rows, end = rows[: self.fails_from - start], self.fails_from
        is_last = end >= len(self.listed)
        return SourcePage(
            records=rows,
            positions=tuple(str(start + index + 1) for index in range(len(rows))),
            next_position=None if is_last else str(end),
            applied=self.applied,
            total=len(self.listed),
            unreadable=self.unreadable if is_last else 0,
            left_out=self.left_out,
        )

    async def find(self, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        assert scope is SCOPE
        self.searches.append(number)
        found = [
            record
            for ref, record in self.records.items()
            if ref.kind is kind and number in {ref.native_id, getattr(record, "number", None)}
        ]
        for record in found:
            if isinstance(record, Exception):
                raise record
        return tuple(record for record in found if isinstance(record, Record))

    async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused:
        _cannot_write(write, scope)

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        _cannot_write(prepared, scope)

    async def settle(self, prepared: Prepared, response: Response, scope: Scope) -> Settled:
        _cannot_write(prepared, response, scope)

    async def look(self, prepared: Prepared, scope: Scope) -> Settled:
        _cannot_write(prepared, scope)

    async def conflict(self, prepared: Prepared, scope: Scope) -> Refused | None:
        del prepared, scope
        return None

    def refusals(self, response: Response) -> tuple[UpstreamRefusal, ...]:
        _cannot_write(response)

    async def probe(self, scope: Scope) -> str:
        _cannot_write(scope)


def _cannot_write(*_: object) -> NoReturn:
    raise AssertionError("this source is only read")


def loaders_over(*sources: MemorySource, former_keys: Mapping[str, str] | None = None) -> Loaders:
    """Make the loaders of one request."""
    return Loaders(SourceSet(sources, former_keys), SCOPE)
