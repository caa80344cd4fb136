"""A trace from HTTP in to upstream out: `serve` as a shell would run it, over an upstream and a collector on this machine."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ROOT: Final = Path(__file__).parents[2]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER_TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
INVOICE: Final = "WyJpIiwic2hvcCIsIjg4MTIxIl0"
"""The global id of one of the source `shop`."""
TRACEPARENT: Final = f"00-{TRACE}-{PARENT}-01"
TWO: Final = """query Two($canaryId: String! = "19121212") {
  a: order(by: {native: {source: "shop", id: $canaryId}}) { number }
  canaryAlias: order(by: {native: {source: "shop", id: "2"}}) { number }
}"""
OPERATION: Final = "GET v1/Orders/{id}"


@dataclass
class Recorder:
    """An HTTP server that keeps what it is asked, and answers the same each time."""

    status: int = 200
    body: bytes = b"null"
    requests: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[Recorder]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length", "0")))
                recorder.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, content))
                self.send_response(recorder.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(recorder.body)))
                self.end_headers()
                self.wfile.write(recorder.body)

            do_POST = do_GET  # noqa: N815  (the library's)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's)
                del format, args

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield self
            finally:
                server.shutdown()

    @property
    def spans(self) -> list[Span]:
        """What a collector was told."""
        found: list[Span] = []
        for _, headers, content in self.requests:
            request = ExportTraceServiceRequest()
            request.ParseFromString(gzip.decompress(content) if headers.get("content-encoding") == "gzip" else content)
            found += [span for of_resource in request.resource_spans for of_scope in of_resource.scope_spans for span in of_scope.spans]
        return found


@dataclass
class Ended:
    """What a process has said when it has ended."""

    code: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def serve(tmp_path: Path, upstream: Recorder, *, server: str = "", telemetry: str = "") -> Iterator[tuple[httpx.Client, Ended]]:
    """Run `serve` until the block ends; its log lines are JSON."""
    config, ended = tmp_path / "gateway.toml", Ended()
    config.write_text(
        f"""
[server]
state = "sqlite:///{tmp_path}/gateway.db"
log_format = "json"
log_level = "info"
{server}
[telemetry]
operations = ["Two"]
{telemetry}
[sources.shop]
system = "shopctrl"
base_url = "{upstream.url}/canary-base"
shop_ids = [1]
shop_owner_id = 1
retries = 0
auth = {{ kind = "basic", username = "u", password = "canary-password" }}
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        address = re.search(r"http://\S+?:\d+", process.stdout.readline())
        try:
            assert address
            with httpx.Client(base_url=address[0], timeout=30) as client:
                yield client, ended
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
        ended.code, ended.lines = process.returncode, [json.loads(line) for line in errors.splitlines()]


def attributes(span: Span) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


def test_a_trace_goes_from_the_caller_to_the_upstream_and_to_the_collector(tmp_path: Path) -> None:
    with Recorder().serving() as upstream, Recorder(body=b"").serving() as collector:
        tracing = f'traces_url = "{collector.url}/v1/traces"\ntraces_headers = {{ "x-api-key" = "of-the-collector" }}'
        with serve(tmp_path, upstream, telemetry=tracing) as (client, ended):
            answer = client.post("/graphql", json={"query": TWO}, headers={"traceparent": TRACEPARENT, "tracestate": "canary=1"}).json()
            client.get(f"/documents/{INVOICE}", headers={"traceparent": f"00-{OTHER_TRACE}-{PARENT}-01"})

    assert answer == {"data": {"a": None, "canaryAlias": None}}
    of_document = [span for span in collector.spans if span.trace_id.hex() == OTHER_TRACE]
    assert {span.name.split()[0] for span in of_document} == {"document", "batch", "shop"}

    of_query = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    spans = {span.name: span for span in of_query}
    calls = [span for span in of_query if span.name == f"shop {OPERATION}"]
    assert sorted(span.name for span in of_query) == ["batch shop", "query Two", f"shop {OPERATION}", f"shop {OPERATION}"]
    assert len(of_query) + len(of_document) == len(collector.spans)

    request, batch = spans["query Two"], spans["batch shop"]
    assert request.parent_span_id.hex() == PARENT
    assert batch.parent_span_id == request.span_id
    assert {span.parent_span_id for span in calls} == {batch.span_id}
    told = {headers["traceparent"] for path, headers, _ in upstream.requests if "Orders" in path}
    assert told == {f"00-{TRACE}-{span.span_id.hex()}-01" for span in calls}
    assert len(told) == 2
    assert all("tracestate" not in headers for _, headers, _ in upstream.requests)

    assert (request.kind, batch.kind, calls[0].kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT)
    assert request.start_time_unix_nano <= batch.start_time_unix_nano <= calls[0].start_time_unix_nano
    assert calls[0].end_time_unix_nano <= batch.end_time_unix_nano <= request.end_time_unix_nano
    assert attributes(batch) == {"invoice_gateway.source": "shop", "invoice_gateway.keys": 2, "invoice_gateway.calls": 2}
    assert attributes(calls[0]) == {
        "invoice_gateway.source": "shop",
        "invoice_gateway.operation": OPERATION,
        "invoice_gateway.attempt": 1,
        "invoice_gateway.way": "made",
        "http.response.status_code": 200,
    }
    (line,) = [line for line in ended.lines if line.get("type") == "query"]
    assert attributes(request) == {
        "invoice_gateway.request_id": line["requestId"],
        "invoice_gateway.outcome": "ok",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Two",
        "http.response.status_code": 200,
    }
    assert line["traceId"] == TRACE
    path, headers, _ = collector.requests[0]
    assert (path, headers["x-api-key"]) == ("/v1/traces", "of-the-collector")


def test_a_failure_has_one_code_everywhere_and_nothing_of_a_request_is_told(tmp_path: Path) -> None:
    with (
        Recorder(status=503, body=b'"canary-answer"').serving() as upstream,
        Recorder(body=b"").serving() as collector,
        serve(tmp_path, upstream, telemetry=f'traces_url = "{collector.url}/v1/traces"') as (client, ended),
    ):
        body = {"query": TWO, "variables": {"canaryId": "191212121212"}}
        answer = client.post("/graphql", json=body, headers={"authorization": "Bearer canary"}).json()
        client.post("/graphql", json={"query": "query CanaryName { canaryField }"})
        client.get("/documents/canary-document", params={"expires": "canary", "signature": "canary"})
        scraped = client.get("/metrics").text

    code = "UPSTREAM_UNAVAILABLE"
    assert {error["extensions"]["code"] for error in answer["errors"]} == {code}
    calls = [span for span in collector.spans if span.name == f"shop {OPERATION}"]
    assert [(attributes(span)["error.type"], span.status.code) for span in calls] == [(code, 2), (code, 2)]
    lines = [line for line in ended.lines if line["message"] == "answered"]
    assert [line["outcome"] for line in lines] == ["partial", "refused", "refused"]
    assert (lines[0]["requestId"], lines[0]["codes"]) == (answer["errors"][0]["extensions"]["requestId"], [code])
    assert [lines[0][key] for key in ("type", "operation", "status", "upstreamCalls")] == ["query", "Two", 200, 2]
    assert 0 < lines[0]["overheadMs"] <= lines[0]["durationMs"]
    assert f'invoice_gateway_errors_total{{code="{code}"}} 1\n' in scraped

    assert len(collector.spans) == 6
    told = [*(str(span).lower() for span in collector.spans), *(json.dumps(line).lower() for line in ended.lines), scraped.lower()]
    assert not [text for text in told for secret in ("canary", "19121212", upstream.url) if secret in text]


def test_upstreams_are_told_nothing_where_traces_are_off_or_not_for_them(
    tmp_path: Path,
) -> None:
    # And a collector that is down changes nothing of an answer.
    down = 'traces_url = "http://127.0.0.1:1/v1/traces"\ntraces_upstream = false'
    with Recorder().serving() as upstream:
        for telemetry in ("", down):
            with serve(tmp_path, upstream, telemetry=telemetry) as (client, ended):
                answer = client.post("/graphql", json={"query": TWO}, headers={"traceparent": TRACEPARENT}).json()
            assert answer == {"data": {"a": None, "canaryAlias": None}}
            assert ended.code == 0

    assert len(upstream.requests) == 4
    assert not [headers for _, headers, _ in upstream.requests if "traceparent" in headers]


def test_several_workers_are_scraped_as_one_and_traced_each(tmp_path: Path) -> None:
    with Recorder().serving() as upstream, Recorder(body=b"").serving() as collector:
        tracing, asked = f'traces_url = "{collector.url}/v1/traces"', 0
        with serve(tmp_path, upstream, server="workers = 2", telemetry=tracing) as (client, ended):
            deadline = time.monotonic() + 60
            workers: dict[str, int] = {}
            while len(workers) < 2 or sum(workers.values()) < asked:  # each tells the other now and then
                assert time.monotonic() < deadline, workers
                if len(workers) < 2:
                    with httpx.Client(base_url=client.base_url, timeout=30) as another:  # a connection stays with its worker
                        another.post("/graphql", json={"query": TWO})
                    asked += 1
                text = client.get("/metrics").text
                found = re.findall(r'^invoice_gateway_requests_total\{.*worker="(\d+)"\} (\d+)$', text, re.MULTILINE)
                workers = {worker: int(count) for worker, count in found}
                threading.Event().wait(0.05)

    assert sum(workers.values()) == asked
    assert ended.code == 0
    assert len([span for span in collector.spans if span.name == "query Two"]) == asked


def test_opentelemetry_is_imported_only_where_traces_are_on() -> None:
    program = """
import sys
from gateway.app import create_app, settings_from
shop = {"system": "shopctrl", "base_url": "https://shop.example", "shop_ids": [1], "shop_owner_id": 1}
for telemetry in ({}, {"traces_url": "http://127.0.0.1:1/v1/traces"}):
    create_app(settings_from({"server": {"state": "sqlite://"}, "sources": {"shop": shop}, "telemetry": telemetry}))
    print("opentelemetry" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout == "False\nTrue\n"
