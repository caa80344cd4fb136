"""The command line. Mistakes of the user's become one line each on stderr and exit code 2; never a traceback.

Imports stand inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from gateway.schema.explain import Explanation
    from gateway.settings import Settings
    from gateway.sources.base import Source

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2

_PROBE_SECONDS: Final = 10.0


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
    serve.set_defaults(command=_serve)

    check = commands.add_parser("check", help="read a configuration file and say what each source can do")
    check.add_argument("--config", type=Path, required=True, metavar="FILE")
    check.add_argument("--live", action="store_true", help="also sign in and make one cheap read a source")
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

    commands.add_parser("schema", help="print the SDL of the graph").set_defaults(command=_schema)
    commands.add_parser("key", help="make a caller's key; prints it once, with its sha256").set_defaults(command=_make_key)
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:  # noqa: PLR2004  (the largest port there is)
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


# ------------------------------------------------------------------ demo and serve


def _demo(options: argparse.Namespace) -> int:
    if options.host not in {"127.0.0.1", "::1", "localhost"}:
        raise _Usage(f"demo: --host {options.host}: the demo is open to everybody and stays on this machine; use serve for others")
    asyncio.run(_run_demo(options.host, options.port, options.seed))
    return OK


async def _run_demo(host: str, port: int, seed: int) -> None:
    from gateway.app import create_app, settings_from
    from gateway.explorer import Journey
    from gateway.sandbox.examples import EXAMPLES
    from gateway.sandbox.server import serving

    listener = _listen(host, port)
    async with serving(port=0, seed=seed) as sandbox:
        server = {"host": host, "explorer": True, "introspection": True}
        settings = settings_from({"server": server, "sources": sandbox.sandbox.source_tables(sandbox.base_url)})
        journeys = [Journey(item.title, item.description, item.query, item.variables) for item in EXAMPLES]
        app = create_app(settings, journeys=journeys)
        address = f"http://{_shown(host)}:{listener.getsockname()[1]}"
        await _run_server(
            app,
            listener,
            f"explorer   {address}/\n"
            f"GraphQL    {address}/graphql\n"
            f"sandbox    {sandbox.base_url}/   (what it was asked: /_control/calls)\n\n"
            f"One question, four systems. Paste it into the explorer, or leave it to curl:\n\n{EXAMPLES[0].query}\n"
            "Ctrl-C ends it.",
        )


def _serve(options: argparse.Namespace) -> int:
    from gateway.app import create_app
    from gateway.errors import SettingsError

    settings = _settings(options.config)
    changes = {name: value for name, value in (("host", options.host), ("port", options.port)) if value is not None}
    settings = settings.model_copy(update={"server": settings.server.model_copy(update=changes)})
    try:
        app = create_app(settings)
    except SettingsError as error:
        raise _Usage(*(f"{options.config.name}: {line}" for line in error.lines)) from None
    listener = _listen(settings.server.host, settings.server.port)
    asyncio.run(_run_server(app, listener, f"GraphQL at http://{_shown(settings.server.host)}:{listener.getsockname()[1]}/graphql"))
    return OK


def _listen(host: str, port: int) -> socket.socket:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise _Usage(f"{host}:{port}: {error.strerror or 'cannot listen there'} (another --port may be free)") from None
    return listener


async def _run_server(app: Starlette, listener: socket.socket, announcement: str) -> None:
    """Serve until Ctrl-C; say so once it answers, when a Ctrl-C is quiet, too."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(announcement, flush=True)

    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=30)
    await Server(config).serve(sockets=[listener])


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# ------------------------------------------------------------------ check


def _check(options: argparse.Namespace) -> int:
    from gateway.app import make_gateway
    from gateway.errors import SettingsError

    settings = _settings(options.config)

    async def run() -> int:
        gateway = make_gateway(settings)
        try:
            for source in gateway.sources:
                print(_describe(source))
            return await _probe_all(list(gateway.sources)) if options.live else OK
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

    return settings_from({"sources": create_sandbox(1).state.sandbox.source_tables("http://127.0.0.1")})


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


# ------------------------------------------------------------------ the others


def _sandbox(options: argparse.Namespace) -> int:
    from gateway.sandbox.server import run

    run(options.host, options.port, options.seed)
    return OK


def _schema(_options: argparse.Namespace) -> int:
    from gateway.schema import print_schema

    sys.stdout.write(print_schema())
    return OK


def _make_key(_options: argparse.Namespace) -> int:
    import hashlib
    import secrets

    key = secrets.token_urlsafe(32)
    print(f"key         {key}\nkey_sha256  {hashlib.sha256(key.encode()).hexdigest()}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
