"""What became of each row, a line each in a file that is only added to: who begins again knows where to go on.

A line that was lost costs a question and never a second write: the same row has the same key.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from gateway.client import json_text
from gateway.client.mistake import Mistake

_SETTLED: Final = frozenset({"APPLIED", "NOTHING_TO_DO", "REJECTED", "UNSUPPORTED"})
_NEEDED: Final = frozenset({"key", "outcome", "sent", "dryRun"})
_BEGINNING: Final = b'{"row":'


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row."""

    outcome: str
    sent: str
    """Digest of what was asked; of another row, document or gateway it is another one."""

    @property
    def is_settled(self) -> bool:
        """Say whether asking again would change nothing."""
        return self.outcome in _SETTLED


def digest_of(url: str, body: Mapping[str, object], key: str) -> str:
    """Give what tells one question from another."""
    return hashlib.sha256("\n".join((url, key, json_text.compact(body))).encode()).hexdigest()


def read_results(path: Path) -> dict[str, Result]:
    """Read the latest result of each key; none when there is no file. Raises `Mistake`.

    Dry runs say nothing of the real one.
    """
    if path.exists() and not path.is_file():
        raise Mistake(f"--results {path}: it is no file")
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    except OSError as error:
        raise Mistake(f"--results {path}: {error.strerror or 'cannot be read'}") from None
    found = (_read(path, number, line) for number, line in enumerate(lines, start=1) if line)
    return {told["key"]: Result(told["outcome"], told["sent"]) for told in found if told is not None and not told["dryRun"]}


def _read(path: Path, number: int, line: bytes) -> dict[str, Any] | None:
    """Read a line; None: it was cut off, as by a kill. Raises `Mistake` for a file of another kind: nothing is added to it."""
    try:
        told = json_text.read(line)
    except ValueError:
        told = None
    if isinstance(told, dict) and told.keys() >= _NEEDED:
        return told
    if told is None and (line.startswith(_BEGINNING) or _BEGINNING.startswith(line)):
        return None
    raise Mistake(f"--results {path}: line {number} is no result of a run; choose another file")


class ResultFile:
    """Takes results, each written before the next row of its lane is asked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        """Open the file. Raises `Mistake`."""
        try:
            self._file = self._path.open("a+b", buffering=0)
            if self._file.seek(0, os.SEEK_END) and self._last_byte() != b"\n":
                self._file.write(b"\n")
        except OSError as error:
            raise Mistake(f"--results {self._path}: {error.strerror or 'cannot be written'}") from None
        return self

    def _last_byte(self) -> bytes:
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1)

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()

    def add(self, result: Mapping[str, object]) -> None:
        """Write one result. Raises `OSError`."""
        self._file.write(f"{json_text.compact(result)}\n".encode())
