"""The command line, and the configuration that it writes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway.app import read_settings
from tests.bench.__main__ import main
from tests.bench.stacks import Plan, gateway_tables, to_toml


def test_help_explains_the_questions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    assert "join-bulk (orders with their customers" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--queries", "joinbulk"], ["--connections", "0"], ["--objects", "ten"], ["--profile", "all"]])
def test_what_there_is_not_is_refused_in_a_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_gateway_takes_the_configuration_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    tables = gateway_tables("http://127.0.0.1:1", "sqlite://", Plan(objects=1000, connections=256, in_flight=64))
    path.write_text(to_toml(tables), encoding="utf-8")
    settings = read_settings(path)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["limits"]["max_nodes"] == 1000
    assert {source.max_in_flight for source in settings.sources.values()} == {64}
    assert {source.max_queue for source in settings.sources.values()} == {512}
