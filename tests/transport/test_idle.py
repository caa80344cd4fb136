from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from gateway.transport.http1_connection import Connection
from gateway.transport.idle import Idle


class SetLoop(asyncio.SelectorEventLoop):
    """A loop whose time is set."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def pass_to(self, seconds: float) -> None:
        """Let it be so late, and run what is due."""
        self.now = 1000.0 + seconds
        for _ in range(2):
            self.call_soon(self.stop)
            self.run_forever()


class Pipe(asyncio.Transport):
    """A connection's end at the wire."""

    def __init__(self) -> None:
        self._ours, self.theirs = socket.socketpair()
        super().__init__({"socket": self._ours})
        self.is_closed = False

    def is_closing(self) -> bool:
        return self.is_closed

    def abort(self) -> None:
        self.is_closed = True
        self._ours.close()
        self.theirs.close()


class Stage:
    def __init__(self, loop: SetLoop, idle: Idle) -> None:
        self.loop = loop
        self._idle = idle
        self._pipes: list[Pipe] = []

    def connect(self) -> Connection:
        connection = Connection(self._idle.remove)
        pipe = Pipe()
        connection.connection_made(pipe)
        self._pipes.append(pipe)
        return connection

    def keep(self, connection: Connection, origin: str = "here") -> None:
        async def put() -> None:
            self._idle.put(origin, connection)

        self.loop.run_until_complete(put())

    def take(self, origin: str = "here") -> Connection | None:
        return self._idle.take(origin)

    def say(self, which: int) -> None:
        """Let the other side of a connection say something."""
        self._pipes[which].theirs.send(b"x")

    @property
    def kept(self) -> int:
        return len(self._idle)

    @property
    def closed(self) -> list[bool]:
        return [pipe.is_closed for pipe in self._pipes]

    def end(self) -> None:
        self._idle.close()
        for pipe in self._pipes:
            pipe.abort()
        self.loop.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(SetLoop(), Idle())
    yield made
    made.end()


def test_what_was_used_last_is_used_next(stage: Stage) -> None:
    first, second = stage.connect(), stage.connect()
    stage.keep(first)
    stage.keep(second)
    assert [stage.take(), stage.take(), stage.take()] == [second, first, None]


def test_a_connection_is_for_its_own_origin(stage: Stage) -> None:
    connection = stage.connect()
    stage.keep(connection)
    assert [stage.take("elsewhere"), stage.take("here")] == [None, connection]


def test_each_is_closed_thirty_seconds_after_its_own_last_use(stage: Stage) -> None:
    stage.keep(stage.connect())
    stage.loop.pass_to(10)
    stage.keep(stage.connect())
    seen = []
    for seconds in (29.9, 30, 39.9, 40):
        stage.loop.pass_to(seconds)
        seen.append((stage.closed, stage.kept))
    assert seen == [([False, False], 2), ([True, False], 1), ([True, False], 1), ([True, True], 0)]


def test_one_that_comes_when_all_had_gone_is_closed_in_its_time_too(stage: Stage) -> None:
    stage.keep(stage.connect())
    stage.loop.pass_to(30)
    stage.keep(stage.connect())
    stage.loop.pass_to(59.9)
    assert stage.closed == [True, False]
    stage.loop.pass_to(60)
    assert stage.closed == [True, True]


def test_one_on_which_something_was_said_is_closed_and_the_next_is_given(stage: Stage) -> None:
    quiet = stage.connect()
    stage.keep(quiet)
    stage.keep(stage.connect())
    stage.say(1)
    assert stage.take() is quiet
    assert stage.closed == [False, True]


def test_of_too_many_the_last_is_closed(stage: Stage) -> None:
    for _ in range(65):
        stage.keep(stage.connect())
    assert stage.kept == 64
    assert stage.closed == [False] * 64 + [True]
