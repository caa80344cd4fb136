"""How results are written."""

from __future__ import annotations

import json

from tests.bench.figures import Figures
from tests.bench.measure import Result
from tests.bench.report import to_json, to_markdown, to_text

_RESULTS = [
    Result("gateway", "flat", 100, 32, 1, Figures(0.5, 1000, 10, 20, 1, 100_000_000)),
    Result("Peer 1.0", "flat", 100, 32, 1, Figures(0.25, 2000, 5, 9, 1, 50_000_000)),
    Result("gateway", "one", 1, 32, 1, None, failure="NoAnswer: the connection was lost: closed"),
]


def test_text_has_the_medians_what_failed_and_the_ratios() -> None:
    lines = to_text(_RESULTS).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["gateway", "flat", "100", "32", "1", "0.50", "1000", "10.0", "20.0", "1.0", "100"],
        ["Peer", "1.0", "flat", "100", "32", "1", "0.25", "2000", "5.0", "9.0", "1.0", "50"],
    ]
    assert lines[3:] == [
        "not measured: gateway, one, 32 connections: NoAnswer: the connection was lost: closed",
        "flat, 100 objects, 32 connections, 1 workers: CPU of the gateway in multiples of: Peer 1.0 2.00",
    ]


def test_markdown_has_a_row_a_stack_and_the_command() -> None:
    assert to_markdown(_RESULTS, "python -m tests.bench --peers").splitlines() == [
        "| CPU ms a request (upstream calls) | flat, 100 objects, 32 connections | one, 1 objects, 32 connections |",
        "|---|---|---|",
        "| gateway | 0.50 (1) | - |",
        "| Peer 1.0 | 0.25 (1) |  |",
        "",
        "Made by `python -m tests.bench --peers`.",
    ]


def test_json_has_everything() -> None:
    plain = json.loads(to_json(_RESULTS, {"limits": {"max_nodes": 1000}}, {"Peer 2": "there is no npm"}, None))
    assert plain["raisedLimits"] == {"limits": {"max_nodes": 1000}}
    assert plain["peersNotMeasured"] == {"Peer 2": "there is no npm"}
    assert plain["results"][0]["figures"]["cpu_milliseconds"] == 0.5
    assert plain["results"][2]["failure"] == "NoAnswer: the connection was lost: closed"
