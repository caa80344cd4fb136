"""What a batch sends: each row of a file as a request under a key of its own, all of them checked before the first leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gateway.client import json_text
from gateway.client.cells import Cells
from gateway.client.columns import value_at
from gateway.client.mistake import Mistake
from gateway.client.mutation import Mutation
from gateway.client.results import digest_of
from gateway.client.row_file import Row, is_table, read_rows

_LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class Task:
    """One row, ready to be sent."""

    number: int
    key: str
    body: Mapping[str, object]
    headers: Mapping[str, str]
    sent: str
    """Digest of all that is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A mutation, and the file of its rows."""

    mutation: Mutation
    path: Path
    key_field: str
    key_prefix: str = ""
    url: str
    sdl: Callable[[], str]

    def tasks(self) -> Iterator[Task]:
        """Give the rows, read one after another. Raises `Mistake`, naming file and row."""
        table = Cells(self.mutation.document.variables, self.sdl) if is_table(self.path) else None
        for row in read_rows(self.path):
            try:
                yield self._task(row, table)
            except Mistake as mistake:
                raise Mistake(f"{self.path}: row {row.number}: {mistake}") from None

    def check(self) -> int:
        """Read all rows and give how many there are. Raises `Mistake`, also for two rows with one key."""
        rows: dict[str, int] = {}
        for task in self.tasks():
            earlier = rows.setdefault(task.key, task.number)
            if earlier != task.number:
                raise Mistake(f"{self.path}: row {task.number}: its key {task.key} is that of row {earlier}; a key is one write")
        return len(rows)

    def _task(self, row: Row, table: Cells | None) -> Task:
        key = self._key_of(row, is_table=table is not None)
        values = self._of_row(row)
        variables = values if table is None else table.to_variables(values)
        self._check_names(variables)
        body, headers = self.mutation.body_of(variables, key), self.mutation.headers_of(key)
        return Task(row.number, key, body, headers, digest_of(self.url, body, key))

    def _of_row(self, row: Row) -> dict[str, object]:
        """Give what variables are made from. A field that is the key and nothing else is none of it."""
        own = self.mutation.own_variables
        taken = self.mutation.document.variables.keys() - own
        return {name: value for name, value in row.values.items() if name != self.key_field or name.partition(".")[0] in taken}

    def _key_of(self, row: Row, *, is_table: bool) -> str:
        found = row.values.get(self.key_field) if is_table else value_at(dict(row.values), tuple(self.key_field.split(".")))
        is_number = isinstance(found, int | msgspec.Raw) and not isinstance(found, bool)
        if not is_number and not (isinstance(found, str) and found):
            raise Mistake(f"--key-field {self.key_field}: there is no text or number")
        text = f"{self.key_prefix}{json_text.cell(found)}"
        if len(text) > _LONGEST_KEY or not all(" " <= character <= "~" for character in text):
            raise Mistake(f"--key-field {self.key_field}: a key has 1 to {_LONGEST_KEY} printable ASCII characters")
        return text

    def _check_names(self, variables: Mapping[str, object]) -> None:
        for name in variables:
            if name not in self.mutation.document.variables:
                raise Mistake(f"the column {name}: no variable takes it")
            if name in self.mutation.own_variables:
                raise Mistake(f"the column {name}: that is not given by rows: see --key-field and --dry-run")
        for name in self.mutation.required:
            if variables.get(name) is None:
                raise Mistake(f"${name} is required, and the row does not give it")
