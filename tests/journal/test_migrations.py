"""How the tables come to be and stay what the queries expect."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import SettingsError
from gateway.journal import migrations
from gateway.journal.database import Database, Work
from gateway.journal.tables import METADATA
from gateway.journal.versions import ADDITIONS_TABLE, LAST_STEPS, VERSION_TABLE, is_up_to_date
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
        def is_of_ours(_object: object, name: str | None, kind: str, *_more: object) -> bool:
            return (kind, name) != ("table", ADDITIONS_TABLE)

        opts = {"version_table": VERSION_TABLE, "compare_type": False, "include_object": is_of_ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=opts), METADATA))

    assert await on(opener.state, lambda connection: connection.run_sync(differences)) == []


def test_the_last_steps_are_the_last_there_are() -> None:
    folder = Path(migrations.__file__).parent
    heads = [ScriptDirectory(str(folder), version_locations=[str(folder / name)]).get_current_head() for name in ("versions", "additions")]
    assert heads == [LAST_STEPS[VERSION_TABLE], LAST_STEPS[ADDITIONS_TABLE]]


async def test_only_a_journal_that_has_taken_all_steps_is_up_to_date(opener: Opener) -> None:
    await opener.open()
    database = Database.at(opener.state, wait_seconds=2)
    database.backend.make()
    try:
        assert await is_up_to_date(database)
        await on(opener.state, lambda connection: connection.execute(text(f"DELETE FROM {ADDITIONS_TABLE}")))  # noqa: S608
        assert not await is_up_to_date(database)
        await on(opener.state, lambda connection: connection.execute(text(f"DROP TABLE {ADDITIONS_TABLE}")))
        assert not await is_up_to_date(database)
    finally:
        await database.aclose()


def test_a_start_over_a_journal_that_is_up_to_date_does_without_alembic(tmp_path: Path) -> None:
    opening = f"""
import asyncio, sys
from gateway.journal import Journal
from gateway.transport import SystemClock

async def once():
    journal = Journal("sqlite:///{tmp_path}/journal.db", now=SystemClock().now)
    await journal.open()
    await journal.aclose()

asyncio.run(once())
print("alembic" in sys.modules)
"""
    said = [subprocess.run([sys.executable, "-c", opening], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert said == ["True\n", "False\n"]


async def test_a_journal_of_a_newer_version_is_refused_in_one_line_and_left_as_it_is(opener: Opener) -> None:
    attempt = await received(await opener.open())
    await opener.aclose()
    await on(opener.state, lambda connection: connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")))  # noqa: S608

    with pytest.raises(SettingsError) as raised:
        await opener.open()

    assert raised.value.lines == ("server.state: the journal was made by a newer version of the gateway",)
    await on(opener.state, lambda connection: connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")))  # noqa: S608
    assert await (await opener.open()).find("billing", "key") == attempt


async def test_a_version_that_knows_no_additions_may_be_started_beside_one_that_does(opener: Opener) -> None:
    """It looks at the version of the journal alone, which additions leave as it is."""
    await opener.open()
    seen = await on(opener.state, lambda connection: connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608

    assert seen.scalars().all() == ["0001"]


async def test_additions_of_a_newer_version_are_left_as_they_are(opener: Opener) -> None:
    await opener.open()
    await on(opener.state, lambda connection: connection.execute(text(f"UPDATE {ADDITIONS_TABLE} SET version_num = 'a9999'")))  # noqa: S608

    attempt = await received(await opener.open())

    assert await (await opener.open()).find("billing", "key") == attempt
    seen = await on(opener.state, lambda connection: connection.execute(text(f"SELECT version_num FROM {ADDITIONS_TABLE}")))  # noqa: S608
    assert seen.scalars().all() == ["a9999"]


async def test_a_journal_from_before_the_additions_gets_them(opener: Opener) -> None:
    attempt = await received(await opener.open())
    await opener.aclose()
    for table in (ADDITIONS_TABLE, "tokens", "token_endpoints", "takings", "windows"):
        await on(opener.state, partial(AsyncConnection.execute, statement=text(f"DROP TABLE {table}")))

    journal = await opener.open()

    assert await journal.find("billing", "key") == attempt
    assert (await journal.tokens.turn("token", "here", known=0)).may_ask is True


async def test_several_processes_may_open_an_empty_database_at_once(opener: Opener) -> None:
    journals = await asyncio.gather(*(opener.open() for _ in range(5)))

    answers = await asyncio.gather(*(journal.receive(an_intent()) for journal in journals))
    assert sum(is_mine for _, is_mine in answers) == 1


async def test_opening_says_nothing_to_anybody(opener: Opener, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await opener.open()
        await opener.open()

    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
