"""The commands as a whole: what they need is made here, and closed at the end."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from gateway.client import query
from gateway.client.batch import Batch
from gateway.client.document import Document
from gateway.client.endpoint import Endpoint, Sleep
from gateway.client.exits import Exit
from gateway.client.mistake import Mistake
from gateway.client.mutation import find_mutation
from gateway.client.progress import Progress
from gateway.client.results import ResultFile, read_results
from gateway.client.run import Run, Stop
from gateway.transport import SystemClock
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.origin import origin_of, split
from gateway.transport.tls import tls_context


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The gateway that is asked."""

    url: str
    key: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a batch is made of."""

    document: Document
    shown_as: str
    each: Path
    key_field: str
    key_prefix: str = ""
    results: Path | None = None
    at_once: int = 4
    is_dry_run: bool = False


async def ask(question: query.Question, target: Target, out: TextIO, progress: Progress) -> Exit:
    """Carry out `query`. Raises `Mistake`."""
    async with _open(target, progress, asyncio.sleep) as endpoint:
        return await query.ask(question, endpoint, out, progress)


async def run(rows: Rows, target: Target, progress: Progress, sdl: Callable[[], str]) -> Exit:
    """Carry out `run`; `sdl` gives the graph's types. Raises `Mistake`, and `OSError` when results cannot be written."""
    mutation = find_mutation(rows.document, rows.shown_as, is_dry_run=rows.is_dry_run)
    batch = Batch(mutation=mutation, path=rows.each, key_field=rows.key_field, key_prefix=rows.key_prefix, url=target.url, sdl=sdl)
    count = batch.check()
    path = rows.results or rows.each.with_suffix(".results.ndjson")
    earlier, stop = read_results(path), Stop()
    with ResultFile(path) as results, _stopped_by_signals(stop, progress):
        async with _open(target, progress, stop.sleep) as endpoint:
            going = Run(batch, endpoint, results, earlier, progress, stop, count, rows.at_once)
            return await going.go()


@asynccontextmanager
async def _open(target: Target, progress: Progress, sleep: Sleep) -> AsyncIterator[Endpoint]:
    try:
        origin_of(split(target.url)[0])
    except ValueError:
        raise Mistake(f"--url {target.url}: it is no address such as http://127.0.0.1:8000/graphql") from None
    try:
        tls = tls_context(ca_file=target.ca_file, client_cert=None, client_key=None)
    except ssl.SSLError:
        raise Mistake(f"--ca-file {target.ca_file}: it is no certificate") from None
    except OSError as error:
        raise Mistake(f"--ca-file {target.ca_file}: {error.strerror or 'cannot be read'}") from None
    wire = Http1Wire(tls=tls)
    try:
        yield Endpoint(target.url, wire, SystemClock(), sleep, progress.say, target.key, target.timeout_seconds)
    finally:
        await wire.aclose()


@contextmanager
def _stopped_by_signals(stop: Stop, progress: Progress) -> Iterator[None]:
    """Let the first Ctrl-C end what is under way in peace; the second ends at once."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.event.set()
        progress.say("stopping: what is under way is waited for; Ctrl-C again does not wait")
        remove()

    def remove() -> None:
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    with suppress(NotImplementedError):  # Windows: Ctrl-C ends at once there
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        remove()
