"""Loaders of one request: keys asked in the same tick become one batch a source, each key asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from aiodataloader import DataLoader

from gateway.errors import AmbiguousLookup
from gateway.model import UNREAD, DocumentContent, InvoicePayments, Kind, Record, Ref
from gateway.sources.base import Answer, Fetch, Lines, Scope, Source, SourceSet

_FETCH_OF = {
    Kind.CUSTOMER: Fetch.CUSTOMER,
    Kind.ORDER: Fetch.ORDER,
    Kind.INVOICE: Fetch.INVOICE,
    Kind.INVOICE_SETTINGS: Fetch.INVOICE_SETTINGS,
    Kind.CURRENCY: Fetch.CURRENCY,
    Kind.LABEL: Fetch.LABEL,
}
_LINES_OF = {Kind.ORDER: Fetch.ORDER_LINES, Kind.INVOICE: Fetch.INVOICE_LINES}


@dataclass(frozen=True, slots=True)
class _Reading:
    """A read that has begun: what it was asked for, and its answer."""

    fields: frozenset[str] | None
    answer: asyncio.Future[Answer | Exception]


class Batches:
    """The batches of a request that are under way: the library runs each in a task of its own, which outlives who waits for it."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[object]] = set()
        self._is_closed = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the batch of this task; ends it before it begins where nobody is left to wait for it."""
        task = asyncio.current_task()
        if self._is_closed or task is None:
            raise asyncio.CancelledError
        self._under_way.add(task)
        try:
            yield
        finally:
            self._under_way.discard(task)

    async def aclose(self) -> None:
        """End those under way, and let none begin."""
        self._is_closed = True
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


class ByRef(DataLoader[Ref, Answer]):
    """Loads one kind of thing by reference; the answer of a failed key is raised to whoever awaits that key."""

    def __init__(self, fetch: Fetch, sources: SourceSet, scope: Scope, batches: Batches) -> None:
        super().__init__()
        self._batches = batches
        self._fetch = fetch
        self._sources = sources
        self._scope = scope
        self._wanted: dict[Ref, frozenset[str] | None] = {}
        """Of each key that waits for its batch: the attributes that are wanted; None: all of them."""
        self._read: dict[Ref, _Reading] = {}
        """The latest read of each key."""

    async def load_covering(self, ref: Ref, fields: frozenset[str] | None = None) -> Answer:
        """Load what a key stands for, with the wanted attributes (None: all); a read that has them, or is at it, serves."""
        if ref in self._wanted:  # its batch has not begun: it asks for these, too
            self._wanted[ref] = _union((self._wanted[ref], fields))
            return await self.load(ref)
        read = self._read.get(ref)
        if read is not None:
            answer = await read.answer
            if _covers(answer, read.fields, fields):
                if isinstance(answer, Exception):
                    raise answer
                return answer
            if self._read[ref] is not read or ref in self._wanted:  # another reads it again already
                return await self.load_covering(ref, fields)
            self.clear(ref)
        self._wanted[ref] = fields
        return await self.load(ref)

    async def batch_load_fn(self, keys: Sequence[Ref]) -> list[Answer | Exception]:  # type: ignore[override]  # the library says List
        """Ask each source for its keys, all sources at once, and put the answers in the order of the keys."""
        loop = asyncio.get_running_loop()
        readings = {ref: _Reading(self._wanted.pop(ref), loop.create_future()) for ref in keys}
        self._read.update(readings)
        by_source: dict[str, list[Ref]] = {}
        for ref in keys:
            by_source.setdefault(ref.source, []).append(ref)
        found: dict[Ref, Answer | Exception] = {}
        with self._batches.running():
            for part in await asyncio.gather(*(self._ask(key, refs, readings) for key, refs in by_source.items())):
                found.update(part)
        for ref, reading in readings.items():
            reading.answer.set_result(found[ref])
        return [found[ref] for ref in keys]

    async def _ask(self, key: str, refs: list[Ref], readings: Mapping[Ref, _Reading]) -> dict[Ref, Answer | Exception]:
        source = self._sources.get(key)
        if source is None:
            return dict.fromkeys(refs)
        try:
            answers = await source.fetch_many(self._fetch, refs, self._scope, _union(readings[ref].fields for ref in refs))
            return dict(zip(refs, answers, strict=True))
        except Exception as error:  # noqa: BLE001  (a bug in one source stays that source's: raised to those who asked it)
            return dict.fromkeys(refs, error)


def _union(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    together: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        together |= part
    return together


def _covers(answer: Answer | Exception, had: frozenset[str] | None, fields: frozenset[str] | None) -> bool:
    """Say whether an answer serves for the wanted attributes: a failure and an absence do, a whole read, or one that has them."""
    if had is None or not isinstance(answer, Record | InvoicePayments):
        return True
    if fields is None:
        return False
    return all(name in had or (isinstance(answer, Record) and getattr(answer, name, UNREAD) is not UNREAD) for name in fields)


class ByNumber(DataLoader[tuple[str, Kind, str], tuple[Record, ...]]):
    """Finds objects by source, kind and the number the business uses."""

    def __init__(self, sources: SourceSet, scope: Scope, batches: Batches) -> None:
        super().__init__()
        self._batches = batches
        self._sources = sources
        self._scope = scope

    async def batch_load_fn(  # type: ignore[override]  # the library says List
        self, keys: Sequence[tuple[str, Kind, str]]
    ) -> list[tuple[Record, ...] | BaseException]:
        """Ask for each number at once; no source publishes a look-up of several."""
        with self._batches.running():
            return await asyncio.gather(*(self._find(*key) for key in keys), return_exceptions=True)

    async def _find(self, key: str, kind: Kind, number: str) -> tuple[Record, ...]:
        source = self._sources.get(key)
        return () if source is None else await source.find(kind, number, self._scope)


class Loaders:
    """All loaders of one request."""

    def __init__(self, sources: SourceSet, scope: Scope) -> None:
        self._sources = sources
        self._scope = scope
        self._batches = Batches()
        self._by_ref: dict[Fetch, ByRef] = {}
        self._by_number = ByNumber(sources, scope, self._batches)

    @property
    def sources(self) -> SourceSet:
        """The sources that this request may ask."""
        return self._sources

    @property
    def scope(self) -> Scope:
        """Until when, and under which id."""
        return self._scope

    async def load_record(self, ref: Ref, fields: frozenset[str] | None = None) -> Record | None:
        """Load an object; None when its source says that there is none. Raises the failure of this key.

        `fields`: the attributes that are wanted, None all of them; a source may leave others UNREAD to save calls.
        """
        return cast("Record | None", await self._loader(_FETCH_OF[ref.kind]).load_covering(ref, fields))

    async def load_lines(self, ref: Ref) -> Lines | None:
        """Load the lines of an order or invoice where they are a call of their own; None when the source gives none."""
        return cast("Lines | None", await self._loader(_LINES_OF[ref.kind]).load_covering(ref))

    async def load_payments(self, ref: Ref, fields: frozenset[str] | None = None) -> InvoicePayments | None:
        """Load what is paid of an invoice; None when the source does not say. `fields`: as `load_record` has it."""
        return cast("InvoicePayments | None", await self._loader(Fetch.PAYMENTS).load_covering(ref, fields))

    async def load_document(self, ref: Ref) -> DocumentContent | None:
        """Load the document of an invoice, whole and checked; None when it has none."""
        return cast("DocumentContent | None", await self._loader(Fetch.DOCUMENT).load_covering(ref))

    async def load_by_number(self, source: Source, kind: Kind, number: str) -> Record | None:
        """Find the one object with this number; None when there is none. Raises `AmbiguousLookup` when there are several."""
        found = await self._by_number.load((source.profile.key, kind, number))
        if len(found) > 1:
            ids = tuple(record.ref.global_id for record in found)
            message = f"{len(found)} objects of {source.profile.key} have this number"
            raise AmbiguousLookup(message, source=source.profile.key, operation="find", ids=ids)
        return found[0] if found else None

    def forget(self) -> None:
        """Forget what was loaded: a write may have changed it."""
        self._by_ref.clear()
        self._by_number = ByNumber(self._sources, self._scope, self._batches)

    async def aclose(self) -> None:
        """Stop what is still read, as nobody waits for it any more; nothing can be loaded after that."""
        await self._batches.aclose()

    def _loader(self, fetch: Fetch) -> ByRef:
        if fetch not in self._by_ref:
            self._by_ref[fetch] = ByRef(fetch, self._sources, self._scope, self._batches)
        return self._by_ref[fetch]
