"""What a command says by its exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; a mistake of the user's is 2, by `Mistake`."""

    FINE = 0
    FAILED = 1
    """The thing asked for failed."""
    IN_PART = 3
    """Answered in part: a source failed, or data is missing."""
    UNKNOWN = 4
    """An outcome is UNKNOWN: it must not be sent again under a new key."""


_BY_WEIGHT = (Exit.FINE, Exit.IN_PART, Exit.FAILED, Exit.UNKNOWN)


def worse(one: Exit, other: Exit) -> Exit:
    """Give the one of two that matters more to a script."""
    return max(one, other, key=_BY_WEIGHT.index)


def of_outcome(outcome: object) -> Exit:
    """Say what the outcome of a mutation means to a script."""
    if outcome in {"APPLIED", "NOTHING_TO_DO", "VALIDATED"}:
        return Exit.FINE
    return Exit.UNKNOWN if outcome == "UNKNOWN" else Exit.FAILED
