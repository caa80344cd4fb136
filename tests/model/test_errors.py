"""The errors and what a client is told of each."""

from __future__ import annotations

import pytest

from gateway.errors import (
    AbsenceUnproven,
    AmbiguousLookup,
    CircuitOpen,
    GatewayError,
    InvalidInput,
    LimitExceeded,
    LookupUnsupported,
    MalformedAnswer,
    NotAuthenticated,
    NotPermitted,
    SettingsError,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [(InvalidInput, "BAD_USER_INPUT"), (NotPermitted, "FORBIDDEN"), (NotAuthenticated, "UNAUTHENTICATED")],
)
def test_what_a_caller_did_wrong_has_a_code_and_nothing_else(error: type[GatewayError], code: str) -> None:
    assert error("why").extensions == {"code": code}


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (UpstreamTimeout, "UPSTREAM_TIMEOUT", True),
        (UpstreamUnavailable, "UPSTREAM_UNAVAILABLE", True),
        (CircuitOpen, "UPSTREAM_CIRCUIT_OPEN", True),
        (UpstreamOverloaded, "UPSTREAM_OVERLOADED", True),
        (UpstreamRateLimited, "UPSTREAM_RATE_LIMITED", True),
        (UpstreamAuthFailed, "UPSTREAM_AUTH", False),
        (UpstreamRejected, "UPSTREAM_REJECTED", False),
        (MalformedAnswer, "UPSTREAM_BAD_RESPONSE", False),
        (LookupUnsupported, "LOOKUP_UNSUPPORTED", False),
        (AbsenceUnproven, "ABSENCE_UNPROVEN", False),
    ],
)
def test_an_error_of_a_source_says_where_it_happened_and_whether_asking_again_may_help(
    error: type[UpstreamError], code: str, *, retryable: bool
) -> None:
    raised = error("why", source="shop", operation="GetOrder")

    assert raised.extensions == {"code": code, "source": "shop", "operation": "GetOrder", "retryable": retryable}


def test_an_ambiguous_lookup_has_the_ids_to_choose_from() -> None:
    error = AmbiguousLookup("two", source="shop", operation="find", ids=("one", "other"))

    assert error.extensions == {
        "code": "AMBIGUOUS_LOOKUP",
        "source": "shop",
        "operation": "find",
        "retryable": False,
        "ids": ["one", "other"],
    }


def test_a_limit_is_told_by_its_own_code() -> None:
    assert LimitExceeded("NODES_LIMIT", "too many").extensions == {"code": "NODES_LIMIT"}


@pytest.mark.parametrize(("seconds", "told"), [(0, 0), (0.2, 1), (1.0, 1), (1.4, 2), (90.0, 90), (-3, 0)])
def test_a_wait_is_told_in_whole_seconds_and_never_shorter_than_it_is(seconds: float, told: int) -> None:
    error = UpstreamRateLimited("429", source="shop", operation="GetOrder", retry_after=seconds)

    assert error.extensions["retryAfter"] == told


@pytest.mark.parametrize("seconds", [None, float("inf"), float("nan")])
def test_a_wait_that_is_not_known_or_has_no_end_is_not_told(seconds: float | None) -> None:
    error = UpstreamUnavailable("503", source="shop", operation="GetOrder", retry_after=seconds)

    assert "retryAfter" not in error.extensions


def test_a_call_that_failed_has_perhaps_been_sent_unless_something_proves_that_it_was_not() -> None:
    assert UpstreamTimeout("late", source="shop", operation="GetOrder").nothing_sent is False
    assert UpstreamTimeout("late", source="shop", operation="GetOrder", nothing_sent=True).nothing_sent is True


def test_mistakes_of_the_configuration_are_one_line_each() -> None:
    error = SettingsError("a: wrong", "b: wrong")

    assert (error.lines, str(error)) == (("a: wrong", "b: wrong"), "a: wrong\nb: wrong")
