"""A window in a store: what of it is sent, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.journal import Journal
from gateway.transport.seal import Seal
from gateway.transport.shared_window import Found, SharedWindow, SharedWindows, Turn
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

CLOCK = FakeClock()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path}/journal.db", now=CLOCK.now)
    await journal.open()
    yield journal
    await journal.aclose()


def window(journal: Journal, name: str = "window", source: str = "src", secret: bytes = b"secret") -> SharedWindow:
    return SharedWindows(journal.windows, source, secret, CLOCK).of(name)


async def turn(window: SharedWindow) -> Found | Turn:
    return await window.turn(fresh_seconds=60, after=None, patience_seconds=0)


async def test_what_was_taken_is_not_sent_again(journal: Journal) -> None:
    one, two = window(journal), window(journal)
    leave = await turn(one)
    assert isinstance(leave, Turn)
    await one.keep(leave, lambda: b"content", fresh_seconds=60)

    assert await turn(two) == Found(b"content", CLOCK.monotonic())
    assert await turn(two) == Found(None, CLOCK.monotonic())


async def test_what_one_has_stored_is_not_sent_to_it(journal: Journal) -> None:
    one = window(journal)
    leave = await turn(one)
    assert isinstance(leave, Turn)
    await one.keep(leave, lambda: b"content", fresh_seconds=60)

    assert await turn(one) == Found(None, CLOCK.monotonic())


@pytest.mark.parametrize(
    ("name", "source", "secret"), [("another", "src", b"secret"), ("window", "another", b"secret"), ("window", "src", b"another")]
)
async def test_another_window_is_another_one(journal: Journal, name: str, source: str, secret: bytes) -> None:
    one = window(journal)
    leave = await turn(one)
    assert isinstance(leave, Turn)
    await one.keep(leave, lambda: b"content", fresh_seconds=60)

    assert isinstance(await turn(window(journal, name, source, secret)), Turn)


async def test_what_somebody_else_has_put_there_is_not_taken(journal: Journal) -> None:
    name = Seal.of("window 1", "src/window", b"secret").name
    ticket = await journal.windows.begin(name, "src", fresh_seconds=60, lease_seconds=30)
    assert ticket is not None
    await journal.windows.keep(name, ticket, b"no nonce, no content, no tag", keep_seconds=60)

    assert await turn(window(journal)) == Turn(None)
