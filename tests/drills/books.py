"""The sandbox's books: which writes reached it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.sandbox.server import RunningSandbox
from tests.drills.intents import WAYS
from tests.drills.stories import Story


def take_down_writes(running: RunningSandbox, stories: Sequence[Story]) -> None:
    """Take the writes out of the sandbox's record before it forgets the oldest. Raises `RuntimeError` for one nobody asked for."""
    recorded = running.sandbox.requests
    for way in WAYS:
        for request in recorded.of(way.system, way.operation):
            told = f"{request.path}?{request.query} {request.body}"
            story = next((story for story in stories if story.intent.way is way and story.intent.mark in told), None)
            if story is None:
                raise RuntimeError(f"the sandbox was sent a write that nobody asked for: {told}")
            story.requests += 1
    recorded.reset()
