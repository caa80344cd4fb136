"""What a person sees of a long command."""

from __future__ import annotations

import io

from gateway.client.progress import Progress
from tests.fakes import FakeClock


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_changes_and_what_is_said_stays_above_it() -> None:
    screen, clock = Terminal(), FakeClock()
    progress = Progress(screen, clock, is_shown=True)

    progress.show(lambda: "1")
    progress.show(lambda: "too soon")
    progress.say("trouble")
    clock.advance(1)
    progress.show(lambda: "2")
    progress.show(lambda: "3", is_last=True)

    assert screen.getvalue() == "\r\x1b[K1\r\x1b[Ktrouble\n\r\x1b[K2\r\x1b[K3\n"


def test_elsewhere_each_is_a_line_and_there_are_few() -> None:
    file, clock = io.StringIO(), FakeClock()
    progress = Progress(file, clock, is_shown=True)

    for second in range(12):
        progress.show(lambda second=second: f"{second}")  # type: ignore[misc]  # bound now
        clock.advance(1)

    assert file.getvalue() == "0\n5\n10\n"


def test_where_nobody_asks_only_what_is_said_is_shown() -> None:
    file = io.StringIO()
    progress = Progress(file, FakeClock(), is_shown=False)

    progress.show(lambda: "1", is_last=True)
    progress.say("trouble")

    assert file.getvalue() == "trouble\n"


def test_what_an_answer_says_gives_no_orders_to_the_terminal() -> None:
    file = io.StringIO()

    Progress(file, FakeClock(), is_shown=False).say("a\x1b[2J\nb")

    assert file.getvalue() == "a\ufffd[2J\ufffdb\n"


def test_a_rate_is_that_since_the_beginning() -> None:
    clock = FakeClock()
    progress = Progress(io.StringIO(), clock, is_shown=True)

    assert progress.rate_of(10) == "-/s"
    clock.advance(4)
    assert progress.rate_of(10) == "2/s"
