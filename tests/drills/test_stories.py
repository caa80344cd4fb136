"""The judge of the drills: what it lets pass, and that it misses no broken promise."""

from __future__ import annotations

import pytest

from tests.drills.intents import NIMPOS, Intent
from tests.drills.stories import Answer, Story, violations

KEY = "drill-1"
INTENT = Intent(NIMPOS, KEY, "", {}, "", None, "", "")
APPLIED = Answer("APPLIED", confirmation="READ_BACK")
ABSENT = Answer("REJECTED", errors=(("UPSTREAM_REJECTED", "it is not there"),))
UNKNOWN = Answer("UNKNOWN", errors=(("OUTCOME_UNKNOWN", "look in NIMPOS for invoice 1"),))
IN_FLIGHT = Answer("UNKNOWN", errors=(("IDEMPOTENCY_KEY_IN_FLIGHT", "look again"),))


def again(answer: Answer) -> Answer:
    return Answer(answer.outcome, replayed=True, confirmation=answer.confirmation, errors=answer.errors)


def told(*answers: Answer, requests: int = 1, changes: int | None = 1, fault: str | None = None) -> list[str]:
    return [line.removeprefix(f"{KEY}: ") for line in violations(Story(INTENT, fault, list(answers), requests, changes))]


@pytest.mark.parametrize(
    ("answers", "requests", "changes", "fault"),
    [
        ([APPLIED, again(APPLIED)], 1, 1, None),
        ([IN_FLIGHT, UNKNOWN, APPLIED, again(APPLIED)], 1, 1, "lost_answer"),
        ([UNKNOWN, ABSENT, again(ABSENT)], 1, 0, "drop"),
        ([UNKNOWN, ABSENT, again(ABSENT)], 0, 0, "drop"),
        ([ABSENT, again(ABSENT)], 1, 0, "status 503"),
        ([Answer("NOT_APPLIED"), APPLIED, again(APPLIED)], 2, 1, "status 429"),
        ([UNKNOWN], 1, 1, "lost_answer"),
        ([UNKNOWN], 1, 0, "drop"),
    ],
)
def test_a_promise_that_was_kept_is_let_pass(answers: list[Answer], requests: int, changes: int, fault: str | None) -> None:
    assert told(*answers, requests=requests, changes=changes, fault=fault) == []


def test_a_second_request_is_named_unless_the_first_was_turned_away() -> None:
    assert told(again(APPLIED), requests=2) == ["sent 2 times, of which 0 turned away"]
    assert told(again(APPLIED), requests=3, fault="status 429") == ["sent 3 times, of which 1 turned away"]
    assert told(again(APPLIED), requests=2, fault="status 503") == ["sent 2 times, of which 0 turned away"]


def test_a_success_that_the_sandbox_lacks_is_named() -> None:
    assert told(again(APPLIED), requests=0, changes=0) == ["APPLIED, and the sandbox lacks it"]


@pytest.mark.parametrize("outcome", ["REJECTED", "NOTHING_TO_DO"])
def test_a_refusal_of_what_the_sandbox_has_is_named(outcome: str) -> None:
    assert told(Answer(outcome, replayed=True)) == [f"{outcome}, and the sandbox has it"]


def test_an_outcome_that_changes_is_named() -> None:
    assert told(ABSENT, again(APPLIED)) == ["its outcome changed: REJECTED, APPLIED", "REJECTED, and the sandbox has it"]


def test_a_refusal_by_the_gateway_of_a_valid_write_is_named() -> None:
    refused = Answer("REJECTED", replayed=True, errors=(("DUPLICATE_NUMBER", "it is taken"),))
    assert told(refused, requests=0, changes=0) == ["REJECTED, though nothing is wrong with it: DUPLICATE_NUMBER it is taken"]


@pytest.mark.parametrize(
    ("answers", "violation"),
    [
        ([], "never answered"),
        ([UNKNOWN, IN_FLIGHT], "in flight without end"),
        ([Answer(None, replayed=True)], "in flight without end"),
        ([Answer("NOT_APPLIED", replayed=True)], "ended as NOT_APPLIED"),
        ([Answer("UNKNOWN", errors=(("OUTCOME_UNKNOWN", "who knows"),))], "UNKNOWN without a word on what to look at: "),
    ],
)
def test_a_key_that_is_neither_settled_nor_explained_is_named(answers: list[Answer], violation: str) -> None:
    (line,) = told(*answers, requests=0, changes=0)
    assert line.startswith(violation)


def test_a_last_call_that_is_no_replay_is_named() -> None:
    assert told(APPLIED) == ["the last call with the key was no replay: APPLIED"]


def test_books_of_the_sandbox_that_contradict_each_other_are_named() -> None:
    assert told(again(ABSENT), requests=1, changes=0) == ["the sandbox shows it 0 times, after 1 requests that it carried out"]
    assert told(again(APPLIED), changes=None) == [
        "the sandbox was not asked: the drill proves nothing",
        "APPLIED, and the sandbox lacks it",
    ]
