"""Which reads are tried again, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    CircuitOpen,
    MalformedAnswer,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.transport.retry import RetryPolicy, is_retryable, longest

ALMOST_ONE = 1 - 2**-53
TIMES = st.floats(0, 100, exclude_min=True)


def error(kind: type[UpstreamError]) -> UpstreamError:
    return kind("why", source="src", operation="Get")


def policy(random: float = 0.5, retries: int = 2) -> RetryPolicy:
    return RetryPolicy(retries, lambda: random)


@pytest.mark.parametrize("kind", [UpstreamTimeout, UpstreamUnavailable])
def test_a_read_that_no_answer_came_to_may_be_tried_again(kind: type[UpstreamError]) -> None:
    assert is_retryable(error(kind))


@pytest.mark.parametrize(
    "kind", [CircuitOpen, UpstreamOverloaded, UpstreamRateLimited, UpstreamAuthFailed, UpstreamRejected, MalformedAnswer]
)
def test_a_read_that_was_not_sent_or_was_answered_is_not_tried_again_for_its_error(kind: type[UpstreamError]) -> None:
    assert not is_retryable(error(kind))
    assert policy().delay(error(kind), done=0, seconds_left=10) is None


def test_of_all_statuses_five_may_be_tried_again() -> None:
    assert [status for status in range(100, 600) if is_retryable(status)] == [429, 500, 502, 503, 504]


@pytest.mark.parametrize(("done", "most"), [(0, 0.05), (1, 0.1), (2, 0.2), (5, 1.6), (6, 2), (7, 2), (5000, 2)])
def test_the_pause_doubles_up_to_two_seconds(done: int, most: float) -> None:
    at_most = policy(1, retries=10_000)  # one, so that the product is exact
    assert at_most.delay(503, done=done, seconds_left=10) == most
    assert at_most.delay(error(UpstreamTimeout), done=done, seconds_left=10) == most


@pytest.mark.parametrize(("done", "most"), [(0, 1), (1, 2), (2, 2)])
def test_the_pause_is_longer_after_a_429_that_names_none(done: int, most: float) -> None:
    assert policy(1, retries=10).delay(429, done=done, seconds_left=10) == most


@pytest.mark.parametrize(("random", "expected"), [(0, 0), (0.25, 0.25), (0.5, 0.5)])
def test_chance_spreads_the_pause_from_nothing_to_the_whole(random: float, expected: float) -> None:
    assert policy(random).delay(429, done=0, seconds_left=10) == expected


def test_the_pause_is_cut_to_the_time_left() -> None:
    assert policy(0.5).delay(429, done=0, seconds_left=0.5) == 0.25


@pytest.mark.parametrize("seconds_left", [0, -1])
def test_without_time_left_nothing_is_tried_again(seconds_left: float) -> None:
    assert policy().delay(500, done=0, seconds_left=seconds_left) is None
    assert policy().delay(503, done=0, seconds_left=seconds_left, retry_after=0) is None


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (2, 3), (5, 6)])
def test_attempts_are_one_more_than_retries(retries: int, attempts: int) -> None:
    rule = policy(retries=retries)
    done = 0
    while rule.delay(502, done=done, seconds_left=10) is not None:
        done += 1
    assert 1 + done == attempts


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("retry_after", "delay"), [(0, 0), (3, 3), (9.5, 9.5), (10, None), (60, None)])
def test_the_wait_that_was_asked_for_is_kept_to_or_nothing_is_tried(status: int, retry_after: float, delay: float | None) -> None:
    assert policy().delay(status, done=0, seconds_left=10, retry_after=retry_after) == delay


def test_an_error_that_says_how_long_to_wait_is_waited_for() -> None:
    held = UpstreamUnavailable("Token: it answered 503", source="src", operation="Token", retry_after=3)
    assert policy().delay(held, done=0, seconds_left=10, retry_after=held.retry_after) == 3


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_wait_beside_another_failure_is_not_heeded(status: int) -> None:
    assert policy().delay(status, done=0, seconds_left=10, retry_after=60) == 0.025


@pytest.mark.parametrize(("retries", "timeout_seconds", "seconds"), [(0, 3, 3), (1, 3, 6.05), (2, 3, 9.15), (7, 1, 13.15), (9, 1, 19.15)])
def test_the_longest_a_read_takes_is_all_attempts_and_the_pauses_between(retries: int, timeout_seconds: float, seconds: float) -> None:
    assert longest(retries, timeout_seconds) == pytest.approx(seconds)


@given(
    status=st.sampled_from([429, 500, 502, 503, 504]),
    random=st.floats(0, ALMOST_ONE),
    retries=st.integers(0, 5),
    done=st.integers(0, 5),
    seconds_left=TIMES,
    retry_after=st.none() | st.floats(0, 120),
)
def test_a_pause_always_leaves_time_for_the_call(
    status: int, random: float, retries: int, done: int, seconds_left: float, retry_after: float | None
) -> None:
    delay = policy(random, retries).delay(status, done=done, seconds_left=seconds_left, retry_after=retry_after)
    assert delay is None or 0 <= delay < seconds_left


@given(randoms=st.lists(st.floats(0, ALMOST_ONE), min_size=5, max_size=5), retries=st.integers(0, 5), timeout_seconds=TIMES)
def test_no_read_that_goes_without_answer_takes_longer_than_was_said(randoms: list[float], retries: int, timeout_seconds: float) -> None:
    rule = RetryPolicy(retries, iter(randoms).__next__)
    passed, done = timeout_seconds, 0
    while (delay := rule.delay(error(UpstreamTimeout), done=done, seconds_left=1e6)) is not None:
        passed += delay + timeout_seconds
        done += 1
    assert passed <= longest(retries, timeout_seconds) + 1e-9
