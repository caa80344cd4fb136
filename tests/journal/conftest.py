"""Journals over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.journal import Journal
from tests.fakes import FakeClock
from tests.journal.postgres import PostgresServer, running_postgres
from tests.journal.stage import Opener


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.empty()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def opener(state: str, clock: FakeClock) -> AsyncIterator[Opener]:
    """Opens journals over one database, as so many processes would."""
    opened = Opener(state, clock)
    yield opened
    await opened.aclose()


@pytest.fixture
async def journal(opener: Opener) -> Journal:
    return await opener.open()


@pytest.fixture
async def other(opener: Opener, journal: Journal) -> Journal:
    """A second process over the database of `journal`."""
    del journal
    return await opener.open()
