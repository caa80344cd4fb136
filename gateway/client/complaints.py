"""What is wrong with an answer, in lines for stderr, and what that means for the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.client.columns import value_at
from gateway.client.document import Document
from gateway.client.endpoint import Answer, Tell, code_of
from gateway.client.exits import Exit, of_outcome, worse
from gateway.client.rows import Connection, connections_everywhere

_FINE: Final = frozenset({"OK", "NOT_REACHED"})
"""Of the results of sources; the second comes on a later page."""
_OVER_SOURCES: Final = frozenset({"customers", "orders", "invoices"})
_HINT: Final = "without sourceResults { source { key } status code } nobody sees which source failed"


def line_of(error: dict[str, Any]) -> str:
    """Say an error of an answer in one line: where, which, what."""
    path = ".".join(map(str, error.get("path") or ()))
    return f"{path or 'request'}: {code_of(error)}: {error.get('message', '-')}"


class Complaints:
    """Tells what is wrong with answers, each source and code once, and keeps the exit code."""

    def __init__(self, document: Document, tell: Tell) -> None:
        self._document = document
        self._connections = [item for item in connections_everywhere(document.fields) if item.field.name in _OVER_SOURCES]
        self._tell = tell
        self._told: set[str] = set()
        self.code = Exit.FINE

    def hint(self) -> None:
        """Say which lists do not ask how their sources did."""
        for connection in self._connections:
            if connection.field.named("sourceResults") is None:
                self._tell(f"{connection.title}: {_HINT}")

    def fail(self) -> None:
        """Take down that the thing asked for failed."""
        self._weigh(Exit.FAILED)

    def take(self, answer: Answer) -> None:
        """Tell what is wrong with one answer."""
        for error in answer.errors:
            self._tell(line_of(error))
        if answer.data is None:
            self._weigh(Exit.FAILED)
            return
        if answer.errors:
            self._weigh(Exit.IN_PART)
        for line in (line for connection in self._connections for line in _failures(connection, answer.data)):
            self._weigh(Exit.IN_PART)
            if line not in self._told:
                self._told.add(line)
                self._tell(line)
        if self._document.is_mutation:
            self._weigh_outcomes(answer.data)

    def _weigh_outcomes(self, data: object) -> None:
        for field in self._document.fields:
            outcome = field.named("outcome")
            payload = value_at(data, (field.key,))
            if outcome is not None and payload is not None:
                self._weigh(of_outcome(value_at(payload, (outcome.key,))))

    def _weigh(self, code: Exit) -> None:
        self.code = worse(self.code, code)


def _failures(connection: Connection, data: object) -> Iterator[str]:
    results = connection.field.named("sourceResults")
    if results is None:
        return
    names = {field.name: field.key for field in results.fields}
    source = results.named("source")
    key = None if source is None else source.named("key")
    found = value_at(data, (*connection.path, results.key))
    for result in _flat(found):
        status = value_at(result, (names.get("status", ""),))
        if status is None or status in _FINE:
            continue
        shown = "a source" if source is None or key is None else value_at(result, (source.key, key.key))
        code, message = (value_at(result, (names.get(name, ""),)) for name in ("code", "message"))
        yield ": ".join(str(part) for part in (connection.title, shown, status, code, message) if part is not None)


def _flat(found: object) -> Iterator[object]:
    """Give what is in lists of lists: a connection of each row of another has results of its own."""
    if isinstance(found, list):
        for inner in found:
            yield from _flat(inner)
    elif found is not None:
        yield found
