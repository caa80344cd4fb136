"""How things stand with a gateway at the moment of a scrape. Saying so asks no upstream."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.execution import Counts
from gateway.loaders import Clock, Source
from gateway.server.attempt_counts import AttemptCounts
from gateway.server.load import Load
from gateway.telemetry import PREFIX, Family, Gauge

_PROC: Final = Path("/proc")
_IMPORTED_ON: Final = time.time()
_START: Final = 19
"""Of the fields of `/proc/self/stat` after the name: when it started, in ticks since the system did (proc(5), field 22)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is looked at. `plans`: how operations were executed."""

    load: Load
    attempts: AttemptCounts
    plans: Counts
    clock: Clock

    async def families(self, sources: list[Source]) -> list[Family]:
        """Say how it stands now."""
        attempts = await self.attempts.current()
        return [*_of_sources(sources, self.clock), *_of_journal(attempts), *_of_plans(self.plans), *_of_load(self.load), *_of_process()]


def _of_journal(counts: Mapping[str, int] | None) -> Iterator[Gauge]:
    is_up = _gauge("journal_up", "1: the journal of writes can be read.")
    is_up.put(0 if counts is None else 1)
    attempts = _gauge("attempts", "Writes in the journal that are not settled: received, being sent, or UNKNOWN.", "state")
    for state, count in (counts or {}).items():
        attempts.put(count, state)
    return iter((is_up, attempts))


def _of_plans(counts: Counts) -> Iterator[Gauge]:
    plans = Gauge(f"{PREFIX}plans_total", "Operations executed by their plan, and those of which none can be made.", "way", kind="counter")
    plans.put(counts.planned, "plan")
    plans.put(counts.fallbacks, "fallback")
    return iter((plans,))


def _of_sources(sources: list[Source], clock: Clock) -> Iterator[Gauge]:
    is_open = _gauge("breaker_open", "1: the breaker refuses calls, all of them or all but one probe.", "source")
    gate = _gauge("gate_seconds", "How long nobody calls, as the upstream asked.", "source")
    in_flight = _gauge("upstream_in_flight", "Calls under way.", "source")
    most_in_flight = _gauge("upstream_in_flight_limit", "As many as may be.", "source")
    queue = _gauge("upstream_queue", "Requests that wait for a call of theirs.", "source")
    most_in_queue = _gauge("upstream_queue_limit", "As many as may wait.", "source")
    age = _gauge("index_age_seconds", "How old what an index knows is; it is read again when it is asked.", "source", "index")
    rows = _gauge("index_rows", "Objects that it knows.", "source", "index")
    for source in sources:
        key, state = source.profile.key, source.upstream_state
        is_open.put(0 if state.breaker.circuit.value == "CLOSED" else 1, key)
        gate.put(state.pause_seconds, key)
        in_flight.put(state.in_flight, key)
        most_in_flight.put(state.max_in_flight, key)
        queue.put(state.waiting_requests, key)
        most_in_queue.put(state.max_waiting_requests, key)
        for index in source.indexes:
            if index.as_of is not None:
                age.put((clock.now() - index.as_of).total_seconds(), key, index.operation)
            rows.put(index.rows, key, index.operation)
    return iter((is_open, gate, in_flight, most_in_flight, queue, most_in_queue, age, rows))


def _of_load(load: Load) -> Iterator[Gauge]:
    in_hand = _gauge("requests_in_flight", "Requests in hand.")
    in_hand.put(load.in_hand)
    is_ready = _gauge("ready", "1: more requests should be sent here.")
    is_ready.put(1 if load.why_unready is None else 0)
    return iter((in_hand, is_ready))


def _of_process() -> Iterator[Gauge]:
    """Say what the process uses, under the names that all exporters have for it."""
    cpu = Gauge("process_cpu_seconds_total", "Time on a processor.", kind="counter")
    cpu.put(time.process_time())
    started = Gauge("process_start_time_seconds", "When it started, since 1970.")
    started.put(started_on())
    memory = Gauge("process_resident_memory_bytes", "Memory in use.")
    statm = _PROC / "self/statm"
    if statm.is_file():  # Linux
        memory.put(int(statm.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE)
    return iter((cpu, started, memory))


def started_on(proc: Path = _PROC) -> float:
    """Say when this process started, in seconds since 1970; not on Linux, when the one did that it may be forked from."""
    if not (proc / "self/stat").is_file():
        return _IMPORTED_ON
    _, _, fields = (proc / "self/stat").read_bytes().rpartition(b")")
    system = next(line for line in (proc / "stat").read_bytes().splitlines() if line.startswith(b"btime "))
    return int(system.split()[1]) + int(fields.split()[_START]) / os.sysconf("SC_CLK_TCK")


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(PREFIX + name, meaning, *labels)
