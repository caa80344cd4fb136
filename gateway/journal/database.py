"""Transactions: each runs to its end whoever waits for it, and fails in one way only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import JournalUnavailable, SettingsError
from gateway.journal.backend import Backend
from gateway.journal.postgresql import PostgresBackend
from gateway.journal.sqlite import SqliteBackend

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_NO_ADDRESS: Final = "server.state: this is no address of a database; write sqlite:///gateway.db or postgresql://user@host/database"


class Database:
    """A database that is open. Everything that goes wrong with it is a `JournalUnavailable`."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._reading = backend.engine
        self._writing = backend.engine.execution_options(writes=True)
        self._running: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    @classmethod
    def at(cls, state: str, *, wait_seconds: float) -> Database:
        """Make ready what `state` is the address of. Raises `SettingsError`, which never names a password."""
        try:
            url = make_url(state)
        except (ArgumentError, ValueError):
            raise SettingsError(_NO_ADDRESS) from None
        match url.drivername:
            case "sqlite":
                return cls(SqliteBackend.at(url, wait_seconds=wait_seconds))
            case "postgresql":
                return cls(PostgresBackend.at(url, wait_seconds=wait_seconds))
            case _:
                raise SettingsError(_NO_ADDRESS)

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a transaction that writes nothing. Raises `JournalUnavailable`."""
        return await self._shielded(self._reading, work, "read")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction, and commit it. Raises `JournalUnavailable`: then it is not known to be written."""
        return await self._shielded(self._writing, work, "written")

    async def aclose(self) -> None:
        """Wait for the transactions that run, and close all connections."""
        self._is_closed = True
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
        with suppress(SQLAlchemyError, OSError):
            await self.backend.engine.dispose()

    async def _shielded(self, engine: AsyncEngine, work: Work[T], done: str) -> T:
        # A transaction broken off in the middle would take its connection along, and with it a database in memory.
        task = asyncio.ensure_future(self._run(engine, work, done))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _run(self, engine: AsyncEngine, work: Work[T], done: str) -> T:
        if self._is_closed:
            raise JournalUnavailable(f"the journal cannot be {done}: it is closed")
        self._check(done)
        try:
            async with engine.begin() as connection:
                result = await work(connection)
        except (SQLAlchemyError, OSError, UnicodeError, self._driver_error) as error:
            raise JournalUnavailable(f"the journal cannot be {done}: {self.backend.reason(error)}") from None
        self._check(done)
        return result

    @property
    def _driver_error(self) -> type[Exception]:
        """What the driver raises by itself where no statement is under way, when it connects say."""
        dbapi: Any = self.backend.engine.dialect.dbapi
        error: type[Exception] = dbapi.Error
        return error

    def _check(self, done: str) -> None:
        loss = self.backend.loss()
        if loss is not None:
            raise JournalUnavailable(f"the journal cannot be {done}: {loss}")
