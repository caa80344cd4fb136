"""README against the code, both ways: what it promises is there, what is there it names."""

import asyncio
import csv
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import __main__ as command_line
from gateway.app import make_gateway, settings_from
from gateway.model import Batching, Capability, Operation, SupportLevel
from gateway.sandbox.app import create_sandbox
from gateway.settings import SourceSettings, load_settings
from gateway.sources import SOURCES
from tests.test_cli import address_in, running

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1, language
    return str(found[0])


def example(name: str) -> str:
    """Give what stands in the fence behind a marker, with its own address of the demo."""
    found = re.findall(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1, name
    return str(found[0])


def execute(command: list[str], name: str, address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example as it stands, but for where the demo is."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "INVOICE_GATEWAY_URL": f"{address}graphql",
    }
    text = example(name).replace("http://127.0.0.1:8000/", address)
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, cwd=folder, env=environment, check=True)


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with running("demo", "--port", "0") as (_, first):
        yield address_in(first)


def table_after(heading: str) -> list[list[str]]:
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if not row.startswith("|---")]


def test_all_pages_become_a_table(demo: str, tmp_path: Path) -> None:
    done = execute(["sh", "-e"], "pages", demo, tmp_path)

    header, *rows = csv.reader((tmp_path / "invoices.csv").read_text(encoding="utf-8").splitlines())
    assert (done.stdout, done.stderr) == ("", "")
    assert header == ["number", "issueDate", "totals.inclVat.amount", "totals.inclVat.currency", "customer.name", "orders.number"]
    assert len(rows) > 100


def test_a_batch_is_tried_dry_and_then_made(demo: str, tmp_path: Path) -> None:
    execute(["sh", "-e"], "batch", demo, tmp_path)

    results = [json.loads(line) for line in (tmp_path / "rows.results.ndjson").read_text(encoding="utf-8").splitlines()]
    assert sorted((result["outcome"], result["key"]) for result in results) == [
        ("APPLIED", "invoice-F-2026-9101"),
        ("APPLIED", "invoice-F-2026-9102"),
        ("VALIDATED", "invoice-F-2026-9101"),
        ("VALIDATED", "invoice-F-2026-9102"),
    ]


def test_the_example_with_httpx_makes_an_invoice(demo: str, tmp_path: Path) -> None:
    assert execute([sys.executable, "-"], "httpx", demo, tmp_path).stdout == "APPLIED F-2026-9202\n"


def test_the_example_with_gql_reads_an_invoice(demo: str, tmp_path: Path) -> None:
    assert execute([sys.executable, "-"], "gql", demo, tmp_path).stdout == "F-2026-0088 6000.0 [{'number': 'N-100341'}]\n"


@pytest.mark.node
def test_the_example_in_typescript_reads_invoices(demo: str, tmp_path: Path) -> None:
    done = execute(["node", "--input-type=module", "-"], "typescript", demo, tmp_path)

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 3


def test_the_commands_are_those_of_the_command_line() -> None:
    help_text = command_line._parser().format_help()  # noqa: SLF001  (argparse is asked, not run)
    there = set(re.findall(r"^    (\w+)(?: |$)", help_text, re.MULTILINE))

    assert {row[0].strip("`").split()[1] for row in table_after("Commands")[1:]} == there


def test_the_table_of_systems_says_what_the_sources_say() -> None:
    header, *rows = table_after("The systems")

    assert header == ["operation", *(spec.system for spec in SOURCES)]
    assert rows == asyncio.run(_capabilities())


async def _capabilities() -> list[list[str]]:
    tables = create_sandbox(1).state.sandbox.source_tables("http://127.0.0.1:1")
    gateway = make_gateway(settings_from({"sources": tables}))
    by_system = {source.profile.system: {c.operation: c for c in source.capabilities} for source in gateway.sources}
    await gateway.aclose()
    return [[operation, *(_cell(by_system[spec.system].get(operation)) for spec in SOURCES)] for operation in Operation]


def _cell(capability: Capability | None) -> str:
    if capability is None:
        return "not yet"
    if capability.support is SupportLevel.NOT_OFFERED:
        return "-"
    cost = "" if capability.batching is Batching.NONE else f" {capability.batching}"
    return f"{'partial' if capability.support is SupportLevel.PARTIAL else 'yes'}{cost}"


def test_the_configuration_shown_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(block("toml"), encoding="utf-8")
    names = re.findall(r"env:(\w+)", block("toml"))

    settings = load_settings(path, {spec.name: spec.options for spec in SOURCES}, dict.fromkeys(names, "secret"))

    assert set(settings.sources) == {"pos", "subscriptions", "shop", "commerce"}
    assert settings.notices == ()


def _keys(value: Any) -> set[str]:  # noqa: ANN401  (any TOML value)
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in _keys(item)}
    return {key for item in value for key in _keys(item)} if isinstance(value, list) else set()


def test_every_key_of_a_source_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", README)) | _keys(tomllib.loads(block("toml")))
    there = set(SourceSettings.model_fields) | {key for spec in SOURCES for key in spec.options.model_fields}

    assert there - {"options"} - named == set()
