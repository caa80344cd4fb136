"""Windows that replicas have in common: one of them reads the upstream, the others take what it has stored.

What is kept of a window is sealed by whoever keeps it. A replica that reads has a lease; one that dies meanwhile holds the others up
for no longer. A ticket is when its holder began: of two that read, the window of the later one stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.journal.database import Database
from gateway.journal.tables import WINDOWS


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWindow:
    """A window: when its reading began, how long ago that is, and its content. `sealed` None: it is the known one, or it has none."""

    read_at: datetime
    age_seconds: float
    sealed: bytes | None = None


class WindowTable:
    """The windows in a journal's database. Every method raises `JournalUnavailable`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def look(self, name: str, *, known: datetime | None) -> StoredWindow | None:
        """Give what there is of a window; None: nothing yet. The content of the one that was read at `known` is not needed."""
        content = WINDOWS.c.sealed if known is None else case((WINDOWS.c.read_at != known, WINDOWS.c.sealed)).label("sealed")
        query = select(WINDOWS.c.read_at, content).where(WINDOWS.c.name == name, WINDOWS.c.read_at.is_not(None))

        async def work(connection: AsyncConnection) -> StoredWindow | None:
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            age = await self._time(connection) - row.read_at
            return StoredWindow(read_at=row.read_at, age_seconds=age.total_seconds(), sealed=row.sealed)

        return await self._database.read(work)

    async def begin(
        self, name: str, source: str, *, fresh_seconds: float, lease_seconds: float, is_forced: bool = False
    ) -> datetime | None:
        """Let a replica read a window of a source; gives its ticket.

        None: another one has a lease, or has read in the last `fresh_seconds`; never where it is forced, nor where what was read last
        has no content, so that waiting for the next one is likely to be in vain.
        """

        async def work(connection: AsyncConnection) -> datetime | None:
            now = await self._begin(connection, name)
            row = await _row(connection, name)
            if not is_forced and row is not None and _is_busy(row, now, fresh_seconds):
                return None
            lease_until = now + timedelta(seconds=lease_seconds)
            useless_at = lease_until if row is None else max(row.useless_at, lease_until)
            lease = {"reading_since": now, "lease_until": lease_until, "useless_at": useless_at}
            if row is None:
                await connection.execute(insert(WINDOWS).values(name=name, source=source, **lease))
            else:
                await connection.execute(update(WINDOWS).where(WINDOWS.c.name == name).values(lease))
            return now

        return await self._database.write(work)

    async def keep(self, name: str, ticket: datetime, sealed: bytes | None, *, keep_seconds: float) -> bool:
        """Keep what was read with a ticket, for so long; `sealed` None: that it was read, without its content.

        False: who began later was faster, or what there was has been forgotten meanwhile, and this one with it.
        """

        async def work(connection: AsyncConnection) -> bool:
            now = await self._begin(connection, name)
            row = await _row(connection, name)
            if row is None or (row.read_at is not None and row.read_at > ticket):
                return False
            window = {"sealed": sealed, "read_at": ticket, "useless_at": now + timedelta(seconds=keep_seconds)}
            lease = {"reading_since": None, "lease_until": None} if row.reading_since == ticket else {}
            await connection.execute(update(WINDOWS).where(WINDOWS.c.name == name).values({**window, **lease}))
            return True

        return await self._database.write(work)

    async def give_up(self, name: str, ticket: datetime) -> None:
        """End the lease of a ticket, with nothing read."""
        here = (WINDOWS.c.name == name) & (WINDOWS.c.reading_since == ticket)

        async def work(connection: AsyncConnection) -> None:
            await self._begin(connection, name)
            await connection.execute(update(WINDOWS).where(here).values(reading_since=None, lease_until=None))

        await self._database.write(work)

    async def forget(self, source: str | None = None) -> int:
        """Drop all windows of a source; None: those of all sources that nobody takes any more. Gives how many."""

        async def work(connection: AsyncConnection) -> int:
            gone = WINDOWS.c.useless_at < await self._time(connection) if source is None else WINDOWS.c.source == source
            return (await connection.execute(delete(WINDOWS).where(gone))).rowcount

        return await self._database.write(work)

    async def _begin(self, connection: AsyncConnection, name: str) -> datetime:
        """Be alone with a window, and give the time."""
        backend = self._database.backend
        await backend.make_hasty(connection)
        await backend.lock(connection, f"windows/{name}")
        return await self._time(connection)

    async def _time(self, connection: AsyncConnection) -> datetime:
        return await self._database.backend.now(connection) or self._now()


async def _row(connection: AsyncConnection, name: str) -> Row[Any] | None:
    """Give all of a window but its content, of which it says whether there is one."""
    columns = [*(column for column in WINDOWS.c if column is not WINDOWS.c.sealed), WINDOWS.c.sealed.is_not(None).label("has_content")]
    return (await connection.execute(select(*columns).where(WINDOWS.c.name == name))).one_or_none()


def _is_busy(row: Row[Any], now: datetime, fresh_seconds: float) -> bool:
    if row.read_at is not None and not row.has_content:
        return False
    is_leased = row.lease_until is not None and now < row.lease_until
    return is_leased or (row.read_at is not None and now - row.read_at < timedelta(seconds=fresh_seconds))
