"""The peers: other stacks over the same upstream with the same mapping, installed from npm into a folder of their own.

A peer that cannot be installed or started is told by name with the reason; the others are measured all the same.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.sources.norce.endpoints import CUSTOMERS, ORDERS
from tests.bench.questions import SHOP_SOURCE, WEB_SOURCE, Question
from tests.bench.stacks import NotStarted, Plan, Stack, Upstream, running
from tests.drills.gateways import free_port

SOURCES: Final = Path(__file__).parent / "peers"
_INSTALL_SECONDS: Final = 900
_STEP_SECONDS: Final = 120
_TAILCALLS: Final = ("@tailcallhq/core-linux-x64-gnu", "tailcall-1.0")
"""The latest one needs a newer C library than some machines have; the other runs where that one does not."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a peer is told: where the upstream is, where to listen, and how many connections it may open."""

    folder: Path
    upstream: str
    port: int
    connections: int

    def to_json(self) -> str:
        """Give it as the Node peers read it."""
        return json.dumps(
            {
                "upstream": self.upstream,
                "port": self.port,
                "connections": self.connections,
                "ordersSelect": ",".join(ORDERS.properties),
                "customersSelect": ",".join(CUSTOMERS.properties),
            }
        )


Command = tuple[str, Sequence[str]]
"""The name with its version, and what starts it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A stack that is compared. `prepare` makes it ready and gives its command; raises `NotStarted`."""

    name: str
    prepare: Callable[[Setting], Command]
    rewrite: Callable[[Question], str | None] = lambda question: question.document
    """Give the document that asks a question of it; None: it has no way to be asked that."""


def install(folder: Path) -> None:
    """Install the peers with npm, where that has not been done in this folder. Raises `NotStarted`."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in SOURCES.iterdir():
        shutil.copy(path, folder)
    wanted = (SOURCES / "package.json").read_text(encoding="utf-8")
    done = folder / "installed.json"
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except FileNotFoundError:
        raise NotStarted("the peers cannot be installed: there is no npm") from None
    except subprocess.TimeoutExpired:
        raise NotStarted(f"the peers cannot be installed: npm took more than {_INSTALL_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        raise NotStarted(f"the peers cannot be installed: {_last(error.stderr)}") from None
    done.write_text(wanted, encoding="utf-8")


def _last(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-3:])


def _version(setting: Setting, package: str) -> str:
    text = (setting.folder / "node_modules" / package / "package.json").read_text(encoding="utf-8")
    version: str = json.loads(text)["version"]
    return version


def _node(title: str, file: str, package: str) -> Callable[[Setting], Command]:
    return lambda setting: (f"{title} {_version(setting, package)}", ["node", file])


def _hive(setting: Setting) -> Command:
    binaries = setting.folder / "node_modules" / ".bin"
    compose = [str(binaries / "mesh-compose"), "-c", "mesh.config.mjs", "-o", "supergraph.graphql"]
    made = subprocess.run(
        compose, cwd=setting.folder, env=_environ(setting), capture_output=True, text=True, timeout=_STEP_SECONDS, check=False
    )
    if made.returncode != 0:
        raise NotStarted(f"Mesh Compose: {_last(made.stdout + made.stderr)}")
    options = ["supergraph", "supergraph.graphql", "-c", "hive.config.mjs", "-h", "127.0.0.1", "-p", str(setting.port)]
    return f"Hive Gateway {_version(setting, '@graphql-hive/gateway')}", [str(binaries / "hive-gateway"), *options]


def _tailcall(setting: Setting) -> Command:
    text = (setting.folder / "tailcall.graphql").read_text(encoding="utf-8")
    told = json.loads(setting.to_json())
    values = {
        "PORT": told["port"],
        "UPSTREAM": told["upstream"],
        "CONNECTIONS": told["connections"],
        "ORDERS_SELECT": told["ordersSelect"],
        "CUSTOMERS_SELECT": told["customersSelect"],
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    config = setting.folder / "tailcall.filled.graphql"
    config.write_text(text, encoding="utf-8")
    program, version = _tailcall_that_runs(setting)
    return f"Tailcall {version}", [program, "start", str(config)]


def _tailcall_that_runs(setting: Setting) -> tuple[str, str]:
    said = ""
    for package in _TAILCALLS:
        program = setting.folder / "node_modules" / package / "bin" / "tailcall"
        tried = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_STEP_SECONDS, check=False)
        if tried.returncode == 0:
            return str(program), tried.stdout.strip().removeprefix("tailcall v")
        said = said or _last(tried.stderr)
    raise NotStarted(said)


def tailcall_document(question: Question) -> str | None:
    """Ask as its schema has it: a field for each source, as it cannot choose by an argument. It cannot read global ids."""
    if "nodes(" in question.document:
        return None
    fields = {SHOP_SOURCE: "shopOrders", WEB_SOURCE: "webOrders"}
    document = question.document
    for source, name in fields.items():
        listed = f'orders(filter: {{sources: ["{source}"], '
        document = document.replace(f": {listed}", f": {name}(filter: {{").replace(listed, f"orders: {name}(filter: {{")
    return document.replace("DateTime!", "String!")


PEERS: Final = (
    Peer("Tailcall", _tailcall, tailcall_document),
    Peer("Mercurius", _node("Mercurius + JIT", "mercurius.mjs", "mercurius")),
    Peer("Yoga", _node("GraphQL Yoga + dataloader", "yoga.mjs", "graphql-yoga")),
    Peer("Apollo", _node("Apollo Server + datasource-rest", "apollo.mjs", "@apollo/server")),
    Peer("Hive", _hive),
)


@contextmanager
def running_peers(
    folder: Path, upstream: Upstream, plan: Plan, questions: Sequence[Question]
) -> Iterator[tuple[list[Stack], dict[str, str]]]:
    """Install and start the peers; gives those that run, and by name why others do not."""
    stacks: list[Stack] = []
    failures: dict[str, str] = {}
    try:
        install(folder)
    except NotStarted as error:
        yield [], {peer.name: str(error) for peer in PEERS}
        return
    with ExitStack() as stack:
        for peer in PEERS:
            try:
                stacks.append(
                    stack.enter_context(_running_peer(peer, Setting(folder, upstream.url, free_port(), plan.in_flight), questions))
                )
            except (NotStarted, OSError, subprocess.TimeoutExpired) as error:
                failures[peer.name] = str(error)
        yield stacks, failures


@contextmanager
def _running_peer(peer: Peer, setting: Setting, questions: Sequence[Question]) -> Iterator[Stack]:
    name, command = peer.prepare(setting)
    documents = {question.name: document for question in questions if (document := peer.rewrite(question)) is not None}
    with running(name, command, setting.port, setting.folder / f"{peer.name}.log", _environ(setting)) as pid:
        yield Stack(name, setting.port, pid, own_documents=documents)


def _environ(setting: Setting) -> Mapping[str, str]:
    quiet = {"NODE_ENV": "production", "TC_LOG_LEVEL": "error", "TAILCALL_LOG_LEVEL": "error"}
    return {**os.environ, **quiet, "BENCH_PEER": setting.to_json()}
