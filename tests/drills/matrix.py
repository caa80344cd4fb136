"""The whole matrix of the fault drill, a row (one operation in all troubles) at a time in processes of their own, and its table."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

from gateway.sandbox.server import RunningSandbox, serving
from tests.drills.expectations import expected, violations
from tests.drills.faults import TOLERANCE_SECONDS, Healthy, Seen, healthy, try_cell
from tests.drills.operations import NOT_DRILLED, Operation, operations
from tests.drills.table import to_columns
from tests.drills.troubles import TIMEOUT_SECONDS, TROUBLES, Trouble

_TRIES: Final = 3
_LONGEST_PAUSE_SECONDS: Final = TIMEOUT_SECONDS / 3
_HEADS: Final = ("operation", "trouble", "came back", "s", "in time", "others", "tasks left", "connections", "calls", "")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Which part of the matrix is drilled: operations and troubles that have this text in their names; empty: all."""

    operation: str = ""
    trouble: str = ""
    lanes: int = 2
    """Processes at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """An operation in all troubles."""

    operation: Operation
    cells: list[tuple[Trouble, Seen]]

    @property
    def violations(self) -> list[str]:
        """Name every broken promise."""
        return [what for trouble, seen in self.cells for what in violations(self.operation, trouble, seen)]


def drill_all(matrix: Matrix, tell: Callable[[str], None] = lambda _line: None) -> list[Row]:
    """Drill, and give the rows in the order of the operations; `tell` takes a line for whoever waits."""
    titles = [operation.title for operation in operations() if matrix.operation.casefold() in operation.title.casefold()]
    found: dict[str, Row] = {}
    with ProcessPoolExecutor(matrix.lanes, mp_context=multiprocessing.get_context("forkserver")) as processes:
        waiting = {processes.submit(drill_row, title, matrix.trouble): title for title in titles}
        for done in as_completed(waiting):
            row = found[waiting[done]] = done.result()
            tell(f"{len(found)}/{len(titles)} {waiting[done]}: {len(row.violations)} violations")
    return [found[title] for title in titles]


def drill_row(title: str, trouble: str = "") -> Row:
    """Drill one operation, in a loop and with a sandbox of its own."""
    operation = next(operation for operation in operations() if operation.title == title)
    return asyncio.run(_row(operation, [one for one in TROUBLES if trouble.casefold() in one.name.casefold()]))


async def _row(operation: Operation, troubles: Sequence[Trouble]) -> Row:
    async with serving(port=0, seed=1) as running:
        known = await healthy(running, operation)
        return Row(operation, [(trouble, await _undisturbed(running, operation, trouble, known)) for trouble in troubles])


async def _undisturbed(running: RunningSandbox, operation: Operation, trouble: Trouble, known: Healthy) -> Seen:
    """Try a cell; again where the machine stood still so long that this may be why it came out otherwise. What is left over counts."""
    for _ in range(_TRIES - 1):
        seen = await try_cell(running, operation, trouble, known)
        if seen.pause_seconds < _LONGEST_PAUSE_SECONDS or not seen.is_clean or not violations(operation, trouble, seen):
            return seen
    return await try_cell(running, operation, trouble, known)


def to_text(rows: Sequence[Row]) -> str:
    """Write the table, what it left out, and what is wrong."""
    return "\n".join(_lines(rows))


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    yield from to_columns([_HEADS, *(_cell(row.operation, trouble, seen) for row in rows for trouble, seen in row.cells)], texts=3)
    yield ""
    yield from (f"not drilled: {title}: {why}" for title, why in NOT_DRILLED.items())
    broken = [what for row in rows for what in row.violations]
    yield f"{len(rows)} operations, {sum(len(row.cells) for row in rows)} cells, violations: {len(broken)}"
    yield from (f"  {what}" for what in broken)


def _cell(operation: Operation, trouble: Trouble, seen: Seen) -> tuple[str, ...]:
    return (
        operation.title,
        trouble.name,
        seen.code,
        f"{seen.seconds:.2f}",
        "LATE" if seen.is_late(TOLERANCE_SECONDS) else "yes",
        "yes" if seen.others else "NO",
        str(seen.tasks),
        f"{seen.busy} busy, {seen.connections} kept",
        str(seen.calls),
        "BROKEN" if violations(operation, trouble, seen) else expected(operation, trouble).why,
    )
