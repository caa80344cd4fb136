"""The schema drill: whatever the schema allows, and whatever it does not, is asked of the demo; and every answer keeps the rules.

Two halves. Schemathesis makes documents of the schema: valid ones, wrong ones, and sequences, as far as it can see them (a mutation
that answers an object with an id; ours answer payloads). `tests.drills.dialogue` makes the sequences that it cannot see.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.drills.answers import Heard, codes
from tests.drills.dialogue import Say, over
from tests.drills.gateways import ServedProcess

Tell = Callable[[str], None]

_ROOT: Final = Path(__file__).parents[2]
_SOURCES: Final = ("pos", "subscriptions", "shop", "commerce")
_ANSWER_SECONDS: Final = 60.0
_STEPS: Final = 40
_AT_ONCE: Final = 5
"""Dialogues between two looks at the clock."""
_SHOWN: Final = 60
"""Lines of what it said."""
_ANNOUNCED: Final = "Ctrl-C ends it."
_PROBE: Final = "warning: Invalid HTTP request received."
"""Schemathesis tries once whether a header may hold a NUL."""
_THINGS: Final = "{ customers(first: 20) { nodes { id } } orders(first: 20) { nodes { id } } invoices(first: 20) { nodes { id } } }"


class NotInstalled(Exception):
    """Schemathesis is not there; the message says how to get it."""


@dataclass(slots=True)
class Report:
    """What was asked, and what was wrong."""

    seconds: float = 0.0
    cases: int = 0
    dialogues: int = 0
    requests: int = 0
    """Of the dialogues."""
    codes: dict[str, int] = field(default_factory=dict)
    """Of the errors in answers of the dialogues."""
    violations: list[str] = field(default_factory=list)


async def drill(seconds: float, folder: Path, tell: Tell) -> Report:
    """Ask the demo for so many seconds, half the time by each half. Raises `NotInstalled` and `NeverUp`."""
    if find_spec("schemathesis") is None:
        raise NotInstalled("schemathesis is not installed: `uv run --group fuzz python -m tests.drills schema`")
    started, report, log = time.monotonic(), Report(), folder / "demo.log"
    demo = ServedProcess(["demo"], log)
    await demo.start()
    try:
        await demo.wait_until_up()
        tell("documents made of the schema")
        _documents(demo.url, seconds / 2, folder, report)
        tell("dialogues")
        _dialogues(demo.url, seconds / 2, report)
    finally:
        await demo.kill()
    if words := said(log.read_text(encoding="utf-8")):
        report.violations.append("\n".join(["the demo said:", *words[:_SHOWN]]))
    report.seconds = time.monotonic() - started
    return report


def said(log: str) -> list[str]:
    """Give what a gateway that is well would not have said."""
    _, _, later = log.partition(_ANNOUNCED)
    return [line for line in later.splitlines() if line.strip() and line != _PROBE]


def to_text(report: Report) -> str:
    """Write the report."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.seconds:.0f} s: {report.cases} documents, {report.dialogues} dialogues with {report.requests} requests"
    yield "refusals in dialogues: " + (", ".join(f"{number} {code}" for code, number in sorted(report.codes.items())) or "none")
    yield f"violations: {len(report.violations)}"
    yield from (f"  {what}" for what in report.violations)


# ------------------------------------------------------------------ documents


def _documents(url: str, seconds: float, folder: Path, report: Report) -> None:
    """Let schemathesis ask."""
    config, told = folder / "schemathesis.toml", folder / "schemathesis.json"
    config.write_text(_config(_ids(url)), encoding="utf-8")
    command = ["--config-file", str(config), "run", f"{url}/graphql", "--max-time", str(max(1, int(seconds))), "--no-color"]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *command, "--report", "json", "--report-json-path", str(told)],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.drills.schema_hooks", "PYTHONPATH": str(_ROOT)},
        cwd=folder,  # it leaves files where it runs
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = re.search(r"(\d+) generated", done.stdout)
    report.cases = int(found[1]) if found else 0
    if done.returncode or not report.cases:
        report.violations.append(f"schemathesis ended with {done.returncode}:\n{done.stdout}")


def _ids(url: str) -> list[str]:
    data = httpx.post(f"{url}/graphql", json={"query": _THINGS}, timeout=_ANSWER_SECONDS, trust_env=False).json()["data"]
    return [node["id"] for page in data.values() for node in page["nodes"]]


def _config(ids: list[str]) -> str:
    """Write what schemathesis reads: its checks that hold for this graph, and values without which most questions end early."""
    tables: Mapping[str, Mapping[str, object]] = {
        "generation": {"mode": "all", "database": "none", "max-examples": 200},
        "warnings": {"enabled": False},
        "checks": {"enabled": False},
        **{f"checks.{name}": {"enabled": True} for name in _CHECKS},
        "dictionaries.sources": {"values": list(_SOURCES)},
        "dictionaries.ids": {"values": ids},
        "dictionaries.sizes": {"values": [1, 2, 5, 25, 100]},
        "parameters": {
            **{f"*.*.{path}": {"dictionary": "sources", "probability": 0.8} for path in ("source", "key", *_NAMES_OF_SOURCES)},
            **{f"*.*.{path}": {"dictionary": "ids", "probability": 0.6} for path in ("id", "ids.[*]", "by.id", "order.id", "customer.id")},
            "*.*.first": {"dictionary": "sizes", "probability": 0.7},
        },
    }
    return "\n".join(_table(name, table) for name, table in tables.items())


_CHECKS: Final = ("response_schema_conformance", "negative_data_rejection", "well_formed_answer")
_NAMES_OF_SOURCES: Final = ("filter.sources.[*]", "by.native.source", "by.number.source", "order.native.source", "customer.native.source")


def _table(name: str, table: Mapping[str, Any]) -> str:
    return f"[{name}]\n" + "".join(f"{json.dumps(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


# ------------------------------------------------------------------ dialogues


def _dialogues(url: str, seconds: float, report: Report) -> None:
    """Hold dialogues until the time is over or one of them went wrong."""
    end, places = time.monotonic() + seconds, count()
    chosen = settings(
        max_examples=_AT_ONCE,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),  # what dialogues wrote stays: a shorter one would be another one
        suppress_health_check=list(HealthCheck),
    )
    with httpx.Client(base_url=url, timeout=_ANSWER_SECONDS, trust_env=False) as client:
        while time.monotonic() < end and not report.violations:
            try:
                run_state_machine_as_test(over(_asking(client, report), places), settings=chosen)
            except Exception as error:  # noqa: BLE001  (hypothesis wraps what a dialogue finds in more than one way)
                report.violations += list(_found(error))
            report.dialogues += _AT_ONCE


def _asking(client: httpx.Client, report: Report) -> Say:
    def say(body: bytes, headers: Mapping[str, str]) -> Heard:
        response = client.post("/graphql", content=body, headers=dict(headers))
        report.requests += 1
        if b'"errors"' in response.content:
            for code in codes(response.json()):
                report.codes[code] = report.codes.get(code, 0) + 1
        return Heard(response.status_code, response.headers["content-type"], response.content)

    return say


def _found(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _found(inner)
        return
    yield "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
