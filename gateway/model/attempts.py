"""The story of one idempotency key, as the journal keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.ref import Ref
from gateway.model.writes import MutationOutcome


class AttemptState(StrEnum):
    """How far a write has come. Only SENDING may have reached the source; a SETTLED one has an outcome, which may be UNKNOWN."""

    RECEIVED = "RECEIVED"
    SENDING = "SENDING"
    SETTLED = "SETTLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write that a caller asks for under a key; `input_hash` is the same for the same input only."""

    caller: str
    key: str
    mutation: str
    """Field of the graph's `Mutation`."""
    source: str
    input_hash: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of a key so far.

    `revision` goes up with every change: who wants to change the attempt must know the latest. Until `lease_until` the process
    that has it in hand is taken to be alive.
    """

    id: int
    revision: int
    intent: Intent
    state: AttemptState
    received_at: datetime
    lease_until: datetime
    outcome: MutationOutcome | None = None
    """None while in flight."""
    sent_at: datetime | None = None
    """When it was about to be sent, so that a byte may have left from then on; None: nothing ever left."""
    settled_at: datetime | None = None
    upstream_status: int | None = None
    subject: str | None = None
    """Invoice number, order or customer it was about."""
    number: str | None = None
    """Number of the invoice that it makes, where the caller chooses it."""
    result: Ref | None = None
    """What it made, or is to make where that is known beforehand."""

    @property
    def is_settled(self) -> bool:
        """Say whether it is known for good what became of it."""
        return self.state is AttemptState.SETTLED and self.outcome is not MutationOutcome.UNKNOWN

    def is_in_hand(self, now: datetime) -> bool:
        """Say whether a process is at work on it, as far as can be known."""
        return self.state is not AttemptState.SETTLED and now < self.lease_until

    def may_be_taken_over(self, now: datetime) -> bool:
        """Say whether the key may be used as if it were new: it is proven that nothing was done, and nobody is at work on it."""
        if self.state is AttemptState.RECEIVED:
            return not self.is_in_hand(now)
        return self.state is AttemptState.SETTLED and (self.outcome is MutationOutcome.NOT_APPLIED or self.sent_at is None)

    @property
    def takes_other_input(self) -> bool:
        """Say whether the key is as good as unused: the gateway itself refused the write, so that it may be put right."""
        return self.state is AttemptState.SETTLED and self.sent_at is None and self.outcome is not MutationOutcome.NOT_APPLIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ends, or stands for now (UNKNOWN)."""

    outcome: MutationOutcome
    upstream_status: int | None = None
    result: Ref | None = None
    """None keeps what is known."""
    body: str | None = None
    """What was answered, to be given again; opaque to the journal. None keeps what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptQuery:
    """Which attempts are asked for; None: all. `sources` are those that the asker may see."""

    sources: frozenset[str] | None = None
    caller: str | None = None
    outcomes: frozenset[MutationOutcome] | None = None
    in_flight: bool | None = None
    result: Ref | None = None
    since: datetime | None = None
    """Received at or after."""
    until: datetime | None = None
    """Received before."""
