"""README's tables of codes against the code, both ways: every one that a caller can see is explained, and none is invented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from graphql import GraphQLEnumType
from graphql import build_schema as read_sdl

from gateway import app
from gateway.errors import GatewayError, LimitExceeded, SettingsError
from gateway.execution import limits
from gateway.schema import print_schema
from gateway.server import door
from tests.test_cli import ROOT
from tests.test_readme import README

GATEWAY = ROOT / "gateway"
ASIDE = ("client", "sandbox")
"""They call a gateway, or are called by it."""
SECTION = README.split("## Errors\n", 1)[1].split("\n## ", 1)[0]
GRAPH = read_sdl(print_schema())


def rows(heading: str) -> list[list[str]]:
    """Give code, meaning and what to do, of each row of the table below a heading."""
    text = SECTION.split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
    assert all(len(row) == 3 and all(row) for row in table)
    return table[1:]


def calls_and_dicts(path: Path) -> Iterator[ast.Call | ast.Dict]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call | ast.Dict):
            yield node


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


def texts(*nodes: ast.expr | None) -> Iterator[str]:
    """Give the codes among expressions, also those of a choice."""
    for node in nodes:
        if isinstance(node, ast.IfExp):
            yield from texts(node.body, node.orelse)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)*", node.value):
            yield node.value


def codes_written_out(path: Path) -> Iterator[str]:
    """Give the codes that no class carries: those of limits, and what is told as `code`."""
    for node in calls_and_dicts(path):
        if isinstance(node, ast.Dict):
            yield from texts(*(value for key, value in zip(node.keys, node.values, strict=True) if "code" in _key(key)))
        elif name_of(node) in {"LimitExceeded", "_exceeded", "__init__"}:
            yield from texts(*node.args[:1])
        yield from texts(*(word.value for word in getattr(node, "keywords", ()) if word.arg == "code"))


def _key(node: ast.expr | None) -> set[object]:
    return {node.value} if isinstance(node, ast.Constant) else set()


def codes_of(error: type[GatewayError]) -> set[str]:
    return {error.code}.union(*(codes_of(child) for child in error.__subclasses__()))


def test_every_code_of_an_error_is_explained_and_none_is_invented() -> None:
    assert callable(app.create_app)  # it imports all of the gateway, so that every class is there
    modules = [path for path in GATEWAY.rglob("*.py") if path.relative_to(GATEWAY).parts[0] not in ASIDE]
    written_out = {code for path in modules for code in codes_written_out(path)}
    of_documents = set(limits._NAMED)  # noqa: SLF001  (the limits' own table of codes)
    never_told = {SettingsError.code, LimitExceeded.code}  # one ends the start, the other tells the code of its limit

    explained = [code for row in rows("In `errors`") for code in re.findall(r"`(\w+)`", row[0])]

    assert len(explained) == len(set(explained))
    assert set(explained) == (codes_of(GatewayError) | written_out | of_documents) - never_told


def statuses(path: Path) -> Iterator[int]:
    """Give the statuses that a module answers with: those of its responses, and those of functions that choose one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        answers = isinstance(node, ast.Call) and (name_of(node) == "respond" or name_of(node).endswith("Response"))
        chooses = isinstance(node, ast.FunctionDef) and node.name.endswith("status_of")
        if answers or chooses:
            numbers = {item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and type(item.value) is int}
            yield from numbers & set(HTTPStatus)


def test_every_status_is_explained_and_none_is_invented() -> None:
    answered = {status for room in ("server", "explorer") for path in (GATEWAY / room).rglob("*.py") for status in statuses(path)}
    of_errors = {status for _, status in door._STATUSES}  # noqa: SLF001  (the door's own table of statuses)
    of_routes = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}  # told by Starlette, too

    explained = [int(row[0]) for row in rows("Status")]

    assert explained == sorted(answered | of_errors | of_routes)


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("`outcome` of a write", "MutationOutcome"),
        ("`userErrors[].code`", "UserErrorCode"),
        ("`warnings[].code` of a record", "DataWarningCode"),
        ("`sourceResults[].status`", "SourceResultStatus"),
    ],
    ids=["outcome", "user error", "warning", "source result"],
)
def test_every_value_is_explained_in_the_words_of_the_graph(heading: str, name: str) -> None:
    enum = GRAPH.get_type(name)
    assert isinstance(enum, GraphQLEnumType)

    assert [(code, means) for code, means, _ in rows(heading)] == [(f"`{code}`", value.description) for code, value in enum.values.items()]
