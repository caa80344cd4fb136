"""The journal in PostgreSQL: what it says when the server is in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import JournalUnavailable, SettingsError
from gateway.journal import Journal
from gateway.journal.database import Database
from gateway.model import AttemptState
from tests.fakes import FakeClock
from tests.journal.postgres import PostgresServer, running_postgres
from tests.journal.stage import Opener, an_intent, received

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
def state(postgres: PostgresServer) -> str:
    return postgres.empty()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with running_postgres() as server:
        yield server


async def refusal(journal: Journal) -> str:
    with pytest.raises(JournalUnavailable) as raised:
        await journal.receive(an_intent("refused"))
    return raised.value.message


async def opening(state: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        await Opener(state, FakeClock()).open()
    return raised.value.lines


async def test_a_server_that_is_gone_takes_nothing_down_until_it_is_back(own_server: PostgresServer) -> None:
    opener = Opener(own_server.address, FakeClock())
    journal = await opener.open()
    attempt = await received(journal)
    own_server.stop()

    assert await refusal(journal) == "the journal cannot be written: the database cannot be reached"
    with pytest.raises(JournalUnavailable, match=r"^the journal cannot be read: the database cannot be reached$"):
        await journal.find("billing", "key")

    own_server.start()
    sent = await journal.send(attempt, body="POST", subject=None, number=None, result=None)
    assert sent is not None
    assert sent.state is AttemptState.SENDING
    await opener.aclose()


async def test_a_server_that_nobody_answers_at_is_named_by_no_more_than_that() -> None:
    lines = ("server.state: the journal cannot be written: the database cannot be reached",)

    assert await opening("postgresql://user:secret@127.0.0.1:1/journal") == lines


async def test_a_database_that_is_not_there_is_said_without_its_name(state: str) -> None:
    elsewhere = state.replace("/postgres?", "/nowhere?")

    assert await opening(elsewhere) == ("server.state: the journal cannot be written: there is no such database",)


async def test_a_user_that_is_not_known_is_said_without_its_name_or_password(state: str) -> None:
    stranger = state.replace("//postgres:@", "//stranger:secret@")

    assert await opening(stranger) == (
        "server.state: the journal cannot be written: the database does not accept the user or the password",
    )


async def test_a_user_who_may_only_read_is_refused_at_the_start(state: str, postgres: PostgresServer) -> None:
    postgres.run("CREATE ROLE reader LOGIN")
    opener = Opener(state, FakeClock())
    await opener.open()
    await opener.aclose()
    postgres.run("GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    reader = state.replace("//postgres:@", "//reader@")

    assert await opening(reader) == ("server.state: the journal cannot be written: the user may not do this in the database",)


async def test_a_database_that_may_only_be_read_takes_nothing_down(opener: Opener, postgres: PostgresServer) -> None:
    attempt = await received(await opener.open())
    await opener.aclose()
    postgres.run("ALTER DATABASE postgres SET default_transaction_read_only = on")
    try:
        assert await opening(opener.state) == ("server.state: the journal cannot be written: the database may only be read",)
    finally:
        postgres.run("SET default_transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only")
    assert await (await opener.open()).find("billing", "key") == attempt


async def test_a_lock_of_somebody_else_is_not_waited_for_without_end(opener: Opener) -> None:
    journal = await opener.open(wait_seconds=0.05)
    somebody = Database.at(opener.state, wait_seconds=2)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def stand_still(connection: AsyncConnection) -> None:
        await connection.execute(text("LOCK TABLE attempts"))
        entered.set()
        await leave.wait()

    standing = asyncio.ensure_future(somebody.write(stand_still))
    await entered.wait()
    assert await refusal(journal) == "the journal cannot be written: the database is locked"
    leave.set()
    await standing
    await somebody.aclose()
    assert (await journal.receive(an_intent("refused")))[1]


async def test_what_is_about_to_be_sent_waits_for_the_disk_also_where_the_server_does_not(opener: Opener, postgres: PostgresServer) -> None:
    postgres.run("ALTER DATABASE postgres SET synchronous_commit = off")
    found: list[str] = []

    def ask(connection: Connection) -> None:
        found.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    try:
        journal = await opener.open()
        attempt = await received(journal)
        event.listen(Engine, "commit", ask)
        await journal.send(attempt, body="POST", subject=None, number=None, result=None)
        await journal.receive(an_intent("another"))
    finally:
        event.remove(Engine, "commit", ask)
        postgres.run("ALTER DATABASE postgres RESET synchronous_commit")
    assert found == ["on", "off"]


@pytest.mark.parametrize("subject", ["\x00", "\ud800"])
async def test_a_text_that_is_none_is_not_taken_down(opener: Opener, subject: str) -> None:
    journal = await opener.open()
    attempt = await received(journal)

    with pytest.raises(JournalUnavailable, match=r"^the journal cannot be written: a text of it cannot be stored$"):
        await journal.send(attempt, body="", subject=subject, number=None, result=None)

    assert await journal.find("billing", "key") == attempt
