"""Dialogues with a gateway in the test's own process: what comes out of answers goes into the next questions.

`python -m tests.drills schema` holds long ones with the demo.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.sandbox.server import serving
from tests.drills.answers import Heard
from tests.drills.dialogue import Dialogue, Say, over
from tests.graph import Graph, open_graph


@asynccontextmanager
async def opened() -> AsyncIterator[Graph]:
    async with serving() as sandbox, open_graph(sandbox) as graph:
        yield graph


@pytest.fixture(scope="module")
def say() -> Iterator[Say]:
    """Ask a gateway over a sandbox of its own: dialogues write to it."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opened()) as graph:

        async def post(body: bytes, headers: Mapping[str, str]) -> Heard:
            response = await graph.client.post("/graphql", content=body, headers=headers)
            return Heard(response.status_code, response.headers["content-type"], response.content)

        yield lambda body, headers: portal.call(post, body, headers)


def test_what_answers_have_can_be_asked_for_and_written_about(say: Say) -> None:
    run_state_machine_as_test(over(say, count()), settings=settings(max_examples=3, stateful_step_count=30))


def test_every_step_can_follow_the_others(say: Say) -> None:
    held = Dialogue(say, 1000)
    held.meet()
    held.open_a_list(name="invoices", sources=["shop", "pos"], first=2, merged=True)
    held.open_a_list(name="customers", sources=["commerce"], first=2, merged=False)
    of_pos = sum((thing.kind, thing.source) == ("Order", "pos") for thing in held.things)
    held.create_an_invoice(at=0, by_header=True)
    held.create_an_invoice(at=of_pos, by_header=False)
    held.have_an_order_invoiced(at=1, by_header=False)
    held.set_what_was_read(at=2)
    for at in range(len(held.written)):
        held.repeat(at=at, by_header=False)
        held.rehearse(at=at)
        held.ask_what_became(at=at)
        held.take_a_key_for_something_else(at=at)
    for at in range(2):
        held.turn_the_page(at=at)
        held.go_on_with_a_wrong_cursor(at=at, spoil=7)

    outcomes = [write.payload["outcome"] for write in held.written]
    del outcomes[2]  # other dialogues may have had that order invoiced
    assert outcomes == ["APPLIED", "APPLIED", "APPLIED", "REJECTED"]
    assert (len(held.pages), len({page.list for page in held.pages})) == (4, 2)
