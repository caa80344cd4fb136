"""The judges of the soak and of the isolation drill: what they let pass, and that they miss no broken promise."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.drills import isolation, soak
from tests.drills.load import LEFT_OUT, Answers
from tests.drills.soak import Plan, Sample

MB = 2**20


def soaked(last: int, *, minutes: float = 11, sockets: int = 40, **codes: int) -> soak.Report:
    """Make the report of a soak that had 100 MB after the first minute, and more before it."""
    seconds = minutes * 60
    samples = [Sample(at=2 * step, memory=120 * MB if step < 30 else 100 * MB, sockets=sockets) for step in range(int(seconds / 2) - 10)]
    samples += [Sample(at=seconds - 2 * step, memory=last * MB, sockets=sockets) for step in range(11)]
    return soak.Report(Plan(minutes=minutes), seconds=seconds, answers=Answers(Counter(codes)), samples=samples)


def test_a_soak_whose_memory_is_flat_after_the_first_minute_is_let_pass() -> None:
    report = soaked(104, ok=1000, UPSTREAM_TIMEOUT=3)
    report.answers.codes[LEFT_OUT] = 5
    assert (report.ends, report.violations) == ((100 * MB, 104 * MB), [])


@pytest.mark.parametrize(("minutes", "last", "is_broken"), [(3, 105, True), (11, 105, True), (21, 109, False), (21, 110, True)])
def test_memory_may_grow_by_less_than_five_percent_in_ten_minutes(minutes: float, last: int, *, is_broken: bool) -> None:
    assert bool(soaked(last, minutes=minutes).violations) is is_broken


def test_a_soak_of_a_minute_says_nothing_of_memory() -> None:
    assert soak.Report(Plan(minutes=1), seconds=60, samples=[Sample(10, MB, 1), Sample(58, 9 * MB, 1)]).ends is None


def test_what_no_fault_explains_is_named() -> None:
    assert soaked(100, ok=9, INTERNAL=1, UPSTREAM_OVERLOADED=2).violations == [
        "unexpected: 1 INTERNAL",
        "unexpected: 2 UPSTREAM_OVERLOADED",
    ]


def test_sockets_over_the_bound_are_named() -> None:
    report = soaked(100, sockets=1000)
    assert report.violations == [f"1000 sockets open, and there may be {report.socket_bound}"]


def isolated(milliseconds: int, **codes: int) -> isolation.Report:
    """Make the report of a drill whose p99 was 100 ms without the fault."""
    without = Answers(Counter(ok=100), [0.01] * 98 + [0.1] * 2)
    with_fault = Answers(Counter(codes), [0.01] * 98 + [milliseconds / 1000] * 2)
    busy = Answers(Counter(ok=1), [0.1]), Answers(Counter(ok=1), [9.0])  # a round in which the machine had other work
    return isolation.Report([(without, with_fault), busy, (without, with_fault)], Counter(UPSTREAM_TIMEOUT=10))


@pytest.mark.parametrize(("milliseconds", "expected"), [(50, []), (120, []), (121, ["p99 grew by 1.21, more than 1.2"])])
def test_a_p99_may_grow_by_a_fifth(milliseconds: int, expected: list[str]) -> None:
    assert isolated(milliseconds, ok=100).violations == expected


def test_a_question_that_the_stalled_source_takes_down_is_named() -> None:
    assert isolated(100, ok=99, UPSTREAM_TIMEOUT=1).violations == ["questions to other sources: 2 UPSTREAM_TIMEOUT"]


def test_a_drill_without_a_stall_proves_nothing() -> None:
    report = isolated(100, ok=100)
    report.of_stalled["ok"] = 1
    assert report.violations == ["the stalled source answered: the drill proves nothing"]
