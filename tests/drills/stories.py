"""What happened to each key of a drill, and the judgement of it. Pure: knows neither gateway nor sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.drills.intents import Intent

# Once a key has one of these, it has it for good; a REJECTED only where the source had its say.
FINAL: Final = frozenset({"APPLIED", "NOTHING_TO_DO", "REJECTED"})
_PROVEN_ABSENT: Final = "UPSTREAM_REJECTED"
_IN_FLIGHT: Final = "IDEMPOTENCY_KEY_IN_FLIGHT"
_SAYS_WHERE_TO_LOOK: Final = ("look ", "compare ")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway said of a key. `outcome` is None for an attempt that it calls in flight, or does not know."""

    outcome: str | None
    replayed: bool = False
    confirmation: str | None = None
    errors: tuple[tuple[str, str], ...] = ()
    """Code and message of each user error."""

    @property
    def is_final(self) -> bool:
        """Say whether nothing else may ever be said of the key."""
        return self.outcome in FINAL

    @property
    def is_in_flight(self) -> bool:
        """Say whether the key is said to be in other hands."""
        return self.outcome is None or any(code == _IN_FLIGHT for code, _ in self.errors)


@dataclass(slots=True)
class Story:
    """All that is known of one intent; `fault` is what struck its first request, None: nothing did."""

    intent: Intent
    fault: str | None = None
    answers: list[Answer] = field(default_factory=list)
    requests: int = 0
    """Writes that reached the sandbox."""
    changes: int | None = None
    """How often the sandbox's data shows it; None: not looked at yet."""
    kills: int = 0
    """Gateways killed while the key was in their hands."""
    looks: int = 0
    """Times that it was asked for after an UNKNOWN."""
    refusals: list[str] = field(default_factory=list)
    """Codes of errors of whole requests."""

    @property
    def last(self) -> Answer | None:
        """Give the latest answer; None: there was none."""
        return self.answers[-1] if self.answers else None

    @property
    def is_over(self) -> bool:
        """Say whether the key has a final outcome."""
        return any(answer.is_final for answer in self.answers)

    @property
    def outcome(self) -> str:
        """Give the latest outcome in a word."""
        return "no answer" if self.last is None else self.last.outcome or "in flight"

    @property
    def turned_away(self) -> int:
        """Requests that were answered 429: nothing was done, and the key may be used again."""
        return int(self.fault == "status 429" and self.requests > 0)

    @property
    def written(self) -> int:
        """Requests that the sandbox carried out, by the fault that struck the first of them."""
        spoiled = self.fault in {"drop", "status 429", "status 503"} and self.requests > 0
        return self.requests - int(spoiled)


def violations(story: Story) -> list[str]:
    """Name every way in which the promise was broken for this key."""
    return [f"{story.intent.key}: {what}" for what in (*_of_requests(story), *_of_answers(story), *_of_the_end(story))]


def _of_requests(story: Story) -> Iterator[str]:
    if story.requests - story.turned_away > 1:
        yield f"sent {story.requests} times, of which {story.turned_away} turned away"
    if story.changes is None:
        yield "the sandbox was not asked: the drill proves nothing"
    elif story.changes != min(story.written, 1):
        yield f"the sandbox shows it {story.changes} times, after {story.written} requests that it carried out"


def _of_answers(story: Story) -> Iterator[str]:
    finals = {answer.outcome for answer in story.answers if answer.outcome in FINAL}
    if len(finals) > 1:
        yield f"its outcome changed: {', '.join(answer.outcome or 'in flight' for answer in story.answers)}"
    if "APPLIED" in finals and not story.changes:
        yield "APPLIED, and the sandbox lacks it"
    for outcome in ("REJECTED", "NOTHING_TO_DO"):
        if outcome in finals and story.changes:
            yield f"{outcome}, and the sandbox has it"
    for code, message in sorted({error for answer in story.answers if answer.outcome == "REJECTED" for error in answer.errors}):
        if code != _PROVEN_ABSENT:
            yield f"REJECTED, though nothing is wrong with it: {code} {message}"
    if "INTERNAL" in story.refusals:
        yield "an error that is the gateway's own: INTERNAL"


def _of_the_end(story: Story) -> Iterator[str]:
    last = story.last
    if last is None:
        yield "never answered"
    elif last.is_in_flight:
        yield "in flight without end"
    elif last.outcome == "UNKNOWN":
        if not any(word in message for _, message in last.errors for word in _SAYS_WHERE_TO_LOOK):
            yield f"UNKNOWN without a word on what to look at: {last.errors}"
    elif not last.is_final:
        yield f"ended as {last.outcome}"
    elif last.replayed is False:
        yield f"the last call with the key was no replay: {last.outcome}"
