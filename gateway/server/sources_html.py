"""The page that shows operators how things stand with each source: a document without script, for the eye and the ear alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Final

from gateway.loaders import IndexState, Source, UpstreamState
from gateway.model import Batching, Capability, Operation, SourceHealth, SupportLevel
from gateway.server.markup import Markup, element, together
from gateway.server.pages import document

# A sign beside the word, so that one finds it at a glance; the word alone says it.
_HEALTH_SIGNS: Final = {SourceHealth.UP: "●", SourceHealth.DEGRADED: "▲", SourceHealth.DOWN: "■", SourceHealth.NOT_CHECKED: "○"}
_SUPPORT_SIGNS: Final = {
    SupportLevel.SUPPORTED: "✓",
    SupportLevel.PARTIAL: "◐",
    SupportLevel.NOT_OFFERED: "○",
    SupportLevel.NOT_IMPLEMENTED_UPSTREAM: "✕",
}
_BATCHING: Final = {
    Batching.EACH: "one call a key",
    Batching.CHUNK: "one call for a chunk of keys",
    Batching.PARENT: "one list covers several keys",
    Batching.WINDOW: "one read for all keys",
    Batching.NONE: None,
}
_MINUTES_FROM: Final = 120
_CENTISECOND: Final = 0.01
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def sources_page(sources: Sequence[Source], now: datetime, *, has_explorer: bool) -> Markup:
    """Show sources as they are at a moment."""
    parts = (
        element(
            "p", "As of ", _time(now), ". Showing this page asks no upstream. ", element("a", "Refresh", href="/sources"), class_="lead"
        ),
        _section("state", "State", element("div", *(_card(source, now) for source in sources), class_="cards")),
        _section("errors", "Last errors", _errors(sources, now)),
        _section("indexes", "Indexes", _indexes(sources, now)),
        _section("capabilities", "Capabilities", _capabilities(sources)),
    )
    return document("Sources", *parts, has_explorer=has_explorer)


def _section(name: str, title: str, *content: str) -> Markup:
    return element("section", element("h2", title, id=name), *content, aria_labelledby=name)


# ------------------------------------------------------------------ state


def _card(source: Source, now: datetime) -> Markup:
    profile, state = source.profile, source.upstream_state
    name = element("h3", profile.display_name, id=f"source-{profile.key}")
    key = () if profile.key == profile.display_name else (element("code", profile.key), " · ")
    facts = (
        ("Health", _health(source, now)),
        ("Breaker", _breaker(state)),
        ("Pause", f"{_wait(state.pause_seconds)} left, as it asked" if state.pause_seconds > 0 else "none"),
        ("Calls", f"{state.in_flight} of {state.max_in_flight} in flight"),
        ("Queue", f"{state.waiting_requests} of {state.max_waiting_requests} requests wait"),
        ("Retries", together(f"{state.retries} of {state.max_retries} spent ", element("small", "in the last 10\N{NO-BREAK SPACE}s"))),
        ("Latency", _latency(state)),
        ("Last call", "none yet" if state.latency is None else _ago(state.latency.last_at, now)),
    )
    listed = element("dl", *(element("div", element("dt", term), element("dd", fact)) for term, fact in facts))
    return element("article", name, element("p", *key, profile.system, class_="quiet"), listed, aria_labelledby=f"source-{profile.key}")


def _health(source: Source, now: datetime) -> Markup:
    health, since = source.health, source.health_since
    word = _signed(_HEALTH_SIGNS[health], health.value, kind=f"health-{health.value}")
    return together(word, " since ", _ago(since, now)) if since is not None and health is not SourceHealth.NOT_CHECKED else word


def _breaker(state: UpstreamState) -> Markup:
    breaker = state.breaker
    word = breaker.circuit.value.replace("_", " ").lower()
    probe = f", next try in {_wait(breaker.seconds_until_probe)}" if breaker.seconds_until_probe > 0 else ""
    counted = f"{breaker.failures} of {breaker.calls} calls failed in the last 10\N{NO-BREAK SPACE}s"
    rule = f"opens at {breaker.failure_percent}\N{NO-BREAK SPACE}% of {breaker.least_calls} or more"
    return together(element("strong", word), probe, " ", element("small", f"{counted}; {rule}"))


def _latency(state: UpstreamState) -> str:
    latency = state.latency
    if latency is None:
        return "no call yet"
    counted = "the only call" if latency.calls == 1 else f"the last {latency.calls} calls"
    spread = f"p50 {_taken(latency.p50_seconds)}, p95 {_taken(latency.p95_seconds)} "
    return together(spread, element("small", f"of {counted}, failed ones too"))


# ------------------------------------------------------------------ errors, indexes


def _errors(sources: Sequence[Source], now: datetime) -> Markup:
    failures = [(source.profile.display_name, failure) for source in sources for failure in source.upstream_state.failures]
    if not failures:
        return element("p", "None since the gateway started.")
    failures.sort(key=lambda found: found[1].last_at, reverse=True)
    rows = [
        (
            element("code", *_breakable(failure.code)),
            source,
            element("code", *_breakable(failure.operation)),
            failure.message,
            _ago(failure.last_at, now),
            "once" if failure.times == 1 else together(f"{failure.times} times since ", _ago(failure.first_at, now)),
        )
        for source, failure in failures
    ]
    return _table("Errors by kind, the latest first", ("Code", "Source", "Operation", "What", "Last", "How often"), rows)


def _indexes(sources: Sequence[Source], now: datetime) -> Markup:
    rows = [
        (_index_name(index), source.profile.display_name, str(index.rows), _index_is(index), _age(index, now), _refresh(index))
        for source in sources
        for index in source.indexes
    ]
    if not rows:
        return element("p", "These sources keep none: each answer is read when it is asked for.")
    return _table("What is kept in memory for all requests", ("Index", "Source", "Rows", "Complete", "As of", "Read again"), rows)


def _index_name(index: IndexState) -> Markup:
    part = () if index.part is None else (f", {index.part}",)
    return together(element("code", *_breakable(index.operation)), *part)


def _index_is(index: IndexState) -> str:
    if index.as_of is None:
        return "not read yet"
    return "yes" if index.complete else "no: what is not in it may be there"


def _age(index: IndexState, now: datetime) -> str:
    return "never" if index.as_of is None else _ago(index.as_of, now)


def _refresh(index: IndexState) -> str:
    failed = () if index.failure is None else ("; the last time ", element("code", *_breakable(index.failure)))
    if index.is_refreshing:
        return "being read now"
    when = f"not for {_wait(index.fresh_seconds)}" if index.fresh_seconds > 0 else "when it is next used"
    return together(when, *failed)


# ------------------------------------------------------------------ capabilities


def _capabilities(sources: Sequence[Source]) -> Markup:
    able = [{each.operation: each for each in source.capabilities} for source in sources]
    rows = [(element("code", *_breakable(operation)), *(_capability(of.get(operation)) for of in able)) for operation in Operation]
    names = [source.profile.display_name for source in sources]
    return _table("What each source can do, and by which upstream operation", ("Operation", *names), rows, class_="matrix")


def _capability(capability: Capability | None) -> Markup:
    support = SupportLevel.NOT_OFFERED if capability is None else capability.support
    word = _signed(_SUPPORT_SIGNS[support], support.value, kind=f"support-{support.value}")
    if capability is None:
        return word
    batching, way, note = _BATCHING[capability.batching], capability.upstream_operation, capability.note
    told = (
        element("small", batching) if batching else None,
        element("code", *_breakable(way)) if way else None,
        element("span", *_prose(note), class_="note") if note else None,
    )
    return together(word, *(part for each in told if each is not None for part in (" ", each)))


# ------------------------------------------------------------------ parts


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], class_: str | None = None) -> Markup:
    """Make a table whose first cells head their rows.

    The roles say what the elements mean anyway: on a phone the style shows rows as blocks, and a browser may then forget it. There each
    cell is shown with the head of its column, which is no text of the cell's own.
    """
    top = element("tr", *(element("th", head, scope="col", role="columnheader") for head in heads), role="row")
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", role="rowheader"),
            *(element("td", element("div", cell), role="cell", data_head=head) for head, cell in zip(heads[1:], row[1:], strict=True)),
            role="row",
        )
        for row in rows
    ]
    parts = (element("caption", caption), element("thead", top, role="rowgroup"), element("tbody", *body, role="rowgroup"))
    return element("table", *parts, role="table", class_=class_)


def _signed(sign: str, value: str, *, kind: str) -> Markup:
    word = value.replace("_", " ").lower()
    return element("span", element("span", sign, aria_hidden="true"), f" {word}", class_=f"word {kind}")


def _breakable(code: str) -> tuple[Markup, ...]:
    """Let a long code break after its words, in a narrow column."""
    pieces = code.replace("_", "_\0").replace("/", "/\0").split("\0")
    return tuple(part for piece in pieces if piece for part in (together(piece), element("wbr")))


def _prose(text: str) -> Iterable[str]:
    """Give a sentence with its names in backquotes as code."""
    return (element("code", part) if place % 2 else part for place, part in enumerate(text.split("`")))


def _time(at: datetime) -> Markup:
    utc = at.astimezone(UTC)
    return element("time", f"{utc:%Y-%m-%d %H:%M:%S} UTC", datetime=f"{utc:%Y-%m-%dT%H:%M:%SZ}")


def _ago(at: datetime, now: datetime) -> Markup:
    utc, today = at.astimezone(UTC), now.astimezone(UTC).date()
    shown = f"{utc:%H:%M:%S} UTC" if utc.date() == today else f"{utc:%Y-%m-%d %H:%M} UTC"
    passed = max(0.0, (now - at).total_seconds())
    told = "just now" if passed < 1 else f"{_whole(passed)} ago"
    return together(element("time", shown, datetime=f"{utc:%Y-%m-%dT%H:%M:%SZ}"), " ", element("small", f"({told})"))


def _whole(seconds: float) -> str:
    """Give a time of a second or more in the largest unit of which there is one."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    return _measure(f"{int(seconds // size)}", unit)


def _wait(seconds: float) -> str:
    return _measure(f"{ceil(seconds)}", "s") if seconds <= _MINUTES_FROM else _measure(f"{ceil(seconds / 60)}", "min")


def _taken(seconds: float) -> str:
    """Give how long something took, with the digits that matter."""
    if seconds >= 1:
        return _measure(f"{seconds:.1f}", "s")
    return _measure(f"{seconds * 1000:.2g}" if seconds < _CENTISECOND else f"{seconds * 1000:.0f}", "ms")


def _measure(number: str, unit: str) -> str:
    return f"{number}\N{NO-BREAK SPACE}{unit}"
