from __future__ import annotations

from gateway.transport import Scope
from gateway.transport.shared_scope import SharedScopes
from tests.fakes import FakeClock

CLOCK = FakeClock()


def scope_of(request_id: str, seconds: float) -> Scope:
    return Scope(request_id, CLOCK.monotonic() + seconds)


def test_those_who_share_have_as_long_as_the_most_patient_who_is_there() -> None:
    scopes = SharedScopes[str]()
    with scopes.joined("key", scope_of("first", 2)) as shared:
        with scopes.joined("key", scope_of("second", 5)), scopes.joined("key", scope_of("third", 1)):
            assert shared.seconds_left(CLOCK) == 5
        assert shared.seconds_left(CLOCK) == 2


def test_two_who_go_at_the_same_time_are_still_two() -> None:
    scopes = SharedScopes[str]()
    with scopes.joined("key", scope_of("first", 2)) as shared:
        with scopes.joined("key", scope_of("second", 2)):
            pass
        assert shared.seconds_left(CLOCK) == 2


def test_the_id_is_that_of_the_first_of_them() -> None:
    scopes = SharedScopes[str]()
    with scopes.joined("key", scope_of("first", 2)), scopes.joined("key", scope_of("second", 5)) as shared:
        assert shared.request_id == "first"


def test_other_keys_share_nothing() -> None:
    scopes = SharedScopes[str]()
    with scopes.joined("key", scope_of("first", 2)), scopes.joined("other", scope_of("second", 1)) as shared:
        assert (shared.request_id, shared.seconds_left(CLOCK)) == ("second", 1)


def test_when_all_have_gone_the_next_begins_anew() -> None:
    scopes = SharedScopes[str]()
    with scopes.joined("key", scope_of("first", 2)) as gone:
        pass
    with scopes.joined("key", scope_of("second", 1)) as shared:
        assert (shared.request_id, shared.seconds_left(CLOCK)) == ("second", 1)
    assert gone.seconds_left(CLOCK) == 2  # what is still being cancelled needs some answer
