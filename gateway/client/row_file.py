"""The rows of a batch: a file with an object a line, or a table in CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gateway.client import json_text
from gateway.client.mistake import Mistake


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is that of its line, or of its record below the header, from 1. The cells of a table are texts."""

    number: int
    values: Mapping[str, object]


def is_table(path: Path) -> bool:
    """Say whether a file is in CSV; raises `Mistake` when its name ends neither so nor in .ndjson or .jsonl."""
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".ndjson", ".jsonl"}:
        raise Mistake(f"--each {path}: its name must end in .ndjson or .csv, so that it is clear how to read it")
    return suffix == ".csv"


def read_rows(path: Path) -> Iterator[Row]:
    """Read one row after another; empty lines are none. Raises `Mistake`."""
    read = _read_table if is_table(path) else _read_objects
    with _opened(path) as file:
        yield from read(path, file)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets begin a file with a mark
            yield file
    except OSError as error:
        raise Mistake(f"{path}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise Mistake(f"{path}: it is not text in UTF-8") from None


def _read_objects(path: Path, file: TextIO) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            value = json_text.read(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Mistake(f"{path}: row {number}: it is not a JSON object")
        yield Row(number, value)


def _read_table(path: Path, file: TextIO) -> Iterator[Row]:
    records = csv.reader(file, strict=True)
    try:
        header = next(records, [])
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise Mistake(f"{path}: several columns are called {', '.join(twice)}")
        for number, record in enumerate((record for record in records if record), start=1):
            if len(record) != len(header):
                raise Mistake(f"{path}: row {number}: it has {len(record)} cells, and the header has {len(header)}")
            yield Row(number, dict(zip(header, record, strict=True)))
    except csv.Error as error:
        raise Mistake(f"{path}: line {records.line_num}: {error}") from None
