"""How the tables come to be and stay what the queries expect."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gateway.errors import SettingsError
from gateway.journal.database import Database, Work
from gateway.journal.migrations import VERSION_TABLE
from gateway.journal.tables import METADATA
from tests.journal.stage import Opener, an_intent, received

pytestmark = pytest.mark.anyio

T = TypeVar("T")


async def on(state: str, work: Work[T]) -> T:
    """Do something to a database behind the journal's back."""
    database = Database.at(state, wait_seconds=2)
    database.backend.make()
    try:
        return await database.write(work)
    finally:
        await database.aclose()


async def test_the_migrations_make_the_tables_that_the_queries_expect(opener: Opener) -> None:
    await opener.open()

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": False})
        return list(compare_metadata(context, METADATA))

    assert await on(opener.state, lambda connection: connection.run_sync(differences)) == []


async def test_a_journal_of_a_newer_version_is_refused_in_one_line_and_left_as_it_is(opener: Opener) -> None:
    attempt = await received(await opener.open())
    await opener.aclose()
    await on(opener.state, lambda connection: connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")))  # noqa: S608

    with pytest.raises(SettingsError) as raised:
        await opener.open()

    assert raised.value.lines == ("server.state: the journal was made by a newer version of the gateway",)
    await on(opener.state, lambda connection: connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")))  # noqa: S608
    assert await (await opener.open()).find("billing", "key") == attempt


async def test_several_processes_may_open_an_empty_database_at_once(opener: Opener) -> None:
    journals = await asyncio.gather(*(opener.open() for _ in range(5)))

    answers = await asyncio.gather(*(journal.receive(an_intent()) for journal in journals))
    assert sum(is_mine for _, is_mine in answers) == 1


async def test_opening_says_nothing_to_anybody(opener: Opener, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await opener.open()
        await opener.open()

    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
