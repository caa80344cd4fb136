"""SQLite: one file, or nothing but memory. Connections write ahead and wait for the disk at every commit."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gateway.errors import SettingsError
from gateway.journal.backend import POOL_TIMEOUT_SECONDS, cause_of, common_reason

_MEMORY: Final = ":memory:"
_TRIES: Final = 5
_PAUSE_SECONDS: Final = 0.05


class SqliteBackend:
    """A database of SQLite. `path` None: in memory, gone when it is closed."""

    def __init__(self, path: Path | None, *, wait_seconds: float) -> None:
        self._path = path
        self._made_as: tuple[int, int] | None = None
        self.engine = _engine(path, wait_seconds)

    @classmethod
    def at(cls, url: URL, *, wait_seconds: float) -> SqliteBackend:
        """Read an address; nothing is touched yet. Raises `SettingsError`."""
        if url.host is not None or url.query:
            raise SettingsError(
                "server.state: a file of SQLite is written sqlite:///gateway.db: three slashes, and nothing behind the path"
            )
        path = None if url.database in {None, "", _MEMORY} else Path(str(url.database)).absolute()
        return cls(path, wait_seconds=wait_seconds)

    def make(self) -> None:
        """Make sure that there is a file which can be written; once made, that it is the same one. Raises `SettingsError`."""
        if self._path is None:
            return
        loss = None if self._made_as is None else self.loss()
        if loss is not None:
            raise SettingsError(f"server.state: {self._path}: {loss}")
        try:
            _make(self._path)
        except OSError as error:
            raise SettingsError(f"server.state: {self._path}: {error.strerror}") from None
        self._made_as = _identity(self._path)

    def loss(self) -> str | None:
        """Say that the file is gone, or another one stands in its place: what is written here nobody would find again."""
        if self._path is None or _identity(self._path) == self._made_as:
            return None
        return "its file was removed or replaced"

    def reason(self, error: Exception) -> str:
        """Give what SQLite says."""
        return common_reason(error) or str(cause_of(error)).partition("\n")[0]

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Do nothing: a transaction that writes is alone from its first statement on."""

    async def make_durable(self, connection: AsyncConnection) -> None:
        """Do nothing: every commit waits for the disk."""

    async def make_hasty(self, connection: AsyncConnection) -> None:
        """Do nothing, for the same reason."""

    async def now(self, connection: AsyncConnection) -> datetime | None:
        """Give None: who has the file has the machine's clock."""


def _make(path: Path) -> None:
    # An existing file is only asked about: closing a descriptor would take away the locks that this process has on it.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise IsADirectoryError(0, "this is a directory") from None
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(0, "may not be read or written") from None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _engine(path: Path | None, wait_seconds: float) -> AsyncEngine:
    # At DEBUG the driver logs the parameters of every statement: all that the journal keeps.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    # One connection: SQLite lets in one writer at a time anyway, here they come in turn. In memory it is the database.
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=_MEMORY if path is None else str(path)),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        # The driver begins nothing by itself: it would do so too late, and without taking the lock.
        connect_args={"isolation_level": None, "timeout": wait_seconds},
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401  (SQLAlchemy's cover of the driver's)
    connection.run_async(_write_ahead)
    with closing(connection.cursor()) as cursor:
        for setting in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            cursor.execute(f"PRAGMA {setting}")


async def _write_ahead(connection: Any) -> None:  # noqa: ANN401  (of the driver)
    """Make the file one that is written ahead. Two who do so at once do not wait for each other: one of them has to try again."""
    for _ in range(_TRIES):
        with suppress(sqlite3.OperationalError):
            await connection.execute("PRAGMA journal_mode = WAL")
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    await connection.execute("PRAGMA journal_mode = WAL")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail where another one wrote in between; this one waits at its start.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
