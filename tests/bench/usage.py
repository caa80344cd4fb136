"""What processes used, from /proc: CPU time and peak memory of a process with its threads and children."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_RESET_PEAK: Final = "5"
"""Of clear_refs: see proc(5)."""


def cpu_seconds(pid: int, proc: Path = PROC) -> float:
    """Give user and system time of a process, its living descendants, and those children of theirs that ended."""
    return sum(ticks_of(stat) for _, stat in _family(pid, proc)) / _TICKS


def peak_bytes(pid: int, proc: Path = PROC) -> int:
    """Give the sum of the largest resident sets of a process and its descendants."""
    return sum(_peak(proc / str(member)) for member, _ in _family(pid, proc))


def reset_peak(pid: int, proc: Path = PROC) -> None:
    """Let the largest resident set be counted anew."""
    for member, _ in _family(pid, proc):
        (proc / str(member) / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")


def ticks_of(stat: str) -> int:
    """Read utime, stime, cutime and cstime, in clock ticks; the name before them may have blanks and parentheses."""
    return sum(map(int, stat.rpartition(")")[2].split()[11:15]))


def parent_of(stat: str) -> int:
    """Read the parent's process id."""
    return int(stat.rpartition(")")[2].split()[1])


def peak_of(status: str) -> int:
    """Read VmHWM in bytes; 0 for what has no memory of its own, such as a process that has ended."""
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return 0 if line is None else int(line.split()[1]) * 1024


def _peak(folder: Path) -> int:
    try:
        return peak_of((folder / "status").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return 0


def _family(pid: int, proc: Path) -> Iterator[tuple[int, str]]:
    stats = dict(_stats(proc))
    members = {pid}
    while True:
        more = {child for child, stat in stats.items() if parent_of(stat) in members} - members
        if not more:
            break
        members |= more
    return ((member, stats[member]) for member in sorted(members) if member in stats)


def _stats(proc: Path) -> Iterator[tuple[int, str]]:
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                yield int(folder.name), (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has just ended
                continue
