"""Reading again: when, how often, and what is said."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.app import settings_from
from gateway.errors import JournalUnavailable, SettingsError
from gateway.server import Reloads
from gateway.server.reload import differences, with_what_is_fixed
from gateway.settings import Settings
from tests.server.conftest import SOURCE
from tests.server.sockets import until

pytestmark = pytest.mark.anyio

NOTHING = "gateway.toml: nothing was changed, the gateway goes on with what it has"
CALLER = {"name": "script", "key_sha256": "ab" * 32, "permissions": ["read"], "sources": ["*"]}


def settings(**tables: object) -> Settings:
    return settings_from({"server": {"state": "sqlite://"}, "sources": {"shop": SOURCE}, **tables})


class Taken:
    """Takes settings when it may, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.times = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._failure = failure

    async def __call__(self, _: Settings) -> list[str]:
        self.times += 1
        self.begun.set()
        await self.may_end.wait()
        if self._failure is not None:
            raise self._failure
        return ["taken"]


@asynccontextmanager
async def running(taken: Taken, read: Callable[[], Settings] = settings) -> AsyncIterator[tuple[Reloads, list[str]]]:
    said: list[str] = []
    reloads = Reloads("gateway.toml", read, taken, said.append)
    with reloads.heard():
        reloads.begin()
        yield reloads, said


def unreadable() -> Settings:
    raise SettingsError("gateway.toml: sources.shop.base_url: must be an address", "gateway.toml: limits.max: unknown key")


async def test_what_was_asked_before_it_began_is_done_then() -> None:
    said: list[str] = []
    reloads = Reloads("gateway.toml", settings, Taken(), said.append)
    reloads.ask()
    with reloads.heard():
        reloads.begin()
        await until(lambda: bool(said))

    assert said == ["gateway.toml: taken"]


async def test_all_who_ask_while_one_is_under_way_are_served_by_one_more() -> None:
    taken = Taken()
    taken.may_end.clear()
    async with running(taken) as (reloads, said):
        reloads.ask()
        await taken.begun.wait()
        for _ in range(5):
            reloads.ask()
        taken.may_end.set()
        await until(lambda: len(said) == 2)
        await asyncio.to_thread(settings)

    assert (taken.times, said) == (2, ["gateway.toml: taken"] * 2)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            SettingsError("server.documents: m.json: no manifest", "x"),
            ["gateway.toml: server.documents: m.json: no manifest", "gateway.toml: x"],
        ),
        (JournalUnavailable("the journal cannot be written: it is locked"), ["gateway.toml: the journal cannot be written: it is locked"]),
        (KeyError("s3cret"), ["gateway.toml: it cannot be taken again"]),
    ],
)
async def test_what_cannot_be_used_is_said_in_lines_and_the_next_is_taken(
    failure: Exception, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    taken = Taken(failure)
    async with running(taken) as (reloads, told):
        for times in (1, 2):
            reloads.ask()
            await until(lambda: len(told) == times * (len(said) + 1))  # noqa: B023  (waited for here)

    assert told == [*said, NOTHING] * 2
    assert "s3cret" not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


async def test_a_file_that_cannot_be_read_is_said_as_at_the_start_and_nothing_is_taken() -> None:
    taken = Taken()
    async with running(taken, unreadable) as (reloads, said):
        reloads.ask()
        await until(lambda: len(said) == 3)

    lines = ["gateway.toml: sources.shop.base_url: must be an address", "gateway.toml: limits.max: unknown key"]
    assert (said, taken.times) == ([*lines, NOTHING], 0)


async def test_a_bug_of_the_reader_is_no_end_of_reading() -> None:
    def broken() -> Settings:
        raise KeyError("s3cret")

    async with running(Taken(), broken) as (reloads, said):
        for times in (1, 2):
            reloads.ask()
            await until(lambda: len(said) == times * 2)  # noqa: B023  (waited for here)

    assert said == ["gateway.toml: it cannot be taken again", NOTHING] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")
async def test_a_hangup_asks_and_is_what_it_was_before_at_the_end() -> None:
    before = signal.getsignal(signal.SIGHUP)
    async with running(Taken()) as (_, said):
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: bool(said))

    assert said == ["gateway.toml: taken"]
    assert signal.getsignal(signal.SIGHUP) == before


async def test_where_there_is_no_hangup_it_can_be_asked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    async with running(Taken()) as (reloads, said):
        reloads.ask()
        await until(lambda: bool(said))

    assert said == ["gateway.toml: taken"]


async def test_in_a_thread_of_somebody_s_it_can_be_asked_all_the_same() -> None:
    said: list[str] = []

    async def in_a_loop_of_its_own() -> None:
        async with running(Taken()) as (reloads, told):
            reloads.ask()
            await until(lambda: bool(told))
        said.extend(told)

    await asyncio.to_thread(asyncio.run, in_a_loop_of_its_own())

    assert said == ["gateway.toml: taken"]


# ------------------------------------------------------------------ what stays, and what is said to have changed


def test_what_a_process_took_hold_of_stays_and_is_said_without_its_value() -> None:
    now = settings(
        server={"host": "::1", "port": 9, "state": "sqlite:///s3cret", "unready_seconds": 1, "drain_seconds": 2, "get_queries": True}
    )

    kept, lines = with_what_is_fixed(now, settings())

    assert kept.server == settings(server={"state": "sqlite://", "get_queries": True}).server
    fixed = ("host", "port", "state", "unready_seconds", "drain_seconds")
    assert lines == [f"server.{name}: stays as it is until the gateway is started again" for name in fixed]


def test_a_configuration_that_is_the_same_has_nothing_to_keep() -> None:
    assert with_what_is_fixed(settings(), settings()) == (settings(), [])


def test_the_sources_and_callers_that_are_others_are_named() -> None:
    before = settings(sources={"a": SOURCE, "b": SOURCE, "c": SOURCE, "off": {**SOURCE, "enabled": False}}, callers=[CALLER])
    changed = {"a": SOURCE, "b": {**SOURCE, "max_queue": 1}, "off": {**SOURCE, "enabled": True}, "d": SOURCE}
    now = settings(sources=changed, callers=[{**CALLER, "permissions": ["write"]}, {**CALLER, "name": "other", "key_sha256": "cd" * 32}])

    assert list(differences(before, before)) == ["read again, and in use from now on"]
    assert list(differences(before, now)) == [
        "read again, and in use from now on",
        "sources: added off, d; changed b; removed c",
        "callers: added other; changed script",
    ]
