"""How the explorer's files are built: with node, or not at all, and never to the harm of an installation."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.explorer import bundle

SCRIPT = Path(bundle.__file__)
SOURCES = ("bundle.py", "index.html", "package.json", "public", "src", "tsconfig.json", "vite.config.ts")
BUILDS = """\
if [ "$1" = run ]; then
  echo once >> "$LOG"
  mkdir -p dist/assets && cat index.html > dist/index.html && touch dist/assets/index-1.js
fi
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the explorer's sources, so that nobody's bundle is touched."""
    made = tmp_path / "explorer"
    made.mkdir()
    for name in SOURCES:
        source = SCRIPT.parent / name
        shutil.copytree(source, made / name) if source.is_dir() else shutil.copyfile(source, made / name)
    return made


def build(folder: Path, tools: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Build with the tools of a folder alone, as the installation does it."""
    environ = {"PATH": f"{tools}:/usr/bin:/bin" if tools else str(folder / "none"), "LOG": str(folder.parent / "log")}
    command = [sys.executable, str(folder / "bundle.py")]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def tools(folder: Path, script: str) -> Path:
    """Make an npm and a node that do what a script says."""
    made = folder.parent / "tools"
    made.mkdir(exist_ok=True)
    for name in ("npm", "node"):
        (made / name).write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        (made / name).chmod(0o755)
    return made


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_without_node_it_is_one_line_and_nothing_is_made(folder: Path) -> None:
    done = build(folder)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "explorer: not built: it needs node 20.19 or later, and npm\n"
    assert names_in(folder) == set(SOURCES)


def test_a_build_leaves_the_bundle_and_nothing_else(folder: Path) -> None:
    done = build(folder, tools(folder, BUILDS))

    assert (done.returncode, done.stderr) == (0, "explorer: built\n")
    assert names_in(folder) == {*SOURCES, "dist"}
    assert names_in(folder / "dist") == {"assets", "built-from", "index.html"}


def test_what_is_up_to_date_is_not_built_again_and_what_has_changed_is(folder: Path) -> None:
    made = tools(folder, BUILDS)
    build(folder, made)
    again = build(folder, made)
    (folder / "src" / "main.tsx").write_text("export {};\n", encoding="utf-8")
    changed = build(folder, made)

    assert [again.stderr, changed.stderr] == ["explorer: up to date\n", "explorer: built\n"]
    assert (folder.parent / "log").read_text(encoding="utf-8") == "once\nonce\n"


def test_an_npm_that_fails_is_one_line_and_leaves_the_last_bundle(folder: Path) -> None:
    build(folder, tools(folder, BUILDS))
    (folder / "index.html").write_text("<p>changed</p>\n", encoding="utf-8")
    done = build(folder, tools(folder, "echo downloading >&2; echo 'npm error network down' >&2; echo bye >&2; exit 1\n"))

    assert (done.returncode, done.stderr) == (1, "explorer: not built: npm install: npm error network down\n")
    assert "<p>changed</p>" not in (folder / "dist" / "index.html").read_text(encoding="utf-8")
    assert names_in(folder) == {*SOURCES, "dist"}


def test_an_npm_that_fails_without_a_word_is_one_line_too(folder: Path) -> None:
    assert build(folder, tools(folder, "exit 1\n")).stderr == "explorer: not built: npm install: it failed and said nothing\n"


@pytest.mark.node
def test_node_builds_a_page_of_files_that_are_all_there_and_names_no_other_host(folder: Path) -> None:
    assert bundle.build(folder) == "built"

    page = (folder / "dist" / "index.html").read_text(encoding="utf-8")
    used = re.findall(r'(?:src|href)="/explorer/([^"]+)"', page)
    assert len(used) >= 3
    assert [name for name in used if not (folder / "dist" / name).is_file()] == []
    assert re.findall(r"https?://|<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page) == []
    assert {path.suffix for path in (folder / "dist" / "assets").iterdir()} <= {".js", ".css", ".ttf"}


@pytest.mark.node
def test_the_types_of_the_explorer_hold(folder: Path) -> None:
    npm = shutil.which("npm")
    assert npm, "install node and npm"
    for arguments in (["install", "--no-audit", "--no-fund", "--no-package-lock"], ["run", "types"]):
        done = subprocess.run([npm, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout if done.returncode else "") == (0, "")
