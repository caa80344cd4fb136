"""The drill of replicas in small, and its judge."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.drills.load import Answers
from tests.drills.replicas import Plan, Report, busiest_minute, drill, to_text

pytestmark = pytest.mark.anyio


def a_report(**codes: int) -> Report:
    return Report(Plan(), reads=Answers(Counter(codes), [0.1] * 100), writes=Answers(seconds=[0.2] * 100))


def test_a_report_without_a_broken_promise_is_let_pass() -> None:
    report = a_report(ok=100)
    report.lost_in_flight = 3
    report.tokens = {"norce.Token": [0, 1, 2, 60, 61, 62]}

    assert report.violations == []


def test_each_broken_promise_is_named() -> None:
    report = a_report(ok=98, UPSTREAM_AUTH=2)
    report.lost_otherwise = ["ReadError: "]
    report.reads.seconds[:2] = [10.5, 10.5]
    report.writes.seconds = []
    report.tokens = {"norce.Token": [0, 20, 40, 59.9]}

    assert report.violations == [
        "no answer from a gateway that nobody had killed: ReadError: ",
        "reads: 2 x UPSTREAM_AUTH",
        "reads: p99 10.5 s, more than 10 s",
        "writes: none was answered",
        "norce.Token: asked 4 times in a minute",
    ]


@pytest.mark.parametrize(("moments", "most"), [([], 0), ([5.0], 1), ([0.0, 30.0, 60.0, 89.0], 3), ([0.0, 59.9, 60.0, 119.8], 3)])
def test_the_busiest_minute_may_begin_anywhere(moments: list[float], most: int) -> None:
    assert busiest_minute(moments) == most


@pytest.mark.postgres
async def test_replicas_that_are_killed_time_and_again_break_no_promise(tmp_path: Path) -> None:
    report = await drill(Plan(minutes=0.3, kill_every_seconds=4), tmp_path)

    assert (report.violations, report.kills >= 2, len(report.stories) > 100) == ([], True, True), to_text(report)
