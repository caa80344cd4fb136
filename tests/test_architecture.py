"""The shape of the project, held by tests where no tool holds it."""

from pathlib import Path

import pytest

from gateway.sources import SOURCES

ROOT = Path(__file__).parent.parent
GATEWAY = ROOT / "gateway"
NAMES = sorted(spec.name for spec in SOURCES)


def _files() -> list[Path]:
    made = {"__pycache__", "dist", "node_modules"}  # by Python and by node; nobody wrote them
    return sorted(path for path in GATEWAY.rglob("*") if path.is_file() and made.isdisjoint(path.parts))


def _named_in(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8").lower()
    return {name for name in NAMES if name in text}


def _home_of(path: Path) -> set[str]:
    """Give the systems that a file may name: its own folder's or module's, all of them in the list of sources."""
    if path == GATEWAY / "sources" / "__init__.py":
        return set(NAMES)
    parts = path.relative_to(GATEWAY).parts
    if parts[:2] == ("schema", "systems"):
        return {path.stem}
    return {parts[1]} if parts[0] in {"sources", "sandbox"} and len(parts) > 2 else set()


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(GATEWAY)))
def test_a_file_names_no_system_but_its_own(path: Path) -> None:
    assert _named_in(path) - _home_of(path) == set()


def test_every_source_has_at_least_the_files_of_its_twins() -> None:
    expected = {"__init__.py", "costs.py", "endpoints.py", "mapping.py", "payloads.py", "settings.py", "source.py", "writes.py"}

    for name in NAMES:
        found = {path.name for path in (GATEWAY / "sources" / name).iterdir() if path.suffix == ".py"}
        assert expected - found == set(), name


def test_every_system_has_its_module_in_the_graph_and_its_emulator() -> None:
    for name in NAMES:
        assert (GATEWAY / "schema" / "systems" / f"{name}.py").is_file()
        assert (GATEWAY / "sandbox" / name / "__init__.py").is_file()


def test_the_top_level_holds_only_what_was_agreed() -> None:
    allowed = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "schema.graphql", "gateway", "tests", "uv.lock", "dist"}

    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert found - allowed == set()
