"""The clean-up that goes on beside the writes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from gateway.journal import Journal, keep_clean
from gateway.model import Intent, MutationOutcome, Settlement
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

INTENT = Intent(caller="c", key="k", mutation="createInvoice", source="src", input_hash="h", request_id="r")


class _Enough(Exception):
    pass


async def test_it_cleans_at_once_and_then_every_hour() -> None:
    clock = FakeClock()
    journal = Journal("sqlite://", now=clock.now)
    await journal.open()
    attempt, _ = await journal.receive(INTENT)
    sending = await journal.send(attempt, body="sent", subject=None, number=None, result=None)
    assert sending is not None
    await journal.settle(sending, Settlement(outcome=MutationOutcome.APPLIED, body="settled"))
    pauses: list[float] = []
    kept: list[int] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        kept.append(len(await journal.bodies([attempt.id])))
        clock.advance(86_400)
        if len(pauses) == 3:
            raise _Enough

    with pytest.raises(_Enough):
        await keep_clean(journal, keep_days=2, audit_days=10, pause=pause)
    assert (pauses, kept) == ([3600.0] * 3, [1, 1, 0])
    await journal.aclose()


async def test_a_journal_that_cannot_be_reached_is_cleaned_the_next_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(f"sqlite:///{path}", now=FakeClock().now)
    await journal.open()
    away = path.rename(tmp_path / "away.db")
    pauses = 0

    async def pause(_seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        away.rename(path) if pauses == 1 else None
        if pauses == 2:
            raise _Enough

    with caplog.at_level(logging.INFO, "gateway"), pytest.raises(_Enough):
        await keep_clean(journal, keep_days=30, audit_days=2600, pause=pause)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.records[0].getMessage() == "journal: not cleaned: the journal cannot be written: its file was removed or replaced"
    await journal.aclose()


async def test_it_ends_when_it_is_cancelled() -> None:
    journal = Journal("sqlite://", now=FakeClock().now)
    await journal.open()
    cleaning = asyncio.ensure_future(keep_clean(journal, keep_days=1, audit_days=1))
    await asyncio.sleep(0)
    cleaning.cancel()
    await asyncio.wait([cleaning])
    assert cleaning.cancelled()
    await journal.aclose()
