"""Loaders of one request: keys asked in the same turn of the loop become one batch a source, each key asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, cast

from aiodataloader import DataLoader

from gateway.errors import AmbiguousLookup
from gateway.model import UNREAD, DocumentContent, InvoicePayments, Kind, Record, Ref
from gateway.sources.base import Answer, Fetch, Lines, Scope, Source, SourceSet

K = TypeVar("K", bound=Hashable)
_AskedFor: TypeAlias = dict[K, dict[str, None]]
"""Of each key the paths of the fields that ask for it, in that order."""

_FETCH_OF = {
    Kind.CUSTOMER: Fetch.CUSTOMER,
    Kind.ORDER: Fetch.ORDER,
    Kind.INVOICE: Fetch.INVOICE,
    Kind.INVOICE_SETTINGS: Fetch.INVOICE_SETTINGS,
    Kind.CURRENCY: Fetch.CURRENCY,
    Kind.LABEL: Fetch.LABEL,
}
_LINES_OF = {Kind.ORDER: Fetch.ORDER_LINES, Kind.INVOICE: Fetch.INVOICE_LINES}


class Batches:
    """The batches of a request that are under way, each a task of its own, which outlives who waits for it."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Say whether nobody is left to wait for a batch."""
        return self._is_closed

    def start(self, batch: Coroutine[Any, Any, None]) -> None:
        """Run a batch."""
        task = asyncio.create_task(batch)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the batch of this task, which the library started; ends it before it begins where nobody is left to wait for it."""
        task = cast("asyncio.Task[None] | None", asyncio.current_task())
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
        if self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)


class _Batch:
    """Keys that are read together: `wanted`, of each key the attributes (None: all of them). `has_begun`: none can join it any more.

    `asked_for`: by which fields, where calls are traced.
    """

    __slots__ = ("answers", "asked_for", "done", "has_begun", "wanted")

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.wanted: dict[Ref, frozenset[str] | None] = {}
        self.answers: dict[Ref, Answer | Exception] = {}
        self.asked_for: _AskedFor[Ref] | None = None
        self.done = done
        self.has_begun = False


class ByRef:
    """Loads one kind of thing by reference: keys asked in the same turn of the loop become one batch, however many ask.

    A batch is waited for as a whole: a key costs a place in a dictionary, and no task, future or coroutine of its own.
    """

    def __init__(self, fetch: Fetch, sources: SourceSet, scope: Scope, batches: Batches) -> None:
        self._batches = batches
        self._fetch = fetch
        self._sources = sources
        self._scope = scope
        self._next: _Batch | None = None
        """The batch that has not begun."""
        self._latest: dict[Ref, _Batch] = {}
        """Of each key, the batch that read it last, or is to."""

    async def load_many(self, refs: Sequence[Ref], fields: frozenset[str] | None = None) -> list[Answer | Exception]:
        """Load what keys stand for, with the wanted attributes (None: all); a read that has them, or is at it, serves.

        The failure of a key stands in its place.
        """
        serving = [self._batch_for(ref, fields) for ref in refs]
        if self._scope.trace is not None:
            self._note_asking(self._scope.trace.asking, refs, serving)
        for batch in dict.fromkeys(serving):
            if not batch.done.done():
                await asyncio.shield(batch.done)  # who is cancelled here takes the batch from nobody
        answers = [batch.answers[ref] for ref, batch in zip(refs, serving, strict=True)]
        short = [at for at, ref in enumerate(refs) if not _covers(answers[at], serving[at].wanted[ref], fields)]
        if short:
            again = await self.load_many([refs[at] for at in short], fields)
            for at, answer in zip(short, again, strict=True):
                answers[at] = answer
        return answers

    def _batch_for(self, ref: Ref, fields: frozenset[str] | None) -> _Batch:
        """Find the batch that reads a key, or has read enough of it; else the next one does."""
        batch = self._latest.get(ref)
        if batch is not None and not batch.has_begun:
            batch.wanted[ref] = _union((batch.wanted[ref], fields))
            return batch
        if batch is not None and (not batch.done.done() or _covers(batch.answers[ref], batch.wanted[ref], fields)):
            return batch
        if self._next is None:
            self._next = self._new_batch()
        self._next.wanted[ref] = fields
        self._latest[ref] = self._next
        return self._next

    def _note_asking(self, paths: Iterable[str], refs: Sequence[Ref], serving: Sequence[_Batch]) -> None:
        """Note which fields ask for keys that have not been read yet."""
        for ref, batch in zip(refs, serving, strict=True):
            if not batch.has_begun:
                batch.asked_for = batch.asked_for or {}
                batch.asked_for.setdefault(ref, {}).update(dict.fromkeys(paths))

    def _new_batch(self) -> _Batch:
        loop = asyncio.get_running_loop()
        # Two turns later: what was woken in this turn and the next, such as the other fields of a list, joins.
        loop.call_soon(loop.call_soon, self._begin)
        return _Batch(loop.create_future())

    def _begin(self) -> None:
        batch, self._next = self._next, None
        if batch is None:
            return
        batch.has_begun = True
        if self._batches.is_closed:
            batch.done.cancel()
        else:
            self._batches.start(self._read(batch))

    async def _read(self, batch: _Batch) -> None:
        """Ask each source for its keys, all sources at once."""
        by_source: dict[str, list[Ref]] = {}
        for ref in batch.wanted:
            by_source.setdefault(ref.source, []).append(ref)
        try:
            for part in await asyncio.gather(*(self._ask(key, refs, batch) for key, refs in by_source.items())):
                batch.answers.update(part)
            batch.done.set_result(None)
        finally:
            batch.done.cancel()  # nothing where it is done: else nobody is left to wait for it

    async def _ask(self, key: str, refs: list[Ref], batch: _Batch) -> dict[Ref, Answer | Exception]:
        source = self._sources.get(key)
        if source is None:
            return dict.fromkeys(refs)
        try:
            scope = _scope_of_batch(self._scope, refs, batch.asked_for or {})
            answers = await source.fetch_many(self._fetch, refs, scope, _union(batch.wanted[ref] for ref in refs))
            return dict(zip(refs, answers, strict=True))
        except Exception as error:  # noqa: BLE001  (a bug in one source stays that source's: raised to those who asked it)
            return dict.fromkeys(refs, error)


def _scope_of_batch(scope: Scope, keys: Collection[K], asked_for: _AskedFor[K]) -> Scope:
    """Give the scope in which some keys are asked of one source: where calls are traced, theirs are this batch's."""
    if scope.trace is None:
        return scope
    fields = dict.fromkeys(field for key in keys for field in asked_for.get(key, {}))
    return replace(scope, trace=scope.trace.of_batch(tuple(fields), len(keys)))


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


_Number: TypeAlias = tuple[str, Kind, str]


class ByNumber(DataLoader[_Number, tuple[Record, ...]]):
    """Finds objects by source, kind and the number the business uses."""

    def __init__(self, sources: SourceSet, scope: Scope, batches: Batches) -> None:
        super().__init__()
        self._batches = batches
        self._sources = sources
        self._scope = scope
        self._asked_for: _AskedFor[_Number] = {}
        """Where calls are traced."""

    async def find(self, key: _Number) -> tuple[Record, ...]:
        """Give all objects that have a number, together with the other numbers that are asked for at the same time."""
        if self._scope.trace is not None:
            self._asked_for.setdefault(key, {}).update(dict.fromkeys(self._scope.trace.asking))
        return await self.load(key)

    async def batch_load_fn(  # type: ignore[override]  # the library says List
        self, keys: Sequence[_Number]
    ) -> list[tuple[Record, ...] | BaseException]:
        """Ask for each number at once; no source publishes a look-up of several."""
        with self._batches.running():
            scopes = self._scopes(keys)
            return await asyncio.gather(*(self._find(*key, scopes[key[0]]) for key in keys), return_exceptions=True)

    def _scopes(self, keys: Sequence[_Number]) -> Mapping[str, Scope]:
        """Give the scope in which each source is asked."""
        sources = dict.fromkeys((source for source, _, _ in keys), self._scope)
        if self._scope.trace is None:
            return sources
        return {source: _scope_of_batch(self._scope, [key for key in keys if key[0] == source], self._asked_for) for source in sources}

    async def _find(self, key: str, kind: Kind, number: str, scope: Scope) -> tuple[Record, ...]:
        source = self._sources.get(key)
        return () if source is None else await source.find(kind, number, scope)


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
        """Until when, and under which id; where calls are traced, for the field that is waited for now."""
        trace = self._scope.trace
        return self._scope if trace is None else replace(self._scope, trace=trace.of_field())

    async def load_record(self, ref: Ref, fields: frozenset[str] | None = None) -> Record | None:
        """Load an object; None when its source says that there is none. Raises the failure of this key.

        `fields`: the attributes that are wanted, None all of them; a source may leave others UNREAD to save calls.
        """
        return cast("Record | None", await self._load(_FETCH_OF[ref.kind], ref, fields))

    async def load_records(self, refs: Sequence[Ref], fields: frozenset[str] | None = None) -> list[Record | Exception | None]:
        """Load objects of one kind at once, as `load_record` does each; the failure of a key stands in its place."""
        if not refs:
            return []
        return cast("list[Record | Exception | None]", await self._loader(_FETCH_OF[refs[0].kind]).load_many(refs, fields))

    async def load_lines(self, ref: Ref) -> Lines | None:
        """Load the lines of an order or invoice where they are a call of their own; None when the source gives none."""
        return cast("Lines | None", await self._load(_LINES_OF[ref.kind], ref))

    async def load_payments(self, ref: Ref, fields: frozenset[str] | None = None) -> InvoicePayments | None:
        """Load what is paid of an invoice; None when the source does not say. `fields`: as `load_record` has it."""
        return cast("InvoicePayments | None", await self._load(Fetch.PAYMENTS, ref, fields))

    async def load_each_lines(self, refs: Sequence[Ref]) -> list[Lines | Exception | None]:
        """Load the lines of orders or of invoices at once, as `load_lines` does of one; the failure of a key stands in its place."""
        return cast("list[Lines | Exception | None]", await self._loader(_LINES_OF[refs[0].kind]).load_many(refs)) if refs else []

    async def load_each_payments(self, refs: Sequence[Ref], fields: frozenset[str]) -> list[InvoicePayments | Exception | None]:
        """Load what is paid of invoices at once, as `load_payments` does of one; the failure of a key stands in its place."""
        return cast("list[InvoicePayments | Exception | None]", await self._loader(Fetch.PAYMENTS).load_many(refs, fields))

    async def load_document(self, ref: Ref) -> DocumentContent | None:
        """Load the document of an invoice, whole and checked; None when it has none."""
        return cast("DocumentContent | None", await self._load(Fetch.DOCUMENT, ref))

    async def _load(self, fetch: Fetch, ref: Ref, fields: frozenset[str] | None = None) -> Answer:
        (answer,) = await self._loader(fetch).load_many([ref], fields)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def load_by_number(self, source: Source, kind: Kind, number: str) -> Record | None:
        """Find the one object with this number; None when there is none. Raises `AmbiguousLookup` when there are several."""
        found = await self._by_number.find((source.profile.key, kind, number))
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
