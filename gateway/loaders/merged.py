"""A list of several sources merged by issue date, the newest first: each source is read whole, up to a bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from gateway.errors import InvalidCursor, ListUnsupported
from gateway.loaders.cursor import Cursor, fingerprint, read_cursor
from gateway.loaders.lists import MAX_FIRST, Edge, Lister, Page, Reads, SourceResult, reads_of_page
from gateway.model import Criteria, Invoice, SourceResultStatus
from gateway.sources.base import Scope, Source

MAX_MERGED: Final = 1000
ORDER: Final = "ISSUE_DATE_DESC"

Key = tuple[bool, int, int, str]
"""Sorts the newest first and what has no date last; then by source and native id, so that the order is total."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """All matches of one source."""

    records: tuple[Invoice, ...]
    result: SourceResult


def reads_of_all() -> Reads:
    """Say how a source is asked that is read whole, up to the bound."""
    page, pages = reads_of_page(MAX_FIRST), MAX_MERGED // MAX_FIRST + 1
    return Reads(page.rows, page.turns * pages, page.most_turns * pages)


class MergedLister:
    """Reads one list, merged by issue date."""

    def __init__(self, criteria: Criteria, sources: Sequence[Source], scope: Scope, *, asked_for: tuple[str, ...] | None) -> None:
        self._criteria = criteria
        self._sources = sources
        self._scope = scope
        self._fingerprint = fingerprint(criteria, asked_for, ORDER)

    async def page(self, first: int, after: str | None) -> Page:
        """Read a page; every page reads all matches again, so that it shows what is there now."""
        behind = None if after is None else self._key_in(after)
        wholes = await asyncio.gather(*(self._whole(source) for source in self._sources))
        found = self._sorted(wholes)
        left = [(key, record) for key, record in found if behind is None or key > behind]
        edges = tuple(Edge(Cursor(record.ref.source, json.dumps(key)), self._fingerprint, record) for key, record in left[:first])
        counts = [sum(edge.node.ref.source == whole.result.source.profile.key for edge in edges) for whole in wholes]
        results = tuple(replace(whole.result, count=count) for whole, count in zip(wholes, counts, strict=True))
        return Page(edges, edges[-1].cursor if edges else None, len(left) > first, after is not None, results)

    def _sorted(self, wholes: Sequence[_Whole]) -> list[tuple[Key, Invoice]]:
        keyed = [(self._key(record), record) for whole in wholes for record in whole.records]
        return sorted(keyed, key=lambda pair: pair[0])

    async def _whole(self, source: Source) -> _Whole:
        lister = Lister(self._criteria, [source], self._scope, asked_for=None)
        records: list[Invoice] = []
        undecided = 0
        after: str | None = None
        while True:
            page = await lister.page(MAX_FIRST, after)
            records += [edge.node for edge in page.edges if isinstance(edge.node, Invoice)]
            undecided += page.results[0].undecided
            result = replace(page.results[0], undecided=undecided, resume_cursor=None)
            if len(records) > MAX_MERGED:
                return _Whole((), _too_many(result))
            if not page.has_next_page or result.status not in {SourceResultStatus.OK, SourceResultStatus.PARTIAL}:
                return _Whole(tuple(records), result)
            after = page.end_cursor

    def _key(self, record: Invoice) -> Key:
        issued = record.issue_date
        keys = [source.profile.key for source in self._sources]
        day = issued.toordinal() if isinstance(issued, date) else 0
        return day == 0, -day, keys.index(record.ref.source), record.ref.native_id

    def _key_in(self, after: str) -> Key:
        try:
            key = json.loads(read_cursor(after, self._fingerprint).position or "null")
        except (ValueError, RecursionError):
            key = None
        match key:
            case [bool(undated), int(day), int(source), str(native_id)]:
                return undated, day, source, native_id
            case _:
                raise InvalidCursor("after: this cursor was made for another list, or by another version")


def _too_many(result: SourceResult) -> SourceResult:
    message = f"it has more than {MAX_MERGED} matches and cannot sort them itself; narrow the filter"
    return replace(result, status=SourceResultStatus.UNSUPPORTED, code=ListUnsupported.code, message=message)
