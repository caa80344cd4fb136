"""Tokens that replicas have in common: one of them asks the token endpoint, the others take what it was given.

What is kept of a token is sealed by whoever keeps it: nobody signs in with what stands here. A replica that asks has `ASKING_SECONDS`
for it; one that dies meanwhile holds the others up for no longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.journal.database import Database
from gateway.journal.tables import TOKEN_ENDPOINTS, TOKENS

ASKING_SECONDS: Final = 5.0
MOST_REQUESTS: Final = 3
"""To one endpoint in any minute, of all replicas."""
_WINDOW: Final = timedelta(seconds=60)
_USELESS_AFTER: Final = timedelta(days=1)
_ASKED_AT: Final = ("last_at", "second_last_at", "third_last_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTurn:
    """What a replica that needs a token may do.

    `sealed` is one that it does not know yet and that is valid for `life_seconds`; None: there is none. Where `may_ask`, the replica is
    to ask the endpoint, and to say what came of it; nobody else does meanwhile. Else, without a token, it comes again after
    `wait_seconds`: then whoever `is_being_asked` may have been answered, or the endpoint may be asked again.
    """

    sealed: bytes | None = None
    revision: int = 0
    life_seconds: float = 0.0
    may_ask: bool = False
    is_being_asked: bool = False
    wait_seconds: float = 0.0


class TokenTable:
    """The tokens in a journal's database. Every method raises `JournalUnavailable`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def turn(self, name: str, endpoint: str, *, known: int, spare: int = 0) -> TokenTurn:
        """Say what to do for the token `name` of an endpoint.

        `known`: the revision of the one that the replica has and that does not do; 0: it has none. `spare`: how many requests of the
        minute to leave to those who cannot do without.
        """

        async def work(connection: AsyncConnection) -> TokenTurn:
            now = await self._begin(connection, endpoint)
            row = (await connection.execute(select(TOKENS).where(TOKENS.c.name == name))).one_or_none()
            usable = _usable(row, known, now)
            if usable.sealed is not None and row is not None and now < row.due_at:
                return usable
            if row is not None and row.asking_until is not None and now < row.asking_until:
                return _with(usable, is_being_asked=True, wait_seconds=(row.asking_until - now).total_seconds())
            open_at = await _open_at(connection, endpoint, spare)
            if open_at is not None and now < open_at:
                return _with(usable, wait_seconds=(open_at - now).total_seconds())
            await _count_request(connection, endpoint, now)
            asking = {"asking_until": now + timedelta(seconds=ASKING_SECONDS)}
            await _write(connection, name, is_new=row is None, values=asking)
            return _with(usable, may_ask=True)

        return await self._database.write(work)

    async def keep(self, name: str, endpoint: str, sealed: bytes, *, due_seconds: float, life_seconds: float) -> int:
        """Keep a token that was asked for, which is to be renewed and expires after so long; gives its revision."""

        async def work(connection: AsyncConnection) -> int:
            now = await self._begin(connection, endpoint)
            revision = (await connection.execute(select(TOKENS.c.revision).where(TOKENS.c.name == name))).scalar_one_or_none()
            token = {
                "sealed": sealed,
                "revision": (revision or 0) + 1,
                "due_at": now + timedelta(seconds=due_seconds),
                "expires_at": now + timedelta(seconds=life_seconds),
                "asking_until": None,
            }
            await _write(connection, name, is_new=revision is None, values=token)
            await connection.execute(delete(TOKENS).where(TOKENS.c.expires_at < now - _USELESS_AFTER))
            return (revision or 0) + 1

        return await self._database.write(work)

    async def give_up(self, name: str, endpoint: str, *, hold_seconds: float) -> None:
        """Note that asking led to nothing, and let nobody ask the endpoint for so long."""

        async def work(connection: AsyncConnection) -> None:
            now = await self._begin(connection, endpoint)
            await connection.execute(update(TOKENS).where(TOKENS.c.name == name).values(asking_until=None))
            if hold_seconds > 0:
                held = {"held_until": now + timedelta(seconds=hold_seconds)}
                await connection.execute(update(TOKEN_ENDPOINTS).where(TOKEN_ENDPOINTS.c.endpoint == endpoint).values(held))

        await self._database.write(work)

    async def _begin(self, connection: AsyncConnection, endpoint: str) -> datetime:
        """Be alone with an endpoint, and give the time."""
        backend = self._database.backend
        await backend.make_hasty(connection)
        await backend.lock(connection, f"tokens/{endpoint}")
        return await backend.now(connection) or self._now()


def _usable(row: Row[Any] | None, known: int, now: datetime) -> TokenTurn:
    if row is None or row.sealed is None or row.revision == known or row.expires_at <= now:
        return TokenTurn()
    return TokenTurn(sealed=row.sealed, revision=row.revision, life_seconds=(row.expires_at - now).total_seconds())


def _with(usable: TokenTurn, *, may_ask: bool = False, is_being_asked: bool = False, wait_seconds: float = 0.0) -> TokenTurn:
    return replace(usable, may_ask=may_ask, is_being_asked=is_being_asked, wait_seconds=wait_seconds)


async def _open_at(connection: AsyncConnection, endpoint: str, spare: int) -> datetime | None:
    """Give when an endpoint may be asked so that `spare` requests are left; None: at any time."""
    row = (await connection.execute(select(TOKEN_ENDPOINTS).where(TOKEN_ENDPOINTS.c.endpoint == endpoint))).mappings().one_or_none()
    if row is None:
        return None
    oldest = row[_ASKED_AT[MOST_REQUESTS - spare - 1]]
    moments = [moment for moment in (row["held_until"], None if oldest is None else oldest + _WINDOW) if moment is not None]
    return max(moments, default=None)


async def _count_request(connection: AsyncConnection, endpoint: str, now: datetime) -> None:
    here = TOKEN_ENDPOINTS.c.endpoint == endpoint
    moved = {"last_at": now, "second_last_at": TOKEN_ENDPOINTS.c.last_at, "third_last_at": TOKEN_ENDPOINTS.c.second_last_at}
    if (await connection.execute(update(TOKEN_ENDPOINTS).where(here).values(moved))).rowcount == 0:
        await connection.execute(insert(TOKEN_ENDPOINTS).values(endpoint=endpoint, last_at=now))


async def _write(connection: AsyncConnection, name: str, *, is_new: bool, values: dict[str, Any]) -> None:
    if is_new:
        await connection.execute(insert(TOKENS).values({"name": name, "revision": 0, **values}))
    else:
        await connection.execute(update(TOKENS).where(TOKENS.c.name == name).values(values))
