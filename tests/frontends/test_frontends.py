"""Frontends over the demo: README's configuration of graphql-codegen, its recipe for Apollo Client, and urql, bundled and run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.test_cli import ROOT, address_in, run, running
from tests.test_readme import example

pytestmark = pytest.mark.node

HERE: Final = Path(__file__).parent
FIRST_SIX: Final = ["F2025-0006", "F2025-0007", "F2025-0008", "F2025-0010", "F2025-0013", "F2025-0017"]
FIRST: Final = "WyJpIiwic2hvcCIsIjg4MDEwIl0"


def execute(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the packages, or of the machine, in the frontend's folder."""
    installed = folder / "node_modules" / ".bin" / command
    program = str(installed) if installed.exists() else shutil.which(command)
    assert program is not None, f"{command} is needed"
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with running("demo", "--port", "0") as (_, first):
        yield address_in(first)


@pytest.fixture(scope="module")
def frontend(demo: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frontend with its packages and generated types, which asks the demo."""
    folder = tmp_path_factory.mktemp("frontend")
    (folder / "src").mkdir()
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    shutil.copy(ROOT / "schema.graphql", folder)
    sources = {path.name: path.read_text(encoding="utf-8") for path in HERE.glob("*.ts")}
    for name, text in {**sources, "apollo.ts": example("apollo")}.items():
        (folder / "src" / name).write_text(text.replace("http://127.0.0.1:8000/", demo), encoding="utf-8")
    (folder / "codegen.ts").write_text(example("codegen"), encoding="utf-8")
    execute(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    execute(folder, "graphql-codegen")
    return folder


def told_by(frontend: Path, program: str) -> Any:  # noqa: ANN401  (any JSON)
    """Bundle a program as for a browser, run it, and give what it prints; it must complain about nothing."""
    execute(frontend, "esbuild", f"src/{program}.ts", "--bundle", "--format=esm", f"--outfile=built/{program}.mjs", "--log-level=warning")
    done = execute(frontend, "node", f"built/{program}.mjs")
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_strict_types_hold_and_refuse_what_the_graph_would(frontend: Path) -> None:
    assert execute(frontend, "tsc").stdout == ""


def test_a_typed_document_reads_money_and_days_as_text(frontend: Path) -> None:
    assert told_by(frontend, "typed") == {"amount": "242.0", "day": "2026-01-11", "instant": None, "shop": 3, "paid": "nobody knows"}


def test_the_generated_manifest_is_one_of_trusted_documents(frontend: Path) -> None:
    done = run("documents", "check", "--json", str(frontend / "src" / "gql" / "persisted-documents.json"))
    checked = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(checked) == 11
    assert [(each["operation"], each["code"]) for each in checked if "code" in each] == [("ApolloCostly", "COST_LIMIT")]


@pytest.fixture(scope="module")
def apollo(frontend: Path) -> dict[str, Any]:
    told: dict[str, Any] = told_by(frontend, "apollo_journey")
    return told


def test_with_apollo_pages_fill_one_list_for_each_filter(apollo: dict[str, Any]) -> None:
    assert apollo["paged"] == {"edges": FIRST_SIX, "nodes": 2, "hasNextPage": True, "sources": [["shop", "OK"]]}
    assert apollo["atOnce"] == FIRST_SIX
    assert apollo["otherFilter"] == {"till": 2, "shop": 6}


def test_with_apollo_two_queries_for_other_fields_of_a_value_are_both_answered_by_the_cache(apollo: dict[str, Any]) -> None:
    customer = "WyJjIiwic2hvcCIsIjIwNDE0Il0"

    assert apollo["values"]["list"] == {
        "id": FIRST,
        "number": "F2025-0006",
        "totals": {"total": {"amount": "125.0"}},
        "customer": {"id": customer, "billingAddress": {"city": "Amsterdam"}},
    }
    assert apollo["values"]["detail"] == {
        "id": FIRST,
        "origin": {"nativeType": "Invoice", "nativeId": "88010"},
        "number": "F2025-0006",
        "totals": {"vatBasis": "INCLUDING_VAT", "total": {"currency": "EUR"}},
        "customer": {"id": customer, "billingAddress": {"line1": "Kerkstraat 60", "postalCode": "1017 GL"}},
        "details": {"shopId": 3},
    }


def test_with_apollo_an_error_has_its_code_beside_what_could_be_read(apollo: dict[str, Any]) -> None:
    assert apollo["errors"] == {
        "missing": {"shop": "F2026-0117", "till": None, "cached": None, "codes": [["till", "ABSENCE_UNPROVEN"]]},
        "stale": {"data": {"invoices": None}, "codes": [["invoices", "INVALID_CURSOR"]], "kept": 6},
        "costly": {"data": None, "codes": [[None, "COST_LIMIT"]]},
    }


def test_with_apollo_a_key_makes_one_invoice_which_is_in_the_cache(apollo: dict[str, Any]) -> None:
    assert apollo["written"] == {
        "tries": [["APPLIED", False, []], ["APPLIED", True, []], ["REJECTED", False, ["IDEMPOTENCY_KEY_REUSED"]]],
        "cached": {"amount": "6000.00", "currency": "SEK"},
    }


def test_with_urql_the_same_journey_comes_to_the_same_ends(frontend: Path) -> None:
    assert told_by(frontend, "urql_journey") == {
        "paged": {"edges": FIRST_SIX, "hasNextPage": True},
        "values": {
            "list": {"total": {"amount": "125.0"}},
            "detail": {
                "id": FIRST,
                "origin": {"nativeId": "88010"},
                "number": "F2025-0006",
                "totals": {"vatBasis": "INCLUDING_VAT", "total": {"currency": "EUR"}},
                "details": {"shopId": 3},
            },
        },
        "missing": {"shop": "F2026-0117", "till": None, "codes": [["till", "ABSENCE_UNPROVEN"]]},
        "written": [["APPLIED", False, "F-2026-9302"], ["APPLIED", True, "F-2026-9302"]],
    }
