"""README's first half hour as a newcomer types it: every command is run as it stands, every answer shown is what comes back."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.test_cli import ROOT, address_in, ask, running
from tests.test_readme import README

SECTION = README.split("## A first half hour\n", 1)[1].split("\n## ", 1)[0]
FENCES = re.findall(r"^```(\w+)\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
USUAL = "http://127.0.0.1:8000/"
OTHERS = "…"


@dataclass(slots=True)
class Step:
    """What is typed, and what is shown for each time: a second answer is that to the same once more."""

    language: str
    text: str
    shown: list[str] = field(default_factory=list)


def steps() -> list[Step]:
    """Give what follows the command that starts the demo."""
    found: list[Step] = []
    for language, text in FENCES[1:]:
        if language in {"sh", "graphql"}:
            found.append(Step(language, text))
        else:
            found[-1].shown.append(text)
    return found


def documents(text: str) -> list[object]:
    """Read JSON documents that follow one another; numbers with a point as they are written."""
    decoder, found, rest = json.JSONDecoder(parse_float=str), [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def is_shown(shown: object, there: object) -> bool:
    """Say whether an answer is the one shown, in which `…` stands for further items of a list."""
    if isinstance(shown, dict) and isinstance(there, dict):
        return shown.keys() == there.keys() and all(is_shown(value, there[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(there, list):
        if OTHERS in shown:
            return all(any(is_shown(item, other) for other in there) for item in shown if item != OTHERS)
        return len(shown) == len(there) and all(map(is_shown, shown, there))
    return shown == there


def answer_to(step: Step, address: str, folder: Path) -> str:
    if step.language == "graphql":
        return json.dumps(ask(address, step.text))
    command = step.text.replace(USUAL, address)
    shell = ["bash", "-e"]
    done = subprocess.run(shell, input=command, capture_output=True, text=True, timeout=60, cwd=folder, check=True)
    assert done.stderr == ""
    return done.stdout


def walk(address: str, folder: Path) -> None:
    """Do everything that comes after the start, in its order."""
    for step in steps():
        for shown in step.shown:
            there = answer_to(step, address, folder)
            same = there == shown if not shown.startswith("{") else is_shown(documents(shown), documents(there))
            assert same, f"{step.text}\nshown: {shown}\nthere: {there}"


def test_every_command_has_an_answer_and_every_step_of_a_newcomer_is_there() -> None:
    answers = [document for step in steps() for shown in step.shown if shown.startswith("{") for document in documents(shown)]
    told = json.dumps(answers)

    assert all(step.shown for step in steps())
    assert set(re.findall(r'"outcome": "(\w+)"', told)) == {"VALIDATED", "APPLIED", "REJECTED", "UNSUPPORTED"}
    assert set(re.findall(r'"replayed": (\w+)', told)) == {"false", "true"}
    assert '"NOT_OFFERED"' in told
    assert {source for step in steps() for source in ("pos", "shop", "commerce", "subscriptions") if f'"{source}"' in step.text} == {
        "pos",
        "shop",
        "commerce",
        "subscriptions",
    }


@pytest.mark.parametrize(
    ("shown", "there"),
    [
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"a": 6000.0}', '{"a": 6000.00}'),
        ("[1]", "[1, 2]"),
        ('["…", 3]', "[1, 2]"),
        ("[2, 1]", "[1, 2]"),
    ],
    ids=["a field more", "another scale", "an item more", "an item that is not there", "another order"],
)
def test_an_answer_that_is_not_the_one_shown_is_noticed(shown: str, there: str) -> None:
    assert not is_shown(documents(shown), documents(there))


def test_the_first_half_hour_goes_as_it_says(tmp_path: Path) -> None:
    with running("demo", "--port", "0") as (_, first):
        walk(address_in(first), tmp_path)

    assert (tmp_path / "F2026-0117.pdf").read_bytes().startswith(b"%PDF-")


@contextmanager
def started_by_a_newcomer(clone: Path, environment: dict[str, str]) -> Iterator[str]:
    """Start the demo by README's command, but on a free port, in a group of its own; give its address, and end it."""
    command = f"{FENCES[0][1].strip()} --port 0"
    typed, said_in = ["bash", "-c", command], clone.parent / "said"
    with (
        said_in.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            typed, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=clone, env=environment, start_new_session=True
        ) as process,
    ):
        assert process.stdout is not None
        first = next((line for line in process.stdout if "http://127.0.0.1:" in line), None)
        if first is None:
            said = said_in.read_text(encoding="utf-8")
            if "No matching distribution found for uv" in said:
                pytest.skip("no package index can be reached")
            pytest.fail(said)
        try:
            yield address_in(first)
        finally:
            os.killpg(
                process.pid, signal.SIGINT
            )  # where there is no terminal uv passes it on once more, so that the exit code may be its own
            process.communicate(timeout=30)


@pytest.mark.registry
def test_a_newcomer_gets_there_in_a_clean_clone(tmp_path: Path) -> None:
    clone, python = tmp_path / "clone", tmp_path / "python"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], timeout=60, check=True)  # noqa: S607  (the git of whoever tests)
    shutil.copy(ROOT / "README.md", clone)
    subprocess.run([sys.executable, "-m", "venv", python], timeout=60, check=True)
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}}
    environment["PATH"] = f"{python / 'bin'}{os.pathsep}{environment['PATH']}"

    with started_by_a_newcomer(clone, environment) as address:
        walk(address, clone)

    assert (clone / "F2026-0117.pdf").read_bytes().startswith(b"%PDF-")
