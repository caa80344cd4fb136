"""Whatever several processes do with one key in whatever order: what was sent under it was sent once."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.journal import Journal
from gateway.model import Attempt, MutationOutcome, Settlement
from tests.fakes import FakeClock
from tests.journal.stage import LEASE_SECONDS, Opener, an_intent

pytestmark = pytest.mark.anyio

Step = tuple[str, int, str]
PROCESS = st.integers(0, 1)
OUTCOME = st.sampled_from(sorted(MutationOutcome))
STEP = st.one_of(
    st.tuples(st.just("receive"), PROCESS, st.sampled_from(["hash", "another"])),
    st.tuples(st.just("hold"), PROCESS, st.just("")),
    st.tuples(st.just("send"), PROCESS, st.just("")),
    st.tuples(st.just("settle"), PROCESS, OUTCOME),
    st.tuples(st.just("look"), PROCESS, OUTCOME),
    st.tuples(st.just("wait"), PROCESS, st.sampled_from(["1", str(LEASE_SECONDS)])),
)
_NUMBERS = count(1)


class Play:
    """Two processes and one key. Each goes on with the attempt as it last was its own, however old that is."""

    def __init__(self, journals: tuple[Journal, Journal], clock: FakeClock) -> None:
        self.key = f"key {next(_NUMBERS)}"
        self._journals = journals
        self._clock = clock
        self._mine: list[Attempt | None] = [None, None]
        self._owner: int | None = None
        """Who was last told that the key is its own."""
        self._has_left = False
        """Whether anything was sent since then."""
        self._final: Attempt | None = None
        """What was sent and is known for good."""

    async def take(self, step: Step) -> None:
        match step:
            case "receive", process, input_hash:
                await self._receive(process, input_hash)
            case "hold", process, _:
                if (mine := self._mine[process]) is not None:
                    await self._journals[process].hold(mine, [f"order/{self.key}"])
            case "send", process, _:
                await self._send(process)
            case "settle", process, outcome:
                if (mine := self._mine[process]) is not None:
                    await self._journals[process].settle(mine, Settlement(outcome=MutationOutcome(outcome)))
            case "look", process, outcome:
                await self._look(process, MutationOutcome(outcome))
            case _, _, seconds:
                self._clock.advance(float(seconds))
        await self._judge()

    async def _receive(self, process: int, input_hash: str) -> None:
        attempt, is_mine = await self._journals[process].receive(an_intent(self.key, input_hash=input_hash))
        if is_mine:
            assert self._final is None, "a key was given away under which something was done"
            self._mine[process], self._owner, self._has_left = attempt, process, False

    async def _send(self, process: int) -> None:
        mine = self._mine[process]
        if mine is None:
            return
        sending = await self._journals[process].send(mine, body="POST", subject=None, number=None, result=None)
        if sending is not None:
            assert (self._owner, self._has_left) == (process, False), "sent twice, or by one who had lost the key"
            self._mine[process], self._has_left = sending, True

    async def _look(self, process: int, outcome: MutationOutcome) -> None:
        """Settle what nobody is at work on, as one does who was asked for it."""
        found = await self._journals[process].find("billing", self.key)
        if found is not None and not found.is_in_hand(self._clock.now()):
            await self._journals[process].settle(found, Settlement(outcome=outcome))

    async def _judge(self) -> None:
        found = await self._journals[0].find("billing", self.key)
        assert self._final is None or found == self._final, "what was known for good has changed"
        if found is None:
            return
        assert (found.sent_at is not None) == self._has_left, "it is not taken down what has left"
        if found.is_settled and self._has_left and found.outcome is not MutationOutcome.NOT_APPLIED:
            self._final = found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=1, max_size=20))
async def test_a_key_is_sent_once_at_the_most(journal: Journal, other: Journal, opener: Opener, steps: list[Step]) -> None:
    play = Play((journal, other), opener.clock)

    for step in steps:
        await play.take(step)
