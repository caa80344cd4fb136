"""`query` and `run` as commands, against a demo that is a process of its own: exit codes, one line a mistake, kills and memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.drills.batch import ROOT, drill_batch, drill_pages, has_grown
from tests.test_cli import Done, address_in, run, running, write

CALLER = "{ caller { name permissions } }"
TERMS = """
mutation ($customer: Lookup!, $settings: InvoiceSettingsInput!) {
  setInvoiceSettings(customer: $customer, settings: $settings) { outcome userErrors { code message field } settings { id invoiceEmail } }
}"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("demo", "--port", "0") as (_, first):
        yield f"{address_in(first)}graphql"


def asked(text: str, *arguments: str, folder: Path) -> Done:
    return run("query", write(folder / "q.graphql", text), *arguments)


def test_a_query_is_answered(url: str, tmp_path: Path) -> None:
    done = asked(CALLER, "--url", url, folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["caller"]["name"] == "anybody"


def test_a_query_comes_from_stdin_and_goes_into_a_file(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "query", "-", "--url", url, "--format", "csv", "--output", str(tmp_path / "out.csv")]

    done = subprocess.run(command, input="{ sources { key } }", capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "key\nsubscriptions\npos\ncommerce\nshop\n"


def test_variables_and_the_operation_are_chosen(url: str, tmp_path: Path) -> None:
    text = "query A { caller { name } } query B($k: String!) { source(key: $k) { key } }"
    variables = write(tmp_path / "v.json", '{"k": "pos"}')

    inline = asked(text, "--url", url, "--operation", "B", "--variables", '{"k": "shop"}', "--format", "ndjson", folder=tmp_path)
    in_file = asked(text, "--url", url, "--operation", "B", "--variables", f"@{variables}", "--format", "ndjson", folder=tmp_path)

    assert inline.stdout == '{"source":{"key":"shop"}}\n'
    assert in_file.stdout == '{"source":{"key":"pos"}}\n'


def test_the_trace_is_text_on_stderr(url: str, tmp_path: Path) -> None:
    done = asked('{ invoice(by: {native: {source: "shop", id: "88121"}}) { number } }', "--url", url, "--trace", folder=tmp_path)

    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith("upstream calls: 1, ")


def test_progress_is_shown_where_it_is_asked_for(url: str, tmp_path: Path) -> None:
    text = "query ($a: String) { attempts(after: $a) { nodes { subject } pageInfo { hasNextPage endCursor } } }"

    silent = asked(text, "--url", url, "--all-pages", folder=tmp_path)
    told = asked(text, "--url", url, "--all-pages", "--progress", folder=tmp_path)

    assert silent.stderr == ""
    assert told.stderr.startswith("pages 1, rows ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--url", "localhost"], "--url localhost: it is no address such as http://127.0.0.1:8000/graphql"),
        (["--variables", "[]"], "--variables: it is not a JSON object"),
        (["--variables", "@/nowhere"], "--variables @/nowhere: No such file or directory"),
        (["--key", "@/nowhere"], "--key @/nowhere: No such file or directory"),
        (["--key", "a\nb"], "--key: it is not a key"),
        (["--ca-file", "/nowhere"], "--ca-file /nowhere: No such file or directory"),
        (["--ca-file", __file__], f"--ca-file {__file__}: it is no certificate"),
        (["--output", "/nowhere/x"], "--output /nowhere/x: No such file or directory"),
        (["--operation", "X"], "--operation X: there is no such operation"),
        (["--all-pages"], "--all-pages: the document has no list with nodes or edges, so there are no pages"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], line: str, tmp_path: Path) -> None:
    done = asked(CALLER, *arguments, folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.removeprefix(f"{tmp_path}/q.graphql: ") == f"{line}\n"


def test_a_gateway_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = asked(CALLER, "--url", "http://127.0.0.1:1/graphql", folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "http://127.0.0.1:1/graphql: no connection\n")


def test_a_mistake_does_not_empty_the_file_of_the_last_answer(tmp_path: Path) -> None:
    kept = write(tmp_path / "out.json", "{}")

    assert asked(CALLER, "--all-pages", "--output", kept, folder=tmp_path).returncode == 2
    assert Path(kept).read_text(encoding="utf-8") == "{}"


@contextmanager
def hearing() -> Iterator[tuple[str, list[str | None]]]:
    """Serve what answers anything, and keep the credentials that it hears."""
    heard: list[str | None] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers["authorization"])
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "11")
            self.end_headers()
            self.wfile.write(b'{"data": 1}')

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/graphql", heard
        server.shutdown()
        thread.join()


def test_the_key_is_that_of_the_option_of_its_file_or_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_file = write(tmp_path / "key", "of the file\n")
    with hearing() as (url, heard):
        asked(CALLER, "--url", url, folder=tmp_path)
        monkeypatch.setenv("INVOICE_GATEWAY_KEY", "of the environment")
        asked(CALLER, "--url", url, folder=tmp_path)
        asked(CALLER, "--url", url, "--key", "of the option", folder=tmp_path)
        asked(CALLER, "--url", url, "--key", f"@{in_file}", folder=tmp_path)

    assert heard == [None, "Bearer of the environment", "Bearer of the option", "Bearer of the file"]


def test_a_table_of_rows_is_sent_with_the_types_of_the_graph(url: str, tmp_path: Path) -> None:
    rows = write(
        tmp_path / "rows.csv",
        "customer.number.source,customer.number.number,settings.invoiceEmail,settings.reverseTax\n"
        "subscriptions,40017,a@b.example,true\nsubscriptions,1,a@b.example,\n",
    )
    command = [
        "run",
        write(tmp_path / "m.graphql", TERMS),
        "--each",
        rows,
        "--key-field",
        "customer.number.number",
        "--key-prefix",
        "terms-",
    ]

    done = run(*command, "--url", url)
    again = run(*command, "--url", url)

    assert done.returncode == again.returncode == 1
    assert done.stderr.splitlines()[0].startswith("row 2: key terms-1: REJECTED: NOT_FOUND: ")
    results = [json.loads(line) for line in (tmp_path / "rows.results.ndjson").read_text(encoding="utf-8").splitlines()]
    assert {result["key"]: result["outcome"] for result in results} == {"terms-40017": "APPLIED", "terms-1": "REJECTED"}
    assert "2 of 2 rows (2 earlier)" in again.stderr


def test_results_that_can_no_longer_be_written_are_one_line(url: str, tmp_path: Path) -> None:
    row = {"k": "full", "customer": {"number": {"source": "subscriptions", "number": "1"}}, "settings": {"invoiceEmail": "a@b.example"}}
    rows, document = write(tmp_path / "rows.ndjson", json.dumps(row)), write(tmp_path / "m.graphql", TERMS)
    command = [sys.executable, "-m", "gateway", "run", document, "--each", rows, "--key-field", "k", "--url", url]

    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )

    assert (done.returncode, done.stderr) == (1, "the file of results: File too large; the same command goes on\n")


def test_a_column_that_nothing_takes_is_named_with_its_row(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", "k,settings.invoiceMail\n1,x\n")

    done = run("run", write(tmp_path / "m.graphql", TERMS), "--each", rows, "--key-field", "k")

    assert (done.returncode, done.stderr) == (
        2,
        f"{rows}: row 1: the column settings.invoiceMail: there is no invoiceMail below $settings\n",
    )


@pytest.mark.anyio
async def test_a_batch_that_is_killed_twice_and_begun_again_makes_each_invoice_once(tmp_path: Path) -> None:
    report = await drill_batch(60, 2, tmp_path, lambda _line: None)

    assert report.violations == []
    assert report.kills == 2
    assert 0 < report.killed_at[0] < report.killed_at[1] < 60


@pytest.mark.anyio
async def test_more_pages_need_no_more_memory(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()

    reports = [await drill_pages(200, few), await drill_pages(1200, many)]

    assert [(report.written, report.exit_code) for report in reports] == [(200, 3), (1200, 3)]
    assert not has_grown(reports)


def test_ctrl_c_ends_a_batch_in_peace(url: str, tmp_path: Path) -> None:
    customer = {"number": {"source": "subscriptions", "number": "40017"}}
    rows = [
        {"k": str(place), "customer": customer, "settings": {"invoiceEmail": f"{place}@b.example", "reverseTax": True}}
        for place in range(400)
    ]
    path = write(tmp_path / "rows.ndjson", "".join(f"{json.dumps(row)}\n" for row in rows))
    arguments = [write(tmp_path / "m.graphql", TERMS), "--each", path, "--key-field", "k", "--url", url, "--progress"]

    with subprocess.Popen([sys.executable, "-m", "gateway", "run", *arguments], stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1].splitlines()

    assert " of 400 rows" in first
    assert process.returncode == 1
    assert said[-1].startswith("the same command goes on with ")
    assert "stopping: what is under way is waited for; Ctrl-C again does not wait" in said
