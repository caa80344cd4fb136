from __future__ import annotations

from gateway.transport import Scope
from gateway.transport.shared_scope import SharedScopes
from tests.fakes import FakeClock

CLOCK = FakeClock()


def scope_of(request_id: str, seconds: float) -> Scope:
    return Scope(request_id, CLOCK.monotonic() + seconds)


FIRST, SECOND = scope_of("first", 2), scope_of("second", 5)


def test_those_who_share_have_as_long_as_the_most_patient_who_is_there() -> None:
    scopes = SharedScopes[str]()
    shared = scopes.join("key", FIRST)
    scopes.join("key", SECOND)
    scopes.join("key", scope_of("third", 1))
    assert shared.seconds_left(CLOCK) == 5
    scopes.leave("key", SECOND)
    assert shared.seconds_left(CLOCK) == 2


def test_two_who_go_at_the_same_time_are_still_two() -> None:
    scopes = SharedScopes[str]()
    shared = scopes.join("key", FIRST)
    twin = scope_of("twin", 2)
    scopes.join("key", twin)
    scopes.leave("key", twin)
    assert scopes.join("key", SECOND) is shared


def test_the_id_is_that_of_the_first_of_them() -> None:
    scopes = SharedScopes[str]()
    scopes.join("key", FIRST)
    assert scopes.join("key", SECOND).request_id == "first"


def test_other_keys_share_nothing() -> None:
    scopes = SharedScopes[str]()
    scopes.join("key", SECOND)
    shared = scopes.join("other", FIRST)
    assert (shared.request_id, shared.seconds_left(CLOCK)) == ("first", 2)


def test_when_all_have_gone_the_next_begins_anew() -> None:
    scopes = SharedScopes[str]()
    gone = scopes.join("key", FIRST)
    scopes.leave("key", FIRST)
    shared = scopes.join("key", SECOND)
    assert (shared.request_id, shared.seconds_left(CLOCK)) == ("second", 5)
    assert gone.seconds_left(CLOCK) == 2  # what is still being cancelled needs some answer
