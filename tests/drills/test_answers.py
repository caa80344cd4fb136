"""The judge of answers: what it lets pass, and that it misses no broken rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.drills import __main__ as drills
from tests.drills import fuzz
from tests.drills.answers import Heard, complaints

JSON = "application/json; charset=utf-8"
RESPONSE = "application/graphql-response+json; charset=utf-8"
ERROR: dict[str, Any] = {"message": "id: this is no id", "extensions": {"code": "BAD_USER_INPUT", "requestId": "0123456789abcdef"}}


def heard(answer: object, status: int = 200, content_type: str = JSON) -> Heard:
    return Heard(status, content_type, json.dumps(answer).encode())


@pytest.mark.parametrize(
    "answer",
    [
        heard({"data": {"caller": None}}),
        heard({"data": None, "errors": [ERROR]}, content_type=RESPONSE),
        heard({"errors": [ERROR]}),
        heard({"errors": [ERROR]}, 400),
        heard({"errors": [ERROR]}, 400, RESPONSE),
        heard({"data": {}, "extensions": {}}),
    ],
)
def test_an_answer_that_keeps_the_rules_is_let_pass(answer: Heard) -> None:
    assert complaints(answer) == []


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (heard({"errors": [ERROR]}, 500), "status 500"),
        (heard({"data": {}}, content_type="text/html"), "content-type 'text/html'"),
        (Heard(200, JSON, b"{"), "the answer is not JSON: "),
        (heard([]), "the answer is no object with data or errors"),
        (heard({}), "the answer is no object with data or errors"),
        (heard({"data": {}, "more": 1}), "the answer is no object with data or errors"),
        (heard({"data": {}}, 400), "status 400 with data"),
        (heard({"errors": [ERROR]}, content_type=RESPONSE), "status 200 without data"),
        (heard({"data": {}, "errors": []}), "errors is no list, or empty"),
        (heard({"data": {}, "errors": [{**ERROR, "message": ""}]}), "an error without a message: "),
        (heard({"errors": [{**ERROR, "extensions": {**ERROR["extensions"], "code": "INTERNAL"}}]}), "an error of the gateway's own: "),
        (heard({"errors": [{**ERROR, "extensions": {"code": "BAD_USER_INPUT"}}]}), "an error without the id of its request: "),
        (heard({"data": {"name": 'File "/app/gateway/app.py", line 7'}}), "the answer says '.py"),
        (heard({"data": {"name": "Traceback (most recent call last)"}}), "the answer says 'Traceback (most recent call last)'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_rule_is_named(answer: Heard, complaint: str) -> None:
    (found,) = complaints(answer)
    assert found.startswith(complaint)


def test_what_a_gateway_says_after_its_announcement_is_looked_at() -> None:
    announced = "GraphQL http://127.0.0.1:8000/graphql\nCtrl-C ends it.\n"
    assert fuzz.said(f"{announced}\nwarning: Invalid HTTP request received.\n") == []
    assert fuzz.said(f"{announced}request 0123456789abcdef: ValueError\n") == ["request 0123456789abcdef: ValueError"]


@pytest.mark.parametrize(("violations", "ending"), [([], "violations: 0"), (["status 500"], "violations: 1\n  status 500")])
def test_the_report_ends_with_what_was_wrong(violations: list[str], ending: str) -> None:
    assert fuzz.to_text(fuzz.Report(violations=violations)).endswith(ending)


def test_without_schemathesis_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(fuzz, "find_spec", lambda _: None)

    assert drills.main(["schema", "--seconds", "1"]) == 1
    assert capsys.readouterr().err == "schemathesis is not installed: `uv run --group fuzz python -m tests.drills schema`\n"
