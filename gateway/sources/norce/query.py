"""The Query API of Norce: rows by id in chunks, lists in the order of their ids. Knows rows, not records."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.errors import GatewayError, InvalidCursor, UpstreamRejected, UpstreamUnavailable
from gateway.sources.base import Clock
from gateway.sources.decode import Malformed
from gateway.sources.norce import endpoints
from gateway.sources.norce.endpoints import QuerySet, Term
from gateway.sources.norce.payloads import Entry, R, RowPage, to_row_page
from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request, Scope, Upstream

T = TypeVar("T")

_INT64: Final = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_INT64_MAX: Final = 2**63 - 1
_METADATA_SECONDS: Final = 3600.0
_RETRY_SECONDS: Final = 60.0
_PAGE_CAP: Final = 500
"""Rows of one Query answer; a larger `$top` is lowered without a word."""
_INVOICE_SET: Final = re.compile(rb"""<EntitySet\b[^>]*\bName\s*=\s*["']Invoices["']""", re.IGNORECASE)
_POSITION: Final = re.compile(r"(id|skip|row):(0|[1-9]\d{0,18})", re.ASCII)

Looked = tuple[R, bytes] | GatewayError | None
"""What Query said of a key: its row with the row's own JSON; why it could not say; None, that there is none."""


class Position(NamedTuple):
    """Where to go on: after an id, or at a row counted from 0."""

    form: str
    at: int

    def __str__(self) -> str:
        return f"{self.form}:{self.at}"


def to_position(text: str | None, default: str, *forms: str) -> Position:
    """Read a position of one of the forms; None is the start. Raises `InvalidCursor`."""
    if text is None:
        return Position(default, 0)
    match = _POSITION.fullmatch(text)
    if match is None or match[1] not in (default, *forms):
        raise InvalidCursor("after: this is no position in this list")
    return Position(match[1], int(match[2]))


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Part of a list: each row with the position behind it (None: it cannot be read), and where to go on."""

    rows: tuple[tuple[T | None, Position], ...]
    next_position: Position | None
    total: int | None = None


class Query:
    """The Query API: rows by id in chunks, lists in the order of their ids, and whether there are invoices."""

    def __init__(self, options: NorceOptions, upstream: Upstream, clock: Clock) -> None:
        self._options = options
        self._upstream = upstream
        self._clock = clock
        self._plain_until: dict[QuerySet, float] = {}
        self._metadata = asyncio.Lock()
        self._has_invoices = False
        self._known_until = clock.monotonic()

    @property
    def is_off(self) -> bool:
        """Say whether the source is configured without it."""
        return self._options.query_version == "off"

    async def has_invoices(self, scope: Scope) -> bool:
        """Say whether `$metadata` shows a set of invoices: looked up once an hour; a failure says no for a minute."""
        if self.is_off:
            return False
        async with self._metadata:
            if self._clock.monotonic() >= self._known_until:
                self._has_invoices, seconds = await self._look_up(scope)
                self._known_until = self._clock.monotonic() + seconds
            return self._has_invoices

    async def _look_up(self, scope: Scope) -> tuple[bool, float]:
        try:
            response = await self._upstream.read(endpoints.query_metadata(self._options), scope)
        except GatewayError:
            return False, _RETRY_SECONDS
        return _INVOICE_SET.search(response.body) is not None, _METADATA_SECONDS

    async def by_id(
        self, of: QuerySet, row_type: type[R], ids: Sequence[str], scope: Scope, expand: Sequence[str] = ()
    ) -> dict[str, Looked[R]]:
        """Ask for rows, in chunks; an id that Query cannot be asked for is not in the answer."""
        askable = [] if self.is_off else [row_id for row_id in ids if is_int64(row_id)]
        size = endpoints.CHUNK_SIZE
        chunks = [askable[start : start + size] for start in range(0, len(askable), size)]
        answers = await asyncio.gather(*(self._chunk(of, row_type, chunk, scope, expand) for chunk in chunks))
        return {row_id: found for answer in answers for row_id, found in answer.items()}

    async def _chunk(
        self, of: QuerySet, row_type: type[R], ids: Sequence[str], scope: Scope, expand: Sequence[str]
    ) -> dict[str, Looked[R]]:
        try:
            return await self._with_or_without(
                of, expand, lambda names: self._pages(endpoints.query_by_id(self._options, of, ids, names), row_type, ids, scope)
            )
        except GatewayError as error:
            return dict.fromkeys(ids, error)

    async def _with_or_without(self, of: QuerySet, expand: Sequence[str], read: Callable[[Sequence[str]], Awaitable[T]]) -> T:
        """Read with `$expand`; where the installation does not take that, without. That a 4xx came of it is remembered."""
        if not expand or self._clock.monotonic() < self._plain_until.get(of, 0):
            return await read(())
        try:
            return await read(expand)
        except UpstreamRejected:
            plain = await read(())
            self._plain_until[of] = self._clock.monotonic() + _METADATA_SECONDS
            return plain
        except UpstreamUnavailable:
            return await read(())

    async def _pages(self, request: Request, row_type: type[R], ids: Sequence[str], scope: Scope) -> dict[str, Looked[R]]:
        """Read pages until every id is found or there are no more; absence counts only where every row could be read."""
        found: dict[str, tuple[R, bytes]] = {}
        unreadable: GatewayError | None = None
        for _ in range(len(ids) + 1):
            page = await self._read(request, row_type, scope)
            for row_id, row, raw in page.entries:
                if row is None:
                    unreadable = self._upstream.malformed(request, "a row cannot be read")
                else:
                    found[str(row_id)] = (row, raw)
            if page.next_link is None or found.keys() >= set(ids):
                return {row_id: found.get(row_id, unreadable) for row_id in ids}
            request = endpoints.next_page(request, page.next_link)
        raise self._upstream.malformed(request, "its pages have no end")

    async def _read(self, request: Request, row_type: type[R], scope: Scope) -> RowPage[R]:
        response = await self._upstream.read(request, scope)
        try:
            return to_row_page(response.body, row_type)
        except Malformed as error:
            raise self._upstream.malformed(request, str(error)) from None

    async def page(
        self,
        of: QuerySet,
        row_type: type[R],
        where: Sequence[Sequence[Term]],
        position: str | None,
        size: int,
        scope: Scope,
        expand: Sequence[str] = (),
    ) -> Slice[Entry[R]]:
        """List rows in the order of their ids, from the id of the position on: page 50 costs what page 2 costs.

        Where an installation refuses that from the start, `$skip` counts the rows.
        """
        start = to_position(position, "id", "skip")
        try:
            return await self._after(of, row_type, where, start, size, scope, expand)
        except UpstreamRejected:
            if position is not None:
                raise
            return await self._after(of, row_type, where, Position("skip", 0), size, scope, expand)

    async def _after(
        self,
        of: QuerySet,
        row_type: type[R],
        where: Sequence[Sequence[Term]],
        start: Position,
        size: int,
        scope: Scope,
        expand: Sequence[str],
    ) -> Slice[Entry[R]]:
        """Read until one more row than asked is known, which tells whether this is the end."""
        rows: list[tuple[Entry[R], Position]] = []
        at = start
        while True:
            top = min(size + 1 - _readable(rows), _PAGE_CAP)
            more, is_last = await self._some(of, row_type, where, at, top, scope, expand)
            rows += more
            if is_last or _readable(rows) > size:
                return _cut(rows, size)
            at = more[-1][1]

    async def _some(
        self,
        of: QuerySet,
        row_type: type[R],
        where: Sequence[Sequence[Term]],
        at: Position,
        top: int,
        scope: Scope,
        expand: Sequence[str],
    ) -> tuple[list[tuple[Entry[R], Position]], bool]:
        is_by_id = at.form == "id"
        terms: Sequence[Sequence[Term]] = [*where, [("Id", "gt", str(at.at))]] if is_by_id else where
        skip = None if is_by_id else at.at

        def ask(names: Sequence[str]) -> Awaitable[RowPage[R]]:
            return self._read(endpoints.query_page(self._options, of, terms, top=top, skip=skip, expand=names), row_type, scope)

        page = await self._with_or_without(of, expand, ask)
        rows = _placed(page.entries, at)
        is_last = len(rows) < top and page.next_link is None
        positions = [at.at, *(place.at for _, place in rows)]
        if positions != sorted(positions) or (not is_last and positions[-1] == at.at):
            request = endpoints.query_page(self._options, of, terms, top=top)
            raise self._upstream.malformed(request, "its rows are not in the order of their ids, or have no end")
        return rows, is_last


def _placed(entries: Sequence[Entry[R]], at: Position) -> list[tuple[Entry[R], Position]]:
    """Give each row the position behind it; one whose id cannot be read stands where the row before it stands."""
    placed: list[tuple[Entry[R], Position]] = []
    last = at.at
    for entry in entries:
        last = last + 1 if at.form == "skip" else last if entry.id is None else entry.id
        placed.append((entry, Position(at.form, last)))
    return placed


def _readable(rows: Sequence[tuple[Entry[R], Position]]) -> int:
    return len([entry for entry, _ in rows if entry.row is not None])


def _cut(rows: Sequence[tuple[Entry[R], Position]], size: int) -> Slice[Entry[R]]:
    """Cut behind the last row that is wanted; what stands behind it is read again by the next page."""
    readable = [index for index, (entry, _) in enumerate(rows) if entry.row is not None]
    kept = rows if len(readable) <= size else rows[: readable[size - 1] + 1]
    return Slice(
        tuple([(None if entry.row is None else entry, place) for entry, place in kept]),
        kept[-1][1] if kept and len(kept) < len(rows) else None,
    )


def is_int64(text: str) -> bool:
    """Say whether Query can be asked for an id: a positive integer in its one spelling."""
    return bool(_INT64.fullmatch(text)) and int(text) <= _INT64_MAX
