"""The benchmark from the command line: `python -m tests.bench`. Exit code 1 when something could not be measured."""

from __future__ import annotations

import argparse
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import dataset
from tests.bench.measure import Bench, Effort, Result, measure_all
from tests.bench.peers import running_peers
from tests.bench.profiling import profile
from tests.bench.questions import NAMES, SAME, USUAL, Question, question
from tests.bench.report import failures_of, to_json, to_markdown, to_text
from tests.bench.stacks import ROOT, NotStarted, Plan, Stack, Upstream, raised_limits, running_gateway, running_upstream
from tests.bench.startup import Startup, measure_startup

_WHAT: Final = f"""\
Measures the gateway, started as its users start it, over a static upstream that speaks the dialects of two of its systems.

questions: join-bulk (orders with their customers, read 50 a call), join-each (one call an order and a customer), flat (8 fields of a
list), one (an order by its id), nodes-100 (orders by their global ids). Every connection asks for other objects, so that no calls can
be shared; with {SAME} behind its name a question is the same on all connections.

CPU ms is user and system time of the process with its threads and children, for each request; calls are counted at the upstream; peak
MB is the largest resident set. Each figure is the median of the rounds. Every answer is checked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    try:
        if options.profile is not None:
            sys.stdout.write(_profiled(options) + "\n")
            return 0
        return _measure(options, shlex.join(["python", "-m", "tests.bench", *given]))
    except NotStarted as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=_WHAT, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--queries", type=_questions, default=USUAL, metavar="NAMES", help=f"separated by commas; default {','.join(USUAL)}"
    )
    parser.add_argument("--connections", type=_numbers, default=(32,), metavar="N,N", help="of the client; default 32")
    parser.add_argument("--objects", type=_numbers, default=(dataset.BLOCK,), metavar="N,N", help="in a list; 100 at most, or hundreds")
    parser.add_argument("--workers", type=_numbers, default=(1,), metavar="N,N", help="processes of the gateway; default 1")
    parser.add_argument("--rounds", type=_number, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of a round; default 3")
    parser.add_argument("--warm-seconds", type=float, default=2.0, help="before the rounds; default 2")
    parser.add_argument("--in-flight", type=_number, default=32, help="max_in_flight of the sources, connections of peers; default 32")
    parser.add_argument("--peers", action="store_true", help="also install (npm) and measure other stacks with the same mapping")
    parser.add_argument("--peers-folder", type=Path, metavar="DIR", help="where peers are installed and kept; left out: a temporary one")
    parser.add_argument("--startup", action="store_true", help="time `--help` and the first answer of `serve` instead")
    parser.add_argument("--profile", type=_question, metavar="NAME", help="profile one question in this process, without sockets, instead")
    parser.add_argument("--requests", type=_number, default=50, help="of the profile; default 50")
    parser.add_argument("--lines", type=_number, default=40, help="of the profile; default 40")
    parser.add_argument("--json", action="store_true", help="print JSON, with each round")
    parser.add_argument("--markdown", action="store_true", help="print the table of the README")
    return parser


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_number(part) for part in text.split(","))


def _question(text: str) -> str:
    if text.removesuffix(SAME) not in NAMES:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(NAMES)}, with or without {SAME} behind it")
    return text


def _questions(text: str) -> tuple[str, ...]:
    return tuple(_question(part) for part in text.split(","))


def _profiled(options: argparse.Namespace) -> str:
    objects = options.objects[0]
    plan = Plan(objects=objects, connections=1, in_flight=options.in_flight)
    return profile(question(options.profile, objects), plan, options.requests, options.lines)


@dataclass(frozen=True, slots=True)
class _Measured:
    results: list[Result]
    failures: dict[str, str]
    startup: Startup | None = None


def _measure(options: argparse.Namespace, command: str) -> int:
    plan = Plan(max(options.objects), max(options.connections), max(options.workers), options.in_flight)
    raised = raised_limits(plan)
    _tell(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    for table, keys in raised.items():
        if keys:
            _tell(f"raised for the bench: {table}: " + ", ".join(f"{name} = {value:g}" for name, value in keys.items()))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running_upstream() as upstream:
        measured = _run(options, Path(folder), upstream, plan)
    _write(options, measured, raised, command)
    complete = not measured.failures and all(result.failure is None for result in measured.results)
    return 0 if complete else 1


def _run(options: argparse.Namespace, folder: Path, upstream: Upstream, plan: Plan) -> _Measured:
    if options.startup:
        return _Measured([], {}, measure_startup(folder, upstream, options.rounds))
    results: list[Result] = []
    failures: dict[str, str] = {}
    bench = Bench(upstream, Effort(options.seconds, options.rounds, options.warm_seconds), _tell)
    asked = _asked(options)
    for workers in options.workers:
        if workers > 1 and not _serves_workers():
            _tell(f"left out: {workers} workers, as `serve` has no --workers")
            continue
        with _stacks(options, folder, upstream, Plan(plan.objects, plan.connections, workers, plan.in_flight), asked, failures) as stacks:
            results += measure_all(bench, asked, stacks, options.connections, workers)
    return _Measured(results, failures)


def _asked(options: argparse.Namespace) -> list[Question]:
    """Give each question of each size once; one that has only one size is not asked again for another."""
    questions = (question(name, objects) for name in options.queries for objects in options.objects)
    return list({(asked.name, asked.objects): asked for asked in questions}.values())


@contextmanager
def _stacks(
    options: argparse.Namespace, folder: Path, upstream: Upstream, plan: Plan, asked: Sequence[Question], failures: dict[str, str]
) -> Iterator[list[Stack]]:
    """Start what is measured: the gateway, and beside one process of it the peers, where they are asked for."""
    with ExitStack() as stack:
        stacks = [stack.enter_context(running_gateway(folder, upstream, plan))]
        if options.peers and plan.workers == 1:
            _tell("installing and starting the peers")
            place = nullcontext(options.peers_folder) if options.peers_folder else tempfile.TemporaryDirectory(prefix="bench-peers-")
            peers_folder = Path(stack.enter_context(place)).resolve()
            peers, missing = stack.enter_context(running_peers(peers_folder, upstream, plan, asked))
            stacks += peers
            failures.update(missing)
        yield stacks


def _serves_workers() -> bool:
    told = subprocess.run([sys.executable, "-m", "gateway", "serve", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return "--workers" in told.stdout


def _write(options: argparse.Namespace, measured: _Measured, raised: dict[str, dict[str, float]], command: str) -> None:
    writers: dict[str, Callable[[], str]] = {
        "json": lambda: to_json(measured.results, raised, measured.failures, measured.startup),
        "markdown": lambda: to_markdown(measured.results, command),
        "startup": lambda: _startup_text(measured.startup),
        "text": lambda: to_text(measured.results),
    }
    form = next((name for name in ("json", "markdown", "startup") if getattr(options, name)), "text")
    for name, why in measured.failures.items():
        _tell(f"not measured: {name}: {why}")
    if form == "markdown":
        for line in failures_of(measured.results):
            _tell(line)
    sys.stdout.write(writers[form]() + "\n")


def _startup_text(startup: Startup | None) -> str:
    assert startup is not None
    return f"--help {startup.help_seconds:.2f} s, serve to its first answer {startup.first_answer_seconds:.2f} s"


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
