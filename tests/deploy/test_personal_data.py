"""The README's table of which personal data is kept: its numbers are those of the code, and no table of the journal is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel

from gateway.execution.documents import MAX_CHARACTERS
from gateway.journal.tables import METADATA
from gateway.server.rates import MAX_SIGNED_IN
from gateway.settings import JournalSettings
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.nimpos.settings import NimposOptions
from gateway.transport.failures import REMEMBERED

README: Final = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
SECTION: Final = README.split("### Which personal data is kept, where and how long\n", 1)[1].split("\n## ", 1)[0]
ROWS: Final = [[cell.strip() for cell in line.strip("|").split("|")] for line in SECTION.splitlines() if line.startswith("| ")][1:]
HOW_LONG: Final = {what: how_long for what, _, how_long, _ in ROWS}
JOURNAL: Final = {
    "attempts": "the trail",
    "bodies": "what a write sent and was answered",
    "mentions": "what a write sent and was answered",
    "holds": "the trail",
    "takings": "how much a caller has asked",
    "tokens": "tokens of sources",
    "token_endpoints": None,
    "windows": "windows that processes share",
}
"""Where the table tells of each table of the journal; None: nothing in it is of a person or a secret."""


def how_long(beginning: str) -> str:
    (found,) = [how_long for what, how_long in HOW_LONG.items() if what.startswith(beginning)]
    return found


def written(number: int) -> str:
    return f"{number:,}".replace(",", " ")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (JournalSettings, "journal.keep_days"),
        (JournalSettings, "journal.audit_days"),
        (NimposOptions, "window_ttl_seconds"),
        (CompilatorOptions, "sweep_ttl_seconds"),
    ],
)
def test_how_long_is_the_default_of_its_key(model: type[BaseModel], name: str) -> None:
    (told,) = [how_long for _, _, how_long, key in ROWS if key == f"`{name}`"]

    default = model.model_fields[name.rpartition(".")[2]].default
    assert re.search(rf"(^|\D){written(default)} (days|s)\b", told)


@pytest.mark.parametrize(
    ("what", "most"),
    [("documents asked before", MAX_CHARACTERS), ("names of callers that signed in", MAX_SIGNED_IN), ("errors on `/sources`", REMEMBERED)],
)
def test_how_much_is_what_the_code_keeps(what: str, most: int) -> None:
    assert f"the latest {written(most)}" in how_long(what)


def test_each_table_of_the_journal_is_told_of() -> None:
    assert set(METADATA.tables) - {"alembic_version", "additions"} == set(JOURNAL)
    for what in JOURNAL.values():
        assert what is None or how_long(what)
