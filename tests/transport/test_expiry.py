"""One timer for all who wait until the same moment."""

from __future__ import annotations

import asyncio

import pytest

from gateway.transport.expiry import Expiries

pytestmark = pytest.mark.anyio


def waiter() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_all_whose_moment_has_come_fail_and_nobody_else() -> None:
    expiries, due, later = Expiries(), [waiter(), waiter()], waiter()
    for each in due:
        expiries.start(each, 5.0, 0)
    expiries.start(later, 6.0, 3600)
    await asyncio.wait(due)
    assert [type(each.exception()) for each in due] == [TimeoutError, TimeoutError]
    assert not later.done()
    expiries.stop(later, 6.0)


async def test_who_has_stopped_or_has_an_answer_does_not_fail() -> None:
    expiries, gone, answered, last = Expiries(), waiter(), waiter(), waiter()
    for each in (gone, answered, last):
        expiries.start(each, 5.0, 0)
    expiries.stop(gone, 5.0)
    answered.set_result(None)
    with pytest.raises(TimeoutError):
        await last
    assert not gone.done()
    assert answered.exception() is None
    expiries.stop(answered, 5.0)


async def test_the_calls_of_one_deadline_have_one_timer_and_the_last_to_stop_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []
    call_later = loop.call_later

    def taken_down(*arguments: object) -> asyncio.TimerHandle:
        timers.append(call_later(*arguments))  # type: ignore[arg-type]  # as they came
        return timers[-1]

    monkeypatch.setattr(loop, "call_later", taken_down)
    expiries, both = Expiries(), [waiter(), waiter()]
    for each in both:
        expiries.start(each, 5.0, 3600)
    expiries.stop(both[0], 5.0)
    assert [timer.cancelled() for timer in timers] == [False]
    expiries.stop(both[1], 5.0)
    assert [timer.cancelled() for timer in timers] == [True]
