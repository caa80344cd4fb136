"""How much a caller may take at once and in a minute, and that nobody's debt is forgotten."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import settings_from
from gateway.model import Caller, Permission
from gateway.server.callers import ANYBODY
from gateway.server.rates import MAX_SIGNED_IN, Allowance, RateLimited, Rates, make_rates
from tests.fakes import FakeClock
from tests.server.conftest import SOURCE

SCRIPT, OTHER = Caller("script", frozenset({Permission.READ})), Caller("other", frozenset({Permission.READ}))


def signed_in(subject: object) -> Caller:
    return Caller(f"jwt:https://login.example#{subject}", frozenset({Permission.READ}))


def make(clock: FakeClock, requests_per_minute: int = 60, max_in_flight: int = 100, max_signed_in: int = MAX_SIGNED_IN) -> Rates:
    """Give the script, the other and each signed-in caller the same."""
    allowance = Allowance(requests_per_minute, max_in_flight)
    return Rates(clock, {"script": allowance, "other": allowance}, allowance, max_signed_in=max_signed_in)


def ask(rates: Rates, caller: Caller = SCRIPT) -> float | None:
    """Make a request that ends at once; give None, or the seconds after which to ask again."""
    try:
        with rates.taken(caller):
            return None
    except RateLimited as refused:
        return refused.retry_after


def how_many(rates: Rates, caller: Caller = SCRIPT) -> int:
    """Ask until it is refused; give how many requests were taken."""
    taken = 0
    while ask(rates, caller) is None:
        taken += 1
    return taken


# ------------------------------------------------------------------ in a minute


@pytest.mark.parametrize(("requests_per_minute", "burst"), [(600, 60), (60, 6), (19, 1), (10, 1), (9, 1), (1, 1)])
def test_a_tenth_of_a_minutes_requests_may_come_at_once_and_one_always(requests_per_minute: int, burst: int) -> None:
    assert how_many(make(FakeClock(), requests_per_minute)) == burst


def test_after_that_they_may_come_at_an_even_pace() -> None:
    clock = FakeClock()
    rates = make(clock, 60)
    how_many(rates)

    for _ in range(10):
        clock.advance(1)
        assert how_many(rates) == 1
    clock.advance(3)
    assert how_many(rates) == 3
    clock.advance(3600)
    assert how_many(rates) == 6


def test_who_is_refused_is_told_when_to_ask_again() -> None:
    clock = FakeClock()
    rates = make(clock, 5)
    assert ask(rates) is None

    with pytest.raises(RateLimited) as refused, rates.taken(SCRIPT):
        pass

    assert refused.value.message == "this caller may make 5 requests a minute; ask again later"
    assert refused.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 12}
    clock.advance(11.9)
    assert ask(rates) == 1
    clock.advance(0.1)
    assert ask(rates) is None


def test_a_refused_request_costs_nothing() -> None:
    clock = FakeClock()
    rates = make(clock, 60)
    how_many(rates)

    for _ in range(1000):
        assert ask(rates) == 1
    clock.advance(1)

    assert how_many(rates) == 1


def test_callers_take_nothing_from_each_other() -> None:
    rates = make(FakeClock(), 60)

    assert [how_many(rates, caller) for caller in (SCRIPT, OTHER, signed_in("anna"), signed_in("bo"), SCRIPT)] == [6, 6, 6, 6, 0]


@given(
    requests_per_minute=st.integers(1, 2000),
    pauses=st.lists(st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 20)), min_size=1, max_size=400),
    is_signed_in=st.booleans(),
)
def test_no_minute_has_more_than_is_allowed_and_a_burst(requests_per_minute: int, pauses: list[float], *, is_signed_in: bool) -> None:
    clock = FakeClock()
    rates, caller = make(clock, requests_per_minute), signed_in("anna") if is_signed_in else SCRIPT
    taken: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        if ask(rates, caller) is None:
            taken.append(clock.monotonic())
        ask(rates, signed_in(len(taken)))  # others come and go

    most = requests_per_minute + max(1, requests_per_minute // 10)
    assert max((sum(start <= moment < start + 60 for moment in taken) for start in taken), default=0) <= most


@given(requests_per_minute=st.integers(1, 2000), seconds=st.integers(1, 600))
def test_who_keeps_the_pace_is_never_refused(requests_per_minute: int, seconds: int) -> None:
    clock = FakeClock()
    rates = make(clock, requests_per_minute)

    for _ in range(min(1000, requests_per_minute * seconds // 60)):
        assert ask(rates) is None
        clock.advance(60.000001 / requests_per_minute)


# ------------------------------------------------------------------ at once


def test_only_so_many_requests_may_be_in_hand() -> None:
    rates = make(FakeClock(), 600, max_in_flight=2)

    with rates.taken(SCRIPT), rates.taken(SCRIPT):
        with pytest.raises(RateLimited) as refused, rates.taken(SCRIPT):
            pass
        assert ask(rates, OTHER) is None

    assert refused.value.message == "this caller has 2 requests in hand, which is the most; ask again"
    assert refused.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert ask(rates) is None


def test_a_request_that_fails_is_no_longer_in_hand() -> None:
    rates = make(FakeClock(), 600, max_in_flight=1)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError), rates.taken(SCRIPT):
            raise ZeroDivisionError
    assert ask(rates) is None


def test_a_request_refused_for_the_others_in_hand_costs_nothing() -> None:
    rates = make(FakeClock(), 20, max_in_flight=1)

    with rates.taken(SCRIPT):
        assert [ask(rates) for _ in range(5)] == [1] * 5

    assert ask(rates) is None


# ------------------------------------------------------------------ however many there are


def test_callers_that_are_idle_are_forgotten() -> None:
    clock = FakeClock()
    rates = make(clock, max_signed_in=20)

    for number in range(500):
        assert ask(rates, signed_in(number)) is None
        clock.advance(1)

    assert how_many(rates, signed_in("last")) == 6


def test_a_debt_is_never_forgotten_however_many_come() -> None:
    rates = make(FakeClock(), max_signed_in=20)
    assert how_many(rates, signed_in("anna")) == 6

    taken = sum(ask(rates, signed_in(number)) is None for number in range(500))

    assert (taken, ask(rates, signed_in("anna"))) == (19, 1)


def test_who_finds_no_room_is_told_to_ask_again() -> None:
    clock = FakeClock()
    rates = make(clock, max_signed_in=1)

    assert [ask(rates, signed_in(number)) for number in range(2)] == [None, 1]
    clock.advance(1)
    assert ask(rates, signed_in(1)) is None


def test_a_caller_with_a_request_in_hand_is_not_forgotten() -> None:
    clock = FakeClock()
    rates = make(clock, 60, max_in_flight=1)

    with ExitStack() as in_hand:
        in_hand.enter_context(rates.taken(signed_in("anna")))
        for number in range(100):
            clock.advance(1)
            ask(rates, signed_in(number))
        assert ask(rates, signed_in("anna")) == 1


# ------------------------------------------------------------------ from the configuration


def test_each_caller_has_what_its_table_says() -> None:
    one = {"name": "one", "key_sha256": "ab" * 32, "permissions": ["read"], "sources": ["*"], "requests_per_minute": 30}
    two = {**one, "name": "two", "key_sha256": "cd" * 32, "requests_per_minute": 600, "max_in_flight": 1}
    jwt = {"issuer": "https://login.example", "audience": "gateway", "jwks_url": "https://login.example/jwks", "requests_per_minute": 20}
    settings = settings_from({"server": {"state": "sqlite://"}, "sources": {"shop": SOURCE}, "callers": [one, two], "jwt": jwt})
    clock = FakeClock()
    rates, hasty = make_rates(settings, clock), Caller("two", frozenset())

    assert [how_many(rates, caller) for caller in (Caller("one", frozenset()), hasty, signed_in("anna"))] == [3, 60, 2]
    clock.advance(1)
    with rates.taken(hasty):
        assert ask(rates, hasty) == 1
    assert ask(rates, hasty) is None


def test_where_anybody_may_call_nobody_is_held_up() -> None:
    rates = make_rates(settings_from({"server": {"state": "sqlite://"}, "sources": {"shop": SOURCE}}), FakeClock())

    assert [ask(rates, ANYBODY) for _ in range(5000)] == [None] * 5000
