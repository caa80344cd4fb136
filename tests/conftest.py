"""Fixtures of all rooms."""

import signal
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from gateway.sandbox.server import RunningSandbox, serving
from tests.graph import Graph, open_graph

# A shell has what it starts in the background ignore Ctrl-C, and with it the commands that tests start and end so.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test is timed: a slow machine is no failure. The same cases each time: a change is judged by what it changed, and
# `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gateway", settings.get_profile("explore"), derandomize=True)
settings.load_profile("gateway")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def shared_sandbox(anyio_backend: str) -> AsyncIterator[RunningSandbox]:
    """One sandbox on a real port for the whole run; use `sandbox`, which brings it back to its seed."""
    del anyio_backend
    async with serving(port=0, seed=1) as running:
        yield running


@pytest.fixture
async def sandbox(shared_sandbox: RunningSandbox) -> RunningSandbox:
    shared_sandbox.sandbox.reset()
    return shared_sandbox


@pytest.fixture
async def graph(sandbox: RunningSandbox) -> AsyncIterator[Graph]:
    """A gateway over the sandbox, as the demo has it; calls upstreams over real HTTP."""
    async with open_graph(sandbox) as opened:
        yield opened
