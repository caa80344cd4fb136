"""The README's table of what is on by default: each value is the settings' own, each test is there, and no limit is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel

from gateway.loaders import MAX_FIRST
from gateway.settings import (
    CallerSettings,
    FederationSettings,
    JournalSettings,
    JwtSettings,
    LimitSettings,
    ServerSettings,
    SourceSettings,
    TelemetrySettings,
)

TESTS: Final = Path(__file__).parent
README: Final = (TESTS.parent / "README.md").read_text(encoding="utf-8")
TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "server": ServerSettings,
    "callers": CallerSettings,
    "jwt": JwtSettings,
    "federation": FederationSettings,
    "limits": LimitSettings,
    "journal": JournalSettings,
    "sources": SourceSettings,
    "telemetry": TelemetrySettings,
}


def rows() -> list[list[str]]:
    section = README.split("## What is on by default\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


ROWS: Final = rows()
KEYED: Final = [
    (key, value)
    for _, values, keys, _ in ROWS
    if re.fullmatch(r"(`\w+\.\w+`(, )?)+", keys)
    for key, value in zip(re.findall(r"`([\w.]+)`", keys), values.split(", "), strict=True)
]


def default_of(key: str) -> Any:  # noqa: ANN401  (of any key)
    table, _, name = key.partition(".")
    return TABLES[table].model_fields[name].get_default(call_default_factory=True)


def written(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, int | float):
        return f"{default:,}".replace(",", " ")
    if isinstance(default, tuple):
        return " ".join(default) or "none"
    return "none" if default is None else str(default)


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("key", "value"), KEYED, ids=[key for key, _ in KEYED])
def test_the_value_of_a_key_is_the_one_of_the_settings(key: str, value: str) -> None:
    assert value == written(default_of(key))


def test_every_limit_is_named() -> None:
    named = {key.removeprefix("limits.") for key, _ in KEYED if key.startswith("limits.")}

    assert named == set(LimitSettings.model_fields)


def test_a_page_has_as_many_objects_at_the_most_as_is_told() -> None:
    assert [value for what, value, *_ in ROWS if what == "`first`"] == [str(MAX_FIRST)]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_protection_is_held_by_a_test_that_is_there(row: list[str]) -> None:
    path, _, name = row[3].strip("`").partition("::")

    assert name.startswith("test_")
    assert name in functions_of(TESTS / path)
