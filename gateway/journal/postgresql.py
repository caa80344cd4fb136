"""PostgreSQL: one journal for all replicas."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import SettingsError
from gateway.journal.backend import POOL_TIMEOUT_SECONDS, cause_of, common_reason

_PARAMETERS: Final = frozenset({"host", "port", "sslmode"})
_CONNECT_SECONDS: Final = 3.0
_STATEMENT_SECONDS: Final = 3.0
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_DURABLE: Final = text("SET LOCAL synchronous_commit = on")
_HASTY: Final = text("SET LOCAL synchronous_commit = off")
_NOW: Final = text("SELECT clock_timestamp()")

# https://www.postgresql.org/docs/current/errcodes-appendix.html; what the server says itself may name hosts and users.
_REASONS: Final = MappingProxyType(
    {
        "25006": "the database may only be read",
        "3D000": "there is no such database",
        "3F000": "the user may not do this in the database",
        "42501": "the user may not do this in the database",
        "53100": "the database's disk is full",
        "53300": "the database has too many connections",
        "55P03": "the database is locked",
        "57014": "the database did not answer in time",
    }
)
_REASONS_OF_CLASS: Final = MappingProxyType(
    {
        "08": "the database cannot be reached",
        "22": "a text of it cannot be stored",
        "28": "the database does not accept the user or the password",
        "40": "the database is busy",
        "53": "the database is short of means",
        "57": "the database is starting or stopping",
    }
)


class PostgresBackend:
    """A database of PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    def at(cls, url: URL, *, wait_seconds: float) -> PostgresBackend:
        """Make ready to connect; connects to nobody yet. Raises `SettingsError` for parameters that are not known."""
        for name in url.query:
            if name not in _PARAMETERS:
                raise SettingsError(f"server.state: the parameter {name} is not known; there are {', '.join(sorted(_PARAMETERS))}")
        return cls(_engine(url, wait_seconds))

    def make(self) -> None:
        """Do nothing: the database is made by its operator."""

    def loss(self) -> str | None:
        """Give None: what has become of a server shows when it is asked."""

    def reason(self, error: Exception) -> str:
        """Say it in fixed words."""
        cause = cause_of(error)
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            return _REASONS.get(state) or _REASONS_OF_CLASS.get(state[:2]) or f"the database failed with {state}"
        if isinstance(cause, TimeoutError):
            return "the database did not answer in time"
        return common_reason(error) or "the database cannot be reached"

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Let no other transaction that asks for `name` pass here before this one ends."""
        await connection.execute(_LOCK, {"name": f"invoice-gateway/{name}"})

    async def make_durable(self, connection: AsyncConnection) -> None:
        """Wait for the server's disk at this commit, also where the server does not do so by itself."""
        await connection.execute(_DURABLE)

    async def make_hasty(self, connection: AsyncConnection) -> None:
        """Let the server write to its disk a little later."""
        await connection.execute(_HASTY)

    async def now(self, connection: AsyncConnection) -> datetime | None:
        """Give the server's time: the clocks of the replicas may differ."""
        found: datetime = (await connection.execute(_NOW)).scalar_one()
        return found


def _engine(url: URL, wait_seconds: float) -> AsyncEngine:
    connect_args: dict[str, object] = {
        "timeout": _CONNECT_SECONDS,
        "command_timeout": wait_seconds + _STATEMENT_SECONDS,
        "server_settings": {
            "application_name": "invoice-gateway",
            "lock_timeout": f"{int(wait_seconds * 1000)}ms",
            # A gateway that stands still in a transaction must not keep the others waiting.
            "idle_in_transaction_session_timeout": "10s",
        },
    }
    if "sslmode" in url.query:
        connect_args["ssl"] = url.query["sslmode"]
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg").difference_update_query(["sslmode"]),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args=connect_args,
        hide_parameters=True,
    )
