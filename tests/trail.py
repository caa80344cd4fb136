"""Attempts as a journal keeps them, taken down without any source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.journal import Journal
from gateway.model import Attempt, Intent, MutationOutcome, Ref, Settlement, UserError
from gateway.mutations.stored import dump
from gateway.sources.base import Settled
from tests.fakes import FakeClock

MINUTE = 60
FIRST = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What became of a key; `outcome` None: in flight. `was_sent` False: the gateway itself refused it."""

    key: str
    caller: str = "billing"
    mutation: str = "createInvoiceFromOrder"
    source: str = "shop"
    outcome: MutationOutcome | None = MutationOutcome.APPLIED
    was_sent: bool = True
    status: int | None = 200
    subject: str | None = None
    result: Ref | None = None
    errors: tuple[UserError, ...] = ()


async def take_down(state: str, *stories: Story, first: datetime = FIRST) -> None:
    """Write stories into a journal, one received every minute from `first` on."""
    clock = FakeClock(first)
    journal = Journal(state, now=clock.now)
    await journal.open()
    try:
        for story in stories:
            await _take_down(journal, story)
            clock.advance(MINUTE)
    finally:
        await journal.aclose()


async def _take_down(journal: Journal, story: Story) -> None:
    intent = Intent(
        caller=story.caller,
        key=story.key,
        mutation=story.mutation,
        source=story.source,
        input_hash="hash",
        request_id=f"request-{story.key}",
    )
    received, is_mine = await journal.receive(intent)
    assert is_mine
    attempt: Attempt | None = received
    if story.was_sent:
        attempt = await journal.send(received, body="{}", subject=story.subject, number=None, result=story.result)
    assert attempt is not None
    if story.outcome is not None:
        body = dump(Settled(outcome=story.outcome, errors=story.errors))
        await journal.settle(attempt, Settlement(outcome=story.outcome, upstream_status=story.status, result=story.result, body=body))
