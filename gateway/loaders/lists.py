"""Lists over several sources: one after the other in the order of the configuration, or merged by date.

A source that cannot be read is said to be so, on every page, and never looks like an empty one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final

from gateway.errors import GatewayError, InvalidCursor, ListUnsupported, UpstreamError, UpstreamTimeout
from gateway.loaders.criteria import Verdict, can_be_applied, judge
from gateway.loaders.cursor import Cursor, fingerprint, read_cursor, write_cursor
from gateway.model import Criteria, Customer, Invoice, Kind, Order, Record, SourcePage, SourceResultStatus, value
from gateway.sources.base import Scope, Source

MAX_FIRST: Final = 100
_MAX_CALLS: Final = 10
"""Pages asked of one source for one page of the list, where most rows fail the criteria."""
_TYPES: Final[dict[Kind, type[Record]]] = {Kind.CUSTOMER: Customer, Kind.ORDER: Order, Kind.INVOICE: Invoice}
_PASSED: Final = "before this page"


@value(frozen=True, slots=True)
class Edge:
    """An object and the place behind it, in the list that is known by a fingerprint."""

    place: Cursor
    fingerprint: str
    node: Record

    @property
    def cursor(self) -> str:
        """The cursor behind it; made when it is asked for."""
        return write_cursor(self.place, self.fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """How one source did on this page."""

    source: Source
    status: SourceResultStatus
    code: str | None = None
    message: str | None = None
    retry_after_seconds: int | None = None
    count: int = 0
    total: int | None = None
    undecided: int = 0
    resume_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `end_cursor` may stand behind rows that were left out after the last edge."""

    edges: tuple[Edge, ...]
    end_cursor: str | None
    has_next_page: bool
    has_previous_page: bool
    results: tuple[SourceResult, ...]


@dataclass(slots=True)
class _Reach:
    """What was read of one source for this page."""

    source: Source
    rows: list[tuple[Record, str]] = field(default_factory=list)
    """Each with the position behind it."""
    start: str | None = None
    next_position: str | None = None
    is_finished: bool = False
    undecided: int = 0
    unreadable: int = 0
    total: int | None = None
    left_out: tuple[str, ...] = ()
    failure: GatewayError | None = None

    @property
    def key(self) -> str:
        return self.source.profile.key

    def behind(self, count: int) -> str | None:
        """Give the position behind the first `count` rows, and behind what was left out after the last of them."""
        if count < len(self.rows):
            return self.rows[count - 1][1] if count else self.start
        if self.is_finished or self.failure is not None:
            return self.rows[-1][1] if self.rows else self.start
        return self.next_position


@dataclass(frozen=True, slots=True)
class Reads:
    """How a source is asked for a list: where it honours all criteria so many rows and so often, else at most so many and so often."""

    rows: int
    turns: int
    most_turns: int
    most_rows: int = MAX_FIRST + 1


def reads_of_page(first: int, *, looks_ahead: bool = True) -> Reads:
    """Say how a source is asked for one page."""
    return Reads(_needed(first, looks_ahead=looks_ahead), 1, _MAX_CALLS)


def _needed(first: int, *, looks_ahead: bool) -> int:
    """Say how many rows of a source end its part in a page: one more than the page has tells whether another follows."""
    return first + 1 if looks_ahead else max(first, 1)


class Lister:
    """Reads one list, in the sources' own order.

    Not `looks_ahead`: nobody asks whether another page follows, or how each source did. Where a full page is as long as the upstream's
    own, that saves a call; the page says then that another follows, and it may turn out empty.
    """

    def __init__(
        self,
        criteria: Criteria,
        sources: Sequence[Source],
        scope: Scope,
        *,
        asked_for: tuple[str, ...] | None,
        looks_ahead: bool = True,
    ) -> None:
        self._criteria = criteria
        self._sources = sources
        self._scope = scope
        self._fingerprint = fingerprint(criteria, asked_for, "SOURCE")
        self._looks_ahead = looks_ahead
        self._is_alone = False

    async def page(self, first: int, after: str | None) -> Page:
        """Read a page; on the first all sources are asked at once, later the one the cursor stands in, then all behind it."""
        cursor = None if after is None else read_cursor(after, self._fingerprint)
        start = self._start(cursor)
        if cursor is not None and cursor.alone:
            self._sources, start, self._is_alone = [self._sources[start]], 0, True
        failed = {} if cursor is None else {key: (code, position) for key, code, position in cursor.failed}
        position = None if cursor is None else cursor.position
        reached: list[_Reach] = []
        remaining = list(self._sources[start:])
        if cursor is not None and remaining:
            reached.append(await self._reach(remaining.pop(0), position, first))
        if sum(len(reach.rows) for reach in reached) <= first and remaining:
            # Asked at once: a page may need several sources, and a source that is down should be known early.
            reached += await asyncio.gather(*(self._reach(source, None, first) for source in remaining))
        return self._assemble(first, reached, failed, start, has_previous=after is not None)

    def _start(self, cursor: Cursor | None) -> int:
        if cursor is None:
            return 0
        keys = [source.profile.key for source in self._sources]
        if cursor.source not in keys:
            raise InvalidCursor("after: the source this cursor stands in is not there any more")
        return keys.index(cursor.source)

    async def _reach(self, source: Source, position: str | None, first: int) -> _Reach:
        """Read rows of one source until there are as many as the page can need, or its end."""
        reach = _Reach(source, start=position, next_position=position)
        try:
            await self._read(reach, first)
        except GatewayError as failure:
            reach.failure = failure
        return reach

    async def _read(self, reach: _Reach, first: int) -> None:
        needed = _needed(first, looks_ahead=self._looks_ahead)
        for turn in range(_MAX_CALLS):
            # Where rows were dropped, more are asked for the next time: most of them may not be wanted either.
            size = min(MAX_FIRST + 1, (needed - len(reach.rows)) * 2**turn)
            page = await reach.source.fetch_page(self._criteria, reach.next_position, size, self._scope)
            self._take(reach, page)
            if page.next_position is None:
                reach.is_finished = True
                return
            reach.next_position = page.next_position
            if len(reach.rows) >= needed:
                return

    def _take(self, reach: _Reach, page: SourcePage) -> None:
        open_criteria = self._criteria.asked - page.applied
        applicable = {name for name in open_criteria if can_be_applied(_TYPES[self._criteria.kind], name)}
        for record, position in zip(page.records, page.positions, strict=True):
            if not self._criteria.include_deleted and getattr(record, "is_deleted", None) is True:
                continue
            verdict = judge(record, self._criteria, applicable)
            if verdict is Verdict.MEETS:
                reach.rows.append((record, position))
            elif verdict is Verdict.UNDECIDED:
                reach.undecided += 1
        reach.unreadable += page.unreadable
        reach.total = page.total if not open_criteria else None
        reasons = [f"{name} cannot be applied to this source" for name in sorted(open_criteria - applicable)]
        reach.left_out = tuple(dict.fromkeys((*reach.left_out, *page.left_out, *reasons)))

    def _assemble(
        self, first: int, reached: Sequence[_Reach], failed: dict[str, tuple[str, str | None]], start: int, *, has_previous: bool
    ) -> Page:
        edges: list[Edge] = []
        taken: dict[str, int] = {}
        later: set[str] = set()
        has_next = False
        end_cursor: str | None = None
        for reach in reached:
            # Sources follow one another: behind a full page, or a source that has more, nothing is given yet.
            if has_next or (len(edges) >= first and reach.rows):
                later.add(reach.key)
                has_next = True
                continue
            rows = reach.rows[: first - len(edges)]
            taken[reach.key] = len(rows)
            known = _known(failed)
            end_cursor = self._cursor(reach.key, reach.behind(len(rows)), known)
            edges += [Edge(Cursor(reach.key, position, known, self._is_alone), self._fingerprint, record) for record, position in rows]
            has_next = len(reach.rows) > len(rows) or (reach.failure is None and not reach.is_finished)
            if reach.failure is not None:
                failed = {**failed, reach.key: (reach.failure.code, reach.behind(len(rows)))}
        has_next = has_next or len(reached) < len(self._sources) - start
        results = self._results(reached, taken, failed, later)
        return Page(tuple(edges), end_cursor if edges or has_next else None, has_next, has_previous, results)

    def _cursor(self, key: str, position: str | None, known: tuple[tuple[str, str, str | None], ...]) -> str:
        return write_cursor(Cursor(key, position, known, self._is_alone), self._fingerprint)

    def _resume_cursor(self, key: str, position: str | None) -> str:
        return write_cursor(Cursor(key, position, alone=True), self._fingerprint)

    def _results(
        self, reached: Sequence[_Reach], taken: dict[str, int], failed: dict[str, tuple[str, str | None]], later: set[str]
    ) -> tuple[SourceResult, ...]:
        by_key = {reach.key: reach for reach in reached}
        results: list[SourceResult] = []
        for source in self._sources:
            key = source.profile.key
            reach = by_key.get(key)
            if reach is not None:
                results.append(
                    self._result(reach, taken.get(key, 0), is_later=key in later and (bool(reach.rows) or not reach.is_finished))
                )
            elif key in failed:
                results.append(self._failed_before(source, *failed[key]))
            else:
                is_behind = any(other.profile.key in by_key for other in self._sources[: self._index(key)])
                status = SourceResultStatus.NOT_REACHED if is_behind else SourceResultStatus.OK
                results.append(SourceResult(source=source, status=status, message=None if is_behind else _PASSED))
        return tuple(results)

    def _index(self, key: str) -> int:
        return [source.profile.key for source in self._sources].index(key)

    def _failed_before(self, source: Source, code: str, position: str | None) -> SourceResult:
        if code == ListUnsupported.code:
            return SourceResult(source=source, status=SourceResultStatus.UNSUPPORTED, code=code, message="it publishes no such list")
        return SourceResult(
            source=source,
            status=SourceResultStatus.TIMED_OUT if code == UpstreamTimeout.code else SourceResultStatus.FAILED,
            code=code,
            message="it could not be read on an earlier page",
            resume_cursor=self._resume_cursor(source.profile.key, position),
        )

    def _result(self, reach: _Reach, count: int, *, is_later: bool) -> SourceResult:
        result = SourceResult(
            source=reach.source,
            status=SourceResultStatus.NOT_REACHED if is_later else SourceResultStatus.OK,
            count=count,
            total=reach.total,
            undecided=reach.undecided,
        )
        if reach.failure is not None:
            return _failed(result, reach.failure, self._resume_cursor(reach.key, reach.behind(count)))
        if not reach.is_finished or len(reach.rows) > count:
            result = replace(result, resume_cursor=self._resume_cursor(reach.key, reach.behind(count)))
        return _partial(result, reach)


def _known(failed: dict[str, tuple[str, str | None]]) -> tuple[tuple[str, str, str | None], ...]:
    """Give the failures of earlier pages as cursors carry them."""
    return tuple((source, code, where) for source, (code, where) in failed.items())


def _failed(result: SourceResult, failure: GatewayError, resume_cursor: str) -> SourceResult:
    if isinstance(failure, ListUnsupported):
        return replace(result, status=SourceResultStatus.UNSUPPORTED, code=failure.code, message=failure.message)
    status = SourceResultStatus.TIMED_OUT if isinstance(failure, UpstreamTimeout) else SourceResultStatus.FAILED
    wait = failure.retry_after if isinstance(failure, UpstreamError) else None
    return replace(
        result,
        status=status,
        code=failure.code,
        message=failure.message,
        retry_after_seconds=None if wait is None else ceil(wait),
        resume_cursor=resume_cursor,
    )


def _partial(result: SourceResult, reach: _Reach) -> SourceResult:
    if result.status is SourceResultStatus.NOT_REACHED or not (reach.left_out or reach.unreadable):
        return result
    unreadable = (f"{reach.unreadable} rows cannot be read",) if reach.unreadable else ()
    code = "UPSTREAM_BAD_RESPONSE" if reach.unreadable else None
    return replace(result, status=SourceResultStatus.PARTIAL, code=code, message="; ".join((*reach.left_out, *unreadable)))
