"""The gateway as a part of a supergraph: composed with a second subgraph by Apollo's own library, and asked through Hive Gateway."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from gateway.sandbox.app import create_sandbox
from tests.bench.stacks import running as running_in
from tests.drills.gateways import free_port, write_config
from tests.test_cli import address_in, running

pytestmark = pytest.mark.node

HERE: Final = Path(__file__).parent
NODE: Final = shutil.which("node") or "node"
SHARED: Final = r"\b(Invoice|Order|Origin|Source|PageInfo)\b"
OWN: Final = """
  number issueDate
  totals { total { amount currency } inclVat { amount } }
  customer { name origin { nativeId source { key system } } }
"""
BY_LOOKUP: Final = """query ($by: Lookup!) {
  invoice(by: $by) { __typename id OWN details { __typename } orders { number REMARK } REMARKS }
  invoices(first: 3, filter: {sources: ["shop"]}) { nodes { id OWN REMARKS } pageInfo { endCursor hasNextPage } }
}""".replace("OWN", OWN)
BY: Final = {"by": {"native": {"source": "shop", "id": "88121"}}}


@dataclass(frozen=True)
class Supergraph:
    """What a supergraph is asked at, and the gateway that is a part of it."""

    address: str
    gateway: str


def ask(address: str, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
    body = {"query": query, "variables": dict(variables or {})}
    answer: dict[str, Any] = httpx.post(address, json=body, timeout=60, trust_env=False).json()
    assert "errors" not in answer, answer["errors"]
    data: dict[str, Any] = answer["data"]
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the second subgraph, and the packages that it and the router need."""
    made = tmp_path_factory.mktemp("federation")
    for name in ("package.json", "compose.mjs", "notes.mjs"):
        shutil.copy(HERE / name, made)
    npm = shutil.which("npm")
    assert npm is not None, "npm is needed"
    options = ["--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    subprocess.run([npm, "install", *options], cwd=made, check=True, timeout=600)
    return made


def notes_sdl(prefix: str) -> str:
    """Give the SDL of the second subgraph, in which the types of the gateway have its prefix."""
    return re.sub(SHARED, rf"{prefix}\1", (HERE / "notes.graphql").read_text(encoding="utf-8"))


def compose(folder: Path, *subgraphs: tuple[str, str, Path]) -> str:
    words = [str(word) for subgraph in subgraphs for word in subgraph]
    done = subprocess.run([NODE, "compose.mjs", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@contextmanager
def serving(folder: Path, prefix: str) -> Iterator[Supergraph]:
    """Serve the sandbox, the gateway, the notes, and the router over these two."""
    folder = folder / (prefix or "plain")
    folder.mkdir()
    with ExitStack() as stack:
        _, first = stack.enter_context(running("sandbox", "--port", "0"))
        config = folder / "gateway.toml"
        write_config(config, create_sandbox(1).state.sandbox.source_tables(address_in(first)), f"sqlite:///{folder / 'journal.db'}")
        with config.open("a", encoding="utf-8") as file:
            file.write(f"[federation]\nenabled = true\nprefix = {json.dumps(prefix)}\n")
        _, first = stack.enter_context(running("serve", "--config", str(config), "--port", "0"))
        gateway = f"{address_in(first)}graphql"
        ours, notes = folder / "gateway.graphql", folder / "notes.graphql"
        ours.write_text(ask(gateway, "{ _service { sdl } }")["_service"]["sdl"], encoding="utf-8")
        notes.write_text(notes_sdl(prefix), encoding="utf-8")
        ports = [free_port(), free_port()]
        supergraph = compose(folder.parent, ("invoices", gateway, ours), ("notes", f"http://127.0.0.1:{ports[0]}/graphql", notes))
        (folder / "supergraph.graphql").write_text(supergraph, encoding="utf-8")
        second = [NODE, str(folder.parent / "notes.mjs"), str(ports[0]), str(notes), prefix]
        stack.enter_context(running_in("the notes", second, ports[0], folder / "notes.log"))
        binary = str(folder.parent / "node_modules" / ".bin" / "hive-gateway")
        router = [binary, "supergraph", "supergraph.graphql", "-h", "127.0.0.1", "-p", str(ports[1])]
        stack.enter_context(running_in("Hive Gateway", router, ports[1], folder / "router.log"))
        yield Supergraph(f"http://127.0.0.1:{ports[1]}/graphql", gateway)


@pytest.fixture(scope="module")
def supergraph(folder: Path) -> Iterator[Supergraph]:
    with serving(folder, "") as served:
        yield served


def test_a_federated_query_gives_the_answer_of_the_direct_one_joined_with_the_second_subgraph(supergraph: Supergraph) -> None:
    direct = ask(supergraph.gateway, BY_LOOKUP.replace("REMARKS", "").replace("REMARK", ""), BY)
    federated = ask(supergraph.address, BY_LOOKUP.replace("REMARKS", "remarks").replace("REMARK", "remark origin { nativeId }"), BY)

    invoices = [federated["invoice"], *federated["invoices"]["nodes"]]
    assert [invoice.pop("remarks") for invoice in invoices] == [[f"seen {invoice['id']}"] for invoice in invoices]
    orders = federated["invoice"]["orders"]
    assert [order.pop("remark") for order in orders] == [f"seen shop {order.pop('origin')['nativeId']}" for order in orders]
    assert len(orders) == 1
    assert federated == direct


def test_objects_that_the_second_subgraph_names_are_read_by_either_key(supergraph: Supergraph) -> None:
    query = f"{{ notes(first: 100) {{ text invoice {{ id {OWN} }} order {{ number }} }} }}"

    notes = ask(supergraph.address, query)["notes"]

    direct = ask(
        supergraph.gateway,
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Invoice {{ id {OWN} }} }} "
        '  order(by: {native: {source: "shop", id: "55012"}}) { number } }',
        {"ids": [note["invoice"]["id"] for note in notes]},
    )
    assert [note["text"] for note in notes] == [f"note {at}" for at in range(100)]
    assert [note["invoice"] for note in notes] == direct["nodes"]
    assert [note["order"] for note in notes] == [direct["order"]] * 100


def test_with_a_prefix_the_supergraph_has_the_types_by_their_new_names(folder: Path) -> None:
    with serving(folder, "ACME_") as served:
        query = """query ($by: ACME_Lookup!) { invoice(by: $by) { __typename number remarks ... on ACME_Node { id } } }"""
        found = ask(served.address, query, BY)["invoice"]
        note = ask(served.address, "{ notes(first: 1) { invoice { __typename number } order { __typename number } } }")["notes"][0]

    assert (found["__typename"], found["number"], found["remarks"]) == ("ACME_Invoice", "F2026-0117", [f"seen {found['id']}"])
    assert note == {
        "invoice": {"__typename": "ACME_Invoice", "number": "F2026-0117"},
        "order": {"__typename": "ACME_Order", "number": "UTR-2026-00431"},
    }
