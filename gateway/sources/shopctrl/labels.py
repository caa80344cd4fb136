"""What a tenant calls its statuses, kept for an hour: definitions change rarely, and are asked for with every record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakValueDictionary

from gateway.model import LabelRow, Ref
from gateway.transport import Clock, Scope

KEPT_SECONDS: Final = 3600.0
KEPT_AT_MOST: Final = 1000


class Labels:
    """Remembers definitions, absent ones too; failures are asked for again. Askers of one key at the same time share a call."""

    def __init__(self, fetch: Callable[[Ref, Scope], Awaitable[LabelRow | None]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, tuple[float, LabelRow | None]] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, ref: Ref, scope: Scope) -> LabelRow | None:
        """Give a definition; None when there is none. Raises upstream errors."""
        lock = self._asking.setdefault(ref.native_id, asyncio.Lock())
        async with lock:
            known = self._kept.get(ref.native_id)
            if known is not None and self._clock.monotonic() - known[0] < KEPT_SECONDS:
                return known[1]
            row = await self._fetch(ref, scope)
            self._keep(ref.native_id, row)
            return row

    def _keep(self, key: str, row: LabelRow | None) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= KEPT_AT_MOST:
            del self._kept[next(iter(self._kept))]  # the one that was read first
        self._kept[key] = (self._clock.monotonic(), row)
