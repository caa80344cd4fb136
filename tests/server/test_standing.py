"""What is told of the process itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.server.standing import started_on

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel says so on Linux alone")
FORKS = """
import os
from gateway.server.standing import started_on
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, str(started_on()).encode())
    os._exit(0)
os.wait()
print(started_on(), os.read(reading, 100).decode())
"""


@ON_LINUX
def test_a_process_started_when_the_kernel_says(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    ticks = os.sysconf("SC_CLK_TCK")
    (tmp_path / "self/stat").write_text(f"7 (a) (b) S {' '.join(['1'] * 18)} {3 * ticks} 1 1", encoding="ascii")
    (tmp_path / "stat").write_text("cpu 1 2\nbtime 1700000000\nprocesses 3\n", encoding="ascii")

    assert started_on(tmp_path) == 1_700_000_003


@ON_LINUX
def test_a_forked_process_started_after_the_one_around_it() -> None:
    before = time.time()
    said = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, check=True, text=True).stdout
    outer, forked = map(float, said.split())

    assert before - 2 < outer < forked < time.time() + 2  # the kernel says in whole seconds when the system started


def test_where_the_kernel_does_not_say_it_is_when_the_gateway_was_loaded(tmp_path: Path) -> None:
    assert 0 < started_on(tmp_path) <= time.time()
