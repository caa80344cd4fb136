"""README's pictures against the code: an arrow between two rooms is an import, and a write ends as the graph says."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.model import MutationOutcome
from tests.test_cli import ROOT
from tests.test_readme import README

GATEWAY = ROOT / "gateway"
ARCHITECTURE, WRITE = re.findall(r"^```mermaid\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
NODE = re.compile(r"^  (\w+)(?:\[\(|\(\[|\[|\{)\"(.+)\"(?:\)\]|\]\)|\]|\})$")
ARROW = re.compile(r"^  (\w+) (-->|-\. .+ \.->|-- .+ -->|== .+ ==>) (\w+)$")


class Arrow(NamedTuple):
    """From one node to another; `is_plain`: without a word, as an import is drawn."""

    start: str
    end: str
    is_plain: bool


def arrows(picture: str) -> list[Arrow]:
    return [Arrow(found[1], found[3], found[2] == "-->") for line in picture.splitlines() if (found := ARROW.match(line))]


def nodes(picture: str) -> dict[str, str]:
    """Give what each node says."""
    return {found[1]: found[2] for line in picture.splitlines() if (found := NODE.match(line))}


def imports(room: str) -> Iterator[str]:
    """Give the rooms that the modules of a room import."""
    for path in (GATEWAY / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("gateway"):
                names = [node.module] if node.module != "gateway" else [f"gateway.{alias.name}" for alias in node.names]
                yield from (name.split(".")[1] for name in names)


@pytest.mark.parametrize("picture", [ARCHITECTURE, WRITE], ids=["architecture", "write"])
def test_each_line_of_a_picture_is_a_node_or_an_arrow_between_nodes(picture: str) -> None:
    head, *lines = [line for line in picture.splitlines() if line]

    assert head == "flowchart TB"
    assert [line for line in lines if not NODE.match(line) and not ARROW.match(line)] == []
    assert {name for arrow in arrows(picture) for name in (arrow.start, arrow.end)} == set(nodes(picture))


def test_an_arrow_between_two_rooms_is_an_import() -> None:
    drawn = [(arrow.start, arrow.end) for arrow in arrows(ARCHITECTURE) if arrow.is_plain]

    assert drawn
    assert [(start, end) for start, end in drawn if end not in set(imports(start))] == []


def test_every_room_that_a_request_goes_through_is_drawn() -> None:
    rooms = {path.parent.name for path in GATEWAY.glob("*/__init__.py")}
    beside = {"client", "explorer", "model", "sandbox"}

    assert set(nodes(ARCHITECTURE)) - {"caller", "systems"} == rooms - beside


def test_a_write_ends_with_the_outcomes_of_the_graph() -> None:
    ends = set(nodes(WRITE)) - {arrow.start for arrow in arrows(WRITE)} | {"unknown"}
    named = {word for name in ends for word in re.findall(r"\b[A-Z][A-Z_]+\b", nodes(WRITE)[name])}

    assert named - {"IDEMPOTENCY_KEY_REUSED"} == set(MutationOutcome)


PARSE = """
import { JSDOM } from "jsdom";
const { window } = new JSDOM("<body></body>");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");
for (const picture of JSON.parse(process.argv[1])) console.log((await mermaid.parse(picture)).diagramType);
"""


@pytest.mark.node
def test_the_pictures_can_be_drawn(tmp_path: Path) -> None:
    for command in (
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "mermaid@11", "jsdom@26"],
        ["node", "--input-type=module", "-e", PARSE, json.dumps([ARCHITECTURE, WRITE])],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr

    assert done.stdout == "flowchart-v2\nflowchart-v2\n"
