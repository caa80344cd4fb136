"""What operators do with the trail of writes: `reconcile`, `attempts` and `forget`, over a journal in a file."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from anyio import Event, open_process, to_thread

from gateway.__main__ import main
from gateway.model import Kind, MutationOutcome, Ref, UpstreamRefusal, UserError, UserErrorCode
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import PATIENCE, SERVER, Graph, open_graph
from tests.test_cli import ROOT, Done, _toml, run
from tests.trail import Story, take_down

pytestmark = pytest.mark.anyio

CREATE = """mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}, idempotencyKey: "INV-1") {
  outcome confirmation replayed userErrors { code message } } }"""
HEADER = "received                   outcome      source          mutation                caller            subject           key"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BY_HAND = "what you find out by hand is taken down with --settle KEY --caller NAME --as applied|rejected"


def state_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'journal.db'}"


def configure(folder: Path, sandbox: RunningSandbox, without: str = "", **sources: Mapping[str, object]) -> str:
    """Write the configuration of a gateway over the sandbox, whose journal is a file."""
    tables = {key: table for key, table in sandbox.sandbox.source_tables(sandbox.base_url).items() if key != without}
    server = {**SERVER, "state": state_in(folder)}
    lines = ["[server]", *(f"{name} = {_toml(value)}" for name, value in server.items())]
    for key, table in tables.items():
        lines += [
            f"[sources.{key}]",
            *(f"{name} = {_toml(value)}" for name, value in {**PATIENCE, **table, **sources.get(key, {})}.items()),
        ]
    path = folder / "gateway.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


async def run_aside(*arguments: str) -> Done:
    """Run a command while the sandbox goes on answering."""
    return await to_thread.run_sync(run, *arguments)


async def write_invoice(sandbox: RunningSandbox, folder: Path) -> dict[str, Any]:
    async with open_graph(sandbox, server={**SERVER, "state": state_in(folder)}) as graph:
        made: dict[str, Any] = (await graph.data(CREATE))["createInvoiceFromOrder"]
        return made


async def lose_an_answer(sandbox: RunningSandbox, folder: Path) -> None:
    """Leave a write behind that was applied, and of which the gateway knows nothing: no answer, and no look."""
    sandbox.sandbox.faults.add(Fault(system="shopctrl", operation="CreateOrderInvoice", kind="lost_answer"))
    sandbox.sandbox.faults.add(Fault(system="shopctrl", operation="GetOrderInvoices", kind="status", status=503, after=1))
    assert (await write_invoice(sandbox, folder))["outcome"] == "UNKNOWN"
    sandbox.sandbox.faults.clear()


def sent_writes(sandbox: RunningSandbox) -> int:
    return Graph(None, sandbox).calls().get("shopctrl.CreateOrderInvoice", 0)  # type: ignore[arg-type]  # nothing is asked of it


# ------------------------------------------------------------------ reconcile


async def test_reconcile_settles_by_looking_and_sends_nothing(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await lose_an_answer(sandbox, tmp_path)
    done = await run_aside("reconcile", "--config", configure(tmp_path, sandbox))

    first, second, last = done.stdout.splitlines()
    assert first == "APPLIED  shop createInvoiceFromOrder about UTR-2025-00131, key INV-1 of anybody"
    assert second.startswith("  sent 20")
    assert last == "looked at 1: 1 APPLIED"
    assert (done.returncode, done.stderr, sent_writes(sandbox)) == (0, "", 1)
    made = await write_invoice(sandbox, tmp_path)
    assert made == {"outcome": "APPLIED", "confirmation": "READ_BACK", "replayed": True, "userErrors": []}
    assert sent_writes(sandbox) == 1


async def test_reconcile_that_cannot_look_says_what_to_check_and_exits_with_4(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await lose_an_answer(sandbox, tmp_path)
    sandbox.sandbox.faults.add(Fault(system="shopctrl", operation="GetOrderInvoices", kind="status", status=503))
    done = await run_aside("reconcile", "--config", configure(tmp_path, sandbox))

    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (4, "")
    assert lines[0] == "UNKNOWN  shop createInvoiceFromOrder about UTR-2025-00131, key INV-1 of anybody"
    assert "54712" in lines[2]
    assert lines[-2:] == ["looked at 1: 1 UNKNOWN", BY_HAND]


async def test_reconcile_for_scripts_is_an_object_a_line(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await lose_an_answer(sandbox, tmp_path)
    done = await run_aside("reconcile", "--json", "--config", configure(tmp_path, sandbox))

    (found,) = map(json.loads, done.stdout.splitlines())
    assert (found["idempotencyKey"], found["outcome"], found["userErrors"]) == ("INV-1", "APPLIED", [])
    assert Ref.from_global_id(found["result"]).kind is Kind.INVOICE


async def test_reconcile_with_nothing_to_settle_says_so(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), Story(key="INV-1"), Story(key="INV-2", outcome=MutationOutcome.REJECTED))
    config = configure(tmp_path, sandbox)

    assert await run_aside("reconcile", "--config", config) == Done(0, "nothing is UNKNOWN\n", "")
    assert await run_aside("reconcile", "--config", config, "--json") == Done(0, "", "")


async def test_reconcile_looks_at_what_a_killed_gateway_left_in_flight(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), Story(key="INV-1", outcome=None, subject="54712"), first=LONG_AGO)
    done = await run_aside("reconcile", "--config", configure(tmp_path, sandbox))

    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.splitlines() == [
        "UNKNOWN  shop createInvoiceFromOrder about 54712, key INV-1 of billing",
        "  sent 2020-01-01T00:00:00+00:00, request request-INV-1",
        "  it was sent and not answered, and what was sent is no longer known: look at 54712 in shop by hand",
        "looked at 1: 1 UNKNOWN",
        BY_HAND,
    ]


async def test_a_look_that_is_interrupted_has_not_done_what_was_asked(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await lose_an_answer(sandbox, tmp_path)
    config, is_asked, is_over = configure(tmp_path, sandbox), Event(), Event()

    async def wait(_seconds: float) -> None:
        is_asked.set()
        await is_over.wait()

    sandbox.sandbox.sleep = wait
    try:
        sandbox.sandbox.faults.add(Fault(system="shopctrl", operation="GetOrderInvoices", kind="latency", seconds=1))
        command = [sys.executable, "-m", "gateway", "reconcile", "--config", config]
        async with await open_process(command, cwd=ROOT) as process:
            await is_asked.wait()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 1
            assert process.stderr is not None
            assert [chunk async for chunk in process.stderr] == []
    finally:
        is_over.set()
        sandbox.sandbox.sleep = asyncio.sleep


async def test_an_attempt_at_a_source_that_is_gone_stays_unknown_and_says_so(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await lose_an_answer(sandbox, tmp_path)
    done = await run_aside("reconcile", "--config", configure(tmp_path, sandbox, without="shop"))

    assert done.returncode == 4
    assert done.stdout.splitlines()[2] == "  the source shop is not configured, or switched off: look there by hand"


# ------------------------------------------------------------------ a verdict by hand


@pytest.mark.parametrize(("verdict", "outcome"), [("applied", "APPLIED"), ("rejected", "REJECTED")])
async def test_the_verdict_of_an_operator_stands_without_a_look(
    sandbox: RunningSandbox, tmp_path: Path, verdict: str, outcome: str
) -> None:
    await lose_an_answer(sandbox, tmp_path)
    sandbox.sandbox.reset_calls()
    done = await run_aside("reconcile", "--config", configure(tmp_path, sandbox), "--settle", "INV-1", "--as", verdict)

    assert (done.returncode, done.stderr, sandbox.sandbox.calls.by_operation) == (0, "", {})
    assert done.stdout.splitlines()[0] == f"{outcome}  shop createInvoiceFromOrder about UTR-2025-00131, key INV-1 of anybody"
    made = await write_invoice(sandbox, tmp_path)
    assert (made["outcome"], made["confirmation"], made["replayed"]) == (outcome, None, True)
    assert ["operator" in error["message"] for error in made["userErrors"]] == ([] if verdict == "applied" else [True])
    assert sent_writes(sandbox) == 0


async def test_only_what_is_unknown_takes_a_verdict(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), Story(key="INV-1"))
    config = configure(tmp_path, sandbox)
    for key in ("INV-1", "INV-2"):
        done = await run_aside("reconcile", "--config", config, "--settle", key, "--as", "rejected")
        assert done == Done(1, "", f"--settle {key}: no attempt with this key is UNKNOWN\n")


async def test_a_key_of_several_callers_needs_the_caller(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stories = [Story(key="INV-1", caller=caller, outcome=MutationOutcome.UNKNOWN) for caller in ("billing", "script")]
    await take_down(state_in(tmp_path), *stories)
    settle = ("reconcile", "--config", configure(tmp_path, sandbox), "--settle", "INV-1", "--as", "applied")

    assert await run_aside(*settle) == Done(2, "", "--settle INV-1: several callers have this key, say --caller: billing, script\n")
    done = await run_aside(*settle, "--caller", "script")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "APPLIED  shop createInvoiceFromOrder, key INV-1 of script")


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (("--settle", "INV-1"), "reconcile: --settle and --as belong together"),
        (("--as", "applied"), "reconcile: --settle and --as belong together"),
        (("--caller", "billing"), "reconcile: --caller says whose key --settle means"),
    ],
)
def test_a_verdict_is_whole_or_a_mistake(tmp_path: Path, arguments: tuple[str, ...], mistake: str) -> None:
    assert run("reconcile", "--config", str(tmp_path / "gateway.toml"), *arguments) == Done(2, "", f"{mistake}\n")


# ------------------------------------------------------------------ attempts


STORIES = (
    Story(key="INV-1", subject="54712", result=Ref("shop", Kind.INVOICE, "88121")),
    Story(key="INV-2", caller="script", source="closed-shop", outcome=MutationOutcome.UNKNOWN),
    Story(key="INV-3", source="pos", mutation="createInvoice", outcome=None, was_sent=False),
)


async def trail(sandbox: RunningSandbox, folder: Path, *arguments: str) -> list[str]:
    """Give the keys that `attempts` prints."""
    done = await run_aside("attempts", "--config", configure(folder, sandbox), "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line)["idempotencyKey"] for line in done.stdout.splitlines()]


async def test_the_trail_is_a_table_newest_first_with_what_is_no_longer_configured(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), *STORIES)
    done = await run_aside("attempts", "--config", configure(tmp_path, sandbox))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        HEADER,
        "2026-11-22T12:02:00+00:00  in flight    pos             createInvoice           billing           -                 INV-3",
        "2026-11-22T12:01:00+00:00  UNKNOWN      closed-shop     createInvoiceFromOrder  script            -                 INV-2",
        "2026-11-22T12:00:00+00:00  APPLIED      shop            createInvoiceFromOrder  billing           54712             INV-1",
    ]


async def test_the_trail_for_scripts_has_the_names_of_the_graph(sandbox: RunningSandbox, tmp_path: Path) -> None:
    error = UserError(UserErrorCode.TOO_LONG, "at most 50", ("input", "number"), UpstreamRefusal(status=400, message="För långt"))
    refused = Story(key="INV-2", outcome=MutationOutcome.REJECTED, status=400, result=Ref("shop", Kind.INVOICE, "1"), errors=(error,))
    await take_down(state_in(tmp_path), STORIES[0], refused)
    done = await run_aside("attempts", "--json", "--config", configure(tmp_path, sandbox))

    second, first = map(json.loads, done.stdout.splitlines())
    assert first == {
        "idempotencyKey": "INV-1",
        "caller": "billing",
        "mutation": "createInvoiceFromOrder",
        "source": "shop",
        "outcome": "APPLIED",
        "requestId": "request-INV-1",
        "subject": "54712",
        "receivedAt": "2026-11-22T12:00:00+00:00",
        "sentAt": "2026-11-22T12:00:00+00:00",
        "settledAt": "2026-11-22T12:00:00+00:00",
        "upstreamStatus": 200,
        "result": Ref("shop", Kind.INVOICE, "88121").global_id,
        "userErrors": [],
    }
    assert second["result"] is None
    assert second["userErrors"] == [
        {
            "code": "TOO_LONG",
            "message": "at most 50",
            "field": ["input", "number"],
            "upstream": {"status": 400, "code": None, "message": "För långt"},
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["INV-3", "INV-2", "INV-1"]),
        (("--caller", "script"), ["INV-2"]),
        (("--source", "closed-shop"), ["INV-2"]),
        (("--outcome", "unknown"), ["INV-2"]),
        (("--outcome", "UNKNOWN", "--outcome", "APPLIED"), ["INV-2", "INV-1"]),
        (("--since", "2026-11-22T12:01"), ["INV-3", "INV-2"]),
        (("--since", "2026-11-22T13:02+01:00"), ["INV-3"]),
        (("--until", "2026-11-22T12:01:00Z"), ["INV-1"]),
        (("--since", "2026-11-22", "--until", "2026-11-23"), ["INV-3", "INV-2", "INV-1"]),
        (("--until", "2026-11-22"), []),
    ],
)
async def test_the_trail_can_be_narrowed(sandbox: RunningSandbox, tmp_path: Path, arguments: tuple[str, ...], expected: list[str]) -> None:
    await take_down(state_in(tmp_path), *STORIES)
    assert await trail(sandbox, tmp_path, *arguments) == expected


async def test_a_source_is_found_under_the_keys_that_it_had(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), *STORIES)
    config = configure(tmp_path, sandbox, shop={"former_keys": ["closed-shop"]})
    for key in ("shop", "closed-shop"):
        done = await run_aside("attempts", "--json", "--config", config, "--source", key)
        assert [json.loads(line)["idempotencyKey"] for line in done.stdout.splitlines()] == ["INV-2", "INV-1"]


async def test_a_trail_of_several_pages_comes_whole_and_each_attempt_once(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), *(Story(key=f"INV-{n}", outcome=None, was_sent=False) for n in range(205)))
    assert await trail(sandbox, tmp_path) == [f"INV-{n}" for n in reversed(range(205))]


async def test_what_a_terminal_would_take_for_an_order_is_not_printed(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), Story(key="INV-1", subject="\x1b[2Jå\n"))
    done = await run_aside("attempts", "--config", configure(tmp_path, sandbox))
    assert done.stdout.splitlines()[1].split()[-2:] == ["\ufffd[2Jå\ufffd", "INV-1"]


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (("--since", "yesterday"), "argument --since: 'yesterday' is no time such as 2026-11-22 or 2026-11-22T09:30+01:00"),
        (
            ("--until", "0001-01-01T00:00+14:00"),
            "argument --until: '0001-01-01T00:00+14:00' is no time such as 2026-11-22 or 2026-11-22T09:30+01:00",
        ),
        (
            ("--outcome", "done"),
            "argument --outcome: 'done' is none of APPLIED, NOTHING_TO_DO, VALIDATED, REJECTED, UNSUPPORTED, NOT_APPLIED, UNKNOWN",
        ),
    ],
)
def test_an_argument_that_cannot_be_meant_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], mistake: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["attempts", "--config", str(tmp_path / "gateway.toml"), *arguments])
    assert left.value.code == 2
    assert mistake in capsys.readouterr().err


# ------------------------------------------------------------------ forget


async def test_forget_removes_what_was_sent_and_answered_and_keeps_the_trail(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await write_invoice(sandbox, tmp_path)
    config = configure(tmp_path, sandbox)
    done = await run_aside("forget", "--config", config, "--source", "shop", "--native-id", "54712")

    assert done == Done(
        0,
        "removed: what was sent and answered in 1 attempts\n"
        "removed: the id as subject of 0 attempts\n"
        "indexes live in the memory of running gateways only: a restart drops them\n",
        "",
    )
    (left,) = map(json.loads, (await run_aside("attempts", "--json", "--config", config)).stdout.splitlines())
    assert (left["idempotencyKey"], left["outcome"], left["subject"]) == ("INV-1", "APPLIED", "UTR-2025-00131")
    again = await run_aside("forget", "--config", config, "--source", "shop", "--native-id", "54712")
    assert again.stdout.splitlines()[0] == "removed: what was sent and answered in 0 attempts"


async def test_forget_blanks_the_id_where_it_is_the_subject(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), Story(key="INV-1", subject="40017"))
    config = configure(tmp_path, sandbox)
    done = await run_aside("forget", "--config", config, "--source", "shop", "--native-id", "40017")
    (left,) = map(json.loads, (await run_aside("attempts", "--json", "--config", config)).stdout.splitlines())
    assert (done.stdout.splitlines()[1], left["subject"]) == ("removed: the id as subject of 1 attempts", None)


async def test_forget_keeps_what_is_unknown_and_says_so(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await lose_an_answer(sandbox, tmp_path)
    config = configure(tmp_path, sandbox)
    done = await run_aside("forget", "--config", config, "--source", "shop", "--native-id", "54712")

    assert (done.returncode, done.stderr) == (1, "kept until it is settled: UNKNOWN, key INV-1 of anybody\n")
    assert done.stdout.splitlines()[0] == "removed: what was sent and answered in 0 attempts"
    assert (await run_aside("reconcile", "--config", config)).stdout.splitlines()[-1] == "looked at 1: 1 APPLIED"


async def test_forget_knows_the_spellings_of_an_id_and_the_former_keys_of_its_source(sandbox: RunningSandbox, tmp_path: Path) -> None:
    invoice = Ref("till", Kind.INVOICE, "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6")
    await take_down(state_in(tmp_path), Story(key="INV-1", source="till", result=invoice))
    config = configure(tmp_path, sandbox, pos={"former_keys": ["till"]})
    done = await run_aside("forget", "--config", config, "--source", "pos", "--native-id", invoice.native_id.upper())
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "removed: what was sent and answered in 1 attempts")


async def test_forget_works_for_a_source_that_is_gone(sandbox: RunningSandbox, tmp_path: Path) -> None:
    await take_down(state_in(tmp_path), Story(key="INV-1", source="closed-shop", result=Ref("closed-shop", Kind.INVOICE, "7")))
    done = await run_aside("forget", "--config", configure(tmp_path, sandbox), "--source", "closed-shop", "--native-id", "7")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "removed: what was sent and answered in 1 attempts")


# ------------------------------------------------------------------ a journal that is not there

COMMANDS = (("reconcile",), ("attempts",), ("forget", "--source", "shop", "--native-id", "1"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_a_journal_that_is_not_there_is_not_made(sandbox: RunningSandbox, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = await run_aside(*command, "--config", configure(tmp_path, sandbox))

    path = tmp_path / "journal.db"
    why = f"gateway.toml: server.state: there is no file {path} (a relative path starts where the gateway was started)"
    assert done == Done(2, "", f"{why}\n")
    assert not path.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_a_file_that_is_no_journal_is_one_line(sandbox: RunningSandbox, tmp_path: Path, command: tuple[str, ...]) -> None:
    config = configure(tmp_path, sandbox)
    (tmp_path / "journal.db").write_text("something else " * 100, encoding="utf-8")
    done = await run_aside(*command, "--config", config)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("gateway.toml: server.state: ")


def test_a_journal_in_memory_cannot_be_read_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    table = '[sources.s]\nsystem = "shopctrl"\nbase_url = "http://x"\nshop_ids = [1]\nshop_owner_id = 1\n'
    path.write_text(f'[server]\nstate = "sqlite://"\n{table}', encoding="utf-8")

    done = run("attempts", "--config", str(path))

    assert done.returncode == 2
    why = "gateway.toml: server.state: the journal is in the memory of the gateway, and cannot be read from here"
    assert done.stderr.splitlines()[-1] == why
