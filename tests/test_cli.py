"""The command line as a user meets it: exit codes, one line a mistake, no traceback."""

import hashlib
import io
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.sandbox.examples import EXAMPLES
from gateway.schema import Federation, print_schema

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """Run a command in this process: what it prints and its exit code are the same, and nothing has to be imported again."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = main(arguments)
    return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a command, wait for its first address, and end it with Ctrl-C, which must be quiet and clean."""
    command = [sys.executable, "-u", "-m", "gateway", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = next(line for line in process.stdout if "http://" in line)
        try:
            yield process, first
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert errors == ""
        assert process.returncode == 0


def ask(address: str, query: str) -> dict[str, object]:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{address}graphql", body, {"content-type": "application/json"})  # noqa: S310  (loopback)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  (as above)
        answer: dict[str, object] = json.loads(response.read())
    return answer


def address_in(line: str) -> str:
    found = re.search(r"http://\S+?:\d+/", line)
    assert found, line
    return found[0]


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_demo_answers_one_query_from_four_systems() -> None:
    with running("demo", "--port", "0") as (_, first):
        answer = ask(address_in(first), EXAMPLES[0].query)

    assert "errors" not in answer
    data = answer["data"]
    assert isinstance(data, dict)
    assert data["till"]["customer"] == {"name": "Bageri Kringlan AB", "organizationNumber": "5568123344"}
    assert [order["number"] for order in data["shop"]["orders"]] == ["UTR-2026-00431"]
    assert data["web"]["totals"]["total"] == {"amount": "6000.0", "currency": "SEK", "currencyOrigin": "RELATED_ORDER"}
    assert data["terms"]["invoiceSettings"]["paymentTerms"] == {"code": "30"}


def test_the_demo_knows_one_customer_in_four_systems() -> None:
    with running("demo", "--port", "0") as (_, first):
        answer: dict[str, Any] = ask(address_in(first), EXAMPLES[1].query)

    assert "errors" not in answer
    customer = answer["data"]["customer"]
    parties = [customer, *(link["customer"] for link in customer["links"]["nodes"])]
    assert [link["rule"] for link in customer["links"]["nodes"]] == ["ORGANIZATION_NUMBER", "ORGANIZATION_NUMBER", "CONFIGURED"]
    assert [party["origin"]["source"]["key"] for party in parties] == ["subscriptions", "pos", "commerce", "shop"]
    assert {party["organizationNumber"] for party in parties} == {"5568339930"}
    assert [len(party["orders"]["nodes"]) for party in parties] == [2, 2, 2, 2]


def test_the_demo_stays_on_this_machine() -> None:
    done = run("demo", "--host", "0.0.0.0")  # noqa: S104  (the point of the test)

    assert done.returncode == 2
    assert done.stderr == "demo: --host 0.0.0.0: the demo is open to everybody and stays on this machine; use serve for others\n"


def test_a_port_in_use_is_one_line() -> None:
    with running("demo", "--port", "0") as (_, first):
        port = address_in(first).rstrip("/").rpartition(":")[2]
        done = run("demo", "--port", port)

    assert done.returncode == 2
    assert done.stderr == f"127.0.0.1:{port}: Address already in use (another --port may be free)\n"


def test_help_needs_no_library_of_the_gateway() -> None:
    code = (
        "import sys, gateway.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(set(sys.modules) & {'strawberry', 'httpx', 'pydantic', 'starlette', 'msgspec'}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, cwd=ROOT, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_the_schema_is_printed_as_it_is_kept() -> None:
    assert run("schema").stdout == (ROOT / "schema.graphql").read_text(encoding="utf-8")


def test_the_schema_is_printed_for_those_who_compose_supergraphs() -> None:
    assert run("schema", "--federation") == Done(0, print_schema(Federation()), "")
    assert run("schema", "--federation", "--prefix", "ACME_") == Done(0, print_schema(Federation("ACME_")), "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--prefix", "ACME_"], "--prefix: only with --federation"),
        (["--federation", "--prefix", "1"], "--prefix: must begin with a letter and have letters, digits and _ only, at most 40"),
    ],
)
def test_a_prefix_that_cannot_be_meant_is_one_line(arguments: list[str], line: str) -> None:
    assert run("schema", *arguments) == Done(2, "", f"{line}\n")


def test_a_key_is_printed_with_its_digest() -> None:
    lines = run("key").stdout.splitlines()

    key, digest = lines[0].split()[1], lines[1].split()[1]
    assert hashlib.sha256(key.encode()).hexdigest() == digest
    assert len(key) == 43


def test_a_missing_configuration_is_one_line(tmp_path: Path) -> None:
    done = run("serve", "--config", str(tmp_path / "none.toml"))

    assert done.returncode == 2
    assert done.stderr == f"{tmp_path / 'none.toml'}: No such file or directory\n"


def test_every_mistake_of_a_configuration_is_a_line_that_names_file_table_and_key(tmp_path: Path) -> None:
    path = write(
        tmp_path / "gateway.toml",
        '[server]\nprot = 1\n[sources.a]\nsystem = "fax"\n[sources.b]\nsystem = "shopctrl"\nbase_url = "ftp://x"\nshop_ids = "3"\n',
    )

    done = run("serve", "--config", path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "gateway.toml: sources.a.system: must be one of compilator, nimpos, norce, shopctrl",
        "gateway.toml: sources.b.shop_ids: Input should be a valid tuple",
        "gateway.toml: sources.b.shop_owner_id: Field required",
        "gateway.toml: sources.b.base_url: String should match pattern '^https?://[^\\s?#]+$'",
        "gateway.toml: server.prot: unknown key",
    ]


def test_serve_refuses_to_be_open_to_others(tmp_path: Path) -> None:
    path = write(
        tmp_path / "gateway.toml",
        '[server]\nhost = "0.0.0.0"\n[sources.s]\nsystem = "shopctrl"\nbase_url = "http://x"\nshop_ids = [1]\nshop_owner_id = 1\n',
    )

    done = run("serve", "--config", path)

    assert done.returncode == 2
    assert done.stderr == "gateway.toml: server.host: 0.0.0.0 can be reached from outside, and no [[callers]] are configured\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


@contextmanager
def configured(tmp_path: Path) -> Iterator[str]:
    """Start a sandbox of its own and write the configuration that points to it."""
    with running("sandbox", "--port", "0") as (_, first):
        with urllib.request.urlopen(f"{address_in(first)}_control/sources", timeout=30) as response:  # noqa: S310  (loopback)
            tables = json.loads(response.read())
        lines = [
            line
            for key, table in tables.items()
            for line in (f"[sources.{key}]", *(f"{name} = {_toml(item)}" for name, item in table.items()))
        ]
        state = f'[server]\nstate = "sqlite:///{tmp_path}/gateway.db"\n'
        yield write(tmp_path / "gateway.toml", state + "\n".join(lines) + "\n")


def test_check_says_what_each_source_can_do(tmp_path: Path) -> None:
    with configured(tmp_path) as path:
        done = run("check", "--config", path)

    assert done.returncode == 0
    assert done.stderr == ""
    assert re.search(r"^shop  \(SHOPCTRL, shop\)$", done.stdout, re.MULTILINE)
    assert re.search(r"^  CREATE_INVOICE_FROM_ORDER +SUPPORTED +EACH +POST v1/Orders/\{orderId\}/Invoices", done.stdout, re.MULTILINE)


def test_check_live_signs_in_everywhere(tmp_path: Path) -> None:
    with configured(tmp_path) as path:
        done = run("check", "--live", "--config", path)

    assert done.stderr == ""
    assert done.returncode == 0
    assert "journal: it can be written\n" in done.stdout


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("check", "--live")], ids=["serve", "check"])
def test_a_journal_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "gateway.db").write_text("no database " * 100)
    with configured(tmp_path) as path:
        done = run(*command, "--config", path)

    assert done.returncode == 2
    assert done.stderr == "gateway.toml: server.state: the journal cannot be written: file is not a database\n"


def test_check_live_fails_with_the_code_of_the_source_that_cannot_be_reached(tmp_path: Path) -> None:
    with configured(tmp_path) as path:
        pass  # the sandbox has ended: nobody listens there

    done = run("check", "--live", "--config", path)

    assert done.returncode == 1
    assert len(re.findall(r"^\w+: UPSTREAM_UNAVAILABLE: .+: no connection$", done.stderr, re.MULTILINE)) == 4


def test_serve_answers_over_a_configuration(tmp_path: Path) -> None:
    with configured(tmp_path) as path, running("serve", "--config", path, "--port", "0") as (_, first):
        answer = ask(address_in(first), '{ order(by: { native: { source: "shop", id: "55012" } }) { number } }')

    assert answer == {"data": {"order": {"number": "UTR-2026-00431"}}}
