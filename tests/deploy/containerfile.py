"""Reads a Containerfile as far as ours goes: instructions with what follows them, in stages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

_KNOWN = frozenset({"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """One of them; `words` in the exec form: the array, else split at spaces."""

    name: str
    text: str

    @property
    def is_exec_form(self) -> bool:
        return self.text.startswith("[")

    @property
    def words(self) -> list[str]:
        words: list[str] = json.loads(self.text) if self.is_exec_form else self.text.split()
        return words


def read_stages(text: str) -> list[list[Instruction]]:
    """Give the instructions of each stage, which begins with FROM. Raises `ValueError` for an instruction that is not known here."""
    stages: list[list[Instruction]] = []
    for line in _whole_lines(text):
        name, _, rest = line.partition(" ")
        if name not in _KNOWN:
            raise ValueError(f"{name}: not known")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, rest.strip()))
    return stages


def _whole_lines(text: str) -> Iterator[str]:
    whole = ""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            whole += line.removesuffix("\\")
            if not line.endswith("\\"):
                yield whole
                whole = ""
