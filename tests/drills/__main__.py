"""Drills from the command line: `python -m tests.drills kill`. Exit code 1 when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.drills.gateways import NeverUp
from tests.drills.kill import Plan, drill
from tests.drills.report import to_text, violations_of


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
    return parser


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


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
