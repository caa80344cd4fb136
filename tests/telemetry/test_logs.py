"""Log lines: what is in them, and what cannot get into them."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from gateway.telemetry import write_logs
from gateway.telemetry.logs import KEYS

GATEWAY = Path(__file__).parents[2] / "gateway"
SECRET = "secret-19121212-1212"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Give what is written to, and leave all loggers as they were."""
    root, ours = logging.getLogger(), logging.getLogger("gateway")
    before = (root.handlers[:], root.level, ours.level)
    yield io.StringIO()
    root.handlers[:], root.level, ours.level = before
    root.setLevel(before[1])
    ours.setLevel(before[2])


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_its_time_level_and_message(stream: io.StringIO) -> None:
    write_logs("json", "warning", stream)
    logging.getLogger("gateway").warning("worker %d ended", 7)

    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "logger": "gateway", "message": "worker 7 ended"}


def test_a_line_has_the_keys_that_are_known_and_no_others(stream: io.StringIO) -> None:
    write_logs("json", "info", stream)
    told = {"requestId": "4bf9", "codes": ["UPSTREAM_TIMEOUT"], "status": 200, "variables": SECRET, "traceId": None}
    logging.getLogger("gateway.requests").info("answered", extra=told)

    (line,) = lines(stream)
    assert {key: line[key] for key in line if key in KEYS} == {"requestId": "4bf9", "codes": ["UPSTREAM_TIMEOUT"], "status": 200}
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_a_library_fills_into_its_message_is_not_told(stream: io.StringIO, form: Literal["json", "text"]) -> None:
    write_logs(form, "debug", stream)
    logging.getLogger("uvicorn.error").warning("cannot read %s", SECRET)
    logging.getLogger("asyncio").error(ValueError(SECRET))

    assert SECRET not in stream.getvalue()
    assert "cannot read %s" in stream.getvalue()
    assert "ValueError" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_of_an_exception_its_type_and_place_are_told_and_not_its_text(stream: io.StringIO, form: Literal["json", "text"]) -> None:
    write_logs(form, "warning", stream)
    try:
        int(SECRET)  # "invalid literal for int() with base 10: ..."
    except ValueError:
        logging.getLogger("gateway").exception("worker %d", 7)

    assert SECRET not in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "test_logs.py" in stream.getvalue()


def test_as_text_a_line_is_its_message_with_what_is_known_after_it(stream: io.StringIO) -> None:
    write_logs("text", "info", stream)
    told = {"requestId": "4bf9", "codes": ("UPSTREAM_TIMEOUT", "INTERNAL"), "status": 200, "traceId": None}
    logging.getLogger("gateway.requests").info("answered", extra=told)

    assert stream.getvalue() == "info: answered requestId=4bf9 codes=UPSTREAM_TIMEOUT,INTERNAL status=200\n"


def test_a_line_break_cannot_begin_another_line_of_json(stream: io.StringIO) -> None:
    write_logs("json", "warning", stream)
    logging.getLogger("gateway").warning('one\n{"level": "error"}')

    assert [line["level"] for line in lines(stream)] == ["warning"]


def test_libraries_are_heard_from_a_warning_on_whatever_our_level(stream: io.StringIO) -> None:
    write_logs("json", "debug", stream)
    logging.getLogger("aiosqlite").setLevel(logging.INFO)  # as our journal does
    logging.getLogger("aiosqlite").info("executing")
    logging.getLogger("gateway").debug("no plan is made")

    assert [line["message"] for line in lines(stream)] == ["no plan is made"]


def test_every_message_of_ours_is_a_constant_text() -> None:
    for path in sorted(GATEWAY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="_LOG"), attr=level)) if level != "isEnabledFor":
                    assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
