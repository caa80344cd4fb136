"""Numbers, and the text they are scraped as; read by Prometheus' own client, too."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from gateway.telemetry import Counter, Gauge, Histogram, Metrics, UpstreamMeter, exposition


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}


def test_a_counter_counts_each_combination_of_labels_by_itself() -> None:
    calls = Counter("calls_total", "Calls.", "source", "code")
    for source, code in (("a", "OK"), ("a", "OK"), ("b", "OK"), ("a", "BAD")):
        calls.add(source, code)

    assert exposition([calls]) == (
        "# HELP calls_total Calls.\n"
        "# TYPE calls_total counter\n"
        'calls_total{source="a",code="OK"} 2\n'
        'calls_total{source="b",code="OK"} 1\n'
        'calls_total{source="a",code="BAD"} 1\n'
    )


def test_a_histogram_counts_up_to_each_bound_a_value_on_the_bound_included() -> None:
    seconds = Histogram("took_seconds", "Time.", "type", bounds=(0.5, 1, 2.5))
    for value in (0.5, 0.75, 1, 2, 100):
        seconds.observe(value, "query")

    assert exposition([seconds]).splitlines()[2:] == [
        'took_seconds_bucket{type="query",le="0.5"} 1',
        'took_seconds_bucket{type="query",le="1"} 3',
        'took_seconds_bucket{type="query",le="2.5"} 4',
        'took_seconds_bucket{type="query",le="+Inf"} 5',
        'took_seconds_sum{type="query"} 104.25',
        'took_seconds_count{type="query"} 5',
    ]


def test_a_gauge_has_what_was_put_into_it() -> None:
    slots = Gauge("slots", "Slots.")
    slots.put(0.5)

    assert exposition([slots]) == "# HELP slots Slots.\n# TYPE slots gauge\nslots 0.5\n"


def test_a_label_is_read_as_it_was_whatever_is_in_it() -> None:
    value = 'till "7"\\north\nsouth, {a="b"} 3'
    rows = Gauge("rows", "Rows,\nin \\ all.", "index")
    rows.put(3, value)

    assert read(exposition([rows])) == {("rows", frozenset({("index", value)})): 3}


def test_samples_that_are_not_to_be_shown_are_left_out() -> None:
    is_open = Gauge("open", "Open.", "source")
    is_open.put(0, "a")
    is_open.put(1, "b")

    assert exposition([is_open], lambda labels: labels["source"] != "b").splitlines()[2:] == ['open{source="a"} 0']


def test_every_family_is_written_as_the_format_has_it() -> None:
    metrics = Metrics()
    meter = UpstreamMeter(metrics, "shop")
    metrics.requests.add("other", "query", "ok")
    metrics.errors.add("INTERNAL")
    metrics.durations.observe(1, "query")
    metrics.overhead.observe(0.0625, "query")
    metrics.writes.add("shop", "APPLIED")
    meter.called("GetOrder", "OK", 0.25)
    meter.retried("GetOrder")
    meter.failed("GetOrder", "UPSTREAM_TIMEOUT")
    meter.coalesced("GetOrder")

    text = exposition(metrics.families())
    samples = read(text)

    operation = frozenset({("source", "shop"), ("operation", "GetOrder")})
    assert samples["invoice_gateway_upstream_calls_total", operation | {("code", "OK")}] == 1
    assert samples["invoice_gateway_upstream_call_seconds_sum", operation] == 0.25
    assert samples["invoice_gateway_upstream_retries_total", operation] == 1
    assert samples["invoice_gateway_upstream_failures_total", operation | {("code", "UPSTREAM_TIMEOUT")}] == 1
    assert samples["invoice_gateway_upstream_coalesced_total", operation] == 1
    assert samples["invoice_gateway_overhead_seconds_bucket", frozenset({("type", "query"), ("le", "0.1")})] == 1
    assert text.count("# TYPE ") == text.count("# HELP ") == len(list(metrics.families())) == 10
