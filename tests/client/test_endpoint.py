"""How a client asks: what it sends, how long it waits, and when it gives up."""

from __future__ import annotations

import json

import pytest

from gateway.client.endpoint import NoAnswer
from gateway.transport import Response
from gateway.transport.wire import WireError, WireFailed, WireRequest, WireTimeout
from tests.client.stage import URL, Desk
from tests.fakes import FakeWire, answer

pytestmark = pytest.mark.anyio

FINE = '{"data": {}}'
Step = Response | WireError


def after(*steps: Step) -> FakeWire:
    waiting = iter(steps)

    def handle(_request: WireRequest) -> Response:
        step = next(waiting)
        if isinstance(step, WireError):
            raise step
        return step

    return FakeWire(handle)


def busy(status: int = 503, **headers: str) -> Response:
    return answer(
        '{"errors": [{"message": "m", "extensions": {"code": "OVERLOADED"}}]}',
        status,
        **{k.replace("_", "-"): v for k, v in headers.items()},
    )


async def test_a_request_is_json_with_the_key_and_the_headers_of_the_caller() -> None:
    wire = after(answer(FINE))

    await Desk(wire).endpoint("secret").ask({"query": "{ caller { name } }"}, {"x-gateway-trace": "1"})

    request = wire.requests[0]
    assert (request.method, request.url) == ("POST", URL)
    assert json.loads(request.content or b"") == {"query": "{ caller { name } }"}
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-gateway-trace"] == "1"


async def test_a_key_is_in_no_text_of_the_endpoint() -> None:
    assert "secret" not in repr(Desk(after()).endpoint("secret"))


@pytest.mark.parametrize(("said", "seconds"), [("3", 3.0), ("Sun, 22 Nov 2026 12:00:09 GMT", 9.0), ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0)])
async def test_it_waits_as_long_as_it_is_told(said: str, seconds: float) -> None:
    desk = Desk(after(busy(429, retry_after=said), answer(FINE)))

    await desk.endpoint().ask({}, {})

    assert sum(desk.pauses.seconds) == seconds


async def test_a_wait_that_one_notices_is_said() -> None:
    desk = Desk(after(busy(503, retry_after="60"), answer(FINE)))

    await desk.endpoint().ask({}, {})

    assert desk.said == [f"{URL}: it answered 503; asking again in 60 s"]


async def test_all_requests_of_a_client_wait_together() -> None:
    desk = Desk(after(busy(429, retry_after="10"), answer(FINE), answer(FINE)))
    endpoint = desk.endpoint()

    await endpoint.ask({}, {})
    await endpoint.ask({}, {})

    assert desk.pauses.seconds == [10.0]


@pytest.mark.parametrize("said", ["301", "99999999999999999999"])
async def test_a_wait_beyond_patience_is_not_begun(said: str) -> None:
    desk = Desk(after(busy(503, retry_after=said)))

    told = await desk.endpoint().ask({}, {})

    assert (told.status, told.codes, desk.pauses.seconds) == (503, {"OVERLOADED"}, [])


async def test_who_does_not_say_how_long_is_asked_again_after_longer_and_longer_pauses() -> None:
    desk = Desk(after(*[busy()] * 5))

    told = await desk.endpoint().ask({}, {})

    assert (told.status, desk.pauses.seconds) == (503, [0.5, 1.0, 2.0, 4.0])


async def test_a_gateway_that_was_never_there_is_not_waited_for() -> None:
    desk = Desk(after(WireFailed("no connection", nothing_sent=True)))

    with pytest.raises(NoAnswer, match=f"^{URL}: no connection$") as caught:
        await desk.endpoint().ask({}, {})

    assert (caught.value.nothing_begun, desk.pauses.seconds) == (True, [])


async def test_a_gateway_that_was_there_may_be_restarting() -> None:
    desk = Desk(after(answer(FINE), WireFailed("lost"), WireFailed("no connection", nothing_sent=True), answer(FINE)))
    endpoint = desk.endpoint()

    await endpoint.ask({}, {})
    await endpoint.ask({}, {})

    assert desk.pauses.seconds == [0.5, 1.0]


async def test_an_answer_that_takes_too_long_is_not_asked_for_again() -> None:
    desk = Desk(after(answer(FINE), WireTimeout("no answer in time")))
    endpoint = desk.endpoint()
    await endpoint.ask({}, {})

    with pytest.raises(NoAnswer) as caught:
        await endpoint.ask({}, {})

    assert (caught.value.nothing_begun, desk.pauses.seconds) == (False, [])


@pytest.mark.parametrize(
    ("response", "nothing_begun"),
    [
        (answer("<html>", 404), True),
        (answer("[]", 200), False),
        (answer('{"detail": "x"}', 500), False),
        (answer('{"data": NaN}'), False),
    ],
)
async def test_what_is_no_graphql_is_no_answer(response: Response, nothing_begun: bool) -> None:  # noqa: FBT001  (a row of the table)
    with pytest.raises(NoAnswer) as caught:
        await Desk(after(response)).endpoint().ask({}, {})

    assert str(caught.value) == f"{URL}: it answered {response.status}, and that is no GraphQL"
    assert caught.value.nothing_begun is nothing_begun


@pytest.mark.parametrize(
    ("body", "was_executed"), [('{"data": null, "errors": [{"message": "m"}]}', True), ('{"errors": [{"message": "m"}]}', False)]
)
async def test_data_that_is_null_was_executed_and_no_data_was_not(body: str, was_executed: bool) -> None:  # noqa: FBT001  (as above)
    told = await Desk(after(answer(body))).endpoint().ask({}, {})

    assert told.was_executed is was_executed
    assert told.codes == {"-"}
