"""The numbers of several processes that serve at one address: a scrape reaches one of them, and it tells those of all.

Each process writes its own to a file now and then, and reads the files of the others when it is asked. Each keeps its numbers apart by
the label `worker`: a sum over all of them would fall when one of them starts again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

from gateway.telemetry.metrics import Family, Sample


@dataclass(slots=True)
class _Told:
    """A family as it was written, or put together from several."""

    name: str
    kind: str
    meaning: str
    told: list[Sample] = field(default_factory=list)

    def samples(self) -> Iterator[Sample]:
        """Give its numbers."""
        return iter(self.told)


class Processes:
    """Where the processes tell each other. Made before they are forked; the folder goes with the process that has made it."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="invoice-gateway-"))
        self._maker = os.getpid()
        finalize(self, _remove, self._folder, self._maker)

    def publish(self, families: Iterable[Family]) -> None:
        """Tell the others of the numbers of this process. Raises `OSError`."""
        told = [(family.name, family.kind, family.meaning, [_plain(sample) for sample in family.samples()]) for family in families]
        file = self._folder / str(os.getpid())
        written = file.with_suffix(".new")
        written.write_text(json.dumps(told), encoding="utf-8")
        written.replace(file)
        self._forget_ended()  # else a process that gets the id of one of them would bring its numbers back

    def leave(self) -> None:
        """Tell no more. Where the process that has made the folder is gone, killed as a rule, the last one that leaves removes it."""
        with suppress(OSError):
            (self._folder / str(os.getpid())).unlink(missing_ok=True)
            if not _is_alive(self._maker):
                self._forget_ended()
                self._folder.rmdir()

    def with_others(self, families: Iterable[Family]) -> Sequence[Family]:
        """Give the numbers of this process, as they are now, with those of the others, as they were told last."""
        all_told: dict[str, _Told] = {}
        for family in families:
            _add(all_told, str(os.getpid()), family)
        for worker in self._others():
            for family in self._told_by(worker):
                _add(all_told, worker, family)
        return list(all_told.values())

    def _others(self) -> list[str]:
        found = [path.name for path in self._folder.iterdir() if path.name.isdigit() and path.name != str(os.getpid())]
        return sorted((name for name in found if _is_alive(int(name))), key=int)

    def _forget_ended(self) -> None:
        for path in self._folder.iterdir():
            if path.stem.isdigit() and not _is_alive(int(path.stem)):
                path.unlink(missing_ok=True)

    def _told_by(self, worker: str) -> Iterator[_Told]:
        text = "[]"
        with suppress(OSError):  # it has just ended
            text = (self._folder / worker).read_text(encoding="utf-8")
        for name, kind, meaning, samples in json.loads(text):
            yield _Told(name, kind, meaning, [Sample(labels, value, suffix) for labels, value, suffix in samples])


def _remove(folder: Path, maker: int) -> None:
    if os.getpid() == maker:
        rmtree(folder, ignore_errors=True)


def _plain(sample: Sample) -> tuple[dict[str, str], float, str]:
    return dict(sample.labels), sample.value, sample.suffix


def _add(all_told: dict[str, _Told], worker: str, family: Family) -> None:
    known = all_told.setdefault(family.name, _Told(family.name, family.kind, family.meaning))
    known.told += [Sample({**sample.labels, "worker": worker}, sample.value, sample.suffix) for sample in family.samples()]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
