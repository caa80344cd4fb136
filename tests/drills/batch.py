"""The batch drill: `run` is killed with SIGKILL while it sends creates, begun again, and in the end each row is one invoice.

The sandbox runs in the drill's own process, so that its books are exact; gateway and client are processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from unittest.mock import patch

import httpx

from gateway.client import Exit
from gateway.sandbox.nimpos import data
from gateway.sandbox.server import RunningSandbox, serving
from tests.drills.gateways import GatewayProcess, write_config
from tests.drills.intents import NORCE, Intent, make_intents
from tests.drills.truth import Truth

ROOT: Final = Path(__file__).parents[2]
MUTATION: Final = """
mutation ($source: String!, $input: CreateInvoiceInput!) {
  createInvoice(source: $source, input: $input) { outcome userErrors { code message } invoice { id number } }
}"""
PAGES: Final = """
query ($after: String) {
  invoices(first: 100, after: $after, filter: {sources: ["pos"]}) {
    nodes { id number issueDate customer { name } totals { total { amount currency } } orders { number } }
    pageInfo { hasNextPage endCursor }
    sourceResults { source { key } status code }
  }
}"""
_POLL_SECONDS: Final = 0.02
_CHANCE_KILOBYTES: Final = 4 * 1024
_MOST_GOES: Final = 10
_MEASURED: Final = (
    "import sys; from gateway.__main__ import main; code = main(sys.argv[1:]);"
    " print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')), file=sys.stderr); sys.exit(code)"
)
"""The command line, and then the most memory that it had, in kB."""


@dataclass(slots=True)
class BatchReport:
    """What came of killed batches."""

    rows: int
    kills: int = 0
    killed_at: list[int] = field(default_factory=list)
    """How many results there were."""
    exit_code: int | None = None
    sent: int = 0
    """Creates that reached the source."""
    invoices: int = 0
    """That the source has at the end, of these numbers."""
    seconds: float = 0.0

    @property
    def violations(self) -> list[str]:
        """Give what was promised and not kept."""
        broken = [] if self.sent == self.rows else [f"{self.sent} creates were sent for {self.rows} rows"]
        if self.invoices != self.rows:
            broken.append(f"{self.invoices} invoices for {self.rows} rows")
        if self.exit_code != 0:
            broken.append(f"the last go ended with {self.exit_code}")
        return broken

    def to_text(self) -> str:
        """Say it in lines."""
        at = ", ".join(map(str, self.killed_at))
        line = f"{self.rows} rows, {self.kills} kills (after {at}), {self.invoices} invoices, {self.seconds:.1f} s"
        return "\n".join((line, *self.violations))


@dataclass(frozen=True, slots=True)
class PagesReport:
    """What `query --all-pages` needed for so many invoices."""

    rows: int
    written: int
    """Rows below the header."""
    peak_kilobytes: int
    seconds: float
    exit_code: int | None

    def to_text(self) -> str:
        """Say it in a line."""
        return f"{self.rows} invoices: {self.written} rows of CSV, {self.peak_kilobytes / 1024:.1f} MB at most, {self.seconds:.1f} s"


@asynccontextmanager
async def gateway_over(running: RunningSandbox, folder: Path) -> AsyncIterator[str]:
    """Start a gateway over a sandbox, and give where it is asked."""
    config = folder / "gateway.toml"
    write_config(config, running.sandbox.source_tables(running.base_url), f"sqlite:///{folder / 'journal.db'}")
    process = GatewayProcess(config, folder / "gateway.log")
    await process.start()
    try:
        await process.wait_until_up()
        yield f"{process.url}/graphql"
    finally:
        await process.kill()


async def drill_batch(rows: int, kills: int, folder: Path, tell: Callable[[str], None]) -> BatchReport:
    """Send rows while the client is killed so many times, and once more to the end."""
    began, report = time.monotonic(), BatchReport(rows)
    intents = _write_batch(folder, rows)
    async with serving(seed=1) as running, gateway_over(running, folder) as url:
        for kill in range(1, kills + 1):
            report.killed_at.append(await _run_until(folder, url, kill * rows // (kills + 1)))
            report.kills += 1
            tell(f"killed after {report.killed_at[-1]} results")
        for _ in range(_MOST_GOES):
            report.exit_code = await _run(folder, url)
            if report.exit_code != Exit.UNKNOWN:  # what was killed is still under way
                break
        report.sent = running.sandbox.calls.by_operation["norce.CreateInvoice"]
        report.invoices = await _invoices_in(running, intents)
    report.seconds = time.monotonic() - began
    return report


async def drill_pages(rows: int, folder: Path) -> PagesReport:
    """Have all of so many invoices written as CSV, and measure the memory of the client."""
    document, output = folder / "pages.graphql", folder / "pages.csv"
    document.write_text(PAGES, encoding="utf-8")
    async with AsyncExitStack() as stack:
        with patch.object(data, "INVOICE_COUNT", rows + 1):  # it counts from one
            running = await stack.enter_async_context(serving(seed=1))
        running.sandbox.change_switches("nimpos", {"posted_invoices_listed": True})
        url = await stack.enter_async_context(gateway_over(running, folder))
        began = time.monotonic()
        command = ["query", str(document), "--url", url, "--all-pages", "--format", "csv", "--output", str(output)]
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _MEASURED, *command, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
        seconds = time.monotonic() - began
    with output.open(encoding="utf-8") as file:
        lines = sum(1 for _ in file)
    return PagesReport(rows, lines - 1, int(said.split()[-1]), seconds, process.returncode)


def has_grown(reports: Sequence[PagesReport]) -> bool:
    """Say whether more invoices needed more memory: over 4 MB more is more than chance, and 5 000 rows at once are over 10."""
    peaks = [report.peak_kilobytes for report in reports]
    return max(peaks, default=0) - min(peaks, default=0) > _CHANCE_KILOBYTES


def _write_batch(folder: Path, rows: int) -> list[Intent]:
    """Write the document and its rows: orders take turns, and each invoice has a number of its own."""
    made = list(_intents(rows))
    (folder / "create.graphql").write_text(MUTATION, encoding="utf-8")
    lines = (json.dumps({"source": intent.variables["source"], "input": intent.variables["input"]}) for intent in made)
    (folder / "rows.ndjson").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return made


def _intents(rows: int) -> Iterator[Intent]:
    orders = make_intents(1, 1)[NORCE]
    for place in range(rows):
        intent, number = orders[place % len(orders)], f"BATCH-{place:05d}"
        variables = {**intent.variables, "input": {**intent.variables["input"], "number": number}}
        yield replace(intent, key=number, variables=variables, target=number)


async def _start(folder: Path, url: str) -> asyncio.subprocess.Process:
    command = [str(folder / "create.graphql"), "--each", str(folder / "rows.ndjson"), "--key-field", "input.number", "--url", url]
    with (folder / "client.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "gateway", "run", *command, cwd=ROOT, stdout=log, stderr=log)


async def _run(folder: Path, url: str) -> int:
    return await (await _start(folder, url)).wait()


async def _run_until(folder: Path, url: str, results: int) -> int:
    """Run, and kill it once there are so many results; gives how many there were."""
    process = await _start(folder, url)
    while process.returncode is None and _results_in(folder) < results:  # noqa: ASYNC110  (another process writes them)
        await asyncio.sleep(_POLL_SECONDS)
    if process.returncode is None:
        process.kill()
    await process.wait()
    return _results_in(folder)


def _results_in(folder: Path) -> int:
    path = folder / "rows.results.ndjson"
    return path.read_bytes().count(b"\n") if path.exists() else 0


async def _invoices_in(running: RunningSandbox, intents: Sequence[Intent]) -> int:
    """Say how many of these invoices the source has."""
    async with httpx.AsyncClient(base_url=running.base_url, trust_env=False) as client:
        truth = await Truth.open(client)
        return sum([await truth.changes(intent) for intent in intents])
