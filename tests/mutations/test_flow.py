"""What each answer of an upstream proves about a write: unification, section 6, the rows for any source."""

from __future__ import annotations

from typing import cast

import pytest

from gateway.errors import AbsenceUnproven, UpstreamAuthFailed, UpstreamError, UpstreamOverloaded, UpstreamTimeout, UpstreamUnavailable
from gateway.model import Confirmation, MutationOutcome, UpstreamRefusal, UserError, UserErrorCode
from gateway.mutations import WriteResult, refused
from gateway.mutations.flow import prepare, result_of, send_once, validated
from gateway.sources.base import Refused, Response, Settled, Source
from tests.fakes import make_scope
from tests.mutations.stub import ABSENT, BEFORE, DONE, INVOICE, REQUEST, UNPROVEN, WRITE, StubSource

pytestmark = pytest.mark.anyio

SENT_ONCE = ["prepare", "send"]
FINDS = {"done": DONE, "absent": ABSENT, "unproven": UNPROVEN}


def answered(status: int, **headers: str) -> Response:
    return Response(status, headers, b"")


def failed(kind: type[UpstreamError], *, nothing_sent: bool = False, retry_after: float | None = None) -> UpstreamError:
    return kind("Make: no answer", source="src", operation="Make", nothing_sent=nothing_sent, retry_after=retry_after)


async def write_to(stub: StubSource, *, dry_run: bool = False) -> WriteResult:
    # A stub has what writing needs of the protocol and no more: a write that read anything else would fail.
    source = cast("Source", stub)
    prepared = await prepare(source, WRITE, make_scope())
    if isinstance(prepared, WriteResult):
        return prepared
    if dry_run:
        return validated(prepared)
    sent = await send_once(source, prepared, make_scope())
    return result_of(prepared, sent.settled, left=sent.left)


# ------------------------------------------------------------------ an answer


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize(
    "settled",
    [
        Settled(outcome=MutationOutcome.APPLIED, confirmation=Confirmation.ECHO, record=INVOICE, order=BEFORE),
        Settled(outcome=MutationOutcome.NOTHING_TO_DO, confirmation=Confirmation.ECHO),
        ABSENT,
        UNPROVEN,
    ],
    ids=lambda settled: settled.outcome.value,
)
async def test_what_a_2xx_proves_is_for_the_source_to_say(status: int, settled: Settled) -> None:
    source = StubSource(answer=answered(status), settled=settled)
    assert await write_to(source) == WriteResult(
        outcome=settled.outcome,
        confirmation=settled.confirmation,
        errors=settled.errors,
        request=REQUEST,
        sent=True,
        record=settled.record,
        order=settled.order,
        previous=BEFORE,
    )
    assert source.asked == [*SENT_ONCE, "settle"]


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_write_that_was_turned_away_was_not_applied(status: int) -> None:
    source = StubSource(answer=answered(status))
    message = f"the source answered {status}"
    error = UserError(UserErrorCode.SOURCE_UNAVAILABLE, message, None, UpstreamRefusal(status=status))
    assert await write_to(source) == WriteResult(
        outcome=MutationOutcome.NOT_APPLIED, errors=(error,), request=REQUEST, sent=True, previous=BEFORE
    )
    assert source.asked == SENT_ONCE


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", "try again after 7 s"),
        (" 0 ", "try again after 0 s"),
        ("Sun, 22 Nov 2026 12:00:07 GMT", "try again after 2026-11-22T12:00:07+00:00"),
        ("Sun Nov 22 12:00:07 2026", "try again after 2026-11-22T12:00:07+00:00"),
    ],
)
async def test_a_source_that_says_how_long_to_wait_is_passed_on(header: str, wait: str) -> None:
    result = await write_to(StubSource(answer=answered(429, **{"retry-after": header})))
    assert [error.message for error in result.errors] == [f"the source answered 429; {wait}"]


@pytest.mark.parametrize("header", ["soon", "-1", "1e3", "1" * 10, "\u0663", "<b>7</b>"])
async def test_a_wait_that_cannot_be_read_is_not_passed_on(header: str) -> None:
    result = await write_to(StubSource(answer=answered(429, **{"retry-after": header})))
    assert [error.message for error in result.errors] == ["the source answered 429"]


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 415, 422])
async def test_a_write_that_was_refused_for_good_is_rejected_without_a_look(status: int) -> None:
    source = StubSource(answer=answered(status))
    message = f"the source answered {status}"
    error = UserError(UserErrorCode.UPSTREAM_REJECTED, message, None, UpstreamRefusal(status=status))
    assert await write_to(source) == WriteResult(
        outcome=MutationOutcome.REJECTED, errors=(error,), request=REQUEST, sent=True, previous=BEFORE
    )
    assert source.asked == SENT_ONCE


async def test_what_stands_in_the_way_of_a_refused_write_is_told_and_given() -> None:
    taken = UserError(UserErrorCode.DUPLICATE_NUMBER, "invoice 88 has this number", ("input", "number"))
    result = await write_to(StubSource(answer=answered(409), in_the_way=Refused((taken,), existing=INVOICE)))
    assert (result.outcome, result.record) == (MutationOutcome.REJECTED, INVOICE)
    assert [error.code for error in result.errors] == [UserErrorCode.UPSTREAM_REJECTED, UserErrorCode.DUPLICATE_NUMBER]


async def test_what_the_source_says_stands_in_upstream_and_never_in_a_message_of_ours() -> None:
    said = (UpstreamRefusal(status=400, code="7", message="Kundnummer saknas"), UpstreamRefusal(status=400, message="Namn saknas"))
    result = await write_to(StubSource(answer=answered(400), said=said))
    assert [error.upstream for error in result.errors] == list(said)
    assert [error.message for error in result.errors] == ["the source refused; see upstream"] * 2


@pytest.mark.parametrize("status", [302, 304, 402, 417, 418, 500, 501, 503, 599])
@pytest.mark.parametrize(
    ("found", "outcome"),
    [("done", MutationOutcome.APPLIED), ("absent", MutationOutcome.REJECTED), ("unproven", MutationOutcome.UNKNOWN)],
)
async def test_an_answer_that_proves_nothing_leads_to_one_look_that_decides(status: int, found: str, outcome: MutationOutcome) -> None:
    source = StubSource(answer=answered(status), found=FINDS[found])
    result = await write_to(source)
    assert (result.outcome, result.sent, source.asked) == (outcome, True, [*SENT_ONCE, "look"])


@pytest.mark.parametrize("status", [408, 502, 504])
@pytest.mark.parametrize(
    ("found", "outcome"),
    [("done", MutationOutcome.APPLIED), ("absent", MutationOutcome.UNKNOWN), ("unproven", MutationOutcome.UNKNOWN)],
)
async def test_a_proxy_that_gave_up_waiting_leaves_what_is_absent_now_unknown(status: int, found: str, outcome: MutationOutcome) -> None:
    source = StubSource(answer=answered(status), found=FINDS[found])
    result = await write_to(source)
    assert (result.outcome, result.sent, source.asked) == (outcome, True, [*SENT_ONCE, "look"])


async def test_a_look_that_finds_it_done_gives_what_it_found() -> None:
    result = await write_to(StubSource(answer=answered(500), found=DONE))
    assert (result.confirmation, result.record, result.errors) == (Confirmation.READ_BACK, INVOICE, ())


async def test_a_look_that_proves_it_absent_leaves_the_answer_as_the_reason() -> None:
    result = await write_to(StubSource(answer=answered(417), found=ABSENT))
    refusal = UpstreamRefusal(status=417)
    assert result.errors == (UserError(UserErrorCode.UPSTREAM_REJECTED, "the source answered 417", None, refusal),)


async def test_a_look_that_proves_nothing_says_where_to_look_by_hand() -> None:
    result = await write_to(StubSource(answer=answered(503), found=UNPROVEN))
    assert result.errors == (UserError(UserErrorCode.OUTCOME_UNKNOWN, "look at order 17"),)


# ------------------------------------------------------------------ no answer


@pytest.mark.parametrize("kind", [UpstreamTimeout, UpstreamUnavailable])
async def test_a_write_without_an_answer_that_is_found_done_is_applied(kind: type[UpstreamError]) -> None:
    source = StubSource(answer=failed(kind), found=DONE)
    assert await write_to(source) == WriteResult(
        outcome=MutationOutcome.APPLIED,
        confirmation=Confirmation.READ_BACK,
        request=REQUEST,
        sent=True,
        record=INVOICE,
        previous=BEFORE,
    )
    assert source.asked == [*SENT_ONCE, "look"]


@pytest.mark.parametrize("kind", [UpstreamTimeout, UpstreamUnavailable])
async def test_the_absence_of_a_write_without_an_answer_proves_nothing_yet(kind: type[UpstreamError]) -> None:
    source = StubSource(answer=failed(kind), found=ABSENT)
    message = "Make: no answer; it is not there now, and may still come: look again before sending it under a new key (there is none)"
    error = UserError(UserErrorCode.OUTCOME_UNKNOWN, message)
    assert await write_to(source) == WriteResult(
        outcome=MutationOutcome.UNKNOWN, errors=(error,), request=REQUEST, sent=True, previous=BEFORE
    )
    assert source.asked == [*SENT_ONCE, "look"]


async def test_a_write_without_an_answer_and_without_proof_says_where_to_look_by_hand() -> None:
    result = await write_to(StubSource(answer=failed(UpstreamTimeout), found=UNPROVEN))
    assert (result.outcome, result.errors, result.sent) == (MutationOutcome.UNKNOWN, UNPROVEN.errors, True)


@pytest.mark.parametrize("kind", [UpstreamTimeout, UpstreamUnavailable, UpstreamOverloaded, UpstreamAuthFailed])
async def test_a_write_of_which_provably_nothing_left_was_not_applied_and_not_sent(kind: type[UpstreamError]) -> None:
    source = StubSource(answer=failed(kind, nothing_sent=True))
    message = "Make: no answer; nothing was sent; the same key may be used again"
    error = UserError(UserErrorCode.SOURCE_UNAVAILABLE, message)
    assert await write_to(source) == WriteResult(
        outcome=MutationOutcome.NOT_APPLIED, errors=(error,), request=REQUEST, sent=False, previous=BEFORE
    )
    assert source.asked == SENT_ONCE


async def test_the_wait_before_another_try_is_said_in_whole_seconds() -> None:
    result = await write_to(StubSource(answer=failed(UpstreamOverloaded, nothing_sent=True, retry_after=1.2)))
    assert result.errors[0].message == "Make: no answer; nothing was sent; the same key may be used again; try again after 2 s"


# ------------------------------------------------------------------ before it is sent


async def test_a_source_that_fails_while_a_write_is_prepared_is_sent_nothing() -> None:
    source = StubSource(prepared=failed(UpstreamUnavailable, retry_after=30))
    error = UserError(UserErrorCode.SOURCE_UNAVAILABLE, "Make: no answer; nothing was sent; try again after 30 s")
    assert await write_to(source) == WriteResult(outcome=MutationOutcome.NOT_APPLIED, errors=(error,))
    assert source.asked == ["prepare"]


async def test_a_source_that_cannot_tell_what_a_write_needs_is_sent_nothing() -> None:
    source = StubSource(prepared=AbsenceUnproven("Find: the window is empty", source="src", operation="Find"))
    error = UserError(UserErrorCode.SOURCE_UNAVAILABLE, "Find: the window is empty; nothing was sent")
    assert await write_to(source) == WriteResult(outcome=MutationOutcome.NOT_APPLIED, errors=(error,))
    assert source.asked == ["prepare"]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("unsupported", "outcome"), [(False, MutationOutcome.REJECTED), (True, MutationOutcome.UNSUPPORTED)])
async def test_a_write_that_the_source_refuses_beforehand_is_not_sent(
    *, unsupported: bool, outcome: MutationOutcome, dry_run: bool
) -> None:
    errors = (UserError(UserErrorCode.REQUIRED, "a number is needed", ("input", "number")),)
    source = StubSource(prepared=Refused(errors, unsupported=unsupported))
    assert await write_to(source, dry_run=dry_run) == WriteResult(outcome=outcome, errors=errors)
    assert source.asked == ["prepare"]


async def test_a_dry_run_shows_the_request_and_sends_nothing() -> None:
    source = StubSource()
    assert await write_to(source, dry_run=True) == WriteResult(
        outcome=MutationOutcome.VALIDATED, request=REQUEST, sent=False, record=INVOICE, previous=BEFORE
    )
    assert source.asked == ["prepare"]


async def test_a_dry_run_at_a_source_that_fails_is_not_applied() -> None:
    source = StubSource(prepared=failed(UpstreamTimeout))
    result = await write_to(source, dry_run=True)
    assert (result.outcome, result.request, source.asked) == (MutationOutcome.NOT_APPLIED, None, ["prepare"])


def test_what_the_gateway_refuses_itself_has_no_request() -> None:
    error = UserError(UserErrorCode.REQUIRED, "a key is needed", ("idempotencyKey",))
    assert refused(error) == WriteResult(outcome=MutationOutcome.REJECTED, errors=(error,), request=None, sent=False)


# ------------------------------------------------------------------ never twice


@pytest.mark.parametrize("found", FINDS)
async def test_whatever_comes_back_a_write_is_sent_once(found: str) -> None:
    answers: list[Response | UpstreamError] = [answered(status) for status in range(200, 600)]
    answers += [failed(UpstreamTimeout), failed(UpstreamTimeout, nothing_sent=True)]
    sources = [StubSource(answer=answer, found=FINDS[found]) for answer in answers]
    for source in sources:
        await write_to(source)
    assert [source.asked.count("send") for source in sources] == [1] * len(answers)
