"""The command line. Mistakes of the user's become one line each on stderr and exit code 2; never a traceback.

Imports stand inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from gateway.client import Progress, Target
    from gateway.journal import Journal
    from gateway.model import Attempt, AttemptQuery, MutationOutcome, UserError
    from gateway.mutations import Story, Writes
    from gateway.schema.explain import Explanation
    from gateway.server import Checked, Reloads
    from gateway.server.reload import Take
    from gateway.settings import ServerSettings, Settings
    from gateway.sources.base import Source, SourceSet

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 4

_USUAL_URL: Final = "http://127.0.0.1:8000/graphql"
_PROBE_SECONDS: Final = 10.0
_TRAIL_PAGE: Final = 100
_TRAIL_ROW: Final = "{:<25}  {:<11}  {:<14}  {:<22}  {:<16}  {:<16}  {}"


class _Usage(Exception):
    """A mistake of the user's; each line goes to stderr."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except _Usage as mistake:
        for line in mistake.lines:
            print(line, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has left: nobody to tell
        return FAILED
    except KeyboardInterrupt:
        return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="invoice-gateway", description="One GraphQL graph over REST invoice systems.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="the gateway over the built-in sandbox, open, on this machine only")
    demo.add_argument("--host", default="127.0.0.1")
    demo.add_argument("--port", type=_port, default=8000)
    demo.add_argument("--seed", type=int, default=1, help="another seed, other data")
    demo.set_defaults(command=_demo)

    serve = commands.add_parser("serve", help="the gateway over the systems of a configuration file")
    serve.add_argument("--config", type=Path, required=True, metavar="FILE")
    serve.add_argument("--host", help="instead of server.host")
    serve.add_argument("--port", type=_port, help="instead of server.port")
    serve.add_argument("--workers", type=_count_from_one, metavar="N", help="processes at the address, instead of server.workers")
    serve.set_defaults(command=_serve)

    check = commands.add_parser("check", help="read a configuration file and say what each source can do")
    check.add_argument("--config", type=Path, required=True, metavar="FILE")
    check.add_argument("--live", action="store_true", help="also open the journal, sign in and make one cheap read a source")
    check.set_defaults(command=_check)

    sandbox = commands.add_parser("sandbox", help="only the emulated systems, for development against them")
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--port", type=_port, default=8100)
    sandbox.add_argument("--seed", type=int, default=1)
    sandbox.set_defaults(command=_sandbox)

    explain = commands.add_parser("explain", help="say how many upstream calls a document costs at worst, without making one")
    explain.add_argument("document", type=Path, metavar="FILE")
    explain.add_argument("--variables", metavar="JSON", help="left out: nobody knows them, the most they can ask for counts")
    explain.add_argument("--operation", metavar="NAME", help="which, where the document has several")
    explain.add_argument("--config", type=Path, metavar="FILE", help="left out: the sources of the demo")
    explain.set_defaults(command=_explain)

    documents = commands.add_parser("documents", help="trusted documents: check a manifest before the gateway is started with it")
    kinds = documents.add_subparsers(required=True, metavar="check")
    check_documents = kinds.add_parser(
        "check", help="each document against the graph and its limits, with its cost and upstream calls at worst"
    )
    check_documents.add_argument("manifest", type=Path, metavar="MANIFEST")
    check_documents.add_argument("--config", type=Path, metavar="FILE", help="left out: the sources of the demo and the usual limits")
    check_documents.add_argument("--json", action="store_true", help="one object a line")
    check_documents.set_defaults(command=_check_documents)

    _add_client_parsers(commands)
    _add_trail_parsers(commands)
    schema = commands.add_parser("schema", help="print the SDL of the graph")
    schema.add_argument("--federation", action="store_true", help="as a subgraph of an Apollo Federation, for those who compose")
    schema.add_argument("--prefix", default="", help="with --federation: begins the names of all types but the roots, as federation.prefix")
    schema.set_defaults(command=_schema)
    commands.add_parser("key", help="make a caller's key; prints it once, with its sha256").set_defaults(command=_make_key)
    return parser


def _add_client_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    query = commands.add_parser("query", help="ask a running gateway and print the answer as JSON, CSV or a table")
    query.add_argument("document", metavar="FILE|-", help="the GraphQL document; -: from stdin")
    query.add_argument("--variables", metavar="JSON|@FILE")
    query.add_argument(
        "--all-pages", action="store_true", help="fetch the pages of its list one after another, and write rows as they come"
    )
    query.add_argument(
        "--format", choices=("json", "ndjson", "csv", "table"), default="json", help="json: all data; else the rows of its list"
    )
    query.add_argument("--output", type=Path, metavar="FILE", help="left out: stdout")
    query.add_argument("--trace", action="store_true", help="show the upstream calls on stderr; needs the explorer permission")
    _add_target(query)
    query.set_defaults(command=_query)

    run = commands.add_parser("run", help="send one mutation for each row of a file; may be begun again, and sends nothing twice")
    run.add_argument("document", metavar="FILE|-", help="the GraphQL document, with one mutation; -: from stdin")
    run.add_argument("--each", type=Path, required=True, metavar="ROWS", help="rows.ndjson or rows.csv: the variables of each")
    run.add_argument(
        "--key-field", required=True, metavar="COLUMN", help="what each row's idempotency key is made from: its business number"
    )
    run.add_argument("--key-prefix", default="", metavar="TEXT", help="before it")
    run.add_argument("--results", type=Path, metavar="FILE", help="what became of each row; left out: beside the rows, .results.ndjson")
    run.add_argument("--concurrency", "--at-once", dest="at_once", type=_count_from_one, default=4, metavar="N", help="rows at once")
    run.add_argument("--dry-run", action="store_true", help="have each row checked, and nothing sent to a source")
    _add_target(run)
    run.set_defaults(command=_run)


def _add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--operation", metavar="NAME", help="which, where the document has several")
    command.add_argument("--url", help=f"left out: the variable INVOICE_GATEWAY_URL, else {_USUAL_URL}")
    command.add_argument("--key", metavar="KEY|@FILE", help="the caller's key; left out: the variable INVOICE_GATEWAY_KEY, if it is set")
    command.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="an authority for the gateway's certificate, instead of the usual ones"
    )
    command.add_argument("--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="of one request")
    command.add_argument("--progress", action="store_true", help="say how far it is also where stderr is no terminal")


def _add_trail_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    reconcile = commands.add_parser("reconcile", help="find out by looking what became of writes whose outcome is UNKNOWN; sends nothing")
    reconcile.add_argument("--config", type=Path, required=True, metavar="FILE")
    reconcile.add_argument("--json", action="store_true", help="one object a line, with the names of the graph")
    reconcile.add_argument(
        "--settle", metavar="KEY", help="take down what you found by hand of this key, where no look can tell; needs --as"
    )
    reconcile.add_argument("--caller", metavar="NAME", help="whose key that is, where several callers have it")
    reconcile.add_argument("--as", dest="verdict", choices=("applied", "rejected"), help="what you found: it was done, or it was not")
    reconcile.set_defaults(command=_reconcile)

    attempts = commands.add_parser("attempts", help="print the trail of writes, newest first")
    attempts.add_argument("--config", type=Path, required=True, metavar="FILE")
    attempts.add_argument(
        "--since", type=_instant, metavar="TIME", help="received at or after, e.g. 2026-11-22T09:30+01:00; UTC where it names no offset"
    )
    attempts.add_argument("--until", type=_instant, metavar="TIME", help="received before; a day alone is its midnight")
    attempts.add_argument("--caller", metavar="NAME")
    attempts.add_argument("--outcome", action="append", type=_outcome, metavar="OUTCOME", help="e.g. UNKNOWN; may be given several times")
    attempts.add_argument("--source", metavar="KEY", help="also one that is no longer configured")
    attempts.add_argument("--json", action="store_true", help="one object a line, with the names of the graph")
    attempts.set_defaults(command=_attempts)

    forget = commands.add_parser("forget", help="remove what the journal keeps of an object: what was sent and answered about it")
    forget.add_argument("--config", type=Path, required=True, metavar="FILE")
    forget.add_argument("--source", required=True, metavar="KEY")
    forget.add_argument("--native-id", required=True, metavar="ID", help="the source's own key of the customer, order or invoice")
    forget.set_defaults(command=_forget)


def _instant(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-22 or 2026-11-22T09:30+01:00") from None


def _outcome(text: str) -> MutationOutcome:
    from gateway.model import MutationOutcome

    try:
        return MutationOutcome(text.upper())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(MutationOutcome)}") from None


def _count_from_one(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 256:  # noqa: PLR2004  (more at once is no batch, but an attack)
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 256")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:  # noqa: PLR2004  (a day)
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:  # noqa: PLR2004  (the largest port there is)
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


# ------------------------------------------------------------------ demo and serve


def _demo(options: argparse.Namespace) -> int:
    if options.host not in {"127.0.0.1", "::1", "localhost"}:
        raise _Usage(f"demo: --host {options.host}: the demo is open to everybody and stays on this machine; use serve for others")
    from gateway.server.process import run

    run(_run_demo(options.host, options.port, options.seed))
    return OK


async def _run_demo(host: str, port: int, seed: int) -> None:
    from gateway.app import create_app, settings_from
    from gateway.explorer import Journey
    from gateway.sandbox.examples import EXAMPLES, LINKS
    from gateway.sandbox.server import serving
    from gateway.telemetry import write_logs

    listener = _listen(host, port)
    async with serving(port=0, seed=seed) as sandbox:
        server = {"host": host, "explorer": True, "introspection": True, "state": "sqlite://"}
        settings = settings_from({"server": server, "sources": sandbox.sandbox.source_tables(sandbox.base_url), "links": dict(LINKS)})
        journeys = [Journey(item.title, item.description, item.query, item.variables) for item in EXAMPLES]
        app = create_app(settings, journeys=journeys)
        write_logs(settings.server.log_format, settings.server.log_level)
        address = f"http://{_shown(host)}:{listener.getsockname()[1]}"
        await _run_server(
            app,
            listener,
            f"explorer   {address}/\n"
            f"GraphQL    {address}/graphql\n"
            f"sandbox    {sandbox.base_url}/   (what it was asked: /_control/calls)\n\n"
            f"One question, four systems. Paste it into the explorer, or leave it to curl:\n\n{EXAMPLES[0].query}\n"
            "Ctrl-C ends it.",
            settings.server,
        )


def _serve(options: argparse.Namespace) -> int:
    from gateway.app import create_app
    from gateway.errors import SettingsError
    from gateway.server.process import run
    from gateway.telemetry import write_logs

    _disregard_hangups()  # until they are heard
    settings = _with_given(_settings(options.config), options)
    _check_workers(options.config.name, settings)
    try:
        app = create_app(settings)
        asyncio.run(_try_journal(settings))
    except SettingsError as error:
        raise _Usage(*(f"{options.config.name}: {line}" for line in error.lines)) from None
    listener = _listen(settings.server.host, settings.server.port, at_once=settings.server.workers == 1)
    announcement = f"GraphQL at http://{_shown(settings.server.host)}:{listener.getsockname()[1]}/graphql"
    write_logs(settings.server.log_format, settings.server.log_level)
    if settings.server.workers > 1:
        app.state.journal.claim()
        return _run_workers(app, listener, announcement, settings.server, options)
    run(_run_server(app, listener, announcement, settings.server, _reloads(app.state.take, options)))
    return OK


def _with_given(settings: Settings, options: argparse.Namespace) -> Settings:
    """Put what the command line says in the place of what the file says."""
    given = {"host": options.host, "port": options.port, "workers": options.workers}
    changes = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update={"server": settings.server.model_copy(update=changes)})


def _disregard_hangups() -> None:
    import signal

    if hasattr(signal, "SIGHUP"):
        with suppress(ValueError):  # in a thread of somebody's, whose signals these are
            signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _reloads(take: Take, options: argparse.Namespace) -> Reloads:
    """Make what reads the configuration of the command line again, and has `take` put it to use."""
    from gateway.app import read_settings
    from gateway.server import Reloads
    from gateway.telemetry import write_logs

    async def take_with_logs(settings: Settings) -> Iterable[str]:
        lines = await take(settings)
        write_logs(settings.server.log_format, settings.server.log_level)
        return lines

    def say(line: str) -> None:
        with suppress(OSError):  # a terminal that is gone
            print(line, file=sys.stderr, flush=True)

    return Reloads(options.config.name, lambda: _with_given(read_settings(options.config), options), take_with_logs, say)


def _check_workers(name: str, settings: Settings) -> None:
    """Refuse several processes where they cannot be, or would not know what the others have written."""
    workers = settings.server.workers
    if workers > 1 and settings.is_in_memory:
        raise _Usage(f"{name}: server.state: in memory, which {workers} workers cannot share; name a file or a database")
    if workers > 1 and not hasattr(os, "fork"):
        raise _Usage(f"{name}: server.workers: this system cannot fork; start the command several times, with a load balancer before it")


def _run_workers(app: Starlette, listener: socket.socket, announcement: str, settings: ServerSettings, options: argparse.Namespace) -> int:
    """Serve in several processes until SIGTERM or Ctrl-C; say so once all of them answer."""
    from gateway.server.workers import Workers, run_worker
    from gateway.transport import SystemClock

    async def take_quietly(read: Settings) -> list[str]:
        await app.state.take(read)
        return []  # it was said by the process around

    def work(line: socket.socket, own_listener: socket.socket) -> None:
        run_worker(app, app.state.load, settings, SystemClock(), own_listener, line, _reloads(take_quietly, options))

    def reload() -> bool:
        return asyncio.run(_reloads(app.state.prepare, options).once())

    return OK if Workers(settings.workers, work, listener, lambda: print(announcement, flush=True), reload).run() else FAILED


async def _try_journal(settings: Settings) -> None:
    """Open the journal and close it again, so that one that cannot be used is said in a line before anything is served."""
    from gateway.app import open_journal

    await (await open_journal(settings)).aclose()


def _listen(host: str, port: int, *, at_once: bool = True) -> socket.socket:
    """Take an address, and have who connects wait there; not `at_once`: only when somebody serves."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        if at_once:
            listener.listen()
    except OSError as error:
        listener.close()
        raise _Usage(f"{host}:{port}: {error.strerror or 'cannot listen there'} (another --port may be free)") from None
    return listener


async def _run_server(
    app: Starlette, listener: socket.socket, announcement: str, settings: ServerSettings, reloads: Reloads | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C; say so once it answers. `reloads` None: there is no configuration to read again."""
    from gateway.server.process import Server
    from gateway.transport import SystemClock

    def begin() -> None:
        print(announcement, flush=True)
        if reloads is not None:
            reloads.begin()

    server = Server(app, app.state.load, settings, SystemClock(), begin)
    with nullcontext() if reloads is None else reloads.heard():
        await server.serve(sockets=[listener])


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# ------------------------------------------------------------------ check


def _check(options: argparse.Namespace) -> int:
    from gateway.app import make_explainer, make_gateway, make_trusted_documents
    from gateway.errors import SettingsError

    settings = _settings(options.config)

    async def run() -> int:
        gateway = make_gateway(settings)
        try:
            make_trusted_documents(settings, make_explainer(settings))
            for source in gateway.sources:
                print(_describe(source))
            if not options.live:
                return OK
            await _try_journal(settings)
            print("journal: it can be written")
            return await _probe_all(list(gateway.sources))
        finally:
            await gateway.aclose()

    try:
        return asyncio.run(run())
    except SettingsError as error:
        raise _Usage(*(f"{options.config.name}: {line}" for line in error.lines)) from None


def _describe(source: Source) -> str:
    profile = source.profile
    lines = [f"{profile.key}  ({profile.system}, {profile.display_name})"]
    for capability in source.capabilities:
        upstream = f"  {capability.upstream_operation}" if capability.upstream_operation else ""
        note = f"  ({capability.note})" if capability.note else ""
        lines.append(f"  {capability.operation:<26}{capability.support:<26}{capability.batching:<8}{upstream}{note}")
    return "\n".join(lines)


async def _probe_all(sources: Sequence[Source]) -> int:
    results = await asyncio.gather(*(_probe(source) for source in sources))
    for source, (fine, line) in zip(sources, results, strict=True):
        print(f"{source.profile.key}: {line}", file=sys.stdout if fine else sys.stderr)
    return OK if all(fine for fine, _ in results) else FAILED


async def _probe(source: Source) -> tuple[bool, str]:
    from gateway.errors import GatewayError
    from gateway.transport import Scope, SystemClock

    scope = Scope(request_id="check", deadline=SystemClock().monotonic() + _PROBE_SECONDS)
    try:
        return True, await source.probe(scope)
    except GatewayError as error:
        return False, f"{error.code}: {error.message}"


def _settings(path: Path) -> Settings:
    from gateway.app import read_settings
    from gateway.errors import SettingsError

    try:
        settings = read_settings(path)
    except SettingsError as error:
        raise _Usage(*error.lines) from None
    for notice in settings.notices:
        print(f"{path.name}: {notice}", file=sys.stderr)
    return settings


# ------------------------------------------------------------------ explain


def _explain(options: argparse.Namespace) -> int:
    from gateway.app import make_explainer, make_gateway
    from gateway.errors import SettingsError
    from gateway.schema import InvalidDocument

    document, variables = _text_of(options.document), _variables_of(options.variables)
    settings = _demo_settings() if options.config is None else _settings(options.config)

    async def run() -> Explanation:
        gateway = make_gateway(settings)
        try:
            return make_explainer(settings).explain(document, gateway.sources, variables=variables, operation_name=options.operation)
        finally:
            await gateway.aclose()

    try:
        print(_table_of(asyncio.run(run())))
    except InvalidDocument as error:
        raise _Usage(*(f"{options.document}:{'' if mistake[0].isdigit() else ' '}{mistake}" for mistake in error.mistakes)) from None
    except SettingsError as error:
        raise _Usage(*(f"{options.config.name}: {line}" for line in error.lines)) from None
    return OK


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _Usage(f"{path}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise _Usage(f"{path}: it is not text in UTF-8") from None


def _variables_of(text: str | None) -> dict[str, object] | None:
    import json

    try:
        variables = None if text is None else json.loads(text)
    except ValueError:
        variables = text
    if not isinstance(variables, dict | None):
        raise _Usage("--variables: it is not a JSON object")
    return variables


def _demo_settings() -> Settings:
    from gateway.app import settings_from
    from gateway.sandbox.app import create_sandbox
    from gateway.sandbox.examples import LINKS

    return settings_from({"sources": create_sandbox(1).state.sandbox.source_tables("http://127.0.0.1"), "links": dict(LINKS)})


def _table_of(explanation: Explanation) -> str:
    rows = [
        (entry.source, entry.operation, _count(entry.calls, entry.open_ended), ", ".join(entry.fields)) for entry in explanation.entries
    ]
    table = [("source", "operation", "calls", "because of"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}" for row in table]
    return "\n".join((*lines, f"total {_count(explanation.total, explanation.open_ended)}"))


def _count(calls: int, open_ended: bool) -> str:  # noqa: FBT001  (of the entry, or of all)
    return f"{calls}+" if open_ended else str(calls)


# ------------------------------------------------------------------ scripts against a running gateway


def _query(options: argparse.Namespace) -> int:
    from gateway.client import Mistake, Question, ask, read_document

    try:
        question = Question(
            document=read_document(_document_text(options.document), options.document, options.operation),
            variables=_variables_of(_given(options.variables, "--variables")) or {},
            format=options.format,
            is_all_pages=options.all_pages,
            is_traced=options.trace,
        )
        with _output(options.output) as out:
            return asyncio.run(ask(question, _target(options), out, _progress(options)))
    except Mistake as mistake:
        raise _Usage(_printable(str(mistake))) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"{options.output or 'stdout'}: {error.strerror or 'cannot be written'}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED  # the rest was not asked


def _run(options: argparse.Namespace) -> int:
    from gateway.client import Mistake, Rows, read_document, run

    def sdl() -> str:
        from gateway.schema import print_schema

        return print_schema()

    try:
        rows = Rows(
            document=read_document(_document_text(options.document), options.document, options.operation),
            shown_as=options.document,
            each=options.each,
            key_field=options.key_field,
            key_prefix=options.key_prefix,
            results=options.results,
            at_once=options.at_once,
            is_dry_run=options.dry_run,
        )
        return asyncio.run(run(rows, _target(options), _progress(options), sdl))
    except Mistake as mistake:
        raise _Usage(_printable(str(mistake))) from None
    except OSError as error:
        print(f"the file of results: {error.strerror or 'cannot be written'}; the same command goes on", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped at once: the same command asks again what was under way, by the same keys", file=sys.stderr)
        return UNKNOWN


def _target(options: argparse.Namespace) -> Target:
    import os

    from gateway.client import Target

    key = _given(options.key, "--key") or os.environ.get("INVOICE_GATEWAY_KEY") or None
    if key is not None and not (key := key.strip()).isprintable():
        raise _Usage("--key: it is not a key")
    url = options.url or os.environ.get("INVOICE_GATEWAY_URL") or _USUAL_URL
    return Target(url=url, key=key, ca_file=options.ca_file, timeout_seconds=options.timeout)


def _progress(options: argparse.Namespace) -> Progress:
    from gateway.client import Progress
    from gateway.transport import SystemClock

    return Progress(sys.stderr, SystemClock(), is_shown=options.progress or sys.stderr.isatty())


def _document_text(name: str) -> str:
    if name != "-":
        return _text_of(Path(name))
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise _Usage("-: it is not text in UTF-8") from None


def _given(text: str | None, option: str) -> str | None:
    """Give the value of an option: itself, or what is in the file that it names by `@`."""
    if text is None or not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise _Usage(f"{option} {text}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise _Usage(f"{option} {text}: it is not text in UTF-8") from None


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise _Usage(f"--output {path}: {error.strerror or 'cannot be written'}") from None
    with file:
        yield file


# ------------------------------------------------------------------ trusted documents


def _check_documents(options: argparse.Namespace) -> int:
    from gateway.app import make_costs, make_document_check, make_explainer, make_gateway
    from gateway.errors import SettingsError
    from gateway.server import read_manifest

    settings = _demo_settings() if options.config is None else _settings(options.config)
    try:
        documents = read_manifest(options.manifest)
    except SettingsError as error:
        raise _Usage(*error.lines) from None

    async def run() -> list[Checked]:
        gateway = make_gateway(settings)
        try:
            explainer = make_explainer(settings)
            check = make_document_check(settings, explainer)
            return list(check.weigh(documents, make_costs(settings, explainer), gateway.sources))
        finally:
            await gateway.aclose()

    try:
        found = asyncio.run(run())
    except SettingsError as error:
        raise _Usage(*(f"{options.config.name}: {line}" for line in error.lines)) from None
    return _show_checked(found, options)


def _show_checked(found: Sequence[Checked], options: argparse.Namespace) -> int:
    from gateway.server import Refusal

    for line in map(_plain_checked, found) if options.json else _table_of_checked(found):
        print(line)
    refused = [(checked, checked.found) for checked in found if isinstance(checked.found, Refusal)]
    for checked, refusal in refused:
        for mistake in refusal.mistakes:
            print(f"{options.manifest}: {checked.shown_id}: {refusal.code}: {mistake}", file=sys.stderr)
    return FAILED if refused else OK


def _table_of_checked(found: Sequence[Checked]) -> list[str]:
    table = [("id", "operation", "cost", "calls"), *(_row_of_checked(checked) for checked in found)]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    return [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}" for row in table]


def _row_of_checked(checked: Checked) -> tuple[str, str, str, str]:
    from gateway.server import Refusal

    name = "-" if checked.operation is None or checked.operation.name is None else checked.operation.name
    if isinstance(checked.found, Refusal):
        return checked.shown_id, name, "refused", "-"
    calls = checked.found.explanation
    return checked.shown_id, name, str(checked.found.cost.estimated), _count(calls.total, calls.open_ended)


def _plain_checked(checked: Checked) -> str:
    import json

    from gateway.server import Refusal

    operation, found = checked.operation, checked.found
    named = {
        "id": checked.document_id,
        "operation": None if operation is None else operation.name,
        "type": None if operation is None else operation.kind,
    }
    if isinstance(found, Refusal):
        return json.dumps({**named, "code": found.code, "mistakes": found.mistakes})
    return json.dumps({**named, "cost": found.cost.estimated, "upstreamCalls": found.explanation.to_plain()})


# ------------------------------------------------------------------ the trail of writes


def _with_journal(options: argparse.Namespace, work: Callable[[Settings, Journal], Awaitable[int]]) -> int:
    """Do something with the journal of a configuration. One that cannot be read or written is one line on stderr."""
    from gateway.app import open_journal
    from gateway.errors import JournalUnavailable, SettingsError

    settings = _settings(options.config)
    _check_journal_is_there(options.config, settings.server.state.get_secret_value())

    async def run() -> int:
        journal = await open_journal(settings)
        try:
            return await work(settings, journal)
        finally:
            await journal.aclose()

    try:
        return asyncio.run(run())
    except SettingsError as error:
        raise _Usage(*(f"{options.config.name}: {line}" for line in error.lines)) from None
    except JournalUnavailable as error:
        print(f"{options.config.name}: {error.message}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED  # the rest was not done


def _check_journal_is_there(config: Path, state: str) -> None:
    """Refuse a file that is not there: opening it would make an empty one, in which nothing seems to be UNKNOWN."""
    system, _, path = state.partition("://")
    if system != "sqlite":
        return
    if path in {"", "/", "/:memory:"}:
        raise _Usage(f"{config.name}: server.state: the journal is in the memory of the gateway, and cannot be read from here")
    if not Path(path[1:]).is_file():
        raise _Usage(f"{config.name}: server.state: there is no file {path[1:]} (a relative path starts where the gateway was started)")


def _reconcile(options: argparse.Namespace) -> int:
    if (options.settle is None) != (options.verdict is None):
        raise _Usage("reconcile: --settle and --as belong together")
    if options.settle is None and options.caller is not None:
        raise _Usage("reconcile: --caller says whose key --settle means")

    async def work(settings: Settings, journal: Journal) -> int:
        from gateway.app import make_gateway, make_writes

        writes = make_writes(journal, settings)
        if options.settle is not None:
            return await _settle_by_hand(writes, options)
        gateway = make_gateway(settings)
        try:
            return await _look_at_all(writes, gateway.sources, settings.server.mutation_deadline_seconds, options)
        finally:
            await gateway.aclose()

    return _with_journal(options, work)


async def _look_at_all(writes: Writes, sources: SourceSet, seconds: float, options: argparse.Namespace) -> int:
    stories: list[Story] = []
    for attempt in await writes.unsettled():
        story = await _look(writes, attempt, sources.get(attempt.intent.source), seconds)
        _print_story(story, as_json=options.json)
        stories.append(story)
    is_all_settled = all(story.attempt.is_settled for story in stories)
    if not options.json:
        counts = Counter(_outcome_of(story.attempt) for story in stories)
        print(
            f"looked at {len(stories)}: {', '.join(f'{n} {outcome}' for outcome, n in counts.items())}" if stories else "nothing is UNKNOWN"
        )
        if not is_all_settled:
            print("what you find out by hand is taken down with --settle KEY --caller NAME --as applied|rejected")
    return OK if is_all_settled else UNKNOWN


async def _look(writes: Writes, attempt: Attempt, source: Source | None, seconds: float) -> Story:
    from gateway.model import UserError, UserErrorCode
    from gateway.mutations import Story
    from gateway.transport import Scope, SystemClock

    if source is None:
        message = f"the source {attempt.intent.source} is not configured, or switched off: look there by hand"
        return Story(attempt, (UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))
    scope = Scope(request_id="reconcile", deadline=SystemClock().monotonic() + seconds)
    return await writes.look_again(attempt, source, scope)


async def _settle_by_hand(writes: Writes, options: argparse.Namespace) -> int:
    """Take down an operator's own verdict on one attempt of which nobody knows what became; what is proven meanwhile stands."""
    from gateway.model import MutationOutcome

    found = [attempt for attempt in await writes.unsettled() if attempt.intent.key == options.settle]
    meant = [attempt for attempt in found if options.caller in {None, attempt.intent.caller}]
    if len(meant) > 1:
        raise _Usage(f"--settle {options.settle}: several callers have this key, say --caller: {', '.join(a.intent.caller for a in meant)}")
    if not meant:
        print(f"--settle {options.settle}: no attempt with this key is UNKNOWN", file=sys.stderr)
        return FAILED
    story = await writes.settle_by_hand(meant[0], applied=options.verdict == "applied")
    _print_story(story, as_json=options.json)
    if story.attempt.outcome is MutationOutcome(options.verdict.upper()):
        return OK
    print(f"--settle {options.settle}: it was settled as {_outcome_of(story.attempt)} meanwhile, and stays so", file=sys.stderr)
    return FAILED


def _attempts(options: argparse.Namespace) -> int:
    async def work(settings: Settings, journal: Journal) -> int:
        from gateway.app import make_writes
        from gateway.model import AttemptQuery

        query = AttemptQuery(
            sources=None if options.source is None else frozenset(_keys_of(settings, options.source)),
            caller=options.caller,
            outcomes=None if options.outcome is None else frozenset(options.outcome),
            since=options.since,
            until=options.until,
        )
        await _print_trail(make_writes(journal, settings), query, as_json=options.json)
        return OK

    return _with_journal(options, work)


async def _print_trail(writes: Writes, query: AttemptQuery, *, as_json: bool) -> None:
    """Print page by page, so that a trail of any length needs the memory of one."""
    if not as_json:
        print(_TRAIL_ROW.format("received", "outcome", "source", "mutation", "caller", "subject", "key"))
    before: int | None = None
    while stories := await writes.attempts(query, before=before, size=_TRAIL_PAGE):
        for story in stories:
            print(_json_of(story) if as_json else _trail_row(story.attempt))
        before = stories[-1].attempt.id


def _trail_row(attempt: Attempt) -> str:
    intent, received = attempt.intent, attempt.received_at.isoformat(timespec="seconds")
    cells = received, _outcome_of(attempt), intent.source, intent.mutation, intent.caller, attempt.subject or "-", intent.key
    return _TRAIL_ROW.format(*map(_printable, cells))


def _print_story(story: Story, *, as_json: bool) -> None:
    if as_json:
        print(_json_of(story), flush=True)
        return
    attempt, intent = story.attempt, story.attempt.intent
    sent = "not sent" if attempt.sent_at is None else f"sent {attempt.sent_at.isoformat(timespec='seconds')}"
    about = "" if attempt.subject is None else f" about {attempt.subject}"
    print(_printable(f"{_outcome_of(attempt)}  {intent.source} {intent.mutation}{about}, key {intent.key} of {intent.caller}"))
    print(f"  {sent}, request {intent.request_id}")
    for error in story.errors:
        print(f"  {_printable(error.message)}")
    sys.stdout.flush()  # a look takes its time, and the next one follows


def _outcome_of(attempt: Attempt) -> str:
    return "in flight" if attempt.outcome is None else attempt.outcome.value


def _printable(text: str) -> str:
    """Give text without what a terminal would take for an order."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _json_of(story: Story) -> str:
    import json

    from gateway.schema.attempts import made_by

    attempt, intent, made = story.attempt, story.attempt.intent, made_by(story.attempt)
    times = {"receivedAt": attempt.received_at, "sentAt": attempt.sent_at, "settledAt": attempt.settled_at}
    return json.dumps(
        {
            "idempotencyKey": intent.key,
            "caller": intent.caller,
            "mutation": intent.mutation,
            "source": intent.source,
            "outcome": attempt.outcome,
            "requestId": intent.request_id,
            "subject": attempt.subject,
            **{name: None if value is None else value.isoformat() for name, value in times.items()},
            "upstreamStatus": attempt.upstream_status,
            "result": None if made is None else made.global_id,
            "userErrors": [_plain_error(error) for error in story.errors],
        }
    )


def _plain_error(error: UserError) -> dict[str, object]:
    return {**asdict(error), "field": None if error.field is None else list(error.field)}


def _forget(options: argparse.Namespace) -> int:
    async def work(settings: Settings, journal: Journal) -> int:
        keys = _keys_of(settings, options.source)
        spellings = await _spellings(settings, options.source, options.native_id)
        forgotten = [await journal.forget(key, native_id) for key in keys for native_id in spellings]
        kept = {attempt.id: attempt for part in forgotten for attempt in part.kept}
        print(f"removed: what was sent and answered in {sum(part.bodies for part in forgotten)} attempts")
        print(f"removed: the id as subject of {sum(part.subjects for part in forgotten)} attempts")
        for attempt in kept.values():
            line = f"kept until it is settled: {_outcome_of(attempt)}, key {attempt.intent.key} of {attempt.intent.caller}"
            print(_printable(line), file=sys.stderr)
        print("indexes live in the memory of running gateways only: a restart drops them")
        return FAILED if kept else OK

    return _with_journal(options, work)


def _keys_of(settings: Settings, key: str) -> tuple[str, ...]:
    """Give all the keys that a source has or had, as the journal has them; one that is no longer configured is its own."""
    for current, source in settings.sources.items():
        if key == current or key in source.former_keys:
            return current, *source.former_keys
    return (key,)


async def _spellings(settings: Settings, key: str, native_id: str) -> list[str]:
    """Give the key of an object as it was typed, and as its source spells it."""
    from gateway.app import make_gateway
    from gateway.errors import InvalidInput
    from gateway.model import Kind

    gateway = make_gateway(settings)
    source = gateway.sources.get(key)
    found = {native_id}
    if source is not None:
        for kind in (Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE, Kind.INVOICE_SETTINGS):
            with suppress(InvalidInput):
                found.add(source.canonical(kind, native_id))
    await gateway.aclose()
    return sorted(found)


# ------------------------------------------------------------------ the others


def _sandbox(options: argparse.Namespace) -> int:
    from gateway.sandbox.server import run

    run(options.host, options.port, options.seed)
    return OK


def _schema(options: argparse.Namespace) -> int:
    from gateway.schema import Federation, print_schema
    from gateway.settings import check_type_prefix

    if options.prefix and not options.federation:
        raise _Usage("--prefix: only with --federation")
    try:
        federation = Federation(check_type_prefix(options.prefix)) if options.federation else None
    except ValueError as error:
        raise _Usage(f"--prefix: {error}") from None
    sys.stdout.write(print_schema(federation))
    return OK


def _make_key(_options: argparse.Namespace) -> int:
    import hashlib
    import secrets

    key = secrets.token_urlsafe(32)
    print(f"key         {key}\nkey_sha256  {hashlib.sha256(key.encode()).hexdigest()}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
