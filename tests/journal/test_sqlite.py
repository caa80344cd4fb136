"""The journal in a file of SQLite: what it outlives, and what it says when the file, the disk or another process is in its way."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

from gateway.errors import JournalUnavailable, SettingsError
from gateway.journal import Journal
from gateway.model import AttemptState, MutationOutcome, Settlement
from tests.fakes import FakeClock
from tests.journal.stage import Opener, an_intent, received

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def state(path: Path) -> str:
    return f"sqlite:///{path}"


@contextmanager
def every_connection(run: Callable[[Any], None], *, when: str = "connect") -> Iterator[None]:
    """Run something on every connection that SQLAlchemy makes, as a full disk would: below everything that is ours."""

    def listener(connection: Any, *_: object) -> None:  # noqa: ANN401  (of the driver)
        with closing(connection.cursor()) as cursor:
            run(cursor)

    event.listen(Pool, when, listener)
    try:
        yield
    finally:
        event.remove(Pool, when, listener)


async def refusal(journal: Journal) -> str:
    """Give what a journal says that takes nothing down."""
    with pytest.raises(JournalUnavailable) as raised:
        await journal.receive(an_intent("refused"))
    return raised.value.message


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program that has the names of a journal at hand; `argv[1:]` are its arguments."""
    head = """
        import asyncio, os, resource, signal, sys
        from pathlib import Path
        from gateway.errors import JournalUnavailable, SettingsError
        from gateway.journal import Journal
        from tests.fakes import FakeClock
        from tests.journal.stage import an_intent
    """
    code = textwrap.dedent(head) + textwrap.dedent(script)
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def output_of(script: str, *arguments: str) -> list[str]:
    with run(script, *arguments) as program:
        out, _ = program.communicate(timeout=60)
    return out.splitlines()


# ------------------------------------------------------------------ opening


async def test_only_its_owner_may_read_the_file(journal: Journal, path: Path) -> None:
    await journal.receive(an_intent())

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}


async def test_a_file_that_is_there_keeps_who_may_read_it(opener: Opener, path: Path) -> None:
    path.touch()
    path.chmod(0o640)

    await opener.open()

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_nothing_is_touched_before_it_is_opened(state: str, path: Path) -> None:
    Journal(state, now=FakeClock().now)

    assert not path.exists()


async def test_a_relative_path_stays_the_same_file_wherever_the_process_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opener = Opener("sqlite:///here.db", FakeClock())
    journal = await opener.open()
    monkeypatch.chdir("/")

    assert (await journal.receive(an_intent()))[1]
    assert (tmp_path / "here.db").exists()
    await opener.aclose()


async def test_it_is_opened_again_with_what_it_holds(opener: Opener) -> None:
    attempt = await received(await opener.open())
    await opener.aclose()

    assert await (await opener.open()).find("billing", "key") == attempt


async def test_many_processes_may_open_a_new_file_at_once(opener: Opener) -> None:
    journals = await asyncio.gather(*(opener.open() for _ in range(6)))

    answers = [await journal.receive(an_intent()) for journal in journals]
    assert [is_mine for _, is_mine in answers] == [True] + [False] * 5


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", "this is no address of a database; write sqlite:///gateway.db or postgresql://user@host/database"),
        ("gateway.db", "this is no address of a database; write sqlite:///gateway.db or postgresql://user@host/database"),
        ("mysql://u:secret@h/d", "this is no address of a database; write sqlite:///gateway.db or postgresql://user@host/database"),
        (
            "postgresql://u:secret@h:port/d",
            "this is no address of a database; write sqlite:///gateway.db or postgresql://user@host/database",
        ),
        ("sqlite://gateway.db", "a file of SQLite is written sqlite:///gateway.db: three slashes, and nothing behind the path"),
        ("sqlite:///gateway.db?mode=ro", "a file of SQLite is written sqlite:///gateway.db: three slashes, and nothing behind the path"),
        ("postgresql://u:secret@h/d?password=secret", "the parameter password is not known; there are host, port, sslmode"),
    ],
)
def test_an_address_that_is_none_is_refused_in_one_line_without_its_password(address: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Journal(address, now=FakeClock().now)

    assert raised.value.lines == (f"server.state: {expected}",)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "journal.db"

    with pytest.raises(SettingsError) as raised:
        await Opener(f"sqlite:///{path}", FakeClock()).open()

    assert raised.value.lines == (f"server.state: {path}: No such file or directory",)


async def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        await Opener(f"sqlite:///{tmp_path}", FakeClock()).open()

    assert raised.value.lines == (f"server.state: {tmp_path}: this is a directory",)


async def test_another_kind_of_file_is_left_as_it_is(path: Path, opener: Opener) -> None:
    path.write_text("no database at all\n" * 100)

    with pytest.raises(SettingsError) as raised:
        await opener.open()

    assert raised.value.lines == ("server.state: the journal cannot be written: file is not a database",)
    assert path.read_text() == "no database at all\n" * 100


def test_a_file_that_may_not_be_written_is_refused_at_the_start(path: Path) -> None:
    # A program of its own, since it has to stop being root, for whom every file may be written.
    folder = Path("/tmp") / f"journal-{os.getpid()}"  # noqa: S108  (pytest's own folders are closed to other users)
    folder.mkdir(mode=0o755)
    try:
        path = folder / "journal.db"
        path.touch(mode=0o444)
        out = output_of(
            """
            async def main():
                await Journal("sqlite://", now=FakeClock().now).open()  # loads what the other user may not read
                if os.geteuid() == 0:
                    os.setuid(65534)
                else:
                    os.chmod(sys.argv[1], 0o555)
                for name in ("journal.db", "new.db"):
                    try:
                        await Journal(f"sqlite:///{sys.argv[1]}/{name}", now=FakeClock().now).open()
                    except SettingsError as error:
                        print(error)
            asyncio.run(main())
            """,
            str(folder),
        )
        assert out == [f"server.state: {path}: may not be read or written", f"server.state: {folder / 'new.db'}: Permission denied"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


# ------------------------------------------------------------------ what goes wrong later


async def test_every_commit_waits_for_the_disk_and_the_file_is_written_ahead(opener: Opener) -> None:
    found: dict[str, object] = {}

    def ask(cursor: Any) -> None:  # noqa: ANN401  (of the driver)
        for setting in ("journal_mode", "synchronous", "foreign_keys"):
            cursor.execute(f"PRAGMA {setting}")
            found[setting] = cursor.fetchone()

    with every_connection(ask, when="checkout"):
        await opener.open()

    assert found == {"journal_mode": ("wal",), "synchronous": (2,), "foreign_keys": (1,)}  # 2: FULL


async def test_where_the_disk_is_full_nothing_is_taken_down_and_it_says_so(opener: Opener) -> None:
    journal = await opener.open()
    attempt = await received(journal)
    await opener.aclose()

    # The limit of pages makes SQLite fail the way a disk does that has no room for another page.
    with every_connection(lambda cursor: cursor.execute("PRAGMA max_page_count = 1")):
        full = await opener.open()
        with pytest.raises(JournalUnavailable) as raised:
            await full.send(attempt, body="x" * 100_000, subject=None, number=None, result=None)
        assert raised.value.message == "the journal cannot be written: database or disk is full"
        assert await full.find("billing", "key") == attempt


def test_where_the_disk_takes_no_more_nothing_is_sent_until_it_does_again(path: Path) -> None:
    # A program of its own, since the limit is the process's: no file may grow beyond what it is now.
    out = output_of(
        """
        def limit(size):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        async def main():
            journal = Journal(f"sqlite:///{sys.argv[1]}", now=FakeClock().now)
            await journal.open()
            attempt, _ = await journal.receive(an_intent())
            send = lambda: journal.send(attempt, body="x" * 100_000, subject=None, number=None, result=None)
            limit(os.stat(sys.argv[1] + "-wal").st_size)
            try:
                await send()
            except JournalUnavailable as error:
                print(error)
            limit(resource.RLIM_INFINITY)
            print((await journal.find("billing", "key")).state)
            print((await send()).state)
            await journal.aclose()
        asyncio.run(main())
        """,
        str(path),
    )

    assert out == ["the journal cannot be written: disk I/O error", "RECEIVED", "SENDING"]


async def test_while_another_has_the_file_locked_it_can_be_read_and_not_written(opener: Opener, path: Path) -> None:
    journal = await opener.open(wait_seconds=0.05)
    attempt = await received(journal)

    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN EXCLUSIVE")
        assert await refusal(journal) == "the journal cannot be written: database is locked"
        assert await journal.find("billing", "key") == attempt
        another.execute("ROLLBACK")

    assert await journal.find("billing", "refused") is None
    assert (await journal.receive(an_intent("refused")))[1]


async def test_a_short_lock_is_waited_for(opener: Opener, path: Path) -> None:
    journal = await opener.open(wait_seconds=30)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as another:
        another.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(journal.receive(an_intent()))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not writing.done()
        another.execute("ROLLBACK")
        assert (await writing)[1]


async def test_a_file_that_was_claimed_is_not_made_anew(tmp_path: Path) -> None:
    """As a worker does that takes the place of another: the others know what was written under which key, and it would not."""
    path = tmp_path / "claimed.db"
    journal = Journal(f"sqlite:///{path}", now=FakeClock().now)
    journal.claim()
    path.unlink()
    with pytest.raises(SettingsError, match=r"claimed\.db: its file was removed or replaced"):
        await journal.open()
    assert not path.exists()


@pytest.mark.parametrize("how", ["removed", "replaced", "moved away"])
async def test_a_file_that_is_no_longer_there_takes_nothing_down(journal: Journal, path: Path, how: str) -> None:
    await received(journal)
    if how == "removed":
        path.unlink()
    elif how == "moved away":
        path.rename(path.with_suffix(".old"))
    else:
        shutil.copy(path, path.with_suffix(".copy"))
        path.with_suffix(".copy").replace(path)

    assert await refusal(journal) == "the journal cannot be written: its file was removed or replaced"
    with pytest.raises(JournalUnavailable, match=r"^the journal cannot be read: its file was removed or replaced$"):
        await journal.find("billing", "key")


async def test_a_file_that_goes_while_something_is_taken_down_is_noticed_before_anything_is_sent(journal: Journal, path: Path) -> None:
    attempt = await received(journal)

    def remove(_connection: Connection) -> None:
        path.unlink()

    event.listen(Engine, "commit", remove)
    try:
        with pytest.raises(JournalUnavailable, match=r"^the journal cannot be written: its file was removed or replaced$"):
            await journal.send(attempt, body="POST", subject=None, number=None, result=None)
    finally:
        event.remove(Engine, "commit", remove)


async def test_what_was_cleaned_is_nowhere_in_the_file(opener: Opener, path: Path) -> None:
    journal = await opener.open()
    attempt = await received(journal)
    await journal.settle(attempt, Settlement(outcome=MutationOutcome.REJECTED, body="Anna Andersson"))
    await journal.clean(keep_days=0, audit_days=2600)
    await opener.aclose()

    assert {file.name: b"Anna" in file.read_bytes() for file in path.parent.iterdir()} == {"journal.db": False}


async def test_a_file_that_may_only_be_read_takes_nothing_down(opener: Opener) -> None:
    attempt = await received(await opener.open())
    await opener.aclose()

    journal = await opener.open()
    with every_connection(lambda cursor: cursor.execute("PRAGMA query_only = ON"), when="checkout"):
        assert await refusal(journal) == "the journal cannot be written: attempt to write a readonly database"
        assert await journal.find("billing", "key") == attempt


async def test_a_journal_that_is_closed_says_so(journal: Journal) -> None:
    await journal.aclose()
    await journal.aclose()

    assert await refusal(journal) == "the journal cannot be written: it is closed"


async def test_a_text_that_is_none_is_not_taken_down(journal: Journal) -> None:
    attempt = await received(journal)

    with pytest.raises(JournalUnavailable, match=r"^the journal cannot be written: a text of it cannot be stored$"):
        await journal.send(attempt, body="", subject="\ud800", number=None, result=None)

    assert await journal.find("billing", "key") == attempt


async def test_what_was_taken_down_before_sending_outlives_a_killed_process(opener: Opener, path: Path) -> None:
    script = """
        async def main():
            journal = Journal(f"sqlite:///{sys.argv[1]}", now=FakeClock().now)
            await journal.open()
            attempt, _ = await journal.receive(an_intent())
            await journal.hold(attempt, ["order/1"])
            await journal.send(attempt, body="POST", subject=None, number=None, result=None)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    with run(script, str(path)) as program:
        program.communicate(timeout=60)
    assert program.returncode == -signal.SIGKILL

    journal = await opener.open()
    found = await journal.find("billing", "key")
    assert found is not None
    assert found.state is AttemptState.SENDING
    assert (await journal.bodies([found.id]))[found.id].sent == "POST"
    assert await journal.hold(await received(journal, "another"), ["order/1"]) == found


# ------------------------------------------------------------------ in memory


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
async def test_a_journal_in_memory_is_its_own_and_outlives_callers_that_leave(address: str) -> None:
    opener = Opener(address, FakeClock())
    journal, another = await opener.open(), await opener.open()
    first = await received(journal)
    for number in range(10):
        leaving = asyncio.ensure_future(journal.receive(an_intent(f"key {number}")))
        for _ in range(number * 3):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])

    assert await journal.find("billing", "key") == first
    assert await another.find("billing", "key") is None
    await opener.aclose()


async def test_many_tasks_share_a_journal_in_memory_without_sharing_a_transaction() -> None:
    opener = Opener("sqlite://", FakeClock())
    journal = await opener.open()

    answers = await asyncio.gather(*(journal.receive(an_intent(f"key {number % 5}")) for number in range(50)))

    assert sum(is_mine for _, is_mine in answers) == 5
    await opener.aclose()
