"""How soon the command line is there: `--help`, and the first answer of `serve`."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.load import request_bytes
from tests.bench.stacks import ROOT, NotStarted, Plan, Upstream, gateway_command
from tests.drills.gateways import free_port

_BODY: Final = request_bytes("", "", "{ caller { name } }", {}).partition(b"\r\n\r\n")[2]
_POLL_SECONDS: Final = 0.005
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Startup:
    """Medians, in seconds."""

    help_seconds: float
    first_answer_seconds: float


def measure_startup(folder: Path, upstream: Upstream, rounds: int) -> Startup:
    """Start both so often. Raises `NotStarted` when `serve` does not answer."""
    return Startup(
        help_seconds=median(_help_seconds() for _ in range(rounds)),
        first_answer_seconds=median(_first_answer_seconds(folder, upstream) for _ in range(rounds)),
    )


def _help_seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gateway", "--help"], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began


def _first_answer_seconds(folder: Path, upstream: Upstream) -> float:
    port = free_port()
    command = gateway_command(folder, upstream, Plan(), port)
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while time.perf_counter() - began < _PATIENCE_SECONDS and process.poll() is None:
                if _answers(port):
                    return time.perf_counter() - began
                time.sleep(_POLL_SECONDS)
            raise NotStarted("the gateway does not answer")
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/graphql", _BODY, {"content-type": "application/json"})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
