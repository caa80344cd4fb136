"""Lost answers: the source does the write, or not, and the gateway never hears of it. One request a key, whatever is asked later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.drills.gateways import ask_for_attempt, ask_to_write
from tests.drills.intents import COMPILATOR, NIMPOS, NORCE, SHOPCTRL, WAYS, Intent, Way
from tests.drills.stage import changes_of, intents_of, open_door, requests_of
from tests.drills.stories import Answer
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio
each_write = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.title)

APPLIED = Answer("APPLIED", confirmation="READ_BACK")
APPLIED_AGAIN = replace(APPLIED, replayed=True)
APPLIED_ATTEMPT = Answer("APPLIED", replayed=True)
SETTLE_AFTER_SECONDS = 120


@pytest.fixture
def state(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'journal.db'}"


def strike(running: RunningSandbox, intent: Intent, kind: Any) -> None:  # noqa: ANN401  (a kind of `Fault`)
    running.sandbox.faults.add(Fault(system=intent.way.system, operation=intent.way.operation, kind=kind, times=1))


def blind(running: RunningSandbox, way: Way) -> None:
    """Let every look fail; the one that prepares the write still works."""
    running.sandbox.faults.add(Fault(system=way.system, operation=way.look, kind="status", status=503, after=1))


def sent_and_there(requests: int, changes: int) -> dict[str, int]:
    return {"requests": requests, "changes": changes}


async def found(running: RunningSandbox, intent: Intent) -> dict[str, int]:
    return sent_and_there(requests_of(running, intent), await changes_of(running, intent))


def words(answer: Answer | None) -> str:
    """Give the one message of an answer that is UNKNOWN."""
    assert answer is not None
    ((code, message),) = answer.errors
    assert (answer.outcome, code) == ("UNKNOWN", "OUTCOME_UNKNOWN")
    return message


# ------------------------------------------------------------------ done, and not answered


@each_write
@pytest.mark.parametrize("kind", ["lost_answer", "reset_mid_body"])
async def test_a_write_that_was_done_and_not_answered_is_read_back_on_the_spot(
    sandbox: RunningSandbox, state: str, way: Way, kind: str
) -> None:
    (intent,) = intents_of(way, 1)
    strike(sandbox, intent, kind)
    async with open_door(sandbox, state, FakeClock()) as client:
        answers = [await ask_to_write(client, intent), await ask_for_attempt(client, intent), await ask_to_write(client, intent)]
    assert answers == [APPLIED, APPLIED_ATTEMPT, APPLIED_AGAIN]
    assert await found(sandbox, intent) == sent_and_there(1, 1)


WHERE_TO_LOOK = {
    NIMPOS: "or at CustomerInvoiceId of its orders",
    NORCE: "look in Norce whether there is an invoice {target} (OrderService GetInvoiceByNo)",
    SHOPCTRL: "(id {target})",
    COMPILATOR: "compare `GET api/customers/invoice?customerNumber={target}` with what was sent",
}


def says_where_to_look(intent: Intent, answer: Answer | None) -> bool:
    return WHERE_TO_LOOK[intent.way].format(target=intent.target) in words(answer)


@each_write
async def test_a_look_that_fails_too_leaves_it_unknown_with_what_to_look_at_until_attempt_finds_it(
    sandbox: RunningSandbox, state: str, way: Way
) -> None:
    (intent,) = intents_of(way, 1)
    strike(sandbox, intent, "lost_answer")
    blind(sandbox, way)
    async with open_door(sandbox, state, FakeClock()) as client:
        told = [await ask_to_write(client, intent), await ask_for_attempt(client, intent), await ask_to_write(client, intent)]
        assert [says_where_to_look(intent, answer) for answer in told] == [True, True, True]
        sandbox.sandbox.faults.clear()
        answers = [await ask_for_attempt(client, intent), await ask_to_write(client, intent)]
    assert answers == [APPLIED_ATTEMPT, APPLIED_AGAIN]
    assert await found(sandbox, intent) == sent_and_there(1, 1)


@each_write
async def test_the_same_key_finds_it_too_also_at_another_gateway_and_long_after(sandbox: RunningSandbox, state: str, way: Way) -> None:
    (intent,) = intents_of(way, 1)
    strike(sandbox, intent, "lost_answer")
    blind(sandbox, way)
    clock = FakeClock()
    async with open_door(sandbox, state, clock) as client:
        words(await ask_to_write(client, intent))
    sandbox.sandbox.faults.clear()
    clock.advance(10 * SETTLE_AFTER_SECONDS)
    async with open_door(sandbox, state, clock) as client:
        answers = [await ask_to_write(client, intent), await ask_for_attempt(client, intent), await ask_to_write(client, intent)]
    assert answers == [APPLIED_AGAIN, APPLIED_ATTEMPT, APPLIED_AGAIN]
    assert await found(sandbox, intent) == sent_and_there(1, 1)


# ------------------------------------------------------------------ neither done nor answered


@each_write
async def test_a_write_that_is_absent_may_still_come_until_enough_time_has_passed(sandbox: RunningSandbox, state: str, way: Way) -> None:
    (intent,) = intents_of(way, 1)
    strike(sandbox, intent, "drop")
    clock = FakeClock()
    async with open_door(sandbox, state, clock) as client:
        told = [await ask_to_write(client, intent)]
        clock.advance(SETTLE_AFTER_SECONDS - 1)
        told += [await ask_to_write(client, intent), *filter(None, [await ask_for_attempt(client, intent)])]
        assert ["may still come" in words(answer) for answer in told] == [True, True, True]
        clock.advance(1)
        answers = [await ask_for_attempt(client, intent), await ask_to_write(client, intent)]
    assert [(answer.outcome, answer.replayed) for answer in filter(None, answers)] == [("REJECTED", True)] * 2
    assert [code for answer in filter(None, answers) for code, _ in answer.errors] == ["UPSTREAM_REJECTED"] * 2
    assert await found(sandbox, intent) == sent_and_there(1, 0)


@each_write
async def test_the_same_key_settles_it_as_well_as_attempt_does(sandbox: RunningSandbox, state: str, way: Way) -> None:
    (intent,) = intents_of(way, 1)
    strike(sandbox, intent, "drop")
    clock = FakeClock()
    async with open_door(sandbox, state, clock) as client:
        words(await ask_to_write(client, intent))
        clock.advance(SETTLE_AFTER_SECONDS)
        assert (await ask_to_write(client, intent)).outcome == "REJECTED"
    assert await found(sandbox, intent) == sent_and_there(1, 0)


# ------------------------------------------------------------------ what no look can tell


async def ask_again_and_again(client: httpx.AsyncClient, intent: Intent, clock: FakeClock) -> list[Answer | None]:
    """Ask at once, and much later by `attempt` and by the key."""
    first = await ask_to_write(client, intent)
    clock.advance(10 * SETTLE_AFTER_SECONDS)
    return [first, await ask_for_attempt(client, intent), await ask_to_write(client, intent)]


@pytest.mark.parametrize("kind", ["lost_answer", "drop"])
async def test_settings_of_which_nothing_can_be_read_stay_unknown(sandbox: RunningSandbox, state: str, kind: str) -> None:
    (intent,) = intents_of(COMPILATOR, 1)
    hidden = replace(intent, variables={**intent.variables, "settings": {"reverseTax": True}}, mark='"CustomerNumber":40001')
    strike(sandbox, hidden, kind)
    clock = FakeClock()
    async with open_door(sandbox, state, clock) as client:
        told = await ask_again_and_again(client, hidden, clock)
    assert [says_where_to_look(hidden, answer) for answer in told] == [True, True, True]
    assert requests_of(sandbox, hidden) == 1


CAPTURE = {
    "lines": [{"itemNumber": "P-1", "quantity": "1", "unitPriceExclVat": "4800.00", "vatPercent": "25"}],
    "norce": {"capturePayment": True, "payment": {"paymentReference": "REF-1"}},
}


async def test_a_payment_that_may_have_been_captured_stays_unknown(sandbox: RunningSandbox, state: str) -> None:
    (intent,) = intents_of(NORCE, 1)
    capturing = replace(intent, variables={**intent.variables, "input": {**intent.variables["input"], **CAPTURE}})
    strike(sandbox, capturing, "drop")
    clock = FakeClock()
    async with open_door(sandbox, state, clock) as client:
        told = await ask_again_and_again(client, capturing, clock)
    assert ["look at the payment provider" in words(answer) for answer in told] == [True, True, True]
    assert await found(sandbox, capturing) == sent_and_there(1, 0)
