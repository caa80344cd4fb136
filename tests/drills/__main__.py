"""Drills from the command line: `python -m tests.drills kill`, `faults`, ... Exit code 1 when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.drills import batch, fuzz, isolation, matrix, replicas, soak
from tests.drills.gateways import NeverUp
from tests.drills.kill import Plan, drill
from tests.drills.matrix import Matrix, drill_all
from tests.drills.report import to_text, violations_of
from tests.execution import attacks


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill that is asked for."""
    options = _parser().parse_args(arguments)
    code: int = options.command(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description="Drills: the gateway's promises under stress.")
    commands = parser.add_subparsers(required=True, metavar="DRILL")
    kill = commands.add_parser("kill", help="kill gateways while clients write; for each key one write or none")
    kill.add_argument("--kills", type=int, default=200)
    kill.add_argument("--seed", type=int, default=1, help="of the sandbox's data, of what goes wrong and when")
    kill.add_argument("--state", choices=("sqlite", "postgres"), default="sqlite", help="where the journal is")
    kill.add_argument("--gateways", type=int, choices=(1, 2), default=1, help="two: over one journal, and given the same keys at once")
    kill.add_argument("--folder", type=Path, help="an empty one for configuration, journal and logs; left out: one that is gone at the end")
    kill.set_defaults(command=_kill)
    faults = commands.add_parser("faults", help="bring each upstream operation into each trouble and see what comes back")
    faults.add_argument("--operation", default="", help="only those with this text in their names, as in `norce.Get`")
    faults.add_argument("--trouble", default="", help="only those with this text in their names, as in `429`")
    faults.add_argument("--lanes", type=int, default=2, help="processes at once")
    faults.set_defaults(command=_faults)
    isolated = commands.add_parser("isolation", help="let one source stall and compare how soon the others are answered")
    isolated.add_argument("--rounds", type=int, default=12)
    isolated.add_argument("--seed", type=int, default=1)
    isolated.set_defaults(command=_isolation)
    soaked = commands.add_parser("soak", help="80 %% of capacity with 5 % faults: memory and connections must stay as they are")
    soaked.add_argument("--minutes", type=float, default=10)
    soaked.add_argument("--rate", type=float, help="questions a second; left out: 80 %% of what the gateway shows to be able to")
    soaked.add_argument("--seed", type=int, default=1)
    soaked.set_defaults(command=_soak)
    replicated = commands.add_parser("replicas", help="two gateways over one PostgreSQL under load, one of them killed time and again")
    replicated.add_argument("--minutes", type=float, default=3)
    replicated.add_argument("--kill-every", type=float, default=10, metavar="SECONDS")
    replicated.add_argument("--seed", type=int, default=1)
    replicated.set_defaults(command=_replicas)
    schema = commands.add_parser("schema", help="ask the demo what the schema allows, what it does not, and what follows from answers")
    schema.add_argument("--seconds", type=float, default=300)
    schema.set_defaults(command=_schema)
    batches = commands.add_parser("batch", help="kill `run` while it creates invoices and begin it again; page through many by `query`")
    batches.add_argument("--rows", type=int, default=1000)
    batches.add_argument("--kills", type=int, default=2)
    batches.add_argument("--invoices", type=int, nargs="+", default=[500, 5000], help="how many to page through; memory must not grow")
    batches.set_defaults(command=_batch)
    commands.add_parser("attacks", help="send documents that are made to cost much; each is refused by name, soon").set_defaults(
        command=_attacks
    )
    return parser


def _attacks(_options: argparse.Namespace) -> int:
    refusals = attacks.drill()
    _tell(attacks.to_text(refusals))
    return 0 if all(refusal.is_kept for refusal in refusals) else 1


def _batch(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        report = asyncio.run(batch.drill_batch(options.rows, options.kills, Path(folder), _tell))
    sys.stdout.write(f"{report.to_text()}\n")
    pages = []
    for invoices in options.invoices:
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            pages.append(asyncio.run(batch.drill_pages(invoices, Path(folder))))
        sys.stdout.write(f"{pages[-1].to_text()}\n")
    is_kept = not report.violations and not batch.has_grown(pages) and all(page.written == page.rows for page in pages)
    return 0 if is_kept else 1


def _kill(options: argparse.Namespace) -> int:
    plan = Plan(kills=options.kills, seed=options.seed, state=options.state, gateways=options.gateways)
    with nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory(prefix="drill-") as folder:
        try:
            report = asyncio.run(drill(plan, Path(folder).resolve(), tell=_tell))
        except NeverUp as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stdout.write(f"{to_text(report)}\n")
    return 1 if violations_of(report) else 0


def _faults(options: argparse.Namespace) -> int:
    rows = drill_all(Matrix(options.operation, options.trouble, options.lanes), _tell)
    sys.stdout.write(f"{matrix.to_text(rows)}\n")
    return 1 if any(row.violations for row in rows) else 0


def _isolation(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        report = asyncio.run(isolation.drill(isolation.Plan(rounds=options.rounds, seed=options.seed), Path(folder), _tell))
    sys.stdout.write(f"{isolation.to_text(report)}\n")
    return 1 if report.violations else 0


def _soak(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        plan = soak.Plan(minutes=options.minutes, rate=options.rate, seed=options.seed)
        report = asyncio.run(soak.soak(plan, Path(folder), _tell))
    sys.stdout.write(f"{soak.to_text(report)}\n")
    return 1 if report.violations else 0


def _replicas(options: argparse.Namespace) -> int:
    plan = replicas.Plan(minutes=options.minutes, kill_every_seconds=options.kill_every, seed=options.seed)
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        try:
            report = asyncio.run(replicas.drill(plan, Path(folder).resolve(), _tell))
        except NeverUp as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stdout.write(f"{replicas.to_text(report)}\n")
    return 1 if report.violations else 0


def _schema(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        try:
            report = asyncio.run(fuzz.drill(options.seconds, Path(folder), _tell))
        except (fuzz.NotInstalled, NeverUp) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stdout.write(f"{fuzz.to_text(report)}\n")
    return 1 if report.violations else 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
