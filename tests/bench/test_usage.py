"""What processes used, read from a /proc of our own and from the real one."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench.usage import cpu_seconds, parent_of, peak_bytes, peak_of, ticks_of

_STAT = "{pid} ({name}) S {parent} 1 1 0 -1 4194304 100 0 0 0 {user} {system} {child_user} {child_system} 20 0 9 0 1 1 1"


def _write(proc: Path, pid: int, parent: int, ticks: tuple[int, int, int, int], peak_kilobytes: int | None, name: str = "python") -> None:
    folder = proc / str(pid)
    folder.mkdir()
    user, system, child_user, child_system = ticks
    stat = _STAT.format(pid=pid, name=name, parent=parent, user=user, system=system, child_user=child_user, child_system=child_system)
    (folder / "stat").write_text(stat)
    peak = "" if peak_kilobytes is None else f"VmHWM:\t   {peak_kilobytes} kB\n"
    (folder / "status").write_text(f"Name:\t{name}\nVmPeak:\t  999999 kB\n{peak}Threads:\t4\n")


def test_the_time_of_a_process_is_user_and_system_time_of_it_and_of_children_that_ended() -> None:
    stat = _STAT.format(pid=1, name="python", parent=7, user=10, system=20, child_user=300, child_system=4000)
    assert (ticks_of(stat), parent_of(stat)) == (4330, 7)


def test_a_name_with_blanks_and_parentheses_moves_no_field() -> None:
    stat = _STAT.format(pid=1, name="a) R 9 (b c", parent=7, user=1, system=2, child_user=3, child_system=4)
    assert (ticks_of(stat), parent_of(stat)) == (10, 7)


def test_living_children_and_their_children_count_and_others_do_not(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    _write(tmp_path, 10, 1, (ticks, 0, 0, 0), 1000)
    _write(tmp_path, 11, 10, (0, 2 * ticks, 0, 0), 200, name="node (worker)")
    _write(tmp_path, 12, 11, (0, 0, 3 * ticks, 0), 30)
    _write(tmp_path, 13, 1, (50 * ticks, 0, 0, 0), 5000)
    assert cpu_seconds(10, tmp_path) == 6.0
    assert peak_bytes(10, tmp_path) == 1230 * 1024


def test_a_process_that_has_ended_used_nothing(tmp_path: Path) -> None:
    assert (cpu_seconds(10, tmp_path), peak_bytes(10, tmp_path)) == (0.0, 0)


def test_what_has_no_memory_of_its_own_has_no_peak() -> None:
    assert peak_of("Name:\tkthreadd\nThreads:\t1\n") == 0


def test_this_process_has_used_time_and_memory() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert peak_bytes(os.getpid()) > 10_000_000
