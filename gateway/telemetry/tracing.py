"""Whether requests are traced, as the configuration has it. Where they are not, nothing of OpenTelemetry is imported."""

from __future__ import annotations

from importlib import import_module
from random import random

from gateway.errors import SettingsError
from gateway.settings import TelemetrySettings
from gateway.telemetry.spans import Spans


def make_spans(settings: TelemetrySettings) -> Spans | None:
    """Make what traces requests; None: they are not traced. Raises `SettingsError` where the extra is not installed."""
    url = settings.traces_url
    if url is None:
        return None
    try:
        writer = import_module("gateway.telemetry.otlp").OtlpWriter
    except ModuleNotFoundError:
        raise SettingsError("telemetry.traces_url: traces need an extra: pip install 'invoice-gateway[otel]'") from None
    headers = {name: value.get_secret_value() for name, value in settings.traces_headers.items()}
    return Spans(
        writer=writer(url, headers, service=settings.traces_service),
        share=settings.traces_percent / 100,
        random=random,
        is_passed_on=settings.traces_upstream,
    )
