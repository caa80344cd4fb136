"""What went wrong lately, once a kind."""

from __future__ import annotations

from gateway.errors import CircuitOpen, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from gateway.transport.failures import REMEMBERED, Failure, FailureLog
from tests.fakes import FakeClock


def failed(kind: type[UpstreamError] = UpstreamUnavailable, operation: str = "GetOrder", what: str = "it answered 503") -> UpstreamError:
    return kind(f"{operation}: {what}", source="src", operation=operation)


def test_a_failure_is_told_with_code_operation_and_time() -> None:
    clock = FakeClock()
    log = FailureLog(clock.now)
    log.note(failed())

    assert log.failures == (
        Failure(
            operation="GetOrder",
            code="UPSTREAM_UNAVAILABLE",
            message="it answered 503",
            times=1,
            first_at=clock.now(),
            last_at=clock.now(),
        ),
    )


def test_failures_of_one_kind_are_counted_and_the_last_one_is_quoted() -> None:
    clock = FakeClock()
    log, first_at = FailureLog(clock.now), clock.now()
    for what in ("it answered 502", "it answered 503"):
        log.note(failed(what=what))
        clock.advance(60)

    (failure,) = log.failures
    assert (failure.times, failure.message) == (2, "it answered 503")
    assert (failure.first_at, (failure.last_at - first_at).total_seconds()) == (first_at, 60)


def test_the_latest_kind_comes_first_and_a_thousand_of_it_hide_no_other() -> None:
    log = FailureLog(FakeClock().now)
    log.note(failed())
    log.note(failed(UpstreamTimeout))
    for _ in range(1000):
        log.note(failed(CircuitOpen))
    log.note(failed())

    assert [(failure.code, failure.times) for failure in log.failures] == [
        ("UPSTREAM_UNAVAILABLE", 2),
        ("UPSTREAM_CIRCUIT_OPEN", 1000),
        ("UPSTREAM_TIMEOUT", 1),
    ]


def test_as_many_kinds_are_kept_as_are_remembered_the_oldest_is_forgotten() -> None:
    log = FailureLog(FakeClock().now)
    for number in range(REMEMBERED + 2):
        log.note(failed(operation=f"Get{number}"))

    assert [failure.operation for failure in log.failures] == [f"Get{number}" for number in range(11, 1, -1)]
