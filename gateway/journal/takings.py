"""What callers took in all replicas together, counted at an even pace. A replica takes several requests' worth at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.journal.database import Database
from gateway.journal.tables import TAKINGS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORGOTTEN_AFTER: Final = timedelta(hours=1)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many requests a replica may answer, at most as many as it wanted, and when the next one is there, in nanoseconds."""

    count: int
    wait: int


class TakingsTable:
    """What callers took, in a journal's database."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def take(self, caller: str, *, wanted: int, interval: int, burst: int) -> Taken:
        """Take up to `wanted` requests, of which one comes in every `interval` (in nanoseconds), and after a rest `burst` at once.

        Raises `JournalUnavailable`.
        """

        async def work(connection: AsyncConnection) -> Taken:
            backend = self._database.backend
            await backend.make_hasty(connection)
            await backend.lock(connection, f"takings/{caller}")
            now = ((await backend.now(connection) or self._now()) - _EPOCH) // _MICROSECOND * 1000
            name = hashlib.sha256(caller.encode()).hexdigest()  # whoever signs in is a person
            here = TAKINGS.c.caller == name
            found: int | None = (await connection.execute(select(TAKINGS.c.paid_until).where(here))).scalar_one_or_none()
            paid_until = max(found or 0, now)
            count = max(0, min(wanted, (now + burst * interval - paid_until) // interval))
            paid_until += count * interval
            if found is None:
                await connection.execute(insert(TAKINGS).values(caller=name, paid_until=paid_until))
            elif count:
                await connection.execute(update(TAKINGS).where(here).values(paid_until=paid_until))
            return Taken(count, max(0, paid_until + interval - now - burst * interval))

        return await self._database.write(work)

    async def forget(self) -> int:
        """Drop the callers that have taken nothing for an hour and owe nothing; gives how many. Raises `JournalUnavailable`."""

        async def work(connection: AsyncConnection) -> int:
            now = await self._database.backend.now(connection) or self._now()
            idle = TAKINGS.c.paid_until < (now - _FORGOTTEN_AFTER - _EPOCH) // _MICROSECOND * 1000
            return (await connection.execute(delete(TAKINGS).where(idle))).rowcount

        return await self._database.write(work)
