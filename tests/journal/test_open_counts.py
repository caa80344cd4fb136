"""How many attempts the journal says are not settled."""

from __future__ import annotations

import pytest

from gateway.journal import Journal
from gateway.model import MutationOutcome
from tests.journal.stage import received, sending, settled

pytestmark = pytest.mark.anyio


async def test_an_empty_journal_has_none_in_any_state(journal: Journal) -> None:
    assert await journal.open_counts() == {"RECEIVED": 0, "SENDING": 0, "UNKNOWN": 0}


async def test_what_is_known_for_good_is_not_counted(journal: Journal) -> None:
    await received(journal, "a")
    for key in "bc":
        await sending(journal, key)
    for key in "def":
        await settled(journal, key, outcome=MutationOutcome.UNKNOWN)
    for key, outcome in (("g", MutationOutcome.APPLIED), ("h", MutationOutcome.REJECTED), ("i", MutationOutcome.NOT_APPLIED)):
        await settled(journal, key, outcome=outcome)

    assert await journal.open_counts() == {"RECEIVED": 1, "SENDING": 2, "UNKNOWN": 3}
