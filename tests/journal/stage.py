"""What the tests of the journal share: how to open one, and how to bring an attempt somewhere."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.journal import Journal
from gateway.model import Attempt, Intent, MutationOutcome, Ref, Settlement
from tests.fakes import FakeClock

LEASE_SECONDS = 10.0


class Opener:
    """Opens journals over one database and closes them all."""

    def __init__(self, state: str, clock: FakeClock) -> None:
        self.state = state
        self.clock = clock
        self._opened: list[Journal] = []

    async def open(self, *, wait_seconds: float = 2.0) -> Journal:
        journal = Journal(self.state, now=self.clock.now, lease_seconds=LEASE_SECONDS, wait_seconds=wait_seconds)
        await journal.open()
        self._opened.append(journal)
        return journal

    async def aclose(self) -> None:
        for journal in self._opened:
            await journal.aclose()


def an_intent(
    key: str = "key",
    *,
    caller: str = "billing",
    mutation: str = "createInvoice",
    source: str = "shop",
    input_hash: str = "hash",
    request_id: str = "request",
) -> Intent:
    return Intent(caller=caller, key=key, mutation=mutation, source=source, input_hash=input_hash, request_id=request_id)


async def received(journal: Journal, key: str = "key", *, source: str = "shop") -> Attempt:
    """Give an attempt that is the caller's own."""
    attempt, is_mine = await journal.receive(an_intent(key, source=source))
    assert is_mine
    return attempt


async def sending(
    journal: Journal,
    key: str = "key",
    *,
    source: str = "shop",
    subject: str | None = None,
    number: str | None = None,
    result: Ref | None = None,
    mentions: Sequence[tuple[str, str]] = (),
) -> Attempt:
    """Give an attempt that is about to be sent."""
    attempt = await received(journal, key, source=source)
    sent = await journal.send(attempt, body=f"sent by {key}", subject=subject, number=number, result=result, mentions=mentions)
    assert sent is not None
    return sent


async def settled(
    journal: Journal,
    key: str = "key",
    outcome: MutationOutcome = MutationOutcome.APPLIED,
    *,
    source: str = "shop",
    subject: str | None = None,
    number: str | None = None,
    result: Ref | None = None,
    mentions: Sequence[tuple[str, str]] = (),
) -> Attempt:
    """Give an attempt that was sent and has ended so."""
    attempt = await sending(journal, key, source=source, subject=subject, number=number, result=result, mentions=mentions)
    return await journal.settle(attempt, Settlement(outcome=outcome, body=f"answer to {key}"))
