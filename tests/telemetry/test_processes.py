"""What one of several processes tells of the others."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.telemetry import Counter, Processes, exposition


def told(processes: Processes, counter: Counter) -> list[str]:
    return exposition(processes.with_others([counter])).splitlines()


def be(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: pid)


def ended() -> int:
    """Give the id of a process that was there."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def counter() -> Counter:
    counter = Counter("calls_total", "Calls.", "source")
    counter.add("shop")
    return counter


def test_each_process_has_its_own_numbers_under_one_head(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = os.getpid(), os.getppid()
    processes = Processes()
    be(other, monkeypatch)
    processes.publish([counter])
    be(own, monkeypatch)
    counter.add("shop")

    assert told(processes, counter) == [
        "# HELP calls_total Calls.",
        "# TYPE calls_total counter",
        f'calls_total{{source="shop",worker="{own}"}} 2',
        f'calls_total{{source="shop",worker="{other}"}} 1',
    ]


def test_what_a_process_told_of_itself_is_not_told_twice(counter: Counter) -> None:
    processes = Processes()
    processes.publish([counter])

    assert told(processes, counter)[2:] == [f'calls_total{{source="shop",worker="{os.getpid()}"}} 1']


def test_of_a_process_that_has_ended_nothing_is_told(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    own, processes = os.getpid(), Processes()
    be(ended(), monkeypatch)
    processes.publish([counter])
    be(own, monkeypatch)

    assert told(processes, counter)[2:] == [f'calls_total{{source="shop",worker="{own}"}} 1']


def test_what_has_ended_is_forgotten_before_another_has_its_id(counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own, processes = os.getpid(), Processes()
    be(ended(), monkeypatch)
    processes.publish([counter])
    be(own, monkeypatch)
    processes.publish([counter])

    (folder,) = tmp_path.iterdir()
    assert [path.name for path in folder.iterdir()] == [str(own)]


def test_who_leaves_takes_what_it_told_along(counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    processes = Processes()
    processes.publish([counter])
    processes.leave()

    (folder,) = tmp_path.iterdir()
    assert list(folder.iterdir()) == []


def test_the_last_one_removes_what_a_killed_maker_left(counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own, other = os.getpid(), os.getppid()
    be(ended(), monkeypatch)
    processes = Processes()
    for worker in (own, other):
        be(worker, monkeypatch)
        processes.publish([counter])
    left = []
    for worker in (own, other):
        be(worker, monkeypatch)
        processes.leave()
        left.append(len(list(tmp_path.iterdir())))

    assert left == [1, 0]


def test_what_is_published_replaces_what_was(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other, processes = os.getpid(), os.getppid(), Processes()
    be(other, monkeypatch)
    processes.publish([counter])
    counter.add("shop")
    processes.publish([counter])
    be(own, monkeypatch)

    assert f'calls_total{{source="shop",worker="{other}"}} 2' in told(processes, counter)


def test_nobody_else_can_read_it(counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    processes = Processes()
    processes.publish([counter])

    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def test_it_leaves_nothing_behind(counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    processes = Processes()
    processes.publish([counter])
    del processes
    gc.collect()

    assert list(tmp_path.iterdir()) == []
