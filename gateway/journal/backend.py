"""What the journal needs of a database that SQL does not say the same way everywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

POOL_TIMEOUT_SECONDS: Final = 5.0
"""How long a transaction waits for its turn on a connection."""


class Backend(Protocol):
    """A kind of database."""

    @property
    def engine(self) -> AsyncEngine:
        """Its connections. The execution option `writes` says that a transaction is going to write."""

    def make(self) -> None:
        """Make what must be there before the first connection. Raises `SettingsError`."""

    def loss(self) -> str | None:
        """Say why what is open here is no longer the journal; None: as far as can be seen it is."""

    def reason(self, error: Exception) -> str:
        """Say in one line why the database failed, without address, user or password."""

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Let no other transaction that asks for `name` pass here before this one ends."""

    async def make_durable(self, connection: AsyncConnection) -> None:
        """See to it that the transaction survives a crash of the database's machine once it is committed."""

    async def make_hasty(self, connection: AsyncConnection) -> None:
        """Do not wait for the disk when the transaction is committed: what it writes may be lost with the database's machine."""

    async def now(self, connection: AsyncConnection) -> datetime | None:
        """Give the time by the clock that all have in common; None: everybody's own is that."""


def cause_of(error: Exception) -> BaseException:
    """Give what the driver raised, below what SQLAlchemy made of it."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def common_reason(error: Exception) -> str | None:
    """Say why a transaction failed where that has nothing to do with the kind of database; None: it has."""
    if isinstance(error, PoolTimeout):
        return "too many wait for the database"
    if isinstance(error, UnicodeError):
        return "a text of it cannot be stored"
    return None
